/*
 * The benchmark's cases, and what a case may use
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

#ifndef __TAPSTER_BENCH_BENCH_H
#define __TAPSTER_BENCH_BENCH_H

#include "net.h"

/* One run of one case */
struct bench
{
    unsigned int size;         /* the case's parameter: bytes, or sockets */
    void        *state;        /* the case's own */
    int          failed;       /* set once, by whichever thread fails first */
    char         error[200];   /* why; whole when the threads have ended */
};

/* What a case does. Each returns 0 if something failed, after bench_fail.
 * cleanup is called whatever failed, with as much state as there is. */
struct bench_ops
{
    int  (*setup)( struct bench *bench );                       /* not timed */
    int  (*batch)( struct bench *bench, unsigned int count );   /* timed: does the operation count times */
    int  (*drain)( struct bench *bench );                       /* timed; or NULL: waits for all to arrive */
    void (*cleanup)( struct bench *bench );                     /* not timed */
};

extern const struct bench_ops tcp_pingpong;
extern const struct bench_ops tcp_stream;
extern const struct bench_ops udp_pingpong;
extern const struct bench_ops call_recv;
extern const struct bench_ops call_getsockopt;
extern const struct bench_ops call_so_error;
extern const struct bench_ops life_socket;
extern const struct bench_ops life_connect;
extern const struct bench_ops ready_select;
extern const struct bench_ops ready_poll;

/* both return 0, to be returned by the caller */
extern int bench_fail( struct bench *bench, const char *format, ... ) __attribute__((format(printf, 2, 3)));
extern int bench_fail_call( struct bench *bench, const char *call );

/* sockets on the loopback */
extern int loopback_bind( struct bench *bench, sock_t s, struct sockaddr_in *addr );
extern sock_t loopback_listen( struct bench *bench, struct sockaddr_in *addr );
extern sock_t loopback_udp( struct bench *bench, struct sockaddr_in *addr );
extern int loopback_tcp_pair( struct bench *bench, sock_t *client, sock_t *server );
extern void loopback_close( sock_t *s );

extern int send_all( struct bench *bench, sock_t s, const char *data, unsigned int size );

#endif /* __TAPSTER_BENCH_BENCH_H */
