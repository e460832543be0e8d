/*
 * Overlapped sends and receives: how they end, and how that is told
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

/* of ntstatus.h, which redefines what windows.h has */
#ifndef STATUS_CANCELLED
#define STATUS_CANCELLED          ((NTSTATUS)0xc0000120)
#endif
#ifndef STATUS_CONNECTION_RESET
#define STATUS_CONNECTION_RESET   ((NTSTATUS)0xc000020d)
#define STATUS_CONNECTION_ABORTED ((NTSTATUS)0xc0000241)
#endif

#ifndef FILE_SKIP_COMPLETION_PORT_ON_SUCCESS
#define FILE_SKIP_COMPLETION_PORT_ON_SUCCESS 1
#endif

#define WAIT 5000               /* ms: what comes at all comes long before */

/* an operation with its buffer */
struct op
{
    OVERLAPPED overlapped;
    WSABUF     buf;
    DWORD      count, flags;
    char       data[16384];
};

static void init_op( struct op *op, HANDLE event, DWORD len )
{
    memset( &op->overlapped, 0, sizeof(op->overlapped) );
    op->overlapped.hEvent = event;
    op->buf.buf = op->data;
    op->buf.len = len;
    op->count = 0xdeadbeef;
    op->flags = 0;
    memset( op->data, 0x55, sizeof(op->data) );
}

static int post_recv( SOCKET s, struct op *op )
{
    return WSARecv( s, &op->buf, 1, &op->count, &op->flags, &op->overlapped, NULL );
}

static int post_send( SOCKET s, struct op *op )
{
    return WSASend( s, &op->buf, 1, &op->count, 0, &op->overlapped, NULL );
}

#define check_result_of( s, op, wait, ret, error, count ) check_result_of_( __LINE__, s, op, wait, ret, error, count )

static void check_result_of_( int line, SOCKET s, struct op *op, BOOL wait, BOOL expected, int error, DWORD count )
{
    DWORD got = 0xdeadbeef, flags = 0xdeadbeef;
    BOOL ret;

    WSASetLastError( 0xdeadbeef );
    ret = WSAGetOverlappedResult( s, &op->overlapped, &got, wait, &flags );
    ok_( __FILE__, line )( ret == expected, "got %d, error %d\n", ret, WSAGetLastError() );
    if (!expected) ok_( __FILE__, line )( WSAGetLastError() == error, "got error %d\n", WSAGetLastError() );
    if (error != WSA_IO_INCOMPLETE) ok_( __FILE__, line )( got == count, "got %lu bytes\n", got );
}

/* ---- events ---- */

static void test_event(void)
{
    HANDLE event = CreateEventW( NULL, TRUE, TRUE, NULL );
    struct op op, sent;
    SOCKET client, server;

    tcp_pair( &client, &server );

    /* one that has to wait */
    init_op( &op, event, 100 );
    check_error( post_recv( server, &op ), WSA_IO_PENDING );
    ok( (NTSTATUS)op.overlapped.Internal == STATUS_PENDING, "got %#Ix\n", op.overlapped.Internal );
    ok( WaitForSingleObject( event, 0 ) == WAIT_TIMEOUT, "the event was not reset\n" );
    check_result_of( server, &op, FALSE, FALSE, WSA_IO_INCOMPLETE, 0 );
    check_int( send( client, "hello", 5, 0 ), 5 );
    ok( !WaitForSingleObject( event, WAIT ), "no event\n" );
    ok( !op.overlapped.Internal, "got %#Ix\n", op.overlapped.Internal );
    check_result_of( server, &op, FALSE, TRUE, 0, 5 );
    ok( !memcmp( op.data, "hello", 5 ), "wrong data\n" );
    ok( op.data[5] == 0x55, "written behind the data\n" );

    /* one that finds something */
    check_int( send( client, "again", 5, 0 ), 5 );
    Sleep( 20 );
    ResetEvent( event );
    init_op( &op, event, 3 );
    check_ok( post_recv( server, &op ) );
    ok( op.count == 3, "got %lu\n", op.count );
    ok( !WaitForSingleObject( event, 0 ), "no event\n" );
    check_result_of( server, &op, TRUE, TRUE, 0, 3 );
    init_op( &op, event, 100 );
    check_ok( post_recv( server, &op ) );
    ok( op.count == 2, "got %lu\n", op.count );

    /* sends mostly end at once */
    ResetEvent( event );
    init_op( &sent, event, 1000 );
    check_ok( post_send( client, &sent ) );
    ok( sent.count == 1000, "got %lu\n", sent.count );
    ok( !WaitForSingleObject( event, 0 ), "no event\n" );
    check_result_of( client, &sent, FALSE, TRUE, 0, 1000 );
    closesocket( client );
    closesocket( server );
    CloseHandle( event );
}

