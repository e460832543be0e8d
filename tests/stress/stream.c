/*
 * Stress: no byte of a stream is lost, however it is sent and received
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

/* Streams of known bytes go both ways over many connections, blocking and non-blocking, in pieces of
 * random size, in many buffers, peeked at, waited for whole; each way is closed by itself. On some connections
 * several threads send records, which must arrive whole. A non-blocking send takes all or
 * nothing, however much it is. Not one byte may be missing, doubled or misplaced.
 *
 *   stream [--seed N] [--bytes N]      exit status 0: all was as it should be */

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS    10               /* with a stream each way */
#define RECORD_STREAMS 4
#define RECORD_SENDERS 3                /* threads that share a stream */
#define PATTERN        1000003          /* a prime: no size of ours divides it */
#define PIECE_MAX      (6 << 20)
#define BUFS_MAX       40

static volatile LONG failures, passes, blocked, peeks, wholes, big_sends;
static unsigned int seed, bytes = 192 << 20;
static char pattern[PATTERN];

#define check( cond, ... ) \
    do { if (cond) InterlockedIncrement( &passes ); \
         else { InterlockedIncrement( &failures ); printf( "line %d: ", __LINE__ ); printf( __VA_ARGS__ ); } } while (0)

struct random
{
    unsigned int state;
};

static unsigned int draw( struct random *random, unsigned int below )
{
    random->state = random->state * 1664525u + 1013904223u;
    return (unsigned int)(((unsigned long long)(random->state >> 4) * below) >> 28);
}

/* ---- known bytes ---- */

static void make_pattern(void)
{
    struct random random = { 4711 };
    unsigned int i;

    for (i = 0; i < PATTERN; i++) pattern[i] = draw( &random, 256 );
}

/* a stream's bytes: the pattern from its own place on, again and again */
struct position
{
    unsigned int id;
    unsigned int offset;
};

static unsigned int index_of( const struct position *pos )
{
    return (pos->id * 104729u + pos->offset) % PATTERN;
}

static void fill( struct position pos, char *dst, unsigned int len )
{
    unsigned int part, index;

    for (; len; len -= part, dst += part, pos.offset += part)
    {
        index = index_of( &pos );
        part = min( len, PATTERN - index );
        memcpy( dst, pattern + index, part );
    }
}

static BOOL matches( struct position pos, const char *src, unsigned int len )
{
    unsigned int part, index;

    for (; len; len -= part, src += part, pos.offset += part)
    {
        index = index_of( &pos );
        part = min( len, PATTERN - index );
        if (memcmp( src, pattern + index, part )) return FALSE;
    }
    return TRUE;
}

/* ---- sockets ---- */

static void make_pair( SOCKET *a, SOCKET *b )
{
    struct sockaddr_in addr = { .sin_family = AF_INET };
    int len = sizeof(addr);
    SOCKET listener = socket( AF_INET, SOCK_STREAM, 0 );
    BOOL ret;

    addr.sin_addr.s_addr = htonl( INADDR_LOOPBACK );
    *a = socket( AF_INET, SOCK_STREAM, 0 );
    *b = INVALID_SOCKET;
    ret = !bind( listener, (struct sockaddr *)&addr, len ) && !listen( listener, 1 ) &&
          !getsockname( listener, (struct sockaddr *)&addr, &len ) && !connect( *a, (struct sockaddr *)&addr, len ) &&
          (*b = accept( listener, NULL, NULL )) != INVALID_SOCKET;
    check( ret, "no connection: error %d\n", WSAGetLastError() );
    closesocket( listener );
}

static void make_nonblocking( SOCKET s )
{
    u_long on = 1;

    check( !ioctlsocket( s, FIONBIO, &on ), "FIONBIO: error %d\n", WSAGetLastError() );
}

/* until it is readable or writable: by select or by WSAPoll */
static BOOL wait_ready( SOCKET s, struct random *random, BOOL write )
{
    struct timeval limit = { 20, 0 };
    WSAPOLLFD fd = { s, write ? POLLWRNORM : POLLRDNORM, 0 };
    fd_set set;
    int ret;

    InterlockedIncrement( &blocked );
    FD_ZERO( &set );
    FD_SET( s, &set );
    if (draw( random, 2 )) ret = WSAPoll( &fd, 1, 20000 );
    else ret = select( 0, write ? NULL : &set, write ? &set : NULL, NULL, &limit );
    check( ret == 1, "not %s after 20 s: %d, error %d\n", write ? "writable" : "readable", ret, WSAGetLastError() );
    return ret == 1;
}

