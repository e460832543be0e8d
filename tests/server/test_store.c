/*
 * What survives the death of the helper's processes: the worker, the keeper, both
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
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "raw.h"

#define BACKLOG_SIZE (16 << 20)      /* more than the kernel takes at once */

static u64 now_ms(void)
{
    struct timespec ts;

    clock_gettime( CLOCK_MONOTONIC, &ts );
    return (u64)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- the two processes ---- */

static int is_named( int pid, const char *name )
{
    char path[64], text[64] = "";
    FILE *file;

    snprintf( path, sizeof(path), "/proc/%d/stat", pid );
    if (!(file = fopen( path, "r" ))) return 0;
    if (!fgets( text, sizeof(text), file )) text[0] = 0;
    fclose( file );
    return strstr( text, name ) && !strstr( text, ") Z" );
}

/* does it run for our folder? */
static int is_ours( int pid )
{
    char path[64], text[512];
    ssize_t len, i;
    int fd, found = 0;

    snprintf( path, sizeof(path), "/proc/%d/cmdline", pid );
    if ((fd = open( path, O_RDONLY | O_CLOEXEC )) == -1) return 0;
    len = read( fd, text, sizeof(text) - 1 );
    close( fd );
    if (len <= 0) return 0;
    text[len] = 0;
    for (i = 0; i < len; i += strlen( text + i ) + 1) found |= !strcmp( text + i, raw_dir );
    return found;
}

/* the process of that name in our folder, 0: none; how many there are in *count */
static int find_process( const char *name, int *count )
{
    struct dirent *entry;
    int pid, found = 0;
    DIR *dir;

    *count = 0;
    assert_non_null( dir = opendir( "/proc" ) );
    while ((entry = readdir( dir )))
    {
        if (!(pid = atoi( entry->d_name )) || !is_named( pid, name ) || !is_ours( pid )) continue;
        found = pid;
        ++*count;
    }
    closedir( dir );
    return found;
}

static int keeper_pid(void)
{
    int count, pid;

    RAW_WAIT( find_process( "(tapster-keeper)", &count ) && count == 1 );
    pid = find_process( "(tapster-keeper)", &count );
    assert_int_equal( count, 1 );
    return pid;
}

static int process_fds( int pid )
{
    char path[64];
    int count = 0;
    DIR *dir;

    snprintf( path, sizeof(path), "/proc/%d/fd", pid );
    if (!(dir = opendir( path ))) return -1;
    while (readdir( dir )) count++;
    closedir( dir );
    return count;
}

static void kill_worker(void)
{
    assert_true( raw_helper_alive() );
    assert_int_equal( kill( raw_helper, SIGKILL ), 0 );
    raw_wait_gone();
}

static void kill_keeper(void)
{
    int pid = keeper_pid();

    assert_int_equal( kill( pid, SIGKILL ), 0 );
    assert_true( RAW_WAIT( !is_named( pid, "(tapster-keeper)" ) ) );
}

/* the worker that serves now becomes raw_helper */
static void meet_worker(void)
{
    struct raw raw;

    raw_open( &raw );
    raw_close( &raw );
}

/* nothing of it is left, a second or two after the last client */
static void expect_gone(void)
{
    int count;

    assert_true( RAW_WAIT( !find_process( "(tapsterd)", &count ) && !find_process( "(tapster-keeper)", &count ) ) );
}

/* ---- a connection whose one end the helper has; the other end is ours ---- */

static struct raw raw;
static struct raw_sock near, far;

static void open_pair( void **state )
{
    (void)state;
    raw_open( &raw );
    raw_pair( &raw, &near, &far );
}

/* the near end's process has ended, and the far end's fd is all there is of it */
static void only_far(void)
{
    int fd = fcntl( far.fd, F_DUPFD_CLOEXEC, 0 );

    raw_close( &raw );
    if (near.fd != -1) close( near.fd );
    close( far.fd );
    far.fd = fd;
    near.fd = -1;
}

static u8 pattern( size_t pos )
{
    return pos * 7 + (pos >> 8);
}

static int make_backlog( size_t size )
{
    int fd = raw_memfd( size, F_SEAL_SHRINK );
    u8 *map = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    size_t i;

    assert_ptr_not_equal( map, MAP_FAILED );
    for (i = 0; i < size; i++) map[i] = pattern( i );
    munmap( map, size );
    return fd;
}

/* how much of the pattern comes; *err is what the end was (0: FIN) */
static size_t read_pattern( int fd, size_t pos, size_t end, int *err )
{
    static u8 buffer[65536];
    ssize_t ret = 0, i;

    while (pos < end && (ret = recv( fd, buffer, end - pos < sizeof(buffer) ? end - pos : sizeof(buffer), 0 )) > 0)
    {
        for (i = 0; i < ret; i++) if (buffer[i] != pattern( pos + i )) fail_msg( "wrong byte at %zu", pos + i );
        pos += ret;
    }
    *err = pos == end ? 0 : ret ? errno : 0;
    return pos;
}

static void expect_fin( int fd )
{
    char byte;

    assert_int_equal( recv( fd, &byte, 1, 0 ), 0 );
}

static void start_backlog(void)
{
    int memfd = make_backlog( BACKLOG_SIZE );

    assert_int_equal( raw_backlog( &raw, &near, BACKLOG_SIZE, memfd ), 0 );
    assert_true( raw_flags( &raw, &near ) & SOCKET_BACKLOGGED );
    close( memfd );
}

/* ---- what only the helper has ---- */

/* its process has closed the socket and ended: all of it comes, then the FIN */
static void test_closed_backlog( void **state )
{
    size_t pos = 0, step;
    int err;

    open_pair( state );
    start_backlog();
    assert_int_equal( raw_close_sock( &raw, &near, 0, NULL ), 0 );
    only_far();
    for (step = 1; step <= 5; step++)
    {
        kill_worker();
        pos = read_pattern( far.fd, pos, BACKLOG_SIZE / 6 * step, &err );
        assert_int_equal( err, 0 );
        meet_worker();
    }
    assert_int_equal( read_pattern( far.fd, pos, BACKLOG_SIZE, &err ), BACKLOG_SIZE );
    assert_int_equal( err, 0 );
    expect_fin( far.fd );
    close( far.fd );
}

/* the process dies while there is no worker, and has closed nothing */
static void test_orphaned_backlog( void **state )
{
    int err;

    open_pair( state );
    start_backlog();
    kill_worker();
    only_far();
    assert_int_equal( read_pattern( far.fd, 0, BACKLOG_SIZE, &err ), BACKLOG_SIZE );
    assert_int_equal( err, 0 );
    expect_fin( far.fd );
    close( far.fd );
}

/* whoever comes back first sees that there is something to be sent still */
static void test_living_backlog( void **state )
{
    struct slot known;
    struct raw_sock again;
    struct raw next;
    int err, wait;

    open_pair( state );
    start_backlog();
    assert_int_equal( raw_watch_backlog( &raw, &near, &wait ), 0 );
    known = *raw_slot( &raw, &near );
    kill_worker();
    raw_open_again( &next, 1 );
    assert_int_equal( raw_adopt( &next, near.fd, &known, &again ), 0 );
    assert_true( raw_flags( &next, &again ) & SOCKET_BACKLOGGED );
    assert_int_equal( raw_shutdown( &next, &again, WS_SD_SEND ), 0 );
    assert_int_equal( read_pattern( far.fd, 0, BACKLOG_SIZE / 2, &err ), BACKLOG_SIZE / 2 );
    assert_false( raw_readable( wait, 0 ) );
    assert_int_equal( read_pattern( far.fd, BACKLOG_SIZE / 2, BACKLOG_SIZE, &err ), BACKLOG_SIZE );
    expect_fin( far.fd );
    assert_true( raw_readable( wait, 1000 ) );      /* who waited for its end goes on waiting */
    assert_true( RAW_WAIT( !(raw_flags( &next, &again ) & SOCKET_BACKLOGGED) ) );
    close( wait );
    raw_close( &raw );
    raw_close( &next );
}

/* the caller of closesocket goes on waiting, and the reset comes in time */
static void test_linger( void **state )
{
    char byte;
    int wait;
    u64 start;

    open_pair( state );
    assert_int_equal( raw_set_option( &raw, &near, OPTION_LINGER_ONOFF, 1, 2 ), 0 );
    raw_fill( near.fd );
    start = now_ms();
    assert_int_equal( raw_close_sock( &raw, &near, 0, &wait ), 0 );
    assert_int_not_equal( wait, -1 );
    only_far();
    while (now_ms() - start < 1500)
    {
        assert_false( raw_readable( wait, 100 ) );
        kill_worker();
        meet_worker();
    }
    assert_true( raw_readable( wait, 1500 ) );
    assert_int_equal( read( wait, &byte, 1 ), 0 );
    assert_in_range( now_ms() - start, 1950, 2900 );
    close( wait );
    while (recv( far.fd, &byte, 1, 0 ) > 0) /* what was on its way */;
    assert_int_equal( errno, ECONNRESET );
    close( far.fd );
}

/* the same, with a peer that reads: the wait ends when all has arrived */
static void test_linger_read( void **state )
{
    static char buffer[65536];
    ssize_t ret;
    int wait;
    char byte;

    open_pair( state );
    assert_int_equal( raw_set_option( &raw, &near, OPTION_LINGER_ONOFF, 1, 30 ), 0 );
    raw_fill( near.fd );
    assert_int_equal( raw_close_sock( &raw, &near, 0, &wait ), 0 );
    kill_worker();
    only_far();
    while ((ret = recv( far.fd, buffer, sizeof(buffer), 0 )) > 0) /* all of it */;
    assert_int_equal( ret, 0 );
    assert_true( raw_readable( wait, 2000 ) );
    assert_int_equal( read( wait, &byte, 1 ), 0 );
    close( wait );
    close( far.fd );
}

/* a connection put back waits for its listener */
static void test_deferred( void **state )
{
    struct raw_sock listener, client, first, second, again;
    struct slot known;
    struct address addr;
    struct raw next;
    u16 port;

    (void)state;
    raw_open( &raw );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &client ), 0 );
    assert_int_equal( raw_connect( &raw, &client, &addr, NULL ), 0 );
    assert_int_equal( raw_accept( &raw, &listener, &first, NULL ), 0 );
    assert_int_equal( raw_defer( &raw, &listener, &first ), 0 );
    known = *raw_slot( &raw, &listener );
    assert_true( known.flags & SOCKET_DEFERRED );
    kill_worker();

    raw_open_again( &next, 1 );
    assert_int_equal( raw_adopt( &next, listener.fd, &known, &again ), 0 );
    assert_true( raw_flags( &next, &again ) & SOCKET_DEFERRED );
    assert_int_equal( raw_accept( &next, &again, &second, NULL ), 0 );
    assert_true( second.cookie == first.cookie );
    assert_false( raw_flags( &next, &again ) & SOCKET_DEFERRED );
    assert_int_equal( send( client.fd, "x", 1, 0 ), 1 );
    assert_true( raw_readable( second.fd, 1000 ) );
    port = raw_port( &addr );
    assert_int_not_equal( port, 0 );

    /* a second time, and its listener is closed meanwhile */
    assert_int_equal( raw_defer( &next, &again, &second ), 0 );
    kill_worker();
    close( listener.fd );
    raw_close( &next );
    raw_close( &raw );
    meet_worker();
    assert_true( raw_readable( client.fd, 5000 ) );
    assert_int_equal( recv( client.fd, &port, 1, 0 ), -1 );
    assert_int_equal( errno, ECONNRESET );
    close( client.fd );
}

