/*
 * Stress: blocking calls that others end in every way
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

/* Threads block in recv, recvfrom, send, accept, select, WSAPoll and connect. Others close their sockets, shut
 * them down, reset them, send to them, connect to them, queue APCs to them, in random order from a seed that
 * is printed. Every call must end with a result that fits what was done to it, soon after
 * it was done; every APC must run exactly once, and soon, whatever else happens.
 *
 *   waits [--seed N] [--seconds N]     exit status 0: all was as it should be */

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITERS    32
#define DISTURBERS 4
#define SOON       5000                 /* ms: what was asked to end must have ended, on a machine that is busy, too */
#define SEND_SIZE  (8 << 20)            /* more than the kernel takes when nobody reads */

static volatile LONG failures, passes, apcs_queued, apcs_run, stopping, slowest;
static unsigned int seed, seconds = 15;

#define check( cond, ... ) \
    do { if (cond) InterlockedIncrement( &passes ); \
         else { InterlockedIncrement( &failures ); printf( "line %d: ", __LINE__ ); printf( __VA_ARGS__ ); } } while (0)

struct random
{
    unsigned int state;
};

static unsigned int draw( struct random *random, unsigned int below )
{
    random->state = random->state * 1664525u + 1013904223u;
    return (random->state >> 8) % below;
}

enum kind { RECV, RECVFROM, SEND, ACCEPT, SELECT, POLL, CONNECT, KINDS };

static const char * const kind_names[KINDS] = { "recv", "recvfrom", "send", "accept", "select", "WSAPoll", "connect" };

/* what is done to a waiting thread */
#define CLOSED        0x001             /* its socket was closed */
#define SENT          0x002             /* data was sent to it */
#define PEER_FIN      0x004             /* the peer has shut down */
#define PEER_RESET    0x008             /* the peer has reset the connection */
#define PEER_READ     0x010             /* the peer reads all there is */
#define SHUT_RECV     0x020             /* its own socket's receive side was shut down */
#define SHUT_SEND     0x040
#define CONNECTED     0x080             /* somebody has connected to its listener */
#define LISTENER_GONE 0x100             /* what it connects to was closed */
#define APC           0x200
#define APC_NESTED    0x400             /* an APC that waits itself */
#define APC_CLOSES    0x800             /* an APC that closes the socket */

struct waiter
{
    SRWLOCK            lock;            /* a disturber's, or the waiter's when it does not wait */
    unsigned int       index;
    HANDLE             thread;
    HANDLE             returned;        /* manual event: its call has returned */
    enum kind          kind;
    SOCKET             s, peer;         /* peer: of s; connect: the listener; INVALID_SOCKET when gone */
    struct sockaddr_in addr;            /* of s */
    SOCKET             idle;            /* a UDP socket of its own that gets nothing */
    volatile LONG      in_call;
    volatile LONG      done;            /* what was done to it in this call */
    DWORD              ended;           /* tick at which something was done that must end the call */
    unsigned int       calls[KINDS];
};

static struct waiter waiters[WAITERS];

/* Exclusive while a socket is closed that a thread is about to use, until that thread has noticed: it may have
 * come late, and must find a dead value, not somebody else's socket. So whoever makes handles has it shared. */
static SRWLOCK values = SRWLOCK_INIT;

/* what every byte sent to a waiter is */
static char byte_of( const struct waiter *w )
{
    return 'A' + w->index;
}

/* ---- sockets ---- */

static BOOL make_bound( int type, SOCKET *s, struct sockaddr_in *addr )
{
    int len = sizeof(*addr);

    memset( addr, 0, sizeof(*addr) );
    addr->sin_family = AF_INET;
    addr->sin_addr.s_addr = htonl( INADDR_LOOPBACK );
    *s = socket( AF_INET, type, 0 );
    return *s != INVALID_SOCKET && !bind( *s, (struct sockaddr *)addr, len ) && !getsockname( *s, (struct sockaddr *)addr, &len );
}

static BOOL make_pair( SOCKET *a, SOCKET *b )
{
    struct sockaddr_in addr;
    SOCKET listener;

    *b = INVALID_SOCKET;
    if (!make_bound( SOCK_STREAM, &listener, &addr ) || listen( listener, 1 )) return FALSE;
    *a = socket( AF_INET, SOCK_STREAM, 0 );
    if (!connect( *a, (struct sockaddr *)&addr, sizeof(addr) )) *b = accept( listener, NULL, NULL );
    closesocket( listener );
    return *b != INVALID_SOCKET;
}

