/*
Sending: send, sendto, WSASend, WSASendTo, WSASendMsg
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

/* Windows queues a send whole or not at all. The kernel takes what it has room for, so on a stream
 * a blocking send goes on until all is taken, keeping others out meanwhile (send_turn.c),
 * and a non-blocking one gives the rest to the helper, which sends it before anything else. */

#include "ws2_32_private.h"
#include "engine.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

/* ---- one attempt ---- */

unsigned int send_try( struct socket *sock, struct send_params *params )
{
    const WSABUF *bufs = (const WSABUF *)params->bufs;
    unsigned int error = UNIX_CALL( send, params );
    DWORD i;

    if (!error || error == WSAEWOULDBLOCK) return error;
    if (error == WSAEFAULT)
    {
        /* perhaps the program can read what the kernel can't */
        for (i = 0; i < params->count; i++)
            if (!probe_read( bufs[i].buf, bufs[i].len )) return WSAEFAULT;
        error = UNIX_CALL( send, params );
    }
    if (socket_is_local( sock )) return local_send_error( sock, error );
    if (!socket_is_stream( sock )) return error == WSAEDESTADDRREQ ? WSAENOTCONN : error;
    if (error == WSAESHUTDOWN && (socket_flags( sock ) & SOCKET_SEND_SHUTDOWN)) return error;
    return recv_stream_failed( sock, error );
}

/* ---- checks ---- */

static unsigned int check_flags( const struct socket *sock, DWORD flags )
{
    if (!flags) return 0;
    if (flags & ~(MSG_OOB | MSG_DONTROUTE)) return WSAEOPNOTSUPP;
    return (flags & MSG_OOB) && !socket_is_stream( sock ) ? WSAEOPNOTSUPP : 0;
}

/* Linux asks for SO_BROADCAST where it looks for the way: for a connected socket that was in connect(),
 * which Windows lets pass. */
static unsigned int check_peer( struct socket *sock )
{
    const struct slot *slot = socket_slot( sock );
    const struct sockaddr_in *peer = (const struct sockaddr_in *)slot->peer.data;
    struct getsockopt_params params = { .socket = sock->unix, .level = SOL_SOCKET, .name = SO_BROADCAST };
    BOOL on = FALSE;

    if (socket_state( sock ) != SOCKET_CONNECTED) return WSAENOTCONN;
    if (slot->family != AF_INET || peer->sin_addr.s_addr != INADDR_BROADCAST) return 0;
    params.value = &on;
    params.len = sizeof(on);
    return !UNIX_CALL( getsockopt, &params ) && !on ? WSAEACCES : 0;
}

/* has_target: a datagram has an address of its own */
static unsigned int check_state( struct socket *sock, BOOL has_target )
{
    unsigned int flags = socket_flags( sock ), error = 0;

    if (socket_has_connections( sock )) error = check_connected( sock );
    else if (!has_target) error = check_peer( sock );
    if (error) return error;
    if (flags & SOCKET_SEND_SHUTDOWN) return WSAESHUTDOWN;
    return flags & SOCKET_RESET ? recv_connection_lost( sock ) : 0;
}

static BOOL is_unspecified( const struct address *addr )
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr->data;
    const struct sockaddr_in *in = (const struct sockaddr_in *)addr->data;
    static const IN6_ADDR any;

    if (in->sin_family == AF_INET) return !in->sin_addr.s_addr;
    return !memcmp( &in6->sin6_addr, &any, sizeof(any) );
}

/* A datagram's own address into target; len 0 when the socket's peer is meant. On a stream it means nothing. */
static unsigned int check_addr( struct socket *sock, const struct sockaddr *addr, int len, struct address *target )
{
    unsigned int error;

    target->len = 0;
    if (!addr || socket_has_connections( sock )) return 0;
    if (!len && socket_state( sock ) == SOCKET_CONNECTED) return 0;
    if ((error = address_copy( sock, addr, len, target ))) return error;
    return is_unspecified( target ) ? WSAEADDRNOTAVAIL : 0;
}

