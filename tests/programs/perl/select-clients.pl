# COUNT concurrent connections of one process, all non-blocking, in one select loop
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

my ($host, $port, $count, $rounds) = @ARGV;
my $select = IO::Select->new;
my (%client, $done);

for my $number (1 .. $count)
{
    my $sock = IO::Socket::INET->new( PeerAddr => $host, PeerPort => $port, Proto => 'tcp', Blocking => 0 );

    # A connect under way is no failure; IO::Socket says so by a socket.
    fail( "connect $number: " . error_name() ) unless $sock;
    binmode $sock;
    $client{$sock} = { sock => $sock, number => $number, round => 0, connected => 0, in => '', want => '' };
    $select->add( $sock );
}
my $end = time + 60;
while ($select->count)
{
    my $connecting = IO::Select->new( map { $_->{sock} } grep { !$_->{connected} } values %client );
    my ($readable, $writable, $broken) = IO::Select->select( $select, $connecting, $connecting, 10 );

    fail( "select: nothing for 10 s" ) unless $readable;
    fail( "too slow" ) if time > $end;
    fail( scalar( @$broken ) . " connects failed" ) if @$broken;
    for my $sock (@$writable)
    {
        my $error = unpack 'l', getsockopt( $sock, SOL_SOCKET, SO_ERROR );

        fail( "SO_ERROR is $error" ) if $error;
        $client{$sock}{connected} = 1;
        next_round( $client{$sock} );
    }
    for my $sock (@$readable)
    {
        my $this = $client{$sock};
        my $got = sysread( $sock, $this->{in}, 65536, length $this->{in} );

        fail( "recv: " . error_name() ) unless defined $got || $!{EWOULDBLOCK} || $!{EAGAIN};
        fail( "the server closed connection $this->{number}" ) if defined $got && !$got;
        next if length $this->{in} < length $this->{want};
        fail( "wrong echo on connection $this->{number}" ) unless $this->{in} eq $this->{want};
        next_round( $this );
    }
}
print "done $done\n";

sub next_round
{
    my ($this) = @_;

    if ($this->{round}++ == $rounds)
    {
        $select->remove( $this->{sock} );
        delete $client{$this->{sock}};
        close $this->{sock} or fail( "close: " . error_name() );
        $done++;
        return;
    }
    $this->{in} = '';
    $this->{want} = "connection $this->{number}, round $this->{round}\n" x 20;
    my $sent = syswrite( $this->{sock}, $this->{want} );
    fail( "send: " . error_name() ) unless defined $sent;
    fail( "sent $sent bytes" ) unless $sent == length $this->{want};
}
