/*
 * Local sockets through the Unix library, while helpers die
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

#include "unix.h"

#include <signal.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define ROUNDS_MS 12000             /* for so long */
#define KILL_MS   37                /* a helper lives so long */

static unsigned int rounds;

/* ---- the calls ---- */

static void make_address( unsigned int port, unsigned char *addr )
{
    unsigned short family = LOCAL_FAMILY;

    memset( addr, 0, LOCAL_ADDRESS_SIZE );
    memcpy( addr, &family, sizeof(family) );
    memcpy( addr + 4, &port, sizeof(port) );
}

static unsigned int new_socket( struct unix_socket **socket )
{
    struct socket_create_params params = { .family = LOCAL_FAMILY, .type = WS_SOCK_SEQPACKET };
    unsigned int error = unix_call( unix_socket_create, &params );

    *socket = params.socket;
    return error;
}

static struct unix_socket *new_listener( unsigned char *addr )
{
    struct unix_socket *listener;
    struct socket_bind_params params;

    assert_int_equal( new_socket( &listener ), 0 );
    make_address( 0, addr );
    params.socket = listener;
    params.addr = addr;
    params.len = LOCAL_ADDRESS_SIZE;
    assert_int_equal( unix_call( unix_socket_bind, &params ), 0 );
    memcpy( addr, listener->slot->local.data, LOCAL_ADDRESS_SIZE );
    assert_int_equal( unix_start_listening( listener ), 0 );
    return listener;
}

static unsigned int start_connect( struct unix_socket *socket, const unsigned char *addr, const char *data )
{
    struct local_send_params params = { socket, addr, LOCAL_ADDRESS_SIZE, data, strlen( data ), 0 };

    return unix_call( unix_local_connect, &params );
}

static unsigned int send_data( enum unix_funcs func, struct unix_socket *socket, const char *data )
{
    struct local_send_params params = { .socket = socket, .data = data, .data_len = strlen( data ) };

    return unix_call( func, &params );
}

/* what the connect came to */
static unsigned int end_connect( struct unix_socket *socket )
{
    struct socket_connect_status_params params = { .socket = socket };
    unsigned int error;

    do
    {
        assert_true( unix_wait( socket, UNIX_POLLOUT, 5000 ) );
        error = unix_call( unix_socket_connect_status, &params );
    } while (!error && params.pending);
    return error;
}

static void expect_data( enum unix_funcs func, struct unix_socket *socket, unsigned int kind, const char *data )
{
    struct local_data_params params = { .socket = socket };

    assert_int_equal( unix_call( func, &params ), 0 );
    if (func == unix_local_peek) assert_int_equal( params.kind, kind );
    assert_int_equal( params.len, strlen( data ) );
    assert_memory_equal( params.data, data, params.len );
}

static void expect_message( struct unix_socket *socket, const char *data )
{
    char buffer[64];
    size_t count;

    assert_true( unix_wait( socket, UNIX_POLLIN, 5000 ) );
    assert_int_equal( unix_recv_once( socket, buffer, sizeof(buffer), &count ), 0 );
    assert_int_equal( count, strlen( data ) );
    assert_memory_equal( buffer, data, count );
}

/* ---- one life ---- */

static void refuse( struct unix_socket *listener, struct unix_socket *client, const unsigned char *addr )
{
    struct socket_close_params params = { .flags = CLOSE_RESET | CLOSE_SOLE };

    assert_int_equal( start_connect( client, addr, "no" ), 0 );
    assert_int_equal( unix_accept_from( listener, &params.socket ), 0 );
    assert_int_equal( unix_call( unix_socket_close, &params ), 0 );
    assert_int_equal( end_connect( client ), WSAECONNREFUSED );
}

