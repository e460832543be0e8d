/*
Receiving: recv, recvfrom, WSARecv, WSARecvFrom, WSARecvMsg
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

/* A receive asks the kernel first, and nobody else. Only when there is nothing and the
 * socket blocks does it wait, and only for that time does it count among the receives
 * that the helper leaves alone when the receive side is shut down. */

#include "ws2_32_private.h"
#include "engine.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

#define MAX_DATAGRAM 65536              /* no datagram is longer: so much of the buffers must be writable */
#define PROBE_MAX    65536              /* so much of a stream's: a fault further on cuts the receive short, no more */
#define COPY_MAX     65536              /* received at once into memory the kernel can't write to */
#define WAIT_FIRST   15                 /* receives that wait before they look, after one that looked in vain */
#define TCP_STATE_CLOSED 7              /* UNIX_IOCTL_STATE */

#ifndef MSG_PUSH_IMMEDIATE
#define MSG_PUSH_IMMEDIATE 0x20
#endif

/* ---- one attempt ---- */

/* The kernel says it once, to whoever asks first; the helper remembers. */
unsigned int recv_connection_lost( struct socket *sock )
{
    struct socket_params params = { sock->unix };

    if (!(socket_flags( sock ) & SOCKET_RESET)) UNIX_CALL( socket_note_reset, &params );
    return socket_flags( sock ) & SOCKET_ABORTED ? WSAECONNABORTED : WSAECONNRESET;
}

/* Linux says "end of stream" also after a reset that followed a FIN, or that somebody else was told of. */
static unsigned int stream_end( struct socket *sock )
{
    struct ioctl_params params = { .socket = sock->unix, .code = UNIX_IOCTL_STATE };
    unsigned int flags = socket_flags( sock );

    if (flags & SOCKET_RESET) return recv_connection_lost( sock );
    /* closed on both sides, in either order: that is where a connection ends */
    if (flags & SOCKET_SEND_SHUTDOWN) return 0;
    if (UNIX_CALL( ioctl, &params ) || params.value != TCP_STATE_CLOSED) return 0;
    return recv_connection_lost( sock );
}

unsigned int recv_stream_failed( struct socket *sock, unsigned int error )
{
    switch (error)
    {
    case WSAECONNRESET:
    case WSAENOTCONN:                   /* after a reset of our own */
    case WSAESHUTDOWN:
        return recv_connection_lost( sock );
    case WSAETIMEDOUT:                  /* the peer does not answer: not SO_RCVTIMEO or SO_SNDTIMEO */
        recv_connection_lost( sock );
        return WSAECONNABORTED;
    case WSAENETUNREACH:
    case WSAEHOSTUNREACH:
        recv_connection_lost( sock );
        return error;
    default:
        return error;
    }
}

/* The kernel can't write to the buffers, but perhaps the program can: pages it watches, or bad ones
 * that there is no data for. The data is taken only when the copy has succeeded. */
static unsigned int recv_copying( struct recv_params *params )
{
    const WSABUF *bufs = (const WSABUF *)params->bufs;
    struct unix_buf copy;
    struct recv_params peek = { .socket = params->socket, .bufs = &copy, .count = 1, .flags = MSG_PEEK };
    unsigned int error;

    copy.len = min( buffers_length( bufs, params->count ) - params->skip, COPY_MAX );
    if (!(copy.buf = HeapAlloc( GetProcessHeap(), 0, copy.len ))) return WSAENOBUFS;
    if (!(error = UNIX_CALL( recv, &peek )))
    {
        if (!buffers_scatter( bufs, params->count, params->skip, copy.buf, peek.result )) error = WSAEFAULT;
        else if (peek.result && !(params->flags & MSG_PEEK))
        {
            copy.len = peek.result;
            peek.flags = 0;
            error = UNIX_CALL( recv, &peek );
        }
        params->result = peek.result;
    }
    HeapFree( GetProcessHeap(), 0, copy.buf );
    return error;
}

/* no room at all: succeeds when there is something, and takes none of it */
static unsigned int recv_nothing( struct recv_params *params )
{
    char byte;
    struct unix_buf buf = { 1, &byte };
    struct recv_params peek = { .socket = params->socket, .bufs = &buf, .count = 1, .flags = params->flags | MSG_PEEK };
    unsigned int error = UNIX_CALL( recv, &peek );

    params->result = 0;
    if (!error && !peek.result) return WSAEDISCON;
    return error;
}

