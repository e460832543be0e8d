/*
 * Tests of the helper's life: start, lock, clients good and bad, limits, leaving
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
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "raw.h"

/* ---- start ---- */

static int run_on( const char *path )
{
    const char *args[] = { "--linger", "1", path, NULL };

    return raw_run( args );
}

/* stderr is the test's noise otherwise */
static int quiet_begin(void)
{
    int null = open( "/dev/null", O_WRONLY | O_CLOEXEC ), saved = fcntl( STDERR_FILENO, F_DUPFD_CLOEXEC, 3 );

    dup2( null, STDERR_FILENO );
    close( null );
    return saved;
}

static void quiet_end( int saved )
{
    dup2( saved, STDERR_FILENO );
    close( saved );
}

static void test_bad_directory( void **state )
{
    char path[128];
    int saved;

    (void)state;
    raw_make_dir();
    saved = quiet_begin();
    assert_int_not_equal( run_on( "/nonexistent/folder" ), 0 );
    assert_int_equal( chmod( raw_dir, 0750 ), 0 );
    assert_int_not_equal( run_on( raw_dir ), 0 );
    assert_int_equal( chmod( raw_dir, 01700 ), 0 );
    assert_int_not_equal( run_on( raw_dir ), 0 );
    assert_int_equal( chmod( raw_dir, 0700 ), 0 );

    snprintf( path, sizeof(path), "%s/link", raw_dir );
    assert_int_equal( symlink( raw_dir, path ), 0 );
    assert_int_not_equal( run_on( path ), 0 );
    unlink( path );
    snprintf( path, sizeof(path), "%s/file", raw_dir );
    close( open( path, O_CREAT | O_WRONLY, 0700 ) );
    assert_int_not_equal( run_on( path ), 0 );
    unlink( path );
    if (!geteuid())
    {
        assert_int_equal( chown( raw_dir, 65534, 65534 ), 0 );
        assert_int_not_equal( run_on( raw_dir ), 0 );
        assert_int_equal( chown( raw_dir, 0, 0 ), 0 );
    }
    quiet_end( saved );
    assert_int_equal( raw_connect_only(), -1 );
    raw_remove_dir();
}

static void test_bad_arguments( void **state )
{
    static const char *const cases[][4] =
    {
        { NULL }, { "--nonsense", NULL }, { "a", "b", NULL }, { "--linger", NULL },
        { "--linger", "x", "/tmp", NULL }, { "--linger", "-1", "/tmp", NULL }, { "--linger", "", "/tmp", NULL }
    };
    int saved = quiet_begin();
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) assert_int_not_equal( raw_run( cases[i] ), 0 );
    quiet_end( saved );
}

/* when the starter returns it serves; a second one has nothing to do; what a dead one left is no hindrance */
static void test_start_again( void **state )
{
    struct raw raw;
    int first;

    (void)state;
    raw_open( &raw );
    first = raw_helper;
    assert_int_equal( run_on( raw_dir ), 0 );
    raw_close( &raw );
    raw_open( &raw );
    assert_int_equal( raw_helper, first );

    assert_int_equal( kill( raw_helper, SIGKILL ), 0 );
    raw_wait_gone();
    assert_true( raw_dropped( raw.fd ) );
    raw_close( &raw );
    assert_int_equal( run_on( raw_dir ), 0 );
    raw_open( &raw );
    assert_int_not_equal( raw_helper, first );
    raw_close( &raw );
}

/* many at once: all succeed, one helper comes of it */
static void test_start_race( void **state )
{
    pid_t pids[16];
    struct raw raw;
    int i, round, status, pid = 0;

    (void)state;
    for (round = 0; round < 3; round++)
    {
        raw_make_dir();
        for (i = 0; i < 16; i++)
        {
            if (!(pids[i] = fork()))
            {
                execl( raw_tapsterd(), raw_tapsterd(), "--linger", "1", raw_dir, NULL );
                _exit( 127 );
            }
        }
        for (i = 0; i < 16; i++)
        {
            assert_int_equal( waitpid( pids[i], &status, 0 ), pids[i] );
            assert_int_equal( status, 0 );
        }
        for (i = 0; i < 8; i++)
        {
            raw_open( &raw );
            if (i) assert_int_equal( raw_helper, pid );
            pid = raw_helper;
            raw_close( &raw );
        }
        raw_stop();
        raw_remove_dir();
    }
}

