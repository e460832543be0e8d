/*
 * WSASendMsg and WSARecvMsg, and the basics of control data
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

static LPFN_WSARECVMSG pWSARecvMsg;
static LPFN_WSASENDMSG pWSASendMsg;

static void get_functions(void)
{
    static const GUID recvmsg_guid = WSAID_WSARECVMSG, sendmsg_guid = WSAID_WSASENDMSG;
    SOCKET s = socket_new( AF_INET, SOCK_DGRAM );

    pWSARecvMsg = extension_function( s, recvmsg_guid );
    pWSASendMsg = extension_function( s, sendmsg_guid );
    closesocket( s );
}

static void test_basics( int family )
{
    union address addr_a, addr_b, name;
    char buffer[16], other[16], text[] = "abc", more[] = "defg";
    WSABUF out[2], in[2];
    DWORD count;
    WSAMSG msg;
    SOCKET a, b;

    winetest_push_context( "family %d", family );
    a = socket_bound( family, SOCK_DGRAM, &addr_a );
    b = socket_bound( family, SOCK_DGRAM, &addr_b );

    memset( &msg, 0, sizeof(msg) );
    out[0].buf = text;
    out[0].len = 3;
    out[1].buf = more;
    out[1].len = 4;
    msg.name = &addr_b.sa;
    msg.namelen = address_len( family );
    msg.lpBuffers = out;
    msg.dwBufferCount = 2;
    count = 0xdeadbeef;
    check_ok( pWSASendMsg( a, &msg, 0, &count, NULL, NULL ) );
    ok( count == 7, "got %lu\n", count );
    count = 0xdeadbeef;
    check_ok( WSASendMsg( a, &msg, 0, &count, NULL, NULL ) );
    ok( count == 7, "got %lu\n", count );

    memset( &msg, 0, sizeof(msg) );
    memset( &name, 0xcc, sizeof(name) );
    in[0].buf = buffer;
    in[0].len = 2;
    in[1].buf = other;
    in[1].len = sizeof(other);
    msg.name = &name.sa;
    msg.namelen = sizeof(name);
    msg.lpBuffers = in;
    msg.dwBufferCount = 2;
    msg.dwFlags = MSG_PEEK;
    count = 0xdeadbeef;
    check_ok( pWSARecvMsg( b, &msg, &count, NULL, NULL ) );
    ok( count == 7, "got %lu\n", count );
    msg.dwFlags = 0;
    msg.namelen = sizeof(name);
    memset( buffer, 0, sizeof(buffer) );
    count = 0xdeadbeef;
    check_ok( pWSARecvMsg( b, &msg, &count, NULL, NULL ) );
    ok( count == 7, "got %lu\n", count );
    ok( !memcmp( buffer, "ab", 2 ), "got %s\n", debugstr_an( buffer, 2 ) );
    ok( !memcmp( other, "cdefg", 5 ), "got %s\n", debugstr_an( other, 5 ) );
    ok( !msg.dwFlags, "got flags %#lx\n", msg.dwFlags );
    ok( !msg.Control.len, "got %lu bytes of control data\n", msg.Control.len );
    ok( msg.namelen == address_len( family ), "got length %d\n", msg.namelen );
    ok( address_port( &name ) == address_port( &addr_a ), "got port %u\n", address_port( &name ) );

    /* nobody asks for the name */
    msg.name = NULL;
    msg.namelen = 0;
    check_ok( pWSARecvMsg( b, &msg, &count, NULL, NULL ) );
    ok( count == 7, "got %lu\n", count );

    socket_set_nonblocking( b, TRUE );
    check_error( pWSARecvMsg( b, &msg, &count, NULL, NULL ), WSAEWOULDBLOCK );
    socket_set_nonblocking( b, FALSE );
    socket_set_timeout( b, 100 );
    check_error( pWSARecvMsg( b, &msg, &count, NULL, NULL ), WSAETIMEDOUT );

    /* connected */
    check_ok( connect( a, &addr_b.sa, address_len( family ) ) );
    memset( &msg, 0, sizeof(msg) );
    msg.lpBuffers = out;
    msg.dwBufferCount = 1;
    check_ok( pWSASendMsg( a, &msg, 0, &count, NULL, NULL ) );
    ok( count == 3, "got %lu\n", count );
    check_int( recv( b, buffer, sizeof(buffer), 0 ), 3 );
    closesocket( a );
    closesocket( b );
    winetest_pop_context();
}

/* more than fits: the size is stored, the flags stay */
static void test_truncation(void)
{
    char buffer[4];
    WSABUF buf = { sizeof(buffer), buffer };
    WSAMSG msg = { 0 };
    DWORD count = 0xdeadbeef;
    SOCKET a, b;

    udp_pair( &a, &b );
    check_int( send( a, "0123456789", 10, 0 ), 10 );
    check_int( send( a, "next", 4, 0 ), 4 );
    msg.lpBuffers = &buf;
    msg.dwBufferCount = 1;
    check_error( pWSARecvMsg( b, &msg, &count, NULL, NULL ), WSAEMSGSIZE );
    todo_wine ok( count == 4, "got %lu\n", count );
    ok( !msg.dwFlags, "got flags %#lx\n", msg.dwFlags );
    ok( !memcmp( buffer, "0123", 4 ), "got %s\n", debugstr_an( buffer, 4 ) );
    check_ok( pWSARecvMsg( b, &msg, &count, NULL, NULL ) );
    ok( !memcmp( buffer, "next", 4 ), "got %s\n", debugstr_an( buffer, 4 ) );
    closesocket( a );
    closesocket( b );
}

