/*
 * The border between ws2_32.dll and the Unix library ws2unix.so
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

/* One table of functions, each with one parameter struct; nothing else crosses.
 * A function returns 0 or a Winsock error (WSAE...). Pointers are plain: both
 * sides share the address space. A call costs about 10 ns, so the PE side may
 * call freely, but whatever can fault (the program's own buffers) is probed there
 * first, because a fault on this side is an error code at best.
 *
 * Families, types, protocols, levels, options, flags and addresses are Winsock's
 * in every struct; the Unix library translates them. */

#ifndef __TAPSTER_UNIXLIB_H
#define __TAPSTER_UNIXLIB_H

#include <stdint.h>

/* A socket of this process, as both sides see it. One for each kernel socket,
 * however many handles it has here. Made and changed by the Unix library alone;
 * never freed, only reused (generation), so that a stale pointer is harmless. */
struct unix_socket
{
    int                   fd;           /* the kernel socket; -1 when closed */
    unsigned int          refs;         /* handles of this process */
    struct socket_ref     ref;          /* the helper's name for it */
    uint64_t              cookie;       /* SO_COOKIE: what it is, everywhere */
    uint64_t              mailbox;      /* of its first handle here (protocol.idl); 0: that is none of ours */
    int                   unnamed;      /* the helper has not been told its mailbox yet */
    int                   gone;         /* other processes closed all its handles: it is held no more, and the fd is no socket's */
    const struct slot    *slot;         /* what the helper publishes; another after the helper was replaced */
    unsigned int          counter;      /* where its receives that wait are counted (protocol.idl: the counters) */
    volatile unsigned int *pending;     /* that counter; the same for the life of this struct */
    struct unix_socket   *next;         /* in its hash chain, or in the list of free ones */
    int                   backlog_fd;   /* the last backlog, kept in case the helper dies; -1: none */
    uint64_t              backlog_end;  /* its length */
    volatile int          kept;         /* listener: a connection that the helper had no room for, to be accepted next; -1: none */
    volatile unsigned int turn;         /* ws2_32's: which of its threads sends on this stream (send_turn.c) */
    volatile int          rest;         /* ws2_32's: a send that waits for room, and who wants its rest (send_turn.c) */
    int                   icmp_error;   /* datagrams: an error that a receive has to report, or to look for (data.c); 0 none */
    int                   urgent;       /* an urgent byte was taken off it: the helper must know when it closes */
    unsigned int          wait_first;   /* blocking receives that need not look before they wait (recv.c) */
    volatile int          objects;      /* ws2_32's, how many of its objects stand for it; the engine's operations end with the last */
    void                 *engine;       /* ws2_32's: its overlapped operations (engine.c); for the life of this struct */
    int                   watched;      /* the engine's epoll has the fd */
    unsigned int          idle_receives; /* datagrams: receives that found nothing */
    int                   put_back;     /* a connection that somebody had put back: its close must not get lost with a helper */
    int                   accept_fd;    /* listeners: to wait for, an epoll of fd and deferred_fd; -1: nobody has waited yet */
    int                   deferred_fd;  /* readable when a connection was put back, by whichever process; with accept_fd */
};

/* the same layout as struct pollfd, and the same bits as Linux has in poll.h */
struct unix_pollfd
{
    int   fd;                           /* negative: ignored */
    short events;
    short revents;
};

#define UNIX_POLLIN    0x0001
#define UNIX_POLLPRI   0x0002
#define UNIX_POLLOUT   0x0004
#define UNIX_POLLERR   0x0008
#define UNIX_POLLHUP   0x0010
#define UNIX_POLLNVAL  0x0020
#define UNIX_POLLRDHUP 0x2000

/* the same layout as WSABUF */
struct unix_buf
{
    unsigned int len;
    char        *buf;
};

/* ---- process and helper ---- */

/* Raised when anything in this file changes: ws2_32.dll lies in the prefix, ws2unix.so elsewhere, and
 * one may have been renewed without the other. Each says its own. */
#define UNIXLIB_VERSION 2

struct startup_params
{
    unsigned int version;               /* UNIXLIB_VERSION; the first member for ever */
    const char  *message;               /* out, on failure: one line that says why; static */
};

/* ---- sockets (control path: one round trip to the helper each) ---- */

struct socket_create_params
{
    int                 family;
    int                 type;
    int                 protocol;
    unsigned int        context;        /* OPTION_CONTEXT */
    uint64_t            mailbox;        /* of the handle it gets */
    struct unix_socket *socket;         /* out */
};

/* what a handle is made of: wine_server_fd_to_handle, then close_fd */
struct mailbox_create_params
{
    int      fd;                        /* out */
    int      group;                     /* out: further handles are to be duplicates of this one's */
    uint64_t mailbox;                   /* out: its name */
};

/* mailbox_alone: no other process has handles of it any more */
struct mailbox_alone_params
{
    uint64_t mailbox;
};

struct socket_adopt_params
{
    int                 fd;             /* taken over, closed on failure too */
    unsigned int        handle;         /* its value */
    struct unix_socket *socket;         /* out: perhaps one this process has already, with one ref more */
};