static void live( struct unix_socket *listener, const unsigned char *addr, int refused_first )
{
    struct unix_socket *client, *server;
    size_t count;
    char byte;

    assert_int_equal( new_socket( &client ), 0 );
    if (refused_first) refuse( listener, client, addr );
    assert_int_equal( start_connect( client, addr, "caller" ), 0 );
    assert_int_equal( unix_accept_from( listener, &server ), 0 );
    expect_data( unix_local_peek, server, LOCAL_REQUEST, "caller" );
    assert_int_equal( send_data( unix_local_answer, server, "callee" ), 0 );
    assert_int_equal( end_connect( client ), 0 );
    expect_data( unix_local_data, client, 0, "callee" );
    expect_data( unix_local_data, server, 0, "caller" );
    assert_int_equal( unix_send_all( client, "one", 3 ), 0 );
    assert_int_equal( unix_send_all( client, "second", 6 ), 0 );
    assert_int_equal( unix_send_all( server, "three", 5 ), 0 );
    expect_message( server, "one" );
    expect_message( client, "three" );
    assert_int_equal( send_data( unix_local_disconnect, client, "bye" ), 0 );
    expect_message( server, "second" );
    assert_int_equal( unix_recv_once( server, &byte, 1, &count ), WSAEDISCON );
    expect_data( unix_local_peek, server, LOCAL_DISCONNECT, "bye" );
    assert_int_equal( unix_shut( server, SD_RECEIVE ), 0 );
    assert_int_equal( unix_close( client ), 0 );
    expect_data( unix_local_peek, server, LOCAL_DISCONNECT, "bye" );
    assert_int_equal( unix_flags( server ) & SOCKET_RESET, 0 );
    assert_int_equal( unix_close( server ), 0 );
}

static void test_once( void **state )
{
    unsigned char addr[LOCAL_ADDRESS_SIZE];
    struct unix_socket *listener = new_listener( addr ), *client;

    (void)state;
    live( listener, addr, 0 );
    live( listener, addr, 1 );
    assert_int_equal( unix_close( listener ), 0 );
    assert_int_equal( new_socket( &client ), 0 );
    assert_int_equal( start_connect( client, addr, "" ), WSAECONNREFUSED );
    assert_int_equal( start_connect( client, addr, "" ), WSAECONNREFUSED );
    assert_int_equal( unix_close( client ), 0 );
}

/* ---- many, and helpers that die ---- */

/* a process of its own: to the helper this one is the sockets that it says it has */
static pid_t kill_helpers( volatile unsigned int *kills )
{
    pid_t pid = fork();

    if (pid) return pid;
    /* what the library watches must not live on here */
    close_range( 3, ~0u, 0 );
    alarm( 60 );
    for (;;)
    {
        unix_sleep( KILL_MS );
        *kills += unix_kill_helper();
    }
}

static long now_ms(void)
{
    struct timespec ts;

    clock_gettime( CLOCK_MONOTONIC, &ts );
    return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

/* Whatever the moment: what has been said arrives, what was asked is done. */
static void test_killed( void **state )
{
    unsigned char addr[LOCAL_ADDRESS_SIZE];
    struct unix_socket *listener = new_listener( addr );
    long end = now_ms() + ROUNDS_MS;
    volatile unsigned int *kills;
    pid_t killer;

    (void)state;
    kills = mmap( NULL, sizeof(*kills), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0 );
    assert_true( kills != MAP_FAILED );
    assert_true( (killer = kill_helpers( kills )) > 0 );
    for (rounds = 0; now_ms() < end; rounds++) live( listener, addr, rounds % 3 == 2 );
    kill( killer, SIGKILL );
    waitpid( killer, NULL, 0 );
    assert_int_equal( unix_close( listener ), 0 );
    printf( "%u lives, %u helpers killed\n", rounds, *kills );
    assert_true( rounds > 20 && *kills > 20 );
}

int main(void)
{
    const struct CMUnitTest tests[] =
    {
        cmocka_unit_test( test_once ),
        cmocka_unit_test( test_killed ),
    };
    int ret;

    unix_begin( 60 );
    ret = cmocka_run_group_tests( tests, NULL, NULL );
    unix_end();
    return ret;
}
