/*
 * The overlapped engine: operations that wait
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

/* An operation is tried when it is posted, unless others of its kind wait already. If it can't be done at once it is
 * put at the end of its socket's queue. One thread waits for all these sockets and tries the first of each queue again when
 * something happens; what is done is told at once, under the socket's lock, so in the order of posting.
 *
 * Every operation has one owner: the thread that posts it, then the queue. Whoever takes it out of the queue, under the lock,
 * ends it: the engine because it is done, a cancelling thread, closesocket. So it ends exactly once, and when closesocket or
 * CancelIoEx returns nobody touches its buffers any more.
 *
 * What belongs to the kernel socket (queues, port) is shared by all its handles in this process. */

#include "ws2_32_private.h"
#include "engine.h"
#include "bridge.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

#define BATCH 64                        /* events handled in one go */

/* the engine's part of a unix_socket; made when first needed, and kept like it for the next socket */
struct engine_socket
{
    SRWLOCK                lock;
    struct socket          shell;       /* what attempts are called with: the same kernel socket, no handle */
    struct operation       queues[ENGINE_QUEUES];       /* heads of rings */
    struct completion_port port;
    HANDLE                 signal;      /* NULL: nobody ever waited for the handle */
    BOOL                   watched;     /* epoll has it */
    BOOL                   has_turn;    /* the sends that wait have the turn (send_turn.c) */
    BOOL                   shut;        /* the FIN goes when the sends that wait have gone */
    int                    backlog_fd;  /* readable when the helper's backlog is gone; -1: not waited for */
    struct engine_socket  *next;        /* all there are */
};

static struct engine_socket *all_sockets;       /* grows only */
static DWORD engine_tid;                /* 0: there is no engine yet */
static SRWLOCK start_lock = SRWLOCK_INIT;

/* ---- queues ---- */

static BOOL is_empty( const struct operation *head )
{
    return head->next == head;
}

static void add_tail( struct operation *head, struct operation *op )
{
    op->next = head;
    op->prev = head->prev;
    head->prev->next = op;
    head->prev = op;
}

static void take_from_queue( struct operation *op )
{
    op->prev->next = op->next;
    op->next->prev = op->prev;
}

static BOOL nothing_waits( const struct engine_socket *es )
{
    return is_empty( &es->queues[ENGINE_RECEIVE] ) && is_empty( &es->queues[ENGINE_SEND] );
}

/* ---- the engine's part of a socket ---- */

static struct engine_socket *new_engine_socket( struct unix_socket *unix )
{
    struct engine_socket *es = HeapAlloc( GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*es) ), *first;
    unsigned int i;

    if (!es) return NULL;
    InitializeSRWLock( &es->lock );
    es->shell.unix = unix;
    es->shell.refs = 1;
    es->backlog_fd = -1;
    for (i = 0; i < ENGINE_QUEUES; i++) es->queues[i].next = es->queues[i].prev = &es->queues[i];
    if (InterlockedCompareExchangePointer( &unix->engine, es, NULL ))
    {
        HeapFree( GetProcessHeap(), 0, es );
        return unix->engine;
    }
    do
    {
        first = __atomic_load_n( &all_sockets, __ATOMIC_RELAXED );
        es->next = first;
    } while (InterlockedCompareExchangePointer( (void **)&all_sockets, es, first ) != first);
    return es;
}

/* NULL: it has none yet */
static struct engine_socket *find( const struct unix_socket *unix )
{
    return __atomic_load_n( (struct engine_socket **)&unix->engine, __ATOMIC_ACQUIRE );
}

static struct engine_socket *find_or_make( struct unix_socket *unix )
{
    struct engine_socket *es = find( unix );

    return es ? es : new_engine_socket( unix );
}

/* ---- the end of an operation; all of it under the lock ---- */

/* counts receives that wait, for the helper: see recv_blocking */
static void receive_ended( struct engine_socket *es )
{
    struct socket_params arm = { es->shell.unix };

    if (!InterlockedDecrement( (volatile LONG *)es->shell.unix->pending ) &&
        (socket_flags( &es->shell ) & SOCKET_RECV_SHUTDOWN)) UNIX_CALL( socket_arm, &arm );
}

/* before anybody else hears of it: what the caller's pointers point to may go with the operation */
static void tell_caller( const struct operation *op )
{
    DWORD count = op->count;

    if (op->told_count) copy_safe( op->told_count, &count, sizeof(count) );
    if (op->told_flags) copy_safe( op->told_flags, &op->flags, sizeof(op->flags) );
}