/* ---- mailboxes ---- */

static void new_mailbox( struct raw *raw, u64 *name, int *fd )
{
    struct mailbox_request in = { 0, 0 };
    struct mailbox_reply out;

    assert_int_equal( raw_request( raw, REQUEST_MAILBOX, &in, sizeof(in), -1, &out, sizeof(out), fd ), 0 );
    *name = out.mailbox;
}

static void create_with( struct raw *raw, u64 mailbox, struct raw_sock *sock )
{
    struct create_request in = { WS_AF_INET, WS_SOCK_STREAM, 0, 0, mailbox, 1, 0, { 0 } };
    struct create_reply out;

    memset( sock, 0, sizeof(*sock) );
    assert_int_equal( raw_request( raw, REQUEST_CREATE, &in, sizeof(in), -1, &out, sizeof(out), &sock->fd ), 0 );
    sock->ref = out.made[0].socket;
    sock->cookie = out.made[0].cookie;
}

static u32 adopt_with( struct raw *raw, int fd, const struct slot *known, u64 mailbox, struct raw_sock *sock )
{
    struct adopt_request in;
    struct adopt_reply out;
    u32 ret;

    memset( &in, 0, sizeof(in) );
    memset( sock, 0, sizeof(*sock) );
    if (known)
    {
        in.known = 1;
        in.state = *known;
        in.mailbox = mailbox;
    }
    ret = raw_request( raw, REQUEST_ADOPT, &in, sizeof(in), fd, &out, sizeof(out), &sock->fd );
    if (ret) return ret;
    sock->ref = out.socket;
    sock->cookie = out.cookie;
    return 0;
}

