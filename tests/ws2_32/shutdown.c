/*
 * shutdown, WSARecvDisconnect and WSASendDisconnect, and the resets that the peer sees
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

/* the three ways to disallow receives; for TCP they are the same */
static int receive_shutdown( SOCKET s, int how )
{
    return how == -1 ? WSARecvDisconnect( s, NULL ) : shutdown( s, how );
}

static void check_no_receive_( int line, SOCKET s )
{
    union address addr;
    DWORD count, flags = 0;
    char buffer[8];
    WSABUF buf = { sizeof(buffer), buffer };
    int len = sizeof(addr);

    winetest_push_context( "line %d", line );
    check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAESHUTDOWN );
    check_error( recv( s, buffer, sizeof(buffer), MSG_PEEK ), WSAESHUTDOWN );
    check_error( recvfrom( s, buffer, sizeof(buffer), 0, &addr.sa, &len ), WSAESHUTDOWN );
    check_error( WSARecv( s, &buf, 1, &count, &flags, NULL, NULL ), WSAESHUTDOWN );
    flags = 0;
    check_error( WSARecvFrom( s, &buf, 1, &count, &flags, NULL, NULL, NULL, NULL ), WSAESHUTDOWN );
    winetest_pop_context();
}
#define check_no_receive( s ) check_no_receive_( __LINE__, s )

static void check_no_send_( int line, SOCKET s )
{
    WSABUF buf = { 1, (char *)"x" };
    DWORD count;

    winetest_push_context( "line %d", line );
    check_error( send( s, "x", 1, 0 ), WSAESHUTDOWN );
    check_error( sendto( s, "x", 1, 0, NULL, 0 ), WSAESHUTDOWN );
    check_error( WSASend( s, &buf, 1, &count, 0, NULL, NULL ), WSAESHUTDOWN );
    check_error( WSASendTo( s, &buf, 1, &count, 0, NULL, 0, NULL, NULL ), WSAESHUTDOWN );
    winetest_pop_context();
}
#define check_no_send( s ) check_no_send_( __LINE__, s )

static void test_send_side( BOOL disconnect )
{
    SOCKET client, server;

    winetest_push_context( disconnect ? "WSASendDisconnect" : "shutdown" );
    tcp_pair( &client, &server );
    check_int( send( client, "last", 4, 0 ), 4 );
    check_ok( disconnect ? WSASendDisconnect( client, NULL ) : shutdown( client, SD_SEND ) );
    check_no_send( client );
    recv_exactly( server, "last", 4 );
    check_closed( server );
    check_closed( server );

    /* the other direction goes on */
    check_int( send( server, "more", 4, 0 ), 4 );
    recv_exactly( client, "more", 4 );
    /* twice is fine */
    check_ok( shutdown( client, SD_SEND ) );
    check_ok( WSASendDisconnect( client, NULL ) );
    check_int( send( server, "and more", 8, 0 ), 8 );
    recv_exactly( client, "and more", 8 );
    check_ok( shutdown( server, SD_SEND ) );
    check_closed( client );
    check_ok( closesocket( server ) );
    check_ok( closesocket( client ) );
    winetest_pop_context();
}

#define LONG_SEND (8 << 20)

static DWORD WINAPI sending_thread( void *arg )
{
    char *buffer = calloc( 1, LONG_SEND );
    int ret = send( (SOCKET)arg, buffer, LONG_SEND, 0 );

    if (ret == -1) ret = -WSAGetLastError();
    free( buffer );
    return ret;
}