/* The first datagram binds the socket. The helper has to know the port, so it does that: once. */
static unsigned int bind_implicitly( struct socket *sock )
{
    struct address any = { .len = sizeof(struct sockaddr_in) };
    struct socket_bind_params params = { .socket = sock->unix, .addr = any.data };
    u16 family = socket_slot( sock )->family;
    unsigned int error;

    if (socket_has_connections( sock ) || (socket_flags( sock ) & SOCKET_BOUND)) return 0;
    if (family == AF_INET6) any.len = sizeof(struct sockaddr_in6);
    memcpy( any.data, &family, sizeof(family) );
    params.len = any.len;
    error = UNIX_CALL( socket_bind, &params );
    /* another thread was faster */
    return socket_flags( sock ) & SOCKET_BOUND ? 0 : error;
}

/* ---- waiting ---- */

/* when SO_SNDTIMEO ends this send; the clock is read only when it has to wait */
struct send_wait
{
    struct deadline deadline;
    BOOL            made;
};

static const struct deadline *send_deadline( struct socket *sock, struct send_wait *wait )
{
    if (!wait->made) wait->deadline = deadline_in( socket_option( sock, OPTION_SNDTIMEO ) );
    wait->made = TRUE;
    return &wait->deadline;
}

/* the helper is still sending for somebody */
static unsigned int wait_backlog( struct socket *sock, const struct deadline *deadline )
{
    struct socket_watch_backlog_params params = { .socket = sock->unix };
    unsigned int error;

    while (socket_flags( sock ) & SOCKET_BACKLOGGED)
    {
        if ((error = UNIX_CALL( socket_watch_backlog, &params ))) return error;
        if (params.wait_fd == -1) continue;
        if ((error = wait_helper_fd( sock, params.wait_fd, deadline ))) return error;
    }
    return 0;
}

/* ---- streams ---- */

/* A part is with the kernel: the helper takes the rest. If it does not, the part is all that was sent. */
static unsigned int send_rest( struct send_params *params, SIZE_T total )
{
    struct send_backlog_params rest = { .socket = params->socket, .bufs = params->bufs, .count = params->count,
                                        .skip = params->skip };
    unsigned int error = UNIX_CALL( send_backlog, &rest );

    if (!error) params->skip = total;
    else WARN( "only %Iu bytes of %Iu sent, error %s\n", (SIZE_T)params->skip, total, debugstr_error( error ) );
    return params->skip ? 0 : error;
}

/* It is this thread's turn. params->skip is what was sent. */
static unsigned int send_whole( struct socket *sock, struct send_params *params, SIZE_T total, struct send_wait *wait )
{
    BOOL nonblocking = socket_is_nonblocking( sock );
    unsigned int error;

    if (socket_flags( sock ) & SOCKET_BACKLOGGED)
    {
        if (nonblocking) return WSAEWOULDBLOCK;
        turn_keep( sock );
        if ((error = wait_backlog( sock, send_deadline( sock, wait ) ))) return error;
    }
    for (;;)
    {
        if (!(error = send_try( sock, params )))
        {
            params->skip += params->result;
            if (params->skip >= total) return 0;
            continue;
        }
        if (error != WSAEWOULDBLOCK) return error;
        if (nonblocking) return params->skip ? send_rest( params, total ) : WSAEWOULDBLOCK;
        turn_keep( sock );
        if (turn_rest_wanted( sock )) return send_rest( params, total );
        if ((error = wait_socket( sock, UNIX_POLLOUT, send_deadline( sock, wait ) ))) return error;
    }
}

static unsigned int send_stream( struct socket *sock, struct send_params *params, SIZE_T total )
{
    struct send_wait wait = { .made = FALSE };
    unsigned int error;
    BOOL nonblocking;

    if (!total) return 0;
    if (!turn_take( sock ))
    {
        nonblocking = socket_is_nonblocking( sock );
        if ((error = turn_wait( sock, nonblocking, nonblocking ? NULL : send_deadline( sock, &wait ) ))) return error;
    }
    error = send_whole( sock, params, total, &wait );
    turn_leave( sock );
    params->result = params->skip;
    return error;
}