/* receives take the data in the order they were posted, also with other buffers of a WSABUF array that is gone */
static void test_order(void)
{
    static struct op ops[16];
    HANDLE events[16];
    SOCKET client, server;
    char data[16 * 10];
    WSABUF bufs[2];
    unsigned int i;

    tcp_pair( &client, &server );
    for (i = 0; i < sizeof(data); i++) data[i] = i;
    for (i = 0; i < 16; i++)
    {
        events[i] = CreateEventW( NULL, TRUE, FALSE, NULL );
        init_op( &ops[i], events[i], 10 );
        bufs[0].buf = ops[i].data;
        bufs[0].len = 4;
        bufs[1].buf = ops[i].data + 4;
        bufs[1].len = 6;
        check_error( WSARecv( server, bufs, 2, NULL, &ops[i].flags, &ops[i].overlapped, NULL ), WSA_IO_PENDING );
        memset( bufs, 0, sizeof(bufs) );
    }
    check_int( send( client, data, sizeof(data), 0 ), sizeof(data) );
    ok( WaitForMultipleObjects( 16, events, TRUE, WAIT ) <= WAIT_OBJECT_0 + 15, "some did not end\n" );
    for (i = 0; i < 16; i++)
    {
        check_result_of( server, &ops[i], FALSE, TRUE, 0, 10 );
        ok( !memcmp( ops[i].data, data + i * 10, 10 ), "%u: wrong data\n", i );
        CloseHandle( events[i] );
    }
    closesocket( client );
    closesocket( server );
}

/* a send goes whole, however long it takes */
static void test_large_send(void)
{
    const DWORD size = 8 << 20;
    HANDLE event = CreateEventW( NULL, TRUE, FALSE, NULL );
    char *data = malloc( size ), *got = malloc( size ), *small = malloc( 4096 );
    struct op op, second;
    SOCKET client, server;
    DWORD i, total = 0;
    int ret;

    tcp_pair( &client, &server );
    for (i = 0; i < size; i++) data[i] = i * 7 + (i >> 8);
    memset( small, 'x', 4096 );
    init_op( &op, event, size );
    op.buf.buf = data;
    ret = post_send( client, &op );
    /* Windows may take it all at once */
    ok( !ret || WSAGetLastError() == WSA_IO_PENDING, "got error %d\n", WSAGetLastError() );
    init_op( &second, NULL, 4096 );
    second.buf.buf = small;
    ret = post_send( client, &second );
    ok( !ret || WSAGetLastError() == WSA_IO_PENDING, "got error %d\n", WSAGetLastError() );
    while (total < size && (ret = recv( server, got + total, size - total, 0 )) > 0) total += ret;
    ok( total == size, "got %lu bytes\n", total );
    ok( !memcmp( data, got, size ), "wrong data\n" );
    ok( !WaitForSingleObject( event, WAIT ), "no event\n" );
    check_result_of( client, &op, FALSE, TRUE, 0, size );
    check_int( recv( server, got, 4096, MSG_WAITALL ), 4096 );
    ok( !memcmp( got, small, 4096 ), "wrong data of the second\n" );
    closesocket( client );
    closesocket( server );
    CloseHandle( event );
    free( data );
    free( got );
    free( small );
}

