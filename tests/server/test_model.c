/*
 * A random life of many sockets, compared with the model
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
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "raw.h"
#include "model.h"

/* A life: some clients, some sockets, a few hundred steps. A step is a request or something that happens
 * outside. After each one all sockets are compared with the model: the reply, the slot, what waits to be
 * read, what the peer sees, and how many RSTs there were. What takes time is awaited; what must not happen would show
 * in one of the next steps.
 *
 * In the environment: MODEL_SEED (of the first life; a failure tells that of its own), MODEL_LIVES, MODEL_STEPS, and
 * MODEL_SECONDS, instead of MODEL_LIVES. */

#define LIFE_STEPS 200
#define LIFE_SECONDS 12
#define BACKLOG_SIZE 262144     /* more than fits into buffers of the sizes below */
#define PEER_BUFFER 4096
#define SEND_BUFFER 32768
#define BAD_CLOSE 0x80000000    /* no flag of close */

/* what there really is of a socket */
struct real
{
    struct socket_ref ref;
    struct raw_sock at[MODEL_CLIENTS];  /* as the clients have it; fd -1: not */
    int peer;                           /* the other end, -1: none */
    u64 got;                            /* bytes that the peer has read */
    int broken;                         /* it has read of a reset */
    int stall;                          /* the listener at which its connect waits, -1: none */
    int filler;                         /* the connection that fills that one's queue */
    int wait;                           /* of a lingering close, -1: none */
    int outside;                        /* the kernel socket, as a child has it that has not spoken yet, -1: none has */
    int box;                            /* its handle, -1: none */
    u64 box_name;
    int box_owner;                      /* the client it was made for */
};

static struct real real[MODEL_SOCKETS];
static struct raw clients[MODEL_CLIENTS];
static int native;                      /* takes all connections */
static struct address native_addr, refuse_addr;
static int refuse;                      /* bound, and listens not */
static int namespace;                   /* we have a network of our own: RSTs can be counted */
static long reset_base;

static u64 seed, state;
static char history[1 << 18];
static size_t history_len;
static int step, living;

/* ---- luck, and what is told of it ---- */

static u32 luck( u32 n )
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % n;
}

static void __attribute__((format(printf, 1, 2))) note( const char *format, ... )
{
    va_list args;
    int len;

    va_start( args, format );
    len = vsnprintf( history + history_len, sizeof(history) - history_len, format, args );
    va_end( args );
    if (len > 0 && history_len + len < sizeof(history) - 1) history_len += len;
}

static void tell(void)
{
    if (!living) return;
    living = 0;
    fputs( history, stderr );   /* print_error() cuts */
    print_error( "\nin the life of seed %llu, step %d\n", (unsigned long long)seed, step );
}

static void __attribute__((format(printf, 2, 3))) must( int cond, const char *format, ... )
{
    char text[200];
    va_list args;

    if (cond) return;
    va_start( args, format );
    vsnprintf( text, sizeof(text), format, args );
    va_end( args );
    tell();
    print_error( "%s\n", text );
    fail();
}

static void agree( u32 is, u32 expected )
{
    note( " = %u", is );
    must( is == expected, "error %u, the model says %u", is, expected );
}

/* ---- the network ---- */

/* where nobody else sends anything */
static void enter_namespace(void)
{
    struct ifreq ifr = { .ifr_name = "lo" };
    int fd;

    if (unshare( CLONE_NEWNET ))
    {
        print_message( "no network of its own (%s): RSTs are not counted\n", strerror( errno ) );
        return;
    }
    fd = socket( AF_INET, SOCK_DGRAM, 0 );
    ifr.ifr_flags = IFF_UP | IFF_RUNNING;
    assert_int_equal( ioctl( fd, SIOCSIFFLAGS, &ifr ), 0 );
    close( fd );
    namespace = 1;
}

/* RSTs sent since we have this network */
static long count_resets(void)
{
    char line[1024], *ptr;
    long value = -1;
    FILE *file;
    int i;

    assert_non_null( file = fopen( "/proc/self/net/snmp", "r" ) );
    while (fgets( line, sizeof(line), file ))
    {
        if (strncmp( line, "Tcp: ", 5 ) || line[5] == 'R') continue;
        for (ptr = line, i = 0; i < 14 && ptr; i++) ptr = strchr( ptr + 1, ' ' );
        if (ptr) value = strtol( ptr, NULL, 10 );
    }
    fclose( file );
    return value;
}

static void set_int( int fd, int level, int option, int value )
{
    assert_int_equal( setsockopt( fd, level, option, &value, sizeof(value) ), 0 );
}

/* a native socket, bound to loopback */
static int native_socket( int type, struct address *addr )
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl( INADDR_LOOPBACK ) };
    socklen_t len = sizeof(in);
    int fd = socket( AF_INET, type | SOCK_CLOEXEC, 0 );

    assert_int_not_equal( fd, -1 );
    set_int( fd, SOL_SOCKET, SO_RCVBUF, PEER_BUFFER );
    if (type == SOCK_STREAM) set_int( fd, IPPROTO_TCP, TCP_NODELAY, 1 );
    assert_int_equal( bind( fd, (struct sockaddr *)&in, len ), 0 );
    assert_int_equal( getsockname( fd, (struct sockaddr *)&in, &len ), 0 );
    *addr = raw_ip4( "127.0.0.1", ntohs( in.sin_port ) );
    return fd;
}

static int native_listener( int backlog, struct address *addr )
{
    int fd = native_socket( SOCK_STREAM, addr );

    assert_int_equal( listen( fd, backlog ), 0 );
    return fd;
}

static int native_connect( int type, const struct address *addr )
{
    struct address local;
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl( INADDR_LOOPBACK ) };
    int fd = native_socket( type, &local );

    in.sin_port = htons( raw_port( addr ) );
    must( !connect( fd, (struct sockaddr *)&in, sizeof(in) ), "cannot connect: %s", strerror( errno ) );
    return fd;
}

/* the byte at a place of a stream */
static u8 pattern( int i, u64 pos )
{
    return pos * 167 + (pos >> 8) * 13 + i;
}

