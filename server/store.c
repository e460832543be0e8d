/*
 * The worker's side of the store: what the keeper is told, and what a new worker finds
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
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "store.h"

/* Kept is what no client can tell the next worker: sockets that no client holds (those that still
 * send after their close, those that only a handle keeps, connections put back), backlogs, the ends of mailboxes, the time that
 * connects under way have still. Not kept is what the clients say again by themselves, so that making, using and
 * closing a socket in the ordinary way costs no message at all. */

#define STORE_COMEBACK_MS 2000  /* for clients of a worker that has died to come back */
#define STORE_RETRY_MS    1000  /* until another keeper is tried */

/* a message for which there was no room; fds are its own */
struct store_unsent
{
    struct list entry;
    struct store_message message;
    int fds[STORE_ROLES];
};

/* a client of the worker before us */
struct store_client
{
    struct list entry;
    struct watch watch;         /* pidfd, -1: none */
    u64 serial;                 /* what the keeper calls it */
    u32 pid;
};

static struct watch store_watch = { .fd = -1 };     /* our end of the pair, -1: no keeper */
static struct list store_queue = { &store_queue, &store_queue };
static struct list store_clients = { &store_clients, &store_clients };
static struct timer store_timer;                    /* another keeper is to be tried */
static struct timer store_comeback;                 /* end of the time for those of before */
static int store_settled = 1;                       /* all of those have come back, or are given up */
static u64 store_began;                             /* loop_now() when this keeper was started */
static int (*store_start)( int pair );              /* starts a keeper with that end */

static void store_lost(void);

/* ---- messages ---- */

