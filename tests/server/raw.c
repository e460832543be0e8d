/*
 * A raw client of the helper, for its tests
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
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "raw.h"

#define RAW_LIMIT 60        /* seconds for one test */

char raw_dir[64];
int raw_helper;

void raw_sleep( int ms )
{
    struct timespec ts = { ms / 1000, ms % 1000 * 1000000l };

    while (nanosleep( &ts, &ts ) == -1 && errno == EINTR) /* again */;
}

/* ---- a helper of one's own ---- */

const char *raw_tapsterd(void)
{
    const char *path = getenv( "TAPSTERD" );

    return path ? path : "lib/tapster/tapsterd";
}

void raw_make_dir(void)
{
    const char *tmp = getenv( "TMPDIR" );

    snprintf( raw_dir, sizeof(raw_dir), "%s/tapsterd-test.XXXXXX", tmp && strlen( tmp ) < 32 ? tmp : "/tmp" );
    assert_non_null( mkdtemp( raw_dir ) );
}

void raw_remove_dir(void)
{
    static const char *const names[] = { "control", "lock", "log", "log.old" };
    char path[128];
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    {
        snprintf( path, sizeof(path), "%s/%s", raw_dir, names[i] );
        unlink( path );
    }
    rmdir( raw_dir );
}

/* runs tapsterd with these arguments (NULL at the end); its exit status, which comes when it serves */
unsigned int raw_nofile;

int raw_run( const char *const *args )
{
    const char *argv[16];
    int status, i = 0;
    pid_t pid;

    argv[i++] = raw_tapsterd();
    while (*args && i < 15) argv[i++] = *args++;
    argv[i] = NULL;

    if (!(pid = fork()))
    {
        const struct rlimit limit = { raw_nofile, raw_nofile };

        if (raw_nofile) setrlimit( RLIMIT_NOFILE, &limit );
        execv( argv[0], (char **)argv );
        fprintf( stderr, "cannot run %s: %s\n", argv[0], strerror( errno ) );
        _exit( 127 );
    }
    assert_int_not_equal( pid, -1 );
    while (waitpid( pid, &status, 0 ) == -1) assert_int_equal( errno, EINTR );
    return WIFEXITED( status ) ? WEXITSTATUS( status ) : -WTERMSIG( status );
}

void raw_start( const char *linger )
{
    const char *args[] = { "--linger", linger, raw_dir, NULL };

    raw_helper = 0;
    assert_int_equal( raw_run( args ), 0 );
}

int raw_helper_alive(void)
{
    char path[64], text[64] = "";
    FILE *file;

    /* one that has ended and that nobody has waited for is not alive */
    snprintf( path, sizeof(path), "/proc/%d/stat", raw_helper );
    if (!raw_helper || !(file = fopen( path, "r" ))) return 0;
    if (!fgets( text, sizeof(text), file )) text[0] = 0;
    fclose( file );
    return strstr( text, "(tapsterd" ) && !strstr( text, ") Z" );
}

void raw_wait_gone(void)
{
    assert_true( RAW_WAIT( !raw_helper_alive() ) );
}

void raw_stop(void)
{
    struct raw raw;

    if (!raw_helper)
    {
        int fd = raw_connect_only();

        if (fd == -1) return;
        close( fd );
        raw_open( &raw );
        raw_close( &raw );
    }
    if (raw_helper_alive()) kill( raw_helper, SIGTERM );
    raw_wait_gone();
}

/* how many fds it has open */
int raw_helper_fds(void)
{
    char path[64];
    int count = 0;
    DIR *dir;

    snprintf( path, sizeof(path), "/proc/%d/fd", raw_helper );
    assert_non_null( dir = opendir( path ) );
    while (readdir( dir )) count++;
    closedir( dir );
    return count;
}

/* ---- messages ---- */

int raw_connect_only(void)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket( AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0 );

    assert_int_not_equal( fd, -1 );
    snprintf( addr.sun_path, sizeof(addr.sun_path), "%s/control", raw_dir );
    if (!connect( fd, (struct sockaddr *)&addr, sizeof(addr) )) return fd;
    close( fd );
    return -1;
}

