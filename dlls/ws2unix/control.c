/*
 * The connection to the helper: finding it, starting it, asking it
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

/* One connection a process, one exchange at a time on it, under one lock. The
 * helper never blocks, so the lock is held for one round trip, about 10 us.
 * Wine suspends and ends threads by signals: they are blocked while the lock is
 * held, or a suspended thread would stop all the others.
 *
 * The helper may die at any moment. Whoever notices connects to the next one (or
 * starts it), says hello, tells it of every socket this process has, and asks
 * again. Data never waits for any of this. */

#include "ws2unix_private.h"
#include "control.h"

#include <pthread.h>
#include <signal.h>
#include <fcntl.h>
#include <sys/mman.h>

#define MAX_ATTEMPTS 5                  /* helpers that may die under one request before it fails */

static pthread_mutex_t control_lock = PTHREAD_MUTEX_INITIALIZER;
static int control_fd = -1;             /* the connection, -1 when there is none */
static unsigned int control_id;         /* of the last request */
static const struct slot *arena;        /* of the helper we are connected to */
static unsigned int *counters;          /* protocol.idl: the counters; one mapping for the life of the process */
static int counters_fd = -1;

/* ---- the lock ---- */

static void control_enter( sigset_t *old )
{
    sigset_t all;

    sigfillset( &all );
    sigdelset( &all, SIGSEGV );
    sigdelset( &all, SIGBUS );
    pthread_sigmask( SIG_BLOCK, &all, old );
    pthread_mutex_lock( &control_lock );
}

static void control_leave( const sigset_t *old )
{
    pthread_mutex_unlock( &control_lock );
    pthread_sigmask( SIG_SETMASK, old, NULL );
}

/* ---- sending and receiving one message ---- */

/* Returns 0, or -1 when the connection is of no more use. */
static int send_message( unsigned int type, unsigned int id, const void *data, size_t size, int fd )
{
    struct request_header header = { type, id };
    struct iovec iov[2] = { { &header, sizeof(header) }, { (void *)data, size } };
    union { struct cmsghdr header; char space[CMSG_SPACE( sizeof(int) )]; } control;
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
    ssize_t ret;

    if (fd != -1)
    {
        memset( &control, 0, sizeof(control) );
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN( sizeof(int) );
        memcpy( CMSG_DATA( &control.header ), &fd, sizeof(fd) );
        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control);
    }
    do ret = sendmsg( control_fd, &msg, MSG_NOSIGNAL );
    while (ret == -1 && errno == EINTR);
    return ret == -1 ? -1 : 0;
}

/* the fd that came with a message, -1 if none; room is for one, the kernel closes a surplus */
static int received_fd( struct msghdr *msg )
{
    struct cmsghdr *cmsg;
    int fd = -1;

    for (cmsg = CMSG_FIRSTHDR( msg ); cmsg; cmsg = CMSG_NXTHDR( msg, cmsg ))
        if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS && cmsg->cmsg_len >= CMSG_LEN( sizeof(int) ))
            memcpy( &fd, CMSG_DATA( cmsg ), sizeof(fd) );
    return fd;
}

/* Returns the reply's error, or -1 when the connection is of no more use. An fd comes only with success. */
static int receive_reply( unsigned int id, void *data, size_t size, int *fd )
{
    struct reply_header header;
    struct iovec iov[2] = { { &header, sizeof(header) }, { data, size } };
    union { struct cmsghdr header; char space[CMSG_SPACE( sizeof(int) )]; } control;
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2, .msg_control = &control, .msg_controllen = sizeof(control) };
    int error = -1;
    ssize_t ret;

    do ret = recvmsg( control_fd, &msg, MSG_CMSG_CLOEXEC );
    while (ret == -1 && errno == EINTR);
    *fd = ret > 0 ? received_fd( &msg ) : -1;
    if (ret >= (ssize_t)sizeof(header) && header.id == id)
    {
        if (!header.error && ret == (ssize_t)(sizeof(header) + size)) return 0;
        if (header.error && header.error < 0x10000) error = header.error;
    }
    if (*fd != -1) close( *fd );
    *fd = -1;
    return error;
}

static int ask_once( unsigned int type, const void *request, size_t size, int fd,
                     void *reply, size_t reply_size, int *reply_fd )
{
    unsigned int id = ++control_id;

    if (send_message( type, id, request, size, fd ) == -1) return -1;
    return receive_reply( id, reply, reply_size, reply_fd );
}

