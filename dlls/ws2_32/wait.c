/*
 * Blocking: waits that close, APCs, blocking hooks and cancelling can end
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

#include "ws2_32_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

/* A thread waits in poll() for its sockets and for an eventfd of its own. Whoever
 * wants it to look up (closesocket, an APC, another's cancelling) first changes what
 * the thread will look at, then writes to the eventfd if the thread says it waits; the
 * thread first says that it waits, then looks: so no wake-up is lost, and nobody
 * but the kernel takes part in a wait. */

#define HOOK_PAUSE   (10 * 1000000LL)   /* ns between two calls of a blocking hook */
#define SYSTEM_PAUSE (10 * 1000000LL)   /* ns between two looks for APCs that only wineserver knows of */

static LONGLONG now_ns(void)
{
    static LARGE_INTEGER frequency;
    LARGE_INTEGER now;

    if (!frequency.QuadPart) QueryPerformanceFrequency( &frequency );
    QueryPerformanceCounter( &now );
    return now.QuadPart / frequency.QuadPart * 1000000000LL +
           now.QuadPart % frequency.QuadPart * 1000000000LL / frequency.QuadPart;
}

struct deadline deadline_in_ns( LONGLONG ns )
{
    struct deadline deadline = { now_ns() + ns };

    return deadline;
}

struct deadline deadline_in( unsigned int ms )
{
    struct deadline never = { -1 };

    return ms ? deadline_in_ns( ms * 1000000LL ) : never;
}

/* ns left; -1: for ever */
static LONGLONG time_left( const struct deadline *deadline )
{
    LONGLONG left;

    if (deadline->at == -1) return -1;
    left = deadline->at - now_ns();
    return left > 0 ? left : 0;
}

static LONGLONG sooner( LONGLONG left, LONGLONG pause )
{
    return left < 0 || left > pause ? pause : left;
}

/* runs what is queued; the thread's APCs may call us, and close what we wait for */
static void run_apcs(void)
{
    static LARGE_INTEGER now;

    /* any alertable wait runs them; this one ends at once if there are none */
    NtDelayExecution( TRUE, &now );
}

/* ends the wait with WSAEINTR if the program cancelled it from its hook */
static unsigned int call_hook( struct thread_data *thread )
{
    BOOL more;

    thread->in_hook++;
    do more = (BOOL)thread->hook();
    while (more && !thread->cancelled);
    thread->in_hook--;
    return thread->cancelled ? WSAEINTR : 0;
}

static BOOL is_closing( const struct socket *sock )
{
    return sock && __atomic_load_n( &sock->closing, __ATOMIC_SEQ_CST );
}

/* One poll, cut into pieces where a hook or wineserver's APCs must be looked at. */
static unsigned int poll_once( struct thread_data *thread, struct poll_params *params, const struct deadline *deadline )
{
    LONGLONG left = time_left( deadline );

    params->timeout = left;
    if (thread->hook) params->timeout = sooner( left, HOOK_PAUSE );
    else if (thread->system_apcs) params->timeout = sooner( left, SYSTEM_PAUSE );
    return UNIX_CALL( poll, params );
}

/* The loop of every wait, in one socket or (NULL) in many. Returns 0 with params->ready (or 0 of them when
 * somebody woke us: the caller looks again), WSAETIMEDOUT, WSAEINTR. */
static unsigned int wait_loop( struct thread_data *thread, struct socket *sock, LONG wakes, struct poll_params *params,
                               const struct deadline *deadline )
{
    unsigned int error;

    params->ready = 0;
    for (;;)
    {
        if (is_closing( sock ) || thread->cancelled) return WSAEINTR;
        if (InterlockedExchange( &thread->apcs, 0 ) || thread->system_apcs)
        {
            run_apcs();
            if (is_closing( sock )) return WSAEINTR;
        }
        /* also what was closed during a wait within this one, which our wake-up went to */
        if (!sock && thread_wakes() != wakes) return 0;
        if ((error = poll_once( thread, params, deadline ))) return error;
        if (is_closing( sock )) return WSAEINTR;
        if (params->ready) return 0;
        if (params->woken && !thread->apcs) return thread->cancelled ? WSAEINTR : 0;
        if (thread->hook && (error = call_hook( thread ))) return error;
        if (!params->woken && !time_left( deadline )) return WSAETIMEDOUT;
    }
}

/* says that this thread waits, for the time of the wait; APCs may wait within a wait */
static unsigned int wait_in( struct socket *sock, LONG wakes, struct poll_params *params, const struct deadline *deadline )
{
    struct thread_data *thread = thread_get();
    struct socket *outer;
    unsigned int error;

    if (!thread || !thread_prepare_wait( thread )) return WSAENOBUFS;
    if (thread->in_hook) return WSAEINPROGRESS;
    params->wake_fd = thread->wake_fd;
    outer = thread->waiting;
    if (!outer) thread->cancelled = 0;
    __atomic_store_n( &thread->waiting, sock ? sock : THREAD_WAITS_MANY, __ATOMIC_SEQ_CST );
    error = wait_loop( thread, sock, wakes, params, deadline );
    /* the outer wait looks again after this, as the inner did */
    __atomic_store_n( &thread->waiting, outer, __ATOMIC_SEQ_CST );
    if (!outer) thread->cancelled = 0;
    return error;
}

