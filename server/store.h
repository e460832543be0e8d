/*
 * What the helper's worker gives its keeper to keep
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

#ifndef __TAPSTER_SERVER_STORE_H
#define __TAPSTER_SERVER_STORE_H

#include "server.h"

/* The helper is two processes. The worker is what the rest of this folder is about. The keeper (keeper.c)
 * does nothing but keep copies of what only the worker has, and start another worker if this one
 * dies, which finds all of it in the memory and among the fds it was forked with.
 *
 * They talk by a pair of SOCK_SEQPACKET sockets: a message arrives whole or not at all, and what was sent by
 * a worker that has died is still read. Each message leaves a state that is right by itself. The keeper knows nothing of
 * sockets: it has a table of entries, each named by a kind and a number, each with some bytes and some fds. */

enum store_op
{
    STORE_PUT = 1,              /* this is what the entry is now, made if it is new */
    STORE_DROP,                 /* the entry is needed no more */
    STORE_SERVING,              /* the worker has started and answers */
    STORE_BYE                   /* the worker ends because it wants to, and the keeper with it */
};

enum store_kind
{
    STORE_SOCKET = 1,           /* by cookie: struct kept_socket */
    STORE_MAILBOX,              /* by cookie of the clients' end: struct kept_mailbox */
    STORE_CLIENT,               /* by serial: struct kept_client */
    STORE_CONNECT,              /* by the socket's cookie: u64, when it is to end (loop_now()) */
    STORE_DATA,                 /* local, by the socket's cookie: the connect data of the peer */
    STORE_GHOST,                /* by number: struct port_address of an exclusive port of which connections may be left */
    STORE_KINDS
};

/* the fds that an entry may have */
enum store_role
{
    STORE_FD = 0,               /* the thing itself */
    STORE_BACKLOG,              /* a socket's backlog */
    STORE_WATCH_READ,           /* the pipe of those that wait for the backlog's end */
    STORE_WATCH_WRITE,
    STORE_LINGER,               /* the pipe of the one that waits for the close's end */
    STORE_ROLES
};

#define STORE_MAX_DATA 352      /* bytes of an entry */

/* a message; the fds of set come along in the order of their roles */
struct store_message
{
    u32 op;                     /* enum store_op */
    u32 kind;                   /* enum store_kind */
    u64 id;                     /* of its kind */
    u32 set;                    /* roles, as bits: for these there are fds */
    u32 clear;                  /* roles, as bits: these have no fd any more */
    u32 len;                    /* bytes of data */
    u32 reserved;
    u8 data[STORE_MAX_DATA] __attribute__((aligned(8)));    /* only len of them are sent */
};

struct kept_socket
{
    struct slot slot;           /* as published last, or about to be */
    u64 listener;               /* cookie of the listener to which the connection was put back, 0: none */
    u64 mailbox;                /* its handle's, 0: none */
    u64 deadline;               /* closing: end of the patience, loop_now() */
    u64 backlog_end;            /* where in the memfd the backlog ends */
    u32 closing;                /* nobody holds it, it ends when all has been sent */
    u32 lingers;                /* closing: with a time limit */
    u32 fin_sent;               /* closing: the backlog has gone, and the FIN went after it */
    u32 handed;                 /* put back, and accepted again since */
    u32 unheld;                 /* nobody holds it, but a handle of it is somewhere */
    u32 shared;                 /* its handle has been in several processes */
};

struct kept_mailbox
{
    u32 pid;                    /* of the client it was made for */
    u32 reserved;
};

struct kept_client
{
    u32 pid;
    u32 reserved;
    u64 deadline;               /* not 0: its worker has died, and it is waited for so long, loop_now() */
};

/* ---- keeper.c: the table ---- */

/* an entry, in the keeper and, from its birth until it has looked through them, in a worker */
struct kept
{
    struct list order;          /* the oldest first */
    struct kept *next;          /* in its bucket */
    u32 kind;
    u32 len;                    /* bytes of data */
    u64 id;
    int fds[STORE_ROLES];       /* -1: none */
    u8 data[STORE_MAX_DATA] __attribute__((aligned(8)));
};

extern int keeper_is_empty(void);
extern struct kept *keeper_find( u32 kind, u64 id );
extern struct kept *keeper_next( const struct kept *kept, u32 kind );
extern void keeper_forget( struct kept *kept );
extern int keeper_run( int *ready );
extern int keeper_serve( int pair, int worker, int *ready );

#endif  /* __TAPSTER_SERVER_STORE_H */
