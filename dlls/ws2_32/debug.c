/*
 * Printers for the trace: Winsock's numbers and addresses as a program spells them
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
#include "ws2tcpip.h"
#include "mstcpip.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

/* Used only while a trace is written: tables are searched from the front. */

struct number_name
{
    unsigned int number;
    const char  *name;
};

#define NAME( x ) { (unsigned int)(x), #x }

static const char *find_name( const struct number_name *names, unsigned int count, unsigned int number )
{
    unsigned int i;

    for (i = 0; i < count; i++) if (names[i].number == number) return names[i].name;
    return NULL;
}

#define FIND( names, number ) find_name( names, ARRAY_SIZE( names ), number )

static const char *name_or_number( const char *name, const char *format, unsigned int number )
{
    return name ? name : wine_dbg_sprintf( format, number );
}

#ifndef ARRAY_SIZE
#define ARRAY_SIZE( x ) (sizeof(x) / sizeof((x)[0]))
#endif

/* newer than Wine's headers, or in none of them */
#ifndef AF_BTH
#define AF_BTH 32
#endif
#ifndef AF_HYPERV
#define AF_HYPERV 34
#endif

static const struct number_name families[] =
{
    NAME( AF_UNSPEC ),
    NAME( AF_UNIX ),
    NAME( AF_INET ),
    NAME( AF_IPX ),
    NAME( AF_APPLETALK ),
    NAME( AF_NETBIOS ),
    NAME( AF_INET6 ),
    NAME( AF_IRDA ),
    NAME( AF_BTH ),
    NAME( AF_HYPERV ),
    NAME( AF_TAPSTER ),
};

const char *debugstr_family( int family )
{
    return name_or_number( FIND( families, family ), "family %d", family );
}

static const struct number_name types[] =
{
    { 0, "0" },
    NAME( SOCK_STREAM ),
    NAME( SOCK_DGRAM ),
    NAME( SOCK_RAW ),
    NAME( SOCK_RDM ),
    NAME( SOCK_SEQPACKET ),
};

const char *debugstr_type( int type )
{
    return name_or_number( FIND( types, type ), "type %d", type );
}

static const struct number_name protocols[] =
{
    { 0, "0" },
    NAME( IPPROTO_ICMP ),
    NAME( IPPROTO_IGMP ),
    NAME( IPPROTO_GGP ),
    NAME( IPPROTO_IPV4 ),
    NAME( IPPROTO_TCP ),
    NAME( IPPROTO_UDP ),
    NAME( TAPSTERPROTO_LOCAL ),
    NAME( IPPROTO_IDP ),
    NAME( IPPROTO_IPV6 ),
    NAME( IPPROTO_ICMPV6 ),
    NAME( IPPROTO_ND ),
    NAME( IPPROTO_RAW ),
    { 1000, "NSPROTO_IPX" },
    { 1256, "NSPROTO_SPX" },
    { 1257, "NSPROTO_SPXII" },
};

const char *debugstr_protocol( int protocol )
{
    return name_or_number( FIND( protocols, protocol ), "protocol %d", protocol );
}

