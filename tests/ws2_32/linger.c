/*
 * Closing: SO_LINGER's four cases, with peers that read, read slowly, never read, or are gone
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

#include "util.h"

static BOOL on_wine(void)
{
    return !strcmp( winetest_platform, "wine" );
}

/* Where stock Wine's server closes the last handle, it stands still for that time, and everybody with it: kept short. */
static int seconds_for( int seconds )
{
    return on_wine() ? 1 : seconds;
}

static void set_linger( SOCKET s, int onoff, int seconds )
{
    struct linger linger = { onoff, seconds };

    check_ok( setsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) ) );
}

/* A connection over which little can be under way, full; the client is blocking. How much was sent. */
static DWORD full_pair( SOCKET *client, SOCKET *server )
{
    int small = 8192;
    union address addr;
    SOCKET listener = socket_bound( AF_INET, SOCK_STREAM, &addr );
    DWORD sent;

    check_ok( setsockopt( listener, SOL_SOCKET, SO_RCVBUF, (char *)&small, sizeof(small) ) );
    check_ok( listen( listener, 1 ) );
    *client = socket_new( AF_INET, SOCK_STREAM );
    check_ok( setsockopt( *client, SOL_SOCKET, SO_SNDBUF, (char *)&small, sizeof(small) ) );
    check_ok( connect( *client, &addr.sa, sizeof(addr.in) ) );
    *server = socket_accepted( listener );
    closesocket( listener );
    sent = fill_send_buffers( *client );
    socket_set_nonblocking( *client, FALSE );
    return sent;
}

/* ---- a peer that reads, in a thread ---- */

struct reader
{
    SOCKET s;
    DWORD  delay;           /* ms before it begins */
    DWORD  pause;           /* ms between reads */
    DWORD  total;           /* out: bytes */
    int    error;           /* out: of the last read, 0: the end of the stream */
};

static DWORD WINAPI reader_thread( void *arg )
{
    struct reader *reader = arg;
    char buffer[4096];
    int ret;

    Sleep( reader->delay );
    while ((ret = recv( reader->s, buffer, sizeof(buffer), 0 )) > 0)
    {
        reader->total += ret;
        if (reader->pause) Sleep( reader->pause );
    }
    reader->error = ret ? WSAGetLastError() : 0;
    return 0;
}

static DWORD WINAPI reset_thread( void *arg )
{
    Sleep( 200 );
    socket_reset( (SOCKET)arg );
    return 0;
}

/* how long it took, ms */
static DWORD timed_close( SOCKET s )
{
    DWORD ticks = GetTickCount();

    check_ok( closesocket( s ) );
    return GetTickCount() - ticks;
}

/* everything up to the end, which is this one */
static void check_rest_( int line, SOCKET s, DWORD expected, int error )
{
    struct reader reader = { .s = s };

    reader_thread( &reader );
    ok_(__FILE__, line)( reader.error == error, "got error %d\n", reader.error );
    if (error) ok_(__FILE__, line)( reader.total < expected, "got all %lu bytes\n", reader.total );
    else ok_(__FILE__, line)( reader.total == expected, "got %lu bytes of %lu\n", reader.total, expected );
}
#define check_rest( s, expected, error ) check_rest_( __LINE__, s, expected, error )

/* ---- off, and {1,0} ---- */

static void test_off(void)
{
    SOCKET client, server;
    DWORD sent, ticks;

    sent = full_pair( &client, &server );
    ticks = timed_close( client );
    ok( ticks < 1000, "closesocket took %lu ms\n", ticks );
    Sleep( 100 );
    check_rest( server, sent, 0 );
    closesocket( server );

    /* a time without "on" means nothing */
    sent = full_pair( &client, &server );
    set_linger( client, 0, 5 );
    ticks = timed_close( client );
    ok( ticks < 1000, "closesocket took %lu ms\n", ticks );
    check_rest( server, sent, 0 );
    closesocket( server );

    /* non-blocking: the same */
    sent = full_pair( &client, &server );
    socket_set_nonblocking( client, TRUE );
    ticks = timed_close( client );
    ok( ticks < 1000, "closesocket took %lu ms\n", ticks );
    check_rest( server, sent, 0 );
    closesocket( server );
}

