/*
 * Mailboxes: which socket a handle stands for, and when its last handle has gone
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
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <unistd.h>
#include <sys/epoll.h>

#include "server.h"

#define MAILBOX_BUCKETS 16384   /* a power of two; cookies are counted up */
#define MAILBOX_GRACE_MS 100    /* a client that closes its handle says so soon */
#define MAILBOX_SPARING 8       /* from so many on (this part of our fds) handles are grouped */

/* A mailbox; or one handle of a group's, which has no fd of its own. */
struct mailbox
{
    u64 cookie;                 /* of the clients' end: its name; a grouped handle's name has its value as well */
    struct mailbox *next;       /* in its bucket */
    struct mailbox *group;      /* grouped: the mailbox it is a handle of, NULL: none, or blind */
    struct list grouped;        /* its handles that have names; or a grouped one's place there */
    struct watch watch;         /* our end; fd -1: blind, made by a helper before us, or grouped */
    struct sock *sock;          /* whose handle it is now, NULL: nobody's */
    u32 owner;                  /* serial of the client it was made for, 0: one of the worker before us */
    u32 pid;                    /* of that client */
    u8 hung;                    /* its handles had all been closed when a worker's death was over */
};

static struct mailbox *mailbox_buckets[MAILBOX_BUCKETS];
static u32 mailbox_count;       /* fds we have for mailboxes */

static struct mailbox **mailbox_bucket( u64 cookie )
{
    return &mailbox_buckets[(cookie ^ cookie >> MAILBOX_COOKIE_BITS) % MAILBOX_BUCKETS];
}

static u64 mailbox_file( u64 cookie )
{
    return cookie & (((u64)1 << MAILBOX_COOKIE_BITS) - 1);
}

static struct mailbox *mailbox_find( u64 cookie )
{
    struct mailbox *box = *mailbox_bucket( cookie );

    while (box && box->cookie != cookie) box = box->next;
    return box;
}

static void mailbox_free( struct mailbox *box )
{
    struct mailbox **ptr = mailbox_bucket( box->cookie );
    struct list *entry;

    while (*ptr != box) ptr = &(*ptr)->next;
    *ptr = box->next;
    if (box->group) list_remove( &box->grouped );
    else while ((entry = list_head( &box->grouped )))
    {
        list_remove( entry );
        CONTAINER_OF( entry, struct mailbox, grouped )->group = NULL;
    }
    if (box->watch.fd != -1)
    {
        mailbox_count--;
        loop_watch( &box->watch, 0 );
        close( box->watch.fd );
        client_mailbox_sub( box->owner );
        store_mailbox_end( box->cookie );
    }
    free( box );
}

/* Clients hold the socket that have not closed it: their handles were closed by other processes (DUPLICATE_CLOSE_SOURCE), or
 * a thread of theirs does not leave it. Those who hold it without a handle of ours (a child's stdin) know it. */
void mailbox_hung( struct timer *timer )
{
    struct sock *sock = CONTAINER_OF( timer, struct sock, hung );
    struct hold *hold;

    if (sock->mailbox || sock->closing) return;
    sock->pub.flags |= SOCKET_HUNG;
    socket_publish( sock );
    LIST_FOR_EACH_ENTRY( hold, &sock->holds, struct hold, sock_entry ) client_ring( hold->client );
}

/* The last handle has gone, in whichever process. */
static void mailbox_end( struct mailbox *box )
{
    struct sock *sock = box->sock;

    if (sock) sock->mailbox = NULL;
    mailbox_free( box );
    if (!sock) return;
    if (!list_empty( &sock->holds ))
    {
        loop_timer( &sock->hung, MAILBOX_GRACE_MS );
        return;
    }
    if (sock->closing) return;
    if (!restore_awaits( sock )) close_last( sock );
    else store_socket( sock );      /* its holders may have still to come back */
}

/* of a group: all of its sockets have lost their handles */
static void mailbox_end_grouped( struct mailbox *box )
{
    struct list *entry;

    /* each may take others with it: a listener the connections that were put back */
    while ((entry = list_head( &box->grouped ))) mailbox_end( CONTAINER_OF( entry, struct mailbox, grouped ) );
}

/* Or somebody wrote into one, which nobody does who knows what it is: that is left lying. */
static void mailbox_ready( struct watch *watch, u32 events )
{
    struct mailbox *box = CONTAINER_OF( watch, struct mailbox, watch );

    if (!(events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR))) return;
    mailbox_end_grouped( box );
    if (!box->sock && !store_is_settled())
    {
        /* it may be the handle of a socket of which we shall hear */
        loop_watch( &box->watch, 0 );
        box->hung = 1;
        return;
    }
    mailbox_end( box );
}

static struct mailbox *mailbox_new( u64 cookie, int fd, u32 owner )
{
    struct mailbox *box, **bucket = mailbox_bucket( cookie );

