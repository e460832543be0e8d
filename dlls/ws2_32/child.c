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

/* A child that is on Tapster, too, finds the socket of any handle it inherits by the mailbox. But one
 * that reads its stdin or writes its stdout may never load Winsock, so there it gets a real
 * handle of the kernel socket, made for it and closed here when it has its own. The same goes for the
 * files that a C runtime hands on to the child's. */

#include "ws2_32_private.h"
#include "child.h"
#include "bridge.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

/* puts a plain handle in the place of a socket's */
static void replace( struct child *child, HANDLE *place )
{
    struct socket *sock;
    HANDLE plain;

    if (child->count == CHILD_MAX_PLAIN || !socket_peek( (SOCKET)*place ) || !(sock = socket_get( (SOCKET)*place ))) return;
    if ((plain = handle_make_plain( sock->unix )))
    {
        TRACE( "socket %p goes to a child as %p\n", *place, plain );
        child->plain[child->count] = plain;
        child->places[child->count] = place;
        child->sockets[child->count++] = *place;
        *place = plain;
    }
    socket_put( sock );
}

/* what a C runtime tells its child: a count, as many flags, as many handles */
static void replace_runtime_files( struct child *child, const UNICODE_STRING *info )
{
    char *data = (char *)info->Buffer;
    unsigned int count, i;

    if (!data || info->Length < sizeof(count)) return;
    memcpy( &count, data, sizeof(count) );
    if (count > (info->Length - sizeof(count)) / (1 + sizeof(HANDLE))) return;
    for (i = 0; i < count; i++)
    {
        HANDLE handle, *place = (HANDLE *)(data + sizeof(count) + count + i * sizeof(HANDLE));

        memcpy( &handle, place, sizeof(handle) );
        if (socket_peek( (SOCKET)handle )) replace( child, place );
    }
}

static PS_ATTRIBUTE *find_handle_list( PS_ATTRIBUTE_LIST *attributes )
{
    SIZE_T i, count;

    if (!attributes) return NULL;
    count = (attributes->TotalLength - offsetof( PS_ATTRIBUTE_LIST, Attributes )) / sizeof(PS_ATTRIBUTE);
    for (i = 0; i < count; i++)
        if (attributes->Attributes[i].Attribute == PS_ATTRIBUTE_HANDLE_LIST) return &attributes->Attributes[i];
    return NULL;
}

/* where the program lists what is inherited, the plain handles must be listed */
static PS_ATTRIBUTE_LIST *extend_handle_list( struct child *child, PS_ATTRIBUTE_LIST *attributes )
{
    PS_ATTRIBUTE *list = find_handle_list( attributes );
    PS_ATTRIBUTE_LIST *copy;
    HANDLE *handles;

    if (!child->count || !list) return attributes;
    copy = HeapAlloc( GetProcessHeap(), 0, attributes->TotalLength + list->Size + child->count * sizeof(HANDLE) );
    if (!copy) return attributes;
    memcpy( copy, attributes, attributes->TotalLength );
    handles = (HANDLE *)((char *)copy + attributes->TotalLength);
    memcpy( handles, list->ValuePtr, list->Size );
    memcpy( (char *)handles + list->Size, child->plain, child->count * sizeof(HANDLE) );
    list = find_handle_list( copy );
    list->ValuePtr = handles;
    list->Size += child->count * sizeof(HANDLE);
    return copy;
}

void child_begin( struct child *child, RTL_USER_PROCESS_PARAMETERS *params, PS_ATTRIBUTE_LIST *attributes )
{
    child->count = 0;
    child->attributes = attributes;
    if (!params) return;
    replace( child, &params->hStdInput );
    replace( child, &params->hStdOutput );
    replace( child, &params->hStdError );
    replace_runtime_files( child, &params->RuntimeInfo );
    child->attributes = extend_handle_list( child, attributes );
    child->copied = child->attributes != attributes;
}

void child_end( struct child *child )
{
    unsigned int i;

    for (i = 0; i < child->count; i++)
    {
        memcpy( child->places[i], &child->sockets[i], sizeof(HANDLE) );
        bridge_close( child->plain[i] );
    }
    if (child->copied) HeapFree( GetProcessHeap(), 0, child->attributes );
}
