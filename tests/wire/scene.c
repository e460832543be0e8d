/*
 * A Windows program that does with sockets what tests/wire/run tells it
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

/* scene PORT NAME: connects to PORT, says "hello NAME" and then does what it is told, a line a call:
 *
 *   ID VERB [NUMBER...]        answered by    ID RESULT ERROR
 *
 * RESULT is what the call returned (a socket, a count, 0, or -1 with ERROR). "&VERB" is done by a thread of
 * its own, so that the answer comes when the call has ended. Nothing here waits or looks by itself: what is on the wire was caused by the calls. */

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ARGS  4
#define PIECE     (1 << 20)

struct call
{
    int      id;
    char     verb[32];
    LONGLONG args[MAX_ARGS];
};

static SOCKET control = INVALID_SOCKET;
static CRITICAL_SECTION control_lock;
static const char *program, *port;
static char piece[PIECE];

static void loopback( struct sockaddr_in *addr, int number )
{
    memset( addr, 0, sizeof(*addr) );
    addr->sin_family = AF_INET;
    addr->sin_addr.s_addr = htonl( INADDR_LOOPBACK );
    addr->sin_port = htons( number );
}

/* ---- what it can be told: each returns what the call says ---- */

static LONGLONG do_tcp( const LONGLONG *args )
{
    (void)args;
    return (LONGLONG)socket( AF_INET, SOCK_STREAM, 0 );
}

static LONGLONG do_udp( const LONGLONG *args )
{
    (void)args;
    return (LONGLONG)socket( AF_INET, SOCK_DGRAM, 0 );
}

/* the port it got */
static LONGLONG do_bind( const LONGLONG *args )
{
    struct sockaddr_in addr;
    int len = sizeof(addr);

    loopback( &addr, args[1] );
    if (bind( args[0], (struct sockaddr *)&addr, len ) || getsockname( args[0], (struct sockaddr *)&addr, &len )) return -1;
    return ntohs( addr.sin_port );
}

static LONGLONG do_listen( const LONGLONG *args )
{
    return listen( args[0], args[1] );
}

static LONGLONG do_accept( const LONGLONG *args )
{
    return (LONGLONG)accept( args[0], NULL, NULL );
}

static int CALLBACK condition( WSABUF *caller, WSABUF *data, QOS *qos, QOS *group_qos, WSABUF *callee, WSABUF *out,
                               GROUP *group, DWORD_PTR answer )
{
    (void)caller; (void)data; (void)qos; (void)group_qos; (void)callee; (void)out; (void)group;
    return answer;
}

/* listener, CF_ACCEPT, CF_REJECT or CF_DEFER */
static LONGLONG do_wsaaccept( const LONGLONG *args )
{
    return (LONGLONG)WSAAccept( args[0], NULL, NULL, condition, args[1] );
}

/* socket, port, address */
static LONGLONG do_connect( const LONGLONG *args )
{
    struct sockaddr_in addr;

    loopback( &addr, args[1] );
    addr.sin_addr.s_addr = htonl( args[2] );
    return connect( args[0], (struct sockaddr *)&addr, sizeof(addr) );
}

/* socket, bytes, flags */
static LONGLONG do_send( const LONGLONG *args )
{
    static char big[8 * PIECE];

    return send( args[0], big, args[1] < (LONGLONG)sizeof(big) ? args[1] : (LONGLONG)sizeof(big), args[2] );
}

/* a non-blocking socket: sends until there is no room; how much that was */
static LONGLONG do_fill( const LONGLONG *args )
{
    LONGLONG total = 0;
    int ret;

    while ((ret = send( args[0], piece, sizeof(piece), 0 )) > 0) total += ret;
    return WSAGetLastError() == WSAEWOULDBLOCK ? total : -1;
}

/* socket, port, address, bytes */
static LONGLONG do_sendto( const LONGLONG *args )
{
    struct sockaddr_in addr;

    loopback( &addr, args[1] );
    addr.sin_addr.s_addr = htonl( args[2] );
    return sendto( args[0], piece, args[3], 0, (struct sockaddr *)&addr, sizeof(addr) );
}

