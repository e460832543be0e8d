/*
 * Binding, listening, connecting, and the addresses of both ends
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

static void wildcard( union address *addr, int family, USHORT port )
{
    memset( addr, 0, sizeof(*addr) );
    addr->sa.sa_family = family;
    if (family == AF_INET6) addr->in6.sin6_port = htons( port );
    else addr->in.sin_port = htons( port );
}

static void test_bind( int family, int type )
{
    union address addr, other;
    SOCKET s, s2;
    int len;

    winetest_push_context( "family %d, type %d", family, type );
    s = socket_new( family, type );
    len = sizeof(addr);
    check_error( getsockname( s, &addr.sa, &len ), WSAEINVAL );

    len = address_loopback( &addr, family, 0 );
    check_error( bind( s, NULL, len ), WSAEFAULT );
    check_error( bind( s, &addr.sa, len - 1 ), WSAEFAULT );
    check_error( bind( s, &addr.sa, 2 ), WSAEFAULT );
    check_error( bind( s, &addr.sa, 0 ), WSAEFAULT );
    other = addr;
    other.sa.sa_family = 0xdead;
    check_error( bind( s, &other.sa, len ), WSAEAFNOSUPPORT );
    address_loopback( &other, family == AF_INET ? AF_INET6 : AF_INET, 0 );
    if (family == AF_INET) todo_wine check_error( bind( s, &other.sa, sizeof(other.in6) ), WSAEAFNOSUPPORT );
    else todo_wine check_error( bind( s, &other.sa, sizeof(other.in) ), WSAEFAULT );

    /* a longer address is fine */
    check_ok( bind( s, &addr.sa, sizeof(addr) ) );
    memset( &other, 0xcc, sizeof(other) );
    len = sizeof(other);
    check_ok( getsockname( s, &other.sa, &len ) );
    ok( len == address_len( family ), "got length %d\n", len );
    ok( other.sa.sa_family == family, "got family %d\n", other.sa.sa_family );
    ok( address_port( &other ), "no port\n" );
    if (family == AF_INET)
        ok( other.in.sin_addr.s_addr == htonl( INADDR_LOOPBACK ), "got address %#lx\n", other.in.sin_addr.s_addr );
    else
        ok( IN6_IS_ADDR_LOOPBACK( &other.in6.sin6_addr ), "got another address\n" );

    /* once only */
    check_error( bind( s, &addr.sa, len ), WSAEINVAL );

    /* taken */
    s2 = socket_new( family, type );
    check_error( bind( s2, &other.sa, len ), WSAEADDRINUSE );
    check_ok( closesocket( s ) );
    check_ok( bind( s2, &other.sa, len ) );
    check_ok( closesocket( s2 ) );

    /* everywhere */
    s = socket_new( family, type );
    wildcard( &addr, family, 0 );
    check_ok( bind( s, &addr.sa, len ) );
    len = sizeof(other);
    check_ok( getsockname( s, &other.sa, &len ) );
    ok( address_port( &other ), "no port\n" );
    if (family == AF_INET)
        ok( !other.in.sin_addr.s_addr, "got address %#lx\n", other.in.sin_addr.s_addr );
    else
        ok( IN6_IS_ADDR_UNSPECIFIED( &other.in6.sin6_addr ), "got another address\n" );
    s2 = socket_new( family, type );
    check_error( bind( s2, &other.sa, len ), WSAEADDRINUSE );
    closesocket( s2 );
    closesocket( s );
    winetest_pop_context();
}

