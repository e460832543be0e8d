/*
 * Transport and name-space providers: installing, ordering, describing them
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


/* These functions return their error through a pointer and need no WSAStartup.
 * WSANO_RECOVERY is documented for when the catalog cannot be changed or read. */
static unsigned int refuse( INT *err )
{
    return provider_error( WSANO_RECOVERY, err );
}


/***********************************************************************
 *      WSCInstallProvider      (ws2_32.@)
 */
INT WINAPI WSCInstallProvider( GUID *provider, const WCHAR *path, WSAPROTOCOL_INFOW *infos, DWORD count, INT *err )
{
    FIXME_ONCE( "provider %s, path %p, infos %p, count %lu, err %p: not built yet\n",
                debugstr_provider( provider ), path, infos, count, err );
    return return_error( refuse( err ) );
}


/***********************************************************************
 *      WSCUpdateProvider       (ws2_32.@)
 */
INT WINAPI WSCUpdateProvider( GUID *provider, const WCHAR *path, WSAPROTOCOL_INFOW *infos, DWORD count, INT *err )
{
    FIXME_ONCE( "provider %s, path %p, infos %p, count %lu, err %p: not built yet\n",
                debugstr_provider( provider ), path, infos, count, err );
    return return_error( refuse( err ) );
}


/***********************************************************************
 *      WSCInstallProviderEx    (ws2_32.@)
 */
INT WINAPI WSCInstallProviderEx( GUID *provider, const WCHAR *path, const WCHAR *name, DWORD flags,
                                 WSAPROTOCOL_INFOW *infos, DWORD count, INT *err )
{
    FIXME_ONCE( "provider %s, path %p, name %p, flags %#lx, infos %p, count %lu, err %p: not built yet\n",
                debugstr_provider( provider ), path, name, flags, infos, count, err );
    return return_error( refuse( err ) );
}


/***********************************************************************
 *      WSCUpdateProviderEx     (ws2_32.@)
 */
INT WINAPI WSCUpdateProviderEx( GUID *provider, const WCHAR *path, WSAPROTOCOL_INFOW *infos, DWORD count,
                                void *reserved, INT *err )
{
    FIXME_ONCE( "provider %s, path %p, infos %p, count %lu, reserved %p, err %p: not built yet\n",
                debugstr_provider( provider ), path, infos, count, reserved, err );
    return return_error( refuse( err ) );
}


/***********************************************************************
 *      WSCDeinstallProvider    (ws2_32.@)
 */
INT WINAPI WSCDeinstallProvider( GUID *provider, INT *err )
{
    FIXME_ONCE( "provider %s, err %p: not built yet\n", debugstr_provider( provider ), err );
    return return_error( refuse( err ) );
}


/***********************************************************************
 *      WSCDeinstallProviderEx  (ws2_32.@)
 */
INT WINAPI WSCDeinstallProviderEx( GUID *provider, DWORD flags, INT *err )
{
    FIXME_ONCE( "provider %s, flags %#lx, err %p: not built yet\n", debugstr_provider( provider ), flags, err );
    return return_error( refuse( err ) );
}


/***********************************************************************
 *      WSCGetProviderInfo      (ws2_32.@)
 */
INT WINAPI WSCGetProviderInfo( GUID *provider, WSC_PROVIDER_INFO_TYPE type, BYTE *info, size_t *size, DWORD flags,
                               INT *err )
{
    FIXME_ONCE( "provider %s, type %d, info %p, size %p, flags %#lx, err %p: not built yet\n",
                debugstr_provider( provider ), type, info, size, flags, err );
    return return_error( refuse( err ) );
}


/***********************************************************************
 *      WSCSetProviderInfo      (ws2_32.@)
 */
INT WINAPI WSCSetProviderInfo( GUID *provider, WSC_PROVIDER_INFO_TYPE type, BYTE *info, size_t size, DWORD flags,
                               INT *err )
{
    FIXME_ONCE( "provider %s, type %d, info %p, size %Iu, flags %#lx, err %p: not built yet\n",
                debugstr_provider( provider ), type, info, size, flags, err );
    return return_error( refuse( err ) );
}


