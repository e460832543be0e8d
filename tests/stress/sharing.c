/*
 * Stress: sockets that go from process to process by all means, while they are used and closed
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

/* Four processes connect to this one and give each other the sockets: by WSADuplicateSocket, by DuplicateHandle
 * (with and without the giver's handle being closed by it, by the giver or by the taker), and to children that inherit them. Each connection has
 * a number, which whoever gets the socket sends at once: so a handle that was taken for another's shows here. Another thread
 * of each process uses and waits in whatever sockets there are. Every connection must end when all are done.
 *
 *   sharing [--seed N] [--rounds N]     exit status 0: all was as it should be */

#define FD_SETSIZE 4096
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS  4
#define GIFTS    12                     /* under way to one worker */
#define ENTRIES  16                     /* sockets that a worker has */
#define PEERS    4000
#define ANYBODY  0xffffffff             /* sent by a thread that does not know whose socket it is */

enum kind { KIND_INFO, KIND_HANDLE, KIND_STEAL, KINDS };

struct gift
{
    volatile LONG     state;            /* 0 free, 1 somebody writes, 2 there, 3 somebody reads */
    enum kind         kind;
    unsigned int      number;           /* of the connection */
    unsigned int      from;             /* which worker */
    SOCKET            value;
    WSAPROTOCOL_INFOW info;
};

/* what all processes see */
struct board
{
    struct sockaddr_in addr;
    unsigned int       seed, rounds;
    DWORD              pids[WORKERS];
    volatile LONG      started, busy, failures, connections, gifts[KINDS], children, numbers;
    struct gift        under_way[WORKERS][GIFTS];
};

static struct board *board;
static HANDLE section;
static char *program;

#define check( cond, ... ) \
    do { if (!(cond)) { InterlockedIncrement( &board->failures ); printf( "line %d: ", __LINE__ ); printf( __VA_ARGS__ ); } } while (0)

struct random
{
    unsigned int state;
};

static unsigned int draw( struct random *random, unsigned int below )
{
    random->state = random->state * 1664525u + 1013904223u;
    return (random->state >> 8) % below;
}

/* ---- a worker ---- */

struct entry
{
    volatile SOCKET s;                  /* INVALID_SOCKET: none */
    unsigned int    number;
};

static struct entry entries[ENTRIES];
static HANDLE workers[WORKERS];         /* this process's handles of them */
static HANDLE children[64];
static unsigned int self, child_count;
static volatile LONG stop;

static struct entry *find_entry( struct random *random, BOOL used )
{
    unsigned int i, first = draw( random, ENTRIES );

    for (i = 0; i < ENTRIES; i++)
    {
        struct entry *entry = &entries[(first + i) % ENTRIES];
        if ((entry->s != INVALID_SOCKET) == used) return entry;
    }
    return NULL;
}

static void say_number( SOCKET s, unsigned int number, const char *how )
{
    int ret = send( s, (char *)&number, sizeof(number), 0 );

    check( ret == sizeof(number), "worker %u, connection %u by %s: send %d, error %d\n", self, number, how, ret, WSAGetLastError() );
}

static void make( struct random *random )
{
    struct entry *entry = find_entry( random, FALSE );
    unsigned int number;
    SOCKET s;

    if (!entry || board->connections >= PEERS) return;
    s = socket( AF_INET, SOCK_STREAM, 0 );
    check( s != INVALID_SOCKET, "socket: error %d\n", WSAGetLastError() );
    number = InterlockedIncrement( &board->numbers );
    if (connect( s, (struct sockaddr *)&board->addr, sizeof(board->addr) ))
    {
        check( 0, "connect: error %d\n", WSAGetLastError() );
        closesocket( s );
        return;
    }
    InterlockedIncrement( &board->connections );
    say_number( s, number, "connect" );
    entry->number = number;
    entry->s = s;
}

static void end( struct random *random )
{
    struct entry *entry = find_entry( random, TRUE );
    SOCKET s;

    if (!entry) return;
    s = entry->s;
    entry->s = INVALID_SOCKET;
    if (draw( random, 2 )) check( !closesocket( s ), "closesocket: error %d\n", WSAGetLastError() );
    else check( CloseHandle( (HANDLE)s ), "CloseHandle: error %lu\n", GetLastError() );
}

static struct gift *free_gift( unsigned int to )
{
    unsigned int i;

    for (i = 0; i < GIFTS; i++)
        if (!InterlockedCompareExchange( &board->under_way[to][i].state, 1, 0 )) return &board->under_way[to][i];
    return NULL;
}

