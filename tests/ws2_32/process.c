/*
 * Sockets in other processes: inherited, duplicated, as a plain child's standard handles
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

static SOCKET parse_socket( const char *str )
{
    return (SOCKET)strtoul( str, NULL, 10 );
}

/* starts this program with a command of this file and a socket's value, perhaps with another one */
static HANDLE start( const char *command, SOCKET s, SOCKET other )
{
    char args[64];

    sprintf( args, "%s %lu %lu", command, (unsigned long)s, (unsigned long)other );
    return child_start( args, NULL );
}

static void finish( HANDLE process )
{
    winetest_wait_child_process( process );
    CloseHandle( process );
}

/* like tcp_pair(), but only the server's end is inherited */
static void pair_for_child( SOCKET *mine, SOCKET *inherited )
{
    tcp_pair( mine, inherited );
    SetHandleInformation( (HANDLE)*mine, HANDLE_FLAG_INHERIT, 0 );
}

/* ---- what children do ---- */

static void child_talk( SOCKET s )
{
    union address addr;
    int len = sizeof(addr), type = 0;

    /* the first call may be any */
    check_int( send( s, "child", 5, 0 ), 5 );
    recv_exactly( s, "parent", 6 );
    check_ok( getpeername( s, &addr.sa, &len ) );
    len = sizeof(type);
    check_ok( getsockopt( s, SOL_SOCKET, SO_TYPE, (char *)&type, &len ) );
    ok( type == SOCK_STREAM, "got type %d\n", type );
    ok( wait_writable( s, 0 ), "not writable\n" );
}

static void child_receive_first( SOCKET s )
{
    recv_exactly( s, "parent", 6 );
    check_int( send( s, "child", 5, 0 ), 5 );
    check_ok( closesocket( s ) );
    check_error( closesocket( s ), WSAENOTSOCK );
}

static void child_udp( SOCKET s )
{
    union address from;
    char buffer[16];
    int len = sizeof(from);

    check_int( recvfrom( s, buffer, sizeof(buffer), 0, &from.sa, &len ), 6 );
    check_int( sendto( s, buffer, 6, 0, &from.sa, len ), 6 );
}

static void child_accept( SOCKET listener )
{
    SOCKET s = socket_accepted( listener );

    check_int( send( s, "child", 5, 0 ), 5 );
    closesocket( s );
}

static void child_not_inherited( SOCKET s )
{
    check_error( send( s, "x", 1, 0 ), WSAENOTSOCK );
    check_error( closesocket( s ), WSAENOTSOCK );
}

static void child_no_receive( SOCKET s )
{
    char c;

    check_error( recv( s, &c, 1, 0 ), WSAESHUTDOWN );
    check_int( send( s, "child", 5, 0 ), 5 );
    check_ok( shutdown( s, SD_SEND ) );
}

static void child_nonblocking( SOCKET s )
{
    u_long off = 0;
    char c;

    check_error( recv( s, &c, 1, 0 ), WSAEWOULDBLOCK );
    check_ok( ioctlsocket( s, FIONBIO, &off ) );
}

static void child_grandchild( SOCKET s )
{
    finish( start( "talk", s, 0 ) );
}

static void child_stdin(void)
{
    char buffer[16];
    DWORD count = 0;

    ok( ReadFile( GetStdHandle( STD_INPUT_HANDLE ), buffer, sizeof(buffer), &count, NULL ), "error %lu\n", GetLastError() );
    ok( count == 5 && !memcmp( buffer, "input", 5 ), "got %s\n", debugstr_an( buffer, count ) );
}

/* gets a socket's value through a connection, and uses the socket */
static void child_duplicate( const char *port )
{
    union address addr;
    SOCKET control, s;

    address_loopback( &addr, AF_INET, atoi( port ) );
    control = socket_connecting( &addr );
    check_int( recv( control, (char *)&s, sizeof(s), 0 ), sizeof(s) );
    child_talk( s );
    check_ok( closesocket( s ) );
    check_int( send( control, "done", 4, 0 ), 4 );
    closesocket( control );
}

static void child_hold( SOCKET s, SOCKET event )
{
    char c;

    (void)s;
    SetEvent( (HANDLE)event );
    /* until it is terminated; the socket is not even used */
    Sleep( 20000 );
    recv( s, &c, 1, 0 );
}

