/*
 * Names of hosts, services and protocols, as far as no network is needed
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

static void check_address_( int line, const struct addrinfo *info, int family, const char *host, USHORT port )
{
    union address *addr = (union address *)info->ai_addr;
    char buffer[64];

    ok_(__FILE__, line)( info->ai_family == family, "got family %d\n", info->ai_family );
    ok_(__FILE__, line)( info->ai_addrlen == (size_t)address_len( family ), "got length %Iu\n", info->ai_addrlen );
    ok_(__FILE__, line)( addr->sa.sa_family == family, "got family %d in the address\n", addr->sa.sa_family );
    ok_(__FILE__, line)( address_port( addr ) == port, "got port %u\n", address_port( addr ) );
    inet_ntop( family, family == AF_INET ? (void *)&addr->in.sin_addr : (void *)&addr->in6.sin6_addr,
               buffer, sizeof(buffer) );
    ok_(__FILE__, line)( !strcmp( buffer, host ), "got address %s\n", buffer );
}
#define check_address( info, family, host, port ) check_address_( __LINE__, info, family, host, port )

static void test_literals(void)
{
    static const struct
    {
        const char *host;
        int family;
    }
    tests[] =
    {
        { "127.0.0.1", AF_INET },
        { "1.2.3.4", AF_INET },
        { "255.255.255.255", AF_INET },
        { "::1", AF_INET6 },
        { "2001:db8::1", AF_INET6 },
        { "::", AF_INET6 },
    };
    struct addrinfo *info, hints;
    unsigned i;
    int ret;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        winetest_push_context( "%s", tests[i].host );

        /* without hints: one address, of no particular type */
        info = NULL;
        ret = getaddrinfo( tests[i].host, NULL, NULL, &info );
        ok( !ret, "got %d\n", ret );
        if (!ret)
        {
            check_address( info, tests[i].family, tests[i].host, 0 );
            todo_wine ok( !info->ai_socktype, "got type %d\n", info->ai_socktype );
            todo_wine ok( !info->ai_protocol, "got protocol %d\n", info->ai_protocol );
            ok( !info->ai_canonname, "got name %s\n", info->ai_canonname );
            todo_wine ok( !info->ai_next, "more than one address\n" );
            freeaddrinfo( info );
        }

        memset( &hints, 0, sizeof(hints) );
        hints.ai_flags = AI_NUMERICHOST;
        hints.ai_family = tests[i].family;
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_protocol = IPPROTO_TCP;
        ret = getaddrinfo( tests[i].host, "1234", &hints, &info );
        ok( !ret, "got %d\n", ret );
        if (!ret)
        {
            check_address( info, tests[i].family, tests[i].host, 1234 );
            ok( info->ai_socktype == SOCK_STREAM, "got type %d\n", info->ai_socktype );
            ok( info->ai_protocol == IPPROTO_TCP, "got protocol %d\n", info->ai_protocol );
            ok( !info->ai_next, "more than one address\n" );
            freeaddrinfo( info );
        }

        /* not of the other family */
        hints.ai_family = tests[i].family == AF_INET ? AF_INET6 : AF_INET;
        WSASetLastError( 0xdeadbeef );
        ret = getaddrinfo( tests[i].host, NULL, &hints, &info );
        todo_wine ok( ret == WSAHOST_NOT_FOUND, "got %d\n", ret );
        todo_wine ok( WSAGetLastError() == WSAHOST_NOT_FOUND, "got error %d\n", WSAGetLastError() );
        winetest_pop_context();
    }
}

/* no host: this one, or any */
static void test_no_host(void)
{
    struct addrinfo *info, hints;
    int ret;

    info = (struct addrinfo *)0xdead;
    WSASetLastError( 0xdeadbeef );
    ret = getaddrinfo( NULL, NULL, NULL, &info );
    ok( ret == WSAHOST_NOT_FOUND, "got %d\n", ret );
    ok( WSAGetLastError() == WSAHOST_NOT_FOUND, "got error %d\n", WSAGetLastError() );
    ok( !info, "got %p\n", info );

    memset( &hints, 0, sizeof(hints) );
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    ret = getaddrinfo( NULL, "80", &hints, &info );
    ok( !ret, "got %d\n", ret );
    check_address( info, AF_INET, "127.0.0.1", 80 );
    freeaddrinfo( info );
    hints.ai_flags = AI_PASSIVE;
    ret = getaddrinfo( NULL, "80", &hints, &info );
    ok( !ret, "got %d\n", ret );
    check_address( info, AF_INET, "0.0.0.0", 80 );
    freeaddrinfo( info );
    hints.ai_family = AF_INET6;
    ret = getaddrinfo( NULL, "0", &hints, &info );
    ok( !ret, "got %d\n", ret );
    check_address( info, AF_INET6, "::", 0 );
    freeaddrinfo( info );
    hints.ai_flags = 0;
    ret = getaddrinfo( NULL, "1", &hints, &info );
    ok( !ret, "got %d\n", ret );
    check_address( info, AF_INET6, "::1", 1 );
    freeaddrinfo( info );

    /* an empty name is this host's */
    hints.ai_family = AF_INET;
    ret = getaddrinfo( "", "80", &hints, &info );
    ok( !ret, "got %d\n", ret );
    if (!ret) freeaddrinfo( info );
}

