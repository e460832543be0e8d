/*
 * Options, names and ioctls, straight on the kernel socket
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
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <time.h>
#include <linux/sockios.h>

/* Each function below does one option or a kind of options, for one direction.
 * Values come and go in Winsock's form, validated by the PE side but for what
 * only the kernel knows. */

struct option
{
    int           level;                /* Winsock's */
    int           name;
    int           unix_level;
    int           unix_name;
    unsigned int (*get)( struct unix_socket *socket, const struct option *option, void *value, int *len );
    unsigned int (*set)( struct unix_socket *socket, const struct option *option, const void *value, int len );
};

/* ---- integers and flags ---- */

static unsigned int unix_get( struct unix_socket *socket, int level, int name, int *value )
{
    socklen_t len = sizeof(*value);

    *value = 0;
    return getsockopt( socket->fd, level, name, value, &len ) ? error_from_errno( errno ) : 0;
}

static unsigned int unix_set( struct unix_socket *socket, int level, int name, int value )
{
    return setsockopt( socket->fd, level, name, &value, sizeof(value) ) ? error_from_errno( errno ) : 0;
}

static unsigned int return_int( int number, void *value, int *len )
{
    if (*len < (int)sizeof(number)) return WSAEFAULT;
    memcpy( value, &number, sizeof(number) );
    *len = sizeof(number);
    return 0;
}

static int given_int( const void *value )
{
    int number;

    memcpy( &number, value, sizeof(number) );
    return number;
}

static unsigned int get_int( struct unix_socket *socket, const struct option *option, void *value, int *len )
{
    unsigned int error;
    int number;

    if ((error = unix_get( socket, option->unix_level, option->unix_name, &number ))) return error;
    return return_int( number, value, len );
}

static unsigned int set_int( struct unix_socket *socket, const struct option *option, const void *value, int len )
{
    if (len < (int)sizeof(int)) return WSAEFAULT;
    return unix_set( socket, option->unix_level, option->unix_name, given_int( value ) );
}

static unsigned int get_bool( struct unix_socket *socket, const struct option *option, void *value, int *len )
{
    unsigned int error;
    int number;

    if ((error = unix_get( socket, option->unix_level, option->unix_name, &number ))) return error;
    return return_int( !!number, value, len );
}

static unsigned int set_bool( struct unix_socket *socket, const struct option *option, const void *value, int len )
{
    if (len < (int)sizeof(int)) return WSAEFAULT;
    return unix_set( socket, option->unix_level, option->unix_name, !!given_int( value ) );
}

/* plain bytes, the same on both sides */
static unsigned int get_bytes( struct unix_socket *socket, const struct option *option, void *value, int *len )
{
    socklen_t size = *len;

    if (getsockopt( socket->fd, option->unix_level, option->unix_name, value, &size )) return error_from_errno( errno );
    *len = size;
    return 0;
}

static unsigned int set_bytes( struct unix_socket *socket, const struct option *option, const void *value, int len )
{
    if (!setsockopt( socket->fd, option->unix_level, option->unix_name, value, len )) return 0;
    /* Windows refuses a group joined already as it does anything else that is wrong with it */
    return errno == EADDRINUSE ? WSAEINVAL : error_from_errno( errno );
}

/* ---- SOL_SOCKET ---- */

/* is the next byte of the stream an urgent one that has been received apart? */
static int is_taken_urgent( int fd )
{
    int at_mark = 0;
    char byte;

    if (ioctl( fd, SIOCATMARK, &at_mark ) || !at_mark) return 0;
    return recv( fd, &byte, 1, MSG_OOB | MSG_PEEK | MSG_DONTWAIT ) == -1 && errno == EINVAL;
}

/* Linux steps over such a byte only when it reads the stream, and in line no more: it would come twice. */
static unsigned int set_oobinline( struct unix_socket *socket, const struct option *option, const void *value, int len )
{
    int taken = is_taken_urgent( socket->fd ), old = 0;
    unsigned int error;
    char byte;

    unix_get( socket, option->unix_level, option->unix_name, &old );
    if ((error = set_bool( socket, option, value, len ))) return error;
    if (taken && !old && given_int( value )) recv( socket->fd, &byte, 1, MSG_DONTWAIT );
    return 0;
}

