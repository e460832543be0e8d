# Cases: gdbserver.exe, with native gdb and with a client of the protocol by hand
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

import hashlib
import re
import shutil
import struct
import time

from harness import Skip, check, connect, listen, read_exactly, same

LIBRARIES = 'set auto-solib-add off'


def expected_memory():
    """What debuggee.c fills its array with."""
    value, data = 1, bytearray()
    for _ in range(1 << 20):
        value = (value * 1103515245 + 12345) & 0xffffffff
        data.append(value >> 16 & 0xff)
    return bytes(data)


def gdbserver(context, *arguments):
    server = context.start(context.cached('gdb', 'gdbserver.exe'), *arguments)
    return server, int(server.line('Listening on port '))


def debuggee(context):
    """A copy of the program in the case's folder, which is where gdbserver.exe runs."""
    shutil.copy(context.build('debuggee.c'), context.file('debuggee.exe'))
    return 'debuggee.exe'


def gdb(context, port, *commands, target='remote'):
    """Runs a session of native gdb; returns what it printed."""
    if not shutil.which('gdb'):
        raise Skip('gdb is missing')
    arguments = ['gdb', '-nx', '-batch']
    for command in ('set pagination off', 'set confirm off', 'set width 0', LIBRARIES, 'set remotetimeout 20',
                    'file debuggee.exe', 'target %s 127.0.0.1:%d' % (target, port), *commands):
        arguments += ['-ex', command]
    return context.start_command(arguments, 'gdb').succeed(45)


def expect(text, *patterns):
    """All of the patterns are in the text, in this order."""
    place = 0
    for pattern in patterns:
        found = re.compile(pattern, re.MULTILINE).search(text, place)
        check(found, 'gdb did not print "%s" in its place' % pattern)
        place = found.end()


class Remote:
    """A client of gdb's remote protocol."""

    def __init__(self, port):
        self.sock = connect(port, seconds=20)

    def send(self, data):
        self.sock.sendall(b'$%s#%02x' % (data, sum(data) & 255))

    def receive(self):
        """The next packet, acknowledged; console output of the program is left out."""
        while True:
            char = read_exactly(self.sock, 1)
            if char == b'+':
                continue
            same(char, b'$', 'begin of a packet')
            data = bytearray()
            while not data.endswith(b'#'):
                data += read_exactly(self.sock, 1)
            wanted = int(read_exactly(self.sock, 2), 16)
            same(sum(data[:-1]) & 255, wanted, 'checksum of a packet')
            self.sock.sendall(b'+')
            if data[:1] != b'O' or data == b'OK#':
                return self.expand(data[:-1])

    @staticmethod
    def expand(data):
        """Undoes the run-length encoding: a character, "*", and how often it comes again (plus 29)."""
        return re.sub(rb'(.)\*(.)', lambda run: run[1] * (run[2][0] - 28), bytes(data), flags=re.DOTALL)

    def ask(self, data):
        self.send(data)
        return self.receive()


def symbols(context):
    """The addresses of step, counter and memory in the debuggee."""
    command = ['gdb', '-nx', '-batch', '-ex', 'file debuggee.exe', '-ex', 'print/x (long long)&step',
               '-ex', 'print/x (long long)&counter', '-ex', 'print/x (long long)&memory']
    text = context.start_command(command, 'gdb').succeed()
    found = re.findall(r'^\$\d = 0x([0-9a-f]+)$', text, re.MULTILINE)
    same(len(found), 3, 'addresses that gdb found')
    return [int(value, 16) for value in found]


def session(context):
    """A whole session: breakpoint, registers, memory, steps, the end of the program."""
    server, port = gdbserver(context, '127.0.0.1:0', debuggee(context))
    text = gdb(context, port, 'break step', 'continue', 'print value', 'info registers rip', 'continue',
               'print counter', 'backtrace', 'finish', 'stepi 50', 'print counter', 'delete', 'continue')
    expect(text, r'^Breakpoint 1, step \(value=1\)', r'^\$1 = 1$', r'^rip +0x[0-9a-f]+ ',
           r'^Breakpoint 1, step \(value=2\)', r'^\$2 = 1$', r'^#0 +step', r'^#1 .*main', r'^Value returned is \$3 = 3$',
           r'^\$4 = ', r'exited with code 052')
    server.wait()
    expect(server.text(), r'Remote debugging from host 127\.0\.0\.1', r'counter 55', r'Child exited with status 42')


def memory(context):
    """Reads a megabyte from the program, changes it, and writes a file's content over it."""
    server, port = gdbserver(context, '127.0.0.1:0', debuggee(context))
    data = expected_memory()
    with open(context.file('new'), 'wb') as new:
        new.write(data[::-1])
    gdb(context, port, 'break step', 'continue', 'dump binary memory before memory memory+sizeof(memory)',
        'restore new binary &memory', 'dump binary memory after memory memory+sizeof(memory)', 'kill')
    for name, wanted in (('before', data), ('after', data[::-1])):
        with open(context.file(name), 'rb') as dump:
            same(hashlib.sha256(dump.read()).hexdigest(), hashlib.sha256(wanted).hexdigest(), 'memory ' + name)
    server.wait()


