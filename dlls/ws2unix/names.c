/*
 * Names of hosts, services and protocols, from the system's resolver and databases
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

#include "ws2unix_private.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>

/* room for what the *_r functions return; they say ERANGE when it is not enough */
#define ENTRY_SIZE     8192
#define ENTRY_SIZE_MAX (1024 * 1024)

static unsigned int error_from_eai( int err )
{
    switch (err)
    {
    case 0:              return 0;
    case EAI_AGAIN:      return WSATRY_AGAIN;
    case EAI_BADFLAGS:   return WSAEINVAL;
    case EAI_FAMILY:     return WSAEAFNOSUPPORT;
    case EAI_MEMORY:     return WSA_NOT_ENOUGH_MEMORY;
    case EAI_NONAME:     return WSAHOST_NOT_FOUND;
    case EAI_NODATA:
    case EAI_ADDRFAMILY: return WSANO_DATA;
    default:             return WSANO_RECOVERY;
    }
}

static unsigned int error_from_h_errno( int err )
{
    switch (err)
    {
    case HOST_NOT_FOUND: return WSAHOST_NOT_FOUND;
    case TRY_AGAIN:      return WSATRY_AGAIN;
    case NO_DATA:        return WSANO_DATA;
    default:             return WSANO_RECOVERY;
    }
}

/* ---- this computer ---- */

/* FALSE in a system without IPv6, where an IPv6 address would only mislead */
static int have_ipv6(void)
{
    struct sockaddr_in6 addr = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int ret, fd = socket( AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0 );

    if (fd == -1) return 0;
    ret = !bind( fd, (struct sockaddr *)&addr, sizeof(addr) );
    close( fd );
    return ret;
}

/* The name may have a domain on Linux; on Windows it never has. */
static void get_own_name( char name[256], int with_domain )
{
    if (gethostname( name, 256 )) strcpy( name, "localhost" );
    name[255] = 0;
    if (!with_domain) name[strcspn( name, "." )] = 0;
    if (!name[0]) strcpy( name, "localhost" );
}

static int is_own_name( const char *name )
{
    char own[256];

    get_own_name( own, 0 );
    if (!strcasecmp( name, own )) return 1;
    get_own_name( own, 1 );
    return !strcasecmp( name, own );
}

static void add_address( struct getaddrinfo_params *params, const struct sockaddr *addr )
{
    struct address *dst = &params->addrs[params->count];
    struct sockaddr_storage storage;
    socklen_t len;

    if (params->count == params->max) return;
    len = addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    memcpy( &storage, addr, len );
    dst->len = sockaddr_from_unix( &storage, len, dst->data, sizeof(dst->data) );
    if (dst->len) params->count++;
}

static void add_in_addr( struct getaddrinfo_params *params, in_addr_t ip )
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl( ip ) };

    if (params->family != WS_AF_INET6) add_address( params, (struct sockaddr *)&in );
}

static void add_in6_addr( struct getaddrinfo_params *params, const struct in6_addr *ip )
{
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = *ip };

    if (params->family == WS_AF_INET) return;
    if (params->family == WS_AF_INET6 || have_ipv6()) add_address( params, (struct sockaddr *)&in6 );
}

/* IPv6 first, as Windows has it */
static void add_loopback( struct getaddrinfo_params *params )
{
    add_in6_addr( params, &in6addr_loopback );
    add_in_addr( params, INADDR_LOOPBACK );
}

static void add_any( struct getaddrinfo_params *params )
{
    add_in6_addr( params, &in6addr_any );
    add_in_addr( params, INADDR_ANY );
}

/* The address that packets to the world would have, or 0. Nothing is sent. A
 * program that asks for the computer's addresses commonly takes the first. */
static in_addr_t preferred_address(void)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons( 9 ) };
    socklen_t len = sizeof(addr);
    int ret, fd = socket( AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0 );

    if (fd == -1) return 0;
    addr.sin_addr.s_addr = htonl( 0x08080808 );
    ret = connect( fd, (struct sockaddr *)&addr, sizeof(addr) ) ||
          getsockname( fd, (struct sockaddr *)&addr, &len );
    close( fd );
    return ret ? 0 : addr.sin_addr.s_addr;
}

/* one pass over the interfaces: IPv6; the preferred IPv4 address; the other ones */
enum own_pass { OWN_IPV6, OWN_PREFERRED, OWN_OTHERS, OWN_PASSES };

static int is_in_pass( const struct ifaddrs *ifa, enum own_pass pass, in_addr_t preferred )
{
    if (!ifa->ifa_addr || !(ifa->ifa_flags & IFF_UP) || (ifa->ifa_flags & IFF_LOOPBACK)) return 0;
    if (pass == OWN_IPV6) return ifa->ifa_addr->sa_family == AF_INET6;
    if (ifa->ifa_addr->sa_family != AF_INET) return 0;
    return (((struct sockaddr_in *)ifa->ifa_addr)->sin_addr.s_addr == preferred) == (pass == OWN_PREFERRED);
}

