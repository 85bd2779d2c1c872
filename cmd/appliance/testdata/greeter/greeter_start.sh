#!/bin/sh
# Starts the server, which stays in the foreground.
exec perl -MSocket -e '
    socket(my $s, PF_INET, SOCK_STREAM, 6) or die "socket: $!";
    setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
    bind($s, sockaddr_in(18080, INADDR_ANY)) or die "bind: $!";
    listen($s, 16) or die "listen: $!";
    open(my $p, ">", "greeter.pid") or die; print $p "$$\n"; close $p;
    open(my $g, "<", "greeting") or die; my $text = <$g>; close $g;
    while (accept(my $c, $s)) {
        my $line = <$c>;
        print $c "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " . length($text) . "\r\n\r\n$text";
        close $c;
    }'
