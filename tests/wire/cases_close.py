# Closing, with and without linger, and what it sends
#
# Copyright 2026 the Tapster authors
#
# This library is free software; you can redistribute it and/or
# modify it under the terms of the GNU Lesser General Public
# License as published by the Free Software Foundation; either
# version 2.1 of the License, or (at your option) any later version.
#
# This library is distributed in the hope that it will be useful,
# but WITHOUT ANY WARRANTY; without even the implied warranty of
# MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
# Lesser General Public License for more details.
#
# You should have received a copy of the GNU Lesser General Public
# License along with this library; if not, write to the Free Software
# Foundation, Inc., 51 Franklin St, Fifth Floor, Boston, MA 02110-1301, USA

import socket
import time

import capture
from scene import (CF_ACCEPT, CF_DEFER, CF_REJECT, SD_SEND, WSAECONNREFUSED, WSAECONNRESET, WSAESHUTDOWN, WSAEWOULDBLOCK, WSATRY_AGAIN,
                   check, drain, is_reset, reset, same)

MUCH = 8 << 20              # more than the kernel takes at once from a non-blocking send
SMALL = 4096                # a peer's receive buffer


def send_much(case, program, sock):
    """A non-blocking send that Windows takes whole, with a peer that has not read a byte."""
    program.do('nonblocking', sock, 1)
    same(program.do('send', sock, MUCH), MUCH, 'sent')


def plain(case):
    program, sock, peer = case.pair()
    program.do('send', sock, 9)
    program.do('close', sock)
    same(drain(peer), 9, 'the peer received')
    peer.close()
    case.sees(ours={'data': 9, 'fin': 1}, peer={'fin': 1})
    same(case.capture.in_time_wait(), 1, 'ends in TIME_WAIT')


def plain_handle(case):
    program, sock, peer = case.pair()
    program.do('send', sock, 9)
    program.do('closehandle', sock)
    same(drain(peer), 9, 'the peer received')
    case.sees(ours={'data': 9, 'fin': 1})


def backlog(case):
    """The rest of a send is still with the helper."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    send_much(case, program, sock)
    program.do('close', sock)
    same(drain(peer, part=1 << 16), MUCH, 'the peer received')
    case.sees(ours={'data': MUCH, 'fin': 1})


def unread(case):
    program, sock, peer = case.pair()
    peer.send(b'unread')
    case.arrives(program, sock)
    program.do('close', sock)
    case.sees(ours={'rst': 1}, peer={'data': 6})


def late_data(case):
    """It comes when the socket has been closed: nobody is there."""
    program, sock, peer = case.pair()
    program.do('close', sock)
    case.sees(ours={'fin': 1})
    peer.send(b'late')
    case.sees(ours={'fin': 1, 'rst': 1}, peer={'data': 4})


def send_shutdown(case, verb='shutdown'):
    program, sock, peer = case.pair()
    program.do('send', sock, 4)
    program.do(verb, sock, SD_SEND)
    program.do(verb, sock, SD_SEND)
    same(drain(peer), 4, 'the peer received')
    peer.send(b'answer')
    same(program.do('recv', sock, 10), 6, 'received')
    case.sees(ours={'data': 4, 'fin': 1}, peer={'data': 6})
    program.do('close', sock)
    case.sees(ours={'data': 4, 'fin': 1}, peer={'data': 6})


def send_disconnect(case):
    send_shutdown(case, 'senddisconnect')


def send_shutdown_backlog(case):
    """The FIN comes after all that was queued, also with the helper."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    send_much(case, program, sock)
    program.do('shutdown', sock, SD_SEND)
    case.sees(ignored=('data',))
    same(drain(peer, part=1 << 16), MUCH, 'the peer received')
    case.sees(ours={'data': MUCH, 'fin': 1})
    program.do('close', sock)
    case.sees(ours={'data': MUCH, 'fin': 1})


