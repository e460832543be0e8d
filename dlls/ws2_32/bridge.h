/*
 * The NT bridge: ntdll functions that must know our handles
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

#ifndef __WS2_32_BRIDGE_H
#define __WS2_32_BRIDGE_H

/* redirects ntdll's functions, once; before the first socket exists */
extern void bridge_init(void);
/* the original NtClose */
extern NTSTATUS bridge_close( HANDLE handle );
/* the original NtDuplicateObject: a handle of ours that another process, or this one, gets, not inheritable */
extern NTSTATUS bridge_duplicate( HANDLE handle, HANDLE process, HANDLE *dest );
/* in this process; attributes: OBJ_INHERIT or 0 */
extern NTSTATUS bridge_duplicate_here( HANDLE handle, ULONG attributes, HANDLE *dest );

#endif /* __WS2_32_BRIDGE_H */
