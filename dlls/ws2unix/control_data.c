/*
Control data of datagrams: Winsock's messages to Linux's and back
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

/* The layouts are alike, a header of length, level and type before the data, and
 * SIZE_T is what both align to; the numbers and some of the data are not. */

#include "ws2unix_private.h"

#define WS_CMSG_LEN( len )   (sizeof(WSACMSGHDR) + (len))
#define WS_CMSG_ALIGN( len ) (((len) + sizeof(SIZE_T) - 1) & ~(sizeof(SIZE_T) - 1))

_Static_assert( sizeof(WSACMSGHDR) % sizeof(SIZE_T) == 0, "the data of a message is aligned by itself" );

/* as Winsock has them: mswsock.h's and ws2ipdef.h's in_pktinfo and in6_pktinfo */
struct ws_pktinfo
{
    struct in_addr address;
    unsigned int   index;
};

struct ws_pktinfo6
{
    struct in6_addr address;
    unsigned int    index;
};

/* ---- to Linux ---- */

/* adds one message; 0 when there is no room */
static int add_unix( struct msghdr *msg, int level, int type, const void *data, size_t size )
{
    struct cmsghdr *cmsg = (struct cmsghdr *)((char *)msg->msg_control + msg->msg_controllen);

    if (msg->msg_controllen + CMSG_SPACE( size ) > CONTROL_ROOM) return 0;
    memset( cmsg, 0, CMSG_SPACE( size ) );
    cmsg->cmsg_level = level;
    cmsg->cmsg_type = type;
    cmsg->cmsg_len = CMSG_LEN( size );
    memcpy( CMSG_DATA( cmsg ), data, size );
    msg->msg_controllen += CMSG_SPACE( size );
    return 1;
}

/* what a datagram's traffic class is made of: Linux has one message for both */
struct traffic_class
{
    int tos;                            /* -1: not given */
    int ecn;                            /* -1: not given */
};

static int get_int( const void *data, size_t size, int min, int max, int *value )
{
    if (size != sizeof(*value)) return 0;
    memcpy( value, data, sizeof(*value) );
    return *value >= min && *value <= max;
}

static int pktinfo_to_unix( struct msghdr *msg, const void *data, size_t size )
{
    struct ws_pktinfo info;
    struct in_pktinfo unix_info = { 0 };

    if (size != sizeof(info)) return 0;
    memcpy( &info, data, size );
    unix_info.ipi_spec_dst = info.address;
    unix_info.ipi_ifindex = info.index;
    return add_unix( msg, IPPROTO_IP, IP_PKTINFO, &unix_info, sizeof(unix_info) );
}

static int pktinfo6_to_unix( struct msghdr *msg, const void *data, size_t size )
{
    struct ws_pktinfo6 info;
    struct in6_pktinfo unix_info;

    if (size != sizeof(info)) return 0;
    memcpy( &info, data, size );
    unix_info.ipi6_addr = info.address;
    unix_info.ipi6_ifindex = info.index;
    return add_unix( msg, IPPROTO_IPV6, IPV6_PKTINFO, &unix_info, sizeof(unix_info) );
}

/* each returns 0 for a message that is malformed or unknown */
static int ip_to_unix( struct msghdr *msg, int type, const void *data, size_t size, struct traffic_class *class )
{
    int value;

    switch (type)
    {
    case WS_IP_PKTINFO: return pktinfo_to_unix( msg, data, size );
    case WS_IP_TOS:     return get_int( data, size, 0, 255, &class->tos );
    case WS_IP_ECN:     return get_int( data, size, 0, 3, &class->ecn );
    case WS_IP_TTL:
    case WS_IP_HOPLIMIT:
        return get_int( data, size, 1, 255, &value ) && add_unix( msg, IPPROTO_IP, IP_TTL, &value, sizeof(value) );
    default:
        return 0;
    }
}

static int ipv6_to_unix( struct msghdr *msg, int type, const void *data, size_t size, struct traffic_class *class )
{
    int value;

    switch (type)
    {
    case WS_IPV6_PKTINFO: return pktinfo6_to_unix( msg, data, size );
    case WS_IPV6_TCLASS:  return get_int( data, size, 0, 255, &class->tos );
    case WS_IPV6_ECN:     return get_int( data, size, 0, 3, &class->ecn );
    case WS_IPV6_HOPLIMIT:
        return get_int( data, size, 0, 255, &value ) && add_unix( msg, IPPROTO_IPV6, IPV6_HOPLIMIT, &value, sizeof(value) );
    default:
        return 0;
    }
}

static int class_to_unix( struct msghdr *msg, const struct unix_socket *socket, const struct traffic_class *class )
{
    int v6 = __atomic_load_n( &socket->slot, __ATOMIC_ACQUIRE )->family == WS_AF_INET6;
    int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP, value = class->tos;
    socklen_t len = sizeof(value);

    if (class->tos == -1 && class->ecn == -1) return 1;
    /* the ECN bits alone: the rest stays as the socket has it */
    if (value == -1 && getsockopt( socket->fd, level, v6 ? IPV6_TCLASS : IP_TOS, &value, &len ) == -1) value = 0;
    if (value < 0) value = 0;
    if (class->ecn != -1) value = (value & ~3) | class->ecn;
    return add_unix( msg, level, v6 ? IPV6_TCLASS : IP_TOS, &value, sizeof(value) );
}

unsigned int control_data_to_unix( const struct unix_socket *socket, const void *control, unsigned int len,
                                   struct msghdr *msg )
{
    struct traffic_class class = { -1, -1 };
    const char *ptr = control, *end = ptr + len, *data;
    WSACMSGHDR header;
    size_t size;
    int ok;

