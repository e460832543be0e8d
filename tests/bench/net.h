/*
 * What Winsock and the sockets of Unix name differently, and threads and a clock
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

#ifndef __TAPSTER_BENCH_NET_H
#define __TAPSTER_BENCH_NET_H

#include <stdint.h>

/* The cases are written once, with the names that both systems know: socket, bind,
 * send, recv, select, poll ... Only what differs has a name of its own here. */

#ifdef _WIN32

/* as programs with many connections do; select costs its sets' size on either system */
#define FD_SETSIZE 64
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

typedef SOCKET sock_t;
typedef int socklen_type;

#define NO_SOCKET INVALID_SOCKET

static inline int poll_sockets( WSAPOLLFD *fds, unsigned int count, int timeout )
{
    return WSAPoll( fds, count, timeout );
}

#else

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

typedef int sock_t;
typedef socklen_t socklen_type;
typedef struct pollfd WSAPOLLFD;

#define NO_SOCKET (-1)

#define closesocket close

static inline int poll_sockets( WSAPOLLFD *fds, unsigned int count, int timeout )
{
    return poll( fds, count, timeout );
}

#endif

struct thread;

/* "windows" or "linux", and whose sockets these are: "native", "wine" or "tapster" */
extern const char net_system[];
extern const char *net_provider( void );
extern const char *net_wine_version( void );   /* or "" */

extern int net_start( void );              /* 0, or the error */
extern int net_error( void );              /* of this thread's last call */
extern int net_is_would_block( int error );
extern void net_describe( int error, char *text, unsigned int size );
extern int net_set_nonblocking( sock_t s );

extern struct thread *thread_start( void (*main)( void *arg ), void *arg );
extern void thread_join( struct thread *thread );
extern void thread_sleep( unsigned int ms );

extern uint64_t clock_ns( void );
extern void stdio_start( void );           /* lines end the same on both systems */

#endif /* __TAPSTER_BENCH_NET_H */
