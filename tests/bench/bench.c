/*
 * Measures what socket calls cost
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

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define DEFAULT_SECONDS 0.3
#define MAX_SECONDS 60
/* What setting up, draining and closing may take beyond the measured time. */
#define GRACE_NS ((uint64_t)30 * 1000000000)
/* A batch is about this part of the time: the clock is read seldom, the end met well. */
#define BATCHES 64
#define MAX_BATCH (1u << 20)

/* The kind says what is expected of a case: "data" and "ready" cost what they cost
 * natively; "life" asks the helper; "call" is not the same work on all sides, so
 * that nothing is expected. A new case is a line here and its functions. */
static const struct bench_case
{
    const char             *name;
    const char             *kind;
    const struct bench_ops *ops;
    unsigned int            size;
    const char             *description;
}
cases[] =
{
    { "tcp_pingpong",     "data",  &tcp_pingpong,    1,     "TCP ping-pong, 1 byte" },
    { "tcp_stream_64k",   "data",  &tcp_stream,      65536, "TCP stream, 64 KiB sends" },
    { "tcp_send_64",      "data",  &tcp_stream,      64,    "TCP send, 64 bytes" },
    { "udp_pingpong",     "data",  &udp_pingpong,    1,     "UDP ping-pong, 1 byte" },
    { "recv_would_block", "data",  &call_recv,       0,     "recv that would block" },
    { "getsockopt",       "data",  &call_getsockopt, 0,     "getsockopt TCP_NODELAY" },
    { "select_62",        "ready", &ready_select,    62,    "select of 62, one ready" },
    { "poll_500",         "ready", &ready_poll,      500,   "WSAPoll of 500, one ready" },
    { "getsockopt_error", "call",  &call_so_error,   0,     "getsockopt SO_ERROR" },
    { "socket_close",     "life",  &life_socket,     0,     "socket + close" },
    { "connect_accept",   "life",  &life_connect,    0,     "connect + accept + close" },
};

#define NB_CASES (sizeof(cases) / sizeof(cases[0]))

static const char *running;      /* for the watchdog: the case, and when it has to be over */
static uint64_t deadline;        /* 0 between cases */

int bench_fail( struct bench *bench, const char *format, ... )
{
    va_list args;

    if (__atomic_exchange_n( &bench->failed, 1, __ATOMIC_RELAXED )) return 0;
    va_start( args, format );
    vsnprintf( bench->error, sizeof(bench->error), format, args );
    va_end( args );
    return 0;
}

int bench_fail_call( struct bench *bench, const char *call )
{
    char text[120];

    net_describe( net_error(), text, sizeof(text) );
    return bench_fail( bench, "%s: %s", call, text );
}

/* A case that hangs ends the program, so that none is ever left behind. */
static void watchdog_main( void *arg )
{
    uint64_t limit;

    (void)arg;
    for (;;)
    {
        thread_sleep( 500 );
        limit = __atomic_load_n( &deadline, __ATOMIC_ACQUIRE );
        if (!limit || clock_ns() < limit) continue;
        printf( "error %s does not end\n", running );
        fflush( stdout );
        _exit( 3 );
    }
}

static void watchdog_set( const char *name, uint64_t limit )
{
    running = name;
    __atomic_store_n( &deadline, limit, __ATOMIC_RELEASE );
}

/* Repeats the operation for the time given. The first one, for which sockets are
 * looked up and pages touched, is not counted. */
static int measure( const struct bench_ops *ops, struct bench *bench, double seconds, double *count, double *time )
{
    uint64_t start, last, now, slice = seconds * 1e9;
    unsigned int batch = 1;

    *count = 0;
    if (!ops->batch( bench, 1 )) return 0;

    start = last = clock_ns();
    do
    {
        if (!ops->batch( bench, batch )) return 0;
        *count += batch;
        now = clock_ns();
        if ((now - last) < slice / BATCHES / 2 && batch < MAX_BATCH) batch *= 2;
        last = now;
    }
    while (now - start < slice);

    if (ops->drain && !ops->drain( bench )) return 0;
    *time = clock_ns() - start;
    return 1;
}

static int run_case( const struct bench_case *c, double seconds )
{
    struct bench bench = { 0 };
    double count = 0, time = 0;
    int ok;

    watchdog_set( c->name, clock_ns() + (uint64_t)(seconds * 1e9) + GRACE_NS );
    bench.size = c->size;
    ok = c->ops->setup( &bench ) && measure( c->ops, &bench, seconds, &count, &time );
    c->ops->cleanup( &bench );
    watchdog_set( NULL, 0 );

    ok = ok && !bench.failed;   /* the peer may have failed, or the sums be wrong */
    if (!ok) printf( "error %s %s\n", c->name, bench.error );
    else printf( "result %s ops=%.0f ns=%.0f ops_per_s=%.1f ns_per_op=%.2f\n",
                 c->name, count, time, count / time * 1e9, time / count );
    fflush( stdout );
    return ok;
}

static int run_named( const char *name, double seconds )
{
    unsigned int i;

    for (i = 0; i < NB_CASES; i++)
        if (!strcmp( cases[i].name, name )) return run_case( &cases[i], seconds );
    printf( "error %s is not a case\n", name );
    fflush( stdout );
    return 0;
}

static void list_cases( void )
{
    unsigned int i;

    for (i = 0; i < NB_CASES; i++)
        printf( "case %s %s %s\n", cases[i].name, cases[i].kind, cases[i].description );
    printf( "end\n" );
    fflush( stdout );
}

static int valid_seconds( double seconds )
{
    return seconds > 0 && seconds <= MAX_SECONDS;
}

/* Commands on stdin, one a line, answers on stdout: "list", "run NAME SECONDS", "quit". */
static void serve( void )
{
    char line[200], name[64];
    double seconds;

    while (fgets( line, sizeof(line), stdin ))
    {
        line[strcspn( line, "\r\n" )] = 0;
        if (!strcmp( line, "quit" )) break;
        else if (!strcmp( line, "list" )) list_cases();
        else if (sscanf( line, "run %63s %lf", name, &seconds ) == 2 && valid_seconds( seconds ))
            run_named( name, seconds );
        else
        {
            printf( "error is not a command: %s\n", line );
            fflush( stdout );
        }
    }
}

static int usage( const char *program )
{
    fprintf( stderr, "Usage: %s [SECONDS [CASE...]]    measures all cases, or these\n"
                     "       %s --serve              takes commands on stdin\n", program, program );
    return 2;
}

int main( int argc, char **argv )
{
    double seconds = DEFAULT_SECONDS;
    unsigned int i;
    int error, ok = 1;

    stdio_start();
    if ((error = net_start()))
    {
        printf( "error starting the sockets: %d\n", error );
        return 1;
    }
    if (!thread_start( watchdog_main, NULL )) return 1;
    printf( "ready %s %s %s\n", net_system, net_provider(), net_wine_version() );
    fflush( stdout );

    if (argc == 2 && !strcmp( argv[1], "--serve" ))
    {
        serve();
        return 0;
    }
    if (argc > 1 && !valid_seconds( seconds = atof( argv[1] ) )) return usage( argv[0] );
    for (i = 2; i < (unsigned int)argc; i++) ok &= run_named( argv[i], seconds );
    if (argc <= 2)
        for (i = 0; i < NB_CASES; i++) ok &= run_case( &cases[i], seconds );
    return !ok;
}
