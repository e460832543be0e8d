/*
 * Accepting connections, also by a condition function
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

#ifndef SOMAXCONN_HINT
#define SOMAXCONN_HINT(b) (-(b))
#endif

static void test_accept( int family )
{
    union address addr, peer, name;
    SOCKET listener, client, server;
    int len;

    winetest_push_context( "family %d", family );
    listener = socket_listening( family, &addr );

    client = socket_connecting( &addr );
    memset( &peer, 0xcc, sizeof(peer) );
    len = sizeof(peer);
    server = accept( listener, &peer.sa, &len );
    ok( server != INVALID_SOCKET, "accept: error %d\n", WSAGetLastError() );
    ok( len == address_len( family ), "got length %d\n", len );
    len = sizeof(name);
    check_ok( getsockname( client, &name.sa, &len ) );
    ok( !memcmp( &peer, &name, address_len( family ) ), "the address is not the client's\n" );
    check_int( send( client, "abc", 3, 0 ), 3 );
    recv_exactly( server, "abc", 3 );
    closesocket( client );
    closesocket( server );

    /* nobody wants the address */
    client = socket_connecting( &addr );
    len = 100;
    server = accept( listener, NULL, &len );
    ok( server != INVALID_SOCKET, "accept: error %d\n", WSAGetLastError() );
    closesocket( client );
    closesocket( server );

    closesocket( listener );
    winetest_pop_context();
}

/* the address does not fit: WSAEFAULT, and the connection can still be had */
static void test_short_address(void)
{
    SOCKET listener, client, server;
    union address addr, peer;
    int len;

    listener = socket_listening( AF_INET, &addr );
    client = socket_connecting( &addr );
    ok( wait_readable( listener, 1000 ), "no connection\n" );
    socket_set_nonblocking( listener, TRUE );
    len = sizeof(peer.in) - 1;
    check_error( accept( listener, &peer.sa, &len ), WSAEFAULT );
    len = 0;
    todo_wine check_error( accept( listener, &peer.sa, &len ), WSAEFAULT );
    len = sizeof(peer.in);
    server = accept( listener, &peer.sa, &len );
    todo_wine ok( server != INVALID_SOCKET, "accept: error %d\n", WSAGetLastError() );
    closesocket( server );
    closesocket( client );
    closesocket( listener );
}

static void test_errors(void)
{
    SOCKET s, client, server, listener;
    union address addr;
    char c;

    s = socket_new( AF_INET, SOCK_STREAM );
    check_error( accept( s, NULL, NULL ), WSAEINVAL );
    check_error( WSAAccept( s, NULL, NULL, NULL, 0 ), WSAEINVAL );
    closesocket( s );
    s = socket_bound( AF_INET, SOCK_STREAM, &addr );
    check_error( accept( s, NULL, NULL ), WSAEINVAL );
    closesocket( s );
    s = socket_bound( AF_INET, SOCK_DGRAM, &addr );
    check_error( accept( s, NULL, NULL ), WSAEOPNOTSUPP );
    closesocket( s );

    tcp_pair( &client, &server );
    check_error( accept( server, NULL, NULL ), WSAEINVAL );
    closesocket( client );
    closesocket( server );

    listener = socket_listening( AF_INET, &addr );
    socket_set_nonblocking( listener, TRUE );
    check_error( accept( listener, NULL, NULL ), WSAEWOULDBLOCK );
    check_error( WSAAccept( listener, NULL, NULL, NULL, 0 ), WSAEWOULDBLOCK );
    client = socket_connecting( &addr );
    ok( wait_readable( listener, 1000 ), "no connection\n" );
    server = accept( listener, NULL, NULL );
    ok( server != INVALID_SOCKET, "accept: error %d\n", WSAGetLastError() );
    check_error( accept( listener, NULL, NULL ), WSAEWOULDBLOCK );
    closesocket( server );
    closesocket( client );

    /* a closed listener leaves nobody waiting */
    client = socket_connecting( &addr );
    ok( wait_readable( listener, 1000 ), "no connection\n" );
    closesocket( listener );
    flaky_wine check_reset( client );
    flaky_wine check_error( recv( client, &c, 1, 0 ), WSAECONNRESET );
    closesocket( client );
    s = socket_new( AF_INET, SOCK_STREAM );
    check_error( connect( s, &addr.sa, sizeof(addr.in) ), WSAECONNREFUSED );
    closesocket( s );
}

