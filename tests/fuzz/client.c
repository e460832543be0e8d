/*
 * The fuzzer: clients, what they have and what they hear
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "fuzz.h"

struct fuzz_client fuzz_clients[CLIENTS];
u16 fuzz_ports[PORTS];

static u32 client_next_port;

static void __attribute__((noreturn)) client_fatal( const char *what, u32 type, u32 value )
{
    fprintf( stderr, "fuzz: reply to request %u: %s (%u)\n", type, what, value );
    abort();
}

static void client_forget_fd( int *fd )
{
    if (*fd != -1) close( *fd );
    *fd = -1;
}

/* the fd is the client's from then on */
void client_remember( struct fuzz_client *client, struct socket_ref ref, u64 cookie, int fd )
{
    struct fuzz_sock *sock = &client->socks[client->next_sock++ % SOCKS];

    client_forget_fd( &sock->fd );
    sock->ref = ref;
    sock->cookie = cookie;
    sock->fd = fd;
}

static void client_remember_box( struct fuzz_client *client, u64 name, int fd )
{
    struct fuzz_box *box = &client->boxes[client->next_box++ % BOXES];

    client_forget_fd( &box->fd );
    box->name = name;
    box->fd = fd;
}

static void client_remember_port( const struct address *addr )
{
    if (addr->len) memcpy( &fuzz_ports[client_next_port++ % PORTS], addr->data + 2, sizeof(u16) );
}

static void client_begin( struct fuzz_client *client )
{
    u32 i;

    client->fd = -1;
    client->next_sock = client->next_box = client->last_id = client->first_id = 0;
    for (i = 0; i < SOCKS; i++) client->socks[i] = (struct fuzz_sock){ { ~0u, 0 }, 0, -1 };
    for (i = 0; i < BOXES; i++) client->boxes[i] = (struct fuzz_box){ 0, -1 };
    if (client->counters)
    {
        memset( client->counters, 0, COUNTERS * sizeof(u32) );
        return;
    }
    client->counters_fd = memfd_create( "fuzz-counters", MFD_CLOEXEC | MFD_ALLOW_SEALING );
    if (ftruncate( client->counters_fd, PROTOCOL_MAX_SLOTS * sizeof(u32) )) abort();
    fcntl( client->counters_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW );
    client->counters = mmap( NULL, COUNTERS * sizeof(u32), PROT_READ | PROT_WRITE, MAP_SHARED, client->counters_fd, 0 );
}

void client_begin_all(void)
{
    u32 i;

    client_next_port = 0;
    memset( fuzz_ports, 0, sizeof(fuzz_ports) );
    for (i = 0; i < CLIENTS; i++) client_begin( &fuzz_clients[i] );
}

void client_end( struct fuzz_client *client )
{
    client_forget_fd( &client->fd );
    client->first_id = client->last_id;
}

/* No TIME_WAIT is left by what is still connected: a long run would use the ports up. */
void client_end_all(void)
{
    struct sockaddr nobody = { .sa_family = AF_UNSPEC };
    struct fuzz_client *client;
    u32 i;

    for (client = fuzz_clients; client < fuzz_clients + CLIENTS; client++)
    {
        for (i = 0; i < SOCKS; i++)
        {
            if (client->socks[i].fd != -1) connect( client->socks[i].fd, &nobody, sizeof(nobody) );
            client_forget_fd( &client->socks[i].fd );
        }
        for (i = 0; i < BOXES; i++) client_forget_fd( &client->boxes[i].fd );
        client_end( client );
    }
}

void client_connect( struct fuzz_client *client )
{
    client_end( client );
    client->fd = world_connect();
}