/* seconds since it was connected, all bits set if it is not. The helper notes CLOCK_MONOTONIC. */
static unsigned int get_connect_time( struct unix_socket *socket, const struct option *option, void *value, int *len )
{
    const struct slot *slot = __atomic_load_n( &socket->slot, __ATOMIC_ACQUIRE );
    u32 since = __atomic_load_n( &slot->connect_time, __ATOMIC_RELAXED );
    struct timespec now;

    (void)option;
    if (!since || __atomic_load_n( &slot->state, __ATOMIC_RELAXED ) != SOCKET_CONNECTED)
        return return_int( -1, value, len );
    clock_gettime( CLOCK_MONOTONIC, &now );
    return return_int( (u32)now.tv_sec - since, value, len );
}

/* ---- IPPROTO_TCP ---- */

/* Linux takes 1 to 32767 seconds; Windows more, which here means 9 hours */
static unsigned int set_seconds( struct unix_socket *socket, const struct option *option, const void *value, int len )
{
    unsigned int seconds;

    if (len < (int)sizeof(int)) return WSAEFAULT;
    if (!(seconds = given_int( value ))) return WSAEINVAL;
    if (seconds > 32767) seconds = 32767;
    return unix_set( socket, option->unix_level, option->unix_name, seconds );
}

/* Linux takes 1 to 127 probes, Windows 1 to 255 */
static unsigned int set_probes( struct unix_socket *socket, const struct option *option, const void *value, int len )
{
    unsigned int probes;

    if (len < (int)sizeof(int)) return WSAEFAULT;
    if (!(probes = given_int( value )) || probes > 255) return WSAEINVAL;
    return unix_set( socket, option->unix_level, option->unix_name, probes > 127 ? 127 : probes );
}

/* Unacknowledged data: Windows counts seconds (TCP_MAXRT) or milliseconds (TCP_MAXRTMS),
 * all bits set for never; Linux milliseconds. 0 is the system's own idea on both. */
static unsigned int get_patience( struct unix_socket *socket, const struct option *option, void *value, int *len )
{
    unsigned int error;
    int ms;

    if ((error = unix_get( socket, option->unix_level, option->unix_name, &ms ))) return error;
    if (ms == INT_MAX) return return_int( -1, value, len );
    return return_int( option->name == WS_TCP_MAXRT ? ms / 1000 : ms, value, len );
}

static unsigned int set_patience( struct unix_socket *socket, const struct option *option, const void *value, int len )
{
    unsigned int given, unit = option->name == WS_TCP_MAXRT ? 1000 : 1;

    if (len < (int)sizeof(int)) return WSAEFAULT;
    given = given_int( value );
    return unix_set( socket, option->unix_level, option->unix_name, given > INT_MAX / unit ? INT_MAX : given * unit );
}

/* A listener's: how many connections may wait that sent data with their SYN. A
 * connecting socket uses it only with ConnectEx' data. */
#define FASTOPEN_QUEUE 256

static unsigned int set_fastopen( struct unix_socket *socket, const struct option *option, const void *value, int len )
{
    if (len < (int)sizeof(int)) return WSAEFAULT;
    return unix_set( socket, option->unix_level, option->unix_name, given_int( value ) ? FASTOPEN_QUEUE : 0 );
}

static unsigned int get_timestamps( struct unix_socket *socket, const struct option *option, void *value, int *len )
{
    struct tcp_info info = { 0 };
    socklen_t size = sizeof(info);

    if (getsockopt( socket->fd, option->unix_level, option->unix_name, &info, &size )) return error_from_errno( errno );
    return return_int( (info.tcpi_options & TCPI_OPT_TIMESTAMPS) != 0, value, len );
}

/* ---- path MTU ---- */

/* Windows: as the system has it, always, never, and probing with DF set */
static const int mtu_discover[] = { IP_PMTUDISC_WANT, IP_PMTUDISC_DO, IP_PMTUDISC_DONT, IP_PMTUDISC_PROBE };

_Static_assert( IP_PMTUDISC_WANT == IPV6_PMTUDISC_WANT && IP_PMTUDISC_DO == IPV6_PMTUDISC_DO &&
                IP_PMTUDISC_DONT == IPV6_PMTUDISC_DONT && IP_PMTUDISC_PROBE == IPV6_PMTUDISC_PROBE,
                "one table serves both" );