/* ---- datagrams ---- */

static unsigned int send_datagram( struct socket *sock, struct send_params *params )
{
    struct send_wait wait = { .made = FALSE };
    unsigned int error, wait_error;

    while ((error = send_try( sock, params )) == WSAEWOULDBLOCK && !socket_is_nonblocking( sock ))
    {
        if ((wait_error = wait_socket( sock, UNIX_POLLOUT, send_deadline( sock, &wait ) ))) return wait_error;
        params->flags |= UNIX_MSG_WAITED;
    }
    return error;
}

/* ---- a whole send ---- */

/* how the program hears of an overlapped send's end */
struct overlapped_call
{
    WSAOVERLAPPED                     *overlapped;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
    DWORD                             *sent;            /* if it is done at once; NULL: nowhere */
};

static unsigned int send_overlapped( struct socket *sock, const struct send_params *params, const struct overlapped_call *call )
{
    struct completion_port port = engine_port( sock );
    struct completion completion;
    unsigned int error;

    if ((error = completion_from_overlapped( &completion, &port, call->overlapped, call->routine ))) return error;
    return send_post( sock, params, call->sent, &completion );
}

/* params has the address and the control data, if any; params->result is what was sent. call: NULL, if the program waits */
static unsigned int send_buffers( struct socket *sock, struct send_params *params, const WSABUF *bufs, DWORD count, DWORD flags,
                                  const struct overlapped_call *call )
{
    params->socket = sock->unix;
    params->bufs = (const struct unix_buf *)bufs;
    params->count = count;
    params->flags = flags;
    if (!buffers_readable( bufs, count )) return WSAEFAULT;
    if (socket_is_local( sock ) && buffers_length( bufs, count ) > TAPSTER_MAX_MESSAGE) return WSAEMSGSIZE;
    if (call) return send_overlapped( sock, params, call );
    if (!socket_is_stream( sock )) return send_datagram( sock, params );
    return send_stream( sock, params, buffers_length( bufs, count ) );
}

/* what all sends check, in Windows' order, then the send */
static unsigned int send_to( struct socket *sock, const WSABUF *bufs, DWORD count, DWORD flags, const struct sockaddr *addr,
                             int addr_len, const struct overlapped_call *call, SIZE_T *sent )
{
    struct send_params params = { 0 };
    struct address target;
    unsigned int error;

    if ((error = check_flags( sock, flags ))) return error;
    if ((error = check_addr( sock, addr, addr_len, &target ))) return error;
    if ((error = check_state( sock, target.len != 0 ))) return error;
    if ((error = bind_implicitly( sock ))) return error;
    if (target.len)
    {
        params.addr = target.data;
        params.addr_len = target.len;
    }
    error = send_buffers( sock, &params, bufs, count, flags, call );
    *sent = params.result;
    return error;
}

unsigned int send_file( struct socket *sock, const WSABUF *buf, const struct completion *completion )
{
    struct send_params params = { .bufs = (const struct unix_buf *)buf, .count = 1 };
    unsigned int error;

    if ((error = check_state( sock, FALSE ))) return error;
    if (!buffers_readable( buf, 1 )) return WSAEFAULT;
    return send_post( sock, &params, NULL, completion );
}

/* send and sendto */
static unsigned int send_simple( SOCKET s, const char *buf, int len, DWORD flags, const struct sockaddr *addr, int addr_len,
                                 SIZE_T *sent )
{
    WSABUF buffer = { len, (char *)buf };
    struct socket *sock;
    unsigned int error;

    if (!(sock = socket_get( s ))) return GetLastError();
    error = send_to( sock, &buffer, 1, flags, addr, addr_len, NULL, sent );
    socket_put( sock );
    return error;
}

