/*
 * select and WSAPoll
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

/* more than the default, as many programs have it */
#define FD_SETSIZE 1024

#include "util.h"

#ifndef POLLRDNORM
#error WSAPoll needs _WIN32_WINNT 0x0600
#endif

enum { READ = 1, WRITE = 2, EXCEPT = 4 };

/* which of the three sets a socket comes back in; -1 if select fails */
static int select_one( SOCKET s, DWORD ms )
{
    struct timeval timeout = { ms / 1000, ms % 1000 * 1000 };
    fd_set readfds, writefds, exceptfds;
    int ret, result = 0;

    FD_ZERO( &readfds );
    FD_ZERO( &writefds );
    FD_ZERO( &exceptfds );
    FD_SET( s, &readfds );
    FD_SET( s, &writefds );
    FD_SET( s, &exceptfds );
    ret = select( 0, &readfds, &writefds, &exceptfds, &timeout );
    if (ret == -1) return -1;
    if (FD_ISSET( s, &readfds )) result |= READ;
    if (FD_ISSET( s, &writefds )) result |= WRITE;
    if (FD_ISSET( s, &exceptfds )) result |= EXCEPT;
    if (ret != !!(result & READ) + !!(result & WRITE) + !!(result & EXCEPT)
        || ret != (int)(readfds.fd_count + writefds.fd_count + exceptfds.fd_count))
        ok( 0, "select returned %d for sets %d with %u, %u, %u sockets\n", ret, result, readfds.fd_count,
            writefds.fd_count, exceptfds.fd_count );
    return result;
}

/* waits until a socket comes back in at least these sets, and returns all */
static int select_until( SOCKET s, int sets )
{
    int i, result = 0;

    for (i = 0; i < 100; i++)
    {
        result = select_one( s, 0 );
        if ((result & sets) == sets) break;
        Sleep( 10 );
    }
    return result;
}

static void test_arguments(void)
{
    struct timeval timeout = { 0, 0 };
    fd_set set, other;
    SOCKET s;

    check_error( select( 0, NULL, NULL, NULL, &timeout ), WSAEINVAL );
    check_error( select( 0, NULL, NULL, NULL, NULL ), WSAEINVAL );
    FD_ZERO( &set );
    FD_ZERO( &other );
    check_error( select( 0, &set, NULL, NULL, &timeout ), WSAEINVAL );
    check_error( select( 0, NULL, &set, NULL, &timeout ), WSAEINVAL );
    check_error( select( 0, NULL, NULL, &set, &timeout ), WSAEINVAL );
    check_error( select( 0, &set, &other, NULL, &timeout ), WSAEINVAL );

    s = socket_new( AF_INET, SOCK_DGRAM );
    FD_SET( s, &set );
    timeout.tv_sec = -1;
    todo_wine check_error( select( 0, NULL, &set, NULL, &timeout ), WSAEINVAL );
    timeout.tv_sec = 0;
    /* the first parameter means nothing */
    check_int( select( -1, NULL, &set, NULL, &timeout ), 1 );
    check_int( select( 1234567, NULL, &set, &other, &timeout ), 1 );
    closesocket( s );

    /* what is no socket */
    FD_ZERO( &set );
    FD_SET( s, &set );
    check_error( select( 0, &set, NULL, NULL, &timeout ), WSAENOTSOCK );
    FD_ZERO( &set );
    FD_SET( INVALID_SOCKET, &set );
    check_error( select( 0, &set, NULL, NULL, &timeout ), WSAENOTSOCK );
    FD_ZERO( &set );
    FD_SET( 0xabacab, &set );
    check_error( select( 0, NULL, NULL, &set, &timeout ), WSAENOTSOCK );
    s = socket_new( AF_INET, SOCK_DGRAM );
    FD_SET( s, &set );
    check_error( select( 0, NULL, &set, NULL, &timeout ), WSAENOTSOCK );
    closesocket( s );
}

