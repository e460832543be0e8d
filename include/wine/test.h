/*
 * The conformance tests' framework, compatible by name with Wine's
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

#ifndef __WINE_WINE_TEST_H
#define __WINE_WINE_TEST_H

#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <windef.h>
#include <winbase.h>

/* "wine" where todo_wine applies (Wine as it comes), "windows" where everything must pass
 * (Windows itself, and Tapster). The environment variable of the name in capitals decides. */
extern const char *winetest_platform;

extern void winetest_set_location( const char *file, int line );
extern void winetest_start_todo( int is_todo );
extern int winetest_loop_todo( void );
extern void winetest_end_todo( void );
extern void winetest_start_flaky( int is_flaky );
extern int winetest_loop_flaky( void );
extern void winetest_end_flaky( void );
extern int winetest_get_mainargs( char ***pargv );
extern LONG winetest_get_failures( void );
extern void winetest_add_failures( LONG new_failures );
extern void winetest_wait_child_process( HANDLE process );

extern int broken( int condition );
extern const char *wine_dbgstr_an( const char *str, int n );
extern const char *wine_dbgstr_wn( const WCHAR *str, int n );
extern const char *wine_dbgstr_guid( const GUID *guid );

/* the test framework is compiled with msvcrt's formats, as Wine's is */
#if defined(__GNUC__) && !defined(__clang__)
#define WINETEST_PRINTF_ATTR(fmt,args) __attribute__((format (ms_printf,fmt,args)))
#elif defined(__GNUC__)
#define WINETEST_PRINTF_ATTR(fmt,args) __attribute__((format (printf,fmt,args)))
#else
#define WINETEST_PRINTF_ATTR(fmt,args)
#endif

extern int winetest_ok( int condition, const char *msg, ... ) WINETEST_PRINTF_ATTR(2,3);
extern void winetest_skip( const char *msg, ... ) WINETEST_PRINTF_ATTR(1,2);
extern void winetest_win_skip( const char *msg, ... ) WINETEST_PRINTF_ATTR(1,2);
extern void winetest_trace( const char *msg, ... ) WINETEST_PRINTF_ATTR(1,2);
extern void winetest_push_context( const char *fmt, ... ) WINETEST_PRINTF_ATTR(1,2);
extern void winetest_pop_context( void );

static inline const char *debugstr_a( const char *s )  { return wine_dbgstr_an( s, -1 ); }
static inline const char *wine_dbgstr_a( const char *s )  { return wine_dbgstr_an( s, -1 ); }
static inline const char *debugstr_an( const char *s, int n ) { return wine_dbgstr_an( s, n ); }
static inline const char *debugstr_w( const WCHAR *s ) { return wine_dbgstr_wn( s, -1 ); }
static inline const char *wine_dbgstr_w( const WCHAR *s ) { return wine_dbgstr_wn( s, -1 ); }
static inline const char *debugstr_guid( const GUID *guid ) { return wine_dbgstr_guid( guid ); }

#define START_TEST(name) void func_##name(void); void func_##name(void)

#define ok_(file, line)       (winetest_set_location(file, line), 0) ? (void)0 : (void)winetest_ok
#define skip_(file, line)     (winetest_set_location(file, line), 0) ? (void)0 : winetest_skip
#define win_skip_(file, line) (winetest_set_location(file, line), 0) ? (void)0 : winetest_win_skip
#define trace_(file, line)    (winetest_set_location(file, line), 0) ? (void)0 : winetest_trace

#define ok       ok_(__FILE__, __LINE__)
#define skip     skip_(__FILE__, __LINE__)
#define win_skip win_skip_(__FILE__, __LINE__)
#define trace    trace_(__FILE__, __LINE__)

#define todo_wine_if(is_todo) \
    for (winetest_start_todo( !!(is_todo) && !strcmp( winetest_platform, "wine" ) ); \
         winetest_loop_todo(); \
         winetest_end_todo())

