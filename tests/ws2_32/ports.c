/*
 * Who may bind where, and who gets what is sent there
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

#ifndef SO_RANDOMIZE_PORT
#define SO_RANDOMIZE_PORT   0x3005
#endif
#ifndef SO_PORT_SCALABILITY
#define SO_PORT_SCALABILITY 0x3006
#endif
#ifndef SO_REUSE_UNICASTPORT
#define SO_REUSE_UNICASTPORT 0x3007
#endif

#define TRIES 5             /* another program may get hold of a port that we chose */

enum mode
{
    MODE_DEFAULT,
    MODE_REUSE,             /* SO_REUSEADDR */
    MODE_EXCLUSIVE          /* SO_EXCLUSIVEADDRUSE */
};

/* what is bound, and how; crosses to the child process as it is */
struct binder
{
    int family;
    int type;
    BOOL dual;              /* an IPv6 socket without IPV6_V6ONLY */
    enum mode mode;
    DWORD host;             /* last byte of the address: 127.0.0.host or ::host; 0: the wildcard */
    USHORT port;            /* 0: the system chooses */
};

static const struct kind
{
    const char *name;
    int family;
    int type;
    BOOL dual;
}
kinds[] =
{
    { "TCP", AF_INET, SOCK_STREAM, FALSE },
    { "UDP", AF_INET, SOCK_DGRAM, FALSE },
    { "TCP over IPv6", AF_INET6, SOCK_STREAM, FALSE },
    { "UDP over IPv6", AF_INET6, SOCK_DGRAM, FALSE },
    { "TCP on both stacks", AF_INET6, SOCK_STREAM, TRUE },
    { "UDP on both stacks", AF_INET6, SOCK_DGRAM, TRUE },
};

/* Microsoft's table, rows the first bind, columns the second: default, reuse and exclusive, each on the wildcard
 * and then on the address itself. .: allowed, u: WSAEADDRINUSE, a: WSAEACCES */
static const char matrix[6][7] =
{
    "u.a.u.",
    ".u.auu",
    "u...u.",
    ".u..uu",
    "uaaaua",
    ".u.auu",
};

/* the same of Wine 8.0, which goes by Linux' options */
static const char wine_tcp[6][7] = { "u.a.u.", ".u.auu", "u...u.", ".u..uu", "aaaaaa", ".u.auu" };
static const char wine_udp[6][7] = { "uuaauu", "uuaauu", "uu..uu", "uu..uu", "uuaauu", "uuaauu" };
/* both stacks first and then IPv4, and the other way round */
static const char wine_mixed[6][7] = { "......", "", "......", "", "aaaaaa", "" };
static const char wine_mixed_reverse[6][7] = { "....u.", ".u.auu", "....u.", ".u..uu", ".a.aaa", ".u.auu" };
/* a port that the system chose; sockets in each of the three modes */
static const char wine_chosen_tcp[3][7] = { "......", "......", "......" };
static const char wine_chosen_udp[3][7] = { "uuaauu", "uu..uu", "uuaauu" };

static const char *const cell_names[6] =
{
    "default wildcard", "default specific", "reuse wildcard", "reuse specific", "exclusive wildcard", "exclusive specific"
};

static int expected_error( char cell )
{
    return cell == '.' ? 0 : cell == 'u' ? WSAEADDRINUSE : WSAEACCES;
}

static int host_address( union address *addr, int family, DWORD host, USHORT port )
{
    int len = address_loopback( addr, family, port );

    if (family == AF_INET6) addr->in6.sin6_addr.s6_addr[15] = host;
    else addr->in.sin_addr.s_addr = host ? htonl( 0x7f000000 | host ) : INADDR_ANY;
    return len;
}

static void set_int( SOCKET s, int level, int option, int value )
{
    int ret = setsockopt( s, level, option, (char *)&value, sizeof(value) );

    ok( !ret, "option %#x of level %#x: error %d\n", option, level, WSAGetLastError() );
}

static USHORT bound_port( SOCKET s )
{
    union address addr;
    int len = sizeof(addr);

    check_ok( getsockname( s, &addr.sa, &len ) );
    return address_port( &addr );
}

