/*
 * Broken connections: every reset is reported as one, by whatever call looks first
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

#define TRIES 40                /* pairs for each way to look; stock Wine, where each costs much more, has fewer */

static BOOL on_wine(void)
{
    return !strcmp( winetest_platform, "wine" );
}

static void check_aborted_( int line, int ret )
{
    int error = WSAGetLastError();

    ok_(__FILE__, line)( ret == -1 && (error == WSAECONNRESET || error == WSAECONNABORTED), "got %d, error %d\n", ret, error );
}
#define check_aborted( expr ) check_aborted_( __LINE__, (WSASetLastError( 0xdeadbeef ), (expr)) )

static int socket_error( SOCKET s )
{
    int error = 0xdeadbeef, len = sizeof(error);

    check_ok( getsockopt( s, SOL_SOCKET, SO_ERROR, (char *)&error, &len ) );
    return error;
}

/* until the reset has arrived; takes no notice of it */
static BOOL wait_broken( SOCKET s )
{
    WSAPOLLFD fd = { s, POLLRDNORM, 0 };
    int i;

    for (i = 0; i < 400; i++)
    {
        fd.revents = 0;
        if (WSAPoll( &fd, 1, 10 ) == -1) return FALSE;
        if (fd.revents & POLLERR) return TRUE;
        Sleep( 5 );
    }
    return FALSE;
}

/* readable and writable, and nothing exceptional */
static void check_select_( int line, SOCKET s )
{
    fd_set read, write, except;
    struct timeval limit = { 2, 0 };
    int ret;

    FD_ZERO( &read );
    FD_ZERO( &write );
    FD_ZERO( &except );
    FD_SET( s, &read );
    FD_SET( s, &write );
    FD_SET( s, &except );
    ret = select( 0, &read, &write, &except, &limit );
    ok_(__FILE__, line)( ret == 2 && FD_ISSET( s, &read ) && FD_ISSET( s, &write ) && !FD_ISSET( s, &except ),
                         "select returned %d, read %d, write %d, except %d\n", ret, FD_ISSET( s, &read ),
                         FD_ISSET( s, &write ), FD_ISSET( s, &except ) );
}
#define check_select( s ) check_select_( __LINE__, s )

static void check_poll_( int line, SOCKET s )
{
    WSAPOLLFD fd = { s, POLLRDNORM | POLLWRNORM, 0 };
    int ret = WSAPoll( &fd, 1, 2000 );

    ok_(__FILE__, line)( ret == 1 && fd.revents == (POLLERR | POLLHUP | POLLWRNORM), "WSAPoll returned %d, revents %#x\n",
                         ret, fd.revents );
}
#define check_poll( s ) check_poll_( __LINE__, s )

/* ---- a peer that resets, and the call that looks first ---- */

static void look_recv( SOCKET s )
{
    check_reset( s );
}

static void look_peek( SOCKET s )
{
    char c;

    check_error( recv( s, &c, 1, MSG_PEEK ), WSAECONNRESET );
}

static void look_wsarecv( SOCKET s )
{
    DWORD count, flags = 0;
    char c;
    WSABUF buf = { 1, &c };

    check_error( WSARecv( s, &buf, 1, &count, &flags, NULL, NULL ), WSAECONNRESET );
}

static void look_nonblocking( SOCKET s )
{
    char c;
    int ret;

    socket_set_nonblocking( s, TRUE );
    while ((ret = recv( s, &c, 1, 0 )) == -1 && WSAGetLastError() == WSAEWOULDBLOCK) Sleep( 0 );
    ok( ret == -1 && WSAGetLastError() == WSAECONNRESET, "recv returned %d, error %d\n", ret, WSAGetLastError() );
}

static void look_select( SOCKET s )
{
    ok( wait_readable( s, 2000 ), "not readable\n" );
    check_select( s );
}

static void look_poll( SOCKET s )
{
    ok( wait_broken( s ), "no reset arrived\n" );
    check_poll( s );
}

static void look_send( SOCKET s )
{
    int i, ret = 0;

    /* until it has arrived */
    for (i = 0; i < 400 && (ret = send( s, "x", 1, 0 )) == 1; i++) Sleep( 1 );
    ok( ret == -1 && WSAGetLastError() == WSAECONNRESET, "send returned %d, error %d\n", ret, WSAGetLastError() );
}