/* ---- the ends of a connection ---- */

static void test_ends(void)
{
    HANDLE event = CreateEventW( NULL, TRUE, FALSE, NULL );
    struct op op;
    SOCKET client, server;
    DWORD count;

    tcp_pair( &client, &server );
    init_op( &op, event, 100 );
    check_error( post_recv( server, &op ), WSA_IO_PENDING );
    check_ok( shutdown( client, SD_SEND ) );
    ok( !WaitForSingleObject( event, WAIT ), "no event\n" );
    check_result_of( server, &op, FALSE, TRUE, 0, 0 );
    init_op( &op, event, 100 );
    check_ok( post_recv( server, &op ) );
    ok( !op.count, "got %lu\n", op.count );
    closesocket( client );
    closesocket( server );

    tcp_pair( &client, &server );
    init_op( &op, event, 100 );
    check_error( post_recv( server, &op ), WSA_IO_PENDING );
    socket_reset( client );
    ok( !WaitForSingleObject( event, WAIT ), "no event\n" );
    ok( (NTSTATUS)op.overlapped.Internal == (NTSTATUS)STATUS_CONNECTION_RESET, "got %#Ix\n", op.overlapped.Internal );
    check_result_of( server, &op, FALSE, FALSE, WSAECONNRESET, 0 );
    SetLastError( 0xdeadbeef );
    ok( !GetOverlappedResult( (HANDLE)server, &op.overlapped, &count, FALSE ), "succeeded\n" );
    ok( GetLastError() == ERROR_NETNAME_DELETED, "got error %lu\n", GetLastError() );
    /* the next fails at once, and is not told otherwise */
    ResetEvent( event );
    init_op( &op, event, 100 );
    todo_wine check_error( post_recv( server, &op ), WSAECONNRESET );
    closesocket( server );

    /* closing ends what waits, before it returns */
    tcp_pair( &client, &server );
    init_op( &op, event, 100 );
    check_error( post_recv( server, &op ), WSA_IO_PENDING );
    closesocket( server );
    todo_wine ok( (NTSTATUS)op.overlapped.Internal == (NTSTATUS)STATUS_CONNECTION_ABORTED, "got %#Ix\n", op.overlapped.Internal );
    ok( !op.overlapped.InternalHigh, "got %Iu bytes\n", op.overlapped.InternalHigh );
    ok( !WaitForSingleObject( event, WAIT ), "no event\n" );
    closesocket( client );
    CloseHandle( event );
}

static void test_shutdown(void)
{
    HANDLE event = CreateEventW( NULL, TRUE, FALSE, NULL );
    struct op op, late;
    SOCKET client, server;

    tcp_pair( &client, &server );
    init_op( &op, event, 100 );
    check_error( post_recv( server, &op ), WSA_IO_PENDING );
    check_ok( shutdown( server, SD_RECEIVE ) );
    init_op( &late, NULL, 100 );
    check_error( post_recv( server, &late ), WSAESHUTDOWN );
    ok( WaitForSingleObject( event, 50 ) == WAIT_TIMEOUT, "the receive has ended\n" );
    check_int( send( client, "taken", 5, 0 ), 5 );
    ok( !WaitForSingleObject( event, WAIT ), "no event\n" );
    check_result_of( server, &op, FALSE, TRUE, 0, 5 );
    check_int( send( server, "x", 1, 0 ), 1 );
    check_int( recv( client, op.data, 10, 0 ), 1 );
    closesocket( client );
    closesocket( server );
    CloseHandle( event );
}

