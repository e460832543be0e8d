/*
 * Tests of making, binding, connecting and accepting, through the protocol
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

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <net/if.h>

#include "raw.h"

static struct raw raw;

static void open_client( void **state )
{
    (void)state;
    raw_open( &raw );
}

/* ---- create ---- */

static void test_create( void **state )
{
    static const struct { u32 family, type, protocol, error, linux_type, shown; } cases[] =
    {
        { WS_AF_INET, WS_SOCK_STREAM, 0, 0, SOCK_STREAM, IPPROTO_TCP },
        { WS_AF_INET, WS_SOCK_STREAM, IPPROTO_TCP, 0, SOCK_STREAM, IPPROTO_TCP },
        { WS_AF_INET, WS_SOCK_DGRAM, 0, 0, SOCK_DGRAM, IPPROTO_UDP },
        { WS_AF_INET6, WS_SOCK_STREAM, IPPROTO_TCP, 0, SOCK_STREAM, IPPROTO_TCP },
        { WS_AF_INET6, WS_SOCK_DGRAM, IPPROTO_UDP, 0, SOCK_DGRAM, IPPROTO_UDP },
        { WS_AF_INET, WS_SOCK_STREAM, IPPROTO_UDP, WSAEPROTONOSUPPORT, 0, 0 },
        { WS_AF_INET, WS_SOCK_DGRAM, IPPROTO_TCP, WSAEPROTONOSUPPORT, 0, 0 },
        { WS_AF_INET, WS_SOCK_RAW, 256, WSAEPROTONOSUPPORT, 0, 0 },
        { WS_AF_INET, 4, 0, WSAESOCKTNOSUPPORT, 0, 0 },
        { WS_AF_INET, 0, 0, WSAESOCKTNOSUPPORT, 0, 0 },
        { WS_AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, WSAESOCKTNOSUPPORT, 0, 0 },
        { AF_INET6, WS_SOCK_STREAM, 0, WSAEAFNOSUPPORT, 0, 0 },     /* Linux' number */
        { 1, WS_SOCK_STREAM, 0, WSAEAFNOSUPPORT, 0, 0 },
        { 0x10002, WS_SOCK_STREAM, 0, WSAEAFNOSUPPORT, 0, 0 },
        { 0xffffffff, 0xffffffff, 0xffffffff, WSAEAFNOSUPPORT, 0, 0 }
    };
    struct raw_sock sock;
    int value;
    u64 cookie;
    size_t i;

    open_client( state );
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    {
        assert_int_equal( raw_create( &raw, cases[i].family, cases[i].type, cases[i].protocol, &sock ), cases[i].error );
        if (cases[i].error) continue;
        assert_int_equal( socket_get_int( sock.fd, SOL_SOCKET, SO_TYPE, &value ), 0 );
        assert_int_equal( value, cases[i].linux_type );
        assert_int_equal( socket_cookie( sock.fd, &cookie ), 0 );
        assert_int_equal( cookie, sock.cookie );
        assert_int_equal( raw_slot( &raw, &sock )->cookie, cookie );
        assert_int_equal( raw_slot( &raw, &sock )->generation, sock.ref.generation );
        assert_int_equal( raw_slot( &raw, &sock )->state, SOCKET_OPEN );
        assert_int_equal( raw_slot( &raw, &sock )->flags, 0 );
        assert_int_equal( raw_slot( &raw, &sock )->family, cases[i].family );
        assert_int_equal( raw_slot( &raw, &sock )->type, cases[i].type );
        assert_int_equal( raw_slot( &raw, &sock )->protocol, cases[i].shown );
        assert_int_equal( raw_slot( &raw, &sock )->options[OPTION_RCVBUF], 65536 );
        /* a plain child process may get it as its stdout */
        assert_false( fcntl( sock.fd, F_GETFL ) & O_NONBLOCK );
        if (cases[i].family == WS_AF_INET6)
        {
            assert_int_equal( socket_get_int( sock.fd, IPPROTO_IPV6, IPV6_V6ONLY, &value ), 0 );
            assert_int_equal( value, 1 );
        }
        assert_int_equal( raw_close_sock( &raw, &sock, 0, NULL ), 0 );
    }
    raw_close( &raw );
}

/* a slot gets another generation, and the old reference is worth nothing */
static void test_references( void **state )
{
    struct raw_sock sock, old, bad;
    struct raw other;

    open_client( state );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_DGRAM, 0, &old ), 0 );
    bad = old;
    assert_int_equal( raw_close_sock( &raw, &old, 0, NULL ), 0 );
    assert_int_equal( raw_slot( &raw, &bad )->state, SOCKET_FREE );
    assert_int_equal( raw_arm( &raw, &bad ), WSAENOTSOCK );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_DGRAM, 0, &sock ), 0 );
    assert_int_equal( sock.ref.slot, bad.ref.slot );
    assert_int_not_equal( sock.ref.generation, bad.ref.generation );
    assert_int_equal( raw_arm( &raw, &bad ), WSAENOTSOCK );
    assert_int_equal( raw_arm( &raw, &sock ), 0 );

    bad.ref.slot = PROTOCOL_MAX_SLOTS;
    assert_int_equal( raw_arm( &raw, &bad ), WSAENOTSOCK );
    bad.ref.slot = 0xffffffff;
    assert_int_equal( raw_arm( &raw, &bad ), WSAENOTSOCK );
    bad.ref = sock.ref;
    bad.ref.generation = 0;
    assert_int_equal( raw_arm( &raw, &bad ), WSAENOTSOCK );

    /* another client knows the numbers and holds nothing */
    raw_open( &other );
    assert_int_equal( raw_arm( &other, &sock ), WSAENOTSOCK );
    assert_int_equal( raw_shutdown( &other, &sock, WS_SD_BOTH ), WSAENOTSOCK );
    raw_close( &other );
    assert_int_equal( raw_arm( &raw, &sock ), 0 );
    raw_close( &raw );
}