def multi(context):
    """gdbserver --multi: several clients in turn, programs started and killed, files sent both ways."""
    debuggee(context)
    server, port = gdbserver(context, '--multi', '127.0.0.1:0')
    gdb(context, port, 'remote put debuggee.exe sent.exe', 'remote get sent.exe got.exe', 'disconnect',
        target='extended-remote')
    for name in ('sent.exe', 'got.exe'):
        with open(context.file('debuggee.exe'), 'rb') as one, open(context.file(name), 'rb') as other:
            same(hashlib.sha256(other.read()).digest(), hashlib.sha256(one.read()).digest(), name)
    text = gdb(context, port, 'set remote exec-file sent.exe', 'break step', 'run', 'print value', 'kill', 'run',
               'print value', 'delete', 'continue', 'disconnect', target='extended-remote')
    expect(text, r'^Breakpoint 1, step', r'^\$1 = 1$', 'killed', r'^Breakpoint 1, step', r'^\$2 = 1$',
           'exited with code 052')
    gdb(context, port, 'monitor exit', target='extended-remote')
    same(server.wait(), 0, 'exit code of gdbserver')


def raw(context):
    """The protocol by hand: breakpoint, registers, memory, kill."""
    program = debuggee(context)
    step, counter, _ = symbols(context)
    server, port = gdbserver(context, '127.0.0.1:0', program)
    remote = Remote(port)
    expect(remote.ask(b'qSupported:swbreak+').decode(), 'PacketSize=')
    expect(remote.ask(b'?').decode(), r'^T')
    for number in range(1, 4):
        # A client steps off a breakpoint before it goes on.
        same(remote.ask(b'Z0,%x,1' % step), b'OK', 'setting a breakpoint')
        expect(remote.ask(b'c').decode(), r'^T05')
        registers = bytes.fromhex(remote.ask(b'g').decode().replace('x', '0'))
        rip, = struct.unpack_from('<Q', registers, 16 * 8)
        rcx, = struct.unpack_from('<Q', registers, 2 * 8)
        same((rip, rcx & 0xffffffff), (step, number), 'rip and the argument')
        got, = struct.unpack('<i', bytes.fromhex(remote.ask(b'm%x,4' % counter).decode()))
        same(got, number * (number - 1) // 2, 'counter')
        same(remote.ask(b'z0,%x,1' % step), b'OK', 'removing the breakpoint')
        expect(remote.ask(b's').decode(), r'^T05')
    same(remote.ask(b'M%x,4:64000000' % counter), b'OK', 'writing memory')
    same(remote.ask(b'm%x,4' % counter), b'64000000', 'memory written')
    remote.send(b'k')
    server.wait()
    check('counter' not in server.text(), 'the program went on after the kill')


def interrupt(context):
    """Ctrl-C in the client: the running program stops and can be looked at."""
    server, port = gdbserver(context, '127.0.0.1:0', debuggee(context), 'loop')
    remote = Remote(port)
    remote.ask(b'?')
    remote.send(b'c')
    server.line('counter 55')
    remote.sock.sendall(b'\x03')
    expect(remote.receive().decode(), r'^T05')
    registers = remote.ask(b'g')
    check(len(registers) > 17 * 16, 'no registers: %s' % registers)
    remote.send(b'k')
    server.wait()


def aborted(context):
    """Clients that go away without a word; the next one finds a server."""
    debuggee(context)
    server, port = gdbserver(context, '--multi', '127.0.0.1:0')
    for number in range(6):
        remote = Remote(port)
        # Extended mode: gdbserver stays when the client has gone.
        same(remote.ask(b'!'), b'OK', 'extended mode')
        # No resets here: gdbserver takes what an error of recv leaves in its buffer for packets.
        remote.sock.close()
        end = time.monotonic() + 20
        while server.text().count('Listening on port') < number + 2:
            check(time.monotonic() < end, 'gdbserver does not listen again after client %d' % (number + 1))
            time.sleep(0.05)
    text = gdb(context, port, 'set remote exec-file debuggee.exe', 'break step', 'run', 'print value', 'kill',
               'monitor exit', target='extended-remote')
    expect(text, r'^Breakpoint 1, step', r'^\$1 = 1$')
    same(server.wait(), 0, 'exit code of gdbserver')


def port_taken(context):
    """A port that another program listens on: gdbserver says so and ends."""
    with listen() as listener:
        server = context.start(context.cached('gdb', 'gdbserver.exe'), '127.0.0.1:%d' % listener.getsockname()[1],
                               debuggee(context))
        same(server.wait(), 1, 'exit code of gdbserver')
        expect(server.text(), "Can't bind address")


CASES = [
    ('gdbserver-session', session, 90, None),
    ('gdbserver-memory', memory, 90, None),
    ('gdbserver-multi', multi, 120, None),
    ('gdbserver-by-hand', raw, 90, None),
    ('gdbserver-interrupt', interrupt, 90, None),
    ('gdbserver-aborted-clients', aborted, 120, None),
    ('gdbserver-port-taken', port_taken, 60, None),
]
