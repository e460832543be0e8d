/*
 * Tests of the ledger of ports: Windows' matrix, and Linux made to allow it
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
#include <unistd.h>
#include <arpa/inet.h>

#include "raw.h"

/* the matrix as documented, row by row, once more and in words: a slip in one of the two shows */
static const char *const matrix[6] =
{
    /* default W   */ "use ok acc ok use ok",
    /* default S   */ "ok use ok acc use use",
    /* reuse W     */ "use ok ok ok use ok",
    /* reuse S     */ "ok use ok ok use use",
    /* exclusive W */ "use acc acc acc use acc",
    /* exclusive S */ "ok use ok acc use use"
};

static u32 expected( int row, int column )
{
    char copy[64], *word, *save;
    int i;

    strcpy( copy, matrix[row] );
    word = strtok_r( copy, " ", &save );
    for (i = 0; i < column; i++) word = strtok_r( NULL, " ", &save );
    return !strcmp( word, "use" ) ? WSAEADDRINUSE : !strcmp( word, "acc" ) ? WSAEACCES : 0;
}

static void test_rule( void **state )
{
    int row, column;

    (void)state;
    for (row = 0; row < 6; row++)
        for (column = 0; column < 6; column++)
            assert_int_equal( ports_rule( row / 2, row % 2 == 0, column / 2, column % 2 == 0 ), expected( row, column ) );
}

/* ---- with real sockets ---- */

struct bound
{
    int fd;
    struct port_entry *entry;
};

static struct port_address make_address( int family, int protocol, int dual, const char *ip, u16 port )
{
    struct port_address addr;

    memset( &addr, 0, sizeof(addr) );
    addr.protocol = protocol;
    addr.dual = dual;
    addr.addr.sa.sa_family = family;
    address_set_port( &addr.addr, port );
    assert_int_equal( inet_pton( family, ip, family == AF_INET6 ? (void *)&addr.addr.in6.sin6_addr
                                                                : (void *)&addr.addr.in.sin_addr ), 1 );
    return addr;
}

/* binds as the helper does; on success the port in use is in *port */
static u32 bind_one( int family, int protocol, int dual, const char *ip, u16 *port, enum port_mode mode, struct bound *out )
{
    struct port_address addr = make_address( family, protocol, dual, ip, *port );
    u32 ret;

    out->entry = NULL;
    out->fd = socket( family, protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM, 0 );
    assert_int_not_equal( out->fd, -1 );
    if (protocol == IPPROTO_TCP) socket_set_int( out->fd, SOL_SOCKET, SO_REUSEADDR, 1 );
    if (family == AF_INET6) socket_set_int( out->fd, IPPROTO_IPV6, IPV6_V6ONLY, !dual );
    ret = ports_bind( &addr, family == AF_INET6 ? sizeof(addr.addr.in6) : sizeof(addr.addr.in), mode, out->fd, &out->entry );
    if (!ret) *port = address_port( ports_address( out->entry ) );
    return ret;
}

static void end_one( struct bound *bound )
{
    if (bound->entry) ports_release( bound->entry, bound->fd, 0 );
    if (bound->fd != -1) close( bound->fd );
    bound->entry = NULL;
    bound->fd = -1;
}

/* Binds one after the other, the first one listening before if wanted. Other programs bind too: where one of them got hold of the port meanwhile (in use,
 * though it should be free) another port is tried. */
static u32 bind_two( int family, int protocol, int dual, const char *ip, enum port_mode mode, struct bound *first,
                     int family2, int protocol2, int dual2, const char *ip2, enum port_mode mode2, struct bound *second,
                     int listening, u32 want )
{
    u32 ret = 0;
    u16 port;
    int i;

    for (i = 0; i < 5; i++)
    {
        if (i)
        {
            end_one( first );
            end_one( second );
        }
        port = 0;
        assert_int_equal( bind_one( family, protocol, dual, ip, &port, mode, first ), 0 );
        assert_int_not_equal( port, 0 );
        if (listening) assert_int_equal( ports_listen( first->entry, first->fd, 5 ), 0 );
        ret = bind_one( family2, protocol2, dual2, ip2, &port, mode2, second );
        if (ret == want || ret != WSAEADDRINUSE) break;
    }
    return ret;
}