/* a handle that nobody has used yet keeps its socket, and its end ends it */
static void test_mailbox( void **state )
{
    struct raw_sock listener, client, server, child;
    struct address addr;
    struct raw other;
    u64 name;
    int box;

    (void)state;
    raw_open( &raw );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    new_mailbox( &raw, &name, &box );
    create_with( &raw, name, &client );
    assert_int_equal( raw_connect( &raw, &client, &addr, NULL ), 0 );
    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
    assert_int_equal( raw_close_sock( &raw, &client, 0, NULL ), 0 );
    kill_worker();
    meet_worker();
    assert_false( raw_readable( server.fd, 300 ) );

    /* the child uses it now, and it is the socket that it was */
    raw_open( &other );
    assert_int_equal( adopt_with( &other, box, NULL, 0, &child ), 0 );
    assert_true( child.cookie == client.cookie );
    assert_int_equal( raw_state( &other, &child ), SOCKET_CONNECTED );
    close( child.fd );
    raw_close( &other );
    kill_worker();
    meet_worker();
    assert_false( raw_readable( server.fd, 300 ) );

    kill_worker();
    close( box );
    expect_fin( server.fd );
    close( server.fd );
    close( listener.fd );
    raw_close( &raw );
}

/* the handles of living sockets are seen by the next worker, too */
static void test_mailbox_living( void **state )
{
    struct raw_sock client, server, listener, again;
    struct address addr;
    struct slot known;
    struct raw next;
    u64 name;
    int box;

    (void)state;
    raw_open( &raw );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    new_mailbox( &raw, &name, &box );
    create_with( &raw, name, &client );
    assert_int_equal( raw_connect( &raw, &client, &addr, NULL ), 0 );
    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
    known = *raw_slot( &raw, &client );
    kill_worker();

    raw_open_again( &next, 1 );
    assert_int_equal( adopt_with( &next, client.fd, &known, name, &again ), 0 );
    close( client.fd );
    raw_close( &next );         /* the handle keeps it */
    assert_false( raw_readable( server.fd, 300 ) );
    close( box );
    expect_fin( server.fd );
    close( server.fd );
    close( listener.fd );
    raw_close( &raw );
}

