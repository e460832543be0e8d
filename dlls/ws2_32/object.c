/*
 * SOCKET handles: the table, adoption, lifetime
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

#include "ws2_32_private.h"
#include "bridge.h"
#include "group.h"
#include "engine.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

/* exported by ntdll to the PE side */
extern NTSTATUS CDECL wine_server_handle_to_fd( HANDLE handle, unsigned int access, int *fd, unsigned int *options );

#define PAGE_ENTRIES 1024               /* 4096 handle values */
#define MAX_PAGES    16384              /* handles up to 64 Mi: 16 million of them */
#define ALLOC_COUNT  64                 /* objects allocated at once; they are never freed */
#define LEAVE_WAIT   100                /* ms that closing waits for other threads to leave the socket */

/* From handle to object: two levels, the second made as handles need it. An entry
 * holds one reference. Look-ups take no lock: see struct socket. */
static struct socket **pages[MAX_PAGES];

/* entry of a handle that is kept for another socket */
#define FREE_HANDLE ((struct socket *)1)

static LONG outstayed;                  /* objects out of the table that end when the last thread has left */
static struct socket *free_sockets;
static SRWLOCK free_lock = SRWLOCK_INIT;

/* Adopting a handle and closing one exclude each other: a thread that uses a handle while another
 * closes it must not leave behind an object for a value that is somebody else's by then. */
static SRWLOCK handle_lock = SRWLOCK_INIT;

static BOOL finish_close( struct socket *sock, unsigned int flags, int *wait_fd );

/* ---- objects ---- */

static struct socket *alloc_socket(void)
{
    struct socket *sock;
    unsigned int i;

    AcquireSRWLockExclusive( &free_lock );
    if (!free_sockets && (sock = HeapAlloc( GetProcessHeap(), HEAP_ZERO_MEMORY, ALLOC_COUNT * sizeof(*sock) )))
    {
        for (i = 0; i < ALLOC_COUNT - 1; i++) sock[i].next = &sock[i + 1];
        free_sockets = sock;
    }
    if ((sock = free_sockets)) free_sockets = sock->next;
    ReleaseSRWLockExclusive( &free_lock );
    return sock;
}

static void free_socket( struct socket *sock )
{
    AcquireSRWLockExclusive( &free_lock );
    sock->next = free_sockets;
    free_sockets = sock;
    ReleaseSRWLockExclusive( &free_lock );
}

/* made: NULL for an adopted handle */
static struct socket *new_socket( SOCKET s, struct unix_socket *unix, const struct handle *made )
{
    struct socket *sock;

    if (!(sock = alloc_socket())) return NULL;
    sock->closing = 0;
    sock->protected = 0;
    sock->offered = 0;
    sock->sole = FALSE;
    sock->handle = s;
    if (made) sock->made = *made;
    else memset( &sock->made, 0, sizeof(sock->made) );
    sock->unix = unix;
    sock->next = NULL;
    InterlockedIncrement( (volatile LONG *)&unix->objects );
    __atomic_store_n( &sock->refs, 1, __ATOMIC_RELEASE );
    return sock;
}

/* It is out of the table: no call on it begins any more, and with the last object of the kernel socket its
 * overlapped operations end. */
static void begin_close( struct socket *sock )
{
    InterlockedExchange( &sock->closing, 1 );
    if (!InterlockedDecrement( (volatile LONG *)&sock->unix->objects )) engine_close( sock->unix );
}

/* tells the helper and closes the fd; the handle is not touched */
static unsigned int close_unix( struct unix_socket *unix, unsigned int flags, int *wait_fd )
{
    struct socket_close_params params = { .socket = unix, .flags = flags };
    unsigned int error = UNIX_CALL( socket_close, &params );
    struct close_fd_params close_params = { params.wait_fd };

    if (wait_fd) *wait_fd = params.wait_fd;
    else if (params.wait_fd != -1) UNIX_CALL( close_fd, &close_params );
    return error;
}

void socket_release( struct socket *sock )
{
    if (InterlockedDecrement( &sock->refs )) return;
    /* normally socket_close has done this and says so in sock->unix, which is ours only
     * now that nobody else has a reference; here a thread outstayed it, or was terminated in it */
    if (sock->unix)
    {
        InterlockedDecrement( &outstayed );
        close_unix( sock->unix, sock->sole ? CLOSE_NOWAIT | CLOSE_SOLE : CLOSE_NOWAIT, NULL );
    }
    free_socket( sock );
}

void socket_put( struct socket *sock )
{
    thread_leave( sock );
    socket_release( sock );
}

/* ---- the table ---- */