/* A send that waits was there before: all of it comes before the FIN. */
static void test_send_pending( BOOL both )
{
    static char buffer[65536];
    SOCKET client, server;
    HANDLE thread;
    DWORD ticks;
    int ret, total = 0;

    winetest_push_context( "both %d", both );
    tcp_pair( &client, &server );
    thread = thread_start( sending_thread, (void *)client );
    Sleep( 200 );
    ticks = GetTickCount();
    check_ok( shutdown( client, both ? SD_BOTH : SD_SEND ) );
    ticks = GetTickCount() - ticks;
    ok( ticks < 2000, "shutdown took %lu ms\n", ticks );
    check_no_send( client );
    while ((ret = recv( server, buffer, sizeof(buffer), 0 )) > 0) total += ret;
    ok( !ret, "recv failed with %d\n", WSAGetLastError() );
    ok( total == LONG_SEND, "got %d bytes\n", total );
    ret = thread_end( thread );
    ok( ret == LONG_SEND, "send returned %d\n", ret );
    closesocket( client );
    closesocket( server );
    winetest_pop_context();
}

/* nothing is queued and nothing comes: no reset; sending goes on */
static void test_receive_side( int how )
{
    SOCKET client, server;

    winetest_push_context( "how %d", how );
    tcp_pair( &client, &server );
    check_ok( receive_shutdown( client, how ) );
    check_no_receive( client );
    check_ok( receive_shutdown( client, how ) );
    check_int( send( client, "abc", 3, 0 ), 3 );
    recv_exactly( server, "abc", 3 );
    check_no_receive( client );

    /* the end of the peer's stream is no data */
    check_ok( shutdown( server, SD_SEND ) );
    Sleep( 50 );
    check_int( send( client, "def", 3, 0 ), 3 );
    recv_exactly( server, "def", 3 );
    check_no_receive( client );
    check_ok( shutdown( client, SD_SEND ) );
    check_closed( server );
    check_ok( closesocket( client ) );
    check_ok( closesocket( server ) );

    /* non-blocking: the shutdown comes before "would block" */
    tcp_pair( &client, &server );
    socket_set_nonblocking( client, TRUE );
    check_ok( receive_shutdown( client, how ) );
    check_no_receive( client );
    closesocket( client );
    closesocket( server );

    /* after the peer's end */
    tcp_pair( &client, &server );
    check_ok( shutdown( server, SD_SEND ) );
    check_closed( client );
    check_ok( receive_shutdown( client, how ) );
    check_no_receive( client );
    check_int( send( client, "abc", 3, 0 ), 3 );
    recv_exactly( server, "abc", 3 );
    closesocket( client );
    closesocket( server );
    winetest_pop_context();
}

/* a pair whose server, which waits for a reset, does not wait for long */
static void impatient_pair( SOCKET *client, SOCKET *server )
{
    tcp_pair( client, server );
    socket_set_timeout( *server, 500 );
}

/* data that nobody takes any more: the peer's connection is reset */
static void test_receive_reset( int how )
{
    SOCKET client, server;
    unsigned i, sent;

    winetest_push_context( "how %d", how );
    for (i = 0; i < 3; i++)
    {
        /* queued when it happens */
        impatient_pair( &client, &server );
        check_int( send( server, "unread", 6, 0 ), 6 );
        ok( wait_readable( client, 1000 ), "nothing arrived\n" );
        check_ok( receive_shutdown( client, how ) );
        todo_wine check_reset( server );
        check_no_receive( client );
        check_ok( closesocket( client ) );
        check_ok( closesocket( server ) );

        /* arriving later */
        impatient_pair( &client, &server );
        check_ok( receive_shutdown( client, how ) );
        Sleep( 20 );
        sent = send( server, "late", 4, 0 );
        ok( sent == 4, "send returned %d, error %d\n", sent, WSAGetLastError() );
        todo_wine check_reset( server );
        check_no_receive( client );
        check_ok( closesocket( client ) );
        check_ok( closesocket( server ) );
    }

    /* partly read before */
    impatient_pair( &client, &server );
    check_int( send( server, "read and unread", 15, 0 ), 15 );
    recv_exactly( client, "read", 4 );
    check_ok( receive_shutdown( client, how ) );
    todo_wine check_reset( server );
    closesocket( client );
    closesocket( server );

    /* all read before: no reset until more comes */
    impatient_pair( &client, &server );
    check_int( send( server, "read", 4, 0 ), 4 );
    recv_exactly( client, "read", 4 );
    check_ok( receive_shutdown( client, how ) );
    check_int( send( client, "alive", 5, 0 ), 5 );
    recv_exactly( server, "alive", 5 );
    check_int( send( server, "more", 4, 0 ), 4 );
    todo_wine check_reset( server );
    closesocket( client );
    closesocket( server );
    winetest_pop_context();
}

