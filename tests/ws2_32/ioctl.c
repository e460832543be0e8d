/*
 * ioctlsocket, and WSAIoctl for the same
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

static void test_nonblocking_mode(void)
{
    SOCKET client, server;
    DWORD value, size;
    u_long on;

    tcp_pair( &client, &server );
    ok( !is_nonblocking( client ), "starts non-blocking\n" );
    on = 1;
    check_ok( ioctlsocket( client, FIONBIO, &on ) );
    ok( is_nonblocking( client ), "still blocking\n" );
    on = 0;
    check_ok( ioctlsocket( client, FIONBIO, &on ) );
    ok( !is_nonblocking( client ), "still non-blocking\n" );
    on = 0x100;
    check_ok( ioctlsocket( client, FIONBIO, &on ) );
    ok( is_nonblocking( client ), "not every number turns it on\n" );

    value = 0;
    size = 0xdeadbeef;
    check_ok( WSAIoctl( client, FIONBIO, &value, sizeof(value), NULL, 0, &size, NULL, NULL ) );
    ok( !size, "got %lu bytes\n", size );
    ok( !is_nonblocking( client ), "still non-blocking\n" );
    value = 1;
    check_ok( WSAIoctl( client, FIONBIO, &value, sizeof(value), NULL, 0, &size, NULL, NULL ) );
    ok( is_nonblocking( client ), "still blocking\n" );

    value = 0;
    check_error( WSAIoctl( client, FIONBIO, &value, sizeof(value) - 1, NULL, 0, &size, NULL, NULL ), WSAEFAULT );
    check_error( WSAIoctl( client, FIONBIO, NULL, sizeof(value), NULL, 0, &size, NULL, NULL ), WSAEFAULT );
    ok( is_nonblocking( client ), "changed by a failure\n" );
    ok( !is_nonblocking( server ), "changed the other one\n" );
    closesocket( client );
    closesocket( server );
}

static void test_available(void)
{
    SOCKET client, server, a, b;
    DWORD value, size;
    u_long count;
    char buffer[16];

    tcp_pair( &client, &server );
    count = 0xdeadbeef;
    check_ok( ioctlsocket( server, FIONREAD, &count ) );
    ok( !count, "got %lu\n", count );
    check_int( send( client, "0123456789", 10, 0 ), 10 );
    ok( wait_readable( server, 1000 ), "nothing arrived\n" );
    check_ok( ioctlsocket( server, FIONREAD, &count ) );
    ok( count == 10, "got %lu\n", count );
    value = 0xdeadbeef;
    size = 0;
    check_ok( WSAIoctl( server, FIONREAD, NULL, 0, &value, sizeof(value), &size, NULL, NULL ) );
    ok( value == 10, "got %lu\n", value );
    ok( size == sizeof(value), "got %lu bytes\n", size );
    check_int( recv( server, buffer, 4, 0 ), 4 );
    check_ok( ioctlsocket( server, FIONREAD, &count ) );
    ok( count == 6, "got %lu\n", count );
    check_error( WSAIoctl( server, FIONREAD, NULL, 0, &value, sizeof(value) - 1, &size, NULL, NULL ), WSAEFAULT );
    check_error( WSAIoctl( server, FIONREAD, NULL, 0, NULL, sizeof(value), &size, NULL, NULL ), WSAEFAULT );
    check_int( recv( server, buffer, sizeof(buffer), 0 ), 6 );
    check_ok( shutdown( client, SD_SEND ) );
    ok( wait_readable( server, 1000 ), "no end\n" );
    check_ok( ioctlsocket( server, FIONREAD, &count ) );
    ok( !count, "got %lu\n", count );
    closesocket( client );
    closesocket( server );

    udp_pair( &a, &b );
    check_ok( ioctlsocket( b, FIONREAD, &count ) );
    ok( !count, "got %lu\n", count );
    check_int( send( a, "0123456", 7, 0 ), 7 );
    ok( wait_readable( b, 1000 ), "nothing arrived\n" );
    check_ok( ioctlsocket( b, FIONREAD, &count ) );
    ok( count == 7, "got %lu\n", count );
    closesocket( a );
    closesocket( b );
}

/* TRUE says that there is no urgent data to be read */
static void test_at_mark(void)
{
    SOCKET client, server;
    DWORD value, size;
    u_long mark;
    char buffer[16];
    int on = 1;

    tcp_pair( &client, &server );
    mark = 0xdeadbeef;
    check_ok( ioctlsocket( server, SIOCATMARK, &mark ) );
    ok( mark == 1, "got %lu\n", mark );
    check_int( send( client, "abc", 3, 0 ), 3 );
    check_int( send( client, "X", 1, MSG_OOB ), 1 );
    check_int( send( client, "def", 3, 0 ), 3 );
    Sleep( 50 );
    check_ok( ioctlsocket( server, SIOCATMARK, &mark ) );
    todo_wine ok( !mark, "got %lu\n", mark );
    value = 0xdeadbeef;
    size = 0;
    check_ok( WSAIoctl( server, SIOCATMARK, NULL, 0, &value, sizeof(value), &size, NULL, NULL ) );
    todo_wine ok( !value, "got %lu\n", value );
    ok( size == sizeof(value), "got %lu bytes\n", size );
    socket_set_nonblocking( server, TRUE );
    check_int( recv( server, buffer, 1, MSG_OOB ), 1 );
    socket_set_nonblocking( server, FALSE );
    check_ok( ioctlsocket( server, SIOCATMARK, &mark ) );
    ok( mark == 1, "got %lu\n", mark );
    recv_exactly( server, "abcdef", 6 );
    check_error( WSAIoctl( server, SIOCATMARK, NULL, 0, &value, sizeof(value) - 1, &size, NULL, NULL ), WSAEFAULT );
    check_error( WSAIoctl( server, SIOCATMARK, NULL, 0, NULL, sizeof(value), &size, NULL, NULL ), WSAEFAULT );

    /* in line: there never is any */
    check_ok( setsockopt( server, SOL_SOCKET, SO_OOBINLINE, (char *)&on, sizeof(on) ) );
    check_int( send( client, "X", 1, MSG_OOB ), 1 );
    ok( wait_readable( server, 1000 ), "nothing arrived\n" );
    check_ok( ioctlsocket( server, SIOCATMARK, &mark ) );
    ok( mark == 1, "got %lu\n", mark );
    closesocket( client );
    closesocket( server );
}

