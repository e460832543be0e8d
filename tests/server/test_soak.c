/*
 * A million sockets, and nothing of them left
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


#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "raw.h"

/* Sockets are opened and closed in every way there is. What the helper has afterwards it must have
 * had after the first tenth: memory of its own, fds, slots, pages of the arena.
 *
 * SOAK_SOCKETS in the environment: how many, instead of a million (with a sanitizer, which makes
 * all of it slower and keeps what is freed: 200,000, and memory is not compared). */

#ifdef __SANITIZE_ADDRESS__
#define SOAK_SOCKETS 200000
#define SOAK_MEMORY 0
#else
#define SOAK_SOCKETS 1000000
#define SOAK_MEMORY 1
#endif

#define SOAK_LIMIT 110          /* seconds */

/* Memory may rise in steps, when a queue (to the keeper, if that gets no CPU) is longer than ever before: in few of the
 * nine tenths, and so many KiB together at most. What leaks rises in all of them: 12 KiB are an eighth of a byte for each socket. */
#define SOAK_STEP   12
#define SOAK_STEPS  4
#define SOAK_HIGHER 2048

/* one round; together 1,000 sockets */
#define ROUND_BATCHES 85        /* of eight */
#define ROUND_SINGLE  100
#define ROUND_BOUND   60
#define ROUND_PAIRS   20        /* connected and accepted */
#define ROUND_BOXES   60        /* with a handle */
#define ROUND_DEAD    60        /* of a client that dies */
#define ROUND_SOCKETS (8 * ROUND_BATCHES + ROUND_SINGLE + ROUND_BOUND + 2 * ROUND_PAIRS + ROUND_BOXES + ROUND_DEAD)

static struct raw raw;
static struct raw_sock listener;
static struct address listener_addr;

/* what is to stay as it is */
struct footprint
{
    int fds;
    int records;                /* slots in use */
    long memory;                /* KiB that nobody shares */
    long arena;                 /* KiB */
    int keeper_fds;             /* the second process's */
    long keeper_memory;
};

static int count_records(void)
{
    int i, count = 0;

    for (i = 0; i < 1000; i++) count += raw.arena[i].state != SOCKET_FREE;
    return count;
}

/* the number in a line of /proc/PID/... */
static long proc_value( int pid, const char *name, const char *what )
{
    char path[64], line[128];
    long value = -1;
    FILE *file;

    snprintf( path, sizeof(path), "/proc/%d/%s", pid, name );
    assert_non_null( file = fopen( path, "r" ) );
    while (fgets( line, sizeof(line), file ))
        if (!strncmp( line, what, strlen( what ) )) value = strtol( line + strlen( what ), NULL, 10 );
    fclose( file );
    return value;
}

static long own_memory( int pid )
{
    return proc_value( pid, "smaps_rollup", "Anonymous:" );
}

static int count_fds( int pid )
{
    char path[64];
    int count = 0;
    DIR *dir;

    snprintf( path, sizeof(path), "/proc/%d/fd", pid );
    assert_non_null( dir = opendir( path ) );
    while (readdir( dir )) count++;
    closedir( dir );
    return count;
}

static struct footprint look(void)
{
    const int keeper = proc_value( raw_helper, "status", "PPid:" );
    static int keeper_fds;
    struct footprint now;
    struct stat st;

    /* ends that only epoll tells of; and the keeper hears of them a little later */
    assert_true( RAW_WAIT( count_records() == 1 ) );
    RAW_WAIT( !keeper_fds || count_fds( keeper ) == keeper_fds );
    assert_int_equal( fstat( raw.arena_fd, &st ), 0 );
    now.records = count_records();
    now.fds = count_fds( raw_helper );
    now.memory = own_memory( raw_helper );
    now.arena = st.st_blocks / 2;
    now.keeper_fds = keeper_fds = count_fds( keeper );
    now.keeper_memory = own_memory( keeper );
    return now;
}

static void tell( const struct footprint *now, int sockets )
{
    print_message( "after %7d sockets: %ld KiB, arena %ld KiB, %d fds, %d slots; the keeper %ld KiB, %d fds\n",
                   sockets, now->memory, now->arena, now->fds, now->records, now->keeper_memory, now->keeper_fds );
}

/* as clients close: nobody waits for it */
static void close_unasked( struct raw *client, struct raw_sock *sock, u32 flags )
{
    struct { struct request_header header; struct close_request in; } request;

    memset( &request, 0, sizeof(request) );
    request.header.type = REQUEST_CLOSE | REQUEST_NO_REPLY;
    request.in.socket = sock->ref;
    request.in.flags = flags;
    assert_int_equal( raw_send( client->fd, &request, sizeof(request), NULL, 0 ), 0 );
    close( sock->fd );
}

static void run_batch(void)
{
    struct raw_sock socks[PROTOCOL_MAX_FDS];
    int i;

    assert_int_equal( raw_create_many( &raw, WS_SOCK_STREAM, 0, PROTOCOL_MAX_FDS, socks ), PROTOCOL_MAX_FDS );
    for (i = 0; i < (int)PROTOCOL_MAX_FDS; i++) close_unasked( &raw, &socks[i], CLOSE_SOLE );
}

