"""Data directories of earlier versions: what they were asked then is answered as it was then, and their logs are as sound.

tests/e2e/golden/directory-N.tar.gz holds the data directory that a service left behind, and what it answered before. Nothing in
there is ever changed; OTA_WRITE_GOLDEN=1 adds one, of the version that runs.
"""
import glob
import json
import os
import re
import subprocess
import tarfile
import tempfile

from support import BASE, BIN, Service, Stage, metadata, wait_for

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
PASSES = re.compile("next_after|last_24h|last_seen|last_poll|per_hour|uptime")    # these follow the clock
HEADERS = {"X-User-Id": "ada"}


def live(service, stage):
    """A fleet, a campaign that most devices complete, one that rolls back, one that is cancelled; somebody is erased."""
    first = service.upload(b"first " * 100, metadata("2.0.0")).json["firmware_id"]
    second = service.upload(b"second " * 100, metadata("3.0.0")).json["firmware_id"]
    fleet = stage.fleet("--devices", "30", "--seed", "3", "--model", "SF-100", "--initial-version", "1.0.0", "--install-ms", "5",
                        "--reboot-ms", "5", "--failure-rate", "0.1", "--late-reports", "0.2")
    wait_for("the fleet is there", lambda: service.known_devices("SF-100") == 30)

    def campaign(name, firmware, **policy):
        asked = {"name": name, "firmware_id": firmware, "target_filters": {"device_model": "SF-100"}, **policy}
        path = f"/campaigns/{service.post('/campaigns', asked, 201, HEADERS)['campaign_id']}"
        service.post(path + "/start", headers=HEADERS)
        return path
    well = campaign("well", first, failure_threshold_percent=90)
    wait_for("it ends", lambda: service.get(well)["status"] == "completed", 120)
    bad = campaign("bad", second, failure_threshold_percent=1, min_finished_for_verdict=5, max_retries=0)
    wait_for("it ends", lambda: service.get(bad)["status"] in ("completed", "failed"), 120)
    fleet.stop()
    left = campaign("left", second)
    service.post(left + "/pause", {"reason": "lunch"}, headers={"X-User-Id": "grace"})
    service.post(left + "/cancel", {"reason": "no more"}, headers=HEADERS)
    service.post("/audit/keys", {}, 201, HEADERS)
    assert service.call("DELETE", BASE + "/users/grace").status == 200
    asked = [well, bad, left, "/stats", "/devices?limit=200", "/rollbacks?limit=200", "/firmware", "/audit/keys", "/audit/events?limit=5000"]
    asked += [f"{path}/updates?limit=200" for path in (well, bad, left)]
    asked += [f"{path}?as_of=150" for path in (well, "/stats")]
    asked += ["/devices/sim-00001", "/devices/sim-00001/updates", "/devices/sim-00001/story", well + "/story"]
    service.kill()                           # some of it is in the write-ahead logs alone
    service.start()
    return {path: service.get(path) for path in asked}


def write(name):
    with Stage("--ddi.sleep", "1s", "--retry.backoff_base", "100ms") as stage:
        answers = live(stage.service, stage)
        stage.service.kill()
        with open(os.path.join(stage.directory, "answers.json"), "w", encoding="utf-8") as file:
            json.dump(answers, file)
        with tarfile.open(name, "w:gz") as archive:
            for part in ("data", "answers.json"):
                archive.add(os.path.join(stage.directory, part), part)
    print(f"{name}: {os.path.getsize(name)} bytes")


def differences(then, now, where=""):
    """What was said then and is not said now. What is said beside it, or in the place of null, may be new."""
    if isinstance(then, dict) and isinstance(now, dict):
        return [found for key, value in then.items() if not PASSES.search(key)
                for found in differences(value, now.get(key, "nothing"), f"{where}/{key}")]
    if isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        return [found for number, pair in enumerate(zip(then, now)) for found in differences(*pair, f"{where}/{number}")]
    return [] if then is None or then == now else [(where, then, now)]


def compare(service, answers):
    for path, then in answers.items():
        found = differences(then, service.get(path))
        assert not found, (path, found[:5])


def read(name):
    with tempfile.TemporaryDirectory(prefix="ota-e2e-") as directory:
        with tarfile.open(name) as archive:
            archive.extractall(directory)
        with open(os.path.join(directory, "answers.json"), encoding="utf-8") as file:
            answers = json.load(file)
        log = os.path.join(directory, "data")
        verified = subprocess.run([os.path.join(BIN, "otactl"), "audit", "verify", log], capture_output=True, text=True, check=False)
        assert verified.returncode == 0 and "The log is sound." in verified.stdout, verified
        service = Service(directory).start()
        try:
            compare(service, answers)
            events = service.get("/audit/events?limit=1")["head"]
            service.post("/views/rebuild", {}, 202)
            wait_for("the views are built anew", lambda: not service.get("/views")["running"], 60)
            compare(service, answers)
            service.stop()
        finally:
            if not service.died():
                service.kill()
        return events


def main():
    os.environ["no_proxy"] = "127.0.0.1"
    names = sorted(glob.glob(os.path.join(GOLDEN, "directory-*.tar.gz")))
    if os.environ.get("OTA_WRITE_GOLDEN") == "1":
        return write(os.path.join(GOLDEN, f"directory-{len(names) + 1}.tar.gz"))
    assert names, "there are none"
    print(f"{len(names)} directories of earlier versions, {sum(map(read, names))} events: answered as then")


if __name__ == "__main__":
    main()
