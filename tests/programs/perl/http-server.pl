# HTTP/1.1 server by hand: GET /bytes/N, POST /digest, GET /quit; one client at a time, keep-alive
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

my $listener = open_listener( '127.0.0.1' );
my $running = 1;

while ($running)
{
    my $client = $listener->accept or fail( "accept: " . error_name() );

    binmode $client;
    $client->autoflush( 1 );
    1 while $running && answer( $client );
    close $client or fail( "close: " . error_name() );
}
print "done\n";

# Reads with Perl's own buffering (<$client>, read), answers with print.
sub answer
{
    my ($client) = @_;
    my $request = <$client>;
    my %header;

    return 0 unless defined $request && $request =~ m{^(GET|POST) (\S+) HTTP/1\.1\r\n$};
    my ($method, $path) = ($1, $2);
    while (my $line = <$client>)
    {
        last if $line eq "\r\n";
        $header{lc $1} = $2 if $line =~ /^([^:]+):\s*(.*?)\s*\r\n$/;
    }
    my ($body, $status) = ('', '200 OK');
    if ($path =~ m{^/bytes/(\d+)$})
    {
        $body = substr( join( '', map { pack 'N', $_ } 0 .. $1 / 4 ), 0, $1 );
    }
    elsif ($method eq 'POST')
    {
        my $size = $header{'content-length'};

        fail( "short request" ) unless read( $client, my $data, $size ) == $size;
        $body = Digest::SHA::sha256_hex( $data );
    }
    elsif ($path eq '/quit')
    {
        $running = 0;
    }
    else
    {
        $status = '404 Not Found';
    }
    my $sha = Digest::SHA::sha256_hex( $body );
    print $client "HTTP/1.1 $status\r\nContent-Length: ", length $body, "\r\nX-Sha256: $sha\r\n\r\n", $body
        or fail( "send: " . error_name() );
    return ($header{connection} || '') ne 'close';
}
