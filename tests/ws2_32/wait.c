/*
 * Blocking calls: time-outs, sockets closed meanwhile, APCs, Winsock 1.1's blocking hook
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

static void test_receive_timeout(void)
{
    SOCKET client, server, a, b;
    DWORD ticks, count, flags = 0;
    char buffer[8];
    WSABUF buf = { sizeof(buffer), buffer };

    tcp_pair( &client, &server );
    socket_set_timeout( client, 200 );
    ticks = GetTickCount();
    check_error( recv( client, buffer, sizeof(buffer), 0 ), WSAETIMEDOUT );
    ticks = GetTickCount() - ticks;
    ok( ticks >= 180 && ticks < 2500, "it took %lu ms\n", ticks );
    check_error( WSARecv( client, &buf, 1, &count, &flags, NULL, NULL ), WSAETIMEDOUT );
    check_error( recvfrom( client, buffer, sizeof(buffer), 0, NULL, NULL ), WSAETIMEDOUT );
    check_error( recv( client, buffer, sizeof(buffer), MSG_PEEK ), WSAETIMEDOUT );
    /* what comes before counts, and the socket is none the worse */
    check_int( send( server, "abc", 3, 0 ), 3 );
    recv_exactly( client, "abc", 3 );
    /* a non-blocking socket does not wait at all */
    socket_set_timeout( client, 2000 );
    socket_set_nonblocking( client, TRUE );
    ticks = GetTickCount();
    check_error( recv( client, buffer, sizeof(buffer), 0 ), WSAEWOULDBLOCK );
    ticks = GetTickCount() - ticks;
    ok( ticks < 1000, "it took %lu ms\n", ticks );
    closesocket( client );
    closesocket( server );

    udp_pair( &a, &b );
    socket_set_timeout( a, 200 );
    ticks = GetTickCount();
    check_error( recv( a, buffer, sizeof(buffer), 0 ), WSAETIMEDOUT );
    ticks = GetTickCount() - ticks;
    ok( ticks >= 180 && ticks < 2500, "it took %lu ms\n", ticks );
    check_int( send( b, "abc", 3, 0 ), 3 );
    check_int( recv( a, buffer, sizeof(buffer), 0 ), 3 );
    closesocket( a );
    closesocket( b );
}

static void test_send_timeout(void)
{
    SOCKET client, server;
    DWORD ticks, ms = 200;
    char c = 0;

    tcp_pair( &client, &server );
    fill_send_buffers( client );
    socket_set_nonblocking( client, FALSE );
    check_ok( setsockopt( client, SOL_SOCKET, SO_SNDTIMEO, (char *)&ms, sizeof(ms) ) );
    ticks = GetTickCount();
    check_error( send( client, &c, 1, 0 ), WSAETIMEDOUT );
    ticks = GetTickCount() - ticks;
    ok( ticks >= 180 && ticks < 2500, "it took %lu ms\n", ticks );
    socket_reset( client );
    closesocket( server );
}

/* what a thread does that blocks: returns its error, or 0 */
struct blocked
{
    const char *name;
    int (*call)( const struct blocked *blocked );
    SOCKET s;
    union address addr;
    HANDLE thread;
    volatile LONG started, apcs;
};

static int block_recv( const struct blocked *blocked )
{
    char c;

    return recv( blocked->s, &c, 1, 0 );
}

static int block_recvfrom( const struct blocked *blocked )
{
    char c;

    return recvfrom( blocked->s, &c, 1, 0, NULL, NULL );
}

static int block_wsarecv( const struct blocked *blocked )
{
    DWORD count, flags = 0;
    char c;
    WSABUF buf = { 1, &c };

    return WSARecv( blocked->s, &buf, 1, &count, &flags, NULL, NULL );
}

static int block_accept( const struct blocked *blocked )
{
    SOCKET s = accept( blocked->s, NULL, NULL );

    if (s != INVALID_SOCKET) closesocket( s );
    return s == INVALID_SOCKET ? -1 : 0;
}

static int block_select( const struct blocked *blocked )
{
    struct timeval timeout = { 5, 0 };
    fd_set set;

    FD_ZERO( &set );
    FD_SET( blocked->s, &set );
    return select( 0, &set, NULL, NULL, &timeout );
}

static int block_connect( const struct blocked *blocked )
{
    return connect( blocked->s, &blocked->addr.sa, sizeof(blocked->addr.in) );
}

