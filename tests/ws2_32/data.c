/*
 * Sending and receiving without overlapped I/O
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

static void test_round_trip( int family )
{
    SOCKET client, server;
    char buffer[32], hello[] = "hello", world[] = "world!";
    DWORD count, flags;
    WSABUF buf;
    int ret;

    winetest_push_context( "family %d", family );
    tcp_pair_family( family, &client, &server );

    check_int( send( client, "abc", 3, 0 ), 3 );
    memset( buffer, 0xcc, sizeof(buffer) );
    check_int( recv( server, buffer, sizeof(buffer), 0 ), 3 );
    ok( !memcmp( buffer, "abc", 3 ), "got %s\n", debugstr_an( buffer, 3 ) );
    ok( buffer[3] == (char)0xcc, "more was written than received\n" );

    buf.buf = hello;
    buf.len = 5;
    count = 0xdeadbeef;
    check_ok( WSASend( server, &buf, 1, &count, 0, NULL, NULL ) );
    ok( count == 5, "got %lu\n", count );

    buf.buf = buffer;
    buf.len = sizeof(buffer);
    count = flags = 0;
    check_ok( WSARecv( client, &buf, 1, &count, &flags, NULL, NULL ) );
    ok( count == 5, "got %lu\n", count );
    ok( !flags, "got flags %#lx\n", flags );
    ok( !memcmp( buffer, hello, 5 ), "got %s\n", debugstr_an( buffer, 5 ) );

    buf.buf = world;
    buf.len = 6;
    check_ok( WSASendTo( server, &buf, 1, &count, 0, NULL, 0, NULL, NULL ) );
    ok( count == 6, "got %lu\n", count );
    buf.buf = buffer;
    buf.len = sizeof(buffer);
    flags = 0;
    check_ok( WSARecvFrom( client, &buf, 1, &count, &flags, NULL, NULL, NULL, NULL ) );
    ok( count == 6, "got %lu\n", count );
    ok( !memcmp( buffer, world, 6 ), "got %s\n", debugstr_an( buffer, 6 ) );

    /* a large receive takes what is there */
    check_int( send( server, "1", 1, 0 ), 1 );
    ret = recv( client, buffer, sizeof(buffer), 0 );
    ok( ret == 1, "got %d\n", ret );

    closesocket( client );
    closesocket( server );
    winetest_pop_context();
}

static void test_udp_round_trip( int family )
{
    union address addr_a, addr_b, from;
    char buffer[32], hello[] = "hello";
    DWORD count, flags;
    SOCKET a, b;
    WSABUF buf;
    int len;

    winetest_push_context( "family %d", family );
    a = socket_bound( family, SOCK_DGRAM, &addr_a );
    b = socket_bound( family, SOCK_DGRAM, &addr_b );

    check_int( sendto( a, "abc", 3, 0, &addr_b.sa, address_len( family ) ), 3 );
    memset( &from, 0xcc, sizeof(from) );
    len = sizeof(from);
    check_int( recvfrom( b, buffer, sizeof(buffer), 0, &from.sa, &len ), 3 );
    ok( !memcmp( buffer, "abc", 3 ), "got %s\n", debugstr_an( buffer, 3 ) );
    ok( len == address_len( family ), "got length %d\n", len );
    ok( from.sa.sa_family == family, "got family %d\n", from.sa.sa_family );
    ok( address_port( &from ) == address_port( &addr_a ), "got port %u\n", address_port( &from ) );

    buf.buf = hello;
    buf.len = 5;
    count = 0xdeadbeef;
    check_ok( WSASendTo( b, &buf, 1, &count, 0, &addr_a.sa, address_len( family ), NULL, NULL ) );
    ok( count == 5, "got %lu\n", count );
    buf.buf = buffer;
    buf.len = sizeof(buffer);
    count = 0xdeadbeef;
    flags = 0;
    len = sizeof(from);
    check_ok( WSARecvFrom( a, &buf, 1, &count, &flags, &from.sa, &len, NULL, NULL ) );
    ok( count == 5, "got %lu\n", count );
    ok( !flags, "got flags %#lx\n", flags );
    ok( len == address_len( family ), "got length %d\n", len );
    ok( address_port( &from ) == address_port( &addr_b ), "got port %u\n", address_port( &from ) );
    ok( !memcmp( buffer, hello, 5 ), "got %s\n", debugstr_an( buffer, 5 ) );

    /* each datagram is received by itself, in order */
    check_int( sendto( a, "1", 1, 0, &addr_b.sa, address_len( family ) ), 1 );
    check_int( sendto( a, "22", 2, 0, &addr_b.sa, address_len( family ) ), 2 );
    check_int( sendto( a, "333", 3, 0, &addr_b.sa, address_len( family ) ), 3 );
    check_int( recv( b, buffer, sizeof(buffer), 0 ), 1 );
    check_int( recvfrom( b, buffer, sizeof(buffer), 0, NULL, NULL ), 2 );
    check_int( recv( b, buffer, sizeof(buffer), 0 ), 3 );

    closesocket( a );
    closesocket( b );
    winetest_pop_context();
}

static void test_zero_lengths(void)
{
    SOCKET client, server, a, b;
    DWORD count, flags = 0;
    WSABUF bufs[3];
    char buffer[8];

    tcp_pair( &client, &server );
    check_int( send( client, "", 0, 0 ), 0 );
    check_int( send( client, NULL, 0, 0 ), 0 );
    socket_set_nonblocking( server, TRUE );
    check_error( recv( server, buffer, sizeof(buffer), 0 ), WSAEWOULDBLOCK );
    /* an empty receive waits for data, too, and takes none of it */
    check_error( recv( server, buffer, 0, 0 ), WSAEWOULDBLOCK );
    check_int( send( client, "x", 1, 0 ), 1 );
    ok( wait_readable( server, 1000 ), "nothing arrived\n" );
    check_int( recv( server, buffer, 0, 0 ), 0 );
    check_int( recv( server, NULL, 0, 0 ), 0 );
    check_int( recv( server, buffer, sizeof(buffer), 0 ), 1 );
    socket_set_nonblocking( server, FALSE );

    /* empty buffers among others */
    bufs[0].buf = NULL;
    bufs[0].len = 0;
    bufs[1].buf = "ab";
    bufs[1].len = 2;
    bufs[2].buf = buffer;
    bufs[2].len = 0;
    check_ok( WSASend( client, bufs, 3, &count, 0, NULL, NULL ) );
    ok( count == 2, "got %lu\n", count );
    bufs[1].buf = buffer;
    check_ok( WSARecv( server, bufs, 3, &count, &flags, NULL, NULL ) );
    ok( count == 2, "got %lu\n", count );
    ok( !memcmp( buffer, "ab", 2 ), "got %s\n", debugstr_an( buffer, 2 ) );
    closesocket( client );
    closesocket( server );

    /* an empty datagram is a datagram */
    udp_pair( &a, &b );
    check_int( send( a, "", 0, 0 ), 0 );
    check_int( send( a, "y", 1, 0 ), 1 );
    check_int( recv( b, buffer, sizeof(buffer), 0 ), 0 );
    check_int( recv( b, buffer, sizeof(buffer), 0 ), 1 );
    bufs[0].buf = NULL;
    bufs[0].len = 0;
    check_ok( WSASend( a, bufs, 1, &count, 0, NULL, NULL ) );
    ok( !count, "got %lu\n", count );
    bufs[0].buf = buffer;
    bufs[0].len = sizeof(buffer);
    count = 0xdeadbeef;
    check_ok( WSARecv( b, bufs, 1, &count, &flags, NULL, NULL ) );
    ok( !count, "got %lu\n", count );
    closesocket( a );
    closesocket( b );
}

