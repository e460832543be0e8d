/*
 * Creating sockets: families, types, protocols, flags, protocol information; closing them
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

static void check_type( SOCKET s, int family, int type, int protocol )
{
    WSAPROTOCOL_INFOW info;
    int ret, value = 0xdeadbeef, len = sizeof(value);

    ret = getsockopt( s, SOL_SOCKET, SO_TYPE, (char *)&value, &len );
    ok( !ret, "SO_TYPE: error %d\n", WSAGetLastError() );
    ok( value == type, "got type %d\n", value );

    len = sizeof(info);
    ret = getsockopt( s, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &len );
    ok( !ret, "SO_PROTOCOL_INFOW: error %d\n", WSAGetLastError() );
    ok( info.iAddressFamily == family, "got family %d\n", info.iAddressFamily );
    ok( info.iSocketType == type, "got type %d\n", info.iSocketType );
    ok( info.iProtocol == protocol, "got protocol %d\n", info.iProtocol );
}

static void test_valid(void)
{
    static const struct
    {
        int family, type, protocol;
        int got_family, got_type, got_protocol;
    }
    tests[] =
    {
        { AF_INET,  SOCK_STREAM, 0,           AF_INET,  SOCK_STREAM, IPPROTO_TCP },
        { AF_INET,  SOCK_STREAM, IPPROTO_TCP, AF_INET,  SOCK_STREAM, IPPROTO_TCP },
        { AF_INET,  SOCK_DGRAM,  0,           AF_INET,  SOCK_DGRAM,  IPPROTO_UDP },
        { AF_INET,  SOCK_DGRAM,  IPPROTO_UDP, AF_INET,  SOCK_DGRAM,  IPPROTO_UDP },
        { AF_INET6, SOCK_STREAM, 0,           AF_INET6, SOCK_STREAM, IPPROTO_TCP },
        { AF_INET6, SOCK_STREAM, IPPROTO_TCP, AF_INET6, SOCK_STREAM, IPPROTO_TCP },
        { AF_INET6, SOCK_DGRAM,  0,           AF_INET6, SOCK_DGRAM,  IPPROTO_UDP },
        { AF_INET6, SOCK_DGRAM,  IPPROTO_UDP, AF_INET6, SOCK_DGRAM,  IPPROTO_UDP },
        /* the first protocol of the catalog that fits what is given */
        { AF_INET,  0,           0,           AF_INET,  SOCK_STREAM, IPPROTO_TCP },
        { AF_INET,  0,           IPPROTO_TCP, AF_INET,  SOCK_STREAM, IPPROTO_TCP },
        { AF_INET,  0,           IPPROTO_UDP, AF_INET,  SOCK_DGRAM,  IPPROTO_UDP },
        { AF_UNSPEC, SOCK_STREAM, IPPROTO_TCP, AF_INET, SOCK_STREAM, IPPROTO_TCP },
        { AF_UNSPEC, 0,          IPPROTO_TCP, AF_INET,  SOCK_STREAM, IPPROTO_TCP },
        { AF_UNSPEC, 0,          IPPROTO_UDP, AF_INET,  SOCK_DGRAM,  IPPROTO_UDP },
    };
    unsigned i;
    SOCKET s;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        winetest_push_context( "%d, %d, %d", tests[i].family, tests[i].type, tests[i].protocol );
        s = socket( tests[i].family, tests[i].type, tests[i].protocol );
        ok( s != INVALID_SOCKET, "socket: error %d\n", WSAGetLastError() );
        check_type( s, tests[i].got_family, tests[i].got_type, tests[i].got_protocol );
        check_ok( closesocket( s ) );

        s = WSASocketA( tests[i].family, tests[i].type, tests[i].protocol, NULL, 0, WSA_FLAG_OVERLAPPED );
        ok( s != INVALID_SOCKET, "WSASocketA: error %d\n", WSAGetLastError() );
        check_type( s, tests[i].got_family, tests[i].got_type, tests[i].got_protocol );
        check_ok( closesocket( s ) );

        s = WSASocketW( tests[i].family, tests[i].type, tests[i].protocol, NULL, 0, 0 );
        ok( s != INVALID_SOCKET, "WSASocketW: error %d\n", WSAGetLastError() );
        check_type( s, tests[i].got_family, tests[i].got_type, tests[i].got_protocol );
        check_ok( closesocket( s ) );
        winetest_pop_context();
    }
}

