# A process that dies: what it had sent arrives, and then the connection ends
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

from scene import check, drain, same

MUCH = 8 << 20
SMALL = 4096
ENDS = ('kill', 'exit', 'terminate', 'crash')


def die(program, how):
    if how == 'kill':
        program.kill()
    else:
        program.leave(how, 0)


def idle(how):
    def case(case):
        program, sock, peer = case.pair()
        program.do('send', sock, 5)
        die(program, how)
        same(drain(peer), 5, 'the peer received')
        case.sees(ours={'data': 5, 'fin': 1})
    return case


def unsent(how):
    """Most of what was accepted for sending is still with the helper."""
    def case(case):
        program, sock, peer = case.pair(rcvbuf=SMALL)
        program.do('nonblocking', sock, 1)
        same(program.do('send', sock, MUCH), MUCH, 'sent')
        die(program, how)
        time.sleep(0.5)
        case.sees(ignored=('data',))
        same(drain(peer, part=1 << 16), MUCH, 'the peer received')
        case.sees(ours={'data': MUCH, 'fin': 1})
    return case


def hard(how):
    def case(case):
        program, sock, peer = case.pair()
        program.do('linger', sock, 1, 0)
        program.do('send', sock, 5)
        die(program, how)
        case.sees(ours={'data': 5, 'rst': 1})
    return case


def lingering(case):
    """{1,n}: n seconds, then the end, though nobody waits."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    program.do('nonblocking', sock, 1)
    program.do('send', sock, MUCH)
    program.do('linger', sock, 1, 1)
    start = time.monotonic()
    die(program, 'kill')
    case.sees(ours={'rst': 1}, ignored=('data',), seconds=10)
    passed = case.capture.times['ours', 'rst'] - start
    check(0.8 <= passed < 8, 'the reset came after %.1f s' % passed)


def unread(case):
    program, sock, peer = case.pair()
    peer.send(b'unread')
    case.arrives(program, sock)
    die(program, 'kill')
    case.sees(ours={'rst': 1}, peer={'data': 6})


def receiving(case):
    """In the middle of a receive that waits."""
    program, sock, peer = case.pair()
    check(program.begin('recv', sock, 10).runs(), 'the receive ended')
    die(program, 'kill')
    case.sees(ours={'fin': 1})


def sending(case):
    """In the middle of a send that waits: what the kernel has taken of it arrives, and a FIN."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    check(program.begin('send', sock, MUCH).runs(), 'the send ended')
    die(program, 'kill')
    got = drain(peer, part=1 << 16)
    check(0 < got < MUCH, 'the peer received %d bytes' % got)
    case.sees(ours={'data': got, 'fin': 1})


def survivor(case):
    """Another process has the socket: nothing happens until it ends, too."""
    program, sock, peer = case.pair()
    child = case.stage.child(program)
    die(program, 'kill')
    case.sees()
    child.do('send', sock, 5)
    case.sees(ours={'data': 5})
    die(child, 'kill')
    case.sees(ours={'data': 5, 'fin': 1})


def survivor_unused(case):
    """That other process has not used it, and never does."""
    program, sock, peer = case.pair()
    child = case.stage.child(program)
    die(program, 'kill')
    case.sees()
    die(child, 'kill')
    case.sees(ours={'fin': 1})


def survivor_backlog(case):
    """The one that dies has sent more than the kernel takes: that arrives, and the connection goes on."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    child = case.stage.child(program)
    child.do('nonblocking', sock, 1)
    same(child.do('send', sock, MUCH), MUCH, 'sent')
    die(child, 'kill')
    got = 0
    while got < MUCH:
        got += len(peer.recv(1 << 16))
    case.sees(ours={'data': MUCH})
    program.do('send', sock, 5)
    program.do('close', sock)
    case.sees(ours={'data': MUCH + 5, 'fin': 1})


def listener(case):
    """It was a listener's process: who waits is reset."""
    program = case.stage.program()
    sock = program.do('tcp')
    port = program.do('bind', sock, 0)
    program.do('listen', sock, 5)
    peer = case.keep(socket.socket())
    case.watch_clients([peer])
    peer.connect(('127.0.0.1', port))
    die(program, 'kill')
    case.sees(ours={'rst': 1})
    # and nothing of it is left: the port is free
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', port))


CASES = [('death-%s-%s' % (how, name), make(how)) for name, make in (('idle', idle), ('unsent', unsent), ('hard', hard))
         for how in ENDS]
CASES += [
    ('death-lingering', lingering), ('death-unread', unread), ('death-receiving', receiving), ('death-sending', sending),
    ('death-survivor', survivor), ('death-survivor-unused', survivor_unused),
    ('death-survivor-backlog', survivor_backlog), ('death-listener', listener),
]
