/*
 * A Windows program that makes calls for WINEDEBUG=+winsock to show
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

#include <winsock2.h>
#include <ws2tcpip.h>

static struct timeval timeout = { 5, 250 };

/* each call once as it should be and once so that it fails: tests/tools/run knows both */
static int good_calls( SOCKET listener )
{
    struct sockaddr_in addr = { .sin_family = AF_INET }, peer;
    int len = sizeof(addr), value = 1;
    u_long nonblocking = 1, pending;
    struct addrinfo *list;
    SOCKET client, server;
    char buffer[16];
    fd_set set;

    addr.sin_addr.s_addr = htonl( INADDR_LOOPBACK );
    if (bind( listener, (struct sockaddr *)&addr, len ) || getsockname( listener, (struct sockaddr *)&addr, &len )) return 1;
    if (setsockopt( listener, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, sizeof(value) )) return 2;
    if (listen( listener, 5 )) return 3;
    client = socket( AF_INET, SOCK_STREAM, IPPROTO_TCP );
    if (connect( client, (struct sockaddr *)&addr, sizeof(addr) )) return 4;
    len = sizeof(peer);
    if ((server = accept( listener, (struct sockaddr *)&peer, &len )) == INVALID_SOCKET) return 5;
    if (send( client, "hello", 5, 0 ) != 5) return 6;
    FD_ZERO( &set );
    FD_SET( server, &set );
    if (select( 0, &set, NULL, NULL, &timeout ) != 1) return 7;
    if (ioctlsocket( server, FIONREAD, &pending ) || recv( server, buffer, sizeof(buffer), 0 ) != 5) return 8;
    if (ioctlsocket( server, FIONBIO, &nonblocking )) return 9;
    if (recv( server, buffer, sizeof(buffer), MSG_PEEK ) != SOCKET_ERROR) return 10;
    len = sizeof(value);
    if (getsockopt( client, SOL_SOCKET, SO_TYPE, (char *)&value, &len )) return 11;
    if (shutdown( client, SD_SEND )) return 12;
    if (closesocket( server ) || closesocket( client )) return 13;
    if (getaddrinfo( "127.0.0.1", "80", NULL, &list )) return 14;
    freeaddrinfo( list );
    return 0;
}

static int bad_calls( SOCKET s )
{
    struct sockaddr_in addr = { .sin_family = AF_INET };
    struct addrinfo *list, hints = { .ai_flags = AI_NUMERICHOST };
    int value = 0, len = 1;
    u_long arg = 0;
    fd_set set;

    FD_ZERO( &set );
    if (socket( AF_INET, SOCK_STREAM, IPPROTO_UDP ) != INVALID_SOCKET) return 20;
    if (!bind( s, (struct sockaddr *)&addr, 4 )) return 21;
    if (!listen( s, 5 )) return 22;
    if (!connect( s, (struct sockaddr *)&addr, 4 )) return 23;
    if (accept( s, NULL, NULL ) != INVALID_SOCKET) return 24;
    if (send( s, "hello", 5, 0 ) != SOCKET_ERROR) return 25;
    if (select( 0, &set, NULL, NULL, &timeout ) != SOCKET_ERROR) return 26;
    if (!ioctlsocket( s, 0x12345678, &arg )) return 27;
    if (!getsockopt( s, SOL_SOCKET, SO_LINGER, (char *)&value, &len )) return 28;
    if (!setsockopt( s, SOL_SOCKET, SO_TYPE, (char *)&value, sizeof(value) )) return 29;
    if (!shutdown( s, SD_BOTH )) return 30;
    if (!getaddrinfo( "no address", NULL, &hints, &list )) return 31;
    if (closesocket( s ) || !closesocket( s )) return 32;
    return 0;
}

int main(void)
{
    WSADATA data;
    int ret;

    if (!closesocket( 0 )) return 40;
    if (WSAStartup( MAKEWORD( 2, 2 ), &data )) return 41;
    if (!(ret = good_calls( socket( AF_INET, SOCK_STREAM, 0 ) ))) ret = bad_calls( socket( AF_INET, SOCK_STREAM, 0 ) );
    WSACleanup();
    return ret;
}
