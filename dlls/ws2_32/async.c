/*
 * The asynchronous look-ups of Windows Sockets 1.1
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


/* what every look-up comes to for now: no task handle, nothing is posted */
static unsigned int async_error(void)
{
    return startup_check() ? WSAENETDOWN : WSANOTINITIALISED;
}


/***********************************************************************
 *      WSAAsyncGetHostByAddr   (ws2_32.102)
 */
HANDLE WINAPI WSAAsyncGetHostByAddr( HWND window, u_int message, const char *addr, int len, int type,
                                     char *buffer, int size )
{
    FIXME_ONCE( "window %p, message %#x, addr %p, len %d, type %s, buffer %p, size %d: not built yet\n",
                window, message, addr, len, debugstr_family( type ), buffer, size );
    return return_null( async_error() );
}


/***********************************************************************
 *      WSAAsyncGetHostByName   (ws2_32.103)
 */
HANDLE WINAPI WSAAsyncGetHostByName( HWND window, u_int message, const char *name, char *buffer, int size )
{
    FIXME_ONCE( "window %p, message %#x, name %p, buffer %p, size %d: not built yet\n",
                window, message, name, buffer, size );
    return return_null( async_error() );
}


/***********************************************************************
 *      WSAAsyncGetProtoByNumber (ws2_32.104)
 */
HANDLE WINAPI WSAAsyncGetProtoByNumber( HWND window, u_int message, int number, char *buffer, int size )
{
    FIXME_ONCE( "window %p, message %#x, number %d, buffer %p, size %d: not built yet\n",
                window, message, number, buffer, size );
    return return_null( async_error() );
}


/***********************************************************************
 *      WSAAsyncGetProtoByName  (ws2_32.105)
 */
HANDLE WINAPI WSAAsyncGetProtoByName( HWND window, u_int message, const char *name, char *buffer, int size )
{
    FIXME_ONCE( "window %p, message %#x, name %p, buffer %p, size %d: not built yet\n",
                window, message, name, buffer, size );
    return return_null( async_error() );
}


/***********************************************************************
 *      WSAAsyncGetServByPort   (ws2_32.106)
 */
HANDLE WINAPI WSAAsyncGetServByPort( HWND window, u_int message, int port, const char *proto,
                                     char *buffer, int size )
{
    FIXME_ONCE( "window %p, message %#x, port %u, proto %p, buffer %p, size %d: not built yet\n",
                window, message, ntohs( port ), proto, buffer, size );
    return return_null( async_error() );
}


/***********************************************************************
 *      WSAAsyncGetServByName   (ws2_32.107)
 */
HANDLE WINAPI WSAAsyncGetServByName( HWND window, u_int message, const char *name, const char *proto,
                                     char *buffer, int size )
{
    FIXME_ONCE( "window %p, message %#x, name %p, proto %p, buffer %p, size %d: not built yet\n",
                window, message, name, proto, buffer, size );
    return return_null( async_error() );
}


/***********************************************************************
 *      WSACancelAsyncRequest   (ws2_32.108)
 *
 * No look-up gives out a task handle, so none that comes here is one: WSAEINVAL.
 */
int WINAPI WSACancelAsyncRequest( HANDLE task )
{
    TRACE( "task %p\n", task );

    if (!startup_check()) return return_error( WSANOTINITIALISED );
    return return_error( WSAEINVAL );
}