static unsigned int get_mtu_discover( struct unix_socket *socket, const struct option *option, void *value, int *len )
{
    unsigned int error, i;
    int number;

    if ((error = unix_get( socket, option->unix_level, option->unix_name, &number ))) return error;
    for (i = 0; i < sizeof(mtu_discover) / sizeof(mtu_discover[0]); i++) if (mtu_discover[i] == number) break;
    return return_int( i < 4 ? i : 0, value, len );
}

static unsigned int set_mtu_discover( struct unix_socket *socket, const struct option *option,
                                      const void *value, int len )
{
    unsigned int number;

    if (len < (int)sizeof(int)) return WSAEFAULT;
    if ((number = given_int( value )) >= sizeof(mtu_discover) / sizeof(mtu_discover[0])) return WSAEINVAL;
    return unix_set( socket, option->unix_level, option->unix_name, mtu_discover[number] );
}

static unsigned int get_dontfragment( struct unix_socket *socket, const struct option *option, void *value, int *len )
{
    unsigned int error;
    int number;

    if ((error = unix_get( socket, option->unix_level, option->unix_name, &number ))) return error;
    return return_int( number == IP_PMTUDISC_DO || number == IP_PMTUDISC_PROBE, value, len );
}

static unsigned int set_dontfragment( struct unix_socket *socket, const struct option *option,
                                      const void *value, int len )
{
    if (len < (int)sizeof(int)) return WSAEFAULT;
    return unix_set( socket, option->unix_level, option->unix_name,
                     given_int( value ) ? IP_PMTUDISC_DO : IP_PMTUDISC_WANT );
}

/* ---- interfaces and groups ---- */

/* In an IPv4 structure Windows takes an interface's index too, as an address 0.x.x.x. */
static void interface_to_unix( struct in_addr given, struct in_addr *address, int *index )
{
    unsigned int host = ntohl( given.s_addr );

    *index = host && !(host >> 24) ? host : 0;
    address->s_addr = *index ? INADDR_ANY : given.s_addr;
}

/* Linux looks an address's interface up again when it sends; it says 0.0.0.0 of one chosen by index */
static unsigned int set_multicast_if( struct unix_socket *socket, const struct option *option,
                                      const void *value, int len )
{
    struct ip_mreqn mreq = { 0 };
    struct in_addr given;

    if (len < (int)sizeof(given)) return WSAEFAULT;
    memcpy( &given, value, sizeof(given) );
    interface_to_unix( given, &mreq.imr_address, &mreq.imr_ifindex );
    return set_bytes( socket, option, &mreq, sizeof(mreq) );
}

static unsigned int set_membership( struct unix_socket *socket, const struct option *option,
                                    const void *value, int len )
{
    struct in_addr given[2];            /* ip_mreq: group, interface */
    struct ip_mreqn mreq;

    if (len < (int)sizeof(given)) return WSAEFAULT;
    memcpy( given, value, sizeof(given) );
    mreq.imr_multiaddr = given[0];
    interface_to_unix( given[1], &mreq.imr_address, &mreq.imr_ifindex );
    return set_bytes( socket, option, &mreq, sizeof(mreq) );
}

/* unix_name is that of the group_source_req form, which can hold an index */
static unsigned int set_source( struct unix_socket *socket, const struct option *option, const void *value, int len )
{
    struct in_addr given[3], address;   /* ip_mreq_source: group, source, interface */
    struct group_source_req req = { 0 };
    struct sockaddr_in *group = (struct sockaddr_in *)&req.gsr_group, *source = (struct sockaddr_in *)&req.gsr_source;
    struct ifaddrs *list, *entry;
    int index;

    if (len < (int)sizeof(given)) return WSAEFAULT;
    memcpy( given, value, sizeof(given) );
    interface_to_unix( given[2], &address, &index );
    if (address.s_addr)
    {
        if (getifaddrs( &list )) return error_from_errno( errno );
        for (entry = list; entry && !index; entry = entry->ifa_next)
        {
            if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET) continue;
            if (((struct sockaddr_in *)entry->ifa_addr)->sin_addr.s_addr != address.s_addr) continue;
            index = if_nametoindex( entry->ifa_name );
        }
        freeifaddrs( list );
        if (!index) return WSAEADDRNOTAVAIL;
    }

    group->sin_family = source->sin_family = AF_INET;
    group->sin_addr = given[0];
    source->sin_addr = given[1];
    req.gsr_interface = index;
    return set_bytes( socket, option, &req, sizeof(req) );
}