def send_shutdown_sending(case):
    """A send of another thread waits for room: it was there before, so all of it comes before the FIN."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    sends = [program.begin('send', sock, MUCH)]
    check(sends[0].runs(), 'the send ended')
    program.do('shutdown', sock, SD_SEND)
    program.fails(WSAESHUTDOWN, 'send', sock, 1)
    case.sees(ignored=('data',))
    same(drain(peer, part=1 << 16), MUCH, 'the peer received')
    same([send.wait() for send in sends], [MUCH], 'sent')
    case.sees(ours={'data': MUCH, 'fin': 1})


def send_shutdown_shared(case):
    """One process sends, another one says that this was all: the FIN waits for what is still with the helper."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    child = case.stage.child(program)
    send_much(case, program, sock)
    child.do('shutdown', sock, SD_SEND)
    program.fails(WSAESHUTDOWN, 'send', sock, 1)
    child.leave('exit', 0)
    case.sees(ignored=('data',))
    same(drain(peer, part=1 << 16), MUCH, 'the peer received')
    case.sees(ours={'data': MUCH, 'fin': 1})


def backlog_shared(case):
    """Closed by the sender while a child has it, which has not used it: no FIN until that has ended."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    child = case.stage.child(program)
    send_much(case, program, sock)
    program.do('close', sock)
    got = 0
    while got < MUCH:
        got += len(peer.recv(1 << 16))
    case.sees(ours={'data': MUCH})
    child.do('send', sock, 5)
    child.leave('exit', 0)
    case.sees(ours={'data': MUCH + 5, 'fin': 1})


def hard(case):
    program, sock, peer = case.pair()
    program.do('linger', sock, 1, 0)
    program.do('close', sock)
    case.sees(ours={'rst': 1})
    check(is_reset(peer), 'the peer was not told')
    same(case.capture.in_time_wait(), 0, 'ends in TIME_WAIT')


def hard_unsent(case):
    program, sock, peer = case.pair(rcvbuf=SMALL)
    send_much(case, program, sock)
    program.do('linger', sock, 1, 0)
    program.do('close', sock)
    case.sees(ours={'rst': 1}, ignored=('data',))


def hard_handle(case):
    program, sock, peer = case.pair()
    program.do('linger', sock, 1, 0)
    program.do('closehandle', sock)
    case.sees(ours={'rst': 1})


def hard_duplicate(case, verb='duplicate'):
    """Only the last handle's close acts."""
    program, sock, peer = case.pair()
    program.do('linger', sock, 1, 0)
    other = program.do(verb, sock)
    program.do('close', sock)
    case.sees()
    program.do('send', other, 3)
    case.sees(ours={'data': 3})
    program.do('close', other)
    case.sees(ours={'data': 3, 'rst': 1})


def hard_wsaduplicate(case):
    hard_duplicate(case, 'wsaduplicate')


def hard_shared(case):
    """So it is with processes: one that uses its handle, and one that never does."""
    program, sock, peer = case.pair()
    program.do('linger', sock, 1, 0)
    child = case.stage.child(program)
    other = case.stage.child(program)
    child.do('send', sock, 3)
    program.do('close', sock)
    case.sees(ours={'data': 3})
    child.do('close', sock)
    case.sees(ours={'data': 3})
    other.leave('exit', 0)
    case.sees(ours={'data': 3, 'rst': 1})
    child.leave('exit', 0)


def hard_set_by_other(case):
    """The option is the socket's, whoever set it."""
    program, sock, peer = case.pair()
    child = case.stage.child(program)
    child.do('linger', sock, 1, 0)
    child.leave('exit', 0)
    case.sees()
    program.do('close', sock)
    case.sees(ours={'rst': 1})


def plain_shared(case):
    program, sock, peer = case.pair()
    child = case.stage.child(program)
    program.do('close', sock)
    case.sees()
    child.do('send', sock, 5)
    child.do('close', sock)
    case.sees(ours={'data': 5, 'fin': 1})
    child.leave('exit', 0)