static void piece_bad_pointers(void)
{
    struct timeval timeout = { 0, 0 };
    SOCKET s = socket_new( AF_INET, SOCK_DGRAM );
    fd_set set;

    FD_ZERO( &set );
    FD_SET( s, &set );
    check_error( select( 0, bad_pointer(), NULL, NULL, &timeout ), WSAEFAULT );
    check_error( select( 0, NULL, &set, NULL, bad_pointer() ), WSAEFAULT );
    ok( !__WSAFDIsSet( s, NULL ), "is set\n" );
    ok( !__WSAFDIsSet( s, bad_pointer() ), "is set\n" );
    closesocket( s );
}

static void test_isset(void)
{
    fd_set set;

    FD_ZERO( &set );
    ok( !FD_ISSET( 1, &set ), "is set\n" );
    FD_SET( 1, &set );
    FD_SET( 12345, &set );
    FD_SET( 1, &set );
    ok( set.fd_count == 2, "got %u\n", set.fd_count );
    ok( __WSAFDIsSet( 1, &set ), "is not set\n" );
    ok( __WSAFDIsSet( 12345, &set ), "is not set\n" );
    ok( !__WSAFDIsSet( 2, &set ), "is set\n" );
    FD_CLR( 1, &set );
    ok( !__WSAFDIsSet( 1, &set ), "is set\n" );
    ok( __WSAFDIsSet( 12345, &set ), "is not set\n" );
}

static void test_readiness(void)
{
    SOCKET listener, client, server, a, b;
    union address addr;
    char buffer[16];
    int on = 1;
    DWORD queued;

    listener = socket_listening( AF_INET, &addr );
    check_int( select_one( listener, 0 ), 0 );
    client = socket_connecting( &addr );
    check_int( select_until( listener, READ ), READ );
    server = accept( listener, NULL, NULL );
    socket_set_timeout( server, 3000 );
    check_int( select_one( listener, 0 ), 0 );
    closesocket( listener );

    check_int( select_one( client, 0 ), WRITE );
    check_int( select_one( server, 0 ), WRITE );
    check_int( send( client, "ab", 2, 0 ), 2 );
    check_int( select_until( server, READ ), READ | WRITE );
    check_int( recv( server, buffer, 1, 0 ), 1 );
    check_int( select_one( server, 0 ), READ | WRITE );
    check_int( recv( server, buffer, 1, 0 ), 1 );
    check_int( select_one( server, 0 ), WRITE );

    /* urgent data is exceptional */
    check_int( send( client, "X", 1, MSG_OOB ), 1 );
    check_int( select_until( server, EXCEPT ), WRITE | EXCEPT );
    check_int( recv( server, buffer, 1, MSG_OOB ), 1 );
    check_int( select_one( server, 0 ), WRITE );
    /* unless it comes in line */
    check_ok( setsockopt( server, SOL_SOCKET, SO_OOBINLINE, (char *)&on, sizeof(on) ) );
    check_int( send( client, "Y", 1, MSG_OOB ), 1 );
    check_int( select_until( server, READ ), READ | WRITE );
    check_int( recv( server, buffer, 1, 0 ), 1 );
    todo_wine ok( buffer[0] == 'Y', "got %s\n", debugstr_an( buffer, 1 ) );
    todo_wine check_int( select_one( server, 0 ), WRITE );

    /* no room */
    queued = fill_send_buffers( client );
    check_int( select_one( client, 0 ), 0 );
    recv_exactly( server, NULL, queued );
    check_int( select_until( client, WRITE ), WRITE );

    /* the end of the stream */
    check_ok( shutdown( client, SD_SEND ) );
    check_int( select_until( server, READ ), READ | WRITE );
    todo_wine check_int( recv( server, buffer, 1, 0 ), 0 );
    check_int( select_one( server, 0 ), READ | WRITE );
    check_int( select_one( client, 0 ), WRITE );
    closesocket( server );
    check_int( select_until( client, READ ), READ | WRITE );
    closesocket( client );

    /* datagrams, empty ones, too */
    udp_pair( &a, &b );
    check_int( select_one( a, 0 ), WRITE );
    check_int( send( a, "", 0, 0 ), 0 );
    check_int( select_until( b, READ ), READ | WRITE );
    check_int( recv( b, buffer, sizeof(buffer), 0 ), 0 );
    check_int( select_one( b, 0 ), WRITE );
    closesocket( a );
    closesocket( b );
}