/* addresses that this host does not have */
static void test_bind_foreign(void)
{
    union address addr;
    SOCKET s;
    int len;

    s = socket_new( AF_INET, SOCK_STREAM );
    wildcard( &addr, AF_INET, 0 );
    addr.in.sin_addr.s_addr = inet_addr( "192.0.2.1" );  /* for documentation only */
    check_error( bind( s, &addr.sa, sizeof(addr.in) ), WSAEADDRNOTAVAIL );
    /* the failure has left it unbound */
    len = sizeof(addr);
    check_error( getsockname( s, &addr.sa, &len ), WSAEINVAL );
    closesocket( s );

    s = socket_new( AF_INET, SOCK_DGRAM );
    wildcard( &addr, AF_INET, 0 );
    addr.in.sin_addr.s_addr = inet_addr( "192.0.2.1" );
    todo_wine check_error( bind( s, &addr.sa, sizeof(addr.in) ), WSAEADDRNOTAVAIL );
    closesocket( s );

    s = socket_new( AF_INET6, SOCK_STREAM );
    wildcard( &addr, AF_INET6, 0 );
    InetPtonW( AF_INET6, L"2001:db8::1", &addr.in6.sin6_addr );
    check_error( bind( s, &addr.sa, sizeof(addr.in6) ), WSAEADDRNOTAVAIL );
    closesocket( s );
}

static void piece_bad_pointers(void)
{
    union address addr;
    SOCKET s, client, server;
    int len;

    s = socket_new( AF_INET, SOCK_STREAM );
    check_error( bind( s, bad_pointer(), sizeof(addr.in) ), WSAEFAULT );
    check_error( connect( s, bad_pointer(), sizeof(addr.in) ), WSAEFAULT );
    check_error( connect( s, NULL, sizeof(addr.in) ), WSAEFAULT );
    closesocket( s );

    tcp_pair( &client, &server );
    len = sizeof(addr);
    check_error( getsockname( client, NULL, &len ), WSAEFAULT );
    check_error( getsockname( client, &addr.sa, NULL ), WSAEFAULT );
    check_error( getsockname( client, bad_pointer(), &len ), WSAEFAULT );
    check_error( getsockname( client, &addr.sa, bad_pointer() ), WSAEFAULT );
    check_error( getpeername( client, NULL, &len ), WSAEFAULT );
    check_error( getpeername( client, &addr.sa, NULL ), WSAEFAULT );
    check_error( getpeername( client, bad_pointer(), &len ), WSAEFAULT );
    check_error( getpeername( client, &addr.sa, bad_pointer() ), WSAEFAULT );
    closesocket( client );
    closesocket( server );
}

static void test_listen(void)
{
    SOCKET s, client, server;
    union address addr;
    int len, value;

    s = socket_new( AF_INET, SOCK_STREAM );
    check_error( listen( s, 5 ), WSAEINVAL );
    len = address_loopback( &addr, AF_INET, 0 );
    check_ok( bind( s, &addr.sa, len ) );
    len = sizeof(value);
    value = 0xdeadbeef;
    check_ok( getsockopt( s, SOL_SOCKET, SO_ACCEPTCONN, (char *)&value, &len ) );
    ok( !value, "got %d\n", value );
    check_ok( listen( s, 5 ) );
    check_ok( getsockopt( s, SOL_SOCKET, SO_ACCEPTCONN, (char *)&value, &len ) );
    ok( value == 1, "got %d\n", value );
    /* again, with whatever length of the queue */
    check_ok( listen( s, 0 ) );
    check_ok( listen( s, -1 ) );
    check_ok( listen( s, SOMAXCONN ) );
    check_ok( listen( s, 1000000 ) );

    len = sizeof(addr);
    check_ok( getsockname( s, &addr.sa, &len ) );
    check_error( connect( s, &addr.sa, sizeof(addr.in) ), WSAEINVAL );
    len = sizeof(addr);
    check_error( getpeername( s, &addr.sa, &len ), WSAENOTCONN );
    check_ok( closesocket( s ) );

    s = socket_bound( AF_INET, SOCK_DGRAM, &addr );
    check_error( listen( s, 5 ), WSAEOPNOTSUPP );
    closesocket( s );

    tcp_pair( &client, &server );
    todo_wine check_error( listen( client, 5 ), WSAEISCONN );
    todo_wine check_error( listen( server, 5 ), WSAEISCONN );
    closesocket( client );
    closesocket( server );
}