/* socket, bytes, flags */
static LONGLONG do_recv( const LONGLONG *args )
{
    static char buffer[PIECE];

    return recv( args[0], buffer, args[1], args[2] );
}

static LONGLONG do_shutdown( const LONGLONG *args )
{
    return shutdown( args[0], args[1] );
}

static LONGLONG do_recvdisconnect( const LONGLONG *args )
{
    return WSARecvDisconnect( args[0], NULL );
}

static LONGLONG do_senddisconnect( const LONGLONG *args )
{
    return WSASendDisconnect( args[0], NULL );
}

static LONGLONG do_linger( const LONGLONG *args )
{
    struct linger linger = { args[1], args[2] };

    return setsockopt( args[0], SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) );
}

static LONGLONG do_nonblocking( const LONGLONG *args )
{
    u_long on = args[1];

    return ioctlsocket( args[0], FIONBIO, &on );
}

static LONGLONG do_oobinline( const LONGLONG *args )
{
    BOOL on = args[1];

    return setsockopt( args[0], SOL_SOCKET, SO_OOBINLINE, (char *)&on, sizeof(on) );
}

static LONGLONG do_queued( const LONGLONG *args )
{
    u_long count = 0;

    return ioctlsocket( args[0], FIONREAD, &count ) ? -1 : (LONGLONG)count;
}

/* socket, ms: is it readable by then? */
static LONGLONG do_readable( const LONGLONG *args )
{
    struct timeval limit = { args[1] / 1000, args[1] % 1000 * 1000 };
    fd_set set;

    FD_ZERO( &set );
    FD_SET( (SOCKET)args[0], &set );
    return select( 0, &set, NULL, NULL, &limit );
}

static LONGLONG do_urgent( const LONGLONG *args )
{
    struct timeval limit = { args[1] / 1000, args[1] % 1000 * 1000 };
    fd_set set;

    FD_ZERO( &set );
    FD_SET( (SOCKET)args[0], &set );
    return select( 0, NULL, NULL, &set, &limit );
}

static LONGLONG do_close( const LONGLONG *args )
{
    return closesocket( args[0] );
}

static LONGLONG do_closehandle( const LONGLONG *args )
{
    return CloseHandle( (HANDLE)(INT_PTR)args[0] ) ? 0 : -1;
}

static LONGLONG do_duplicate( const LONGLONG *args )
{
    HANDLE handle;

    if (!DuplicateHandle( GetCurrentProcess(), (HANDLE)(INT_PTR)args[0], GetCurrentProcess(), &handle, 0, TRUE,
                          DUPLICATE_SAME_ACCESS )) return -1;
    return (LONGLONG)(INT_PTR)handle;
}

/* the same by WSADuplicateSocket */
static LONGLONG do_wsaduplicate( const LONGLONG *args )
{
    WSAPROTOCOL_INFOW info;

    if (WSADuplicateSocketW( args[0], GetCurrentProcessId(), &info )) return -1;
    return (LONGLONG)WSASocketW( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0, WSA_FLAG_OVERLAPPED );
}

/* another one of these, named by a number, which inherits the sockets there are */
static LONGLONG do_spawn( const LONGLONG *args )
{
    STARTUPINFOA startup = { .cb = sizeof(startup) };
    PROCESS_INFORMATION info;
    char cmdline[MAX_PATH + 64];

    snprintf( cmdline, sizeof(cmdline), "\"%s\" %s scene-%d", program, port, (int)args[0] );
    if (!CreateProcessA( NULL, cmdline, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info )) return -1;
    CloseHandle( info.hThread );
    CloseHandle( info.hProcess );
    return 0;
}

static LONGLONG do_exit( const LONGLONG *args )
{
    ExitProcess( args[0] );
}