static void test_reset_and_refusal(void)
{
    SOCKET client, server, s;
    union address nobody;

    tcp_pair( &client, &server );
    socket_reset( server );
    check_int( select_until( client, READ ), READ | WRITE );
    closesocket( client );

    address_loopback( &nobody, AF_INET, unused_port( AF_INET, SOCK_STREAM ) );
    s = socket_new( AF_INET, SOCK_STREAM );
    socket_set_nonblocking( s, TRUE );
    check_error( connect( s, &nobody.sa, sizeof(nobody.in) ), WSAEWOULDBLOCK );
    flaky_wine check_int( select_one( s, 5000 ), EXCEPT );
    flaky_wine check_int( select_one( s, 0 ), EXCEPT );
    closesocket( s );
}

/* several sockets in several sets: only those which are ready remain */
static void test_sets(void)
{
    SOCKET client[3], server[3];
    fd_set readfds, writefds;
    struct timeval timeout = { 1, 0 };
    int i;

    for (i = 0; i < 3; i++) tcp_pair( &client[i], &server[i] );
    check_int( send( client[1], "x", 1, 0 ), 1 );
    ok( wait_readable( server[1], 1000 ), "nothing arrived\n" );
    FD_ZERO( &readfds );
    FD_ZERO( &writefds );
    for (i = 0; i < 3; i++) FD_SET( server[i], &readfds );
    FD_SET( server[2], &writefds );
    FD_SET( server[1], &writefds );
    check_int( select( 0, &readfds, &writefds, NULL, &timeout ), 3 );
    ok( readfds.fd_count == 1 && readfds.fd_array[0] == server[1], "got %u readable\n", readfds.fd_count );
    ok( writefds.fd_count == 2, "got %u writable\n", writefds.fd_count );
    ok( FD_ISSET( server[1], &writefds ) && FD_ISSET( server[2], &writefds ), "others are writable\n" );
    ok( timeout.tv_sec == 1 && !timeout.tv_usec, "the time-out changed\n" );

    /* none remains when the time is over */
    FD_ZERO( &readfds );
    FD_SET( server[0], &readfds );
    FD_SET( server[2], &readfds );
    timeout.tv_sec = 0;
    timeout.tv_usec = 10000;
    check_int( select( 0, &readfds, NULL, NULL, &timeout ), 0 );
    ok( !readfds.fd_count, "got %u\n", readfds.fd_count );
    for (i = 0; i < 3; i++)
    {
        closesocket( client[i] );
        closesocket( server[i] );
    }
}

static void test_many(void)
{
    static SOCKET sockets[700];
    static WSAPOLLFD fds[700];
    union address addr;
    struct timeval timeout = { 1, 0 };
    fd_set set;
    unsigned i;
    SOCKET s;

    for (i = 0; i < ARRAY_SIZE(sockets); i++) sockets[i] = socket_bound( AF_INET, SOCK_DGRAM, &addr );
    s = socket_new( AF_INET, SOCK_DGRAM );
    check_int( sendto( s, "x", 1, 0, &addr.sa, sizeof(addr.in) ), 1 );

    FD_ZERO( &set );
    for (i = 0; i < ARRAY_SIZE(sockets); i++) FD_SET( sockets[i], &set );
    check_int( select( 0, &set, NULL, NULL, &timeout ), 1 );
    ok( set.fd_count == 1 && set.fd_array[0] == sockets[ARRAY_SIZE(sockets) - 1], "got %u\n", set.fd_count );
    FD_ZERO( &set );
    for (i = 0; i < ARRAY_SIZE(sockets); i++) FD_SET( sockets[i], &set );
    check_int( select( 0, NULL, &set, NULL, &timeout ), ARRAY_SIZE(sockets) );
    ok( set.fd_count == ARRAY_SIZE(sockets), "got %u\n", set.fd_count );

    for (i = 0; i < ARRAY_SIZE(sockets); i++)
    {
        fds[i].fd = sockets[i];
        fds[i].events = POLLRDNORM;
    }
    check_int( WSAPoll( fds, ARRAY_SIZE(fds), 1000 ), 1 );
    ok( fds[ARRAY_SIZE(fds) - 1].revents == POLLRDNORM, "got %#x\n", fds[ARRAY_SIZE(fds) - 1].revents );
    ok( !fds[0].revents, "got %#x\n", fds[0].revents );
    for (i = 0; i < ARRAY_SIZE(sockets); i++) closesocket( sockets[i] );
    closesocket( s );
}

