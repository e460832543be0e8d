/*
 * The fuzzer: what its files say to each other
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

#ifndef __TAPSTER_TESTS_FUZZ_H
#define __TAPSTER_TESTS_FUZZ_H

#include "server.h"

/* An input is a row of steps of eight bytes. Each is a request, or something else that
 * happens to the helper: data, time, an end, a lack of something. Numbers in a step choose among what there is
 * (the third socket of the second client), so that what a mutation makes still means something. */
struct step
{
    u8 op;          /* below STEP_FIRST: the type of a request */
    u8 client;
    u8 sock;        /* which of the client's */
    u8 flags;       /* FLAG_* */
    u8 a, b, c, d;  /* as the op has it */
};

enum step_op
{
    STEP_FIRST = 128,
    STEP_DATA = STEP_FIRST,     /* a program sends or receives */
    STEP_CLOSE_FD,              /* a program ends a socket's or a mailbox's fd */
    STEP_COUNTER,               /* a receive waits, or waits no more */
    STEP_TIME,                  /* it is later */
    STEP_END,                   /* a client ends */
    STEP_SILENT,                /* a client comes, and does not say hello */
    STEP_PAIR,                  /* two connected sockets for a client, made as it should be done */
    STEP_OUTSIDE,               /* somebody who is no client connects, or sends a datagram */
    STEP_FEW_FDS,               /* only so many more fds may be opened */
    STEP_FAULT,                 /* an allocation or a system call fails */
    STEP_RAW,                   /* a message that is no request */
    STEP_FLAGS,                 /* somebody changes the flags of an open file */
    STEP_END_OP
};

#define FLAG_NO_SETTLE  0x01    /* the helper does not get to work before the next step */
#define FLAG_MAILBOX    0x02    /* the header names a mailbox */
#define FLAG_FD         0x04    /* a fd goes along, if none should; none, if one should */
#define FLAG_SILENT     0x08    /* REQUEST_NO_REPLY */
#define FLAG_LENGTH     0x10    /* of the wrong length */
#define FLAG_REF        0x20    /* not quite the socket meant */
#define FLAG_MORE_FDS   0x40    /* and another fd */
#define FLAG_NOISE      0x80    /* some bytes of the request are anything */

/* ---- world.c: the helper in this process, its time, and what it lacks ---- */

extern void world_begin(void);
extern void world_settle(void);
extern void world_end(void);
extern int world_connect(void);
extern void world_later( u64 ms );
extern void world_few_fds( u32 more );
extern void world_fault( u32 kind, u32 after );

/* ---- client.c: what the clients have and hear ---- */

#define CLIENTS     4
#define SOCKS       16          /* remembered of each client */
#define BOXES       6           /* mailboxes likewise */
#define COUNTERS    64          /* used of each client's */
#define PORTS       8           /* seen in replies */

struct fuzz_sock { struct socket_ref ref; u64 cookie; int fd; };
struct fuzz_box { u64 name; int fd; };

struct fuzz_client
{
    int fd;                             /* the connection, -1: none */
    u32 *counters;                      /* one's own memory, the same for all inputs */
    int counters_fd;
    struct fuzz_sock socks[SOCKS];      /* fd -1: none */
    struct fuzz_box boxes[BOXES];       /* fd -1: none */
    u32 next_sock, next_box;            /* place for the next one */
    u32 last_id;
    u32 first_id;                       /* the request whose reply comes next */
    u8 types[1024];                     /* of requests, by id */
};

extern struct fuzz_client fuzz_clients[CLIENTS];
extern u16 fuzz_ports[PORTS];           /* network order */

extern void client_begin_all(void);
extern void client_end_all(void);
extern void client_connect( struct fuzz_client *client );
extern void client_end( struct fuzz_client *client );
extern void client_say( struct fuzz_client *client, u32 type, const void *data, size_t len, const int *fds, u32 count );
extern void client_listen( struct fuzz_client *client );
extern void client_remember( struct fuzz_client *client, struct socket_ref ref, u64 cookie, int fd );

/* ---- words.c: requests ---- */

union words
{
    u8 bytes[PROTOCOL_MAX_MESSAGE + 64];
    struct
    {
        struct request_header header;
        union
        {
            struct socket_ref socket;
            struct hello_request hello;
            struct create_request create;
            struct adopt_request adopt;
            struct close_request close;
            struct bind_request bind;
            struct listen_request listen;
            struct connect_request connect;
            struct accept_request accept;
            struct defer_request defer;
            struct shutdown_request shutdown;
            struct set_option_request set_option;
            struct backlog_request backlog;
        } body;
    } request;
};

extern struct fuzz_client *words_client( const struct step *step );
extern struct fuzz_sock *words_sock( const struct step *step, u8 which );
extern struct address words_address( u8 kind, u8 port );
extern u32 words_number( u8 n );
extern int words_fd( const struct step *step, u8 which );
extern void words_say( const struct step *step );
extern void words_pair( const struct step *step );

#endif  /* __TAPSTER_TESTS_FUZZ_H */