/* ---- bind and listen ---- */

static void test_bind( void **state )
{
    struct address addr, bound;
    struct raw_sock sock, second;

    open_client( state );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &sock ), 0 );
    addr = raw_ip6( "::1", 0, 0 );
    assert_int_equal( raw_bind( &raw, &sock, &addr, NULL ), WSAEFAULT );
    addr = raw_ip4( "127.0.0.1", 0 );
    addr.len = 15;
    assert_int_equal( raw_bind( &raw, &sock, &addr, NULL ), WSAEFAULT );
    addr = raw_ip4( "192.0.2.1", 0 );
    assert_int_equal( raw_bind( &raw, &sock, &addr, NULL ), WSAEADDRNOTAVAIL );
    addr = raw_ip4( "224.0.0.1", 0 );
    assert_int_equal( raw_bind( &raw, &sock, &addr, NULL ), WSAEADDRNOTAVAIL );
    assert_int_equal( raw_flags( &raw, &sock ), 0 );

    addr = raw_ip4( "127.0.0.1", 0 );
    assert_int_equal( raw_bind( &raw, &sock, &addr, &bound ), 0 );
    assert_int_not_equal( raw_port( &bound ), 0 );
    assert_memory_equal( &raw_slot( &raw, &sock )->local, &bound, sizeof(bound) );
    assert_int_equal( raw_flags( &raw, &sock ), SOCKET_BOUND );
    assert_int_equal( raw_bind( &raw, &sock, &addr, NULL ), WSAEINVAL );

    /* the ledger's word, and its end with the socket */
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &second ), 0 );
    assert_int_equal( raw_bind( &raw, &second, &bound, NULL ), WSAEADDRINUSE );
    assert_int_equal( raw_set_option( &raw, &second, OPTION_REUSEADDR, 1, 0 ), 0 );
    assert_int_equal( raw_bind( &raw, &second, &bound, NULL ), WSAEACCES );
    assert_int_equal( raw_close_sock( &raw, &sock, 0, NULL ), 0 );
    assert_int_equal( raw_bind( &raw, &second, &bound, NULL ), 0 );

    /* a datagram socket that the kernel bound at its first send */
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_DGRAM, 0, &sock ), 0 );
    assert_int_equal( sendto( sock.fd, "x", 1, 0, (struct sockaddr *)bound.data, 16 ), 1 );
    addr = raw_ip4( "127.0.0.1", 0 );
    assert_int_equal( raw_bind( &raw, &sock, &addr, NULL ), WSAEINVAL );
    raw_close( &raw );
}

/* an exclusive listener's port stays taken until its connections have ended */
static void test_exclusive_listener( void **state )
{
    struct raw_sock listener, client, server, second;
    struct address addr = raw_ip4( "127.0.0.1", 0 );

    open_client( state );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &listener ), 0 );
    assert_int_equal( raw_set_option( &raw, &listener, OPTION_EXCLUSIVEADDRUSE, 1, 0 ), 0 );
    assert_int_equal( raw_bind( &raw, &listener, &addr, &addr ), 0 );
    assert_int_equal( raw_listen( &raw, &listener, 5 ), 0 );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &client ), 0 );
    assert_int_equal( raw_connect( &raw, &client, &addr, NULL ), 0 );
    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
    assert_int_equal( raw_close_sock( &raw, &listener, 0, NULL ), 0 );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &second ), 0 );
    assert_int_equal( raw_bind( &raw, &second, &addr, NULL ), WSAEADDRINUSE );
    raw_fill( server.fd );
    assert_int_equal( raw_close_sock( &raw, &server, 0, NULL ), 0 );
    /* still half open: the peer has not closed it */
    assert_int_equal( raw_bind( &raw, &second, &addr, NULL ), WSAEADDRINUSE );
    assert_int_equal( raw_close_sock( &raw, &client, 0, NULL ), 0 );
    assert_true( RAW_WAIT( !raw_bind( &raw, &second, &addr, NULL ) ) );
    raw_close( &raw );
}

static void test_bind_ipv6( void **state )
{
    struct address addr, bound;
    struct raw_sock sock, second;
    int off = 0;

    open_client( state );
    assert_int_equal( raw_create( &raw, WS_AF_INET6, WS_SOCK_STREAM, 0, &sock ), 0 );
    addr = raw_ip6( "::1", 0, 0x7abacab );
    assert_int_equal( raw_bind( &raw, &sock, &addr, NULL ), WSAEADDRNOTAVAIL );
    addr = raw_ip6( "::1", 0, if_nametoindex( "lo" ) );
    assert_int_equal( raw_bind( &raw, &sock, &addr, &bound ), 0 );
    assert_int_equal( raw_close_sock( &raw, &sock, 0, NULL ), 0 );

    /* both stacks, as the kernel's IPV6_V6ONLY says at the time */
    assert_int_equal( raw_create( &raw, WS_AF_INET6, WS_SOCK_STREAM, 0, &sock ), 0 );
    assert_int_equal( setsockopt( sock.fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off) ), 0 );
    addr = raw_ip6( "::", 0, 0 );
    assert_int_equal( raw_bind( &raw, &sock, &addr, &bound ), 0 );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &second ), 0 );
    addr = raw_ip4( "0.0.0.0", raw_port( &bound ) );
    assert_int_equal( raw_bind( &raw, &second, &addr, NULL ), WSAEADDRINUSE );
    addr = raw_ip4( "127.0.0.1", raw_port( &bound ) );
    assert_int_equal( raw_bind( &raw, &second, &addr, NULL ), 0 );
    raw_close( &raw );
}