/* somebody has the lock and does not serve: it is waited for, and if it goes away its place is taken */
static void test_lock_held( void **state )
{
    char path[128];
    struct raw raw;
    pid_t pid;
    int fd, status;

    (void)state;
    raw_make_dir();
    snprintf( path, sizeof(path), "%s/lock", raw_dir );
    fd = open( path, O_CREAT | O_RDWR | O_CLOEXEC, 0600 );
    assert_int_equal( flock( fd, LOCK_EX ), 0 );
    if (!(pid = fork()))
    {
        execl( raw_tapsterd(), raw_tapsterd(), "--linger", "1", raw_dir, NULL );
        _exit( 127 );
    }
    raw_sleep( 300 );
    assert_int_equal( waitpid( pid, &status, WNOHANG ), 0 );
    close( fd );
    assert_int_equal( waitpid( pid, &status, 0 ), pid );
    assert_int_equal( status, 0 );
    raw_open( &raw );
    raw_close( &raw );
    raw_stop();
    raw_remove_dir();
}

/* the daemon has let go of everything it inherited */
static void test_detached( void **state )
{
    char path[64], target[256];
    struct raw raw;
    struct stat st;
    ssize_t len;
    int fds[2], i;
    char byte;

    (void)state;
    raw_make_dir();
    assert_int_equal( pipe( fds ), 0 );     /* without close-on-exec */
    raw_start( "1" );
    close( fds[1] );
    assert_int_equal( read( fds[0], &byte, 1 ), 0 );
    close( fds[0] );
    raw_open( &raw );
    snprintf( path, sizeof(path), "/proc/%d/cwd", raw_helper );
    assert_int_equal( len = readlink( path, target, sizeof(target) ), 1 );
    assert_int_equal( target[0], '/' );
    for (i = 0; i < 3; i++)
    {
        snprintf( path, sizeof(path), "/proc/%d/fd/%d", raw_helper, i );
        len = readlink( path, target, sizeof(target) - 1 );
        assert_true( len > 0 );
        target[len] = 0;
        assert_string_equal( target, "/dev/null" );
    }
    assert_int_not_equal( getsid( raw_helper ), getsid( 0 ) );
    snprintf( path, sizeof(path), "%s/control", raw_dir );
    assert_int_equal( stat( path, &st ), 0 );
    assert_int_equal( st.st_mode & 077, 0 );
    raw_close( &raw );
    raw_stop();
    raw_remove_dir();
}

/* ---- leaving ---- */

static void test_leaves( void **state )
{
    char path[128];
    struct raw raw;

    (void)state;
    raw_open( &raw );
    raw_sleep( 2500 );
    assert_true( raw_helper_alive() );      /* not while there is a client */
    raw_close( &raw );
    raw_wait_gone();
    snprintf( path, sizeof(path), "%s/control", raw_dir );
    assert_int_equal( access( path, F_OK ), -1 );
}

/* without ever a client it leaves too */
static void test_leaves_unused( void **state )
{
    struct raw raw;

    (void)state;
    raw_open( &raw );       /* only to know its pid */
    raw_close( &raw );
    raw_wait_gone();
    assert_int_equal( raw_connect_only(), -1 );
}

/* Clients that come just when it leaves: each is served, or sees the connection end and then finds or
 * starts another one. None waits in vain. */
static void test_leave_race( void **state )
{
    struct hello_request hello = { PROTOCOL_MAGIC, PROTOCOL_VERSION, 0, 0 };
    struct { struct request_header header; struct hello_request body; } message = { { REQUEST_HELLO, 1, 0 }, hello };
    int counters = raw_memfd( PROTOCOL_MAX_SLOTS * sizeof(u32), F_SEAL_SHRINK | F_SEAL_GROW );
    int i, fd, got, served, tries, restarts = 0;
    char reply[PROTOCOL_MAX_MESSAGE];

    (void)state;
    raw_stop();
    for (i = 0; i < 8; i++)
    {
        raw_start( "0" );
        raw_sleep( 1985 + i * 4 );      /* it waits 2 s for its first client */
        for (served = tries = 0; !served && tries < 50; tries++)
        {
            if ((fd = raw_connect_only()) == -1)
            {
                raw_start( "0" );
                restarts++;
                continue;
            }
            if (!raw_send( fd, &message, sizeof(message), &counters, 1 ) && raw_recv( fd, reply, sizeof(reply), &got ) > 0)
            {
                struct hello_reply out;

                memcpy( &out, reply + sizeof(struct reply_header), sizeof(out) );
                raw_helper = out.helper_pid;
                assert_int_not_equal( got, -1 );
                close( got );
                served = 1;
            }
            close( fd );
        }
        assert_int_equal( served, 1 );
        raw_wait_gone();
    }
    close( counters );
    print_message( "%d of 8 met a helper that had left\n", restarts );
}

