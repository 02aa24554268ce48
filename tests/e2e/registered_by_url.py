"""Firmware whose bytes are held elsewhere: a campaign waits for them, and no kill loses them or brings them twice.

The source is a small server of this test; it can hold back the second half of a file until it is told otherwise.
"""
import hashlib
import http.server
import os
import subprocess
import threading

from support import BIN, Stage, metadata, wait_for

CONTENT = os.urandom(3_000_000)
HALF = len(CONTENT) // 2
# From the first piece of the file to the answer of the firmware's actor; the first append of such a life is about its content.
PLACES = ["fetch.bytes:1", "fetch.bytes:5", "fetch.before_commit:1", "fetch.before_record:1", "journal.before_write:1",
          "journal.after_write:1", "journal.before_tails:1", "actors.before_delivery:1", "actors.before_reply:1"]


class Source:
    """Answers every path with CONTENT, or the part of it that was asked for."""

    def __init__(self):
        self.released = threading.Event()
        self.ranges = []
        source = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                source.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.url = f"http://127.0.0.1:{self.server.server_port}/frames/frame-2.0.0.bin"

    def answer(self, handler):
        asked = handler.headers.get("Range")
        self.ranges.append(asked)
        begin = int(asked.split("=")[1].rstrip("-")) if asked else 0
        handler.close_connection = True
        handler.send_response(206 if asked else 200)
        handler.send_header("Content-Length", str(len(CONTENT) - begin))
        if asked:
            handler.send_header("Content-Range", f"bytes {begin}-{len(CONTENT) - 1}/{len(CONTENT)}")
        handler.send_header("Connection", "close")
        handler.end_headers()
        try:
            handler.wfile.write(CONTENT[begin:max(begin, HALF)])
            handler.wfile.flush()
            self.released.wait()
            handler.wfile.write(CONTENT[max(begin, HALF):])
        except OSError:
            pass  # the service was killed: that is what the test is about

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def by_url(url, version="2.0.0", **more):
    return {**metadata(version), "file_url": url, "file_size": len(CONTENT),
            "checksum_sha256": hashlib.sha256(CONTENT).hexdigest(), **more}


def offered(service, device):
    links = service.call("GET", f"/DEFAULT/controller/v1/{device}").json.get("_links", {})
    return links.get("deploymentBase", {}).get("href")


def closed_gate(service, device):
    for update in service.get(f"/devices/{device}/why")["updates"]:
        for gate in update["gates"]:
            if not gate["open"]:
                return gate["gate"], gate["fact"]
    return None


def stored_files(service):
    return [os.path.join(folder, name) for folder, _, names in os.walk(os.path.join(service.data, "artifacts"))
            for name in names]


def check_brought_once(service, firmware):
    wait_for("the content is here", lambda: service.get(f"/firmware/{firmware}")["content"] == "here", 60)
    row = service.get(f"/firmware/{firmware}")
    assert row["content_error"] is None and row["content_received"] == len(CONTENT), row
    assert row["checksum_md5"] == hashlib.md5(CONTENT).hexdigest(), row
    names = [event["type"] for event in service.events() if event["stream"] == f"firmware:{firmware}"]
    assert names == ["firmware.registered", "firmware.content_stored"], names
    assert [os.path.basename(path) for path in stored_files(service)] == [hashlib.sha256(CONTENT).hexdigest()]


