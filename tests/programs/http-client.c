/*
 * Fetches pages through WinHTTP, WinINet and urlmon, which all stand on Winsock
 *
 * Copyright 2026 the Tapster authors
 *
 * This library is free software; you can redistribute it and/or
 * modify it under the terms of the GNU Lesser General Public
 * License as published by the Free Software Foundation; either
 * version 2.1 of the License, or (at your option) any later version.
 *
 * This library is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
 * Lesser General Public License for more details.
 *
 * You should have received a copy of the GNU Lesser General Public
 * License along with this library; if not, write to the Free Software
 * Foundation, Inc., 51 Franklin St, Fifth Floor, Boston, MA 02110-1301, USA
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <wininet.h>
#include <urlmon.h>

/* winhttp.h cannot be included beside wininet.h; these are its names that are used here. */
typedef void *http_handle;
http_handle WINAPI WinHttpOpen( const WCHAR *agent, DWORD access, const WCHAR *proxy, const WCHAR *bypass, DWORD flags );
http_handle WINAPI WinHttpConnect( http_handle session, const WCHAR *server, INTERNET_PORT port, DWORD reserved );
http_handle WINAPI WinHttpOpenRequest( http_handle connect, const WCHAR *verb, const WCHAR *object, const WCHAR *version,
                                       const WCHAR *referrer, const WCHAR **types, DWORD flags );
BOOL WINAPI WinHttpSendRequest( http_handle request, const WCHAR *headers, DWORD headers_len, void *optional,
                                DWORD optional_len, DWORD total_len, DWORD_PTR context );
BOOL WINAPI WinHttpReceiveResponse( http_handle request, void *reserved );
BOOL WINAPI WinHttpReadData( http_handle request, void *buffer, DWORD size, DWORD *read );
BOOL WINAPI WinHttpCloseHandle( http_handle handle );

static unsigned char body[8 << 20];

static int fail( const char *what )
{
    printf( "failed: %s: %lu\n", what, GetLastError() );
    return 1;
}

/* The CRC-32 that zlib computes. */
static unsigned int crc32( const unsigned char *data, size_t size )
{
    unsigned int crc = ~0u, bit;

    while (size--)
    {
        crc ^= *data++;
        for (bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
    }
    return ~crc;
}

static int winhttp( INTERNET_PORT port, const WCHAR *verb, const WCHAR *path, char *data )
{
    http_handle session, connect, request;
    DWORD size = 0, count, data_size = data ? strlen( data ) : 0;

    if (!(session = WinHttpOpen( L"tapster-test", 1 /* no proxy */, NULL, NULL, 0 ))) return fail( "WinHttpOpen" );
    if (!(connect = WinHttpConnect( session, L"127.0.0.1", port, 0 ))) return fail( "WinHttpConnect" );
    if (!(request = WinHttpOpenRequest( connect, verb, path, NULL, NULL, NULL, 0 ))) return fail( "WinHttpOpenRequest" );
    if (!WinHttpSendRequest( request, NULL, 0, data, data_size, data_size, 0 )) return fail( "WinHttpSendRequest" );
    if (!WinHttpReceiveResponse( request, NULL )) return fail( "WinHttpReceiveResponse" );
    do
    {
        if (!WinHttpReadData( request, body + size, sizeof(body) - size, &count )) return fail( "WinHttpReadData" );
        size += count;
    } while (count);
    WinHttpCloseHandle( request );
    WinHttpCloseHandle( connect );
    WinHttpCloseHandle( session );
    printf( "body %lu %08x\n", size, crc32( body, size ) );
    return 0;
}

static int wininet( INTERNET_PORT port, const WCHAR *verb, const WCHAR *path, char *data )
{
    HINTERNET session, connect, request;
    DWORD size = 0, count, data_size = data ? strlen( data ) : 0;

    if (!(session = InternetOpenW( L"tapster-test", INTERNET_OPEN_TYPE_DIRECT, NULL, NULL, 0 )))
        return fail( "InternetOpen" );
    if (!(connect = InternetConnectW( session, L"127.0.0.1", port, NULL, NULL, INTERNET_SERVICE_HTTP, 0, 0 )))
        return fail( "InternetConnect" );
    if (!(request = HttpOpenRequestW( connect, verb, path, NULL, NULL, NULL, INTERNET_FLAG_RELOAD, 0 )))
        return fail( "HttpOpenRequest" );
    if (!HttpSendRequestW( request, NULL, 0, data, data_size )) return fail( "HttpSendRequest" );
    do
    {
        if (!InternetReadFile( request, body + size, sizeof(body) - size, &count )) return fail( "InternetReadFile" );
        size += count;
    } while (count);
    InternetCloseHandle( request );
    InternetCloseHandle( connect );
    InternetCloseHandle( session );
    printf( "body %lu %08x\n", size, crc32( body, size ) );
    return 0;
}

static int urlmon( INTERNET_PORT port, const WCHAR *path )
{
    WCHAR url[100];
    HRESULT result;

    _snwprintf( url, 100, L"http://127.0.0.1:%u%ls", port, path );
    if (FAILED( result = URLDownloadToFileW( NULL, url, L"body", 0, NULL )))
    {
        printf( "failed: URLDownloadToFile: %#lx\n", result );
        return 1;
    }
    printf( "done\n" );
    return 0;
}

/* http-client winhttp|wininet|urlmon PORT PATH [DATA-TO-POST] */
int main( int argc, char **argv )
{
    WCHAR path[100];
    INTERNET_PORT port;

    if (argc < 4) return 2;
    port = atoi( argv[2] );
    MultiByteToWideChar( CP_ACP, 0, argv[3], -1, path, 100 );
    if (!strcmp( argv[1], "winhttp" )) return winhttp( port, argc > 4 ? L"POST" : L"GET", path, argv[4] );
    if (!strcmp( argv[1], "wininet" )) return wininet( port, argc > 4 ? L"POST" : L"GET", path, argv[4] );
    if (!strcmp( argv[1], "urlmon" )) return urlmon( port, path );
    return 2;
}
