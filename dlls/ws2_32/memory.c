/*
 * The program's pointers: looked at, written to and copied without ever crashing
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

/* A Winsock call answers a bad pointer with WSAEFAULT. As nearly all pointers are
 * good, nothing may be spent on them but the access itself: no handler is
 * registered, no setjmp made, as __TRY would. Each function below has a handler in its unwind
 * data, so it is found only when it faults, and goes on at the function's own
 * failure label, whose address follows in that data.
 *
 * A write-watched page is made writable by its first fault, here, where Wine sees
 * it; the kernel would only say EFAULT. A guard page's first access is what it is
 * there to report: it fails, once, as it does for Windows' own probes. */

/* Windows' names, as Wine's headers later than 8.0 have them */
#ifndef EXCEPTION_UNWINDING
#define EXCEPTION_UNWINDING   EH_UNWINDING
#define EXCEPTION_EXIT_UNWIND EH_EXIT_UNWIND
#endif

EXCEPTION_DISPOSITION __cdecl memory_handler( EXCEPTION_RECORD *record, void *frame, CONTEXT *context,
                                              DISPATCHER_CONTEXT *dispatch );

EXCEPTION_DISPOSITION __cdecl memory_handler( EXCEPTION_RECORD *record, void *frame, CONTEXT *context,
                                              DISPATCHER_CONTEXT *dispatch )
{
    (void)frame;
    if (record->ExceptionFlags & (EXCEPTION_UNWINDING | EXCEPTION_EXIT_UNWIND)) return ExceptionContinueSearch;

    switch (record->ExceptionCode)
    {
    case STATUS_ACCESS_VIOLATION:
    case STATUS_IN_PAGE_ERROR:
    case STATUS_GUARD_PAGE_VIOLATION:
        /* all registers are as they were; so is the stack, as the functions have no frame that varies */
        context->Rip = dispatch->ImageBase + *(const DWORD *)dispatch->HandlerData;
        return ExceptionContinueExecution;
    default:
        return ExceptionContinueSearch;
    }
}

#define FUNCTION_BEGIN( name ) \
    "\t.globl " #name "\n" \
    "\t.p2align 4\n" \
    "\t.def " #name "; .scl 2; .type 32; .endef\n" \
    "\t.seh_proc " #name "\n" \
    #name ":\n" \
    "\t.seh_handler memory_handler, @except\n"

#define FUNCTION_END( failure ) \
    "\t.seh_handlerdata\n" \
    "\t.rva " failure "\n" \
    "\t.text\n" \
    "\t.seh_endproc\n"

/* One access to each page from rcx to rcx + rdx - 1: 4096 is the page whatever
 * the machine's is. Addresses of the upper half are the kernel's. */
#define PROBE( access ) \
    "\t.seh_endprologue\n" \
    "\ttestq %rdx, %rdx\n" \
    "\tje 2f\n" \
    "\tleaq -1(%rcx,%rdx), %rdx\n"   /* the last byte */ \
    "\tcmpq %rcx, %rdx\n" \
    "\tjb 3f\n" \
    "\tmovq %rdx, %rax\n" \
    "\tshrq $47, %rax\n" \
    "\tjne 3f\n" \
    "1:\t" access "\n" \
    "\torq $4095, %rcx\n" \
    "\tincq %rcx\n" \
    "\tcmpq %rdx, %rcx\n" \
    "\tjbe 1b\n" \
    "2:\tmovl $1, %eax\n" \
    "\tret\n" \
    "3:\txorl %eax, %eax\n" \
    "\tret\n"

asm( "\t.text\n"

     /* BOOL probe_read( const void *ptr, SIZE_T len ) */
     FUNCTION_BEGIN( probe_read )
     PROBE( "movb (%rcx), %al" )
     FUNCTION_END( "3b" )

     /* BOOL probe_write( void *ptr, SIZE_T len ): the byte is written as it is, in one
      * step, so that what another thread writes there meanwhile is kept */
     FUNCTION_BEGIN( probe_write )
     PROBE( "lock; orb $0, (%rcx)" )
     FUNCTION_END( "3b" )

     /* BOOL copy_safe( void *dst, const void *src, SIZE_T len ) */
     FUNCTION_BEGIN( copy_safe )
     "\tpushq %rsi\n"
     "\t.seh_pushreg %rsi\n"
     "\tpushq %rdi\n"
     "\t.seh_pushreg %rdi\n"
     "\t.seh_endprologue\n"
     "\tmovq %rcx, %rdi\n"
     "\tmovq %rdx, %rsi\n"
     "\tmovq %r8, %rcx\n"
     "\trep; movsb\n"
     "\tmovl $1, %eax\n"
     "\tjmp 2f\n"
     "1:\txorl %eax, %eax\n"
     "2:\tpopq %rdi\n"
     "\tpopq %rsi\n"
     "\tret\n"
     FUNCTION_END( "1b" )

     /* int probe_string( const char *str, unsigned int max ) */
     FUNCTION_BEGIN( probe_string )
     "\t.seh_endprologue\n"
     "\txorl %eax, %eax\n"
     "1:\tcmpb $0, (%rcx,%rax)\n"
     "\tje 2f\n"
     "\tincl %eax\n"
     "\tcmpl %edx, %eax\n"
     "\tjbe 1b\n"
     "3:\tmovl $-1, %eax\n"
     "2:\tret\n"
     FUNCTION_END( "3b" )

     /* int probe_wstring( const WCHAR *str, unsigned int max ) */
     FUNCTION_BEGIN( probe_wstring )
     "\t.seh_endprologue\n"
     "\txorl %eax, %eax\n"
     "1:\tcmpw $0, (%rcx,%rax,2)\n"
     "\tje 2f\n"
     "\tincl %eax\n"
     "\tcmpl %edx, %eax\n"
     "\tjbe 1b\n"
     "3:\tmovl $-1, %eax\n"
     "2:\tret\n"
     FUNCTION_END( "3b" )
);

unsigned int copy_string( char *dst, unsigned int size, const char *src )
{
    int len = probe_string( src, size - 1 );

    if (len < 0) return probe_read( src, size ) ? WSAENAMETOOLONG : WSAEFAULT;
    if (!copy_safe( dst, src, len )) return WSAEFAULT;
    dst[len] = 0;
    return 0;
}

unsigned int copy_wstring( WCHAR *dst, unsigned int size, const WCHAR *src )
{
    int len = probe_wstring( src, size - 1 );

    if (len < 0) return probe_read( src, size * sizeof(WCHAR) ) ? WSAENAMETOOLONG : WSAEFAULT;
    if (!copy_safe( dst, src, len * sizeof(WCHAR) )) return WSAEFAULT;
    dst[len] = 0;
    return 0;
}