static void end_operation( struct engine_socket *es, struct operation *op, NTSTATUS status, unsigned int error )
{
    if (op->finish) op->finish( op, error );
    if (op->at_once) tell_caller( op );
    completion_deliver( &op->completion, &es->port, status, op->count, op->at_once );
    HeapFree( GetProcessHeap(), 0, op );
}

static void end_queued( struct engine_socket *es, enum engine_queue queue, struct operation *op, NTSTATUS status, unsigned int error )
{
    take_from_queue( op );
    if (queue == ENGINE_RECEIVE) receive_ended( es );
    end_operation( es, op, status, error );
    if (es->signal && nothing_waits( es )) NtSetEvent( es->signal, NULL );
}

/* ---- sending in turn ---- */

/* Sends that wait keep others out, or these would get in between. The helper's backlog comes before them. */
static unsigned int may_send( struct engine_socket *es )
{
    struct socket_watch_backlog_params params = { .socket = es->shell.unix };
    struct engine_watch_fd_params watch;
    unsigned int error;

    if (!socket_is_stream( &es->shell )) return 0;
    /* the engine's thread has it for all who post; whoever has it now calls engine_send_on */
    if (!es->has_turn && !turn_take_for( &es->shell, engine_tid )) return WSAEWOULDBLOCK;
    es->has_turn = TRUE;
    while (socket_flags( &es->shell ) & SOCKET_BACKLOGGED)
    {
        if (es->backlog_fd != -1) return WSAEWOULDBLOCK;
        if ((error = UNIX_CALL( socket_watch_backlog, &params ))) return error;
        if (params.wait_fd == -1) continue;
        watch.fd = es->backlog_fd = params.wait_fd;
        return UNIX_CALL( engine_watch_fd, &watch ) ? WSAENOBUFS : WSAEWOULDBLOCK;
    }
    return 0;
}

static unsigned int tell_shutdown( struct engine_socket *es, int how )
{
    struct socket_shutdown_params params = { .socket = es->shell.unix, .how = how };

    return UNIX_CALL( socket_shutdown, &params );
}

static void sent_all( struct engine_socket *es )
{
    if (!is_empty( &es->queues[ENGINE_SEND] )) return;
    if (es->shut) tell_shutdown( es, SD_SEND );
    es->shut = FALSE;
    if (es->has_turn) turn_leave_for( &es->shell );
    es->has_turn = FALSE;
}

static unsigned int attempt( struct engine_socket *es, enum engine_queue queue, struct operation *op )
{
    unsigned int error;

    if (queue == ENGINE_SEND && (error = may_send( es ))) return error;
    return op->attempt( &es->shell, op );
}

/* ---- progress ---- */

/* under the lock */
static void run_queue( struct engine_socket *es, enum engine_queue queue )
{
    struct operation *head = &es->queues[queue], *op;
    unsigned int error;

    while ((op = head->next) != head)
    {
        if ((error = attempt( es, queue, op )) == WSAEWOULDBLOCK) break;
        /* no socket any more: another process has closed the last handle */
        end_queued( es, queue, op, error == WSAENOTSOCK ? STATUS_CONNECTION_ABORTED : completion_status( error ), error );
    }
    if (queue == ENGINE_SEND) sent_all( es );
}

static void progress( struct engine_socket *es )
{
    AcquireSRWLockExclusive( &es->lock );
    run_queue( es, ENGINE_RECEIVE );
    run_queue( es, ENGINE_SEND );
    ReleaseSRWLockExclusive( &es->lock );
}

/* a backlog has gone that somebody's sends waited for; O(sockets), and rare */
static void backlog_gone( int fd )
{
    struct close_fd_params params = { fd };
    struct engine_socket *es;

    for (es = __atomic_load_n( &all_sockets, __ATOMIC_ACQUIRE ); es; es = es->next)
    {
        AcquireSRWLockExclusive( &es->lock );
        if (es->backlog_fd == fd)
        {
            UNIX_CALL( close_fd, &params );
            es->backlog_fd = -1;
            run_queue( es, ENGINE_SEND );
            fd = -1;
        }
        ReleaseSRWLockExclusive( &es->lock );
        if (fd == -1) return;
    }
}

static DWORD WINAPI engine_thread( void *arg )
{
    struct engine_event events[BATCH];
    struct engine_wait_params params = { .events = events, .room = BATCH };
    struct engine_socket *es;
    unsigned int i;

    (void)arg;
    for (;;)
    {
        if (UNIX_CALL( engine_wait, &params ))
        {
            ERR( "the engine can't wait\n" );
            return 1;
        }
        for (i = 0; i < params.count; i++)
        {
            if (events[i].fd != -1) backlog_gone( events[i].fd );
            else if ((es = find( events[i].socket ))) progress( es );
        }
    }
}

