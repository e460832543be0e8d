/*
 * Sockets in several processes: given by WSADuplicateSocket and DuplicateHandle, inherited, and all their handles
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

/* what parent and child both see */
struct board
{
    WSAPROTOCOL_INFOW info;
    WSAPROTOCOL_INFOA info_a;
    SOCKET            value;            /* of a handle */
    SOCKET            other;            /* of another */
    DWORD             pid;              /* the parent's */
};

/* a child, suspended until child_run */
struct child
{
    HANDLE        process;
    HANDLE        thread;
    DWORD         pid;
    HANDLE        section;              /* inherited */
    HANDLE        said;                 /* inherited event: the child says something */
    HANDLE        go;                   /* inherited event: the child may go on */
    struct board *board;
};

static SECURITY_ATTRIBUTES inheritable = { sizeof(inheritable), NULL, TRUE };

/* ---- children ---- */

static void child_prepare( struct child *child, const char *command )
{
    STARTUPINFOA startup = { .cb = sizeof(startup) };
    PROCESS_INFORMATION info;
    char **argv, cmdline[MAX_PATH + 128];
    BOOL ret;

    child->section = CreateFileMappingW( INVALID_HANDLE_VALUE, &inheritable, PAGE_READWRITE, 0, sizeof(*child->board), NULL );
    child->board = MapViewOfFile( child->section, FILE_MAP_ALL_ACCESS, 0, 0, sizeof(*child->board) );
    child->board->pid = GetCurrentProcessId();
    child->said = CreateEventW( &inheritable, FALSE, FALSE, NULL );
    child->go = CreateEventW( &inheritable, FALSE, FALSE, NULL );
    winetest_get_mainargs( &argv );
    sprintf( cmdline, "\"%s\" %s %s %lu %lu %lu", argv[0], argv[1], command, HandleToULong( child->section ),
             HandleToULong( child->said ), HandleToULong( child->go ) );
    ret = CreateProcessA( NULL, cmdline, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup, &info );
    ok( ret, "CreateProcess failed with %lu\n", GetLastError() );
    child->process = info.hProcess;
    child->thread = info.hThread;
    child->pid = info.dwProcessId;
}

static void child_run( struct child *child )
{
    ResumeThread( child->thread );
}

static void child_say( struct child *child )
{
    SetEvent( child->said );
}

static void child_hear( struct child *child )
{
    ok( !WaitForSingleObject( child->said, 10000 ), "the child says nothing\n" );
}

static void child_finish( struct child *child )
{
    SetEvent( child->go );
    if (child->process) winetest_wait_child_process( child->process );
    CloseHandle( child->process );
    CloseHandle( child->thread );
    CloseHandle( child->said );
    CloseHandle( child->go );
    UnmapViewOfFile( child->board );
    CloseHandle( child->section );
}

/* a child that gets this socket, from the start on */
static void child_give( struct child *child, const char *command, SOCKET s )
{
    child_prepare( child, command );
    check_ok( WSADuplicateSocketW( s, child->pid, &child->board->info ) );
}

static SOCKET take( WSAPROTOCOL_INFOW *info )
{
    SOCKET s = WSASocketW( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, info, 0, WSA_FLAG_OVERLAPPED );

    ok( s != INVALID_SOCKET, "WSASocket: error %d\n", WSAGetLastError() );
    return s;
}

/* nothing that this test makes is inherited but what it gives */
static void keep( SOCKET s )
{
    SetHandleInformation( (HANDLE)s, HANDLE_FLAG_INHERIT, 0 );
}

static void private_pair( SOCKET *a, SOCKET *b )
{
    tcp_pair( a, b );
    keep( *a );
    keep( *b );
}

static void talk( SOCKET s, SOCKET peer )
{
    check_int( send( s, "abc", 3, 0 ), 3 );
    recv_exactly( peer, "abc", 3 );
    check_int( send( peer, "defg", 4, 0 ), 4 );
    recv_exactly( s, "defg", 4 );
}

static BOOL is_inheritable( SOCKET s )
{
    DWORD flags = 0;

    ok( GetHandleInformation( (HANDLE)s, &flags ), "GetHandleInformation failed with %lu\n", GetLastError() );
    return flags & HANDLE_FLAG_INHERIT;
}

/* ---- WSADuplicateSocket in one process ---- */

static void test_errors(void)
{
    SOCKET s = socket_new( AF_INET, SOCK_STREAM );
    WSAPROTOCOL_INFOW info;
    char *page = VirtualAlloc( NULL, 0x1000, MEM_COMMIT, PAGE_READONLY );
    HANDLE event = CreateEventW( NULL, FALSE, FALSE, NULL );
    struct child child;

    check_error( WSADuplicateSocketW( INVALID_SOCKET, GetCurrentProcessId(), &info ), WSAENOTSOCK );
    check_error( WSADuplicateSocketW( 0xdeadbee0, GetCurrentProcessId(), &info ), WSAENOTSOCK );
    check_error( WSADuplicateSocketW( (SOCKET)event, GetCurrentProcessId(), &info ), WSAENOTSOCK );
    check_error( WSADuplicateSocketW( s, GetCurrentProcessId(), NULL ), WSAEFAULT );
    check_error( WSADuplicateSocketW( s, 0, &info ), WSAEINVAL );
    check_error( WSADuplicateSocketW( s, 0xdeadbee0, &info ), WSAEINVAL );
    check_error( WSADuplicateSocketA( s, 0xdeadbee0, (WSAPROTOCOL_INFOA *)&info ), WSAEINVAL );
    check_error( WSADuplicateSocketA( INVALID_SOCKET, 0xdeadbee0, NULL ), WSAENOTSOCK );

    /* a process that has ended */
    child_prepare( &child, "nothing" );
    TerminateProcess( child.process, 0 );
    WaitForSingleObject( child.process, 5000 );
    todo_wine check_error( WSADuplicateSocketW( s, child.pid, &info ), WSAEINVAL );
    child_finish( &child );

    VirtualFree( page, 0, MEM_RELEASE );
    CloseHandle( event );
    closesocket( s );
}

