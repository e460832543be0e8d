/*
 * Addresses and strings, byte orders
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
#include "ip2string.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

/* The textual forms are ntdll's, as on Windows: ws2_32 adds families, lengths and
 * errors. Nothing here but WSAHtonl and its kin, WSAAddressToString and
 * WSAStringToAddress needs WSAStartup. */

/* the longest string that may be an address: with brackets, scope id and port */
#define MAX_ADDRESS_STRING INET6_ADDRSTRLEN

/* ---- byte orders ---- */

/* Wine's header has them inline */
#undef htonl
#undef htons
#undef ntohl
#undef ntohs

/***********************************************************************
 *      htonl   (ws2_32.8)
 */
u_long WINAPI htonl( u_long value )
{
    TRACE( "%#x -> %#x\n", (unsigned int)value, (unsigned int)RtlUlongByteSwap( value ) );
    return RtlUlongByteSwap( value );
}

/***********************************************************************
 *      htons   (ws2_32.9)
 */
u_short WINAPI htons( u_short value )
{
    TRACE( "%#x -> %#x\n", value, RtlUshortByteSwap( value ) );
    return RtlUshortByteSwap( value );
}

/***********************************************************************
 *      ntohl   (ws2_32.14)
 */
u_long WINAPI ntohl( u_long value )
{
    TRACE( "%#x -> %#x\n", (unsigned int)value, (unsigned int)RtlUlongByteSwap( value ) );
    return RtlUlongByteSwap( value );
}

/***********************************************************************
 *      ntohs   (ws2_32.15)
 */
u_short WINAPI ntohs( u_short value )
{
    TRACE( "%#x -> %#x\n", value, RtlUshortByteSwap( value ) );
    return RtlUshortByteSwap( value );
}

/* The four below: WSANOTINITIALISED, WSAENOTSOCK, WSAEFAULT. They ask for a socket
 * because the byte order was to be its protocol's: every protocol has the same. */

static unsigned int swap_long( SOCKET s, ULONG value, ULONG *result )
{
    struct socket *sock;

    if (!(sock = socket_get( s ))) return GetLastError();
    socket_put( sock );
    value = RtlUlongByteSwap( value );
    if (!copy_safe( result, &value, sizeof(value) )) return WSAEFAULT;
    TRACE( "%#x\n", (unsigned int)value );
    return 0;
}

static unsigned int swap_short( SOCKET s, USHORT value, USHORT *result )
{
    struct socket *sock;

    if (!(sock = socket_get( s ))) return GetLastError();
    socket_put( sock );
    value = RtlUshortByteSwap( value );
    if (!copy_safe( result, &value, sizeof(value) )) return WSAEFAULT;
    TRACE( "%#x\n", value );
    return 0;
}

/***********************************************************************
 *      WSAHtonl   (ws2_32.@)
 */
int WINAPI WSAHtonl( SOCKET s, ULONG value, ULONG *result )
{
    TRACE( "socket %#Ix, value %#x, result %p\n", s, (unsigned int)value, result );
    return return_error( swap_long( s, value, result ) );
}

/***********************************************************************
 *      WSAHtons   (ws2_32.@)
 */
int WINAPI WSAHtons( SOCKET s, u_short value, u_short *result )
{
    TRACE( "socket %#Ix, value %#x, result %p\n", s, value, result );
    return return_error( swap_short( s, value, result ) );
}

/***********************************************************************
 *      WSANtohl   (ws2_32.@)
 */
int WINAPI WSANtohl( SOCKET s, ULONG value, ULONG *result )
{
    TRACE( "socket %#Ix, value %#x, result %p\n", s, (unsigned int)value, result );
    return return_error( swap_long( s, value, result ) );
}

/***********************************************************************
 *      WSANtohs   (ws2_32.@)
 */
int WINAPI WSANtohs( SOCKET s, u_short value, u_short *result )
{
    TRACE( "socket %#Ix, value %#x, result %p\n", s, value, result );
    return return_error( swap_short( s, value, result ) );
}

/* ---- IPv4 of Winsock 1.1 ---- */

static BOOL is_space( char c )
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/***********************************************************************
 *      inet_addr   (ws2_32.11)
 *
 * INADDR_NONE for what is no address; NULL and "", too. A single space is 0 (all
 * of it documented by Microsoft). White space ends the string.
 */
u_long WINAPI inet_addr( const char *str )
{
    char copy[MAX_ADDRESS_STRING];
    const char *end;
    unsigned int error;
    IN_ADDR addr;

    TRACE( "%s\n", debugstr_a( str ) );

    if ((error = copy_string( copy, sizeof(copy), str )))
    {
        if (error == WSAEFAULT) return return_error( WSAEFAULT );     /* INADDR_NONE, too */
        return INADDR_NONE;
    }
    if (!strcmp( copy, " " ))
        addr.S_un.S_addr = 0;
    else if (RtlIpv4StringToAddressA( copy, FALSE, &end, &addr ) || (*end && !is_space( *end )))
        addr.S_un.S_addr = INADDR_NONE;

    TRACE( "-> %#x\n", (unsigned int)addr.S_un.S_addr );
    return addr.S_un.S_addr;
}

