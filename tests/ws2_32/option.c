/*
 * getsockopt and setsockopt: what there is, defaults, lengths, what may be set
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

#ifndef TCP_KEEPALIVE
#define TCP_KEEPALIVE 3
#endif
#ifndef TCP_KEEPCNT
#define TCP_KEEPCNT 16
#endif
#ifndef TCP_KEEPINTVL
#define TCP_KEEPINTVL 17
#endif
#ifndef TCP_FASTOPEN
#define TCP_FASTOPEN 15
#endif
#ifndef UDP_SEND_MSG_SIZE
#define UDP_SEND_MSG_SIZE 2
#endif

enum
{
    TCP4 = 1, UDP4 = 2, TCP6 = 4, UDP6 = 8,
    TCP = TCP4 | TCP6, UDP = UDP4 | UDP6,
    V4 = TCP4 | UDP4, V6 = TCP6 | UDP6,
    ALL = TCP | UDP,
};

static SOCKET new_socket( int kind )
{
    return socket_new( kind & V4 ? AF_INET : AF_INET6, kind & TCP ? SOCK_STREAM : SOCK_DGRAM );
}

/* options whose value is an int, a DWORD or a BOOL */
static const struct option
{
    const char *name;
    int level, option;
    int kinds;          /* the sockets that have it */
    int missing;        /* those that do not, and say WSAENOPROTOOPT */
    int def;            /* -2: not looked at */
    int set[3];         /* values to be set and read back; -2 ends them */
    BOOL differs;       /* stock Wine has it otherwise, or not at all */
}
options[] =
{
#define O(level, option) #option, level, option
    { O( SOL_SOCKET, SO_DEBUG ),              ALL, 0,   0,     { 1, 0, -2 }, TRUE },
    { O( SOL_SOCKET, SO_REUSEADDR ),          ALL, 0,   0,     { 1, 0, -2 }, FALSE },
    { O( SOL_SOCKET, SO_EXCLUSIVEADDRUSE ),   ALL, 0,   0,     { 1, 0, -2 }, FALSE },
    { O( SOL_SOCKET, SO_KEEPALIVE ),          TCP, UDP, 0,     { 1, 0, -2 }, TRUE },
    { O( SOL_SOCKET, SO_DONTROUTE ),          ALL, 0,   0,     { 1, 0, -2 }, TRUE },
    { O( SOL_SOCKET, SO_BROADCAST ),          UDP, TCP, 0,     { 1, 0, -2 }, TRUE },
    { O( SOL_SOCKET, SO_DONTLINGER ),         TCP, 0,   1,     { 0, 1, -2 }, FALSE },
    { O( SOL_SOCKET, SO_OOBINLINE ),          TCP, UDP, 0,     { 1, 0, -2 }, TRUE },
    { O( SOL_SOCKET, SO_SNDBUF ),             ALL, 0,   65536, { 12345, 4096, 300000 }, TRUE },
    { O( SOL_SOCKET, SO_RCVBUF ),             ALL, 0,   65536, { 12345, 4096, 300000 }, TRUE },
    { O( SOL_SOCKET, SO_SNDTIMEO ),           ALL, 0,   0,     { 1234, 1, 0 }, FALSE },
    { O( SOL_SOCKET, SO_RCVTIMEO ),           ALL, 0,   0,     { 1234, 1, 0 }, FALSE },
    { O( SOL_SOCKET, SO_CONDITIONAL_ACCEPT ), TCP, 0,   0,     { 1, 0, -2 }, TRUE },
    { O( IPPROTO_TCP, TCP_NODELAY ),          TCP, UDP, 0,     { 1, 0, -2 }, TRUE },
    { O( IPPROTO_TCP, TCP_KEEPALIVE ),        TCP, UDP, 7200,  { 60, 1000, -2 }, TRUE },
    { O( IPPROTO_TCP, TCP_KEEPCNT ),          TCP, UDP, 10,    { 3, 20, -2 }, TRUE },
    { O( IPPROTO_TCP, TCP_KEEPINTVL ),        TCP, UDP, 1,     { 5, 100, -2 }, TRUE },
    { O( IPPROTO_TCP, TCP_FASTOPEN ),         TCP, UDP, 0,     { 1, 0, -2 }, TRUE },
    { O( IPPROTO_UDP, UDP_NOCHECKSUM ),       UDP, TCP, 0,     { 1, 0, -2 }, TRUE },
    { O( IPPROTO_UDP, UDP_SEND_MSG_SIZE ),    UDP, TCP, 0,     { 1000, 0, -2 }, TRUE },
    { O( IPPROTO_IP, IP_TTL ),                V4,  0,   128,   { 1, 64, 255 }, TRUE },
    { O( IPPROTO_IP, IP_DONTFRAGMENT ),       UDP4, 0,   0,     { 1, 0, -2 }, FALSE },
    { O( IPPROTO_IP, IP_MULTICAST_TTL ),      UDP4, 0,  1,     { 2, 255, -2 }, FALSE },
    { O( IPPROTO_IP, IP_MULTICAST_LOOP ),     UDP4, 0,  1,     { 0, 1, -2 }, FALSE },
    { O( IPPROTO_IP, IP_MULTICAST_IF ),       UDP4, 0,  0,     { -2 }, FALSE },
    { O( IPPROTO_IP, IP_PKTINFO ),            UDP4, 0,  0,     { 1, 0, -2 }, FALSE },
    { O( IPPROTO_IP, IP_RECVTTL ),            UDP4, 0,  0,     { 1, 0, -2 }, FALSE },
    { O( IPPROTO_IP, IP_RECVTOS ),            UDP4, 0,  0,     { 1, 0, -2 }, FALSE },
    { O( IPPROTO_IP, IP_MTU_DISCOVER ),       UDP4, 0,  0,     { 1, 2, 0 }, TRUE },
    { O( IPPROTO_IPV6, IPV6_V6ONLY ),         V6,  0,   1,     { 0, 1, -2 }, TRUE },
    { O( IPPROTO_IPV6, IPV6_UNICAST_HOPS ),   V6,  0,   128,   { 1, 64, 255 }, TRUE },
    { O( IPPROTO_IPV6, IPV6_DONTFRAG ),       UDP6, 0,   0,     { 1, 0, -2 }, FALSE },
    { O( IPPROTO_IPV6, IPV6_MULTICAST_HOPS ), UDP6, 0,  1,     { 2, 255, -2 }, FALSE },
    { O( IPPROTO_IPV6, IPV6_MULTICAST_LOOP ), UDP6, 0,  1,     { 0, 1, -2 }, FALSE },
    { O( IPPROTO_IPV6, IPV6_MULTICAST_IF ),   UDP6, 0,  0,     { -2 }, FALSE },
    { O( IPPROTO_IPV6, IPV6_PKTINFO ),        UDP6, 0,  0,     { 1, 0, -2 }, FALSE },
    { O( IPPROTO_IPV6, IPV6_HOPLIMIT ),       UDP6, 0,  0,     { 1, 0, -2 }, FALSE },
    { O( IPPROTO_IPV6, IPV6_RECVTCLASS ),     UDP6, 0,  0,     { 1, 0, -2 }, FALSE },
    { O( IPPROTO_IPV6, IPV6_MTU_DISCOVER ),   UDP6, 0,  0,     { 1, 2, 0 }, TRUE },
#undef O
};