/* Returns the socket, or INVALID_SOCKET with bind's error in *error. */
static SOCKET bind_socket( const struct binder *binder, int *error )
{
    SOCKET s = socket_new( binder->family, binder->type );
    union address addr;
    int len = host_address( &addr, binder->family, binder->host, binder->port );

    if (binder->family == AF_INET6) set_int( s, IPPROTO_IPV6, IPV6_V6ONLY, !binder->dual );
    if (binder->mode == MODE_REUSE) set_int( s, SOL_SOCKET, SO_REUSEADDR, 1 );
    if (binder->mode == MODE_EXCLUSIVE) set_int( s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1 );
    *error = bind( s, &addr.sa, len ) ? WSAGetLastError() : 0;
    if (!*error) return s;
    closesocket( s );
    return INVALID_SOCKET;
}

static int try_bind( const struct binder *binder )
{
    int error;
    SOCKET s = bind_socket( binder, &error );

    if (s != INVALID_SOCKET) closesocket( s );
    return error;
}

/* ---- the second binder in another process ---- */

struct other_process
{
    HANDLE process;
    HANDLE orders;          /* written: struct binder */
    HANDLE answers;         /* read: int */
};

static void child_bind( HANDLE orders, HANDLE answers )
{
    struct binder binder;
    DWORD size;
    int error;

    while (ReadFile( orders, &binder, sizeof(binder), &size, NULL ) && size == sizeof(binder))
    {
        error = try_bind( &binder );
        WriteFile( answers, &error, sizeof(error), &size, NULL );
    }
}

static void other_start( struct other_process *other )
{
    SECURITY_ATTRIBUTES attr = { sizeof(attr), NULL, TRUE };
    HANDLE read, write;
    char args[64];

    CreatePipe( &read, &other->orders, &attr, 0 );
    CreatePipe( &other->answers, &write, &attr, 0 );
    SetHandleInformation( other->orders, HANDLE_FLAG_INHERIT, 0 );
    SetHandleInformation( other->answers, HANDLE_FLAG_INHERIT, 0 );
    sprintf( args, "bind %lu %lu", (unsigned long)(ULONG_PTR)read, (unsigned long)(ULONG_PTR)write );
    other->process = child_start( args, NULL );
    CloseHandle( read );
    CloseHandle( write );
}

static int other_bind( const struct other_process *other, const struct binder *binder )
{
    int error = -1;
    DWORD size;

    if (!other) return try_bind( binder );
    WriteFile( other->orders, binder, sizeof(*binder), &size, NULL );
    ok( ReadFile( other->answers, &error, sizeof(error), &size, NULL ), "the other process says nothing\n" );
    return error;
}

static void other_end( struct other_process *other )
{
    CloseHandle( other->orders );
    winetest_wait_child_process( other->process );
    CloseHandle( other->process );
    CloseHandle( other->answers );
}

/* ---- the matrix ---- */

/* Binds one after the other; returns the second's error. Where the port was free for the first and another program
 * has it on an address that only the second asks for, another port is tried. */
static int bind_two( struct binder *first, struct binder *second, const struct other_process *other, int expected )
{
    int i, error = -1;
    SOCKET s;

    for (i = 0; i < TRIES; i++)
    {
        s = bind_socket( first, &error );
        ok( s != INVALID_SOCKET, "the first bind: error %d\n", error );
        if (s == INVALID_SOCKET) break;
        second->port = bound_port( s );
        error = other_bind( other, second );
        closesocket( s );
        if (error == expected || error != WSAEADDRINUSE) break;
    }
    return error;
}

static void test_matrix( const struct kind *kind, const char wine[6][7], const struct other_process *other )
{
    struct binder first = { kind->family, kind->type, kind->dual, 0, 0, 0 }, second = first;
    int row, column, error, expected;

    winetest_push_context( "%s%s", kind->name, other ? ", two processes" : "" );
    for (row = 0; row < 6; row++)
    {
        for (column = 0; column < 6; column++)
        {
            first.mode = row / 2;
            first.host = row % 2;
            second.mode = column / 2;
            second.host = column % 2;
            expected = expected_error( matrix[row][column] );
            error = bind_two( &first, &second, other, expected );
            todo_wine_if( wine[row][column] != matrix[row][column] )
                ok( error == expected, "%s, then %s: error %d, expected %d\n", cell_names[row], cell_names[column], error, expected );
        }
    }
    winetest_pop_context();
}

