/*
 * NT handles for sockets: made of mailboxes, used again
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

#ifndef __WS2_32_HANDLE_H
#define __WS2_32_HANDLE_H

/* an NT handle that can be, or is, a SOCKET */
struct handle
{
    HANDLE handle;
    UINT64 mailbox;                     /* the helper's name for its file (protocol.idl: mailboxes) */
    LONG   epoch;                       /* of handle.c when it became a socket's: have children been made since? */
    BOOL   inherit;                     /* children inherit it */
};

/* Is it one of a group: many handles of one mailbox, duplicates of each other? Such a handle is never duplicated further:
 * its socket is known by the handle's value, which only children that inherit have, too. */
static inline BOOL handle_is_grouped( const struct handle *handle )
{
    return handle->mailbox >> MAILBOX_COOKIE_BITS != 0;
}

/* the name of the mailbox itself */
static inline UINT64 handle_file( const struct handle *handle )
{
    return handle->mailbox & (((UINT64)1 << MAILBOX_COOKIE_BITS) - 1);
}

/* one that is nobody's, from those left over or new; WSAEMFILE, WSAENOBUFS, WSAENETDOWN */
extern unsigned int handle_take( BOOL inherit, struct handle *handle );
/* for the next one: it must be the only handle of its socket that there was anywhere, see handle_is_sole; closes it if not kept */
extern void handle_give( const struct handle *handle );
/* could no other process and no other handle have come by it? */
extern BOOL handle_is_sole( const struct handle *handle );
/* another one each time that children are made; -1: just now */
extern LONG handle_epoch(void);
/* around the making of a process that inherits: what exists meanwhile may have gone there, too */
extern void handle_begin_inheriting(void);
extern void handle_end_inheriting(void);
/* a real handle of the kernel socket, inheritable: for a child that knows nothing of us; NULL */
extern HANDLE handle_make_plain( const struct unix_socket *unix );

#endif /* __WS2_32_HANDLE_H */
