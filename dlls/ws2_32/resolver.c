/*
 * Names of hosts
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

#include <stdio.h>

#include "ws2_32_private.h"
#include "ip2string.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

/* Literal addresses are understood here, names by the Unix library. In between all
 * strings are UTF-8; the A functions translate from and to the ANSI code page. */

/* of one name; what is beyond is dropped (a DNS answer has room for fewer) */
#define MAX_ADDRESSES 128

/* newer than Wine's headers */
#ifndef AI_FQDN
#define AI_FQDN 0x00020000
#endif
#ifndef AI_FILESERVER
#define AI_FILESERVER 0x00040000
#endif

#define AI_VALID_FLAGS (AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_NUMERICSERV | AI_DNS_ONLY | AI_ALL | \
                        AI_ADDRCONFIG | AI_V4MAPPED | AI_NON_AUTHORITATIVE | AI_SECURE | \
                        AI_RETURN_PREFERRED_NAMES | AI_FQDN | AI_FILESERVER | AI_DISABLE_IDN_ENCODING)

/* what a name has been resolved to */
struct lookup
{
    struct address addrs[MAX_ADDRESSES];
    unsigned int   count;
    BOOL           numeric;             /* the name was an address */
    char           canon[UNIX_MAX_NAME];
};

/* ---- strings ---- */

static BOOL is_ascii( const char *str )
{
    while (*str > 0) str++;
    return !*str;
}

static unsigned int utf8_from_wide( const WCHAR *src, char *dst, int size )
{
    if (WideCharToMultiByte( CP_UTF8, 0, src, -1, dst, size, NULL, NULL )) return 0;
    return WSAENAMETOOLONG;
}

/* in place */
static unsigned int utf8_from_ansi( char *str, int size )
{
    WCHAR wide[UNIX_MAX_NAME];

    if (is_ascii( str )) return 0;
    if (!MultiByteToWideChar( CP_ACP, 0, str, -1, wide, ARRAY_SIZE( wide ) )) return WSAENAMETOOLONG;
    return utf8_from_wide( wide, str, size );
}

/* A UTF-8 string as the program wants it, W or A: its size in characters with the NUL,
 * 0 if it does not fit. dst may be NULL to ask for the size. */
static unsigned int utf8_to_program( const char *src, void *dst, unsigned int size, BOOL wide )
{
    WCHAR buffer[UNIX_MAX_NAME];

    if (wide) return MultiByteToWideChar( CP_UTF8, 0, src, -1, dst, dst ? size : 0 );
    if (!MultiByteToWideChar( CP_UTF8, 0, src, -1, buffer, ARRAY_SIZE( buffer ) )) return 0;
    return WideCharToMultiByte( CP_ACP, 0, buffer, -1, dst, dst ? size : 0, NULL, NULL );
}

/* Copies a program's name and makes it UTF-8. *str is what to use: NULL stays NULL. */
static unsigned int copy_name_a( const char **str, char buffer[UNIX_MAX_NAME] )
{
    unsigned int error;

    if (!*str) return 0;
    if ((error = copy_string( buffer, UNIX_MAX_NAME, *str ))) return error;
    *str = buffer;
    return utf8_from_ansi( buffer, UNIX_MAX_NAME );
}

static unsigned int copy_name_w( const WCHAR *src, const char **str, char buffer[UNIX_MAX_NAME] )
{
    WCHAR wide[UNIX_MAX_NAME];
    unsigned int error;

    *str = NULL;
    if (!src) return 0;
    if ((error = copy_wstring( wide, ARRAY_SIZE( wide ), src ))) return error;
    *str = buffer;
    return utf8_from_wide( wide, buffer, UNIX_MAX_NAME );
}

/* a name that is too long is no host's */
static unsigned int name_error( unsigned int error )
{
    return error == WSAENAMETOOLONG ? WSAHOST_NOT_FOUND : error;
}

/* ---- resolving ---- */

static BOOL parse_ipv4( const char *name, IN_ADDR *addr )
{
    const char *end;

    return !RtlIpv4StringToAddressA( name, FALSE, &end, addr ) && !*end;
}