/* ---- connecting ---- */

static int make_counters(void)
{
    size_t size = PROTOCOL_MAX_SLOTS * sizeof(*counters);

    if (counters) return 0;
    if ((counters_fd = memfd_create( "tapster-counters", MFD_CLOEXEC | MFD_ALLOW_SEALING )) == -1) return -1;
    if (ftruncate( counters_fd, size ) == -1 ||
        fcntl( counters_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL ) == -1 ||
        (counters = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, counters_fd, 0 )) == MAP_FAILED)
    {
        counters = NULL;
        close( counters_fd );
        counters_fd = -1;
        return -1;
    }
    return 0;
}

static void disconnect(void)
{
    if (control_fd != -1) close( control_fd );
    control_fd = -1;
    /* the old arena stays mapped: threads read it until they see the new slot, and
     * its pages are what is left of the old helper's knowledge */
}

static int hello(void)
{
    struct hello_request request = { .magic = PROTOCOL_MAGIC, .version = PROTOCOL_VERSION, .pid = getpid() };
    struct hello_reply reply;
    void *map;
    int fd;

    if (ask_once( REQUEST_HELLO, &request, sizeof(request), counters_fd, &reply, sizeof(reply), &fd )) return -1;
    if (fd == -1) return -1;
    map = MAP_FAILED;
    if (reply.magic == PROTOCOL_MAGIC && reply.version == PROTOCOL_VERSION)
        map = mmap( NULL, PROTOCOL_MAX_SLOTS * sizeof(struct slot), PROT_READ, MAP_SHARED, fd, 0 );
    close( fd );
    if (map == MAP_FAILED) return -1;
    arena = map;
    return 0;
}

/* what a reply names: where it is published, and where we count */
static void set_ref( struct unix_socket *socket, struct socket_ref ref )
{
    socket->ref = ref;
    __atomic_store_n( &socket->pending, counters + ref.slot, __ATOMIC_RELEASE );
    __atomic_store_n( &socket->slot, arena + ref.slot, __ATOMIC_RELEASE );
}

/* Tells a new helper of a socket that the old one knew. A socket it refuses (it can't, but
 * for want of room) keeps its last state and serves data; control calls on it fail. */
static int tell_again( struct unix_socket *socket, void *arg )
{
    struct adopt_request request = { .known = 1 };
    struct adopt_reply reply;
    int fd, error;

    (void)arg;
    request.state = *socket->slot;
    error = ask_once( REQUEST_ADOPT, &request, sizeof(request), socket->fd, &reply, sizeof(reply), &fd );
    if (fd != -1) close( fd );
    if (error == -1) return -1;
    if (!error && reply.socket.slot < PROTOCOL_MAX_SLOTS) set_ref( socket, reply.socket );
    else socket->ref.generation = 0;
    return 0;
}

/* 0 when there is a connection to a helper that knows all our sockets */
static unsigned int connect_helper(void)
{
    unsigned int i;

    if (control_fd != -1) return 0;
    if (make_counters() == -1)
    {
        helper_fail( "can't share memory with", "the helper", errno );
        return WSAENOBUFS;
    }
    for (i = 0; i < MAX_ATTEMPTS; i++)
    {
        if ((control_fd = helper_connect()) == -1) return WSAENETDOWN;
        if (!hello() && !sockets_enumerate( tell_again, NULL )) return 0;
        disconnect();
    }
    helper_fail( "no answer from", "the helper", ECONNRESET );
    return WSAENETDOWN;
}

/* ---- asking ---- */

struct exchange
{
    unsigned int        type;
    void               *request;        /* begins with a socket_ref for each socket below */
    size_t              size;
    struct unix_socket *socket;         /* whose ref goes first, or NULL */
    struct unix_socket *socket2;        /* whose ref goes second, or NULL */
    int                 fd;             /* goes along, -1: none; stays the caller's */
    void               *reply;
    size_t              reply_size;
    int                 reply_fd;       /* out: -1: none */
    int                 repeated;       /* out: a helper died under it, perhaps after it had done what it was asked */
};

/* Under the lock. 0 or a Winsock error; repeats with the next helper if this one dies.
 * The refs are put in anew each time: another helper has other slots. */
