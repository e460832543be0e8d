# The benchmark program as a child that takes commands
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
import signal
import subprocess
import tempfile
import time

# The first start of a prefix creates it.
START_TIMEOUT = 180
# The program ends a case itself after 30 seconds more than it was given.
ANSWER_TIMEOUT = 45
QUIT_TIMEOUT = 10


# Who else works for a Windows program; the names' beginnings.
HELPERS = ('wineserver', 'tapsterd')


def prefix_of(pid):
    """Which folder is the Wine prefix of this process, by its identity; None if there is none."""
    try:
        with open('/proc/%d/environ' % pid, 'rb') as file:
            environ = dict(part.split(b'=', 1) for part in file.read().split(b'\0') if b'=' in part)
        info = os.stat(environ.get(b'WINEPREFIX') or os.path.join(environ[b'HOME'], b'.wine'))
    except (OSError, KeyError):
        return None
    return info.st_dev, info.st_ino


class Failure(Exception):
    """The child does not do as it should; the message says what."""


class Program:
    """One running benchmark program: started by command, kept for all its cases, ended by pid."""

    def __init__(self, label, command, cpus):
        self.label = label
        self.command = command
        self.buffer = b''
        self.cases = {}
        self.child = None
        # What Wine has to say is of interest only when something fails.
        self.log = tempfile.TemporaryFile()
        try:
            # Wine's processes started from here, wineserver too, stay on the CPUs given.
            self.child = subprocess.Popen(command + ['--serve'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                          stderr=self.log, preexec_fn=lambda: os.sched_setaffinity(0, cpus))
            words = self.line(START_TIMEOUT).split()
            if words[:1] != ['ready']:
                raise Failure('%s: said "%s" instead of being ready' % (label, ' '.join(words)))
            self.provider = words[2]
            self.wine_version = words[3] if len(words) > 3 else ''
            self.list()
        except OSError as error:
            self.end()
            raise Failure('%s: cannot be started: %s' % (label, error))
        except BaseException:
            self.end()
            raise

    def list(self):
        """Asks for the cases: name to (kind, description)."""
        self.send('list')
        while True:
            words = self.line(ANSWER_TIMEOUT).split(None, 3)
            if words == ['end']:
                return
            self.cases[words[1]] = (words[2], words[3])

    def measure(self, case, seconds):
        """Runs a case once, and returns the nanoseconds of one operation, and how many were done."""
        self.send('run %s %g' % (case, seconds))
        line = self.line(ANSWER_TIMEOUT + seconds)
        words = line.split()
        if words[:2] != ['result', case]:
            raise Failure('%s: %s' % (self.label, line))
        values = dict(word.split('=') for word in words[2:])
        return float(values['ns_per_op']), int(values['ops'])

    def send(self, command):
        try:
            self.child.stdin.write(command.encode() + b'\n')
            self.child.stdin.flush()
        except OSError:
            raise Failure('%s: has ended%s' % (self.label, self.last_words()))

    def line(self, timeout):
        deadline = time.monotonic() + timeout
        while b'\n' not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.child.stdout], [], [], left)[0]:
                raise Failure('%s: no answer within %d seconds%s' % (self.label, timeout, self.last_words()))
            data = os.read(self.child.stdout.fileno(), 4096)
            if not data:
                raise Failure('%s: has ended%s' % (self.label, self.last_words()))
            self.buffer += data
        line, self.buffer = self.buffer.split(b'\n', 1)
        return line.decode(errors='replace').strip()

    def last_words(self):
        self.log.seek(0)
        lines = self.log.read().decode(errors='replace').splitlines()
        return ''.join('\n    ' + line for line in lines[-5:])

    def alive(self):
        return self.child.poll() is None

    def end(self):
        """Lets the child go, and ends it if it does not."""
        if self.child:
            for step in (self.child.stdin.close, lambda: None, self.child.terminate, self.child.kill):
                try:
                    step()
                    self.child.wait(QUIT_TIMEOUT)
                    break
                except (OSError, subprocess.TimeoutExpired):
                    continue
            self.child.stdout.close()
        self.log.close()

    def server_elsewhere(self, cpus):
        """The name of a helper of this prefix that ran before, and so on more CPUs than these; or None."""
        prefix = prefix_of(self.child.pid)
        for pid in map(int, filter(str.isdigit, os.listdir('/proc'))):
            try:
                with open('/proc/%d/comm' % pid) as file:
                    name = file.read().strip()
                if name.startswith(HELPERS) and prefix and prefix_of(pid) == prefix:
                    if not os.sched_getaffinity(pid) <= cpus:
                        return name
            except OSError:      # not a process any more, or not ours
                continue
        return None