static const struct number_name socket_options[] =
{
    NAME( SO_DEBUG ),
    NAME( SO_ACCEPTCONN ),
    NAME( SO_REUSEADDR ),
    NAME( SO_EXCLUSIVEADDRUSE ),
    NAME( SO_KEEPALIVE ),
    NAME( SO_DONTROUTE ),
    NAME( SO_BROADCAST ),
    NAME( SO_USELOOPBACK ),
    NAME( SO_LINGER ),
    NAME( SO_DONTLINGER ),
    NAME( SO_OOBINLINE ),
    NAME( SO_SNDBUF ),
    NAME( SO_RCVBUF ),
    NAME( SO_SNDLOWAT ),
    NAME( SO_RCVLOWAT ),
    NAME( SO_SNDTIMEO ),
    NAME( SO_RCVTIMEO ),
    NAME( SO_ERROR ),
    NAME( SO_TYPE ),
    NAME( SO_BSP_STATE ),
    NAME( SO_GROUP_ID ),
    NAME( SO_GROUP_PRIORITY ),
    NAME( SO_MAX_MSG_SIZE ),
    NAME( SO_PROTOCOL_INFOA ),
    NAME( SO_PROTOCOL_INFOW ),
    { 0x3001, "PVD_CONFIG" },
    NAME( SO_CONDITIONAL_ACCEPT ),
    { 0x3003, "SO_PAUSE_ACCEPT" },
    { 0x3004, "SO_COMPARTMENT_ID" },
    NAME( SO_RANDOMIZE_PORT ),
    NAME( SO_PORT_SCALABILITY ),
    NAME( SO_REUSE_UNICASTPORT ),
    NAME( SO_REUSE_MULTICASTPORT ),
    { 0x7000, "SO_CONNDATA" },
    { 0x7001, "SO_CONNOPT" },
    { 0x7002, "SO_DISCDATA" },
    { 0x7003, "SO_DISCOPT" },
    { 0x7004, "SO_CONNDATALEN" },
    { 0x7005, "SO_CONNOPTLEN" },
    { 0x7006, "SO_DISCDATALEN" },
    { 0x7007, "SO_DISCOPTLEN" },
    { 0x7008, "SO_OPENTYPE" },
    { 0x7009, "SO_MAXDG" },
    { 0x700a, "SO_MAXPATHDG" },
    { 0x700b, "SO_UPDATE_ACCEPT_CONTEXT" },
    { 0x700c, "SO_CONNECT_TIME" },
    { 0x7010, "SO_UPDATE_CONNECT_CONTEXT" },
};

static const struct number_name tcp_options[] =
{
    NAME( TCP_NODELAY ),
    NAME( TCP_EXPEDITED_1122 ),
    NAME( TCP_KEEPALIVE ),
    NAME( TCP_MAXSEG ),
    NAME( TCP_MAXRT ),
    NAME( TCP_STDURG ),
    NAME( TCP_NOURG ),
    NAME( TCP_ATMARK ),
    NAME( TCP_NOSYNRETRIES ),
    NAME( TCP_TIMESTAMPS ),
    NAME( TCP_OFFLOAD_PREFERENCE ),
    NAME( TCP_CONGESTION_ALGORITHM ),
    NAME( TCP_DELAY_FIN_ACK ),
    { 14, "TCP_MAXRTMS" },
    { 15, "TCP_FASTOPEN" },
    { 16, "TCP_KEEPCNT" },
    { 17, "TCP_KEEPINTVL" },
    { 18, "TCP_FAIL_CONNECT_ON_ICMP_ERROR" },
    { 19, "TCP_ICMP_ERROR_INFO" },
    { 0x7000, "TCP_BSDURGENT" },
};

static const struct number_name udp_options[] =
{
    { 1, "UDP_NOCHECKSUM" },
    { 2, "UDP_SEND_MSG_SIZE" },
    { 3, "UDP_RECV_MAX_COALESCED_SIZE" },
    { 20, "UDP_CHECKSUM_COVERAGE" },
};