/* ---- bad clients ---- */

static void expect_dropped( const void *data, size_t len, const int *fds, int count )
{
    struct raw raw;

    raw_open( &raw );
    assert_int_equal( raw_send( raw.fd, data, len, fds, count ), 0 );
    assert_true( raw_dropped( raw.fd ) );
    raw_close( &raw );
}

static void test_hostile( void **state )
{
    static const struct { u32 type, size; int fd; } requests[] =
    {
        { REQUEST_CREATE, sizeof(struct create_request), 0 },
        { REQUEST_ADOPT, sizeof(struct adopt_request), 1 },
        { REQUEST_CLOSE, sizeof(struct close_request), 0 },
        { REQUEST_BIND, sizeof(struct bind_request), 0 },
        { REQUEST_LISTEN, sizeof(struct listen_request), 0 },
        { REQUEST_CONNECT, sizeof(struct connect_request), 0 },
        { REQUEST_CONNECT_STATUS, sizeof(struct connect_status_request), 0 },
        { REQUEST_ACCEPT, sizeof(struct accept_request), 2 },     /* with or without */
        { REQUEST_DEFER, sizeof(struct defer_request), 0 },
        { REQUEST_SHUTDOWN, sizeof(struct shutdown_request), 0 },
        { REQUEST_ARM, sizeof(struct arm_request), 0 },
        { REQUEST_NOTE_RESET, sizeof(struct note_reset_request), 0 },
        { REQUEST_SET_OPTION, sizeof(struct set_option_request), 0 },
        { REQUEST_BACKLOG, sizeof(struct backlog_request), 1 },
        { REQUEST_WATCH_BACKLOG, sizeof(struct watch_backlog_request), 0 },
        { REQUEST_MAILBOX, sizeof(struct mailbox_request), 0 },
        { REQUEST_NAME, sizeof(struct name_request), 0 },
        { REQUEST_STRAY, sizeof(struct stray_request), 1 },
        { REQUEST_WATCH_ACCEPT, sizeof(struct watch_accept_request), 0 }
    };
    u32 message[256];
    int fds[40], i, count;
    struct raw witness;
    struct raw_sock sock;
    size_t n;

    (void)state;
    memset( message, 0, sizeof(message) );
    raw_open( &witness );
    assert_int_equal( raw_create( &witness, WS_AF_INET, WS_SOCK_STREAM, 0, &sock ), 0 );
    for (i = 0; i < 40; i++) fds[i] = open( "/dev/null", O_RDONLY | O_CLOEXEC );
    count = raw_helper_fds();

    for (n = 0; n < sizeof(requests) / sizeof(requests[0]); n++)
    {
        const size_t size = sizeof(struct request_header) + requests[n].size;

        message[0] = requests[n].type;
        expect_dropped( message, size - 1, fds, requests[n].fd % 2 );
        expect_dropped( message, size + 1, fds, requests[n].fd % 2 );
        if (requests[n].fd < 2) expect_dropped( message, size, fds, !requests[n].fd );  /* one too many, or none */
        expect_dropped( message, size, fds, 2 );
        expect_dropped( message, size, fds, 40 );
    }
    message[0] = 0;
    expect_dropped( message, sizeof(struct request_header), NULL, 0 );
    message[0] = REQUEST_COUNT;
    expect_dropped( message, sizeof(struct request_header), NULL, 0 );
    message[0] = 0xffffffff;
    expect_dropped( message, sizeof(struct request_header), NULL, 0 );
    expect_dropped( message, 1, NULL, 0 );
    expect_dropped( message, sizeof(struct request_header) - 1, fds, 3 );
    message[0] = REQUEST_ARM;
    expect_dropped( message, PROTOCOL_MAX_MESSAGE + 1, NULL, 0 );
    expect_dropped( message, sizeof(message), NULL, 0 );
    message[0] = REQUEST_HELLO;     /* for a second time */
    message[4] = PROTOCOL_MAGIC;
    message[5] = PROTOCOL_VERSION;
    expect_dropped( message, sizeof(struct request_header) + sizeof(struct hello_request), fds, 1 );

    /* nobody else has noticed, and no fd has stayed */
    assert_int_equal( raw_arm( &witness, &sock ), 0 );
    assert_true( RAW_WAIT( raw_helper_fds() == count ) );
    for (i = 0; i < 40; i++) close( fds[i] );
    raw_close( &witness );
}