/* sends with one cut of the data into buffers and receives with another */
static void test_buffers( unsigned send_count, unsigned recv_count, unsigned total )
{
    char *out = malloc( total ), *in = calloc( 1, total );
    WSABUF *bufs = calloc( max( send_count, recv_count ), sizeof(*bufs) );
    DWORD count, flags, pos = 0;
    SOCKET client, server;
    unsigned i;
    int ret;

    winetest_push_context( "%u bytes in %u and %u buffers", total, send_count, recv_count );
    tcp_pair( &client, &server );
    pattern_fill( out, total, total );
    for (i = 0; i < send_count; i++)
    {
        bufs[i].buf = out + (SIZE_T)total * i / send_count;
        bufs[i].len = out + (SIZE_T)total * (i + 1) / send_count - bufs[i].buf;
    }
    count = 0;
    /* Linux takes 1024 at once */
    todo_wine_if( send_count > 1024 ) check_ok( WSASend( client, bufs, send_count, &count, 0, NULL, NULL ) );
    todo_wine_if( send_count > 1024 ) ok( count == total, "sent %lu\n", count );
    shutdown( client, SD_SEND );

    while (pos < total)
    {
        for (i = 0; i < recv_count; i++)
        {
            bufs[i].buf = in + pos + (SIZE_T)(total - pos) * i / recv_count;
            bufs[i].len = in + pos + (SIZE_T)(total - pos) * (i + 1) / recv_count - bufs[i].buf;
        }
        flags = count = 0;
        ret = WSARecv( server, bufs, recv_count, &count, &flags, NULL, NULL );
        if (ret || !count) break;
        pos += count;
    }
    todo_wine_if( send_count > 1024 || recv_count > 1024 )
    {
        ok( pos == total, "received %lu, error %d\n", pos, WSAGetLastError() );
        ok( pattern_matches( in, total, total ), "received other data\n" );
    }
    todo_wine_if( send_count <= 1024 && recv_count > 1024 ) check_closed( server );

    closesocket( client );
    closesocket( server );
    free( in );
    free( out );
    free( bufs );
    winetest_pop_context();
}

/* a datagram out of and into many buffers */
static void test_datagram_buffers( unsigned buffers, unsigned total )
{
    char *out = malloc( total ), *in = calloc( 1, total );
    WSABUF *bufs = calloc( buffers, sizeof(*bufs) );
    DWORD count, flags = 0;
    SOCKET a, b;
    unsigned i;

    winetest_push_context( "%u bytes in %u buffers", total, buffers );
    udp_pair( &a, &b );
    pattern_fill( out, total, total );
    for (i = 0; i < buffers; i++)
    {
        bufs[i].buf = out + (SIZE_T)total * i / buffers;
        bufs[i].len = out + (SIZE_T)total * (i + 1) / buffers - bufs[i].buf;
    }
    todo_wine_if( buffers > 1024 ) check_ok( WSASend( a, bufs, buffers, &count, 0, NULL, NULL ) );
    todo_wine_if( buffers > 1024 ) ok( count == total, "sent %lu\n", count );
    for (i = 0; i < buffers; i++)
    {
        bufs[i].buf = in + (SIZE_T)total * i / buffers;
        bufs[i].len = in + (SIZE_T)total * (i + 1) / buffers - bufs[i].buf;
    }
    count = 0;
    todo_wine_if( buffers > 1024 ) check_ok( WSARecv( b, bufs, buffers, &count, &flags, NULL, NULL ) );
    todo_wine_if( buffers > 1024 ) ok( count == total, "received %lu\n", count );
    todo_wine_if( buffers > 1024 ) ok( pattern_matches( in, total, total ), "received other data\n" );
    closesocket( a );
    closesocket( b );
    free( in );
    free( out );
    free( bufs );
    winetest_pop_context();
}

static void piece_datagram_3000(void)
{
    test_datagram_buffers( 3000, 30000 );
}

static void test_bad_arguments(void)
{
    SOCKET client, server;
    DWORD count, flags = 0;
    char buffer[8];
    WSABUF buf = { sizeof(buffer), buffer };

    tcp_pair( &client, &server );
    socket_set_timeout( client, 500 );
    todo_wine check_error( WSARecv( client, &buf, 0, &count, &flags, NULL, NULL ), WSAEINVAL );
    check_error( send( client, NULL, 4, 0 ), WSAEFAULT );
    check_int( send( server, "data", 4, 0 ), 4 );
    ok( wait_readable( client, 1000 ), "nothing arrived\n" );
    check_error( recv( client, NULL, 4, 0 ), WSAEFAULT );
    recv_exactly( client, "data", 4 );
    closesocket( client );
    closesocket( server );
}

static void piece_null_pointers(void)
{
    SOCKET client, server;
    DWORD count, flags = 0;
    char buffer[8];
    WSABUF buf = { sizeof(buffer), buffer };

    tcp_pair( &client, &server );
    check_error( WSASend( client, NULL, 1, &count, 0, NULL, NULL ), WSAEFAULT );
    check_error( WSASend( client, &buf, 1, NULL, 0, NULL, NULL ), WSAEFAULT );
    check_error( WSARecv( client, NULL, 1, &count, &flags, NULL, NULL ), WSAEFAULT );
    check_error( WSARecv( client, &buf, 1, &count, NULL, NULL, NULL ), WSAEFAULT );
    check_int( send( server, "abc", 3, 0 ), 3 );
    ok( wait_readable( client, 1000 ), "nothing arrived\n" );
    todo_wine check_error( WSARecv( client, &buf, 1, NULL, &flags, NULL, NULL ), WSAEFAULT );
    closesocket( client );
    closesocket( server );
}

