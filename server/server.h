/*
 * tapsterd, the helper: what its files say to each other
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

#ifndef __TAPSTER_SERVER_H
#define __TAPSTER_SERVER_H

#include <stdint.h>
#include <sys/socket.h>
#include <netinet/in.h>

#ifndef COM_NO_WINDOWS_H
#define COM_NO_WINDOWS_H
#endif
typedef uint64_t UINT64;        /* widl's header takes it for granted */
#include "protocol.h"

#include "list.h"
#include "winsock.h"

/* Two rules hold everywhere in the helper.
 *
 * Nothing blocks. Kernel sockets are shared with the clients (one open file
 * description, so O_NONBLOCK would be seen by a plain child process that got one
 * as stdout): they are blocking by their flags, and every call on them here takes
 * MSG_DONTWAIT, or sets O_NONBLOCK for its moment (socket_nonblocking).
 *
 * A client is believed nothing. What it may be wrong about in good faith gets a
 * Winsock error; what no client of ours would ever send gets it dropped. */

/* ---- loop.c: readiness and time ---- */

/* a fd that is watched; part of what it belongs to */
struct watch
{
    int fd;                                     /* not owned */
    u32 events;                                 /* EPOLL* it is registered for, 0: not registered */
    void (*ready)( struct watch *, u32 );       /* called with the EPOLL* that are true */
};

/* something to do later; part of what it belongs to */
struct timer
{
    u64 when;                                   /* loop_now() at which it is due, ms */
    u32 index;                                  /* place in the heap plus 1, 0: not armed */
    void (*expired)( struct timer * );
};

extern int loop_init(void);
extern void loop_done(void);
extern u64 loop_now(void);
extern int loop_watch( struct watch *watch, u32 events );
extern void loop_again( struct watch *watch );
extern void loop_timer( struct timer *timer, u64 ms );
extern void loop_cancel( struct timer *timer );
extern int loop_step( int timeout );
extern void loop_run(void);
extern void loop_stop(void);

/* ---- log.c ---- */

extern int log_debug;                           /* --debug: every request is logged */

extern void log_to_stderr(void);
extern int log_open( int dir );
extern void log_name( const char *name );
extern void log_follow(void);
extern void log_line( const char *format, ... ) __attribute__((format(printf, 1, 2)));

/* ---- error.c ---- */

extern u32 error_from_errno( int err );

/* ---- address.c: Winsock's addresses and Linux' ---- */

