/*
 * select and WSAPoll
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

/* Both are one poll() of the kernel sockets in this process: O(sockets) as on
 * Linux, and nobody else is asked. What poll can't say comes from the published state. */

#include "ws2_32_private.h"
#include "ready.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

#define MAX_SET     0x1000000           /* no process has so many handles */
#define LOCAL_COUNT 64                  /* up to here no heap is needed */

/* one entry of a poll: a socket and what is wanted of it */
struct entry
{
    struct socket *sock;                /* referenced; NULL: none, never ready */
    unsigned int   wanted;              /* READY_* */
    unsigned int   ready;               /* out: of the wanted ones */
    int            watch_fd;            /* a backlog's end, polled instead of the socket; -1: none */
};

struct poll
{
    struct entry       *entries;
    struct unix_pollfd *fds;            /* one for each entry, and one to spare */
    unsigned int        count;
    unsigned int        ready;          /* entries that are ready */
    struct entry        local_entries[LOCAL_COUNT];
    struct unix_pollfd  local_fds[LOCAL_COUNT + 1];
};

static BOOL poll_init( struct poll *poll, unsigned int max )
{
    poll->count = 0;
    poll->ready = 0;
    poll->entries = poll->local_entries;
    poll->fds = poll->local_fds;
    if (max <= LOCAL_COUNT) return TRUE;
    poll->entries = HeapAlloc( GetProcessHeap(), 0, max * (sizeof(*poll->entries) + sizeof(*poll->fds)) + sizeof(*poll->fds) );
    if (!poll->entries) return FALSE;
    poll->fds = (struct unix_pollfd *)(poll->entries + max);
    return TRUE;
}

static void poll_add( struct poll *poll, struct socket *sock, unsigned int wanted )
{
    struct entry *entry = &poll->entries[poll->count++];

    entry->sock = sock;
    entry->wanted = wanted;
    entry->ready = 0;
    entry->watch_fd = -1;
}

static void poll_done( struct poll *poll )
{
    unsigned int i;

    /* backwards: see thread_leave */
    for (i = poll->count; i > 0; i--)
        if (poll->entries[i - 1].sock) socket_put( poll->entries[i - 1].sock );
    if (poll->entries != poll->local_entries) HeapFree( GetProcessHeap(), 0, poll->entries );
}

/* a socket whose backlog the helper still sends is writable when that is gone, whatever the kernel says */
static BOOL watch_backlog( struct entry *entry )
{
    struct socket_watch_backlog_params params = { .socket = entry->sock->unix };

    if (UNIX_CALL( socket_watch_backlog, &params )) return FALSE;
    entry->watch_fd = params.wait_fd;
    return entry->watch_fd != -1;
}

/* TRUE if it is ready without a look at the kernel */
static BOOL prepare_entry( struct entry *entry, struct unix_pollfd *fd, BOOL only_look )
{
    fd->revents = 0;
    fd->fd = -1;
    if (!entry->sock) return FALSE;
    if ((entry->ready = ready_from_poll( entry->sock, 0 ) & entry->wanted)) return TRUE;
    if ((entry->wanted & READY_WRITE) && (socket_flags( entry->sock ) & SOCKET_BACKLOGGED) && watch_backlog( entry ))
    {
        fd->fd = entry->watch_fd;
        fd->events = UNIX_POLLIN;
        return FALSE;
    }
    if ((fd->events = ready_events( entry->sock, entry->wanted )))
        fd->fd = only_look ? entry->sock->unix->fd : wait_fd_of( entry->sock );
    return FALSE;
}

static void forget_watch( struct entry *entry )
{
    struct close_fd_params params = { entry->watch_fd };

    UNIX_CALL( close_fd, &params );
    entry->watch_fd = -1;
}

/* Reads the results. An entry that poll ends again and again without its being ready for what
 * is wanted (a HUP where only urgent data is) is asked no more: more can't come there. A datagram socket
 * that is not ready for anything had an ICMP error that means nothing, and has it no more. */