static int store_sendmsg( const struct store_message *message, const int *fds )
{
    union { struct cmsghdr header; char space[CMSG_SPACE( STORE_ROLES * sizeof(int) )]; } control;
    struct iovec iov = { (void *)message, offsetof( struct store_message, data ) + message->len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    int i, count = 0, send[STORE_ROLES];

    for (i = 0; i < STORE_ROLES; i++) if (message->set & (1 << i)) send[count++] = fds[i];
    if (count)
    {
        memset( &control, 0, sizeof(control) );
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN( count * sizeof(int) );
        memcpy( CMSG_DATA( &control.header ), send, count * sizeof(int) );
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE( count * sizeof(int) );
    }
    return sendmsg( store_watch.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL ) == -1 ? -1 : 0;
}

static void store_free_unsent( struct store_unsent *unsent )
{
    int i;

    list_remove( &unsent->entry );
    for (i = 0; i < STORE_ROLES; i++) if (unsent->fds[i] != -1) close( unsent->fds[i] );
    free( unsent );
}

static void store_free_queue(void)
{
    struct list *entry;

    while ((entry = list_head( &store_queue ))) store_free_unsent( CONTAINER_OF( entry, struct store_unsent, entry ) );
}

/* In order: once one waits, all that follow do. */
static void store_enqueue( const struct store_message *message, const int *fds )
{
    struct store_unsent *unsent;
    int i;

    if (!(unsent = malloc( sizeof(*unsent) )))
    {
        log_line( "no memory for what is to be kept" );
        return;
    }
    unsent->message = *message;
    /* of its own: the socket may end before */
    for (i = 0; i < STORE_ROLES; i++)
    {
        unsent->fds[i] = -1;
        if (!(message->set & (1 << i))) continue;
        if ((unsent->fds[i] = fcntl( fds[i], F_DUPFD_CLOEXEC, 0 )) == -1) unsent->message.set &= ~(1 << i);
    }
    list_add_tail( &store_queue, &unsent->entry );
    if (store_watch.events != (EPOLLIN | EPOLLOUT)) loop_watch( &store_watch, EPOLLIN | EPOLLOUT );
}

static int store_gone( int err )
{
    return err == EPIPE || err == ECONNRESET || err == ENOTCONN;
}

/* what could not go before */
static void store_flush(void)
{
    struct list *entry;
    struct store_unsent *unsent;

    while ((entry = list_head( &store_queue )))
    {
        unsent = CONTAINER_OF( entry, struct store_unsent, entry );
        if (store_sendmsg( &unsent->message, unsent->fds ) == -1)
        {
            if (store_gone( errno )) store_lost();
            return;
        }
        store_free_unsent( unsent );
    }
    loop_watch( &store_watch, EPOLLIN );
}

static void store_send( struct store_message *message, const int *fds )
{
    if (store_watch.fd == -1) return;
    if (!list_empty( &store_queue )) store_enqueue( message, fds );
    else if (store_sendmsg( message, fds ) == -1)
    {
        /* seen by the loop, which has another one begin with all there is */
        if (!store_gone( errno )) store_enqueue( message, fds );
    }
}

static void store_put( u32 kind, u64 id, const void *data, u32 len, int fd )
{
    struct store_message message = { .op = STORE_PUT, .kind = kind, .id = id, .len = len };
    int fds[STORE_ROLES] = { fd, -1, -1, -1, -1 };

    if (fd != -1) message.set = 1 << STORE_FD;
    memcpy( message.data, data, len );
    store_send( &message, fds );
}

static void store_drop( u32 kind, u64 id )
{
    struct store_message message = { .op = STORE_DROP, .kind = kind, .id = id };

    store_send( &message, NULL );
}

/* ---- the things that are kept ---- */

/* Is there something about the socket that no client knows? */
static int store_needed( const struct sock *sock )
{
    return sock->closing || sock->backlog || sock->unheld || sock->shared || sock->handed ||
           restore_awaits( sock ) || !list_empty( &sock->deferred_entry );
}

static void store_fill_socket( const struct sock *sock, struct kept_socket *kept, int fds[STORE_ROLES] )
{
    int i;

    memset( kept, 0, sizeof(*kept) );
    for (i = 0; i < STORE_ROLES; i++) fds[i] = -1;
    kept->slot = sock->pub;
    kept->mailbox = mailbox_name( sock );
    if (sock->handed || !list_empty( &sock->deferred_entry )) kept->listener = sock->listener_cookie;
    kept->handed = list_empty( &sock->deferred_entry );
    kept->closing = sock->closing;
    kept->unheld = sock->unheld;
    kept->shared = sock->shared;
    kept->deadline = sock->closing ? sock->timer.when : 0;
    fds[STORE_FD] = sock->fd;
    backlog_describe( sock, &kept->backlog_end, &fds[STORE_BACKLOG], &fds[STORE_WATCH_READ] );
    close_describe( sock, &kept->lingers, &kept->fin_sent, &fds[STORE_LINGER] );
}

/* Tells the keeper what is to be known of the socket, if anything is. Before clients see a change, so that the keeper
 * never knows less than they do. */
static void store_put_socket( struct sock *sock )
{
    struct store_message message = { .op = STORE_PUT, .kind = STORE_SOCKET, .id = sock->pub.cookie };
    int i, fds[STORE_ROLES];

    store_fill_socket( sock, (struct kept_socket *)message.data, fds );
    message.len = sizeof(struct kept_socket);
    for (i = 0; i < STORE_ROLES; i++)
    {
        if (fds[i] != -1 && !(sock->stored & (1 << i))) message.set |= 1 << i;
        if (fds[i] == -1 && (sock->stored & (1 << i))) message.clear |= 1 << i;
    }
    sock->stored = (sock->stored | message.set) & ~message.clear;
    store_send( &message, fds );
}

/* called with every change: for most sockets there is nothing to do */
void store_socket( struct sock *sock )
{
    if (!store_needed( sock )) store_socket_end( sock );
    else if (store_watch.fd != -1) store_put_socket( sock );
}

void store_socket_end( struct sock *sock )
{
    if (!sock->stored) return;
    sock->stored = 0;
    store_drop( STORE_SOCKET, sock->pub.cookie );
}

void store_mailbox( u64 cookie, int fd, u32 pid )
{
    struct kept_mailbox kept = { pid, 0 };

    store_put( STORE_MAILBOX, cookie, &kept, sizeof(kept), fd );
}

void store_mailbox_end( u64 cookie )
{
    store_drop( STORE_MAILBOX, cookie );
}

/* a connect is under way: when it is to end */
void store_connect( struct sock *sock )
{
    sock->stored_connect = 1;
    store_put( STORE_CONNECT, sock->pub.cookie, &sock->timer.when, sizeof(sock->timer.when), -1 );
}

void store_connect_end( struct sock *sock )
{
    if (!sock->stored_connect) return;
    sock->stored_connect = 0;
    store_drop( STORE_CONNECT, sock->pub.cookie );
}

/* what the peer of a local socket said with the connection */
void store_data( u64 cookie, const void *data, u32 length )
{
    store_put( STORE_DATA, cookie, data, length, -1 );
}

void store_data_end( u64 cookie )
{
    store_drop( STORE_DATA, cookie );
}

void store_ghost( u32 ghost, const struct port_address *addr )
{
    store_put( STORE_GHOST, ghost, addr, sizeof(*addr), -1 );
}

void store_ghost_end( u32 ghost )
{
    store_drop( STORE_GHOST, ghost );
}

/* ---- clients, those of before and those that are here ---- */

static void store_settle(void)
{
    struct kept *kept;

    if (store_settled || !list_empty( &store_clients )) return;
    store_settled = 1;
    loop_cancel( &store_comeback );
    while ((kept = keeper_next( NULL, STORE_CONNECT )))
    {
        store_drop( STORE_CONNECT, kept->id );
        keeper_forget( kept );
    }
    while ((kept = keeper_next( NULL, STORE_DATA )))
    {
        store_drop( STORE_DATA, kept->id );
        keeper_forget( kept );
    }
    restore_settle();
}

/* Has every client of the worker before this one said again what it knows? */
int store_is_settled(void)
{
    return store_settled;
}

static void store_client_forget( struct store_client *client )
{
    list_remove( &client->entry );
    store_drop( STORE_CLIENT, client->serial );
    if (client->watch.fd != -1)
    {
        loop_watch( &client->watch, 0 );
        close( client->watch.fd );
    }
    free( client );
}

/* it has ended */
static void store_client_ended( struct watch *watch, u32 events )
{
    (void)events;
    store_client_forget( CONTAINER_OF( watch, struct store_client, watch ) );
    store_settle();
}

static void store_comeback_over( struct timer *timer )
{
    struct list *entry;

    (void)timer;
    while ((entry = list_head( &store_clients ))) store_client_forget( CONTAINER_OF( entry, struct store_client, entry ) );
    store_settle();
}

void store_client( u32 serial, u32 pid )
{
    struct kept_client kept = { pid, 0, 0 };

    store_put( STORE_CLIENT, serial, &kept, sizeof(kept), -1 );
}

/* One has said again all it knows. It may be known twice: a worker died while it was about it. */
void store_client_back( u32 pid )
{
    struct store_client *client, *next;

    LIST_FOR_EACH_ENTRY_SAFE( client, next, &store_clients, struct store_client, entry )
        if (client->pid == pid) store_client_forget( client );
    restore_client_back( pid );
    store_settle();
}

void store_client_end( u32 serial )
{
    store_drop( STORE_CLIENT, serial );
}

/* ---- a new worker ---- */

static void store_restore_mailboxes(void)
{
    const struct kept_mailbox *data;
    struct kept *kept, *next;

    for (kept = keeper_next( NULL, STORE_MAILBOX ); kept; kept = next)
    {
        next = keeper_next( kept, STORE_MAILBOX );
        data = (const struct kept_mailbox *)kept->data;
        if (!mailbox_restore( kept->id, kept->fds[STORE_FD], data->pid )) kept->fds[STORE_FD] = -1;
        else store_drop( STORE_MAILBOX, kept->id );
        keeper_forget( kept );
    }
}

static void store_restore_ghosts(void)
{
    struct port_address addr;
    struct kept *kept, *next;

    for (kept = keeper_next( NULL, STORE_GHOST ); kept; kept = next)
    {
        next = keeper_next( kept, STORE_GHOST );
        memcpy( &addr, kept->data, sizeof(addr) );
        if (!ports_restore_ghost( kept->id, &addr )) store_drop( STORE_GHOST, kept->id );
        keeper_forget( kept );
    }
}

/* What cannot be restored is let go: its end is then the kernel's business. */
static void store_restore_sockets(void)
{
    const struct kept_socket *data;
    struct kept *kept, *next;
    struct sock *sock;
    u32 stored;
    int i;

    for (kept = keeper_next( NULL, STORE_SOCKET ); kept; kept = next)
    {
        next = keeper_next( kept, STORE_SOCKET );
        data = (const struct kept_socket *)kept->data;
        stored = 0;
        for (i = 0; i < STORE_ROLES; i++) if (kept->fds[i] != -1) stored |= 1 << i;
        if (kept->fds[STORE_FD] != -1 && (sock = restore_socket( data, kept->fds )))
        {
            sock->stored = stored;
            restore_resume( sock, data, kept->fds );
        }
        else store_drop( STORE_SOCKET, kept->id );
        keeper_forget( kept );
    }
}

static void store_restore_client( const struct kept *kept, u64 *deadline )
{
    struct kept_client *data = (struct kept_client *)kept->data;
    struct store_client *client;

    if (!(client = calloc( 1, sizeof(*client) ))) return;
    client->serial = kept->id;
    client->pid = data->pid;
    client->watch.ready = store_client_ended;
    client->watch.fd = syscall( SYS_pidfd_open, data->pid, 0 );
    list_add_tail( &store_clients, &client->entry );
    if (client->watch.fd == -1 || loop_watch( &client->watch, EPOLLIN ) == -1)
    {
        store_client_forget( client );
        return;
    }
    if (!data->deadline)
    {
        data->deadline = loop_now() + STORE_COMEBACK_MS;
        store_put( STORE_CLIENT, kept->id, data, sizeof(*data), -1 );
    }
    if (data->deadline > *deadline) *deadline = data->deadline;
}

/* Those that our predecessors knew have had their time from the first death on. */
static void store_restore_clients(void)
{
    u64 deadline = 0, now = loop_now();
    struct kept *kept, *next;

    for (kept = keeper_next( NULL, STORE_CLIENT ); kept; kept = next)
    {
        next = keeper_next( kept, STORE_CLIENT );
        client_serial_used( kept->id );
        store_restore_client( kept, &deadline );
        keeper_forget( kept );
    }
    loop_timer( &store_comeback, deadline > now ? deadline - now : 0 );
}

/* When a connect that was under way is to end; 0: not known. */
u64 store_connect_deadline( u64 cookie )
{
    struct kept *kept = keeper_find( STORE_CONNECT, cookie );
    u64 when;

    if (!kept) return 0;
    memcpy( &when, kept->data, sizeof(when) );
    keeper_forget( kept );
    return when;
}

/* its length; 0: there is none */
u32 store_data_take( u64 cookie, void *data, u32 size )
{
    struct kept *kept = keeper_find( STORE_DATA, cookie );
    u32 length;

    if (!kept) return 0;
    length = kept->len < size ? kept->len : size;
    memcpy( data, kept->data, length );
    keeper_forget( kept );
    return length;
}

/* ---- the keeper ---- */

static void store_ready( struct watch *watch, u32 events )
{
    (void)watch;
    if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) store_lost();
    else if (events & EPOLLOUT) store_flush();
}