static void piece_bad_info(void)
{
    SOCKET s = socket_new( AF_INET, SOCK_STREAM );
    char *page = VirtualAlloc( NULL, 0x1000, MEM_COMMIT, PAGE_READONLY );

    check_error( WSADuplicateSocketW( s, GetCurrentProcessId(), bad_pointer() ), WSAEFAULT );
    check_error( WSADuplicateSocketA( s, GetCurrentProcessId(), bad_pointer() ), WSAEFAULT );
    check_error( WSADuplicateSocketW( s, GetCurrentProcessId(), (WSAPROTOCOL_INFOW *)page ), WSAEFAULT );
    check_error( WSASocketW( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, bad_pointer(), 0, 0 ), WSAEFAULT );
    closesocket( s );
}

/* the info is the socket's, and says which handle it is */
static void test_info(void)
{
    SOCKET s = socket_new( AF_INET6, SOCK_DGRAM );
    WSAPROTOCOL_INFOW info, given;
    WSAPROTOCOL_INFOA info_a, given_a;
    SOCKET other;
    int len;

    len = sizeof(info);
    check_ok( getsockopt( s, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &len ) );
    len = sizeof(info_a);
    check_ok( getsockopt( s, SOL_SOCKET, SO_PROTOCOL_INFOA, (char *)&info_a, &len ) );
    memset( &given, 0xcc, sizeof(given) );
    memset( &given_a, 0xcc, sizeof(given_a) );

    check_ok( WSADuplicateSocketW( s, GetCurrentProcessId(), &given ) );
    todo_wine ok( given.dwProviderReserved, "no handle\n" );
    other = given.dwProviderReserved;
    given.dwProviderReserved = info.dwProviderReserved;
    todo_wine ok( !memcmp( &info, &given, offsetof( WSAPROTOCOL_INFOW, szProtocol ) ), "another info\n" );
    ok( !lstrcmpW( info.szProtocol, given.szProtocol ), "got %s\n", debugstr_w( given.szProtocol ) );
    given.dwProviderReserved = other;
    check_ok( closesocket( take( &given ) ) );

    check_ok( WSADuplicateSocketA( s, GetCurrentProcessId(), &given_a ) );
    todo_wine ok( given_a.dwProviderReserved, "no handle\n" );
    other = given_a.dwProviderReserved;
    given_a.dwProviderReserved = info_a.dwProviderReserved;
    todo_wine ok( !memcmp( &info_a, &given_a, offsetof( WSAPROTOCOL_INFOA, szProtocol ) ), "another info\n" );
    ok( !strcmp( info_a.szProtocol, given_a.szProtocol ), "got %s\n", given_a.szProtocol );
    given_a.dwProviderReserved = other;
    check_ok( closesocket( WSASocketA( AF_INET6, SOCK_DGRAM, IPPROTO_UDP, &given_a, 0, 0 ) ) );
    closesocket( s );
}

static void test_here(void)
{
    WSAPROTOCOL_INFOW info;
    SOCKET s, peer, other;
    BOOL inherited;

    private_pair( &s, &peer );
    check_ok( WSADuplicateSocketW( s, GetCurrentProcessId(), &info ) );
    other = take( &info );
    ok( other != s, "the same handle\n" );
    talk( other, peer );
    talk( s, peer );
    inherited = is_inheritable( other );
    todo_wine ok( inherited, "not inheritable\n" );
    /* such an info serves once */
    todo_wine check_error( WSASocketW( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0, 0 ), WSAEINVAL );
    check_ok( closesocket( s ) );
    check_error( send( s, "x", 1, 0 ), WSAENOTSOCK );
    talk( other, peer );
    check_ok( closesocket( other ) );
    check_closed( peer );
    todo_wine check_error( WSASocketW( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0, 0 ), WSAEINVAL );
    closesocket( peer );

    /* closed before it is used */
    private_pair( &s, &peer );
    check_ok( WSADuplicateSocketW( s, GetCurrentProcessId(), &info ) );
    check_ok( closesocket( s ) );
    other = WSASocketW( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0,
                        WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT );
    ok( other != INVALID_SOCKET, "WSASocket: error %d\n", WSAGetLastError() );
    talk( other, peer );
    ok( !is_inheritable( other ), "inheritable\n" );
    check_ok( closesocket( other ) );
    check_closed( peer );
    closesocket( peer );
}