/* one thread a process, when the first operation has to wait */
static BOOL start_engine(void)
{
    HANDLE thread;
    DWORD tid;

    if (__atomic_load_n( &engine_tid, __ATOMIC_ACQUIRE )) return TRUE;
    AcquireSRWLockExclusive( &start_lock );
    if (!engine_tid && !UNIX_CALL( engine_start, NULL ) && (thread = CreateThread( NULL, 0, engine_thread, NULL, 0, &tid )))
    {
        CloseHandle( thread );
        __atomic_store_n( &engine_tid, tid, __ATOMIC_RELEASE );
    }
    ReleaseSRWLockExclusive( &start_lock );
    return engine_tid != 0;
}

/* ---- posting ---- */

/* TRUE: epoll has it since now: what came before has made no edge */
static BOOL watch( struct engine_socket *es, unsigned int *error )
{
    struct socket_params params = { es->shell.unix };

    *error = 0;
    if (es->watched) return FALSE;
    *error = UNIX_CALL( engine_watch, &params );
    es->watched = !*error;
    return es->watched;
}

/* A receive that waits counts as one that was there before a shutdown, unless that was faster. */
static unsigned int count_receive( struct engine_socket *es )
{
    InterlockedIncrement( (volatile LONG *)es->shell.unix->pending );
    if (!(socket_flags( &es->shell ) & SOCKET_RECV_SHUTDOWN)) return 0;
    receive_ended( es );
    return WSAESHUTDOWN;
}

static unsigned int enqueue( struct engine_socket *es, enum engine_queue queue, struct operation *op )
{
    unsigned int error;
    BOOL look_again = watch( es, &error );

    if (!error && queue == ENGINE_RECEIVE) error = count_receive( es );
    if (error)
    {
        HeapFree( GetProcessHeap(), 0, op );
        return error;
    }
    completion_begin( &op->completion );
    if (es->signal) NtResetEvent( es->signal, NULL );
    op->at_once = FALSE;
    add_tail( &es->queues[queue], op );
    if (es->has_turn) turn_keep( &es->shell );
    if (look_again) run_queue( es, queue );
    return WSA_IO_PENDING;
}

static unsigned int post_locked( struct engine_socket *es, enum engine_queue queue, struct operation *op )
{
    unsigned int error = is_empty( &es->queues[queue] ) ? attempt( es, queue, op ) : WSAEWOULDBLOCK;

    switch (error)
    {
    case 0:
        end_operation( es, op, STATUS_SUCCESS, 0 );
        return 0;
    case WSAEWOULDBLOCK:
        return enqueue( es, queue, op );
    case WSAEMSGSIZE:
        if (queue != ENGINE_RECEIVE) break;
        /* a message that was cut is a completion too: pending makes clear that it will be told */
        op->at_once = FALSE;
        end_operation( es, op, STATUS_BUFFER_OVERFLOW, error );
        return WSA_IO_PENDING;
    }
    HeapFree( GetProcessHeap(), 0, op );
    return error;
}

unsigned int engine_post( struct socket *sock, enum engine_queue queue, struct operation *op )
{
    struct engine_socket *es = start_engine() ? find_or_make( sock->unix ) : NULL;
    unsigned int error = es ? WSAENOTSOCK : WSAENOBUFS;

    op->tid = thread_posts();
    op->at_once = TRUE;
    if (es)
    {
        AcquireSRWLockExclusive( &es->lock );
        /* closesocket says so first, and then ends what it finds here */
        if (!__atomic_load_n( &sock->closing, __ATOMIC_SEQ_CST ))
        {
            error = post_locked( es, queue, op );
            op = NULL;
        }
        sent_all( es );
        ReleaseSRWLockExclusive( &es->lock );
    }
    if (op) HeapFree( GetProcessHeap(), 0, op );
    return error;
}

/* ---- ports and the handle's signal ---- */

struct completion_port engine_port( struct socket *sock )
{
    struct engine_socket *es = find( sock->unix );
    struct completion_port none = { NULL };

    return es ? es->port : none;
}

NTSTATUS engine_set_port( struct socket *sock, HANDLE port, ULONG_PTR key )
{
    struct engine_socket *es = find_or_make( sock->unix );
    NTSTATUS status = STATUS_INVALID_PARAMETER;
    HANDLE copy;

    if (!es) return STATUS_NO_MEMORY;
    AcquireSRWLockExclusive( &es->lock );
    if (!es->port.port && !(status = bridge_duplicate( port, GetCurrentProcess(), &copy )))
    {
        es->port.port = copy;
        es->port.key = key;
    }
    ReleaseSRWLockExclusive( &es->lock );
    return status;
}