/* Its client has closed the socket, and the word of it died with the worker; the handle serves another socket
 * by now. What was to be sent is, and the FIN. */
static void test_lost_close( void **state )
{
    struct raw_sock listener, other;
    struct address addr;
    int box, err, memfd;
    struct raw next;
    u64 name;

    (void)state;
    raw_open( &raw );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    new_mailbox( &raw, &name, &box );
    create_with( &raw, name, &near );
    assert_int_equal( raw_connect( &raw, &near, &addr, NULL ), 0 );
    assert_int_equal( raw_accept( &raw, &listener, &far, NULL ), 0 );
    memfd = make_backlog( BACKLOG_SIZE );
    assert_int_equal( raw_backlog( &raw, &near, BACKLOG_SIZE, memfd ), 0 );
    close( memfd );
    kill_worker();
    close( near.fd );

    raw_open( &next );
    create_with( &next, name, &other );
    assert_int_equal( read_pattern( far.fd, 0, BACKLOG_SIZE, &err ), BACKLOG_SIZE );
    expect_fin( far.fd );
    close( far.fd );
    close( other.fd );
    close( listener.fd );
    close( box );
    raw_close( &raw );
    raw_close( &next );
}

/* a backlog whose answer died with the worker is asked for again, and sent once */
static void test_backlog_again( void **state )
{
    struct raw_sock again;
    struct slot known;
    struct raw next;
    int err, memfd;

    open_pair( state );
    known = *raw_slot( &raw, &near );
    memfd = make_backlog( BACKLOG_SIZE );
    assert_int_equal( raw_backlog( &raw, &near, BACKLOG_SIZE, memfd ), 0 );
    kill_worker();
    raw_open_again( &next, 1 );
    assert_int_equal( raw_adopt( &next, near.fd, &known, &again ), 0 );
    assert_int_equal( raw_backlog( &next, &again, BACKLOG_SIZE, memfd ), 0 );
    assert_int_equal( read_pattern( far.fd, 0, BACKLOG_SIZE, &err ), BACKLOG_SIZE );
    assert_int_equal( raw_backlog( &next, &again, BACKLOG_SIZE, memfd ), 0 );   /* it has gone */
    assert_int_equal( raw_shutdown( &next, &again, WS_SD_SEND ), 0 );
    expect_fin( far.fd );
    close( memfd );
    raw_close( &raw );
    raw_close( &next );
}

