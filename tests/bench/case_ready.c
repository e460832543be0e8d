/*
 * Waiting for one of many sockets
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

#include <stdlib.h>

#include "bench.h"

/* Never reached: one socket is ready. */
#define TIMEOUT_MS 5000

struct ready_case
{
    sock_t       *sockets;
    WSAPOLLFD    *fds;         /* of these sockets */
    fd_set        wanted;      /* the same, as far as select can take them */
    int           highest;     /* select's first argument, which Winsock ignores */
    unsigned int  open;
};

/* Many UDP sockets, the last of which has a datagram. */
static int ready_setup( struct bench *bench )
{
    struct sockaddr_in addr;
    struct ready_case *c;

    if (!(c = calloc( 1, sizeof(*c) ))) return bench_fail( bench, "out of memory" );
    bench->state = c;
    c->sockets = calloc( bench->size, sizeof(*c->sockets) );
    c->fds = calloc( bench->size, sizeof(*c->fds) );
    if (!c->sockets || !c->fds) return bench_fail( bench, "out of memory" );

    while (c->open < bench->size)
    {
        sock_t s = loopback_udp( bench, &addr );

        if (s == NO_SOCKET) return 0;
        c->sockets[c->open] = s;
        c->fds[c->open].fd = s;
        c->fds[c->open].events = POLLRDNORM;
        c->open++;
    }
    if (sendto( c->sockets[0], "x", 1, 0, (struct sockaddr *)&addr, sizeof(addr) ) != 1)
        return bench_fail_call( bench, "sendto" );
    return 1;
}

static void ready_cleanup( struct bench *bench )
{
    struct ready_case *c = bench->state;

    if (!c) return;
    while (c->open) closesocket( c->sockets[--c->open] );
    free( c->sockets );
    free( c->fds );
    free( c );
}

static int select_setup( struct bench *bench )
{
    struct ready_case *c;
    unsigned int i;

    if (bench->size > FD_SETSIZE) return bench_fail( bench, "too many sockets for an fd_set" );
    if (!ready_setup( bench )) return 0;
    c = bench->state;
    FD_ZERO( &c->wanted );
    for (i = 0; i < c->open; i++)
    {
#ifndef _WIN32
        if (c->sockets[i] >= FD_SETSIZE) return bench_fail( bench, "too high a number for an fd_set" );
        if (c->sockets[i] >= c->highest) c->highest = c->sockets[i] + 1;
#endif
        FD_SET( c->sockets[i], &c->wanted );
    }
    return 1;
}

static int select_batch( struct bench *bench, unsigned int count )
{
    struct ready_case *c = bench->state;
    struct timeval timeout;
    fd_set readable;
    int ret;

    while (count--)
    {
        readable = c->wanted;
        timeout.tv_sec = TIMEOUT_MS / 1000;   /* Linux counts it down */
        timeout.tv_usec = 0;
        ret = select( c->highest, &readable, NULL, NULL, &timeout );
        if (ret < 0) return bench_fail_call( bench, "select" );
        if (ret != 1 || !FD_ISSET( c->sockets[c->open - 1], &readable ))
            return bench_fail( bench, "select found %d sockets, or the wrong one", ret );
    }
    return 1;
}

static int poll_batch( struct bench *bench, unsigned int count )
{
    struct ready_case *c = bench->state;
    int ret;

    while (count--)
    {
        if ((ret = poll_sockets( c->fds, c->open, TIMEOUT_MS )) < 0) return bench_fail_call( bench, "poll" );
        if (ret != 1 || c->fds[c->open - 1].revents != POLLRDNORM)
            return bench_fail( bench, "poll found %d sockets, or the wrong one", ret );
    }
    return 1;
}

const struct bench_ops ready_select = { select_setup, select_batch, NULL, ready_cleanup };
const struct bench_ops ready_poll = { ready_setup, poll_batch, NULL, ready_cleanup };
