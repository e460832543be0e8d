/*
Buffers of a program: WSABUF arrays and the pointers beside them
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

#include "ws2_32_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

#define PAGE 4096

C_ASSERT( sizeof(WSABUF) == sizeof(struct unix_buf) );
C_ASSERT( FIELD_OFFSET( WSABUF, buf ) == FIELD_OFFSET( struct unix_buf, buf ) );

/* no array of a program is longer than what it can address */
BOOL buffers_check( const WSABUF *bufs, DWORD count )
{
    return bufs && probe_read( bufs, count * sizeof(*bufs) );
}

SIZE_T buffers_length( const WSABUF *bufs, DWORD count )
{
    SIZE_T total = 0;
    DWORD i;

    for (i = 0; i < count; i++) total += bufs[i].len;
    return total;
}

/* One page or none: the kernel finds all of it good or all of it bad, before anything has happened. */
static BOOL is_simple( const WSABUF *bufs, DWORD count )
{
    return count == 1 && ((ULONG_PTR)bufs->buf % PAGE) + bufs->len <= PAGE;
}

BOOL buffers_readable( const WSABUF *bufs, DWORD count )
{
    DWORD i;

    if (is_simple( bufs, count )) return TRUE;
    for (i = 0; i < count; i++)
        if (!probe_read( bufs[i].buf, bufs[i].len )) return FALSE;
    return TRUE;
}

BOOL buffers_writable( const WSABUF *bufs, DWORD count, SIZE_T skip, SIZE_T max )
{
    SIZE_T len;
    DWORD i;

    for (i = 0; i < count && max; i++)
    {
        if (skip >= bufs[i].len)
        {
            skip -= bufs[i].len;
            continue;
        }
        len = min( bufs[i].len - skip, max );
        if (!probe_write( bufs[i].buf + skip, len )) return FALSE;
        skip = 0;
        max -= len;
    }
    return TRUE;
}

BOOL buffers_writable_or_simple( const WSABUF *bufs, DWORD count, SIZE_T skip, SIZE_T max )
{
    return is_simple( bufs, count ) || buffers_writable( bufs, count, skip, max );
}

BOOL buffers_scatter( const WSABUF *bufs, DWORD count, SIZE_T skip, const char *src, SIZE_T len )
{
    SIZE_T part;
    DWORD i;

    for (i = 0; i < count && len; i++)
    {
        if (skip >= bufs[i].len)
        {
            skip -= bufs[i].len;
            continue;
        }
        part = min( bufs[i].len - skip, len );
        if (!copy_safe( bufs[i].buf + skip, src, part )) return FALSE;
        skip = 0;
        src += part;
        len -= part;
    }
    return TRUE;
}

/* for TRACE: the first few with their lengths; safe on any pointer */
const char *debugstr_buffers( const WSABUF *bufs, DWORD count )
{
    char text[128];
    WSABUF buf;
    DWORD i;
    int pos = 0;

    for (i = 0; i < count && i < 4; i++)
    {
        if (!copy_safe( &buf, bufs + i, sizeof(buf) )) return wine_dbg_sprintf( "%p (bad)", bufs );
        pos += snprintf( text + pos, sizeof(text) - pos, "%s%p:%lu", i ? ", " : "", buf.buf, buf.len );
    }
    return wine_dbg_sprintf( "{ %s%s }", pos ? text : "", count > i ? ", ..." : "" );
}
