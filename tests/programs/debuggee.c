/*
 * A small program for gdbserver.exe to debug
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
#include <windows.h>

unsigned char memory[1 << 20];
volatile int counter;

__attribute__((noinline)) int step( int value )
{
    counter += value;
    return counter;
}

int main( int argc, char **argv )
{
    unsigned int i, value = 1;

    (void)argv;
    for (i = 0; i < sizeof(memory); i++)
    {
        value = value * 1103515245 + 12345;
        memory[i] = value >> 16;
    }
    for (i = 1; i <= 10; i++) step( i );
    printf( "counter %d\n", counter );
    fflush( stdout );
    /* with an argument: runs until somebody interrupts it, a minute at most */
    for (i = 0; argc > 1 && i < 600; i++)
    {
        step( 0 );
        Sleep( 100 );
    }
    return 42;
}