/* GROUP_REQ and GROUP_SOURCE_REQ: an index and one or two SOCKADDR_STORAGE, which
 * Linux lays out alike */
static unsigned int set_group( struct unix_socket *socket, const struct option *option, const void *value, int len )
{
    struct group_source_req req = { 0 };
    const char *given = value;
    int offset = offsetof( struct group_source_req, gsr_group );

    if (len < offset + (int)sizeof(req.gsr_group)) return WSAEFAULT;
    memcpy( &req.gsr_interface, given, sizeof(req.gsr_interface) );
    if (!sockaddr_to_unix( given + offset, sizeof(req.gsr_group), &req.gsr_group )) return WSAEINVAL;
    if (option->name == WINSOCK_MCAST_JOIN_GROUP || option->name == WINSOCK_MCAST_LEAVE_GROUP)
        return set_bytes( socket, option, &req, sizeof(struct group_req) );

    offset = offsetof( struct group_source_req, gsr_source );
    if (len < offset + (int)sizeof(req.gsr_source)) return WSAEFAULT;
    if (!sockaddr_to_unix( given + offset, sizeof(req.gsr_source), &req.gsr_source )) return WSAEINVAL;
    return set_bytes( socket, option, &req, sizeof(req) );
}

/* Windows has the index in host order for IPv6, Linux in network order for both */
static unsigned int get_unicast_if6( struct unix_socket *socket, const struct option *option, void *value, int *len )
{
    unsigned int error;
    int number;

    if ((error = unix_get( socket, option->unix_level, option->unix_name, &number ))) return error;
    return return_int( ntohl( number ), value, len );
}

static unsigned int set_unicast_if6( struct unix_socket *socket, const struct option *option,
                                     const void *value, int len )
{
    if (len < (int)sizeof(int)) return WSAEFAULT;
    return unix_set( socket, option->unix_level, option->unix_name, htonl( given_int( value ) ) );
}

/* ---- the table ---- */

