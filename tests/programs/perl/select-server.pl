# Echo server for many clients: IO::Select and non-blocking sockets; ends after COUNT clients
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
my $limit = 1 << 20;                 # bytes held for a client before the server stops reading from it
my $listener = open_listener( $host, 256 );
my (%waiting, %ended, %handles);
my ($served, $most) = (0, 0);

$listener->blocking( 0 );
while ($served < $count)
{
    my ($readable, $writable) = wait_ready( [ $listener, grep { !$ended{$_} && length $waiting{$_} < $limit } values %handles ],
                                            [ grep { length $waiting{$_} } values %handles ] );

    for my $sock (@$readable)
    {
        if ($sock == $listener)
        {
            # Until it would block, or so we take it: on Windows Perl's $! is EBADF after any failed accept.
            while (1)
            {
                my $client = IO::Socket::INET->new;

                last unless accept( $client, $listener );
                binmode $client;
                $client->blocking( 0 );
                $handles{$client} = $client;
                $waiting{$client} = '';
            }
            $most = keys %handles if $most < keys %handles;
            next;
        }
        my $got = sysread( $sock, $waiting{$sock}, 65536, length $waiting{$sock} );
        fail( "recv: " . error_name() ) unless defined $got || $!{EWOULDBLOCK} || $!{EAGAIN};
        $ended{$sock} = 1 if defined $got && !$got;
    }
    for my $sock (@$writable)
    {
        my $sent = syswrite( $sock, $waiting{$sock} );

        fail( "send: " . error_name() ) unless defined $sent || $!{EWOULDBLOCK} || $!{EAGAIN};
        substr( $waiting{$sock}, 0, $sent, '' ) if $sent;
    }
    for my $sock (grep { $ended{$_} && !length $waiting{$_} } values %handles)
    {
        close $sock or fail( "close: " . error_name() );
        delete $_->{$sock} for \%handles, \%waiting, \%ended;
        $served++;
    }
}
print "served $served, at most $most at once\n";

# Perl on Windows hands 64 sockets of a set to select, so more are taken in turns.
sub wait_ready
{
    my ($readers, $writers) = @_;
    my $most = @$readers > @$writers ? @$readers : @$writers;
    my $pause = $most > 64 ? 0 : 30;
    my $end = time + 30;
    my (@readable, @writable);

    until (@readable || @writable)
    {
        for (my $first = 0; $first < $most; $first += 64)
        {
            my @sets = map { my $last = $first + 63 < $#$_ ? $first + 63 : $#$_; IO::Select->new( @{$_}[$first .. $last] ) }
                       $readers, $writers;
            my ($read, $write) = IO::Select->select( @sets, undef, $pause );

            push @readable, @{$read || []};
            push @writable, @{$write || []};
        }
        fail( "select: nothing for 30 s, $served clients served" ) if time > $end || $pause == 30 && !@readable && !@writable;
        $pause = 0.01 unless $pause;
    }
    return (\@readable, \@writable);
}