static DWORD WINAPI blocked_thread( void *arg )
{
    struct blocked *blocked = arg;

    InterlockedIncrement( &blocked->started );
    WSASetLastError( 0xdeadbeef );
    return blocked->call( blocked ) == -1 ? WSAGetLastError() : 0;
}

static void start_blocked( struct blocked *blocked )
{
    blocked->started = blocked->apcs = 0;
    blocked->thread = thread_start( blocked_thread, blocked );
    while (!blocked->started) Sleep( 1 );
    Sleep( 100 );
}

static BOOL is_blocked( const struct blocked *blocked )
{
    return WaitForSingleObject( blocked->thread, 50 ) == WAIT_TIMEOUT;
}

/* the socket is closed by another thread: the call is interrupted */
static void test_close( int (*call)( const struct blocked * ), const char *name, BOOL todo )
{
    struct blocked blocked = { .name = name, .call = call };
    SOCKET client = INVALID_SOCKET;
    union address addr;
    DWORD error, zero = 0;

    winetest_push_context( "%s", name );
    if (call == block_accept) blocked.s = socket_listening( AF_INET, &addr );
    else if (call == block_recvfrom) blocked.s = socket_bound( AF_INET, SOCK_DGRAM, &addr );
    else tcp_pair( &client, &blocked.s );
    socket_set_timeout( blocked.s, zero );
    start_blocked( &blocked );
    ok( is_blocked( &blocked ), "not blocked\n" );
    check_ok( closesocket( blocked.s ) );
    error = thread_end( blocked.thread );
    todo_wine_if( todo ) ok( error == WSAEINTR, "got error %lu\n", error );
    if (client != INVALID_SOCKET) closesocket( client );
    winetest_pop_context();
}

static void piece_close_accept(void)
{
    test_close( block_accept, "accept", TRUE );
}

static void piece_close_recv(void)
{
    test_close( block_recv, "recv", TRUE );
    test_close( block_wsarecv, "WSARecv", TRUE );
    test_close( block_recvfrom, "recvfrom", TRUE );
}

static void CALLBACK apc_count( ULONG_PTR arg )
{
    InterlockedIncrement( &((struct blocked *)arg)->apcs );
}

/* queues an APC to the blocked thread and sees that it runs while the call goes on */
static void run_apcs( struct blocked *blocked, BOOL todo )
{
    int i;

    ok( is_blocked( blocked ), "not blocked\n" );
    ok( QueueUserAPC( apc_count, blocked->thread, (ULONG_PTR)blocked ), "QueueUserAPC failed with %lu\n", GetLastError() );
    for (i = 0; i < 100 && blocked->apcs < 1; i++) Sleep( 10 );
    todo_wine_if( todo ) ok( blocked->apcs == 1, "ran %ld APCs\n", blocked->apcs );
    ok( is_blocked( blocked ), "no longer blocked\n" );
    ok( QueueUserAPC( apc_count, blocked->thread, (ULONG_PTR)blocked ), "QueueUserAPC failed with %lu\n", GetLastError() );
    for (i = 0; i < 100 && blocked->apcs < 2; i++) Sleep( 10 );
    todo_wine_if( todo ) ok( blocked->apcs == 2, "ran %ld APCs\n", blocked->apcs );
    ok( is_blocked( blocked ), "no longer blocked\n" );
}

static void piece_apc_recv(void)
{
    struct blocked blocked = { .name = "recv" };
    int (*calls[])( const struct blocked * ) = { block_recv, block_wsarecv, block_select };
    SOCKET client, server;
    unsigned i;
    DWORD ret;
    char c;

    for (i = 0; i < ARRAY_SIZE(calls); i++)
    {
        winetest_push_context( "%u", i );
        tcp_pair( &client, &server );
        blocked.call = calls[i];
        blocked.s = server;
        start_blocked( &blocked );
        run_apcs( &blocked, FALSE );
        check_int( send( client, "x", 1, 0 ), 1 );
        ret = thread_end( blocked.thread );
        ok( !ret, "got error %lu\n", ret );
        if (calls[i] == block_select) check_int( recv( server, &c, 1, 0 ), 1 );
        closesocket( client );
        closesocket( server );
        winetest_pop_context();
    }
}

static void piece_apc_udp(void)
{
    struct blocked blocked = { .name = "recvfrom", .call = block_recvfrom };
    union address addr;
    DWORD ret;
    SOCKET s;

    blocked.s = socket_bound( AF_INET, SOCK_DGRAM, &addr );
    start_blocked( &blocked );
    run_apcs( &blocked, FALSE );
    s = socket_new( AF_INET, SOCK_DGRAM );
    check_int( sendto( s, "x", 1, 0, &addr.sa, sizeof(addr.in) ), 1 );
    ret = thread_end( blocked.thread );
    ok( !ret, "got error %lu\n", ret );
    closesocket( blocked.s );
    closesocket( s );
}