/* A scope id is understood, and so are brackets; a port behind them is not used. */
static BOOL parse_literal( const char *name, struct address *addr )
{
    SOCKADDR_IN *in = (SOCKADDR_IN *)addr->data;
    SOCKADDR_IN6 *in6 = (SOCKADDR_IN6 *)addr->data;

    memset( addr, 0, sizeof(*addr) );
    if (parse_ipv4( name, &in->sin_addr ))
    {
        in->sin_family = AF_INET;
        addr->len = sizeof(*in);
        return TRUE;
    }
    if (!RtlIpv6StringToAddressExA( name, &in6->sin6_addr, &in6->sin6_scope_id, &in6->sin6_port ))
    {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = 0;
        addr->len = sizeof(*in6);
        return TRUE;
    }
    return FALSE;
}

static int address_family( const struct address *addr )
{
    return *(const USHORT *)addr->data;
}

static void map_ipv4( struct address *addr )
{
    SOCKADDR_IN in = *(SOCKADDR_IN *)addr->data;
    SOCKADDR_IN6 *in6 = (SOCKADDR_IN6 *)addr->data;

    memset( in6, 0, sizeof(*in6) );
    in6->sin6_family = AF_INET6;
    memset( &in6->sin6_addr.s6_addr[10], 0xff, 2 );
    memcpy( &in6->sin6_addr.s6_addr[12], &in.sin_addr, 4 );
    addr->len = sizeof(*in6);
}

/* the address itself is the canonical name of a literal one */
static unsigned int resolve_literal( int family, unsigned int flags, struct lookup *lookup )
{
    struct address *addr = &lookup->addrs[0];
    SOCKADDR_IN6 *in6 = (SOCKADDR_IN6 *)addr->data;
    ULONG len = sizeof(lookup->canon);

    if (address_family( addr ) == AF_INET)
        RtlIpv4AddressToStringA( &((SOCKADDR_IN *)addr->data)->sin_addr, lookup->canon );
    else
        RtlIpv6AddressToStringExA( &in6->sin6_addr, in6->sin6_scope_id, 0, lookup->canon, &len );

    if (family == AF_INET6 && address_family( addr ) == AF_INET && (flags & AI_V4MAPPED)) map_ipv4( addr );
    if (family != AF_UNSPEC && family != address_family( addr )) return WSAHOST_NOT_FOUND;
    lookup->numeric = TRUE;
    lookup->count = 1;
    return 0;
}

static unsigned int resolve( const char *node, int family, unsigned int flags, struct lookup *lookup )
{
    struct getaddrinfo_params params = { .name = node, .family = family, .flags = flags, .addrs = lookup->addrs,
                                         .max = MAX_ADDRESSES, .canon = lookup->canon };
    unsigned int error;

    lookup->numeric = FALSE;
    if (node)
    {
        if (parse_literal( node, &lookup->addrs[0] )) return resolve_literal( family, flags, lookup );
        if (flags & AI_NUMERICHOST) return WSAHOST_NOT_FOUND;
        /* documented: all registered addresses of the computer, as "" */
        if (!_stricmp( node, "..localmachine" )) params.name = "";
    }
    if ((error = UNIX_CALL( getaddrinfo, &params ))) return error;
    lookup->count = params.count;
    return lookup->count ? 0 : WSANO_DATA;
}

/* FALSE: not a decimal number */
static BOOL parse_port( const char *service, unsigned int *port )
{
    const char *p = service;

    for (*port = 0; *p >= '0' && *p <= '9'; p++)
    {
        *port = *port * 10 + *p - '0';
        if (*port > 0xffff) *port = 0x10000;    /* and stays there */
    }
    return p > service && !*p;
}

static unsigned int resolve_service( const char *service, const struct addrinfo *hints, USHORT *port )
{
    unsigned int number;

    *port = 0;
    if (!service || !*service) return 0;
    if (parse_port( service, &number ))
    {
        if (number > 0xffff) return WSATYPE_NOT_FOUND;
        *port = RtlUshortByteSwap( number );
        return 0;
    }
    if (hints->ai_flags & AI_NUMERICSERV) return WSAHOST_NOT_FOUND;
    if (hints->ai_socktype == SOCK_RAW) return WSATYPE_NOT_FOUND;

    if (hints->ai_socktype != SOCK_DGRAM && hints->ai_protocol != IPPROTO_UDP &&
        !netdb_port( service, "tcp", port )) return 0;
    if (hints->ai_socktype != SOCK_STREAM && hints->ai_protocol != IPPROTO_TCP &&
        !netdb_port( service, "udp", port )) return 0;
    return WSATYPE_NOT_FOUND;
}

