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
#include <sys/eventfd.h>

#include "server.h"

static u32 accept_count;        /* connections so far */

/* is there a connection put back? The flag comes before the event, so that whoever is woken sees it. */
static void accept_show_deferred( struct sock *listener )
{
    const int none = list_empty( &listener->deferred );
    eventfd_t value;

    if (none) listener->pub.flags &= ~SOCKET_DEFERRED;
    else listener->pub.flags |= SOCKET_DEFERRED;
    socket_publish( listener );
    if (listener->deferred_event == -1) return;
    if (none) eventfd_read( listener->deferred_event, &value );
    else eventfd_write( listener->deferred_event, 1 );
}

/* what the listener was told holds for the connection; what the kernel knows of it, it has copied itself */
static void accept_inherit( struct sock *sock, const struct sock *listener )
{
    memcpy( sock->pub.options, listener->pub.options, sizeof(sock->pub.options) );
    sock->pub.options[OPTION_ERROR] = 0;
    sock->pub.flags = SOCKET_ACCEPTED | (listener->pub.flags & SOCKET_NONBLOCKING);
    sock->listener = socket_ref( listener );
    sock->listener_cookie = listener->pub.cookie;
    sock->pub.accepted_as = ++accept_count;
    /* an exclusive port stays taken until its connections have ended */
    if (listener->port && ports_mode( listener->port ) == PORT_EXCLUSIVE) sock->port = ports_share( listener->port );
    bind_note( sock );
}

/* a local one: what it says itself decides (local_accepted) */
static int accept_fits_local( int fd )
{
    int domain, type;

    if (socket_get_int( fd, SOL_SOCKET, SO_DOMAIN, &domain ) || domain != AF_UNIX) return 0;
    return !socket_get_int( fd, SOL_SOCKET, SO_TYPE, &type ) && type == SOCK_SEQPACKET;
}

static int accept_fits_tcp( const struct sock *listener, int fd, struct address *local )
{
    union linux_address addr;
    int protocol;
    u16 port;

    memcpy( &port, listener->pub.local.data + 2, sizeof(port) );
    if (!address_local( fd, &addr ) || addr.sa.sa_family != (listener->pub.family == WS_AF_INET6 ? AF_INET6 : AF_INET)) return 0;
    if (address_port( &addr ) != ntohs( port )) return 0;
    address_to_client( &addr, local );
    return !socket_get_int( fd, SOL_SOCKET, SO_PROTOCOL, &protocol ) && protocol == IPPROTO_TCP;
}

/* Is that a connection that this listener may have had? Nobody else is hurt where it is not. */
static int accept_fits( const struct sock *listener, int fd, struct address *local )
{
    return socket_is_local( listener ) ? accept_fits_local( fd ) : accept_fits_tcp( listener, fd, local );
}

/* what it is connected to, and that it is */
static u32 accept_complete( struct sock *sock, const struct sock *listener, const struct address *peer, const struct address *local )
{
    if (socket_is_local( sock )) return local_accepted( sock, listener );
    sock->pub.peer = *peer;
    sock->pub.local = *local;
    connect_established( sock );
    return 0;
}

/* takes the request's fd over */
static u32 accept_new( struct request *req, struct sock *listener, const struct address *peer, struct sock **ret )
{
    union linux_address addr;
    struct address local;
    struct sock *sock;
    socklen_t len;
    u32 error;

    if (!accept_fits( listener, req->fd, &local )) return WSAEINVAL;
    if (!socket_is_local( listener ) && address_from_client( peer, listener->pub.family, &addr, &len )) return WSAEINVAL;
    if (!(sock = socket_new( req->fd, listener->pub.family, listener->pub.type, listener->pub.protocol )))
        return errno == EEXIST ? WSAEINVAL : error_from_errno( errno );     /* known already */
    req->fd = -1;
    accept_inherit( sock, listener );
    if ((error = accept_complete( sock, listener, peer, &local )))
    {
        socket_end( sock );
        return error;
    }
    *ret = sock;
    return 0;
}

static struct sock *accept_deferred( struct sock *listener )
{
    struct list *entry = list_head( &listener->deferred );
    struct sock *sock;

    if (!entry) return NULL;
    sock = CONTAINER_OF( entry, struct sock, deferred_entry );
    sock->handed = 1;
    list_remove( entry );
    accept_show_deferred( listener );
    return sock;
}