static void look_wsasend( SOCKET s )
{
    WSABUF buf = { 1, (char *)"x" };
    DWORD count;

    ok( wait_broken( s ), "no reset arrived\n" );
    check_error( WSASend( s, &buf, 1, &count, 0, NULL, NULL ), WSAECONNRESET );
}

/* calls that know nothing of it, and take nothing away */
static void look_options( SOCKET s )
{
    union address addr;
    u_long queued = 0;
    int len = sizeof(addr);

    ok( wait_broken( s ), "no reset arrived\n" );
    ok( !socket_error( s ), "there is an error\n" );
    check_ok( ioctlsocket( s, FIONREAD, &queued ) );
    check_ok( getsockname( s, &addr.sa, &len ) );
    len = sizeof(addr);
    check_ok( getpeername( s, &addr.sa, &len ) );
}

/* whatever it says itself */
static void look_shutdown( SOCKET s )
{
    ok( wait_broken( s ), "no reset arrived\n" );
    shutdown( s, SD_SEND );
}

static void look_nobody( SOCKET s )
{
    (void)s;
    Sleep( 5 );
}

static void test_looks(void)
{
    static const struct
    {
        const char *name;
        void (*look)( SOCKET s );
        BOOL sends;             /* a send says "reset" afterwards, too */
    }
    ways[] =
    {
        { "recv", look_recv, TRUE },
        { "peek", look_peek, TRUE },
        { "WSARecv", look_wsarecv, TRUE },
        { "non-blocking", look_nonblocking, TRUE },
        { "select", look_select, TRUE },
        { "WSAPoll", look_poll, TRUE },
        { "send", look_send, TRUE },
        { "WSASend", look_wsasend, TRUE },
        { "options", look_options, TRUE },
        { "shutdown", look_shutdown, FALSE },
        { "nobody", look_nobody, TRUE },
    };
    const unsigned tries = on_wine() ? 3 : TRIES;
    SOCKET client, server;
    unsigned i, j;

    for (i = 0; i < ARRAY_SIZE(ways); i++)
    {
        winetest_push_context( "%s", ways[i].name );
        for (j = 0; j < tries; j++)
        {
            tcp_pair( &client, &server );
            socket_reset( server );
            flaky_wine ways[i].look( client );
            flaky_wine check_reset( client );
            flaky_wine check_reset( client );
            if (ways[i].sends) flaky_wine check_error( send( client, "x", 1, 0 ), WSAECONNRESET );
            flaky_wine check_reset( client );
            ok( !socket_error( client ), "there is an error\n" );
            check_ok( closesocket( client ) );
        }
        winetest_pop_context();
    }
}

/* ---- what came before the reset ---- */

/* Whether the data is still there is the stack's affair, but what follows it is never a graceful end. */
static void test_after_data( BOOL fin )
{
    const unsigned tries = on_wine() ? 3 : TRIES;
    SOCKET client, server;
    char buffer[100];
    int ret, total;
    unsigned i;

    winetest_push_context( "FIN %d", fin );
    for (i = 0; i < tries; i++)
    {
        tcp_pair( &client, &server );
        check_int( send( server, "data", 4, 0 ), 4 );
        if (fin) check_ok( shutdown( server, SD_SEND ) );
        socket_reset( server );
        flaky_wine ok( wait_broken( client ), "no reset arrived\n" );
        for (total = 0; (ret = recv( client, buffer, sizeof(buffer), 0 )) > 0; total += ret)
            ;
        flaky_wine ok( ret == -1 && WSAGetLastError() == WSAECONNRESET, "recv returned %d, error %d\n", ret, WSAGetLastError() );
        ok( !total || total == 4, "got %d bytes\n", total );
        flaky_wine check_reset( client );
        flaky_wine check_error( send( client, "x", 1, 0 ), WSAECONNRESET );
        closesocket( client );
    }
    winetest_pop_context();
}

