/*
 * Overlapped operations under everything at once: each ends exactly once
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

/* Pairs of connected sockets at one completion port. Threads draw a pair at random and post receives and sends on it, cancel
 * them, shut it down, reset it, close it and make another in its place, while others take the packets. Every operation is
 * an object of its own that counts its ends, and is checked and freed at the first. Then all is closed, and nothing may
 * be left: no operation, no handle. */

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>

#define PAIRS     64
#define POSTERS   4
#define TAKERS    2
#define SECONDS   12
#define MAX_DATA  20000
#define MAX_OPEN  6             /* operations of a kind at once on one end */

struct end
{
    SOCKET        s;
};

struct pair
{
    CRITICAL_SECTION lock;
    struct end       ends[2];
    struct conn     *conn;
};

/* one connection's life: operations of it may end after its sockets have been replaced */
struct conn
{
    volatile LONG refs;
    volatile LONG open[2][2];
};

struct op
{
    OVERLAPPED    overlapped;
    WSABUF        buf;
    DWORD         flags;
    struct conn  *conn;
    int           end, kind;
    volatile LONG ends;
    char          data[1];
};

enum { RECEIVE, SEND };

static struct pair pairs[PAIRS];
static HANDLE port;
static SOCKET listener;
static struct sockaddr_in listen_addr;
static CRITICAL_SECTION connect_lock;
static volatile LONG posted, at_once_failed, ended, failures, stop, bytes[2], live;

static void fail( const char *what, int error )
{
    if (InterlockedIncrement( &failures ) <= 20) printf( "%s, error %d\n", what, error );
}

static unsigned int draw( unsigned int *seed, unsigned int limit )
{
    *seed = *seed * 1103515245 + 12345;
    return (*seed >> 16) % limit;
}

static void release( struct conn *conn )
{
    if (!InterlockedDecrement( &conn->refs )) free( conn );
}

/* ---- pairs ---- */

static int connect_pair( struct pair *pair )
{
    SOCKET client, server;
    int i;

    EnterCriticalSection( &connect_lock );
    client = WSASocketW( AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED );
    if (connect( client, (struct sockaddr *)&listen_addr, sizeof(listen_addr) )) fail( "connect", WSAGetLastError() );
    server = accept( listener, NULL, NULL );
    LeaveCriticalSection( &connect_lock );
    if (client == INVALID_SOCKET || server == INVALID_SOCKET)
    {
        fail( "no pair", WSAGetLastError() );
        return 0;
    }
    pair->ends[0].s = client;
    pair->ends[1].s = server;
    if (!(pair->conn = calloc( 1, sizeof(*pair->conn) ))) return 0;
    pair->conn->refs = 1;
    for (i = 0; i < 2; i++)
        if (!CreateIoCompletionPort( (HANDLE)pair->ends[i].s, port, 77, 0 )) fail( "no port", GetLastError() );
    return 1;
}

static void close_pair( struct pair *pair, int abortive, int with_handle )
{
    struct linger linger = { 1, 0 };
    int i;

    for (i = 0; i < 2; i++)
    {
        if (abortive) setsockopt( pair->ends[i].s, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) );
        if (with_handle) CloseHandle( (HANDLE)pair->ends[i].s );
        else closesocket( pair->ends[i].s );
    }
    release( pair->conn );
}

/* ---- operations ---- */

static struct op *new_op( struct pair *pair, int end, int kind, DWORD len )
{
    struct op *op = calloc( 1, sizeof(*op) + len );

    op->buf.buf = op->data;
    op->buf.len = len;
    op->conn = pair->conn;
    op->end = end;
    op->kind = kind;
    memset( op->data, kind == SEND ? 'd' : 'e', len );
    InterlockedIncrement( &pair->conn->refs );
    InterlockedIncrement( &pair->conn->open[end][kind] );
    InterlockedIncrement( &live );
    return op;
}

static void end_op( struct op *op )
{
    if (InterlockedIncrement( &op->ends ) != 1) fail( "an operation ended twice", 0 );
    InterlockedDecrement( &op->conn->open[op->end][op->kind] );
    InterlockedDecrement( &live );
    release( op->conn );
    free( op );
}

/* under the pair's lock */
static void post( struct pair *pair, int end, int kind, DWORD len )
{
    struct op *op;
    int ret, error;

    if (pair->conn->open[end][kind] >= MAX_OPEN) return;
    op = new_op( pair, end, kind, len );
    if (kind == SEND) ret = WSASend( pair->ends[end].s, &op->buf, 1, NULL, 0, &op->overlapped, NULL );
    else ret = WSARecv( pair->ends[end].s, &op->buf, 1, NULL, &op->flags, &op->overlapped, NULL );
    error = WSAGetLastError();
    if (!ret || error == WSA_IO_PENDING)
    {
        InterlockedIncrement( &posted );
        return;
    }
    switch (error)
    {
    case WSAECONNRESET:
    case WSAECONNABORTED:
    case WSAESHUTDOWN:
    case WSAENOTCONN:
        break;
    default:
        fail( kind == SEND ? "WSASend" : "WSARecv", error );
    }
    InterlockedIncrement( &at_once_failed );
    end_op( op );
}

