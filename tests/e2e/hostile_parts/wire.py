"""Bare sockets: exactly the bytes that a test wants, and what comes back, with nothing put right by a library."""
import socket
import struct
import time

PATIENCE = 60                                    # seconds for any one answer: longer is a fault
RESET = struct.pack("ii", 1, 0)                  # SO_LINGER: on, for no time


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"{self.status} {self.body[:200]!r}"


class Wire:
    """One connection. `window` bytes are taken from the server before the program reads any; 0: as many as usual."""

    def __init__(self, port, window=0):
        self.socket = socket.socket()
        if window:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False if the server has closed."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def finish_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def finish_sending_quietly(self):
        """The server may have gone first."""
        try:
            self.finish_sending()
        except OSError:
            pass

    def reset(self):
        """Ends the connection as a crashed machine's neighbour would: no FIN, an RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.socket.close()

    def _receive(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.unread += data
        return bool(data)

    def answer(self, to_head=False):
        """The next answer, whole; None if the server has closed instead."""
        while b"\r\n\r\n" not in self.unread:
            if not self._receive():
                assert not self.unread, ("half an answer", self.unread[:500])
                return None
        head, self.unread = self.unread.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        version, status = lines[0].split(" ")[:2]
        assert version == "HTTP/1.1", lines
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
        status = int(status)
        size = 0 if to_head or status in (100, 204, 304) else int(headers["content-length"])
        while len(self.unread) < size:
            assert self._receive(), ("half a body", size, len(self.unread))
        body, self.unread = self.unread[:size], self.unread[size:]
        return Answer(status, headers, body)

    def rest(self):
        """Whatever still comes until the server closes; fails if it does not close."""
        deadline = time.monotonic() + PATIENCE
        while self._receive():
            assert time.monotonic() < deadline, "the server does not close"
        return self.unread


def request(method, target, *fields, body=b""):
    lines = [f"{method} {target} HTTP/1.1", "Host: h", *fields]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