static DWORD WINAPI receiving_thread( void *arg )
{
    char buffer[16];
    int ret = recv( (SOCKET)arg, buffer, sizeof(buffer), 0 );

    return ret == -1 ? (DWORD)WSAGetLastError() : (DWORD)ret;
}

/* a receive that waits already takes what comes; only what comes after that resets */
static void test_pending_receive(void)
{
    SOCKET client, server;
    HANDLE thread;
    DWORD ret;

    tcp_pair( &client, &server );
    thread = thread_start( receiving_thread, (void *)client );
    Sleep( 100 );
    check_ok( WSARecvDisconnect( client, NULL ) );
    ok( WaitForSingleObject( thread, 100 ) == WAIT_TIMEOUT, "the receive ended\n" );
    check_no_receive( client );
    socket_set_timeout( server, 500 );
    check_int( send( server, "abc", 3, 0 ), 3 );
    ret = thread_end( thread );
    ok( ret == 3, "got %lu\n", ret );
    check_int( send( client, "alive", 5, 0 ), 5 );
    recv_exactly( server, "alive", 5 );
    check_int( send( server, "more", 4, 0 ), 4 );
    todo_wine check_reset( server );
    closesocket( client );
    closesocket( server );

    /* the end of the stream is for it, too */
    tcp_pair( &client, &server );
    thread = thread_start( receiving_thread, (void *)client );
    Sleep( 100 );
    check_ok( shutdown( client, SD_RECEIVE ) );
    check_ok( shutdown( server, SD_SEND ) );
    ret = thread_end( thread );
    ok( !ret, "got %lu\n", ret );
    closesocket( client );
    closesocket( server );
}

static DWORD WINAPI receiving_all_thread( void *arg )
{
    char buffer[6];
    int ret = recv( (SOCKET)arg, buffer, sizeof(buffer), MSG_WAITALL );

    return ret == -1 ? (DWORD)WSAGetLastError() : (DWORD)ret;
}

/* several of them: each takes its share; one that wants more than came goes on waiting */
static void test_pending_receives(void)
{
    SOCKET client, server;
    HANDLE threads[3];
    DWORD ret;
    unsigned i;

    tcp_pair( &client, &server );
    socket_set_timeout( client, 8000 );
    socket_set_timeout( server, 500 );
    for (i = 0; i < ARRAY_SIZE(threads); i++) threads[i] = thread_start( receiving_thread, (void *)client );
    Sleep( 100 );
    check_ok( shutdown( client, SD_RECEIVE ) );
    for (i = 0; i < ARRAY_SIZE(threads); i++)
    {
        check_int( send( server, "0123456789abcdef", 16, 0 ), 16 );
        Sleep( 50 );
    }
    for (i = 0; i < ARRAY_SIZE(threads); i++)
    {
        ret = thread_end( threads[i] );
        ok( ret == 16, "got %lu\n", ret );
    }
    check_int( send( client, "alive", 5, 0 ), 5 );
    recv_exactly( server, "alive", 5 );
    check_int( send( server, "more", 4, 0 ), 4 );
    todo_wine check_reset( server );
    closesocket( client );
    closesocket( server );

    tcp_pair( &client, &server );
    socket_set_timeout( client, 8000 );
    socket_set_timeout( server, 500 );
    threads[0] = thread_start( receiving_all_thread, (void *)client );
    Sleep( 100 );
    check_ok( WSARecvDisconnect( client, NULL ) );
    check_int( send( server, "abc", 3, 0 ), 3 );
    ret = WaitForSingleObject( threads[0], 100 );
    todo_wine ok( ret == WAIT_TIMEOUT, "the receive ended\n" );
    check_int( send( server, "def", 3, 0 ), 3 );
    ret = thread_end( threads[0] );
    todo_wine ok( ret == 6, "got %lu\n", ret );
    check_int( send( client, "alive", 5, 0 ), 5 );
    recv_exactly( server, "alive", 5 );
    closesocket( client );
    closesocket( server );

    /* it gives up: then there is nobody */
    tcp_pair( &client, &server );
    socket_set_timeout( client, 200 );
    socket_set_timeout( server, 500 );
    threads[0] = thread_start( receiving_thread, (void *)client );
    Sleep( 50 );
    check_ok( shutdown( client, SD_RECEIVE ) );
    ret = thread_end( threads[0] );
    ok( ret == WSAETIMEDOUT, "got %lu\n", ret );
    check_int( send( server, "x", 1, 0 ), 1 );
    todo_wine check_reset( server );
    closesocket( client );
    closesocket( server );
}

