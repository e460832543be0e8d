/*
 * bind, listen, connect and the names of both ends
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

/* ---- addresses ---- */

unsigned int address_copy( struct socket *sock, const struct sockaddr *addr, int len, struct address *dst )
{
    int family = socket_slot( sock )->family, needed = address_length( family );
    u16 given;

    memset( dst, 0, sizeof(*dst) );
    if (!addr || len < (int)sizeof(given) || !copy_safe( &given, addr, sizeof(given) )) return WSAEFAULT;
    if (len < needed) return WSAEFAULT;
    if (given != family) return family == AF_INET6 && given == AF_INET ? WSAEFAULT : WSAEAFNOSUPPORT;
    if (!copy_safe( dst->data, addr, needed )) return WSAEFAULT;
    dst->len = needed;
    return 0;
}

unsigned int address_return( const struct address *src, struct sockaddr *addr, int *len )
{
    int room;

    if (!addr || !len || !copy_safe( &room, len, sizeof(room) )) return WSAEFAULT;
    if (room < (int)src->len || !copy_safe( addr, src->data, src->len )) return WSAEFAULT;
    room = src->len;
    return copy_safe( len, &room, sizeof(room) ) ? 0 : WSAEFAULT;
}

unsigned int address_check_room( const struct socket *sock, struct sockaddr *addr, int *len )
{
    int room, needed = address_length( socket_slot( sock )->family );

    if (!copy_safe( &room, len, sizeof(room) ) || room < needed) return WSAEFAULT;
    return probe_write( len, sizeof(*len) ) && probe_write( addr, needed ) ? 0 : WSAEFAULT;
}

void address_read( const struct slot *slot, const struct address *which, struct address *dst )
{
    u32 seq;

    do
    {
        while ((seq = __atomic_load_n( &slot->seq, __ATOMIC_ACQUIRE )) & 1) NtYieldExecution();
        memcpy( dst, which, sizeof(*dst) );
        __atomic_thread_fence( __ATOMIC_ACQUIRE );
    } while (__atomic_load_n( &slot->seq, __ATOMIC_RELAXED ) != seq);
    if (dst->len > sizeof(dst->data)) dst->len = 0;
}

/***********************************************************************
 *      bind   (ws2_32.2)
 *
 * WSANOTINITIALISED, WSAENOTSOCK, WSAEFAULT (length, pointer), WSAEAFNOSUPPORT, WSAEINVAL (bound
 * already), WSAEADDRINUSE, WSAEACCES, WSAEADDRNOTAVAIL, WSAENETDOWN.
 */
int WINAPI bind( SOCKET s, const struct sockaddr *addr, int len )
{
    struct socket_bind_params params;
    struct address address;
    struct socket *sock;
    unsigned int error;

    TRACE( "socket %#Ix, address %s\n", s, debugstr_sockaddr( addr, len ) );

    if (!(sock = socket_get( s ))) return return_error( GetLastError() );
    if (!(error = address_copy( sock, addr, len, &address )))
    {
        params.socket = sock->unix;
        params.addr = address.data;
        params.len = address.len;
        error = UNIX_CALL( socket_bind, &params );
    }
    socket_put( sock );
    return return_error( error );
}

/***********************************************************************
 *      listen   (ws2_32.13)
 *
 * WSANOTINITIALISED, WSAENOTSOCK, WSAEOPNOTSUPP (no stream), WSAEINVAL (not bound), WSAEISCONN, WSAENETDOWN.
 */
int WINAPI listen( SOCKET s, int backlog )
{
    struct socket_listen_params params;
    struct socket *sock;
    unsigned int error;

    TRACE( "socket %#Ix, backlog %d\n", s, backlog );

    if (!(sock = socket_get( s ))) return return_error( GetLastError() );
    params.socket = sock->unix;
    params.backlog = backlog;
    error = UNIX_CALL( socket_listen, &params );
    socket_put( sock );
    return return_error( error );
}

/* the wait of a blocking connect; the helper ends it after 21 s at the latest */
static unsigned int wait_connected( struct socket *sock )
{
    struct deadline never = deadline_in( 0 );
    unsigned int error;

    do
    {
        if ((error = wait_socket( sock, UNIX_POLLOUT, &never ))) return error;
        error = socket_connect_status( sock );
    } while (error == WSAEWOULDBLOCK);
    return error;
}

/* data: the caller's, local sockets only; NULL: none */
static unsigned int start_connect( struct socket *sock, const struct address *address, const WSABUF *data, BOOL *pending )
{
    struct socket_connect_params params = { .socket = sock->unix, .addr = address->data, .len = address->len };
    unsigned int error;

    if (socket_is_local( sock )) return local_start_connect( sock, address, data, pending );
    error = UNIX_CALL( socket_connect, &params );
    *pending = params.pending;
    return error;
}

static unsigned int do_connect( struct socket *sock, const struct sockaddr *addr, int len, const WSABUF *data )
{
    BOOL nonblocking = socket_is_nonblocking( sock ), pending;
    struct address address;
    unsigned int error;

    if ((error = address_copy( sock, addr, len, &address ))) return error;
    error = start_connect( sock, &address, data, &pending );
    if (!socket_has_connections( sock )) return error;
    /* Windows never tells a non-blocking connect's end at once, only by select and kin */
    if (nonblocking && (!error || socket_state( sock ) == SOCKET_FAILED)) return WSAEWOULDBLOCK;
    if (!error && pending) error = wait_connected( sock );
    /* the caller has the error, SO_ERROR has it not */
    if (error && socket_state( sock ) == SOCKET_FAILED) socket_set_option( sock, OPTION_ERROR, 0, 0 );
    return error;
}

