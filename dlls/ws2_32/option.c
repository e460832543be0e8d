/*
 * getsockopt and setsockopt: what each option takes, gives and means
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

#define GET 1
#define SET 2

#define STREAM 1
#define DGRAM  2
#define RAW    4
#define LOCAL  8                        /* of our own provider */
#define ALL    (STREAM | DGRAM | RAW | LOCAL)

/* How the program's value looks. Sizes are Windows' (documented in the option
 * tables of Microsoft's Winsock reference); what is longer is cut. */
enum kind
{
    KIND_BOOL,                          /* DWORD; of 1 to 3 bytes the first counts, both ways; read as 0 or 1 */
    KIND_NUMBER,                        /* DWORD; of 1 to 3 bytes the first counts, both ways: the IP levels */
    KIND_DWORD,                         /* DWORD, no shorter */
    KIND_FLAG,                          /* the same, read as 0 or 1; a length too small becomes 0 */
    KIND_BYTES                          /* size bytes; 0: as many as there are */
};

/* Values of these are at most so long */
#define MAX_VALUE sizeof(WSAPROTOCOL_INFOW)

_Static_assert( MAX_VALUE >= TAPSTER_MAX_DATA, "connect data fits" );
_Static_assert( MAX_VALUE >= 2 * sizeof(SOCKADDR_STORAGE) + 8, "a GROUP_SOURCE_REQ fits" );

struct value
{
    union
    {
        DWORD number;
        BYTE  bytes[MAX_VALUE];
    } u;
    int len;                            /* bytes of it */
};

/* An option without functions of its own is one of the slot (slot >= 0), which
 * is read without a call and set by the helper, or else one of the kernel's. */
struct option
{
    int   name;
    BYTE  kind;
    BYTE  access;
    BYTE  types;                        /* of sockets that have it */
    short slot;                         /* enum socket_option, KERNEL */
    short size;                         /* KIND_BYTES */
    unsigned int (*get)( struct socket *sock, struct value *value );
    unsigned int (*set)( struct socket *sock, const struct value *value );
};

#define KERNEL (-1)

#define IN_SLOT( name, kind, access, types, slot ) \
    { name, kind, access, types, slot, 0, NULL, NULL }
#define IN_KERNEL( name, kind, access, types, size ) \
    { name, kind, access, types, KERNEL, size, NULL, NULL }
#define OF_OURS( name, kind, access, types, size, get, set ) \
    { name, kind, access, types, KERNEL, size, get, set }

static unsigned int kernel_get( struct socket *sock, int level, int name, struct value *value )
{
    struct getsockopt_params params = { sock->unix, level, name, &value->u, sizeof(value->u) };
    unsigned int error = UNIX_CALL( getsockopt, &params );

    if (!error) value->len = params.len;
    return error;
}

static unsigned int kernel_set( struct socket *sock, int level, int name, const struct value *value )
{
    struct setsockopt_params params = { sock->unix, level, name, &value->u, value->len };

    return UNIX_CALL( setsockopt, &params );
}

static unsigned int return_number( struct value *value, DWORD number )
{
    value->u.number = number;
    value->len = sizeof(number);
    return 0;
}

/* ---- SOL_SOCKET: what Linux has not, or not so ---- */

static unsigned int get_acceptconn( struct socket *sock, struct value *value )
{
    return return_number( value, socket_state( sock ) == SOCKET_LISTENING );
}

static unsigned int get_type( struct socket *sock, struct value *value )
{
    return return_number( value, socket_slot( sock )->type );
}

/* What the program has set, or how the last connect failed. Other errors Windows
 * does not show here: after a reset it is 0. So the kernel's own SO_ERROR is left
 * alone: reading would clear it, and the next receive must report it. */
static unsigned int get_error( struct socket *sock, struct value *value )
{
    unsigned int error;

    if ((error = socket_option( sock, OPTION_ERROR ))) return return_number( value, error );
    if (socket_state( sock ) == SOCKET_CONNECTING)
    {
        /* the usual question after select: has it ended, and how? */
        error = socket_connect_status( sock );
        if (error == WSAEWOULDBLOCK) error = 0;
        if (error && socket_state( sock ) != SOCKET_FAILED) return error;
    }
    return return_number( value, *(const volatile u32 *)&socket_slot( sock )->error );
}

static unsigned int get_linger( struct socket *sock, struct value *value )
{
    struct linger linger = { socket_option( sock, OPTION_LINGER_ONOFF ), socket_option( sock, OPTION_LINGER_TIME ) };

    memcpy( value->u.bytes, &linger, sizeof(linger) );
    value->len = sizeof(linger);
    return 0;
}

static unsigned int set_linger( struct socket *sock, const struct value *value )
{
    struct linger linger;

    memcpy( &linger, value->u.bytes, sizeof(linger) );
    return socket_set_option( sock, OPTION_LINGER_ONOFF, linger.l_onoff, linger.l_linger );
}

