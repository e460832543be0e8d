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

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

static NTSTATUS status_from_error( unsigned int error )
{
    switch (error)
    {
    case WSAEWOULDBLOCK:  return STATUS_DEVICE_NOT_READY;
    case WSAECONNRESET:   return STATUS_CONNECTION_RESET;
    case WSAECONNABORTED: return STATUS_CONNECTION_ABORTED;
    case WSAESHUTDOWN:    return STATUS_PIPE_DISCONNECTED;
    case WSAENOTCONN:     return STATUS_INVALID_CONNECTION;
    case WSAETIMEDOUT:    return STATUS_IO_TIMEOUT;
    case WSAEINTR:        return STATUS_CANCELLED;
    case WSAEFAULT:       return STATUS_ACCESS_VIOLATION;
    case WSAEMSGSIZE:     return STATUS_BUFFER_OVERFLOW;
    case WSAENOTSOCK:     return STATUS_INVALID_HANDLE;
    case WSAENOBUFS:      return STATUS_INSUFFICIENT_RESOURCES;
    case WSAEINVAL:       return STATUS_INVALID_PARAMETER;
    default:              return STATUS_UNSUCCESSFUL;
    }
}

/* an overlapped socket, and a caller who would not wait */
static BOOL would_pend( HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc, const LARGE_INTEGER *offset )
{
    struct socket *sock;
    BOOL ret;

    if (!event && !apc && !offset) return FALSE;
    if (!(sock = socket_get( (SOCKET)handle ))) return FALSE;
    ret = socket_option( sock, OPTION_CONTEXT ) & 1;
    socket_put( sock );
    if (ret) FIXME_ONCE( "overlapped ReadFile and WriteFile on socket %p: not built\n", handle );
    return ret;
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

NTSTATUS file_read( HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc, void *context, IO_STATUS_BLOCK *io,
                    void *buffer, ULONG len, const LARGE_INTEGER *offset )
{
    DWORD error = GetLastError();
    NTSTATUS status = STATUS_SUCCESS;
    int ret;

    if (would_pend( handle, event, apc, offset )) return STATUS_NOT_SUPPORTED;
    if ((ret = recv( (SOCKET)handle, buffer, len, 0 )) == SOCKET_ERROR)
    {
        status = status_from_error( GetLastError() );
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
    int ret;

    if (would_pend( handle, event, apc, offset )) return STATUS_NOT_SUPPORTED;
    if ((ret = send( (SOCKET)handle, buffer, len, 0 )) == SOCKET_ERROR) status = status_from_error( GetLastError() );
    SetLastError( error );
    return complete( status, ret, event, apc, context, io );
}
