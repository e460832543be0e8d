/*
 * Data over TCP: there and back, and one way
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
#include <string.h>

#include "bench.h"

/* The content repeats with this period, which divides no size in use: a lost,
 * repeated or swapped piece shows in the first byte of the next. */
#define PERIOD 251
#define READ_SIZE 65536

struct tcp_case
{
    struct bench  *bench;
    sock_t         client;       /* the timed thread's */
    sock_t         server;       /* the peer's, which closes it in the end: nobody waits for a dead peer */
    struct thread *peer;
    uint64_t       sent;         /* bytes, by the client */
    uint64_t       received;     /* bytes, by the peer; to be read when it has ended */
    char          *data;         /* size bytes, sent again and again, + PERIOD */
};

static char content_at( uint64_t offset )
{
    return offset % PERIOD;
}

static int check_content( struct tcp_case *c, const char *data, int len )
{
    if (data[0] != content_at( c->received ) || data[len - 1] != content_at( c->received + len - 1 ))
        return bench_fail( c->bench, "wrong data after %.0f bytes", (double)c->received );
    c->received += len;
    return 1;
}

/* Sends back every byte until the client shuts down. */
static void echo_main( void *arg )
{
    struct tcp_case *c = arg;
    char byte;
    int ret;

    while ((ret = recv( c->server, &byte, 1, 0 )) == 1)
    {
        c->received++;
        if (!send_all( c->bench, c->server, &byte, 1 )) break;
    }
    if (ret < 0) bench_fail_call( c->bench, "the peer's recv" );
    loopback_close( &c->server );
}

/* Reads until the client shuts down. */
static void reader_main( void *arg )
{
    struct tcp_case *c = arg;
    static char data[READ_SIZE];   /* there is one reader at a time */
    int ret;

    while ((ret = recv( c->server, data, sizeof(data), 0 )) > 0)
        if (!check_content( c, data, ret )) break;
    if (ret < 0) bench_fail_call( c->bench, "the reader's recv" );
    loopback_close( &c->server );
}

static int tcp_setup( struct bench *bench, void (*peer)( void *arg ) )
{
    struct tcp_case *c;
    unsigned int i;

    if (!(c = calloc( 1, sizeof(*c) ))) return bench_fail( bench, "out of memory" );
    bench->state = c;
    c->bench = bench;
    c->client = c->server = NO_SOCKET;
    if (!(c->data = malloc( bench->size + PERIOD ))) return bench_fail( bench, "out of memory" );
    for (i = 0; i < bench->size + PERIOD; i++) c->data[i] = content_at( i );
    if (!loopback_tcp_pair( bench, &c->client, &c->server )) return 0;
    if (!(c->peer = thread_start( peer, c ))) return bench_fail( bench, "cannot start a thread" );
    return 1;
}

/* Tells the peer that there is no more, and waits until it has read all. */
static int tcp_drain( struct bench *bench )
{
    struct tcp_case *c = bench->state;

    if (shutdown( c->client, 1 /* SD_SEND, SHUT_WR */ )) bench_fail_call( bench, "shutdown" );
    /* without it the peer would wait for ever; closing cannot fail to end that */
    if (bench->failed) loopback_close( &c->client );
    thread_join( c->peer );
    c->peer = NULL;
    if (c->received == c->sent) return !bench->failed;
    return bench_fail( bench, "%.0f bytes sent, but %.0f arrived", (double)c->sent, (double)c->received );
}

static void tcp_cleanup( struct bench *bench )
{
    struct tcp_case *c = bench->state;

    if (!c) return;
    loopback_close( &c->client );
    if (c->peer) thread_join( c->peer );
    loopback_close( &c->server );
    free( c->data );
    free( c );
}

static int tcp_pingpong_setup( struct bench *bench )
{
    struct tcp_case *c;
    int yes = 1;

    if (!tcp_setup( bench, echo_main )) return 0;
    c = bench->state;
    if (setsockopt( c->client, IPPROTO_TCP, TCP_NODELAY, (char *)&yes, sizeof(yes) ) ||
        setsockopt( c->server, IPPROTO_TCP, TCP_NODELAY, (char *)&yes, sizeof(yes) ))
        return bench_fail_call( bench, "setsockopt" );
    return 1;
}

static int tcp_pingpong_batch( struct bench *bench, unsigned int count )
{
    struct tcp_case *c = bench->state;
    char in, out;
    int ret;

    while (count--)
    {
        out = content_at( c->sent );
        if (!send_all( bench, c->client, &out, 1 )) return 0;
        c->sent++;
        if ((ret = recv( c->client, &in, 1, 0 )) < 0) return bench_fail_call( bench, "recv" );
        if (!ret) return bench_fail( bench, "the peer has closed the connection" );
        if (in != out) return bench_fail( bench, "the wrong byte came back" );
    }
    return 1;
}

static int tcp_stream_setup( struct bench *bench )
{
    return tcp_setup( bench, reader_main );
}

static int tcp_stream_batch( struct bench *bench, unsigned int count )
{
    struct tcp_case *c = bench->state;

    while (count--)
    {
        if (!send_all( bench, c->client, c->data + c->sent % PERIOD, bench->size )) return 0;
        c->sent += bench->size;
    }
    return 1;
}

/* The echo's count is checked too, but its end is no part of the operation. */
static void tcp_pingpong_cleanup( struct bench *bench )
{
    struct tcp_case *c = bench->state;

    if (c && c->peer && !bench->failed) tcp_drain( bench );
    tcp_cleanup( bench );
}

const struct bench_ops tcp_pingpong = { tcp_pingpong_setup, tcp_pingpong_batch, NULL, tcp_pingpong_cleanup };
const struct bench_ops tcp_stream = { tcp_stream_setup, tcp_stream_batch, tcp_drain, tcp_cleanup };