#define OPTION( level, name, unix_level, unix_name, get, set ) \
    { WS_ ## level, WS_ ## name, unix_level, unix_name, get, set }
#define OPTION_NEW( level, name, unix_level, unix_name, get, set ) \
    { WS_ ## level, WINSOCK_ ## name, unix_level, unix_name, get, set }

/* searched from the front: O(entries), some 20 ns at most */
static const struct option options[] =
{
    OPTION( SOL_SOCKET, SO_KEEPALIVE, SOL_SOCKET, SO_KEEPALIVE, get_bool, set_bool ),
    OPTION( SOL_SOCKET, SO_BROADCAST, SOL_SOCKET, SO_BROADCAST, get_bool, set_bool ),
    OPTION( SOL_SOCKET, SO_OOBINLINE, SOL_SOCKET, SO_OOBINLINE, get_bool, set_oobinline ),
    OPTION( SOL_SOCKET, SO_CONNECT_TIME, 0, 0, get_connect_time, NULL ),

    OPTION( IPPROTO_TCP, TCP_NODELAY, IPPROTO_TCP, TCP_NODELAY, get_bool, set_bool ),
    OPTION( IPPROTO_TCP, TCP_KEEPALIVE, IPPROTO_TCP, TCP_KEEPIDLE, get_int, set_seconds ),
    OPTION( IPPROTO_TCP, TCP_MAXSEG, IPPROTO_TCP, TCP_MAXSEG, get_int, NULL ),
    OPTION( IPPROTO_TCP, TCP_MAXRT, IPPROTO_TCP, TCP_USER_TIMEOUT, get_patience, set_patience ),
    OPTION( IPPROTO_TCP, TCP_TIMESTAMPS, IPPROTO_TCP, TCP_INFO, get_timestamps, NULL ),
    OPTION_NEW( IPPROTO_TCP, TCP_MAXRTMS, IPPROTO_TCP, TCP_USER_TIMEOUT, get_patience, set_patience ),
    OPTION_NEW( IPPROTO_TCP, TCP_FASTOPEN, IPPROTO_TCP, TCP_FASTOPEN, get_bool, set_fastopen ),
    OPTION_NEW( IPPROTO_TCP, TCP_KEEPCNT, IPPROTO_TCP, TCP_KEEPCNT, get_int, set_probes ),
    OPTION_NEW( IPPROTO_TCP, TCP_KEEPINTVL, IPPROTO_TCP, TCP_KEEPINTVL, get_int, set_seconds ),

    OPTION_NEW( IPPROTO_UDP, UDP_NOCHECKSUM, SOL_SOCKET, SO_NO_CHECK, get_bool, set_bool ),
    OPTION_NEW( IPPROTO_UDP, UDP_SEND_MSG_SIZE, IPPROTO_UDP, UDP_SEGMENT, get_int, set_int ),

    OPTION( IPPROTO_IP, IP_OPTIONS, IPPROTO_IP, IP_OPTIONS, get_bytes, set_bytes ),
    OPTION( IPPROTO_IP, IP_HDRINCL, IPPROTO_IP, IP_HDRINCL, get_bool, set_bool ),
    OPTION( IPPROTO_IP, IP_TOS, IPPROTO_IP, IP_TOS, get_int, set_int ),
    OPTION( IPPROTO_IP, IP_TTL, IPPROTO_IP, IP_TTL, get_int, set_int ),
    OPTION( IPPROTO_IP, IP_MULTICAST_IF, IPPROTO_IP, IP_MULTICAST_IF, get_bytes, set_multicast_if ),
    OPTION( IPPROTO_IP, IP_MULTICAST_TTL, IPPROTO_IP, IP_MULTICAST_TTL, get_int, set_int ),
    OPTION( IPPROTO_IP, IP_MULTICAST_LOOP, IPPROTO_IP, IP_MULTICAST_LOOP, get_bool, set_bool ),
    OPTION( IPPROTO_IP, IP_ADD_MEMBERSHIP, IPPROTO_IP, IP_ADD_MEMBERSHIP, NULL, set_membership ),
    OPTION( IPPROTO_IP, IP_DROP_MEMBERSHIP, IPPROTO_IP, IP_DROP_MEMBERSHIP, NULL, set_membership ),
    OPTION( IPPROTO_IP, IP_DONTFRAGMENT, IPPROTO_IP, IP_MTU_DISCOVER, get_dontfragment, set_dontfragment ),
    OPTION( IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, NULL, set_source ),
    OPTION( IPPROTO_IP, IP_DROP_SOURCE_MEMBERSHIP, IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, NULL, set_source ),
    OPTION( IPPROTO_IP, IP_BLOCK_SOURCE, IPPROTO_IP, MCAST_BLOCK_SOURCE, NULL, set_source ),
    OPTION( IPPROTO_IP, IP_UNBLOCK_SOURCE, IPPROTO_IP, MCAST_UNBLOCK_SOURCE, NULL, set_source ),
    OPTION( IPPROTO_IP, IP_PKTINFO, IPPROTO_IP, IP_PKTINFO, get_bool, set_bool ),
    OPTION( IPPROTO_IP, IP_RECVTTL, IPPROTO_IP, IP_RECVTTL, get_bool, set_bool ),
    OPTION( IPPROTO_IP, IP_RECVTOS, IPPROTO_IP, IP_RECVTOS, get_bool, set_bool ),
    OPTION( IPPROTO_IP, IP_UNICAST_IF, IPPROTO_IP, IP_UNICAST_IF, get_int, set_int ),
    OPTION( IPPROTO_IP, IP_MTU_DISCOVER, IPPROTO_IP, IP_MTU_DISCOVER, get_mtu_discover, set_mtu_discover ),
    OPTION( IPPROTO_IP, IP_MTU, IPPROTO_IP, IP_MTU, get_int, NULL ),
    OPTION_NEW( IPPROTO_IP, MCAST_JOIN_GROUP, IPPROTO_IP, MCAST_JOIN_GROUP, NULL, set_group ),
    OPTION_NEW( IPPROTO_IP, MCAST_LEAVE_GROUP, IPPROTO_IP, MCAST_LEAVE_GROUP, NULL, set_group ),
    OPTION_NEW( IPPROTO_IP, MCAST_BLOCK_SOURCE, IPPROTO_IP, MCAST_BLOCK_SOURCE, NULL, set_group ),
    OPTION_NEW( IPPROTO_IP, MCAST_UNBLOCK_SOURCE, IPPROTO_IP, MCAST_UNBLOCK_SOURCE, NULL, set_group ),
    OPTION_NEW( IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, NULL, set_group ),
    OPTION_NEW( IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, NULL, set_group ),

    OPTION( IPPROTO_IPV6, IPV6_HDRINCL, IPPROTO_IPV6, IPV6_HDRINCL, get_bool, set_bool ),
    OPTION( IPPROTO_IPV6, IPV6_UNICAST_HOPS, IPPROTO_IPV6, IPV6_UNICAST_HOPS, get_int, set_int ),
    OPTION( IPPROTO_IPV6, IPV6_MULTICAST_IF, IPPROTO_IPV6, IPV6_MULTICAST_IF, get_int, set_int ),
    OPTION( IPPROTO_IPV6, IPV6_MULTICAST_HOPS, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, get_int, set_int ),
    OPTION( IPPROTO_IPV6, IPV6_MULTICAST_LOOP, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, get_bool, set_bool ),
    OPTION( IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, NULL, set_bytes ),
    OPTION( IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP, IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP, NULL, set_bytes ),
    OPTION( IPPROTO_IPV6, IPV6_DONTFRAG, IPPROTO_IPV6, IPV6_DONTFRAG, get_bool, set_bool ),
    OPTION( IPPROTO_IPV6, IPV6_PKTINFO, IPPROTO_IPV6, IPV6_RECVPKTINFO, get_bool, set_bool ),
    OPTION( IPPROTO_IPV6, IPV6_HOPLIMIT, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, get_bool, set_bool ),
    OPTION( IPPROTO_IPV6, IPV6_CHECKSUM, IPPROTO_IPV6, IPV6_CHECKSUM, get_int, set_int ),
    OPTION( IPPROTO_IPV6, IPV6_V6ONLY, IPPROTO_IPV6, IPV6_V6ONLY, get_bool, set_bool ),
    OPTION( IPPROTO_IPV6, IPV6_UNICAST_IF, IPPROTO_IPV6, IPV6_UNICAST_IF, get_unicast_if6, set_unicast_if6 ),
    OPTION( IPPROTO_IPV6, IPV6_TCLASS, IPPROTO_IPV6, IPV6_TCLASS, get_int, set_int ),
    OPTION( IPPROTO_IPV6, IPV6_RECVTCLASS, IPPROTO_IPV6, IPV6_RECVTCLASS, get_bool, set_bool ),
    OPTION( IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPPROTO_IPV6, IPV6_MTU_DISCOVER, get_mtu_discover, set_mtu_discover ),
    OPTION( IPPROTO_IPV6, IPV6_MTU, IPPROTO_IPV6, IPV6_MTU, get_int, NULL ),
    OPTION_NEW( IPPROTO_IPV6, MCAST_JOIN_GROUP, IPPROTO_IPV6, MCAST_JOIN_GROUP, NULL, set_group ),
    OPTION_NEW( IPPROTO_IPV6, MCAST_LEAVE_GROUP, IPPROTO_IPV6, MCAST_LEAVE_GROUP, NULL, set_group ),
    OPTION_NEW( IPPROTO_IPV6, MCAST_BLOCK_SOURCE, IPPROTO_IPV6, MCAST_BLOCK_SOURCE, NULL, set_group ),
    OPTION_NEW( IPPROTO_IPV6, MCAST_UNBLOCK_SOURCE, IPPROTO_IPV6, MCAST_UNBLOCK_SOURCE, NULL, set_group ),
    OPTION_NEW( IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, NULL, set_group ),
    OPTION_NEW( IPPROTO_IPV6, MCAST_LEAVE_SOURCE_GROUP, IPPROTO_IPV6, MCAST_LEAVE_SOURCE_GROUP, NULL, set_group ),
};

static const struct option *find_option( int level, int name )
{
    unsigned int i;

    for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (options[i].level == level && options[i].name == name) return &options[i];
    return NULL;
}

NTSTATUS option_get( void *args )
{
    struct getsockopt_params *params = args;
    const struct option *option = find_option( params->level, params->name );

    if (!option || !option->get) return WSAENOPROTOOPT;
    return option->get( params->socket, option, params->value, &params->len );
}

NTSTATUS option_set( void *args )
{
    struct setsockopt_params *params = args;
    const struct option *option = find_option( params->level, params->name );

    if (!option || !option->set) return WSAENOPROTOOPT;
    return option->set( params->socket, option, params->value, params->len );
}

/* ---- names ---- */

static unsigned int get_name( struct getname_params *params, int (*get)( int, struct sockaddr *, socklen_t * ) )
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof(addr);
    int used;

    if (get( params->socket->fd, (struct sockaddr *)&addr, &len )) return error_from_errno( errno );
    if (!(used = sockaddr_from_unix( &addr, len, params->addr, params->len ))) return WSAEINVAL;
    if (used > params->len) return WSAEFAULT;
    params->len = used;
    return 0;
}

/* the system's functions by glibc's own names, whose parameters are transparent unions */
static int system_getsockname( int fd, struct sockaddr *addr, socklen_t *len )
{
    return getsockname( fd, addr, len );
}

static int system_getpeername( int fd, struct sockaddr *addr, socklen_t *len )
{
    return getpeername( fd, addr, len );
}

NTSTATUS option_getsockname( void *args )
{
    return get_name( args, system_getsockname );
}

NTSTATUS option_getpeername( void *args )
{
    return get_name( args, system_getpeername );
}

/* ---- ioctls ---- */

/* Windows counts all that is queued. Linux tells of the first datagram alone, so all are looked at, with
 * a peek offset that passes over what has been seen. O(datagrams). A peek of another thread at the same
 * moment would see a later datagram than the first: the price of the count. */
static unsigned int count_datagrams( struct unix_socket *socket, unsigned int *value )
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    const int none = -1;
    unsigned int total = 0, i;
    int offset = 0, seen;
    ssize_t ret;
    char byte;

    pthread_mutex_lock( &lock );
    if (setsockopt( socket->fd, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof(offset) ))
    {
        /* not this kernel: the first one */
        pthread_mutex_unlock( &lock );
        return ioctl( socket->fd, SIOCINQ, value ) ? error_from_errno( errno ) : 0;
    }
    for (i = 0; i < 65536; i++)
    {
        if ((ret = recv( socket->fd, &byte, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT )) == -1)
        {
            /* an ICMP error that the look has met is for a receive to report */
            if (errno == EINTR || data_met_icmp( socket, errno )) continue;
            break;
        }
        total += ret;
        offset += ret;
        /* a kernel that counts only what was copied */
        if (unix_get( socket, SOL_SOCKET, SO_PEEK_OFF, &seen ) || seen != offset)
            setsockopt( socket->fd, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof(offset) );
    }
    setsockopt( socket->fd, SOL_SOCKET, SO_PEEK_OFF, &none, sizeof(none) );
    pthread_mutex_unlock( &lock );
    *value = total;
    return 0;
}

