/*
 * Overlapped sends
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

/* the operation, with its own copy of what the program may take back when the call has returned */
struct sending
{
    struct operation   op;
    struct send_params params;
    SIZE_T             total;
    struct address     target;
    char              *control;         /* behind bufs */
    WSABUF             bufs[1];
};

static unsigned int attempt( struct socket *sock, struct operation *op )
{
    struct sending *sending = CONTAINING_RECORD( op, struct sending, op );
    unsigned int error = 0;

    if (!socket_is_stream( sock ))
    {
        if (!(error = send_try( sock, &sending->params ))) op->count = sending->params.result;
        return error;
    }
    while (sending->params.skip < sending->total && !(error = send_try( sock, &sending->params )))
        op->count = sending->params.skip += sending->params.result;
    return error;
}

unsigned int send_post( struct socket *sock, const struct send_params *params, DWORD *count, const struct completion *completion )
{
    SIZE_T size = offsetof( struct sending, bufs[params->count] );
    struct sending *sending;

    if (!(sending = HeapAlloc( GetProcessHeap(), HEAP_ZERO_MEMORY, size + params->control_len ))) return WSAENOBUFS;
    memcpy( sending->bufs, params->bufs, params->count * sizeof(WSABUF) );
    sending->op.completion = *completion;
    sending->op.attempt = attempt;
    sending->op.told_count = count;
    sending->params = *params;
    sending->params.socket = sock->unix;
    sending->params.bufs = (const struct unix_buf *)sending->bufs;
    sending->total = buffers_length( sending->bufs, params->count );
    if (params->addr)
    {
        memcpy( sending->target.data, params->addr, params->addr_len );
        sending->params.addr = sending->target.data;
    }
    if (params->control)
    {
        sending->control = (char *)sending + size;
        memcpy( sending->control, params->control, params->control_len );
        sending->params.control = sending->control;
    }
    return engine_post( sock, ENGINE_SEND, &sending->op );
}