union linux_address
{
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

extern u32 address_from_client( const struct address *addr, u16 family, union linux_address *out, socklen_t *len );
extern void address_to_client( const union linux_address *addr, struct address *out );
extern u32 address_check_scope( const union linux_address *addr );
extern u16 address_port( const union linux_address *addr );
extern void address_set_port( union linux_address *addr, u16 port );
extern int address_is_any( const union linux_address *addr );
extern int address_is_multicast( const union linux_address *addr );
extern void address_make_any( u16 family, u16 port, union linux_address *out, socklen_t *len );
extern int address_local( int fd, union linux_address *out );
extern int address_peer( int fd, union linux_address *out );

/* ---- arena.c: the slots that clients see ---- */

extern int arena_init(void);
extern void arena_done(void);
extern int arena_fd(void);
extern int arena_alloc( u32 *slot, u32 *generation );
extern void arena_free( u32 slot );
extern void arena_publish( u32 slot, const struct slot *content );
extern const struct slot *arena_slot( u32 slot );

/* ---- ports.c: the ledger of bound ports ---- */

enum port_mode
{
    PORT_DEFAULT,
    PORT_REUSE,
    PORT_EXCLUSIVE
};

struct port_entry;                              /* one bound address */

/* what a socket is, or is about to be, bound to */
struct port_address
{
    int protocol;                               /* IPPROTO_TCP or IPPROTO_UDP */
    int dual;                                   /* an IPv6 socket that takes IPv4 as well */
    union linux_address addr;
};

extern u32 ports_rule( enum port_mode first, int first_wild, enum port_mode second, int second_wild );
extern u32 ports_check( const struct port_address *addr, enum port_mode mode );
extern struct port_entry *ports_enter( const struct port_address *addr, enum port_mode mode, int fd );
extern struct port_entry *ports_share( struct port_entry *entry );
extern void ports_release( struct port_entry *entry, int fd, int had_connections );
extern u32 ports_bind( struct port_address *addr, socklen_t len, enum port_mode mode, int fd, struct port_entry **entry );
extern int ports_bind_again( const struct port_entry *entry, int fd );
extern int ports_listen( const struct port_entry *entry, int fd, int backlog );
extern int ports_move( struct port_entry *entry, int from, int to );
extern int ports_is( const struct port_entry *entry, int protocol, u16 port );
extern enum port_mode ports_mode( const struct port_entry *entry );
extern const union linux_address *ports_address( const struct port_entry *entry );
extern u32 ports_count(void);
extern int ports_restore_ghost( u32 ghost, const struct port_address *addr );
extern void ports_store_all(void);

/* ---- diag.c: what the kernel knows of a port ---- */

struct diag_socket
{
    u64 cookie;                                 /* SO_COOKIE */
    struct port_address addr;                   /* bound to this */
};

/* 0: go on with the next one */
typedef int (*diag_func)( const struct diag_socket *sock, void *arg );

extern int diag_port( int protocol, u16 port, u32 states, diag_func func, void *arg );

/* ---- socket.c: the record of a socket ---- */

struct client;
struct backlog;
struct linger_close;
struct local;
struct park_lot;
struct mailbox;

struct sock
{
    struct slot pub;            /* what its slot shows: this is the original, never read back */
    u32 slot;                   /* which slot that is */
    int fd;                     /* the kernel socket; ours; -1: parked, see park.c */
    struct park_lot *lot;       /* where that is, NULL: it is not */
    struct list park_entry;     /* not parked: place among all those, by last use */
    u8 ledger_fd;               /* parked: the ledger of ports had its fd */
    struct sock *cookie_next;   /* next in the table by cookie */
    struct list holds;          /* the clients that hold it (struct hold) */
    struct watch watch;         /* of fd; socket_rewatch decides for what */
    struct timer timer;         /* a connect's ceiling, or the end of a close's patience */
    struct timer hung;          /* until holders are told that its last handle has gone */
    struct port_entry *port;    /* ledger entry of its address, NULL: none */
    struct socket_ref listener; /* accepted: from which listener; generation 0: from none */
    u64 listener_cookie;        /* the same, as the next worker knows it */
    struct list deferred;       /* listener: connections put back (their deferred_entry) */
    struct list deferred_entry; /* connection: place in its listener's list */
    int deferred_event;         /* listener: eventfd that says to those who wait that there is one put back; -1: nobody has waited */
    struct list restored_entry; /* a worker before us had it, and its clients have still to come back: restore.c */
    struct mailbox *mailbox;    /* its handle's, NULL: none that we know of */
    struct backlog *backlog;    /* what is still to be sent, NULL: nothing */
    struct local *local;        /* what a socket of the local provider has besides, NULL: it is none */
    struct linger_close *linger; /* a close with a time limit is under way, NULL: none */
    u8 urgent;                  /* somebody may have taken an urgent byte */
    u8 watch_receive;           /* nobody may receive any more and data may still come */
    u8 closing;                 /* nobody holds it; it ends when all has been sent */
    u8 unheld;                  /* nobody holds it, its mailbox keeps it */
    u8 handed;                  /* was put back and has been accepted again: perhaps nobody got the answer */
    u8 shared;                  /* its handle has been in several processes: the last may die when we do */
    u8 stored_connect;          /* the keeper knows when its connect is to end */
    u32 stored;                 /* what the keeper has of it, by enum store_role; 0: nothing */
};

extern struct sock *socket_new( int fd, u16 family, u16 type, u32 protocol );
extern void socket_share_memory(void);
extern struct sock *socket_by_cookie( u64 cookie );
extern const struct slot *socket_remembered( u64 cookie );
extern struct sock *socket_by_slot( u32 slot );
extern struct sock *socket_by_ref( const struct socket_ref *ref );
extern struct socket_ref socket_ref( const struct sock *sock );
extern void socket_publish( struct sock *sock );
extern void socket_rewatch( struct sock *sock );
extern void socket_set_closing( struct sock *sock, int closing );
extern u32 socket_count(void);
extern void socket_end( struct sock *sock );
extern void socket_disconnect( int fd );
extern void socket_reset( struct sock *sock, u32 flags );
extern int socket_is_stream( const struct sock *sock );
extern int socket_is_established( const struct sock *sock );
extern int socket_tcp_state( int fd );
extern int socket_take_error( int fd );
extern int socket_replace( struct sock *sock, int fd );
extern void socket_rebind( struct sock *sock );
extern int socket_is_dual( const struct sock *sock );
extern void socket_port_address( const struct sock *sock, struct port_address *out );
extern int socket_cookie( int fd, u64 *cookie );
extern int socket_set_int( int fd, int level, int option, int value );
extern int socket_get_int( int fd, int level, int option, int *value );
extern int socket_nonblocking( int fd, int on );

/* what waits in a stream's receive queue */
enum socket_queue
{
    QUEUE_EMPTY,
    QUEUE_DATA,                 /* urgent data counts */
    QUEUE_FIN,                  /* the peer's end, and nothing before it */
    QUEUE_RESET                 /* the connection is broken; the kernel has now told so */
};

extern enum socket_queue socket_queue( int fd );

/* ---- client.c: the processes ---- */

/* one client's share of one socket */
struct hold
{
    struct client *client;
    struct sock *sock;
    u32 counter;                /* which of the client's counters it is */
    struct list client_entry;   /* in the client's list */
    struct list sock_entry;     /* in the socket's list */
};

extern int client_init( int listener, u32 linger_ms );
extern void client_done(void);
extern void client_check_idle(void);
extern struct sock *client_sock( struct client *client, const struct socket_ref *ref );
extern u32 client_fds(void);
extern u32 client_total(void);
extern u32 client_room( const struct client *client );
extern u32 client_hold( struct client *client, struct sock *sock, u32 counter );
extern void client_release( struct client *client, struct sock *sock );
extern void client_forget( struct client *client, struct sock *sock );
extern u32 client_hello( struct client *client, int counters, const struct hello_request *hello );
extern int client_waiting( const struct sock *sock );
extern int client_bell( const struct client *client );
extern void client_ring( const struct client *client );
extern u32 client_serial( const struct client *client );
extern u32 client_pid( const struct client *client );
extern void client_serial_used( u32 serial );
extern void client_said_again( struct client *client );
extern void client_store_all(void);
extern u32 client_mailbox_add( struct client *client );
extern u32 client_mailbox_take( struct client *client );
extern void client_mailbox_sub( u32 serial );
extern u32 client_backlog_add( struct client *client, u64 length );
extern void client_backlog_sub( u32 serial, u64 length );

/* ---- park.c: fds of sockets that are not used ---- */

extern u32 park_fds(void);
extern void park_touch( struct sock *sock );
extern void park_relieve(void);
extern int park_fetch( struct sock *sock );
extern void park_fetch_bound( int protocol, u16 port );
extern int park_was_short(void);
extern void park_forget( struct sock *sock );

/* ---- mailbox.c: what a handle is made of ---- */

extern u32 mailbox_fds(void);
extern int mailbox_keeps( const struct sock *sock );
extern int mailbox_gone( struct sock *sock );
extern void mailbox_unbind( struct sock *sock );
extern u32 mailbox_bind( struct client *client, u64 cookie, struct sock *sock );
extern struct sock *mailbox_sock( u64 cookie, u64 value );
extern int mailbox_awaits( u64 cookie );
extern u64 mailbox_name( const struct sock *sock );
extern u32 mailbox_pid( const struct sock *sock );
extern int mailbox_restore( u64 cookie, int fd, u32 pid );
extern void mailbox_restore_sock( u64 cookie, struct sock *sock );
extern void mailbox_settle(void);
extern void mailbox_store_all(void);
extern void mailbox_hung( struct timer *timer );

/* ---- store.c: what the keeper is told, so that the next worker has it; restore.c: how that goes on ---- */

struct kept_socket;

extern void store_init( int pair, int (*start)( int pair ) );
extern void store_serving(void);
extern void store_done(void);
extern void store_socket( struct sock *sock );
extern void store_socket_end( struct sock *sock );
extern void store_mailbox( u64 cookie, int fd, u32 pid );
extern void store_mailbox_end( u64 cookie );
extern void store_connect( struct sock *sock );
extern void store_connect_end( struct sock *sock );
extern u64 store_connect_deadline( u64 cookie );
extern void store_data( u64 cookie, const void *data, u32 length );
extern void store_data_end( u64 cookie );
extern u32 store_data_take( u64 cookie, void *data, u32 size );
extern void store_client( u32 serial, u32 pid );
extern void store_client_back( u32 pid );
extern void store_client_end( u32 serial );
extern void store_ghost( u32 ghost, const struct port_address *addr );
extern void store_ghost_end( u32 ghost );
extern int store_is_settled(void);
extern struct sock *restore_socket( const struct kept_socket *kept, int *fds );
extern void restore_resume( struct sock *sock, const struct kept_socket *kept, int *fds );
extern int restore_awaits( const struct sock *sock );
extern void restore_claimed( struct sock *sock );
extern void restore_client_back( u32 pid );
extern void restore_settle(void);
extern void restore_store_all(void);

/* ---- request.c: messages ---- */

/* one request while it is handled */
struct request
{
    struct client *client;
    const void *in;             /* the struct of its type */
    void *out;                  /* the reply's struct, zeroed */
    int fd;                     /* the fd that came with it, -1: none; a handler that keeps it says -1 here */
    int reply_fd;               /* the fd to go with the reply, -1: none */
    int more_fds[PROTOCOL_MAX_FDS - 1]; /* to go after that one, not closed */
    u32 more_count;             /* how many */
    u8 reply_fd_close;          /* reply_fd is the request's own: closed when it has gone */
};

/* what goes back */
struct reply
{
    u32 len;                    /* bytes of data, 0: nobody waits for it */
    int fds[PROTOCOL_MAX_FDS];  /* go along */
    u32 fd_count;               /* how many */
    u8 close_fd;                /* they are the reply's own */
    union
    {
        u64 align;              /* the structs after the header begin with 64 bits sometimes */
        struct reply_header header;
        u8 bytes[PROTOCOL_MAX_MESSAGE];
    } data;
};

/* a message as it came */
struct message
{
    u32 len;                    /* bytes of data */
    int fd;                     /* came along, -1: none */
    u8 fd_lost;                 /* one came along, and we had no room for it */
    union
    {
        u64 align;
        struct request_header header;
        u8 bytes[PROTOCOL_MAX_MESSAGE];
    } data;
};

extern int request_shape( u32 type, u32 *size, u32 *reply_size );
/* what a handler says instead of an error: it cannot be known yet, ask again; the request keeps its fd */
#define REQUEST_LATER 0xffffffff

extern int request_handle( struct client *client, int ready, struct message *message, struct reply *reply );

/* ---- the handlers, each in the file of its concern ---- */

extern u32 hello_request( struct request *req );
extern u32 create_request( struct request *req );
extern u32 adopt_request( struct request *req );
extern u32 close_request( struct request *req );
extern u32 bind_request( struct request *req );
extern u32 listen_request( struct request *req );
extern u32 connect_request( struct request *req );
extern u32 connect_status_request( struct request *req );
extern u32 accept_request( struct request *req );
extern u32 defer_request( struct request *req );
extern u32 watch_accept_request( struct request *req );
extern u32 shutdown_request( struct request *req );
extern u32 arm_request( struct request *req );
extern u32 note_reset_request( struct request *req );
extern u32 set_option_request( struct request *req );
extern u32 backlog_request( struct request *req );
extern u32 watch_backlog_request( struct request *req );
extern u32 mailbox_request( struct request *req );
extern u32 name_request( struct request *req );
extern u32 stray_request( struct request *req );
extern u32 alone_request( struct request *req );
extern u32 local_connect_request( struct request *req );
extern u32 local_answer_request( struct request *req );
extern u32 local_disconnect_request( struct request *req );
extern u32 local_data_request( struct request *req );
extern u32 local_renew_request( struct request *req );

/* ---- local.c: sockets of messages between the programs of one prefix ---- */

extern void local_init( int folder );
extern void local_done(void);
extern int socket_is_local( const struct sock *sock );
extern u32 local_check_address( const struct address *addr );
extern int local_attach( struct sock *sock );
extern void local_detach( struct sock *sock );
extern void local_adopt( struct sock *sock, const struct slot *known );
extern u32 local_bind_address( struct sock *sock, const struct address *addr, struct address *out );
extern u32 local_listen( struct sock *sock, int backlog );
extern u32 local_connect( struct sock *sock, const struct address *addr, const u8 *data, u32 length );
extern void local_look( struct sock *sock );
extern void local_disconnect( struct sock *sock );
extern u32 local_accepted( struct sock *sock, const struct sock *listener );
extern enum socket_queue local_queue( const struct sock *sock );
extern void local_reset( struct sock *sock );
extern void local_close( struct sock *sock );
extern void local_store( const struct sock *sock );

/* ---- what others need of bind.c, connect.c, accept.c, shutdown.c, close.c, backlog.c, option.c ---- */

extern void bind_note( struct sock *sock );
extern void bind_chosen( struct sock *sock, u16 port );
extern void connect_look( struct sock *sock );
extern void connect_established( struct sock *sock );
extern void connect_failed( struct sock *sock, u32 error );
extern void connect_begin( struct sock *sock );
extern void connect_resume( struct sock *sock );
extern void connect_expired( struct sock *sock );
extern void accept_keep( struct sock *sock );
extern void accept_end( struct sock *listener );
extern void accept_known( const struct sock *sock );
extern void accept_restore( struct sock *sock, u64 listener, int handed );
extern void accept_reunite( struct sock *listener );
extern void accept_settle(void);
extern void adopt_restored( struct sock *sock );
extern int shutdown_look( struct sock *sock );
extern void shutdown_drained( struct sock *sock );
extern void shutdown_send( struct sock *sock, int later );
extern void close_last( struct sock *sock );
extern void close_drained( struct sock *sock );
extern void close_progress( struct sock *sock );
extern void close_ready( struct sock *sock );
extern void close_expired( struct sock *sock );
extern void close_revive( struct sock *sock );
extern void close_free( struct sock *sock );
extern void close_describe( const struct sock *sock, u32 *lingers, u32 *fin_sent, int *wait_fd );
extern int close_restore( struct sock *sock, u64 deadline, int lingers, int fin_sent, int wait_fd );
extern void close_resume( struct sock *sock );
extern int close_fin_sent( const struct sock *sock );
extern void backlog_ready( struct sock *sock );
extern void backlog_end( struct sock *sock );
extern void backlog_describe( const struct sock *sock, u64 *end, int *fd, int *wait );
extern int backlog_restore( struct sock *sock, int fd, u64 end, const int *wait );
extern void option_defaults( struct sock *sock );
extern void option_from_kernel( struct sock *sock );
extern void option_apply_linger( struct sock *sock );
extern int option_resets( const struct sock *sock );
extern u32 option_linger_time( const struct sock *sock );
extern enum port_mode option_port_mode( const struct sock *sock );

#endif  /* __TAPSTER_SERVER_H */