static void run_single( int type )
{
    struct raw_sock sock;

    assert_int_equal( raw_create( &raw, WS_AF_INET, type, 0, &sock ), 0 );
    close_unasked( &raw, &sock, 0 );
}

static void run_bound( int type )
{
    struct address addr = raw_ip4( "127.0.0.1", 0 );
    struct raw_sock sock;

    assert_int_equal( raw_create( &raw, WS_AF_INET, type, 0, &sock ), 0 );
    assert_int_equal( raw_bind( &raw, &sock, &addr, NULL ), 0 );
    assert_int_equal( raw_close_sock( &raw, &sock, 0, NULL ), 0 );
}

/* Gracefully only now and then: the kernel keeps these for a minute, and there are not so many ports. */
static void run_pair( int gracefully )
{
    struct raw_sock near, far;

    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &near ), 0 );
    assert_int_equal( raw_connect( &raw, &near, &listener_addr, NULL ), 0 );
    assert_int_equal( raw_accept( &raw, &listener, &far, NULL ), 0 );
    assert_int_equal( send( near.fd, "data", 4, 0 ), 4 );
    assert_int_equal( raw_close_sock( &raw, &near, gracefully ? 0 : CLOSE_RESET, NULL ), 0 );
    assert_int_equal( raw_close_sock( &raw, &far, 0, NULL ), 0 );
}

/* closed by its last client first, or by the last handle */
static void run_box( int client_first )
{
    struct raw_sock sock;
    u64 name;
    int box;

    assert_int_equal( raw_mailbox( &raw, &name, &box ), 0 );
    assert_int_equal( raw_create_many( &raw, WS_SOCK_STREAM, name, 1, &sock ), 1 );
    if (!client_first) close( box );
    close_unasked( &raw, &sock, 0 );
    if (client_first) close( box );
}

static void run_dead(void)
{
    struct raw_sock socks[ROUND_DEAD];
    struct raw client;
    int i;

    raw_open( &client );
    for (i = 0; i < ROUND_DEAD; i++)
        assert_int_equal( raw_create( &client, WS_AF_INET, WS_SOCK_STREAM, 0, &socks[i] ), 0 );
    raw_close( &client );
    for (i = 0; i < ROUND_DEAD; i++) close( socks[i].fd );
}

static void run_round( int round )
{
    int i;

    for (i = 0; i < ROUND_BATCHES; i++) run_batch();
    for (i = 0; i < ROUND_SINGLE; i++) run_single( i % 2 ? WS_SOCK_DGRAM : WS_SOCK_STREAM );
    for (i = 0; i < ROUND_BOUND; i++) run_bound( i % 2 ? WS_SOCK_DGRAM : WS_SOCK_STREAM );
    for (i = 0; i < ROUND_PAIRS; i++) run_pair( !i && round % 2 );
    for (i = 0; i < ROUND_BOXES; i++) run_box( i % 2 );
    run_dead();
}

/* the same as before, but for memory; 1: that has risen */
static int compare( const struct footprint *before, const struct footprint *now )
{
    assert_int_equal( now->fds, before->fds );
    assert_int_equal( now->keeper_fds, before->keeper_fds );
    assert_int_equal( now->records, before->records );
    assert_int_equal( now->arena, before->arena );
    return now->memory > before->memory + SOAK_STEP || now->keeper_memory > before->keeper_memory + SOAK_STEP;
}

static void test_soak( void **state )
{
    const char *wish = getenv( "SOAK_SOCKETS" );
    const int rounds = (wish ? atoi( wish ) : SOAK_SOCKETS) / ROUND_SOCKETS;
    struct footprint first = { 0 }, last = { 0 }, now;
    int i = 0, tenth, steps = 0;

    (void)state;
    alarm( SOAK_LIMIT );
    raw_open( &raw );
    raw_listener( &raw, WS_AF_INET, &listener, &listener_addr );
    for (tenth = 1; tenth <= 10; tenth++)
    {
        for (; i < rounds * tenth / 10; i++) run_round( i );
        now = look();
        tell( &now, i * ROUND_SOCKETS );
        if (tenth == 1) first = now;
        else steps += compare( &last, &now );
        last = now;
    }
    if (SOAK_MEMORY)
    {
        assert_in_range( steps, 0, SOAK_STEPS );
        assert_in_range( last.memory, 0, first.memory + SOAK_HIGHER );
        assert_in_range( last.keeper_memory, 0, first.keeper_memory + SOAK_HIGHER );
    }
    assert_int_equal( raw_close_sock( &raw, &listener, 0, NULL ), 0 );
    raw_close( &raw );
}

int main(void)
{
    const struct CMUnitTest tests[] =
    {
        RAW_TEST( test_soak )
    };

    return cmocka_run_group_tests_name( "soak", tests, NULL, NULL );
}