/* ---- what the parent does ---- */

static void test_inherit(void)
{
    SOCKET s, inherited;
    HANDLE process;

    pair_for_child( &s, &inherited );
    process = start( "talk", inherited, 0 );
    flaky_wine recv_exactly( s, "child", 5 );
    check_int( send( s, "parent", 6, 0 ), 6 );
    finish( process );
    /* the child is gone, the socket is not */
    check_int( send( inherited, "still", 5, 0 ), 5 );
    recv_exactly( s, "still", 5 );
    check_ok( closesocket( inherited ) );
    check_closed( s );
    closesocket( s );

    /* the parent closes it, the child has it */
    pair_for_child( &s, &inherited );
    process = start( "receive_first", inherited, 0 );
    check_ok( closesocket( inherited ) );
    Sleep( 50 );
    check_int( send( s, "parent", 6, 0 ), 6 );
    flaky_wine recv_exactly( s, "child", 5 );
    check_closed( s );
    finish( process );
    closesocket( s );

    /* closed by the child only */
    pair_for_child( &s, &inherited );
    process = start( "receive_first", inherited, 0 );
    check_int( send( s, "parent", 6, 0 ), 6 );
    flaky_wine recv_exactly( s, "child", 5 );
    finish( process );
    check_int( send( inherited, "still", 5, 0 ), 5 );
    recv_exactly( s, "still", 5 );
    closesocket( inherited );
    closesocket( s );
}

static void test_inherit_others(void)
{
    union address addr;
    SOCKET s, inherited;
    HANDLE process;
    char buffer[16];

    inherited = socket_bound( AF_INET, SOCK_DGRAM, &addr );
    s = socket_new( AF_INET, SOCK_DGRAM );
    SetHandleInformation( (HANDLE)s, HANDLE_FLAG_INHERIT, 0 );
    socket_set_timeout( s, 5000 );
    check_int( sendto( s, "parent", 6, 0, &addr.sa, sizeof(addr.in) ), 6 );
    process = start( "udp", inherited, 0 );
    flaky_wine check_int( recv( s, buffer, sizeof(buffer), 0 ), 6 );
    finish( process );
    closesocket( inherited );
    closesocket( s );

    inherited = socket_listening( AF_INET, &addr );
    process = start( "accept", inherited, 0 );
    s = socket_connecting( &addr );
    recv_exactly( s, "child", 5 );
    check_closed( s );
    finish( process );
    closesocket( s );
    /* the parent can accept, too */
    s = socket_connecting( &addr );
    closesocket( socket_accepted( inherited ) );
    closesocket( s );
    closesocket( inherited );
}

static void test_not_inherited(void)
{
    SOCKET s, inherited;

    pair_for_child( &s, &inherited );
    finish( start( "not_inherited", s, 0 ) );
    closesocket( s );
    closesocket( inherited );

    s = WSASocketW( AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT );
    ok( s != INVALID_SOCKET, "WSASocket: error %d\n", WSAGetLastError() );
    finish( start( "not_inherited", s, 0 ) );
    closesocket( s );
}

/* the state is the socket's, not the process's */
static void test_shared_state(void)
{
    SOCKET s, inherited;

    pair_for_child( &s, &inherited );
    check_ok( shutdown( inherited, SD_RECEIVE ) );
    finish( start( "no_receive", inherited, 0 ) );
    flaky_wine recv_exactly( s, "child", 5 );
    check_closed( s );
    check_error( send( inherited, "x", 1, 0 ), WSAESHUTDOWN );
    closesocket( inherited );
    closesocket( s );

    pair_for_child( &s, &inherited );
    socket_set_nonblocking( inherited, TRUE );
    finish( start( "nonblocking", inherited, 0 ) );
    ok( !is_nonblocking( inherited ), "still non-blocking\n" );
    closesocket( inherited );
    closesocket( s );
}

static void test_grandchild(void)
{
    SOCKET s, inherited;
    HANDLE process;

    pair_for_child( &s, &inherited );
    process = start( "grandchild", inherited, 0 );
    flaky_wine recv_exactly( s, "child", 5 );
    check_int( send( s, "parent", 6, 0 ), 6 );
    finish( process );
    closesocket( inherited );
    check_closed( s );
    closesocket( s );
}