/***********************************************************************
 *      inet_ntoa   (ws2_32.12)
 *
 * The string is the thread's, until its next call.
 */
char * WINAPI inet_ntoa( struct in_addr addr )
{
    struct thread_data *thread;

    TRACE( "%#x\n", (unsigned int)addr.S_un.S_addr );

    if (!(thread = thread_get())) return return_null( WSAENOBUFS );
    RtlIpv4AddressToStringA( &addr, thread->ntoa );
    TRACE( "-> %s\n", thread->ntoa );
    return thread->ntoa;
}

/* ---- InetPton, InetNtop ---- */

/* 1 or 0 as inet_pton returns it; the number of bytes of the address in *size */
static int string_to_ip( int family, const WCHAR *str, void *addr, unsigned int *size )
{
    const WCHAR *end;

    if (family == AF_INET)
    {
        *size = sizeof(IN_ADDR);
        return !RtlIpv4StringToAddressW( str, TRUE, &end, addr ) && !*end;
    }
    *size = sizeof(IN6_ADDR);
    return !RtlIpv6StringToAddressW( str, &end, addr ) && !*end;
}

static int pton( int family, const WCHAR *str, void *addr )
{
    IN6_ADDR ip;
    unsigned int size;
    int ret = string_to_ip( family, str, &ip, &size );

    if (ret && !copy_safe( addr, &ip, size )) return return_error( WSAEFAULT );
    TRACE( "-> %d\n", ret );
    return ret;
}

/* what is common to both: 1 to go on, or what to return */
static int pton_check( int family, unsigned int copy_error, const void *addr )
{
    if (copy_error == WSAEFAULT || !addr) return return_error( WSAEFAULT );
    if (family != AF_INET && family != AF_INET6) return return_error( WSAEAFNOSUPPORT );
    return !copy_error;     /* too long for an address: none */
}

/***********************************************************************
 *      InetPtonW   (ws2_32.@)
 *
 * 1; 0: no address; -1: WSAEAFNOSUPPORT, WSAEFAULT. IPv4 only as four decimal numbers.
 */
int WINAPI InetPtonW( int family, const WCHAR *str, void *addr )
{
    WCHAR copy[MAX_ADDRESS_STRING];
    int ret;

    TRACE( "family %s, str %s, addr %p\n", debugstr_family( family ), debugstr_w( str ), addr );

    ret = pton_check( family, copy_wstring( copy, ARRAY_SIZE( copy ), str ), addr );
    return ret == 1 ? pton( family, copy, addr ) : ret;
}

/* an address's string has nothing but ASCII: what is not ASCII makes no address */
static void widen( WCHAR *dst, const char *src )
{
    while ((*dst++ = (unsigned char)*src++)) ;
}

/***********************************************************************
 *      inet_pton   (ws2_32.@)
 */
int WINAPI inet_pton( int family, const char *str, void *addr )
{
    char copy[MAX_ADDRESS_STRING];
    WCHAR wide[MAX_ADDRESS_STRING];
    int ret;

    TRACE( "family %s, str %s, addr %p\n", debugstr_family( family ), debugstr_a( str ), addr );

    ret = pton_check( family, copy_string( copy, sizeof(copy), str ), addr );
    if (ret != 1) return ret;
    widen( wide, copy );
    return pton( family, wide, addr );
}

/* the string and its length with the NUL, or the error */
static unsigned int ip_to_string( int family, const void *addr, char *str, ULONG *len )
{
    IN6_ADDR ip;

    if (family != AF_INET && family != AF_INET6) return WSAEAFNOSUPPORT;
    if (!addr) return ERROR_INVALID_PARAMETER;
    if (!copy_safe( &ip, addr, family == AF_INET ? sizeof(IN_ADDR) : sizeof(IN6_ADDR) )) return WSAEFAULT;

    *len = MAX_ADDRESS_STRING;
    if (family == AF_INET) RtlIpv4AddressToStringExA( (IN_ADDR *)&ip, 0, str, len );
    else RtlIpv6AddressToStringExA( &ip, 0, 0, str, len );
    return 0;
}

/* char_size is 1 or sizeof(WCHAR) */
static void *ntop( int family, const void *addr, void *str, SIZE_T size, unsigned int char_size )
{
    char buffer[MAX_ADDRESS_STRING];
    WCHAR wide[MAX_ADDRESS_STRING];
    unsigned int error;
    ULONG len;

    if (!(error = ip_to_string( family, addr, buffer, &len )))
    {
        widen( wide, buffer );
        if (!str || len > size) error = ERROR_INVALID_PARAMETER;
        else if (!copy_safe( str, char_size == 1 ? (void *)buffer : wide, len * char_size )) error = WSAEFAULT;
    }
    if (error) return return_null( error );
    TRACE( "-> %s\n", buffer );
    return str;
}