/* all 36 pairs, and where Windows allows both, Linux must: bound, and on TCP listening */
static void check_matrix( int family, int protocol, int dual )
{
    const char *any = family == AF_INET6 ? "::" : "0.0.0.0";
    const char *one = family == AF_INET6 ? "::1" : "127.0.0.1";
    struct bound first, second;
    int row, column;
    u32 ret;

    for (row = 0; row < 6; row++)
    {
        for (column = 0; column < 6; column++)
        {
            ret = bind_two( family, protocol, dual, row % 2 ? one : any, row / 2, &first,
                            family, protocol, dual, column % 2 ? one : any, column / 2, &second, 0, expected( row, column ) );
            if (ret != expected( row, column )) print_error( "row %d column %d\n", row, column );
            assert_int_equal( ret, expected( row, column ) );
            if (protocol == IPPROTO_TCP)
            {
                assert_int_equal( ports_listen( first.entry, first.fd, 5 ), 0 );
                if (!ret) assert_int_equal( ports_listen( second.entry, second.fd, 5 ), 0 );
            }
            end_one( &first );
            end_one( &second );
        }
    }
    assert_int_equal( ports_count(), 0 );
}

/* the second comes when the first one listens already */
static void test_listening_first( void **state )
{
    static const char *const ips[2] = { "0.0.0.0", "127.0.0.1" };
    struct bound first, second;
    int row, column;

    (void)state;
    for (row = 0; row < 6; row++)
    {
        for (column = 0; column < 6; column++)
        {
            assert_int_equal( bind_two( AF_INET, IPPROTO_TCP, 0, ips[row % 2], row / 2, &first,
                                        AF_INET, IPPROTO_TCP, 0, ips[column % 2], column / 2, &second,
                                        1, expected( row, column ) ), expected( row, column ) );
            if (!expected( row, column )) assert_int_equal( ports_listen( second.entry, second.fd, 5 ), 0 );
            end_one( &first );
            end_one( &second );
        }
    }
}

static void test_matrix_tcp( void **state )      { (void)state; check_matrix( AF_INET, IPPROTO_TCP, 0 ); }
static void test_matrix_udp( void **state )      { (void)state; check_matrix( AF_INET, IPPROTO_UDP, 0 ); }
static void test_matrix_tcp6( void **state )     { (void)state; check_matrix( AF_INET6, IPPROTO_TCP, 0 ); }
static void test_matrix_udp6( void **state )     { (void)state; check_matrix( AF_INET6, IPPROTO_UDP, 0 ); }
static void test_matrix_tcp_dual( void **state ) { (void)state; check_matrix( AF_INET6, IPPROTO_TCP, 1 ); }
static void test_matrix_udp_dual( void **state ) { (void)state; check_matrix( AF_INET6, IPPROTO_UDP, 1 ); }

/* the first one bound to both stacks, the second to one of them, and the other way round */
static void check_dual( int protocol )
{
    struct bound first, second;
    int row, column;
    u32 ret;

    for (row = 0; row < 6; row += 2)
    {
        for (column = 0; column < 6; column++)
        {
            const char *ip6 = column % 2 ? "::1" : "::", *ip4 = column % 2 ? "127.0.0.1" : "0.0.0.0";

            ret = bind_two( AF_INET6, protocol, 1, "::", row / 2, &first,
                            AF_INET6, protocol, 0, ip6, column / 2, &second, 0, expected( row, column ) );
            assert_int_equal( ret, expected( row, column ) );
            end_one( &first );
            end_one( &second );
            ret = bind_two( AF_INET6, protocol, 1, "::", row / 2, &first,
                            AF_INET, protocol, 0, ip4, column / 2, &second, 0, expected( row, column ) );
            assert_int_equal( ret, expected( row, column ) );
            end_one( &first );
            end_one( &second );
            /* an IPv4 socket first, then both stacks: the wildcard is the second */
            ret = bind_two( AF_INET, protocol, 0, ip4, column / 2, &first,
                            AF_INET6, protocol, 1, "::", row / 2, &second, 0, expected( column, row ) );
            assert_int_equal( ret, expected( column, row ) );
            end_one( &first );
            end_one( &second );
        }
    }
}

