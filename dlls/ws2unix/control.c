/*
 * What the helper does for the functions of the table
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


#include "ws2unix_private.h"
#include "control.h"

#include <fcntl.h>

/* ---- the functions of the table ---- */

/* WSAStartup: is there a helper? */
NTSTATUS startup( void *args )
{
    struct startup_params *params = args;
    unsigned int error;
    sigset_t old;

    if (params->version != UNIXLIB_VERSION)
    {
        params->message = "tapster: the prefix has another version's ws2_32.dll: renew it with \"tapster install\"";
        return WSAVERNOTSUPPORTED;
    }
    channel_enter( &old );
    error = channel_connect();
    channel_leave( &old );
    params->message = error ? helper_failure() : NULL;
    return error;
}
static int name_socket( struct unix_socket *socket, void *arg )
{
    struct name_request request;
    struct name_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_NAME, socket, request, reply );

    (void)arg;
    if (socket->unnamed) channel_ask_locked( &ex );
    return 0;
}

/* before handles can go to other processes: the helper must know all names */
NTSTATUS mailbox_flush( void *args )
{
    sigset_t old;

    (void)args;
    channel_enter( &old );
    sockets_enumerate( name_socket, NULL );
    channel_leave( &old );
    return 0;
}

NTSTATUS mailbox_create( void *args )
{
    struct mailbox_create_params *params = args;
    struct mailbox_request request = { 0 };
    struct mailbox_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_MAILBOX, NULL, request, reply );
    unsigned int error = channel_ask( &ex );

    /* the helper gave a fd, and we have no room for one more */
    if (!error && ex.reply_fd == -1) error = WSAEMFILE;
    params->fd = ex.reply_fd;
    params->mailbox = reply.mailbox;
    params->group = reply.group;
    return error;
}

NTSTATUS mailbox_alone( void *args )
{
    struct mailbox_alone_params *params = args;
    struct alone_request request = { params->mailbox };
    struct alone_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_ALONE, NULL, request, reply );

    return channel_ask( &ex );
}

/* A handle's file is its mailbox, and the helper has the socket; or it is a kernel socket, from outside or
 * given to a child as its stdin. */
static unsigned int adopt_locked( int fd, unsigned int handle, struct unix_socket **socket )
{
    struct adopt_request request = { .known = 0, .mailbox = (u64)(handle >> 2) << MAILBOX_COOKIE_BITS };
    struct adopt_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_ADOPT, NULL, request, reply );
    struct unix_socket *taken = sockets_take();
    unsigned int error;

    if (!taken) return WSAENOBUFS;
    ex.fd = fd;
    request.counter = taken->counter;
    if ((error = channel_ask_locked( &ex )))
    {
        sockets_put_back( taken );
        return error;
    }
    if (ex.reply_fd == -1 && (ex.reply_fd = fcntl( fd, F_DUPFD_CLOEXEC, 0 )) == -1) error = WSAEMFILE;
    else if ((*socket = sockets_find( reply.cookie )))
    {
        /* another handle of one we have: held once */
        (*socket)->refs++;
        if (!(*socket)->mailbox) (*socket)->mailbox = reply.mailbox;
        close( ex.reply_fd );
    }
    else if (channel_enter_socket( taken, ex.reply_fd, reply.cookie, reply.socket ))
    {
        *socket = taken;
        taken->mailbox = reply.mailbox;
        taken = NULL;
    }
    else error = WSAENOBUFS;
    if (taken) sockets_put_back( taken );
    if (error && ex.reply_fd != -1) close( ex.reply_fd );
    /* held once for all handles: only one that brought it here gives it back */
    if (error && !sockets_find( reply.cookie )) channel_give_back( -1, reply.socket );
    return error;
}

