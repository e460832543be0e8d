# Receive shutdown: what goes to the peer, and what does not
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

from scene import (MSG_OOB, MSG_PEEK, SD_BOTH, SD_RECEIVE, SD_SEND, WSAECONNABORTED, WSAECONNRESET, WSAESHUTDOWN, drain,
                   is_reset, check, reset, same)

BROKEN = (WSAECONNABORTED, WSAECONNRESET)


def nothing_queued(case):
    program, sock, peer = case.pair()
    program.do('shutdown', sock, SD_RECEIVE)
    case.sees()
    program.do('send', sock, 3)
    same(peer.recv(10), bytes(3), 'the peer received')
    case.sees(ours={'data': 3})


def twice(case):
    program, sock, peer = case.pair()
    for verb in ('shutdown', 'recvdisconnect', 'shutdown', 'recvdisconnect'):
        program.do(verb, sock, SD_RECEIVE)
    case.sees()
    peer.send(b'x')
    case.sees(ours={'rst': 1}, peer={'data': 1})
    program.do('shutdown', sock, SD_RECEIVE)
    program.do('recvdisconnect', sock)
    case.sees(ours={'rst': 1}, peer={'data': 1})


def queued(case, verb='shutdown'):
    program, sock, peer = case.pair()
    peer.send(b'unread')
    case.arrives(program, sock)
    case.sees(peer={'data': 6})
    program.do(verb, sock, SD_RECEIVE)
    case.sees(ours={'rst': 1}, peer={'data': 6})
    check(is_reset(peer), 'the peer was not told')
    program.fails(WSAESHUTDOWN, 'recv', sock, 10)
    program.fails(BROKEN, 'send', sock, 10)
    program.do('close', sock)
    case.sees(ours={'rst': 1}, peer={'data': 6})


def queued_disconnect(case):
    queued(case, 'recvdisconnect')


def later(case, verb='shutdown'):
    program, sock, peer = case.pair()
    program.do(verb, sock, SD_RECEIVE)
    case.sees()
    same(peer.send(b'later'), 5, 'sent')
    case.sees(ours={'rst': 1}, peer={'data': 5})
    check(is_reset(peer), 'the peer was not told')
    program.do('close', sock)
    case.sees(ours={'rst': 1}, peer={'data': 5})


def later_disconnect(case):
    later(case, 'recvdisconnect')


def posted(case):
    program, sock, peer = case.pair()
    receive = program.begin('recv', sock, 100)
    check(receive.runs(), 'the receive ended')
    program.do('shutdown', sock, SD_RECEIVE)
    check(receive.runs(), 'the receive ended')
    program.fails(WSAESHUTDOWN, 'recv', sock, 10)
    case.sees()
    peer.send(b'for it')
    same(receive.wait(), 6, 'received')
    case.sees(peer={'data': 6})
    peer.send(b'for nobody')
    case.sees(ours={'rst': 1}, peer={'data': 16})


def posted_short(case):
    """The receive has less room than there is data: the rest is nobody's."""
    program, sock, peer = case.pair()
    receive = program.begin('recv', sock, 4)
    check(receive.runs(), 'the receive ended')
    program.do('shutdown', sock, SD_RECEIVE)
    peer.send(b'four and more')
    same(receive.wait(), 4, 'received')
    case.sees(ours={'rst': 1}, peer={'data': 13})


def posted_three(case):
    """Each of the receives that were there gets its data."""
    program, sock, peer = case.pair()
    receives = [program.begin('recv', sock, 4) for _ in range(3)]
    check(all(receive.runs() for receive in receives), 'a receive ended')
    program.do('shutdown', sock, SD_RECEIVE)
    for count in range(1, 4):
        peer.send(b'part')
        end = time.monotonic() + 5
        while sum(receive.done.is_set() for receive in receives) < count and time.monotonic() < end:
            time.sleep(0.01)
        case.sees(peer={'data': 4 * count})
    same([receive.wait() for receive in receives], [4, 4, 4], 'received')
    peer.send(b'x')
    case.sees(ours={'rst': 1}, peer={'data': 13})


def posted_elsewhere(case):
    """The receive that was there is another process's."""
    program, sock, peer = case.pair()
    child = case.stage.child(program)
    receive = child.begin('recv', sock, 100)
    check(receive.runs(), 'the receive ended')
    program.do('shutdown', sock, SD_RECEIVE)
    child.fails(WSAESHUTDOWN, 'recv', sock, 10)
    peer.send(b'for it')
    same(receive.wait(), 6, 'received')
    case.sees(peer={'data': 6})
    peer.send(b'for nobody')
    case.sees(ours={'rst': 1}, peer={'data': 16})
    child.leave('exit', 0)


def posted_killed(case):
    """It dies with its process: from then on there is nobody."""
    program, sock, peer = case.pair()
    child = case.stage.child(program)
    receive = child.begin('recv', sock, 100)
    check(receive.runs(), 'the receive ended')
    program.do('shutdown', sock, SD_RECEIVE)
    case.sees()
    child.kill()
    case.sees()
    peer.send(b'for nobody')
    case.sees(ours={'rst': 1}, peer={'data': 10})


