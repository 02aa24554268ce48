"""The log proves itself: verified by the service, without it, and by a second verifier; proofs and checkpoints that were kept are
good for what came later; keys change, get lost, and whatever is changed on disk is found."""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile

from support import BIN, LONG, Service, metadata

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
    assert service.upload(b"bytes of " + version.encode(), metadata(version)).status == 201


def both_agree(data, events, key):
    ours = json.loads(otactl("--json", "audit", "verify", data, "--key", key))
    assert ours["sound"] and not ours["findings"] and ours["events"] >= events, ours
    code, theirs = outsider(dump(data), key)
    assert code == 0 and f'{ours["events"]} events, root {ours["root"]}' in theirs, (ours, theirs)
    assert ours["checkpoints"] == int(theirs.split()[-3]), (ours, theirs)
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
    assert "of then" in outsider([line.replace("1\\n", "2\\n", 1) if "checkpoint" in line else line for line in lines])[1]


def check_proofs(service, directory, key):
    head = service.get("/audit/events?limit=1")["head"]
    for position in (1, 2, head // 2, head):
        kept = os.path.join(directory, "proof")
        told = otactl("--server", service.url, "audit", "prove", str(position), "--key", key, "--out", kept)
        assert f"event      {position} " in told, told
        assert "is in" in otactl("audit", "check", kept, "--key", key)
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
    assert "The log is sound." in otactl("audit", "verify", service.data, "--key", first, "--key", newest)


def check_flipped_bit(service, directory):
    """A bit of the events' files: found, named, and by the running service as well."""
    log = os.path.join(service.data, "log")
    copy = os.path.join(directory, "copy")
    shutil.copytree(log, copy)
    tables = sorted((os.path.join(copy, name) for name in os.listdir(copy) if name.endswith(".sst")), key=os.path.getsize)
    assert tables, "everything is still in the write-ahead log"
    with open(tables[-1], "r+b") as file:
        file.seek(os.path.getsize(tables[-1]) // 3)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))
    told = otactl("audit", "verify", copy, code=1)
    assert "THE LOG IS NOT SOUND." in told and "cannot be read" in told, told


def main():
    os.environ["no_proxy"] = "127.0.0.1"
    with tempfile.TemporaryDirectory(prefix="ota-e2e-") as directory:
        run(directory)
    print("the log proves itself, to us and to an outsider")


if __name__ == "__main__":
    main()