static void test_localhost(void)
{
    struct addrinfo *info, *ai, hints;
    int ret;

    memset( &hints, 0, sizeof(hints) );
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_DGRAM;
    ret = getaddrinfo( "localhost", "53", &hints, &info );
    ok( !ret, "got %d\n", ret );
    check_address( info, AF_INET, "127.0.0.1", 53 );
    ok( info->ai_socktype == SOCK_DGRAM, "got type %d\n", info->ai_socktype );
    freeaddrinfo( info );
    ret = getaddrinfo( "LocalHost", NULL, &hints, &info );
    ok( !ret, "got %d\n", ret );
    check_address( info, AF_INET, "127.0.0.1", 0 );
    freeaddrinfo( info );

    hints.ai_family = AF_UNSPEC;
    ret = getaddrinfo( "localhost", "53", &hints, &info );
    ok( !ret, "got %d\n", ret );
    for (ai = info; ai; ai = ai->ai_next)
    {
        if (ai->ai_family == AF_INET) check_address( ai, AF_INET, "127.0.0.1", 53 );
        else check_address( ai, AF_INET6, "::1", 53 );
    }
    freeaddrinfo( info );

    hints.ai_flags = AI_CANONNAME;
    ret = getaddrinfo( "localhost", NULL, &hints, &info );
    ok( !ret, "got %d\n", ret );
    ok( info->ai_canonname && info->ai_canonname[0], "no name\n" );
    ok( !info->ai_next || !info->ai_next->ai_canonname, "the second address has a name, too\n" );
    freeaddrinfo( info );
}

static void test_services(void)
{
    struct addrinfo *info, hints;
    int ret;

    memset( &hints, 0, sizeof(hints) );
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    ret = getaddrinfo( "127.0.0.1", "http", &hints, &info );
    ok( !ret, "got %d\n", ret );
    check_address( info, AF_INET, "127.0.0.1", 80 );
    freeaddrinfo( info );
    ret = getaddrinfo( "127.0.0.1", "65535", &hints, &info );
    ok( !ret, "got %d\n", ret );
    check_address( info, AF_INET, "127.0.0.1", 65535 );
    freeaddrinfo( info );
    WSASetLastError( 0xdeadbeef );
    ret = getaddrinfo( "127.0.0.1", "no-such-service", &hints, &info );
    ok( ret == WSATYPE_NOT_FOUND, "got %d\n", ret );
    ok( WSAGetLastError() == WSATYPE_NOT_FOUND, "got error %d\n", WSAGetLastError() );
}

static void test_bad_hints(void)
{
    struct addrinfo *info, hints;
    int ret;

    memset( &hints, 0, sizeof(hints) );
    hints.ai_family = 0xdead;
    ret = getaddrinfo( "127.0.0.1", NULL, &hints, &info );
    ok( ret == WSAEAFNOSUPPORT, "got %d\n", ret );
    ok( WSAGetLastError() == WSAEAFNOSUPPORT, "got error %d\n", WSAGetLastError() );

    memset( &hints, 0, sizeof(hints) );
    hints.ai_socktype = 0xdead;
    ret = getaddrinfo( "127.0.0.1", NULL, &hints, &info );
    ok( ret == WSAESOCKTNOSUPPORT, "got %d\n", ret );

    memset( &hints, 0, sizeof(hints) );
    hints.ai_flags = AI_CANONNAME;
    ret = getaddrinfo( NULL, "80", &hints, &info );
    ok( ret == WSAEINVAL, "got %d\n", ret );

    memset( &hints, 0, sizeof(hints) );
    hints.ai_flags = AI_NUMERICHOST;
    ret = getaddrinfo( "localhost", "80", &hints, &info );
    ok( ret == WSAHOST_NOT_FOUND, "got %d\n", ret );
    ret = getaddrinfo( "1.2.3.4.5", "80", &hints, &info );
    ok( ret == WSAHOST_NOT_FOUND, "got %d\n", ret );
    ret = getaddrinfo( "300.2.3.4", "80", &hints, &info );
    ok( ret == WSAHOST_NOT_FOUND, "got %d\n", ret );
}

