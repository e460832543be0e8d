/*
 * Shutdown: the receive side's policy, the send side's order
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

#include <errno.h>
#include <string.h>
#include <netinet/tcp.h>

#include "server.h"

/* Receive shutdown. Nothing is done to the kernel socket: its SHUT_RD would be neither what
 * Windows does nor anything the peer sees. The flag in the slot makes new receives fail in all
 * processes; on TCP, data that no receive will take makes us reset the connection.
 *
 * A receive that was posted before may still take data. The order that makes this exact:
 *   client: counter up, fence, look at the flag; if it is set: counter down, arm, fail
 *   helper: flag set, fence, look at the counters
 * So once the flag is published counters only fall, and at zero they stay: data seen *after*
 * they were zero is nobody's. While one is not zero the helper looks no further;
 * the client says "arm" when it has fallen, or dies. */

/* Looks at the queue of a stream that receives no more, by shutdown or because it is closing.
 * 0: that was the record's end; else 1. */
int shutdown_look( struct sock *sock )
{
    sock->watch_receive = 0;
    if (!sock->closing && !(sock->pub.flags & SOCKET_RECV_SHUTDOWN)) return 1;

    /* holders that have still to come back may have receives that wait: seen to when they have */
    if (socket_is_established( sock ) && (sock->closing || store_is_settled()))
    {
        __atomic_thread_fence( __ATOMIC_SEQ_CST );
        if (!client_waiting( sock ))
        {
            switch (socket_is_local( sock ) ? local_queue( sock ) : socket_queue( sock->fd ))
            {
            case QUEUE_EMPTY:
                sock->watch_receive = 1;
                break;
            case QUEUE_FIN:     /* no data, and none can follow */
                break;
            case QUEUE_DATA:
                socket_reset( sock, SOCKET_ABORTED );
                break;
            case QUEUE_RESET:
                sock->pub.flags |= SOCKET_RESET;
                backlog_end( sock );
                socket_publish( sock );
                break;
            }
        }
    }
    if (sock->closing && (sock->pub.flags & SOCKET_RESET))
    {
        socket_end( sock );
        return 0;
    }
    socket_rewatch( sock );
    return 1;
}

static void shutdown_receive( struct sock *sock )
{
    sock->pub.flags |= SOCKET_RECV_SHUTDOWN;
    socket_publish( sock );
    if (socket_is_stream( sock )) shutdown_look( sock );
}

/* nothing of ours is left to be sent before the FIN */
void shutdown_drained( struct sock *sock )
{
    if (!socket_is_established( sock )) return;
    if (shutdown( sock->fd, SHUT_WR ) && errno != ENOTCONN) log_line( "shutdown: %s", strerror( errno ) );
}

/* has the kernel nothing more to say of the connection? */
static int shutdown_is_over( const struct sock *sock )
{
    return socket_is_local( sock ) ? local_queue( sock ) == QUEUE_RESET : socket_tcp_state( sock->fd ) == TCP_CLOSE;
}

/* later: its holder has still something to send before the FIN */
void shutdown_send( struct sock *sock, int later )
{
    /* A connection that ended before our FIN was reset. Of one that came after the peer's FIN the kernel tells
     * only senders, and there are none from now on. */
    if (socket_is_established( sock ) && !(sock->pub.flags & SOCKET_SEND_SHUTDOWN) && shutdown_is_over( sock ))
    {
        sock->pub.flags |= SOCKET_RESET;
        backlog_end( sock );
    }
    sock->pub.flags |= SOCKET_SEND_SHUTDOWN;
    socket_publish( sock );
    if (socket_is_stream( sock ) && !sock->backlog && !later) shutdown_drained( sock );
}

u32 shutdown_request( struct request *req )
{
    const struct shutdown_request *in = req->in;
    const u32 how = in->how & ~SHUTDOWN_LATER;
    struct sock *sock;

    if (!(sock = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    connect_look( sock );
    if (socket_is_stream( sock ) && sock->pub.state != SOCKET_CONNECTED) return WSAENOTCONN;
    if (how != WS_SD_RECEIVE && how != WS_SD_SEND && how != WS_SD_BOTH) return WSAEINVAL;

    if (how != WS_SD_SEND) shutdown_receive( sock );
    if (how != WS_SD_RECEIVE) shutdown_send( sock, in->how != how );
    return 0;
}

u32 arm_request( struct request *req )
{
    const struct arm_request *in = req->in;
    struct sock *sock;

    if (!(sock = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    if (socket_is_stream( sock )) shutdown_look( sock );
    return 0;
}

/* The kernel has told the client of a reset and tells nobody again. That the connection has ended can
 * be seen, that it was not an orderly end only the client can know. */
u32 note_reset_request( struct request *req )
{
    const struct note_reset_request *in = req->in;
    struct note_reset_reply *out = req->out;
    struct sock *sock;

    if (!(sock = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    connect_look( sock );
    if (socket_is_established( sock ) && shutdown_is_over( sock ))
    {
        sock->pub.flags |= SOCKET_RESET;
        sock->watch_receive = 0;
        backlog_end( sock );
        socket_publish( sock );
        socket_rewatch( sock );
    }
    out->flags = sock->pub.flags;
    return 0;
}