/* before hello there is nothing else; and what is no hello is none */
static void test_hello( void **state )
{
    struct { struct request_header header; struct hello_request body; } hello =
        { { REQUEST_HELLO, 7, 0 }, { PROTOCOL_MAGIC, PROTOCOL_VERSION, 1, 0 } };
    struct { struct request_header header; struct create_request body; } create = { { REQUEST_CREATE, 1, 0 }, { 2, 1, 6, 0, 0, 1, 0, { 0 } } };
    struct reply_header reply;
    int fd, got, i, counters;

    (void)state;
    fd = raw_connect_only();
    assert_int_equal( raw_send( fd, &create, sizeof(create), NULL, 0 ), 0 );
    assert_true( raw_dropped( fd ) );
    close( fd );

    for (i = 0; i < 8; i++)
    {
        const size_t size = PROTOCOL_MAX_SLOTS * sizeof(u32);

        hello.body.magic = PROTOCOL_MAGIC;
        hello.body.version = PROTOCOL_VERSION;
        switch (i)
        {
        case 0: counters = raw_memfd( size, F_SEAL_SHRINK ); break;
        case 1: counters = raw_memfd( size, F_SEAL_GROW ); break;
        case 2: counters = raw_memfd( size - 4096, F_SEAL_SHRINK | F_SEAL_GROW ); break;
        case 3: counters = raw_memfd( size + 4096, F_SEAL_SHRINK | F_SEAL_GROW ); break;
        case 4: counters = raw_memfd( 0, F_SEAL_SHRINK | F_SEAL_GROW ); break;
        case 5: counters = open( "/dev/zero", O_RDWR ); break;
        case 6: counters = raw_memfd( size, F_SEAL_SHRINK | F_SEAL_GROW ); hello.body.magic = 1; break;
        default: counters = raw_memfd( size, F_SEAL_SHRINK | F_SEAL_GROW ); hello.body.version = 99; break;
        }
        fd = raw_connect_only();
        assert_int_equal( raw_send( fd, &hello, sizeof(hello), &counters, 1 ), 0 );
        assert_int_equal( raw_recv( fd, &reply, sizeof(reply), &got ), sizeof(reply) );
        assert_int_equal( reply.id, 7 );
        assert_int_equal( reply.error, i == 7 ? WSAVERNOTSUPPORTED : WSAEINVAL );
        assert_int_equal( got, -1 );
        /* it has not counted */
        assert_int_equal( raw_send( fd, &create, sizeof(create), NULL, 0 ), 0 );
        assert_true( raw_dropped( fd ) );
        close( fd );
        close( counters );
    }
}

/* another user: the folder keeps it out, and if the folder were open the helper would */
static void test_foreign_user( void **state )
{
    char path[128];
    int status;
    pid_t pid;

    (void)state;
    if (geteuid())
    {
        print_message( "skipped: only root can be somebody else\n" );
        skip();
    }
    snprintf( path, sizeof(path), "%s/control", raw_dir );
    assert_int_equal( chmod( raw_dir, 0777 ), 0 );
    assert_int_equal( chmod( path, 0777 ), 0 );
    if (!(pid = fork()))
    {
        int fd;

        if (setgid( 65534 ) || setuid( 65534 )) _exit( 2 );
        if ((fd = raw_connect_only()) == -1) _exit( 3 );
        _exit( raw_dropped( fd ) ? 0 : 4 );
    }
    assert_int_equal( waitpid( pid, &status, 0 ), pid );
    assert_int_equal( status, 0 );
    assert_int_equal( chmod( raw_dir, 0700 ), 0 );
}

