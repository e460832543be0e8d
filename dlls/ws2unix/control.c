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
#include <time.h>

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

struct fds
{
    unsigned int count;
    int          fds[PROTOCOL_MAX_FDS];
};

/* the first, if there are any; the others, which nobody asked for, are closed */
static int only_fd( struct fds *fds )
{
    while (fds->count > 1) close( fds->fds[--fds->count] );
    return fds->count ? fds->fds[0] : -1;
}

/* Returns 0, or -1 when the connection is of no more use. */
static int send_message( unsigned int type, unsigned int id, uint64_t mailbox, const void *data, size_t size, int fd )
{
    struct request_header header = { type, id, mailbox };
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

/* the fds that came with a message; the kernel closes what there is no room for */
static void received_fds( struct msghdr *msg, struct fds *fds )
{
    struct cmsghdr *cmsg;

    fds->count = 0;
    for (cmsg = CMSG_FIRSTHDR( msg ); cmsg; cmsg = CMSG_NXTHDR( msg, cmsg ))
    {
        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS) continue;
        fds->count = (cmsg->cmsg_len - CMSG_LEN( 0 )) / sizeof(int);
        if (fds->count > PROTOCOL_MAX_FDS) fds->count = PROTOCOL_MAX_FDS;
        memcpy( fds->fds, CMSG_DATA( cmsg ), fds->count * sizeof(int) );
    }
}

/* Returns the reply's error, or -1 when the connection is of no more use. Fds come only with success. */
static int receive_reply( unsigned int id, void *data, size_t size, struct fds *fds )
{
    struct reply_header header;
    struct iovec iov[2] = { { &header, sizeof(header) }, { data, size } };
    union { struct cmsghdr header; char space[CMSG_SPACE( PROTOCOL_MAX_FDS * sizeof(int) )]; } control;
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2, .msg_control = &control, .msg_controllen = sizeof(control) };
    int error = -1;
    ssize_t ret;

    do ret = recvmsg( control_fd, &msg, MSG_CMSG_CLOEXEC );
    while (ret == -1 && errno == EINTR);
    fds->count = 0;
    if (ret > 0) received_fds( &msg, fds );
    if (ret >= (ssize_t)sizeof(header) && header.id == id)
    {
        if (!header.error && ret == (ssize_t)(sizeof(header) + size)) return 0;
        if (header.error && header.error < 0x10000) error = header.error;
    }
    while (fds->count) close( fds->fds[--fds->count] );
    return error;
}

static int ask_once( unsigned int type, uint64_t mailbox, const void *request, size_t size, int fd,
                     void *reply, size_t reply_size, struct fds *reply_fds )
{
    unsigned int id = ++control_id;

    reply_fds->count = 0;
    if (send_message( type, id, mailbox, request, size, fd ) == -1) return -1;
    return receive_reply( id, reply, reply_size, reply_fds );
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
    struct fds fds;
    void *map;
    int fd;

    if (ask_once( REQUEST_HELLO, 0, &request, sizeof(request), counters_fd, &reply, sizeof(reply), &fds )) return -1;
    if ((fd = only_fd( &fds )) == -1) return -1;
    map = MAP_FAILED;
    if (reply.magic == PROTOCOL_MAGIC && reply.version == PROTOCOL_VERSION)
        map = mmap( NULL, PROTOCOL_MAX_SLOTS * sizeof(struct slot), PROT_READ, MAP_SHARED, fd, 0 );
    close( fd );
    if (map == MAP_FAILED) return -1;
    arena = map;
    return 0;
}

/* what a reply names, and where it is published */
static void set_ref( struct unix_socket *socket, struct socket_ref ref )
{
    socket->ref = ref;
    __atomic_store_n( &socket->slot, arena + ref.slot, __ATOMIC_RELEASE );
}

/* What the old helper had still to send the new one does: the memfd's position says how much that is.
 * An error of the connection's own ends the backlog with it. */
static int backlog_again( struct unix_socket *socket, struct socket_ref ref )
{
    struct backlog_request request = { .socket = ref, .length = socket->backlog_end };
    struct backlog_reply reply;
    struct fds fds;
    int error;

    if (socket->backlog_fd == -1) return 0;
    error = ask_once( REQUEST_BACKLOG, 0, &request, sizeof(request), socket->backlog_fd, &reply, sizeof(reply), &fds );
    while (fds.count) close( fds.fds[--fds.count] );
    return error == -1 ? -1 : 0;
}