static void test_connect( int family )
{
    union address addr, name, peer;
    SOCKET listener, client, server;
    int len, value;

    winetest_push_context( "family %d", family );
    listener = socket_listening( family, &addr );
    client = socket_new( family, SOCK_STREAM );

    len = sizeof(peer);
    check_error( getpeername( client, &peer.sa, &len ), WSAENOTCONN );
    check_ok( connect( client, &addr.sa, address_len( family ) ) );
    server = socket_accepted( listener );

    memset( &name, 0xcc, sizeof(name) );
    len = sizeof(name);
    check_ok( getsockname( client, &name.sa, &len ) );
    ok( len == address_len( family ), "got length %d\n", len );
    memset( &peer, 0xcc, sizeof(peer) );
    len = sizeof(peer);
    check_ok( getpeername( server, &peer.sa, &len ) );
    ok( len == address_len( family ), "got length %d\n", len );
    ok( !memcmp( &name, &peer, len ), "the client's name is not the server's peer\n" );
    if (family == AF_INET)
        ok( name.in.sin_addr.s_addr == htonl( INADDR_LOOPBACK ), "got address %#lx\n", name.in.sin_addr.s_addr );
    else
        ok( IN6_IS_ADDR_LOOPBACK( &name.in6.sin6_addr ), "got another address\n" );

    len = sizeof(peer);
    check_ok( getpeername( client, &peer.sa, &len ) );
    ok( !memcmp( &addr, &peer, address_len( family ) ), "the client's peer is not the listener\n" );
    len = sizeof(name);
    check_ok( getsockname( server, &name.sa, &len ) );
    ok( !memcmp( &addr, &name, address_len( family ) ), "the server's name is not the listener's\n" );

    /* the room is checked */
    len = address_len( family ) - 1;
    check_error( getsockname( client, &name.sa, &len ), WSAEFAULT );
    len = address_len( family ) - 1;
    check_error( getpeername( client, &peer.sa, &len ), WSAEFAULT );
    len = 0;
    check_error( getsockname( client, &name.sa, &len ), WSAEFAULT );

    check_error( connect( client, &addr.sa, address_len( family ) ), WSAEISCONN );
    check_error( connect( server, &addr.sa, address_len( family ) ), WSAEISCONN );
    wildcard( &name, family, 0 );
    check_error( bind( client, &name.sa, address_len( family ) ), WSAEINVAL );

    len = sizeof(value);
    value = 0xdeadbeef;
    check_ok( getsockopt( client, SOL_SOCKET, SO_CONNECT_TIME, (char *)&value, &len ) );
    ok( value >= 0 && value < 60, "connected for %d s\n", value );
    check_ok( getsockopt( listener, SOL_SOCKET, SO_CONNECT_TIME, (char *)&value, &len ) );
    ok( value == -1, "connected for %d s\n", value );

    /* the peer's name outlives the peer */
    closesocket( server );
    check_closed( client );
    len = sizeof(peer);
    check_ok( getpeername( client, &peer.sa, &len ) );
    ok( !memcmp( &addr, &peer, address_len( family ) ), "the client's peer is not the listener\n" );
    closesocket( client );
    closesocket( listener );
    winetest_pop_context();
}

static void test_bad_connects(void)
{
    union address addr, other;
    SOCKET s, listener;
    int len;

    listener = socket_listening( AF_INET, &addr );
    s = socket_new( AF_INET, SOCK_STREAM );
    todo_wine check_error( connect( s, &addr.sa, sizeof(addr.in) - 1 ), WSAEFAULT );
    todo_wine check_error( connect( s, &addr.sa, 3 ), WSAEFAULT );
    other = addr;
    other.sa.sa_family = 0xdead;
    todo_wine check_error( connect( s, &other.sa, sizeof(other.in) ), WSAEAFNOSUPPORT );
    address_loopback( &other, AF_INET6, address_port( &addr ) );
    todo_wine check_error( connect( s, &other.sa, sizeof(other.in6) ), WSAEAFNOSUPPORT );
    wildcard( &other, AF_INET, address_port( &addr ) );
    todo_wine check_error( connect( s, &other.sa, sizeof(other.in) ), WSAEADDRNOTAVAIL );
    address_loopback( &other, AF_INET, 0 );
    todo_wine check_error( connect( s, &other.sa, sizeof(other.in) ), WSAEADDRNOTAVAIL );
    /* none of which hurts */
    todo_wine check_ok( connect( s, &addr.sa, sizeof(addr.in) ) );
    closesocket( s );
    s = socket_new( AF_INET, SOCK_STREAM );
    todo_wine check_error( connect( s, &addr.sa, 0 ), WSAEFAULT );
    closesocket( s );
    closesocket( listener );

    s = socket_new( AF_INET6, SOCK_STREAM );
    todo_wine check_error( connect( s, &addr.sa, sizeof(addr.in) ), WSAEFAULT );
    wildcard( &other, AF_INET6, address_port( &addr ) );
    todo_wine check_error( connect( s, &other.sa, sizeof(other.in6) ), WSAEADDRNOTAVAIL );
    closesocket( s );

    /* NULL is no address, but nobody looks before there is a peer */
    s = socket_new( AF_INET, SOCK_STREAM );
    len = sizeof(addr);
    check_error( getpeername( s, NULL, &len ), WSAENOTCONN );
    closesocket( s );
}

