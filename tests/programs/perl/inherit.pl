# Hands connections to children: as their standard input and output, and by the handle's number
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

use Win32API::File ();

my ($way) = @ARGV;

if ($way eq 'child')
{
    # Talks to the client through standard input and output.
    binmode STDIN;
    my $line = <STDIN>;
    print "child got: $line";
    exit 7;
}
if ($way eq 'child-handle')
{
    my $fd = Win32API::File::OsFHandleOpenFd( $ARGV[1] + 0, 0 );
    fail( "OsFHandleOpenFd: $^E" ) unless defined $fd && $fd >= 0;
    open( my $sock, '+<&=', $fd ) or fail( "open: $!" );
    binmode $sock;
    my $peer = getpeername( $sock ) or fail( "getpeername: " . error_name() );
    my $data = '';
    until ($data =~ /\n/)
    {
        defined recv( $sock, my $part, 100, 0 ) or fail( "recv: " . error_name() );
        fail( "end of the stream" ) unless length $part;
        $data .= $part;
    }
    my $answer = "child of " . port_of( $peer ) . " got: $data";
    defined send( $sock, $answer, 0 ) or fail( "send: " . error_name() );
    exit 7;
}

my $listener = open_listener( '127.0.0.1' );
my $script = $0;
accept( my $client, $listener ) or fail( "accept: " . error_name() );
binmode $client;
my $status;
if ($way eq 'handle')
{
    my $handle = Win32API::File::FdGetOsFHandle( fileno $client );
    Win32API::File::SetHandleInformation( $handle, 1, 1 ) or fail( "SetHandleInformation: $^E" );
    $status = system $^X, $script, 'child-handle', $handle;
}
else
{
    open( my $in, '<&', \*STDIN ) or fail( "dup of STDIN: $!" );
    open( my $out, '>&', \*STDOUT ) or fail( "dup of STDOUT: $!" );
    open( STDIN, '<&', $client ) or fail( "STDIN to the socket: $!" );
    open( STDOUT, '>&', $client ) or fail( "STDOUT to the socket: $!" );
    $status = $way eq 'cmd' ? system( 'cmd', '/c', 'echo child cmd & exit 7' ) : system( $^X, $script, 'child' );
    open( STDIN, '<&', $in ) or fail( "STDIN back: $!" );
    open( STDOUT, '>&', $out ) or fail( "STDOUT back: $!" );
}
print "child ended with ", $status >> 8, "\n";
# The connection lives on in the parent.
write_all( $client, "parent here\n" );
my $line = read_line( $client );
print "parent got: $line\n";
close $client or fail( "close: " . error_name() );
