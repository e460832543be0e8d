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

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

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
    data->wake_fd = -1;
    /* what was queued before we saw the thread is looked at in its first wait */
    data->apcs = 1;
    data->next = threads;
    threads = data;
    return data;
}

/* Another thread may have made the data before, to note an APC. */
struct thread_data *thread_get(void)
{
    DWORD error = GetLastError();       /* TlsGetValue clears it */
    struct thread_data *data = TlsGetValue( tls_index );

    if (!data)
    {
        AcquireSRWLockExclusive( &threads_lock );
        data = find_or_add( GetCurrentThreadId() );
        ReleaseSRWLockExclusive( &threads_lock );
        TlsSetValue( tls_index, data );
    }
    SetLastError( error );
    return data;
}

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

void thread_detach(void)
{
    struct thread_data *data = TlsGetValue( tls_index ), **ptr;
    struct close_fd_params params;

    /* without a value there may still be one that another thread's APC made */
    AcquireSRWLockExclusive( &threads_lock );
    if (!data) data = find( GetCurrentThreadId() );
    if (data)
    {
        for (ptr = &threads; *ptr != data; ptr = &(*ptr)->next) /* nothing */;
        *ptr = data->next;
    }
    ReleaseSRWLockExclusive( &threads_lock );
    if (!data) return;

    TlsSetValue( tls_index, NULL );
    if ((params.fd = data->wake_fd) != -1) UNIX_CALL( close_fd, &params );
    HeapFree( GetProcessHeap(), 0, data->hostent );
    HeapFree( GetProcessHeap(), 0, data->servent );
    HeapFree( GetProcessHeap(), 0, data->protoent );
    HeapFree( GetProcessHeap(), 0, data );
}