static void test_refused(void)
{
    union address addr, nobody;
    SOCKET s, listener, server;
    int error, len = sizeof(error);

    /* blocking: the call says so, SO_ERROR does not, and the socket can be used again */
    address_loopback( &nobody, AF_INET, unused_port( AF_INET, SOCK_STREAM ) );
    listener = socket_listening( AF_INET, &addr );
    s = socket_new( AF_INET, SOCK_STREAM );
    check_error( connect( s, &nobody.sa, sizeof(nobody.in) ), WSAECONNREFUSED );
    error = 0xdeadbeef;
    check_ok( getsockopt( s, SOL_SOCKET, SO_ERROR, (char *)&error, &len ) );
    todo_wine ok( !error, "got %d\n", error );
    todo_wine check_error( connect( s, &nobody.sa, sizeof(nobody.in) ), WSAECONNREFUSED );
    check_ok( connect( s, &addr.sa, sizeof(addr.in) ) );
    server = socket_accepted( listener );
    check_int( send( s, "abc", 3, 0 ), 3 );
    recv_exactly( server, "abc", 3 );
    closesocket( s );
    closesocket( server );
    closesocket( listener );

    address_loopback( &nobody, AF_INET6, unused_port( AF_INET6, SOCK_STREAM ) );
    s = socket_new( AF_INET6, SOCK_STREAM );
    check_error( connect( s, &nobody.sa, sizeof(nobody.in6) ), WSAECONNREFUSED );
    closesocket( s );
}

/* a socket whose connect failed can listen, being bound */
static void test_listen_after_refused(void)
{
    union address addr, nobody;
    SOCKET s, client, server;
    int ret, len;

    address_loopback( &nobody, AF_INET, unused_port( AF_INET, SOCK_STREAM ) );
    s = socket_new( AF_INET, SOCK_STREAM );
    len = address_loopback( &addr, AF_INET, 0 );
    check_ok( bind( s, &addr.sa, len ) );
    check_error( connect( s, &nobody.sa, sizeof(nobody.in) ), WSAECONNREFUSED );
    ret = listen( s, 5 );
    todo_wine ok( !ret, "listen: error %d\n", WSAGetLastError() );
    if (!ret)
    {
        len = sizeof(addr);
        check_ok( getsockname( s, &addr.sa, &len ) );
        client = socket_connecting( &addr );
        server = socket_accepted( s );
        check_int( send( client, "abc", 3, 0 ), 3 );
        recv_exactly( server, "abc", 3 );
        closesocket( client );
        closesocket( server );
    }
    closesocket( s );
}

static int select_failed( SOCKET s )
{
    struct timeval timeout = { 5, 0 };
    fd_set set;

    FD_ZERO( &set );
    FD_SET( s, &set );
    return select( 0, NULL, NULL, &set, &timeout );
}

