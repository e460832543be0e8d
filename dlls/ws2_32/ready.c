/*
 * What a socket is ready for: the kernel's poll bits and the published state, read as Windows does
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
#include "ready.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

static unsigned int kernel_value( struct socket *sock, enum unix_ioctl code )
{
    struct ioctl_params params = { .socket = sock->unix, .code = code };

    return UNIX_CALL( ioctl, &params ) ? 0 : params.value;
}

static BOOL is_oob_inline( struct socket *sock )
{
    DWORD value = 0;
    struct getsockopt_params params = { .socket = sock->unix, .level = SOL_SOCKET, .name = SO_OOBINLINE,
                                        .value = &value, .len = sizeof(value) };

    return !UNIX_CALL( getsockopt, &params ) && value;
}

short ready_events( const struct socket *sock, unsigned int wanted )
{
    short events = 0;

    if (socket_has_connections( sock ))
    {
        switch (socket_state( sock ))
        {
        case SOCKET_LISTENING:
            return wanted & READY_ACCEPT ? UNIX_POLLIN : 0;
        case SOCKET_CONNECTING:
            /* how it ended shows as writable, or as an error that poll always tells */
            events = UNIX_POLLOUT;
            break;
        case SOCKET_CONNECTED:
            break;
        default:
            /* Linux says HUP of a socket that is not connected, Windows says nothing */
            return 0;
        }
        if (wanted & READY_FIN) events |= UNIX_POLLRDHUP;
        if ((wanted & READY_OOB) && socket_is_stream( sock )) events |= UNIX_POLLPRI;
    }
    if (wanted & READY_DATA) events |= UNIX_POLLIN;
    if (wanted & READY_WRITE) events |= UNIX_POLLOUT;
    return events;
}

/* Data and FIN both make a socket readable; where the FIN is there, is there data before it? */
static unsigned int ready_to_read( struct socket *sock, short revents )
{
    unsigned int ready = 0;

    if (revents & (UNIX_POLLRDHUP | UNIX_POLLHUP)) ready |= READY_FIN;
    if ((revents & UNIX_POLLIN) && (!ready || kernel_value( sock, UNIX_IOCTL_NREAD ))) ready |= READY_DATA;
    return ready;
}

/* HUP: both directions are closed; without a FIN of ours only a reset does that */
static BOOL is_reset( const struct socket *sock, short revents )
{
    unsigned int flags = socket_flags( sock );

    if (flags & SOCKET_RESET || revents & UNIX_POLLERR) return TRUE;
    return (revents & UNIX_POLLHUP) && !(flags & SOCKET_SEND_SHUTDOWN);
}

static unsigned int ready_connected( struct socket *sock, short revents )
{
    unsigned int ready = ready_to_read( sock, revents ), flags = socket_flags( sock );

    if (is_reset( sock, revents )) ready |= READY_RESET | READY_WRITE;
    if ((revents & UNIX_POLLOUT) && !(flags & SOCKET_BACKLOGGED)) ready |= READY_WRITE;
    if ((revents & UNIX_POLLPRI) && !is_oob_inline( sock )) ready |= READY_OOB;
    if (flags & SOCKET_RECV_SHUTDOWN) ready |= READY_NO_RECV;
    return ready;
}

/* An ICMP error makes a socket readable if a receive will report it. */
static unsigned int ready_datagram( struct socket *sock, short revents )
{
    unsigned int ready = 0;

    if (revents & UNIX_POLLIN) ready |= READY_DATA;
    else if (((revents & UNIX_POLLERR) || sock->unix->icmp_error) && kernel_value( sock, UNIX_IOCTL_ICMP )) ready |= READY_DATA;
    if (revents & UNIX_POLLOUT) ready |= READY_WRITE;
    if (socket_flags( sock ) & SOCKET_RECV_SHUTDOWN) ready |= READY_NO_RECV;
    return ready;
}

unsigned int ready_from_poll( struct socket *sock, short revents )
{
    if (!socket_has_connections( sock )) return ready_datagram( sock, revents );

    if (socket_state( sock ) == SOCKET_CONNECTING && (revents & (UNIX_POLLOUT | UNIX_POLLERR | UNIX_POLLHUP)))
        socket_connect_status( sock );

    switch (socket_state( sock ))
    {
    case SOCKET_LISTENING:
        if (socket_flags( sock ) & SOCKET_DEFERRED || sock->unix->kept != -1) return READY_ACCEPT;
        return revents & UNIX_POLLIN ? READY_ACCEPT : 0;
    case SOCKET_CONNECTED:
        return socket_is_local( sock ) ? local_ready( sock, revents ) : ready_connected( sock, revents );
    case SOCKET_FAILED:
        return READY_FAILED;
    default:
        return 0;
    }
}
