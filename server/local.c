/*
 * Sockets of messages between the programs of one prefix
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

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/un.h>

#include "server.h"

/* What programs may know of it is in doc/local.md, how two ends talk in protocol.idl. The addresses are a number
 * space of ours: a ledger by port, and for each listener a file "local.PORT" in our folder, which nobody else
 * can enter. A connect goes by the file, not by the ledger: so it finds a listener also while the
 * listener's process has not told us of it yet, after a helper has died. */

#define LOCAL_BUCKETS    1024       /* a power of two */
#define LOCAL_MAX_ANSWERS 8         /* that are passed over: each helper that died may have left one */
#define LOCAL_FIRST_PORT 0x40000000 /* ports that we choose, up to twice that */

struct local
{
    struct sock *next;              /* in the bucket of its port */
    u32 port;                       /* entered in the ledger, 0: not */
    u32 length;                     /* of data */
    u8 data[LOCAL_MAX_DATA];        /* what the peer said when it connected or accepted */
};

static int local_folder = -1;
static int local_ending;
static struct sock *local_buckets[LOCAL_BUCKETS];
static u32 local_last_port;

void local_init( int folder )
{
    local_folder = folder;
    if (getrandom( &local_last_port, sizeof(local_last_port), GRND_NONBLOCK ) != sizeof(local_last_port)) local_last_port = 0;
}

/* The helper ends. Listeners that are still there will come back to the next one, and their files with them;
 * where nobody is left, files are left by helpers that were killed. */
void local_done(void)
{
    struct dirent *entry;
    DIR *dir;
    int fd;

    local_ending = 1;
    if (socket_count() || (fd = openat( local_folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC )) == -1) return;
    if (!(dir = fdopendir( fd )))
    {
        close( fd );
        return;
    }
    while ((entry = readdir( dir )))
        if (!strncmp( entry->d_name, "local.", 6 )) unlinkat( local_folder, entry->d_name, 0 );
    closedir( dir );
}

int socket_is_local( const struct sock *sock )
{
    return sock->pub.family == LOCAL_FAMILY;
}

/* ---- addresses and the ledger ---- */

static u32 local_port( const struct address *addr )
{
    u32 port;

    memcpy( &port, addr->data + 4, sizeof(port) );
    return port;
}

static void local_address( u32 port, struct address *out )
{
    const u16 family = LOCAL_FAMILY;

    memset( out, 0, sizeof(*out) );
    out->len = LOCAL_ADDRESS_SIZE;
    memcpy( out->data, &family, sizeof(family) );
    memcpy( out->data + 4, &port, sizeof(port) );
}

/* what a client sent: 0, WSAEFAULT, WSAEAFNOSUPPORT */
u32 local_check_address( const struct address *addr )
{
    u16 family;

    if (addr->len < LOCAL_ADDRESS_SIZE || addr->len > sizeof(addr->data)) return WSAEFAULT;
    memcpy( &family, addr->data, sizeof(family) );
    return family == LOCAL_FAMILY ? 0 : WSAEAFNOSUPPORT;
}

static struct sock *local_by_port( u32 port )
{
    struct sock *sock = local_buckets[port % LOCAL_BUCKETS];

    while (sock && sock->local->port != port) sock = sock->local->next;
    return sock;
}

static void local_enter( struct sock *sock, u32 port )
{
    struct sock **bucket = &local_buckets[port % LOCAL_BUCKETS];

    sock->local->port = port;
    sock->local->next = *bucket;
    *bucket = sock;
}

static void local_leave( struct sock *sock )
{
    struct sock **ptr = &local_buckets[sock->local->port % LOCAL_BUCKETS];

    if (!sock->local->port) return;
    while (*ptr != sock) ptr = &(*ptr)->local->next;
    *ptr = sock->local->next;
    sock->local->port = 0;
}