#define todo_wine todo_wine_if(1)

/* what Wine as it comes fails now and then: counted as todo when it does */
#define flaky_wine_if(is_flaky) \
    for (winetest_start_flaky( !!(is_flaky) && !strcmp( winetest_platform, "wine" ) ); \
         winetest_loop_flaky(); \
         winetest_end_flaky())

#define flaky_wine flaky_wine_if(1)

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))
#endif

/************************************************************************/
/* What follows is compiled once, into the file that has the list of tests. */

#ifdef STANDALONE

struct test
{
    const char *name;
    void (*func)(void);
};

extern const struct test winetest_testlist[];

/* what one thread of a test is about */
struct winetest_thread_data
{
    const char *current_file;
    int         current_line;
    unsigned    active_todos;     /* a bit for each todo block it is in: does it apply here? */
    int         todo_loop;        /* the loop of todo_wine_if is about to run its body */
    unsigned    active_flaky;     /* as for todo */
    int         flaky_loop;
    unsigned    context_count;
    char        contexts[8][128];
    char        strings[2000];    /* ring of debug strings */
    unsigned    string_pos;
};

const char *winetest_platform;

static int winetest_argc;
static char **winetest_argv;
static int winetest_debug = 1;
static int report_success;
static BOOL winetest_on_wine;
static const struct test *current_test;
static struct winetest_thread_data *main_thread_data;
static DWORD winetest_tls_index;
static CRITICAL_SECTION winetest_lock;
static HANDLE winetest_finished;

static LONG successes;       /* passed outside of todo */
static LONG failures;        /* failed outside of todo */
static LONG todo_successes;  /* failed inside of todo, as expected */
static LONG todo_failures;   /* passed inside of todo */
static LONG skipped;
static LONG child_failures;  /* of children, which counted and printed them themselves */

static struct winetest_thread_data *winetest_get_thread_data(void)
{
    struct winetest_thread_data *data;
    DWORD error = GetLastError();

    if (!(data = TlsGetValue( winetest_tls_index )))
    {
        data = calloc( 1, sizeof(*data) );
        data->current_file = "unknown";
        TlsSetValue( winetest_tls_index, data );
    }
    SetLastError( error );
    return data;
}

void winetest_set_location( const char *file, int line )
{
    struct winetest_thread_data *data = winetest_get_thread_data();
    const char *name;

    if (!(name = strrchr( file, '/' )) && !(name = strrchr( file, '\\' ))) name = file;
    else name++;
    data->current_file = name;
    data->current_line = line;
}

/* one line of output: where, the contexts, what; threads and children never mix within a line */
static void winetest_vprint( const struct winetest_thread_data *data, const char *what, const char *msg, va_list args )
{
    char buffer[2048];
    unsigned i;
    int len;

    len = snprintf( buffer, sizeof(buffer), "%s:%d: %s", data->current_file, data->current_line, what );
    for (i = 0; i < data->context_count && i < ARRAY_SIZE(data->contexts) && len < 1500; i++)
        len += snprintf( buffer + len, sizeof(buffer) - len, "%s: ", data->contexts[i] );
    if (vsnprintf( buffer + len, sizeof(buffer) - len, msg, args ) < 0) buffer[sizeof(buffer) - 2] = '\n';
    buffer[sizeof(buffer) - 1] = 0;

    EnterCriticalSection( &winetest_lock );
    fwrite( buffer, 1, strlen( buffer ), stdout );
    fflush( stdout );
    LeaveCriticalSection( &winetest_lock );
}

static void winetest_print( const struct winetest_thread_data *data, const char *what, const char *msg, ... )
{
    va_list args;

    va_start( args, msg );
    winetest_vprint( data, what, msg, args );
    va_end( args );
}

