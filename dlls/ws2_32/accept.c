/*
 * Accepting connections
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

/* the next connection, waited for if the listener is blocking */
static unsigned int next_connection( struct socket *listener, const struct handle *handle, struct unix_socket **connection )
{
    struct socket_accept_params params = { .listener = listener->unix, .mailbox = handle->mailbox };
    struct deadline never = deadline_in( 0 );
    unsigned int error;

    if (!socket_has_connections( listener )) return WSAEOPNOTSUPP;
    if (socket_state( listener ) != SOCKET_LISTENING) return WSAEINVAL;
    while ((error = UNIX_CALL( socket_accept, &params )) == WSAEWOULDBLOCK)
    {
        if (socket_is_nonblocking( listener )) return error;
        if ((error = wait_socket( listener, UNIX_POLLIN, &never ))) return error;
    }
    *connection = params.socket;
    return error;
}

void accept_refuse( struct unix_socket *connection )
{
    struct socket_close_params params = { .socket = connection, .flags = CLOSE_RESET | CLOSE_SOLE };

    UNIX_CALL( socket_close, &params );
}

/* WSAAccept's question to the program */
struct question
{
    LPCONDITIONPROC condition;
    DWORD_PTR       data;
};

/* connect data, of our own provider alone: others have no buffers for it */
struct connect_data
{
    BOOL   local;
    WSABUF caller;
    WSABUF callee;
    char   caller_room[TAPSTER_MAX_DATA];
    char   callee_room[TAPSTER_MAX_DATA];
};

static unsigned int prepare_data( struct unix_socket *connection, struct connect_data *data )
{
    data->local = connection->slot->family == AF_TAPSTER;
    data->caller.len = data->callee.len = 0;
    data->caller.buf = data->local ? data->caller_room : NULL;
    data->callee.buf = data->local ? data->callee_room : NULL;
    return data->local ? local_caller_data( connection, &data->caller ) : 0;
}

static int ask_condition( const struct question *question, const struct slot *slot, struct connect_data *data )
{
    struct address peer = slot->peer, local = slot->local;
    WSABUF caller = { peer.len, (char *)peer.data }, callee = { local.len, (char *)local.data };
    GROUP group = 0;
    int answer;

    TRACE( "asking %p: caller %s, callee %s\n", question->condition, debugstr_sockaddr( peer.data, peer.len ),
           debugstr_sockaddr( local.data, local.len ) );
    if (data->local) data->callee.len = TAPSTER_MAX_DATA;
    answer = question->condition( &caller, &data->caller, NULL, NULL, &callee, &data->callee, &group, question->data );
    TRACE( "answer %d, callee data %lu bytes\n", answer, data->callee.len );
    /* the room is ours, so are its bounds */
    data->callee.buf = data->callee_room;
    if (!data->local) data->callee.len = 0;
    return data->callee.len > TAPSTER_MAX_DATA ? -1 : answer;
}

/* 0 if the connection is to be kept; else it has been refused or put back */
static unsigned int decide( struct socket *listener, struct unix_socket *connection, const struct question *question,
                            struct connect_data *data )
{
    struct socket_defer_params params = { .listener = listener->unix, .socket = connection };

    int answer;

    thread_accept_decides( connection );
    answer = ask_condition( question, connection->slot, data );
    thread_accept_decides( NULL );
    switch (answer)
    {
    case CF_ACCEPT:
        return 0;
    case CF_DEFER:
        UNIX_CALL( socket_defer, &params );
        thread_wake( listener );
        return WSATRY_AGAIN;
    case CF_REJECT:
        accept_refuse( connection );
        return WSAECONNREFUSED;
    default:
        accept_refuse( connection );
        return WSAEINVAL;
    }
}

/* The caller of a local connection waits for a word: with the callee's data, if somebody was asked for it. */
static unsigned int conclude( struct socket *listener, struct unix_socket *connection, const struct question *question )
{
    struct connect_data data;
    unsigned int error = prepare_data( connection, &data );

    if (!error && question->condition && (error = decide( listener, connection, question, &data ))) return error;
    if (!error && data.local) error = local_answer( connection, &data.callee );
    if (error) accept_refuse( connection );
    return error;
}

static unsigned int accept_wanted( struct socket *listener, const struct question *question, const struct handle *handle,
                                   struct unix_socket **connection )
{
    unsigned int error = next_connection( listener, handle, connection );

    return error ? error : conclude( listener, *connection, question );
}

/* the handle is there first: the helper is told of it with the question for a connection */
static unsigned int accept_one( struct socket *listener, const struct question *question, struct address *peer, SOCKET *ret )
{
    struct unix_socket *connection;
    struct handle handle;
    unsigned int error;

    if ((error = handle_take( TRUE, &handle ))) return error;
    thread_accept_begin( &handle );
    error = accept_wanted( listener, question, &handle, &connection );
    thread_accept_end();
    if (!error)
    {
        *peer = connection->slot->peer;
        if ((*ret = socket_publish( connection, &handle )) != INVALID_SOCKET) return 0;
        return GetLastError();
    }
    handle_give( &handle );
    return error;
}

static unsigned int do_accept( SOCKET s, struct sockaddr *addr, int *len, const struct question *question, SOCKET *ret )
{
    struct address peer = { 0 };
    struct socket *listener;
    unsigned int error = 0;

    if (!(listener = socket_get( s ))) return GetLastError();
    /* a room too small is an error before anything is accepted */
    if (addr && len) error = address_check_room( listener, addr, len );
    if (!error && !(error = accept_one( listener, question, &peer, ret )))
    {
        TRACE( "from %s\n", debugstr_sockaddr( peer.data, peer.len ) );
        if (addr && len) address_return( &peer, addr, len );
    }
    socket_put( listener );
    return error;
}

/***********************************************************************
 *      accept   (ws2_32.1)
 *
 * WSANOTINITIALISED, WSAENOTSOCK, WSAEFAULT (room too small: nothing is accepted), WSAEOPNOTSUPP (no stream),
 * WSAEINVAL (not listening), WSAEWOULDBLOCK, WSAEINTR (closed meanwhile), WSAEMFILE, WSAENOBUFS, WSAENETDOWN.
 */
SOCKET WINAPI accept( SOCKET s, struct sockaddr *addr, int *len )
{
    struct question none = { NULL, 0 };
    SOCKET ret = INVALID_SOCKET;
    unsigned int error;

    TRACE( "socket %#Ix, addr %p, len %p\n", s, addr, len );

    error = do_accept( s, addr, len, &none, &ret );
    return return_socket( error, ret );
}

/***********************************************************************
 *      WSAAccept   (ws2_32.@)
 *
 * As accept; WSAECONNREFUSED: the condition function rejected, and the peer sees a reset;
 * WSATRY_AGAIN: it deferred, and the connection is the next to be accepted.
 */
SOCKET WINAPI WSAAccept( SOCKET s, struct sockaddr *addr, int *len, LPCONDITIONPROC condition, DWORD_PTR data )
{
    struct question question = { condition, data };
    SOCKET ret = INVALID_SOCKET;
    unsigned int error;

    TRACE( "socket %#Ix, addr %p, len %p, condition %p, data %#Ix\n", s, addr, len, condition, data );

    error = do_accept( s, addr, len, &question, &ret );
    return return_socket( error, ret );
}
