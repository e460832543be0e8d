# Reads COUNT streams to their end and answers each with its size and SHA-256
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
    accept( my $client, $listener ) or fail( "accept: " . error_name() );
    binmode $client;
    my $digest = read_digest( $client );
    write_all( $client, "$digest\n" );
    close $client or fail( "close: " . error_name() );
    print "digest $digest\n";
}