def a_campaign_waits():
    """And goes on by itself; the service is killed while half of the file is here."""
    with Source() as source, Stage("--ddi.sleep", "1s") as stage:
        service = stage.service
        firmware = service.post("/firmware", by_url(source.url), status=201)["firmware_id"]
        assert offered(service, "frame-1") is None
        campaign = service.post("/campaigns", {"name": "by url", "firmware_id": firmware, "target_devices": ["frame-1"]},
                                status=201)["campaign_id"]
        service.post(f"/campaigns/{campaign}/start")
        wait_for("half of it is here", lambda: service.get(f"/firmware/{firmware}")["content_received"] >= HALF)
        assert offered(service, "frame-1") is None
        gate, fact = closed_gate(service, "frame-1")
        assert gate == "content" and source.url in fact, (gate, fact)
        early = service.call("GET", f"/api/v1/ota/firmware/{firmware}/content")
        assert early.status == 503 and int(early.headers["Retry-After"]) >= 1, (early.status, early.text)

        service.kill()
        service.start()
        wait_for("it is asked for once more", lambda: len(source.ranges) == 2)
        assert source.ranges == [None, f"bytes={HALF}-"], source.ranges
        assert offered(service, "frame-1") is None
        source.released.set()
        check_brought_once(service, firmware)
        href = wait_for("the device is offered its update", lambda: offered(service, "frame-1"))
        path = href[len(service.url):].split("?")[0]
        deployment = service.call("GET", path).json["deployment"]
        artifact = deployment["chunks"][0]["artifacts"][0]
        assert artifact["filename"] == "frame-2.0.0.bin" and artifact["size"] == len(CONTENT), artifact
        assert artifact["hashes"]["sha256"] == hashlib.sha256(CONTENT).hexdigest(), artifact
        service.stop()


def killed_at(place):
    with Source() as source, Stage("--firmware.fetch", "off") as stage:
        source.released.set()
        service = stage.service
        firmware = service.post("/firmware", by_url(source.url), status=201)["firmware_id"]
        row = service.get(f"/firmware/{firmware}")
        assert row["content"] == "pending" and "switched off" in row["content_error"], row
        service.stop()
        service.settings = []
        service.start(wait=False, environment={"OTA_FAULT": place})
        wait_for(f"the service dies of {place}", service.died)
        service.start()
        check_brought_once(service, firmware)
        service.stop()


def operators_see_it():
    """otactl registers and shows; other bytes are final, and a file that stays elsewhere is never asked for."""
    with Source() as source, Stage() as stage:
        service = stage.service
        source.released.set()

        def otactl(*arguments):
            done = subprocess.run([os.path.join(BIN, "otactl"), "--server", service.url, "firmware", *arguments], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=60)
            assert done.returncode == 0, done.stdout
            return done.stdout

        def register(version, sha256, *more):
            shown = otactl("register", "--url", source.url, "--size", str(len(CONTENT)), "--sha256", sha256, "--name", "Frame",
                           "--version", version, "--model", "SF-100", "--manufacturer", "Acme", *more)
            assert "registered" in shown and source.url in shown, shown
            return next(line.split()[-1] for line in shown.splitlines() if line.startswith("firmware"))

        wrong = register("2.0.0", "ab" * 32)
        wait_for("the mismatch is shown", lambda: "SHA256 checksum mismatch" in otactl("show", wrong), 60)
        assert wrong in otactl("list", "--content", "failed")
        assert service.call("GET", f"/api/v1/ota/firmware/{wrong}/content").status == 409
        asked = len(source.ranges)
        elsewhere = register("3.0.0", hashlib.sha256(CONTENT).hexdigest(), "--no-fetch")
        right = register("4.0.0", hashlib.sha256(CONTENT).hexdigest())
        wait_for("the right one is here", lambda: service.get(f"/firmware/{right}")["content"] == "here", 60)
        assert service.get(f"/firmware/{elsewhere}")["content"] == "pending" and len(source.ranges) == asked + 1
        sources = service.call("GET", "/health/detailed").json["dependencies"]["firmware_sources"]
        assert sources["fetched"] == "1" and "SHA256 checksum mismatch" in sources["last_error"], sources
        service.stop()


def main():
    os.environ["no_proxy"] = "127.0.0.1"
    a_campaign_waits()
    for place in PLACES:
        killed_at(place)
    operators_see_it()
    print(f"bytes from elsewhere arrive once, killed at {len(PLACES)} places or not")


if __name__ == "__main__":
    main()