static void test_peek(void)
{
    union address addr_a, addr_b, from;
    SOCKET client, server, a, b;
    DWORD count, flags;
    WSABUF bufs[2];
    char buffer[16], other[16];
    int len;

    tcp_pair( &client, &server );
    check_int( send( client, "peekaboo", 8, 0 ), 8 );
    ok( wait_readable( server, 1000 ), "nothing arrived\n" );
    check_int( recv( server, buffer, 4, MSG_PEEK ), 4 );
    ok( !memcmp( buffer, "peek", 4 ), "got %s\n", debugstr_an( buffer, 4 ) );
    check_int( recv( server, buffer, sizeof(buffer), MSG_PEEK ), 8 );
    bufs[0].buf = buffer;
    bufs[0].len = 3;
    bufs[1].buf = other;
    bufs[1].len = sizeof(other);
    flags = MSG_PEEK;
    check_ok( WSARecv( server, bufs, 2, &count, &flags, NULL, NULL ) );
    ok( count == 8, "got %lu\n", count );
    ok( !memcmp( other, "kaboo", 5 ), "got %s\n", debugstr_an( other, 5 ) );
    recv_exactly( server, "peekaboo", 8 );
    socket_set_nonblocking( server, TRUE );
    check_error( recv( server, buffer, 4, MSG_PEEK ), WSAEWOULDBLOCK );
    shutdown( client, SD_SEND );
    ok( wait_readable( server, 1000 ), "no end of the stream\n" );
    check_int( recv( server, buffer, 4, MSG_PEEK ), 0 );
    check_int( recv( server, buffer, 4, 0 ), 0 );
    check_int( recv( server, buffer, 4, 0 ), 0 );
    closesocket( client );
    closesocket( server );

    a = socket_bound( AF_INET, SOCK_DGRAM, &addr_a );
    b = socket_bound( AF_INET, SOCK_DGRAM, &addr_b );
    check_int( sendto( a, "first one", 9, 0, &addr_b.sa, sizeof(addr_b.in) ), 9 );
    check_int( sendto( a, "second", 6, 0, &addr_b.sa, sizeof(addr_b.in) ), 6 );
    len = sizeof(from);
    check_int( recvfrom( b, buffer, sizeof(buffer), MSG_PEEK, &from.sa, &len ), 9 );
    ok( address_port( &from ) == address_port( &addr_a ), "got port %u\n", address_port( &from ) );
    /* a peek that truncates leaves the datagram whole */
    check_error( recv( b, buffer, 5, MSG_PEEK ), WSAEMSGSIZE );
    ok( !memcmp( buffer, "first", 5 ), "got %s\n", debugstr_an( buffer, 5 ) );
    check_int( recv( b, buffer, sizeof(buffer), 0 ), 9 );
    check_int( recv( b, buffer, sizeof(buffer), 0 ), 6 );
    closesocket( a );
    closesocket( b );
}

static void test_oob(void)
{
    SOCKET client, server;
    char buffer[16];
    int on = 1;

    tcp_pair( &client, &server );
    socket_set_nonblocking( server, TRUE );
    check_error( recv( server, buffer, 1, MSG_OOB ), WSAEWOULDBLOCK );

    check_int( send( client, "ab", 2, 0 ), 2 );
    check_int( send( client, "X", 1, MSG_OOB ), 1 );
    check_int( send( client, "cd", 2, 0 ), 2 );
    Sleep( 50 );
    check_int( recv( server, buffer, sizeof(buffer), MSG_OOB ), 1 );
    ok( buffer[0] == 'X', "got %s\n", debugstr_an( buffer, 1 ) );
    check_error( recv( server, buffer, 1, MSG_OOB ), WSAEWOULDBLOCK );
    socket_set_nonblocking( server, FALSE );
    recv_exactly( server, "abcd", 4 );

    /* normal data does not have it, also if nobody asks for it */
    check_int( send( client, "ef", 2, 0 ), 2 );
    check_int( send( client, "Y", 1, MSG_OOB ), 1 );
    check_int( send( client, "gh", 2, 0 ), 2 );
    recv_exactly( server, "efgh", 4 );
    closesocket( client );
    closesocket( server );

    /* looking at it leaves it there */
    tcp_pair( &client, &server );
    check_int( send( client, "Z", 1, MSG_OOB ), 1 );
    Sleep( 50 );
    socket_set_nonblocking( server, TRUE );
    check_int( recv( server, buffer, 1, MSG_OOB | MSG_PEEK ), 1 );
    ok( buffer[0] == 'Z', "got %s\n", debugstr_an( buffer, 1 ) );
    check_int( recv( server, buffer, 1, MSG_OOB ), 1 );
    ok( buffer[0] == 'Z', "got %s\n", debugstr_an( buffer, 1 ) );

    /* only the last byte of several is urgent */
    check_int( send( client, "123", 3, MSG_OOB ), 3 );
    Sleep( 50 );
    check_int( recv( server, buffer, sizeof(buffer), MSG_OOB ), 1 );
    ok( buffer[0] == '3', "got %s\n", debugstr_an( buffer, 1 ) );
    socket_set_nonblocking( server, FALSE );
    recv_exactly( server, "12", 2 );
    closesocket( client );
    closesocket( server );

    /* in line */
    tcp_pair( &client, &server );
    check_ok( setsockopt( server, SOL_SOCKET, SO_OOBINLINE, (char *)&on, sizeof(on) ) );
    check_error( recv( server, buffer, 1, MSG_OOB ), WSAEINVAL );
    check_int( send( client, "ab", 2, 0 ), 2 );
    check_int( send( client, "X", 1, MSG_OOB ), 1 );
    check_int( send( client, "cd", 2, 0 ), 2 );
    recv_exactly( server, "abXcd", 5 );
    check_error( recv( server, buffer, 1, MSG_OOB ), WSAEINVAL );
    closesocket( client );
    closesocket( server );
}

static void test_oob_datagram(void)
{
    SOCKET a, b;
    char c = 0;

    udp_pair( &a, &b );
    socket_set_timeout( a, 500 );
    check_error( send( a, "x", 1, MSG_OOB ), WSAEOPNOTSUPP );
    todo_wine check_error( recv( a, &c, 1, MSG_OOB ), WSAEOPNOTSUPP );
    closesocket( a );
    closesocket( b );
}

/* sends in several pieces with pauses, then ends the stream */
static DWORD WINAPI slow_sender( void *arg )
{
    SOCKET s = (SOCKET)arg;
    int i;

    for (i = 0; i < 5; i++)
    {
        Sleep( 30 );
        send( s, "12345", 5, 0 );
    }
    shutdown( s, SD_SEND );
    return 0;
}

static void test_waitall(void)
{
    SOCKET client, server, a, b;
    char buffer[64], second[8];
    DWORD count, flags;
    WSABUF bufs[2];
    HANDLE thread;

    tcp_pair( &client, &server );
    thread = thread_start( slow_sender, (void *)client );
    todo_wine check_int( recv( server, buffer, 12, MSG_WAITALL ), 12 );
    todo_wine ok( !memcmp( buffer, "123451234512", 12 ), "got %s\n", debugstr_an( buffer, 12 ) );
    bufs[0].buf = buffer;
    bufs[0].len = 2;
    bufs[1].buf = second;
    bufs[1].len = 4;
    flags = MSG_WAITALL;
    count = 0;
    check_ok( WSARecv( server, bufs, 2, &count, &flags, NULL, NULL ) );
    todo_wine ok( count == 6, "got %lu\n", count );
    /* the end of the stream ends the waiting */
    todo_wine check_int( recv( server, buffer, sizeof(buffer), MSG_WAITALL ), 7 );
    todo_wine check_int( recv( server, buffer, sizeof(buffer), MSG_WAITALL ), 0 );
    thread_end( thread );

    socket_set_timeout( client, 500 );
    todo_wine check_error( recv( client, buffer, 4, MSG_WAITALL | MSG_PEEK ), WSAEOPNOTSUPP );
    todo_wine check_error( recv( client, buffer, 4, MSG_WAITALL | MSG_OOB ), WSAEOPNOTSUPP );
    socket_set_nonblocking( client, TRUE );
    todo_wine check_error( recv( client, buffer, 4, MSG_WAITALL ), WSAEOPNOTSUPP );
    closesocket( client );
    closesocket( server );

    udp_pair( &a, &b );
    socket_set_timeout( b, 500 );
    check_int( send( a, "1234", 4, 0 ), 4 );
    todo_wine check_error( recv( b, buffer, 4, MSG_WAITALL ), WSAEOPNOTSUPP );
    todo_wine check_int( recv( b, buffer, sizeof(buffer), 0 ), 4 );
    closesocket( a );
    closesocket( b );
}

