# Connections that end with an RST: sent by the peer, or by us
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

my ($what, $port, $count) = @ARGV;

for my $number (1 .. $count)
{
    my $sock = open_client( '127.0.0.1', $port );

    if ($what eq 'receive')
    {
        # Every other time the RST is there before the receive.
        read_exactly( $sock, 5 ) eq "ready" or fail( "not ready" );
        write_all( $sock, 'go' );
        Time::HiRes::sleep( 0.1 ) if $number % 2;
        my $got = sysread( $sock, my $data, 10 );
        print "recv ", defined $got ? $got : error_name(), "\n";
    }
    elsif ($what eq 'send')
    {
        # Sends until the RST is noticed.
        my ($result, $tries) = (0, 0);
        $tries++ while $tries < 100 && defined( $result = syswrite( $sock, 'x' ) ) && Time::HiRes::sleep( 0.02 );
        print "send ", defined $result ? $result : error_name(), "\n";
    }
    elsif ($what eq 'linger')
    {
        read_exactly( $sock, 5 ) eq "ready" or fail( "not ready" );
        setsockopt( $sock, SOL_SOCKET, SO_LINGER, pack 'SS', 1, 0 ) or fail( "SO_LINGER: " . error_name() );
        close $sock or fail( "close: " . error_name() );
    }
    elsif ($what eq 'unread')
    {
        # Closing with data unread resets, too.
        fail( "no data" ) unless IO::Select->new( $sock )->can_read( 10 );
        close $sock or fail( "close: " . error_name() );
    }
}
print "done\n";
