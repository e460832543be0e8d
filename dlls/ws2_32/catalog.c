/*
 * The catalog: which protocols there are, and who provides them
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

#define PROVIDER_IPV4 { 0xe70f1aa0, 0xab8b, 0x11cf, { 0x8c, 0xa3, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92 } }
#define PROVIDER_IPV6 { 0xf9eab0c0, 0x26d4, 0x11d0, { 0xbb, 0xbf, 0x00, 0xaa, 0x00, 0x6c, 0x34, 0xe4 } }

#define PROVIDER_OURS { 0x7a0f5c1e, 0x3d52, 0x4e0b, { 0x9b, 0x6d, 0x54, 0x41, 0x50, 0x53, 0x54, 0x52 } }

#define STREAM_FLAGS (XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | XP1_GRACEFUL_CLOSE | \
                      XP1_EXPEDITED_DATA | XP1_IFS_HANDLES)
#define LOCAL_FLAGS  (XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | XP1_MESSAGE_ORIENTED | XP1_GRACEFUL_CLOSE | \
                      XP1_CONNECT_DATA | XP1_DISCONNECT_DATA | XP1_IFS_HANDLES)
#define DGRAM_FLAGS  (XP1_CONNECTIONLESS | XP1_MESSAGE_ORIENTED | XP1_SUPPORT_BROADCAST | \
                      XP1_SUPPORT_MULTIPOINT | XP1_IFS_HANDLES)

/* 16 bits of length less the longest IP header and UDP's own: what Windows' catalog says */
#define UDP_MESSAGE 65467
#define RAW_MESSAGE 32768

/* The catalog of a Windows 10 without layered providers: its order, ids, flags and
 * names. libuv, Go and others look for the flags and the providers' ids. */
