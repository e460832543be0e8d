# Cases: perl.exe as server and client, against native peers and against itself
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

import collections
import hashlib
import http.client
import http.server
import random
import selectors
import socket
import threading
import time

from harness import (HERE, LOOPBACK, Failure, Peer, check, connect, datagram, free_port, listen, pattern, read_digest,
                     read_exactly, read_line, reset, same, send_pattern, windows_path)

MB = 1000 * 1000
ROUNDS = 16             # what each of many concurrent clients sends and gets back


def host(family):
    return '::1' if family == socket.AF_INET6 else LOOPBACK


def native_echo(sock):
    """Echoes to the end of the stream."""
    while True:
        data = sock.recv(65536)
        if not data:
            break
        sock.sendall(data)
    sock.close()


def echo_client(sock):
    """Sends blocks to an echo server and checks what comes back."""
    for size in (1, 2, 1460, 65536, 300000):
        data = random.Random(size).randbytes(size)
        sender = Peer(sock.sendall, data)
        same(read_exactly(sock, size), data, 'echo of %d bytes' % size)
        sender.join()
    sock.shutdown(socket.SHUT_WR)
    same(sock.recv(1), b'', 'end of the echo')
    sock.close()


# Streams

def perl_server(context, family):
    server = context.perl('echo-server.pl', host(family), 2)
    port = server.port()
    for number in range(2):
        client = connect(port, family)
        mine = client.getsockname()[1]
        echo_client(client)
        same(server.text().count('accepted %d\n' % mine), 1, 'the address that perl saw (client %d)' % number)
    server.succeed()


def server_ipv4(context):
    perl_server(context, socket.AF_INET)


def server_ipv6(context):
    perl_server(context, socket.AF_INET6)


def perl_client(context, family):
    with listen(family) as listener:
        client = context.perl('echo-client.pl', host(family), listener.getsockname()[1])
        sock = context.accept(listener)
        port = sock.getpeername()[1]
        native_echo(sock)
        client.line('done')
        same(int(client.line('connected ')), port, 'the port that perl has')
        client.succeed()


def client_ipv4(context):
    perl_client(context, socket.AF_INET)


def client_ipv6(context):
    perl_client(context, socket.AF_INET6)


def itself(context):
    for address in (LOOPBACK, '::1'):
        server = context.perl('echo-server.pl', address, 1)
        client = context.perl('echo-client.pl', address, server.port())
        client.line('done')
        client.succeed()
        server.succeed()


def half_close(context):
    server = context.perl('digest-server.pl', LOOPBACK, 3)
    port = server.port()
    for size in (0, 1, 1234567):
        with connect(port) as sock:
            sent = send_pattern(sock, size)
            sock.shutdown(socket.SHUT_WR)
            same(read_line(sock), sent, 'perl read')
            same(sock.recv(1), b'', 'end of the stream')
    server.succeed()
    with listen() as listener:
        for size in (0, 1, 1234567):
            client = context.perl('digest-client.pl', LOOPBACK, listener.getsockname()[1], size)
            with context.accept(listener) as sock:
                sock.sendall((read_digest(sock) + '\n').encode())
            client.line('done')
            client.succeed()
            # WSAESHUTDOWN: Perl has no name for it.
            sent = client.line('send after shutdown ')
            check(sent in ('ESHUTDOWN', 'EPIPE') or '10058' in sent, 'send after shutdown gave ' + sent)
    server = context.perl('digest-server.pl', LOOPBACK, 1)
    client = context.perl('digest-client.pl', LOOPBACK, server.port(), 3 * MB)
    client.line('done')
    same(server.line('digest '), client.line('done '), 'perl to perl')


