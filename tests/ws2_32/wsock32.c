/*
 * Winsock 1.1 through wsock32.dll, which both numbers options its own way and shares all sockets
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

/* the numbers of these options before Winsock 2 */
#define WS1_IP_MULTICAST_IF   2
#define WS1_IP_MULTICAST_TTL  3
#define WS1_IP_MULTICAST_LOOP 4
#define WS1_IP_TTL            7
#define WS1_IP_DONTFRAGMENT   9

#define FUNCTIONS \
    X( int, WSAStartup, ( WORD version, WSADATA *data ) ) \
    X( int, WSACleanup, ( void ) ) \
    X( int, WSAGetLastError, ( void ) ) \
    X( void, WSASetLastError, ( int error ) ) \
    X( SOCKET, socket, ( int family, int type, int protocol ) ) \
    X( SOCKET, accept, ( SOCKET s, struct sockaddr *addr, int *len ) ) \
    X( int, bind, ( SOCKET s, const struct sockaddr *addr, int len ) ) \
    X( int, closesocket, ( SOCKET s ) ) \
    X( int, connect, ( SOCKET s, const struct sockaddr *addr, int len ) ) \
    X( int, getpeername, ( SOCKET s, struct sockaddr *addr, int *len ) ) \
    X( int, getsockname, ( SOCKET s, struct sockaddr *addr, int *len ) ) \
    X( int, getsockopt, ( SOCKET s, int level, int option, char *value, int *len ) ) \
    X( int, setsockopt, ( SOCKET s, int level, int option, const char *value, int len ) ) \
    X( int, ioctlsocket, ( SOCKET s, long command, u_long *arg ) ) \
    X( int, listen, ( SOCKET s, int backlog ) ) \
    X( int, recv, ( SOCKET s, char *buffer, int len, int flags ) ) \
    X( int, recvfrom, ( SOCKET s, char *buffer, int len, int flags, struct sockaddr *addr, int *addrlen ) ) \
    X( int, send, ( SOCKET s, const char *buffer, int len, int flags ) ) \
    X( int, sendto, ( SOCKET s, const char *buffer, int len, int flags, const struct sockaddr *addr, int addrlen ) ) \
    X( int, select, ( int count, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, const struct timeval *timeout ) ) \
    X( int, shutdown, ( SOCKET s, int how ) ) \
    X( int, gethostname, ( char *name, int len ) ) \
    X( struct hostent *, gethostbyname, ( const char *name ) ) \
    X( struct servent *, getservbyname, ( const char *name, const char *proto ) ) \
    X( struct protoent *, getprotobyname, ( const char *name ) ) \
    X( ULONG, inet_addr, ( const char *str ) ) \
    X( u_long, htonl, ( u_long value ) ) \
    X( u_short, htons, ( u_short value ) ) \
    X( int, __WSAFDIsSet, ( SOCKET s, fd_set *set ) ) \
    X( int, WSARecvEx, ( SOCKET s, char *buffer, int len, int *flags ) )

#define X( ret, name, params ) static ret (WINAPI *p##name) params;
FUNCTIONS
#undef X