/* Linux tells only senders of a reset that follows a FIN. */
static void test_after_fin( BOOL seen, int first )
{
    const unsigned tries = on_wine() ? 3 : TRIES;
    SOCKET client, server;
    unsigned i;

    winetest_push_context( "seen %d, first %d", seen, first );
    for (i = 0; i < tries; i++)
    {
        tcp_pair( &client, &server );
        check_ok( shutdown( server, SD_SEND ) );
        if (seen) check_closed( client );
        socket_reset( server );
        flaky_wine ok( wait_broken( client ), "no reset arrived\n" );
        if (first == 1) flaky_wine check_error( send( client, "x", 1, 0 ), WSAECONNRESET );
        if (first == 2) shutdown( client, SD_SEND );
        flaky_wine check_reset( client );
        flaky_wine check_reset( client );
        if (first != 2) flaky_wine check_error( send( client, "x", 1, 0 ), WSAECONNRESET );
        flaky_wine check_select( client );
        flaky_wine check_poll( client );
        closesocket( client );
    }
    winetest_pop_context();
}

/* our own FIN was sent, the peer's never comes */
static void test_after_own_fin(void)
{
    const unsigned tries = on_wine() ? 3 : TRIES;
    SOCKET client, server;
    unsigned i;

    for (i = 0; i < tries; i++)
    {
        tcp_pair( &client, &server );
        check_ok( shutdown( client, SD_SEND ) );
        if (i & 1) check_closed( server );
        socket_reset( server );
        flaky_wine check_reset( client );
        flaky_wine check_reset( client );
        closesocket( client );
    }
}

/* the end of both directions is no reset, in whichever order they end */
static void test_graceful(void)
{
    SOCKET client, server;
    unsigned i;

    for (i = 0; i < 20; i++)
    {
        tcp_pair( &client, &server );
        check_ok( shutdown( i & 1 ? client : server, SD_SEND ) );
        check_closed( i & 1 ? server : client );
        check_ok( shutdown( i & 1 ? server : client, SD_SEND ) );
        check_closed( i & 1 ? client : server );
        check_closed( client );
        check_closed( server );
        check_ok( closesocket( server ) );
        Sleep( 2 );
        check_closed( client );
        ok( !socket_error( client ), "there is an error\n" );
        closesocket( client );
    }
}

/* ---- calls that wait when it comes ---- */

static DWORD WINAPI recv_thread( void *arg )
{
    char c;

    return recv( (SOCKET)arg, &c, 1, 0 ) == -1 ? (DWORD)WSAGetLastError() : 0;
}

/* until it fails: the peer does not read */
static DWORD WINAPI send_thread( void *arg )
{
    static char buffer[65536];

    while (send( (SOCKET)arg, buffer, sizeof(buffer), 0 ) > 0)
        ;
    return WSAGetLastError();
}

static DWORD WINAPI select_thread( void *arg )
{
    return wait_readable( (SOCKET)arg, 5000 );
}

static void test_waiting(void)
{
    const unsigned tries = on_wine() ? 2 : 10;
    SOCKET client, server;
    HANDLE threads[2];
    unsigned i;
    DWORD ret;

    for (i = 0; i < tries; i++)
    {
        tcp_pair( &client, &server );
        socket_set_timeout( client, 5000 );
        threads[0] = thread_start( recv_thread, (void *)client );
        threads[1] = thread_start( recv_thread, (void *)client );
        Sleep( 20 );
        socket_reset( server );
        ret = thread_end( threads[0] );
        flaky_wine ok( ret == WSAECONNRESET, "got %lu\n", ret );
        ret = thread_end( threads[1] );
        flaky_wine ok( ret == WSAECONNRESET, "got %lu\n", ret );
        flaky_wine check_reset( client );
        closesocket( client );

        tcp_pair( &client, &server );
        threads[0] = thread_start( send_thread, (void *)client );
        threads[1] = thread_start( select_thread, (void *)client );
        Sleep( 50 );
        socket_reset( server );
        ret = thread_end( threads[0] );
        flaky_wine ok( ret == WSAECONNRESET, "got %lu\n", ret );
        ret = thread_end( threads[1] );
        flaky_wine ok( ret, "not readable\n" );
        flaky_wine check_reset( client );
        flaky_wine check_error( send( client, "x", 1, 0 ), WSAECONNRESET );
        closesocket( client );
    }
}