static void test_duplicate_into_child(void)
{
    SOCKET listener, control, mine, given;
    union address addr;
    HANDLE process, handle;
    char args[32];

    listener = socket_listening( AF_INET, &addr );
    tcp_pair( &mine, &given );
    SetHandleInformation( (HANDLE)listener, HANDLE_FLAG_INHERIT, 0 );
    SetHandleInformation( (HANDLE)mine, HANDLE_FLAG_INHERIT, 0 );
    SetHandleInformation( (HANDLE)given, HANDLE_FLAG_INHERIT, 0 );
    sprintf( args, "duplicate %u 0", address_port( &addr ) );
    process = child_start( args, NULL );
    control = socket_accepted( listener );
    ok( DuplicateHandle( GetCurrentProcess(), (HANDLE)given, process, &handle, 0, FALSE, DUPLICATE_SAME_ACCESS ),
        "DuplicateHandle failed with %lu\n", GetLastError() );
    check_ok( closesocket( given ) );
    given = (SOCKET)handle;
    check_int( send( control, (char *)&given, sizeof(given), 0 ), sizeof(given) );
    flaky_wine recv_exactly( mine, "child", 5 );
    check_int( send( mine, "parent", 6, 0 ), 6 );
    recv_exactly( control, "done", 4 );
    /* the child's was the last handle */
    flaky_wine check_closed( mine );
    finish( process );
    closesocket( mine );
    closesocket( control );
    closesocket( listener );
}

static void test_duplicate_here(void)
{
    SOCKET s, peer, other;
    HANDLE handle;

    tcp_pair( &s, &peer );
    ok( DuplicateHandle( GetCurrentProcess(), (HANDLE)s, GetCurrentProcess(), &handle, 0, FALSE, DUPLICATE_SAME_ACCESS ),
        "DuplicateHandle failed with %lu\n", GetLastError() );
    other = (SOCKET)handle;
    flaky_wine check_int( send( other, "abc", 3, 0 ), 3 );
    flaky_wine recv_exactly( peer, "abc", 3 );
    check_int( send( peer, "abcdef", 6, 0 ), 6 );
    recv_exactly( s, "abc", 3 );
    recv_exactly( other, "def", 3 );
    check_ok( closesocket( s ) );
    check_error( send( s, "x", 1, 0 ), WSAENOTSOCK );
    flaky_wine check_int( send( other, "abc", 3, 0 ), 3 );
    flaky_wine recv_exactly( peer, "abc", 3 );
    flaky_wine check_ok( closesocket( other ) );
    flaky_wine check_closed( peer );
    closesocket( peer );
}

/* CloseHandle closes a socket as closesocket does */
static void test_close_handle(void)
{
    SOCKET s, peer;
    char c;

    tcp_pair( &s, &peer );
    check_int( send( s, "last", 4, 0 ), 4 );
    ok( CloseHandle( (HANDLE)s ), "CloseHandle failed with %lu\n", GetLastError() );
    recv_exactly( peer, "last", 4 );
    check_closed( peer );
    check_error( recv( s, &c, 1, 0 ), WSAENOTSOCK );
    flaky_wine check_error( closesocket( s ), WSAENOTSOCK );
    closesocket( peer );

    /* the next sockets may well have the same value, and are whole */
    tcp_pair( &s, &peer );
    check_int( send( s, "abc", 3, 0 ), 3 );
    recv_exactly( peer, "abc", 3 );
    closesocket( s );
    closesocket( peer );
}

/* Starts a program with a socket as standard input or output; such a socket must not be overlapped. */
static HANDLE start_on_socket( char *cmdline, SOCKET input, SOCKET output )
{
    STARTUPINFOA startup = { .cb = sizeof(startup) };
    PROCESS_INFORMATION info;
    BOOL ret;

    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = input ? (HANDLE)input : GetStdHandle( STD_INPUT_HANDLE );
    startup.hStdOutput = output ? (HANDLE)output : GetStdHandle( STD_OUTPUT_HANDLE );
    startup.hStdError = GetStdHandle( STD_ERROR_HANDLE );
    ret = CreateProcessA( NULL, cmdline, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info );
    ok( ret, "CreateProcess failed with %lu\n", GetLastError() );
    if (!ret) return NULL;
    CloseHandle( info.hThread );
    return info.hProcess;
}