static void collect( struct poll *poll )
{
    struct entry *entry;
    unsigned int i, ready;
    short revents;

    for (i = 0; i < poll->count; i++)
    {
        entry = &poll->entries[i];
        revents = poll->fds[i].revents;
        if (entry->watch_fd != -1)
        {
            if (!revents) continue;
            forget_watch( entry );
            prepare_entry( entry, &poll->fds[i], FALSE );
        }
        else if (revents)
        {
            ready = ready_from_poll( entry->sock, revents );
            if (!(entry->ready = ready & entry->wanted))
            {
                poll->fds[i].events = ready_events( entry->sock, entry->wanted );
                if (!(poll->fds[i].events & revents) && (ready || socket_is_stream( entry->sock ))) poll->fds[i].fd = -1;
            }
        }
        if (entry->ready) poll->ready++;
    }
}

static BOOL entry_closing( const struct entry *entry )
{
    return entry->sock && *(volatile LONG *)&entry->sock->closing;
}

static BOOL any_closing( const struct poll *poll )
{
    unsigned int i;

    for (i = 0; i < poll->count; i++)
        if (entry_closing( &poll->entries[i] )) return TRUE;
    return FALSE;
}

/* 0 with poll->ready (none: time is up), or WSAENOTSOCK, WSAEINTR, WSAENOBUFS */
static unsigned int poll_wait( struct poll *poll, const struct deadline *deadline, BOOL only_look )
{
    struct poll_params params = { .fds = poll->fds, .count = poll->count, .wake_fd = -1 };
    unsigned int i, error = 0, count;
    BOOL now = only_look;
    LONG wakes;

    for (i = 0; i < poll->count; i++) now |= prepare_entry( &poll->entries[i], &poll->fds[i], only_look );
    do
    {
        wakes = thread_wakes();
        if (any_closing( poll )) error = WSAENOTSOCK;
        else if (now) error = UNIX_CALL( poll, &params );
        else error = wait_many( poll->fds, poll->count, &count, wakes, deadline );
        if (!error) collect( poll );
    } while (!error && !poll->ready && !now);

    for (i = 0; i < poll->count; i++)
        if (poll->entries[i].watch_fd != -1) forget_watch( &poll->entries[i] );
    /* what was ready at once counts even where the kernel had nothing to add */
    if (now && !error)
        for (i = poll->ready = 0; i < poll->count; i++) poll->ready += poll->entries[i].ready != 0;
    return error == WSAETIMEDOUT ? 0 : error;
}

/* ---- select ---- */

#define WANT_READ   (READY_DATA | READY_ACCEPT | READY_FIN | READY_RESET | READY_NO_RECV)
#define WANT_WRITE  READY_WRITE
#define WANT_EXCEPT (READY_OOB | READY_FAILED)

/* The caller's FD_SETSIZE may be anything, so the count says how long the set is. It is read once: another thread
 * of the program may change it meanwhile. */
static unsigned int check_set( const fd_set *set, u_int *count )
{
    *count = 0;
    if (!set) return 0;
    if (!copy_safe( count, set, sizeof(*count) )) return WSAEFAULT;
    if (*count > MAX_SET || !probe_write( (void *)set, offsetof( fd_set, fd_array[*count] ) )) return WSAEFAULT;
    return 0;
}

static unsigned int add_set( struct poll *poll, const fd_set *set, u_int count, unsigned int wanted )
{
    struct socket *sock;
    u_int i;

    for (i = 0; i < count; i++)
    {
        if (!(sock = socket_get( set->fd_array[i] ))) return GetLastError();
        poll_add( poll, sock, wanted );
    }
    return 0;
}

/* Leaves the ready ones in the set, each once; returns how many. entries are the set's, in its order. */
static unsigned int reduce_set( const struct entry *entries, fd_set *set, u_int count )
{
    unsigned int i, j, ready = 0;

    if (!set) return 0;
    for (i = 0; i < count; i++)
    {
        if (!entries[i].ready) continue;
        for (j = 0; j < ready; j++)
            if (set->fd_array[j] == set->fd_array[i]) break;
        if (j == ready) set->fd_array[ready++] = set->fd_array[i];
    }
    return set->fd_count = ready;
}

static unsigned int read_timeout( const struct timeval *timeout, struct deadline *deadline, BOOL *only_look )
{
    struct timeval tv;

    *only_look = FALSE;
    *deadline = deadline_in( 0 );
    if (!timeout) return 0;
    if (!copy_safe( &tv, timeout, sizeof(tv) )) return WSAEFAULT;
    if (tv.tv_sec < 0 || tv.tv_usec < 0) return WSAEINVAL;
    *only_look = !tv.tv_sec && !tv.tv_usec;
    if (!*only_look) *deadline = deadline_in_ns( tv.tv_sec * 1000000000LL + tv.tv_usec * 1000LL );
    return 0;
}