/* A listener that answers nobody any more, for its queue is full: addr is its address. */
static BOOL make_deaf_listener( SOCKET *listener, struct sockaddr_in *addr )
{
    struct timeval little = { 0, 20000 };
    u_long on = 1;
    SOCKET fillers[16];
    unsigned int i, count;
    BOOL full = FALSE;
    fd_set set;

    if (!make_bound( SOCK_STREAM, listener, addr ) || listen( *listener, 1 )) return FALSE;
    for (count = 0; count < ARRAYSIZE(fillers) && !full; count++)
    {
        fillers[count] = socket( AF_INET, SOCK_STREAM, 0 );
        ioctlsocket( fillers[count], FIONBIO, &on );
        connect( fillers[count], (struct sockaddr *)addr, sizeof(*addr) );
        FD_ZERO( &set );
        FD_SET( fillers[count], &set );
        full = !select( 0, NULL, &set, NULL, &little );
    }
    /* those that are in the queue stay there when they are closed */
    for (i = 0; i < count; i++) closesocket( fillers[i] );
    return full;
}

static BOOL make_sockets( struct waiter *w )
{
    BOOL ret;

    w->s = w->peer = INVALID_SOCKET;
    AcquireSRWLockShared( &values );
    switch (w->kind)
    {
    case RECVFROM:
        ret = make_bound( SOCK_DGRAM, &w->s, &w->addr );
        break;
    case ACCEPT:
        ret = make_bound( SOCK_STREAM, &w->s, &w->addr ) && !listen( w->s, 1 );
        break;
    case CONNECT:
        ret = make_deaf_listener( &w->peer, &w->addr ) && (w->s = socket( AF_INET, SOCK_STREAM, 0 )) != INVALID_SOCKET;
        break;
    default:
        ret = make_pair( &w->s, &w->peer );
    }
    check( ret, "%s: no sockets, error %d\n", kind_names[w->kind], WSAGetLastError() );
    ReleaseSRWLockShared( &values );
    return ret;
}

/* ---- the calls, and what they may say ---- */

/* how a call may fail after what was done; 0 did not fail */
static BOOL may_fail( LONG done, int error )
{
    switch (error)
    {
    case WSAEINTR:
    case WSAENOTSOCK:        return done & (CLOSED | APC_CLOSES);
    case WSAECONNRESET:      return done & PEER_RESET;
    case WSAECONNREFUSED:    return done & LISTENER_GONE;
    case WSAESHUTDOWN:       return done & (SHUT_RECV | SHUT_SEND);
    /* data came between its look at the shutdown and its receive */
    case WSAECONNABORTED:    return (done & SHUT_RECV) && (done & SENT);
    default:                 return FALSE;
    }
}

static void check_data( const struct waiter *w, const char *buffer, int ret, int error )
{
    if (ret > 0) check( (w->done & SENT) && buffer[0] == byte_of( w ), "%s: %d bytes, %c instead of %c, after %#lx\n",
                        kind_names[w->kind], ret, buffer[0], byte_of( w ), w->done );
    else if (!ret) check( w->done & PEER_FIN, "%s: end of stream after %#lx\n", kind_names[w->kind], w->done );
    else check( may_fail( w->done, error ), "%s: error %d after %#lx\n", kind_names[w->kind], error, w->done );
}

/* the call is over: whatever is done to the waiter from now on is for the next one */
static void returned( struct waiter *w )
{
    DWORD now = GetTickCount();

    SetEvent( w->returned );
    AcquireSRWLockExclusive( &w->lock );
    InterlockedExchange( &w->in_call, 0 );
    /* what would have ended it may also have come too late */
    if (w->ended && (LONG)(now - w->ended) > 0)
    {
        if ((LONG)(now - w->ended) > slowest) slowest = now - w->ended;
        check( now - w->ended < SOON, "%s ended %lu ms after %#lx\n", kind_names[w->kind], now - w->ended, w->done );
    }
    ReleaseSRWLockExclusive( &w->lock );
}

static void wait_recv( struct waiter *w )
{
    char buffer[16];
    int ret = recv( w->s, buffer, sizeof(buffer), 0 ), error = WSAGetLastError();

    returned( w );
    check_data( w, buffer, ret, error );
}

static void wait_recvfrom( struct waiter *w )
{
    struct sockaddr_in from;
    int len = sizeof(from), ret, error;
    char buffer[16];

    ret = recvfrom( w->s, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &len );
    error = WSAGetLastError();
    returned( w );
    check_data( w, buffer, ret, error );
}