static void pair_for_stdio( SOCKET *mine, SOCKET *inherited )
{
    union address addr;
    SOCKET listener = socket_listening( AF_INET, &addr );

    SetHandleInformation( (HANDLE)listener, HANDLE_FLAG_INHERIT, 0 );
    *inherited = WSASocketW( AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, 0 );
    check_ok( connect( *inherited, &addr.sa, sizeof(addr.in) ) );
    *mine = socket_accepted( listener );
    SetHandleInformation( (HANDLE)*mine, HANDLE_FLAG_INHERIT, 0 );
    closesocket( listener );
}

static void test_stdio(void)
{
    char cmdline[MAX_PATH + 64], **argv;
    SOCKET s, inherited;
    HANDLE process;

    pair_for_stdio( &s, &inherited );
    strcpy( cmdline, "cmd.exe /c echo hello" );
    process = start_on_socket( cmdline, 0, inherited );
    check_ok( closesocket( inherited ) );
    recv_exactly( s, "hello\r\n", 7 );
    check_closed( s );
    ok( !WaitForSingleObject( process, 10000 ), "the process does not end\n" );
    CloseHandle( process );
    closesocket( s );

    pair_for_stdio( &s, &inherited );
    winetest_get_mainargs( &argv );
    sprintf( cmdline, "\"%s\" %s stdin 0 0", argv[0], argv[1] );
    process = start_on_socket( cmdline, inherited, 0 );
    check_int( send( s, "input", 5, 0 ), 5 );
    finish( process );
    closesocket( inherited );
    closesocket( s );
}

/* a process that dies with the last handle ends the connection */
static void test_terminate(void)
{
    SECURITY_ATTRIBUTES attr = { sizeof(attr), NULL, TRUE };
    HANDLE process, started = CreateEventW( &attr, TRUE, FALSE, NULL );
    SOCKET s, inherited;
    char c;
    int ret;

    pair_for_child( &s, &inherited );
    process = start( "hold", inherited, (SOCKET)started );
    ok( !WaitForSingleObject( started, 10000 ), "the child does not start\n" );
    check_ok( closesocket( inherited ) );
    socket_set_nonblocking( s, TRUE );
    check_error( recv( s, &c, 1, 0 ), WSAEWOULDBLOCK );
    socket_set_nonblocking( s, FALSE );
    TerminateProcess( process, 0 );
    ret = recv( s, &c, 1, 0 );
    ok( !ret || (ret == -1 && WSAGetLastError() == WSAECONNRESET), "recv returned %d, error %d\n", ret, WSAGetLastError() );
    WaitForSingleObject( process, 5000 );
    CloseHandle( process );
    CloseHandle( started );
    closesocket( s );
}

static void child_main( const char *command, const char *first, const char *second )
{
    static const struct
    {
        const char *name;
        void (*func)( SOCKET s );
    }
    commands[] =
    {
        { "talk", child_talk },
        { "receive_first", child_receive_first },
        { "udp", child_udp },
        { "accept", child_accept },
        { "not_inherited", child_not_inherited },
        { "no_receive", child_no_receive },
        { "nonblocking", child_nonblocking },
        { "grandchild", child_grandchild },
    };
    unsigned i;

    if (!strcmp( command, "stdin" )) child_stdin();
    else if (!strcmp( command, "duplicate" )) flaky_wine child_duplicate( first );
    else if (!strcmp( command, "hold" )) child_hold( parse_socket( first ), parse_socket( second ) );
    else
    {
        for (i = 0; i < ARRAY_SIZE(commands); i++)
        {
            if (strcmp( commands[i].name, command )) continue;
            /* in a process that did not make the socket, Wine refuses many calls, but not always the same */
            flaky_wine commands[i].func( parse_socket( first ) );
            return;
        }
        ok( 0, "unknown command %s\n", command );
    }
}

START_TEST(process)
{
    char **argv;
    int argc = winetest_get_mainargs( &argv );
    WSADATA data;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    if (argc == 5) child_main( argv[2], argv[3], argv[4] );
    else
    {
        test_inherit();
        test_inherit_others();
        test_not_inherited();
        test_shared_state();
        test_grandchild();
        test_duplicate_into_child();
        test_duplicate_here();
        test_close_handle();
        test_stdio();
        test_terminate();
    }
    WSACleanup();
}
