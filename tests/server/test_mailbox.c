/*
 * Mailboxes: handles as the helper sees them
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
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "raw.h"

static u32 new_mailbox( struct raw *raw, u64 *name, int *fd )
{
    struct mailbox_request in = { 0, 0 };
    struct mailbox_reply out;
    u32 ret = raw_request( raw, REQUEST_MAILBOX, &in, sizeof(in), -1, &out, sizeof(out), fd );

    *name = ret ? 0 : out.mailbox;
    return ret;
}

static u32 create_with( struct raw *raw, u64 mailbox, struct raw_sock *sock )
{
    struct create_request in = { WS_AF_INET, WS_SOCK_STREAM, 0, 0, mailbox, 1, 0, { 0 } };
    struct create_reply out;
    u32 ret;

    memset( sock, 0, sizeof(*sock) );
    if ((ret = raw_request( raw, REQUEST_CREATE, &in, sizeof(in), -1, &out, sizeof(out), &sock->fd ))) return ret;
    sock->ref = out.made[0].socket;
    sock->cookie = out.made[0].cookie;
    return 0;
}

/* what a handle in another process stands for */
static u32 adopt_box( struct raw *raw, int box, struct raw_sock *sock )
{
    struct adopt_request in;
    struct adopt_reply out;
    u32 ret;

    memset( &in, 0, sizeof(in) );
    memset( sock, 0, sizeof(*sock) );
    if ((ret = raw_request( raw, REQUEST_ADOPT, &in, sizeof(in), box, &out, sizeof(out), &sock->fd ))) return ret;
    sock->ref = out.socket;
    sock->cookie = out.cookie;
    return 0;
}

/* a child gets the socket by its handle, also after the parent has closed his */
static void test_inherit( void **state )
{
    struct raw parent, child;
    struct raw_sock sock, same;
    u64 name;
    int box;

    (void)state;
    raw_open( &parent );
    raw_open( &child );
    assert_int_equal( new_mailbox( &parent, &name, &box ), 0 );
    assert_int_not_equal( box, -1 );
    assert_int_equal( create_with( &parent, name, &sock ), 0 );
    assert_int_equal( raw_close_sock( &parent, &sock, 0, NULL ), 0 );

    assert_int_equal( adopt_box( &child, box, &same ), 0 );
    assert_int_not_equal( same.fd, -1 );
    assert_true( same.cookie == sock.cookie );
    assert_int_equal( raw_arm( &child, &same ), 0 );
    /* the handle goes, the child's use does not */
    close( box );
    assert_int_equal( raw_arm( &child, &same ), 0 );
    assert_int_equal( raw_close_sock( &child, &same, 0, NULL ), 0 );
    assert_int_equal( raw_arm( &child, &same ), WSAENOTSOCK );
    raw_close( &child );
    raw_close( &parent );
}

/* nobody holds it but a handle somewhere: its end is the connection's */
static void test_last_handle( void **state )
{
    struct raw_sock listener, client, server;
    struct address addr;
    struct raw raw;
    char byte;
    u64 name;
    int box;

    (void)state;
    raw_open( &raw );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    assert_int_equal( new_mailbox( &raw, &name, &box ), 0 );
    assert_int_equal( create_with( &raw, name, &client ), 0 );
    assert_int_equal( raw_connect( &raw, &client, &addr, NULL ), 0 );
    assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
    assert_int_equal( raw_close_sock( &raw, &client, 0, NULL ), 0 );
    usleep( 100000 );
    assert_int_equal( recv( server.fd, &byte, 1, MSG_DONTWAIT ), -1 );
    assert_int_equal( errno, EAGAIN );
    close( box );
    assert_int_equal( recv( server.fd, &byte, 1, 0 ), 0 );
    close( server.fd );
    close( listener.fd );
    raw_close( &raw );
}

static int rings( const struct raw *raw, int ms )
{
    struct pollfd pfd = { raw->bell_fd, POLLIN, 0 };
    eventfd_t value;

    if (poll( &pfd, 1, ms ) != 1) return 0;
    eventfd_read( raw->bell_fd, &value );
    return 1;
}