static unsigned int recv_stream( struct socket *sock, struct recv_params *params )
{
    const WSABUF *bufs = (const WSABUF *)params->bufs;
    BOOL oob = (params->flags & MSG_OOB) != 0;
    unsigned int error;

    if (buffers_length( bufs, params->count ) == params->skip)
    {
        if (!(error = recv_nothing( params ))) return 0;
        if (error == WSAEDISCON) return stream_end( sock );
    }
    /* an urgent byte is lost if it can't be written */
    else if (oob && !buffers_writable( bufs, params->count, params->skip, 1 )) return WSAEFAULT;
    else
    {
        error = WSAEFAULT;
        if (buffers_writable_or_simple( bufs, params->count, params->skip, PROBE_MAX )) error = UNIX_CALL( recv, params );
        if (error == WSAEFAULT && !oob) error = recv_copying( params );
        if (!error) return params->result ? 0 : stream_end( sock );
    }
    if (error != WSAEWOULDBLOCK) return recv_stream_failed( sock, error );
    /* urgent data has its own place: that there is none is not yet the whole truth */
    return oob && (socket_flags( sock ) & SOCKET_RESET) ? recv_connection_lost( sock ) : error;
}

unsigned int recv_try( struct socket *sock, struct recv_params *params )
{
    if (socket_is_stream( sock )) return recv_stream( sock, params );
    if (socket_is_local( sock )) return local_recv_try( sock, params );
    /* the kernel drops a datagram that it can't write */
    if (!buffers_writable( (const WSABUF *)params->bufs, params->count, 0, MAX_DATAGRAM )) return WSAEFAULT;
    return UNIX_CALL( recv, params );
}

/* ---- checks ---- */

static unsigned int check_flags( const struct socket *sock, DWORD flags )
{
    if (!flags) return 0;
    if (flags & ~(MSG_PEEK | MSG_OOB | MSG_WAITALL | MSG_PARTIAL | MSG_PUSH_IMMEDIATE)) return WSAEOPNOTSUPP;
    if ((flags & MSG_OOB) && !socket_is_stream( sock )) return WSAEOPNOTSUPP;
    if ((flags & MSG_PARTIAL) && socket_is_local( sock )) return WSAEOPNOTSUPP;
    if (!(flags & MSG_WAITALL)) return 0;
    if ((flags & (MSG_PEEK | MSG_OOB | MSG_PARTIAL)) || !socket_is_stream( sock )) return WSAEOPNOTSUPP;
    return socket_is_nonblocking( sock ) ? WSAEOPNOTSUPP : 0;
}

static unsigned int check_state( struct socket *sock )
{
    unsigned int flags = socket_flags( sock ), error;

    if (!socket_has_connections( sock )) error = flags & SOCKET_BOUND ? 0 : WSAEINVAL;
    else error = check_connected( sock );
    if (error) return error;
    return flags & SOCKET_RECV_SHUTDOWN ? WSAESHUTDOWN : 0;
}

/* room for a sender's address; streams leave it alone */
static unsigned int check_addr( const struct socket *sock, struct sockaddr *addr, int *len )
{
    return addr && !socket_has_connections( sock ) ? address_check_room( sock, addr, len ) : 0;
}

/* ---- waiting ---- */

/* Until wanted bytes are there, or any datagram. */
static unsigned int wait_data( struct socket *sock, struct recv_params *params, SIZE_T wanted,
                               const struct deadline *deadline )
{
    unsigned int error;

    for (;;)
    {
        if ((error = wait_socket( sock, UNIX_POLLIN, deadline ))) return error;
        params->flags |= UNIX_MSG_WAITED;
        error = recv_try( sock, params );
        if (error == WSAEWOULDBLOCK) continue;
        if (error || !params->result) return error;
        if (params->skip + params->result >= wanted) return 0;
        params->skip += params->result;
    }
}

/* Counts this receive while it waits, so that the helper does not reset the connection for data that
 * it will take. The helper sets the flag first and looks at the count then, we do the reverse: one of us sees the other. */