static const WSAPROTOCOL_INFOW catalog[] =
{
    {
        .dwServiceFlags1 = STREAM_FLAGS, .dwProviderFlags = PFL_MATCHES_PROTOCOL_ZERO,
        .ProviderId = PROVIDER_IPV4, .dwCatalogEntryId = 1001, .ProtocolChain = { .ChainLen = BASE_PROTOCOL },
        .iVersion = 2, .iAddressFamily = AF_INET,
        .iMaxSockAddr = sizeof(struct sockaddr_in), .iMinSockAddr = sizeof(struct sockaddr_in),
        .iSocketType = SOCK_STREAM, .iProtocol = IPPROTO_TCP, .szProtocol = L"MSAFD Tcpip [TCP/IP]",
    },
    {
        .dwServiceFlags1 = DGRAM_FLAGS, .dwProviderFlags = PFL_MATCHES_PROTOCOL_ZERO,
        .ProviderId = PROVIDER_IPV4, .dwCatalogEntryId = 1002, .ProtocolChain = { .ChainLen = BASE_PROTOCOL },
        .iVersion = 2, .iAddressFamily = AF_INET,
        .iMaxSockAddr = sizeof(struct sockaddr_in), .iMinSockAddr = sizeof(struct sockaddr_in),
        .iSocketType = SOCK_DGRAM, .iProtocol = IPPROTO_UDP, .dwMessageSize = UDP_MESSAGE,
        .szProtocol = L"MSAFD Tcpip [UDP/IP]",
    },
    {
        .dwServiceFlags1 = DGRAM_FLAGS, .dwProviderFlags = PFL_MATCHES_PROTOCOL_ZERO | PFL_HIDDEN,
        .ProviderId = PROVIDER_IPV4, .dwCatalogEntryId = 1003, .ProtocolChain = { .ChainLen = BASE_PROTOCOL },
        .iVersion = 2, .iAddressFamily = AF_INET,
        .iMaxSockAddr = sizeof(struct sockaddr_in), .iMinSockAddr = sizeof(struct sockaddr_in),
        .iSocketType = SOCK_RAW, .iProtocolMaxOffset = 255, .dwMessageSize = RAW_MESSAGE,
        .szProtocol = L"MSAFD Tcpip [RAW/IP]",
    },
    {
        .dwServiceFlags1 = STREAM_FLAGS, .dwProviderFlags = PFL_MATCHES_PROTOCOL_ZERO,
        .ProviderId = PROVIDER_IPV6, .dwCatalogEntryId = 1004, .ProtocolChain = { .ChainLen = BASE_PROTOCOL },
        .iVersion = 2, .iAddressFamily = AF_INET6,
        .iMaxSockAddr = sizeof(struct sockaddr_in6), .iMinSockAddr = sizeof(struct sockaddr_in6),
        .iSocketType = SOCK_STREAM, .iProtocol = IPPROTO_TCP, .szProtocol = L"MSAFD Tcpip [TCP/IPv6]",
    },
    {
        .dwServiceFlags1 = DGRAM_FLAGS, .dwProviderFlags = PFL_MATCHES_PROTOCOL_ZERO,
        .ProviderId = PROVIDER_IPV6, .dwCatalogEntryId = 1005, .ProtocolChain = { .ChainLen = BASE_PROTOCOL },
        .iVersion = 2, .iAddressFamily = AF_INET6,
        .iMaxSockAddr = sizeof(struct sockaddr_in6), .iMinSockAddr = sizeof(struct sockaddr_in6),
        .iSocketType = SOCK_DGRAM, .iProtocol = IPPROTO_UDP, .dwMessageSize = UDP_MESSAGE,
        .szProtocol = L"MSAFD Tcpip [UDP/IPv6]",
    },
    {
        .dwServiceFlags1 = DGRAM_FLAGS, .dwProviderFlags = PFL_MATCHES_PROTOCOL_ZERO | PFL_HIDDEN,
        .ProviderId = PROVIDER_IPV6, .dwCatalogEntryId = 1006, .ProtocolChain = { .ChainLen = BASE_PROTOCOL },
        .iVersion = 2, .iAddressFamily = AF_INET6,
        .iMaxSockAddr = sizeof(struct sockaddr_in6), .iMinSockAddr = sizeof(struct sockaddr_in6),
        .iSocketType = SOCK_RAW, .iProtocolMaxOffset = 255, .dwMessageSize = RAW_MESSAGE,
        .szProtocol = L"MSAFD Tcpip [RAW/IPv6]",
    },
    {
        .dwServiceFlags1 = LOCAL_FLAGS, .dwProviderFlags = PFL_MATCHES_PROTOCOL_ZERO,
        .ProviderId = PROVIDER_OURS, .dwCatalogEntryId = 1007, .ProtocolChain = { .ChainLen = BASE_PROTOCOL },
        .iVersion = 2, .iAddressFamily = AF_TAPSTER,
        .iMaxSockAddr = sizeof(SOCKADDR_TAPSTER), .iMinSockAddr = sizeof(SOCKADDR_TAPSTER),
        .iSocketType = SOCK_SEQPACKET, .iProtocol = TAPSTERPROTO_LOCAL, .iNetworkByteOrder = LITTLEENDIAN,
        .dwMessageSize = TAPSTER_MAX_MESSAGE, .szProtocol = L"Tapster local [SEQPACKET]",
    },
};

/* the DLL that all of them name, in the catalog's own spelling */
static const WCHAR provider_path[] = L"%SystemRoot%\\system32\\mswsock.dll";


const char *debugstr_provider( const GUID *guid )
{
    if (guid && !probe_read( guid, sizeof(*guid) )) return wine_dbg_sprintf( "%p", guid );
    return debugstr_guid( guid );
}


void catalog_info_to_a( const WSAPROTOCOL_INFOW *src, WSAPROTOCOL_INFOA *dst )
{
    memcpy( dst, src, offsetof( WSAPROTOCOL_INFOW, szProtocol ) );
    memset( dst->szProtocol, 0, sizeof(dst->szProtocol) );
    WideCharToMultiByte( CP_ACP, 0, src->szProtocol, -1, dst->szProtocol, sizeof(dst->szProtocol), NULL, NULL );
}


