/*
 * Clients: their connections, what they hold, and when the helper leaves
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
#include <linux/magic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "server.h"

#define CLIENT_MAX_SOCKETS  65536                   /* less where fewer fds are allowed: client_room */
#define CLIENT_MAX_BACKLOG  ((u64)512 << 20)        /* bytes of memfd that the helper keeps for one client */
#define CLIENT_BATCH        16                      /* new clients, or closes of one, before others have their turn */
#define CLIENT_HELLO_MS     10000                   /* for the first word */
#define CLIENT_REPLY_MS     10000                   /* for taking a reply when the connection is full of them */
#define CLIENT_RETRY_MS     20                      /* until a reply is tried again that the system had no room for */
#define CLIENT_MAX_FDS      253                     /* the kernel's own limit for one message (SCM_MAX_FD) */
#define COUNTERS_SIZE       ((size_t)PROTOCOL_MAX_SLOTS * sizeof(u32))

struct client
{
    struct list entry;          /* in client_list */
    struct watch watch;         /* its connection, ours to close */
    struct timer timer;         /* until hello has come, or while a reply cannot go */
    int bell;                   /* its eventfd, -1: none */
    u32 serial;                 /* tells it from others that had its place in memory */
    int pid;                    /* of the peer, as the kernel has it */
    const u32 *counters;        /* receives of it that wait, by struct hold; NULL before hello */
    struct list holds;          /* struct hold */
    u32 hold_count;
    u32 unsaid;                 /* sockets that it has still to say again after a worker's death */
    u32 mailbox_count;          /* made for it and not hung up yet */
    u64 backlog_bytes;          /* what the helper still has to send for it */
    struct reply *unsent;       /* the reply that did not fit; no request is read meanwhile */
    u64 unsent_since;           /* loop_now() of its first try */
    struct message *later;      /* a request that cannot be handled yet; no other is read meanwhile */
};

static struct list client_list = { &client_list, &client_list };
static u32 client_count;
static u32 client_last_serial;
static u32 client_max_fds;          /* that we may have */
static int client_reserve = -1;     /* a fd kept to be able to accept and turn away when there is no other */
static struct watch client_listener;
static struct timer client_leave;   /* runs while there is nothing to do */
static u32 client_linger_ms;

/* ---- holds ---- */

static struct hold *client_find_hold( struct client *client, struct sock *sock )
{
    struct hold *hold;

    /* by socket: few hold the same one, but one may hold very many */
    LIST_FOR_EACH_ENTRY( hold, &sock->holds, struct hold, sock_entry )
        if (hold->client == client) return hold;
    return NULL;
}

/* the socket that a reference names, if the client holds it */
struct sock *client_sock( struct client *client, const struct socket_ref *ref )
{
    struct sock *sock = socket_by_ref( ref );

    if (!sock || !client_find_hold( client, sock ) || park_fetch( sock )) return NULL;
    park_touch( sock );
    return sock;
}

u32 client_total(void)
{
    return client_count;
}

/* how many we may have */
u32 client_fds(void)
{
    return client_max_fds;
}

/* May it have one more, a socket or a mailbox? Together all may have what they like up to seven eighths of our
 * fds. Of the last eighth half is for everybody: each client may have an equal part of it, if it has not more already. */
u32 client_room( const struct client *client )
{
    const u32 own = client->hold_count + client->mailbox_count, used = park_fds();
    const u32 last = client_max_fds / 8;

    if (client->hold_count >= CLIENT_MAX_SOCKETS) return WSAEMFILE;
    return used < client_max_fds - last || own < last / 2 / client_count ? 0 : WSAEMFILE;
}

/* holding twice is holding once, with the counter it had */
u32 client_hold( struct client *client, struct sock *sock, u32 counter )
{
    struct hold *hold;

    if (client_find_hold( client, sock )) return 0;
    if (counter >= PROTOCOL_MAX_SLOTS) return WSAEINVAL;
    if (client_room( client )) return WSAEMFILE;
    if (!(hold = malloc( sizeof(*hold) ))) return WSAENOBUFS;
    hold->client = client;
    hold->sock = sock;
    hold->counter = counter;
    list_add_tail( &client->holds, &hold->client_entry );
    list_add_tail( &sock->holds, &hold->sock_entry );
    client->hold_count++;
    sock->unheld = 0;
    restore_claimed( sock );
    if (sock->stored) store_socket( sock );
    return 0;
}

