"""The log proves itself: verified by the service, without it, and by a second verifier; proofs and checkpoints that were kept are
good for what came later; keys change, get lost, and whatever is changed on disk is found."""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile

from support import BIN, LONG, Service, metadata, wait_for

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "outsider"))
import verify_log  # noqa: E402  pylint: disable=wrong-import-position

DEVICES = 20_000 if LONG else 5_000


def otactl(*arguments, code=0):
    done = subprocess.run([os.path.join(BIN, "otactl"), *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, timeout=300)
    assert done.returncode == code, (arguments, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout + done.stderr


def dump(directory):
    return otactl("log", "dump", directory, "--records").splitlines()


def outsider(lines, *key):
    """What the second verifier says, as the command that docs/log-format.md shows."""
    done = subprocess.run([sys.executable, verify_log.__file__, *key], input="\n".join(lines), text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, timeout=300)
    return done.returncode, (done.stdout + done.stderr).strip()


def work(service, first):
    """Some thousand events of several kinds."""
    rows = "\n".join(f"dev-{first + i},SF-100,1.0.0" for i in range(DEVICES))
    answer = service.call("POST", "/api/v1/ota/devices/import", raw=("device_id,device_model,firmware_version\n" + rows).encode(),
                          headers={"Content-Type": "text/csv"})
    assert answer.status == 200, answer.text
    version = f"2.0.{first}"
    described = {**metadata(version), "metadata": {"board": ["rev-c", 7], "weight": 1.50}}
    uploaded = service.upload(b"bytes of " + version.encode(), described)
    assert uploaded.status == 201, uploaded.text
    campaign = service.post("/campaigns", {"name": "Fleet", "firmware_id": uploaded.json["firmware_id"],
                                           "target_filters": {"device_model": "SF-100", "firmware_version": {"lt": "2.0.0"}}},
                            status=201, headers={"X-User-Id": "ada"})
    service.post(f"/campaigns/{campaign['campaign_id']}/start")
    service.post(f"/campaigns/{campaign['campaign_id']}/cancel")


def both_agree(data, events, key):
    ours = json.loads(otactl("--json", "audit", "verify", data, "--key", key))
    assert ours["sound"] and not ours["findings"] and ours["events"] >= events, ours
    code, theirs = outsider(dump(data), key)
    assert code == 0 and f'{ours["events"]} events, root {ours["root"]}' in theirs, (ours, theirs)
    assert f'{ours["checkpoints"]} checkpoints hold\n{ours["unsigned_events"]} events behind' in theirs, (ours, theirs)
    return ours


def check_changed_lines(lines):
    """The second verifier finds what was done to a dump."""
    def changed(position, change):
        events = [json.loads(line) for line in lines]
        index = next(i for i, event in enumerate(events) if event.get("position") == position)
        change(events, index)
        return outsider([json.dumps(event) for event in events])

    def flip(events, index):
        record = bytearray(base64.b64decode(events[index]["record"]))
        record[-1] ^= 1
        events[index]["record"] = base64.b64encode(record).decode()

    assert "is of other events" in changed(100, flip)[1]
    assert "event 100 is missing" in changed(100, lambda events, i: events.pop(i))[1]
    assert changed(100, lambda events, i: events.insert(i, {**events[i]}))[0] == 1
    # What otactl says beside the record is not believed.
    assert changed(1, lambda events, i: events[i].update(type="service.other", data={}))[0] == 0
    assert "the log's first key is another" in outsider(lines, "ota-log/other+00000000+AQ==")[1]
    assert "of then" in outsider([line.replace("1\\n", "2\\n", 1) if "checkpoint" in line else line for line in lines])[1]


def one_of_each_kind(directory):
    """The newest event of every type."""
    return sorted({event["type"]: event["position"] for event in map(json.loads, dump(directory)) if "type" in event}.values())


def check_proofs(service, directory, key):
    head = service.get("/audit/events?limit=1")["head"]
    for position in sorted({1, 2, head // 2, head, *one_of_each_kind(service.data)}):
        kept = os.path.join(directory, "proof")
        told = otactl("--server", service.url, "audit", "prove", str(position), "--key", key, "--out", kept)
        assert f"event      {position} " in told, told
        assert "is in" in otactl("audit", "check", kept, "--key", key)
        proven = json.loads(otactl("--json", "audit", "check", kept, "--key", key))
        assert proven["position"] == position and proven["signer"] == key and proven["key_is_known"], proven
        with open(kept, encoding="utf-8") as text:
            proof = json.load(text)
        assert verify_log.check_proof(proof, key)[0] == position
        proof["position"] += 1
        with open(kept, "w", encoding="utf-8") as text:
            json.dump(proof, text)
        assert "does not lead" in otactl("audit", "check", kept, "--key", key, code=1)


def keys(service):
    return [key["key"] for key in service.get("/audit/keys")["keys"]]


def run(directory):
    service = Service(directory).start()
    work(service, 0)
    checkpoint = os.path.join(directory, "checkpoint")
    otactl("--server", service.url, "audit", "checkpoint", "--out", checkpoint)
    first = keys(service)[0]
    check_proofs(service, directory, first)
    assert "The log is sound." in otactl("--server", service.url, "audit", "verify")
    assert "The log is sound." in otactl("audit", "verify", service.data, "--checkpoint", checkpoint), "beside the service"

    service.kill()                       # the last events are not signed, and there all the same
    ours = both_agree(service.data, DEVICES, first)
    assert ours["events"] == len([line for line in dump(service.data) if '"record"' in line])
    service.start()
    otactl("--server", service.url, "--user", "ada", "audit", "rotate-key")
    assert len(keys(service)) == 2
    work(service, DEVICES)
    check_proofs(service, directory, keys(service)[1])
    service.stop()
    ours = both_agree(service.data, 2 * DEVICES, first)
    assert ours["signed_events"] == ours["events"], ours  # a clean stop signs everything
    assert "The log is sound." in otactl("audit", "verify", service.data, "--checkpoint", checkpoint)
    check_changed_lines(dump(service.data))
    check_dump(service.data)
    check_own_word(directory)
    check_lost_key(service, directory, first, checkpoint)
    check_flipped_bit(service, directory)


def check_lost_key(service, directory, first, checkpoint):
    key_file = os.path.join(service.data, "keys", "log.pem")
    os.rename(key_file, os.path.join(directory, "kept.pem"))
    service.start(wait=False)
    assert service.process.wait(timeout=60) == 1 and "log.pem is missing" in service.tail(), service.tail()
    service.settings += ["--log.replace_lost_key", "on"]
    service.start()
    assert len(keys(service)) == 3
    newest = keys(service)[-1]
    service.stop()
    told = otactl("audit", "verify", service.data, "--checkpoint", checkpoint, code=1)
    assert "does not vouch for it" in told, told
    told = otactl("audit", "verify", service.data, "--key", first, "--key", newest)
    assert "The log is sound." in told and f"its first key: {first}" in told and "own word" not in told, told
    lines = dump(service.data)
    assert "does not vouch for it" in outsider(lines, first)[1]
    assert outsider(lines, first, newest)[0] == 0, outsider(lines, first, newest)


def check_own_word(directory):
    """A log that somebody made anew, under a key of their own, is sound in itself: it is said whose word that is."""
    other = Service(os.path.join(directory, "other"))
    os.makedirs(other.directory)
    other.start()
    key = keys(other)[0]
    checkpoint = json.loads(otactl("--server", other.url, "--json", "audit", "checkpoint"))
    assert checkpoint["size"] >= 1 and checkpoint["note"].startswith(checkpoint["origin"] + "\n"), checkpoint
    other.stop()
    told = otactl("audit", "verify", other.data)
    assert f"its first key: {key}" in told and "That key is the log's own word" in told, told
    ours = json.loads(otactl("--json", "audit", "verify", other.data))
    assert ours["key"] == key and not ours["key_is_known"] and ours["unsigned_events"] == 0, ours


def check_dump(data):
    """A part of the log comes with the checkpoints of that part alone."""
    lines = [json.loads(line) for line in otactl("log", "dump", data, "--after", "4000", "--limit", "2000").splitlines()]
    assert [line["position"] for line in lines if "position" in line] == list(range(4_001, 6_001))
    sizes = [int(line["checkpoint"].split("\n")[1]) for line in lines if "checkpoint" in line]
    assert sizes and all(4_000 < size <= 6_000 for size in sizes), sizes


def check_flipped_bit(service, directory):
    """A bit of the events' files: found, named, and by the running service as well, without anybody's asking."""
    shutil.copytree(service.data, os.path.join(directory, "damaged", "data"))
    copy = os.path.join(directory, "damaged", "data", "log")
    tables = sorted((os.path.join(copy, name) for name in os.listdir(copy) if name.endswith(".sst")), key=os.path.getsize)
    assert tables, "everything is still in the write-ahead log"
    with open(tables[-1], "r+b") as file:
        file.seek(os.path.getsize(tables[-1]) // 3)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))
    told = otactl("audit", "verify", copy, code=1)
    assert "THE LOG IS NOT SOUND." in told and "cannot be read" in told, told
    running = Service(os.path.join(directory, "damaged"), "--log.verify_every", "1s").start()
    wait_for("the service finds it", lambda: log_health(running)["status"] == "damaged")
    health = log_health(running)
    assert os.path.basename(tables[-1]) in health["damage"], health
    assert "\nota_log_verified_sound 0\n" in running.call("GET", "/metrics").text
    running.kill()


def log_health(service):
    return service.call("GET", "/health/detailed").json["dependencies"]["log"]


def main():
    os.environ["no_proxy"] = "127.0.0.1"
    with tempfile.TemporaryDirectory(prefix="ota-e2e-") as directory:
        run(directory)
    print("the log proves itself, to us and to an outsider")


if __name__ == "__main__":
    main()
