/*
 * Tests of the provider with connect and disconnect data
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
#include "tapster.h"

/* Windows has no such provider, nor has stock Wine: found by its flags, as programs should. All that is
 * checked here is what Microsoft documents for message-oriented connections, and doc/local.md. */

static WSAPROTOCOL_INFOW info;

static BOOL find_provider(void)
{
    static WSAPROTOCOL_INFOW infos[64];
    DWORD size = sizeof(infos);
    int i, count = WSAEnumProtocolsW( NULL, infos, &size );

    ok( count > 0, "WSAEnumProtocolsW failed, error %d\n", WSAGetLastError() );
    for (i = 0; i < count; i++)
    {
        if (!(infos[i].dwServiceFlags1 & XP1_DISCONNECT_DATA)) continue;
        info = infos[i];
        return TRUE;
    }
    return FALSE;
}

/* ---- tools ---- */

static SOCKADDR_TAPSTER make_address( ULONG port )
{
    SOCKADDR_TAPSTER addr = { .st_family = AF_TAPSTER, .st_port = port };

    return addr;
}

static SOCKET new_socket(void)
{
    SOCKET s = socket( AF_TAPSTER, SOCK_SEQPACKET, 0 );

    ok( s != INVALID_SOCKET, "error %d\n", WSAGetLastError() );
    socket_set_timeout( s, 3000 );
    return s;
}

static SOCKET new_listener( SOCKADDR_TAPSTER *addr )
{
    SOCKET s = new_socket();
    int len = sizeof(*addr);

    *addr = make_address( 0 );
    check_ok( bind( s, (struct sockaddr *)addr, len ) );
    check_ok( getsockname( s, (struct sockaddr *)addr, &len ) );
    ok( len == sizeof(*addr) && addr->st_family == AF_TAPSTER && addr->st_port, "got port %lu\n", addr->st_port );
    check_ok( listen( s, 16 ) );
    return s;
}

/* a connect that has to be decided upon */
static SOCKET start_connect( const SOCKADDR_TAPSTER *addr, const char *data )
{
    WSABUF buf = { data ? strlen( data ) : 0, (char *)data };
    SOCKET s = new_socket();

    socket_set_nonblocking( s, TRUE );
    check_error( WSAConnect( s, (const struct sockaddr *)addr, sizeof(*addr), data ? &buf : NULL, NULL, NULL, NULL ), WSAEWOULDBLOCK );
    return s;
}

static void make_pair( SOCKET *client, SOCKET *server )
{
    SOCKADDR_TAPSTER addr;
    SOCKET listener = new_listener( &addr );

    *client = start_connect( &addr, NULL );
    *server = accept( listener, NULL, NULL );
    ok( *server != INVALID_SOCKET, "error %d\n", WSAGetLastError() );
    ok( wait_writable( *client, 3000 ), "not connected\n" );
    socket_set_nonblocking( *client, FALSE );
    socket_set_timeout( *server, 3000 );
    check_ok( closesocket( listener ) );
}

static void close_both( SOCKET a, SOCKET b )
{
    check_ok( closesocket( a ) );
    check_ok( closesocket( b ) );
}

#define recv_message( s, data ) recv_message_( __LINE__, s, data )
static void recv_message_( int line, SOCKET s, const char *data )
{
    char buffer[256];
    int ret = recv( s, buffer, sizeof(buffer), 0 );

    ok_(__FILE__, line)( ret == (int)strlen( data ) && !memcmp( buffer, data, ret ), "got %d bytes, error %d\n", ret, WSAGetLastError() );
}

#define check_disconnected( s ) check_disconnected_( __LINE__, s )
static void check_disconnected_( int line, SOCKET s )
{
    DWORD count, flags = 0;
    char buffer[8];
    WSABUF buf = { sizeof(buffer), buffer };

    winetest_push_context( "line %d", line );
    check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAEDISCON );
    check_error( recv( s, buffer, sizeof(buffer), MSG_PEEK ), WSAEDISCON );
    check_error( WSARecv( s, &buf, 1, &count, &flags, NULL, NULL ), WSAEDISCON );
    winetest_pop_context();
}

#define check_broken( s ) check_broken_( __LINE__, s )
static void check_broken_( int line, SOCKET s )
{
    char buffer[8];
    int i;

    winetest_push_context( "line %d", line );
    for (i = 0; i < 3; i++) check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAECONNRESET );
    check_error( send( s, "x", 1, 0 ), WSAECONNRESET );
    winetest_pop_context();
}

/* ---- what it is ---- */

static void test_provider(void)
{
    const DWORD flags = XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | XP1_MESSAGE_ORIENTED | XP1_GRACEFUL_CLOSE |
                        XP1_CONNECT_DATA | XP1_DISCONNECT_DATA;
    WSAPROTOCOL_INFOW socket_info;
    int len = sizeof(socket_info), value = 0;
    SOCKET s;

    ok( (info.dwServiceFlags1 & flags) == flags, "got flags %#lx\n", info.dwServiceFlags1 );
    ok( !(info.dwServiceFlags1 & (XP1_CONNECTIONLESS | XP1_PSEUDO_STREAM | XP1_EXPEDITED_DATA | XP1_PARTIAL_MESSAGE)),
        "got flags %#lx\n", info.dwServiceFlags1 );
    ok( info.iAddressFamily == AF_TAPSTER && info.iSocketType == SOCK_SEQPACKET && info.iProtocol == TAPSTERPROTO_LOCAL,
        "got family %d, type %d, protocol %d\n", info.iAddressFamily, info.iSocketType, info.iProtocol );
    ok( info.dwMessageSize == TAPSTER_MAX_MESSAGE, "got %lu\n", info.dwMessageSize );
    ok( info.iMaxSockAddr == sizeof(SOCKADDR_TAPSTER), "got %d\n", info.iMaxSockAddr );

    s = WSASocketW( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0, WSA_FLAG_OVERLAPPED );
    ok( s != INVALID_SOCKET, "error %d\n", WSAGetLastError() );
    check_ok( getsockopt( s, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&socket_info, &len ) );
    ok( !memcmp( &info, &socket_info, sizeof(info) ), "another info\n" );
    len = sizeof(value);
    check_ok( getsockopt( s, SOL_SOCKET, SO_TYPE, (char *)&value, &len ) );
    ok( value == SOCK_SEQPACKET, "got %d\n", value );
    check_ok( getsockopt( s, SOL_SOCKET, SO_MAX_MSG_SIZE, (char *)&value, &len ) );
    ok( value == TAPSTER_MAX_MESSAGE, "got %d\n", value );
    check_ok( getsockopt( s, SOL_SOCKET, SO_CONNECT_TIME, (char *)&value, &len ) );
    ok( value == -1, "got %d\n", value );
    check_ok( closesocket( s ) );

    check_error( socket( AF_TAPSTER, SOCK_STREAM, 0 ), WSAESOCKTNOSUPPORT );
    check_error( socket( AF_TAPSTER, SOCK_DGRAM, 0 ), WSAESOCKTNOSUPPORT );
    check_error( socket( AF_TAPSTER, SOCK_SEQPACKET, IPPROTO_TCP ), WSAEPROTONOSUPPORT );
    check_error( socket( AF_INET, SOCK_SEQPACKET, 0 ), WSAESOCKTNOSUPPORT );
    s = socket( AF_TAPSTER, 0, 0 );
    ok( s != INVALID_SOCKET, "error %d\n", WSAGetLastError() );
    check_ok( closesocket( s ) );
}

