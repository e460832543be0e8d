/*
 * Addresses: Winsock's and Linux'
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

#include <string.h>
#include <net/if.h>

#include "server.h"

/* A Winsock sockaddr is laid out as Linux' is (a 16-bit family, then the same
 * fields in the same places), only the number of AF_INET6 differs. */

/* What a client sent, for a socket of that family (Winsock's number).
 * WSAEFAULT: too short. WSAEAFNOSUPPORT: another family. */
u32 address_from_client( const struct address *addr, u16 family, union linux_address *out, socklen_t *len )
{
    u16 addr_family;

    memset( out, 0, sizeof(*out) );
    if (addr->len > sizeof(addr->data)) return WSAEFAULT;
    if (addr->len < (family == WS_AF_INET6 ? WS_SOCKADDR_IN6_SIZE : WS_SOCKADDR_IN_SIZE)) return WSAEFAULT;
    memcpy( &addr_family, addr->data, sizeof(addr_family) );
    if (addr_family != family) return WSAEAFNOSUPPORT;

    if (family == WS_AF_INET6)
    {
        memcpy( &out->in6, addr->data, WS_SOCKADDR_IN6_SIZE );
        out->sa.sa_family = AF_INET6;
        *len = sizeof(out->in6);
    }
    else
    {
        memcpy( &out->in, addr->data, WS_SOCKADDR_IN_SIZE );
        memset( out->in.sin_zero, 0, sizeof(out->in.sin_zero) );
        out->sa.sa_family = AF_INET;
        *len = sizeof(out->in);
    }
    return 0;
}

void address_to_client( const union linux_address *addr, struct address *out )
{
    u16 family;

    memset( out, 0, sizeof(*out) );
    if (addr->sa.sa_family == AF_INET6)
    {
        out->len = WS_SOCKADDR_IN6_SIZE;
        memcpy( out->data, &addr->in6, WS_SOCKADDR_IN6_SIZE );
        family = WS_AF_INET6;
    }
    else if (addr->sa.sa_family == AF_INET)
    {
        out->len = WS_SOCKADDR_IN_SIZE;
        memcpy( out->data, &addr->in, WS_SOCKADDR_IN_SIZE );
        family = WS_AF_INET;
    }
    else return;
    memcpy( out->data, &family, sizeof(family) );
}

/* Linux ignores the scope of an address that is not link-local, Windows looks at
 * it: one that no interface has is an address that this host does not have. */
u32 address_check_scope( const union linux_address *addr )
{
    char name[IF_NAMESIZE];

    if (addr->sa.sa_family != AF_INET6 || !addr->in6.sin6_scope_id) return 0;
    return if_indextoname( addr->in6.sin6_scope_id, name ) ? 0 : WSAEADDRNOTAVAIL;
}

u16 address_port( const union linux_address *addr )
{
    return ntohs( addr->sa.sa_family == AF_INET6 ? addr->in6.sin6_port : addr->in.sin_port );
}

void address_set_port( union linux_address *addr, u16 port )
{
    if (addr->sa.sa_family == AF_INET6) addr->in6.sin6_port = htons( port );
    else addr->in.sin_port = htons( port );
}

/* ::ffff:0.0.0.0 is one too */
int address_is_any( const union linux_address *addr )
{
    static const u8 mapped_any[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0 };

    if (addr->sa.sa_family != AF_INET6) return addr->in.sin_addr.s_addr == htonl( INADDR_ANY );
    return IN6_IS_ADDR_UNSPECIFIED( &addr->in6.sin6_addr ) ||
           !memcmp( &addr->in6.sin6_addr, mapped_any, sizeof(mapped_any) );
}

/* multicast, or the limited broadcast: nothing that a host has as its own */
int address_is_multicast( const union linux_address *addr )
{
    u32 ip;

    if (addr->sa.sa_family == AF_INET6) return IN6_IS_ADDR_MULTICAST( &addr->in6.sin6_addr );
    ip = ntohl( addr->in.sin_addr.s_addr );
    return IN_MULTICAST( ip ) || ip == INADDR_BROADCAST;
}

/* family is Winsock's */
void address_make_any( u16 family, u16 port, union linux_address *out, socklen_t *len )
{
    memset( out, 0, sizeof(*out) );
    out->sa.sa_family = family == WS_AF_INET6 ? AF_INET6 : AF_INET;
    *len = family == WS_AF_INET6 ? sizeof(out->in6) : sizeof(out->in);
    address_set_port( out, port );
}

/* 1 if the kernel has one; family 0 in out if not */
int address_local( int fd, union linux_address *out )
{
    socklen_t len = sizeof(*out);

    memset( out, 0, sizeof(*out) );
    if (!getsockname( fd, &out->sa, &len )) return 1;
    out->sa.sa_family = AF_UNSPEC;
    return 0;
}

int address_peer( int fd, union linux_address *out )
{
    socklen_t len = sizeof(*out);

    memset( out, 0, sizeof(*out) );
    if (!getpeername( fd, &out->sa, &len )) return 1;
    out->sa.sa_family = AF_UNSPEC;
    return 0;
}