def linger_reads(case):
    """The peer reads: closesocket returns when all has arrived."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    sent = send_all(case, program, sock)
    program.do('linger', sock, 1, 15)
    close = program.begin('close', sock)
    check(close.runs(), 'closesocket did not wait')
    same(drain(peer, part=1 << 16), sent, 'the peer received')
    same(close.wait(), 0, 'closesocket')
    case.sees(ours={'data': sent, 'fin': 1})


def send_all(case, program, sock):
    """Fills what there is room for, and is blocking again."""
    send_much(case, program, sock)
    program.do('nonblocking', sock, 0)
    return MUCH


def linger_nothing_unsent(case):
    program, sock, peer = case.pair()
    program.do('send', sock, 5)
    same(peer.recv(10), bytes(5), 'the peer received')
    program.do('linger', sock, 1, 15)
    start = time.monotonic()
    program.do('close', sock)
    check(time.monotonic() - start < 5, 'closesocket waited')
    case.sees(ours={'data': 5, 'fin': 1})


def linger_never_reads(case):
    program, sock, peer = case.pair(rcvbuf=SMALL)
    send_all(case, program, sock)
    program.do('linger', sock, 1, 1)
    start = time.monotonic()
    close = program.begin('close', sock)
    check(close.runs(0.5), 'closesocket did not wait')
    same(close.wait(), 0, 'closesocket')
    check(0.9 <= time.monotonic() - start < 6, 'closesocket took %.1f s' % (time.monotonic() - start))
    case.sees(ours={'rst': 1}, ignored=('data',))


def linger_dead_peer(case):
    """A host that has gone: nothing is acknowledged any more, not even the FIN."""
    program, sock, peer = case.pair()
    program.do('linger', sock, 1, 1)
    capture.deafen(peer)
    program.do('send', sock, 5)
    close = program.begin('close', sock)
    check(close.runs(0.5), 'closesocket did not wait')
    same(close.wait(), 0, 'closesocket')
    case.sees(ours={'data': 5, 'fin': 1, 'rst': 1})


def linger_peer_resets(case):
    """The end of the connection is the end of the wait."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    send_all(case, program, sock)
    program.do('linger', sock, 1, 15)
    close = program.begin('close', sock)
    check(close.runs(0.5), 'closesocket did not wait')
    reset(peer)
    same(close.wait(5), 0, 'closesocket')
    case.sees(peer={'rst': 1}, ignored=('data',))


def linger_late_data(case):
    """What comes for a socket that is being closed resets it, and ends the wait."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    send_all(case, program, sock)
    program.do('linger', sock, 1, 15)
    close = program.begin('close', sock)
    check(close.runs(0.5), 'closesocket did not wait')
    peer.send(b'late')
    same(close.wait(5), 0, 'closesocket')
    case.sees(ours={'rst': 1}, peer={'data': 4}, ignored=('data',))


def linger_nonblocking(case):
    """Refused; the socket goes on, and is closed later."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    send_much(case, program, sock)
    program.do('linger', sock, 1, 5)
    program.fails(WSAEWOULDBLOCK, 'close', sock)
    case.sees(ignored=('data',))
    peer.send(b'hello')
    case.arrives(program, sock)
    same(program.do('recv', sock, 10), 5, 'received')
    read = 0
    while read < MUCH:
        read += len(peer.recv(1 << 16))
    end = time.monotonic() + 5
    while (close := program.begin('close', sock).wait()) == -WSAEWOULDBLOCK and time.monotonic() < end:
        time.sleep(0.05)
    same(close, 0, 'closesocket')
    case.sees(ours={'data': MUCH, 'fin': 1}, peer={'data': 5})


