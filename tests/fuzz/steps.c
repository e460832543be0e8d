/*
 * The fuzzer: steps, and how they are varied
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

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define MAX_STEPS 512

extern int LLVMFuzzerTestOneInput( const u8 *data, size_t size );
extern int LLVMFuzzerInitialize( int *argc, char ***argv );
extern size_t LLVMFuzzerCustomMutator( u8 *data, size_t size, size_t max, unsigned int seed );
extern size_t LLVMFuzzerMutate( u8 *data, size_t size, size_t max );

/* ---- what happens beside requests ---- */

static void step_data( const struct step *step )
{
    static char buffer[100000];
    int fd = words_sock( step, step->sock )->fd;
    size_t len = step->b < 128 ? step->b : (step->b - 127) * 700;

    if (fd == -1) return;
    switch (step->a % 5)
    {
    case 0: send( fd, buffer, len, MSG_DONTWAIT | MSG_NOSIGNAL ); break;
    case 1: send( fd, buffer, 1, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_OOB ); break;
    case 2: recv( fd, buffer, len, MSG_DONTWAIT ); break;
    case 3: recv( fd, buffer, 1, MSG_DONTWAIT | MSG_OOB ); break;
    case 4: while (send( fd, buffer, sizeof(buffer), MSG_DONTWAIT | MSG_NOSIGNAL ) > 0) /* until it is full */; break;
    }
}

static void step_close_fd( const struct step *step )
{
    int *fd = step->a & 1 ? &words_client( step )->boxes[step->sock % BOXES].fd : &words_sock( step, step->sock )->fd;

    if (*fd != -1) close( *fd );
    *fd = -1;
}

static void step_time( const struct step *step )
{
    static const u32 times[] = { 1, 20, 100, 1000, 2000, 3000, 10000, 21000, 60000, 600000 };

    world_later( times[step->a % (sizeof(times) / sizeof(times[0]))] );
}

static void step_outside( const struct step *step )
{
    struct address addr = words_address( step->a & 1, step->b | 1 );
    int fd = socket( step->a & 1 ? AF_INET6 : AF_INET, (step->a & 2 ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 );
    struct linger reset = { 1, 0 };
    u16 family = step->a & 1 ? AF_INET6 : AF_INET;

    if (fd == -1) return;
    memcpy( addr.data, &family, sizeof(family) );
    setsockopt( fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset) );
    if (!connect( fd, (struct sockaddr *)addr.data, addr.len ) && (step->a & 4)) send( fd, "x", 1, MSG_NOSIGNAL );
    if (step->a & 8) client_remember( words_client( step ), (struct socket_ref){ ~0u, 0 }, 0, fd );
    else close( fd );
}

static void step_raw( const struct step *step )
{
    u8 bytes[PROTOCOL_MAX_MESSAGE + 256];
    int fd;

    memset( bytes, step->b, sizeof(bytes) );
    bytes[0] = step->c;
    bytes[3] = 0x40;            /* never a type, so never answered */
    fd = step->flags & FLAG_FD ? words_fd( step, step->d ) : -1;
    client_say( words_client( step ), REQUEST_NO_REPLY, bytes, step->a * 3 + 1, &fd, fd != -1 );
    if (fd != -1) close( fd );
}

static void step_flags( const struct step *step )
{
    int fd = words_sock( step, step->sock )->fd;

    if (fd != -1) fcntl( fd, F_SETFL, step->a & 1 ? O_NONBLOCK : 0 );
}

static void step_silent( const struct step *step )
{
    client_connect( words_client( step ) );
    world_settle();
}

static void step_other( const struct step *step )
{
    struct fuzz_client *client = words_client( step );

    switch (step->op)
    {
    case STEP_DATA:     step_data( step ); break;
    case STEP_CLOSE_FD: step_close_fd( step ); break;
    case STEP_COUNTER:  __atomic_store_n( &client->counters[step->a % COUNTERS], step->b & 1, __ATOMIC_SEQ_CST ); break;
    case STEP_TIME:     step_time( step ); break;
    case STEP_END:      client_end( client ); break;
    case STEP_SILENT:   step_silent( step ); break;
    case STEP_PAIR:     words_pair( step ); break;
    case STEP_OUTSIDE:  step_outside( step ); break;
    case STEP_FEW_FDS:  world_few_fds( step->a % 24 ); break;
    case STEP_FAULT:    world_fault( step->a, step->b % 16 ); break;
    case STEP_RAW:      step_raw( step ); break;
    case STEP_FLAGS:    step_flags( step ); break;
    }
}

/* what a client says first, unless it is to be silent */
static void step_hello( const struct step *step )
{
    const struct step hello = { .op = REQUEST_HELLO, .client = step->client, .d = 12 };

    client_connect( words_client( step ) );
    words_say( &hello );
    world_settle();
    client_listen( words_client( step ) );
}

