# Cases: Wine's own programs and DLLs that use Winsock, and the prefix itself
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
import socket
import zlib

from cases_perl import Server
from harness import check, connect, free_port, pattern, same


def loaded(context):
    """A Windows program of the runner has Tapster's Unix library in it, or, with stock Wine, has not."""
    program = context.perl('echo-server.pl', '127.0.0.1', 1)
    program.port()
    if context.stock:
        check(not program.uses_tapster(), 'the runner is not stock Wine: Tapster is loaded')
    else:
        check(program.uses_tapster(), "Tapster is not loaded: the program runs on Wine's own Winsock")


def prefix(context):
    """The prefix comes up with its services; a command prompt works."""
    same(context.start('cmd', '/c', 'echo', 'hello').succeed(90).strip(), 'hello', 'echo said')
    text = context.start('net', 'start').succeed()
    for service in ('Remote Procedure Call (RPC)', 'Plug and Play Service'):
        check(service in text, '%s is not running' % service)


def hostname(context):
    name = context.start('hostname').succeed().strip()
    same(name.lower(), socket.gethostname().split('.')[0].lower()[:15], 'host name')


def ipconfig(context):
    check(re.search(r'IPv4 address.*: 127\.0\.0\.1', context.start('ipconfig').succeed()), 'no loopback address')


def ping(context):
    text = context.start('ping', '-n', 2, '127.0.0.1').succeed()
    same(text.count('Reply from 127.0.0.1'), 2, 'replies')


def netstat(context):
    """It shows a connection of perl.exe."""
    port = context.perl('echo-server.pl', '127.0.0.1', 1).port()
    with connect(port):
        text = context.start('netstat').succeed()
    check(re.search(r'TCP\s+127\.0\.0\.1:%d\s.*ESTABLISHED' % port, text), 'the connection to port %d is not shown' % port)


def fetch(context, library):
    """A page of 3 MB, a POST, a redirection, and a server that is not there."""
    program = context.build('http-client.c', 'wininet', 'winhttp', 'urlmon')
    page = b''.join(pattern(3000000))
    with Server() as server:
        for arguments, body in ((('/bytes/3000000',), page), (('/redirect',), b''.join(pattern(1000))),
                                (('/post', 'hello'), hashlib.sha256(b'hello').hexdigest().encode())):
            text = context.start(program, library, server.server_port, *arguments).succeed()
            same(text.strip(), 'body %d %08x' % (len(body), zlib.crc32(body)), ' '.join(arguments))
        check(server.requests[0] == '/bytes/3000000', 'the server was not asked')
    client = context.start(program, library, free_port(), '/')
    same(client.wait(), 1, 'exit code without a server')
    check('12029' in client.text(), 'without a server: ' + client.text())


def winhttp(context):
    fetch(context, 'winhttp')


def wininet(context):
    fetch(context, 'wininet')


def urlmon(context):
    program = context.build('http-client.c', 'wininet', 'winhttp', 'urlmon')
    with Server() as server:
        same(context.start(program, 'urlmon', server.server_port, '/bytes/3000000').succeed().strip(), 'done', 'the end')
    with open(context.file('body'), 'rb') as body:
        same(hashlib.sha256(body.read()).hexdigest(), hashlib.sha256(b''.join(pattern(3000000))).hexdigest(), 'the file')


CASES = [
    ('wine-prefix', prefix, 120, None),
    ('wine-which-winsock', loaded, 60, None),
    ('wine-hostname', hostname, 60, None),
    ('wine-ipconfig', ipconfig, 60, None),
    ('wine-ping', ping, 60, None),
    ('wine-netstat', netstat, 60, None),
    ('wine-winhttp', winhttp, 90, None),
    ('wine-wininet', wininet, 90, None),
    ('wine-urlmon', urlmon, 60, None),
]
