/*
 * Addresses as text and back, byte orders
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

static void test_inet_addr(void)
{
    static const struct
    {
        const char *str;
        ULONG addr;
    }
    tests[] =
    {
        { "127.0.0.1", 0x7f000001 },
        { "1.2.3.4", 0x01020304 },
        { "0.0.0.0", 0 },
        { "255.255.255.255", 0xffffffff },
        { "1.2.3", 0x01020003 },
        { "1.2", 0x01000002 },
        { "1", 1 },
        { "1.2.65535", 0x0102ffff },
        { "0x7f.1", 0x7f000001 },
        { "0x7f000001", 0x7f000001 },
        { "0177.0.0.01", 0x7f000001 },
        { "4294967295", 0xffffffff },
        { "", INADDR_NONE },
        { "256.0.0.1", INADDR_NONE },
        { "1.2.3.256", INADDR_NONE },
        { "1.2.65536", INADDR_NONE },
        { "1.2.3.4.5", INADDR_NONE },
        { "1..2", INADDR_NONE },
        { "1.2.3.", INADDR_NONE },
        { "localhost", INADDR_NONE },
        { "1.2.3.4x", INADDR_NONE },
        { "1.2.3.08", INADDR_NONE },
        { "-1", INADDR_NONE },
    };
    unsigned i;
    ULONG addr;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        addr = ntohl( inet_addr( tests[i].str ) );
        ok( addr == tests[i].addr, "%s: got %#lx\n", tests[i].str, addr );
    }
    addr = inet_addr( NULL );
    ok( addr == INADDR_NONE, "got %#lx\n", addr );
}

static DWORD WINAPI ntoa_thread( void *arg )
{
    struct in_addr addr;

    addr.s_addr = htonl( 0x09090909 );
    return strcmp( inet_ntoa( addr ), "9.9.9.9" ) || (char *)arg == inet_ntoa( addr );
}

static void test_inet_ntoa(void)
{
    struct in_addr addr;
    char *str;

    addr.s_addr = htonl( 0xfffefd00 );
    str = inet_ntoa( addr );
    ok( !strcmp( str, "255.254.253.0" ), "got %s\n", str );
    /* each thread has its own buffer */
    ok( !thread_end( thread_start( ntoa_thread, str ) ), "the other thread got something else\n" );
    ok( !strcmp( str, "255.254.253.0" ), "another thread changed it to %s\n", str );
    addr.s_addr = 0;
    str = inet_ntoa( addr );
    ok( !strcmp( str, "0.0.0.0" ), "got %s\n", str );
}

static const struct pton_test
{
    const char *str;
    int ret;
    unsigned char addr[16];
}
v4_tests[] =
{
    { "1.2.3.4", 1, { 1, 2, 3, 4 } },
    { "0.0.0.0", 1, { 0 } },
    { "255.255.255.255", 1, { 255, 255, 255, 255 } },
    { "", 0, { 0 } },
    { "1.2.3", 0, { 0 } },
    { "1.2.3.4.5", 0, { 0 } },
    { "1.2.3.256", 0, { 0 } },
    { " 1.2.3.4", 0, { 0 } },
    { "1.2.3.4 ", 0, { 0 } },
    { "1.2.3.4:80", 0, { 0 } },
    { "1.2.3.a", 0, { 0 } },
    { "1", 0, { 0 } },
    { "::1", 0, { 0 } },
},
v6_tests[] =
{
    { "::", 1, { 0 } },
    { "::1", 1, { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } },
    { "2001:db8::1", 1, { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } },
    { "2001:DB8::1", 1, { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } },
    { "1:2:3:4:5:6:7:8", 1, { 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8 } },
    { "1::8", 1, { 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8 } },
    { "1::", 1, { 0, 1 } },
    { "::ffff:1.2.3.4", 1, { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4 } },
    { "", 0, { 0 } },
    { "1:2:3:4:5:6:7", 0, { 0 } },
    { "1:2:3:4:5:6:7:8:9", 0, { 0 } },
    { "1::2::3", 0, { 0 } },
    { "12345::", 0, { 0 } },
    { "::g", 0, { 0 } },
    { "1.2.3.4", 0, { 0 } },
    { " ::1", 0, { 0 } },
};

static void test_pton_family( int family, const struct pton_test *tests, unsigned count )
{
    unsigned size = family == AF_INET ? 4 : 16, i;
    unsigned char addr[16];
    WCHAR str[64];
    int ret;

    for (i = 0; i < count; i++)
    {
        winetest_push_context( "%s", debugstr_a( tests[i].str ) );
        memset( addr, 0xcc, sizeof(addr) );
        ret = inet_pton( family, tests[i].str, addr );
        ok( ret == tests[i].ret, "inet_pton returned %d\n", ret );
        if (tests[i].ret) ok( !memcmp( addr, tests[i].addr, size ), "got another address\n" );

        MultiByteToWideChar( CP_ACP, 0, tests[i].str, -1, str, ARRAY_SIZE(str) );
        memset( addr, 0xcc, sizeof(addr) );
        ret = InetPtonW( family, str, addr );
        ok( ret == tests[i].ret, "InetPtonW returned %d\n", ret );
        if (tests[i].ret) ok( !memcmp( addr, tests[i].addr, size ), "got another address\n" );
        winetest_pop_context();
    }
}