static void test_nonblocking_connect(void)
{
    SOCKET s, listener, server;
    union address addr, peer;
    int error, len;

    listener = socket_listening( AF_INET, &addr );
    s = socket_new( AF_INET, SOCK_STREAM );
    socket_set_nonblocking( s, TRUE );
    check_error( connect( s, &addr.sa, sizeof(addr.in) ), WSAEWOULDBLOCK );
    ok( wait_writable( s, 2000 ), "never connected\n" );
    len = sizeof(error);
    error = 0xdeadbeef;
    check_ok( getsockopt( s, SOL_SOCKET, SO_ERROR, (char *)&error, &len ) );
    ok( !error, "got %d\n", error );
    check_error( connect( s, &addr.sa, sizeof(addr.in) ), WSAEISCONN );
    len = sizeof(peer);
    check_ok( getpeername( s, &peer.sa, &len ) );
    ok( !memcmp( &addr, &peer, sizeof(addr.in) ), "connected elsewhere\n" );
    server = socket_accepted( listener );
    check_int( send( s, "abc", 3, 0 ), 3 );
    recv_exactly( server, "abc", 3 );
    closesocket( s );
    closesocket( server );
    closesocket( listener );
}

static void test_nonblocking_refused(void)
{
    union address addr, nobody;
    SOCKET s, listener, server;
    int error, len;
    char c = 0;

    address_loopback( &nobody, AF_INET, unused_port( AF_INET, SOCK_STREAM ) );
    listener = socket_listening( AF_INET, &addr );
    s = socket_new( AF_INET, SOCK_STREAM );
    socket_set_nonblocking( s, TRUE );
    check_error( connect( s, &nobody.sa, sizeof(nobody.in) ), WSAEWOULDBLOCK );
    check_int( select_failed( s ), 1 );

    /* the error stays until a connect succeeds */
    len = sizeof(error);
    error = 0xdeadbeef;
    check_ok( getsockopt( s, SOL_SOCKET, SO_ERROR, (char *)&error, &len ) );
    ok( error == WSAECONNREFUSED, "got %d\n", error );
    error = 0xdeadbeef;
    check_ok( getsockopt( s, SOL_SOCKET, SO_ERROR, (char *)&error, &len ) );
    ok( error == WSAECONNREFUSED, "got %d\n", error );
    todo_wine check_error( recv( s, &c, 1, 0 ), WSAENOTCONN );
    todo_wine check_error( send( s, &c, 1, 0 ), WSAENOTCONN );
    len = sizeof(nobody);
    check_error( getpeername( s, &nobody.sa, &len ), WSAENOTCONN );

    /* again, and then to somebody */
    address_loopback( &nobody, AF_INET, unused_port( AF_INET, SOCK_STREAM ) );
    todo_wine check_error( connect( s, &nobody.sa, sizeof(nobody.in) ), WSAEWOULDBLOCK );
    check_int( select_failed( s ), 1 );
    check_error( connect( s, &addr.sa, sizeof(addr.in) ), WSAEWOULDBLOCK );
    ok( wait_writable( s, 2000 ), "never connected\n" );
    len = sizeof(error);
    error = 0xdeadbeef;
    check_ok( getsockopt( s, SOL_SOCKET, SO_ERROR, (char *)&error, &len ) );
    ok( !error, "got %d\n", error );
    server = socket_accepted( listener );
    check_int( send( s, "abc", 3, 0 ), 3 );
    recv_exactly( server, "abc", 3 );
    closesocket( s );
    closesocket( server );
    closesocket( listener );
}

/* Returns a socket whose connect is under way and stays so for a while: Windows tries for two
 * seconds when nobody listens; elsewhere a listener whose queue is full does not answer. */
static SOCKET pending_connect( SOCKET *listener, SOCKET *others, unsigned count, union address *addr )
{
    unsigned i;
    SOCKET s;

    *listener = socket_bound( AF_INET, SOCK_STREAM, addr );
    listen( *listener, 1 );
    for (i = 0; i < count; i++) others[i] = INVALID_SOCKET;
    for (i = 0; i < count; i++)
    {
        s = socket_new( AF_INET, SOCK_STREAM );
        socket_set_nonblocking( s, TRUE );
        check_error( connect( s, &addr->sa, sizeof(addr->in) ), WSAEWOULDBLOCK );
        if (!wait_writable( s, 100 )) return s;
        others[i] = s;
    }
    return INVALID_SOCKET;
}

