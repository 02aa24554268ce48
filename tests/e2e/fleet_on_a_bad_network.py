"""Devices of every kind on a bad network, in the clear and over TLS, and a service that is killed: in the end both sides
have the same account.

Requests and answers are lost, stall, are reset, or their connections stay half open; power fails; devices are away
while they reboot; the service is killed and comes back on the same data. Then every attempt that a device began is one
that the service started and the other way round, everything that was acknowledged is in its log, what was installed was
installed once, and nothing is left half way.
"""
import os
import random
from collections import Counter, defaultdict

from authority import Authority
from fold import Fold, shown
from support import LONG, Stage, metadata, wait_for

SLEEP = "10s" if LONG else "1s"           # 10,000 devices that poll every second are a test of the processor
PATIENCE = "2" if LONG else "1"           # seconds that a device waits for an answer, and that a connection stalls
WAIT_S = 1_500 if LONG else 180
BAD_NETWORK = ("--loss", "0.05", "--stall", "0.05", "--stall-max", PATIENCE, "--reset", "0.03", "--half-open", "0.02",
               "--half-open-max", "300", "--timeout", PATIENCE)


def start_fleet(stage, seed, name, devices, *options, server=None):
    return stage.fleet("--devices", str(devices), "--prefix", f"{name}-", "--seed", str(seed), "--model", "SF-100",
                       "--initial-version", "1.0.0", "--install-ms", "100", "--reboot", "0.2-1.5", "--power-cut", "0.1",
                       "--duplicate-reports", "0.1", "--late-reports", "0.1",
                       "--connections-max", str(devices + devices // 20), "--ramp-up", "20" if LONG else "1",
                       *BAD_NETWORK, *options, name=name, server=server)


class InTheClear:
    """Of some of them installs fail now and then, and are tried again."""
    devices = int(os.environ.get("OTA_FLEET", "10000" if LONG else "200"))
    kills = 3 if LONG else 2

    def prepare(self, stage):
        """Before the service is started."""

    def start(self, stage, seed):
        failing = self.devices // 10
        return [start_fleet(stage, seed, "good", self.devices - failing, "--client", "mixed"),
                start_fleet(stage, seed, "weak", failing, "--client", "swupdate", "--failure-rate", "0.3")]

    def check(self, results):
        """What is to be seen of this way alone."""


class OverTls:
    """All in one process, each with its own token; nobody is let in without."""
    devices = int(os.environ.get("OTA_FLEET", "10000" if LONG else "100"))
    kills = 3 if LONG else 1

    def prepare(self, stage):
        stage.service.open_tls(Authority(stage.directory, "authority"))
        stage.service.settings += ["--ddi.anonymous", "off"]

    def start(self, stage, seed):
        service = stage.service
        names = [f"tls-{number:05}" for number in range(1, self.devices + 1)]
        service.register(names)
        tokens = os.path.join(stage.directory, "tokens")
        with open(tokens, "w", encoding="utf-8") as out:
            for name in names:
                out.write(f"{name} {service.get(f'/devices/{name}/token')['token']}\n")
        return [start_fleet(stage, seed, "tls", self.devices, "--client", "mixed", "--target-tokens", tokens,
                            "--ca", service.tls_authority, server=service.tls_url)]

    def check(self, results):
        requests = results[0]["requests"]
        assert requests["tls_handshakes"] > self.devices and requests["tls_resumed"] > 0, requests
        assert requests["unauthorized"] == 0, requests


def settled(service, path):
    row = service.get(path)
    return row if row["status"] in ("completed", "failed", "cancelled") else None


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


def check_reports(fleets, events, fold):
    """Whatever a device said on its way, and has the answer of, is in the log of that attempt. How many that were."""
    said, told = defaultdict(set), 0
    for event in events:
        update = event["stream"].removeprefix("update:")
        said[update, event["data"].get("attempt")].update(event["data"].get("details", []))
    for fleet in fleets:
        for fact in fleet.facts(b'"fact":"report_acked"'):
            if fact["execution"] == "closed":
                continue                         # check_ends looks at those
            lines = said[fold.action_of[fact["device"], fact["action"]]]
            assert fact["detail"] in lines, (fact, lines)
            told += 1
    assert told > 0
    return told


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
    """Every update is over, was granted as often as it says, and its device did what it says. A grant that nobody began in
    time, where the machine has other things to do, is one that the device knows nothing of."""
    updates = service.pages(path + "/updates", "updates")
    assert sorted(update["device_id"] for update in updates) == sorted(accounts), len(updates)
    grants = Counter(update for (update, _) in fold.grants)
    begun = Counter(update for (update, _) in fold.grants.keys() - fold.lapsed)
    for update in updates:
        account = accounts[update["device_id"]]
        assert update["status"] in ("completed", "failed"), update
        assert update["attempt"] == grants[update["update_id"]], (update, grants[update["update_id"]])
        assert len(account["attempts"]) == begun[update["update_id"]], (update, account)
        assert account["version"] == ("2.0.0" if update["status"] == "completed" else "1.0.0"), (update, account)
    assert all(count == 1 for count in fold.grants.values()), "an attempt was granted twice"
    return Counter(update["status"] for update in updates)


def check_statistics(service, path, campaign, fold, by_status):
    row, total = service.get(path), sum(by_status.values())
    assert row["status"] == "completed", row
    assert shown(row) == fold.counters(campaign), (row, fold.counters(campaign))
    assert shown(row) == {"total": total, "pending": 0, "in_progress": 0, "cancelled": 0,
                          "completed": by_status["completed"], "failed": by_status["failed"]}, row
    everything = service.get("/stats")
    assert (everything["total_updates"], everything["in_progress_updates"], everything["completed_updates"],
            everything["failed_updates"]) == (total, 0, by_status["completed"], by_status["failed"]), everything


def play(service, way, fleets, dice):
    """A campaign over the fleets with kills; ends when the service and all devices say so. Answers it."""
    firmware = service.upload(b"new firmware " * 20_000, metadata("2.0.0")).json["firmware_id"]
    wait_for("the whole fleet has registered", lambda: service.known_devices("SF-100") == way.devices, WAIT_S)
    campaign = service.post("/campaigns", {
        "name": "bad network", "firmware_id": firmware, "target_filters": {"device_model": "SF-100"},
        "deployment_strategy": "immediate", "max_concurrent_updates": max(100, way.devices // 10)}, status=201)["campaign_id"]
    path = f"/campaigns/{campaign}"
    service.post(path + "/start")
    for kill in range(way.kills):
        goal = way.devices * (kill + dice.uniform(0.1, 0.8)) / way.kills
        row = wait_for("some devices more are done",
                       lambda: (row := service.get(path))["completed_devices"] >= goal and row, WAIT_S)
        assert row["status"] == "in_progress", row
        service.kill()
        service.start()
    wait_for("the campaign ends", lambda: settled(service, path), WAIT_S)
    ends = len(Fold(service.events()).ended)
    count = lambda text: sum(fleet.count(text) for fleet in fleets)
    wait_for("the devices have heard of every end", lambda: count(b'"fact":"ended"') >= ends, WAIT_S)
    wait_for("all that is installed runs",
             lambda: count(b'"fact":"version","version":"2.0.0"') >= count(b'"fact":"installed"'), WAIT_S)
    for fleet in fleets:
        assert fleet.process.poll() is None and fleet.stop() == 0, (fleet.process.returncode, fleet.tail())
    return campaign


def compare(service, way, fleets, campaign):
    """Both accounts, attempt by attempt; answers what to say of it."""
    accounts = {account["device"]: account for fleet in fleets for account in fleet.accounts()}
    assert len(accounts) == way.devices, len(accounts)
    events = service.events()
    fold = Fold(events)
    path = f"/campaigns/{campaign}"
    installs = check_attempts(accounts, started_attempts(events, fold))
    reports = check_reports(fleets, events, fold)
    told = check_ends(accounts, fold)
    by_status = check_updates(service, path, accounts, fold)
    check_statistics(service, path, campaign, fold, by_status)
    results = [fleet.result() for fleet in fleets]
    assert installs == sum(told.values()) == sum(result["installs"] for result in results), (installs, results)
    faults = {kind: sum(result["network_faults"][kind] for result in results) for kind in results[0]["network_faults"]}
    assert all(faults.values()), faults
    way.check(results)
    return (f"{reports} reports on the way, {len(told)} attempts started and ended, {installs} installed, "
            f"{by_status['completed']} devices completed, {by_status['failed']} failed; {faults}")


def tell(way, seed):
    stage = Stage("--ddi.sleep", SLEEP, "--retry.backoff_base", "100ms")
    way.prepare(stage)
    with stage:
        fleets = way.start(stage, seed)
        campaign = play(stage.service, way, fleets, random.Random(seed))
        told = compare(stage.service, way, fleets, campaign)
        print(f"{type(way).__name__}: {way.devices} devices, {way.kills} kills, {told}", flush=True)
        stage.service.stop()


def main():
    seed = int(os.environ.get("OTA_SEED", "20262"))
    print(f"seed {seed}", flush=True)
    for way in (InTheClear(), OverTls()):
        tell(way, seed)


if __name__ == "__main__":
    main()