/* the socket may be closed by it, or after it, or stays ours, too */
static void give( struct random *random )
{
    unsigned int to = draw( random, WORKERS );
    struct entry *entry = find_entry( random, TRUE );
    struct gift *gift;
    DWORD options = DUPLICATE_SAME_ACCESS;
    HANDLE handle;
    BOOL close;
    SOCKET s;

    if (!entry || to == self || !(gift = free_gift( to ))) return;
    s = entry->s;
    gift->kind = draw( random, KINDS );
    gift->number = entry->number;
    gift->from = self;
    gift->value = s;
    close = gift->kind == KIND_STEAL || draw( random, 2 );
    if (close) entry->s = INVALID_SOCKET;
    if (gift->kind == KIND_INFO)
    {
        check( !WSADuplicateSocketW( s, board->pids[to], &gift->info ), "WSADuplicateSocket: error %d\n", WSAGetLastError() );
        if (close) check( !closesocket( s ), "closesocket: error %d\n", WSAGetLastError() );
    }
    if (gift->kind == KIND_HANDLE)
    {
        if (close) options |= DUPLICATE_CLOSE_SOURCE;
        check( DuplicateHandle( GetCurrentProcess(), (HANDLE)s, workers[to], &handle, 0, draw( random, 2 ), options ),
               "DuplicateHandle: error %lu\n", GetLastError() );
        gift->value = (SOCKET)handle;
    }
    InterlockedIncrement( &board->gifts[gift->kind] );
    gift->state = 2;
}

static SOCKET accept_gift( struct gift *gift )
{
    HANDLE handle;

    switch (gift->kind)
    {
    case KIND_INFO:
        return WSASocketW( FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &gift->info, 0, 0 );
    case KIND_HANDLE:
        return gift->value;
    default:
        if (!DuplicateHandle( workers[gift->from], (HANDLE)gift->value, GetCurrentProcess(), &handle, 0, TRUE,
                              DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE )) return INVALID_SOCKET;
        return (SOCKET)handle;
    }
}

static void take( struct random *random )
{
    static const char *names[] = { "info", "handle", "steal" };
    struct entry *entry = find_entry( random, FALSE );
    struct gift *gift = &board->under_way[self][draw( random, GIFTS )];
    SOCKET s;

    if (!entry || InterlockedCompareExchange( &gift->state, 3, 2 ) != 2) return;
    s = accept_gift( gift );
    /* what was not taken in time went with the giver */
    check( s != INVALID_SOCKET || (gift->kind == KIND_STEAL && !WaitForSingleObject( workers[gift->from], 100 )), "worker %u, connection %u by %s: error %lu\n", self, gift->number, names[gift->kind], GetLastError() );
    if (s != INVALID_SOCKET)
    {
        say_number( s, gift->number, names[gift->kind] );
        entry->number = gift->number;
        entry->s = s;
    }
    gift->state = 0;
}

/* a child inherits what there is, and ends one of them */
static void spawn( struct random *random )
{
    struct entry *entry = find_entry( random, TRUE );
    STARTUPINFOA startup = { .cb = sizeof(startup) };
    PROCESS_INFORMATION info;
    char cmdline[MAX_PATH + 128];

    if (!entry || child_count == ARRAYSIZE( children )) return;
    SetHandleInformation( (HANDLE)entry->s, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT );
    sprintf( cmdline, "\"%s\" --child %lu %lu %u", program, HandleToULong( section ), (unsigned long)entry->s, entry->number );
    if (!CreateProcessA( NULL, cmdline, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info ))
    {
        check( 0, "CreateProcess: error %lu\n", GetLastError() );
        return;
    }
    InterlockedIncrement( &board->children );
    CloseHandle( info.hThread );
    children[child_count++] = info.hProcess;
}

static int child( SOCKET s, unsigned int number )
{
    say_number( s, number, "inheritance" );
    if (number % 2) check( !closesocket( s ), "closesocket: error %d\n", WSAGetLastError() );
    return 0;
}