def hundred_megabytes(context):
    """Each way, perl.exe as client and as server."""
    size = 100 * MB
    server = context.perl('digest-server.pl', LOOPBACK, 1)
    with connect(server.port()) as sock:
        sent = send_pattern(sock, size)
        sock.shutdown(socket.SHUT_WR)
        same(read_line(sock), sent, 'perl (server) read')
    server.succeed()
    server = context.perl('source-server.pl', LOOPBACK, 1, size)
    with connect(server.port()) as sock:
        digest = read_digest(sock)
        sock.sendall((digest + '\n').encode())
        same(server.line('sent '), digest, 'perl (server) sent')
    server.succeed()
    with listen() as listener:
        client = context.perl('digest-client.pl', LOOPBACK, listener.getsockname()[1], size)
        with context.accept(listener) as sock:
            digest = read_digest(sock)
            sock.sendall((digest + '\n').encode())
        same(client.line('done '), digest, 'perl (client) sent')
        client.succeed()
        client = context.perl('sink-client.pl', LOOPBACK, listener.getsockname()[1])
        with context.accept(listener) as sock:
            sent = send_pattern(sock, size)
            sock.shutdown(socket.SHUT_WR)
            same(read_line(sock), sent, 'perl (client) read')
        client.succeed()


def both_ways_at_once(context):
    """100 MB through perl's select loop and back, both directions full at the same time."""
    server = context.perl('select-server.pl', LOOPBACK, 1)
    with connect(server.port()) as sock:
        def send():
            sent = send_pattern(sock, 100 * MB)
            sock.shutdown(socket.SHUT_WR)
            return sent
        sender = Peer(send)
        digest = read_digest(sock)
        same(digest, sender.join(), 'what came back')
    server.succeed()


def reset_received(context):
    """A connection that the peer resets: the receive under way, or the next one, says ECONNRESET."""
    count = 20
    with listen() as listener:
        client = context.perl('reset.pl', 'receive', listener.getsockname()[1], count)
        for number in range(count):
            sock = context.accept(listener)
            sock.sendall(b'ready')
            read_exactly(sock, 2)
            if number % 2:
                time.sleep(0.05)
            reset(sock)
        got = [line for line in client.succeed().splitlines() if line.startswith('recv ')]
    same(dict(collections.Counter(got)), {'recv ECONNRESET': count}, 'what the receives said')


def reset_sending(context):
    count = 5
    with listen() as listener:
        client = context.perl('reset.pl', 'send', listener.getsockname()[1], count)
        for _ in range(count):
            sock = context.accept(listener)
            read_exactly(sock, 1)
            reset(sock)
        got = [line for line in client.succeed().splitlines() if line.startswith('send ')]
    for line in got:
        check(line in ('send ECONNRESET', 'send ECONNABORTED'), 'after the reset: ' + line)
    same(len(got), count, 'resets')


def reset_sent(context):
    """SO_LINGER {1,0}, and a close with data unread: the native peer must see a reset."""
    for what in ('linger', 'unread'):
        with listen() as listener:
            client = context.perl('reset.pl', what, listener.getsockname()[1], 5)
            for _ in range(5):
                with context.accept(listener) as sock:
                    sock.sendall(b'ready')
                    try:
                        data = sock.recv(1)
                    except ConnectionResetError:
                        continue
                    raise Failure('%s: the peer saw %s, not a reset' % (what, data or 'a graceful close'))
            client.succeed()


# Errors and time-outs

def refused(context):
    port = free_port()
    for how in (('functions', 0), ('class', 0), ('class', 5)):
        client = context.perl('connect-error.pl', how[0], port, how[1])
        same(client.line('error '), 'ECONNREFUSED', 'connect (%s, %d)' % how)
        check(int(client.line('took ')) < 1500, 'the error came after %s ms' % client.line('took '))
        client.succeed()


def refused_select(context):
    client = context.perl('connect-error.pl', 'select', free_port())
    same(client.line('sets '), '0 1', 'sockets writable and in the exception set')
    same(client.line('SO_ERROR '), '10061', 'SO_ERROR')
    same(client.line('recv '), 'ENOTCONN', 'recv after the failed connect')
    check(int(client.line('took ')) < 3000, 'the error came after %s ms' % client.line('took '))
    client.succeed()