static void test_wide(void)
{
    struct sockaddr_in *addr;
    ADDRINFOW *info, hints;
    int ret;

    info = (ADDRINFOW *)0xdead;
    ret = GetAddrInfoW( NULL, NULL, NULL, &info );
    ok( ret == WSAHOST_NOT_FOUND, "got %d\n", ret );
    ok( !info, "got %p\n", info );

    memset( &hints, 0, sizeof(hints) );
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    ret = GetAddrInfoW( L"localhost", L"http", &hints, &info );
    ok( !ret, "got %d\n", ret );
    addr = (struct sockaddr_in *)info->ai_addr;
    ok( info->ai_family == AF_INET && info->ai_socktype == SOCK_STREAM, "got %d, %d\n", info->ai_family, info->ai_socktype );
    ok( addr->sin_addr.s_addr == htonl( INADDR_LOOPBACK ), "got address %#lx\n", addr->sin_addr.s_addr );
    ok( addr->sin_port == htons( 80 ), "got port %u\n", ntohs( addr->sin_port ) );
    FreeAddrInfoW( info );

    hints.ai_flags = AI_NUMERICHOST;
    ret = GetAddrInfoW( L"localhost", NULL, &hints, &info );
    ok( ret == WSAHOST_NOT_FOUND, "got %d\n", ret );
    ret = GetAddrInfoW( L"127.0.0.1", L"no-such-service", &hints, &info );
    ok( ret == WSATYPE_NOT_FOUND, "got %d\n", ret );
    hints.ai_family = 0xdead;
    ret = GetAddrInfoW( L"127.0.0.1", NULL, &hints, &info );
    ok( ret == WSAEAFNOSUPPORT, "got %d\n", ret );

    memset( &hints, 0, sizeof(hints) );
    hints.ai_flags = AI_CANONNAME;
    ret = GetAddrInfoW( L"localhost", NULL, &hints, &info );
    ok( !ret, "got %d\n", ret );
    ok( info->ai_canonname && info->ai_canonname[0], "no name\n" );
    FreeAddrInfoW( info );
}

static void test_own_name(void)
{
    struct addrinfo *info, hints;
    char name[256], copy[256];
    WCHAR nameW[256];
    struct hostent *host;
    int ret;

    check_ok( gethostname( name, sizeof(name) ) );
    ok( name[0], "an empty name\n" );
    check_ok( GetHostNameW( nameW, ARRAY_SIZE(nameW) ) );
    WideCharToMultiByte( CP_ACP, 0, nameW, -1, copy, sizeof(copy), NULL, NULL );
    ok( !strcmp( name, copy ), "got %s and %s\n", name, copy );

    check_error( gethostname( name, strlen( copy ) ), WSAEFAULT );
    check_ok( gethostname( name, strlen( copy ) + 1 ) );
    ok( !strcmp( name, copy ), "got %s\n", name );
    check_error( gethostname( name, 0 ), WSAEFAULT );
    check_error( gethostname( NULL, sizeof(name) ), WSAEFAULT );
    check_error( GetHostNameW( nameW, strlen( copy ) ), WSAEFAULT );
    check_error( GetHostNameW( NULL, ARRAY_SIZE(nameW) ), WSAEFAULT );

    /* which is a name of this host */
    memset( &hints, 0, sizeof(hints) );
    hints.ai_family = AF_INET;
    ret = getaddrinfo( copy, NULL, &hints, &info );
    ok( !ret, "%s: got %d\n", copy, ret );
    if (!ret) freeaddrinfo( info );
    host = gethostbyname( copy );
    ok( !!host, "%s: error %d\n", copy, WSAGetLastError() );
    host = gethostbyname( NULL );
    ok( !!host, "error %d\n", WSAGetLastError() );
    host = gethostbyname( "" );
    ok( !!host, "error %d\n", WSAGetLastError() );
}

