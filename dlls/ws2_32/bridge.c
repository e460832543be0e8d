/*
 * The NT bridge: ntdll functions that must know our handles
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

/* To wineserver a SOCKET of ours is a mailbox (protocol.idl); what more there is to
 * it only this process and the helper know. So CloseHandle on one must reach us, and ReadFile, and
 * what brings it to other processes; and an APC must reach a thread that waits in poll(). Every Nt* function of ntdll is a stub of 32 bytes,
 * aligned to 16, with absolute addresses only: a copy of it is the original
 * function, and one aligned store of 8 bytes makes the stub jump to ours, safely
 * while other threads run through it. The jump reaches 2 GB, so it goes to a
 * page close to ntdll that jumps on.
 *
 * A stub that looks different is left alone, and what depends on it is lost: a
 * FIXME says so. */

#include "ws2_32_private.h"
#include "bridge.h"
#include "group.h"
#include "child.h"
#include "file.h"
#include "engine.h"

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

/* exported by ntdll to the PE side */
extern NTSTATUS CDECL wine_server_handle_to_fd( HANDLE handle, unsigned int access, int *fd, unsigned int *options );

#define STUB_SIZE 32
#define PAGE_SIZE 0x1000

static NTSTATUS (WINAPI *original_NtClose)( HANDLE );
static NTSTATUS (WINAPI *original_NtDuplicateObject)( HANDLE, HANDLE, HANDLE, HANDLE *, ACCESS_MASK, ULONG, ULONG );
static NTSTATUS (WINAPI *original_NtQueueApcThread)( HANDLE, PNTAPCFUNC, ULONG_PTR, ULONG_PTR, ULONG_PTR );
static NTSTATUS (WINAPI *original_NtTerminateThread)( HANDLE, LONG );
static NTSTATUS (WINAPI *original_NtSetTimer)( HANDLE, const LARGE_INTEGER *, PTIMER_APC_ROUTINE, void *, BOOLEAN, ULONG, BOOLEAN * );
static NTSTATUS (WINAPI *original_NtReadFile)( HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *, void *, ULONG, LARGE_INTEGER *, ULONG * );
static NTSTATUS (WINAPI *original_NtWriteFile)( HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *, const void *, ULONG, LARGE_INTEGER *, ULONG * );
static NTSTATUS (WINAPI *original_NtSetInformationFile)( HANDLE, IO_STATUS_BLOCK *, void *, ULONG, FILE_INFORMATION_CLASS );
static NTSTATUS (WINAPI *original_NtCancelIoFile)( HANDLE, IO_STATUS_BLOCK * );
static NTSTATUS (WINAPI *original_NtCancelIoFileEx)( HANDLE, IO_STATUS_BLOCK *, IO_STATUS_BLOCK * );
static NTSTATUS (WINAPI *original_NtWaitForSingleObject)( HANDLE, BOOLEAN, const LARGE_INTEGER * );
static NTSTATUS (WINAPI *original_NtWaitForMultipleObjects)( ULONG, const HANDLE *, BOOLEAN, BOOLEAN, const LARGE_INTEGER * );
static NTSTATUS (WINAPI *original_NtSetInformationObject)( HANDLE, OBJECT_INFORMATION_CLASS, void *, ULONG );
static NTSTATUS (WINAPI *original_NtCreateUserProcess)( HANDLE *, HANDLE *, ACCESS_MASK, ACCESS_MASK, OBJECT_ATTRIBUTES *,
                                                        OBJECT_ATTRIBUTES *, ULONG, ULONG, RTL_USER_PROCESS_PARAMETERS *,
                                                        PS_CREATE_INFO *, PS_ATTRIBUTE_LIST * );

/* ---- the functions that stand in ---- */

static NTSTATUS WINAPI bridge_NtClose( HANDLE handle )
{
    struct socket *sock = socket_peek( (SOCKET)handle );

    /* the program has closed it before: that we keep it is no concern of his */
    if (socket_is_free_handle( handle )) return STATUS_INVALID_HANDLE;
    if (sock && sock->protected) return original_NtClose( handle );
    if (socket_forget_handle( handle )) return socket_close_handle( handle );
    return original_NtClose( handle );
}

static BOOL is_this_process( HANDLE process )
{
    PROCESS_BASIC_INFORMATION info;

    if (process == GetCurrentProcess()) return TRUE;
    return !NtQueryInformationProcess( process, ProcessBasicInformation, &info, sizeof(info), NULL ) &&
           info.UniqueProcessId == GetCurrentProcessId();
}