static void test_unknown(void)
{
    SOCKET s = socket_new( AF_INET, SOCK_STREAM );
    DWORD size, value = 0;
    u_long arg = 0;

    ok( ioctlsocket( s, 0x1234567, &arg ) == -1, "ioctlsocket succeeded\n" );
    ok( WSAIoctl( s, 0x1234567, &value, sizeof(value), &value, sizeof(value), &size, NULL, NULL ) == -1,
        "WSAIoctl succeeded\n" );
    closesocket( s );
}

/* extensions: which there are for sockets, and none for an unknown name */
static void test_extensions(void)
{
    static const struct
    {
        const char *name;
        GUID guid;
    }
    extensions[] =
    {
        { "WSARecvMsg", WSAID_WSARECVMSG },
        { "WSASendMsg", WSAID_WSASENDMSG },
    };
    GUID unknown = { 0x12345678, 0x1234, 0x5678, { 1, 2, 3, 4, 5, 6, 7, 8 } };
    void *func, *other;
    SOCKET tcp, udp;
    DWORD size;
    unsigned i;

    tcp = socket_new( AF_INET, SOCK_STREAM );
    udp = socket_new( AF_INET6, SOCK_DGRAM );
    for (i = 0; i < ARRAY_SIZE(extensions); i++)
    {
        GUID guid = extensions[i].guid;

        winetest_push_context( "%s", extensions[i].name );
        func = other = NULL;
        size = 0;
        check_ok( WSAIoctl( tcp, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), &func, sizeof(func),
                            &size, NULL, NULL ) );
        ok( size == sizeof(func), "got %lu bytes\n", size );
        ok( !!func, "no function\n" );
        check_ok( WSAIoctl( udp, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), &other, sizeof(other),
                            &size, NULL, NULL ) );
        ok( func == other, "another function for another socket\n" );
        winetest_pop_context();
    }
    check_error( WSAIoctl( tcp, SIO_GET_EXTENSION_FUNCTION_POINTER, &unknown, sizeof(unknown), &func, sizeof(func),
                           &size, NULL, NULL ), WSAEINVAL );
    closesocket( tcp );
    closesocket( udp );
}

static void piece_ioctlsocket_pointers(void)
{
    SOCKET s = socket_new( AF_INET, SOCK_STREAM );

    check_error( ioctlsocket( s, FIONBIO, NULL ), WSAEFAULT );
    check_error( ioctlsocket( s, FIONREAD, NULL ), WSAEFAULT );
    check_error( ioctlsocket( s, SIOCATMARK, NULL ), WSAEFAULT );
    check_error( ioctlsocket( s, FIONBIO, bad_pointer() ), WSAEFAULT );
    check_error( ioctlsocket( s, FIONREAD, bad_pointer() ), WSAEFAULT );
    closesocket( s );
}

static void piece_wsaioctl_pointers(void)
{
    SOCKET client, server;
    DWORD size, value = 0;

    tcp_pair( &client, &server );
    check_error( WSAIoctl( client, FIONBIO, bad_pointer(), sizeof(value), NULL, 0, &size, NULL, NULL ), WSAEFAULT );
    check_error( WSAIoctl( client, FIONREAD, NULL, 0, bad_pointer(), sizeof(value), &size, NULL, NULL ), WSAEFAULT );
    check_error( WSAIoctl( client, FIONREAD, NULL, 0, &value, sizeof(value), NULL, NULL, NULL ), WSAEFAULT );
    check_error( WSAIoctl( client, FIONREAD, NULL, 0, &value, sizeof(value), bad_pointer(), NULL, NULL ), WSAEFAULT );
    closesocket( client );
    closesocket( server );
}

static const struct piece pieces[] =
{
    { "ioctlsocket_pointers", piece_ioctlsocket_pointers },
    { "wsaioctl_pointers", piece_wsaioctl_pointers },
};

START_TEST(ioctl)
{
    WSADATA data;
    unsigned i;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    if (!piece_main( pieces, ARRAY_SIZE(pieces) ))
    {
        test_nonblocking_mode();
        test_available();
        test_at_mark();
        test_unknown();
        test_extensions();
        for (i = 0; i < ARRAY_SIZE(pieces); i++)
            todo_wine_if( pieces[i].func == piece_wsaioctl_pointers ) piece_run( pieces[i].name );
    }
    WSACleanup();
}