/* infos that are wrong, and one that is right after all */
static void test_wrong_infos(void)
{
    HANDLE event = CreateEventW( NULL, FALSE, FALSE, NULL );
    WSAPROTOCOL_INFOW info, wrong;
    SOCKET s, peer;

    private_pair( &s, &peer );
    check_ok( WSADuplicateSocketW( s, GetCurrentProcessId(), &info ) );
    todo_wine check_error( WSASocketW( AF_INET, SOCK_DGRAM, IPPROTO_UDP, &info, 0, 0 ), WSAEINVAL );
    todo_wine check_error( WSASocketW( AF_INET6, SOCK_STREAM, IPPROTO_TCP, &info, 0, 0 ), WSAEINVAL );
    todo_wine check_error( WSASocketW( AF_INET, SOCK_STREAM, IPPROTO_TCP, &info, 1, 0 ), WSAEINVAL );
    wrong = info;
    wrong.iSocketType = SOCK_DGRAM;
    wrong.iProtocol = IPPROTO_UDP;
    todo_wine check_error( WSASocketW( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &wrong, 0, 0 ), WSAEINVAL );
    wrong = info;
    wrong.dwProviderReserved = 0xdeadbee0;
    todo_wine check_error( WSASocketW( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &wrong, 0, 0 ), WSAEINVAL );
    wrong.dwProviderReserved = 1;
    todo_wine check_error( WSASocketW( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &wrong, 0, 0 ), WSAEINVAL );
    wrong.dwProviderReserved = HandleToULong( event );
    todo_wine check_error( WSASocketW( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &wrong, 0, 0 ), WSAEINVAL );
    wrong.dwProviderReserved = s;
    todo_wine check_error( WSASocketW( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &wrong, 0, 0 ), WSAEINVAL );
    closesocket( s );
    s = WSASocketW( AF_INET, SOCK_STREAM, IPPROTO_TCP, &info, 0, 0 );
    ok( s != INVALID_SOCKET, "WSASocket: error %d\n", WSAGetLastError() );
    talk( s, peer );
    closesocket( s );
    check_closed( peer );
    closesocket( peer );
    CloseHandle( event );
}

/* ---- WSADuplicateSocket into a child ---- */

static void child_talk( struct child *parent )
{
    SOCKET s = take( &parent->board->info );

    check_int( send( s, "child", 5, 0 ), 5 );
    recv_exactly( s, "parent", 6 );
    todo_wine check_error( WSASocketW( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &parent->board->info, 0, 0 ), WSAEINVAL );
    check_ok( closesocket( s ) );
}

/* the source closes his before the child has even begun, as PostgreSQL does */
static void test_child(void)
{
    struct child child;
    SOCKET s, peer;

    private_pair( &s, &peer );
    child_give( &child, "talk", s );
    check_ok( closesocket( s ) );
    check_int( send( peer, "parent", 6, 0 ), 6 );
    child_run( &child );
    recv_exactly( peer, "child", 5 );
    check_closed( peer );
    child_finish( &child );
    closesocket( peer );

    /* both have it, and the child is the first to close */
    private_pair( &s, &peer );
    child_give( &child, "talk", s );
    check_int( send( peer, "parent", 6, 0 ), 6 );
    child_run( &child );
    recv_exactly( peer, "child", 5 );
    child_finish( &child );
    talk( s, peer );
    closesocket( s );
    check_closed( peer );
    closesocket( peer );

    /* the child never takes it: it goes with the child */
    private_pair( &s, &peer );
    child_give( &child, "nothing", s );
    check_ok( closesocket( s ) );
    check_int( send( peer, "x", 1, 0 ), 1 );
    child_run( &child );
    child_finish( &child );
    flaky_wine check_reset( peer );
    closesocket( peer );
}

static void child_ansi( struct child *parent )
{
    SOCKET s = WSASocketA( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &parent->board->info_a, 0, 0 );

    check_int( send( s, "child", 5, 0 ), 5 );
    check_ok( closesocket( s ) );
}

static void test_child_ansi(void)
{
    struct child child;
    SOCKET s, peer;

    private_pair( &s, &peer );
    child_prepare( &child, "ansi" );
    check_ok( WSADuplicateSocketA( s, child.pid, &child.board->info_a ) );
    closesocket( s );
    /* here this handle is nothing */
    todo_wine check_error( WSASocketA( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &child.board->info_a, 0, 0 ), WSAEINVAL );
    child_run( &child );
    recv_exactly( peer, "child", 5 );
    check_closed( peer );
    child_finish( &child );
    closesocket( peer );
}

static void child_accept( struct child *parent )
{
    SOCKET listener = take( &parent->board->info ), s;

    s = socket_accepted( listener );
    check_int( send( s, "child", 5, 0 ), 5 );
    closesocket( s );
    closesocket( listener );
}

static void child_udp( struct child *parent )
{
    SOCKET s = take( &parent->board->info );
    union address from;
    int len = sizeof(from);
    char buffer[16];

    check_int( recvfrom( s, buffer, sizeof(buffer), 0, &from.sa, &len ), 6 );
    check_int( sendto( s, buffer, 6, 0, &from.sa, len ), 6 );
}

static void child_connect( struct child *parent )
{
    SOCKET s = take( &parent->board->info );

    ok( !wait_writable( s, 100 ), "connected\n" );
    child_say( parent );
    ok( wait_writable( s, 5000 ), "not connected\n" );
    check_int( send( s, "child", 5, 0 ), 5 );
}

/* a connect that has not ended when the child gets the socket */
static void test_connecting(void)
{
    SOCKET listener = socket_new( AF_INET, SOCK_STREAM ), s = INVALID_SOCKET, others[8], accepted;
    struct child child;
    union address addr;
    unsigned count;
    int len;

    keep( listener );
    len = address_loopback( &addr, AF_INET, 0 );
    check_ok( bind( listener, &addr.sa, len ) );
    check_ok( getsockname( listener, &addr.sa, &len ) );
    check_ok( listen( listener, 1 ) );
    for (count = 0; count < ARRAY_SIZE(others); count++)
    {
        s = socket_new( AF_INET, SOCK_STREAM );
        keep( s );
        socket_set_nonblocking( s, TRUE );
        connect( s, &addr.sa, len );
        if (!wait_writable( s, 100 )) break;
        others[count] = s;
    }
    if (count == ARRAY_SIZE(others)) skip( "connects do not wait for room in the queue\n" );
    else
    {
        child_give( &child, "connect", s );
        closesocket( s );
        child_run( &child );
        child_hear( &child );
        for (;;)
        {
            accepted = socket_accepted( listener );
            if (!wait_readable( accepted, 1500 )) closesocket( accepted );
            else break;
        }
        recv_exactly( accepted, "child", 5 );
        child_finish( &child );
        check_closed( accepted );
        closesocket( accepted );
    }
    while (count) closesocket( others[--count] );
    closesocket( listener );
}