/* mostly small, sometimes more than the kernel takes at once; 1 to max */
static unsigned int draw_size( struct random *random, unsigned int max )
{
    unsigned int size;

    switch (draw( random, 10 ))
    {
    case 0:  size = 1 + draw( random, 16 ); break;
    case 1:
    case 2:
    case 3:  size = 1 + draw( random, 1500 ); break;
    case 9:  size = 1 + draw( random, PIECE_MAX ); break;
    default: size = 1 + draw( random, 100000 ); break;
    }
    return min( size, max );
}

/* cuts a piece of memory into buffers, empty ones among them; returns how many */
static DWORD split( struct random *random, char *memory, unsigned int len, WSABUF *bufs )
{
    DWORD count = 1 + draw( random, BUFS_MAX - 1 ), i;

    for (i = 0; i < count; i++)
    {
        bufs[i].buf = memory;
        bufs[i].len = i == count - 1 ? len : draw( random, 2 * (len / count) + 1 );
        if (bufs[i].len > len) bufs[i].len = len;
        memory += bufs[i].len;
        len -= bufs[i].len;
    }
    return count;
}

/* ---- sending ---- */

/* Sends it all; TRUE if that is what happened. A blocking call does so at once, so does a non-blocking one that does anything. */
static BOOL send_all( SOCKET s, BOOL nonblocking, struct random *random, char *memory, unsigned int len )
{
    WSABUF bufs[BUFS_MAX];
    DWORD sent, count = draw( random, 3 ) ? 0 : split( random, memory, len, bufs );
    int ret;

    if (len > (1 << 20)) InterlockedIncrement( &big_sends );
    for (;;)
    {
        if (count) ret = WSASend( s, bufs, count, &sent, 0, NULL, NULL ) ? -1 : (int)sent;
        else ret = send( s, memory, len, 0 );
        if (ret != -1 || !nonblocking || WSAGetLastError() != WSAEWOULDBLOCK) break;
        if (!wait_ready( s, random, TRUE )) return FALSE;
    }
    check( ret == (int)len, "send: %d of %u, error %d, %s\n", ret, len, WSAGetLastError(), nonblocking ? "non-blocking" : "blocking" );
    return ret == (int)len;
}

/* ---- one way of a connection ---- */

struct way
{
    SOCKET       s;
    BOOL         nonblocking;           /* the socket is */
    unsigned int id;
    unsigned int total;
};

static DWORD WINAPI sender( void *arg )
{
    struct way *way = arg;
    struct position pos = { way->id, 0 };
    struct random random = { seed * 7919 + way->id };
    char *memory = malloc( PIECE_MAX );
    unsigned int len;

    while (pos.offset < way->total)
    {
        len = draw_size( &random, way->total - pos.offset );
        fill( pos, memory, len );
        if (!send_all( way->s, way->nonblocking, &random, memory, len )) break;
        /* it has been taken: what the program does to its memory now is nobody's business */
        memset( memory, 0x55, len );
        pos.offset += len;
    }
    check( !shutdown( way->s, SD_SEND ), "shutdown: error %d\n", WSAGetLastError() );
    free( memory );
    return 0;
}

static int receive_bufs( SOCKET s, struct random *random, char *memory, unsigned int len, DWORD flags )
{
    WSABUF bufs[BUFS_MAX];
    DWORD count = split( random, memory, len, bufs ), received = 0;

    return WSARecv( s, bufs, count, &received, &flags, NULL, NULL ) ? -1 : (int)received;
}

/* One receive of any kind: what it returned, with WSAEWOULDBLOCK passed on. */
static int receive_some( const struct way *way, struct random *random, const struct position *pos, char *memory, unsigned int len )
{
    int flags = 0, ret;

    switch (draw( random, 4 ))
    {
    case 0:
        /* what is peeked at stays */
        ret = recv( way->s, memory, len, MSG_PEEK );
        if (ret > 0) check( matches( *pos, memory, ret ), "stream %u: wrong bytes peeked at %u\n", way->id, pos->offset );
        InterlockedIncrement( &peeks );
        break;
    case 1:
        if (way->nonblocking) break;
        flags = MSG_WAITALL;
        InterlockedIncrement( &wholes );
        break;
    }
    memset( memory, 0x55, min( len, 4096 ) );
    if (draw( random, 2 )) ret = receive_bufs( way->s, random, memory, len, flags );
    else ret = recv( way->s, memory, len, flags );
    if (flags) check( ret == (int)min( len, way->total - pos->offset ), "stream %u: %d instead of %u bytes at %u, error %d\n",
                      way->id, ret, len, pos->offset, WSAGetLastError() );
    return ret;
}

