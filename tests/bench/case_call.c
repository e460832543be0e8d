/*
 * Single calls that find nothing to do
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

struct call_case
{
    sock_t client, server;
};

static int call_setup( struct bench *bench )
{
    struct call_case *c;

    if (!(c = calloc( 1, sizeof(*c) ))) return bench_fail( bench, "out of memory" );
    bench->state = c;
    return loopback_tcp_pair( bench, &c->client, &c->server );
}

static void call_cleanup( struct bench *bench )
{
    struct call_case *c = bench->state;

    if (!c) return;
    loopback_close( &c->client );
    loopback_close( &c->server );
    free( c );
}

static int call_recv_setup( struct bench *bench )
{
    struct call_case *c;

    if (!call_setup( bench )) return 0;
    c = bench->state;
    if (net_set_nonblocking( c->client )) return bench_fail_call( bench, "making it non-blocking" );
    return 1;
}

static int call_recv_batch( struct bench *bench, unsigned int count )
{
    struct call_case *c = bench->state;
    char byte;
    int ret;

    while (count--)
    {
        if ((ret = recv( c->client, &byte, 1, 0 )) >= 0)
            return bench_fail( bench, "recv returned %d where nothing is", ret );
        if (!net_is_would_block( net_error() )) return bench_fail_call( bench, "recv" );
    }
    return 1;
}

/* An option that lives in the kernel, so that everybody has to ask there. */
static int call_getsockopt_setup( struct bench *bench )
{
    struct call_case *c;
    int yes = 1;

    if (!call_setup( bench )) return 0;
    c = bench->state;
    if (setsockopt( c->client, IPPROTO_TCP, TCP_NODELAY, (char *)&yes, sizeof(yes) ))
        return bench_fail_call( bench, "setsockopt" );
    return 1;
}

static int call_getsockopt_batch( struct bench *bench, unsigned int count )
{
    struct call_case *c = bench->state;
    socklen_type len;
    int value;

    while (count--)
    {
        value = 0;
        len = sizeof(value);
        if (getsockopt( c->client, IPPROTO_TCP, TCP_NODELAY, (char *)&value, &len ))
            return bench_fail_call( bench, "getsockopt" );
        if (!value) return bench_fail( bench, "TCP_NODELAY is off" );
    }
    return 1;
}

/* What programs ask for most. Not the same work everywhere: Linux reads and clears
 * the kernel's error, Windows keeps another, which need not be asked of the kernel. */
static int call_so_error_batch( struct bench *bench, unsigned int count )
{
    struct call_case *c = bench->state;
    socklen_type len;
    int error;

    while (count--)
    {
        error = -1;
        len = sizeof(error);
        if (getsockopt( c->client, SOL_SOCKET, SO_ERROR, (char *)&error, &len ))
            return bench_fail_call( bench, "getsockopt" );
        if (error || len != sizeof(error)) return bench_fail( bench, "SO_ERROR is %d", error );
    }
    return 1;
}

const struct bench_ops call_recv = { call_recv_setup, call_recv_batch, NULL, call_cleanup };
const struct bench_ops call_getsockopt = { call_getsockopt_setup, call_getsockopt_batch, NULL, call_cleanup };
const struct bench_ops call_so_error = { call_setup, call_so_error_batch, NULL, call_cleanup };