static void test_pending_connect(void)
{
    SOCKET s, listener, others[20];
    union address addr, peer;
    unsigned i;
    char c = 0;
    int len;

    s = pending_connect( &listener, others, ARRAY_SIZE(others), &addr );
    if (s == INVALID_SOCKET) skip( "connections are always made at once\n" );
    else
    {
        check_error( connect( s, &addr.sa, sizeof(addr.in) ), WSAEALREADY );
        todo_wine check_error( recv( s, &c, 1, 0 ), WSAENOTCONN );
        todo_wine check_error( send( s, &c, 1, 0 ), WSAENOTCONN );
        len = sizeof(peer);
        todo_wine check_ok( getpeername( s, &peer.sa, &len ) );
        todo_wine ok( !memcmp( &addr, &peer, sizeof(addr.in) ), "connecting elsewhere\n" );
        ok( !wait_readable( s, 0 ), "is readable\n" );
        check_ok( closesocket( s ) );
    }
    for (i = 0; i < ARRAY_SIZE(others); i++) if (others[i] != INVALID_SOCKET) closesocket( others[i] );
    closesocket( listener );
}

static void test_auto_bind(void)
{
    union address addr, name, peer;
    SOCKET s, listener, server;
    int len;

    /* connect() binds to a free port, and to the address that leads there */
    listener = socket_listening( AF_INET, &addr );
    s = socket_connecting( &addr );
    len = sizeof(name);
    check_ok( getsockname( s, &name.sa, &len ) );
    ok( address_port( &name ), "no port\n" );
    server = socket_accepted( listener );
    closesocket( s );
    closesocket( server );

    s = socket_new( AF_INET, SOCK_STREAM );
    wildcard( &name, AF_INET, 0 );
    check_ok( bind( s, &name.sa, sizeof(name.in) ) );
    len = sizeof(name);
    check_ok( getsockname( s, &name.sa, &len ) );
    check_ok( connect( s, &addr.sa, sizeof(addr.in) ) );
    len = sizeof(peer);
    check_ok( getsockname( s, &peer.sa, &len ) );
    ok( address_port( &name ) == address_port( &peer ), "the port changed from %u to %u\n",
        address_port( &name ), address_port( &peer ) );
    ok( peer.in.sin_addr.s_addr == htonl( INADDR_LOOPBACK ), "got address %#lx\n", peer.in.sin_addr.s_addr );
    server = socket_accepted( listener );
    closesocket( s );
    closesocket( server );
    closesocket( listener );

    /* so does connect() of a UDP socket */
    listener = socket_bound( AF_INET, SOCK_DGRAM, &addr );
    s = socket_new( AF_INET, SOCK_DGRAM );
    check_ok( connect( s, &addr.sa, sizeof(addr.in) ) );
    len = sizeof(name);
    check_ok( getsockname( s, &name.sa, &len ) );
    ok( address_port( &name ), "no port\n" );
    ok( name.in.sin_addr.s_addr == htonl( INADDR_LOOPBACK ), "got address %#lx\n", name.in.sin_addr.s_addr );
    closesocket( s );
    closesocket( listener );
}