static void test_hard( BOOL nonblocking )
{
    SOCKET client, server;
    DWORD sent, ticks;

    winetest_push_context( "non-blocking %d", nonblocking );
    sent = full_pair( &client, &server );
    if (nonblocking) socket_set_nonblocking( client, TRUE );
    set_linger( client, 1, 0 );
    ticks = timed_close( client );
    ok( ticks < 1000, "closesocket took %lu ms\n", ticks );
    flaky_wine check_rest( server, sent, WSAECONNRESET );
    closesocket( server );

    /* nothing unsent: a reset all the same */
    tcp_pair( &client, &server );
    if (nonblocking) socket_set_nonblocking( client, TRUE );
    set_linger( client, 1, 0 );
    check_ok( closesocket( client ) );
    flaky_wine check_reset( server );
    closesocket( server );
    winetest_pop_context();
}

/* an accepted socket has its listener's */
static void test_accepted(void)
{
    union address addr;
    SOCKET listener = socket_listening( AF_INET, &addr ), client, server;
    struct linger linger = { 0 };
    int len = sizeof(linger);

    set_linger( listener, 1, 0 );
    client = socket_connecting( &addr );
    server = socket_accepted( listener );
    check_ok( getsockopt( server, SOL_SOCKET, SO_LINGER, (char *)&linger, &len ) );
    ok( linger.l_onoff == 1 && !linger.l_linger, "got %d, %d\n", linger.l_onoff, linger.l_linger );
    check_ok( closesocket( server ) );
    flaky_wine check_reset( client );
    closesocket( client );
    check_ok( closesocket( listener ) );
}

/* several handles: only the last close acts */
static void test_hard_duplicate(void)
{
    SOCKET client, server, other;
    HANDLE handle;

    tcp_pair( &client, &server );
    set_linger( client, 1, 0 );
    ok( DuplicateHandle( GetCurrentProcess(), (HANDLE)client, GetCurrentProcess(), &handle, 0, FALSE, DUPLICATE_SAME_ACCESS ),
        "DuplicateHandle failed with %lu\n", GetLastError() );
    other = (SOCKET)handle;
    check_ok( closesocket( client ) );
    socket_set_timeout( server, 100 );
    check_error( recv( server, (char *)&client, 1, 0 ), WSAETIMEDOUT );
    flaky_wine check_int( send( other, "abc", 3, 0 ), 3 );
    flaky_wine recv_exactly( server, "abc", 3 );
    flaky_wine check_ok( closesocket( other ) );
    flaky_wine check_reset( server );
    closesocket( server );
}

/* ---- {1,n}, blocking ---- */

/* before: what happens to the socket before it is closed */
static void test_wait( const char *what, void (*before)( SOCKET s ), DWORD pause )
{
    const DWORD seconds = seconds_for( 10 );
    struct reader reader = { .delay = 300, .pause = pause };
    SOCKET client, server;
    DWORD sent, ticks;
    HANDLE thread;

    winetest_push_context( "%s", what );
    sent = full_pair( &client, &server );
    if (before) before( client );
    set_linger( client, 1, seconds );
    reader.s = server;
    thread = thread_start( reader_thread, &reader );
    ticks = timed_close( client );
    /* it returns when all has been sent */
    ok( ticks >= 200, "closesocket took %lu ms\n", ticks );
    flaky_wine ok( ticks < seconds * 900, "closesocket took %lu ms\n", ticks );
    thread_end( thread );
    ok( !reader.error && reader.total == sent, "got %lu bytes of %lu, error %d\n", reader.total, sent, reader.error );
    closesocket( server );
    winetest_pop_context();
}

/* the socket has been a child's, too */
static void give_to_child( SOCKET s )
{
    HANDLE process;
    char args[32];

    sprintf( args, "child %lu", (unsigned long)s );
    process = child_start( args, NULL );
    ok( !WaitForSingleObject( process, 10000 ), "the child does not end\n" );
    CloseHandle( process );
}

static void duplicate_and_close( SOCKET s )
{
    HANDLE handle;

    ok( DuplicateHandle( GetCurrentProcess(), (HANDLE)s, GetCurrentProcess(), &handle, 0, FALSE, DUPLICATE_SAME_ACCESS ),
        "DuplicateHandle failed with %lu\n", GetLastError() );
    CloseHandle( handle );
}

