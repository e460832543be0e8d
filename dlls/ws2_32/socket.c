/*
 * Making and closing sockets
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

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

#define KNOWN_FLAGS (WSA_FLAG_OVERLAPPED | WSA_FLAG_MULTIPOINT_C_ROOT | WSA_FLAG_MULTIPOINT_C_LEAF | \
                     WSA_FLAG_MULTIPOINT_D_ROOT | WSA_FLAG_MULTIPOINT_D_LEAF | WSA_FLAG_ACCESS_SYSTEM_SECURITY | \
                     WSA_FLAG_NO_HANDLE_INHERIT | WSA_FLAG_REGISTERED_IO)

#ifndef WSA_FLAG_REGISTERED_IO
#define WSA_FLAG_REGISTERED_IO 0x100
#endif

/* what the caller left 0 follows from what he gave, as the catalog has it */
static void complete_triple( int *family, int *type, int *protocol )
{
    if (*family == AF_TAPSTER)
    {
        if (!*type) *type = SOCK_SEQPACKET;
        if (!*protocol) *protocol = TAPSTERPROTO_LOCAL;
        return;
    }
    if (*family == AF_UNSPEC && (*protocol == IPPROTO_TCP || *protocol == IPPROTO_UDP)) *family = AF_INET;
    if (!*type && *protocol == IPPROTO_UDP) *type = SOCK_DGRAM;
    if (!*type && (*protocol == IPPROTO_TCP || !*protocol)) *type = SOCK_STREAM;
    if (!*protocol && *type == SOCK_STREAM) *protocol = IPPROTO_TCP;
    if (!*protocol && *type == SOCK_DGRAM) *protocol = IPPROTO_UDP;
}

/* in Windows' order: family, type, protocol */
static unsigned int check_triple( int family, int type, int protocol )
{
    if (family == AF_UNSPEC) return WSAEINVAL;
    if (family == AF_TAPSTER)
    {
        if (type != SOCK_SEQPACKET) return WSAESOCKTNOSUPPORT;
        return protocol == TAPSTERPROTO_LOCAL ? 0 : WSAEPROTONOSUPPORT;
    }
    if (family != AF_INET && family != AF_INET6) return WSAEAFNOSUPPORT;
    switch (type)
    {
    case SOCK_STREAM: return protocol == IPPROTO_TCP ? 0 : WSAEPROTONOSUPPORT;
    case SOCK_DGRAM:  return protocol == IPPROTO_UDP ? 0 : WSAEPROTONOSUPPORT;
    case SOCK_RAW:    return protocol >= 0 && protocol <= 255 ? 0 : WSAEPROTONOSUPPORT;
    default:          return WSAESOCKTNOSUPPORT;
    }
}

static unsigned int make_socket( int family, int type, int protocol, DWORD flags, SOCKET *ret )
{
    struct socket_create_params params;
    struct handle handle;
    unsigned int error;

    complete_triple( &family, &type, &protocol );
    if (!(error = check_triple( family, type, protocol )) &&
        !(error = handle_take( !(flags & WSA_FLAG_NO_HANDLE_INHERIT), &handle )))
    {
        params.family = family;
        params.type = type;
        params.protocol = protocol;
        params.context = (flags & WSA_FLAG_OVERLAPPED) != 0;
        params.mailbox = handle.mailbox;
        if ((error = UNIX_CALL( socket_create, &params ))) handle_give( &handle );
        else if ((*ret = socket_publish( params.socket, &handle )) == INVALID_SOCKET) error = GetLastError();
    }
    return error;
}

/***********************************************************************
 *      socket   (ws2_32.23)
 *
 * An inheritable socket, overlapped unless SO_OPENTYPE says otherwise. WSANOTINITIALISED, WSAEINVAL, WSAEAFNOSUPPORT,
 * WSAESOCKTNOSUPPORT, WSAEPROTONOSUPPORT, WSAEACCES (raw), WSAEMFILE, WSAENOBUFS, WSAENETDOWN.
 */
