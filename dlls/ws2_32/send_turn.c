/*
Taking turns: one thread at a time sends on a stream
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

/* A send that the kernel took only a part of goes on when there is room; what another
 * thread sends meanwhile must not get in between, for Windows queues sends whole. The
 * turn is a word of the kernel socket's object, so that all its handles in this process
 * share it: 0, or the id of the thread that has it with two flags. Taking and leaving it
 * are one interlocked operation each. Only a thread that finds it taken makes an
 * eventfd, puts itself on a list, and waits as for a socket, so that closing the socket
 * or cancelling ends the wait.
 *
 * A thread may die with the turn in its hands: those who wait look from time to time
 * whether it lives. */

#include "ws2_32_private.h"
#include "engine.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

/* thread ids are multiples of 4 */
#define TURN_AWAITED 1                  /* somebody is on the list */
#define TURN_LONG    2                  /* whoever has it waits for room */
#define TURN_FLAGS   3

/* unix->rest: a send that waits for room was there before a shutdown, so all of it comes before the FIN. Its thread
 * gives what is left to the helper, as a non-blocking send does, and shutdown() waits for that, not for the peer. */
#define REST_THERE  1                   /* such a send is under way */
#define REST_WANTED 2                   /* a shutdown waits */
#define REST_GIVEN  4                   /* it is on its way to the helper */

#define WAKE_WAIT  100                  /* ms for a thread to wake up: one that is suspended does not */
#define GIVE_WAIT  10000                /* ms for it to copy the rest */

#define LOOK_PAUSE (1000 * 1000000LL)   /* ns between two looks whether a thread lives */

/* on the heap, since its thread may end while it waits */
struct waiter
{
    struct unix_socket *unix;           /* whose turn */
    DWORD               tid;            /* who waits */
    int                 fd;             /* the eventfd */
    struct waiter      *next;
};

static struct waiter *waiters;          /* all of the process: there are hardly ever two */
static SRWLOCK waiters_lock = SRWLOCK_INIT;

static volatile LONG *turn_of( const struct socket *sock )
{
    return (volatile LONG *)&sock->unix->turn;
}

static volatile LONG *rest_of( struct unix_socket *unix )
{
    return (volatile LONG *)&unix->rest;
}

static LONG my_turn(void)
{
    return GetCurrentThreadId() & ~TURN_FLAGS;
}

/* wakes them all: they look, and one will have it */
static void wake_waiters( struct unix_socket *unix )
{
    struct event_signal_params params;
    struct waiter *waiter;

    AcquireSRWLockShared( &waiters_lock );
    for (waiter = waiters; waiter; waiter = waiter->next)
    {
        if (waiter->unix != unix) continue;
        params.fd = waiter->fd;
        UNIX_CALL( event_signal, &params );
    }
    ReleaseSRWLockShared( &waiters_lock );
}

static unsigned int enter_list( struct unix_socket *unix, struct waiter **ret )
{
    struct event_create_params params;
    struct waiter *waiter;
    unsigned int error;

    if (!(waiter = HeapAlloc( GetProcessHeap(), 0, sizeof(*waiter) ))) return WSAENOBUFS;
    if ((error = UNIX_CALL( event_create, &params )))
    {
        HeapFree( GetProcessHeap(), 0, waiter );
        return error;
    }
    waiter->unix = unix;
    waiter->tid = GetCurrentThreadId();
    waiter->fd = params.fd;
    AcquireSRWLockExclusive( &waiters_lock );
    waiter->next = waiters;
    waiters = waiter;
    ReleaseSRWLockExclusive( &waiters_lock );
    *ret = waiter;
    return 0;
}

/* under waiters_lock */
static void leave_list( struct waiter **ptr )
{
    struct waiter *waiter = *ptr;
    struct close_fd_params params = { waiter->fd };

    *ptr = waiter->next;
    UNIX_CALL( close_fd, &params );
    HeapFree( GetProcessHeap(), 0, waiter );
}

static void stop_waiting( struct waiter *waiter )
{
    struct waiter **ptr;

    AcquireSRWLockExclusive( &waiters_lock );
    for (ptr = &waiters; *ptr != waiter; ptr = &(*ptr)->next) /* nothing */;
    leave_list( ptr );
    ReleaseSRWLockExclusive( &waiters_lock );
}

void turn_stop_waiting( DWORD tid )
{
    struct waiter **ptr;

    AcquireSRWLockExclusive( &waiters_lock );
    for (ptr = &waiters; *ptr;)
    {
        if ((*ptr)->tid == tid) leave_list( ptr );
        else ptr = &(*ptr)->next;
    }
    ReleaseSRWLockExclusive( &waiters_lock );
}