/* a wildcard of both stacks meets an IPv4 socket; whoever comes second must pass on the stack they share */
static void test_matrix_mixed( int type, const char wine[6][7], const char wine_reverse[6][7], const struct other_process *other )
{
    struct binder dual = { AF_INET6, type, TRUE, 0, 0, 0 }, single = { AF_INET, type, FALSE, 0, 0, 0 };
    int row, column, error, expected;

    winetest_push_context( "type %d, mixed%s", type, other ? ", two processes" : "" );
    for (row = 0; row < 6; row += 2)
    {
        for (column = 0; column < 6; column++)
        {
            dual.mode = row / 2;
            single.mode = column / 2;
            single.host = column % 2;
            dual.port = single.port = 0;
            expected = expected_error( matrix[row][column] );
            error = bind_two( &dual, &single, other, expected );
            todo_wine_if( wine[row][column] != matrix[row][column] )
                ok( error == expected, "both stacks, %s, then IPv4, %s: error %d, expected %d\n",
                    cell_names[row], cell_names[column], error, expected );
            dual.port = single.port = 0;
            expected = expected_error( matrix[column][row] );
            error = bind_two( &single, &dual, other, expected );
            todo_wine_if( wine_reverse[column][row] != matrix[column][row] )
                ok( error == expected, "IPv4, %s, then both stacks, %s: error %d, expected %d\n",
                    cell_names[column], cell_names[row], error, expected );
        }
    }
    winetest_pop_context();
}

/* ---- who gets the traffic ---- */

/* a connection to a host arrives at one listener and not at the other */
static void check_connects( int family, DWORD host, USHORT port, SOCKET there, SOCKET not_there )
{
    SOCKET client, server;
    union address addr;

    host_address( &addr, family, host, port );
    client = socket_connecting( &addr );
    ok( wait_readable( there, 1000 ), "no connection\n" );
    server = accept( there, NULL, NULL );
    ok( server != INVALID_SOCKET, "accept: error %d\n", WSAGetLastError() );
    check_error( accept( not_there, NULL, NULL ), WSAEWOULDBLOCK );
    closesocket( client );
    closesocket( server );
}

/* so does a datagram */
static void check_datagram( int family, DWORD host, USHORT port, SOCKET there, SOCKET not_there )
{
    SOCKET s = socket_new( family, SOCK_DGRAM );
    union address addr;
    char buffer[8];
    int len = host_address( &addr, family, host, port );

    check_int( sendto( s, "abc", 3, 0, &addr.sa, len ), 3 );
    ok( wait_readable( there, 1000 ), "no datagram\n" );
    check_int( recv( there, buffer, sizeof(buffer), 0 ), 3 );
    check_error( recv( not_there, buffer, sizeof(buffer), 0 ), WSAEWOULDBLOCK );
    closesocket( s );
}

static void check_traffic( const struct kind *kind, int family, DWORD host, USHORT port, SOCKET there, SOCKET not_there )
{
    if (kind->type == SOCK_STREAM) check_connects( family, host, port, there, not_there );
    else check_datagram( family, host, port, there, not_there );
}

/* two of a port, the second beside the first; FALSE: that can't be */
static BOOL bind_pair( struct binder *first, struct binder *second, SOCKET *s1, SOCKET *s2 )
{
    int i, error = -1;

    for (i = 0; i < TRIES; i++)
    {
        *s1 = bind_socket( first, &error );
        ok( *s1 != INVALID_SOCKET, "the first bind: error %d\n", error );
        if (*s1 == INVALID_SOCKET) return FALSE;
        second->port = bound_port( *s1 );
        *s2 = bind_socket( second, &error );
        if (*s2 != INVALID_SOCKET) return TRUE;
        closesocket( *s1 );
    }
    return FALSE;
}

static BOOL make_ready( const struct kind *kind, SOCKET s )
{
    socket_set_nonblocking( s, TRUE );
    return kind->type != SOCK_STREAM || !listen( s, 5 );
}

