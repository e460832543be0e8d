/*
 * Adopting sockets that were not made here, or by a helper before this one
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
#include <fcntl.h>
#include <netinet/tcp.h>

#include "server.h"

/* flags that only a helper knows of, and that the next one believes */
#define ADOPT_FLAGS (SOCKET_NONBLOCKING | SOCKET_RECV_SHUTDOWN | SOCKET_SEND_SHUTDOWN | SOCKET_RESET | \
                     SOCKET_ABORTED | SOCKET_ACCEPTED | SOCKET_ADOPTED | SOCKET_SPENT | SOCKET_STRAY | SOCKET_SHARED)

/* what the kernel calls it */
struct adopt_kind
{
    u16 family;         /* Winsock's */
    u16 type;
    u32 protocol;
};

/* A local socket looks like any other AF_UNIX one: it is what somebody knew of it, or none of ours. */
static u32 adopt_local_kind( int type, const struct slot *known, struct adopt_kind *kind )
{
    if (type != SOCK_SEQPACKET || !known || known->family != LOCAL_FAMILY) return WSAENOTSOCK;
    kind->family = LOCAL_FAMILY;
    kind->type = WS_SOCK_SEQPACKET;
    kind->protocol = LOCAL_PROTOCOL;
    return 0;
}

static u32 adopt_kind( int fd, const struct slot *known, struct adopt_kind *kind )
{
    int domain, type, protocol;

    if (socket_get_int( fd, SOL_SOCKET, SO_DOMAIN, &domain )) return WSAENOTSOCK;
    if (socket_get_int( fd, SOL_SOCKET, SO_TYPE, &type )) return WSAENOTSOCK;
    if (socket_get_int( fd, SOL_SOCKET, SO_PROTOCOL, &protocol )) return WSAENOTSOCK;
    if (domain == AF_UNIX) return adopt_local_kind( type, known, kind );
    if (domain != AF_INET && domain != AF_INET6) return WSAENOTSOCK;
    kind->family = domain == AF_INET6 ? WS_AF_INET6 : WS_AF_INET;
    kind->protocol = protocol;

    switch (type)
    {
    case SOCK_STREAM:
        kind->type = WS_SOCK_STREAM;
        return protocol == IPPROTO_TCP ? 0 : WSAENOTSOCK;
    case SOCK_DGRAM:
        kind->type = WS_SOCK_DGRAM;
        return protocol == IPPROTO_UDP ? 0 : WSAENOTSOCK;
    case SOCK_RAW:
        kind->type = WS_SOCK_RAW;
        return 0;
    default:
        return WSAENOTSOCK;
    }
}

/* what can be seen of a stream's state */
static void adopt_stream_state( struct sock *sock )
{
    int listening;

    if (!socket_get_int( sock->fd, SOL_SOCKET, SO_ACCEPTCONN, &listening ) && listening)
    {
        sock->pub.state = SOCKET_LISTENING;
        socket_nonblocking( sock->fd, 1 );
        return;
    }
    switch (socket_tcp_state( sock->fd ))
    {
    case TCP_SYN_SENT:
    case TCP_SYN_RECV:
        sock->pub.state = SOCKET_CONNECTING;
        break;
    case TCP_CLOSE:
        break;
    default:
        sock->pub.state = SOCKET_CONNECTED;
    }
}

static void adopt_addresses( struct sock *sock )
{
    union linux_address addr;

    if (socket_is_local( sock )) return;        /* they are ours, not the kernel's */
    if (address_local( sock->fd, &addr ) && (address_port( &addr ) || !address_is_any( &addr )))
    {
        address_to_client( &addr, &sock->pub.local );
        sock->pub.flags |= SOCKET_BOUND;
    }
    if (address_peer( sock->fd, &addr ))
    {
        address_to_client( &addr, &sock->pub.peer );
        if (!socket_is_stream( sock )) sock->pub.state = SOCKET_CONNECTED;
    }
}

static int adopt_address_ok( const struct sock *sock, const struct address *addr )
{
    union linux_address out;
    socklen_t len;

    if (socket_is_local( sock )) return !addr->len || !local_check_address( addr );
    return !addr->len || !address_from_client( addr, sock->pub.family, &out, &len );
}

