/*
 * The ledger of bound ports: Windows' rules of sharing addresses
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

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/tcp.h>

#include "server.h"

/* Who may bind beside whom is decided here, as Windows does; Linux' flags say something
 * else by the same names. Linux must then be made to allow what was decided:
 *
 * TCP: SO_REUSEADDR is on for every socket of ours (that lets TIME_WAIT ports be bound, as on Windows),
 * and where two of ours share a port, SO_REUSEPORT is on for both for the moment of bind() or
 * listen(): only then does Linux look at it. Left on it would deal connections out in turn.
 * UDP: SO_REUSEADDR likewise for the moment of bind(); it stays on only where the program
 * asked for it itself, so that it can share with Unix programs too.
 *
 * At all other moments Unix programs outside meet closed ports, and theirs are closed to us. (But one of
 * the same user that asks for SO_REUSEPORT can join a TCP port that two of ours share: the kernel
 * remembers with the port that it was shared so, not only with the sockets.) */

/* Documented: an exclusive port stays taken as long as a connection of it is active, also one that only the peer
 * has not closed yet. Such a connection is nobody's any more: the kernel alone has it. So an entry of which
 * connections may be left stays in its bucket as a ghost, and when somebody wants the port the
 * kernel is asked whether there are any. */

#define PORTS_MAX_GHOSTS 1024   /* the oldest gives way: 128 KiB */
#define PORTS_ACTIVE (1 << TCP_ESTABLISHED | 1 << TCP_FIN_WAIT1 | 1 << TCP_FIN_WAIT2 | 1 << TCP_CLOSE_WAIT | \
                      1 << TCP_LAST_ACK | 1 << TCP_CLOSING)
#define PORTS_TAKEN  (0xffffffff & ~(1 << TCP_TIME_WAIT))

/* how much of one protocol family's port a socket takes */
enum extent
{
    EXTENT_NONE,
    EXTENT_SPECIFIC,
    EXTENT_WILD
};

/* what a socket takes on both stacks: two extents, for a dual-stack socket may take both */
struct footprint
{
    enum extent v4;
    enum extent v6;
    struct in_addr addr4;       /* with EXTENT_SPECIFIC */
    struct in6_addr addr6;      /* with EXTENT_SPECIFIC */
    u32 scope6;
};

struct port_entry
{
    struct list entry;          /* in its bucket */
    struct list ghost_entry;    /* in the list of ghosts */
    u32 ghost;                  /* what the keeper calls it */
    u32 refs;                   /* the socket bound, and connections that keep an exclusive port taken; 0: a ghost */
    int fd;                     /* the socket bound, not owned; -1: it is gone */
    u16 port;
    enum port_mode mode;        /* what its options said when it was bound */
    struct port_address addr;
    struct footprint print;     /* of addr */
};

#define PORTS_BUCKETS 4096      /* a power of two; with 20,000 sockets a bucket holds five */

static struct list ports_buckets[PORTS_BUCKETS];
static struct list ports_ghosts;        /* the oldest first */
static u32 ports_entries;               /* without the ghosts */
static u32 ports_ghost_count;
static u32 ports_last_ghost;

/* rows: default, reuse, exclusive, each wild and then specific, as bound; columns: the same, as wanted;
 * two specific ones are the same address, others never meet */
static const u16 ports_matrix[6][6] =
{
    /*             Def-W          Def-S          Reu-W          Reu-S          Exc-W          Exc-S */
    /* Def-W */ { WSAEADDRINUSE, 0,             WSAEACCES,     0,             WSAEADDRINUSE, 0 },
    /* Def-S */ { 0,             WSAEADDRINUSE, 0,             WSAEACCES,     WSAEADDRINUSE, WSAEADDRINUSE },
    /* Reu-W */ { WSAEADDRINUSE, 0,             0,             0,             WSAEADDRINUSE, 0 },
    /* Reu-S */ { 0,             WSAEADDRINUSE, 0,             0,             WSAEADDRINUSE, WSAEADDRINUSE },
    /* Exc-W */ { WSAEADDRINUSE, WSAEACCES,     WSAEACCES,     WSAEACCES,     WSAEADDRINUSE, WSAEACCES },
    /* Exc-S */ { 0,             WSAEADDRINUSE, 0,             WSAEACCES,     WSAEADDRINUSE, WSAEADDRINUSE }
};

/* may the second be bound where the first is? 0 or a Winsock error */
u32 ports_rule( enum port_mode first, int first_wild, enum port_mode second, int second_wild )
{
    return ports_matrix[first * 2 + !first_wild][second * 2 + !second_wild];
}