static void test_child_kinds(void)
{
    union address addr;
    struct child child;
    SOCKET s, peer;
    char buffer[16];

    s = socket_listening( AF_INET, &addr );
    keep( s );
    child_give( &child, "accept", s );
    closesocket( s );
    peer = socket_connecting( &addr );
    keep( peer );
    child_run( &child );
    recv_exactly( peer, "child", 5 );
    check_closed( peer );
    child_finish( &child );
    closesocket( peer );

    s = socket_bound( AF_INET, SOCK_DGRAM, &addr );
    keep( s );
    peer = socket_new( AF_INET, SOCK_DGRAM );
    keep( peer );
    socket_set_timeout( peer, 5000 );
    child_give( &child, "udp", s );
    closesocket( s );
    check_int( sendto( peer, "parent", 6, 0, &addr.sa, sizeof(addr.in) ), 6 );
    child_run( &child );
    check_int( recv( peer, buffer, sizeof(buffer), 0 ), 6 );
    child_finish( &child );
    closesocket( peer );
}

/* ---- the state is one ---- */

static int get_option( SOCKET s, int option )
{
    int value = 0, len = sizeof(value);

    check_ok( getsockopt( s, SOL_SOCKET, option, (char *)&value, &len ) );
    return value;
}

static void set_option( SOCKET s, int option, int value )
{
    check_ok( setsockopt( s, SOL_SOCKET, option, (char *)&value, sizeof(value) ) );
}

static void child_state( struct child *parent )
{
    SOCKET s = take( &parent->board->info );
    LINGER linger = { 0, 0 };
    int len = sizeof(linger);
    u_long on = 1;
    char c;

    ok( get_option( s, SO_RCVTIMEO ) == 1234, "got time-out %d\n", get_option( s, SO_RCVTIMEO ) );
    ok( get_option( s, SO_KEEPALIVE ) == 1, "no SO_KEEPALIVE\n" );
    check_ok( getsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&linger, &len ) );
    ok( linger.l_onoff == 1 && linger.l_linger == 7, "got linger %u, %u\n", linger.l_onoff, linger.l_linger );
    set_option( s, SO_RCVTIMEO, 2345 );
    set_option( s, SO_KEEPALIVE, 0 );
    check_error( recv( s, &c, 1, 0 ), WSAESHUTDOWN );
    check_ok( ioctlsocket( s, FIONBIO, &on ) );
    check_ok( shutdown( s, SD_SEND ) );
}

static void test_state(void)
{
    LINGER linger = { 1, 7 };
    struct child child;
    SOCKET s, peer;

    private_pair( &s, &peer );
    set_option( s, SO_RCVTIMEO, 1234 );
    set_option( s, SO_KEEPALIVE, 1 );
    check_ok( setsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) ) );
    check_ok( shutdown( s, SD_RECEIVE ) );
    child_give( &child, "state", s );
    child_run( &child );
    child_finish( &child );
    ok( get_option( s, SO_RCVTIMEO ) == 2345, "got time-out %d\n", get_option( s, SO_RCVTIMEO ) );
    ok( get_option( s, SO_KEEPALIVE ) == 0, "SO_KEEPALIVE\n" );
    check_error( send( s, "x", 1, 0 ), WSAESHUTDOWN );
    check_closed( peer );
    linger.l_onoff = 0;
    check_ok( setsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) ) );
    closesocket( s );
    closesocket( peer );

    private_pair( &s, &peer );
    child_give( &child, "nonblocking", s );
    child_run( &child );
    child_hear( &child );
    ok( is_nonblocking( s ), "still blocking\n" );
    socket_set_nonblocking( s, FALSE );
    child_finish( &child );
    closesocket( s );
    closesocket( peer );
}

static void child_nonblocking( struct child *parent )
{
    SOCKET s = take( &parent->board->info );

    ok( !is_nonblocking( s ), "non-blocking\n" );
    socket_set_nonblocking( s, TRUE );
    child_say( parent );
    WaitForSingleObject( parent->go, 10000 );
    ok( !is_nonblocking( s ), "non-blocking\n" );
}

/* ---- threads that end within a call ---- */

struct victim
{
    SOCKET s;
    char  *data;                        /* for send */
};

static DWORD WINAPI thread_recv( void *arg )
{
    const struct victim *victim = arg;
    char buffer[16];

    recv( victim->s, buffer, sizeof(buffer), 0 );
    return 0;
}

static DWORD WINAPI thread_accept( void *arg )
{
    const struct victim *victim = arg;

    accept( victim->s, NULL, NULL );
    return 0;
}

static DWORD WINAPI thread_select( void *arg )
{
    const struct victim *victim = arg;
    fd_set set;

    FD_ZERO( &set );
    FD_SET( victim->s, &set );
    select( 0, &set, NULL, NULL, NULL );
    return 0;
}

#define SEND_SIZE (16 << 20)

static DWORD WINAPI thread_send( void *arg )
{
    const struct victim *victim = arg;

    send( victim->s, victim->data, SEND_SIZE, 0 );
    return 0;
}

/* a thread that is in the call, and ends there */
static void end_within( DWORD (WINAPI *func)( void * ), SOCKET s )
{
    struct victim victim = { s, NULL };
    HANDLE thread;

    if (func == thread_send) victim.data = calloc( 1, SEND_SIZE );
    thread = thread_start( func, &victim );
    Sleep( 100 );
    ok( TerminateThread( thread, 0 ), "TerminateThread failed with %lu\n", GetLastError() );
    ok( !WaitForSingleObject( thread, 5000 ), "the thread does not end\n" );
    CloseHandle( thread );
    free( victim.data );
}