void engine_add_modes( struct socket *sock, ULONG modes )
{
    struct engine_socket *es = find_or_make( sock->unix );

    if (es) InterlockedOr( (LONG *)&es->port.modes, modes );
}

HANDLE engine_signal( struct socket *sock )
{
    struct engine_socket *es = find_or_make( sock->unix );

    if (!es) return NULL;
    AcquireSRWLockExclusive( &es->lock );
    if (!es->signal) es->signal = CreateEventW( NULL, TRUE, nothing_waits( es ), NULL );
    ReleaseSRWLockExclusive( &es->lock );
    return es->signal;
}

unsigned int engine_shutdown( struct socket *sock, int how )
{
    struct socket_shutdown_params params = { .socket = sock->unix, .how = how };
    struct engine_socket *es = find( sock->unix );
    unsigned int error;
    BOOL later;

    if (!es) return UNIX_CALL( socket_shutdown, &params );
    AcquireSRWLockExclusive( &es->lock );
    later = socket_is_stream( sock ) && (how == SD_SEND || how == SD_BOTH) && !is_empty( &es->queues[ENGINE_SEND] );
    if (!(error = tell_shutdown( es, later ? how | SHUTDOWN_LATER : how )) && later) es->shut = TRUE;
    ReleaseSRWLockExclusive( &es->lock );
    return error;
}

void engine_send_on( struct unix_socket *unix )
{
    struct engine_socket *es = find( unix );

    if (!es) return;
    AcquireSRWLockExclusive( &es->lock );
    run_queue( es, ENGINE_SEND );
    ReleaseSRWLockExclusive( &es->lock );
}

/* ---- cancelling and closing ---- */

static BOOL is_meant( const struct operation *op, const IO_STATUS_BLOCK *io, DWORD tid )
{
    return (!io || op->completion.io == io) && (!tid || op->tid == tid);
}

/* under the lock */
static BOOL cancel_queue( struct engine_socket *es, enum engine_queue queue, const IO_STATUS_BLOCK *io, DWORD tid, NTSTATUS status )
{
    struct operation *head = &es->queues[queue], *op, *next;
    BOOL found = FALSE;

    for (op = head->next; op != head; op = next)
    {
        next = op->next;
        if (!is_meant( op, io, tid )) continue;
        end_queued( es, queue, op, status, WSA_OPERATION_ABORTED );
        found = TRUE;
    }
    /* those behind may go on now */
    if (found) run_queue( es, queue );
    return found;
}

static BOOL cancel_all( struct engine_socket *es, const IO_STATUS_BLOCK *io, DWORD tid, NTSTATUS status )
{
    BOOL received, sent;

    AcquireSRWLockExclusive( &es->lock );
    received = cancel_queue( es, ENGINE_RECEIVE, io, tid, status );
    sent = cancel_queue( es, ENGINE_SEND, io, tid, status );
    sent_all( es );
    ReleaseSRWLockExclusive( &es->lock );
    return received || sent;
}

BOOL engine_cancel( struct socket *sock, const IO_STATUS_BLOCK *io, DWORD tid )
{
    struct engine_socket *es = find( sock->unix );

    return es && cancel_all( es, io, tid, STATUS_CANCELLED );
}

void engine_cancel_thread( DWORD tid )
{
    struct engine_socket *es;

    for (es = __atomic_load_n( &all_sockets, __ATOMIC_ACQUIRE ); es; es = es->next)
        cancel_all( es, NULL, tid, STATUS_CANCELLED );
}

void engine_close( struct unix_socket *unix )
{
    struct engine_socket *es = find( unix );
    struct close_fd_params params;

    if (!es) return;
    cancel_all( es, NULL, 0, socket_has_connections( &es->shell ) ? STATUS_CONNECTION_ABORTED : STATUS_CANCELLED );
    AcquireSRWLockExclusive( &es->lock );
    params.fd = es->backlog_fd;
    if (es->backlog_fd != -1) UNIX_CALL( close_fd, &params );
    es->backlog_fd = -1;
    if (es->port.port) NtClose( es->port.port );
    if (es->signal) NtClose( es->signal );
    memset( &es->port, 0, sizeof(es->port) );
    es->signal = NULL;
    es->watched = FALSE;
    ReleaseSRWLockExclusive( &es->lock );
}
