/*
 * Calls on what is no socket, and calls before WSAStartup
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

static char buffer[16];
static union address addr;
static int len;
static DWORD count, flags;
static WSABUF buf = { sizeof(buffer), buffer };

/* one call of each function that takes a socket, with parameters that are right otherwise */

static int call_accept( SOCKET s )
{
    return (int)accept( s, NULL, NULL );
}

static int call_bind( SOCKET s )
{
    return bind( s, &addr.sa, address_loopback( &addr, AF_INET, 0 ) );
}

static int call_closesocket( SOCKET s )
{
    return closesocket( s );
}

static int call_connect( SOCKET s )
{
    return connect( s, &addr.sa, address_loopback( &addr, AF_INET, 9 ) );
}

static int call_getpeername( SOCKET s )
{
    len = sizeof(addr);
    return getpeername( s, &addr.sa, &len );
}

static int call_getsockname( SOCKET s )
{
    len = sizeof(addr);
    return getsockname( s, &addr.sa, &len );
}

static int call_getsockopt( SOCKET s )
{
    len = sizeof(buffer);
    return getsockopt( s, SOL_SOCKET, SO_TYPE, buffer, &len );
}

static int call_getsockopt_tcp( SOCKET s )
{
    len = sizeof(buffer);
    return getsockopt( s, IPPROTO_TCP, TCP_NODELAY, buffer, &len );
}

static int call_ioctlsocket( SOCKET s )
{
    u_long value = 1;

    return ioctlsocket( s, FIONBIO, &value );
}

static int call_listen( SOCKET s )
{
    return listen( s, 1 );
}

static int call_recv( SOCKET s )
{
    return recv( s, buffer, sizeof(buffer), 0 );
}

static int call_recv_nothing( SOCKET s )
{
    return recv( s, NULL, 0, 0 );
}

static int call_recvfrom( SOCKET s )
{
    len = sizeof(addr);
    return recvfrom( s, buffer, sizeof(buffer), 0, &addr.sa, &len );
}

static int call_select( SOCKET s )
{
    struct timeval timeout = { 0, 0 };
    fd_set set;

    FD_ZERO( &set );
    FD_SET( s, &set );
    return select( 0, &set, NULL, NULL, &timeout );
}

static int call_send( SOCKET s )
{
    return send( s, "x", 1, 0 );
}

static int call_send_nothing( SOCKET s )
{
    return send( s, NULL, 0, 0 );
}

static int call_sendto( SOCKET s )
{
    return sendto( s, "x", 1, 0, &addr.sa, address_loopback( &addr, AF_INET, 9 ) );
}

static int call_setsockopt( SOCKET s )
{
    int on = 1;

    return setsockopt( s, SOL_SOCKET, SO_REUSEADDR, (char *)&on, sizeof(on) );
}

static int call_setsockopt_tcp( SOCKET s )
{
    int on = 1;

    return setsockopt( s, IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof(on) );
}

static int call_shutdown( SOCKET s )
{
    return shutdown( s, SD_BOTH );
}

static int call_wsaaccept( SOCKET s )
{
    return (int)WSAAccept( s, NULL, NULL, NULL, 0 );
}

static int call_wsaconnect( SOCKET s )
{
    return WSAConnect( s, &addr.sa, address_loopback( &addr, AF_INET, 9 ), NULL, NULL, NULL, NULL );
}

static int call_wsaioctl( SOCKET s )
{
    DWORD value = 1;

    return WSAIoctl( s, FIONBIO, &value, sizeof(value), NULL, 0, &count, NULL, NULL );
}

static int call_wsaioctl_extension( SOCKET s )
{
    GUID guid = WSAID_WSARECVMSG;
    void *func;

    return WSAIoctl( s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), &func, sizeof(func), &count, NULL, NULL );
}

static int call_wsarecv( SOCKET s )
{
    flags = 0;
    return WSARecv( s, &buf, 1, &count, &flags, NULL, NULL );
}

static int call_wsarecvfrom( SOCKET s )
{
    flags = 0;
    len = sizeof(addr);
    return WSARecvFrom( s, &buf, 1, &count, &flags, &addr.sa, &len, NULL, NULL );
}

