# Sends SIZE bytes, half-closes, and reads the peer's size and SHA-256 of them
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

my ($host, $port, $size) = @ARGV;
my $server = open_client( $host, $port );
my $sent = send_pattern( $server, $size );

shutdown( $server, 1 ) or fail( "shutdown: " . error_name() );
my $failed = !defined syswrite( $server, 'x' );
print "send after shutdown ", $failed ? error_name() : "worked", "\n";
my $digest = read_line( $server );
my $count = sysread( $server, my $rest, 1 );
fail( "no end of the stream after the answer" ) unless defined $count && $count == 0;
fail( "sent $sent, the server read $digest" ) unless $digest eq $sent;
print "done $sent\n";