/* the FIN follows all sends, also those that wait */
static void test_shutdown_send(void)
{
    const DWORD size = 8 << 20;
    HANDLE event = CreateEventW( NULL, TRUE, FALSE, NULL );
    char *data = malloc( size ), *got = malloc( size );
    struct op op, late;
    SOCKET client, server;
    DWORD i, total = 0;
    int ret;

    tcp_pair( &client, &server );
    for (i = 0; i < size; i++) data[i] = i * 11 + (i >> 9);
    init_op( &op, event, size );
    op.buf.buf = data;
    ret = post_send( client, &op );
    ok( !ret || WSAGetLastError() == WSA_IO_PENDING, "got error %d\n", WSAGetLastError() );
    check_ok( shutdown( client, SD_SEND ) );
    init_op( &late, NULL, 10 );
    check_error( post_send( client, &late ), WSAESHUTDOWN );
    while (total < size && (ret = recv( server, got + total, size - total, 0 )) > 0) total += ret;
    ok( total == size, "got %lu bytes\n", total );
    ok( !memcmp( data, got, size ), "wrong data\n" );
    check_int( recv( server, got, 10, 0 ), 0 );
    ok( !WaitForSingleObject( event, WAIT ), "no event\n" );
    check_result_of( client, &op, FALSE, TRUE, 0, size );
    check_int( send( server, "back", 4, 0 ), 4 );
    check_int( recv( client, got, 10, 0 ), 4 );
    closesocket( client );
    closesocket( server );
    CloseHandle( event );
    free( data );
    free( got );
}

/* ---- cancelling ---- */

struct poster
{
    SOCKET    s;
    struct op op;
    HANDLE    posted, go;
};

static DWORD WINAPI post_thread( void *arg )
{
    struct poster *poster = arg;

    init_op( &poster->op, NULL, 100 );
    check_error( post_recv( poster->s, &poster->op ), WSA_IO_PENDING );
    SetEvent( poster->posted );
    WaitForSingleObject( poster->go, WAIT );
    return 0;
}

static void test_cancel(void)
{
    HANDLE event = CreateEventW( NULL, TRUE, FALSE, NULL ), thread;
    struct poster poster;
    struct op op[3];
    SOCKET client, server;
    unsigned int i;

    tcp_pair( &client, &server );
    SetLastError( 0xdeadbeef );
    todo_wine ok( !CancelIoEx( (HANDLE)server, NULL ), "succeeded\n" );
    todo_wine ok( GetLastError() == ERROR_NOT_FOUND, "got error %lu\n", GetLastError() );
    ok( CancelIo( (HANDLE)server ), "failed, error %lu\n", GetLastError() );

    for (i = 0; i < 3; i++)
    {
        init_op( &op[i], i ? NULL : event, 100 );
        check_error( post_recv( server, &op[i] ), WSA_IO_PENDING );
    }
    ok( CancelIoEx( (HANDLE)server, &op[0].overlapped ), "failed, error %lu\n", GetLastError() );
    ok( !WaitForSingleObject( event, WAIT ), "no event\n" );
    check_result_of( server, &op[0], FALSE, FALSE, WSA_OPERATION_ABORTED, 0 );
    check_result_of( server, &op[1], FALSE, FALSE, WSA_IO_INCOMPLETE, 0 );
    ok( !CancelIoEx( (HANDLE)server, &op[0].overlapped ), "succeeded\n" );
    /* the others go on, in their order */
    check_int( send( client, "ab", 2, 0 ), 2 );
    for (i = 0; i < 100 && (NTSTATUS)op[1].overlapped.Internal == STATUS_PENDING; i++) Sleep( 20 );
    check_result_of( server, &op[1], FALSE, TRUE, 0, 2 );
    ok( CancelIo( (HANDLE)server ), "failed, error %lu\n", GetLastError() );
    check_result_of( server, &op[2], FALSE, FALSE, WSA_OPERATION_ABORTED, 0 );

    /* another thread's: CancelIo is not for them, but they end with the thread */
    poster.s = server;
    poster.posted = CreateEventW( NULL, TRUE, FALSE, NULL );
    poster.go = CreateEventW( NULL, TRUE, FALSE, NULL );
    thread = CreateThread( NULL, 0, post_thread, &poster, 0, NULL );
    ok( !WaitForSingleObject( poster.posted, WAIT ), "not posted\n" );
    ok( CancelIo( (HANDLE)server ), "failed, error %lu\n", GetLastError() );
    check_result_of( server, &poster.op, FALSE, FALSE, WSA_IO_INCOMPLETE, 0 );
    SetEvent( poster.go );
    ok( !WaitForSingleObject( thread, WAIT ), "the thread does not end\n" );
    for (i = 0; i < 100 && (NTSTATUS)poster.op.overlapped.Internal == STATUS_PENDING; i++) Sleep( 20 );
    check_result_of( server, &poster.op, FALSE, FALSE, WSA_OPERATION_ABORTED, 0 );
    CloseHandle( thread );
    CloseHandle( poster.posted );
    CloseHandle( poster.go );

    /* what a cancelled receive did not take is still there */
    check_int( send( client, "left", 4, 0 ), 4 );
    check_int( recv( server, op[0].data, 10, 0 ), 4 );
    closesocket( client );
    closesocket( server );
    CloseHandle( event );
}