static unsigned int do_select( fd_set *read, fd_set *write, fd_set *except, const struct timeval *timeout, unsigned int *ready )
{
    u_int reads, writes, excepts;
    struct deadline deadline;
    unsigned int error;
    struct poll poll;
    BOOL only_look;

    if ((error = check_set( read, &reads )) || (error = check_set( write, &writes )) || (error = check_set( except, &excepts )))
        return error;
    if (!reads && !writes && !excepts) return WSAEINVAL;
    if ((error = read_timeout( timeout, &deadline, &only_look ))) return error;
    if (!poll_init( &poll, reads + writes + excepts )) return WSAENOBUFS;

    if (!(error = add_set( &poll, read, reads, WANT_READ )) && !(error = add_set( &poll, write, writes, WANT_WRITE )) &&
        !(error = add_set( &poll, except, excepts, WANT_EXCEPT )) && !(error = poll_wait( &poll, &deadline, only_look )))
        *ready = reduce_set( poll.entries, read, reads ) + reduce_set( poll.entries + reads, write, writes ) +
                 reduce_set( poll.entries + reads + writes, except, excepts );
    poll_done( &poll );
    return error;
}

static const char *debugstr_set( const fd_set *set )
{
    char buffer[160];
    unsigned int i, count, pos;
    SOCKET s;

    if (!set) return "(null)";
    if (!copy_safe( &count, set, sizeof(count) )) return wine_dbg_sprintf( "%p (invalid)", set );
    pos = snprintf( buffer, sizeof(buffer), "%u {", count );
    for (i = 0; i < count && pos < sizeof(buffer) - 24 && copy_safe( &s, &set->fd_array[i], sizeof(s) ); i++)
        pos += snprintf( buffer + pos, sizeof(buffer) - pos, " %#Ix", s );
    return wine_dbg_sprintf( "%s%s }", buffer, i < count ? " ..." : "" );
}

static const char *debugstr_timeval( const struct timeval *timeout )
{
    struct timeval tv;

    if (!timeout) return "(null)";
    if (!copy_safe( &tv, timeout, sizeof(tv) )) return wine_dbg_sprintf( "%p (invalid)", timeout );
    return wine_dbg_sprintf( "{ %ld s, %ld us }", tv.tv_sec, tv.tv_usec );
}

/***********************************************************************
 *      select   (ws2_32.18)
 *
 * WSANOTINITIALISED, WSAEFAULT, WSAEINVAL (all sets empty, negative time-out), WSAENOTSOCK (also a socket that
 * is closed meanwhile), WSAEINTR, WSAENOBUFS. O(sockets).
 */
int WINAPI select( int nfds, fd_set *read, fd_set *write, fd_set *except, const struct timeval *timeout )
{
    unsigned int error, ready = 0;

    TRACE( "nfds %d, read %s, write %s, except %s, timeout %s\n", nfds, debugstr_set( read ), debugstr_set( write ),
           debugstr_set( except ), debugstr_timeval( timeout ) );

    if (!startup_check()) return return_error( WSANOTINITIALISED );
    if (!(error = do_select( read, write, except, timeout, &ready )))
        TRACE( "ready: read %s, write %s, except %s\n", debugstr_set( read ), debugstr_set( write ), debugstr_set( except ) );
    return return_count( error, ready );
}

/***********************************************************************
 *      __WSAFDIsSet   (ws2_32.151)
 *
 * What FD_ISSET is; a bad set has nobody in it. O(sockets in the set).
 */
int WINAPI __WSAFDIsSet( SOCKET s, fd_set *set )
{
    u_int count = 0;
    BOOL ret = FALSE;

    TRACE( "socket %#Ix, set %s\n", s, debugstr_set( set ) );

    if (copy_safe( &count, set, sizeof(count) ) && count <= MAX_SET &&
        probe_read( set, offsetof( fd_set, fd_array[count] ) ))
        while (!ret && count--) ret = set->fd_array[count] == s;

    TRACE( "-> %d\n", ret );
    return ret;
}

