/*
 * Limits: many sockets and few fds
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
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "raw.h"

#define LIMIT   400         /* fds of the helper; from half of them on sockets are parked */
#define MANY    300

static struct raw_sock socks[MANY + 400];

static int limited_setup( void **state )
{
    raw_nofile = LIMIT;
    return raw_setup( state );
}

static int limited_teardown( void **state )
{
    raw_nofile = 0;
    return raw_teardown( state );
}

#define LIMITED_TEST(name) cmocka_unit_test_setup_teardown( name, limited_setup, limited_teardown )

static u32 new_mailbox( struct raw *raw, struct mailbox_reply *reply, int *box )
{
    struct mailbox_request in = { 0 };

    return raw_request( raw, REQUEST_MAILBOX, &in, sizeof(in), -1, reply, sizeof(*reply), box );
}

static u32 create_named( struct raw *raw, u64 mailbox, struct raw_sock *sock )
{
    struct create_request in = { WS_AF_INET, WS_SOCK_STREAM, 0, 0, mailbox, 1, 0, { ++raw->last_counter } };
    struct create_reply out;
    u32 error;

    if ((error = raw_request( raw, REQUEST_CREATE, &in, sizeof(in), -1, &out, sizeof(out), &sock->fd ))) return error;
    sock->ref = out.made[0].socket;
    sock->cookie = out.made[0].cookie;
    sock->counter = raw->last_counter;
    return 0;
}

static u32 adopt_named( struct raw *raw, int fd, u64 value, struct raw_sock *sock )
{
    struct adopt_request in = { .counter = ++raw->last_counter, .mailbox = value };
    struct adopt_reply out;
    u32 error;

    if ((error = raw_request( raw, REQUEST_ADOPT, &in, sizeof(in), fd, &out, sizeof(out), &sock->fd ))) return error;
    sock->ref = out.socket;
    sock->cookie = out.cookie;
    return 0;
}

static u64 value( u32 n )
{
    return (u64)n << MAILBOX_COOKIE_BITS;
}

/* the end of the stream, or a reset */
static int has_ended( int fd )
{
    char byte;

    return raw_readable( fd, 2000 ) && recv( fd, &byte, 1, MSG_DONTWAIT ) <= 0;
}

static void close_all( u32 count )
{
    u32 i;

    for (i = 0; i < count; i++) close( socks[i].fd );
}

static u32 create_many( struct raw *raw, struct raw_sock *out, u32 max, u32 *error )
{
    u32 n;

    *error = 0;
    for (n = 0; n < max && !(*error = raw_create( raw, WS_AF_INET, n & 1 ? WS_SOCK_DGRAM : WS_SOCK_STREAM, 0, &out[n] )); n++) /* more */;
    return n;
}

/* A parked socket shares its port as others do: Linux must be told so by its fd. */
static void test_parked_port( void **state )
{
    struct raw_sock wild[2], one;
    struct address addr, bound;
    struct raw raw;
    u32 n, i, error;

    (void)state;
    raw_open( &raw );
    for (i = 0; i < 2; i++)
    {
        addr = raw_ip4( "0.0.0.0", 0 );
        assert_int_equal( raw_create( &raw, WS_AF_INET, i ? WS_SOCK_STREAM : WS_SOCK_DGRAM, 0, &wild[i] ), 0 );
        assert_int_equal( raw_bind( &raw, &wild[i], &addr, &bound ), 0 );
    }
    n = create_many( &raw, socks, MANY, &error );
    assert_int_equal( n, MANY );
    for (i = 0; i < 2; i++)
    {
        assert_int_equal( raw_create( &raw, WS_AF_INET, i ? WS_SOCK_STREAM : WS_SOCK_DGRAM, 0, &one ), 0 );
        addr = raw_ip4( "127.0.0.1", raw_port( (struct address *)&raw_slot( &raw, &wild[i] )->local ) );
        assert_int_equal( raw_bind( &raw, &one, &addr, NULL ), 0 );
        close( one.fd );
        close( wild[i].fd );
    }
    close_all( n );
    raw_close( &raw );
}

