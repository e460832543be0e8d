/*
 * The Unix library, function by function
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

#include "unix.h"

#include <poll.h>
#include <arpa/inet.h>

#define MANY 200                /* sockets: more than come at once, and more than are allocated at once */

static unsigned int adopt( int fd, struct unix_socket **socket )
{
    struct socket_adopt_params params = { .fd = fd };
    unsigned int error = unix_call( unix_socket_adopt, &params );

    *socket = params.socket;
    return error;
}

static unsigned int new_mailbox( struct mailbox_create_params *mailbox )
{
    return unix_call( unix_mailbox_create, mailbox );
}

static unsigned int create_with( uint64_t mailbox, struct unix_socket **socket )
{
    struct socket_create_params params = { .family = WS_AF_INET, .type = WS_SOCK_STREAM, .mailbox = mailbox };
    unsigned int error = unix_call( unix_socket_create, &params );

    *socket = params.socket;
    return error;
}

static unsigned int state_of( const struct unix_socket *socket )
{
    return __atomic_load_n( &__atomic_load_n( &socket->slot, __ATOMIC_ACQUIRE )->state, __ATOMIC_SEQ_CST );
}

/* a byte goes through */
static void check_pair( struct unix_socket *from, struct unix_socket *to )
{
    char byte = 'x';
    size_t count;

    assert_int_equal( unix_send_all( from, &byte, 1 ), 0 );
    byte = 0;
    assert_int_equal( unix_recv_wait( to, &byte, 1, &count ), 0 );
    assert_int_equal( count, 1 );
    assert_int_equal( byte, 'x' );
}

static void test_startup( void **state )
{
    struct startup_params params = { UNIXLIB_VERSION, "none" };

    (void)state;
    assert_int_equal( unix_call( unix_startup, &params ), 0 );
    assert_null( params.message );
    assert_int_equal( unix_call( unix_startup, &params ), 0 );

    /* a ws2_32.dll that was not renewed with the library is told so */
    params.version++;
    assert_int_equal( unix_call( unix_startup, &params ), WSAVERNOTSUPPORTED );
    assert_non_null( params.message );
}

/* quickly enough to get spares, and never the same one twice */
static void test_create( void **state )
{
    static struct unix_socket *sockets[MANY];
    struct socket_create_params bad = { .family = 99, .type = WS_SOCK_STREAM };
    int i, j, round;

    (void)state;
    for (round = 0; round < 2; round++)
    {
        for (i = 0; i < MANY; i++)
        {
            assert_int_equal( unix_create( i % 5 ? WS_SOCK_STREAM : WS_SOCK_DGRAM, &sockets[i] ), 0 );
            assert_int_not_equal( sockets[i]->fd, -1 );
            assert_int_equal( sockets[i]->refs, 1 );
            assert_int_equal( state_of( sockets[i] ), SOCKET_OPEN );
            assert_int_equal( sockets[i]->slot->type, i % 5 ? WS_SOCK_STREAM : WS_SOCK_DGRAM );
            for (j = 0; j < i; j++)
            {
                assert_ptr_not_equal( sockets[i], sockets[j] );
                assert_true( sockets[i]->cookie != sockets[j]->cookie );
                assert_ptr_not_equal( sockets[i]->pending, sockets[j]->pending );
            }
        }
        for (i = 0; i < MANY; i++) assert_int_equal( unix_close( sockets[i] ), 0 );
    }
    assert_int_equal( unix_call( unix_socket_create, &bad ), WSAEAFNOSUPPORT );
}

