/*
 * Calls itself over RPC on TCP: Wine's rpcrt4 stands on Winsock
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
#include <string.h>
#include <rpc.h>
#include <rpcndr.h>

#define CALLS 50
#define SIZE  100000

/* An interface of one function by hand: it answers with the bytes it got, each one more. */

static void __RPC_STUB increment( RPC_MESSAGE *message )
{
    unsigned char *data = message->Buffer, copy[SIZE];
    unsigned int i, size = message->BufferLength;

    if (size > SIZE) size = 0;
    memcpy( copy, data, size );
    message->BufferLength = size;
    if (I_RpcGetBuffer( message )) return;
    data = message->Buffer;
    for (i = 0; i < size; i++) data[i] = copy[i] + 1;
    message->BufferLength = size;
}

static RPC_DISPATCH_FUNCTION functions[] = { increment, NULL };
static RPC_DISPATCH_TABLE dispatch = { 1, functions, 0 };

#define INTERFACE_ID { { 0x3d8f2c11, 0x7a50, 0x4c0e, { 0x9b, 0x11, 0x52, 0x6f, 0x0a, 0xc8, 0x34, 0x7e } }, { 1, 0 } }
#define TRANSFER_NDR { { 0x8a885d04, 0x1ceb, 0x11c9, { 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60 } }, { 2, 0 } }

static RPC_SERVER_INTERFACE server_interface =
    { sizeof(server_interface), INTERFACE_ID, TRANSFER_NDR, &dispatch, 0, NULL, NULL, NULL, 0 };
static RPC_CLIENT_INTERFACE client_interface =
    { sizeof(client_interface), INTERFACE_ID, TRANSFER_NDR, NULL, 0, NULL, 0, NULL, 0 };

static int fail( const char *what, RPC_STATUS status )
{
    printf( "failed: %s: %ld\n", what, status );
    return 1;
}

/* One call; the answer must be the bytes sent, each one more. */
static int call( RPC_BINDING_HANDLE binding, unsigned int number )
{
    static unsigned char data[SIZE];
    unsigned int i, size = number * (SIZE / CALLS);
    unsigned char *answer;
    RPC_MESSAGE message;
    RPC_STATUS status;

    for (i = 0; i < size; i++) data[i] = i * 7 + number;
    memset( &message, 0, sizeof(message) );
    message.Handle = binding;
    message.RpcInterfaceInformation = &client_interface;
    message.BufferLength = size;
    message.DataRepresentation = 0x10;
    if ((status = I_RpcGetBuffer( &message ))) return fail( "I_RpcGetBuffer", status );
    memcpy( message.Buffer, data, size );
    if ((status = I_RpcSendReceive( &message ))) return fail( "I_RpcSendReceive", status );
    if (message.BufferLength != size) return fail( "length of the answer", message.BufferLength );
    answer = message.Buffer;
    for (i = 0; i < size; i++) if (answer[i] != (unsigned char)(data[i] + 1)) return fail( "byte of the answer", i );
    I_RpcFreeBuffer( &message );
    return 0;
}

int main( void )
{
    RPC_BINDING_VECTOR *bindings;
    RPC_BINDING_HANDLE binding;
    RPC_STATUS status;
    RPC_CSTR name, port, protocol;
    unsigned int i;

    if ((status = RpcServerUseProtseqA( (RPC_CSTR)"ncacn_ip_tcp", 10, NULL ))) return fail( "RpcServerUseProtseq", status );
    if ((status = RpcServerRegisterIf( &server_interface, NULL, NULL ))) return fail( "RpcServerRegisterIf", status );
    if ((status = RpcServerListen( 1, 10, TRUE ))) return fail( "RpcServerListen", status );
    if ((status = RpcServerInqBindings( &bindings ))) return fail( "RpcServerInqBindings", status );
    /* rpcss, the endpoint mapper, learns the port. */
    if ((status = RpcEpRegisterA( &server_interface, bindings, NULL, NULL ))) return fail( "RpcEpRegister", status );
    if ((status = RpcBindingToStringBindingA( bindings->BindingH[0], &name ))) return fail( "RpcBindingToStringBinding", status );
    if ((status = RpcStringBindingParseA( name, NULL, &protocol, NULL, &port, NULL ))) return fail( "RpcStringBindingParse", status );
    printf( "%s, port %s\n", protocol, port );
    fflush( stdout );
    if ((status = RpcStringBindingComposeA( NULL, protocol, (RPC_CSTR)"127.0.0.1", port, NULL, &name )))
        return fail( "RpcStringBindingCompose", status );
    if ((status = RpcBindingFromStringBindingA( name, &binding ))) return fail( "RpcBindingFromStringBinding", status );
    for (i = 0; i <= CALLS; i++) if (call( binding, i )) return 1;
    printf( "answered %u calls\n", i );
    RpcBindingFree( &binding );
    RpcEpUnregister( &server_interface, bindings, NULL );
    RpcMgmtStopServerListening( NULL );
    return 0;
}