static const struct number_name ip_options[] =
{
    NAME( IP_OPTIONS ),
    NAME( IP_HDRINCL ),
    NAME( IP_TOS ),
    NAME( IP_TTL ),
    NAME( IP_MULTICAST_IF ),
    NAME( IP_MULTICAST_TTL ),
    NAME( IP_MULTICAST_LOOP ),
    NAME( IP_ADD_MEMBERSHIP ),
    NAME( IP_DROP_MEMBERSHIP ),
    NAME( IP_DONTFRAGMENT ),
    NAME( IP_ADD_SOURCE_MEMBERSHIP ),
    NAME( IP_DROP_SOURCE_MEMBERSHIP ),
    NAME( IP_BLOCK_SOURCE ),
    NAME( IP_UNBLOCK_SOURCE ),
    NAME( IP_PKTINFO ),
    NAME( IP_RECVTTL ),
    NAME( IP_RECEIVE_BROADCAST ),
    NAME( IP_RECVIF ),
    NAME( IP_RECVDSTADDR ),
    NAME( IP_IFLIST ),
    NAME( IP_ADD_IFLIST ),
    NAME( IP_DEL_IFLIST ),
    NAME( IP_UNICAST_IF ),
    NAME( IP_RTHDR ),
    NAME( IP_GET_IFLIST ),
    NAME( IP_RECVRTHDR ),
    NAME( IP_TCLASS ),
    NAME( IP_RECVTCLASS ),
    { 41, "MCAST_JOIN_GROUP" },
    { 42, "MCAST_LEAVE_GROUP" },
    { 43, "MCAST_BLOCK_SOURCE" },
    { 44, "MCAST_UNBLOCK_SOURCE" },
    { 45, "MCAST_JOIN_SOURCE_GROUP" },
    { 46, "MCAST_LEAVE_SOURCE_GROUP" },
    NAME( IP_ORIGINAL_ARRIVAL_IF ),
    NAME( IP_ECN ),
    NAME( IP_PKTINFO_EX ),
    NAME( IP_WFP_REDIRECT_RECORDS ),
    NAME( IP_WFP_REDIRECT_CONTEXT ),
    NAME( IP_MTU_DISCOVER ),
    NAME( IP_MTU ),
    NAME( IP_NRT_INTERFACE ),
    NAME( IP_RECVERR ),
    NAME( IP_USER_MTU ),
};

static const struct number_name ipv6_options[] =
{
    NAME( IPV6_HOPOPTS ),
    NAME( IPV6_HDRINCL ),
    NAME( IPV6_UNICAST_HOPS ),
    NAME( IPV6_MULTICAST_IF ),
    NAME( IPV6_MULTICAST_HOPS ),
    NAME( IPV6_MULTICAST_LOOP ),
    NAME( IPV6_ADD_MEMBERSHIP ),
    NAME( IPV6_DROP_MEMBERSHIP ),
    NAME( IPV6_DONTFRAG ),
    NAME( IPV6_PKTINFO ),
    NAME( IPV6_HOPLIMIT ),
    NAME( IPV6_PROTECTION_LEVEL ),
    NAME( IPV6_RECVIF ),
    NAME( IPV6_RECVDSTADDR ),
    NAME( IPV6_CHECKSUM ),
    NAME( IPV6_V6ONLY ),
    NAME( IPV6_IFLIST ),
    NAME( IPV6_ADD_IFLIST ),
    NAME( IPV6_DEL_IFLIST ),
    NAME( IPV6_UNICAST_IF ),
    NAME( IPV6_RTHDR ),
    NAME( IPV6_GET_IFLIST ),
    NAME( IPV6_RECVRTHDR ),
    NAME( IPV6_TCLASS ),
    NAME( IPV6_RECVTCLASS ),
    { 41, "MCAST_JOIN_GROUP" },
    { 42, "MCAST_LEAVE_GROUP" },
    { 43, "MCAST_BLOCK_SOURCE" },
    { 44, "MCAST_UNBLOCK_SOURCE" },
    { 45, "MCAST_JOIN_SOURCE_GROUP" },
    { 46, "MCAST_LEAVE_SOURCE_GROUP" },
    NAME( IPV6_ECN ),
    NAME( IPV6_PKTINFO_EX ),
    NAME( IPV6_WFP_REDIRECT_RECORDS ),
    NAME( IPV6_WFP_REDIRECT_CONTEXT ),
    NAME( IPV6_MTU_DISCOVER ),
    NAME( IPV6_MTU ),
    NAME( IPV6_NRT_INTERFACE ),
    NAME( IPV6_RECVERR ),
    NAME( IPV6_USER_MTU ),
};