static void test_addresses(void)
{
    SOCKADDR_TAPSTER addr = make_address( 4711 ), other, null = make_address( 0 );
    struct sockaddr_in in = { .sin_family = AF_INET };
    int len = sizeof(other);
    WCHAR strW[32];
    char str[32];
    DWORD size = sizeof(str);
    SOCKET s = new_socket(), s2 = new_socket();

    check_error( getsockname( s, (struct sockaddr *)&other, &len ), WSAEINVAL );
    check_error( getpeername( s, (struct sockaddr *)&other, &len ), WSAENOTCONN );
    check_error( bind( s, (struct sockaddr *)&addr, sizeof(addr) - 1 ), WSAEFAULT );
    check_error( bind( s, (struct sockaddr *)&in, sizeof(in) ), WSAEAFNOSUPPORT );
    check_error( listen( s, 1 ), WSAEINVAL );
    check_ok( bind( s, (struct sockaddr *)&addr, sizeof(addr) ) );
    check_error( bind( s, (struct sockaddr *)&addr, sizeof(addr) ), WSAEINVAL );
    check_error( bind( s2, (struct sockaddr *)&addr, sizeof(addr) ), WSAEADDRINUSE );
    check_ok( getsockname( s, (struct sockaddr *)&other, &len ) );
    ok( !memcmp( &addr, &other, sizeof(addr) ), "got port %lu\n", other.st_port );
    check_ok( closesocket( s ) );
    check_ok( bind( s2, (struct sockaddr *)&addr, sizeof(addr) ) );
    /* a listener's port, too, is free at once */
    check_ok( listen( s2, 1 ) );
    check_ok( closesocket( s2 ) );
    s = new_socket();
    check_ok( bind( s, (struct sockaddr *)&addr, sizeof(addr) ) );
    check_ok( listen( s, 1 ) );
    check_error( connect( s, (struct sockaddr *)&addr, sizeof(addr) ), WSAEINVAL );
    check_ok( closesocket( s ) );

    s = new_socket();
    check_error( connect( s, (struct sockaddr *)&null, sizeof(null) ), WSAEADDRNOTAVAIL );
    check_error( connect( s, (struct sockaddr *)&addr, sizeof(addr) ), WSAECONNREFUSED );
    check_error( connect( s, (struct sockaddr *)&addr, 8 ), WSAEFAULT );
    check_ok( closesocket( s ) );

    check_ok( WSAAddressToStringA( (struct sockaddr *)&addr, sizeof(addr), NULL, str, &size ) );
    ok( !strcmp( str, "4711" ) && size == 5, "got %s, %lu\n", str, size );
    memset( &other, 0xcc, sizeof(other) );
    check_ok( WSAStringToAddressA( str, AF_TAPSTER, NULL, (struct sockaddr *)&other, &len ) );
    ok( !memcmp( &addr, &other, sizeof(addr) ), "got port %lu\n", other.st_port );
    lstrcpyW( strW, L"4711x" );
    check_error( WSAStringToAddressW( strW, AF_TAPSTER, &info, (struct sockaddr *)&other, &len ), WSAEINVAL );
    lstrcpyW( strW, L"4294967296" );
    check_error( WSAStringToAddressW( strW, AF_TAPSTER, &info, (struct sockaddr *)&other, &len ), WSAEINVAL );
}

/* ---- connect data ---- */

struct decision
{
    int         answer;
    const char *expect;         /* the caller's data */
    const char *reply;          /* the callee's */
    ULONG       reply_len;
    unsigned    asked;
};

static int WINAPI decide( WSABUF *caller, WSABUF *caller_data, QOS *sqos, QOS *gqos, WSABUF *callee, WSABUF *callee_data,
                          GROUP *group, DWORD_PTR arg )
{
    struct decision *decision = (struct decision *)arg;

    (void)sqos;
    (void)gqos;
    (void)group;
    decision->asked++;
    ok( caller && caller->len == sizeof(SOCKADDR_TAPSTER), "no caller\n" );
    ok( callee && callee->len == sizeof(SOCKADDR_TAPSTER), "no callee\n" );
    ok( caller_data->len == strlen( decision->expect ) && !memcmp( caller_data->buf, decision->expect, caller_data->len ),
        "got %lu bytes\n", caller_data->len );
    ok( callee_data->len == TAPSTER_MAX_DATA, "got room for %lu bytes\n", callee_data->len );
    if (decision->reply) memcpy( callee_data->buf, decision->reply, strlen( decision->reply ) );
    callee_data->len = decision->reply ? strlen( decision->reply ) : decision->reply_len;
    return decision->answer;
}

static SOCKET accept_deciding( SOCKET listener, struct decision *decision )
{
    WSASetLastError( 0xdeadbeef );
    return WSAAccept( listener, NULL, NULL, decide, (DWORD_PTR)decision );
}

struct connecting
{
    SOCKADDR_TAPSTER addr;
    SOCKET           s;
    WSABUF          *caller, *callee;
    int              error;
};

static DWORD WINAPI connect_thread( void *arg )
{
    struct connecting *connecting = arg;
    int ret;

    WSASetLastError( 0xdeadbeef );
    ret = WSAConnect( connecting->s, (struct sockaddr *)&connecting->addr, sizeof(connecting->addr), connecting->caller,
                      connecting->callee, NULL, NULL );
    connecting->error = ret ? WSAGetLastError() : 0;
    return 0;
}

/* a blocking WSAConnect, and what becomes of it */
static SOCKET connect_deciding( SOCKET listener, struct connecting *connecting, struct decision *decision )
{
    HANDLE thread;
    SOCKET s;

    connecting->s = new_socket();
    thread = thread_start( connect_thread, connecting );
    s = accept_deciding( listener, decision );
    thread_end( thread );
    return s;
}

