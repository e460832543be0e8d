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

#include <string.h>

#include "model.h"

struct model_sock model[MODEL_SOCKETS];
u32 model_resets;
u32 model_crossings;

static u32 model_accepted, model_arrived, model_ports;

/* ---- what follows from the variables ---- */

int model_holds( const struct model_sock *sock, int client )
{
    return sock->record && (sock->holders >> client & 1);
}

int model_is_waiting( const struct model_sock *sock )
{
    int i;

    for (i = 0; i < MODEL_CLIENTS; i++) if (sock->waits[i]) return 1;
    return 0;
}

/* as far as the helper knows */
int model_is_established( const struct model_sock *sock )
{
    return sock->stream && sock->state == SOCKET_CONNECTED && !(sock->flags & SOCKET_RESET);
}

/* nothing more will be on the wire */
int model_is_over( const struct model_sock *sock )
{
    return sock->rst_in || sock->rst_out || (sock->fin_in && sock->fin_out && !sock->stuck);
}

int model_is_unsent( const struct model_sock *sock )
{
    return sock->backlog || (sock->stuck && !model_is_over( sock ));
}

enum model_view model_view( const struct model_sock *sock )
{
    if (sock->rst_out) return VIEW_RST;
    return sock->fin_out && !sock->stuck ? VIEW_FIN : VIEW_OPEN;
}

static int model_resets_on_close( const struct model_sock *sock )
{
    return sock->onoff && !sock->seconds;
}

static u32 model_linger_time( const struct model_sock *sock )
{
    return sock->onoff ? sock->seconds : 0;
}

/* ---- ends ---- */

static void model_send_rst( struct model_sock *sock )
{
    if (model_is_over( sock )) return;
    sock->rst_out = 1;
    model_crossings += sock->stuck;
    sock->stuck = 0;
    sock->in = 0;
    model_resets++;
}

static void model_drop_backlog( struct model_sock *sock )
{
    sock->backlog = 0;
    sock->flags &= ~SOCKET_BACKLOGGED;
}

static void model_reset( struct model_sock *sock, u32 flags )
{
    sock->flags |= SOCKET_RESET | flags;
    model_drop_backlog( sock );
    model_send_rst( sock );
    if (flags & SOCKET_ABORTED) sock->in = 0;
}

static void model_send_fin( struct model_sock *sock )
{
    if (!model_is_over( sock )) sock->fin_out = 1;
}

/* the kernel socket's last fd is closed */
static void model_end_wire( struct model_sock *sock )
{
    int i;

    for (i = 0; i < MODEL_SOCKETS; i++)
    {
        if (!model[i].used || !model[i].queued || model[i].listener != sock - model) continue;
        model_send_rst( &model[i] );
        model[i].queued = 0;
    }
    if (!sock->stream || sock->state != SOCKET_CONNECTED) return;
    if (sock->in || model_resets_on_close( sock )) model_send_rst( sock );
    else model_send_fin( sock );
}

static void model_end( struct model_sock *sock );

/* what was put back to a listener that ends has nowhere to go, and nothing more can be put back to it */
static void model_end_deferred( struct model_sock *listener )
{
    int i;

    for (i = 0; i < MODEL_SOCKETS; i++)
    {
        if (!model[i].used || model[i].queued || model[i].listener != listener - model) continue;
        if (model[i].deferred)
        {
            model_reset( &model[i], SOCKET_ABORTED );
            model_end( &model[i] );
        }
        model[i].listener = -1;
    }
}

static void model_end( struct model_sock *sock )
{
    model_end_deferred( sock );
    sock->record = sock->closing = sock->lingering = sock->deferred = 0;
    sock->backlog = 0;
    sock->box = BOX_NONE;
    if (!sock->outside) model_end_wire( sock );
}

