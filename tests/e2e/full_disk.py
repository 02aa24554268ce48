"""The disk fills up: the service answers 503 to what would write, serves what it has, and goes on by itself when there is room."""
import contextlib
import glob
import os
import shutil
import subprocess
import tempfile
import threading

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


def uploads_share_no_room(service, directory, keep_free):
    """As many large uploads at once as would fill the disk: some are refused, and what is kept free stays so."""
    room = shutil.disk_usage(directory).free - keep_free
    size, lowest, statuses = room * 2 // 5, [], []

    def upload(number):
        statuses.append(service.upload(bytes([number]) * size, metadata(f"2.0.{number}")).status)
    if size > DISK:
        return                                # not a disk of its own
    threads = [threading.Thread(target=upload, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        lowest.append(shutil.disk_usage(directory).free)
        threads[0].join(0.01)
        threads[-1].join(0.01)
    assert sorted(set(statuses)) == [201, 503], statuses
    assert min(lowest) >= keep_free - DISK // 50, (min(lowest), keep_free)


def fill(directory, keep_free):
    """Leaves too little on the disk."""
    too_few = keep_free - min(keep_free, SPARE) // 2
    with tempfile.NamedTemporaryFile("wb", dir=directory, prefix="filler-", delete=False) as file:
        os.posix_fallocate(file.fileno(), 0, max(1, shutil.disk_usage(directory).free - too_few))


def run(directory, keep_free):
    service = Service(directory, "--log.keep_free", str(keep_free)).start()
    assert service.call("GET", "/DEFAULT/controller/v1/d1").status == 200
    firmware = service.upload(b"bytes", metadata("1.0.0"))
    assert firmware.status == 201, firmware.text
    known = service.call("PUT", BASE + "/devices/d2", {"attributes": {"device_model": "SF-100", "firmware_version": "0.9.0"}})
    assert known.status == 201, known.text
    asked = {"name": "c", "firmware_id": firmware.json["firmware_id"], "target_devices": ["d2"]}
    campaign = service.post("/campaigns", asked, 201)["campaign_id"]
    service.post(f"/campaigns/{campaign}/start")
    head = service.get("/audit/events?limit=1")["head"]

    fill(directory, keep_free)
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

    # It starts with a full disk, too, and has what was going on.
    service.stop()
    fill(directory, keep_free)                # what it had set aside for itself is free again
    service.start()
    assert service.call("GET", "/health/detailed").status == 503
    assert service.get(f"/campaigns/{campaign}")["status"] == "in_progress"
    for filler in glob.glob(os.path.join(directory, "filler-*")):
        os.remove(filler)
    wait_for("there is room again", lambda: service.call("GET", "/health/detailed").status == 200)
    assert service.upload(b"more", metadata("1.0.1")).status == 201
    assert service.call("GET", "/DEFAULT/controller/v1/new").status == 200
    offered = service.call("GET", "/DEFAULT/controller/v1/d2").json
    assert "deploymentBase" in offered["_links"], offered
    uploads_share_no_room(service, directory, keep_free)
    service.stop()


def main():
    os.environ["no_proxy"] = "127.0.0.1"
    with disk() as place:
        run(*place)
    print("a full disk stops what writes, and nothing else")


if __name__ == "__main__":
    main()