static void test_invalid(void)
{
    static const struct
    {
        int family, type, protocol, error;
    }
    tests[] =
    {
        { AF_UNSPEC, 0,             0,           WSAEINVAL },
        { 0xdead,   SOCK_STREAM,    IPPROTO_TCP, WSAEAFNOSUPPORT },
        { 0xdead,   SOCK_STREAM,    0,           WSAEAFNOSUPPORT },
        { -1,       SOCK_DGRAM,     IPPROTO_UDP, WSAEAFNOSUPPORT },
        { AF_INET,  0xdead,         0,           WSAESOCKTNOSUPPORT },
        { AF_INET,  0xdead,         IPPROTO_TCP, WSAESOCKTNOSUPPORT },
        { AF_INET,  SOCK_SEQPACKET, 0,           WSAESOCKTNOSUPPORT },
        { AF_INET,  -1,             0,           WSAESOCKTNOSUPPORT },
        { AF_INET6, SOCK_SEQPACKET, 0,           WSAESOCKTNOSUPPORT },
        { AF_INET,  SOCK_STREAM,    IPPROTO_UDP, WSAEPROTONOSUPPORT },
        { AF_INET,  SOCK_DGRAM,     IPPROTO_TCP, WSAEPROTONOSUPPORT },
        { AF_INET,  SOCK_STREAM,    0xdead,      WSAEPROTONOSUPPORT },
        { AF_INET,  SOCK_DGRAM,     0xdead,      WSAEPROTONOSUPPORT },
        { AF_INET,  SOCK_STREAM,    -1,          WSAEPROTONOSUPPORT },
        { AF_INET6, SOCK_STREAM,    IPPROTO_UDP, WSAEPROTONOSUPPORT },
        { AF_INET6, SOCK_DGRAM,     IPPROTO_TCP, WSAEPROTONOSUPPORT },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        winetest_push_context( "%d, %d, %d", tests[i].family, tests[i].type, tests[i].protocol );
        check_error( socket( tests[i].family, tests[i].type, tests[i].protocol ), tests[i].error );
        check_error( WSASocketA( tests[i].family, tests[i].type, tests[i].protocol, NULL, 0, WSA_FLAG_OVERLAPPED ),
                     tests[i].error );
        check_error( WSASocketW( tests[i].family, tests[i].type, tests[i].protocol, NULL, 0, WSA_FLAG_OVERLAPPED ),
                     tests[i].error );
        winetest_pop_context();
    }
}

static void test_raw(void)
{
    SOCKET s;

    s = socket( AF_INET, SOCK_RAW, IPPROTO_ICMP );
    if (s == INVALID_SOCKET)
    {
        ok( WSAGetLastError() == WSAEACCES, "got error %d\n", WSAGetLastError() );
        skip( "raw sockets need more rights\n" );
        return;
    }
    check_type( s, AF_INET, SOCK_RAW, IPPROTO_ICMP );
    check_ok( closesocket( s ) );
}

static void test_groups(void)
{
    /* socket groups were never made */
    todo_wine check_error( WSASocketA( AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0x12345, WSA_FLAG_OVERLAPPED ), WSAEINVAL );
    todo_wine check_error( WSASocketW( AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0x12345, WSA_FLAG_OVERLAPPED ), WSAEINVAL );
}

