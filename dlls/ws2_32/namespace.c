/*
 * Name spaces: their providers, services and look-ups
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

/* Wine's headers of 8.0 have it not */
typedef struct
{
    GUID   NSProviderId;
    DWORD  dwNameSpace;
    BOOL   fActive;
    DWORD  dwVersion;
    WCHAR *lpszIdentifier;
    BLOB   ProviderSpecific;
} WSANAMESPACE_INFOEXW;

typedef struct
{
    GUID   NSProviderId;
    DWORD  dwNameSpace;
    BOOL   fActive;
    DWORD  dwVersion;
    char  *lpszIdentifier;
    BLOB   ProviderSpecific;
} WSANAMESPACE_INFOEXA;


/* the error, or WSANOTINITIALISED before it */
static unsigned int refuse( unsigned int error )
{
    return startup_check() ? error : WSANOTINITIALISED;
}


/* for the getaddrinfo kind, which returns its error and sets it as well */
static unsigned int refuse_addrinfo( unsigned int error )
{
    error = refuse( error );
    SetLastError( error );
    return error;
}


/***********************************************************************
 *      WSALookupServiceBeginA  (ws2_32.@)
 */
INT WINAPI WSALookupServiceBeginA( WSAQUERYSETA *query, DWORD flags, HANDLE *lookup )
{
    FIXME_ONCE( "query %p, flags %#lx, lookup %p: not built yet\n", query, flags, lookup );
    if (!query || !lookup) return return_error( refuse( WSAEFAULT ) );
    return return_error( refuse( WSASERVICE_NOT_FOUND ) );
}


/***********************************************************************
 *      WSALookupServiceBeginW  (ws2_32.@)
 */
INT WINAPI WSALookupServiceBeginW( WSAQUERYSETW *query, DWORD flags, HANDLE *lookup )
{
    FIXME_ONCE( "query %p, flags %#lx, lookup %p: not built yet\n", query, flags, lookup );
    if (!query || !lookup) return return_error( refuse( WSAEFAULT ) );
    return return_error( refuse( WSASERVICE_NOT_FOUND ) );
}


/***********************************************************************
 *      WSALookupServiceNextA   (ws2_32.@)
 *
 * No look-up was ever begun: every handle is a wrong one.
 */
INT WINAPI WSALookupServiceNextA( HANDLE lookup, DWORD flags, DWORD *size, WSAQUERYSETA *results )
{
    TRACE( "lookup %p, flags %#lx, size %p, results %p\n", lookup, flags, size, results );
    return return_error( refuse( WSA_INVALID_HANDLE ) );
}


/***********************************************************************
 *      WSALookupServiceNextW   (ws2_32.@)
 */
INT WINAPI WSALookupServiceNextW( HANDLE lookup, DWORD flags, DWORD *size, WSAQUERYSETW *results )
{
    TRACE( "lookup %p, flags %#lx, size %p, results %p\n", lookup, flags, size, results );
    return return_error( refuse( WSA_INVALID_HANDLE ) );
}


/***********************************************************************
 *      WSALookupServiceEnd     (ws2_32.@)
 */
INT WINAPI WSALookupServiceEnd( HANDLE lookup )
{
    TRACE( "lookup %p\n", lookup );
    return return_error( refuse( WSA_INVALID_HANDLE ) );
}


/***********************************************************************
 *      WSANSPIoctl             (ws2_32.@)
 */
INT WINAPI WSANSPIoctl( HANDLE lookup, DWORD code, void *in, DWORD in_size, void *out, DWORD out_size,
                        DWORD *returned, WSACOMPLETION *completion )
{
    TRACE( "lookup %p, code %s, in %p (%lu), out %p (%lu), returned %p, completion %p\n",
           lookup, debugstr_ioctl( code ), in, in_size, out, out_size, returned, completion );
    return return_error( refuse( WSA_INVALID_HANDLE ) );
}


