/*
 * Overlapped operations: how they ended
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


/* Winsock's name of how an operation ended. Documented piecemeal, with the errors
 * of WSARecv, WSASend and WSAGetOverlappedResult; the rest goes Windows' general way. */
unsigned int overlapped_error( NTSTATUS status )
{
    if (NT_SUCCESS( status )) return 0;

    switch (status)
    {
    case STATUS_ACCESS_VIOLATION:       return WSAEFAULT;
    case STATUS_BUFFER_OVERFLOW:        return WSAEMSGSIZE;
    case STATUS_BUFFER_TOO_SMALL:       return WSAEFAULT;
    case STATUS_CANCELLED:              return WSA_OPERATION_ABORTED;
    case STATUS_CONNECTION_ABORTED:     return WSAECONNABORTED;
    case STATUS_CONNECTION_DISCONNECTED: return WSAECONNRESET;
    case STATUS_CONNECTION_REFUSED:     return WSAECONNREFUSED;
    case STATUS_CONNECTION_RESET:       return WSAECONNRESET;
    case STATUS_HOST_UNREACHABLE:       return WSAEHOSTUNREACH;
    case STATUS_IO_TIMEOUT:             return WSAETIMEDOUT;
    case STATUS_INSUFFICIENT_RESOURCES: return WSAENOBUFS;
    case STATUS_INVALID_HANDLE:         return WSAENOTSOCK;
    case STATUS_LOCAL_DISCONNECT:       return WSAECONNABORTED;
    case STATUS_NETWORK_UNREACHABLE:    return WSAENETUNREACH;
    case STATUS_NO_MEMORY:              return WSAENOBUFS;
    case STATUS_PORT_UNREACHABLE:       return WSAECONNRESET;
    case STATUS_REMOTE_DISCONNECT:      return WSAECONNRESET;
    case STATUS_GRACEFUL_DISCONNECT:    return WSAEDISCON;
    default:                            return RtlNtStatusToDosError( status );
    }
}


/* A receive says in its status what WSARecv without an OVERLAPPED says in its flags. */
DWORD overlapped_flags( NTSTATUS status )
{
    switch (status)
    {
    case STATUS_RECEIVE_PARTIAL:            return MSG_PARTIAL;
    case STATUS_RECEIVE_EXPEDITED:          return MSG_OOB;
    case STATUS_RECEIVE_PARTIAL_EXPEDITED:  return MSG_PARTIAL | MSG_OOB;
    case STATUS_BUFFER_OVERFLOW:            return MSG_PARTIAL;
    default:                                return 0;
    }
}


/***********************************************************************
 *      WSAGetOverlappedResult  (ws2_32.@)
 *
 * WSANOTINITIALISED, WSAENOTSOCK, WSAEFAULT, WSA_INVALID_HANDLE (to be waited for,
 * without an event), WSA_IO_INCOMPLETE, or how the operation ended.
 */
BOOL WINAPI WSAGetOverlappedResult( SOCKET s, WSAOVERLAPPED *overlapped, DWORD *transfer, BOOL wait, DWORD *flags )
{
    struct socket *sock;
    NTSTATUS status;
    unsigned int error;

    TRACE( "socket %#Ix, overlapped %p, transfer %p, wait %d, flags %p\n", s, overlapped, transfer, wait, flags );

    if (!(sock = socket_get( s ))) return return_bool( GetLastError() );
    socket_put( sock );
    if (!overlapped || !transfer || !flags || !probe_read( overlapped, sizeof(*overlapped) )
        || !probe_write( transfer, sizeof(*transfer) ) || !probe_write( flags, sizeof(*flags) ))
        return return_bool( WSAEFAULT );

    status = *(volatile ULONG_PTR *)&overlapped->Internal;
    if (status == (NTSTATUS)STATUS_PENDING)
    {
        if (!wait) return return_bool( WSA_IO_INCOMPLETE );
        /* the low bit asks for no packet at a port; it is no part of the handle */
        if (WaitForSingleObject( (HANDLE)((ULONG_PTR)overlapped->hEvent & ~(ULONG_PTR)1), INFINITE ) == WAIT_FAILED)
            return return_bool( WSA_INVALID_HANDLE );
        status = *(volatile ULONG_PTR *)&overlapped->Internal;
    }

    *transfer = overlapped->InternalHigh;
    *flags = overlapped_flags( status );
    error = overlapped_error( status );
    if (!error) SetLastError( 0 );

    TRACE( "status %#lx, transfer %lu, flags %s\n", status, *transfer, debugstr_msg_flags( *flags ));
    return return_bool( error );
}


/***********************************************************************
 *      ProcessSocketNotifications (ws2_32.@)
 *
 * Returns an error, sets none.
 */
DWORD WINAPI ProcessSocketNotifications( HANDLE port, UINT32 count, void *registrations, UINT32 timeout,
                                         ULONG room, OVERLAPPED_ENTRY *entries, UINT32 *received )
{
    FIXME_ONCE( "port %p, count %u, registrations %p, timeout %u, room %lu, entries %p, received %p: not built yet\n",
                port, count, registrations, timeout, room, entries, received );
    return return_code( ERROR_NOT_SUPPORTED );
}
