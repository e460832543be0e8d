/*
 * Stress: closing, reusing and adopting handles from many threads and processes
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

/* Every connection carries a token of its own in both directions, so a handle that was
 * taken for another's shows as a wrong token. Threads close sockets that others
 * wait in, close by CloseHandle, duplicate, use handles that were just closed, and hand
 * sockets to child processes, all in random order from a seed that is printed.
 *
 *   handles [--seed N] [--rounds N]     exit status 0: all was as it should be
 *
 * In the end no handle may be left over. */

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <winternl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 16

static volatile LONG failures, connections, children, wrong_uses;
static unsigned int rounds = 60, seed;
static char *program;

#define check( cond, ... ) \
    do { if (!(cond)) { InterlockedIncrement( &failures ); printf( "line %d: ", __LINE__ ); printf( __VA_ARGS__ ); } } while (0)

struct random
{
    unsigned int state;
};

static unsigned int draw( struct random *random, unsigned int below )
{
    random->state = random->state * 1664525u + 1013904223u;
    return (random->state >> 8) % below;
}

/* Shared by whoever makes handles, exclusive for who closes one that another thread is about to use: a
 * thread that comes late must find a dead value, not somebody else's socket. */
static SRWLOCK values = SRWLOCK_INIT;

/* ---- a connection ---- */

struct pair
{
    SOCKET       a, b;
    unsigned int token;
};

static BOOL make_listener( SOCKET *listener, struct sockaddr_in *addr )
{
    int len = sizeof(*addr);

    memset( addr, 0, sizeof(*addr) );
    addr->sin_family = AF_INET;
    addr->sin_addr.s_addr = htonl( INADDR_LOOPBACK );
    *listener = socket( AF_INET, SOCK_STREAM, 0 );
    return *listener != INVALID_SOCKET && !bind( *listener, (struct sockaddr *)addr, len ) &&
           !listen( *listener, 5 ) && !getsockname( *listener, (struct sockaddr *)addr, &len );
}

static BOOL make_pair( struct pair *pair, unsigned int token )
{
    struct sockaddr_in addr;
    SOCKET listener;
    BOOL ret;

    AcquireSRWLockShared( &values );
    pair->token = token;
    pair->a = pair->b = INVALID_SOCKET;
    ret = make_listener( &listener, &addr );
    check( ret, "listener: error %d\n", WSAGetLastError() );
    pair->a = socket( AF_INET, SOCK_STREAM, 0 );
    ret = ret && !connect( pair->a, (struct sockaddr *)&addr, sizeof(addr) );
    check( ret, "connect: error %d\n", WSAGetLastError() );
    if (ret) pair->b = accept( listener, NULL, NULL );
    check( pair->b != INVALID_SOCKET, "accept: error %d\n", WSAGetLastError() );
    closesocket( listener );
    ReleaseSRWLockShared( &values );
    InterlockedIncrement( &connections );
    return pair->b != INVALID_SOCKET;
}

/* one token each way: it must be this connection's */
static void exchange_tokens( SOCKET a, SOCKET b, unsigned int token )
{
    unsigned int got = 0;
    int ret;

    ret = send( a, (char *)&token, sizeof(token), 0 );
    check( ret == sizeof(token), "send: %d, error %d\n", ret, WSAGetLastError() );
    ret = recv( b, (char *)&got, sizeof(got), MSG_WAITALL );
    check( ret == sizeof(got) && got == token, "recv: %d, error %d, token %#x instead of %#x\n", ret, WSAGetLastError(), got, token );
    token = ~token;
    ret = send( b, (char *)&token, sizeof(token), 0 );
    check( ret == sizeof(token), "send: %d, error %d\n", ret, WSAGetLastError() );
    ret = recv( a, (char *)&got, sizeof(got), MSG_WAITALL );
    check( ret == sizeof(got) && got == token, "recv: %d, error %d, token %#x instead of %#x\n", ret, WSAGetLastError(), got, token );
}

/* the peer is gone: a FIN, or a reset, but no time-out and no data */
static void expect_end( SOCKET s )
{
    DWORD timeout = 10000;
    char c;
    int ret;

    setsockopt( s, SOL_SOCKET, SO_RCVTIMEO, (char *)&timeout, sizeof(timeout) );
    ret = recv( s, &c, 1, 0 );
    check( !ret || (ret == -1 && WSAGetLastError() == WSAECONNRESET), "end: %d, error %d\n", ret, WSAGetLastError() );
}