static void piece_bad_pointers(void)
{
    SOCKET listener, client, server;
    union address addr, peer;
    int len = sizeof(peer);

    listener = socket_listening( AF_INET, &addr );
    client = socket_connecting( &addr );
    ok( wait_readable( listener, 1000 ), "no connection\n" );
    check_error( accept( listener, &peer.sa, bad_pointer() ), WSAEFAULT );
    closesocket( client );
    client = socket_connecting( &addr );
    check_error( accept( listener, bad_pointer(), &len ), WSAEFAULT );
    closesocket( client );

    /* they may have taken the connections, but the listener works on */
    while (wait_readable( listener, 50 )) closesocket( accept( listener, NULL, NULL ) );
    client = socket_connecting( &addr );
    server = socket_accepted( listener );
    closesocket( server );
    closesocket( client );
    closesocket( listener );
}

/* an accepted socket has the properties of its listener */
static void test_inherited(void)
{
    SOCKET listener, client, server;
    struct linger linger = { 1, 7 };
    union address addr;
    DWORD flags;
    int value, len;

    listener = socket_bound( AF_INET, SOCK_STREAM, &addr );
    value = 1;
    check_ok( setsockopt( listener, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, sizeof(value) ) );
    check_ok( setsockopt( listener, SOL_SOCKET, SO_OOBINLINE, (char *)&value, sizeof(value) ) );
    check_ok( setsockopt( listener, IPPROTO_TCP, TCP_NODELAY, (char *)&value, sizeof(value) ) );
    check_ok( setsockopt( listener, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) ) );
    value = 1234;
    check_ok( setsockopt( listener, SOL_SOCKET, SO_RCVTIMEO, (char *)&value, sizeof(value) ) );
    value = 2345;
    check_ok( setsockopt( listener, SOL_SOCKET, SO_SNDTIMEO, (char *)&value, sizeof(value) ) );
    value = 20000;
    check_ok( setsockopt( listener, SOL_SOCKET, SO_RCVBUF, (char *)&value, sizeof(value) ) );
    check_ok( setsockopt( listener, SOL_SOCKET, SO_SNDBUF, (char *)&value, sizeof(value) ) );
    check_ok( listen( listener, 5 ) );

    client = socket_connecting( &addr );
    ok( wait_readable( listener, 1000 ), "no connection\n" );
    server = accept( listener, NULL, NULL );
    value = 0xdeadbeef;
    len = sizeof(value);
    check_ok( getsockopt( server, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, &len ) );
    todo_wine ok( value == 1, "SO_KEEPALIVE is %d\n", value );
    len = sizeof(value);
    check_ok( getsockopt( server, SOL_SOCKET, SO_OOBINLINE, (char *)&value, &len ) );
    ok( value == 1, "SO_OOBINLINE is %d\n", value );
    value = 0;
    len = sizeof(value);
    check_ok( getsockopt( server, IPPROTO_TCP, TCP_NODELAY, (char *)&value, &len ) );
    ok( value == 1, "TCP_NODELAY is %d\n", value );
    len = sizeof(value);
    memset( &linger, 0xcc, sizeof(linger) );
    len = sizeof(linger);
    check_ok( getsockopt( server, SOL_SOCKET, SO_LINGER, (char *)&linger, &len ) );
    ok( linger.l_onoff == 1 && linger.l_linger == 7, "SO_LINGER is %d, %d\n", linger.l_onoff, linger.l_linger );
    len = sizeof(value);
    check_ok( getsockopt( server, SOL_SOCKET, SO_RCVTIMEO, (char *)&value, &len ) );
    ok( value == 1234, "SO_RCVTIMEO is %d\n", value );
    check_ok( getsockopt( server, SOL_SOCKET, SO_SNDTIMEO, (char *)&value, &len ) );
    ok( value == 2345, "SO_SNDTIMEO is %d\n", value );
    check_ok( getsockopt( server, SOL_SOCKET, SO_RCVBUF, (char *)&value, &len ) );
    ok( value == 20000, "SO_RCVBUF is %d\n", value );
    check_ok( getsockopt( server, SOL_SOCKET, SO_SNDBUF, (char *)&value, &len ) );
    ok( value == 20000, "SO_SNDBUF is %d\n", value );
    /* but it does not listen */
    check_ok( getsockopt( server, SOL_SOCKET, SO_ACCEPTCONN, (char *)&value, &len ) );
    ok( !value, "SO_ACCEPTCONN is %d\n", value );
    ok( GetHandleInformation( (HANDLE)server, &flags ), "error %lu\n", GetLastError() );
    ok( flags == HANDLE_FLAG_INHERIT, "got flags %#lx\n", flags );
    ok( !is_nonblocking( server ), "is non-blocking\n" );
    linger.l_onoff = 0;
    setsockopt( server, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) );
    closesocket( server );
    closesocket( client );

    /* the mode is that of the listener when accept() is called */
    client = socket_connecting( &addr );
    ok( wait_readable( listener, 1000 ), "no connection\n" );
    socket_set_nonblocking( listener, TRUE );
    server = accept( listener, NULL, NULL );
    ok( is_nonblocking( server ), "is blocking\n" );
    closesocket( server );
    closesocket( client );
    closesocket( listener );
}