static void test_pton(void)
{
    unsigned char addr[16];

    test_pton_family( AF_INET, v4_tests, ARRAY_SIZE(v4_tests) );
    test_pton_family( AF_INET6, v6_tests, ARRAY_SIZE(v6_tests) );

    check_error( inet_pton( 0xdead, "1.2.3.4", addr ), WSAEAFNOSUPPORT );
    check_error( InetPtonW( 0xdead, L"1.2.3.4", addr ), WSAEAFNOSUPPORT );
    check_error( inet_pton( AF_INET, NULL, addr ), WSAEFAULT );
    check_error( inet_pton( AF_INET, "1.2.3.4", NULL ), WSAEFAULT );
    check_error( InetPtonW( AF_INET6, NULL, addr ), WSAEFAULT );
    check_error( InetPtonW( AF_INET6, L"::1", NULL ), WSAEFAULT );
}

static void test_ntop(void)
{
    static const struct
    {
        int family;
        const char *str;
    }
    tests[] =
    {
        { AF_INET, "0.0.0.0" },
        { AF_INET, "1.2.3.4" },
        { AF_INET, "255.255.255.255" },
        { AF_INET6, "::" },
        { AF_INET6, "::1" },
        { AF_INET6, "2001:db8::1" },
        { AF_INET6, "2001:db8:1:2:3:4:5:6" },
        { AF_INET6, "fe80::1:2:3:4" },
        { AF_INET6, "ff02::1" },
        { AF_INET6, "1::" },
        { AF_INET6, "::ffff:1.2.3.4" },
    };
    unsigned char addr[16];
    char buffer[65], expect[65];
    WCHAR bufferW[65];
    const void *ret;
    unsigned i, len;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        winetest_push_context( "%s", tests[i].str );
        inet_pton( tests[i].family, tests[i].str, addr );
        len = strlen( tests[i].str );
        ret = inet_ntop( tests[i].family, addr, buffer, sizeof(buffer) );
        ok( ret == buffer, "got %p\n", ret );
        ok( !strcmp( buffer, tests[i].str ), "got %s\n", buffer );
        ret = InetNtopW( tests[i].family, addr, bufferW, ARRAY_SIZE(bufferW) );
        ok( ret == bufferW, "got %p\n", ret );
        WideCharToMultiByte( CP_ACP, 0, bufferW, -1, expect, sizeof(expect), NULL, NULL );
        ok( !strcmp( expect, tests[i].str ), "got %s\n", expect );

        /* too little room */
        WSASetLastError( 0xdeadbeef );
        ret = inet_ntop( tests[i].family, addr, buffer, len );
        todo_wine ok( !ret && WSAGetLastError() == ERROR_INVALID_PARAMETER, "got %p, error %d\n", ret, WSAGetLastError() );
        WSASetLastError( 0xdeadbeef );
        ret = InetNtopW( tests[i].family, addr, bufferW, len );
        ok( !ret && WSAGetLastError() == ERROR_INVALID_PARAMETER, "got %p, error %d\n", ret, WSAGetLastError() );
        winetest_pop_context();
    }
    WSASetLastError( 0xdeadbeef );
    ret = inet_ntop( 0xdead, addr, buffer, sizeof(buffer) );
    ok( !ret && WSAGetLastError() == WSAEAFNOSUPPORT, "got %p, error %d\n", ret, WSAGetLastError() );
    WSASetLastError( 0xdeadbeef );
    ret = inet_ntop( AF_INET, addr, NULL, 0 );
    todo_wine ok( !ret && WSAGetLastError() == ERROR_INVALID_PARAMETER, "got %p, error %d\n", ret, WSAGetLastError() );
    WSASetLastError( 0xdeadbeef );
    ret = InetNtopW( 0xdead, addr, bufferW, ARRAY_SIZE(bufferW) );
    ok( !ret && WSAGetLastError() == WSAEAFNOSUPPORT, "got %p, error %d\n", ret, WSAGetLastError() );
}

