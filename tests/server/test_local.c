/*
 * The helper: sockets of messages, with a raw client
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
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <sys/un.h>

#include "raw.h"

static struct raw raw;
static struct raw_sock listener, client, server;
static struct address name;         /* the listener's */

/* ---- tools ---- */

static struct address address( u32 port )
{
    struct address addr = { LOCAL_ADDRESS_SIZE, { LOCAL_FAMILY & 0xff, LOCAL_FAMILY >> 8 } };

    memcpy( addr.data + 4, &port, sizeof(port) );
    return addr;
}

static u32 new_socket( struct raw *of, struct raw_sock *sock )
{
    return raw_create( of, LOCAL_FAMILY, WS_SOCK_SEQPACKET, 0, sock );
}

static u32 say_connect( struct raw *of, const struct raw_sock *sock, const struct address *addr, const char *data, u32 length, u32 *pending )
{
    struct local_connect_request in = { sock->ref, *addr, length, 0, { 0 } };
    struct local_connect_reply out = { 0 };
    u32 ret;

    memcpy( in.data, data, strlen( data ) );
    ret = raw_request( of, REQUEST_LOCAL_CONNECT, &in, sizeof(in), -1, &out, sizeof(out), NULL );
    if (pending) *pending = out.pending;
    return ret;
}

static u32 connect_status( const struct raw_sock *sock )
{
    u32 pending;

    return raw_connect_status( &raw, sock, &pending );
}

/* an answer, or a disconnect */
static u32 say_data( struct raw *of, u32 type, const struct raw_sock *sock, const char *data, u32 length )
{
    struct local_answer_request in = { sock->ref, length, 0, { 0 } };
    struct local_answer_reply out;

    memcpy( in.data, data, strlen( data ) );
    return raw_request( of, type, &in, sizeof(in), -1, &out, sizeof(out), NULL );
}

static u32 answer( struct raw *of, const struct raw_sock *sock, const char *data )
{
    return say_data( of, REQUEST_LOCAL_ANSWER, sock, data, strlen( data ) );
}

static u32 disconnect( struct raw *of, const struct raw_sock *sock, const char *data )
{
    return say_data( of, REQUEST_LOCAL_DISCONNECT, sock, data, strlen( data ) );
}

static void expect_data( struct raw *of, const struct raw_sock *sock, const char *data )
{
    struct local_data_request in = { sock->ref, 0, 0, { 0 } };
    struct local_data_reply out;

    assert_int_equal( raw_request( of, REQUEST_LOCAL_DATA, &in, sizeof(in), -1, &out, sizeof(out), NULL ), 0 );
    assert_int_equal( out.length, strlen( data ) );
    assert_memory_equal( out.data, data, out.length );
}

static int poll_events( int fd )
{
    struct pollfd polls = { fd, POLLIN | POLLOUT | POLLRDHUP, 0 };

    poll( &polls, 1, 0 );
    return polls.revents;
}

static void send_message( int fd, const char *data )
{
    struct { struct local_header header; char data[64]; } message = { { LOCAL_MESSAGE, strlen( data ) }, { 0 } };

    memcpy( message.data, data, strlen( data ) );
    assert_int_equal( send( fd, &message, sizeof(message.header) + strlen( data ), MSG_DONTWAIT | MSG_NOSIGNAL ),
                      sizeof(message.header) + strlen( data ) );
}

/* the first message, which is taken */
static void expect_message( int fd, u32 kind, const char *data )
{
    struct { struct local_header header; char data[LOCAL_MAX_DATA]; } message;
    ssize_t ret;

    assert_true( raw_readable( fd, 5000 ) );
    while ((ret = recv( fd, &message, sizeof(message), MSG_DONTWAIT )) == -1 && errno == ECONNRESET) /* the kernel's word */;
    assert_int_equal( ret, sizeof(message.header) + strlen( data ) );
    assert_int_equal( message.header.kind, kind );
    assert_memory_equal( message.data, data, strlen( data ) );
}

static void expect_end( int fd )
{
    char byte;
    ssize_t ret;

    assert_true( raw_readable( fd, 5000 ) );
    while ((ret = recv( fd, &byte, 1, MSG_DONTWAIT )) == -1 && errno == ECONNRESET) /* the kernel's word */;
    assert_int_equal( ret, 0 );
}