static void step_run( const struct step *step )
{
    u32 i;

    if (words_client( step )->fd == -1 && step->op != STEP_SILENT) step_hello( step );
    if (step->op < STEP_FIRST) words_say( step );
    else step_other( step );
    if (step->flags & FLAG_NO_SETTLE) return;
    world_settle();
    for (i = 0; i < CLIENTS; i++) client_listen( &fuzz_clients[i] );
}

int LLVMFuzzerInitialize( int *argc, char ***argv )
{
    (void)argc;
    (void)argv;
    signal( SIGPIPE, SIG_IGN );
    client_begin_all();         /* what stays for all inputs */
    return 0;
}

int LLVMFuzzerTestOneInput( const u8 *data, size_t size )
{
    struct step step;
    size_t i;

    world_begin();
    client_begin_all();
    for (i = 0; i < size / sizeof(step) && i < MAX_STEPS; i++)
    {
        memcpy( &step, data + i * sizeof(step), sizeof(step) );
        step_run( &step );
    }
    client_end_all();
    world_end();
    return 0;
}

/* ---- variations: of steps, not of bytes ---- */

static u64 vary_state;

static u32 vary_random( u32 limit )
{
    vary_state ^= vary_state << 13;
    vary_state ^= vary_state >> 7;
    vary_state ^= vary_state << 17;
    return (u32)(vary_state >> 32) % limit;
}

static u8 vary_op(void)
{
    return vary_random( 3 ) ? 1 + vary_random( REQUEST_COUNT - 1 ) : STEP_FIRST + vary_random( STEP_END_OP - STEP_FIRST );
}

/* a step that could make sense */
static struct step vary_new(void)
{
    struct step step = { .op = vary_op(), .client = vary_random( 8 ) ? 0 : vary_random( CLIENTS ), .sock = vary_random( 4 ) };

    step.a = vary_random( 2 ) ? vary_random( 8 ) : vary_random( 256 );
    step.b = vary_random( 2 ) ? vary_random( 4 ) : vary_random( 256 );
    step.c = vary_random( 2 ) ? 1 : vary_random( 256 );
    step.d = vary_random( 2 ) ? vary_random( 20 ) : vary_random( 256 );
    if (!vary_random( 4 )) step.flags = 1 << vary_random( 8 );
    return step;
}

static size_t vary_insert( struct step *steps, size_t count, size_t max )
{
    size_t at = vary_random( count + 1 ), i, n = 1 + vary_random( 4 );

    if (n > max - count) n = max - count;
    memmove( steps + at + n, steps + at, (count - at) * sizeof(*steps) );
    for (i = 0; i < n; i++) steps[at + i] = vary_new();
    return count + n;
}

static size_t vary_remove( struct step *steps, size_t count )
{
    size_t at = vary_random( count ), n = 1 + vary_random( vary_random( 4 ) ? 2 : 16 );

    if (n > count - at) n = count - at;
    memmove( steps + at, steps + at + n, (count - at - n) * sizeof(*steps) );
    return count - n;
}

static void vary_byte( struct step *step )
{
    u8 *byte = (u8 *)step + vary_random( sizeof(*step) );

    switch (byte == &step->op ? 0 : 1 + vary_random( 3 ))
    {
    case 0: *byte = vary_op(); break;
    case 1: *byte = vary_random( 256 ); break;
    case 2: *byte ^= 1 << vary_random( 8 ); break;
    case 3: *byte = vary_random( 16 ); break;
    }
}

static void vary_copy( struct step *steps, size_t count )
{
    size_t n = 1 + vary_random( count > 8 ? 8 : count );

    memmove( steps + vary_random( count - n + 1 ), steps + vary_random( count - n + 1 ), n * sizeof(*steps) );
}

size_t LLVMFuzzerCustomMutator( u8 *data, size_t size, size_t max, unsigned int seed )
{
    struct step steps[MAX_STEPS];
    size_t count = size / sizeof(*steps), limit = max / sizeof(*steps);

    if (limit > MAX_STEPS) limit = MAX_STEPS;
    if (count > limit) count = limit;
    vary_state = seed * 0x9e3779b97f4a7c15ull + 1;
    if (!vary_random( 6 )) return LLVMFuzzerMutate( data, size, max ) / sizeof(*steps) * sizeof(*steps);
    memcpy( steps, data, count * sizeof(*steps) );
    do
    {
        u32 what = count ? vary_random( 8 ) : 0;

        if (what < 3) count = vary_insert( steps, count, limit );
        else if (what == 3) count = vary_remove( steps, count );
        else if (what == 4) vary_copy( steps, count );
        else vary_byte( &steps[vary_random( count )] );
    }
    while (!count || !vary_random( 3 ));
    memcpy( data, steps, count * sizeof(*steps) );
    return count * sizeof(*steps);
}