/* Another process's handle is duplicated by our doing, or closed. If it is a socket's, that process must know that it has not
 * the only one, and look what the value is when it uses it again: nobody else will tell it. */
static void tell_stray( HANDLE process, HANDLE source, BOOL closed )
{
    struct socket_stray_params params = { .closed = closed };
    HANDLE copy;

    if (original_NtDuplicateObject( process, source, GetCurrentProcess(), &copy, 0, 0, DUPLICATE_SAME_ACCESS )) return;
    params.handle = HandleToULong( source );
    if (!wine_server_handle_to_fd( copy, 0, &params.fd, NULL )) UNIX_CALL( socket_stray, &params );
    original_NtClose( copy );
}

/* The duplicate is adopted at once when it is in this process: it shares the socket's state
 * even if the first handle is closed before the second is used. */
static NTSTATUS WINAPI bridge_NtDuplicateObject( HANDLE source_process, HANDLE source, HANDLE dest_process, HANDLE *dest,
                                                 ACCESS_MASK access, ULONG attributes, ULONG options )
{
    BOOL known = socket_peek( (SOCKET)source ) != NULL;
    BOOL here = is_this_process( source_process );
    HANDLE from = source, plain = NULL;
    NTSTATUS status;
    struct socket *sock;

    if (!here) tell_stray( source_process, source, (options & DUPLICATE_CLOSE_SOURCE) != 0 );
    if (source_process == GetCurrentProcess() && socket_is_free_handle( source )) return STATUS_INVALID_HANDLE;
    if (!known || !here) return original_NtDuplicateObject( source_process, source, dest_process, dest, access, attributes, options );

    if (socket_share_handle( source, &plain )) from = plain;
    status = original_NtDuplicateObject( GetCurrentProcess(), from, dest_process, dest, access, attributes,
                                         options & ~DUPLICATE_CLOSE_SOURCE );
    if (plain) original_NtClose( plain );
    if (!status && dest && is_this_process( dest_process ) && (sock = socket_get( (SOCKET)*dest ))) socket_put( sock );
    if (options & DUPLICATE_CLOSE_SOURCE) bridge_NtClose( source );
    return status;
}

/* the thread may wait in poll() */
static NTSTATUS WINAPI bridge_NtQueueApcThread( HANDLE thread, PNTAPCFUNC func, ULONG_PTR arg1, ULONG_PTR arg2, ULONG_PTR arg3 )
{
    NTSTATUS status = original_NtQueueApcThread( thread, func, arg1, arg2, arg3 );
    THREAD_BASIC_INFORMATION info;

    if (!status && !NtQueryInformationThread( thread, ThreadBasicInformation, &info, sizeof(info), NULL ) &&
        HandleToULong( info.ClientId.UniqueProcess ) == GetCurrentProcessId())
        thread_note_apc( HandleToULong( info.ClientId.UniqueThread ) );
    return status;
}

/* it may have been in a call of ours, and can't leave it any more */
static NTSTATUS WINAPI bridge_NtTerminateThread( HANDLE thread, LONG code )
{
    NTSTATUS status = original_NtTerminateThread( thread, code );

    if (!status) thread_terminated( thread );
    return status;
}

/* wineserver will queue an APC to this thread some time: its waits must look for it */
static void expect_system_apcs(void)
{
    struct thread_data *thread = thread_get();

    if (thread) thread->system_apcs = 1;
}

static NTSTATUS WINAPI bridge_NtSetTimer( HANDLE handle, const LARGE_INTEGER *when, PTIMER_APC_ROUTINE callback, void *arg,
                                          BOOLEAN resume, ULONG period, BOOLEAN *state )
{
    if (callback) expect_system_apcs();
    return original_NtSetTimer( handle, when, callback, arg, resume, period, state );
}

static NTSTATUS WINAPI bridge_NtReadFile( HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc, void *context, IO_STATUS_BLOCK *io,
                                          void *buffer, ULONG len, LARGE_INTEGER *offset, ULONG *key )
{
    if (socket_is_ours( handle )) return file_read( handle, event, apc, context, io, buffer, len, offset );
    if (apc) expect_system_apcs();
    return original_NtReadFile( handle, event, apc, context, io, buffer, len, offset, key );
}

