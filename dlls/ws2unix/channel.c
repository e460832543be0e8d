/*
 * The connection to the helper: messages, connecting, asking
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
 * The helper may die at any moment. Whoever notices (watch.c, or the next request) connects to the next one (or
 * starts it), says hello, tells it of every socket this process has, and asks
 * again. Data never waits for any of this. */

#include "ws2unix_private.h"
#include "control.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

#define MAX_ATTEMPTS 5                  /* helpers that may die under one request before it fails */

static pthread_mutex_t channel_lock = PTHREAD_MUTEX_INITIALIZER;
static int channel_fd = -1;             /* the connection, -1 when there is none */
static int bell_fd = -1;                /* the helper rings it; -1: none */
static unsigned int channel_id;         /* of the last request */
static int helper_pid;                  /* of the helper we are connected to */
static const struct slot *arena;        /* of the helper we are connected to */
static unsigned int *counters;          /* protocol.idl: the counters; one mapping for the life of the process */
static int counters_fd = -1;

/* ---- the lock ---- */

void channel_enter( sigset_t *old )
{
    sigset_t all;

    sigfillset( &all );
    sigdelset( &all, SIGSEGV );
    sigdelset( &all, SIGBUS );
    pthread_sigmask( SIG_BLOCK, &all, old );
    pthread_mutex_lock( &channel_lock );
}

void channel_leave( const sigset_t *old )
{
    pthread_mutex_unlock( &channel_lock );
    pthread_sigmask( SIG_SETMASK, old, NULL );
}

/* ---- sending and receiving one message ---- */

/* the first, if there are any; the others, which nobody asked for, are closed */
static int only_fd( struct fds *fds )
{
    while (fds->count > 1) close( fds->fds[--fds->count] );
    return fds->count ? fds->fds[0] : -1;
}

/* Returns 0, -1 when the connection is of no more use, or WSAENOBUFS when the system has no room for the message. */
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
    do ret = sendmsg( channel_fd, &msg, MSG_NOSIGNAL );
    while (ret == -1 && errno == EINTR);
    if (ret != -1) return 0;
    return errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS ? WSAENOBUFS : -1;
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

    do ret = recvmsg( channel_fd, &msg, MSG_CMSG_CLOEXEC );
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
    unsigned int id = ++channel_id;
    int error;

    reply_fds->count = 0;
    if ((error = send_message( type, id, mailbox, request, size, fd ))) return error;
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
    if (channel_fd != -1) close( channel_fd );
    if (bell_fd != -1) close( bell_fd );
    channel_fd = bell_fd = -1;
    /* the old arena stays mapped: threads read it until they see the new slot, and
     * its pages are what is left of the old helper's knowledge */
}

static int count_socket( struct unix_socket *socket, void *arg )
{
    (void)socket;
    ++*(unsigned int *)arg;
    return 0;
}

