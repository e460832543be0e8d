# Counts what crosses the loopback interface between the program and its peer
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

import os
import select
import socket
import struct
import time

ETH_P_ALL = 3
PACKET_OUTGOING = 4         # loopback shows each packet twice: going and coming
SO_ATTACH_FILTER = 26
SO_RCVBUFFORCE = 33
FIN, SYN, RST, ACK, URG = 1, 2, 4, 16, 32
ICMP_UNREACHABLE, PORT_UNREACHABLE = 3, 3
# the peer's: nobody else's packets have it, whatever else runs on this machine and takes the same ports
PEER = '127.%d.%d.%d' % (64 + (os.getpid() >> 16) % 64, os.getpid() >> 8 & 255, os.getpid() & 255)
ABSENT = 0.25               # so long we wait for what must not come


def available():
    """Why there can be no capture here, or an empty string."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
    except (AttributeError, OSError) as error:
        return 'no raw capture: %s' % error
    return ''


def port_filter(ports):
    """A classic BPF program: IPv4 of the peer's address and these ports of it, and ICMP; each packet once."""
    load_word, load_byte, load_half = 0x20, 0x30, 0x28
    host, = struct.unpack('>I', socket.inet_aton(PEER))
    accept, drop, target = 'accept', 'drop', 'target'
    code = [(load_word, 0, 0, 0xfffff004), (0x15, drop, 0, PACKET_OUTGOING),    # the packet's type
            (load_half, 0, 0, 12), (0x15, 0, drop, 0x0800),
            (load_byte, 0, 0, 23), (0x15, accept, 0, socket.IPPROTO_ICMP),
            (load_word, 0, 0, 26), (0x15, 0, target, host), (load_half, 0, 0, 34)]
    code += [(0x15, accept, 0, port) for port in ports]
    targets = {target: len(code)}
    code += [(load_word, 0, 0, 30), (0x15, 0, drop, host), (load_half, 0, 0, 36)]
    code += [(0x15, accept, 0, port) for port in ports]
    targets.update({drop: len(code), accept: len(code) + 1})
    code += [(0x06, 0, 0, 0), (0x06, 0, 0, 0x40000)]
    # a jump is relative to the instruction after it; 0 goes on
    program = b''.join(struct.pack('=HBBI', op, *(targets[to] - at - 1 if to in targets else 0 for to in (true, false)), k)
                       for at, (op, true, false, k) in enumerate(code))
    return len(code), program


def attach(sock, count, program):
    """Sets a packet filter; returns the buffer, which must live for the call only."""
    import ctypes
    buffer = ctypes.create_string_buffer(program)
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack('HL', count, ctypes.addressof(buffer)))


def deafen(sock):
    """From now on no packet reaches this socket: to the other side its host is dead."""
    attach(sock, 1, struct.pack('=HBBI', 0x06, 0, 0, 0))


class Flow:
    """One direction of one connection."""

    def __init__(self):
        self.syn = self.rst = self.data = self.urgent = 0
        self.fins = set()
        self.next = None        # the first number that has not been seen: what comes before is sent again

    def add(self, seq, flags, length):
        self.rst += bool(flags & RST)
        if flags & SYN:
            self.syn += 1
            self.next = (seq + 1) & 0xffffffff
        if length:
            self.urgent += bool(flags & URG)
            self.add_data(seq, length)
        if flags & FIN:
            self.fins.add((seq + length) & 0xffffffff)

    def add_data(self, seq, length):
        if self.next is None:
            self.next = seq
        fresh = (seq + length - self.next) & 0xffffffff
        if fresh < 0x80000000:
            self.data += fresh
            self.next = (seq + length) & 0xffffffff

    def counts(self):
        return {'syn': self.syn, 'fin': len(self.fins), 'rst': self.rst, 'data': self.data, 'urgent': self.urgent}

    def all_before_fin(self):
        return all(fin == self.next for fin in self.fins)


