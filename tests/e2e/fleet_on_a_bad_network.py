"""Devices of every kind on a bad network, and a service that is killed: in the end both sides have the same account.

Requests and answers are lost, stall, are reset, or their connections stay half open; power fails; devices are away
while they reboot; the service is killed and comes back on the same data. Then every attempt that a device began is one
that the service started and the other way round, every end that was acknowledged is in its log, what was installed was
installed once, and nothing is left half way.
"""
import os
import random
from collections import Counter

from fold import Fold, shown
from support import LONG, Stage, metadata, wait_for

DEVICES = 10_000 if LONG else 200
FAILING = DEVICES // 10                   # of them installs fail now and then, and are tried again
KILLS = 3 if LONG else 2
SLEEP = "10s" if LONG else "1s"           # 10,000 devices that poll every second are a test of the processor
CONCURRENT = 1_000 if LONG else 100
PATIENCE = "2" if LONG else "1"           # seconds that a device waits for an answer, and that a connection stalls
WAIT_S = 1_500 if LONG else 180
BAD_NETWORK = ("--loss", "0.05", "--stall", "0.05", "--stall-max", PATIENCE, "--reset", "0.03", "--half-open", "0.02",
               "--half-open-max", "300", "--timeout", PATIENCE)


def start_fleet(stage, seed, name, devices, *options):
    return stage.fleet("--devices", str(devices), "--prefix", f"{name}-", "--seed", str(seed), "--model", "SF-100",
                       "--initial-version", "1.0.0", "--install-ms", "100", "--reboot", "0.2-1.5", "--power-cut", "0.1",
                       "--duplicate-reports", "0.1", "--late-reports", "0.1",
                       "--connections-max", str(devices + devices // 20), "--ramp-up", "20" if LONG else "1",
                       *BAD_NETWORK, *options, name=name)


def settled(service, path):
    row = service.get(path)
    return row if row["status"] in ("completed", "failed", "cancelled") else None


def facts_of(fleets, text):
    """How many lines of the journals have it."""
    count = 0
    for fleet in fleets:
        with open(fleet.journal, "rb") as journal:
            count += journal.read().count(text)
    return count


def started_attempts(events, fold):
    """(device, action) of every attempt that a device has begun, as the log has it."""
    action_of = {attempt: key for key, attempt in fold.action_of.items()}
    return {action_of[(event["stream"].removeprefix("update:"), event["data"]["attempt"])]
            for event in events if event["type"] == "update.started"}


def different(told, known):
    return [(key, told.get(key), known.get(key)) for key in told.keys() | known.keys()
            if told.get(key) != known.get(key)][:5]


def check_attempts(accounts, started):
    """Both sides began the same attempts; whatever was installed was one of them, and was installed once."""
    seen, installs = set(), 0
    for device, account in accounts.items():
        for attempt in account["attempts"]:
            assert attempt["reads"] > 0 and attempt["installs"] <= 1, (device, attempt)
            seen.add((device, attempt["action"]))
            installs += attempt["installs"]
    assert seen == started, (f"only the devices: {sorted(seen - started)[:5]}, "
                             f"only the service: {sorted(started - seen)[:5]}")
    return installs


def check_ends(accounts, fold):
    """Every end that was acknowledged is in the log as it was told, and the log has no other ends."""
    told = {}
    for device, account in accounts.items():
        for attempt in account["attempts"]:
            key = fold.action_of[(device, attempt["action"])]
            assert attempt["acked_end"] in ("closed/success", "closed/failure"), (device, attempt)
            told[key] = attempt["acked_end"] == "closed/success"
            assert told[key] == (attempt["installs"] == 1), (device, attempt)
    assert told == fold.ended, different(told, fold.ended)
    return told


def check_updates(service, path, accounts, fold):
    """Every update is over, was granted as often as it says, and its device did what it says."""
    updates = service.pages(path + "/updates", "updates")
    assert sorted(update["device_id"] for update in updates) == sorted(accounts), len(updates)
    grants = Counter(update for (update, _) in fold.grants)
    for update in updates:
        account = accounts[update["device_id"]]
        assert update["status"] in ("completed", "failed"), update
        assert update["attempt"] == grants[update["update_id"]] == len(account["attempts"]), (update, account)
        assert account["version"] == ("2.0.0" if update["status"] == "completed" else "1.0.0"), (update, account)
    assert all(count == 1 for count in fold.grants.values()), "an attempt was granted twice"
    return Counter(update["status"] for update in updates)


def check_statistics(service, path, campaign, fold, by_status):
    row = service.get(path)
    assert row["status"] == "completed", row
    assert shown(row) == fold.counters(campaign), (row, fold.counters(campaign))
    assert shown(row) == {"total": DEVICES, "pending": 0, "in_progress": 0, "cancelled": 0,
                          "completed": by_status["completed"], "failed": by_status["failed"]}, row
    everything = service.get("/stats")
    assert (everything["total_updates"], everything["in_progress_updates"], everything["completed_updates"],
            everything["failed_updates"]) == (DEVICES, 0, by_status["completed"], by_status["failed"]), everything


def play(stage, service, dice, seed):
    """A campaign over the fleet with kills; ends when the service and all devices say so. Answers it and the fleets."""
    firmware = service.upload(b"new firmware " * 20_000, metadata("2.0.0")).json["firmware_id"]
    fleets = [start_fleet(stage, seed, "good", DEVICES - FAILING, "--client", "mixed"),
              start_fleet(stage, seed, "weak", FAILING, "--client", "swupdate", "--failure-rate", "0.3")]
    wait_for("the whole fleet has registered", lambda: service.known_devices("SF-100") == DEVICES, WAIT_S)
    campaign = service.post("/campaigns", {
        "name": "bad network", "firmware_id": firmware, "target_filters": {"device_model": "SF-100"},
        "deployment_strategy": "immediate", "max_concurrent_updates": CONCURRENT}, status=201)["campaign_id"]
    path = f"/campaigns/{campaign}"
    service.post(path + "/start")
    for kill in range(KILLS):
        goal = DEVICES * (kill + dice.uniform(0.1, 0.8)) / KILLS
        row = wait_for("some devices more are done",
                       lambda: (row := service.get(path))["completed_devices"] >= goal and row, WAIT_S)
        assert row["status"] == "in_progress", row
        service.kill()
        service.start()
    wait_for("the campaign ends", lambda: settled(service, path), WAIT_S)
    ends = len(Fold(service.events()).ended)
    wait_for("the devices have heard of every end", lambda: facts_of(fleets, b'"fact":"ended"') >= ends, WAIT_S)
    wait_for("all that is installed runs", lambda: facts_of(fleets, b'"fact":"version","version":"2.0.0"') >=
             facts_of(fleets, b'"fact":"installed"'), WAIT_S)
    for fleet in fleets:
        assert fleet.process.poll() is None and fleet.stop() == 0, (fleet.process.returncode, fleet.tail())
    return campaign, fleets


def main():
    seed = int(os.environ.get("OTA_SEED", "20262"))
    print(f"seed {seed}", flush=True)
    with Stage("--ddi.sleep", SLEEP, "--retry.backoff_base", "100ms") as stage:
        service = stage.service
        campaign, fleets = play(stage, service, random.Random(seed), seed)
        accounts = {account["device"]: account for fleet in fleets for account in fleet.accounts()}
        assert len(accounts) == DEVICES, len(accounts)
        events = service.events()
        fold = Fold(events)
        path = f"/campaigns/{campaign}"
        installs = check_attempts(accounts, started_attempts(events, fold))
        told = check_ends(accounts, fold)
        by_status = check_updates(service, path, accounts, fold)
        check_statistics(service, path, campaign, fold, by_status)
        results = [fleet.result() for fleet in fleets]
        assert installs == sum(told.values()) == sum(result["installs"] for result in results), (installs, results)
        kinds = results[0]["network_faults"]
        faults = {kind: sum(result["network_faults"][kind] for result in results) for kind in kinds}
        assert all(faults.values()), faults
        print(f"{DEVICES} devices, {KILLS} kills, {len(told)} attempts started and ended, {installs} installed, "
              f"{by_status['completed']} devices completed, {by_status['failed']} failed; {faults}")
        service.stop()


if __name__ == "__main__":
    main()