static void test_listen( void **state )
{
    struct raw_sock sock, client, server;
    struct address addr;

    open_client( state );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_DGRAM, 0, &sock ), 0 );
    assert_int_equal( raw_listen( &raw, &sock, 5 ), WSAEOPNOTSUPP );
    assert_int_equal( raw_accept( &raw, &sock, &server, NULL ), WSAEOPNOTSUPP );
    assert_int_equal( raw_close_sock( &raw, &sock, 0, NULL ), 0 );

    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &sock ), 0 );
    assert_int_equal( raw_listen( &raw, &sock, 5 ), WSAEINVAL );
    assert_int_equal( raw_accept( &raw, &sock, &server, NULL ), WSAEINVAL );
    addr = raw_ip4( "127.0.0.1", 0 );
    assert_int_equal( raw_bind( &raw, &sock, &addr, &addr ), 0 );
    assert_int_equal( raw_listen( &raw, &sock, 5 ), 0 );
    assert_int_equal( raw_state( &raw, &sock ), SOCKET_LISTENING );
    assert_int_equal( raw_listen( &raw, &sock, 0x7fffffff ), 0 );
    assert_int_equal( raw_listen( &raw, &sock, (u32)-200 ), 0 );
    assert_int_equal( raw_listen( &raw, &sock, 0x80000000 ), 0 );
    assert_int_equal( raw_connect( &raw, &sock, &addr, NULL ), WSAEINVAL );
    assert_int_equal( raw_shutdown( &raw, &sock, WS_SD_SEND ), WSAENOTCONN );
    assert_int_equal( raw_accept( &raw, &sock, &server, NULL ), WSAEWOULDBLOCK );

    raw_pair( &raw, &client, &server );
    assert_int_equal( raw_listen( &raw, &client, 5 ), WSAEISCONN );
    raw_close( &raw );
}

/* ---- connect ---- */

static void test_connect( void **state )
{
    struct raw_sock listener, client, server;
    struct address addr, bad;
    struct accept_reply reply;
    u32 pending;

    open_client( state );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &client ), 0 );
    assert_int_equal( raw_shutdown( &raw, &client, WS_SD_SEND ), WSAENOTCONN );
    bad = addr;
    bad.len = 15;
    assert_int_equal( raw_connect( &raw, &client, &bad, NULL ), WSAEFAULT );
    bad = raw_ip6( "::1", raw_port( &addr ), 0 );
    assert_int_equal( raw_connect( &raw, &client, &bad, NULL ), WSAEAFNOSUPPORT );
    bad = raw_ip4( "0.0.0.0", raw_port( &addr ) );
    assert_int_equal( raw_connect( &raw, &client, &bad, NULL ), WSAEADDRNOTAVAIL );
    bad = raw_ip4( "127.0.0.1", 0 );
    assert_int_equal( raw_connect( &raw, &client, &bad, NULL ), WSAEADDRNOTAVAIL );
    assert_int_equal( raw_state( &raw, &client ), SOCKET_OPEN );

    /* loopback needs no second look */
    assert_int_equal( raw_connect( &raw, &client, &addr, &pending ), 0 );
    assert_int_equal( pending, 0 );
    assert_int_equal( raw_state( &raw, &client ), SOCKET_CONNECTED );
    assert_memory_equal( &raw_slot( &raw, &client )->peer, &addr, sizeof(addr) );
    assert_int_not_equal( raw_port( &raw_slot( &raw, &client )->local ), 0 );
    assert_int_equal( raw_flags( &raw, &client ), SOCKET_BOUND );
    assert_int_not_equal( raw_slot( &raw, &client )->connect_time, 0 );
    assert_false( fcntl( client.fd, F_GETFL ) & O_NONBLOCK );
    assert_int_equal( raw_connect( &raw, &client, &addr, NULL ), WSAEISCONN );
    assert_int_equal( raw_connect_status( &raw, &client, &pending ), 0 );
    assert_int_equal( pending, 0 );

    assert_int_equal( raw_accept( &raw, &listener, &server, &reply ), 0 );
    assert_memory_equal( &reply.peer, &raw_slot( &raw, &client )->local, sizeof(reply.peer) );
    assert_memory_equal( &reply.local, &addr, sizeof(addr) );
    assert_int_equal( raw_flags( &raw, &server ), SOCKET_ACCEPTED | SOCKET_BOUND );
    assert_int_equal( raw_state( &raw, &server ), SOCKET_CONNECTED );
    assert_false( fcntl( server.fd, F_GETFL ) & O_NONBLOCK );
    assert_int_equal( send( client.fd, "abc", 3, 0 ), 3 );
    assert_true( raw_readable( server.fd, 1000 ) );
    raw_close( &raw );
}

/* a port of ours that nobody listens on */
static struct address dead_port( struct raw_sock *holder )
{
    struct address addr = raw_ip4( "127.0.0.1", 0 );

    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, holder ), 0 );
    assert_int_equal( raw_bind( &raw, holder, &addr, &addr ), 0 );
    return addr;
}