/***********************************************************************
 *      connect   (ws2_32.4)
 *
 * WSANOTINITIALISED, WSAENOTSOCK, WSAEFAULT, WSAEAFNOSUPPORT, WSAEISCONN, WSAEALREADY, WSAEINVAL (listening),
 * WSAEADDRNOTAVAIL, WSAECONNREFUSED, WSAETIMEDOUT (after 21 s), WSAENETUNREACH, WSAEHOSTUNREACH, WSAEINTR,
 * WSAEWOULDBLOCK (non-blocking stream: always), WSAENETDOWN.
 */
int WINAPI connect( SOCKET s, const struct sockaddr *addr, int len )
{
    struct socket *sock;
    unsigned int error;

    TRACE( "socket %#Ix, address %s\n", s, debugstr_sockaddr( addr, len ) );

    if (!(sock = socket_get( s ))) return return_error( GetLastError() );
    error = do_connect( sock, addr, len, NULL );
    socket_put( sock );
    return return_error( error );
}

static unsigned int connect_with_data( struct socket *sock, const struct sockaddr *addr, int len, WSABUF *caller_data,
                                       WSABUF *callee_data )
{
    char room[TAPSTER_MAX_DATA];
    unsigned int error;
    ULONG none = 0;
    WSABUF data;

    if (socket_is_local( sock ))
    {
        if ((error = local_check_connect( caller_data, &data, room, callee_data ))) return error;
        if ((error = do_connect( sock, addr, len, &data ))) return error;
        return local_return_callee( sock, callee_data );
    }
    if (caller_data && !probe_read( caller_data, sizeof(*caller_data) )) return WSAEFAULT;
    if (callee_data && !copy_safe( &callee_data->len, &none, sizeof(none) )) return WSAEFAULT;
    return do_connect( sock, addr, len, NULL );
}

/***********************************************************************
 *      WSAConnect   (ws2_32.@)
 *
 * As connect. Data and qualities of service mean nothing to TCP and UDP: ignored, as on Windows, unless unreadable;
 * callee data comes back empty. Our own provider has both (doc/local.md): WSAEMSGSIZE for too much caller data; WSAEFAULT
 * for too little room for the callee's, though the connection stands then. Of a non-blocking connect SO_CONNDATA tells it.
 */
int WINAPI WSAConnect( SOCKET s, const struct sockaddr *addr, int len, WSABUF *caller_data, WSABUF *callee_data,
                       QOS *sqos, QOS *gqos )
{
    struct socket *sock;
    unsigned int error;

    TRACE( "socket %#Ix, address %s, caller data %s, callee data %s, qos %p, %p\n", s, debugstr_sockaddr( addr, len ),
           debugstr_buffers( caller_data, caller_data != NULL ), debugstr_buffers( callee_data, callee_data != NULL ), sqos, gqos );

    if (!(sock = socket_get( s ))) return return_error( GetLastError() );
    error = connect_with_data( sock, addr, len, caller_data, callee_data );
    socket_put( sock );
    return return_error( error );
}

/***********************************************************************
 *      getsockname   (ws2_32.6)
 *
 * WSANOTINITIALISED, WSAENOTSOCK, WSAEINVAL (not bound), WSAEFAULT.
 */
int WINAPI getsockname( SOCKET s, struct sockaddr *addr, int *len )
{
    struct address address = { .len = sizeof(address.data) };
    struct getname_params params;
    struct socket *sock;
    unsigned int error;

    TRACE( "socket %#Ix, addr %p, len %p\n", s, addr, len );

    if (!(sock = socket_get( s ))) return return_error( GetLastError() );
    if (!(socket_flags( sock ) & SOCKET_BOUND)) error = WSAEINVAL;
    else if (socket_is_local( sock ) || (socket_flags( sock ) & SOCKET_RESET))
    {
        address_read( socket_slot( sock ), &socket_slot( sock )->local, &address );
        error = address_return( &address, addr, len );
    }
    else
    {
        params.socket = sock->unix;
        params.addr = address.data;
        params.len = sizeof(address.data);
        if (!(error = UNIX_CALL( getsockname, &params )))
        {
            address.len = params.len;
            error = address_return( &address, addr, len );
        }
    }
    socket_put( sock );
    if (!error) TRACE( "address %s\n", debugstr_sockaddr( address.data, address.len ) );
    return return_error( error );
}

/* a peer is what connect was given or accept found: it stays after both ends have shut down,
 * when the kernel knows it no more */
static BOOL has_peer( const struct socket *sock )
{
    unsigned int state = socket_state( sock );

    return state == SOCKET_CONNECTED || (state == SOCKET_CONNECTING && socket_has_connections( sock ));
}

/***********************************************************************
 *      getpeername   (ws2_32.5)
 *
 * WSANOTINITIALISED, WSAENOTSOCK, WSAENOTCONN, WSAEFAULT.
 */
int WINAPI getpeername( SOCKET s, struct sockaddr *addr, int *len )
{
    struct address address = { 0 };
    struct socket *sock;
    unsigned int error;

    TRACE( "socket %#Ix, addr %p, len %p\n", s, addr, len );

    if (!(sock = socket_get( s ))) return return_error( GetLastError() );
    if (!has_peer( sock )) error = WSAENOTCONN;
    else
    {
        address_read( socket_slot( sock ), &socket_slot( sock )->peer, &address );
        error = address.len ? address_return( &address, addr, len ) : WSAENOTCONN;
    }
    socket_put( sock );
    if (!error) TRACE( "address %s\n", debugstr_sockaddr( address.data, address.len ) );
    return return_error( error );
}
