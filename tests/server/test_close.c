/*
 * Tests of closing: graceful, resetting, lingering, with a backlog
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
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "raw.h"

static struct raw raw;
static struct raw_sock near, far;   /* two ends of a connection; near is closed */

static void open_pair( void **state )
{
    (void)state;
    raw_open( &raw );
    raw_pair( &raw, &near, &far );
}

static u64 now_ms(void)
{
    struct timespec ts;

    clock_gettime( CLOCK_MONOTONIC, &ts );
    return (u64)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* reads to the end: how many bytes, and *err is what the end was (0: FIN) */
static u64 drain( int fd, int *err )
{
    static char buffer[65536];
    u64 total = 0;
    ssize_t ret;

    while ((ret = recv( fd, buffer, sizeof(buffer), 0 )) > 0) total += ret;
    *err = ret ? errno : 0;
    return total;
}

static int end_seen( int wait_fd, int ms )
{
    char byte;

    if (!raw_readable( wait_fd, ms )) return 0;
    assert_int_equal( read( wait_fd, &byte, 1 ), 0 );
    close( wait_fd );
    return 1;
}

static void test_graceful( void **state )
{
    int err;

    open_pair( state );
    assert_int_equal( send( near.fd, "abc", 3, 0 ), 3 );
    assert_int_equal( raw_close_sock( &raw, &near, 0, NULL ), 0 );
    assert_int_equal( drain( far.fd, &err ), 3 );
    assert_int_equal( err, 0 );
    raw_close( &raw );
}

/* the kernel drains what it has, the process and its client long gone */
static void test_graceful_in_background( void **state )
{
    struct raw_sock shared;
    struct raw other;
    int sent, err;

    open_pair( state );
    raw_open( &other );
    shared.fd = dup( near.fd );
    assert_int_equal( raw_adopt( &other, shared.fd, NULL, &shared ), 0 );
    assert_int_equal( raw_close_sock( &raw, &near, 0, NULL ), 0 );
    sent = raw_fill( shared.fd );
    raw_close( &other );
    close( shared.fd );
    raw_sleep( 50 );
    assert_int_equal( drain( far.fd, &err ), sent );
    assert_int_equal( err, 0 );
    raw_close( &raw );
}

static void test_unread_resets( void **state )
{
    char byte;

    open_pair( state );
    assert_int_equal( send( far.fd, "x", 1, 0 ), 1 );
    assert_true( raw_readable( near.fd, 1000 ) );
    assert_int_equal( raw_close_sock( &raw, &near, 0, NULL ), 0 );
    assert_int_equal( recv( far.fd, &byte, 1, 0 ), -1 );
    assert_int_equal( errno, ECONNRESET );
    raw_close( &raw );
}

/* an urgent byte is unread data until somebody has taken it; what follows it then is */
static void test_urgent( void **state )
{
    char byte;
    int i;

    for (i = 0; i < 3; i++)
    {
        open_pair( state );
        assert_int_equal( send( far.fd, "!", 1, MSG_OOB ), 1 );
        if (i == 2) assert_int_equal( send( far.fd, "x", 1, 0 ), 1 );
        assert_true( RAW_WAIT( recv( near.fd, &byte, 1, MSG_OOB | MSG_PEEK ) == 1 ) );
        if (i) assert_int_equal( recv( near.fd, &byte, 1, MSG_OOB ), 1 );
        if (i == 2) assert_true( raw_readable( near.fd, 1000 ) );
        assert_int_equal( raw_close_sock( &raw, &near, i ? CLOSE_URGENT : 0, NULL ), 0 );
        assert_int_equal( recv( far.fd, &byte, 1, 0 ), i == 1 ? 0 : -1 );
        if (i != 1) assert_int_equal( errno, ECONNRESET );
        raw_close( &raw );
    }
}

/* {1,0}: at once, unsent data lost, and whoever else has the kernel socket for a moment */
static void test_abortive( void **state )
{
    int copy, err;
    int how;

    for (how = 0; how < 2; how++)
    {
        open_pair( state );
        if (!how) assert_int_equal( raw_set_option( &raw, &near, OPTION_LINGER_ONOFF, 1, 0 ), 0 );
        copy = dup( near.fd );      /* wineserver's */
        raw_fill( near.fd );
        assert_int_equal( raw_close_sock( &raw, &near, how ? CLOSE_RESET : 0, NULL ), 0 );
        drain( far.fd, &err );
        assert_int_equal( err, ECONNRESET );
        close( copy );
        raw_close( &raw );
    }
}

/* the same when the process dies, and without a word of the client's */
static void test_abortive_death( void **state )
{
    struct raw_sock shared;
    struct raw other;
    int err;

    open_pair( state );
    assert_int_equal( raw_set_option( &raw, &near, OPTION_LINGER_ONOFF, 1, 0 ), 0 );
    raw_open( &other );
    shared.fd = dup( near.fd );
    assert_int_equal( raw_adopt( &other, shared.fd, NULL, &shared ), 0 );
    assert_int_equal( raw_close_sock( &raw, &near, 0, NULL ), 0 );  /* not the last: nothing happens */
    raw_sleep( 50 );
    assert_false( raw_readable( far.fd, 0 ) );
    raw_close( &other );
    close( shared.fd );
    drain( far.fd, &err );
    assert_int_equal( err, ECONNRESET );
    raw_close( &raw );
}

static void test_linger_nothing_unsent( void **state )
{
    struct linger linger;
    socklen_t len = sizeof(linger);
    int err, wait;

    open_pair( state );
    assert_int_equal( raw_set_option( &raw, &near, OPTION_LINGER_ONOFF, 1, 30 ), 0 );
    assert_int_equal( getsockopt( near.fd, SOL_SOCKET, SO_LINGER, &linger, &len ), 0 );
    assert_int_equal( linger.l_onoff, 0 );      /* never in the kernel */
    assert_int_equal( raw_close_sock( &raw, &near, 0, &wait ), 0 );
    assert_int_equal( wait, -1 );
    assert_int_equal( drain( far.fd, &err ), 0 );
    assert_int_equal( err, 0 );
    raw_close( &raw );
}

/* the peer reads: the wait ends when all has arrived, the FIN as well */
static void test_linger_read( void **state )
{
    int sent, err, wait;

    open_pair( state );
    assert_int_equal( raw_set_option( &raw, &near, OPTION_LINGER_ONOFF, 1, 30 ), 0 );
    sent = raw_fill( near.fd );
    assert_int_equal( raw_close_sock( &raw, &near, 0, &wait ), 0 );
    assert_int_not_equal( wait, -1 );
    raw_sleep( 200 );
    assert_false( raw_readable( wait, 0 ) );
    assert_int_equal( drain( far.fd, &err ), sent );
    assert_int_equal( err, 0 );
    assert_true( end_seen( wait, 5000 ) );
    raw_close( &raw );
}

/* it does not: n seconds, then a reset */
static void test_linger_not_read( void **state )
{
    int sent, err, wait, copy;
    u64 start;

    open_pair( state );
    assert_int_equal( raw_set_option( &raw, &near, OPTION_LINGER_ONOFF, 1, 1 ), 0 );
    sent = raw_fill( near.fd );
    copy = dup( near.fd );
    start = now_ms();
    assert_int_equal( raw_close_sock( &raw, &near, 0, &wait ), 0 );
    assert_true( now_ms() - start < 500 );      /* the helper does not wait */
    assert_int_not_equal( wait, -1 );
    assert_false( raw_readable( wait, 700 ) );
    assert_true( end_seen( wait, 5000 ) );
    assert_true( now_ms() - start >= 1000 );
    assert_true( drain( far.fd, &err ) < (u64)sent );
    assert_int_equal( err, ECONNRESET );
    close( copy );
    raw_close( &raw );
}

/* other clients are served meanwhile, and the dead one's linger goes on */
static void test_linger_death( void **state )
{
    struct raw_sock shared;
    struct raw other;
    int sent, err;

    open_pair( state );
    assert_int_equal( raw_set_option( &raw, &near, OPTION_LINGER_ONOFF, 1, 30 ), 0 );
    raw_open( &other );
    shared.fd = dup( near.fd );
    assert_int_equal( raw_adopt( &other, shared.fd, NULL, &shared ), 0 );
    assert_int_equal( raw_close_sock( &raw, &near, 0, NULL ), 0 );
    sent = raw_fill( shared.fd );
    raw_close( &other );
    close( shared.fd );
    raw_sleep( 50 );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &near ), 0 );
    assert_int_equal( drain( far.fd, &err ), sent );
    assert_int_equal( err, 0 );
    raw_close( &raw );
}