/* the queue keeps connections and what they sent, in order */
static void test_queue(void)
{
    SOCKET listener, clients[8], server;
    union address addr, peer, name;
    int i, len;
    char c;

    listener = socket_listening( AF_INET, &addr );
    for (i = 0; i < 8; i++)
    {
        clients[i] = socket_connecting( &addr );
        c = i;
        check_int( send( clients[i], &c, 1, 0 ), 1 );
    }
    /* two that do not wait: one closes, one resets */
    closesocket( clients[2] );
    for (i = 0; i < 8; i++)
    {
        winetest_push_context( "%d", i );
        len = sizeof(peer);
        server = accept( listener, &peer.sa, &len );
        ok( server != INVALID_SOCKET, "error %d\n", WSAGetLastError() );
        socket_set_timeout( server, 3000 );
        c = -1;
        check_int( recv( server, &c, 1, 0 ), 1 );
        ok( c == i, "got %d\n", c );
        if (i != 2)
        {
            len = sizeof(name);
            check_ok( getsockname( clients[i], &name.sa, &len ) );
            ok( address_port( &peer ) == address_port( &name ), "got port %u\n", address_port( &peer ) );
            closesocket( clients[i] );
        }
        check_closed( server );
        closesocket( server );
        winetest_pop_context();
    }
    closesocket( listener );
}

static DWORD WINAPI delayed_connect( void *arg )
{
    const union address *addr = arg;
    SOCKET s;

    Sleep( 100 );
    s = socket( AF_INET, SOCK_STREAM, 0 );
    connect( s, &addr->sa, sizeof(addr->in) );
    Sleep( 50 );
    closesocket( s );
    return 0;
}

static void test_blocking(void)
{
    SOCKET listener, server;
    union address addr;
    HANDLE thread;
    DWORD ticks;

    listener = socket_listening( AF_INET, &addr );
    ticks = GetTickCount();
    thread = thread_start( delayed_connect, &addr );
    server = accept( listener, NULL, NULL );
    ticks = GetTickCount() - ticks;
    ok( server != INVALID_SOCKET, "accept: error %d\n", WSAGetLastError() );
    ok( ticks >= 80, "accept returned after %lu ms\n", ticks );
    check_closed( server );
    thread_end( thread );
    closesocket( server );
    closesocket( listener );
}

struct condition
{
    int result;                 /* what the function says */
    unsigned calls;
    union address caller;
    union address callee;
    GROUP *group;
    DWORD thread;
};

static int CALLBACK condition_func( WSABUF *caller, WSABUF *caller_data, QOS *qos, QOS *group_qos, WSABUF *callee,
                                    WSABUF *callee_data, GROUP *group, DWORD_PTR arg )
{
    struct condition *condition = (struct condition *)arg;

    (void)qos;
    (void)group_qos;
    (void)callee_data;
    condition->calls++;
    condition->thread = GetCurrentThreadId();
    condition->group = group;
    ok( caller && caller->buf, "no caller\n" );
    ok( callee && callee->buf, "no callee\n" );
    if (caller && caller->buf)
    {
        ok( caller->len >= sizeof(struct sockaddr_in), "got length %lu\n", caller->len );
        memcpy( &condition->caller, caller->buf, min( caller->len, sizeof(condition->caller) ) );
    }
    if (callee && callee->buf)
    {
        ok( callee->len >= sizeof(struct sockaddr_in), "got length %lu\n", callee->len );
        memcpy( &condition->callee, callee->buf, min( callee->len, sizeof(condition->callee) ) );
    }
    ok( !caller_data || !caller_data->len, "TCP has no data of the caller\n" );
    return condition->result;
}

