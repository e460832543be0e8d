/*
 * Protocols and services
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

/* The system's databases answer. Windows always has its own two files, Linux does
 * not (they are in a package): then, and for what they lack, the names of Windows'
 * files that programs ask for are here. */

/* longer names are in no database */
#define MAX_NAME 256
#define MAX_STRINGS 64

/* an entry on its way to the program */
struct netdb_entry
{
    char                buffer[4096];
    struct unix_strings strings;
    int                 number;         /* protocol; port in network order */
};

static const struct
{
    const char *name;
    const char *alias;                  /* NULL: none */
    int         number;
} builtin_protocols[] =
{
    { "ip",         "IP",         0 },
    { "icmp",       "ICMP",       1 },
    { "ggp",        "GGP",        3 },
    { "tcp",        "TCP",        6 },
    { "egp",        "EGP",        8 },
    { "pup",        "PUP",        12 },
    { "udp",        "UDP",        17 },
    { "hmp",        "HMP",        20 },
    { "xns-idp",    "XNS-IDP",    22 },
    { "rdp",        "RDP",        27 },
    { "ipv6",       "IPv6",       41 },
    { "ipv6-route", "IPv6-Route", 43 },
    { "ipv6-frag",  "IPv6-Frag",  44 },
    { "esp",        "ESP",        50 },
    { "ah",         "AH",         51 },
    { "ipv6-icmp",  "IPv6-ICMP",  58 },
    { "ipv6-nonxt", "IPv6-NoNxt", 59 },
    { "ipv6-opts",  "IPv6-Opts",  60 },
    { "rvd",        "RVD",        66 },
};

static const struct
{
    const char *name;
    const char *alias;
    USHORT      port;                   /* as people write it */
    const char *proto;
} builtin_services[] =
{
    { "echo",         NULL,         7,    "tcp" },
    { "echo",         NULL,         7,    "udp" },
    { "discard",      "sink",       9,    "tcp" },
    { "discard",      "sink",       9,    "udp" },
    { "systat",       "users",      11,   "tcp" },
    { "daytime",      NULL,         13,   "tcp" },
    { "daytime",      NULL,         13,   "udp" },
    { "qotd",         "quote",      17,   "tcp" },
    { "chargen",      "ttytst",     19,   "tcp" },
    { "chargen",      "ttytst",     19,   "udp" },
    { "ftp-data",     NULL,         20,   "tcp" },
    { "ftp",          NULL,         21,   "tcp" },
    { "ssh",          NULL,         22,   "tcp" },
    { "telnet",       NULL,         23,   "tcp" },
    { "smtp",         "mail",       25,   "tcp" },
    { "time",         "timserver",  37,   "tcp" },
    { "time",         "timserver",  37,   "udp" },
    { "nameserver",   "name",       42,   "tcp" },
    { "nicname",      "whois",      43,   "tcp" },
    { "domain",       NULL,         53,   "tcp" },
    { "domain",       NULL,         53,   "udp" },
    { "bootps",       "dhcps",      67,   "udp" },
    { "bootpc",       "dhcpc",      68,   "udp" },
    { "tftp",         NULL,         69,   "udp" },
    { "gopher",       NULL,         70,   "tcp" },
    { "finger",       NULL,         79,   "tcp" },
    { "http",         "www",        80,   "tcp" },
    { "kerberos",     "krb5",       88,   "tcp" },
    { "kerberos",     "krb5",       88,   "udp" },
    { "pop2",         "postoffice", 109,  "tcp" },
    { "pop3",         NULL,         110,  "tcp" },
    { "sunrpc",       "rpcbind",    111,  "tcp" },
    { "sunrpc",       "rpcbind",    111,  "udp" },
    { "auth",         "ident",      113,  "tcp" },
    { "nntp",         "usenet",     119,  "tcp" },
    { "ntp",          NULL,         123,  "udp" },
    { "epmap",        "loc-srv",    135,  "tcp" },
    { "netbios-ns",   "nbname",     137,  "udp" },
    { "netbios-dgm",  "nbdatagram", 138,  "udp" },
    { "netbios-ssn",  "nbsession",  139,  "tcp" },
    { "imap",         "imap4",      143,  "tcp" },
    { "snmp",         NULL,         161,  "udp" },
    { "snmptrap",     "snmp-trap",  162,  "udp" },
    { "bgp",          NULL,         179,  "tcp" },
    { "irc",          NULL,         194,  "tcp" },
    { "ldap",         NULL,         389,  "tcp" },
    { "https",        "MCom",       443,  "tcp" },
    { "https",        "MCom",       443,  "udp" },
    { "microsoft-ds", NULL,         445,  "tcp" },
    { "microsoft-ds", NULL,         445,  "udp" },
    { "isakmp",       "ike",        500,  "udp" },
    { "syslog",       NULL,         514,  "udp" },
    { "printer",      "spooler",    515,  "tcp" },
    { "ldaps",        "sldap",      636,  "tcp" },
    { "ftps",         NULL,         990,  "tcp" },
    { "imaps",        NULL,         993,  "tcp" },
    { "pop3s",        NULL,         995,  "tcp" },
    { "socks",        NULL,         1080, "tcp" },
    { "ms-sql-s",     NULL,         1433, "tcp" },
    { "ms-sql-m",     NULL,         1434, "udp" },
    { "ms-wbt-server", NULL,        3389, "tcp" },
};