static void open_listener( void **state )
{
    struct address any = address( 0 );

    (void)state;
    raw_open( &raw );
    assert_int_equal( new_socket( &raw, &listener ), 0 );
    assert_int_equal( raw_bind( &raw, &listener, &any, &name ), 0 );
    assert_int_equal( raw_listen( &raw, &listener, 8 ), 0 );
}

/* asked, and not decided yet */
static void open_asked( const char *data )
{
    u32 pending;

    assert_int_equal( new_socket( &raw, &client ), 0 );
    assert_int_equal( say_connect( &raw, &client, &name, data, strlen( data ), &pending ), 0 );
    assert_int_equal( pending, 1 );
    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
}

static void open_pair( void **state )
{
    open_listener( state );
    open_asked( "" );
    assert_int_equal( answer( &raw, &server, "" ), 0 );
    assert_int_equal( connect_status( &client ), 0 );
    assert_int_equal( raw_state( &raw, &client ), SOCKET_CONNECTED );
}

/* ---- making, binding ---- */

static void test_create( void **state )
{
    struct address addr = address( 77 ), bound, wrong = raw_ip4( "127.0.0.1", 0 );
    struct raw_sock sock, other;

    (void)state;
    raw_open( &raw );
    assert_int_equal( raw_create( &raw, LOCAL_FAMILY, WS_SOCK_STREAM, 0, &sock ), WSAESOCKTNOSUPPORT );
    assert_int_equal( raw_create( &raw, LOCAL_FAMILY, WS_SOCK_SEQPACKET, 6, &sock ), WSAEPROTONOSUPPORT );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_SEQPACKET, 0, &sock ), WSAESOCKTNOSUPPORT );
    assert_int_equal( new_socket( &raw, &sock ), 0 );
    assert_int_equal( new_socket( &raw, &other ), 0 );
    assert_int_equal( raw_slot( &raw, &sock )->protocol, LOCAL_PROTOCOL );
    assert_int_equal( raw_listen( &raw, &sock, 1 ), WSAEINVAL );
    assert_int_equal( raw_bind( &raw, &sock, &wrong, NULL ), WSAEFAULT );
    wrong = addr;
    wrong.len = 15;
    assert_int_equal( raw_bind( &raw, &sock, &wrong, NULL ), WSAEFAULT );
    assert_int_equal( raw_bind( &raw, &sock, &addr, &bound ), 0 );
    assert_memory_equal( &bound, &addr, sizeof(addr) );
    assert_int_equal( raw_bind( &raw, &sock, &addr, &bound ), WSAEINVAL );
    assert_int_equal( raw_bind( &raw, &other, &addr, &bound ), WSAEADDRINUSE );
    assert_int_equal( raw_connect( &raw, &other, &addr, NULL ), WSAECONNREFUSED );  /* bound is not listening */
    assert_int_equal( raw_listen( &raw, &sock, 1 ), 0 );
    assert_int_equal( raw_listen( &raw, &sock, 5 ), 0 );
    assert_int_equal( raw_shutdown( &raw, &sock, WS_SD_SEND ), WSAENOTCONN );
    assert_int_equal( raw_close_sock( &raw, &sock, 0, NULL ), 0 );
    assert_int_equal( raw_connect( &raw, &other, &addr, NULL ), WSAECONNREFUSED );
    assert_int_equal( new_socket( &raw, &sock ), 0 );
    assert_int_equal( raw_bind( &raw, &sock, &addr, &bound ), 0 );
    raw_close( &raw );
}

/* ---- connecting ---- */

