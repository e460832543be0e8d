/*
 * The Unix library under many threads, and with a helper that is killed again and again
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

/* Four threads connect, stream blocks and wait for their sum; four accept, count, and answer. The work
 * is fixed. In the second half another thread kills the helper every 100 ms: control calls go on
 * working, and no connection and no byte is lost. */

#include "unix.h"

#include <arpa/inet.h>
#include <pthread.h>

#define PAIRS        4
#define CALM_ROUNDS  200        /* connections for each pair */
#define STORM_ROUNDS 200
#define MAX_STREAM   (192 << 10)        /* bytes */
#define CHUNK        4096
#define BIG_STREAM   (4 << 20)          /* one in BIG_ONE_IN goes at once, most of it by the helper */
#define BIG_ONE_IN   16
#define KILL_MS      100

struct answer
{
    uint64_t bytes;
    uint64_t sum;
};

struct pair
{
    struct WS_sockaddr_in addr;         /* of its listener */
    struct unix_socket   *listener;
    unsigned int          rounds;       /* connections to make */
    unsigned int          seed;
    unsigned int          finished;     /* by the server: whole and answered */
    int                   slow;         /* the client takes its time, so that helpers die meanwhile */
    unsigned int          done;         /* by the client, atomic */
    char                  failure[160]; /* the first; empty: none */
    char                  client_failure[160];
};

static unsigned int killing;            /* atomic */
static unsigned int kills;

/* xorshift */
static unsigned int next_random( unsigned int *seed )
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* Depends on the place of each byte. ThreadSanitizer would look at each. */
__attribute__((no_sanitize( "thread" )))
static void add_sum( struct answer *answer, const unsigned char *data, size_t count )
{
    size_t i;

    for (i = 0; i < count; i++) answer->sum = answer->sum * 31 + data[i] + 1;
    answer->bytes += count;
}

