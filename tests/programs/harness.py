# Starts Windows programs and their native peers for the test cases
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
#

import contextlib
import glob
import hashlib
import os
import random
import select
import shlex
import signal
import socket
import struct
import subprocess
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LOOPBACK = '127.0.0.1'


class Failure(Exception):
    """What the program did is not what it should have done."""


class Skip(Exception):
    """The case cannot be run here."""


class Expired(Exception):
    """The case's time is over."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def same(got, wanted, what):
    if got != wanted:
        raise Failure('%s: got %s, expected %s' % (what, shorten(got), shorten(wanted)))


def shorten(value):
    text = repr(value)
    return text if len(text) <= 200 else '%s... (%d characters)' % (text[:200], len(text))


def windows_path(path):
    """Wine's drive Z: is the Unix root."""
    return 'Z:' + os.path.abspath(path)


class Program:
    """A Windows program that the test started; its output goes to a file."""

    def __init__(self, command, log, directory, environment, stdin):
        self.command = command
        self.log = log
        with open(log, 'wb') as output:
            self.process = subprocess.Popen(command, stdin=stdin or subprocess.DEVNULL, stdout=output,
                                            stderr=subprocess.STDOUT, cwd=directory, env=environment,
                                            start_new_session=True)

    def name(self):
        return os.path.basename(self.log)

    def text(self):
        with open(self.log, 'rb') as output:
            return output.read().decode('utf-8', 'replace').replace('\r\n', '\n')

    def line(self, start, seconds=30):
        """The rest of the first complete line of the output that begins so; waits for it."""
        end = time.monotonic() + seconds
        while True:
            ended = self.process.poll() is not None
            text = self.text()
            for line in text[:text.rfind('\n') + 1].splitlines():
                if line.startswith(start):
                    return line[len(start):].strip()
            check(not ended, '%s ended (exit code %s) without saying "%s"' % (self.name(), self.process.poll(), start))
            check(time.monotonic() < end, '%s did not say "%s" within %d s' % (self.name(), start, seconds))
            time.sleep(0.02)

    def port(self):
        return int(self.line('listening '))

    def wait(self, seconds=30):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure('%s did not end within %d s' % (self.name(), seconds)) from None

    def succeed(self, seconds=30):
        """Waits for the end of the program, which must be a good one; returns what it printed."""
        same(self.wait(seconds), 0, 'exit code of ' + self.name())
        return self.text()

    def uses_tapster(self):
        """Is Tapster's Unix library in the program (or in what it started, which is of its session)?"""
        for maps in glob.glob('/proc/[0-9]*/maps'):
            try:
                if os.getsid(int(maps.split('/')[2])) == self.process.pid:
                    with open(maps, encoding='utf-8', errors='replace') as lines:
                        if any('/ws2unix.so' in line for line in lines):
                            return True
            except OSError:
                continue            # that process has ended meanwhile
        return False

    def kill(self):
        """Ends the program and what it started (its session has its pid), nothing else."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Context:
    """What a case gets to work with."""

    def __init__(self, runner, cache, work, stock):
        self.runner = shlex.split(runner)
        self.cache = cache
        self.work = work
        self.stock = stock
        self.programs = []
        self.case_work = work
        self.environment = dict(os.environ)
        self.environment.setdefault('WINEDEBUG', '-all')
        for name in ('PERL5LIB', 'PERL5OPT'):
            self.environment.pop(name, None)

    def begin(self, name):
        self.programs = []
        self.case_work = os.path.join(self.work, name)
        os.makedirs(self.case_work, exist_ok=True)

    def end(self):
        for program in self.programs:
            program.kill()

    def file(self, name):
        return os.path.join(self.case_work, name)

    def start(self, program, *arguments, stdin=None):
        """Starts a Windows program through the runner."""
        return self.start_command([*self.runner, program, *map(str, arguments)], os.path.basename(program), stdin)

    def start_command(self, command, name, stdin=None):
        """Starts a command, Windows or native, with a log of its own."""
        log = self.file('%d-%s.log' % (len(self.programs) + 1, name))
        started = Program(list(map(str, command)), log, self.case_work, self.environment, stdin)
        self.programs.append(started)
        return started

    def accept(self, listener, seconds=30):
        """The next connection; does not go on waiting for a program that has failed."""
        end = time.monotonic() + seconds
        while not select.select([listener], [], [], 0.2)[0]:
            for program in self.programs:
                check(not program.process.poll(), '%s failed' % program.name())
            check(time.monotonic() < end, 'nobody connected within %d s' % seconds)
        client, _ = listener.accept()
        client.settimeout(30)
        return client

    def cached(self, *path):
        path = os.path.join(self.cache, *path)
        if not os.path.exists(path):
            raise Skip('%s is not there: run tests/programs/fetch' % path)
        return path

    def perl(self, script, *arguments):
        """Starts one of the scripts in the folder perl."""
        return self.start(self.cached('perl', 'perl.exe'), windows_path(os.path.join(HERE, 'perl', script)), *arguments)

    def build(self, source, *libraries):
        """Builds a small Windows program from its source in this folder, once per run."""
        target = os.path.join(self.work, os.path.splitext(source)[0] + '.exe')
        if not os.path.exists(target):
            command = ['x86_64-w64-mingw32-gcc', '-g', '-O0', '-Wall', '-Wextra', '-Werror', '-o', target,
                       os.path.join(HERE, source), *('-l' + library for library in libraries)]
            try:
                done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
            except FileNotFoundError:
                raise Skip('x86_64-w64-mingw32-gcc is missing') from None
            check(done.returncode == 0, 'cannot build %s: %s' % (source, done.stderr.decode('utf-8', 'replace')))
        return target


class Peer:
    """A function that runs beside the case, in a thread; join() raises what it raised."""

    def __init__(self, function, *arguments):
        self.result = None
        self.error = None
        self.thread = threading.Thread(target=self.run, args=(function, arguments), daemon=True)
        self.thread.start()

    def run(self, function, arguments):
        try:
            self.result = function(*arguments)
        except Exception as error:  # whatever it is, join() raises it in the case's thread
            self.error = error

    def join(self, seconds=30):
        self.thread.join(seconds)
        check(not self.thread.is_alive(), 'the native peer did not end within %d s' % seconds)
        if self.error:
            raise self.error
        return self.result


def listen(family=socket.AF_INET, backlog=128):
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind(('::1' if family == socket.AF_INET6 else LOOPBACK, 0))
    listener.listen(backlog)
    listener.settimeout(30)
    return listener


def connect(port, family=socket.AF_INET, seconds=30):
    client = socket.socket(family, socket.SOCK_STREAM)
    client.settimeout(seconds)
    client.connect(('::1' if family == socket.AF_INET6 else LOOPBACK, port))
    return client


def datagram(family=socket.AF_INET):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind(('::1' if family == socket.AF_INET6 else LOOPBACK, 0))
    sock.settimeout(10)
    return sock


def free_port(kind=socket.SOCK_STREAM):
    """A port nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind((LOOPBACK, 0))
        return sock.getsockname()[1]