/* the address itself is preferred to the wildcard, whoever came first */
static void test_specific_first( const struct kind *kind, BOOL wild_first, BOOL listens_first )
{
    struct binder wild = { kind->family, kind->type, kind->dual, 0, 0, 0 }, one = wild;
    SOCKET w, s;
    BOOL ret;

    winetest_push_context( "%s, %d, %d", kind->name, wild_first, listens_first );
    one.host = 1;
    if (kind->dual) one.family = AF_INET;
    one.dual = FALSE;
    ret = wild_first ? bind_pair( &wild, &one, &w, &s ) : bind_pair( &one, &wild, &s, &w );
    if (ret && listens_first) ret = make_ready( kind, s ) && make_ready( kind, w );
    else if (ret) ret = make_ready( kind, w ) && make_ready( kind, s );
    todo_wine ok( ret, "can't be used together, error %d\n", WSAGetLastError() );
    if (ret)
    {
        check_traffic( kind, one.family, 1, bound_port( s ), s, w );
        /* the loopback address of IPv6 is the only one */
        if (one.family == AF_INET) check_traffic( kind, AF_INET, 3, bound_port( s ), w, s );
        closesocket( s );
        s = INVALID_SOCKET;
        check_traffic( kind, one.family, 1, bound_port( w ), w, w );
    }
    closesocket( s );
    closesocket( w );
    winetest_pop_context();
}

/* addresses of one host that differ share a port, and each has its own traffic */
static void test_two_specific( const struct kind *kind )
{
    struct binder one = { AF_INET, kind->type, FALSE, MODE_EXCLUSIVE, 1, 0 }, two = one;
    SOCKET s1, s2;
    BOOL ret;

    two.host = 2;
    ret = bind_pair( &one, &two, &s1, &s2 );
    todo_wine_if( kind->type == SOCK_DGRAM ) ok( ret, "%s: 127.0.0.1 and 127.0.0.2 can't be bound together\n", kind->name );
    if (!ret) return;
    ok( make_ready( kind, s1 ) && make_ready( kind, s2 ), "listen: error %d\n", WSAGetLastError() );
    check_traffic( kind, AF_INET, 1, bound_port( s1 ), s1, s2 );
    check_traffic( kind, AF_INET, 2, bound_port( s1 ), s2, s1 );
    closesocket( s1 );
    closesocket( s2 );
}

/* ---- ports that nobody asked for by number ---- */

/* how others may bind beside a socket that connect() or sendto() bound: to the wildcard, by the options it has */
static void check_row( const char *how, enum mode mode, int family, int type, USHORT port, const struct other_process *other )
{
    const char *row = matrix[mode * 2], *wine = type == SOCK_STREAM ? wine_chosen_tcp[mode] : wine_chosen_udp[mode];
    struct binder second = { family, type, FALSE, 0, 0, port };
    int column, error, expected;

    for (column = 0; column < 6; column++)
    {
        second.mode = column / 2;
        second.host = column % 2;
        expected = expected_error( row[column] );
        error = other_bind( other, &second );
        todo_wine_if( wine[column] != row[column] )
            ok( error == expected, "%s in mode %d, then %s: error %d, expected %d\n", how, mode, cell_names[column], error, expected );
    }
}

static SOCKET socket_in_mode( int family, int type, enum mode mode )
{
    SOCKET s = socket_new( family, type );

    if (mode == MODE_REUSE) set_int( s, SOL_SOCKET, SO_REUSEADDR, 1 );
    if (mode == MODE_EXCLUSIVE) set_int( s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1 );
    return s;
}