static void drain_peer( SOCKET s )
{
    char buffer[0x4000];

    while (recv( s, buffer, sizeof(buffer), 0 ) > 0) /* nothing */;
}

static void test_terminated_threads(void)
{
    DWORD (WINAPI * const calls[])( void * ) = { thread_recv, thread_select, thread_send };
    SOCKET s, peer, other;
    union address addr;
    DWORD start;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(calls); i++)
    {
        winetest_push_context( "call %u", i );
        private_pair( &s, &peer );
        end_within( calls[i], s );
        start = GetTickCount();
        check_ok( closesocket( s ) );
        if (calls[i] == thread_send) drain_peer( peer );
        else check_closed( peer );
        ok( GetTickCount() - start < 1000, "took %lu ms\n", GetTickCount() - start );
        closesocket( peer );
        winetest_pop_context();
    }

    s = socket_listening( AF_INET, &addr );
    keep( s );
    end_within( thread_accept, s );
    check_ok( closesocket( s ) );
    s = socket_new( AF_INET, SOCK_STREAM );
    flaky_wine check_error( connect( s, &addr.sa, sizeof(addr.in) ), WSAECONNREFUSED );
    closesocket( s );

    s = socket_bound( AF_INET, SOCK_DGRAM, &addr );
    keep( s );
    end_within( thread_recv, s );
    check_ok( closesocket( s ) );
    other = socket_new( AF_INET, SOCK_DGRAM );
    check_ok( bind( other, &addr.sa, sizeof(addr.in) ) );
    closesocket( other );
}

/* such a receive takes no more data */
static void test_terminated_receive(void)
{
    SOCKET s, peer;

    private_pair( &s, &peer );
    end_within( thread_recv, s );
    check_ok( shutdown( s, SD_RECEIVE ) );
    check_int( send( peer, "x", 1, 0 ), 1 );
    todo_wine check_reset( peer );
    closesocket( s );
    closesocket( peer );
}

static DWORD WINAPI thread_drain( void *arg )
{
    const struct victim *victim = arg;

    drain_peer( victim->s );
    return 0;
}

/* a thread that ends while it sends is in nobody's way */
static void test_terminated_send(void)
{
    struct victim victim;
    SOCKET s, peer;
    HANDLE thread;
    DWORD start;

    private_pair( &s, &peer );
    end_within( thread_send, s );
    victim.s = peer;
    thread = thread_start( thread_drain, &victim );
    start = GetTickCount();
    check_int( send( s, "x", 1, 0 ), 1 );
    ok( GetTickCount() - start < 500, "took %lu ms\n", GetTickCount() - start );
    check_ok( closesocket( s ) );
    thread_end( thread );
    closesocket( peer );
}

/* closed while the thread can't leave the call, and never will */
static void test_terminated_later(void)
{
    struct victim victim;
    HANDLE thread;
    SOCKET s, peer;

    private_pair( &s, &peer );
    victim.s = s;
    thread = thread_start( thread_recv, &victim );
    Sleep( 100 );
    SuspendThread( thread );
    check_ok( closesocket( s ) );
    TerminateThread( thread, 0 );
    WaitForSingleObject( thread, 5000 );
    CloseHandle( thread );
    check_closed( peer );
    closesocket( peer );
}

static void WINAPI end_thread( ULONG_PTR arg )
{
    ExitThread( arg );
}

/* an APC runs in the wait of a call, and ends the thread */
static void test_exit_in_apc(void)
{
    DWORD (WINAPI * const calls[])( void * ) = { thread_recv, thread_select, thread_accept };
    struct victim victim;
    union address addr;
    SOCKET s, peer;
    HANDLE thread;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(calls); i++)
    {
        winetest_push_context( "call %u", i );
        peer = INVALID_SOCKET;
        if (calls[i] == thread_accept) s = socket_listening( AF_INET, &addr );
        else tcp_pair( &s, &peer );
        keep( s );
        victim.s = s;
        thread = thread_start( calls[i], &victim );
        Sleep( 100 );
        QueueUserAPC( end_thread, thread, 0 );
        flaky_wine ok( !WaitForSingleObject( thread, 3000 ), "the APC does not run\n" );
        check_ok( closesocket( s ) );
        if (peer == INVALID_SOCKET)
        {
            s = socket_new( AF_INET, SOCK_STREAM );
            flaky_wine check_error( connect( s, &addr.sa, sizeof(addr.in) ), WSAECONNREFUSED );
            closesocket( s );
        }
        else
        {
            check_closed( peer );
            closesocket( peer );
        }
        WaitForSingleObject( thread, 3000 );
        CloseHandle( thread );
        winetest_pop_context();
    }
}

/* ---- a socket as a child's standard handle ---- */

/* this process may have been given anything: what it has is a socket, also long after its parent has closed it */
static void child_stdio( struct child *parent )
{
    SOCKET s = (SOCKET)GetStdHandle( STD_INPUT_HANDLE );
    union address addr;
    int len = sizeof(addr);

    flaky_wine check_ok( getpeername( s, &addr.sa, &len ) );
    child_say( parent );
    WaitForSingleObject( parent->go, 10000 );
    flaky_wine check_int( send( s, "child", 5, 0 ), 5 );
    flaky_wine recv_exactly( s, "parent", 6 );
    flaky_wine check_ok( shutdown( s, SD_SEND ) );
}