static void test_linger_nonblocking( void **state )
{
    int sent, err, wait;

    open_pair( state );
    assert_int_equal( raw_set_option( &raw, &near, OPTION_LINGER_ONOFF, 1, 5 ), 0 );
    assert_int_equal( raw_set_option( &raw, &near, OPTION_NONBLOCKING, 1, 0 ), 0 );
    sent = raw_fill( near.fd );
    assert_int_equal( raw_close_sock( &raw, &near, 0, &wait ), WSAEWOULDBLOCK );
    assert_int_equal( raw_arm( &raw, &near ), 0 );      /* still held, nothing was begun */
    assert_false( raw_flags( &raw, &near ) & SOCKET_SEND_SHUTDOWN );
    assert_int_equal( raw_close_sock( &raw, &near, CLOSE_NOWAIT, &wait ), 0 );
    assert_int_equal( wait, -1 );
    assert_int_equal( drain( far.fd, &err ), sent );
    assert_int_equal( err, 0 );
    raw_close( &raw );
}

/* data that nobody can read any more arrives during the wait */
static void test_linger_unread( void **state )
{
    int err, wait;

    open_pair( state );
    assert_int_equal( raw_set_option( &raw, &near, OPTION_LINGER_ONOFF, 1, 30 ), 0 );
    raw_fill( near.fd );
    assert_int_equal( raw_close_sock( &raw, &near, 0, &wait ), 0 );
    assert_int_not_equal( wait, -1 );
    assert_int_equal( send( far.fd, "x", 1, MSG_NOSIGNAL ), 1 );
    assert_true( end_seen( wait, 5000 ) );
    drain( far.fd, &err );
    assert_int_equal( err, ECONNRESET );
    raw_close( &raw );
}