static void test_connect_refused( void **state )
{
    struct raw_sock holder, listener, sock, server;
    struct address dead, addr, local;
    u32 pending;
    int err;

    open_client( state );
    dead = dead_port( &holder );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &sock ), 0 );
    assert_int_equal( raw_connect( &raw, &sock, &dead, NULL ), WSAECONNREFUSED );
    assert_int_equal( raw_state( &raw, &sock ), SOCKET_FAILED );
    assert_int_equal( raw_slot( &raw, &sock )->error, WSAECONNREFUSED );
    assert_int_equal( raw_slot( &raw, &sock )->peer.len, 0 );
    assert_int_equal( raw_connect_status( &raw, &sock, &pending ), WSAECONNREFUSED );
    assert_int_equal( socket_get_int( sock.fd, SOL_SOCKET, SO_ERROR, &err ), 0 );
    assert_int_equal( err, 0 );

    /* its port is kept, and it may try again, and again */
    local = raw_slot( &raw, &sock )->local;
    assert_int_not_equal( raw_port( &local ), 0 );
    assert_int_equal( raw_connect( &raw, &sock, &dead, NULL ), WSAECONNREFUSED );
    assert_int_equal( raw_port( &raw_slot( &raw, &sock )->local ), raw_port( &local ) );
    assert_int_equal( raw_connect( &raw, &sock, &addr, NULL ), 0 );
    assert_int_equal( raw_port( &raw_slot( &raw, &sock )->local ), raw_port( &local ) );
    assert_int_equal( raw_slot( &raw, &sock )->error, 0 );
    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
    assert_int_equal( send( sock.fd, "abc", 3, 0 ), 3 );
    assert_true( raw_readable( server.fd, 1000 ) );

    /* or listen, at the same port */
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &sock ), 0 );
    local = raw_ip4( "127.0.0.1", 0 );
    assert_int_equal( raw_bind( &raw, &sock, &local, &local ), 0 );
    assert_int_equal( raw_connect( &raw, &sock, &dead, NULL ), WSAECONNREFUSED );
    assert_int_equal( raw_listen( &raw, &sock, 5 ), 0 );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &server ), 0 );
    assert_int_equal( raw_connect( &raw, &server, &local, NULL ), 0 );
    raw_close( &raw );
}

/* A listener whose queue is full lets a connect wait: over loopback the only way to see one pending. */
static int fill_queue( struct raw_sock *listener, const struct address *addr, struct raw_sock *waiting )
{
    struct raw_sock extra;
    u32 pending = 0, i;

    assert_int_equal( raw_listen( &raw, listener, 1 ), 0 );
    for (i = 0; i < 16 && !pending; i++)
    {
        assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &extra ), 0 );
        assert_int_equal( raw_connect( &raw, &extra, addr, &pending ), 0 );
    }
    *waiting = extra;
    return pending;
}

static void test_connect_pending( void **state )
{
    struct raw_sock listener, sock, server;
    struct address addr;
    u32 pending;

    open_client( state );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    assert_true( fill_queue( &listener, &addr, &sock ) );
    assert_int_equal( raw_state( &raw, &sock ), SOCKET_CONNECTING );
    assert_memory_equal( &raw_slot( &raw, &sock )->peer, &addr, sizeof(addr) );
    assert_int_equal( raw_connect( &raw, &sock, &addr, NULL ), WSAEALREADY );
    assert_int_equal( raw_shutdown( &raw, &sock, WS_SD_BOTH ), WSAENOTCONN );
    assert_int_equal( raw_listen( &raw, &sock, 5 ), WSAEINVAL );
    assert_int_equal( raw_connect_status( &raw, &sock, &pending ), 0 );
    assert_int_equal( pending, 1 );
    assert_false( fcntl( sock.fd, F_GETFL ) & O_NONBLOCK );

    /* room comes: published without anybody asking */
    while (!raw_accept( &raw, &listener, &server, NULL )) /* next */;
    assert_true( RAW_WAIT( raw_state( &raw, &sock ) == SOCKET_CONNECTED ) );
    assert_int_equal( raw_connect_status( &raw, &sock, &pending ), 0 );
    assert_int_equal( pending, 0 );
    raw_close( &raw );
}

/* the listener goes away: the next SYN is refused */
static void test_connect_listener_ends( void **state )
{
    struct raw_sock listener, sock;
    struct address addr;
    u32 pending;

    open_client( state );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    assert_true( fill_queue( &listener, &addr, &sock ) );
    assert_int_equal( raw_close_sock( &raw, &listener, 0, NULL ), 0 );
    assert_true( RAW_WAIT( raw_state( &raw, &sock ) == SOCKET_FAILED ) );
    assert_int_equal( raw_slot( &raw, &sock )->error, WSAECONNREFUSED );
    assert_int_equal( raw_connect_status( &raw, &sock, &pending ), WSAECONNREFUSED );
    raw_close( &raw );
}

/* nobody answers: 21 seconds. A client that says nothing is sent away meanwhile. */
static void test_connect_ceiling( void **state )
{
    struct raw_sock listener, sock;
    struct timespec start, end;
    struct address addr;
    int silent;
    u32 pending;

    open_client( state );
    silent = raw_connect_only();
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    assert_true( fill_queue( &listener, &addr, &sock ) );
    clock_gettime( CLOCK_MONOTONIC, &start );
    do
    {
        raw_sleep( 50 );
        clock_gettime( CLOCK_MONOTONIC, &end );
    } while (raw_state( &raw, &sock ) == SOCKET_CONNECTING && end.tv_sec - start.tv_sec < 30);
    assert_in_range( end.tv_sec - start.tv_sec, 20, 22 );
    assert_int_equal( raw_state( &raw, &sock ), SOCKET_FAILED );
    assert_int_equal( raw_slot( &raw, &sock )->error, WSAETIMEDOUT );
    assert_int_equal( raw_connect_status( &raw, &sock, &pending ), WSAETIMEDOUT );
    assert_true( raw_readable( silent, 0 ) );
    assert_true( raw_dropped( silent ) );
    close( silent );
    raw_close( &raw );
}

