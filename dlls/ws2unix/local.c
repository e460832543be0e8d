/*
 * The local provider: its messages, and what goes to the helper
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

#include "ws2unix_private.h"
#include "control.h"

#include <pthread.h>
#include <fcntl.h>
#include <sys/uio.h>

#define LOCAL_IOV   16                  /* buffers without a copy; more are rare */
#define LOCAL_LOCKS 64

/* A message is looked at before it is taken: too long a one stays, and so does the end of a connection. The two
 * are one step for the threads of this process; several processes that read one socket at once are not
 * kept apart (doc/local.md). */
static pthread_mutex_t local_locks[LOCAL_LOCKS] = { [0 ... LOCAL_LOCKS - 1] = PTHREAD_MUTEX_INITIALIZER };

static pthread_mutex_t *local_enter( const struct unix_socket *socket, sigset_t *old )
{
    pthread_mutex_t *lock = &local_locks[socket->counter % LOCAL_LOCKS];
    sigset_t all;

    /* as the helper's lock: nobody is suspended with it */
    sigfillset( &all );
    sigdelset( &all, SIGSEGV );
    sigdelset( &all, SIGBUS );
    pthread_sigmask( SIG_BLOCK, &all, old );
    pthread_mutex_lock( lock );
    return lock;
}

static void local_leave( pthread_mutex_t *lock, const sigset_t *old )
{
    pthread_mutex_unlock( lock );
    pthread_sigmask( SIG_SETMASK, old, NULL );
}

/* ---- buffers ---- */

/* a header and the program's buffers, or one of ours instead of too many */
struct message
{
    struct local_header header;
    struct iovec        iov[LOCAL_IOV + 1];
    unsigned int        count;
    char               *copy;           /* NULL: none */
};

static unsigned int prepare_message( struct message *message, const struct unix_buf *bufs, unsigned int count, size_t length )
{
    unsigned int i;

    message->copy = NULL;
    message->iov[0].iov_base = &message->header;
    message->iov[0].iov_len = sizeof(message->header);
    message->count = count + 1;
    for (i = 0; i < count && count <= LOCAL_IOV; i++)
    {
        message->iov[i + 1].iov_base = bufs[i].buf;
        message->iov[i + 1].iov_len = bufs[i].len;
    }
    if (count <= LOCAL_IOV) return 0;

    if (length > LOCAL_MAX_MESSAGE) length = LOCAL_MAX_MESSAGE;
    if (!(message->copy = malloc( length + 1 ))) return WSAENOBUFS;
    message->iov[1].iov_base = message->copy;
    message->iov[1].iov_len = length;
    message->count = 2;
    return 0;
}

/* ---- receiving ---- */

/* The kernel's word of a peer that closed with something unread says nothing: our messages do. */
static ssize_t receive( struct unix_socket *socket, struct message *message, int flags )
{
    struct msghdr msg = { .msg_iov = message->iov, .msg_iovlen = message->count };
    ssize_t ret;

    message->header.kind = 0;
    do ret = recvmsg( socket->fd, &msg, flags | MSG_DONTWAIT | MSG_TRUNC );
    while (ret == -1 && (errno == EINTR || errno == ECONNRESET));
    return ret;
}

/* what the first message means: 0: data; ret is its length with the header, as receive() returned it */
static unsigned int message_error( const struct message *message, ssize_t ret )
{
    if (ret == -1) return error_from_errno( errno );
    if (!ret) return WSAEDISCON;
    if (ret < (ssize_t)sizeof(message->header)) return WSAECONNRESET;
    switch (message->header.kind)
    {
    case LOCAL_MESSAGE:    return 0;
    case LOCAL_DISCONNECT: return WSAEDISCON;
    default:               return WSAECONNRESET;
    }
}

/* the first message; an answer that was given twice, since a helper died, means nothing */
static ssize_t peek( struct unix_socket *socket, struct message *message )
{
    ssize_t ret;

    while ((ret = receive( socket, message, MSG_PEEK )) >= (ssize_t)sizeof(message->header) &&
           message->header.kind == LOCAL_ANSWER) receive( socket, message, 0 );
    return ret;
}

