# Answers with its words; a client that asks for an upgrade gets back every line that it sends.
use strict;
use warnings;
use IO::Socket::INET;

$SIG{CHLD} = 'IGNORE';
$SIG{TERM} = sub { exit 0 };
my $server = IO::Socket::INET->new(
    LocalAddr => '0.0.0.0', LocalPort => $ENV{PORT}, Listen => 64, ReuseAddr => 1
) or die "cannot listen: $!";
print STDERR "echo listens\n";

while (1) {
    my $client = $server->accept() or next;
    if (fork) { close $client; next }
    my $upgrade = '';
    while (my $line = <$client>) {
        last if $line =~ /^\r?\n$/;
        $upgrade = $1 if $line =~ /^Upgrade:\s*(\S+)/i;
    }
    if ($upgrade) {
        print $client "HTTP/1.1 101 Switching Protocols\r\nUpgrade: $upgrade\r\nConnection: Upgrade\r\n\r\n";
        while (my $line = <$client>) { print $client "echo $line" }
    } else {
        print $client "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nno echoes\n";
    }
    exit 0;
}
