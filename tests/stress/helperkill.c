/*
 * Stress: programs that must not notice that the helper dies
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

/* What must not notice that the helper dies, again and again: tests/stress/helperkill runs this and kills it.
 * Five processes have fifty connections among them, over which known bytes flow both ways, some of them in
 * pieces that the helper has to send on. Other threads make sockets, bind, listen, connect, accept, put connections back,
 * set options, shut down, close with a linger time and with data unsent, ask for names. Each call is counted with its failures.
 *
 * There are two rounds, the same but for who is killed meanwhile. After each all sockets are closed, the
 * program says "idle" and waits for a line, so that fds can be counted; in the second it says "running" when all connections are
 * there and goes on until it gets a line. Without anybody who says anything the rounds just follow each other.
 *
 *   helperkill [--seconds N]      a round's, if nobody ends it; exit status 0: all was as it should be */

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROCESSES   5
#define OUTGOING    10                      /* connections that each process makes to the next one */
#define CONNECTIONS (PROCESSES * OUTGOING)
#define CALLERS     2                       /* threads that make sockets, in each process */
#define PATTERN     65521
#define PIECE       16000
#define PAUSE       5                       /* ms between pieces */
#define BIG         (4 << 20)               /* more than the kernel takes at once */
#define PATIENCE    30000                   /* ms for anything to happen */

/* what is counted: a line in the end */
enum call
{
    CALL_SOCKET, CALL_BIND, CALL_LISTEN, CALL_NAME, CALL_CONNECT, CALL_ACCEPT, CALL_PEER, CALL_OPTION, CALL_DATA, CALL_SHUTDOWN,
    CALL_END, CALL_CLOSE, CALL_LINGER, CALL_LEFT, CALL_DATAGRAM, CALL_STREAM, CALL_STREAM_END, CALL_BACKLOG, CALL_WHOLE,
    CALL_PROCESS, CALLS
};

static const char * const call_names[CALLS] =
{
    "socket", "bind", "listen", "getsockname", "connect", "accept", "getpeername", "setsockopt, getsockopt",
    "token over a new connection", "shutdown", "end of stream", "closesocket", "lingering close",
    "data sent on after the close", "datagram", "piece of a stream", "end of a long stream", "send of a backlog",
    "long stream as long as it was sent", "process"
};

enum phase
{
    PHASE_WAIT,
    PHASE_RUN,          /* make the connections, and use them */
    PHASE_STOP,         /* end them */
    PHASE_EXIT
};

/* what all the processes share */
struct shared
{
    volatile LONG phase;                            /* enum phase */
    volatile LONG round;                            /* 0: none has begun */
    volatile LONG ports[PROCESSES];                 /* where each one listens, 0: not yet */
    volatile LONG connected;                        /* processes that have all their connections */
    volatile LONG stopped;                          /* processes that have closed all */
    volatile LONG counts[CALLS], failed[CALLS], errors[CALLS];
    volatile LONGLONG sent[CONNECTIONS][2];         /* by connection and by who made it or took it */
    volatile LONGLONG received[CONNECTIONS][2];
};

static struct shared *shared;
static unsigned int self;                           /* which of the processes */
static char pattern[2 * PATTERN];

static BOOL count( enum call call, BOOL ok )
{
    int error = WSAGetLastError();

    InterlockedIncrement( &shared->counts[call] );
    if (ok) return TRUE;
    shared->errors[call] = error;
    if (InterlockedIncrement( &shared->failed[call] ) > 5) return FALSE;
    printf( "process %u: %s: error %d\n", self, call_names[call], error );
    return FALSE;
}

static BOOL is_running(void)
{
    return shared->phase == PHASE_RUN;
}

/* FALSE: not in time */
static BOOL wait_for( const volatile LONG *value, LONG wanted )
{
    unsigned int i;

    for (i = 0; i < PATIENCE / 10 && *value != wanted; i++) Sleep( 10 );
    return *value == wanted;
}

/* ---- sockets ---- */

static void set_timeout( SOCKET s )
{
    DWORD ms = PATIENCE;

    setsockopt( s, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof(ms) );
}