/* a handle's file brings its socket, once or again */
static void test_mailbox( void **state )
{
    struct mailbox_create_params first, second;
    struct unix_socket *socket, *same, *other;
    int i;

    (void)state;
    assert_int_equal( new_mailbox( &first ), 0 );
    assert_int_equal( new_mailbox( &second ), 0 );
    assert_true( first.mailbox && second.mailbox && first.mailbox != second.mailbox );
    assert_int_equal( create_with( first.mailbox, &socket ), 0 );
    assert_int_equal( unix_call( unix_mailbox_flush, NULL ), 0 );
    assert_int_equal( adopt( dup( first.fd ), &same ), 0 );
    assert_ptr_equal( same, socket );
    assert_int_equal( socket->refs, 2 );
    assert_int_equal( adopt( dup( second.fd ), &other ), WSAENOTSOCK );
    assert_null( other );

    /* one of those made for later, of which the helper hears with the flush */
    for (i = 0; i < 16; i++)
    {
        assert_int_equal( create_with( 0, &other ), 0 );
        if (other->unnamed) break;
        assert_int_equal( unix_close( other ), 0 );
    }
    assert_int_equal( unix_close( other ), 0 );
    assert_int_equal( create_with( second.mailbox, &other ), 0 );
    assert_int_equal( unix_call( unix_mailbox_flush, NULL ), 0 );
    assert_int_equal( other->unnamed, 0 );
    assert_int_equal( adopt( dup( second.fd ), &same ), 0 );
    assert_ptr_equal( same, other );

    for (i = 0; i < 2; i++)
    {
        assert_int_equal( unix_close( socket ), 0 );
        assert_int_equal( unix_close( other ), 0 );
    }
    /* they serve again */
    assert_int_equal( create_with( first.mailbox, &socket ), 0 );
    assert_int_equal( unix_call( unix_mailbox_flush, NULL ), 0 );
    assert_int_equal( adopt( dup( first.fd ), &same ), 0 );
    assert_ptr_equal( same, socket );
    for (i = 0; i < 2; i++) assert_int_equal( unix_close( socket ), 0 );
    close( first.fd );
    close( second.fd );
}

/* kernel sockets from anywhere, and what is none */
static void test_adopt( void **state )
{
    struct unix_socket *socket, *same;
    int fd, fds[2];

    (void)state;
    assert_int_equal( unix_create( WS_SOCK_STREAM, &socket ), 0 );
    assert_int_equal( adopt( dup( socket->fd ), &same ), 0 );
    assert_ptr_equal( same, socket );
    assert_int_equal( unix_close( socket ), 0 );
    assert_int_not_equal( socket->fd, -1 );
    assert_int_equal( unix_close( socket ), 0 );
    assert_int_equal( socket->fd, -1 );

    fd = socketpair( AF_UNIX, SOCK_STREAM, 0, fds );
    assert_int_equal( fd, 0 );
    assert_int_equal( adopt( fds[0], &socket ), WSAENOTSOCK );
    assert_null( socket );
    close( fds[1] );
    assert_int_equal( pipe( fds ), 0 );
    assert_int_equal( adopt( fds[0], &socket ), WSAENOTSOCK );
    assert_int_equal( write( fds[1], "", 1 ), -1 );     /* it was taken over and closed */
    close( fds[1] );
    assert_int_equal( adopt( -1, &socket ), WSAENOTSOCK );
}

static void test_stream( void **state )
{
    struct unix_socket *client, *server, *listener;
    struct WS_sockaddr_in addr, name, peer;
    struct getname_params get = { .addr = &name, .len = sizeof(name) };
    struct ioctl_params nread = { .code = UNIX_IOCTL_NREAD };
    struct unix_buf bufs[3];
    struct recv_params recv_params = { .bufs = bufs, .count = 3 };
    char buffer[16] = "";
    size_t count;

    (void)state;
    assert_int_equal( unix_listener( &listener, &addr ), 0 );
    assert_int_not_equal( addr.sin_port, 0 );
    assert_int_equal( state_of( listener ), SOCKET_LISTENING );
    assert_false( unix_wait( listener, UNIX_POLLIN, 0 ) );
    assert_int_equal( unix_create( WS_SOCK_STREAM, &client ), 0 );
    assert_int_equal( unix_connect_to( client, &addr ), 0 );
    assert_int_equal( state_of( client ), SOCKET_CONNECTED );
    assert_int_equal( unix_connect_to( client, &addr ), WSAEISCONN );
    assert_int_equal( unix_accept_from( listener, &server ), 0 );
    assert_true( unix_flags( server ) & SOCKET_ACCEPTED );

    get.socket = client;
    assert_int_equal( unix_call( unix_getpeername, &get ), 0 );
    assert_int_equal( name.sin_port, addr.sin_port );
    get.len = sizeof(name);
    assert_int_equal( unix_call( unix_getsockname, &get ), 0 );
    get.socket = server;
    get.addr = &peer;
    get.len = sizeof(peer);
    assert_int_equal( unix_call( unix_getpeername, &get ), 0 );
    assert_int_equal( get.len, sizeof(peer) );
    assert_int_equal( peer.sin_port, name.sin_port );

    assert_int_equal( unix_recv_once( server, buffer, sizeof(buffer), &count ), WSAEWOULDBLOCK );
    assert_int_equal( unix_send_all( client, "hello", 5 ), 0 );
    assert_true( unix_wait( server, UNIX_POLLIN, 5000 ) );
    nread.socket = server;
    assert_int_equal( unix_call( unix_ioctl, &nread ), 0 );
    assert_int_equal( nread.value, 5 );
    bufs[0] = (struct unix_buf){ 2, buffer };
    bufs[1] = (struct unix_buf){ 0, NULL };
    bufs[2] = (struct unix_buf){ sizeof(buffer) - 8, buffer + 8 };
    recv_params.socket = server;
    recv_params.skip = 1;
    assert_int_equal( unix_call( unix_recv, &recv_params ), 0 );
    assert_int_equal( recv_params.result, 5 );
    assert_memory_equal( buffer + 1, "h", 1 );
    assert_memory_equal( buffer + 8, "ello", 4 );

    assert_int_equal( unix_shut( client, SD_SEND ), 0 );
    assert_int_equal( unix_recv_wait( server, buffer, sizeof(buffer), &count ), 0 );
    assert_int_equal( count, 0 );
    check_pair( server, client );
    assert_int_equal( unix_close( client ), 0 );
    assert_int_equal( unix_close( server ), 0 );
    assert_int_equal( unix_close( listener ), 0 );
}

