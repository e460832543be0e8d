/*
 * The ledger of ports after the helper's death: rebuilt from what the clients know
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
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>

#include "raw.h"

static struct raw raw;

/* the next helper, for a client that has lost the one before */
static void next_helper( void )
{
    const char *args[] = { "--linger", "1", raw_dir, NULL };

    assert_int_equal( kill( raw_helper, SIGKILL ), 0 );
    raw_wait_gone();
    raw_close( &raw );
    assert_int_equal( raw_run( args ), 0 );
    raw_open( &raw );
}

static void set_mode( const struct raw_sock *sock, enum port_mode mode )
{
    if (mode == PORT_REUSE) assert_int_equal( raw_set_option( &raw, sock, OPTION_REUSEADDR, 1, 0 ), 0 );
    if (mode == PORT_EXCLUSIVE) assert_int_equal( raw_set_option( &raw, sock, OPTION_EXCLUSIVEADDRUSE, 1, 0 ), 0 );
}

static u32 try_bind( u32 type, enum port_mode mode, const char *ip, u16 port )
{
    struct address addr = raw_ip4( ip, port );
    struct raw_sock sock;
    u32 ret;

    assert_int_equal( raw_create( &raw, WS_AF_INET, type, 0, &sock ), 0 );
    set_mode( &sock, mode );
    ret = raw_bind( &raw, &sock, &addr, NULL );
    assert_int_equal( raw_close_sock( &raw, &sock, 0, NULL ), 0 );
    return ret;
}

/* a socket bound so is there: what may be bound beside it? */
static void check_row( u32 type, enum port_mode mode, int wild, u16 port )
{
    int column;
    u32 ret;

    for (column = 0; column < 6; column++)
    {
        ret = try_bind( type, column / 2, column % 2 ? "127.0.0.1" : "0.0.0.0", port );
        if (ret != ports_rule( mode, wild, column / 2, !(column % 2) )) print_error( "mode %d, wild %d, column %d\n", mode, wild, column );
        assert_int_equal( ret, ports_rule( mode, wild, column / 2, !(column % 2) ) );
    }
}

struct bound
{
    struct raw_sock sock;
    struct slot known;
    u16 port;
};

/* bound in a mode, connected (so that its name is no longer the wildcard's), and with other options since */
static void make_bound( struct bound *bound, u32 type, enum port_mode mode, int wild, const struct address *peer )
{
    struct address addr = raw_ip4( wild ? "0.0.0.0" : "127.0.0.1", 0 );

    assert_int_equal( raw_create( &raw, WS_AF_INET, type, 0, &bound->sock ), 0 );
    set_mode( &bound->sock, mode );
    assert_int_equal( raw_bind( &raw, &bound->sock, &addr, &addr ), 0 );
    bound->port = raw_port( &addr );
    assert_int_equal( raw_connect( &raw, &bound->sock, peer, NULL ), 0 );
    if (mode != PORT_EXCLUSIVE)
        assert_int_equal( raw_set_option( &raw, &bound->sock, OPTION_REUSEADDR, mode != PORT_REUSE, 0 ), 0 );
    bound->known = *raw_slot( &raw, &bound->sock );
}

/* what counts is what the socket was bound to, and as what */
static void test_modes( void **state )
{
    static const u32 types[2] = { WS_SOCK_STREAM, WS_SOCK_DGRAM };
    struct bound bound[2][6];
    struct raw_sock listener;
    struct address peer;
    int i, j;

    (void)state;
    raw_open( &raw );
    raw_listener( &raw, WS_AF_INET, &listener, &peer );
    for (i = 0; i < 2; i++)
        for (j = 0; j < 6; j++)
        {
            make_bound( &bound[i][j], types[i], j / 2, j % 2, &peer );
            check_row( types[i], j / 2, j % 2, bound[i][j].port );
        }
    next_helper();
    for (i = 0; i < 2; i++)
        for (j = 0; j < 6; j++)
            assert_int_equal( raw_adopt( &raw, bound[i][j].sock.fd, &bound[i][j].known, &bound[i][j].sock ), 0 );
    for (i = 0; i < 2; i++)
        for (j = 0; j < 6; j++)
        {
            check_row( types[i], j / 2, j % 2, bound[i][j].port );
            assert_int_equal( raw_slot( &raw, &bound[i][j].sock )->ledger, bound[i][j].known.ledger );
        }
    close( listener.fd );
    raw_close( &raw );
}

/* ports that the kernel chose in connect(), also one that failed */
static void test_chosen( void **state )
{
    struct address peer, dead = raw_ip4( "127.0.0.1", 0 );
    struct raw_sock listener, nobody, socks[3];
    struct slot known[3];
    int i, round;

    (void)state;
    raw_open( &raw );
    raw_listener( &raw, WS_AF_INET, &listener, &peer );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &nobody ), 0 );
    assert_int_equal( raw_bind( &raw, &nobody, &dead, &dead ), 0 );
    for (i = 0; i < 3; i++)
    {
        assert_int_equal( raw_create( &raw, WS_AF_INET, i == 1 ? WS_SOCK_DGRAM : WS_SOCK_STREAM, 0, &socks[i] ), 0 );
        assert_int_equal( raw_connect( &raw, &socks[i], i == 2 ? &dead : &peer, NULL ), i == 2 ? WSAECONNREFUSED : 0 );
        known[i] = *raw_slot( &raw, &socks[i] );
    }
    for (round = 0; round < 2; round++)
    {
        for (i = 0; i < 3; i++) check_row( i == 1 ? WS_SOCK_DGRAM : WS_SOCK_STREAM, PORT_DEFAULT, 1, raw_port( &known[i].local ) );
        if (round) break;
        next_helper();
        for (i = 0; i < 3; i++) assert_int_equal( raw_adopt( &raw, socks[i].fd, &known[i], &socks[i] ), 0 );
    }
    /* closed, they leave nothing */
    for (i = 0; i < 3; i++) assert_int_equal( raw_close_sock( &raw, &socks[i], 0, NULL ), 0 );
    assert_int_equal( try_bind( WS_SOCK_DGRAM, PORT_EXCLUSIVE, "0.0.0.0", raw_port( &known[1].local ) ), 0 );
    assert_int_equal( try_bind( WS_SOCK_STREAM, PORT_EXCLUSIVE, "0.0.0.0", raw_port( &known[2].local ) ), 0 );
    close( listener.fd );
    close( nobody.fd );
    raw_close( &raw );
}