def fin(case):
    program, sock, peer = case.pair()
    program.do('shutdown', sock, SD_RECEIVE)
    peer.shutdown(socket.SHUT_WR)
    case.sees(peer={'fin': 1})
    program.do('send', sock, 5)
    program.do('close', sock)
    same(drain(peer), 5, 'the peer received')
    case.sees(ours={'data': 5, 'fin': 1}, peer={'fin': 1})


def after_fin(case):
    program, sock, peer = case.pair()
    peer.shutdown(socket.SHUT_WR)
    case.arrives(program, sock)
    same(program.do('recv', sock, 10), 0, 'received')
    program.do('shutdown', sock, SD_RECEIVE)
    case.sees(peer={'fin': 1})
    program.do('close', sock)
    case.sees(ours={'fin': 1}, peer={'fin': 1})


def data_and_fin(case):
    """Queued before, and arriving later."""
    program, sock, peer = case.pair()
    peer.send(b'last')
    peer.shutdown(socket.SHUT_WR)
    case.arrives(program, sock)
    case.sees(peer={'data': 4, 'fin': 1})
    program.do('shutdown', sock, SD_RECEIVE)
    case.sees(ours={'rst': 1}, peer={'data': 4, 'fin': 1})


def data_and_fin_later(case):
    program, sock, peer = case.pair()
    program.do('shutdown', sock, SD_RECEIVE)
    case.sees()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    peer.send(b'last')
    peer.shutdown(socket.SHUT_WR)       # in one segment
    case.sees(ours={'rst': 1}, peer={'data': 4, 'fin': 1})


def peeked(case):
    program, sock, peer = case.pair()
    peer.send(b'seen')
    same(program.do('recv', sock, 10, MSG_PEEK), 4, 'peeked')
    case.sees(peer={'data': 4})
    program.do('shutdown', sock, SD_RECEIVE)
    case.sees(ours={'rst': 1}, peer={'data': 4})


def read_before(case):
    program, sock, peer = case.pair()
    peer.send(b'read')
    same(program.do('recv', sock, 10), 4, 'received')
    program.do('shutdown', sock, SD_RECEIVE)
    case.sees(peer={'data': 4})


def partly_read(case):
    program, sock, peer = case.pair()
    peer.send(b'read and unread')
    same(program.do('recv', sock, 4), 4, 'received')
    program.do('shutdown', sock, SD_RECEIVE)
    case.sees(ours={'rst': 1}, peer={'data': 15})


def urgent_queued(case):
    program, sock, peer = case.pair()
    peer.send(b'!', socket.MSG_OOB)
    same(program.do('urgent', sock, 5000), 1, 'urgent')
    program.do('shutdown', sock, SD_RECEIVE)
    case.sees(ours={'rst': 1}, peer={'data': 1})


def urgent_later(case):
    program, sock, peer = case.pair()
    program.do('shutdown', sock, SD_RECEIVE)
    peer.send(b'!', socket.MSG_OOB)
    case.sees(ours={'rst': 1}, peer={'data': 1})


def urgent_inline(case):
    program, sock, peer = case.pair()
    program.do('oobinline', sock, 1)
    peer.send(b'!', socket.MSG_OOB)
    case.arrives(program, sock)
    program.do('shutdown', sock, SD_RECEIVE)
    case.sees(ours={'rst': 1}, peer={'data': 1})


def urgent_read(case):
    """The urgent byte was taken: there is nothing to reset for, nor when it is closed."""
    program, sock, peer = case.pair()
    peer.send(b'!', socket.MSG_OOB)
    same(program.do('urgent', sock, 5000), 1, 'urgent')
    same(program.do('recv', sock, 1, MSG_OOB), 1, 'received')
    program.do('shutdown', sock, SD_RECEIVE)
    case.sees(peer={'data': 1})
    program.do('close', sock)
    case.sees(ours={'fin': 1}, peer={'data': 1})


def both(case):
    program, sock, peer = case.pair()
    program.do('shutdown', sock, SD_BOTH)
    case.sees(ours={'fin': 1})
    same(peer.recv(10), b'', 'the peer received')
    peer.send(b'late')
    case.sees(ours={'fin': 1, 'rst': 1}, peer={'data': 4})


def both_one_by_one(case):
    program, sock, peer = case.pair()
    program.do('shutdown', sock, SD_RECEIVE)
    program.do('send', sock, 4)
    program.do('shutdown', sock, SD_SEND)
    program.do('shutdown', sock, SD_BOTH)
    same(drain(peer), 4, 'the peer received')
    case.sees(ours={'data': 4, 'fin': 1})
    peer.close()
    case.sees(ours={'data': 4, 'fin': 1}, peer={'fin': 1})
    program.do('close', sock)
    case.sees(ours={'data': 4, 'fin': 1}, peer={'fin': 1})