static unsigned int get_dontlinger( struct socket *sock, struct value *value )
{
    return return_number( value, !socket_option( sock, OPTION_LINGER_ONOFF ) );
}

static unsigned int set_dontlinger( struct socket *sock, const struct value *value )
{
    return socket_set_option( sock, OPTION_LINGER_ONOFF, !value->u.number, socket_option( sock, OPTION_LINGER_TIME ) );
}

/* seen on Windows: only the low byte counts */
static unsigned int set_dontroute( struct socket *sock, const struct value *value )
{
    return socket_set_option( sock, OPTION_DONTROUTE, (BYTE)value->u.number != 0, 0 );
}

/* documented: before listen */
static unsigned int set_conditional_accept( struct socket *sock, const struct value *value )
{
    if (socket_state( sock ) == SOCKET_LISTENING) return WSAEINVAL;
    return socket_set_option( sock, OPTION_CONDITIONAL_ACCEPT, value->u.number != 0, 0 );
}

/* documented: ports are chosen at bind, so before it */
static unsigned int set_port_choice( struct socket *sock, enum socket_option option, const struct value *value )
{
    if (socket_flags( sock ) & SOCKET_BOUND) return WSAEINVAL;
    return socket_set_option( sock, option, value->u.number != 0, 0 );
}

static unsigned int set_randomize_port( struct socket *sock, const struct value *value )
{
    return set_port_choice( sock, OPTION_RANDOMIZE_PORT, value );
}

static unsigned int set_reuse_unicastport( struct socket *sock, const struct value *value )
{
    return set_port_choice( sock, OPTION_REUSE_UNICASTPORT, value );
}

static unsigned int set_port_scalability( struct socket *sock, const struct value *value )
{
    return set_port_choice( sock, OPTION_PORT_SCALABILITY, value );
}

/* socket groups do not exist: no socket is in one */
static unsigned int get_group( struct socket *sock, struct value *value )
{
    (void)sock;
    return return_number( value, 0 );
}

/* the socket's entry in the catalog, with its own protocol where the entry serves several */
unsigned int option_protocol_info( const struct socket *sock, WSAPROTOCOL_INFOW *info )
{
    const struct slot *slot = socket_slot( sock );

    if (!catalog_find( slot->family, slot->type, slot->protocol, info )) return WSAENOPROTOOPT;
    info->iProtocol = slot->protocol;
    return 0;
}

static unsigned int get_protocol_infow( struct socket *sock, struct value *value )
{
    value->len = sizeof(WSAPROTOCOL_INFOW);
    return option_protocol_info( sock, (WSAPROTOCOL_INFOW *)value->u.bytes );
}

static unsigned int get_protocol_infoa( struct socket *sock, struct value *value )
{
    WSAPROTOCOL_INFOW info;
    unsigned int error;

    if ((error = option_protocol_info( sock, &info ))) return error;
    catalog_info_to_a( &info, (WSAPROTOCOL_INFOA *)value->u.bytes );
    value->len = sizeof(WSAPROTOCOL_INFOA);
    return 0;
}

/* What a datagram can carry: 16 bits of length less the headers. 0 of a stream,
 * "has no meaning for stream-oriented sockets". */
static unsigned int get_max_msg_size( struct socket *sock, struct value *value )
{
    const struct slot *slot = socket_slot( sock );
    const int udp = 8, ip = 20;

    if (slot->type == SOCK_STREAM) return return_number( value, 0 );
    if (slot->family == AF_TAPSTER) return return_number( value, TAPSTER_MAX_MESSAGE );
    if (slot->family == AF_INET6) return return_number( value, 65535 - (slot->type == SOCK_DGRAM ? udp : 0) );
    return return_number( value, 65535 - ip - (slot->type == SOCK_DGRAM ? udp : 0) );
}

static unsigned int get_connect_time( struct socket *sock, struct value *value )
{
    return kernel_get( sock, SOL_SOCKET, SO_CONNECT_TIME, value );
}

/* Connections of AcceptEx and ConnectEx take over their listener's properties,
 * or their own names, by these. Those of accept and connect have them from the start. */
static unsigned int set_accept_context( struct socket *sock, const struct value *value )
{
    struct socket *listener;
    unsigned int error = 0;
    SOCKET s;

    memcpy( &s, value->u.bytes, sizeof(s) );
    if (!(listener = socket_get( s ))) return GetLastError();
    if (socket_state( listener ) != SOCKET_LISTENING) error = WSAEINVAL;
    else if (!(socket_flags( sock ) & SOCKET_ACCEPTED)) error = WSAENOTCONN;
    socket_put( listener );
    return error;
}

static unsigned int set_connect_context( struct socket *sock, const struct value *value )
{
    (void)value;
    return socket_state( sock ) == SOCKET_CONNECTED ? 0 : WSAENOTCONN;
}