static unsigned int recv_blocking( struct socket *sock, struct recv_params *params, SIZE_T wanted )
{
    struct deadline deadline = deadline_in( socket_option( sock, OPTION_RCVTIMEO ) );
    volatile LONG *pending = *(volatile LONG * volatile *)&sock->unix->pending;
    struct socket_params arm = { sock->unix };
    unsigned int error;

    thread_receive_begin( pending );
    if (socket_flags( sock ) & SOCKET_RECV_SHUTDOWN) error = WSAESHUTDOWN;
    else error = wait_data( sock, params, wanted, &deadline );
    thread_receive_end();
    if (!InterlockedDecrement( pending ) && (socket_flags( sock ) & SOCKET_RECV_SHUTDOWN)) UNIX_CALL( socket_arm, &arm );
    return error;
}

/* Receives of a request and answer kind find nothing when they come. Where the last look was in vain, the
 * next ones wait at once: that spares each of them a system call, and costs one where
 * data is there after all. */
static BOOL will_wait( struct socket *sock, struct recv_params *params )
{
    if (!sock->unix->wait_first || params->flags || socket_is_nonblocking( sock )) return FALSE;
    if (sock->unix->icmp_error) return FALSE;   /* poll may not know of it */
    if (!buffers_writable( (const WSABUF *)params->bufs, params->count, 0, PROBE_MAX )) return FALSE;
    sock->unix->wait_first--;
    return TRUE;
}

/* ---- a whole receive ---- */

/* params has the buffers and what else there is room for; params->result is all that was received */
static unsigned int receive( struct socket *sock, struct recv_params *params, DWORD flags )
{
    BOOL all = (flags & MSG_WAITALL) != 0;
    SIZE_T wanted = all ? buffers_length( (const WSABUF *)params->bufs, params->count ) : 1;
    unsigned int error;

    params->socket = sock->unix;
    params->flags = flags & (MSG_PEEK | MSG_OOB);
    if (!all && will_wait( sock, params )) error = WSAEWOULDBLOCK;
    else
    {
        error = recv_try( sock, params );
        sock->unix->wait_first = error == WSAEWOULDBLOCK ? WAIT_FIRST : 0;
    }
    if (all && !error && params->result && params->result < wanted)
    {
        params->skip = params->result;
        error = WSAEWOULDBLOCK;
    }
    if (error == WSAEWOULDBLOCK && !(flags & MSG_OOB) && !socket_is_nonblocking( sock ))
    {
        params->result = 0;
        error = recv_blocking( sock, params, wanted );
    }
    if (!params->skip) return error;
    /* what has been received is not taken back for what came after it: the next receive will tell */
    params->result = params->skip + (error ? 0 : params->result);
    return error == WSAEINTR ? error : 0;
}

/* What recv and its kin have in common. *flags is local: in, and out. */
static unsigned int receive_from( struct socket *sock, const WSABUF *bufs, DWORD count, DWORD *flags,
                                  struct sockaddr *addr, int *addr_len, DWORD *received )
{
    struct address from;
    struct recv_params params = { .bufs = (const struct unix_buf *)bufs, .count = count };
    unsigned int error;

    if (addr && !socket_has_connections( sock ))
    {
        params.addr = from.data;
        params.addr_len = sizeof(from.data);
    }
    error = receive( sock, &params, *flags );
    if (error && error != WSAEMSGSIZE) return error;
    *received = params.result;
    if (error) return error;
    *flags = params.result_flags & UNIX_MSG_TRUNC ? MSG_PARTIAL : *flags & MSG_OOB;
    if (params.addr)
    {
        from.len = params.addr_len;
        if ((error = address_return( &from, addr, addr_len ))) return error;
    }
    return params.result_flags & UNIX_MSG_TRUNC ? WSAEMSGSIZE : 0;
}

/* recv and recvfrom */
static unsigned int recv_simple( SOCKET s, char *buf, int len, DWORD flags, struct sockaddr *addr, int *addr_len,
                                 DWORD *received )
{
    WSABUF buffer = { len, buf };
    struct socket *sock;
    unsigned int error;

    if (!(sock = socket_get( s ))) return GetLastError();
    if (!(error = check_flags( sock, flags )) && !(error = check_state( sock )) &&
        !(error = check_addr( sock, addr, addr_len )))
    {
        if (addr && socket_has_connections( sock )) addr = NULL;
        error = receive_from( sock, &buffer, 1, &flags, addr, addr_len, received );
        if (!error && addr) TRACE( "from %s\n", debugstr_sockaddr( addr, *addr_len ) );
    }
    socket_put( sock );
    return error;
}

