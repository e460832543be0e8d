/*
 * Events: their objects, and what a socket records in them
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


/***********************************************************************
 *      WSACreateEvent          (ws2_32.@)
 *
 * A manual-reset event, not signalled. WSA_INVALID_EVENT with WSANOTINITIALISED,
 * WSA_NOT_ENOUGH_MEMORY.
 */
WSAEVENT WINAPI WSACreateEvent(void)
{
    HANDLE event;

    TRACE( "()\n" );

    if (!startup_check()) return return_null( WSANOTINITIALISED );
    if (!(event = CreateEventW( NULL, TRUE, FALSE, NULL ))) return return_null( WSA_NOT_ENOUGH_MEMORY );

    TRACE( "-> event %p\n", event );
    return event;
}


/***********************************************************************
 *      WSACloseEvent           (ws2_32.@)
 *
 * WSANOTINITIALISED, WSA_INVALID_HANDLE (which kernel32 sets).
 */
BOOL WINAPI WSACloseEvent( WSAEVENT event )
{
    TRACE( "event %p\n", event );
    return return_bool( startup_check() && CloseHandle( event ) ? 0 : GetLastError() );
}


/***********************************************************************
 *      WSASetEvent             (ws2_32.@)
 *
 * WSANOTINITIALISED, WSA_INVALID_HANDLE.
 */
BOOL WINAPI WSASetEvent( WSAEVENT event )
{
    TRACE( "event %p\n", event );
    return return_bool( startup_check() && SetEvent( event ) ? 0 : GetLastError() );
}


/***********************************************************************
 *      WSAResetEvent           (ws2_32.@)
 *
 * WSANOTINITIALISED, WSA_INVALID_HANDLE.
 */
BOOL WINAPI WSAResetEvent( WSAEVENT event )
{
    TRACE( "event %p\n", event );
    return return_bool( startup_check() && ResetEvent( event ) ? 0 : GetLastError() );
}


/***********************************************************************
 *      WSAWaitForMultipleEvents (ws2_32.@)
 *
 * WSANOTINITIALISED, WSA_INVALID_PARAMETER (count), WSA_INVALID_HANDLE,
 * WSA_NOT_ENOUGH_MEMORY: what WaitForMultipleObjectsEx sets, by another name.
 */
DWORD WINAPI WSAWaitForMultipleEvents( DWORD count, const WSAEVENT *events, BOOL all, DWORD timeout, BOOL alertable )
{
    DWORD ret;

    TRACE( "count %lu, events %p, all %d, timeout %lu, alertable %d\n", count, events, all, timeout, alertable );

    if (!startup_check()) return return_error( WSANOTINITIALISED );   /* WSA_WAIT_FAILED, too */
    if (count > WSA_MAXIMUM_WAIT_EVENTS || !probe_read( events, count * sizeof(*events) ))
        return return_error( WSA_INVALID_PARAMETER );
    ret = WaitForMultipleObjectsEx( count, events, all, timeout, alertable );
    if (ret == WSA_WAIT_FAILED) return return_error( GetLastError() );

    TRACE( "-> %#lx\n", ret );
    return ret;
}


static unsigned int make_nonblocking( struct socket *sock )
{
    return socket_is_nonblocking( sock ) ? 0 : socket_set_option( sock, OPTION_NONBLOCKING, TRUE, 0 );
}


/***********************************************************************
 *      WSAEventSelect          (ws2_32.@)
 *
 * WSANOTINITIALISED, WSAENOTSOCK, WSAEINVAL. Documented: it makes the socket
 * non-blocking whatever the mask. Without a selection there is nothing that mask 0
 * has to take back.
 */
int WINAPI WSAEventSelect( SOCKET s, WSAEVENT event, LONG mask )
{
    struct socket *sock;
    unsigned int error;

    TRACE( "socket %#Ix, event %p, mask %#lx\n", s, event, mask );

    if (!(sock = socket_get( s ))) return return_error( GetLastError() );

    if (!event && mask) error = WSAEINVAL;
    else if (mask)
    {
        FIXME_ONCE( "socket %#Ix, event %p, mask %#lx: not built yet\n", s, event, mask );
        error = WSAENETDOWN;
    }
    else error = make_nonblocking( sock );

    socket_put( sock );
    return return_error( error );
}


/***********************************************************************
 *      WSAEnumNetworkEvents    (ws2_32.@)
 *
 * WSANOTINITIALISED, WSAENOTSOCK, WSAEFAULT.
 */
int WINAPI WSAEnumNetworkEvents( SOCKET s, WSAEVENT event, WSANETWORKEVENTS *events )
{
    struct socket *sock;

    TRACE( "socket %#Ix, event %p, events %p\n", s, event, events );

    if (!(sock = socket_get( s ))) return return_error( GetLastError() );
    socket_put( sock );
    if (!events || !probe_write( events, sizeof(*events) )) return return_error( WSAEFAULT );

    FIXME_ONCE( "socket %#Ix, event %p, events %p: not built yet\n", s, event, events );
    return return_error( WSAENETDOWN );
}


/***********************************************************************
 *      WSAAsyncSelect          (ws2_32.101)
 *
 * WSANOTINITIALISED, WSAENOTSOCK, WSAEINVAL (no such window). As with
 * WSAEventSelect, the socket becomes non-blocking even with mask 0.
 */
int WINAPI WSAAsyncSelect( SOCKET s, HWND window, u_int message, LONG mask )
{
    struct socket *sock;
    unsigned int error;

    TRACE( "socket %#Ix, window %p, message %#x, mask %#lx\n", s, window, message, mask );

    if (!(sock = socket_get( s ))) return return_error( GetLastError() );

    if (mask && !IsWindow( window )) error = WSAEINVAL;
    else if (mask)
    {
        FIXME_ONCE( "socket %#Ix, window %p, message %#x, mask %#lx: not built yet\n", s, window, message, mask );
        error = WSAENETDOWN;
    }
    else error = make_nonblocking( sock );

    socket_put( sock );
    return return_error( error );
}