/***********************************************************************
 *      WSCGetApplicationCategory (ws2_32.@)
 */
INT WINAPI WSCGetApplicationCategory( const WCHAR *path, DWORD path_len, const WCHAR *extra, DWORD extra_len,
                                      DWORD *categories, INT *err )
{
    FIXME_ONCE( "path %p (%lu), extra %p (%lu), categories %p, err %p: not built yet\n",
                path, path_len, extra, extra_len, categories, err );
    return return_error( refuse( err ) );
}


/***********************************************************************
 *      WSCGetApplicationCategoryEx (ws2_32.@)
 */
INT WINAPI WSCGetApplicationCategoryEx( const WCHAR *path, DWORD path_len, const WCHAR *extra, DWORD extra_len,
                                        DWORD flags, DWORD *categories, INT *err )
{
    FIXME_ONCE( "path %p (%lu), extra %p (%lu), flags %#lx, categories %p, err %p: not built yet\n",
                path, path_len, extra, extra_len, flags, categories, err );
    return return_error( refuse( err ) );
}


/***********************************************************************
 *      WSCSetApplicationCategory (ws2_32.@)
 */
INT WINAPI WSCSetApplicationCategory( const WCHAR *path, DWORD path_len, const WCHAR *extra, DWORD extra_len,
                                      DWORD categories, DWORD *previous, INT *err )
{
    FIXME_ONCE( "path %p (%lu), extra %p (%lu), categories %#lx, previous %p, err %p: not built yet\n",
                path, path_len, extra, extra_len, categories, previous, err );
    return return_error( refuse( err ) );
}


/***********************************************************************
 *      WSCSetApplicationCategoryEx (ws2_32.@)
 */
INT WINAPI WSCSetApplicationCategoryEx( const WCHAR *path, DWORD path_len, const WCHAR *extra, DWORD extra_len,
                                        DWORD flags, DWORD categories, DWORD *previous, INT *err )
{
    FIXME_ONCE( "path %p (%lu), extra %p (%lu), flags %#lx, categories %#lx, previous %p, err %p: not built yet\n",
                path, path_len, extra, extra_len, flags, categories, previous, err );
    return return_error( refuse( err ) );
}


/* ---- those that return their error or set it, without a pointer ---- */


/***********************************************************************
 *      WSCWriteProviderOrder   (ws2_32.@)
 *
 * Returns its error.
 */
INT WINAPI WSCWriteProviderOrder( DWORD *entries, DWORD count )
{
    FIXME_ONCE( "entries %p, count %lu: not built yet\n", entries, count );
    return return_code( WSANO_RECOVERY );
}


/***********************************************************************
 *      WSCWriteProviderOrderEx (ws2_32.@)
 */
INT WINAPI WSCWriteProviderOrderEx( DWORD *entries, DWORD count, DWORD flags )
{
    FIXME_ONCE( "entries %p, count %lu, flags %#lx: not built yet\n", entries, count, flags );
    return return_code( WSANO_RECOVERY );
}


/***********************************************************************
 *      WSCWriteNameSpaceOrder  (ws2_32.@)
 */
INT WINAPI WSCWriteNameSpaceOrder( GUID *providers, DWORD count )
{
    FIXME_ONCE( "providers %p, count %lu: not built yet\n", providers, count );
    return return_code( WSANO_RECOVERY );
}


/***********************************************************************
 *      WSCInstallNameSpace     (ws2_32.@)
 */
INT WINAPI WSCInstallNameSpace( WCHAR *name, WCHAR *path, DWORD name_space, DWORD version, GUID *provider )
{
    FIXME_ONCE( "name %p, path %p, name_space %lu, version %lu, provider %s: not built yet\n",
                name, path, name_space, version, debugstr_provider( provider ) );
    return return_error( WSANO_RECOVERY );
}


/***********************************************************************
 *      WSCInstallNameSpaceEx   (ws2_32.@)
 */