struct delayed
{
    SOCKET s;
    void (*action)( SOCKET s );
};

static DWORD WINAPI delayed_thread( void *arg )
{
    struct delayed *delayed = arg;

    Sleep( 100 );
    delayed->action( delayed->s );
    return 0;
}

static void do_send( SOCKET s )
{
    send( s, "x", 1, 0 );
}

static void do_close( SOCKET s )
{
    closesocket( s );
}

static void test_waiting(void)
{
    SOCKET client, server;
    struct delayed delayed;
    struct timeval timeout;
    WSAPOLLFD fd;
    HANDLE thread;
    DWORD ticks;
    fd_set set;
    char c;

    tcp_pair( &client, &server );
    FD_ZERO( &set );
    FD_SET( server, &set );
    timeout.tv_sec = 0;
    timeout.tv_usec = 150000;
    ticks = GetTickCount();
    check_int( select( 0, &set, NULL, NULL, &timeout ), 0 );
    ticks = GetTickCount() - ticks;
    ok( ticks >= 130 && ticks < 2000, "it took %lu ms\n", ticks );

    delayed.s = client;
    delayed.action = do_send;
    thread = thread_start( delayed_thread, &delayed );
    FD_ZERO( &set );
    FD_SET( server, &set );
    ticks = GetTickCount();
    check_int( select( 0, &set, NULL, NULL, NULL ), 1 );
    ticks = GetTickCount() - ticks;
    ok( ticks >= 80 && ticks < 2000, "it took %lu ms\n", ticks );
    thread_end( thread );
    check_int( recv( server, &c, 1, 0 ), 1 );

    fd.fd = server;
    fd.events = POLLRDNORM;
    ticks = GetTickCount();
    check_int( WSAPoll( &fd, 1, 150 ), 0 );
    ticks = GetTickCount() - ticks;
    ok( ticks >= 130 && ticks < 2000, "it took %lu ms\n", ticks );
    ok( !fd.revents, "got %#x\n", fd.revents );
    thread = thread_start( delayed_thread, &delayed );
    check_int( WSAPoll( &fd, 1, -1 ), 1 );
    ok( fd.revents == POLLRDNORM, "got %#x\n", fd.revents );
    thread_end( thread );
    closesocket( client );
    closesocket( server );
}

/* a socket that another thread closes meanwhile */
static void piece_close_in_select(void)
{
    struct timeval timeout = { 5, 0 };
    struct delayed delayed;
    SOCKET client, server;
    HANDLE thread;
    DWORD ticks;
    fd_set set;

    tcp_pair( &client, &server );
    delayed.s = server;
    delayed.action = do_close;
    thread = thread_start( delayed_thread, &delayed );
    FD_ZERO( &set );
    FD_SET( server, &set );
    ticks = GetTickCount();
    todo_wine check_error( select( 0, &set, NULL, NULL, &timeout ), WSAENOTSOCK );
    ticks = GetTickCount() - ticks;
    ok( ticks < 3000, "it took %lu ms\n", ticks );
    thread_end( thread );
    closesocket( client );
}

/* how WSAPoll tells of it is not documented, but it does not go on waiting */
static void piece_close_in_poll(void)
{
    struct delayed delayed;
    SOCKET client, server;
    WSAPOLLFD fd;
    HANDLE thread;
    int ret;

    tcp_pair( &client, &server );
    delayed.s = server;
    delayed.action = do_close;
    thread = thread_start( delayed_thread, &delayed );
    fd.fd = server;
    fd.events = POLLRDNORM;
    ret = WSAPoll( &fd, 1, 5000 );
    ok( ret, "WSAPoll waited until its time was over\n" );
    thread_end( thread );
    closesocket( client );
}