static void test_errors(void)
{
    SOCKET s, client, server;
    union address addr;
    char buffer[8] = "abc";
    WSABUF buf = { 3, buffer };
    WSAMSG msg = { 0 };
    DWORD count;
    int len;

    msg.lpBuffers = &buf;
    msg.dwBufferCount = 1;
    tcp_pair( &client, &server );
    todo_wine check_error( pWSASendMsg( client, &msg, 0, &count, NULL, NULL ), WSAEINVAL );
    closesocket( client );
    closesocket( server );

    s = socket_new( AF_INET, SOCK_DGRAM );
    socket_set_timeout( s, 200 );
    todo_wine check_error( pWSARecvMsg( s, &msg, &count, NULL, NULL ), WSAEINVAL );
    todo_wine check_error( pWSASendMsg( s, &msg, 0, &count, NULL, NULL ), WSAENOTCONN );
    /* it is bound now */
    len = sizeof(addr);
    check_ok( getsockname( s, &addr.sa, &len ) );
    ok( address_port( &addr ), "no port\n" );
    closesocket( s );

    check_error( pWSASendMsg( INVALID_SOCKET, &msg, 0, &count, NULL, NULL ), WSAENOTSOCK );
    check_error( pWSARecvMsg( INVALID_SOCKET, &msg, &count, NULL, NULL ), WSAENOTSOCK );
    check_error( pWSARecvMsg( s, &msg, &count, NULL, NULL ), WSAENOTSOCK );
}

static void piece_bad_pointers(void)
{
    SOCKET a, b;
    DWORD count;

    udp_pair( &a, &b );
    check_error( pWSASendMsg( a, NULL, 0, &count, NULL, NULL ), WSAEFAULT );
    check_error( pWSARecvMsg( a, NULL, &count, NULL, NULL ), WSAEFAULT );
    check_error( pWSASendMsg( a, bad_pointer(), 0, &count, NULL, NULL ), WSAEFAULT );
    check_error( pWSARecvMsg( a, bad_pointer(), &count, NULL, NULL ), WSAEFAULT );
    closesocket( a );
    closesocket( b );
}

/* receives with control data, of which there must be exactly one piece; returns it */
static void *receive_control( SOCKET s, char *control, DWORD size, int level, int type, DWORD len )
{
    char buffer[16];
    WSABUF buf = { sizeof(buffer), buffer };
    WSACMSGHDR *header;
    WSAMSG msg = { 0 };
    DWORD count;

    msg.lpBuffers = &buf;
    msg.dwBufferCount = 1;
    msg.Control.buf = control;
    msg.Control.len = size;
    memset( control, 0xcc, size );
    check_ok( pWSARecvMsg( s, &msg, &count, NULL, NULL ) );
    header = WSA_CMSG_FIRSTHDR( &msg );
    ok( !!header, "no control data\n" );
    if (!header) return NULL;
    ok( header->cmsg_level == level, "got level %d\n", header->cmsg_level );
    ok( header->cmsg_type == type, "got type %d\n", header->cmsg_type );
    ok( header->cmsg_len == WSA_CMSG_LEN( len ), "got length %Iu\n", header->cmsg_len );
    ok( msg.Control.len == WSA_CMSG_SPACE( len ), "got %lu bytes\n", msg.Control.len );
    ok( !msg.dwFlags, "got flags %#lx\n", msg.dwFlags );
    return WSA_CMSG_DATA( header );
}