static unsigned int ask_locked( struct exchange *ex )
{
    unsigned int i, error;
    int ret;

    ex->reply_fd = -1;
    for (i = 0; i < MAX_ATTEMPTS; i++)
    {
        ex->repeated = i > 0;
        if ((error = connect_helper())) return error;
        if (ex->socket) memcpy( ex->request, &ex->socket->ref, sizeof(struct socket_ref) );
        if (ex->socket2) memcpy( (struct socket_ref *)ex->request + 1, &ex->socket2->ref, sizeof(struct socket_ref) );
        ret = ask_once( ex->type, ex->request, ex->size, ex->fd, ex->reply, ex->reply_size, &ex->reply_fd );
        if (ret != -1) return ret;
        disconnect();
    }
    return WSAENETDOWN;
}

static unsigned int ask( struct exchange *ex )
{
    unsigned int error;
    sigset_t old;

    control_enter( &old );
    error = ask_locked( ex );
    control_leave( &old );
    return error;
}

#define EXCHANGE( TYPE, sock, req, rep ) \
    { .type = (TYPE), .request = &(req), .size = sizeof(req), .socket = (sock), .fd = -1, \
      .reply = &(rep), .reply_size = sizeof(rep), .reply_fd = -1 }

/* a socket that the helper has just handed over, with its fd; NULL without memory */
static struct unix_socket *enter_socket( int fd, uint64_t cookie, struct socket_ref ref )
{
    struct unix_socket *socket;

    if (fd == -1 || ref.slot >= PROTOCOL_MAX_SLOTS) return NULL;
    if (!(socket = sockets_add( fd, cookie ))) return NULL;
    set_ref( socket, ref );
    return socket;
}

/* what the helper says of a socket; it may be replaced by another helper's word at any moment */
static const struct slot *published( struct unix_socket *socket )
{
    return __atomic_load_n( &socket->slot, __ATOMIC_ACQUIRE );
}

/* ends a connection that nobody wants; under the lock */
static void refuse( struct unix_socket *socket )
{
    struct close_request request = { .flags = CLOSE_RESET };
    struct close_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_CLOSE, socket, request, reply );

    ask_locked( &ex );
    if (ex.reply_fd != -1) close( ex.reply_fd );
}

/* the helper gave a socket that we can't keep */
static void give_back( int fd, struct socket_ref ref )
{
    struct close_request request = { .socket = ref, .flags = CLOSE_NOWAIT };
    struct close_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_CLOSE, NULL, request, reply );

    ask_locked( &ex );
    if (ex.reply_fd != -1) close( ex.reply_fd );
    if (fd != -1) close( fd );
}

/* ---- the functions of the table ---- */

/* WSAStartup: is there a helper? */
NTSTATUS startup( void *args )
{
    struct startup_params *params = args;
    unsigned int error;
    sigset_t old;

    control_enter( &old );
    error = connect_helper();
    control_leave( &old );
    params->message = error ? helper_failure() : NULL;
    return error;
}

NTSTATUS socket_create( void *args )
{
    struct socket_create_params *params = args;
    struct create_request request = { params->family, params->type, params->protocol, params->context };
    struct create_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_CREATE, NULL, request, reply );
    unsigned int error;
    sigset_t old;

    control_enter( &old );
    if (!(error = ask_locked( &ex )) && !(params->socket = enter_socket( ex.reply_fd, reply.cookie, reply.socket )))
    {
        give_back( ex.reply_fd, reply.socket );
        error = WSAENOBUFS;
    }
    control_leave( &old );
    return error;
}

/* The kernel socket says who it is; a second handle of one we have shares it. */
NTSTATUS socket_adopt( void *args )
{
    struct socket_adopt_params *params = args;
    struct adopt_request request;
    struct adopt_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_ADOPT, NULL, request, reply );
    unsigned int error = 0;
    uint64_t cookie;
    socklen_t len = sizeof(cookie);
    sigset_t old;

    params->socket = NULL;
    if (getsockopt( params->fd, SOL_SOCKET, SO_COOKIE, &cookie, &len ) == -1)
    {
        close( params->fd );
        return WSAENOTSOCK;
    }
    memset( &request, 0, sizeof(request) );
    ex.fd = params->fd;
    control_enter( &old );
    if ((params->socket = sockets_find( cookie )))
    {
        params->socket->refs++;
        close( params->fd );
    }
    else if ((error = ask_locked( &ex ))) close( params->fd );
    else if (!(params->socket = enter_socket( params->fd, reply.cookie, reply.socket )))
    {
        give_back( params->fd, reply.socket );
        error = WSAENOBUFS;
    }
    control_leave( &old );
    return error;
}