INT WINAPI WSCInstallNameSpaceEx( WCHAR *name, WCHAR *path, DWORD name_space, DWORD version, GUID *provider,
                                  BLOB *info )
{
    FIXME_ONCE( "name %p, path %p, name_space %lu, version %lu, provider %s, info %p: not built yet\n",
                name, path, name_space, version, debugstr_provider( provider ), info );
    return return_error( WSANO_RECOVERY );
}


/***********************************************************************
 *      WSCInstallNameSpaceEx2  (ws2_32.@)
 */
INT WINAPI WSCInstallNameSpaceEx2( WCHAR *name, WCHAR *path, DWORD name_space, DWORD version, GUID *provider,
                                   BLOB *info, DWORD flags )
{
    FIXME_ONCE( "name %p, path %p, name_space %lu, version %lu, provider %s, info %p, flags %#lx: not built yet\n",
                name, path, name_space, version, debugstr_provider( provider ), info, flags );
    return return_error( WSANO_RECOVERY );
}


/***********************************************************************
 *      WSCUnInstallNameSpace   (ws2_32.@)
 *
 * No name-space provider is installed that could be uninstalled: WSAEINVAL.
 */
INT WINAPI WSCUnInstallNameSpace( GUID *provider )
{
    FIXME_ONCE( "provider %s: not built yet\n", debugstr_provider( provider ) );
    return return_error( WSAEINVAL );
}


/***********************************************************************
 *      WSCUnInstallNameSpaceEx2 (ws2_32.@)
 */
INT WINAPI WSCUnInstallNameSpaceEx2( GUID *provider, DWORD flags )
{
    FIXME_ONCE( "provider %s, flags %#lx: not built yet\n", debugstr_provider( provider ), flags );
    return return_error( WSAEINVAL );
}


/***********************************************************************
 *      WSCEnableNSProvider     (ws2_32.@)
 */
INT WINAPI WSCEnableNSProvider( GUID *provider, BOOL enable )
{
    FIXME_ONCE( "provider %s, enable %d: not built yet\n", debugstr_provider( provider ), enable );
    return return_error( WSAEINVAL );
}


#ifdef _WIN64

/* ---- the same for the catalog of 32-bit programs ---- */


/***********************************************************************
 *      WSCInstallProvider64_32 (ws2_32.@)
 */
INT WINAPI WSCInstallProvider64_32( GUID *provider, const WCHAR *path, WSAPROTOCOL_INFOW *infos, DWORD count,
                                    INT *err )
{
    FIXME_ONCE( "provider %s, path %p, infos %p, count %lu, err %p: not built yet\n",
                debugstr_provider( provider ), path, infos, count, err );
    return return_error( refuse( err ) );
}


/***********************************************************************
 *      WSCUpdateProvider32     (ws2_32.@)
 */
INT WINAPI WSCUpdateProvider32( GUID *provider, const WCHAR *path, WSAPROTOCOL_INFOW *infos, DWORD count, INT *err )
{
    FIXME_ONCE( "provider %s, path %p, infos %p, count %lu, err %p: not built yet\n",
                debugstr_provider( provider ), path, infos, count, err );
    return return_error( refuse( err ) );
}


/***********************************************************************
 *      WSCDeinstallProvider32  (ws2_32.@)
 */
INT WINAPI WSCDeinstallProvider32( GUID *provider, INT *err )
{
    FIXME_ONCE( "provider %s, err %p: not built yet\n", debugstr_provider( provider ), err );
    return return_error( refuse( err ) );
}


/***********************************************************************
 *      WSCGetProviderInfo32    (ws2_32.@)
 */
INT WINAPI WSCGetProviderInfo32( GUID *provider, WSC_PROVIDER_INFO_TYPE type, BYTE *info, size_t *size, DWORD flags,
                                 INT *err )
{
    FIXME_ONCE( "provider %s, type %d, info %p, size %p, flags %#lx, err %p: not built yet\n",
                debugstr_provider( provider ), type, info, size, flags, err );
    return return_error( refuse( err ) );
}


/***********************************************************************
 *      WSCSetProviderInfo32    (ws2_32.@)
 */
