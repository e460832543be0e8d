/*
 * The benchmark's system on Linux
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
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net.h"

struct thread
{
    pthread_t id;
    void    (*main)( void *arg );
    void     *arg;
};

const char net_system[] = "linux";

const char *net_provider( void )
{
    return "native";
}

const char *net_wine_version( void )
{
    return "";
}

int net_start( void )
{
    /* Windows has no such signal: there a send on a broken connection just fails */
    signal( SIGPIPE, SIG_IGN );
    return 0;
}

int net_error( void )
{
    return errno;
}

int net_is_would_block( int error )
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

void net_describe( int error, char *text, unsigned int size )
{
    snprintf( text, size, "%s (%d)", strerror( error ), error );
}

int net_set_nonblocking( sock_t s )
{
    return fcntl( s, F_SETFL, fcntl( s, F_GETFL ) | O_NONBLOCK );
}

static void *thread_entry( void *arg )
{
    struct thread *thread = arg;

    thread->main( thread->arg );
    return NULL;
}

struct thread *thread_start( void (*main)( void *arg ), void *arg )
{
    struct thread *thread;

    if (!(thread = malloc( sizeof(*thread) ))) return NULL;
    thread->main = main;
    thread->arg = arg;
    if (!pthread_create( &thread->id, NULL, thread_entry, thread )) return thread;
    free( thread );
    return NULL;
}

void thread_join( struct thread *thread )
{
    pthread_join( thread->id, NULL );
    free( thread );
}

void thread_sleep( unsigned int ms )
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep( &time, NULL );
}

uint64_t clock_ns( void )
{
    struct timespec now;

    clock_gettime( CLOCK_MONOTONIC, &now );
    return now.tv_sec * (uint64_t)1000000000 + now.tv_nsec;
}

void stdio_start( void )
{
}