/* Connect and disconnect data, of the peer; there may be none. Where it was said the lengths come alone. */
static unsigned int get_connect_data( struct socket *sock, struct value *value )
{
    return local_get_connect_data( sock, value->u.bytes, &value->len );
}

static unsigned int get_connect_data_len( struct socket *sock, struct value *value )
{
    unsigned int error = local_get_connect_data( sock, value->u.bytes, &value->len );

    return error ? error : return_number( value, value->len );
}

static unsigned int get_disconnect_data( struct socket *sock, struct value *value )
{
    return local_get_disconnect_data( sock, value->u.bytes, &value->len );
}

static unsigned int get_disconnect_data_len( struct socket *sock, struct value *value )
{
    unsigned int error = local_get_disconnect_data( sock, value->u.bytes, &value->len );

    return error ? error : return_number( value, value->len );
}

static const struct option socket_options[] =
{
    { SO_ERROR, KIND_DWORD, GET | SET, ALL, OPTION_ERROR, 0, get_error, NULL },
    OF_OURS( SO_TYPE, KIND_DWORD, GET, ALL, 0, get_type, NULL ),
    IN_SLOT( SO_RCVBUF, KIND_DWORD, GET | SET, ALL, OPTION_RCVBUF ),
    IN_SLOT( SO_SNDBUF, KIND_DWORD, GET | SET, ALL, OPTION_SNDBUF ),
    IN_SLOT( SO_RCVTIMEO, KIND_DWORD, GET | SET, ALL, OPTION_RCVTIMEO ),
    IN_SLOT( SO_SNDTIMEO, KIND_DWORD, GET | SET, ALL, OPTION_SNDTIMEO ),
    IN_SLOT( SO_REUSEADDR, KIND_BOOL, GET | SET, ALL, OPTION_REUSEADDR ),
    IN_SLOT( SO_EXCLUSIVEADDRUSE, KIND_BOOL, GET | SET, ALL, OPTION_EXCLUSIVEADDRUSE ),
    IN_KERNEL( SO_KEEPALIVE, KIND_BOOL, GET | SET, STREAM, 0 ),
    OF_OURS( SO_LINGER, KIND_BYTES, GET | SET, STREAM | LOCAL, sizeof(struct linger), get_linger, set_linger ),
    OF_OURS( SO_DONTLINGER, KIND_BOOL, GET | SET, STREAM | LOCAL, 0, get_dontlinger, set_dontlinger ),
    IN_KERNEL( SO_OOBINLINE, KIND_BOOL, GET | SET, STREAM, 0 ),
    IN_KERNEL( SO_BROADCAST, KIND_BOOL, GET | SET, DGRAM | RAW, 0 ),
    OF_OURS( SO_ACCEPTCONN, KIND_BOOL, GET, STREAM | LOCAL, 0, get_acceptconn, NULL ),
    { SO_CONDITIONAL_ACCEPT, KIND_BOOL, GET | SET, STREAM | LOCAL, OPTION_CONDITIONAL_ACCEPT, 0, NULL, set_conditional_accept },
    IN_SLOT( SO_DEBUG, KIND_BOOL, GET | SET, ALL, OPTION_DEBUG ),
    { SO_DONTROUTE, KIND_BOOL, GET | SET, ALL, OPTION_DONTROUTE, 0, NULL, set_dontroute },
    OF_OURS( SO_PROTOCOL_INFOW, KIND_BYTES, GET, ALL, sizeof(WSAPROTOCOL_INFOW), get_protocol_infow, NULL ),
    OF_OURS( SO_PROTOCOL_INFOA, KIND_BYTES, GET, ALL, sizeof(WSAPROTOCOL_INFOA), get_protocol_infoa, NULL ),
    OF_OURS( SO_MAX_MSG_SIZE, KIND_DWORD, GET, ALL, 0, get_max_msg_size, NULL ),
    OF_OURS( SO_MAXDG, KIND_DWORD, GET, DGRAM | RAW, 0, get_max_msg_size, NULL ),
    OF_OURS( SO_MAXPATHDG, KIND_DWORD, GET, DGRAM | RAW, 0, get_max_msg_size, NULL ),
    OF_OURS( SO_CONNECT_TIME, KIND_DWORD, GET, ALL, 0, get_connect_time, NULL ),
    OF_OURS( SO_UPDATE_ACCEPT_CONTEXT, KIND_BYTES, SET, STREAM | LOCAL, sizeof(SOCKET), NULL, set_accept_context ),
    OF_OURS( SO_UPDATE_CONNECT_CONTEXT, KIND_BYTES, SET, STREAM | LOCAL, 0, NULL, set_connect_context ),
    { SO_RANDOMIZE_PORT, KIND_BOOL, GET | SET, ALL, OPTION_RANDOMIZE_PORT, 0, NULL, set_randomize_port },
    { SO_REUSE_UNICASTPORT, KIND_BOOL, GET | SET, ALL, OPTION_REUSE_UNICASTPORT, 0, NULL, set_reuse_unicastport },
    { SO_PORT_SCALABILITY, KIND_BOOL, GET | SET, ALL, OPTION_PORT_SCALABILITY, 0, NULL, set_port_scalability },
    OF_OURS( SO_GROUP_ID, KIND_DWORD, GET, ALL, 0, get_group, NULL ),
    OF_OURS( SO_GROUP_PRIORITY, KIND_DWORD, GET, ALL, 0, get_group, NULL ),
    OF_OURS( SO_CONNDATA, KIND_BYTES, GET, LOCAL, 0, get_connect_data, NULL ),
    OF_OURS( SO_CONNDATALEN, KIND_DWORD, GET, LOCAL, 0, get_connect_data_len, NULL ),
    OF_OURS( SO_DISCDATA, KIND_BYTES, GET, LOCAL, 0, get_disconnect_data, NULL ),
    OF_OURS( SO_DISCDATALEN, KIND_DWORD, GET, LOCAL, 0, get_disconnect_data_len, NULL ),
};