static void test_pktinfo(void)
{
    union address addr, addr6;
    char control[128], buffer[16];
    WSABUF buf = { sizeof(buffer), buffer };
    IN6_PKTINFO *info6;
    IN_PKTINFO *info;
    WSAMSG msg = { 0 };
    DWORD count, on = 1, off = 0;
    SOCKET a, b;

    a = socket_new( AF_INET, SOCK_DGRAM );
    b = socket_bound( AF_INET, SOCK_DGRAM, &addr );
    check_ok( setsockopt( b, IPPROTO_IP, IP_PKTINFO, (char *)&on, sizeof(on) ) );
    check_int( sendto( a, "abc", 3, 0, &addr.sa, sizeof(addr.in) ), 3 );
    info = receive_control( b, control, sizeof(control), IPPROTO_IP, IP_PKTINFO, sizeof(*info) );
    if (info)
    {
        ok( info->ipi_addr.s_addr == htonl( INADDR_LOOPBACK ), "got address %#lx\n", info->ipi_addr.s_addr );
        ok( info->ipi_ifindex, "no interface\n" );
    }
    /* exactly enough room */
    check_int( sendto( a, "abc", 3, 0, &addr.sa, sizeof(addr.in) ), 3 );
    info = receive_control( b, control, WSA_CMSG_SPACE( sizeof(*info) ), IPPROTO_IP, IP_PKTINFO, sizeof(*info) );
    ok( !!info, "not enough room\n" );

    /* too little */
    check_int( sendto( a, "abc", 3, 0, &addr.sa, sizeof(addr.in) ), 3 );
    msg.lpBuffers = &buf;
    msg.dwBufferCount = 1;
    msg.Control.buf = control;
    msg.Control.len = sizeof(WSACMSGHDR);
    count = 0xdeadbeef;
    check_error( pWSARecvMsg( b, &msg, &count, NULL, NULL ), WSAEMSGSIZE );
    todo_wine ok( count == 3, "got %lu\n", count );
    ok( msg.dwFlags & MSG_CTRUNC, "got flags %#lx\n", msg.dwFlags );

    /* it is not in the way of other receives */
    check_int( sendto( a, "abc", 3, 0, &addr.sa, sizeof(addr.in) ), 3 );
    check_int( recv( b, buffer, sizeof(buffer), 0 ), 3 );

    /* nobody wants it */
    check_ok( setsockopt( b, IPPROTO_IP, IP_PKTINFO, (char *)&off, sizeof(off) ) );
    check_int( sendto( a, "abc", 3, 0, &addr.sa, sizeof(addr.in) ), 3 );
    msg.Control.len = sizeof(control);
    msg.dwFlags = 0;
    check_ok( pWSARecvMsg( b, &msg, &count, NULL, NULL ) );
    ok( !msg.Control.len, "got %lu bytes\n", msg.Control.len );
    closesocket( a );
    closesocket( b );

    a = socket_new( AF_INET6, SOCK_DGRAM );
    b = socket_bound( AF_INET6, SOCK_DGRAM, &addr6 );
    check_ok( setsockopt( b, IPPROTO_IPV6, IPV6_PKTINFO, (char *)&on, sizeof(on) ) );
    check_int( sendto( a, "abc", 3, 0, &addr6.sa, sizeof(addr6.in6) ), 3 );
    info6 = receive_control( b, control, sizeof(control), IPPROTO_IPV6, IPV6_PKTINFO, sizeof(*info6) );
    if (info6)
    {
        ok( IN6_IS_ADDR_LOOPBACK( &info6->ipi6_addr ), "got another address\n" );
        ok( info6->ipi6_ifindex, "no interface\n" );
    }
    closesocket( a );
    closesocket( b );
}

/* the sender chooses its address */
static void test_send_pktinfo(void)
{
    char control[WSA_CMSG_SPACE( sizeof(IN_PKTINFO) )], text[] = "abc", buffer[16];
    WSABUF buf = { 3, text };
    union address addr, from, name;
    WSACMSGHDR *header = (WSACMSGHDR *)control;
    IN_PKTINFO *info;
    WSAMSG msg = { 0 };
    DWORD count;
    SOCKET a, b;
    int len;

    a = socket_new( AF_INET, SOCK_DGRAM );
    memset( &name, 0, sizeof(name) );
    name.sa.sa_family = AF_INET;
    check_ok( bind( a, &name.sa, sizeof(name.in) ) );
    b = socket_bound( AF_INET, SOCK_DGRAM, &addr );
    memset( control, 0, sizeof(control) );
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    header->cmsg_len = WSA_CMSG_LEN( sizeof(*info) );
    info = (IN_PKTINFO *)WSA_CMSG_DATA( header );
    info->ipi_addr.s_addr = htonl( INADDR_LOOPBACK );
    msg.name = &addr.sa;
    msg.namelen = sizeof(addr.in);
    msg.lpBuffers = &buf;
    msg.dwBufferCount = 1;
    msg.Control.buf = control;
    msg.Control.len = sizeof(control);
    check_ok( pWSASendMsg( a, &msg, 0, &count, NULL, NULL ) );
    ok( count == 3, "got %lu\n", count );
    len = sizeof(from);
    check_int( recvfrom( b, buffer, sizeof(buffer), 0, &from.sa, &len ), 3 );
    ok( from.in.sin_addr.s_addr == htonl( INADDR_LOOPBACK ), "got address %#lx\n", from.in.sin_addr.s_addr );
    closesocket( a );
    closesocket( b );
}

static const struct piece pieces[] =
{
    { "bad_pointers", piece_bad_pointers },
};

START_TEST(msg)
{
    WSADATA data;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    get_functions();
    if (pWSARecvMsg && pWSASendMsg && !piece_main( pieces, ARRAY_SIZE(pieces) ))
    {
        test_basics( AF_INET );
        test_basics( AF_INET6 );
        test_truncation();
        test_errors();
        test_pktinfo();
        test_send_pktinfo();
        todo_wine piece_run( "bad_pointers" );
    }
    WSACleanup();
}
