/*
 * Processes that die: what their peers see
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

/* how a child ends, once it has been told to */
enum end
{
    END_EXIT,               /* ExitProcess */
    END_ITSELF,             /* TerminateProcess of itself */
    END_CRASH,
    END_TERMINATED,         /* by the parent */
    END_COUNT
};

/* what the parent has of a child */
struct child
{
    HANDLE process;
    SOCKET control;         /* tells it to go on */
    SOCKET data;            /* the other end of its connection */
    DWORD  value;           /* what it said: how much it has sent, or its port */
};

/* ---- children ---- */

static SOCKET child_connect( const char *port )
{
    union address addr;

    address_loopback( &addr, AF_INET, atoi( port ) );
    return socket_connecting( &addr );
}

static DWORD WINAPI receiving_thread( void *arg )
{
    char c;

    socket_set_timeout( (SOCKET)arg, 0 );
    recv( (SOCKET)arg, &c, 1, 0 );
    return 0;
}

/* what a child does before its end; returns what it has to say of that */

static DWORD child_idle( SOCKET s )
{
    check_int( send( s, "abcde", 5, 0 ), 5 );
    return 5;
}

static DWORD child_full( SOCKET s )
{
    return fill_send_buffers( s );
}

/* it has closed the socket before it ends, and the data is still on its way */
static DWORD child_closed( SOCKET s )
{
    DWORD sent = fill_send_buffers( s );

    check_ok( closesocket( s ) );
    return sent;
}

static DWORD child_hard( SOCKET s )
{
    struct linger linger = { 1, 0 };

    check_ok( setsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) ) );
    return 0;
}

static DWORD child_unread( SOCKET s )
{
    ok( wait_readable( s, 5000 ), "nothing arrived\n" );
    return 0;
}

static DWORD child_receiving( SOCKET s )
{
    thread_start( receiving_thread, (void *)s );
    Sleep( 50 );
    return 0;
}

static DWORD child_listening( SOCKET s )
{
    union address addr;

    (void)s;
    socket_listening( AF_INET, &addr );
    return address_port( &addr );
}

static DWORD child_datagrams( SOCKET s )
{
    union address addr;

    (void)s;
    socket_bound( AF_INET, SOCK_DGRAM, &addr );
    return address_port( &addr );
}

static const struct
{
    const char *name;
    DWORD (*func)( SOCKET s );
}
ways[] =
{
    { "idle", child_idle },
    { "full", child_full },
    { "closed", child_closed },
    { "hard", child_hard },
    { "unread", child_unread },
    { "receiving", child_receiving },
    { "listening", child_listening },
    { "datagrams", child_datagrams },
};

static LONG CALLBACK quietly( EXCEPTION_POINTERS *exception )
{
    (void)exception;
    return EXCEPTION_EXECUTE_HANDLER;
}

static void child_end( enum end end )
{
    switch (end)
    {
    case END_EXIT:
        ExitProcess( 0 );
    case END_ITSELF:
        TerminateProcess( GetCurrentProcess(), 0 );
        break;
    case END_CRASH:
        /* the test's own would report it, and without one a debugger may come */
        SetUnhandledExceptionFilter( quietly );
        RaiseException( EXCEPTION_ACCESS_VIOLATION, EXCEPTION_NONCONTINUABLE, 0, NULL );
        break;
    default:
        Sleep( 20000 );
    }
}

static void child_main( const char *way, const char *port, enum end end )
{
    SOCKET data = child_connect( port ), control = child_connect( port );
    DWORD value = 0;
    unsigned i;
    char c;

    for (i = 0; i < ARRAY_SIZE(ways); i++)
        if (!strcmp( ways[i].name, way )) value = ways[i].func( data );
    check_int( send( control, (char *)&value, sizeof(value), 0 ), sizeof(value) );
    socket_set_timeout( control, 10000 );
    check_int( recv( control, &c, 1, 0 ), 1 );
    child_end( end );
}

/* ---- the parent ---- */

/* a child that has done its part and waits for its end; message: what is sent to it first, if anything */
static void start( struct child *child, const char *way, enum end end, const char *message )
{
    int small = 8192;
    union address addr;
    SOCKET listener = socket_bound( AF_INET, SOCK_STREAM, &addr );
    char args[64];

    /* little is under way */
    check_ok( setsockopt( listener, SOL_SOCKET, SO_RCVBUF, (char *)&small, sizeof(small) ) );
    check_ok( listen( listener, 2 ) );
    SetHandleInformation( (HANDLE)listener, HANDLE_FLAG_INHERIT, 0 );
    sprintf( args, "%s %u %u", way, address_port( &addr ), end );
    child->process = child_start( args, NULL );
    ok( wait_readable( listener, 20000 ), "no child\n" );
    child->data = socket_accepted( listener );
    child->control = socket_accepted( listener );
    socket_set_timeout( child->control, 10000 );
    if (message) check_int( send( child->data, message, strlen( message ), 0 ), strlen( message ) );
    child->value = ~0u;
    check_int( recv( child->control, (char *)&child->value, sizeof(child->value), 0 ), sizeof(child->value) );
    closesocket( listener );
}