NTSTATUS socket_adopt( void *args )
{
    struct socket_adopt_params *params = args;
    unsigned int error;
    socklen_t len = sizeof(int);
    sigset_t old;
    int domain;

    params->socket = NULL;
    if (getsockopt( params->fd, SOL_SOCKET, SO_DOMAIN, &domain, &len ) == -1) error = WSAENOTSOCK;
    else
    {
        channel_enter( &old );
        error = adopt_locked( params->fd, params->handle, &params->socket );
        channel_leave( &old );
    }
    close( params->fd );
    return error;
}

static uint64_t mailbox_name( int fd )
{
    uint64_t cookie = 0;
    socklen_t len = sizeof(cookie);

    getsockopt( fd, SOL_SOCKET, SO_COOKIE, &cookie, &len );
    return cookie;
}

/* of a grouped handle's name the part that is its mailbox's */
static uint64_t mailbox_file( uint64_t name )
{
    return name & (((uint64_t)1 << MAILBOX_COOKIE_BITS) - 1);
}

/* Its file is the socket's mailbox, or the kernel socket itself. */
NTSTATUS socket_compare( void *args )
{
    struct socket_compare_params *params = args;
    struct unix_socket *socket = params->socket;
    uint64_t name = mailbox_name( params->fd );

    params->same = name && !socket->gone && (name == mailbox_file( socket->mailbox ) || name == socket->cookie);
    close( params->fd );
    return 0;
}

NTSTATUS socket_stray( void *args )
{
    struct socket_stray_params *params = args;
    struct stray_request request = { .mailbox = (u64)(params->handle >> 2) << MAILBOX_COOKIE_BITS, .closed = params->closed };
    struct stray_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_STRAY, NULL, request, reply );
    unsigned int error = 0;

    ex.fd = params->fd;
    if (mailbox_name( params->fd )) error = channel_ask( &ex );
    close( params->fd );
    return error;
}

/* Must the close have happened when the call returns? The program may look at once whether a port
 * is still somebody's; the end of a connection has to travel anyway. Linger can make the caller wait. */
static int close_needs_reply( const struct unix_socket *socket, unsigned int flags )
{
    const struct slot *slot = socket->slot;
    const volatile u32 *options = slot->options;

    if (slot->type != WS_SOCK_STREAM || slot->state == SOCKET_LISTENING) return slot->flags & SOCKET_BOUND;
    /* a handle of it may be in a process that does not know of it yet: then the helper must have it before we let go */
    if (socket->mailbox && !(flags & CLOSE_SOLE)) return 1;
    /* the next helper would take it for one that nobody has got yet */
    if (socket->put_back) return 1;
    if (flags & CLOSE_RESET) return 0;
    return options[OPTION_LINGER_ONOFF] && options[OPTION_LINGER_TIME];
}

/* Without waiting. If that can't be told, the helper is gone, and what only it held the kernel ends. */
static void tell_close( struct unix_socket *socket, unsigned int flags )
{
    struct close_request request = { .socket = socket->ref, .flags = flags };

    /* of one that was never named only a handle that goes on elsewhere is worth a name */
    channel_tell( REQUEST_CLOSE, flags & CLOSE_SOLE ? 0 : channel_unnamed( socket ), &request, sizeof(request) );
}

/* The one of several handles that a grouped name is made of: the name must not keep the socket when the others have gone. */
static void tell_name_closed( struct unix_socket *socket )
{
    struct close_request request = { .socket = socket->ref, .flags = CLOSE_NAME };

    if (!(socket->mailbox >> MAILBOX_COOKIE_BITS)) return;
    if (!socket->unnamed) channel_tell( REQUEST_CLOSE, 0, &request, sizeof(request) );
    socket->mailbox = 0;
    socket->unnamed = 0;
}

/* One handle less. The helper hears of the last one only, before the fd goes: it
 * decides how the connection ends. */