/* ---- lists of addresses ---- */

/* one allocation an entry, but for the canonical name: a program may cut the list in pieces */
struct addrinfo_node
{
    struct addrinfo ai;
    SOCKADDR_IN6    addr;
};

static void free_list( struct addrinfo *ai )
{
    struct addrinfo *next;

    for ( ; ai; ai = next)
    {
        next = ai->ai_next;
        HeapFree( GetProcessHeap(), 0, ai->ai_canonname );
        HeapFree( GetProcessHeap(), 0, ai );
    }
}

static struct addrinfo *make_node( const struct lookup *lookup, unsigned int index,
                                   const struct addrinfo *hints, USHORT port )
{
    const struct address *addr = &lookup->addrs[index];
    struct addrinfo_node *node;

    if (!(node = HeapAlloc( GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*node) ))) return NULL;
    memcpy( &node->addr, addr->data, addr->len );
    node->addr.sin6_port = port;        /* at the same place in both families */
    if (lookup->numeric) node->ai.ai_flags = AI_NUMERICHOST;
    node->ai.ai_family = node->addr.sin6_family;
    node->ai.ai_socktype = hints->ai_socktype;
    node->ai.ai_protocol = hints->ai_protocol;
    node->ai.ai_addrlen = addr->len;
    node->ai.ai_addr = (struct sockaddr *)&node->addr;
    return &node->ai;
}

/* a string of the heap, W or A */
static void *make_canonname( const char *canon, BOOL wide )
{
    unsigned int size = utf8_to_program( canon, NULL, 0, wide );
    void *ret = HeapAlloc( GetProcessHeap(), 0, size * (wide ? sizeof(WCHAR) : 1) );

    if (ret) utf8_to_program( canon, ret, size, wide );
    return ret;
}

/* an entry for each address, whatever the hints leave open, as Windows has it */
static unsigned int make_list( const struct lookup *lookup, const struct addrinfo *hints, USHORT port,
                               BOOL wide, struct addrinfo **list )
{
    struct addrinfo **next = list;
    unsigned int i;

    for (i = 0; i < lookup->count; i++)
    {
        if (!(*next = make_node( lookup, i, hints, port ))) goto no_memory;
        next = &(*next)->ai_next;
    }
    if (*list && (hints->ai_flags & (AI_CANONNAME | AI_FQDN)))
    {
        if (!((*list)->ai_canonname = make_canonname( lookup->canon, wide ))) goto no_memory;
        (*list)->ai_flags |= AI_CANONNAME;
    }
    return 0;

no_memory:
    free_list( *list );
    *list = NULL;
    return WSA_NOT_ENOUGH_MEMORY;
}

/* Of the hints only flags, family, type and protocol may be set (Microsoft's documentation). */
static unsigned int check_hints( const char *node, const struct addrinfo *hints )
{
    if (hints->ai_addrlen || hints->ai_canonname || hints->ai_addr || hints->ai_next) return WSANO_RECOVERY;
    if (hints->ai_flags & ~AI_VALID_FLAGS) return WSAEINVAL;
    if ((hints->ai_flags & AI_CANONNAME) && (!node || (hints->ai_flags & AI_FQDN))) return WSAEINVAL;
    if (hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET && hints->ai_family != AF_INET6)
        return WSAEAFNOSUPPORT;
    switch (hints->ai_socktype)
    {
    case 0:
    case SOCK_STREAM:
    case SOCK_DGRAM:
    case SOCK_RAW:
        return 0;
    default:
        return WSAESOCKTNOSUPPORT;
    }
}

/* node and service are copies in UTF-8; program_hints and result are the program's.
 * The hints of both forms have the same layout. */
static unsigned int get_addrinfo( const char *node, const char *service, const void *program_hints,
                                  BOOL wide, struct addrinfo **list )
{
    struct addrinfo hints = { 0 };
    struct lookup lookup;
    unsigned int error;
    USHORT port;

    if (!node && !service) return WSAHOST_NOT_FOUND;
    if (program_hints && !copy_safe( &hints, program_hints, sizeof(hints) )) return WSAEFAULT;
    if ((error = check_hints( node, &hints ))) return error;
    if ((error = resolve_service( service, &hints, &port ))) return error;
    if ((error = resolve( node, hints.ai_family, hints.ai_flags, &lookup ))) return error;
    return make_list( &lookup, &hints, port, wide, list );
}

