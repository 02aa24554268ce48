"""curl fetches a firmware over a line that is cut ten times, as an administrator and as a device, and parts of it in every way
in which it can ask for them; the bytes are those that were uploaded, and a download counts once.

    OTA_TEST_LONG=1  as large as a firmware may be, else 24 MB
"""
import json
import os
import re

from real_clients import SETTINGS
from real_clients.bad_line import BadLine
from real_clients.curl import Content, Curl
from support import BASE, LONG, Stage, metadata, wait_for

SIZE = 524_288_000 if LONG else 24_000_000
CUTS = 10
# What is left behind the last cut fits into the service's socket: taken by the kernel it is not sent yet, and does not count.
LAST_CUT = SIZE - 500_000
ENDED_EARLY, RESET = 18, 56               # curl's exit codes
DEVICE = "curl-1"
FILE = "frame 2.bin"                      # whose name must be encoded in links


class Place:
    """Where the bytes are to be had, and what is known of them there."""

    def __init__(self, curl, line, content, path, etag, counts):
        self.curl, self.line, self.content, self.etag = curl, line, content, etag
        self.url = line.url + path
        self.counts = counts              # whether a completed download counts here,
        self.counted = 0                  # and how many did

    def get(self, *options, **more):
        answer = self.curl(self.url, *options, **more)
        is_whole = answer.status == 200 and "-I" not in options
        if self.counts and (is_whole or answer.headers.get("content-range", "").endswith(f"-{SIZE - 1}/{SIZE}")):
            self.counted += 1
        return answer


def cut_ten_times(place):
    """By a farewell and by a reset in turn; each time curl goes on from what it has."""
    path = os.path.join(place.curl.directory, "whole")
    open(path, "wb").close()
    before, sizes = len(place.line.asked), [0]
    for number in range(1, CUTS + 1):
        at, have, by_reset = LAST_CUT * number // CUTS + number, sizes[-1], number % 2 == 0
        place.line.befall(path="/(content|artifacts/.*)$", cut_at=at - have, by_reset=by_reset)
        place.curl(place.url, "-C", "-", output="whole", keep=True, code=RESET if by_reset else ENDED_EARLY)
        sizes.append(os.path.getsize(path))
        # A reset may take with it what was on its way.
        assert have <= sizes[-1] <= at and (by_reset or sizes[-1] == at), (number, at, sizes)
    rest = place.get("-C", "-", output="whole", keep=True)
    assert rest.status == 206 and rest.headers["content-range"] == f"bytes {sizes[-1]}-{SIZE - 1}/{SIZE}", rest.headers
    assert place.content.is_in(path), "the bytes are others"
    asked = [a.headers.get("range") for a in place.line.asked[before:]]
    assert asked == [f"bytes={size}-" if size else None for size in sizes], (asked, sizes)


def one_range(place):
    middle = SIZE // 2
    for asked, first, last in (("0-0", 0, 0), ("100-199", 100, 199), (f"{middle}-{middle + 70_000}", middle, middle + 70_000),
                               (f"{SIZE - 1}-", SIZE - 1, SIZE - 1), (f"{SIZE - 10}-{SIZE + 100}", SIZE - 10, SIZE - 1),
                               ("-500", SIZE - 500, SIZE - 1)):
        answer = place.get("-r", asked)
        assert answer.status == 206 and answer.body == place.content.part(first, last), (asked, answer.status, answer.headers)
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{SIZE}", (asked, answer.headers)
        assert answer.headers["content-length"] == str(last + 1 - first), (asked, answer.headers)
        check_head(place, answer)
    everything = place.get("-r", f"-{SIZE + 1}")
    assert everything.status == 206 and place.content.is_in(everything.path), everything.headers
    assert everything.headers["content-range"] == f"bytes 0-{SIZE - 1}/{SIZE}", everything.headers


def check_head(place, answer):
    head = answer.headers
    assert head["etag"] == f'"{place.etag}"' and head["accept-ranges"] == "bytes" and head["last-modified"], head
    assert head["content-disposition"] == f'attachment;filename="{FILE}"' and head["x-content-type-options"] == "nosniff", head


