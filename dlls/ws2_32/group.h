/*
 * Handles in groups: many of one mailbox
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

#ifndef __WS2_32_GROUP_H
#define __WS2_32_GROUP_H

#include "handle.h"

/* a handle of the current group; FALSE: there is none that takes one more */
extern BOOL group_add( BOOL inherit, struct handle *handle );
/* the first one of a new group; takes the master over */
extern BOOL group_begin( HANDLE master, UINT64 mailbox, BOOL inherit, struct handle *handle );
/* nothing more is added to the current group */
extern void group_end(void);
/* Has no other process a handle of the group? handle is being closed, and out of the table already. */
extern BOOL group_is_alone( const struct handle *handle );
/* looks at that again when the process has ended */
extern void group_watch_child( HANDLE process );

#endif /* __WS2_32_GROUP_H */
