/*
 * Our own provider: sockets of messages, connect and disconnect data
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

/* What programs may know of it is in doc/local.md; how it works in include/protocol.idl. Here are its rules, where they
 * differ from those of streams and datagrams; the calls themselves are where all others are. */

#include "ws2_32_private.h"
#include "ready.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

C_ASSERT( AF_TAPSTER == LOCAL_FAMILY && TAPSTERPROTO_LOCAL == LOCAL_PROTOCOL );
C_ASSERT( TAPSTER_MAX_MESSAGE == LOCAL_MAX_MESSAGE && TAPSTER_MAX_DATA == LOCAL_MAX_DATA );
C_ASSERT( sizeof(SOCKADDR_TAPSTER) == LOCAL_ADDRESS_SIZE );
C_ASSERT( sizeof(((struct local_data_params *)0)->data) == LOCAL_MAX_DATA );

/* ---- data ---- */

/* WSAEMSGSIZE leaves the message where it is, with params->result bytes of it in the buffers. A reset is
 * told at once, whatever is queued before it. */
unsigned int local_recv_try( struct socket *sock, struct recv_params *params )
{
    unsigned int error;

    if (socket_flags( sock ) & SOCKET_RESET) return recv_connection_lost( sock );
    if (!buffers_writable( (const WSABUF *)params->bufs, params->count, 0, TAPSTER_MAX_MESSAGE )) return WSAEFAULT;
    error = UNIX_CALL( recv, params );
    return error == WSAECONNRESET ? recv_connection_lost( sock ) : error;
}

/* The kernel knows only that nobody is there who would receive it. */
unsigned int local_send_error( struct socket *sock, unsigned int error )
{
    unsigned int flags = socket_flags( sock );

    if (error != WSAECONNRESET) return error;
    if (flags & SOCKET_RESET) return recv_connection_lost( sock );
    return flags & SOCKET_SEND_SHUTDOWN ? WSAESHUTDOWN : WSAECONNRESET;
}

/* the first message; FALSE: there is none, and the connection has not ended either */
static BOOL look( struct unix_socket *socket, struct local_data_params *params )
{
    params->socket = socket;
    return !UNIX_CALL( local_peek, params );
}

unsigned int local_ready( struct socket *sock, short revents )
{
    unsigned int flags = socket_flags( sock ), ready = 0;
    struct local_data_params params;

    if (revents & (UNIX_POLLRDHUP | UNIX_POLLHUP)) ready |= READY_FIN;
    if (revents & (UNIX_POLLOUT | UNIX_POLLHUP)) ready |= READY_WRITE;
    if ((revents & UNIX_POLLIN) && !(flags & SOCKET_RESET) && look( sock->unix, &params ))
    {
        if (params.kind == LOCAL_MESSAGE) ready |= READY_DATA;
        else if (!params.kind || params.kind == LOCAL_DISCONNECT) ready |= READY_FIN;
        else recv_connection_lost( sock );
        flags = socket_flags( sock );
    }
    if (flags & SOCKET_RESET) ready |= READY_RESET | READY_WRITE;
    if (flags & SOCKET_RECV_SHUTDOWN) ready |= READY_NO_RECV;
    return ready;
}

/* ---- connecting ---- */

unsigned int local_start_connect( struct socket *sock, const struct address *address, const WSABUF *data, BOOL *pending )
{
    struct local_send_params params = { .socket = sock->unix, .addr = address->data, .len = address->len };
    unsigned int error;

    params.data = data ? data->buf : "";
    params.data_len = data ? data->len : 0;
    error = UNIX_CALL( local_connect, &params );
    *pending = params.pending;
    return error;
}

/* a program's buffer to be sent, copied into room (TAPSTER_MAX_DATA bytes): WSAEFAULT, WSAEMSGSIZE */
static unsigned int take_data( const WSABUF *program, WSABUF *data, char *room )
{
    WSABUF buf = { 0, NULL };

    data->len = 0;
    data->buf = room;
    if (program && !copy_safe( &buf, program, sizeof(buf) )) return WSAEFAULT;
    if (!buf.len) return 0;
    if (buf.len > TAPSTER_MAX_DATA) return WSAEMSGSIZE;
    if (!copy_safe( room, buf.buf, buf.len )) return WSAEFAULT;
    data->len = buf.len;
    return 0;
}

