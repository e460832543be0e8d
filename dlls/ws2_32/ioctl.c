/*
 * ioctlsocket and WSAIoctl
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

#include "ws2_32_private.h"
#include "mstcpip.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

/* not in Wine's headers of 8.0; wine/debug's printer knows them too */
#ifndef SIO_BSP_HANDLE
#define SIO_BSP_HANDLE         _WSAIOR(IOC_WS2, 27)
#define SIO_BSP_HANDLE_SELECT  _WSAIOR(IOC_WS2, 28)
#define SIO_BSP_HANDLE_POLL    _WSAIOR(IOC_WS2, 29)
#endif
#ifndef SIO_UDP_NETRESET
#define SIO_UDP_NETRESET       _WSAIOW(IOC_VENDOR, 15)
#endif
#ifndef SIO_LOOPBACK_FAST_PATH
#define SIO_LOOPBACK_FAST_PATH _WSAIOW(IOC_VENDOR, 16)
#endif

/* One call: the program's buffers, and what comes of it. */
struct ioctl
{
    DWORD       code;
    const void *in;
    DWORD       in_len;
    void       *out;
    DWORD       out_len;
    DWORD       returned;               /* bytes of out used; also with an error that has a size to tell */
};

/* ---- the program's buffers ---- */

static unsigned int take_input( const struct ioctl *ioctl, void *dst, DWORD size )
{
    if (ioctl->in_len < size || !ioctl->in || !copy_safe( dst, ioctl->in, size )) return WSAEFAULT;
    return 0;
}

static unsigned int give_output( struct ioctl *ioctl, const void *src, DWORD size )
{
    if (ioctl->out_len < size || !ioctl->out || !copy_safe( ioctl->out, src, size )) return WSAEFAULT;
    ioctl->returned = size;
    return 0;
}

static unsigned int give_number( struct ioctl *ioctl, DWORD number )
{
    return give_output( ioctl, &number, sizeof(number) );
}

/* flags are BOOLs, but some programs have bytes */
static unsigned int take_flag( const struct ioctl *ioctl, DWORD *flag )
{
    *flag = 0;
    if (!ioctl->in_len) return WSAEFAULT;
    return take_input( ioctl, flag, ioctl->in_len < sizeof(*flag) ? 1 : sizeof(*flag) );
}

/* ---- FIONBIO, FIONREAD, SIOCATMARK ---- */

static unsigned int set_nonblocking( struct socket *sock, struct ioctl *ioctl )
{
    unsigned int error;
    DWORD value;

    if ((error = take_input( ioctl, &value, sizeof(value) ))) return error;
    /* no round trip for what is so already */
    if (socket_is_nonblocking( sock ) == (value != 0)) return 0;
    return socket_set_option( sock, OPTION_NONBLOCKING, value != 0, 0 );
}

static unsigned int get_queued( struct socket *sock, struct ioctl *ioctl )
{
    struct ioctl_params params = { .socket = sock->unix, .code = UNIX_IOCTL_NREAD };
    unsigned int error;

    if (ioctl->out_len < sizeof(DWORD) || !ioctl->out) return WSAEFAULT;
    if ((error = UNIX_CALL( ioctl, &params ))) return error;
    return give_number( ioctl, params.value );
}

static BOOL has_oobinline( struct socket *sock )
{
    DWORD value = 0;
    struct getsockopt_params params = { sock->unix, SOL_SOCKET, SO_OOBINLINE, &value, sizeof(value) };

    return !UNIX_CALL( getsockopt, &params ) && value;
}

/* Documented: TRUE if no urgent data waits; in line also if the next receive begins
 * with it. Linux' mark is a place in the stream, whether or not there is something
 * still; POLLPRI says that there is. */
