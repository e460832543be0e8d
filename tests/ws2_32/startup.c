/*
 * WSAStartup and WSACleanup: versions, counts, what they end; the last error of each thread
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

static void test_versions(void)
{
    static const struct
    {
        WORD asked, got;
    }
    tests[] =
    {
        { MAKEWORD( 1, 0 ), MAKEWORD( 1, 0 ) },
        { MAKEWORD( 1, 1 ), MAKEWORD( 1, 1 ) },
        { MAKEWORD( 2, 0 ), MAKEWORD( 2, 0 ) },
        { MAKEWORD( 2, 1 ), MAKEWORD( 2, 1 ) },
        { MAKEWORD( 2, 2 ), MAKEWORD( 2, 2 ) },
        { MAKEWORD( 2, 3 ), MAKEWORD( 2, 2 ) },
        { MAKEWORD( 3, 0 ), MAKEWORD( 2, 2 ) },
        { MAKEWORD( 255, 255 ), MAKEWORD( 2, 2 ) },
    };
    WSADATA data;
    unsigned i;
    int ret;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        winetest_push_context( "version %04x", tests[i].asked );
        memset( &data, 0xcc, sizeof(data) );
        ret = WSAStartup( tests[i].asked, &data );
        ok( !ret, "got %d\n", ret );
        ok( data.wVersion == tests[i].got, "got version %04x\n", data.wVersion );
        ok( data.wHighVersion == MAKEWORD( 2, 2 ), "got highest version %04x\n", data.wHighVersion );
        ok( !strcmp( data.szDescription, "WinSock 2.0" ), "got %s\n", debugstr_a( data.szDescription ) );
        ok( !strcmp( data.szSystemStatus, "Running" ), "got %s\n", debugstr_a( data.szSystemStatus ) );
        if (LOBYTE( tests[i].asked ) == 1)
        {
            ok( data.iMaxSockets == 32767, "got %u sockets\n", data.iMaxSockets );
            ok( data.iMaxUdpDg == 65467, "got %u bytes\n", data.iMaxUdpDg );
        }
        else
        {
            ok( !data.iMaxSockets, "got %u sockets\n", data.iMaxSockets );
            ok( !data.iMaxUdpDg, "got %u bytes\n", data.iMaxUdpDg );
        }
        check_ok( WSACleanup() );
        winetest_pop_context();
    }

    ret = WSAStartup( MAKEWORD( 0, 0 ), &data );
    ok( ret == WSAVERNOTSUPPORTED, "got %d\n", ret );
    ret = WSAStartup( MAKEWORD( 0, 1 ), &data );
    ok( ret == WSAVERNOTSUPPORTED, "got %d\n", ret );
    check_error( WSACleanup(), WSANOTINITIALISED );
}

/* a failing WSAStartup does not count */
static void test_bad_pointer(void)
{
    int ret;

    ret = WSAStartup( MAKEWORD( 2, 2 ), NULL );
    ok( ret == WSAEFAULT, "got %d\n", ret );
    check_error( WSACleanup(), WSANOTINITIALISED );
}

static void piece_unwritable(void)
{
    int ret = WSAStartup( MAKEWORD( 2, 2 ), bad_pointer() );

    ok( ret == WSAEFAULT, "got %d\n", ret );
    check_error( WSACleanup(), WSANOTINITIALISED );
}

static void test_counts(void)
{
    WSADATA data;
    SOCKET s;
    int i;

    check_error( WSACleanup(), WSANOTINITIALISED );
    for (i = 0; i < 3; i++) ok( !WSAStartup( MAKEWORD( 2, 2 ), &data ), "startup failed\n" );
    s = socket_new( AF_INET, SOCK_STREAM );
    check_ok( WSACleanup() );
    check_ok( WSACleanup() );
    socket_set_nonblocking( s, TRUE );
    check_ok( WSACleanup() );
    check_error( WSACleanup(), WSANOTINITIALISED );
    check_error( socket( AF_INET, SOCK_STREAM, 0 ), WSANOTINITIALISED );
    check_error( closesocket( s ), WSANOTINITIALISED );
}

/* the last WSACleanup closes the sockets, which are no sockets after another WSAStartup either */
static void test_cleanup_closes(void)
{
    SOCKET s, listener;
    union address addr;
    WSADATA data;
    int len = sizeof(addr);

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    s = socket_bound( AF_INET, SOCK_DGRAM, &addr );
    listener = socket_listening( AF_INET, &addr );
    check_ok( WSACleanup() );

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    check_error( getsockname( s, &addr.sa, &len ), WSAENOTSOCK );
    check_error( listen( listener, 1 ), WSAENOTSOCK );
    check_error( closesocket( s ), WSAENOTSOCK );

    /* nobody listens on the port any more */
    s = socket_new( AF_INET, SOCK_STREAM );
    check_error( connect( s, &addr.sa, sizeof(addr.in) ), WSAECONNREFUSED );
    closesocket( s );
    check_ok( WSACleanup() );
}