int raw_send( int fd, const void *data, size_t len, const int *fds, int count )
{
    union { struct cmsghdr header; char space[CMSG_SPACE( 64 * sizeof(int) )]; } control;
    struct iovec iov = { (void *)data, len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (count)
    {
        memset( &control, 0, sizeof(control) );
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN( count * sizeof(int) );
        memcpy( CMSG_DATA( &control.header ), fds, count * sizeof(int) );
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE( count * sizeof(int) );
    }
    return sendmsg( fd, &msg, MSG_NOSIGNAL ) == (ssize_t)len ? 0 : -1;
}

/* one message and the fds that came along, as many as there is room for: the helper sends no more */
static ssize_t raw_recv_fds( int fd, void *data, size_t len, int *got, int room, int *count )
{
    union { struct cmsghdr header; char space[CMSG_SPACE( PROTOCOL_MAX_FDS * sizeof(int) )]; } control;
    struct iovec iov = { data, len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control };
    struct cmsghdr *cmsg;
    ssize_t ret;

    *count = 0;
    msg.msg_controllen = CMSG_SPACE( room * sizeof(int) );
    while ((ret = recvmsg( fd, &msg, MSG_CMSG_CLOEXEC )) == -1 && errno == EINTR) /* again */;
    if (ret <= 0) return ret;
    assert_false( msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) );
    if ((cmsg = CMSG_FIRSTHDR( &msg )))
    {
        assert_int_equal( cmsg->cmsg_type, SCM_RIGHTS );
        *count = (cmsg->cmsg_len - CMSG_LEN( 0 )) / sizeof(int);
        assert_in_range( *count, 1, room );
        memcpy( got, CMSG_DATA( cmsg ), *count * sizeof(int) );
    }
    return ret;
}

/* the second fd of the last message that had two, -1: taken */
static int raw_second = -1;

/* one message and the fd that came along, -1: none; hello's bell is a second one */
ssize_t raw_recv( int fd, void *data, size_t len, int *got )
{
    int count, fds[2];
    ssize_t ret = raw_recv_fds( fd, data, len, fds, 2, &count );

    *got = count ? fds[0] : -1;
    if (raw_second != -1) close( raw_second );
    raw_second = count == 2 ? fds[1] : -1;
    return ret;
}

/* a request and its reply; a fd that comes must be wanted (got) or is a failure */
u32 raw_request( struct raw *raw, u32 type, const void *in, size_t in_size, int fd, void *out, size_t out_size, int *got )
{
    struct { struct request_header header; u8 data[PROTOCOL_MAX_MESSAGE]; } request;
    struct { struct reply_header header; u8 data[PROTOCOL_MAX_MESSAGE]; } reply;
    int got_fd;
    ssize_t ret;

    request.header.type = type;
    request.header.id = ++raw->last_id;
    request.header.mailbox = raw->mailbox;
    raw->mailbox = 0;
    memcpy( request.data, in, in_size );
    assert_int_equal( raw_send( raw->fd, &request, sizeof(request.header) + in_size, &fd, fd != -1 ), 0 );

    ret = raw_recv( raw->fd, &reply, sizeof(reply), &got_fd );
    assert_true( ret >= (ssize_t)sizeof(reply.header) );
    assert_int_equal( reply.header.id, raw->last_id );
    assert_int_equal( ret, sizeof(reply.header) + (reply.header.error ? 0 : out_size) );
    if (!reply.header.error && out) memcpy( out, reply.data, out_size );
    if (got) *got = got_fd;
    else assert_int_equal( got_fd, -1 );
    if (reply.header.error) assert_int_equal( got_fd, -1 );
    return reply.header.error;
}

/* has the helper ended the connection? */
int raw_dropped( int fd )
{
    struct pollfd pfd = { fd, POLLIN, 0 };
    char buffer[PROTOCOL_MAX_MESSAGE];
    int got;

    while (poll( &pfd, 1, 5000 ) == 1)
    {
        if (raw_recv( fd, buffer, sizeof(buffer), &got ) <= 0) return 1;
        if (got != -1) close( got );
    }
    return 0;
}

int raw_memfd( size_t size, int seals )
{
    int fd = memfd_create( "test", MFD_CLOEXEC | MFD_ALLOW_SEALING );

    assert_int_not_equal( fd, -1 );
    assert_int_equal( ftruncate( fd, size ), 0 );
    assert_int_equal( fcntl( fd, F_ADD_SEALS, seals ), 0 );
    return fd;
}

void raw_open( struct raw *raw )
{
    raw_open_again( raw, 0 );
}

/* as a client that has lost its helper, and will say so many sockets again */
void raw_open_again( struct raw *raw, u32 sockets )
{
    raw_open_on( raw, raw_connect_only(), sockets );
}

