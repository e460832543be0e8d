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
import os
import re
import socket
import subprocess
import zlib

from cases_perl import Server
from harness import Skip, check, connect, free_port, pattern, same


def wine_major():
    """The first number of the version of the Wine that the runners run."""
    text = subprocess.run([os.environ.get('WINE', 'wine'), '--version'], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, timeout=30, check=True).stdout.decode()
    return int(re.match(r'wine-(\d+)', text).group(1))


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
    rpc = 'Remote Procedure Call (RPC)'
    text = context.start('net', 'start').succeed()
    check('Plug and Play Service' in text, 'Plug and Play is not running')
    if rpc not in text:     # it comes when it is first needed; with Wine 10 it goes again
        text = context.start('net', 'start', 'RpcSs').succeed()
        check('was started successfully' in text, 'RpcSs does not start')


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
    with connect(port) as client:
        text = context.start('netstat').succeed()
        shows_native = ':%d ' % client.getsockname()[1] in text
    if wine_major() > 8 and not shows_native and not context.stock:
        raise Skip('this netstat shows only what wineserver owns, nothing of the system')
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