static void test_dual_tcp( void **state ) { (void)state; check_dual( IPPROTO_TCP ); }
static void test_dual_udp( void **state ) { (void)state; check_dual( IPPROTO_UDP ); }

/* a mapped address is IPv4's */
static void test_dual_mapped( void **state )
{
    struct bound first, second;
    u16 port = 0;

    (void)state;
    assert_int_equal( bind_one( AF_INET, IPPROTO_TCP, 0, "127.0.0.1", &port, PORT_DEFAULT, &first ), 0 );
    assert_int_equal( bind_one( AF_INET6, IPPROTO_TCP, 1, "::ffff:127.0.0.1", &port, PORT_DEFAULT, &second ), WSAEADDRINUSE );
    end_one( &second );
    assert_int_equal( bind_one( AF_INET6, IPPROTO_TCP, 1, "::1", &port, PORT_DEFAULT, &second ), 0 );
    end_one( &second );
    assert_int_equal( bind_one( AF_INET6, IPPROTO_TCP, 0, "::", &port, PORT_EXCLUSIVE, &second ), 0 );
    end_one( &first );
    end_one( &second );
}

/* two different addresses never meet, whatever the modes; nor do TCP and UDP */
static void test_apart( void **state )
{
    struct bound first, second;
    int protocol, other, i, j;

    (void)state;
    for (i = 0; i < 18; i++)
    {
        protocol = i % 2 ? IPPROTO_TCP : IPPROTO_UDP;
        other = i % 2 ? IPPROTO_UDP : IPPROTO_TCP;
        j = i / 2;
        assert_int_equal( bind_two( AF_INET, protocol, 0, "127.0.0.1", j % 3, &first,
                                    AF_INET, protocol, 0, "127.0.0.2", j / 3, &second, 0, 0 ), 0 );
        end_one( &first );
        end_one( &second );
        assert_int_equal( bind_two( AF_INET, protocol, 0, "127.0.0.1", j % 3, &first,
                                    AF_INET, other, 0, "127.0.0.1", j / 3, &second, 0, 0 ), 0 );
        end_one( &first );
        end_one( &second );
    }
}

static int connect_to( const char *ip, u16 port )
{
    struct port_address addr = make_address( AF_INET, IPPROTO_TCP, 0, ip, port );
    int fd = socket( AF_INET, SOCK_STREAM, 0 );

    assert_int_equal( connect( fd, &addr.addr.sa, sizeof(addr.addr.in) ), 0 );
    return fd;
}

/* whoever is bound to the address itself gets its traffic, in either order of binding */
static void test_specific_first( void **state )
{
    struct bound wild, one;
    int order, fd, got;
    u16 port;

    (void)state;
    for (order = 0; order < 2; order++)
    {
        port = 0;
        if (order) assert_int_equal( bind_one( AF_INET, IPPROTO_TCP, 0, "127.0.0.1", &port, PORT_DEFAULT, &one ), 0 );
        assert_int_equal( bind_one( AF_INET, IPPROTO_TCP, 0, "0.0.0.0", &port, PORT_DEFAULT, &wild ), 0 );
        if (!order) assert_int_equal( bind_one( AF_INET, IPPROTO_TCP, 0, "127.0.0.1", &port, PORT_DEFAULT, &one ), 0 );
        assert_int_equal( ports_listen( wild.entry, wild.fd, 5 ), 0 );
        assert_int_equal( ports_listen( one.entry, one.fd, 5 ), 0 );
        fcntl( wild.fd, F_SETFL, O_NONBLOCK );
        fcntl( one.fd, F_SETFL, O_NONBLOCK );

        fd = connect_to( "127.0.0.1", port );
        assert_int_equal( accept( wild.fd, NULL, NULL ), -1 );
        assert_int_not_equal( got = accept( one.fd, NULL, NULL ), -1 );
        close( got );
        close( fd );
        fd = connect_to( "127.0.0.3", port );
        assert_int_equal( accept( one.fd, NULL, NULL ), -1 );
        assert_int_not_equal( got = accept( wild.fd, NULL, NULL ), -1 );
        close( got );
        close( fd );
        end_one( &wild );
        end_one( &one );
    }
}