/* nobody listens; afterwards the socket may try again */
static void test_refused( void **state )
{
    struct unix_socket *listener, *client, *server;
    struct WS_sockaddr_in addr;

    (void)state;
    assert_int_equal( unix_listener( &listener, &addr ), 0 );
    assert_int_equal( unix_close( listener ), 0 );
    assert_int_equal( unix_create( WS_SOCK_STREAM, &client ), 0 );
    assert_int_equal( unix_connect_to( client, &addr ), WSAECONNREFUSED );
    assert_int_equal( state_of( client ), SOCKET_FAILED );
    assert_int_equal( unix_listener( &listener, &addr ), 0 );
    assert_int_equal( unix_connect_to( client, &addr ), 0 );
    assert_int_equal( unix_accept_from( listener, &server ), 0 );
    check_pair( client, server );
    assert_int_equal( unix_close( server ), 0 );
    assert_int_equal( unix_close( client ), 0 );
    assert_int_equal( unix_close( listener ), 0 );
}

static void test_datagram( void **state )
{
    struct WS_sockaddr_in addr = unix_loopback( 0 ), other = addr, from;
    struct unix_buf buf = { 5, (char *)"hello" };
    struct send_params send_params = { .bufs = &buf, .count = 1, .addr = &addr, .addr_len = sizeof(addr) };
    struct recv_params recv_params = { .count = 1, .addr = &from, .addr_len = sizeof(from) };
    struct unix_socket *a, *b;
    char tiny[3], byte;
    struct unix_buf room = { sizeof(tiny), tiny };
    size_t count;

    (void)state;
    assert_int_equal( unix_create( WS_SOCK_DGRAM, &a ), 0 );
    assert_int_equal( unix_create( WS_SOCK_DGRAM, &b ), 0 );
    assert_int_equal( unix_bind( a, &addr ), 0 );
    assert_int_equal( unix_bind( a, &addr ), WSAEINVAL );
    assert_int_equal( unix_bind( b, &other ), 0 );
    send_params.socket = b;
    assert_int_equal( unix_call( unix_send, &send_params ), 0 );
    assert_int_equal( send_params.result, 5 );
    assert_true( unix_wait( a, UNIX_POLLIN, 5000 ) );
    recv_params.socket = a;
    recv_params.bufs = &room;
    assert_int_equal( unix_call( unix_recv, &recv_params ), 0 );
    assert_int_equal( recv_params.result, 3 );
    assert_true( recv_params.result_flags & UNIX_MSG_TRUNC );
    assert_memory_equal( tiny, "hel", 3 );
    assert_int_equal( from.sin_port, other.sin_port );

    /* nobody there: the send does not fail, a receive does if it is wanted */
    assert_int_equal( unix_option( b, OPTION_UDP_CONNRESET, 1, 0 ), 0 );
    assert_int_equal( unix_close( a ), 0 );
    assert_int_equal( unix_call( unix_send, &send_params ), 0 );
    assert_true( unix_wait( b, UNIX_POLLIN, 5000 ) );
    assert_int_equal( unix_recv_once( b, &byte, 1, &count ), WSAECONNRESET );
    assert_int_equal( unix_recv_once( b, &byte, 1, &count ), WSAEWOULDBLOCK );
    assert_int_equal( unix_close( b ), 0 );
}

