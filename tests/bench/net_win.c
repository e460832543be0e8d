/*
 * The benchmark's system on Windows
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

#include "net.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>

struct thread
{
    HANDLE handle;
    void (*main)( void *arg );
    void  *arg;
};

const char net_system[] = "windows";

/* So that nobody compares Wine with itself: Tapster's sockets come with a second
 * module, Wine's without, and Windows itself knows no Wine. */
const char *net_provider( void )
{
    if (GetModuleHandleA( "ws2unix.dll" )) return "tapster";
    return *net_wine_version() ? "wine" : "native";
}

const char *net_wine_version( void )
{
    FARPROC get_version = GetProcAddress( GetModuleHandleA( "ntdll.dll" ), "wine_get_version" );

    return get_version ? ((const char *(CDECL *)(void))(void *)get_version)() : "";
}

int net_start( void )
{
    WSADATA data;

    return WSAStartup( MAKEWORD( 2, 2 ), &data );
}

int net_error( void )
{
    return WSAGetLastError();
}

int net_is_would_block( int error )
{
    return error == WSAEWOULDBLOCK;
}

void net_describe( int error, char *text, unsigned int size )
{
    snprintf( text, size, "Winsock error %d", error );
}

int net_set_nonblocking( sock_t s )
{
    u_long yes = 1;

    return ioctlsocket( s, FIONBIO, &yes );
}

static DWORD WINAPI thread_entry( void *arg )
{
    struct thread *thread = arg;

    thread->main( thread->arg );
    return 0;
}

struct thread *thread_start( void (*main)( void *arg ), void *arg )
{
    struct thread *thread;

    if (!(thread = malloc( sizeof(*thread) ))) return NULL;
    thread->main = main;
    thread->arg = arg;
    if ((thread->handle = CreateThread( NULL, 0, thread_entry, thread, 0, NULL ))) return thread;
    free( thread );
    return NULL;
}

void thread_join( struct thread *thread )
{
    WaitForSingleObject( thread->handle, INFINITE );
    CloseHandle( thread->handle );
    free( thread );
}

void thread_sleep( unsigned int ms )
{
    Sleep( ms );
}

uint64_t clock_ns( void )
{
    static LARGE_INTEGER frequency;
    LARGE_INTEGER now;

    if (!frequency.QuadPart) QueryPerformanceFrequency( &frequency );
    QueryPerformanceCounter( &now );
    return now.QuadPart * 1e9 / frequency.QuadPart;
}

void stdio_start( void )
{
    _setmode( _fileno( stdin ), _O_BINARY );
    _setmode( _fileno( stdout ), _O_BINARY );
}