/* looks at what a stream received that takes no more */
static void model_look( struct model_sock *sock )
{
    if (!sock->stream || (!sock->closing && !(sock->flags & SOCKET_RECV_SHUTDOWN))) return;
    if (model_is_established( sock ) && !model_is_waiting( sock ))
    {
        if (sock->rst_in && !sock->told)
        {
            sock->told = 1;
            model_reset( sock, 0 );
        }
        else if (sock->in) model_reset( sock, SOCKET_ABORTED );
    }
    if (sock->closing && (sock->flags & SOCKET_RESET)) model_end( sock );
}

/* the FIN of a closing record */
static void model_send_last_fin( struct model_sock *sock )
{
    model_send_fin( sock );
    sock->flags |= SOCKET_SEND_SHUTDOWN;
}

static void model_close_last( struct model_sock *sock )
{
    const u32 seconds = model_linger_time( sock );

    if (model_is_established( sock ) && model_resets_on_close( sock ) && sock->backlog) model_reset( sock, SOCKET_ABORTED );
    if (!model_is_established( sock ) || model_resets_on_close( sock ) || !model_is_unsent( sock ) ||
        !(seconds || sock->backlog))
    {
        model_end( sock );
        return;
    }
    sock->closing = 1;
    sock->lingering = !!seconds;
    model_look( sock );
    if (sock->record && !sock->backlog) model_send_last_fin( sock );
}

static void model_release( struct model_sock *sock, int client )
{
    sock->holders &= ~(1u << client);
    sock->waits[client] = 0;
    if (!sock->holders && sock->box != BOX_LIVE) model_close_last( sock );
    else model_look( sock );
}

/* ---- requests ---- */

int model_new(void)
{
    int i;

    for (i = 0; i < MODEL_SOCKETS; i++)
    {
        if (model[i].used) continue;
        memset( &model[i], 0, sizeof(model[i]) );
        model[i].used = 1;
        model[i].listener = -1;
        return i;
    }
    return -1;
}

void model_create( struct model_sock *sock, int client, int stream )
{
    sock->record = 1;
    sock->stream = stream;
    sock->state = SOCKET_OPEN;
    sock->holders = 1u << client;
}

u32 model_bind( struct model_sock *sock, int client )
{
    if (!model_holds( sock, client )) return WSAENOTSOCK;
    if (sock->flags & SOCKET_BOUND) return WSAEINVAL;
    sock->flags |= SOCKET_BOUND;
    return 0;
}

u32 model_listen( struct model_sock *sock, int client )
{
    if (!model_holds( sock, client )) return WSAENOTSOCK;
    if (!sock->stream) return WSAEOPNOTSUPP;
    if (sock->state == SOCKET_CONNECTED) return WSAEISCONN;
    if (sock->state == SOCKET_CONNECTING || !(sock->flags & SOCKET_BOUND)) return WSAEINVAL;
    sock->state = SOCKET_LISTENING;
    sock->error = 0;
    if (!sock->port) sock->port = ++model_ports;
    return 0;
}

/* a stream */
u32 model_connect( struct model_sock *sock, int client, enum model_connect how )
{
    if (!model_holds( sock, client )) return WSAENOTSOCK;
    switch (sock->state)
    {
    case SOCKET_LISTENING:  return WSAEINVAL;
    case SOCKET_CONNECTED:  return WSAEISCONN;
    case SOCKET_CONNECTING: return WSAEALREADY;
    }
    sock->flags |= SOCKET_BOUND;
    sock->error = 0;
    if (how == CONNECT_STALLED) sock->state = SOCKET_CONNECTING;
    else model_connect_ends( sock, how == CONNECT_ACCEPTED );
    return sock->error;
}

/* a datagram socket */
u32 model_connect_peer( struct model_sock *sock, int client )
{
    if (!model_holds( sock, client )) return WSAENOTSOCK;
    sock->flags |= SOCKET_BOUND;
    sock->state = SOCKET_CONNECTED;
    return 0;
}

