"""Messages one by one: what is no HTTP, or HTTP that could be read in two ways, or too much of it, and what each must
be answered. Behind a refusal the connection ends: nothing that follows may pass for a request.
"""
from support import wait_for

from .wire import Wire, request

API = "/api/v1/ota"
DDI = "/DEFAULT/controller/v1"
POLL = f"{DDI}/odd-1"
THING = f"{API}/devices/odd-2"                   # takes a body of up to 1 MB, of JSON
JSON = "Content-Type: application/json"
LENGTH_MAX = 1024 * 1024
SMUGGLED = request("GET", f"{DDI}/smuggled")     # must never be carried out


def head(line, *fields):
    return "\r\n".join([line, *fields]).encode("latin-1") + b"\r\n\r\n"


def get(*fields, target=POLL):
    return request("GET", target, *fields)


def chunked(body, *fields):
    return request("PUT", THING, JSON, "Transfer-Encoding: chunked", *fields) + body


REQUEST_LINES = [
    ("no words", head("nonsense", "Host: h"), 400),
    ("HTTP/0.9", head(f"GET {POLL}", "Host: h"), 400),
    ("two spaces", head(f"GET  {POLL} HTTP/1.1", "Host: h"), 400),
    ("a space in the target", head(f"GET {POLL} x HTTP/1.1", "Host: h"), 400),
    ("a space behind the version", head(f"GET {POLL} HTTP/1.1 ", "Host: h"), 400),
    ("a tab for a space", head(f"GET\t{POLL}\tHTTP/1.1", "Host: h"), 400),
    ("a method in small letters", head(f"get {POLL} HTTP/1.1", "Host: h"), 501),
    ("an unknown method", head(f"BREW {POLL} HTTP/1.1", "Host: h"), 501),
    ("CONNECT", head("CONNECT h:443 HTTP/1.1", "Host: h"), 501),
    ("TRACE", head(f"TRACE {POLL} HTTP/1.1", "Host: h"), 501),
    ("a method that is no word", head(f"G@T {POLL} HTTP/1.1", "Host: h"), 400),
    ("HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 501),
    ("HTTP/2.0", head(f"GET {POLL} HTTP/2.0", "Host: h"), 505),
    ("HTTP/1.2", head(f"GET {POLL} HTTP/1.2", "Host: h"), 505),
    ("HTTP/1.10", head(f"GET {POLL} HTTP/1.10", "Host: h"), 505),
    ("another protocol's name", head(f"GET {POLL} RTSP/1.0", "Host: h"), 400),
    ("no slash", get(target="health"), 400),
    ("no slash, a device's", get(target=POLL[1:]), 400),
    ("a star that is no OPTIONS", get(target="*"), 400),
    ("another scheme", get(target="ftp://h/health"), 400),
    ("no scheme", get(target="://h/health"), 400),
    ("no host", get(target="http:///health"), 400),
    ("a user in the host", get(target="http://u@h/health"), 400),
    ("NUL in the target", get(target=POLL + "\0"), 400),
    ("LF in the target", get(target=POLL + "\n"), 400),
    ("NUL for a method", b"\0" + get(), 400),
    ("a target of 8,193 bytes", get(target="/" + "x" * 8192), 414),
    ("a target of 20,000 bytes", get(target="/" + "x" * 20_000), 414),
    ("a target without end", b"GET /" + b"x" * 200_000, 414),
]

FIELDS = [
    ("no Host", head(f"GET {POLL} HTTP/1.1"), 400),
    ("two Hosts", get("Host: h"), 400),
    ("a Host that is none", head(f"GET {POLL} HTTP/1.1", 'Host: a"b'), 400),
    ("a space before the colon", get("X : y"), 400),
    ("no colon", get("X y"), 400),
    ("no name", get(": y"), 400),
    ("a folded line", get("X: a", " b"), 400),
    ("a folded first line", head(f"GET {POLL} HTTP/1.1", " X: a", "Host: h"), 400),
    ("bare LF between fields", get("X: a\nY: b"), 400),
    ("bare CR in a value", get("X: a\rb"), 400),
    ("NUL in a value", get("X: a\0b"), 400),
    ("NUL in a name", get("X\0: b"), 400),
    ("DEL in a value", get("X: a\x7fb"), 400),
    ("100 further fields", get(*[f"X{i}: y" for i in range(100)]), 431),
    ("a field of 16 KB", get("X: " + "y" * 16_384), 431),
    ("fields without end", f"GET {POLL} HTTP/1.1\r\nHost: h\r\n".encode() + b"X: y\r\n" * 40_000, 431),
    ("expects miracles", get("Expect: miracles"), 417),
    ("bare LFs alone", f"GET {POLL} HTTP/1.1\nHost: h\n\n".encode(), 400),
    ("bare LFs, and nothing more", f"GET {POLL} HTTP/1.1\n".encode(), 400),
]

OTHER_PROTOCOLS = [
    ("TLS", bytes.fromhex("16030100c5010000c10303") + bytes(range(1, 187)), 400),
    ("bytes", bytes(range(128, 256)), 400),
    ("zeros", bytes(5_000), 400),
    ("SOCKS", b"\x05\x01\x00", 400),
    ("MQTT", b"\x10\x10\x00\x04MQTT\x04\x02\x00<\x00\x04pump", 400),
    ("SMTP's end of line", b"EHLO h\n", 400),
]

LENGTHS = [
    ("two lengths", request("PUT", THING, JSON, "Content-Length: 2", "Content-Length: 3") + b"{} ", 400),
    ("a list of lengths", request("PUT", THING, JSON, "Content-Length: 2, 2") + b"{}", 400),
    ("a plus", request("PUT", THING, JSON, "Content-Length: +2") + b"{}", 400),
    ("a minus", request("PUT", THING, JSON, "Content-Length: -2") + b"{}", 400),
    ("hexadecimal", request("PUT", THING, JSON, "Content-Length: 0x2") + b"{}", 400),
    ("a fraction", request("PUT", THING, JSON, "Content-Length: 2.0") + b"{}", 400),
    ("no digits", request("PUT", THING, JSON, "Content-Length:") + b"{}", 400),
    ("more than 64 bits", request("PUT", THING, JSON, "Content-Length: 18446744073709551616"), 400),
    ("all of 64 bits", request("PUT", THING, JSON, "Content-Length: 18446744073709551615"), 413),
    ("a byte too many", request("PUT", THING, JSON, f"Content-Length: {LENGTH_MAX + 1}"), 413),
    ("a byte too many, announced", request("PUT", THING, JSON, f"Content-Length: {LENGTH_MAX + 1}",
                                           "Expect: 100-continue"), 413),
    ("a device's, too large", request("PUT", POLL + "/configData", JSON, f"Content-Length: {LENGTH_MAX + 1}"), 413),
]

CODINGS = [
    ("both lengths, chunked", chunked(b"0\r\n\r\n", "Content-Length: 5") + SMUGGLED, 400),
    ("both lengths, the other way", request("PUT", THING, JSON, "Content-Length: 5", "Transfer-Encoding: chunked")
     + b"0\r\n\r\n" + SMUGGLED, 400),
    ("chunked in HTTP/1.0", head(f"PUT {THING} HTTP/1.0", JSON, "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
    ("gzip", request("PUT", THING, JSON, "Transfer-Encoding: gzip"), 501),
    ("gzip, chunked", request("PUT", THING, JSON, "Transfer-Encoding: gzip, chunked"), 501),
    ("xchunked", request("PUT", THING, JSON, "Transfer-Encoding: xchunked"), 501),
    ("chunked twice", chunked(b"", "Transfer-Encoding: chunked"), 501),
    ("chunked behind a vertical tab", request("PUT", THING, JSON, "Transfer-Encoding: \x0bchunked"), 400),
    ("chunked before a space and a colon", request("PUT", THING, JSON, "Transfer-Encoding : chunked"), 400),
    ("no size", chunked(b"\r\n" + SMUGGLED), 400),
    ("a word for a size", chunked(b"two\r\n{}\r\n0\r\n\r\n"), 400),
    ("a size with 0x", chunked(b"0x2\r\n{}\r\n0\r\n\r\n"), 400),
    ("a negative size", chunked(b"-2\r\n{}\r\n0\r\n\r\n"), 400),
    ("two sizes", chunked(b"2 2\r\n{}\r\n0\r\n\r\n"), 400),
    ("a size of more than 64 bits", chunked(b"10000000000000002\r\n{}\r\n0\r\n\r\n"), 400),
    ("a size without end", chunked(b"1" * 300), 400),
    ("an extension without end", chunked(b"2;" + b"x" * 300), 400),
    ("bare LF behind a size", chunked(b"2\n{}\r\n0\r\n\r\n"), 400),
    ("bare LF in an extension", chunked(b"2;x\ny\r\n{}\r\n0\r\n\r\n"), 400),
    ("more than the size says", chunked(b"2\r\n{}}\r\n0\r\n\r\n" + SMUGGLED), 400),
    ("bare LF behind a chunk", chunked(b"2\r\n{}\n0\r\n\r\n"), 400),
    ("bare LF in a trailer", chunked(b"2\r\n{}\r\n0\r\nX: y\n\n" + SMUGGLED), 400),
    ("a trailer that is none", chunked(b"2\r\n{}\r\n0\r\nXY\r\n\r\n"), 400),
    ("trailers without end", chunked(b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 5_000), 400),
    ("chunks of 2 MB", chunked(b"100000\r\n" + b" " * 0x100000 + b"\r\n100000\r\n" + b" " * 0x100000), 413),
]

CUT_OFF = [                                      # the client has finished sending before the end of what it announced
    ("a body", request("PUT", THING, JSON, "Content-Length: 100") + b"{", 400),
    ("a large body", request("PUT", THING, JSON, "Content-Length: 100000") + b"{", 400),
    ("a chunk", chunked(b"FF\r\n{"), 400),
    ("a huge chunk", chunked(b"FFFFFFFFFFFFFFFF\r\n{"), 400),
    ("before the last chunk", chunked(b"2\r\n{}\r\n"), 400),
    ("a head", b"GET /he", None),                # nothing to answer: only closed
    ("a head without its empty line", f"GET {POLL} HTTP/1.1\r\nHost: h\r\n".encode(), None),
    ("nothing", b"", None),
]

PATHS = [                                        # HTTP as it should be, but nothing that is there; the connection stays
    ("no route", "/nothing", 404),
    ("two slashes", "//health", 404),
    ("up and down again", "/x/../health", 404),
    ("encoded dots", "/%2e%2e/health", 404),
    ("an encoded slash", f"{DDI}%2Fodd-1", 404),
    ("33 segments", "/x" * 33, 404),
    ("a broken escape", f"{DDI}/a%zz", 400),
    ("an encoded NUL", f"{DDI}/a%00b", 400),
    ("no UTF-8", f"{DDI}/a%ff", 400),
    ("an id of 257 characters", f"{DDI}/" + "a" * 257, 400),
    ("an administrator's broken escape", f"{API}/devices/a%zz", 422),
    ("another tenant", "/OTHER/controller/v1/odd-1", 404),
]


def refused(port, name, data, status, finish=False):
    """Again, for as long as slow senders hold all places for bodies: then a body is not even looked at."""
    wait_for(f"there is a place for {name}", lambda: refused_once(port, name, data, status, finish))


def refused_once(port, name, data, status, finish):
    with Wire(port) as wire:
        wire.send(data)
        if finish:
            wire.finish_sending()
        answer = wire.answer()
        if answer and answer.status == 503 and b"waits for the bodies" in answer.body:
            return False
        assert (answer and answer.status) == status, (name, status, answer)
        assert not answer or answer.headers["connection"] == "close", (name, answer.headers)
        wire.finish_sending_quietly()
        assert wire.rest() == b"", (name, "answered behind the refusal", wire.unread[:300])
        return True


def run(port):
    """Everything above; how much that was."""
    cases = REQUEST_LINES + FIELDS + OTHER_PROTOCOLS + LENGTHS + CODINGS
    for name, data, status in cases:
        refused(port, name, data, status)
        if data.startswith((b"G", b"P")):        # behind a good one as well
            behind_a_good_one(port, name, data, status)
    for name, data, status in CUT_OFF:
        refused(port, name, data, status, finish=True)
    with Wire(port) as wire:
        for name, path, status in PATHS:
            wire.send(request("GET", path))
            answer = wire.answer()
            assert answer and answer.status == status, (name, status, answer)
        wire.send(get())
        assert wire.answer().status == 200
    return len(cases) + len(CUT_OFF) + len(PATHS)


def behind_a_good_one(port, name, data, status):
    wait_for(f"there is a place for {name}", lambda: behind_a_good_one_once(port, name, data, status))


def behind_a_good_one_once(port, name, data, status):
    with Wire(port) as wire:
        wire.send(get() + data)
        first, second = wire.answer(), wire.answer()
        if second and second.status == 503 and b"waits for the bodies" in second.body:
            return False
        assert first.status == 200 and second and second.status == status, (name, first, second)
        wire.finish_sending_quietly()
        assert wire.rest() == b"", name
        return True
