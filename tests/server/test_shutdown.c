/*
 * Tests of the receive side's and the send side's shutdown
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

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>

#include "raw.h"

static struct raw raw;
static struct raw_sock near, far;   /* two ends of a connection; near is shut down */

static void open_pair( void **state )
{
    (void)state;
    raw_open( &raw );
    raw_pair( &raw, &near, &far );
}

static int was_reset( const struct raw_sock *sock )
{
    return (raw_flags( &raw, sock ) & (SOCKET_RESET | SOCKET_ABORTED)) == (SOCKET_RESET | SOCKET_ABORTED);
}

/* the wire: what the far end sees */
static void expect_reset(void)
{
    char byte;

    assert_true( RAW_WAIT( was_reset( &near ) ) );
    assert_true( raw_readable( far.fd, 5000 ) );
    assert_int_equal( recv( far.fd, &byte, 1, MSG_DONTWAIT ), -1 );
    assert_int_equal( errno, ECONNRESET );
}

/* nothing of the kind, now and some time later */
static void expect_no_reset(void)
{
    char byte;

    raw_sleep( 100 );
    assert_false( raw_flags( &raw, &near ) & SOCKET_RESET );
    assert_int_equal( recv( far.fd, &byte, 1, MSG_DONTWAIT ), -1 );
    assert_int_equal( errno, EAGAIN );
}

static void test_errors( void **state )
{
    struct raw_sock sock;

    open_pair( state );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &sock ), 0 );
    assert_int_equal( raw_shutdown( &raw, &sock, WS_SD_RECEIVE ), WSAENOTCONN );
    assert_int_equal( raw_shutdown( &raw, &sock, 3 ), WSAENOTCONN );
    assert_int_equal( raw_shutdown( &raw, &near, 3 ), WSAEINVAL );
    assert_int_equal( raw_shutdown( &raw, &near, 0xffffffff ), WSAEINVAL );
    assert_int_equal( raw_flags( &raw, &near ), SOCKET_BOUND );
    raw_close( &raw );
}

static void test_send( void **state )
{
    char byte;
    int i;

    open_pair( state );
    assert_int_equal( send( near.fd, "abc", 3, 0 ), 3 );
    for (i = 0; i < 2; i++)     /* twice is fine */
    {
        assert_int_equal( raw_shutdown( &raw, &near, WS_SD_SEND ), 0 );
        assert_int_equal( raw_flags( &raw, &near ), SOCKET_BOUND | SOCKET_SEND_SHUTDOWN );
    }
    for (i = 0; i < 3; i++) assert_int_equal( recv( far.fd, &byte, 1, 0 ), 1 );
    assert_int_equal( recv( far.fd, &byte, 1, 0 ), 0 );
    assert_int_equal( send( far.fd, "d", 1, 0 ), 1 );
    assert_int_equal( recv( near.fd, &byte, 1, 0 ), 1 );
    raw_sleep( 50 );
    assert_false( raw_flags( &raw, &near ) & SOCKET_RESET );
    raw_close( &raw );
}

static void test_receive_queued( void **state )
{
    open_pair( state );
    assert_int_equal( send( far.fd, "abc", 3, 0 ), 3 );
    assert_true( raw_readable( near.fd, 1000 ) );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_RECEIVE ), 0 );
    assert_true( was_reset( &near ) );      /* with the reply, not some time later */
    expect_reset();
    assert_int_equal( raw_state( &raw, &near ), SOCKET_CONNECTED );
    assert_int_not_equal( raw_port( &raw_slot( &raw, &near )->local ), 0 );
    assert_int_not_equal( raw_port( &raw_slot( &raw, &near )->peer ), 0 );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_RECEIVE ), 0 );
    raw_close( &raw );
}

static void test_receive_later( void **state )
{
    open_pair( state );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_RECEIVE ), 0 );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_RECEIVE ), 0 );
    assert_int_equal( raw_flags( &raw, &near ), SOCKET_BOUND | SOCKET_RECV_SHUTDOWN );
    expect_no_reset();
    assert_int_equal( send( near.fd, "mine", 4, 0 ), 4 );   /* sending goes on */
    assert_true( raw_readable( far.fd, 1000 ) );
    {
        char buffer[4];
        assert_int_equal( recv( far.fd, buffer, 4, 0 ), 4 );
    }
    assert_int_equal( send( far.fd, "x", 1, 0 ), 1 );       /* succeeds */
    expect_reset();
    raw_close( &raw );
}