static void test_options( void **state )
{
    struct unix_socket *socket;
    int value = 1;
    struct setsockopt_params set = { .level = WS_IPPROTO_TCP, .name = WS_TCP_NODELAY, .value = &value, .len = sizeof(value) };
    struct getsockopt_params get = { .level = WS_IPPROTO_TCP, .name = WS_TCP_NODELAY, .value = &value, .len = sizeof(value) };

    (void)state;
    assert_int_equal( unix_create( WS_SOCK_STREAM, &socket ), 0 );
    assert_int_equal( unix_option( socket, OPTION_NONBLOCKING, 1, 0 ), 0 );
    assert_true( unix_flags( socket ) & SOCKET_NONBLOCKING );
    assert_int_equal( unix_option( socket, OPTION_LINGER_ONOFF, 1, 0 ), 0 );
    assert_int_equal( socket->slot->options[OPTION_LINGER_ONOFF], 1 );
    assert_int_equal( unix_option( socket, OPTION_COUNT, 1, 0 ), WSAEINVAL );
    set.socket = get.socket = socket;
    assert_int_equal( unix_call( unix_setsockopt, &set ), 0 );
    value = 0;
    assert_int_equal( unix_call( unix_getsockopt, &get ), 0 );
    assert_int_equal( value, 1 );
    assert_int_equal( unix_close( socket ), 0 );
}

static void test_names( void **state )
{
    char name[UNIX_MAX_NAME], canon[UNIX_MAX_NAME];
    struct gethostname_params host = { name, sizeof(name) };
    struct address addrs[8];
    struct getaddrinfo_params info = { .name = "localhost", .family = WS_AF_INET, .addrs = addrs, .max = 8, .canon = canon };
    struct WS_sockaddr_in *addr = (struct WS_sockaddr_in *)addrs[0].data;
    struct getproto_params proto = { .name = "tcp" };
    char strings[512];

    (void)state;
    assert_int_equal( unix_call( unix_gethostname, &host ), 0 );
    assert_int_not_equal( strlen( name ), 0 );
    host.size = 1;
    assert_int_equal( unix_call( unix_gethostname, &host ), WSAEFAULT );
    assert_int_equal( unix_call( unix_getaddrinfo, &info ), 0 );
    assert_true( info.count >= 1 );
    assert_int_equal( addr->sin_addr.WS_s_addr, htonl( 0x7f000001 ) );
    proto.strings.buffer = strings;
    proto.strings.size = sizeof(strings);
    assert_int_equal( unix_call( unix_getproto, &proto ), 0 );
    assert_int_equal( proto.number, 6 );
}

static void test_event( void **state )
{
    struct unix_pollfd fds[1];
    struct event_create_params event = { -1 };
    struct event_signal_params signal_params;
    struct close_fd_params close_params;
    struct poll_params poll_params = { fds, 0, -1, 20000000, 0, 0 };

    (void)state;
    assert_int_equal( unix_call( unix_event_create, &event ), 0 );
    poll_params.wake_fd = signal_params.fd = close_params.fd = event.fd;
    assert_int_equal( unix_call( unix_poll, &poll_params ), 0 );
    assert_false( poll_params.woken );
    assert_int_equal( unix_call( unix_event_signal, &signal_params ), 0 );
    assert_int_equal( unix_call( unix_event_signal, &signal_params ), 0 );
    poll_params.timeout = -1;
    assert_int_equal( unix_call( unix_poll, &poll_params ), 0 );
    assert_true( poll_params.woken );
    assert_int_equal( poll_params.ready, 0 );
    poll_params.timeout = 0;
    assert_int_equal( unix_call( unix_poll, &poll_params ), 0 );
    assert_false( poll_params.woken );
    assert_int_equal( unix_call( unix_close_fd, &close_params ), 0 );
}