static void test_specific_first_udp( void **state )
{
    struct port_address to;
    struct bound wild, one;
    char buffer[8];
    u16 port = 0;
    int fd;

    (void)state;
    assert_int_equal( bind_one( AF_INET, IPPROTO_UDP, 0, "127.0.0.1", &port, PORT_DEFAULT, &one ), 0 );
    assert_int_equal( bind_one( AF_INET, IPPROTO_UDP, 0, "0.0.0.0", &port, PORT_DEFAULT, &wild ), 0 );
    fd = socket( AF_INET, SOCK_DGRAM, 0 );
    to = make_address( AF_INET, IPPROTO_UDP, 0, "127.0.0.1", port );
    assert_int_equal( sendto( fd, "a", 1, 0, &to.addr.sa, sizeof(to.addr.in) ), 1 );
    to = make_address( AF_INET, IPPROTO_UDP, 0, "127.0.0.3", port );
    assert_int_equal( sendto( fd, "b", 1, 0, &to.addr.sa, sizeof(to.addr.in) ), 1 );
    assert_int_equal( recv( one.fd, buffer, sizeof(buffer), MSG_DONTWAIT ), 1 );
    assert_int_equal( buffer[0], 'a' );
    assert_int_equal( recv( one.fd, buffer, sizeof(buffer), MSG_DONTWAIT ), -1 );
    assert_int_equal( recv( wild.fd, buffer, sizeof(buffer), MSG_DONTWAIT ), 1 );
    assert_int_equal( buffer[0], 'b' );
    close( fd );
    end_one( &wild );
    end_one( &one );
}

/* What Windows says to SO_REUSEADDR where the first has not set it, WSAEACCES, holds beside a program outside, too. */
static void test_outside_reuse( void **state )
{
    static const struct
    {
        int family;
        const char *outside, *ours;
        u32 reuse;              /* the error with SO_REUSEADDR; without it is WSAEADDRINUSE always */
    }
    pairs[] =
    {
        { AF_INET, "127.0.0.1", "127.0.0.1", WSAEACCES },
        { AF_INET, "0.0.0.0", "0.0.0.0", WSAEACCES },
        /* these Windows allows and Linux can't */
        { AF_INET, "127.0.0.1", "0.0.0.0", WSAEADDRINUSE },
        { AF_INET, "0.0.0.0", "127.0.0.1", WSAEADDRINUSE },
        { AF_INET6, "::1", "::1", WSAEACCES },
        { AF_INET6, "::", "::", WSAEACCES },
        { AF_INET6, "::1", "::", WSAEADDRINUSE },
    };
    struct port_address addr;
    struct bound bound;
    int fd, protocol;
    unsigned i, mode;
    u16 port;

    (void)state;
    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]) * 2; i++)
    {
        const unsigned n = i / 2;

        protocol = i % 2 ? IPPROTO_TCP : IPPROTO_UDP;
        fd = socket( pairs[n].family, i % 2 ? SOCK_STREAM : SOCK_DGRAM, 0 );
        addr = make_address( pairs[n].family, protocol, 0, pairs[n].outside, 0 );
        assert_int_equal( bind( fd, &addr.addr.sa, sizeof(addr.addr) ), 0 );
        if (i % 2) assert_int_equal( listen( fd, 1 ), 0 );
        assert_int_equal( address_local( fd, &addr.addr ), 1 );
        port = address_port( &addr.addr );
        for (mode = PORT_DEFAULT; mode <= PORT_EXCLUSIVE; mode++)
        {
            assert_int_equal( bind_one( pairs[n].family, protocol, 0, pairs[n].ours, &port, mode, &bound ),
                              mode == PORT_REUSE ? pairs[n].reuse : WSAEADDRINUSE );
            end_one( &bound );
        }
        close( fd );
    }
    assert_int_equal( ports_count(), 0 );
}