/* ---- completion routines ---- */

static struct { DWORD error, count, flags; OVERLAPPED *overlapped; unsigned int calls; } told;

static void CALLBACK routine( DWORD error, DWORD count, WSAOVERLAPPED *overlapped, DWORD flags )
{
    told.error = error;
    told.count = count;
    told.flags = flags;
    told.overlapped = overlapped;
    told.calls++;
}

static void test_routine(void)
{
    SOCKET client, server;
    struct op op;

    tcp_pair( &client, &server );
    memset( &told, 0, sizeof(told) );
    init_op( &op, (HANDLE)0xdeadbee0, 100 );    /* the routine's own */
    check_error( WSARecv( server, &op.buf, 1, NULL, &op.flags, &op.overlapped, routine ), WSA_IO_PENDING );
    ok( !SleepEx( 0, TRUE ), "an APC ran\n" );
    check_int( send( client, "hello", 5, 0 ), 5 );
    ok( SleepEx( WAIT, TRUE ) == WAIT_IO_COMPLETION, "no APC\n" );
    ok( told.calls == 1 && !told.error && told.count == 5 && told.overlapped == &op.overlapped,
        "got %u calls, error %lu, %lu bytes\n", told.calls, told.error, told.count );
    ok( op.overlapped.hEvent == (HANDLE)0xdeadbee0, "got %p\n", op.overlapped.hEvent );

    /* at once: told all the same, and not before the thread is alertable */
    check_int( send( client, "hello", 5, 0 ), 5 );
    Sleep( 20 );
    memset( &told, 0, sizeof(told) );
    init_op( &op, NULL, 100 );
    check_ok( WSARecv( server, &op.buf, 1, &op.count, &op.flags, &op.overlapped, routine ) );
    ok( op.count == 5, "got %lu\n", op.count );
    ok( !told.calls, "called too early\n" );
    ok( WSAWaitForMultipleEvents( 1, &(HANDLE){ GetCurrentProcess() }, FALSE, WAIT, TRUE ) == WSA_WAIT_IO_COMPLETION, "no APC\n" );
    ok( told.calls == 1 && told.count == 5, "got %u calls, %lu bytes\n", told.calls, told.count );

    /* in a blocking call, too */
    memset( &told, 0, sizeof(told) );
    init_op( &op, NULL, 100 );
    check_error( WSARecv( server, &op.buf, 1, NULL, &op.flags, &op.overlapped, routine ), WSA_IO_PENDING );
    check_int( send( client, "hello", 5, 0 ), 5 );
    socket_set_timeout( client, 500 );
    check_error( recv( client, op.data, 10, 0 ), WSAETIMEDOUT );
    ok( told.calls == 1 && told.count == 5, "got %u calls, %lu bytes\n", told.calls, told.count );

    /* the end of the socket is told so, too */
    memset( &told, 0, sizeof(told) );
    init_op( &op, NULL, 100 );
    check_error( WSARecv( server, &op.buf, 1, NULL, &op.flags, &op.overlapped, routine ), WSA_IO_PENDING );
    closesocket( server );
    ok( SleepEx( WAIT, TRUE ) == WAIT_IO_COMPLETION, "no APC\n" );
    todo_wine ok( told.calls == 1 && told.error == WSAECONNABORTED && !told.count, "got %u calls, error %lu\n", told.calls, told.error );
    closesocket( client );
}