def connect_timeout(context):
    """A listener whose backlog is full does not answer: the connect must end after its time-out."""
    with listen(backlog=0) as listener:
        port = listener.getsockname()[1]
        fillers = []
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex((LOOPBACK, port))
            fillers.append(filler)
        time.sleep(0.2)
        client = context.perl('connect-error.pl', 'class', port, 2)
        error, took = client.line('error '), int(client.line('took '))
        for filler in fillers:
            filler.close()
    check(error == 'ETIMEDOUT', 'connect gave ' + error)
    check(1900 <= took <= 4000, 'the time-out of 2000 ms took %d ms' % took)
    client.succeed()


def timeouts(context):
    with listen() as listener:
        client = context.perl('timeouts.pl', listener.getsockname()[1])
        with context.accept(listener) as sock:
            same(read_line(sock), 'answer', 'perl said')
            sock.sendall(b'yes\n')
            client.line('done', 40)
        client.succeed()
    for name, result, low, high in (('accept', 'ETIMEDOUT', 900, 2500), ('select', 'nothing', 650, 2000),
                                    ('recv', 'ETIMEDOUT', 550, 2000), ('answer', 'yes', 0, 2000),
                                    ('send', 'ETIMEDOUT', 550, 10000)):
        got, took = client.line(name + ': ').rsplit(' after ', 1)
        same(got, result, name)
        check(low <= int(took) <= high, '%s took %s ms, expected %d to %d' % (name, took, low, high))


# Many connections

def many_clients(context):
    """200 native clients at once against perl's select server."""
    count = 200
    server = context.perl('select-server.pl', LOOPBACK, count)
    port = server.port()
    clients = [connect(port) for _ in range(count)]
    with selectors.DefaultSelector() as selector:
        left = {}
        for number, sock in enumerate(clients):
            sock.setblocking(False)
            selector.register(sock, selectors.EVENT_READ, number)
            left[number] = [0, b'', b'']
        for number, sock in enumerate(clients):
            many_next(left, number, sock)
        end = time.monotonic() + 60
        while left:
            check(time.monotonic() < end, '%d of %d clients are not served' % (len(left), count))
            for key, _ in selector.select(10):
                state = left[key.data]
                data = key.fileobj.recv(65536)
                check(data, 'perl closed connection %d' % key.data)
                state[1] += data
                if len(state[1]) < len(state[2]):
                    continue
                same(state[1], state[2], 'echo on connection %d' % key.data)
                if not many_next(left, key.data, key.fileobj):
                    selector.unregister(key.fileobj)
    for sock in clients:
        sock.close()
    same(server.line('served ', 20), '%d, at most %d at once' % (count, count), 'perl served')
    server.succeed()


def many_next(left, number, sock):
    """The next message of one of the clients; False after the last."""
    state = left[number]
    if state[0] == ROUNDS:
        del left[number]
        return False
    state[0] += 1
    state[1] = b''
    state[2] = b'client %d, round %d\n' % (number, state[0]) * 40
    same(sock.send(state[2]), len(state[2]), 'sent')
    return True


def many_connections(context):
    """200 connections of one perl.exe to a native server, all open at once."""
    count = 200
    with listen(backlog=256) as listener:
        client = context.perl('select-clients.pl', LOOPBACK, listener.getsockname()[1], count, ROUNDS)
        # The server answers nobody before all are there.
        peers = [context.accept(listener) for _ in range(count)]
        threads = [Peer(native_echo, sock) for sock in peers]
        same(client.line('done ', 60), str(count), 'connections done')
        for thread in threads:
            thread.join()
        client.succeed()


def many_itself(context):
    server = context.perl('select-server.pl', LOOPBACK, 200)
    client = context.perl('select-clients.pl', LOOPBACK, server.port(), 200, ROUNDS)
    same(client.line('done ', 60), '200', 'connections done')
    client.succeed()
    check(server.line('served ').startswith('200, '), 'the server served ' + server.line('served '))
    server.succeed()


