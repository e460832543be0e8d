/*
 * tapsterd: start, lock, going into the background, its two processes, end
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
#include <getopt.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "store.h"

#define MAIN_DEFAULT_LINGER 3       /* seconds without work before the helper leaves */
#define MAIN_MAX_LINGER     86400
#define MAIN_LOCK_TRIES     250     /* of 20 ms each: a helper that has the lock and does not serve is coming or going */

static const char *main_path;       /* DIRECTORY, for messages */
static int main_foreground;
static int main_linger = MAIN_DEFAULT_LINGER;

/* what each of the helper's processes has, and under these numbers one that takes the place of a keeper */
enum main_fd
{
    MAIN_DIR = 3,               /* DIRECTORY */
    MAIN_LOCK,                  /* its lock: held as long as one of us lives */
    MAIN_LISTENER,              /* where clients come */
    MAIN_PAIR,                  /* the way to the worker */
    MAIN_FDS
};

static int main_fds[MAIN_FDS];
static int main_replaces;       /* --keeper: this is one */

/* Only while starting; what goes wrong later is logged and answered. */
static void __attribute__((noreturn, format(printf, 1, 2))) fatal( const char *format, ... )
{
    va_list args;

    va_start( args, format );
    fputs( "tapsterd: ", stderr );
    vfprintf( stderr, format, args );
    fputc( '\n', stderr );
    va_end( args );
    exit( 1 );
}

static void main_usage( FILE *out )
{
    fputs( "Usage: tapsterd [--foreground] [--debug] [--linger SECONDS] DIRECTORY\n"
           "The helper of Tapster's sockets. Programs start it themselves; DIRECTORY is\n"
           "a folder of mode 0700 and of the same user, where it listens.\n\n"
           "  --foreground      stay attached, log to stderr\n"
           "  --debug           log every request\n"
           "  --linger SECONDS  leave so long after the last program has gone (default 3)\n", out );
}

static void main_options( int argc, char **argv )
{
    static const struct option options[] =
    {
        { "foreground", no_argument, NULL, 'f' },
        { "debug", no_argument, NULL, 'd' },
        { "linger", required_argument, NULL, 'l' },
        { "keeper", no_argument, NULL, 'k' },   /* for ourselves only */
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };
    char *end;
    int opt;

    while ((opt = getopt_long( argc, argv, "", options, NULL )) != -1)
    {
        switch (opt)
        {
        case 'f': main_foreground = 1; break;
        case 'd': log_debug = 1; break;
        case 'k': main_replaces = 1; break;
        case 'l':
            errno = 0;
            main_linger = strtol( optarg, &end, 10 );
            if (errno || *end || end == optarg || main_linger < 0 || main_linger > MAIN_MAX_LINGER)
                fatal( "--linger takes 0 to %d seconds, not \"%s\"", MAIN_MAX_LINGER, optarg );
            break;
        case 'h':
            main_usage( stdout );
            exit( 0 );
        default:
            main_usage( stderr );
            exit( 2 );
        }
    }
    if (argc - optind != 1)
    {
        main_usage( stderr );
        exit( 2 );
    }
    main_path = argv[optind];
}

/* Nothing that was inherited stays but the standard streams, and these exist. */
static void main_clean_fds(void)
{
    int fd;

    if (close_range( 3, ~0u, 0 ) == -1)
        for (fd = 3; fd < 65536; fd++) close( fd );
    while ((fd = open( "/dev/null", O_RDWR )) != -1 && fd <= 2) /* nothing */;
    if (fd > 2) close( fd );
}

/* The folder, checked: whoever can write there could stand in for us. */
static int main_open_dir(void)
{
    struct stat st, named;
    int fd;

    if (lstat( main_path, &named )) fatal( "%s: %s", main_path, strerror( errno ) );
    if (!S_ISDIR( named.st_mode )) fatal( "%s is not a directory", main_path );
    if ((fd = open( main_path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC )) == -1)
        fatal( "%s: %s", main_path, strerror( errno ) );
    if (fstat( fd, &st )) fatal( "%s: %s", main_path, strerror( errno ) );
    if (st.st_dev != named.st_dev || st.st_ino != named.st_ino) fatal( "%s changes while it is looked at", main_path );
    if (st.st_uid != geteuid()) fatal( "%s belongs to another user", main_path );
    if ((st.st_mode & 07777) != 0700) fatal( "%s has mode %o, not 700", main_path, (unsigned int)st.st_mode & 07777 );
    return fd;
}

/* The name relative to the folder, in which we are while this is called: a path has room for 107 bytes only. */
static void main_control_name( struct sockaddr_un *addr )
{
    memset( addr, 0, sizeof(*addr) );
    addr->sun_family = AF_UNIX;
    strcpy( addr->sun_path, "control" );
}