/* ---- other things that must not begin anew ---- */

/* an exclusive port stays taken by a connection of a listener that has been closed */
static void test_exclusive( void **state )
{
    struct raw_sock listener, client, server, other, again;
    struct address addr;
    struct slot known;
    struct raw next;

    (void)state;
    raw_open( &raw );
    addr = raw_ip4( "127.0.0.1", 0 );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &listener ), 0 );
    assert_int_equal( raw_set_option( &raw, &listener, OPTION_EXCLUSIVEADDRUSE, 1, 0 ), 0 );
    assert_int_equal( raw_bind( &raw, &listener, &addr, &addr ), 0 );
    assert_int_equal( raw_listen( &raw, &listener, 5 ), 0 );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &client ), 0 );
    assert_int_equal( raw_connect( &raw, &client, &addr, NULL ), 0 );
    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
    assert_int_equal( raw_close_sock( &raw, &listener, 0, NULL ), 0 );
    known = *raw_slot( &raw, &server );
    kill_worker();

    raw_open_again( &next, 1 );
    assert_int_equal( raw_adopt( &next, server.fd, &known, &again ), 0 );
    assert_int_equal( raw_create( &next, WS_AF_INET, WS_SOCK_STREAM, 0, &other ), 0 );
    assert_int_not_equal( raw_bind( &next, &other, &addr, NULL ), 0 );

    /* this side has closed it, the peer has not */
    assert_int_equal( raw_close_sock( &next, &again, 0, NULL ), 0 );
    assert_int_not_equal( raw_bind( &next, &other, &addr, NULL ), 0 );
    kill_worker();
    close( other.fd );
    raw_close( &next );
    raw_open( &next );
    assert_int_equal( raw_create( &next, WS_AF_INET, WS_SOCK_STREAM, 0, &other ), 0 );
    assert_int_not_equal( raw_bind( &next, &other, &addr, NULL ), 0 );
    close( client.fd );
    assert_true( RAW_WAIT( !raw_bind( &next, &other, &addr, NULL ) ) );
    close( other.fd );
    raw_close( &raw );
    raw_close( &next );
}

/* a socket that all clients have closed, and that somebody has as a file: what it was is remembered */
static void test_file( void **state )
{
    struct raw_sock again;
    int copy;

    open_pair( state );
    assert_int_equal( raw_set_option( &raw, &near, OPTION_EXTRA0, 4711, 0 ), 0 );
    assert_int_equal( raw_shutdown( &raw, &near, WS_SD_RECEIVE ), 0 );
    copy = fcntl( near.fd, F_DUPFD_CLOEXEC, 0 );
    assert_int_equal( raw_close_sock( &raw, &near, 0, NULL ), 0 );
    kill_worker();
    raw_close( &raw );
    meet_worker();
    kill_worker();
    raw_open( &raw );
    assert_int_equal( raw_adopt( &raw, copy, NULL, &again ), 0 );
    assert_true( raw_flags( &raw, &again ) & SOCKET_RECV_SHUTDOWN );
    assert_int_equal( raw_slot( &raw, &again )->options[OPTION_EXTRA0], 4711 );
    close( copy );
    close( far.fd );
    raw_close( &raw );
}