static NTSTATUS WINAPI bridge_NtWriteFile( HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc, void *context, IO_STATUS_BLOCK *io,
                                           const void *buffer, ULONG len, LARGE_INTEGER *offset, ULONG *key )
{
    if (socket_is_ours( handle )) return file_write( handle, event, apc, context, io, buffer, len, offset );
    if (apc) expect_system_apcs();
    return original_NtWriteFile( handle, event, apc, context, io, buffer, len, offset, key );
}

static NTSTATUS set_port( struct socket *sock, const FILE_COMPLETION_INFORMATION *info, ULONG len )
{
    if (len < sizeof(*info)) return STATUS_INFO_LENGTH_MISMATCH;
    return engine_set_port( sock, info->CompletionPort, info->CompletionKey );
}

static NTSTATUS set_modes( struct socket *sock, const FILE_IO_COMPLETION_NOTIFICATION_INFORMATION *info, ULONG len )
{
    if (len < sizeof(*info)) return STATUS_INFO_LENGTH_MISMATCH;
    if (info->Flags & ~(FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE | FILE_SKIP_SET_USER_EVENT_ON_FAST_IO))
        return STATUS_INVALID_PARAMETER;
    engine_add_modes( sock, info->Flags );
    return STATUS_SUCCESS;
}

/* what wineserver would refuse, or know of a file that is none */
static NTSTATUS WINAPI bridge_NtSetInformationFile( HANDLE handle, IO_STATUS_BLOCK *io, void *info, ULONG len,
                                                    FILE_INFORMATION_CLASS class )
{
    struct socket *sock;
    NTSTATUS status;

    if (class != FileCompletionInformation && class != FileIoCompletionNotificationInformation)
        return original_NtSetInformationFile( handle, io, info, len, class );
    if (!socket_peek( (SOCKET)handle ) || !(sock = socket_get( (SOCKET)handle )))
        return original_NtSetInformationFile( handle, io, info, len, class );
    status = class == FileCompletionInformation ? set_port( sock, info, len ) : set_modes( sock, info, len );
    socket_put( sock );
    if (!status) io->Information = 0;
    if (!status) io->Status = status;
    return status;
}

/* handle: of which operations, those of one OVERLAPPED (which) or all, of one thread or all */
static BOOL cancel( HANDLE handle, const IO_STATUS_BLOCK *which, DWORD tid, NTSTATUS *status )
{
    struct socket *sock;

    if (!socket_peek( (SOCKET)handle ) || !(sock = socket_get( (SOCKET)handle ))) return FALSE;
    *status = engine_cancel( sock, which, tid ) ? STATUS_SUCCESS : STATUS_NOT_FOUND;
    socket_put( sock );
    return TRUE;
}

/* of this thread alone; that there was nothing is no error */
static NTSTATUS WINAPI bridge_NtCancelIoFile( HANDLE handle, IO_STATUS_BLOCK *io )
{
    NTSTATUS status;

    if (!cancel( handle, NULL, GetCurrentThreadId(), &status )) return original_NtCancelIoFile( handle, io );
    io->Information = 0;
    return io->Status = STATUS_SUCCESS;
}

static NTSTATUS WINAPI bridge_NtCancelIoFileEx( HANDLE handle, IO_STATUS_BLOCK *which, IO_STATUS_BLOCK *io )
{
    NTSTATUS status;

    if (!cancel( handle, which, 0, &status )) return original_NtCancelIoFileEx( handle, which, io );
    io->Information = 0;
    return io->Status = status;
}

/* what is waited for instead of a socket's handle */
static HANDLE waitable( HANDLE handle )
{
    struct socket *sock;
    HANDLE signal = NULL;

    if (!socket_peek( (SOCKET)handle ) || !(sock = socket_get( (SOCKET)handle ))) return handle;
    signal = engine_signal( sock );
    socket_put( sock );
    return signal ? signal : handle;
}

static NTSTATUS WINAPI bridge_NtWaitForSingleObject( HANDLE handle, BOOLEAN alertable, const LARGE_INTEGER *timeout )
{
    return original_NtWaitForSingleObject( waitable( handle ), alertable, timeout );
}

static NTSTATUS WINAPI bridge_NtWaitForMultipleObjects( ULONG count, const HANDLE *handles, BOOLEAN any, BOOLEAN alertable,
                                                        const LARGE_INTEGER *timeout )
{
    HANDLE copy[MAXIMUM_WAIT_OBJECTS];
    ULONG i;

    if (!count || count > MAXIMUM_WAIT_OBJECTS)
        return original_NtWaitForMultipleObjects( count, handles, any, alertable, timeout );
    for (i = 0; i < count; i++) copy[i] = waitable( handles[i] );
    return original_NtWaitForMultipleObjects( count, copy, any, alertable, timeout );
}