class Capture:
    """What is sent from and to the peer's ports, counted by direction: ours is the program under test."""

    def __init__(self, ports):
        self.ports = set(ports)
        self.flows = {}
        self.lines = []
        self.datagrams = {'ours': 0, 'peer': 0}
        self.icmp = {'ours': 0, 'peer': 0}
        self.times = {}
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        attach(self.socket, *port_filter(ports))
        self.socket.bind(('lo', ETH_P_ALL))
        self.socket.setblocking(False)

    def close(self):
        self.socket.close()

    # ---- reading packets ----

    def read(self, seconds):
        """Takes what comes in that time; returns early with the first packets. True if there were any."""
        if not select.select([self.socket], [], [], max(seconds, 0))[0]:
            return False
        try:
            while True:
                self.packet(self.socket.recv(0x40000)[14:])
        except BlockingIOError:
            return True

    def packet(self, data):
        header = (data[0] & 15) * 4
        payload = data[header:struct.unpack('>H', data[2:4])[0] or None]    # 0: too long for the field
        if data[9] == socket.IPPROTO_ICMP:
            self.unreachable(payload)
            return
        source, target = struct.unpack('>HH', payload[:4])
        side = 'peer' if socket.inet_ntoa(data[12:16]) == PEER else 'ours'
        if data[9] == socket.IPPROTO_UDP:
            self.datagrams[side] += 1
        elif data[9] == socket.IPPROTO_TCP:
            self.segment(side, source, target, payload)

    def segment(self, side, source, target, data):
        seq, = struct.unpack('>I', data[4:8])
        flags, length = data[13], len(data) - (data[12] >> 4) * 4
        self.flows.setdefault((side, source, target), Flow()).add(seq, flags, length)
        for name, bit in (('syn', SYN), ('fin', FIN), ('rst', RST)):
            if flags & bit:
                self.times[side, name] = time.monotonic()
        names = [name for name, bit in (('SYN', SYN), ('FIN', FIN), ('RST', RST), ('URG', URG), ('ACK', ACK)) if flags & bit]
        self.lines.append('%s %d -> %d seq %d %s %d bytes' % (side, source, target, seq, ' '.join(names), length))

    def unreachable(self, data):
        """Port unreachable: in it is the datagram that nobody wanted."""
        if data[0] != ICMP_UNREACHABLE or data[1] != PORT_UNREACHABLE:
            return
        inner = data[8:]
        source, target = struct.unpack('>HH', inner[(inner[0] & 15) * 4:][:4])
        if source in self.ports and socket.inet_ntoa(inner[12:16]) == PEER:
            self.icmp['ours'] += 1      # the peer's datagram was refused
        elif target in self.ports and socket.inet_ntoa(inner[16:20]) == PEER:
            self.icmp['peer'] += 1

    # ---- what was seen ----

    def counts(self, side):
        total = {'datagrams': self.datagrams[side], 'icmp': self.icmp[side]}
        for (where, _, _), flow in self.flows.items():
            if where == side:
                for name, value in flow.counts().items():
                    total[name] = total.get(name, 0) + value
        return {name: value for name, value in total.items() if value}

    def differences(self, side, wanted, ignored):
        """Only what is named may be there; SYNs and urgent marks are of no interest unless named."""
        got = self.counts(side)
        names = {'fin', 'rst', 'data', 'datagrams', 'icmp', *wanted} - set(ignored)
        return ['%s %s: %d, expected %d' % (side, name, got.get(name, 0), wanted.get(name, 0))
                for name in sorted(names) if got.get(name, 0) != wanted.get(name, 0)]

    def look(self, ours, peer, ignored):
        return self.differences('ours', ours, ignored) + self.differences('peer', peer, ignored)

    def expect(self, ours=None, peer=None, ignored=(), seconds=5):
        """Waits until just this has been sent in all, and that nothing follows. Returns what is wrong."""
        ours, peer = ours or {}, peer or {}
        end = time.monotonic() + seconds
        while self.look(ours, peer, ignored) and time.monotonic() < end:
            self.read(0.05)
        end = time.monotonic() + ABSENT
        while time.monotonic() < end:
            self.read(end - time.monotonic())
        wrong = self.look(ours, peer, ignored)
        wrong += ['%s: a FIN that is not the end of the data' % key[0]
                  for key, flow in self.flows.items() if not flow.all_before_fin()]
        return wrong

    def in_time_wait(self):
        """How many of our ends of these connections the kernel still remembers so."""
        ports = {source for side, source, _ in self.flows if side == 'ours'}
        with open('/proc/net/tcp', encoding='ascii') as table:
            rows = [line.split() for line in table.readlines()[1:]]
        return sum(row[3] == '06' and int(row[1].split(':')[1], 16) in ports and int(row[2].split(':')[1], 16) in self.ports
                   for row in rows)

    def story(self):
        """The last packets, for a failure's report."""
        return self.lines[-40:]