/* a connect under way has the time it had, not another 21 seconds for each worker */
static void test_connect( void **state )
{
    int fd = socket( AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0 ), fill[4], i;
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl( INADDR_LOOPBACK ) };
    socklen_t len = sizeof(addr);
    struct raw_sock client, again;
    struct slot known;
    u32 pending, error;
    u64 start;

    /* a listener whose queue is full: what is asked for is not answered */
    (void)state;
    assert_int_equal( bind( fd, (struct sockaddr *)&addr, len ), 0 );
    assert_int_equal( listen( fd, 0 ), 0 );
    assert_int_equal( getsockname( fd, (struct sockaddr *)&addr, &len ), 0 );
    for (i = 0; i < 4; i++)
    {
        fill[i] = socket( AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 );
        connect( fill[i], (struct sockaddr *)&addr, len );
    }
    raw_open( &raw );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &client ), 0 );
    {
        struct address to = raw_ip4( "127.0.0.1", ntohs( addr.sin_port ) );

        start = now_ms();
        assert_int_equal( raw_connect( &raw, &client, &to, &pending ), 0 );
        assert_int_equal( pending, 1 );
    }
    for (i = 0; i < 3; i++)
    {
        raw_sleep( 2000 );
        known = *raw_slot( &raw, i ? &again : &client );
        kill_worker();
        raw_close( &raw );
        raw_open_again( &raw, 1 );
        assert_int_equal( raw_adopt( &raw, client.fd, &known, &again ), 0 );
        assert_int_equal( raw_state( &raw, &again ), SOCKET_CONNECTING );
    }
    while (!(error = raw_connect_status( &raw, &again, &pending )) && pending && now_ms() - start < 30000) raw_sleep( 50 );
    assert_int_equal( error, WSAETIMEDOUT );
    assert_in_range( now_ms() - start, 20000, 22500 );
    for (i = 0; i < 4; i++) close( fill[i] );
    close( fd );
    raw_close( &raw );
}

/* A handle is used in another process before its owner has said to the next worker whose it is: the one waits for
 * the other. */
static void test_handle_first( void **state )
{
    struct { struct request_header header; struct adopt_request body; } request;
    struct { struct reply_header header; struct adopt_reply body; } reply;
    struct raw_sock sock, again;
    struct raw owner, other;
    struct slot known;
    int box, got;
    u64 name;

    (void)state;
    memset( &request, 0, sizeof(request) );
    request.header.type = REQUEST_ADOPT;
    raw_open( &raw );
    new_mailbox( &raw, &name, &box );
    create_with( &raw, name, &sock );
    known = *raw_slot( &raw, &sock );
    kill_worker();
    raw_open_again( &owner, 1 );
    raw_open_again( &other, 2 );        /* or it would be taken for the owner, having the same pid */
    assert_int_equal( raw_send( other.fd, &request, sizeof(request), &box, 1 ), 0 );
    assert_false( raw_readable( other.fd, 100 ) );
    assert_int_equal( adopt_with( &owner, sock.fd, &known, name, &again ), 0 );
    assert_int_equal( raw_recv( other.fd, &reply, sizeof(reply), &got ), sizeof(reply) );
    assert_int_equal( reply.header.error, 0 );
    assert_int_not_equal( got, -1 );
    assert_true( reply.body.cookie == sock.cookie );
    close( got );
    close( sock.fd );
    close( box );
    raw_close( &raw );
    raw_close( &owner );
    raw_close( &other );
}

/* ---- the processes' own life ---- */

/* a hundred times in a row, with something to keep; nothing is left behind */
static void test_hundred( void **state )
{
    int i, err, first, fds, keeper;

    open_pair( state );
    start_backlog();
    assert_int_equal( raw_close_sock( &raw, &near, 0, NULL ), 0 );
    only_far();
    kill_worker();
    meet_worker();
    keeper = keeper_pid();
    raw_sleep( 300 );
    first = process_fds( keeper );
    fds = raw_helper_fds();
    for (i = 0; i < 100; i++)
    {
        kill_worker();
        meet_worker();
    }
    assert_int_equal( keeper_pid(), keeper );
    assert_true( RAW_WAIT( process_fds( keeper ) == first ) );
    assert_true( RAW_WAIT( raw_helper_fds() == fds ) );
    assert_int_equal( read_pattern( far.fd, 0, BACKLOG_SIZE, &err ), BACKLOG_SIZE );
    expect_fin( far.fd );
    close( far.fd );
    expect_gone();
}

