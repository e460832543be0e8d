/*
 * Connecting
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
#include <time.h>
#include <unistd.h>
#include <netinet/tcp.h>

#include "server.h"

#define CONNECT_CEILING_MS 21000    /* Windows sends three SYNs, after 3, 6 and 12 seconds it gives up */

static u32 connect_clock(void)
{
    struct timespec ts;

    clock_gettime( CLOCK_MONOTONIC, &ts );
    return ts.tv_sec ? ts.tv_sec : 1;
}

/* connect() that does not wait; 0 or errno */
static int connect_kernel( int fd, const union linux_address *addr, socklen_t len )
{
    int flags = fcntl( fd, F_GETFL ), ret;

    if (!(flags & O_NONBLOCK)) fcntl( fd, F_SETFL, flags | O_NONBLOCK );
    ret = connect( fd, &addr->sa, len ) ? errno : 0;
    if (!(flags & O_NONBLOCK)) fcntl( fd, F_SETFL, flags );
    return ret;
}

/* what Linux calls invalid is always the address: a link-local one without its scope */
static u32 connect_error( int err )
{
    return err == EINVAL ? WSAEADDRNOTAVAIL : error_from_errno( err );
}

static void connect_publish_local( struct sock *sock )
{
    union linux_address addr;

    const int known = (sock->pub.flags & SOCKET_ACCEPTED) && sock->pub.local.len;

    if (!known && !socket_is_local( sock ) && address_local( sock->fd, &addr ))
    {
        address_to_client( &addr, &sock->pub.local );
        bind_chosen( sock, address_port( &addr ) );
    }
    sock->pub.flags |= SOCKET_BOUND;
}

/* the connection is there, or was for a moment */
void connect_established( struct sock *sock )
{
    union linux_address addr;

    loop_cancel( &sock->timer );
    store_connect_end( sock );
    sock->pub.state = SOCKET_CONNECTED;
    sock->pub.error = 0;
    sock->pub.connect_time = connect_clock();
    if (!sock->pub.peer.len && address_peer( sock->fd, &addr )) address_to_client( &addr, &sock->pub.peer );
    connect_publish_local( sock );
    socket_publish( sock );
    socket_rewatch( sock );
}

/* The kernel socket is made as good as new, so that another connect, or listen, may follow. */
void connect_failed( struct sock *sock, u32 error )
{
    loop_cancel( &sock->timer );
    store_connect_end( sock );
    sock->pub.state = SOCKET_FAILED;
    sock->pub.error = error;
    sock->pub.peer.len = 0;
    socket_rewatch( sock );
    connect_publish_local( sock );      /* the port it is to keep */
    if (socket_is_local( sock )) local_disconnect( sock );
    else
    {
        socket_disconnect( sock->fd );
        socket_take_error( sock->fd );
        socket_rebind( sock );
        /* where the kernel had not come to choosing a port, that was done just now */
        connect_publish_local( sock );
    }
    socket_publish( sock );
}

/* How far is a connect that was started? Publishes what it finds. */
void connect_look( struct sock *sock )
{
    int err;

    if (sock->pub.state != SOCKET_CONNECTING) return;
    if (socket_is_local( sock ))
    {
        local_look( sock );
        return;
    }
    switch (socket_tcp_state( sock->fd ))
    {
    case TCP_SYN_SENT:
    case TCP_SYN_RECV:
        socket_rewatch( sock );
        return;
    case TCP_CLOSE:
        err = socket_take_error( sock->fd );
        if (err == ECONNRESET || err == EPIPE)
        {
            /* connected and reset before we looked: a failed connect has other errors */
            sock->pub.flags |= SOCKET_RESET;
            connect_established( sock );
        }
        else connect_failed( sock, err ? error_from_errno( err ) : WSAECONNREFUSED );
        return;
    default:
        connect_established( sock );
        return;
    }
}

/* a connect that a helper before this one started */
void connect_resume( struct sock *sock )
{
    const u64 now = loop_now(), when = store_connect_deadline( sock->pub.cookie );

    sock->stored_connect = when != 0;
    loop_timer( &sock->timer, !when ? CONNECT_CEILING_MS : when > now ? when - now : 0 );
    if (!when) store_connect( sock );
    connect_look( sock );
}

void connect_expired( struct sock *sock )
{
    connect_look( sock );
    if (sock->pub.flags & SOCKET_ACCEPTED) return;      /* local: not its own connect */
    if (sock->pub.state == SOCKET_CONNECTING) connect_failed( sock, WSAETIMEDOUT );
}

/* ---- streams ---- */

static u32 connect_stream_check( struct sock *sock, const union linux_address *addr )
{
    connect_look( sock );
    switch (sock->pub.state)
    {
    case SOCKET_LISTENING:  return WSAEINVAL;
    case SOCKET_CONNECTED:  return WSAEISCONN;
    case SOCKET_CONNECTING: return WSAEALREADY;
    }
    if (address_is_any( addr ) || !address_port( addr )) return WSAEADDRNOTAVAIL;
    return 0;
}

