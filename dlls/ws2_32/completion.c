/*
 * How the end of an overlapped operation is told
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

/* An operation that has ended says so in its OVERLAPPED, by its event, and then by an APC of the thread that posted it
 * or by a packet at the socket's port: what the program asked for. The event's handle is the program's; it must last as long
 * as the operation, as on Windows it need not: there is one request to wineserver less for each. */

#include "ws2_32_private.h"
#include "completion.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

NTSTATUS completion_status( unsigned int error )
{
    switch (error)
    {
    case 0:                     return STATUS_SUCCESS;
    case WSAEWOULDBLOCK:        return STATUS_DEVICE_NOT_READY;
    case WSAECONNRESET:         return STATUS_CONNECTION_RESET;
    case WSAECONNABORTED:       return STATUS_CONNECTION_ABORTED;
    case WSAENETRESET:          return STATUS_NETWORK_NAME_DELETED;
    case WSAESHUTDOWN:          return STATUS_PIPE_DISCONNECTED;
    case WSAENOTCONN:           return STATUS_INVALID_CONNECTION;
    case WSAETIMEDOUT:          return STATUS_IO_TIMEOUT;
    case WSAEINTR:
    case WSA_OPERATION_ABORTED: return STATUS_CANCELLED;
    case WSAEFAULT:             return STATUS_ACCESS_VIOLATION;
    case WSAEMSGSIZE:           return STATUS_BUFFER_OVERFLOW;
    case WSAENOTSOCK:           return STATUS_INVALID_HANDLE;
    case WSAENOBUFS:            return STATUS_INSUFFICIENT_RESOURCES;
    case WSAEINVAL:             return STATUS_INVALID_PARAMETER;
    case WSAEACCES:             return STATUS_ACCESS_DENIED;
    case WSAECONNREFUSED:       return STATUS_CONNECTION_REFUSED;
    case WSAEHOSTUNREACH:       return STATUS_HOST_UNREACHABLE;
    case WSAENETUNREACH:        return STATUS_NETWORK_UNREACHABLE;
    case WSAEADDRNOTAVAIL:      return STATUS_INVALID_ADDRESS_COMPONENT;
    case WSAEDISCON:            return STATUS_GRACEFUL_DISCONNECT;
    default:                    return STATUS_UNSUCCESSFUL;
    }
}

/* ---- Winsock's completion routines ---- */

/* the APC: the operation's status is in its OVERLAPPED */
static void CALLBACK run_routine( ULONG_PTR func, ULONG_PTR arg, ULONG_PTR reserved )
{
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine = (LPWSAOVERLAPPED_COMPLETION_ROUTINE)func;
    WSAOVERLAPPED *overlapped = (WSAOVERLAPPED *)arg;
    NTSTATUS status = overlapped->Internal;

    (void)reserved;
    TRACE( "calling %p, overlapped %p, status %#lx, %Iu bytes\n", routine, overlapped, status, overlapped->InternalHigh );
    routine( overlapped_error( status ), overlapped->InternalHigh, overlapped, overlapped_flags( status ) );
}

static unsigned int complete_apc( struct completion *completion, const struct completion_port *port )
{
    if (port->port) return WSAEINVAL;
    if ((completion->thread = thread_handle())) return 0;
    return WSAENOBUFS;
}

unsigned int completion_from_overlapped( struct completion *completion, const struct completion_port *port,
                                         WSAOVERLAPPED *overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine )
{
    ULONG_PTR event;

    memset( completion, 0, sizeof(*completion) );
    if (!probe_write( overlapped, sizeof(*overlapped) )) return WSAEFAULT;
    completion->io = (IO_STATUS_BLOCK *)overlapped;
    if (routine)
    {
        /* hEvent is the routine's own then */
        completion->apc = (PNTAPCFUNC)run_routine;
        completion->apc_arg = (ULONG_PTR)routine;
        return complete_apc( completion, port );
    }
    event = (ULONG_PTR)overlapped->hEvent;
    completion->event = (HANDLE)(event & ~(ULONG_PTR)1);
    completion->value = event & 1 ? 0 : (ULONG_PTR)overlapped;
    return 0;
}

unsigned int completion_from_file( struct completion *completion, const struct completion_port *port, HANDLE event,
                                   PIO_APC_ROUTINE apc, void *context, IO_STATUS_BLOCK *io )
{
    memset( completion, 0, sizeof(*completion) );
    if (!probe_write( io, sizeof(*io) )) return WSAEFAULT;
    completion->io = io;
    completion->event = (HANDLE)((ULONG_PTR)event & ~(ULONG_PTR)1);
    if (!apc)
    {
        completion->value = (ULONG_PTR)context;
        return 0;
    }
    completion->apc = (PNTAPCFUNC)(void *)apc;
    completion->apc_arg = (ULONG_PTR)context;
    return complete_apc( completion, port );
}

/* ---- begin and end ---- */

static void set_io( IO_STATUS_BLOCK *io, NTSTATUS status, ULONG_PTR count )
{
    ULONG_PTR word = (ULONG)status;

    /* whoever looks at the status finds the count there */
    copy_safe( &io->Information, &count, sizeof(count) );
    copy_safe( &io->Pointer, &word, sizeof(word) );
}

void completion_begin( const struct completion *completion )
{
    set_io( completion->io, STATUS_PENDING, 0 );
    if (completion->event) NtResetEvent( completion->event, NULL );
}

void completion_deliver( const struct completion *completion, const struct completion_port *port, NTSTATUS status,
                         ULONG_PTR count, BOOL at_once )
{
    TRACE( "io %p, status %#lx, %Iu bytes%s\n", completion->io, status, count, at_once ? ", at once" : "" );

    set_io( completion->io, status, count );
    if (completion->event) NtSetEvent( completion->event, NULL );
    if (completion->thread)
        NtQueueApcThread( completion->thread, completion->apc, completion->apc_arg, (ULONG_PTR)completion->io, 0 );
    else if (port->port && completion->value &&
             !(at_once && status == STATUS_SUCCESS && (port->modes & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)))
        NtSetIoCompletion( port->port, port->key, completion->value, status, count );
}