static void test_condition_accept(void)
{
    struct condition condition = { .result = CF_ACCEPT };
    union address addr, name, peer;
    SOCKET listener, client, server;
    int len;

    listener = socket_listening( AF_INET, &addr );
    client = socket_connecting( &addr );
    len = sizeof(name);
    check_ok( getsockname( client, &name.sa, &len ) );
    len = sizeof(peer);
    server = WSAAccept( listener, &peer.sa, &len, condition_func, (DWORD_PTR)&condition );
    ok( server != INVALID_SOCKET, "WSAAccept: error %d\n", WSAGetLastError() );
    ok( condition.calls == 1, "got %u calls\n", condition.calls );
    ok( condition.thread == GetCurrentThreadId(), "called in another thread\n" );
    ok( !memcmp( &condition.caller.in, &name.in, 8 ), "the caller is somebody else\n" );
    ok( !memcmp( &condition.callee.in, &addr.in, 8 ), "the callee is somebody else\n" );
    ok( !memcmp( &peer.in, &name.in, 8 ), "got another address\n" );
    check_int( send( client, "abc", 3, 0 ), 3 );
    recv_exactly( server, "abc", 3 );
    closesocket( client );
    closesocket( server );

    /* without a function it is accept() */
    client = socket_connecting( &addr );
    server = WSAAccept( listener, NULL, NULL, NULL, 0 );
    ok( server != INVALID_SOCKET, "WSAAccept: error %d\n", WSAGetLastError() );
    closesocket( client );
    closesocket( server );
    closesocket( listener );
}

static void test_condition_reject(void)
{
    struct condition condition = { .result = CF_REJECT };
    SOCKET listener, client, server;
    union address addr;
    char c;
    int ret;

    listener = socket_listening( AF_INET, &addr );
    client = socket_connecting( &addr );
    check_error( WSAAccept( listener, NULL, NULL, condition_func, (DWORD_PTR)&condition ), WSAECONNREFUSED );
    ok( condition.calls == 1, "got %u calls\n", condition.calls );
    /* the client had been connected: now it no longer is */
    ret = recv( client, &c, 1, 0 );
    flaky_wine ok( ret == -1 && WSAGetLastError() == WSAECONNRESET, "recv returned %d, error %d\n", ret, WSAGetLastError() );
    closesocket( client );

    /* the next one */
    client = socket_connecting( &addr );
    condition.result = CF_ACCEPT;
    server = WSAAccept( listener, NULL, NULL, condition_func, (DWORD_PTR)&condition );
    ok( server != INVALID_SOCKET, "WSAAccept: error %d\n", WSAGetLastError() );
    closesocket( client );
    closesocket( server );
    closesocket( listener );
}

static void test_condition_defer(void)
{
    struct condition condition = { .result = CF_DEFER };
    SOCKET listener, client, server;
    union address addr, peer, name;
    int i, len;

    listener = socket_listening( AF_INET, &addr );
    socket_set_nonblocking( listener, TRUE );
    client = socket_connecting( &addr );
    ok( wait_readable( listener, 1000 ), "no connection\n" );
    for (i = 1; i < 4; i++)
    {
        /* it stays the next one to be accepted */
        check_error( WSAAccept( listener, NULL, NULL, condition_func, (DWORD_PTR)&condition ), WSATRY_AGAIN );
        ok( condition.calls == (unsigned)i, "got %u calls\n", condition.calls );
    }
    check_int( send( client, "abc", 3, 0 ), 3 );
    len = sizeof(name);
    check_ok( getsockname( client, &name.sa, &len ) );
    condition.result = CF_ACCEPT;
    len = sizeof(peer);
    server = WSAAccept( listener, &peer.sa, &len, condition_func, (DWORD_PTR)&condition );
    ok( server != INVALID_SOCKET, "WSAAccept: error %d\n", WSAGetLastError() );
    ok( !memcmp( &peer.in, &name.in, 8 ), "got another client\n" );
    ok( condition.calls == 4, "got %u calls\n", condition.calls );
    socket_set_nonblocking( server, FALSE );
    socket_set_timeout( server, 3000 );
    recv_exactly( server, "abc", 3 );
    closesocket( server );
    closesocket( client );
    check_error( WSAAccept( listener, NULL, NULL, condition_func, (DWORD_PTR)&condition ), WSAEWOULDBLOCK );
    ok( condition.calls == 4, "got %u calls\n", condition.calls );
    closesocket( listener );
}