/* MSG_PARTIAL as a parameter says that a part of a message is enough: nothing to a stream */
static void test_partial(void)
{
    SOCKET client, server;
    DWORD count = 0, flags = MSG_PARTIAL;
    char buffer[8];
    WSABUF buf = { sizeof(buffer), buffer };

    tcp_pair( &client, &server );
    check_int( send( client, "abc", 3, 0 ), 3 );
    check_ok( WSARecv( server, &buf, 1, &count, &flags, NULL, NULL ) );
    ok( count == 3, "got %lu\n", count );
    closesocket( client );
    closesocket( server );

    udp_pair( &client, &server );
    check_int( send( client, "abc", 3, 0 ), 3 );
    flags = MSG_PARTIAL;
    check_ok( WSARecv( server, &buf, 1, &count, &flags, NULL, NULL ) );
    ok( count == 3, "got %lu\n", count );
    todo_wine ok( !flags, "a whole datagram: got flags %#lx\n", flags );
    closesocket( client );
    closesocket( server );
}

static void test_dontroute(void)
{
    SOCKET client, server, a, b;
    char buffer[8];

    tcp_pair( &client, &server );
    check_int( send( client, "abc", 3, MSG_DONTROUTE ), 3 );
    recv_exactly( server, "abc", 3 );
    closesocket( client );
    closesocket( server );
    udp_pair( &a, &b );
    check_int( send( a, "abc", 3, MSG_DONTROUTE ), 3 );
    check_int( recv( b, buffer, sizeof(buffer), 0 ), 3 );
    closesocket( a );
    closesocket( b );
}

static void test_truncation(void)
{
    union address addr_a, addr_b, from;
    DWORD count, flags;
    char buffer[16], other[4];
    WSABUF bufs[2];
    SOCKET a, b;
    int i, len;

    a = socket_bound( AF_INET, SOCK_DGRAM, &addr_a );
    b = socket_bound( AF_INET, SOCK_DGRAM, &addr_b );
    for (i = 0; i < 5; i++)
        check_int( sendto( a, "0123456789", 10, 0, &addr_b.sa, sizeof(addr_b.in) ), 10 );
    check_int( sendto( a, "end", 3, 0, &addr_b.sa, sizeof(addr_b.in) ), 3 );

    memset( buffer, 0xcc, sizeof(buffer) );
    check_error( recv( b, buffer, 4, 0 ), WSAEMSGSIZE );
    ok( !memcmp( buffer, "0123\xcc", 5 ), "got %s\n", debugstr_an( buffer, 5 ) );

    memset( &from, 0, sizeof(from) );
    len = sizeof(from);
    check_error( recvfrom( b, buffer, 4, 0, &from.sa, &len ), WSAEMSGSIZE );
    ok( len == sizeof(from.in), "got length %d\n", len );
    ok( address_port( &from ) == address_port( &addr_a ), "got port %u\n", address_port( &from ) );

    bufs[0].buf = buffer;
    bufs[0].len = 3;
    bufs[1].buf = other;
    bufs[1].len = 4;
    flags = 0;
    count = 0xdeadbeef;
    check_error( WSARecv( b, bufs, 2, &count, &flags, NULL, NULL ), WSAEMSGSIZE );
    todo_wine ok( count == 7, "got %lu\n", count );
    ok( !memcmp( other, "3456", 4 ), "got %s\n", debugstr_an( other, 4 ) );

    memset( &from, 0, sizeof(from) );
    len = sizeof(from);
    flags = 0;
    count = 0xdeadbeef;
    check_error( WSARecvFrom( b, bufs, 2, &count, &flags, &from.sa, &len, NULL, NULL ), WSAEMSGSIZE );
    todo_wine ok( count == 7, "got %lu\n", count );
    ok( address_port( &from ) == address_port( &addr_a ), "got port %u\n", address_port( &from ) );

    /* one with no room at all */
    check_error( recv( b, buffer, 0, 0 ), WSAEMSGSIZE );
    check_int( recv( b, buffer, sizeof(buffer), 0 ), 3 );
    ok( !memcmp( buffer, "end", 3 ), "got %s\n", debugstr_an( buffer, 3 ) );
    closesocket( a );
    closesocket( b );
}

static void test_not_connected(void)
{
    union address addr;
    char buffer[8];
    DWORD count, flags = 0;
    WSABUF buf = { sizeof(buffer), buffer };
    SOCKET s;

    memset( buffer, 0, sizeof(buffer) );
    s = socket_new( AF_INET, SOCK_STREAM );
    todo_wine check_error( send( s, "a", 1, 0 ), WSAENOTCONN );
    check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAENOTCONN );
    todo_wine check_error( WSASend( s, &buf, 1, &count, 0, NULL, NULL ), WSAENOTCONN );
    check_error( WSARecv( s, &buf, 1, &count, &flags, NULL, NULL ), WSAENOTCONN );
    todo_wine check_error( sendto( s, "a", 1, 0, NULL, 0 ), WSAENOTCONN );
    check_error( recvfrom( s, buffer, sizeof(buffer), 0, NULL, NULL ), WSAENOTCONN );
    closesocket( s );

    s = socket_bound( AF_INET, SOCK_STREAM, &addr );
    todo_wine check_error( send( s, "a", 1, 0 ), WSAENOTCONN );
    check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAENOTCONN );
    closesocket( s );

    s = socket_new( AF_INET, SOCK_DGRAM );
    socket_set_timeout( s, 200 );
    todo_wine check_error( send( s, "a", 1, 0 ), WSAENOTCONN );
    todo_wine check_error( WSASend( s, &buf, 1, &count, 0, NULL, NULL ), WSAENOTCONN );
    todo_wine check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAEINVAL );
    todo_wine check_error( recvfrom( s, buffer, sizeof(buffer), 0, NULL, NULL ), WSAEINVAL );
    todo_wine check_error( WSARecv( s, &buf, 1, &count, &flags, NULL, NULL ), WSAEINVAL );
    todo_wine check_error( WSARecvFrom( s, &buf, 1, &count, &flags, NULL, NULL, NULL, NULL ), WSAEINVAL );
    closesocket( s );
}

static void piece_listener(void)
{
    union address addr;
    SOCKET s = socket_listening( AF_INET, &addr );
    char buffer[8];

    todo_wine check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAENOTCONN );
    check_error( send( s, "a", 1, 0 ), WSAENOTCONN );
    closesocket( s );
}

