/*
 * Stress: sockets go on when the helper dies
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

/* What must not notice that the helper dies, again and again: tests/stress/helperkill runs this and kills
 * it. Streams of known bytes flow over ten connections; other threads make sockets, bind, listen,
 * connect, accept, set options, shut down, ask for names, close. Each call is counted with its failures.
 *
 *   helperkill [--seconds N] [--backlogs]     exit status 0: all was as it should be
 *
 * --backlogs: also non-blocking sends of more than the kernel takes, which the helper has to send on. */

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAMS  10
#define CALLERS  4
#define PATTERN  65521
#define PIECE    30000
#define BIG      (8 << 20)

/* what is counted: a line in the end */
enum call
{
    CALL_SOCKET, CALL_BIND, CALL_LISTEN, CALL_NAME, CALL_CONNECT, CALL_ACCEPT, CALL_PEER, CALL_OPTION, CALL_DATA, CALL_SHUTDOWN,
    CALL_END, CALL_CLOSE, CALL_STREAM, CALL_STREAM_END, CALL_BACKLOG, CALL_THREADS, CALLS
};

static const char * const call_names[CALLS] =
{
    "socket", "bind", "listen", "getsockname", "connect", "accept", "getpeername", "setsockopt, getsockopt",
    "token over a new connection", "shutdown", "end of stream", "closesocket", "piece of a stream",
    "end of a long stream", "send of a backlog", "end of the threads"
};

static volatile LONG counts[CALLS], failed[CALLS], stopping;
static LONG errors[CALLS];              /* the last failure's */
static unsigned int seconds = 10;
static char pattern[2 * PATTERN];

static BOOL count( enum call call, BOOL ok )
{
    int error = WSAGetLastError();

    InterlockedIncrement( &counts[call] );
    if (ok) return TRUE;
    if (InterlockedIncrement( &failed[call] ) <= 5) printf( "%s: error %d\n", call_names[call], error );
    errors[call] = error;
    return FALSE;
}

static void set_timeout( SOCKET s, DWORD ms )
{
    setsockopt( s, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof(ms) );
}

/* ---- calls that the helper takes part in ---- */

static BOOL make_listener( SOCKET *listener, struct sockaddr_in *addr )
{
    int len = sizeof(*addr);

    if (!count( CALL_SOCKET, (*listener = socket( AF_INET, SOCK_STREAM, 0 )) != INVALID_SOCKET )) return FALSE;
    if (count( CALL_BIND, !bind( *listener, (struct sockaddr *)addr, len ) ) &&
        count( CALL_NAME, !getsockname( *listener, (struct sockaddr *)addr, &len ) && addr->sin_port ) &&
        count( CALL_LISTEN, !listen( *listener, 5 ) )) return TRUE;
    closesocket( *listener );
    return FALSE;
}

/* FALSE: there is none */
static BOOL make_pair( SOCKET *a, SOCKET *b, struct sockaddr_in *addr )
{
    struct timeval limit = { 10, 0 };
    SOCKET listener;
    u_long on = 1;
    fd_set set;

    memset( addr, 0, sizeof(*addr) );
    addr->sin_family = AF_INET;
    addr->sin_addr.s_addr = htonl( INADDR_LOOPBACK );
    *a = *b = INVALID_SOCKET;
    if (!make_listener( &listener, addr )) return FALSE;
    if (count( CALL_SOCKET, (*a = socket( AF_INET, SOCK_STREAM, 0 )) != INVALID_SOCKET ) &&
        count( CALL_CONNECT, !connect( *a, (struct sockaddr *)addr, sizeof(*addr) ) ))
    {
        FD_ZERO( &set );
        FD_SET( listener, &set );
        /* a connection that gets lost shall be an error, not a call that never ends */
        ioctlsocket( listener, FIONBIO, &on );
        WSASetLastError( WSAETIMEDOUT );
        if (count( CALL_ACCEPT, select( 0, &set, NULL, NULL, &limit ) == 1 && (*b = accept( listener, NULL, NULL )) != INVALID_SOCKET ))
        {
            on = 0;
            count( CALL_OPTION, !ioctlsocket( *b, FIONBIO, &on ) );
            set_timeout( *a, 10000 );
            set_timeout( *b, 10000 );
        }
    }
    count( CALL_CLOSE, !closesocket( listener ) );
    if (*b == INVALID_SOCKET && *a != INVALID_SOCKET) closesocket( *a );
    return *b != INVALID_SOCKET;
}

static void use_options( SOCKET s )
{
    struct linger set = { 1, 5 }, got = { 0, 0 };
    int len = sizeof(got);

    count( CALL_OPTION, !setsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&set, sizeof(set) ) &&
                        !getsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&got, &len ) && got.l_onoff == 1 && got.l_linger == 5 );
    set.l_onoff = 0;
    count( CALL_OPTION, !setsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&set, sizeof(set) ) );
}

static void use_pair( SOCKET a, SOCKET b, const struct sockaddr_in *addr )
{
    struct sockaddr_in name;
    int len = sizeof(name);
    unsigned int token = GetTickCount(), got = 0;
    char c;

    use_options( a );
    count( CALL_PEER, !getpeername( a, (struct sockaddr *)&name, &len ) && name.sin_port == addr->sin_port );
    count( CALL_DATA, send( a, (char *)&token, sizeof(token), 0 ) == sizeof(token) &&
                      recv( b, (char *)&got, sizeof(got), MSG_WAITALL ) == sizeof(got) && got == token );
    count( CALL_SHUTDOWN, !shutdown( a, SD_SEND ) );
    count( CALL_END, !recv( b, &c, 1, 0 ) );
    count( CALL_SHUTDOWN, !shutdown( b, SD_RECEIVE ) );
    count( CALL_SHUTDOWN, recv( b, &c, 1, 0 ) == -1 && WSAGetLastError() == WSAESHUTDOWN );
}

