"""What callers get wrong: a clear error that names the field and the value, and nothing is half done."""
import concurrent.futures
import hashlib
import http.client
import json
import os
import socket

from support import BASE, Stage, metadata, wait_for

LIMIT = 524_288_000
BOUNDARY = "e2eBoundary"
CREATIONS = 10


def fields(answer):
    return {".".join(str(part) for part in e["loc"][1:]): e for e in answer.json["detail"]}


def expect(answer, status, kind, *words):
    assert answer.status == status, (answer.status, answer.text)
    body = answer.json
    assert body["success"] is False and body["error"] == kind and body["status_code"] == status, body
    assert body["request_id"] == answer.headers["X-Request-Id"], body
    for word in words:
        assert word in answer.text, (word, answer.text)
    return answer


def stored_files(service):
    found = []
    for folder, _, files in os.walk(os.path.join(service.data, "artifacts")):
        found += [os.path.join(folder, f) for f in files]
    return [f for f in found if os.path.getsize(f) > 0]


def bad_campaigns(service, firmware):
    post = lambda body, **more: service.call("POST", BASE + "/campaigns", body, **more)
    expect(service.call("POST", BASE + "/campaigns", raw=b'{"name": "x", oops}'), 400, "BadRequest", "line 1, column 15")
    answer = expect(post({"firmware_id": firmware, "name": 7, "batch_size": 501, "max_concurrent_updates": 0,
                          "deployment_strategy": "yolo", "target_devices": "frame-1", "failure_threshold_percent": "20"}),
                    422, "ValidationError", "501", "yolo")
    assert {"name", "batch_size", "max_concurrent_updates", "deployment_strategy", "target_devices",
            "failure_threshold_percent"} <= set(fields(answer)), fields(answer)
    expect(post({"name": "x", "firmware_id": firmware}), 422, "ValidationError", "target_devices")
    expect(post({"name": "x", "firmware_id": "0" * 32, "target_devices": ["a"]}), 404, "NotFound", "Firmware not found")
    answer = expect(post({"name": "x", "firmware_id": firmware,
                          "target_filters": {"colour": "red", "firmware_version": {"about": "2"}}}), 422, "ValidationError")
    assert {"target_filters.colour", "target_filters.firmware_version.about"} <= set(fields(answer)), fields(answer)
    expect(service.call("GET", BASE + "/campaigns?limit=201&offset=-1&status=asleep"), 422, "ValidationError", "201", "-1",
           "asleep")
    for path in ("/campaigns/camp_" + "0" * 32, "/updates/upd_" + "0" * 32, "/devices/nobody", "/firmware/" + "0" * 32):
        expect(service.call("GET", BASE + path), 404, "NotFound", "not found")
    expect(service.call("POST", BASE + "/campaigns/camp_" + "0" * 32 + "/start", {}), 404, "NotFound")
    expect(service.call("POST", BASE + "/campaigns/nonsense/start", {}), 404, "NotFound", "nonsense")
    assert service.get("/campaigns")["campaigns"] == []


def bad_uploads(service):
    content = b"some firmware"
    before = len(service.events())
    wrong = {**metadata("1.0.0"), "checksum_md5": "0" * 32}
    expect(service.upload(content, wrong), 422, "ChecksumMismatch", "MD5 checksum mismatch")
    wrong = {**metadata("1.0.0"), "checksum_sha256": "0" * 64}
    expect(service.upload(content, wrong), 422, "ChecksumMismatch", "SHA256 checksum mismatch")
    expect(service.upload(content, metadata("1.0.0"), name="firmware.exe"), 400, "BadRequest", "Unsupported file format",
           "firmware.exe")
    answer = expect(service.upload(content, {"name": "", "version": "v" * 51, "checksum_md5": "xyz"}), 422, "ValidationError")
    assert {"metadata.name", "metadata.version", "metadata.device_model", "metadata.manufacturer",
            "metadata.checksum_md5"} <= set(fields(answer)), fields(answer)
    expect(service.upload(content, {**metadata("1.0.0"), "file_size": 14}), 422, "ValidationError", "14", "13")
    expect(service.upload(b"", metadata("1.0.0")), 422, "ValidationError", "empty")
    expect(service.call("POST", BASE + "/firmware", raw=b"{}"), 422, "ValidationError", "file_url")
    expect(service.call("POST", BASE + "/firmware", raw=b"{}", headers={"Content-Type": "text/plain"}), 400, "BadRequest",
           "multipart/form-data")
    assert stored_files(service) == [] and len(service.events()) == before


def parts(size):
    head = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="big.bin"\r\n\r\n').encode()
    tail = (f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n'
            f"{json.dumps(metadata('9.9.9'))}\r\n--{BOUNDARY}--\r\n").encode()
    block = bytes(1 << 20)

    def body():
        yield head
        left = size
        while left > 0:
            yield block[:min(left, len(block))]
            left -= len(block)
        yield tail
    return len(head) + size + len(tail), body


def upload_of(service, size):
    """Status and text of an upload of so many bytes."""
    length, body = parts(size)
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=120)
    connection.putrequest("POST", BASE + "/firmware")
    connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    try:
        for piece in body():
            connection.send(piece)
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused before the end: the answer is there all the same
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def too_large(service):
    """One byte too many is refused, and nothing of it stays."""
    status, text = upload_of(service, LIMIT + 1)
    assert status in (400, 413) and "File size exceeds maximum limit" in text, (status, text)
    assert stored_files(service) == []


def as_large_as_it_may_be(service):
    status, text = upload_of(service, LIMIT)
    assert status == 201 and json.loads(text)["file_size"] == LIMIT, (status, text)


