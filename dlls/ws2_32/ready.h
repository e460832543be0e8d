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

#ifndef __WS2_32_READY_H
#define __WS2_32_READY_H

/* a set of these */
#define READY_DATA     0x01             /* data queued, or a datagram, or its error */
#define READY_ACCEPT   0x02             /* a connection waits */
#define READY_WRITE    0x04
#define READY_OOB      0x08             /* an urgent byte, not in line */
#define READY_FIN      0x10             /* the peer will send no more */
#define READY_RESET    0x20             /* the connection is broken */
#define READY_FAILED   0x40             /* the last connect failed */
#define READY_NO_RECV  0x80             /* receiving is shut down here: a receive fails at once */

/* Which poll bits to ask the kernel for to learn of the wanted ones; 0: no fd tells, they come from
 * the published state alone. */
extern short ready_events( const struct socket *sock, unsigned int wanted );
/* What it is ready for, now that poll said revents (0: from the published state alone). Asks the helper how a
 * connect has ended, once; looks at the kernel socket where the bits leave it open. */
extern unsigned int ready_from_poll( struct socket *sock, short revents );

#endif /* __WS2_32_READY_H */