/* a FIN is not data */
static void test_receive_fin( void **state )
{
    char byte;

    open_pair( state );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_RECEIVE ), 0 );
    assert_int_equal( raw_shutdown( &raw, &far, WS_SD_SEND ), 0 );
    expect_no_reset();
    assert_int_equal( send( near.fd, "x", 1, 0 ), 1 );
    assert_int_equal( recv( far.fd, &byte, 1, 0 ), 1 );
    raw_close( &raw );

    /* also when it was there before */
    open_pair( state );
    assert_int_equal( raw_shutdown( &raw, &far, WS_SD_SEND ), 0 );
    assert_true( raw_readable( near.fd, 1000 ) );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_RECEIVE ), 0 );
    expect_no_reset();
    raw_close( &raw );
}

static void test_receive_data_and_fin( void **state )
{
    open_pair( state );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_RECEIVE ), 0 );
    assert_int_equal( send( far.fd, "x", 1, MSG_MORE ), 1 );
    assert_int_equal( raw_shutdown( &raw, &far, WS_SD_SEND ), 0 );
    assert_true( RAW_WAIT( was_reset( &near ) ) );
    raw_close( &raw );
}

static void test_receive_urgent( void **state )
{
    open_pair( state );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_RECEIVE ), 0 );
    assert_int_equal( send( far.fd, "!", 1, MSG_OOB ), 1 );
    expect_reset();
    raw_close( &raw );

    open_pair( state );
    assert_int_equal( send( far.fd, "!", 1, MSG_OOB ), 1 );
    raw_sleep( 50 );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_RECEIVE ), 0 );
    expect_reset();
    raw_close( &raw );
}

/* a waiting FIN, and data left to a receive, cost no time */
static void test_receive_no_spin( void **state )
{
    char path[64], text[512];
    unsigned long before = 0, after = 0, user, system;
    FILE *file;
    int i;

    open_pair( state );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_RECEIVE ), 0 );
    assert_int_equal( raw_shutdown( &raw, &far, WS_SD_BOTH ), 0 );
    for (i = 0; i < 2; i++)
    {
        if (i) raw_sleep( 1000 );
        snprintf( path, sizeof(path), "/proc/%d/stat", raw_helper );
        assert_non_null( file = fopen( path, "r" ) );
        assert_non_null( fgets( text, sizeof(text), file ) );
        fclose( file );
        assert_int_equal( sscanf( strrchr( text, ')' ), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system ), 2 );
        if (i) after = user + system;
        else before = user + system;
    }
    assert_true( after - before < 20 );     /* ticks of 10 ms */
    raw_close( &raw );
}

/* a receive that was posted before takes data; "arm" ends its time */
static void test_receive_waiting( void **state )
{
    char byte;

    open_pair( state );
    __atomic_store_n( &raw.counters[near.counter], 1, __ATOMIC_SEQ_CST );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_RECEIVE ), 0 );
    assert_int_equal( send( far.fd, "x", 1, 0 ), 1 );
    expect_no_reset();
    assert_int_equal( raw_arm( &raw, &near ), 0 );      /* too early: it still waits */
    expect_no_reset();
    assert_int_equal( recv( near.fd, &byte, 1, 0 ), 1 );
    __atomic_store_n( &raw.counters[near.counter], 0, __ATOMIC_SEQ_CST );
    assert_int_equal( raw_arm( &raw, &near ), 0 );
    expect_no_reset();
    assert_int_equal( send( far.fd, "y", 1, 0 ), 1 );
    expect_reset();
    raw_close( &raw );
}

/* data left over by it, found when it arms */
static void test_receive_waiting_rest( void **state )
{
    char byte;

    open_pair( state );
    __atomic_store_n( &raw.counters[near.counter], 2, __ATOMIC_SEQ_CST );
    assert_int_equal( send( far.fd, "xy", 2, 0 ), 2 );
    assert_true( raw_readable( near.fd, 1000 ) );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_RECEIVE ), 0 );
    expect_no_reset();
    assert_int_equal( recv( near.fd, &byte, 1, 0 ), 1 );
    __atomic_store_n( &raw.counters[near.counter], 0, __ATOMIC_SEQ_CST );
    assert_int_equal( raw_arm( &raw, &near ), 0 );
    assert_true( was_reset( &near ) );
    expect_reset();
    raw_close( &raw );
}

