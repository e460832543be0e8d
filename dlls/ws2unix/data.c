/*
Receiving and sending: one system call each, straight on the kernel socket
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

#include <fcntl.h>
#include <netinet/ip_icmp.h>
#include <netinet/icmp6.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <linux/errqueue.h>

#define MAX_IOV      1024               /* Linux takes no more in one call */
#define MAX_DATAGRAM 65536              /* no datagram is longer, whatever its family */
#define MAX_SWALLOW  64                 /* errors passed over in one call */
#define IDLE_LOOK    16                 /* one in so many receives that find nothing looks for errors */

_Static_assert( MSG_OOB == WS_MSG_OOB && MSG_PEEK == WS_MSG_PEEK && MSG_DONTROUTE == WS_MSG_DONTROUTE,
                "these are the same in Winsock" );

static int is_stream( const struct unix_socket *socket )
{
    return __atomic_load_n( &socket->slot, __ATOMIC_ACQUIRE )->type == WS_SOCK_STREAM;
}

static int has_option( const struct unix_socket *socket, enum socket_option option )
{
    const struct slot *slot = __atomic_load_n( &socket->slot, __ATOMIC_ACQUIRE );

    return __atomic_load_n( &slot->options[option], __ATOMIC_RELAXED ) != 0;
}

/* ---- buffers ---- */

size_t bufs_length( const struct unix_buf *bufs, unsigned int count )
{
    size_t total = 0;

    while (count--) total += bufs++->len;
    return total;
}

/* The buffers after the first skip bytes, MAX_IOV of them at most; returns how many. *rest: are there more? */
static unsigned int fill_iov( struct iovec *iov, const struct unix_buf *bufs, unsigned int count, size_t skip, int *rest )
{
    unsigned int n = 0;

    for (; count && n < MAX_IOV; bufs++, count--)
    {
        if (skip >= bufs->len)
        {
            skip -= bufs->len;
            continue;
        }
        iov[n].iov_base = bufs->buf + skip;
        iov[n].iov_len = bufs->len - skip;
        skip = 0;
        n++;
    }
    *rest = count != 0;
    return n;
}

/* copies between the buffers and one piece of memory */
void bufs_scatter( const struct unix_buf *bufs, unsigned int count, const char *src, size_t len )
{
    size_t part;

    for (; count && len; bufs++, count--, src += part, len -= part)
    {
        part = bufs->len < len ? bufs->len : len;
        memcpy( bufs->buf, src, part );
    }
}

void bufs_gather( const struct unix_buf *bufs, unsigned int count, char *dst )
{
    for (; count; dst += bufs->len, bufs++, count--) memcpy( dst, bufs->buf, bufs->len );
}

/* ---- ICMP errors of datagram sockets ----
 *
 * Linux tells of one in the next call, be it a send, and where IP_RECVERR is on (all datagram sockets that
 * a helper made) keeps the message in an error queue besides, which makes the socket readable.
 * Windows tells of a few of them only, receives alone, and of each once. So the queue is what counts: a
 * receive takes a message off it, and either reports or passes over it, whoever else has the socket; a
 * send that meets an error notes that there is one and sends again. The note is icmp_error: */

#define ICMP_LOOK 1     /* the error queue is worth a look before the next receive */
                        /* negative: a message that has been taken: -ENETRESET, -ECONNREFUSED */

/* what Windows makes of an ICMP message: an errno, 0: nothing */
static int icmp_errno( const struct sock_extended_err *error )
{
    switch (error->ee_origin)
    {
    case SO_EE_ORIGIN_ICMP:
        if (error->ee_type == ICMP_TIME_EXCEEDED) return ENETRESET;
        if (error->ee_type == ICMP_DEST_UNREACH &&
            (error->ee_code == ICMP_PORT_UNREACH || error->ee_code == ICMP_PROT_UNREACH)) return ECONNREFUSED;
        return 0;

    case SO_EE_ORIGIN_ICMP6:
        if (error->ee_type == ICMP6_TIME_EXCEEDED) return ENETRESET;
        if (error->ee_type == ICMP6_DST_UNREACH && error->ee_code == ICMP6_DST_UNREACH_NOPORT) return ECONNREFUSED;
        return 0;

    default:                            /* Linux's own, of a send that has failed already */
        return 0;
    }
}