static void piece_apc_accept(void)
{
    struct blocked blocked = { .name = "accept", .call = block_accept };
    union address addr;
    SOCKET client;
    DWORD ret;

    blocked.s = socket_listening( AF_INET, &addr );
    start_blocked( &blocked );
    run_apcs( &blocked, TRUE );
    client = socket_connecting( &addr );
    ret = thread_end( blocked.thread );
    ok( !ret, "got error %lu\n", ret );
    closesocket( client );
    closesocket( blocked.s );
}

/* A connect that waits: on Windows for the second try at a port where nobody listens, elsewhere
 * because a listener's queue is full. */
static void piece_apc_connect(void)
{
    struct blocked blocked = { .name = "connect", .call = block_connect };
    SOCKET listener, others[20], s;
    unsigned i, count;

    listener = socket_bound( AF_INET, SOCK_STREAM, &blocked.addr );
    check_ok( listen( listener, 1 ) );
    for (count = 0; count < ARRAY_SIZE(others); count++)
    {
        others[count] = socket_new( AF_INET, SOCK_STREAM );
        socket_set_nonblocking( others[count], TRUE );
        check_error( connect( others[count], &blocked.addr.sa, sizeof(blocked.addr.in) ), WSAEWOULDBLOCK );
        if (!wait_writable( others[count], 100 )) break;
    }
    if (count == ARRAY_SIZE(others)) skip( "connections are always made at once\n" );
    else
    {
        closesocket( others[count] );
        blocked.s = socket_new( AF_INET, SOCK_STREAM );
        start_blocked( &blocked );
        ok( is_blocked( &blocked ), "not blocked\n" );
        ok( QueueUserAPC( apc_count, blocked.thread, (ULONG_PTR)&blocked ), "QueueUserAPC failed with %lu\n",
            GetLastError() );
        for (i = 0; i < 100 && !blocked.apcs; i++) Sleep( 10 );
        todo_wine ok( blocked.apcs == 1, "ran %ld APCs\n", blocked.apcs );
        ok( is_blocked( &blocked ), "no longer blocked\n" );
        /* room in the queue: the next try succeeds */
        for (i = 0; i < count; i++)
        {
            s = socket_accepted( listener );
            closesocket( s );
        }
        thread_end( blocked.thread );
        closesocket( blocked.s );
    }
    for (i = 0; i < count; i++) closesocket( others[i] );
    closesocket( listener );
}

/* an APC that itself calls Winsock: it sends what its thread waits for */
static void CALLBACK apc_send( ULONG_PTR arg )
{
    send( (SOCKET)arg, "x", 1, 0 );
    WSASetLastError( 1234 );
}

static void piece_apc_sends(void)
{
    struct blocked blocked = { .name = "recv", .call = block_recv };
    SOCKET client;
    DWORD ret;

    tcp_pair( &client, &blocked.s );
    start_blocked( &blocked );
    ok( QueueUserAPC( apc_send, blocked.thread, client ), "QueueUserAPC failed with %lu\n", GetLastError() );
    ret = thread_end( blocked.thread );
    ok( !ret, "got error %lu\n", ret );
    closesocket( client );
    closesocket( blocked.s );
}


static DWORD WINAPI forever_thread( void *arg )
{
    char c;

    recv( (SOCKET)arg, &c, 1, 0 );
    return 0;
}

/* the child: a thread of it is blocked when it ends */
static void child_exit( const char *port, const char *how )
{
    union address addr;
    SOCKET s;
    DWORD zero = 0;

    address_loopback( &addr, AF_INET, atoi( port ) );
    s = socket_connecting( &addr );
    socket_set_timeout( s, zero );
    CloseHandle( thread_start( forever_thread, (void *)s ) );
    Sleep( 100 );
    if (!strcmp( how, "terminate" )) TerminateProcess( GetCurrentProcess(), 0 );
    ExitProcess( 0 );
}

