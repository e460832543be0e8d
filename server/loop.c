/*
 * The loop: readiness of fds and timers
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
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include "server.h"

/* events taken from the kernel at once; more only makes the next look later */
#define LOOP_BATCH 64

static int loop_epoll = -1;
static int loop_running;

static struct epoll_event loop_batch[LOOP_BATCH];
static int loop_batch_count;                    /* events in the batch that is being worked off */

static struct timer **loop_heap;                /* binary heap, the earliest first */
static u32 loop_heap_count, loop_heap_size;

static int loop_has_guard;                      /* its signal is handled */
static volatile sig_atomic_t loop_guarded;      /* the guard's interval timer runs */

/* The guard. No call here may block, yet every client shares the open file
 * descriptions of its sockets with us, and one that clears O_NONBLOCK between our
 * fcntl and our accept could hold us up for ever. So while there is work an interval
 * timer interrupts whatever sleeps for longer than a second (EINTR, no SA_RESTART);
 * it stops itself when the loop is idle, so an idle helper wakes up no more. */
static void loop_guard_signal( int sig )
{
    (void)sig;
}

static void loop_guard( int on )
{
    struct itimerval interval = { { on, 0 }, { on, 0 } };

    if (loop_guarded == on || !loop_has_guard) return;
    loop_guarded = on;
    setitimer( ITIMER_REAL, &interval, NULL );
}

static void loop_guard_init(void)
{
    struct sigaction action;

    memset( &action, 0, sizeof(action) );
    action.sa_handler = loop_guard_signal;
    loop_has_guard = !sigaction( SIGALRM, &action, NULL );
}

int loop_init(void)
{
    return (loop_epoll = epoll_create1( EPOLL_CLOEXEC )) == -1 ? -1 : 0;
}

void loop_done(void)
{
    loop_guard( 0 );
    close( loop_epoll );
    free( loop_heap );
    loop_epoll = -1;
    loop_heap = NULL;
    loop_heap_count = loop_heap_size = 0;
}

/* milliseconds of CLOCK_MONOTONIC */
u64 loop_now(void)
{
    struct timespec ts;

    clock_gettime( CLOCK_MONOTONIC, &ts );
    return (u64)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Watches for other events than before; 0 for none any more. Must come before the fd is
 * closed: an epoll registration belongs to the open file, which others hold too,
 * so that it would outlive our fd. */
int loop_watch( struct watch *watch, u32 events )
{
    struct epoll_event event = { .events = events, .data.ptr = watch };
    int i, ret;

    if (events == watch->events) return 0;

    if (!events)
    {
        ret = epoll_ctl( loop_epoll, EPOLL_CTL_DEL, watch->fd, NULL );
        for (i = 0; i < loop_batch_count; i++)
            if (loop_batch[i].data.ptr == watch) loop_batch[i].data.ptr = NULL;
    }
    else ret = epoll_ctl( loop_epoll, watch->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, watch->fd, &event );

    if (ret == -1)
    {
        log_line( "cannot watch fd %d for %#x: %s", watch->fd, events, strerror( errno ) );
        if (events) return -1;
    }
    watch->events = events;
    return 0;
}

/* has an edge-triggered event that is still true reported again */
void loop_again( struct watch *watch )
{
    struct epoll_event event = { .events = watch->events, .data.ptr = watch };

    if (watch->events) epoll_ctl( loop_epoll, EPOLL_CTL_MOD, watch->fd, &event );
}

static void loop_place( struct timer *timer, u32 index )
{
    loop_heap[index] = timer;
    timer->index = index + 1;
}

static void loop_sift_up( struct timer *timer, u32 index )
{
    while (index && loop_heap[(index - 1) / 2]->when > timer->when)
    {
        loop_place( loop_heap[(index - 1) / 2], index );
        index = (index - 1) / 2;
    }
    loop_place( timer, index );
}

static void loop_sift_down( struct timer *timer, u32 index )
{
    u32 child;

    while ((child = 2 * index + 1) < loop_heap_count)
    {
        if (child + 1 < loop_heap_count && loop_heap[child + 1]->when < loop_heap[child]->when) child++;
        if (loop_heap[child]->when >= timer->when) break;
        loop_place( loop_heap[child], index );
        index = child;
    }
    loop_place( timer, index );
}

/* arms the timer, or arms it anew; O(log n) */
void loop_timer( struct timer *timer, u64 ms )
{
    struct timer **heap;
    u32 size;

    loop_cancel( timer );
    if (loop_heap_count == loop_heap_size)
    {
        size = loop_heap_size ? loop_heap_size * 2 : 64;
        if (!(heap = realloc( loop_heap, size * sizeof(*heap) )))
        {
            log_line( "no memory for a timer" );
            return;
        }
        loop_heap = heap;
        loop_heap_size = size;
    }
    timer->when = loop_now() + ms;
    loop_sift_up( timer, loop_heap_count++ );
}

void loop_cancel( struct timer *timer )
{
    struct timer *last;
    u32 index;

    if (!timer->index) return;
    index = timer->index - 1;
    timer->index = 0;
    last = loop_heap[--loop_heap_count];
    if (last == timer) return;
    if (index && loop_heap[(index - 1) / 2]->when > last->when) loop_sift_up( last, index );
    else loop_sift_down( last, index );
}

/* milliseconds until the first timer is due, -1 without any */
static int loop_timeout(void)
{
    u64 now;

    if (!loop_heap_count) return -1;
    if ((now = loop_now()) >= loop_heap[0]->when) return 0;
    return loop_heap[0]->when - now > 60000 ? 60000 : (int)(loop_heap[0]->when - now);
}

static void loop_expire(void)
{
    u64 now = loop_now();
    struct timer *timer;

    while (loop_heap_count && (timer = loop_heap[0])->when <= now)
    {
        loop_cancel( timer );
        timer->expired( timer );
    }
}

static void loop_dispatch(void)
{
    struct watch *watch;
    int i;

    for (i = 0; i < loop_batch_count; i++)
    {
        /* NULL: what came before ended it */
        if ((watch = loop_batch[i].data.ptr)) watch->ready( watch, loop_batch[i].events );
    }
    loop_batch_count = 0;
}

/* One look at the fds, for so long at most (ms; -1: until something happens), and all that is to be done
 * then. How many were ready; -1 if there can be no look at all. */
int loop_step( int timeout )
{
    int count = epoll_wait( loop_epoll, loop_batch, LOOP_BATCH, timeout );

    if (count != -1) loop_guard( 1 );
    else if (errno == EINTR) loop_guard( 0 );   /* it found us idle */
    else return -1;

    loop_batch_count = count > 0 ? count : 0;
    loop_dispatch();
    loop_expire();
    return count > 0 ? count : 0;
}

void loop_run(void)
{
    loop_guard_init();
    for (loop_running = 1; loop_running; )
    {
        if (loop_step( loop_timeout() ) != -1) continue;
        log_line( "epoll_wait: %s", strerror( errno ) );
        break;
    }
}

void loop_stop(void)
{
    loop_running = 0;
}
