/*
 * Tests of the parts: addresses, errors, the arena, timers, messages
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
#include <arpa/inet.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include "raw.h"

/* ---- addresses ---- */

static void test_address_round_trip( void **state )
{
    struct address addr = raw_ip4( "10.1.2.3", 4711 ), back;
    union linux_address linux_addr;
    socklen_t len;

    (void)state;
    memset( addr.data + 8, 0xaa, 8 );   /* sin_zero is nobody's */
    assert_int_equal( address_from_client( &addr, WS_AF_INET, &linux_addr, &len ), 0 );
    assert_int_equal( len, sizeof(struct sockaddr_in) );
    assert_int_equal( linux_addr.sa.sa_family, AF_INET );
    assert_int_equal( address_port( &linux_addr ), 4711 );
    assert_int_equal( ntohl( linux_addr.in.sin_addr.s_addr ), 0x0a010203 );
    address_to_client( &linux_addr, &back );
    addr = raw_ip4( "10.1.2.3", 4711 );
    assert_memory_equal( &back, &addr, sizeof(addr) );

    addr = raw_ip6( "fe80::1:2", 80, 7 );
    assert_int_equal( addr.data[0], 23 );
    assert_int_equal( address_from_client( &addr, WS_AF_INET6, &linux_addr, &len ), 0 );
    assert_int_equal( len, sizeof(struct sockaddr_in6) );
    assert_int_equal( linux_addr.sa.sa_family, AF_INET6 );
    assert_int_equal( linux_addr.in6.sin6_scope_id, 7 );
    address_to_client( &linux_addr, &back );
    assert_memory_equal( &back, &addr, sizeof(addr) );
}

static void test_address_bad( void **state )
{
    union linux_address linux_addr;
    struct address addr;
    socklen_t len;
    u32 i;

    (void)state;
    for (i = 0; i < WS_SOCKADDR_IN_SIZE; i++)
    {
        addr = raw_ip4( "127.0.0.1", 1 );
        addr.len = i;
        assert_int_equal( address_from_client( &addr, WS_AF_INET, &linux_addr, &len ), WSAEFAULT );
    }
    for (i = 0; i < WS_SOCKADDR_IN6_SIZE; i++)
    {
        addr = raw_ip6( "::1", 1, 0 );
        addr.len = i;
        assert_int_equal( address_from_client( &addr, WS_AF_INET6, &linux_addr, &len ), WSAEFAULT );
    }
    addr = raw_ip4( "127.0.0.1", 1 );
    addr.len = 29;
    assert_int_equal( address_from_client( &addr, WS_AF_INET, &linux_addr, &len ), WSAEFAULT );
    addr.len = 0xffffffff;
    assert_int_equal( address_from_client( &addr, WS_AF_INET, &linux_addr, &len ), WSAEFAULT );
    addr.len = 28;  /* more than needed is fine */
    assert_int_equal( address_from_client( &addr, WS_AF_INET, &linux_addr, &len ), 0 );
    assert_int_equal( len, sizeof(struct sockaddr_in) );
    assert_int_equal( address_from_client( &addr, WS_AF_INET6, &linux_addr, &len ), WSAEAFNOSUPPORT );
    addr.data[0] = AF_INET6;            /* Linux' number is none of Winsock's */
    assert_int_equal( address_from_client( &addr, WS_AF_INET6, &linux_addr, &len ), WSAEAFNOSUPPORT );
}

static void test_address_kinds( void **state )
{
    static const struct { const char *ip; int any, multicast; } cases[] =
    {
        { "0.0.0.0", 1, 0 }, { "127.0.0.1", 0, 0 }, { "224.0.0.1", 0, 1 }, { "239.255.255.255", 0, 1 },
        { "240.0.0.1", 0, 0 }, { "255.255.255.255", 0, 1 }, { "223.255.255.255", 0, 0 },
        { "::", 1, 0 }, { "::1", 0, 0 }, { "ff02::1", 0, 1 }, { "::ffff:0.0.0.0", 1, 0 }, { "::ffff:1.2.3.4", 0, 0 }
    };
    union linux_address linux_addr;
    struct address addr;
    socklen_t len;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    {
        const int is6 = strchr( cases[i].ip, ':' ) != NULL;

        addr = is6 ? raw_ip6( cases[i].ip, 0, 0 ) : raw_ip4( cases[i].ip, 0 );
        assert_int_equal( address_from_client( &addr, is6 ? WS_AF_INET6 : WS_AF_INET, &linux_addr, &len ), 0 );
        assert_int_equal( address_is_any( &linux_addr ), cases[i].any );
        assert_int_equal( !!address_is_multicast( &linux_addr ), cases[i].multicast );
    }
}