static unsigned int get_queued( struct unix_socket *socket, unsigned int *value )
{
    const struct slot *slot = __atomic_load_n( &socket->slot, __ATOMIC_ACQUIRE );
    int bytes = 0;

    if (slot->type == WS_SOCK_DGRAM) return count_datagrams( socket, value );
    if (is_local( socket ))
    {
        *value = local_queued( socket );
        return 0;
    }
    /* Linux refuses listeners; they have no data */
    if (ioctl( socket->fd, SIOCINQ, &bytes ) && errno != EINVAL) return error_from_errno( errno );
    *value = bytes;
    return 0;
}

static unsigned int get_ioctl( struct unix_socket *socket, unsigned long request, unsigned int *value )
{
    int result = 0;

    if (ioctl( socket->fd, request, &result )) return error_from_errno( errno );
    *value = result;
    return 0;
}

static unsigned int get_tcp_state( struct unix_socket *socket, unsigned int *value )
{
    unsigned char state;                /* the first byte of struct tcp_info; the kernel copies no more */
    socklen_t len = sizeof(state);

    if (getsockopt( socket->fd, IPPROTO_TCP, TCP_INFO, &state, &len )) return error_from_errno( errno );
    *value = state;
    return 0;
}

static unsigned int flags_from_unix( unsigned int flags )
{
    unsigned int ret = 0;

    if (flags & IFF_UP) ret |= WS_IFF_UP;
    if (flags & IFF_BROADCAST) ret |= WS_IFF_BROADCAST;
    if (flags & IFF_LOOPBACK) ret |= WS_IFF_LOOPBACK;
    if (flags & IFF_POINTOPOINT) ret |= WS_IFF_POINTTOPOINT;
    if (flags & IFF_MULTICAST) ret |= WS_IFF_MULTICAST;
    return ret;
}

