/*
 * What those wait for who want a connection
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

#include "ws2unix_private.h"
#include "control.h"

#include <sys/epoll.h>

/* A connection that WSAAccept's condition function has put back is with the helper, not in the kernel's
 * queue, so the listener's fd says nothing of it to a process that waits. The helper has an eventfd for that. Both
 * are in an epoll of this process, and that is one fd to wait for, in which the eventfd
 * can be changed while somebody waits: when the helper has been replaced. */

static int add( int epoll, int fd )
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

    return epoll_ctl( epoll, EPOLL_CTL_ADD, fd, &event );
}

unsigned int listener_watch( struct unix_socket *socket, int event )
{
    int epoll = socket->accept_fd, err;

    if (epoll == -1 && ((epoll = epoll_create1( EPOLL_CLOEXEC )) == -1 || add( epoll, socket->fd ) == -1)) goto failed;
    if (add( epoll, event ) == -1) goto failed;
    if (socket->deferred_fd != -1)
    {
        epoll_ctl( epoll, EPOLL_CTL_DEL, socket->deferred_fd, NULL );
        close( socket->deferred_fd );
    }
    socket->deferred_fd = event;
    __atomic_store_n( &socket->accept_fd, epoll, __ATOMIC_RELEASE );
    return 0;

failed:
    err = errno;
    if (epoll != -1 && epoll != socket->accept_fd) close( epoll );
    close( event );
    return error_from_errno( err );
}

void listener_forget( struct unix_socket *socket )
{
    if (socket->accept_fd != -1) close( socket->accept_fd );
    if (socket->deferred_fd != -1) close( socket->deferred_fd );
    socket->accept_fd = socket->deferred_fd = -1;
}

/* Once for each listener of a process, when somebody waits for it the first time: one round trip. Without
 * it (no helper, no fds) one waits for the listener alone. */
NTSTATUS socket_watch_accept( void *args )
{
    struct socket_params *params = args;
    struct watch_accept_request request;
    struct watch_accept_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_WATCH_ACCEPT, params->socket, request, reply );
    unsigned int error = 0;
    sigset_t old;

    channel_enter( &old );
    if (params->socket->accept_fd == -1)
    {
        error = channel_ask_locked( &ex );
        if (!error && ex.reply_fd == -1) error = WSAENOBUFS;
        else if (ex.reply_fd != -1) error = listener_watch( params->socket, ex.reply_fd );
    }
    channel_leave( &old );
    return error;
}