static void test_exit( const char *how )
{
    SOCKET listener, s;
    union address addr;
    HANDLE process;
    char args[64], c;
    DWORD code = 1;
    int ret;

    winetest_push_context( "%s", how );
    listener = socket_listening( AF_INET, &addr );
    SetHandleInformation( (HANDLE)listener, HANDLE_FLAG_INHERIT, 0 );
    sprintf( args, "exit %u %s", address_port( &addr ), how );
    process = child_start( args, NULL );
    s = socket_accepted( listener );
    ok( !WaitForSingleObject( process, 5000 ), "the process does not end\n" );
    GetExitCodeProcess( process, &code );
    ok( !code, "got exit code %#lx\n", code );
    ret = recv( s, &c, 1, 0 );
    ok( !ret || (ret == -1 && WSAGetLastError() == WSAECONNRESET), "recv returned %d, error %d\n", ret, WSAGetLastError() );
    CloseHandle( process );
    closesocket( s );
    closesocket( listener );
    winetest_pop_context();
}

static LONG hook_calls;
static BOOL hook_cancels, hook_was_blocking;

static INT_PTR CALLBACK blocking_hook(void)
{
    hook_calls++;
    hook_was_blocking = WSAIsBlocking();
    if (hook_cancels) check_ok( WSACancelBlockingCall() );
    else if (hook_calls > 1) Sleep( 10 );
    return FALSE;
}

/* Winsock 2 has neither hooks nor blocking calls to cancel */
static void test_cancel_2(void)
{
    todo_wine check_error( WSACancelBlockingCall(), WSAEOPNOTSUPP );
    todo_wine check_error( WSAUnhookBlockingHook(), WSAEOPNOTSUPP );
    WSASetLastError( 0xdeadbeef );
    todo_wine ok( !WSASetBlockingHook( (FARPROC)blocking_hook ), "WSASetBlockingHook succeeded\n" );
    todo_wine ok( WSAGetLastError() == WSAEOPNOTSUPP, "got error %d\n", WSAGetLastError() );
    ok( !WSAIsBlocking(), "is blocking\n" );
}

/* the piece's process asks for Winsock 1.1 and nothing else */
static void piece_cancel_1(void)
{
    SOCKET client, server;
    char c;

    ok( !WSAIsBlocking(), "is blocking\n" );
    todo_wine check_error( WSACancelBlockingCall(), WSAEINVAL );
    tcp_pair( &client, &server );
    ok( !!WSASetBlockingHook( (FARPROC)blocking_hook ), "no hook before, error %d\n", WSAGetLastError() );

    /* the hook runs while the call waits */
    socket_set_timeout( client, 200 );
    check_error( recv( client, &c, 1, 0 ), WSAETIMEDOUT );
    todo_wine ok( hook_calls > 0, "the hook was not called\n" );
    todo_wine ok( hook_was_blocking, "was not blocking\n" );
    ok( !WSAIsBlocking(), "is blocking\n" );

    /* and may end it */
    hook_calls = 0;
    hook_cancels = TRUE;
    socket_set_timeout( client, 3000 );
    todo_wine check_error( recv( client, &c, 1, 0 ), WSAEINTR );
    todo_wine ok( hook_calls == 1, "the hook was called %ld times\n", hook_calls );
    check_ok( WSAUnhookBlockingHook() );
    check_int( send( server, "x", 1, 0 ), 1 );
    check_int( recv( client, &c, 1, 0 ), 1 );
    todo_wine ok( hook_calls == 1, "the hook was called %ld times\n", hook_calls );
    closesocket( client );
    closesocket( server );
}

static const struct piece pieces[] =
{
    { "close_accept", piece_close_accept },
    { "close_recv", piece_close_recv },
    { "apc_recv", piece_apc_recv },
    { "apc_udp", piece_apc_udp },
    { "apc_accept", piece_apc_accept },
    { "apc_connect", piece_apc_connect },
    { "apc_sends", piece_apc_sends },
    { "cancel_1", piece_cancel_1 },
};

START_TEST(wait)
{
    char **argv;
    int argc = winetest_get_mainargs( &argv );
    WSADATA data;
    unsigned i;

    WSAStartup( argc == 4 && !strcmp( argv[3], "cancel_1" ) ? MAKEWORD( 1, 1 ) : MAKEWORD( 2, 2 ), &data );
    if (argc == 5 && !strcmp( argv[2], "exit" )) child_exit( argv[3], argv[4] );
    else if (!piece_main( pieces, ARRAY_SIZE(pieces) ))
    {
        test_receive_timeout();
        test_send_timeout();
        test_exit( "exit" );
        test_exit( "terminate" );
        test_cancel_2();
        for (i = 0; i < ARRAY_SIZE(pieces); i++) piece_run( pieces[i].name );
    }
    WSACleanup();
}