static void wait_send( struct waiter *w )
{
    static const char buffer[SEND_SIZE];
    int ret = send( w->s, buffer, sizeof(buffer), 0 ), error = WSAGetLastError();

    returned( w );
    if (ret != -1) check( ret == sizeof(buffer) && (w->done & (PEER_READ | SHUT_SEND)), "send: %d bytes after %#lx\n", ret, w->done );
    else check( may_fail( w->done, error ), "send: error %d after %#lx\n", error, w->done );
}

static void wait_accept( struct waiter *w )
{
    SOCKET s = accept( w->s, NULL, NULL );
    int error = WSAGetLastError();

    returned( w );
    if (s != INVALID_SOCKET) check( w->done & CONNECTED, "accept: a connection after %#lx\n", w->done );
    else check( may_fail( w->done, error ), "accept: error %d after %#lx\n", error, w->done );
    if (s != INVALID_SOCKET) closesocket( s );
}

static void wait_connect( struct waiter *w )
{
    int ret = connect( w->s, (struct sockaddr *)&w->addr, sizeof(w->addr) ), error = WSAGetLastError();

    returned( w );
    check( ret == -1 && may_fail( w->done, error ), "connect: %d, error %d after %#lx\n", ret, error, w->done );
}

/* what select or WSAPoll said is there must be there at once */
static void receive_now( struct waiter *w )
{
    u_long on = 1;
    char buffer[16];
    int ret;

    if (w->done & (CLOSED | APC_CLOSES)) return;
    ioctlsocket( w->s, FIONBIO, &on );
    ret = recv( w->s, buffer, sizeof(buffer), 0 );
    check_data( w, buffer, ret, WSAGetLastError() );
}

static void wait_select( struct waiter *w )
{
    int ret, error;
    fd_set set;

    FD_ZERO( &set );
    FD_SET( w->s, &set );
    FD_SET( w->idle, &set );
    ret = select( 0, &set, NULL, NULL, NULL );
    error = WSAGetLastError();
    returned( w );
    if (ret == -1) check( may_fail( w->done, error ), "select: error %d after %#lx\n", error, w->done );
    else
    {
        check( ret == 1 && set.fd_count == 1 && set.fd_array[0] == w->s, "select: %d, after %#lx\n", ret, w->done );
        receive_now( w );
    }
}

static void wait_poll( struct waiter *w )
{
    WSAPOLLFD fds[2] = { { w->idle, POLLRDNORM, 0 }, { w->s, POLLRDNORM, 0 } };
    LONG allowed = 0;
    int ret, error;

    ret = WSAPoll( fds, 2, -1 );
    error = WSAGetLastError();
    returned( w );
    if (w->done & SENT) allowed |= POLLRDNORM;
    if (w->done & PEER_FIN) allowed |= POLLHUP;
    if (w->done & PEER_RESET) allowed |= POLLERR | POLLHUP | POLLRDNORM;
    if (w->done & SHUT_RECV) allowed |= POLLERR | POLLHUP;
    if (w->done & (CLOSED | APC_CLOSES)) allowed |= POLLNVAL;
    /* closed before the call looked: a bad one among good ones */
    if (ret == -1) check( (w->done & CLOSED) && error == WSAEINVAL, "WSAPoll: error %d after %#lx\n", error, w->done );
    else
    {
        check( ret == 1 && !fds[0].revents && fds[1].revents && !(fds[1].revents & ~allowed),
               "WSAPoll: %d, events %#x after %#lx\n", ret, fds[1].revents, w->done );
        if (ret == 1) receive_now( w );
    }
}

static void (* const waits[KINDS])( struct waiter *w ) =
{
    wait_recv, wait_recvfrom, wait_send, wait_accept, wait_select, wait_poll, wait_connect
};

static void wait_once( struct waiter *w )
{
    if (!make_sockets( w )) return;
    ResetEvent( w->returned );
    w->done = 0;
    w->ended = 0;
    InterlockedExchange( &w->in_call, 1 );
    waits[w->kind]( w );
    w->calls[w->kind]++;
    if (!(w->done & CLOSED)) closesocket( w->s );
    if (w->peer != INVALID_SOCKET) closesocket( w->peer );
}