/* the option's value as an int of four bytes; all of them must be written */
static int get_int( SOCKET s, const struct option *opt, int *value )
{
    int buffer[2] = { 0x55555555, 0x55555555 }, len = sizeof(int), ret;

    WSASetLastError( 0xdeadbeef );
    ret = getsockopt( s, opt->level, opt->option, (char *)buffer, &len );
    *value = buffer[0];
    if (!ret && len != sizeof(int)) *value = 0x55555555;
    if (buffer[1] != 0x55555555) ok( 0, "more than the length was written\n" );
    return ret;
}

static void test_one( const struct option *opt, int kind )
{
    SOCKET s = new_socket( kind );
    int i, ret, value, set, len;
    char large[16];

    if (opt->missing & kind)
    {
        ret = get_int( s, opt, &value );
        ok( ret == -1 && WSAGetLastError() == WSAENOPROTOOPT, "get returned %d, error %d\n", ret, WSAGetLastError() );
        set = 1;
        ret = setsockopt( s, opt->level, opt->option, (char *)&set, sizeof(set) );
        ok( ret == -1 && WSAGetLastError() == WSAENOPROTOOPT, "set returned %d, error %d\n", ret, WSAGetLastError() );
        closesocket( s );
        return;
    }

    ret = get_int( s, opt, &value );
    ok( !ret && (opt->def == -2 || value == opt->def), "get returned %d, error %d, value %d, expected %d\n",
        ret, WSAGetLastError(), value, opt->def );
    for (i = 0; i < 3 && opt->set[i] != -2; i++)
    {
        set = opt->set[i];
        WSASetLastError( 0xdeadbeef );
        ret = setsockopt( s, opt->level, opt->option, (char *)&set, sizeof(set) );
        ok( !ret, "set %d: error %d\n", set, WSAGetLastError() );
        ret = get_int( s, opt, &value );
        ok( !ret && value == set, "get returned %d, error %d, value %d, expected %d\n", ret, WSAGetLastError(),
            value, set );
    }

    /* more room than needed is fine, none is not */
    len = sizeof(large);
    ret = getsockopt( s, opt->level, opt->option, large, &len );
    ok( !ret && len == sizeof(int), "get returned %d, error %d, length %d\n", ret, WSAGetLastError(), len );
    len = 0;
    ret = getsockopt( s, opt->level, opt->option, large, &len );
    ok( ret == -1 && WSAGetLastError() == WSAEFAULT, "no room: get returned %d, error %d\n", ret, WSAGetLastError() );
    closesocket( s );
}

