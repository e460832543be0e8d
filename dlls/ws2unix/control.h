/*
 * Finding and starting the helper; the sockets of this process
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

/* Between the files that talk to the helper. Functions that say nothing else are called under channel.c's lock. */

#ifndef __WS2UNIX_CONTROL_H
#define __WS2UNIX_CONTROL_H

#include <signal.h>

/* ---- channel.c ---- */

/* the lock, with signals blocked: not for long */
extern void channel_enter( sigset_t *old );
extern void channel_leave( const sigset_t *old );

/* what came with a message */
struct fds
{
    unsigned int count;
    int          fds[PROTOCOL_MAX_FDS];
};

struct exchange
{
    unsigned int        type;
    void               *request;        /* begins with a socket_ref for each socket below */
    size_t              size;
    struct unix_socket *socket;         /* whose ref goes first, or NULL */
    struct unix_socket *socket2;        /* whose ref goes second, or NULL */
    int                 fd;             /* goes along, -1: none; stays the caller's */
    void               *reply;
    size_t              reply_size;
    int                 reply_fd;       /* out: -1: none */
    int                 repeated;       /* out: a helper died under it, perhaps after it had done what it was asked */
    struct fds         *reply_fds;      /* out, where there may be several; else NULL */
};

#define EXCHANGE( TYPE, sock, req, rep ) \
    { .type = (TYPE), .request = &(req), .size = sizeof(req), .socket = (sock), .fd = -1, \
      .reply = &(rep), .reply_size = sizeof(rep), .reply_fd = -1 }

/* 0 when there is a connection to a helper that knows all our sockets; WSAENETDOWN, WSAENOBUFS */
extern unsigned int channel_connect(void);
/* 0 or a Winsock error; repeats with the next helper if this one dies */
extern unsigned int channel_ask_locked( struct exchange *ex );
extern unsigned int channel_ask( struct exchange *ex );     /* takes the lock */
/* tells without waiting: what this process asks next is done after it */
extern void channel_tell( unsigned int type, uint64_t mailbox, const void *request, size_t size );
/* connects to the next helper if this one is dead; takes the lock */
extern unsigned int channel_renew(void);
/* looks why the bell rings; takes the lock */
extern void channel_answer_bell(void);
/* what the helper has still to be told of a socket's mailbox; 0: nothing */
extern uint64_t channel_unnamed( const struct unix_socket *socket );
/* makes one that was taken the socket that the helper has just handed over (0: it can't be) */
extern int channel_enter_socket( struct unix_socket *socket, int fd, uint64_t cookie, struct socket_ref ref );
/* the helper gave a socket that we can't keep */
extern void channel_give_back( int fd, struct socket_ref ref );

/* what the helper says of a socket; it may be replaced by another helper's word at any moment */
static inline const struct slot *published( struct unix_socket *socket )
{
    return __atomic_load_n( &socket->slot, __ATOMIC_ACQUIRE );
}

/* ---- listener.c ---- */

/* takes the helper's eventfd over, the first one or the next helper's; 0 or a Winsock error */
extern unsigned int listener_watch( struct unix_socket *socket, int event );
/* the listener is closed */
extern void listener_forget( struct unix_socket *socket );

/* ---- watch.c ---- */

/* from the first socket on the process notices when its helper dies */
extern void watch_start( int pid, int bell );
extern void watch_helper( int pid, int bell );  /* there is another helper; bell -1: without one */

/* ---- control.c ---- */

/* how a connect's exchange ended, seen from the socket's state before; a Winsock error */
extern unsigned int control_connect_end( const struct exchange *ex, unsigned int was, unsigned int error, int reply_pending, int *pending );
/* ends the sockets of which this process has no handle any more, since others closed them; bell: a fd that is no socket */
extern void control_end_hung( int bell );

/* ---- wait.c ---- */

/* ends all waits of this process's threads: they look again. The lock of channel.c may be held. */
extern void wait_wake_all(void);

/* helper.c: a connection to this prefix's helper, which is started if there is none; -1: see helper_failure() */
extern int helper_connect(void);
/* one line that says why the last helper_connect failed; static */
extern const char *helper_failure(void);
/* sets that line: -1 */
extern int helper_fail( const char *what, const char *path, int err );

/* sockets.c: the table of unix_socket by cookie */
extern struct unix_socket *sockets_find( uint64_t cookie );
/* one that is nobody's, to become a socket or to be put back; NULL: no memory */
extern struct unix_socket *sockets_take(void);
extern void sockets_put_back( struct unix_socket *socket );
/* makes it a socket that is found, with one ref; takes the fd over */
extern void sockets_enter( struct unix_socket *socket, int fd, uint64_t cookie );
/* closes the fd; the struct is kept for reuse */
extern void sockets_remove( struct unix_socket *socket );
/* it gets another kernel socket, under the same fd; takes the fd over */
extern void sockets_replace( struct unix_socket *socket, int fd, uint64_t cookie );
/* closes a connection that is nobody's socket yet, with a reset */
extern void sockets_reset( int fd );
/* Takes one out of the table, whoever still refers to it: its fd becomes a copy of another one, which is no
 * socket, and its state that of a socket that is gone. sockets_remove when the last reference goes. */
extern void sockets_abandon( struct unix_socket *socket, int fd );
/* calls func for each until one returns non-zero: that is returned */
extern int sockets_enumerate( int (*func)( struct unix_socket *socket, void *arg ), void *arg );

#endif /* __WS2UNIX_CONTROL_H */