static struct list *ports_bucket( int protocol, u16 port )
{
    struct list *bucket = &ports_buckets[(port + (protocol == IPPROTO_UDP ? PORTS_BUCKETS / 2 : 0)) % PORTS_BUCKETS];

    if (!bucket->next) list_init( bucket );
    return bucket;
}

static void ports_footprint( const struct port_address *addr, struct footprint *out )
{
    const struct in6_addr *ip6 = &addr->addr.in6.sin6_addr;

    memset( out, 0, sizeof(*out) );
    if (addr->addr.sa.sa_family != AF_INET6)
    {
        out->addr4 = addr->addr.in.sin_addr;
        out->v4 = out->addr4.s_addr ? EXTENT_SPECIFIC : EXTENT_WILD;
    }
    else if (IN6_IS_ADDR_V4MAPPED( ip6 ))
    {
        memcpy( &out->addr4, &ip6->s6_addr[12], sizeof(out->addr4) );
        out->v4 = out->addr4.s_addr ? EXTENT_SPECIFIC : EXTENT_WILD;
    }
    else if (IN6_IS_ADDR_UNSPECIFIED( ip6 ))
    {
        out->v6 = EXTENT_WILD;
        if (addr->dual) out->v4 = EXTENT_WILD;
    }
    else
    {
        out->v6 = EXTENT_SPECIFIC;
        out->addr6 = *ip6;
        out->scope6 = addr->addr.in6.sin6_scope_id;
    }
}

/* one stack: do the two extents meet, and if so, what says the rule? */
static u32 ports_check_stack( enum extent first, enum port_mode first_mode, enum extent second,
                              enum port_mode second_mode, int same )
{
    if (first == EXTENT_NONE || second == EXTENT_NONE) return 0;
    if (first == EXTENT_SPECIFIC && second == EXTENT_SPECIFIC && !same) return 0;
    return ports_rule( first_mode, first == EXTENT_WILD, second_mode, second == EXTENT_WILD );
}

/* what the ledger's rule says of one address bound and one wanted */
static u32 ports_check_two( const struct footprint *first, enum port_mode first_mode, const struct footprint *second,
                            enum port_mode second_mode )
{
    const int same4 = first->addr4.s_addr == second->addr4.s_addr;
    const int same6 = IN6_ARE_ADDR_EQUAL( &first->addr6, &second->addr6 ) && first->scope6 == second->scope6;
    u32 ret;

    if ((ret = ports_check_stack( first->v4, first_mode, second->v4, second_mode, same4 ))) return ret;
    return ports_check_stack( first->v6, first_mode, second->v6, second_mode, same6 );
}

/* ---- ghosts ---- */

static void ports_ghost_end( struct port_entry *entry )
{
    store_ghost_end( entry->ghost );
    list_remove( &entry->ghost_entry );
    ports_ghost_count--;
}

static void ports_free( struct port_entry *entry )
{
    list_remove( &entry->entry );
    free( entry );
}

static void ports_ghost_enter( struct port_entry *entry )
{
    struct list *oldest;

    if (!ports_ghosts.next) list_init( &ports_ghosts );
    if (ports_ghost_count == PORTS_MAX_GHOSTS)
    {
        oldest = list_head( &ports_ghosts );
        ports_ghost_end( CONTAINER_OF( oldest, struct port_entry, ghost_entry ) );
        ports_free( CONTAINER_OF( oldest, struct port_entry, ghost_entry ) );
    }
    list_add_tail( &ports_ghosts, &entry->ghost_entry );
    ports_ghost_count++;
}

static void ports_ghost_begin( struct port_entry *entry )
{
    ports_ghost_enter( entry );
    entry->ghost = ++ports_last_ghost;
    store_ghost( entry->ghost, &entry->addr );
}

/* one of the worker before us; 0: there is no memory for it */
int ports_restore_ghost( u32 ghost, const struct port_address *addr )
{
    struct port_entry *entry;

    if (!(entry = calloc( 1, sizeof(*entry) ))) return 0;
    entry->ghost = ghost;
    if (ports_last_ghost < ghost) ports_last_ghost = ghost;
    entry->fd = -1;
    entry->port = address_port( &addr->addr );
    entry->mode = PORT_EXCLUSIVE;
    entry->addr = *addr;
    ports_footprint( addr, &entry->print );
    list_add_tail( ports_bucket( addr->protocol, entry->port ), &entry->entry );
    ports_ghost_enter( entry );
    return 1;
}

/* for a keeper that knows nothing */
void ports_store_all(void)
{
    struct port_entry *entry;

    if (!ports_ghosts.next) return;
    LIST_FOR_EACH_ENTRY( entry, &ports_ghosts, struct port_entry, ghost_entry ) store_ghost( entry->ghost, &entry->addr );
}