/* gives the list to the program; error is what there was before */
static unsigned int give_list( unsigned int error, struct addrinfo *list, void *result )
{
    struct addrinfo *ai;

    if (!error && !copy_safe( result, &list, sizeof(list) )) error = WSAEFAULT;
    if (error) free_list( list );
    else for (ai = list; ai; ai = ai->ai_next)
        TRACE( "    %s, %s, %s\n", debugstr_sockaddr( ai->ai_addr, ai->ai_addrlen ),
               debugstr_type( ai->ai_socktype ), debugstr_protocol( ai->ai_protocol ) );
    SetLastError( error );
    return error;
}

static const char *debugstr_hints( const void *program_hints )
{
    struct addrinfo hints;

    if (!program_hints) return "(null)";
    if (!copy_safe( &hints, program_hints, sizeof(hints) )) return wine_dbg_sprintf( "%p (invalid)", program_hints );
    return wine_dbg_sprintf( "{ flags %#x, %s, %s, %s }", hints.ai_flags, debugstr_family( hints.ai_family ),
                             debugstr_type( hints.ai_socktype ), debugstr_protocol( hints.ai_protocol ) );
}

/* what is common at the start of both: the program sees NULL when it fails */
static unsigned int clear_result( void *result, void *caller )
{
    void *none = NULL;

    if (!startup_check_caller( caller )) return WSANOTINITIALISED;
    return copy_safe( result, &none, sizeof(none) ) ? 0 : WSAEFAULT;
}

/***********************************************************************
 *      getaddrinfo   (ws2_32.@)
 *
 * Returns and sets WSANOTINITIALISED, WSAEFAULT, WSAEINVAL (flags), WSAEAFNOSUPPORT,
 * WSAESOCKTNOSUPPORT, WSATYPE_NOT_FOUND (service), WSAHOST_NOT_FOUND, WSANO_DATA,
 * WSATRY_AGAIN, WSANO_RECOVERY (the resolver, or other hints than are allowed),
 * WSA_NOT_ENOUGH_MEMORY.
 */
int WINAPI getaddrinfo( const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result )
{
    char node_copy[UNIX_MAX_NAME], service_copy[UNIX_MAX_NAME];
    struct addrinfo *list = NULL;
    unsigned int error;

    TRACE( "node %s, service %s, hints %s, result %p\n", debugstr_a( node ), debugstr_a( service ),
           debugstr_hints( hints ), result );

    if (!(error = clear_result( result, __builtin_return_address( 0 ) )) &&
        !(error = name_error( copy_name_a( &node, node_copy ) )) &&
        !(error = name_error( copy_name_a( &service, service_copy ) )))
        error = get_addrinfo( node, service, hints, FALSE, &list );
    error = give_list( error, list, result );
    return return_code( error );
}

/***********************************************************************
 *      GetAddrInfoW   (ws2_32.@)
 */
int WINAPI GetAddrInfoW( const WCHAR *node, const WCHAR *service, const ADDRINFOW *hints, ADDRINFOW **result )
{
    char node_copy[UNIX_MAX_NAME], service_copy[UNIX_MAX_NAME];
    const char *node_utf8, *service_utf8;
    struct addrinfo *list = NULL;
    unsigned int error;

    TRACE( "node %s, service %s, hints %s, result %p\n", debugstr_w( node ), debugstr_w( service ),
           debugstr_hints( hints ), result );

    if (!(error = clear_result( result, __builtin_return_address( 0 ) )) &&
        !(error = name_error( copy_name_w( node, &node_utf8, node_copy ) )) &&
        !(error = name_error( copy_name_w( service, &service_utf8, service_copy ) )))
        error = get_addrinfo( node_utf8, service_utf8, hints, TRUE, &list );
    error = give_list( error, list, result );
    return return_code( error );
}

/***********************************************************************
 *      freeaddrinfo   (ws2_32.@)
 */
void WINAPI freeaddrinfo( struct addrinfo *list )
{
    TRACE( "list %p\n", list );
    free_list( list );
}

/***********************************************************************
 *      FreeAddrInfoW   (ws2_32.@)
 */
