/*
 * What crosses the border for names: resolution, protocols, services (part of unixlib.h)
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

/* Included by unixlib.h alone. */

#ifndef __TAPSTER_UNIXLIB_NAMES_H
#define __TAPSTER_UNIXLIB_NAMES_H

/* All of them, once: enum unix_funcs and ws2unix's table are both made of this. */
#define UNIX_NAMES_LIST( entry ) \
    entry( gethostname ) \
    entry( getaddrinfo ) \
    entry( getnameinfo ) \
    entry( gethost ) \
    entry( getserv ) \
    entry( getproto )

#define UNIX_NAMES_ENTRY( name ) unix_ ## name,
#define UNIX_NAMES_FUNCS UNIX_NAMES_LIST( UNIX_NAMES_ENTRY )

/* the longest host name with its NUL, as NI_MAXHOST */
#define UNIX_MAX_NAME 1025

/* the computer's name, without a domain */
struct gethostname_params
{
    char        *name;                  /* UTF-8, as all strings here */
    unsigned int size;                  /* WSAEFAULT: too small */
};

/* A name's addresses, without ports. Works without a network for this computer's
 * own name and for localhost. */
struct getaddrinfo_params
{
    const char     *name;               /* NULL: any address or loopback; "": this computer */
    int             family;             /* AF_UNSPEC, AF_INET, AF_INET6 */
    unsigned int    flags;              /* AI_PASSIVE, AI_V4MAPPED, AI_ALL, AI_ADDRCONFIG */
    struct address *addrs;
    unsigned int    max;                /* of addrs: those beyond are dropped */
    unsigned int    count;              /* out */
    char           *canon;              /* UNIX_MAX_NAME bytes */
};

/* an address's name; WSAHOST_NOT_FOUND if it has none */
struct getnameinfo_params
{
    const void *addr;
    int         len;
    int         short_name;             /* without the domain if it is our own */
    char       *name;                   /* UNIX_MAX_NAME bytes */
};

/* several strings, one behind the other, each with its NUL; what does not fit is dropped */
struct unix_strings
{
    char        *buffer;
    unsigned int size;
    unsigned int count;                 /* out */
    unsigned int used;                  /* out: bytes */
};

/* gethostbyname and gethostbyaddr */
struct gethost_params
{
    const char         *name;           /* "": this computer; NULL: by addr */
    int                 family;
    const void         *addr;
    int                 addr_len;       /* of one; out, too */
    unsigned char      *addrs;          /* out: one behind the other */
    unsigned int        max;            /* of addrs */
    unsigned int        count;          /* out */
    struct unix_strings strings;        /* out: the name, its aliases */
};

/* getservbyname and getservbyport; WSANO_DATA if there is none */
struct getserv_params
{
    const char         *name;           /* NULL: by port */
    int                 port;           /* in network order; out, too */
    const char         *proto;          /* NULL: whichever comes first */
    struct unix_strings strings;        /* out: the name, the protocol, aliases */
};

/* getprotobyname and getprotobynumber; WSANO_DATA if there is none */
struct getproto_params
{
    const char         *name;           /* NULL: by number */
    int                 number;         /* out, too */
    struct unix_strings strings;        /* out: the name, its aliases */
};

#endif /* __TAPSTER_UNIXLIB_NAMES_H */