static void test_connect( void **state )
{
    struct accept_reply reply;
    struct local_request request;
    u32 pending;

    open_listener( state );
    assert_int_equal( new_socket( &raw, &client ), 0 );
    assert_int_equal( say_connect( &raw, &client, &name, "caller", 6, &pending ), 0 );
    assert_int_equal( pending, 1 );
    assert_int_equal( say_connect( &raw, &client, &name, "", 0, &pending ), WSAEALREADY );
    assert_int_equal( poll_events( client.fd ), 0 );        /* neither readable nor writable */
    assert_true( raw_readable( listener.fd, 0 ) );
    assert_int_equal( raw_accept( &raw, &listener, &server, &reply ), 0 );
    assert_int_equal( raw_state( &raw, &server ), SOCKET_CONNECTING );
    assert_true( raw_flags( &raw, &server ) & SOCKET_ACCEPTED );
    assert_memory_equal( &reply.local, &name, sizeof(name) );
    assert_memory_equal( &reply.peer, &raw_slot( &raw, &client )->local, sizeof(name) );
    assert_int_equal( raw_connect_status( &raw, &client, &pending ), 0 );
    assert_int_equal( pending, 1 );
    assert_int_equal( poll_events( client.fd ), 0 );

    /* what the caller said is there to be read until it is answered */
    assert_int_equal( recv( server.fd, &request, sizeof(request), MSG_PEEK ), sizeof(request) );
    assert_int_equal( request.header.kind, LOCAL_REQUEST );
    assert_int_equal( request.header.length, 6 );
    assert_memory_equal( request.data, "caller", 6 );

    assert_int_equal( answer( &raw, &server, "callee" ), 0 );
    assert_true( RAW_WAIT( raw_state( &raw, &client ) == SOCKET_CONNECTED ) );
    assert_true( poll_events( client.fd ) & POLLOUT );
    assert_int_equal( raw_connect_status( &raw, &client, &pending ), 0 );
    assert_int_equal( pending, 0 );
    assert_int_equal( raw_state( &raw, &server ), SOCKET_CONNECTED );
    assert_true( raw_slot( &raw, &server )->peer_cookie == client.cookie );
    assert_true( raw_slot( &raw, &client )->peer_cookie == server.cookie );
    assert_memory_equal( &raw_slot( &raw, &client )->peer, &name, sizeof(name) );
    expect_data( &raw, &client, "callee" );
    expect_data( &raw, &server, "caller" );
    assert_int_equal( poll_events( client.fd ) & POLLIN, 0 );   /* the answer has been taken */
    assert_int_equal( poll_events( server.fd ) & POLLIN, 0 );
    assert_int_equal( answer( &raw, &server, "again" ), WSAEINVAL );
    send_message( client.fd, "one" );
    send_message( server.fd, "two" );
    expect_message( server.fd, LOCAL_MESSAGE, "one" );
    expect_message( client.fd, LOCAL_MESSAGE, "two" );
    raw_close( &raw );
}

static void test_refused( void **state )
{
    struct raw_sock sock;
    u32 pending, i;

    open_listener( state );
    /* closed instead of answered */
    open_asked( "" );
    assert_int_equal( raw_close_sock( &raw, &server, CLOSE_RESET, NULL ), 0 );
    assert_true( RAW_WAIT( raw_state( &raw, &client ) == SOCKET_FAILED ) );
    assert_int_equal( connect_status( &client ), WSAECONNREFUSED );
    assert_true( raw_flags( &raw, &client ) & SOCKET_SPENT );
    assert_int_equal( say_connect( &raw, &client, &name, "", 0, &pending ), WSAEINVAL );

    /* the caller gives up: before it is accepted, and after */
    assert_int_equal( new_socket( &raw, &sock ), 0 );
    assert_int_equal( say_connect( &raw, &sock, &name, "", 0, &pending ), 0 );
    assert_int_equal( raw_close_sock( &raw, &sock, 0, NULL ), 0 );
    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), WSAECONNRESET );
    open_asked( "" );
    assert_int_equal( raw_close_sock( &raw, &client, 0, NULL ), 0 );
    assert_int_equal( answer( &raw, &server, "" ), WSAECONNRESET );
    assert_int_equal( raw_close_sock( &raw, &server, CLOSE_RESET, NULL ), 0 );

    /* put back, and its listener ends */
    open_asked( "" );
    assert_int_equal( raw_defer( &raw, &listener, &server ), 0 );
    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
    assert_int_equal( raw_defer( &raw, &listener, &server ), 0 );
    assert_int_equal( new_socket( &raw, &sock ), 0 );
    assert_int_equal( say_connect( &raw, &sock, &name, "", 0, &pending ), 0 );
    assert_int_equal( raw_close_sock( &raw, &listener, 0, NULL ), 0 );
    assert_true( RAW_WAIT( raw_state( &raw, &client ) == SOCKET_FAILED && raw_state( &raw, &sock ) == SOCKET_FAILED ) );

    /* more than wait in line */
    open_listener( state );
    assert_int_equal( raw_listen( &raw, &listener, 1 ), 0 );
    for (i = 0; i < 8; i++)
    {
        assert_int_equal( new_socket( &raw, &sock ), 0 );
        if (say_connect( &raw, &sock, &name, "", 0, &pending ) == WSAECONNREFUSED) break;
    }
    assert_true( i > 0 && i < 8 );
    assert_int_equal( raw_flags( &raw, &sock ) & SOCKET_SPENT, 0 );
    raw_close( &raw );
}