/* the same, by a connection that is there: whoever made it is the client's process for the helper */
void raw_open_on( struct raw *raw, int fd, u32 sockets )
{
    struct hello_request in = { PROTOCOL_MAGIC, PROTOCOL_VERSION, getpid(), sockets };
    struct hello_reply out;

    memset( raw, 0, sizeof(*raw) );
    raw->fd = fd;
    if (raw->fd == -1) print_error( "cannot connect: %s\n", strerror( errno ) );
    assert_int_not_equal( raw->fd, -1 );
    raw->counters_fd = raw_memfd( PROTOCOL_MAX_SLOTS * sizeof(u32), F_SEAL_SHRINK | F_SEAL_GROW );
    raw->counters = mmap( NULL, PROTOCOL_MAX_SLOTS * sizeof(u32), PROT_READ | PROT_WRITE, MAP_SHARED, raw->counters_fd, 0 );
    assert_ptr_not_equal( raw->counters, MAP_FAILED );
    assert_int_equal( raw_request( raw, REQUEST_HELLO, &in, sizeof(in), raw->counters_fd, &out, sizeof(out), &raw->arena_fd ), 0 );
    assert_int_not_equal( raw->arena_fd, -1 );
    raw->bell_fd = raw_second;
    raw_second = -1;
    assert_int_not_equal( raw->bell_fd, -1 );
    assert_int_equal( out.magic, PROTOCOL_MAGIC );
    assert_int_equal( out.version, PROTOCOL_VERSION );
    raw_helper = out.helper_pid;
    raw->arena = mmap( NULL, PROTOCOL_MAX_SLOTS * sizeof(struct slot), PROT_READ, MAP_SHARED, raw->arena_fd, 0 );
    assert_ptr_not_equal( raw->arena, MAP_FAILED );
}

/* as a process that dies */
void raw_close( struct raw *raw )
{
    close( raw->fd );
    munmap( (void *)raw->arena, PROTOCOL_MAX_SLOTS * sizeof(struct slot) );
    munmap( raw->counters, PROTOCOL_MAX_SLOTS * sizeof(u32) );
    close( raw->arena_fd );
    close( raw->bell_fd );
    close( raw->counters_fd );
    raw->fd = -1;
}

/* ---- requests ---- */

/* another one for each socket, and never the slot's number but by chance */
static u32 next_counter( struct raw *raw )
{
    return ++raw->last_counter * 7 % PROTOCOL_MAX_SLOTS;
}

u32 raw_create( struct raw *raw, u32 family, u32 type, u32 protocol, struct raw_sock *sock )
{
    struct create_request in = { family, type, protocol, 0, 0, 1, 0, { 0 } };
    struct create_reply out;
    u32 ret;

    memset( sock, 0, sizeof(*sock) );
    sock->counter = in.counters[0] = next_counter( raw );
    ret = raw_request( raw, REQUEST_CREATE, &in, sizeof(in), -1, &out, sizeof(out), &sock->fd );
    if (ret) return ret;
    assert_int_not_equal( sock->fd, -1 );
    assert_int_equal( out.count, 1 );
    sock->ref = out.made[0].socket;
    sock->cookie = out.made[0].cookie;
    return 0;
}

/* as many as the helper gives, up to PROTOCOL_MAX_FDS; how many that were, 0: none */
int raw_create_many( struct raw *raw, u32 type, u64 mailbox, int wanted, struct raw_sock *socks )
{
    struct { struct request_header header; struct create_request in; } request;
    struct { struct reply_header header; struct create_reply out; } reply;
    int fds[PROTOCOL_MAX_FDS], count, i;

    memset( &request, 0, sizeof(request) );
    request.header.type = REQUEST_CREATE;
    request.header.id = ++raw->last_id;
    request.in.family = WS_AF_INET;
    request.in.type = type;
    request.in.mailbox = mailbox;
    request.in.count = wanted;
    for (i = 0; i < wanted; i++) request.in.counters[i] = next_counter( raw );
    assert_int_equal( raw_send( raw->fd, &request, sizeof(request), NULL, 0 ), 0 );
    assert_true( raw_recv_fds( raw->fd, &reply, sizeof(reply), fds, PROTOCOL_MAX_FDS, &count ) >= (ssize_t)sizeof(reply.header) );
    assert_int_equal( reply.header.id, raw->last_id );
    if (reply.header.error) return 0;
    assert_int_equal( count, reply.out.count );
    for (i = 0; i < count; i++)
    {
        socks[i].ref = reply.out.made[i].socket;
        socks[i].cookie = reply.out.made[i].cookie;
        socks[i].counter = request.in.counters[i];
        socks[i].fd = fds[i];
    }
    return count;
}