/* A client that asks and never listens is given up; one that only takes its time gets every reply. */
static void test_unread_replies( void **state )
{
    struct { struct request_header header; struct create_request body; } create = { { REQUEST_CREATE, 1, 0 }, { 2, 2, 0, 0, 0, 1, 0, { 0 } } };
    char reply[PROTOCOL_MAX_MESSAGE];
    struct raw raw, other;
    int i, got, fds, sent = 0;

    (void)state;
    raw_open( &other );
    fds = raw_helper_fds();
    raw_open( &raw );
    assert_int_equal( fcntl( raw.fd, F_SETFL, O_NONBLOCK ), 0 );
    for (i = 0; i < 100; i++)   /* as fast as it can be had, some pauses for the helper */
    {
        for (create.header.id = sent; !raw_send( raw.fd, &create, sizeof(create), NULL, 0 ); create.header.id = ++sent) /* more */;
        raw_sleep( 2 );
    }
    assert_true( sent > 100 );
    assert_int_equal( fcntl( raw.fd, F_SETFL, 0 ), 0 );
    for (i = 0; i < sent; i++)
    {
        assert_true( raw_recv( raw.fd, reply, sizeof(reply), &got ) > (ssize_t)sizeof(struct reply_header) );
        assert_int_equal( ((struct reply_header *)reply)->id, i );
        assert_int_not_equal( got, -1 );
        close( got );
    }
    /* now it listens no more */
    assert_int_equal( fcntl( raw.fd, F_SETFL, O_NONBLOCK ), 0 );
    while (raw_helper_fds() > fds)
    {
        raw_send( raw.fd, &create, sizeof(create), NULL, 0 );
        raw_sleep( 5 );         /* the test's own limit ends it if the helper never does */
    }
    raw_close( &raw );
    raw_close( &other );
}

/* ---- leaks ---- */

static void test_fds_flat( void **state )
{
    struct raw_sock client, server, sock, listener;
    struct raw raw, dying;
    struct address addr;
    int fds, i;

    (void)state;
    raw_open( &raw );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    fds = raw_helper_fds();
    for (i = 0; i < 3000; i++)
    {
        assert_int_equal( raw_create( &raw, i % 2 ? WS_AF_INET : WS_AF_INET6, i % 3 ? WS_SOCK_STREAM : WS_SOCK_DGRAM, 0, &sock ), 0 );
        assert_int_equal( raw_close_sock( &raw, &sock, i % 4, NULL ), 0 );
    }
    for (i = 0; i < 1000; i++)
    {
        assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &client ), 0 );
        assert_int_equal( raw_connect( &raw, &client, &addr, NULL ), 0 );
        assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
        if (i % 4 == 1) assert_int_equal( raw_shutdown( &raw, &client, WS_SD_BOTH ), 0 );
        if (i % 4 == 2) assert_int_equal( raw_set_option( &raw, &client, OPTION_LINGER_ONOFF, 1, i % 8 ), 0 );
        assert_int_equal( raw_close_sock( &raw, &client, i % 4 == 3 ? CLOSE_RESET : CLOSE_NOWAIT, NULL ), 0 );
        assert_int_equal( raw_close_sock( &raw, &server, 0, NULL ), 0 );
    }
    assert_true( RAW_WAIT( raw_helper_fds() == fds ) );

    /* and of those that die without a word */
    for (i = 0; i < 30; i++)
    {
        raw_open( &dying );
        raw_pair( &dying, &client, &server );
        if (i % 3) send( client.fd, "unread", 6, 0 );
        raw_listener( &dying, WS_AF_INET, &sock, &addr );
        raw_close( &dying );
        close( client.fd );
        close( server.fd );
        close( sock.fd );
    }
    assert_true( RAW_WAIT( raw_helper_fds() == fds ) );
    raw_close( &raw );
}

/* No fd left in the helper: an error that the client understands, and all is well again when there are some.
 * The helper's limit is lowered from outside. */
