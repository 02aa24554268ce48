"""Many at once who are slow: with their greetings, with their heads, with their bodies, with reading what they asked for.

One thread and one selector hold them all; each gives a byte at a time until the service has had enough of it.
"""
import collections
import contextlib
import selectors
import socket
import time

from .messages import API, JSON, POLL
from .wire import Wire, request

BYTE_EVERY = 1.0                                 # seconds
PATIENCE = 150                                   # then whoever is not ended is a fault
SMALL_WINDOW = 4096

SMALL = request("PUT", f"{API}/devices/slow", JSON, "Content-Length: 5000")
CHUNKED = request("PUT", f"{API}/devices/slow", JSON, "Transfer-Encoding: chunked") + b"FFF\r\n"
LARGE = request("PUT", f"{API}/devices/slow", JSON, "Content-Length: 100000")
UPLOAD = request("POST", f"{API}/firmware", "Content-Type: multipart/form-data; boundary=b", "Content-Length: 100000")

# What each kind says at once, and what it goes on with; the answers that it may get.
KINDS = {
    "a slow head": (f"GET {POLL} HTTP/1.1\r\nHost: h\r\nX: ".encode(), b"y", {408}),
    "a slow first line": (b"G", b"E", {408}),
    "another protocol, slowly": (b"SSH-2.0-OpenSSH_9.2\r\n", b"x", {408}),
    "a slow small body": (SMALL, b" ", {408}),
    "a slow small chunk": (CHUNKED, b" ", {408}),
    # A handler reads it, if one of those is free that may wait for bodies.
    "a slow large body": (LARGE, b" ", {408, 503}),
    "a slow upload": (UPLOAD + b"--b\r\n", b"-", {408, 503}),
    # Before TLS is agreed on nobody is answered.
    "a slow greeting": (b"\x16\x03\x01\x02\x00\x01", b"\0", {None}),
}
OVER_TLS = {"a slow greeting"}


class Slow:
    def __init__(self, port, tls_port, kind):
        self.kind = kind
        self.begin, self.drip, self.allowed = KINDS[kind]
        self.wire = Wire(tls_port if kind in OVER_TLS else port)
        self.wire.send(self.begin)
        self.wire.socket.setblocking(False)
        self.received = b""
        self.ended = False

    def read(self):
        try:
            data = self.wire.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.received += data
        self.ended = not data

    def drip_on(self):
        try:
            self.wire.socket.send(self.drip)
        except (BrokenPipeError, ConnectionResetError, BlockingIOError):
            pass                                 # read() tells how it ended

    def status(self):
        return int(self.received.split(b" ")[1]) if self.received else None


def slow_senders(port, tls_port, count):
    """So many of them, of all kinds in turns; how each kind ended."""
    kinds = list(KINDS)
    waiting = selectors.DefaultSelector()
    crowd = [Slow(port, tls_port, kinds[n % len(kinds)]) for n in range(count)]
    for slow in crowd:
        waiting.register(slow.wire.socket, selectors.EVENT_READ, slow)
    left, deadline, next_byte = len(crowd), time.monotonic() + PATIENCE, 0.0
    while left:
        assert time.monotonic() < deadline, (left, "slow senders are still not ended")
        if time.monotonic() >= next_byte:
            for slow in crowd:
                if not slow.ended:
                    slow.drip_on()
            next_byte = time.monotonic() + BYTE_EVERY
        for key, _ in waiting.select(timeout=BYTE_EVERY / 4):
            slow = key.data
            slow.read()
            if slow.ended:
                waiting.unregister(slow.wire.socket)
                slow.wire.socket.close()
                left -= 1
    ends = collections.Counter((slow.kind, slow.status()) for slow in crowd)
    for slow in crowd:
        assert slow.status() in slow.allowed, (slow.kind, ends)
    assert ends["a slow upload", 408] + ends["a slow large body", 408] > 0, ends
    return ends


def slow_download(port, path, size, seconds):
    """A device on a thin line, as opposed to one that stands still: it must get all of its bytes."""
    ticks = int(seconds * 10)
    with Wire(port, window=65536) as wire:
        wire.send(request("GET", path))
        body, begin = b"", time.monotonic()
        while b"\r\n\r\n" not in body:
            body += wire.socket.recv(1)
        body = b""
        for tick in range(1, ticks + 1):
            while len(body) < size * tick // ticks:
                data = wire.socket.recv(size * tick // ticks - len(body))
                assert data, ("cut off after", len(body), time.monotonic() - begin)
                body += data
            time.sleep(max(0.0, begin + tick / 10 - time.monotonic()))
        return body


def many_askers(port, count, path):
    """All want at once what is much work to make: some get it, the others are told to come again."""
    with contextlib.ExitStack() as all_of_them:
        wires = [all_of_them.enter_context(Wire(port)) for _ in range(count)]
        for wire in wires:
            wire.send(request("GET", path))
        ends = collections.Counter()
        for wire in wires:
            answer = wire.answer()
            assert answer.status == 200 or (answer.status == 503 and answer.headers["retry-after"]), answer
            ends[answer.status] += 1
    assert ends[200] > 0, ends
    return ends


TCP_ESTABLISHED = 1                              # as the kernel numbers the states of a connection


class Readers:
    """Clients that ask for something large and read none of it: one after the other, each when the answer of the one
    before has begun, since making them is work too."""

    def __init__(self, port, count, path):
        self.wires = [Wire(port, window=SMALL_WINDOW) for _ in range(count)]
        for wire in self.wires:
            wire.send(request("GET", path))
            try:
                wire.socket.recv(1, socket.MSG_PEEK)
            except ConnectionResetError:         # more of them than the service waits for
                pass

    def ended(self):
        """How many connections the service has given up."""
        count = 0
        for wire in self.wires:
            state = wire.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
            count += state != TCP_ESTABLISHED
        return count

    def close(self):
        for wire in self.wires:
            wire.socket.close()