/***********************************************************************
 *      recv   (ws2_32.16)
 *
 * WSANOTINITIALISED, WSAENOTSOCK, WSAEOPNOTSUPP (flags), WSAEINVAL (datagram: not bound; MSG_OOB with SO_OOBINLINE),
 * WSAENOTCONN, WSAESHUTDOWN, WSAEFAULT, WSAEWOULDBLOCK, WSAETIMEDOUT (SO_RCVTIMEO), WSAEINTR (closed meanwhile),
 * WSAEMSGSIZE (datagram: cut), WSAECONNRESET (also a datagram's ICMP error), WSAECONNABORTED, WSAENETRESET.
 */
int WINAPI recv( SOCKET s, char *buf, int len, int flags )
{
    DWORD received = 0;
    unsigned int error;

    TRACE( "socket %#Ix, buf %p, len %d, flags %s\n", s, buf, len, debugstr_msg_flags( flags ) );

    error = recv_simple( s, buf, len, flags, NULL, NULL, &received );
    return return_count( error, received );
}

/***********************************************************************
 *      recvfrom   (ws2_32.17)
 *
 * As recv; WSAEFAULT also when there is too little room for the address: nothing was received then.
 */
int WINAPI recvfrom( SOCKET s, char *buf, int len, int flags, struct sockaddr *addr, int *addr_len )
{
    DWORD received = 0;
    unsigned int error;

    TRACE( "socket %#Ix, buf %p, len %d, flags %s, addr %p, addr_len %p\n", s, buf, len, debugstr_msg_flags( flags ),
           addr, addr_len );

    error = recv_simple( s, buf, len, flags, addr, addr_len, &received );
    return return_count( error, received );
}

/* the pointers of WSARecv and WSARecvFrom */
static unsigned int check_pointers( const struct socket *sock, const WSABUF *bufs, DWORD count, DWORD *received,
                                    DWORD *flags, const WSAOVERLAPPED *overlapped )
{
    if (!flags || !probe_write( flags, sizeof(*flags) )) return WSAEFAULT;
    if (received ? !probe_write( received, sizeof(*received) ) : !is_overlapped( sock, overlapped )) return WSAEFAULT;
    if (!count) return WSAEINVAL;
    return buffers_check( bufs, count ) ? 0 : WSAEFAULT;
}

/* as a program's overlapped operation; peeking makes no sense there */
static unsigned int recv_overlapped( struct socket *sock, const struct recv_params *params, DWORD flags,
                                     const struct recv_results *results, WSAOVERLAPPED *overlapped,
                                     LPWSAOVERLAPPED_COMPLETION_ROUTINE routine )
{
    struct completion_port port = engine_port( sock );
    struct completion completion;
    unsigned int error;

    if (flags & MSG_PEEK) return WSAEOPNOTSUPP;
    if ((error = completion_from_overlapped( &completion, &port, overlapped, routine ))) return error;
    return recv_post( sock, params, flags, results, &completion );
}

unsigned int recv_file( struct socket *sock, const WSABUF *buf, const struct completion *completion )
{
    struct recv_params params = { .bufs = (const struct unix_buf *)buf, .count = 1 };
    struct recv_results none = { NULL };
    unsigned int error;

    if ((error = check_state( sock ))) return error;
    return recv_post( sock, &params, 0, &none, completion );
}

/* what the program waits for */
static unsigned int recv_now( struct socket *sock, const struct recv_params *params, DWORD flags, const struct recv_results *results )
{
    DWORD received = 0;
    unsigned int error;

    error = receive_from( sock, (const WSABUF *)params->bufs, params->count, &flags, results->addr, results->addr_len, &received );
    if (error && error != WSAEMSGSIZE) return error;
    if (!copy_safe( results->count, &received, sizeof(received) )) return WSAEFAULT;
    return copy_safe( results->flags, &flags, sizeof(flags) ) ? error : WSAEFAULT;
}

