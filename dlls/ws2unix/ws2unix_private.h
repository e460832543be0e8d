/*
 * The Unix library of ws2_32: what its files share
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

#ifndef __WS2UNIX_PRIVATE_H
#define __WS2UNIX_PRIVATE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

/* Winsock's names with the prefix WS_: WS_AF_INET6, struct WS_sockaddr_in6; Linux's stay as they are.
 * gcc -fshort-wchar -isystem <Wine's include folder>/windows */
#define USE_WS_PREFIX
#include <stdarg.h>
#include "windef.h"
#include "winbase.h"
#include "winsock2.h"
#include "ws2tcpip.h"
#include "mswsock.h"

/* Winsock's headers have a function of this name; ours is the system's macro */
#undef CMSG_DATA
#define CMSG_DATA( cmsg ) ((unsigned char *)((cmsg) + 1))

#define COM_NO_WINDOWS_H
#include "protocol.h"
#include "unixlib.h"

/* ---- convert.c: Winsock's numbers and addresses to Linux's and back ---- */

extern unsigned int error_from_errno( int err );        /* WSAE... */
extern int family_to_unix( int family );                /* -1: none */
/* a Winsock address to a Linux one: its length, 0 if it is none we know or too short */
extern socklen_t sockaddr_to_unix( const void *addr, int len, struct sockaddr_storage *unix_addr );
/* back: the length written, or needed if over room (nothing is written then) */
extern int sockaddr_from_unix( const struct sockaddr_storage *unix_addr, socklen_t unix_len, void *addr, int room );

/* ---- the functions of the table, by file; each returns 0 or a Winsock error ---- */

/* control.c: what goes to the helper */
extern NTSTATUS startup( void *args );
extern NTSTATUS mailbox_create( void *args );
extern NTSTATUS mailbox_flush( void *args );
extern NTSTATUS mailbox_alone( void *args );
extern NTSTATUS socket_adopt( void *args );
extern NTSTATUS socket_compare( void *args );
extern NTSTATUS socket_stray( void *args );
extern NTSTATUS socket_close( void *args );
extern NTSTATUS socket_bind( void *args );
extern NTSTATUS socket_listen( void *args );
extern NTSTATUS socket_connect( void *args );
extern NTSTATUS socket_connect_status( void *args );
extern NTSTATUS socket_accept( void *args );
extern NTSTATUS socket_defer( void *args );
extern NTSTATUS socket_shutdown( void *args );
extern NTSTATUS socket_arm( void *args );
extern NTSTATUS socket_note_reset( void *args );
extern NTSTATUS socket_set_option( void *args );
extern NTSTATUS socket_watch_backlog( void *args );

/* listener.c */
extern NTSTATUS socket_watch_accept( void *args );

/* spares.c */
extern NTSTATUS socket_create( void *args );

/* local.c */
extern NTSTATUS local_connect( void *args );
extern NTSTATUS local_answer( void *args );
extern NTSTATUS local_disconnect( void *args );
extern NTSTATUS local_data( void *args );
extern NTSTATUS local_peek( void *args );

/* data.c */
extern NTSTATUS data_recv( void *args );
extern NTSTATUS data_send( void *args );
extern NTSTATUS data_send_backlog( void *args );
extern int data_icmp_pending( struct unix_socket *socket );
extern int data_met_icmp( struct unix_socket *socket, int err );

/* wait.c */
extern NTSTATUS wait_poll( void *args );
extern NTSTATUS wait_event_create( void *args );
extern NTSTATUS wait_thread_id( void *args );
extern NTSTATUS wait_thread_alive( void *args );
extern NTSTATUS wait_event_signal( void *args );
extern NTSTATUS wait_close_fd( void *args );

/* engine.c */
extern NTSTATUS engine_start( void *args );
extern NTSTATUS engine_watch( void *args );
extern NTSTATUS engine_watch_fd( void *args );
extern NTSTATUS engine_wait( void *args );

/* option.c */
extern NTSTATUS option_getsockname( void *args );
extern NTSTATUS option_getpeername( void *args );
extern NTSTATUS option_get( void *args );
extern NTSTATUS option_set( void *args );
extern NTSTATUS option_ioctl( void *args );

/* names.c */
extern NTSTATUS names_gethostname( void *args );
extern NTSTATUS names_getaddrinfo( void *args );
extern NTSTATUS names_getnameinfo( void *args );
extern NTSTATUS names_gethost( void *args );
extern NTSTATUS names_getserv( void *args );
extern NTSTATUS names_getproto( void *args );

#define NAMES_ENTRY( name ) names_ ## name,
#define NAMES_TABLE UNIX_NAMES_LIST( NAMES_ENTRY )

/* ---- between the files ---- */

/* data.c: buffers, and copies between them and one piece of memory */
extern size_t bufs_length( const struct unix_buf *bufs, unsigned int count );
extern void bufs_scatter( const struct unix_buf *bufs, unsigned int count, const char *src, size_t len );
extern void bufs_gather( const struct unix_buf *bufs, unsigned int count, char *dst );

/* local.c: data on such a socket, as data_recv and data_send */
static inline int is_local( const struct unix_socket *socket )
{
    return __atomic_load_n( &socket->slot, __ATOMIC_ACQUIRE )->family == LOCAL_FAMILY;
}
extern unsigned int local_recv( struct recv_params *params );
extern unsigned int local_send( struct send_params *params );
/* before it connects or listens again; 0 for all others */
extern unsigned int local_renew( struct unix_socket *socket );
/* FIONREAD: the size of the first message */
extern unsigned int local_queued( struct unix_socket *socket );
/* engine.c: before a socket's fd is closed, which others may have too */
extern void engine_forget( struct unix_socket *socket );

/* control.c: gives a backlog's memfd (taken over) to the helper */
extern unsigned int control_backlog( struct unix_socket *socket, uint64_t length, int memfd );

/* control_data.c: ancillary data, Winsock's layout to Linux's: msg_control must have CONTROL_ROOM bytes; msg_controllen
 * is set. WSAEINVAL for what is malformed or means nothing to this socket. */
#define CONTROL_ROOM 256
extern unsigned int control_data_to_unix( const struct unix_socket *socket, const void *control, unsigned int len,
                                          struct msghdr *msg );
/* back; returns the room it takes (or would take: then FALSE in *whole, and what fits whole was written) */
extern unsigned int control_data_from_unix( struct msghdr *msg, void *control, unsigned int room, int *whole );

#endif /* __WS2UNIX_PRIVATE_H */