static void client_drop_hold( struct hold *hold )
{
    list_remove( &hold->client_entry );
    list_remove( &hold->sock_entry );
    hold->client->hold_count--;
    free( hold );
}

/* no longer held, and nothing follows from it */
void client_forget( struct client *client, struct sock *sock )
{
    struct hold *hold = client_find_hold( client, sock );

    if (hold) client_drop_hold( hold );
}

/* No longer held: the last one closes it, unless somebody has a handle that he has not used yet. Without
 * the last one's consent: a close that is to wait or to fail has been thought of before. */
void client_release( struct client *client, struct sock *sock )
{
    park_fetch( sock );
    client_forget( client, sock );
    sock->handed = 0;               /* who has let go of it has had it: it is its listener's no more */
    if (list_empty( &sock->holds ))
    {
        if (!mailbox_keeps( sock ))
        {
            close_last( sock );
            return;
        }
        sock->unheld = 1;
        store_socket( sock );
    }
    shutdown_look( sock );          /* its receives wait no more */
}

/* does any holder have a receive waiting in the socket? */
int client_waiting( const struct sock *sock )
{
    struct hold *hold;

    LIST_FOR_EACH_ENTRY( hold, &sock->holds, struct hold, sock_entry )
        if (__atomic_load_n( &hold->client->counters[hold->counter], __ATOMIC_SEQ_CST )) return 1;
    return 0;
}

int client_bell( const struct client *client )
{
    return client->bell;
}

/* a bell that rings already is not rung again: nothing is lost */
void client_ring( const struct client *client )
{
    if (client->bell != -1) eventfd_write( client->bell, 1 );
}

/* ---- bounds ---- */

u32 client_serial( const struct client *client )
{
    return client->serial;
}

/* as the kernel has it */
u32 client_pid( const struct client *client )
{
    return client->pid;
}

/* workers before us had clients of these numbers */
void client_serial_used( u32 serial )
{
    if (client_last_serial < serial) client_last_serial = serial;
}

static struct client *client_by_serial( u32 serial )
{
    struct client *client;

    LIST_FOR_EACH_ENTRY( client, &client_list, struct client, entry )
        if (client->serial == serial) return client;
    return NULL;
}

u32 client_mailbox_add( struct client *client )
{
    if (client_room( client )) return WSAEMFILE;
    client->mailbox_count++;
    return 0;
}

/* one of it that a worker before us made; the client's serial */
u32 client_mailbox_take( struct client *client )
{
    client->mailbox_count++;
    return client->serial;
}

/* the client may be gone by then */
void client_mailbox_sub( u32 serial )
{
    struct client *client = client_by_serial( serial );

    if (client) client->mailbox_count--;
}

u32 client_backlog_add( struct client *client, u64 length )
{
    if (length > CLIENT_MAX_BACKLOG - client->backlog_bytes) return WSAENOBUFS;
    client->backlog_bytes += length;
    return 0;
}

/* the client may be gone by then */
void client_backlog_sub( u32 serial, u64 length )
{
    struct client *client = client_by_serial( serial );

    if (client) client->backlog_bytes -= length;
}

/* ---- the end of clients and of the helper ---- */

static void client_close_fds( const struct reply *reply )
{
    u32 i;

    for (i = 0; i < reply->fd_count; i++) close( reply->fds[i] );
}

static void client_free_reply( struct client *client )
{
    if (!client->unsent) return;
    client_close_fds( client->unsent );
    free( client->unsent );
    client->unsent = NULL;
}

static void client_free_later( struct client *client )
{
    if (!client->later) return;
    if (client->later->fd != -1) close( client->later->fd );
    free( client->later );
    client->later = NULL;
}

static void client_drop( struct client *client, const char *why )
{
    struct list *entry;
    struct sock *sock;

    if (why) log_line( "client %d dropped: %s", client->pid, why );
    else if (log_debug) log_line( "client %d has gone", client->pid );

    loop_watch( &client->watch, 0 );
    loop_cancel( &client->timer );
    close( client->watch.fd );
    if (client->bell != -1) close( client->bell );
    client->bell = -1;
    list_remove( &client->entry );      /* first: nothing that follows shall find it */
    client_count--;
    if (client->counters) store_client_end( client->serial );
    client_free_reply( client );
    client_free_later( client );
    while ((entry = list_head( &client->holds )))
    {
        sock = CONTAINER_OF( entry, struct hold, client_entry )->sock;
        sock->urgent = 1;
        client_release( client, sock );
    }
    if (client->counters) munmap( (void *)client->counters, COUNTERS_SIZE );
    free( client );
    client_check_idle();
}