static int tcp_state( int fd )
{
    unsigned char value = 0;
    socklen_t len = sizeof(value);

    getsockopt( fd, IPPROTO_TCP, TCP_INFO, &value, &len );
    return value;
}

/* what the peer can see without reading anything */
static enum model_view look_at_peer( int i )
{
    struct pollfd pfd = { real[i].peer, POLLIN | POLLRDHUP, 0 };

    poll( &pfd, 1, 0 );
    if (real[i].broken || ((pfd.revents & POLLERR) && tcp_state( pfd.fd ) == TCP_CLOSE)) return VIEW_RST;
    return pfd.revents & POLLRDHUP ? VIEW_FIN : VIEW_OPEN;
}

/* the peer reads what there is now */
static void peer_reads( int i )
{
    static u8 buffer[65536];
    ssize_t ret, j;

    while ((ret = recv( real[i].peer, buffer, sizeof(buffer), MSG_DONTWAIT )) > 0)
        for (j = 0; j < ret; j++, real[i].got++)
            must( buffer[j] == pattern( i, real[i].got ), "byte %llu of %d is wrong", (unsigned long long)real[i].got, i );
    if (ret == -1 && errno != EAGAIN) real[i].broken = 1;   /* which is told once */
    must( real[i].got <= model[i].sent, "more came from %d than was sent", i );
}

/* ---- clients ---- */

/* Each is a process of its own for the helper, which tells by that who has come back after a worker's death. The process
 * does nothing but connect when it is asked to. */
struct body
{
    pid_t pid;
    int fd;                     /* a byte to it: connect; its byte, with the connection */
};

static struct body bodies[MODEL_CLIENTS];

static void __attribute__((noreturn)) live( int fd )
{
    char byte = 0;
    int sock;

    /* what it was born with keeps sockets and handles */
    dup2( fd, 3 );
    close_range( 4, ~0u, 0 );
    if (raw_send( 3, &byte, 1, NULL, 0 )) _exit( 1 );
    while (read( 3, &byte, 1 ) == 1)
    {
        sock = raw_connect_only();
        if (raw_send( 3, &byte, 1, &sock, sock != -1 )) break;
        close( sock );
    }
    _exit( 0 );
}

static void begin_body( int client )
{
    int fds[2], got;
    char byte;

    assert_int_equal( socketpair( AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds ), 0 );
    if (!(bodies[client].pid = fork())) live( fds[1] );
    close( fds[1] );
    bodies[client].fd = fds[0];
    assert_int_equal( raw_recv( fds[0], &byte, 1, &got ), 1 );
}

static void end_body( int client )
{
    close( bodies[client].fd );
    while (waitpid( bodies[client].pid, NULL, 0 ) == -1 && errno == EINTR) /* again */;
    bodies[client].pid = 0;
}

/* sockets: how many it will say again */
static void open_client( int client, u32 sockets )
{
    char byte = 0;
    int fd;

    if (!bodies[client].pid) begin_body( client );
    assert_int_equal( write( bodies[client].fd, &byte, 1 ), 1 );
    assert_int_equal( raw_recv( bodies[client].fd, &byte, 1, &fd ), 1 );
    raw_open_on( &clients[client], fd, sockets );
}

/* ---- the comparison ---- */

/* two round trips with the helper: what there was to be seen before, it has seen */
static void barrier(void)
{
    struct raw_sock nobodys = { { PROTOCOL_MAX_SLOTS - 1, 1 }, 0, 0, -1 };

    assert_int_equal( raw_arm( &clients[0], &nobodys ), WSAENOTSOCK );
    assert_int_equal( raw_arm( &clients[0], &nobodys ), WSAENOTSOCK );
}

static int any_fd( int i )
{
    int c;

    for (c = 0; c < MODEL_CLIENTS; c++) if (real[i].at[c].fd != -1) return real[i].at[c].fd;
    return real[i].outside;
}

/* not SOCKET_HUNG, which comes with time, nor what only handles are about */
static int slot_differs( int i )
{
    const struct slot *slot = &clients[0].arena[real[i].ref.slot];
    int same = slot->generation == real[i].ref.generation && slot->state != SOCKET_FREE;

    if (!model[i].record) return same;
    return !same || slot->state != model[i].state || (slot->flags & ~(SOCKET_HUNG | SOCKET_SHARED)) != model[i].flags ||
           slot->error != model[i].error ||
           slot->options[OPTION_LINGER_ONOFF] != model[i].onoff || slot->options[OPTION_LINGER_TIME] != model[i].seconds;
}

/* bytes, or a FIN, that the other side has not acknowledged */
static int unacknowledged( int fd )
{
    int count = 0;

    return !ioctl( fd, SIOCOUTQ, &count ) && count > 0;
}

/* What waits to be read in the kernel socket, and what is not acknowledged. Acknowledgements are hurried, and
 * awaited: one that crossed an RST would be answered with another RST. */
static int queues_differ( int i )
{
    int fd = any_fd( i ), in = 0;

    if (!model[i].stream || model[i].state != SOCKET_CONNECTED || model_is_over( &model[i] )) return 0;
    if (fd != -1) set_int( fd, IPPROTO_TCP, TCP_QUICKACK, 1 );
    if (real[i].peer != -1)
    {
        set_int( real[i].peer, IPPROTO_TCP, TCP_QUICKACK, 1 );
        if (unacknowledged( real[i].peer )) return 1;
    }
    if (fd == -1) return 0;
    return ioctl( fd, SIOCINQ, &in ) || (u32)in != model[i].in || unacknowledged( fd ) != model_is_unsent( &model[i] );
}

/* NULL, or what is not as the model says */
static const char *difference( int i )
{
    if (!model[i].queued && slot_differs( i )) return "the slot";
    if (real[i].peer != -1 && model[i].stream && look_at_peer( i ) != model_view( &model[i] )) return "the peer's view";
    if (real[i].wait != -1 && raw_readable( real[i].wait, 0 ) == model[i].record) return "the end of a close";
    if (queues_differ( i )) return "the queues";
    if (real[i].peer != -1 && !model[i].stream && model[i].record && look_at_peer( i ) == VIEW_RST) return "an ICMP";
    return NULL;
}

