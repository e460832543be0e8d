/*
 * Closing: what happens when the last holder lets go
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
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include "server.h"

/* A graceful close is the kernel's business: our fd is closed as the client's are, the last
 * one closed starts the FIN, and unread data makes it an RST. The record stays on, without
 * holders ("closing"), only where there is still something to do:
 *   a backlog that the kernel has not taken yet;
 *   a linger of {1,n}: a FIN, then waiting until the peer has acknowledged everything, n seconds at
 *   most, then a reset. The kernel's own {1,n} is never used: it makes close() wait.
 * A record that only a mailbox keeps has no holders either, but nobody has closed it yet. */

/* without linger: for how long a backlog may make no progress before the peer is given up */
#define CLOSE_PATIENCE_MS (10 * 60 * 1000)

struct linger_close
{
    int wait_fd;        /* write end of the pipe on which the caller waits, -1: nobody waits */
    u8 fin_sent;        /* the backlog is gone and the FIN on its way */
};

int close_fin_sent( const struct sock *sock )
{
    return sock->linger && sock->linger->fin_sent;
}

/* what the next worker must know of it */
void close_describe( const struct sock *sock, u32 *lingers, u32 *fin_sent, int *wait_fd )
{
    if (!sock->linger) return;
    *lingers = 1;
    *fin_sent = sock->linger->fin_sent;
    *wait_fd = sock->linger->wait_fd;
}

/* ends the caller's wait, if there is one */
void close_free( struct sock *sock )
{
    if (!sock->linger) return;
    if (sock->linger->wait_fd != -1) close( sock->linger->wait_fd );
    free( sock->linger );
    sock->linger = NULL;
}

/* data, or a FIN, that the peer has not acknowledged */
static int close_unsent( const struct sock *sock )
{
    int queued;

    if (sock->backlog) return 1;
    if (socket_tcp_state( sock->fd ) == TCP_CLOSE) return 0;    /* nor will it ever */
    return !ioctl( sock->fd, SIOCOUTQ, &queued ) && queued > 0;
}

/* An urgent byte that was taken stays in the kernel's queue, as a hole that the next receive steps over, and its
 * close() would reset for it as for unread data. Here it goes. */
static void close_step_over_urgent( struct sock *sock )
{
    int at_mark;
    char byte;

    if (ioctl( sock->fd, SIOCATMARK, &at_mark ) || !at_mark) return;
    if (recv( sock->fd, &byte, 1, MSG_OOB | MSG_PEEK | MSG_DONTWAIT ) == 1) return;     /* nobody has taken it */
    /* what follows it is unread data all the same */
    if (recv( sock->fd, &byte, 1, MSG_DONTWAIT ) == 1) socket_reset( sock, SOCKET_ABORTED );
}

static void close_reset( struct sock *sock )
{
    socket_reset( sock, SOCKET_ABORTED );
    socket_end( sock );
}

/* the kernel socket of a lingering close has changed */
void close_ready( struct sock *sock )
{
    switch (socket_queue( sock->fd ))
    {
    case QUEUE_DATA:    /* nobody will read it */
        close_reset( sock );
        return;
    case QUEUE_RESET:
        sock->pub.flags |= SOCKET_RESET;    /* remembered: the kernel tells nobody again */
        socket_end( sock );
        return;
    default:
        if (!close_unsent( sock )) socket_end( sock );
    }
}

/* the backlog of a closing socket has gone */
void close_drained( struct sock *sock )
{
    if (!sock->linger)
    {
        /* our close() sends no FIN if somebody whom we do not know has the socket, but this one was promised */
        if (sock->pub.flags & SOCKET_SEND_SHUTDOWN) shutdown_drained( sock );
        socket_end( sock );
        return;
    }
    shutdown_drained( sock );
    sock->linger->fin_sent = 1;
    /* for somebody who has it still, now or when the record is only remembered */
    sock->pub.flags |= SOCKET_SEND_SHUTDOWN;
    socket_publish( sock );
    store_socket( sock );
    socket_rewatch( sock );
    close_ready( sock );
}

/* a part of the backlog of a closing socket has gone */
void close_progress( struct sock *sock )
{
    if (!sock->linger) loop_timer( &sock->timer, CLOSE_PATIENCE_MS );
}

void close_expired( struct sock *sock )
{
    if (!sock->linger) log_line( "peer takes nothing of a closed socket's backlog: given up" );
    close_reset( sock );
}

/* Somebody had the socket all the time and now says so: it goes on. What has been
 * sent cannot be taken back. */
void close_revive( struct sock *sock )
{
    if (!sock->closing) return;
    close_free( sock );
    loop_cancel( &sock->timer );
    socket_set_closing( sock, 0 );
    socket_publish( sock );
    shutdown_look( sock );
    socket_rewatch( sock );
}