static void test_udp_connect(void)
{
    union address addr_b, addr_c, peer, name;
    SOCKET a, b, c;
    char buffer[8];
    int len;

    b = socket_bound( AF_INET, SOCK_DGRAM, &addr_b );
    c = socket_bound( AF_INET, SOCK_DGRAM, &addr_c );
    a = socket_new( AF_INET, SOCK_DGRAM );
    len = sizeof(peer);
    check_error( getpeername( a, &peer.sa, &len ), WSAENOTCONN );
    check_ok( connect( a, &addr_b.sa, sizeof(addr_b.in) ) );
    check_ok( getpeername( a, &peer.sa, &len ) );
    ok( !memcmp( &peer, &addr_b, sizeof(peer.in) ), "connected elsewhere\n" );
    check_int( send( a, "b", 1, 0 ), 1 );
    check_int( recv( b, buffer, sizeof(buffer), 0 ), 1 );

    /* and elsewhere, as often as it likes */
    check_ok( connect( a, &addr_c.sa, sizeof(addr_c.in) ) );
    check_ok( getpeername( a, &peer.sa, &len ) );
    ok( !memcmp( &peer, &addr_c, sizeof(peer.in) ), "connected elsewhere\n" );
    check_int( send( a, "cc", 2, 0 ), 2 );
    check_int( recv( c, buffer, sizeof(buffer), 0 ), 2 );
    todo_wine check_error( connect( a, &addr_c.sa, sizeof(addr_c.in) - 1 ), WSAEFAULT );
    address_loopback( &peer, AF_INET6, address_port( &addr_b ) );
    todo_wine check_error( connect( a, &peer.sa, sizeof(peer.in6) ), WSAEAFNOSUPPORT );
    closesocket( a );

    /* broadcast needs its option for sending only */
    a = socket_new( AF_INET, SOCK_DGRAM );
    len = address_loopback( &name, AF_INET, 0 );
    check_ok( bind( a, &name.sa, len ) );
    peer = addr_b;
    peer.in.sin_addr.s_addr = htonl( INADDR_BROADCAST );
    todo_wine check_ok( connect( a, &peer.sa, sizeof(peer.in) ) );
    todo_wine check_error( send( a, "x", 1, 0 ), WSAEACCES );
    closesocket( a );
    closesocket( b );
    closesocket( c );
}

static void test_wsaconnect(void)
{
    union address addr, nobody;
    SOCKET listener, s, server;

    listener = socket_listening( AF_INET, &addr );
    s = socket_new( AF_INET, SOCK_STREAM );
    todo_wine check_error( WSAConnect( s, &addr.sa, sizeof(addr.in) - 1, NULL, NULL, NULL, NULL ), WSAEFAULT );
    address_loopback( &nobody, AF_INET, unused_port( AF_INET, SOCK_STREAM ) );
    check_error( WSAConnect( s, &nobody.sa, sizeof(nobody.in), NULL, NULL, NULL, NULL ), WSAECONNREFUSED );
    todo_wine check_ok( WSAConnect( s, &addr.sa, sizeof(addr.in), NULL, NULL, NULL, NULL ) );
    todo_wine check_error( WSAConnect( s, &addr.sa, sizeof(addr.in), NULL, NULL, NULL, NULL ), WSAEISCONN );
    server = socket_accepted( listener );
    check_int( send( s, "abc", 3, 0 ), 3 );
    recv_exactly( server, "abc", 3 );
    closesocket( s );
    closesocket( server );

    s = socket_new( AF_INET, SOCK_STREAM );
    socket_set_nonblocking( s, TRUE );
    check_error( WSAConnect( s, &addr.sa, sizeof(addr.in), NULL, NULL, NULL, NULL ), WSAEWOULDBLOCK );
    ok( wait_writable( s, 2000 ), "never connected\n" );
    closesocket( s );
    closesocket( listener );
}

/* IPv4 through an IPv6 socket */
static void test_dual_stack(void)
{
    union address addr, mapped, peer;
    SOCKET listener, s, server;
    DWORD off = 0;
    int len;

    listener = socket_listening( AF_INET, &addr );
    s = socket_new( AF_INET6, SOCK_STREAM );
    check_ok( setsockopt( s, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&off, sizeof(off) ) );
    wildcard( &mapped, AF_INET6, address_port( &addr ) );
    InetPtonW( AF_INET6, L"::ffff:127.0.0.1", &mapped.in6.sin6_addr );
    check_ok( connect( s, &mapped.sa, sizeof(mapped.in6) ) );
    server = socket_accepted( listener );
    len = sizeof(peer);
    check_ok( getpeername( s, &peer.sa, &len ) );
    ok( len == sizeof(peer.in6), "got length %d\n", len );
    ok( !memcmp( &peer, &mapped, sizeof(peer.in6) ), "got another peer\n" );
    len = sizeof(peer);
    check_ok( getpeername( server, &peer.sa, &len ) );
    ok( peer.sa.sa_family == AF_INET, "got family %d\n", peer.sa.sa_family );
    check_int( send( s, "abc", 3, 0 ), 3 );
    recv_exactly( server, "abc", 3 );
    closesocket( s );
    closesocket( server );
    closesocket( listener );
}