/* Of NtSetInformationObject, which different versions of Wine's headers call differently */
#define OBJECT_HANDLE_FLAGS ((OBJECT_INFORMATION_CLASS)4)

struct handle_flags
{
    BOOLEAN inherit;
    BOOLEAN protect;
};

/* it may be another kind of handle afterwards: not for the next socket */
static NTSTATUS WINAPI bridge_NtSetInformationObject( HANDLE handle, OBJECT_INFORMATION_CLASS class, void *data, ULONG len )
{
    NTSTATUS status;
    struct socket *sock;

    if (socket_is_free_handle( handle )) return STATUS_INVALID_HANDLE;
    if (socket_peek( (SOCKET)handle )) socket_share_handle( handle, NULL );
    status = original_NtSetInformationObject( handle, class, data, len );
    if (!status && class == OBJECT_HANDLE_FLAGS && (sock = socket_peek( (SOCKET)handle )))
        sock->protected = ((const struct handle_flags *)data)->protect;
    return status;
}

static NTSTATUS WINAPI bridge_NtCreateUserProcess( HANDLE *process, HANDLE *thread, ACCESS_MASK process_access,
                                                   ACCESS_MASK thread_access, OBJECT_ATTRIBUTES *process_attr,
                                                   OBJECT_ATTRIBUTES *thread_attr, ULONG process_flags, ULONG thread_flags,
                                                   RTL_USER_PROCESS_PARAMETERS *params, PS_CREATE_INFO *info,
                                                   PS_ATTRIBUTE_LIST *attributes )
{
    struct child child;
    NTSTATUS status;

    /* console programs get their std handles also without inheritance */
    handle_begin_inheriting();
    child_begin( &child, params, attributes );
    status = original_NtCreateUserProcess( process, thread, process_access, thread_access, process_attr, thread_attr,
                                           process_flags, thread_flags, params, info, child.attributes );
    child_end( &child );
    handle_end_inheriting();
    if (!status) group_watch_child( *process );
    return status;
}

/* ---- redirecting ---- */

static const struct redirect
{
    const char *name;
    void       *func;
    void      **original;
} redirects[] =
{
#define REDIRECT( name ) { #name, bridge_ ## name, (void **)&original_ ## name }
    REDIRECT( NtClose ),
    REDIRECT( NtDuplicateObject ),
    REDIRECT( NtQueueApcThread ),
    REDIRECT( NtTerminateThread ),
    REDIRECT( NtSetTimer ),
    REDIRECT( NtReadFile ),
    REDIRECT( NtWriteFile ),
    REDIRECT( NtSetInformationFile ),
    REDIRECT( NtCancelIoFile ),
    REDIRECT( NtCancelIoFileEx ),
    REDIRECT( NtWaitForSingleObject ),
    REDIRECT( NtWaitForMultipleObjects ),
    REDIRECT( NtSetInformationObject ),
    REDIRECT( NtCreateUserProcess ),
#undef REDIRECT
};

/* for each redirect: the copy of the stub, then the jump to our function */
struct thunk
{
    BYTE  stub[STUB_SIZE];
    BYTE  jump[8];                      /* jmp *0(%rip) */
    void *target;
    BYTE  pad[16];
};

static BOOL is_stub( const BYTE *code )
{
    static const BYTE head[] = { 0x4c, 0x8b, 0xd1, 0xb8 };  /* mov %rcx,%r10; mov $number,%eax */
    static const BYTE tail[] = { 0xf6, 0x04, 0x25, 0x08, 0x03, 0xfe, 0x7f, 0x01, 0x75, 0x03, 0x0f, 0x05, 0xc3, 0xeb, 0x01,
                                 0xc3, 0xff, 0x14, 0x25, 0x00, 0x10, 0xfe, 0x7f, 0xc3 };

    return !((ULONG_PTR)code & 7) && !memcmp( code, head, sizeof(head) ) &&
           !memcmp( code + sizeof(head) + 4, tail, sizeof(tail) );
}