static int poll_one( SOCKET s, SHORT events, int ms )
{
    WSAPOLLFD fd;
    int ret;

    fd.fd = s;
    fd.events = events;
    fd.revents = 0xdead;
    ret = WSAPoll( &fd, 1, ms );
    if (ret == -1) return -WSAGetLastError();
    if (ret != !!fd.revents) ok( 0, "WSAPoll returned %d with events %#x\n", ret, fd.revents );
    return (USHORT)fd.revents;
}

static int poll_until( SOCKET s, SHORT events, SHORT bits )
{
    int i, result = 0;

    for (i = 0; i < 100; i++)
    {
        result = poll_one( s, events, 0 );
        if (result < 0 || (result & bits) == bits) break;
        Sleep( 10 );
    }
    return result;
}

#define check_poll( result, expect ) check_poll_( __LINE__, #result, result, expect )
static void check_poll_( int line, const char *call, int result, int expect )
{
    ok_(__FILE__, line)( result == expect, "%s gave %#x, expected %#x\n", call, result, expect );
}

static void test_poll_arguments(void)
{
    SOCKET client, server, closed;
    WSAPOLLFD fds[3];

    check_error( WSAPoll( NULL, 0, 0 ), WSAEINVAL );
    check_error( WSAPoll( fds, 0, 0 ), WSAEINVAL );

    tcp_pair( &client, &server );
    /* bits that are not supported, or only come back */
    todo_wine check_poll( poll_one( server, POLLERR, 0 ), -WSAEINVAL );
    todo_wine check_poll( poll_one( server, POLLHUP, 0 ), -WSAEINVAL );
    todo_wine check_poll( poll_one( server, POLLNVAL, 0 ), -WSAEINVAL );
    todo_wine check_poll( poll_one( server, POLLPRI, 0 ), -WSAEINVAL );
    todo_wine check_poll( poll_one( server, POLLWRBAND, 0 ), -WSAEINVAL );
    todo_wine check_poll( poll_one( server, POLLRDNORM | POLLERR, 0 ), -WSAEINVAL );

    /* negative ones are left out */
    fds[0].fd = INVALID_SOCKET;
    fds[0].events = POLLRDNORM;
    fds[1].fd = server;
    fds[1].events = POLLWRNORM;
    fds[2].fd = (SOCKET)-2;
    fds[2].events = POLLWRNORM;
    fds[0].revents = fds[1].revents = fds[2].revents = 0x7777;
    check_int( WSAPoll( fds, 3, 0 ), 1 );
    ok( fds[1].revents == POLLWRNORM, "got %#x\n", fds[1].revents );

    /* one that is no socket spoils it */
    closed = socket_new( AF_INET, SOCK_STREAM );
    closesocket( closed );
    fds[0].fd = server;
    fds[0].events = POLLWRNORM;
    fds[1].fd = closed;
    fds[1].events = POLLRDNORM;
    todo_wine check_error( WSAPoll( fds, 2, 0 ), WSAEINVAL );
    fds[1].fd = client;
    fds[1].events = POLLERR;
    todo_wine check_error( WSAPoll( fds, 2, 0 ), WSAEINVAL );
    closesocket( client );
    closesocket( server );
}

static void piece_poll_pointer(void)
{
    check_error( WSAPoll( bad_pointer(), 1, 0 ), WSAEFAULT );
}