static void describe( int i )
{
    const struct model_sock *sock = &model[i];
    const struct slot *slot = &clients[0].arena[real[i].ref.slot];
    int fd = any_fd( i ), in = -1, out = -1;

    if (fd != -1)
    {
        ioctl( fd, SIOCINQ, &in );
        ioctl( fd, SIOCOUTQ, &out );
    }
    note( "\n%d: model: record %d, state %u, flags %x, error %u, linger %u,%u, holders %x, in %u, sent %llu%s%s, view %d%s",
          i, sock->record, sock->state, sock->flags, sock->error, sock->onoff, sock->seconds, sock->holders, sock->in,
          (unsigned long long)sock->sent, sock->stuck ? " stuck" : "", sock->backlog ? " backlog" : "", model_view( sock ),
          sock->closing ? " closing" : "" );
    note( "\n   real: record %d, state %u, flags %x, error %u, linger %u,%u, in %d, unsent %d, got %llu, view %d, tcp %d",
          slot->generation == real[i].ref.generation && slot->state, slot->state, slot->flags, slot->error,
          slot->options[OPTION_LINGER_ONOFF], slot->options[OPTION_LINGER_TIME], in, out, (unsigned long long)real[i].got,
          real[i].peer != -1 ? (int)look_at_peer( i ) : -1, fd != -1 ? tcp_state( fd ) : -1 );
}

/* waits for one socket to be as the model says; 5 seconds at most */
static void compare( int i )
{
    const char *what;
    int tries;

    for (tries = 0; (what = difference( i )) && tries < 5000; tries++)
    {
        barrier();
        if (tries > 10) raw_sleep( 1 );
    }
    if (!what) return;
    describe( i );
    must( 0, "%s of %d: not as the model says", what, i );
}

/* records there are, as the arena shows them; slots are used again, so few are ever touched */
static int count_records(void)
{
    int i, count = 0;

    for (i = 0; i < 4 * MODEL_SOCKETS; i++) count += clients[0].arena[i].state != SOCKET_FREE;
    return count;
}

static int model_records(void)
{
    int i, count = 0;

    for (i = 0; i < MODEL_SOCKETS; i++) count += model[i].used && model[i].record;
    return count;
}

static void close_fd( int *fd )
{
    if (*fd != -1) close( *fd );
    *fd = -1;
}

static void count_anew(void)
{
    if (namespace) reset_base = count_resets() - model_resets;
}

/* How many connections were reset with the stalled one's listener is no concern of the model. */
static void end_stall( int i )
{
    if (real[i].stall == -1) return;
    close_fd( &real[i].stall );
    close_fd( &real[i].filler );
    count_anew();
}

/* Nothing is left of it but what the peer has still to see: all of what was sent, then the FIN; or the RST. */
static void finish( int i )
{
    int tries;

    if (model[i].stream && real[i].peer != -1)
    {
        model_peer_reads( &model[i] );
        for (tries = 0; tries < 5000; tries++)
        {
            peer_reads( i );
            if (model_view( &model[i] ) == VIEW_RST) break;
            if (real[i].got == model[i].sent && look_at_peer( i ) == model_view( &model[i] )) break;
            if (tries > 10) raw_sleep( 1 );
        }
        if (tries == 5000) describe( i );
        must( tries < 5000, "the peer of %d got %llu of %llu bytes", i, (unsigned long long)real[i].got,
              (unsigned long long)model[i].sent );
    }
    end_stall( i );
    close_fd( &real[i].peer );
    close_fd( &real[i].wait );
    close_fd( &real[i].box );
    model[i].used = 0;
}

static void compare_resets(void)
{
    long count;
    int tries;

    if (!namespace) return;
    for (tries = 0; (count = count_resets() - reset_base) < (long)model_resets && tries < 20; tries++) raw_sleep( 1 );
    must( count >= (long)model_resets && count <= (long)(model_resets + model_crossings), "%ld RSTs, the model has %u",
          count, model_resets );
}

static void compare_all(void)
{
    int i;

    barrier();
    for (i = 0; i < MODEL_SOCKETS; i++)
    {
        if (!model[i].used) continue;
        compare( i );
        if (!model[i].record) close_fd( &real[i].wait );
    }
    must( count_records() == model_records(), "%d records, the model has %d", count_records(), model_records() );
    compare_resets();
    for (i = 0; i < MODEL_SOCKETS; i++) if (model[i].used && !model[i].record && !model[i].queued && !model[i].outside) finish( i );
}

/* ---- choices ---- */

static int is_stream( int i )    { return model[i].record && model[i].stream; }
static int is_held( int i )      { return model[i].record && model[i].holders; }
static int is_listening( int i ) { return is_held( i ) && model[i].state == SOCKET_LISTENING; }
static int is_accepted( int i )  { return is_held( i ) && (model[i].flags & SOCKET_ACCEPTED); }
static int is_stalled( int i )   { return model[i].record && model[i].state == SOCKET_CONNECTING; }
static int is_outside( int i )   { return model[i].outside; }
static int is_adoptable( int i ) { return is_held( i ) || model[i].outside; }
static int has_box( int i )      { return model[i].record && real[i].box != -1 && model[i].box == BOX_LIVE; }
static int has_peer( int i )     { return (model[i].record || model[i].queued || model[i].outside) && model[i].stream && real[i].peer != -1; }

/* may its peer still send? */
static int is_talking( int i )
{
    return has_peer( i ) && !model[i].fin_in && !model_is_over( &model[i] );
}

/* may one of its clients still send? */
static int is_sending( int i )
{
    return is_held( i ) && model[i].stream && model[i].state == SOCKET_CONNECTED && real[i].peer != -1 &&
           !model[i].fin_out && !model[i].backlog && !model[i].stuck && !model_is_over( &model[i] );
}

