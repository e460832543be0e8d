/*
 * Noticing that the helper has died
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


/* A program that only sends and receives asks the helper nothing. But what the helper does by itself for its
 * sockets (sending the rest of a send, resetting for data that nobody will receive) the next one
 * takes up only when it has been told of them. So one thread sleeps until the helper
 * ends, or rings: other processes have closed this one's handles. It is none of Wine's: it blocks all signals, and touches
 * nothing of the program's. */

#include "ws2unix_private.h"
#include "control.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#define STACK_SIZE  (128 * 1024)
#define FIRST_PAUSE 50                  /* ms until the next attempt to find a helper when there was none; then twice as long */
#define LAST_PAUSE  5000
#define IS_BELL     (-1)               /* in an event: not the end of a helper, whose fd is there otherwise */

static int watch_epoll = -1;

/* Until a helper's process has ended: watching the connection itself would cost something with every message. */
static void *watch_thread( void *arg )
{
    struct epoll_event event;
    int pause = -1, count;

    (void)arg;
    for (;;)
    {
        if ((count = epoll_wait( watch_epoll, &event, 1, pause )) == -1 && errno != EINTR) return NULL;
        if (count == 1 && event.data.fd == IS_BELL)
        {
            channel_answer_bell();
            if (pause == -1) continue;
        }
        else if (count == 1) close( event.data.fd );
        if (!channel_renew()) pause = -1;
        else if (pause == -1) pause = FIRST_PAUSE;
        else pause = pause < LAST_PAUSE / 2 ? pause * 2 : LAST_PAUSE;
    }
}

/* each ringing is an event, so the bell need not be read */
static void watch_bell( int bell )
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.fd = IS_BELL };

    if (bell != -1) epoll_ctl( watch_epoll, EPOLL_CTL_ADD, bell, &event );
}

void watch_helper( int pid, int bell )
{
    struct epoll_event event = { .events = EPOLLIN };

    if (watch_epoll == -1) return;
    watch_bell( bell );
    if ((event.data.fd = syscall( SYS_pidfd_open, pid, 0 )) == -1) return;
    if (epoll_ctl( watch_epoll, EPOLL_CTL_ADD, event.data.fd, &event ) == -1) close( event.data.fd );
}

/* Without it the next request notices, no sooner. The caller has blocked all signals, and the thread starts so. */
void watch_start( int pid, int bell )
{
    pthread_attr_t attr;
    pthread_t thread;

    if (watch_epoll != -1) return;
    if ((watch_epoll = epoll_create1( EPOLL_CLOEXEC )) == -1) return;
    watch_helper( pid, bell );
    pthread_attr_init( &attr );
    pthread_attr_setstacksize( &attr, STACK_SIZE );
    pthread_attr_setdetachstate( &attr, PTHREAD_CREATE_DETACHED );
    pthread_create( &thread, &attr, watch_thread, NULL );
    pthread_attr_destroy( &attr );
}
