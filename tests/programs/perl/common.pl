# What the perl scripts of the tests share
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
use Digest::SHA;
use IO::Select;
use IO::Socket::INET;
use Socket qw(:DEFAULT :addrinfo IPPROTO_IPV6 IPPROTO_TCP TCP_NODELAY inet_pton inet_ntop pack_sockaddr_in6 unpack_sockaddr_in6);

$| = 1;
binmode STDOUT;

# Says why and ends the test.
sub fail
{
    my ($message) = @_;

    print "failed: $message\n";
    exit 1;
}

# What an error is called, so that the harness can compare it.
sub error_name
{
    for my $name (qw(ECONNREFUSED ECONNRESET ECONNABORTED ETIMEDOUT EWOULDBLOCK EAGAIN EINPROGRESS EMSGSIZE ENOTCONN
                     EADDRINUSE EADDRNOTAVAIL EINVAL EISCONN ENOTSOCK ESHUTDOWN EPIPE EINTR EACCES EFAULT))
    {
        return $name if exists $!{$name} && $!{$name};
    }
    return "error " . ($! + 0) . " ($!)";
}

sub family
{
    my ($host) = @_;

    return $host =~ /:/ ? AF_INET6 : AF_INET;
}

sub address
{
    my ($host, $port) = @_;

    return pack_sockaddr_in6( $port, inet_pton( AF_INET6, $host ) ) if family( $host ) == AF_INET6;
    return pack_sockaddr_in( $port, inet_aton( $host ) );
}

sub port_of
{
    my ($name) = @_;
    my $family = sockaddr_family( $name );

    return (unpack_sockaddr_in6( $name ))[0] if $family == AF_INET6;
    return (unpack_sockaddr_in( $name ))[0];
}

# A listening socket; says its port. IO::Socket::INET for IPv4, Perl's own functions for IPv6.
sub open_listener
{
    my ($host, $backlog) = @_;
    my $listener;

    if (family( $host ) == AF_INET)
    {
        $listener = IO::Socket::INET->new( LocalAddr => $host, LocalPort => 0, Proto => 'tcp', Listen => $backlog || 128 )
            or fail( "listen: " . error_name() );
    }
    else
    {
        socket( $listener, AF_INET6, SOCK_STREAM, IPPROTO_TCP ) or fail( "socket: " . error_name() );
        bind( $listener, address( $host, 0 ) ) or fail( "bind: " . error_name() );
        listen( $listener, $backlog || 128 ) or fail( "listen: " . error_name() );
    }
    binmode $listener;
    print "listening ", port_of( getsockname( $listener ) ), "\n";
    return $listener;
}

# A connected socket.
sub open_client
{
    my ($host, $port) = @_;
    my $client;

    if (family( $host ) == AF_INET)
    {
        $client = IO::Socket::INET->new( PeerAddr => $host, PeerPort => $port, Proto => 'tcp' )
            or fail( "connect: " . error_name() );
    }
    else
    {
        socket( $client, AF_INET6, SOCK_STREAM, IPPROTO_TCP ) or fail( "socket: " . error_name() );
        connect( $client, address( $host, $port ) ) or fail( "connect: " . error_name() );
    }
    binmode $client;
    return $client;
}

# Sends all bytes of a string on a blocking socket.
sub write_all
{
    my ($sock, $data) = @_;
    my $done = 0;

    while ($done < length $data)
    {
        my $count = syswrite( $sock, $data, length( $data ) - $done, $done );

        fail( "send: " . error_name() ) unless defined $count;
        $done += $count;
    }
}

sub read_exactly
{
    my ($sock, $size) = @_;
    my $data = '';

    while (length $data < $size)
    {
        my $count = sysread( $sock, $data, $size - length $data, length $data );

        fail( "recv: " . error_name() ) unless defined $count;
        fail( "the stream ended after " . length( $data ) . " of $size bytes" ) unless $count;
    }
    return $data;
}

sub read_line
{
    my ($sock) = @_;
    my $data = '';

    $data .= read_exactly( $sock, 1 ) until $data =~ /\n$/;
    $data =~ s/\r?\n$//;
    return $data;
}

# Reads to the end of the stream: "<bytes> <SHA-256>".
sub read_digest
{
    my ($sock) = @_;
    my $digest = Digest::SHA->new( 256 );
    my ($size, $data) = (0);

    while (1)
    {
        my $count = sysread( $sock, $data, 65536 );

        fail( "recv after $size bytes: " . error_name() ) unless defined $count;
        last unless $count;
        $digest->add( $data );
        $size += $count;
    }
    return "$size " . $digest->hexdigest;
}

# Sends bytes that never repeat: random blocks, each with its number in front. Returns "<bytes> <SHA-256>".
sub send_pattern
{
    my ($sock, $size) = @_;
    my $block = join '', map { pack 'N', rand 2**32 } 1 .. 16000;
    my $digest = Digest::SHA->new( 256 );
    my ($number, $left) = (0, $size);

    while ($left)
    {
        my $data = substr( pack( 'N', $number++ ) . $block, 0, $left );

        write_all( $sock, $data );
        $digest->add( $data );
        $left -= length $data;
    }
    return "$size " . $digest->hexdigest;
}

1;