/* Data that the peer's end follows, data that was only looked at, urgent data: all of it is data. */
static void test_reset_kinds( int how )
{
    SOCKET client, server;
    char c;
    int i;

    winetest_push_context( "how %d", how );
    for (i = 0; i < 2; i++)
    {
        impatient_pair( &client, &server );
        if (i) check_ok( receive_shutdown( client, how ) );
        check_int( send( server, "last", 4, 0 ), 4 );
        check_ok( shutdown( server, SD_SEND ) );
        if (!i)
        {
            ok( wait_readable( client, 1000 ), "nothing arrived\n" );
            check_ok( receive_shutdown( client, how ) );
        }
        todo_wine check_reset( server );
        closesocket( client );
        closesocket( server );
    }

    impatient_pair( &client, &server );
    check_int( send( server, "x", 1, 0 ), 1 );
    check_int( recv( client, &c, 1, MSG_PEEK ), 1 );
    check_ok( receive_shutdown( client, how ) );
    todo_wine check_reset( server );
    closesocket( client );
    closesocket( server );

    for (i = 0; i < 2; i++)
    {
        impatient_pair( &client, &server );
        if (i) check_ok( receive_shutdown( client, how ) );
        check_int( send( server, "!", 1, MSG_OOB ), 1 );
        if (!i)
        {
            Sleep( 50 );
            check_ok( receive_shutdown( client, how ) );
        }
        todo_wine check_reset( server );
        check_error( recv( client, &c, 1, MSG_OOB ), WSAESHUTDOWN );
        closesocket( client );
        closesocket( server );
    }

    /* an urgent byte that was received is gone */
    impatient_pair( &client, &server );
    check_int( send( server, "!", 1, MSG_OOB ), 1 );
    Sleep( 50 );
    check_int( recv( client, &c, 1, MSG_OOB ), 1 );
    check_ok( receive_shutdown( client, how ) );
    check_int( send( client, "alive", 5, 0 ), 5 );
    recv_exactly( server, "alive", 5 );
    check_ok( closesocket( client ) );
    flaky_wine check_closed( server );
    closesocket( server );
    winetest_pop_context();
}

struct racer
{
    SOCKET s;
    LONG   got;             /* bytes */
    int    error;           /* of the receive that ended it */
};

static DWORD WINAPI racing_thread( void *arg )
{
    struct racer *racer = arg;
    char buffer[4];
    int ret;

    while ((ret = recv( racer->s, buffer, sizeof(buffer), 0 )) > 0) racer->got += ret;
    racer->error = WSAGetLastError();
    return 0;
}

/* Receives come and go, and data comes, while it is shut down: whatever the order was, data that nobody took
 * resets the connection, and where there is none it lives. */