static unsigned int recv_buffers( struct socket *sock, const struct recv_params *params, const struct recv_results *results,
                                  WSAOVERLAPPED *overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine )
{
    unsigned int error;
    DWORD flags;

    if ((error = check_pointers( sock, (const WSABUF *)params->bufs, params->count, results->count, results->flags, overlapped )))
        return error;
    flags = *results->flags;
    if ((error = check_flags( sock, flags ))) return error;
    if ((error = check_state( sock ))) return error;
    if ((error = check_addr( sock, results->addr, results->addr_len ))) return error;
    if (is_overlapped( sock, overlapped )) return recv_overlapped( sock, params, flags, results, overlapped, routine );
    return recv_now( sock, params, flags, results );
}

static unsigned int recv_wsa( SOCKET s, const WSABUF *bufs, DWORD count, struct recv_results *results,
                              WSAOVERLAPPED *overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine )
{
    struct recv_params params = { .bufs = (const struct unix_buf *)bufs, .count = count };
    struct socket *sock;
    unsigned int error;
    BOOL now;

    if (!(sock = socket_get( s ))) return GetLastError();
    now = !is_overlapped( sock, overlapped );
    if (socket_has_connections( sock )) results->addr = NULL;
    error = recv_buffers( sock, &params, results, overlapped, routine );
    socket_put( sock );
    if (now && (!error || error == WSAEMSGSIZE))
        TRACE( "%lu bytes, flags %s, address %s\n", *results->count, debugstr_msg_flags( *results->flags ),
               results->addr && results->addr_len ? debugstr_sockaddr( results->addr, *results->addr_len ) : "none" );
    if (!now && !error) SetLastError( 0 );
    return error;
}

/***********************************************************************
 *      WSARecv   (ws2_32.@)
 *
 * As recv; WSAEINVAL also without buffers, WSAEFAULT for any bad pointer.
 */
int WINAPI WSARecv( SOCKET s, WSABUF *bufs, DWORD count, DWORD *received, DWORD *flags, WSAOVERLAPPED *overlapped,
                    LPWSAOVERLAPPED_COMPLETION_ROUTINE completion )
{
    struct recv_results results = { .count = received, .flags = flags };

    TRACE( "socket %#Ix, buffers %s, count %lu, received %p, flags %p, overlapped %p, completion %p\n", s,
           debugstr_buffers( bufs, count ), count, received, flags, overlapped, completion );
    return return_error( recv_wsa( s, bufs, count, &results, overlapped, completion ) );
}

/***********************************************************************
 *      WSARecvFrom   (ws2_32.@)
 *
 * As recvfrom and WSARecv.
 */
int WINAPI WSARecvFrom( SOCKET s, WSABUF *bufs, DWORD count, DWORD *received, DWORD *flags, struct sockaddr *addr,
                        int *addr_len, WSAOVERLAPPED *overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE completion )
{
    struct recv_results results = { .addr = addr, .addr_len = addr_len, .count = received, .flags = flags };

    TRACE( "socket %#Ix, buffers %s, count %lu, received %p, flags %p, addr %p, addr_len %p, overlapped %p, completion %p\n",
           s, debugstr_buffers( bufs, count ), count, received, flags, addr, addr_len, overlapped, completion );
    return return_error( recv_wsa( s, bufs, count, &results, overlapped, completion ) );
}

/* ---- WSARecvMsg ---- */

static unsigned int check_msg( const struct socket *sock, const WSAMSG *msg, WSAMSG *program_msg, DWORD *received,
                               const WSAOVERLAPPED *overlapped )
{
    unsigned int error;

    if (received ? !probe_write( received, sizeof(*received) ) : !is_overlapped( sock, overlapped )) return WSAEFAULT;
    if (socket_has_connections( sock )) return WSAEOPNOTSUPP;
    if (!msg->dwBufferCount) return WSAEINVAL;
    if (!buffers_check( msg->lpBuffers, msg->dwBufferCount )) return WSAEFAULT;
    if ((error = check_addr( sock, msg->name, &program_msg->namelen ))) return error;
    if (!probe_write( msg->Control.buf, msg->Control.len )) return WSAEFAULT;
    return 0;
}

