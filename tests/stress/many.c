/*
 * Very many sockets, held by many processes at once
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

/* Each process opens its sockets: TCP connections to itself, one listener for them, and UDP sockets. When all
 * processes have all of theirs, each exchanges data on a part of them; then all are closed.
 *
 *   many [PROCESSES [SOCKETS]]     10 and 200 by default; exit status 0: all was as it should be
 *   many --limit                   one process opens sockets until it may not
 *
 * With a number above 10 it says what it is doing, waits for a line on its stdin at each stage, and
 * tests/stress/many counts meanwhile what the helper and wineserver have. */

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGE_MS 240000
#define MAX_PROCESSES 200
#define MAX_SOCKETS 20000

enum stage { STAGE_OPEN, STAGE_USE, STAGE_CLOSE, STAGES };

static const char *const stage_names[STAGES] = { "open", "use", "close" };

static unsigned int passed, failed;

static BOOL check( BOOL ok, const char *format, ... )
{
    va_list args;

    if (ok)
    {
        passed++;
        return TRUE;
    }
    failed++;
    va_start( args, format );
    printf( "process %lu: ", GetCurrentProcessId() );
    vprintf( format, args );
    printf( ", error %d\n", WSAGetLastError() );
    va_end( args );
    fflush( stdout );
    return FALSE;
}

/* what the processes agree by: a stage begins for all at once, and each says when it has ended */
static HANDLE begin[STAGES], done;

static void make_signals( const char *name )
{
    char full[64];
    unsigned int i;

    for (i = 0; i < STAGES; i++)
    {
        sprintf( full, "tapster-many-%s-%u", name, i );
        begin[i] = CreateEventA( NULL, TRUE, FALSE, full );
    }
    sprintf( full, "tapster-many-%s-done", name );
    done = CreateSemaphoreA( NULL, 0, MAX_PROCESSES, full );
}

/* ---- one of the processes ---- */

static SOCKET sockets[MAX_SOCKETS];     /* the listener, then connections (both ends), then UDP */
static unsigned int count, connected;

static struct sockaddr_in loopback(void)
{
    struct sockaddr_in addr;

    memset( &addr, 0, sizeof(addr) );
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl( INADDR_LOOPBACK );
    return addr;
}

static BOOL bind_any( SOCKET s, struct sockaddr_in *addr )
{
    int len = sizeof(*addr);

    *addr = loopback();
    return !bind( s, (struct sockaddr *)addr, len ) && !getsockname( s, (struct sockaddr *)addr, &len );
}

static BOOL open_pair( const struct sockaddr_in *addr )
{
    SOCKET a = socket( AF_INET, SOCK_STREAM, 0 ), b = INVALID_SOCKET;

    if (!check( a != INVALID_SOCKET, "socket %u", count )) return FALSE;
    sockets[count++] = a;
    if (!check( !connect( a, (const struct sockaddr *)addr, sizeof(*addr) ), "connect %u", count )) return FALSE;
    b = accept( sockets[0], NULL, NULL );
    if (!check( b != INVALID_SOCKET, "accept %u", count )) return FALSE;
    sockets[count++] = b;
    return TRUE;
}

static BOOL open_udp(void)
{
    SOCKET s = socket( AF_INET, SOCK_DGRAM, 0 );
    struct sockaddr_in addr;

    if (!check( s != INVALID_SOCKET, "UDP socket %u", count )) return FALSE;
    sockets[count++] = s;
    return check( bind_any( s, &addr ), "UDP bind %u", count );
}

static BOOL open_all( unsigned int wanted )
{
    struct sockaddr_in addr;

    sockets[count++] = socket( AF_INET, SOCK_STREAM, 0 );
    if (!check( sockets[0] != INVALID_SOCKET, "listener" )) return FALSE;
    if (!check( bind_any( sockets[0], &addr ) && !listen( sockets[0], 5 ), "listen" )) return FALSE;
    while (count + 1 < wanted * 2 / 3)
        if (!open_pair( &addr )) return FALSE;
    connected = count;
    while (count < wanted)
        if (!open_udp()) return FALSE;
    return TRUE;
}

static void use_pair( SOCKET a, SOCKET b, unsigned int token )
{
    unsigned int got = 0;

    check( send( a, (char *)&token, sizeof(token), 0 ) == sizeof(token), "send" );
    check( recv( b, (char *)&got, sizeof(got), MSG_WAITALL ) == sizeof(got) && got == token, "recv of %#x is %#x", token, got );
}

static void use_udp( SOCKET from, SOCKET to, unsigned int token )
{
    struct sockaddr_in addr;
    unsigned int got = 0;
    int len = sizeof(addr);

    check( !getsockname( to, (struct sockaddr *)&addr, &len ), "getsockname" );
    check( sendto( from, (char *)&token, sizeof(token), 0, (struct sockaddr *)&addr, len ) == sizeof(token), "sendto" );
    check( recv( to, (char *)&got, sizeof(got), 0 ) == sizeof(got) && got == token, "UDP recv of %#x is %#x", token, got );
}

/* a sample, both ways */
static void use_some(void)
{
    unsigned int i, token = GetCurrentProcessId() << 16;

    for (i = 1; i + 1 < connected; i += 2 * 8)
    {
        use_pair( sockets[i], sockets[i + 1], token + i );
        use_pair( sockets[i + 1], sockets[i], token + i + 1 );
    }
    for (i = connected; i + 1 < count; i += 8) use_udp( sockets[i], sockets[i + 1], token + i );
}