void model_connect_ends( struct model_sock *sock, int accepted )
{
    sock->state = accepted ? SOCKET_CONNECTED : SOCKET_FAILED;
    sock->error = accepted ? 0 : WSAECONNREFUSED;
    if (!accepted) model_resets++;
}

u32 model_connect_status( struct model_sock *sock, int client, u32 *pending )
{
    *pending = 0;
    if (!model_holds( sock, client )) return WSAENOTSOCK;
    switch (sock->state)
    {
    case SOCKET_CONNECTING: *pending = 1; return 0;
    case SOCKET_CONNECTED:  return 0;
    case SOCKET_FAILED:     return sock->error;
    default:                return WSAENOTCONN;
    }
}

/* a connection for the listener is in the kernel's queue */
void model_arrives( struct model_sock *listener, struct model_sock *sock )
{
    sock->queued = ++model_arrived;
    sock->listener = listener - model;
    sock->port = listener->port;
    sock->stream = 1;
    sock->state = SOCKET_CONNECTED;
}

/* one that was put back, else one of the kernel's; of each kind the one that came first */
static int model_next_connection( const struct model_sock *listener )
{
    int i, best = -1;

    for (i = 0; i < MODEL_SOCKETS; i++)
    {
        if (!model[i].used || model[i].listener != listener - model) continue;
        if (!model[i].deferred && !model[i].queued) continue;
        if (best != -1 && model[i].deferred < model[best].deferred) continue;
        if (best == -1 || model[i].deferred > model[best].deferred ||
            model[i].accepted_as + model[i].queued < model[best].accepted_as + model[best].queued) best = i;
    }
    return best;
}

static void model_show_deferred( struct model_sock *listener )
{
    int i;

    listener->flags &= ~SOCKET_DEFERRED;
    for (i = 0; i < MODEL_SOCKETS; i++)
        if (model[i].used && model[i].deferred && model[i].listener == listener - model) listener->flags |= SOCKET_DEFERRED;
}

u32 model_accept( struct model_sock *listener, int client, int *connection )
{
    struct model_sock *sock;

    *connection = -1;
    if (!model_holds( listener, client )) return WSAENOTSOCK;
    if (!listener->stream) return WSAEOPNOTSUPP;
    if (listener->state != SOCKET_LISTENING) return WSAEINVAL;
    if ((*connection = model_next_connection( listener )) == -1) return WSAEWOULDBLOCK;

    sock = &model[*connection];
    sock->holders = 1u << client;
    if (sock->deferred)
    {
        sock->deferred = 0;
        sock->handed = 1;
        model_show_deferred( listener );
        return 0;
    }
    sock->queued = 0;
    sock->record = 1;
    sock->accepted_as = ++model_accepted;
    sock->flags = SOCKET_BOUND | SOCKET_ACCEPTED | (listener->flags & SOCKET_NONBLOCKING);
    sock->onoff = listener->onoff;
    sock->seconds = listener->seconds;
    return 0;
}

/* did the connection come from there? */
static int model_is_from( const struct model_sock *sock, const struct model_sock *listener )
{
    if (!sock->astray) return sock->listener == listener - model;
    return (sock->flags & SOCKET_ACCEPTED) && sock->port == listener->port;
}

u32 model_defer( struct model_sock *listener, struct model_sock *sock, int client )
{
    if (!model_holds( listener, client ) || !model_holds( sock, client )) return WSAENOTSOCK;
    if (listener->state != SOCKET_LISTENING || !model_is_from( sock, listener )) return WSAEINVAL;
    sock->listener = listener - model;
    sock->astray = 0;
    if (sock->holders != 1u << client) return WSAEINVAL;

    sock->holders = 0;
    sock->waits[client] = 0;
    sock->box = BOX_NONE;
    sock->deferred = 1;
    model_show_deferred( listener );
    return 0;
}