    msg->msg_controllen = 0;
    while (end - ptr >= (ptrdiff_t)sizeof(header))
    {
        memcpy( &header, ptr, sizeof(header) );
        if (header.cmsg_len < sizeof(header) || header.cmsg_len > (size_t)(end - ptr)) return WSAEINVAL;
        size = header.cmsg_len - sizeof(header);
        data = ptr + sizeof(header);
        if (header.cmsg_level == WS_IPPROTO_IP) ok = ip_to_unix( msg, header.cmsg_type, data, size, &class );
        else if (header.cmsg_level == WS_IPPROTO_IPV6) ok = ipv6_to_unix( msg, header.cmsg_type, data, size, &class );
        else ok = 0;
        if (!ok) return WSAEINVAL;
        /* the last one need not be padded */
        if (WS_CMSG_ALIGN( header.cmsg_len ) >= (size_t)(end - ptr)) ptr = end;
        else ptr += WS_CMSG_ALIGN( header.cmsg_len );
    }
    if (ptr != end || !class_to_unix( msg, socket, &class )) return WSAEINVAL;
    return 0;
}

/* ---- from Linux ---- */

struct output
{
    char        *ptr;                   /* where the next message goes */
    unsigned int room;                  /* bytes there */
    unsigned int used;                  /* what all messages take, written or not */
    int          whole;
};

/* a message that has no room leaves none to those after it, so that what is there is a beginning */
static void add_windows( struct output *out, int level, int type, const void *data, size_t size )
{
    WSACMSGHDR header = { .cmsg_len = WS_CMSG_LEN( size ), .cmsg_level = level, .cmsg_type = type };
    unsigned int space = WS_CMSG_ALIGN( header.cmsg_len );

    out->used += space;
    if (out->room < header.cmsg_len)
    {
        out->room = 0;
        out->whole = 0;
        return;
    }
    memcpy( out->ptr, &header, sizeof(header) );
    memcpy( out->ptr + sizeof(header), data, size );
    if (space > out->room) space = out->room;
    memset( out->ptr + header.cmsg_len, 0, space - header.cmsg_len );
    out->ptr += space;
    out->room -= space;
}

/* Linux has ints here, and a byte in IP_TOS */
static int data_int( const struct cmsghdr *cmsg )
{
    int value;

    if (cmsg->cmsg_len < CMSG_LEN( sizeof(value) )) return cmsg->cmsg_len > CMSG_LEN( 0 ) ? *CMSG_DATA( cmsg ) : 0;
    memcpy( &value, CMSG_DATA( cmsg ), sizeof(value) );
    return value;
}

static void ip_from_unix( struct output *out, const struct cmsghdr *cmsg )
{
    struct in_pktinfo unix_info;
    struct ws_pktinfo info;
    int value;

    switch (cmsg->cmsg_type)
    {
    case IP_PKTINFO:
        if (cmsg->cmsg_len < CMSG_LEN( sizeof(unix_info) )) break;
        memcpy( &unix_info, CMSG_DATA( cmsg ), sizeof(unix_info) );
        info.address = unix_info.ipi_addr;
        info.index = unix_info.ipi_ifindex;
        add_windows( out, WS_IPPROTO_IP, WS_IP_PKTINFO, &info, sizeof(info) );
        break;
    case IP_TTL:
        value = data_int( cmsg );
        add_windows( out, WS_IPPROTO_IP, WS_IP_TTL, &value, sizeof(value) );
        break;
    case IP_TOS:
        value = data_int( cmsg );
        add_windows( out, WS_IPPROTO_IP, WS_IP_TOS, &value, sizeof(value) );
        break;
    }
}

static void ipv6_from_unix( struct output *out, const struct cmsghdr *cmsg )
{
    struct in6_pktinfo unix_info;
    struct ws_pktinfo6 info;
    int value;

    switch (cmsg->cmsg_type)
    {
    case IPV6_PKTINFO:
        if (cmsg->cmsg_len < CMSG_LEN( sizeof(unix_info) )) break;
        memcpy( &unix_info, CMSG_DATA( cmsg ), sizeof(unix_info) );
        info.address = unix_info.ipi6_addr;
        info.index = unix_info.ipi6_ifindex;
        add_windows( out, WS_IPPROTO_IPV6, WS_IPV6_PKTINFO, &info, sizeof(info) );
        break;
    case IPV6_HOPLIMIT:
        value = data_int( cmsg );
        add_windows( out, WS_IPPROTO_IPV6, WS_IPV6_HOPLIMIT, &value, sizeof(value) );
        break;
    case IPV6_TCLASS:
        value = data_int( cmsg );
        add_windows( out, WS_IPPROTO_IPV6, WS_IPV6_TCLASS, &value, sizeof(value) );
        break;
    }
}

/* Linux delivers what was switched on, by the options of the same meaning. */
unsigned int control_data_from_unix( struct msghdr *msg, void *control, unsigned int room, int *whole )
{
    struct output out = { .ptr = control, .room = room, .whole = 1 };
    struct cmsghdr *cmsg;

    for (cmsg = CMSG_FIRSTHDR( msg ); cmsg; cmsg = CMSG_NXTHDR( msg, cmsg ))
    {
        if (cmsg->cmsg_level == IPPROTO_IP) ip_from_unix( &out, cmsg );
        else if (cmsg->cmsg_level == IPPROTO_IPV6) ipv6_from_unix( &out, cmsg );
    }
    *whole = out.whole;
    return out.used;
}
