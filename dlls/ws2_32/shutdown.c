/*
 * Shutting down: the helper decides, for all processes
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

static unsigned int do_shutdown( SOCKET s, int how )
{
    struct socket_shutdown_params params = { .how = how };
    struct socket *sock;
    unsigned int error;

    if (!(sock = socket_get( s ))) return GetLastError();
    params.socket = sock->unix;
    /* receives that wait count; those of threads that are no more do not */
    if (*sock->unix->pending) thread_reap();
    error = UNIX_CALL( socket_shutdown, &params );
    socket_put( sock );
    return error;
}

static const char *debugstr_how( int how )
{
    switch (how)
    {
    case SD_RECEIVE: return "SD_RECEIVE";
    case SD_SEND:    return "SD_SEND";
    case SD_BOTH:    return "SD_BOTH";
    default:         return wine_dbg_sprintf( "%d", how );
    }
}

/***********************************************************************
 *      shutdown   (ws2_32.22)
 *
 * Never blocks. WSANOTINITIALISED, WSAENOTSOCK, WSAENOTCONN (stream only), WSAEINVAL (how), WSAENETDOWN.
 */
int WINAPI shutdown( SOCKET s, int how )
{
    TRACE( "socket %#Ix, how %s\n", s, debugstr_how( how ) );
    return return_error( do_shutdown( s, how ) );
}

/* 0: no data meant; WSAEFAULT; -1 with data */
static int check_data( const WSABUF *data, BOOL writable )
{
    WSABUF buf;

    if (!data) return 0;
    if (!copy_safe( &buf, data, sizeof(buf) )) return WSAEFAULT;
    if (!buf.len) return 0;
    if (!(writable ? probe_write( buf.buf, buf.len ) : probe_read( buf.buf, buf.len ))) return WSAEFAULT;
    return -1;
}

/***********************************************************************
 *      WSASendDisconnect   (ws2_32.@)
 *
 * shutdown( SD_SEND ). Data can't go along on TCP or UDP: WSAENOPROTOOPT.
 */
int WINAPI WSASendDisconnect( SOCKET s, WSABUF *data )
{
    struct socket *sock;
    int ret;

    TRACE( "socket %#Ix, data %p\n", s, data );

    if (!(sock = socket_get( s ))) return return_error( GetLastError() );
    socket_put( sock );
    if ((ret = check_data( data, FALSE ))) return return_error( ret == -1 ? WSAENOPROTOOPT : ret );
    return return_error( do_shutdown( s, SD_SEND ) );
}

/***********************************************************************
 *      WSARecvDisconnect   (ws2_32.@)
 *
 * shutdown( SD_RECEIVE ): the helper resets a TCP connection whose data nobody will take. TCP and UDP
 * have no disconnect data: a buffer comes back empty.
 */
int WINAPI WSARecvDisconnect( SOCKET s, WSABUF *data )
{
    struct socket *sock;
    unsigned int error;
    ULONG none = 0;
    int ret;

    TRACE( "socket %#Ix, data %p\n", s, data );

    if (!(sock = socket_get( s ))) return return_error( GetLastError() );
    socket_put( sock );
    if ((ret = check_data( data, TRUE )) > 0) return return_error( ret );
    if (!(error = do_shutdown( s, SD_RECEIVE )) && ret == -1 && !copy_safe( &data->len, &none, sizeof(none) )) error = WSAEFAULT;
    return return_error( error );
}