/* a new mailbox: its name, and the fd that is its handle */
u32 raw_mailbox( struct raw *raw, u64 *name, int *fd )
{
    struct mailbox_request in = { 0, 0 };
    struct mailbox_reply out;
    u32 ret = raw_request( raw, REQUEST_MAILBOX, &in, sizeof(in), -1, &out, sizeof(out), fd );

    *name = ret ? 0 : out.mailbox;
    return ret;
}

/* gives the socket a mailbox */
u32 raw_name( struct raw *raw, const struct raw_sock *sock, u64 mailbox )
{
    struct name_request in = { sock->ref };
    struct name_reply out;

    raw->mailbox = mailbox;
    return raw_request( raw, REQUEST_NAME, &in, sizeof(in), -1, &out, sizeof(out), NULL );
}

/* the socket of a handle */
u32 raw_adopt_box( struct raw *raw, int box, struct raw_sock *sock )
{
    struct adopt_request in;
    struct adopt_reply out;
    u32 ret;

    memset( &in, 0, sizeof(in) );
    memset( sock, 0, sizeof(*sock) );
    sock->fd = -1;
    sock->counter = in.counter = next_counter( raw );
    if ((ret = raw_request( raw, REQUEST_ADOPT, &in, sizeof(in), box, &out, sizeof(out), &sock->fd ))) return ret;
    sock->ref = out.socket;
    sock->cookie = out.cookie;
    return 0;
}

u32 raw_adopt( struct raw *raw, int fd, const struct slot *known, struct raw_sock *sock )
{
    struct adopt_request in;
    struct adopt_reply out;
    u32 ret;

    memset( &in, 0, sizeof(in) );
    memset( sock, 0, sizeof(*sock) );
    sock->fd = fd;
    sock->counter = in.counter = next_counter( raw );
    if (known)
    {
        in.known = 1;
        in.state = *known;
    }
    if ((ret = raw_request( raw, REQUEST_ADOPT, &in, sizeof(in), fd, &out, sizeof(out), NULL ))) return ret;
    sock->ref = out.socket;
    sock->cookie = out.cookie;
    return 0;
}

/* closes the fd too, as a client does, unless the helper refuses */
u32 raw_close_sock( struct raw *raw, struct raw_sock *sock, u32 flags, int *wait )
{
    struct close_request in = { sock->ref, flags, 0 };
    struct close_reply out;
    int fd;
    u32 ret;

    if ((ret = raw_request( raw, REQUEST_CLOSE, &in, sizeof(in), -1, &out, sizeof(out), &fd ))) return ret;
    assert_int_equal( out.wait, fd != -1 );
    if (wait) *wait = fd;
    else assert_int_equal( fd, -1 );
    close( sock->fd );
    sock->fd = -1;
    return 0;
}

u32 raw_bind( struct raw *raw, const struct raw_sock *sock, const struct address *addr, struct address *bound )
{
    struct bind_request in = { sock->ref, *addr };
    struct bind_reply out;
    u32 ret = raw_request( raw, REQUEST_BIND, &in, sizeof(in), -1, &out, sizeof(out), NULL );

    if (!ret && bound) *bound = out.address;
    return ret;
}

u32 raw_listen( struct raw *raw, const struct raw_sock *sock, u32 backlog )
{
    struct listen_request in = { sock->ref, backlog, 0 };
    struct listen_reply out;

    return raw_request( raw, REQUEST_LISTEN, &in, sizeof(in), -1, &out, sizeof(out), NULL );
}

u32 raw_connect( struct raw *raw, const struct raw_sock *sock, const struct address *addr, u32 *pending )
{
    struct connect_request in = { sock->ref, *addr };
    struct connect_reply out;
    u32 ret = raw_request( raw, REQUEST_CONNECT, &in, sizeof(in), -1, &out, sizeof(out), NULL );

    if (pending) *pending = ret ? 0 : out.pending;
    else if (!ret) assert_int_equal( out.pending, 0 );
    return ret;
}

u32 raw_connect_status( struct raw *raw, const struct raw_sock *sock, u32 *pending )
{
    struct connect_status_request in = { sock->ref };
    struct connect_status_reply out;
    u32 ret = raw_request( raw, REQUEST_CONNECT_STATUS, &in, sizeof(in), -1, &out, sizeof(out), NULL );

    *pending = ret ? 0 : out.pending;
    return ret;
}

