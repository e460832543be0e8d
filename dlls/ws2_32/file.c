/*
 * ReadFile and WriteFile on sockets
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

/* C runtimes read and write sockets this way, made without WSA_FLAG_OVERLAPPED. These are recv and
 * send with an NTSTATUS. Overlapped ones are the overlapped engine's. */

#include "ws2_32_private.h"
#include "file.h"
#include "engine.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

/* an overlapped socket, and a caller who need not wait */
static struct socket *get_overlapped( HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc, const LARGE_INTEGER *offset )
{
    struct socket *sock;

    if (!event && !apc && !offset) return NULL;
    if (!(sock = socket_get( (SOCKET)handle ))) return NULL;
    if (socket_option( sock, OPTION_CONTEXT ) & 1) return sock;
    socket_put( sock );
    return NULL;
}

static NTSTATUS complete( NTSTATUS status, ULONG_PTR count, HANDLE event, PIO_APC_ROUTINE apc, void *context, IO_STATUS_BLOCK *io )
{
    if (NT_ERROR( status )) return status;
    io->Status = status;
    io->Information = count;
    if (event) NtSetEvent( event, NULL );
    if (apc) NtQueueApcThread( GetCurrentThread(), (PNTAPCFUNC)(void *)apc, (ULONG_PTR)context, (ULONG_PTR)io, 0 );
    return status;
}

/* the one that posts: recv_file or send_file */
typedef unsigned int post_func( struct socket *sock, const WSABUF *buf, const struct completion *completion );

static NTSTATUS post( struct socket *sock, post_func *func, const WSABUF *buf, HANDLE event, PIO_APC_ROUTINE apc, void *context,
                      IO_STATUS_BLOCK *io )
{
    struct completion_port port = engine_port( sock );
    struct completion completion;
    unsigned int error;

    if (!(error = completion_from_file( &completion, &port, event, apc, context, io )))
        error = func( sock, buf, &completion );
    socket_put( sock );
    return error == WSA_IO_PENDING ? STATUS_PENDING : completion_status( error );
}

NTSTATUS file_read( HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc, void *context, IO_STATUS_BLOCK *io,
                    void *buffer, ULONG len, const LARGE_INTEGER *offset )
{
    DWORD error = GetLastError();
    NTSTATUS status = STATUS_SUCCESS;
    struct socket *sock;
    WSABUF buf = { len, (char *)buffer };
    int ret;

    if ((sock = get_overlapped( handle, event, apc, offset ))) status = post( sock, recv_file, &buf, event, apc, context, io );
    SetLastError( error );
    if (sock) return status;
    if ((ret = recv( (SOCKET)handle, buffer, len, 0 )) == SOCKET_ERROR)
    {
        status = completion_status( GetLastError() );
        ret = GetLastError() == WSAEMSGSIZE ? len : 0;
    }
    SetLastError( error );
    return complete( status, ret, event, apc, context, io );
}

NTSTATUS file_write( HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc, void *context, IO_STATUS_BLOCK *io,
                     const void *buffer, ULONG len, const LARGE_INTEGER *offset )
{
    DWORD error = GetLastError();
    NTSTATUS status = STATUS_SUCCESS;
    struct socket *sock;
    WSABUF buf = { len, (char *)buffer };
    int ret;

    if ((sock = get_overlapped( handle, event, apc, offset ))) status = post( sock, send_file, &buf, event, apc, context, io );
    SetLastError( error );
    if (sock) return status;
    if ((ret = send( (SOCKET)handle, buffer, len, 0 )) == SOCKET_ERROR) status = completion_status( GetLastError() );
    SetLastError( error );
    return complete( status, ret, event, apc, context, io );
}