/* the receive is another process's, and that dies, or closes */
static void test_receive_waiting_dies( void **state )
{
    struct raw_sock shared;
    struct raw other;
    int i;

    for (i = 0; i < 2; i++)
    {
        open_pair( state );
        raw_open( &other );
        assert_int_equal( raw_adopt( &other, dup( near.fd ), NULL, &shared ), 0 );
        assert_int_equal( shared.ref.slot, near.ref.slot );
        __atomic_store_n( &other.counters[shared.counter], 1, __ATOMIC_SEQ_CST );
        assert_int_equal( raw_shutdown( &raw, &near, WS_SD_RECEIVE ), 0 );
        assert_int_equal( send( far.fd, "x", 1, 0 ), 1 );
        expect_no_reset();
        if (i) assert_int_equal( raw_close_sock( &other, &shared, 0, NULL ), 0 );
        raw_close( &other );
        expect_reset();
        if (!i) close( shared.fd );
        raw_close( &raw );
    }
}

/* a process that knows of the socket only now finds the flag */
static void test_receive_shared( void **state )
{
    struct raw_sock shared;
    struct raw other;

    open_pair( state );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_RECEIVE ), 0 );
    raw_open( &other );
    assert_int_equal( raw_adopt( &other, dup( near.fd ), NULL, &shared ), 0 );
    assert_true( raw_flags( &other, &shared ) & SOCKET_RECV_SHUTDOWN );
    /* the first one closes: the other one keeps it, and the watch too */
    assert_int_equal( raw_close_sock( &raw, &near, 0, NULL ), 0 );
    near = shared;
    expect_no_reset();
    assert_int_equal( send( far.fd, "x", 1, 0 ), 1 );
    expect_reset();
    raw_close( &other );
    close( shared.fd );
    raw_close( &raw );
}

static void test_both( void **state )
{
    char byte;

    open_pair( state );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_BOTH ), 0 );
    assert_int_equal( raw_flags( &raw, &near ), SOCKET_BOUND | SOCKET_RECV_SHUTDOWN | SOCKET_SEND_SHUTDOWN );
    assert_int_equal( recv( far.fd, &byte, 1, 0 ), 0 );
    assert_int_equal( send( far.fd, "x", 1, 0 ), 1 );
    assert_true( RAW_WAIT( was_reset( &near ) ) );
    /* Linux shows a reset that comes after the FIN only to those who send */
    assert_int_equal( send( far.fd, "x", 1, MSG_NOSIGNAL ), -1 );
    assert_int_equal( errno, EPIPE );
    raw_close( &raw );
}

/* datagrams are queued, and nobody hears anything of it */
static void test_datagram( void **state )
{
    struct address addr = raw_ip4( "127.0.0.1", 0 );
    struct raw_sock sock, peer;
    char byte;

    open_pair( state );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_DGRAM, 0, &sock ), 0 );
    assert_int_equal( raw_shutdown( &raw, &sock, 3 ), WSAEINVAL );
    assert_int_equal( raw_bind( &raw, &sock, &addr, &addr ), 0 );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_DGRAM, 0, &peer ), 0 );
    assert_int_equal( raw_connect( &raw, &peer, &addr, NULL ), 0 );
    assert_int_equal( raw_shutdown( &raw, &sock, WS_SD_BOTH ), 0 );
    assert_int_equal( raw_flags( &raw, &sock ), SOCKET_BOUND | SOCKET_RECV_SHUTDOWN | SOCKET_SEND_SHUTDOWN );
    assert_int_equal( send( peer.fd, "x", 1, 0 ), 1 );
    assert_int_equal( send( peer.fd, "y", 1, 0 ), 1 );
    assert_int_equal( recv( peer.fd, &byte, 1, MSG_DONTWAIT ), -1 );
    assert_int_equal( errno, EAGAIN );
    assert_int_equal( recv( sock.fd, &byte, 1, MSG_DONTWAIT ), 1 );
    raw_close( &raw );
}