/***********************************************************************
 *      InetNtopW   (ws2_32.@)
 *
 * WSAEAFNOSUPPORT; ERROR_INVALID_PARAMETER: NULL or too little room; WSAEFAULT.
 */
const WCHAR * WINAPI InetNtopW( int family, void *addr, WCHAR *str, SIZE_T size )
{
    TRACE( "family %s, addr %p, str %p, size %Iu\n", debugstr_family( family ), addr, str, size );
    return ntop( family, addr, str, size, sizeof(WCHAR) );
}

/***********************************************************************
 *      inet_ntop   (ws2_32.@)
 */
const char * WINAPI inet_ntop( int family, void *addr, char *str, SIZE_T size )
{
    TRACE( "family %s, addr %p, str %p, size %Iu\n", debugstr_family( family ), addr, str, size );
    return ntop( family, addr, str, size, 1 );
}

/* ---- WSAAddressToString, WSAStringToAddress ---- */

/* A program may name a provider; it must be one of the address's family. */
static unsigned int check_provider( const void *info, int family )
{
    int info_family;

    /* of both forms: they differ behind it only */
    if (!info) return 0;
    if (!copy_safe( &info_family, &((const WSAPROTOCOL_INFOW *)info)->iAddressFamily, sizeof(info_family) ))
        return WSAEFAULT;
    return info_family == family ? 0 : WSAEINVAL;
}

/* ADDRESS:PORT, or ADDRESS without a port; IPv6 with a port in brackets; of ours the port alone */
static unsigned int sockaddr_to_string( const void *addr, DWORD addr_len, char *str, ULONG *len, int *family )
{
    union
    {
        USHORT       family;
        SOCKADDR_IN  in;
        SOCKADDR_IN6 in6;
        SOCKADDR_TAPSTER tapster;
    } copy;

    if (!addr || addr_len < sizeof(copy.family)) return WSAEINVAL;
    if (!copy_safe( &copy, addr, min( addr_len, sizeof(copy) ) )) return WSAEFAULT;
    *family = copy.family;
    *len = MAX_ADDRESS_STRING;

    if (copy.family == AF_INET && addr_len >= sizeof(copy.in))
        RtlIpv4AddressToStringExA( &copy.in.sin_addr, copy.in.sin_port, str, len );
    else if (copy.family == AF_INET6 && addr_len >= sizeof(copy.in6))
        RtlIpv6AddressToStringExA( &copy.in6.sin6_addr, copy.in6.sin6_scope_id, copy.in6.sin6_port, str, len );
    else if (copy.family == AF_TAPSTER && addr_len >= sizeof(copy.tapster))
        *len = sprintf( str, "%lu", copy.tapster.st_port ) + 1;
    else
        return WSAEINVAL;
    return 0;
}

static unsigned int address_to_string( const void *addr, DWORD addr_len, const void *info,
                                       void *str, DWORD *str_len, unsigned int char_size )
{
    char buffer[MAX_ADDRESS_STRING];
    WCHAR wide[MAX_ADDRESS_STRING];
    unsigned int error;
    DWORD room;
    ULONG len;
    int family;

    if (!str_len) return WSAEINVAL;
    if ((error = sockaddr_to_string( addr, addr_len, buffer, &len, &family ))) return error;
    if ((error = check_provider( info, family ))) return error;

    if (!copy_safe( &room, str_len, sizeof(room) ) || !copy_safe( str_len, &len, sizeof(len) )) return WSAEFAULT;
    if (room < len) return WSAEFAULT;
    widen( wide, buffer );
    if (!copy_safe( str, char_size == 1 ? (void *)buffer : wide, len * char_size )) return WSAEFAULT;
    TRACE( "%s\n", buffer );
    return 0;
}

/***********************************************************************
 *      WSAAddressToStringA   (ws2_32.@)
 *
 * WSANOTINITIALISED; WSAEINVAL: no address, or of an unknown family; WSAEFAULT: a bad
 * pointer, or too little room: then the length needed, with the NUL, is returned.
 */
INT WINAPI WSAAddressToStringA( SOCKADDR *addr, DWORD addr_len, WSAPROTOCOL_INFOA *info,
                                char *str, DWORD *str_len )
{
    TRACE( "addr %s, info %p, str %p, str_len %p\n", debugstr_sockaddr( addr, addr_len ), info, str, str_len );

    if (!startup_check()) return return_error( WSANOTINITIALISED );
    return return_error( address_to_string( addr, addr_len, info, str, str_len, 1 ) );
}

