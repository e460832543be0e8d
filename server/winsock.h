/*
 * Winsock's numbers, as far as the helper speaks of them
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

#ifndef __TAPSTER_SERVER_WINSOCK_H
#define __TAPSTER_SERVER_WINSOCK_H

/* The helper is a Linux program and cannot include winsock2.h beside the
 * system's socket headers; these names have the prefix that Wine gives them. */

#define WS_AF_UNSPEC    0
#define WS_AF_INET      2
#define WS_AF_INET6     23

#define WS_SOCK_STREAM  1
#define WS_SOCK_DGRAM   2
#define WS_SOCK_RAW     3
#define WS_SOCK_SEQPACKET 5

#define WS_SD_RECEIVE   0
#define WS_SD_SEND      1
#define WS_SD_BOTH      2

/* the sizes of SOCKADDR_IN and SOCKADDR_IN6 */
#define WS_SOCKADDR_IN_SIZE     16
#define WS_SOCKADDR_IN6_SIZE    28

enum winsock_error
{
    WSAEINTR           = 10004,
    WSAEACCES          = 10013,
    WSAEFAULT          = 10014,
    WSAEINVAL          = 10022,
    WSAEMFILE          = 10024,
    WSAEWOULDBLOCK     = 10035,
    WSAEALREADY        = 10037,
    WSAENOTSOCK        = 10038,
    WSAENOPROTOOPT     = 10042,
    WSAEPROTONOSUPPORT = 10043,
    WSAESOCKTNOSUPPORT = 10044,
    WSAEOPNOTSUPP      = 10045,
    WSAEAFNOSUPPORT    = 10047,
    WSAEADDRINUSE      = 10048,
    WSAEADDRNOTAVAIL   = 10049,
    WSAENETDOWN        = 10050,
    WSAENETUNREACH     = 10051,
    WSAENETRESET       = 10052,
    WSAECONNABORTED    = 10053,
    WSAECONNRESET      = 10054,
    WSAENOBUFS         = 10055,
    WSAEISCONN         = 10056,
    WSAENOTCONN        = 10057,
    WSAESHUTDOWN       = 10058,
    WSAETIMEDOUT       = 10060,
    WSAECONNREFUSED    = 10061,
    WSAEHOSTUNREACH    = 10065,
    WSAVERNOTSUPPORTED = 10092
};

#endif  /* __TAPSTER_SERVER_WINSOCK_H */