/* NULL: no handle of ours can have this value */
static struct socket **find_entry( SOCKET s, BOOL create )
{
    SIZE_T index = s >> 2, page = index / PAGE_ENTRIES;
    struct socket **entries;

    if (page >= MAX_PAGES || (s & 3)) return NULL;
    if (!(entries = __atomic_load_n( &pages[page], __ATOMIC_ACQUIRE )))
    {
        if (!create) return NULL;
        if (!(entries = HeapAlloc( GetProcessHeap(), HEAP_ZERO_MEMORY, PAGE_ENTRIES * sizeof(*entries) ))) return NULL;
        if (InterlockedCompareExchangePointer( (void **)&pages[page], entries, NULL ))
        {
            HeapFree( GetProcessHeap(), 0, entries );
            entries = __atomic_load_n( &pages[page], __ATOMIC_ACQUIRE );
        }
    }
    return &entries[index % PAGE_ENTRIES];
}

struct socket *socket_peek( SOCKET s )
{
    struct socket **entry = find_entry( s, FALSE ), *sock;

    if (!entry || (sock = __atomic_load_n( entry, __ATOMIC_ACQUIRE )) == FREE_HANDLE) return NULL;
    return sock;
}

BOOL socket_keep_handle( HANDLE handle )
{
    struct socket **entry = find_entry( (SOCKET)handle, TRUE ), *none = NULL;
    BOOL ret;

    if (!entry) return FALSE;
    AcquireSRWLockExclusive( &handle_lock );
    ret = __atomic_compare_exchange_n( entry, &none, FREE_HANDLE, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE );
    ReleaseSRWLockExclusive( &handle_lock );
    return ret || none == FREE_HANDLE;
}

/* under handle_lock: the handle is about to be closed */
static void unmark_handle( HANDLE handle )
{
    struct socket **entry = find_entry( (SOCKET)handle, FALSE ), *free = FREE_HANDLE;

    if (entry) __atomic_compare_exchange_n( entry, &free, NULL, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE );
}

BOOL socket_is_free_handle( HANDLE handle )
{
    struct socket **entry = find_entry( (SOCKET)handle, FALSE );

    return entry && __atomic_load_n( entry, __ATOMIC_ACQUIRE ) == FREE_HANDLE;
}

/* a reference, unless the object is free by now */
static BOOL grab( struct socket *sock )
{
    LONG refs = __atomic_load_n( &sock->refs, __ATOMIC_RELAXED );

    while (refs > 0)
        if (__atomic_compare_exchange_n( &sock->refs, &refs, refs + 1, TRUE, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED ))
            return TRUE;
    return FALSE;
}

static struct socket *lookup( SOCKET s )
{
    struct socket **entry = find_entry( s, FALSE ), *sock;

    if (!entry) return NULL;
    while ((sock = __atomic_load_n( entry, __ATOMIC_ACQUIRE )) && sock != FREE_HANDLE)
    {
        if (!grab( sock )) continue;
        /* it may have been closed, and be another socket's object by now */
        if (__atomic_load_n( entry, __ATOMIC_ACQUIRE ) == sock) return sock;
        socket_release( sock );
    }
    return NULL;
}

/* ---- adoption ---- */

static unsigned int adopt_error( SOCKET s, struct unix_socket **unix )
{
    struct socket_adopt_params params = { .fd = -1, .handle = s };
    unsigned int error;

    if (!s || (s & 3) || s >> 2 >= (SIZE_T)MAX_PAGES * PAGE_ENTRIES) return WSAENOTSOCK;
    if (socket_is_free_handle( (HANDLE)s )) return WSAENOTSOCK;
    if (wine_server_handle_to_fd( (HANDLE)s, 0, &params.fd, NULL )) return WSAENOTSOCK;
    error = UNIX_CALL( socket_adopt, &params );
    *unix = params.socket;
    return error;
}

/* puts an adopted socket into the table; another thread may be publishing that handle just now */
static struct socket *enter( SOCKET s, struct unix_socket *unix )
{
    struct socket **entry = find_entry( s, TRUE ), *sock, *none = NULL;

    if (!entry || !(sock = new_socket( s, unix, NULL )))
    {
        close_unix( unix, CLOSE_NOWAIT, NULL );
        SetLastError( WSAENOBUFS );
        return NULL;
    }
    grab( sock );
    if (__atomic_compare_exchange_n( entry, &none, sock, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE )) return sock;
    begin_close( sock );
    InterlockedIncrement( &outstayed );
    socket_release( sock );
    socket_release( sock );
    if (!(sock = lookup( s ))) SetLastError( WSAENOTSOCK );
    return sock;
}