/* a connection put back comes again */
static void test_defer( void **state )
{
    struct unix_socket *listener, *client, *server;
    struct WS_sockaddr_in addr;
    struct socket_defer_params defer;

    (void)state;
    assert_int_equal( unix_listener( &listener, &addr ), 0 );
    assert_int_equal( unix_create( WS_SOCK_STREAM, &client ), 0 );
    assert_int_equal( unix_connect_to( client, &addr ), 0 );
    assert_int_equal( unix_accept_from( listener, &server ), 0 );
    defer.listener = listener;
    defer.socket = server;
    assert_int_equal( unix_call( unix_socket_defer, &defer ), 0 );
    assert_true( unix_flags( listener ) & SOCKET_DEFERRED );
    assert_int_equal( unix_accept_from( listener, &server ), 0 );
    assert_false( unix_flags( listener ) & SOCKET_DEFERRED );
    check_pair( client, server );
    assert_int_equal( unix_close( server ), 0 );
    assert_int_equal( unix_close( client ), 0 );
    assert_int_equal( unix_close( listener ), 0 );
}

static int poll_in( int fd )
{
    struct pollfd poll_fd = { fd, POLLIN, 0 };

    return poll( &poll_fd, 1, 0 ) == 1;
}

/* what one waits for shows connections in the queue and those put back, and does so with the next helper */
static void test_watch_accept( void **state )
{
    struct unix_socket *listener, *client, *server;
    struct WS_sockaddr_in addr;
    struct socket_defer_params defer;
    struct socket_params watch;
    int i, watched;

    (void)state;
    assert_int_equal( unix_listener( &listener, &addr ), 0 );
    watch.socket = defer.listener = listener;
    assert_int_equal( listener->accept_fd, -1 );
    assert_int_equal( unix_call( unix_socket_watch_accept, &watch ), 0 );
    assert_int_not_equal( watched = listener->accept_fd, -1 );
    assert_int_equal( unix_call( unix_socket_watch_accept, &watch ), 0 );
    for (i = 0; i < 3; i++)
    {
        assert_int_equal( listener->accept_fd, watched );
        assert_false( poll_in( watched ) );
        assert_int_equal( unix_create( WS_SOCK_STREAM, &client ), 0 );
        assert_int_equal( unix_connect_to( client, &addr ), 0 );
        assert_true( poll_in( watched ) );
        assert_int_equal( unix_accept_from( listener, &server ), 0 );
        assert_false( poll_in( watched ) );
        defer.socket = server;
        assert_int_equal( unix_call( unix_socket_defer, &defer ), 0 );
        assert_true( poll_in( watched ) );
        assert_false( poll_in( listener->fd ) );
        assert_int_equal( unix_accept_from( listener, &server ), 0 );
        assert_false( poll_in( watched ) );
        assert_int_equal( unix_close( server ), 0 );
        assert_int_equal( unix_close( client ), 0 );
        if (i == 2) break;
        assert_true( unix_kill_helper() );
        assert_int_equal( unix_option( listener, OPTION_DEBUG, 1, 0 ), 0 );
    }
    assert_int_equal( unix_close( listener ), 0 );
    assert_int_equal( listener->accept_fd, -1 );
}

/* ---- the backlog ---- */

#define BACKLOG_SIZE ((size_t)12 << 20)

/* what stands at a place of the stream; prime, so that nothing that is cut out goes unnoticed */
static char expected_byte( size_t pos )
{
    return pos % 251;
}

/* Sends all without waiting, the rest by the helper. */
static char *send_big( struct unix_socket *socket )
{
    char *data = malloc( BACKLOG_SIZE );
    struct unix_buf bufs[2] = { { 1000, data }, { BACKLOG_SIZE - 1000, data + 1000 } };
    struct send_params params = { .socket = socket, .bufs = bufs, .count = 2 };
    struct send_backlog_params rest = { .socket = socket, .bufs = bufs, .count = 2 };
    unsigned int error;
    size_t i;

    assert_non_null( data );
    for (i = 0; i < BACKLOG_SIZE; i++) data[i] = expected_byte( i );
    while (!(error = unix_call( unix_send, &params ))) params.skip += params.result;
    assert_int_equal( error, WSAEWOULDBLOCK );
    assert_in_range( params.skip, 1, BACKLOG_SIZE - (1 << 20) );
    rest.skip = params.skip;
    assert_int_equal( unix_call( unix_send_backlog, &rest ), 0 );
    assert_true( unix_flags( socket ) & SOCKET_BACKLOGGED );
    assert_int_equal( unix_call( unix_send_backlog, &rest ), WSAEWOULDBLOCK );
    return data;
}