/* nobody reads: n seconds, then the connection is broken */
static void test_expires(void)
{
    SOCKET client, server;
    DWORD sent, ticks;

    sent = full_pair( &client, &server );
    set_linger( client, 1, 1 );
    ticks = timed_close( client );
    ok( ticks >= 800 && ticks < 5000, "closesocket took %lu ms\n", ticks );
    todo_wine check_rest( server, sent, WSAECONNRESET );
    closesocket( server );
}

static void test_nothing_unsent(void)
{
    SOCKET client, server;
    DWORD ticks;

    tcp_pair( &client, &server );
    check_int( send( client, "abc", 3, 0 ), 3 );
    recv_exactly( server, "abc", 3 );
    set_linger( client, 1, 10 );
    ticks = timed_close( client );
    ok( ticks < 3000, "closesocket took %lu ms\n", ticks );
    check_closed( server );
    closesocket( server );

    /* that the peer goes on sending is of no interest */
    tcp_pair( &client, &server );
    check_ok( shutdown( client, SD_SEND ) );
    check_closed( server );
    set_linger( client, 1, 10 );
    ticks = timed_close( client );
    ok( ticks < 3000, "closesocket took %lu ms\n", ticks );
    closesocket( server );

    /* nor a socket that was never connected */
    client = socket_new( AF_INET, SOCK_STREAM );
    set_linger( client, 1, 10 );
    ticks = timed_close( client );
    ok( ticks < 3000, "closesocket took %lu ms\n", ticks );
}

static void test_gone(void)
{
    const DWORD seconds = seconds_for( 10 );
    SOCKET client, server;
    HANDLE thread;
    DWORD ticks;

    /* before */
    full_pair( &client, &server );
    set_linger( client, 1, seconds );
    socket_reset( server );
    Sleep( 50 );
    ticks = timed_close( client );
    ok( ticks < 900, "closesocket took %lu ms\n", ticks );

    /* meanwhile */
    full_pair( &client, &server );
    set_linger( client, 1, seconds );
    thread = thread_start( reset_thread, (void *)server );
    ticks = timed_close( client );
    flaky_wine ok( ticks < seconds * 900, "closesocket took %lu ms\n", ticks );
    thread_end( thread );
}

/* ---- the wait is alertable ---- */

static DWORD apc_ticks;

static void CALLBACK apc( ULONG_PTR arg )
{
    (void)arg;
    apc_ticks = GetTickCount();
}

static DWORD WINAPI apc_thread( void *arg )
{
    Sleep( 200 );
    return QueueUserAPC( apc, (HANDLE)arg, 0 );
}

static void test_alertable(void)
{
    DWORD start = GetTickCount(), end;
    SOCKET client, server;
    HANDLE thread, self;

    DuplicateHandle( GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &self, 0, FALSE, DUPLICATE_SAME_ACCESS );
    full_pair( &client, &server );
    set_linger( client, 1, 1 );
    apc_ticks = 0;
    start = GetTickCount();
    thread = thread_start( apc_thread, self );
    timed_close( client );
    end = GetTickCount();
    thread_end( thread );
    todo_wine ok( apc_ticks && apc_ticks - start < 800, "the APC ran after %ld ms\n", (long)(apc_ticks - start) );
    ok( end - start >= 800, "closesocket took %lu ms\n", end - start );
    SleepEx( 0, TRUE );
    CloseHandle( self );
    closesocket( server );
}

/* ---- {1,n}, non-blocking: refused while there is data ---- */

static void test_nonblocking(void)
{
    struct reader reader = { 0 };
    SOCKET client, server;
    char buffer[16];
    HANDLE thread;
    DWORD sent;
    int ret, i;

    sent = full_pair( &client, &server );
    socket_set_nonblocking( client, TRUE );
    set_linger( client, 1, seconds_for( 5 ) );
    ret = closesocket( client );
    todo_wine ok( ret == -1 && WSAGetLastError() == WSAEWOULDBLOCK, "closesocket returned %d, error %d\n", ret, WSAGetLastError() );
    if (!ret)
    {
        closesocket( server );
        return;
    }
    /* nothing has happened */
    check_error( closesocket( client ), WSAEWOULDBLOCK );
    check_int( send( server, "hello", 5, 0 ), 5 );
    ok( wait_readable( client, 2000 ), "nothing arrived\n" );
    check_int( recv( client, buffer, sizeof(buffer), 0 ), 5 );
    check_error( send( client, "x", 1, 0 ), WSAEWOULDBLOCK );

    /* when all has gone it is closed */
    reader.s = server;
    thread = thread_start( reader_thread, &reader );
    for (i = 0; i < 500; i++)
    {
        if (!(ret = closesocket( client ))) break;
        ok( WSAGetLastError() == WSAEWOULDBLOCK, "got error %d\n", WSAGetLastError() );
        Sleep( 10 );
    }
    ok( !ret, "it can't be closed\n" );
    thread_end( thread );
    ok( !reader.error && reader.total == sent, "got %lu bytes of %lu, error %d\n", reader.total, sent, reader.error );
    closesocket( server );
}