/* One handle less. The helper hears of the last one only, before the fd goes: it
 * decides how the connection ends. */
NTSTATUS socket_close( void *args )
{
    struct socket_close_params *params = args;
    struct close_request request = { .flags = params->flags };
    struct close_reply reply = { 0 };
    struct exchange ex = EXCHANGE( REQUEST_CLOSE, params->socket, request, reply );
    unsigned int error = 0;
    sigset_t old;

    params->wait_fd = -1;
    control_enter( &old );
    if (params->socket->refs == 1) error = ask_locked( &ex );
    if (error != WSAEWOULDBLOCK)
    {
        /* whatever else went wrong in the helper, here the handle is gone */
        error = 0;
        if (!--params->socket->refs) sockets_remove( params->socket );
        params->wait_fd = ex.reply_fd;
    }
    control_leave( &old );
    return error;
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
    error = ask( &ex );
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

    return ask( &ex );
}

NTSTATUS socket_connect( void *args )
{
    struct socket_connect_params *params = args;
    struct connect_request request;
    struct connect_reply reply = { 0 };
    struct exchange ex = EXCHANGE( REQUEST_CONNECT, params->socket, request, reply );
    unsigned int was = published( params->socket )->state, error;

    set_address( &request.address, params->addr, params->len );
    error = ask( &ex );
    params->pending = !error && reply.pending;
    if (ex.repeated && was != SOCKET_CONNECTING && was != SOCKET_CONNECTED)
    {
        /* the helper that died had begun it */
        params->pending |= error == WSAEALREADY;
        if (error == WSAEALREADY || error == WSAEISCONN) error = 0;
    }
    return error;
}

NTSTATUS socket_connect_status( void *args )
{
    struct socket_connect_status_params *params = args;
    struct connect_status_request request;
    struct connect_status_reply reply = { 0 };
    struct exchange ex = EXCHANGE( REQUEST_CONNECT_STATUS, params->socket, request, reply );
    unsigned int error = ask( &ex );

    params->pending = !error && reply.pending;
    return error;
}

NTSTATUS socket_accept( void *args )
{
    struct socket_accept_params *params = args;
    struct accept_request request;
    struct accept_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_ACCEPT, params->listener, request, reply );
    unsigned int error;
    sigset_t old;

    control_enter( &old );
    if (!(error = ask_locked( &ex )) && !(params->socket = enter_socket( ex.reply_fd, reply.cookie, reply.socket )))
    {
        give_back( ex.reply_fd, reply.socket );
        error = WSAENOBUFS;
    }
    control_leave( &old );
    return error;
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
    control_enter( &old );
    /* one that can't be put back is refused: the helper must not think that we hold it still */
    if ((error = ask_locked( &ex ))) refuse( params->socket );
    if (!--params->socket->refs) sockets_remove( params->socket );
    control_leave( &old );
    return error;
}

NTSTATUS socket_shutdown( void *args )
{
    struct socket_shutdown_params *params = args;
    struct shutdown_request request = { .how = params->how };
    struct shutdown_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_SHUTDOWN, params->socket, request, reply );

    return ask( &ex );
}

NTSTATUS socket_arm( void *args )
{
    struct socket_params *params = args;
    struct arm_request request;
    struct arm_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_ARM, params->socket, request, reply );

    return ask( &ex );
}

NTSTATUS socket_note_reset( void *args )
{
    struct socket_params *params = args;
    struct note_reset_request request;
    struct note_reset_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_NOTE_RESET, params->socket, request, reply );

    return ask( &ex );
}

NTSTATUS socket_set_option( void *args )
{
    struct socket_set_option_params *params = args;
    struct set_option_request request = { .option = params->option, .value = params->value, .value2 = params->value2 };
    struct set_option_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_SET_OPTION, params->socket, request, reply );

    return ask( &ex );
}

NTSTATUS socket_watch_backlog( void *args )
{
    struct socket_watch_backlog_params *params = args;
    struct watch_backlog_request request;
    struct watch_backlog_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_WATCH_BACKLOG, params->socket, request, reply );
    unsigned int error = ask( &ex );

    params->wait_fd = ex.reply_fd;
    return error;
}

unsigned int control_backlog( struct unix_socket *socket, uint64_t length, int memfd )
{
    struct backlog_request request = { .length = length };
    struct backlog_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_BACKLOG, socket, request, reply );
    unsigned int error;

    ex.fd = memfd;
    error = ask( &ex );
    close( memfd );
    return error;
}