static void test_addresses(void)
{
    union address addr_a, addr_b, addr_c, from;
    SOCKET a, b, c, client, server;
    DWORD count, flags;
    char buffer[16];
    WSABUF buf = { sizeof(buffer), buffer };
    int len;

    /* a first sendto() binds */
    a = socket_new( AF_INET, SOCK_DGRAM );
    socket_set_timeout( a, 2000 );
    b = socket_bound( AF_INET, SOCK_DGRAM, &addr_b );
    len = sizeof(addr_a);
    check_error( getsockname( a, &addr_a.sa, &len ), WSAEINVAL );
    check_int( sendto( a, "abc", 3, 0, &addr_b.sa, sizeof(addr_b.in) ), 3 );
    len = sizeof(addr_a);
    check_ok( getsockname( a, &addr_a.sa, &len ) );
    ok( address_port( &addr_a ), "not bound to a port\n" );
    len = sizeof(from);
    check_int( recvfrom( b, buffer, sizeof(buffer), 0, &from.sa, &len ), 3 );
    ok( address_port( &from ) == address_port( &addr_a ), "got port %u\n", address_port( &from ) );

    /* addresses that are too short, of another family, or nowhere */
    check_error( sendto( a, "abc", 3, 0, &addr_b.sa, sizeof(addr_b.in) - 1 ), WSAEFAULT );
    check_error( sendto( a, "abc", 3, 0, &addr_b.sa, 1 ), WSAEFAULT );
    memset( &addr_c, 0, sizeof(addr_c) );
    address_loopback( &addr_c, AF_INET6, address_port( &addr_b ) );
    todo_wine check_error( sendto( a, "abc", 3, 0, &addr_c.sa, sizeof(addr_c.in6) ), WSAEAFNOSUPPORT );
    addr_c = addr_b;
    addr_c.in.sin_addr.s_addr = htonl( INADDR_BROADCAST );
    check_error( sendto( a, "abc", 3, 0, &addr_c.sa, sizeof(addr_c.in) ), WSAEACCES );
    addr_c = addr_b;
    addr_c.in.sin_port = 0;
    todo_wine check_int( sendto( a, "abc", 3, 0, &addr_c.sa, sizeof(addr_c.in) ), 3 );

    /* a longer address is fine */
    check_int( sendto( a, "xyz", 3, 0, &addr_b.sa, sizeof(addr_b) ), 3 );
    check_int( recv( b, buffer, sizeof(buffer), 0 ), 3 );

    /* too little room for the sender's address: the datagram stays */
    check_int( sendto( a, "abcde", 5, 0, &addr_b.sa, sizeof(addr_b.in) ), 5 );
    len = sizeof(from.in) - 1;
    todo_wine check_error( recvfrom( b, buffer, sizeof(buffer), 0, &from.sa, &len ), WSAEFAULT );
    len = 0;
    todo_wine check_error( recvfrom( b, buffer, sizeof(buffer), 0, &from.sa, &len ), WSAEFAULT );
    todo_wine check_int( recvfrom( b, buffer, sizeof(buffer), 0, NULL, NULL ), 5 );

    /* a connected one: sendto() can still send elsewhere, but only the peer's datagrams arrive */
    c = socket_bound( AF_INET, SOCK_DGRAM, &addr_c );
    check_ok( connect( a, &addr_b.sa, sizeof(addr_b.in) ) );
    check_int( sendto( a, "to c", 4, 0, &addr_c.sa, sizeof(addr_c.in) ), 4 );
    check_int( recv( c, buffer, sizeof(buffer), 0 ), 4 );
    check_int( sendto( a, "to b", 4, 0, NULL, 0 ), 4 );
    check_int( recv( b, buffer, sizeof(buffer), 0 ), 4 );
    memcpy( buffer, "again", 5 );
    buf.len = 5;
    todo_wine check_ok( WSASendTo( a, &buf, 1, &count, 0, &addr_b.sa, 0, NULL, NULL ) );
    check_ok( WSASendTo( a, &buf, 1, &count, 0, NULL, 0, NULL, NULL ) );
    check_int( recv( b, buffer, sizeof(buffer), 0 ), 5 );
    if (wait_readable( b, 100 )) check_int( recv( b, buffer, sizeof(buffer), 0 ), 5 );

    len = sizeof(addr_a);
    check_ok( getsockname( a, &addr_a.sa, &len ) );
    addr_a.in.sin_addr.s_addr = htonl( INADDR_LOOPBACK );
    check_int( sendto( c, "stranger", 8, 0, &addr_a.sa, sizeof(addr_a.in) ), 8 );
    check_int( sendto( b, "friend", 6, 0, &addr_a.sa, sizeof(addr_a.in) ), 6 );
    check_int( recv( a, buffer, sizeof(buffer), 0 ), 6 );
    closesocket( a );
    closesocket( b );

    /* on a stream the address means nothing */
    tcp_pair( &client, &server );
    check_int( sendto( client, "abc", 3, 0, &addr_c.sa, sizeof(addr_c.in) ), 3 );
    memset( &from, 0xcc, sizeof(from) );
    len = sizeof(from);
    check_int( recvfrom( server, buffer, sizeof(buffer), 0, &from.sa, &len ), 3 );
    ok( from.sa.sa_family == 0xcccc, "the address was written\n" );
    memcpy( buffer, "abcd", 4 );
    buf.len = 4;
    check_ok( WSASendTo( server, &buf, 1, &count, 0, &addr_c.sa, sizeof(addr_c.in), NULL, NULL ) );
    buf.len = sizeof(buffer);
    flags = 0;
    len = sizeof(from);
    check_ok( WSARecvFrom( client, &buf, 1, &count, &flags, &from.sa, &len, NULL, NULL ) );
    ok( count == 4, "got %lu\n", count );
    ok( from.sa.sa_family == 0xcccc, "the address was written\n" );
    closesocket( client );
    closesocket( server );
    closesocket( c );
}

static void test_large_datagrams(void)
{
    char *out = malloc( 66000 ), *in = malloc( 66000 );
    SOCKET a, b;

    udp_pair( &a, &b );
    pattern_fill( out, 66000, 1 );
    check_int( send( a, out, 65507, 0 ), 65507 );
    check_int( recv( b, in, 66000, 0 ), 65507 );
    ok( pattern_matches( in, 65507, 1 ), "received other data\n" );
    check_error( send( a, out, 65508, 0 ), WSAEMSGSIZE );
    check_error( send( a, out, 66000, 0 ), WSAEMSGSIZE );
    closesocket( a );
    closesocket( b );
    free( in );
    free( out );
}

struct transfer
{
    SOCKET s;
    unsigned seed, size;
    DWORD received;
    BOOL matches;
};

static DWORD WINAPI receive_all( void *arg )
{
    struct transfer *transfer = arg;
    char *buffer = malloc( 65536 );
    int ret;

    transfer->matches = TRUE;
    transfer->received = 0;
    while ((ret = recv( transfer->s, buffer, 65536, 0 )) > 0)
    {
        if (!pattern_matches( buffer, ret, transfer->seed + transfer->received )) transfer->matches = FALSE;
        transfer->received += ret;
    }
    free( buffer );
    return ret ? WSAGetLastError() : 0;
}

static void check_received_( int line, HANDLE thread, const struct transfer *transfer )
{
    DWORD ret = thread_end_( __FILE__, line, thread );

    ok_(__FILE__, line)( !ret && transfer->received == transfer->size && transfer->matches,
                         "the stream ended with error %ld after %lu bytes of %u, %s\n", ret, transfer->received,
                         transfer->size, transfer->matches ? "which are right" : "which are wrong" );
}
#define check_received( thread, transfer ) check_received_( __LINE__, thread, transfer )