static void test_connect_data(void)
{
    char room[TAPSTER_MAX_DATA], data[TAPSTER_MAX_DATA + 1];
    WSABUF caller = { 6, (char *)"caller" }, callee = { sizeof(room), room };
    struct decision decision = { CF_ACCEPT, "caller", "callee's", 0, 0 };
    struct connecting connecting = { .caller = &caller, .callee = &callee };
    SOCKADDR_TAPSTER addr, addr2;
    SOCKET listener, s;
    int len, value;

    listener = new_listener( &connecting.addr );
    s = connect_deciding( listener, &connecting, &decision );
    ok( s != INVALID_SOCKET, "error %d\n", WSAGetLastError() );
    ok( !connecting.error, "got %d\n", connecting.error );
    ok( decision.asked == 1, "asked %u times\n", decision.asked );
    ok( callee.len == 8 && !memcmp( room, "callee's", 8 ), "got %lu bytes\n", callee.len );
    /* later, too, and on both sides */
    len = sizeof(data);
    check_ok( getsockopt( connecting.s, SOL_SOCKET, SO_CONNDATA, data, &len ) );
    ok( len == 8 && !memcmp( data, "callee's", 8 ), "got %d bytes\n", len );
    len = sizeof(value);
    check_ok( getsockopt( connecting.s, SOL_SOCKET, SO_CONNDATALEN, (char *)&value, &len ) );
    ok( value == 8, "got %d\n", value );
    len = sizeof(data);
    check_ok( getsockopt( s, SOL_SOCKET, SO_CONNDATA, data, &len ) );
    ok( len == 6 && !memcmp( data, "caller", 6 ), "got %d bytes\n", len );
    len = 3;
    check_error( getsockopt( s, SOL_SOCKET, SO_CONNDATA, data, &len ), WSAEFAULT );

    /* names, seen from both ends */
    len = sizeof(addr);
    check_ok( getsockname( connecting.s, (struct sockaddr *)&addr, &len ) );
    check_ok( getpeername( s, (struct sockaddr *)&addr2, &len ) );
    ok( !memcmp( &addr, &addr2, sizeof(addr) ), "got ports %lu and %lu\n", addr.st_port, addr2.st_port );
    check_ok( getsockname( s, (struct sockaddr *)&addr, &len ) );
    check_ok( getpeername( connecting.s, (struct sockaddr *)&addr2, &len ) );
    ok( !memcmp( &addr, &addr2, sizeof(addr) ) && addr.st_port == connecting.addr.st_port, "got ports %lu and %lu\n",
        addr.st_port, addr2.st_port );
    len = sizeof(value);
    check_ok( getsockopt( s, SOL_SOCKET, SO_CONNECT_TIME, (char *)&value, &len ) );
    ok( value >= 0 && value < 10, "got %d\n", value );
    check_error( connect( connecting.s, (struct sockaddr *)&addr, sizeof(addr) ), WSAEISCONN );
    check_int( send( s, "data", 4, 0 ), 4 );
    recv_message( connecting.s, "data" );
    close_both( s, connecting.s );

    /* none, both ways */
    caller.len = 0;
    callee.len = sizeof(room);
    decision.expect = "";
    decision.reply = NULL;
    s = connect_deciding( listener, &connecting, &decision );
    ok( !connecting.error && !callee.len, "got %d, %lu bytes\n", connecting.error, callee.len );
    close_both( s, connecting.s );

    /* as much as there may be */
    memset( data, 'd', sizeof(data) );
    data[TAPSTER_MAX_DATA] = 0;
    caller.buf = data;
    caller.len = TAPSTER_MAX_DATA;
    callee.len = sizeof(room);
    decision.expect = decision.reply = data;
    s = connect_deciding( listener, &connecting, &decision );
    ok( !connecting.error, "got %d\n", connecting.error );
    ok( callee.len == TAPSTER_MAX_DATA && !memcmp( data, room, callee.len ), "got %lu bytes\n", callee.len );
    close_both( s, connecting.s );

    /* no room for the callee's: told, and the connection is there */
    caller.len = 0;
    decision.expect = "";
    callee.len = 10;
    s = connect_deciding( listener, &connecting, &decision );
    ok( connecting.error == WSAEFAULT, "got %d\n", connecting.error );
    len = sizeof(data);
    check_ok( getsockopt( connecting.s, SOL_SOCKET, SO_CONNDATA, data, &len ) );
    ok( len == TAPSTER_MAX_DATA, "got %d bytes\n", len );
    check_int( send( s, "data", 4, 0 ), 4 );
    recv_message( connecting.s, "data" );
    close_both( s, connecting.s );

    /* too much, and bad pointers */
    s = new_socket();
    caller.len = TAPSTER_MAX_DATA + 1;
    check_error( WSAConnect( s, (struct sockaddr *)&connecting.addr, sizeof(connecting.addr), &caller, NULL, NULL, NULL ), WSAEMSGSIZE );
    caller.len = 5;
    caller.buf = bad_pointer();
    check_error( WSAConnect( s, (struct sockaddr *)&connecting.addr, sizeof(connecting.addr), &caller, NULL, NULL, NULL ), WSAEFAULT );
    callee.buf = bad_pointer();
    check_error( WSAConnect( s, (struct sockaddr *)&connecting.addr, sizeof(connecting.addr), NULL, &callee, NULL, NULL ), WSAEFAULT );
    check_error( WSAConnect( s, (struct sockaddr *)&connecting.addr, sizeof(connecting.addr), bad_pointer(), NULL, NULL, NULL ), WSAEFAULT );
    check_ok( closesocket( s ) );
    check_ok( closesocket( listener ) );
}