/***********************************************************************
 *      WSASetServiceA          (ws2_32.@)
 */
INT WINAPI WSASetServiceA( WSAQUERYSETA *query, WSAESETSERVICEOP operation, DWORD flags )
{
    FIXME_ONCE( "query %p, operation %d, flags %#lx: not built yet\n", query, operation, flags );
    if (!query) return return_error( refuse( WSAEFAULT ) );
    return return_error( refuse( WSASERVICE_NOT_FOUND ) );
}


/***********************************************************************
 *      WSASetServiceW          (ws2_32.@)
 */
INT WINAPI WSASetServiceW( WSAQUERYSETW *query, WSAESETSERVICEOP operation, DWORD flags )
{
    FIXME_ONCE( "query %p, operation %d, flags %#lx: not built yet\n", query, operation, flags );
    if (!query) return return_error( refuse( WSAEFAULT ) );
    return return_error( refuse( WSASERVICE_NOT_FOUND ) );
}


/***********************************************************************
 *      WSAInstallServiceClassA (ws2_32.@)
 */
INT WINAPI WSAInstallServiceClassA( WSASERVICECLASSINFOA *info )
{
    FIXME_ONCE( "info %p: not built yet\n", info );
    if (!info) return return_error( refuse( WSAEFAULT ) );
    return return_error( refuse( WSAEACCES ) );
}


/***********************************************************************
 *      WSAInstallServiceClassW (ws2_32.@)
 */
INT WINAPI WSAInstallServiceClassW( WSASERVICECLASSINFOW *info )
{
    FIXME_ONCE( "info %p: not built yet\n", info );
    if (!info) return return_error( refuse( WSAEFAULT ) );
    return return_error( refuse( WSAEACCES ) );
}


/***********************************************************************
 *      WSARemoveServiceClass   (ws2_32.@)
 */
INT WINAPI WSARemoveServiceClass( GUID *class )
{
    FIXME_ONCE( "class %s: not built yet\n", debugstr_provider( class ) );
    if (!class) return return_error( refuse( WSAEFAULT ) );
    return return_error( refuse( WSATYPE_NOT_FOUND ) );
}


/***********************************************************************
 *      WSAGetServiceClassInfoA (ws2_32.@)
 */
INT WINAPI WSAGetServiceClassInfoA( GUID *provider, GUID *class, DWORD *size, WSASERVICECLASSINFOA *info )
{
    FIXME_ONCE( "provider %s, class %s, size %p, info %p: not built yet\n",
                debugstr_provider( provider ), debugstr_provider( class ), size, info );
    if (!provider || !class || !size) return return_error( refuse( WSAEFAULT ) );
    return return_error( refuse( WSATYPE_NOT_FOUND ) );
}


/***********************************************************************
 *      WSAGetServiceClassInfoW (ws2_32.@)
 */
INT WINAPI WSAGetServiceClassInfoW( GUID *provider, GUID *class, DWORD *size, WSASERVICECLASSINFOW *info )
{
    FIXME_ONCE( "provider %s, class %s, size %p, info %p: not built yet\n",
                debugstr_provider( provider ), debugstr_provider( class ), size, info );
    if (!provider || !class || !size) return return_error( refuse( WSAEFAULT ) );
    return return_error( refuse( WSATYPE_NOT_FOUND ) );
}


/***********************************************************************
 *      WSAGetServiceClassNameByClassIdA (ws2_32.@)
 */
INT WINAPI WSAGetServiceClassNameByClassIdA( GUID *class, char *name, DWORD *size )
{
    FIXME_ONCE( "class %s, name %p, size %p: not built yet\n", debugstr_provider( class ), name, size );
    if (!class || !size) return return_error( refuse( WSAEFAULT ) );
    return return_error( refuse( WSATYPE_NOT_FOUND ) );
}


/***********************************************************************
 *      WSAGetServiceClassNameByClassIdW (ws2_32.@)
 */