/* a blocking send returns when it has taken everything, a non-blocking one takes everything at once */
static void test_large_send( BOOL nonblocking )
{
    const unsigned size = 16 * 1024 * 1024;
    struct transfer transfer = { 0 };
    char *out = malloc( size );
    SOCKET client, server;
    HANDLE thread;

    winetest_push_context( nonblocking ? "non-blocking" : "blocking" );
    tcp_pair( &client, &server );
    transfer.s = server;
    transfer.size = size;
    transfer.seed = 7;
    pattern_fill( out, size, 7 );
    if (nonblocking) socket_set_nonblocking( client, TRUE );
    else thread = thread_start( receive_all, &transfer );
    todo_wine_if( nonblocking ) check_int( send( client, out, size, 0 ), (int)size );
    if (nonblocking)
    {
        /* no room now */
        check_error( send( client, out, 1, 0 ), WSAEWOULDBLOCK );
        ok( !wait_writable( client, 0 ), "is writable\n" );
    }
    /* the buffer is the program's again */
    memset( out, 0, size );
    if (nonblocking) thread = thread_start( receive_all, &transfer );
    if (nonblocking) ok( wait_writable( client, 5000 ), "never writable again\n" );
    shutdown( client, SD_SEND );
    todo_wine_if( nonblocking ) check_received( thread, &transfer );
    closesocket( client );
    closesocket( server );
    free( out );
    winetest_pop_context();
}

static void piece_large_nonblocking(void)
{
    test_large_send( TRUE );
}

/* the same with many buffers; then the socket is closed at once, and nothing is lost */
static void test_large_send_and_close(void)
{
    const unsigned size = 8 * 1024 * 1024, count = 2048;
    WSABUF *bufs = calloc( count, sizeof(*bufs) );
    struct transfer transfer = { 0 };
    char *out = malloc( size );
    SOCKET client, server;
    DWORD sent = 0;
    unsigned i;

    tcp_pair( &client, &server );
    transfer.s = server;
    transfer.size = size;
    transfer.seed = 9;
    pattern_fill( out, size, 9 );
    for (i = 0; i < count; i++)
    {
        bufs[i].buf = out + i * (size / count);
        bufs[i].len = size / count;
    }
    socket_set_nonblocking( client, TRUE );
    todo_wine check_ok( WSASend( client, bufs, count, &sent, 0, NULL, NULL ) );
    todo_wine ok( sent == size, "sent %lu\n", sent );
    check_ok( closesocket( client ) );
    memset( out, 0, size );
    todo_wine check_received( thread_start( receive_all, &transfer ), &transfer );
    closesocket( server );
    free( out );
    free( bufs );
}

static void piece_large_and_close(void)
{
    test_large_send_and_close();
}

/* the child: sends much, closes and ends */
static void child_send_and_exit( const char *port )
{
    const unsigned size = 4 * 1024 * 1024;
    char *out = malloc( size );
    union address addr;
    SOCKET s;

    address_loopback( &addr, AF_INET, atoi( port ) );
    s = socket_connecting( &addr );
    pattern_fill( out, size, 11 );
    socket_set_nonblocking( s, TRUE );
    todo_wine check_int( send( s, out, size, 0 ), (int)size );
    check_ok( closesocket( s ) );
}

static void test_send_and_exit(void)
{
    struct transfer transfer = { .size = 4 * 1024 * 1024, .seed = 11 };
    union address addr;
    SOCKET listener;
    HANDLE process, thread;
    char args[32];

    listener = socket_listening( AF_INET, &addr );
    sprintf( args, "sender %u", address_port( &addr ) );
    process = child_start( args, NULL );
    transfer.s = socket_accepted( listener );
    winetest_wait_child_process( process );
    CloseHandle( process );
    thread = thread_start( receive_all, &transfer );
    todo_wine check_received( thread, &transfer );
    closesocket( transfer.s );
    closesocket( listener );
}

static void piece_send_and_exit(void)
{
    test_send_and_exit();
}

/* both directions at once */
static void test_both_ways(void)
{
    const unsigned size = 8 * 1024 * 1024;
    struct transfer transfers[2] = { { .size = size, .seed = 1 }, { .size = size, .seed = 2 } };
    char *out = malloc( size );
    HANDLE threads[2];

    tcp_pair( &transfers[0].s, &transfers[1].s );
    threads[0] = thread_start( receive_all, &transfers[0] );
    threads[1] = thread_start( receive_all, &transfers[1] );
    pattern_fill( out, size, 1 );
    check_int( send( transfers[1].s, out, size, 0 ), (int)size );
    pattern_fill( out, size, 2 );
    check_int( send( transfers[0].s, out, size, 0 ), (int)size );
    shutdown( transfers[0].s, SD_SEND );
    shutdown( transfers[1].s, SD_SEND );
    check_received( threads[0], &transfers[0] );
    check_received( threads[1], &transfers[1] );
    closesocket( transfers[0].s );
    closesocket( transfers[1].s );
    free( out );
}

/* memory that cannot be read or written, wholly or in part: WSAEFAULT, and the stream is as before */
static void test_bad_memory(void)
{
    SOCKET client, server;
    char *buffer, *readonly;
    DWORD count, flags, old;
    WSABUF bufs[2];

    tcp_pair( &client, &server );
    buffer = guarded_alloc( 10 );
    memcpy( buffer, "0123456789", 10 );
    readonly = VirtualAlloc( NULL, 0x1000, MEM_COMMIT, PAGE_READONLY );

    check_error( send( client, buffer + 10, 10, 0 ), WSAEFAULT );
    check_error( send( client, bad_pointer(), 10, 0 ), WSAEFAULT );
    check_error( send( client, buffer, 20, 0 ), WSAEFAULT );
    bufs[0].buf = "first";
    bufs[0].len = 5;
    bufs[1].buf = buffer + 5;
    bufs[1].len = 20;
    check_error( WSASend( client, bufs, 2, &count, 0, NULL, NULL ), WSAEFAULT );
    /* none of it was sent */
    check_int( send( client, buffer, 10, 0 ), 10 );
    check_int( send( client, "abcdefghij", 10, 0 ), 10 );
    Sleep( 50 );
    check_int( recv( server, NULL, 0, MSG_PEEK ), 0 );

    check_error( recv( server, buffer + 10, 10, 0 ), WSAEFAULT );
    check_error( recv( server, bad_pointer(), 10, 0 ), WSAEFAULT );
    check_error( recv( server, readonly, 10, 0 ), WSAEFAULT );
    check_error( recv( server, buffer, 20, 0 ), WSAEFAULT );
    check_error( recv( server, buffer, 20, MSG_PEEK ), WSAEFAULT );
    bufs[0].buf = buffer;
    bufs[0].len = 5;
    bufs[1].buf = readonly;
    flags = 0;
    check_error( WSARecv( server, bufs, 2, &count, &flags, NULL, NULL ), WSAEFAULT );
    /* none of it was lost */
    recv_exactly( server, "0123456789abcdefghij", 20 );

    /* up to the very last byte */
    check_int( send( client, "0123456789", 10, 0 ), 10 );
    memset( buffer, 0, 10 );
    check_int( recv( server, buffer, 10, 0 ), 10 );
    ok( !memcmp( buffer, "0123456789", 10 ), "got %s\n", debugstr_an( buffer, 10 ) );
    check_int( send( server, buffer, 10, 0 ), 10 );
    recv_exactly( client, "0123456789", 10 );

    VirtualProtect( readonly, 0x1000, PAGE_READWRITE, &old );
    check_int( send( client, "now", 3, 0 ), 3 );
    check_int( recv( server, readonly, 10, 0 ), 3 );

    VirtualFree( readonly, 0, MEM_RELEASE );
    guarded_free( buffer );
    closesocket( client );
    closesocket( server );
}

