/*
 * A Windows program that tells what reached it (for the tests of tapster run)
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


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winsock2.h>
#include <windows.h>

/* reached.exe EXIT-STATUS [ARGS...]: prints its arguments, then copies stdin to stdout;
 * reached.exe sleep: with Winsock started, says so and waits to be killed */
int main( int argc, char **argv )
{
    char buffer[4096];
    WSADATA data;
    size_t size;
    int i;

    if (argc < 2) return 1;
    if (!strcmp( argv[1], "sleep" ))
    {
        if (WSAStartup( MAKEWORD( 2, 2 ), &data )) return 1;
        printf( "sleeping\n" );
        fflush( stdout );
        Sleep( 60000 );
        return 1;
    }
    for (i = 2; i < argc; i++) printf( "[%s]\n", argv[i] );
    while ((size = fread( buffer, 1, sizeof(buffer), stdin ))) fwrite( buffer, 1, size, stdout );
    return atoi( argv[1] );
}