/* ---- completion ports ---- */

#define check_packet( port, key, op, ret, error, count ) check_packet_( __LINE__, port, key, op, ret, error, count )

static void check_packet_( int line, HANDLE port, ULONG_PTR key, struct op *op, BOOL expected, DWORD error, DWORD count )
{
    OVERLAPPED *overlapped = NULL;
    ULONG_PTR got_key = 0xdeadbeef;
    DWORD got = 0xdeadbeef;
    BOOL ret;

    SetLastError( 0xdeadbeef );
    ret = GetQueuedCompletionStatus( port, &got, &got_key, &overlapped, WAIT );
    ok_( __FILE__, line )( ret == expected, "got %d, error %lu\n", ret, GetLastError() );
    if (error) ok_( __FILE__, line )( GetLastError() == error, "got error %lu\n", GetLastError() );
    ok_( __FILE__, line )( overlapped == &op->overlapped, "got another OVERLAPPED, %p\n", overlapped );
    ok_( __FILE__, line )( got_key == key, "got key %#Ix\n", got_key );
    ok_( __FILE__, line )( got == count, "got %lu bytes\n", got );
}

static void check_no_packet_( int line, HANDLE port )
{
    OVERLAPPED *overlapped = NULL;
    ULONG_PTR key;
    DWORD count;

    ok_( __FILE__, line )( !GetQueuedCompletionStatus( port, &count, &key, &overlapped, 50 ) && !overlapped, "got a packet\n" );
}

#define check_no_packet( port ) check_no_packet_( __LINE__, port )

