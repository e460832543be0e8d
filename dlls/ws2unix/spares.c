/*
 * Making sockets, and having some for later
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
#include "control.h"

#include <time.h>

/* ---- sockets for later ----
 *
 * A process that makes sockets quickly gets several at once, so that most of them cost no
 * round trip. They are sockets like others, but that they have no handle yet. */

#define SPARE_KINDS  4                  /* kinds of socket that a process may be quick with */
#define SPARE_PERIOD 2000000            /* ns: made faster than one in this time is quickly */

struct spare_kind
{
    struct create_request  kind;        /* what to ask for; the mailbox and count mean nothing */
    struct unix_socket    *sockets[PROTOCOL_MAX_FDS];
    unsigned int           count;
    unsigned int           batch;       /* how many to ask for */
    int64_t                last;        /* when it was asked for last, ns */
};

static struct spare_kind spares[SPARE_KINDS];
static unsigned int next_kind;

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime( CLOCK_MONOTONIC, &ts );
    return ts.tv_sec * (int64_t)1000000000 + ts.tv_nsec;
}

static int same_kind( const struct create_request *a, const struct create_request *b )
{
    return a->family == b->family && a->type == b->type && a->protocol == b->protocol && a->context == b->context;
}

/* NULL: this kind is not counted, since others have spares */
static struct spare_kind *find_kind( const struct create_request *kind )
{
    unsigned int i;

    for (i = 0; i < SPARE_KINDS; i++)
        if (same_kind( &spares[i].kind, kind )) return &spares[i];
    if (spares[next_kind = (next_kind + 1) % SPARE_KINDS].count) return NULL;
    memset( &spares[next_kind], 0, sizeof(spares[next_kind]) );
    spares[next_kind].kind = *kind;
    return &spares[next_kind];
}

/* 1, 2, 4, 8 while it goes on quickly, 1 again when not */
static unsigned int next_batch( struct spare_kind *spare )
{
    int64_t now = now_ns();

    if (!spare->batch || now - spare->last > SPARE_PERIOD * spare->batch) spare->batch = 1;
    else if (spare->batch < PROTOCOL_MAX_FDS) spare->batch *= 2;
    spare->last = now;
    return spare->batch;
}

/* one that is there already; the helper hears of its handle with the first request for it, or when
 * the handle may go to another process */
static struct unix_socket *use_spare( struct spare_kind *spare, uint64_t mailbox )
{
    struct unix_socket *socket = spare->sockets[--spare->count];

    socket->mailbox = mailbox;
    socket->unnamed = 1;
    return socket;
}

/* takes what can become the sockets of a create: fewer than asked for if there is no memory */
static int take_sockets( struct unix_socket **taken, struct create_request *request )
{
    unsigned int i;

    for (i = 0; i < request->count && (taken[i] = sockets_take()); i++) request->counters[i] = taken[i]->counter;
    request->count = i;
    return i != 0;
}

/* enters what came: the first is asked for, the others are spares */
static struct unix_socket *enter_created( struct unix_socket **taken, const struct create_reply *reply,
                                          const struct fds *fds, struct spare_kind *spare )
{
    struct unix_socket *first = NULL;
    unsigned int i;

    for (i = 0; i < fds->count; i++)
    {
        if (i >= reply->count || !taken[i]) close( fds->fds[i] );
        else if (!channel_enter_socket( taken[i], fds->fds[i], reply->made[i].cookie, reply->made[i].socket ))
            channel_give_back( fds->fds[i], reply->made[i].socket );
        else
        {
            if (!i) first = taken[i];
            else spare->sockets[spare->count++] = taken[i];
            taken[i] = NULL;
        }
    }
    return first;
}

static unsigned int create_locked( struct create_request *request, struct unix_socket **socket )
{
    struct unix_socket *taken[PROTOCOL_MAX_FDS] = { NULL };
    struct spare_kind *spare = find_kind( request );
    struct create_reply reply;
    struct fds fds;
    struct exchange ex = EXCHANGE( REQUEST_CREATE, NULL, *request, reply );
    unsigned int error, i;

    if (spare && spare->count)
    {
        *socket = use_spare( spare, request->mailbox );
        return 0;
    }
    request->count = spare ? next_batch( spare ) : 1;
    ex.reply_fds = &fds;
    if (!take_sockets( taken, request )) return WSAENOBUFS;
    /* a fd that did not come had no room here */
    if (!(error = channel_ask_locked( &ex )) && !(*socket = enter_created( taken, &reply, &fds, spare )))
        error = fds.count ? WSAENOBUFS : WSAEMFILE;
    for (i = 0; i < request->count; i++)
        if (taken[i]) sockets_put_back( taken[i] );
    if (!error) (*socket)->mailbox = request->mailbox;
    return error;
}

NTSTATUS socket_create( void *args )
{
    struct socket_create_params *params = args;
    struct create_request request = { params->family, params->type, params->protocol, params->context, params->mailbox, 1, 0, { 0 } };
    unsigned int error;
    sigset_t old;

    channel_enter( &old );
    error = create_locked( &request, &params->socket );
    channel_leave( &old );
    return error;
}
