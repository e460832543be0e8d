# Names: hosts, services, protocols, and the newer functions
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

sub show
{
    my ($name, @value) = @_;

    print "$name: ", join( ' ', map { defined $_ ? $_ : 'undef' } @value ), "\n";
}

my ($name, $aliases, $type, $length, @addresses) = gethostbyname( 'localhost' );
show( 'gethostbyname localhost', $type, $length, map { inet_ntoa( $_ ) } @addresses );
show( 'gethostbyname 127.0.0.2', inet_ntoa( scalar gethostbyname( '127.0.0.2' ) ) );
show( 'gethostbyname none', scalar gethostbyname( 'no-such-host.invalid' ) );
show( 'gethostbyaddr', scalar gethostbyaddr( inet_aton( '127.0.0.1' ), AF_INET ) );
show( 'getservbyname http', (getservbyname( 'http', 'tcp' ))[0, 2, 3] );
show( 'getservbyname domain', (getservbyname( 'domain', 'udp' ))[0, 2, 3] );
show( 'getservbyname none', scalar getservbyname( 'no-such-service', 'tcp' ) );
show( 'getservbyport 25', (getservbyport( 25, 'tcp' ))[0, 2, 3] );
show( 'getprotobyname', map { scalar getprotobyname( $_ ) } qw(icmp tcp udp) );
show( 'getprotobynumber', map { scalar getprotobynumber( $_ ) } 1, 6, 17 );
for my $host ('localhost', '127.0.0.1', '::1', 'no-such-host.invalid')
{
    my ($error, @found) = getaddrinfo( $host, '80', { socktype => SOCK_STREAM, protocol => IPPROTO_TCP } );
    my %seen = map { ($_->{family} == AF_INET6 ? inet_ntop( AF_INET6, (unpack_sockaddr_in6( $_->{addr} ))[1] )
                                               : inet_ntoa( (unpack_sockaddr_in( $_->{addr} ))[1] )) => 1 } @found;

    show( "getaddrinfo $host", $error ? ('error', $error + 0) : sort keys %seen );
}
my ($error, $host, $service) = getnameinfo( pack_sockaddr_in( 80, inet_aton( '127.0.0.1' ) ), NI_NUMERICHOST );
show( 'getnameinfo', $error ? ('error', $error + 0) : ($host, $service) );
show( 'inet_pton', unpack 'H*', inet_pton( AF_INET6, '2001:db8::1:2' ) );
show( 'inet_ntop', inet_ntop( AF_INET6, pack 'H*', '20010db8000000000000000000010002' ) );
my $sock = IO::Socket::INET->new( PeerAddr => 'localhost', PeerPort => $ARGV[0], Proto => 'tcp' )
    or fail( "connect by name: " . error_name() );
show( 'peer', $sock->peerhost );