/* a pending connect that ends with its client, and one with its close */
static void test_connect_abandoned( void **state )
{
    struct raw_sock listener, sock;
    struct address addr;
    int fds;

    open_client( state );
    fds = raw_helper_fds();
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    assert_true( fill_queue( &listener, &addr, &sock ) );
    assert_int_equal( raw_close_sock( &raw, &sock, 0, NULL ), 0 );
    raw_close( &raw );
    open_client( state );
    assert_true( RAW_WAIT( raw_helper_fds() == fds ) );
    raw_close( &raw );
}

static void test_connect_datagram( void **state )
{
    struct raw_sock sock, peer;
    struct address addr, any, bound;
    u16 port;
    int value;

    open_client( state );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_DGRAM, 0, &peer ), 0 );
    addr = raw_ip4( "127.0.0.1", 0 );
    assert_int_equal( raw_bind( &raw, &peer, &addr, &addr ), 0 );

    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_DGRAM, 0, &sock ), 0 );
    any = raw_ip4( "0.0.0.0", 5 );
    assert_int_equal( raw_connect( &raw, &sock, &any, NULL ), WSAEADDRNOTAVAIL );
    assert_int_equal( raw_connect( &raw, &sock, &addr, NULL ), 0 );
    assert_int_equal( raw_state( &raw, &sock ), SOCKET_CONNECTED );
    assert_memory_equal( &raw_slot( &raw, &sock )->peer, &addr, sizeof(addr) );
    port = raw_port( &raw_slot( &raw, &sock )->local );
    assert_int_not_equal( port, 0 );
    assert_int_equal( send( sock.fd, "x", 1, 0 ), 1 );
    assert_true( raw_readable( peer.fd, 1000 ) );

    /* another peer, the same port */
    assert_int_equal( raw_connect( &raw, &sock, &addr, NULL ), 0 );
    assert_int_equal( raw_port( &raw_slot( &raw, &sock )->local ), port );

    /* dissolved, in both ways, and the port is still the same */
    any = raw_ip4( "0.0.0.0", 0 );
    assert_int_equal( raw_connect( &raw, &sock, &any, NULL ), 0 );
    assert_int_equal( raw_state( &raw, &sock ), SOCKET_OPEN );
    assert_int_equal( raw_slot( &raw, &sock )->peer.len, 0 );
    assert_int_equal( raw_port( &raw_slot( &raw, &sock )->local ), port );
    assert_int_equal( send( sock.fd, "x", 1, MSG_NOSIGNAL ), -1 );
    assert_int_equal( errno, EDESTADDRREQ );
    assert_int_equal( raw_connect( &raw, &sock, &addr, NULL ), 0 );
    memset( &any, 0, sizeof(any) );
    any.len = 16;
    assert_int_equal( raw_connect( &raw, &sock, &any, NULL ), 0 );
    assert_int_equal( raw_state( &raw, &sock ), SOCKET_OPEN );
    bound = raw_ip4( "127.0.0.1", port );
    assert_int_equal( sendto( peer.fd, "y", 1, 0, (struct sockaddr *)bound.data, 16 ), 1 );
    assert_true( raw_readable( sock.fd, 1000 ) );

    /* a broadcast address needs no SO_BROADCAST to be a peer; sending there still does */
    addr = raw_ip4( "127.255.255.255", 9 );
    assert_int_equal( raw_connect( &raw, &sock, &addr, NULL ), 0 );
    assert_int_equal( socket_get_int( sock.fd, SOL_SOCKET, SO_BROADCAST, &value ), 0 );
    assert_int_equal( value, 0 );
    raw_close( &raw );
}

/* ---- raw sockets ---- */

static void test_raw_socket( void **state )
{
    struct raw_sock sock, other;
    struct address addr;

    open_client( state );
    if (raw_create( &raw, WS_AF_INET, WS_SOCK_RAW, IPPROTO_ICMP, &sock ) == WSAEACCES)
    {
        raw_close( &raw );
        print_message( "skipped: raw sockets are not permitted\n" );
        skip();
    }
    assert_int_equal( raw_slot( &raw, &sock )->protocol, IPPROTO_ICMP );
    addr = raw_ip4( "192.0.2.1", 0 );
    assert_int_equal( raw_bind( &raw, &sock, &addr, NULL ), WSAEADDRNOTAVAIL );
    addr = raw_ip4( "127.0.0.1", 0 );
    assert_int_equal( raw_bind( &raw, &sock, &addr, NULL ), 0 );
    assert_int_equal( raw_connect( &raw, &sock, &addr, NULL ), 0 );
    assert_int_equal( raw_state( &raw, &sock ), SOCKET_CONNECTED );
    assert_int_equal( raw_listen( &raw, &sock, 5 ), WSAEOPNOTSUPP );
    assert_int_equal( raw_shutdown( &raw, &sock, WS_SD_BOTH ), 0 );
    other.fd = dup( sock.fd );
    assert_int_equal( raw_close_sock( &raw, &sock, 0, NULL ), 0 );
    assert_int_equal( raw_adopt( &raw, other.fd, NULL, &other ), 0 );
    assert_int_equal( raw_slot( &raw, &other )->type, WS_SOCK_RAW );
    assert_true( raw_flags( &raw, &other ) & SOCKET_RECV_SHUTDOWN );
    raw_close( &raw );
}