static BOOL load(void)
{
    HMODULE module = LoadLibraryA( "wsock32.dll" );

    ok( !!module, "LoadLibrary failed with %lu\n", GetLastError() );
    if (!module) return FALSE;
#define X( ret, name, params ) \
    p##name = (ret (WINAPI *)params)(void *)GetProcAddress( module, #name ); \
    ok( !!p##name, "no %s\n", #name ); \
    if (!p##name) return FALSE;
    FUNCTIONS
#undef X
    return TRUE;
}

static void test_startup(void)
{
    WSADATA data;

    check_error( psocket( AF_INET, SOCK_STREAM, 0 ), WSANOTINITIALISED );
    memset( &data, 0xcc, sizeof(data) );
    check_ok( pWSAStartup( MAKEWORD( 1, 1 ), &data ) );
    ok( data.wVersion == MAKEWORD( 1, 1 ), "got version %04x\n", data.wVersion );
    ok( data.iMaxSockets, "no sockets\n" );
    ok( data.iMaxUdpDg, "no datagrams\n" );
    pWSASetLastError( 4711 );
    ok( WSAGetLastError() == 4711, "got %d\n", WSAGetLastError() );
    WSASetLastError( 4712 );
    ok( pWSAGetLastError() == 4712, "got %d\n", pWSAGetLastError() );
}

static void test_stream(void)
{
    SOCKET listener, client, server;
    struct timeval timeout = { 2, 0 };
    struct sockaddr_in addr;
    char buffer[16];
    u_long count;
    fd_set set;
    int len;

    listener = psocket( AF_INET, SOCK_STREAM, 0 );
    ok( listener != INVALID_SOCKET, "error %d\n", WSAGetLastError() );
    memset( &addr, 0, sizeof(addr) );
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = phtonl( INADDR_LOOPBACK );
    check_ok( pbind( listener, (struct sockaddr *)&addr, sizeof(addr) ) );
    len = sizeof(addr);
    check_ok( pgetsockname( listener, (struct sockaddr *)&addr, &len ) );
    check_ok( plisten( listener, 5 ) );
    client = psocket( AF_INET, SOCK_STREAM, IPPROTO_TCP );
    check_ok( pconnect( client, (struct sockaddr *)&addr, sizeof(addr) ) );

    FD_ZERO( &set );
    FD_SET( listener, &set );
    check_int( pselect( 0, &set, NULL, NULL, &timeout ), 1 );
    ok( p__WSAFDIsSet( listener, &set ), "not in the set\n" );
    len = sizeof(addr);
    server = paccept( listener, (struct sockaddr *)&addr, &len );
    ok( server != INVALID_SOCKET, "error %d\n", WSAGetLastError() );
    len = sizeof(addr);
    check_ok( pgetpeername( server, (struct sockaddr *)&addr, &len ) );

    check_int( psend( client, "old and new", 11, 0 ), 11 );
    FD_ZERO( &set );
    FD_SET( server, &set );
    check_int( pselect( 0, &set, NULL, NULL, &timeout ), 1 );
    check_ok( pioctlsocket( server, FIONREAD, &count ) );
    ok( count == 11, "got %lu\n", count );
    check_int( precv( server, buffer, 4, 0 ), 4 );
    ok( !memcmp( buffer, "old ", 4 ), "got %s\n", debugstr_an( buffer, 4 ) );
    /* the same sockets by the other library */
    check_int( recv( server, buffer, sizeof(buffer), 0 ), 7 );
    check_int( send( server, "reply", 5, 0 ), 5 );
    check_int( precv( client, buffer, sizeof(buffer), 0 ), 5 );

    check_ok( pshutdown( client, SD_SEND ) );
    check_int( precv( server, buffer, sizeof(buffer), 0 ), 0 );
    check_ok( pclosesocket( server ) );
    check_ok( closesocket( client ) );
    check_ok( pclosesocket( listener ) );
    check_error( pclosesocket( listener ), WSAENOTSOCK );
}

static void test_datagram(void)
{
    union address addr_a, addr_b, from;
    char buffer[16];
    SOCKET a, b;
    int len, flags;

    a = socket_bound( AF_INET, SOCK_DGRAM, &addr_a );
    b = socket_bound( AF_INET, SOCK_DGRAM, &addr_b );
    check_int( psendto( a, "datagram", 8, 0, &addr_b.sa, sizeof(addr_b.in) ), 8 );
    len = sizeof(from);
    check_int( precvfrom( b, buffer, sizeof(buffer), 0, &from.sa, &len ), 8 );
    ok( !memcmp( &from, &addr_a, sizeof(from.in) ), "got another sender\n" );

    /* WSARecvEx tells of a part as a success with a flag */
    check_int( psendto( a, "datagram", 8, 0, &addr_b.sa, sizeof(addr_b.in) ), 8 );
    flags = 0;
    check_int( pWSARecvEx( b, buffer, sizeof(buffer), &flags ), 8 );
    ok( !flags, "got flags %#x\n", flags );
    check_ok( closesocket( a ) );
    check_ok( closesocket( b ) );
}

/* Winsock 1.1's numbers mean the same options */
static void test_options(void)
{
    static const struct
    {
        int old, new, value;
    }
    tests[] =
    {
        { WS1_IP_TTL, IP_TTL, 77 },
        { WS1_IP_MULTICAST_TTL, IP_MULTICAST_TTL, 7 },
        { WS1_IP_MULTICAST_LOOP, IP_MULTICAST_LOOP, 0 },
        { WS1_IP_DONTFRAGMENT, IP_DONTFRAGMENT, 1 },
    };
    SOCKET s = socket_new( AF_INET, SOCK_DGRAM );
    int value, len;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        winetest_push_context( "%d", tests[i].old );
        value = tests[i].value;
        check_ok( psetsockopt( s, IPPROTO_IP, tests[i].old, (char *)&value, sizeof(value) ) );
        value = 0;
        len = sizeof(value);
        check_ok( getsockopt( s, IPPROTO_IP, tests[i].new, (char *)&value, &len ) );
        ok( value == tests[i].value, "got %d\n", value );
        value = 0;
        len = sizeof(value);
        check_ok( pgetsockopt( s, IPPROTO_IP, tests[i].old, (char *)&value, &len ) );
        ok( value == tests[i].value, "got %d\n", value );
        winetest_pop_context();
    }

    value = 0;
    len = sizeof(value);
    check_ok( pgetsockopt( s, SOL_SOCKET, SO_TYPE, (char *)&value, &len ) );
    ok( value == SOCK_DGRAM, "got %d\n", value );
    closesocket( s );
}

static void test_names(void)
{
    struct protoent *proto;
    struct servent *serv;
    struct hostent *host;
    char name[256];

    check_ok( pgethostname( name, sizeof(name) ) );
    host = pgethostbyname( "localhost" );
    ok( host && *(ULONG *)host->h_addr_list[0] == pinet_addr( "127.0.0.1" ), "error %d\n", WSAGetLastError() );
    serv = pgetservbyname( "http", "tcp" );
    ok( serv && serv->s_port == phtons( 80 ), "error %d\n", WSAGetLastError() );
    proto = pgetprotobyname( "udp" );
    ok( proto && proto->p_proto == IPPROTO_UDP, "error %d\n", WSAGetLastError() );
}

START_TEST(wsock32)
{
    if (!load()) return;
    test_startup();
    test_stream();
    test_datagram();
    test_options();
    test_names();
    check_ok( pWSACleanup() );
    check_error( pWSACleanup(), WSANOTINITIALISED );
}