static void test_races(void)
{
    const unsigned tries = !strcmp( winetest_platform, "wine" ) ? 2 : 200;
    struct racer racers[2];
    SOCKET client, server;
    HANDLE threads[2];
    unsigned i, j, k;
    LONG sent;

    for (i = 0; i < tries; i++)
    {
        impatient_pair( &client, &server );
        socket_set_timeout( client, 100 );
        for (j = 0; j < 2; j++)
        {
            racers[j].s = client;
            racers[j].got = 0;
            threads[j] = thread_start( racing_thread, &racers[j] );
        }
        for (j = sent = 0; j < i % 5; j++)
        {
            if (send( server, "ab", 2, 0 ) == 2) sent += 2;
            for (k = 0; k < i % 7 * 50; k++) YieldProcessor();
        }
        check_ok( shutdown( client, SD_RECEIVE ) );
        for (j = 0; j < 2; j++)
        {
            thread_end( threads[j] );
            ok( racers[j].error == WSAESHUTDOWN || racers[j].error == WSAETIMEDOUT || racers[j].error == WSAECONNABORTED,
                "got error %d\n", racers[j].error );
        }
        if (racers[0].got + racers[1].got == sent)
        {
            check_int( send( client, "alive", 5, 0 ), 5 );
            recv_exactly( server, "alive", 5 );
            check_int( send( server, "x", 1, 0 ), 1 );
        }
        todo_wine check_reset( server );
        closesocket( client );
        closesocket( server );
    }
}

/* the same over IPv6 */
static void test_ipv6(void)
{
    SOCKET client, server;

    tcp_pair_family( AF_INET6, &client, &server );
    socket_set_timeout( server, 500 );
    check_ok( shutdown( client, SD_RECEIVE ) );
    check_no_receive( client );
    check_int( send( client, "alive", 5, 0 ), 5 );
    recv_exactly( server, "alive", 5 );
    check_int( send( server, "x", 1, 0 ), 1 );
    todo_wine check_reset( server );
    closesocket( client );
    closesocket( server );

    tcp_pair_family( AF_INET6, &client, &server );
    check_int( send( client, "last", 4, 0 ), 4 );
    check_ok( shutdown( client, SD_SEND ) );
    recv_exactly( server, "last", 4 );
    check_closed( server );
    closesocket( client );
    closesocket( server );
}

/* ---- several processes ---- */

/* commands of child processes; event: inherited, set when the child has got so far */

static void child_no_receive( SOCKET s, HANDLE event )
{
    (void)event;
    check_no_receive( s );
    check_int( send( s, "child", 5, 0 ), 5 );
}

static void child_shuts_down( SOCKET s, HANDLE event )
{
    (void)event;
    check_ok( shutdown( s, SD_RECEIVE ) );
    check_no_receive( s );
}

static void child_receives( SOCKET s, HANDLE event )
{
    char buffer[16];

    SetEvent( event );
    check_int( recv( s, buffer, sizeof(buffer), 0 ), 6 );
    check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAESHUTDOWN );
}

static const struct
{
    const char *name;
    void (*func)( SOCKET s, HANDLE event );
}
commands[] =
{
    { "no_receive", child_no_receive },
    { "shuts_down", child_shuts_down },
    { "receives", child_receives },
};

static HANDLE start( const char *command, SOCKET s, HANDLE event )
{
    char args[64];

    sprintf( args, "%s %lu %lu", command, (unsigned long)s, (unsigned long)(UINT_PTR)event );
    return child_start( args, NULL );
}

static void finish( HANDLE process )
{
    winetest_wait_child_process( process );
    CloseHandle( process );
}