static void test_port(void)
{
    HANDLE port = CreateIoCompletionPort( INVALID_HANDLE_VALUE, NULL, 0, 0 ), other, event;
    struct op op[3];
    SOCKET client, server;
    unsigned int i;

    tcp_pair( &client, &server );
    ok( CreateIoCompletionPort( (HANDLE)server, port, 0x1234, 0 ) == port, "failed, error %lu\n", GetLastError() );
    other = CreateIoCompletionPort( INVALID_HANDLE_VALUE, NULL, 0, 0 );
    SetLastError( 0xdeadbeef );
    ok( !CreateIoCompletionPort( (HANDLE)server, other, 1, 0 ), "a second port\n" );
    ok( GetLastError() == ERROR_INVALID_PARAMETER, "got error %lu\n", GetLastError() );

    for (i = 0; i < 3; i++)
    {
        init_op( &op[i], NULL, 4 );
        check_error( post_recv( server, &op[i] ), WSA_IO_PENDING );
    }
    check_no_packet( port );
    check_int( send( client, "0000111122", 10, 0 ), 10 );
    check_packet( port, 0x1234, &op[0], TRUE, 0, 4 );
    check_packet( port, 0x1234, &op[1], TRUE, 0, 4 );
    check_packet( port, 0x1234, &op[2], TRUE, 0, 2 );
    ok( !memcmp( op[1].data, "1111", 4 ), "wrong data\n" );

    /* what ends at once is told, too */
    init_op( &op[0], NULL, 5 );
    check_ok( post_send( server, &op[0] ) );
    check_packet( port, 0x1234, &op[0], TRUE, 0, 5 );

    /* but not what must not be */
    event = CreateEventW( NULL, TRUE, FALSE, NULL );
    init_op( &op[0], (HANDLE)((ULONG_PTR)event | 1), 5 );
    check_ok( post_send( server, &op[0] ) );
    ok( !WaitForSingleObject( event, WAIT ), "no event\n" );
    check_no_packet( port );
    init_op( &op[0], NULL, 5 );
    check_error( WSARecv( server, &op[0].buf, 1, NULL, &op[0].flags, &op[0].overlapped, routine ), WSAEINVAL );

    ok( SetFileCompletionNotificationModes( (HANDLE)server, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS ), "failed, error %lu\n", GetLastError() );
    init_op( &op[0], NULL, 5 );
    check_ok( post_send( server, &op[0] ) );
    ok( op[0].count == 5, "got %lu\n", op[0].count );
    check_no_packet( port );
    init_op( &op[0], NULL, 5 );
    check_error( post_recv( server, &op[0] ), WSA_IO_PENDING );
    check_int( send( client, "late", 4, 0 ), 4 );
    check_packet( port, 0x1234, &op[0], TRUE, 0, 4 );

    /* ends */
    init_op( &op[0], NULL, 5 );
    check_error( post_recv( server, &op[0] ), WSA_IO_PENDING );
    ok( CancelIoEx( (HANDLE)server, NULL ), "failed, error %lu\n", GetLastError() );
    check_packet( port, 0x1234, &op[0], FALSE, ERROR_OPERATION_ABORTED, 0 );
    init_op( &op[0], NULL, 5 );
    check_error( post_recv( server, &op[0] ), WSA_IO_PENDING );
    socket_reset( client );
    check_packet( port, 0x1234, &op[0], FALSE, ERROR_NETNAME_DELETED, 0 );
    closesocket( server );

    tcp_pair( &client, &server );
    ok( CreateIoCompletionPort( (HANDLE)server, port, 5, 0 ) == port, "failed, error %lu\n", GetLastError() );
    init_op( &op[0], NULL, 5 );
    check_error( post_recv( server, &op[0] ), WSA_IO_PENDING );
    closesocket( server );
    check_packet( port, 5, &op[0], FALSE, 0, 0 );
    todo_wine ok( (NTSTATUS)op[0].overlapped.Internal == (NTSTATUS)STATUS_CONNECTION_ABORTED, "got %#Ix\n", op[0].overlapped.Internal );
    check_no_packet( port );
    closesocket( client );
    CloseHandle( event );
    CloseHandle( other );
    CloseHandle( port );
}

/* what fails at once is not told */
static void test_port_failure(void)
{
    HANDLE port = CreateIoCompletionPort( INVALID_HANDLE_VALUE, NULL, 0, 0 );
    SOCKET client, server;
    struct op op;

    tcp_pair( &client, &server );
    ok( CreateIoCompletionPort( (HANDLE)server, port, 0x1234, 0 ) == port, "failed, error %lu\n", GetLastError() );
    init_op( &op, NULL, 5 );
    todo_wine check_error( WSARecv( server, &op.buf, 0, NULL, &op.flags, &op.overlapped, NULL ), WSAEINVAL );
    check_no_packet( port );
    closesocket( client );
    closesocket( server );
    CloseHandle( port );
}

/* ---- the handle itself, ReadFile and WriteFile ---- */