/***********************************************************************
 *      send   (ws2_32.19)
 *
 * WSANOTINITIALISED, WSAENOTSOCK, WSAEOPNOTSUPP (flags), WSAENOTCONN, WSAESHUTDOWN, WSAEFAULT, WSAEWOULDBLOCK (a
 * non-blocking stream takes all or nothing), WSAETIMEDOUT (SO_SNDTIMEO), WSAEINTR (closed meanwhile), WSAEMSGSIZE,
 * WSAEACCES (broadcast), WSAECONNRESET, WSAECONNABORTED, WSAENOBUFS, WSAENETDOWN (a first datagram, no helper).
 */
int WINAPI send( SOCKET s, const char *buf, int len, int flags )
{
    unsigned int error;
    SIZE_T sent = 0;

    TRACE( "socket %#Ix, buf %p, len %d, flags %s\n", s, buf, len, debugstr_msg_flags( flags ) );

    error = send_simple( s, buf, len, flags, NULL, 0, &sent );
    return return_count( error, sent );
}

/***********************************************************************
 *      sendto   (ws2_32.20)
 *
 * As send; WSAEAFNOSUPPORT, WSAEFAULT and WSAEADDRNOTAVAIL for the address. On streams the address means nothing.
 */
int WINAPI sendto( SOCKET s, const char *buf, int len, int flags, const struct sockaddr *addr, int addr_len )
{
    unsigned int error;
    SIZE_T sent = 0;

    TRACE( "socket %#Ix, buf %p, len %d, flags %s, address %s\n", s, buf, len, debugstr_msg_flags( flags ),
           debugstr_sockaddr( addr, addr_len ) );

    error = send_simple( s, buf, len, flags, addr, addr_len, &sent );
    return return_count( error, sent );
}

/* the pointers of WSASend and WSASendTo */
static unsigned int check_pointers( const struct socket *sock, const WSABUF *bufs, DWORD count, DWORD *sent,
                                    const WSAOVERLAPPED *overlapped )
{
    if (sent ? !probe_write( sent, sizeof(*sent) ) : !is_overlapped( sock, overlapped )) return WSAEFAULT;
    if (!count) return WSAEINVAL;
    return buffers_check( bufs, count ) ? 0 : WSAEFAULT;
}

static unsigned int send_wsa( SOCKET s, const WSABUF *bufs, DWORD count, DWORD *sent, DWORD flags, const struct sockaddr *addr,
                              int addr_len, const struct overlapped_call *call )
{
    struct socket *sock;
    unsigned int error;
    SIZE_T result = 0;
    BOOL overlapped;

    if (!(sock = socket_get( s ))) return GetLastError();
    overlapped = is_overlapped( sock, call->overlapped );
    if (!(error = check_pointers( sock, bufs, count, sent, call->overlapped )))
        error = send_to( sock, bufs, count, flags, addr, addr_len, overlapped ? call : NULL, &result );
    socket_put( sock );
    if (overlapped)
    {
        if (!error) SetLastError( 0 );
        return error;
    }
    if (!error && !copy_safe( sent, &result, sizeof(*sent) )) error = WSAEFAULT;
    if (!error) TRACE( "%Iu bytes\n", result );
    return error;
}

/***********************************************************************
 *      WSASend   (ws2_32.@)
 *
 * As send; WSAEINVAL also without buffers, WSAEFAULT for any bad pointer.
 */
int WINAPI WSASend( SOCKET s, WSABUF *bufs, DWORD count, DWORD *sent, DWORD flags, WSAOVERLAPPED *overlapped,
                    LPWSAOVERLAPPED_COMPLETION_ROUTINE completion )
{
    struct overlapped_call call = { overlapped, completion, sent };

    TRACE( "socket %#Ix, buffers %s, count %lu, sent %p, flags %s, overlapped %p, completion %p\n", s,
           debugstr_buffers( bufs, count ), count, sent, debugstr_msg_flags( flags ), overlapped, completion );
    return return_error( send_wsa( s, bufs, count, sent, flags, NULL, 0, &call ) );
}