def several_ranges(place):
    answer = place.get("-r", f"1000-1999,0-99,{SIZE // 3}-{SIZE // 3 + 50_000},-100")
    assert answer.status == 206 and "content-range" not in answer.headers, answer.headers
    check_head(place, answer)
    boundary = re.fullmatch(r"multipart/byteranges; boundary=(\S+)", answer.headers["content-type"]).group(1)
    body = answer.body
    assert answer.headers["content-length"] == str(len(body)), (answer.headers, len(body))
    found = []
    *parts, end = body.split(f"--{boundary}".encode())[1:]
    assert end == b"--\r\n", end
    for part in parts:
        head, _, payload = part.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n") if line)
        assert fields["content-type"] == "application/octet-stream" and payload.endswith(b"\r\n"), fields
        first, last, size = map(int, re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", fields["content-range"]).groups())
        assert size == SIZE and payload[:-2] == place.content.part(first, last), fields
        found.append((first, last))
    assert found == [(0, 99), (1000, 1999), (SIZE // 3, SIZE // 3 + 50_000), (SIZE - 100, SIZE - 1)], found
    place.counted += place.counts         # its last part ends with the last byte


def on_condition(place):
    known = place.get("-r", "0-9").headers
    for right in (known["etag"], known["last-modified"]):
        answer = place.get("-r", "5-9", "-H", f"If-Range: {right}")
        assert answer.status == 206 and answer.body == place.content.part(5, 9), (right, answer.status)
    for wrong in (f'"{"0" * len(place.etag)}"', "Thu, 01 Jan 1970 00:00:00 GMT", "nonsense"):
        answer = place.get("-r", "5-9", "-H", f"If-Range: {wrong}")
        assert answer.status == 200 and place.content.is_in(answer.path), (wrong, answer.status)
        assert answer.headers["content-length"] == str(SIZE) and "content-range" not in answer.headers, answer.headers
    assert place.get("-r", "5-9", "-H", f"If-Match: {place.etag}").status == 206
    assert place.get("-r", "5-9", "-H", 'If-Match: "0"').status == 412
    unchanged = place.get("-H", f"If-None-Match: {known['etag']}")
    assert unchanged.status == 304 and unchanged.body == b"", unchanged.status


def refused(place, has_body):
    for asked in (f"{SIZE}-", f"{SIZE}-{SIZE + 5}", "9-5", "0-9,5-15", "-0", "x-y"):
        answer = place.get("-H", f"Range: bytes={asked}")
        assert answer.status == 416 and answer.headers["content-range"] == f"bytes */{SIZE}", (asked, answer.status)
        if has_body:
            assert json.loads(answer.body)["status_code"] == 416, answer.body
        else:
            assert answer.body == b"" and answer.headers["content-length"] == "0", answer.body


def head_only(place):
    for more in ((), ("-H", "Range: bytes=5-9")):
        answer = place.get("-I", *more)
        assert answer.status == 200 and answer.headers["content-length"] == str(SIZE), (more, answer.headers)
        check_head(place, answer)


def parts(place, errors_have_bodies):
    one_range(place)
    several_ranges(place)
    on_condition(place)
    refused(place, errors_have_bodies)
    head_only(place)


def upload(service, curl, content):
    with open(os.path.join(curl.directory, "metadata"), "w", encoding="utf-8") as text:
        json.dump(metadata("2.0.0"), text)
    answer = curl(f"{service.url}{BASE}/firmware", "-F", f'file=@{content.path};filename="{FILE}"', "-F",
                  f"metadata=<{text.name}", "-H", "Expect:")
    assert answer.status == 201, answer.body
    row = json.loads(answer.body)
    assert (row["file_size"], row["checksum_sha256"]) == (SIZE, content.sha256.hexdigest()), row
    return row["firmware_id"]


def offered(service, curl, line, firmware):
    """The action that a device is in the middle of, and the path of the bytes, as it learns them over its line."""
    campaign = service.post("/campaigns", {"name": "curl", "firmware_id": firmware, "target_devices": [DEVICE]}, status=201)
    service.post(f"/campaigns/{campaign['campaign_id']}/start")
    poll = json.loads(curl(f"{line.url}/DEFAULT/controller/v1/{DEVICE}").body)
    deployment = json.loads(curl(poll["_links"]["deploymentBase"]["href"]).body)
    artifact, = deployment["deployment"]["chunks"][0]["artifacts"]
    assert artifact["filename"] == FILE and artifact["size"] == SIZE, artifact
    href = artifact["_links"]["download-http"]["href"]
    assert href.startswith(line.url), href
    return deployment["id"], href.removeprefix(line.url)


def succeed(curl, line, action):
    said = {"status": {"execution": "closed", "result": {"finished": "success"}}}
    url = f"{line.url}/DEFAULT/controller/v1/{DEVICE}/deploymentBase/{action}/feedback"
    assert curl(url, "-H", "Content-Type: application/json", "-d", json.dumps(said)).status == 200


def main():
    with Stage(*SETTINGS) as stage, BadLine(stage.service.port) as line:
        service, curl = stage.service, Curl(stage.directory)
        content = Content(os.path.join(stage.directory, "uploaded"), SIZE)
        firmware = upload(service, curl, content)
        count = lambda: service.get(f"/firmware/{firmware}")["download_count"]
        admin = Place(curl, line, content, f"{BASE}/firmware/{firmware}/content", content.sha256.hexdigest(), counts=True)
        cut_ten_times(admin)
        assert admin.counted == 1
        wait_for("the download is counted", lambda: count() == 1)
        parts(admin, errors_have_bodies=True)
        wait_for(f"{admin.counted} downloads are counted", lambda: count() == admin.counted)

        action, path = offered(service, curl, line, firmware)
        device = Place(curl, line, content, path, content.sha1.hexdigest(), counts=False)
        cut_ten_times(device)
        parts(device, errors_have_bodies=False)
        sum_of = curl(f"{device.url}.MD5SUM").body.decode()
        assert sum_of == f"{content.md5.hexdigest()}  {FILE}", sum_of
        assert count() == admin.counted, "a device's download counts with its update"
        succeed(curl, line, action)
        assert device.get("-r", "0-9").status == 206, "what is installed may be fetched again"
        service.stop()
        service.start()
        assert count() == admin.counted + 1, (count(), admin.counted)
        service.stop()
        print(f"{SIZE} bytes, cut {CUTS} times, arrive whole; {admin.counted} downloads of an administrator and one of a device")


if __name__ == "__main__":
    main()