static void test_decisions(void)
{
    struct decision decision = { CF_REJECT, "", NULL, 0, 0 };
    struct connecting connecting = { .caller = NULL };
    SOCKET listener, client, s;
    int error, len;

    listener = new_listener( &connecting.addr );
    s = connect_deciding( listener, &connecting, &decision );
    ok( s == INVALID_SOCKET && WSAGetLastError() == WSAECONNREFUSED, "error %d\n", WSAGetLastError() );
    ok( connecting.error == WSAECONNREFUSED, "got %d\n", connecting.error );

    /* such a socket may be tried again */
    client = connecting.s;
    socket_set_nonblocking( client, TRUE );
    check_error( connect( client, (struct sockaddr *)&connecting.addr, sizeof(connecting.addr) ), WSAEWOULDBLOCK );
    check_error( connect( client, (struct sockaddr *)&connecting.addr, sizeof(connecting.addr) ), WSAEALREADY );
    check_error( send( client, "x", 1, 0 ), WSAENOTCONN );
    ok( !wait_writable( client, 0 ), "writable before it is accepted\n" );
    ok( wait_readable( listener, 1000 ), "no connection\n" );

    /* put back, then accepted */
    decision.answer = CF_DEFER;
    decision.reply = "forgotten";
    s = accept_deciding( listener, &decision );
    ok( s == INVALID_SOCKET && WSAGetLastError() == WSATRY_AGAIN, "error %d\n", WSAGetLastError() );
    ok( !wait_writable( client, 20 ), "writable before it is accepted\n" );
    ok( wait_readable( listener, 1000 ), "no connection\n" );
    decision.answer = CF_ACCEPT;
    decision.reply = NULL;
    s = accept_deciding( listener, &decision );
    ok( s != INVALID_SOCKET, "error %d\n", WSAGetLastError() );
    ok( wait_writable( client, 3000 ), "not writable\n" );
    socket_set_nonblocking( client, FALSE );
    check_int( send( client, "data", 4, 0 ), 4 );
    recv_message( s, "data" );
    close_both( s, client );

    /* a condition that says nonsense */
    decision.answer = CF_ACCEPT;
    decision.reply_len = TAPSTER_MAX_DATA + 1;
    s = connect_deciding( listener, &connecting, &decision );
    ok( s == INVALID_SOCKET && WSAGetLastError() == WSAEINVAL, "error %d\n", WSAGetLastError() );
    ok( connecting.error == WSAECONNREFUSED, "got %d\n", connecting.error );
    check_ok( closesocket( connecting.s ) );

    /* one that was refused may listen as well */
    connecting.s = INVALID_SOCKET;
    decision.answer = CF_REJECT;
    decision.reply_len = 0;
    s = connect_deciding( listener, &connecting, &decision );
    ok( s == INVALID_SOCKET && connecting.error == WSAECONNREFUSED, "got %d\n", connecting.error );
    check_ok( listen( connecting.s, 1 ) );
    check_ok( closesocket( connecting.s ) );
    decision.answer = CF_ACCEPT;

    /* the caller gives up: not shown */
    client = start_connect( &connecting.addr, NULL );
    check_ok( closesocket( client ) );
    client = start_connect( &connecting.addr, "second" );
    decision.expect = "second";
    decision.reply_len = 0;
    decision.asked = 0;
    s = accept_deciding( listener, &decision );
    ok( s != INVALID_SOCKET && decision.asked == 1, "error %d, asked %u times\n", WSAGetLastError(), decision.asked );
    close_both( s, client );

    /* the listener ends with a connect waiting */
    client = start_connect( &connecting.addr, NULL );
    check_ok( closesocket( listener ) );
    {
        fd_set except = { 1, { client } };
        struct timeval timeout = { 3, 0 };

        check_int( select( 0, NULL, NULL, &except, &timeout ), 1 );
        len = sizeof(error);
        check_ok( getsockopt( client, SOL_SOCKET, SO_ERROR, (char *)&error, &len ) );
        ok( error == WSAECONNREFUSED, "got %d\n", error );
    }
    check_ok( closesocket( client ) );
}

/* non-blocking listener, several waiting, accepted in order; the backlog has an end */
static void test_accept(void)
{
    SOCKADDR_TAPSTER addr, peer, name;
    SOCKET listener, clients[3], s;
    int i, len;

    listener = new_listener( &addr );
    socket_set_nonblocking( listener, TRUE );
    check_error( accept( listener, NULL, NULL ), WSAEWOULDBLOCK );
    len = 5;
    check_error( accept( listener, (struct sockaddr *)&peer, &len ), WSAEFAULT );
    for (i = 0; i < 3; i++) clients[i] = start_connect( &addr, NULL );
    for (i = 0; i < 3; i++)
    {
        len = sizeof(peer);
        s = accept( listener, (struct sockaddr *)&peer, &len );
        ok( s != INVALID_SOCKET && len == sizeof(peer), "error %d, len %d\n", WSAGetLastError(), len );
        check_ok( getsockname( clients[i], (struct sockaddr *)&name, &len ) );
        ok( !memcmp( &peer, &name, sizeof(name) ), "%d: got port %lu, expected %lu\n", i, peer.st_port, name.st_port );
        ok( is_nonblocking( s ), "not inherited\n" );
        close_both( clients[i], s );
    }
    check_error( accept( listener, NULL, NULL ), WSAEWOULDBLOCK );
    check_error( accept( clients[0], NULL, NULL ), WSAENOTSOCK );
    s = new_socket();
    check_error( accept( s, NULL, NULL ), WSAEINVAL );
    close_both( s, listener );

    listener = new_socket();
    addr = make_address( 0 );
    check_ok( bind( listener, (struct sockaddr *)&addr, sizeof(addr) ) );
    check_ok( getsockname( listener, (struct sockaddr *)&addr, &len ) );
    check_ok( listen( listener, 1 ) );
    for (i = 0; i < 3; i++)
    {
        clients[i] = new_socket();
        socket_set_nonblocking( clients[i], TRUE );
        connect( clients[i], (struct sockaddr *)&addr, sizeof(addr) );
    }
    len = sizeof(i);
    check_ok( getsockopt( clients[2], SOL_SOCKET, SO_ERROR, (char *)&i, &len ) );
    ok( i == WSAECONNREFUSED, "got %d\n", i );
    for (i = 0; i < 3; i++) check_ok( closesocket( clients[i] ) );
    check_ok( closesocket( listener ) );
}

/* ---- messages ---- */