/* to the end; kills the helper at these places */
static void receive_big( struct unix_socket *socket, struct unix_socket *sender, int kills )
{
    char *buffer = malloc( 1 << 16 );
    size_t count, i, pos = 0;
    int killed = 0;

    assert_non_null( buffer );
    for (;;)
    {
        assert_int_equal( unix_recv_wait( socket, buffer, 1 << 16, &count ), 0 );
        if (!count) break;
        for (i = 0; i < count; i++)
            if (buffer[i] != expected_byte( pos + i )) fail_msg( "wrong byte at %zu", pos + i );
        pos += count;
        if (killed >= kills || pos < BACKLOG_SIZE / (kills + 1) * (killed + 1)) continue;
        assert_true( unix_kill_helper() );
        killed++;
        /* the next call of anyone brings the next helper */
        assert_int_equal( unix_option( sender, OPTION_DEBUG, killed & 1, 0 ), 0 );
    }
    assert_int_equal( pos, BACKLOG_SIZE );
    free( buffer );
}

static void backlog_with_kills( int kills )
{
    struct unix_socket *client, *server;
    struct socket_watch_backlog_params watch;
    struct close_fd_params close_params;
    char *data;

    assert_int_equal( unix_pair( &client, &server ), 0 );
    data = send_big( client );
    watch.socket = client;
    assert_int_equal( unix_call( unix_socket_watch_backlog, &watch ), 0 );
    assert_int_not_equal( watch.wait_fd, -1 );
    assert_int_equal( unix_shut( client, SD_SEND ), 0 );
    receive_big( server, client, kills );
    assert_false( unix_flags( client ) & SOCKET_BACKLOGGED );
    close_params.fd = watch.wait_fd;
    assert_int_equal( unix_call( unix_close_fd, &close_params ), 0 );
    watch.wait_fd = 0;
    assert_int_equal( unix_call( unix_socket_watch_backlog, &watch ), 0 );
    assert_int_equal( watch.wait_fd, -1 );
    check_pair( server, client );
    assert_int_equal( unix_close( client ), 0 );
    assert_int_equal( unix_close( server ), 0 );
    free( data );
}

static void test_backlog( void **state )
{
    (void)state;
    backlog_with_kills( 0 );
}

static void test_backlog_survives( void **state )
{
    (void)state;
    backlog_with_kills( 3 );
}

/* ---- the helper dies ---- */

/* Closing a connection asks for no answer, and brings no helper back: another call does. */
static void kill_helper( struct unix_socket *any )
{
    assert_int_equal( unix_option( any, OPTION_DEBUG, 1, 0 ), 0 );
    assert_true( unix_kill_helper() );
}

static void test_helper_dies( void **state )
{
    struct unix_socket *listener, *client, *server, *bound, *later, *same;
    struct WS_sockaddr_in addr, bound_addr = unix_loopback( 0 ), name;
    struct mailbox_create_params mailbox;
    struct getname_params get = { .addr = &name, .len = sizeof(name) };

    (void)state;
    assert_int_equal( unix_listener( &listener, &addr ), 0 );
    assert_int_equal( unix_pair( &client, &server ), 0 );
    assert_int_equal( new_mailbox( &mailbox ), 0 );
    assert_int_equal( create_with( mailbox.mailbox, &bound ), 0 );
    assert_int_equal( unix_bind( bound, &bound_addr ), 0 );
    assert_int_equal( unix_option( bound, OPTION_LINGER_ONOFF, 1, 7 ), 0 );
    assert_int_equal( unix_option( client, OPTION_NONBLOCKING, 1, 0 ), 0 );

    kill_helper( listener );
    check_pair( client, server );
    assert_int_equal( unix_create( WS_SOCK_STREAM, &later ), 0 );
    check_pair( server, client );
    assert_int_equal( state_of( listener ), SOCKET_LISTENING );
    assert_int_equal( state_of( client ), SOCKET_CONNECTED );
    assert_true( unix_flags( client ) & SOCKET_NONBLOCKING );
    assert_true( unix_flags( server ) & SOCKET_ACCEPTED );
    assert_int_equal( bound->slot->options[OPTION_LINGER_TIME], 7 );

    /* each call may be the one that notices */
    kill_helper( listener );
    assert_int_equal( unix_connect_to( later, &addr ), 0 );
    kill_helper( listener );
    assert_int_equal( unix_accept_from( listener, &same ), 0 );
    check_pair( later, same );
    kill_helper( listener );
    assert_int_equal( unix_close( same ), 0 );
    assert_int_equal( unix_close( later ), 0 );
    kill_helper( listener );
    assert_int_equal( unix_bind( bound, &bound_addr ), WSAEINVAL );
    get.socket = bound;
    assert_int_equal( unix_call( unix_getsockname, &get ), 0 );
    assert_int_equal( name.sin_port, bound_addr.sin_port );
    kill_helper( listener );
    assert_int_equal( adopt( dup( mailbox.fd ), &same ), 0 );
    assert_ptr_equal( same, bound );
    assert_int_equal( unix_close( same ), 0 );
    kill_helper( listener );
    assert_int_equal( unix_shut( client, SD_SEND ), 0 );
    assert_int_equal( unix_close( bound ), 0 );
    assert_int_equal( unix_close( client ), 0 );
    kill_helper( listener );
    assert_int_equal( unix_close( listener ), 0 );
    assert_int_equal( unix_close( server ), 0 );
    close( mailbox.fd );
}