static DWORD WINAPI receiver( void *arg )
{
    struct way *way = arg;
    struct position pos = { way->id, 0 };
    struct random random = { seed * 104729 + way->id };
    char *memory = malloc( PIECE_MAX );
    int ret;

    for (;;)
    {
        ret = receive_some( way, &random, &pos, memory, draw_size( &random, PIECE_MAX ) );
        if (ret == -1 && way->nonblocking && WSAGetLastError() == WSAEWOULDBLOCK)
        {
            if (!wait_ready( way->s, &random, FALSE )) break;
            continue;
        }
        check( ret >= 0, "stream %u: error %d at %u\n", way->id, WSAGetLastError(), pos.offset );
        if (ret <= 0) break;
        check( matches( pos, memory, ret ), "stream %u: %d wrong bytes at %u\n", way->id, ret, pos.offset );
        pos.offset += ret;
        /* now and then the kernel's room fills up */
        if (!draw( &random, 50 )) Sleep( draw( &random, 50 ) );
    }
    check( pos.offset == way->total, "stream %u: %u bytes instead of %u\n", way->id, pos.offset, way->total );
    free( memory );
    return 0;
}

/* ---- records of many senders ---- */

struct record
{
    unsigned int magic;
    unsigned int sender;
    unsigned int number;                /* its sender's, counted */
    unsigned int len;                   /* bytes behind this */
};

#define MAGIC      0x7265636f
#define RECORD_MAX (1 << 20)

struct record_sender
{
    SOCKET        s;
    BOOL          nonblocking;
    unsigned int  index;
    unsigned int  total;
    volatile LONG *senders;             /* that are not done */
};

static DWORD WINAPI send_records( void *arg )
{
    struct record_sender *sender = arg;
    struct random random = { seed * 31 + sender->index };
    char *memory = malloc( sizeof(struct record) + RECORD_MAX );
    struct record *record = (struct record *)memory;
    struct position pos = { sender->index, 0 };
    unsigned int number;

    for (number = 0; pos.offset < sender->total; number++)
    {
        record->magic = MAGIC;
        record->sender = sender->index;
        record->number = number;
        record->len = draw_size( &random, RECORD_MAX );
        fill( pos, memory + sizeof(*record), record->len );
        if (!send_all( sender->s, sender->nonblocking, &random, memory, sizeof(*record) + record->len )) break;
        pos.offset += record->len;
    }
    if (!InterlockedDecrement( sender->senders ))
        check( !shutdown( sender->s, SD_SEND ), "shutdown: error %d\n", WSAGetLastError() );
    free( memory );
    return 0;
}

/* FALSE at the end; in mid-record that is a failure */
static BOOL receive_whole( SOCKET s, char *memory, unsigned int len, BOOL may_end )
{
    int ret = recv( s, memory, len, MSG_WAITALL );

    if (!ret && may_end) return FALSE;
    check( ret == (int)len, "record: %d of %u bytes, error %d\n", ret, len, WSAGetLastError() );
    return ret == (int)len;
}

struct record_receiver
{
    SOCKET       s;
    unsigned int first;                 /* index of its first sender */
    unsigned int total;
};

static DWORD WINAPI receive_records( void *arg )
{
    struct record_receiver *receiver = arg;
    struct position pos[RECORD_SENDERS];
    unsigned int numbers[RECORD_SENDERS] = { 0 }, i;
    char *memory = malloc( RECORD_MAX );
    struct record record;

    for (i = 0; i < RECORD_SENDERS; i++)
    {
        pos[i].id = receiver->first + i;
        pos[i].offset = 0;
    }
    while (receive_whole( receiver->s, (char *)&record, sizeof(record), TRUE ))
    {
        i = record.sender - receiver->first;
        check( record.magic == MAGIC && i < RECORD_SENDERS && record.len <= RECORD_MAX, "no record: %#x, %u, %u\n", record.magic, i, record.len );
        if (record.magic != MAGIC || i >= RECORD_SENDERS || record.len > RECORD_MAX) break;
        check( record.number == numbers[i]++, "sender %u: record %u out of turn\n", i, record.number );
        if (!receive_whole( receiver->s, memory, record.len, FALSE )) break;
        check( matches( pos[i], memory, record.len ), "sender %u: wrong bytes in record %u\n", i, record.number );
        pos[i].offset += record.len;
    }
    for (i = 0; i < RECORD_SENDERS; i++)
        check( pos[i].offset >= receiver->total, "sender %u: %u bytes of %u\n", i, pos[i].offset, receiver->total );
    free( memory );
    return 0;
}

