/*
 * Linux' errors as Winsock's
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

#include "server.h"

u32 error_from_errno( int err )
{
    switch (err)
    {
    case 0:                 return 0;
    case EINTR:             return WSAEINTR;
    case EACCES:
    case EPERM:             return WSAEACCES;
    case EFAULT:            return WSAEFAULT;
    case EINVAL:
    case ENODEV:            return WSAEINVAL;
    case EMFILE:
    case ENFILE:            return WSAEMFILE;
    case EAGAIN:            return WSAEWOULDBLOCK;
    case EALREADY:
    case EINPROGRESS:       return WSAEALREADY;
    case EBADF:
    case ENOTSOCK:          return WSAENOTSOCK;
    case ENOPROTOOPT:       return WSAENOPROTOOPT;
    case EPROTONOSUPPORT:   return WSAEPROTONOSUPPORT;
    case ESOCKTNOSUPPORT:   return WSAESOCKTNOSUPPORT;
    case EOPNOTSUPP:        return WSAEOPNOTSUPP;
    case EPFNOSUPPORT:
    case EAFNOSUPPORT:      return WSAEAFNOSUPPORT;
    case EADDRINUSE:        return WSAEADDRINUSE;
    case EADDRNOTAVAIL:     return WSAEADDRNOTAVAIL;
    case ENETDOWN:          return WSAENETDOWN;
    case ENETUNREACH:       return WSAENETUNREACH;
    case ENETRESET:         return WSAENETRESET;
    case ECONNABORTED:      return WSAECONNABORTED;
    case EPIPE:
    case ECONNRESET:        return WSAECONNRESET;
    case ENOMEM:
    case ENOSPC:
    case ETOOMANYREFS:
    case ENOBUFS:           return WSAENOBUFS;
    case EISCONN:           return WSAEISCONN;
    case ENOTCONN:          return WSAENOTCONN;
    case ESHUTDOWN:         return WSAESHUTDOWN;
    case ETIMEDOUT:         return WSAETIMEDOUT;
    case ECONNREFUSED:      return WSAECONNREFUSED;
    case EHOSTDOWN:
    case EHOSTUNREACH:      return WSAEHOSTUNREACH;
    default:
        log_line( "errno %d has no Winsock name", err );
        return WSAENETDOWN;
    }
}