def fork_server(context):
    """Perl's fork on Windows: threads with duplicates of the sockets."""
    server = context.perl('fork-server.pl', LOOPBACK, 5)
    port = server.port()
    clients = [connect(port) for _ in range(5)]
    sent = [send_pattern(sock, 100000 + number, number) for number, sock in enumerate(clients)]
    for sock in clients:
        sock.shutdown(socket.SHUT_WR)
    for sock, digest in zip(clients, sent):
        same(read_line(sock), digest, 'the child read')
        same(sock.recv(1), b'', 'end of the stream')
        sock.close()
    server.line('done')
    server.succeed()


# Datagrams

def udp_server(context):
    for family in (socket.AF_INET, socket.AF_INET6):
        sizes = (0, 1, 512, 1472, 1473, 8192, 32768, 65000, 65507)
        server = context.perl('udp-server.pl', host(family), len(sizes))
        address = (host(family), server.port())
        with datagram(family) as sock:
            for size in sizes:
                data = random.Random(size).randbytes(size)
                sock.sendto(data, address)
                got, sender = sock.recvfrom(65536)
                same(got, data, 'echo of %d bytes' % size)
                same(sender[:2], address, 'where it came from')
        server.line('done')
        server.succeed()


def udp_client(context):
    for family in (socket.AF_INET, socket.AF_INET6):
        for connected in (0, 1):
            with datagram(family) as sock:
                client = context.perl('udp-client.pl', host(family), sock.getsockname()[1], connected)
                for _ in range(10):
                    data, address = sock.recvfrom(65536)
                    sock.sendto(data, address)
                client.line('done')
                client.succeed()


def udp_itself(context):
    for address in (LOOPBACK, '::1'):
        server = context.perl('udp-server.pl', address, 10)
        client = context.perl('udp-client.pl', address, server.port(), 0)
        client.line('done')
        client.succeed()
        server.succeed()


def udp_sizes(context):
    """Too big to send, and too big for the buffer: EMSGSIZE; the datagram after it is whole."""
    with datagram() as sock:
        client = context.perl('udp-errors.pl', 'oversize', sock.getsockname()[1])
        same(client.line('send '), 'EMSGSIZE', 'send of 65508 bytes')
        client.succeed()
        client = context.perl('udp-errors.pl', 'truncated', sock.getsockname()[1])
        _, address = sock.recvfrom(100)
        sock.sendto(b'x' * 1000, address)
        sock.sendto(b'y' * 10, address)
        same(client.line('recv '), 'EMSGSIZE', 'recv of a datagram larger than the buffer')
        same(client.line('next '), '10', 'the datagram after it')
        client.succeed()


def udp_unreachable(context):
    """Nobody listens: the next receive says ECONNRESET, on unconnected sockets too."""
    for what in ('unreachable-connected', 'unreachable'):
        client = context.perl('udp-errors.pl', what, free_port(socket.SOCK_DGRAM))
        same(client.line('recv '), 'ECONNRESET', what)
        client.succeed()


# Names, HTTP, children

def names(context):
    with listen() as listener:
        text = context.perl('names.pl', listener.getsockname()[1]).succeed()
    lines = dict(line.split(': ', 1) for line in text.splitlines() if ': ' in line)
    for name, wanted in (('gethostbyname localhost', '2 4 127.0.0.1'), ('gethostbyname 127.0.0.2', '127.0.0.2'),
                         ('gethostbyname none', 'undef'), ('getservbyname http', '80 tcp'),
                         ('getservbyname domain', '53 udp'), ('getservbyname none', 'undef'),
                         ('getservbyport 25', 'smtp'), ('getprotobyname', '1 6 17'), ('getprotobynumber', 'icmp tcp udp'),
                         ('getaddrinfo 127.0.0.1', '127.0.0.1'), ('getaddrinfo ::1', '::1'),
                         ('getaddrinfo no-such-host.invalid', 'error'), ('getnameinfo', '127.0.0.1 http'),
                         ('inet_pton', '20010db8000000000000000000010002'), ('inet_ntop', '2001:db8::1:2'),
                         ('peer', '127.0.0.1')):
        check(name in lines, 'perl did not print "%s"' % name)
        got = lines[name]
        # The aliases of a name come first.
        check(got == wanted or got.endswith(' ' + wanted) or wanted in ('smtp', 'error') and got.startswith(wanted),
              '%s: got "%s", expected "%s"' % (name, got, wanted))
    check('127.0.0.1' in lines['getaddrinfo localhost'].split(), 'localhost is ' + lines['getaddrinfo localhost'])
    check(lines['gethostbyaddr'] not in ('', 'undef'), '127.0.0.1 has no name')