/* More sockets than the helper has fds: those that nobody uses are parked, and are as they were. */
static void test_parked( void **state )
{
    struct raw_sock client, server;
    struct address addr = raw_ip4( "127.0.0.1", 0 );
    struct raw raw, other;
    u32 n, i, error;
    int fds;
    char byte;

    (void)state;
    raw_open( &raw );
    raw_open( &other );
    fds = raw_helper_fds();
    raw_pair( &raw, &client, &server );
    n = create_many( &raw, socks, MANY, &error );
    assert_int_equal( n, MANY );
    assert_true( raw_helper_fds() < MANY );

    /* the oldest are among the parked: data flows, requests are handled */
    assert_int_equal( send( client.fd, "x", 1, 0 ), 1 );
    assert_int_equal( recv( server.fd, &byte, 1, 0 ), 1 );
    assert_int_equal( raw_set_option( &raw, &server, OPTION_RCVTIMEO, 77, 0 ), 0 );
    assert_int_equal( raw_slot( &raw, &server )->options[OPTION_RCVTIMEO], 77 );
    for (i = 0; i < n; i += 7) assert_int_equal( raw_bind( &raw, &socks[i], &addr, NULL ), 0 );
    assert_int_equal( raw_bind( &raw, &socks[0], &addr, NULL ), WSAEINVAL );

    /* one more holder, by the kernel socket */
    assert_int_equal( raw_adopt( &other, client.fd, NULL, &socks[n] ), 0 );
    assert_true( socks[n].cookie == client.cookie );
    assert_int_equal( raw_close_sock( &raw, &client, 0, NULL ), 0 );
    assert_int_equal( raw_shutdown( &other, &socks[n], WS_SD_SEND ), 0 );
    assert_true( has_ended( server.fd ) );

    close_all( n );
    close( client.fd );
    close( server.fd );
    raw_close( &raw );
    raw_close( &other );
    raw_open( &raw );
    raw_open( &other );
    assert_true( RAW_WAIT( raw_helper_fds() <= fds ) );
    raw_close( &raw );
    raw_close( &other );
}

/* a client dies whose sockets are parked: its peers see the end at once */
static void test_parked_death( void **state )
{
    struct raw_sock client, server;
    struct raw dying, raw;
    u32 n, error;

    (void)state;
    raw_open( &raw );
    raw_open( &dying );
    raw_pair( &dying, &client, &server );
    n = create_many( &raw, socks, MANY, &error );
    assert_int_equal( n, MANY );
    close( client.fd );
    raw_close( &dying );
    assert_true( has_ended( server.fd ) );
    close( server.fd );
    close_all( n );
    raw_close( &raw );
}

/* One client takes all it can get: others have their part all the same, and it has all again when it has given some back. */
static void test_greedy( void **state )
{
    struct mailbox_reply box;
    struct raw greedy, raw;
    u32 n, m, error;
    int fd;

    (void)state;
    raw_open( &greedy );
    raw_open( &raw );
    n = create_many( &greedy, socks, MANY + 380, &error );
    assert_true( n > MANY );
    assert_int_equal( error, WSAEMFILE );
    while (!(error = new_mailbox( &greedy, &box, &fd ))) close( fd );
    assert_int_equal( error, WSAEMFILE );

    m = create_many( &raw, socks + n, 8, &error );
    assert_int_equal( m, 8 );
    assert_int_equal( new_mailbox( &raw, &box, &fd ), 0 );
    close( fd );
    /* what it has goes on */
    assert_int_equal( raw_set_option( &greedy, &socks[0], OPTION_RCVTIMEO, 77, 0 ), 0 );
    assert_int_equal( raw_close_sock( &greedy, &socks[n - 1], 0, NULL ), 0 );
    assert_int_equal( raw_close_sock( &greedy, &socks[n - 2], 0, NULL ), 0 );
    close_all( n );
    raw_close( &greedy );
    raw_open( &greedy );
    assert_true( RAW_WAIT( create_many( &greedy, socks, 200, &error ) == 200 ) );
    close_all( 200 );
    raw_close( &greedy );
    raw_close( &raw );
}

/* ---- groups ---- */

/* many mailboxes: the helper asks for groups */
static void test_group_wanted( void **state )
{
    struct mailbox_reply reply;
    struct raw raw;
    int boxes[LIMIT / 4];
    u32 i, groups = 0;

    (void)state;
    raw_open( &raw );
    for (i = 0; i < LIMIT / 4; i++)
    {
        assert_int_equal( new_mailbox( &raw, &reply, &boxes[i] ), 0 );
        if (!i) assert_false( reply.group );
        groups += reply.group;
    }
    assert_true( groups > 0 && groups < LIMIT / 4 );
    for (i = 0; i < LIMIT / 4; i++) close( boxes[i] );
    raw_close( &raw );
}

