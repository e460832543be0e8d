/*
 * The catalog of protocols
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

static const GUID ipv4_provider = { 0xe70f1aa0, 0xab8b, 0x11cf, { 0x8c, 0xa3, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92 } };
static const GUID ipv6_provider = { 0xf9eab0c0, 0x26d4, 0x11d0, { 0xbb, 0xbf, 0x00, 0xaa, 0x00, 0x6c, 0x34, 0xe4 } };

#define STREAM_FLAGS (XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | XP1_GRACEFUL_CLOSE | \
                      XP1_EXPEDITED_DATA | XP1_IFS_HANDLES)
#define DATAGRAM_FLAGS (XP1_CONNECTIONLESS | XP1_MESSAGE_ORIENTED | XP1_SUPPORT_BROADCAST | \
                        XP1_SUPPORT_MULTIPOINT | XP1_IFS_HANDLES)

static WSAPROTOCOL_INFOW *get_catalog( int *count )
{
    WSAPROTOCOL_INFOW *infos;
    DWORD size = 0;

    check_error( WSAEnumProtocolsW( NULL, NULL, &size ), WSAENOBUFS );
    ok( size && !(size % sizeof(*infos)), "got size %lu\n", size );
    infos = malloc( size );
    memset( infos, 0xcc, size );
    *count = WSAEnumProtocolsW( NULL, infos, &size );
    ok( *count > 0, "got %d, error %d\n", *count, WSAGetLastError() );
    ok( size == *count * sizeof(*infos), "got size %lu for %d protocols\n", size, *count );
    return infos;
}

/* what programs look for */
static void test_contents(void)
{
    static const struct
    {
        const WCHAR *name;
        int family, type, protocol, address_size;
        const GUID *provider;
        DWORD flags;
    }
    tests[] =
    {
        { L"MSAFD Tcpip [TCP/IP]", AF_INET, SOCK_STREAM, IPPROTO_TCP, 16, &ipv4_provider, STREAM_FLAGS },
        { L"MSAFD Tcpip [UDP/IP]", AF_INET, SOCK_DGRAM, IPPROTO_UDP, 16, &ipv4_provider, DATAGRAM_FLAGS },
        { L"MSAFD Tcpip [TCP/IPv6]", AF_INET6, SOCK_STREAM, IPPROTO_TCP, 28, &ipv6_provider, STREAM_FLAGS },
        { L"MSAFD Tcpip [UDP/IPv6]", AF_INET6, SOCK_DGRAM, IPPROTO_UDP, 28, &ipv6_provider, DATAGRAM_FLAGS },
    };
    WSAPROTOCOL_INFOW *infos, *info;
    int i, j, count, found = 0;

    infos = get_catalog( &count );
    for (i = 0; i < (int)ARRAY_SIZE(tests); i++)
    {
        winetest_push_context( "%s", debugstr_w( tests[i].name ) );
        for (j = 0, info = NULL; j < count; j++)
        {
            if (infos[j].iAddressFamily != tests[i].family || infos[j].iSocketType != tests[i].type) continue;
            if (infos[j].iProtocol != tests[i].protocol) continue;
            ok( !info, "twice\n" );
            info = &infos[j];
        }
        ok( !!info, "not there\n" );
        if (info)
        {
            found++;
            todo_wine ok( !lstrcmpW( info->szProtocol, tests[i].name ), "got name %s\n", debugstr_w( info->szProtocol ) );
            ok( IsEqualGUID( &info->ProviderId, tests[i].provider ), "got provider %s\n",
                debugstr_guid( &info->ProviderId ) );
            ok( info->dwServiceFlags1 == tests[i].flags, "got flags %#lx\n", info->dwServiceFlags1 );
            ok( !info->dwServiceFlags2 && !info->dwServiceFlags3 && !info->dwServiceFlags4, "got more flags\n" );
            ok( info->dwProviderFlags == PFL_MATCHES_PROTOCOL_ZERO, "got provider's flags %#lx\n", info->dwProviderFlags );
            ok( info->iVersion == 2, "got version %d\n", info->iVersion );
            ok( info->iMaxSockAddr == tests[i].address_size, "got %d\n", info->iMaxSockAddr );
            ok( info->iMinSockAddr == tests[i].address_size, "got %d\n", info->iMinSockAddr );
            ok( !info->iProtocolMaxOffset, "got %d\n", info->iProtocolMaxOffset );
            ok( info->iNetworkByteOrder == BIGENDIAN, "got %d\n", info->iNetworkByteOrder );
            ok( info->iSecurityScheme == SECURITY_PROTOCOL_NONE, "got %d\n", info->iSecurityScheme );
            ok( info->ProtocolChain.ChainLen == BASE_PROTOCOL, "got %d\n", info->ProtocolChain.ChainLen );
            ok( info->dwCatalogEntryId, "no entry number\n" );
            if (tests[i].type == SOCK_STREAM) ok( !info->dwMessageSize, "got size %lu\n", info->dwMessageSize );
            else ok( info->dwMessageSize > 65000 && info->dwMessageSize < 65536, "got size %lu\n", info->dwMessageSize );
        }
        winetest_pop_context();
    }
    ok( found == 4, "found %d\n", found );

    /* each has a number of its own */
    for (i = 0; i < count; i++)
        for (j = 0; j < i; j++)
            if (infos[i].dwCatalogEntryId == infos[j].dwCatalogEntryId) break;
    ok( i == count, "two have the number %lu\n", infos[i - 1].dwCatalogEntryId );
    free( infos );
}