BOOL catalog_find( int family, int type, int protocol, WSAPROTOCOL_INFOW *info )
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(catalog); i++)
    {
        if (catalog[i].iAddressFamily != family) continue;
        if (type && catalog[i].iSocketType != type) continue;
        if (!protocol && !(catalog[i].dwProviderFlags & PFL_MATCHES_PROTOCOL_ZERO)) continue;
        if (protocol && (protocol < catalog[i].iProtocol
                         || protocol > catalog[i].iProtocol + catalog[i].iProtocolMaxOffset)) continue;
        if (!type && catalog[i].iSocketType == SOCK_RAW) continue;  /* must be asked for */
        *info = catalog[i];
        return TRUE;
    }
    return FALSE;
}


/* is the entry one that a caller with this list of protocols, ended by 0, asks for? */
static BOOL is_wanted( const WSAPROTOCOL_INFOW *info, const int *protocols, BOOL hidden )
{
    if (!hidden && (info->dwProviderFlags & PFL_HIDDEN)) return FALSE;
    if (!protocols) return TRUE;
    for (; *protocols; protocols++) if (*protocols == info->iProtocol) return TRUE;
    return FALSE;
}


/* a readable copy of a program's list; FALSE if it cannot be read up to its end */
static BOOL copy_protocols( const int *src, int *dst, unsigned int max )
{
    unsigned int i;

    for (i = 0; i < max; i++)
    {
        if (!copy_safe( &dst[i], &src[i], sizeof(*dst) )) return FALSE;
        if (!dst[i]) return TRUE;
    }
    dst[max - 1] = 0;  /* no more protocols exist than fit */
    return TRUE;
}


/* All four enumerations. 0 with *count entries written, or WSAENOBUFS with the
 * size needed, WSAEFAULT. */
static unsigned int catalog_enum( const int *protocols, void *buffer, DWORD *len, BOOL ansi, BOOL hidden, int *count )
{
    DWORD entry = ansi ? sizeof(WSAPROTOCOL_INFOA) : sizeof(WSAPROTOCOL_INFOW), room, needed;
    unsigned int i, wanted = 0;
    WSAPROTOCOL_INFOA info;
    int list[257];

    if (!len || !copy_safe( &room, len, sizeof(room) )) return WSAEFAULT;
    if (protocols && !copy_protocols( protocols, list, ARRAY_SIZE(list) )) return WSAEFAULT;
    if (protocols) protocols = list;

    for (i = 0; i < ARRAY_SIZE(catalog); i++) wanted += is_wanted( &catalog[i], protocols, hidden );
    needed = wanted * entry;
    if (!copy_safe( len, &needed, sizeof(needed) )) return WSAEFAULT;
    if (room < needed) return WSAENOBUFS;

    for (i = 0; i < ARRAY_SIZE(catalog); i++)
    {
        if (!is_wanted( &catalog[i], protocols, hidden )) continue;
        if (ansi) catalog_info_to_a( &catalog[i], &info );
        if (!copy_safe( buffer, ansi ? (const void *)&info : &catalog[i], entry )) return WSAEFAULT;
        buffer = (char *)buffer + entry;
    }
    *count = wanted;
    return 0;
}


/***********************************************************************
 *      WSAEnumProtocolsA       (ws2_32.@)
 *
 * The number of entries, or SOCKET_ERROR: WSANOTINITIALISED, WSAENOBUFS with the
 * size needed, WSAEFAULT. Hidden entries (RAW) are left out, as documented of PFL_HIDDEN.
 */
int WINAPI WSAEnumProtocolsA( INT *protocols, WSAPROTOCOL_INFOA *buffer, DWORD *len )
{
    unsigned int error;
    int count = 0;

    TRACE( "protocols %p, buffer %p, len %p\n", protocols, buffer, len );

    if (!startup_check()) return return_error( WSANOTINITIALISED );
    error = catalog_enum( protocols, buffer, len, TRUE, FALSE, &count );
    return return_count( error, count );
}


/***********************************************************************
 *      WSAEnumProtocolsW       (ws2_32.@)
 */
