/*
 * Sockets and connections that come and go
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

static int socket_setup( struct bench *bench )
{
    (void)bench;
    return 1;
}

static int socket_batch( struct bench *bench, unsigned int count )
{
    sock_t s;

    while (count--)
    {
        if ((s = socket( AF_INET, SOCK_STREAM, 0 )) == NO_SOCKET) return bench_fail_call( bench, "socket" );
        if (closesocket( s )) return bench_fail_call( bench, "closesocket" );
    }
    return 1;
}

static void socket_cleanup( struct bench *bench )
{
    (void)bench;
}

struct connect_case
{
    sock_t             listener;
    struct sockaddr_in addr;
};

/* Every run has a port of its own: the connections of the one before are still in TIME_WAIT. */
static int connect_setup( struct bench *bench )
{
    struct connect_case *c;

    if (!(c = calloc( 1, sizeof(*c) ))) return bench_fail( bench, "out of memory" );
    bench->state = c;
    return (c->listener = loopback_listen( bench, &c->addr )) != NO_SOCKET;
}

static int connect_once( struct bench *bench, sock_t client )
{
    struct connect_case *c = bench->state;
    sock_t server;

    if (connect( client, (struct sockaddr *)&c->addr, sizeof(c->addr) )) return bench_fail_call( bench, "connect" );
    if ((server = accept( c->listener, NULL, NULL )) == NO_SOCKET) return bench_fail_call( bench, "accept" );
    if (closesocket( server )) return bench_fail_call( bench, "closesocket" );
    return 1;
}

/* One thread is enough: connect is done as soon as the backlog has the connection. */
static int connect_batch( struct bench *bench, unsigned int count )
{
    sock_t client;
    int ret;

    while (count--)
    {
        if ((client = socket( AF_INET, SOCK_STREAM, 0 )) == NO_SOCKET) return bench_fail_call( bench, "socket" );
        ret = connect_once( bench, client );
        if (closesocket( client )) return bench_fail_call( bench, "closesocket" );
        if (!ret) return 0;
    }
    return 1;
}

static void connect_cleanup( struct bench *bench )
{
    struct connect_case *c = bench->state;

    if (!c) return;
    loopback_close( &c->listener );
    free( c );
}

const struct bench_ops life_socket = { socket_setup, socket_batch, NULL, socket_cleanup };
const struct bench_ops life_connect = { connect_setup, connect_batch, NULL, connect_cleanup };