static void piece_bad_count(void)
{
    SOCKET client, server;
    char buffer[8];
    WSABUF buf = { sizeof(buffer), buffer };
    DWORD count, flags = 0;

    tcp_pair( &client, &server );
    memset( buffer, 0, sizeof(buffer) );
    check_error( WSASend( client, bad_pointer(), 1, &count, 0, NULL, NULL ), WSAEFAULT );
    check_error( WSARecv( client, bad_pointer(), 1, &count, &flags, NULL, NULL ), WSAEFAULT );
    check_error( WSARecv( client, &buf, 1, &count, bad_pointer(), NULL, NULL ), WSAEFAULT );
    closesocket( client );
    closesocket( server );
}

/* an address that cannot be read: the socket sends on */
static void piece_bad_target(void)
{
    union address addr;
    SOCKET a, b;
    char buffer[8];

    a = socket_bound( AF_INET, SOCK_DGRAM, &addr );
    b = socket_new( AF_INET, SOCK_DGRAM );
    check_error( sendto( b, "x", 1, 0, bad_pointer(), sizeof(addr.in) ), WSAEFAULT );
    check_int( sendto( b, "x", 1, 0, &addr.sa, sizeof(addr.in) ), 1 );
    check_int( recv( a, buffer, sizeof(buffer), 0 ), 1 );
    closesocket( a );
    closesocket( b );
}

static void piece_bad_source(void)
{
    union address addr, from;
    SOCKET a, b;
    char buffer[8];
    int len = sizeof(from);

    a = socket_bound( AF_INET, SOCK_DGRAM, &addr );
    socket_set_timeout( a, 500 );
    b = socket_new( AF_INET, SOCK_DGRAM );
    check_int( sendto( b, "x", 1, 0, &addr.sa, sizeof(addr.in) ), 1 );
    check_error( recvfrom( a, buffer, sizeof(buffer), 0, &from.sa, NULL ), WSAEFAULT );
    check_int( sendto( b, "y", 1, 0, &addr.sa, sizeof(addr.in) ), 1 );
    todo_wine check_error( recvfrom( a, buffer, sizeof(buffer), 0, &from.sa, bad_pointer() ), WSAEFAULT );
    check_int( sendto( b, "z", 1, 0, &addr.sa, sizeof(addr.in) ), 1 );
    todo_wine check_error( recvfrom( a, buffer, sizeof(buffer), 0, bad_pointer(), &len ), WSAEFAULT );
    closesocket( a );
    closesocket( b );
}

static void test_bad_memory_datagram(void)
{
    SOCKET a, b;
    char *buffer;

    udp_pair( &a, &b );
    buffer = guarded_alloc( 10 );
    memset( buffer, 'x', 10 );
    check_error( send( a, buffer, 20, 0 ), WSAEFAULT );
    check_error( send( a, bad_pointer(), 20, 0 ), WSAEFAULT );
    check_int( send( a, buffer, 10, 0 ), 10 );
    check_int( recv( b, buffer, 10, 0 ), 10 );
    check_int( send( a, buffer, 10, 0 ), 10 );
    ok( wait_readable( b, 1000 ), "nothing arrived\n" );
    check_error( recv( b, bad_pointer(), 10, 0 ), WSAEFAULT );
    guarded_free( buffer );
    closesocket( a );
    closesocket( b );
}

/* memory whose writes the system records: receiving is a write like any other */
static void test_write_watch(void)
{
    const SIZE_T size = 0x10000;
    SOCKET client, server, a, b;
    void *addresses[16];
    ULONG_PTR count;
    ULONG page_size;
    char *memory;
    DWORD flags, received;
    WSABUF bufs[2];
    union address addr;
    int len;

    memory = VirtualAlloc( NULL, size, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
    ok( !!memory, "VirtualAlloc failed with %lu\n", GetLastError() );
    if (!memory) return;

    tcp_pair( &client, &server );
    check_int( send( client, "0123456789", 10, 0 ), 10 );
    check_int( recv( server, memory + 0x1ffb, 10, 0 ), 10 );
    count = ARRAY_SIZE(addresses);
    ok( !GetWriteWatch( WRITE_WATCH_FLAG_RESET, memory, size, addresses, &count, &page_size ), "GetWriteWatch failed\n" );
    ok( count == 2, "got %Iu pages\n", count );
    ok( addresses[0] == memory + 0x1000, "got page %p of %p\n", addresses[0], memory );
    ok( addresses[1] == memory + 0x2000, "got page %p of %p\n", addresses[1], memory );
    ok( !memcmp( memory + 0x1ffb, "0123456789", 10 ), "got %s\n", debugstr_an( memory + 0x1ffb, 10 ) );

    /* reading is none */
    check_int( send( server, memory + 0x1ffb, 10, 0 ), 10 );
    recv_exactly( client, "0123456789", 10 );
    count = ARRAY_SIZE(addresses);
    GetWriteWatch( WRITE_WATCH_FLAG_RESET, memory, size, addresses, &count, &page_size );
    ok( !count, "got %Iu pages\n", count );

    /* in parts, looked at and taken */
    check_int( send( client, "abcdef", 6, 0 ), 6 );
    bufs[0].buf = memory + 0x3000;
    bufs[0].len = 3;
    bufs[1].buf = memory + 0x5000;
    bufs[1].len = 100;
    flags = MSG_PEEK;
    check_ok( WSARecv( server, bufs, 2, &received, &flags, NULL, NULL ) );
    ok( received == 6, "got %lu\n", received );
    flags = 0;
    GetWriteWatch( WRITE_WATCH_FLAG_RESET, memory, size, addresses, &count, &page_size );
    check_ok( WSARecv( server, bufs, 2, &received, &flags, NULL, NULL ) );
    ok( received == 6, "got %lu\n", received );
    ok( !memcmp( memory + 0x3000, "abc", 3 ), "got %s\n", debugstr_an( memory + 0x3000, 3 ) );
    ok( !memcmp( memory + 0x5000, "def", 3 ), "got %s\n", debugstr_an( memory + 0x5000, 3 ) );
    closesocket( client );
    closesocket( server );

    /* a datagram, and its sender's address there, too */
    udp_pair( &a, &b );
    ResetWriteWatch( memory, size );
    check_int( send( a, "datagram", 8, 0 ), 8 );
    len = sizeof(addr);
    check_int( recvfrom( b, memory + 0x7000, 100, 0, (struct sockaddr *)(memory + 0x8000), &len ), 8 );
    ok( !memcmp( memory + 0x7000, "datagram", 8 ), "got %s\n", debugstr_an( memory + 0x7000, 8 ) );
    ok( ((struct sockaddr *)(memory + 0x8000))->sa_family == AF_INET, "no address\n" );
    ResetWriteWatch( memory, size );
    check_int( send( a, "datagram", 8, 0 ), 8 );
    ok( wait_readable( b, 1000 ), "nothing arrived\n" );
    check_error( recv( b, memory + 0x7000, 4, 0 ), WSAEMSGSIZE );
    ok( !memcmp( memory + 0x7000, "datagram", 8 ), "got %s\n", debugstr_an( memory + 0x7000, 8 ) );
    closesocket( a );
    closesocket( b );
    VirtualFree( memory, 0, MEM_RELEASE );
}

/* whether or not the guard counts as unwritable, the stream loses nothing */
static void test_guard_page(void)
{
    SOCKET client, server;
    char *page;
    int ret;

    page = VirtualAlloc( NULL, 0x1000, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD );
    tcp_pair( &client, &server );
    check_int( send( client, "guarded", 7, 0 ), 7 );
    ok( wait_readable( server, 1000 ), "nothing arrived\n" );
    ret = recv( server, page, 7, 0 );
    if (ret == -1)
    {
        ok( WSAGetLastError() == WSAEFAULT, "got error %d\n", WSAGetLastError() );
        recv_exactly( server, "guarded", 7 );
    }
    else
    {
        ok( ret == 7, "got %d\n", ret );
        ok( !memcmp( page, "guarded", 7 ), "got %s\n", debugstr_an( page, 7 ) );
    }
    closesocket( client );
    closesocket( server );
    VirtualFree( page, 0, MEM_RELEASE );
}

/* a port nobody listens on answers with ICMP, which the next receive reports */
static void test_port_unreachable(void)
{
    union address addr, nobody;
    DWORD size, off = 0;
    char buffer[8];
    SOCKET s;
    int i;

    for (i = 0; i < 2; i++)
    {
        winetest_push_context( i ? "connected" : "unconnected" );
        s = socket_bound( AF_INET, SOCK_DGRAM, &addr );
        socket_set_timeout( s, 500 );
        address_loopback( &nobody, AF_INET, unused_port( AF_INET, SOCK_DGRAM ) );
        if (i)
        {
            check_ok( connect( s, &nobody.sa, sizeof(nobody.in) ) );
            check_int( send( s, "a", 1, 0 ), 1 );
        }
        else check_int( sendto( s, "a", 1, 0, &nobody.sa, sizeof(nobody.in) ), 1 );
        todo_wine check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAECONNRESET );
        /* once; and the socket goes on working, sends never fail for it */
        check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAETIMEDOUT );
        check_int( sendto( s, "a", 1, 0, &nobody.sa, sizeof(nobody.in) ), 1 );
        Sleep( 50 );
        todo_wine_if( i ) check_int( sendto( s, "a", 1, 0, &nobody.sa, sizeof(nobody.in) ), 1 );
        closesocket( s );

        s = socket_bound( AF_INET, SOCK_DGRAM, &addr );
        socket_set_timeout( s, 200 );
        check_ok( WSAIoctl( s, SIO_UDP_CONNRESET, &off, sizeof(off), NULL, 0, &size, NULL, NULL ) );
        if (i) check_ok( connect( s, &nobody.sa, sizeof(nobody.in) ) );
        check_int( sendto( s, "a", 1, 0, &nobody.sa, sizeof(nobody.in) ), 1 );
        check_error( recv( s, buffer, sizeof(buffer), 0 ), WSAETIMEDOUT );
        closesocket( s );
        winetest_pop_context();
    }
}