/***********************************************************************
 *      WSASendTo   (ws2_32.@)
 *
 * As sendto and WSASend.
 */
int WINAPI WSASendTo( SOCKET s, WSABUF *bufs, DWORD count, DWORD *sent, DWORD flags, const struct sockaddr *addr,
                      int addr_len, WSAOVERLAPPED *overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE completion )
{
    struct overlapped_call call = { overlapped, completion, sent };

    TRACE( "socket %#Ix, buffers %s, count %lu, sent %p, flags %s, address %s, overlapped %p, completion %p\n", s,
           debugstr_buffers( bufs, count ), count, sent, debugstr_msg_flags( flags ), debugstr_sockaddr( addr, addr_len ),
           overlapped, completion );
    return return_error( send_wsa( s, bufs, count, sent, flags, addr, addr_len, &call ) );
}

/* ---- WSASendMsg ---- */

static unsigned int check_msg( const struct socket *sock, const WSAMSG *msg, DWORD flags, DWORD *sent,
                               const WSAOVERLAPPED *overlapped )
{
    if (socket_has_connections( sock )) return WSAEINVAL;
    if (sent ? !probe_write( sent, sizeof(*sent) ) : !is_overlapped( sock, overlapped )) return WSAEFAULT;
    if (!msg->dwBufferCount) return WSAEINVAL;
    if (!buffers_check( msg->lpBuffers, msg->dwBufferCount )) return WSAEFAULT;
    if (!probe_read( msg->Control.buf, msg->Control.len )) return WSAEFAULT;
    return check_flags( sock, flags );
}

static unsigned int send_msg( struct socket *sock, const WSAMSG *program_msg, DWORD flags, DWORD *sent,
                              const struct overlapped_call *call, DWORD *result )
{
    struct send_params params = { 0 };
    struct address target;
    unsigned int error;
    WSAMSG msg;

    if (!program_msg || !copy_safe( &msg, program_msg, sizeof(msg) )) return WSAEFAULT;
    if ((error = check_msg( sock, &msg, flags, sent, call->overlapped ))) return error;
    /* here also a send that fails for want of an address binds the socket */
    if ((error = bind_implicitly( sock ))) return error;
    if ((error = check_addr( sock, msg.name, msg.namelen, &target ))) return error;
    if ((error = check_state( sock, target.len != 0 ))) return error;
    if (target.len)
    {
        params.addr = target.data;
        params.addr_len = target.len;
    }
    if (msg.Control.len)
    {
        params.control = msg.Control.buf;
        params.control_len = msg.Control.len;
    }
    if (!is_overlapped( sock, call->overlapped )) call = NULL;
    error = send_buffers( sock, &params, msg.lpBuffers, msg.dwBufferCount, flags, call );
    *result = params.result;
    if (!call && !error && !copy_safe( sent, result, sizeof(*sent) )) error = WSAEFAULT;
    return error;
}

/***********************************************************************
 *      WSASendMsg   (ws2_32.@)
 *
 * As WSASendTo, for datagram and raw sockets; WSAEINVAL for others and for control data that is malformed or unknown.
 */
int WINAPI WSASendMsg( SOCKET s, WSAMSG *msg, DWORD flags, DWORD *sent, WSAOVERLAPPED *overlapped,
                       LPWSAOVERLAPPED_COMPLETION_ROUTINE completion )
{
    struct overlapped_call call = { overlapped, completion, sent };
    struct socket *sock;
    unsigned int error;
    DWORD result = 0;

    TRACE( "socket %#Ix, msg %p, flags %s, sent %p, overlapped %p, completion %p\n", s, msg, debugstr_msg_flags( flags ), sent,
           overlapped, completion );

    if (!(sock = socket_get( s ))) return return_error( GetLastError() );
    error = send_msg( sock, msg, flags, sent, &call, &result );
    if (!error && is_overlapped( sock, overlapped )) SetLastError( 0 );
    socket_put( sock );
    if (!error) TRACE( "%lu bytes\n", result );
    return return_error( error );
}