static void test_stdio(void)
{
    STARTUPINFOA startup = { .cb = sizeof(startup) };
    char **argv, cmdline[MAX_PATH + 128];
    PROCESS_INFORMATION info;
    struct child child;
    SOCKET s, peer;
    BOOL ret;

    private_pair( &s, &peer );
    child_prepare( &child, "nothing" );
    child_run( &child );
    SetHandleInformation( (HANDLE)s, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT );
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = (HANDLE)s;
    startup.hStdOutput = GetStdHandle( STD_OUTPUT_HANDLE );
    startup.hStdError = GetStdHandle( STD_ERROR_HANDLE );
    winetest_get_mainargs( &argv );
    sprintf( cmdline, "\"%s\" %s stdio %lu %lu %lu", argv[0], argv[1], HandleToULong( child.section ),
             HandleToULong( child.said ), HandleToULong( child.go ) );
    ret = CreateProcessA( NULL, cmdline, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info );
    ok( ret, "CreateProcess failed with %lu\n", GetLastError() );
    child_hear( &child );
    check_ok( closesocket( s ) );
    Sleep( 300 );
    SetEvent( child.go );
    check_int( send( peer, "parent", 6, 0 ), 6 );
    flaky_wine recv_exactly( peer, "child", 5 );
    winetest_wait_child_process( info.hProcess );
    flaky_wine check_closed( peer );
    CloseHandle( info.hProcess );
    CloseHandle( info.hThread );
    child_finish( &child );
    closesocket( peer );
}

/* ---- handles ---- */

static void test_inheritance(void)
{
    struct child child;
    SOCKET s, peer;

    /* made without, and changed */
    private_pair( &s, &peer );
    ok( !is_inheritable( s ), "inheritable\n" );
    ok( SetHandleInformation( (HANDLE)s, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT ), "error %lu\n", GetLastError() );
    ok( is_inheritable( s ), "not inheritable\n" );
    child_prepare( &child, "inherited" );
    child.board->value = s;
    child_run( &child );
    check_int( send( peer, "parent", 6, 0 ), 6 );
    flaky_wine recv_exactly( peer, "child", 5 );
    child_finish( &child );
    closesocket( s );
    closesocket( peer );

    s = WSASocketW( AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_NO_HANDLE_INHERIT );
    ok( !is_inheritable( s ), "inheritable\n" );
    closesocket( s );
    s = WSASocketW( AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, 0 );
    ok( is_inheritable( s ), "not inheritable\n" );
    closesocket( s );
}

static void child_inherited( struct child *parent )
{
    SOCKET s = parent->board->value;

    flaky_wine check_int( send( s, "child", 5, 0 ), 5 );
    flaky_wine recv_exactly( s, "parent", 6 );
}

static void child_listed( struct child *parent )
{
    SOCKET s = parent->board->value;

    flaky_wine check_int( send( s, "child", 5, 0 ), 5 );
    check_error( send( (SOCKET)parent->board->other, "child", 5, 0 ), WSAENOTSOCK );
}

/* both can be inherited, one is listed */
static void test_handle_list(void)
{
    struct { STARTUPINFOEXA ex; char space[256]; } startup;
    LPPROC_THREAD_ATTRIBUTE_LIST list = (LPPROC_THREAD_ATTRIBUTE_LIST)startup.space;
    char **argv, cmdline[MAX_PATH + 128];
    SOCKET s, peer, other, other_peer;
    SIZE_T size = sizeof(startup.space);
    PROCESS_INFORMATION info;
    HANDLE handles[4];
    struct child child;
    BOOL ret;

    private_pair( &s, &peer );
    private_pair( &other, &other_peer );
    SetHandleInformation( (HANDLE)s, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT );
    SetHandleInformation( (HANDLE)other, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT );
    child_prepare( &child, "nothing" );
    child.board->value = s;
    child.board->other = other;

    memset( &startup, 0, sizeof(startup) );
    ok( InitializeProcThreadAttributeList( list, 1, 0, &size ), "error %lu\n", GetLastError() );
    handles[0] = (HANDLE)s;
    handles[1] = child.section;
    handles[2] = child.said;
    handles[3] = child.go;
    ok( UpdateProcThreadAttribute( list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles, sizeof(handles), NULL, NULL ),
        "error %lu\n", GetLastError() );
    startup.ex.StartupInfo.cb = sizeof(startup.ex);
    startup.ex.lpAttributeList = list;
    winetest_get_mainargs( &argv );
    sprintf( cmdline, "\"%s\" %s listed %lu %lu %lu", argv[0], argv[1], HandleToULong( child.section ),
             HandleToULong( child.said ), HandleToULong( child.go ) );
    ret = CreateProcessA( NULL, cmdline, NULL, NULL, TRUE, EXTENDED_STARTUPINFO_PRESENT, NULL, NULL,
                          &startup.ex.StartupInfo, &info );
    ok( ret, "CreateProcess failed with %lu\n", GetLastError() );
    closesocket( s );
    flaky_wine recv_exactly( peer, "child", 5 );
    winetest_wait_child_process( info.hProcess );
    CloseHandle( info.hProcess );
    CloseHandle( info.hThread );
    DeleteProcThreadAttributeList( list );
    /* this one has inherited both */
    child_run( &child );
    child_finish( &child );
    check_closed( peer );
    closesocket( other );
    closesocket( other_peer );
    closesocket( peer );
}

static void test_protected(void)
{
    SOCKET s, peer;

    private_pair( &s, &peer );
    SetHandleInformation( (HANDLE)s, HANDLE_FLAG_PROTECT_FROM_CLOSE, HANDLE_FLAG_PROTECT_FROM_CLOSE );
    if (!IsDebuggerPresent())
    {
        SetLastError( 0xdeadbeef );
        ok( !CloseHandle( (HANDLE)s ), "CloseHandle succeeded\n" );
        ok( GetLastError() == ERROR_INVALID_HANDLE, "got error %lu\n", GetLastError() );
    }
    talk( s, peer );
    SetHandleInformation( (HANDLE)s, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0 );
    ok( CloseHandle( (HANDLE)s ), "CloseHandle failed with %lu\n", GetLastError() );
    check_closed( peer );
    closesocket( peer );
}