static void test_hostent(void)
{
    ULONG loopback = htonl( INADDR_LOOPBACK ), addr;
    struct hostent *host;

    host = gethostbyname( "localhost" );
    ok( !!host, "error %d\n", WSAGetLastError() );
    ok( host->h_addrtype == AF_INET, "got family %d\n", host->h_addrtype );
    ok( host->h_length == 4, "got length %d\n", host->h_length );
    ok( *(ULONG *)host->h_addr_list[0] == loopback, "got address %#lx\n", *(ULONG *)host->h_addr_list[0] );
    ok( !!host->h_name, "no name\n" );
    ok( !!host->h_aliases, "no list of aliases\n" );

    host = gethostbyname( "1.2.3.4" );
    ok( !!host, "error %d\n", WSAGetLastError() );
    addr = inet_addr( "1.2.3.4" );
    ok( *(ULONG *)host->h_addr_list[0] == addr, "got address %#lx\n", *(ULONG *)host->h_addr_list[0] );
    ok( !host->h_addr_list[1], "more than one address\n" );

    host = gethostbyaddr( (char *)&loopback, sizeof(loopback), AF_INET );
    ok( !!host, "error %d\n", WSAGetLastError() );
    if (host) ok( host->h_addrtype == AF_INET && host->h_length == 4, "got %d, %d\n", host->h_addrtype, host->h_length );
    WSASetLastError( 0xdeadbeef );
    host = gethostbyaddr( (char *)&loopback, 3, AF_INET );
    todo_wine ok( !host && WSAGetLastError() == WSAEFAULT, "got %p, error %d\n", host, WSAGetLastError() );
}

static void test_protocols(void)
{
    struct protoent *proto;

    proto = getprotobyname( "tcp" );
    ok( !!proto, "error %d\n", WSAGetLastError() );
    ok( proto->p_proto == IPPROTO_TCP, "got %d\n", proto->p_proto );
    ok( !strcmp( proto->p_name, "tcp" ), "got %s\n", proto->p_name );
    ok( proto->p_aliases && proto->p_aliases[0] && !strcmp( proto->p_aliases[0], "TCP" ), "no alias TCP\n" );
    proto = getprotobyname( "UDP" );
    ok( !!proto, "error %d\n", WSAGetLastError() );
    ok( proto->p_proto == IPPROTO_UDP, "got %d\n", proto->p_proto );
    proto = getprotobyname( "icmp" );
    ok( !!proto, "error %d\n", WSAGetLastError() );
    ok( proto->p_proto == IPPROTO_ICMP, "got %d\n", proto->p_proto );
    proto = getprotobyname( "ip" );
    ok( !!proto, "error %d\n", WSAGetLastError() );
    ok( !proto->p_proto, "got %d\n", proto->p_proto );
    WSASetLastError( 0xdeadbeef );
    proto = getprotobyname( "no-such-protocol" );
    ok( !proto && WSAGetLastError() == WSANO_DATA, "got %p, error %d\n", proto, WSAGetLastError() );

    proto = getprotobynumber( IPPROTO_UDP );
    ok( !!proto, "error %d\n", WSAGetLastError() );
    ok( !strcmp( proto->p_name, "udp" ), "got %s\n", proto->p_name );
    proto = getprotobynumber( IPPROTO_TCP );
    ok( !!proto, "error %d\n", WSAGetLastError() );
    ok( !strcmp( proto->p_name, "tcp" ), "got %s\n", proto->p_name );
    WSASetLastError( 0xdeadbeef );
    proto = getprotobynumber( 12345 );
    ok( !proto && WSAGetLastError() == WSANO_DATA, "got %p, error %d\n", proto, WSAGetLastError() );
}

static DWORD WINAPI service_thread( void *arg )
{
    return (struct servent *)arg != getservbyname( "ftp", "tcp" );
}

