/*
 * The arena: the slots that every client maps and reads
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

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "server.h"

/* a slot as the words it is published in */
typedef u32 __attribute__((may_alias)) slot_word;

#define ARENA_SIZE ((size_t)PROTOCOL_MAX_SLOTS * sizeof(struct slot))

_Static_assert( sizeof(struct slot) == 256, "a slot is 256 bytes" );
_Static_assert( OPTION_COUNT <= sizeof(((struct slot *)0)->options) / sizeof(u32), "options fit" );

static struct slot *arena_slots;        /* the only writable mapping there is or can be */
static int arena_read_fd = -1;          /* what clients get: cannot be written through */
static u32 *arena_stack;                /* slots that were used and are free, the last freed first */
static u32 arena_stack_count;
static u32 arena_top;                   /* slots from here on were never used */
static u32 arena_first_generation;      /* another one for each helper, so that an old reference hits nothing */

int arena_init(void)
{
    char path[64];
    int fd;

    if ((fd = memfd_create( "tapster-arena", MFD_CLOEXEC | MFD_ALLOW_SEALING )) == -1) return -1;
    if (ftruncate( fd, ARENA_SIZE )) goto error;
    arena_slots = mmap( NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    if (arena_slots == MAP_FAILED) goto error;
    if (fcntl( fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL )) goto error;

    /* a read-only fd spares clients the question; where /proc is missing the seals are enough */
    snprintf( path, sizeof(path), "/proc/self/fd/%d", fd );
    if ((arena_read_fd = open( path, O_RDONLY | O_CLOEXEC )) == -1) arena_read_fd = fd;
    else close( fd );

    if (!(arena_stack = malloc( PROTOCOL_MAX_SLOTS * sizeof(*arena_stack) ))) return -1;
    if (getrandom( &arena_first_generation, sizeof(arena_first_generation), GRND_NONBLOCK ) == -1)
        arena_first_generation = getpid() * 2654435761u;
    return 0;

error:
    close( fd );
    return -1;
}

void arena_done(void)
{
    munmap( arena_slots, ARENA_SIZE );
    close( arena_read_fd );
    free( arena_stack );
    arena_slots = NULL;
    arena_read_fd = -1;
    arena_stack = NULL;
    arena_stack_count = arena_top = 0;
}

int arena_fd(void)
{
    return arena_read_fd;
}

/* The last slot freed comes first: few pages are ever touched. 0 if all are taken. */
int arena_alloc( u32 *slot, u32 *generation )
{
    if (arena_stack_count) *slot = arena_stack[--arena_stack_count];
    else if (arena_top < PROTOCOL_JOURNAL)
    {
        *slot = arena_top++;
        arena_slots[*slot].generation = arena_first_generation;
    }
    else return 0;

    if (!(*generation = arena_slots[*slot].generation + 1)) *generation = 1;
    return 1;
}

/* Writes all of a slot. Readers of one number need nothing, readers of several
 * compare seq before and after. */
static void arena_write( u32 slot, const struct slot *content )
{
    struct slot *to = &arena_slots[slot];
    const slot_word *src = (const slot_word *)content;
    slot_word *dst = (slot_word *)to;
    u32 seq = to->seq;
    size_t i;

    __atomic_store_n( &to->seq, seq + 1, __ATOMIC_RELAXED );
    __atomic_thread_fence( __ATOMIC_RELEASE );
    __atomic_store_n( &to->generation, content->generation, __ATOMIC_RELAXED );
    __atomic_store_n( &to->cookie, content->cookie, __ATOMIC_RELAXED );
    for (i = offsetof( struct slot, state ) / sizeof(u32); i < sizeof(struct slot) / sizeof(u32); i++)
        __atomic_store_n( &dst[i], src[i], __ATOMIC_RELAXED );
    __atomic_store_n( &to->seq, seq + 2, __ATOMIC_RELEASE );
}

/* First into the journal: if we are killed while we write, there is still one that is whole. What no client knows
 * of yet needs none. */
void arena_publish( u32 slot, const struct slot *content )
{
    const struct slot *shown = &arena_slots[slot];

    if (shown->generation == content->generation && shown->state != SOCKET_FREE) arena_write( PROTOCOL_JOURNAL, content );
    arena_write( slot, content );
}

/* the generation stays, so that the next one differs from it; nobody holds it who could want to know what it was */
void arena_free( u32 slot )
{
    struct slot empty;

    memset( &empty, 0, sizeof(empty) );
    empty.generation = arena_slots[slot].generation;
    arena_write( slot, &empty );
    arena_stack[arena_stack_count++] = slot;
}

const struct slot *arena_slot( u32 slot )
{
    return &arena_slots[slot];
}