static const struct
{
    int                       level;
    const char               *name;
    const struct number_name *options;
    unsigned int              count;
} levels[] =
{
    { SOL_SOCKET,   "SOL_SOCKET",   socket_options, ARRAY_SIZE( socket_options ) },
    { IPPROTO_TCP,  "IPPROTO_TCP",  tcp_options,    ARRAY_SIZE( tcp_options ) },
    { IPPROTO_UDP,  "IPPROTO_UDP",  udp_options,    ARRAY_SIZE( udp_options ) },
    { IPPROTO_IP,   "IPPROTO_IP",   ip_options,     ARRAY_SIZE( ip_options ) },
    { IPPROTO_IPV6, "IPPROTO_IPV6", ipv6_options,   ARRAY_SIZE( ipv6_options ) },
};

const char *debugstr_level_option( int level, int name )
{
    const char *option;
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE( levels ); i++)
    {
        if (levels[i].level != level) continue;
        if ((option = find_name( levels[i].options, levels[i].count, name )))
            return wine_dbg_sprintf( "level %s, name %s", levels[i].name, option );
        return wine_dbg_sprintf( "level %s, name %#x", levels[i].name, name );
    }
    return wine_dbg_sprintf( "level %#x, name %#x", level, name );
}

static const struct number_name ioctls[] =
{
    NAME( FIONBIO ),
    NAME( FIONREAD ),
    NAME( FIOASYNC ),
    NAME( SIOCSHIWAT ),
    NAME( SIOCGHIWAT ),
    NAME( SIOCSLOWAT ),
    NAME( SIOCGLOWAT ),
    NAME( SIOCATMARK ),
    NAME( SIO_ASSOCIATE_HANDLE ),
    NAME( SIO_ENABLE_CIRCULAR_QUEUEING ),
    NAME( SIO_FIND_ROUTE ),
    NAME( SIO_FLUSH ),
    NAME( SIO_GET_BROADCAST_ADDRESS ),
    NAME( SIO_GET_EXTENSION_FUNCTION_POINTER ),
    NAME( SIO_GET_QOS ),
    NAME( SIO_GET_GROUP_QOS ),
    NAME( SIO_MULTIPOINT_LOOPBACK ),
    NAME( SIO_MULTICAST_SCOPE ),
    NAME( SIO_SET_QOS ),
    NAME( SIO_SET_GROUP_QOS ),
    NAME( SIO_TRANSLATE_HANDLE ),
    NAME( SIO_ROUTING_INTERFACE_QUERY ),
    NAME( SIO_ROUTING_INTERFACE_CHANGE ),
    NAME( SIO_ADDRESS_LIST_QUERY ),
    NAME( SIO_ADDRESS_LIST_CHANGE ),
    NAME( SIO_QUERY_TARGET_PNP_HANDLE ),
    NAME( SIO_GET_INTERFACE_LIST ),
    NAME( SIO_IDEAL_SEND_BACKLOG_CHANGE ),
    NAME( SIO_IDEAL_SEND_BACKLOG_QUERY ),
    NAME( SIO_BASE_HANDLE ),
    NAME( SIO_RCVALL ),
    NAME( SIO_RCVALL_MCAST ),
    NAME( SIO_RCVALL_IGMPMCAST ),
    NAME( SIO_KEEPALIVE_VALS ),
    NAME( SIO_ABSORB_RTRALERT ),
    NAME( SIO_UCAST_IF ),
    NAME( SIO_LIMIT_BROADCASTS ),
    NAME( SIO_INDEX_BIND ),
    NAME( SIO_INDEX_MCASTIF ),
    NAME( SIO_INDEX_ADD_MCAST ),
    NAME( SIO_INDEX_DEL_MCAST ),
    NAME( SIO_UDP_CONNRESET ),
    NAME( SIO_SET_COMPATIBILITY_MODE ),
    /* not in Wine's headers */
    { _WSAIORW( IOC_WS2, 25 ), "SIO_ADDRESS_LIST_SORT" },
    { _WSAIOW( IOC_WS2, 25 ), "SIO_NSP_NOTIFY_CHANGE" },
    { _WSAIOR( IOC_WS2, 27 ), "SIO_BSP_HANDLE" },
    { _WSAIOR( IOC_WS2, 28 ), "SIO_BSP_HANDLE_SELECT" },
    { _WSAIOR( IOC_WS2, 29 ), "SIO_BSP_HANDLE_POLL" },
    { _WSAIORW( IOC_WS2, 30 ), "SIO_EXT_SELECT" },
    { _WSAIORW( IOC_WS2, 31 ), "SIO_EXT_POLL" },
    { _WSAIORW( IOC_WS2, 32 ), "SIO_EXT_SENDMSG" },
    { _WSAIORW( IOC_WS2, 36 ), "SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER" },
    { _WSAIOW( IOC_VENDOR, 13 ), "SIO_SOCKET_CLOSE_NOTIFY" },
    { _WSAIOW( IOC_VENDOR, 15 ), "SIO_UDP_NETRESET" },
    { _WSAIOW( IOC_VENDOR, 16 ), "SIO_LOOPBACK_FAST_PATH" },
    { _WSAIOW( IOC_VENDOR, 17 ), "SIO_TCP_INITIAL_RTO" },
    { _WSAIOW( IOC_VENDOR, 19 ), "SIO_APPLY_TRANSPORT_SETTING" },
    { _WSAIOW( IOC_VENDOR, 20 ), "SIO_QUERY_TRANSPORT_SETTING" },
    { _WSAIOW( IOC_VENDOR, 21 ), "SIO_CPU_AFFINITY" },
    { _WSAIOW( IOC_VENDOR, 22 ), "SIO_TCP_SET_ICW" },
    { _WSAIOW( IOC_VENDOR, 23 ), "SIO_TCP_SET_ACK_FREQUENCY" },
    { _WSAIOW( IOC_VENDOR, 24 ), "SIO_SET_PRIORITY_HINT" },
    { _WSAIORW( IOC_VENDOR, 39 ), "SIO_TCP_INFO" },
    { _WSAIOW( IOC_VENDOR, 100 ), "SIO_ACQUIRE_PORT_RESERVATION" },
    { _WSAIOW( IOC_VENDOR, 101 ), "SIO_RELEASE_PORT_RESERVATION" },
    { _WSAIOW( IOC_VENDOR, 102 ), "SIO_ASSOCIATE_PORT_RESERVATION" },
    { _WSAIOW( IOC_VENDOR, 234 ), "SIO_GET_TX_TIMESTAMP" },
    { _WSAIOW( IOC_VENDOR, 235 ), "SIO_TIMESTAMPING" },
};