static unsigned int get_atmark( struct socket *sock, struct ioctl *ioctl )
{
    struct unix_pollfd fds[2] = { { sock->unix->fd, UNIX_POLLPRI, 0 } };
    struct poll_params poll = { .fds = fds, .count = 1, .wake_fd = -1 };
    struct ioctl_params params = { .socket = sock->unix, .code = UNIX_IOCTL_ATMARK };
    BOOL at_mark = TRUE;
    unsigned int error;

    if (!socket_is_stream( sock )) return WSAEINVAL;
    if ((error = UNIX_CALL( poll, &poll ))) return error;
    if (fds[0].revents & UNIX_POLLPRI)
    {
        at_mark = FALSE;
        if (has_oobinline( sock ))
        {
            if ((error = UNIX_CALL( ioctl, &params ))) return error;
            at_mark = params.value != 0;
        }
    }
    return give_number( ioctl, at_mark );
}

/* ---- handles and functions ---- */

/* there are no layers between the program and us */
static unsigned int get_base_handle( struct socket *sock, struct ioctl *ioctl )
{
    return give_output( ioctl, &sock->handle, sizeof(sock->handle) );
}

int WINAPI WSARecvMsg( SOCKET s, WSAMSG *msg, DWORD *received, WSAOVERLAPPED *overlapped,
                       LPWSAOVERLAPPED_COMPLETION_ROUTINE routine );
int WINAPI WSASendMsg( SOCKET s, WSAMSG *msg, DWORD flags, DWORD *sent, WSAOVERLAPPED *overlapped,
                       LPWSAOVERLAPPED_COMPLETION_ROUTINE routine );

/* WSAEINVAL is what Windows says of a function that the provider has not */
static unsigned int get_extension( struct ioctl *ioctl )
{
    static const struct
    {
        GUID        id;
        const void *function;
        const char *name;
    } functions[] =
    {
        { WSAID_WSARECVMSG,           WSARecvMsg, "WSARecvMsg" },
        { WSAID_WSASENDMSG,           WSASendMsg, "WSASendMsg" },
        /* not built yet */
        { WSAID_ACCEPTEX,             NULL, "AcceptEx" },
        { WSAID_GETACCEPTEXSOCKADDRS, NULL, "GetAcceptExSockaddrs" },
        { WSAID_CONNECTEX,            NULL, "ConnectEx" },
        { WSAID_DISCONNECTEX,         NULL, "DisconnectEx" },
        { WSAID_TRANSMITFILE,         NULL, "TransmitFile" },
        { WSAID_TRANSMITPACKETS,      NULL, "TransmitPackets" },
    };
    unsigned int error, i;
    GUID id;

    if ((error = take_input( ioctl, &id, sizeof(id) ))) return error;
    for (i = 0; i < ARRAY_SIZE( functions ); i++)
    {
        if (!IsEqualGUID( &id, &functions[i].id )) continue;
        TRACE( "function %s\n", functions[i].name );
        if (functions[i].function) return give_output( ioctl, &functions[i].function, sizeof(functions[i].function) );
        FIXME_ONCE( "function %s: not built yet\n", functions[i].name );
        return WSAEINVAL;
    }
    FIXME_ONCE( "function %s: unknown\n", debugstr_guid( &id ));
    return WSAEINVAL;
}

/* ---- what a socket is to do ---- */

static unsigned int set_datagram_flag( struct socket *sock, enum socket_option option, const struct ioctl *ioctl )
{
    unsigned int error;
    DWORD flag;

    if (socket_has_connections( sock )) return WSAEINVAL;
    if ((error = take_flag( ioctl, &flag ))) return error;
    if (socket_option( sock, option ) == (flag != 0)) return 0;
    return socket_set_option( sock, option, flag != 0, 0 );
}

static unsigned int set_stream_number( struct socket *sock, int level, int name, DWORD value )
{
    struct setsockopt_params params = { sock->unix, level, name, &value, sizeof(value) };

    return UNIX_CALL( setsockopt, &params );
}

/* Windows counts milliseconds, Linux whole seconds: the next, so that nobody probes too often. */
static DWORD seconds( DWORD ms )
{
    return ms ? (ms - 1) / 1000 + 1 : 1;
}

