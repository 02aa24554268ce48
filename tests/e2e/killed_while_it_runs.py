"""The service is killed three times in the middle of a campaign; the devices go on, and nothing acknowledged is lost."""
import random
import shutil
import os

from fold import Fold, shown
from support import LONG, Stage, metadata, wait_for

DEVICES = 10_000 if LONG else 500
KILLS = 3


def settled(service, path):
    row = service.get(path)
    return row if row["status"] in ("completed", "failed", "cancelled") else None


def lasting(device):
    """Without what is only remembered: when it was seen last, and from where."""
    return {k: v for k, v in device.items() if k not in ("last_seen", "address", "last_seen_since")}


def picture(service, path):
    """What the views show of everything that this test touched."""
    return {"campaign": service.get(path), "updates": service.pages(path + "/updates", "updates"),
            "devices": [lasting(d) for d in service.pages("/devices", "devices")],
            "stats": {k: v for k, v in service.get("/stats").items()},
            "campaign_stats": {k: v for k, v in service.get("/stats" + path).items() if k != "estimated_completion"}}


def check_reports(facts, fold):
    """No acknowledged end is missing from the log, and no attempt was offered again after it was acknowledged."""
    acknowledged = {}
    for fact in facts:
        key = (fact["device"], str(fact.get("action")))
        if fact["fact"] == "report_acked" and fact["execution"] == "closed":
            acknowledged[key] = fact["finished"] != "failure"
        if fact["fact"] == "offered":
            assert key not in acknowledged, f"offered again after its end was acknowledged: {fact}"
    for key, success in acknowledged.items():
        assert key in fold.action_of, f"an acknowledged report of an unknown action: {key}"
        ended = fold.ended.get(fold.action_of[key])
        assert ended is not None, f"an acknowledged end is missing from the log: {key}"
        assert ended == success, (key, ended, success)
    return len(acknowledged)


def check_installs(facts, fold):
    installs = {}
    for fact in facts:
        if fact["fact"] == "installed":
            installs[fact["device"]] = installs.get(fact["device"], 0) + 1
    started = {device: n for device, n in fold.started.items() if n}
    different = {d: (installs.get(d, 0), started.get(d, 0)) for d in installs.keys() | started.keys()
                 if installs.get(d, 0) != started.get(d, 0)}
    assert not different, f"installs and attempts started differ: {list(different.items())[:5]}"
    assert all(n == 1 for n in fold.grants.values()), "an attempt was granted twice"


def main():
    seed = int(os.environ.get("OTA_SEED", "20261"))
    dice = random.Random(seed)
    print(f"seed {seed}")
    with Stage("--ddi.sleep", "1s", "--retry.backoff_base", "100ms") as stage:
        service = stage.service
        firmware = service.upload(b"new firmware " * 10_000, metadata("2.0.0")).json["firmware_id"]
        fleet = stage.fleet("--devices", str(DEVICES), "--seed", str(seed), "--model", "SF-100", "--initial-version",
                            "1.0.0", "--install-ms", "50", "--reboot-ms", "50", "--duplicate-reports", "0.1")
        wait_for("the whole fleet has registered", lambda: service.known_devices("SF-100") == DEVICES, 300)
        campaign = service.post("/campaigns", {
            "name": "killed", "firmware_id": firmware, "target_filters": {"device_model": "SF-100"},
            "max_concurrent_updates": 100, "batch_size": 250}, status=201)
        path = f"/campaigns/{campaign['campaign_id']}"
        service.post(path + "/start")
        for kill in range(KILLS):
            goal = DEVICES * (kill + dice.random()) / (KILLS + 1)
            wait_for("some devices more are done", lambda: service.get(path)["completed_devices"] >= goal, 300)
            for _ in range(dice.randrange(40)):      # a moment that no counter knows
                service.call("GET", "/health")
            service.kill()
            service.start()
        row = wait_for("the campaign ends", lambda: settled(service, path), 600)
        assert row["status"] == "completed" and row["completed_devices"] == DEVICES, row
        fleet.stop()
        fold = Fold(service.events())
        facts = fleet.facts()
        ends = check_reports(facts, fold)
        check_installs(facts, fold)
        assert shown(service.get(path)) == fold.counters(campaign["campaign_id"])
        before = picture(service, path)
        service.stop()
        shutil.rmtree(os.path.join(service.data, "views"))
        service.start()
        after = picture(service, path)
        for part, value in before.items():
            assert after[part] == value, f"{part} differs after the views were rebuilt"
        service.stop()
        print(f"{DEVICES} devices, {KILLS} kills, {ends} acknowledged ends, {len(fold.ended)} attempts ended")


if __name__ == "__main__":
    main()