static void test_flags(void)
{
    SOCKET s;
    DWORD flags;

    todo_wine check_error( WSASocketW( AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, 0x80000000 ), WSAEINVAL );
    todo_wine check_error( WSASocketA( AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, 0x10000 ), WSAEINVAL );

    s = WSASocketW( AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0,
                    WSA_FLAG_OVERLAPPED | WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF );
    ok( s != INVALID_SOCKET, "multipoint: error %d\n", WSAGetLastError() );
    closesocket( s );

    /* a socket is inherited unless the program says otherwise */
    s = WSASocketW( AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED );
    ok( GetHandleInformation( (HANDLE)s, &flags ), "error %lu\n", GetLastError() );
    ok( flags == HANDLE_FLAG_INHERIT, "got flags %#lx\n", flags );
    closesocket( s );

    s = socket( AF_INET, SOCK_DGRAM, 0 );
    ok( GetHandleInformation( (HANDLE)s, &flags ), "error %lu\n", GetLastError() );
    ok( flags == HANDLE_FLAG_INHERIT, "got flags %#lx\n", flags );
    closesocket( s );

    s = WSASocketW( AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT );
    ok( s != INVALID_SOCKET, "not inherited: error %d\n", WSAGetLastError() );
    ok( GetHandleInformation( (HANDLE)s, &flags ), "error %lu\n", GetLastError() );
    ok( !flags, "got flags %#lx\n", flags );
    closesocket( s );

    s = WSASocketA( AF_INET6, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_NO_HANDLE_INHERIT );
    ok( s != INVALID_SOCKET, "not inherited: error %d\n", WSAGetLastError() );
    ok( GetHandleInformation( (HANDLE)s, &flags ), "error %lu\n", GetLastError() );
    ok( !flags, "got flags %#lx\n", flags );
    closesocket( s );
}

static void set_open_type( DWORD type )
{
    check_ok( setsockopt( INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, (const char *)&type, sizeof(type) ) );
}

static DWORD get_open_type(void)
{
    DWORD type = 0xdeadbeef;
    int len = sizeof(type);

    check_ok( getsockopt( INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, (char *)&type, &len ) );
    ok( len == sizeof(type), "got length %d\n", len );
    return type;
}

static DWORD WINAPI open_type_thread( void *arg )
{
    *(DWORD *)arg = get_open_type();
    return 0;
}

/* what socket() makes is a matter of the thread's */
static void test_open_type(void)
{
    WSAOVERLAPPED overlapped = { .Internal = 0x1234 };
    WSABUF buf = { 3, (char *)"abc" };
    union address addr;
    SOCKET s, receiver;
    DWORD type, sent;
    HANDLE thread;

    ok( !get_open_type(), "got type %#lx\n", get_open_type() );
    set_open_type( SO_SYNCHRONOUS_NONALERT );
    ok( get_open_type() == SO_SYNCHRONOUS_NONALERT, "got type %#lx\n", get_open_type() );
    thread = CreateThread( NULL, 0, open_type_thread, &type, 0, NULL );
    ok( !WaitForSingleObject( thread, 5000 ), "the thread does not end\n" );
    CloseHandle( thread );
    ok( !type, "another thread has type %#lx\n", type );

    /* a socket that is not overlapped has no use for an OVERLAPPED */
    receiver = socket_bound( AF_INET, SOCK_DGRAM, &addr );
    s = socket( AF_INET, SOCK_DGRAM, 0 );
    check_ok( connect( s, &addr.sa, sizeof(addr.in) ) );
    check_ok( WSASend( s, &buf, 1, &sent, 0, &overlapped, NULL ) );
    ok( sent == 3, "sent %lu\n", sent );
    todo_wine ok( overlapped.Internal == 0x1234, "got status %#Ix\n", overlapped.Internal );
    closesocket( s );
    closesocket( receiver );
    set_open_type( 0 );
}

/* a socket is a kernel handle */
static void test_handle(void)
{
    SOCKET s = socket_new( AF_INET, SOCK_STREAM ), other;

    ok( !(s & 3), "got handle %#Ix\n", s );
    ok( GetFileType( (HANDLE)s ) == FILE_TYPE_PIPE, "got type %#lx\n", GetFileType( (HANDLE)s ) );
    other = socket_new( AF_INET, SOCK_STREAM );
    ok( s != other, "two sockets have the same handle %#Ix\n", s );
    check_ok( closesocket( other ) );
    check_ok( closesocket( s ) );
    check_error( closesocket( s ), WSAENOTSOCK );
    check_error( closesocket( INVALID_SOCKET ), WSAENOTSOCK );
}

