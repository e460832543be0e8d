/*
 * Sockets as standard handles of a child process
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

#ifndef __WS2_32_CHILD_H
#define __WS2_32_CHILD_H

#define CHILD_MAX_PLAIN 64

/* what is changed in a child's parameters while it is made, to be undone */
struct child
{
    PS_ATTRIBUTE_LIST *attributes;      /* what to make it with */
    BOOL               copied;          /* these are ours */
    unsigned int       count;           /* of plain handles */
    HANDLE             plain[CHILD_MAX_PLAIN];
    HANDLE            *places[CHILD_MAX_PLAIN];     /* where each stands */
    HANDLE             sockets[CHILD_MAX_PLAIN];    /* for which socket */
};

extern void child_begin( struct child *child, RTL_USER_PROCESS_PARAMETERS *params, PS_ATTRIBUTE_LIST *attributes );
extern void child_end( struct child *child );

#endif /* __WS2_32_CHILD_H */