static void test_no_fds( void **state )
{
    struct rlimit old, low;
    struct raw_sock socks[64], listener, client;
    struct address addr, peer;
    struct raw raw;
    u32 ret = 0;
    int i, n, fd, own;

    (void)state;
    raw_open( &raw );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &client ), 0 );
    assert_int_equal( raw_connect( &raw, &client, &addr, NULL ), 0 );
    assert_int_equal( prlimit( raw_helper, RLIMIT_NOFILE, NULL, &old ), 0 );
    low = old;
    low.rlim_cur = raw_helper_fds() + 10;
    assert_int_equal( prlimit( raw_helper, RLIMIT_NOFILE, &low, NULL ), 0 );
    for (n = 0; n < 64 && !(ret = raw_create( &raw, WS_AF_INET, WS_SOCK_DGRAM, 0, &socks[n] )); n++) /* more */;
    assert_true( n < 64 );
    assert_int_equal( ret, WSAEMFILE );
    assert_int_not_equal( own = raw_accept_kernel( &listener, &peer ), -1 );
    assert_int_equal( raw_accept_fd( &raw, &listener, own, &peer, &socks[63], NULL ), WSAEMFILE );

    /* requests that bring a fd: answered, and the client stays */
    fd = socket( AF_INET, SOCK_STREAM, 0 );
    assert_int_equal( raw_adopt( &raw, fd, NULL, &socks[63] ), WSAEMFILE );

    /* another client is let in and sent away, not left to wait */
    for (i = 0; i < 3; i++)
    {
        int other = raw_connect_only();

        assert_int_not_equal( other, -1 );
        assert_true( raw_dropped( other ) );
        close( other );
    }
    assert_int_equal( raw_close_sock( &raw, &socks[0], 0, NULL ), 0 );
    assert_int_equal( raw_accept_fd( &raw, &listener, own, &peer, &socks[0], NULL ), 0 );
    assert_int_equal( prlimit( raw_helper, RLIMIT_NOFILE, &old, NULL ), 0 );
    assert_int_equal( raw_adopt( &raw, fd, NULL, &socks[63] ), 0 );
    for (i = 0; i < n; i++) close( socks[i].fd );
    close( fd );
    raw_close( &raw );
}

/* ---- adoption ---- */

static void test_adopt( void **state )
{
    struct raw raw, other;
    struct raw_sock sock, again;
    struct address addr = raw_ip4( "127.0.0.1", 0 );
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl( INADDR_LOOPBACK ) };
    struct linger linger = { 1, 20 };
    socklen_t len = sizeof(linger);
    int fd, fds[2];

    (void)state;
    raw_open( &raw );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &sock ), 0 );
    assert_int_equal( raw_bind( &raw, &sock, &addr, &addr ), 0 );
    assert_int_equal( raw_set_option( &raw, &sock, OPTION_EXTRA0, 5, 0 ), 0 );

    /* one that is known: the same record, held once by each client */
    assert_int_equal( raw_adopt( &raw, sock.fd, NULL, &again ), 0 );
    assert_int_equal( again.ref.slot, sock.ref.slot );
    raw_open( &other );
    assert_int_equal( raw_adopt( &other, sock.fd, NULL, &again ), 0 );
    assert_int_equal( again.ref.slot, sock.ref.slot );
    assert_int_equal( again.cookie, sock.cookie );
    again.fd = dup( sock.fd );
    assert_int_equal( raw_close_sock( &raw, &sock, 0, NULL ), 0 );
    assert_int_equal( raw_arm( &raw, &again ), WSAENOTSOCK );
    assert_int_equal( raw_arm( &other, &again ), 0 );
    assert_int_equal( raw_slot( &raw, &again )->options[OPTION_EXTRA0], 5 );
    raw_close( &other );
    close( again.fd );

    /* one that is not */
    fd = socket( AF_INET, SOCK_STREAM, 0 );
    setsockopt( fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger) );
    assert_int_equal( bind( fd, (struct sockaddr *)&in, sizeof(in) ), 0 );
    assert_int_equal( listen( fd, 5 ), 0 );
    assert_int_equal( raw_adopt( &raw, fd, NULL, &sock ), 0 );
    assert_int_equal( raw_state( &raw, &sock ), SOCKET_LISTENING );
    assert_int_equal( raw_flags( &raw, &sock ), SOCKET_BOUND | SOCKET_ADOPTED );
    assert_int_equal( raw_slot( &raw, &sock )->options[OPTION_LINGER_TIME], 20 );
    assert_int_equal( getsockopt( fd, SOL_SOCKET, SO_LINGER, &linger, &len ), 0 );
    assert_int_equal( linger.l_onoff, 0 );
    addr = raw_slot( &raw, &sock )->local;
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &again ), 0 );
    assert_int_equal( raw_bind( &raw, &again, &addr, NULL ), WSAEADDRINUSE );   /* it is in the ledger */
    assert_int_equal( raw_connect( &raw, &again, &addr, NULL ), 0 );
    assert_int_equal( raw_accept( &raw, &sock, &again, NULL ), 0 );

    /* what is no socket of ours */
    assert_int_equal( raw_adopt( &raw, STDIN_FILENO, NULL, &sock ), WSAENOTSOCK );
    assert_int_equal( socketpair( AF_UNIX, SOCK_STREAM, 0, fds ), 0 );
    assert_int_equal( raw_adopt( &raw, fds[0], NULL, &sock ), WSAENOTSOCK );
    close( fds[0] );
    close( fds[1] );
    raw_close( &raw );
}

