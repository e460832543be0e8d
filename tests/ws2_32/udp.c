/*
 * Datagrams that nobody receives, and what the sender hears of it
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

#include "util.h"

#ifndef SIO_UDP_NETRESET
#define SIO_UDP_NETRESET _WSAIOW(IOC_VENDOR, 15)
#endif

#define SETTLE 30           /* ms: an ICMP message over loopback is there before the send returns, nearly always */

static void set_flag( SOCKET s, DWORD code, BOOL on )
{
    DWORD size = 0xdeadbeef;

    todo_wine_if( code == SIO_UDP_NETRESET ) check_ok( WSAIoctl( s, code, &on, sizeof(on), NULL, 0, &size, NULL, NULL ) );
}

/* an address that nobody receives at */
static void address_nobody( union address *addr, int family )
{
    address_loopback( addr, family, unused_port( family, SOCK_DGRAM ) );
}

/* bound; with a time-out, so that a receive which waits ends */
static SOCKET udp_socket( int family, union address *addr )
{
    SOCKET s = socket_bound( family, SOCK_DGRAM, addr );

    socket_set_timeout( s, 100 );
    return s;
}

static void send_to( SOCKET s, const union address *addr, const char *data )
{
    int len = strlen( data );

    check_int( sendto( s, data, len, 0, &addr->sa, address_len( addr->sa.sa_family ) ), len );
}

static void recv_string_( int line, SOCKET s, const char *data )
{
    char buffer[32];
    int ret = recv( s, buffer, sizeof(buffer), 0 );

    ok_(__FILE__, line)( ret == (int)strlen( data ) && !memcmp( buffer, data, ret ), "recv returned %d, error %d\n", ret, WSAGetLastError() );
}
#define recv_string( s, data ) recv_string_( __LINE__, s, data )

static DWORD queued( SOCKET s )
{
    u_long value = 0xdeadbeef;

    check_ok( ioctlsocket( s, FIONREAD, &value ) );
    return value;
}

/* one message, one error, and what is behind it is not lost */
static void test_unreachable( int family, BOOL connected )
{
    union address addr, peer_addr, nobody;
    char buffer[8];
    SOCKET s, peer;
    int i;

    winetest_push_context( "family %d, connected %d", family, connected );
    s = udp_socket( family, &addr );
    peer = udp_socket( family, &peer_addr );
    address_nobody( &nobody, family );
    if (connected) check_ok( connect( s, &nobody.sa, address_len( family ) ) );

    /* by default; a blocking receive and one that does not block */
    send_to( s, &nobody, "a" );
    Sleep( SETTLE );
    ok( queued( s ) == 0, "%lu bytes\n", queued( s ) );
    todo_wine ok( wait_readable( s, 0 ), "not readable\n" );
    todo_wine check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAECONNRESET );
    check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAETIMEDOUT );
    ok( !wait_readable( s, 0 ), "readable\n" );

    /* each is reported, and no send fails for one */
    socket_set_nonblocking( s, TRUE );
    for (i = 0; i < 3; i++)
    {
        flaky_wine_if( connected ) send_to( s, &nobody, "a" );
        Sleep( SETTLE );
    }
    for (i = 0; i < 3; i++) todo_wine check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAECONNRESET );
    check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAEWOULDBLOCK );

    if (!connected)
    {
        send_to( s, &nobody, "a" );
        Sleep( SETTLE );
        send_to( peer, &addr, "behind" );
        todo_wine check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAECONNRESET );
        todo_wine recv_string( s, "behind" );
    }
    closesocket( s );
    closesocket( peer );
    winetest_pop_context();
}

static DWORD WINAPI delayed_send( void *arg )
{
    const union address *addr = arg;
    SOCKET s = socket( addr->sa.sa_family, SOCK_DGRAM, 0 );

    Sleep( 150 );
    sendto( s, "data", 4, 0, &addr->sa, address_len( addr->sa.sa_family ) );
    closesocket( s );
    return 0;
}