static void loopback( struct sockaddr_in *addr, LONG port )
{
    memset( addr, 0, sizeof(*addr) );
    addr->sin_family = AF_INET;
    addr->sin_port = htons( port );
    addr->sin_addr.s_addr = htonl( INADDR_LOOPBACK );
}

static BOOL make_listener( SOCKET *listener, struct sockaddr_in *addr )
{
    int len = sizeof(*addr);

    loopback( addr, 0 );
    if (!count( CALL_SOCKET, (*listener = socket( AF_INET, SOCK_STREAM, 0 )) != INVALID_SOCKET )) return FALSE;
    if (count( CALL_BIND, !bind( *listener, (struct sockaddr *)addr, len ) ) &&
        count( CALL_NAME, !getsockname( *listener, (struct sockaddr *)addr, &len ) && addr->sin_port ) &&
        count( CALL_LISTEN, !listen( *listener, 20 ) )) return TRUE;
    closesocket( *listener );
    return FALSE;
}

static int CALLBACK put_back( WSABUF *caller, WSABUF *data, QOS *qos, QOS *group_qos, WSABUF *callee, WSABUF *callee_data,
                              GROUP *group, DWORD_PTR times )
{
    (void)caller; (void)data; (void)qos; (void)group_qos; (void)callee; (void)callee_data; (void)group;
    return (*(unsigned int *)times)-- ? CF_DEFER : CF_ACCEPT;
}

/* a connection that gets lost shall be an error, not a call that never ends; defer: so often it is put back first */
static SOCKET take( SOCKET listener, unsigned int defer )
{
    struct timeval limit = { PATIENCE / 1000, 0 };
    SOCKET ret = INVALID_SOCKET;
    fd_set set;

    while (ret == INVALID_SOCKET)
    {
        FD_ZERO( &set );
        FD_SET( listener, &set );
        WSASetLastError( WSAETIMEDOUT );
        if (select( 0, &set, NULL, NULL, &limit ) != 1) break;
        ret = WSAAccept( listener, NULL, NULL, put_back, (DWORD_PTR)&defer );
        if (ret == INVALID_SOCKET && WSAGetLastError() != WSATRY_AGAIN) break;
    }
    count( CALL_ACCEPT, ret != INVALID_SOCKET );
    return ret;
}

static SOCKET reach( const struct sockaddr_in *addr )
{
    SOCKET s = socket( AF_INET, SOCK_STREAM, 0 );

    if (!count( CALL_SOCKET, s != INVALID_SOCKET )) return s;
    if (count( CALL_CONNECT, !connect( s, (const struct sockaddr *)addr, sizeof(*addr) ) )) return s;
    closesocket( s );
    return INVALID_SOCKET;
}

/* FALSE: there is none */
static BOOL make_pair( SOCKET *a, SOCKET *b, struct sockaddr_in *addr, unsigned int defer )
{
    SOCKET listener;

    *b = INVALID_SOCKET;
    if (!make_listener( &listener, addr )) return FALSE;
    if ((*a = reach( addr )) != INVALID_SOCKET) *b = take( listener, defer );
    count( CALL_CLOSE, !closesocket( listener ) );
    if (*b == INVALID_SOCKET && *a != INVALID_SOCKET) closesocket( *a );
    if (*b == INVALID_SOCKET) return FALSE;
    set_timeout( *a );
    set_timeout( *b );
    return TRUE;
}

/* ---- known bytes ---- */

static void make_pattern(void)
{
    unsigned int i;

    for (i = 0; i < 2 * PATTERN; i++) pattern[i] = (char)((i % PATTERN * 2654435761u) >> 24);
}

/* len is at most PATTERN; each stream begins elsewhere */
static const char *piece( unsigned int stream, LONGLONG offset )
{
    return pattern + (offset + stream * 1009) % PATTERN;
}

static void fill( unsigned int stream, LONGLONG offset, char *dst, int len )
{
    int i, part;

    for (i = 0; i < len; i += part)
    {
        part = min( len - i, PATTERN );
        memcpy( dst + i, piece( stream, offset + i ), part );
    }
}

/* ---- callers: short lives ---- */

static void use_options( SOCKET s )
{
    struct linger set = { 1, 5 }, got = { 0, 0 };
    int len = sizeof(got);

    count( CALL_OPTION, !setsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&set, sizeof(set) ) &&
                        !getsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&got, &len ) && got.l_onoff == 1 && got.l_linger == 5 );
    set.l_onoff = 0;
    count( CALL_OPTION, !setsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&set, sizeof(set) ) );
}

