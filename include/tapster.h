/*
 * What programs may know of Tapster's own provider
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

/* Sockets of messages between the programs of one Wine prefix, with connect and disconnect data: doc/local.md.
 * Programs find the provider by WSAEnumProtocols (XP1_DISCONNECT_DATA), or by these numbers. After winsock2.h. */

#ifndef __TAPSTER_H
#define __TAPSTER_H

#define AF_TAPSTER          0x5450
#define TAPSTERPROTO_LOCAL  0x5450      /* the protocol of SOCK_SEQPACKET; 0 means it as well */

#define TAPSTER_MAX_MESSAGE 65536       /* bytes of one message */
#define TAPSTER_MAX_DATA    256         /* bytes of connect data, each way, and of disconnect data */

typedef struct sockaddr_tapster
{
    USHORT st_family;                   /* AF_TAPSTER */
    USHORT st_reserved;
    ULONG  st_port;                     /* in the machine's own byte order; 0 for bind: any */
    UCHAR  st_zero[8];
} SOCKADDR_TAPSTER;

#endif  /* __TAPSTER_H */