/* ---- WSAPoll ---- */

#define POLL_ALWAYS (READY_FIN | READY_RESET | READY_FAILED)    /* told whether wanted or not */

static unsigned int wanted_from_events( SHORT events )
{
    unsigned int wanted = POLL_ALWAYS;

    if (events & POLLRDNORM) wanted |= READY_DATA | READY_ACCEPT;
    if (events & POLLRDBAND) wanted |= READY_OOB;
    if (events & POLLWRNORM) wanted |= READY_WRITE;
    return wanted;
}

static SHORT revents_from_ready( unsigned int ready, SHORT events )
{
    SHORT revents = 0;

    if (ready & (READY_DATA | READY_ACCEPT)) revents |= POLLRDNORM;
    if (ready & READY_OOB) revents |= POLLRDBAND;
    if (ready & READY_WRITE) revents |= POLLWRNORM;
    if (ready & READY_FIN) revents |= POLLHUP;
    if (ready & READY_RESET) revents |= POLLERR | POLLHUP;
    if (ready & READY_FAILED) revents |= POLLERR | POLLHUP | (events & POLLWRNORM);
    return revents;
}

/* all or nothing: a bit Windows does not know, or a handle that is no socket, ends the call */
static unsigned int add_fds( struct poll *poll, WSAPOLLFD *fds, ULONG count )
{
    struct socket *sock;
    ULONG i, bad = 0;

    for (i = 0; i < count; i++)
    {
        if (fds[i].events & ~(POLLRDNORM | POLLRDBAND | POLLWRNORM)) return WSAEINVAL;
        sock = NULL;
        fds[i].revents = 0;
        if ((INT_PTR)fds[i].fd >= 0 && !(sock = socket_get( fds[i].fd )))
        {
            if (GetLastError() != WSAENOTSOCK) return GetLastError();
            fds[i].revents = POLLNVAL;
            bad++;
        }
        poll_add( poll, sock, wanted_from_events( fds[i].events ) );
    }
    if (!bad) return 0;
    return bad == count ? WSAENOTSOCK : WSAEINVAL;
}

/* returns how many are ready; what was closed meanwhile is */
static unsigned int return_fds( const struct poll *poll, WSAPOLLFD *fds )
{
    const struct entry *entry;
    unsigned int i, ready = 0;

    for (i = 0; i < poll->count; i++)
    {
        entry = &poll->entries[i];
        fds[i].revents = revents_from_ready( entry->ready, fds[i].events );
        if (entry_closing( entry )) fds[i].revents = POLLNVAL;
        if (fds[i].revents) ready++;
    }
    return ready;
}

static unsigned int do_poll( WSAPOLLFD *fds, ULONG count, int timeout, unsigned int *ready )
{
    struct deadline deadline = deadline_in( timeout > 0 ? timeout : 0 );
    struct poll poll;
    unsigned int error;

    if (!count) return WSAEINVAL;
    if (count > MAX_SET || !probe_write( fds, count * sizeof(*fds) )) return WSAEFAULT;
    if (!poll_init( &poll, count )) return WSAENOBUFS;
    if (!(error = add_fds( &poll, fds, count )))
    {
        error = poll_wait( &poll, &deadline, !timeout );
        if (error == WSAENOTSOCK) error = 0;
        if (!error) *ready = return_fds( &poll, fds );
    }
    poll_done( &poll );
    return error;
}

/***********************************************************************
 *      WSAPoll   (ws2_32.@)
 *
 * timeout in ms, negative: for ever. Negative handles are passed over; a socket that is closed meanwhile is
 * POLLNVAL. WSANOTINITIALISED, WSAEFAULT,
 * WSAEINVAL (no entries, an event that can't be asked for, a bad handle among good ones), WSAENOTSOCK,
 * WSAEINTR, WSAENOBUFS. O(count).
 */
int WINAPI WSAPoll( WSAPOLLFD *fds, ULONG count, int timeout )
{
    unsigned int error, ready = 0;

    TRACE( "fds %p, count %lu, timeout %d\n", fds, count, timeout );

    if (!startup_check()) return return_error( WSANOTINITIALISED );
    error = do_poll( fds, count, timeout, &ready );
    return return_count( error, ready );
}
