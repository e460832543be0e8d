/*
 * The Unix library's tests: the library, called as ws2_32.dll calls it, and a helper of one's own
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

#include <dlfcn.h>
#include <limits.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <arpa/inet.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/un.h>

#define WAIT_LIMIT 10000        /* ms: nothing here takes longer */

typedef NTSTATUS (*unix_func)( void *params );

static const unix_func *table;
static char prefix[64];
static char folder[128];        /* where the prefix's helper is */

unsigned int unix_call( enum unix_funcs func, void *params )
{
    return table[func]( params );
}

void unix_sleep( int ms )
{
    struct timespec ts = { ms / 1000, ms % 1000 * 1000000l };

    while (nanosleep( &ts, &ts ) == -1 && errno == EINTR) /* again */;
}

/* ---- the library and the helper ---- */

/* ws2unix.so, where a build has it: tapsterd is found from there */
static void load_library(void)
{
    char path[PATH_MAX] = "", so[PATH_MAX + 64], *slash;
    void *library;
    int i;

    if (readlink( "/proc/self/exe", path, sizeof(path) - 1 ) == -1) fail_msg( "who am I?" );
    for (i = 0; i < 3; i++)
        if ((slash = strrchr( path, '/' ))) *slash = 0;
    snprintf( so, sizeof(so), "%s/lib/tapster/x86_64-unix/ws2unix.so", path );
    if (!(library = dlopen( so, RTLD_NOW ))) fail_msg( "%s", dlerror() );
    assert_non_null( table = dlsym( library, "__wine_unix_call_funcs" ) );
}

static void make_prefix(void)
{
    const char *tmp = getenv( "TMPDIR" );
    struct stat st;

    snprintf( prefix, sizeof(prefix), "%s/tapster-unix.XXXXXX", tmp && strlen( tmp ) < 32 ? tmp : "/tmp" );
    assert_non_null( mkdtemp( prefix ) );
    setenv( "WINEPREFIX", prefix, 1 );
    assert_int_equal( stat( prefix, &st ), 0 );
    snprintf( folder, sizeof(folder), "/tmp/.tapster-%u/helper-%llx-%llx", (unsigned int)getuid(),
              (unsigned long long)st.st_dev, (unsigned long long)st.st_ino );
}

