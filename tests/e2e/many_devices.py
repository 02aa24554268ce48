"""Many devices at once, as an operator asks for them: files with good and bad lines, updates of thousands, an end in the middle."""
import os
import socket
import subprocess
import urllib.error

from support import BASE, BIN, Stage, metadata, wait_for

DEVICES = 3_000
HEADER = "device_id,device_model,firmware_version,groups"


def otactl(service, *arguments, code=0, text=None):
    done = subprocess.run([os.path.join(BIN, "otactl"), "--server", service.url, *arguments], input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=300)
    assert done.returncode == code, (arguments, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout + done.stderr


def write(directory, name, lines):
    path = os.path.join(directory, name)
    with open(path, "w", encoding="utf-8") as text:
        text.write("\n".join(lines) + "\n")
    return path


def check_import(service, directory):
    good = write(directory, "fleet.csv", [HEADER] + [f"d-{i},SF-100,1.0.0,g{i % 3}" for i in range(DEVICES)])
    assert f"{DEVICES} lines: {DEVICES} registered" in otactl(service, "device", "import", good)
    assert f"{DEVICES} unchanged" in otactl(service, "device", "import", good)
    bad = write(directory, "bad.csv", [HEADER, "d-0,SF-100,1.0.1,", "too,few", f"d-1,{'x' * 200},,", '"open,,,', "new,,,"])
    report = otactl(service, "device", "import", bad, code=1)
    assert "5 lines: 1 registered, 1 changed, 0 unchanged, 0 returned, 3 failed" in report, report
    for told in ("line 3: has 2 fields", "line 4, device_model: must have at most 128 characters", "line 5: opens a quote"):
        assert told in report, (told, report)
    lines = write(directory, "more.jsonl", ['{"device_id":"j-1","attributes":{"site":"ams"}}', "{", '{"device_id":"j-2"}'])
    assert "2 registered" in otactl(service, "device", "import", lines, code=1)
    refused = otactl(service, "device", "import", write(directory, "header.csv", ["device_id,colour", "d,red"]), code=1)
    assert "'colour' is unknown" in refused, refused
    otactl(service, "device", "import", write(directory, "fleet.txt", ["device_id"]), code=2)
    otactl(service, "device", "import", os.path.join(directory, "fleet.txt"), "--format", "csv")
    assert len(service.pages("/devices?group=g1", "devices")) == DEVICES // 3


def check_size_limit(service):
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.sendall(f"POST {BASE}/devices/import HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
                           f"Content-Length: {1 << 31}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def check_bulk_update(service, directory, firmware):
    ids = write(directory, "ids.txt", ["d-10", "", "d-11"])
    fine = otactl(service, "device", "bulk-update", "--firmware", firmware, "--devices-file", ids, "d-12")
    assert "3 updates requested" in fine and "d-11" in fine, fine
    some = otactl(service, "device", "bulk-update", "--firmware", firmware, "d-10", "d-13", "nobody", code=1)
    assert "Duplicate: device d-10 already has a pending update" in some, some
    assert "NotFound: Device not found: nobody" in some and "1 update requested, 2 of 3 devices failed" in some, some
    otactl(service, "device", "bulk-update", "--firmware", firmware, code=2)
    otactl(service, "device", "bulk-update", "--firmware", firmware, "--devices-file", "-", text="d-14\nd-15\n")


def requested(service):
    """The update that each device was asked for, from the log; no device twice."""
    found = {}
    for event in service.events():
        if event["type"] != "update.requested":
            continue
        device = next(tag for tag in event["tags"] if tag.startswith("device:")).removeprefix("device:")
        assert device not in found, f"{device} was asked twice: {found[device]}, {event['stream']}"
        found[device] = event["stream"].removeprefix("update:")
    return found


def check_end_in_the_middle(service):
    firmware = service.upload(b"another", metadata("3.0.0")).json["firmware_id"]
    before = set(requested(service))
    devices = [f"d-{i}" for i in range(100, DEVICES)]
    path, key = "/devices/bulk/update", {"Idempotency-Key": "killed"}
    body = {"device_ids": devices, "firmware_id": firmware}
    service.stop()
    service.start(environment={"OTA_FAULT": "journal.after_write:4"})
    try:
        answer = service.call("POST", BASE + path, body, key)
        raise AssertionError(f"answered {answer.status}, and should have died")
    except (OSError, urllib.error.URLError):
        wait_for("the service is gone", service.died)
    service.start()
    done = {device: update for device, update in requested(service).items() if device not in before}
    assert 0 < len(done) < len(devices), len(done)
    assert service.call("POST", BASE + path, {**body, "device_ids": ["d-1"]}, key).status == 422
    first = service.post(path, body, headers=key)["results"]
    assert [result["device_id"] for result in first] == devices and all(result["success"] for result in first)
    updates = {result["device_id"]: result["update_id"] for result in first}
    assert {device: updates[device] for device in done} == done, "what was done before the end got another update"
    assert service.post(path, body, headers=key)["results"] == first
    after = requested(service)
    assert all(after[device] == update for device, update in updates.items()) and len(after) == len(before) + len(devices)
    return len(done)


def main():
    with Stage() as stage:
        service = stage.service
        check_import(service, stage.directory)
        check_size_limit(service)
        firmware = service.upload(b"new", metadata("2.0.0")).json["firmware_id"]
        check_bulk_update(service, stage.directory, firmware)
        done = check_end_in_the_middle(service)
        service.stop()
        print(f"{DEVICES} devices imported; {done} of {DEVICES - 100} updates were requested before the end, each once behind it")


if __name__ == "__main__":
    main()