static void end( struct child *child, enum end end )
{
    if (end == END_TERMINATED) TerminateProcess( child->process, 0 );
    else check_int( send( child->control, "x", 1, 0 ), 1 );
    ok( !WaitForSingleObject( child->process, 20000 ), "the child does not end\n" );
    CloseHandle( child->process );
}

static void finish( struct child *child )
{
    closesocket( child->control );
    closesocket( child->data );
}

/* all that it sent, and then its end */
static void check_all_( int line, struct child *child )
{
    char buffer[4096];
    DWORD total = 0;
    int ret;

    while ((ret = recv( child->data, buffer, sizeof(buffer), 0 )) > 0) total += ret;
    ok_(__FILE__, line)( !ret, "recv failed with %d\n", WSAGetLastError() );
    ok_(__FILE__, line)( total == child->value, "got %lu bytes of %lu\n", total, child->value );
    check_closed_( __FILE__, line, child->data );
}
#define check_all( child ) check_all_( __LINE__, child )

static void test_gracefully( const char *way, enum end how )
{
    struct child child;

    start( &child, way, how, NULL );
    end( &child, how );
    /* it is not the process that sends the rest */
    Sleep( 200 );
    check_all( &child );
    finish( &child );
}

static void test_reset( const char *way, enum end how, const char *message )
{
    struct child child;

    start( &child, way, how, message );
    end( &child, how );
    flaky_wine check_reset( child.data );
    flaky_wine check_reset( child.data );
    finish( &child );
}

/* under Wine the end of a process is told a moment before its files are closed */
static void check_bind_soon_( int line, SOCKET s, const union address *addr )
{
    int i, ret = -1;

    for (i = 0; i < 100 && (ret = bind( s, &addr->sa, sizeof(addr->in) )); i++) Sleep( 20 );
    ok_(__FILE__, line)( !ret, "bind failed with %d\n", WSAGetLastError() );
}
#define check_bind_soon( s, addr ) check_bind_soon_( __LINE__, s, addr )

/* connections that waited to be accepted are reset, and the port is free */
static void test_listening( enum end how )
{
    struct child child;
    union address addr;
    SOCKET client, s;

    start( &child, "listening", how, NULL );
    address_loopback( &addr, AF_INET, child.value );
    client = socket_connecting( &addr );
    end( &child, how );
    flaky_wine check_reset( client );
    closesocket( client );
    finish( &child );

    s = socket_new( AF_INET, SOCK_STREAM );
    check_bind_soon( s, &addr );
    check_ok( listen( s, 1 ) );
    closesocket( s );
}

static void test_datagrams( enum end how )
{
    struct child child;
    union address addr;
    BOOL on = TRUE;
    SOCKET s;

    start( &child, "datagrams", how, NULL );
    address_loopback( &addr, AF_INET, child.value );
    s = socket_new( AF_INET, SOCK_DGRAM );
    check_error( bind( s, &addr.sa, sizeof(addr.in) ), WSAEADDRINUSE );
    closesocket( s );
    end( &child, how );
    finish( &child );
    s = socket_new( AF_INET, SOCK_DGRAM );
    check_ok( setsockopt( s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (char *)&on, sizeof(on) ) );
    check_bind_soon( s, &addr );
    closesocket( s );
}

START_TEST(death)
{
    static const char * const names[] = { "exit", "TerminateProcess of itself", "crash", "TerminateProcess" };
    char **argv;
    int argc = winetest_get_mainargs( &argv );
    WSADATA data;
    enum end how;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    if (argc == 5)
    {
        child_main( argv[2], argv[3], atoi( argv[4] ) );
        return;
    }
    for (how = 0; how < END_COUNT; how++)
    {
        winetest_push_context( "%s", names[how] );
        test_gracefully( "idle", how );
        test_gracefully( "full", how );
        test_gracefully( "closed", how );
        test_gracefully( "receiving", how );
        test_reset( "hard", how, NULL );
        test_reset( "unread", how, "unread" );
        test_listening( how );
        test_datagrams( how );
        winetest_pop_context();
    }
    WSACleanup();
}
