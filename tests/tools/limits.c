/*
 * What Winsock says where there is no room: no helper, no fds
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

/*   limits startup     WSAStartup's error
 *   limits helper      connects, waits for a line on stdin, then: is there data still, what does socket() say
 *   limits sockets     makes sockets until it fails; closes them; makes one again
 * Each prints one line a fact. */

#include <winsock2.h>
#include <windows.h>
#include <stdio.h>
#include <string.h>

#define MAX_SOCKETS 100000

static SOCKET sockets[MAX_SOCKETS];

static int start(void)
{
    WSADATA data;
    int error = WSAStartup( MAKEWORD( 2, 2 ), &data );

    printf( "WSAStartup %d\n", error );
    return error;
}

static void connect_pair( SOCKET *client, SOCKET *server )
{
    SOCKET listener = socket( AF_INET, SOCK_STREAM, 0 );
    struct sockaddr_in addr = { .sin_family = AF_INET };
    int len = sizeof(addr);

    addr.sin_addr.s_addr = htonl( INADDR_LOOPBACK );
    bind( listener, (struct sockaddr *)&addr, sizeof(addr) );
    listen( listener, 1 );
    getsockname( listener, (struct sockaddr *)&addr, &len );
    *client = socket( AF_INET, SOCK_STREAM, 0 );
    connect( *client, (struct sockaddr *)&addr, sizeof(addr) );
    *server = accept( listener, NULL, NULL );
    closesocket( listener );
}

static void without_helper(void)
{
    SOCKET client, server, s;
    char line[8];
    int ret;

    connect_pair( &client, &server );
    printf( "ready\n" );
    if (!fgets( line, sizeof(line), stdin )) return;
    s = socket( AF_INET, SOCK_DGRAM, 0 );
    printf( "socket %d\n", s == INVALID_SOCKET ? WSAGetLastError() : 0 );
    ret = send( client, "data", 4, 0 );
    printf( "send %d\n", ret );
    ret = recv( server, line, 4, 0 );
    printf( "recv %d\n", ret );
}

static void many_sockets(void)
{
    unsigned int count, i;
    SOCKET s;

    for (count = 0; count < MAX_SOCKETS; count++)
        if ((sockets[count] = socket( AF_INET, SOCK_STREAM, 0 )) == INVALID_SOCKET) break;
    printf( "socket %d\n", WSAGetLastError() );
    printf( "several %d\n", count > 20 );
    for (i = 0; i < count; i++) closesocket( sockets[i] );
    s = socket( AF_INET, SOCK_DGRAM, 0 );
    printf( "again %d\n", s == INVALID_SOCKET ? WSAGetLastError() : 0 );
}

int main( int argc, char *argv[] )
{
    setvbuf( stdout, NULL, _IONBF, 0 );
    if (argc < 2 || start()) return 1;
    if (!strcmp( argv[1], "helper" )) without_helper();
    if (!strcmp( argv[1], "sockets" )) many_sockets();
    return 0;
}