    if (!(box = calloc( 1, sizeof(*box) ))) return NULL;
    box->cookie = cookie;
    list_init( &box->grouped );
    box->watch.fd = fd;
    box->watch.ready = mailbox_ready;
    box->owner = owner;
    box->next = *bucket;
    *bucket = box;
    if (fd != -1) mailbox_count++;
    return box;
}

/* one that is known by its name alone: a grouped handle, or one that a helper before us made */
static struct mailbox *mailbox_new_name( u64 cookie, u32 owner )
{
    struct mailbox *box = mailbox_new( cookie, -1, owner );

    if (!box || cookie == mailbox_file( cookie ) || !(box->group = mailbox_find( mailbox_file( cookie ) ))) return box;
    list_add_tail( &box->group->grouped, &box->grouped );
    return box;
}

/* 0: it has none */
u64 mailbox_name( const struct sock *sock )
{
    return sock->mailbox ? sock->mailbox->cookie : 0;
}

/* of the client it was made for */
u32 mailbox_pid( const struct sock *sock )
{
    const struct mailbox *box = sock->mailbox;

    if (!box) return 0;
    return box->group ? box->group->pid : box->pid;
}

/* the fd that tells when the socket's last handle has gone, or its group's; -1: none */
static int mailbox_fd( const struct sock *sock )
{
    const struct mailbox *box = sock->mailbox;

    if (!box) return -1;
    return box->group ? box->group->watch.fd : box->watch.fd;
}

/* how many fds there are for them */
u32 mailbox_fds(void)
{
    return mailbox_count;
}

/* Does a handle keep the socket, though no client does? */
int mailbox_keeps( const struct sock *sock )
{
    return mailbox_fd( sock ) != -1;
}

/* Has the last handle gone just now, before the loop has come to it? Then the socket has none any more. */
int mailbox_gone( struct sock *sock )
{
    struct pollfd poll_fd = { .fd = mailbox_fd( sock ) };
    struct mailbox *box = sock->mailbox;

    if (poll_fd.fd == -1) return 1;
    if (poll( &poll_fd, 1, 0 ) != 1 || !(poll_fd.revents & (POLLHUP | POLLERR))) return 0;
    sock->mailbox = NULL;
    mailbox_free( box );
    return 1;
}

/* the socket has the handle no more; what is left of a blind one serves nobody */
void mailbox_unbind( struct sock *sock )
{
    struct mailbox *box = sock->mailbox;

    if (!box) return;
    box->sock = NULL;
    sock->mailbox = NULL;
    if (box->watch.fd == -1) mailbox_free( box );
}

/* Whose may it be? One from before the worker's death is its client's as soon as that says so, and
 * any process's that knows its name: it may be the only one left. */
static int mailbox_belongs( struct mailbox *box, struct client *client )
{
    if (box->owner) return box->owner == client_serial( client );
    if (box->pid == client_pid( client )) box->owner = client_mailbox_take( client );
    return 1;
}

/* A grouped handle's value is another socket's now: that one's handle has been closed, and not by its process. */
static void mailbox_move( struct mailbox *box )
{
    struct sock *sock = box->sock;

    box->sock = NULL;
    sock->mailbox = NULL;
    if (list_empty( &sock->holds ) && !sock->closing) close_last( sock );
}

static int mailbox_has_hung( const struct mailbox *box )
{
    return box->hung || (box->group && box->group->hung);
}

/* May the client give the name to a socket? A mailbox serves one socket or a group. */
static int mailbox_is_free( struct mailbox *box, struct client *client )
{
    if (!mailbox_belongs( box->group ? box->group : box, client )) return 0;
    if (box->group) return !box->group->sock;
    return !box->sock && list_empty( &box->grouped );
}

/* WSAEINVAL: another client's, or another socket's */
u32 mailbox_bind( struct client *client, u64 cookie, struct sock *sock )
{
    struct mailbox *box;

    if (!cookie || (sock->mailbox && sock->mailbox->cookie == cookie)) return 0;
    if (sock->mailbox) return WSAEINVAL;
    if (!(box = mailbox_find( cookie )) && !(box = mailbox_new_name( cookie, client_serial( client ) ))) return WSAENOBUFS;
    if (!mailbox_is_free( box, client ))
    {
        if (!box->sock && box->watch.fd == -1) mailbox_free( box );
        return WSAEINVAL;
    }
    if (mailbox_has_hung( box ))
    {
        mailbox_free( box );
        loop_timer( &sock->hung, MAILBOX_GRACE_MS );
        return 0;
    }
    if (box->sock) mailbox_move( box );
    box->sock = sock;
    sock->mailbox = box;
    return 0;
}

/* The socket whose handle this is, NULL: no handle of ours. value: its part of a grouped one's name. */
struct sock *mailbox_sock( u64 cookie, u64 value )
{
    struct mailbox *box = mailbox_find( cookie );