/* takes one message off the error queue: as icmp_errno, -1: it is empty */
static int take_queued_error( int fd )
{
    union { struct cmsghdr header; char space[512]; } control;
    struct msghdr msg = { .msg_control = &control, .msg_controllen = sizeof(control) };
    struct sock_extended_err error;
    struct cmsghdr *cmsg;

    if (recvmsg( fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT ) == -1) return -1;
    for (cmsg = CMSG_FIRSTHDR( &msg ); cmsg; cmsg = CMSG_NXTHDR( &msg, cmsg ))
    {
        if (!(cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_RECVERR) &&
            !(cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_RECVERR)) continue;
        if (cmsg->cmsg_len < CMSG_LEN( sizeof(error) )) continue;
        memcpy( &error, CMSG_DATA( cmsg ), sizeof(error) );
        return icmp_errno( &error );
    }
    return 0;
}

/* is this what an ICMP message may have left, rather than the call's own failure? */
static int may_be_icmp( int err )
{
    switch (err)
    {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EPROTO:
    case EACCES:
    case EMSGSIZE:
        return 1;
    default:
        return 0;
    }
}

/* does the kernel keep messages for this socket? */
static int has_queue( const struct unix_socket *socket )
{
    const struct slot *slot = __atomic_load_n( &socket->slot, __ATOMIC_ACQUIRE );

    return slot->type == WS_SOCK_DGRAM && !(__atomic_load_n( &slot->flags, __ATOMIC_RELAXED ) & SOCKET_ADOPTED);
}

/* the Winsock error that a receive reports for it, 0: none */
static unsigned int icmp_report( const struct unix_socket *socket, int err )
{
    if (err == ECONNREFUSED && has_option( socket, OPTION_UDP_CONNRESET )) return WSAECONNRESET;
    if (err == ENETRESET && has_option( socket, OPTION_UDP_NETRESET )) return WSAENETRESET;
    return 0;
}

/* Takes messages off the queue up to the first that a receive reports; 0: there is none. err: of the kernel's
 * that has just been met, 0: none; without a queue it is all there is. */
static unsigned int take_report( const struct unix_socket *socket, int err )
{
    unsigned int error;

    if (!has_queue( socket )) return icmp_report( socket, err );
    while ((err = take_queued_error( socket->fd )) != -1)
        if ((error = icmp_report( socket, err ))) return error;
    return 0;
}

/* what has been noted, as take_report */
static unsigned int take_note( struct unix_socket *socket )
{
    int note;

    if (!__atomic_load_n( &socket->icmp_error, __ATOMIC_RELAXED )) return 0;
    if (!(note = __atomic_exchange_n( &socket->icmp_error, 0, __ATOMIC_ACQ_REL ))) return 0;
    return note < 0 ? icmp_report( socket, -note ) : take_report( socket, 0 );
}

static void note_look( struct unix_socket *socket )
{
    int none = 0;

    __atomic_compare_exchange_n( &socket->icmp_error, &none, ICMP_LOOK, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE );
}

/* A call that is no receive has met it: where there is no queue, that was the last word of it. 0: it is none. */
int data_met_icmp( struct unix_socket *socket, int err )
{
    if (!may_be_icmp( err )) return 0;
    if (has_queue( socket )) note_look( socket );
    else __atomic_store_n( &socket->icmp_error, err == ECONNREFUSED ? -err : 0, __ATOMIC_RELEASE );
    return 1;
}

/* poll says that there is an error: would a receive report one? What it would pass over is
 * taken away, or poll would say so for ever. */
int data_icmp_pending( struct unix_socket *socket )
{
    unsigned int error = take_note( socket );
    socklen_t len = sizeof(int);
    int err = 0;

    if (!error && !has_queue( socket )) getsockopt( socket->fd, SOL_SOCKET, SO_ERROR, &err, &len );
    if (!error && !(error = take_report( socket, err ))) return 0;
    __atomic_store_n( &socket->icmp_error, error == WSAENETRESET ? -ENETRESET : -ECONNREFUSED, __ATOMIC_RELEASE );
    return 1;
}