static void test_address_scope( void **state )
{
    union linux_address linux_addr;
    struct address addr;
    socklen_t len;

    (void)state;
    addr = raw_ip6( "::1", 0, 0x7abacab );
    assert_int_equal( address_from_client( &addr, WS_AF_INET6, &linux_addr, &len ), 0 );
    assert_int_equal( address_check_scope( &linux_addr ), WSAEADDRNOTAVAIL );
    linux_addr.in6.sin6_scope_id = if_nametoindex( "lo" );
    assert_int_equal( address_check_scope( &linux_addr ), 0 );
    linux_addr.in6.sin6_scope_id = 0;
    assert_int_equal( address_check_scope( &linux_addr ), 0 );
}

static void test_errors( void **state )
{
    static const struct { int err; u32 error; } cases[] =
    {
        { 0, 0 }, { ECONNREFUSED, WSAECONNREFUSED }, { ETIMEDOUT, WSAETIMEDOUT }, { ENETUNREACH, WSAENETUNREACH },
        { EHOSTUNREACH, WSAEHOSTUNREACH }, { EADDRNOTAVAIL, WSAEADDRNOTAVAIL }, { EACCES, WSAEACCES }, { EPERM, WSAEACCES },
        { EMFILE, WSAEMFILE }, { ENOBUFS, WSAENOBUFS }, { EADDRINUSE, WSAEADDRINUSE }, { ECONNRESET, WSAECONNRESET },
        { EAFNOSUPPORT, WSAEAFNOSUPPORT }, { EAGAIN, WSAEWOULDBLOCK }, { EXDEV, WSAENETDOWN }
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal( error_from_errno( cases[i].err ), cases[i].error );
}

/* ---- the arena ---- */

static void test_arena_generations( void **state )
{
    u32 slot, again, generation, first;
    struct slot content;

    (void)state;
    assert_int_equal( arena_init(), 0 );
    assert_int_equal( arena_alloc( &slot, &first ), 1 );
    assert_int_not_equal( first, 0 );
    memset( &content, 0xff, sizeof(content) );
    content.generation = first;
    arena_publish( slot, &content );
    arena_free( slot );
    assert_int_equal( arena_slot( slot )->state, SOCKET_FREE );
    assert_int_equal( arena_slot( slot )->cookie, 0 );
    assert_int_equal( arena_slot( slot )->options[31], 0 );
    assert_int_equal( arena_slot( slot )->seq % 2, 0 );

    assert_int_equal( arena_alloc( &again, &generation ), 1 );
    assert_int_equal( again, slot );
    assert_int_not_equal( generation, first );

    /* never 0, also when the count runs over */
    content.generation = 0xffffffff;
    arena_publish( slot, &content );
    arena_free( slot );
    assert_int_equal( arena_alloc( &again, &generation ), 1 );
    assert_int_equal( again, slot );
    assert_int_equal( generation, 1 );
    arena_done();
}

static void test_arena_full( void **state )
{
    u32 slot, generation, i;

    (void)state;
    assert_int_equal( arena_init(), 0 );
    for (i = 0; i < PROTOCOL_JOURNAL; i++)      /* all but the journal */
    {
        assert_int_equal( arena_alloc( &slot, &generation ), 1 );
        assert_int_equal( slot, i );
    }
    assert_int_equal( arena_alloc( &slot, &generation ), 0 );
    arena_free( 17 );
    assert_int_equal( arena_alloc( &slot, &generation ), 1 );
    assert_int_equal( slot, 17 );
    arena_done();
}

static void test_arena_publish( void **state )
{
    struct slot content;
    u32 slot, seq;
    size_t i;

    (void)state;
    assert_int_equal( arena_init(), 0 );
    assert_int_equal( arena_alloc( &slot, &content.generation ), 1 );
    seq = arena_slot( slot )->seq;
    for (i = 4; i < sizeof(content); i++) ((u8 *)&content)[i] = i;
    arena_publish( slot, &content );
    assert_int_equal( arena_slot( slot )->seq, seq + 2 );
    content.seq = seq + 2;
    assert_memory_equal( arena_slot( slot ), &content, sizeof(content) );
    assert_int_equal( arena_slot( PROTOCOL_JOURNAL )->seq, 0 );    /* nobody knew of it before */

    content.error++;
    arena_publish( slot, &content );
    assert_int_equal( arena_slot( slot )->seq, seq + 4 );
    assert_int_equal( arena_slot( slot )->error, content.error );
    /* what would be left if we were killed meanwhile */
    content.seq = arena_slot( PROTOCOL_JOURNAL )->seq;
    assert_int_equal( content.seq & 1, 0 );
    assert_memory_equal( arena_slot( PROTOCOL_JOURNAL ), &content, sizeof(content) );
    arena_done();
}

/* what clients get cannot be written to, cut, filled with holes or made so */
static void test_arena_read_only( void **state )
{
    const size_t size = PROTOCOL_MAX_SLOTS * sizeof(struct slot);
    char path[64];
    void *map;
    int fd;

    (void)state;
    assert_int_equal( arena_init(), 0 );
    assert_ptr_equal( mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, arena_fd(), 0 ), MAP_FAILED );
    assert_ptr_not_equal( map = mmap( NULL, size, PROT_READ, MAP_SHARED, arena_fd(), 0 ), MAP_FAILED );
    assert_int_equal( mprotect( map, size, PROT_READ | PROT_WRITE ), -1 );
    munmap( map, size );
    assert_int_equal( write( arena_fd(), "x", 1 ), -1 );
    assert_int_equal( ftruncate( arena_fd(), 0 ), -1 );
    assert_int_equal( fallocate( arena_fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096 ), -1 );

    /* opened anew through /proc for writing the seals still hold */
    snprintf( path, sizeof(path), "/proc/self/fd/%d", arena_fd() );
    if ((fd = open( path, O_RDWR | O_CLOEXEC )) != -1)
    {
        assert_ptr_equal( mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 ), MAP_FAILED );
        assert_int_equal( write( fd, "x", 1 ), -1 );
        assert_int_equal( ftruncate( fd, 0 ), -1 );
        assert_int_equal( ftruncate( fd, 2 * size ), -1 );
        assert_int_equal( fallocate( fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096 ), -1 );
        assert_int_equal( fcntl( fd, F_ADD_SEALS, F_SEAL_WRITE ), -1 );
        close( fd );
    }
    arena_done();
}