static DWORD WINAPI waiter_thread( void *arg )
{
    struct waiter *w = arg;
    struct random random = { seed * 7919 + w->index };
    struct sockaddr_in addr;
    DWORD timeout = 5;

    AcquireSRWLockShared( &values );
    check( make_bound( SOCK_DGRAM, &w->idle, &addr ), "no idle socket: error %d\n", WSAGetLastError() );
    ReleaseSRWLockShared( &values );
    setsockopt( w->idle, SOL_SOCKET, SO_RCVTIMEO, (char *)&timeout, sizeof(timeout) );
    while (!stopping)
    {
        w->kind = draw( &random, KINDS );
        wait_once( w );
    }
    /* APCs that were queued when nothing was waited for */
    while (SleepEx( 0, TRUE ) == WAIT_IO_COMPLETION) /* again */;
    closesocket( w->idle );
    return 0;
}

/* ---- what is done to them; the waiter's lock is held, and it is in its call or about to be ---- */

static void note( struct waiter *w, LONG what )
{
    InterlockedOr( &w->done, what );
}

static void must_end( struct waiter *w )
{
    if (w->ended) return;
    w->ended = GetTickCount();
    if (!w->ended) w->ended = 1;
}

/* it has to be out of its call before its handle's value may be another's */
static void await_return( struct waiter *w, const char *why )
{
    must_end( w );
    if (WaitForSingleObject( w->returned, 20000 )) check( FALSE, "%s does not end: %s, %#lx\n", kind_names[w->kind], why, w->done );
}

static void do_close( struct waiter *w )
{
    AcquireSRWLockExclusive( &values );
    /* an APC may have been quicker */
    if (!(InterlockedOr( &w->done, CLOSED ) & CLOSED))
        check( !closesocket( w->s ), "closesocket: error %d\n", WSAGetLastError() );
    await_return( w, "closed" );
    ReleaseSRWLockExclusive( &values );
}

static void do_send( struct waiter *w )
{
    char c = byte_of( w );
    SOCKET s = w->peer;

    note( w, SENT );
    if (w->kind == RECVFROM)
    {
        AcquireSRWLockShared( &values );
        s = socket( AF_INET, SOCK_DGRAM, 0 );
        check( sendto( s, &c, 1, 0, (struct sockaddr *)&w->addr, sizeof(w->addr) ) == 1, "sendto: error %d\n", WSAGetLastError() );
        closesocket( s );
        ReleaseSRWLockShared( &values );
    }
    else if (s != INVALID_SOCKET && send( s, &c, 1, 0 ) != 1)
    {
        check( w->done & (CLOSED | APC_CLOSES | PEER_FIN | SHUT_RECV), "send: error %d after %#lx\n", WSAGetLastError(), w->done );
        return;
    }
    must_end( w );
}

static void do_peer_fin( struct waiter *w )
{
    note( w, PEER_FIN );
    if (w->peer == INVALID_SOCKET) return;
    if (shutdown( w->peer, SD_SEND ))
        check( w->done & (CLOSED | APC_CLOSES | SHUT_RECV), "shutdown: error %d after %#lx\n", WSAGetLastError(), w->done );
    else must_end( w );
}

static void do_peer_reset( struct waiter *w )
{
    struct linger linger = { 1, 0 };

    if (w->peer == INVALID_SOCKET) return;
    note( w, PEER_RESET );
    setsockopt( w->peer, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger) );
    check( !closesocket( w->peer ), "closesocket: error %d\n", WSAGetLastError() );
    w->peer = INVALID_SOCKET;
    must_end( w );
}

static void do_peer_read( struct waiter *w )
{
    static char buffers[DISTURBERS + 1][65536];
    static volatile LONG next;
    static __thread char *buffer;
    DWORD timeout = 20;
    int ret;

    if (!buffer) buffer = buffers[InterlockedIncrement( &next ) - 1];
    if (w->peer == INVALID_SOCKET) return;
    note( w, PEER_READ );
    must_end( w );
    setsockopt( w->peer, SOL_SOCKET, SO_RCVTIMEO, (char *)&timeout, sizeof(timeout) );
    do ret = recv( w->peer, buffer, sizeof(buffers[0]), 0 );
    while (ret > 0 || (ret == -1 && WSAGetLastError() == WSAETIMEDOUT && WaitForSingleObject( w->returned, 0 ) &&
                       GetTickCount() - w->ended < SOON));
}

static void do_shutdown( struct waiter *w, LONG what, int how )
{
    if (w->done & CLOSED) return;
    note( w, what );
    if (shutdown( w->s, how ))
        check( w->done & (APC_CLOSES | PEER_RESET), "shutdown: error %d after %#lx\n", WSAGetLastError(), w->done );
}