/* until somebody wakes us, or for a while */
static unsigned int wait_signal( struct socket *sock, int fd, const struct deadline *deadline )
{
    struct unix_pollfd fds[2] = { { .fd = fd, .events = UNIX_POLLIN } };
    struct poll_params reset = { .fds = fds, .wake_fd = fd };
    struct deadline pause = deadline_in_ns( LOOK_PAUSE );
    BOOL is_last = deadline && deadline->at != -1 && deadline->at <= pause.at;
    unsigned int error;
    BOOL ready;

    error = wait_fd( sock, fd, &ready, is_last ? deadline : &pause );
    if (ready) UNIX_CALL( poll, &reset );
    return error == WSAETIMEDOUT && !is_last ? 0 : error;
}

static unsigned int wait_turn( struct socket *sock, int fd, BOOL nonblocking, const struct deadline *deadline )
{
    volatile LONG *turn = turn_of( sock );
    unsigned int error;
    LONG old;

    for (;;)
    {
        old = *turn;
        if (!old)
        {
            /* others may be on the list */
            if (!InterlockedCompareExchange( turn, my_turn() | TURN_AWAITED, 0 )) return 0;
            continue;
        }
        if (nonblocking && (old & TURN_LONG)) return WSAEWOULDBLOCK;
        if (!(old & TURN_AWAITED) && InterlockedCompareExchange( turn, old | TURN_AWAITED, old ) != old) continue;
        if ((error = wait_signal( sock, fd, deadline ))) return error;
        if (*turn == (old | TURN_AWAITED)) thread_reap();
    }
}

BOOL turn_take( struct socket *sock )
{
    return !InterlockedCompareExchange( turn_of( sock ), my_turn(), 0 );
}

unsigned int turn_wait( struct socket *sock, BOOL nonblocking, const struct deadline *deadline )
{
    struct waiter *waiter;
    unsigned int error;

    /* an APC of the thread that has it */
    if ((*turn_of( sock ) & ~TURN_FLAGS) == my_turn()) return WSAEWOULDBLOCK;
    if ((error = enter_list( sock->unix, &waiter ))) return error;
    error = wait_turn( sock, waiter->fd, nonblocking, deadline );
    stop_waiting( waiter );
    return error;
}

void turn_keep( struct socket *sock )
{
    LONG old = InterlockedOr( turn_of( sock ), TURN_LONG );

    if ((old & TURN_FLAGS) == TURN_AWAITED) wake_waiters( sock->unix );
}

void turn_leave( struct socket *sock )
{
    if (*rest_of( sock->unix )) InterlockedExchange( rest_of( sock->unix ), 0 );
    if (!(InterlockedExchange( turn_of( sock ), 0 ) & TURN_AWAITED)) return;
    wake_waiters( sock->unix );
    engine_send_on( sock->unix );
}

BOOL turn_rest_wanted( struct socket *sock )
{
    volatile LONG *rest = rest_of( sock->unix );

    if (!(InterlockedOr( rest, REST_THERE ) & REST_WANTED)) return FALSE;
    InterlockedOr( rest, REST_GIVEN );
    return TRUE;
}

void turn_want_rest( struct socket *sock )
{
    volatile LONG *rest = rest_of( sock->unix );
    DWORD start = GetTickCount();
    LONG old;

    /* an APC of the thread that has it */
    if ((*turn_of( sock ) & ~TURN_FLAGS) == my_turn()) return;
    while ((old = *rest) & REST_THERE)
    {
        if (GetTickCount() - start > (old & REST_GIVEN ? GIVE_WAIT : WAKE_WAIT)) break;
        if (InterlockedCompareExchange( rest, old | REST_WANTED, old ) != old) continue;
        /* again and again: it may have looked and not waited yet */
        if (!(old & REST_GIVEN)) thread_wake_in( sock->unix );
        Sleep( 1 );
    }
}

BOOL turn_take_for( struct socket *sock, DWORD tid )
{
    volatile LONG *turn = turn_of( sock );
    LONG old;

    while ((old = InterlockedCompareExchange( turn, tid & ~TURN_FLAGS, 0 )))
        if (InterlockedCompareExchange( turn, old | TURN_AWAITED, old ) == old) return FALSE;
    return TRUE;
}

void turn_leave_for( struct socket *sock )
{
    if (InterlockedExchange( turn_of( sock ), 0 ) & TURN_AWAITED) wake_waiters( sock->unix );
}

void turn_abandon( struct unix_socket *unix, DWORD tid )
{
    LONG old = *(volatile LONG *)&unix->turn;

    if ((old & ~TURN_FLAGS) != (LONG)(tid & ~TURN_FLAGS)) return;
    InterlockedExchange( rest_of( unix ), 0 );
    if (!(InterlockedExchange( (volatile LONG *)&unix->turn, 0 ) & TURN_AWAITED)) return;
    wake_waiters( unix );
    engine_send_on( unix );
}