static unsigned int set_keepalive( struct socket *sock, const struct ioctl *ioctl )
{
    struct tcp_keepalive keepalive;
    unsigned int error;

    if (!socket_is_stream( sock )) return WSAEINVAL;
    if ((error = take_input( ioctl, &keepalive, sizeof(keepalive) ))) return error;
    TRACE( "onoff %lu, time %lu, interval %lu\n", keepalive.onoff, keepalive.keepalivetime,
           keepalive.keepaliveinterval );

    /* documented: the times have no meaning when it is switched off */
    if (keepalive.onoff)
    {
        if ((error = set_stream_number( sock, IPPROTO_TCP, TCP_KEEPALIVE, seconds( keepalive.keepalivetime ) )))
            return error;
        if ((error = set_stream_number( sock, IPPROTO_TCP, WINSOCK_TCP_KEEPINTVL,
                                        seconds( keepalive.keepaliveinterval ) ))) return error;
    }
    return set_stream_number( sock, SOL_SOCKET, SO_KEEPALIVE, keepalive.onoff != 0 );
}

/* A hint that Windows itself has withdrawn: loopback has no faster way than Linux' own. */
static unsigned int set_loopback_fast_path( struct socket *sock, const struct ioctl *ioctl )
{
    DWORD flag;

    if (!socket_is_stream( sock )) return WSAEOPNOTSUPP;
    return take_flag( ioctl, &flag );
}

/* ---- interfaces and addresses ---- */

/* all of the socket's family, on the heap: *count of them */
static unsigned int get_interfaces( struct socket *sock, struct unix_interface **interfaces, unsigned int *count )
{
    struct ioctl_params params = { .socket = sock->unix, .code = UNIX_IOCTL_INTERFACES };
    unsigned int error;

    *interfaces = NULL;
    params.size = 16 * sizeof(**interfaces);
    for (;;)
    {
        /* the number may grow between two calls */
        if (!(params.data = HeapAlloc( GetProcessHeap(), 0, params.size ))) return WSAENOBUFS;
        if (!(error = UNIX_CALL( ioctl, &params ))) break;
        HeapFree( GetProcessHeap(), 0, params.data );
        if (error != WSAENOBUFS) return error;
    }
    *interfaces = params.data;
    *count = params.size / sizeof(**interfaces);
    return 0;
}

/* Windows does not list loopback's address, unless the machine has no other. */
static unsigned int drop_loopback( struct unix_interface *interfaces, unsigned int count )
{
    unsigned int i, kept = 0;

    for (i = 0; i < count; i++)
        if (!(interfaces[i].flags & IFF_LOOPBACK)) interfaces[kept++] = interfaces[i];
    return kept ? kept : count;
}

/* The list, and behind it the addresses that it points to. WSAEFAULT with the size needed. */
static unsigned int get_address_list( struct socket *sock, struct ioctl *ioctl )
{
    int size = address_length( socket_slot( sock )->family );
    struct unix_interface *interfaces;
    SOCKET_ADDRESS_LIST *list;
    unsigned int count, error, i;
    DWORD needed, head;
    char *addrs;

    if ((error = get_interfaces( sock, &interfaces, &count ))) return error;
    count = drop_loopback( interfaces, count );

    /* one entry is in the structure, also in that of an empty list */
    head = max( sizeof(*list), offsetof( SOCKET_ADDRESS_LIST, Address[count] ) );
    needed = head + count * size;
    if (ioctl->out_len < needed || !ioctl->out)
    {
        ioctl->returned = needed;
        error = WSAEFAULT;
    }
    else if (!(list = HeapAlloc( GetProcessHeap(), HEAP_ZERO_MEMORY, needed ))) error = WSAENOBUFS;
    else
    {
        list->iAddressCount = count;
        addrs = (char *)list + head;
        for (i = 0; i < count; i++)
        {
            memcpy( addrs + i * size, interfaces[i].address, size );
            list->Address[i].lpSockaddr = (struct sockaddr *)((char *)ioctl->out + head + i * size);
            list->Address[i].iSockaddrLength = size;
        }
        error = give_output( ioctl, list, needed );
        HeapFree( GetProcessHeap(), 0, list );
    }
    HeapFree( GetProcessHeap(), 0, interfaces );
    return error;
}