static void test_renew( void **state )
{
    struct local_renew_request in;
    struct local_renew_reply out;
    u32 pending;
    int fd;

    open_listener( state );
    assert_int_equal( new_socket( &raw, &client ), 0 );
    in.socket = client.ref;
    assert_int_equal( raw_request( &raw, REQUEST_LOCAL_RENEW, &in, sizeof(in), -1, &out, sizeof(out), &fd ), WSAEINVAL );
    open_asked( "" );
    in.socket = client.ref;
    assert_int_equal( raw_request( &raw, REQUEST_LOCAL_RENEW, &in, sizeof(in), -1, &out, sizeof(out), &fd ), WSAEINVAL );
    raw_close_sock( &raw, &server, CLOSE_RESET, NULL );
    assert_int_equal( connect_status( &client ), WSAECONNREFUSED );
    assert_int_equal( raw_request( &raw, REQUEST_LOCAL_RENEW, &in, sizeof(in), -1, &out, sizeof(out), &fd ), 0 );
    assert_int_not_equal( fd, -1 );
    assert_true( out.cookie != client.cookie && raw_slot( &raw, &client )->cookie == out.cookie );
    close( client.fd );
    client.fd = fd;
    assert_int_equal( say_connect( &raw, &client, &name, "", 0, &pending ), 0 );
    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
    assert_int_equal( answer( &raw, &server, "" ), 0 );
    assert_true( RAW_WAIT( raw_state( &raw, &client ) == SOCKET_CONNECTED ) );
    assert_int_equal( raw_flags( &raw, &client ) & SOCKET_SPENT, 0 );
    raw_close( &raw );
}

/* ---- the end ---- */

static void test_disconnect( void **state )
{
    open_pair( state );
    send_message( client.fd, "last" );
    assert_int_equal( disconnect( &raw, &client, "bye" ), 0 );
    assert_true( raw_flags( &raw, &client ) & SOCKET_SEND_SHUTDOWN );
    assert_int_equal( disconnect( &raw, &client, "bye" ), WSAESHUTDOWN );
    assert_int_equal( raw_shutdown( &raw, &client, WS_SD_SEND ), 0 );
    expect_message( server.fd, LOCAL_MESSAGE, "last" );
    /* not data, so no reset */
    assert_int_equal( raw_shutdown( &raw, &server, WS_SD_RECEIVE ), 0 );
    raw_sleep( 50 );
    assert_int_equal( raw_flags( &raw, &server ) & SOCKET_RESET, 0 );
    assert_int_equal( raw_close_sock( &raw, &server, 0, NULL ), 0 );
    expect_end( client.fd );
    assert_int_equal( raw_flags( &raw, &client ) & SOCKET_RESET, 0 );
    raw_close( &raw );

    open_pair( state );
    assert_int_equal( raw_close_sock( &raw, &client, 0, NULL ), 0 );
    expect_end( server.fd );
    assert_int_equal( raw_flags( &raw, &server ) & SOCKET_RESET, 0 );
    raw_close( &raw );
}

static void test_full( void **state )
{
    static struct { struct local_header header; char data[LOCAL_MAX_MESSAGE]; } large = { { LOCAL_MESSAGE, LOCAL_MAX_MESSAGE }, { 0 } };
    u32 i;

    open_pair( state );
    while (send( client.fd, &large, sizeof(large), MSG_DONTWAIT ) == sizeof(large)) /* another */;
    assert_int_equal( errno, EAGAIN );
    assert_int_equal( disconnect( &raw, &client, "over" ), 0 );
    for (i = 0; recv( server.fd, &large, sizeof(large), MSG_DONTWAIT ) == sizeof(large); i++) assert_int_equal( large.header.kind, LOCAL_MESSAGE );
    assert_true( i >= 2 );
    assert_int_equal( large.header.kind, LOCAL_DISCONNECT );
    raw_close( &raw );
}