#define CHECK( failure, call ) \
    do { unsigned int error = (call); \
         if (error) { if (!*(failure)) snprintf( (failure), 160, "%s: error %u", #call, error ); return 0; } } while (0)

/* ---- servers ---- */

static int serve_stream( struct pair *pair, struct unix_socket *socket )
{
    struct answer answer = { 0, 0 };
    unsigned char buffer[CHUNK * 4];
    size_t count;

    do
    {
        CHECK( pair->failure, unix_recv_wait( socket, buffer, sizeof(buffer), &count ) );
        add_sum( &answer, buffer, count );
    } while (count);
    CHECK( pair->failure, unix_send_all( socket, &answer, sizeof(answer) ) );
    return 1;
}

static int serve( struct pair *pair )
{
    struct unix_socket *socket;
    int ret;

    while (!__atomic_load_n( &pair->done, __ATOMIC_ACQUIRE ))
    {
        if (!unix_wait( pair->listener, UNIX_POLLIN, 20 )) continue;
        CHECK( pair->failure, unix_accept_from( pair->listener, &socket ) );
        ret = serve_stream( pair, socket );
        CHECK( pair->failure, unix_close( socket ) );
        if (!ret) return 0;
        pair->finished++;
    }
    return 1;
}

static void *server_thread( void *arg )
{
    serve( arg );
    return NULL;
}

/* ---- clients ---- */

/* all without waiting: what the kernel has no room for is the helper's */
static int big_out( struct pair *pair, struct unix_socket *socket, const unsigned char *data, size_t size )
{
    struct unix_buf buf = { size, (char *)data };
    struct send_params params = { .socket = socket, .bufs = &buf, .count = 1 };
    struct send_backlog_params rest = { .socket = socket, .bufs = &buf, .count = 1 };
    unsigned int error = 0;

    while (params.skip < size && !(error = unix_call( unix_send, &params ))) params.skip += params.result;
    rest.skip = params.skip;
    if (error == WSAEWOULDBLOCK) error = unix_call( unix_send_backlog, &rest );
    if (error == WSAECONNRESET || error == WSAECONNABORTED) return 1;
    CHECK( pair->client_failure, error );
    CHECK( pair->client_failure, unix_shut( socket, SD_SEND ) );
    return 1;
}

__attribute__((no_sanitize( "thread" )))
static void fill_big( unsigned char *data, unsigned int seed )
{
    size_t i;

    for (i = 0; i < BIG_STREAM; i++) data[i] = i % 251 + seed;
}

static int stream_big( struct pair *pair, struct unix_socket *socket, struct answer *answer )
{
    unsigned char *data = malloc( BIG_STREAM );
    int ret;

    CHECK( pair->client_failure, data ? 0 : ENOMEM );
    fill_big( data, pair->seed );
    next_random( &pair->seed );
    add_sum( answer, data, BIG_STREAM );
    ret = big_out( pair, socket, data, BIG_STREAM );
    free( data );
    return ret;
}

static int stream_out( struct pair *pair, struct unix_socket *socket, struct answer *answer )
{
    unsigned char buffer[CHUNK];
    size_t left = next_random( &pair->seed ) % MAX_STREAM + 1, part, i;

    for (; left; left -= part)
    {
        part = left < CHUNK ? left : CHUNK;
        for (i = 0; i < part; i++) buffer[i] = next_random( &pair->seed );
        add_sum( answer, buffer, part );
        CHECK( pair->client_failure, unix_send_all( socket, buffer, part ) );
        if (pair->slow && !(next_random( &pair->seed ) % 8)) unix_sleep( 2 );
    }
    CHECK( pair->client_failure, unix_shut( socket, SD_SEND ) );
    return 1;
}

/* 1: it came, and is right */
static int check_answer( struct pair *pair, struct unix_socket *socket, const struct answer *expected )
{
    struct answer answer;
    size_t count, got = 0;

    while (got < sizeof(answer))
    {
        CHECK( pair->client_failure, unix_recv_wait( socket, (char *)&answer + got, sizeof(answer) - got, &count ) );
        if (!count) break;
        got += count;
    }
    if (got == sizeof(answer) && answer.bytes == expected->bytes && answer.sum == expected->sum) return 1;
    snprintf( pair->client_failure, sizeof(pair->client_failure), "%zu bytes of an answer: %llu bytes of %llu, or their sum is wrong",
              got, (unsigned long long)answer.bytes, (unsigned long long)expected->bytes );
    return 0;
}

/* what goes wrong in the middle leaves the socket open: the test has failed anyway */
static int run_client( struct pair *pair )
{
    struct unix_socket *socket;
    unsigned int i;

    for (i = 0; i < pair->rounds; i++)
    {
        struct answer expected = { 0, 0 };

        CHECK( pair->client_failure, unix_create( WS_SOCK_STREAM, &socket ) );
        CHECK( pair->client_failure, unix_option( socket, OPTION_NONBLOCKING, 1, 0 ) );
        CHECK( pair->client_failure, unix_connect_to( socket, &pair->addr ) );
        if (!(next_random( &pair->seed ) % BIG_ONE_IN ? stream_out( pair, socket, &expected ) : stream_big( pair, socket, &expected )) ||
            !check_answer( pair, socket, &expected )) return 0;
        if (!(unix_flags( socket ) & SOCKET_NONBLOCKING) && !*pair->client_failure)
            snprintf( pair->client_failure, sizeof(pair->client_failure), "a socket has forgotten its mode" );
        CHECK( pair->client_failure, unix_close( socket ) );
    }
    return 1;
}

static void *client_thread( void *arg )
{
    struct pair *pair = arg;

    run_client( pair );
    __atomic_store_n( &pair->done, 1, __ATOMIC_RELEASE );
    return NULL;
}

/* ---- the whole ---- */

static void *killer_thread( void *arg )
{
    (void)arg;
    while (__atomic_load_n( &killing, __ATOMIC_ACQUIRE ))
    {
        unix_sleep( KILL_MS );
        kills += unix_kill_helper();
    }
    return NULL;
}

static void run_pairs( unsigned int rounds, int slow )
{
    static struct pair pairs[PAIRS];
    pthread_t servers[PAIRS], clients[PAIRS];
    unsigned int i;

    memset( pairs, 0, sizeof(pairs) );
    for (i = 0; i < PAIRS; i++)
    {
        pairs[i].rounds = rounds;
        pairs[i].seed = 4711 + i;
        pairs[i].slow = slow;
        assert_int_equal( unix_listener( &pairs[i].listener, &pairs[i].addr ), 0 );
    }
    for (i = 0; i < PAIRS; i++)
    {
        assert_int_equal( pthread_create( &servers[i], NULL, server_thread, &pairs[i] ), 0 );
        assert_int_equal( pthread_create( &clients[i], NULL, client_thread, &pairs[i] ), 0 );
    }
    for (i = 0; i < PAIRS; i++)
    {
        pthread_join( clients[i], NULL );
        pthread_join( servers[i], NULL );
    }
    for (i = 0; i < PAIRS; i++)
    {
        if (*pairs[i].client_failure) print_error( "client %u: %s\n", i, pairs[i].client_failure );
        if (*pairs[i].failure) print_error( "server %u: %s\n", i, pairs[i].failure );
        assert_false( *pairs[i].client_failure || *pairs[i].failure );
        assert_int_equal( pairs[i].finished, rounds );
        assert_int_equal( *pairs[i].listener->pending, 0 );
        assert_int_equal( unix_close( pairs[i].listener ), 0 );
    }
}

static void test_calm( void **state )
{
    (void)state;
    run_pairs( CALM_ROUNDS, 0 );
}

static void test_storm( void **state )
{
    pthread_t killer;

    (void)state;
    __atomic_store_n( &killing, 1, __ATOMIC_RELEASE );
    assert_int_equal( pthread_create( &killer, NULL, killer_thread, NULL ), 0 );
    run_pairs( STORM_ROUNDS, 1 );
    __atomic_store_n( &killing, 0, __ATOMIC_RELEASE );
    pthread_join( killer, NULL );
    print_message( "%u helpers killed\n", kills );
    assert_true( kills >= 5 );
}

static int begin( void **state )
{
    (void)state;
    unix_begin( 25 );
    return 0;
}

static int end( void **state )
{
    (void)state;
    unix_end();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] =
    {
        cmocka_unit_test( test_calm ),
        cmocka_unit_test( test_storm )
    };

    return cmocka_run_group_tests( tests, begin, end );
}