static void do_connect( struct waiter *w )
{
    SOCKET s;

    note( w, CONNECTED );
    AcquireSRWLockShared( &values );
    s = socket( AF_INET, SOCK_STREAM, 0 );
    if (connect( s, (struct sockaddr *)&w->addr, sizeof(w->addr) ))
        check( w->done & APC_CLOSES, "connect: error %d after %#lx\n", WSAGetLastError(), w->done );
    else await_return( w, "connected" );
    closesocket( s );
    ReleaseSRWLockShared( &values );
}

static void do_close_listener( struct waiter *w )
{
    if (w->peer == INVALID_SOCKET) return;
    note( w, LISTENER_GONE );
    closesocket( w->peer );
    w->peer = INVALID_SOCKET;
    /* its next SYN finds out: after 1, 3 or 7 seconds, which is why there is no must_end here */
}

/* ---- APCs ---- */

struct apc
{
    struct waiter *waiter;
    LONG           what;
    volatile LONG  refs;                /* the APC's and its queuer's */
    volatile LONG  runs;
};

static void put_apc( struct apc *apc )
{
    if (!InterlockedDecrement( &apc->refs )) free( apc );
}

static void nested_wait( struct waiter *w )
{
    struct timeval little = { 0, 5000 };
    fd_set set;
    char c;

    check( recv( w->idle, &c, 1, 0 ) == -1 && WSAGetLastError() == WSAETIMEDOUT, "nested recv: error %d\n", WSAGetLastError() );
    FD_ZERO( &set );
    FD_SET( w->idle, &set );
    check( !select( 0, &set, NULL, NULL, &little ), "nested select: error %d\n", WSAGetLastError() );
}

static void CALLBACK run_apc( ULONG_PTR arg )
{
    struct apc *apc = (struct apc *)arg;
    struct waiter *w = apc->waiter;

    check( InterlockedIncrement( &apc->runs ) == 1, "an APC ran twice\n" );
    check( GetCurrentThreadId() == GetThreadId( w->thread ), "an APC ran in another thread\n" );
    InterlockedIncrement( &apcs_run );
    if (apc->what == APC_NESTED) nested_wait( w );
    /* only during the call that it was meant for is the socket still the waiter's */
    if (apc->what == APC_CLOSES && w->in_call && (w->done & APC_CLOSES) && !(InterlockedOr( &w->done, CLOSED ) & CLOSED))
        check( !closesocket( w->s ), "closesocket in an APC: error %d\n", WSAGetLastError() );
    put_apc( apc );
}

/* It must run while the call blocks, unless that ends first. */
static void do_apc( struct waiter *w, LONG what )
{
    DWORD start = GetTickCount();
    struct apc *apc = calloc( 1, sizeof(*apc) );

    apc->waiter = w;
    apc->what = what;
    apc->refs = 2;
    note( w, what );
    if (what == APC_CLOSES) must_end( w );
    if (QueueUserAPC( run_apc, w->thread, (ULONG_PTR)apc )) InterlockedIncrement( &apcs_queued );
    else check( FALSE, "QueueUserAPC: error %lu\n", GetLastError() );
    while (!apc->runs && WaitForSingleObject( w->returned, 0 ) && GetTickCount() - start < SOON) Sleep( 1 );
    check( apc->runs || !WaitForSingleObject( w->returned, 0 ), "an APC does not run in %s after %#lx\n",
           kind_names[w->kind], w->done );
    put_apc( apc );
}

static void disturb_stream( struct waiter *w, struct random *random )
{
    switch (draw( random, 12 ))
    {
    case 0: do_close( w ); break;
    case 1: do_send( w ); break;
    case 2: do_peer_fin( w ); break;
    case 3: do_peer_reset( w ); break;
    case 4: do_shutdown( w, SHUT_RECV, SD_RECEIVE ); break;
    case 5: do_shutdown( w, SHUT_SEND, SD_SEND ); break;
    case 6:
    case 7: do_apc( w, APC_NESTED ); break;
    case 8: do_apc( w, APC_CLOSES ); break;
    default: do_apc( w, APC );
    }
}

static void disturb_send( struct waiter *w, struct random *random )
{
    switch (draw( random, 8 ))
    {
    case 0: do_close( w ); break;
    case 1: do_peer_read( w ); break;
    case 2: do_peer_reset( w ); break;
    case 3: do_shutdown( w, SHUT_SEND, SD_SEND ); break;
    case 4: do_apc( w, APC_NESTED ); break;
    case 5: do_apc( w, APC_CLOSES ); break;
    default: do_apc( w, APC );
    }
}

