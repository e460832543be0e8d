/*
 * Requests: decoding, checking, dispatch
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

#include <string.h>
#include <unistd.h>

#include "server.h"

/* does a fd come with it? */
enum request_fd
{
    FD_NONE,
    FD_ONE,
    FD_MAYBE
};

struct request_kind
{
    const char *name;                           /* for the log */
    u32 (*handler)( struct request *req );      /* 0 or a Winsock error */
    u32 size;                                   /* of the request's struct, to the byte */
    u32 reply_size;                             /* of the reply's */
    u8 fd;                                      /* enum request_fd */
};

#define REQUEST(name, fd) \
    { #name, name##_request, sizeof(struct name##_request), sizeof(struct name##_reply), fd }

static const struct request_kind request_kinds[REQUEST_COUNT] =
{
    [REQUEST_HELLO]          = REQUEST( hello, FD_ONE ),
    [REQUEST_CREATE]         = REQUEST( create, FD_NONE ),
    [REQUEST_ADOPT]          = REQUEST( adopt, FD_ONE ),
    [REQUEST_CLOSE]          = REQUEST( close, FD_NONE ),
    [REQUEST_BIND]           = REQUEST( bind, FD_NONE ),
    [REQUEST_LISTEN]         = REQUEST( listen, FD_NONE ),
    [REQUEST_CONNECT]        = REQUEST( connect, FD_NONE ),
    [REQUEST_CONNECT_STATUS] = REQUEST( connect_status, FD_NONE ),
    [REQUEST_ACCEPT]         = REQUEST( accept, FD_MAYBE ),
    [REQUEST_DEFER]          = REQUEST( defer, FD_NONE ),
    [REQUEST_SHUTDOWN]       = REQUEST( shutdown, FD_NONE ),
    [REQUEST_ARM]            = REQUEST( arm, FD_NONE ),
    [REQUEST_NOTE_RESET]     = REQUEST( note_reset, FD_NONE ),
    [REQUEST_SET_OPTION]     = REQUEST( set_option, FD_NONE ),
    [REQUEST_BACKLOG]        = REQUEST( backlog, FD_ONE ),
    [REQUEST_WATCH_BACKLOG]  = REQUEST( watch_backlog, FD_NONE ),
    [REQUEST_MAILBOX]        = REQUEST( mailbox, FD_NONE ),
    [REQUEST_NAME]           = REQUEST( name, FD_NONE ),
    [REQUEST_ALONE]          = REQUEST( alone, FD_NONE ),
    [REQUEST_LOCAL_CONNECT]  = REQUEST( local_connect, FD_NONE ),
    [REQUEST_LOCAL_ANSWER]   = REQUEST( local_answer, FD_NONE ),
    [REQUEST_LOCAL_DISCONNECT] = REQUEST( local_disconnect, FD_NONE ),
    [REQUEST_LOCAL_DATA]     = REQUEST( local_data, FD_NONE ),
    [REQUEST_LOCAL_RENEW]    = REQUEST( local_renew, FD_NONE ),
    [REQUEST_STRAY]          = REQUEST( stray, FD_ONE ),
    [REQUEST_WATCH_ACCEPT]   = REQUEST( watch_accept, FD_NONE )
};

_Static_assert( sizeof(struct request_header) + sizeof(struct adopt_request) <= PROTOCOL_MAX_MESSAGE,
                "the longest request fits" );

/* How long a request of this type and its reply are: for who checks what is said.
 * 0: there is no such request. */
int request_shape( u32 type, u32 *size, u32 *reply_size )
{
    if (type >= REQUEST_COUNT || !request_kinds[type].handler) return 0;
    *size = request_kinds[type].size;
    *reply_size = request_kinds[type].reply_size;
    return 1;
}

/* the message's type, NULL if no client of ours would send it so */
static const struct request_kind *request_check( int ready, const struct message *message )
{
    const struct request_kind *type;
    u32 number;

    if (message->len < sizeof(message->data.header)) return NULL;
    number = message->data.header.type;
    if (number == (REQUEST_CLOSE | REQUEST_NO_REPLY)) number = REQUEST_CLOSE;
    if (number >= REQUEST_COUNT) return NULL;
    type = &request_kinds[number];
    if (!type->handler) return NULL;
    if (message->len != sizeof(message->data.header) + type->size) return NULL;
    if (type->fd != FD_MAYBE && (type->fd == FD_ONE) != (message->fd != -1 || message->fd_lost)) return NULL;
    /* hello comes first, and once */
    if (ready != (number != REQUEST_HELLO)) return NULL;
    return type;
}

/* Gives the socket the mailbox of the header. A client that calls something else a socket, or a
 * mailbox that is not to be had, is told so, and the request is not handled. */
static u32 request_bind_mailbox( struct client *client, const struct request_kind *type, const struct message *message )
{
    struct socket_ref ref;
    struct sock *sock;

    if (!message->data.header.mailbox) return 0;
    if (type->size < sizeof(ref)) return WSAENOTSOCK;
    memcpy( &ref, message->data.bytes + sizeof(struct request_header), sizeof(ref) );
    if (!(sock = client_sock( client, &ref ))) return WSAENOTSOCK;
    return mailbox_bind( client, message->data.header.mailbox, sock );
}

/* ready: the client has said hello. 0: there is a reply; -1: the client is to be dropped; 1: it is to be handled again later.
 * The message's fd is gone in either case. */
int request_handle( struct client *client, int ready, struct message *message, struct reply *reply )
{
    const struct request_kind *type = request_check( ready, message );
    struct request req;
    u32 error;

    memset( reply, 0, sizeof(*reply) );
    if (!type)
    {
        if (message->fd != -1) close( message->fd );
        return -1;
    }

    req.client = client;
    req.in = message->data.bytes + sizeof(struct request_header);
    req.out = reply->data.bytes + sizeof(struct reply_header);
    req.fd = message->fd;
    req.reply_fd = -1;
    req.reply_fd_close = 0;
    req.more_count = 0;

    if (message->fd_lost) error = WSAEMFILE;
    else if (!(error = request_bind_mailbox( client, type, message ))) error = type->handler( &req );
    if (park_was_short() && error == WSAENOTSOCK) error = WSAEMFILE;
    if (error == REQUEST_LATER) return 1;
    if (req.fd != -1) close( req.fd );
    if (log_debug) log_line( "%s: %u", type->name, error );

    reply->data.header.id = message->data.header.id;
    reply->data.header.error = error;
    reply->len = sizeof(struct reply_header) + (error ? 0 : type->reply_size);
    if (message->data.header.type & REQUEST_NO_REPLY) reply->len = 0;
    if (req.reply_fd != -1) reply->fds[reply->fd_count++] = req.reply_fd;
    memcpy( reply->fds + reply->fd_count, req.more_fds, req.more_count * sizeof(int) );
    reply->fd_count += req.more_count;
    reply->close_fd = req.reply_fd_close;
    return 0;
}

u32 hello_request( struct request *req )
{
    const struct hello_request *in = req->in;
    struct hello_reply *out = req->out;
    u32 error;

    if (in->magic != PROTOCOL_MAGIC) return WSAEINVAL;
    if (in->version != PROTOCOL_VERSION) return WSAVERNOTSUPPORTED;
    if ((error = client_hello( req->client, req->fd, in ))) return error;

    out->magic = PROTOCOL_MAGIC;
    out->version = PROTOCOL_VERSION;
    out->helper_pid = getpid();
    req->reply_fd = arena_fd();
    if (client_bell( req->client ) != -1) req->more_fds[req->more_count++] = client_bell( req->client );
    return 0;
}