static void test_address_to_string(void)
{
    static const struct
    {
        int family;
        const char *addr;
        USHORT port;
        ULONG scope;
        const char *str;
    }
    tests[] =
    {
        { AF_INET, "127.0.0.1", 0, 0, "127.0.0.1" },
        { AF_INET, "127.0.0.1", 80, 0, "127.0.0.1:80" },
        { AF_INET, "255.255.255.255", 65535, 0, "255.255.255.255:65535" },
        { AF_INET, "0.0.0.0", 1, 0, "0.0.0.0:1" },
        { AF_INET6, "::1", 0, 0, "::1" },
        { AF_INET6, "::1", 80, 0, "[::1]:80" },
        { AF_INET6, "fe80::1", 0, 5, "fe80::1%5" },
        { AF_INET6, "fe80::1", 80, 5, "[fe80::1%5]:80" },
        { AF_INET6, "2001:db8::ffff", 443, 0, "[2001:db8::ffff]:443" },
    };
    union address addr;
    char buffer[80];
    WCHAR bufferW[80];
    DWORD len, expect;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        winetest_push_context( "%s", tests[i].str );
        expect = strlen( tests[i].str ) + 1;
        memset( &addr, 0, sizeof(addr) );
        addr.sa.sa_family = tests[i].family;
        if (tests[i].family == AF_INET)
        {
            inet_pton( AF_INET, tests[i].addr, &addr.in.sin_addr );
            addr.in.sin_port = htons( tests[i].port );
        }
        else
        {
            inet_pton( AF_INET6, tests[i].addr, &addr.in6.sin6_addr );
            addr.in6.sin6_port = htons( tests[i].port );
            addr.in6.sin6_scope_id = tests[i].scope;
        }

        len = sizeof(buffer);
        check_ok( WSAAddressToStringA( &addr.sa, address_len( tests[i].family ), NULL, buffer, &len ) );
        ok( !strcmp( buffer, tests[i].str ), "got %s\n", buffer );
        ok( len == expect, "got length %lu\n", len );
        len = ARRAY_SIZE(bufferW);
        check_ok( WSAAddressToStringW( &addr.sa, address_len( tests[i].family ), NULL, bufferW, &len ) );
        WideCharToMultiByte( CP_ACP, 0, bufferW, -1, buffer, sizeof(buffer), NULL, NULL );
        ok( !strcmp( buffer, tests[i].str ), "got %s\n", buffer );
        ok( len == expect, "got length %lu\n", len );

        len = expect;
        check_ok( WSAAddressToStringA( &addr.sa, address_len( tests[i].family ), NULL, buffer, &len ) );
        len = expect - 1;
        check_error( WSAAddressToStringA( &addr.sa, address_len( tests[i].family ), NULL, buffer, &len ), WSAEFAULT );
        ok( len == expect, "got length %lu\n", len );
        len = 0;
        check_error( WSAAddressToStringW( &addr.sa, address_len( tests[i].family ), NULL, NULL, &len ), WSAEFAULT );
        ok( len == expect, "got length %lu\n", len );
        winetest_pop_context();
    }

    address_loopback( &addr, AF_INET, 80 );
    len = sizeof(buffer);
    todo_wine check_error( WSAAddressToStringA( &addr.sa, sizeof(addr.in) - 1, NULL, buffer, &len ), WSAEINVAL );
    todo_wine check_error( WSAAddressToStringA( NULL, sizeof(addr.in), NULL, buffer, &len ), WSAEINVAL );
    todo_wine check_error( WSAAddressToStringA( &addr.sa, sizeof(addr.in), NULL, buffer, NULL ), WSAEINVAL );
}