static int call_wsasend( SOCKET s )
{
    return WSASend( s, &buf, 1, &count, 0, NULL, NULL );
}

static int call_wsasendto( SOCKET s )
{
    return WSASendTo( s, &buf, 1, &count, 0, &addr.sa, address_loopback( &addr, AF_INET, 9 ), NULL, NULL );
}

static int call_wsasendmsg( SOCKET s )
{
    WSAMSG msg = { 0 };

    msg.name = &addr.sa;
    msg.namelen = address_loopback( &addr, AF_INET, 9 );
    msg.lpBuffers = &buf;
    msg.dwBufferCount = 1;
    return WSASendMsg( s, &msg, 0, &count, NULL, NULL );
}

static int call_wsarecvdisconnect( SOCKET s )
{
    return WSARecvDisconnect( s, NULL );
}

static int call_wsasenddisconnect( SOCKET s )
{
    return WSASendDisconnect( s, NULL );
}

static int call_wsahtonl( SOCKET s )
{
    u_long value;

    return WSAHtonl( s, 1, &value );
}

static int call_wsantohs( SOCKET s )
{
    u_short value;

    return WSANtohs( s, 1, &value );
}

static const struct function
{
    const char *name;
    int (*call)( SOCKET s );
    BOOL todo;          /* stock Wine does not look at the socket */
}
functions[] =
{
    { "accept", call_accept, FALSE },
    { "bind", call_bind, FALSE },
    { "connect", call_connect, FALSE },
    { "getpeername", call_getpeername, FALSE },
    { "getsockname", call_getsockname, FALSE },
    { "getsockopt", call_getsockopt, FALSE },
    { "getsockopt TCP", call_getsockopt_tcp, FALSE },
    { "ioctlsocket", call_ioctlsocket, FALSE },
    { "listen", call_listen, FALSE },
    { "recv", call_recv, FALSE },
    { "recv nothing", call_recv_nothing, FALSE },
    { "recvfrom", call_recvfrom, FALSE },
    { "select", call_select, FALSE },
    { "send", call_send, FALSE },
    { "send nothing", call_send_nothing, FALSE },
    { "sendto", call_sendto, FALSE },
    { "setsockopt", call_setsockopt, FALSE },
    { "setsockopt TCP", call_setsockopt_tcp, FALSE },
    { "shutdown", call_shutdown, FALSE },
    { "WSAAccept", call_wsaaccept, FALSE },
    { "WSAConnect", call_wsaconnect, FALSE },
    { "WSAIoctl", call_wsaioctl, FALSE },
    { "WSAIoctl extension", call_wsaioctl_extension, TRUE },
    { "WSARecv", call_wsarecv, FALSE },
    { "WSARecvFrom", call_wsarecvfrom, FALSE },
    { "WSASend", call_wsasend, FALSE },
    { "WSASendTo", call_wsasendto, FALSE },
    { "WSASendMsg", call_wsasendmsg, FALSE },
    { "WSARecvDisconnect", call_wsarecvdisconnect, FALSE },
    { "WSASendDisconnect", call_wsasenddisconnect, FALSE },
    { "WSAHtonl", call_wsahtonl, TRUE },
    { "WSANtohs", call_wsantohs, TRUE },
    { "closesocket", call_closesocket, FALSE },
};

/* stock Wine refuses other objects' handles with all sorts of errors */
static void check_all( SOCKET s, const char *what, BOOL todo )
{
    unsigned i;
    int ret;

    for (i = 0; i < ARRAY_SIZE(functions); i++)
    {
        WSASetLastError( 0xdeadbeef );
        ret = functions[i].call( s );
        flaky_wine_if( todo || functions[i].todo )
            ok( ret == -1 && WSAGetLastError() == WSAENOTSOCK, "%s: %s returned %d, error %d\n",
                what, functions[i].name, ret, WSAGetLastError() );
    }
}