static void close_all(void)
{
    char byte;

    /* the end that was closed is seen at the other one */
    if (connected > 2)
    {
        check( !closesocket( sockets[1] ), "closesocket" );
        check( !recv( sockets[2], &byte, 1, 0 ), "recv after the peer's close" );
        sockets[1] = sockets[--count];
    }
    while (count)
    {
        count--;
        check( !closesocket( sockets[count] ), "closesocket %u", count );
    }
}

static int run_child( const char *name, unsigned int wanted )
{
    unsigned int stage;

    make_signals( name );
    for (stage = 0; stage < STAGES; stage++)
    {
        if (!check( !WaitForSingleObject( begin[stage], STAGE_MS ), "no %s", stage_names[stage] )) return 1;
        if (stage == STAGE_OPEN) open_all( wanted );
        else if (stage == STAGE_USE) use_some();
        else close_all();
        ReleaseSemaphore( done, 1, NULL );
    }
    return failed != 0;
}

/* ---- all of them ---- */

static HANDLE processes[MAX_PROCESSES];

static BOOL start( unsigned int i, const char *program, const char *name, unsigned int wanted )
{
    STARTUPINFOA startup;
    PROCESS_INFORMATION info;
    char line[MAX_PATH + 64];

    memset( &startup, 0, sizeof(startup) );
    startup.cb = sizeof(startup);
    sprintf( line, "\"%s\" --child %s %u", program, name, wanted );
    if (!check( CreateProcessA( NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info ), "CreateProcess %u", i )) return FALSE;
    CloseHandle( info.hThread );
    processes[i] = info.hProcess;
    return TRUE;
}

static void run_stage( enum stage stage, unsigned int running, BOOL slowly )
{
    DWORD start = GetTickCount();
    unsigned int i;
    char line[16];

    SetEvent( begin[stage] );
    for (i = 0; i < running; i++)
        if (!check( !WaitForSingleObject( done, STAGE_MS ), "only %u processes have done: %s", i, stage_names[stage] )) break;
    printf( "%s: %u processes, %lu ms\n", stage_names[stage], i, GetTickCount() - start );
    fflush( stdout );
    if (slowly && !fgets( line, sizeof(line), stdin )) printf( "nobody listens\n" );
}

static int run_all( const char *program, unsigned int wanted_processes, unsigned int wanted )
{
    const BOOL slowly = wanted_processes > 10;
    unsigned int i, running = 0, stage;
    char name[16];
    DWORD code;

    sprintf( name, "%lu", GetCurrentProcessId() );
    make_signals( name );
    while (running < wanted_processes && start( running, program, name, wanted )) running++;
    for (stage = 0; stage < STAGES; stage++) run_stage( stage, running, slowly );
    for (i = 0; i < running; i++)
    {
        check( !WaitForSingleObject( processes[i], STAGE_MS ), "process %u does not end", i );
        if (!GetExitCodeProcess( processes[i], &code )) code = 1;
        check( !code, "process %u ended with %lu", i, code );
    }
    return running == wanted_processes ? 0 : 1;
}

/* ---- more than there can be ---- */

static unsigned int open_until( unsigned int limit, int *error )
{
    *error = 0;
    for (count = 0; count < limit; count++)
    {
        if ((sockets[count] = socket( AF_INET, count & 1 ? SOCK_STREAM : SOCK_DGRAM, 0 )) != INVALID_SOCKET) continue;
        *error = WSAGetLastError();
        break;
    }
    return count;
}

static void run_limit(void)
{
    struct sockaddr_in addr;
    unsigned int first, again;
    int error;

    first = open_until( MAX_SOCKETS, &error );
    printf( "%u sockets, then error %d\n", first, error );
    check( error == WSAEMFILE || error == WSAENOBUFS, "the error is %d", error );
    check( first > 10, "only %u sockets", first );
    /* those that are there go on */
    if (first > 4)
    {
        check( bind_any( sockets[first - 1], &addr ), "bind" );
        check( bind_any( sockets[0], &addr ) && bind_any( sockets[2], &addr ), "UDP bind" );
        use_udp( sockets[0], sockets[2], 0x12345678 );
    }
    close_all();
    again = open_until( first, &error );
    printf( "%u sockets again, error %d\n", again, error );
    check( again + again / 8 >= first, "only %u sockets the second time", again );
    close_all();
}

int main( int argc, char **argv )
{
    WSADATA data;
    int ret;

    if (!check( !WSAStartup( MAKEWORD( 2, 2 ), &data ), "WSAStartup" )) return 1;
    if (argc == 4 && !strcmp( argv[1], "--child" )) return run_child( argv[2], min( (unsigned int)atoi( argv[3] ), MAX_SOCKETS ) );
    if (argc == 2 && !strcmp( argv[1], "--limit" ))
    {
        run_limit();
        ret = 0;
    }
    else ret = run_all( argv[0], min( argc > 1 ? atoi( argv[1] ) : 10, MAX_PROCESSES ),
                        min( argc > 2 ? atoi( argv[2] ) : 200, MAX_SOCKETS ) );
    printf( "%u passed, %u failed\n", passed, failed );
    return ret || failed;
}