static unsigned int receive_message( struct recv_params *params, struct message *message, size_t room )
{
    ssize_t ret = peek( params->socket, message );
    unsigned int error;

    if ((error = message_error( message, ret ))) return error;
    if (ret - sizeof(message->header) > room)
    {
        params->result = room;
        return WSAEMSGSIZE;
    }
    if (!(params->flags & MSG_PEEK))
    {
        ret = receive( params->socket, message, 0 );
        if ((error = message_error( message, ret ))) return error;
    }
    params->result = ret - sizeof(message->header);
    if (params->result <= room) return 0;
    params->result = room;
    return WSAEMSGSIZE;
}

unsigned int local_recv( struct recv_params *params )
{
    size_t room = bufs_length( params->bufs, params->count );
    struct message message;
    pthread_mutex_t *lock;
    unsigned int error;
    sigset_t old;

    params->result = 0;
    params->result_flags = 0;
    if ((error = prepare_message( &message, params->bufs, params->count, room ))) return error;
    lock = local_enter( params->socket, &old );
    error = receive_message( params, &message, room );
    local_leave( lock, &old );
    room = params->result < LOCAL_MAX_MESSAGE ? params->result : LOCAL_MAX_MESSAGE;
    if (message.copy && (!error || error == WSAEMSGSIZE)) bufs_scatter( params->bufs, params->count, message.copy, room );
    free( message.copy );
    return error;
}

/* ---- sending ---- */

unsigned int local_send( struct send_params *params )
{
    size_t length = bufs_length( params->bufs, params->count );
    struct message message;
    struct msghdr msg = { .msg_iov = message.iov };
    unsigned int error;
    ssize_t ret;

    params->result = 0;
    if (length > LOCAL_MAX_MESSAGE) return WSAEMSGSIZE;
    if ((error = prepare_message( &message, params->bufs, params->count, length ))) return error;
    if (message.copy) bufs_gather( params->bufs, params->count, message.copy );
    message.header.kind = LOCAL_MESSAGE;
    message.header.length = length;
    msg.msg_iovlen = message.count;
    do ret = sendmsg( params->socket->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL );
    while (ret == -1 && errno == EINTR);
    if (ret != -1) params->result = length;
    else if (errno == EPIPE || errno == ENOTCONN || errno == ECONNREFUSED) error = WSAECONNRESET;
    else error = error_from_errno( errno );
    free( message.copy );
    return error;
}

/* ---- looking ---- */

/* the first message with as much of its data as there is room for: its whole length, or -1 with errno */
static ssize_t look( struct unix_socket *socket, struct message *message, void *data, size_t room )
{
    pthread_mutex_t *lock;
    sigset_t old;
    ssize_t ret;

    message->iov[0].iov_base = &message->header;
    message->iov[0].iov_len = sizeof(message->header);
    message->iov[1].iov_base = data;
    message->iov[1].iov_len = room;
    message->count = 2;
    lock = local_enter( socket, &old );
    ret = peek( socket, message );
    local_leave( lock, &old );
    return ret;
}

unsigned int local_queued( struct unix_socket *socket )
{
    struct message message;
    ssize_t ret = look( socket, &message, NULL, 0 );

    if (ret < (ssize_t)sizeof(message.header) || message.header.kind != LOCAL_MESSAGE) return 0;
    return ret - sizeof(message.header);
}

/* a request is padded: its own length counts */
static void from_request( struct local_data_params *params, const struct local_request *request, ssize_t size )
{
    params->len = request->header.length;
    if (size < (ssize_t)sizeof(*request) || params->len > sizeof(params->data)) params->len = 0;
    memcpy( params->data, request->data, params->len );
}