static void call_all( SOCKET a, SOCKET b, const struct sockaddr_in *addr )
{
    struct sockaddr_in name;
    int len = sizeof(name);
    unsigned int token = GetTickCount(), got = 0;
    char c;

    use_options( a );
    count( CALL_PEER, !getpeername( a, (struct sockaddr *)&name, &len ) && name.sin_port == addr->sin_port );
    count( CALL_DATA, send( a, (char *)&token, sizeof(token), 0 ) == sizeof(token) &&
                      recv( b, (char *)&got, sizeof(got), MSG_WAITALL ) == sizeof(got) && got == token );
    count( CALL_SHUTDOWN, !shutdown( a, SD_SEND ) );
    count( CALL_END, !recv( b, &c, 1, 0 ) );
    count( CALL_SHUTDOWN, !shutdown( b, SD_RECEIVE ) );
    count( CALL_SHUTDOWN, recv( b, &c, 1, 0 ) == -1 && WSAGetLastError() == WSAESHUTDOWN );
    count( CALL_CLOSE, !closesocket( a ) );
    count( CALL_CLOSE, !closesocket( b ) );
}

struct reader
{
    SOCKET s;
    char *buffer;
    int total;
};

static DWORD WINAPI read_whole( void *arg )
{
    struct reader *reader = arg;
    int ret = 0;

    while (reader->total <= BIG && (ret = recv( reader->s, reader->buffer + reader->total, BIG + 1 - reader->total, 0 )) > 0)
        reader->total += ret;
    if (ret) printf( "process %u: a receive after %d bytes: error %d\n", self, reader->total, WSAGetLastError() );
    return ret;
}

/* Much is sent at once, and the socket closed: all of it arrives, then the end. With a linger time it has arrived
 * when the close returns. */
static void call_close_with_rest( SOCKET a, SOCKET b, BOOL lingers )
{
    struct linger linger = { lingers, PATIENCE / 1000 };
    struct reader reader = { b, malloc( BIG + 1 ), 0 };
    char *memory = malloc( BIG );
    DWORD ret = 1;
    HANDLE thread;
    u_long on = 1, off = 0;

    fill( 7, 0, memory, BIG );
    count( CALL_OPTION, !setsockopt( a, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) ) );
    count( CALL_OPTION, !ioctlsocket( a, FIONBIO, &on ) );
    count( CALL_BACKLOG, send( a, memory, BIG, 0 ) == BIG );
    count( CALL_OPTION, !ioctlsocket( a, FIONBIO, &off ) );
    thread = CreateThread( NULL, 0, read_whole, &reader, 0, NULL );
    count( lingers ? CALL_LINGER : CALL_CLOSE, !closesocket( a ) );
    WSASetLastError( WSAETIMEDOUT );
    if (count( CALL_END, !WaitForSingleObject( thread, PATIENCE ) )) GetExitCodeThread( thread, &ret );
    count( CALL_LEFT, !ret && reader.total == BIG && !memcmp( memory, reader.buffer, BIG ) );
    CloseHandle( thread );
    count( CALL_CLOSE, !closesocket( b ) );
    free( memory );
    free( reader.buffer );
}

static void call_datagrams(void)
{
    SOCKET s[2] = { socket( AF_INET, SOCK_DGRAM, 0 ), socket( AF_INET, SOCK_DGRAM, 0 ) };
    unsigned int token = GetTickCount(), got = 0;
    struct sockaddr_in addr[2];
    int i, len = sizeof(addr[0]);

    for (i = 0; i < 2; i++)
    {
        loopback( &addr[i], 0 );
        count( CALL_SOCKET, s[i] != INVALID_SOCKET );
        count( CALL_BIND, !bind( s[i], (struct sockaddr *)&addr[i], len ) );
        count( CALL_NAME, !getsockname( s[i], (struct sockaddr *)&addr[i], &len ) );
        set_timeout( s[i] );
    }
    count( CALL_CONNECT, !connect( s[0], (struct sockaddr *)&addr[1], len ) );
    count( CALL_DATAGRAM, send( s[0], (char *)&token, sizeof(token), 0 ) == sizeof(token) &&
                          recv( s[1], (char *)&got, sizeof(got), 0 ) == sizeof(got) && got == token );
    for (i = 0; i < 2; i++) count( CALL_CLOSE, !closesocket( s[i] ) );
}