/* ---- IPPROTO_TCP, IPPROTO_UDP ---- */

/* Where urgent data lies is BSD's idea of it, as Linux has it for all sockets. */
static unsigned int get_expedited( struct socket *sock, struct value *value )
{
    (void)sock;
    return return_number( value, FALSE );
}

static unsigned int set_expedited( struct socket *sock, const struct value *value )
{
    (void)sock;
    if (!value->u.number) return 0;
    FIXME_ONCE( "TCP_EXPEDITED_1122: not on Linux\n" );
    return WSAENOPROTOOPT;
}

static const struct option tcp_options[] =
{
    IN_KERNEL( TCP_NODELAY, KIND_BOOL, GET | SET, STREAM, 0 ),
    OF_OURS( TCP_EXPEDITED_1122, KIND_BOOL, GET | SET, STREAM, 0, get_expedited, set_expedited ),
    IN_KERNEL( TCP_KEEPALIVE, KIND_NUMBER, GET | SET, STREAM, 0 ),
    IN_KERNEL( TCP_MAXSEG, KIND_NUMBER, GET, STREAM, 0 ),
    IN_KERNEL( TCP_MAXRT, KIND_NUMBER, GET | SET, STREAM, 0 ),
    IN_KERNEL( TCP_TIMESTAMPS, KIND_BOOL, GET, STREAM, 0 ),
    IN_KERNEL( WINSOCK_TCP_MAXRTMS, KIND_NUMBER, GET | SET, STREAM, 0 ),
    IN_KERNEL( WINSOCK_TCP_FASTOPEN, KIND_BOOL, GET | SET, STREAM, 0 ),
    IN_KERNEL( WINSOCK_TCP_KEEPCNT, KIND_NUMBER, GET | SET, STREAM, 0 ),
    IN_KERNEL( WINSOCK_TCP_KEEPINTVL, KIND_NUMBER, GET | SET, STREAM, 0 ),
};

static const struct option udp_options[] =
{
    IN_KERNEL( WINSOCK_UDP_NOCHECKSUM, KIND_BOOL, GET | SET, DGRAM, 0 ),
    IN_KERNEL( WINSOCK_UDP_SEND_MSG_SIZE, KIND_NUMBER, GET | SET, DGRAM, 0 ),
};

/* ---- IPPROTO_IP, IPPROTO_IPV6 ---- */

/* the kernel's flag; on an AF_INET socket, which has it all the same, one of ours */
static unsigned int get_v6only( struct socket *sock, struct value *value )
{
    if (socket_slot( sock )->family == AF_INET)
        return return_number( value, !socket_option( sock, OPTION_NOT_V6ONLY ) );
    return kernel_get( sock, IPPROTO_IPV6, IPV6_V6ONLY, value );
}

static unsigned int set_v6only( struct socket *sock, const struct value *value )
{
    if (socket_flags( sock ) & SOCKET_BOUND) return WSAEINVAL;
    if (socket_slot( sock )->family == AF_INET)
        return socket_set_option( sock, OPTION_NOT_V6ONLY, !value->u.number, 0 );
    return kernel_set( sock, IPPROTO_IPV6, IPV6_V6ONLY, value );
}

#define PROTECTION_UNRESTRICTED   10
#define PROTECTION_EDGERESTRICTED 20

/* Both levels differ only for Teredo, which does not exist here; the third would have to
 * keep everybody out but the link's neighbours. */
static unsigned int get_protection_level( struct socket *sock, struct value *value )
{
    DWORD level = socket_option( sock, OPTION_PROTECTION_LEVEL );

    return return_number( value, level ? level : PROTECTION_UNRESTRICTED );
}