/* One that was cut leaves the flags as they were; control data that was cut shows there. */
unsigned int recv_return_msg( const struct recv_params *params, const struct address *from, const WSAMSG *msg,
                              WSAMSG *program_msg )
{
    ULONG control_len = params->control_len;
    DWORD flags = msg->dwFlags;
    unsigned int error;

    if (msg->name && (error = address_return( from, msg->name, &program_msg->namelen ))) return error;
    if (params->result_flags & UNIX_MSG_CTRUNC) flags = MSG_CTRUNC;
    else if (!(params->result_flags & UNIX_MSG_TRUNC)) flags = 0;
    if (!copy_safe( &program_msg->Control.len, &control_len, sizeof(control_len) ) ||
        !copy_safe( &program_msg->dwFlags, &flags, sizeof(flags) )) return WSAEFAULT;
    return params->result_flags & (UNIX_MSG_TRUNC | UNIX_MSG_CTRUNC) ? WSAEMSGSIZE : 0;
}

/* what the program waits for */
static unsigned int recv_msg_now( struct socket *sock, struct recv_params *params, const WSAMSG *msg, WSAMSG *program_msg,
                                  DWORD flags, DWORD *received )
{
    struct address from;
    unsigned int error;
    DWORD result;

    params->addr = from.data;
    params->addr_len = sizeof(from.data);
    /* without a buffer, that there was control data is told all the same */
    if (!params->control_len) params->control = &params->control_len;
    if ((error = receive( sock, params, flags ))) return error;
    from.len = params->addr_len;
    result = params->result;
    error = recv_return_msg( params, &from, msg, program_msg );
    return copy_safe( received, &result, sizeof(result) ) ? error : WSAEFAULT;
}

static unsigned int recv_msg( struct socket *sock, WSAMSG *program_msg, DWORD *received, WSAOVERLAPPED *overlapped,
                              LPWSAOVERLAPPED_COMPLETION_ROUTINE routine )
{
    /* a program may leave in the flags what the last call put there */
    static const DWORD out_flags = MSG_TRUNC | MSG_CTRUNC | MSG_BCAST | MSG_MCAST;
    struct recv_results results = { .msg = program_msg, .count = received };
    struct recv_params params = { 0 };
    unsigned int error;
    DWORD flags;
    WSAMSG msg;

    if (!program_msg || !probe_write( program_msg, sizeof(msg) )) return WSAEFAULT;
    msg = *program_msg;
    flags = msg.dwFlags & ~out_flags;
    if ((error = check_msg( sock, &msg, program_msg, received, overlapped ))) return error;
    if ((error = check_flags( sock, flags ))) return error;
    if ((error = check_state( sock ))) return error;
    params.bufs = (const struct unix_buf *)msg.lpBuffers;
    params.count = msg.dwBufferCount;
    params.control = msg.Control.buf;
    params.control_len = msg.Control.len;
    if (is_overlapped( sock, overlapped )) return recv_overlapped( sock, &params, flags, &results, overlapped, routine );
    return recv_msg_now( sock, &params, &msg, program_msg, flags, received );
}

/***********************************************************************
 *      WSARecvMsg   (an extension function)
 *
 * As WSARecvFrom, for datagram and raw sockets; WSAEOPNOTSUPP for others, WSAEMSGSIZE also for control data that was cut.
 */
int WINAPI WSARecvMsg( SOCKET s, WSAMSG *msg, DWORD *received, WSAOVERLAPPED *overlapped,
                       LPWSAOVERLAPPED_COMPLETION_ROUTINE completion )
{
    struct socket *sock;
    unsigned int error;
    BOOL now;

    TRACE( "socket %#Ix, msg %p, received %p, overlapped %p, completion %p\n", s, msg, received, overlapped, completion );

    if (!(sock = socket_get( s ))) return return_error( GetLastError() );
    now = !is_overlapped( sock, overlapped );
    error = recv_msg( sock, msg, received, overlapped, completion );
    socket_put( sock );
    if (now && (!error || error == WSAEMSGSIZE))
        TRACE( "%lu bytes, flags %s, address %s, %lu bytes of control data\n", *received,
               debugstr_msg_flags( msg->dwFlags ), debugstr_sockaddr( msg->name, msg->namelen ), msg->Control.len );
    if (!now && !error) SetLastError( 0 );
    return return_error( error );
}