int WINAPI WSAEnumProtocolsW( INT *protocols, WSAPROTOCOL_INFOW *buffer, DWORD *len )
{
    unsigned int error;
    int count = 0;

    TRACE( "protocols %p, buffer %p, len %p\n", protocols, buffer, len );

    if (!startup_check()) return return_error( WSANOTINITIALISED );
    error = catalog_enum( protocols, buffer, len, FALSE, FALSE, &count );
    return return_count( error, count );
}


/* The WSC forms hand their error over through a pointer. */
unsigned int provider_error( unsigned int error, INT *err )
{
    INT code = error;

    if (!err || !copy_safe( err, &code, sizeof(code) )) code = WSAEFAULT;
    return code;
}


/***********************************************************************
 *      WSCEnumProtocols        (ws2_32.@)
 *
 * Hidden entries too; needs no WSAStartup. The error goes to *err.
 */
INT WINAPI WSCEnumProtocols( INT *protocols, WSAPROTOCOL_INFOW *buffer, DWORD *len, INT *err )
{
    unsigned int error;
    int count = 0;

    TRACE( "protocols %p, buffer %p, len %p, err %p\n", protocols, buffer, len, err );

    if ((error = catalog_enum( protocols, buffer, len, FALSE, TRUE, &count ))) return return_error( provider_error( error, err ) );
    return return_count( 0, count );
}


/***********************************************************************
 *      WSCEnumProtocolsEx      (ws2_32.@)
 *
 * The flags choose among catalogs that Windows keeps apart for app containers;
 * there is one here.
 */
INT WINAPI WSCEnumProtocolsEx( INT *protocols, WSAPROTOCOL_INFOW *buffer, DWORD *len, DWORD flags, INT *err )
{
    TRACE( "protocols %p, buffer %p, len %p, flags %#lx, err %p\n", protocols, buffer, len, flags, err );

    return WSCEnumProtocols( protocols, buffer, len, err );
}


/***********************************************************************
 *      WSCGetProviderPath      (ws2_32.@)
 *
 * *err: WSAEINVAL no such provider, WSAEFAULT: bad pointers, or too small a buffer, with
 * *len the characters needed.
 */
INT WINAPI WSCGetProviderPath( GUID *provider, WCHAR *path, INT *len, INT *err )
{
    INT room, needed = ARRAY_SIZE(provider_path);
    unsigned int i, error = WSAEINVAL;
    GUID id;

    TRACE( "provider %s, path %p, len %p, err %p\n", debugstr_provider( provider ), path, len, err );

    if (!provider || !path || !len || !copy_safe( &id, provider, sizeof(id) )
        || !copy_safe( &room, len, sizeof(room) ))
        return return_error( provider_error( WSAEFAULT, err ) );

    for (i = 0; i < ARRAY_SIZE(catalog); i++)
    {
        if (!IsEqualGUID( &id, &catalog[i].ProviderId )) continue;

        error = 0;
        if (!copy_safe( len, &needed, sizeof(needed) ) || room < needed
            || !copy_safe( path, provider_path, sizeof(provider_path) )) error = WSAEFAULT;
        break;
    }

    return return_error( error ? provider_error( error, err ) : 0 );
}

#ifdef _WIN64

/***********************************************************************
 *      WSCEnumProtocols32      (ws2_32.@)
 *
 * What 32-bit programs see: the same.
 */
INT WINAPI WSCEnumProtocols32( INT *protocols, WSAPROTOCOL_INFOW *buffer, DWORD *len, INT *err )
{
    TRACE( "protocols %p, buffer %p, len %p, err %p\n", protocols, buffer, len, err );

    return WSCEnumProtocols( protocols, buffer, len, err );
}


/***********************************************************************
 *      WSCGetProviderPath32    (ws2_32.@)
 */
INT WINAPI WSCGetProviderPath32( GUID *provider, WCHAR *path, INT *len, INT *err )
{
    TRACE( "provider %s, path %p, len %p, err %p\n", debugstr_provider( provider ), path, len, err );

    return WSCGetProviderPath( provider, path, len, err );
}

#endif  /* _WIN64 */