/* accepts with many threads: each connection goes to one of them */
struct acceptors
{
    SOCKET listener;
    LONG accepted;
};

static DWORD WINAPI accept_thread( void *arg )
{
    struct acceptors *acceptors = arg;
    SOCKET s;

    while ((s = accept( acceptors->listener, NULL, NULL )) != INVALID_SOCKET)
    {
        InterlockedIncrement( &acceptors->accepted );
        send( s, "x", 1, 0 );
        closesocket( s );
    }
    return WSAGetLastError();
}

static void test_threads(void)
{
    struct acceptors acceptors = { 0 };
    union address addr;
    HANDLE threads[4];
    unsigned i;
    SOCKET s;

    acceptors.listener = socket_listening( AF_INET, &addr );
    for (i = 0; i < ARRAY_SIZE(threads); i++) threads[i] = thread_start( accept_thread, &acceptors );
    for (i = 0; i < 100; i++)
    {
        s = socket_connecting( &addr );
        recv_exactly( s, "x", 1 );
        closesocket( s );
    }
    ok( acceptors.accepted == 100, "accepted %ld\n", acceptors.accepted );
    closesocket( acceptors.listener );
    for (i = 0; i < ARRAY_SIZE(threads); i++)
    {
        DWORD error = thread_end( threads[i] );
        /* a thread that was not in the call then finds no socket */
        flaky_wine ok( error == WSAEINTR || error == WSAENOTSOCK, "thread %u: got error %lu\n", i, error );
    }
}

/* ---- put back ---- */

/* a condition function that waits before it puts a connection back */
struct slow_defer
{
    SOCKET listener;
    HANDLE asked;               /* set when the function is called */
    HANDLE go;                  /* waited for before it answers */
    USHORT port;                /* of the caller */
};

static int CALLBACK slow_defer_func( WSABUF *caller, WSABUF *caller_data, QOS *qos, QOS *group_qos, WSABUF *callee,
                                     WSABUF *callee_data, GROUP *group, DWORD_PTR arg )
{
    struct slow_defer *defer = (struct slow_defer *)arg;

    (void)caller_data;
    (void)qos;
    (void)group_qos;
    (void)callee;
    (void)callee_data;
    (void)group;
    defer->port = ntohs( ((struct sockaddr_in *)caller->buf)->sin_port );
    SetEvent( defer->asked );
    WaitForSingleObject( defer->go, 5000 );
    return CF_DEFER;
}

static DWORD WINAPI slow_defer_thread( void *arg )
{
    struct slow_defer *defer = arg;
    SOCKET s = WSAAccept( defer->listener, NULL, NULL, slow_defer_func, (DWORD_PTR)defer );

    return s == INVALID_SOCKET ? WSAGetLastError() : 0;
}

static HANDLE slow_defer_start( struct slow_defer *defer, SOCKET listener )
{
    HANDLE thread;

    defer->listener = listener;
    defer->asked = CreateEventW( NULL, TRUE, FALSE, NULL );
    defer->go = CreateEventW( NULL, TRUE, FALSE, NULL );
    thread = thread_start( slow_defer_thread, defer );
    ok( !WaitForSingleObject( defer->asked, 5000 ), "the condition function is not called\n" );
    return thread;
}

static void slow_defer_end( struct slow_defer *defer, HANDLE thread )
{
    DWORD ret;

    SetEvent( defer->go );
    ret = thread_end( thread );
    ok( ret == WSATRY_AGAIN, "WSAAccept: error %lu\n", ret );
    CloseHandle( defer->asked );
    CloseHandle( defer->go );
}

static USHORT peer_port( SOCKET s )
{
    union address addr;
    int len = sizeof(addr);

    return getpeername( s, &addr.sa, &len ) ? 0 : address_port( &addr );
}

