/*
 * Winsock's errors, families and addresses as Linux has them, and back
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

/* What a program may see of a failed system call. EINPROGRESS, which Winsock
 * keeps for the blocking calls of 1.1, is what a connect under way is told there
 * too, but by the name WSAEWOULDBLOCK. */
unsigned int error_from_errno( int err )
{
    switch (err)
    {
    case 0:               return 0;
    case EINTR:           return WSAEINTR;
    case EBADF:           return WSAENOTSOCK;       /* closed meanwhile */
    case EPERM:
    case EACCES:
    case EROFS:           return WSAEACCES;
    case EFAULT:          return WSAEFAULT;
    case EINVAL:          return WSAEINVAL;
    case EMFILE:
    case ENFILE:          return WSAEMFILE;
    case EAGAIN:
    case EINPROGRESS:     return WSAEWOULDBLOCK;
    case EALREADY:        return WSAEALREADY;
    case ENOTSOCK:        return WSAENOTSOCK;
    case EDESTADDRREQ:    return WSAEDESTADDRREQ;
    case EMSGSIZE:        return WSAEMSGSIZE;
    case EPROTOTYPE:      return WSAEPROTOTYPE;
    case ENOPROTOOPT:     return WSAENOPROTOOPT;
    case EPROTONOSUPPORT: return WSAEPROTONOSUPPORT;
    case ESOCKTNOSUPPORT: return WSAESOCKTNOSUPPORT;
    case ENOTTY:
    case ENOSYS:
    case EOPNOTSUPP:      return WSAEOPNOTSUPP;
    case EPFNOSUPPORT:    return WSAEPFNOSUPPORT;
    case EAFNOSUPPORT:    return WSAEAFNOSUPPORT;
    case EADDRINUSE:      return WSAEADDRINUSE;
    case ENODEV:                                    /* no such interface: a scope id, a multicast interface */
    case ENXIO:
    case EADDRNOTAVAIL:   return WSAEADDRNOTAVAIL;
    case ENETDOWN:        return WSAENETDOWN;
    case ENONET:
    case ENETUNREACH:     return WSAENETUNREACH;
    case ENETRESET:       return WSAENETRESET;
    case EPROTO:
    case ECONNABORTED:    return WSAECONNABORTED;
    case ECONNRESET:      return WSAECONNRESET;
    case ENOMEM:
    case ENOSPC:
    case ENOBUFS:         return WSAENOBUFS;
    case EISCONN:         return WSAEISCONN;
    case ENOTCONN:        return WSAENOTCONN;
    case EPIPE:
    case ESHUTDOWN:       return WSAESHUTDOWN;
    case ETOOMANYREFS:    return WSAETOOMANYREFS;
    case ETIMEDOUT:       return WSAETIMEDOUT;
    case ENOENT:                                    /* the name of a local socket */
    case ECONNREFUSED:    return WSAECONNREFUSED;
    case ELOOP:           return WSAELOOP;
    case ENAMETOOLONG:    return WSAENAMETOOLONG;
    case EHOSTDOWN:       return WSAEHOSTDOWN;
    case EHOSTUNREACH:    return WSAEHOSTUNREACH;
    case ENOTEMPTY:       return WSAENOTEMPTY;
    case EUSERS:          return WSAEUSERS;
    case EDQUOT:          return WSAEDQUOT;
    case ESTALE:          return WSAESTALE;
    case EREMOTE:         return WSAEREMOTE;
    default:              return WSASYSCALLFAILURE; /* "a call that should never fail has" */
    }
}

int family_to_unix( int family )
{
    switch (family)
    {
    case WS_AF_UNSPEC: return AF_UNSPEC;
    case WS_AF_UNIX:   return AF_UNIX;
    case WS_AF_INET:   return AF_INET;
    case WS_AF_INET6:  return AF_INET6;
    default:           return -1;
    }
}

