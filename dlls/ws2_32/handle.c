/*
 * NT handles for sockets: made of mailboxes, used again
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

/* wineserver takes as long to make and close a handle as TCP takes to make and close a
 * connection. So a handle whose socket is closed is kept for the next one, if certainly
 * nobody else has it: no child process was made with inheritance while it was a socket's, and it was
 * neither duplicated nor changed (the bridge sees all three). Its value stays taken meanwhile, and
 * the table knows that it is no socket. */

#include "ws2_32_private.h"
#include "handle.h"
#include "group.h"
#include "bridge.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

/* exported by ntdll to the PE side */
extern NTSTATUS CDECL wine_server_fd_to_handle( int fd, unsigned int access, unsigned int attributes, HANDLE *handle );

#define MAX_FREE  64                    /* handles kept of each kind */

static struct handle free_handles[2][MAX_FREE];     /* by inherit */
static unsigned int free_counts[2];
static SRWLOCK free_lock = SRWLOCK_INIT;
static LONG epoch;                      /* counts the makings of processes that inherit, two each */
static LONG inheriting;                 /* that are under way */

/* ---- making ---- */

static unsigned int make_handle( BOOL inherit, struct handle *handle )
{
    struct mailbox_create_params params;
    struct close_fd_params close_params;
    NTSTATUS status;
    unsigned int error;

    if (group_add( inherit, handle )) return 0;
    if ((error = UNIX_CALL( mailbox_create, &params ))) return error;
    status = wine_server_fd_to_handle( params.fd, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE,
                                       inherit && !params.group ? OBJ_INHERIT : 0, &handle->handle );
    close_params.fd = params.fd;
    UNIX_CALL( close_fd, &close_params );
    if (status) return WSAEMFILE;
    handle->mailbox = params.mailbox;
    if (!params.group)
    {
        group_end();                    /* a full one is of no more use */
        return 0;
    }
    return group_begin( handle->handle, params.mailbox, inherit, handle ) ? 0 : WSAEMFILE;
}

unsigned int handle_take( BOOL inherit, struct handle *handle )
{
    BOOL found = FALSE;

    bridge_init();
    handle->inherit = inherit = !!inherit;
    AcquireSRWLockExclusive( &free_lock );
    if (free_counts[inherit])
    {
        *handle = free_handles[inherit][--free_counts[inherit]];
        found = TRUE;
    }
    handle->epoch = epoch;
    ReleaseSRWLockExclusive( &free_lock );
    return found ? 0 : make_handle( inherit, handle );
}

void handle_give( const struct handle *handle )
{
    BOOL kept = FALSE;

    AcquireSRWLockExclusive( &free_lock );
    if (handle->epoch == epoch && !handle_is_grouped( handle ) && free_counts[handle->inherit] < MAX_FREE && socket_keep_handle( handle->handle ))
    {
        free_handles[handle->inherit][free_counts[handle->inherit]++] = *handle;
        kept = TRUE;
    }
    ReleaseSRWLockExclusive( &free_lock );
    if (!kept) socket_close_handle( handle->handle );
}

BOOL handle_is_sole( const struct handle *handle )
{
    return handle->handle && handle->epoch == *(volatile LONG *)&epoch;
}

/* a child would inherit the free ones, too, and have them when they are other sockets' */
static void close_free(void)
{
    unsigned int i, inherit = TRUE;

    for (i = 0; i < free_counts[inherit]; i++) socket_close_handle( free_handles[inherit][i].handle );
    free_counts[inherit] = 0;
}

LONG handle_epoch(void)
{
    return inheriting ? -1 : *(volatile LONG *)&epoch;
}

void handle_begin_inheriting(void)
{
    InterlockedIncrement( &inheriting );
    UNIX_CALL( mailbox_flush, NULL );
    AcquireSRWLockExclusive( &free_lock );
    epoch++;
    close_free();
    ReleaseSRWLockExclusive( &free_lock );
    group_end();
}

void handle_end_inheriting(void)
{
    AcquireSRWLockExclusive( &free_lock );
    epoch++;
    close_free();
    ReleaseSRWLockExclusive( &free_lock );
    group_end();
    InterlockedDecrement( &inheriting );
}

HANDLE handle_make_plain( const struct unix_socket *unix )
{
    HANDLE handle;

    if (wine_server_fd_to_handle( unix->fd, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, OBJ_INHERIT, &handle )) return NULL;
    return handle;
}