/* A handle this process has not seen: inherited, duplicated, or no socket at all.
 * Costs two requests to wineserver at most (one: no file) and one to the helper. */
static struct socket *adopt( SOCKET s )
{
    struct unix_socket *unix = NULL;
    struct socket *sock;
    unsigned int error;

    bridge_init();
    AcquireSRWLockExclusive( &handle_lock );
    if (!(sock = lookup( s )))
    {
        if ((error = adopt_error( s, &unix ))) SetLastError( error );
        else if ((sock = enter( s, unix )))
        {
            TRACE( "adopted %#Ix\n", s );
            sock->offered = 1;
        }
    }
    ReleaseSRWLockExclusive( &handle_lock );
    return sock;
}

/* ---- strays ---- */

/* under handle_lock */
static BOOL is_still( struct socket *sock )
{
    struct socket_compare_params params = { .socket = sock->unix };

    if (wine_server_handle_to_fd( (HANDLE)sock->handle, 0, &params.fd, NULL )) return FALSE;
    UNIX_CALL( socket_compare, &params );
    return params.same;
}

/* Another process may have closed the handle; then the object ends, with the reference, and its value is to be looked
 * up again. O(1), but some system calls. */
static BOOL end_stray( struct socket *sock )
{
    struct socket **entry = find_entry( sock->handle, FALSE ), *expected = sock;
    BOOL still, ended;

    AcquireSRWLockExclusive( &handle_lock );
    if ((still = *entry == sock && is_still( sock ))) __atomic_store_n( &sock->made.handle, NULL, __ATOMIC_SEQ_CST );
    ended = *entry == sock && !still &&
            __atomic_compare_exchange_n( entry, &expected, NULL, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE );
    ReleaseSRWLockExclusive( &handle_lock );
    if (!ended) return FALSE;
    TRACE( "%#Ix was closed by another process\n", sock->handle );
    socket_release( sock );
    finish_close( sock, CLOSE_NOWAIT | CLOSE_GONE, NULL );
    return TRUE;
}

/* A handle that this process thinks it has alone, and another one has, too: perhaps that one has taken it. */
static BOOL is_stray( const struct socket *sock )
{
    unsigned int flags = socket_flags( sock ) & (SOCKET_STRAY | SOCKET_SHARED);

    return flags && ((flags & SOCKET_STRAY) || handle_is_sole( &sock->made ));
}

BOOL socket_is_ours( HANDLE handle )
{
    struct socket *sock = lookup( (SOCKET)handle );

    if (!sock || (is_stray( sock ) && end_stray( sock ))) return FALSE;
    socket_release( sock );
    return TRUE;
}

/* Such a handle is new, so an object of that value may be out of date. */
struct socket *socket_get_offered( SOCKET s )
{
    struct socket *sock;

    while ((sock = adopt( s )) && end_stray( sock )) /* again */;
    if (!sock) return NULL;
    /* given away, given back, and perhaps nobody looked meanwhile: not to be told from an old info */
    if (is_stray( sock )) sock->offered = 1;
    thread_enter( sock );
    return sock;
}

struct socket *socket_get( SOCKET s )
{
    struct socket *sock;

    if (!startup_check()) return NULL;
    do
    {
        if (!(sock = lookup( s )) && !(sock = adopt( s ))) return NULL;
    } while (is_stray( sock ) && end_stray( sock ));
    thread_enter( sock );
    return sock;
}

/* ---- making ---- */

SOCKET socket_publish( struct unix_socket *unix, const struct handle *handle )
{
    SOCKET s = (SOCKET)handle->handle;
    struct socket **entry, *sock, *stale;

    if (!(entry = find_entry( s, TRUE )) || !(sock = new_socket( s, unix, handle )))
    {
        close_unix( unix, CLOSE_NOWAIT | CLOSE_SOLE, NULL );
        handle_give( handle );
        SetLastError( WSAENOBUFS );
        return INVALID_SOCKET;
    }
    /* a stale object here: its handle was closed behind our back, from another process */
    stale = __atomic_exchange_n( entry, sock, __ATOMIC_ACQ_REL );
    if (stale && stale != FREE_HANDLE)
    {
        begin_close( stale );
        thread_wake( stale );
        InterlockedIncrement( &outstayed );
        socket_release( stale );
    }
    return s;
}

