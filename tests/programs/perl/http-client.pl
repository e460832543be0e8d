# HTTP/1.1 client by hand: several requests on one connection
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

my ($port) = @ARGV;
my $server = open_client( '127.0.0.1', $port );

$server->autoflush( 1 );
for my $size (0, 1, 1000, 3_000_000)
{
    print $server "GET /bytes/$size HTTP/1.1\r\nHost: localhost\r\n\r\n" or fail( "send: " . error_name() );
    my ($status, $header, $body) = response();
    fail( "$status for $size bytes" ) unless $status == 200 && length $body == $size;
    fail( "wrong checksum" ) unless $header->{'x-sha256'} eq Digest::SHA::sha256_hex( $body );
}
for my $size (0, 1, 70_000, 3_000_000)
{
    my $data = join '', map { pack 'N', $_ } 1 .. $size / 4 + 1;

    print $server "POST /digest HTTP/1.1\r\nHost: localhost\r\nContent-Length: ", length $data, "\r\n\r\n", $data
        or fail( "send: " . error_name() );
    my ($status, $header, $body) = response();
    fail( "wrong answer to POST: $status" ) unless $status == 200 && $body eq Digest::SHA::sha256_hex( $data );
}
close $server or fail( "close: " . error_name() );
print "done\n";

sub response
{
    my $line = <$server>;
    my %header;

    fail( "no response" ) unless defined $line && $line =~ m{^HTTP/1\.[01] (\d+) };
    my $status = $1;
    while (my $line = <$server>)
    {
        last if $line eq "\r\n";
        $header{lc $1} = $2 if $line =~ /^([^:]+):\s*(.*?)\s*\r\n$/;
    }
    my $body = '';
    my $got = read( $server, $body, $header{'content-length'} );
    fail( "short response" ) unless defined $got && $got == $header{'content-length'};
    return ($status, \%header, $body);
}