NTSTATUS local_peek( void *args )
{
    struct local_data_params *params = args;
    struct local_request request;
    char *data = (char *)&request + sizeof(request.header);
    struct message message;
    ssize_t ret = look( params->socket, &message, data, sizeof(request) - sizeof(request.header) );

    params->kind = 0;
    params->len = 0;
    if (ret == -1) return error_from_errno( errno );
    if (ret < (ssize_t)sizeof(message.header)) return 0;
    request.header = message.header;
    params->kind = message.header.kind;
    if (params->kind == LOCAL_REQUEST)
    {
        from_request( params, &request, ret );
        return 0;
    }
    params->len = ret - sizeof(message.header);
    memcpy( params->data, data, params->len < sizeof(params->data) ? params->len : sizeof(params->data) );
    return 0;
}

/* ---- the helper ---- */

/* If a connect that failed has used up the kernel socket, another one takes its place, under the same fd. */
unsigned int local_renew( struct unix_socket *socket )
{
    const struct slot *slot = published( socket );
    struct local_renew_request request;
    struct local_renew_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_LOCAL_RENEW, socket, request, reply );
    unsigned int error;
    sigset_t old;

    if (!is_local( socket ) || !(slot->flags & SOCKET_SPENT)) return 0;
    if (slot->state == SOCKET_CONNECTING || slot->state == SOCKET_CONNECTED) return 0;
    channel_enter( &old );
    if (!(error = channel_ask_locked( &ex )) && ex.reply_fd != -1) sockets_replace( socket, ex.reply_fd, reply.cookie );
    channel_leave( &old );
    return error;
}

NTSTATUS local_connect( void *args )
{
    struct local_send_params *params = args;
    struct local_connect_request request = { .length = params->data_len };
    struct local_connect_reply reply = { 0 };
    struct exchange ex = EXCHANGE( REQUEST_LOCAL_CONNECT, params->socket, request, reply );
    const unsigned int was = published( params->socket )->state;
    unsigned int error;

    params->pending = 0;
    if ((error = local_renew( params->socket ))) return error;
    if (params->len < 0 || params->len > (int)sizeof(request.address.data)) return WSAEINVAL;
    if (params->data_len > sizeof(request.data)) return WSAEINVAL;
    request.address.len = params->len;
    memcpy( request.address.data, params->addr, params->len );
    memcpy( request.data, params->data, params->data_len );
    error = channel_ask( &ex );
    return control_connect_end( &ex, was, error, reply.pending, &params->pending );
}

NTSTATUS local_answer( void *args )
{
    struct local_send_params *params = args;
    struct local_answer_request request = { .length = params->data_len };
    struct local_answer_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_LOCAL_ANSWER, params->socket, request, reply );
    unsigned int error;

    if (params->data_len > sizeof(request.data)) return WSAEINVAL;
    memcpy( request.data, params->data, params->data_len );
    error = channel_ask( &ex );
    /* the helper that died had done it */
    if (error == WSAEINVAL && ex.repeated && published( params->socket )->state == SOCKET_CONNECTED) error = 0;
    return error;
}

NTSTATUS local_disconnect( void *args )
{
    struct local_send_params *params = args;
    struct local_disconnect_request request = { .length = params->data_len };
    struct local_disconnect_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_LOCAL_DISCONNECT, params->socket, request, reply );
    unsigned int was = published( params->socket )->flags & SOCKET_SEND_SHUTDOWN, error;

    if (params->data_len > sizeof(request.data)) return WSAEINVAL;
    memcpy( request.data, params->data, params->data_len );
    error = channel_ask( &ex );
    if (error == WSAESHUTDOWN && ex.repeated && !was) error = 0;
    return error;
}

NTSTATUS local_data( void *args )
{
    struct local_data_params *params = args;
    struct local_data_request request = { .length = 0 };
    struct local_data_reply reply;
    struct exchange ex = EXCHANGE( REQUEST_LOCAL_DATA, params->socket, request, reply );
    unsigned int error;

    params->len = 0;
    if ((error = channel_ask( &ex ))) return error;
    if (reply.length > sizeof(params->data)) return WSAECONNABORTED;
    params->len = reply.length;
    memcpy( params->data, reply.data, reply.length );
    return 0;
}