/* one message; what does not fit is not said */
void client_say( struct fuzz_client *client, u32 type, const void *data, size_t len, const int *fds, u32 count )
{
    union { struct cmsghdr header; char space[CMSG_SPACE( PROTOCOL_MAX_FDS * sizeof(int) )]; } control;
    struct iovec iov = { (void *)data, len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    u32 id;

    if (client->fd == -1 || client->last_id - client->first_id >= sizeof(client->types)) return;
    if (count)
    {
        memset( &control, 0, sizeof(control) );
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN( count * sizeof(int) );
        memcpy( CMSG_DATA( &control.header ), fds, count * sizeof(int) );
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE( count * sizeof(int) );
    }
    if (sendmsg( client->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL ) == -1 || (type & REQUEST_NO_REPLY)) return;
    id = client->last_id++;
    client->types[id % sizeof(client->types)] = type;
}

/* fds beyond those that are kept are closed */
static void client_heard( struct fuzz_client *client, u32 type, const void *data, int *fds, u32 count )
{
    const struct create_reply *create = data;
    const struct accept_reply *accept = data;
    const struct adopt_reply *adopt = data;
    u32 i;

    switch (type)
    {
    case REQUEST_CREATE:
        if (!create->count || create->count > PROTOCOL_MAX_FDS) client_fatal( "made so many", type, create->count );
        for (i = 0; i < create->count && i < count; i++)
        {
            client_remember( client, create->made[i].socket, create->made[i].cookie, fds[i] );
            fds[i] = -1;
        }
        break;
    case REQUEST_ACCEPT:
        client_remember( client, accept->socket, accept->cookie, fds[0] );
        fds[0] = -1;
        break;
    case REQUEST_ADOPT:
        client_remember( client, adopt->socket, adopt->cookie, fds[0] );
        fds[0] = -1;
        break;
    case REQUEST_MAILBOX:
        client_remember_box( client, ((const struct mailbox_reply *)data)->mailbox, fds[0] );
        fds[0] = -1;
        break;
    case REQUEST_BIND:
        client_remember_port( &((const struct bind_reply *)data)->address );
        break;
    }
}

/* 0: nothing there */
static int client_hear( struct fuzz_client *client )
{
    union { u64 align; struct reply_header header; u8 bytes[PROTOCOL_MAX_MESSAGE + 1]; } reply;
    union { struct cmsghdr header; char space[CMSG_SPACE( (PROTOCOL_MAX_FDS + 1) * sizeof(int) )]; } control;
    struct iovec iov = { &reply, sizeof(reply) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    int fds[PROTOCOL_MAX_FDS + 1];
    struct cmsghdr *cmsg;
    u32 i, type, size, shape = 0, count = 0;
    ssize_t len;

    if ((len = recvmsg( client->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC )) <= 0)
    {
        if (!len || errno != EAGAIN) client_end( client );
        return 0;
    }
    for (i = 0; i <= PROTOCOL_MAX_FDS; i++) fds[i] = -1;
    if ((cmsg = CMSG_FIRSTHDR( &msg )) && cmsg->cmsg_type == SCM_RIGHTS)
    {
        count = (cmsg->cmsg_len - CMSG_LEN( 0 )) / sizeof(int);
        memcpy( fds, CMSG_DATA( cmsg ), count * sizeof(int) );
    }
    if (client->first_id == client->last_id) client_fatal( "nobody has asked", 0, reply.header.id );
    type = client->types[client->first_id % sizeof(client->types)];
    if (reply.header.id != client->first_id++) client_fatal( "for another one", type, reply.header.id );
    if (reply.header.error && (reply.header.error < 10000 || reply.header.error > 11999))
        client_fatal( "error out of range", type, reply.header.error );
    request_shape( type, &size, &shape );
    if ((size_t)len != sizeof(reply.header) + (reply.header.error ? 0 : shape)) client_fatal( "length", type, len );
    if (count > PROTOCOL_MAX_FDS || (reply.header.error && count)) client_fatal( "fds", type, count );
    if (!reply.header.error) client_heard( client, type, reply.bytes + sizeof(reply.header), fds, count );
    for (i = 0; i < count; i++) client_forget_fd( &fds[i] );
    return 1;
}

void client_listen( struct fuzz_client *client )
{
    while (client->fd != -1 && client_hear( client )) /* on */;
}