static unsigned int set_protection_level( struct socket *sock, const struct value *value )
{
    switch (value->u.number)
    {
    case PROTECTION_UNRESTRICTED:
    case PROTECTION_EDGERESTRICTED:
        return socket_set_option( sock, OPTION_PROTECTION_LEVEL, value->u.number, 0 );
    case 30: /* PROTECTION_LEVEL_RESTRICTED */
        FIXME_ONCE( "PROTECTION_LEVEL_RESTRICTED: not built yet\n" );
        return WSAENOPROTOOPT;
    default:
        return WSAEINVAL;
    }
}

#define GROUP_SIZE        (8 + sizeof(SOCKADDR_STORAGE))         /* GROUP_REQ */
#define GROUP_SOURCE_SIZE (8 + 2 * sizeof(SOCKADDR_STORAGE))     /* GROUP_SOURCE_REQ */

/* the protocol-independent multicast options, of both levels */
#define GROUP_OPTIONS \
    IN_KERNEL( WINSOCK_MCAST_JOIN_GROUP, KIND_BYTES, SET, DGRAM | RAW, GROUP_SIZE ), \
    IN_KERNEL( WINSOCK_MCAST_LEAVE_GROUP, KIND_BYTES, SET, DGRAM | RAW, GROUP_SIZE ), \
    IN_KERNEL( WINSOCK_MCAST_BLOCK_SOURCE, KIND_BYTES, SET, DGRAM | RAW, GROUP_SOURCE_SIZE ), \
    IN_KERNEL( WINSOCK_MCAST_UNBLOCK_SOURCE, KIND_BYTES, SET, DGRAM | RAW, GROUP_SOURCE_SIZE ), \
    IN_KERNEL( WINSOCK_MCAST_JOIN_SOURCE_GROUP, KIND_BYTES, SET, DGRAM | RAW, GROUP_SOURCE_SIZE ), \
    IN_KERNEL( WINSOCK_MCAST_LEAVE_SOURCE_GROUP, KIND_BYTES, SET, DGRAM | RAW, GROUP_SOURCE_SIZE )

static const struct option ip_options[] =
{
    IN_KERNEL( IP_OPTIONS, KIND_BYTES, GET | SET, ALL, 0 ),
    IN_KERNEL( IP_HDRINCL, KIND_BOOL, GET | SET, RAW, 0 ),
    IN_KERNEL( IP_TOS, KIND_NUMBER, GET | SET, ALL, 0 ),
    IN_KERNEL( IP_TTL, KIND_NUMBER, GET | SET, ALL, 0 ),
    IN_KERNEL( IP_MULTICAST_IF, KIND_BYTES, GET | SET, DGRAM | RAW, sizeof(struct in_addr) ),
    IN_KERNEL( IP_MULTICAST_TTL, KIND_NUMBER, GET | SET, DGRAM | RAW, 0 ),
    IN_KERNEL( IP_MULTICAST_LOOP, KIND_BOOL, GET | SET, DGRAM | RAW, 0 ),
    IN_KERNEL( IP_ADD_MEMBERSHIP, KIND_BYTES, SET, DGRAM | RAW, sizeof(IP_MREQ) ),
    IN_KERNEL( IP_DROP_MEMBERSHIP, KIND_BYTES, SET, DGRAM | RAW, sizeof(IP_MREQ) ),
    IN_KERNEL( IP_DONTFRAGMENT, KIND_BOOL, GET | SET, ALL, 0 ),
    IN_KERNEL( IP_ADD_SOURCE_MEMBERSHIP, KIND_BYTES, SET, DGRAM | RAW, sizeof(IP_MREQ_SOURCE) ),
    IN_KERNEL( IP_DROP_SOURCE_MEMBERSHIP, KIND_BYTES, SET, DGRAM | RAW, sizeof(IP_MREQ_SOURCE) ),
    IN_KERNEL( IP_BLOCK_SOURCE, KIND_BYTES, SET, DGRAM | RAW, sizeof(IP_MREQ_SOURCE) ),
    IN_KERNEL( IP_UNBLOCK_SOURCE, KIND_BYTES, SET, DGRAM | RAW, sizeof(IP_MREQ_SOURCE) ),
    IN_KERNEL( IP_PKTINFO, KIND_FLAG, GET | SET, DGRAM | RAW, 0 ),
    IN_KERNEL( IP_RECVTTL, KIND_FLAG, GET | SET, DGRAM | RAW, 0 ),
    IN_KERNEL( IP_RECVTOS, KIND_FLAG, GET | SET, DGRAM | RAW, 0 ),
    OF_OURS( WINSOCK_IP_PROTECTION_LEVEL, KIND_NUMBER, GET | SET, ALL, 0, get_protection_level, set_protection_level ),
    IN_KERNEL( IP_UNICAST_IF, KIND_NUMBER, GET | SET, ALL, 0 ),
    IN_KERNEL( IP_MTU_DISCOVER, KIND_NUMBER, GET | SET, DGRAM | RAW, 0 ),
    IN_KERNEL( IP_MTU, KIND_NUMBER, GET, ALL, 0 ),
    GROUP_OPTIONS,
};

