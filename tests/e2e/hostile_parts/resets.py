"""Connections that are reset: before, in the middle of and behind a request, while an answer or a file is under way; and
the same while TLS is being agreed on, and behind it.
"""
import ssl

from .meanwhile import Meanwhile
from .messages import API, JSON, POLL
from .wire import Wire, request

THREADS = 4
FORM = "Content-Type: multipart/form-data; boundary=b"
UPLOAD = request("POST", f"{API}/firmware", FORM, "Content-Length: 200000") + (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.bin"\r\n\r\n' + bytes(50_000))
REPORT = request("PUT", f"{POLL}/configData", JSON, body=b'{"mode":"merge","data":{"site":"north"}}')


def moments(download):
    """What a client does before its connection is reset, each a way of its own."""
    poll = request("GET", POLL)
    half = len(poll) // 2

    def read_some(wire):
        wire.send(request("GET", download))
        wire.socket.recv(1000)

    def read_the_answer(wire):
        wire.send(poll)
        assert wire.answer().status == 200

    def half_closed(wire):
        wire.send(poll)
        wire.finish_sending()

    return [
        lambda wire: None,
        lambda wire: wire.send(poll[:half]),
        lambda wire: wire.send(poll),
        lambda wire: wire.send(poll * 20),
        lambda wire: wire.send(REPORT[:-5]),
        lambda wire: wire.send(REPORT),
        lambda wire: wire.send(UPLOAD),
        lambda wire: wire.send(request("GET", download)),
        read_some,
        read_the_answer,
        half_closed,
    ]


def moments_over_tls():
    """Those that a client of TLS has besides."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE      # it does not care
    poll = request("GET", POLL)

    def greeting():
        heard, said = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            context.wrap_bio(heard, said).do_handshake()
        except ssl.SSLWantReadError:
            return said.read()

    def greet(wire):
        wire.socket = context.wrap_socket(wire.socket)

    def ask(wire):
        greet(wire)
        wire.send(poll)

    def read_the_answer(wire):
        ask(wire)
        assert wire.answer().status == 200

    return [
        lambda wire: None,
        lambda wire: wire.send(greeting()[:100]),
        lambda wire: wire.send(greeting()),
        greet,
        ask,
        read_the_answer,
    ]


def run(port, tls_port, count, download):
    """So many resets, from a few threads, every moment in turns."""
    ways = [(port, moment) for moment in moments(download)] + [(tls_port, moment) for moment in moments_over_tls()]

    def reset_some(first):
        for number in range(first, count, THREADS):
            where, moment = ways[number % len(ways)]
            wire = Wire(where)
            moment(wire)
            wire.reset()

    for some in [Meanwhile(reset_some, first) for first in range(THREADS)]:
        some.result()