static void test_processes(void)
{
    SECURITY_ATTRIBUTES attr = { sizeof(attr), NULL, TRUE };
    HANDLE process, event = CreateEventW( &attr, TRUE, FALSE, NULL );
    SOCKET client, server;

    /* shut down by one, known to the other, in both directions */
    impatient_pair( &client, &server );
    SetHandleInformation( (HANDLE)server, HANDLE_FLAG_INHERIT, 0 );
    check_ok( shutdown( client, SD_RECEIVE ) );
    finish( start( "no_receive", client, event ) );
    flaky_wine recv_exactly( server, "child", 5 );
    check_int( send( server, "x", 1, 0 ), 1 );
    todo_wine check_reset( server );
    closesocket( client );
    closesocket( server );

    impatient_pair( &client, &server );
    SetHandleInformation( (HANDLE)server, HANDLE_FLAG_INHERIT, 0 );
    finish( start( "shuts_down", client, event ) );
    flaky_wine check_no_receive( client );
    check_int( send( client, "alive", 5, 0 ), 5 );
    recv_exactly( server, "alive", 5 );
    check_int( send( server, "x", 1, 0 ), 1 );
    todo_wine check_reset( server );
    closesocket( client );
    closesocket( server );

    /* a receive that waits in another process takes what comes */
    impatient_pair( &client, &server );
    SetHandleInformation( (HANDLE)server, HANDLE_FLAG_INHERIT, 0 );
    process = start( "receives", client, event );
    ok( !WaitForSingleObject( event, 10000 ), "the child does not start\n" );
    Sleep( 200 );
    check_ok( shutdown( client, SD_RECEIVE ) );
    check_no_receive( client );
    check_int( send( server, "for it", 6, 0 ), 6 );
    finish( process );
    check_int( send( client, "alive", 5, 0 ), 5 );
    recv_exactly( server, "alive", 5 );
    check_int( send( server, "x", 1, 0 ), 1 );
    todo_wine check_reset( server );
    closesocket( client );
    closesocket( server );
    CloseHandle( event );
}

static BOOL child_main(void)
{
    char **argv;
    int argc = winetest_get_mainargs( &argv );
    unsigned i;

    if (argc != 5) return FALSE;
    for (i = 0; i < ARRAY_SIZE(commands); i++)
    {
        if (strcmp( commands[i].name, argv[2] )) continue;
        /* in a process that did not make the socket, Wine refuses many calls, but not always the same */
        flaky_wine commands[i].func( strtoul( argv[3], NULL, 10 ), (HANDLE)(UINT_PTR)strtoul( argv[4], NULL, 10 ) );
    }
    return TRUE;
}

static void test_both(void)
{
    SOCKET client, server;
    union address addr, peer;
    int len;

    tcp_pair( &client, &server );
    len = sizeof(addr);
    check_ok( getpeername( client, &addr.sa, &len ) );
    check_ok( shutdown( client, SD_BOTH ) );
    check_no_send( client );
    check_no_receive( client );
    check_closed( server );
    check_ok( shutdown( client, SD_BOTH ) );
    check_ok( shutdown( client, SD_SEND ) );
    check_ok( shutdown( client, SD_RECEIVE ) );
    check_ok( shutdown( server, SD_BOTH ) );
    check_no_send( server );
    check_no_receive( server );

    /* both still know each other */
    len = sizeof(peer);
    todo_wine check_ok( getpeername( client, &peer.sa, &len ) );
    todo_wine ok( !memcmp( &addr, &peer, sizeof(addr.in) ), "got another peer\n" );
    len = sizeof(peer);
    todo_wine check_ok( getpeername( server, &peer.sa, &len ) );
    check_error( connect( client, &addr.sa, sizeof(addr.in) ), WSAEISCONN );
    check_ok( closesocket( client ) );
    check_ok( closesocket( server ) );

    tcp_pair( &client, &server );
    len = sizeof(addr);
    check_ok( getpeername( client, &addr.sa, &len ) );
    check_ok( shutdown( client, SD_SEND ) );
    check_error( connect( client, &addr.sa, sizeof(addr.in) ), WSAEISCONN );
    closesocket( client );
    closesocket( server );
}