static void test_values(void)
{
    unsigned i;
    int kind;

    for (i = 0; i < ARRAY_SIZE(options); i++)
    {
        for (kind = 1; kind <= UDP6; kind <<= 1)
        {
            if (!((options[i].kinds | options[i].missing) & kind)) continue;
            winetest_push_context( "%s %s%d", options[i].name, kind & TCP ? "TCP" : "UDP", kind & V4 ? 4 : 6 );
            flaky_wine_if( options[i].differs ) test_one( &options[i], kind );
            winetest_pop_context();
        }
    }
}

static void test_read_only(void)
{
    static const int names[] = { SO_TYPE, SO_ACCEPTCONN };
    int i, value, len;
    SOCKET s;

    s = socket_new( AF_INET, SOCK_STREAM );
    for (i = 0; i < (int)ARRAY_SIZE(names); i++)
    {
        winetest_push_context( "%#x", names[i] );
        value = SOCK_DGRAM;
        check_error( setsockopt( s, SOL_SOCKET, names[i], (char *)&value, sizeof(value) ), WSAENOPROTOOPT );
        winetest_pop_context();
    }
    len = sizeof(value);
    check_ok( getsockopt( s, SOL_SOCKET, SO_TYPE, (char *)&value, &len ) );
    ok( value == SOCK_STREAM, "got %d\n", value );
    ok( len == sizeof(value), "got length %d\n", len );
    value = 0xdeadbeef;
    check_ok( getsockopt( s, SOL_SOCKET, SO_CONNECT_TIME, (char *)&value, &len ) );
    ok( value == -1, "got %d\n", value );
    closesocket( s );

    s = socket_new( AF_INET, SOCK_DGRAM );
    value = 0xdeadbeef;
    check_ok( getsockopt( s, SOL_SOCKET, SO_MAX_MSG_SIZE, (char *)&value, &len ) );
    ok( value == 65507, "got %d\n", value );
    closesocket( s );
}

