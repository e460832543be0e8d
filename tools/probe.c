/*
 * What a Windows program of this prefix gets as its Winsock (for tapster status)
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
#include <string.h>
#include <winsock2.h>
#include <windows.h>

/* Wine writes this behind the DOS header of the modules it builds in */
static int is_builtin( HMODULE module )
{
    static const char mark[] = "Wine builtin DLL";

    return !memcmp( (const char *)module + sizeof(IMAGE_DOS_HEADER), mark, sizeof(mark) );
}

/* Prints one "name value" per line; exits 0 if Tapster is there and works, 1 if it is
 * another ws2_32.dll, 2 if it is Tapster and does not work. */
int main(void)
{
    char path[MAX_PATH] = "";
    HMODULE module = GetModuleHandleA( "ws2_32.dll" );
    int error, tapster;
    WSADATA data;
    SOCKET s;

    GetModuleFileNameA( module, path, sizeof(path) );
    printf( "module %s\n", path );
    tapster = !is_builtin( module );
    printf( "builtin %s\n", tapster ? "no" : "yes" );

    if ((error = WSAStartup( MAKEWORD( 2, 2 ), &data )))
    {
        printf( "error WSAStartup %d\n", error );
        return tapster ? 2 : 1;
    }
    if (!GetModuleHandleA( "ws2unix.dll" )) tapster = 0;
    printf( "tapster %s\n", tapster ? "yes" : "no" );
    if ((s = socket( AF_INET, SOCK_STREAM, IPPROTO_TCP )) == INVALID_SOCKET)
    {
        printf( "error socket %d\n", WSAGetLastError() );
        return tapster ? 2 : 1;
    }
    closesocket( s );
    WSACleanup();
    return tapster ? 0 : 1;
}