/* is a handle still the socket's? */
struct socket_compare_params
{
    struct unix_socket *socket;
    int                 fd;             /* the handle's, taken over */
    int                 same;           /* out */
};

/* this process makes a handle from one of another process */
struct socket_stray_params
{
    int                 fd;             /* the handle's, taken over */
    unsigned int        handle;         /* its value there */
    int                 closed;         /* that one is closed by it */
};

struct socket_close_params
{
    struct unix_socket *socket;
    unsigned int        flags;          /* CLOSE_* */
    int                 wait_fd;        /* out: -1, or wait until it is readable, then close_fd */
};

struct socket_bind_params
{
    struct unix_socket *socket;
    const void         *addr;
    int                 len;
};

struct socket_listen_params
{
    struct unix_socket *socket;
    int                 backlog;
};

struct socket_connect_params
{
    struct unix_socket *socket;
    const void         *addr;
    int                 len;
    int                 pending;        /* out: not connected yet; wait for UNIX_POLLOUT, then connect_status */
};

struct socket_connect_status_params
{
    struct unix_socket *socket;
    int                 pending;        /* out */
};

struct socket_accept_params
{
    struct unix_socket *listener;
    uint64_t            mailbox;        /* of the handle it gets */
    struct unix_socket *socket;         /* out */
};

struct socket_defer_params
{
    struct unix_socket *listener;
    struct unix_socket *socket;         /* given back: released here */
};

struct socket_shutdown_params
{
    struct unix_socket *socket;
    int                 how;
};

/* socket_arm, socket_note_reset, socket_watch_accept, engine_watch */
struct socket_params
{
    struct unix_socket *socket;
};

struct socket_set_option_params
{
    struct unix_socket *socket;
    unsigned int        option;         /* enum socket_option */
    unsigned int        value;
    unsigned int        value2;
};

struct socket_watch_backlog_params
{
    struct unix_socket *socket;
    int                 wait_fd;        /* out: -1 when it is gone already; else readable when gone, then close_fd */
};

/* ---- the local provider (protocol.idl) ---- */

/* local_connect, as socket_connect; local_answer and local_disconnect: without an address */
struct local_send_params
{
    struct unix_socket *socket;
    const void         *addr;
    int                 len;
    const void         *data;           /* goes along */
    unsigned int        data_len;       /* LOCAL_MAX_DATA at most */
    int                 pending;        /* out, of local_connect */
};

/* local_data: what the peer said when it connected or accepted. local_peek: the first message, which stays */
struct local_data_params
{
    struct unix_socket *socket;
    unsigned int        kind;           /* out, of local_peek: enum local_kind, 0: the connection's end */
    unsigned int        len;            /* out: of the whole */
    unsigned char       data[256];      /* out: LOCAL_MAX_DATA of it at most */
};

/* ---- data: straight on the kernel socket, never blocking ---- */

struct recv_params
{
    struct unix_socket    *socket;
    const struct unix_buf *bufs;
    unsigned int           count;       /* of bufs */
    unsigned int           flags;       /* MSG_PEEK, MSG_OOB, UNIX_MSG_WAITED */
    unsigned int           result_flags; /* out: UNIX_MSG_TRUNC, UNIX_MSG_CTRUNC */
    size_t                 skip;        /* bytes of bufs already filled */
    void                  *addr;        /* NULL, or room for the sender's address */
    int                    addr_len;    /* in: room, out: used */
    void                  *control;     /* NULL, or room for control data in Winsock's layout */
    unsigned int           control_len; /* in: room, out: used, or needed with UNIX_MSG_CTRUNC */
    size_t                 result;      /* out: bytes */
};

#define UNIX_MSG_TRUNC  0x10000         /* a datagram was longer than the buffers */
#define UNIX_MSG_CTRUNC 0x20000         /* so was the control data */
#define UNIX_MSG_WAITED 0x40000         /* poll has just said that there is something to be had (or room to send) */

struct send_params
{
    struct unix_socket    *socket;
    const struct unix_buf *bufs;
    unsigned int           count;
    unsigned int           flags;       /* MSG_OOB, MSG_DONTROUTE, UNIX_MSG_WAITED */
    size_t                 skip;        /* bytes of bufs already sent */
    const void            *addr;
    int                    addr_len;
    const void            *control;
    unsigned int           control_len;
    size_t                 result;      /* out: bytes sent now */
};

/* hands what a non-blocking send could not place to the helper */
struct send_backlog_params
{
    struct unix_socket    *socket;
    const struct unix_buf *bufs;
    unsigned int           count;
    size_t                 skip;
};

/* ---- waiting ---- */

struct poll_params
{
    struct unix_pollfd *fds;            /* with room for one more than count when wake_fd >= 0 */
    unsigned int        count;
    int                 wake_fd;        /* the thread's eventfd, -1: none */
    int64_t             timeout;        /* ns; 0: only look; negative: for ever */
    int                 ready;          /* out: how many of fds have revents, without wake_fd */
    int                 woken;          /* out: wake_fd was signalled (and is reset now) */
};