/* the peer goes away during the wait */
static void test_linger_peer_gone( void **state )
{
    int wait;

    open_pair( state );
    assert_int_equal( raw_set_option( &raw, &near, OPTION_LINGER_ONOFF, 1, 30 ), 0 );
    raw_fill( near.fd );
    assert_int_equal( raw_close_sock( &raw, &near, 0, &wait ), 0 );
    assert_int_not_equal( wait, -1 );
    assert_int_equal( raw_close_sock( &raw, &far, CLOSE_RESET, NULL ), 0 );
    assert_true( end_seen( wait, 5000 ) );
    raw_close( &raw );
}

/* somebody had the socket all the time and had not said so */
static void test_linger_revived( void **state )
{
    struct raw_sock back;
    int wait, copy, sent, err;

    open_pair( state );
    assert_int_equal( raw_set_option( &raw, &near, OPTION_LINGER_ONOFF, 1, 1 ), 0 );
    sent = raw_fill( near.fd );
    copy = dup( near.fd );
    assert_int_equal( raw_close_sock( &raw, &near, 0, &wait ), 0 );
    assert_int_not_equal( wait, -1 );
    assert_int_equal( raw_adopt( &raw, copy, NULL, &back ), 0 );
    assert_true( end_seen( wait, 1000 ) );
    assert_true( raw_flags( &raw, &back ) & SOCKET_SEND_SHUTDOWN );
    raw_sleep( 1200 );
    assert_false( raw_flags( &raw, &back ) & SOCKET_RESET );
    assert_int_equal( drain( far.fd, &err ), sent );
    assert_int_equal( err, 0 );
    raw_close( &raw );
}

/* ---- backlogs ---- */

/* a memfd of so many bytes, each its place modulo 251 */
static int make_backlog( size_t size, size_t first )
{
    int fd = raw_memfd( size, F_SEAL_SHRINK );
    u8 *map = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    size_t i;

    assert_ptr_not_equal( map, MAP_FAILED );
    for (i = 0; i < size; i++) map[i] = (first + i) % 251;
    munmap( map, size );
    return fd;
}

/* reads what raw_fill sent (zeros), then the backlog, then a FIN */
static void expect_backlog( int fd, size_t zeros, size_t size )
{
    static u8 buffer[65536];
    size_t total = 0;
    ssize_t ret, i;

    while ((ret = recv( fd, buffer, sizeof(buffer), 0 )) > 0)
        for (i = 0; i < ret; i++, total++)
            if (buffer[i] != (total < zeros ? 0 : (total - zeros) % 251)) fail_msg( "byte %zu is %u", total, buffer[i] );
    assert_int_equal( ret, 0 );
    assert_int_equal( total, zeros + size );
}