/* the next of the kernel's queue, -1: none */
int raw_accept_kernel( const struct raw_sock *listener, struct address *peer )
{
    union linux_address addr;
    socklen_t len = sizeof(addr);
    int fd = accept4( listener->fd, &addr.sa, &len, SOCK_CLOEXEC );

    if (fd != -1) address_to_client( &addr, peer );
    return fd;
}

/* brings a connection, or (-1) asks for one put back */
u32 raw_accept_fd( struct raw *raw, const struct raw_sock *listener, int fd, const struct address *peer,
                   struct raw_sock *sock, struct accept_reply *reply )
{
    struct accept_request in = { listener->ref, 0, next_counter( raw ), 0, *peer };
    struct accept_reply out;
    u32 ret;

    memset( sock, 0, sizeof(*sock) );
    sock->counter = in.counter;
    ret = raw_request( raw, REQUEST_ACCEPT, &in, sizeof(in), fd, &out, sizeof(out), fd == -1 ? &sock->fd : NULL );
    if (ret) return ret;
    if (fd != -1) sock->fd = fd;
    assert_int_not_equal( sock->fd, -1 );
    sock->ref = out.socket;
    sock->cookie = out.cookie;
    if (reply) *reply = out;
    return 0;
}

/* as clients do: a connection put back, or else the next of the kernel's queue */
u32 raw_accept( struct raw *raw, const struct raw_sock *listener, struct raw_sock *sock, struct accept_reply *reply )
{
    int listening = raw_state( raw, listener ) == SOCKET_LISTENING, fd = -1;
    struct address peer = { 0 };
    u32 ret;

    if (listening && !(raw_flags( raw, listener ) & SOCKET_DEFERRED)) fd = raw_accept_kernel( listener, &peer );
    if ((ret = raw_accept_fd( raw, listener, fd, &peer, sock, reply )) && fd != -1) close( fd );
    return ret;
}

u32 raw_defer( struct raw *raw, const struct raw_sock *listener, struct raw_sock *sock )
{
    struct defer_request in = { listener->ref, sock->ref };
    struct defer_reply out;
    u32 ret = raw_request( raw, REQUEST_DEFER, &in, sizeof(in), -1, &out, sizeof(out), NULL );

    if (!ret) close( sock->fd );
    return ret;
}

u32 raw_shutdown( struct raw *raw, const struct raw_sock *sock, u32 how )
{
    struct shutdown_request in = { sock->ref, how, 0 };
    struct shutdown_reply out;

    return raw_request( raw, REQUEST_SHUTDOWN, &in, sizeof(in), -1, &out, sizeof(out), NULL );
}

u32 raw_arm( struct raw *raw, const struct raw_sock *sock )
{
    struct arm_request in = { sock->ref };
    struct arm_reply out;

    return raw_request( raw, REQUEST_ARM, &in, sizeof(in), -1, &out, sizeof(out), NULL );
}

u32 raw_note_reset( struct raw *raw, const struct raw_sock *sock, u32 *flags )
{
    struct note_reset_request in = { sock->ref };
    struct note_reset_reply out;
    u32 ret = raw_request( raw, REQUEST_NOTE_RESET, &in, sizeof(in), -1, &out, sizeof(out), NULL );

    *flags = ret ? 0 : out.flags;
    return ret;
}

u32 raw_set_option( struct raw *raw, const struct raw_sock *sock, u32 option, u32 value, u32 value2 )
{
    struct set_option_request in = { sock->ref, option, value, value2, 0 };
    struct set_option_reply out;

    return raw_request( raw, REQUEST_SET_OPTION, &in, sizeof(in), -1, &out, sizeof(out), NULL );
}

u32 raw_backlog( struct raw *raw, const struct raw_sock *sock, u64 length, int fd )
{
    struct backlog_request in = { sock->ref, length };
    struct backlog_reply out;

    return raw_request( raw, REQUEST_BACKLOG, &in, sizeof(in), fd, &out, sizeof(out), NULL );
}

u32 raw_watch_backlog( struct raw *raw, const struct raw_sock *sock, int *wait )
{
    struct watch_backlog_request in = { sock->ref };
    struct watch_backlog_reply out;
    u32 ret = raw_request( raw, REQUEST_WATCH_BACKLOG, &in, sizeof(in), -1, &out, sizeof(out), wait );

    if (!ret) assert_int_equal( out.gone, *wait == -1 );
    return ret;
}