static struct linger_close *close_new_linger(void)
{
    struct linger_close *linger;

    if (!(linger = calloc( 1, sizeof(*linger) ))) return NULL;
    linger->wait_fd = -1;
    return linger;
}

/* A close that a worker before us began; 1: it took the fd over. */
int close_restore( struct sock *sock, u64 deadline, int lingers, int fin_sent, int wait_fd )
{
    const u64 now = loop_now();

    socket_set_closing( sock, 1 );
    if (!lingers) deadline = now + CLOSE_PATIENCE_MS;
    loop_timer( &sock->timer, deadline > now ? deadline - now : 0 );
    if (!lingers || !(sock->linger = close_new_linger())) return 0;
    sock->linger->wait_fd = wait_fd;
    sock->linger->fin_sent = fin_sent;
    return 1;
}

/* ... and what it is to do now. The record may be gone afterwards. */
void close_resume( struct sock *sock )
{
    if (close_fin_sent( sock ))
    {
        socket_rewatch( sock );
        close_ready( sock );
    }
    else if (shutdown_look( sock ) && !sock->backlog) close_drained( sock );
}

/* the last holder has gone */
void close_last( struct sock *sock )
{
    const u32 seconds = option_linger_time( sock );

    loop_cancel( &sock->timer );
    accept_end( sock );
    if (socket_is_local( sock ))
    {
        local_close( sock );
        return;
    }
    /* {1,0} gives the backlog up: somebody whom we do not know may have the socket, and shall not go on after the gap */
    if (socket_is_established( sock ) && option_resets( sock ) && sock->backlog) socket_reset( sock, SOCKET_ABORTED );
    if (sock->urgent && socket_is_established( sock )) close_step_over_urgent( sock );
    if (!socket_is_established( sock ) || option_resets( sock ) || !(seconds || sock->backlog) || !close_unsent( sock ))
    {
        socket_end( sock );
        return;
    }
    if (seconds && !sock->linger) sock->linger = close_new_linger();
    socket_set_closing( sock, 1 );
    loop_timer( &sock->timer, sock->linger ? (u64)seconds * 1000 : CLOSE_PATIENCE_MS );
    store_socket( sock );
    /* nobody reads from now on, so unread data resets, as it does in the kernel's close */
    if (shutdown_look( sock ) && !sock->backlog) close_drained( sock );
}

/* {1,n} and data unsent: the caller waits on a pipe, unless it said it cannot. */
static u32 close_prepare_linger( struct request *req, struct sock *sock, u32 flags )
{
    struct close_reply *out = req->out;
    int fds[2];

    if (!option_linger_time( sock ) || !socket_is_established( sock ) || !close_unsent( sock )) return 0;
    if (flags & CLOSE_NOWAIT) return 0;
    if (sock->pub.flags & SOCKET_NONBLOCKING) return WSAEWOULDBLOCK;

    if (!(sock->linger = close_new_linger())) return 0;     /* then nobody waits */
    if (pipe2( fds, O_CLOEXEC | O_NONBLOCK ))
    {
        log_line( "no pipe to wait for a close: %s", strerror( errno ) );
        return 0;
    }
    sock->linger->wait_fd = fds[1];
    req->reply_fd = fds[0];
    req->reply_fd_close = 1;
    out->wait = 1;
    return 0;
}

/* The last holder, and no handle that somebody has and has not used yet? */
static int close_is_last( struct sock *sock, u32 flags )
{
    if (sock->holds.next != sock->holds.prev) return 0;
    if (flags & (CLOSE_SOLE | CLOSE_RESET)) return 1;
    return flags & CLOSE_GONE ? mailbox_gone( sock ) : !mailbox_keeps( sock );
}

u32 close_request( struct request *req )
{
    const struct close_request *in = req->in;
    const u32 known = CLOSE_RESET | CLOSE_NOWAIT | CLOSE_SOLE | CLOSE_GONE | CLOSE_NAME | CLOSE_URGENT;
    struct sock *sock;
    u32 error;

    if (in->flags & ~known) return WSAEINVAL;
    if (!(sock = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;

    if (in->flags & CLOSE_URGENT) sock->urgent = 1;
    if (in->flags & CLOSE_NAME)
    {
        mailbox_unbind( sock );
        return 0;
    }
    connect_look( sock );
    if (close_is_last( sock, in->flags ))
    {
        /* a reset does not wait for the handles that wineserver still has */
        if ((in->flags & CLOSE_RESET) || (option_resets( sock ) && !(in->flags & CLOSE_NOWAIT)))
        {
            if (socket_is_established( sock )) socket_reset( sock, SOCKET_ABORTED );
        }
        else if ((error = close_prepare_linger( req, sock, in->flags ))) return error;
    }
    if (in->flags & CLOSE_SOLE) mailbox_unbind( sock );
    client_release( req->client, sock );
    return 0;
}
