/*
 * How the end of an overlapped operation is told
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

#ifndef __WS2_32_COMPLETION_H
#define __WS2_32_COMPLETION_H

/* What a program wants to be told of an operation's end, and how; fixed when it posts the operation. */
struct completion
{
    IO_STATUS_BLOCK *io;                /* the OVERLAPPED's first two members */
    HANDLE           event;             /* NULL: none */
    HANDLE           thread;            /* whose APC it is; NULL: no APC */
    PNTAPCFUNC       apc;               /* called with apc_arg, io and 0 */
    ULONG_PTR        apc_arg;
    ULONG_PTR        value;             /* for the port; 0: no packet */
};

/* where packets of a socket go; of all its handles in this process */
struct completion_port
{
    HANDLE    port;                     /* a duplicate of our own; NULL: none */
    ULONG_PTR key;
    ULONG     modes;                    /* FILE_SKIP_... */
};

/* Of an OVERLAPPED and a completion routine: 0, WSAEFAULT, WSAENOBUFS; WSAEINVAL: a routine, though there is a port. */
extern unsigned int completion_from_overlapped( struct completion *completion, const struct completion_port *port,
                                                WSAOVERLAPPED *overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine );
/* of NtReadFile's and its kin's arguments: the same errors */
extern unsigned int completion_from_file( struct completion *completion, const struct completion_port *port, HANDLE event,
                                          PIO_APC_ROUTINE apc, void *context, IO_STATUS_BLOCK *io );
/* it will take some time: STATUS_PENDING, the event reset. Before anybody can end it. */
extern void completion_begin( const struct completion *completion );
/* It has ended; whoever waits may free its memory meanwhile. at_once: before the call that posted it has returned. */
extern void completion_deliver( const struct completion *completion, const struct completion_port *port, NTSTATUS status,
                                ULONG_PTR count, BOOL at_once );
/* the status that says the same as a Winsock error */
extern NTSTATUS completion_status( unsigned int error );

#endif /* __WS2_32_COMPLETION_H */