/* a page within reach of a rel32 jump from base: walks the free regions above and below */
static void *alloc_near( BYTE *base )
{
    MEMORY_BASIC_INFORMATION info;
    BYTE *addr, *end = base + 0x70000000;
    void *page;

    for (addr = base; addr < end; addr = (BYTE *)info.BaseAddress + info.RegionSize)
    {
        if (!VirtualQuery( addr, &info, sizeof(info) )) break;
        addr = (BYTE *)(((ULONG_PTR)info.BaseAddress + 0xffff) & ~(ULONG_PTR)0xffff);
        if (info.State != MEM_FREE || addr + PAGE_SIZE > (BYTE *)info.BaseAddress + info.RegionSize) continue;
        if ((page = VirtualAlloc( addr, PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE ))) return page;
    }
    for (addr = base - 0x10000; (ULONG_PTR)addr > 0x10000 && base - addr < 0x70000000; addr -= 0x10000)
        if ((page = VirtualAlloc( addr, PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE ))) return page;
    return NULL;
}

static void make_thunk( struct thunk *thunk, const BYTE *stub, void *func )
{
    static const BYTE jump[8] = { 0xff, 0x25, 2, 0, 0, 0, 0x90, 0x90 };

    memcpy( thunk->stub, stub, STUB_SIZE );
    memcpy( thunk->jump, jump, sizeof(jump) );
    thunk->target = func;
}

/* the first 8 bytes of the stub become a jump; the other 24 stay */
static BOOL redirect_stub( BYTE *stub, const BYTE *target )
{
    LONG64 offset = target - (stub + 5), code;
    DWORD protect;

    if (offset != (LONG)offset) return FALSE;
    if (!VirtualProtect( stub, STUB_SIZE, PAGE_EXECUTE_READWRITE, &protect )) return FALSE;
    memcpy( &code, stub, sizeof(code) );
    code = (code & ~0xffffffffffLL) | 0xe9 | ((offset & 0xffffffff) << 8);
    __atomic_store_n( (LONG64 *)stub, code, __ATOMIC_SEQ_CST );
    VirtualProtect( stub, STUB_SIZE, protect, &protect );
    return TRUE;
}

static void redirect_all(void)
{
    HMODULE ntdll = GetModuleHandleW( L"ntdll.dll" ), ourselves;
    struct thunk *thunks = alloc_near( (BYTE *)ntdll );
    unsigned int i;
    DWORD protect;
    BYTE *stub;

    /* from now on ntdll's code leads here: we can't be unloaded any more */
    GetModuleHandleExW( GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                        (const WCHAR *)redirect_all, &ourselves );
    for (i = 0; thunks && i < ARRAY_SIZE(redirects); i++)
    {
        if ((stub = (BYTE *)GetProcAddress( ntdll, redirects[i].name )) && is_stub( stub ))
            make_thunk( &thunks[i], stub, redirects[i].func );
    }
    if (thunks) VirtualProtect( thunks, PAGE_SIZE, PAGE_EXECUTE_READ, &protect );
    for (i = 0; i < ARRAY_SIZE(redirects); i++)
    {
        stub = (BYTE *)GetProcAddress( ntdll, redirects[i].name );
        *redirects[i].original = thunks && thunks[i].target ? thunks[i].stub : stub;
        if (!thunks || !thunks[i].target || !redirect_stub( stub, thunks[i].jump ))
            FIXME( "%s can't be redirected: its users won't know sockets\n", redirects[i].name );
    }
}

/* O(1) after the first time */
void bridge_init(void)
{
    static SRWLOCK lock = SRWLOCK_INIT;
    static BOOL done;

    if (__atomic_load_n( &done, __ATOMIC_ACQUIRE )) return;
    AcquireSRWLockExclusive( &lock );
    if (!done) redirect_all();
    __atomic_store_n( &done, TRUE, __ATOMIC_RELEASE );
    ReleaseSRWLockExclusive( &lock );
}

NTSTATUS bridge_close( HANDLE handle )
{
    return original_NtClose( handle );
}

NTSTATUS bridge_duplicate( HANDLE handle, HANDLE process, HANDLE *dest )
{
    return original_NtDuplicateObject( GetCurrentProcess(), handle, process, dest, 0, 0, DUPLICATE_SAME_ACCESS );
}

NTSTATUS bridge_duplicate_here( HANDLE handle, ULONG attributes, HANDLE *dest )
{
    return original_NtDuplicateObject( GetCurrentProcess(), handle, GetCurrentProcess(), dest, 0, attributes,
                                       DUPLICATE_SAME_ACCESS );
}
