/*
 * What a thread has of ours, and waking threads that wait
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
#include "bridge.h"
#include "engine.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

/* A thread may end within a call: by TerminateThread, or by ExitThread in an APC or a hook. So what it has of a
 * socket is noted with the thread. Whoever misses it (closesocket does, when it waits for others to leave; so does
 * the thread's successor of the same id) looks whether the kernel still knows the thread, and gives it up. */

#define END_WAIT 20                     /* ms that TerminateThread waits for a thread that is in a socket to be gone */

static DWORD tls_index = TLS_OUT_OF_INDEXES;
static struct thread_data *threads;     /* all threads with data; under threads_lock */
static SRWLOCK threads_lock = SRWLOCK_INIT;
static LONG wakes;                      /* calls of thread_wake */

BOOL thread_attach_process(void)
{
    return (tls_index = TlsAlloc()) != TLS_OUT_OF_INDEXES;
}

/* under threads_lock */
static struct thread_data *find( DWORD tid )
{
    struct thread_data *data;

    for (data = threads; data; data = data->next)
        if (data->tid == tid) return data;
    return NULL;
}

/* under threads_lock; O(threads) */
static struct thread_data *find_or_add( DWORD tid )
{
    struct thread_data *data;

    if ((data = find( tid ))) return data;
    if (!(data = HeapAlloc( GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*data) ))) return NULL;
    data->tid = tid;
    data->uses = data->first_uses;
    data->use_room = THREAD_FIRST_USES;
    data->wake_fd = -1;
    /* what was queued before we saw the thread is looked at in its first wait */
    data->apcs = 1;
    data->next = threads;
    threads = data;
    return data;
}

/* under threads_lock */
static void unlink_data( struct thread_data *data )
{
    struct thread_data **ptr;

    for (ptr = &threads; *ptr != data; ptr = &(*ptr)->next) /* nothing */;
    *ptr = data->next;
    data->next = NULL;
}

static void end_receive( struct thread_use *use )
{
    struct socket_params arm = { use->sock->unix };

    if (!InterlockedDecrement( use->pending ) && (socket_flags( use->sock ) & SOCKET_RECV_SHUTDOWN))
        UNIX_CALL( socket_arm, &arm );
}

/* the thread is no more, and its data is out of the list */
static void give_up( struct thread_data *data )
{
    struct close_fd_params params = { data->wake_fd };
    struct thread_use *use;

    turn_stop_waiting( data->tid );
    while (data->use_count)
    {
        use = &data->uses[--data->use_count];
        WARN( "thread %#lx ended in socket %#Ix\n", data->tid, use->sock->handle );
        if (use->pending) end_receive( use );
        if (use->connection) accept_refuse( use->connection );
        if (use->handle.handle) handle_give( &use->handle );
        turn_abandon( use->sock->unix, data->tid );
        socket_release( use->sock );
    }
    if (data->wake_fd != -1) UNIX_CALL( close_fd, &params );
    if (data->self) NtClose( data->self );
    if (data->uses != data->first_uses) HeapFree( GetProcessHeap(), 0, data->uses );
    HeapFree( GetProcessHeap(), 0, data->hostent );
    HeapFree( GetProcessHeap(), 0, data->servent );
    HeapFree( GetProcessHeap(), 0, data->protoent );
    HeapFree( GetProcessHeap(), 0, data );
}

/* Another thread may have made the data before, to note an APC; or a thread of this id had it,
 * and was terminated. */
static struct thread_data *attach(void)
{
    struct thread_data *data, *former = NULL;
    DWORD tid = GetCurrentThreadId();

    AcquireSRWLockExclusive( &threads_lock );
    if ((data = find( tid )) && data->unix_id) unlink_data( former = data );
    data = find_or_add( tid );
    ReleaseSRWLockExclusive( &threads_lock );
    TlsSetValue( tls_index, data );
    if (former) give_up( former );
    return data;
}

/* without the last error, which TlsGetValue would clear */
static inline struct thread_data *current(void)
{
    DWORD error;
    void *data;

    if (tls_index < ARRAY_SIZE(NtCurrentTeb()->TlsSlots)) return NtCurrentTeb()->TlsSlots[tls_index];
    error = GetLastError();
    data = TlsGetValue( tls_index );
    SetLastError( error );
    return data;
}

