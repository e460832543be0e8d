/*
 * Binding and listening
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
#include <string.h>

#include "server.h"

/* what listen() takes: Windows cuts to its own limits, Linux to net.core.somaxconn */
#define LISTEN_MAX_BACKLOG 65535
#define LISTEN_MIN_HINT    200

/* A raw socket has no port, hence no place in the ledger. */
static u32 bind_raw( struct sock *sock, const union linux_address *addr, socklen_t len )
{
    if (!bind( sock->fd, &addr->sa, len )) return 0;
    return errno == EINVAL || errno == ENODEV ? WSAEADDRNOTAVAIL : error_from_errno( errno );
}

/* for the next helper: how the address is entered */
void bind_note( struct sock *sock )
{
    sock->pub.ledger = 0;
    if (!sock->port) return;
    sock->pub.ledger = LEDGER_ENTERED;
    if (address_is_any( ports_address( sock->port ) )) sock->pub.ledger |= LEDGER_WILD;
    if (ports_mode( sock->port ) == PORT_REUSE) sock->pub.ledger |= LEDGER_REUSE;
    if (ports_mode( sock->port ) == PORT_EXCLUSIVE) sock->pub.ledger |= LEDGER_EXCLUSIVE;
}

static u32 bind_port( struct sock *sock, const union linux_address *addr, socklen_t len )
{
    struct port_address want;
    u32 error;

    socket_port_address( sock, &want );
    want.addr = *addr;
    error = ports_bind( &want, len, option_port_mode( sock ), sock->fd, &sock->port );
    bind_note( sock );
    return error;
}

u32 bind_request( struct request *req )
{
    const struct bind_request *in = req->in;
    struct bind_reply *out = req->out;
    struct sock *sock;
    union linux_address addr;
    socklen_t len;
    u32 error;

    if (!(sock = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    if (socket_is_local( sock )) return local_bind_address( sock, &in->address, &out->address );
    if (address_from_client( &in->address, sock->pub.family, &addr, &len )) return WSAEFAULT;
    if (sock->pub.flags & SOCKET_BOUND) return WSAEINVAL;
    if (sock->pub.state != SOCKET_OPEN && sock->pub.state != SOCKET_FAILED) return WSAEINVAL;
    /* Linux binds to a group, Windows does not */
    if (address_is_multicast( &addr )) return WSAEADDRNOTAVAIL;
    if ((error = address_check_scope( &addr ))) return error;

    if (sock->pub.type == WS_SOCK_RAW) error = bind_raw( sock, &addr, len );
    else error = bind_port( sock, &addr, len );
    if (error) return error;

    if (address_local( sock->fd, &addr )) address_to_client( &addr, &sock->pub.local );
    sock->pub.flags |= SOCKET_BOUND;
    socket_publish( sock );
    out->address = sock->pub.local;
    return 0;
}

/* Windows binds a socket that connects without having been bound to the wildcard first, and so do the rules see it,
 * though the kernel has chosen port and address at once. Without memory it is only not entered. Nothing is done for
 * one that was bound before, accepted ones among them. */
void bind_chosen( struct sock *sock, u16 port )
{
    struct port_address addr;
    socklen_t len;

    if (sock->port || !port || sock->pub.type == WS_SOCK_RAW || (sock->pub.flags & SOCKET_ACCEPTED)) return;
    memset( &addr, 0, sizeof(addr) );
    addr.protocol = socket_is_stream( sock ) ? IPPROTO_TCP : IPPROTO_UDP;
    addr.dual = socket_is_dual( sock );
    address_make_any( sock->pub.family, port, &addr.addr, &len );
    sock->port = ports_enter( &addr, option_port_mode( sock ), sock->fd );
    bind_note( sock );
}

/* Negative is SOMAXCONN_HINT, of which Windows makes 200 at the least; a backlog of 0 takes one. */
static int listen_backlog( u32 value )
{
    int backlog = (int)value;

    if (backlog < 0) backlog = backlog < -LISTEN_MAX_BACKLOG ? LISTEN_MAX_BACKLOG : -backlog;
    if ((int)value < 0 && backlog < LISTEN_MIN_HINT) backlog = LISTEN_MIN_HINT;
    if (!backlog) return 1;
    return backlog > LISTEN_MAX_BACKLOG ? LISTEN_MAX_BACKLOG : backlog;
}

u32 listen_request( struct request *req )
{
    const struct listen_request *in = req->in;
    struct sock *sock;

    if (!(sock = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    if (!socket_is_stream( sock )) return WSAEOPNOTSUPP;
    if (sock->pub.state == SOCKET_CONNECTING) connect_look( sock );
    if (socket_is_local( sock )) return local_listen( sock, listen_backlog( in->backlog ) );
    if (sock->pub.state == SOCKET_CONNECTED) return WSAEISCONN;
    if (sock->pub.state == SOCKET_CONNECTING || !(sock->pub.flags & SOCKET_BOUND)) return WSAEINVAL;

    if (ports_listen( sock->port, sock->fd, listen_backlog( in->backlog ) )) return error_from_errno( errno );
    /* only accept() is done with it, and only by us: it must not wait for a connection that has gone */
    socket_nonblocking( sock->fd, 1 );
    sock->pub.state = SOCKET_LISTENING;
    sock->pub.error = 0;
    socket_publish( sock );
    return 0;
}
