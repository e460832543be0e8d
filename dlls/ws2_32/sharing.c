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

/* As on Windows the handle goes to the target process at once, and the info says which it is there. So
 * the socket lives on in it, whoever else closes his; WSASocket in the target finds it waiting. All
 * that a socket is, the helper has: the state is one for all handles. */

#include "ws2_32_private.h"
#include "bridge.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);


static unsigned int error_from_last(void)
{
    switch (GetLastError())
    {
    case ERROR_TOO_MANY_OPEN_FILES:     return WSAEMFILE;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:     return WSAENOBUFS;
    default:                            return WSAEINVAL;
    }
}


/* a handle of the socket in another process, or in this one; it waits for WSASocket */
static unsigned int give( struct socket *sock, HANDLE process, DWORD pid, HANDLE *given )
{
    struct socket *taker;
    unsigned int error;

    if ((error = socket_duplicate( sock, process, given ))) return error;
    if (pid != GetCurrentProcessId()) return 0;
    if ((taker = socket_get_offered( (SOCKET)*given )))
    {
        socket_put( taker );
        return 0;
    }
    error = GetLastError();
    bridge_close( *given );
    return error;
}


/* the program's pointer has become bad meanwhile: nobody will ever hear of the handle */
static void take_back( HANDLE process, DWORD pid, HANDLE given )
{
    if (pid == GetCurrentProcessId()) CloseHandle( given );
    else DuplicateHandle( process, given, NULL, NULL, 0, FALSE, DUPLICATE_CLOSE_SOURCE );
}


static unsigned int write_info( const struct socket *sock, HANDLE given, void *info, BOOL ansi )
{
    WSAPROTOCOL_INFOW infow;
    WSAPROTOCOL_INFOA infoa;
    unsigned int error;

    if ((error = option_protocol_info( sock, &infow ))) return error;
    infow.dwProviderReserved = HandleToULong( given );
    if (ansi) catalog_info_to_a( &infow, &infoa );
    return copy_safe( info, ansi ? (void *)&infoa : (void *)&infow, ansi ? sizeof(infoa) : sizeof(infow) ) ? 0 : WSAEFAULT;
}


static unsigned int duplicate_to( struct socket *sock, DWORD pid, void *info, BOOL ansi )
{
    HANDLE process, given;
    unsigned int error;

    if (!info || !probe_write( info, ansi ? sizeof(WSAPROTOCOL_INFOA) : sizeof(WSAPROTOCOL_INFOW) )) return WSAEFAULT;
    if (!(process = OpenProcess( PROCESS_DUP_HANDLE, FALSE, pid ))) return error_from_last();
    if (!(error = give( sock, process, pid, &given )))
    {
        TRACE( "%#Ix is %p in process %#lx\n", sock->handle, given, pid );
        if ((error = write_info( sock, given, info, ansi ))) take_back( process, pid, given );
    }
    CloseHandle( process );
    return error;
}


static unsigned int duplicate( SOCKET s, DWORD pid, void *info, BOOL ansi )
{
    struct socket *sock;
    unsigned int error;

    if (!(sock = socket_get( s ))) return GetLastError();
    error = duplicate_to( sock, pid, info, ansi );
    socket_put( sock );
    return error;
}


static BOOL is_kind( const struct socket *sock, const WSAPROTOCOL_INFOW *info )
{
    const struct slot *slot = socket_slot( sock );

    return slot->family == info->iAddressFamily && slot->type == info->iSocketType && slot->protocol == (u32)info->iProtocol;
}


unsigned int sharing_take( const WSAPROTOCOL_INFOW *info, BOOL inherit, SOCKET *ret )
{
    struct socket *sock = socket_get_offered( info->dwProviderReserved );
    unsigned int error = 0;

    /* no handle, or of something else: such an info is none */
    if (!sock) return GetLastError() == WSAENOTSOCK ? WSAEINVAL : GetLastError();
    if (!is_kind( sock, info ) || !InterlockedExchange( &sock->offered, 0 )) error = WSAEINVAL;
    else
    {
        *ret = sock->handle;
        if (inherit) SetHandleInformation( (HANDLE)sock->handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT );
    }
    socket_put( sock );
    return error;
}


/***********************************************************************
 *      WSADuplicateSocketA     (ws2_32.@)
 */
int WINAPI WSADuplicateSocketA( SOCKET s, DWORD pid, WSAPROTOCOL_INFOA *info )
{
    TRACE( "socket %#Ix, pid %#lx, info %p\n", s, pid, info );

    return return_error( duplicate( s, pid, info, TRUE ) );
}


/***********************************************************************
 *      WSADuplicateSocketW     (ws2_32.@)
 *
 * WSANOTINITIALISED, WSAENOTSOCK, WSAEFAULT, WSAEINVAL (no such process, or it may not be opened), WSAEMFILE,
 * WSAENOBUFS, WSAENETDOWN.
 */
int WINAPI WSADuplicateSocketW( SOCKET s, DWORD pid, WSAPROTOCOL_INFOW *info )
{
    TRACE( "socket %#Ix, pid %#lx, info %p\n", s, pid, info );

    return return_error( duplicate( s, pid, info, FALSE ) );
}