static int winetest_vok( int condition, const char *msg, va_list args )
{
    struct winetest_thread_data *data = winetest_get_thread_data();

    if (data->active_todos)
    {
        if (condition)
        {
            winetest_vprint( data, "Test succeeded inside todo block: ", msg, args );
            InterlockedIncrement( &todo_failures );
            return 0;
        }
        if (winetest_debug > 0) winetest_vprint( data, "Test marked todo: ", msg, args );
        InterlockedIncrement( &todo_successes );
        return 1;
    }

    if (!condition && data->active_flaky)
    {
        if (winetest_debug > 0) winetest_vprint( data, "Test marked flaky: ", msg, args );
        InterlockedIncrement( &todo_successes );
        return 1;
    }
    if (!condition)
    {
        winetest_vprint( data, "Test failed: ", msg, args );
        InterlockedIncrement( &failures );
        return 0;
    }
    if (report_success) winetest_print( data, "Test succeeded\n", "" );
    InterlockedIncrement( &successes );
    return 1;
}

int winetest_ok( int condition, const char *msg, ... )
{
    DWORD error = GetLastError();
    va_list args;
    int ret;

    va_start( args, msg );
    ret = winetest_vok( condition, msg, args );
    va_end( args );
    SetLastError( error );
    return ret;
}

void winetest_trace( const char *msg, ... )
{
    DWORD error = GetLastError();
    va_list args;

    if (winetest_debug <= 0) return;
    va_start( args, msg );
    winetest_vprint( winetest_get_thread_data(), "", msg, args );
    va_end( args );
    SetLastError( error );
}

void winetest_skip( const char *msg, ... )
{
    DWORD error = GetLastError();
    va_list args;

    va_start( args, msg );
    winetest_vprint( winetest_get_thread_data(), "Tests skipped: ", msg, args );
    va_end( args );
    InterlockedIncrement( &skipped );
    SetLastError( error );
}

/* what only some Windows versions lack is no excuse for an implementation on Wine */
void winetest_win_skip( const char *msg, ... )
{
    DWORD error = GetLastError();
    va_list args;

    va_start( args, msg );
    if (winetest_on_wine)
        winetest_vok( 0, msg, args );
    else
    {
        winetest_vprint( winetest_get_thread_data(), "Tests skipped: ", msg, args );
        InterlockedIncrement( &skipped );
    }
    va_end( args );
    SetLastError( error );
}

/* what only some Windows versions get wrong is an error everywhere else */
int broken( int condition )
{
    return !winetest_on_wine && condition;
}

void winetest_start_todo( int is_todo )
{
    struct winetest_thread_data *data = winetest_get_thread_data();

    data->active_todos = (data->active_todos << 1) | (is_todo ? 1 : 0);
    data->todo_loop = 1;
}

int winetest_loop_todo( void )
{
    struct winetest_thread_data *data = winetest_get_thread_data();
    int loop = data->todo_loop;

    data->todo_loop = 0;
    return loop;
}

void winetest_end_todo( void )
{
    winetest_get_thread_data()->active_todos >>= 1;
}

void winetest_start_flaky( int is_flaky )
{
    struct winetest_thread_data *data = winetest_get_thread_data();

    data->active_flaky = (data->active_flaky << 1) | (is_flaky ? 1 : 0);
    data->flaky_loop = 1;
}

int winetest_loop_flaky( void )
{
    struct winetest_thread_data *data = winetest_get_thread_data();
    int loop = data->flaky_loop;

    data->flaky_loop = 0;
    return loop;
}

void winetest_end_flaky( void )
{
    winetest_get_thread_data()->active_flaky >>= 1;
}

void winetest_push_context( const char *fmt, ... )
{
    struct winetest_thread_data *data = winetest_get_thread_data();
    va_list args;

    if (data->context_count < ARRAY_SIZE(data->contexts))
    {
        char *context = data->contexts[data->context_count];

        va_start( args, fmt );
        vsnprintf( context, sizeof(data->contexts[0]), fmt, args );
        va_end( args );
        context[sizeof(data->contexts[0]) - 1] = 0;
    }
    data->context_count++;
}