BOOL socket_share_handle( HANDLE handle, HANDLE *plain )
{
    struct socket *sock = lookup( (SOCKET)handle );
    BOOL ret = FALSE;

    if (!sock) return FALSE;
    if (handle_is_grouped( &sock->made )) ret = plain && (*plain = handle_make_plain( sock->unix ));
    else
    {
        if (sock->made.handle) UNIX_CALL( mailbox_flush, NULL );
        __atomic_store_n( &sock->made.handle, NULL, __ATOMIC_SEQ_CST );
    }
    socket_release( sock );
    return ret;
}

/* Whoever closes the handle takes the object out of the table first and looks then whether it is shared;
 * we do the reverse. So either we see that it is out, or he closes the handle after us, under the lock. */
unsigned int socket_duplicate( struct socket *sock, HANDLE process, HANDLE *dest )
{
    HANDLE handle = (HANDLE)sock->handle, plain = NULL;
    NTSTATUS status = STATUS_INVALID_HANDLE;

    if (socket_share_handle( handle, &plain )) handle = plain;
    AcquireSRWLockExclusive( &handle_lock );
    if (socket_peek( sock->handle ) == sock) status = bridge_duplicate( handle, process, dest );
    ReleaseSRWLockExclusive( &handle_lock );
    if (plain) bridge_close( plain );
    switch (status)
    {
    case STATUS_SUCCESS:                return 0;
    case STATUS_INVALID_HANDLE:         return WSAENOTSOCK;
    case STATUS_TOO_MANY_OPENED_FILES:  return WSAEMFILE;
    case STATUS_NO_MEMORY:
    case STATUS_INSUFFICIENT_RESOURCES: return WSAENOBUFS;
    default:                            return WSAEINVAL;
    }
}

/* ---- closing ---- */

/* takes the object out of the table and with it the table's reference; NULL if somebody else did */
static struct socket *take_out( SOCKET s )
{
    struct socket **entry = find_entry( s, FALSE ), *sock;

    if (!entry) return NULL;
    sock = __atomic_load_n( entry, __ATOMIC_ACQUIRE );
    while (sock && sock != FREE_HANDLE)
        if (__atomic_compare_exchange_n( entry, &sock, NULL, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE )) return sock;
    return NULL;
}

/* Ends all waits in a socket that is out of the table and lets their threads leave, so
 * that the kernel socket ends now, not when the scheduler comes to them. FALSE: some stay
 * (in a condition function, say); the last of them will close it. */
static BOOL drain( struct socket *sock )
{
    DWORD start = GetTickCount();
    unsigned int i;

    InterlockedExchange( &sock->closing, 1 );
    thread_wake( sock );
    /* this is an APC, a hook or a condition function of a thread that is in it: it leaves when we have returned */
    if (thread_is_in( sock )) return FALSE;
    for (i = 0; __atomic_load_n( &sock->refs, __ATOMIC_ACQUIRE ) > 1; i++)
    {
        if (GetTickCount() - start > LEAVE_WAIT) return FALSE;
        if (i < 16) YieldProcessor();
        else if (i < 64) NtYieldExecution();
        else
        {
            if (!(i % 8)) thread_reap();
            Sleep( 1 );
        }
    }
    return TRUE;
}

/* The helper hears of a closing before the handle goes. FALSE: a thread is still in the
 * socket, and will do this when it leaves. */
static BOOL finish_close( struct socket *sock, unsigned int flags, int *wait_fd )
{
    struct unix_socket *unix = sock->unix;
    BOOL drained;

    if (wait_fd) *wait_fd = -1;
    if (outstayed) thread_reap();
    begin_close( sock );
    if (!(drained = drain( sock )))
    {
        sock->sole = (flags & CLOSE_SOLE) != 0;
        InterlockedIncrement( &outstayed );
    }
    else
    {
        sock->unix = NULL;
        if (close_unix( unix, flags, wait_fd ) == WSAEWOULDBLOCK) close_unix( unix, flags | CLOSE_NOWAIT, NULL );
    }
    socket_release( sock );
    return drained;
}

/* Is it the only handle of the socket anywhere? The object is out of the table already. */
static BOOL is_only( struct socket *sock, const struct handle *made )
{
    const unsigned int flags = socket_flags( sock ) & (SOCKET_STRAY | SOCKET_SHARED);

    if (!flags && handle_is_sole( made )) return TRUE;
    return handle_is_grouped( made ) && made->handle && !(flags & SOCKET_STRAY) && group_is_alone( made );
}

/* Closes socket and handle, or keeps the handle for another socket. A handle that may not be the only one goes first: then
 * the helper can see whether it was the last, and do what the last one's end asks for. */