struct event_create_params { int fd; /* out */ };
struct event_signal_params { int fd; };
struct thread_id_params    { int id; /* out: the kernel's for the calling thread */ };
struct thread_alive_params { int id; int alive; /* out */ };
struct close_fd_params     { int fd; };

/* ---- the overlapped engine ---- */

/* something happened to a socket, or to a fd that was to be watched once (then socket is NULL) */
struct engine_event
{
    struct unix_socket *socket;
    int                 fd;             /* -1 with a socket */
};

struct engine_wait_params
{
    struct engine_event *events;
    unsigned int         room;
    unsigned int         count;         /* out; may be 0 */
};

struct engine_watch_fd_params { int fd; };

/* ---- names, options, ioctls: straight on the kernel socket ---- */

struct getname_params
{
    struct unix_socket *socket;
    void               *addr;
    int                 len;            /* in: room, out: used */
};

struct getsockopt_params
{
    struct unix_socket *socket;
    int                 level;
    int                 name;
    void               *value;
    int                 len;            /* in: room, out: used */
};

struct setsockopt_params
{
    struct unix_socket *socket;
    int                 level;
    int                 name;
    const void         *value;
    int                 len;
};

struct ioctl_params
{
    struct unix_socket *socket;
    unsigned int        code;           /* enum unix_ioctl */
    unsigned int        value;          /* out */
    void               *data;           /* INTERFACES, ROUTE */
    unsigned int        size;           /* in: bytes of data, out: used; WSAENOBUFS: needed */
};

/* an address of this machine; bits of flags as in INTERFACE_INFO */
struct unix_interface
{
    unsigned int index;
    unsigned int flags;
    char         address[28];           /* Winsock's sockaddrs */
    char         netmask[28];           /* IPv4 alone has it */
};

enum unix_ioctl
{
    UNIX_IOCTL_NREAD,                   /* FIONREAD: stream: bytes queued; datagram: all bytes queued as Windows counts */
    UNIX_IOCTL_ATMARK,                  /* SIOCATMARK as Linux has it: at the mark */
    UNIX_IOCTL_UNSENT,                  /* bytes sent but not acknowledged */
    UNIX_IOCTL_STATE,                   /* tcpi_state of TCP_INFO as Linux numbers it */
    UNIX_IOCTL_INTERFACES,              /* data: struct unix_interface[], of the socket's family */
    UNIX_IOCTL_ROUTE,                   /* data: a remote address, out: the local one that is used to reach it */
    UNIX_IOCTL_ICMP,                    /* datagrams: would a receive report an ICMP error? What it would not is dropped */
};

/* Winsock's numbers of options that Wine's headers do not have */
enum winsock_option
{
    WINSOCK_SO_PAUSE_ACCEPT         = 0x3003,
    WINSOCK_TCP_MAXRTMS             = 14,
    WINSOCK_TCP_FASTOPEN            = 15,
    WINSOCK_TCP_KEEPCNT             = 16,
    WINSOCK_TCP_KEEPINTVL           = 17,
    WINSOCK_UDP_NOCHECKSUM          = 1,
    WINSOCK_UDP_SEND_MSG_SIZE       = 2,
    WINSOCK_IP_PROTECTION_LEVEL     = 23,   /* the same as IPV6_PROTECTION_LEVEL */
    WINSOCK_MCAST_JOIN_GROUP        = 41,   /* of both IP levels, as the next five */
    WINSOCK_MCAST_LEAVE_GROUP,
    WINSOCK_MCAST_BLOCK_SOURCE,
    WINSOCK_MCAST_UNBLOCK_SOURCE,
    WINSOCK_MCAST_JOIN_SOURCE_GROUP,
    WINSOCK_MCAST_LEAVE_SOURCE_GROUP,
};

/* ---- names ---- */

#include "unixlib_names.h"

enum unix_funcs
{
    unix_startup,
    unix_mailbox_create,
    unix_mailbox_flush,                 /* no parameters */
    unix_mailbox_alone,
    unix_socket_create,
    unix_socket_adopt,
    unix_socket_compare,
    unix_socket_stray,
    unix_socket_close,
    unix_socket_bind,
    unix_socket_listen,
    unix_socket_connect,
    unix_socket_connect_status,
    unix_socket_accept,
    unix_socket_defer,
    unix_socket_watch_accept,           /* makes accept_fd, if it can */
    unix_socket_shutdown,
    unix_socket_arm,
    unix_socket_note_reset,
    unix_socket_set_option,
    unix_socket_watch_backlog,
    unix_local_connect,
    unix_local_answer,
    unix_local_disconnect,
    unix_local_data,
    unix_local_peek,
    unix_recv,
    unix_send,
    unix_send_backlog,
    unix_poll,
    unix_event_create,
    unix_event_signal,
    unix_thread_id,
    unix_thread_alive,
    unix_close_fd,
    unix_engine_start,                  /* no parameters */
    unix_engine_watch,
    unix_engine_watch_fd,
    unix_engine_wait,
    unix_getsockname,
    unix_getpeername,
    unix_getsockopt,
    unix_setsockopt,
    unix_ioctl,
    UNIX_NAMES_FUNCS
    unix_funcs_count
};

#endif /* __TAPSTER_UNIXLIB_H */
