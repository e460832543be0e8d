/*
 * The fuzzer: requests, made up of what is known to work, with a part of it wrong
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

#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/mman.h>

#include "fuzz.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* small ones are themselves */
u32 words_number( u8 n )
{
    static const u32 odd[] = { 255, 256, 512, 0xffff, 0x10000, 65536, 100000, 262143, 262144,
                               0x7fffffff, 0x80000000, 0xffffffff };

    return n < 128 ? n : odd[n % COUNT( odd )];
}

struct fuzz_client *words_client( const struct step *step )
{
    return &fuzz_clients[step->client % CLIENTS];
}

/* that client's, or the next one's */
struct fuzz_sock *words_sock( const struct step *step, u8 which )
{
    u32 client = step->client + (which >= 192);

    return &fuzz_clients[client % CLIENTS].socks[which % SOCKS];
}

static struct socket_ref words_ref( const struct step *step, u8 which )
{
    struct socket_ref ref = words_sock( step, which )->ref;

    if (!(step->flags & FLAG_REF)) return ref;
    if (step->d & 1) ref.generation++;
    else ref.slot = words_number( step->d );
    return ref;
}

static u64 words_mailbox( const struct step *step, u8 which )
{
    u32 client = step->client + (which >= 192);

    u64 name = which == 191 ? 0x123456789aull : fuzz_clients[client % CLIENTS].boxes[which % BOXES].name;

    /* a handle of a group */
    if (which & 0x40) name |= (u64)(which >> 3 & 7) << MAILBOX_COOKIE_BITS;
    return name;
}

/* loopback only, or an address that leads nowhere */
struct address words_address( u8 kind, u8 port )
{
    static const char *const ip4[] = { "127.0.0.1", "0.0.0.0", "127.0.0.2", "127.255.255.255", "224.0.0.1", "255.255.255.255" };
    static const char *const ip6[] = { "::1", "::", "::ffff:127.0.0.1", "ff02::1", "fe80::1" };
    u16 number = port & 1 ? fuzz_ports[(port >> 1) % PORTS] : 0;
    struct address addr;

    memset( &addr, 0, sizeof(addr) );
    memcpy( addr.data + 2, &number, sizeof(number) );
    if (kind & 1)
    {
        addr.len = 28;
        addr.data[0] = WS_AF_INET6;
        inet_pton( AF_INET6, ip6[(kind >> 1) % COUNT( ip6 )], addr.data + 8 );
        if (kind & 0x40) addr.data[24] = 1;
    }
    else
    {
        addr.len = 16;
        addr.data[0] = WS_AF_INET;
        inet_pton( AF_INET, ip4[(kind >> 1) % COUNT( ip4 )], addr.data + 4 );
    }
    if (kind & 0x80) addr.len = words_number( port );
    return addr;
}