static int choose( int (*fits)( int i ) )
{
    int start = luck( MODEL_SOCKETS ), i, n;

    for (n = 0; n < MODEL_SOCKETS; n++)
    {
        i = (start + n) % MODEL_SOCKETS;
        if (model[i].used && fits( i )) return i;
    }
    return -1;
}

/* one of those that hold it; rarely one that does not */
static int choose_holder( int i )
{
    int client = luck( MODEL_CLIENTS );

    if (!luck( 20 )) return client;
    while (!model_holds( &model[i], client )) client = (client + 1) % MODEL_CLIENTS;
    return client;
}

static int sure_holder( int i )
{
    int client = luck( MODEL_CLIENTS );

    while (!model_holds( &model[i], client )) client = (client + 1) % MODEL_CLIENTS;
    return client;
}

static int any_holder( int i )
{
    int client;

    for (client = 0; client < MODEL_CLIENTS; client++) if (real[i].at[client].fd != -1) return client;
    return -1;
}

/* a reference, also of a client that holds it not */
static struct raw_sock *at( int i, int client )
{
    real[i].at[client].ref = real[i].ref;
    return &real[i].at[client];
}

static int new_entry(void)
{
    int i = model_new(), c;

    if (i == -1) return -1;
    memset( &real[i], 0, sizeof(real[i]) );
    real[i].peer = real[i].stall = real[i].filler = real[i].wait = real[i].box = real[i].outside = -1;
    for (c = 0; c < MODEL_CLIENTS; c++) real[i].at[c].fd = -1;
    return i;
}

/* ---- requests ---- */

static void op_create(void)
{
    int client = luck( MODEL_CLIENTS ), stream = luck( 5 ) > 0, wanted = luck( 3 ) ? 1 : 1 + luck( 3 ), i, n, count;
    struct raw_sock socks[PROTOCOL_MAX_FDS];

    note( "client %d creates %d of %s", client, wanted, stream ? "stream" : "datagram" );
    count = raw_create_many( &clients[client], stream ? WS_SOCK_STREAM : WS_SOCK_DGRAM, 0, wanted, socks );
    must( count == wanted, "only %d were made", count );
    for (n = 0; n < count; n++)
    {
        if (stream) assert_int_equal( raw_set_option( &clients[client], &socks[n], OPTION_SNDBUF, SEND_BUFFER, 0 ), 0 );
        if ((i = new_entry()) == -1)
        {
            assert_int_equal( raw_close_sock( &clients[client], &socks[n], 0, NULL ), 0 );
            continue;
        }
        note( " %d", i );
        real[i].ref = socks[n].ref;
        real[i].at[client] = socks[n];
        model_create( &model[i], client, stream );
    }
}

static void op_bind(void)
{
    struct address addr = raw_ip4( "127.0.0.1", 0 );
    int i = choose( is_held ), client;

    if (i == -1) return;
    client = choose_holder( i );
    note( "client %d binds %d", client, i );
    agree( raw_bind( &clients[client], at( i, client ), &addr, NULL ), model_bind( &model[i], client ) );
}

static void op_listen(void)
{
    int i = choose( is_held ), client;

    if (i == -1) return;
    client = choose_holder( i );
    note( "client %d listens on %d", client, i );
    agree( raw_listen( &clients[client], at( i, client ), 20 ), model_listen( &model[i], client ) );
}

/* a listener whose queue is full: SYNs to it are lost */
static void make_stall( int i, struct address *addr )
{
    real[i].stall = native_listener( 0, addr );
    real[i].filler = native_connect( SOCK_STREAM, addr );
}

static void op_connect(void)
{
    int i = choose( is_stream ), client, how = luck( 10 ) ? CONNECT_ACCEPTED : CONNECT_REFUSED;
    struct address addr = how == CONNECT_ACCEPTED ? native_addr : refuse_addr;
    u32 was, expected, pending = 0;

    if (i == -1 || !model[i].holders) return;
    was = model[i].state;
    client = choose_holder( i );
    if (!luck( 150 ) && was == SOCKET_OPEN && model_holds( &model[i], client ))
    {
        how = CONNECT_STALLED;
        make_stall( i, &addr );
    }
    note( "client %d connects %d (%d)", client, i, how );
    expected = model_connect( &model[i], client, how );
    agree( raw_connect( &clients[client], at( i, client ), &addr, &pending ), expected );
    must( pending == (!expected && how == CONNECT_STALLED), "pending %u", pending );
    if (was != SOCKET_CONNECTED && model[i].state == SOCKET_CONNECTED)
        must( (real[i].peer = accept4( native, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK )) != -1, "no connection came" );
}

static void op_connect_status(void)
{
    int i = choose( is_held ), client;
    u32 pending, expected, expected_pending;

    if (i == -1) return;
    client = choose_holder( i );
    note( "client %d asks how %d connects", client, i );
    expected = model_connect_status( &model[i], client, &expected_pending );
    agree( raw_connect_status( &clients[client], at( i, client ), &pending ), expected );
    must( pending == expected_pending, "pending %u", pending );
}

/* what became of the stalled connect: the kernel tries again within a second or so */
static void op_connect_ends(void)
{
    int i = choose( is_stalled ), accepted = luck( 2 );

    if (i == -1) return;
    note( "the connect of %d is %s", i, accepted ? "accepted" : "refused" );
    if (accepted)
    {
        close( accept4( real[i].stall, NULL, NULL, SOCK_CLOEXEC ) );
        must( raw_readable( real[i].stall, 8000 ), "no connection came" );
        real[i].peer = accept4( real[i].stall, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK );
    }
    end_stall( i );
    model_connect_ends( &model[i], accepted );
    compare( i );
    count_anew();
}

static void op_arrives(void)
{
    int listener = choose( is_listening ), i;

    if (listener == -1 || (i = new_entry()) == -1) return;
    note( "%d arrives at %d", i, listener );
    real[i].peer = native_connect( SOCK_STREAM, &clients[0].arena[real[listener].ref.slot].local );
    model_arrives( &model[listener], &model[i] );
}