static void test_unknown(void)
{
    SOCKET s = socket_new( AF_INET, SOCK_STREAM );
    int value = 0, len = sizeof(value);

    check_error( getsockopt( s, 0xdead, 1, (char *)&value, &len ), WSAEINVAL );
    check_error( setsockopt( s, 0xdead, 1, (char *)&value, sizeof(value) ), WSAEINVAL );
    check_error( getsockopt( s, SOL_SOCKET, 0x7abc, (char *)&value, &len ), WSAENOPROTOOPT );
    check_error( setsockopt( s, SOL_SOCKET, 0x7abc, (char *)&value, sizeof(value) ), WSAENOPROTOOPT );
    check_error( getsockopt( s, SOL_SOCKET, SO_SNDLOWAT, (char *)&value, &len ), WSAENOPROTOOPT );
    check_error( setsockopt( s, SOL_SOCKET, SO_RCVLOWAT, (char *)&value, sizeof(value) ), WSAENOPROTOOPT );
    check_error( getsockopt( s, IPPROTO_TCP, 0xabc, (char *)&value, &len ), WSAENOPROTOOPT );
    check_error( setsockopt( s, IPPROTO_TCP, 0xabc, (char *)&value, sizeof(value) ), WSAENOPROTOOPT );
    check_error( getsockopt( s, IPPROTO_IP, 0xabc, (char *)&value, &len ), WSAENOPROTOOPT );
    check_error( setsockopt( s, IPPROTO_IP, 0xabc, (char *)&value, sizeof(value) ), WSAENOPROTOOPT );
    closesocket( s );
}

static void test_lengths(void)
{
    SOCKET s = socket_new( AF_INET, SOCK_STREAM );
    char large[16] = { 1 };
    int value = 1, len;

    check_error( setsockopt( s, SOL_SOCKET, SO_REUSEADDR, NULL, sizeof(value) ), WSAEFAULT );
    todo_wine check_error( setsockopt( s, SOL_SOCKET, SO_REUSEADDR, (char *)&value, 0 ), WSAEFAULT );
    check_error( setsockopt( s, SOL_SOCKET, SO_RCVBUF, (char *)&value, 0 ), WSAEFAULT );
    check_error( setsockopt( s, SOL_SOCKET, SO_RCVBUF, (char *)&value, 3 ), WSAEFAULT );
    check_error( setsockopt( s, SOL_SOCKET, SO_RCVTIMEO, (char *)&value, 2 ), WSAEFAULT );
    check_error( setsockopt( s, IPPROTO_TCP, TCP_NODELAY, NULL, sizeof(value) ), WSAEFAULT );
    check_ok( setsockopt( s, SOL_SOCKET, SO_KEEPALIVE, large, sizeof(large) ) );

    len = sizeof(value);
    check_error( getsockopt( s, SOL_SOCKET, SO_RCVBUF, NULL, &len ), WSAEFAULT );
    check_error( getsockopt( s, SOL_SOCKET, SO_RCVBUF, (char *)&value, NULL ), WSAEFAULT );
    len = 3;
    check_error( getsockopt( s, SOL_SOCKET, SO_RCVBUF, (char *)&value, &len ), WSAEFAULT );
    len = 2;
    check_error( getsockopt( s, SOL_SOCKET, SO_RCVTIMEO, (char *)&value, &len ), WSAEFAULT );
    closesocket( s );
}

static void piece_bad_pointers(void)
{
    SOCKET s = socket_new( AF_INET, SOCK_STREAM );
    int value, len = sizeof(value);

    check_error( setsockopt( s, SOL_SOCKET, SO_RCVBUF, bad_pointer(), sizeof(value) ), WSAEFAULT );
    todo_wine check_error( getsockopt( s, SOL_SOCKET, SO_RCVBUF, bad_pointer(), &len ), WSAEFAULT );
    check_error( getsockopt( s, SOL_SOCKET, SO_RCVBUF, (char *)&value, bad_pointer() ), WSAEFAULT );
    check_error( setsockopt( s, SOL_SOCKET, SO_LINGER, bad_pointer(), sizeof(struct linger) ), WSAEFAULT );
    check_error( setsockopt( s, IPPROTO_TCP, TCP_NODELAY, bad_pointer(), sizeof(value) ), WSAEFAULT );
    check_error( getsockopt( s, IPPROTO_TCP, TCP_NODELAY, bad_pointer(), &len ), WSAEFAULT );
    check_error( setsockopt( s, IPPROTO_IP, IP_TTL, bad_pointer(), sizeof(value) ), WSAEFAULT );
    check_error( getsockopt( s, IPPROTO_IP, IP_TTL, bad_pointer(), &len ), WSAEFAULT );
    closesocket( s );
}