/* Tells a new helper of a socket that the old one knew. A socket it refuses (it can't, but
 * for want of room) keeps its last state and serves data; control calls on it fail. */
static int tell_again( struct unix_socket *socket, void *arg )
{
    struct adopt_request request = { .known = 1, .counter = socket->counter, .mailbox = socket->mailbox };
    struct adopt_reply reply;
    struct fds fds;
    int fd, error;

    (void)arg;
    request.state = *socket->slot;
    error = ask_once( REQUEST_ADOPT, 0, &request, sizeof(request), socket->fd, &reply, sizeof(reply), &fds );
    if ((fd = only_fd( &fds )) != -1) close( fd );
    if (error == -1) return -1;
    socket->unnamed = 0;
    if (!error && reply.socket.slot < PROTOCOL_MAX_SLOTS)
    {
        /* before anybody sees in the new slot that there is no backlog, and sends */
        if (backlog_again( socket, reply.socket )) return -1;
        set_ref( socket, reply.socket );
    }
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
    struct fds         *reply_fds;      /* out, where there may be several; else NULL */
};

/* what the helper has still to be told of a socket's mailbox; 0: nothing */
static uint64_t unnamed( const struct unix_socket *socket )
{
    return socket && socket->unnamed ? socket->mailbox : 0;
}

/* Under the lock. 0 or a Winsock error; repeats with the next helper if this one dies.
 * The refs are put in anew each time: another helper has other slots. */
