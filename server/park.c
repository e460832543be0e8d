/*
 * Parking: fds of sockets that are not used
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
#include <unistd.h>

#include "server.h"

/* A record has a fd of its kernel socket although it seldom needs it. When more than half of our fds are taken, those
 * of sockets that have long not been used are parked: sent into a socket pair, many at once, and closed here. There they
 * cost one fd a lot. Who needs one takes all of its lot out again. What is parked is held by a client as well, so
 * that nothing is lost with us. Costs two system calls for LOT_SIZE sockets, each way. */

#define LOT_SIZE    16
#define PARK_OWN_FDS 16
#define PARK_LOOKS  64          /* sockets looked at for a lot; those that can't be parked have their turn again later */

struct park_lot
{
    struct list entry;          /* in park_all */
    int fds[2];                 /* what is sent into the second lies in the first */
    u32 count;
    struct sock *socks[LOT_SIZE];
};

static struct list park_used = { &park_used, &park_used };  /* sockets with a fd, the one used last at the end */
static u32 park_count;          /* sockets without */
static u32 park_lots;
static struct list park_all = { &park_all, &park_all };     /* the lots */
static int park_short;          /* a socket could not be taken out for want of fds */
static int park_refused;        /* the system has no room for more until one has been taken out */

/* has it a reason to be looked at, by us or by the keeper, before somebody asks? */
static int park_is_busy( const struct sock *sock )
{
    if (sock->watch.events || sock->timer.index || sock->hung.index || sock->backlog || sock->linger || sock->local) return 1;
    if (sock->closing || sock->unheld || sock->shared || sock->stored || sock->stored_connect || sock->watch_receive) return 1;
    if (list_empty( &sock->holds ) || !list_empty( &sock->deferred_entry ) || !list_empty( &sock->restored_entry )) return 1;
    if (sock->pub.flags & SOCKET_RECV_SHUTDOWN) return 1;
    if (sock->pub.state == SOCKET_LISTENING || sock->pub.state == SOCKET_CONNECTING) return 1;
    /* to share its port with another one needs it */
    return sock->port && ports_mode( sock->port ) == PORT_REUSE;
}

/* fds that we have: of sockets, mailboxes, clients (the connection and the bell), a few of our own, and those that a lot needs
 * to come out */
u32 park_fds(void)
{
    return socket_count() - park_count + 2 * park_lots + mailbox_fds() + 2 * client_total() + PARK_OWN_FDS + LOT_SIZE;
}

/* made, or used just now */
void park_touch( struct sock *sock )
{
    list_remove( &sock->park_entry );
    list_add_tail( &park_used, &sock->park_entry );
}

static int park_send( struct park_lot *lot )
{
    union { struct cmsghdr header; char space[CMSG_SPACE( LOT_SIZE * sizeof(int) )]; } control;
    struct iovec iov = { "", 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control };
    int fds[LOT_SIZE];
    u32 i;

    for (i = 0; i < lot->count; i++) fds[i] = lot->socks[i]->fd;
    memset( &control, 0, sizeof(control) );
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN( lot->count * sizeof(int) );
    memcpy( CMSG_DATA( &control.header ), fds, lot->count * sizeof(int) );
    msg.msg_controllen = CMSG_SPACE( lot->count * sizeof(int) );
    if (socketpair( AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, lot->fds )) return -1;
    if (sendmsg( lot->fds[1], &msg, MSG_DONTWAIT | MSG_NOSIGNAL ) != -1) return 0;
    close( lot->fds[0] );
    close( lot->fds[1] );
    return -1;
}

/* the sockets that have not been used for the longest time */
static void park_choose( struct park_lot *lot )
{
    struct sock *sock;
    struct list *entry;
    u32 i;

    for (i = 0; i < PARK_LOOKS && lot->count < LOT_SIZE && (entry = list_head( &park_used )); i++)
    {
        sock = CONTAINER_OF( entry, struct sock, park_entry );
        park_touch( sock );
        if (!park_is_busy( sock )) lot->socks[lot->count++] = sock;
    }
}

