/*
 * Stress: loading and unloading ws2_32.dll while others use handles
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

/* A program that loads ws2_32.dll when it needs it and lets go of it afterwards. Whatever the DLL
 * did to the process in between must not outlive it, or it must stay itself: handles are closed,
 * duplicated and read, APCs queued, while no reference to it is held.
 *
 *   unload                 exit status 0: all was as it should be */

#include <winsock2.h>
#include <windows.h>
#include <stdio.h>

#define ROUNDS 20

static unsigned int failures, passes;

#define check( cond, ... ) \
    do { if (cond) passes++; else { failures++; printf( "line %d: ", __LINE__ ); printf( __VA_ARGS__ ); } } while (0)

static int (WINAPI *pWSAStartup)( WORD, WSADATA * );
static int (WINAPI *pWSACleanup)(void);
static SOCKET (WINAPI *psocket)( int, int, int );
static int (WINAPI *pclosesocket)( SOCKET );

static HMODULE load(void)
{
    HMODULE module = LoadLibraryA( "ws2_32.dll" );

    check( module != NULL, "LoadLibrary: error %lu\n", GetLastError() );
    if (!module) return NULL;
    pWSAStartup = (void *)GetProcAddress( module, "WSAStartup" );
    pWSACleanup = (void *)GetProcAddress( module, "WSACleanup" );
    psocket = (void *)GetProcAddress( module, "socket" );
    pclosesocket = (void *)GetProcAddress( module, "closesocket" );
    return module;
}

static void CALLBACK count_apc( ULONG_PTR arg )
{
    ++*(unsigned int *)arg;
}

/* what goes through ntdll's functions that know of sockets */
static void use_handles(void)
{
    HANDLE event = CreateEventA( NULL, FALSE, FALSE, NULL ), duplicate = NULL;
    unsigned int apcs = 0;
    BOOL ret;

    ret = DuplicateHandle( GetCurrentProcess(), event, GetCurrentProcess(), &duplicate, 0, FALSE, DUPLICATE_SAME_ACCESS );
    check( ret, "DuplicateHandle: error %lu\n", GetLastError() );
    check( SetEvent( duplicate ) && !WaitForSingleObject( event, 1000 ), "the duplicate is another event\n" );
    check( CloseHandle( duplicate ), "CloseHandle: error %lu\n", GetLastError() );
    check( CloseHandle( event ), "CloseHandle: error %lu\n", GetLastError() );
    check( QueueUserAPC( count_apc, GetCurrentThread(), (ULONG_PTR)&apcs ), "QueueUserAPC: error %lu\n", GetLastError() );
    check( SleepEx( 0, TRUE ) == WAIT_IO_COMPLETION && apcs == 1, "%u APCs instead of 1\n", apcs );
}

static DWORD WINAPI use_socket( void *arg )
{
    WSADATA data;
    SOCKET s;
    int ret;

    (void)arg;
    ret = pWSAStartup( MAKEWORD( 2, 2 ), &data );
    check( !ret, "WSAStartup: error %d\n", ret );
    s = psocket( AF_INET, SOCK_STREAM, 0 );
    check( s != INVALID_SOCKET, "no socket: error %lu\n", GetLastError() );
    check( !pclosesocket( s ), "closesocket: error %lu\n", GetLastError() );
    check( !pWSACleanup(), "WSACleanup: error %lu\n", GetLastError() );
    return 0;
}

int main(void)
{
    HMODULE module;
    HANDLE thread;
    unsigned int i;

    setvbuf( stdout, NULL, _IONBF, 0 );
    for (i = 0; i < ROUNDS; i++)
    {
        if (!(module = load())) break;
        use_socket( NULL );
        if (i % 2)
        {
            thread = CreateThread( NULL, 0, use_socket, NULL, 0, NULL );
            check( !WaitForSingleObject( thread, 10000 ), "the thread does not end\n" );
            CloseHandle( thread );
        }
        FreeLibrary( module );
        use_handles();
    }
    printf( "%u passed, %u failed\n", passes, failures );
    return failures != 0;
}
