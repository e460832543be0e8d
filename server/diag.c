/*
 * What the kernel knows of a port, whoever has it
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

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include "server.h"

/* The kernel's sock_diag interface: the sockets of a port, those of other programs and those that nobody
 * holds any more. It answers at once, but looks through all sockets of the machine for that: some 100 us,
 * so it is asked only where the ledger has no answer. Where it is not to be had (a sandbox), nothing is found. */

#define DIAG_ROOM 16384         /* bytes of answer read at once; the kernel's pieces are no longer */

static int diag_open(void)
{
    int fd = socket( AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG );

    if (fd == -1) log_line( "no sock_diag: %s", strerror( errno ) );
    return fd;
}

static int diag_ask( int fd, int family, int protocol, u16 port, u32 states )
{
    struct
    {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    }
    msg;

    memset( &msg, 0, sizeof(msg) );
    msg.header.nlmsg_len = sizeof(msg);
    msg.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    msg.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    msg.request.sdiag_family = family;
    msg.request.sdiag_protocol = protocol;
    msg.request.idiag_states = states;
    msg.request.id.idiag_sport = htons( port );
    msg.request.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
    msg.request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    return send( fd, &msg, sizeof(msg), MSG_DONTWAIT ) == sizeof(msg);
}

/* one socket; len: of the whole message after its header */
static void diag_read( const struct inet_diag_msg *msg, size_t len, struct diag_socket *out )
{
    const char *attr = (const char *)(msg + 1), *end = (const char *)msg + len;
    struct nlattr header;

    memset( out, 0, sizeof(*out) );
    out->cookie = (u64)msg->id.idiag_cookie[1] << 32 | msg->id.idiag_cookie[0];
    out->addr.addr.sa.sa_family = msg->idiag_family;
    if (msg->idiag_family == AF_INET)
        memcpy( &out->addr.addr.in.sin_addr, msg->id.idiag_src, sizeof(out->addr.addr.in.sin_addr) );
    else
    {
        memcpy( &out->addr.addr.in6.sin6_addr, msg->id.idiag_src, sizeof(out->addr.addr.in6.sin6_addr) );
        if (IN6_IS_ADDR_LINKLOCAL( &out->addr.addr.in6.sin6_addr )) out->addr.addr.in6.sin6_scope_id = msg->id.idiag_if;
        out->addr.dual = 1;
    }
    address_set_port( &out->addr.addr, ntohs( msg->id.idiag_sport ) );

    for (; end - attr > (ptrdiff_t)sizeof(header); attr += NLA_ALIGN( header.nla_len ))
    {
        memcpy( &header, attr, sizeof(header) );
        if (header.nla_len < sizeof(header) || header.nla_len > end - attr) return;
        if (header.nla_type == INET_DIAG_SKV6ONLY && header.nla_len > NLA_HDRLEN) out->addr.dual = !attr[NLA_HDRLEN];
    }
}

/* Calls func for each socket until it says something else than 0; returns that. */
static int diag_answers( int fd, int protocol, u16 port, diag_func func, void *arg )
{
    union { struct nlmsghdr header; char bytes[DIAG_ROOM]; } room;
    const struct nlmsghdr *header;
    struct diag_socket sock;
    ssize_t len;
    int ret;

    while ((len = recv( fd, &room, sizeof(room), MSG_DONTWAIT )) > 0)
    {
        for (header = &room.header; NLMSG_OK( header, (size_t)len ); header = NLMSG_NEXT( header, len ))
        {
            if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return 0;       /* the end, or an error */
            if (header->nlmsg_len < NLMSG_LENGTH( sizeof(struct inet_diag_msg) )) return 0;
            diag_read( NLMSG_DATA( header ), header->nlmsg_len - NLMSG_HDRLEN, &sock );
            sock.addr.protocol = protocol;
            /* of sockets that are only bound the kernel tells all */
            if (address_port( &sock.addr.addr ) != port) continue;
            if ((ret = func( &sock, arg ))) return ret;
        }
    }
    return 0;
}

/* All sockets bound to a port, of both families, that are in one of the states (a bit each, TCP_*). */
int diag_port( int protocol, u16 port, u32 states, diag_func func, void *arg )
{
    static const int families[2] = { AF_INET, AF_INET6 };
    int fd, i, ret = 0;

    for (i = 0; i < 2 && !ret; i++)
    {
        /* one question a socket: what is left of the answer goes with it */
        if ((fd = diag_open()) == -1) return 0;
        if (diag_ask( fd, families[i], protocol, port, states )) ret = diag_answers( fd, protocol, port, func, arg );
        close( fd );
    }
    return ret;
}