u32 model_shutdown( struct model_sock *sock, int client, u32 how )
{
    if (!model_holds( sock, client )) return WSAENOTSOCK;
    if (sock->stream && sock->state != SOCKET_CONNECTED) return WSAENOTCONN;
    if (how > WS_SD_BOTH) return WSAEINVAL;
    if (how != WS_SD_SEND)
    {
        sock->flags |= SOCKET_RECV_SHUTDOWN;
        model_look( sock );
    }
    if (how != WS_SD_RECEIVE)
    {
        /* it ended before our FIN */
        if (model_is_established( sock ) && !(sock->flags & SOCKET_SEND_SHUTDOWN) && sock->rst_in) model_reset( sock, 0 );
        sock->flags |= SOCKET_SEND_SHUTDOWN;
        if (model_is_established( sock ) && !sock->backlog) model_send_fin( sock );
    }
    return 0;
}

u32 model_arm( struct model_sock *sock, int client )
{
    if (!model_holds( sock, client )) return WSAENOTSOCK;
    model_look( sock );
    return 0;
}

u32 model_note_reset( struct model_sock *sock, int client )
{
    if (!model_holds( sock, client )) return WSAENOTSOCK;
    if (model_is_established( sock ) && model_is_over( sock )) model_reset( sock, 0 );
    return 0;
}

u32 model_set_linger( struct model_sock *sock, int client, u32 onoff, u32 seconds )
{
    if (!model_holds( sock, client )) return WSAENOTSOCK;
    if (seconds > 0xffff) return WSAEINVAL;
    sock->onoff = onoff;
    sock->seconds = seconds;
    return 0;
}

u32 model_set_nonblocking( struct model_sock *sock, int client, u32 value )
{
    if (!model_holds( sock, client )) return WSAENOTSOCK;
    if (value) sock->flags |= SOCKET_NONBLOCKING;
    else sock->flags &= ~SOCKET_NONBLOCKING;
    return 0;
}

/* fits: the kernel takes all of it at once */
u32 model_backlog( struct model_sock *sock, int client, u32 bytes, int fits )
{
    if (!model_holds( sock, client )) return WSAENOTSOCK;
    if (!sock->stream) return WSAEOPNOTSUPP;
    if (sock->state != SOCKET_CONNECTED) return WSAENOTCONN;
    if (sock->flags & SOCKET_RESET) return sock->flags & SOCKET_ABORTED ? WSAECONNABORTED : WSAECONNRESET;
    if (sock->flags & SOCKET_SEND_SHUTDOWN) return WSAESHUTDOWN;
    if (sock->backlog) return WSAEWOULDBLOCK;
    if (sock->rst_in)
    {
        sock->told = 1;
        model_reset( sock, 0 );
        return 0;
    }
    sock->sent += bytes;
    if (fits) return 0;
    sock->backlog = sock->stuck = 1;
    sock->flags |= SOCKET_BACKLOGGED;
    return 0;
}

u32 model_close( struct model_sock *sock, int client, u32 flags, int *wait )
{
    *wait = 0;
    if (!model_holds( sock, client )) return WSAENOTSOCK;
    if (sock->holders == 1u << client && ((flags & (CLOSE_SOLE | CLOSE_RESET)) || sock->box != BOX_LIVE))
    {
        if ((flags & CLOSE_RESET) || (model_resets_on_close( sock ) && !(flags & CLOSE_NOWAIT)))
        {
            if (model_is_established( sock )) model_reset( sock, SOCKET_ABORTED );
        }
        else if (model_linger_time( sock ) && model_is_established( sock ) && model_is_unsent( sock ) &&
                 !(flags & CLOSE_NOWAIT))
        {
            if (sock->flags & SOCKET_NONBLOCKING) return WSAEWOULDBLOCK;
            *wait = 1;
        }
    }
    if (flags & CLOSE_SOLE) sock->box = BOX_NONE;
    model_release( sock, client );
    return 0;
}

/* owned: the mailbox was made for this client, and is nobody's */
u32 model_name( struct model_sock *sock, int client, int owned )
{
    if (!model_holds( sock, client )) return WSAENOTSOCK;
    if (sock->box || !owned) return WSAEINVAL;
    sock->box = BOX_LIVE;
    return 0;
}