static void put_address( const struct sockaddr *addr, void *dst, int room )
{
    struct sockaddr_storage storage = { 0 };
    socklen_t len = addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

    memcpy( &storage, addr, len );
    sockaddr_from_unix( &storage, len, dst, room );
}

static unsigned int get_interfaces( struct ioctl_params *params )
{
    int family = family_to_unix( __atomic_load_n( &params->socket->slot, __ATOMIC_ACQUIRE )->family );
    struct unix_interface *out = params->data;
    unsigned int count = 0, room = params->size / sizeof(*out);
    struct ifaddrs *list, *entry;

    if (getifaddrs( &list )) return error_from_errno( errno );
    for (entry = list; entry; entry = entry->ifa_next)
    {
        if (!entry->ifa_addr || entry->ifa_addr->sa_family != family || !(entry->ifa_flags & IFF_UP)) continue;
        if (++count > room) continue;

        memset( out, 0, sizeof(*out) );
        out->index = if_nametoindex( entry->ifa_name );
        out->flags = flags_from_unix( entry->ifa_flags );
        put_address( entry->ifa_addr, out->address, sizeof(out->address) );
        if (family == AF_INET && entry->ifa_netmask)
            put_address( entry->ifa_netmask, out->netmask, sizeof(out->netmask) );
        out++;
    }
    freeifaddrs( list );
    params->size = count * sizeof(*out);
    return count > room ? WSAENOBUFS : 0;
}