INT WINAPI WSCSetProviderInfo32( GUID *provider, WSC_PROVIDER_INFO_TYPE type, BYTE *info, size_t size, DWORD flags,
                                 INT *err )
{
    FIXME_ONCE( "provider %s, type %d, info %p, size %Iu, flags %#lx, err %p: not built yet\n",
                debugstr_provider( provider ), type, info, size, flags, err );
    return return_error( refuse( err ) );
}


/***********************************************************************
 *      WSCInstallProviderAndChains64_32 (ws2_32.@)
 */
INT WINAPI WSCInstallProviderAndChains64_32( GUID *provider, const WCHAR *path, const WCHAR *path32,
                                             const WCHAR *name, DWORD flags, WSAPROTOCOL_INFOW *infos, DWORD count,
                                             DWORD *entry, INT *err )
{
    FIXME_ONCE( "provider %s, path %p, path32 %p, name %p, flags %#lx, infos %p, count %lu, "
                "entry %p, err %p: not built yet\n",
                debugstr_provider( provider ), path, path32,
                name, flags, infos, count, entry, err );
    return return_error( refuse( err ) );
}


/***********************************************************************
 *      WSCWriteProviderOrder32 (ws2_32.@)
 */
INT WINAPI WSCWriteProviderOrder32( DWORD *entries, DWORD count )
{
    FIXME_ONCE( "entries %p, count %lu: not built yet\n", entries, count );
    return return_code( WSANO_RECOVERY );
}


/***********************************************************************
 *      WSCWriteNameSpaceOrder32 (ws2_32.@)
 */
INT WINAPI WSCWriteNameSpaceOrder32( GUID *providers, DWORD count )
{
    FIXME_ONCE( "providers %p, count %lu: not built yet\n", providers, count );
    return return_code( WSANO_RECOVERY );
}


/***********************************************************************
 *      WSCInstallNameSpace32   (ws2_32.@)
 */
INT WINAPI WSCInstallNameSpace32( WCHAR *name, WCHAR *path, DWORD name_space, DWORD version, GUID *provider )
{
    FIXME_ONCE( "name %p, path %p, name_space %lu, version %lu, provider %s: not built yet\n",
                name, path, name_space, version, debugstr_provider( provider ) );
    return return_error( WSANO_RECOVERY );
}


/***********************************************************************
 *      WSCInstallNameSpaceEx32 (ws2_32.@)
 */
INT WINAPI WSCInstallNameSpaceEx32( WCHAR *name, WCHAR *path, DWORD name_space, DWORD version, GUID *provider,
                                    BLOB *info )
{
    FIXME_ONCE( "name %p, path %p, name_space %lu, version %lu, provider %s, info %p: not built yet\n",
                name, path, name_space, version, debugstr_provider( provider ), info );
    return return_error( WSANO_RECOVERY );
}


/***********************************************************************
 *      WSCUnInstallNameSpace32 (ws2_32.@)
 */
INT WINAPI WSCUnInstallNameSpace32( GUID *provider )
{
    FIXME_ONCE( "provider %s: not built yet\n", debugstr_provider( provider ) );
    return return_error( WSAEINVAL );
}


/***********************************************************************
 *      WSCEnableNSProvider32   (ws2_32.@)
 */
INT WINAPI WSCEnableNSProvider32( GUID *provider, BOOL enable )
{
    FIXME_ONCE( "provider %s, enable %d: not built yet\n", debugstr_provider( provider ), enable );
    return return_error( WSAEINVAL );
}


/***********************************************************************
 *      WSCEnumNameSpaceProviders32 (ws2_32.@)
 */
INT WINAPI WSCEnumNameSpaceProviders32( DWORD *size, WSANAMESPACE_INFOW *buffer )
{
    FIXME_ONCE( "size %p, buffer %p: not built yet\n", size, buffer );
    if (!size) return return_error( WSAEFAULT );
    return return_error( WSA_NOT_ENOUGH_MEMORY );
}


/***********************************************************************
 *      WSCEnumNameSpaceProvidersEx32 (ws2_32.@)
 */