static void test_string_to_address(void)
{
    static const struct
    {
        int family;
        const char *str;
        const char *addr;       /* NULL: it is none */
        USHORT port;
    }
    tests[] =
    {
        { AF_INET, "127.0.0.1", "127.0.0.1", 0 },
        { AF_INET, "127.0.0.1:80", "127.0.0.1", 80 },
        { AF_INET, "255.255.255.255:65535", "255.255.255.255", 65535 },
        { AF_INET, "127.0.0.1:65537", NULL, 0 },
        { AF_INET, "127.0.0.1:", NULL, 0 },
        { AF_INET, "hostname", NULL, 0 },
        { AF_INET, "300.0.0.1", NULL, 0 },
        { AF_INET, "::1", NULL, 0 },
        { AF_INET6, "::1", "::1", 0 },
        { AF_INET6, "[::1]:80", "::1", 80 },
        { AF_INET6, "[::1]", "::1", 0 },
        { AF_INET6, "2001:db8::1", "2001:db8::1", 0 },
        { AF_INET6, "127.0.0.1", NULL, 0 },
        { AF_INET6, "[::1", NULL, 0 },
        { AF_INET6, "[::1]:65536", NULL, 0 },
    };
    union address addr, expect;
    char buffer[80];
    WCHAR bufferW[80];
    unsigned i;
    int len, size;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        winetest_push_context( "%s", tests[i].str );
        size = address_len( tests[i].family );
        strcpy( buffer, tests[i].str );
        MultiByteToWideChar( CP_ACP, 0, buffer, -1, bufferW, ARRAY_SIZE(bufferW) );
        if (!tests[i].addr)
        {
            len = sizeof(addr);
            check_error( WSAStringToAddressA( buffer, tests[i].family, NULL, &addr.sa, &len ), WSAEINVAL );
            len = sizeof(addr);
            check_error( WSAStringToAddressW( bufferW, tests[i].family, NULL, &addr.sa, &len ), WSAEINVAL );
            winetest_pop_context();
            continue;
        }

        memset( &expect, 0, sizeof(expect) );
        expect.sa.sa_family = tests[i].family;
        if (tests[i].family == AF_INET)
        {
            inet_pton( AF_INET, tests[i].addr, &expect.in.sin_addr );
            expect.in.sin_port = htons( tests[i].port );
        }
        else
        {
            inet_pton( AF_INET6, tests[i].addr, &expect.in6.sin6_addr );
            expect.in6.sin6_port = htons( tests[i].port );
        }
        memset( &addr, 0xcc, sizeof(addr) );
        len = sizeof(addr);
        check_ok( WSAStringToAddressA( buffer, tests[i].family, NULL, &addr.sa, &len ) );
        ok( len == size, "got length %d\n", len );
        ok( !memcmp( &addr, &expect, size ), "got another address\n" );
        memset( &addr, 0xcc, sizeof(addr) );
        len = sizeof(addr);
        check_ok( WSAStringToAddressW( bufferW, tests[i].family, NULL, &addr.sa, &len ) );
        ok( len == size, "got length %d\n", len );
        ok( !memcmp( &addr, &expect, size ), "got another address\n" );

        len = size - 1;
        check_error( WSAStringToAddressA( buffer, tests[i].family, NULL, &addr.sa, &len ), WSAEFAULT );
        ok( len == size, "got length %d\n", len );
        winetest_pop_context();
    }

    len = sizeof(addr);
    strcpy( buffer, "127.0.0.1" );
    check_error( WSAStringToAddressA( buffer, AF_UNSPEC, NULL, &addr.sa, &len ), WSAEINVAL );
    check_error( WSAStringToAddressA( NULL, AF_INET, NULL, &addr.sa, &len ), WSAEINVAL );
    todo_wine check_error( WSAStringToAddressA( buffer, AF_INET, NULL, &addr.sa, NULL ), WSAEFAULT );
}

static void test_byte_order(void)
{
    SOCKET s = socket_new( AF_INET, SOCK_STREAM );
    u_long value32;
    u_short value16;

    ok( htonl( 0x12345678 ) == 0x78563412, "got %#lx\n", htonl( 0x12345678 ) );
    ok( ntohl( 0x12345678 ) == 0x78563412, "got %#lx\n", ntohl( 0x12345678 ) );
    ok( htons( 0x1234 ) == 0x3412, "got %#x\n", htons( 0x1234 ) );
    ok( ntohs( 0x1234 ) == 0x3412, "got %#x\n", ntohs( 0x1234 ) );

    value32 = 0;
    check_ok( WSAHtonl( s, 0x12345678, &value32 ) );
    ok( value32 == 0x78563412, "got %#lx\n", value32 );
    value32 = 0;
    check_ok( WSANtohl( s, 0x12345678, &value32 ) );
    ok( value32 == 0x78563412, "got %#lx\n", value32 );
    value16 = 0;
    check_ok( WSAHtons( s, 0x1234, &value16 ) );
    ok( value16 == 0x3412, "got %#x\n", value16 );
    value16 = 0;
    check_ok( WSANtohs( s, 0x1234, &value16 ) );
    ok( value16 == 0x3412, "got %#x\n", value16 );

    check_error( WSAHtonl( s, 1, NULL ), WSAEFAULT );
    todo_wine check_error( WSANtohl( s, 1, NULL ), WSAEFAULT );
    check_error( WSAHtons( s, 1, NULL ), WSAEFAULT );
    todo_wine check_error( WSANtohs( s, 1, NULL ), WSAEFAULT );
    closesocket( s );
    todo_wine check_error( WSAHtonl( s, 1, &value32 ), WSAENOTSOCK );
    todo_wine check_error( WSANtohl( s, 1, &value32 ), WSAENOTSOCK );
    todo_wine check_error( WSAHtons( s, 1, &value16 ), WSAENOTSOCK );
    todo_wine check_error( WSANtohs( s, 1, &value16 ), WSAENOTSOCK );
}

START_TEST(address)
{
    WSADATA data;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    test_inet_addr();
    test_inet_ntoa();
    test_pton();
    test_ntop();
    test_address_to_string();
    test_string_to_address();
    test_byte_order();
    WSACleanup();
}