/* the socket has nothing to receive: is there a message that has been forgotten? 0, or what to report */
static unsigned int look_for_icmp( struct unix_socket *socket, int waited )
{
    if (!waited && ++socket->idle_receives % IDLE_LOOK) return 0;
    return take_report( socket, 0 );
}

/* ---- receiving ---- */

/* one buffer, no control data: the cheapest call there is. MSG_TRUNC makes it return a datagram's true length. */
static ssize_t receive_plain( struct recv_params *params, int flags )
{
    const struct unix_buf *buf = params->bufs;
    struct sockaddr_storage addr;
    socklen_t addr_len = sizeof(addr);
    size_t room = buf->len - params->skip;
    ssize_t ret;

    if (!params->addr) return recv( params->socket->fd, buf->buf + params->skip, room, flags );
    ret = recvfrom( params->socket->fd, buf->buf, room, flags, (struct sockaddr *)&addr, &addr_len );
    if (ret != -1) params->addr_len = sockaddr_from_unix( &addr, addr_len, params->addr, params->addr_len );
    return ret;
}

static ssize_t receive_message( struct recv_params *params, struct iovec *iov, unsigned int count, int flags )
{
    union { struct cmsghdr header; char space[CONTROL_ROOM]; } control;
    struct sockaddr_storage addr;
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = count };
    int whole = 1;
    ssize_t ret;

    if (params->addr)
    {
        msg.msg_name = &addr;
        msg.msg_namelen = sizeof(addr);
    }
    if (params->control)
    {
        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control);
    }
    if ((ret = recvmsg( params->socket->fd, &msg, flags )) == -1) return -1;
    if (params->addr) params->addr_len = sockaddr_from_unix( &addr, msg.msg_namelen, params->addr, params->addr_len );
    if (params->control)
        params->control_len = control_data_from_unix( &msg, params->control, params->control_len, &whole );
    if (!whole) params->result_flags |= UNIX_MSG_CTRUNC;
    return ret;
}

/* a datagram into more buffers than Linux takes: through one of ours. The allocation
 * is rare: nobody has so many buffers for 64 KiB in earnest. */
static ssize_t receive_many( struct recv_params *params, size_t room, int flags )
{
    struct iovec iov = { NULL, room < MAX_DATAGRAM ? room : MAX_DATAGRAM };
    ssize_t ret;

    if (!(iov.iov_base = malloc( iov.iov_len )))
    {
        errno = ENOMEM;
        return -1;
    }
    ret = receive_message( params, &iov, 1, flags );
    if (ret != -1) bufs_scatter( params->bufs, params->count, iov.iov_base, (size_t)ret < iov.iov_len ? (size_t)ret : iov.iov_len );
    free( iov.iov_base );
    return ret;
}

static ssize_t receive_once( struct recv_params *params, size_t room, int flags )
{
    struct iovec iov[MAX_IOV];
    unsigned int count;
    int rest;

    if (params->count == 1 && !params->control) return receive_plain( params, flags );
    count = fill_iov( iov, params->bufs, params->count, params->skip, &rest );
    if (rest && !is_stream( params->socket )) return receive_many( params, room, flags );
    return receive_message( params, iov, count, flags );
}

static unsigned int receive_datagram( struct recv_params *params )
{
    struct unix_socket *socket = params->socket;
    size_t room = bufs_length( params->bufs, params->count );
    int flags = (params->flags & MSG_PEEK) | MSG_DONTWAIT | MSG_TRUNC;
    int waited = params->flags & UNIX_MSG_WAITED;
    unsigned int error, i;
    ssize_t ret;

    params->result_flags = 0;
    for (i = 0; i < MAX_SWALLOW; i++)
    {
        if ((error = take_note( socket ))) return error;
        if ((ret = receive_once( params, room, flags )) != -1)
        {
            if ((size_t)ret > room) params->result_flags |= UNIX_MSG_TRUNC;
            params->result = (size_t)ret > room ? room : (size_t)ret;
            return 0;
        }
        if (may_be_icmp( errno ))
        {
            if ((error = take_report( socket, errno ))) return error;
        }
        else if (errno == EAGAIN)
        {
            error = look_for_icmp( socket, waited );
            return error ? error : WSAEWOULDBLOCK;
        }
        else if (errno != EINTR) return error_from_errno( errno );
    }
    return WSAEWOULDBLOCK;
}