/* a reset that the peer sent, as a client notes it */
static void test_note_reset( void **state )
{
    struct linger linger = { 1, 0 };
    struct raw_sock sock;
    u32 flags;
    char byte;

    open_pair( state );
    assert_int_equal( raw_note_reset( &raw, &near, &flags ), 0 );
    assert_false( flags & SOCKET_RESET );   /* it is nothing of the kind: a client's word alone does not do */
    assert_int_equal( raw_set_option( &raw, &far, OPTION_LINGER_ONOFF, linger.l_onoff, linger.l_linger ), 0 );
    assert_int_equal( raw_close_sock( &raw, &far, 0, NULL ), 0 );
    assert_int_equal( recv( near.fd, &byte, 1, 0 ), -1 );
    assert_int_equal( errno, ECONNRESET );
    assert_int_equal( raw_note_reset( &raw, &near, &flags ), 0 );
    assert_int_equal( flags & (SOCKET_RESET | SOCKET_ABORTED), SOCKET_RESET );
    assert_int_equal( raw_flags( &raw, &near ), flags );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_BOTH ), 0 );

    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &sock ), 0 );
    assert_int_equal( raw_note_reset( &raw, &sock, &flags ), 0 );
    assert_int_equal( flags, 0 );
    raw_close( &raw );
}

/* the helper sees it first, because it watches the receive side */
static void test_reset_seen( void **state )
{
    open_pair( state );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_RECEIVE ), 0 );
    assert_int_equal( raw_set_option( &raw, &far, OPTION_LINGER_ONOFF, 1, 0 ), 0 );
    assert_int_equal( raw_close_sock( &raw, &far, 0, NULL ), 0 );
    assert_true( RAW_WAIT( raw_flags( &raw, &near ) & SOCKET_RESET ) );
    assert_false( raw_flags( &raw, &near ) & SOCKET_ABORTED );
    raw_close( &raw );
}

static int is_closed( const struct raw_sock *sock )
{
    return socket_tcp_state( sock->fd ) == TCP_CLOSE;
}

/* of one that follows the FIN the kernel tells only senders: who shuts down sending does not hide it */
static void test_reset_after_fin( void **state )
{
    open_pair( state );
    assert_int_equal( raw_shutdown( &raw, &far, WS_SD_SEND ), 0 );
    assert_true( raw_readable( near.fd, 1000 ) );
    assert_int_equal( raw_set_option( &raw, &far, OPTION_LINGER_ONOFF, 1, 0 ), 0 );
    assert_int_equal( raw_close_sock( &raw, &far, 0, NULL ), 0 );
    assert_true( RAW_WAIT( is_closed( &near ) ) );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_SEND ), 0 );
    assert_int_equal( raw_flags( &raw, &near ) & (SOCKET_RESET | SOCKET_SEND_SHUTDOWN), SOCKET_RESET | SOCKET_SEND_SHUTDOWN );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_BOTH ), 0 );
    raw_close( &raw );
}

/* the end of both directions is not one, however often it is said */
static void test_no_reset_after_both( void **state )
{
    open_pair( state );
    assert_int_equal( raw_shutdown( &raw, &far, WS_SD_SEND ), 0 );
    assert_true( raw_readable( near.fd, 1000 ) );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_SEND ), 0 );
    assert_true( RAW_WAIT( is_closed( &near ) ) );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_SEND ), 0 );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_BOTH ), 0 );
    assert_false( raw_flags( &raw, &near ) & SOCKET_RESET );
    assert_false( raw_flags( &raw, &far ) & SOCKET_RESET );
    raw_close( &raw );
}

int main(void)
{
    const struct CMUnitTest tests[] =
    {
        RAW_TEST( test_errors ),
        RAW_TEST( test_send ),
        RAW_TEST( test_receive_queued ),
        RAW_TEST( test_receive_later ),
        RAW_TEST( test_receive_fin ),
        RAW_TEST( test_receive_data_and_fin ),
        RAW_TEST( test_receive_urgent ),
        RAW_TEST( test_receive_no_spin ),
        RAW_TEST( test_receive_waiting ),
        RAW_TEST( test_receive_waiting_rest ),
        RAW_TEST( test_receive_waiting_dies ),
        RAW_TEST( test_receive_shared ),
        RAW_TEST( test_both ),
        RAW_TEST( test_datagram ),
        RAW_TEST( test_note_reset ),
        RAW_TEST( test_reset_seen ),
        RAW_TEST( test_reset_after_fin ),
        RAW_TEST( test_no_reset_after_both )
    };

    return cmocka_run_group_tests( tests, NULL, NULL );
}