NTSTATUS socket_close( void *args )
{
    struct socket_close_params *params = args;
    unsigned int flags = params->flags | (params->socket->urgent ? CLOSE_URGENT : 0);
    struct close_request request = { .flags = flags };
    struct close_reply reply = { 0 };
    struct exchange ex = EXCHANGE( REQUEST_CLOSE, params->socket, request, reply );
    unsigned int error = 0;
    sigset_t old;

    params->wait_fd = -1;
    channel_enter( &old );
    if (params->socket->refs == 1 && !params->socket->gone)
    {
        if (close_needs_reply( params->socket, flags )) error = channel_ask_locked( &ex );
        else tell_close( params->socket, flags );
    }
    else if (params->socket->refs > 1 && (params->flags & CLOSE_SOLE)) tell_name_closed( params->socket );
    if (error != WSAEWOULDBLOCK)
    {
        /* whatever else went wrong in the helper, here the handle is gone */
        error = 0;
        if (!--params->socket->refs) sockets_remove( params->socket );
        params->wait_fd = ex.reply_fd;
    }
    channel_leave( &old );
    return error;
}

static int end_hung( struct unix_socket *socket, void *arg )
{
    /* one without a mailbox has a handle that is none of ours */
    if (!socket->mailbox || !(published( socket )->flags & SOCKET_HUNG)) return 0;
    tell_close( socket, CLOSE_NOWAIT | CLOSE_GONE | CLOSE_URGENT );
    sockets_abandon( socket, *(int *)arg );
    wait_wake_all();
    return 0;
}

void control_end_hung( int bell )
{
    sockets_enumerate( end_hung, &bell );
}

static void set_address( struct address *address, const void *data, int len )
{
    memset( address, 0, sizeof(*address) );
    if (len < 0 || len > (int)sizeof(address->data)) len = 0;
    address->len = len;
    memcpy( address->data, data, len );
}

NTSTATUS socket_bind( void *args )
{
    struct socket_bind_params *params = args;
    struct bind_request request;
    struct bind_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_BIND, params->socket, request, reply );
    unsigned int was_bound = published( params->socket )->flags & SOCKET_BOUND, error;

    set_address( &request.address, params->addr, params->len );
    error = channel_ask( &ex );
    /* the helper that died had bound it */
    if (error == WSAEINVAL && ex.repeated && !was_bound) error = 0;
    return error;
}

NTSTATUS socket_listen( void *args )
{
    struct socket_listen_params *params = args;
    struct listen_request request = { .backlog = params->backlog };
    struct listen_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_LISTEN, params->socket, request, reply );
    unsigned int error = local_renew( params->socket );

    return error ? error : channel_ask( &ex );
}

unsigned int control_connect_end( const struct exchange *ex, unsigned int was, unsigned int error, int reply_pending, int *pending )
{
    *pending = !error && reply_pending;
    if (!ex->repeated || was == SOCKET_CONNECTING || was == SOCKET_CONNECTED) return error;
    /* the helper that died had begun it */
    *pending |= error == WSAEALREADY;
    return error == WSAEALREADY || error == WSAEISCONN ? 0 : error;
}

NTSTATUS socket_connect( void *args )
{
    struct socket_connect_params *params = args;
    struct connect_request request;
    struct connect_reply reply = { 0 };
    struct exchange ex = EXCHANGE( REQUEST_CONNECT, params->socket, request, reply );
    unsigned int was = published( params->socket )->state, error;

    set_address( &request.address, params->addr, params->len );
    error = channel_ask( &ex );
    return control_connect_end( &ex, was, error, reply.pending, &params->pending );
}

NTSTATUS socket_connect_status( void *args )
{
    struct socket_connect_status_params *params = args;
    struct connect_status_request request;
    struct connect_status_reply reply = { 0 };
    struct exchange ex = EXCHANGE( REQUEST_CONNECT_STATUS, params->socket, request, reply );
    unsigned int error = channel_ask( &ex );

    params->pending = !error && reply.pending;
    return error;
}

/* ---- accepting ----
 *
 * The process takes the connection from the kernel's queue itself and hands it to the helper: in a helper
 * that dies between the two it would be lost. And an accept that finds nothing asks nobody. */

