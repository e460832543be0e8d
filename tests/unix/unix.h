/*
 * The Unix library's tests: what they share
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

#ifndef __TAPSTER_TESTS_UNIX_H
#define __TAPSTER_TESTS_UNIX_H

#include <setjmp.h>
#include "ws2unix_private.h"
#include <cmocka.h>

/* ---- unix.c: the library, called as ws2_32.dll calls it ---- */

/* one entry of the table; 0 or a Winsock error */
extern unsigned int unix_call( enum unix_funcs func, void *params );

/* loads the library and makes a prefix of one's own, whose helper is nobody else's; ends all after some seconds */
extern void unix_begin( unsigned int seconds );
/* ends that helper and removes the prefix */
extern void unix_end(void);
/* kill -9 of the helper of this prefix; 0: there was none */
extern int unix_kill_helper(void);
extern void unix_sleep( int ms );

/* ---- the calls that the tests make often ---- */

extern unsigned int unix_create( int type, struct unix_socket **socket );
extern unsigned int unix_close( struct unix_socket *socket );
extern unsigned int unix_bind( struct unix_socket *socket, struct WS_sockaddr_in *addr );
extern unsigned int unix_start_listening( struct unix_socket *socket );
/* waits for the end */
extern unsigned int unix_connect_to( struct unix_socket *socket, const struct WS_sockaddr_in *addr );
/* waits for a connection */
extern unsigned int unix_accept_from( struct unix_socket *listener, struct unix_socket **socket );
/* once, without waiting */
extern unsigned int unix_recv_once( struct unix_socket *socket, void *buffer, size_t size, size_t *result );
extern unsigned int unix_send_once( struct unix_socket *socket, const void *buffer, size_t size, size_t *result );
/* waits, counted as ws2_32 counts a receive that waits; 0 bytes: the peer's end */
extern unsigned int unix_recv_wait( struct unix_socket *socket, void *buffer, size_t size, size_t *result );
/* all of it */
extern unsigned int unix_send_all( struct unix_socket *socket, const void *buffer, size_t size );
extern unsigned int unix_shut( struct unix_socket *socket, int how );
extern unsigned int unix_option( struct unix_socket *socket, unsigned int option, unsigned int value, unsigned int value2 );
/* 1: one of the events came within this time */
extern int unix_wait( struct unix_socket *socket, short events, int ms );
extern unsigned int unix_flags( const struct unix_socket *socket );

/* 127.0.0.1, the port in host order */
extern struct WS_sockaddr_in unix_loopback( unsigned short port );
/* a listener on a free port, and that */
extern unsigned int unix_listener( struct unix_socket **listener, struct WS_sockaddr_in *addr );
extern unsigned int unix_pair( struct unix_socket **client, struct unix_socket **server );

#endif /* __TAPSTER_TESTS_UNIX_H */
