"""How otad starts and does not start.

Exit codes, a taken port, the bus, bytes that nobody needs, and what the demonstration takes for its own.
"""
import http.server
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

from support import BIN, Service, metadata

ROOT = os.environ.get("OTA_SOURCE") or os.path.join(os.path.dirname(__file__), "..", "..")


def run(*command, **more):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, timeout=120, **more)
    return done.returncode, done.stdout


def otad(*arguments):
    return run(os.path.join(BIN, "otad"), *arguments)


def exit_codes(place):
    code, text = otad("--porrt", "1")
    assert code == 2 and "porrt" in text, (code, text)
    code, text = otad("--port", "70000")
    assert code == 2 and "70000" in text, (code, text)
    code, text = otad("--config", os.path.join(place, "not-there.toml"))
    assert code == 2 and "not-there.toml" in text, (code, text)
    code, text = otad("port", "1")
    assert code == 2, (code, text)
    code, text = otad("--port", "0", "--data", "/proc/nowhere")
    assert code == 1, (code, text)


def bus_behind_the_door(place):
    """A service that cannot open its door has told nobody that it is there."""
    anywhere = ("127.0.0.1", 0)
    with socket.create_server(anywhere) as taken, socket.create_server(anywhere) as bus:
        bus.setblocking(False)
        code, text = otad("--port", str(taken.getsockname()[1]),
                          "--data", os.path.join(place, "taken"),
                          "--nats.url", f"nats://127.0.0.1:{bus.getsockname()[1]}")
        assert code == 1 and "Cannot listen on 127.0.0.1" in text, (code, text)
        try:
            bus.accept()
        except BlockingIOError:
            return
        raise AssertionError("the bus was spoken to before the door was open")


def swept_at_start(place):
    """Bytes that nothing refers to go when they are a day old; those of a firmware stay."""
    service = Service(place)
    service.start()
    content = b"some firmware"
    assert service.upload(content, metadata("1.0.0")).status == 201
    # Refused: its bytes are gone at once, without a restart.
    assert service.upload(b"other bytes", metadata("1.0.0")).status == 409
    shelves = os.path.join(service.data, "artifacts")
    stored = lambda: [os.path.join(folder, name) for folder, _, names in os.walk(shelves)
                      for name in names]
    assert len(stored()) == 1, stored()
    service.stop()
    orphan = os.path.join(shelves, "ab", "ab" * 32)
    os.makedirs(os.path.dirname(orphan), exist_ok=True)
    with open(orphan, "wb") as bytes_of_nobody:
        bytes_of_nobody.write(b"x")
    for path in stored():
        os.utime(path, (1, 1))
    service.start()
    assert len(stored()) == 1 and orphan not in stored(), stored()
    service.stop()


def remembers_who_was_here(place):
    """Over a clean stop, not over a crash: then nothing is known of the time before (design 6)."""
    service = Service(place)
    service.start()
    service.call("GET", "/DEFAULT/controller/v1/here-1")
    before = service.get("/devices/here-1")
    assert before["last_seen"] and before["address"], before
    service.stop()
    service.start()
    after = service.get("/devices/here-1")
    assert [after[k] for k in ("last_seen", "address", "last_seen_since")] == \
           [before[k] for k in ("last_seen", "address", "last_seen_since")], (before, after)
    service.kill()
    service.start()
    lost = service.get("/devices/here-1")
    assert lost["last_seen"] is None and lost["last_seen_since"] > before["last_seen_since"], lost
    service.stop()


class Stranger(http.server.BaseHTTPRequestHandler):
    """Somebody else's service on the port: healthy, and not to be touched."""
    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET

    def log_message(self, *_):
        pass


def demonstration_of_its_own(place):
    """On a port that is taken the demonstration ends with an error, whoever answers there."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as stranger:
        thread = threading.Thread(target=stranger.serve_forever)
        thread.start()
        try:
            code, text = run(sys.executable, os.path.join(ROOT, "tools", "lib", "demo.py"),
                             "--port", str(stranger.server_port), "--bin", BIN, "--once",
                             env={**os.environ, "TMPDIR": place})
        finally:
            stranger.shutdown()
            thread.join()
    assert code == 1 and "the service did not start" in text, (code, text)
    assert "Cannot listen" in text, text
    assert not Stranger.asked, Stranger.asked


def main():
    place = tempfile.mkdtemp(prefix="ota-start-")
    exit_codes(place)
    bus_behind_the_door(place)
    swept_at_start(place)
    remembers_who_was_here(place)
    demonstration_of_its_own(place)
    shutil.rmtree(place)
    print("it starts as it should, or says why not")


if __name__ == "__main__":
    main()