/* A connect is under way. */
void connect_begin( struct sock *sock )
{
    sock->pub.state = SOCKET_CONNECTING;
    sock->pub.error = 0;
    loop_timer( &sock->timer, CONNECT_CEILING_MS );
    /* over loopback all has happened inside connect() */
    connect_look( sock );
    if (sock->pub.state == SOCKET_CONNECTING)
    {
        store_connect( sock );
        connect_publish_local( sock );
        socket_publish( sock );
    }
}

static u32 connect_stream( struct sock *sock, const union linux_address *addr, socklen_t len )
{
    const int bound = sock->pub.flags & SOCKET_BOUND;
    u32 error;
    int err;

    if ((error = connect_stream_check( sock, addr ))) return error;

    sock->pub.flags &= ~(SOCKET_RESET | SOCKET_ABORTED);
    err = connect_kernel( sock->fd, addr, len );
    if (err == EISCONN) err = 0;        /* a Unix program that holds it too was quicker */
    if (err && err != EINPROGRESS && err != EALREADY && err != EINTR)
    {
        error = connect_error( err );
        /* of one's own address and the peer's all pairs are taken */
        if (err == EADDRNOTAVAIL && bound) error = WSAEADDRINUSE;
        connect_failed( sock, error );
        return error;
    }

    address_to_client( addr, &sock->pub.peer );
    connect_begin( sock );
    return sock->pub.state == SOCKET_FAILED ? sock->pub.error : 0;
}

/* ---- datagrams ---- */

/* The port is kept: on Windows a bound socket stays bound. */
static void connect_dissolve( struct sock *sock )
{
    if (sock->pub.state != SOCKET_CONNECTED) return;
    connect_publish_local( sock );
    socket_disconnect( sock->fd );
    sock->pub.state = SOCKET_OPEN;
    sock->pub.peer.len = 0;
    sock->pub.connect_time = 0;
    socket_rebind( sock );
    socket_publish( sock );
}

/* Windows lets a socket have a broadcast address for peer without SO_BROADCAST, only sending needs that. */
static int connect_broadcast( int fd, const union linux_address *addr, socklen_t len )
{
    int ret;

    if (socket_set_int( fd, SOL_SOCKET, SO_BROADCAST, 1 )) return EACCES;
    ret = connect( fd, &addr->sa, len ) ? errno : 0;
    socket_set_int( fd, SOL_SOCKET, SO_BROADCAST, 0 );
    return ret;
}

static u32 connect_datagram( struct sock *sock, const union linux_address *addr, socklen_t len )
{
    int err;

    if (address_is_any( addr ))
    {
        if (address_port( addr )) return WSAEADDRNOTAVAIL;
        connect_dissolve( sock );
        return 0;
    }
    /* Linux would keep the source address that fitted the old peer */
    connect_dissolve( sock );
    err = connect( sock->fd, &addr->sa, len ) ? errno : 0;
    if (err == EACCES && addr->sa.sa_family == AF_INET) err = connect_broadcast( sock->fd, addr, len );
    if (err) return connect_error( err );

    sock->pub.peer.len = 0;
    connect_established( sock );
    return 0;
}

/* ---- requests ---- */

/* AF_UNSPEC takes a datagram socket's peer away */
static int connect_is_unspec( const struct address *addr )
{
    u16 family;

    memcpy( &family, addr->data, sizeof(family) );
    return addr->len >= sizeof(family) && addr->len <= sizeof(addr->data) && family == WS_AF_UNSPEC;
}

u32 connect_request( struct request *req )
{
    const struct connect_request *in = req->in;
    struct connect_reply *out = req->out;
    union linux_address addr;
    struct sock *sock;
    socklen_t len;
    u32 error;

    if (!(sock = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    if (socket_is_local( sock ))
    {
        if ((error = local_connect( sock, &in->address, NULL, 0 ))) return error;
        out->pending = sock->pub.state == SOCKET_CONNECTING;
        return 0;
    }
    if (!socket_is_stream( sock ) && connect_is_unspec( &in->address ))
    {
        connect_dissolve( sock );
        return 0;
    }
    if ((error = address_from_client( &in->address, sock->pub.family, &addr, &len ))) return error;
    if ((error = address_check_scope( &addr ))) return error;
    if (!socket_is_stream( sock )) return connect_datagram( sock, &addr, len );

    if ((error = connect_stream( sock, &addr, len ))) return error;
    out->pending = sock->pub.state == SOCKET_CONNECTING;
    return 0;
}

u32 connect_status_request( struct request *req )
{
    const struct connect_status_request *in = req->in;
    struct connect_status_reply *out = req->out;
    struct sock *sock;

    if (!(sock = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    connect_look( sock );
    switch (sock->pub.state)
    {
    case SOCKET_CONNECTING: out->pending = 1; return 0;
    case SOCKET_CONNECTED:  return 0;
    case SOCKET_FAILED:     return sock->pub.error;
    default:                return WSAENOTCONN;
    }
}