/* Unix programs outside: their ports are taken for us, ours for them, flags of theirs or not */
static void test_outside( void **state )
{
    static const int types[2] = { SOCK_STREAM, SOCK_DGRAM };
    struct port_address addr;
    struct bound bound, second;
    int i, fd, on = 1;
    u16 port;

    (void)state;
    for (i = 0; i < 2; i++)
    {
        const int protocol = types[i] == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;

        fd = socket( AF_INET, types[i], 0 );
        addr = make_address( AF_INET, protocol, 0, "127.0.0.1", 0 );
        assert_int_equal( bind( fd, &addr.addr.sa, sizeof(addr.addr.in) ), 0 );
        if (types[i] == SOCK_STREAM) assert_int_equal( listen( fd, 1 ), 0 );
        assert_int_equal( address_local( fd, &addr.addr ), 1 );
        port = address_port( &addr.addr );
        assert_int_equal( bind_one( AF_INET, protocol, 0, "127.0.0.1", &port, PORT_DEFAULT, &bound ), WSAEADDRINUSE );
        end_one( &bound );
        assert_int_equal( bind_one( AF_INET, protocol, 0, "0.0.0.0", &port, PORT_REUSE, &bound ), WSAEADDRINUSE );
        end_one( &bound );
        close( fd );

        /* also where two of ours share one */
        port = 0;
        assert_int_equal( bind_one( AF_INET, protocol, 0, "127.0.0.1", &port, PORT_DEFAULT, &bound ), 0 );
        if (types[i] == SOCK_STREAM) assert_int_equal( ports_listen( bound.entry, bound.fd, 1 ), 0 );
        assert_int_equal( bind_one( AF_INET, protocol, 0, "0.0.0.0", &port, PORT_DEFAULT, &second ), 0 );
        if (types[i] == SOCK_STREAM) assert_int_equal( ports_listen( second.entry, second.fd, 1 ), 0 );
        fd = socket( AF_INET, types[i], 0 );
        setsockopt( fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on) );
        /* SO_REUSEPORT keeps a UDP port as closed; of TCP see ports.c */
        if (types[i] == SOCK_DGRAM) setsockopt( fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on) );
        address_set_port( &addr.addr, port );
        assert_int_equal( bind( fd, &addr.addr.sa, sizeof(addr.addr.in) ), -1 );
        assert_int_equal( errno, EADDRINUSE );
        close( fd );
        end_one( &bound );
        end_one( &second );
    }
}

static void test_time_wait( void **state )
{
    struct bound bound;
    int fd, got;
    u16 port = 0;
    char byte;

    (void)state;
    assert_int_equal( bind_one( AF_INET, IPPROTO_TCP, 0, "127.0.0.1", &port, PORT_DEFAULT, &bound ), 0 );
    assert_int_equal( ports_listen( bound.entry, bound.fd, 5 ), 0 );
    fd = connect_to( "127.0.0.1", port );
    assert_int_not_equal( got = accept( bound.fd, NULL, NULL ), -1 );
    close( got );       /* first: this end waits */
    assert_int_equal( recv( fd, &byte, 1, 0 ), 0 );
    close( fd );
    end_one( &bound );
    assert_int_equal( bind_one( AF_INET, IPPROTO_TCP, 0, "127.0.0.1", &port, PORT_DEFAULT, &bound ), 0 );
    assert_int_equal( ports_listen( bound.entry, bound.fd, 5 ), 0 );
    end_one( &bound );
    assert_int_equal( bind_one( AF_INET, IPPROTO_TCP, 0, "0.0.0.0", &port, PORT_EXCLUSIVE, &bound ), 0 );
    end_one( &bound );
}