/* ---- handles that other processes close ---- */

static void check_open( SOCKET s )
{
    char c;

    socket_set_nonblocking( s, TRUE );
    check_error( recv( s, &c, 1, 0 ), WSAEWOULDBLOCK );
    socket_set_nonblocking( s, FALSE );
}

static HANDLE open_parent( const struct child *parent )
{
    HANDLE process = OpenProcess( PROCESS_DUP_HANDLE, FALSE, parent->pid );

    ok( process != NULL, "OpenProcess failed with %lu\n", GetLastError() );
    return process;
}

/* a handle of the parent's becomes ours */
static SOCKET steal( HANDLE process, SOCKET value )
{
    HANDLE handle = NULL;

    ok( DuplicateHandle( process, (HANDLE)value, GetCurrentProcess(), &handle, 0, FALSE,
                         DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE ), "DuplicateHandle failed with %lu\n", GetLastError() );
    return (SOCKET)handle;
}

static void child_steal( struct child *parent )
{
    SOCKET own = socket_new( AF_INET, SOCK_DGRAM ), s;
    HANDLE process = open_parent( parent );

    s = steal( process, parent->board->value );
    flaky_wine check_int( send( s, "child", 5, 0 ), 5 );
    child_say( parent );
    WaitForSingleObject( parent->go, 10000 );
    flaky_wine check_ok( closesocket( s ) );
    CloseHandle( process );
    closesocket( own );
}

static void test_stolen(void)
{
    HANDLE pipe_read, pipe_write;
    struct child child;
    SOCKET s, peer;
    DWORD count;
    char c;

    private_pair( &s, &peer );
    child_prepare( &child, "steal" );
    child.board->value = s;
    child_run( &child );
    child_hear( &child );
    flaky_wine recv_exactly( peer, "child", 5 );
    /* these may have its value */
    ok( CreatePipe( &pipe_read, &pipe_write, NULL, 0 ), "CreatePipe failed with %lu\n", GetLastError() );
    ok( WriteFile( pipe_write, "x", 1, &count, NULL ) && count == 1, "error %lu\n", GetLastError() );
    ok( ReadFile( pipe_read, &c, 1, &count, NULL ) && count == 1 && c == 'x', "error %lu\n", GetLastError() );
    flaky_wine check_error( send( s, "x", 1, 0 ), WSAENOTSOCK );
    flaky_wine check_error( closesocket( s ), WSAENOTSOCK );
    flaky_wine ok( WriteFile( pipe_write, "x", 1, &count, NULL ) && count == 1, "error %lu\n", GetLastError() );
    CloseHandle( pipe_read );
    CloseHandle( pipe_write );
    socket_set_nonblocking( peer, TRUE );
    check_error( recv( peer, &c, 1, 0 ), WSAEWOULDBLOCK );
    socket_set_nonblocking( peer, FALSE );
    child_finish( &child );
    check_closed( peer );
    closesocket( peer );
}

/* a duplicate that the parent does not know of */
static void child_copy( struct child *parent )
{
    SOCKET own = socket_new( AF_INET, SOCK_DGRAM ), s;
    HANDLE process = open_parent( parent ), handle = NULL;

    ok( DuplicateHandle( process, (HANDLE)parent->board->value, GetCurrentProcess(), &handle, 0, FALSE, DUPLICATE_SAME_ACCESS ),
        "DuplicateHandle failed with %lu\n", GetLastError() );
    CloseHandle( process );
    s = (SOCKET)handle;
    child_say( parent );
    WaitForSingleObject( parent->go, 10000 );
    flaky_wine check_int( send( s, "child", 5, 0 ), 5 );
    flaky_wine check_ok( closesocket( s ) );
    closesocket( own );
}

static void test_copied(void)
{
    SOCKET s, peer, other, other_peer;
    struct child child;

    child_prepare( &child, "copy" );
    private_pair( &s, &peer );
    child.board->value = s;
    child_run( &child );
    child_hear( &child );
    talk( s, peer );
    check_ok( closesocket( s ) );
    /* this one is another, whatever its value */
    private_pair( &other, &other_peer );
    check_open( peer );
    SetEvent( child.go );
    flaky_wine recv_exactly( peer, "child", 5 );
    flaky_wine check_closed( peer );
    talk( other, other_peer );
    child_finish( &child );
    closesocket( other );
    check_closed( other_peer );
    closesocket( other_peer );
    closesocket( peer );
}

/* closes a handle of the parent's */
static void child_close( struct child *parent )
{
    HANDLE process = open_parent( parent );

    ok( CloseHandle( (HANDLE)steal( process, parent->board->value ) ), "CloseHandle failed with %lu\n", GetLastError() );
    CloseHandle( process );
}

/* nobody in this process does anything, and the connection ends; so does a call that waits for it */
static void test_closed_by_other(void)
{
    struct victim victim;
    struct child child;
    SOCKET s, peer;
    HANDLE thread;

    private_pair( &s, &peer );
    child_prepare( &child, "close" );
    child.board->value = s;
    child_run( &child );
    check_closed( peer );
    child_finish( &child );
    check_error( send( s, "x", 1, 0 ), WSAENOTSOCK );
    closesocket( peer );

    private_pair( &s, &peer );
    child_prepare( &child, "close" );
    child.board->value = s;
    victim.s = s;
    thread = thread_start( thread_recv, &victim );
    Sleep( 100 );
    child_run( &child );
    flaky_wine check_closed( peer );
    child_finish( &child );
    flaky_wine ok( !WaitForSingleObject( thread, 2000 ), "the thread waits on\n" );
    closesocket( peer );
    WaitForSingleObject( thread, 5000 );
    CloseHandle( thread );
}