/* switched off: nothing is seen of it, neither by select nor by a receive, which go on to wait for data */
static void test_connreset_off( int family, BOOL connected )
{
    union address addr, nobody;
    HANDLE thread;
    char buffer[8];
    SOCKET s;

    winetest_push_context( "family %d, connected %d", family, connected );
    s = udp_socket( family, &addr );
    set_flag( s, SIO_UDP_CONNRESET, FALSE );
    address_nobody( &nobody, family );
    if (connected) check_ok( connect( s, &nobody.sa, address_len( family ) ) );
    send_to( s, &nobody, "a" );
    Sleep( SETTLE );
    flaky_wine_if( connected ) ok( !wait_readable( s, 20 ), "readable\n" );
    flaky_wine_if( connected ) check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAETIMEDOUT );
    flaky_wine_if( connected ) send_to( s, &nobody, "a" );
    if (!connected)
    {
        thread = thread_start( delayed_send, &addr );
        ok( wait_readable( s, 3000 ), "not readable\n" );
        recv_string( s, "data" );
        thread_end( thread );
        send_to( s, &nobody, "a" );
        socket_set_timeout( s, 3000 );
        thread = thread_start( delayed_send, &addr );
        recv_string( s, "data" );
        thread_end( thread );

        /* on again: what comes from now on */
        set_flag( s, SIO_UDP_CONNRESET, TRUE );
        socket_set_timeout( s, 100 );
        check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAETIMEDOUT );
        send_to( s, &nobody, "a" );
        todo_wine check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAECONNRESET );
    }
    closesocket( s );
    winetest_pop_context();
}

/* a receive that waits already ends with it */
static DWORD WINAPI delayed_unreachable( void *arg )
{
    SOCKET s = *(SOCKET *)arg;
    union address nobody;

    Sleep( 100 );
    address_nobody( &nobody, AF_INET );
    send_to( s, &nobody, "a" );
    return 0;
}

static void test_waiting(void)
{
    union address addr;
    WSAPOLLFD poll;
    HANDLE thread;
    char buffer[8];
    SOCKET s;
    int i;

    s = udp_socket( AF_INET, &addr );
    socket_set_timeout( s, 1000 );
    for (i = 0; i < 3; i++)
    {
        thread = thread_start( delayed_unreachable, &s );
        todo_wine check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAECONNRESET );
        thread_end( thread );
    }
    thread = thread_start( delayed_unreachable, &s );
    todo_wine ok( wait_readable( s, 500 ), "not readable\n" );
    thread_end( thread );
    poll.fd = s;
    poll.events = POLLRDNORM;
    todo_wine check_int( WSAPoll( &poll, 1, 0 ), 1 );
    todo_wine check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAECONNRESET );
    check_int( WSAPoll( &poll, 1, 0 ), 0 );
    closesocket( s );
}

/* ---- messages from further away ---- */

static USHORT checksum( const void *data, int len )
{
    const USHORT *ptr = data;
    DWORD sum = 0;

    for (; len > 1; len -= 2) sum += *ptr++;
    sum = (sum & 0xffff) + (sum >> 16);
    return ~(sum + (sum >> 16));
}

/* an ICMP message about a datagram that was sent from one address to another, both of this host */
static BOOL send_icmp( SOCKET raw, BYTE type, BYTE code, const union address *from, const union address *to )
{
    union address target = *from;
    BYTE packet[36] = { 0 };

    packet[0] = type;
    packet[1] = code;
    packet[8] = 0x45;                                           /* the header of the packet it is about */
    packet[11] = 29;
    packet[16] = 1;
    packet[17] = IPPROTO_UDP;
    memcpy( packet + 20, &from->in.sin_addr, 4 );
    memcpy( packet + 24, &to->in.sin_addr, 4 );
    memcpy( packet + 28, &from->in.sin_port, 2 );
    memcpy( packet + 30, &to->in.sin_port, 2 );
    packet[33] = 9;
    *(USHORT *)(packet + 2) = checksum( packet, sizeof(packet) );
    target.in.sin_port = 0;
    return sendto( raw, (char *)packet, sizeof(packet), 0, &target.sa, sizeof(target.in) ) == sizeof(packet);
}