/* ---- accept and defer ---- */

static void test_accept_inherits( void **state )
{
    struct raw_sock listener, client, server;
    struct linger linger;
    socklen_t len = sizeof(linger);
    struct address addr;

    open_client( state );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    assert_int_equal( raw_set_option( &raw, &listener, OPTION_NONBLOCKING, 1, 0 ), 0 );
    assert_int_equal( raw_set_option( &raw, &listener, OPTION_RCVTIMEO, 77, 0 ), 0 );
    assert_int_equal( raw_set_option( &raw, &listener, OPTION_LINGER_ONOFF, 1, 0 ), 0 );
    assert_int_equal( raw_set_option( &raw, &listener, OPTION_EXTRA7, 0xdeadbeef, 0 ), 0 );
    assert_int_equal( raw_set_option( &raw, &listener, OPTION_ERROR, 10061, 0 ), 0 );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &client ), 0 );
    assert_int_equal( raw_connect( &raw, &client, &addr, NULL ), 0 );
    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
    assert_int_equal( raw_flags( &raw, &server ), SOCKET_ACCEPTED | SOCKET_BOUND | SOCKET_NONBLOCKING );
    assert_int_equal( raw_slot( &raw, &server )->options[OPTION_RCVTIMEO], 77 );
    assert_int_equal( raw_slot( &raw, &server )->options[OPTION_LINGER_ONOFF], 1 );
    assert_int_equal( raw_slot( &raw, &server )->options[OPTION_EXTRA7], 0xdeadbeef );
    assert_int_equal( raw_slot( &raw, &server )->options[OPTION_ERROR], 0 );
    assert_int_equal( getsockopt( server.fd, SOL_SOCKET, SO_LINGER, &linger, &len ), 0 );
    assert_int_equal( linger.l_onoff, 1 );
    assert_int_equal( linger.l_linger, 0 );
    raw_close( &raw );
}

/* what is brought must be a connection that the listener may have had, and that nobody knows */
static void test_accept_brought( void **state )
{
    struct raw_sock listener, other, six, client, server, again;
    struct address addr, other_addr, peer, none = { 0 };
    int fd, wrong;

    open_client( state );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    raw_listener( &raw, WS_AF_INET, &other, &other_addr );
    raw_listener( &raw, WS_AF_INET6, &six, &other_addr );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &client ), 0 );
    assert_int_equal( raw_connect( &raw, &client, &addr, NULL ), 0 );
    assert_int_not_equal( fd = raw_accept_kernel( &listener, &peer ), -1 );
    assert_int_equal( raw_accept_fd( &raw, &other, fd, &peer, &server, NULL ), WSAEINVAL );
    assert_int_equal( raw_accept_fd( &raw, &six, fd, &peer, &server, NULL ), WSAEINVAL );
    assert_int_equal( raw_accept_fd( &raw, &listener, fd, &none, &server, NULL ), WSAEINVAL );
    assert_int_equal( raw_accept_fd( &raw, &listener, client.fd, &peer, &server, NULL ), WSAEINVAL );
    assert_int_equal( raw_accept_fd( &raw, &listener, listener.fd, &peer, &server, NULL ), WSAEINVAL );
    assert_int_not_equal( wrong = socket( AF_INET, SOCK_DGRAM, 0 ), -1 );
    assert_int_equal( raw_accept_fd( &raw, &listener, wrong, &peer, &server, NULL ), WSAEINVAL );
    close( wrong );
    assert_int_not_equal( wrong = open( "/dev/null", O_RDONLY ), -1 );
    assert_int_equal( raw_accept_fd( &raw, &listener, wrong, &peer, &server, NULL ), WSAEINVAL );
    close( wrong );

    assert_int_equal( raw_accept_fd( &raw, &listener, fd, &peer, &server, NULL ), 0 );
    assert_int_equal( raw_accept_fd( &raw, &listener, fd, &peer, &again, NULL ), WSAEINVAL );
    assert_int_equal( send( client.fd, "x", 1, 0 ), 1 );
    assert_true( raw_readable( fd, 1000 ) );
    raw_close( &raw );
}

/* the kernel's queue also holds what has been reset since */
static void test_accept_aborted( void **state )
{
    struct linger linger = { 1, 0 };
    struct raw_sock listener, client, server;
    struct sockaddr_in in;
    struct address addr;
    int fd;

    open_client( state );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    memcpy( &in, addr.data, sizeof(in) );
    fd = socket( AF_INET, SOCK_STREAM, 0 );
    assert_int_equal( connect( fd, (struct sockaddr *)&in, sizeof(in) ), 0 );
    setsockopt( fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger) );
    close( fd );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &client ), 0 );
    assert_int_equal( raw_connect( &raw, &client, &addr, NULL ), 0 );
    /* whether Linux still shows the dead one or not, the helper goes on working and the live one comes */
    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
    if (memcmp( &raw_slot( &raw, &server )->peer, &raw_slot( &raw, &client )->local, sizeof(struct address) ))
        assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
    assert_memory_equal( &raw_slot( &raw, &server )->peer, &raw_slot( &raw, &client )->local, sizeof(struct address) );
    raw_close( &raw );
}