static void step( struct pair *pair, unsigned int *seed )
{
    int end = draw( seed, 2 ), what = draw( seed, 200 );

    if (what < 90) post( pair, end, RECEIVE, draw( seed, 8 ) ? 1 + draw( seed, MAX_DATA ) : 0 );
    else if (what < 180) post( pair, end, SEND, 1 + draw( seed, MAX_DATA ) );
    else if (what < 188) CancelIoEx( (HANDLE)pair->ends[end].s, NULL );
    else if (what < 190) CancelIo( (HANDLE)pair->ends[end].s );
    else if (what < 193) shutdown( pair->ends[end].s, draw( seed, 3 ) );
    else if (what < 198)
    {
        close_pair( pair, draw( seed, 2 ), !draw( seed, 4 ) );
        if (!connect_pair( pair )) InterlockedExchange( &stop, 1 );
    }
}

static DWORD WINAPI poster( void *arg )
{
    unsigned int seed = (unsigned int)(ULONG_PTR)arg * 7919 + 1;
    struct pair *pair;

    while (!stop)
    {
        pair = &pairs[draw( &seed, PAIRS )];
        EnterCriticalSection( &pair->lock );
        step( pair, &seed );
        LeaveCriticalSection( &pair->lock );
        if (!draw( &seed, 50 )) Sleep( 1 );
        /* a thread's end cancels what it has posted */
        if (!draw( &seed, 20000 )) break;
    }
    return 0;
}

static int data_is_right( const struct op *op, DWORD count )
{
    DWORD i;

    for (i = 0; i < count; i++) if (op->data[i] != 'd') return 0;
    for (; i < op->buf.len && i < count + 16; i++) if (op->data[i] != 'e') return 0;
    return 1;
}

static DWORD WINAPI taker( void *arg )
{
    OVERLAPPED *overlapped;
    struct op *op;
    ULONG_PTR key;
    DWORD count;

    (void)arg;
    for (;;)
    {
        overlapped = NULL;
        GetQueuedCompletionStatus( port, &count, &key, &overlapped, 200 );
        if (!overlapped)
        {
            if (stop > 1) return 0;
            continue;
        }
        op = CONTAINING_RECORD( overlapped, struct op, overlapped );
        if (key != 77) fail( "wrong key", (int)key );
        if (count > op->buf.len) fail( "more bytes than the buffer has", count );
        if (count != op->overlapped.InternalHigh) fail( "two counts", count );
        if (op->kind == RECEIVE && !data_is_right( op, count )) fail( "wrong data", count );
        InterlockedExchangeAdd( &bytes[op->kind], count / 1000 );
        InterlockedIncrement( &ended );
        end_op( op );
    }
}

int main(void)
{
    HANDLE posters[POSTERS], takers[TAKERS];
    DWORD handles, after, start = GetTickCount(), tid;
    int len = sizeof(listen_addr), i, n = 0;
    WSADATA data;

    setvbuf( stdout, NULL, _IONBF, 0 );
    WSAStartup( MAKEWORD( 2, 2 ), &data );
    InitializeCriticalSection( &connect_lock );
    port = CreateIoCompletionPort( INVALID_HANDLE_VALUE, NULL, 0, 0 );
    listener = socket( AF_INET, SOCK_STREAM, 0 );
    listen_addr.sin_family = AF_INET;
    listen_addr.sin_addr.s_addr = htonl( INADDR_LOOPBACK );
    bind( listener, (struct sockaddr *)&listen_addr, sizeof(listen_addr) );
    getsockname( listener, (struct sockaddr *)&listen_addr, &len );
    listen( listener, SOMAXCONN );

    for (i = 0; i < PAIRS; i++)
    {
        InitializeCriticalSection( &pairs[i].lock );
        if (!connect_pair( &pairs[i] )) return 1;
    }
    for (i = 0; i < TAKERS; i++) takers[i] = CreateThread( NULL, 0, taker, NULL, 0, &tid );
    for (i = 0; i < POSTERS; i++) posters[i] = CreateThread( NULL, 0, poster, (void *)(ULONG_PTR)++n, 0, &tid );
    Sleep( 1000 );
    GetProcessHandleCount( GetCurrentProcess(), &handles );
    while (GetTickCount() - start < SECONDS * 1000 && !failures && !stop)
    {
        i = WaitForMultipleObjects( POSTERS, posters, FALSE, 100 );
        if (i >= POSTERS) continue;
        CloseHandle( posters[i] );
        posters[i] = CreateThread( NULL, 0, poster, (void *)(ULONG_PTR)++n, 0, &tid );
    }
    InterlockedExchange( &stop, 1 );
    if (WaitForMultipleObjects( POSTERS, posters, TRUE, 20000 ) == WAIT_TIMEOUT) fail( "threads that post hang", 0 );
    GetProcessHandleCount( GetCurrentProcess(), &after );
    if (after > handles + 20) fail( "handles leak", after );
    for (i = 0; i < PAIRS; i++) close_pair( &pairs[i], i % 2, i % 3 == 0 );
    for (i = 0; i < 200 && live; i++) Sleep( 50 );
    if (live) fail( "operations did not end", live );
    InterlockedExchange( &stop, 2 );
    if (WaitForMultipleObjects( TAKERS, takers, TRUE, 20000 ) == WAIT_TIMEOUT) fail( "threads that take hang", 0 );
    if (posted != ended) fail( "not as many ends as operations", posted - ended );
    printf( "%ld operations, %ld refused at once, %d threads, %ld kB sent, %ld kB received; handles %lu, then %lu\n",
            posted, at_once_failed, n, bytes[SEND], bytes[RECEIVE], handles, after );
    printf( "%ld passed, %ld failed\n", posted - failures, failures );
    return failures != 0;
}