SOCKET WINAPI socket( int family, int type, int protocol )
{
    struct thread_data *thread;
    SOCKET ret = INVALID_SOCKET;
    unsigned int error;

    TRACE( "family %s, type %s, protocol %s\n", debugstr_family( family ), debugstr_type( type ), debugstr_protocol( protocol ) );

    if (!startup_check()) error = WSANOTINITIALISED;
    else if (!(thread = thread_get())) error = WSAENOBUFS;
    else error = make_socket( family, type, protocol, thread->open_type ? 0 : WSA_FLAG_OVERLAPPED, &ret );
    return return_socket( error, ret );
}

/* FROM_PROTOCOL_INFO fields come from the info */
static void apply_info( const WSAPROTOCOL_INFOW *info, int *family, int *type, int *protocol )
{
    if (*family == FROM_PROTOCOL_INFO || !*family) *family = info->iAddressFamily;
    if (*type == FROM_PROTOCOL_INFO || !*type) *type = info->iSocketType;
    if (*protocol == FROM_PROTOCOL_INFO || !*protocol) *protocol = info->iProtocol;
}

/* a socket as the info says, or the one that another process gave with it: other values must fit that */
static unsigned int make_from_info( const WSAPROTOCOL_INFOW *info, int family, int type, int protocol, DWORD flags, SOCKET *ret )
{
    WSAPROTOCOL_INFOW copy;

    if (!copy_safe( &copy, info, sizeof(copy) )) return WSAEFAULT;
    apply_info( &copy, &family, &type, &protocol );
    if (!copy.dwProviderReserved) return make_socket( family, type, protocol, flags, ret );
    if (family != copy.iAddressFamily || type != copy.iSocketType || protocol != copy.iProtocol) return WSAEINVAL;
    return sharing_take( &copy, !(flags & WSA_FLAG_NO_HANDLE_INHERIT), ret );
}

/***********************************************************************
 *      WSASocketW   (ws2_32.@)
 *
 * As socket, and WSAEFAULT for a bad info, WSAEINVAL for unknown flags, a group, or an info of WSADuplicateSocket
 * that is not for this process or was used before. Whether such a socket is overlapped was decided when it was made.
 */
SOCKET WINAPI WSASocketW( int family, int type, int protocol, WSAPROTOCOL_INFOW *info, GROUP group, DWORD flags )
{
    SOCKET ret = INVALID_SOCKET;
    unsigned int error;

    TRACE( "family %s, type %s, protocol %s, info %p, group %#x, flags %#lx\n", debugstr_family( family ),
           debugstr_type( type ), debugstr_protocol( protocol ), info, group, flags );

    if (!startup_check()) error = WSANOTINITIALISED;
    else if (group || (flags & ~KNOWN_FLAGS)) error = WSAEINVAL;
    else if (info) error = make_from_info( info, family, type, protocol, flags, &ret );
    else error = make_socket( family, type, protocol, flags, &ret );
    return return_socket( error, ret );
}

/***********************************************************************
 *      WSASocketA   (ws2_32.@)
 */
SOCKET WINAPI WSASocketA( int family, int type, int protocol, WSAPROTOCOL_INFOA *info, GROUP group, DWORD flags )
{
    WSAPROTOCOL_INFOW infow;

    TRACE( "info %p\n", info );

    /* only the last member, the name, is different, and nobody asks for it */
    if (!info) return WSASocketW( family, type, protocol, NULL, group, flags );
    if (!startup_check()) return return_socket( WSANOTINITIALISED, INVALID_SOCKET );
    memset( &infow, 0, sizeof(infow) );
    if (!copy_safe( &infow, info, offsetof( WSAPROTOCOL_INFOA, szProtocol ) ))
        return return_socket( WSAEFAULT, INVALID_SOCKET );
    return WSASocketW( family, type, protocol, &infow, group, flags );
}

/***********************************************************************
 *      closesocket   (ws2_32.3)
 *
 * How the connection ends is the helper's business. WSANOTINITIALISED, WSAENOTSOCK,
 * WSAEWOULDBLOCK ({1,n} linger, non-blocking, data unsent: the socket stays).
 */
int WINAPI closesocket( SOCKET s )
{
    unsigned int error;

    TRACE( "socket %#Ix\n", s );

    error = socket_close( s );
    return return_error( error );
}