static void op_accept(void)
{
    int listener = choose( luck( 10 ) ? is_listening : is_held ), client, i;
    struct raw_sock sock;
    u32 expected;

    if (listener == -1) return;
    client = choose_holder( listener );
    note( "client %d accepts from %d", client, listener );
    expected = model_accept( &model[listener], client, &i );
    agree( raw_accept( &clients[client], at( listener, client ), &sock, NULL ), expected );
    if (expected) return;
    note( " %d", i );
    real[i].ref = sock.ref;
    real[i].at[client] = sock;
}

static void op_defer(void)
{
    int i = choose( is_accepted ), client, listener;
    u32 expected;

    if (i == -1) return;
    listener = model[i].listener != -1 && luck( 5 ) ? model[i].listener : choose( is_held );
    client = choose_holder( i );
    if (model[i].waits[client]) return;
    note( "client %d puts %d back to %d", client, i, listener );
    expected = model_defer( &model[listener], &model[i], client );
    at( listener, client );
    agree( raw_defer( &clients[client], &real[listener].at[client], at( i, client ) ), expected );
    if (expected) return;
    real[i].at[client].fd = -1;
    close_fd( &real[i].box );
}

static void op_shutdown(void)
{
    int i = choose( is_held ), client, how = luck( 20 ) ? luck( 3 ) : 3;

    if (i == -1) return;
    client = choose_holder( i );
    note( "client %d shuts %d down (%d)", client, i, how );
    agree( raw_shutdown( &clients[client], at( i, client ), how ), model_shutdown( &model[i], client, how ) );
}

static void op_option(void)
{
    static const u32 lingers[][2] = { { 0, 0 }, { 1, 0 }, { 1, 100 }, { 1, 100 }, { 0, 7 }, { 1, 0x10000 }, { 0x100, 100 } };
    int i = choose( is_held ), client, n = luck( 9 ), brief = !luck( 100 );

    if (i == -1) return;
    client = choose_holder( i );
    if (n < 7)
    {
        note( "client %d has %d linger %u,%u", client, i, lingers[n][0], brief ? 1 : lingers[n][1] );
        agree( raw_set_option( &clients[client], at( i, client ), OPTION_LINGER_ONOFF, lingers[n][0], brief ? 1 : lingers[n][1] ),
               model_set_linger( &model[i], client, lingers[n][0], brief ? 1 : lingers[n][1] ) );
        return;
    }
    note( "client %d makes %d non-blocking: %d", client, i, n == 7 );
    agree( raw_set_option( &clients[client], at( i, client ), OPTION_NONBLOCKING, n == 7, 0 ),
           model_set_nonblocking( &model[i], client, n == 7 ) );
}

static void op_backlog(void)
{
    static u8 buffer[BACKLOG_SIZE];
    int i = choose( is_held ), client, fd, fits;
    u32 size, expected, n;

    if (i == -1) return;
    client = choose_holder( i );
    size = model[i].stuck || luck( 3 ) ? BACKLOG_SIZE : 1 + luck( 16 );
    fits = size < BACKLOG_SIZE;
    for (n = 0; n < size; n++) buffer[n] = pattern( i, model[i].sent + n );
    fd = raw_memfd( size, F_SEAL_SHRINK );
    assert_int_equal( pwrite( fd, buffer, size, 0 ), size );
    note( "client %d leaves %u bytes of %d", client, size, i );
    expected = model_backlog( &model[i], client, size, fits );
    agree( raw_backlog( &clients[client], at( i, client ), size, fd ), expected );
    close( fd );
}

static void op_box(void)
{
    int i = choose( is_held ), client, owner, box;
    u32 expected;
    u64 name;

    if (i == -1) return;
    client = choose_holder( i );
    owner = luck( 5 ) ? client : (int)luck( MODEL_CLIENTS );
    note( "client %d names %d with a mailbox of %d", client, i, owner );
    assert_int_equal( raw_mailbox( &clients[owner], &name, &box ), 0 );
    expected = model_name( &model[i], client, owner == client );
    agree( raw_name( &clients[client], at( i, client ), name ), expected );
    if (expected)
    {
        close( box );
        return;
    }
    real[i].box = box;
    real[i].box_name = name;
}

/* a client that has it already keeps the counter and the fd that it had */
static void adopted( int i, int client, u32 error, const struct raw_sock *sock )
{
    agree( error, 0 );
    if (model[i].record) must( !memcmp( &sock->ref, &real[i].ref, sizeof(sock->ref) ), "another socket was adopted" );
    real[i].ref = sock->ref;
    if (real[i].at[client].fd != -1) close( sock->fd );
    else real[i].at[client] = *sock;
    if (model[i].closing && real[i].wait != -1)
    {
        must( raw_readable( real[i].wait, 5000 ), "who waits for a close still waits" );
        close_fd( &real[i].wait );
    }
    if (model[i].record) model_adopt( &model[i], client );
    else model_adopt_outside( &model[i], client );
}

static void op_adopt_box(void)
{
    int i = choose( has_box ), client = luck( MODEL_CLIENTS );
    struct raw_sock sock;
    u32 error;

    if (i == -1) return;
    note( "client %d adopts %d by its handle", client, i );
    error = raw_adopt_box( &clients[client], real[i].box, &sock );
    adopted( i, client, error, &sock );
}

static void op_adopt_fd(void)
{
    int i = choose( luck( 2 ) ? is_outside : is_adoptable ), client = luck( MODEL_CLIENTS );
    struct raw_sock sock;
    u32 error;

    if (i == -1) return;
    note( "client %d adopts %d by its kernel socket", client, i );
    error = raw_adopt( &clients[client], fcntl( any_fd( i ), F_DUPFD_CLOEXEC, 0 ), NULL, &sock );
    adopted( i, client, error, &sock );
}

