# Calls that time out: accept, receive (SO_RCVTIMEO), select, send (SO_SNDTIMEO)
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

use Time::HiRes;

my ($port) = @ARGV;

sub timed
{
    my ($name, $function) = @_;
    my $start = Time::HiRes::time();
    my $result = $function->();

    printf "%s: %s after %d\n", $name, $result, (Time::HiRes::time() - $start) * 1000;
}

my $listener = IO::Socket::INET->new( LocalAddr => '127.0.0.1', Listen => 1, Proto => 'tcp', Timeout => 1 )
    or fail( "listen: " . error_name() );
timed( 'accept', sub { $listener->accept ? 'a client' : error_name() } );
my $sock = open_client( '127.0.0.1', $port );
timed( 'select', sub { IO::Select->new( $sock )->can_read( 0.7 ) ? 'readable' : 'nothing' } );
setsockopt( $sock, SOL_SOCKET, SO_RCVTIMEO, pack 'L', 600 ) or fail( "SO_RCVTIMEO: " . error_name() );
timed( 'recv', sub { defined sysread( $sock, my $data, 10 ) ? 'data' : error_name() } );
# The connection is as good as before.
write_all( $sock, "answer\n" );
timed( 'answer', sub { read_line( $sock ) } );
# The peer reads no more: the send blocks when all buffers are full.
setsockopt( $sock, SOL_SOCKET, SO_SNDTIMEO, pack 'L', 600 ) or fail( "SO_SNDTIMEO: " . error_name() );
timed( 'send', sub { my $result; 1 while defined( $result = syswrite( $sock, 'x' x 262144 ) ); error_name() } );
print "done\n";