/* one that nobody has: there are far more than sockets */
static u32 local_choose_port(void)
{
    do local_last_port = LOCAL_FIRST_PORT | ((local_last_port + 1) & (LOCAL_FIRST_PORT - 1));
    while (local_by_port( local_last_port ));
    return local_last_port;
}

/* port 0: one of our choice. WSAEADDRINUSE */
static u32 local_bind( struct sock *sock, u32 port )
{
    if (port && local_by_port( port )) return WSAEADDRINUSE;
    if (!port) port = local_choose_port();
    local_enter( sock, port );
    local_address( port, &sock->pub.local );
    sock->pub.flags |= SOCKET_BOUND;
    return 0;
}

u32 local_bind_address( struct sock *sock, const struct address *addr, struct address *out )
{
    u32 error;

    if (local_check_address( addr )) return WSAEFAULT;
    if (sock->pub.flags & SOCKET_BOUND) return WSAEINVAL;
    if (sock->pub.state != SOCKET_OPEN && sock->pub.state != SOCKET_FAILED) return WSAEINVAL;
    if ((error = local_bind( sock, local_port( addr ) ))) return error;
    socket_publish( sock );
    *out = sock->pub.local;
    return 0;
}

/* ---- records ---- */

/* makes a new record a local one; 0 without memory */
int local_attach( struct sock *sock )
{
    if (!(sock->local = calloc( 1, sizeof(*sock->local) ))) return 0;
    /* known already if a worker before us knew it */
    sock->local->length = store_data_take( sock->pub.cookie, sock->local->data, sizeof(sock->local->data) );
    return 1;
}

/* what only we have */
void local_store( const struct sock *sock )
{
    if (sock->local->length) store_data( sock->pub.cookie, sock->local->data, sock->local->length );
}

static void local_file_name( u32 port, struct sockaddr_un *addr )
{
    memset( addr, 0, sizeof(*addr) );
    addr->sun_family = AF_UNIX;
    snprintf( addr->sun_path, sizeof(addr->sun_path), "local.%u", port );
}

/* the record ends: so do its port, and its file */
void local_detach( struct sock *sock )
{
    struct sockaddr_un addr;

    if (!sock->local) return;
    if (sock->pub.state == SOCKET_LISTENING && sock->local->port && !local_ending)
    {
        local_file_name( sock->local->port, &addr );
        unlinkat( local_folder, addr.sun_path, 0 );
    }
    if (sock->local->length) store_data_end( sock->pub.cookie );
    local_leave( sock );
    free( sock->local );
    sock->local = NULL;
}

/* ---- kernel sockets ---- */

/* calls bind() or connect() with our folder as the current one: a path has room for 107 bytes only; 0 or errno */
static int local_call( int (*call)( int, const struct sockaddr *, socklen_t ), int fd, u32 port )
{
    struct sockaddr_un addr;
    int err;

    local_file_name( port, &addr );
    if (fchdir( local_folder )) return errno;
    err = call( fd, (const struct sockaddr *)&addr, sizeof(addr) ) ? errno : 0;
    if (chdir( "/" )) log_line( "/: %s", strerror( errno ) );
    return err;
}

static int local_connect_kernel( int fd, u32 port )
{
    int changed = socket_nonblocking( fd, 1 ), err = local_call( connect, fd, port );

    if (changed) socket_nonblocking( fd, 0 );
    return err;
}

/* Does anybody listen there? Not in the ledger, if it is a socket that we have not been told of yet. */
static int local_is_alive( u32 port )
{
    int fd, err;

    if ((fd = socket( AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 )) == -1) return 1;
    err = local_call( connect, fd, port );
    close( fd );
    return !err || err == EAGAIN;
}

/* A file that nobody listens at is left from a helper before. */
static u32 local_bind_kernel( struct sock *sock )
{
    const u32 port = local_port( &sock->pub.local );
    struct sockaddr_un addr;
    int err;

    if ((err = local_call( bind, sock->fd, port )) == EADDRINUSE)
    {
        if (local_is_alive( port )) return WSAEADDRINUSE;
        local_file_name( port, &addr );
        unlinkat( local_folder, addr.sun_path, 0 );
        err = local_call( bind, sock->fd, port );
    }
    /* EINVAL: a listen that the death of a helper cut short */
    if (err && err != EINVAL) log_line( "local port %u: %s", port, strerror( err ) );
    return err && err != EINVAL ? error_from_errno( err ) : 0;
}