static void park_one_lot(void)
{
    struct park_lot *lot;
    struct sock *sock;
    u32 i;

    if (!(lot = calloc( 1, sizeof(*lot) ))) return;
    park_choose( lot );
    if (lot->count < LOT_SIZE || park_send( lot ))
    {
        park_refused = lot->count == LOT_SIZE;
        free( lot );
        return;
    }
    for (i = 0; i < lot->count; i++)
    {
        sock = lot->socks[i];
        list_remove( &sock->park_entry );
        sock->ledger_fd = sock->port && ports_move( sock->port, sock->fd, -1 );
        close( sock->fd );
        sock->fd = sock->watch.fd = -1;
        sock->lot = lot;
    }
    list_add_tail( &park_all, &lot->entry );
    park_count += lot->count;
    park_lots++;
}

/* There is one more, or may be soon: makes room where that is scarce. The half is for what comes at once; and not more than
 * the other half is parked, of which the system allows as many as fds. */
void park_relieve(void)
{
    if (park_refused || park_fds() < client_fds() / 2 || park_count >= client_fds() / 2) return;
    park_one_lot();
}

/* closes what still lies there */
static void park_end_lot( struct park_lot *lot )
{
    close( lot->fds[0] );
    close( lot->fds[1] );
    list_remove( &lot->entry );
    park_lots--;
    park_refused = 0;
    free( lot );
}

/* The fds come out while they lie there still, and only if all have come they are thrown away there. */
static int park_receive( struct park_lot *lot, int *fds )
{
    union { struct cmsghdr header; char space[CMSG_SPACE( LOT_SIZE * sizeof(int) )]; } control;
    char byte;
    struct iovec iov = { &byte, 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    struct cmsghdr *cmsg;
    u32 count = 0;

    if (recvmsg( lot->fds[0], &msg, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC ) == -1) return -1;
    if ((cmsg = CMSG_FIRSTHDR( &msg )) && cmsg->cmsg_type == SCM_RIGHTS)
    {
        count = (cmsg->cmsg_len - CMSG_LEN( 0 )) / sizeof(int);
        memcpy( fds, CMSG_DATA( cmsg ), count * sizeof(int) );
    }
    if (count == lot->count) return 0;
    while (count) close( fds[--count] );
    errno = EMFILE;
    return -1;
}

/* Gives the socket its fd, and those that were parked with it. 0, or -1: there is no room, and nothing has changed. */
int park_fetch( struct sock *sock )
{
    struct park_lot *lot = sock->lot;
    int fds[LOT_SIZE];
    u32 i;

    if (!lot) return 0;
    if (park_receive( lot, fds ))
    {
        log_line( "cannot take a socket out of the park: %s", strerror( errno ) );
        park_short = 1;
        return -1;
    }
    for (i = 0; i < lot->count; i++)
    {
        if (!(sock = lot->socks[i]))
        {
            close( fds[i] );
            continue;
        }
        park_count--;
        sock->fd = sock->watch.fd = fds[i];
        sock->lot = NULL;
        if (sock->ledger_fd) ports_move( sock->port, -1, sock->fd );
        park_touch( sock );
    }
    park_end_lot( lot );
    return 0;
}

/* Has a socket not been found since this was asked last, because it could not be taken out? */
int park_was_short(void)
{
    int ret = park_short;

    park_short = 0;
    return ret;
}

static struct sock *park_find_bound( int protocol, u16 port )
{
    struct park_lot *lot;
    u32 i;

    LIST_FOR_EACH_ENTRY( lot, &park_all, struct park_lot, entry )
        for (i = 0; i < lot->count; i++)
            if (lot->socks[i] && lot->socks[i]->ledger_fd && ports_is( lot->socks[i]->port, protocol, port )) return lot->socks[i];
    return NULL;
}

/* Those bound to a port that somebody is to share with them: Linux must be told so by their fds. O(sockets parked). */
void park_fetch_bound( int protocol, u16 port )
{
    struct sock *sock;

    while (park_count && (sock = park_find_bound( protocol, port )))
        if (park_fetch( sock )) return;
}

/* The socket ends. Without room for its fd that goes with the lot, when the others come out or have ended, too. */
void park_forget( struct sock *sock )
{
    struct park_lot *lot = sock->lot;
    u32 i, others = 0;

    if (lot && park_fetch( sock ))
    {
        for (i = 0; i < lot->count; i++)
        {
            if (lot->socks[i] == sock) lot->socks[i] = NULL;
            if (lot->socks[i]) others++;
        }
        park_count--;
        if (!others) park_end_lot( lot );
    }
    list_remove( &sock->park_entry );
}