def cut_off(service):
    """A client that goes away in the middle leaves no file and no record."""
    length, body = parts(5_000_000)
    before = len(service.events())
    with socket.create_connection(("127.0.0.1", service.port)) as s:
        s.sendall(f"POST {BASE}/firmware HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
                  f"Content-Length: {length}\r\n\r\n".encode())
        sent = body()
        for _ in range(3):
            s.sendall(next(sent))
    wait_for("nothing of the upload is left", lambda: stored_files(service) == [])
    assert len(service.events()) == before


def one_effect(service, firmware):
    """Simultaneous starts of one campaign, and repeated creations: one effect each."""
    body = {"name": "once", "firmware_id": firmware, "target_devices": ["frame-1"]}
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for key in range(CREATIONS):
            create = lambda _: service.call("POST", BASE + "/campaigns", body, {"Idempotency-Key": f"create-once-{key}"})
            answers = list(pool.map(create, range(16)))
            assert {a.status for a in answers} == {201}, [a.text for a in answers if a.status != 201][:1]
            ids = {a.json["campaign_id"] for a in answers}
            assert len(ids) == 1, ids
        path = f"{BASE}/campaigns/{ids.pop()}/start"
        answers = list(pool.map(lambda _: service.call("POST", path, {}), range(16)))
    assert {a.status for a in answers} == {200}, [a.text for a in answers]
    repeated_commands(service, firmware)
    kinds = [e["type"] for e in service.events()]
    assert kinds.count("campaign.created") == CREATIONS + 1 and kinds.count("campaign.started") == 2, kinds
    other = service.call("POST", BASE + "/campaigns", {**body, "name": "other"}, {"Idempotency-Key": "create-once-0"})
    expect(other, 422, "ValidationError", "Idempotency-Key")
    path = path[:-len("/start")]
    expect(service.call("POST", path + "/pause", {}, {"If-Match": '"77"'}), 412, "PreconditionFailed", "77")
    service.post(path[len(BASE):] + "/cancel")
    expect(service.call("POST", path + "/start", {}), 409, "StateTransition", "cancelled")


def repeated_commands(service, firmware):
    """A command said by many at once under one key is done once, and everybody is told of the same."""
    assert service.call("PUT", BASE + "/devices/often", {"device_model": "SF-100", "firmware_version": "1.0.0"}).status == 201

    def many(path, body, key, field):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            call = lambda _: service.call("POST", BASE + path, body, {"Idempotency-Key": key, "X-User-Id": "eve"})
            answers = list(pool.map(call, range(8))) + [call(0)]
        assert len({a.status for a in answers}) == 1 and answers[0].status < 300, [(a.status, a.text) for a in answers]
        assert len({a.json[field] for a in answers}) == 1, [a.json[field] for a in answers]
        return answers[0].json[field]
    for key in range(CREATIONS):
        update = many("/devices/often/update", {"firmware_id": firmware}, f"update-{key}", "update_id")
        assert many(f"/updates/{update}/cancel", {}, f"cancel-{key}", "message") == "Update cancelled"
    path = f"/campaigns/{service.post('/campaigns', {'name': 'said', 'firmware_id': firmware, 'target_devices': ['nobody']}, status=201)['campaign_id']}"
    for verb in ("start", "pause", "resume", "finish"):
        many(path + "/" + verb, {"reason": "again"}, "often-" + verb, "message")


def devices(service):
    put = lambda body: service.call("PUT", BASE + "/devices/frame-9", body)
    expect(put({"device_model": 5, "groups": "beta", "attributes": {"site": {}}}), 422, "ValidationError", "groups", "site")
    expect(service.call("GET", BASE + "/devices/frame-9"), 404, "NotFound")
    ddi = lambda method, path, body=None, raw=None: service.call(method, "/DEFAULT/controller/v1" + path, body, raw=raw)
    assert ddi("GET", "/frame-9").status == 200
    assert ddi("PUT", "/frame-9/configData", {"mode": "merge", "data": {}}).status == 400
    assert ddi("PUT", "/frame-9/configData", raw=b"{").status == 400
    assert ddi("GET", "/frame-9/deploymentBase/12").status == 404
    assert ddi("POST", "/frame-9/deploymentBase/x/feedback", {}).status == 400
    assert service.call("GET", "/OTHER/controller/v1/frame-9").status == 404
    missing = ddi("GET", "/frame-9/softwaremodules/1/artifacts/firmware.bin")
    assert missing.status == 404 and missing.text == "", missing.text


def main():
    with Stage() as stage:
        service = stage.service
        bad_uploads(service)
        cut_off(service)
        too_large(service)
        content = b"good firmware" * 100
        given = {**metadata("2.0.0"), "checksum_md5": hashlib.md5(content).hexdigest().upper()}
        created = service.upload(content, given)
        assert created.status == 201, created.text
        firmware = created.json["firmware_id"]
        assert firmware == hashlib.sha256(b"Smart Frame:2.0.0:SF-100").hexdigest()[:32]
        again = service.upload(content, given)
        assert again.status == 200 and again.json["firmware_id"] == firmware, again.text
        other_name = service.upload(content, metadata("2.0.0", name="Another"))
        assert other_name.status == 200 and other_name.json["firmware_id"] == firmware, other_name.text
        expect(service.upload(b"other bytes", metadata("2.0.0")), 409, "Duplicate", "other bytes")
        bad_campaigns(service, firmware)
        one_effect(service, firmware)
        devices(service)
        as_large_as_it_may_be(service)
        service.stop()
    print("every mistake was named, nothing was half done")


if __name__ == "__main__":
    main()
