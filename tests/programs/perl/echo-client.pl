# Sends lines and blocks to an echo server and checks what comes back
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

use strict;
use warnings;
use File::Basename;
BEGIN { require( dirname( $0 ) . '/common.pl' ); }

my ($host, $port) = @ARGV;
my $server = open_client( $host, $port );

fail( "wrong peer" ) unless getpeername( $server ) eq address( $host, $port );
print "connected ", port_of( getsockname( $server ) ), "\n";
for my $size (1, 2, 100, 1460, 4096, 65536, 200000)
{
    my $data = join '', map { chr( ($_ * 7 + $size) & 255 ) } 1 .. $size;

    write_all( $server, $data );
    fail( "wrong echo of $size bytes" ) unless read_exactly( $server, $size ) eq $data;
}
shutdown( $server, 1 ) or fail( "shutdown: " . error_name() );
my $count = sysread( $server, my $rest, 1 );
fail( "no end of the stream after the echo" ) unless defined $count && $count == 0;
close $server or fail( "close: " . error_name() );
print "done\n";