static int hello(void)
{
    struct hello_request request = { .magic = PROTOCOL_MAGIC, .version = PROTOCOL_VERSION, .pid = getpid() };
    struct hello_reply reply;
    struct fds fds;
    void *map;
    int fd;

    sockets_enumerate( count_socket, &request.sockets );
    if (ask_once( REQUEST_HELLO, 0, &request, sizeof(request), counters_fd, &reply, sizeof(reply), &fds )) return -1;
    if (fds.count == 2) bell_fd = fds.fds[--fds.count];
    if ((fd = only_fd( &fds )) == -1) return -1;
    map = MAP_FAILED;
    if (reply.magic == PROTOCOL_MAGIC && reply.version == PROTOCOL_VERSION)
        map = mmap( NULL, PROTOCOL_MAX_SLOTS * sizeof(struct slot), PROT_READ, MAP_SHARED, fd, 0 );
    close( fd );
    if (map == MAP_FAILED) return -1;
    arena = map;
    helper_pid = reply.helper_pid;
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

/* What the old helper said last of a socket. It has died; if that was while it wrote, the slot is half
 * old, half new, and the arena's journal has all of it. */
static void last_word( const struct unix_socket *socket, struct slot *slot )
{
    const struct slot *journal = socket->slot - socket->ref.slot + PROTOCOL_JOURNAL;

    *slot = *socket->slot;
    if ((slot->seq & 1) && !(journal->seq & 1) && journal->cookie == slot->cookie) *slot = *journal;
}

/* Those who wait for a listener wait for the old helper's event: they get the new one's. */
static int watch_accept_again( struct unix_socket *socket, struct socket_ref ref )
{
    struct watch_accept_request request = { ref };
    struct watch_accept_reply reply;
    struct fds fds;
    int error, fd;

    if (socket->accept_fd == -1) return 0;
    error = ask_once( REQUEST_WATCH_ACCEPT, 0, &request, sizeof(request), -1, &reply, sizeof(reply), &fds );
    if ((fd = only_fd( &fds )) != -1) listener_watch( socket, fd );
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
    last_word( socket, &request.state );
    if (request.state.cookie != socket->cookie)
    {
        /* a local one, renewed by a helper that did not live to tell */
        request.state.cookie = socket->cookie;
        request.state.flags |= SOCKET_SPENT;
    }
    error = ask_once( REQUEST_ADOPT, 0, &request, sizeof(request), socket->fd, &reply, sizeof(reply), &fds );
    if ((fd = only_fd( &fds )) != -1) close( fd );
    if (error == -1 || error == WSAENOBUFS) return -1;      /* there may be room later */
    socket->unnamed = 0;
    if (!error && reply.socket.slot < PROTOCOL_MAX_SLOTS)
    {
        /* before anybody sees in the new slot that there is no backlog, and sends */
        if (backlog_again( socket, reply.socket ) || watch_accept_again( socket, reply.socket )) return -1;
        set_ref( socket, reply.socket );
    }
    else socket->ref.generation = 0;
    return 0;
}

/* 0 when there is a connection to a helper that knows all our sockets */
unsigned int channel_connect(void)
{
    unsigned int i;

    if (channel_fd != -1) return 0;
    if (make_counters() == -1)
    {
        helper_fail( "can't share memory with", "the helper", errno );
        return WSAENOBUFS;
    }
    for (i = 0; i < MAX_ATTEMPTS; i++)
    {
        if ((channel_fd = helper_connect()) == -1) return WSAENETDOWN;
        if (!hello() && !sockets_enumerate( tell_again, NULL ))
        {
            watch_helper( helper_pid, bell_fd );
            return 0;
        }
        disconnect();
    }
    helper_fail( "no answer from", "the helper", ECONNRESET );
    return WSAENETDOWN;
}

/* ---- asking ---- */

/* what the helper has still to be told of a socket's mailbox; 0: nothing */
uint64_t channel_unnamed( const struct unix_socket *socket )
{
    return socket && socket->unnamed ? socket->mailbox : 0;
}

/* Under the lock. 0 or a Winsock error; repeats with the next helper if this one dies.
 * The refs are put in anew each time: another helper has other slots. */
unsigned int channel_ask_locked( struct exchange *ex )
{
    struct fds one, *fds = ex->reply_fds ? ex->reply_fds : &one;
    unsigned int i, error;
    int ret;

    ex->reply_fd = -1;
    fds->count = 0;
    for (i = 0; i < MAX_ATTEMPTS; i++)
    {
        ex->repeated = i > 0;
        if ((error = channel_connect())) return error;
        if (ex->socket) memcpy( ex->request, &ex->socket->ref, sizeof(struct socket_ref) );
        if (ex->socket2) memcpy( (struct socket_ref *)ex->request + 1, &ex->socket2->ref, sizeof(struct socket_ref) );
        ret = ask_once( ex->type, channel_unnamed( ex->socket ), ex->request, ex->size, ex->fd, ex->reply, ex->reply_size, fds );
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

unsigned int channel_ask( struct exchange *ex )
{
    unsigned int error;
    sigset_t old;

    channel_enter( &old );
    error = channel_ask_locked( ex );
    channel_leave( &old );
    return error;
}

/* Makes one that was taken the socket that the helper has just handed over, with its fd. A helper that
 * is right never fails us here. */
int channel_enter_socket( struct unix_socket *socket, int fd, uint64_t cookie, struct socket_ref ref )
{
    if (fd == -1 || ref.slot >= PROTOCOL_MAX_SLOTS || sockets_find( cookie )) return 0;
    socket->pending = counters + socket->counter;
    sockets_enter( socket, fd, cookie );
    set_ref( socket, ref );
    watch_start( helper_pid, bell_fd );
    return 1;
}

/* the helper gave a socket that we can't keep */
void channel_give_back( int fd, struct socket_ref ref )
{
    struct close_request request = { .socket = ref, .flags = CLOSE_NOWAIT };
    struct close_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_CLOSE, NULL, request, reply );

    channel_ask_locked( &ex );
    if (ex.reply_fd != -1) close( ex.reply_fd );
    if (fd != -1) close( fd );
}

/* ---- noticing the helper's death ---- */

/* under the lock: is the helper gone, though nobody has asked it anything since? Between exchanges nothing comes from it. */
static int is_dead(void)
{
    char byte;

    if (channel_fd == -1) return 1;
    return recv( channel_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT ) != -1 || errno != EAGAIN;
}

unsigned int channel_renew(void)
{
    unsigned int error = 0;
    sigset_t old;

    channel_enter( &old );
    if (is_dead())
    {
        disconnect();
        error = channel_connect();
    }
    channel_leave( &old );
    return error;
}

void channel_answer_bell(void)
{
    sigset_t old;

    channel_enter( &old );
    if (bell_fd != -1) control_end_hung( bell_fd );
    channel_leave( &old );
}

/* If that can't be told, the helper is gone, and with it all it held. */
void channel_tell( unsigned int type, uint64_t mailbox, const void *request, size_t size )
{
    if (channel_fd == -1) return;
    if (send_message( type | REQUEST_NO_REPLY, ++channel_id, mailbox, request, size, -1 ) == -1) disconnect();
}