/* in sockets that another thread closes or gives away meanwhile: any error will do */
static DWORD WINAPI user( void *arg )
{
    struct random random = { board->seed + 77 + self };
    unsigned int word = ANYBODY;
    struct timeval soon = { 0, 2000 };
    fd_set set;
    char c;
    SOCKET s;

    (void)arg;
    while (!stop)
    {
        if ((s = entries[draw( &random, ENTRIES )].s) == INVALID_SOCKET)
        {
            Sleep( 1 );
            continue;
        }
        switch (draw( &random, 4 ))
        {
        case 0:
            send( s, (char *)&word, sizeof(word), 0 );
            break;
        case 1:
            FD_ZERO( &set );
            FD_SET( s, &set );
            select( 0, &set, NULL, NULL, &soon );
            break;
        default:
            /* until it is closed, or other threads have had enough of waiting for us */
            recv( s, &c, 1, 0 );
        }
    }
    return 0;
}

static void run_worker(void)
{
    struct random random = { board->seed * 31 + self };
    unsigned int i;

    for (i = 0; i < board->rounds; i++)
    {
        switch (draw( &random, 12 ))
        {
        case 0: case 1: case 2: make( &random ); break;
        case 3: case 4:         end( &random ); break;
        case 5: case 6: case 7: give( &random ); break;
        default:                take( &random ); break;
        }
        if (!(i % (board->rounds / 4))) spawn( &random );
    }
    InterlockedDecrement( &board->busy );
    /* the others may still give */
    while (board->busy) take( &random ), end( &random );
    for (i = 0; i < GIFTS * 20; i++) take( &random ), end( &random );
}

static int worker(void)
{
    HANDLE thread;
    unsigned int i;
    SOCKET own;

    while (!board->started) Sleep( 10 );
    for (i = 0; i < ENTRIES; i++) entries[i].s = INVALID_SOCKET;
    own = socket( AF_INET, SOCK_DGRAM, 0 );     /* never given away */
    check( own != INVALID_SOCKET, "socket: error %d\n", WSAGetLastError() );
    for (i = 0; i < WORKERS; i++) workers[i] = OpenProcess( PROCESS_DUP_HANDLE | SYNCHRONIZE, FALSE, board->pids[i] );
    thread = CreateThread( NULL, 0, user, NULL, 0, NULL );
    run_worker();
    stop = 1;
    for (i = 0; i < child_count; i++) check( !WaitForSingleObject( children[i], 60000 ), "a child does not end\n" );
    /* half of them close what they have, the others just end */
    if (self % 2) TerminateProcess( GetCurrentProcess(), 0 );
    for (i = 0; i < ENTRIES; i++) if (entries[i].s != INVALID_SOCKET) closesocket( entries[i].s );
    check( !WaitForSingleObject( thread, 10000 ), "worker %u: a thread waits for ever\n", self );
    return 0;
}

/* ---- their peer ---- */

struct peer
{
    SOCKET       s;
    unsigned int number;                /* 0: not said yet */
};

static struct peer peers[PEERS];
static unsigned int peer_count, ended;

/* FALSE: it has ended */
static BOOL read_peer( struct peer *peer )
{
    unsigned int words[64];
    int i, ret = recv( peer->s, (char *)words, sizeof(words), 0 );

    if (ret == -1 && WSAGetLastError() == WSAEWOULDBLOCK) return TRUE;
    if (ret <= 0) return FALSE;
    check( !(ret % sizeof(words[0])), "a part of a word\n" );
    for (i = 0; i < ret / (int)sizeof(words[0]); i++)
    {
        if (!peer->number) peer->number = words[i];
        check( words[i] == peer->number || words[i] == ANYBODY, "%u is said on connection %u\n", words[i], peer->number );
    }
    return TRUE;
}

static void add_peer( SOCKET listener )
{
    u_long on = 1;
    SOCKET s = accept( listener, NULL, NULL );

    check( s != INVALID_SOCKET, "accept: error %d\n", WSAGetLastError() );
    if (s == INVALID_SOCKET || peer_count == PEERS) return;
    SetHandleInformation( (HANDLE)s, HANDLE_FLAG_INHERIT, 0 );
    ioctlsocket( s, FIONBIO, &on );
    peers[peer_count].s = s;
    peers[peer_count++].number = 0;
}

static void serve( SOCKET listener )
{
    struct timeval soon = { 0, 50000 };
    unsigned int i;
    fd_set set;
    int ret;

    FD_ZERO( &set );
    FD_SET( listener, &set );
    for (i = 0; i < peer_count; i++) if (peers[i].s != INVALID_SOCKET) FD_SET( peers[i].s, &set );
    ret = select( 0, &set, NULL, NULL, &soon );
    check( ret != SOCKET_ERROR, "select: error %d\n", WSAGetLastError() );
    if (ret <= 0) return;
    if (FD_ISSET( listener, &set )) add_peer( listener );
    for (i = 0; i < peer_count; i++)
    {
        if (peers[i].s == INVALID_SOCKET || !FD_ISSET( peers[i].s, &set ) || read_peer( &peers[i] )) continue;
        closesocket( peers[i].s );
        peers[i].s = INVALID_SOCKET;
        ended++;
    }
}