static void test_poll_readiness(void)
{
    const SHORT all = POLLRDNORM | POLLRDBAND | POLLWRNORM;
    SOCKET listener, client, server, a, b;
    union address addr;
    char buffer[16];

    listener = socket_listening( AF_INET, &addr );
    check_poll( poll_one( listener, POLLRDNORM, 0 ), 0 );
    client = socket_connecting( &addr );
    check_poll( poll_until( listener, POLLRDNORM, POLLRDNORM ), POLLRDNORM );
    server = accept( listener, NULL, NULL );
    socket_set_timeout( server, 3000 );
    closesocket( listener );

    check_poll( poll_one( client, all, 0 ), POLLWRNORM );
    check_poll( poll_one( client, POLLIN | POLLOUT, 0 ), POLLOUT );
    check_poll( poll_one( client, POLLRDNORM, 0 ), 0 );
    check_poll( poll_one( client, 0, 0 ), 0 );
    check_int( send( client, "x", 1, 0 ), 1 );
    check_poll( poll_until( server, all, POLLRDNORM ), POLLRDNORM | POLLWRNORM );
    check_poll( poll_one( server, POLLRDNORM, 0 ), POLLRDNORM );
    check_poll( poll_one( server, POLLWRNORM, 0 ), POLLWRNORM );
    check_int( recv( server, buffer, 1, 0 ), 1 );
    check_poll( poll_one( server, all, 0 ), POLLWRNORM );

    check_int( send( client, "X", 1, MSG_OOB ), 1 );
    check_poll( poll_until( server, all, POLLRDBAND ), POLLRDBAND | POLLWRNORM );
    check_int( recv( server, buffer, 1, MSG_OOB ), 1 );
    check_poll( poll_one( server, all, 0 ), POLLWRNORM );

    fill_send_buffers( client );
    check_poll( poll_one( client, all, 0 ), 0 );
    closesocket( client );
    closesocket( server );

    udp_pair( &a, &b );
    check_poll( poll_one( a, POLLRDNORM | POLLWRNORM, 0 ), POLLWRNORM );
    check_int( send( a, "abc", 3, 0 ), 3 );
    check_poll( poll_until( b, POLLRDNORM | POLLWRNORM, POLLRDNORM ), POLLRDNORM | POLLWRNORM );
    closesocket( a );
    closesocket( b );
}

static void test_poll_ends(void)
{
    const SHORT both = POLLRDNORM | POLLWRNORM;
    SOCKET client, server, s;
    union address nobody;
    char buffer[16];

    /* a graceful end, with and without data before it */
    tcp_pair( &client, &server );
    check_ok( shutdown( client, SD_SEND ) );
    check_poll( poll_until( server, both, POLLHUP ), POLLHUP | POLLWRNORM );
    check_poll( poll_one( server, POLLRDNORM, 0 ), POLLHUP );
    check_poll( poll_one( client, both, 0 ), POLLWRNORM );
    closesocket( client );
    closesocket( server );

    tcp_pair( &client, &server );
    check_int( send( client, "last", 4, 0 ), 4 );
    check_ok( closesocket( client ) );
    todo_wine check_poll( poll_until( server, both, POLLHUP ), POLLHUP | POLLRDNORM | POLLWRNORM );
    check_int( recv( server, buffer, sizeof(buffer), 0 ), 4 );
    check_poll( poll_one( server, both, 0 ), POLLHUP | POLLWRNORM );
    closesocket( server );

    tcp_pair( &client, &server );
    socket_reset( client );
    flaky_wine check_poll( poll_until( server, both, POLLHUP ), POLLERR | POLLHUP | POLLWRNORM );
    closesocket( server );

    address_loopback( &nobody, AF_INET, unused_port( AF_INET, SOCK_STREAM ) );
    s = socket_new( AF_INET, SOCK_STREAM );
    socket_set_nonblocking( s, TRUE );
    check_error( connect( s, &nobody.sa, sizeof(nobody.in) ), WSAEWOULDBLOCK );
    todo_wine check_poll( poll_one( s, both, 5000 ), POLLERR | POLLHUP | POLLWRNORM );
    todo_wine check_poll( poll_one( s, POLLRDNORM, 0 ), POLLERR | POLLHUP );
    closesocket( s );
}

static const struct piece pieces[] =
{
    { "bad_pointers", piece_bad_pointers },
    { "poll_pointer", piece_poll_pointer },
    { "close_in_select", piece_close_in_select },
    { "close_in_poll", piece_close_in_poll },
};

START_TEST(select)
{
    WSADATA data;
    unsigned i;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    if (!piece_main( pieces, ARRAY_SIZE(pieces) ))
    {
        test_arguments();
        test_isset();
        test_readiness();
        test_reset_and_refusal();
        test_sets();
        test_many();
        test_waiting();
        test_poll_arguments();
        test_poll_readiness();
        test_poll_ends();
        for (i = 0; i < ARRAY_SIZE(pieces); i++)
            todo_wine_if( pieces[i].func == piece_bad_pointers || pieces[i].func == piece_poll_pointer )
                piece_run( pieces[i].name );
    }
    WSACleanup();
}