/* both wildcards of one port, each for its own family */
static void test_two_wildcards(void)
{
    union address addr, loopback;
    SOCKET v4, v6, client, server;
    int len;

    v4 = socket_new( AF_INET, SOCK_STREAM );
    wildcard( &addr, AF_INET, 0 );
    check_ok( bind( v4, &addr.sa, sizeof(addr.in) ) );
    len = sizeof(addr);
    check_ok( getsockname( v4, &addr.sa, &len ) );
    v6 = socket_new( AF_INET6, SOCK_STREAM );
    wildcard( &loopback, AF_INET6, address_port( &addr ) );
    check_ok( bind( v6, &loopback.sa, sizeof(loopback.in6) ) );
    check_ok( listen( v4, 5 ) );
    check_ok( listen( v6, 5 ) );

    address_loopback( &loopback, AF_INET, address_port( &addr ) );
    client = socket_connecting( &loopback );
    server = socket_accepted( v4 );
    closesocket( client );
    closesocket( server );
    address_loopback( &loopback, AF_INET6, address_port( &addr ) );
    client = socket_connecting( &loopback );
    server = socket_accepted( v6 );
    closesocket( client );
    closesocket( server );
    closesocket( v4 );
    closesocket( v6 );
}

static void test_scope(void)
{
    union address addr;
    SOCKET s;

    s = socket_new( AF_INET6, SOCK_STREAM );
    wildcard( &addr, AF_INET6, 0 );
    InetPtonW( AF_INET6, L"fe80::1234", &addr.in6.sin6_addr );
    addr.in6.sin6_scope_id = 0xfade;
    ok( bind( s, &addr.sa, sizeof(addr.in6) ) == -1, "bind succeeded\n" );
    closesocket( s );
}

/* many connections, one after the other and at once */
static void test_many(void)
{
    SOCKET listener, clients[100], servers[100];
    union address addr;
    unsigned i;
    char c;

    listener = socket_listening( AF_INET, &addr );
    for (i = 0; i < ARRAY_SIZE(clients); i++)
    {
        clients[i] = socket_connecting( &addr );
        servers[i] = socket_accepted( listener );
    }
    for (i = 0; i < ARRAY_SIZE(clients); i++)
    {
        c = i;
        check_int( send( clients[i], &c, 1, 0 ), 1 );
    }
    for (i = 0; i < ARRAY_SIZE(clients); i++)
    {
        check_int( recv( servers[i], &c, 1, 0 ), 1 );
        ok( c == (char)i, "%u: got %d\n", i, c );
        closesocket( servers[i] );
    }
    for (i = 0; i < ARRAY_SIZE(clients); i++)
    {
        check_closed( clients[i] );
        closesocket( clients[i] );
    }
    closesocket( listener );
}

static const struct piece pieces[] =
{
    { "bad_pointers", piece_bad_pointers },
};

START_TEST(connect)
{
    WSADATA data;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    if (!piece_main( pieces, ARRAY_SIZE(pieces) ))
    {
        test_bind( AF_INET, SOCK_STREAM );
        test_bind( AF_INET, SOCK_DGRAM );
        test_bind( AF_INET6, SOCK_STREAM );
        test_bind( AF_INET6, SOCK_DGRAM );
        test_bind_foreign();
        test_listen();
        test_connect( AF_INET );
        test_connect( AF_INET6 );
        test_bad_connects();
        test_refused();
        test_listen_after_refused();
        test_nonblocking_connect();
        test_nonblocking_refused();
        test_pending_connect();
        test_auto_bind();
        test_udp_connect();
        test_wsaconnect();
        test_dual_stack();
        test_two_wildcards();
        test_scope();
        test_many();
        todo_wine piece_run( "bad_pointers" );
    }
    WSACleanup();
}