static void test_defer( void **state )
{
    struct raw_sock listener, other, client[2], server, again;
    struct address addr;
    struct raw raw2;
    char byte;

    open_client( state );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    raw_listener( &raw, WS_AF_INET, &other, &addr );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &client[0] ), 0 );
    assert_int_equal( raw_connect( &raw, &client[0], &addr, NULL ), 0 );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &client[1] ), 0 );
    assert_int_equal( raw_connect( &raw, &client[1], &addr, NULL ), 0 );

    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
    assert_int_equal( raw_defer( &raw, &other, &server ), WSAEINVAL );          /* not its own */
    assert_int_equal( raw_defer( &raw, &listener, &client[0] ), WSAEINVAL );    /* nobody's */
    assert_int_equal( raw_defer( &raw, &listener, &listener ), WSAEINVAL );

    /* held twice it is not one's own to put back */
    raw_open( &raw2 );
    again.fd = dup( server.fd );
    assert_int_equal( raw_adopt( &raw2, again.fd, NULL, &again ), 0 );
    assert_int_equal( raw_defer( &raw, &listener, &server ), WSAEINVAL );
    close( again.fd );
    raw_close( &raw2 );
    assert_true( RAW_WAIT( !raw_defer( &raw, &listener, &server ) ) );

    assert_int_equal( raw_flags( &raw, &listener ), SOCKET_BOUND | SOCKET_DEFERRED );
    assert_int_equal( raw_arm( &raw, &server ), WSAENOTSOCK );
    assert_int_equal( raw_accept( &raw, &listener, &again, NULL ), 0 );
    assert_int_equal( again.cookie, server.cookie );                            /* it comes first */
    assert_int_equal( raw_flags( &raw, &listener ), SOCKET_BOUND );
    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
    assert_int_not_equal( again.cookie, server.cookie );
    assert_int_equal( raw_defer( &raw, &listener, &server ), 0 );
    assert_int_equal( raw_defer( &raw, &listener, &again ), 0 );

    /* a listener's end resets them */
    assert_int_equal( raw_close_sock( &raw, &listener, 0, NULL ), 0 );
    assert_int_equal( recv( client[0].fd, &byte, 1, 0 ), -1 );
    assert_int_equal( errno, ECONNRESET );
    assert_int_equal( recv( client[1].fd, &byte, 1, 0 ), -1 );
    assert_int_equal( errno, ECONNRESET );
    raw_close( &raw );
}

/* Whoever kept a connection that it had put back, and speaks of it again, has it; the listener has not. */
/* Those who wait, in whichever process, are told of what was put back; it comes in the order in which it came first. */
static void test_watch_accept( void **state )
{
    struct watch_accept_request in;
    struct watch_accept_reply out;
    struct raw_sock listener, sock, clients[3], servers[3], again;
    struct address addr;
    int i, event, same;

    open_client( state );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &sock ), 0 );
    in.socket = sock.ref;
    assert_int_equal( raw_request( &raw, REQUEST_WATCH_ACCEPT, &in, sizeof(in), -1, &out, sizeof(out), &event ), WSAEINVAL );
    in.socket = listener.ref;
    assert_int_equal( raw_request( &raw, REQUEST_WATCH_ACCEPT, &in, sizeof(in), -1, &out, sizeof(out), &event ), 0 );
    for (i = 0; i < 3; i++)
    {
        assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &clients[i] ), 0 );
        assert_int_equal( raw_connect( &raw, &clients[i], &addr, NULL ), 0 );
        assert_int_equal( raw_accept( &raw, &listener, &servers[i], NULL ), 0 );
    }
    assert_false( raw_readable( event, 0 ) );
    assert_int_equal( raw_defer( &raw, &listener, &servers[1] ), 0 );
    assert_true( raw_readable( event, 0 ) );
    assert_int_equal( raw_defer( &raw, &listener, &servers[0] ), 0 );
    assert_int_equal( raw_defer( &raw, &listener, &servers[2] ), 0 );
    /* one who comes late hears of it, too */
    assert_int_equal( raw_request( &raw, REQUEST_WATCH_ACCEPT, &in, sizeof(in), -1, &out, sizeof(out), &same ), 0 );
    for (i = 0; i < 3; i++)
    {
        assert_true( raw_readable( event, 0 ) );
        assert_true( raw_readable( same, 0 ) );
        assert_int_equal( raw_accept( &raw, &listener, &again, NULL ), 0 );
        assert_int_equal( again.cookie, servers[i].cookie );
    }
    assert_false( raw_readable( event, 0 ) );
    close( event );
    close( same );
    raw_close( &raw );
}

static void test_defer_kept( void **state )
{
    struct raw_sock listener, client, server, kept;
    struct address addr;
    int copy;

    open_client( state );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &client ), 0 );
    assert_int_equal( raw_connect( &raw, &client, &addr, NULL ), 0 );
    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
    copy = dup( server.fd );
    assert_int_equal( raw_defer( &raw, &listener, &server ), 0 );
    assert_int_equal( raw_adopt( &raw, copy, NULL, &kept ), 0 );
    assert_int_equal( kept.ref.slot, server.ref.slot );
    assert_int_equal( raw_flags( &raw, &listener ), SOCKET_BOUND );
    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), WSAEWOULDBLOCK );

    /* it can be put back again, and kept again */
    copy = dup( kept.fd );
    assert_int_equal( raw_defer( &raw, &listener, &kept ), 0 );
    assert_int_equal( raw_adopt( &raw, copy, NULL, &kept ), 0 );
    assert_int_equal( raw_close_sock( &raw, &listener, 0, NULL ), 0 );
    assert_int_equal( send( client.fd, "x", 1, 0 ), 1 );
    assert_true( raw_readable( kept.fd, 1000 ) );
    assert_int_equal( raw_arm( &raw, &kept ), 0 );
    assert_false( raw_flags( &raw, &kept ) & SOCKET_RESET );
    raw_close( &raw );
}