static LONGLONG do_terminate( const LONGLONG *args )
{
    TerminateProcess( GetCurrentProcess(), args[0] );
    return -1;
}

static LONGLONG do_crash( const LONGLONG *args )
{
    return *(volatile int *)(INT_PTR)args[0];
}

static const struct
{
    const char *name;
    LONGLONG (*func)( const LONGLONG *args );
}
verbs[] =
{
    { "tcp", do_tcp }, { "udp", do_udp }, { "bind", do_bind }, { "listen", do_listen }, { "accept", do_accept }, { "wsaaccept", do_wsaaccept },
    { "connect", do_connect }, { "send", do_send }, { "fill", do_fill }, { "sendto", do_sendto }, { "recv", do_recv },
    { "shutdown", do_shutdown }, { "recvdisconnect", do_recvdisconnect }, { "senddisconnect", do_senddisconnect },
    { "linger", do_linger }, { "nonblocking", do_nonblocking }, { "oobinline", do_oobinline }, { "queued", do_queued },
    { "readable", do_readable }, { "urgent", do_urgent }, { "close", do_close }, { "closehandle", do_closehandle },
    { "duplicate", do_duplicate }, { "wsaduplicate", do_wsaduplicate }, { "spawn", do_spawn }, { "exit", do_exit },
    { "terminate", do_terminate }, { "crash", do_crash },
};

/* ---- being told ---- */

static void say( const char *line )
{
    EnterCriticalSection( &control_lock );
    if (send( control, line, strlen( line ), 0 ) <= 0) ExitProcess( 3 );
    LeaveCriticalSection( &control_lock );
}

static DWORD WINAPI play( void *arg )
{
    struct call *call = arg;
    LONGLONG result = -1;
    int error = ERROR_CALL_NOT_IMPLEMENTED;
    char line[80];
    unsigned i;

    for (i = 0; i < ARRAYSIZE( verbs ); i++)
    {
        if (strcmp( verbs[i].name, call->verb )) continue;
        WSASetLastError( 0 );
        result = verbs[i].func( call->args );
        error = result == -1 ? WSAGetLastError() : 0;
    }
    snprintf( line, sizeof(line), "%d %I64d %d\n", call->id, result, error );
    say( line );
    free( call );
    return 0;
}

static void told( const char *line )
{
    struct call *call = calloc( 1, sizeof(*call) );
    HANDLE thread;

    if (!call || sscanf( line, "%d %31s %I64d %I64d %I64d %I64d", &call->id, call->verb, &call->args[0], &call->args[1],
                         &call->args[2], &call->args[3] ) < 2) ExitProcess( 2 );
    if (call->verb[0] != '&')
    {
        play( call );
        return;
    }
    memmove( call->verb, call->verb + 1, strlen( call->verb ) );
    if (!(thread = CreateThread( NULL, 0, play, call, 0, NULL ))) ExitProcess( 2 );
    CloseHandle( thread );
}

static void listen_to_control(void)
{
    char line[256];
    int len = 0, ret;

    while ((ret = recv( control, line + len, 1, 0 )) == 1)
    {
        if (line[len] == '\n')
        {
            line[len] = 0;
            told( line );
            len = 0;
        }
        else if (++len == sizeof(line)) ExitProcess( 2 );
    }
}

int main( int argc, char **argv )
{
    struct sockaddr_in addr;
    char hello[80];
    WSADATA data;

    if (argc != 3) return 2;
    program = argv[0];
    port = argv[1];
    /* a crash is quick, and asks nobody */
    SetErrorMode( SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX );
    InitializeCriticalSection( &control_lock );
    loopback( &addr, atoi( port ) );
    if (WSAStartup( MAKEWORD( 2, 2 ), &data )) return 2;
    control = WSASocketA( AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT );
    if (connect( control, (struct sockaddr *)&addr, sizeof(addr) )) return 2;
    snprintf( hello, sizeof(hello), "hello %s\n", argv[2] );
    say( hello );
    listen_to_control();
    return 0;
}