/***********************************************************************
 *      WSAAddressToStringW   (ws2_32.@)
 */
INT WINAPI WSAAddressToStringW( SOCKADDR *addr, DWORD addr_len, WSAPROTOCOL_INFOW *info,
                                WCHAR *str, DWORD *str_len )
{
    TRACE( "addr %s, info %p, str %p, str_len %p\n", debugstr_sockaddr( addr, addr_len ), info, str, str_len );

    if (!startup_check()) return return_error( WSANOTINITIALISED );
    return return_error( address_to_string( addr, addr_len, info, str, str_len, sizeof(WCHAR) ) );
}

/* a number and nothing else */
static BOOL string_to_port( const WCHAR *str, ULONG *port )
{
    ULONGLONG value = 0;

    if (!*str) return FALSE;
    for (; *str; str++)
    {
        if (*str < '0' || *str > '9') return FALSE;
        if ((value = value * 10 + *str - '0') > 0xffffffff) return FALSE;
    }
    *port = value;
    return TRUE;
}

/* what WSAAddressToString writes, and IPv4 in all forms of inet_addr */
static BOOL string_to_sockaddr( const WCHAR *str, int family, SOCKADDR_IN6 *addr )
{
    SOCKADDR_IN *in = (SOCKADDR_IN *)addr;

    memset( addr, 0, sizeof(*addr) );
    addr->sin6_family = family;
    if (family == AF_TAPSTER) return string_to_port( str, &((SOCKADDR_TAPSTER *)addr)->st_port );
    if (family == AF_INET) return !RtlIpv4StringToAddressExW( str, FALSE, &in->sin_addr, &in->sin_port );
    return !RtlIpv6StringToAddressExW( str, &addr->sin6_addr, &addr->sin6_scope_id, &addr->sin6_port );
}

/* str is a copy */
static unsigned int string_to_address( const WCHAR *str, int family, const void *info, void *addr, INT *addr_len )
{
    INT room, needed = address_length( family );
    SOCKADDR_IN6 result;
    unsigned int error;

    if (family != AF_INET && family != AF_INET6 && family != AF_TAPSTER) return WSAEINVAL;
    if ((error = check_provider( info, family ))) return error;
    if (!copy_safe( &room, addr_len, sizeof(room) )) return WSAEFAULT;
    if (room < needed)
    {
        copy_safe( addr_len, &needed, sizeof(needed) );
        return WSAEFAULT;
    }
    if (!probe_write( addr, needed )) return WSAEFAULT;
    if (!string_to_sockaddr( str, family, &result )) return WSAEINVAL;
    if (!copy_safe( addr, &result, needed ) || !copy_safe( addr_len, &needed, sizeof(needed) )) return WSAEFAULT;

    TRACE( "%s\n", debugstr_sockaddr( &result, needed ) );
    return 0;
}

/* of copying the program's string */
static unsigned int string_error( const void *str, unsigned int error )
{
    if (!str || error == WSAENAMETOOLONG) return WSAEINVAL;
    return error;
}

/***********************************************************************
 *      WSAStringToAddressW   (ws2_32.@)
 *
 * WSANOTINITIALISED; WSAEINVAL: no address, another family; WSAEFAULT: a bad
 * pointer, or too little room: then the length needed is returned.
 */
INT WINAPI WSAStringToAddressW( WCHAR *str, INT family, WSAPROTOCOL_INFOW *info, SOCKADDR *addr, INT *addr_len )
{
    WCHAR copy[MAX_ADDRESS_STRING];
    unsigned int error;

    TRACE( "str %s, family %s, info %p, addr %p, addr_len %p\n", debugstr_w( str ), debugstr_family( family ),
           info, addr, addr_len );

    if (!startup_check()) return return_error( WSANOTINITIALISED );
    if (!(error = string_error( str, copy_wstring( copy, ARRAY_SIZE( copy ), str ) )))
        error = string_to_address( copy, family, info, addr, addr_len );
    return return_error( error );
}

/***********************************************************************
 *      WSAStringToAddressA   (ws2_32.@)
 */
INT WINAPI WSAStringToAddressA( char *str, INT family, WSAPROTOCOL_INFOA *info, SOCKADDR *addr, INT *addr_len )
{
    char copy[MAX_ADDRESS_STRING];
    WCHAR wide[MAX_ADDRESS_STRING];
    unsigned int error;

    TRACE( "str %s, family %s, info %p, addr %p, addr_len %p\n", debugstr_a( str ), debugstr_family( family ),
           info, addr, addr_len );

    if (!startup_check()) return return_error( WSANOTINITIALISED );
    if (!(error = string_error( str, copy_string( copy, sizeof(copy), str ) )))
    {
        widen( wide, copy );
        error = string_to_address( wide, family, info, addr, addr_len );
    }
    return return_error( error );
}