/* what the helper asks of all: its counters, which are not used here */
static int send_hello( int fd )
{
    struct { struct request_header header; struct hello_request body; } message =
        { { REQUEST_HELLO, 1, 0 }, { PROTOCOL_MAGIC, PROTOCOL_VERSION, getpid(), 0 } };
    union { struct cmsghdr header; char space[CMSG_SPACE( sizeof(int) )]; } control = { .space = "" };
    struct iovec iov = { &message, sizeof(message) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    int counters = memfd_create( "counters", MFD_CLOEXEC | MFD_ALLOW_SEALING ), ret = -1;

    if (counters == -1) return -1;
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN( sizeof(int) );
    memcpy( CMSG_DATA( &control.header ), &counters, sizeof(counters) );
    if (!ftruncate( counters, PROTOCOL_MAX_SLOTS * sizeof(u32) ) &&
        fcntl( counters, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW ) != -1 && sendmsg( fd, &msg, MSG_NOSIGNAL ) != -1) ret = 0;
    close( counters );
    return ret;
}

/* a connection, and who is at its other end; -1: nobody */
static int connect_helper( pid_t *pid )
{
    struct { struct reply_header header; struct hello_reply body; } reply;
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket( AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0 );

    if (fd == -1) return -1;
    /* the arena that comes with it is closed for want of room */
    if (snprintf( addr.sun_path, sizeof(addr.sun_path), "%s/control", folder ) < (int)sizeof(addr.sun_path) &&
        !connect( fd, (struct sockaddr *)&addr, sizeof(addr) ) && !send_hello( fd ) &&
        recv( fd, &reply, sizeof(reply), 0 ) == sizeof(reply) && !reply.header.error)
    {
        *pid = reply.body.helper_pid;
        return fd;
    }
    close( fd );
    return -1;
}

/* The connection shows that it has died. */
int unix_kill_helper(void)
{
    struct pollfd pfd = { .events = POLLIN };
    pid_t pid;

    if ((pfd.fd = connect_helper( &pid )) == -1) return 0;
    kill( pid, SIGKILL );
    poll( &pfd, 1, WAIT_LIMIT );
    close( pfd.fd );
    return 1;
}

static void remove_prefix(void)
{
    static const char *const names[] = { "control", "lock", "log", "log.old" };
    char path[sizeof(folder) + 16];
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    {
        snprintf( path, sizeof(path), "%s/%s", folder, names[i] );
        unlink( path );
    }
    rmdir( folder );
    rmdir( prefix );
}

/* a watch-dog; against a library that hangs with all signals blocked only the runner's helps */
static void out_of_time( int sig )
{
    static const char text[] = "the time is up\n";

    (void)sig;
    unix_kill_helper();
    remove_prefix();
    _exit( write( STDERR_FILENO, text, sizeof(text) - 1 ) == -1 ? 125 : 124 );
}

void unix_begin( unsigned int seconds )
{
    signal( SIGPIPE, SIG_IGN );
    load_library();
    make_prefix();
    signal( SIGALRM, out_of_time );
    alarm( seconds );
}

void unix_end(void)
{
    unix_kill_helper();
    remove_prefix();
    alarm( 0 );
}

/* ---- calls ---- */

unsigned int unix_create( int type, struct unix_socket **socket )
{
    struct socket_create_params params = { .family = WS_AF_INET, .type = type };
    unsigned int error = unix_call( unix_socket_create, &params );

    *socket = error ? NULL : params.socket;
    return error;
}

/* a close that has to wait does */
unsigned int unix_close( struct unix_socket *socket )
{
    struct socket_close_params params = { socket, CLOSE_SOLE, -1 };
    struct pollfd pfd = { .events = POLLIN };
    unsigned int error = unix_call( unix_socket_close, &params );

    if (error || params.wait_fd == -1) return error;
    pfd.fd = params.wait_fd;
    poll( &pfd, 1, WAIT_LIMIT );
    close( params.wait_fd );
    return 0;
}

/* *addr: out, too */
unsigned int unix_bind( struct unix_socket *socket, struct WS_sockaddr_in *addr )
{
    struct socket_bind_params params = { socket, addr, sizeof(*addr) };
    struct getname_params name = { socket, addr, sizeof(*addr) };
    unsigned int error;

    if ((error = unix_call( unix_socket_bind, &params ))) return error;
    return unix_call( unix_getsockname, &name );
}

unsigned int unix_start_listening( struct unix_socket *socket )
{
    struct socket_listen_params params = { socket, 64 };

    return unix_call( unix_socket_listen, &params );
}

int unix_wait( struct unix_socket *socket, short events, int ms )
{
    struct unix_pollfd fds[2] = { { socket->fd, events, 0 } };
    struct poll_params params = { fds, 1, -1, ms * (int64_t)1000000, 0, 0 };

    return !unix_call( unix_poll, &params ) && params.ready;
}

unsigned int unix_connect_to( struct unix_socket *socket, const struct WS_sockaddr_in *addr )
{
    struct socket_connect_params params = { socket, addr, sizeof(*addr), 0 };
    struct socket_connect_status_params status = { socket, 1 };
    unsigned int error = unix_call( unix_socket_connect, &params );

    if (error || !params.pending) return error;
    while (status.pending)
    {
        if (!unix_wait( socket, UNIX_POLLOUT, WAIT_LIMIT )) return WSAETIMEDOUT;
        if ((error = unix_call( unix_socket_connect_status, &status ))) return error;
    }
    return 0;
}

unsigned int unix_accept_from( struct unix_socket *listener, struct unix_socket **socket )
{
    struct socket_accept_params params = { .listener = listener };
    unsigned int error;

    *socket = NULL;
    while ((error = unix_call( unix_socket_accept, &params )) == WSAEWOULDBLOCK)
        if (!unix_wait( listener, UNIX_POLLIN, WAIT_LIMIT )) return WSAETIMEDOUT;
    if (!error) *socket = params.socket;
    return error;
}

unsigned int unix_recv_once( struct unix_socket *socket, void *buffer, size_t size, size_t *result )
{
    struct unix_buf buf = { size, buffer };
    struct recv_params params = { .socket = socket, .bufs = &buf, .count = 1 };
    unsigned int error = unix_call( unix_recv, &params );

    *result = error ? 0 : params.result;
    return error;
}

unsigned int unix_send_once( struct unix_socket *socket, const void *buffer, size_t size, size_t *result )
{
    struct unix_buf buf = { size, (char *)buffer };
    struct send_params params = { .socket = socket, .bufs = &buf, .count = 1 };
    unsigned int error = unix_call( unix_send, &params );

    *result = error ? 0 : params.result;
    return error;
}

unsigned int unix_recv_wait( struct unix_socket *socket, void *buffer, size_t size, size_t *result )
{
    volatile unsigned int *pending = __atomic_load_n( &socket->pending, __ATOMIC_ACQUIRE );
    struct socket_params arm = { socket };
    unsigned int error;

    __atomic_add_fetch( pending, 1, __ATOMIC_SEQ_CST );
    while ((error = unix_recv_once( socket, buffer, size, result )) == WSAEWOULDBLOCK)
        if (!unix_wait( socket, UNIX_POLLIN, WAIT_LIMIT ))
        {
            error = WSAETIMEDOUT;
            break;
        }
    if (!__atomic_sub_fetch( pending, 1, __ATOMIC_SEQ_CST ) && (unix_flags( socket ) & SOCKET_RECV_SHUTDOWN))
        unix_call( unix_socket_arm, &arm );
    return error;
}

unsigned int unix_send_all( struct unix_socket *socket, const void *buffer, size_t size )
{
    unsigned int error;
    size_t sent;

    for (; size; buffer = (const char *)buffer + sent, size -= sent)
    {
        if (!(error = unix_send_once( socket, buffer, size, &sent ))) continue;
        if (error != WSAEWOULDBLOCK) return error;
        if (!unix_wait( socket, UNIX_POLLOUT, WAIT_LIMIT )) return WSAETIMEDOUT;
    }
    return 0;
}

unsigned int unix_shut( struct unix_socket *socket, int how )
{
    struct socket_shutdown_params params = { socket, how };

    return unix_call( unix_socket_shutdown, &params );
}

unsigned int unix_option( struct unix_socket *socket, unsigned int option, unsigned int value, unsigned int value2 )
{
    struct socket_set_option_params params = { socket, option, value, value2 };

    return unix_call( unix_socket_set_option, &params );
}

unsigned int unix_flags( const struct unix_socket *socket )
{
    const struct slot *slot = __atomic_load_n( &socket->slot, __ATOMIC_ACQUIRE );

    return __atomic_load_n( &slot->flags, __ATOMIC_SEQ_CST );
}

/* ---- whole things ---- */

struct WS_sockaddr_in unix_loopback( unsigned short port )
{
    struct WS_sockaddr_in addr = { .sin_family = WS_AF_INET, .sin_port = htons( port ) };

    addr.sin_addr.WS_s_addr = htonl( 0x7f000001 );
    return addr;
}

unsigned int unix_listener( struct unix_socket **listener, struct WS_sockaddr_in *addr )
{
    unsigned int error;

    *addr = unix_loopback( 0 );
    if ((error = unix_create( WS_SOCK_STREAM, listener ))) return error;
    if ((error = unix_bind( *listener, addr ))) return error;
    return unix_start_listening( *listener );
}

unsigned int unix_pair( struct unix_socket **client, struct unix_socket **server )
{
    struct unix_socket *listener;
    struct WS_sockaddr_in addr;
    unsigned int error;

    if ((error = unix_listener( &listener, &addr ))) return error;
    if ((error = unix_create( WS_SOCK_STREAM, client ))) return error;
    if ((error = unix_connect_to( *client, &addr ))) return error;
    if ((error = unix_accept_from( listener, server ))) return error;
    return unix_close( listener );
}