/* Connections that were put back are accepted in the order in which they came, before those that came later. */
static void test_defer_order(void)
{
    struct slow_defer first, second;
    SOCKET listener, clients[3], server = INVALID_SOCKET;
    HANDLE threads[2];
    USHORT ports[3];
    union address addr, name;
    int i, len;

    listener = socket_listening( AF_INET, &addr );
    for (i = 0; i < 3; i++)
    {
        clients[i] = socket_connecting( &addr );
        len = sizeof(name);
        check_ok( getsockname( clients[i], &name.sa, &len ) );
        ports[i] = address_port( &name );
    }
    threads[0] = slow_defer_start( &first, listener );
    threads[1] = slow_defer_start( &second, listener );
    ok( first.port == ports[0], "the first was asked for port %u\n", first.port );
    ok( second.port == ports[1], "the second was asked for port %u\n", second.port );
    slow_defer_end( &first, threads[0] );
    slow_defer_end( &second, threads[1] );
    for (i = 0; i < 3; i++)
    {
        flaky_wine server = socket_accepted( listener );
        flaky_wine ok( peer_port( server ) == ports[i], "%d: got port %u\n", i, peer_port( server ) );
        closesocket( server );
        closesocket( clients[i] );
    }
    closesocket( listener );
}

static DWORD WINAPI select_accept_thread( void *arg )
{
    SOCKET listener = *(SOCKET *)arg, s;

    if (!wait_readable( listener, 5000 )) return WSAETIMEDOUT;
    if ((s = accept( listener, NULL, NULL )) == INVALID_SOCKET) return WSAGetLastError();
    send( s, "thread", 6, 0 );
    closesocket( s );
    return 0;
}

/* one that waits in another thread gets it, by accept or by select */
static void test_defer_wakes_thread(void)
{
    struct slow_defer defer;
    SOCKET listener, client;
    union address addr;
    HANDLE thread, waiting;

    listener = socket_listening( AF_INET, &addr );
    client = socket_connecting( &addr );
    thread = slow_defer_start( &defer, listener );
    waiting = thread_start( select_accept_thread, &listener );
    Sleep( 100 );
    slow_defer_end( &defer, thread );
    flaky_wine recv_exactly( client, "thread", 6 );
    flaky_wine check_closed( client );
    flaky_wine ok( !thread_end( waiting ), "it was not woken\n" );
    closesocket( client );
    closesocket( listener );
}

/* in a child: says that it is about to wait, by the event, then waits */
static void child_wait( SOCKET listener, HANDLE started, BOOL selects )
{
    SOCKET s;

    SetEvent( started );
    if (selects) ok( wait_readable( listener, 10000 ), "not readable\n" );
    s = accept( listener, NULL, NULL );
    ok( s != INVALID_SOCKET, "accept: error %d\n", WSAGetLastError() );
    check_int( send( s, "child", 5, 0 ), 5 );
    closesocket( s );
}

/* so does one that waits in another process */
static void test_defer_wakes_process( BOOL selects )
{
    SECURITY_ATTRIBUTES attr = { sizeof(attr), NULL, TRUE };
    HANDLE process, thread, started = CreateEventW( &attr, TRUE, FALSE, NULL );
    struct slow_defer defer;
    SOCKET listener, client;
    union address addr;
    char args[64];

    listener = socket_listening( AF_INET, &addr );
    client = socket_connecting( &addr );
    SetHandleInformation( (HANDLE)client, HANDLE_FLAG_INHERIT, 0 );
    thread = slow_defer_start( &defer, listener );
    sprintf( args, "wait %lu %lu %d", (unsigned long)listener, (unsigned long)(ULONG_PTR)started, selects );
    process = child_start( args, NULL );
    ok( !WaitForSingleObject( started, 10000 ), "the child does not start\n" );
    Sleep( 200 );
    slow_defer_end( &defer, thread );
    flaky_wine recv_exactly( client, "child", 5 );
    flaky_wine check_closed( client );
    closesocket( client );
    /* whoever has not got it ends with the next one */
    if (WaitForSingleObject( process, 0 )) closesocket( socket_connecting( &addr ) );
    winetest_wait_child_process( process );
    CloseHandle( process );
    CloseHandle( started );
    closesocket( listener );
}

/* what was put back ends with its listener */
static void test_defer_closed(void)
{
    struct condition condition = { .result = CF_DEFER };
    SOCKET listener, clients[2];
    union address addr;
    int i;

    listener = socket_listening( AF_INET, &addr );
    for (i = 0; i < 2; i++) clients[i] = socket_connecting( &addr );
    check_error( WSAAccept( listener, NULL, NULL, condition_func, (DWORD_PTR)&condition ), WSATRY_AGAIN );
    closesocket( listener );
    for (i = 0; i < 2; i++)
    {
        flaky_wine check_reset( clients[i] );
        closesocket( clients[i] );
    }
}

/* ---- SO_CONDITIONAL_ACCEPT ---- */