static void test_linger(void)
{
    struct linger linger;
    SOCKET s;
    BOOL value;
    int len;

    s = socket_new( AF_INET, SOCK_STREAM );
    memset( &linger, 0xcc, sizeof(linger) );
    len = sizeof(linger);
    check_ok( getsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&linger, &len ) );
    ok( len == sizeof(linger), "got length %d\n", len );
    ok( !linger.l_onoff && !linger.l_linger, "got %d, %d\n", linger.l_onoff, linger.l_linger );

    linger.l_onoff = 1;
    linger.l_linger = 30;
    check_ok( setsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) ) );
    memset( &linger, 0xcc, sizeof(linger) );
    check_ok( getsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&linger, &len ) );
    ok( linger.l_onoff == 1 && linger.l_linger == 30, "got %d, %d\n", linger.l_onoff, linger.l_linger );
    len = sizeof(value);
    value = 0xdead;
    check_ok( getsockopt( s, SOL_SOCKET, SO_DONTLINGER, (char *)&value, &len ) );
    ok( !value, "got %d\n", value );
    value = TRUE;
    check_ok( setsockopt( s, SOL_SOCKET, SO_DONTLINGER, (char *)&value, sizeof(value) ) );
    len = sizeof(linger);
    check_ok( getsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&linger, &len ) );
    ok( !linger.l_onoff, "got %d, %d\n", linger.l_onoff, linger.l_linger );

    /* any bit will do, and stays */
    linger.l_onoff = 0x1200;
    linger.l_linger = 5;
    check_ok( setsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) ) );
    memset( &linger, 0xcc, sizeof(linger) );
    check_ok( getsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&linger, &len ) );
    todo_wine ok( linger.l_onoff == 0x1200 && linger.l_linger == 5, "got %#x, %d\n", linger.l_onoff, linger.l_linger );

    len = sizeof(linger) - 1;
    check_error( getsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&linger, &len ), WSAEFAULT );
    check_error( setsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) - 1 ), WSAEFAULT );
    check_error( setsockopt( s, SOL_SOCKET, SO_LINGER, NULL, sizeof(linger) ), WSAEFAULT );
    closesocket( s );
}

static void test_error(void)
{
    SOCKET s = socket_new( AF_INET, SOCK_STREAM );
    int value, len = sizeof(value);

    value = 0xdeadbeef;
    check_ok( getsockopt( s, SOL_SOCKET, SO_ERROR, (char *)&value, &len ) );
    ok( !value, "got %d\n", value );
    ok( len == sizeof(value), "got length %d\n", len );
    value = 0xabc;
    check_ok( setsockopt( s, SOL_SOCKET, SO_ERROR, (char *)&value, sizeof(value) ) );
    value = 0xdeadbeef;
    check_ok( getsockopt( s, SOL_SOCKET, SO_ERROR, (char *)&value, &len ) );
    todo_wine ok( value == 0xabc, "got %d\n", value );
    closesocket( s );
}

static void test_low_byte(void)
{
    SOCKET s = socket_new( AF_INET, SOCK_STREAM );
    int value, len = sizeof(value);

    value = 0x100;
    check_ok( setsockopt( s, SOL_SOCKET, SO_DONTROUTE, (char *)&value, sizeof(value) ) );
    value = 0xdeadbeef;
    check_ok( getsockopt( s, SOL_SOCKET, SO_DONTROUTE, (char *)&value, &len ) );
    todo_wine ok( !value, "got %d\n", value );
    closesocket( s );
}

/* no buffer in the system is a size like any other */
static void test_zero_buffers(void)
{
    SOCKET client, server;
    int value, len = sizeof(value);

    tcp_pair( &client, &server );
    value = 0;
    check_ok( setsockopt( client, SOL_SOCKET, SO_SNDBUF, (char *)&value, sizeof(value) ) );
    check_ok( setsockopt( server, SOL_SOCKET, SO_RCVBUF, (char *)&value, sizeof(value) ) );
    value = 0xdeadbeef;
    check_ok( getsockopt( client, SOL_SOCKET, SO_SNDBUF, (char *)&value, &len ) );
    ok( !value, "got %d\n", value );
    value = 0xdeadbeef;
    check_ok( getsockopt( server, SOL_SOCKET, SO_RCVBUF, (char *)&value, &len ) );
    ok( !value, "got %d\n", value );
    check_int( send( client, "abc", 3, 0 ), 3 );
    recv_exactly( server, "abc", 3 );
    closesocket( client );
    closesocket( server );
}

