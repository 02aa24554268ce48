"""A line between a client and the service that is as bad as a test wants it: slow, cut, held, damaging what it carries.

It reads HTTP/1.1 as far as it must to know where an answer's body begins. A Trouble befalls requests of its kind and the
bodies of their answers; everything else goes through as it is. What was asked is in `asked`.
"""
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

PIECE = 64 * 1024
# Little of an answer is on its way here while the client has not got it: what the service has sent, the client has soon.
RECEIVE_BUFFER = 64 * 1024
END = -1                                # as a place: the body's last byte


@dataclass
class Trouble:
    """What happens to the next `times` GETs of a path in which the expression `path` is found, behind `skip` of them."""
    path: str = "/artifacts/"
    times: int = 1
    skip: int = 0
    hold: bool = False                  # the service gets the request once `go` is set
    bytes_per_s: int = 0                # 0: as fast as it goes
    cut_at: int | None = None           # the connection ends behind so many bytes of the body
    by_reset: bool = False              # cut as by a machine that is gone, not as by one that says goodbye
    damage_at: int | None = None        # this byte of the body is turned round
    hold_at: int | None = None          # nothing more of the body until `go` is set
    go: threading.Event = field(default_factory=threading.Event)
    met: int = 0                        # how many it has befallen

    def end(self):
        self.times = self.met
        self.go.set()


@dataclass
class Asked:
    """A request as it came by, and what the client has of its answer so far."""
    method: str
    path: str
    headers: dict
    status: int = 0
    answer: dict = field(default_factory=dict)
    body: int = 0                       # bytes
    done: bool = False                  # the client was given all of it


class Ended(Exception):
    """One of the two ends has closed the connection, or the line was cut."""


class Half:
    """One side of a connection: whole lines and counted bytes."""

    def __init__(self, connection):
        self.connection = connection
        self.reader = connection.makefile("rb")

    def head(self):
        """(first line, headers in lower case, the bytes as they came)."""
        lines = [self.reader.readline()]
        while lines[-1] not in (b"\r\n", b""):
            lines.append(self.reader.readline())
        if lines[-1] == b"":
            raise Ended()
        fields = dict(line.decode("latin-1").rstrip("\r\n").split(":", 1) for line in lines[1:-1])
        return lines[0].decode("latin-1").rstrip("\r\n"), {k.lower(): v.strip() for k, v in fields.items()}, b"".join(lines)

    def send(self, data):
        self.connection.sendall(data)

    def shut(self):
        """Whoever waits for it, here or at the other end, learns that it is over."""
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass                            # it was over already

    def close(self):
        self.reader.close()
        self.connection.close()

    def pieces(self, size):
        while size > 0:
            piece = self.reader.read1(min(size, PIECE))
            if not piece:
                raise Ended()
            size -= len(piece)
            yield piece


class BadLine:
    def __init__(self, port):
        self.port_of_service = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.asked = []
        self.troubles = []
        self.open = set()
        self.lock = threading.Lock()
        self.stopping = False
        self.thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        with self.lock:
            self.stopping = True
            for half in self.open:
                half.shut()
        for trouble in self.troubles:
            trouble.end()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()

    def befall(self, **how):
        trouble = Trouble(**how)
        with self.lock:
            self.troubles.append(trouble)
        return trouble

    def requests(self, method, part):
        with self.lock:
            return [one for one in self.asked if one.method == method and part in one.path]

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client):
        near, far = Half(client), Half(socket.socket())
        with self.lock:
            self.open |= {near, far}
            if self.stopping:
                near.shut()
        try:
            far.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            far.connection.connect(("127.0.0.1", self.port_of_service))
            for half in (near, far):
                half.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while self._exchange(near, far):
                pass
        except (Ended, OSError):
            pass
        finally:
            with self.lock:
                self.open -= {near, far}
            near.close()
            far.close()

    def _exchange(self, near, far):
        """One request and its answer; whether another may follow."""
        line, headers, raw = near.head()
        method, path, _ = line.split(" ")
        asked = Asked(method, path, headers)
        with self.lock:
            self.asked.append(asked)
            trouble = self._trouble_of(asked)
        if trouble.hold:
            trouble.go.wait()
        far.send(raw)
        if headers.get("expect", "").lower() == "100-continue":
            line, answer, raw = far.head()
            near.send(raw)
            if line.split(" ")[1] != "100":
                return False
        for piece in near.pieces(int(headers.get("content-length", 0))):
            far.send(piece)
        line, answer, raw = far.head()
        asked.answer, asked.status = answer, int(line.split(" ")[1])
        near.send(raw)
        if method != "HEAD" and asked.status not in (204, 304):
            self._body(near, far, asked, trouble)
        asked.done = True
        return answer.get("connection", "").lower() != "close"

    def _trouble_of(self, asked):
        for trouble in self.troubles:
            if asked.method != "GET" or trouble.met == trouble.times or not re.search(trouble.path, asked.path):
                continue
            if trouble.skip == 0:
                trouble.met += 1
                return trouble
            trouble.skip -= 1
        return Trouble()

    def _body(self, near, far, asked, trouble):
        places = sorted(p for p in (trouble.cut_at, trouble.hold_at) if p is not None)
        size = int(asked.answer.get("content-length", 0))
        damage_at = size - 1 if trouble.damage_at == END else trouble.damage_at
        for piece in far.pieces(size):
            while piece:
                # A place in the middle of it is where one piece ends and the next begins.
                room = min((p - asked.body for p in places if p > asked.body), default=len(piece))
                now, piece = piece[:room], piece[room:]
                if damage_at is not None and 0 <= damage_at - asked.body < len(now):
                    at = damage_at - asked.body
                    now = now[:at] + bytes([now[at] ^ 0xFF]) + now[at + 1:]
                asked.body += len(now)
                near.send(now)
                if asked.body == trouble.hold_at:
                    trouble.go.wait()
                if asked.body == trouble.cut_at:
                    if trouble.by_reset:
                        near.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    raise Ended()
                if trouble.bytes_per_s:
                    time.sleep(len(now) / trouble.bytes_per_s)