static void test_chosen_ports( int family, const struct other_process *other )
{
    SOCKET listener, client, server, s;
    union address addr, udp_addr;
    enum mode mode;
    char c = 0;

    winetest_push_context( "family %d%s", family, other ? ", two processes" : "" );
    listener = socket_listening( family, &addr );
    s = socket_bound( family, SOCK_DGRAM, &udp_addr );
    for (mode = MODE_DEFAULT; mode <= MODE_EXCLUSIVE; mode++)
    {
        client = socket_in_mode( family, SOCK_STREAM, mode );
        check_ok( connect( client, &addr.sa, address_len( family ) ) );
        server = socket_accepted( listener );
        check_row( "connect", mode, family, SOCK_STREAM, bound_port( client ), other );
        closesocket( server );
        closesocket( client );

        client = socket_in_mode( family, SOCK_DGRAM, mode );
        check_int( sendto( client, &c, 1, 0, &udp_addr.sa, address_len( family ) ), 1 );
        check_row( "sendto", mode, family, SOCK_DGRAM, bound_port( client ), other );
        closesocket( client );

        client = socket_in_mode( family, SOCK_DGRAM, mode );
        check_ok( connect( client, &udp_addr.sa, address_len( family ) ) );
        check_row( "UDP connect", mode, family, SOCK_DGRAM, bound_port( client ), other );
        closesocket( client );

        /* a connect that failed leaves its port bound */
        client = socket_in_mode( family, SOCK_STREAM, mode );
        host_address( &addr, family, 1, unused_port( family, SOCK_STREAM ) );
        check_error( connect( client, &addr.sa, address_len( family ) ), WSAECONNREFUSED );
        check_row( "refused", mode, family, SOCK_STREAM, bound_port( client ), other );
        closesocket( client );
        host_address( &addr, family, 1, bound_port( listener ) );
    }
    closesocket( listener );
    closesocket( s );
    winetest_pop_context();
}

/* ---- what goes on after a close ---- */

/* a connection to a listener bound in a mode, from which the server's end is closed first: it waits */
static void test_time_wait(void)
{
    struct binder binder = { AF_INET, SOCK_STREAM, FALSE, MODE_DEFAULT, 1, 0 }, again;
    SOCKET listener, client, server;
    union address addr;
    int column, error;

    for (column = 0; column < 6; column++)
    {
        listener = bind_socket( &binder, &error );
        check_ok( listen( listener, 5 ) );
        again = binder;
        again.port = bound_port( listener );
        again.mode = column / 2;
        again.host = column % 2;
        host_address( &addr, AF_INET, 1, again.port );
        client = socket_connecting( &addr );
        server = socket_accepted( listener );
        closesocket( server );
        check_closed( client );
        closesocket( client );
        closesocket( listener );
        server = bind_socket( &again, &error );
        ok( server != INVALID_SOCKET, "%s: error %d\n", cell_names[column], error );
        check_ok( listen( server, 5 ) );
        client = socket_connecting( &addr );
        closesocket( client );
        closesocket( server );
    }
}

/* data that the peer does not read: the connection goes on after a close */
static void send_unread( SOCKET s )
{
    static char buffer[100000];

    check_int( send( s, buffer, sizeof(buffer), 0 ), sizeof(buffer) );
}

/* Documented: as long as a connection of an exclusive port is active (established, or closed by
 * one side only), the port is taken, whether or not its listener is still there. */
static void test_exclusive_connections( const struct other_process *other )
{
    struct binder binder = { AF_INET, SOCK_STREAM, FALSE, MODE_EXCLUSIVE, 1, 0 }, again;
    SOCKET listener, client, server;
    union address addr;
    int i, error;

    listener = bind_socket( &binder, &error );
    check_ok( listen( listener, 5 ) );
    again = binder;
    again.port = bound_port( listener );
    host_address( &addr, AF_INET, 1, again.port );
    client = socket_connecting( &addr );
    server = socket_accepted( listener );
    check_ok( closesocket( listener ) );
    for (i = 0; i < 3; i++)
    {
        again.mode = i;
        error = other_bind( other, &again );
        todo_wine ok( error == (i == MODE_REUSE ? WSAEACCES : WSAEADDRINUSE), "mode %d: error %d\n", i, error );
    }
    check_int( send( client, "abc", 3, 0 ), 3 );
    recv_exactly( server, "abc", 3 );

    /* closed here, and not by the peer */
    send_unread( server );
    check_ok( closesocket( server ) );
    for (i = 0; i < 3; i++)
    {
        again.mode = i;
        error = other_bind( other, &again );
        todo_wine ok( error == (i == MODE_REUSE ? WSAEACCES : WSAEADDRINUSE), "mode %d: error %d\n", i, error );
    }
    check_ok( closesocket( client ) );

    /* the end of it takes a moment */
    for (i = 0; i < 50 && (error = other_bind( other, &again )); i++) Sleep( 10 );
    ok( !error, "error %d\n", error );
}