/* What the interfaces have, not what /etc/hosts says (127.0.1.1 on Debian): a
 * program shows it to others. Without an interface it is the loopback address. */
static void add_own( struct getaddrinfo_params *params )
{
    in_addr_t preferred = preferred_address();
    struct ifaddrs *list, *ifa;
    int pass;

    if (!getifaddrs( &list ))
    {
        for (pass = 0; pass < OWN_PASSES; pass++)
        {
            for (ifa = list; ifa; ifa = ifa->ifa_next)
            {
                if (!is_in_pass( ifa, pass, preferred )) continue;
                if (params->family == (pass == OWN_IPV6 ? WS_AF_INET : WS_AF_INET6)) continue;
                add_address( params, ifa->ifa_addr );
            }
        }
        freeifaddrs( list );
    }
    if (!params->count) add_loopback( params );
}

/* ---- the functions of the table ---- */

NTSTATUS names_gethostname( void *args )
{
    struct gethostname_params *params = args;
    char name[256];

    get_own_name( name, 0 );
    if (strlen( name ) >= params->size) return WSAEFAULT;
    strcpy( params->name, name );
    return 0;
}

static int flags_to_unix( unsigned int flags )
{
    int ret = AI_CANONNAME;

    if (flags & WS_AI_ADDRCONFIG) ret |= AI_ADDRCONFIG;
    if (flags & WS_AI_V4MAPPED) ret |= AI_V4MAPPED;
    if (flags & WS_AI_ALL) ret |= AI_ALL;
    return ret;
}

static unsigned int add_resolved( struct getaddrinfo_params *params )
{
    /* one type, so that each address comes once */
    struct addrinfo *list, *ai, hints = { .ai_socktype = SOCK_STREAM };
    int err;

    hints.ai_family = family_to_unix( params->family );
    hints.ai_flags = flags_to_unix( params->flags );
    if ((err = getaddrinfo( params->name, NULL, &hints, &list ))) return error_from_eai( err );

    if (list->ai_canonname && strlen( list->ai_canonname ) < UNIX_MAX_NAME)
        strcpy( params->canon, list->ai_canonname );
    for (ai = list; ai; ai = ai->ai_next)
        if (ai->ai_family == AF_INET || ai->ai_family == AF_INET6) add_address( params, ai->ai_addr );
    freeaddrinfo( list );
    return params->count ? 0 : WSANO_DATA;
}

/* localhost and the own name need no resolver and have the same addresses
 * whatever it is set up to say */
NTSTATUS names_getaddrinfo( void *args )
{
    struct getaddrinfo_params *params = args;

    params->count = 0;
    params->canon[0] = 0;
    if (!params->name)
    {
        if (params->flags & WS_AI_PASSIVE) add_any( params );
        else add_loopback( params );
        return 0;
    }
    if (!params->name[0] || is_own_name( params->name ))
    {
        get_own_name( params->canon, params->name[0] != 0 );
        add_own( params );
        return 0;
    }
    if (!strcasecmp( params->name, "localhost" ))
    {
        strcpy( params->canon, "localhost" );
        add_loopback( params );
        return 0;
    }
    if (strlen( params->name ) >= UNIX_MAX_NAME) return WSAHOST_NOT_FOUND;
    strcpy( params->canon, params->name );
    return add_resolved( params );
}

NTSTATUS names_getnameinfo( void *args )
{
    struct getnameinfo_params *params = args;
    struct sockaddr_storage addr;
    socklen_t len = sockaddr_to_unix( params->addr, params->len, &addr );

    if (!len) return WSAEAFNOSUPPORT;
    return error_from_eai( getnameinfo( (struct sockaddr *)&addr, len, params->name, UNIX_MAX_NAME, NULL, 0,
                                        NI_NAMEREQD | (params->short_name ? NI_NOFQDN : 0) ) );
}

static void add_string( struct unix_strings *strings, const char *str )
{
    size_t len = strlen( str ) + 1;

    if (len > strings->size - strings->used) return;
    memcpy( strings->buffer + strings->used, str, len );
    strings->used += len;
    strings->count++;
}

static void add_strings( struct unix_strings *strings, char **list )
{
    while (*list) add_string( strings, *list++ );
}

