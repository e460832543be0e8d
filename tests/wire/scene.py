# The program under test, told what to do, and the native peer it talks to
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
import itertools
import os
import select
import signal
import socket
import struct
import subprocess
import threading
import time

import capture

LOOPBACK = '127.0.0.1'
START_SECONDS = 60          # a first start may have the prefix to make
CALL_SECONDS = 20

SD_RECEIVE, SD_SEND, SD_BOTH = range(3)
MSG_OOB, MSG_PEEK = 1, 2
CF_ACCEPT, CF_REJECT, CF_DEFER = range(3)
WSAEWOULDBLOCK, WSAECONNABORTED, WSAECONNRESET, WSAESHUTDOWN = 10035, 10053, 10054, 10058
WSAECONNREFUSED, WSATRY_AGAIN = 10061, 11002


class Failure(Exception):
    """What was seen is not what should have been."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def same(got, wanted, what):
    check(got == wanted, '%s: got %s, expected %s' % (what, got, wanted))


class Call:
    """Something the program does, or has done."""

    def __init__(self, text):
        self.text = text
        self.done = threading.Event()
        self.result = self.error = None

    def wait(self, seconds=CALL_SECONDS):
        """The result; a negative number is the error."""
        check(self.done.wait(seconds), '"%s" did not end within %d s' % (self.text, seconds))
        return -self.error if self.result == -1 else self.result

    def runs(self, seconds=0.2):
        """Is it still under way after that time?"""
        return not self.done.wait(seconds)


class Program:
    """One running scene.exe, by its connection to us."""

    def __init__(self, name, control):
        self.name = name
        self.control = control
        self.calls = {}
        self.numbers = itertools.count(1)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        with contextlib.suppress(OSError), self.control.makefile('r', newline='\n') as lines:
            for line in lines:
                number, result, error = map(int, line.split())
                call = self.calls.pop(number)
                call.result, call.error = result, error
                call.done.set()
        self.ended.set()

    def begin(self, verb, *args, thread=True):
        """Has it do something; does not wait for the end."""
        number = next(self.numbers)
        text = '%s %s' % (verb, ' '.join(str(int(arg)) for arg in args))
        call = self.calls[number] = Call(text)
        try:
            self.control.sendall(('%d %s%s\n' % (number, '&' if thread else '', text)).encode())
        except OSError as error:
            raise Failure('%s is gone before "%s": %s' % (self.name, text, error)) from None
        return call

    def do(self, verb, *args):
        """Has it do something that must succeed; returns the result."""
        result = self.begin(verb, *args, thread=False).wait()
        check(result >= 0, '"%s %s" failed with %d' % (verb, ' '.join(map(str, args)), -result))
        return result

    def fails(self, error, verb, *args):
        """Has it do something that must fail, with this error or one of these."""
        result = self.begin(verb, *args, thread=False).wait()
        wanted = error if isinstance(error, tuple) else (error,)
        check(-result in wanted, '"%s %s": got %d, expected error %s' % (verb, ' '.join(map(str, args)), result, error))

    def pid(self):
        """Its Unix process: the one that has its name as the last word of its command line."""
        for path in glob.glob('/proc/[0-9]*/cmdline'):
            with contextlib.suppress(OSError), open(path, 'rb') as cmdline:
                words = cmdline.read().rstrip(b'\0').split(b'\0')
                if words[-1] == self.name.encode() and b'scene.exe' in b' '.join(words[-3:-1]):
                    return int(path.split('/')[2])
        raise Failure('no process of %s' % self.name)

    def kill(self):
        """As the kernel's out-of-memory killer would: nobody in the process gets a word in."""
        os.kill(self.pid(), signal.SIGKILL)
        check(self.ended.wait(10), '%s lives on after kill -9' % self.name)

    def leave(self, verb, *args):
        """Has it end itself."""
        self.begin(verb, *args, thread=False)
        check(self.ended.wait(30), '%s does not end' % self.name)


