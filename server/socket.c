/*
 * The record of a socket: its making, its tables, its end
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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include "server.h"

#define SOCKET_MEMORY 512       /* ended records: 128 KiB */
#define SOCKET_BUCKETS 16384    /* a power of two; cookies are counted up, so they spread evenly */

static struct sock *socket_slots[PROTOCOL_MAX_SLOTS];   /* by slot */
static struct sock *socket_cookies[SOCKET_BUCKETS];     /* by cookie, chained by cookie_next */

/* of records that have ended, a ring */
struct socket_memory
{
    u32 next;
    struct slot slots[SOCKET_MEMORY];
};

static struct socket_memory socket_memory_own;
static struct socket_memory *socket_memory = &socket_memory_own;    /* shared with the workers to come */
static u32 socket_total;                                /* records there are */

/* What is remembered of sockets that have ended is there for all workers that are forked from now on; else each
 * begins without. */
void socket_share_memory(void)
{
    void *map = mmap( NULL, sizeof(*socket_memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0 );

    if (map != MAP_FAILED) socket_memory = map;
}

int socket_set_int( int fd, int level, int option, int value )
{
    return setsockopt( fd, level, option, &value, sizeof(value) );
}

int socket_get_int( int fd, int level, int option, int *value )
{
    socklen_t len = sizeof(*value);

    *value = 0;
    return getsockopt( fd, level, option, value, &len );
}

int socket_cookie( int fd, u64 *cookie )
{
    socklen_t len = sizeof(*cookie);

    return getsockopt( fd, SOL_SOCKET, SO_COOKIE, cookie, &len );
}

/* The flag is everybody's who has the socket: only for a moment, but for listeners.
 * 1 if that changed it, so that it is to be changed back. */
int socket_nonblocking( int fd, int on )
{
    int flags = fcntl( fd, F_GETFL );

    if (flags == -1 || !(flags & O_NONBLOCK) == !on) return 0;
    return !fcntl( fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK );
}

/* TCP_* */
int socket_tcp_state( int fd )
{
    unsigned char state = TCP_CLOSE;    /* first byte of struct tcp_info: the kernel copies no more than asked for */
    socklen_t len = sizeof(state);

    getsockopt( fd, IPPROTO_TCP, TCP_INFO, &state, &len );
    return state;
}

/* the kernel's SO_ERROR, which is cleared by that */
int socket_take_error( int fd )
{
    int err;

    return socket_get_int( fd, SOL_SOCKET, SO_ERROR, &err ) ? errno : err;
}

/* has connections: TCP, or local */
int socket_is_stream( const struct sock *sock )
{
    return sock->pub.type == WS_SOCK_STREAM || socket_is_local( sock );
}

/* a stream that was connected and has not been reset, so far as we know */
int socket_is_established( const struct sock *sock )
{
    return socket_is_stream( sock ) && sock->pub.state == SOCKET_CONNECTED && !(sock->pub.flags & SOCKET_RESET);
}

/* Looks at the queue and takes nothing from it (but the kernel's word of a reset, which it gives once). */
enum socket_queue socket_queue( int fd )
{
    ssize_t ret;
    char byte;

    /* a reset counts, whatever came before it: Linux would go on to give that */
    if (socket_tcp_state( fd ) == TCP_CLOSE && socket_take_error( fd )) return QUEUE_RESET;

    if (recv( fd, &byte, 1, MSG_OOB | MSG_PEEK | MSG_DONTWAIT ) == 1) return QUEUE_DATA;

    if ((ret = recv( fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT )) > 0) return QUEUE_DATA;
    if (!ret) return QUEUE_FIN;
    if (errno == EAGAIN || errno == EINTR) return QUEUE_EMPTY;
    return QUEUE_RESET;
}

struct socket_ref socket_ref( const struct sock *sock )
{
    struct socket_ref ref = { sock->slot, sock->pub.generation };
    return ref;
}

/* NULL: none there, or no such slot */
struct sock *socket_by_slot( u32 slot )
{
    return slot < PROTOCOL_MAX_SLOTS ? socket_slots[slot] : NULL;
}

struct sock *socket_by_ref( const struct socket_ref *ref )
{
    struct sock *sock;

    if (ref->slot >= PROTOCOL_MAX_SLOTS || !(sock = socket_slots[ref->slot])) return NULL;
    return sock->pub.generation == ref->generation ? sock : NULL;
}

struct sock *socket_by_cookie( u64 cookie )
{
    struct sock *sock = socket_cookies[cookie % SOCKET_BUCKETS];

    while (sock && sock->pub.cookie != cookie) sock = sock->cookie_next;
    return sock;
}

static void socket_hash( struct sock *sock )
{
    struct sock **bucket = &socket_cookies[sock->pub.cookie % SOCKET_BUCKETS];

    sock->cookie_next = *bucket;
    *bucket = sock;
}

static void socket_unhash( struct sock *sock )
{
    struct sock **ptr = &socket_cookies[sock->pub.cookie % SOCKET_BUCKETS];

    while (*ptr != sock) ptr = &(*ptr)->cookie_next;
    *ptr = sock->cookie_next;
}

u32 socket_count(void)
{
    return socket_total;
}

void socket_set_closing( struct sock *sock, int closing )
{
    if (sock->closing == closing) return;
    sock->closing = closing;
    client_check_idle();
}

void socket_publish( struct sock *sock )
{
    store_socket( sock );
    arena_publish( sock->slot, &sock->pub );
}

/* The one place that says what a socket is watched for. Edge-triggered, for two reasons: a client can
 * make conditions that stay true and that we can do nothing about (its error queue shows as EPOLLERR);
 * and a lingering close waits for the acknowledgement of its FIN, for which Linux has no
 * condition at all, only a wake-up. So whoever is called looks until there is nothing left. */
void socket_rewatch( struct sock *sock )
{
    u32 events = 0;

    if (close_fin_sent( sock )) events = EPOLLIN | EPOLLOUT | EPOLLRDHUP;
    else
    {
        if (sock->pub.state == SOCKET_CONNECTING) events |= EPOLLOUT;
        if (sock->backlog) events |= EPOLLOUT;
        if (sock->watch_receive) events |= EPOLLIN | EPOLLPRI | EPOLLRDHUP;
    }
    loop_watch( &sock->watch, events ? events | EPOLLET : 0 );
}

static void socket_ready( struct watch *watch, u32 events )
{
    struct sock *sock = CONTAINER_OF( watch, struct sock, watch );

    if (close_fin_sent( sock ))
    {
        close_ready( sock );
        return;
    }
    if (sock->pub.state == SOCKET_CONNECTING)
    {
        connect_look( sock );
        return;
    }
    if (sock->watch_receive && (events & ~EPOLLOUT) && !shutdown_look( sock )) return;
    if (sock->backlog && (events & ~(EPOLLIN | EPOLLPRI | EPOLLRDHUP))) backlog_ready( sock );
    else socket_rewatch( sock );
}

static void socket_expired( struct timer *timer )
{
    struct sock *sock = CONTAINER_OF( timer, struct sock, timer );

    if (sock->closing) close_expired( sock );
    else if (sock->pub.state == SOCKET_CONNECTING) connect_expired( sock );
}

/* Makes the record of a kernel socket, which is the record's from then on. NULL with errno (EEXIST: it
 * has one); then the fd is still the caller's. Nothing is published yet. */
struct sock *socket_new( int fd, u16 family, u16 type, u32 protocol )
{
    struct sock *sock;
    u64 cookie;

    if (socket_cookie( fd, &cookie )) return NULL;
    if (socket_by_cookie( cookie ))
    {
        errno = EEXIST;
        return NULL;
    }
    if (!(sock = calloc( 1, sizeof(*sock) ))) return NULL;
    if (!arena_alloc( &sock->slot, &sock->pub.generation ))
    {
        free( sock );
        errno = EMFILE;
        return NULL;
    }
    sock->pub.cookie = cookie;
    sock->pub.state = SOCKET_OPEN;
    sock->pub.family = family;
    sock->pub.type = type;
    sock->pub.protocol = protocol;
    sock->fd = fd;
    sock->watch.fd = fd;
    sock->watch.ready = socket_ready;
    sock->timer.expired = socket_expired;
    sock->hung.expired = mailbox_hung;
    list_init( &sock->holds );
    list_init( &sock->deferred );
    list_init( &sock->deferred_entry );
    sock->deferred_event = -1;
    list_init( &sock->restored_entry );
    list_init( &sock->park_entry );
    park_touch( sock );
    option_defaults( sock );

    socket_hash( sock );
    socket_slots[sock->slot] = sock;
    socket_total++;
    return sock;
}

/* A socket that its last known holder closes may be somebody's all the same: a child that got the kernel socket itself,
 * as its stdin say, and has not spoken yet. That lives on, and so that it does not begin anew with the
 * next word, the states of the last records are kept. */
static void socket_remember( const struct sock *sock )
{
    struct slot *slot = &socket_memory->slots[socket_memory->next];
    struct slot content = sock->pub;

    /* for a worker that comes after us it is whole, or nothing */
    __atomic_store_n( &slot->state, SOCKET_FREE, __ATOMIC_SEQ_CST );
    content.state = SOCKET_FREE;
    *slot = content;
    __atomic_store_n( &slot->state, sock->pub.state, __ATOMIC_SEQ_CST );
    __atomic_store_n( &socket_memory->next, (socket_memory->next + 1) % SOCKET_MEMORY, __ATOMIC_SEQ_CST );
}

/* The last state of it, NULL if there is none; O(SOCKET_MEMORY), only for sockets that come from outside. */
const struct slot *socket_remembered( u64 cookie )
{
    const struct slot *slot;
    u32 i;

    for (i = 1; i <= SOCKET_MEMORY; i++)
    {
        slot = &socket_memory->slots[(socket_memory->next + SOCKET_MEMORY - i) % SOCKET_MEMORY];
        if (slot->state != SOCKET_FREE && slot->cookie == cookie) return slot;
    }
    return NULL;
}

/* may the kernel have connections of it when the record has gone? */
static int socket_had_connections( const struct sock *sock )
{
    return sock->pub.state == SOCKET_LISTENING || socket_is_established( sock );
}

/* The end of a record. What the kernel still has to send it sends by itself. */
void socket_end( struct sock *sock )
{
    park_forget( sock );
    loop_watch( &sock->watch, 0 );
    loop_cancel( &sock->timer );
    loop_cancel( &sock->hung );
    list_remove( &sock->deferred_entry );
    restore_claimed( sock );
    sock->closing = sock->unheld = sock->shared = sock->handed = 0;
    mailbox_unbind( sock );
    backlog_end( sock );
    close_free( sock );
    if (sock->port) ports_release( sock->port, sock->fd, socket_had_connections( sock ) );
    local_detach( sock );

    /* a linger that somebody set behind our back would make close() wait */
    if (socket_is_stream( sock )) option_apply_linger( sock );
    close( sock->fd );
    store_socket_end( sock );
    store_connect_end( sock );
    if (sock->deferred_event != -1) close( sock->deferred_event );

    socket_remember( sock );
    socket_unhash( sock );
    socket_slots[sock->slot] = NULL;
    arena_free( sock->slot );
    free( sock );
    socket_total--;
    client_check_idle();
}

/* takes a connection, a connect or a datagram peer away from the kernel socket;
 * from an established TCP connection with an RST, whoever else holds it */
void socket_disconnect( int fd )
{
    struct sockaddr addr = { .sa_family = AF_UNSPEC };

    if (connect( fd, &addr, sizeof(addr) )) log_line( "cannot disconnect: %s", strerror( errno ) );
}

/* Resets a connection. The flags are published first, so that no reader of the kernel's error
 * finds a slot that does not know of it. */
void socket_reset( struct sock *sock, u32 flags )
{
    sock->pub.flags |= SOCKET_RESET | flags;
    sock->watch_receive = 0;
    backlog_end( sock );
    socket_publish( sock );
    socket_rewatch( sock );
    if (socket_is_local( sock )) local_reset( sock );
    else socket_disconnect( sock->fd );
}

/* The record gets another kernel socket, which is the record's from then on; 0, or -1 with errno. */
int socket_replace( struct sock *sock, int fd )
{
    u64 cookie;

    if (socket_cookie( fd, &cookie )) return -1;
    store_connect_end( sock );
    store_socket_end( sock );
    loop_watch( &sock->watch, 0 );
    close( sock->fd );
    socket_unhash( sock );
    sock->fd = fd;
    sock->watch.fd = fd;
    sock->pub.cookie = cookie;
    socket_hash( sock );
    return 0;
}

/* A socket that lost its port with its peer (Linux gives up ports it chose itself) gets it back; one
 * that somebody took meanwhile is lost. */
void socket_rebind( struct sock *sock )
{
    union linux_address addr;
    socklen_t len;
    u16 port;
    int ret;

    if (!(sock->pub.flags & SOCKET_BOUND)) return;
    if (sock->port) ret = ports_bind_again( sock->port, sock->fd );
    else
    {
        memcpy( &port, sock->pub.local.data + 2, sizeof(port) );
        address_make_any( sock->pub.family, ntohs( port ), &addr, &len );
        ret = bind( sock->fd, &addr.sa, len );
    }
    /* EINVAL: it has its port still. What getsockname says is no guide: it goes on showing a lost one. */
    if (!ret || errno == EINVAL)
    {
        if (address_local( sock->fd, &addr )) address_to_client( &addr, &sock->pub.local );
        return;
    }
    log_line( "cannot bind a socket to its port again: %s", strerror( errno ) );
    if (sock->port) ports_release( sock->port, sock->fd, 0 );
    sock->port = NULL;
    sock->pub.ledger = 0;
    sock->pub.flags &= ~SOCKET_BOUND;
    sock->pub.local.len = 0;
}

/* an IPv6 socket that takes IPv4 as well */
int socket_is_dual( const struct sock *sock )
{
    int v6only;

    if (sock->pub.family != WS_AF_INET6) return 0;
    return !socket_get_int( sock->fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only ) && !v6only;
}

/* what the kernel says it is bound to, as the ledger wants it */
void socket_port_address( const struct sock *sock, struct port_address *out )
{
    memset( out, 0, sizeof(*out) );
    out->protocol = socket_is_stream( sock ) ? IPPROTO_TCP : IPPROTO_UDP;
    out->dual = socket_is_dual( sock );
    address_local( sock->fd, &out->addr );
}

/* ---- create ---- */

/* 0 or a Winsock error; protocol in and out, for 0 means the type's own */
static u32 create_check( u32 family, u32 type, u32 *protocol )
{
    if (family == LOCAL_FAMILY)
    {
        if (!*protocol) *protocol = LOCAL_PROTOCOL;
        if (type != WS_SOCK_SEQPACKET) return WSAESOCKTNOSUPPORT;
        return *protocol == LOCAL_PROTOCOL ? 0 : WSAEPROTONOSUPPORT;
    }
    if (family != WS_AF_INET && family != WS_AF_INET6) return WSAEAFNOSUPPORT;
    switch (type)
    {
    case WS_SOCK_STREAM:
        if (!*protocol) *protocol = IPPROTO_TCP;
        return *protocol == IPPROTO_TCP ? 0 : WSAEPROTONOSUPPORT;
    case WS_SOCK_DGRAM:
        if (!*protocol) *protocol = IPPROTO_UDP;
        return *protocol == IPPROTO_UDP ? 0 : WSAEPROTONOSUPPORT;
    case WS_SOCK_RAW:
        return *protocol <= 255 ? 0 : WSAEPROTONOSUPPORT;
    default:
        return WSAESOCKTNOSUPPORT;
    }
}

static int create_type( u32 type )
{
    return type == WS_SOCK_STREAM ? SOCK_STREAM : type == WS_SOCK_DGRAM ? SOCK_DGRAM : SOCK_RAW;
}

/* what Windows has otherwise than Linux: read back by programs, seen on the wire, inherited by
 * accepted connections */
static void create_defaults( int fd, u32 family, u32 type )
{
    socket_set_int( fd, IPPROTO_IP, IP_TTL, 128 );
    if (family == WS_AF_INET6)
    {
        socket_set_int( fd, IPPROTO_IPV6, IPV6_V6ONLY, 1 );
        socket_set_int( fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 128 );
    }
    if (type == WS_SOCK_DGRAM)
    {
        /* an unconnected socket hears of unreachable ports, too; an IPv6 one may talk IPv4 */
        socket_set_int( fd, IPPROTO_IP, IP_RECVERR, 1 );
        if (family == WS_AF_INET6) socket_set_int( fd, IPPROTO_IPV6, IPV6_RECVERR, 1 );
    }
    if (type != WS_SOCK_STREAM) return;

    /* addresses are policy (ports.c), not the kernel's */
    socket_set_int( fd, SOL_SOCKET, SO_REUSEADDR, 1 );
    /* ten keep-alive probes, a second apart; after two hours of silence on both */
    socket_set_int( fd, IPPROTO_TCP, TCP_KEEPINTVL, 1 );
    socket_set_int( fd, IPPROTO_TCP, TCP_KEEPCNT, 10 );
}

/* -1 with errno */
static int create_kernel( const struct create_request *in, u32 protocol )
{
    int fd;

    if (in->family == LOCAL_FAMILY) return socket( AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0 );
    fd = socket( in->family == WS_AF_INET6 ? AF_INET6 : AF_INET, create_type( in->type ) | SOCK_CLOEXEC, protocol );
    if (fd != -1) create_defaults( fd, in->family, in->type );
    return fd;
}

/* one socket of the kind asked for, held by the client */
static u32 create_one( struct client *client, const struct create_request *in, u32 protocol, u32 i, struct sock **ret )
{
    u64 mailbox = i ? 0 : in->mailbox;
    struct sock *sock;
    u32 error;
    int fd;

    if ((error = client_room( client ))) return error;
    if ((fd = create_kernel( in, protocol )) == -1) return error_from_errno( errno );
    if (!(sock = socket_new( fd, in->family, in->type, protocol )))
    {
        error = error_from_errno( errno );
        close( fd );
        return error;
    }
    sock->pub.options[OPTION_CONTEXT] = in->context;
    if (socket_is_local( sock ) && !local_attach( sock ))
    {
        socket_end( sock );
        return WSAENOBUFS;
    }
    if ((error = mailbox_bind( client, mailbox, sock )) || (error = client_hold( client, sock, in->counters[i] )))
    {
        socket_end( sock );
        return error;
    }
    socket_publish( sock );
    *ret = sock;
    return 0;
}

/* Fails if the first one does; of the others as many as there are means for. */
u32 create_request( struct request *req )
{
    const struct create_request *in = req->in;
    struct create_reply *out = req->out;
    u32 protocol = in->protocol, error;
    struct sock *sock = NULL;

    if (!in->count || in->count > PROTOCOL_MAX_FDS) return WSAEINVAL;
    if ((error = create_check( in->family, in->type, &protocol ))) return error;
    for (out->count = 0; out->count < in->count; out->count++)
    {
        if ((error = create_one( req->client, in, protocol, out->count, &sock ))) break;
        out->made[out->count].socket = socket_ref( sock );
        out->made[out->count].cookie = sock->pub.cookie;
        if (!out->count) req->reply_fd = sock->fd;
        else req->more_fds[req->more_count++] = sock->fd;
    }
    return out->count ? 0 : error;
}