static int is_reset( const struct raw_sock *sock )
{
    return raw_flags( &raw, sock ) & SOCKET_RESET;
}

static void test_reset( void **state )
{
    u32 flags;

    /* {1,0}: told at once, and in line */
    open_pair( state );
    send_message( client.fd, "lost" );
    assert_int_equal( raw_set_option( &raw, &client, OPTION_LINGER_ONOFF, 1, 0 ), 0 );
    assert_int_equal( raw_close_sock( &raw, &client, 0, NULL ), 0 );
    assert_true( is_reset( &server ) );
    expect_message( server.fd, LOCAL_MESSAGE, "lost" );
    expect_message( server.fd, LOCAL_RESET, "" );
    raw_close( &raw );

    /* closed with something unread */
    open_pair( state );
    send_message( server.fd, "unread" );
    assert_int_equal( raw_close_sock( &raw, &client, 0, NULL ), 0 );
    assert_true( is_reset( &server ) );
    raw_close( &raw );

    /* data after the end of receiving */
    open_pair( state );
    assert_int_equal( raw_shutdown( &raw, &client, WS_SD_RECEIVE ), 0 );
    send_message( server.fd, "late" );
    assert_true( RAW_WAIT( is_reset( &client ) && is_reset( &server ) ) );
    assert_true( raw_flags( &raw, &client ) & SOCKET_ABORTED );
    assert_false( raw_flags( &raw, &server ) & SOCKET_ABORTED );
    assert_int_equal( disconnect( &raw, &server, "bye" ), WSAENOTCONN );
    raw_close( &raw );

    /* a message of a reset is looked for, a claim of one is not believed */
    open_pair( state );
    assert_int_equal( raw_note_reset( &raw, &client, &flags ), 0 );
    assert_int_equal( flags & SOCKET_RESET, 0 );
    assert_int_equal( send( server.fd, &(struct local_header){ LOCAL_RESET, 0 }, sizeof(struct local_header), 0 ), sizeof(struct local_header) );
    assert_int_equal( raw_note_reset( &raw, &client, &flags ), 0 );
    assert_int_not_equal( flags & SOCKET_RESET, 0 );
    raw_close( &raw );
}

/* ---- what no client of ours would say ---- */