/* IPv4 alone: the structure has no room for others. Broadcasts go to all bits set, as Windows says. */
static unsigned int get_interface_list( struct socket *sock, struct ioctl *ioctl )
{
    struct unix_interface *interfaces;
    unsigned int count, error, i;
    INTERFACE_INFO info;

    if (socket_slot( sock )->family != AF_INET) return WSAEINVAL;
    if ((error = get_interfaces( sock, &interfaces, &count ))) return error;
    if (ioctl->out_len < count * sizeof(info) || !ioctl->out) error = WSAEFAULT;
    for (i = 0; i < count && !error; i++)
    {
        memset( &info, 0, sizeof(info) );
        info.iiFlags = interfaces[i].flags;
        memcpy( &info.iiAddress, interfaces[i].address, sizeof(struct sockaddr_in) );
        memcpy( &info.iiNetmask, interfaces[i].netmask, sizeof(struct sockaddr_in) );
        info.iiBroadcastAddress.AddressIn.sin_family = AF_INET;
        info.iiBroadcastAddress.AddressIn.sin_addr.s_addr = INADDR_BROADCAST;
        if (!copy_safe( (INTERFACE_INFO *)ioctl->out + i, &info, sizeof(info) )) error = WSAEFAULT;
    }
    if (!error) ioctl->returned = count * sizeof(info);
    HeapFree( GetProcessHeap(), 0, interfaces );
    return error;
}

static unsigned int get_route( struct socket *sock, struct ioctl *ioctl )
{
    struct ioctl_params params = { .socket = sock->unix, .code = UNIX_IOCTL_ROUTE };
    struct address address;
    unsigned int error;

    if ((error = address_copy( sock, ioctl->in, ioctl->in_len, &address ))) return error;
    params.data = address.data;
    params.size = address.len;
    if (ioctl->out_len < address.len || !ioctl->out) return WSAEFAULT;
    if ((error = UNIX_CALL( ioctl, &params ))) return error;
    return give_output( ioctl, address.data, params.size );
}

/* ---- the calls ---- */

static unsigned int do_ioctl( struct socket *sock, struct ioctl *ioctl )
{
    switch (ioctl->code)
    {
    case FIONBIO:                   return set_nonblocking( sock, ioctl );
    case FIONREAD:                  return get_queued( sock, ioctl );
    case SIOCATMARK:                return get_atmark( sock, ioctl );
    case SIO_BASE_HANDLE:
    case SIO_BSP_HANDLE:
    case SIO_BSP_HANDLE_SELECT:
    case SIO_BSP_HANDLE_POLL:       return get_base_handle( sock, ioctl );
    case SIO_GET_EXTENSION_FUNCTION_POINTER: return get_extension( ioctl );
    case SIO_UDP_CONNRESET:         return set_datagram_flag( sock, OPTION_UDP_CONNRESET, ioctl );
    case SIO_UDP_NETRESET:          return set_datagram_flag( sock, OPTION_UDP_NETRESET, ioctl );
    case SIO_KEEPALIVE_VALS:        return set_keepalive( sock, ioctl );
    case SIO_LOOPBACK_FAST_PATH:    return set_loopback_fast_path( sock, ioctl );
    case SIO_ADDRESS_LIST_QUERY:    return get_address_list( sock, ioctl );
    case SIO_GET_INTERFACE_LIST:    return get_interface_list( sock, ioctl );
    case SIO_ROUTING_INTERFACE_QUERY: return get_route( sock, ioctl );
    default:
        FIXME_ONCE( "%s: not built yet\n", debugstr_ioctl( ioctl->code ));
        return WSAEOPNOTSUPP;
    }
}

