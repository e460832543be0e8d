/*
 * Loading, WSAStartup and WSACleanup, the last error
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

WINE_DEFAULT_DEBUG_CHANNEL(winsock);

HINSTANCE ws2_32_instance;
LONG startup_count;
BOOL startup_is_11;

NTSTATUS (CDECL *unix_call_dispatcher)( UINT64 handle, unsigned int code, void *params );
UINT64 unix_handle;

/* one line for the user, on stderr even when WINEDEBUG says nothing */
static void complain( const char *message )
{
    static LONG done;
    char line[1024];
    DWORD written;
    int len;

    if (InterlockedExchange( &done, 1 )) return;
    len = snprintf( line, sizeof(line), "%s\n", message );
    if (len < 0) return;
    if (len >= (int)sizeof(line)) len = sizeof(line) - 1;
    WriteFile( GetStdHandle( STD_ERROR_HANDLE ), line, len, &written, NULL );
}

/* ntdll hands a builtin's Unix function table to whoever asks for it */
static UINT64 query_unix_table( HMODULE module )
{
    static const MEMORY_INFORMATION_CLASS wine_unix_funcs = 1000;
    UINT64 handle;

    if (NtQueryVirtualMemory( GetCurrentProcess(), module, wine_unix_funcs, &handle, sizeof(handle), NULL )) return 0;
    return handle;
}

/* Needs the loader lock only as any LoadLibrary does; the first WSAStartup comes here. */
BOOL startup_load(void)
{
    static SRWLOCK lock = SRWLOCK_INIT;
    DWORD error = GetLastError();       /* LoadLibrary changes it, on success too */
    void **dispatcher;
    HMODULE module;

    if (*(volatile UINT64 *)&unix_handle) return TRUE;
    AcquireSRWLockExclusive( &lock );
    if (!unix_handle)
    {
        dispatcher = (void **)GetProcAddress( GetModuleHandleW( L"ntdll.dll" ), "__wine_unix_call_dispatcher" );
        if (dispatcher && (module = LoadLibraryW( L"ws2unix.dll" )))
        {
            unix_call_dispatcher = *dispatcher;
            unix_handle = query_unix_table( module );
        }
    }
    ReleaseSRWLockExclusive( &lock );
    SetLastError( error );
    if (!unix_handle)
        complain( "tapster: ws2unix.dll can't be loaded: start programs with \"tapster run\", "
                  "or put Tapster's folder into WINEDLLPATH" );
    return unix_handle != 0;
}

BOOL WINAPI DllMain( HINSTANCE instance, DWORD reason, void *reserved )
{
    TRACE( "%p %#lx %p\n", instance, reason, reserved );

    switch (reason)
    {
    case DLL_PROCESS_ATTACH:
        ws2_32_instance = instance;
        return thread_attach_process();
    case DLL_THREAD_DETACH:
        thread_detach();
        break;
    }
    return TRUE;
}

BOOL startup_check(void)
{
    if (*(volatile LONG *)&startup_count) return TRUE;
    SetLastError( WSANOTINITIALISED );
    return FALSE;
}

/* where it is declared depends on the version of Wine's headers */
NTSYSAPI void * WINAPI RtlPcToFileHeader( void *, void ** );

/* Is it one of Wine's own modules? They have this where others have the DOS program. */
static BOOL is_wine_code( void *code )
{
    static const char mark[] = "Wine builtin DLL";
    void *module;

    return RtlPcToFileHeader( code, &module ) && !memcmp( (char *)module + 0x40, mark, sizeof(mark) );
}

/* Wine's own programs and DLLs look names up without WSAStartup (wineboot the computer's, and
 * half of its services fail in a prefix whose computer has none; winhttp and wininet hosts'). */
BOOL startup_check_caller( void *caller )
{
    if (*(volatile LONG *)&startup_count) return TRUE;
    if (is_wine_code( caller ) && startup_load()) return TRUE;
    SetLastError( WSANOTINITIALISED );
    return FALSE;
}