void WINAPI FreeAddrInfoW( ADDRINFOW *list )
{
    TRACE( "list %p\n", list );
    free_list( (struct addrinfo *)list );
}

/* ---- from addresses to names ---- */

/* the address of the program, checked: 0, WSAEFAULT, WSAEAFNOSUPPORT */
static unsigned int copy_sockaddr( const void *addr, int len, SOCKADDR_IN6 *copy )
{
    memset( copy, 0, sizeof(*copy) );
    if (!addr || len < (int)sizeof(USHORT)) return WSAEFAULT;
    if (!copy_safe( copy, addr, min( len, (int)sizeof(*copy) ) )) return WSAEFAULT;
    if (copy->sin6_family != AF_INET && copy->sin6_family != AF_INET6) return WSAEAFNOSUPPORT;
    return len < address_length( copy->sin6_family ) ? WSAEFAULT : 0;
}

static void numeric_host( const SOCKADDR_IN6 *addr, char *host, ULONG size )
{
    if (addr->sin6_family == AF_INET)
        RtlIpv4AddressToStringA( &((const SOCKADDR_IN *)addr)->sin_addr, host );
    else
        RtlIpv6AddressToStringExA( &addr->sin6_addr, addr->sin6_scope_id, 0, host, &size );
}

/* Without a name the address is given in figures, unless a name is required. */
static unsigned int lookup_host( const SOCKADDR_IN6 *addr, int flags, char host[UNIX_MAX_NAME] )
{
    struct getnameinfo_params params = { .addr = addr, .name = host, .short_name = (flags & NI_NOFQDN) != 0 };
    unsigned int error;

    if (!(flags & NI_NUMERICHOST))
    {
        params.len = address_length( addr->sin6_family );
        if (!(error = UNIX_CALL( getnameinfo, &params ))) return 0;
        if (flags & NI_NAMEREQD) return error == WSANO_DATA ? WSAHOST_NOT_FOUND : error;
    }
    numeric_host( addr, host, UNIX_MAX_NAME );
    return 0;
}

static void lookup_port( USHORT port, int flags, char *service, unsigned int size )
{
    if (!(flags & NI_NUMERICSERV) && port &&
        !netdb_service( port, (flags & NI_DGRAM) ? "udp" : "tcp", service, size )) return;
    snprintf( service, size, "%u", RtlUshortByteSwap( port ) );
}

/* into the program's buffer */
static unsigned int return_string( const char *str, void *buffer, DWORD size, BOOL wide )
{
    WCHAR converted[UNIX_MAX_NAME];
    unsigned int len;

    if (!(len = utf8_to_program( str, converted, ARRAY_SIZE( converted ), wide ))) return WSANO_RECOVERY;
    if (len > size) return ERROR_INSUFFICIENT_BUFFER;
    return copy_safe( buffer, converted, len * (wide ? sizeof(WCHAR) : 1) ) ? 0 : WSAEFAULT;
}

static unsigned int get_nameinfo( const void *program_addr, int len, void *host, DWORD host_size,
                                  void *service, DWORD service_size, int flags, BOOL wide, void *caller )
{
    char buffer[UNIX_MAX_NAME];
    SOCKADDR_IN6 addr;
    unsigned int error;

    if (!startup_check_caller( caller )) return WSANOTINITIALISED;
    if ((error = copy_sockaddr( program_addr, len, &addr ))) return error;
    if (!host && !service) return WSAHOST_NOT_FOUND;
    if ((host && !host_size) || (service && !service_size)) return WSAEINVAL;   /* asked for, without room */
    if ((flags & NI_NUMERICHOST) && (flags & NI_NAMEREQD)) return WSAEINVAL;

    if (service)
    {
        lookup_port( addr.sin6_port, flags, buffer, sizeof(buffer) );
        if ((error = return_string( buffer, service, service_size, wide ))) return error;
        TRACE( "service %s\n", debugstr_a( buffer ) );
    }
    if (host)
    {
        if ((error = lookup_host( &addr, flags, buffer ))) return error;
        if ((error = return_string( buffer, host, host_size, wide ))) return error;
        TRACE( "host %s\n", debugstr_a( buffer ) );
    }
    return 0;
}