def linger_shared(case):
    """The handle was given away before: the last close waits all the same."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    child = case.stage.child(program)
    child.do('send', sock, 1)
    child.leave('exit', 0)
    sent = send_all(case, program, sock)
    program.do('linger', sock, 1, 15)
    close = program.begin('close', sock)
    check(close.runs(0.5), 'closesocket did not wait')
    same(drain(peer, part=1 << 16), sent + 1, 'the peer received')
    same(close.wait(), 0, 'closesocket')
    case.sees(ours={'data': sent + 1, 'fin': 1})


def linger_duplicated(case):
    program, sock, peer = case.pair(rcvbuf=SMALL)
    other = program.do('duplicate', sock)
    program.do('closehandle', other)
    send_all(case, program, sock)
    program.do('linger', sock, 1, 1)
    close = program.begin('close', sock)
    check(close.runs(0.5), 'closesocket did not wait')
    same(close.wait(), 0, 'closesocket')
    case.sees(ours={'rst': 1}, ignored=('data',))


def linger_not_last(case):
    """Others have it: there is nothing to wait for, and nothing happens."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    child = case.stage.child(program)
    child.do('send', sock, 1)
    send_all(case, program, sock)
    program.do('linger', sock, 1, 1)
    start = time.monotonic()
    program.do('close', sock)
    check(time.monotonic() - start < 0.9, 'closesocket waited')
    time.sleep(1.5)
    case.sees(ignored=('data',))
    same(child.do('readable', sock, 0), 0, 'readable')
    child.leave('exit', 0)
    # now it begins: a second, then the end
    case.sees(ours={'rst': 1}, ignored=('data',))


def linger_many(case):
    """Hundreds of closes wait for dead hosts, and others do not wait with them."""
    count = 300
    program = case.stage.program()
    with socket.create_server((capture.PEER, 0), backlog=count) as listener:
        port = listener.getsockname()[1]
        case.watch(port)
        for _ in range(count):
            sock = program.do('tcp')
            program.do('linger', sock, 1, 3)
            program.do('connect', sock, port, case.host())
            capture.deafen(case.keep(listener.accept()[0]))
            program.do('send', sock, 5)
            program.do('closehandle', sock)
    lingering = case.capture
    start = time.monotonic()
    for _ in range(20):
        _, sock, peer = case.pair()
        program.do('send', sock, 5)
        same(peer.recv(10), bytes(5), 'the peer received')
        program.do('close', sock)
    check(time.monotonic() - start < 2, 'others waited for %.1f s' % (time.monotonic() - start))
    case.capture = lingering
    case.sees(ours={'data': 5 * count, 'fin': count, 'rst': count}, seconds=15)


def backlog_late_data(case):
    """What comes while the rest is still being sent resets it: nobody will read."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    send_much(case, program, sock)
    program.do('close', sock)
    case.sees(ignored=('data',))
    peer.send(b'late')
    case.sees(ours={'rst': 1}, peer={'data': 4}, ignored=('data',))


def linger_handle(case):
    """CloseHandle does not wait; the seconds pass in the background."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    send_all(case, program, sock)
    program.do('linger', sock, 1, 1)
    start = time.monotonic()
    program.do('closehandle', sock)
    check(time.monotonic() - start < 0.9, 'CloseHandle waited')
    case.sees(ours={'rst': 1}, ignored=('data',))
    passed = case.capture.times['ours', 'rst'] - start
    check(0.8 <= passed < 6, 'the reset came after %.1f s' % passed)


def listen_to(case, count):
    """A listener of the program's and so many connected peers that wait: the program, the listener, the peers."""
    program = case.stage.program()
    listener = program.do('tcp')
    port = program.do('bind', listener, 0)
    program.do('listen', listener, 10)
    peers = [case.keep(socket.socket()) for _ in range(count)]
    case.watch_clients(peers)
    for peer in peers:
        peer.connect(('127.0.0.1', port))
    return program, listener, peers


def listener_closed(case):
    """Connections that wait are reset, each; one that was accepted goes on."""
    program, listener, peers = listen_to(case, 4)
    accepted = program.do('accept', listener)
    case.sees()
    program.do('close', listener)
    case.sees(ours={'rst': 3})
    check(all(is_reset(peer) for peer in peers[1:]), 'a peer was not told')
    peers[0].send(b'still')
    same(program.do('recv', accepted, 10), 5, 'received')
    program.do('close', accepted)
    case.sees(ours={'rst': 3, 'fin': 1}, peer={'data': 5})


