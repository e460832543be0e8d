# Sends datagrams of many sizes to an echo server, unconnected or connected
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

my ($host, $port, $connected) = @ARGV;
my $server = address( $host, $port );

socket( my $sock, family( $host ), SOCK_DGRAM, getprotobyname( 'udp' ) ) or fail( "socket: " . error_name() );
connect( $sock, $server ) or fail( "connect: " . error_name() ) if $connected;
for my $size (1, 100, 0, 512, 1472, 1473, 8192, 32768, 65000, 65507)
{
    my $data = join '', map { chr( ($_ + $size) & 255 ) } 1 .. $size;
    my $sent = $connected ? send( $sock, $data, 0 ) : send( $sock, $data, 0, $server );

    fail( "send of $size: " . error_name() ) unless defined $sent;
    fail( "no answer to $size bytes" ) unless IO::Select->new( $sock )->can_read( 10 );
    my $from = recv( $sock, my $got, 65536, 0 );
    fail( "recv of $size: " . error_name() ) unless defined $from;
    fail( "sent $size bytes, got " . length $got ) unless $got eq $data;
    fail( "the answer came from somewhere else" ) unless $connected || $from eq $server;
}
print "done\n";