const char *debugstr_ioctl( DWORD code )
{
    return name_or_number( FIND( ioctls, code ), "ioctl %#x", code );
}

static const struct number_name msg_flags[] =
{
    NAME( MSG_OOB ),
    NAME( MSG_PEEK ),
    NAME( MSG_DONTROUTE ),
    NAME( MSG_WAITALL ),
    NAME( MSG_INTERRUPT ),
    { 0x20, "MSG_PUSH_IMMEDIATE" },
    { 0x100, "MSG_TRUNC" },
    { 0x200, "MSG_CTRUNC" },
    { 0x400, "MSG_BCAST" },
    { 0x800, "MSG_MCAST" },
    { 0x1000, "MSG_ERRQUEUE" },
    NAME( MSG_PARTIAL ),
};

const char *debugstr_msg_flags( DWORD flags )
{
    char buffer[160];
    unsigned int i, pos = 0;

    if (!flags) return "0";
    for (i = 0; i < ARRAY_SIZE( msg_flags ); i++)
    {
        if (!(flags & msg_flags[i].number)) continue;
        pos += snprintf( buffer + pos, sizeof(buffer) - pos, "%s%s", pos ? "|" : "", msg_flags[i].name );
        flags &= ~msg_flags[i].number;
    }
    if (flags) snprintf( buffer + pos, sizeof(buffer) - pos, "%s%#x", pos ? "|" : "", (unsigned int)flags );
    return wine_dbg_sprintf( "%s", buffer );
}