int wait_fd_of( struct socket *sock )
{
    struct socket_params params = { sock->unix };
    int fd;

    if (socket_state( sock ) != SOCKET_LISTENING) return sock->unix->fd;
    if (__atomic_load_n( &sock->unix->accept_fd, __ATOMIC_ACQUIRE ) == -1) UNIX_CALL( socket_watch_accept, &params );
    fd = __atomic_load_n( &sock->unix->accept_fd, __ATOMIC_ACQUIRE );
    return fd != -1 ? fd : sock->unix->fd;
}

unsigned int wait_socket( struct socket *sock, short events, const struct deadline *deadline )
{
    struct unix_pollfd fds[2] = { { .fd = wait_fd_of( sock ), .events = events } };
    struct poll_params params = { .fds = fds, .count = 1 };

    return wait_in( sock, 0, &params, deadline );
}

unsigned int wait_many( struct unix_pollfd *fds, unsigned int count, unsigned int *ready, LONG wakes,
                        const struct deadline *deadline )
{
    struct poll_params params = { .fds = fds, .count = count };
    unsigned int error = wait_in( NULL, wakes, &params, deadline );

    *ready = error ? 0 : params.ready;
    return error;
}

unsigned int wait_fd( struct socket *sock, int fd, BOOL *ready, const struct deadline *deadline )
{
    struct unix_pollfd fds[2] = { { .fd = fd, .events = UNIX_POLLIN } };
    struct poll_params params = { .fds = fds, .count = 1 };
    unsigned int error = wait_in( sock, thread_wakes(), &params, deadline );

    *ready = !error && params.ready;
    return error;
}

unsigned int wait_helper_fd( struct socket *sock, int fd, const struct deadline *deadline )
{
    struct close_fd_params close_params = { fd };
    unsigned int error;
    BOOL ready;

    do error = wait_fd( sock, fd, &ready, deadline );
    while (!error && !ready);
    UNIX_CALL( close_fd, &close_params );
    return error;
}

/* ---- Winsock 1.1: what a program may do while a call blocks ---- */

/* only 1.1 has these; a 2.x program is told so */
static BOOL check_11(void)
{
    if (!startup_check()) return FALSE;
    if (startup_is_11) return TRUE;
    SetLastError( WSAEOPNOTSUPP );
    return FALSE;
}

static INT_PTR WINAPI default_hook(void)
{
    MSG msg;

    if (!PeekMessageW( &msg, 0, 0, 0, PM_REMOVE )) return FALSE;
    TranslateMessage( &msg );
    DispatchMessageW( &msg );
    return TRUE;
}

/***********************************************************************
 *      WSASetBlockingHook   (ws2_32.109)
 *
 * Winsock 1.1 only: WSAEOPNOTSUPP for others. Returns the former hook.
 */
FARPROC WINAPI WSASetBlockingHook( FARPROC hook )
{
    struct thread_data *thread;
    FARPROC former;

    TRACE( "hook %p\n", hook );

    if (!check_11()) return return_null( GetLastError() );
    if (!hook) return return_null( WSAEFAULT );
    if (!(thread = thread_get())) return return_null( WSAENOBUFS );
    former = thread->hook ? thread->hook : default_hook;
    thread->hook = hook;
    TRACE( "-> %p\n", former );
    return former;
}

/***********************************************************************
 *      WSAUnhookBlockingHook   (ws2_32.110)
 */
int WINAPI WSAUnhookBlockingHook(void)
{
    struct thread_data *thread;

    TRACE( "\n" );

    if (!check_11()) return return_error( GetLastError() );
    if ((thread = thread_get())) thread->hook = NULL;
    return return_error( 0 );
}

/***********************************************************************
 *      WSAIsBlocking   (ws2_32.114)
 */
BOOL WINAPI WSAIsBlocking(void)
{
    struct thread_data *thread = thread_get();
    BOOL ret = thread && thread->waiting;

    TRACE( "-> %d\n", ret );
    return ret;
}

/***********************************************************************
 *      WSACancelBlockingCall   (ws2_32.113)
 *
 * From the hook (or an APC) of the thread that blocks: its call ends with WSAEINTR.
 * WSAEINVAL: nothing blocks.
 */
int WINAPI WSACancelBlockingCall(void)
{
    struct thread_data *thread;

    TRACE( "\n" );

    if (!check_11()) return return_error( GetLastError() );
    if (!(thread = thread_get()) || !thread->waiting) return return_error( WSAEINVAL );
    thread->cancelled = 1;
    return return_error( 0 );
}