/* the rest of what another helper had begun, and only its FIN */
static void test_backlog_continued( void **state )
{
    const size_t size = 3 * 1024 * 1024, gone = 4 * 251 - 4;
    struct raw_sock again;
    struct slot known;
    struct raw other;
    int sent, fd, i;

    for (i = 0; i < 2; i++)
    {
        open_pair( state );
        sent = raw_fill( near.fd );
        fd = make_backlog( size + gone, 4 );
        assert_int_equal( lseek( fd, size + gone + 1, SEEK_SET ), size + gone + 1 );
        assert_int_equal( raw_backlog( &raw, &near, size + gone, fd ), WSAEINVAL );
        known = *raw_slot( &raw, &near );
        /* as it is when a helper has promised a FIN and died */
        known.flags |= SOCKET_SEND_SHUTDOWN;
        kill( raw_helper, SIGKILL );
        raw_wait_gone();
        raw_close( &raw );
        raw_start( "1" );
        raw_open( &other );
        assert_int_equal( raw_adopt( &other, near.fd, &known, &again ), 0 );
        assert_int_equal( lseek( fd, i ? size + gone : gone, SEEK_SET ), i ? size + gone : gone );
        assert_int_equal( raw_backlog( &other, &again, size + gone, fd ), 0 );
        assert_int_equal( !(raw_flags( &other, &again ) & SOCKET_BACKLOGGED), i );
        if (i) assert_int_equal( raw_backlog( &other, &again, size + gone, fd ), WSAESHUTDOWN );
        expect_backlog( far.fd, sent, i ? 0 : size );
        close( fd );
        close( near.fd );
        close( far.fd );
        raw_close( &other );
    }
}

static void test_backlog( void **state )
{
    const size_t size = 5 * 1024 * 1024 + 17;
    int sent, fd, wait, second;

    open_pair( state );
    sent = raw_fill( near.fd );
    fd = make_backlog( size, 0 );
    assert_int_equal( raw_backlog( &raw, &near, size, fd ), 0 );
    assert_true( raw_flags( &raw, &near ) & SOCKET_BACKLOGGED );
    assert_int_equal( raw_backlog( &raw, &near, size, fd ), 0 );    /* the same, said again */
    second = make_backlog( size, 0 );
    assert_int_equal( raw_backlog( &raw, &near, size, second ), WSAEWOULDBLOCK );
    close( second );
    assert_int_equal( raw_watch_backlog( &raw, &near, &wait ), 0 );
    assert_int_equal( raw_watch_backlog( &raw, &near, &second ), 0 );
    assert_int_not_equal( wait, -1 );
    /* the FIN comes after it */
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_SEND ), 0 );
    assert_false( raw_readable( wait, 100 ) );
    assert_false( fcntl( near.fd, F_GETFL ) & O_NONBLOCK );
    expect_backlog( far.fd, sent, size );
    assert_true( end_seen( wait, 5000 ) );
    assert_true( end_seen( second, 5000 ) );
    assert_false( raw_flags( &raw, &near ) & SOCKET_BACKLOGGED );
    assert_int_equal( lseek( fd, 0, SEEK_CUR ), size );     /* how far it got, for the next helper */
    assert_int_equal( raw_watch_backlog( &raw, &near, &wait ), 0 );
    assert_int_equal( wait, -1 );
    assert_int_equal( raw_backlog( &raw, &near, size, fd ), WSAESHUTDOWN );
    close( fd );
    raw_close( &raw );
}

/* what fits at once leaves no flag behind */
static void test_backlog_small( void **state )
{
    u8 buffer[100];
    int fd;

    open_pair( state );
    fd = make_backlog( 100, 0 );
    assert_int_equal( raw_backlog( &raw, &near, 100, fd ), 0 );
    assert_false( raw_flags( &raw, &near ) & SOCKET_BACKLOGGED );
    assert_int_equal( recv( far.fd, buffer, sizeof(buffer), MSG_WAITALL ), 100 );
    assert_int_equal( buffer[99], 99 );
    close( fd );
    raw_close( &raw );
}