/* an exclusive listener has gone, a connection of it has not */
static void test_exclusive_connection( void **state )
{
    struct port_entry *shared;
    struct bound bound, second;
    u16 port = 0;

    (void)state;
    assert_int_equal( bind_one( AF_INET, IPPROTO_TCP, 0, "127.0.0.1", &port, PORT_EXCLUSIVE, &bound ), 0 );
    shared = ports_share( bound.entry );
    end_one( &bound );
    assert_int_equal( bind_one( AF_INET, IPPROTO_TCP, 0, "127.0.0.1", &port, PORT_DEFAULT, &second ), WSAEADDRINUSE );
    end_one( &second );
    ports_release( shared, -1, 0 );
    assert_int_equal( bind_one( AF_INET, IPPROTO_TCP, 0, "127.0.0.1", &port, PORT_DEFAULT, &second ), 0 );
    end_one( &second );
    assert_int_equal( ports_count(), 0 );
}

/* the kernel never gives one port twice, whatever we set on our sockets */
static void test_port_zero( void **state )
{
    static u8 seen[65536];
    static struct bound bound[500];
    int protocol, i;
    u16 port;

    (void)state;
    for (protocol = 0; protocol < 2; protocol++)
    {
        memset( seen, 0, sizeof(seen) );
        for (i = 0; i < 500; i++)
        {
            port = 0;
            assert_int_equal( bind_one( AF_INET, protocol ? IPPROTO_TCP : IPPROTO_UDP, 0, i % 2 ? "127.0.0.1" : "0.0.0.0",
                                        &port, i % 3, &bound[i] ), 0 );
            assert_int_equal( seen[port], 0 );
            seen[port] = 1;
        }
        for (i = 0; i < 500; i++) end_one( &bound[i] );
    }
}

static void test_bad_address( void **state )
{
    struct bound bound;
    u16 port = 0;

    (void)state;
    /* documentation's own network: nobody has it */
    assert_int_equal( bind_one( AF_INET, IPPROTO_UDP, 0, "192.0.2.1", &port, PORT_DEFAULT, &bound ), WSAEADDRNOTAVAIL );
    end_one( &bound );
    assert_int_equal( bind_one( AF_INET6, IPPROTO_TCP, 0, "2001:db8::1", &port, PORT_DEFAULT, &bound ), WSAEADDRNOTAVAIL );
    end_one( &bound );
    assert_int_equal( bind_one( AF_INET6, IPPROTO_TCP, 0, "fe80::1", &port, PORT_DEFAULT, &bound ), WSAEADDRNOTAVAIL );
    end_one( &bound );
    assert_int_equal( ports_count(), 0 );
}

int main(void)
{
    const struct CMUnitTest tests[] =
    {
        RAW_UNIT( test_rule ),
        RAW_UNIT( test_matrix_tcp ),
        RAW_UNIT( test_matrix_udp ),
        RAW_UNIT( test_matrix_tcp6 ),
        RAW_UNIT( test_matrix_udp6 ),
        RAW_UNIT( test_matrix_tcp_dual ),
        RAW_UNIT( test_matrix_udp_dual ),
        RAW_UNIT( test_listening_first ),
        RAW_UNIT( test_dual_tcp ),
        RAW_UNIT( test_dual_udp ),
        RAW_UNIT( test_dual_mapped ),
        RAW_UNIT( test_apart ),
        RAW_UNIT( test_specific_first ),
        RAW_UNIT( test_specific_first_udp ),
        RAW_UNIT( test_outside ),
        RAW_UNIT( test_outside_reuse ),
        RAW_UNIT( test_time_wait ),
        RAW_UNIT( test_exclusive_connection ),
        RAW_UNIT( test_port_zero ),
        RAW_UNIT( test_bad_address )
    };

    return cmocka_run_group_tests( tests, NULL, NULL );
}