/* time to live expired; other destinations than ports that can't be reached mean nothing to a receive */
static void test_netreset(void)
{
    static const struct { BYTE type, code; int error; } messages[] =
    {
        { 11, 0, WSAENETRESET }, { 11, 0, WSAENETRESET }, { 3, 3, WSAECONNRESET }, { 3, 0, WSAETIMEDOUT }, { 3, 1, WSAETIMEDOUT },
        { 12, 0, WSAETIMEDOUT }, { 11, 0, WSAENETRESET },
    };
    union address addr, peer_addr;
    SOCKET raw, s, peer;
    char buffer[8];
    unsigned i;

    if ((raw = socket( AF_INET, SOCK_RAW, IPPROTO_ICMP )) == INVALID_SOCKET)
    {
        skip( "no raw sockets: error %d\n", WSAGetLastError() );
        return;
    }
    s = udp_socket( AF_INET, &addr );
    peer = udp_socket( AF_INET, &peer_addr );
    send_to( s, &peer_addr, "a" );
    recv_string( peer, "a" );
    for (i = 0; i < ARRAY_SIZE(messages); i++)
    {
        ok( send_icmp( raw, messages[i].type, messages[i].code, &addr, &peer_addr ), "error %d\n", WSAGetLastError() );
        Sleep( SETTLE );
        if (messages[i].error == WSAETIMEDOUT) ok( !wait_readable( s, 20 ), "%u: readable\n", i );
        todo_wine_if( messages[i].error != WSAETIMEDOUT ) check_error( recv( s, buffer, sizeof(buffer), 0 ), messages[i].error );
        /* nor does a send fail */
        send_to( s, &peer_addr, "b" );
        recv_string( peer, "b" );
    }
    set_flag( s, SIO_UDP_NETRESET, FALSE );
    ok( send_icmp( raw, 11, 0, &addr, &peer_addr ), "error %d\n", WSAGetLastError() );
    Sleep( SETTLE );
    ok( !wait_readable( s, 20 ), "readable\n" );
    check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAETIMEDOUT );
    /* the other one is another matter */
    ok( send_icmp( raw, 3, 3, &addr, &peer_addr ), "error %d\n", WSAGetLastError() );
    Sleep( SETTLE );
    todo_wine check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAECONNRESET );
    closesocket( s );
    closesocket( peer );
    closesocket( raw );
}

/* the two belong to datagram sockets, and take a BOOL */
static void test_arguments(void)
{
    static const DWORD codes[] = { SIO_UDP_CONNRESET, SIO_UDP_NETRESET };
    union address addr;
    DWORD size, on = 1;
    SOCKET s;
    int i;

    s = udp_socket( AF_INET, &addr );
    for (i = 0; i < 2; i++)
    {
        todo_wine_if( i ) check_ok( WSAIoctl( s, codes[i], &on, sizeof(on), NULL, 0, &size, NULL, NULL ) );
        todo_wine check_error( WSAIoctl( s, codes[i], NULL, 0, NULL, 0, &size, NULL, NULL ), WSAEFAULT );
    }
    closesocket( s );
}

/* ---- sends ---- */

/* what the network says to a send never surfaces */
static void test_sends(void)
{
    union address addr, far_addr;
    char buffer[8];
    SOCKET s;
    int i;

    s = udp_socket( AF_INET, &addr );
    memset( &far_addr, 0, sizeof(far_addr) );
    far_addr.in.sin_family = AF_INET;
    far_addr.in.sin_port = htons( 9 );
    far_addr.in.sin_addr.s_addr = inet_addr( "198.51.100.1" );  /* for documentation only: nobody has it */
    /* without a router it is not to be reached */
    for (i = 0; i < 3; i++)
        todo_wine check_int( sendto( s, "a", 1, MSG_DONTROUTE, &far_addr.sa, sizeof(far_addr.in) ), 1 );
    check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAETIMEDOUT );
    closesocket( s );
}