/* does somebody answer there? */
static int main_is_served(void)
{
    struct sockaddr_un addr;
    int fd, ret;

    if ((fd = socket( AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 )) == -1) return 0;
    main_control_name( &addr );
    ret = connect( fd, (struct sockaddr *)&addr, sizeof(addr) );
    ret = !ret || errno == EAGAIN;      /* EAGAIN: its queue is full, so there is one */
    close( fd );
    return ret;
}

/* Takes the lock, which lasts as long as we do. If another one has it and serves there is nothing for
 * us to do; if it has it and does not serve, it is just coming or going: wait which. */
static int main_lock( int dir )
{
    const struct timespec pause = { 0, 20000000 };
    int fd, i;

    if ((fd = openat( dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600 )) == -1)
        fatal( "%s/lock: %s", main_path, strerror( errno ) );
    for (i = 0; i < MAIN_LOCK_TRIES; i++)
    {
        if (!flock( fd, LOCK_EX | LOCK_NB )) return fd;
        if (errno != EWOULDBLOCK && errno != EINTR) fatal( "%s/lock: %s", main_path, strerror( errno ) );
        if (main_is_served()) exit( 0 );
        nanosleep( &pause, NULL );
    }
    fatal( "%s/lock is held by a process that does not serve", main_path );
}

/* only with the lock: what lies there is nobody's */
static int main_listen( int dir )
{
    struct sockaddr_un addr;
    int fd;

    main_control_name( &addr );
    if (unlinkat( dir, addr.sun_path, 0 ) && errno != ENOENT) fatal( "%s/control: %s", main_path, strerror( errno ) );
    if ((fd = socket( AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 )) == -1)
        fatal( "socket: %s", strerror( errno ) );
    if (bind( fd, (struct sockaddr *)&addr, sizeof(addr) )) fatal( "%s/control: %s", main_path, strerror( errno ) );
    if (listen( fd, SOMAXCONN )) fatal( "listen: %s", strerror( errno ) );
    return fd;
}

/* a fd for each socket, for each mailbox and for each client: as many as we may have */
static void main_raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit( RLIMIT_NOFILE, &limit )) return;
    if (limit.rlim_max < PROTOCOL_MAX_SLOTS)
    {
        /* for those who may raise it */
        struct rlimit more = { PROTOCOL_MAX_SLOTS, PROTOCOL_MAX_SLOTS };
        if (!setrlimit( RLIMIT_NOFILE, &more )) return;
    }
    limit.rlim_cur = limit.rlim_max;
    setrlimit( RLIMIT_NOFILE, &limit );
}

static void main_signals(void)
{
    sigset_t none;
    int sig;

    for (sig = 1; sig < NSIG; sig++) signal( sig, SIG_DFL );
    signal( SIGPIPE, SIG_IGN );     /* sendfile() has no MSG_NOSIGNAL */
    sigemptyset( &none );
    sigprocmask( SIG_SETMASK, &none, NULL );
}

/* The parent waits for one byte, which the child writes when it serves. */
static int main_daemonize(void)
{
    int fds[2], null;
    char byte;
    pid_t pid;

    if (pipe2( fds, O_CLOEXEC )) fatal( "pipe: %s", strerror( errno ) );
    if ((pid = fork()) == -1) fatal( "fork: %s", strerror( errno ) );
    if (pid)
    {
        ssize_t ret;

        close( fds[1] );
        while ((ret = read( fds[0], &byte, 1 )) == -1 && errno == EINTR) /* again */;
        _exit( ret == 1 ? 0 : 1 );  /* without: the child has said why */
    }
    close( fds[0] );
    setsid();
    if ((null = open( "/dev/null", O_RDWR | O_CLOEXEC )) == -1) fatal( "/dev/null: %s", strerror( errno ) );
    dup2( null, STDIN_FILENO );
    dup2( null, STDOUT_FILENO );
    close( null );
    return fds[1];
}

/* SIGTERM and SIGINT are an orderly end */
static void main_terminated( struct watch *watch, u32 events )
{
    struct signalfd_siginfo info;

    (void)events;
    if (read( watch->fd, &info, sizeof(info) ) > 0)
        log_line( "ended by signal %u of process %u", info.ssi_signo, info.ssi_pid );
    loop_stop();
}

static void main_watch_signals( struct watch *watch )
{
    sigset_t set;

    sigemptyset( &set );
    sigaddset( &set, SIGTERM );
    sigaddset( &set, SIGINT );
    sigprocmask( SIG_BLOCK, &set, NULL );
    watch->ready = main_terminated;
    if ((watch->fd = signalfd( -1, &set, SFD_CLOEXEC | SFD_NONBLOCK )) == -1 || loop_watch( watch, EPOLLIN ) == -1)
        fatal( "signalfd: %s", strerror( errno ) );
}