u32 local_listen( struct sock *sock, int backlog )
{
    u32 error;

    if (sock->pub.state == SOCKET_CONNECTED) return WSAEISCONN;
    if (sock->pub.state == SOCKET_CONNECTING || !(sock->pub.flags & SOCKET_BOUND)) return WSAEINVAL;
    if (sock->pub.flags & SOCKET_SPENT) return WSAEINVAL;
    if (sock->pub.state != SOCKET_LISTENING && (error = local_bind_kernel( sock ))) return error;
    if (listen( sock->fd, backlog )) return error_from_errno( errno );
    socket_nonblocking( sock->fd, 1 );
    sock->pub.state = SOCKET_LISTENING;
    sock->pub.error = 0;
    socket_publish( sock );
    return 0;
}

/* ---- messages ---- */

/* A send that is always taken, for it is the last one: whatever programs may have queued is less than the send
 * buffer may be, by the system's limit. */
static int local_send_last( int fd, const void *data, size_t size )
{
    socket_set_int( fd, SOL_SOCKET, SO_SNDBUF, 1 << 30 );
    return send( fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL ) == -1 ? errno : 0;
}

/* The first message's kind and, as far as there is room, itself: its length, 0: the end, -1 with errno.
 * The kernel's own word of a peer that closed with something unread says nothing: our messages do. */
static ssize_t local_receive( int fd, void *data, size_t size, int flags )
{
    ssize_t ret;

    do ret = recv( fd, data, size, flags | MSG_DONTWAIT );
    while (ret == -1 && (errno == ECONNRESET || errno == EINTR));
    return ret;
}

/* as socket_queue; an answer that was said twice means nothing */
enum socket_queue local_queue( const struct sock *sock )
{
    struct local_header header;
    ssize_t ret;
    int i;

    for (i = 0; i < LOCAL_MAX_ANSWERS; i++)
    {
        ret = local_receive( sock->fd, &header, sizeof(header), MSG_PEEK );
        if (ret != sizeof(header) || header.kind != LOCAL_ANSWER) break;
        local_receive( sock->fd, &header, sizeof(header), 0 );
    }
    if (ret == -1) return errno == EAGAIN ? QUEUE_EMPTY : QUEUE_RESET;
    if (!ret) return QUEUE_FIN;
    if (ret < (ssize_t)sizeof(header)) return QUEUE_RESET;
    if (header.kind == LOCAL_MESSAGE) return QUEUE_DATA;
    return header.kind == LOCAL_DISCONNECT ? QUEUE_FIN : QUEUE_RESET;
}

/* ---- the end of a connection ---- */

/* The peer's slot tells of the reset at once, before all that may be queued there. Both ends
 * must call each other peer: a client may have told us anything. */
static void local_reset_peer( const struct sock *sock )
{
    struct sock *peer = sock->pub.peer_cookie ? socket_by_cookie( sock->pub.peer_cookie ) : NULL;

    if (!peer || !socket_is_local( peer ) || peer->pub.peer_cookie != sock->pub.cookie) return;
    if (!socket_is_established( peer )) return;
    peer->pub.flags |= SOCKET_RESET;
    peer->watch_receive = 0;
    socket_publish( peer );
    socket_rewatch( peer );
}

/* The kernel's part of a reset. What nobody will read is taken away, so that disconnect data behind it, which may
 * be read still, comes first. O(messages queued). */
void local_reset( struct sock *sock )
{
    const struct local_header header = { LOCAL_RESET, 0 };
    char byte;

    local_reset_peer( sock );
    local_send_last( sock->fd, &header, sizeof(header) );
    shutdown( sock->fd, SHUT_RDWR );
    while (local_queue( sock ) == QUEUE_DATA && local_receive( sock->fd, &byte, 1, 0 ) != -1) /* next */;
}

