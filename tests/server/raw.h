/*
 * A raw client of the helper, for its tests
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

#ifndef __TAPSTER_TESTS_RAW_H
#define __TAPSTER_TESTS_RAW_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <cmocka.h>

#include "server.h"

/* ---- a helper of one's own, in a folder of its own ---- */

extern char raw_dir[];          /* where it listens */
extern unsigned int raw_nofile;  /* fds that a helper started may have; 0: as many as it can get */
extern int raw_helper;          /* its pid, as hello told; 0: none has been talked to */

extern const char *raw_tapsterd(void);
extern void raw_make_dir(void);
extern void raw_remove_dir(void);
extern int raw_run( const char *const *args );
extern void raw_start( const char *linger );
extern void raw_stop(void);
extern void raw_wait_gone(void);
extern int raw_helper_fds(void);
extern int raw_helper_alive(void);
extern void raw_sleep( int ms );

/* ---- one client ---- */

struct raw
{
    int fd;                     /* the connection, -1: none */
    int arena_fd;
    int bell_fd;                /* an eventfd: the helper rings it */
    const struct slot *arena;   /* its slots */
    int counters_fd;
    u32 *counters;              /* one's own */
    u32 last_id;
    u32 last_counter;           /* of the last socket */
    u64 mailbox;                /* for the header of the next request, 0: none */
};

extern int raw_connect_only(void);
extern void raw_open( struct raw *raw );
extern void raw_open_again( struct raw *raw, u32 sockets );
extern void raw_open_on( struct raw *raw, int fd, u32 sockets );
extern void raw_close( struct raw *raw );
extern int raw_send( int fd, const void *data, size_t len, const int *fds, int count );
extern ssize_t raw_recv( int fd, void *data, size_t len, int *got );
extern u32 raw_request( struct raw *raw, u32 type, const void *in, size_t in_size, int fd, void *out, size_t out_size, int *got );
extern int raw_dropped( int fd );

/* one socket, as a client has it */
struct raw_sock
{
    struct socket_ref ref;
    u64 cookie;
    u32 counter;                /* where its client counts */
    int fd;
};

extern u32 raw_create( struct raw *raw, u32 family, u32 type, u32 protocol, struct raw_sock *sock );
extern int raw_create_many( struct raw *raw, u32 type, u64 mailbox, int wanted, struct raw_sock *socks );
extern u32 raw_mailbox( struct raw *raw, u64 *name, int *fd );
extern u32 raw_name( struct raw *raw, const struct raw_sock *sock, u64 mailbox );
extern u32 raw_adopt_box( struct raw *raw, int box, struct raw_sock *sock );
extern u32 raw_adopt( struct raw *raw, int fd, const struct slot *known, struct raw_sock *sock );
extern u32 raw_close_sock( struct raw *raw, struct raw_sock *sock, u32 flags, int *wait );
extern u32 raw_bind( struct raw *raw, const struct raw_sock *sock, const struct address *addr, struct address *bound );
extern u32 raw_listen( struct raw *raw, const struct raw_sock *sock, u32 backlog );
extern u32 raw_connect( struct raw *raw, const struct raw_sock *sock, const struct address *addr, u32 *pending );
extern u32 raw_connect_status( struct raw *raw, const struct raw_sock *sock, u32 *pending );
extern u32 raw_accept( struct raw *raw, const struct raw_sock *listener, struct raw_sock *sock, struct accept_reply *reply );
extern int raw_accept_kernel( const struct raw_sock *listener, struct address *peer );
extern u32 raw_accept_fd( struct raw *raw, const struct raw_sock *listener, int fd, const struct address *peer,
                          struct raw_sock *sock, struct accept_reply *reply );
extern u32 raw_defer( struct raw *raw, const struct raw_sock *listener, struct raw_sock *sock );
extern u32 raw_shutdown( struct raw *raw, const struct raw_sock *sock, u32 how );
extern u32 raw_arm( struct raw *raw, const struct raw_sock *sock );
extern u32 raw_note_reset( struct raw *raw, const struct raw_sock *sock, u32 *flags );
extern u32 raw_set_option( struct raw *raw, const struct raw_sock *sock, u32 option, u32 value, u32 value2 );
extern u32 raw_backlog( struct raw *raw, const struct raw_sock *sock, u64 length, int fd );
extern u32 raw_watch_backlog( struct raw *raw, const struct raw_sock *sock, int *wait );
extern const struct slot *raw_slot( const struct raw *raw, const struct raw_sock *sock );
extern u32 raw_flags( const struct raw *raw, const struct raw_sock *sock );
extern u32 raw_state( const struct raw *raw, const struct raw_sock *sock );

/* waits until the condition is true, 5 seconds at most; 0: it never was */
#define RAW_WAIT(cond) \
    ({ int raw_tries = 1000; while (!(cond) && --raw_tries) raw_sleep( 5 ); raw_tries > 0; })

/* ---- addresses and sockets ---- */

extern struct address raw_ip4( const char *ip, u16 port );
extern struct address raw_ip6( const char *ip, u16 port, u32 scope );
extern u16 raw_port( const struct address *addr );
extern void raw_listener( struct raw *raw, u32 family, struct raw_sock *sock, struct address *addr );
extern void raw_pair( struct raw *raw, struct raw_sock *client, struct raw_sock *server );
extern int raw_memfd( size_t size, int seals );
extern int raw_fill( int fd );
extern int raw_readable( int fd, int ms );

/* every test has a limit, and says which one it was */
extern int raw_setup( void **state );
extern int raw_teardown( void **state );
extern int raw_alarm_setup( void **state );
extern int raw_alarm_teardown( void **state );

#define RAW_TEST(name) cmocka_unit_test_setup_teardown( name, raw_setup, raw_teardown )
#define RAW_UNIT(name) cmocka_unit_test_setup_teardown( name, raw_alarm_setup, raw_alarm_teardown )

#endif  /* __TAPSTER_TESTS_RAW_H */