def wait_bound(port, protocol, seconds=30):
    """Waits until somebody has bound (udp) or listens on (tcp) the port, without touching it."""
    end = time.monotonic() + seconds
    state = '0A' if protocol == 'tcp' else '07'
    while time.monotonic() < end:
        for table in ('/proc/net/' + protocol, '/proc/net/%s6' % protocol):
            with open(table, encoding='ascii') as lines:
                for line in lines:
                    fields = line.split()
                    if fields[3] == state and fields[1].endswith(':%04X' % port):
                        return
        time.sleep(0.02)
    raise Failure('nobody bound %s port %d within %d s' % (protocol, port, seconds))


def reset(sock):
    """Closes a TCP connection with an RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    sock.close()


def read_exactly(sock, size):
    data = bytearray()
    while len(data) < size:
        part = sock.recv(min(size - len(data), 1 << 20))
        check(part, 'the stream ended after %d of %d bytes' % (len(data), size))
        data += part
    return bytes(data)


def read_line(sock):
    data = bytearray()
    while not data.endswith(b'\n'):
        part = sock.recv(1)
        check(part, 'the stream ended in the middle of a line: %s' % shorten(bytes(data)))
        data += part
    return data.decode('latin-1').rstrip('\r\n')


def read_digest(sock):
    """Reads to the end of the stream: "<bytes> <SHA-256>"."""
    digest, size = hashlib.sha256(), 0
    while True:
        part = sock.recv(1 << 18)
        if not part:
            return '%d %s' % (size, digest.hexdigest())
        digest.update(part)
        size += len(part)


def pattern(size, seed=1):
    """Bytes that never repeat: random blocks, each with its number in front."""
    block = random.Random(seed).randbytes(65521)
    number = 0
    while size > 0:
        part = (struct.pack('>I', number) + block)[:size]
        yield part
        size -= len(part)
        number += 1


def send_pattern(sock, size, seed=1):
    """Sends such bytes; returns "<bytes> <SHA-256>"."""
    digest = hashlib.sha256()
    for part in pattern(size, seed):
        sock.sendall(part)
        digest.update(part)
    return '%d %s' % (size, digest.hexdigest())