INT WINAPI WSAGetServiceClassNameByClassIdW( GUID *class, WCHAR *name, DWORD *size )
{
    FIXME_ONCE( "class %s, name %p, size %p: not built yet\n", debugstr_provider( class ), name, size );
    if (!class || !size) return return_error( refuse( WSAEFAULT ) );
    return return_error( refuse( WSATYPE_NOT_FOUND ) );
}


/***********************************************************************
 *      WSAEnumNameSpaceProvidersA (ws2_32.@)
 *
 * Of the errors documented (this, WSAEFAULT, WSANOTINITIALISED) the one that
 * sends nobody looking for a mistake of their own.
 */
INT WINAPI WSAEnumNameSpaceProvidersA( DWORD *size, WSANAMESPACE_INFOA *buffer )
{
    FIXME_ONCE( "size %p, buffer %p: not built yet\n", size, buffer );
    if (!size) return return_error( refuse( WSAEFAULT ) );
    return return_error( refuse( WSA_NOT_ENOUGH_MEMORY ) );
}


/***********************************************************************
 *      WSAEnumNameSpaceProvidersW (ws2_32.@)
 */
INT WINAPI WSAEnumNameSpaceProvidersW( DWORD *size, WSANAMESPACE_INFOW *buffer )
{
    FIXME_ONCE( "size %p, buffer %p: not built yet\n", size, buffer );
    if (!size) return return_error( refuse( WSAEFAULT ) );
    return return_error( refuse( WSA_NOT_ENOUGH_MEMORY ) );
}


/***********************************************************************
 *      WSAEnumNameSpaceProvidersExA (ws2_32.@)
 */
INT WINAPI WSAEnumNameSpaceProvidersExA( DWORD *size, WSANAMESPACE_INFOEXA *buffer )
{
    FIXME_ONCE( "size %p, buffer %p: not built yet\n", size, buffer );
    if (!size) return return_error( refuse( WSAEFAULT ) );
    return return_error( refuse( WSA_NOT_ENOUGH_MEMORY ) );
}


/***********************************************************************
 *      WSAEnumNameSpaceProvidersExW (ws2_32.@)
 */
INT WINAPI WSAEnumNameSpaceProvidersExW( DWORD *size, WSANAMESPACE_INFOEXW *buffer )
{
    FIXME_ONCE( "size %p, buffer %p: not built yet\n", size, buffer );
    if (!size) return return_error( refuse( WSAEFAULT ) );
    return return_error( refuse( WSA_NOT_ENOUGH_MEMORY ) );
}


/***********************************************************************
 *      GetAddrInfoExA          (ws2_32.@)
 */
int WINAPI GetAddrInfoExA( const char *name, const char *service, DWORD name_space, GUID *provider,
                           const ADDRINFOEXA *hints, ADDRINFOEXA **result, struct timeval *timeout,
                           OVERLAPPED *overlapped, LPLOOKUPSERVICE_COMPLETION_ROUTINE routine, HANDLE *handle )
{
    FIXME_ONCE( "name %p, service %p, name_space %lu, provider %s, hints %p, result %p, timeout %p, "
                "overlapped %p, routine %p, handle %p: not built yet\n",
                name, service, name_space, debugstr_provider( provider ), hints, result, timeout,
                overlapped, routine, handle );
    if (!name && !service) return return_code( refuse_addrinfo( WSAHOST_NOT_FOUND ) );
    if (!result || !probe_write( result, sizeof(*result) )) return return_code( refuse_addrinfo( WSAEFAULT ) );
    return return_code( refuse_addrinfo( WSANO_RECOVERY ) );
}


/***********************************************************************
 *      GetAddrInfoExW          (ws2_32.@)
 */