static void test_messages(void)
{
    static char large[TAPSTER_MAX_MESSAGE + 1], buffer[TAPSTER_MAX_MESSAGE + 1];
    WSABUF bufs[3] = { { 2, (char *)"ab" }, { 0, NULL }, { 3, (char *)"cde" } }, recv_bufs[2], many[40];
    SOCKET client, server;
    DWORD count, flags;
    union address from;
    u_long queued;
    int i, len;

    make_pair( &client, &server );
    check_int( send( client, "first", 5, 0 ), 5 );
    check_int( send( client, "", 0, 0 ), 0 );
    check_int( send( client, "third message", 13, 0 ), 13 );
    check_ok( ioctlsocket( server, FIONREAD, &queued ) );
    ok( queued == 5, "got %lu\n", queued );
    check_int( recv( server, buffer, 100, MSG_PEEK ), 5 );
    check_int( recv( server, buffer, 100, 0 ), 5 );
    check_int( recv( server, buffer, 100, 0 ), 0 );

    /* too long for the buffer: what fits is shown, and all of it is there still */
    memset( buffer, 0, sizeof(buffer) );
    check_error( recv( server, buffer, 5, 0 ), WSAEMSGSIZE );
    ok( !memcmp( buffer, "third\0", 6 ), "got %s\n", debugstr_an( buffer, 6 ) );
    recv_bufs[0].buf = buffer;
    recv_bufs[0].len = 4;
    recv_bufs[1].buf = buffer + 4;
    recv_bufs[1].len = 8;
    flags = 0;
    count = 0xdeadbeef;
    check_error( WSARecv( server, recv_bufs, 2, &count, &flags, NULL, NULL ), WSAEMSGSIZE );
    check_error( recv( server, buffer, 12, MSG_PEEK ), WSAEMSGSIZE );
    recv_bufs[1].len = 9;
    check_ok( WSARecv( server, recv_bufs, 2, &count, &flags, NULL, NULL ) );
    ok( count == 13 && !flags && !memcmp( buffer, "third message", 13 ), "got %lu bytes, flags %#lx\n", count, flags );
    check_ok( ioctlsocket( server, FIONREAD, &queued ) );
    ok( !queued, "got %lu\n", queued );

    /* gathered; the address is left alone */
    check_ok( WSASend( client, bufs, 3, &count, 0, NULL, NULL ) );
    ok( count == 5, "got %lu\n", count );
    memset( &from, 0xcc, sizeof(from) );
    len = 3;
    check_int( recvfrom( server, buffer, 100, 0, &from.sa, &len ), 5 );
    ok( !memcmp( buffer, "abcde", 5 ) && len == 3 && from.in.sin_addr.s_addr == 0xcccccccc, "got %s, len %d\n", debugstr_an( buffer, 5 ), len );
    check_int( sendto( client, "to", 2, 0, &from.sa, 1 ), 2 );
    recv_message( server, "to" );
    for (i = 0; i < 40; i++)
    {
        many[i].buf = large + i;
        many[i].len = 1;
        large[i] = 'a' + i;
    }
    check_ok( WSASend( client, many, 40, &count, 0, NULL, NULL ) );
    flags = 0;
    memset( large, 0, 40 );
    check_ok( WSARecv( server, many, 40, &count, &flags, NULL, NULL ) );
    ok( count == 40 && large[0] == 'a' && large[39] == (char)('a' + 39), "got %lu bytes\n", count );

    /* the largest, and one byte more */
    pattern_fill( large, sizeof(large), 1 );
    check_error( send( client, large, TAPSTER_MAX_MESSAGE + 1, 0 ), WSAEMSGSIZE );
    check_int( send( client, large, TAPSTER_MAX_MESSAGE, 0 ), TAPSTER_MAX_MESSAGE );
    check_error( recv( server, buffer, TAPSTER_MAX_MESSAGE - 1, 0 ), WSAEMSGSIZE );
    check_int( recv( server, buffer, sizeof(buffer), 0 ), TAPSTER_MAX_MESSAGE );
    ok( pattern_matches( buffer, TAPSTER_MAX_MESSAGE, 1 ), "wrong data\n" );

    /* what it has not */
    check_error( send( client, "x", 1, MSG_OOB ), WSAEOPNOTSUPP );
    check_error( send( client, "x", 1, MSG_PARTIAL ), WSAEOPNOTSUPP );
    check_error( recv( server, buffer, 10, MSG_OOB ), WSAEOPNOTSUPP );
    check_error( recv( server, buffer, 10, MSG_WAITALL ), WSAEOPNOTSUPP );
    flags = MSG_PARTIAL;
    check_error( WSARecv( server, recv_bufs, 2, &count, &flags, NULL, NULL ), WSAEOPNOTSUPP );

    /* nothing is lost by a bad buffer */
    check_error( send( client, bad_pointer(), 10, 0 ), WSAEFAULT );
    check_int( send( client, "kept", 4, 0 ), 4 );
    check_error( recv( server, bad_pointer(), 10, 0 ), WSAEFAULT );
    recv_message( server, "kept" );
    close_both( client, server );
}

static DWORD WINAPI send_thread( void *arg )
{
    Sleep( 50 );
    check_int( send( *(SOCKET *)arg, "late", 4, 0 ), 4 );
    return 0;
}

static void test_waiting(void)
{
    static char message[4000], buffer[4000];
    SOCKET client, server;
    unsigned sent = 0, got = 0;
    HANDLE thread;
    int ret;

    make_pair( &client, &server );
    thread = thread_start( send_thread, &client );
    recv_message( server, "late" );
    thread_end( thread );
    socket_set_timeout( server, 50 );
    check_error( recv( server, buffer, 10, 0 ), WSAETIMEDOUT );
    socket_set_nonblocking( server, TRUE );
    check_error( recv( server, buffer, 10, 0 ), WSAEWOULDBLOCK );
    ok( !wait_readable( server, 0 ) && wait_writable( server, 0 ), "wrong readiness\n" );

    /* whole messages or none, and all that were taken arrive */
    socket_set_nonblocking( client, TRUE );
    for (;;)
    {
        pattern_fill( message, sizeof(message), sent );
        if ((ret = send( client, message, sizeof(message), 0 )) != sizeof(message)) break;
        sent++;
    }
    ok( ret == -1 && WSAGetLastError() == WSAEWOULDBLOCK, "got %d, error %d\n", ret, WSAGetLastError() );
    ok( sent > 10, "only %u sent\n", sent );
    ok( !wait_writable( client, 0 ), "writable\n" );
    socket_set_nonblocking( client, FALSE );
    ret = 50;
    check_ok( setsockopt( client, SOL_SOCKET, SO_SNDTIMEO, (char *)&ret, sizeof(ret) ) );
    check_error( send( client, message, sizeof(message), 0 ), WSAETIMEDOUT );
    /* the end is always taken, full as the queue is */
    check_ok( WSASendDisconnect( client, &(WSABUF){ 4, (char *)"over" } ) );
    check_ok( closesocket( client ) );
    while ((ret = recv( server, buffer, sizeof(buffer), 0 )) == sizeof(buffer))
    {
        ok( pattern_matches( buffer, ret, got ), "message %u is wrong\n", got );
        got++;
    }
    ok( ret == -1 && WSAGetLastError() == WSAEDISCON, "got %d, error %d\n", ret, WSAGetLastError() );
    ok( got == sent, "got %u of %u\n", got, sent );
    check_ok( closesocket( server ) );
}

/* ---- the end ---- */

