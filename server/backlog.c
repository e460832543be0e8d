/*
 * Backlogs: what a non-blocking send could not place
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
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "server.h"

/* at once, so that one fast reader does not keep the loop for itself */
#define BACKLOG_CHUNK (1 << 20)

struct backlog
{
    int fd;             /* the client's memfd; its file position says how much has gone, also after our death */
    u64 end;            /* the position at which all has gone */
    u64 length;         /* bytes to send when it came, as booked with the client */
    u64 left;           /* of these, not sent yet */
    u32 client;         /* serial of the client it is booked with */
    int wait[2];        /* pipe for those that wait for its end, -1: nobody does */
};

/* ends it, sent or not; those that wait see the end of the pipe */
void backlog_end( struct sock *sock )
{
    struct backlog *backlog = sock->backlog;

    if (!backlog) return;
    sock->backlog = NULL;
    sock->pub.flags &= ~SOCKET_BACKLOGGED;
    socket_publish( sock );
    client_backlog_sub( backlog->client, backlog->length );
    if (backlog->wait[0] != -1)
    {
        close( backlog->wait[0] );
        close( backlog->wait[1] );
    }
    close( backlog->fd );
    free( backlog );
}

/* Sends a part without waiting; sendfile() asks the open file whether it may wait.
 * It moves the memfd's position by what it sent, as one step for anyone who kills us.
 * 0, EAGAIN, EINTR (nothing has been tried), or another errno. */
static int backlog_send( struct sock *sock )
{
    struct backlog *backlog = sock->backlog;
    ssize_t ret;
    int changed, err;

    changed = socket_nonblocking( sock->fd, 1 );
    ret = sendfile( sock->fd, backlog->fd, NULL, backlog->left < BACKLOG_CHUNK ? backlog->left : BACKLOG_CHUNK );
    err = errno;
    if (changed) socket_nonblocking( sock->fd, 0 );

    if (ret == -1) return err;
    if (!ret) return EIO;       /* the client moved the position: there is nothing where it said */
    backlog->left -= ret;
    return 0;
}

/* The connection is broken, or somebody has shut it down beneath us: the rest cannot arrive. */
static void backlog_fail( struct sock *sock, int err )
{
    log_line( "backlog given up: %s", strerror( err ) );
    if (socket_tcp_state( sock->fd ) == TCP_CLOSE) sock->pub.flags |= SOCKET_RESET;
    backlog_end( sock );
    socket_publish( sock );
    if (err == EIO) socket_reset( sock, SOCKET_ABORTED );   /* a gap would be worse than an end */
    if (sock->closing) socket_end( sock );
    else socket_rewatch( sock );
}

/* the socket has room; the record may be gone afterwards */
void backlog_ready( struct sock *sock )
{
    int err = backlog_send( sock );

    /* the loop's guard: nothing was looked at, so there will be no edge for it */
    if (err == EINTR) err = 0;
    if (err && err != EAGAIN)
    {
        backlog_fail( sock, err );
        return;
    }
    if (sock->backlog->left)
    {
        socket_rewatch( sock );
        if (err) return;
        loop_again( &sock->watch );
        if (sock->closing) close_progress( sock );
        return;
    }
    backlog_end( sock );
    socket_rewatch( sock );
    if (sock->closing) close_drained( sock );
    else if (sock->pub.flags & SOCKET_SEND_SHUTDOWN) shutdown_drained( sock );
}

/* what the next worker must know of it */
void backlog_describe( const struct sock *sock, u64 *end, int *fd, int *wait )
{
    if (!sock->backlog) return;
    *end = sock->backlog->end;
    *fd = sock->backlog->fd;
    memcpy( wait, sock->backlog->wait, sizeof(sock->backlog->wait) );
}

/* What a worker before us was sending; takes the fds over. 0: all of it has gone, or
 * there is no memory for it, and nothing is taken. */
int backlog_restore( struct sock *sock, int fd, u64 end, const int *wait )
{
    struct backlog *backlog;
    off_t sent = lseek( fd, 0, SEEK_CUR );

    if (sent == -1 || (u64)sent >= end || !(backlog = calloc( 1, sizeof(*backlog) ))) return 0;
    backlog->fd = fd;
    backlog->end = end;
    backlog->length = backlog->left = end - sent;
    memcpy( backlog->wait, wait, sizeof(backlog->wait) );
    sock->backlog = backlog;
    return 1;
}