/* With nothing left to do the time runs until the helper leaves. A socket without a client is to be finished,
 * or some process has a handle of it that it has not used yet. */
void client_check_idle(void)
{
    if (client_count || socket_count()) loop_cancel( &client_leave );
    else if (!client_leave.index) loop_timer( &client_leave, client_linger_ms );
}

/* ---- replies ---- */

/* 0, or -1 with errno */
static int client_send( int fd, const struct reply *reply )
{
    union { struct cmsghdr header; char space[CMSG_SPACE( PROTOCOL_MAX_FDS * sizeof(int) )]; } control;
    struct iovec iov = { (void *)reply->data.bytes, reply->len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    const size_t size = reply->fd_count * sizeof(int);

    if (size)
    {
        memset( &control, 0, sizeof(control) );
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN( size );
        memcpy( CMSG_DATA( &control.header ), reply->fds, size );
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE( size );
    }
    return sendmsg( fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL ) == -1 ? -1 : 0;
}

/* can a failed send be tried again? EAGAIN: when the client has read others. The rest: the
 * system is short of memory, or has too many fds under way. */
static int client_send_later( int err )
{
    return err == EAGAIN || err == ENOBUFS || err == ENOMEM || err == ETOOMANYREFS || err == EINTR;
}

/* Keeps a reply that does not fit. No request is read until it has gone, so one
 * client keeps at most one. 0, or -1: the client is to be dropped. */
static int client_keep_reply( struct client *client, const struct reply *reply, int err )
{
    struct reply *kept;

    if (!client_send_later( err )) return -1;
    if (!(client->unsent = kept = malloc( sizeof(*reply) ))) return -1;
    *kept = *reply;
    /* of its own: the sockets that they belong to may end before */
    for (kept->fd_count = 0; kept->fd_count < reply->fd_count; kept->fd_count++)
        if ((kept->fds[kept->fd_count] = fcntl( reply->fds[kept->fd_count], F_DUPFD_CLOEXEC, 0 )) == -1) return -1;
    client->unsent_since = loop_now();
    /* a connection with room would report so all the time */
    loop_watch( &client->watch, err == EAGAIN ? EPOLLOUT : 0 );
    loop_timer( &client->timer, err == EAGAIN ? CLIENT_REPLY_MS : CLIENT_RETRY_MS );
    return 0;
}

static void client_retry_reply( struct client *client )
{
    if (client_send( client->watch.fd, client->unsent ) == -1)
    {
        if (!client_send_later( errno )) client_drop( client, NULL );
        else if (loop_now() - client->unsent_since >= CLIENT_REPLY_MS) client_drop( client, "does not read its replies" );
        else if (!client->watch.events) loop_timer( &client->timer, CLIENT_RETRY_MS );
        return;
    }
    client_free_reply( client );
    loop_cancel( &client->timer );
    if (loop_watch( &client->watch, EPOLLIN ) == -1) client_drop( client, "cannot be watched" );
}

/* ---- requests ---- */

/* Takes the fds out of a message: one is kept, surplus ones are closed and counted. */
static int client_take_fds( struct msghdr *msg, int *kept )
{
    struct cmsghdr *cmsg;
    int count = 0, fd;
    size_t i, n;

    *kept = -1;
    for (cmsg = CMSG_FIRSTHDR( msg ); cmsg; cmsg = CMSG_NXTHDR( msg, cmsg ))
    {
        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS) continue;
        n = (cmsg->cmsg_len - CMSG_LEN( 0 )) / sizeof(int);
        for (i = 0; i < n; i++)
        {
            memcpy( &fd, CMSG_DATA( cmsg ) + i * sizeof(int), sizeof(fd) );
            if (!count++) *kept = fd;
            else close( fd );
        }
    }
    return count;
}

enum client_word
{
    WORD_NONE,                  /* nothing there */
    WORD_MESSAGE,
    WORD_END,                   /* it has closed the connection */
    WORD_BAD                    /* nothing that a client of ours would say */
};

static enum client_word client_receive( struct client *client, struct message *message )
{
    union { struct cmsghdr header; char space[CMSG_SPACE( CLIENT_MAX_FDS * sizeof(int) )]; } control;
    struct iovec iov = { message->data.bytes, sizeof(message->data.bytes) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    ssize_t ret;
    int fds;

