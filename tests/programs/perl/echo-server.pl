# Blocking echo server: serves COUNT clients one after the other
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
my $listener = open_listener( $host );

for (1 .. $count)
{
    my $peer = accept( my $client, $listener ) or fail( "accept: " . error_name() );
    my ($size, $data) = (0);

    binmode $client;
    fail( "getpeername and accept disagree" ) unless getpeername( $client ) eq $peer;
    print "accepted ", port_of( $peer ), "\n";
    while (my $got = sysread( $client, $data, 65536 ))
    {
        write_all( $client, $data );
        $size += $got;
    }
    print "echoed $size\n";
    close $client or fail( "close: " . error_name() );
}