static const char *debugstr_arg( const u_long *arg )
{
    u_long value;

    if (!copy_safe( &value, arg, sizeof(value) )) return wine_dbg_sprintf( "%p (invalid)", arg );
    return wine_dbg_sprintf( "%p (%lu)", arg, (unsigned long)value );
}

/***********************************************************************
 *      ioctlsocket   (ws2_32.10)
 *
 * WSANOTINITIALISED, WSAENOTSOCK, WSAEFAULT, WSAEINVAL, WSAEOPNOTSUPP (unknown), WSAENETDOWN.
 */
int WINAPI ioctlsocket( SOCKET s, LONG code, u_long *arg )
{
    struct ioctl ioctl = { .code = code, .in = arg, .in_len = sizeof(*arg), .out = arg, .out_len = sizeof(*arg) };
    struct socket *sock;
    unsigned int error;

    TRACE( "socket %#Ix, %s, arg %s\n", s, debugstr_ioctl( code ), debugstr_arg( arg ) );

    if (!(sock = socket_get( s ))) return return_error( GetLastError() );
    error = do_ioctl( sock, &ioctl );
    socket_put( sock );

    if (!error) TRACE( "arg now %s\n", debugstr_arg( arg ) );
    return return_error( error );
}

/* None of the codes above waits for anything, so an operation is over when the call
 * returns. The OVERLAPPED says so, and its event. */
static unsigned int complete_overlapped( WSAOVERLAPPED *overlapped, DWORD returned )
{
    HANDLE event = (HANDLE)((ULONG_PTR)overlapped->hEvent & ~(ULONG_PTR)1);

    overlapped->InternalHigh = returned;
    *(volatile ULONG_PTR *)&overlapped->Internal = STATUS_SUCCESS;
    if (event) NtSetEvent( event, NULL );
    return 0;
}

/***********************************************************************
 *      WSAIoctl   (ws2_32.@)
 *
 * WSANOTINITIALISED, WSAENOTSOCK, WSAEFAULT (pointers, buffers too small), WSAEINVAL, WSAEOPNOTSUPP (unknown),
 * WSAENETUNREACH and WSAEHOSTUNREACH (routes), WSAENETDOWN. As the documentation has it, returned may
 * be NULL only with an OVERLAPPED.
 */
int WINAPI WSAIoctl( SOCKET s, DWORD code, void *in, DWORD in_len, void *out, DWORD out_len, DWORD *returned,
                     WSAOVERLAPPED *overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine )
{
    struct ioctl ioctl = { .code = code, .in = in, .in_len = in_len, .out = out, .out_len = out_len };
    struct socket *sock;
    unsigned int error;

    TRACE( "socket %#Ix, %s, in %p (%lu), out %p (%lu), returned %p, overlapped %p, routine %p\n",
           s, debugstr_ioctl( code ), in, in_len, out, out_len, returned, overlapped, routine );

    if (!(sock = socket_get( s ))) return return_error( GetLastError() );
    if (!returned && !overlapped) error = WSAEFAULT;
    else if (returned && !probe_write( returned, sizeof(*returned) )) error = WSAEFAULT;
    else if (overlapped && !probe_write( overlapped, sizeof(*overlapped) )) error = WSAEFAULT;
    else if (overlapped && routine)
    {
        FIXME_ONCE( "%s with a completion routine: not built yet\n", debugstr_ioctl( code ));
        error = WSAEOPNOTSUPP;
    }
    else
    {
        error = do_ioctl( sock, &ioctl );
        if (!error && overlapped) error = complete_overlapped( overlapped, ioctl.returned );
        if (returned && (!error || ioctl.returned)) copy_safe( returned, &ioctl.returned, sizeof(ioctl.returned) );
    }
    socket_put( sock );

    if (!error) TRACE( "returned %lu bytes\n", ioctl.returned );
    return return_error( error );
}