/* closed, and the process gone: it is sent all the same */
static void test_backlog_death( void **state )
{
    const size_t size = 3 * 1024 * 1024;
    struct raw_sock shared;
    struct raw other;
    int sent, fd;

    open_pair( state );
    raw_open( &other );
    shared.fd = dup( near.fd );
    assert_int_equal( raw_adopt( &other, shared.fd, NULL, &shared ), 0 );
    assert_int_equal( raw_close_sock( &raw, &near, 0, NULL ), 0 );
    sent = raw_fill( shared.fd );
    fd = make_backlog( size, 0 );
    assert_int_equal( raw_backlog( &other, &shared, size, fd ), 0 );
    close( fd );
    close( shared.fd );
    raw_close( &other );
    raw_sleep( 50 );
    expect_backlog( far.fd, sent, size );
    raw_close( &raw );
}

/* even the last client: the helper stays until it has gone */
static void test_backlog_last( void **state )
{
    const size_t size = 3 * 1024 * 1024;
    int sent, fd, copy;

    open_pair( state );
    copy = dup( far.fd );
    assert_int_equal( raw_close_sock( &raw, &far, 0, NULL ), 0 );
    sent = raw_fill( near.fd );
    fd = make_backlog( size, 0 );
    assert_int_equal( raw_backlog( &raw, &near, size, fd ), 0 );
    close( fd );
    close( near.fd );
    raw_close( &raw );
    raw_sleep( 1500 );      /* longer than its linger */
    assert_true( raw_helper_alive() );
    expect_backlog( copy, sent, size );
    close( copy );
    raw_wait_gone();
}

/* with {1,n} the time counts for both */
static void test_backlog_linger( void **state )
{
    const size_t size = 3 * 1024 * 1024;
    int sent, fd, wait, err;

    open_pair( state );
    assert_int_equal( raw_set_option( &raw, &near, OPTION_LINGER_ONOFF, 1, 30 ), 0 );
    sent = raw_fill( near.fd );
    fd = make_backlog( size, 0 );
    assert_int_equal( raw_backlog( &raw, &near, size, fd ), 0 );
    assert_int_equal( raw_close_sock( &raw, &near, 0, &wait ), 0 );
    assert_int_not_equal( wait, -1 );
    expect_backlog( far.fd, sent, size );
    assert_true( end_seen( wait, 5000 ) );
    raw_close( &raw );

    open_pair( state );
    assert_int_equal( raw_set_option( &raw, &near, OPTION_LINGER_ONOFF, 1, 1 ), 0 );
    raw_fill( near.fd );
    assert_int_equal( raw_backlog( &raw, &near, size, fd ), 0 );
    assert_int_equal( raw_close_sock( &raw, &near, 0, &wait ), 0 );
    assert_int_not_equal( wait, -1 );
    assert_true( end_seen( wait, 5000 ) );
    drain( far.fd, &err );
    assert_int_equal( err, ECONNRESET );
    close( fd );
    raw_close( &raw );
}

/* {1,0}, data nobody reads, a peer that resets: each ends it */
static void test_backlog_ended( void **state )
{
    const size_t size = 1024 * 1024;
    int fd, err, wait, i;

    for (i = 0; i < 4; i++)
    {
        open_pair( state );
        raw_fill( near.fd );
        fd = make_backlog( size, 0 );
        assert_int_equal( raw_backlog( &raw, &near, size, fd ), 0 );
        assert_int_equal( raw_watch_backlog( &raw, &near, &wait ), 0 );
        assert_int_not_equal( wait, -1 );
        switch (i)
        {
        case 0:
            assert_int_equal( raw_set_option( &raw, &near, OPTION_LINGER_ONOFF, 1, 0 ), 0 );
            assert_int_equal( raw_close_sock( &raw, &near, 0, NULL ), 0 );
            break;
        case 1:
            assert_int_equal( send( far.fd, "x", 1, 0 ), 1 );
            assert_true( raw_readable( near.fd, 1000 ) );
            assert_int_equal( raw_close_sock( &raw, &near, 0, NULL ), 0 );
            break;
        case 2:
            assert_int_equal( raw_close_sock( &raw, &near, 0, NULL ), 0 );
            raw_sleep( 50 );
            assert_int_equal( send( far.fd, "x", 1, 0 ), 1 );
            break;
        case 3:
            assert_int_equal( raw_close_sock( &raw, &far, CLOSE_RESET, NULL ), 0 );
            break;
        }
        assert_true( end_seen( wait, 5000 ) );
        if (i < 3)
        {
            drain( far.fd, &err );
            assert_int_equal( err, ECONNRESET );
        }
        else
        {
            assert_true( raw_flags( &raw, &near ) & SOCKET_RESET );
            assert_int_equal( raw_backlog( &raw, &near, size, fd ), WSAECONNRESET );
        }
        close( fd );
        raw_close( &raw );
    }
}