static void test_numbers(void)
{
    static const UINT_PTR values[] = { 0, 1, 2, 3, 5, 0xdead, 0xabacab, 0x12345678, 0x7fffffff, 0xfffffffc, ~(UINT_PTR)0,
                                       ~(UINT_PTR)1, ~(UINT_PTR)5, (UINT_PTR)1 << 63, 0x123456789abc };
    char what[40];
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(values); i++)
    {
        sprintf( what, "number %u of the list", i );
        check_all( (SOCKET)values[i], what, FALSE );
    }
}

static void test_closed(void)
{
    SOCKET s = socket_new( AF_INET, SOCK_STREAM ), client, server;

    closesocket( s );
    check_all( s, "closed", FALSE );
    tcp_pair( &client, &server );
    closesocket( client );
    check_all( client, "closed while connected", FALSE );
    CloseHandle( (HANDLE)server );
    check_all( server, "closed by CloseHandle", TRUE );
}

static DWORD WINAPI idle_thread( void *arg )
{
    return WaitForSingleObject( (HANDLE)arg, 20000 );
}

/* other objects' handles, which stay open and whole */
static void test_handles(void)
{
    char path[MAX_PATH], name[MAX_PATH];
    HANDLE file, event, thread, read_pipe, write_pipe, mapping;
    DWORD written, available;

    GetTempPathA( sizeof(path), path );
    GetTempFileNameA( path, "tap", 0, name );
    file = CreateFileA( name, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL );
    ok( file != INVALID_HANDLE_VALUE, "CreateFile failed with %lu\n", GetLastError() );
    check_all( (SOCKET)file, "file", TRUE );
    ok( WriteFile( file, "x", 1, &written, NULL ), "WriteFile failed with %lu\n", GetLastError() );
    ok( CloseHandle( file ), "CloseHandle failed with %lu\n", GetLastError() );

    ok( CreatePipe( &read_pipe, &write_pipe, NULL, 0 ), "CreatePipe failed with %lu\n", GetLastError() );
    check_all( (SOCKET)read_pipe, "read end of a pipe", TRUE );
    check_all( (SOCKET)write_pipe, "write end of a pipe", TRUE );
    ok( PeekNamedPipe( read_pipe, NULL, 0, NULL, &available, NULL ), "PeekNamedPipe failed with %lu\n", GetLastError() );
    ok( !available, "%lu bytes were written to the pipe\n", available );
    ok( CloseHandle( read_pipe ), "CloseHandle failed with %lu\n", GetLastError() );
    ok( CloseHandle( write_pipe ), "CloseHandle failed with %lu\n", GetLastError() );

    mapping = CreateFileMappingA( INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, NULL );
    check_all( (SOCKET)mapping, "section", TRUE );
    ok( CloseHandle( mapping ), "CloseHandle failed with %lu\n", GetLastError() );

    event = CreateEventW( NULL, TRUE, FALSE, NULL );
    check_all( (SOCKET)event, "event", TRUE );
    thread = thread_start( idle_thread, event );
    check_all( (SOCKET)thread, "thread", TRUE );
    ok( WaitForSingleObject( event, 0 ) == WAIT_TIMEOUT, "the event is set\n" );
    ok( SetEvent( event ), "SetEvent failed with %lu\n", GetLastError() );
    thread_end( thread );
    ok( CloseHandle( event ), "CloseHandle failed with %lu\n", GetLastError() );
}