static void test_hostile( void **state )
{
    struct raw_sock tcp, other;
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct local_header garbage = { 77, 0xffffffff };
    struct slot known;
    struct raw second;
    u32 pending, port;
    int fd, pair[2];

    open_listener( state );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &tcp ), 0 );
    assert_int_equal( new_socket( &raw, &other ), 0 );
    /* lengths, and sockets of another kind */
    assert_int_equal( say_connect( &raw, &other, &name, "", LOCAL_MAX_DATA + 1, &pending ), WSAEINVAL );
    assert_int_equal( say_connect( &raw, &other, &name, "", 0xffffffff, &pending ), WSAEINVAL );
    assert_int_equal( say_connect( &raw, &tcp, &name, "", 0, &pending ), WSAEOPNOTSUPP );
    assert_int_equal( say_data( &raw, REQUEST_LOCAL_ANSWER, &tcp, "", 0 ), WSAEINVAL );
    assert_int_equal( say_data( &raw, REQUEST_LOCAL_DISCONNECT, &tcp, "", 0 ), WSAEOPNOTSUPP );
    assert_int_equal( raw_backlog( &raw, &other, 1, STDIN_FILENO ), WSAEOPNOTSUPP );
    assert_int_equal( answer( &raw, &other, "" ), WSAEINVAL );
    assert_int_equal( answer( &raw, &listener, "" ), WSAEINVAL );
    assert_int_equal( disconnect( &raw, &other, "" ), WSAENOTCONN );
    open_asked( "" );
    assert_int_equal( say_data( &raw, REQUEST_LOCAL_ANSWER, &server, "", LOCAL_MAX_DATA + 1 ), WSAEINVAL );
    assert_int_equal( answer( &raw, &client, "" ), WSAEINVAL );     /* its own connect is not for it to decide */

    /* what another client holds */
    raw_open( &second );
    assert_int_equal( answer( &second, &server, "" ), WSAENOTSOCK );
    assert_int_equal( disconnect( &second, &server, "" ), WSAENOTSOCK );
    raw_close( &second );

    /* the acceptor takes the request away and says nothing: refused, not waited for */
    assert_true( recv( server.fd, &garbage, sizeof(garbage), 0 ) > 0 );
    assert_true( RAW_WAIT( raw_state( &raw, &client ) == SOCKET_FAILED ) );

    /* garbage instead of an answer, a message, a request */
    open_asked( "" );
    garbage = (struct local_header){ 77, 0xffffffff };
    assert_int_equal( send( server.fd, &garbage, sizeof(garbage), 0 ), sizeof(garbage) );
    assert_int_equal( connect_status( &client ), WSAECONNREFUSED );
    open_asked( "" );
    assert_int_equal( answer( &raw, &server, "" ), 0 );
    assert_true( RAW_WAIT( raw_state( &raw, &client ) == SOCKET_CONNECTED ) );
    assert_int_equal( send( server.fd, &garbage, 3, 0 ), 3 );
    assert_int_equal( raw_shutdown( &raw, &client, WS_SD_RECEIVE ), 0 );
    assert_true( RAW_WAIT( raw_flags( &raw, &client ) & SOCKET_RESET ) );
    memcpy( &port, name.data + 4, sizeof(port) );
    snprintf( addr.sun_path, sizeof(addr.sun_path), "%s/local.%u", raw_dir, port );
    assert_int_not_equal( fd = socket( AF_UNIX, SOCK_SEQPACKET, 0 ), -1 );
    assert_int_equal( connect( fd, (struct sockaddr *)&addr, sizeof(addr) ), 0 );
    assert_int_equal( send( fd, &garbage, sizeof(garbage), 0 ), sizeof(garbage) );
    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), WSAECONNRESET );
    close( fd );

    /* a connection that is none, and sockets that are none of ours */
    assert_int_equal( socketpair( AF_UNIX, SOCK_SEQPACKET, 0, pair ), 0 );
    assert_int_equal( raw_accept_fd( &raw, &listener, pair[0], &name, &server, NULL ), WSAECONNRESET );
    assert_int_equal( raw_accept_fd( &raw, &listener, tcp.fd, &name, &server, NULL ), WSAEINVAL );
    assert_int_equal( raw_adopt( &raw, pair[1], NULL, &server ), WSAENOTSOCK );
    known = *raw_slot( &raw, &client );
    assert_int_equal( raw_adopt( &raw, pair[1], &known, &server ), WSAEINVAL );     /* another cookie */
    raw_set_option( &raw, &client, OPTION_SNDBUF, 0, 0 );
    close( pair[0] );
    close( pair[1] );
    raw_close( &raw );
}

/* ---- helpers that die ---- */

static void kill_helper(void)
{
    assert_int_equal( kill( raw_helper, SIGKILL ), 0 );
    assert_true( RAW_WAIT( kill( raw_helper, 0 ) == -1 || !raw_helper_alive() ) );
}

/* a socket that is registered again */
static void again( struct raw *next, const struct slot *known, struct raw_sock *sock )
{
    struct raw_sock adopted;

    assert_int_equal( raw_adopt( next, sock->fd, known, &adopted ), 0 );
    *sock = adopted;
}

