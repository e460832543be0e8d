/*
 * Options that are policy, and the kernel's part in them
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

#include <limits.h>

#include "server.h"

#define OPTION_DEFAULT_BUFFER 65536     /* SO_RCVBUF and SO_SNDBUF as Windows reports them */

void option_defaults( struct sock *sock )
{
    sock->pub.options[OPTION_RCVBUF] = OPTION_DEFAULT_BUFFER;
    sock->pub.options[OPTION_SNDBUF] = OPTION_DEFAULT_BUFFER;
    sock->pub.options[OPTION_UDP_CONNRESET] = 1;
    sock->pub.options[OPTION_UDP_NETRESET] = 1;
}

/* {1,0}: closing resets */
int option_resets( const struct sock *sock )
{
    return sock->pub.options[OPTION_LINGER_ONOFF] && !sock->pub.options[OPTION_LINGER_TIME];
}

/* {1,n}: closing waits so many seconds; 0: it does not */
u32 option_linger_time( const struct sock *sock )
{
    return sock->pub.options[OPTION_LINGER_ONOFF] ? sock->pub.options[OPTION_LINGER_TIME] : 0;
}

/* The kernel knows of {1,0}, so that it resets whoever closes last, and never of
 * {1,n}, which would make that one wait. */
void option_apply_linger( struct sock *sock )
{
    struct linger linger = { option_resets( sock ), 0 };

    setsockopt( sock->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger) );
}

/* For a socket that was not made here: what the kernel has of these options. A linger that would make
 * close() wait becomes ours. */
void option_from_kernel( struct sock *sock )
{
    socklen_t len = sizeof(struct linger);
    struct linger linger;
    int value;

    if (!socket_is_stream( sock ))
    {
        /* on TCP it means something else, and all of ours have it */
        if (!socket_get_int( sock->fd, SOL_SOCKET, SO_REUSEADDR, &value )) sock->pub.options[OPTION_REUSEADDR] = !!value;
        return;
    }
    if (!getsockopt( sock->fd, SOL_SOCKET, SO_LINGER, &linger, &len ))
    {
        sock->pub.options[OPTION_LINGER_ONOFF] = !!linger.l_onoff;
        sock->pub.options[OPTION_LINGER_TIME] = linger.l_onoff ? linger.l_linger & 0xffff : 0;
    }
}

enum port_mode option_port_mode( const struct sock *sock )
{
    if (sock->pub.options[OPTION_EXCLUSIVEADDRUSE]) return PORT_EXCLUSIVE;
    return sock->pub.options[OPTION_REUSEADDR] ? PORT_REUSE : PORT_DEFAULT;
}

/* Linux doubles what it is given, for its own overhead, so what was asked for fits. */
static void option_set_buffer( struct sock *sock, int option, int force, u32 value )
{
    int size = value > INT_MAX / 2 ? INT_MAX / 2 : value;

    /* there one message must always fit, and the connect plays with the size */
    if (socket_is_local( sock )) return;
    /* beyond the system's limit for those who may, to the limit for others */
    if (socket_set_int( sock->fd, SOL_SOCKET, force, size )) socket_set_int( sock->fd, SOL_SOCKET, option, size );
}

static u32 option_set_linger( struct sock *sock, u32 onoff, u32 seconds )
{
    if (seconds > 0xffff) return WSAEINVAL;     /* a u_short in struct linger */
    sock->pub.options[OPTION_LINGER_ONOFF] = onoff;
    sock->pub.options[OPTION_LINGER_TIME] = seconds;
    if (socket_is_stream( sock )) option_apply_linger( sock );
    return 0;
}

/* the two exclude each other, and exclusive must be said before bind */
static u32 option_set_sharing( struct sock *sock, u32 option, u32 value )
{
    const u32 other = option == OPTION_REUSEADDR ? OPTION_EXCLUSIVEADDRUSE : OPTION_REUSEADDR;

    if (value && sock->pub.options[other]) return WSAEINVAL;
    if (option == OPTION_EXCLUSIVEADDRUSE && (sock->pub.flags & SOCKET_BOUND)) return WSAEINVAL;
    sock->pub.options[option] = value;
    return 0;
}

static u32 option_set( struct sock *sock, const struct set_option_request *in )
{
    switch (in->option)
    {
    case OPTION_NONBLOCKING:
        sock->pub.options[OPTION_NONBLOCKING] = !!in->value;
        if (in->value) sock->pub.flags |= SOCKET_NONBLOCKING;
        else sock->pub.flags &= ~SOCKET_NONBLOCKING;
        return 0;
    case OPTION_LINGER_ONOFF:
        return option_set_linger( sock, in->value, in->value2 );
    case OPTION_LINGER_TIME:
        return WSAEINVAL;       /* only with the other */
    case OPTION_REUSEADDR:
    case OPTION_EXCLUSIVEADDRUSE:
        return option_set_sharing( sock, in->option, in->value );
    case OPTION_ERROR:
        /* also how a client takes the error of a connect that it has told its caller */
        sock->pub.error = 0;
        if (sock->pub.state == SOCKET_FAILED) sock->pub.state = SOCKET_OPEN;
        break;
    case OPTION_RCVBUF:
        option_set_buffer( sock, SO_RCVBUF, SO_RCVBUFFORCE, in->value );
        break;
    case OPTION_SNDBUF:
        option_set_buffer( sock, SO_SNDBUF, SO_SNDBUFFORCE, in->value );
        break;
    }
    if (in->option >= OPTION_COUNT) return WSAEINVAL;
    sock->pub.options[in->option] = in->value;
    return 0;
}

u32 set_option_request( struct request *req )
{
    const struct set_option_request *in = req->in;
    struct sock *sock;
    u32 error;

    if (!(sock = client_sock( req->client, &in->socket ))) return WSAENOTSOCK;
    if ((error = option_set( sock, in ))) return error;
    socket_publish( sock );
    return 0;
}