/* Linux has one error for "none there" and for "in line". */
static unsigned int urgent_error( int fd )
{
    socklen_t len = sizeof(int);
    int in_line = 0;

    if (getsockopt( fd, SOL_SOCKET, SO_OOBINLINE, &in_line, &len ) == -1) return error_from_errno( errno );
    return in_line ? WSAEINVAL : WSAEWOULDBLOCK;
}

static unsigned int receive_stream( struct recv_params *params )
{
    int flags = (params->flags & (MSG_PEEK | MSG_OOB)) | MSG_DONTWAIT;
    ssize_t ret;

    params->result_flags = 0;
    do ret = receive_once( params, 0, flags );
    while (ret == -1 && errno == EINTR);
    if (ret == -1)
    {
        if (errno == EINVAL && (flags & MSG_OOB)) return urgent_error( params->socket->fd );
        return error_from_errno( errno );
    }
    if ((flags & (MSG_OOB | MSG_PEEK)) == MSG_OOB) params->socket->urgent = 1;
    params->result = ret;
    return 0;
}

NTSTATUS data_recv( void *args )
{
    struct recv_params *params = args;

    if (is_local( params->socket )) return local_recv( params );
    return is_stream( params->socket ) ? receive_stream( params ) : receive_datagram( params );
}

/* ---- sending ---- */

static ssize_t send_message( struct send_params *params, struct msghdr *msg, int flags )
{
    union { struct cmsghdr header; char space[CONTROL_ROOM]; } control;
    ssize_t ret;

    if (params->control)
    {
        msg->msg_control = &control;
        if (control_data_to_unix( params->socket, params->control, params->control_len, msg ))
        {
            errno = EINVAL;
            return -1;
        }
    }
    ret = sendmsg( params->socket->fd, msg, flags );
    msg->msg_control = NULL;
    msg->msg_controllen = 0;
    return ret;
}

/* a datagram out of more buffers than Linux takes */
static ssize_t send_many( struct send_params *params, struct msghdr *msg, size_t length, int flags )
{
    struct iovec iov = { NULL, length };
    ssize_t ret;

    if (length >= MAX_DATAGRAM)
    {
        errno = EMSGSIZE;
        return -1;
    }
    if (!(iov.iov_base = malloc( length + 1 )))
    {
        errno = ENOMEM;
        return -1;
    }
    bufs_gather( params->bufs, params->count, iov.iov_base );
    msg->msg_iov = &iov;
    msg->msg_iovlen = 1;
    ret = send_message( params, msg, flags );
    free( iov.iov_base );
    return ret;
}

static ssize_t send_once( struct send_params *params, const struct sockaddr_storage *addr, socklen_t addr_len, int flags )
{
    struct iovec iov[MAX_IOV];
    struct msghdr msg = { .msg_iov = iov };
    const struct unix_buf *buf = params->bufs;
    int rest;

    if (params->count == 1 && !params->control)
        return sendto( params->socket->fd, buf->buf + params->skip, buf->len - params->skip, flags,
                       (const struct sockaddr *)addr, addr_len );

    msg.msg_name = (void *)addr;
    msg.msg_namelen = addr_len;
    msg.msg_iovlen = fill_iov( iov, params->bufs, params->count, params->skip, &rest );
    if (rest && !is_stream( params->socket ))
        return send_many( params, &msg, bufs_length( params->bufs, params->count ), flags );
    return send_message( params, &msg, flags );
}

