/*
 * Handles in groups: many of one mailbox
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

/* Each handle made of a mailbox of its own costs wineserver and the helper a fd. When the prefix has very many, the
 * helper says so, and the handles that follow are duplicates of one that is no socket's, the master: a group. A socket is known by
 * the mailbox and its handle's value then. So a grouped handle is never duplicated further (a plain one is, of the
 * kernel socket), and a group gets no new handles when children have been made: to them the values mean what they
 * meant then.
 *
 * That the last handle of one socket has been closed in all processes can't be seen, only that the whole group has no other
 * process's handles any more: wineserver counts them. Asked for when one is closed of which children could have another,
 * and when a child ends. */

#include "ws2_32_private.h"
#include "group.h"
#include "bridge.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

#define MAX_GROUP 256                   /* handles of one mailbox */
#define MAX_LOOK  64                    /* groups that are looked at when a child has ended */

static struct group
{
    HANDLE       master;
    UINT64       mailbox;
    unsigned int count;                 /* duplicates made */
} group;

static SRWLOCK group_lock = SRWLOCK_INIT;
static LONG orphans;                    /* handles were closed, with their sockets, of which others could have another */
static BOOL grouping;                   /* there was a group once */

/* ---- making ---- */

/* under group_lock */
static void group_replace( HANDLE master, UINT64 mailbox )
{
    if (group.master) bridge_close( group.master );
    group.master = master;
    group.mailbox = mailbox;
    group.count = 0;
}

void group_end(void)
{
    AcquireSRWLockExclusive( &group_lock );
    group_replace( NULL, 0 );
    ReleaseSRWLockExclusive( &group_lock );
}

/* under group_lock */
static BOOL group_duplicate( BOOL inherit, struct handle *handle )
{
    if (!group.master || group.count == MAX_GROUP) return FALSE;
    if (bridge_duplicate_here( group.master, inherit ? OBJ_INHERIT : 0, &handle->handle )) return FALSE;
    handle->mailbox = group.mailbox | (UINT64)(HandleToULong( handle->handle ) >> 2) << MAILBOX_COOKIE_BITS;
    group.count++;
    return TRUE;
}

BOOL group_add( BOOL inherit, struct handle *handle )
{
    BOOL ret;

    AcquireSRWLockExclusive( &group_lock );
    ret = group_duplicate( inherit, handle );
    ReleaseSRWLockExclusive( &group_lock );
    return ret;
}

BOOL group_begin( HANDLE master, UINT64 mailbox, BOOL inherit, struct handle *handle )
{
    BOOL ret;

    AcquireSRWLockExclusive( &group_lock );
    if (!grouping) TRACE( "handles are grouped from now on\n" );
    grouping = TRUE;
    group_replace( master, mailbox );
    ret = group_duplicate( inherit, handle );
    ReleaseSRWLockExclusive( &group_lock );
    return ret;
}

/* ---- are all handles of a group in this process? ---- */

struct count
{
    UINT64       mailbox;
    unsigned int count;
};

static void count_handle( const struct handle *handle, void *arg )
{
    struct count *count = arg;

    if (handle_file( handle ) == count->mailbox) count->count++;
}

/* others: handles of this process that are not in the table. Costs a request to wineserver and a walk through the table. */
static BOOL is_alone( const struct handle *handle, unsigned int others )
{
    struct count count = { handle_file( handle ), others };
    const LONG epoch = handle_epoch();
    OBJECT_BASIC_INFORMATION info;

    if (epoch == -1 || NtQueryObject( handle->handle, ObjectBasicInformation, &info, sizeof(info), NULL )) return FALSE;
    AcquireSRWLockExclusive( &group_lock );
    if (group.master && group.mailbox == count.mailbox) count.count++;
    ReleaseSRWLockExclusive( &group_lock );
    socket_enum_grouped( count_handle, &count );
    return info.HandleCount == count.count && epoch == handle_epoch();
}

/* The sockets that only handles of ended children kept end. */
static void tell_alone( UINT64 mailbox )
{
    struct mailbox_alone_params params = { mailbox };

    UNIX_CALL( mailbox_alone, &params );
}

BOOL group_is_alone( const struct handle *handle )
{
    if (!is_alone( handle, 1 ))
    {
        InterlockedExchange( &orphans, 1 );
        return FALSE;
    }
    if (orphans) tell_alone( handle_file( handle ) );
    return TRUE;
}

/* ---- children ---- */

struct looked
{
    struct handle handles[MAX_LOOK];    /* one of each group */
    unsigned int  count;
};

static void look_at( const struct handle *handle, void *arg )
{
    struct looked *looked = arg;
    unsigned int i;

    for (i = 0; i < looked->count; i++)
        if (handle_file( &looked->handles[i] ) == handle_file( handle )) return;
    if (looked->count < MAX_LOOK) looked->handles[looked->count++] = *handle;
}

struct child_wait
{
    HANDLE process;
    HANDLE wait;
};

static SRWLOCK child_lock = SRWLOCK_INIT;

static void child_forget( struct child_wait *child )
{
    AcquireSRWLockExclusive( &child_lock );     /* the registering has returned */
    ReleaseSRWLockExclusive( &child_lock );
    UnregisterWait( child->wait );
    bridge_close( child->process );
    HeapFree( GetProcessHeap(), 0, child );
}

static void CALLBACK child_ended( void *arg, BOOLEAN timeout )
{
    struct looked *looked;
    unsigned int i;

    (void)timeout;
    child_forget( arg );
    if (!orphans || !(looked = HeapAlloc( GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*looked) ))) return;
    socket_enum_grouped( look_at, looked );
    for (i = 0; i < looked->count; i++)
        if (is_alone( &looked->handles[i], 0 )) tell_alone( handle_file( &looked->handles[i] ) );
    HeapFree( GetProcessHeap(), 0, looked );
}

void group_watch_child( HANDLE process )
{
    struct child_wait *child;
    HMODULE module;
    BOOL ret;

    if (!grouping || !(child = HeapAlloc( GetProcessHeap(), 0, sizeof(*child) ))) return;
    if (bridge_duplicate( process, GetCurrentProcess(), &child->process ))
    {
        HeapFree( GetProcessHeap(), 0, child );
        return;
    }
    /* whatever is called must stay */
    GetModuleHandleExW( GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (const WCHAR *)child_ended, &module );
    AcquireSRWLockExclusive( &child_lock );
    ret = RegisterWaitForSingleObject( &child->wait, child->process, child_ended, child, INFINITE, WT_EXECUTEONLYONCE );
    ReleaseSRWLockExclusive( &child_lock );
    if (ret) return;
    bridge_close( child->process );
    HeapFree( GetProcessHeap(), 0, child );
}