/* the child: connects, cleans up without closing, and lives on until the parent is done */
static void child_cleanup( const char *port, const char *event )
{
    HANDLE done = (HANDLE)(UINT_PTR)strtoul( event, NULL, 10 );
    union address addr;
    WSADATA data;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    address_loopback( &addr, AF_INET, atoi( port ) );
    socket_connecting( &addr );
    check_ok( WSACleanup() );
    ok( !WaitForSingleObject( done, 10000 ), "the parent does not see the end of the connection\n" );
}

static void test_cleanup_seen_by_peer(void)
{
    SECURITY_ATTRIBUTES attr = { sizeof(attr), NULL, TRUE };
    HANDLE process, done = CreateEventW( &attr, TRUE, FALSE, NULL );
    SOCKET listener, s;
    union address addr;
    WSADATA data;
    char args[64], c;
    int ret;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    listener = socket_listening( AF_INET, &addr );
    SetHandleInformation( (HANDLE)listener, HANDLE_FLAG_INHERIT, 0 );
    sprintf( args, "cleanup %u %u", address_port( &addr ), (unsigned)(UINT_PTR)done );
    process = child_start( args, NULL );
    s = socket_accepted( listener );
    ret = recv( s, &c, 1, 0 );
    ok( !ret || WSAGetLastError() == WSAECONNRESET, "got %d, error %d\n", ret, WSAGetLastError() );
    SetEvent( done );
    winetest_wait_child_process( process );
    CloseHandle( process );
    CloseHandle( done );
    closesocket( s );
    closesocket( listener );
    check_ok( WSACleanup() );
}

static DWORD WINAPI count_thread( void *arg )
{
    WSADATA data;
    SOCKET s;
    int i, failed = 0;

    (void)arg;
    for (i = 0; i < 100; i++)
    {
        if (WSAStartup( MAKEWORD( 2, 2 ), &data )) failed++;
        if ((s = socket( AF_INET, SOCK_DGRAM, 0 )) == INVALID_SOCKET) failed++;
        if (closesocket( s )) failed++;
        if (WSACleanup()) failed++;
    }
    return failed;
}

/* each thread's own socket survives what the others count */
static void test_threads(void)
{
    HANDLE threads[4];
    unsigned i;
    DWORD ret;

    for (i = 0; i < ARRAY_SIZE(threads); i++) threads[i] = thread_start( count_thread, NULL );
    for (i = 0; i < ARRAY_SIZE(threads); i++)
    {
        ret = thread_end( threads[i] );
        ok( !ret, "thread %u: %lu calls failed\n", i, ret );
    }
    check_error( WSACleanup(), WSANOTINITIALISED );
}

static DWORD WINAPI error_thread( void *arg )
{
    int error = WSAGetLastError();

    ok( !error, "a new thread starts with error %d\n", error );
    WSASetLastError( (int)(INT_PTR)arg );
    Sleep( 20 );
    return WSAGetLastError();
}

static void test_last_error(void)
{
    HANDLE threads[3];
    unsigned i;
    DWORD ret;

    /* works without WSAStartup */
    WSASetLastError( 4711 );
    ok( WSAGetLastError() == 4711, "got %d\n", WSAGetLastError() );
    ok( GetLastError() == 4711, "got %lu\n", GetLastError() );
    SetLastError( 4712 );
    ok( WSAGetLastError() == 4712, "got %d\n", WSAGetLastError() );

    for (i = 0; i < ARRAY_SIZE(threads); i++) threads[i] = thread_start( error_thread, (void *)(UINT_PTR)(100 + i) );
    for (i = 0; i < ARRAY_SIZE(threads); i++)
    {
        ret = thread_end( threads[i] );
        ok( ret == 100 + i, "thread %u: got %lu\n", i, ret );
    }
    WSASetLastError( 4711 );
    ok( WSAGetLastError() == 4711, "got %d\n", WSAGetLastError() );
}

/* WSAStartup returns its error; the data of an earlier call stays as it was */
static void test_independent_data(void)
{
    WSADATA first, second;

    WSAStartup( MAKEWORD( 2, 2 ), &first );
    WSAStartup( MAKEWORD( 1, 1 ), &second );
    ok( first.wVersion == MAKEWORD( 2, 2 ), "got %04x\n", first.wVersion );
    ok( second.wVersion == MAKEWORD( 1, 1 ), "got %04x\n", second.wVersion );
    check_ok( WSACleanup() );
    check_ok( WSACleanup() );
}

static const struct piece pieces[] =
{
    { "unwritable", piece_unwritable },
};

START_TEST(startup)
{
    char **argv;
    int argc = winetest_get_mainargs( &argv );

    if (piece_main( pieces, ARRAY_SIZE(pieces) )) return;
    if (argc == 5 && !strcmp( argv[2], "cleanup" ))
    {
        child_cleanup( argv[3], argv[4] );
        return;
    }

    test_versions();
    test_bad_pointer();
    todo_wine piece_run( "unwritable" );
    test_counts();
    test_cleanup_closes();
    test_cleanup_seen_by_peer();
    test_threads();
    test_last_error();
    test_independent_data();
}