def listener_shared(case):
    """Another process has it: it goes on listening, and its end is the end."""
    program, listener, peers = listen_to(case, 2)
    child = case.stage.child(program)
    program.do('close', listener)
    case.sees()
    accepted = child.do('accept', listener)
    child.do('send', accepted, 3)
    case.sees(ours={'data': 3})
    child.kill()
    case.sees(ours={'data': 3, 'fin': 1, 'rst': 1})


def rejected(case):
    """The condition function says no: a reset, and the next one is not touched."""
    program, listener, peers = listen_to(case, 2)
    program.fails(WSAECONNREFUSED, 'wsaaccept', listener, CF_REJECT)
    check(is_reset(peers[0]), 'the peer was not told')
    case.sees(ours={'rst': 1})
    accepted = program.do('wsaaccept', listener, CF_ACCEPT)
    program.do('send', accepted, 3)
    same(peers[1].recv(10), bytes(3), 'the peer received')
    program.do('close', accepted)
    program.do('close', listener)
    case.sees(ours={'rst': 1, 'data': 3, 'fin': 1})


def deferred(case):
    """The condition function puts it off: it stays; closing the listener resets it with those that wait."""
    program, listener, peers = listen_to(case, 2)
    program.fails(WSATRY_AGAIN, 'wsaaccept', listener, CF_DEFER)
    case.sees()
    program.fails(WSATRY_AGAIN, 'wsaaccept', listener, CF_DEFER)
    program.do('close', listener)
    case.sees(ours={'rst': 2})
    check(all(is_reset(peer) for peer in peers), 'a peer was not told')


def deferred_killed(case):
    """So does the death of its process."""
    program, listener, peers = listen_to(case, 2)
    program.fails(WSATRY_AGAIN, 'wsaaccept', listener, CF_DEFER)
    program.kill()
    case.sees(ours={'rst': 2})


def peer_reset(case):
    program, sock, peer = case.pair()
    reset(peer)
    program.fails(WSAECONNRESET, 'recv', sock, 10)
    program.fails(WSAECONNRESET, 'send', sock, 10)
    program.do('close', sock)
    case.sees(peer={'rst': 1})


CASES = [
    ('close-plain', plain), ('close-plain-handle', plain_handle), ('close-backlog', backlog), ('close-unread', unread),
    ('close-late-data', late_data), ('close-plain-shared', plain_shared),
    ('send-shutdown', send_shutdown), ('send-disconnect', send_disconnect),
    ('send-shutdown-backlog', send_shutdown_backlog), ('send-shutdown-shared', send_shutdown_shared),
    ('send-shutdown-sending', send_shutdown_sending),
    ('close-backlog-shared', backlog_shared), ('close-backlog-late-data', backlog_late_data),
    ('hard', hard), ('hard-unsent', hard_unsent), ('hard-handle', hard_handle), ('hard-duplicate', hard_duplicate),
    ('hard-wsaduplicate', hard_wsaduplicate),
    ('hard-shared', hard_shared), ('hard-set-by-other', hard_set_by_other),
    ('linger-reads', linger_reads), ('linger-nothing-unsent', linger_nothing_unsent),
    ('linger-never-reads', linger_never_reads), ('linger-dead-peer', linger_dead_peer),
    ('linger-peer-resets', linger_peer_resets), ('linger-late-data', linger_late_data),
    ('linger-nonblocking', linger_nonblocking), ('linger-shared', linger_shared), ('linger-duplicated', linger_duplicated),
    ('linger-not-last', linger_not_last), ('linger-handle', linger_handle),
    ('linger-many', linger_many),
    ('listener-closed', listener_closed), ('listener-shared', listener_shared), ('listener-rejected', rejected),
    ('listener-deferred', deferred), ('listener-deferred-killed', deferred_killed), ('peer-reset', peer_reset),
]