static void disturb_other( struct waiter *w, struct random *random )
{
    switch (draw( random, 6 ))
    {
    case 0: do_close( w ); break;
    case 1: do_apc( w, APC_NESTED ); break;
    case 2: do_apc( w, APC_CLOSES ); break;
    case 3: do_apc( w, APC ); break;
    default:
        if (w->kind == RECVFROM) do_send( w );
        else if (w->kind == ACCEPT) do_connect( w );
        else do_close_listener( w );
    }
}

static void disturb( struct waiter *w, struct random *random )
{
    if (!TryAcquireSRWLockExclusive( &w->lock )) return;
    /* one that has ended is not disturbed any more, or what it says would be anybody's guess */
    if (w->in_call && !w->ended && WaitForSingleObject( w->returned, 0 ))
    {
        if (w->kind == SEND) disturb_send( w, random );
        else if (w->kind == RECV || w->kind == SELECT || w->kind == POLL) disturb_stream( w, random );
        else disturb_other( w, random );
    }
    ReleaseSRWLockExclusive( &w->lock );
}

static volatile LONG disturbers_stop;

static DWORD WINAPI disturber_thread( void *arg )
{
    struct random random = { seed * 104729 + (unsigned int)(ULONG_PTR)arg };

    while (!disturbers_stop)
    {
        disturb( &waiters[draw( &random, WAITERS )], &random );
        if (!draw( &random, 4 )) Sleep( draw( &random, 3 ) );
    }
    return 0;
}

/* ---- all of it ---- */

static void report( const struct waiter *w )
{
    printf( "waiter %u: %s, in its call %ld, done to it %#lx, for %lu ms\n", w->index, kind_names[w->kind], w->in_call, w->done,
            w->ended ? GetTickCount() - w->ended : 0 );
}

static void run(void)
{
    HANDLE threads[WAITERS], disturbers[DISTURBERS];
    unsigned int i;
    DWORD ret;

    for (i = 0; i < WAITERS; i++)
    {
        waiters[i].index = i;
        waiters[i].returned = CreateEventA( NULL, TRUE, FALSE, NULL );
        /* suspended: an APC of it compares its handle */
        waiters[i].thread = threads[i] = CreateThread( NULL, 0, waiter_thread, &waiters[i], CREATE_SUSPENDED, NULL );
    }
    for (i = 0; i < WAITERS; i++) ResumeThread( threads[i] );
    for (i = 0; i < DISTURBERS; i++) disturbers[i] = CreateThread( NULL, 0, disturber_thread, (void *)(ULONG_PTR)i, 0, NULL );
    Sleep( seconds * 1000 );
    stopping = 1;
    /* the disturbers go on until all have ended */
    ret = WaitForMultipleObjects( WAITERS, threads, TRUE, 30000 );
    check( ret < WAITERS, "not all calls end\n" );
    for (i = 0; i < WAITERS; i++) if (WaitForSingleObject( threads[i], 0 )) report( &waiters[i] );
    disturbers_stop = 1;
    ret = WaitForMultipleObjects( DISTURBERS, disturbers, TRUE, 30000 );
    check( ret < DISTURBERS, "not all disturbers end\n" );
    check( apcs_run == apcs_queued, "%ld APCs queued, %ld run\n", apcs_queued, apcs_run );
}

int main( int argc, char *argv[] )
{
    unsigned int i, kind, calls;
    WSADATA data;

    setvbuf( stdout, NULL, _IONBF, 0 );
    if (WSAStartup( MAKEWORD( 2, 2 ), &data )) return 3;
    seed = GetTickCount();
    for (i = 1; i + 1 < (unsigned int)argc; i += 2)
    {
        if (!strcmp( argv[i], "--seed" )) seed = strtoul( argv[i + 1], NULL, 10 );
        if (!strcmp( argv[i], "--seconds" )) seconds = strtoul( argv[i + 1], NULL, 10 );
    }
    printf( "seed %u, %u s\n", seed, seconds );
    run();
    for (kind = 0; kind < KINDS; kind++)
    {
        for (i = calls = 0; i < WAITERS; i++) calls += waiters[i].calls[kind];
        check( calls, "no %s at all\n", kind_names[kind] );
        printf( "%s %u, ", kind_names[kind], calls );
    }
    printf( "APCs %ld, slowest end %ld ms\n", apcs_run, slowest );
    printf( "%ld passed, %ld failed\n", passes, failures );
    return failures != 0;
}
