/*
 * Finding the helper of this prefix, or starting it
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

/* The helper is found as wineserver is: by a folder of our own under /tmp, named
 * after the prefix's device and inode, so that however the prefix is called there
 * is one. Nobody else may have made that folder for us. */

#include "ws2unix_private.h"
#include "control.h"

#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#define CONNECT_TRIES 100               /* of CONNECT_PAUSE each: helpers that leave just now, or are just coming */
#define CONNECT_PAUSE 20                /* ms */

static char failure[2 * PATH_MAX + 256];

const char *helper_failure(void)
{
    return failure;
}

int helper_fail( const char *what, const char *path, int err )
{
    snprintf( failure, sizeof(failure), "tapster: %s %s: %s", what, path, strerror( err ) );
    return -1;
}

/* a folder that is ours and closed to others */
static int make_folder( const char *path )
{
    struct stat st;

    if (mkdir( path, 0700 ) == -1 && errno != EEXIST) return helper_fail( "can't make the helper's folder", path, errno );
    if (lstat( path, &st ) == -1) return helper_fail( "can't look at the helper's folder", path, errno );
    if (!S_ISDIR( st.st_mode ) || st.st_uid != getuid() || (st.st_mode & 077))
        return helper_fail( "this must be a folder of our own with mode 0700:", path, EPERM );
    return 0;
}

static int prefix_stat( struct stat *st )
{
    const char *prefix = getenv( "WINEPREFIX" ), *home = getenv( "HOME" );
    char path[PATH_MAX];

    if (!prefix || !*prefix)
    {
        if (snprintf( path, sizeof(path), "%s/.wine", home ? home : "" ) >= (int)sizeof(path))
            return helper_fail( "can't find the prefix in", "HOME", ENAMETOOLONG );
        prefix = path;
    }
    if (stat( prefix, st ) == -1) return helper_fail( "can't find the prefix", prefix, errno );
    return 0;
}

/* O(1): two mkdirs and looks */
static int helper_folder( char *path, size_t size )
{
    struct stat st;

    if (prefix_stat( &st ) == -1) return -1;
    snprintf( path, size, "/tmp/.tapster-%u", (unsigned int)getuid() );
    if (make_folder( path ) == -1) return -1;
    snprintf( path, size, "/tmp/.tapster-%u/helper-%llx-%llx", (unsigned int)getuid(),
              (unsigned long long)st.st_dev, (unsigned long long)st.st_ino );
    return make_folder( path );
}

/* the program beside the folder this library lies in: .../tapster/x86_64-unix/ws2unix.so, .../tapster/tapsterd */
static int helper_program( char *path, size_t size )
{
    char real[PATH_MAX], *slash;
    Dl_info info;
    int i;

    if (!dladdr( (void *)helper_program, &info ) || !realpath( info.dli_fname, real ))
        return helper_fail( "can't find the folder of", "ws2unix.so", errno );
    for (i = 0; i < 2; i++)
        if ((slash = strrchr( real, '/' ))) *slash = 0;
    if (snprintf( path, size, "%s/tapsterd", real ) >= (int)size) return helper_fail( "can't start", real, ENAMETOOLONG );
    return 0;
}

/* Runs tapsterd, which goes to the background and returns when it listens or another does.
 * Wine's signal mask and handlers must not come along. */
static int start_helper( char *folder )
{
    char program[PATH_MAX], *argv[] = { program, folder, NULL };
    extern char **environ;
    posix_spawnattr_t attr;
    sigset_t none, all;
    int err, status;
    pid_t pid;

    if (helper_program( program, sizeof(program) ) == -1) return -1;
    sigemptyset( &none );
    sigfillset( &all );
    posix_spawnattr_init( &attr );
    posix_spawnattr_setsigmask( &attr, &none );
    posix_spawnattr_setsigdefault( &attr, &all );
    posix_spawnattr_setflags( &attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF );
    err = posix_spawn( &pid, program, NULL, &attr, argv, environ );
    posix_spawnattr_destroy( &attr );
    if (err) return helper_fail( "can't start the helper", program, err );

    while (waitpid( pid, &status, 0 ) == -1)
        if (errno != EINTR) return 0;   /* somebody else has waited for it: connecting will tell */
    if (!WIFEXITED( status ) || WEXITSTATUS( status ))
    {
        snprintf( failure, sizeof(failure), "tapster: the helper could not start: see what %s %s says", program, folder );
        return -1;
    }
    return 0;
}

/* -1 with errno */
static int try_connect( const char *folder )
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd, err;

    if (snprintf( addr.sun_path, sizeof(addr.sun_path), "%s/control", folder ) >= (int)sizeof(addr.sun_path))
    {
        errno = ENAMETOOLONG;
        return -1;
    }
    if ((fd = socket( AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0 )) == -1) return -1;
    if (!connect( fd, (struct sockaddr *)&addr, sizeof(addr) )) return fd;
    err = errno;
    close( fd );
    errno = err;
    return -1;
}

int helper_connect(void)
{
    struct timespec pause = { 0, CONNECT_PAUSE * 1000000 };
    char folder[PATH_MAX];
    int fd, i;

    if (helper_folder( folder, sizeof(folder) ) == -1) return -1;
    for (i = 0; i < CONNECT_TRIES; i++)
    {
        if ((fd = try_connect( folder )) != -1) return fd;
        if (errno != ENOENT && errno != ECONNREFUSED && errno != EAGAIN && errno != EINTR) break;
        if (errno == ENOENT || errno == ECONNREFUSED)
        {
            if (start_helper( folder ) == -1) return -1;
            if ((fd = try_connect( folder )) != -1) return fd;
        }
        nanosleep( &pause, NULL );
    }
    return helper_fail( "can't connect to the helper in", folder, errno );
}
