/*
 * What the tests of all areas share, and a test that it holds what it promises
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

void check_result_( const char *file, int line, const char *expr, int ret, int value, int error )
{
    int got = WSAGetLastError();

    if (value == SOCKET_ERROR)
        ok_(file, line)( ret == SOCKET_ERROR && got == error, "%s returned %d, error %d, expected error %d\n",
                         expr, ret, got, error );
    else
        ok_(file, line)( ret == value, "%s returned %d, expected %d, error %d\n", expr, ret, value, got );
    WSASetLastError( got );
}

int address_len( int family )
{
    return family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

/* returns the length; the port is in host order */
int address_loopback( union address *addr, int family, USHORT port )
{
    memset( addr, 0, sizeof(*addr) );
    addr->sa.sa_family = family;
    if (family == AF_INET6)
    {
        addr->in6.sin6_addr.s6_addr[15] = 1;
        addr->in6.sin6_port = htons( port );
    }
    else
    {
        addr->in.sin_addr.s_addr = htonl( INADDR_LOOPBACK );
        addr->in.sin_port = htons( port );
    }
    return address_len( family );
}

USHORT address_port( const union address *addr )
{
    return ntohs( addr->sa.sa_family == AF_INET6 ? addr->in6.sin6_port : addr->in.sin_port );
}

/* a port that nobody listens on: it was free a moment ago */
USHORT unused_port( int family, int type )
{
    union address addr;
    SOCKET s = socket_bound( family, type, &addr );

    closesocket( s );
    return address_port( &addr );
}

SOCKET socket_new( int family, int type )
{
    SOCKET s = socket( family, type, 0 );

    ok( s != INVALID_SOCKET, "socket( %d, %d ) failed with %d\n", family, type, WSAGetLastError() );
    return s;
}

/* bound to a free port of the loopback address, which goes to *addr */
SOCKET socket_bound( int family, int type, union address *addr )
{
    SOCKET s = socket_new( family, type );
    int ret, len = address_loopback( addr, family, 0 );

    ret = bind( s, &addr->sa, len );
    ok( !ret, "bind failed with %d\n", WSAGetLastError() );
    ret = getsockname( s, &addr->sa, &len );
    ok( !ret, "getsockname failed with %d\n", WSAGetLastError() );
    socket_set_timeout( s, 3000 );
    return s;
}

SOCKET socket_listening( int family, union address *addr )
{
    SOCKET s = socket_bound( family, SOCK_STREAM, addr );
    int ret = listen( s, 16 );

    ok( !ret, "listen failed with %d\n", WSAGetLastError() );
    return s;
}

SOCKET socket_connecting( const union address *addr )
{
    SOCKET s = socket_new( addr->sa.sa_family, SOCK_STREAM );
    int ret = connect( s, &addr->sa, address_len( addr->sa.sa_family ) );

    ok( !ret, "connect failed with %d\n", WSAGetLastError() );
    socket_set_timeout( s, 3000 );
    return s;
}

SOCKET socket_accepted( SOCKET listener )
{
    SOCKET s = INVALID_SOCKET;

    if (wait_readable( listener, 5000 )) s = accept( listener, NULL, NULL );
    ok( s != INVALID_SOCKET, "accept failed with %d\n", WSAGetLastError() );
    socket_set_timeout( s, 3000 );
    return s;
}

void socket_set_timeout( SOCKET s, DWORD ms )
{
    setsockopt( s, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof(ms) );
}

void socket_set_nonblocking( SOCKET s, BOOL on )
{
    u_long value = on;
    int ret = ioctlsocket( s, FIONBIO, &value );

    ok( !ret, "ioctlsocket failed with %d\n", WSAGetLastError() );
}

/* closes the connection so that the peer gets an RST */
void socket_reset( SOCKET s )
{
    struct linger linger = { 1, 0 };

    setsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) );
    closesocket( s );
}

void tcp_pair_family( int family, SOCKET *client, SOCKET *server )
{
    union address addr;
    SOCKET listener = socket_listening( family, &addr );

    *client = socket_connecting( &addr );
    *server = socket_accepted( listener );
    closesocket( listener );
}

void tcp_pair( SOCKET *client, SOCKET *server )
{
    tcp_pair_family( AF_INET, client, server );
}

/* two UDP sockets that are connected to each other */
void udp_pair( SOCKET *a, SOCKET *b )
{
    union address addr_a, addr_b;
    int ret;

    *a = socket_bound( AF_INET, SOCK_DGRAM, &addr_a );
    *b = socket_bound( AF_INET, SOCK_DGRAM, &addr_b );
    ret = connect( *a, &addr_b.sa, sizeof(addr_b.in) );
    ok( !ret, "connect failed with %d\n", WSAGetLastError() );
    ret = connect( *b, &addr_a.sa, sizeof(addr_a.in) );
    ok( !ret, "connect failed with %d\n", WSAGetLastError() );
}

BOOL wait_readable( SOCKET s, DWORD ms )
{
    struct timeval timeout = { ms / 1000, ms % 1000 * 1000 };
    fd_set set;

    FD_ZERO( &set );
    FD_SET( s, &set );
    return select( 0, &set, NULL, NULL, &timeout ) == 1;
}