/* ---- after shutdown ---- */

/* datagrams are queued and counted, as many as there is room for; nobody is told anything */
static void test_queue_after_shutdown( int family )
{
    union address addr, peer_addr;
    DWORD size, before, after;
    SOCKET s, peer;
    char buffer[1000] = { 0 };
    int i;

    winetest_push_context( "family %d", family );
    s = udp_socket( family, &addr );
    peer = udp_socket( family, &peer_addr );
    size = 20000;
    check_ok( setsockopt( s, SOL_SOCKET, SO_RCVBUF, (char *)&size, sizeof(size) ) );
    send_to( peer, &addr, "abc" );
    Sleep( SETTLE );
    before = queued( s );
    check_ok( shutdown( s, SD_RECEIVE ) );
    ok( queued( s ) == before, "%lu bytes, %lu before\n", queued( s ), before );
    send_to( peer, &addr, "defgh" );
    Sleep( SETTLE );
    after = queued( s );
    todo_wine ok( after == 8, "%lu bytes\n", after );
    check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAESHUTDOWN );
    ok( queued( s ) == after, "%lu bytes, %lu before\n", queued( s ), after );

    for (i = 0; i < 200; i++)
        check_int( sendto( peer, buffer, sizeof(buffer), 0, &addr.sa, address_len( family ) ), sizeof(buffer) );
    Sleep( SETTLE );
    after = queued( s );
    todo_wine ok( after > 8000 && after < 60000, "%lu bytes\n", after );
    check_error( recv( peer, buffer, sizeof(buffer), 0 ), WSAETIMEDOUT );
    closesocket( s );
    closesocket( peer );
    winetest_pop_context();
}

/* ---- two processes ---- */

static void child_recv( SOCKET s, int expected )
{
    char buffer[8];
    int ret;

    socket_set_nonblocking( s, TRUE );
    ret = recv( s, buffer, sizeof(buffer), 0 );
    ok( ret == -1 && WSAGetLastError() == expected, "recv returned %d, error %d, expected %d\n", ret, WSAGetLastError(), expected );
}

static void run_child( SOCKET s, int expected )
{
    char args[64];
    HANDLE process;

    sprintf( args, "recv %lu %d", (unsigned long)s, expected );
    process = child_start( args, NULL );
    winetest_wait_child_process( process );
    CloseHandle( process );
}

/* an error is one process's, not every one's */
static void test_shared(void)
{
    union address addr, nobody;
    char buffer[8];
    SOCKET s;

    s = udp_socket( AF_INET, &addr );
    socket_set_nonblocking( s, TRUE );
    address_nobody( &nobody, AF_INET );
    send_to( s, &nobody, "a" );
    Sleep( SETTLE );
    run_child( s, WSAECONNRESET );
    check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAEWOULDBLOCK );
    send_to( s, &nobody, "a" );
    Sleep( SETTLE );
    /* also one that a send here has met */
    send_to( s, &nobody, "a" );
    Sleep( SETTLE );
    todo_wine check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAECONNRESET );
    run_child( s, WSAECONNRESET );
    check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAEWOULDBLOCK );
    run_child( s, WSAEWOULDBLOCK );
    closesocket( s );
}

START_TEST(udp)
{
    static const int families[] = { AF_INET, AF_INET6 };
    char **argv;
    int i, argc = winetest_get_mainargs( &argv );
    WSADATA data;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    if (argc == 5) flaky_wine child_recv( strtoul( argv[3], NULL, 10 ), atoi( argv[4] ) );
    else
    {
        for (i = 0; i < 2; i++)
        {
            test_unreachable( families[i], FALSE );
            test_unreachable( families[i], TRUE );
            test_connreset_off( families[i], FALSE );
            test_connreset_off( families[i], TRUE );
            test_queue_after_shutdown( families[i] );
        }
        test_waiting();
        test_netreset();
        test_arguments();
        test_sends();
        test_shared();
    }
    WSACleanup();
}