static void test_disconnect_data(void)
{
    char buffer[TAPSTER_MAX_DATA + 8], data[TAPSTER_MAX_DATA + 1];
    WSABUF out = { 4, (char *)"bye!" }, in = { sizeof(buffer), buffer };
    SOCKET client, server;
    int len, value;

    make_pair( &client, &server );
    check_int( send( client, "last", 4, 0 ), 4 );
    check_ok( WSASendDisconnect( client, &out ) );
    check_error( send( client, "x", 1, 0 ), WSAESHUTDOWN );
    check_ok( shutdown( client, SD_SEND ) );
    check_ok( WSASendDisconnect( client, NULL ) );
    check_error( WSASendDisconnect( client, &out ), WSAESHUTDOWN );

    recv_message( server, "last" );
    check_disconnected( server );
    len = sizeof(data);
    check_ok( getsockopt( server, SOL_SOCKET, SO_DISCDATA, data, &len ) );
    ok( len == 4 && !memcmp( data, "bye!", 4 ), "got %d bytes\n", len );
    len = sizeof(value);
    check_ok( getsockopt( server, SOL_SOCKET, SO_DISCDATALEN, (char *)&value, &len ) );
    ok( value == 4, "got %d\n", value );
    /* the other direction goes on */
    check_int( send( server, "more", 4, 0 ), 4 );
    recv_message( client, "more" );

    /* no room, no place: nothing has happened */
    in.len = 3;
    check_error( WSARecvDisconnect( server, &in ), WSAEFAULT );
    ok( in.len == 3, "got %lu\n", in.len );
    in.len = sizeof(buffer);
    in.buf = bad_pointer();
    check_error( WSARecvDisconnect( server, &in ), WSAEFAULT );
    check_error( WSARecvDisconnect( server, bad_pointer() ), WSAEFAULT );
    check_disconnected( server );
    in.buf = buffer;
    check_ok( WSARecvDisconnect( server, &in ) );
    ok( in.len == 4 && !memcmp( buffer, "bye!", 4 ), "got %lu bytes\n", in.len );
    check_error( recv( server, data, sizeof(data), 0 ), WSAESHUTDOWN );
    in.len = sizeof(buffer);
    check_ok( WSARecvDisconnect( server, &in ) );
    ok( in.len == 4, "got %lu bytes\n", in.len );
    check_ok( WSARecvDisconnect( server, NULL ) );

    /* and back */
    memset( data, 'z', sizeof(data) );
    out.buf = data;
    out.len = TAPSTER_MAX_DATA + 1;
    check_error( WSASendDisconnect( server, &out ), WSAEMSGSIZE );
    out.buf = bad_pointer();
    out.len = 1;
    check_error( WSASendDisconnect( server, &out ), WSAEFAULT );
    check_error( WSASendDisconnect( server, bad_pointer() ), WSAEFAULT );
    check_int( send( server, "still", 5, 0 ), 5 );
    recv_message( client, "still" );
    out.buf = data;
    out.len = TAPSTER_MAX_DATA;
    check_ok( WSASendDisconnect( server, &out ) );
    check_disconnected( client );
    in.len = sizeof(buffer);
    check_ok( WSARecvDisconnect( client, &in ) );
    ok( in.len == TAPSTER_MAX_DATA && !memcmp( buffer, data, in.len ), "got %lu bytes\n", in.len );
    close_both( client, server );

    /* none */
    make_pair( &client, &server );
    in.len = 5;
    check_ok( WSARecvDisconnect( server, &in ) );
    ok( !in.len, "got %lu\n", in.len );
    check_int( send( server, "abc", 3, 0 ), 3 );
    recv_message( client, "abc" );
    check_ok( closesocket( server ) );
    check_disconnected( client );
    in.len = 5;
    check_ok( WSARecvDisconnect( client, &in ) );
    ok( !in.len, "got %lu\n", in.len );
    check_ok( closesocket( client ) );

    /* not connected */
    client = new_socket();
    check_error( WSARecvDisconnect( client, &in ), WSAENOTCONN );
    out.len = 1;
    check_error( WSASendDisconnect( client, &out ), WSAENOTCONN );
    check_error( WSASendDisconnect( client, NULL ), WSAENOTCONN );
    check_ok( closesocket( client ) );
}

static void test_graceful(void)
{
    SOCKET client, server;

    make_pair( &client, &server );
    check_int( send( client, "one", 3, 0 ), 3 );
    check_int( send( client, "two", 3, 0 ), 3 );
    check_ok( closesocket( client ) );
    recv_message( server, "one" );
    recv_message( server, "two" );
    check_disconnected( server );
    check_error( send( server, "x", 1, 0 ), WSAECONNRESET );
    check_disconnected( server );
    check_ok( closesocket( server ) );

    make_pair( &client, &server );
    check_ok( shutdown( client, SD_SEND ) );
    check_disconnected( server );
    check_int( send( server, "answer", 6, 0 ), 6 );
    recv_message( client, "answer" );
    check_ok( shutdown( server, SD_SEND ) );
    check_disconnected( client );
    close_both( client, server );

    /* disconnect data that nobody read is no unread data */
    make_pair( &client, &server );
    check_ok( WSASendDisconnect( client, &(WSABUF){ 3, (char *)"bye" } ) );
    check_ok( closesocket( server ) );
    check_disconnected( client );
    check_ok( closesocket( client ) );

    /* linger has nothing to wait for */
    make_pair( &client, &server );
    {
        struct linger linger = { 1, 5 };
        DWORD start = GetTickCount();

        check_ok( setsockopt( client, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) ) );
        check_int( send( client, "data", 4, 0 ), 4 );
        check_ok( closesocket( client ) );
        ok( GetTickCount() - start < 1000, "waited\n" );
    }
    recv_message( server, "data" );
    check_disconnected( server );
    check_ok( closesocket( server ) );
}

static void test_abortive(void)
{
    struct linger linger = { 1, 0 };
    SOCKET client, server;
    WSAPOLLFD pfd;
    char c;

    make_pair( &client, &server );
    check_int( send( client, "lost", 4, 0 ), 4 );
    check_ok( setsockopt( client, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) ) );
    check_ok( closesocket( client ) );
    check_broken( server );
    pfd.fd = server;
    pfd.events = POLLRDNORM | POLLWRNORM;
    check_int( WSAPoll( &pfd, 1, 1000 ), 1 );
    ok( (pfd.revents & (POLLERR | POLLHUP)) == (POLLERR | POLLHUP), "got events %#x\n", pfd.revents );
    check_ok( closesocket( server ) );

    /* closed with something unread */
    make_pair( &client, &server );
    check_int( send( server, "unread", 6, 0 ), 6 );
    check_ok( closesocket( client ) );
    check_broken( server );
    check_ok( closesocket( server ) );

    /* the same after a graceful end of sending */
    make_pair( &client, &server );
    check_int( send( server, "unread", 6, 0 ), 6 );
    check_ok( WSASendDisconnect( client, &(WSABUF){ 3, (char *)"bye" } ) );
    check_ok( closesocket( client ) );
    check_broken( server );
    check_ok( closesocket( server ) );

    /* what comes after the end of receiving, or is queued then */
    make_pair( &client, &server );
    check_ok( shutdown( client, SD_RECEIVE ) );
    check_error( recv( client, &c, 1, 0 ), WSAESHUTDOWN );
    check_int( send( server, "late", 4, 0 ), 4 );
    socket_set_timeout( server, 1000 );
    check_broken( server );
    check_error( recv( client, &c, 1, 0 ), WSAESHUTDOWN );
    check_error( send( client, "x", 1, 0 ), WSAECONNABORTED );
    close_both( client, server );

    make_pair( &client, &server );
    check_int( send( server, "queued", 6, 0 ), 6 );
    check_ok( WSARecvDisconnect( client, NULL ) );
    check_broken( server );
    close_both( client, server );

    /* disconnect data behind what was queued */
    make_pair( &client, &server );
    {
        char room[8];
        WSABUF in = { sizeof(room), room };

        check_int( send( server, "queued", 6, 0 ), 6 );
        check_ok( WSASendDisconnect( server, &(WSABUF){ 3, (char *)"bye" } ) );
        check_ok( WSARecvDisconnect( client, &in ) );
        ok( in.len == 3 && !memcmp( room, "bye", 3 ), "got %lu bytes\n", in.len );
        check_error( recv( server, room, sizeof(room), 0 ), WSAECONNRESET );
    }
    close_both( client, server );
}

