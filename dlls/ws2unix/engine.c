/*
 * What the overlapped engine waits with
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

/* One epoll for all sockets of the process that ever had an operation pending. A socket is entered once, edge-triggered,
 * for everything: posting an operation costs no system call, and whoever posts looks first, so no edge is missed. */

#include "ws2unix_private.h"

#include <sys/epoll.h>

#define BATCH 64                        /* events taken at once */

static int engine_epoll = -1;           /* made once, by engine_start */

/* An entry of epoll is a socket, whose events carry its address; or a fd to be read once, with whose it is. */
#define IS_FD ((uint64_t)1 << 63)

NTSTATUS engine_start( void *args )
{
    (void)args;
    if (engine_epoll == -1 && (engine_epoll = epoll_create1( EPOLL_CLOEXEC )) == -1) return error_from_errno( errno );
    return 0;
}

NTSTATUS engine_watch( void *args )
{
    struct socket_params *params = args;
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET };

    event.data.u64 = (uintptr_t)params->socket;
    if (epoll_ctl( engine_epoll, EPOLL_CTL_ADD, params->socket->fd, &event ) == -1) return error_from_errno( errno );
    params->socket->watched = 1;
    return 0;
}

NTSTATUS engine_watch_fd( void *args )
{
    struct engine_watch_fd_params *params = args;
    struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT };

    event.data.u64 = IS_FD | (uint32_t)params->fd;
    return epoll_ctl( engine_epoll, EPOLL_CTL_ADD, params->fd, &event ) == -1 ? error_from_errno( errno ) : 0;
}

void engine_forget( struct unix_socket *socket )
{
    if (socket->watched) epoll_ctl( engine_epoll, EPOLL_CTL_DEL, socket->fd, NULL );
    socket->watched = 0;
}

/* until something happens; also returns, with nothing, when a signal came */
NTSTATUS engine_wait( void *args )
{
    struct engine_wait_params *params = args;
    struct epoll_event events[BATCH];
    int count = epoll_wait( engine_epoll, events, params->room < BATCH ? params->room : BATCH, -1 ), i;

    params->count = 0;
    if (count == -1) return errno == EINTR ? 0 : error_from_errno( errno );
    for (i = 0; i < count; i++)
    {
        struct engine_event *event = &params->events[params->count++];

        event->fd = events[i].data.u64 & IS_FD ? (int)(uint32_t)events[i].data.u64 : -1;
        event->socket = event->fd == -1 ? (struct unix_socket *)(uintptr_t)events[i].data.u64 : NULL;
    }
    return 0;
}