static const struct option ipv6_options[] =
{
    OF_OURS( IPV6_V6ONLY, KIND_BOOL, GET | SET, ALL, 0, get_v6only, set_v6only ),
    IN_KERNEL( IPV6_HDRINCL, KIND_BOOL, GET | SET, RAW, 0 ),
    IN_KERNEL( IPV6_UNICAST_HOPS, KIND_NUMBER, GET | SET, ALL, 0 ),
    IN_KERNEL( IPV6_MULTICAST_IF, KIND_NUMBER, GET | SET, DGRAM | RAW, 0 ),
    IN_KERNEL( IPV6_MULTICAST_HOPS, KIND_NUMBER, GET | SET, DGRAM | RAW, 0 ),
    IN_KERNEL( IPV6_MULTICAST_LOOP, KIND_BOOL, GET | SET, DGRAM | RAW, 0 ),
    IN_KERNEL( IPV6_ADD_MEMBERSHIP, KIND_BYTES, SET, DGRAM | RAW, sizeof(IPV6_MREQ) ),
    IN_KERNEL( IPV6_DROP_MEMBERSHIP, KIND_BYTES, SET, DGRAM | RAW, sizeof(IPV6_MREQ) ),
    IN_KERNEL( IPV6_DONTFRAG, KIND_BOOL, GET | SET, DGRAM | RAW, 0 ),
    IN_KERNEL( IPV6_PKTINFO, KIND_FLAG, GET | SET, DGRAM | RAW, 0 ),
    IN_KERNEL( IPV6_HOPLIMIT, KIND_FLAG, GET | SET, DGRAM | RAW, 0 ),
    OF_OURS( IPV6_PROTECTION_LEVEL, KIND_NUMBER, GET | SET, ALL, 0, get_protection_level, set_protection_level ),
    IN_KERNEL( IPV6_CHECKSUM, KIND_NUMBER, GET | SET, RAW, 0 ),
    IN_KERNEL( IPV6_UNICAST_IF, KIND_NUMBER, GET | SET, ALL, 0 ),
    IN_KERNEL( IPV6_TCLASS, KIND_NUMBER, GET | SET, ALL, 0 ),
    IN_KERNEL( IPV6_RECVTCLASS, KIND_FLAG, GET | SET, DGRAM | RAW, 0 ),
    IN_KERNEL( IPV6_MTU_DISCOVER, KIND_NUMBER, GET | SET, DGRAM | RAW, 0 ),
    IN_KERNEL( IPV6_MTU, KIND_NUMBER, GET, ALL, 0 ),
    GROUP_OPTIONS,
};

/* ---- finding one ---- */

static unsigned int type_bit( const struct socket *sock )
{
    switch (socket_slot( sock )->type)
    {
    case SOCK_STREAM: return STREAM;
    case SOCK_DGRAM:  return DGRAM;
    case SOCK_RAW:    return RAW;
    default:          return LOCAL;
    }
}

/* Are the options of this IP level this socket's? IPv4's are also those of an
 * IPv6 socket that talks IPv4 too. */
static BOOL has_ip_level( struct socket *sock, int level, int name )
{
    int family = socket_slot( sock )->family;
    struct value value;

    if (level == IPPROTO_IPV6) return family == AF_INET6 || name == IPV6_V6ONLY;
    if (family == AF_INET) return TRUE;
    return !kernel_get( sock, IPPROTO_IPV6, IPV6_V6ONLY, &value ) && !value.u.number;
}

/* Documented for both directions: WSAEINVAL for a level that is unknown or not this
 * socket's, WSAENOPROTOOPT for an option that is. On the IP levels Windows says WSAEINVAL
 * also of an option that sockets of this type do not have. */
static unsigned int find_option( struct socket *sock, int level, int name, unsigned int access,
                                 const struct option **option )
{
    const BOOL is_ip = level == IPPROTO_IP || level == IPPROTO_IPV6;
    unsigned int count, i;

    switch (level)
    {
#define LEVEL( options ) *option = options; count = ARRAY_SIZE( options ); break
    case SOL_SOCKET:   LEVEL( socket_options );
    case IPPROTO_TCP:  LEVEL( tcp_options );
    case IPPROTO_UDP:  LEVEL( udp_options );
    case IPPROTO_IP:   LEVEL( ip_options );
    case IPPROTO_IPV6: LEVEL( ipv6_options );
#undef LEVEL
    default: return WSAEINVAL;
    }
    if (is_ip && !has_ip_level( sock, level, name )) return WSAEINVAL;

    for (i = 0; i < count; i++, (*option)++)
    {
        if ((*option)->name != name) continue;
        if (!((*option)->access & access)) return WSAENOPROTOOPT;
        if ((*option)->types & type_bit( sock )) return 0;
        return is_ip ? WSAEINVAL : WSAENOPROTOOPT;
    }
    FIXME_ONCE( "%s: unknown\n", debugstr_level_option( level, name ));
    return WSAENOPROTOOPT;
}