static SOCKET make_listener(void)
{
    int len = sizeof(board->addr);
    SOCKET s = socket( AF_INET, SOCK_STREAM, 0 );

    SetHandleInformation( (HANDLE)s, HANDLE_FLAG_INHERIT, 0 );
    board->addr.sin_family = AF_INET;
    board->addr.sin_addr.s_addr = htonl( INADDR_LOOPBACK );
    check( !bind( s, (struct sockaddr *)&board->addr, len ) && !listen( s, SOMAXCONN ) &&
           !getsockname( s, (struct sockaddr *)&board->addr, &len ), "listener: error %d\n", WSAGetLastError() );
    return s;
}

static HANDLE start_worker( unsigned int i )
{
    STARTUPINFOA startup = { .cb = sizeof(startup) };
    PROCESS_INFORMATION info;
    char cmdline[MAX_PATH + 64];

    sprintf( cmdline, "\"%s\" --worker %lu %u 0", program, HandleToULong( section ), i );
    if (!CreateProcessA( NULL, cmdline, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info )) exit( 3 );
    board->pids[i] = info.dwProcessId;
    CloseHandle( info.hThread );
    return info.hProcess;
}

static void run( SOCKET listener )
{
    HANDLE processes[WORKERS];
    DWORD start = GetTickCount();
    unsigned int i;

    board->busy = WORKERS;
    for (i = 0; i < WORKERS; i++) processes[i] = start_worker( i );
    board->started = 1;
    while (WaitForMultipleObjects( WORKERS, processes, TRUE, 0 ) == WAIT_TIMEOUT && GetTickCount() - start < 180000)
        serve( listener );
    check( WaitForMultipleObjects( WORKERS, processes, TRUE, 0 ) != WAIT_TIMEOUT, "the workers do not end\n" );
    for (i = 0; i < WORKERS; i++)
    {
        TerminateProcess( processes[i], 1 );
        CloseHandle( processes[i] );
    }
    start = GetTickCount();
    while (ended < (unsigned int)board->connections && GetTickCount() - start < 10000) serve( listener );
    check( ended == (unsigned int)board->connections, "%ld connections, %u came, only %u ended\n", board->connections,
           peer_count, ended );
}

int main( int argc, char *argv[] )
{
    SECURITY_ATTRIBUTES attr = { sizeof(attr), NULL, TRUE };
    WSADATA data;
    int i;

    setvbuf( stdout, NULL, _IONBF, 0 );
    program = argv[0];
    if (WSAStartup( MAKEWORD( 2, 2 ), &data )) return 3;
    if (argc == 5) section = ULongToHandle( strtoul( argv[2], NULL, 10 ) );
    else section = CreateFileMappingA( INVALID_HANDLE_VALUE, &attr, PAGE_READWRITE, 0, sizeof(*board), NULL );
    if (!(board = MapViewOfFile( section, FILE_MAP_ALL_ACCESS, 0, 0, sizeof(*board) ))) return 3;
    self = strtoul( argc == 5 ? argv[3] : "0", NULL, 10 );
    if (argc == 5 && !strcmp( argv[1], "--child" )) return child( self, strtoul( argv[4], NULL, 10 ) );
    if (argc == 5 && !strcmp( argv[1], "--worker" )) return worker();

    board->seed = GetTickCount();
    board->rounds = 1500;
    for (i = 1; i + 1 < argc; i += 2)
    {
        if (!strcmp( argv[i], "--seed" )) board->seed = strtoul( argv[i + 1], NULL, 10 );
        if (!strcmp( argv[i], "--rounds" )) board->rounds = strtoul( argv[i + 1], NULL, 10 );
    }
    printf( "seed %u, rounds %u\n", board->seed, board->rounds );
    run( make_listener() );
    printf( "%ld connections, %u ended; given by info %ld, handle %ld, taken %ld, %ld children\n", board->connections, ended,
            board->gifts[KIND_INFO], board->gifts[KIND_HANDLE], board->gifts[KIND_STEAL], board->children );
    printf( "%d passed, %ld failed\n", board->failures ? 0 : 1, board->failures );
    return board->failures != 0;
}