void winetest_pop_context( void )
{
    struct winetest_thread_data *data = winetest_get_thread_data();

    if (data->context_count) data->context_count--;
}

int winetest_get_mainargs( char ***pargv )
{
    *pargv = winetest_argv;
    return winetest_argc;
}

LONG winetest_get_failures( void )
{
    return failures;
}

void winetest_add_failures( LONG new_failures )
{
    while (new_failures-- > 0) InterlockedIncrement( &failures );
}

/* A child prints and counts its own failures; here they only make the exit code. */
void winetest_wait_child_process( HANDLE process )
{
    DWORD code = 1;

    if (!process)
    {
        winetest_ok( 0, "no child process\n" );
        return;
    }
    if (WaitForSingleObject( process, 30000 ))
    {
        winetest_ok( 0, "the child process did not end\n" );
        TerminateProcess( process, 1 );
        return;
    }
    GetExitCodeProcess( process, &code );
    if (code > 255) winetest_ok( 0, "the child process crashed with %08lx\n", code );
    else if (code) InterlockedIncrement( &child_failures );
}

static char *winetest_get_string( size_t size )
{
    struct winetest_thread_data *data = winetest_get_thread_data();
    char *ret;

    if (data->string_pos + size > sizeof(data->strings)) data->string_pos = 0;
    ret = data->strings + data->string_pos;
    data->string_pos += size;
    return ret;
}

/* both of these escape what is not printable and cut what is long */
const char *wine_dbgstr_an( const char *str, int n )
{
    char *dst, *res;

    if (!str) return "(null)";
    if (n == -1) n = strlen( str );
    if (n > 80) n = 80;
    dst = res = winetest_get_string( n * 4 + 3 );
    *dst++ = '"';
    while (n-- > 0)
    {
        unsigned char c = *str++;

        if (c < ' ' || c >= 127 || c == '"' || c == '\\') dst += sprintf( dst, "\\x%02x", c );
        else *dst++ = c;
    }
    *dst++ = '"';
    *dst = 0;
    return res;
}

const char *wine_dbgstr_wn( const WCHAR *str, int n )
{
    char *dst, *res;

    if (!str) return "(null)";
    if (n == -1) n = lstrlenW( str );
    if (n > 80) n = 80;
    dst = res = winetest_get_string( n * 5 + 4 );
    *dst++ = 'L';
    *dst++ = '"';
    while (n-- > 0)
    {
        WCHAR c = *str++;

        if (c < ' ' || c >= 127 || c == '"' || c == '\\') dst += sprintf( dst, "\\%04x", c );
        else *dst++ = c;
    }
    *dst++ = '"';
    *dst = 0;
    return res;
}

const char *wine_dbgstr_guid( const GUID *guid )
{
    char *res;

    if (!guid) return "(null)";
    res = winetest_get_string( 39 );
    sprintf( res, "{%08lx-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x}", (unsigned long)guid->Data1,
             guid->Data2, guid->Data3, guid->Data4[0], guid->Data4[1], guid->Data4[2], guid->Data4[3],
             guid->Data4[4], guid->Data4[5], guid->Data4[6], guid->Data4[7] );
    return res;
}

static void winetest_summary(void)
{
    char buffer[256];
    LONG failed = failures + todo_failures;

    snprintf( buffer, sizeof(buffer), "%04lx:%s: %ld tests executed (%ld marked as todo, %ld %s), %ld skipped.\n",
              GetCurrentProcessId(), current_test->name, successes + failures + todo_successes + todo_failures,
              todo_successes, failed, failed == 1 ? "failure" : "failures", skipped );
    fwrite( buffer, 1, strlen( buffer ), stdout );
    fflush( stdout );
}

/* An exception that nobody handled. In a child whose parent looks at the exit code
 * ("piece" as its third argument) the parent counts it. */