/* a child gets the kernel socket, as its stdin say, or ends */
static void op_outside(void)
{
    int i = choose( luck( 2 ) ? is_outside : is_held );

    if (i == -1) return;
    if (model[i].outside)
    {
        note( "the child of %d ends", i );
        close_fd( &real[i].outside );
        model_outside_ends( &model[i] );
    }
    else if (model[i].stream && (model[i].state == SOCKET_CONNECTED || model[i].state == SOCKET_LISTENING))
    {
        note( "a child gets %d", i );
        real[i].outside = fcntl( any_fd( i ), F_DUPFD_CLOEXEC, 0 );
        model[i].outside = 1;
    }
}

static void op_close(void)
{
    static const u32 flags[] = { 0, 0, 0, CLOSE_NOWAIT, CLOSE_SOLE, CLOSE_SOLE | CLOSE_NOWAIT, CLOSE_RESET, CLOSE_GONE, BAD_CLOSE };
    int i = choose( is_held ), client, expected_wait = 0, wait = -1;
    u32 how = flags[luck( 9 )], expected;

    if (i == -1) return;
    client = choose_holder( i );
    note( "client %d closes %d with %x", client, i, how );
    if (how == CLOSE_GONE && real[i].box != -1)
    {
        close_fd( &real[i].box );
        model_hangs_up( &model[i] );
    }
    expected = how == BAD_CLOSE ? WSAEINVAL : model_close( &model[i], client, how, &expected_wait );
    at( i, client );
    agree( raw_close_sock( &clients[client], &real[i].at[client], how, &wait ), expected );
    if (expected) return;
    must( (wait != -1) == expected_wait, "wait %d", wait );
    real[i].wait = wait;
    if (model[i].box == BOX_NONE) close_fd( &real[i].box );
}

/* ---- what clients do by themselves ---- */

static void op_send(void)
{
    int i = choose( is_sending );
    u8 buffer[16];
    u32 n, size;

    if (i == -1) return;
    size = 1 + luck( sizeof(buffer) );
    note( "%u bytes are sent on %d", size, i );
    for (n = 0; n < size; n++) buffer[n] = pattern( i, model[i].sent++ );
    must( send( any_fd( i ), buffer, size, MSG_DONTWAIT | MSG_NOSIGNAL ) == (ssize_t)size, "cannot send: %s", strerror( errno ) );
}

/* until the peer's window and our buffer are full */
static void op_fill(void)
{
    static u8 buffer[4096];
    int i = choose( is_sending ), fd, quiet = 0, n;
    ssize_t ret;

    if (i == -1) return;
    fd = any_fd( i );
    while (quiet < 3)
    {
        for (n = 0; n < (int)sizeof(buffer); n++) buffer[n] = pattern( i, model[i].sent + n );
        ret = send( fd, buffer, sizeof(buffer), MSG_DONTWAIT | MSG_NOSIGNAL );
        if (ret > 0) model[i].sent += ret;
        quiet = ret > 0 ? 0 : quiet + 1;
        if (quiet) set_int( real[i].peer, IPPROTO_TCP, TCP_QUICKACK, 1 );
    }
    note( "%d is filled, %llu bytes", i, (unsigned long long)model[i].sent );
    model[i].stuck = 1;
}

static u32 *counter( int i, int client )
{
    return &clients[client].counters[real[i].at[client].counter];
}

/* the order that server/shutdown.c speaks of */
static void op_post(void)
{
    int i = choose( is_stream ), client;

    if (i == -1 || !model[i].holders || model[i].state != SOCKET_CONNECTED) return;
    client = sure_holder( i );
    note( "client %d posts a receive on %d", client, i );
    __atomic_fetch_add( counter( i, client ), 1, __ATOMIC_SEQ_CST );
    if (raw_flags( &clients[client], at( i, client ) ) & SOCKET_RECV_SHUTDOWN)
    {
        __atomic_fetch_sub( counter( i, client ), 1, __ATOMIC_SEQ_CST );
        agree( raw_arm( &clients[client], at( i, client ) ), 0 );
    }
    model_post( &model[i], client );
}

/* 1: the end was a reset */
static int read_all( int i, int client )
{
    char buffer[256];
    ssize_t ret;

    while ((ret = recv( real[i].at[client].fd, buffer, sizeof(buffer), MSG_DONTWAIT )) > 0) /* more */;
    return ret == -1 && errno == ECONNRESET;
}

static void op_read(void)
{
    int i = choose( is_held ), client, posted, reset = 0;
    u32 flags;

    if (i == -1 || (model[i].stream && model[i].state != SOCKET_CONNECTED)) return;
    client = sure_holder( i );
    posted = model[i].waits[client];
    if ((model[i].flags & SOCKET_RECV_SHUTDOWN) && !posted) return;
    note( "client %d reads %d%s", client, i, posted ? ", as posted" : "" );
    if (!(model[i].flags & SOCKET_ABORTED)) reset = read_all( i, client );
    if (reset) assert_int_equal( raw_note_reset( &clients[client], at( i, client ), &flags ), 0 );
    must( reset == model_read( &model[i], client, posted ), "reset %d", reset );
    if (!posted) return;
    __atomic_fetch_sub( counter( i, client ), 1, __ATOMIC_SEQ_CST );
    if (raw_flags( &clients[client], at( i, client ) ) & SOCKET_RECV_SHUTDOWN)
        agree( raw_arm( &clients[client], at( i, client ) ), 0 );
}

static void op_dies(void)
{
    int client = luck( MODEL_CLIENTS ), first = luck( 2 ), i;

    note( "client %d dies", client );
    if (first) raw_close( &clients[client] );
    for (i = 0; i < MODEL_SOCKETS; i++) if (model[i].used) close_fd( &real[i].at[client].fd );
    if (!first) raw_close( &clients[client] );
    end_body( client );
    model_dies( client );
    open_client( client, 0 );
}

static void op_hangs_up(void)
{
    int i = choose( has_box );

    if (i == -1) return;
    note( "the last handle of %d goes", i );
    close_fd( &real[i].box );
    model_hangs_up( &model[i] );
}

/* ---- what peers do ---- */

