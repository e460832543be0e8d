/*
 * A model of a socket's life in the helper, for its tests
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

#ifndef __TAPSTER_TESTS_MODEL_H
#define __TAPSTER_TESTS_MODEL_H

#include "server.h"

/* doc/model.md, transcribed: what the helper will answer and publish, and what the peer will see.
 * Nothing here talks to anybody. */

#define MODEL_CLIENTS 3
#define MODEL_SOCKETS 16

enum model_box
{
    BOX_NONE,
    BOX_LIVE,                   /* keeps the socket until it is hung up */
    BOX_BLIND                   /* of a helper before: keeps nothing */
};

enum model_view
{
    VIEW_OPEN,                  /* nothing, or data */
    VIEW_FIN,
    VIEW_RST
};

struct model_sock
{
    /* what it is */
    u8 used;                    /* the entry means something */
    u8 record;                  /* the helper has a record of it */
    u8 stream;
    u32 queued;                 /* a connection that waits in its listener: the order of its coming, 0: none that does */
    u8 deferred;                /* a connection put back to its listener */
    u8 handed;                  /* was that, and has been accepted again */
    u32 accepted_as;            /* the order of accepting */
    int listener;               /* where it came from, -1: from nowhere, or that has ended */
    u8 astray;                  /* no longer known: any on its port may be it */
    u32 port;                   /* of a listener and its connections: another for each */

    /* published */
    u32 state;
    u32 flags;
    u32 error;
    u32 onoff;                  /* linger */
    u32 seconds;

    /* held by */
    u32 holders;                /* a bit for each client */
    u32 waits[MODEL_CLIENTS];   /* receives posted */
    enum model_box box;
    u8 closing;                 /* by nobody: still sends */
    u8 lingering;               /* closing, and with a time limit */
    u8 outside;                 /* somebody who has not spoken yet has the kernel socket */

    /* the wire */
    u32 in;                     /* bytes, or datagrams, that nobody has read */
    u8 fin_in;
    u8 rst_in;
    u8 told;                    /* the kernel has told of rst_in, which it does once */
    u64 sent;                   /* bytes for the peer, those of backlogs too */
    u8 stuck;                   /* the peer reads nothing and its window is full */
    u8 backlog;                 /* the helper has some of them */
    u8 fin_out;
    u8 rst_out;
};

/* how a connect will end */
enum model_connect
{
    CONNECT_ACCEPTED,
    CONNECT_REFUSED,
    CONNECT_STALLED
};

extern struct model_sock model[MODEL_SOCKETS];
extern u32 model_resets;        /* RSTs on the wire, both directions */
extern u32 model_crossings;     /* of these, of connections that were stuck: a probe may cross it, and is answered with another */

extern int model_new(void);
extern int model_is_established( const struct model_sock *sock );
extern int model_is_over( const struct model_sock *sock );
extern int model_is_unsent( const struct model_sock *sock );
extern int model_is_waiting( const struct model_sock *sock );
extern int model_holds( const struct model_sock *sock, int client );
extern enum model_view model_view( const struct model_sock *sock );

/* requests: their error */
extern void model_arrives( struct model_sock *listener, struct model_sock *sock );
extern void model_create( struct model_sock *sock, int client, int stream );
extern u32 model_bind( struct model_sock *sock, int client );
extern u32 model_listen( struct model_sock *sock, int client );
extern u32 model_connect( struct model_sock *sock, int client, enum model_connect how );
extern u32 model_connect_peer( struct model_sock *sock, int client );
extern u32 model_connect_status( struct model_sock *sock, int client, u32 *pending );
extern u32 model_accept( struct model_sock *listener, int client, int *connection );
extern u32 model_defer( struct model_sock *listener, struct model_sock *sock, int client );
extern u32 model_shutdown( struct model_sock *sock, int client, u32 how );
extern u32 model_arm( struct model_sock *sock, int client );
extern u32 model_note_reset( struct model_sock *sock, int client );
extern u32 model_set_linger( struct model_sock *sock, int client, u32 onoff, u32 seconds );
extern u32 model_set_nonblocking( struct model_sock *sock, int client, u32 value );
extern u32 model_backlog( struct model_sock *sock, int client, u32 bytes, int fits );
extern u32 model_close( struct model_sock *sock, int client, u32 flags, int *wait );
extern u32 model_name( struct model_sock *sock, int client, int owned );
extern void model_adopt( struct model_sock *sock, int client );
extern void model_adopt_outside( struct model_sock *sock, int client );

/* what else happens */
extern void model_post( struct model_sock *sock, int client );
extern int model_read( struct model_sock *sock, int client, int posted );
extern void model_connect_ends( struct model_sock *sock, int accepted );
extern void model_dies( int client );
extern void model_helper_dies(void);
extern void model_hangs_up( struct model_sock *sock );
extern void model_outside_ends( struct model_sock *sock );
extern void model_expires( struct model_sock *sock );
extern void model_peer_data( struct model_sock *sock, u32 count );
extern void model_peer_fin( struct model_sock *sock );
extern void model_peer_rst( struct model_sock *sock );
extern void model_peer_reads( struct model_sock *sock );

#endif  /* __TAPSTER_TESTS_MODEL_H */
