# Cases: ffmpeg.exe sends and receives sound over TCP, UDP and HTTP
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
import http.server
import random
import socket
import threading
import time
import urllib.request
import wave

from harness import LOOPBACK, Peer, check, connect, datagram, free_port, listen, same, wait_bound

RAW = ('-f', 's16le', '-ar', '44100', '-ac', '1')       # sound without a header: what goes in comes out
SECONDS = 60


def sound():
    return random.Random(1).randbytes(SECONDS * 44100 * 2)


def digest(data):
    return '%d %s' % (len(data), hashlib.sha256(data).hexdigest())


def read_file(context, name):
    with open(context.file(name), 'rb') as file:
        return file.read()


def make_input(context):
    data = sound()
    with wave.open(context.file('in.wav'), 'wb') as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(44100)
        file.writeframes(data)
    return data


def ffmpeg(context, *arguments):
    return context.start(context.cached('ffmpeg', 'ffmpeg.exe'), '-nostdin', '-hide_banner', '-loglevel', 'warning', '-y',
                         *arguments)


def send_to(context, url, *options):
    return ffmpeg(context, '-i', 'in.wav', '-c', 'copy', *options, '-f', 's16le', url)


def receive_from(context, url, name='out.raw'):
    return ffmpeg(context, *RAW, '-i', url, '-c', 'copy', '-f', 's16le', name)


def read_all(sock):
    data = bytearray()
    while True:
        part = sock.recv(65536)
        if not part:
            return bytes(data)
        data += part


def tcp_client(context):
    data = make_input(context)
    with listen() as listener:
        url = 'tcp://127.0.0.1:%d' % listener.getsockname()[1]
        program = send_to(context, url)
        with context.accept(listener) as sock:
            same(digest(read_all(sock)), digest(data), 'what ffmpeg sent')
        program.succeed()
        program = receive_from(context, url)
        with context.accept(listener) as sock:
            sock.sendall(data)
        program.succeed()
    same(digest(read_file(context, 'out.raw')), digest(data), 'what ffmpeg received')


def tcp_server(context):
    data = make_input(context)
    port = free_port()
    program = receive_from(context, 'tcp://127.0.0.1:%d?listen=1' % port)
    wait_bound(port, 'tcp')
    with connect(port) as sock:
        sock.sendall(data)
    program.succeed()
    same(digest(read_file(context, 'out.raw')), digest(data), 'what ffmpeg received')
    port = free_port()
    program = send_to(context, 'tcp://127.0.0.1:%d?listen=1' % port)
    wait_bound(port, 'tcp')
    with connect(port) as sock:
        same(digest(read_all(sock)), digest(data), 'what ffmpeg sent')
    program.succeed()


def tcp_itself(context):
    data = make_input(context)
    port = free_port()
    receiver = receive_from(context, 'tcp://127.0.0.1:%d?listen=1' % port)
    wait_bound(port, 'tcp')
    send_to(context, 'tcp://127.0.0.1:%d' % port).succeed()
    receiver.succeed()
    same(digest(read_file(context, 'out.raw')), digest(data), 'what came through')


def tcp_refused(context):
    make_input(context)
    start = time.monotonic()
    program = send_to(context, 'tcp://127.0.0.1:%d' % free_port())
    check(program.wait(20) != 0, 'ffmpeg sent to nobody')
    check(time.monotonic() - start < 10, 'it took %.1f s' % (time.monotonic() - start))
    check(not read_file(context, program.name()).count(b'Immediate exit'), 'ffmpeg was interrupted')


def udp_send(context):
    data = make_input(context)
    with datagram() as sock:
        # -re, four times as fast: nothing is dropped on the way
        program = send_to(context, 'udp://127.0.0.1:%d?pkt_size=1316' % sock.getsockname()[1])
        got, size = bytearray(), 0
        while len(got) < len(data):
            part = sock.recv(65536)
            size = max(size, len(part))
            got += part
        program.succeed()
    same(digest(bytes(got)), digest(data), 'what ffmpeg sent')
    same(size, 1316, 'the largest datagram')


def udp_receive(context):
    """The stream has no end of its own: ffmpeg ends by its time-out."""
    data = make_input(context)[:1316 * 1000]
    port = free_port(socket.SOCK_DGRAM)
    program = receive_from(context, 'udp://127.0.0.1:%d?timeout=3000000' % port)
    wait_bound(port, 'udp')
    with datagram() as sock:
        for start in range(0, len(data), 1316):
            sock.sendto(data[start:start + 1316], (LOOPBACK, port))
            time.sleep(0.001)
    program.wait()
    same(digest(read_file(context, 'out.raw')), digest(data), 'what ffmpeg received')


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', str(len(self.server.data)))
        self.end_headers()
        self.wfile.write(self.server.data)

    def do_POST(self):
        """ffmpeg sends in chunks."""
        got = bytearray()
        while True:
            size = int(self.rfile.readline(), 16)
            got += self.rfile.read(size)
            self.rfile.readline()
            if not size:
                break
        self.server.data = bytes(got)
        self.send_response(200)
        self.send_header('Content-Length', '0')
        self.end_headers()

    def log_message(self, format, *args):
        pass


def http_client(context):
    data = make_input(context)
    with http.server.ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        url = 'http://127.0.0.1:%d/sound' % server.server_port
        server.data = data
        receive_from(context, url).succeed()
        same(digest(read_file(context, 'out.raw')), digest(data), 'what ffmpeg received')
        server.data = b''
        send_to(context, url, '-method', 'POST').succeed()
        same(digest(server.data), digest(data), 'what ffmpeg sent')
        server.shutdown()


def http_server(context):
    data = make_input(context)
    port = free_port()
    program = send_to(context, 'http://127.0.0.1:%d/sound' % port, '-listen', '1')
    wait_bound(port, 'tcp')
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    got = Peer(lambda: opener.open('http://127.0.0.1:%d/sound' % port, timeout=30).read()).join()
    same(digest(got), digest(data), 'what ffmpeg sent')
    program.succeed()


CASES = [
    ('ffmpeg-tcp-client', tcp_client, 90, None),
    ('ffmpeg-tcp-server', tcp_server, 90, None),
    ('ffmpeg-tcp-to-ffmpeg', tcp_itself, 90, None),
    ('ffmpeg-tcp-refused', tcp_refused, 60, None),
    ('ffmpeg-udp-send', udp_send, 90, None),
    ('ffmpeg-udp-receive', udp_receive, 90, None),
    ('ffmpeg-http-client', http_client, 90, None),
    ('ffmpeg-http-server', http_server, 90, None),
]