static void test_errors(void)
{
    SOCKET s, client, server;
    union address addr;

    tcp_pair( &client, &server );
    check_error( shutdown( client, 3 ), WSAEINVAL );
    check_error( shutdown( client, -1 ), WSAEINVAL );
    check_error( shutdown( client, 0xdead ), WSAEINVAL );
    check_int( send( client, "abc", 3, 0 ), 3 );
    recv_exactly( server, "abc", 3 );
    closesocket( client );
    closesocket( server );

    s = socket_new( AF_INET, SOCK_STREAM );
    check_error( shutdown( s, SD_SEND ), WSAENOTCONN );
    check_error( shutdown( s, SD_RECEIVE ), WSAENOTCONN );
    check_error( shutdown( s, SD_BOTH ), WSAENOTCONN );
    check_error( WSARecvDisconnect( s, NULL ), WSAENOTCONN );
    check_error( WSASendDisconnect( s, NULL ), WSAENOTCONN );
    closesocket( s );

    s = socket_listening( AF_INET, &addr );
    check_error( shutdown( s, SD_SEND ), WSAENOTCONN );
    check_error( shutdown( s, SD_RECEIVE ), WSAENOTCONN );
    check_error( shutdown( s, SD_BOTH ), WSAENOTCONN );
    check_error( WSARecvDisconnect( s, NULL ), WSAENOTCONN );
    check_error( WSASendDisconnect( s, NULL ), WSAENOTCONN );
    client = socket_connecting( &addr );
    server = socket_accepted( s );
    closesocket( client );
    closesocket( server );
    closesocket( s );
}

/* WSARecvDisconnect neither waits nor closes, whatever SO_LINGER says */
static void test_receive_disconnect_linger(void)
{
    struct linger linger = { 1, 5 };
    SOCKET client, server;
    DWORD ticks;
    int len;

    tcp_pair( &client, &server );
    check_ok( setsockopt( client, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) ) );
    ticks = GetTickCount();
    check_ok( WSARecvDisconnect( client, NULL ) );
    ticks = GetTickCount() - ticks;
    ok( ticks < 1000, "it took %lu ms\n", ticks );
    memset( &linger, 0, sizeof(linger) );
    len = sizeof(linger);
    check_ok( getsockopt( client, SOL_SOCKET, SO_LINGER, (char *)&linger, &len ) );
    ok( linger.l_onoff == 1 && linger.l_linger == 5, "got %d, %d\n", linger.l_onoff, linger.l_linger );
    linger.l_onoff = 0;
    setsockopt( client, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) );
    closesocket( client );
    closesocket( server );
}

static void test_udp( int how )
{
    union address addr_a, addr_b;
    u_long queued = 0xdeadbeef;
    char buffer[16];
    SOCKET a, b;
    int i;

    winetest_push_context( "how %d", how );
    a = socket_bound( AF_INET, SOCK_DGRAM, &addr_a );
    b = socket_bound( AF_INET, SOCK_DGRAM, &addr_b );
    socket_set_timeout( b, 100 );

    /* datagrams are accepted and queued, not refused; the sender sees no difference */
    check_int( sendto( b, "queued", 6, 0, &addr_a.sa, sizeof(addr_a.in) ), 6 );
    check_ok( receive_shutdown( a, how ) );
    check_no_receive( a );
    for (i = 0; i < 3; i++)
    {
        check_int( sendto( b, "more", 4, 0, &addr_a.sa, sizeof(addr_a.in) ), 4 );
        check_error( recv( b, buffer, sizeof(buffer), 0 ), WSAETIMEDOUT );
    }
    check_no_receive( a );
    check_ok( ioctlsocket( a, FIONREAD, &queued ) );
    todo_wine ok( queued == 6 + 3 * 4, "%lu bytes are queued\n", queued );
    check_int( sendto( a, "sends", 5, 0, &addr_b.sa, sizeof(addr_b.in) ), 5 );
    check_int( recv( b, buffer, sizeof(buffer), 0 ), 5 );
    check_ok( closesocket( a ) );

    /* connected */
    a = socket_bound( AF_INET, SOCK_DGRAM, &addr_a );
    check_ok( connect( b, &addr_a.sa, sizeof(addr_a.in) ) );
    check_ok( connect( a, &addr_b.sa, sizeof(addr_b.in) ) );
    check_ok( receive_shutdown( a, how ) );
    check_int( send( b, "more", 4, 0 ), 4 );
    check_error( recv( b, buffer, sizeof(buffer), 0 ), WSAETIMEDOUT );
    check_int( send( b, "more", 4, 0 ), 4 );
    check_no_receive( a );
    check_int( send( a, "sends", 5, 0 ), 5 );
    check_int( recv( b, buffer, sizeof(buffer), 0 ), 5 );

    /* and the sending side */
    check_ok( shutdown( a, SD_SEND ) );
    check_no_send( a );
    closesocket( a );
    closesocket( b );

    a = socket_bound( AF_INET, SOCK_DGRAM, &addr_a );
    b = socket_bound( AF_INET, SOCK_DGRAM, &addr_b );
    check_ok( shutdown( a, SD_SEND ) );
    check_error( sendto( a, "x", 1, 0, &addr_b.sa, sizeof(addr_b.in) ), WSAESHUTDOWN );
    check_int( sendto( b, "receives", 8, 0, &addr_a.sa, sizeof(addr_a.in) ), 8 );
    check_int( recv( a, buffer, sizeof(buffer), 0 ), 8 );
    closesocket( a );
    closesocket( b );
    winetest_pop_context();
}