static void test_backlog_bad( void **state )
{
    struct raw_sock sock;
    int fd, fds[2];

    open_pair( state );
    fd = make_backlog( 100, 0 );
    assert_int_equal( raw_backlog( &raw, &near, 0, fd ), WSAEINVAL );
    assert_int_equal( raw_backlog( &raw, &near, 101, fd ), WSAEINVAL );
    assert_int_equal( raw_backlog( &raw, &near, ~(u64)0, fd ), WSAEINVAL );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &sock ), 0 );
    assert_int_equal( raw_backlog( &raw, &sock, 100, fd ), WSAENOTCONN );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_DGRAM, 0, &sock ), 0 );
    assert_int_equal( raw_backlog( &raw, &sock, 100, fd ), WSAEOPNOTSUPP );
    close( fd );

    fd = raw_memfd( 100, 0 );       /* could shrink under us */
    assert_int_equal( raw_backlog( &raw, &near, 100, fd ), WSAEINVAL );
    close( fd );
    assert_int_equal( pipe( fds ), 0 );
    assert_int_equal( raw_backlog( &raw, &near, 100, fds[0] ), WSAEINVAL );
    assert_int_equal( raw_backlog( &raw, &near, 100, near.fd ), WSAEINVAL );
    close( fds[0] );
    close( fds[1] );
    fd = open( "/dev/zero", O_RDONLY );
    assert_int_equal( raw_backlog( &raw, &near, 100, fd ), WSAEINVAL );
    close( fd );

    /* more than one client may leave with us */
    fd = raw_memfd( ((size_t)512 << 20) + 1, F_SEAL_SHRINK );
    assert_int_equal( raw_backlog( &raw, &near, ((u64)512 << 20) + 1, fd ), WSAENOBUFS );
    close( fd );
    raw_close( &raw );
}

/* the client takes the data away: a reset is better than a gap */
static void test_backlog_moved( void **state )
{
    const size_t size = 8 * 1024 * 1024;
    int fd, err;

    open_pair( state );
    raw_fill( near.fd );
    fd = make_backlog( size, 0 );
    assert_int_equal( raw_backlog( &raw, &near, size, fd ), 0 );
    lseek( fd, 0, SEEK_END );
    drain( far.fd, &err );
    assert_int_equal( err, ECONNRESET );
    assert_true( raw_flags( &raw, &near ) & SOCKET_ABORTED );
    close( fd );
    raw_close( &raw );
}

int main(void)
{
    const struct CMUnitTest tests[] =
    {
        RAW_TEST( test_graceful ),
        RAW_TEST( test_graceful_in_background ),
        RAW_TEST( test_unread_resets ),
        RAW_TEST( test_urgent ),
        RAW_TEST( test_abortive ),
        RAW_TEST( test_abortive_death ),
        RAW_TEST( test_linger_nothing_unsent ),
        RAW_TEST( test_linger_read ),
        RAW_TEST( test_linger_not_read ),
        RAW_TEST( test_linger_death ),
        RAW_TEST( test_linger_nonblocking ),
        RAW_TEST( test_linger_unread ),
        RAW_TEST( test_linger_peer_gone ),
        RAW_TEST( test_linger_revived ),
        RAW_TEST( test_backlog ),
        RAW_TEST( test_backlog_continued ),
        RAW_TEST( test_backlog_small ),
        RAW_TEST( test_backlog_death ),
        RAW_TEST( test_backlog_last ),
        RAW_TEST( test_backlog_linger ),
        RAW_TEST( test_backlog_ended ),
        RAW_TEST( test_backlog_bad ),
        RAW_TEST( test_backlog_moved )
    };

    return cmocka_run_group_tests( tests, NULL, NULL );
}