/***********************************************************************
 *      getnameinfo   (ws2_32.@)
 *
 * Returns and sets WSANOTINITIALISED, WSAEFAULT (no address, too short), WSAEAFNOSUPPORT,
 * WSAEINVAL (flags, no room at all), WSAHOST_NOT_FOUND (no name and NI_NAMEREQD, or nothing
 * asked for), ERROR_INSUFFICIENT_BUFFER, WSATRY_AGAIN, WSANO_RECOVERY.
 */
int WINAPI getnameinfo( const SOCKADDR *addr, socklen_t len, char *host, DWORD host_size,
                        char *service, DWORD service_size, int flags )
{
    unsigned int error;

    TRACE( "addr %s, host %p, host_size %u, service %p, service_size %u, flags %#x\n",
           debugstr_sockaddr( addr, len ), host, (unsigned int)host_size,
           service, (unsigned int)service_size, flags );

    error = get_nameinfo( addr, len, host, host_size, service, service_size, flags, FALSE, __builtin_return_address( 0 ) );
    SetLastError( error );
    return return_code( error );
}

/***********************************************************************
 *      GetNameInfoW   (ws2_32.@)
 */
int WINAPI GetNameInfoW( const SOCKADDR *addr, socklen_t len, WCHAR *host, DWORD host_size,
                         WCHAR *service, DWORD service_size, int flags )
{
    unsigned int error;

    TRACE( "addr %s, host %p, host_size %u, service %p, service_size %u, flags %#x\n",
           debugstr_sockaddr( addr, len ), host, (unsigned int)host_size,
           service, (unsigned int)service_size, flags );

    error = get_nameinfo( addr, len, host, host_size, service, service_size, flags, TRUE, __builtin_return_address( 0 ) );
    SetLastError( error );
    return return_code( error );
}

/* ---- hostents ---- */

/* what a hostent is made of */
struct host
{
    char                strings_buffer[4096];
    struct unix_strings strings;
    unsigned char       addrs[MAX_ADDRESSES * sizeof(IN6_ADDR)];
    unsigned int        count;
    unsigned int        addr_len;
    int                 family;
};

static unsigned int lookup_gethost( struct gethost_params *params, struct host *host )
{
    unsigned int error;

    params->addrs = host->addrs;
    params->max = MAX_ADDRESSES;
    params->strings.buffer = host->strings_buffer;
    params->strings.size = sizeof(host->strings_buffer);
    if ((error = UNIX_CALL( gethost, params ))) return error;

    host->strings = params->strings;
    host->count = params->count;
    host->addr_len = params->addr_len;
    host->family = params->family;
    return 0;
}

/* an address in figures is its own name */
static void literal_host( const char *name, const IN_ADDR *addr, struct host *host )
{
    lstrcpynA( host->strings_buffer, name, sizeof(host->strings_buffer) );
    host->strings.used = strlen( host->strings_buffer ) + 1;
    host->strings.count = 1;
    memcpy( host->addrs, addr, sizeof(*addr) );
    host->count = 1;
    host->addr_len = sizeof(*addr);
    host->family = AF_INET;
}

/* all in the thread's buffer: the hostent, the two lists, the addresses, the strings */
static struct hostent *make_hostent( const struct host *host )
{
    unsigned int lists = sizeof(struct hostent) + (host->strings.count + 1 + host->count + 1) * sizeof(char *);
    unsigned int i, addrs_size = host->count * host->addr_len;
    struct thread_data *thread;
    struct hostent *ent = NULL;
    char **names, **addrs;

    if ((thread = thread_get()))
        ent = netdb_thread_buffer( &thread->hostent, &thread->hostent_size, lists + addrs_size + host->strings.used );
    if (!ent) return return_null( WSAENOBUFS );

    addrs = (char **)(ent + 1);
    for (i = 0; i < host->count; i++) addrs[i] = (char *)ent + lists + i * host->addr_len;
    addrs[i] = NULL;
    memcpy( (char *)ent + lists, host->addrs, addrs_size );

    names = addrs + host->count + 1;
    memcpy( (char *)ent + lists + addrs_size, host->strings_buffer, host->strings.used );
    netdb_split( (char *)ent + lists + addrs_size, host->strings.count, names );

    ent->h_name = names[0];
    ent->h_aliases = names + 1;
    ent->h_addrtype = host->family;
    ent->h_length = host->addr_len;
    ent->h_addr_list = addrs;
    return ent;
}