u32 accept_request( struct request *req )
{
    const struct accept_request *in = req->in;
    struct accept_reply *out = req->out;
    const int brought = req->fd != -1;
    struct sock *listener, *sock = NULL;
    u32 error;

    if (!(listener = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    if (!socket_is_stream( listener )) return WSAEOPNOTSUPP;
    if (listener->pub.state != SOCKET_LISTENING) return WSAEINVAL;
    if ((error = client_room( req->client ))) return error;

    if (brought && (error = accept_new( req, listener, &in->peer, &sock ))) return error;
    if (!brought && !(sock = accept_deferred( listener ))) return WSAEWOULDBLOCK;
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
    if (!brought) req->reply_fd = sock->fd;
    return 0;
}

/* One that a worker before us knew may have come from any listener on its port. */
static int accept_is_from( struct sock *sock, const struct sock *listener )
{
    u16 ports[2];

    if (sock->listener.generation) return socket_by_ref( &sock->listener ) == listener;
    memcpy( &ports[0], sock->pub.local.data + 2, sizeof(u16) );
    memcpy( &ports[1], listener->pub.local.data + 2, sizeof(u16) );
    if (!(sock->pub.flags & SOCKET_ACCEPTED) || sock->pub.family != listener->pub.family || ports[0] != ports[1]) return 0;
    sock->listener = socket_ref( listener );
    return 1;
}

/* from a helper before this one: what comes from now on comes later */
void accept_known( const struct sock *sock )
{
    if ((int)(sock->pub.accepted_as - accept_count) > 0) accept_count = sock->pub.accepted_as;
}

/* into the list as they came; most often it is the first. O(connections put back) */
static void accept_put_back( struct sock *listener, struct sock *sock )
{
    struct sock *other;

    LIST_FOR_EACH_ENTRY( other, &listener->deferred, struct sock, deferred_entry )
        if ((int)(other->pub.accepted_as - sock->pub.accepted_as) > 0) break;
    list_add_tail( &other->deferred_entry, &sock->deferred_entry );
}

/* WSAEINVAL: not that listener's, or somebody else holds the connection too */
u32 defer_request( struct request *req )
{
    const struct defer_request *in = req->in;
    struct sock *listener, *sock;

    if (!(listener = client_sock( req->client, &in->listener ))) return WSAENOTSOCK;
    if (!(sock = client_sock( req->client, &in->connection ))) return WSAENOTSOCK;
    if (listener->pub.state != SOCKET_LISTENING || !accept_is_from( sock, listener )) return WSAEINVAL;
    if (sock->holds.next != sock->holds.prev) return WSAEINVAL;

    client_forget( req->client, sock );
    mailbox_unbind( sock );
    sock->listener_cookie = listener->pub.cookie;
    accept_put_back( listener, sock );
    store_socket( sock );
    accept_show_deferred( listener );
    return 0;
}

/* The kernel's queue does not know of what was put back: this is for those who wait. */
u32 watch_accept_request( struct request *req )
{
    const struct watch_accept_request *in = req->in;
    struct sock *listener;

    if (!(listener = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    if (listener->pub.state != SOCKET_LISTENING) return WSAEINVAL;
    if (listener->deferred_event == -1)
    {
        if ((listener->deferred_event = eventfd( 0, EFD_CLOEXEC | EFD_NONBLOCK )) == -1) return error_from_errno( errno );
        accept_show_deferred( listener );
    }
    req->reply_fd = listener->deferred_event;
    return 0;
}

/* ---- connections put back, after the death of the worker that had them ---- */

static struct list accept_orphans = { &accept_orphans, &accept_orphans };     /* their listeners have still to come back */

/* One that was handed out may have arrived, or not: if nobody says that he has it, it is still put back. */
void accept_restore( struct sock *sock, u64 listener, int handed )
{
    sock->listener_cookie = listener;
    sock->handed = handed;
    list_add_tail( &accept_orphans, &sock->deferred_entry );
}

/* O(orphans * connections put back) */
void accept_reunite( struct sock *listener )
{
    struct sock *sock, *next;

    LIST_FOR_EACH_ENTRY_SAFE( sock, next, &accept_orphans, struct sock, deferred_entry )
    {
        if (sock->listener_cookie != listener->pub.cookie || (sock->handed && !store_is_settled())) continue;
        list_remove( &sock->deferred_entry );
        accept_put_back( listener, sock );
        sock->listener = socket_ref( listener );
        restore_claimed( sock );
    }
    if (!list_empty( &listener->deferred )) accept_show_deferred( listener );
}

/* those whose listener has not come back have lost it: it was closed meanwhile */
void accept_settle(void)
{
    struct sock *sock, *listener;
    struct list *entry;

    while ((entry = list_head( &accept_orphans )))
    {
        sock = CONTAINER_OF( entry, struct sock, deferred_entry );
        if ((listener = socket_by_cookie( sock->listener_cookie )) && listener->pub.state == SOCKET_LISTENING)
        {
            accept_reunite( listener );
            continue;
        }
        socket_reset( sock, SOCKET_ABORTED );
        socket_end( sock );     /* takes it off the list */
    }
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