/* the same of a socket that connects from a port it has for itself */
static void test_exclusive_client(void)
{
    struct binder binder = { AF_INET, SOCK_STREAM, FALSE, MODE_EXCLUSIVE, 1, 0 }, again;
    SOCKET listener, client, server;
    union address addr;
    int error;

    listener = socket_listening( AF_INET, &addr );
    client = bind_socket( &binder, &error );
    again = binder;
    again.port = bound_port( client );
    check_ok( connect( client, &addr.sa, sizeof(addr.in) ) );
    server = socket_accepted( listener );
    error = try_bind( &again );
    ok( error == WSAEADDRINUSE, "error %d\n", error );
    send_unread( client );
    closesocket( client );
    error = try_bind( &again );
    todo_wine ok( error == WSAEADDRINUSE, "error %d\n", error );
    /* a reset is the end, and nothing stays */
    socket_reset( server );
    error = try_bind( &again );
    ok( !error, "error %d\n", error );
    closesocket( listener );
}

/* the port of a listener that was not exclusive is free, whatever goes on with its connections */
static void test_left_connections(void)
{
    struct binder binder = { AF_INET, SOCK_STREAM, FALSE, MODE_DEFAULT, 1, 0 };
    SOCKET listener, client, server, again;
    union address addr;
    int error;

    listener = bind_socket( &binder, &error );
    check_ok( listen( listener, 5 ) );
    binder.port = bound_port( listener );
    host_address( &addr, AF_INET, 1, binder.port );
    client = socket_connecting( &addr );
    server = socket_accepted( listener );
    closesocket( listener );
    again = bind_socket( &binder, &error );
    ok( again != INVALID_SOCKET, "error %d\n", error );
    if (again != INVALID_SOCKET)
    {
        check_ok( listen( again, 5 ) );
        check_int( send( client, "abc", 3, 0 ), 3 );
        recv_exactly( server, "abc", 3 );
        closesocket( socket_connecting( &addr ) );
        closesocket( again );
    }
    closesocket( client );
    closesocket( server );
}

/* ---- options ---- */

/* what the options say when the socket is bound holds; later changes mean nothing */
static void test_late_options(void)
{
    struct binder binder = { AF_INET, SOCK_DGRAM, FALSE, MODE_DEFAULT, 1, 0 }, second = binder;
    int error, value, len = sizeof(value);
    SOCKET s;

    s = bind_socket( &binder, &error );
    second.port = bound_port( s );
    second.mode = MODE_REUSE;
    set_int( s, SOL_SOCKET, SO_REUSEADDR, 1 );
    check_ok( getsockopt( s, SOL_SOCKET, SO_REUSEADDR, (char *)&value, &len ) );
    ok( value == 1, "got %d\n", value );
    error = try_bind( &second );
    todo_wine ok( error == WSAEACCES, "error %d\n", error );
    closesocket( s );

    binder.mode = MODE_REUSE;
    s = bind_socket( &binder, &error );
    second.port = bound_port( s );
    set_int( s, SOL_SOCKET, SO_REUSEADDR, 0 );
    error = try_bind( &second );
    todo_wine ok( !error, "error %d\n", error );
    closesocket( s );
}

