/*
 * Stress: several processes that accept on one listener
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

/* Thousands of connections to one listener that four processes accept on, each with two threads: one in accept, in half
 * of the processes after select, one in WSAAccept, whose condition function puts some connections back and refuses
 * others. Every connection says its number and must be served by exactly one process, once, unless it is one that
 * is to be refused, which must be reset; every process must get some. A wake-up that is lost shows as a connection
 * that gets no answer.
 *
 *   accept [CONNECTIONS]       exit status 0: all was as it should be */

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROCESSES 4
#define CALLERS   8                     /* threads that connect */
#define REFUSED   17                    /* one of so many is refused: its port says so */
#define WAIT_MS   20000

static LONG failures;

#define check( cond, ... ) \
    do { if (!(cond)) { InterlockedIncrement( &failures ); printf( "line %d: ", __LINE__ ); printf( __VA_ARGS__ ); fflush( stdout ); } } while (0)

/* ---- what is said over a connection ---- */

struct answer
{
    LONG number;                        /* the connection's own, sent back */
    LONG server;                        /* which process */
};

static BOOL recv_all( SOCKET s, void *data, int len )
{
    int ret, pos = 0;

    while (pos < len && (ret = recv( s, (char *)data + pos, len - pos, 0 )) > 0) pos += ret;
    return pos == len;
}

/* ---- the servers ---- */

struct server
{
    SOCKET listener;
    LONG number;
};

static volatile LONG stopping;

/* answers with the number it gets; a negative one ends this process */
static void serve( const struct server *server, SOCKET s )
{
    struct answer answer = { 0, server->number };

    if (!recv_all( s, &answer.number, sizeof(answer.number) ))
    {
        check( 0, "server %ld: recv: error %d\n", server->number, WSAGetLastError() );
        closesocket( s );
        return;
    }
    if (answer.number < 0) stopping = TRUE;
    send( s, (char *)&answer, sizeof(answer), 0 );
    closesocket( s );
}

static BOOL is_refused( USHORT port )
{
    return !(port % REFUSED);
}

/* Puts every third back; refuses by the caller's port, which is the same whoever is asked. */
static int CALLBACK decide( WSABUF *caller, WSABUF *caller_data, QOS *qos, QOS *group_qos, WSABUF *callee, WSABUF *callee_data,
                            GROUP *group, DWORD_PTR arg )
{
    static LONG asked;

    (void)caller_data; (void)qos; (void)group_qos; (void)callee; (void)callee_data; (void)group; (void)arg;
    if (!(InterlockedIncrement( &asked ) % 3)) return CF_DEFER;
    return is_refused( ntohs( ((struct sockaddr_in *)caller->buf)->sin_port ) ) ? CF_REJECT : CF_ACCEPT;
}

/* to those that must be refused, whoever accepts them */
static BOOL refuse( SOCKET s )
{
    struct linger linger = { 1, 0 };
    struct sockaddr_in addr;
    int len = sizeof(addr);

    if (getpeername( s, (struct sockaddr *)&addr, &len ) || !is_refused( ntohs( addr.sin_port ) )) return FALSE;
    setsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) );
    closesocket( s );
    return TRUE;
}

static SOCKET accept_plainly( const struct server *server )
{
    fd_set set;

    if (server->number % 2) return accept( server->listener, NULL, NULL );
    FD_ZERO( &set );
    FD_SET( server->listener, &set );
    if (select( 0, &set, NULL, NULL, NULL ) != 1) return INVALID_SOCKET;
    return accept( server->listener, NULL, NULL );
}

static DWORD WINAPI accept_thread( void *arg )
{
    const struct server *server = arg;
    SOCKET s;

    while (!stopping)
    {
        if ((s = accept_plainly( server )) == INVALID_SOCKET)
        {
            check( stopping, "accept: error %d\n", WSAGetLastError() );
            continue;
        }
        if (!refuse( s )) serve( server, s );
    }
    return 0;
}

static DWORD WINAPI condition_thread( void *arg )
{
    const struct server *server = arg;
    int error;
    SOCKET s;

    while (!stopping)
    {
        if ((s = WSAAccept( server->listener, NULL, NULL, decide, 0 )) != INVALID_SOCKET)
        {
            serve( server, s );
            continue;
        }
        error = WSAGetLastError();
        check( stopping || error == WSATRY_AGAIN || error == WSAECONNREFUSED, "WSAAccept: error %d\n", error );
    }
    return 0;
}

static int serve_main( SOCKET listener, LONG number )
{
    struct server server = { listener, number };
    HANDLE threads[2];

    threads[0] = CreateThread( NULL, 0, accept_thread, &server, 0, NULL );
    threads[1] = CreateThread( NULL, 0, condition_thread, &server, 0, NULL );
    /* one of them may be waiting still: this process ends with the other */
    WaitForMultipleObjects( 2, threads, FALSE, INFINITE );
    return failures != 0;
}

/* ---- the callers ---- */

static struct sockaddr_in address;
static LONG connections = 4000, next_number, answered, refused;
static LONG served_by[PROCESSES];