static void test_services_by_name(void)
{
    struct servent *serv;

    serv = getservbyname( "http", "tcp" );
    ok( !!serv, "error %d\n", WSAGetLastError() );
    ok( serv->s_port == htons( 80 ), "got port %u\n", ntohs( serv->s_port ) );
    ok( !strcmp( serv->s_proto, "tcp" ), "got %s\n", serv->s_proto );
    ok( !strcmp( serv->s_name, "http" ), "got %s\n", serv->s_name );
    serv = getservbyname( "domain", "udp" );
    ok( !!serv, "error %d\n", WSAGetLastError() );
    ok( serv->s_port == htons( 53 ), "got port %u\n", ntohs( serv->s_port ) );
    ok( !strcmp( serv->s_proto, "udp" ), "got %s\n", serv->s_proto );
    serv = getservbyname( "ftp", NULL );
    ok( !!serv, "error %d\n", WSAGetLastError() );
    ok( serv->s_port == htons( 21 ), "got port %u\n", ntohs( serv->s_port ) );
    WSASetLastError( 0xdeadbeef );
    serv = getservbyname( "no-such-service", "tcp" );
    ok( !serv && WSAGetLastError() == WSANO_DATA, "got %p, error %d\n", serv, WSAGetLastError() );

    serv = getservbyport( htons( 80 ), "tcp" );
    ok( !!serv, "error %d\n", WSAGetLastError() );
    ok( !strcmp( serv->s_name, "http" ), "got %s\n", serv->s_name );
    serv = getservbyport( htons( 53 ), NULL );
    ok( !!serv, "error %d\n", WSAGetLastError() );
    ok( !strcmp( serv->s_name, "domain" ), "got %s\n", serv->s_name );
    WSASetLastError( 0xdeadbeef );
    serv = getservbyport( htons( 1 ), "no-such-protocol" );
    ok( !serv && WSAGetLastError() == WSANO_DATA, "got %p, error %d\n", serv, WSAGetLastError() );

    /* each thread has its own */
    serv = getservbyname( "http", "tcp" );
    ok( thread_end( thread_start( service_thread, serv ) ) == 1, "another thread got the same\n" );
    ok( serv->s_port == htons( 80 ), "another thread changed it to port %u\n", ntohs( serv->s_port ) );
}

static void test_getnameinfo(void)
{
    char host[256], service[64];
    WCHAR hostW[256], serviceW[64];
    union address addr;
    int ret, len;

    len = address_loopback( &addr, AF_INET, 80 );
    ret = getnameinfo( &addr.sa, len, host, sizeof(host), service, sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV );
    ok( !ret, "got %d\n", ret );
    ok( !strcmp( host, "127.0.0.1" ), "got host %s\n", host );
    ok( !strcmp( service, "80" ), "got service %s\n", service );
    ret = getnameinfo( &addr.sa, len, NULL, 0, service, sizeof(service), 0 );
    ok( !ret, "got %d\n", ret );
    ok( !strcmp( service, "http" ), "got service %s\n", service );
    ret = getnameinfo( &addr.sa, len, host, sizeof(host), NULL, 0, NI_NUMERICHOST );
    ok( !ret, "got %d\n", ret );
    ret = getnameinfo( &addr.sa, len, host, sizeof(host), NULL, 0, 0 );
    ok( !ret, "got %d\n", ret );
    ok( host[0], "an empty name\n" );
    ret = GetNameInfoW( &addr.sa, len, hostW, ARRAY_SIZE(hostW), serviceW, ARRAY_SIZE(serviceW),
                        NI_NUMERICHOST | NI_NUMERICSERV );
    ok( !ret, "got %d\n", ret );
    ok( !lstrcmpW( hostW, L"127.0.0.1" ), "got host %s\n", debugstr_w( hostW ) );
    ok( !lstrcmpW( serviceW, L"80" ), "got service %s\n", debugstr_w( serviceW ) );

    len = address_loopback( &addr, AF_INET6, 53 );
    ret = getnameinfo( &addr.sa, len, host, sizeof(host), service, sizeof(service), NI_NUMERICHOST | NI_DGRAM );
    ok( !ret, "got %d\n", ret );
    ok( !strcmp( host, "::1" ), "got host %s\n", host );
    ok( !strcmp( service, "domain" ), "got service %s\n", service );

    ret = getnameinfo( &addr.sa, len, NULL, 0, NULL, 0, 0 );
    todo_wine ok( ret == WSAHOST_NOT_FOUND, "got %d\n", ret );
    ret = getnameinfo( &addr.sa, sizeof(addr.in) - 1, host, sizeof(host), NULL, 0, NI_NUMERICHOST );
    todo_wine ok( ret == WSAEFAULT, "got %d\n", ret );
    addr.sa.sa_family = 0xdead;
    ret = getnameinfo( &addr.sa, sizeof(addr), host, sizeof(host), NULL, 0, NI_NUMERICHOST );
    ok( ret == WSAEAFNOSUPPORT, "got %d\n", ret );
}

START_TEST(names)
{
    WSADATA data;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    test_literals();
    test_no_host();
    test_localhost();
    test_services();
    test_bad_hints();
    test_wide();
    test_own_name();
    test_hostent();
    test_protocols();
    test_services_by_name();
    test_getnameinfo();
    WSACleanup();
}
