/*
 * The table of the Unix library
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

#include "ws2unix_private.h"

typedef NTSTATUS (*unix_func)( void *args );

/* in the order of enum unix_funcs */
__attribute__((visibility("default"))) const unix_func __wine_unix_call_funcs[] =
{
    startup,
    mailbox_create,
    mailbox_flush,
    mailbox_alone,
    socket_create,
    socket_adopt,
    socket_compare,
    socket_stray,
    socket_close,
    socket_bind,
    socket_listen,
    socket_connect,
    socket_connect_status,
    socket_accept,
    socket_defer,
    socket_watch_accept,
    socket_shutdown,
    socket_arm,
    socket_note_reset,
    socket_set_option,
    socket_watch_backlog,
    local_connect,
    local_answer,
    local_disconnect,
    local_data,
    local_peek,
    data_recv,
    data_send,
    data_send_backlog,
    wait_poll,
    wait_event_create,
    wait_event_signal,
    wait_thread_id,
    wait_thread_alive,
    wait_close_fd,
    engine_start,
    engine_watch,
    engine_watch_fd,
    engine_wait,
    option_getsockname,
    option_getpeername,
    option_get,
    option_set,
    option_ioctl,
    NAMES_TABLE
};

_Static_assert( sizeof(__wine_unix_call_funcs) / sizeof(__wine_unix_call_funcs[0]) == unix_funcs_count,
                "the table has one entry for each of enum unix_funcs" );