struct thread_data *thread_get(void)
{
    struct thread_data *data = current();
    DWORD error;

    if (data) return data;
    error = GetLastError();
    data = attach();
    SetLastError( error );
    return data;
}

/* ---- what a thread is in ---- */

static BOOL more_room( struct thread_data *data )
{
    unsigned int room = data->use_room * 4;
    struct thread_use *uses;

    if (!(uses = HeapAlloc( GetProcessHeap(), 0, room * sizeof(*uses) ))) return FALSE;
    memcpy( uses, data->uses, data->use_count * sizeof(*uses) );
    if (data->uses != data->first_uses) HeapFree( GetProcessHeap(), 0, data->uses );
    data->uses = uses;
    data->use_room = room;
    return TRUE;
}

static void learn_id( struct thread_data *data )
{
    struct thread_id_params params;

    UNIX_CALL( thread_id, &params );
    data->unix_id = params.id;
}

/* without memory it goes unnoted, which matters only if the thread is terminated */
void thread_enter( struct socket *sock )
{
    struct thread_data *data = thread_get();
    struct thread_use *use;

    if (!data || (data->use_count == data->use_room && !more_room( data ))) return;
    if (!data->unix_id) learn_id( data );
    use = &data->uses[data->use_count];
    use->sock = sock;
    use->pending = NULL;
    use->handle.handle = NULL;
    use->connection = NULL;
    __atomic_store_n( &data->use_count, data->use_count + 1, __ATOMIC_RELEASE );
}

void thread_leave( struct socket *sock )
{
    struct thread_data *data = thread_get();
    unsigned int i = data ? data->use_count : 0;

    while (i && data->uses[i - 1].sock != sock) i--;
    if (!i) return;
    memmove( &data->uses[i - 1], &data->uses[i], (data->use_count - i) * sizeof(*data->uses) );
    __atomic_store_n( &data->use_count, data->use_count - 1, __ATOMIC_RELEASE );
}

BOOL thread_is_in( const struct socket *sock )
{
    struct thread_data *data = thread_get();
    unsigned int i = data ? data->use_count : 0;

    while (i && data->uses[i - 1].sock != sock) i--;
    return i != 0;
}

static struct thread_use *last_use(void)
{
    struct thread_data *data = thread_get();

    return data && data->use_count ? &data->uses[data->use_count - 1] : NULL;
}

void thread_receive_begin( volatile LONG *pending )
{
    struct thread_use *use = last_use();

    InterlockedIncrement( pending );
    if (use) use->pending = pending;
}

/* the caller counts down itself */
void thread_receive_end(void)
{
    struct thread_use *use = last_use();

    if (use) use->pending = NULL;
}

void thread_accept_begin( const struct handle *handle )
{
    struct thread_use *use = last_use();

    if (use) use->handle = *handle;
}

void thread_accept_decides( struct unix_socket *connection )
{
    struct thread_use *use = last_use();

    if (use) use->connection = connection;
}

void thread_accept_end(void)
{
    struct thread_use *use = last_use();

    if (use) use->handle.handle = NULL;
}

static BOOL is_dead( const struct thread_data *data )
{
    struct thread_alive_params params = { .id = data->unix_id };

    if (!data->unix_id || !__atomic_load_n( &data->use_count, __ATOMIC_ACQUIRE )) return FALSE;
    UNIX_CALL( thread_alive, &params );
    return !params.alive;
}

void thread_reap(void)
{
    struct thread_data *data, *next, *dead = NULL;

    AcquireSRWLockExclusive( &threads_lock );
    for (data = threads; data; data = next)
    {
        next = data->next;
        if (!is_dead( data )) continue;
        unlink_data( data );
        data->next = dead;
        dead = data;
    }
    ReleaseSRWLockExclusive( &threads_lock );
    for (; dead; dead = next)
    {
        next = dead->next;
        give_up( dead );
    }
}

/* is a thread of that id in a socket, dead or alive? */
static BOOL is_in_any( DWORD tid )
{
    struct thread_data *data;
    BOOL ret;

    AcquireSRWLockShared( &threads_lock );
    ret = (data = find( tid )) && data->unix_id && data->use_count;
    ReleaseSRWLockShared( &threads_lock );
    return ret;
}