static void test_protocol_info_one( const WSAPROTOCOL_INFOW *info )
{
    WSAPROTOCOL_INFOW got;
    WSAPROTOCOL_INFOA gotA;
    char name[WSAPROTOCOL_LEN + 1];
    int ret, len;
    SOCKET s;

    winetest_push_context( "%s", debugstr_w( info->szProtocol ) );

    s = WSASocketW( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, (WSAPROTOCOL_INFOW *)info, 0,
                    WSA_FLAG_OVERLAPPED );
    ok( s != INVALID_SOCKET, "WSASocketW: error %d\n", WSAGetLastError() );
    check_type( s, info->iAddressFamily, info->iSocketType, info->iProtocol );

    memset( &got, 0xcc, sizeof(got) );
    len = sizeof(got);
    ret = getsockopt( s, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&got, &len );
    ok( !ret, "SO_PROTOCOL_INFOW: error %d\n", WSAGetLastError() );
    ok( len == sizeof(got), "got length %d\n", len );
    ok( got.dwServiceFlags1 == info->dwServiceFlags1, "got flags %#lx\n", got.dwServiceFlags1 );
    ok( got.dwCatalogEntryId == info->dwCatalogEntryId, "got entry %lu\n", got.dwCatalogEntryId );
    ok( IsEqualGUID( &got.ProviderId, &info->ProviderId ), "got provider %s\n", debugstr_guid( &got.ProviderId ) );
    ok( !lstrcmpW( got.szProtocol, info->szProtocol ), "got name %s\n", debugstr_w( got.szProtocol ) );

    memset( &gotA, 0xcc, sizeof(gotA) );
    len = sizeof(gotA);
    ret = getsockopt( s, SOL_SOCKET, SO_PROTOCOL_INFOA, (char *)&gotA, &len );
    ok( !ret, "SO_PROTOCOL_INFOA: error %d\n", WSAGetLastError() );
    ok( len == sizeof(gotA), "got length %d\n", len );
    WideCharToMultiByte( CP_ACP, 0, info->szProtocol, -1, name, sizeof(name), NULL, NULL );
    ok( !strcmp( gotA.szProtocol, name ), "got name %s\n", debugstr_a( gotA.szProtocol ) );
    ok( !memcmp( &gotA, &got, FIELD_OFFSET( WSAPROTOCOL_INFOA, szProtocol )), "the two forms differ\n" );
    check_ok( closesocket( s ) );

    s = WSASocketA( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &gotA, 0, 0 );
    ok( s != INVALID_SOCKET, "WSASocketA: error %d\n", WSAGetLastError() );
    check_type( s, info->iAddressFamily, info->iSocketType, info->iProtocol );
    check_ok( closesocket( s ) );

    len = sizeof(got) - 1;
    s = socket_new( AF_INET, SOCK_STREAM );
    check_error( getsockopt( s, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&got, &len ), WSAEFAULT );
    len = sizeof(gotA) - 1;
    check_error( getsockopt( s, SOL_SOCKET, SO_PROTOCOL_INFOA, (char *)&gotA, &len ), WSAEFAULT );
    check_ok( closesocket( s ) );

    winetest_pop_context();
}

static void test_protocol_info(void)
{
    WSAPROTOCOL_INFOW *infos;
    DWORD size = 0;
    int i, count, tested = 0;

    WSAEnumProtocolsW( NULL, NULL, &size );
    infos = malloc( size );
    count = WSAEnumProtocolsW( NULL, infos, &size );
    ok( count > 0, "WSAEnumProtocolsW: error %d\n", WSAGetLastError() );
    for (i = 0; i < count; i++)
    {
        if (infos[i].iAddressFamily != AF_INET && infos[i].iAddressFamily != AF_INET6) continue;
        if (infos[i].iSocketType != SOCK_STREAM && infos[i].iSocketType != SOCK_DGRAM) continue;
        test_protocol_info_one( &infos[i] );
        tested++;
    }
    ok( tested >= 4, "found %d of TCP and UDP over IPv4 and IPv6\n", tested );
    free( infos );
}

static void test_v6only(void)
{
    DWORD value;
    int len;
    SOCKET s;

    s = socket_new( AF_INET6, SOCK_STREAM );
    value = 0xdeadbeef;
    len = sizeof(value);
    check_ok( getsockopt( s, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&value, &len ) );
    todo_wine ok( value == 1, "got %lu\n", value );
    todo_wine ok( len == 4, "got length %d\n", len );
    closesocket( s );

    s = socket_new( AF_INET6, SOCK_DGRAM );
    value = 0xdeadbeef;
    len = sizeof(value);
    check_ok( getsockopt( s, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&value, &len ) );
    todo_wine ok( value == 1, "got %lu\n", value );
    value = 0;
    check_ok( setsockopt( s, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&value, sizeof(value) ) );
    value = 0xdeadbeef;
    check_ok( getsockopt( s, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&value, &len ) );
    todo_wine ok( !value, "got %lu\n", value );
    closesocket( s );
}