/* A receive that waits when the helper is replaced still counts for what follows, and no more when it has ended. */
static void test_waits_while_helper_dies( void **state )
{
    struct unix_socket *client, *server, *others[8];
    volatile unsigned int *pending;
    struct socket_params arm;
    char byte;
    size_t count;
    int i;

    (void)state;
    /* others that are there before, and go: the next helper has other slots */
    for (i = 0; i < 8; i++) assert_int_equal( unix_create( WS_SOCK_DGRAM, &others[i] ), 0 );
    assert_int_equal( unix_pair( &client, &server ), 0 );
    for (i = 0; i < 8; i++) assert_int_equal( unix_close( others[i] ), 0 );
    arm.socket = server;

    pending = __atomic_load_n( &server->pending, __ATOMIC_ACQUIRE );
    assert_int_equal( __atomic_add_fetch( pending, 1, __ATOMIC_SEQ_CST ), 1 );
    assert_true( unix_kill_helper() );
    assert_int_equal( unix_shut( server, SD_RECEIVE ), 0 );
    assert_int_equal( unix_send_all( client, "x", 1 ), 0 );
    assert_true( unix_wait( server, UNIX_POLLIN, 5000 ) );
    assert_true( unix_kill_helper() );
    assert_int_equal( unix_call( unix_socket_arm, &arm ), 0 );  /* too early: it still waits */
    unix_sleep( 50 );
    assert_false( unix_flags( server ) & SOCKET_RESET );
    assert_int_equal( unix_recv_once( server, &byte, 1, &count ), 0 );
    assert_int_equal( count, 1 );
    assert_int_equal( __atomic_sub_fetch( pending, 1, __ATOMIC_SEQ_CST ), 0 );
    assert_int_equal( unix_call( unix_socket_arm, &arm ), 0 );
    assert_false( unix_flags( server ) & SOCKET_RESET );
    assert_int_equal( unix_send_all( client, "y", 1 ), 0 );
    for (i = 0; i < 500 && !(unix_flags( server ) & SOCKET_RESET); i++) unix_sleep( 10 );
    assert_true( unix_flags( server ) & SOCKET_RESET );
    assert_int_equal( unix_close( client ), 0 );
    assert_int_equal( unix_close( server ), 0 );
}

static int begin( void **state )
{
    (void)state;
    unix_begin( 25 );
    return 0;
}

static int end( void **state )
{
    (void)state;
    unix_end();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] =
    {
        cmocka_unit_test( test_startup ),
        cmocka_unit_test( test_create ),
        cmocka_unit_test( test_mailbox ),
        cmocka_unit_test( test_adopt ),
        cmocka_unit_test( test_stream ),
        cmocka_unit_test( test_refused ),
        cmocka_unit_test( test_datagram ),
        cmocka_unit_test( test_options ),
        cmocka_unit_test( test_names ),
        cmocka_unit_test( test_event ),
        cmocka_unit_test( test_defer ),
        cmocka_unit_test( test_watch_accept ),
        cmocka_unit_test( test_backlog ),
        cmocka_unit_test( test_helper_dies ),
        cmocka_unit_test( test_waits_while_helper_dies ),
        cmocka_unit_test( test_backlog_survives )
    };

    return cmocka_run_group_tests( tests, begin, end );
}