/* ---- values ---- */

static const char *debugstr_value( const struct value *value )
{
    if (value->len == sizeof(DWORD)) return wine_dbg_sprintf( "%ld", value->u.number );
    return wine_dbg_sprintf( "%d bytes", value->len );
}

/* To the program, as the kind has it. With WSAEFAULT the length may change too. */
static unsigned int give_value( const struct option *option, const struct value *value, char *dst, int *len )
{
    int used = value->len;

    if (*len < used)
    {
        switch (option->kind)
        {
        case KIND_BYTES:
            /* the large ones say how large they are */
            if (used > (int)sizeof(DWORD)) *len = used;
            return WSAEFAULT;
        case KIND_FLAG:
            *len = 0;
            return WSAEFAULT;
        case KIND_DWORD:
            return WSAEFAULT;
        default:
            if (*len < 1) return WSAEFAULT;
            used = 1;
        }
    }
    if (!dst || !copy_safe( dst, value->u.bytes, used )) return WSAEFAULT;
    *len = used;
    return 0;
}

/* from the program; flags become 0 or 1, but for SO_DEBUG, SO_DONTROUTE and their like, which do so themselves */
static unsigned int take_value( const struct option *option, const char *src, int len, struct value *value )
{
    memset( value, 0, sizeof(*value) );
    switch (option->kind)
    {
    case KIND_BYTES:
        if (len < option->size) return WSAEFAULT;
        value->len = option->size ? option->size : min( max( len, 0 ), (int)MAX_VALUE );
        break;
    case KIND_DWORD:
    case KIND_FLAG:
        if (len < (int)sizeof(DWORD)) return WSAEFAULT;
        value->len = sizeof(DWORD);
        break;
    default:
        if (len < 1) return WSAEFAULT;
        value->len = len < (int)sizeof(DWORD) ? 1 : sizeof(DWORD);
        break;
    }
    if (value->len && (!src || !copy_safe( value->u.bytes, src, value->len ))) return WSAEFAULT;
    if (option->kind != KIND_BYTES) value->len = sizeof(DWORD);
    return 0;
}

static unsigned int get_value( struct socket *sock, int level, const struct option *option, struct value *value )
{
    if (option->get) return option->get( sock, value );
    if (option->slot != KERNEL) return return_number( value, socket_option( sock, option->slot ) );
    return kernel_get( sock, level, option->name, value );
}

static unsigned int set_value( struct socket *sock, int level, const struct option *option, const struct value *value )
{
    DWORD number = value->u.number;

    if (option->set) return option->set( sock, value );
    if (option->slot == KERNEL) return kernel_set( sock, level, option->name, value );
    if (option->kind == KIND_BOOL) number = !!number;
    /* no round trip to the helper for what is so already */
    if (socket_option( sock, option->slot ) == number) return 0;
    return socket_set_option( sock, option->slot, number, 0 );
}

/* ---- SO_BSP_STATE: pointers into the program's buffer ---- */

/* ours are in the slot only */
static void give_local_names( const struct slot *slot, char *local, char *remote )
{
    struct address address;

    address_read( slot, &slot->local, &address );
    memcpy( local, address.data, sizeof(SOCKADDR_TAPSTER) );
    address_read( slot, &slot->peer, &address );
    memcpy( remote, address.data, sizeof(SOCKADDR_TAPSTER) );
}

/* local and remote address, type and protocol; the addresses lie behind the structure */
static unsigned int give_bsp_state( struct socket *sock, char *dst, int *len )
{
    const struct slot *slot = socket_slot( sock );
    int size = address_length( slot->family ), needed = sizeof(CSADDR_INFO) + 2 * size;
    struct { CSADDR_INFO info; char addrs[2 * sizeof(struct sockaddr_in6)]; } state = { 0 };
    char *local = state.addrs, *remote = state.addrs + size;
    struct getname_params params = { sock->unix, local, size };

    if (*len < needed) return WSAEFAULT;
    if (socket_is_local( sock )) give_local_names( slot, local, remote );
    else if (UNIX_CALL( getsockname, &params )) memset( local, 0, size );
    ((struct sockaddr *)local)->sa_family = slot->family;
    params.addr = remote;
    params.len = size;
    if (socket_is_local( sock ) ? socket_state( sock ) == SOCKET_CONNECTED : !UNIX_CALL( getpeername, &params ))
    {
        state.info.RemoteAddr.lpSockaddr = (struct sockaddr *)(dst + sizeof(CSADDR_INFO) + size);
        state.info.RemoteAddr.iSockaddrLength = size;
    }
    state.info.LocalAddr.lpSockaddr = (struct sockaddr *)(dst + sizeof(CSADDR_INFO));
    state.info.LocalAddr.iSockaddrLength = size;
    state.info.iSocketType = slot->type;
    state.info.iProtocol = slot->protocol;
    if (!dst || !copy_safe( dst, &state, needed )) return WSAEFAULT;
    *len = needed;
    return 0;
}

