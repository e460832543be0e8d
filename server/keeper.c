/*
 * The keeper: a process that keeps what the worker must not lose, and starts the next one
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
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "store.h"

/* The less this process does, the less can happen to it: it takes messages, and it forks. What it has in memory and
 * its fds are the next worker's from its first moment; the lock and the listening socket are, too, so nobody
 * else can start a helper meanwhile, and clients that connect wait in the queue until a worker answers. */

#define KEEPER_BUCKETS  4096    /* a power of two */
#define KEEPER_SHORT_MS 200     /* a worker that lives no longer and serves nobody has died young */
#define KEEPER_YOUNG    10      /* as many that die young follow each other at once */
#define KEEPER_PAUSE_MS 1000    /* after these there is a pause before each */
#define KEEPER_GIVE_UP  60      /* and with as many pauses it is what is kept that kills them: start anew */

static struct kept *keeper_buckets[KEEPER_BUCKETS];
static struct list keeper_order = { &keeper_order, &keeper_order };

/* the worker, as its keeper sees it */
struct keeper_worker
{
    int pair;           /* our end */
    int pid;
    int child;          /* it is our child: of one that made us we are the child */
    int serving;        /* it has said so */
    int useful;         /* it had a client, or lived long enough */
    int bye;            /* it has said that it ends */
};

/* ---- the table ---- */

static struct kept **keeper_bucket( u32 kind, u64 id )
{
    return &keeper_buckets[(id * STORE_KINDS + kind) % KEEPER_BUCKETS];
}

struct kept *keeper_find( u32 kind, u64 id )
{
    struct kept *kept = *keeper_bucket( kind, id );

    while (kept && (kept->kind != kind || kept->id != id)) kept = kept->next;
    return kept;
}

int keeper_is_empty(void)
{
    return list_empty( &keeper_order );
}

/* the next one of its kind, in the order in which they came; NULL: the first, or the end */
struct kept *keeper_next( const struct kept *kept, u32 kind )
{
    const struct list *entry = kept ? &kept->order : &keeper_order;

    for (entry = entry->next; entry != &keeper_order; entry = entry->next)
    {
        struct kept *next = CONTAINER_OF( entry, struct kept, order );
        if (next->kind == kind) return next;
    }
    return NULL;
}

/* with the fds that it has still */
void keeper_forget( struct kept *kept )
{
    struct kept **ptr = keeper_bucket( kept->kind, kept->id );
    int i;

    while (*ptr != kept) ptr = &(*ptr)->next;
    *ptr = kept->next;
    list_remove( &kept->order );
    for (i = 0; i < STORE_ROLES; i++) if (kept->fds[i] != -1) close( kept->fds[i] );
    free( kept );
}

static struct kept *keeper_new( u32 kind, u64 id )
{
    struct kept *kept, **bucket = keeper_bucket( kind, id );
    int i;

    if (!(kept = calloc( 1, sizeof(*kept) )))
    {
        log_line( "no memory to keep anything more" );
        return NULL;
    }
    kept->kind = kind;
    kept->id = id;
    for (i = 0; i < STORE_ROLES; i++) kept->fds[i] = -1;
    kept->next = *bucket;
    *bucket = kept;
    list_add_tail( &keeper_order, &kept->order );
    return kept;
}

/* takes the fds over that are named in set */
static void keeper_put( const struct store_message *message, int *fds )
{
    struct kept *kept = keeper_find( message->kind, message->id );
    int i;

    if (!kept && !(kept = keeper_new( message->kind, message->id ))) return;
    kept->len = message->len;
    memcpy( kept->data, message->data, message->len );
    for (i = 0; i < STORE_ROLES; i++)
    {
        if (!((message->set | message->clear) & (1 << i))) continue;
        if (kept->fds[i] != -1) close( kept->fds[i] );
        kept->fds[i] = fds[i];
        fds[i] = -1;
    }
}

/* ---- messages ---- */

