/*
 * Waiting: poll on sockets and on the thread's wake-up fd
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

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>

_Static_assert( sizeof(struct unix_pollfd) == sizeof(struct pollfd), "struct unix_pollfd is struct pollfd" );
_Static_assert( UNIX_POLLIN == POLLIN && UNIX_POLLPRI == POLLPRI && UNIX_POLLOUT == POLLOUT && UNIX_POLLERR == POLLERR &&
                UNIX_POLLHUP == POLLHUP && UNIX_POLLNVAL == POLLNVAL, "UNIX_POLL* are POLL*" );

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime( CLOCK_MONOTONIC, &ts );
    return ts.tv_sec * (int64_t)1000000000 + ts.tv_nsec;
}

/* One ppoll; Wine's signals interrupt it: it goes on with what is left of the time. O(count). */
NTSTATUS wait_poll( void *args )
{
    struct poll_params *params = args;
    struct pollfd *fds = (struct pollfd *)params->fds;
    unsigned int count = params->count;
    int64_t end = 0, left = params->timeout;
    struct timespec ts;
    eventfd_t value;
    int ret;

    params->woken = 0;
    if (params->wake_fd >= 0)
    {
        fds[count].fd = params->wake_fd;
        fds[count].events = POLLIN;
        fds[count].revents = 0;
        count++;
    }
    for (;;)
    {
        ts.tv_sec = left / 1000000000;
        ts.tv_nsec = left % 1000000000;
        ret = ppoll( fds, count, left < 0 ? NULL : &ts, NULL );
        if (ret != -1 || errno != EINTR) break;
        if (params->timeout > 0)
        {
            /* the end is fixed at the first interruption: ordinary calls need no clock */
            if (!end) end = now_ns() + left;
            if ((left = end - now_ns()) < 0) left = 0;
        }
    }
    if (ret == -1) return error_from_errno( errno );
    if (params->wake_fd >= 0 && fds[params->count].revents)
    {
        params->woken = 1;
        ret--;
        eventfd_read( params->wake_fd, &value );
    }
    params->ready = ret;
    return 0;
}

/* ---- the eventfds of the threads, so that all can be woken ---- */

#define MAX_EVENTS 65536                /* fds below this: beyond it a thread is not woken by wait_wake_all */

static unsigned char is_event[MAX_EVENTS];
static int last_event;                  /* the highest of them there ever was */
static pthread_mutex_t events_lock = PTHREAD_MUTEX_INITIALIZER;

/* a thread that is suspended must not have the lock */
static void events_enter( sigset_t *old )
{
    sigset_t all;

    sigfillset( &all );
    sigdelset( &all, SIGSEGV );
    sigdelset( &all, SIGBUS );
    pthread_sigmask( SIG_BLOCK, &all, old );
    pthread_mutex_lock( &events_lock );
}

static void events_leave( const sigset_t *old )
{
    pthread_mutex_unlock( &events_lock );
    pthread_sigmask( SIG_SETMASK, old, NULL );
}

static void set_event( int fd, int on )
{
    if (fd < 0 || fd >= MAX_EVENTS) return;
    is_event[fd] = on;
    if (on && fd > last_event) last_event = fd;
}

void wait_wake_all(void)
{
    sigset_t old;
    int i;

    events_enter( &old );
    for (i = 0; i <= last_event; i++)
        if (is_event[i]) eventfd_write( i, 1 );
    events_leave( &old );
}

NTSTATUS wait_event_create( void *args )
{
    struct event_create_params *params = args;
    sigset_t old;

    events_enter( &old );
    params->fd = eventfd( 0, EFD_CLOEXEC | EFD_NONBLOCK );
    set_event( params->fd, 1 );
    events_leave( &old );
    return params->fd == -1 ? error_from_errno( errno ) : 0;
}

NTSTATUS wait_event_signal( void *args )
{
    struct event_signal_params *params = args;

    return eventfd_write( params->fd, 1 ) == -1 ? error_from_errno( errno ) : 0;
}

NTSTATUS wait_thread_id( void *args )
{
    struct thread_id_params *params = args;

    params->id = syscall( SYS_gettid );
    return 0;
}

NTSTATUS wait_thread_alive( void *args )
{
    struct thread_alive_params *params = args;

    params->alive = !syscall( SYS_tgkill, getpid(), params->id, 0 ) || errno != ESRCH;
    return 0;
}

NTSTATUS wait_close_fd( void *args )
{
    struct close_fd_params *params = args;
    sigset_t old;

    if (params->fd < 0 || params->fd >= MAX_EVENTS || !is_event[params->fd])
    {
        close( params->fd );
        return 0;
    }
    events_enter( &old );
    set_event( params->fd, 0 );
    close( params->fd );
    events_leave( &old );
    return 0;
}