static const struct number_name errors[] =
{
    { 0, "success" },
    NAME( WSA_INVALID_HANDLE ),
    NAME( ERROR_NOT_SUPPORTED ),
    NAME( ERROR_INSUFFICIENT_BUFFER ),
    NAME( WSA_NOT_ENOUGH_MEMORY ),
    NAME( WSA_INVALID_PARAMETER ),
    NAME( WSA_OPERATION_ABORTED ),
    NAME( WSA_IO_INCOMPLETE ),
    NAME( WSA_IO_PENDING ),
    NAME( WSAEINTR ),
    NAME( WSAEBADF ),
    NAME( WSAEACCES ),
    NAME( WSAEFAULT ),
    NAME( WSAEINVAL ),
    NAME( WSAEMFILE ),
    NAME( WSAEWOULDBLOCK ),
    NAME( WSAEINPROGRESS ),
    NAME( WSAEALREADY ),
    NAME( WSAENOTSOCK ),
    NAME( WSAEDESTADDRREQ ),
    NAME( WSAEMSGSIZE ),
    NAME( WSAEPROTOTYPE ),
    NAME( WSAENOPROTOOPT ),
    NAME( WSAEPROTONOSUPPORT ),
    NAME( WSAESOCKTNOSUPPORT ),
    NAME( WSAEOPNOTSUPP ),
    NAME( WSAEPFNOSUPPORT ),
    NAME( WSAEAFNOSUPPORT ),
    NAME( WSAEADDRINUSE ),
    NAME( WSAEADDRNOTAVAIL ),
    NAME( WSAENETDOWN ),
    NAME( WSAENETUNREACH ),
    NAME( WSAENETRESET ),
    NAME( WSAECONNABORTED ),
    NAME( WSAECONNRESET ),
    NAME( WSAENOBUFS ),
    NAME( WSAEISCONN ),
    NAME( WSAENOTCONN ),
    NAME( WSAESHUTDOWN ),
    NAME( WSAETOOMANYREFS ),
    NAME( WSAETIMEDOUT ),
    NAME( WSAECONNREFUSED ),
    NAME( WSAELOOP ),
    NAME( WSAENAMETOOLONG ),
    NAME( WSAEHOSTDOWN ),
    NAME( WSAEHOSTUNREACH ),
    NAME( WSAENOTEMPTY ),
    NAME( WSAEPROCLIM ),
    NAME( WSAEUSERS ),
    NAME( WSAEDQUOT ),
    NAME( WSAESTALE ),
    NAME( WSAEREMOTE ),
    NAME( WSASYSNOTREADY ),
    NAME( WSAVERNOTSUPPORTED ),
    NAME( WSANOTINITIALISED ),
    NAME( WSAEDISCON ),
    NAME( WSAENOMORE ),
    NAME( WSAECANCELLED ),
    NAME( WSAEINVALIDPROCTABLE ),
    NAME( WSAEINVALIDPROVIDER ),
    NAME( WSAEPROVIDERFAILEDINIT ),
    NAME( WSASYSCALLFAILURE ),
    NAME( WSASERVICE_NOT_FOUND ),
    NAME( WSATYPE_NOT_FOUND ),
    NAME( WSA_E_NO_MORE ),
    NAME( WSA_E_CANCELLED ),
    NAME( WSAEREFUSED ),
    NAME( WSAHOST_NOT_FOUND ),
    NAME( WSATRY_AGAIN ),
    NAME( WSANO_RECOVERY ),
    NAME( WSANO_DATA ),
};

