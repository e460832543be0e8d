/*
 * The protocol fuzzed: clients that say anything, in any order
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
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>

#include "raw.h"

/* Usage: test_fuzz [SECONDS [SEED]]. Without a seed one is taken from the clock; it is printed, and the
 * same one makes the same messages. Requests are made up of what is known to work, with a part
 * of it wrong; so they get far. Only loopback is talked to, and only ports of one's own. */

#define CLIENTS 5
#define COUNTERS 64         /* used of each client's */
#define SOCKETS 24          /* remembered of each client; older ones are forgotten, with their fds */
#define PORTS   16
#define BOXES   6           /* mailboxes likewise */

struct fuzz_client
{
    struct raw raw;                     /* fd -1: not connected */
    struct raw_sock socks[SOCKETS];     /* fd -1: none */
    struct box { u64 name; int fd; } boxes[BOXES];  /* fd -1: none */
    u32 next_box;                       /* place for the next one */
    u32 next;                           /* place for the next socket */
    u32 types[4096];                    /* of the requests that are under way, by id */
    u32 waiting;                        /* replies still to come */
};

static struct fuzz_client clients[CLIENTS];
static u16 ports[PORTS];                /* seen in replies */
static u64 fuzz_state;
static unsigned long fuzz_sent, fuzz_replies, fuzz_errors, fuzz_drops;
static int fuzz_seconds = 5;

/* xorshift: the same everywhere */
static u32 rnd( u32 limit )
{
    fuzz_state ^= fuzz_state << 13;
    fuzz_state ^= fuzz_state >> 7;
    fuzz_state ^= fuzz_state << 17;
    return (u32)(fuzz_state >> 32) % limit;
}

static int one_in( u32 n )
{
    return !rnd( n );
}

static u32 odd_number(void)
{
    static const u32 numbers[] = { 0, 1, 2, 3, 5, 23, 255, 256, 512, 0xffff, 0x10000, 262143, 262144, 0x7fffffff, 0x80000000, 0xffffffff };

    return one_in( 4 ) ? rnd( 0xffffffff ) : numbers[rnd( sizeof(numbers) / sizeof(numbers[0]) )];
}

/* of the local provider */
static struct address local_address(void)
{
    struct address addr = { LOCAL_ADDRESS_SIZE, { LOCAL_FAMILY & 0xff, LOCAL_FAMILY >> 8 } };

    addr.data[4] = rnd( 8 );
    if (one_in( 20 )) addr.len = odd_number();
    return addr;
}

static struct address random_address(void)
{
    static const char *const ip4[] = { "127.0.0.1", "127.0.0.1", "127.0.0.2", "0.0.0.0", "127.255.255.255", "224.0.0.1", "255.255.255.255" };
    static const char *const ip6[] = { "::1", "::1", "::", "::ffff:127.0.0.1", "ff02::1", "fe80::1" };
    u16 port = one_in( 3 ) ? 0 : ports[rnd( PORTS )];
    struct address addr;
    u32 i;

    if (one_in( 6 )) return local_address();
    if (one_in( 3 )) addr = raw_ip6( ip6[rnd( 6 )], port, one_in( 4 ) ? odd_number() : 0 );
    else addr = raw_ip4( ip4[rnd( 7 )], port );
    if (one_in( 12 )) addr.len = odd_number();
    if (one_in( 20 )) addr.data[0] = odd_number();
    if (one_in( 40 )) for (i = 8; i < 28; i++) addr.data[i] = rnd( 256 );
    /* never anywhere else: 127.0.0.0/8 or one of the above */
    if (addr.data[0] == WS_AF_INET && addr.data[4] != 127) memcpy( addr.data + 4, "\x7f\0\0\1", 4 );
    if (addr.data[0] == WS_AF_INET6 && addr.len >= 28) memset( addr.data + 8, 0, 4 );
    return addr;
}