static u32 flags_of( const struct raw *raw, const struct raw_sock *sock )
{
    return *(const volatile u32 *)&raw->arena[sock->ref.slot].flags;
}

/* the last handle goes, though clients have the socket: they are told, unless they close it themselves just then */
static void test_hung( void **state )
{
    struct raw parent, child, stranger;
    struct raw_sock sock, same;
    int box, i;
    u64 name;

    (void)state;
    raw_open( &parent );
    raw_open( &child );
    raw_open( &stranger );
    for (i = 0; i < 3; i++)
    {
        assert_int_equal( new_mailbox( &parent, &name, &box ), 0 );
        assert_int_equal( create_with( &parent, name, &sock ), 0 );
        assert_int_equal( adopt_box( &child, box, &same ), 0 );
        assert_int_equal( flags_of( &parent, &sock ) & SOCKET_HUNG, 0 );
        close( box );
        if (i) assert_int_equal( raw_close_sock( &parent, &sock, CLOSE_GONE, NULL ), 0 );
        if (i == 2) assert_int_equal( raw_close_sock( &child, &same, CLOSE_GONE, NULL ), 0 );
        assert_int_equal( rings( &child, 300 ), i < 2 );
        assert_int_equal( rings( &parent, 0 ), !i );
        assert_int_equal( rings( &stranger, 0 ), 0 );
        if (i < 2) assert_int_equal( flags_of( &child, &same ) & SOCKET_HUNG, SOCKET_HUNG );
        if (!i) assert_int_equal( raw_close_sock( &parent, &sock, CLOSE_GONE, NULL ), 0 );
        if (i < 2) assert_int_equal( raw_close_sock( &child, &same, CLOSE_GONE, NULL ), 0 );
        assert_int_equal( raw_arm( &child, &same ), WSAENOTSOCK );
    }
    raw_close( &stranger );
    raw_close( &child );
    raw_close( &parent );
}

static u32 stray( struct raw *raw, int fd, u32 closed )
{
    struct stray_request in = { 0, closed, 0 };
    struct stray_reply out;

    return raw_request( raw, REQUEST_STRAY, &in, sizeof(in), fd, &out, sizeof(out), NULL );
}

/* somebody has closed another's handle: all are told to look */
static void test_stray( void **state )
{
    struct raw raw, thief;
    struct raw_sock sock;
    int box, pair[2];
    u64 name;

    (void)state;
    raw_open( &raw );
    raw_open( &thief );
    assert_int_equal( new_mailbox( &raw, &name, &box ), 0 );
    assert_int_equal( stray( &thief, box, 1 ), WSAENOTSOCK );
    assert_int_equal( create_with( &raw, name, &sock ), 0 );
    assert_int_equal( flags_of( &raw, &sock ) & SOCKET_STRAY, 0 );
    assert_int_equal( stray( &thief, box, 0 ), 0 );
    assert_int_equal( flags_of( &raw, &sock ) & (SOCKET_STRAY | SOCKET_SHARED), SOCKET_SHARED );
    assert_int_equal( stray( &thief, box, 1 ), 0 );
    assert_int_equal( flags_of( &raw, &sock ) & SOCKET_STRAY, SOCKET_STRAY );
    assert_int_equal( stray( &thief, sock.fd, 1 ), 0 );
    assert_int_equal( stray( &thief, raw.counters_fd, 1 ), WSAENOTSOCK );
    assert_int_equal( socketpair( AF_UNIX, SOCK_STREAM, 0, pair ), 0 );
    assert_int_equal( stray( &thief, pair[0], 1 ), WSAENOTSOCK );
    close( pair[0] );
    close( pair[1] );
    close( box );
    raw_close( &thief );
    raw_close( &raw );
}