static void entry_init( struct netdb_entry *entry )
{
    entry->strings.buffer = entry->buffer;
    entry->strings.size = sizeof(entry->buffer);
    entry->strings.count = 0;
    entry->strings.used = 0;
}

static void entry_add( struct netdb_entry *entry, const char *str )
{
    unsigned int len;

    if (!str) return;
    len = strlen( str ) + 1;
    memcpy( entry->buffer + entry->strings.used, str, len );
    entry->strings.used += len;
    entry->strings.count++;
}

/* ---- lookups: 0 or WSANO_DATA ---- */

static unsigned int builtin_protocol( const char *name, int number, struct netdb_entry *entry )
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE( builtin_protocols ); i++)
    {
        if (name ? _stricmp( name, builtin_protocols[i].name ) : number != builtin_protocols[i].number) continue;
        entry_init( entry );
        entry_add( entry, builtin_protocols[i].name );
        entry_add( entry, builtin_protocols[i].alias );
        entry->number = builtin_protocols[i].number;
        return 0;
    }
    return WSANO_DATA;
}

static unsigned int lookup_protocol( const char *name, int number, struct netdb_entry *entry )
{
    struct getproto_params params = { .name = name, .number = number };

    entry_init( entry );
    params.strings = entry->strings;
    if (UNIX_CALL( getproto, &params )) return builtin_protocol( name, number, entry );
    entry->strings = params.strings;
    entry->number = params.number;
    return 0;
}

static BOOL builtin_service_is( unsigned int i, const char *name, USHORT port, const char *proto )
{
    if (proto && _stricmp( proto, builtin_services[i].proto )) return FALSE;
    if (!name) return port == RtlUshortByteSwap( builtin_services[i].port );
    if (!_stricmp( name, builtin_services[i].name )) return TRUE;
    return builtin_services[i].alias && !_stricmp( name, builtin_services[i].alias );
}

static unsigned int builtin_service( const char *name, USHORT port, const char *proto, struct netdb_entry *entry )
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE( builtin_services ); i++)
    {
        if (!builtin_service_is( i, name, port, proto )) continue;
        entry_init( entry );
        entry_add( entry, builtin_services[i].name );
        entry_add( entry, builtin_services[i].proto );
        entry_add( entry, builtin_services[i].alias );
        entry->number = RtlUshortByteSwap( builtin_services[i].port );
        return 0;
    }
    return WSANO_DATA;
}

static unsigned int lookup_service( const char *name, USHORT port, const char *proto, struct netdb_entry *entry )
{
    struct getserv_params params = { .name = name, .port = port, .proto = proto };

    entry_init( entry );
    params.strings = entry->strings;
    if (UNIX_CALL( getserv, &params )) return builtin_service( name, port, proto, entry );
    entry->strings = params.strings;
    entry->number = params.port;
    return 0;
}

/* for getaddrinfo */
unsigned int netdb_port( const char *service, const char *proto, USHORT *port )
{
    struct netdb_entry entry;
    unsigned int error;

    if (!(error = lookup_service( service, 0, proto, &entry ))) *port = entry.number;
    return error;
}

/* for getnameinfo */
unsigned int netdb_service( USHORT port, const char *proto, char *name, unsigned int size )
{
    struct netdb_entry entry;
    unsigned int error;

    if ((error = lookup_service( NULL, port, proto, &entry ))) return error;
    lstrcpynA( name, entry.buffer, size );
    return 0;
}

/* ---- what the thread keeps ---- */

void *netdb_thread_buffer( void **buffer, unsigned int *size, unsigned int needed )
{
    if (*size < needed)
    {
        HeapFree( GetProcessHeap(), 0, *buffer );
        *buffer = HeapAlloc( GetProcessHeap(), 0, needed );
        *size = *buffer ? needed : 0;
    }
    return *buffer;
}

void netdb_split( char *str, unsigned int count, char **list )
{
    while (count--)
    {
        *list++ = str;
        str += strlen( str ) + 1;
    }
    *list = NULL;
}

/* A struct of that size in the thread's buffer, and behind it the list of the entry's strings and these; NULL with
 * WSAENOBUFS. */