class Handler(http.server.BaseHTTPRequestHandler):
    """The native HTTP server: GET /bytes/N, POST (answers with the SHA-256), GET /redirect."""
    protocol_version = 'HTTP/1.1'

    def answer(self, body, status=200, **headers):
        self.send_response(status)
        self.send_header('Content-Length', str(len(body)))
        self.send_header('X-Sha256', hashlib.sha256(body).hexdigest())
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.server.requests.append(self.path)
        if self.path.startswith('/bytes/'):
            self.answer(b''.join(pattern(int(self.path[7:]))))
        elif self.path == '/redirect':
            self.answer(b'', 302, Location='/bytes/1000')
        else:
            self.answer(b'not here', 404)

    def do_POST(self):
        self.server.requests.append(self.path)
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.answer(hashlib.sha256(body).hexdigest().encode())

    def log_message(self, format, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    """Runs in a thread while the block lasts."""

    def __init__(self):
        super().__init__((LOOPBACK, 0), Handler)
        self.requests = []

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *args):
        self.shutdown()
        self.server_close()


def http_server(context):
    server = context.perl('http-server.pl')
    port = server.port()
    client = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    for size in (0, 1, 1000, 3 * MB):
        client.request('GET', '/bytes/%d' % size)
        response = client.getresponse()
        body = response.read()
        same((response.status, len(body)), (200, size), 'GET')
        same(hashlib.sha256(body).hexdigest(), response.headers['X-Sha256'], 'checksum')
    for size in (0, 70000, 3 * MB):
        data = random.Random(size).randbytes(size)
        client.request('POST', '/digest', data)
        same(client.getresponse().read().decode(), hashlib.sha256(data).hexdigest(), 'POST of %d bytes' % size)
    client.request('GET', '/other')
    response = client.getresponse()
    response.read()
    same(response.status, 404, 'status of a page that is not there')
    client.close()
    url = 'http://%s:%d' % (LOOPBACK, port)
    curl = context.start_command(['curl', '-sS', '--noproxy', '*', '-m', 30, url + '/bytes/500000', '-o',
                                  context.file('body'), url + '/bytes/12', '-o', context.file('body2')], 'curl')
    curl.succeed()
    with open(context.file('body'), 'rb') as body:
        same(len(body.read()), 500000, 'size of what curl got')
    context.start_command(['curl', '-sS', '--noproxy', '*', '-m', 30, url + '/quit'], 'curl').succeed()
    server.line('done')
    server.succeed()


def http_client(context):
    with Server() as server:
        client = context.perl('http-client.pl', server.server_port)
        client.line('done')
        client.succeed()
        same(len(server.requests), 8, 'requests')
    server = context.perl('http-server.pl')
    client = context.perl('http-client.pl', server.port())
    client.line('done')
    client.succeed()


def inherit(context, way, answer):
    parent = context.perl('inherit.pl', way)
    with connect(parent.port()) as sock:
        if way != 'cmd':
            sock.sendall(b'hello\n')
        same(read_line(sock).strip(), answer % {'port': sock.getsockname()[1]}, 'what the child sent')
        same(read_line(sock), 'parent here', 'what the parent sent')
        sock.sendall(b'thanks\n')
        same(sock.recv(1), b'', 'end of the stream')
    same(parent.line('parent got: '), 'thanks', 'what the parent got')
    same(parent.line('child ended with '), '7', 'exit code of the child')
    parent.succeed()