/* ---- the loop ---- */

#define TIMERS 200

static struct timer timers[TIMERS];
static int fired[TIMERS], fired_count;

static void timer_fired( struct timer *timer )
{
    fired[fired_count++] = timer - timers;
    if (fired_count == TIMERS / 2) loop_stop();
}

static void test_loop_timers( void **state )
{
    static const u32 step = 7919;   /* a prime: the times come in disorder */
    u32 i;

    (void)state;
    assert_int_equal( loop_init(), 0 );
    for (i = 0; i < TIMERS; i++)
    {
        timers[i].expired = timer_fired;
        loop_timer( &timers[i], i * step % TIMERS );
    }
    for (i = 0; i < TIMERS; i += 2) loop_timer( &timers[i], 5 + i * step % TIMERS / 2 );    /* armed anew */
    for (i = 1; i < TIMERS; i += 2) loop_cancel( &timers[i] );
    for (i = 1; i < TIMERS; i += 2) loop_cancel( &timers[i] );                              /* for a second time */
    loop_run();
    assert_int_equal( fired_count, TIMERS / 2 );
    for (i = 1; i < TIMERS / 2; i++) assert_true( timers[fired[i - 1]].when <= timers[fired[i]].when );
    for (i = 0; i < TIMERS / 2; i++) assert_int_equal( fired[i] % 2, 0 );
    loop_done();
}