/* a connection from that address that no record stands for */
static int ports_is_left( const struct diag_socket *sock, void *arg )
{
    const struct footprint *print = arg;
    struct footprint other;

    ports_footprint( &sock->addr, &other );
    return !socket_by_cookie( sock->cookie ) &&
           ports_check_two( print, PORT_EXCLUSIVE, &other, PORT_EXCLUSIVE );
}

/* ---- entries ---- */

/* May an address be bound beside all that are? O(sockets on that port); of several errors it is the stronger one. */
u32 ports_check( const struct port_address *addr, enum port_mode mode )
{
    u16 port = address_port( &addr->addr );
    struct list *bucket = ports_bucket( addr->protocol, port );
    struct port_entry *entry, *next;
    struct footprint print;
    u32 ret, error = 0;

    ports_footprint( addr, &print );
    LIST_FOR_EACH_ENTRY_SAFE( entry, next, bucket, struct port_entry, entry )
    {
        if (entry->port != port || entry->addr.protocol != addr->protocol) continue;
        if (!(ret = ports_check_two( &entry->print, entry->mode, &print, mode ))) continue;
        if (!entry->refs && !diag_port( addr->protocol, port, PORTS_ACTIVE, ports_is_left, &entry->print ))
        {
            ports_ghost_end( entry );
            ports_free( entry );
            continue;
        }
        if (ret == WSAEACCES) return ret;
        error = ret;
    }
    return error;
}

/* The entry that says the same: only of an exclusive address can there be a second socket, its listener's
 * connection or the listener. */
static struct port_entry *ports_find( const struct port_address *addr, enum port_mode mode, const struct footprint *print )
{
    u16 port = address_port( &addr->addr );
    struct port_entry *entry;

    if (mode != PORT_EXCLUSIVE) return NULL;
    LIST_FOR_EACH_ENTRY( entry, ports_bucket( addr->protocol, port ), struct port_entry, entry )
        if (entry->port == port && entry->addr.protocol == addr->protocol && entry->mode == mode &&
            !memcmp( &entry->print, print, sizeof(*print) )) return entry;
    return NULL;
}

/* Enters an address that is bound; NULL without memory. fd -1: a connection of a listener's, in whatever order
 * they come. */
struct port_entry *ports_enter( const struct port_address *addr, enum port_mode mode, int fd )
{
    struct port_entry *entry;
    struct footprint print;

    ports_footprint( addr, &print );
    if ((entry = ports_find( addr, mode, &print )))
    {
        if (!entry->refs)
        {
            ports_ghost_end( entry );
            ports_entries++;
        }
        if (fd != -1) entry->fd = fd;
        entry->refs++;
        return entry;
    }
    if (!(entry = calloc( 1, sizeof(*entry) ))) return NULL;
    list_init( &entry->ghost_entry );
    entry->refs = 1;
    entry->fd = fd;
    entry->port = address_port( &addr->addr );
    entry->mode = mode;
    entry->addr = *addr;
    entry->print = print;
    list_add_tail( ports_bucket( addr->protocol, entry->port ), &entry->entry );
    ports_entries++;
    return entry;
}

/* a connection keeps its listener's port taken */
struct port_entry *ports_share( struct port_entry *entry )
{
    entry->refs++;
    return entry;
}

/* The socket bound has another fd now. 0: it is not that one's. */
int ports_move( struct port_entry *entry, int from, int to )
{
    if (entry->fd != from) return 0;
    entry->fd = to;
    return 1;
}

/* fd: of the socket that lets go. had_connections: of it, or of what it listened for, something may be left. */
void ports_release( struct port_entry *entry, int fd, int had_connections )
{
    if (entry->fd == fd) entry->fd = -1;
    if (--entry->refs) return;
    ports_entries--;
    if (had_connections && entry->mode == PORT_EXCLUSIVE && entry->addr.protocol == IPPROTO_TCP) ports_ghost_begin( entry );
    else ports_free( entry );
}

int ports_is( const struct port_entry *entry, int protocol, u16 port )
{
    return entry->addr.protocol == protocol && entry->port == port;
}

enum port_mode ports_mode( const struct port_entry *entry )
{
    return entry->mode;
}

const union linux_address *ports_address( const struct port_entry *entry )
{
    return &entry->addr.addr;
}

u32 ports_count(void)
{
    return ports_entries;
}

static void ports_set_sharing( int protocol, int fd, enum port_mode mode, int on )
{
    if (protocol == IPPROTO_TCP) socket_set_int( fd, SOL_SOCKET, SO_REUSEPORT, on );
    else socket_set_int( fd, SOL_SOCKET, SO_REUSEADDR, on || mode == PORT_REUSE );
}