/* a peer that ends without ceremony */
static void test_resets(void)
{
    SOCKET client, server;
    HANDLE thread;
    DWORD ret;
    int i, error, len;

    for (i = 0; i < 10; i++)
    {
        /* before the receive */
        tcp_pair( &client, &server );
        socket_reset( server );
        Sleep( 10 );
        flaky_wine check_reset( client );
        len = sizeof(error);
        error = 0xdeadbeef;
        check_ok( getsockopt( client, SOL_SOCKET, SO_ERROR, (char *)&error, &len ) );
        ok( !error, "got %d\n", error );
        flaky_wine check_reset( client );
        closesocket( client );

        /* closed while it has unread data */
        tcp_pair( &client, &server );
        check_int( send( client, "unread", 6, 0 ), 6 );
        ok( wait_readable( server, 1000 ), "nothing arrived\n" );
        closesocket( server );
        flaky_wine check_reset( client );
        closesocket( client );
    }

    /* during the receive */
    tcp_pair( &client, &server );
    thread = thread_start( receiving_thread, (void *)client );
    Sleep( 50 );
    socket_reset( server );
    ret = thread_end( thread );
    flaky_wine ok( ret == WSAECONNRESET, "got %lu\n", ret );
    closesocket( client );
}

/* a graceful close leaves all data */
static void test_graceful(void)
{
    SOCKET client, server;

    tcp_pair( &client, &server );
    check_int( send( server, "last words", 10, 0 ), 10 );
    check_ok( closesocket( server ) );
    recv_exactly( client, "last words", 10 );
    check_closed( client );
    check_closed( client );
    closesocket( client );
}

START_TEST(shutdown)
{
    static const int ways[] = { SD_RECEIVE, -1 };
    WSADATA data;
    unsigned i;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    if (child_main())
    {
        WSACleanup();
        return;
    }
    test_send_side( FALSE );
    test_send_side( TRUE );
    test_send_pending( FALSE );
    test_send_pending( TRUE );
    for (i = 0; i < ARRAY_SIZE(ways); i++)
    {
        test_receive_side( ways[i] );
        test_receive_reset( ways[i] );
        test_reset_kinds( ways[i] );
        test_udp( ways[i] );
    }
    test_pending_receive();
    test_pending_receives();
    test_races();
    test_ipv6();
    test_processes();
    test_both();
    test_errors();
    test_receive_disconnect_linger();
    test_resets();
    test_graceful();
    WSACleanup();
}