/* as many dead connections are passed over in one call: more wait for the next */
#define ACCEPT_TRIES 64

/* others hold the open file too, and may have cleared it: an accept must not wait here */
static void keep_nonblocking( int fd )
{
    int flags = fcntl( fd, F_GETFL );

    if (flags != -1 && !(flags & O_NONBLOCK)) fcntl( fd, F_SETFL, flags | O_NONBLOCK );
}

/* The next connection of the kernel's queue: a fd, or -1 with errno. Those that ended while they
 * waited are passed over: Windows does not show them. */
static int accept_kernel( int listener, struct sockaddr_storage *peer, socklen_t *len )
{
    int i, fd;

    keep_nonblocking( listener );
    for (i = 0; i < ACCEPT_TRIES; i++)
    {
        *len = sizeof(*peer);
        if ((fd = accept4( listener, (struct sockaddr *)peer, len, SOCK_CLOEXEC )) != -1) return fd;
        switch (errno)
        {
        case ECONNABORTED:
        case EINTR:
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

/* Tells the helper of a connection (fd), or asks for one put back (fd -1). The fd is taken over, if that succeeds. */
static unsigned int accept_locked( struct exchange *ex, int fd, struct socket_accept_params *params )
{
    struct unix_socket *taken = sockets_take();
    struct accept_request *request = ex->request;
    struct accept_reply *reply = ex->reply;
    unsigned int error;

    if (!taken) return WSAENOBUFS;
    request->counter = taken->counter;
    ex->fd = fd;
    if (!(error = channel_ask_locked( ex )) &&
        !channel_enter_socket( taken, fd == -1 ? ex->reply_fd : fd, reply->cookie, reply->socket ))
    {
        channel_give_back( ex->reply_fd, reply->socket );
        error = WSAENOBUFS;
    }
    if (error)
    {
        sockets_put_back( taken );
        return error;
    }
    params->socket = taken;
    taken->mailbox = params->mailbox;
    taken->put_back = fd == -1;
    return 0;
}

static unsigned int accept_exchange( struct socket_accept_params *params, int fd, const struct accept_request *what )
{
    struct accept_request request = *what;
    struct accept_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_ACCEPT, params->listener, request, reply );
    unsigned int error;
    sigset_t old;

    channel_enter( &old );
    error = accept_locked( &ex, fd, params );
    channel_leave( &old );
    return error;
}

/* A connection that the helper can't take just now (it has no fds, or can't be started) waits for the next accept, as
 * it would have in the kernel. One that nobody wants ends with a reset, as does one that was never accepted. */
static void keep_connection( struct unix_socket *listener, int fd, unsigned int error )
{
    int none = -1;

    if (error != WSAEINVAL && __atomic_compare_exchange_n( &listener->kept, &none, fd, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE ))
        return;
    sockets_reset( fd );
}

static int next_connection( struct unix_socket *listener, struct address *peer )
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof(addr);
    int fd = __atomic_exchange_n( &listener->kept, -1, __ATOMIC_ACQ_REL );

    if (fd == -1) fd = accept_kernel( listener->fd, &addr, &len );
    else if (getpeername( fd, (struct sockaddr *)&addr, &len ) == -1)
    {
        /* it has ended while it waited */
        close( fd );
        fd = accept_kernel( listener->fd, &addr, &len );
    }
    if (fd != -1) peer->len = sockaddr_from_unix( &addr, len, peer->data, sizeof(peer->data) );
    return fd;
}

NTSTATUS socket_accept( void *args )
{
    struct socket_accept_params *params = args;
    struct accept_request request = { .mailbox = params->mailbox };
    unsigned int error;
    int fd;

    if (published( params->listener )->flags & SOCKET_DEFERRED)
    {
        if ((error = accept_exchange( params, -1, &request )) != WSAEWOULDBLOCK) return error;
    }
    for (;;)
    {
        if ((fd = next_connection( params->listener, &request.peer )) == -1) return error_from_errno( errno );
        if (!(error = accept_exchange( params, fd, &request ))) return 0;
        if (error != WSAECONNRESET) break;
        /* local: the caller has gone, which the kernel does not mind */
        close( fd );
    }
    keep_connection( params->listener, fd, error );
    return error;
}

/* ends a connection that nobody wants; under the lock */
static void refuse( struct unix_socket *socket )
{
    struct close_request request = { .flags = CLOSE_RESET };
    struct close_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_CLOSE, socket, request, reply );

    channel_ask_locked( &ex );
    if (ex.reply_fd != -1) close( ex.reply_fd );
}

