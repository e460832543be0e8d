/*
 * Accepting, and connections put back
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
#include <unistd.h>

#include "server.h"

/* as many dead connections are passed over in one call: more wait for the next */
#define ACCEPT_TRIES 64

/* is there a connection put back? */
static void accept_show_deferred( struct sock *listener )
{
    if (list_empty( &listener->deferred )) listener->pub.flags &= ~SOCKET_DEFERRED;
    else listener->pub.flags |= SOCKET_DEFERRED;
    socket_publish( listener );
}

/* The next connection of the kernel's queue: a fd, or -1 with errno. Those that ended while they
 * waited are passed over: Windows does not show them. */
static int accept_kernel( struct sock *listener, union linux_address *peer )
{
    socklen_t len;
    int i, fd;

    /* others hold the open file too, and may have cleared it */
    socket_nonblocking( listener->fd, 1 );
    for (i = 0; i < ACCEPT_TRIES; i++)
    {
        len = sizeof(*peer);
        if ((fd = accept4( listener->fd, &peer->sa, &len, SOCK_CLOEXEC )) != -1) return fd;
        switch (errno)
        {
        case ECONNABORTED:
        case EPROTO:
        case ENETDOWN:
        case ENOPROTOOPT:
        case EHOSTDOWN:
        case ENONET:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case EPERM:
            break;
        default:
            return -1;
        }
    }
    errno = EAGAIN;
    return -1;
}

/* what the listener was told holds for the connection; what the kernel knows of it, it has copied itself */
static void accept_inherit( struct sock *sock, const struct sock *listener )
{
    memcpy( sock->pub.options, listener->pub.options, sizeof(sock->pub.options) );
    sock->pub.options[OPTION_ERROR] = 0;
    sock->pub.flags = SOCKET_ACCEPTED | (listener->pub.flags & SOCKET_NONBLOCKING);
    sock->listener = socket_ref( listener );
    /* an exclusive port stays taken until its connections have ended */
    if (listener->port && ports_mode( listener->port ) == PORT_EXCLUSIVE) sock->port = ports_share( listener->port );
}

static u32 accept_new( struct sock *listener, struct sock **ret )
{
    union linux_address peer;
    struct sock *sock;
    u32 error;
    int fd;

    if ((fd = accept_kernel( listener, &peer )) == -1) return error_from_errno( errno );
    if (!(sock = socket_new( fd, listener->pub.family, WS_SOCK_STREAM, listener->pub.protocol )))
    {
        error = error_from_errno( errno );
        socket_disconnect( fd );
        close( fd );
        return error;
    }
    accept_inherit( sock, listener );
    address_to_client( &peer, &sock->pub.peer );
    connect_established( sock );
    *ret = sock;
    return 0;
}

static struct sock *accept_deferred( struct sock *listener )
{
    struct list *entry = list_head( &listener->deferred );

    if (!entry) return NULL;
    list_remove( entry );
    accept_show_deferred( listener );
    return CONTAINER_OF( entry, struct sock, deferred_entry );
}

u32 accept_request( struct request *req )
{
    const struct accept_request *in = req->in;
    struct accept_reply *out = req->out;
    struct sock *listener, *sock;
    u32 error;

    if (!(listener = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    if (!socket_is_stream( listener )) return WSAEOPNOTSUPP;
    if (listener->pub.state != SOCKET_LISTENING) return WSAEINVAL;
    if ((error = client_room( req->client ))) return error;

    if (!(sock = accept_deferred( listener )) && (error = accept_new( listener, &sock ))) return error;
    if ((error = mailbox_bind( req->client, in->mailbox, sock )) || (error = client_hold( req->client, sock, in->counter )))
    {
        socket_reset( sock, SOCKET_ABORTED );
        socket_end( sock );
        return error;
    }
    out->socket = socket_ref( sock );
    out->cookie = sock->pub.cookie;
    out->peer = sock->pub.peer;
    out->local = sock->pub.local;
    req->reply_fd = sock->fd;
    return 0;
}

/* WSAEINVAL: not that listener's, or somebody else holds the connection too */
u32 defer_request( struct request *req )
{
    const struct defer_request *in = req->in;
    struct sock *listener, *sock;

    if (!(listener = client_sock( req->client, &in->listener ))) return WSAENOTSOCK;
    if (!(sock = client_sock( req->client, &in->connection ))) return WSAENOTSOCK;
    if (listener->pub.state != SOCKET_LISTENING || socket_by_ref( &sock->listener ) != listener) return WSAEINVAL;
    if (sock->holds.next != sock->holds.prev) return WSAEINVAL;

    client_forget( req->client, sock );
    mailbox_unbind( sock );
    list_add_head( &listener->deferred, &sock->deferred_entry );
    accept_show_deferred( listener );
    return 0;
}

/* Somebody kept a connection that was put back, and says so: it is not the listener's any more. */
void accept_keep( struct sock *sock )
{
    struct sock *listener;

    if (list_empty( &sock->deferred_entry )) return;
    list_remove( &sock->deferred_entry );
    if ((listener = socket_by_ref( &sock->listener ))) accept_show_deferred( listener );
}

/* the listener ends: what was put back has nowhere to go */
void accept_end( struct sock *listener )
{
    struct list *entry;
    struct sock *sock;

    while ((entry = list_head( &listener->deferred )))
    {
        sock = CONTAINER_OF( entry, struct sock, deferred_entry );
        socket_reset( sock, SOCKET_ABORTED );
        socket_end( sock );     /* takes it off the list */
    }
}