class Stage:
    """Where the programs of all cases live: starts them, hears of those they start themselves, ends them."""

    def __init__(self, runner, exe, log):
        self.command = [*runner, exe]
        self.log = log
        self.processes = []
        self.spare = None
        self.names = itertools.count(1)
        self.listener = socket.create_server((LOOPBACK, 0))

    def port(self):
        return str(self.listener.getsockname()[1])

    def expect(self, name):
        """The program of that name, which has just been started."""
        self.listener.settimeout(START_SECONDS)
        try:
            control, _ = self.listener.accept()
        except TimeoutError:
            raise Failure('%s did not start' % name) from None
        control.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        hello = b''
        while not hello.endswith(b'\n'):
            part = control.recv(1)
            check(part, '%s ended at once' % name)
            hello += part
        same(hello.decode().strip(), 'hello ' + name, 'a program said')
        return Program(name, control)

    def start(self):
        name = 'scene-%d' % next(self.names)
        with open(self.log, 'ab') as log:
            self.processes.append(subprocess.Popen([*self.command, self.port(), name], stdin=subprocess.DEVNULL, stdout=log,
                                                   stderr=subprocess.STDOUT, start_new_session=True))
        return self.expect(name)

    def program(self):
        """One that lives from case to case, unless a case ends it."""
        if not self.spare or self.spare.ended.is_set():
            self.spare = self.start()
        return self.spare

    def child(self, program):
        """Has a program start another one, which inherits its sockets."""
        number = next(self.names)
        program.do('spawn', number)
        return self.expect('scene-%d' % number)

    def drop(self):
        """The next case gets a fresh program."""
        if self.spare:
            self.spare.control.close()
            self.spare = None

    def end(self):
        self.drop()
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)      # its session, nothing else
            process.wait()


class Scenario:
    """What a case gets: the program, a peer and the capture of what they send each other."""

    def __init__(self, stage):
        self.stage = stage
        self.captures = []
        self.sockets = []
        self.listener = None
        self.capture = None

    def watch(self, *ports):
        self.capture = capture.Capture(ports)
        self.captures.append(self.capture)

    def keep(self, sock):
        sock.settimeout(CALL_SECONDS)
        self.sockets.append(sock)
        return sock

    def host(self):
        """The peers' address, as a number."""
        return struct.unpack('>I', socket.inet_aton(capture.PEER))[0]

    def watch_clients(self, peers):
        """Peers that are about to connect to the program."""
        for peer in peers:
            peer.bind((capture.PEER, 0))
        self.watch(*(peer.getsockname()[1] for peer in peers))

    def pair(self, program=None, rcvbuf=0):
        """A connection of the program's to a native peer, watched: the program, its socket, the peer's."""
        program = program or self.stage.program()
        with socket.socket() as listener:
            if rcvbuf:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
            listener.bind((capture.PEER, 0))
            listener.listen()
            port = listener.getsockname()[1]
            self.watch(port)
            sock = program.do('tcp')
            program.do('connect', sock, port, self.host())
            peer = self.keep(listener.accept()[0])
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return program, sock, peer

    def datagram_pair(self):
        """A bound datagram socket of the program's, and a native one: the program, its socket, the port, the peer's."""
        program = self.stage.program()
        peer = self.keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        peer.bind((capture.PEER, 0))
        self.watch(peer.getsockname()[1])
        sock = program.do('udp')
        return program, sock, program.do('bind', sock, 0), peer

    def sees(self, ours=None, peer=None, **options):
        """Just this has been sent in all, by each side: what is not named must not be there."""
        wrong = self.capture.expect(ours, peer, **options)
        check(not wrong, '; '.join(wrong))

    def arrives(self, program, sock):
        """What the peer has sent is in the program's queue."""
        same(program.do('readable', sock, 5000), 1, 'readable')

    def end(self):
        for sock in self.sockets:
            sock.close()
        for one in self.captures:
            one.close()


def reset(sock):
    """Closes a TCP connection with an RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    sock.close()


def drain(sock, seconds=30, pause=0.0, part=1 << 20):
    """Reads to the end of the stream, slowly if asked; how many bytes that were, -1: reset."""
    total, end = 0, time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            data = sock.recv(part)
            if not data:
                return total
            total += len(data)
            time.sleep(pause)
    except ConnectionResetError:
        return -1
    raise Failure('the stream does not end within %d s' % seconds)


def is_reset(sock, seconds=5):
    """Has the peer been told of a reset?"""
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    return any(event & select.POLLERR for _, event in poll.poll(seconds * 1000))