/* One message. fds: by role, -1 where there is none. 0: none there; -1: the worker has gone. */
static int keeper_receive( int pair, struct store_message *message, int fds[STORE_ROLES] )
{
    union { struct cmsghdr header; char space[CMSG_SPACE( STORE_ROLES * sizeof(int) )]; } control;
    struct iovec iov = { message, sizeof(*message) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    struct cmsghdr *cmsg;
    int i, count = 0, got[STORE_ROLES];
    ssize_t ret;

    for (i = 0; i < STORE_ROLES; i++) fds[i] = -1;
    while ((ret = recvmsg( pair, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC )) == -1 && errno == EINTR) /* again */;
    if (ret == -1 && errno == EAGAIN) return 0;
    if (ret < (ssize_t)offsetof( struct store_message, data )) return -1;
    if ((cmsg = CMSG_FIRSTHDR( &msg )) && cmsg->cmsg_type == SCM_RIGHTS)
    {
        count = (cmsg->cmsg_len - CMSG_LEN( 0 )) / sizeof(int);
        memcpy( got, CMSG_DATA( cmsg ), count * sizeof(int) );
    }
    if (msg.msg_flags & MSG_CTRUNC) log_line( "out of fds: what comes now is not kept" );
    /* those for which there was no room are the last ones */
    for (i = 0, ret = 0; i < STORE_ROLES; i++)
        if (message->set & (1 << i) && ret < count) fds[i] = got[ret++];
    return 1;
}

static void keeper_handle( struct keeper_worker *worker, const struct store_message *message, int *fds )
{
    struct kept *kept;

    switch (message->op)
    {
    case STORE_PUT:
        keeper_put( message, fds );
        /* somebody has been served */
        if (message->kind == STORE_CLIENT) worker->useful = 1;
        break;
    case STORE_DROP:
        if ((kept = keeper_find( message->kind, message->id ))) keeper_forget( kept );
        break;
    case STORE_SERVING:
        worker->serving = 1;
        break;
    case STORE_BYE:
        worker->bye = 1;
        break;
    }
}

/* all that is there; 0 when the worker has gone */
static int keeper_read( struct keeper_worker *worker )
{
    struct store_message message;
    int i, ret, fds[STORE_ROLES];

    while ((ret = keeper_receive( worker->pair, &message, fds )) > 0)
    {
        keeper_handle( worker, &message, fds );
        for (i = 0; i < STORE_ROLES; i++) if (fds[i] != -1) close( fds[i] );
    }
    return !ret;
}

/* ---- the process ---- */

static void keeper_pause( int ms )
{
    const struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep( &pause, NULL );
}

static void keeper_block(void)
{
    sigset_t set;

    sigemptyset( &set );
    sigaddset( &set, SIGTERM );
    sigaddset( &set, SIGINT );
    sigprocmask( SIG_BLOCK, &set, NULL );
}

static int keeper_signalfd(void)
{
    sigset_t set;

    sigemptyset( &set );
    sigaddset( &set, SIGTERM );
    sigaddset( &set, SIGINT );
    return signalfd( -1, &set, SFD_CLOEXEC | SFD_NONBLOCK );
}

/* Until the worker has gone. A signal to us is one to it: it knows how to end. */
static void keeper_watch( struct keeper_worker *worker )
{
    struct pollfd polls[2] = { { worker->pair, POLLIN, 0 }, { keeper_signalfd(), POLLIN, 0 } };
    struct signalfd_siginfo info;

    for (;;)
    {
        if (poll( polls, 2, -1 ) == -1) continue;
        if (polls[1].revents && read( polls[1].fd, &info, sizeof(info) ) == sizeof(info)) kill( worker->pid, SIGTERM );
        if (polls[0].revents && !keeper_read( worker )) break;
    }
    if (polls[1].fd != -1) close( polls[1].fd );
    close( worker->pair );
}

/* its exit status, or minus the signal that it died of */
static int keeper_wait( const struct keeper_worker *worker )
{
    int status;

    if (!worker->child) return worker->bye ? 0 : -SIGKILL;
    while (waitpid( worker->pid, &status, 0 ) == -1) if (errno != EINTR) return -SIGKILL;
    return WIFEXITED( status ) ? WEXITSTATUS( status ) : -WTERMSIG( status );
}

/* what only the first of our workers needs: its way to whoever waits for the start, the terminal among it */
static void keeper_detach( int *ready )
{
    if (*ready == -1) return;
    close( *ready );
    *ready = -1;
    dup2( STDIN_FILENO, STDERR_FILENO );
}

/* A worker that ends as it should takes the keeper with it, and so does one that could not even start. */
static void keeper_after( struct keeper_worker *worker, u64 began, u32 *young )
{
    int status = keeper_wait( worker );

    if (worker->bye) exit( 0 );
    if (!worker->serving) exit( 1 );
    log_follow();
    if (worker->useful || loop_now() - began > KEEPER_SHORT_MS) *young = 0;
    if (++*young <= KEEPER_YOUNG)
    {
        log_line( "worker %d ended (%d): another one takes its place", worker->pid, status );
        return;
    }
    log_line( "worker %d ended (%d) as others before it", worker->pid, status );
    if (*young > KEEPER_YOUNG + KEEPER_GIVE_UP) exit( 1 );
    keeper_pause( KEEPER_PAUSE_MS );
}

static int keeper_fork( struct keeper_worker *worker )
{
    int fds[2];

    memset( worker, 0, sizeof(*worker) );
    if (socketpair( AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds ) == -1) return -1;
    if ((worker->pid = fork()) == -1)
    {
        worker->pid = 0;
        close( fds[0] );
        close( fds[1] );
        return -1;
    }
    close( fds[!!worker->pid] );
    worker->pair = fds[!worker->pid];
    worker->child = 1;
    return 0;
}

static int keeper_loop( struct keeper_worker *worker, int *ready )
{
    u32 young = 0;
    u64 began;
    int first = 1;

    for (;;)
    {
        began = loop_now();
        while (!worker->pid && keeper_fork( worker ) == -1)
        {
            if (first) exit( 1 );
            log_follow();
            log_line( "cannot start a worker: %s", strerror( errno ) );
            keeper_pause( KEEPER_PAUSE_MS );
        }
        if (!worker->pid) return worker->pair;
        keeper_detach( ready );
        if (!first) worker->serving = 1;        /* there was a good one: what is wrong now may pass */
        first = 0;
        keeper_watch( worker );
        keeper_after( worker, began, &young );
        worker->pid = 0;
    }
}

/* Returns in a worker, with its end of the pair; the keeper stays here until it exits. */
static int keeper_begin( struct keeper_worker *worker, int *ready )
{
    int pair;

    prctl( PR_SET_NAME, "tapster-keeper" );
    log_name( "keeper" );
    keeper_block();             /* the worker does the same */
    pair = keeper_loop( worker, ready );
    prctl( PR_SET_NAME, "tapsterd" );
    log_name( "tapsterd" );
    log_follow();
    return pair;
}

/* The calling process becomes the keeper. ready: fd that is for the first worker, -1: none. */
int keeper_run( int *ready )
{
    struct keeper_worker worker;

    memset( &worker, 0, sizeof(worker) );
    return keeper_begin( &worker, ready );
}

/* The same for a keeper that a worker made, its own having died. */
int keeper_serve( int pair, int pid, int *ready )
{
    struct keeper_worker worker;

    memset( &worker, 0, sizeof(worker) );
    worker.pair = pair;
    worker.pid = pid;
    worker.serving = 1;
    return keeper_begin( &worker, ready );
}
