/*
 * The log: a file of bounded size in the helper's directory
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
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server.h"

/* Both files together never take more than twice this. A client that makes us
 * complain without end only turns the pages. */
#define LOG_MAX_SIZE (256 * 1024)

int log_debug;

static int log_fd = -1;         /* the file, or stderr */
static int log_dir = -1;        /* the helper's directory, -1: log_fd is stderr */
static long log_size;
static const char *log_process = "tapsterd";    /* which of the helper's processes writes */

void log_to_stderr(void)
{
    log_fd = STDERR_FILENO;
}

/* dir stays open with the caller */
int log_open( int dir )
{
    int fd = openat( dir, "log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600 );

    if (fd == -1) return -1;
    log_fd = fd;
    log_dir = dir;
    log_size = lseek( fd, 0, SEEK_END );
    return 0;
}

void log_name( const char *name )
{
    log_process = name;
}

/* The file may have been turned by another of the helper's processes. */
void log_follow(void)
{
    int old = log_fd;

    if (log_dir != -1 && !log_open( log_dir )) close( old );
}

static void log_turn(void)
{
    close( log_fd );
    log_fd = -1;
    renameat( log_dir, "log", log_dir, "log.old" );
    log_open( log_dir );
}

void log_line( const char *format, ... )
{
    char line[512];
    struct timespec ts;
    struct tm tm;
    va_list args;
    size_t len;
    int ret;

    if (log_fd == -1) return;

    clock_gettime( CLOCK_REALTIME, &ts );
    localtime_r( &ts.tv_sec, &tm );
    len = strftime( line, sizeof(line), "%Y-%m-%d %H:%M:%S", &tm );
    len += snprintf( line + len, sizeof(line) - len, ".%03ld %s[%d] ", ts.tv_nsec / 1000000, log_process, (int)getpid() );
    va_start( args, format );
    ret = vsnprintf( line + len, sizeof(line) - len - 1, format, args );
    va_end( args );
    if (ret < 0) return;
    len = len + ret < sizeof(line) - 1 ? len + ret : sizeof(line) - 2;
    line[len++] = '\n';

    /* what cannot be written is lost: the log is no reason to wait or to fail */
    if (write( log_fd, line, len ) == (ssize_t)len) log_size += len;
    if (log_dir != -1 && log_size > LOG_MAX_SIZE) log_turn();
}