static void test_ansi(void)
{
    WSAPROTOCOL_INFOW *infos;
    WSAPROTOCOL_INFOA *infosA;
    char name[WSAPROTOCOL_LEN + 1];
    DWORD size = 0;
    int i, count, ret;

    infos = get_catalog( &count );
    check_error( WSAEnumProtocolsA( NULL, NULL, &size ), WSAENOBUFS );
    ok( size == count * sizeof(*infosA), "got size %lu\n", size );
    infosA = malloc( size );
    ret = WSAEnumProtocolsA( NULL, infosA, &size );
    ok( ret == count, "got %d, expected %d\n", ret, count );
    for (i = 0; i < count; i++)
    {
        ok( !memcmp( &infos[i], &infosA[i], FIELD_OFFSET( WSAPROTOCOL_INFOA, szProtocol ) ), "%d differs\n", i );
        WideCharToMultiByte( CP_ACP, 0, infos[i].szProtocol, -1, name, sizeof(name), NULL, NULL );
        ok( !strcmp( infosA[i].szProtocol, name ), "got name %s\n", infosA[i].szProtocol );
    }
    free( infos );
    free( infosA );
}

static void test_sizes(void)
{
    WSAPROTOCOL_INFOW *infos;
    DWORD size, full;
    int count;

    infos = get_catalog( &count );
    full = count * sizeof(*infos);
    size = full - 1;
    check_error( WSAEnumProtocolsW( NULL, infos, &size ), WSAENOBUFS );
    ok( size == full, "got size %lu\n", size );
    size = full + 100;
    check_int( WSAEnumProtocolsW( NULL, infos, &size ), count );
    size = 0;
    check_error( WSAEnumProtocolsW( NULL, infos, &size ), WSAENOBUFS );
    ok( size == full, "got size %lu\n", size );
    free( infos );
}

static void piece_bad_pointers(void)
{
    static WSAPROTOCOL_INFOW infos[50];
    DWORD size = sizeof(infos);

    check_error( WSAEnumProtocolsW( NULL, infos, NULL ), WSAEFAULT );
    check_error( WSAEnumProtocolsA( NULL, NULL, NULL ), WSAEFAULT );
    check_error( WSAEnumProtocolsW( NULL, bad_pointer(), &size ), WSAEFAULT );
    check_error( WSAEnumProtocolsW( NULL, infos, bad_pointer() ), WSAEFAULT );
}

static void test_filter(void)
{
    INT tcp[] = { IPPROTO_TCP, 0 }, both[] = { IPPROTO_UDP, IPPROTO_TCP, 0 }, none[] = { 0x12345, 0 };
    WSAPROTOCOL_INFOW *infos;
    int i, count, expect_tcp = 0, expect_both = 0, ret;
    DWORD size, full;

    infos = get_catalog( &count );
    full = count * sizeof(*infos);
    for (i = 0; i < count; i++)
    {
        if (infos[i].iProtocol == IPPROTO_TCP) expect_tcp++;
        if (infos[i].iProtocol == IPPROTO_TCP || infos[i].iProtocol == IPPROTO_UDP) expect_both++;
    }

    size = full;
    ret = WSAEnumProtocolsW( tcp, infos, &size );
    ok( ret == expect_tcp, "got %d, error %d\n", ret, WSAGetLastError() );
    for (i = 0; i < ret; i++) ok( infos[i].iProtocol == IPPROTO_TCP, "%d: got protocol %d\n", i, infos[i].iProtocol );
    size = 0;
    check_error( WSAEnumProtocolsW( tcp, NULL, &size ), WSAENOBUFS );
    ok( size == expect_tcp * sizeof(*infos), "got size %lu\n", size );
    check_int( WSAEnumProtocolsW( tcp, infos, &size ), expect_tcp );
    size = full;
    ret = WSAEnumProtocolsW( both, infos, &size );
    ok( ret == expect_both, "got %d, error %d\n", ret, WSAGetLastError() );
    size = full;
    check_int( WSAEnumProtocolsW( none, infos, &size ), 0 );
    free( infos );
}

static const struct piece pieces[] =
{
    { "bad_pointers", piece_bad_pointers },
};

START_TEST(catalog)
{
    WSADATA data;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    if (!piece_main( pieces, ARRAY_SIZE(pieces) ))
    {
        test_contents();
        test_ansi();
        test_sizes();
        test_filter();
        todo_wine piece_run( "bad_pointers" );
    }
    WSACleanup();
}