static void op_peer_data(void)
{
    int i = choose( is_talking ), count = 1 + luck( 8 ), flags = MSG_NOSIGNAL;

    if (i == -1) return;
    /* where it resets: elsewhere the kernel's counts would be others */
    if (model[i].record && model_is_established( &model[i] ) && (model[i].flags & SOCKET_RECV_SHUTDOWN) &&
        !model_is_waiting( &model[i] ) && !luck( 3 )) flags |= MSG_OOB;
    note( "the peer of %d sends %d bytes%s", i, count, flags & MSG_OOB ? ", urgent" : "" );
    must( send( real[i].peer, "abcdefgh", count, flags ) == count, "cannot send: %s", strerror( errno ) );
    model_peer_data( &model[i], count );
}

static void op_peer_fin(void)
{
    int i = choose( is_talking );

    if (i == -1) return;
    note( "the peer of %d sends its FIN", i );
    assert_int_equal( shutdown( real[i].peer, SHUT_WR ), 0 );
    model_peer_fin( &model[i] );
}

static void op_peer_rst(void)
{
    struct linger linger = { 1, 0 };
    int i = choose( has_peer );

    if (i == -1 || model[i].queued || model_is_over( &model[i] )) return;
    note( "the peer of %d resets", i );
    assert_int_equal( setsockopt( real[i].peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger) ), 0 );
    close_fd( &real[i].peer );
    model_peer_rst( &model[i] );
}

static void op_peer_reads(void)
{
    int i = choose( has_peer ), tries;

    if (i == -1) return;
    note( "the peer of %d reads", i );
    model_peer_reads( &model[i] );
    for (tries = 0; tries < 5000; tries++)
    {
        peer_reads( i );
        if (real[i].got == model[i].sent || model[i].rst_out) return;
        if (tries > 10) raw_sleep( 1 );
    }
    describe( i );
    must( 0, "the peer got %llu bytes", (unsigned long long)real[i].got );
}

static int is_datagram( int i )
{
    return is_held( i ) && !model[i].stream && (model[i].flags & SOCKET_BOUND);
}

static void op_datagram(void)
{
    int i = choose( is_datagram );

    if (i == -1) return;
    note( "a datagram comes to %d", i );
    if (real[i].peer == -1) real[i].peer = native_connect( SOCK_DGRAM, &clients[0].arena[real[i].ref.slot].local );
    if (model[i].in >= 3) return;
    must( send( real[i].peer, "x", 1, MSG_DONTWAIT ) == 1, "cannot send: %s", strerror( errno ) );
    model[i].in++;
}

/* ---- the helper's death ---- */

/* a client says again what it knows of a socket */
static void adopt_again( int i, int client, const struct slot *known )
{
    struct raw_sock *sock = &real[i].at[client];
    struct adopt_request in;
    struct adopt_reply out;

    memset( &in, 0, sizeof(in) );
    in.known = 1;
    in.counter = sock->counter;
    in.mailbox = model[i].box == BOX_LIVE ? real[i].box_name : 0;
    in.state = *known;
    agree( raw_request( &clients[client], REQUEST_ADOPT, &in, sizeof(in), sock->fd, &out, sizeof(out), NULL ), 0 );
    real[i].ref = out.socket;
}

/* It has lost its helper: the next one is told of all it holds. Its counters are those it had. */
static void register_again( int client, const struct slot *known )
{
    struct raw old = clients[client];
    int i, count = 0;

    for (i = 0; i < MODEL_SOCKETS; i++) count += model[i].used && real[i].at[client].fd != -1;
    open_client( client, count );
    clients[client].last_counter = old.last_counter;
    for (i = 0; i < MODEL_SOCKETS; i++)
    {
        if (!model[i].used || real[i].at[client].fd == -1) continue;
        *counter( i, client ) = model[i].waits[client];
        adopt_again( i, client, &known[i] );
    }
    raw_close( &old );
}

/* Slots of sockets that no client holds: nobody is told their new ones, but they can be known by their cookies. */
static void find_again( int i, const struct slot *known )
{
    int slot;

    for (slot = 0; slot < 4 * MODEL_SOCKETS; slot++)
    {
        if (clients[0].arena[slot].state == SOCKET_FREE || clients[0].arena[slot].cookie != known->cookie) continue;
        real[i].ref.slot = slot;
        real[i].ref.generation = clients[0].arena[slot].generation;
        return;
    }
    real[i].ref.slot = 0;       /* it may have ended meanwhile */
    real[i].ref.generation = 0;
}

/* what is remembered of ended records dies with the helper */
static void end_forgotten(void)
{
    int i;

    for (i = 0; i < MODEL_SOCKETS; i++)
    {
        if (!model[i].used || model[i].record || !model[i].outside) continue;
        close_fd( &real[i].outside );
        model_outside_ends( &model[i] );
    }
}

/* May it die while there is no helper? Of sockets that it alone holds nobody else knows that they linger, or in what
 * state somebody has a handle or the kernel socket: the kernel ends them. And what it accepted that had been put back
 * is put back again, since it may not have got the answer. */
static int may_die_unseen( int client )
{
    int i;

    for (i = 0; i < MODEL_SOCKETS; i++)
    {
        if (!model[i].used || !model[i].record || model[i].holders != 1u << client) continue;
        if (model[i].handed) return 0;
        if (model[i].backlog) continue;     /* that is kept */
        if (model[i].box == BOX_LIVE || model[i].outside || (model[i].onoff && model[i].seconds)) return 0;
    }
    return 1;
}

static void die_unseen( int client )
{
    int i;

    note( "client %d dies, too; ", client );
    for (i = 0; i < MODEL_SOCKETS; i++) if (model[i].used) close_fd( &real[i].at[client].fd );
    raw_close( &clients[client] );
    end_body( client );
    model_dies( client );
}

