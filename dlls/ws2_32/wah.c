/*
 * The Wah helpers of layered providers
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

/* What was ws2help.dll once: undocumented helpers of layered providers, for
 * sockets that are no handles of the system and for calls across threads. All
 * return an error, not the last error, unless a pointer is what they return. */


/***********************************************************************
 *      WahOpenApcHelper        (ws2_32.@)
 */
DWORD WINAPI WahOpenApcHelper( HANDLE *helper )
{
    FIXME_ONCE( "helper %p: not built yet\n", helper );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahCloseApcHelper       (ws2_32.@)
 */
DWORD WINAPI WahCloseApcHelper( HANDLE helper )
{
    FIXME_ONCE( "helper %p: not built yet\n", helper );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahOpenCurrentThread    (ws2_32.@)
 */
DWORD WINAPI WahOpenCurrentThread( HANDLE helper, void *thread )
{
    FIXME_ONCE( "helper %p, thread %p: not built yet\n", helper, thread );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahCloseThread          (ws2_32.@)
 */
DWORD WINAPI WahCloseThread( HANDLE helper, void *thread )
{
    FIXME_ONCE( "helper %p, thread %p: not built yet\n", helper, thread );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahQueueUserApc         (ws2_32.@)
 */
DWORD WINAPI WahQueueUserApc( HANDLE helper, void *thread, void *routine, ULONG_PTR context )
{
    FIXME_ONCE( "helper %p, thread %p, routine %p, context %#Ix: not built yet\n", helper, thread, routine, context );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahOpenHandleHelper     (ws2_32.@)
 */
DWORD WINAPI WahOpenHandleHelper( HANDLE *helper )
{
    FIXME_ONCE( "helper %p: not built yet\n", helper );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahCloseHandleHelper    (ws2_32.@)
 */
DWORD WINAPI WahCloseHandleHelper( HANDLE helper )
{
    FIXME_ONCE( "helper %p: not built yet\n", helper );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahCreateSocketHandle   (ws2_32.@)
 */
DWORD WINAPI WahCreateSocketHandle( HANDLE helper, SOCKET *s )
{
    FIXME_ONCE( "helper %p, s %p: not built yet\n", helper, s );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahCloseSocketHandle    (ws2_32.@)
 */
DWORD WINAPI WahCloseSocketHandle( HANDLE helper, SOCKET s )
{
    FIXME_ONCE( "helper %p, socket %#Ix: not built yet\n", helper, s );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahCompleteRequest      (ws2_32.@)
 */
DWORD WINAPI WahCompleteRequest( HANDLE helper, SOCKET s, OVERLAPPED *overlapped, DWORD error, DWORD transfer )
{
    FIXME_ONCE( "helper %p, socket %#Ix, overlapped %p, error %lu, transfer %lu: not built yet\n",
                helper, s, overlapped, error, transfer );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahEnableNonIFSHandleSupport (ws2_32.@)
 */
DWORD WINAPI WahEnableNonIFSHandleSupport(void)
{
    FIXME_ONCE( "not built yet\n" );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahDisableNonIFSHandleSupport (ws2_32.@)
 */
DWORD WINAPI WahDisableNonIFSHandleSupport(void)
{
    FIXME_ONCE( "not built yet\n" );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahOpenNotificationHandleHelper (ws2_32.@)
 */
DWORD WINAPI WahOpenNotificationHandleHelper( HANDLE *helper )
{
    FIXME_ONCE( "helper %p: not built yet\n", helper );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahCloseNotificationHandleHelper (ws2_32.@)
 */
DWORD WINAPI WahCloseNotificationHandleHelper( HANDLE helper )
{
    FIXME_ONCE( "helper %p: not built yet\n", helper );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahCreateNotificationHandle (ws2_32.@)
 */
DWORD WINAPI WahCreateNotificationHandle( HANDLE helper, HANDLE *notification )
{
    FIXME_ONCE( "helper %p, notification %p: not built yet\n", helper, notification );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahWaitForNotification  (ws2_32.@)
 */
DWORD WINAPI WahWaitForNotification( HANDLE helper, HANDLE notification, OVERLAPPED *overlapped, void *routine )
{
    FIXME_ONCE( "helper %p, notification %p, overlapped %p, routine %p: not built yet\n",
                helper, notification, overlapped, routine );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahNotifyAllProcesses   (ws2_32.@)
 */
DWORD WINAPI WahNotifyAllProcesses( HANDLE helper )
{
    FIXME_ONCE( "helper %p: not built yet\n", helper );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahCreateHandleContextTable (ws2_32.@)
 */
DWORD WINAPI WahCreateHandleContextTable( void **table )
{
    FIXME_ONCE( "table %p: not built yet\n", table );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahDestroyHandleContextTable (ws2_32.@)
 */
DWORD WINAPI WahDestroyHandleContextTable( void *table )
{
    FIXME_ONCE( "table %p: not built yet\n", table );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahReferenceContextByHandle (ws2_32.@)
 */
void * WINAPI WahReferenceContextByHandle( void *table, HANDLE handle )
{
    FIXME_ONCE( "table %p, handle %p: not built yet\n", table, handle );
    TRACE( "-> NULL\n" );
    return NULL;
}


/***********************************************************************
 *      WahInsertHandleContext  (ws2_32.@)
 */
void * WINAPI WahInsertHandleContext( void *table, void *context )
{
    FIXME_ONCE( "table %p, context %p: not built yet\n", table, context );
    return return_null( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahRemoveHandleContext  (ws2_32.@)
 */
DWORD WINAPI WahRemoveHandleContext( void *table, void *context )
{
    FIXME_ONCE( "table %p, context %p: not built yet\n", table, context );
    return return_code( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahEnumerateHandleContexts (ws2_32.@)
 */
BOOL WINAPI WahEnumerateHandleContexts( void *table, void *routine, void *context )
{
    FIXME_ONCE( "table %p, routine %p, context %p: not built yet\n", table, routine, context );
    return return_bool( ERROR_NOT_SUPPORTED );
}


/***********************************************************************
 *      WahWriteLSPEvent        (ws2_32.@)
 */
DWORD WINAPI WahWriteLSPEvent( ULONG event, ULONG value )
{
    FIXME_ONCE( "event %#lx, value %#lx: not built yet\n", event, value );
    return return_code( ERROR_NOT_SUPPORTED );
}