static void test_helper_dies( void **state )
{
    struct slot known_listener, known_client, known_server;
    struct address addr;
    struct raw next;

    /* with connects on their way: one accepted and not answered, one in the queue */
    open_listener( state );
    open_asked( "caller" );
    known_listener = *raw_slot( &raw, &listener );
    known_client = *raw_slot( &raw, &client );
    known_server = *raw_slot( &raw, &server );
    kill_helper();
    raw_open_again( &next, 3 );
    again( &next, &known_listener, &listener );
    again( &next, &known_client, &client );
    again( &next, &known_server, &server );
    raw_close( &raw );
    raw = next;
    assert_int_equal( raw_state( &raw, &client ), SOCKET_CONNECTING );
    assert_int_equal( raw_state( &raw, &server ), SOCKET_CONNECTING );
    addr = name;
    assert_int_equal( raw_bind( &raw, &server, &addr, NULL ), WSAEINVAL );
    assert_int_equal( answer( &raw, &server, "callee" ), 0 );
    assert_true( RAW_WAIT( raw_state( &raw, &client ) == SOCKET_CONNECTED ) );
    expect_data( &raw, &client, "callee" );
    expect_data( &raw, &server, "caller" );
    send_message( client.fd, "message" );
    assert_int_equal( disconnect( &raw, &client, "bye" ), 0 );

    /* connected and half closed: data, disconnect data and connect data are there */
    known_listener = *raw_slot( &raw, &listener );
    known_client = *raw_slot( &raw, &client );
    known_server = *raw_slot( &raw, &server );
    kill_helper();
    raw_open_again( &next, 3 );
    again( &next, &known_listener, &listener );
    again( &next, &known_client, &client );
    again( &next, &known_server, &server );
    raw_close( &raw );
    raw = next;
    expect_data( &raw, &client, "callee" );
    expect_data( &raw, &server, "caller" );
    assert_true( raw_flags( &raw, &client ) & SOCKET_SEND_SHUTDOWN );
    expect_message( server.fd, LOCAL_MESSAGE, "message" );
    expect_message( server.fd, LOCAL_DISCONNECT, "bye" );
    expect_end( server.fd );
    /* they know each other still */
    send_message( server.fd, "unread" );
    assert_int_equal( raw_close_sock( &raw, &client, 0, NULL ), 0 );
    assert_true( is_reset( &server ) );
    /* the listener, too */
    open_asked( "third" );
    assert_int_equal( answer( &raw, &server, "" ), 0 );
    assert_true( RAW_WAIT( raw_state( &raw, &client ) == SOCKET_CONNECTED ) );
    raw_close( &raw );
}

static int file_exists( const char *name )
{
    char path[128];

    snprintf( path, sizeof(path), "%s/%s", raw_dir, name );
    return !access( path, F_OK );
}

/* An orderly end leaves the files of listeners that go on, and those of nobody go with the last program. */
static void test_helper_ends( void **state )
{
    struct slot known;
    struct raw next;
    char file[32];
    u32 port;

    open_listener( state );
    memcpy( &port, name.data + 4, sizeof(port) );
    snprintf( file, sizeof(file), "local.%u", port );
    assert_true( file_exists( file ) );
    known = *raw_slot( &raw, &listener );
    assert_int_equal( kill( raw_helper, SIGTERM ), 0 );
    raw_wait_gone();
    assert_true( file_exists( file ) );
    raw_start( "1" );
    raw_open_again( &next, 1 );
    again( &next, &known, &listener );
    raw_close( &raw );
    raw = next;
    open_asked( "caller" );
    assert_int_equal( answer( &raw, &server, "" ), 0 );
    assert_int_equal( raw_close_sock( &raw, &listener, 0, NULL ), 0 );
    assert_false( file_exists( file ) );

    /* killed with a listener that ends meanwhile */
    assert_int_equal( new_socket( &raw, &listener ), 0 );
    assert_int_equal( raw_bind( &raw, &listener, &name, NULL ), 0 );
    assert_int_equal( raw_listen( &raw, &listener, 8 ), 0 );
    kill_helper();
    close( listener.fd );
    raw_close( &raw );
    raw_open( &raw );
    assert_true( file_exists( file ) );
    assert_int_equal( new_socket( &raw, &client ), 0 );
    assert_int_equal( raw_connect( &raw, &client, &name, NULL ), WSAECONNREFUSED );
    assert_int_equal( raw_close_sock( &raw, &client, 0, NULL ), 0 );
    raw_close( &raw );
    assert_true( RAW_WAIT( !file_exists( "control" ) ) );
    assert_true( RAW_WAIT( !file_exists( file ) ) );
}

int main(void)
{
    const struct CMUnitTest tests[] =
    {
        RAW_TEST( test_create ),
        RAW_TEST( test_connect ),
        RAW_TEST( test_refused ),
        RAW_TEST( test_renew ),
        RAW_TEST( test_disconnect ),
        RAW_TEST( test_full ),
        RAW_TEST( test_reset ),
        RAW_TEST( test_hostile ),
        RAW_TEST( test_helper_dies ),
        RAW_TEST( test_helper_ends ),
    };

    return cmocka_run_group_tests( tests, NULL, NULL );
}