/* ---- what a thread does with one ---- */

static void end_plainly( struct pair *pair, struct random *random )
{
    (void)random;
    exchange_tokens( pair->a, pair->b, pair->token );
    check( !closesocket( pair->a ), "closesocket: error %d\n", WSAGetLastError() );
    expect_end( pair->b );
    check( !closesocket( pair->b ), "closesocket: error %d\n", WSAGetLastError() );
}

static void end_by_closehandle( struct pair *pair, struct random *random )
{
    (void)random;
    exchange_tokens( pair->a, pair->b, pair->token );
    check( CloseHandle( (HANDLE)pair->a ), "CloseHandle: error %lu\n", GetLastError() );
    expect_end( pair->b );
    check( CloseHandle( (HANDLE)pair->b ), "CloseHandle: error %lu\n", GetLastError() );
}

/* the duplicate goes on after the first handle has gone, and no end is seen until it goes, too */
static void end_duplicated( struct pair *pair, struct random *random )
{
    HANDLE duplicate;
    BOOL ret;

    ret = DuplicateHandle( GetCurrentProcess(), (HANDLE)pair->a, GetCurrentProcess(), &duplicate, 0, FALSE,
                           DUPLICATE_SAME_ACCESS | (draw( random, 2 ) ? DUPLICATE_CLOSE_SOURCE : 0) );
    check( ret, "DuplicateHandle: error %lu\n", GetLastError() );
    closesocket( pair->a );             /* perhaps closed already: fails then, no other thread makes handles now */
    exchange_tokens( (SOCKET)duplicate, pair->b, pair->token );
    closesocket( (SOCKET)duplicate );
    expect_end( pair->b );
    closesocket( pair->b );
}

static DWORD WINAPI blocked_receiver( void *arg )
{
    SOCKET s = (SOCKET)arg;
    char c;
    int ret = recv( s, &c, 1, 0 );

    check( ret == -1 && (WSAGetLastError() == WSAEINTR || WSAGetLastError() == WSAENOTSOCK || WSAGetLastError() == WSAECONNABORTED),
           "blocked recv: %d, error %d\n", ret, WSAGetLastError() );
    return 0;
}

static void end_under_a_receiver( struct pair *pair, struct random *random )
{
    HANDLE thread;

    exchange_tokens( pair->a, pair->b, pair->token );
    AcquireSRWLockExclusive( &values );
    thread = CreateThread( NULL, 0, blocked_receiver, (void *)pair->a, 0, NULL );
    Sleep( draw( random, 5 ) );
    closesocket( pair->a );
    check( !WaitForSingleObject( thread, 10000 ), "a receiver outlives its socket\n" );
    CloseHandle( thread );
    ReleaseSRWLockExclusive( &values );
    expect_end( pair->b );
    closesocket( pair->b );
}

/* a child uses what it inherited at once; both of us hold the socket */
static void end_with_a_child( struct pair *pair, struct random *random )
{
    STARTUPINFOA startup = { .cb = sizeof(startup) };
    PROCESS_INFORMATION info;
    char command[MAX_PATH + 64];
    unsigned int got;
    DWORD code = 1;
    int ret;

    if (draw( random, 8 ))
    {
        end_plainly( pair, random );
        return;
    }
    sprintf( command, "\"%s\" --child %Iu %u", program, (size_t)pair->a, pair->token );
    ret = CreateProcessA( NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info );
    check( ret, "CreateProcess: error %lu\n", GetLastError() );
    if (draw( random, 2 )) closesocket( pair->a );
    ret = recv( pair->b, (char *)&got, sizeof(got), MSG_WAITALL );
    check( ret == sizeof(got) && got == pair->token, "from the child: %d, error %d, token %#x instead of %#x\n",
           ret, WSAGetLastError(), got, pair->token );
    check( !WaitForSingleObject( info.hProcess, 30000 ), "the child does not end\n" );
    GetExitCodeProcess( info.hProcess, &code );
    check( !code, "the child says %lu\n", code );
    CloseHandle( info.hThread );
    CloseHandle( info.hProcess );
    closesocket( pair->a );
    closesocket( pair->b );
    InterlockedIncrement( &children );
}

static int child( SOCKET s, unsigned int token )
{
    return send( s, (char *)&token, sizeof(token), 0 ) == sizeof(token) ? 0 : WSAGetLastError();
}