/* plain shared memory, which is always there, and stays as long as it is said to be */
static int backlog_is_usable( int fd, u64 length )
{
    int seals = fcntl( fd, F_GET_SEALS );
    struct statfs fs;
    struct stat st;

    if (seals == -1 || !(seals & F_SEAL_SHRINK)) return 0;
    if (fstatfs( fd, &fs ) || fs.f_type != TMPFS_MAGIC) return 0;
    return !fstat( fd, &st ) && length && length <= (u64)st.st_size;
}

/* A shutdown that a helper before us promised, and whose FIN was to follow its backlog. */
static int backlog_awaited( const struct sock *sock )
{
    int state = socket_tcp_state( sock->fd );

    return !sock->backlog && (state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT);
}

/* Is it the one that is being sent? A client that got no answer, its helper having died, asks again. */
static int backlog_is_same( const struct sock *sock, int fd )
{
    struct stat ours, theirs;

    if (!sock->backlog || fstat( sock->backlog->fd, &ours ) || fstat( fd, &theirs )) return 0;
    return ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static u32 backlog_check( const struct sock *sock )
{
    if (!socket_is_stream( sock ) || socket_is_local( sock )) return WSAEOPNOTSUPP;
    if (sock->pub.state != SOCKET_CONNECTED) return WSAENOTCONN;
    if (sock->pub.flags & SOCKET_RESET) return sock->pub.flags & SOCKET_ABORTED ? WSAECONNABORTED : WSAECONNRESET;
    if ((sock->pub.flags & SOCKET_SEND_SHUTDOWN) && !backlog_awaited( sock )) return WSAESHUTDOWN;
    return 0;
}

/* takes the request's fd over */
static u32 backlog_begin( struct request *req, struct sock *sock, u64 sent, u64 end )
{
    struct backlog *backlog;
    u32 error;

    if (!(backlog = calloc( 1, sizeof(*backlog) ))) return WSAENOBUFS;
    if ((error = client_backlog_add( req->client, end - sent )))
    {
        free( backlog );
        return error;
    }
    backlog->fd = req->fd;
    req->fd = -1;
    backlog->end = end;
    backlog->length = backlog->left = end - sent;
    backlog->client = client_serial( req->client );
    backlog->wait[0] = backlog->wait[1] = -1;

    sock->backlog = backlog;
    sock->pub.flags |= SOCKET_BACKLOGGED;
    socket_publish( sock );
    backlog_ready( sock );
    return 0;
}

u32 backlog_request( struct request *req )
{
    const struct backlog_request *in = req->in;
    struct sock *sock;
    u32 error;
    off_t sent;

    if (!(sock = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    if ((error = backlog_check( sock ))) return error;
    if (!backlog_is_usable( req->fd, in->length ) || (sent = lseek( req->fd, 0, SEEK_CUR )) == -1) return WSAEINVAL;
    if ((u64)sent > in->length) return WSAEINVAL;
    if (backlog_is_same( sock, req->fd )) return 0;
    if ((u64)sent < in->length) return sock->backlog ? WSAEWOULDBLOCK : backlog_begin( req, sock, sent, in->length );
    /* all but the FIN */
    if ((sock->pub.flags & SOCKET_SEND_SHUTDOWN) && !sock->backlog) shutdown_drained( sock );
    return 0;
}

/* All that wait get the same pipe's end: however many ask, it costs us two fds. */
u32 watch_backlog_request( struct request *req )
{
    const struct watch_backlog_request *in = req->in;
    struct watch_backlog_reply *out = req->out;
    struct sock *sock;

    if (!(sock = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    if (!sock->backlog)
    {
        out->gone = 1;
        return 0;
    }
    if (sock->backlog->wait[0] == -1 && pipe2( sock->backlog->wait, O_CLOEXEC | O_NONBLOCK ))
    {
        sock->backlog->wait[0] = sock->backlog->wait[1] = -1;
        return error_from_errno( errno );
    }
    store_socket( sock );
    req->reply_fd = sock->backlog->wait[0];
    return 0;
}