/* lets Linux share the port among ours and fd, or no longer; without others there is nothing to do */
static void ports_share_moment( int protocol, u16 port, int fd, enum port_mode mode, int on )
{
    struct list *bucket = ports_bucket( protocol, port );
    struct port_entry *entry;
    int others = 0;

    if (on) park_fetch_bound( protocol, port );
    LIST_FOR_EACH_ENTRY( entry, bucket, struct port_entry, entry )
    {
        if (entry->port != port || entry->addr.protocol != protocol) continue;
        if (entry->fd == -1 || entry->fd == fd) continue;
        ports_set_sharing( protocol, entry->fd, entry->mode, on );
        others = 1;
    }
    if (others) ports_set_sharing( protocol, fd, mode, on );
}

/* what a program outside would have been told by the rule: it set none of the options, so far as Windows' go */
struct ports_outsider
{
    struct footprint print;
    enum port_mode mode;
    u32 error;
};

static int ports_meet_outsider( const struct diag_socket *sock, void *arg )
{
    struct ports_outsider *second = arg;
    struct footprint print;

    if (socket_by_cookie( sock->cookie )) return 0;
    ports_footprint( &sock->addr, &print );
    second->error = ports_check_two( &print, PORT_DEFAULT, &second->print, second->mode );
    return second->error == WSAEACCES;
}

/* The kernel says that the port is taken, the ledger does not: a Unix program has it. Only who asked
 * for SO_REUSEADDR is told otherwise than that it is in use. */
static u32 ports_taken_outside( const struct port_address *addr, enum port_mode mode )
{
    struct ports_outsider second = { .mode = mode };

    if (mode != PORT_REUSE) return WSAEADDRINUSE;
    ports_footprint( addr, &second.print );
    diag_port( addr->protocol, address_port( &addr->addr ), PORTS_TAKEN, ports_meet_outsider, &second );
    return second.error ? second.error : WSAEADDRINUSE;
}

/* Binds and enters in the ledger. addr has the port in the end, if the kernel was to
 * choose it; the kernel chooses only ports that nobody has, so the ledger is not asked. */
u32 ports_bind( struct port_address *addr, socklen_t len, enum port_mode mode, int fd, struct port_entry **entry )
{
    u16 port = address_port( &addr->addr );
    union linux_address bound;
    int ret, err;
    u32 error;

    if (port)
    {
        if ((error = ports_check( addr, mode ))) return error;
        ports_share_moment( addr->protocol, port, fd, mode, 1 );
    }
    if (port && addr->protocol == IPPROTO_UDP && mode == PORT_REUSE)
        socket_set_int( fd, SOL_SOCKET, SO_REUSEADDR, 1 );
    ret = bind( fd, &addr->addr.sa, len );
    err = errno;
    if (port) ports_share_moment( addr->protocol, port, fd, mode, 0 );
    else if (addr->protocol == IPPROTO_UDP && mode == PORT_REUSE)
        socket_set_int( fd, SOL_SOCKET, SO_REUSEADDR, 1 );

    if (ret == -1)
    {
        /* what the kernel calls invalid in the address, not in the socket's state */
        if (err == EINVAL && !(address_local( fd, &bound ) && address_port( &bound ))) return WSAEADDRNOTAVAIL;
        if (err == ENODEV) return WSAEADDRNOTAVAIL;
        if (err == EADDRINUSE && port) return ports_taken_outside( addr, mode );
        return error_from_errno( err );
    }

    if (!port && address_local( fd, &bound )) address_set_port( &addr->addr, address_port( &bound ) );
    return (*entry = ports_enter( addr, mode, fd )) ? 0 : WSAENOBUFS;
}

/* A socket that the kernel took the address from gets it back; 0 or -1 with errno (EINVAL: it has it still). */
int ports_bind_again( const struct port_entry *entry, int fd )
{
    const union linux_address *addr = &entry->addr.addr;
    int ret, err;

    ports_share_moment( entry->addr.protocol, entry->port, fd, entry->mode, 1 );
    ret = bind( fd, &addr->sa, addr->sa.sa_family == AF_INET6 ? sizeof(addr->in6) : sizeof(addr->in) );
    err = errno;
    ports_share_moment( entry->addr.protocol, entry->port, fd, entry->mode, 0 );
    errno = err;
    return ret;
}

/* listen(), which looks for others on the port again; 0 or -1 with errno */
int ports_listen( const struct port_entry *entry, int fd, int backlog )
{
    int ret, err;

    if (!entry) return listen( fd, backlog );
    ports_share_moment( entry->addr.protocol, entry->port, fd, entry->mode, 1 );
    ret = listen( fd, backlog );
    err = errno;
    ports_share_moment( entry->addr.protocol, entry->port, fd, entry->mode, 0 );
    errno = err;
    return ret;
}