/* says that we serve, and stops talking to the terminal */
static void main_ready( int ready )
{
    if (ready == -1) return;
    dup2( STDIN_FILENO, STDERR_FILENO );
    while (write( ready, "", 1 ) == -1 && errno == EINTR) /* again */;
    close( ready );
}

/* ---- keeper and worker ---- */

/* Starts a keeper that takes the place of one that has died: this program again, which begins with an
 * empty memory. 0, or -1. */
static int main_start_keeper( int pair )
{
    char seconds[16], *argv[8] = { "tapsterd", "--keeper", "--linger", seconds };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int i, err, count = 4, fds[MAIN_FDS];
    sigset_t none;
    pid_t pid;

    if (main_foreground) argv[count++] = "--foreground";
    if (log_debug) argv[count++] = "--debug";
    argv[count] = (char *)main_path;
    snprintf( seconds, sizeof(seconds), "%d", main_linger );
    sigemptyset( &none );
    main_fds[MAIN_PAIR] = pair;
    posix_spawnattr_init( &attr );
    posix_spawnattr_setsigmask( &attr, &none );
    posix_spawnattr_setflags( &attr, POSIX_SPAWN_SETSIGMASK );
    posix_spawn_file_actions_init( &actions );
    for (i = MAIN_DIR; i < MAIN_FDS; i++)
    {
        /* out of the way of the numbers that they are to have */
        fds[i] = fcntl( main_fds[i], F_DUPFD_CLOEXEC, MAIN_FDS );
        posix_spawn_file_actions_adddup2( &actions, fds[i], i );
    }
    err = posix_spawn( &pid, "/proc/self/exe", &actions, &attr, argv, environ );
    for (i = MAIN_DIR; i < MAIN_FDS; i++) if (fds[i] != -1) close( fds[i] );
    posix_spawn_file_actions_destroy( &actions );
    posix_spawnattr_destroy( &attr );
    if (err) log_line( "cannot start a keeper: %s", strerror( err ) );
    return err ? -1 : 0;
}

/* as a keeper that main_start_keeper() has started; returns in its workers, with the end of the pair */
static int main_replace( int *ready )
{
    struct ucred cred;
    socklen_t len = sizeof(cred);
    int i;

    for (i = MAIN_DIR; i < MAIN_FDS; i++)
    {
        main_fds[i] = i;
        if (fcntl( i, F_SETFD, FD_CLOEXEC ) == -1) fatal( "--keeper is not for you" );
    }
    if (getsockopt( MAIN_PAIR, SOL_SOCKET, SO_PEERCRED, &cred, &len )) fatal( "--keeper is not for you" );
    umask( 077 );
    main_signals();
    if (main_foreground) log_to_stderr();
    else log_open( MAIN_DIR );
    return keeper_serve( MAIN_PAIR, cred.pid, ready );
}

/* everything before there is a worker; returns in the worker, with the end of the pair */
static int main_begin( int *ready )
{
    int dir;

    main_clean_fds();
    umask( 077 );
    main_signals();
    dir = main_fds[MAIN_DIR] = main_open_dir();
    if (fchdir( dir )) fatal( "%s: %s", main_path, strerror( errno ) );
    main_fds[MAIN_LOCK] = main_lock( dir );
    main_fds[MAIN_LISTENER] = main_listen( dir );
    if (chdir( "/" )) fatal( "/: %s", strerror( errno ) );

    if (!main_foreground) *ready = main_daemonize();
    if (main_foreground) log_to_stderr();
    else if (log_open( dir )) fatal( "%s/log: %s", main_path, strerror( errno ) );
    local_init( dir );
    main_raise_limit();
    return keeper_run( ready );
}

/* the worker */
static void main_work( int pair, int ready )
{
    struct watch signals = { .events = 0 };
    const int listener = main_fds[MAIN_LISTENER];

    signal( SIGCHLD, SIG_IGN );     /* keepers that we start nobody waits for */
    if (loop_init()) fatal( "epoll: %s", strerror( errno ) );
    if (arena_init()) fatal( "arena: %s", strerror( errno ) );
    main_watch_signals( &signals );
    store_init( pair, main_start_keeper );
    if (client_init( listener, main_linger * 1000 )) fatal( "cannot watch for clients: %s", strerror( errno ) );
    store_serving();
    main_ready( ready );

    loop_run();

    /* Nobody finds us any more, then the lock goes with the processes. Whoever connected in the last moment
     * sees the connection end and starts another helper, which waits for the lock. */
    unlinkat( main_fds[MAIN_DIR], "control", 0 );
    local_done();
    client_done();
    close( listener );
    arena_done();
    store_done();
    loop_watch( &signals, 0 );
    loop_done();
}

int main( int argc, char **argv )
{
    int pair, ready = -1;

    main_options( argc, argv );
    socket_share_memory();
    pair = main_replaces ? main_replace( &ready ) : main_begin( &ready );
    main_work( pair, ready );
    return 0;
}
