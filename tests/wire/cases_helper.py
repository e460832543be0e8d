# The helper is killed: nothing of it is seen on the wire, and what it had promised is kept
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


import contextlib
import glob
import os
import signal
import socket
import time

from scene import CF_DEFER, SD_RECEIVE, SD_SEND, WSAESHUTDOWN, WSATRY_AGAIN, check, drain, same

MUCH = 8 << 20
SMALL = 4096
WORKER, KEEPER = 'tapsterd', 'tapster-keeper'


def helpers(program):
    """The helper's processes for the program's prefix, by name: {name: pid}."""
    with open('/proc/%d/environ' % program.pid(), 'rb') as environ:
        variables = dict(entry.split(b'=', 1) for entry in environ.read().split(b'\0') if b'=' in entry)
    status = os.stat(variables[b'WINEPREFIX'])
    folder = b'helper-%x-%x' % (status.st_dev, status.st_ino)
    found = {}
    for path in glob.glob('/proc/[0-9]*'):
        with contextlib.suppress(OSError):
            with open(path + '/cmdline', 'rb') as cmdline, open(path + '/comm', encoding='ascii') as comm:
                if cmdline.read().rstrip(b'\0').endswith(b'/' + folder) and os.readlink(path + '/exe').endswith('/tapsterd'):
                    found[comm.read().strip()] = int(path.split('/')[2])
    return found


def kill(program, *names):
    """Kills these of them, and nobody else."""
    found = helpers(program)
    for name in names:
        check(name in found, 'no %s there, only %s' % (name, found))
    for name in names:
        os.kill(found[name], signal.SIGKILL)


def idle(*names):
    def case(case):
        program, sock, peer = case.pair()
        kill(program, *names)
        case.sees()
        program.do('send', sock, 5)
        same(peer.recv(10), bytes(5), 'the peer received')
        peer.send(b'abc')
        same(program.do('recv', sock, 10), 3, 'received')
        program.do('close', sock)
        case.sees(ours={'data': 5, 'fin': 1}, peer={'data': 3})
    return case


def receive_shutdown(*names):
    """Data comes when it has been killed, and nobody has called since."""
    def case(case):
        program, sock, peer = case.pair()
        program.do('shutdown', sock, SD_RECEIVE)
        kill(program, *names)
        case.sees()
        peer.send(b'x')
        case.sees(ours={'rst': 1}, peer={'data': 1}, seconds=10)
        program.fails(WSAESHUTDOWN, 'recv', sock, 10)
    return case


def posted(*names):
    """The receive that was there still takes its data; what follows is nobody's."""
    def case(case):
        program, sock, peer = case.pair()
        receive = program.begin('recv', sock, 100)
        check(receive.runs(), 'the receive ended')
        program.do('shutdown', sock, SD_RECEIVE)
        kill(program, *names)
        check(receive.runs(), 'the receive ended')
        peer.send(b'for it')
        same(receive.wait(), 6, 'received')
        case.sees(peer={'data': 6})
        peer.send(b'for nobody')
        case.sees(ours={'rst': 1}, peer={'data': 16}, seconds=10)
    return case


def backlog(*names):
    """The rest of a send, and the FIN that is to follow it."""
    def case(case):
        program, sock, peer = case.pair(rcvbuf=SMALL)
        program.do('nonblocking', sock, 1)
        same(program.do('send', sock, MUCH), MUCH, 'sent')
        program.do('shutdown', sock, SD_SEND)
        kill(program, *names)
        case.sees(ignored=('data',))
        same(drain(peer, part=1 << 16), MUCH, 'the peer received')
        case.sees(ours={'data': MUCH, 'fin': 1})
    return case


def backlog_closed(case):
    """The process has closed the socket: only the helper has what is still to be sent."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    program.do('nonblocking', sock, 1)
    same(program.do('send', sock, MUCH), MUCH, 'sent')
    program.do('close', sock)
    kill(program, WORKER)
    same(drain(peer, part=1 << 16), MUCH, 'the peer received')
    case.sees(ours={'data': MUCH, 'fin': 1})


def backlog_dead(case):
    """Or it has died."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    witness = case.stage.start()        # another client, so that there is a helper to look for
    program.do('nonblocking', sock, 1)
    same(program.do('send', sock, MUCH), MUCH, 'sent')
    program.kill()
    time.sleep(0.3)
    kill(witness, WORKER)
    same(drain(peer, part=1 << 16), MUCH, 'the peer received')
    case.sees(ours={'data': MUCH, 'fin': 1})
    witness.leave('exit', 0)


def lingering(case):
    """The caller waits, and the end comes in time, from the next one."""
    program, sock, peer = case.pair(rcvbuf=SMALL)
    program.do('nonblocking', sock, 1)
    program.do('send', sock, MUCH)
    program.do('nonblocking', sock, 0)
    program.do('linger', sock, 1, 2)
    start = time.monotonic()
    close = program.begin('close', sock)
    check(close.runs(0.5), 'closesocket did not wait')
    kill(program, WORKER)
    check(close.runs(0.5), 'closesocket did not wait any more')
    same(close.wait(), 0, 'closesocket')
    check(1.8 <= time.monotonic() - start < 8, 'closesocket took %.1f s' % (time.monotonic() - start))
    case.sees(ours={'rst': 1}, ignored=('data',))


def hard(*names):
    """{1,0} is the kernel's knowledge, too."""
    def case(case):
        program, sock, peer = case.pair()
        program.do('linger', sock, 1, 0)
        kill(program, *names)
        case.sees()
        program.kill()
        case.sees(ours={'rst': 1})
    return case


def unused_by_child(case):
    """Only a child has it, and has not used it yet."""
    program, sock, peer = case.pair()
    child = case.stage.child(program)
    program.do('close', sock)
    kill(program, WORKER)
    case.sees()
    child.do('send', sock, 5)
    case.sees(ours={'data': 5})
    child.kill()
    case.sees(ours={'data': 5, 'fin': 1})


def listener(case):
    """Those that wait go on waiting, the deferred one too."""
    program = case.stage.program()
    sock = program.do('tcp')
    port = program.do('bind', sock, 0)
    program.do('listen', sock, 5)
    peers = [case.keep(socket.socket()) for _ in range(2)]
    case.watch_clients(peers)
    for peer in peers:
        peer.connect(('127.0.0.1', port))
    program.fails(WSATRY_AGAIN, 'wsaaccept', sock, CF_DEFER)
    kill(program, WORKER)
    case.sees()
    for peer in peers:
        accepted = program.do('accept', sock)
        program.do('send', accepted, 3)
        same(peer.recv(10), bytes(3), 'the peer received')
        program.do('close', accepted)
    program.do('close', sock)
    case.sees(ours={'data': 6, 'fin': 2})


BOTH = (WORKER, KEEPER)
CASES = [('helper-%s-%s' % (name, label), make(*names))
         for name, make in (('idle', idle), ('receive', receive_shutdown), ('posted', posted), ('backlog', backlog), ('hard', hard))
         for label, names in (('worker', (WORKER,)), ('keeper', (KEEPER,)), ('both', BOTH))]
CASES += [
    ('helper-backlog-closed', backlog_closed), ('helper-backlog-dead', backlog_dead), ('helper-lingering', lingering),
    ('helper-unused-by-child', unused_by_child), ('helper-listener', listener),
]
