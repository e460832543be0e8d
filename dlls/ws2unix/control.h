/*
 * Finding and starting the helper; the sockets of this process
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

/* Between the files that control.c calls; all of it under control.c's lock. */

#ifndef __WS2UNIX_CONTROL_H
#define __WS2UNIX_CONTROL_H

/* helper.c: a connection to this prefix's helper, which is started if there is none; -1: see helper_failure() */
extern int helper_connect(void);
/* one line that says why the last helper_connect failed; static */
extern const char *helper_failure(void);
/* sets that line: -1 */
extern int helper_fail( const char *what, const char *path, int err );

/* sockets.c: the table of unix_socket by cookie */
extern struct unix_socket *sockets_find( uint64_t cookie );
/* one that is nobody's, to become a socket or to be put back; NULL: no memory */
extern struct unix_socket *sockets_take(void);
extern void sockets_put_back( struct unix_socket *socket );
/* makes it a socket that is found, with one ref; takes the fd over */
extern void sockets_enter( struct unix_socket *socket, int fd, uint64_t cookie );
/* closes the fd; the struct is kept for reuse */
extern void sockets_remove( struct unix_socket *socket );
/* calls func for each until one returns non-zero: that is returned */
extern int sockets_enumerate( int (*func)( struct unix_socket *socket, void *arg ), void *arg );

#endif /* __WS2UNIX_CONTROL_H */