/* it is a moment until the kernel has ended it */
void thread_terminated( HANDLE thread )
{
    THREAD_BASIC_INFORMATION info;
    DWORD tid, i;

    if (NtQueryInformationThread( thread, ThreadBasicInformation, &info, sizeof(info), NULL )) return;
    if (HandleToULong( info.ClientId.UniqueProcess ) != GetCurrentProcessId()) return;
    tid = HandleToULong( info.ClientId.UniqueThread );
    for (i = 0; i < END_WAIT && is_in_any( tid ); i++)
    {
        if (i) Sleep( 1 );
        thread_reap();
    }
}

/* ---- waiting and waking ---- */

BOOL thread_prepare_wait( struct thread_data *data )
{
    struct event_create_params params;

    if (data->wake_fd != -1) return TRUE;
    if (UNIX_CALL( event_create, &params )) return FALSE;
    __atomic_store_n( &data->wake_fd, params.fd, __ATOMIC_RELEASE );
    return TRUE;
}

static void signal_thread( struct thread_data *data )
{
    struct event_signal_params params = { __atomic_load_n( &data->wake_fd, __ATOMIC_ACQUIRE ) };

    if (params.fd != -1) UNIX_CALL( event_signal, &params );
}

/* Whoever waits in many sockets can't look at all of them between saying that it waits and waiting:
 * it remembers this number from before it looked, and looks at the number. */
LONG thread_wakes(void)
{
    return __atomic_load_n( &wakes, __ATOMIC_SEQ_CST );
}

/* O(threads that ever waited): closing is rarer than waiting, so it pays */
void thread_wake( struct socket *sock )
{
    struct thread_data *data;
    struct socket *waiting;

    InterlockedIncrement( &wakes );
    AcquireSRWLockShared( &threads_lock );
    for (data = threads; data; data = data->next)
    {
        waiting = __atomic_load_n( &data->waiting, __ATOMIC_ACQUIRE );
        if (waiting && (waiting == sock || waiting == THREAD_WAITS_MANY)) signal_thread( data );
    }
    ReleaseSRWLockShared( &threads_lock );
}

/* by whichever handle; objects are never freed, so one that is being given back can be looked at */
void thread_wake_in( const struct unix_socket *unix )
{
    struct thread_data *data;
    struct socket *waiting;

    AcquireSRWLockShared( &threads_lock );
    for (data = threads; data; data = data->next)
    {
        waiting = __atomic_load_n( &data->waiting, __ATOMIC_ACQUIRE );
        if (waiting && waiting != THREAD_WAITS_MANY && waiting->unix == unix) signal_thread( data );
    }
    ReleaseSRWLockShared( &threads_lock );
}

void thread_note_apc( DWORD tid )
{
    struct thread_data *data;

    AcquireSRWLockExclusive( &threads_lock );
    if ((data = find_or_add( tid )))
    {
        InterlockedExchange( &data->apcs, 1 );
        if (__atomic_load_n( &data->waiting, __ATOMIC_ACQUIRE )) signal_thread( data );
    }
    ReleaseSRWLockExclusive( &threads_lock );
}

/* perhaps within a call: an APC can end its thread */
void thread_detach(void)
{
    struct thread_data *data = current();

    /* without a value there may still be one that another thread's APC made */
    AcquireSRWLockExclusive( &threads_lock );
    if (data || (data = find( GetCurrentThreadId() ))) unlink_data( data );
    ReleaseSRWLockExclusive( &threads_lock );
    if (!data) return;

    if (data->posts) engine_cancel_thread( data->tid );
    TlsSetValue( tls_index, NULL );
    give_up( data );
}

DWORD thread_posts(void)
{
    struct thread_data *data = thread_get();

    if (data) data->posts = TRUE;
    return GetCurrentThreadId();
}

HANDLE thread_handle(void)
{
    struct thread_data *data = thread_get();

    if (data && !data->self) bridge_duplicate( GetCurrentThread(), GetCurrentProcess(), &data->self );
    return data ? data->self : NULL;
}
