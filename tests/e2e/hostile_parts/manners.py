"""What is unusual and right: it must be answered as if it were usual, and the next request on the connection too."""
from .messages import DDI, JSON, POLL, SMUGGLED, THING, chunked, get, head
from .wire import Wire, request

AHEAD = 50                                       # requests in one packet


def statuses(port, data, *wanted, to_head=False):
    """Sends all of it, reads the answers that are wanted, and sees that one more poll is answered and nothing else."""
    with Wire(port) as wire:
        wire.send(data)
        for status in wanted:
            answer = wire.answer(to_head)
            assert answer and answer.status == status, (data[:200], status, answer)
        wire.send(get("X-Request-Id: the-next"))
        assert wire.answer().headers["x-request-id"] == "the-next", data[:200]
        wire.finish_sending()
        assert wire.rest() == b"", data[:200]
        return answer


def forms(port):
    statuses(port, get(target="http://other.example:80" + POLL), 200)
    statuses(port, get(target="https://h" + POLL), 200)
    statuses(port, b"\r\n\r\n" + get(), 200)
    statuses(port, get("X:\ty\t "), 200)
    statuses(port, request("PUT", THING, JSON, "Content-Length: 2", "Content-Length: 2") + b"{}", 200)
    statuses(port, chunked(b"1 ; x=y\r\n{\r\n01\r\n}\r\n0\r\nX: y\r\n\r\n"), 200)
    # A body that nobody asked for is no request.
    statuses(port, request("GET", POLL, f"Content-Length: {len(SMUGGLED)}") + SMUGGLED, 200)
    # HEAD and OPTIONS.
    assert statuses(port, request("HEAD", "/health"), 200, to_head=True).headers["content-length"] != "0"
    assert "GET" in statuses(port, request("OPTIONS", "/health"), 204).headers["allow"]
    statuses(port, request("OPTIONS", "*"), 404)
    statuses(port, request("DELETE", "/health"), 405)


def expectations(port):
    put = lambda *fields: request("PUT", THING, JSON, "Content-Length: 2", *fields)
    with Wire(port) as wire:
        wire.send(put("Expect: 100-Continue"))
        assert wire.answer().status == 100
        wire.send(b"{}")
        assert wire.answer().status == 200
    statuses(port, put("Expect: 100-continue") + b"{}", 200)          # it did not wait: nothing to tell it
    statuses(port, get("Expect: 100-continue"), 200)                  # nothing to wait for
    large = b'{"attributes":{}}' + b" " * 50_000
    with Wire(port) as wire:                                          # a body that a handler reads
        wire.send(request("PUT", THING, JSON, f"Content-Length: {len(large)}", "Expect: 100-continue"))
        assert wire.answer().status == 100
        wire.send(large)
        assert wire.answer().status == 200
    with Wire(port) as wire:                                          # HTTP/1.0 does not know it
        wire.send(head(f"PUT {THING} HTTP/1.0", JSON, "Content-Length: 2", "Expect: 100-continue") + b"{}")
        assert wire.answer().status == 200 and wire.rest() == b""


def ends(port):
    """Who wants the connection to end sees it end, behind the answer."""
    for data in (get("Connection: close"), head(f"GET {POLL} HTTP/1.0"), get("Connection: keep-alive, Close")):
        with Wire(port) as wire:
            wire.send(data)
            assert wire.answer().status == 200 and wire.rest() == b"", data
    with Wire(port) as wire:
        wire.send(get())
        wire.finish_sending()
        assert wire.answer().status == 200 and wire.rest() == b""


def byte_by_byte(port):
    with Wire(port) as wire:
        for data in (get(), chunked(b"2\r\n{}\r\n0\r\n\r\n"), request("PUT", THING, JSON, body=b"{}")):
            for at in range(len(data)):
                assert wire.send(data[at:at + 1])
            assert wire.answer().status == 200, data


def ahead(port, download):
    """Many requests in one packet: answers in order, each to its own request, a download among them."""
    size = len(fetched(port, download))
    kinds = [
        (lambda n: request("GET", f"{DDI}/ahead-{n}", f"X-Request-Id: {n}"), 200),
        (lambda n: request("PUT", THING, JSON, f"X-Request-Id: {n}", body=b"{}"), 200),
        (lambda n: request("GET", "/nothing", f"X-Request-Id: {n}"), 404),
        (lambda n: request("GET", download, "Range: bytes=5-9", f"X-Request-Id: {n}"), 206),
        (lambda n: request("PUT", THING, JSON, "Transfer-Encoding: chunked", f"X-Request-Id: {n}")
         + b"2\r\n{}\r\n0\r\n\r\n", 200),
        (lambda n: request("GET", download, f"X-Request-Id: {n}"), 200),
    ]
    with Wire(port) as wire:
        wire.send(b"".join(kinds[n % len(kinds)][0](n) for n in range(AHEAD)))
        for n in range(AHEAD):
            answer = wire.answer()
            assert answer.headers["x-request-id"] == str(n), (n, answer.headers)
            assert answer.status == kinds[n % len(kinds)][1], (n, answer)
            if n % len(kinds) == 0:
                assert f"/ahead-{n}/".encode() in answer.body, answer
            if n % len(kinds) == 5:
                assert len(answer.body) == size, (n, len(answer.body))
    # One of them is none: those before it are answered, and nothing behind it.
    with Wire(port) as wire:
        wire.send(get() * 10 + head("nonsense", "Host: h") + SMUGGLED * 10)
        assert [wire.answer().status for _ in range(11)] == [200] * 10 + [400]
        wire.finish_sending_quietly()
        assert wire.rest() == b""


def fetched(port, path):
    with Wire(port) as wire:
        wire.send(request("GET", path))
        answer = wire.answer()
        assert answer.status == 200, answer
        return answer.body


def run(port, download):
    forms(port)
    expectations(port)
    ends(port)
    byte_by_byte(port)
    ahead(port, download)