/* a connection that waits in the kernel's queue is reset with its listener too */
static void test_listener_end( void **state )
{
    struct raw_sock listener, client;
    struct address addr;
    char byte;

    open_client( state );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &client ), 0 );
    assert_int_equal( raw_connect( &raw, &client, &addr, NULL ), 0 );
    assert_int_equal( raw_close_sock( &raw, &listener, 0, NULL ), 0 );
    assert_int_equal( recv( client.fd, &byte, 1, 0 ), -1 );
    assert_int_equal( errno, ECONNRESET );
    raw_close( &raw );
}

/* ---- options ---- */

static void test_options( void **state )
{
    struct raw_sock sock;
    struct address addr;
    int value;
    u32 i;

    open_client( state );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &sock ), 0 );
    for (i = OPTION_COUNT; i < OPTION_COUNT + 10; i++)
        assert_int_equal( raw_set_option( &raw, &sock, i, 1, 0 ), WSAEINVAL );
    assert_int_equal( raw_set_option( &raw, &sock, 0xffffffff, 1, 0 ), WSAEINVAL );
    assert_int_equal( raw_set_option( &raw, &sock, OPTION_LINGER_TIME, 1, 0 ), WSAEINVAL );
    assert_int_equal( raw_set_option( &raw, &sock, OPTION_LINGER_ONOFF, 0x101, 0x10000 ), WSAEINVAL );

    for (i = 0; i < OPTION_COUNT; i++)
    {
        if (i == OPTION_LINGER_TIME || i == OPTION_EXCLUSIVEADDRUSE) continue;
        assert_int_equal( raw_set_option( &raw, &sock, i, i == OPTION_NONBLOCKING ? 1 : 0x10001 + i, 7 ), 0 );
        assert_int_equal( raw_slot( &raw, &sock )->options[i], i == OPTION_NONBLOCKING ? 1 : 0x10001 + i );
    }
    assert_int_equal( raw_slot( &raw, &sock )->options[OPTION_LINGER_TIME], 7 );
    assert_int_equal( raw_flags( &raw, &sock ), SOCKET_NONBLOCKING );
    assert_false( fcntl( sock.fd, F_GETFL ) & O_NONBLOCK );
    assert_int_equal( raw_set_option( &raw, &sock, OPTION_NONBLOCKING, 0, 0 ), 0 );
    assert_int_equal( raw_flags( &raw, &sock ), 0 );

    /* each excludes the other */
    assert_int_equal( raw_set_option( &raw, &sock, OPTION_EXCLUSIVEADDRUSE, 1, 0 ), WSAEINVAL );
    assert_int_equal( raw_set_option( &raw, &sock, OPTION_REUSEADDR, 0, 0 ), 0 );
    assert_int_equal( raw_set_option( &raw, &sock, OPTION_EXCLUSIVEADDRUSE, 1, 0 ), 0 );
    assert_int_equal( raw_set_option( &raw, &sock, OPTION_REUSEADDR, 1, 0 ), WSAEINVAL );
    addr = raw_ip4( "127.0.0.1", 0 );
    assert_int_equal( raw_bind( &raw, &sock, &addr, NULL ), 0 );
    assert_int_equal( raw_set_option( &raw, &sock, OPTION_EXCLUSIVEADDRUSE, 1, 0 ), WSAEINVAL );

    /* room for what was asked */
    assert_int_equal( raw_set_option( &raw, &sock, OPTION_RCVBUF, 100000, 0 ), 0 );
    assert_int_equal( socket_get_int( sock.fd, SOL_SOCKET, SO_RCVBUF, &value ), 0 );
    assert_true( value >= 100000 );
    assert_int_equal( raw_set_option( &raw, &sock, OPTION_SNDBUF, 0xffffffff, 0 ), 0 );
    assert_int_equal( raw_slot( &raw, &sock )->options[OPTION_SNDBUF], 0xffffffff );
    raw_close( &raw );
}

int main(void)
{
    const struct CMUnitTest tests[] =
    {
        RAW_TEST( test_create ),
        RAW_TEST( test_references ),
        RAW_TEST( test_bind ),
        RAW_TEST( test_exclusive_listener ),
        RAW_TEST( test_bind_ipv6 ),
        RAW_TEST( test_listen ),
        RAW_TEST( test_connect ),
        RAW_TEST( test_connect_refused ),
        RAW_TEST( test_connect_pending ),
        RAW_TEST( test_connect_listener_ends ),
        RAW_TEST( test_connect_ceiling ),
        RAW_TEST( test_connect_abandoned ),
        RAW_TEST( test_connect_datagram ),
        RAW_TEST( test_raw_socket ),
        RAW_TEST( test_accept_inherits ),
        RAW_TEST( test_accept_brought ),
        RAW_TEST( test_accept_aborted ),
        RAW_TEST( test_defer ),
        RAW_TEST( test_watch_accept ),
        RAW_TEST( test_defer_kept ),
        RAW_TEST( test_listener_end ),
        RAW_TEST( test_options )
    };

    return cmocka_run_group_tests( tests, NULL, NULL );
}