/* A UDP socket that connects sends nothing, but the kernel chooses the way. */
static unsigned int get_route( struct ioctl_params *params )
{
    struct sockaddr_storage addr;
    socklen_t len;
    unsigned int error = 0;
    int fd, used;

    if (!(len = sockaddr_to_unix( params->data, params->size, &addr ))) return WSAEFAULT;
    /* connect refuses port 0 on no system, but broadcast without the option on this one */
    if ((fd = socket( addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0 )) == -1) return error_from_errno( errno );
    setsockopt( fd, SOL_SOCKET, SO_BROADCAST, &(int){ 1 }, sizeof(int) );
    if (connect( fd, (struct sockaddr *)&addr, len )) error = error_from_errno( errno );
    else
    {
        len = sizeof(addr);
        if (getsockname( fd, (struct sockaddr *)&addr, &len )) error = error_from_errno( errno );
    }
    close( fd );
    if (error) return error;

    /* a port means nothing here */
    if (addr.ss_family == AF_INET6) ((struct sockaddr_in6 *)&addr)->sin6_port = 0;
    else ((struct sockaddr_in *)&addr)->sin_port = 0;
    used = sockaddr_from_unix( &addr, len, params->data, params->size );
    if (used > (int)params->size) return WSAEFAULT;
    params->size = used;
    return 0;
}

NTSTATUS option_ioctl( void *args )
{
    struct ioctl_params *params = args;

    switch (params->code)
    {
    case UNIX_IOCTL_NREAD:      return get_queued( params->socket, &params->value );
    case UNIX_IOCTL_ATMARK:     return get_ioctl( params->socket, SIOCATMARK, &params->value );
    case UNIX_IOCTL_UNSENT:     return get_ioctl( params->socket, SIOCOUTQ, &params->value );
    case UNIX_IOCTL_STATE:      return get_tcp_state( params->socket, &params->value );
    case UNIX_IOCTL_INTERFACES: return get_interfaces( params );
    case UNIX_IOCTL_ROUTE:      return get_route( params );
    case UNIX_IOCTL_ICMP:       params->value = data_icmp_pending( params->socket ); return 0;
    default:                    return WSAEOPNOTSUPP;
    }
}