/* ---- SO_OPENTYPE: the thread's, whatever the socket; what socket() makes from then on ---- */

static unsigned int get_open_type( char *dst, int *len )
{
    struct thread_data *thread;

    if (!(thread = thread_get())) return WSAENOBUFS;
    if (*len < (int)sizeof(thread->open_type) || !dst ||
        !copy_safe( dst, &thread->open_type, sizeof(thread->open_type) )) return WSAEFAULT;
    *len = sizeof(thread->open_type);
    return 0;
}

static unsigned int set_open_type( const char *src, int len )
{
    struct thread_data *thread;
    DWORD type;

    if (!(thread = thread_get())) return WSAENOBUFS;
    if (len < (int)sizeof(type) || !src || !copy_safe( &type, src, sizeof(type) )) return WSAEFAULT;
    thread->open_type = type;
    return 0;
}

/* ---- the exports ---- */

static unsigned int do_getsockopt( SOCKET s, int level, int name, char *optval, int *len )
{
    const struct option *option;
    struct socket *sock;
    struct value value;
    unsigned int error;

    if (!(sock = socket_get( s ))) return GetLastError();
    if (level == SOL_SOCKET && name == SO_BSP_STATE) error = give_bsp_state( sock, optval, len );
    else if (!(error = find_option( sock, level, name, GET, &option )) &&
             !(error = get_value( sock, level, option, &value )))
    {
        if (!(error = give_value( option, &value, optval, len ))) TRACE( "value %s\n", debugstr_value( &value ));
    }
    socket_put( sock );
    return error;
}

/***********************************************************************
 *      getsockopt   (ws2_32.7)
 *
 * WSANOTINITIALISED, WSAENOTSOCK, WSAEFAULT (pointers, a length too small), WSAEINVAL (level), WSAENOPROTOOPT
 * (unknown, write-only, or not of this kind of socket).
 */
int WINAPI getsockopt( SOCKET s, int level, int name, char *optval, int *optlen )
{
    unsigned int error;
    int given = 0, len = 0;

    TRACE( "socket %#Ix, %s, optval %p, optlen %p\n", s, debugstr_level_option( level, name ), optval, optlen );

    if (!startup_check()) return return_error( WSANOTINITIALISED );
    if (!optlen || !copy_safe( &given, optlen, sizeof(given) )) error = WSAEFAULT;
    else
    {
        len = given;
        if (level == SOL_SOCKET && name == SO_OPENTYPE) error = get_open_type( optval, &len );
        else error = do_getsockopt( s, level, name, optval, &len );
    }
    if (optlen && len != given && !copy_safe( optlen, &len, sizeof(len) )) error = WSAEFAULT;

    if (!error) TRACE( "len %d\n", len );
    return return_error( error );
}

static unsigned int do_setsockopt( SOCKET s, int level, int name, const char *optval, int optlen )
{
    const struct option *option;
    struct socket *sock;
    struct value value;
    unsigned int error;

    if (!(sock = socket_get( s ))) return GetLastError();
    if (!(error = find_option( sock, level, name, SET, &option )) &&
        !(error = take_value( option, optval, optlen, &value )))
    {
        TRACE( "value %s\n", debugstr_value( &value ));
        error = set_value( sock, level, option, &value );
    }
    socket_put( sock );
    return error;
}

/***********************************************************************
 *      setsockopt   (ws2_32.21)
 *
 * WSANOTINITIALISED, WSAENOTSOCK, WSAEFAULT (pointer, a length too small), WSAEINVAL (level, value, or too late),
 * WSAENOPROTOOPT (unknown, read-only, or not of this kind of socket), WSAENETDOWN.
 */
int WINAPI setsockopt( SOCKET s, int level, int name, const char *optval, int optlen )
{
    unsigned int error;

    TRACE( "socket %#Ix, %s, optval %p, optlen %d\n", s, debugstr_level_option( level, name ), optval, optlen );

    if (!startup_check()) return return_error( WSANOTINITIALISED );
    if (level == SOL_SOCKET && name == SO_OPENTYPE) error = set_open_type( optval, optlen );
    else error = do_setsockopt( s, level, name, optval, optlen );

    return return_error( error );
}