    if (!box) return NULL;
    if (!box->sock) box = mailbox_find( cookie | (value & ~mailbox_file( value )) );
    return box ? box->sock : NULL;
}

/* May it be the handle of a socket of which somebody has still to tell, after a worker's death? */
int mailbox_awaits( u64 cookie )
{
    struct mailbox *box = store_is_settled() ? NULL : mailbox_find( cookie );

    return box && !box->sock;
}

/* our end of a new pair, watched; takes the fd over. The clients' end stays the caller's. */
static struct mailbox *mailbox_make( struct client *client, const int fds[2], u64 *cookie )
{
    struct mailbox *box;

    if (socket_cookie( fds[1], cookie ) || !(box = mailbox_new( *cookie, fds[0], client_serial( client ) )))
    {
        close( fds[0] );
        client_mailbox_sub( client_serial( client ) );
        return NULL;
    }
    box->pid = client_pid( client );
    if (loop_watch( &box->watch, EPOLLRDHUP ) != -1)
    {
        store_mailbox( *cookie, fds[0], box->pid );
        return box;
    }
    mailbox_free( box );
    return NULL;
}

/* One that a worker before us made; takes the fd over. 0, or -1. */
int mailbox_restore( u64 cookie, int fd, u32 pid )
{
    struct mailbox *box;

    if (fd == -1 || !(box = mailbox_new( cookie, fd, 0 ))) return -1;
    box->pid = pid;
    /* unwatched it keeps its socket for good: better than to lose it */
    loop_watch( &box->watch, EPOLLRDHUP );
    return 0;
}

/* nobody has claimed them */
void mailbox_settle(void)
{
    struct mailbox *box, *next;
    u32 i;

    for (i = 0; i < MAILBOX_BUCKETS; i++)
    {
        for (box = mailbox_buckets[i]; box; box = next)
        {
            next = box->next;
            if (box->hung) mailbox_free( box );
        }
    }
}

/* the socket that it had then */
void mailbox_restore_sock( u64 cookie, struct sock *sock )
{
    struct mailbox *box = cookie ? mailbox_find( cookie ) : NULL;

    if (!box && cookie != mailbox_file( cookie )) box = mailbox_new_name( cookie, 0 );
    if (!box || box->sock) return;
    box->sock = sock;
    sock->mailbox = box;
}

/* for a keeper that knows nothing */
void mailbox_store_all(void)
{
    struct mailbox *box;
    u32 i;

    for (i = 0; i < MAILBOX_BUCKETS; i++)
        for (box = mailbox_buckets[i]; box; box = box->next)
            if (box->watch.fd != -1) store_mailbox( box->cookie, box->watch.fd, box->pid );
}

u32 mailbox_request( struct request *req )
{
    struct mailbox_reply *out = req->out;
    u32 error;
    int fds[2];

    if ((error = client_mailbox_add( req->client ))) return error;
    if (socketpair( AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds ))
    {
        error = error_from_errno( errno );
        client_mailbox_sub( client_serial( req->client ) );
        return error;
    }
    if (!mailbox_make( req->client, fds, &out->mailbox ))
    {
        close( fds[1] );
        return WSAENOBUFS;
    }
    req->reply_fd = fds[1];
    req->reply_fd_close = 1;
    out->group = mailbox_count > client_fds() / MAILBOX_SPARING && out->mailbox == mailbox_file( out->mailbox );
    return 0;
}

/* the sockets of a group that only handles kept, which were nobody's */
u32 alone_request( struct request *req )
{
    const struct alone_request *in = req->in;
    struct mailbox *box = mailbox_find( in->mailbox ), *member;
    struct list *entry, all;

    if (!box || !mailbox_belongs( box, req->client )) return WSAEINVAL;
    /* one by one back to where they were: each may take others with it */
    list_init( &all );
    while ((entry = list_head( &box->grouped )))
    {
        list_remove( entry );
        list_add_tail( &all, entry );
    }
    while ((entry = list_head( &all )))
    {
        list_remove( entry );
        list_add_tail( &box->grouped, entry );
        member = CONTAINER_OF( entry, struct mailbox, grouped );
        if (member->sock && list_empty( &member->sock->holds )) mailbox_end( member );
    }
    return 0;
}

u32 stray_request( struct request *req )
{
    const struct stray_request *in = req->in;
    struct sock *sock;
    u64 cookie;

    if (socket_cookie( req->fd, &cookie )) return WSAENOTSOCK;
    if (!(sock = mailbox_sock( cookie, in->mailbox )) && !(sock = socket_by_cookie( cookie ))) return WSAENOTSOCK;
    sock->pub.flags |= in->closed ? SOCKET_SHARED | SOCKET_STRAY : SOCKET_SHARED;
    socket_publish( sock );
    return 0;
}

/* the header has done it */
u32 name_request( struct request *req )
{
    const struct name_request *in = req->in;

    return client_sock( req->client, &in->socket ) ? 0 : WSAENOTSOCK;
}