/* What the kernel calls a fresh socket may have a past. */
static void adopt_known_state( struct sock *sock, const struct slot *known )
{
    switch (known->state)
    {
    case SOCKET_CONNECTED:      /* has been reset, or shut down on both sides */
    case SOCKET_CONNECTING:     /* ended while there was no helper: the kernel still has its error */
        if (socket_is_stream( sock )) sock->pub.state = known->state;
        break;
    case SOCKET_FAILED:
        sock->pub.state = SOCKET_FAILED;
        sock->pub.error = known->error;
        sock->pub.peer.len = 0;
        break;
    default:
        sock->pub.peer.len = 0;
    }
}

/* The state a client had from the helper before. What the kernel knows better it is not asked for;
 * what it says wrongly hurts only sockets that it holds itself. */
static u32 adopt_known( struct sock *sock, const struct slot *known )
{
    u32 i;

    if (known->cookie != sock->pub.cookie || known->family != sock->pub.family || known->type != sock->pub.type)
        return WSAEINVAL;
    if (!adopt_address_ok( sock, &known->peer ) || !adopt_address_ok( sock, &known->local )) return WSAEINVAL;

    sock->pub.flags |= known->flags & ADOPT_FLAGS;
    sock->pub.connect_time = known->connect_time;
    sock->pub.accepted_as = known->accepted_as;
    accept_known( sock );
    for (i = 0; i < OPTION_COUNT; i++) sock->pub.options[i] = known->options[i];
    if (sock->pub.options[OPTION_LINGER_TIME] > 0xffff) sock->pub.options[OPTION_LINGER_TIME] = 0xffff;
    sock->pub.options[OPTION_NONBLOCKING] = !!(sock->pub.flags & SOCKET_NONBLOCKING);

    /* bound once, and reset since: the kernel has forgotten both ends */
    if (!sock->pub.local.len && known->local.len && (known->flags & SOCKET_BOUND))
    {
        sock->pub.local = known->local;
        sock->pub.flags |= SOCKET_BOUND;
    }
    /* nor does it tell the target of a connect that is under way */
    if (socket_is_stream( sock ) && !sock->pub.peer.len && sock->pub.state != SOCKET_LISTENING) sock->pub.peer = known->peer;
    if (sock->pub.state == SOCKET_OPEN) adopt_known_state( sock, known );
    return 0;
}

/* From outside: what was bound by itself is entered, not connections, whose port is their listener's or was
 * chosen for them. */
static void adopt_port( struct sock *sock )
{
    struct port_address addr;

    if (sock->pub.type == WS_SOCK_RAW || socket_is_local( sock ) || !(sock->pub.flags & SOCKET_BOUND)) return;
    if (socket_is_stream( sock ) && sock->pub.state != SOCKET_OPEN && sock->pub.state != SOCKET_LISTENING) return;
    socket_port_address( sock, &addr );
    if (address_port( &addr.addr )) sock->port = ports_enter( &addr, option_port_mode( sock ), sock->fd );
    bind_note( sock );
}

/* As the ledger of the helper before had it, whatever has become of the address and the options since. The
 * port is the kernel's word, unless that has forgotten it. */
static void adopt_ledger( struct sock *sock, u32 ledger )
{
    enum port_mode mode = ledger & LEDGER_EXCLUSIVE ? PORT_EXCLUSIVE : ledger & LEDGER_REUSE ? PORT_REUSE : PORT_DEFAULT;
    const int fd = sock->pub.flags & SOCKET_ACCEPTED ? -1 : sock->fd;
    struct port_address addr;
    socklen_t len;

    if (!(ledger & LEDGER_ENTERED) || sock->pub.type == WS_SOCK_RAW || !(sock->pub.flags & SOCKET_BOUND)) return;
    memset( &addr, 0, sizeof(addr) );
    addr.protocol = socket_is_stream( sock ) ? IPPROTO_TCP : IPPROTO_UDP;
    addr.dual = socket_is_dual( sock );
    if (address_from_client( &sock->pub.local, sock->pub.family, &addr.addr, &len )) return;
    if (ledger & LEDGER_WILD) address_make_any( sock->pub.family, address_port( &addr.addr ), &addr.addr, &len );
    if (address_port( &addr.addr )) sock->port = ports_enter( &addr, mode, fd );
    bind_note( sock );
}

/* the flags of the open file were ours for a moment when the helper before died */
static void adopt_flags( struct sock *sock )
{
    if (sock->pub.state == SOCKET_LISTENING) return;
    socket_nonblocking( sock->fd, 0 );
}