/* what makes it closable: no linger, a hard one, or to wait */
static void test_nonblocking_changed(void)
{
    SOCKET client, server;
    DWORD sent, ticks;
    int i;

    if (on_wine())
    {
        skip( "closed at the first try\n" );
        return;
    }
    for (i = 0; i < 3; i++)
    {
        winetest_push_context( "%d", i );
        sent = full_pair( &client, &server );
        socket_set_nonblocking( client, TRUE );
        set_linger( client, 1, 1 );
        check_error( closesocket( client ), WSAEWOULDBLOCK );
        if (!i) set_linger( client, 0, 0 );
        else if (i == 1) set_linger( client, 1, 0 );
        else socket_set_nonblocking( client, FALSE );
        ticks = timed_close( client );
        ok( i < 2 ? ticks < 800 : ticks >= 800, "closesocket took %lu ms\n", ticks );
        check_rest( server, sent, i ? WSAECONNRESET : 0 );
        closesocket( server );
        winetest_pop_context();
    }
}

/* ---- many at once ---- */

#define MANY 40

static DWORD WINAPI close_thread( void *arg )
{
    return timed_close( (SOCKET)arg );
}

/* They wait side by side, and nobody else waits with them. */
static void test_many(void)
{
    const unsigned count = on_wine() ? 1 : MANY;
    SOCKET clients[MANY], servers[MANY], client, server;
    HANDLE threads[MANY];
    DWORD ticks, start;
    unsigned i;

    for (i = 0; i < count; i++)
    {
        full_pair( &clients[i], &servers[i] );
        set_linger( clients[i], 1, seconds_for( 3 ) );
    }
    start = GetTickCount();
    for (i = 0; i < count; i++) threads[i] = thread_start( close_thread, (void *)clients[i] );
    Sleep( 100 );
    ticks = GetTickCount();
    for (i = 0; i < 20; i++)
    {
        tcp_pair( &client, &server );
        check_int( send( client, "abc", 3, 0 ), 3 );
        recv_exactly( server, "abc", 3 );
        check_ok( closesocket( client ) );
        check_closed( server );
        check_ok( closesocket( server ) );
    }
    ticks = GetTickCount() - ticks;
    flaky_wine ok( ticks < 2000, "others took %lu ms\n", ticks );
    for (i = 0; i < count; i++)
    {
        ticks = thread_end( threads[i] );
        ok( ticks >= 800 && ticks < 9000, "closesocket took %lu ms\n", ticks );
        closesocket( servers[i] );
    }
    ticks = GetTickCount() - start;
    ok( ticks < 9000, "all of them took %lu ms\n", ticks );
}

START_TEST(linger)
{
    char **argv;
    int argc = winetest_get_mainargs( &argv ), type, len = sizeof(type);
    WSADATA data;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    if (argc == 4)
    {
        /* the child: uses the socket, and ends with it */
        flaky_wine check_ok( getsockopt( strtoul( argv[3], NULL, 10 ), SOL_SOCKET, SO_TYPE, (char *)&type, &len ) );
        WSACleanup();
        return;
    }
    test_off();
    test_hard( FALSE );
    test_hard( TRUE );
    test_accepted();
    test_hard_duplicate();
    test_wait( "reads", NULL, 0 );
    test_wait( "reads slowly", NULL, 5 );
    test_wait( "given to a child", give_to_child, 0 );
    test_wait( "duplicated", duplicate_and_close, 0 );
    test_expires();
    test_nothing_unsent();
    test_gone();
    test_alertable();
    test_nonblocking();
    test_nonblocking_changed();
    test_many();
    WSACleanup();
}