    if ((ret = recvmsg( client->watch.fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC )) == -1)
        return errno == EAGAIN || errno == EINTR ? WORD_NONE : WORD_END;

    fds = client_take_fds( &msg, &message->fd );
    message->len = ret;
    message->fd_lost = !fds && (msg.msg_flags & MSG_CTRUNC);    /* no fd was free for it */
    if (fds <= 1 && !(msg.msg_flags & MSG_TRUNC) && (fds != 1 || !(msg.msg_flags & MSG_CTRUNC)))
    {
        if (ret) return WORD_MESSAGE;
        if (!fds && !message->fd_lost) return WORD_END;     /* or an empty packet, which is nothing better */
    }
    if (message->fd != -1) close( message->fd );
    return WORD_BAD;
}

/* Keeps a request that is to be handled later. */
static void client_keep_request( struct client *client, const struct message *message )
{
    if (!client->later && !(client->later = malloc( sizeof(*client->later) )))
    {
        if (message->fd != -1) close( message->fd );
        client_drop( client, "cannot be answered" );
        return;
    }
    *client->later = *message;
    loop_watch( &client->watch, 0 );
    loop_timer( &client->timer, CLIENT_RETRY_MS );
}

/* 1: nobody waits for a reply, so there may be another request already */
static int client_handle( struct client *client, struct message *message )
{
    struct reply reply;
    int ret;

    if ((ret = request_handle( client, client->counters != NULL, message, &reply )))
    {
        if (ret == -1) client_drop( client, "malformed request" );
        else client_keep_request( client, message );
        return 0;
    }
    ret = reply.len ? client_send( client->watch.fd, &reply ) : 0;
    if (ret == -1) ret = client_keep_reply( client, &reply, errno );
    if (reply.close_fd) client_close_fds( &reply );
    if (ret == -1) client_drop( client, "cannot be answered" );
    park_relieve();             /* not before: what goes with a reply must be there */
    return !reply.len;
}

static void client_retry_request( struct client *client )
{
    struct message message = *client->later;

    free( client->later );
    client->later = NULL;
    if (loop_watch( &client->watch, EPOLLIN ) != -1) client_handle( client, &message );
    else
    {
        if (message.fd != -1) close( message.fd );
        client_drop( client, "cannot be watched" );
    }
}

/* one request. 1: it was one that nobody waits for, so there may be another already */
static int client_read_one( struct client *client )
{
    struct message message;

    switch (client_receive( client, &message ))
    {
    case WORD_NONE:    return 0;
    case WORD_END:     client_drop( client, NULL ); return 0;
    case WORD_BAD:     client_drop( client, "message too long or with too many fds" ); return 0;
    case WORD_MESSAGE: break;
    }
    return client_handle( client, &message );
}

/* Up to a request that has a reply: clients wait for it, so a look for another would find nothing; where
 * there is one, the loop comes back for it when others have had their turn. */
static void client_read( struct client *client )
{
    int i;

    for (i = 0; i < CLIENT_BATCH && client_read_one( client ); i++) /* again */;
}

static void client_ready( struct watch *watch, u32 events )
{
    struct client *client = CONTAINER_OF( watch, struct client, watch );

    if (!client->unsent && !client->later) client_read( client );
    else if (events & (EPOLLHUP | EPOLLERR)) client_drop( client, NULL );
    else if (client->unsent) client_retry_reply( client );
}

static void client_expired( struct timer *timer )
{
    struct client *client = CONTAINER_OF( timer, struct client, timer );

    if (client->unsent) client_retry_reply( client );
    else if (client->later) client_retry_request( client );
    else if (!client->counters) client_drop( client, "says nothing" );
}

/* Counters that can neither shrink (a read beyond the end would kill us) nor be something
 * else than plain shared memory (whose pages might not come when wanted). */
static const u32 *client_map_counters( int fd )
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW;
    struct statfs fs;
    struct stat st;
    void *map;

    if ((fcntl( fd, F_GET_SEALS ) & seals) != seals) return NULL;
    if (fstatfs( fd, &fs ) || fs.f_type != TMPFS_MAGIC) return NULL;
    if (fstat( fd, &st ) || st.st_size != COUNTERS_SIZE) return NULL;
    map = mmap( NULL, COUNTERS_SIZE, PROT_READ, MAP_SHARED, fd, 0 );
    return map == MAP_FAILED ? NULL : map;
}