/* What a worker before us had: its flags and options are known, the kernel's part and the ledger's are done again. */
void adopt_restored( struct sock *sock )
{
    adopt_flags( sock );
    accept_known( sock );
    if (socket_is_stream( sock )) option_apply_linger( sock );
    if (socket_is_local( sock )) local_adopt( sock, &sock->pub );
    else adopt_ledger( sock, sock->pub.ledger );
}

static u32 adopt_new( struct request *req, const struct adopt_request *in, u64 cookie, struct sock **ret )
{
    const struct slot *known = in->known ? &in->state : socket_remembered( cookie );
    struct adopt_kind kind;
    struct sock *sock;
    u32 error;

    if ((error = adopt_kind( req->fd, known, &kind ))) return error;
    if (!(sock = socket_new( req->fd, kind.family, kind.type, kind.protocol ))) return error_from_errno( errno );
    req->fd = -1;
    if (socket_is_stream( sock )) adopt_stream_state( sock );
    adopt_addresses( sock );
    if (socket_is_local( sock ) && !local_attach( sock )) error = WSAENOBUFS;
    else if (known) error = adopt_known( sock, known );
    else
    {
        sock->pub.flags |= SOCKET_ADOPTED;
        option_from_kernel( sock );
    }
    if (error)
    {
        socket_end( sock );
        return error;
    }
    if (in->known) adopt_flags( sock );
    if (socket_is_stream( sock )) option_apply_linger( sock );
    if (socket_is_local( sock )) local_adopt( sock, known );
    else if (known) adopt_ledger( sock, known->ledger );
    else adopt_port( sock );
    *ret = sock;
    return 0;
}

/* what a new record's state asks for at once */
static void adopt_begin( struct sock *sock )
{
    socket_publish( sock );
    if (sock->pub.state == SOCKET_LISTENING) accept_reunite( sock );
    if (sock->pub.state == SOCKET_CONNECTING) connect_resume( sock );
    if (socket_is_stream( sock )) shutdown_look( sock );
}

/* a handle that came from another process, or a duplicate: the client gets what it stands for */
static u32 adopt_by_mailbox( struct request *req, struct sock *sock )
{
    const struct adopt_request *in = req->in;
    struct adopt_reply *out = req->out;
    u32 error;

    if (park_fetch( sock )) return WSAEMFILE;
    if ((error = client_hold( req->client, sock, in->counter ))) return error;
    close_revive( sock );
    sock->shared = 1;
    store_socket( sock );
    if (sock->holds.next != sock->holds.prev && !(sock->pub.flags & SOCKET_SHARED))
    {
        sock->pub.flags |= SOCKET_SHARED;
        socket_publish( sock );
    }
    out->socket = socket_ref( sock );
    out->cookie = sock->pub.cookie;
    out->mailbox = mailbox_name( sock );
    req->reply_fd = sock->fd;
    return 0;
}

static u32 adopt_any( struct request *req )
{
    const struct adopt_request *in = req->in;
    struct adopt_reply *out = req->out;
    struct sock *sock;
    u64 cookie;
    u32 error;
    int is_new;

    if (socket_cookie( req->fd, &cookie )) return WSAENOTSOCK;
    if ((sock = mailbox_sock( cookie, in->known ? 0 : in->mailbox ))) return adopt_by_mailbox( req, sock );
    if (mailbox_awaits( cookie )) return REQUEST_LATER;
    is_new = !(sock = socket_by_cookie( cookie ));
    if (!is_new && park_fetch( sock )) return WSAEMFILE;
    if (is_new && (error = client_room( req->client ))) return error;
    if (is_new && (error = adopt_new( req, in, cookie, &sock ))) return error;
    if ((error = client_hold( req->client, sock, in->counter )))
    {
        if (is_new) socket_end( sock );
        return error;
    }
    if (in->known && mailbox_bind( req->client, in->mailbox, sock )) log_line( "a client has a wrong mailbox" );
    close_revive( sock );
    accept_keep( sock );
    if (is_new) adopt_begin( sock );

    out->socket = socket_ref( sock );
    out->cookie = sock->pub.cookie;
    return 0;
}

u32 adopt_request( struct request *req )
{
    const struct adopt_request *in = req->in;
    u32 error = adopt_any( req );

    if (in->known) client_said_again( req->client );
    return error;
}
