/*
 * What the tests of all areas share: pairs of sockets, guarded memory, threads, children
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

#ifndef __WS2_32_TESTS_UTIL_H
#define __WS2_32_TESTS_UTIL_H

#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0602
#endif

#include <stdarg.h>
#include <winsock2.h>
#include <windows.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <mstcpip.h>

#include "wine/test.h"

/* an address of either family */
union address
{
    struct sockaddr     sa;
    struct sockaddr_in  in;
    struct sockaddr_in6 in6;
    struct sockaddr_storage storage;
};

/* a part of a test that may crash or hang and therefore runs in a child process */
struct piece
{
    const char *name;
    void (*func)(void);
};

/* Each evaluates a call that returns an int (or a SOCKET: INVALID_SOCKET is -1) and checks the result:
 * SOCKET_ERROR and this error, success (0), or this number. One check in all, so that todo_wine fits. */
#define check_error( expr, error )  check_result( expr, SOCKET_ERROR, error )
#define check_ok( expr )            check_result( expr, 0, 0 )
#define check_int( expr, value )    check_result( expr, value, 0 )

#define check_result( expr, value, error ) \
    check_result_( __FILE__, __LINE__, #expr, (WSASetLastError( 0xdeadbeef ), (int)(expr)), value, error )

extern void check_result_( const char *file, int line, const char *expr, int ret, int value, int error );

/* addresses */
extern int address_len( int family );
extern int address_loopback( union address *addr, int family, USHORT port );
extern USHORT address_port( const union address *addr );
extern USHORT unused_port( int family, int type );

/* sockets; all but socket_new() have receive time-outs of some seconds, so that nothing hangs */
extern SOCKET socket_new( int family, int type );
extern SOCKET socket_bound( int family, int type, union address *addr );
extern SOCKET socket_listening( int family, union address *addr );
extern SOCKET socket_connecting( const union address *addr );
extern SOCKET socket_accepted( SOCKET listener );
extern void socket_set_timeout( SOCKET s, DWORD ms );
extern void socket_set_nonblocking( SOCKET s, BOOL on );
extern void socket_reset( SOCKET s );
extern void tcp_pair( SOCKET *client, SOCKET *server );
extern void tcp_pair_family( int family, SOCKET *client, SOCKET *server );
extern void udp_pair( SOCKET *a, SOCKET *b );
extern BOOL wait_readable( SOCKET s, DWORD ms );
extern BOOL wait_writable( SOCKET s, DWORD ms );
extern BOOL is_nonblocking( SOCKET s );
extern DWORD fill_send_buffers( SOCKET s );
extern void recv_exactly_( const char *file, int line, SOCKET s, const char *data, int len );
#define recv_exactly( s, data, len ) recv_exactly_( __FILE__, __LINE__, s, data, len )
extern void check_closed_( const char *file, int line, SOCKET s );
#define check_closed( s ) check_closed_( __FILE__, __LINE__, s )
extern void check_reset_( const char *file, int line, SOCKET s );
#define check_reset( s ) check_reset_( __FILE__, __LINE__, s )

/* a pointer to nothing, of which the compiler does not know */
static inline void *bad_pointer(void)
{
    volatile UINT_PTR ptr = 0x10;

    return (void *)ptr;
}

/* memory that ends at a page which cannot be accessed */
extern char *guarded_alloc( SIZE_T size );
extern void guarded_free( char *ptr );
extern void pattern_fill( char *buffer, int len, unsigned seed );
extern BOOL pattern_matches( const char *buffer, int len, unsigned seed );

/* threads and processes */
extern HANDLE thread_start( DWORD (WINAPI *func)(void *), void *arg );
extern DWORD thread_end_( const char *file, int line, HANDLE thread );
#define thread_end( thread ) thread_end_( __FILE__, __LINE__, thread )
extern HANDLE child_start( const char *args, HANDLE stdout_handle );
extern BOOL piece_main( const struct piece *pieces, unsigned count );
extern void piece_run_( const char *file, int line, const char *name );
#define piece_run( name ) piece_run_( __FILE__, __LINE__, name )

/* extension functions */
extern void *extension_function( SOCKET s, GUID guid );

#endif  /* __WS2_32_TESTS_UTIL_H */
