/*
 * Data over UDP: there and back
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

/* Longer than a ping: the echo ends. */
#define END_SIZE 2

struct udp_case
{
    struct bench      *bench;
    sock_t             client, server;
    struct sockaddr_in client_addr, server_addr;
    struct thread     *peer;
    unsigned char      next;
    uint64_t           sent;
    uint64_t           echoed;    /* by the peer; to be read when it has ended */
};

/* Sends every datagram back to where it came from. Nothing is lost: one is on
 * its way at a time. If the peer fails the client waits, and the watchdog ends it. */
static void echo_main( void *arg )
{
    struct udp_case *c = arg;
    struct sockaddr_in from;
    socklen_type from_len;
    char data[END_SIZE];
    int ret;

    for (;;)
    {
        from_len = sizeof(from);
        ret = recvfrom( c->server, data, sizeof(data), 0, (struct sockaddr *)&from, &from_len );
        if (ret != 1) break;
        if (sendto( c->server, data, ret, 0, (struct sockaddr *)&from, from_len ) != ret)
        {
            bench_fail_call( c->bench, "the peer's sendto" );
            return;
        }
        c->echoed++;
    }
    if (ret < 0) bench_fail_call( c->bench, "the peer's recvfrom" );
}

static int udp_setup( struct bench *bench )
{
    struct udp_case *c;

    if (!(c = calloc( 1, sizeof(*c) ))) return bench_fail( bench, "out of memory" );
    bench->state = c;
    c->bench = bench;
    c->server = NO_SOCKET;
    if ((c->client = loopback_udp( bench, &c->client_addr )) == NO_SOCKET) return 0;
    if ((c->server = loopback_udp( bench, &c->server_addr )) == NO_SOCKET) return 0;
    if (!(c->peer = thread_start( echo_main, c ))) return bench_fail( bench, "cannot start a thread" );
    return 1;
}

static int udp_batch( struct bench *bench, unsigned int count )
{
    struct udp_case *c = bench->state;
    struct sockaddr_in from;
    socklen_type from_len;
    unsigned char data[END_SIZE];
    int ret;

    while (count--)
    {
        data[0] = ++c->next;
        ret = sendto( c->client, (char *)data, 1, 0, (struct sockaddr *)&c->server_addr, sizeof(c->server_addr) );
        if (ret != 1) return bench_fail_call( bench, "sendto" );
        c->sent++;
        from_len = sizeof(from);
        ret = recvfrom( c->client, (char *)data, sizeof(data), 0, (struct sockaddr *)&from, &from_len );
        if (ret < 0) return bench_fail_call( bench, "recvfrom" );
        if (ret != 1 || data[0] != c->next || from.sin_port != c->server_addr.sin_port)
            return bench_fail( bench, "the wrong datagram came back" );
    }
    return 1;
}

static void udp_cleanup( struct bench *bench )
{
    struct udp_case *c = bench->state;

    if (!c) return;
    if (c->peer)
    {
        if (sendto( c->client, "ok", END_SIZE, 0, (struct sockaddr *)&c->server_addr,
                    sizeof(c->server_addr) ) != END_SIZE)
            bench_fail_call( bench, "the last sendto" );
        thread_join( c->peer );
        if (!bench->failed && c->echoed != c->sent)
            bench_fail( bench, "%.0f datagrams sent, but %.0f echoed", (double)c->sent, (double)c->echoed );
    }
    loopback_close( &c->client );
    loopback_close( &c->server );
    free( c );
}

const struct bench_ops udp_pingpong = { udp_setup, udp_batch, NULL, udp_cleanup };
