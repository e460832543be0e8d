/*
 * Sockets that only the worker before this one knew: how they go on
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

#include "store.h"

static struct list restore_list = { &restore_list, &restore_list };     /* those that nobody has spoken of since */

/* May there be clients that hold it and have not said so yet? */
int restore_awaits( const struct sock *sock )
{
    return !list_empty( &sock->restored_entry );
}

/* somebody has said what he knows of it, or it ends */
void restore_claimed( struct sock *sock )
{
    list_remove( &sock->restored_entry );
}

/* fds: by enum store_role; what is taken over becomes -1 there */
static int restore_take( int *fds, enum store_role role )
{
    int fd = fds[role];

    fds[role] = -1;
    return fd;
}

/* The record as it was, in another slot. NULL: it cannot be. */
struct sock *restore_socket( const struct kept_socket *kept, int *fds )
{
    const struct slot *slot = &kept->slot;
    struct sock *sock;
    u32 generation;

    if (!(sock = socket_new( fds[STORE_FD], slot->family, slot->type, slot->protocol ))) return NULL;
    sock->urgent = 1;           /* for all we know */
    restore_take( fds, STORE_FD );
    generation = sock->pub.generation;
    sock->pub = *slot;
    sock->pub.generation = generation;
    list_add_tail( &restore_list, &sock->restored_entry );
    sock->unheld = kept->unheld;
    sock->shared = kept->shared;
    if (socket_is_local( sock ) && !local_attach( sock ))
    {
        socket_end( sock );
        return NULL;
    }
    adopt_restored( sock );
    return sock;
}

static void restore_backlog( struct sock *sock, const struct kept_socket *kept, int *fds )
{
    if (fds[STORE_BACKLOG] != -1 &&
        backlog_restore( sock, fds[STORE_BACKLOG], kept->backlog_end, &fds[STORE_WATCH_READ] ))
    {
        restore_take( fds, STORE_BACKLOG );
        restore_take( fds, STORE_WATCH_READ );
        restore_take( fds, STORE_WATCH_WRITE );
        return;
    }
    sock->pub.flags &= ~SOCKET_BACKLOGGED;
    /* the last piece went in the moment of the worker's death */
    if (fds[STORE_BACKLOG] != -1 && (sock->pub.flags & SOCKET_SEND_SHUTDOWN)) shutdown_drained( sock );
}

/* put back to a listener, which may be there already: one that only a handle keeps */
static void restore_deferred( struct sock *sock, const struct kept_socket *kept )
{
    struct sock *listener = socket_by_cookie( kept->listener );

    accept_restore( sock, kept->listener, kept->handed );
    if (listener) accept_reunite( listener );
}

/* What it was about goes on. The record may be gone afterwards. */
void restore_resume( struct sock *sock, const struct kept_socket *kept, int *fds )
{
    mailbox_restore_sock( kept->mailbox, sock );
    if (kept->listener) restore_deferred( sock, kept );
    restore_backlog( sock, kept, fds );
    if (kept->closing &&
        close_restore( sock, kept->deadline, kept->lingers, kept->fin_sent, fds[STORE_LINGER] ))
        restore_take( fds, STORE_LINGER );
    socket_publish( sock );
    if (sock->pub.state == SOCKET_LISTENING) accept_reunite( sock );
    if (sock->pub.state == SOCKET_CONNECTING) connect_resume( sock );
    if (sock->closing) close_resume( sock );
    else socket_rewatch( sock );
}

/* A client has said all it knows. A socket that it held, whose handle no other process can have, and that is not
 * among these, it has closed: the word of it died with the worker, and the handle serves another one
 * by now. O(restored) */
void restore_client_back( u32 pid )
{
    struct sock *sock, *next;

    LIST_FOR_EACH_ENTRY_SAFE( sock, next, &restore_list, struct sock, restored_entry )
        if (mailbox_pid( sock ) == pid && !sock->unheld && !sock->shared) mailbox_unbind( sock );
}

/* receive shutdowns are judged again */
static void restore_look(void)
{
    struct sock *sock;
    u32 i;

    for (i = 0; i < PROTOCOL_MAX_SLOTS; i++)
    {
        if (!(sock = socket_by_slot( i )) || sock->closing) continue;
        if ((sock->pub.flags & SOCKET_RECV_SHUTDOWN) && socket_is_stream( sock )) shutdown_look( sock );
    }
}

/* All clients of before have come back or have ended: what nobody holds now nobody ever will. */
void restore_settle(void)
{
    struct list *entry;
    struct sock *sock;

    accept_settle();
    mailbox_settle();
    while ((entry = list_head( &restore_list )))
    {
        sock = CONTAINER_OF( entry, struct sock, restored_entry );
        list_remove( entry );
        if (sock->closing) continue;
        if (!mailbox_keeps( sock )) close_last( sock );
        else
        {
            sock->unheld = 1;
            store_socket( sock );
        }
    }
    restore_look();
}

/* for a keeper that knows nothing */
void restore_store_all(void)
{
    struct sock *sock;
    u32 i;

    for (i = 0; i < PROTOCOL_MAX_SLOTS; i++)
    {
        if (!(sock = socket_by_slot( i ))) continue;
        sock->stored = 0;
        store_socket( sock );
        if (sock->stored_connect) store_connect( sock );
        if (socket_is_local( sock )) local_store( sock );
    }
}