/* the version both can speak: 1.0, 1.1, 2.0, 2.1 or 2.2; 0: none */
static WORD negotiate_version( WORD wanted )
{
    BYTE major = LOBYTE( wanted ), minor = HIBYTE( wanted );

    if (!major) return 0;
    if (major == 1) return MAKEWORD( 1, min( minor, 1 ) );
    if (major == 2) return MAKEWORD( 2, min( minor, 2 ) );
    return MAKEWORD( 2, 2 );
}

static void fill_wsadata( WSADATA *data, WORD version )
{
    memset( data, 0, sizeof(*data) );
    data->wVersion = version;
    data->wHighVersion = MAKEWORD( 2, 2 );
    strcpy( data->szDescription, "WinSock 2.0" );
    strcpy( data->szSystemStatus, "Running" );
    if (LOBYTE( version ) == 1)
    {
        data->iMaxSockets = 32767;
        data->iMaxUdpDg = 65467;
    }
}

/***********************************************************************
 *      WSAStartup   (ws2_32.115)
 *
 * Returns its error: WSAVERNOTSUPPORTED, WSAEFAULT, WSASYSNOTREADY (no Unix
 * library, or no helper can be started). Counts: as many WSACleanup undo it.
 */
int WINAPI WSAStartup( WORD version, WSADATA *data )
{
    struct startup_params params;
    WORD agreed = negotiate_version( version );

    TRACE( "version %u.%u, data %p\n", LOBYTE( version ), HIBYTE( version ), data );

    if (!agreed) return return_code( WSAVERNOTSUPPORTED );
    if (!data || !probe_write( data, sizeof(*data) )) return return_code( WSAEFAULT );
    if (!startup_load()) return return_code( WSASYSNOTREADY );
    params.version = UNIXLIB_VERSION;
    if (UNIX_CALL( startup, &params ))
    {
        complain( params.message );
        return return_code( WSASYSNOTREADY );
    }

    fill_wsadata( data, agreed );
    startup_is_11 = LOBYTE( agreed ) == 1;
    InterlockedIncrement( &startup_count );
    TRACE( "-> version %u.%u, count %ld\n", LOBYTE( agreed ), HIBYTE( agreed ), startup_count );
    return 0;
}

/***********************************************************************
 *      WSACleanup   (ws2_32.116)
 *
 * The last one closes all sockets of the process.
 */
int WINAPI WSACleanup(void)
{
    LONG count = *(volatile LONG *)&startup_count;

    TRACE( "count %ld\n", count );

    do
    {
        if (!count) return return_error( WSANOTINITIALISED );
    } while (!__atomic_compare_exchange_n( &startup_count, &count, count - 1, FALSE, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST ));

    if (count == 1) socket_close_all();
    return return_error( 0 );
}

/***********************************************************************
 *      WSAGetLastError   (ws2_32.111)
 */
int WINAPI WSAGetLastError(void)
{
    unsigned int error = GetLastError();

    return return_code( error );
}

/***********************************************************************
 *      WSASetLastError   (ws2_32.112)
 */
void WINAPI WSASetLastError( int error )
{
    TRACE( "%s\n", debugstr_error( error ) );
    SetLastError( error );
}

/***********************************************************************
 *      WEP   (ws2_32.500)
 *
 * 16-bit Windows called it before unloading; nothing has been left to do since.
 */
BOOL WINAPI WEP(void)
{
    TRACE( "-> 1\n" );
    return TRUE;
}

/***********************************************************************
 *      WSApSetPostRoutine   (ws2_32.@)
 *
 * How WSAAsyncSelect's messages would be posted; Windows gives no promise for it.
 */
int WINAPI WSApSetPostRoutine( LPWPUPOSTMESSAGE routine )
{
    FIXME_ONCE( "routine %p: not built\n", routine );
    return return_error( WSAEOPNOTSUPP );
}