/* ---- all of it ---- */

static HANDLE threads[4 * CONNECTIONS + (RECORD_SENDERS + 1) * RECORD_STREAMS];
static SOCKET sockets[2 * (CONNECTIONS + RECORD_STREAMS)];
static unsigned int thread_count, socket_count;

static void start( DWORD (WINAPI *func)( void * ), void *arg )
{
    threads[thread_count++] = CreateThread( NULL, 0, func, arg, 0, NULL );
}

static void start_streams( struct random *random )
{
    static struct way ends[CONNECTIONS][2][2];  /* connection, end, direction */
    unsigned int i, j;
    SOCKET s[2];
    BOOL nonblocking;

    for (i = 0; i < CONNECTIONS; i++)
    {
        make_pair( &s[0], &s[1] );
        for (j = 0; j < 2; j++)
        {
            sockets[socket_count++] = s[j];
            if ((nonblocking = draw( random, 2 ))) make_nonblocking( s[j] );
            ends[i][j][0].s = ends[i][j][1].s = s[j];
            ends[i][j][0].nonblocking = ends[i][j][1].nonblocking = nonblocking;
            /* what this end sends the other receives */
            ends[i][j][0].id = ends[i][!j][1].id = 2 * i + j;
            ends[i][j][0].total = ends[i][!j][1].total = 1 + draw( random, bytes );
        }
        for (j = 0; j < 2; j++)
        {
            start( sender, &ends[i][j][0] );
            start( receiver, &ends[i][j][1] );
        }
    }
}

static void start_records( struct random *random )
{
    static struct record_sender senders[RECORD_STREAMS][RECORD_SENDERS];
    static struct record_receiver receivers[RECORD_STREAMS];
    static volatile LONG counts[RECORD_STREAMS];
    unsigned int i, j;
    SOCKET a, b;

    for (i = 0; i < RECORD_STREAMS; i++)
    {
        make_pair( &a, &b );
        sockets[socket_count++] = a;
        sockets[socket_count++] = b;
        if (i % 2) make_nonblocking( a );
        counts[i] = RECORD_SENDERS;
        receivers[i].s = b;
        receivers[i].first = 1000 + i * RECORD_SENDERS;
        receivers[i].total = 1 + draw( random, bytes / RECORD_SENDERS );
        for (j = 0; j < RECORD_SENDERS; j++)
        {
            senders[i][j].s = a;
            senders[i][j].nonblocking = i % 2;
            senders[i][j].index = receivers[i].first + j;
            senders[i][j].total = receivers[i].total;
            senders[i][j].senders = &counts[i];
            start( send_records, &senders[i][j] );
        }
        start( receive_records, &receivers[i] );
    }
}

int main( int argc, char *argv[] )
{
    struct random random;
    WSADATA data;
    DWORD ret;
    int i;

    setvbuf( stdout, NULL, _IONBF, 0 );
    if (WSAStartup( MAKEWORD( 2, 2 ), &data )) return 3;
    seed = GetTickCount();
    for (i = 1; i + 1 < argc; i += 2)
    {
        if (!strcmp( argv[i], "--seed" )) seed = strtoul( argv[i + 1], NULL, 10 );
        if (!strcmp( argv[i], "--bytes" )) bytes = strtoul( argv[i + 1], NULL, 10 );
    }
    printf( "seed %u, %u bytes a stream at most\n", seed, bytes );
    random.state = seed;
    make_pattern();
    start_streams( &random );
    start_records( &random );
    ret = WaitForMultipleObjects( thread_count, threads, TRUE, 120000 );
    check( ret < thread_count, "not all streams end\n" );
    for (i = 0; i < (int)socket_count; i++) check( !closesocket( sockets[i] ), "closesocket: error %d\n", WSAGetLastError() );

    printf( "%ld big sends, %ld peeks, %ld received whole, %ld waits\n", big_sends, peeks, wholes, blocked );
    printf( "%ld passed, %ld failed\n", passes, failures );
    return failures != 0;
}