BOOL wait_writable( SOCKET s, DWORD ms )
{
    struct timeval timeout = { ms / 1000, ms % 1000 * 1000 };
    fd_set set;

    FD_ZERO( &set );
    FD_SET( s, &set );
    return select( 0, NULL, &set, NULL, &timeout ) == 1;
}

/* a receive with nothing there: would it block? */
BOOL is_nonblocking( SOCKET s )
{
    DWORD old = 0, ms = 20;
    int ret, error, len = sizeof(old);
    char c;

    getsockopt( s, SOL_SOCKET, SO_RCVTIMEO, (char *)&old, &len );
    socket_set_timeout( s, ms );
    ret = recv( s, &c, 1, 0 );
    error = WSAGetLastError();
    ok( ret == -1 && (error == WSAEWOULDBLOCK || error == WSAETIMEDOUT), "recv returned %d, error %d\n", ret, error );
    socket_set_timeout( s, old );
    return error == WSAEWOULDBLOCK;
}

/* sends until there is no room; the socket is non-blocking then; returns how much was taken */
DWORD fill_send_buffers( SOCKET s )
{
    static char buffer[65536];
    DWORD total = 0;
    int ret, tries = 0;

    socket_set_nonblocking( s, TRUE );
    /* the kernel moves data over to the peer for a while */
    while (total < 256 * 1024 * 1024)
    {
        if ((ret = send( s, buffer, sizeof(buffer), 0 )) > 0)
        {
            total += ret;
            tries = 0;
            continue;
        }
        ok( WSAGetLastError() == WSAEWOULDBLOCK, "got error %d\n", WSAGetLastError() );
        if (++tries == 5) break;
        Sleep( 20 );
    }
    ok( tries == 5, "there is always room, after %lu bytes too\n", total );
    return total;
}

/* receives as many bytes as it takes and compares them with data (NULL: do not compare) */
void recv_exactly_( const char *file, int line, SOCKET s, const char *data, int len )
{
    char *buffer = malloc( len + 1 );
    int ret = 0, pos = 0;

    while (pos < len && (ret = recv( s, buffer + pos, len - pos, 0 )) > 0) pos += ret;
    ok_(file, line)( pos == len, "received %d bytes of %d, recv returned %d, error %d\n",
                     pos, len, ret, WSAGetLastError() );
    if (pos == len && data)
        ok_(file, line)( !memcmp( buffer, data, len ), "received other data: %s\n", debugstr_an( buffer, len ) );
    free( buffer );
}

/* the next receive says that the peer has shut down gracefully */
void check_closed_( const char *file, int line, SOCKET s )
{
    char buffer[16];
    int ret = recv( s, buffer, sizeof(buffer), 0 );

    ok_(file, line)( !ret, "recv returned %d, error %d, expected the end of the stream\n", ret, WSAGetLastError() );
}

/* the next receive says that the peer has reset the connection */
void check_reset_( const char *file, int line, SOCKET s )
{
    char buffer[16];
    int ret = recv( s, buffer, sizeof(buffer), 0 );

    ok_(file, line)( ret == -1 && WSAGetLastError() == WSAECONNRESET,
                     "recv returned %d, error %d, expected WSAECONNRESET\n", ret, WSAGetLastError() );
}

/* The memory ends where a page begins that cannot be accessed; its start need not be aligned. */
char *guarded_alloc( SIZE_T size )
{
    SIZE_T pages = (size + 0xfff) & ~(SIZE_T)0xfff;
    char *base = VirtualAlloc( NULL, pages + 0x1000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );
    DWORD old;

    ok( !!base, "VirtualAlloc failed with %lu\n", GetLastError() );
    VirtualProtect( base + pages, 0x1000, PAGE_NOACCESS, &old );
    return base + pages - size;
}

void guarded_free( char *ptr )
{
    MEMORY_BASIC_INFORMATION info;

    VirtualQuery( ptr, &info, sizeof(info) );
    VirtualFree( info.AllocationBase, 0, MEM_RELEASE );
}

static char pattern_byte( unsigned pos, unsigned seed )
{
    pos += seed;
    return pos ^ (pos >> 8) * 7 ^ (pos >> 16) * 13;
}

void pattern_fill( char *buffer, int len, unsigned seed )
{
    int i;

    for (i = 0; i < len; i++) buffer[i] = pattern_byte( i, seed );
}

BOOL pattern_matches( const char *buffer, int len, unsigned seed )
{
    int i;

    for (i = 0; i < len; i++) if (buffer[i] != pattern_byte( i, seed )) return FALSE;
    return TRUE;
}

HANDLE thread_start( DWORD (WINAPI *func)(void *), void *arg )
{
    HANDLE thread = CreateThread( NULL, 0, func, arg, 0, NULL );

    if (!thread) ok( 0, "CreateThread failed with %lu\n", GetLastError() );
    return thread;
}