static LONG CALLBACK winetest_exception( EXCEPTION_POINTERS *ptrs )
{
    struct winetest_thread_data *data = winetest_get_thread_data();
    DWORD code = ptrs->ExceptionRecord->ExceptionCode;

    winetest_print( data, "this is the last test seen before the exception\n", "" );
    if (winetest_argc < 3 || strcmp( winetest_argv[2], "piece" ))
    {
        winetest_print( data, "Test failed: ", "unhandled exception %08lx at %p\n", code,
                        ptrs->ExceptionRecord->ExceptionAddress );
        InterlockedIncrement( &failures );
    }
    winetest_summary();
    TerminateProcess( GetCurrentProcess(), code );
    return EXCEPTION_EXECUTE_HANDLER;
}

/* ends a test that hangs; other threads may hold any lock, so nothing is cleaned up */
static DWORD WINAPI winetest_watchdog( void *arg )
{
    DWORD seconds = (DWORD)(DWORD_PTR)arg;

    if (WaitForSingleObject( winetest_finished, seconds * 1000 ) != WAIT_TIMEOUT) return 0;
    winetest_print( main_thread_data, "Test failed: ", "%s still runs after %lu s\n", current_test->name, seconds );
    InterlockedIncrement( &failures );
    winetest_summary();
    TerminateProcess( GetCurrentProcess(), 1 );
    return 0;
}

static int winetest_getenv_int( const char *name, int def )
{
    char buffer[16];
    DWORD len = GetEnvironmentVariableA( name, buffer, sizeof(buffer) );

    return len && len < sizeof(buffer) ? atoi( buffer ) : def;
}

static int winetest_run( const char *name )
{
    static char platform[32];
    HANDLE watchdog;
    DWORD len;

    for (current_test = winetest_testlist; current_test->name; current_test++)
        if (!strcmp( current_test->name, name )) break;
    if (!current_test->name)
    {
        printf( "no test is called %s\n", name );
        return 2;
    }

    winetest_on_wine = !!GetProcAddress( GetModuleHandleA( "ntdll.dll" ), "wine_get_version" );
    winetest_platform = winetest_on_wine ? "wine" : "windows";
    len = GetEnvironmentVariableA( "WINETEST_PLATFORM", platform, sizeof(platform) );
    if (len && len < sizeof(platform)) winetest_platform = platform;
    winetest_debug = winetest_getenv_int( "WINETEST_DEBUG", 1 );
    report_success = winetest_getenv_int( "WINETEST_REPORT_SUCCESS", 0 );

    InitializeCriticalSection( &winetest_lock );
    winetest_tls_index = TlsAlloc();
    main_thread_data = winetest_get_thread_data();
    winetest_finished = CreateEventW( NULL, TRUE, FALSE, NULL );
    SetErrorMode( SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX );
    SetUnhandledExceptionFilter( winetest_exception );
    watchdog = CreateThread( NULL, 0, winetest_watchdog,
                             (void *)(DWORD_PTR)winetest_getenv_int( "WINETEST_TIMEOUT", 60 ), 0, NULL );

    current_test->func();

    SetEvent( winetest_finished );
    WaitForSingleObject( watchdog, INFINITE );
    CloseHandle( watchdog );
    winetest_summary();
    if (failures + todo_failures + child_failures > 255) return 255;
    return failures + todo_failures + child_failures;
}

int main( int argc, char **argv )
{
    const struct test *test;

    setvbuf( stdout, NULL, _IONBF, 0 );
    winetest_argc = argc;
    winetest_argv = argv;

    if (argc < 2 || !strcmp( argv[1], "--list" ))
    {
        if (argc < 2) printf( "Usage: %s NAME [ARGUMENTS]\n\nTests:\n", argv[0] );
        for (test = winetest_testlist; test->name; test++) printf( "    %s\n", test->name );
        return argc < 2 ? 2 : 0;
    }
    return winetest_run( argv[1] );
}

#endif  /* STANDALONE */

#endif  /* __WINE_WINE_TEST_H */