const struct slot *raw_slot( const struct raw *raw, const struct raw_sock *sock )
{
    return &raw->arena[sock->ref.slot];
}

u32 raw_flags( const struct raw *raw, const struct raw_sock *sock )
{
    return __atomic_load_n( &raw_slot( raw, sock )->flags, __ATOMIC_ACQUIRE );
}

u32 raw_state( const struct raw *raw, const struct raw_sock *sock )
{
    return __atomic_load_n( &raw_slot( raw, sock )->state, __ATOMIC_ACQUIRE );
}

/* ---- addresses and sockets ---- */

struct address raw_ip4( const char *ip, u16 port )
{
    struct sockaddr_in in = { .sin_family = WS_AF_INET, .sin_port = htons( port ) };
    struct address addr = { .len = WS_SOCKADDR_IN_SIZE };

    assert_int_equal( inet_pton( AF_INET, ip, &in.sin_addr ), 1 );
    memcpy( addr.data, &in, sizeof(in) );
    return addr;
}

struct address raw_ip6( const char *ip, u16 port, u32 scope )
{
    struct sockaddr_in6 in6 = { .sin6_family = WS_AF_INET6, .sin6_port = htons( port ), .sin6_scope_id = scope };
    struct address addr = { .len = WS_SOCKADDR_IN6_SIZE };

    assert_int_equal( inet_pton( AF_INET6, ip, &in6.sin6_addr ), 1 );
    memcpy( addr.data, &in6, sizeof(in6) );
    return addr;
}

u16 raw_port( const struct address *addr )
{
    u16 port;

    memcpy( &port, addr->data + 2, sizeof(port) );
    return ntohs( port );
}

/* a listener on loopback, port chosen by the kernel */
void raw_listener( struct raw *raw, u32 family, struct raw_sock *sock, struct address *addr )
{
    *addr = family == WS_AF_INET6 ? raw_ip6( "::1", 0, 0 ) : raw_ip4( "127.0.0.1", 0 );
    assert_int_equal( raw_create( raw, family, WS_SOCK_STREAM, 0, sock ), 0 );
    assert_int_equal( raw_bind( raw, sock, addr, addr ), 0 );
    assert_int_equal( raw_listen( raw, sock, 50 ), 0 );
}

/* two ends of one connection */
void raw_pair( struct raw *raw, struct raw_sock *client, struct raw_sock *server )
{
    struct raw_sock listener;
    struct address addr;

    raw_listener( raw, WS_AF_INET, &listener, &addr );
    assert_int_equal( raw_create( raw, WS_AF_INET, WS_SOCK_STREAM, 0, client ), 0 );
    assert_int_equal( raw_connect( raw, client, &addr, NULL ), 0 );
    assert_int_equal( raw_accept( raw, &listener, server, NULL ), 0 );
    assert_int_equal( raw_close_sock( raw, &listener, 0, NULL ), 0 );
}

/* sends until nothing more fits; how much that was */
int raw_fill( int fd )
{
    static char buffer[65536];
    ssize_t ret;
    int total = 0;

    while ((ret = send( fd, buffer, sizeof(buffer), MSG_DONTWAIT | MSG_NOSIGNAL )) > 0) total += ret;
    assert_int_equal( errno, EAGAIN );
    return total;
}

int raw_readable( int fd, int ms )
{
    struct pollfd pfd = { fd, POLLIN, 0 };

    return poll( &pfd, 1, ms ) == 1;
}

/* ---- limits ---- */

static void raw_alarm( int sig )
{
    static const char text[] = "a test took too long\n";

    (void)sig;
    if (raw_helper) kill( raw_helper, SIGKILL );
    _exit( write( STDERR_FILENO, text, sizeof(text) - 1 ) == -1 ? 125 : 124 );
}

int raw_alarm_setup( void **state )
{
    (void)state;
    signal( SIGALRM, raw_alarm );
    signal( SIGPIPE, SIG_IGN );
    alarm( RAW_LIMIT );
    return 0;
}

int raw_alarm_teardown( void **state )
{
    (void)state;
    alarm( 0 );
    return 0;
}

int raw_setup( void **state )
{
    raw_alarm_setup( state );
    raw_make_dir();
    raw_start( "1" );
    return 0;
}

int raw_teardown( void **state )
{
    raw_stop();
    raw_remove_dir();
    return raw_alarm_teardown( state );
}
