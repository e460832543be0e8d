/*
 * The sockets the cases begin with
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

#include <string.h>

#include "bench.h"

/* Binds to a free port of 127.0.0.1 and says which. */
int loopback_bind( struct bench *bench, sock_t s, struct sockaddr_in *addr )
{
    socklen_type len = sizeof(*addr);

    memset( addr, 0, sizeof(*addr) );
    addr->sin_family = AF_INET;
    addr->sin_addr.s_addr = htonl( INADDR_LOOPBACK );
    if (bind( s, (struct sockaddr *)addr, sizeof(*addr) )) return bench_fail_call( bench, "bind" );
    if (getsockname( s, (struct sockaddr *)addr, &len )) return bench_fail_call( bench, "getsockname" );
    return 1;
}

sock_t loopback_listen( struct bench *bench, struct sockaddr_in *addr )
{
    sock_t s;

    if ((s = socket( AF_INET, SOCK_STREAM, 0 )) == NO_SOCKET)
    {
        bench_fail_call( bench, "socket" );
        return NO_SOCKET;
    }
    if (loopback_bind( bench, s, addr ))
    {
        if (!listen( s, 16 )) return s;
        bench_fail_call( bench, "listen" );
    }
    closesocket( s );
    return NO_SOCKET;
}

sock_t loopback_udp( struct bench *bench, struct sockaddr_in *addr )
{
    sock_t s;

    if ((s = socket( AF_INET, SOCK_DGRAM, 0 )) == NO_SOCKET)
    {
        bench_fail_call( bench, "socket" );
        return NO_SOCKET;
    }
    if (loopback_bind( bench, s, addr )) return s;
    closesocket( s );
    return NO_SOCKET;
}

/* Two connected sockets. Whatever is not NO_SOCKET afterwards is the caller's to close, also after a failure. */
int loopback_tcp_pair( struct bench *bench, sock_t *client, sock_t *server )
{
    struct sockaddr_in addr;
    sock_t listener;

    *client = *server = NO_SOCKET;
    if ((listener = loopback_listen( bench, &addr )) == NO_SOCKET) return 0;

    if ((*client = socket( AF_INET, SOCK_STREAM, 0 )) == NO_SOCKET)
        bench_fail_call( bench, "socket" );
    else if (connect( *client, (struct sockaddr *)&addr, sizeof(addr) ))
        bench_fail_call( bench, "connect" );
    else if ((*server = accept( listener, NULL, NULL )) == NO_SOCKET)
        bench_fail_call( bench, "accept" );

    closesocket( listener );
    return *server != NO_SOCKET;
}

void loopback_close( sock_t *s )
{
    if (*s == NO_SOCKET) return;
    closesocket( *s );
    *s = NO_SOCKET;
}

/* A blocking send may stop short of everything, on Linux when a signal arrives. */
int send_all( struct bench *bench, sock_t s, const char *data, unsigned int size )
{
    int ret;

    while (size)
    {
        if ((ret = send( s, data, size, 0 )) <= 0) return bench_fail_call( bench, "send" );
        data += ret;
        size -= ret;
    }
    return 1;
}