/* a receive that waits takes what comes after SD_RECEIVE */
static DWORD WINAPI recv_thread( void *arg )
{
    recv_message( *(SOCKET *)arg, "late" );
    return 0;
}

static void test_receive_shutdown(void)
{
    SOCKET client, server;
    HANDLE thread;
    char c;

    make_pair( &client, &server );
    thread = thread_start( recv_thread, &client );
    Sleep( 100 );
    check_ok( shutdown( client, SD_RECEIVE ) );
    check_int( send( server, "late", 4, 0 ), 4 );
    thread_end( thread );
    check_error( recv( client, &c, 1, 0 ), WSAESHUTDOWN );
    /* that was no reset */
    check_int( send( client, "answer", 6, 0 ), 6 );
    recv_message( server, "answer" );
    close_both( client, server );
}

static void test_ready(void)
{
    SOCKET client, server;
    WSAPOLLFD pfd;

    make_pair( &client, &server );
    pfd.fd = server;
    pfd.events = POLLRDNORM | POLLWRNORM;
    check_int( WSAPoll( &pfd, 1, 0 ), 1 );
    ok( pfd.revents == POLLWRNORM, "got events %#x\n", pfd.revents );
    check_int( send( client, "", 0, 0 ), 0 );
    check_int( WSAPoll( &pfd, 1, 1000 ), 1 );
    ok( pfd.revents == (POLLRDNORM | POLLWRNORM), "got events %#x\n", pfd.revents );
    ok( wait_readable( server, 0 ), "not readable\n" );
    check_ok( WSASendDisconnect( client, &(WSABUF){ 3, (char *)"bye" } ) );
    check_int( WSAPoll( &pfd, 1, 1000 ), 1 );
    ok( pfd.revents == (POLLRDNORM | POLLWRNORM | POLLHUP), "got events %#x\n", pfd.revents );
    recv_message( server, "" );
    check_int( WSAPoll( &pfd, 1, 1000 ), 1 );
    ok( pfd.revents == (POLLWRNORM | POLLHUP), "got events %#x\n", pfd.revents );
    ok( wait_readable( server, 0 ), "not readable\n" );
    close_both( client, server );
}

/* ---- overlapped ---- */

static void expect_overlapped_( int line, SOCKET s, WSAOVERLAPPED *overlapped, int error, DWORD expect )
{
    DWORD count = 0xdeadbeef, flags = 0;
    BOOL ret;

    ok_(__FILE__, line)( !WaitForSingleObject( overlapped->hEvent, 3000 ), "not completed\n" );
    WSASetLastError( 0xdeadbeef );
    ret = WSAGetOverlappedResult( s, overlapped, &count, FALSE, &flags );
    if (error) ok_(__FILE__, line)( !ret && WSAGetLastError() == error, "returned %d, error %d\n", ret, WSAGetLastError() );
    else ok_(__FILE__, line)( ret, "error %d\n", WSAGetLastError() );
    ok_(__FILE__, line)( count == expect, "got %lu bytes\n", count );
    ResetEvent( overlapped->hEvent );
}
#define expect_overlapped( s, overlapped, error, expect ) expect_overlapped_( __LINE__, s, overlapped, error, expect )

static void test_overlapped(void)
{
    WSAOVERLAPPED overlapped = { .hEvent = CreateEventW( NULL, TRUE, FALSE, NULL ) };
    char buffer[8], rest[32];
    WSABUF buf = { sizeof(buffer), buffer };
    SOCKET client, server;
    DWORD flags = 0, count;

    make_pair( &client, &server );
    check_error( WSARecv( server, &buf, 1, NULL, &flags, &overlapped, NULL ), WSA_IO_PENDING );
    check_int( send( client, "first", 5, 0 ), 5 );
    expect_overlapped( server, &overlapped, 0, 5 );
    ok( !memcmp( buffer, "first", 5 ), "wrong data\n" );

    /* too long: told, and kept */
    flags = 0;
    check_error( WSARecv( server, &buf, 1, NULL, &flags, &overlapped, NULL ), WSA_IO_PENDING );
    check_int( send( client, "much too long", 13, 0 ), 13 );
    expect_overlapped( server, &overlapped, WSAEMSGSIZE, 8 );
    check_int( recv( server, rest, sizeof(rest), 0 ), 13 );

    buf.len = 6;
    buf.buf = (char *)"second";
    check_ok( WSASend( client, &buf, 1, &count, 0, &overlapped, NULL ) );
    expect_overlapped( client, &overlapped, 0, 6 );
    recv_message( server, "second" );

    /* what waits when the peer ends */
    buf.buf = buffer;
    flags = 0;
    check_error( WSARecv( server, &buf, 1, NULL, &flags, &overlapped, NULL ), WSA_IO_PENDING );
    check_ok( WSASendDisconnect( client, &(WSABUF){ 3, (char *)"bye" } ) );
    expect_overlapped( server, &overlapped, WSAEDISCON, 0 );
    check_disconnected( server );
    close_both( client, server );
    CloseHandle( overlapped.hEvent );
}

/* ---- several threads and handles ---- */

#define THREADS  4
#define MESSAGES 2000

struct reader
{
    SOCKET        s;
    volatile LONG seen[MESSAGES];
    LONG          bad;
};

/* each message goes to one of the readers, whole */
static DWORD WINAPI read_thread( void *arg )
{
    struct reader *reader = arg;
    DWORD numbers[64];
    int ret, i;

    while ((ret = recv( reader->s, (char *)numbers, sizeof(numbers), 0 )) >= (int)sizeof(*numbers))
    {
        for (i = 1; i < ret / (int)sizeof(*numbers); i++) if (numbers[i] != numbers[0]) break;
        if (ret % sizeof(*numbers) || i != ret / (int)sizeof(*numbers) || numbers[0] >= MESSAGES) InterlockedIncrement( &reader->bad );
        else InterlockedIncrement( &reader->seen[numbers[0]] );
    }
    ok( ret == -1 && WSAGetLastError() == WSAEDISCON, "got %d, error %d\n", ret, WSAGetLastError() );
    return 0;
}

static void test_threads(void)
{
    static struct reader reader;
    HANDLE threads[THREADS];
    unsigned i, j, once = 0;
    DWORD numbers[64];
    SOCKET client;

    make_pair( &client, &reader.s );
    for (i = 0; i < THREADS; i++) threads[i] = thread_start( read_thread, &reader );
    for (i = 0; i < MESSAGES; i++)
    {
        for (j = 0; j <= i % 64; j++) numbers[j] = i;
        if (send( client, (char *)numbers, j * sizeof(*numbers), 0 ) != (int)(j * sizeof(*numbers))) break;
    }
    ok( i == MESSAGES, "sent %u, error %d\n", i, WSAGetLastError() );
    check_ok( WSASendDisconnect( client, &(WSABUF){ 3, (char *)"bye" } ) );
    for (i = 0; i < THREADS; i++) thread_end( threads[i] );
    for (i = 0; i < MESSAGES; i++) once += reader.seen[i] == 1;
    ok( once == MESSAGES && !reader.bad, "%u of %u seen once, %ld bad\n", once, MESSAGES, reader.bad );
    close_both( client, reader.s );
}