def inherit_standard(context):
    inherit(context, 'perl', 'child got: hello')


def inherit_cmd(context):
    inherit(context, 'cmd', 'child cmd')


def inherit_handle(context):
    inherit(context, 'handle', 'child of %(port)d got: hello')


def killed(context):
    """A program that is killed leaves nothing open: its peers see the end, its port is free again."""
    server = context.perl('select-server.pl', LOOPBACK, 10)
    port = server.port()
    with connect(port) as sock:
        sock.sendall(b'x')
        same(read_exactly(sock, 1), b'x', 'echo')
        server.kill()
        sock.settimeout(10)
        try:
            data = sock.recv(1)
        except ConnectionResetError:
            data = b''
        same(data, b'', 'what the peer sees')
    end = time.monotonic() + 10
    while True:
        try:
            connect(port).close()
        except ConnectionRefusedError:
            break
        check(time.monotonic() < end, 'somebody still listens on the port of a program that was killed')
        time.sleep(0.1)


def demo_server(context):
    server = context.start(context.cached('perl', 'perl.exe'), windows_path(HERE + '/demo-server'))
    client = http.client.HTTPConnection(LOOPBACK, server.port(), timeout=30)
    for number in range(1, 50):
        client.request('GET', '/')
        page = client.getresponse().read().decode()
        check('MSWin32' in page and 'requests served: %d\n' % number in page.lower(), 'the page says ' + page)
    client.close()


CASES = [
    # name, function, time limit in seconds, what stock Wine 8.0 is known not to do (None: it does it all)
    ('perl-server-ipv4', server_ipv4, 60, None),
    ('perl-server-ipv6', server_ipv6, 60, None),
    ('perl-client-ipv4', client_ipv4, 60, None),
    ('perl-client-ipv6', client_ipv6, 60, None),
    ('perl-to-perl', itself, 60, None),
    ('perl-half-close', half_close, 90, None),
    ('perl-100mb', hundred_megabytes, 180, None),
    ('perl-100mb-both-ways-at-once', both_ways_at_once, 120, None),
    ('perl-reset-received', reset_received, 60,
     'a reset that came before the receive gives 0 instead of WSAECONNRESET'),
    ('perl-reset-while-sending', reset_sending, 60, None),
    ('perl-reset-sent', reset_sent, 60, None),
    ('perl-refused', refused, 60, None),
    ('perl-refused-select', refused_select, 60, 'recv after a failed non-blocking connect gives 0'),
    ('perl-connect-timeout', connect_timeout, 60, None),
    ('perl-timeouts', timeouts, 90, 'SO_RCVTIMEO does nothing on sockets made without WSA_FLAG_OVERLAPPED'),
    ('perl-200-clients', many_clients, 120, None),
    ('perl-200-connections', many_connections, 120, None),
    ('perl-200-to-perl', many_itself, 120, None),
    ('perl-fork-server', fork_server, 60, None),
    ('perl-udp-server', udp_server, 60, None),
    ('perl-udp-client', udp_client, 60, None),
    ('perl-udp-to-perl', udp_itself, 60, None),
    ('perl-udp-sizes', udp_sizes, 60, None),
    ('perl-udp-unreachable', udp_unreachable, 60, 'an unreachable UDP port is never reported'),
    ('perl-names', names, 60, None),
    ('perl-http-server', http_server, 90, None),
    ('perl-http-client', http_client, 90, None),
    ('perl-child-stdio', inherit_standard, 60, None),
    ('perl-child-cmd', inherit_cmd, 60, None),
    ('perl-child-handle', inherit_handle, 60, 'getpeername fails with WSAENOTSOCK in the child'),
    ('perl-killed', killed, 60, None),
    ('perl-demo-server', demo_server, 60, None),
]