INT WINAPI WSCEnumNameSpaceProvidersEx32( DWORD *size, void *buffer )
{
    FIXME_ONCE( "size %p, buffer %p: not built yet\n", size, buffer );
    if (!size) return return_error( WSAEFAULT );
    return return_error( WSA_NOT_ENOUGH_MEMORY );
}


#else


/***********************************************************************
 *      WSCInstallProviderAndChains (ws2_32.@)
 */
INT WINAPI WSCInstallProviderAndChains( GUID *provider, const WCHAR *path, const WCHAR *name, DWORD flags,
                                        WSAPROTOCOL_INFOW *infos, DWORD count, DWORD *entry, INT *err )
{
    FIXME_ONCE( "provider %s, path %p, name %p, flags %#lx, infos %p, count %lu, entry %p, err %p: not built yet\n",
                debugstr_provider( provider ), path, name, flags, infos, count, entry, err );
    return return_error( refuse( err ) );
}


#endif  /* _WIN64 */


/* ---- changes of the catalog, and what providers call ---- */


/***********************************************************************
 *      WSAProviderConfigChange (ws2_32.@)
 */
INT WINAPI WSAProviderConfigChange( HANDLE *handle, WSAOVERLAPPED *overlapped,
                                    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine )
{
    FIXME_ONCE( "handle %p, overlapped %p, routine %p: not built yet\n", handle, overlapped, routine );
    if (!startup_check()) return return_error( WSANOTINITIALISED );
    if (!handle) return return_error( WSAEFAULT );
    return return_error( WSAEOPNOTSUPP );
}


/***********************************************************************
 *      WSAAdvertiseProvider    (ws2_32.@)
 */
INT WINAPI WSAAdvertiseProvider( const GUID *provider, const void *routines )
{
    FIXME_ONCE( "provider %s, routines %p: not built yet\n", debugstr_provider( provider ), routines );
    if (!startup_check()) return return_error( WSANOTINITIALISED );
    if (!provider || !routines) return return_error( WSAEFAULT );
    return return_error( WSAEINVAL );
}


/***********************************************************************
 *      WSAUnadvertiseProvider  (ws2_32.@)
 *
 * Nothing was advertised: WSAEINVAL.
 */
INT WINAPI WSAUnadvertiseProvider( const GUID *provider )
{
    TRACE( "provider %s\n", debugstr_provider( provider ) );
    if (!startup_check()) return return_error( WSANOTINITIALISED );
    return return_error( WSAEINVAL );
}


/***********************************************************************
 *      WSAProviderCompleteAsyncCall (ws2_32.@)
 *
 * No provider was ever called asynchronously.
 */
INT WINAPI WSAProviderCompleteAsyncCall( HANDLE call, INT result )
{
    TRACE( "call %p, result %d\n", call, result );
    if (!startup_check()) return return_error( WSANOTINITIALISED );
    return return_error( WSA_INVALID_HANDLE );
}


/***********************************************************************
 *      WPUCompleteOverlappedRequest (ws2_32.@)
 *
 * For layered providers, of sockets they made with WPUCreateSocketHandle. There are
 * none: WSAEINVAL is what the documentation has for any other socket.
 */
WSAEVENT WINAPI WPUCompleteOverlappedRequest( SOCKET s, WSAOVERLAPPED *overlapped, DWORD error,
                                             DWORD transfer, INT *err )
{
    TRACE( "socket %#Ix, overlapped %p, error %lu, transfer %lu, err %p\n", s, overlapped, error, transfer, err );

    /* an int by its documentation, whatever the header says */
    return (WSAEVENT)(LONG_PTR)return_error( provider_error( WSAEINVAL, err ) );
}


/***********************************************************************
 *      WPUGetProviderPathEx    (ws2_32.@)
 */
INT WINAPI WPUGetProviderPathEx( GUID *provider, WCHAR *path, INT *size, DWORD flags, INT *err )
{
    FIXME_ONCE( "provider %s, path %p, size %p, flags %#lx, err %p: not built yet\n",
                debugstr_provider( provider ), path, size, flags, err );
    return return_error( refuse( err ) );
}
