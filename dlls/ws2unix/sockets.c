/*
 * The sockets of this process, by SO_COOKIE
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

#include <fcntl.h>

#define HASH_SIZE 4096                  /* chains stay short up to some ten thousand sockets */
#define ALLOC_COUNT 64                  /* unix_sockets allocated at once; they are never freed */

static struct unix_socket *hash[HASH_SIZE];
static struct unix_socket *free_list;

static unsigned int alloc_count;        /* how many there are: each has a counter for its life */

/* what a closed socket still shows to a thread that has not noticed: an open, unconnected one */
static const struct slot no_slot;

/* one that ended though nobody here closed it: each use of its handle looks what the handle is now */
static const struct slot gone_slot = { .flags = SOCKET_STRAY };

static struct unix_socket **chain( uint64_t cookie )
{
    return &hash[cookie % HASH_SIZE];
}

struct unix_socket *sockets_find( uint64_t cookie )
{
    struct unix_socket *socket;

    for (socket = *chain( cookie ); socket; socket = socket->next)
        if (socket->cookie == cookie) return socket;
    return NULL;
}

struct unix_socket *sockets_take(void)
{
    struct unix_socket *socket = free_list;
    unsigned int i;

    if (!socket)
    {
        if (alloc_count + ALLOC_COUNT > PROTOCOL_MAX_SLOTS) return NULL;
        if (!(socket = calloc( ALLOC_COUNT, sizeof(*socket) ))) return NULL;
        for (i = 0; i < ALLOC_COUNT; i++)
        {
            socket[i].counter = alloc_count++;
            socket[i].slot = &no_slot;
            socket[i].backlog_fd = -1;
            socket[i].kept = -1;
            socket[i].accept_fd = -1;
            socket[i].deferred_fd = -1;
            if (i < ALLOC_COUNT - 1) socket[i].next = &socket[i + 1];
        }
    }
    free_list = socket->next;
    return socket;
}

void sockets_put_back( struct unix_socket *socket )
{
    socket->next = free_list;
    free_list = socket;
}

void sockets_enter( struct unix_socket *socket, int fd, uint64_t cookie )
{
    socket->fd = fd;
    socket->refs = 1;
    socket->cookie = cookie;
    socket->mailbox = 0;
    socket->unnamed = 0;
    socket->gone = 0;
    socket->turn = 0;
    socket->icmp_error = 0;
    socket->idle_receives = 0;
    socket->urgent = 0;
    socket->wait_first = 0;
    socket->rest = 0;
    socket->put_back = 0;
    socket->next = *chain( cookie );
    *chain( cookie ) = socket;
}

void sockets_replace( struct unix_socket *socket, int fd, uint64_t cookie )
{
    struct unix_socket **ptr = chain( socket->cookie );

    while (*ptr != socket) ptr = &(*ptr)->next;
    *ptr = socket->next;
    dup3( fd, socket->fd, O_CLOEXEC );
    close( fd );
    socket->cookie = cookie;
    socket->next = *chain( cookie );
    *chain( cookie ) = socket;
}

void sockets_reset( int fd )
{
    const struct linger reset = { 1, 0 };

    setsockopt( fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset) );
    close( fd );
}

static void unhash( struct unix_socket *socket )
{
    struct unix_socket **ptr = chain( socket->cookie );

    while (*ptr != socket) ptr = &(*ptr)->next;
    *ptr = socket->next;
}

void sockets_abandon( struct unix_socket *socket, int fd )
{
    struct socket_params params = { socket };
    int watched;

    unhash( socket );
    socket->gone = 1;
    socket->ref.generation = 0;
    __atomic_store_n( &socket->slot, &gone_slot, __ATOMIC_RELEASE );
    /* threads may be about to use it: it must not become another file's */
    watched = socket->watched;
    engine_forget( socket );
    dup3( fd, socket->fd, O_CLOEXEC );
    /* what waits finds the end there */
    if (watched) engine_watch( &params );
}

void sockets_remove( struct unix_socket *socket )
{
    if (!socket->gone) unhash( socket );
    engine_forget( socket );
    close( socket->fd );
    socket->fd = -1;
    if (socket->backlog_fd != -1) close( socket->backlog_fd );
    socket->backlog_fd = -1;
    if (socket->kept != -1) sockets_reset( socket->kept );
    socket->kept = -1;
    listener_forget( socket );
    __atomic_store_n( &socket->slot, &no_slot, __ATOMIC_RELEASE );
    sockets_put_back( socket );
}

int sockets_enumerate( int (*func)( struct unix_socket *socket, void *arg ), void *arg )
{
    struct unix_socket *socket;
    unsigned int i;
    int ret;

    for (i = 0; i < HASH_SIZE; i++)
        for (socket = hash[i]; socket; socket = socket->next)
            if ((ret = func( socket, arg ))) return ret;
    return 0;
}