/* Windows sends a UDP datagram to port 0, where nobody can receive it; Linux refuses */
static int is_nowhere( const struct unix_socket *socket, const struct sockaddr_storage *addr, socklen_t len )
{
    const struct slot *slot = __atomic_load_n( &socket->slot, __ATOMIC_ACQUIRE );

    if (!len || slot->type != WS_SOCK_DGRAM) return 0;
    if (addr->ss_family == AF_INET6) return !((const struct sockaddr_in6 *)addr)->sin6_port;
    return addr->ss_family == AF_INET && !((const struct sockaddr_in *)addr)->sin_port;
}

/* A datagram that finds no way is lost, as one is that gets lost on the way. */
static int is_lost( int err )
{
    return err == ECONNREFUSED || err == EHOSTUNREACH || err == ENETUNREACH || err == EHOSTDOWN || err == ENONET;
}

static unsigned int send_datagram( struct send_params *params, int flags )
{
    struct unix_socket *socket = params->socket;
    size_t length = bufs_length( params->bufs, params->count );
    struct sockaddr_storage addr;
    socklen_t addr_len = 0;
    int first_err = 0, err;

    if (params->addr && !(addr_len = sockaddr_to_unix( params->addr, params->addr_len, &addr ))) return WSAEFAULT;
    params->result = length;
    if (is_nowhere( socket, &addr, addr_len )) return 0;
    for (;;)
    {
        if (send_once( params, addr_len ? &addr : NULL, addr_len, flags ) != -1)
        {
            /* what the first attempt met was not its own */
            if (first_err) data_met_icmp( socket, first_err );
            return 0;
        }
        if ((err = errno) == EINTR) continue;
        /* an error ends poll's wait, too: it is moved to where it does not */
        if (err == EAGAIN && (params->flags & UNIX_MSG_WAITED)) data_icmp_pending( socket );
        if (!may_be_icmp( err )) return error_from_errno( err );
        if (first_err) break;
        first_err = err;
    }
    /* The same again: it is this send's own, and a note of that in the error queue means nothing. Another:
     * the first was somebody else's. */
    if (err != first_err) data_met_icmp( socket, first_err );
    else if (has_queue( socket )) note_look( socket );
    return is_lost( err ) ? 0 : error_from_errno( err );
}

static unsigned int send_stream( struct send_params *params, int flags )
{
    ssize_t ret;

    do ret = send_once( params, NULL, 0, flags );
    while (ret == -1 && errno == EINTR);
    if (ret == -1) return error_from_errno( errno );
    params->result = ret;
    return 0;
}

NTSTATUS data_send( void *args )
{
    struct send_params *params = args;
    int flags = (params->flags & (MSG_OOB | MSG_DONTROUTE)) | MSG_DONTWAIT | MSG_NOSIGNAL;

    if (is_local( params->socket )) return local_send( params );
    return is_stream( params->socket ) ? send_stream( params, flags ) : send_datagram( params, flags );
}

/* ---- the backlog ---- */

/* all of the buffers after the first skip bytes; 0 or an errno */
static int write_rest( int fd, const struct unix_buf *bufs, unsigned int count, size_t skip, size_t end )
{
    struct iovec iov[MAX_IOV];
    ssize_t ret;
    int rest;

    while (skip < end)
    {
        ret = writev( fd, iov, fill_iov( iov, bufs, count, skip, &rest ) );
        if (ret == -1 && errno == EINTR) continue;
        if (ret == -1) return errno;
        skip += ret;
    }
    return 0;
}

/* What the kernel had no room for, as a file that can't shrink under the helper's hands. */
NTSTATUS data_send_backlog( void *args )
{
    struct send_backlog_params *params = args;
    size_t end = bufs_length( params->bufs, params->count );
    int fd, err;

    if ((fd = memfd_create( "tapster-backlog", MFD_CLOEXEC | MFD_ALLOW_SEALING )) == -1) return error_from_errno( errno );
    if ((err = write_rest( fd, params->bufs, params->count, params->skip, end )) ||
        (lseek( fd, 0, SEEK_SET ) == -1 && (err = errno)) ||
        (fcntl( fd, F_ADD_SEALS, F_SEAL_SHRINK ) == -1 && (err = errno)))
    {
        close( fd );
        return error_from_errno( err );
    }
    return control_backlog( params->socket, end - params->skip, fd );
}