/* The last holder has gone. Nothing is ever unsent: what has been sent is in the peer's queue. */
void local_close( struct sock *sock )
{
    if (socket_is_established( sock ) && (option_resets( sock ) || local_queue( sock ) == QUEUE_DATA))
        socket_reset( sock, SOCKET_ABORTED );
    socket_end( sock );
}

u32 local_disconnect_request( struct request *req )
{
    const struct local_disconnect_request *in = req->in;
    struct { struct local_header header; u8 data[LOCAL_MAX_DATA]; } message = { { LOCAL_DISCONNECT, in->length }, { 0 } };
    struct sock *sock;
    int err;

    if (!(sock = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    if (!socket_is_local( sock )) return WSAEOPNOTSUPP;
    if (in->length > LOCAL_MAX_DATA) return WSAEINVAL;
    connect_look( sock );
    if (sock->pub.state != SOCKET_CONNECTED || (sock->pub.flags & SOCKET_RESET)) return WSAENOTCONN;
    if (sock->pub.flags & SOCKET_SEND_SHUTDOWN) return WSAESHUTDOWN;

    memcpy( message.data, in->data, in->length );
    if ((err = local_send_last( sock->fd, &message, sizeof(message.header) + in->length )) && err != EPIPE)
        return err == EAGAIN ? WSAENOBUFS : error_from_errno( err );
    shutdown_send( sock, 0 );
    return 0;
}

/* ---- connecting ---- */

/* A connect has failed: an acceptor that comes across it shall see that. */
void local_disconnect( struct sock *sock )
{
    if (sock->pub.flags & SOCKET_SPENT) shutdown( sock->fd, SHUT_RDWR );
}

/* The smallest send buffer, which the request fills. */
static int local_send_request( struct sock *sock, const void *data, u32 length )
{
    union { struct local_request request; u8 bytes[LOCAL_REQUEST_SIZE]; } message;

    memset( &message, 0, sizeof(message) );
    message.request.header.kind = LOCAL_REQUEST;
    message.request.header.length = length;
    message.request.cookie = sock->pub.cookie;
    message.request.from = sock->pub.local;
    if (length) memcpy( message.request.data, data, length );
    socket_set_int( sock->fd, SOL_SOCKET, SO_SNDBUF, 0 );
    return send( sock->fd, &message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL ) == -1 ? errno : 0;
}

/* Did a helper that died in between get as far as sending the request? Nobody takes it without having answered. */
static int local_was_asked( const struct sock *sock )
{
    int unread;
    char byte;

    if (!ioctl( sock->fd, SIOCOUTQ, &unread ) && unread > 0) return 1;
    return local_receive( sock->fd, &byte, 1, MSG_PEEK ) != -1 || errno != EAGAIN;
}

static u32 local_connect_check( struct sock *sock, const struct address *addr )
{
    u32 error;

    if ((error = local_check_address( addr ))) return error;
    connect_look( sock );
    switch (sock->pub.state)
    {
    case SOCKET_LISTENING:  return WSAEINVAL;
    case SOCKET_CONNECTED:  return WSAEISCONN;
    case SOCKET_CONNECTING: return WSAEALREADY;
    }
    if (!local_port( addr )) return WSAEADDRNOTAVAIL;
    return sock->pub.flags & SOCKET_SPENT ? WSAEINVAL : 0;
}

/* Nobody there, and nobody who comes to it: both are a refusal. */
u32 local_connect( struct sock *sock, const struct address *addr, const u8 *data, u32 length )
{
    u32 error;
    int err;

    if ((error = local_connect_check( sock, addr ))) return error;
    if (!(sock->pub.flags & SOCKET_BOUND) && (error = local_bind( sock, 0 ))) return error;
    sock->pub.flags &= ~(SOCKET_RESET | SOCKET_ABORTED);
    err = local_connect_kernel( sock->fd, local_port( addr ) );
    if (!err || err == EISCONN)
    {
        sock->pub.flags |= SOCKET_SPENT;
        err = local_was_asked( sock ) ? 0 : local_send_request( sock, data, length );
    }
    if (err)
    {
        error = error_from_errno( err );
        /* nobody there, no room in line, or gone again */
        if (err == ENOENT || err == EAGAIN || err == EPIPE || err == ECONNRESET) error = WSAECONNREFUSED;
        connect_failed( sock, error );
        return error;
    }
    local_address( local_port( addr ), &sock->pub.peer );
    connect_begin( sock );
    return 0;
}

/* The kernel's default send buffer again: it reads back twice what it was given. */
static void local_restore_buffer( int fd )
{
    static int size;
    int other;

    if (!size && (other = socket( AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0 )) != -1)
    {
        socket_get_int( other, SOL_SOCKET, SO_SNDBUF, &size );
        close( other );
    }
    socket_set_int( fd, SOL_SOCKET, SO_SNDBUF, size ? size / 2 : 2 * LOCAL_MAX_MESSAGE );
}

/* what the peer said with the connection */
static void local_keep( struct sock *sock, const u8 *data, u32 length )
{
    if (length > LOCAL_MAX_DATA) length = 0;
    memcpy( sock->local->data, data, length );
    sock->local->length = length;
    local_store( sock );
}

/* The answer is published before it is taken: so it survives us. */
static int local_take_answer( struct sock *sock )
{
    struct local_answer answer;
    ssize_t size = local_receive( sock->fd, &answer, sizeof(answer), MSG_PEEK );
    u32 length;

    if (size < (ssize_t)offsetof( struct local_answer, data ) || answer.header.kind != LOCAL_ANSWER) return 0;
    length = answer.header.length;
    if (size < (ssize_t)(offsetof( struct local_answer, data ) + length) || length > LOCAL_MAX_DATA) length = 0;
    local_keep( sock, answer.data, length );
    sock->pub.peer_cookie = answer.cookie;
    sock->pub.flags &= ~SOCKET_SPENT;
    local_restore_buffer( sock->fd );
    connect_established( sock );
    local_receive( sock->fd, &answer, sizeof(answer), 0 );
    return 1;
}

/* How far is a connect? The request taken and no answer there: it is refused. */
void local_look( struct sock *sock )
{
    int unread;
    char byte;

    if (sock->pub.flags & SOCKET_ACCEPTED) return;      /* the program has not decided yet */
    /* in this order: the answer comes before the request goes */
    if (ioctl( sock->fd, SIOCOUTQ, &unread )) unread = 0;
    if (local_take_answer( sock )) return;
    if (unread > 0 && local_receive( sock->fd, &byte, 1, MSG_PEEK ) == -1 && errno == EAGAIN) socket_rewatch( sock );
    else connect_failed( sock, WSAECONNREFUSED );
}

/* A record made from what a client knew. Of two that say they have a port the first one has it. */
void local_adopt( struct sock *sock, const struct slot *known )
{
    const u32 port = known->local.len ? local_port( &known->local ) : 0;

    sock->pub.peer_cookie = known->peer_cookie;
    if (sock->pub.state == SOCKET_CONNECTED) local_take_answer( sock );
    if (!port || (sock->pub.flags & SOCKET_ACCEPTED) || local_by_port( port )) return;
    local_enter( sock, port );
}

u32 local_connect_request( struct request *req )
{
    const struct local_connect_request *in = req->in;
    struct local_connect_reply *out = req->out;
    struct sock *sock;
    u32 error;

    if (!(sock = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    if (!socket_is_local( sock )) return WSAEOPNOTSUPP;
    if (in->length > LOCAL_MAX_DATA) return WSAEINVAL;
    if ((error = local_connect( sock, &in->address, in->data, in->length ))) return error;
    out->pending = sock->pub.state == SOCKET_CONNECTING;
    return 0;
}

u32 local_data_request( struct request *req )
{
    const struct local_data_request *in = req->in;
    struct local_data_reply *out = req->out;
    struct sock *sock;

    if (!(sock = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    if (!socket_is_local( sock )) return WSAEOPNOTSUPP;
    if (in->length > LOCAL_MAX_DATA) return WSAEINVAL;
    connect_look( sock );
    if (!sock->local->length) local_keep( sock, in->data, in->length );
    out->length = sock->local->length;
    memcpy( out->data, sock->local->data, sock->local->length );
    return 0;
}

u32 local_renew_request( struct request *req )
{
    const struct local_renew_request *in = req->in;
    struct local_renew_reply *out = req->out;
    struct sock *sock;
    u32 error;
    int fd;

    if (!(sock = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    if (!socket_is_local( sock ) || !(sock->pub.flags & SOCKET_SPENT)) return WSAEINVAL;
    if (sock->pub.state != SOCKET_FAILED && sock->pub.state != SOCKET_OPEN) return WSAEINVAL;
    if (sock->holds.next != sock->holds.prev) return WSAEINVAL;
    if ((fd = socket( AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0 )) == -1) return error_from_errno( errno );
    if (sock->local->length) store_data_end( sock->pub.cookie );
    sock->local->length = 0;
    if (socket_replace( sock, fd ))
    {
        error = error_from_errno( errno );
        close( fd );
        return error;
    }
    sock->pub.flags &= ~SOCKET_SPENT;
    socket_publish( sock );
    out->cookie = sock->pub.cookie;
    req->reply_fd = sock->fd;
    return 0;
}

/* ---- accepting ---- */

/* A connection of the kernel's queue becomes one that waits for the program's word. WSAECONNRESET: the caller has
 * gone, or was none of ours. */
u32 local_accepted( struct sock *sock, const struct sock *listener )
{
    struct local_request request;
    struct pollfd poll_fd = { .fd = sock->fd };

    if (!local_attach( sock )) return WSAENOBUFS;
    if (local_receive( sock->fd, &request, sizeof(request), MSG_PEEK ) != sizeof(request)) return WSAECONNRESET;
    if (request.header.kind != LOCAL_REQUEST || local_check_address( &request.from )) return WSAECONNRESET;
    if (poll( &poll_fd, 1, 0 ) == 1 && (poll_fd.revents & POLLHUP)) return WSAECONNRESET;
    local_address( local_port( &request.from ), &sock->pub.peer );
    sock->pub.local = listener->pub.local;
    sock->pub.peer_cookie = request.cookie;
    sock->pub.flags |= SOCKET_BOUND;
    sock->pub.state = SOCKET_CONNECTING;
    socket_publish( sock );
    return 0;
}

u32 local_answer_request( struct request *req )
{
    const struct local_answer_request *in = req->in;
    struct local_answer answer = { { LOCAL_ANSWER, in->length }, 0, { 0 } };
    struct local_request request;
    struct sock *sock;

    if (!(sock = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    if (!socket_is_local( sock ) || in->length > LOCAL_MAX_DATA) return WSAEINVAL;
    if (sock->pub.state != SOCKET_CONNECTING || !(sock->pub.flags & SOCKET_ACCEPTED)) return WSAEINVAL;

    answer.cookie = sock->pub.cookie;
    memcpy( answer.data, in->data, in->length );
    if (send( sock->fd, &answer, offsetof( struct local_answer, data ) + in->length, MSG_DONTWAIT | MSG_NOSIGNAL ) == -1)
        return WSAECONNRESET;
    /* there first: who sees the request gone looks for it */
    if (local_receive( sock->fd, &request, sizeof(request), MSG_PEEK ) == sizeof(request) &&
        request.header.kind == LOCAL_REQUEST)
    {
        local_keep( sock, request.data, request.header.length );
        local_receive( sock->fd, &request, sizeof(request), 0 );
    }
    connect_established( sock );
    return 0;
}