static DWORD WINAPI worker( void *arg )
{
    static void (* const ends[])( struct pair *pair, struct random *random ) =
        { end_plainly, end_by_closehandle, end_under_a_receiver };
    struct random random = { seed * 7919 + (unsigned int)(ULONG_PTR)arg };
    unsigned int i, token;
    struct pair pair;

    for (i = 0; i < rounds; i++)
    {
        token = (unsigned int)(ULONG_PTR)arg << 16 | i;
        if (make_pair( &pair, token )) ends[draw( &random, ARRAYSIZE( ends ) )]( &pair, &random );
    }
    return 0;
}

/* Never a crash, never a success on a dead handle, while others make and close sockets: values of files and
 * events only, since a socket's value may be another thread's socket by now. */
static DWORD WINAPI misuser( void *arg )
{
    volatile LONG *stop = arg;
    HANDLE event;
    char c;

    while (!*stop)
    {
        AcquireSRWLockShared( &values );
        event = CreateEventA( NULL, FALSE, FALSE, NULL );
        check( recv( (SOCKET)event, &c, 1, 0 ) == -1 && WSAGetLastError() == WSAENOTSOCK, "an event is a socket\n" );
        check( closesocket( (SOCKET)event ) == -1 && WSAGetLastError() == WSAENOTSOCK, "an event is closed as a socket\n" );
        check( CloseHandle( event ), "the event is gone: error %lu\n", GetLastError() );
        ReleaseSRWLockShared( &values );
        InterlockedIncrement( &wrong_uses );
        Sleep( 1 );
    }
    return 0;
}

static void run_threads(void)
{
    HANDLE threads[THREADS], misusing;
    volatile LONG stop = 0;
    unsigned int i;

    misusing = CreateThread( NULL, 0, misuser, (void *)&stop, 0, NULL );
    for (i = 0; i < THREADS; i++) threads[i] = CreateThread( NULL, 0, worker, (void *)(ULONG_PTR)(i + 1), 0, NULL );
    check( WaitForMultipleObjects( THREADS, threads, TRUE, 240000 ) < THREADS, "the threads do not end\n" );
    stop = 1;
    check( !WaitForSingleObject( misusing, 10000 ), "the misuser does not end\n" );
    for (i = 0; i < THREADS; i++) CloseHandle( threads[i] );
    CloseHandle( misusing );
}

/* what only one thread may do: values that are closed twice would be another thread's */
static void run_alone(void)
{
    static void (* const ends[])( struct pair *pair, struct random *random ) = { end_duplicated, end_with_a_child };
    struct random random = { seed };
    struct pair pair;
    unsigned int i;

    for (i = 0; i < rounds; i++)
        if (make_pair( &pair, 0x10000000 + i )) ends[draw( &random, ARRAYSIZE( ends ) )]( &pair, &random );
}

/* not every Windows counts them for us */
static DWORD handle_count(void)
{
    DWORD count = 0, flags;
    ULONG_PTR value;

    for (value = 4; value < 0x8000; value += 4)
        if (GetHandleInformation( (HANDLE)value, &flags )) count++;
    return count;
}

int main( int argc, char *argv[] )
{
    DWORD before, after;
    WSADATA data;
    int i;

    setvbuf( stdout, NULL, _IONBF, 0 );
    program = argv[0];
    if (WSAStartup( MAKEWORD( 2, 2 ), &data )) return 3;
    if (argc == 4 && !strcmp( argv[1], "--child" )) return child( (SOCKET)_strtoui64( argv[2], NULL, 10 ), strtoul( argv[3], NULL, 10 ) );

    seed = GetTickCount();
    for (i = 1; i + 1 < argc; i += 2)
    {
        if (!strcmp( argv[i], "--seed" )) seed = strtoul( argv[i + 1], NULL, 10 );
        if (!strcmp( argv[i], "--rounds" )) rounds = strtoul( argv[i + 1], NULL, 10 );
    }
    printf( "seed %u, rounds %u\n", seed, rounds );

    run_alone();                        /* also warms up what Windows keeps open */
    before = handle_count();
    run_threads();
    run_alone();
    after = handle_count();
    check( after <= before + 4, "handles left over: %lu before, %lu after\n", before, after );

    printf( "%ld connections, %ld children, %ld wrong uses; handles %lu before, %lu after\n",
            connections, children, wrong_uses, before, after );
    printf( "%d passed, %ld failed\n", failures ? 0 : 1, failures );
    return failures != 0;
}