static DWORD WINAPI caller( void *arg )
{
    unsigned int turn = (UINT_PTR)arg;
    struct sockaddr_in addr;
    SOCKET a, b;

    for (; is_running(); turn++)
    {
        if (turn % 8 == 7) call_datagrams();
        if (!make_pair( &a, &b, &addr, turn % 5 == 4 ? turn % 3 : 0 )) continue;
        if (turn % 8 == 3 || turn % 8 == 6) call_close_with_rest( a, b, turn % 8 == 6 );
        else call_all( a, b, &addr );
        Sleep( 2 );
    }
    return 0;
}

/* ---- streams: long lives ---- */

/* one end of a connection */
struct stream
{
    SOCKET s;
    unsigned int connection;
    unsigned int side;          /* 0: it made the connection, 1: it took it */
    BOOL stopped;               /* the peer's end has been seen, or never will be */
};

static unsigned int stream_number( const struct stream *stream, BOOL sender )
{
    return stream->connection * 2 + (sender ? stream->side : !stream->side);
}

/* -1: an error, which has been counted */
static int send_piece( struct stream *stream, LONGLONG offset )
{
    const unsigned int number = stream_number( stream, TRUE );

    if (!count( CALL_STREAM, send( stream->s, piece( number, offset ), PIECE, 0 ) == PIECE )) return -1;
    Sleep( PAUSE );
    return PIECE;
}

/* non-blocking, and more than there is room for: it is taken whole, or not at all */
static int send_big( struct stream *stream, LONGLONG offset, char *memory )
{
    WSAPOLLFD fd = { stream->s, POLLWRNORM, 0 };
    int ret;

    fill( stream_number( stream, TRUE ), offset, memory, BIG );
    while ((ret = send( stream->s, memory, BIG, 0 )) == -1 && WSAGetLastError() == WSAEWOULDBLOCK)
    {
        if (!is_running()) return 0;
        WSAPoll( &fd, 1, 100 );
    }
    if (!count( CALL_BACKLOG, ret == BIG )) return -1;
    Sleep( 20 * PAUSE );
    return BIG;
}

static DWORD WINAPI sender( void *arg )
{
    struct stream *stream = arg;
    const BOOL big = stream->connection % OUTGOING == 0;
    char *memory = big ? malloc( BIG ) : NULL;
    LONGLONG offset = 0;
    u_long on = 1;
    int ret = 0;

    if (big) count( CALL_OPTION, !ioctlsocket( stream->s, FIONBIO, &on ) );
    while (is_running() && (ret = big ? send_big( stream, offset, memory ) : send_piece( stream, offset )) != -1) offset += ret;
    shared->sent[stream->connection][stream->side] = offset;
    count( CALL_SHUTDOWN, !shutdown( stream->s, SD_SEND ) );
    free( memory );
    return 0;
}

/* blocking or not */
static int receive_some( SOCKET s, char *buffer, int size )
{
    WSAPOLLFD fd = { s, POLLRDNORM, 0 };
    int ret;

    while ((ret = recv( s, buffer, size, 0 )) == -1 && WSAGetLastError() == WSAEWOULDBLOCK)
        if (WSAPoll( &fd, 1, PATIENCE ) != 1) break;
    return ret;
}

static DWORD WINAPI receiver( void *arg )
{
    struct stream *stream = arg;
    const unsigned int number = stream_number( stream, FALSE );
    LONGLONG offset = 0;
    char buffer[PIECE];
    int ret;

    while ((ret = receive_some( stream->s, buffer, sizeof(buffer) )) > 0)
    {
        if (!count( CALL_STREAM, !memcmp( buffer, piece( number, offset ), ret ) )) break;
        offset += ret;
    }
    count( CALL_STREAM_END, !ret );
    shared->received[stream->connection][!stream->side] = offset;
    return 0;
}

/* ---- one of the processes ---- */

