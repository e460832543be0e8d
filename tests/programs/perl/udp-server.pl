# UDP echo server: echoes COUNT datagrams to where they came from
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

my ($host, $count) = @ARGV;

socket( my $sock, family( $host ), SOCK_DGRAM, getprotobyname( 'udp' ) ) or fail( "socket: " . error_name() );
setsockopt( $sock, SOL_SOCKET, SO_RCVBUF, pack 'l', 1 << 20 ) or fail( "SO_RCVBUF: " . error_name() );
bind( $sock, address( $host, 0 ) ) or fail( "bind: " . error_name() );
print "listening ", port_of( getsockname( $sock ) ), "\n";
for (1 .. $count)
{
    my $from = recv( $sock, my $data, 65536, 0 );

    fail( "recvfrom: " . error_name() ) unless defined $from;
    my $sent = send( $sock, $data, 0, $from );
    fail( "sendto: " . error_name() ) unless defined $sent;
    fail( "sent $sent of " . length $data ) unless $sent == length $data;
}
print "done\n";