/* tells a keeper that knows nothing */
static void store_all(void)
{
    mailbox_store_all();
    ports_store_all();
    restore_store_all();
    client_store_all();
}

static void store_begin( struct timer *timer )
{
    int fds[2];

    (void)timer;
    if (socketpair( AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds ) == -1) fds[0] = -1;
    else if (store_start( fds[1] ) == -1)
    {
        close( fds[0] );
        close( fds[1] );
        fds[0] = -1;
    }
    if (fds[0] == -1)
    {
        loop_timer( &store_timer, STORE_RETRY_MS );
        return;
    }
    close( fds[1] );
    store_began = loop_now();
    store_watch.fd = fds[0];
    loop_watch( &store_watch, EPOLLIN );
    store_all();
}

/* The keeper has died: another one takes its place. Not at once, in case they go on dying. */
static void store_lost(void)
{
    log_line( "the keeper has gone" );
    loop_watch( &store_watch, 0 );
    close( store_watch.fd );
    store_watch.fd = -1;
    store_free_queue();
    loop_timer( &store_timer, loop_now() - store_began < STORE_RETRY_MS / 10 ? STORE_RETRY_MS : 0 );
}

/* pair: our end, -1: there is no keeper. start: how to get another one. */
void store_init( int pair, int (*start)( int pair ) )
{
    store_start = start;
    store_timer.expired = store_begin;
    store_comeback.expired = store_comeback_over;
    store_watch.fd = pair;
    store_watch.ready = store_ready;
    if (pair == -1 || loop_watch( &store_watch, EPOLLIN ) == -1) return;
    store_settled = keeper_is_empty();
    if (store_settled) return;
    store_restore_mailboxes();
    store_restore_ghosts();
    store_restore_sockets();
    store_restore_clients();
}

/* the worker answers now */
void store_serving(void)
{
    struct store_message message = { .op = STORE_SERVING };

    store_send( &message, NULL );
}

/* an orderly end: nothing is to be kept any more */
void store_done(void)
{
    struct store_message message = { .op = STORE_BYE };
    struct pollfd polls = { .events = POLLOUT };
    struct list *entry;
    struct kept *kept;

    store_free_queue();
    while ((entry = list_head( &store_clients ))) store_client_forget( CONTAINER_OF( entry, struct store_client, entry ) );
    store_free_queue();
    if (store_watch.fd != -1)
    {
        /* nobody waits for us any more */
        polls.fd = store_watch.fd;
        poll( &polls, 1, STORE_RETRY_MS );
        store_sendmsg( &message, NULL );
        loop_watch( &store_watch, 0 );
        close( store_watch.fd );
        store_watch.fd = -1;
    }
    loop_cancel( &store_timer );
    loop_cancel( &store_comeback );
    while ((kept = keeper_next( NULL, STORE_CONNECT ))) keeper_forget( kept );
    while ((kept = keeper_next( NULL, STORE_DATA ))) keeper_forget( kept );
}