static DWORD WINAPI connect_thread( void *arg )
{
    SOCKET s = socket( AF_INET, SOCK_STREAM, 0 );
    DWORD ret = 0;
    char c;

    socket_set_timeout( s, 5000 );
    if (connect( s, arg, sizeof(struct sockaddr_in) )) ret = WSAGetLastError();
    else if (recv( s, &c, 1, 0 ) != 1) ret = WSAGetLastError();
    closesocket( s );
    return ret;
}

static void test_conditional(void)
{
    struct condition condition = { .result = CF_REJECT };
    int value, len = sizeof(value), on = 1;
    SOCKET listener, server;
    union address addr;
    HANDLE thread;
    DWORD ret;

    listener = socket_bound( AF_INET, SOCK_DGRAM, &addr );
    check_error( setsockopt( listener, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, (char *)&on, sizeof(on) ), WSAENOPROTOOPT );
    closesocket( listener );

    listener = socket_bound( AF_INET, SOCK_STREAM, &addr );
    value = 0xdeadbeef;
    todo_wine check_ok( getsockopt( listener, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, (char *)&value, &len ) );
    todo_wine ok( !value, "got %d\n", value );
    todo_wine check_ok( setsockopt( listener, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, (char *)&on, sizeof(on) ) );
    todo_wine check_ok( getsockopt( listener, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, (char *)&value, &len ) );
    todo_wine ok( value == 1, "got %d\n", value );
    check_ok( listen( listener, 5 ) );
    todo_wine check_error( setsockopt( listener, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, (char *)&on, sizeof(on) ), WSAEINVAL );

    /* the peer has either not been connected yet, or is no longer */
    thread = thread_start( connect_thread, &addr );
    check_error( WSAAccept( listener, NULL, NULL, condition_func, (DWORD_PTR)&condition ), WSAECONNREFUSED );
    ret = thread_end( thread );
    flaky_wine ok( ret == WSAECONNREFUSED || ret == WSAECONNRESET, "got %lu\n", ret );
    condition.result = CF_ACCEPT;
    thread = thread_start( connect_thread, &addr );
    server = WSAAccept( listener, NULL, NULL, condition_func, (DWORD_PTR)&condition );
    ok( server != INVALID_SOCKET, "WSAAccept: error %d\n", WSAGetLastError() );
    check_int( send( server, "x", 1, 0 ), 1 );
    ret = thread_end( thread );
    ok( !ret, "got %lu\n", ret );
    closesocket( server );
    closesocket( listener );
}

/* ---- the backlog ---- */

/* as many as the backlog has room for are connected at once, and all of those can be accepted */
static void test_backlog( int backlog, int count, BOOL all )
{
    SOCKET listener, *clients = malloc( count * sizeof(*clients) ), server;
    int i, connected = 0, accepted = 0;
    union address addr;

    winetest_push_context( "backlog %#x", backlog );
    listener = socket_bound( AF_INET, SOCK_STREAM, &addr );
    check_ok( listen( listener, backlog ) );
    for (i = 0; i < count; i++)
    {
        clients[i] = socket_new( AF_INET, SOCK_STREAM );
        socket_set_nonblocking( clients[i], TRUE );
        check_error( connect( clients[i], &addr.sa, sizeof(addr.in) ), WSAEWOULDBLOCK );
        if (wait_writable( clients[i], all ? 1000 : 50 )) connected++;
    }
    ok( connected, "none is connected\n" );
    ok( all == (connected == count), "%d are connected\n", connected );
    socket_set_nonblocking( listener, TRUE );
    while (accepted < connected && wait_readable( listener, 1000 ) && (server = accept( listener, NULL, NULL )) != INVALID_SOCKET)
    {
        accepted++;
        closesocket( server );
    }
    ok( accepted == connected, "%d of %d are accepted\n", accepted, connected );
    for (i = 0; i < count; i++) closesocket( clients[i] );
    closesocket( listener );
    free( clients );
    winetest_pop_context();
}

/* ---- a listener that is closed ---- */

static DWORD WINAPI blocked_accept_thread( void *arg )
{
    struct slow_defer *wait = arg;

    SetEvent( wait->asked );
    return accept( wait->listener, NULL, NULL ) == INVALID_SOCKET ? WSAGetLastError() : 0;
}