/* returns what the thread returned; a thread that does not end is a failure and is left alone */
DWORD thread_end_( const char *file, int line, HANDLE thread )
{
    DWORD code = ~0u, ret = WaitForSingleObject( thread, 10000 );

    if (ret) ok_(file, line)( 0, "the thread does not end\n" );
    else GetExitCodeThread( thread, &code );
    CloseHandle( thread );
    return code;
}

/* starts this program for the same area with further arguments; it inherits handles */
HANDLE child_start( const char *args, HANDLE stdout_handle )
{
    STARTUPINFOA startup = { .cb = sizeof(startup) };
    PROCESS_INFORMATION info;
    char **argv, *cmdline;
    BOOL ret;

    winetest_get_mainargs( &argv );
    cmdline = malloc( strlen( argv[0] ) + strlen( argv[1] ) + strlen( args ) + 8 );
    sprintf( cmdline, "\"%s\" %s %s", argv[0], argv[1], args );
    if (stdout_handle)
    {
        startup.dwFlags = STARTF_USESTDHANDLES;
        startup.hStdInput = GetStdHandle( STD_INPUT_HANDLE );
        startup.hStdOutput = stdout_handle;
        startup.hStdError = GetStdHandle( STD_ERROR_HANDLE );
    }
    ret = CreateProcessA( NULL, cmdline, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info );
    if (!ret) ok( 0, "CreateProcess %s failed with %lu\n", cmdline, GetLastError() );
    free( cmdline );
    if (!ret) return NULL;
    CloseHandle( info.hThread );
    return info.hProcess;
}

/* for START_TEST: is this process here for one piece? Then runs it. */
BOOL piece_main( const struct piece *pieces, unsigned count )
{
    char **argv;
    int argc = winetest_get_mainargs( &argv );
    unsigned i;

    if (argc < 4 || strcmp( argv[2], "piece" )) return FALSE;
    for (i = 0; i < count; i++) if (!strcmp( pieces[i].name, argv[3] )) break;
    ok( i < count, "no piece is called %s\n", argv[3] );
    if (i < count) pieces[i].func();
    return TRUE;
}

/* Runs a piece in a child process. One check: that it neither crashed nor hung. What fails
 * within it, it has counted itself. */
void piece_run_( const char *file, int line, const char *name )
{
    DWORD code = ~0u, ret;
    char args[64];
    HANDLE process;

    sprintf( args, "piece %s", name );
    if (!(process = child_start( args, NULL ))) return;
    ret = WaitForSingleObject( process, 7000 );
    if (ret) TerminateProcess( process, 1 );
    else GetExitCodeProcess( process, &code );
    ok_(file, line)( !ret && code < 256, "%s %s, exit code %08lx\n", name, ret ? "hangs" : "crashes", code );
    if (!ret && code < 256) winetest_wait_child_process( process );
    CloseHandle( process );
}

void *extension_function( SOCKET s, GUID guid )
{
    void *func = NULL;
    DWORD size;
    int ret;

    ret = WSAIoctl( s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), &func, sizeof(func), &size, NULL, NULL );
    ok( !ret, "no extension %s, error %d\n", debugstr_guid( &guid ), WSAGetLastError() );
    return func;
}

static void piece_passes(void)
{
    ok( 1, "passes\n" );
}

static void piece_crashes(void)
{
    RaiseException( EXCEPTION_ACCESS_VIOLATION, 0, 0, NULL );
}

static const struct piece pieces[] =
{
    { "passes", piece_passes },
    { "crashes", piece_crashes },
};

static void test_guarded(void)
{
    MEMORY_BASIC_INFORMATION info;
    char *ptr = guarded_alloc( 5000 );

    memset( ptr, 1, 5000 );
    VirtualQuery( ptr + 4999, &info, sizeof(info) );
    ok( info.Protect == PAGE_READWRITE, "the last byte has protection %#lx\n", info.Protect );
    VirtualQuery( ptr + 5000, &info, sizeof(info) );
    ok( info.Protect == PAGE_NOACCESS, "the byte after it has protection %#lx\n", info.Protect );
    guarded_free( ptr );
}

static void test_pattern(void)
{
    char buffer[1000];

    pattern_fill( buffer, sizeof(buffer), 123 );
    ok( pattern_matches( buffer, sizeof(buffer), 123 ), "the pattern does not match itself\n" );
    ok( pattern_matches( buffer + 10, 500, 133 ), "the pattern does not match its own part\n" );
    ok( !pattern_matches( buffer, sizeof(buffer), 124 ), "the pattern matches a shifted one\n" );
}

static void test_crash_is_seen(void)
{
    HANDLE process = child_start( "piece crashes", NULL );
    DWORD code = 0;

    ok( !WaitForSingleObject( process, 10000 ), "the child does not end\n" );
    GetExitCodeProcess( process, &code );
    ok( code == EXCEPTION_ACCESS_VIOLATION, "got exit code %08lx\n", code );
    CloseHandle( process );
}

START_TEST(util)
{
    if (piece_main( pieces, ARRAY_SIZE(pieces) )) return;

    test_guarded();
    test_pattern();
    test_crash_is_seen();
    piece_run( "passes" );
}