static void test_duplicate(void)
{
    WSAPROTOCOL_INFOW shared;
    SOCKET client, server, other;
    HANDLE handle;

    make_pair( &client, &server );
    check_ok( WSADuplicateSocketW( server, GetCurrentProcessId(), &shared ) );
    ok( shared.dwServiceFlags1 == info.dwServiceFlags1, "got flags %#lx\n", shared.dwServiceFlags1 );
    other = WSASocketW( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &shared, 0, 0 );
    ok( other != INVALID_SOCKET, "error %d\n", WSAGetLastError() );
    socket_set_timeout( other, 3000 );
    check_int( send( client, "one", 3, 0 ), 3 );
    recv_message( other, "one" );
    check_ok( closesocket( server ) );
    check_int( send( other, "two", 3, 0 ), 3 );
    recv_message( client, "two" );

    /* CloseHandle of the last one is a close, too */
    ok( DuplicateHandle( GetCurrentProcess(), (HANDLE)other, GetCurrentProcess(), &handle, 0, FALSE, DUPLICATE_SAME_ACCESS ),
        "error %lu\n", GetLastError() );
    check_ok( closesocket( other ) );
    check_int( send( client, "three", 5, 0 ), 5 );
    recv_message( (SOCKET)handle, "three" );
    ok( CloseHandle( handle ), "error %lu\n", GetLastError() );
    check_disconnected( client );
    check_ok( closesocket( client ) );
}

/* ---- other processes ---- */

static HANDLE start_child( const char *command, ULONG_PTR value )
{
    char args[64];

    sprintf( args, "%s %lu", command, (unsigned long)value );
    return child_start( args, NULL );
}

static void finish( HANDLE process )
{
    winetest_wait_child_process( process );
    CloseHandle( process );
}

/* connects, talks and says goodbye; all with data */
static void child_connect( ULONG port )
{
    char room[TAPSTER_MAX_DATA];
    WSABUF caller = { 5, (char *)"child" }, callee = { sizeof(room), room }, bye = { 7, (char *)"from it" };
    SOCKADDR_TAPSTER addr = make_address( port );
    SOCKET s = new_socket();

    check_ok( WSAConnect( s, (struct sockaddr *)&addr, sizeof(addr), &caller, &callee, NULL, NULL ) );
    ok( callee.len == 6 && !memcmp( room, "parent", 6 ), "got %lu bytes\n", callee.len );
    recv_message( s, "question" );
    check_int( send( s, "answer", 6, 0 ), 6 );
    check_ok( WSASendDisconnect( s, &bye ) );
    check_disconnected( s );
    callee.len = sizeof(room);
    check_ok( WSARecvDisconnect( s, &callee ) );
    ok( callee.len == 7 && !memcmp( room, "from me", 7 ), "got %lu bytes\n", callee.len );
    check_ok( closesocket( s ) );
}

/* an inherited socket whose peer has disconnected: that is known here, too */
static void child_inherit( SOCKET s )
{
    char room[TAPSTER_MAX_DATA];
    WSABUF in = { 2, room };
    int len = sizeof(room);

    recv_message( s, "message" );
    check_disconnected( s );
    check_error( WSARecvDisconnect( s, &in ), WSAEFAULT );
    in.len = sizeof(room);
    check_ok( WSARecvDisconnect( s, &in ) );
    ok( in.len == 4 && !memcmp( room, "over", 4 ), "got %lu bytes\n", in.len );
    check_ok( getsockopt( s, SOL_SOCKET, SO_CONNDATALEN, room, &len ) );
    check_ok( closesocket( s ) );
}

/* ends with all that it has, without a word */
static void child_die( ULONG port )
{
    SOCKADDR_TAPSTER addr = make_address( port );
    SOCKET s = new_socket();

    check_ok( connect( s, (struct sockaddr *)&addr, sizeof(addr) ) );
    check_int( send( s, "last", 4, 0 ), 4 );
    TerminateProcess( GetCurrentProcess(), 0 );
}

static void test_processes(void)
{
    struct decision decision = { CF_ACCEPT, "child", "parent", 0, 0 };
    char room[16];
    WSABUF in = { sizeof(room), room };
    SOCKET listener, client, server;
    SOCKADDR_TAPSTER addr;
    HANDLE process;

    listener = new_listener( &addr );
    process = start_child( "connect", addr.st_port );
    server = accept_deciding( listener, &decision );
    ok( server != INVALID_SOCKET, "error %d\n", WSAGetLastError() );
    socket_set_timeout( server, 10000 );
    check_int( send( server, "question", 8, 0 ), 8 );
    recv_message( server, "answer" );
    check_disconnected( server );
    check_ok( WSASendDisconnect( server, &(WSABUF){ 7, (char *)"from me" } ) );
    finish( process );
    check_ok( WSARecvDisconnect( server, &in ) );
    ok( in.len == 7 && !memcmp( room, "from it", 7 ), "got %lu bytes\n", in.len );
    check_ok( closesocket( server ) );

    make_pair( &client, &server );
    check_int( send( client, "message", 7, 0 ), 7 );
    check_ok( WSASendDisconnect( client, &(WSABUF){ 4, (char *)"over" } ) );
    SetHandleInformation( (HANDLE)client, HANDLE_FLAG_INHERIT, 0 );
    process = start_child( "inherit", server );
    finish( process );
    check_error( recv( server, room, sizeof(room), 0 ), WSAESHUTDOWN );
    close_both( client, server );

    process = start_child( "die", addr.st_port );
    server = accept( listener, NULL, NULL );
    socket_set_timeout( server, 10000 );
    finish( process );
    recv_message( server, "last" );
    check_disconnected( server );
    close_both( server, listener );
}

static void child_main( const char *command, ULONG_PTR value )
{
    if (!strcmp( command, "connect" )) child_connect( value );
    else if (!strcmp( command, "inherit" )) child_inherit( value );
    else if (!strcmp( command, "die" )) child_die( value );
    else ok( 0, "unknown command %s\n", command );
}

START_TEST(local)
{
    char **argv;
    int argc = winetest_get_mainargs( &argv );
    WSADATA data;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    if (!find_provider()) skip( "no provider with disconnect data is installed\n" );
    else if (argc == 4) child_main( argv[2], strtoul( argv[3], NULL, 10 ) );
    else
    {
        test_provider();
        test_addresses();
        test_connect_data();
        test_decisions();
        test_accept();
        test_messages();
        test_waiting();
        test_disconnect_data();
        test_graceful();
        test_abortive();
        test_receive_shutdown();
        test_ready();
        test_overlapped();
        test_threads();
        test_duplicate();
        test_processes();
    }
    WSACleanup();
}