static struct hostent *return_hostent( unsigned int error, const struct host *host )
{
    struct hostent *ent;

    if (error) return return_null( error );
    if ((ent = make_hostent( host )))
        TRACE( "-> %s with %u addresses\n", debugstr_a( ent->h_name ), host->count );
    return ent;
}

/***********************************************************************
 *      gethostbyname   (ws2_32.52)
 *
 * WSANOTINITIALISED, WSAEFAULT, WSAHOST_NOT_FOUND, WSANO_DATA, WSATRY_AGAIN,
 * WSANO_RECOVERY. IPv4 only. NULL and "" are this computer. The result is the
 * thread's, until its next gethostbyX.
 */
struct hostent * WINAPI gethostbyname( const char *name )
{
    struct gethost_params params = { .family = AF_INET };
    char copy[UNIX_MAX_NAME] = "";
    unsigned int error;
    struct host host;
    IN_ADDR addr;

    TRACE( "%s\n", debugstr_a( name ) );

    if (!startup_check_caller( __builtin_return_address( 0 ) )) return return_null( WSANOTINITIALISED );
    if (!(error = name_error( copy_name_a( &name, copy ) )))
    {
        params.name = copy;
        if (parse_ipv4( copy, &addr )) literal_host( copy, &addr, &host );
        else error = lookup_gethost( &params, &host );
    }
    return return_hostent( error, &host );
}

/***********************************************************************
 *      gethostbyaddr   (ws2_32.51)
 *
 * WSANOTINITIALISED, WSAEFAULT (bad pointer, too short), WSAEAFNOSUPPORT, WSANO_DATA (the
 * address has no name), WSATRY_AGAIN, WSANO_RECOVERY.
 */
struct hostent * WINAPI gethostbyaddr( const char *addr, int len, int family )
{
    struct gethost_params params = { .family = family };
    unsigned int error = 0;
    struct host host;
    IN6_ADDR copy;

    TRACE( "addr %p, len %d, family %s\n", addr, len, debugstr_family( family ) );

    if (!startup_check_caller( __builtin_return_address( 0 ) )) return return_null( WSANOTINITIALISED );
    params.addr = &copy;
    params.addr_len = family == AF_INET ? sizeof(IN_ADDR) : sizeof(IN6_ADDR);
    if (family != AF_INET && family != AF_INET6) error = WSAEAFNOSUPPORT;
    else if (len < params.addr_len || !copy_safe( &copy, addr, params.addr_len )) error = WSAEFAULT;
    else error = lookup_gethost( &params, &host );

    return return_hostent( error == WSAHOST_NOT_FOUND ? WSANO_DATA : error, &host );
}

/* ---- this computer's name ---- */

/* It must always be there, documented as "a token host name" if need be. */
static void get_own_name( char name[256] )
{
    struct gethostname_params params = { .name = name, .size = 256 };
    WCHAR wide[256];
    DWORD len = ARRAY_SIZE( wide );

    if (startup_load() && !UNIX_CALL( gethostname, &params )) return;
    if (GetComputerNameExW( ComputerNamePhysicalDnsHostname, wide, &len ) && !utf8_from_wide( wide, name, 256 )) return;
    strcpy( name, "localhost" );
}

static unsigned int get_hostname( void *name, int size, BOOL wide, void *caller )
{
    char buffer[256];

    if (!startup_check_caller( caller )) return WSANOTINITIALISED;
    if (!name || size <= 0) return WSAEFAULT;
    get_own_name( buffer );
    TRACE( "own name %s\n", debugstr_a( buffer ) );
    return return_string( buffer, name, size, wide ) ? WSAEFAULT : 0;
}

/***********************************************************************
 *      gethostname   (ws2_32.57)
 *
 * WSANOTINITIALISED; WSAEFAULT: a bad pointer, or too little room.
 */
int WINAPI gethostname( char *name, int size )
{
    TRACE( "name %p, size %d\n", name, size );
    return return_error( get_hostname( name, size, FALSE, __builtin_return_address( 0 ) ) );
}

/***********************************************************************
 *      GetHostNameW   (ws2_32.@)
 */
int WINAPI GetHostNameW( WCHAR *name, int size )
{
    TRACE( "name %p, size %d\n", name, size );
    return return_error( get_hostname( name, size, TRUE, __builtin_return_address( 0 ) ) );
}