/* takes one socket from the parent, and gives it another one: the value may well be the same */
static void child_exchange( struct child *parent )
{
    HANDLE process = open_parent( parent ), handle;
    SOCKET other = take( &parent->board->info ), s;

    s = steal( process, parent->board->value );
    ok( DuplicateHandle( GetCurrentProcess(), (HANDLE)other, process, &handle, 0, FALSE, DUPLICATE_SAME_ACCESS ),
        "DuplicateHandle failed with %lu\n", GetLastError() );
    parent->board->value = (SOCKET)handle;
    check_ok( closesocket( other ) );
    child_say( parent );
    WaitForSingleObject( parent->go, 10000 );
    /* and gives it back */
    check_ok( WSADuplicateSocketW( s, parent->pid, &parent->board->info ) );
    flaky_wine check_ok( closesocket( s ) );
    child_say( parent );
    CloseHandle( process );
}

static void test_exchanged(void)
{
    SOCKET s, peer, other, other_peer;
    struct child child;

    private_pair( &s, &peer );
    private_pair( &other, &other_peer );
    child_give( &child, "exchange", other );
    closesocket( other );
    child.board->value = s;
    child_run( &child );
    child_hear( &child );
    other = child.board->value;
    flaky_wine talk( other, other_peer );
    SetEvent( child.go );
    child_hear( &child );
    s = take( &child.board->info );
    flaky_wine talk( s, peer );
    flaky_wine talk( other, other_peer );
    child_finish( &child );
    closesocket( s );
    flaky_wine check_closed( peer );
    closesocket( other );
    flaky_wine check_closed( other_peer );
    closesocket( peer );
    closesocket( other_peer );
}

/* ---- the last handle ends it, whoever has it ---- */

static void child_holder( struct child *parent )
{
    SOCKET s = take( &parent->board->info );

    child_say( parent );
    WaitForSingleObject( parent->go, 10000 );
    closesocket( s );
    child_say( parent );
    WaitForSingleObject( parent->go, 10000 );
}

static void test_last_handle(void)
{
    static const char *orders[] = { "pab", "pba", "apb", "abp", "bpa", "bap" };
    struct child a, b, *child;
    SOCKET s, peer;
    unsigned i, j;

    for (i = 0; i < ARRAY_SIZE(orders); i++)
    {
        winetest_push_context( "order %s", orders[i] );
        private_pair( &s, &peer );
        child_give( &a, "holder", s );
        child_give( &b, "holder", s );
        child_run( &a );
        child_run( &b );
        child_hear( &a );
        child_hear( &b );
        for (j = 0; j < 3; j++)
        {
            check_open( peer );
            if (orders[i][j] == 'p')
            {
                check_ok( closesocket( s ) );
                continue;
            }
            child = orders[i][j] == 'a' ? &a : &b;
            SetEvent( child->go );
            child_hear( child );
        }
        check_closed( peer );
        child_finish( &a );
        child_finish( &b );
        closesocket( peer );
        winetest_pop_context();
    }
}

/* ---- a child's main ---- */

static void child_nothing( struct child *parent )
{
    (void)parent;
}

static void child_main( const char *command, struct child *parent )
{
    static const struct
    {
        const char *name;
        void (*func)( struct child *parent );
    }
    commands[] =
    {
        { "nothing", child_nothing },
        { "talk", child_talk },
        { "ansi", child_ansi },
        { "accept", child_accept },
        { "udp", child_udp },
        { "connect", child_connect },
        { "state", child_state },
        { "nonblocking", child_nonblocking },
        { "stdio", child_stdio },
        { "inherited", child_inherited },
        { "listed", child_listed },
        { "steal", child_steal },
        { "copy", child_copy },
        { "close", child_close },
        { "exchange", child_exchange },
        { "holder", child_holder },
    };
    unsigned i;

    parent->board = MapViewOfFile( parent->section, FILE_MAP_ALL_ACCESS, 0, 0, sizeof(*parent->board) );
    parent->pid = parent->board->pid;
    for (i = 0; i < ARRAY_SIZE(commands); i++)
        if (!strcmp( commands[i].name, command )) commands[i].func( parent );
}

static const struct piece pieces[] =
{
    { "bad_info", piece_bad_info },
};

START_TEST(sharing)
{
    char **argv;
    int argc = winetest_get_mainargs( &argv );
    WSADATA data;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    if (argc == 6)
    {
        struct child parent = { 0 };

        parent.section = ULongToHandle( strtoul( argv[3], NULL, 10 ) );
        parent.said = ULongToHandle( strtoul( argv[4], NULL, 10 ) );
        parent.go = ULongToHandle( strtoul( argv[5], NULL, 10 ) );
        child_main( argv[2], &parent );
    }
    else if (!piece_main( pieces, ARRAY_SIZE(pieces) ))
    {
        test_errors();
        todo_wine piece_run( "bad_info" );
        test_info();
        test_here();
        test_wrong_infos();
        test_child();
        test_child_ansi();
        test_child_kinds();
        test_connecting();
        test_state();
        test_terminated_threads();
        test_terminated_receive();
        test_terminated_send();
        test_terminated_later();
        test_exit_in_apc();
        test_stdio();
        test_inheritance();
        test_handle_list();
        test_protected();
        test_stolen();
        test_copied();
        test_closed_by_other();
        test_exchanged();
        test_last_handle();
    }
    WSACleanup();
}
