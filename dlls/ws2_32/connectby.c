/*
 * Connecting by name or list, joining leaves, quality of service
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


/* what a call on this socket says that is not built yet: this error, if there is such a socket */
static unsigned int refuse( SOCKET s, unsigned int error )
{
    struct socket *sock;

    if (!(sock = socket_get( s ))) return GetLastError();
    socket_put( sock );
    return error;
}


/***********************************************************************
 *      WSAConnectByNameA       (ws2_32.@)
 */
BOOL WINAPI WSAConnectByNameA( SOCKET s, const char *node, const char *service, DWORD *local_len,
                               struct sockaddr *local, DWORD *remote_len, struct sockaddr *remote,
                               const struct timeval *timeout, WSAOVERLAPPED *reserved )
{
    FIXME_ONCE( "socket %#Ix, node %p, service %p, local %p (%p), remote %p (%p), timeout %p, reserved %p: not built yet\n",
                s, node, service, local, local_len, remote, remote_len, timeout, reserved );
    return return_bool( refuse( s, reserved || !node || !service ? WSAEINVAL : WSAEHOSTUNREACH ) );
}


/***********************************************************************
 *      WSAConnectByNameW       (ws2_32.@)
 */
BOOL WINAPI WSAConnectByNameW( SOCKET s, const WCHAR *node, const WCHAR *service, DWORD *local_len,
                               struct sockaddr *local, DWORD *remote_len, struct sockaddr *remote,
                               const struct timeval *timeout, WSAOVERLAPPED *reserved )
{
    FIXME_ONCE( "socket %#Ix, node %p, service %p, local %p (%p), remote %p (%p), timeout %p, reserved %p: not built yet\n",
                s, node, service, local, local_len, remote, remote_len, timeout, reserved );
    return return_bool( refuse( s, reserved || !node || !service ? WSAEINVAL : WSAEHOSTUNREACH ) );
}


/***********************************************************************
 *      WSAConnectByList        (ws2_32.@)
 */
BOOL WINAPI WSAConnectByList( SOCKET s, SOCKET_ADDRESS_LIST *list, DWORD *local_len, struct sockaddr *local,
                              DWORD *remote_len, struct sockaddr *remote, const struct timeval *timeout,
                              WSAOVERLAPPED *reserved )
{
    FIXME_ONCE( "socket %#Ix, list %p, local %p (%p), remote %p (%p), timeout %p, reserved %p: not built yet\n",
                s, list, local, local_len, remote, remote_len, timeout, reserved );
    return return_bool( refuse( s, reserved || !list ? WSAEINVAL : WSAEHOSTUNREACH ) );
}


/***********************************************************************
 *      WSAJoinLeaf             (ws2_32.@)
 */
SOCKET WINAPI WSAJoinLeaf( SOCKET s, const struct sockaddr *addr, int len, WSABUF *caller_data,
                           WSABUF *callee_data, QOS *sqos, QOS *gqos, DWORD flags )
{
    FIXME_ONCE( "socket %#Ix, addr %s, caller_data %p, callee_data %p, sqos %p, gqos %p, flags %#lx: not built yet\n",
                s, debugstr_sockaddr( addr, len ), caller_data, callee_data, sqos, gqos, flags );
    return return_socket( refuse( s, WSAENETDOWN ), INVALID_SOCKET );
}


/***********************************************************************
 *      WSAGetQOSByName         (ws2_32.@)
 *
 * There is no quality-of-service provider, hence no template and no name that
 * one could have: WSAEINVAL, as on a Windows without one.
 */
BOOL WINAPI WSAGetQOSByName( SOCKET s, WSABUF *name, QOS *qos )
{
    TRACE( "socket %#Ix, name %p, qos %p\n", s, name, qos );

    if (!name || !qos || !probe_read( name, sizeof(*name) ) || !probe_write( qos, sizeof(*qos) ))
        return return_bool( refuse( s, WSAEFAULT ) );
    return return_bool( refuse( s, WSAEINVAL ) );
}