static unsigned int ask_locked( struct exchange *ex )
{
    struct fds one, *fds = ex->reply_fds ? ex->reply_fds : &one;
    unsigned int i, error;
    int ret;

    ex->reply_fd = -1;
    fds->count = 0;
    for (i = 0; i < MAX_ATTEMPTS; i++)
    {
        ex->repeated = i > 0;
        if ((error = connect_helper())) return error;
        if (ex->socket) memcpy( ex->request, &ex->socket->ref, sizeof(struct socket_ref) );
        if (ex->socket2) memcpy( (struct socket_ref *)ex->request + 1, &ex->socket2->ref, sizeof(struct socket_ref) );
        ret = ask_once( ex->type, unnamed( ex->socket ), ex->request, ex->size, ex->fd, ex->reply, ex->reply_size, fds );
        if (fds == &one) ex->reply_fd = only_fd( fds );
        if (ret != -1)
        {
            if (ex->socket) ex->socket->unnamed = 0;
            return ret;
        }
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

/* Makes one that was taken the socket that the helper has just handed over, with its fd. A helper that
 * is right never fails us here. */
static int enter_socket( struct unix_socket *socket, int fd, uint64_t cookie, struct socket_ref ref )
{
    if (fd == -1 || ref.slot >= PROTOCOL_MAX_SLOTS || sockets_find( cookie )) return 0;
    socket->pending = counters + socket->counter;
    sockets_enter( socket, fd, cookie );
    set_ref( socket, ref );
    return 1;
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

    if (params->version != UNIXLIB_VERSION)
    {
        params->message = "tapster: the prefix has another version's ws2_32.dll: renew it with \"tapster install\"";
        return WSAVERNOTSUPPORTED;
    }
    control_enter( &old );
    error = connect_helper();
    control_leave( &old );
    params->message = error ? helper_failure() : NULL;
    return error;
}

/* ---- sockets for later ----
 *
 * A process that makes sockets quickly gets several at once, so that most of them cost no
 * round trip. They are sockets like others, but that they have no handle yet. */

#define SPARE_KINDS  4                  /* kinds of socket that a process may be quick with */
#define SPARE_PERIOD 2000000            /* ns: made faster than one in this time is quickly */

struct spare_kind
{
    struct create_request  kind;        /* what to ask for; the mailbox and count mean nothing */
    struct unix_socket    *sockets[PROTOCOL_MAX_FDS];
    unsigned int           count;
    unsigned int           batch;       /* how many to ask for */
    int64_t                last;        /* when it was asked for last, ns */
};

static struct spare_kind spares[SPARE_KINDS];
static unsigned int next_kind;

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime( CLOCK_MONOTONIC, &ts );
    return ts.tv_sec * (int64_t)1000000000 + ts.tv_nsec;
}

static int same_kind( const struct create_request *a, const struct create_request *b )
{
    return a->family == b->family && a->type == b->type && a->protocol == b->protocol && a->context == b->context;
}

/* NULL: this kind is not counted, since others have spares */
static struct spare_kind *find_kind( const struct create_request *kind )
{
    unsigned int i;

    for (i = 0; i < SPARE_KINDS; i++)
        if (same_kind( &spares[i].kind, kind )) return &spares[i];
    if (spares[next_kind = (next_kind + 1) % SPARE_KINDS].count) return NULL;
    memset( &spares[next_kind], 0, sizeof(spares[next_kind]) );
    spares[next_kind].kind = *kind;
    return &spares[next_kind];
}

/* 1, 2, 4, 8 while it goes on quickly, 1 again when not */
static unsigned int next_batch( struct spare_kind *spare )
{
    int64_t now = now_ns();

    if (!spare->batch || now - spare->last > SPARE_PERIOD * spare->batch) spare->batch = 1;
    else if (spare->batch < PROTOCOL_MAX_FDS) spare->batch *= 2;
    spare->last = now;
    return spare->batch;
}

/* one that is there already; the helper hears of its handle with the first request for it, or when
 * the handle may go to another process */
static struct unix_socket *use_spare( struct spare_kind *spare, uint64_t mailbox )
{
    struct unix_socket *socket = spare->sockets[--spare->count];

    socket->mailbox = mailbox;
    socket->unnamed = 1;
    return socket;
}

/* takes what can become the sockets of a create: fewer than asked for if there is no memory */
static int take_sockets( struct unix_socket **taken, struct create_request *request )
{
    unsigned int i;

    for (i = 0; i < request->count && (taken[i] = sockets_take()); i++) request->counters[i] = taken[i]->counter;
    request->count = i;
    return i != 0;
}

/* enters what came: the first is asked for, the others are spares */
static struct unix_socket *enter_created( struct unix_socket **taken, const struct create_reply *reply,
                                          const struct fds *fds, struct spare_kind *spare )
{
    struct unix_socket *first = NULL;
    unsigned int i;

    for (i = 0; i < fds->count; i++)
    {
        if (i >= reply->count || !taken[i]) close( fds->fds[i] );
        else if (!enter_socket( taken[i], fds->fds[i], reply->made[i].cookie, reply->made[i].socket ))
            give_back( fds->fds[i], reply->made[i].socket );
        else
        {
            if (!i) first = taken[i];
            else spare->sockets[spare->count++] = taken[i];
            taken[i] = NULL;
        }
    }
    return first;
}

static unsigned int create_locked( struct create_request *request, struct unix_socket **socket )
{
    struct unix_socket *taken[PROTOCOL_MAX_FDS] = { NULL };
    struct spare_kind *spare = find_kind( request );
    struct create_reply reply;
    struct fds fds;
    struct exchange ex = EXCHANGE( REQUEST_CREATE, NULL, *request, reply );
    unsigned int error, i;

    if (spare && spare->count)
    {
        *socket = use_spare( spare, request->mailbox );
        return 0;
    }
    request->count = spare ? next_batch( spare ) : 1;
    ex.reply_fds = &fds;
    if (!take_sockets( taken, request )) return WSAENOBUFS;
    if (!(error = ask_locked( &ex )) && !(*socket = enter_created( taken, &reply, &fds, spare ))) error = WSAENOBUFS;
    for (i = 0; i < request->count; i++)
        if (taken[i]) sockets_put_back( taken[i] );
    if (!error) (*socket)->mailbox = request->mailbox;
    return error;
}

NTSTATUS socket_create( void *args )
{
    struct socket_create_params *params = args;
    struct create_request request = { params->family, params->type, params->protocol, params->context, params->mailbox, 1, 0, { 0 } };
    unsigned int error;
    sigset_t old;

    control_enter( &old );
    error = create_locked( &request, &params->socket );
    control_leave( &old );
    return error;
}

static int name_socket( struct unix_socket *socket, void *arg )
{
    struct name_request request;
    struct name_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_NAME, socket, request, reply );

    (void)arg;
    if (socket->unnamed) ask_locked( &ex );
    return 0;
}

/* before handles can go to other processes: the helper must know all names */
NTSTATUS mailbox_flush( void *args )
{
    sigset_t old;

    (void)args;
    control_enter( &old );
    sockets_enumerate( name_socket, NULL );
    control_leave( &old );
    return 0;
}

NTSTATUS mailbox_create( void *args )
{
    struct mailbox_create_params *params = args;
    struct mailbox_request request = { 0 };
    struct mailbox_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_MAILBOX, NULL, request, reply );
    unsigned int error = ask( &ex );

    params->fd = ex.reply_fd;
    params->mailbox = reply.mailbox;
    return error;
}

/* A handle's file is its mailbox, and the helper has the socket; or it is a kernel socket, from outside or
 * given to a child as its stdin. */