/* the socket of a grouped handle is found by mailbox and value, in whichever process */
static void test_group_names( void **state )
{
    struct raw_sock first, second, same;
    struct mailbox_reply reply;
    struct raw parent, child;
    int box;

    (void)state;
    raw_open( &parent );
    raw_open( &child );
    assert_int_equal( new_mailbox( &parent, &reply, &box ), 0 );
    assert_int_equal( create_named( &parent, reply.mailbox | value( 10 ), &first ), 0 );
    assert_int_equal( create_named( &parent, reply.mailbox | value( 11 ), &second ), 0 );
    /* the mailbox itself is nobody's then, and not another client's */
    assert_int_equal( create_named( &parent, reply.mailbox, &same ), WSAEINVAL );
    assert_int_equal( create_named( &child, reply.mailbox | value( 12 ), &same ), WSAEINVAL );

    assert_int_equal( adopt_named( &child, box, value( 11 ), &same ), 0 );
    assert_true( same.cookie == second.cookie );
    close( same.fd );
    assert_int_equal( adopt_named( &child, box, value( 10 ), &same ), 0 );
    assert_true( same.cookie == first.cookie );
    close( same.fd );
    assert_int_equal( adopt_named( &child, box, value( 12 ), &same ), WSAENOTSOCK );

    /* the value is another socket's now */
    assert_int_equal( raw_close_sock( &child, &same, 0, NULL ), 0 );
    assert_int_equal( raw_close_sock( &parent, &first, CLOSE_SOLE, NULL ), 0 );
    assert_int_equal( create_named( &parent, reply.mailbox | value( 10 ), &first ), 0 );
    assert_int_equal( adopt_named( &child, box, value( 10 ), &same ), 0 );
    assert_true( same.cookie == first.cookie );
    close( same.fd );
    close( first.fd );
    close( second.fd );
    close( box );
    raw_close( &child );
    raw_close( &parent );
}

static void connect_named( struct raw *raw, u64 mailbox, struct raw_sock *client, struct raw_sock *server )
{
    struct raw_sock listener;
    struct address addr;

    raw_listener( raw, WS_AF_INET, &listener, &addr );
    assert_int_equal( create_named( raw, mailbox, client ), 0 );
    assert_int_equal( raw_connect( raw, client, &addr, NULL ), 0 );
    assert_int_equal( raw_accept( raw, &listener, server, NULL ), 0 );
    assert_int_equal( raw_close_sock( raw, &listener, 0, NULL ), 0 );
    close( listener.fd );
}

/* what keeps a closed socket: that children could have its handle */
static void test_group_end( void **state )
{
    struct raw_sock clients[4], servers[4];
    struct mailbox_reply reply;
    struct alone_request alone;
    struct alone_reply out;
    struct raw raw;
    int i, box;

    (void)state;
    raw_open( &raw );
    assert_int_equal( new_mailbox( &raw, &reply, &box ), 0 );
    for (i = 0; i < 4; i++) connect_named( &raw, reply.mailbox | value( 20 + i ), &clients[i], &servers[i] );
    for (i = 0; i < 4; i++) close( clients[i].fd );

    /* closed while no child can have it */
    assert_int_equal( raw_close_sock( &raw, &clients[0], CLOSE_SOLE, NULL ), 0 );
    assert_true( has_ended( servers[0].fd ) );
    /* the name goes, and then the socket, of which there was another handle */
    assert_int_equal( raw_close_sock( &raw, &clients[1], CLOSE_NAME, NULL ), 0 );
    assert_false( raw_readable( servers[1].fd, 50 ) );
    assert_int_equal( raw_close_sock( &raw, &clients[1], CLOSE_GONE, NULL ), 0 );
    assert_true( has_ended( servers[1].fd ) );
    /* closed while a child could have it, until that is over */
    assert_int_equal( raw_close_sock( &raw, &clients[2], CLOSE_GONE, NULL ), 0 );
    assert_false( raw_readable( servers[2].fd, 50 ) );
    alone.mailbox = reply.mailbox;
    assert_int_equal( raw_request( &raw, REQUEST_ALONE, &alone, sizeof(alone), -1, &out, sizeof(out), NULL ), 0 );
    assert_true( has_ended( servers[2].fd ) );
    assert_false( raw_readable( servers[3].fd, 50 ) );
    /* or until the last handle of the group has gone */
    assert_int_equal( raw_close_sock( &raw, &clients[3], CLOSE_GONE, NULL ), 0 );
    assert_false( raw_readable( servers[3].fd, 50 ) );
    close( box );
    assert_true( has_ended( servers[3].fd ) );
    for (i = 0; i < 4; i++) close( servers[i].fd );
    raw_close( &raw );
}

int main(void)
{
    const struct CMUnitTest tests[] =
    {
        LIMITED_TEST( test_parked ),
        LIMITED_TEST( test_parked_port ),
        LIMITED_TEST( test_parked_death ),
        LIMITED_TEST( test_greedy ),
        LIMITED_TEST( test_group_wanted ),
        RAW_TEST( test_group_names ),
        RAW_TEST( test_group_end )
    };

    return cmocka_run_group_tests( tests, NULL, NULL );
}