/* 0 if it was to be served and was, or to be refused and was */
static void call( LONG number )
{
    SOCKET s = socket( AF_INET, SOCK_STREAM, 0 );
    struct answer answer = { -1, -1 };
    struct sockaddr_in addr;
    int len = sizeof(addr), error;
    DWORD timeout = WAIT_MS;
    BOOL got;

    setsockopt( s, SOL_SOCKET, SO_RCVTIMEO, (char *)&timeout, sizeof(timeout) );
    check( !connect( s, (struct sockaddr *)&address, sizeof(address) ), "connect: error %d\n", WSAGetLastError() );
    getsockname( s, (struct sockaddr *)&addr, &len );
    send( s, (char *)&number, sizeof(number), 0 );
    got = recv_all( s, &answer, sizeof(answer) );
    error = WSAGetLastError();
    if (is_refused( ntohs( addr.sin_port ) ))
    {
        check( !got && error == WSAECONNRESET, "connection %ld is not refused: error %d\n", number, error );
        InterlockedIncrement( &refused );
    }
    else if (!got) check( 0, "connection %ld: no answer, error %d\n", number, error );
    else
    {
        check( answer.number == number, "connection %ld: the answer is for %ld\n", number, answer.number );
        InterlockedIncrement( &answered );
        if (answer.server >= 0 && answer.server < PROCESSES) InterlockedIncrement( &served_by[answer.server] );
    }
    closesocket( s );
}

static DWORD WINAPI call_thread( void *arg )
{
    LONG number;

    (void)arg;
    while ((number = InterlockedIncrement( &next_number )) <= connections) call( number );
    return 0;
}

static void call_all(void)
{
    HANDLE threads[CALLERS];
    int i;

    for (i = 0; i < CALLERS; i++) threads[i] = CreateThread( NULL, 0, call_thread, NULL, 0, NULL );
    check( !WaitForMultipleObjects( CALLERS, threads, TRUE, 200000 ), "the callers do not end\n" );
    for (i = 0; i < CALLERS; i++) CloseHandle( threads[i] );
}

/* tells a process to end, whichever gets it */
static void stop_one(void)
{
    struct answer answer;
    DWORD timeout = 1000;
    LONG number = -1;
    SOCKET s = socket( AF_INET, SOCK_STREAM, 0 );

    setsockopt( s, SOL_SOCKET, SO_RCVTIMEO, (char *)&timeout, sizeof(timeout) );
    if (!connect( s, (struct sockaddr *)&address, sizeof(address) ) && send( s, (char *)&number, sizeof(number), 0 ) > 0)
        recv_all( s, &answer, sizeof(answer) );
    closesocket( s );
}

static HANDLE start( const char *program, SOCKET listener, int number )
{
    STARTUPINFOA startup = { .cb = sizeof(startup) };
    PROCESS_INFORMATION info;
    char command[MAX_PATH + 64];

    snprintf( command, sizeof(command), "\"%s\" --serve %lu %d", program, (unsigned long)listener, number );
    if (!CreateProcessA( NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info ))
    {
        check( 0, "CreateProcess: error %lu\n", GetLastError() );
        return NULL;
    }
    CloseHandle( info.hThread );
    return info.hProcess;
}

static SOCKET make_listener(void)
{
    SOCKET s = socket( AF_INET, SOCK_STREAM, 0 );
    int len = sizeof(address);

    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl( INADDR_LOOPBACK );
    check( !bind( s, (struct sockaddr *)&address, len ) && !getsockname( s, (struct sockaddr *)&address, &len ) &&
           !listen( s, 100 ), "no listener: error %d\n", WSAGetLastError() );
    return s;
}

static int run( const char *program )
{
    HANDLE processes[PROCESSES];
    DWORD code, ticks;
    SOCKET listener;
    int i;

    listener = make_listener();
    for (i = 0; i < PROCESSES; i++) processes[i] = start( program, listener, i );
    ticks = GetTickCount();
    call_all();
    ticks = GetTickCount() - ticks;
    /* whoever gets it; one may get two */
    for (i = 0; i < PROCESSES * 10 && WaitForMultipleObjects( PROCESSES, processes, TRUE, 50 ); i++) stop_one();
    for (i = 0; i < PROCESSES; i++)
    {
        if (WaitForSingleObject( processes[i], WAIT_MS )) TerminateProcess( processes[i], 2 );
        GetExitCodeProcess( processes[i], &code );
        check( !code, "process %d: exit code %lu\n", i, code );
        check( served_by[i], "process %d got no connection\n", i );
    }
    closesocket( listener );
    check( answered + refused == connections, "%ld of %ld\n", answered + refused, connections );
    printf( "%ld connections served, by %ld, %ld, %ld and %ld; %ld refused; %lu ms\n", answered, served_by[0],
            served_by[1], served_by[2], served_by[3], refused, ticks );
    printf( "%ld passed, %ld failed\n", answered + refused, failures );
    return failures != 0;
}

int main( int argc, char **argv )
{
    WSADATA data;

    setvbuf( stdout, NULL, _IONBF, 0 );
    WSAStartup( MAKEWORD( 2, 2 ), &data );
    if (argc == 4 && !strcmp( argv[1], "--serve" )) return serve_main( strtoul( argv[2], NULL, 10 ), atoi( argv[3] ) );
    if (argc == 2) connections = atoi( argv[1] );
    return run( argv[0] );
}