static void test_close_blocked(void)
{
    struct slow_defer wait;
    union address addr;
    HANDLE thread;
    DWORD ret;

    wait.listener = socket_listening( AF_INET, &addr );
    wait.asked = CreateEventW( NULL, TRUE, FALSE, NULL );
    thread = thread_start( blocked_accept_thread, &wait );
    WaitForSingleObject( wait.asked, 5000 );
    Sleep( 100 );
    check_ok( closesocket( wait.listener ) );
    ret = thread_end( thread );
    todo_wine ok( ret == WSAEINTR, "got %lu\n", ret );
    CloseHandle( wait.asked );
}

/* ---- several processes ---- */

static void child_serve( SOCKET listener )
{
    char c = '0';
    SOCKET s;

    while (c != 'q' && (s = accept( listener, NULL, NULL )) != INVALID_SOCKET)
    {
        if (recv( s, &c, 1, 0 ) != 1) ok( 0, "recv: error %d\n", WSAGetLastError() );
        check_int( send( s, &c, 1, 0 ), 1 );
        closesocket( s );
    }
}

/* each connection is one process's, and none is lost */
static void test_processes(void)
{
    SOCKET listener, clients[64];
    HANDLE processes[3];
    union address addr;
    char args[32], c;
    unsigned i, j;

    listener = socket_listening( AF_INET, &addr );
    check_ok( listen( listener, 100 ) );
    sprintf( args, "serve %lu", (unsigned long)listener );
    for (i = 0; i < ARRAY_SIZE(processes); i++) processes[i] = child_start( args, NULL );
    for (j = 0; j < 5; j++)
    {
        for (i = 0; i < ARRAY_SIZE(clients); i++)
        {
            clients[i] = socket_connecting( &addr );
            SetHandleInformation( (HANDLE)clients[i], HANDLE_FLAG_INHERIT, 0 );
            socket_set_timeout( clients[i], 10000 );
            c = 'a' + (i + j) % 16;
            check_int( send( clients[i], &c, 1, 0 ), 1 );
        }
        for (i = 0; i < ARRAY_SIZE(clients); i++)
        {
            c = 'a' + (i + j) % 16;
            flaky_wine recv_exactly( clients[i], &c, 1 );
            flaky_wine check_closed( clients[i] );
            closesocket( clients[i] );
        }
    }
    for (i = 0; i < ARRAY_SIZE(processes); i++)
    {
        clients[0] = socket_connecting( &addr );
        check_int( send( clients[0], "q", 1, 0 ), 1 );
        flaky_wine recv_exactly( clients[0], "q", 1 );
        closesocket( clients[0] );
    }
    for (i = 0; i < ARRAY_SIZE(processes); i++)
    {
        winetest_wait_child_process( processes[i] );
        CloseHandle( processes[i] );
    }
    closesocket( listener );
}

static void child_main( int argc, char **argv )
{
    SOCKET listener = strtoul( argv[3], NULL, 10 );

    /* in a process that did not make the socket, Wine refuses many calls, but not always the same */
    if (argc == 6) flaky_wine child_wait( listener, (HANDLE)(ULONG_PTR)strtoul( argv[4], NULL, 10 ), atoi( argv[5] ) );
    else flaky_wine child_serve( listener );
}

static const struct piece pieces[] =
{
    { "bad_pointers", piece_bad_pointers },
};

START_TEST(accept)
{
    char **argv;
    int argc = winetest_get_mainargs( &argv );
    WSADATA data;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    if (argc > 3 && strcmp( argv[2], "piece" )) child_main( argc, argv );
    else if (!piece_main( pieces, ARRAY_SIZE(pieces) ))
    {
        test_accept( AF_INET );
        test_accept( AF_INET6 );
        test_short_address();
        test_errors();
        test_inherited();
        test_queue();
        test_blocking();
        test_condition_accept();
        test_condition_reject();
        test_condition_defer();
        test_defer_order();
        test_defer_wakes_thread();
        test_defer_wakes_process( FALSE );
        test_defer_wakes_process( TRUE );
        test_defer_closed();
        test_conditional();
        test_backlog( 1, 20, FALSE );
        test_backlog( SOMAXCONN, 150, TRUE );
        test_backlog( SOMAXCONN_HINT( 150 ), 150, TRUE );
        test_backlog( SOMAXCONN_HINT( 1 ), 150, TRUE );
        test_close_blocked();
        test_threads();
        test_processes();
        todo_wine piece_run( "bad_pointers" );
    }
    WSACleanup();
}