static void *make_ent( const struct netdb_entry *entry, void **buffer, unsigned int *buffer_size, unsigned int size,
                       char ***list )
{
    unsigned int count = min( entry->strings.count, MAX_STRINGS );
    unsigned int lists = size + (count + 1) * sizeof(char *);
    char *ent = netdb_thread_buffer( buffer, buffer_size, lists + entry->strings.used );

    if (!ent) return return_null( WSAENOBUFS );
    *list = (char **)(ent + size);
    memcpy( ent + lists, entry->buffer, entry->strings.used );
    netdb_split( ent + lists, count, *list );
    return ent;
}

/* ---- exports ---- */

/* copies a program's name; what is too long is not found */
static unsigned int copy_name( char name[MAX_NAME], const char *str )
{
    unsigned int error = copy_string( name, MAX_NAME, str );

    return error == WSAENAMETOOLONG ? WSANO_DATA : error;
}

static struct servent *return_servent( unsigned int error, const struct netdb_entry *entry )
{
    struct thread_data *thread;
    struct servent *serv;
    char **list;

    if (error) return return_null( error );
    if (!(thread = thread_get())) return return_null( WSAENOBUFS );
    if (!(serv = make_ent( entry, &thread->servent, &thread->servent_size, sizeof(*serv), &list ))) return NULL;
    serv->s_name = list[0];
    serv->s_proto = list[1];
    serv->s_aliases = list + 2;
    serv->s_port = entry->number;
    TRACE( "-> %s, %s, port %u\n", debugstr_a( serv->s_name ), debugstr_a( serv->s_proto ),
           RtlUshortByteSwap( serv->s_port ) );
    return serv;
}

static struct protoent *return_protoent( unsigned int error, const struct netdb_entry *entry )
{
    struct thread_data *thread;
    struct protoent *proto;
    char **list;

    if (error) return return_null( error );
    if (!(thread = thread_get())) return return_null( WSAENOBUFS );
    if (!(proto = make_ent( entry, &thread->protoent, &thread->protoent_size, sizeof(*proto), &list ))) return NULL;
    proto->p_name = list[0];
    proto->p_aliases = list + 1;
    proto->p_proto = entry->number;
    TRACE( "-> %s, %d\n", debugstr_a( proto->p_name ), proto->p_proto );
    return proto;
}

/***********************************************************************
 *      getservbyname   (ws2_32.55)
 *
 * WSANOTINITIALISED, WSAEFAULT, WSANO_DATA. The result is the thread's, until its
 * next getservbyX.
 */
struct servent * WINAPI getservbyname( const char *name, const char *proto )
{
    char name_copy[MAX_NAME], proto_copy[MAX_NAME];
    struct netdb_entry entry;
    unsigned int error;

    TRACE( "name %s, proto %s\n", debugstr_a( name ), debugstr_a( proto ) );

    if (!startup_check()) return return_null( WSANOTINITIALISED );
    error = copy_name( name_copy, name );
    if (!error && proto) error = copy_name( proto_copy, proto );
    if (!error) error = lookup_service( name_copy, 0, proto ? proto_copy : NULL, &entry );
    return return_servent( error, &entry );
}

/***********************************************************************
 *      getservbyport   (ws2_32.56)
 */
struct servent * WINAPI getservbyport( int port, const char *proto )
{
    char proto_copy[MAX_NAME];
    struct netdb_entry entry;
    unsigned int error = 0;

    TRACE( "port %u, proto %s\n", RtlUshortByteSwap( port ), debugstr_a( proto ) );

    if (!startup_check()) return return_null( WSANOTINITIALISED );
    if (proto) error = copy_name( proto_copy, proto );
    if (!error) error = lookup_service( NULL, port, proto ? proto_copy : NULL, &entry );
    return return_servent( error, &entry );
}

/***********************************************************************
 *      getprotobyname   (ws2_32.53)
 *
 * WSANOTINITIALISED, WSAEFAULT, WSANO_DATA. The result is the thread's, until its
 * next getprotobyX.
 */
struct protoent * WINAPI getprotobyname( const char *name )
{
    char name_copy[MAX_NAME];
    struct netdb_entry entry;
    unsigned int error;

    TRACE( "name %s\n", debugstr_a( name ) );

    if (!startup_check()) return return_null( WSANOTINITIALISED );
    if (!(error = copy_name( name_copy, name ))) error = lookup_protocol( name_copy, 0, &entry );
    return return_protoent( error, &entry );
}

/***********************************************************************
 *      getprotobynumber   (ws2_32.54)
 */
struct protoent * WINAPI getprotobynumber( int number )
{
    struct netdb_entry entry;

    TRACE( "number %d\n", number );

    if (!startup_check()) return return_null( WSANOTINITIALISED );
    return return_protoent( lookup_protocol( NULL, number, &entry ), &entry );
}