/* {1,0} by the last known holder: it waits for a handle that somebody may have, and not when that has just gone */
static void test_gone( void **state )
{
    struct raw_sock client, server, listener;
    struct address addr;
    struct raw raw;
    char byte;
    u64 name;
    int box, i;

    (void)state;
    raw_open( &raw );
    raw_listener( &raw, WS_AF_INET, &listener, &addr );
    for (i = 0; i < 2; i++)
    {
        assert_int_equal( new_mailbox( &raw, &name, &box ), 0 );
        assert_int_equal( create_with( &raw, name, &client ), 0 );
        assert_int_equal( raw_connect( &raw, &client, &addr, NULL ), 0 );
        assert_int_equal( raw_accept( &raw, &listener, &server, NULL ), 0 );
        assert_int_equal( raw_set_option( &raw, &client, OPTION_LINGER_ONOFF, 1, 0 ), 0 );
        if (i) close( box );
        assert_int_equal( raw_close_sock( &raw, &client, CLOSE_GONE, NULL ), 0 );
        assert_int_equal( recv( server.fd, &byte, 1, MSG_DONTWAIT ), -1 );
        assert_int_equal( errno, i ? ECONNRESET : EAGAIN );
        if (!i) close( box );
        close( server.fd );
    }
    close( listener.fd );
    raw_close( &raw );
}

/* a handle serves the next socket, and the socket before ends at once */
static void test_again( void **state )
{
    struct raw_sock sock, other;
    struct raw raw, stranger;
    u64 name;
    int box, i;

    (void)state;
    raw_open( &raw );
    raw_open( &stranger );
    assert_int_equal( new_mailbox( &raw, &name, &box ), 0 );
    assert_int_equal( create_with( &stranger, name, &other ), WSAEINVAL );   /* not his */
    assert_int_equal( adopt_box( &stranger, box, &other ), WSAENOTSOCK );    /* nobody's yet */
    for (i = 0; i < 100; i++)
    {
        assert_int_equal( create_with( &raw, name, &sock ), 0 );
        assert_int_equal( create_with( &raw, name, &other ), WSAEINVAL );    /* in use */
        assert_int_equal( raw_close_sock( &raw, &sock, CLOSE_SOLE, NULL ), 0 );
        assert_int_equal( raw_arm( &raw, &sock ), WSAENOTSOCK );
    }
    assert_int_equal( adopt_box( &stranger, box, &other ), WSAENOTSOCK );
    close( box );
    raw_close( &stranger );
    raw_close( &raw );
}

/* all that mailboxes take comes back, also from clients that just die */
static void test_flat( void **state )
{
    struct raw raw, witness;
    struct raw_sock sock;
    int box, i, j, fds;
    u64 name;

    (void)state;
    raw_open( &witness );
    fds = raw_helper_fds();
    for (i = 0; i < 20; i++)
    {
        raw_open( &raw );
        for (j = 0; j < 50; j++)
        {
            assert_int_equal( new_mailbox( &raw, &name, &box ), 0 );
            if (j % 3) assert_int_equal( create_with( &raw, name, &sock ), 0 );
            if (j % 3 == 1) raw_close_sock( &raw, &sock, 0, NULL );
            if (j % 3 == 2) close( sock.fd );
            close( box );
        }
        raw_close( &raw );
    }
    assert_true( RAW_WAIT( raw_helper_fds() == fds ) );
    raw_close( &witness );
}

static void test_batch( void **state )
{
    struct create_request in = { WS_AF_INET, WS_SOCK_STREAM, 0, 0, 0, 0, 0, { 0 } };
    struct raw raw;

    (void)state;
    raw_open( &raw );
    assert_int_equal( raw_request( &raw, REQUEST_CREATE, &in, sizeof(in), -1, NULL, 0, NULL ), WSAEINVAL );
    in.count = PROTOCOL_MAX_FDS + 1;
    assert_int_equal( raw_request( &raw, REQUEST_CREATE, &in, sizeof(in), -1, NULL, 0, NULL ), WSAEINVAL );
    raw_close( &raw );
}

int main(void)
{
    const struct CMUnitTest tests[] =
    {
        RAW_TEST( test_inherit ),
        RAW_TEST( test_last_handle ),
        RAW_TEST( test_hung ),
        RAW_TEST( test_stray ),
        RAW_TEST( test_gone ),
        RAW_TEST( test_again ),
        RAW_TEST( test_flat ),
        RAW_TEST( test_batch )
    };

    return cmocka_run_group_tests( tests, NULL, NULL );
}