NTSTATUS socket_defer( void *args )
{
    struct socket_defer_params *params = args;
    struct defer_request request;
    struct defer_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_DEFER, params->listener, request, reply );
    unsigned int error;
    sigset_t old;

    ex.socket2 = params->socket;
    channel_enter( &old );
    /* one that can't be put back is refused: the helper must not think that we hold it still */
    if ((error = channel_ask_locked( &ex ))) refuse( params->socket );
    if (!--params->socket->refs) sockets_remove( params->socket );
    channel_leave( &old );
    return error;
}

NTSTATUS socket_shutdown( void *args )
{
    struct socket_shutdown_params *params = args;
    struct shutdown_request request = { .how = params->how };
    struct shutdown_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_SHUTDOWN, params->socket, request, reply );

    return channel_ask( &ex );
}

NTSTATUS socket_arm( void *args )
{
    struct socket_params *params = args;
    struct arm_request request;
    struct arm_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_ARM, params->socket, request, reply );

    return channel_ask( &ex );
}

NTSTATUS socket_note_reset( void *args )
{
    struct socket_params *params = args;
    struct note_reset_request request;
    struct note_reset_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_NOTE_RESET, params->socket, request, reply );

    return channel_ask( &ex );
}

NTSTATUS socket_set_option( void *args )
{
    struct socket_set_option_params *params = args;
    struct set_option_request request = { .option = params->option, .value = params->value, .value2 = params->value2 };
    struct set_option_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_SET_OPTION, params->socket, request, reply );

    return channel_ask( &ex );
}

/* Frees what has been sent. The helper can't, by emptying the file: the kernel sends these very pages. */
static int forget_backlog( struct unix_socket *socket, void *arg )
{
    (void)arg;
    if (socket->backlog_fd == -1 || (published( socket )->flags & SOCKET_BACKLOGGED)) return 0;
    close( socket->backlog_fd );
    socket->backlog_fd = -1;
    return 0;
}

NTSTATUS socket_watch_backlog( void *args )
{
    struct socket_watch_backlog_params *params = args;
    struct watch_backlog_request request;
    struct watch_backlog_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_WATCH_BACKLOG, params->socket, request, reply );
    unsigned int error;
    sigset_t old;

    channel_enter( &old );
    if (!(error = channel_ask_locked( &ex )) && ex.reply_fd == -1) forget_backlog( params->socket, NULL );
    channel_leave( &old );
    params->wait_fd = ex.reply_fd;
    return error;
}

/* O(sockets of this process): little beside the copying of what it is for */
unsigned int control_backlog( struct unix_socket *socket, uint64_t length, int memfd )
{
    struct backlog_request request = { .length = length };
    struct backlog_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_BACKLOG, socket, request, reply );
    unsigned int error;
    sigset_t old;

    ex.fd = memfd;
    channel_enter( &old );
    if ((error = channel_ask_locked( &ex ))) close( memfd );
    else
    {
        /* the one before has gone, or there could not be another */
        if (socket->backlog_fd != -1) close( socket->backlog_fd );
        socket->backlog_fd = memfd;
        socket->backlog_end = length;
    }
    sockets_enumerate( forget_backlog, NULL );
    channel_leave( &old );
    return error;
}