static socklen_t sockaddr_in_to_unix( const void *addr, struct sockaddr_in *unix_addr )
{
    struct WS_sockaddr_in in;

    memcpy( &in, addr, sizeof(in) );
    unix_addr->sin_family = AF_INET;
    unix_addr->sin_port = in.sin_port;
    memcpy( &unix_addr->sin_addr, &in.sin_addr, sizeof(unix_addr->sin_addr) );
    return sizeof(*unix_addr);
}

static socklen_t sockaddr_in6_to_unix( const void *addr, struct sockaddr_in6 *unix_addr )
{
    struct WS_sockaddr_in6 in6;

    memcpy( &in6, addr, sizeof(in6) );
    unix_addr->sin6_family = AF_INET6;
    unix_addr->sin6_port = in6.sin6_port;
    unix_addr->sin6_flowinfo = in6.sin6_flowinfo;
    memcpy( &unix_addr->sin6_addr, &in6.sin6_addr, sizeof(unix_addr->sin6_addr) );
    /* Wine numbers the interfaces as Linux does */
    unix_addr->sin6_scope_id = in6.sin6_scope_id;
    return sizeof(*unix_addr);
}

/* addr may be unaligned */
socklen_t sockaddr_to_unix( const void *addr, int len, struct sockaddr_storage *unix_addr )
{
    unsigned short family;

    if (!addr || len < (int)sizeof(family)) return 0;
    memcpy( &family, addr, sizeof(family) );
    memset( unix_addr, 0, sizeof(*unix_addr) );

    switch (family)
    {
    case WS_AF_INET:
        if (len < (int)sizeof(struct WS_sockaddr_in)) return 0;
        return sockaddr_in_to_unix( addr, (struct sockaddr_in *)unix_addr );

    case WS_AF_INET6:
        if (len < (int)sizeof(struct WS_sockaddr_in6)) return 0;
        return sockaddr_in6_to_unix( addr, (struct sockaddr_in6 *)unix_addr );

    default:
        return 0;
    }
}

static int sockaddr_in_from_unix( const struct sockaddr_in *unix_addr, void *addr, int room )
{
    struct WS_sockaddr_in in = { .sin_family = WS_AF_INET, .sin_port = unix_addr->sin_port };

    memcpy( &in.sin_addr, &unix_addr->sin_addr, sizeof(in.sin_addr) );
    if (room >= (int)sizeof(in)) memcpy( addr, &in, sizeof(in) );
    return sizeof(in);
}

static int sockaddr_in6_from_unix( const struct sockaddr_in6 *unix_addr, void *addr, int room )
{
    struct WS_sockaddr_in6 in6 = { .sin6_family = WS_AF_INET6, .sin6_port = unix_addr->sin6_port,
                                   .sin6_flowinfo = unix_addr->sin6_flowinfo,
                                   .sin6_scope_id = unix_addr->sin6_scope_id };

    memcpy( &in6.sin6_addr, &unix_addr->sin6_addr, sizeof(in6.sin6_addr) );
    if (room >= (int)sizeof(in6)) memcpy( addr, &in6, sizeof(in6) );
    return sizeof(in6);
}

/* 0 for an address of a family that Winsock does not have, or none at all (as
 * recvfrom gives it for streams) */
int sockaddr_from_unix( const struct sockaddr_storage *unix_addr, socklen_t unix_len, void *addr, int room )
{
    if (unix_len < sizeof(unix_addr->ss_family)) return 0;

    switch (unix_addr->ss_family)
    {
    case AF_INET:
        if (unix_len < sizeof(struct sockaddr_in)) return 0;
        return sockaddr_in_from_unix( (const struct sockaddr_in *)unix_addr, addr, room );

    case AF_INET6:
        if (unix_len < sizeof(struct sockaddr_in6)) return 0;
        return sockaddr_in6_from_unix( (const struct sockaddr_in6 *)unix_addr, addr, room );

    default:
        return 0;
    }
}
