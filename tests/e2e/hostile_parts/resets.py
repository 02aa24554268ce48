"""Connections that are reset: before, in the middle of and behind a request, while an answer or a file is under way."""
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


def run(port, count, download):
    """So many resets, from a few threads, every moment in turns."""
    ways = moments(download)

    def reset_some(first):
        for number in range(first, count, THREADS):
            wire = Wire(port)
            ways[number % len(ways)](wire)
            wire.reset()

    for some in [Meanwhile(reset_some, first) for first in range(THREADS)]:
        some.result()