u32 client_hello( struct client *client, int counters, const struct hello_request *hello )
{
    if (!(client->counters = client_map_counters( counters ))) return WSAEINVAL;
    loop_cancel( &client->timer );
    client->bell = eventfd( 0, EFD_CLOEXEC | EFD_NONBLOCK );
    store_client( client->serial, client->pid );
    if (!(client->unsaid = hello->sockets)) store_client_back( client->pid );
    if (log_debug) log_line( "client %d says hello as %u", client->pid, hello->pid );
    return 0;
}

/* one of the sockets that it knew from the worker before */
void client_said_again( struct client *client )
{
    if (client->unsaid && !--client->unsaid) store_client_back( client->pid );
}

/* for a keeper that knows nothing */
void client_store_all(void)
{
    struct client *client;

    LIST_FOR_EACH_ENTRY( client, &client_list, struct client, entry )
        if (client->counters) store_client( client->serial, client->pid );
}

/* ---- arrival ---- */

static int client_is_ours( int fd, int *pid )
{
    struct ucred cred;
    socklen_t len = sizeof(cred);

    if (getsockopt( fd, SOL_SOCKET, SO_PEERCRED, &cred, &len )) return 0;
    *pid = cred.pid;
    if (cred.uid == geteuid()) return 1;
    log_line( "process %d of uid %d turned away", (int)cred.pid, (int)cred.uid );
    return 0;
}

static int client_new( int fd )
{
    struct client *client;
    int pid;

    if (!client_is_ours( fd, &pid )) return -1;
    if (!(client = calloc( 1, sizeof(*client) ))) return -1;
    client->pid = pid;
    client->bell = -1;
    client->serial = ++client_last_serial;
    client->watch.fd = fd;
    client->watch.ready = client_ready;
    client->timer.expired = client_expired;
    list_init( &client->holds );
    if (loop_watch( &client->watch, EPOLLIN ) == -1)
    {
        free( client );
        return -1;
    }
    loop_timer( &client->timer, CLIENT_HELLO_MS );
    list_add_tail( &client_list, &client->entry );
    client_count++;
    client_check_idle();
    return 0;
}

static int client_open_reserve(void)
{
    return open( "/dev/null", O_RDONLY | O_CLOEXEC );
}

/* No fd is free. With the reserve one the caller is let in and sent away, so that it knows;
 * left in the queue it would wait for ever, and we would be called for ever. */
static void client_turn_away(void)
{
    int fd;

    log_line( "no fd for another client" );
    if (client_reserve != -1) close( client_reserve );
    if ((fd = accept4( client_listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK )) != -1) close( fd );
    client_reserve = client_open_reserve();
}

static void client_accept( struct watch *watch, u32 events )
{
    int fd, i;

    (void)events;
    for (i = 0; i < CLIENT_BATCH; i++)
    {
        if ((fd = accept4( watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK )) == -1)
        {
            if (errno == EMFILE || errno == ENFILE) client_turn_away();
            return;
        }
        if (client_new( fd ) == -1) close( fd );
    }
}

/* whoever has just come keeps us */
static void client_leave_now( struct timer *timer )
{
    (void)timer;
    client_accept( &client_listener, 0 );
    if (client_count) return;
    if (log_debug) log_line( "nothing left to do" );
    loop_stop();
}

int client_init( int listener, u32 linger_ms )
{
    struct rlimit limit;

    client_max_fds = 2 * PROTOCOL_MAX_SLOTS;
    if (!getrlimit( RLIMIT_NOFILE, &limit ) && limit.rlim_cur < client_max_fds) client_max_fds = limit.rlim_cur;
    client_linger_ms = linger_ms;
    client_leave.expired = client_leave_now;
    client_reserve = client_open_reserve();
    client_listener.fd = listener;
    client_listener.ready = client_accept;
    /* the one that started us has still to come, and may be slow */
    loop_timer( &client_leave, linger_ms < 2000 ? 2000 : linger_ms );
    return loop_watch( &client_listener, EPOLLIN );
}

void client_done(void)
{
    struct list *entry;

    loop_watch( &client_listener, 0 );
    while ((entry = list_head( &client_list ))) client_drop( CONTAINER_OF( entry, struct client, entry ), NULL );
    loop_cancel( &client_leave );
    if (client_reserve != -1) close( client_reserve );
    client_reserve = -1;
}