/* one of them excludes the other */
static void test_exclusive(void)
{
    int on = 1;
    SOCKET s;

    s = socket_new( AF_INET, SOCK_STREAM );
    check_ok( setsockopt( s, SOL_SOCKET, SO_REUSEADDR, (char *)&on, sizeof(on) ) );
    check_error( setsockopt( s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (char *)&on, sizeof(on) ), WSAEINVAL );
    closesocket( s );
    s = socket_new( AF_INET, SOCK_STREAM );
    check_ok( setsockopt( s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (char *)&on, sizeof(on) ) );
    check_error( setsockopt( s, SOL_SOCKET, SO_REUSEADDR, (char *)&on, sizeof(on) ), WSAEINVAL );
    closesocket( s );
}

static void test_ranges(void)
{
    static const int bad[] = { 256, 1000, -2 };
    SOCKET s4 = socket_new( AF_INET, SOCK_DGRAM ), s6 = socket_new( AF_INET6, SOCK_DGRAM );
    struct ip_mreq mreq;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(bad); i++)
    {
        winetest_push_context( "%d", bad[i] );
        check_error( setsockopt( s4, IPPROTO_IP, IP_TTL, (char *)&bad[i], sizeof(int) ), WSAEINVAL );
        check_error( setsockopt( s4, IPPROTO_IP, IP_MULTICAST_TTL, (char *)&bad[i], sizeof(int) ), WSAEINVAL );
        check_error( setsockopt( s6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, (char *)&bad[i], sizeof(int) ), WSAEINVAL );
        check_error( setsockopt( s6, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, (char *)&bad[i], sizeof(int) ), WSAEINVAL );
        winetest_pop_context();
    }

    /* a group that it has not joined */
    mreq.imr_multiaddr.s_addr = inet_addr( "239.1.2.3" );
    mreq.imr_interface.s_addr = htonl( INADDR_LOOPBACK );
    todo_wine check_error( setsockopt( s4, IPPROTO_IP, IP_DROP_MEMBERSHIP, (char *)&mreq, sizeof(mreq) ), WSAEADDRNOTAVAIL );
    closesocket( s4 );
    closesocket( s6 );
}

/* readable on a socket of the other family */
static void test_v6only_on_v4(void)
{
    SOCKET s = socket_new( AF_INET, SOCK_STREAM );
    DWORD value = 0xdeadbeef;
    int len = sizeof(value);

    todo_wine check_ok( getsockopt( s, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&value, &len ) );
    closesocket( s );
}

/* IPV6_V6ONLY is decided before binding */
static void test_v6only_late(void)
{
    union address addr;
    SOCKET s = socket_bound( AF_INET6, SOCK_DGRAM, &addr );
    DWORD value = 0;

    check_error( setsockopt( s, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&value, sizeof(value) ), WSAEINVAL );
    closesocket( s );
}

/* IP_MTU is the path's: it needs a peer */
static void test_mtu(void)
{
    SOCKET s, a, b;
    DWORD value = 0;
    int len = sizeof(value);

    s = socket_new( AF_INET, SOCK_DGRAM );
    todo_wine check_error( getsockopt( s, IPPROTO_IP, IP_MTU, (char *)&value, &len ), WSAENOTCONN );
    closesocket( s );
    udp_pair( &a, &b );
    todo_wine check_ok( getsockopt( a, IPPROTO_IP, IP_MTU, (char *)&value, &len ) );
    todo_wine ok( value >= 1280, "got %lu\n", value );
    closesocket( a );
    closesocket( b );
}

static const struct piece pieces[] =
{
    { "bad_pointers", piece_bad_pointers },
};

START_TEST(option)
{
    WSADATA data;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    if (!piece_main( pieces, ARRAY_SIZE(pieces) ))
    {
        test_values();
        test_read_only();
        test_unknown();
        test_lengths();
        test_linger();
        test_error();
        test_low_byte();
        test_zero_buffers();
        test_exclusive();
        test_ranges();
        test_v6only_on_v4();
        test_v6only_late();
        test_mtu();
        todo_wine piece_run( "bad_pointers" );
    }
    WSACleanup();
}