/* a socket of that client's, or of another's, or none */
static struct raw_sock *random_sock( struct fuzz_client *client )
{
    struct fuzz_client *of = one_in( 10 ) ? &clients[rnd( CLIENTS )] : client;

    return &of->socks[rnd( SOCKETS )];
}

static struct socket_ref random_ref( struct fuzz_client *client )
{
    struct socket_ref ref = random_sock( client )->ref;

    if (one_in( 30 )) ref.slot = odd_number();
    if (one_in( 30 )) ref.generation = odd_number();
    return ref;
}

/* few, so that sockets share them now and then */
static u32 random_counter(void)
{
    return one_in( 20 ) ? odd_number() : rnd( COUNTERS );
}

/* a handle's: this client's, another's, a wrong one, none */
static u64 random_mailbox( struct fuzz_client *client )
{
    struct fuzz_client *of = one_in( 10 ) ? &clients[rnd( CLIENTS )] : client;

    if (one_in( 3 )) return 0;
    return one_in( 20 ) ? odd_number() : of->boxes[rnd( BOXES )].name;
}

/* any fd there is; not to be closed by whoever gets it unless *own says so */
static int random_fd( struct fuzz_client *client, int *own )
{
    int fds[2];

    *own = 1;
    switch (rnd( 9 ))
    {
    case 8:
        *own = 0;
        return client->boxes[rnd( BOXES )].fd;
    case 0: return open( "/dev/null", O_RDONLY | O_CLOEXEC );
    case 1: return raw_memfd( rnd( 200000 ), one_in( 2 ) ? F_SEAL_SHRINK : 0 );
    case 2: return raw_memfd( PROTOCOL_MAX_SLOTS * sizeof(u32), F_SEAL_SHRINK | F_SEAL_GROW );
    case 3: return socket( one_in( 2 ) ? AF_INET : AF_INET6, (one_in( 2 ) ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0 );
    case 4:
        if (pipe2( fds, O_CLOEXEC )) return -1;
        close( fds[1] );
        return fds[0];
    case 5: return socket( AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0 );
    default:
        *own = 0;
        return random_sock( client )->fd;
    }
}

static const u32 sizes[REQUEST_COUNT] =
{
    [REQUEST_HELLO] = sizeof(struct hello_request), [REQUEST_CREATE] = sizeof(struct create_request),
    [REQUEST_ADOPT] = sizeof(struct adopt_request), [REQUEST_CLOSE] = sizeof(struct close_request),
    [REQUEST_BIND] = sizeof(struct bind_request), [REQUEST_LISTEN] = sizeof(struct listen_request),
    [REQUEST_CONNECT] = sizeof(struct connect_request), [REQUEST_CONNECT_STATUS] = sizeof(struct connect_status_request),
    [REQUEST_ACCEPT] = sizeof(struct accept_request), [REQUEST_DEFER] = sizeof(struct defer_request),
    [REQUEST_SHUTDOWN] = sizeof(struct shutdown_request), [REQUEST_ARM] = sizeof(struct arm_request),
    [REQUEST_NOTE_RESET] = sizeof(struct note_reset_request), [REQUEST_SET_OPTION] = sizeof(struct set_option_request),
    [REQUEST_BACKLOG] = sizeof(struct backlog_request), [REQUEST_WATCH_BACKLOG] = sizeof(struct watch_backlog_request),
    [REQUEST_MAILBOX] = sizeof(struct mailbox_request), [REQUEST_NAME] = sizeof(struct name_request),
    [REQUEST_STRAY] = sizeof(struct stray_request),
    [REQUEST_WATCH_ACCEPT] = sizeof(struct watch_accept_request),
    [REQUEST_LOCAL_CONNECT] = sizeof(struct local_connect_request), [REQUEST_LOCAL_ANSWER] = sizeof(struct local_answer_request),
    [REQUEST_LOCAL_DISCONNECT] = sizeof(struct local_disconnect_request), [REQUEST_LOCAL_DATA] = sizeof(struct local_data_request),
    [REQUEST_LOCAL_RENEW] = sizeof(struct local_renew_request)
};

union any_request
{
    u8 bytes[600];
    struct hello_request hello;
    struct create_request create;
    struct adopt_request adopt;
    struct close_request close;
    struct bind_request bind;
    struct listen_request listen;
    struct connect_request connect;
    struct accept_request accept;
    struct defer_request defer;
    struct shutdown_request shutdown;
    struct set_option_request set_option;
    struct backlog_request backlog;
    struct local_connect_request local_connect;
    struct local_answer_request local_answer;
};

/* fills in a request; what begins with a reference has one already */
static void make_request( struct fuzz_client *client, u32 type, union any_request *req )
{
    struct raw_sock *sock;
    u32 i;

    for (i = 0; i < sizeof(req->bytes); i++) req->bytes[i] = one_in( 10 ) ? rnd( 256 ) : 0;
    if (type != REQUEST_HELLO && type != REQUEST_CREATE && type != REQUEST_ADOPT) req->close.socket = random_ref( client );
    switch (type)
    {
    case REQUEST_HELLO:
        req->hello = (struct hello_request){ PROTOCOL_MAGIC, one_in( 10 ) ? odd_number() : PROTOCOL_VERSION, getpid(), 0 };
        break;
    case REQUEST_CREATE:
        req->create.family = one_in( 20 ) ? odd_number() : one_in( 3 ) ? WS_AF_INET6 : WS_AF_INET;
        req->create.type = one_in( 20 ) ? odd_number() : one_in( 3 ) ? WS_SOCK_DGRAM : WS_SOCK_STREAM;
        if (one_in( 4 ))
        {
            req->create.family = LOCAL_FAMILY;
            req->create.type = WS_SOCK_SEQPACKET;
        }
        req->create.protocol = one_in( 20 ) ? odd_number() : 0;
        req->create.count = one_in( 20 ) ? (one_in( 2 ) ? 0 : PROTOCOL_MAX_FDS + 1) : 1;
        req->create.mailbox = random_mailbox( client );
        req->create.counters[0] = random_counter();
        break;
    case REQUEST_ADOPT:
        sock = random_sock( client );
        req->adopt.known = one_in( 2 );
        req->adopt.counter = random_counter();
        if (client->raw.fd != -1 && sock->ref.slot < PROTOCOL_MAX_SLOTS) req->adopt.state = client->raw.arena[sock->ref.slot];
        for (i = rnd( 8 ); i; i--) ((u8 *)&req->adopt.state)[rnd( sizeof(struct slot) )] = rnd( 256 );
        break;
    case REQUEST_CLOSE:
        req->close.flags = one_in( 20 ) ? odd_number() : rnd( 16 );
        break;
    case REQUEST_BIND:
        req->bind.address = random_address();
        break;
    case REQUEST_LISTEN:
        req->listen.backlog = one_in( 4 ) ? odd_number() : rnd( 5 );
        break;
    case REQUEST_CONNECT:
        req->connect.address = random_address();
        break;
    case REQUEST_LOCAL_CONNECT:
        req->local_connect.address = random_address();
        req->local_connect.length = one_in( 10 ) ? odd_number() : rnd( 257 );
        break;
    case REQUEST_LOCAL_ANSWER:
    case REQUEST_LOCAL_DISCONNECT:
    case REQUEST_LOCAL_DATA:
        /* they begin alike */
        req->local_answer.length = one_in( 10 ) ? odd_number() : rnd( 257 );
        break;
    case REQUEST_ACCEPT:
        req->accept.counter = random_counter();
        break;
    case REQUEST_DEFER:
        req->defer.connection = random_ref( client );
        break;
    case REQUEST_SHUTDOWN:
        req->shutdown.how = one_in( 20 ) ? odd_number() : rnd( 3 );
        break;
    case REQUEST_SET_OPTION:
        req->set_option.option = one_in( 20 ) ? odd_number() : rnd( OPTION_COUNT );
        req->set_option.value = one_in( 2 ) ? rnd( 2 ) : odd_number();
        req->set_option.value2 = one_in( 2 ) ? rnd( 3 ) : odd_number();
        break;
    case REQUEST_BACKLOG:
        req->backlog.length = one_in( 5 ) ? odd_number() : rnd( 100000 );
        break;
    }
}

/* ---- clients ---- */

static void forget_sock( struct raw_sock *sock )
{
    if (sock->fd != -1) close( sock->fd );
    sock->fd = -1;
}

static void end_client( struct fuzz_client *client )
{
    int i;

    if (client->raw.fd != -1) raw_close( &client->raw );
    for (i = 0; i < SOCKETS; i++) forget_sock( &client->socks[i] );
    for (i = 0; i < BOXES; i++)
    {
        if (client->boxes[i].fd != -1) close( client->boxes[i].fd );
        client->boxes[i].fd = -1;
    }
    client->next = client->waiting = 0;
}

static void begin_client( struct fuzz_client *client )
{
    raw_open( &client->raw );
    assert_int_equal( fcntl( client->raw.fd, F_SETFL, O_NONBLOCK ), 0 );
}

static void remember_sock( struct fuzz_client *client, struct socket_ref ref, int fd )
{
    struct raw_sock *sock = &client->socks[client->next++ % SOCKETS];

    forget_sock( sock );
    sock->ref = ref;
    sock->fd = fd;
}

static void take_reply( struct fuzz_client *client, const struct reply_header *header, const u8 *data, ssize_t len, int fd )
{
    struct socket_ref ref;
    struct address addr;
    struct box *box;

    fuzz_replies++;
    client->waiting--;
    if (header->error) fuzz_errors++;
    switch (header->error ? 0 : client->types[header->id % 4096])
    {
    case REQUEST_CREATE:
        data += offsetof( struct create_reply, made );
        len -= offsetof( struct create_reply, made );
        assert_int_not_equal( fd, -1 );
        /* fall through */
    case REQUEST_ACCEPT:
        assert_true( len >= (ssize_t)sizeof(ref) );
        memcpy( &ref, data, sizeof(ref) );
        remember_sock( client, ref, fd );
        return;
    case REQUEST_MAILBOX:
        box = &client->boxes[client->next_box++ % BOXES];
        if (box->fd != -1) close( box->fd );
        assert_true( len >= (ssize_t)sizeof(box->name) );
        memcpy( &box->name, data, sizeof(box->name) );
        box->fd = fd;
        return;
    case REQUEST_BIND:
        assert_true( len >= (ssize_t)sizeof(addr) );
        memcpy( &addr, data, sizeof(addr) );
        ports[rnd( PORTS )] = raw_port( &addr );
        break;
    }
    if (fd != -1) close( fd );
}

/* takes the replies there are */
static void read_replies( struct fuzz_client *client )
{
    struct { struct reply_header header; u8 data[PROTOCOL_MAX_MESSAGE]; } reply;
    ssize_t ret;
    int got;

    while (client->raw.fd != -1)
    {
        ret = raw_recv( client->raw.fd, &reply, sizeof(reply), &got );
        if (ret == -1 && errno == EAGAIN) return;
        if (ret <= 0)
        {
            fuzz_drops++;
            end_client( client );
            return;
        }
        assert_true( ret >= (ssize_t)sizeof(reply.header) );
        take_reply( client, &reply.header, reply.data, ret - sizeof(reply.header), got );
    }
}

/* all replies have come; 0: the client was dropped */
static int settle( struct fuzz_client *client )
{
    while (client->raw.fd != -1 && client->waiting)
    {
        if (!raw_readable( client->raw.fd, 5000 )) fail_msg( "%u replies are missing", client->waiting );
        read_replies( client );
    }
    return client->raw.fd != -1;
}

/* ---- steps ---- */

/* something to work with: without it chance alone would hardly ever connect two sockets */
static void step_stage( struct fuzz_client *client )
{
    struct raw_sock sock[3];
    struct address addr;
    int i;

    if (!settle( client )) return;
    assert_int_equal( fcntl( client->raw.fd, F_SETFL, 0 ), 0 );
    raw_listener( &client->raw, one_in( 3 ) ? WS_AF_INET6 : WS_AF_INET, &sock[0], &addr );
    ports[rnd( PORTS )] = raw_port( &addr );
    assert_int_equal( raw_create( &client->raw, addr.len == 28 ? WS_AF_INET6 : WS_AF_INET, WS_SOCK_STREAM, 0, &sock[1] ), 0 );
    assert_int_equal( raw_connect( &client->raw, &sock[1], &addr, NULL ), 0 );
    assert_int_equal( raw_accept( &client->raw, &sock[0], &sock[2], NULL ), 0 );
    if (one_in( 2 )) raw_fill( sock[1].fd );
    for (i = 0; i < 3; i++) remember_sock( client, sock[i].ref, sock[i].fd );
    assert_int_equal( fcntl( client->raw.fd, F_SETFL, O_NONBLOCK ), 0 );
}

static void step_request( struct fuzz_client *client )
{
    struct { struct request_header header; union any_request body; } message;
    u32 type = one_in( 400 ) ? odd_number() : one_in( 400 ) ? REQUEST_HELLO : 2 + rnd( REQUEST_COUNT - 2 );
    int fds[8], own[8], count = 0, silent, i;
    size_t len;

    make_request( client, type, &message.body );
    silent = type == REQUEST_CLOSE && one_in( 4 );
    message.header.type = silent ? type | REQUEST_NO_REPLY : type;
    message.header.mailbox = one_in( 4 ) ? random_mailbox( client ) : 0;
    message.header.id = ++client->raw.last_id;
    client->types[message.header.id % 4096] = type;
    len = sizeof(message.header) + (type < REQUEST_COUNT ? sizes[type] : rnd( 64 ));
    if (one_in( 400 )) len = rnd( sizeof(message) );

    if (type == REQUEST_HELLO || type == REQUEST_ADOPT || type == REQUEST_BACKLOG || type == REQUEST_STRAY) count = one_in( 100 ) ? 0 : 1;
    if (one_in( 400 )) count = rnd( 8 );
    for (i = 0; i < count; i++)
        if ((fds[i] = random_fd( client, &own[i] )) == -1) count = i;
    if (count && type == REQUEST_ADOPT && !own[0] && one_in( 2 )) remember_sock( client, client->socks[0].ref, dup( fds[0] ) );
    if (type == REQUEST_ACCEPT && !one_in( 4 ))
    {
        struct raw_sock *listener = random_sock( client );

        /* mostly a connection of the very listener that the request names; others clear its flag */
        if (listener->fd != -1) fcntl( listener->fd, F_SETFL, O_NONBLOCK );
        if (listener->fd != -1 && (fds[0] = raw_accept_kernel( listener, &message.body.accept.peer )) != -1)
        {
            message.body.accept.socket = listener->ref;
            own[0] = count = 1;
        }
    }
    if (count && type == REQUEST_BACKLOG && one_in( 2 ))
    {
        if (own[0]) close( fds[0] );
        own[0] = 1;
        fds[0] = raw_memfd( 100000, F_SEAL_SHRINK );
    }
    /* what gets us dropped must be waited for, or a later step meets it */
    if (silent && (count || len != sizeof(message.header) + sizes[type]))
    {
        silent = 0;
        message.header.type = type;
    }
    if (!raw_send( client->raw.fd, &message, len, fds, count ) && !silent) client->waiting++;
    fuzz_sent++;
    for (i = 0; i < count; i++) if (own[i]) close( fds[i] );
}

/* what a program does with a socket */
static void step_data( struct fuzz_client *client )
{
    static char buffer[70000];
    struct raw_sock *sock = random_sock( client );

    if (sock->fd == -1) return;
    switch (rnd( 6 ))
    {
    case 0: send( sock->fd, buffer, rnd( sizeof(buffer) ), MSG_DONTWAIT | MSG_NOSIGNAL ); break;
    case 1: send( sock->fd, buffer, 1, MSG_DONTWAIT | MSG_NOSIGNAL | (one_in( 3 ) ? MSG_OOB : 0) ); break;
    case 2:
    case 3: recv( sock->fd, buffer, rnd( sizeof(buffer) ), MSG_DONTWAIT ); break;
    case 4: if (one_in( 4 )) forget_sock( sock ); break;
    case 5: if (one_in( 10 )) fcntl( sock->fd, F_SETFL, one_in( 2 ) ? O_NONBLOCK : 0 ); break;
    }
}

static void step_counter( struct fuzz_client *client )
{
    __atomic_store_n( &client->raw.counters[rnd( COUNTERS )], one_in( 2 ), __ATOMIC_SEQ_CST );
}

static void step( struct fuzz_client *client )
{
    u32 what = rnd( 100 );

    if (client->raw.fd == -1) begin_client( client );
    if (what < 70) step_request( client );
    else if (what < 90) step_data( client );
    else if (what < 95) step_counter( client );
    else if (what < 98) step_stage( client );
    else if (one_in( 40 )) end_client( client );
    if (!one_in( 5 )) read_replies( client );
}

/* the helper is the same one, answers, and has nothing left of what was */
static void check_helper( int pid, int fds )
{
    struct raw_sock sock;
    struct raw raw;

    raw_open( &raw );
    assert_int_equal( raw_helper, pid );
    assert_int_equal( raw_create( &raw, WS_AF_INET, WS_SOCK_STREAM, 0, &sock ), 0 );
    close( sock.fd );
    raw_close( &raw );
    raw_open( &raw );
    /* lingering closes take their time: none is longer than two seconds that the fuzzer sets, but those
     * of a backlog to a peer of our own end with it */
    assert_true( RAW_WAIT( raw_helper_fds() <= fds ) );
    raw_close( &raw );
}

static void test_fuzz( void **state )
{
    time_t end = time( NULL ) + fuzz_seconds;
    struct raw witness;
    int i, pid, fds;

    (void)state;
    raw_open( &witness );       /* it has a client all the time, so that it does not leave */
    fds = raw_helper_fds() + 2;
    pid = raw_helper;
    for (i = 0; i < CLIENTS; i++)
    {
        clients[i].raw.fd = -1;
        memset( clients[i].socks, 0xff, sizeof(clients[i].socks) );
        memset( clients[i].boxes, 0xff, sizeof(clients[i].boxes) );
    }
    alarm( fuzz_seconds + 60 );
    while (time( NULL ) < end) for (i = 0; i < 1000; i++) step( &clients[rnd( CLIENTS )] );
    for (i = 0; i < CLIENTS; i++) end_client( &clients[i] );
    print_message( "%lu requests, %lu replies, %lu of them errors, %lu clients dropped\n",
                   fuzz_sent, fuzz_replies, fuzz_errors, fuzz_drops );
    assert_true( fuzz_replies > fuzz_errors );
    check_helper( pid, fds );
    raw_close( &witness );
}

int main( int argc, char **argv )
{
    const struct CMUnitTest tests[] = { RAW_TEST( test_fuzz ) };

    if (argc > 1) fuzz_seconds = atoi( argv[1] );
    fuzz_state = argc > 2 ? strtoull( argv[2], NULL, 0 ) : (u64)time( NULL ) * 1000003;
    if (!fuzz_state) fuzz_state = 1;
    printf( "# seed %llu\n", (unsigned long long)fuzz_state );
    fflush( stdout );
    return cmocka_run_group_tests( tests, NULL, NULL );
}