static HANDLE threads[4 * OUTGOING + CALLERS];
static unsigned int thread_count;
static struct stream streams[2 * OUTGOING];

static void start( DWORD (WINAPI *func)( void * ), void *arg )
{
    threads[thread_count++] = CreateThread( NULL, 0, func, arg, 0, NULL );
}

static BOOL make_streams( SOCKET listener )
{
    unsigned int i, next = (self + 1) % PROCESSES;
    struct sockaddr_in addr;
    struct stream *stream;

    for (i = 0; i < PATIENCE / 10 && !shared->ports[next]; i++) Sleep( 10 );
    loopback( &addr, shared->ports[next] );
    for (i = 0; i < OUTGOING; i++)
    {
        stream = &streams[i];
        stream->side = 0;
        stream->connection = self * OUTGOING + i;
        if ((stream->s = reach( &addr )) == INVALID_SOCKET) return FALSE;
        count( CALL_DATA, send( stream->s, (char *)&stream->connection, sizeof(stream->connection), 0 ) == sizeof(stream->connection) );
    }
    for (i = 0; i < OUTGOING; i++)
    {
        stream = &streams[OUTGOING + i];
        stream->side = 1;
        if ((stream->s = take( listener, 0 )) == INVALID_SOCKET) return FALSE;
        count( CALL_DATA, recv( stream->s, (char *)&stream->connection, sizeof(stream->connection), MSG_WAITALL ) ==
                          sizeof(stream->connection) && stream->connection < CONNECTIONS );
        stream->connection %= CONNECTIONS;
    }
    return TRUE;
}

static void run_streams(void)
{
    unsigned int i;

    thread_count = 0;
    for (i = 0; i < 2 * OUTGOING; i++)
    {
        set_timeout( streams[i].s );
        start( sender, &streams[i] );
        start( receiver, &streams[i] );
    }
    for (i = 0; i < CALLERS; i++) start( caller, (void *)(UINT_PTR)(self * CALLERS + i) );
    InterlockedIncrement( &shared->connected );
    while (is_running()) Sleep( 10 );
    for (i = 0; i < thread_count; i++)
    {
        WSASetLastError( WSAETIMEDOUT );
        count( CALL_PROCESS, !WaitForSingleObject( threads[i], 3 * PATIENCE ) );
        CloseHandle( threads[i] );
    }
}

static void run_round(void)
{
    struct sockaddr_in addr;
    SOCKET listener;
    unsigned int i;

    for (i = 0; i < 2 * OUTGOING; i++) streams[i].s = INVALID_SOCKET;
    if (!make_listener( &listener, &addr )) return;
    shared->ports[self] = ntohs( addr.sin_port );
    if (make_streams( listener )) run_streams();
    for (i = 0; i < 2 * OUTGOING; i++)
        if (streams[i].s != INVALID_SOCKET) count( CALL_CLOSE, !closesocket( streams[i].s ) );
    count( CALL_CLOSE, !closesocket( listener ) );
}

static int child_main(void)
{
    LONG round = 0;

    for (;;)
    {
        while (shared->round == round && shared->phase != PHASE_EXIT) Sleep( 5 );
        if (shared->phase == PHASE_EXIT) return 0;
        round = shared->round;
        run_round();
        InterlockedIncrement( &shared->stopped );
    }
}

/* ---- the one that they are children of ---- */

static HANDLE processes[PROCESSES];
static BOOL alone;                      /* nobody says anything */

/* waits for a line, for so long if there is nobody to say one */
static void wait_line( DWORD ms )
{
    HANDLE input = GetStdHandle( STD_INPUT_HANDLE );
    DWORD got;
    char c = 0;

    while (!alone && c != '\n') alone = !ReadFile( input, &c, 1, &got, NULL ) || !got;
    if (alone) Sleep( ms );
}

static void start_processes( const char *program, const char *name )
{
    STARTUPINFOA startup = { .cb = sizeof(startup) };
    PROCESS_INFORMATION info;
    char command[MAX_PATH + 64];
    unsigned int i;

    for (i = 0; i < PROCESSES; i++)
    {
        snprintf( command, sizeof(command), "\"%s\" --child %u %s", program, i, name );
        if (!count( CALL_PROCESS, CreateProcessA( program, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info ) )) exit( 3 );
        CloseHandle( info.hThread );
        processes[i] = info.hProcess;
    }
}