static void test_handle(void)
{
    HANDLE event = CreateEventW( NULL, TRUE, FALSE, NULL );
    SOCKET client, server;
    struct op op;
    DWORD count;

    tcp_pair( &client, &server );
    init_op( &op, NULL, 100 );
    check_error( post_recv( server, &op ), WSA_IO_PENDING );
    ok( WaitForSingleObject( (HANDLE)server, 0 ) == WAIT_TIMEOUT, "the handle is signalled\n" );
    check_int( send( client, "hello", 5, 0 ), 5 );
    count = 0;
    ok( GetOverlappedResult( (HANDLE)server, &op.overlapped, &count, TRUE ), "failed, error %lu\n", GetLastError() );
    ok( count == 5, "got %lu\n", count );

    init_op( &op, event, 100 );
    SetLastError( 0xdeadbeef );
    ok( !ReadFile( (HANDLE)server, op.data, 100, NULL, &op.overlapped ), "succeeded\n" );
    ok( GetLastError() == ERROR_IO_PENDING, "got error %lu\n", GetLastError() );
    check_int( send( client, "file", 4, 0 ), 4 );
    ok( GetOverlappedResult( (HANDLE)server, &op.overlapped, &count, TRUE ), "failed, error %lu\n", GetLastError() );
    ok( count == 4 && !memcmp( op.data, "file", 4 ), "got %lu bytes\n", count );
    init_op( &op, event, 100 );
    count = 0;
    ok( WriteFile( (HANDLE)server, "written", 7, &count, &op.overlapped ), "failed, error %lu\n", GetLastError() );
    ok( count == 7, "got %lu\n", count );
    check_int( recv( client, op.data, 100, 0 ), 7 );
    closesocket( client );
    closesocket( server );
    CloseHandle( event );
}

/* ---- datagrams ---- */

static void test_datagram(void)
{
    HANDLE event = CreateEventW( NULL, TRUE, FALSE, NULL );
    union address addr, from, sender;
    int from_len = sizeof(from);
    SOCKET s, peer;
    struct op op;

    s = socket_bound( AF_INET, SOCK_DGRAM, &addr );
    peer = socket_bound( AF_INET, SOCK_DGRAM, &sender );
    init_op( &op, event, 10 );
    check_error( WSARecvFrom( s, &op.buf, 1, NULL, &op.flags, &from.sa, &from_len, &op.overlapped, NULL ), WSA_IO_PENDING );
    check_int( sendto( peer, "datagram", 8, 0, &addr.sa, sizeof(addr.in) ), 8 );
    ok( !WaitForSingleObject( event, WAIT ), "no event\n" );
    check_result_of( s, &op, FALSE, TRUE, 0, 8 );
    ok( from_len == sizeof(from.in) && from.in.sin_port == sender.in.sin_port, "wrong sender\n" );

    /* cut: the size of the buffer, and an error */
    ResetEvent( event );
    init_op( &op, event, 4 );
    check_error( WSARecvFrom( s, &op.buf, 1, NULL, &op.flags, NULL, NULL, &op.overlapped, NULL ), WSA_IO_PENDING );
    check_int( sendto( peer, "datagram", 8, 0, &addr.sa, sizeof(addr.in) ), 8 );
    ok( !WaitForSingleObject( event, WAIT ), "no event\n" );
    check_result_of( s, &op, FALSE, FALSE, WSAEMSGSIZE, 4 );

    init_op( &op, event, 8 );
    check_ok( WSASendTo( s, &op.buf, 1, &op.count, 0, &sender.sa, sizeof(sender.in), &op.overlapped, NULL ) );
    ok( op.count == 8, "got %lu\n", op.count );
    check_int( recv( peer, op.data, 100, 0 ), 8 );

    init_op( &op, event, 10 );
    check_error( WSARecvFrom( s, &op.buf, 1, NULL, &op.flags, NULL, NULL, &op.overlapped, NULL ), WSA_IO_PENDING );
    closesocket( s );
    todo_wine ok( (NTSTATUS)op.overlapped.Internal == (NTSTATUS)STATUS_CANCELLED, "got %#Ix\n", op.overlapped.Internal );
    closesocket( peer );
    CloseHandle( event );
}

START_TEST( overlapped )
{
    WSADATA data;

    WSAStartup( MAKEWORD( 2, 2 ), &data );
    test_event();
    test_order();
    test_large_send();
    test_ends();
    test_shutdown();
    test_shutdown_send();
    test_cancel();
    test_routine();
    test_port();
    test_port_failure();
    test_handle();
    test_datagram();
    WSACleanup();
}
