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
#include "engine.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

unsigned int shutdown_socket( struct socket *sock, int how )
{
    /* receives that wait count; those of threads that are no more do not */
    if (*sock->unix->pending) thread_reap();
    if (how == SD_SEND || how == SD_BOTH) turn_want_rest( sock );
    return engine_shutdown( sock, how );
}

static unsigned int do_shutdown( SOCKET s, int how )
{
    struct socket *sock;
    unsigned int error;

    if (!(sock = socket_get( s ))) return GetLastError();
    error = shutdown_socket( sock, how );
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

static unsigned int send_disconnect( struct socket *sock, WSABUF *data )
{
    int ret;

    if (socket_is_local( sock )) return local_send_disconnect( sock, data );
    if ((ret = check_data( data, FALSE ))) return ret == -1 ? WSAENOPROTOOPT : ret;
    return shutdown_socket( sock, SD_SEND );
}

/***********************************************************************
 *      WSASendDisconnect   (ws2_32.@)
 *
 * shutdown( SD_SEND ). Data can't go along on TCP or UDP: WSAENOPROTOOPT. On our own provider it can: WSAEMSGSIZE
 * for too much, WSAESHUTDOWN where the FIN has gone already.
 */
int WINAPI WSASendDisconnect( SOCKET s, WSABUF *data )
{
    struct socket *sock;
    unsigned int error;

    TRACE( "socket %#Ix, data %s\n", s, debugstr_buffers( data, data != NULL ) );

    if (!(sock = socket_get( s ))) return return_error( GetLastError() );
    error = send_disconnect( sock, data );
    socket_put( sock );
    return return_error( error );
}

static unsigned int recv_disconnect( struct socket *sock, WSABUF *data )
{
    unsigned int error;
    ULONG none = 0;
    int ret;

    if (socket_is_local( sock )) return local_recv_disconnect( sock, data );
    if ((ret = check_data( data, TRUE )) > 0) return ret;
    if ((error = shutdown_socket( sock, SD_RECEIVE ))) return error;
    return ret == -1 && !copy_safe( &data->len, &none, sizeof(none) ) ? WSAEFAULT : 0;
}

/***********************************************************************
 *      WSARecvDisconnect   (ws2_32.@)
 *
 * shutdown( SD_RECEIVE ): the helper resets a TCP connection whose data nobody will take. TCP and UDP
 * have no disconnect data: a buffer comes back empty. Our own provider has: WSAEFAULT if there is not room for
 * all of it, which then is there for another try.
 */
int WINAPI WSARecvDisconnect( SOCKET s, WSABUF *data )
{
    struct socket *sock;
    unsigned int error;

    TRACE( "socket %#Ix, data %s\n", s, debugstr_buffers( data, data != NULL ) );

    if (!(sock = socket_get( s ))) return return_error( GetLastError() );
    error = recv_disconnect( sock, data );
    socket_put( sock );
    return return_error( error );
}
