# The errors of datagrams: too big to send, too small a buffer, a time-out, an unreachable port
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

my ($what, $port) = @ARGV;
my $peer = address( '127.0.0.1', $port );

socket( my $sock, AF_INET, SOCK_DGRAM, getprotobyname( 'udp' ) ) or fail( "socket: " . error_name() );
if ($what eq 'oversize')
{
    my $sent = send( $sock, 'x' x 65508, 0, $peer );
    print "send ", defined $sent ? $sent : error_name(), "\n";
}
elsif ($what eq 'truncated')
{
    # The peer answers "ask" with 1000 bytes, then with 10.
    send( $sock, 'ask', 0, $peer ) or fail( "send: " . error_name() );
    my $from = recv( $sock, my $data, 100, 0 );
    print "recv ", defined $from ? length $data : error_name(), "\n";
    $from = recv( $sock, $data, 100, 0 );
    print "next ", defined $from ? length $data : error_name(), "\n";
}
elsif ($what eq 'unreachable' || $what eq 'unreachable-connected')
{
    connect( $sock, $peer ) or fail( "connect: " . error_name() ) if $what ne 'unreachable';
    my $sent = $what eq 'unreachable' ? send( $sock, 'x', 0, $peer ) : send( $sock, 'x', 0 );
    fail( "send: " . error_name() ) unless $sent;
    IO::Select->new( $sock )->can_read( 3 ) or fail( "no error came" );
    my $from = recv( $sock, my $data, 100, 0 );
    print "recv ", defined $from ? length $data : error_name(), "\n";
}