def lingering(case):
    """SO_LINGER changes nothing: a shutdown is not a close."""
    for seconds in (0, 5):
        program, sock, peer = case.pair()
        program.do('linger', sock, 1, seconds)
        program.do('recvdisconnect', sock)
        case.sees()
        peer.send(b'x')
        case.sees(ours={'rst': 1}, peer={'data': 1})
        program.do('linger', sock, 0, 0)
        program.do('close', sock)


def closed_after(case):
    program, sock, peer = case.pair()
    program.do('shutdown', sock, SD_RECEIVE)
    program.do('close', sock)
    same(peer.recv(10), b'', 'the peer received')
    case.sees(ours={'fin': 1})


def shared(case):
    """Two processes have it, one shuts it down, no matter which."""
    program, sock, peer = case.pair()
    child = case.stage.child(program)
    child.do('shutdown', sock, SD_RECEIVE)
    program.fails(WSAESHUTDOWN, 'recv', sock, 10)
    case.sees()
    peer.send(b'x')
    case.sees(ours={'rst': 1}, peer={'data': 1})
    program.fails(BROKEN, 'send', sock, 10)
    child.fails(BROKEN, 'send', sock, 10)
    child.leave('exit', 0)


def shared_outlived(case):
    """What one process has shut down, and ended since, stays so for the other, which had not even used the socket."""
    program, sock, peer = case.pair()
    child = case.stage.child(program)
    program.do('shutdown', sock, SD_RECEIVE)
    program.do('close', sock)
    case.sees()
    child.fails(WSAESHUTDOWN, 'recv', sock, 10)
    child.do('send', sock, 5)
    case.sees(ours={'data': 5})
    peer.send(b'x')
    case.sees(ours={'data': 5, 'rst': 1}, peer={'data': 1})
    child.leave('exit', 0)


def unused_by_child(case):
    """Nobody but a child has it, which has never used it: the helper acts all the same."""
    program, sock, peer = case.pair()
    child = case.stage.child(program)
    program.do('shutdown', sock, SD_RECEIVE)
    program.do('close', sock)
    peer.send(b'x')
    case.sees(ours={'rst': 1}, peer={'data': 1})
    child.leave('exit', 0)


def peer_resets(case):
    program, sock, peer = case.pair()
    program.do('shutdown', sock, SD_RECEIVE)
    reset(peer)
    case.sees(peer={'rst': 1})
    program.fails(WSAECONNRESET, 'send', sock, 10)
    program.do('close', sock)
    case.sees(peer={'rst': 1})


def datagrams(case, verb='shutdown'):
    program, sock, port, peer = case.datagram_pair()
    peer.connect(('127.0.0.1', port))
    peer.send(b'before')
    case.arrives(program, sock)
    program.do(verb, sock, SD_RECEIVE)
    for _ in range(3):
        peer.send(b'after')
    program.fails(WSAESHUTDOWN, 'recv', sock, 10)
    case.sees(peer={'datagrams': 4})
    same(peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0, "the peer's error")
    # from here on nobody is there
    program.do('close', sock)
    peer.send(b'nobody')
    case.sees(ours={'icmp': 1}, peer={'datagrams': 5})


def datagrams_disconnect(case):
    datagrams(case, 'recvdisconnect')


def datagrams_flood(case):
    """More than there is room for: dropped, not refused."""
    program, sock, port, peer = case.datagram_pair()
    peer.connect(('127.0.0.1', port))
    program.do('shutdown', sock, SD_RECEIVE)
    for _ in range(500):
        peer.send(bytes(1400))
    case.sees(peer={'datagrams': 500})


CASES = [
    ('receive-nothing-queued', nothing_queued), ('receive-twice', twice),
    ('receive-queued', queued), ('receive-queued-disconnect', queued_disconnect),
    ('receive-later', later), ('receive-later-disconnect', later_disconnect),
    ('receive-posted', posted), ('receive-posted-short', posted_short), ('receive-posted-three', posted_three),
    ('receive-posted-elsewhere', posted_elsewhere), ('receive-posted-killed', posted_killed),
    ('receive-fin', fin), ('receive-after-fin', after_fin),
    ('receive-data-and-fin', data_and_fin), ('receive-data-and-fin-later', data_and_fin_later),
    ('receive-peeked', peeked), ('receive-read-before', read_before), ('receive-partly-read', partly_read),
    ('receive-urgent-queued', urgent_queued), ('receive-urgent-later', urgent_later),
    ('receive-urgent-inline', urgent_inline), ('receive-urgent-read', urgent_read),
    ('receive-both', both), ('receive-both-one-by-one', both_one_by_one), ('receive-lingering', lingering),
    ('receive-closed-after', closed_after), ('receive-shared', shared), ('receive-shared-outlived', shared_outlived),
    ('receive-unused-by-child', unused_by_child), ('receive-peer-resets', peer_resets),
    ('receive-datagrams', datagrams), ('receive-datagrams-disconnect', datagrams_disconnect),
    ('receive-datagrams-flood', datagrams_flood),
]
