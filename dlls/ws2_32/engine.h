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

#ifndef __WS2_32_ENGINE_H
#define __WS2_32_ENGINE_H

#include "completion.h"

/* which operations wait for one another: each kind is done in the order it was posted */
enum engine_queue
{
    ENGINE_RECEIVE,
    ENGINE_SEND,
    ENGINE_QUEUES
};

/* An operation, from its posting to its end. The kind's own struct begins with it; on the heap, freed by the engine. */
struct operation
{
    struct operation *next, *prev;      /* in its queue */
    struct completion completion;
    DWORD             tid;              /* of the thread that posted it */
    BOOL              at_once;          /* the call that posted it has not returned */
    ULONG_PTR         count;            /* out: bytes so far */
    DWORD            *told_count;       /* where the call says them if it is done at once; NULL: nowhere */
    DWORD            *told_flags;       /* and a receive's flags */
    DWORD             flags;            /* these */
    /* One attempt, under the socket's lock: 0 done, WSAEWOULDBLOCK, or how it failed (WSAEMSGSIZE: done, and more than fitted). */
    unsigned int    (*attempt)( struct socket *sock, struct operation *op );
    /* after it, before the program hears of it: hands results over. May be NULL. */
    void            (*finish)( struct operation *op, unsigned int error );
};

/* Posts an operation (taken over): 0 done, and told as asked for; WSA_IO_PENDING; or why it can't be: then nothing
 * is told, and nothing has been done. In the first two cases the program may have freed everything by now. */
extern unsigned int engine_post( struct socket *sock, enum engine_queue queue, struct operation *op );
/* the port and modes of a socket, for completion_from_...; only valid while it is open */
extern struct completion_port engine_port( struct socket *sock );
/* CreateIoCompletionPort: the port (duplicated) and its key; STATUS_INVALID_PARAMETER: it has one */
extern NTSTATUS engine_set_port( struct socket *sock, HANDLE port, ULONG_PTR key );
extern void engine_add_modes( struct socket *sock, ULONG modes );
/* Ends what waits: of one OVERLAPPED (io) or of all (NULL), of one thread or of all (0). FALSE: there was nothing. */
extern BOOL engine_cancel( struct socket *sock, const IO_STATUS_BLOCK *io, DWORD tid );
/* the thread ends: all it has posted does */
extern void engine_cancel_thread( DWORD tid );
/* the last handle of this process is closed: everything ends */
extern void engine_close( struct unix_socket *unix );
/* an event that is signalled while nothing waits; for a wait on the socket's handle. NULL: no memory */
extern HANDLE engine_signal( struct socket *sock );
/* shutdown: the FIN follows the sends that wait here; a Winsock error */
extern unsigned int engine_shutdown( struct socket *sock, int how );
/* somebody else's turn to send is over: sends that wait for it go on */
extern void engine_send_on( struct unix_socket *unix );

#endif /* __WS2_32_ENGINE_H */