static struct watch watches[2];
static int watch_calls;

/* whichever comes first takes the other away, which is true as well and must not be called */
static void watch_ready( struct watch *watch, u32 events )
{
    assert_true( events & EPOLLIN );
    watch_calls++;
    loop_watch( &watches[watch == &watches[0]], 0 );
    loop_watch( watch, 0 );
    loop_stop();
}

static void test_loop_removed( void **state )
{
    int fds[2][2], i;

    (void)state;
    assert_int_equal( loop_init(), 0 );
    for (i = 0; i < 2; i++)
    {
        assert_int_equal( pipe( fds[i] ), 0 );
        watches[i].fd = fds[i][0];
        watches[i].ready = watch_ready;
        assert_int_equal( loop_watch( &watches[i], EPOLLIN ), 0 );
        assert_int_equal( write( fds[i][1], "x", 1 ), 1 );
    }
    loop_run();
    assert_int_equal( watch_calls, 1 );
    for (i = 0; i < 2; i++)
    {
        close( fds[i][0] );
        close( fds[i][1] );
    }
    loop_done();
}

/* ---- messages that no client of ours sends: refused before any handler ---- */

static void test_request_malformed( void **state )
{
    struct message message;
    struct reply reply;
    u32 type, len;
    int fds[2];

    (void)state;
    for (type = 0; type < REQUEST_COUNT + 3; type++)
    {
        for (len = 0; len <= sizeof(message.data.bytes); len++)
        {
            /* a type's own length is the one that a hello would be let through with; ready 0 refuses the others */
            if (type == REQUEST_HELLO && len == sizeof(struct request_header) + sizeof(struct hello_request)) continue;
            memset( &message, 0, sizeof(message) );
            message.fd = -1;
            message.len = len;
            message.data.header.type = type;
            assert_int_equal( request_handle( NULL, 0, &message, &reply ), -1 );
            assert_int_equal( reply.fd_count, 0 );
        }
    }
    memset( &message, 0, sizeof(message) );
    message.fd = -1;
    message.len = sizeof(struct request_header) + sizeof(struct hello_request);
    message.data.header.type = REQUEST_HELLO;
    assert_int_equal( request_handle( NULL, 0, &message, &reply ), -1 );     /* its fd is missing */
    message.data.header.type = 0x80000000;
    assert_int_equal( request_handle( NULL, 1, &message, &reply ), -1 );
    message.data.header.type = 0xffffffff;
    assert_int_equal( request_handle( NULL, 1, &message, &reply ), -1 );

    /* a fd that nobody asked for is closed */
    assert_int_equal( pipe( fds ), 0 );
    message.fd = fds[0];
    message.data.header.type = REQUEST_ARM;
    message.len = sizeof(struct request_header) + sizeof(struct arm_request);
    assert_int_equal( request_handle( NULL, 1, &message, &reply ), -1 );
    assert_int_equal( fcntl( fds[0], F_GETFD ), -1 );
    close( fds[1] );
}

int main(void)
{
    const struct CMUnitTest tests[] =
    {
        RAW_UNIT( test_address_round_trip ),
        RAW_UNIT( test_address_bad ),
        RAW_UNIT( test_address_kinds ),
        RAW_UNIT( test_address_scope ),
        RAW_UNIT( test_errors ),
        RAW_UNIT( test_arena_generations ),
        RAW_UNIT( test_arena_full ),
        RAW_UNIT( test_arena_publish ),
        RAW_UNIT( test_arena_read_only ),
        RAW_UNIT( test_loop_timers ),
        RAW_UNIT( test_loop_removed ),
        RAW_UNIT( test_request_malformed )
    };

    return cmocka_run_group_tests( tests, NULL, NULL );
}