const char *debugstr_error( unsigned int error )
{
    return name_or_number( FIND( errors, error ), "error %u", error );
}

/* A line of the export's, though it is written here. */
#define TRACE_OF( func, ... ) \
    do { if (TRACE_ON( winsock )) wine_dbg_log( __WINE_DBCL_TRACE, &__wine_dbch_winsock, func, __VA_ARGS__ ); } while (0)

void trace_error( const char *func, unsigned int error )
{
    TRACE_OF( func, "-> %s\n", debugstr_error( error ) );
}

void trace_count( const char *func, unsigned int count )
{
    TRACE_OF( func, "-> %u\n", count );
}

void trace_socket( const char *func, SOCKET s )
{
    TRACE_OF( func, "-> socket %#Ix\n", s );
}

/* eight groups, without shortening: the trace is for reading, InetNtop for programs */
static const char *debugstr_in6_addr( const IN6_ADDR *addr )
{
    const BYTE *b = (const BYTE *)addr;
    char buffer[40];
    int i, pos = 0;

    for (i = 0; i < 16; i += 2)
        pos += snprintf( buffer + pos, sizeof(buffer) - pos, "%s%x", i ? ":" : "", b[i] << 8 | b[i + 1] );
    return wine_dbg_sprintf( "%s", buffer );
}

static const char *debugstr_sockaddr_in( const SOCKADDR_IN *in )
{
    const BYTE *b = (const BYTE *)&in->sin_addr;

    return wine_dbg_sprintf( "{ AF_INET, %u.%u.%u.%u, port %u }", b[0], b[1], b[2], b[3],
                             RtlUshortByteSwap( in->sin_port ) );
}

static const char *debugstr_sockaddr_in6( const SOCKADDR_IN6 *in6 )
{
    return wine_dbg_sprintf( "{ AF_INET6, %s, flow label %#x, port %u, scope %u }",
                             debugstr_in6_addr( &in6->sin6_addr ),
                             (unsigned int)RtlUlongByteSwap( in6->sin6_flowinfo ),
                             RtlUshortByteSwap( in6->sin6_port ), (unsigned int)in6->sin6_scope_id );
}

/* copies what it prints: the program may have passed anything, and may change it meanwhile */
const char *debugstr_sockaddr( const void *addr, int len )
{
    union
    {
        USHORT       family;
        SOCKADDR_IN  in;
        SOCKADDR_IN6 in6;
        SOCKADDR_TAPSTER tapster;
        struct { USHORT family; char path[108]; } local;
    } copy;

    if (!addr) return "(null)";
    if (len < (int)sizeof(copy.family)) return wine_dbg_sprintf( "%p (%d bytes)", addr, len );
    memset( &copy, 0, sizeof(copy) );
    if (!copy_safe( &copy, addr, min( (SIZE_T)len, sizeof(copy) ) )) return wine_dbg_sprintf( "%p (invalid)", addr );

    if (copy.family == AF_INET && len >= (int)sizeof(copy.in)) return debugstr_sockaddr_in( &copy.in );
    if (copy.family == AF_INET6 && len >= (int)sizeof(copy.in6)) return debugstr_sockaddr_in6( &copy.in6 );
    if (copy.family == AF_TAPSTER && len >= (int)sizeof(copy.tapster))
        return wine_dbg_sprintf( "{ AF_TAPSTER, port %lu }", copy.tapster.st_port );
    if (copy.family == AF_UNIX)
        return wine_dbg_sprintf( "{ AF_UNIX, %s }", debugstr_an( copy.local.path, strnlen( copy.local.path, 108 ) ) );
    return wine_dbg_sprintf( "{ %s, %d bytes }", debugstr_family( copy.family ), len );
}