/* before WSAStartup nothing works, whatever the parameters */
static void test_not_initialised(void)
{
    WSAPROTOCOL_INFOW infos[10];
    struct addrinfo *info;
    ADDRINFOW *infoW;
    WCHAR name[64];
    DWORD size;
    unsigned i;
    void *ptr;
    int ret;

    for (i = 0; i < ARRAY_SIZE(functions); i++)
    {
        WSASetLastError( 0xdeadbeef );
        ret = functions[i].call( 0xdead );
        todo_wine_if( functions[i].call != call_closesocket )
            ok( ret == -1 && WSAGetLastError() == WSANOTINITIALISED, "%s returned %d, error %d\n",
                functions[i].name, ret, WSAGetLastError() );
    }

    check_error( socket( AF_INET, SOCK_STREAM, 0 ), WSANOTINITIALISED );
    check_error( WSASocketA( AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED ), WSANOTINITIALISED );
    check_error( WSASocketW( AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED ), WSANOTINITIALISED );
    check_error( WSACleanup(), WSANOTINITIALISED );
    todo_wine check_error( gethostname( buffer, sizeof(buffer) ), WSANOTINITIALISED );
    todo_wine check_error( GetHostNameW( name, ARRAY_SIZE(name) ), WSANOTINITIALISED );
    size = sizeof(infos);
    todo_wine check_error( WSAEnumProtocolsW( NULL, infos, &size ), WSANOTINITIALISED );
    todo_wine check_error( WSAEnumProtocolsA( NULL, (WSAPROTOCOL_INFOA *)infos, &size ), WSANOTINITIALISED );

    WSASetLastError( 0xdeadbeef );
    ptr = gethostbyname( "localhost" );
    ok( !ptr && WSAGetLastError() == WSANOTINITIALISED, "gethostbyname: error %d\n", WSAGetLastError() );
    WSASetLastError( 0xdeadbeef );
    ptr = gethostbyaddr( "\x7f\0\0\1", 4, AF_INET );
    todo_wine ok( !ptr && WSAGetLastError() == WSANOTINITIALISED, "gethostbyaddr: error %d\n", WSAGetLastError() );
    WSASetLastError( 0xdeadbeef );
    ptr = getprotobyname( "tcp" );
    todo_wine ok( !ptr && WSAGetLastError() == WSANOTINITIALISED, "getprotobyname: error %d\n", WSAGetLastError() );
    WSASetLastError( 0xdeadbeef );
    ptr = getprotobynumber( 6 );
    todo_wine ok( !ptr && WSAGetLastError() == WSANOTINITIALISED, "getprotobynumber: error %d\n", WSAGetLastError() );
    WSASetLastError( 0xdeadbeef );
    ptr = getservbyname( "http", "tcp" );
    todo_wine ok( !ptr && WSAGetLastError() == WSANOTINITIALISED, "getservbyname: error %d\n", WSAGetLastError() );
    WSASetLastError( 0xdeadbeef );
    ptr = getservbyport( htons( 80 ), "tcp" );
    todo_wine ok( !ptr && WSAGetLastError() == WSANOTINITIALISED, "getservbyport: error %d\n", WSAGetLastError() );
    ret = getaddrinfo( "127.0.0.1", NULL, NULL, &info );
    todo_wine ok( ret == WSANOTINITIALISED, "getaddrinfo: got %d\n", ret );
    ret = GetAddrInfoW( L"127.0.0.1", NULL, NULL, &infoW );
    todo_wine ok( ret == WSANOTINITIALISED, "GetAddrInfoW: got %d\n", ret );
    ret = getnameinfo( &addr.sa, address_loopback( &addr, AF_INET, 80 ), buffer, sizeof(buffer), NULL, 0, NI_NUMERICHOST );
    todo_wine ok( ret == WSANOTINITIALISED, "getnameinfo: got %d\n", ret );
    ret = GetNameInfoW( &addr.sa, address_loopback( &addr, AF_INET, 80 ), name, ARRAY_SIZE(name), NULL, 0, NI_NUMERICHOST );
    todo_wine ok( ret == WSANOTINITIALISED, "GetNameInfoW: got %d\n", ret );

    size = sizeof(buffer);
    todo_wine check_error( WSAAddressToStringA( &addr.sa, sizeof(addr.in), NULL, buffer, &size ), WSANOTINITIALISED );
    len = sizeof(addr);
    strcpy( buffer, "127.0.0.1" );
    todo_wine check_error( WSAStringToAddressA( buffer, AF_INET, NULL, &addr.sa, &len ), WSANOTINITIALISED );
}

START_TEST(badsock)
{
    WSADATA data;

    test_not_initialised();
    WSAStartup( MAKEWORD( 2, 2 ), &data );
    test_numbers();
    test_closed();
    test_handles();
    WSACleanup();
    test_not_initialised();
}