/* a record that there is */
void model_adopt( struct model_sock *sock, int client )
{
    sock->holders |= 1u << client;
    if (sock->deferred)
    {
        sock->deferred = 0;
        model_show_deferred( &model[sock->listener] );
    }
    if (!sock->closing) return;
    sock->closing = sock->lingering = 0;
    model_look( sock );
}

/* one that there was: as its record is remembered */
void model_adopt_outside( struct model_sock *sock, int client )
{
    sock->record = 1;
    sock->listener = -1;
    sock->astray = 1;
    sock->holders = 1u << client;
    sock->flags &= ~(SOCKET_BACKLOGGED | SOCKET_DEFERRED);
    model_look( sock );
}

void model_outside_ends( struct model_sock *sock )
{
    sock->outside = 0;
    if (!sock->record) model_end_wire( sock );
}

/* ---- what else happens ---- */

/* a receive that is to wait */
void model_post( struct model_sock *sock, int client )
{
    if (sock->flags & SOCKET_RECV_SHUTDOWN) model_arm( sock, client );
    else sock->waits[client]++;
}

/* A client reads all there is; 1 if it meets a reset, which it notes. */
int model_read( struct model_sock *sock, int client, int posted )
{
    int reset = sock->rst_in && !sock->fin_in && !sock->told && !(sock->flags & SOCKET_ABORTED);

    sock->in = 0;
    if (reset)
    {
        sock->told = 1;
        model_note_reset( sock, client );
    }
    if (posted && !--sock->waits[client] && (sock->flags & SOCKET_RECV_SHUTDOWN)) model_arm( sock, client );
    return reset;
}

void model_dies( int client )
{
    int i;

    for (i = 0; i < MODEL_SOCKETS; i++)
        if (model[i].used && model_holds( &model[i], client )) model_release( &model[i], client );
}

/* All that live have registered again with the next one, which looks as if each had been armed. */
void model_helper_dies(void)
{
    int i;

    for (i = 0; i < MODEL_SOCKETS; i++)
    {
        if (!model[i].used || !model[i].record) continue;
        if (!model[i].deferred)
        {
            model[i].listener = -1;
            model[i].astray = 1;
        }
        model_look( &model[i] );
    }
}

void model_hangs_up( struct model_sock *sock )
{
    sock->box = BOX_NONE;
    if (sock->record && !sock->holders && !sock->closing) model_close_last( sock );
}

/* the time of a lingering close is over */
void model_expires( struct model_sock *sock )
{
    model_reset( sock, SOCKET_ABORTED );
    model_end( sock );
}

void model_peer_data( struct model_sock *sock, u32 count )
{
    sock->in += count;
    if (sock->record) model_look( sock );
}

void model_peer_fin( struct model_sock *sock )
{
    sock->fin_in = 1;
}

void model_peer_rst( struct model_sock *sock )
{
    sock->rst_in = 1;
    model_crossings += sock->stuck;
    sock->stuck = 0;
    model_resets++;
    if (!sock->record) return;
    if (sock->backlog || sock->closing)
    {
        sock->told = 1;
        model_reset( sock, 0 );
    }
    if (sock->closing) model_end( sock );
    else if (!sock->fin_in) model_look( sock );     /* after a FIN nobody watches */
}

/* The peer reads all there is. What was stuck goes, and what waited for that. */
void model_peer_reads( struct model_sock *sock )
{
    sock->stuck = 0;
    if (!sock->record || (!sock->backlog && !sock->closing)) return;
    model_drop_backlog( sock );
    if (sock->closing)
    {
        if (sock->lingering || (sock->flags & SOCKET_SEND_SHUTDOWN)) model_send_last_fin( sock );
        model_end( sock );
    }
    else if (sock->flags & SOCKET_SEND_SHUTDOWN) model_send_fin( sock );
}