/* listening to all of IPv6 does not take IPv4's connections, unless asked for */
static void test_dual_stack(void)
{
    union address addr, loopback;
    SOCKET listener, client, server;
    DWORD off = 0;
    int len;

    listener = socket_new( AF_INET6, SOCK_STREAM );
    memset( &addr, 0, sizeof(addr) );
    addr.sa.sa_family = AF_INET6;
    check_ok( bind( listener, &addr.sa, sizeof(addr.in6) ) );
    len = sizeof(addr);
    check_ok( getsockname( listener, &addr.sa, &len ) );
    check_ok( listen( listener, 5 ) );
    client = socket_new( AF_INET, SOCK_STREAM );
    address_loopback( &loopback, AF_INET, address_port( &addr ) );
    check_error( connect( client, &loopback.sa, sizeof(loopback.in) ), WSAECONNREFUSED );
    closesocket( client );
    closesocket( listener );

    listener = socket_new( AF_INET6, SOCK_STREAM );
    check_ok( setsockopt( listener, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&off, sizeof(off) ) );
    memset( &addr, 0, sizeof(addr) );
    addr.sa.sa_family = AF_INET6;
    check_ok( bind( listener, &addr.sa, sizeof(addr.in6) ) );
    len = sizeof(addr);
    check_ok( getsockname( listener, &addr.sa, &len ) );
    check_ok( listen( listener, 5 ) );
    client = socket_new( AF_INET, SOCK_STREAM );
    address_loopback( &loopback, AF_INET, address_port( &addr ) );
    check_ok( connect( client, &loopback.sa, sizeof(loopback.in) ) );
    len = sizeof(addr);
    server = accept( listener, &addr.sa, &len );
    ok( server != INVALID_SOCKET, "accept: error %d\n", WSAGetLastError() );
    ok( addr.sa.sa_family == AF_INET6, "got family %d\n", addr.sa.sa_family );
    ok( len == sizeof(addr.in6), "got length %d\n", len );
    ok( IN6_IS_ADDR_V4MAPPED( &addr.in6.sin6_addr ), "the address is not IPv4's\n" );
    closesocket( server );
    closesocket( client );
    closesocket( listener );
}

/* closing and making sockets quickly: a new one never has anything of the old */
static void test_reuse_of_handles(void)
{
    SOCKET s;
    int i, value, len;

    for (i = 0; i < 200; i++)
    {
        s = socket( AF_INET, i & 1 ? SOCK_DGRAM : SOCK_STREAM, 0 );
        len = sizeof(value);
        value = 0;
        if (getsockopt( s, SOL_SOCKET, SO_TYPE, (char *)&value, &len ) || value != (i & 1 ? SOCK_DGRAM : SOCK_STREAM)
            || closesocket( s ))
        {
            ok( 0, "%d: type %d, error %d\n", i, value, WSAGetLastError() );
            return;
        }
    }
    ok( i == 200, "got to %d\n", i );
}

/* more than the 64 of the default FD_SETSIZE and than what stdio would hold */
static void test_many(void)
{
    static SOCKET sockets[500];
    unsigned i, count;

    for (count = 0; count < ARRAY_SIZE(sockets); count++)
        if ((sockets[count] = socket( AF_INET, SOCK_DGRAM, 0 )) == INVALID_SOCKET) break;
    ok( count == ARRAY_SIZE(sockets), "socket %u: error %d\n", count, WSAGetLastError() );
    for (i = 0; i < count; i++) closesocket( sockets[i] );
}

START_TEST(socket)
{
    WSADATA data;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    test_valid();
    test_invalid();
    test_raw();
    test_groups();
    test_flags();
    test_open_type();
    test_handle();
    test_protocol_info();
    test_v6only();
    test_dual_stack();
    test_reuse_of_handles();
    test_many();
    WSACleanup();
}
