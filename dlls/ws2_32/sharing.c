/*
 * Handing sockets to other processes
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


/* WSANOTINITIALISED, WSAENOTSOCK, WSAEFAULT, WSAEINVAL (no such process): what does
 * not depend on the A or W form */
static unsigned int duplicate_check( SOCKET s, DWORD pid, void *info, SIZE_T size )
{
    struct socket *sock;
    HANDLE process;

    if (!(sock = socket_get( s ))) return GetLastError();
    socket_put( sock );
    if (!info || !probe_write( info, size )) return WSAEFAULT;
    if (!(process = OpenProcess( PROCESS_DUP_HANDLE, FALSE, pid ))) return WSAEINVAL;
    CloseHandle( process );

    FIXME_ONCE( "socket %#Ix, pid %#lx: not built yet\n", s, pid );
    return WSAENETDOWN;
}


/***********************************************************************
 *      WSADuplicateSocketA     (ws2_32.@)
 */
int WINAPI WSADuplicateSocketA( SOCKET s, DWORD pid, WSAPROTOCOL_INFOA *info )
{
    unsigned int error;

    TRACE( "socket %#Ix, pid %#lx, info %p\n", s, pid, info );

    error = duplicate_check( s, pid, info, sizeof(*info) );

    return return_error( error );
}


/***********************************************************************
 *      WSADuplicateSocketW     (ws2_32.@)
 */
int WINAPI WSADuplicateSocketW( SOCKET s, DWORD pid, WSAPROTOCOL_INFOW *info )
{
    unsigned int error;

    TRACE( "socket %#Ix, pid %#lx, info %p\n", s, pid, info );

    error = duplicate_check( s, pid, info, sizeof(*info) );

    return return_error( error );
}