/* the rest of a non-blocking send is still on its way: who waits to send again is told */
static void test_nonblocking_send(void)
{
    const unsigned tries = on_wine() ? 2 : 10;
    SOCKET client, server;
    unsigned i;

    for (i = 0; i < tries; i++)
    {
        tcp_pair( &client, &server );
        fill_send_buffers( client );
        ok( !wait_writable( client, 0 ), "there is room\n" );
        socket_reset( server );
        ok( wait_writable( client, 5000 ), "not writable\n" );
        flaky_wine check_error( send( client, "x", 1, 0 ), WSAECONNRESET );
        flaky_wine check_reset( client );
        flaky_wine check_select( client );
        flaky_wine check_poll( client );
        closesocket( client );
    }
}

/* ---- a reset of our own, for data that nobody may receive any more ---- */

static void check_own_reset_( int line, SOCKET client, SOCKET server )
{
    WSABUF buf = { 1, (char *)"x" };
    union address addr;
    DWORD count;
    int len = sizeof(addr);
    char c;

    winetest_push_context( "line %d", line );
    todo_wine check_aborted( send( client, "x", 1, 0 ) );
    todo_wine check_aborted( send( client, "x", 1, 0 ) );
    todo_wine check_aborted( WSASend( client, &buf, 1, &count, 0, NULL, NULL ) );
    check_error( recv( client, &c, 1, 0 ), WSAESHUTDOWN );
    check_select( client );
    todo_wine check_poll( client );
    ok( !socket_error( client ), "there is an error\n" );
    check_ok( getpeername( client, &addr.sa, &len ) );
    len = sizeof(addr);
    check_ok( getsockname( client, &addr.sa, &len ) );

    todo_wine check_aborted( send( server, "x", 1, 0 ) );
    /* there may be what was sent before */
    todo_wine check_reset( server );
    winetest_pop_context();
}
#define check_own_reset( client, server ) check_own_reset_( __LINE__, client, server )

static void test_own_reset( int how )
{
    const unsigned tries = on_wine() ? 1 : 20;
    SOCKET client, server;
    unsigned i;

    winetest_push_context( "how %d", how );
    for (i = 0; i < tries; i++)
    {
        /* data queued before */
        tcp_pair( &client, &server );
        socket_set_timeout( server, 500 );
        check_int( send( server, "queued", 6, 0 ), 6 );
        ok( wait_readable( client, 2000 ), "nothing arrived\n" );
        check_ok( how == -1 ? WSARecvDisconnect( client, NULL ) : shutdown( client, how ) );
        check_own_reset( client, server );
        check_ok( closesocket( client ) );
        check_ok( closesocket( server ) );

        /* data that comes later: the send itself succeeds */
        tcp_pair( &client, &server );
        socket_set_timeout( server, 500 );
        check_ok( how == -1 ? WSARecvDisconnect( client, NULL ) : shutdown( client, how ) );
        check_int( send( server, "later", 5, 0 ), 5 );
        if (!on_wine()) ok( wait_broken( client ), "no reset\n" );
        check_own_reset( client, server );
        check_ok( closesocket( client ) );
        check_ok( closesocket( server ) );
    }
    winetest_pop_context();
}

/* what else waits in the socket ends, too */
static void test_own_reset_waiting(void)
{
    SOCKET client, server;
    HANDLE thread;
    DWORD ret;

    if (on_wine())
    {
        skip( "the sends would never end\n" );
        return;
    }
    tcp_pair( &client, &server );
    thread = thread_start( send_thread, (void *)client );
    Sleep( 50 );
    check_ok( shutdown( client, SD_RECEIVE ) );
    ok( WaitForSingleObject( thread, 50 ) == WAIT_TIMEOUT, "the send ended\n" );
    check_int( send( server, "x", 1, 0 ), 1 );
    ret = thread_end( thread );
    ok( ret == WSAECONNRESET || ret == WSAECONNABORTED, "got %lu\n", ret );
    closesocket( client );
    closesocket( server );
}

START_TEST(reset)
{
    static const int ways[] = { SD_RECEIVE, -1 };
    WSADATA data;
    unsigned i;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    test_looks();
    test_after_data( FALSE );
    test_after_data( TRUE );
    for (i = 0; i < 6; i++) test_after_fin( i & 1, i / 2 );
    test_after_own_fin();
    test_graceful();
    test_waiting();
    test_nonblocking_send();
    for (i = 0; i < ARRAY_SIZE(ways); i++) test_own_reset( ways[i] );
    test_own_reset_waiting();
    WSACleanup();
}
