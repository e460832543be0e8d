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

struct mailbox
{
    u64 cookie;                 /* of the clients' end: its name */
    struct mailbox *next;       /* in its bucket */
    struct watch watch;         /* our end; fd -1: blind, made by a helper before us */
    struct sock *sock;          /* whose handle it is now, NULL: nobody's */
    u32 owner;                  /* serial of the client it was made for */
};

static struct mailbox *mailbox_buckets[MAILBOX_BUCKETS];

static struct mailbox *mailbox_find( u64 cookie )
{
    struct mailbox *box = mailbox_buckets[cookie % MAILBOX_BUCKETS];

    while (box && box->cookie != cookie) box = box->next;
    return box;
}

static void mailbox_free( struct mailbox *box )
{
    struct mailbox **ptr = &mailbox_buckets[box->cookie % MAILBOX_BUCKETS];

    while (*ptr != box) ptr = &(*ptr)->next;
    *ptr = box->next;
    if (box->watch.fd != -1)
    {
        loop_watch( &box->watch, 0 );
        close( box->watch.fd );
        client_mailbox_sub( box->owner );
    }
    free( box );
}

/* The last handle, in whichever process, has gone; or somebody wrote into one, which
 * nobody does who knows what it is: that is left lying. */
static void mailbox_ready( struct watch *watch, u32 events )
{
    struct mailbox *box = CONTAINER_OF( watch, struct mailbox, watch );
    struct sock *sock = box->sock;

    if (!(events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR))) return;
    if (sock) sock->mailbox = NULL;
    mailbox_free( box );
    if (sock && list_empty( &sock->holds ) && !sock->closing) close_last( sock );
}

static struct mailbox *mailbox_new( u64 cookie, int fd, u32 owner )
{
    struct mailbox *box, **bucket = &mailbox_buckets[cookie % MAILBOX_BUCKETS];

    if (!(box = calloc( 1, sizeof(*box) ))) return NULL;
    box->cookie = cookie;
    box->watch.fd = fd;
    box->watch.ready = mailbox_ready;
    box->owner = owner;
    box->next = *bucket;
    *bucket = box;
    return box;
}

/* Does a handle keep the socket, though no client does? */
int mailbox_keeps( const struct sock *sock )
{
    return sock->mailbox && sock->mailbox->watch.fd != -1;
}

/* Has the last handle gone just now, before the loop has come to it? Then the socket has none any more. */
int mailbox_gone( struct sock *sock )
{
    struct mailbox *box = sock->mailbox;
    struct pollfd poll_fd;

    if (!box || box->watch.fd == -1) return 1;
    poll_fd.fd = box->watch.fd;
    poll_fd.events = 0;
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

/* WSAEINVAL: another client's, or another socket's */
u32 mailbox_bind( struct client *client, u64 cookie, struct sock *sock )
{
    struct mailbox *box;

    if (!cookie || (sock->mailbox && sock->mailbox->cookie == cookie)) return 0;
    if (sock->mailbox) return WSAEINVAL;
    if (!(box = mailbox_find( cookie )) && !(box = mailbox_new( cookie, -1, client_serial( client ) ))) return WSAENOBUFS;
    if (box->sock || box->owner != client_serial( client )) return WSAEINVAL;
    box->sock = sock;
    sock->mailbox = box;
    return 0;
}

/* the socket whose handle this is, NULL: no handle of ours */
struct sock *mailbox_sock( u64 cookie )
{
    struct mailbox *box = mailbox_find( cookie );

    return box ? box->sock : NULL;
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
    if (loop_watch( &box->watch, EPOLLRDHUP ) != -1) return box;
    mailbox_free( box );
    return NULL;
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
    return 0;
}

/* the header has done it */
u32 name_request( struct request *req )
{
    const struct name_request *in = req->in;

    return client_sock( req->client, &in->socket ) ? 0 : WSAENOTSOCK;
}