/* received data to the program's buffer, whose length becomes the data's: WSAEFAULT, also if that is too small */
static unsigned int give_data( const void *data, ULONG len, WSABUF *program )
{
    WSABUF buf;

    if (!program) return 0;
    if (!copy_safe( &buf, program, sizeof(buf) )) return WSAEFAULT;
    if (len > buf.len || (len && !copy_safe( buf.buf, data, len ))) return WSAEFAULT;
    return copy_safe( &program->len, &len, sizeof(len) ) ? 0 : WSAEFAULT;
}

static BOOL is_writable( WSABUF *program )
{
    WSABUF buf;

    if (!program) return TRUE;
    if (!probe_write( program, sizeof(*program) ) || !copy_safe( &buf, program, sizeof(buf) )) return FALSE;
    return probe_write( buf.buf, buf.len );
}

unsigned int local_check_connect( const WSABUF *caller_data, WSABUF *data, char *room, const WSABUF *callee_data )
{
    if (!is_writable( (WSABUF *)callee_data )) return WSAEFAULT;
    return take_data( caller_data, data, room );
}

/* The connection stands, also where there is no room for the data: getsockopt has it still. */
unsigned int local_return_callee( struct socket *sock, WSABUF *callee_data )
{
    struct local_data_params params = { .socket = sock->unix };
    unsigned int error;

    if (!callee_data) return 0;
    if ((error = UNIX_CALL( local_data, &params ))) return error;
    return give_data( params.data, params.len, callee_data );
}

/* ---- accepting ---- */

unsigned int local_caller_data( struct unix_socket *connection, WSABUF *data )
{
    struct local_data_params params;

    data->len = 0;
    if (!look( connection, &params ) || params.kind != LOCAL_REQUEST) return WSAECONNRESET;
    memcpy( data->buf, params.data, params.len );
    data->len = params.len;
    return 0;
}

unsigned int local_answer( struct unix_socket *connection, const WSABUF *data )
{
    struct local_send_params params = { .socket = connection, .data = data->buf, .data_len = data->len };

    return UNIX_CALL( local_answer, &params );
}

/* ---- disconnect data ---- */

unsigned int local_send_disconnect( struct socket *sock, const WSABUF *data )
{
    struct local_send_params params = { .socket = sock->unix };
    char room[TAPSTER_MAX_DATA];
    unsigned int error;
    WSABUF copy;

    if ((error = take_data( data, &copy, room ))) return error;
    if (!copy.len) return shutdown_socket( sock, SD_SEND );
    params.data = room;
    params.data_len = copy.len;
    return UNIX_CALL( local_disconnect, &params );
}

/* what the peer disconnected with; len 0 as long as it has not, or said nothing. It stays in the queue. */
static ULONG get_disconnect_data( struct socket *sock, struct local_data_params *params )
{
    if (!look( sock->unix, params ) || params->kind != LOCAL_DISCONNECT) return 0;
    return min( params->len, (ULONG)TAPSTER_MAX_DATA );
}

/* A buffer too small is found before anything is done, unless the data comes just then. */
unsigned int local_recv_disconnect( struct socket *sock, WSABUF *data )
{
    struct local_data_params params;
    unsigned int error;
    WSABUF buf;

    if ((error = check_connected( sock ))) return error;
    if (!is_writable( data ) || (data && !copy_safe( &buf, data, sizeof(buf) ))) return WSAEFAULT;
    if (data && get_disconnect_data( sock, &params ) > buf.len) return WSAEFAULT;
    if ((error = shutdown_socket( sock, SD_RECEIVE ))) return error;
    return give_data( params.data, get_disconnect_data( sock, &params ), data );
}

/* ---- options ---- */

unsigned int local_get_connect_data( struct socket *sock, void *data, int *len )
{
    struct local_data_params params = { .socket = sock->unix };
    unsigned int error;

    if ((error = check_connected( sock ))) return error;
    if ((error = UNIX_CALL( local_data, &params ))) return error;
    memcpy( data, params.data, params.len );
    *len = params.len;
    return 0;
}

unsigned int local_get_disconnect_data( struct socket *sock, void *data, int *len )
{
    struct local_data_params params;
    unsigned int error;

    if ((error = check_connected( sock ))) return error;
    *len = get_disconnect_data( sock, &params );
    memcpy( data, params.data, *len );
    return 0;
}