static void close_all_of( struct socket *sock, unsigned int flags, int *wait_fd )
{
    struct handle made = sock->made;

    if (!is_only( sock, &made ))
    {
        socket_close_handle( (HANDLE)sock->handle );
        finish_close( sock, flags | CLOSE_GONE, wait_fd );
    }
    else if (finish_close( sock, flags | CLOSE_SOLE, wait_fd )) handle_give( &made );
    else socket_close_handle( made.handle );
}

NTSTATUS socket_close_handle( HANDLE handle )
{
    struct socket *again;
    NTSTATUS status;

    AcquireSRWLockExclusive( &handle_lock );
    if (!(again = take_out( (SOCKET)handle ))) unmark_handle( handle );
    status = bridge_close( handle );
    ReleaseSRWLockExclusive( &handle_lock );
    if (again) finish_close( again, CLOSE_NOWAIT, NULL );
    return status;
}

/* {1,n} linger on a non-blocking socket with data unsent: Windows refuses and keeps the socket */
static BOOL must_linger( struct socket *sock )
{
    struct ioctl_params params = { .socket = sock->unix, .code = UNIX_IOCTL_UNSENT };

    if (!socket_is_stream( sock ) || socket_state( sock ) != SOCKET_CONNECTED) return FALSE;
    if (!socket_is_nonblocking( sock ) || (socket_flags( sock ) & SOCKET_RESET)) return FALSE;
    if (!socket_option( sock, OPTION_LINGER_ONOFF ) || !socket_option( sock, OPTION_LINGER_TIME )) return FALSE;
    return (socket_flags( sock ) & SOCKET_BACKLOGGED) || (!UNIX_CALL( ioctl, &params ) && params.value);
}

unsigned int socket_close( SOCKET s )
{
    struct deadline never = deadline_in( 0 );
    struct socket *sock;
    int wait_fd;

    if (!(sock = socket_get( s ))) return GetLastError();
    if (must_linger( sock ))
    {
        socket_put( sock );
        return WSAEWOULDBLOCK;
    }
    socket_put( sock );
    if (!(sock = take_out( s ))) return WSAENOTSOCK;
    close_all_of( sock, 0, &wait_fd );
    if (wait_fd != -1) wait_helper_fd( NULL, wait_fd, &never );
    return 0;
}

BOOL socket_forget_handle( HANDLE handle )
{
    struct socket *sock = take_out( (SOCKET)handle );
    BOOL sole;

    if (!sock) return FALSE;
    TRACE( "%p\n", handle );
    /* another process may have closed it, and the value be something else's: then this is not what ends the socket */
    AcquireSRWLockExclusive( &handle_lock );
    sole = is_only( sock, &sock->made ) && is_still( sock );
    ReleaseSRWLockExclusive( &handle_lock );
    finish_close( sock, sole ? CLOSE_NOWAIT | CLOSE_SOLE : CLOSE_NOWAIT, NULL );
    return TRUE;
}

void socket_enum_grouped( void (*func)( const struct handle *, void * ), void *arg )
{
    unsigned int i, j;
    struct socket *sock;
    struct handle made;

    for (i = 0; i < MAX_PAGES; i++)
    {
        for (j = 0; pages[i] && j < PAGE_ENTRIES; j++)
        {
            /* objects are never freed: it may be another one by now, then the count is wrong, and no harm done */
            if (!(sock = __atomic_load_n( &pages[i][j], __ATOMIC_ACQUIRE )) || sock == FREE_HANDLE) continue;
            made = sock->made;
            if (handle_is_grouped( &made ) && made.handle) func( &made, arg );
        }
    }
}

void socket_close_all(void)
{
    struct socket *sock;
    unsigned int i, j;

    for (i = 0; i < MAX_PAGES; i++)
    {
        if (!pages[i]) continue;
        for (j = 0; j < PAGE_ENTRIES; j++)
        {
            SOCKET s = ((SOCKET)i * PAGE_ENTRIES + j) << 2;

            if ((sock = take_out( s ))) close_all_of( sock, CLOSE_NOWAIT, NULL );
        }
    }
}

/* ---- what other files ask of the helper ---- */

unsigned int socket_connect_status( struct socket *sock )
{
    struct socket_connect_status_params params = { .socket = sock->unix };
    unsigned int error = UNIX_CALL( socket_connect_status, &params );

    if (!error && params.pending) return WSAEWOULDBLOCK;
    return error;
}

unsigned int socket_set_option( struct socket *sock, enum socket_option option, unsigned int value, unsigned int value2 )
{
    struct socket_set_option_params params = { .socket = sock->unix, .option = option, .value = value, .value2 = value2 };

    return UNIX_CALL( socket_set_option, &params );
}