/* the state from a helper that died, told to the next one */
static void test_adopt_known( void **state )
{
    struct raw_sock listener, client, server, back, sock;
    struct slot known, bad;
    struct address addr;
    struct raw raw;
    char byte;

    (void)state;
    raw_open( &raw );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &client ), 0 );
    assert_int_equal( raw_connect( &raw, &client, &addr, NULL ), 0 );
    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
    assert_int_equal( raw_set_option( &raw, &client, OPTION_NONBLOCKING, 1, 0 ), 0 );
    assert_int_equal( raw_set_option( &raw, &client, OPTION_LINGER_ONOFF, 1, 9 ), 0 );
    assert_int_equal( raw_shutdown( &raw, &client, WS_SD_RECEIVE ), 0 );
    known = *raw_slot( &raw, &client );
    assert_int_equal( kill( raw_helper, SIGKILL ), 0 );
    raw_wait_gone();
    raw_close( &raw );
    assert_int_equal( run_on( raw_dir ), 0 );
    raw_open( &raw );

    /* nonsense first */
    bad = known;
    bad.cookie++;
    assert_int_equal( raw_adopt( &raw, client.fd, &bad, &back ), WSAEINVAL );
    bad = known;
    bad.family = WS_AF_INET6;
    assert_int_equal( raw_adopt( &raw, client.fd, &bad, &back ), WSAEINVAL );
    bad = known;
    bad.peer.len = 0xffffffff;
    assert_int_equal( raw_adopt( &raw, client.fd, &bad, &back ), WSAEINVAL );

    assert_int_equal( raw_adopt( &raw, client.fd, &known, &back ), 0 );
    assert_int_equal( raw_state( &raw, &back ), SOCKET_CONNECTED );
    assert_int_equal( raw_flags( &raw, &back ), known.flags );
    assert_memory_equal( raw_slot( &raw, &back )->options, known.options, sizeof(known.options) );
    assert_memory_equal( &raw_slot( &raw, &back )->peer, &known.peer, sizeof(known.peer) );
    assert_memory_equal( &raw_slot( &raw, &back )->local, &known.local, sizeof(known.local) );
    assert_int_equal( raw_slot( &raw, &back )->connect_time, known.connect_time );

    /* its listener, and the ledger with it */
    assert_int_equal( raw_adopt( &raw, listener.fd, NULL, &listener ), 0 );
    assert_int_equal( raw_state( &raw, &listener ), SOCKET_LISTENING );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &sock ), 0 );
    assert_int_equal( raw_bind( &raw, &sock, &addr, NULL ), WSAEADDRINUSE );

    /* the watch is there again */
    assert_int_equal( send( server.fd, "x", 1, 0 ), 1 );
    assert_true( RAW_WAIT( raw_flags( &raw, &back ) & SOCKET_ABORTED ) );
    assert_int_equal( recv( server.fd, &byte, 1, 0 ), -1 );
    assert_int_equal( errno, ECONNRESET );
    raw_close( &raw );
}

