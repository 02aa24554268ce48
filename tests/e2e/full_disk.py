"""The disk fills up: the service answers 503 to what would write, serves what it has, and goes on by itself when there is room."""
import contextlib
import os
import shutil
import subprocess
import tempfile

from support import BASE, Service, metadata, wait_for

DISK = 300_000_000       # a small disk of its own, if this may be made here
SPARE = 3_000_000_000    # else: of the disk of all, beyond what is kept free


@contextlib.contextmanager
def disk():
    """A directory, and what is to be kept free of its disk."""
    with tempfile.TemporaryDirectory(prefix="ota-e2e-") as directory:
        small = os.path.join(directory, "disk")
        os.mkdir(small)
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", small], stderr=subprocess.DEVNULL, check=False)
        if made.returncode != 0:
            free = shutil.disk_usage(directory).free
            yield directory, free - min(SPARE, free // 4)
            return
        try:
            yield small, DISK // 3
        finally:
            subprocess.run(["umount", "--lazy", small], check=True)


def status(service, method, path, body=None):
    return service.call(method, BASE + path, body).status


def run(directory, keep_free):
    service = Service(directory, "--log.keep_free", str(keep_free)).start()
    assert service.call("GET", "/DEFAULT/controller/v1/d1").status == 200
    firmware = service.upload(b"bytes", metadata("1.0.0"))
    assert firmware.status == 201, firmware.text
    head = service.get("/audit/events?limit=1")["head"]

    filler = os.path.join(directory, "filler")
    with open(filler, "wb") as file:
        too_few = keep_free - min(keep_free, SPARE) // 2
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(directory).free - too_few)
    wait_for("the service sees it", lambda: service.call("GET", "/health/detailed").status == 503)
    log = service.call("GET", "/health/detailed").json["dependencies"]["log"]
    assert log["status"] == "full" and "is full" in log["disk"], log
    refused = service.call("PUT", BASE + "/devices/d1", {"attributes": {"site": "ams"}})
    assert refused.status == 503 and "nothing is written until there is room" in refused.text, refused.text
    assert refused.headers["Retry-After"], refused.headers
    assert service.upload(b"more", metadata("1.0.1")).status == 503
    assert service.call("GET", "/DEFAULT/controller/v1/d1").status == 200, "who needs nothing new is served"
    assert service.call("GET", "/DEFAULT/controller/v1/new").status == 503
    assert status(service, "GET", "/firmware") == 200 and status(service, "GET", "/audit/events") == 200
    assert service.get("/audit/events?limit=1")["head"] == head, "something was written"

    os.remove(filler)
    wait_for("there is room again", lambda: service.call("GET", "/health/detailed").status == 200)
    assert service.upload(b"more", metadata("1.0.1")).status == 201
    assert service.call("GET", "/DEFAULT/controller/v1/new").status == 200
    service.stop()


def main():
    os.environ["no_proxy"] = "127.0.0.1"
    with disk() as place:
        run(*place)
    print("a full disk stops what writes, and nothing else")


if __name__ == "__main__":
    main()
