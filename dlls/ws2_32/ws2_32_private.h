/*
 * ws2_32.dll: what its files share
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

#ifndef __WS2_32_PRIVATE_H
#define __WS2_32_PRIVATE_H

#include <stdarg.h>
#include <stddef.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winbase.h"
#include "winnls.h"
#include "winternl.h"
#include "winsock2.h"
#include "ws2tcpip.h"
#include "mswsock.h"
#include "ws2spi.h"

#include "wine/debug.h"

#define COM_NO_WINDOWS_H
#include "protocol.h"
#include "unixlib.h"
#include "tapster.h"

/* ---- startup.c: WSAStartup, the unix library, the process ---- */

extern HINSTANCE ws2_32_instance;
extern LONG startup_count;              /* WSAStartup less WSACleanup; 0: WSANOTINITIALISED */
extern BOOL startup_is_11;              /* the version negotiated last was 1.x: blocking hooks exist */

extern NTSTATUS (CDECL *unix_call_dispatcher)( UINT64 handle, unsigned int code, void *params );
extern UINT64 unix_handle;              /* 0: no unix library, nothing works */

/* 0 or a Winsock error */
#define UNIX_CALL( func, params ) \
    ((unsigned int)unix_call_dispatcher( unix_handle, unix_ ## func, params ))

extern BOOL startup_check(void);        /* FALSE: last error is WSANOTINITIALISED */
extern BOOL startup_check_caller( void *caller );   /* the same, but Wine's own code may call without WSAStartup */
extern BOOL startup_load(void);         /* the Unix library alone, without WSAStartup. FALSE: there is none */

#include "handle.h"

/* ---- object.c: SOCKET handles ---- */

/* A SOCKET of this process. Objects are never given back to the heap, only
 * reused, so that a look-up may touch one that has just been closed: it takes a
 * reference only from a count above 0 and then looks whether the handle is still
 * the object's. */
struct socket
{
    LONG                refs;           /* the table's and each user's; 0: free */
    LONG                closing;        /* out of the table: users must leave, waits end */
    SOCKET              handle;
    LONG                protected;      /* HANDLE_FLAG_PROTECT_FROM_CLOSE: CloseHandle fails */
    LONG                offered;        /* adopted: may be WSADuplicateSocket's, and WSASocket has not taken it yet */
    BOOL                sole;           /* outstayed, and its handle was the only one */
    struct handle       made;           /* how the handle was made; none (handle 0): adopted, or shared since */
    struct unix_socket *unix;           /* shared with other handles of the same kernel socket */
    struct socket      *next;           /* in the list of free objects */
};

/* A referenced object, or NULL with the last error set (WSANOTINITIALISED,
 * WSAENOTSOCK). A handle that this process has not seen is adopted. O(1), no lock. */
extern struct socket *socket_get( SOCKET s );
extern void socket_put( struct socket *sock );
/* gives a reference up that is noted for no thread (socket_put: the calling thread's) */
extern void socket_release( struct socket *sock );

/* the published state: atomic loads, no call */
static inline const struct slot *socket_slot( const struct socket *sock )
{
    return *(const struct slot * const volatile *)&sock->unix->slot;
}

static inline unsigned int socket_flags( const struct socket *sock )
{
    return *(const volatile u32 *)&socket_slot( sock )->flags;
}

static inline unsigned int socket_state( const struct socket *sock )
{
    return *(const volatile u32 *)&socket_slot( sock )->state;
}

static inline unsigned int socket_option( const struct socket *sock, enum socket_option option )
{
    return *(const volatile u32 *)&socket_slot( sock )->options[option];
}

static inline BOOL socket_is_stream( const struct socket *sock )
{
    return socket_slot( sock )->type == SOCK_STREAM;
}

/* of messages, by our own provider (local.c) */
static inline BOOL socket_is_local( const struct socket *sock )
{
    return socket_slot( sock )->family == AF_TAPSTER;
}

/* is it one of those that listen, connect and end? */
static inline BOOL socket_has_connections( const struct socket *sock )
{
    return socket_is_stream( sock ) || socket_is_local( sock );
}

static inline BOOL socket_is_nonblocking( const struct socket *sock )
{
    return (socket_flags( sock ) & SOCKET_NONBLOCKING) != 0;
}

/* an object for a socket that has just been made with that handle; takes both over, releases them
 * on failure. INVALID_SOCKET with the last error. */
extern SOCKET socket_publish( struct unix_socket *unix, const struct handle *handle );
/* closesocket: ends the handle, waits for linger. A Winsock error. */
extern unsigned int socket_close( SOCKET s );
extern void socket_close_all(void);     /* the last WSACleanup */
/* the bridge's: a handle of ours is about to be closed by NtClose or NtDuplicateObject */
extern BOOL socket_forget_handle( HANDLE handle );
/* then: closes the handle itself, so that nobody adopts it meanwhile */
extern NTSTATUS socket_close_handle( HANDLE handle );
/* The handle is nobody's and kept for another socket: no socket, and closed for the program.
 * FALSE: a thread that used it while it was closed has adopted it; it must be closed. */
extern BOOL socket_keep_handle( HANDLE handle );
extern BOOL socket_is_free_handle( HANDLE handle );
/* Another handle of it may exist from now on. TRUE: of a grouped one a plain handle is to be duplicated instead, which is
 * the caller's to close; with plain NULL nothing will be duplicated. */
extern BOOL socket_share_handle( HANDLE handle, HANDLE *plain );
/* those in the table that are of a group; no lock is held */
extern void socket_enum_grouped( void (*func)( const struct handle *, void * ), void *arg );
/* makes one, in any process. WSAENOTSOCK: closed meanwhile; WSAEINVAL (the process has ended), WSAEMFILE, WSAENOBUFS */
extern unsigned int socket_duplicate( struct socket *sock, HANDLE process, HANDLE *dest );
/* as socket_get for a handle that WSADuplicateSocket gave: see offered */
extern struct socket *socket_get_offered( SOCKET s );
/* for ReadFile and WriteFile: is it a socket that this process knows? */
extern BOOL socket_is_ours( HANDLE handle );
/* without a reference and without adopting: for many sockets at once (select). The
 * result may be closed and reused at any moment: look again whether the handle is still its. */
extern struct socket *socket_peek( SOCKET s );
/* state after a connect whose end is not known yet: asks the helper. Winsock error of the connect, WSAEWOULDBLOCK pending */
extern unsigned int socket_connect_status( struct socket *sock );
/* sets an option through the helper; a Winsock error */
extern unsigned int socket_set_option( struct socket *sock, enum socket_option option, unsigned int value, unsigned int value2 );

/* ---- thread.c: what a thread has of ours ---- */

/* a reference of a thread's */
struct thread_use
{
    struct socket *sock;
    volatile LONG *pending;             /* a receive of it waits: the counter that says so; NULL */
    struct handle  handle;              /* accept has it ready for a connection; none (handle 0) */
    struct unix_socket *connection;     /* which a condition function decides on; NULL */
};

#define THREAD_FIRST_USES 8             /* uses without heap: select may have more */

struct thread_data
{
    DWORD               tid;
    int                 unix_id;        /* the kernel's; 0: the thread has not been in a socket yet */
    struct thread_use  *uses;           /* what must be given up if it ends within a call */
    unsigned int        use_count;
    unsigned int        use_room;
    struct thread_use   first_uses[THREAD_FIRST_USES];
    int                 wake_fd;        /* an eventfd: ends the thread's wait; -1 until first used */
    struct socket      *waiting;        /* it waits in this socket; THREAD_WAITS_MANY: in several */
    LONG                apcs;           /* user APCs may be queued: run them before and during a wait */
    LONG                system_apcs;    /* such as wineserver queues may come: look from time to time */
    LONG                cancelled;      /* WSACancelBlockingCall */
    LONG                in_hook;        /* its blocking hook runs (1.1: blocking calls fail WSAEINPROGRESS) */
    FARPROC             hook;           /* WSASetBlockingHook; NULL: the default one */
    BOOL                posts;          /* it has posted overlapped operations: they end with it */
    HANDLE              self;           /* a handle of the thread, NULL: not needed so far */
    DWORD               open_type;      /* SO_OPENTYPE: not 0: socket() makes non-overlapped ones */
    char                ntoa[16];       /* inet_ntoa's result */
    void               *hostent;        /* gethostbyX's result, heap */
    unsigned int        hostent_size;
    void               *servent;        /* getservbyX's */
    unsigned int        servent_size;
    void               *protoent;       /* getprotobyX's */
    unsigned int        protoent_size;
    struct thread_data *next;           /* all threads that ever waited */
};

#define THREAD_WAITS_MANY ((struct socket *)1)  /* thread_data.waiting: select and kin; every closing wakes them */

extern struct thread_data *thread_get(void);    /* NULL only without memory: WSAENOBUFS */
extern BOOL thread_attach_process(void);
extern BOOL thread_prepare_wait( struct thread_data *data );    /* makes its wake_fd */
extern void thread_note_apc( DWORD tid );       /* a user APC was queued to this thread of ours */
extern void thread_wake( struct socket *sock ); /* ends all waits in it, and all waits in many */
extern void thread_wake_in( const struct unix_socket *unix ); /* those that wait in it look again */
extern LONG thread_wakes(void);         /* how many times so far: for wait_many */
extern void thread_detach(void);
extern DWORD thread_posts( void );      /* this thread posts an operation, which ends with it; its id */
extern HANDLE thread_handle(void);      /* of this thread, for its life; NULL: no memory */
/* this thread has a reference; no longer (the newest go first, or it takes O(references of the thread)) */
extern void thread_enter( struct socket *sock );
extern void thread_leave( struct socket *sock );
/* around a receive that waits, in the socket that the thread entered last */
extern void thread_receive_begin( volatile LONG *pending );
extern void thread_receive_end(void);
/* around an accept on the listener that the thread entered last: what is nobody's yet */
extern void thread_accept_begin( const struct handle *handle );
extern void thread_accept_decides( struct unix_socket *connection );    /* NULL: it has decided */
extern void thread_accept_end(void);
/* is the calling thread in the socket? */
extern BOOL thread_is_in( const struct socket *sock );
/* gives up what threads had that have been terminated. O(threads), a system call for each that is in a socket */
extern void thread_reap(void);
/* this one has just been terminated */
extern void thread_terminated( HANDLE thread );

/* ---- wait.c: blocking ---- */

/* when a wait ends, in ns of the performance counter; -1: never */
struct deadline
{
    LONGLONG at;
};

extern struct deadline deadline_in_ns( LONGLONG ns );   /* 0: now */
extern struct deadline deadline_in( unsigned int ms );  /* 0: never, as SO_RCVTIMEO has it */

/* What is polled to wait for a socket: a listener's tells of connections put back by other processes, too. */
extern int wait_fd_of( struct socket *sock );
/* Waits until the socket has one of the events (UNIX_POLLIN...), alertably. 0, WSAETIMEDOUT,
 * WSAEINTR (closed by another thread, or cancelled). APCs and the blocking hook run meanwhile. */
extern unsigned int wait_socket( struct socket *sock, short events, const struct deadline *deadline );
/* The same for several fds (room for one more in fds); sets *ready. Any of them may be closed meanwhile, so it
 * returns, with nothing ready, when any socket has been closed since thread_wakes() was wakes: look again. */
extern unsigned int wait_many( struct unix_pollfd *fds, unsigned int count, unsigned int *ready, LONG wakes,
                               const struct deadline *deadline );
/* Until an fd is readable, or the socket is closed; *ready FALSE: woken for another reason. */
extern unsigned int wait_fd( struct socket *sock, int fd, BOOL *ready, const struct deadline *deadline );
/* until a helper's fd is readable; closes it */
extern unsigned int wait_helper_fd( struct socket *sock, int fd, const struct deadline *deadline );

/* ---- memory.c: the program's pointers ---- */

/* TRUE if every page of it can be read (written) now. Never faults. O(pages).
 * len 0 is always TRUE. Write-watched and guard pages get their fault here, not in the kernel. */
extern BOOL probe_read( const void *ptr, SIZE_T len );
extern BOOL probe_write( void *ptr, SIZE_T len );
/* copies that may fault: FALSE then */
extern BOOL copy_safe( void *dst, const void *src, SIZE_T len );
/* a NUL-terminated string of at most max bytes: its length, or -1 when it can't be read or is longer */
extern int probe_string( const char *str, unsigned int max );
extern int probe_wstring( const WCHAR *str, unsigned int max );     /* in characters */
/* a NUL-terminated string into dst, which has room for size characters: 0, WSAEFAULT, WSAENAMETOOLONG */
extern unsigned int copy_string( char *dst, unsigned int size, const char *src );
extern unsigned int copy_wstring( WCHAR *dst, unsigned int size, const WCHAR *src );

/* ---- netdb.c: protocols and services ---- */

/* ports in network order; proto NULL: whichever comes first. 0 or WSANO_DATA */
extern unsigned int netdb_port( const char *service, const char *proto, USHORT *port );
extern unsigned int netdb_service( USHORT port, const char *proto, char *name, unsigned int size );
/* grows a buffer of thread_data; NULL without memory */
extern void *netdb_thread_buffer( void **buffer, unsigned int *size, unsigned int needed );
/* a list of the strings of struct unix_strings, with NULL behind them */
extern void netdb_split( char *str, unsigned int count, char **list );

/* ---- debug.c: printers for TRACE ---- */

extern const char *debugstr_sockaddr( const void *addr, int len );  /* safe on any pointer */
extern const char *debugstr_level_option( int level, int name );
extern const char *debugstr_ioctl( DWORD code );
extern const char *debugstr_family( int family );
extern const char *debugstr_type( int type );
extern const char *debugstr_protocol( int protocol );
extern const char *debugstr_msg_flags( DWORD flags );
extern const char *debugstr_error( unsigned int error );
/* how that function ends */
extern void trace_error( const char *func, unsigned int error );
extern void trace_count( const char *func, unsigned int count );
extern void trace_socket( const char *func, SOCKET s );

/* What a program may do again and again is told once, and then only traced. */
#define FIXME_ONCE( ... ) \
    do { static BOOL told; if (told) TRACE( __VA_ARGS__ ); else { told = TRUE; FIXME( __VA_ARGS__ ); } } while (0)

/* ---- address checks shared by bind, connect, sendto (connect.c) ---- */

static inline int address_length( int family )
{
    return family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

/* copies a program's address into dst (28 bytes): 0, WSAEFAULT (bad pointer or length), WSAEAFNOSUPPORT (another family) */
extern unsigned int address_copy( struct socket *sock, const struct sockaddr *addr, int len, struct address *dst );
/* copies an address to the program: WSAEFAULT when *len is too small or a pointer is bad */
extern unsigned int address_return( const struct address *src, struct sockaddr *addr, int *len );
/* will that be possible with an address of this socket's family? 0 or WSAEFAULT */
extern unsigned int address_check_room( const struct socket *sock, struct sockaddr *addr, int *len );

/* a published address, as a whole: the helper may be writing it */
extern void address_read( const struct slot *slot, const struct address *which, struct address *dst );

/* ---- local.c: sockets of messages with connect and disconnect data ---- */

/* one attempt, as recv_try; what a send's error means */
extern unsigned int local_recv_try( struct socket *sock, struct recv_params *params );
extern unsigned int local_send_error( struct socket *sock, unsigned int error );
/* connect's request with the caller's data (NULL: none): as socket_connect */
extern unsigned int local_start_connect( struct socket *sock, const struct address *address, const WSABUF *data, BOOL *pending );
/* WSAConnect's buffers, before and after it */
extern unsigned int local_check_connect( const WSABUF *caller_data, WSABUF *data, char *room, const WSABUF *callee_data );
extern unsigned int local_return_callee( struct socket *sock, WSABUF *callee_data );
/* a connection that WSAAccept has at hand: what the caller sent, LOCAL_MAX_DATA at most; and the answer */
extern unsigned int local_caller_data( struct unix_socket *connection, WSABUF *data );
extern unsigned int local_answer( struct unix_socket *connection, const WSABUF *data );
extern unsigned int local_send_disconnect( struct socket *sock, const WSABUF *data );
extern unsigned int local_recv_disconnect( struct socket *sock, WSABUF *data );
/* connect and disconnect data as options have them: bytes, TAPSTER_MAX_DATA at most */
extern unsigned int local_get_connect_data( struct socket *sock, void *data, int *len );
extern unsigned int local_get_disconnect_data( struct socket *sock, void *data, int *len );
/* ready_from_poll of a connected one */
extern unsigned int local_ready( struct socket *sock, short revents );

/* ---- shutdown.c ---- */

extern unsigned int shutdown_socket( struct socket *sock, int how );

/* ---- buffers.c: a program's WSABUFs; none of it faults ---- */

extern BOOL buffers_check( const WSABUF *bufs, DWORD count );   /* can the array itself be read? */
extern SIZE_T buffers_length( const WSABUF *bufs, DWORD count );
/* What they point to. O(pages). Where the kernel itself will find a bad one before it has done anything, they
 * may say TRUE: expect WSAEFAULT. */
extern BOOL buffers_readable( const WSABUF *bufs, DWORD count );
extern BOOL buffers_writable_or_simple( const WSABUF *bufs, DWORD count, SIZE_T skip, SIZE_T max );
/* surely, for the first max bytes after skip */
extern BOOL buffers_writable( const WSABUF *bufs, DWORD count, SIZE_T skip, SIZE_T max );
extern BOOL buffers_scatter( const WSABUF *bufs, DWORD count, SIZE_T skip, const char *src, SIZE_T len );
extern const char *debugstr_buffers( const WSABUF *bufs, DWORD count );

/* ---- recv.c, send.c: data ---- */

/* One attempt, for whoever waits in whatever way: 0 with params->result, WSAEWOULDBLOCK, or how it failed, in
 * Winsock's words: a reset is noted for all processes. The program's buffers may be bad: WSAEFAULT, and nothing is
 * lost. params->socket must be set. */
extern unsigned int recv_try( struct socket *sock, struct recv_params *params );
extern unsigned int send_try( struct socket *sock, struct send_params *params );
/* the kernel says that the connection is gone: the error that all calls give from now on */
extern unsigned int recv_connection_lost( struct socket *sock );
/* what the program is to hear of a stream's error, which may be such an end */
extern unsigned int recv_stream_failed( struct socket *sock, unsigned int error );
/* 0 if the stream is connected, or WSAENOTCONN */
static inline unsigned int check_connected( struct socket *sock )
{
    unsigned int state = socket_state( sock );

    if (state == SOCKET_CONNECTED) return 0;
    return state == SOCKET_CONNECTING && !socket_connect_status( sock ) ? 0 : WSAENOTCONN;
}
/* is this an overlapped operation? Otherwise the OVERLAPPED means nothing. */
static inline BOOL is_overlapped( const struct socket *sock, const WSAOVERLAPPED *overlapped )
{
    return overlapped && (socket_option( sock, OPTION_CONTEXT ) & 1);
}
/* by SIO_GET_EXTENSION_FUNCTION_POINTER */
extern int WINAPI WSARecvMsg( SOCKET s, WSAMSG *msg, DWORD *received, WSAOVERLAPPED *overlapped,
                              LPWSAOVERLAPPED_COMPLETION_ROUTINE completion );

/* ---- accept.c ---- */

/* a connection that nobody wants, and that has no handle: it is reset */
extern void accept_refuse( struct unix_socket *connection );

/* ---- overlapped.c ---- */

/* what Winsock calls the end of an operation, and the flags of a receive */
extern unsigned int overlapped_error( NTSTATUS status );
extern DWORD overlapped_flags( NTSTATUS status );

/* ---- recv_overlapped.c, send_overlapped.c: receives and sends that may wait ---- */

struct completion;
/* What has been checked is posted: as engine_post. params as for recv_try, with the program's buffers; addr, addr_len, msg,
 * count, flags (NULL each): where the results go, the last two if it is done at once. */
struct recv_results
{
    struct sockaddr *addr;
    int             *addr_len;
    WSAMSG          *msg;
    DWORD           *count;
    DWORD           *flags;
};
extern unsigned int recv_post( struct socket *sock, const struct recv_params *params, DWORD flags,
                               const struct recv_results *results, const struct completion *completion );
extern unsigned int send_post( struct socket *sock, const struct send_params *params, DWORD *count,
                               const struct completion *completion );
/* recv.c, send.c: ReadFile's and WriteFile's overlapped operations */
extern unsigned int recv_file( struct socket *sock, const WSABUF *buf, const struct completion *completion );
extern unsigned int send_file( struct socket *sock, const WSABUF *buf, const struct completion *completion );
/* recv.c: what a message says on its way back; 0, WSAEMSGSIZE, WSAEFAULT */
extern unsigned int recv_return_msg( const struct recv_params *params, const struct address *from, const WSAMSG *msg,
                                     WSAMSG *program_msg );

/* ---- send_turn.c: the threads of this process that send on one stream take turns ---- */

/* TRUE: it is this thread's. Else wait for it: 0, WSAETIMEDOUT, WSAEINTR (closed). Non-blocking: WSAEWOULDBLOCK when
 * whoever has it waits for room; no deadline then. */
extern BOOL turn_take( struct socket *sock );
/* a send that waits for room: does a shutdown want its rest to go to the helper? */
extern BOOL turn_rest_wanted( struct socket *sock );
/* before a shutdown: has a send that waits give its rest to the helper, and waits for that */
extern void turn_want_rest( struct socket *sock );
extern unsigned int turn_wait( struct socket *sock, BOOL nonblocking, const struct deadline *deadline );
extern void turn_keep( struct socket *sock );   /* it will take long: those that can't wait should know */
extern void turn_leave( struct socket *sock );
/* The engine's, for all the sends that wait in it. FALSE: it is somebody's, who will call engine_send_on. */
extern BOOL turn_take_for( struct socket *sock, DWORD tid );
extern void turn_leave_for( struct socket *sock );
/* a thread has ended that was in the socket, or waited for its turn in any */
extern void turn_abandon( struct unix_socket *unix, DWORD tid );
extern void turn_stop_waiting( DWORD tid );

/* ---- catalog.c: the protocols there are ---- */

/* The entry that socket() uses; 0 of type or protocol: any (RAW entries take every protocol).
 * FALSE: there is none. */
extern BOOL catalog_find( int family, int type, int protocol, WSAPROTOCOL_INFOW *info );
extern void catalog_info_to_a( const WSAPROTOCOL_INFOW *src, WSAPROTOCOL_INFOA *dst );
/* hands the error over where the WSC functions have it; WSAEFAULT if that can't be */
extern unsigned int provider_error( unsigned int error, INT *err );
/* debugstr_guid for a program's pointer */
extern const char *debugstr_provider( const GUID *guid );

/* ---- sharing.c: sockets that WSADuplicateSocket gave to this process ---- */

/* WSAEINVAL: the info is none of these, or has been used */
extern unsigned int sharing_take( const WSAPROTOCOL_INFOW *info, BOOL inherit, SOCKET *ret );

/* ---- option.c ---- */

/* what SO_PROTOCOL_INFO says of a socket; WSAENOPROTOOPT: the catalog has none like it */
extern unsigned int option_protocol_info( const struct socket *sock, WSAPROTOCOL_INFOW *info );

/* the slot's room for ws2_32's own */
#define OPTION_NOT_V6ONLY       OPTION_EXTRA0   /* IPV6_V6ONLY of an AF_INET socket was set to 0 */
#define OPTION_PROTECTION_LEVEL OPTION_EXTRA1   /* IPV6_PROTECTION_LEVEL as set, 0 never */

/* ---- endings of an export ---- */

/* Every export ends in one of these, or traces "-> " and what it returns. While nothing is traced
 * they cost no call. */
static inline unsigned int end_call( const char *traced, unsigned int error )
{
    if (traced) trace_error( traced, error );
    return error;
}

static inline int end_call_set( const char *traced, unsigned int error )
{
    if (!end_call( traced, error )) return 0;
    SetLastError( error );
    return SOCKET_ERROR;
}

static inline int end_call_count( const char *traced, unsigned int error, unsigned int count )
{
    if (error) return end_call_set( traced, error );
    if (traced) trace_count( traced, count );
    return count;
}

static inline SOCKET end_call_socket( const char *traced, unsigned int error, SOCKET s )
{
    if (error) return (SOCKET)end_call_set( traced, error );
    if (traced) trace_socket( traced, s );
    return s;
}

#define TRACED_FUNC                 (TRACE_ON( winsock ) ? __func__ : NULL)
/* the error itself */
#define return_code( error )        end_call( TRACED_FUNC, error )
/* the others set the last error: SOCKET_ERROR, or 0 without an error */
#define return_error( error )       end_call_set( TRACED_FUNC, error )
/* FALSE, or TRUE without an error */
#define return_bool( error )        (!return_error( error ))
/* SOCKET_ERROR, or the count without an error */
#define return_count( error, count ) end_call_count( TRACED_FUNC, error, count )
/* INVALID_SOCKET, or the socket without an error */
#define return_socket( error, s )   end_call_socket( TRACED_FUNC, error, s )
/* NULL; only with an error */
#define return_null( error )        (return_error( error ), NULL)

#endif /* __WS2_32_PRIVATE_H */