int WINAPI GetAddrInfoExW( const WCHAR *name, const WCHAR *service, DWORD name_space, GUID *provider,
                           const ADDRINFOEXW *hints, ADDRINFOEXW **result, struct timeval *timeout,
                           OVERLAPPED *overlapped, LPLOOKUPSERVICE_COMPLETION_ROUTINE routine, HANDLE *handle )
{
    FIXME_ONCE( "name %p, service %p, name_space %lu, provider %s, hints %p, result %p, timeout %p, "
                "overlapped %p, routine %p, handle %p: not built yet\n",
                name, service, name_space, debugstr_provider( provider ), hints, result, timeout,
                overlapped, routine, handle );
    if (!name && !service) return return_code( refuse_addrinfo( WSAHOST_NOT_FOUND ) );
    if (!result || !probe_write( result, sizeof(*result) )) return return_code( refuse_addrinfo( WSAEFAULT ) );
    return return_code( refuse_addrinfo( WSANO_RECOVERY ) );
}


/***********************************************************************
 *      GetAddrInfoExOverlappedResult (ws2_32.@)
 *
 * No GetAddrInfoEx ever pends, so there is no OVERLAPPED of one.
 */
int WINAPI GetAddrInfoExOverlappedResult( OVERLAPPED *overlapped )
{
    TRACE( "overlapped %p\n", overlapped );
    return return_code( WSAEINVAL );
}


/***********************************************************************
 *      GetAddrInfoExCancel     (ws2_32.@)
 */
int WINAPI GetAddrInfoExCancel( HANDLE *handle )
{
    TRACE( "handle %p\n", handle );
    return return_code( WSA_INVALID_HANDLE );
}


/***********************************************************************
 *      SetAddrInfoExA          (ws2_32.@)
 */
int WINAPI SetAddrInfoExA( const char *name, const char *service, SOCKET_ADDRESS *addresses, DWORD count, BLOB *blob,
                           DWORD flags, DWORD name_space, GUID *provider, struct timeval *timeout,
                           OVERLAPPED *overlapped, LPLOOKUPSERVICE_COMPLETION_ROUTINE routine, HANDLE *handle )
{
    FIXME_ONCE( "name %p, service %p, addresses %p, count %lu, blob %p, flags %#lx, name_space %lu, provider %s, "
                "timeout %p, overlapped %p, routine %p, handle %p: not built yet\n",
                name, service, addresses, count, blob, flags, name_space, debugstr_provider( provider ),
                timeout, overlapped, routine, handle );
    return return_code( refuse_addrinfo( WSANO_RECOVERY ) );
}


/***********************************************************************
 *      SetAddrInfoExW          (ws2_32.@)
 */
int WINAPI SetAddrInfoExW( const WCHAR *name, const WCHAR *service, SOCKET_ADDRESS *addresses, DWORD count,
                           BLOB *blob, DWORD flags, DWORD name_space, GUID *provider, struct timeval *timeout,
                           OVERLAPPED *overlapped, LPLOOKUPSERVICE_COMPLETION_ROUTINE routine, HANDLE *handle )
{
    FIXME_ONCE( "name %p, service %p, addresses %p, count %lu, blob %p, flags %#lx, name_space %lu, provider %s, "
                "timeout %p, overlapped %p, routine %p, handle %p: not built yet\n",
                name, service, addresses, count, blob, flags, name_space, debugstr_provider( provider ),
                timeout, overlapped, routine, handle );
    return return_code( refuse_addrinfo( WSANO_RECOVERY ) );
}


/***********************************************************************
 *      FreeAddrInfoEx          (ws2_32.@)
 */
void WINAPI FreeAddrInfoEx( ADDRINFOEXA *info )
{
    TRACE( "info %p\n", info );

    if (info) FIXME_ONCE( "info %p is none of ours: GetAddrInfoEx is not built yet\n", info );
}


/***********************************************************************
 *      FreeAddrInfoExW         (ws2_32.@)
 */
void WINAPI FreeAddrInfoExW( ADDRINFOEXW *info )
{
    TRACE( "info %p\n", info );

    if (info) FIXME_ONCE( "info %p is none of ours: GetAddrInfoEx is not built yet\n", info );
}