/* another keeper comes, and is told everything */
static void test_keeper( void **state )
{
    int i, err, keeper = 0;

    open_pair( state );
    start_backlog();
    assert_int_equal( raw_close_sock( &raw, &near, 0, NULL ), 0 );
    only_far();
    for (i = 0; i < 5; i++)
    {
        kill_keeper();
        assert_int_not_equal( keeper_pid(), keeper );
        keeper = keeper_pid();
        raw_sleep( 100 );
        kill_worker();
        meet_worker();
    }
    assert_int_equal( read_pattern( far.fd, 0, BACKLOG_SIZE, &err ), BACKLOG_SIZE );
    expect_fin( far.fd );
    close( far.fd );
    expect_gone();
}

/* both at once: the next client starts both anew */
static void test_both( void **state )
{
    int keeper, count;

    (void)state;
    meet_worker();
    keeper = keeper_pid();
    assert_int_equal( kill( keeper, SIGSTOP ), 0 );     /* or it would be quicker */
    kill_worker();
    assert_int_equal( kill( keeper, SIGKILL ), 0 );
    assert_true( RAW_WAIT( !find_process( "(tapster", &count ) ) );
    assert_int_equal( raw_connect_only(), -1 );
    raw_start( "1" );
    meet_worker();
    assert_int_not_equal( keeper_pid(), keeper );
}

/* SIGTERM, whichever of the two gets it, is the end of both */
static void test_terminated( void **state )
{
    char path[128];

    (void)state;
    meet_worker();
    assert_int_equal( kill( raw_helper, SIGTERM ), 0 );
    expect_gone();
    snprintf( path, sizeof(path), "%s/control", raw_dir );
    assert_int_equal( access( path, F_OK ), -1 );

    raw_start( "1" );
    meet_worker();
    assert_int_equal( kill( keeper_pid(), SIGTERM ), 0 );
    expect_gone();
    assert_int_equal( access( path, F_OK ), -1 );
}

/* clients that come while there is no worker wait for the next one */
static void test_queue( void **state )
{
    struct raw many[8];
    int keeper, i;

    (void)state;
    meet_worker();
    keeper = keeper_pid();
    assert_int_equal( kill( keeper, SIGSTOP ), 0 );
    kill_worker();
    for (i = 0; i < 8; i++) assert_int_not_equal( many[i].fd = raw_connect_only(), -1 );
    assert_int_equal( kill( keeper, SIGCONT ), 0 );
    meet_worker();
    for (i = 0; i < 8; i++) assert_int_equal( close( many[i].fd ), 0 );
}

/* workers that die at once, again and again, keep no CPU busy */
static void test_backs_off( void **state )
{
    int i, count, pid, seen = 0, last = 0;
    u64 start;

    (void)state;
    meet_worker();
    raw_sleep( 300 );
    start = now_ms();
    while (now_ms() - start < 2500)
    {
        if ((pid = find_process( "(tapsterd)", &count )) && pid != last)
        {
            last = pid;
            seen++;
            kill( pid, SIGKILL );
        }
        raw_sleep( 1 );
    }
    assert_in_range( seen, 5, 60 );     /* on a busy machine some live long enough to count as new beginnings */
    for (i = 0; i < 300 && !find_process( "(tapsterd)", &count ); i++) raw_sleep( 10 );
    meet_worker();
}

int main(void)
{
    const struct CMUnitTest tests[] =
    {
        RAW_TEST( test_closed_backlog ),
        RAW_TEST( test_orphaned_backlog ),
        RAW_TEST( test_living_backlog ),
        RAW_TEST( test_linger ),
        RAW_TEST( test_linger_read ),
        RAW_TEST( test_deferred ),
        RAW_TEST( test_mailbox ),
        RAW_TEST( test_mailbox_living ),
        RAW_TEST( test_handle_first ),
        RAW_TEST( test_lost_close ),
        RAW_TEST( test_backlog_again ),
        RAW_TEST( test_exclusive ),
        RAW_TEST( test_file ),
        RAW_TEST( test_connect ),
        RAW_TEST( test_hundred ),
        RAW_TEST( test_keeper ),
        RAW_TEST( test_both ),
        RAW_TEST( test_terminated ),
        RAW_TEST( test_queue ),
        RAW_TEST( test_backs_off )
    };

    return cmocka_run_group_tests( tests, NULL, NULL );
}