static void op_helper_dies(void)
{
    static void (*const meanwhile[])(void) = { op_peer_data, op_peer_fin, op_peer_rst, op_peer_reads };
    struct slot known[MODEL_SOCKETS];
    int i, n, first = luck( MODEL_CLIENTS ), victim = luck( 8 );

    note( "the helper dies; " );
    end_forgotten();
    memset( known, 0, sizeof(known) );
    for (i = 0; i < MODEL_SOCKETS; i++)
        if (model[i].used && model[i].record) known[i] = clients[0].arena[real[i].ref.slot];
    kill( raw_helper, SIGKILL );
    raw_wait_gone();
    for (n = luck( 3 ); n; n--)
    {
        meanwhile[luck( 4 )]();
        note( "; " );
    }
    if (victim < MODEL_CLIENTS && may_die_unseen( victim )) die_unseen( victim );
    else victim = -1;
    for (n = 0; n < MODEL_CLIENTS; n++)
    {
        i = (first + n) % MODEL_CLIENTS;
        if (i == victim) open_client( i, 0 );
        else register_again( i, known );
    }
    model_helper_dies();
    barrier();
    for (i = 0; i < MODEL_SOCKETS; i++) if (known[i].cookie && any_holder( i ) == -1) find_again( i, &known[i] );
}

/* ---- lives ---- */

static const struct
{
    void (*run)(void);
    u32 weight;
} ops[] =
{
    { op_create, 10 }, { op_bind, 12 }, { op_listen, 12 }, { op_connect, 20 }, { op_connect_status, 3 }, { op_connect_ends, 1 },
    { op_arrives, 16 }, { op_accept, 16 }, { op_defer, 6 }, { op_shutdown, 16 }, { op_option, 10 }, { op_backlog, 8 },
    { op_box, 10 }, { op_adopt_box, 8 }, { op_adopt_fd, 8 }, { op_close, 20 }, { op_send, 6 }, { op_fill, 10 }, { op_post, 10 },
    { op_read, 10 }, { op_dies, 2 }, { op_helper_dies, 2 }, { op_hangs_up, 5 }, { op_outside, 8 }, { op_peer_data, 16 }, { op_peer_fin, 6 }, { op_peer_rst, 5 },
    { op_peer_reads, 5 }, { op_datagram, 6 }
};

/* the first that finds something to do */
static void run_one(void)
{
    const size_t before = history_len;
    u32 total = 0, n;
    size_t i;

    for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) total += ops[i].weight;
    while (history_len == before)
    {
        n = luck( total );
        for (i = 0; n >= ops[i].weight; i++) n -= ops[i].weight;
        ops[i].run();
    }
}

static u64 now_ms(void)
{
    struct timespec ts;

    clock_gettime( CLOCK_MONOTONIC, &ts );
    return (u64)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* closes that linger for a second only: it passes here */
static void let_expire(void)
{
    u64 start = now_ms();
    int i;

    for (i = 0; i < MODEL_SOCKETS; i++)
    {
        if (!model[i].used || !model[i].closing || !model[i].lingering || model[i].seconds > 1) continue;
        note( ", %d lingers its second", i );
        model_expires( &model[i] );
        compare( i );
        must( now_ms() - start > 500, "it ended too soon" );
    }
}

/* everything goes, and nothing may stay */
static void end_life(void)
{
    int i, client;

    for (client = 0; client < MODEL_CLIENTS; client++)
    {
        note( "%d: client %d ends", ++step, client );
        raw_close( &clients[client] );
        for (i = 0; i < MODEL_SOCKETS; i++) if (model[i].used) close_fd( &real[i].at[client].fd );
        model_dies( client );
        open_client( client, 0 );
        let_expire();
        compare_all();
        note( "\n" );
    }
    for (i = 0; i < MODEL_SOCKETS; i++)
    {
        if (!model[i].used) continue;
        note( "%d: the end of %d\n", ++step, i );
        if (model[i].outside)
        {
            close_fd( &real[i].outside );
            model_outside_ends( &model[i] );
        }
        if (model[i].box == BOX_LIVE)
        {
            close_fd( &real[i].box );
            model_hangs_up( &model[i] );
            let_expire();
        }
        if (model[i].closing) finish( i );
    }
    compare_all();
    must( !model_records(), "%d records are left", model_records() );
}

static void run_life( int steps )
{
    int i;

    history_len = 0;
    living = 1;
    state = seed * 2654435761u + 88172645463325252ull;
    memset( model, 0, sizeof(model) );
    model_resets = model_crossings = 0;
    for (i = 0; i < MODEL_CLIENTS; i++) open_client( i, 0 );
    if (namespace) reset_base = count_resets();
    for (step = 1; step <= steps; step++)
    {
        note( "%d: ", step );
        run_one();
        let_expire();
        compare_all();
        note( "\n" );
    }
    end_life();
    for (i = 0; i < MODEL_CLIENTS; i++) raw_close( &clients[i] );
    for (i = 0; i < MODEL_CLIENTS; i++) end_body( i );
    living = 0;
}

static u64 wish( const char *name, u64 otherwise )
{
    const char *value = getenv( name );

    return value ? strtoull( value, NULL, 0 ) : otherwise;
}

static void test_lives( void **unused )
{
    u64 lives = wish( "MODEL_LIVES", ~0ull ), seconds = wish( "MODEL_SECONDS", LIFE_SECONDS ), end = now_ms() + seconds * 1000, n;
    int steps = wish( "MODEL_STEPS", LIFE_STEPS );

    (void)unused;
    seed = wish( "MODEL_SEED", now_ms() ^ (u64)getpid() << 32 );
    print_message( "first seed %llu\n", (unsigned long long)seed );
    for (n = 0; n < lives && now_ms() < end; n++, seed++)
    {
        alarm( 60 );
        run_life( steps );
    }
    print_message( "%llu lives of %d steps\n", (unsigned long long)n, steps );
}

static int setup( void **unused )
{
    int ret = raw_setup( unused );

    native = native_listener( 50, &native_addr );
    refuse = native_socket( SOCK_STREAM, &refuse_addr );
    return ret;
}

static int teardown( void **unused )
{
    tell();
    close( native );
    close( refuse );
    return raw_teardown( unused );
}

int main(void)
{
    const struct CMUnitTest tests[] =
    {
        cmocka_unit_test_setup_teardown( test_lives, setup, teardown )
    };

    enter_namespace();
    return cmocka_run_group_tests_name( "model", tests, NULL, NULL );
}
