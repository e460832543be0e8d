# Tries to connect and says which error came, and after how many milliseconds
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

my ($how, $port, $timeout) = @ARGV;
my $start = Time::HiRes::time();
my $sock;

if ($how eq 'functions')
{
    socket( $sock, AF_INET, SOCK_STREAM, IPPROTO_TCP ) or fail( "socket: " . error_name() );
    undef $sock unless connect( $sock, address( '127.0.0.1', $port ) );
}
elsif ($how eq 'class')
{
    $sock = IO::Socket::INET->new( PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp',
                                   $timeout ? (Timeout => $timeout) : () );
}
elsif ($how eq 'select')
{
    # As event loops do: failed connects are in the third set, SO_ERROR tells why.
    $sock = IO::Socket::INET->new( Proto => 'tcp' ) or fail( "socket: " . error_name() );
    $sock->blocking( 0 );
    if (!connect( $sock, address( '127.0.0.1', $port ) ))
    {
        my $now = error_name();

        fail( "connect: $now" ) unless $now =~ /^(EWOULDBLOCK|EAGAIN|EINPROGRESS)$/;
        my $set = IO::Select->new( $sock );
        my ($readable, $writable, $broken) = IO::Select->select( undef, $set, $set, 10 );
        fail( "select: nothing for 10 s" ) unless $broken;
        print "sets ", scalar( @$writable ), " ", scalar( @$broken ), "\n";
        print "SO_ERROR ", unpack( 'l', getsockopt( $sock, SOL_SOCKET, SO_ERROR ) ), "\n";
        my $got = sysread( $sock, my $data, 10 );
        print "recv ", defined $got ? $got : error_name(), "\n";
        undef $sock;
        $! = 0;
    }
}
my $error = error_name();
printf "took %d\n", (Time::HiRes::time() - $start) * 1000;
print "error ", $sock ? "none" : $error, "\n";