static int words_memfd( size_t size, int seals )
{
    int fd = memfd_create( "fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING );

    if (fd == -1) return -1;
    if (ftruncate( fd, size )) size = 0;
    fcntl( fd, F_ADD_SEALS, seals );
    return fd;
}

static int words_pipe( int other_end )
{
    int fds[2];

    if (pipe2( fds, O_CLOEXEC )) return -1;
    close( fds[!other_end] );
    return fds[other_end];
}

static int words_listener(void)
{
    int fd = socket( AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0 );

    if (fd != -1) listen( fd, 2 );
    return fd;
}

/* any fd there is; the caller's to close */
int words_fd( const struct step *step, u8 which )
{
    const struct fuzz_client *client = words_client( step );
    int fd = -1;

    switch (which % 20)
    {
    case 0: return words_memfd( 100000, F_SEAL_SHRINK );
    case 1: return words_memfd( PROTOCOL_MAX_SLOTS * sizeof(u32), F_SEAL_SHRINK | F_SEAL_GROW );
    case 2: return words_memfd( which * 1000, 0 );
    case 3: return words_memfd( which * 1000, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE );
    case 4: return socket( AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0 );
    case 5: return socket( AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0 );
    case 6: return socket( AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0 );
    case 7: return words_listener();
    case 8: return open( "/dev/null", O_RDONLY | O_CLOEXEC );
    case 9: return words_pipe( which >> 7 );
    case 10: fd = client->fd; break;
    case 11: fd = arena_fd(); break;
    case 12: fd = client->counters_fd; break;
    case 13: fd = client->boxes[step->sock % BOXES].fd; break;
    case 14: fd = fuzz_clients[(step->client + 1) % CLIENTS].boxes[step->sock % BOXES].fd; break;
    default: fd = words_sock( step, step->sock )->fd; break;
    }
    return fd == -1 ? -1 : fcntl( fd, F_DUPFD_CLOEXEC, 3 );
}

static void words_adopt( const struct step *step, struct adopt_request *adopt )
{
    struct fuzz_sock *sock = words_sock( step, step->sock );

    adopt->known = step->a & 1;
    adopt->counter = words_number( step->b ) % (step->b < 128 ? COUNTERS : ~0u);
    adopt->mailbox = step->a & 10 ? words_mailbox( step, step->b ) : 0;
    if (sock->ref.slot >= PROTOCOL_MAX_SLOTS) return;
    adopt->state = *arena_slot( sock->ref.slot );
    if (step->a & 4) adopt->state.cookie = sock->cookie;        /* the slot may be another's by now */
    if (step->c) ((u8 *)&adopt->state)[step->c] = step->d;
}

/* fills in the body; what begins with a reference has one already */
static void words_body( const struct step *step, union words *words )
{
    switch (step->op)
    {
    case REQUEST_HELLO:
        words->request.body.hello = (struct hello_request){ PROTOCOL_MAGIC + (step->a == 1), PROTOCOL_VERSION + (step->a == 2), 1, 0 };
        break;
    case REQUEST_CREATE:
        words->request.body.create.family = step->a < 128 ? (step->a & 1 ? WS_AF_INET6 : WS_AF_INET) : words_number( step->a );
        words->request.body.create.type = step->a < 128 ? (step->a & 2 ? WS_SOCK_DGRAM : WS_SOCK_STREAM) : words_number( step->b );
        words->request.body.create.protocol = step->d < 128 ? 0 : words_number( step->d );
        words->request.body.create.mailbox = step->a & 4 ? words_mailbox( step, step->b ) : 0;
        words->request.body.create.count = step->c < 16 ? step->c % 10 : 1;
        memset( words->request.body.create.counters, 0, sizeof(words->request.body.create.counters) );
        words->request.body.create.counters[0] = step->b < 128 ? step->b % COUNTERS : words_number( step->c );
        break;
    case REQUEST_ADOPT:
        words_adopt( step, &words->request.body.adopt );
        break;
    case REQUEST_CLOSE:
        words->request.body.close.flags = step->a < 128 ? step->a % 8 : words_number( step->b );
        break;
    case REQUEST_BIND:
        words->request.body.bind.address = words_address( step->a, step->b );
        break;
    case REQUEST_LISTEN:
        words->request.body.listen.backlog = words_number( step->a );
        break;
    case REQUEST_CONNECT:
        words->request.body.connect.address = words_address( step->a, step->b );
        break;
    case REQUEST_ACCEPT:
        words->request.body.accept.counter = words_number( step->a ) % (step->a < 128 ? COUNTERS : ~0u);
        words->request.body.accept.mailbox = step->b & 1 ? words_mailbox( step, step->b ) : 0;
        break;
    case REQUEST_DEFER:
        words->request.body.defer.connection = words_ref( step, step->a );
        break;
    case REQUEST_SHUTDOWN:
        words->request.body.shutdown.how = step->a < 128 ? step->a % 3 : words_number( step->a );
        break;
    case REQUEST_SET_OPTION:
        words->request.body.set_option.option = step->a < 128 ? step->a % OPTION_COUNT : words_number( step->a );
        words->request.body.set_option.value = words_number( step->b );
        words->request.body.set_option.value2 = words_number( step->c );
        break;
    case REQUEST_BACKLOG:
        words->request.body.backlog.length = step->a < 128 ? step->a * 800 : words_number( step->a );
        break;
    }
}

/* what a client does before it asks: -1 without a connection that waits */
static int words_accepted( const struct step *step, struct address *peer )
{
    struct sockaddr_in6 addr;
    socklen_t len = sizeof(addr);
    const struct fuzz_sock *listener = words_sock( step, step->sock );
    int fd, family;

    if (listener->fd == -1 || !(fcntl( listener->fd, F_GETFL ) & O_NONBLOCK)) return -1;
    if ((fd = accept4( listener->fd, (struct sockaddr *)&addr, &len, SOCK_CLOEXEC )) == -1) return -1;
    family = addr.sin6_family == AF_INET6 ? WS_AF_INET6 : WS_AF_INET;
    if (len > sizeof(peer->data)) len = sizeof(peer->data);
    memset( peer, 0, sizeof(*peer) );
    memcpy( peer->data, &addr, len );
    peer->data[0] = family;
    peer->len = len;
    return fd;
}

/* how many of them; the caller's to close */
static u32 words_fds( const struct step *step, int fds[2] )
{
    const int wants = step->op == REQUEST_HELLO || step->op == REQUEST_ADOPT || step->op == REQUEST_BACKLOG ||
                      step->op == REQUEST_STRAY;
    u32 count = 0;

    if (wants != !!(step->flags & FLAG_FD)) fds[count++] = words_fd( step, step->d );
    if (step->flags & FLAG_MORE_FDS) fds[count++] = words_fd( step, step->c );
    if (count && fds[count - 1] == -1) count--;
    if (count == 2 && fds[0] == -1) fds[0] = fds[--count];
    if (count && fds[0] == -1) count--;
    return count;
}

void words_say( const struct step *step )
{
    struct fuzz_client *client = words_client( step );
    u32 i, count, size, reply_size, type = step->op;
    union words words;
    int fds[2];
    size_t len;

    memset( &words, step->flags & FLAG_NOISE ? step->c : 0, sizeof(words) );
    words.request.header.mailbox = step->flags & FLAG_MAILBOX ? words_mailbox( step, step->c ) : 0;
    if (type != REQUEST_HELLO && type != REQUEST_CREATE && type != REQUEST_ADOPT)
        words.request.body.socket = words_ref( step, step->sock );
    if (!(step->flags & FLAG_NOISE) || step->d >= 128) words_body( step, &words );
    if (step->flags & FLAG_SILENT) type |= REQUEST_NO_REPLY;
    words.request.header.type = type;
    words.request.header.id = client->last_id;
    if (!request_shape( step->op, &size, &reply_size )) size = step->a % 64;
    len = sizeof(words.request.header) + size;
    if (step->flags & FLAG_LENGTH) len = step->d % sizeof(words) + 1;

    count = words_fds( step, fds );
    if (type == REQUEST_ACCEPT && !count && (fds[0] = words_accepted( step, &words.request.body.accept.peer )) != -1) count = 1;
    client_say( client, type, &words, len, fds, count );
    for (i = 0; i < count; i++) close( fds[i] );
}

static void words_one( const struct step *step, u8 op, u8 sock, u8 a, u8 b )
{
    const struct step one = { .op = op, .client = step->client, .sock = sock, .a = a, .b = b, .c = 1 };

    words_say( &one );
    world_settle();
    client_listen( words_client( step ) );
}

/* A listener, a connect and an accept; the port is the last one heard of. */
void words_pair( const struct step *step )
{
    struct fuzz_client *client = words_client( step );
    const u8 first = client->next_sock % SOCKS, family = step->a & 1;

    words_one( step, REQUEST_CREATE, 0, family, step->b & 127 );
    words_one( step, REQUEST_BIND, first, family, 0 );
    words_one( step, REQUEST_LISTEN, first, 5, 0 );
    words_one( step, REQUEST_CREATE, 0, family, step->c & 127 );
    if (client->next_sock % SOCKS != (first + 2u) % SOCKS) return;
    {
        struct sockaddr_in6 addr;
        socklen_t len = sizeof(addr);
        const struct fuzz_sock *listener = &client->socks[first], *other = &client->socks[(first + 1) % SOCKS];
        struct connect_request body;
        union words words;

        if (listener->fd == -1 || getsockname( listener->fd, (struct sockaddr *)&addr, &len )) return;
        body.socket = other->ref;
        body.address = words_address( family, 0 );
        memcpy( body.address.data + 2, (char *)&addr + 2, sizeof(u16) );
        memset( &words, 0, sizeof(words) );
        words.request.header.type = REQUEST_CONNECT;
        words.request.header.id = client->last_id;
        words.request.body.connect = body;
        client_say( client, REQUEST_CONNECT, &words, sizeof(words.request.header) + sizeof(body), NULL, 0 );
    }
    words_one( step, REQUEST_ACCEPT, first, step->d & 127, 0 );
}