static unsigned int adopt_locked( int fd, struct unix_socket **socket )
{
    struct adopt_request request = { .known = 0 };
    struct adopt_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_ADOPT, NULL, request, reply );
    struct unix_socket *taken = sockets_take();
    unsigned int error;

    if (!taken) return WSAENOBUFS;
    ex.fd = fd;
    request.counter = taken->counter;
    if ((error = ask_locked( &ex )))
    {
        sockets_put_back( taken );
        return error;
    }
    if (ex.reply_fd == -1 && (ex.reply_fd = fcntl( fd, F_DUPFD_CLOEXEC, 0 )) == -1) error = WSAEMFILE;
    else if ((*socket = sockets_find( reply.cookie )))
    {
        /* another handle of one we have: held once */
        (*socket)->refs++;
        close( ex.reply_fd );
    }
    else if (enter_socket( taken, ex.reply_fd, reply.cookie, reply.socket ))
    {
        *socket = taken;
        taken = NULL;
    }
    else error = WSAENOBUFS;
    if (taken) sockets_put_back( taken );
    if (error && ex.reply_fd != -1) close( ex.reply_fd );
    /* held once for all handles: only one that brought it here gives it back */
    if (error && !sockets_find( reply.cookie )) give_back( -1, reply.socket );
    return error;
}

static uint64_t mailbox_name( int fd )
{
    uint64_t cookie = 0;
    socklen_t len = sizeof(cookie);

    getsockopt( fd, SOL_SOCKET, SO_COOKIE, &cookie, &len );
    return cookie;
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
        control_enter( &old );
        error = adopt_locked( params->fd, &params->socket );
        if (!error && domain == AF_UNIX && !params->socket->mailbox) params->socket->mailbox = mailbox_name( params->fd );
        control_leave( &old );
    }
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
    if (flags & (CLOSE_NOWAIT | CLOSE_RESET)) return 0;
    return options[OPTION_LINGER_ONOFF] && options[OPTION_LINGER_TIME];
}

/* Tells the helper without waiting: what this process asks next is done after it. If that
 * can't be told, the helper is gone, and with it all it held. */
static void tell_close( struct unix_socket *socket, unsigned int flags )
{
    struct close_request request = { .socket = socket->ref, .flags = flags };
    /* of one that was never named only a handle that goes on elsewhere is worth a name */
    uint64_t mailbox = flags & CLOSE_SOLE ? 0 : unnamed( socket );

    if (control_fd == -1) return;
    if (send_message( REQUEST_CLOSE | REQUEST_NO_REPLY, ++control_id, mailbox, &request, sizeof(request), -1 ) == -1) disconnect();
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
    if (params->socket->refs == 1)
    {
        if (close_needs_reply( params->socket, params->flags )) error = ask_locked( &ex );
        else tell_close( params->socket, params->flags );
    }
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

static unsigned int accept_locked( struct exchange *ex, struct socket_accept_params *params )
{
    struct unix_socket *taken = sockets_take();
    struct accept_request *request = ex->request;
    struct accept_reply *reply = ex->reply;
    unsigned int error;

    if (!taken) return WSAENOBUFS;
    request->counter = taken->counter;
    if (!(error = ask_locked( ex )) && !enter_socket( taken, ex->reply_fd, reply->cookie, reply->socket ))
    {
        give_back( ex->reply_fd, reply->socket );
        error = WSAENOBUFS;
    }
    if (error)
    {
        sockets_put_back( taken );
        return error;
    }
    params->socket = taken;
    taken->mailbox = params->mailbox;
    return 0;
}

NTSTATUS socket_accept( void *args )
{
    struct socket_accept_params *params = args;
    struct accept_request request = { .mailbox = params->mailbox };
    struct accept_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_ACCEPT, params->listener, request, reply );
    unsigned int error;
    sigset_t old;

    control_enter( &old );
    error = accept_locked( &ex, params );
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

    control_enter( &old );
    if (!(error = ask_locked( &ex )) && ex.reply_fd == -1) forget_backlog( params->socket, NULL );
    control_leave( &old );
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
    control_enter( &old );
    if ((error = ask_locked( &ex ))) close( memfd );
    else
    {
        /* the one before has gone, or there could not be another */
        if (socket->backlog_fd != -1) close( socket->backlog_fd );
        socket->backlog_fd = memfd;
        socket->backlog_end = length;
    }
    sockets_enumerate( forget_backlog, NULL );
    control_leave( &old );
    return error;
}