/* this computer and localhost, as in names_getaddrinfo; FALSE: another */
static int gethost_local( struct gethost_params *params )
{
    struct address addrs[32];
    struct getaddrinfo_params local = { .family = WS_AF_INET, .addrs = addrs, .max = 32 };
    char own[256];

    if (!params->name[0] || is_own_name( params->name ))
    {
        get_own_name( own, 0 );
        add_own( &local );
        add_string( &params->strings, own );
    }
    else if (!strcasecmp( params->name, "localhost" ))
    {
        add_loopback( &local );
        add_string( &params->strings, "localhost" );
    }
    else return 0;

    while (params->count < local.count && params->count < params->max)
    {
        struct WS_sockaddr_in *in = (struct WS_sockaddr_in *)addrs[params->count].data;
        memcpy( params->addrs + 4 * params->count, &in->sin_addr, 4 );
        params->count++;
    }
    params->addr_len = 4;
    return 1;
}

static void gethost_fill( struct gethost_params *params, const struct hostent *host )
{
    int i;

    add_string( &params->strings, host->h_name );
    add_strings( &params->strings, host->h_aliases );
    for (i = 0; host->h_addr_list[i] && params->count < params->max; i++)
        memcpy( params->addrs + host->h_length * params->count++, host->h_addr_list[i], host->h_length );
    params->addr_len = host->h_length;
}

static unsigned int gethost_resolve( struct gethost_params *params, char *buffer, size_t size, int *again )
{
    struct hostent host, *result = NULL;
    int ret, herr = 0, family = family_to_unix( params->family );

    if (params->name) ret = gethostbyname2_r( params->name, family, &host, buffer, size, &result, &herr );
    else ret = gethostbyaddr_r( params->addr, params->addr_len, family, &host, buffer, size, &result, &herr );
    if ((*again = (ret == ERANGE))) return WSANO_RECOVERY;
    if (!result) return error_from_h_errno( herr );
    gethost_fill( params, result );
    return 0;
}

NTSTATUS names_gethost( void *args )
{
    struct gethost_params *params = args;
    unsigned int error = WSANO_RECOVERY;
    int again = 1;
    size_t size;
    char *buffer;

    params->count = params->strings.count = params->strings.used = 0;
    if (params->name && gethost_local( params )) return 0;

    for (size = ENTRY_SIZE; again && size <= ENTRY_SIZE_MAX; size *= 2)
    {
        if (!(buffer = malloc( size ))) return WSA_NOT_ENOUGH_MEMORY;
        error = gethost_resolve( params, buffer, size, &again );
        free( buffer );
    }
    return error;
}

/* Windows compares names of services and protocols without regard to case, libc
 * does not: the databases have them in lower case. */
static const char *lower_case( const char *str, char buffer[256] )
{
    size_t i;

    if (!str) return NULL;
    for (i = 0; str[i] && i < 255; i++) buffer[i] = tolower( (unsigned char)str[i] );
    buffer[i] = 0;
    return buffer;
}

static struct servent *getserv( const struct getserv_params *params, const char *name, const char *proto,
                                struct servent *serv, char *buffer, size_t size )
{
    struct servent *result = NULL;

    if (name) getservbyname_r( name, proto, serv, buffer, size, &result );
    else getservbyport_r( params->port, proto, serv, buffer, size, &result );
    return result;
}

NTSTATUS names_getserv( void *args )
{
    struct getserv_params *params = args;
    char buffer[ENTRY_SIZE], name[256], proto[256];
    struct servent serv, *result;

    params->strings.count = params->strings.used = 0;
    if (!(result = getserv( params, params->name, params->proto, &serv, buffer, sizeof(buffer) )))
        result = getserv( params, lower_case( params->name, name ), lower_case( params->proto, proto ),
                          &serv, buffer, sizeof(buffer) );
    if (!result) return WSANO_DATA;

    params->port = result->s_port;
    add_string( &params->strings, result->s_name );
    add_string( &params->strings, result->s_proto );
    add_strings( &params->strings, result->s_aliases );
    return 0;
}

static struct protoent *getproto( const struct getproto_params *params, const char *name,
                                  struct protoent *proto, char *buffer, size_t size )
{
    struct protoent *result = NULL;

    if (name) getprotobyname_r( name, proto, buffer, size, &result );
    else getprotobynumber_r( params->number, proto, buffer, size, &result );
    return result;
}

NTSTATUS names_getproto( void *args )
{
    struct getproto_params *params = args;
    char buffer[ENTRY_SIZE], name[256];
    struct protoent proto, *result;

    params->strings.count = params->strings.used = 0;
    if (!(result = getproto( params, params->name, &proto, buffer, sizeof(buffer) )))
        result = getproto( params, lower_case( params->name, name ), &proto, buffer, sizeof(buffer) );
    if (!result) return WSANO_DATA;

    params->number = result->p_proto;
    add_string( &params->strings, result->p_name );
    add_strings( &params->strings, result->p_aliases );
    return 0;
}