/* as long as nobody ends it */
static void play_round( DWORD ms, BOOL announced )
{
    unsigned int i, side;

    for (i = 0; i < PROCESSES; i++) shared->ports[i] = 0;
    shared->connected = shared->stopped = 0;
    shared->phase = PHASE_RUN;
    InterlockedIncrement( &shared->round );
    if (!count( CALL_PROCESS, wait_for( &shared->connected, PROCESSES ) )) printf( "not all connections are there\n" );
    if (announced)
    {
        printf( "running\n" );
        wait_line( ms );
    }
    else Sleep( ms );
    shared->phase = PHASE_STOP;
    for (i = 0; i < 4 && shared->stopped != PROCESSES; i++) wait_for( &shared->stopped, PROCESSES );
    count( CALL_PROCESS, shared->stopped == PROCESSES );
    for (i = 0; i < CONNECTIONS; i++)
    {
        for (side = 0; side < 2; side++)
        {
            if (count( CALL_WHOLE, shared->sent[i][side] && shared->sent[i][side] == shared->received[i][side] )) continue;
            printf( "connection %u, side %u: %I64d bytes sent, %I64d received\n", i, side, shared->sent[i][side], shared->received[i][side] );
        }
    }
    shared->phase = PHASE_WAIT;
    printf( "idle\n" );
    wait_line( 0 );
}

static void end_processes(void)
{
    unsigned int i;
    DWORD status;

    shared->phase = PHASE_EXIT;
    for (i = 0; i < PROCESSES; i++)
    {
        count( CALL_PROCESS, !WaitForSingleObject( processes[i], PATIENCE ) && GetExitCodeProcess( processes[i], &status ) && !status );
        TerminateProcess( processes[i], 9 );
        CloseHandle( processes[i] );
    }
}

static int show(void)
{
    LONG all = 0, all_failed = 0;
    LONGLONG bytes = 0;
    unsigned int i;

    for (i = 0; i < CONNECTIONS; i++) bytes += shared->received[i][0] + shared->received[i][1];
    printf( "%I64d MiB over %u connections in the last round\n", bytes >> 20, CONNECTIONS );
    for (i = 0; i < CALLS; i++)
    {
        if (shared->counts[i]) printf( "%8ld %-38s %6ld failed", shared->counts[i], call_names[i], shared->failed[i] );
        if (shared->failed[i]) printf( ", with error %ld last", shared->errors[i] );
        if (shared->counts[i]) printf( "\n" );
        all += shared->counts[i];
        all_failed += shared->failed[i];
    }
    printf( "%ld passed, %ld failed\n", all - all_failed, all_failed );
    return all_failed != 0;
}

static int parent_main( const char *name, DWORD ms )
{
    char program[MAX_PATH];

    GetModuleFileNameA( NULL, program, sizeof(program) );
    start_processes( program, name );
    play_round( 2000, FALSE );
    play_round( ms, TRUE );
    end_processes();
    return show();
}

int main( int argc, char *argv[] )
{
    char name[64] = "";
    DWORD ms = 3000;
    BOOL child = FALSE;
    HANDLE mapping;
    WSADATA data;
    int i;

    setvbuf( stdout, NULL, _IONBF, 0 );
    for (i = 1; i < argc; i++)
    {
        if (!strcmp( argv[i], "--seconds" ) && i + 1 < argc) ms = 1000 * strtoul( argv[++i], NULL, 10 );
        if (strcmp( argv[i], "--child" ) || i + 2 >= argc) continue;
        child = TRUE;
        self = strtoul( argv[i + 1], NULL, 10 );
        snprintf( name, sizeof(name), "%s", argv[i + 2] );
    }
    if (!child) snprintf( name, sizeof(name), "tapster-helperkill-%lu", GetCurrentProcessId() );
    mapping = CreateFileMappingA( INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, sizeof(*shared), name );
    if (!(shared = MapViewOfFile( mapping, FILE_MAP_ALL_ACCESS, 0, 0, 0 ))) return 3;
    make_pattern();
    if (!child) return parent_main( name, ms );
    if (WSAStartup( MAKEWORD( 2, 2 ), &data )) return 3;
    return child_main();
}
