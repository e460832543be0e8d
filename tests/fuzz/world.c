/*
 * The fuzzer: the helper inside this process, with a clock and with lacks of its own
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "fuzz.h"

/* What nothing may take longer than: a busy loop in the helper looks like this. */
#define WORLD_MAX_LOOKS 20000
/* after which the helper has nothing to wait for any more: twice its longest time, many times over */
#define WORLD_ROUNDS    12
#define WORLD_HOUR_MS   ((u64)60 * 60 * 1000)

enum fault_kind { FAULT_NONE, FAULT_MEMORY, FAULT_SEND_FULL, FAULT_SEND_MEMORY, FAULT_WATCH, FAULT_KINDS };

static u64 world_offset;            /* ms that the clock is fast */
static u32 world_kind, world_after; /* enum fault_kind: fails when it has been called so often */
static int world_inside;            /* the helper is at work: what is called now is called by it */
static struct sockaddr_un world_name;
static socklen_t world_name_len;
static int world_listener = -1;
static int world_first_fd;          /* lowest that is free when there is no helper */
static struct rlimit world_limit;

/* The linker gives us the helper's calls of these (--wrap). */
extern int __real_clock_gettime( clockid_t clock, struct timespec *ts );
extern void *__real_malloc( size_t size );
extern void *__real_calloc( size_t count, size_t size );
extern void *__real_realloc( void *ptr, size_t size );
extern ssize_t __real_sendmsg( int fd, const struct msghdr *msg, int flags );
extern int __real_epoll_ctl( int epfd, int op, int fd, struct epoll_event *event );
extern int __wrap_clock_gettime( clockid_t clock, struct timespec *ts );
extern void *__wrap_malloc( size_t size );
extern void *__wrap_calloc( size_t count, size_t size );
extern void *__wrap_realloc( void *ptr, size_t size );
extern ssize_t __wrap_sendmsg( int fd, const struct msghdr *msg, int flags );
extern int __wrap_epoll_ctl( int epfd, int op, int fd, struct epoll_event *event );

static int world_fails( u32 kind )
{
    if (!world_inside || world_kind != kind || world_after--) return 0;
    world_kind = FAULT_NONE;
    return 1;
}

int __wrap_clock_gettime( clockid_t clock, struct timespec *ts )
{
    int ret = __real_clock_gettime( clock, ts );

    if (clock == CLOCK_MONOTONIC)
    {
        ts->tv_sec += world_offset / 1000;
        ts->tv_nsec += world_offset % 1000 * 1000000;
        if (ts->tv_nsec >= 1000000000)
        {
            ts->tv_nsec -= 1000000000;
            ts->tv_sec++;
        }
    }
    return ret;
}

void *__wrap_malloc( size_t size )
{
    return world_fails( FAULT_MEMORY ) ? NULL : __real_malloc( size );
}

void *__wrap_calloc( size_t count, size_t size )
{
    return world_fails( FAULT_MEMORY ) ? NULL : __real_calloc( count, size );
}

void *__wrap_realloc( void *ptr, size_t size )
{
    return world_fails( FAULT_MEMORY ) ? NULL : __real_realloc( ptr, size );
}

ssize_t __wrap_sendmsg( int fd, const struct msghdr *msg, int flags )
{
    if (!world_fails( FAULT_SEND_FULL ) && !world_fails( FAULT_SEND_MEMORY )) return __real_sendmsg( fd, msg, flags );
    errno = world_after & 1 ? ENOBUFS : EAGAIN;
    return -1;
}

int __wrap_epoll_ctl( int epfd, int op, int fd, struct epoll_event *event )
{
    if (op == EPOLL_CTL_DEL || !world_fails( FAULT_WATCH )) return __real_epoll_ctl( epfd, op, fd, event );
    errno = ENOMEM;
    return -1;
}

static void __attribute__((noreturn)) world_fatal( const char *what )
{
    fprintf( stderr, "fuzz: %s (%s)\n", what, strerror( errno ) );
    abort();
}

static int world_free_fd(void)
{
    int fd = fcntl( 0, F_DUPFD_CLOEXEC, 3 );

    if (fd == -1) world_fatal( "no fd" );
    close( fd );
    return fd;
}

/* a name that the kernel makes up, in no folder */
static void world_listen(void)
{
    world_name.sun_family = AF_UNIX;
    world_listener = socket( AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 );
    if (bind( world_listener, (struct sockaddr *)&world_name, sizeof(sa_family_t) )) world_fatal( "bind" );
    world_name_len = sizeof(world_name);
    getsockname( world_listener, (struct sockaddr *)&world_name, &world_name_len );
    if (listen( world_listener, 16 )) world_fatal( "listen" );
}

void world_begin(void)
{
    if (world_listener == -1)
    {
        world_listen();
        getrlimit( RLIMIT_NOFILE, &world_limit );
        /* few, so that an input can make enough to be more than there should be */
        if (world_limit.rlim_max > 160) world_limit.rlim_max = 160;
        world_limit.rlim_cur = world_limit.rlim_max;
        setrlimit( RLIMIT_NOFILE, &world_limit );
    }
    world_offset = 0;
    world_first_fd = world_free_fd();
    if (loop_init() || arena_init() || client_init( world_listener, 3000 )) world_fatal( "no helper" );
}

/* the helper works until it has nothing to do now */
void world_settle(void)
{
    int i, count = 1;

    world_inside = 1;
    for (i = 0; count > 0 && i < WORLD_MAX_LOOKS; i++) count = loop_step( 0 );
    world_inside = 0;
    if (count) world_fatal( "the helper is busy for ever" );
}

/* All clients have ended and their fds are closed: the helper has to come to rest, with nothing left. */
void world_end(void)
{
    int i;

    world_few_fds( 0 );
    world_kind = FAULT_NONE;
    world_settle();
    for (i = 0; i < WORLD_ROUNDS && (i < 2 || socket_count()); i++) world_later( WORLD_HOUR_MS );
    errno = 0;
    if (socket_count()) world_fatal( "a socket is left" );
    if (ports_count()) world_fatal( "a port is left" );
    client_done();
    arena_done();
    loop_done();
    if (world_free_fd() != world_first_fd) world_fatal( "a fd is left" );
}

int world_connect(void)
{
    int fd = socket( AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 );

    if (fd == -1 || !connect( fd, (struct sockaddr *)&world_name, world_name_len )) return fd;
    close( fd );
    return -1;
}

void world_later( u64 ms )
{
    world_offset += ms;
    world_settle();
}

/* 0: as many as before */
void world_few_fds( u32 more )
{
    struct rlimit limit = world_limit;
    int fd;

    setrlimit( RLIMIT_NOFILE, &limit );
    if (!more || (fd = fcntl( 0, F_DUPFD_CLOEXEC, 3 )) == -1) return;     /* there is none any more as it is */
    close( fd );
    limit.rlim_cur = fd + more - 1;
    setrlimit( RLIMIT_NOFILE, &limit );
}

void world_fault( u32 kind, u32 after )
{
    world_kind = kind % FAULT_KINDS;
    world_after = after;
}