static DWORD WINAPI caller( void *arg )
{
    struct sockaddr_in addr;
    SOCKET a, b;

    (void)arg;
    while (!stopping)
    {
        if (!make_pair( &a, &b, &addr )) continue;
        use_pair( a, b, &addr );
        count( CALL_CLOSE, !closesocket( b ) );
        count( CALL_CLOSE, !closesocket( a ) );
    }
    return 0;
}

/* ---- streams ---- */

struct stream
{
    SOCKET    s;
    ULONGLONG bytes;
};

static DWORD WINAPI stream_sender( void *arg )
{
    struct stream *stream = arg;
    ULONGLONG offset = 0;

    while (!stopping)
    {
        if (!count( CALL_STREAM, send( stream->s, pattern + offset % PATTERN, PIECE, 0 ) == PIECE )) break;
        offset += PIECE;
        Sleep( 1 );
    }
    count( CALL_SHUTDOWN, !shutdown( stream->s, SD_SEND ) );
    stream->bytes = offset;
    return 0;
}

static DWORD WINAPI stream_receiver( void *arg )
{
    struct stream *stream = arg;
    ULONGLONG offset = 0;
    char buffer[PIECE];
    int ret;

    while ((ret = recv( stream->s, buffer, sizeof(buffer), 0 )) > 0)
    {
        if (!count( CALL_STREAM, !memcmp( buffer, pattern + offset % PATTERN, ret ) )) break;
        offset += ret;
    }
    count( CALL_STREAM_END, !ret );
    stream->bytes = offset;
    return 0;
}

/* non-blocking sends of more than there is room for: they are taken whole */
static DWORD WINAPI backlog_sender( void *arg )
{
    struct stream *stream = arg;
    char *memory = malloc( BIG );
    WSAPOLLFD fd = { stream->s, POLLWRNORM, 0 };
    unsigned int i, part;
    ULONGLONG offset = 0;
    u_long on = 1;
    int ret;

    ioctlsocket( stream->s, FIONBIO, &on );
    while (!stopping)
    {
        for (i = 0; i < BIG; i += part)
        {
            part = PATTERN - (offset + i) % PATTERN;
            if (part > BIG - i) part = BIG - i;
            memcpy( memory + i, pattern + (offset + i) % PATTERN, part );
        }
        while ((ret = send( stream->s, memory, BIG, 0 )) == -1 && WSAGetLastError() == WSAEWOULDBLOCK) WSAPoll( &fd, 1, 1000 );
        if (!count( CALL_BACKLOG, ret == BIG )) break;
        offset += BIG;
    }
    count( CALL_SHUTDOWN, !shutdown( stream->s, SD_SEND ) );
    stream->bytes = offset;
    free( memory );
    return 0;
}

/* ---- all of it ---- */

static HANDLE threads[4 * STREAMS + CALLERS];
static unsigned int thread_count;

static void start( DWORD (WINAPI *func)( void * ), void *arg )
{
    threads[thread_count++] = CreateThread( NULL, 0, func, arg, 0, NULL );
}

int main( int argc, char *argv[] )
{
    static struct stream from[STREAMS], to[STREAMS];
    LONG all_failed = 0, all = 0;
    struct sockaddr_in addr;
    BOOL backlogs = FALSE;
    WSADATA data;
    int i;

    setvbuf( stdout, NULL, _IONBF, 0 );
    if (WSAStartup( MAKEWORD( 2, 2 ), &data )) return 3;
    for (i = 1; i < argc; i++)
    {
        if (!strcmp( argv[i], "--backlogs" )) backlogs = TRUE;
        if (!strcmp( argv[i], "--seconds" ) && i + 1 < argc) seconds = strtoul( argv[++i], NULL, 10 );
    }
    for (i = 0; i < 2 * PATTERN; i++) pattern[i] = (char)((i % PATTERN * 2654435761u) >> 24);

    for (i = 0; i < STREAMS; i++)
    {
        if (!make_pair( &from[i].s, &to[i].s, &addr )) return 3;
        start( backlogs && i % 2 ? backlog_sender : stream_sender, &from[i] );
        start( stream_receiver, &to[i] );
    }
    for (i = 0; i < CALLERS; i++) start( caller, NULL );
    /* whoever kills helpers may begin */
    printf( "running\n" );
    Sleep( seconds * 1000 );
    stopping = 1;
    WSASetLastError( WSAETIMEDOUT );
    count( CALL_THREADS, WaitForMultipleObjects( thread_count, threads, TRUE, 30000 ) < thread_count );
    for (i = 0; i < (int)thread_count; i++)
        if (WaitForSingleObject( threads[i], 0 )) printf( "thread %d has not ended\n", i );
    for (i = 0; i < STREAMS; i++)
    {
        if (from[i].bytes != to[i].bytes) printf( "stream %d: %I64u bytes sent, %I64u received\n", i, from[i].bytes, to[i].bytes );
        count( CALL_STREAM, from[i].bytes == to[i].bytes );
    }
    for (i = 0; i < CALLS; i++)
    {
        if (counts[i]) printf( "%8ld %-38s %6ld failed, with error %ld last\n", counts[i], call_names[i], failed[i], errors[i] );
        all += counts[i];
        all_failed += failed[i];
    }
    printf( "%ld passed, %ld failed\n", all - all_failed, all_failed );
    return all_failed != 0;
}