/* connects of which the end had not been seen, and of which it had */
static void test_adopt_known_connects( void **state )
{
    struct raw_sock listener, waiting, failed, server, back;
    struct slot known_waiting, known_failed;
    struct address addr, dead = raw_ip4( "127.0.0.1", 0 );
    struct raw raw;
    u32 pending = 0;
    int i;

    (void)state;
    raw_open( &raw );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    assert_int_equal( raw_listen( &raw, &listener, 1 ), 0 );
    for (i = 0; i < 16 && !pending; i++)
    {
        assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &waiting ), 0 );
        assert_int_equal( raw_connect( &raw, &waiting, &addr, &pending ), 0 );
    }
    assert_int_equal( pending, 1 );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &back ), 0 );
    assert_int_equal( raw_bind( &raw, &back, &dead, &dead ), 0 );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &failed ), 0 );
    assert_int_equal( raw_connect( &raw, &failed, &dead, NULL ), WSAECONNREFUSED );
    known_waiting = *raw_slot( &raw, &waiting );
    known_failed = *raw_slot( &raw, &failed );
    assert_int_equal( kill( raw_helper, SIGKILL ), 0 );
    raw_wait_gone();
    raw_close( &raw );
    assert_int_equal( run_on( raw_dir ), 0 );
    raw_open( &raw );

    assert_int_equal( raw_adopt( &raw, failed.fd, &known_failed, &failed ), 0 );
    assert_int_equal( raw_state( &raw, &failed ), SOCKET_FAILED );
    assert_int_equal( raw_slot( &raw, &failed )->error, WSAECONNREFUSED );
    assert_int_equal( raw_adopt( &raw, waiting.fd, &known_waiting, &waiting ), 0 );
    assert_int_equal( raw_state( &raw, &waiting ), SOCKET_CONNECTING );
    assert_memory_equal( &raw_slot( &raw, &waiting )->peer, &addr, sizeof(addr) );
    assert_int_equal( raw_adopt( &raw, listener.fd, NULL, &listener ), 0 );
    while (!raw_accept( &raw, &listener, &server, NULL )) /* next */;
    assert_true( RAW_WAIT( raw_state( &raw, &waiting ) == SOCKET_CONNECTED ) );
    raw_close( &raw );
}

/* Its last holder closed it, but a process that got the kernel socket itself had not spoken yet: what
 * was set is not forgotten. */
static void test_adopt_after_close( void **state )
{
    struct raw_sock client, server, back;
    struct raw raw;
    int copy;

    (void)state;
    raw_open( &raw );
    raw_pair( &raw, &client, &server );
    assert_int_equal( raw_set_option( &raw, &client, OPTION_RCVTIMEO, 1234, 0 ), 0 );
    assert_int_equal( raw_shutdown( &raw, &client, WS_SD_SEND ), 0 );
    copy = dup( client.fd );
    assert_int_equal( raw_close_sock( &raw, &client, 0, NULL ), 0 );
    assert_int_equal( raw_adopt( &raw, copy, NULL, &back ), 0 );
    assert_int_equal( raw_slot( &raw, &back )->options[OPTION_RCVTIMEO], 1234 );
    assert_true( raw_flags( &raw, &back ) & SOCKET_SEND_SHUTDOWN );
    assert_int_equal( raw_state( &raw, &back ), SOCKET_CONNECTED );
    raw_close( &raw );
}

int main(void)
{
    const struct CMUnitTest tests[] =
    {
        RAW_UNIT( test_bad_directory ),
        RAW_UNIT( test_bad_arguments ),
        RAW_TEST( test_start_again ),
        RAW_UNIT( test_start_race ),
        RAW_UNIT( test_lock_held ),
        RAW_UNIT( test_detached ),
        RAW_TEST( test_leaves ),
        RAW_TEST( test_leaves_unused ),
        RAW_TEST( test_leave_race ),
        RAW_TEST( test_hostile ),
        RAW_TEST( test_hello ),
        RAW_TEST( test_foreign_user ),
        RAW_TEST( test_unread_replies ),
        RAW_TEST( test_fds_flat ),
        RAW_TEST( test_no_fds ),
        RAW_TEST( test_adopt ),
        RAW_TEST( test_adopt_known ),
        RAW_TEST( test_adopt_known_connects ),
        RAW_TEST( test_adopt_after_close )
    };

    return cmocka_run_group_tests( tests, NULL, NULL );
}