/* An exclusive listener and its connections come back in any order: one entry, that lasts
 * as long as any of them. */
static void check_order( int order )
{
    struct raw_sock listener, clients[2], servers[2], *socks[3] = { &listener, &servers[0], &servers[1] };
    struct address addr = raw_ip4( "127.0.0.1", 0 );
    struct slot known[3];
    int i, n;

    raw_open( &raw );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &listener ), 0 );
    set_mode( &listener, PORT_EXCLUSIVE );
    assert_int_equal( raw_bind( &raw, &listener, &addr, &addr ), 0 );
    assert_int_equal( raw_listen( &raw, &listener, 5 ), 0 );
    for (i = 0; i < 2; i++)
    {
        assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &clients[i] ), 0 );
        assert_int_equal( raw_connect( &raw, &clients[i], &addr, NULL ), 0 );
        assert_int_equal( raw_accept( &raw, &listener, &servers[i], NULL ), 0 );
        /* with data under way: of a connection that has only one FIN left the kernel forgets when it has too many */
        raw_fill( servers[i].fd );
    }
    for (i = 0; i < 3; i++) known[i] = *raw_slot( &raw, socks[i] );
    next_helper();
    for (i = 0; i < 3; i++)
    {
        n = (i + order) % 3;
        assert_int_equal( raw_adopt( &raw, socks[n]->fd, &known[n], socks[n] ), 0 );
        assert_int_equal( try_bind( WS_SOCK_STREAM, PORT_EXCLUSIVE, "127.0.0.1", raw_port( &addr ) ), WSAEADDRINUSE );
    }
    for (i = 0; i < 3; i++)
    {
        assert_int_equal( try_bind( WS_SOCK_STREAM, PORT_DEFAULT, "127.0.0.1", raw_port( &addr ) ), WSAEADDRINUSE );
        assert_int_equal( try_bind( WS_SOCK_STREAM, PORT_REUSE, "127.0.0.1", raw_port( &addr ) ), WSAEACCES );
        assert_int_equal( raw_close_sock( &raw, socks[i], 0, NULL ), 0 );
    }
    /* what is left is half open, until the peers close it */
    assert_int_equal( try_bind( WS_SOCK_STREAM, PORT_DEFAULT, "127.0.0.1", raw_port( &addr ) ), WSAEADDRINUSE );
    close( clients[0].fd );
    assert_int_equal( try_bind( WS_SOCK_STREAM, PORT_DEFAULT, "127.0.0.1", raw_port( &addr ) ), WSAEADDRINUSE );
    close( clients[1].fd );
    assert_true( RAW_WAIT( !try_bind( WS_SOCK_STREAM, PORT_DEFAULT, "127.0.0.1", raw_port( &addr ) ) ) );
    raw_close( &raw );
}

static void test_order_0( void **state ) { (void)state; check_order( 0 ); }
static void test_order_1( void **state ) { (void)state; check_order( 1 ); }
static void test_order_2( void **state ) { (void)state; check_order( 2 ); }

/* two clients register the same socket: entered once */
static void test_twice( void **state )
{
    struct address addr = raw_ip4( "127.0.0.1", 0 );
    struct raw_sock sock, again;
    struct slot known;
    struct raw other;

    (void)state;
    raw_open( &raw );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_DGRAM, 0, &sock ), 0 );
    assert_int_equal( raw_bind( &raw, &sock, &addr, &addr ), 0 );
    known = *raw_slot( &raw, &sock );
    next_helper();
    raw_open( &other );
    again = sock;
    assert_int_equal( raw_adopt( &raw, sock.fd, &known, &sock ), 0 );
    assert_int_equal( raw_adopt( &other, again.fd, &known, &again ), 0 );
    assert_int_equal( try_bind( WS_SOCK_DGRAM, PORT_DEFAULT, "127.0.0.1", raw_port( &addr ) ), WSAEADDRINUSE );
    again.fd = -1;
    assert_int_equal( raw_close_sock( &other, &again, 0, NULL ), 0 );
    assert_int_equal( try_bind( WS_SOCK_DGRAM, PORT_DEFAULT, "127.0.0.1", raw_port( &addr ) ), WSAEADDRINUSE );
    assert_int_equal( raw_close_sock( &raw, &sock, 0, NULL ), 0 );
    assert_int_equal( try_bind( WS_SOCK_DGRAM, PORT_DEFAULT, "127.0.0.1", raw_port( &addr ) ), 0 );
    raw_close( &other );
    raw_close( &raw );
}

int main(void)
{
    const struct CMUnitTest tests[] =
    {
        RAW_TEST( test_modes ),
        RAW_TEST( test_chosen ),
        RAW_TEST( test_order_0 ),
        RAW_TEST( test_order_1 ),
        RAW_TEST( test_order_2 ),
        RAW_TEST( test_twice )
    };

    return cmocka_run_group_tests( tests, NULL, NULL );
}