static void test_nonblocking(void)
{
    SOCKET client, server, a, b;
    DWORD count, flags = 0;
    char buffer[8];
    WSABUF buf = { sizeof(buffer), buffer };

    tcp_pair( &client, &server );
    socket_set_nonblocking( client, TRUE );
    check_error( recv( client, buffer, sizeof(buffer), 0 ), WSAEWOULDBLOCK );
    check_error( WSARecv( client, &buf, 1, &count, &flags, NULL, NULL ), WSAEWOULDBLOCK );
    check_error( recvfrom( client, buffer, sizeof(buffer), 0, NULL, NULL ), WSAEWOULDBLOCK );
    check_int( send( server, "abc", 3, 0 ), 3 );
    ok( wait_readable( client, 1000 ), "nothing arrived\n" );
    check_int( recv( client, buffer, sizeof(buffer), 0 ), 3 );
    fill_send_buffers( client );
    check_error( send( client, "a", 1, 0 ), WSAEWOULDBLOCK );
    buf.len = 1;
    check_error( WSASend( client, &buf, 1, &count, 0, NULL, NULL ), WSAEWOULDBLOCK );
    closesocket( client );
    closesocket( server );

    udp_pair( &a, &b );
    socket_set_nonblocking( a, TRUE );
    buf.len = sizeof(buffer);
    check_error( recv( a, buffer, sizeof(buffer), 0 ), WSAEWOULDBLOCK );
    check_error( recvfrom( a, buffer, sizeof(buffer), 0, NULL, NULL ), WSAEWOULDBLOCK );
    check_error( WSARecvFrom( a, &buf, 1, &count, &flags, NULL, NULL, NULL, NULL ), WSAEWOULDBLOCK );
    closesocket( a );
    closesocket( b );
}

/* sockets without the overlapped attribute send and receive as well */
static void test_not_overlapped(void)
{
    union address addr;
    SOCKET listener, client, server;
    DWORD count, flags = 0;
    char buffer[8];
    WSABUF buf = { sizeof(buffer), buffer };

    listener = socket_listening( AF_INET, &addr );
    client = WSASocketW( AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, 0 );
    ok( client != INVALID_SOCKET, "WSASocket: error %d\n", WSAGetLastError() );
    check_ok( connect( client, &addr.sa, sizeof(addr.in) ) );
    server = socket_accepted( listener );
    check_int( send( client, "abc", 3, 0 ), 3 );
    recv_exactly( server, "abc", 3 );
    check_int( send( server, "defg", 4, 0 ), 4 );
    check_ok( WSARecv( client, &buf, 1, &count, &flags, NULL, NULL ) );
    ok( count == 4, "got %lu\n", count );
    closesocket( client );
    closesocket( server );
    closesocket( listener );
}

static const struct piece pieces[] =
{
    { "null_pointers", piece_null_pointers },
    { "listener", piece_listener },
    { "datagram_3000", piece_datagram_3000 },
    { "large_nonblocking", piece_large_nonblocking },
    { "large_and_close", piece_large_and_close },
    { "send_and_exit", piece_send_and_exit },
    { "bad_count", piece_bad_count },
    { "bad_target", piece_bad_target },
    { "bad_source", piece_bad_source },
};

START_TEST(data)
{
    char **argv;
    int argc = winetest_get_mainargs( &argv );
    WSADATA data;
    unsigned i;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    if (argc == 4 && !strcmp( argv[2], "sender" )) child_send_and_exit( argv[3] );
    else if (!piece_main( pieces, ARRAY_SIZE(pieces) ))
    {
        test_round_trip( AF_INET );
        test_round_trip( AF_INET6 );
        test_udp_round_trip( AF_INET );
        test_udp_round_trip( AF_INET6 );
        test_zero_lengths();
        test_buffers( 1, 3, 100 );
        test_buffers( 3, 1, 100 );
        test_buffers( 17, 16, 5000 );
        test_buffers( 1024, 1025, 50000 );
        test_buffers( 3000, 2500, 50000 );
        test_datagram_buffers( 10, 10 );
        test_bad_arguments();
        test_peek();
        test_oob();
        test_oob_datagram();
        test_waitall();
        test_partial();
        test_dontroute();
        test_truncation();
        test_not_connected();
        test_addresses();
        test_large_datagrams();
        test_large_send( FALSE );
        test_both_ways();
        test_bad_memory();
        test_bad_memory_datagram();
        test_write_watch();
        test_guard_page();
        test_port_unreachable();
        test_nonblocking();
        test_not_overlapped();
        for (i = 0; i < ARRAY_SIZE(pieces); i++)
            todo_wine_if( !strcmp( pieces[i].name, "listener" ) || !strcmp( pieces[i].name, "bad_target" ) )
                piece_run( pieces[i].name );
    }
    WSACleanup();
}
