/*
 * Overlapped receives
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
#include "engine.h"

/* the operation, with its own copy of the buffers' descriptions: the program's array may go when the call has returned */
struct receive
{
    struct operation   op;
    struct recv_params params;
    SIZE_T             wanted;          /* bytes that a stream's receive waits for */
    struct address     from;
    struct recv_results results;
    WSAMSG             msg;             /* WSARecvMsg's as it was when posted */
    WSABUF             bufs[1];
};

static struct receive *from_operation( struct operation *op )
{
    return CONTAINING_RECORD( op, struct receive, op );
}

static unsigned int attempt_datagram( struct socket *sock, struct receive *receive )
{
    unsigned int error = recv_try( sock, &receive->params );

    if (error && error != WSAEMSGSIZE) return error;
    receive->op.count = receive->params.result;
    if (error) return error;
    return receive->params.result_flags & (UNIX_MSG_TRUNC | UNIX_MSG_CTRUNC) ? WSAEMSGSIZE : 0;
}

static unsigned int attempt( struct socket *sock, struct operation *op )
{
    struct receive *receive = from_operation( op );
    unsigned int error;

    if (!socket_is_stream( sock )) return attempt_datagram( sock, receive );
    do
    {
        error = recv_try( sock, &receive->params );
        /* what has come before an error is the result; the next receive will tell */
        if (error) return error == WSAEWOULDBLOCK || !receive->params.skip ? error : 0;
        receive->params.skip += receive->params.result;
        op->count = receive->params.skip;
    } while (receive->params.result && op->count < receive->wanted);
    return 0;
}

static void finish( struct operation *op, unsigned int error )
{
    struct receive *receive = from_operation( op );
    const struct recv_results *results = &receive->results;

    if (error && error != WSAEMSGSIZE) return;
    receive->from.len = receive->params.addr_len;
    if (results->msg) recv_return_msg( &receive->params, &receive->from, &receive->msg, results->msg );
    else if (results->addr) address_return( &receive->from, results->addr, results->addr_len );
}

unsigned int recv_post( struct socket *sock, const struct recv_params *params, DWORD flags,
                        const struct recv_results *results, const struct completion *completion )
{
    struct receive *receive = HeapAlloc( GetProcessHeap(), HEAP_ZERO_MEMORY,
                                         offsetof( struct receive, bufs[params->count] ) );

    if (!receive) return WSAENOBUFS;
    memcpy( receive->bufs, params->bufs, params->count * sizeof(WSABUF) );
    receive->op.completion = *completion;
    receive->op.attempt = attempt;
    receive->op.finish = finish;
    receive->op.told_count = results->count;
    receive->op.told_flags = results->flags;
    receive->op.flags = flags & MSG_OOB;
    receive->params = *params;
    receive->params.socket = sock->unix;
    receive->params.bufs = (const struct unix_buf *)receive->bufs;
    receive->params.flags = flags & MSG_OOB;
    receive->wanted = flags & MSG_WAITALL ? buffers_length( receive->bufs, params->count ) : 1;
    receive->results = *results;
    if (results->msg) receive->msg = *results->msg;
    if (results->addr || results->msg)
    {
        receive->params.addr = receive->from.data;
        receive->params.addr_len = sizeof(receive->from.data);
    }
    /* without a buffer, that there was control data is told all the same */
    if (results->msg && !params->control_len) receive->params.control = &receive->params.control_len;
    return engine_post( sock, ENGINE_RECEIVE, &receive->op );
}