static void test_port_options(void)
{
    static const int options[] = { SO_RANDOMIZE_PORT, SO_PORT_SCALABILITY, SO_REUSE_UNICASTPORT };
    int value, len, i, on = 1;
    SOCKET s, client, server, listener;
    union address addr;

    listener = socket_listening( AF_INET, &addr );
    for (i = 0; i < (int)ARRAY_SIZE(options); i++)
    {
        winetest_push_context( "option %#x", options[i] );
        s = socket_new( AF_INET, SOCK_STREAM );
        value = 0xdeadbeef;
        len = sizeof(value);
        todo_wine check_ok( getsockopt( s, SOL_SOCKET, options[i], (char *)&value, &len ) );
        todo_wine ok( !value, "got %d\n", value );
        check_ok( setsockopt( s, SOL_SOCKET, options[i], (char *)&on, sizeof(on) ) );
        todo_wine check_ok( getsockopt( s, SOL_SOCKET, options[i], (char *)&value, &len ) );
        todo_wine ok( value == 1, "got %d\n", value );
        /* connecting works with each of them */
        check_ok( connect( s, &addr.sa, sizeof(addr.in) ) );
        server = socket_accepted( listener );
        todo_wine check_error( setsockopt( s, SOL_SOCKET, options[i], (char *)&on, sizeof(on) ), WSAEINVAL );
        closesocket( server );
        closesocket( s );

        s = socket_new( AF_INET, SOCK_DGRAM );
        check_ok( setsockopt( s, SOL_SOCKET, options[i], (char *)&on, sizeof(on) ) );
        host_address( &addr, AF_INET, 1, 0 );
        check_ok( bind( s, &addr.sa, sizeof(addr.in) ) );
        ok( bound_port( s ), "no port\n" );
        closesocket( s );
        host_address( &addr, AF_INET, 1, bound_port( listener ) );
        winetest_pop_context();
    }
    client = socket_connecting( &addr );
    closesocket( client );
    closesocket( listener );
}

/* a bind that failed leaves the socket as it was: another one may succeed */
static void test_again(void)
{
    struct binder binder = { AF_INET, SOCK_STREAM, FALSE, MODE_DEFAULT, 1, 0 };
    union address addr;
    SOCKET s, taken;
    int error;

    taken = bind_socket( &binder, &error );
    s = socket_new( AF_INET, SOCK_STREAM );
    host_address( &addr, AF_INET, 1, bound_port( taken ) );
    check_error( bind( s, &addr.sa, sizeof(addr.in) ), WSAEADDRINUSE );
    addr.in.sin_addr.s_addr = inet_addr( "198.51.100.1" );     /* for documentation only: nobody has it */
    addr.in.sin_port = 0;
    check_error( bind( s, &addr.sa, sizeof(addr.in) ), WSAEADDRNOTAVAIL );
    host_address( &addr, AF_INET, 1, bound_port( taken ) );
    closesocket( taken );
    check_ok( bind( s, &addr.sa, sizeof(addr.in) ) );
    check_error( bind( s, &addr.sa, sizeof(addr.in) ), WSAEINVAL );
    closesocket( s );
}

START_TEST(ports)
{
    char **argv;
    int argc = winetest_get_mainargs( &argv );
    struct other_process other;
    WSADATA data;
    unsigned i;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    if (argc == 5) child_bind( (HANDLE)(ULONG_PTR)atoi( argv[3] ), (HANDLE)(ULONG_PTR)atoi( argv[4] ) );
    else
    {
        other_start( &other );
        for (i = 0; i < ARRAY_SIZE(kinds); i++)
        {
            test_matrix( &kinds[i], kinds[i].type == SOCK_STREAM ? wine_tcp : wine_udp, NULL );
            test_matrix( &kinds[i], kinds[i].type == SOCK_STREAM ? wine_tcp : wine_udp, &other );
            test_specific_first( &kinds[i], TRUE, TRUE );
            test_specific_first( &kinds[i], TRUE, FALSE );
            test_specific_first( &kinds[i], FALSE, TRUE );
            test_specific_first( &kinds[i], FALSE, FALSE );
        }
        test_matrix_mixed( SOCK_STREAM, wine_mixed, wine_mixed_reverse, NULL );
        test_matrix_mixed( SOCK_STREAM, wine_mixed, wine_mixed_reverse, &other );
        test_matrix_mixed( SOCK_DGRAM, wine_udp, wine_udp, NULL );
        test_matrix_mixed( SOCK_DGRAM, wine_udp, wine_udp, &other );
        test_two_specific( &kinds[0] );
        test_two_specific( &kinds[1] );
        test_chosen_ports( AF_INET, NULL );
        test_chosen_ports( AF_INET, &other );
        test_chosen_ports( AF_INET6, NULL );
        test_chosen_ports( AF_INET6, &other );
        test_time_wait();
        test_exclusive_connections( NULL );
        test_exclusive_connections( &other );
        test_exclusive_client();
        test_left_connections();
        test_late_options();
        test_port_options();
        test_again();
        other_end( &other );
    }
    WSACleanup();
}
