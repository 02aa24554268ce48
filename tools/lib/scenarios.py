"""The stories that tools/run shows, one function each: (stage) -> True if it went as it should.

Each is checked against what the service says in the end, not against what it is hoped to do.
"""
import datetime
import json
import time

from stage import NEW, OLD, accounted


def staged(stage):
    """a staged campaign updates 500 devices, 6 of them fail"""
    devices, failing = 500, 6
    stage.step(f"Two firmware versions: {OLD} and {NEW}")
    stage.upload(OLD)
    firmware = stage.upload(NEW)
    stage.step(f"A fleet of {devices} simulated devices polls over hawkBit DDI, {failing} of them will fail to install")
    fleet = stage.fleet(devices, "--fail-devices", str(failing))
    stage.step("A staged campaign, 50 devices at a time\n")
    campaign = stage.campaign(firmware, "--strategy", "staged", "--max-concurrent", "50", "--batch-size", "100",
                              "--max-retries", "1")
    stage.ctl("campaign", "start", campaign)
    row = stage.over(campaign)
    stage.stop(fleet)
    stats = stage.call(f"/stats/campaigns/{campaign}")
    print(f"\nCampaign {row['name']} is {row['status']}: {row['completed_devices']} updated, "
          f"{row['failed_devices']} failed, {row['cancelled_devices']} cancelled; "
          f"{accounted(row)} of {row['total_devices']} devices accounted for")
    print(f"Verdict: {row['verdict']['text']}")
    print(f"Success rate {stats['success_rate']} %, {stats['devices_per_hour']:.0f} devices an hour, "
          f"error codes {json.dumps(stats['error_codes'])}")
    failed = stage.call(f"/campaigns/{campaign}/updates?status=failed&limit=1")["updates"]
    print("\nWhere to look next")
    print(f"  build/otactl campaign show {campaign}")
    print(f"  build/otactl campaign updates {campaign} --status failed")
    if failed:
        print(f"  build/otactl update show {failed[0]['update_id']}")
    print(f"  curl -s {stage.server}/api/v1/ota/stats | jq")
    print("  docs/first-steps.md walks through the API, docs/concepts.md explains what was seen")
    return accounted(row) == row["total_devices"] == devices and row["status"] == "completed"


def canary(stage):
    """a good version is promoted by its evidence, a bad one is stopped at its canaries"""
    good, bad = "SF-100", "SF-200"
    stage.step(f"Version {NEW} for two models: one installs well on {good}, one fails on half of all {bad}")
    for model in (good, bad):
        stage.upload(OLD, model)
    firmware = {model: stage.upload(NEW, model) for model in (good, bad)}
    stage.fleet(300, model=good, prefix="good-")
    stage.fleet(300, "--fail-devices", "150", model=bad, prefix="bad-")
    rows = {}
    for model in (good, bad):
        stage.step(f"A canary campaign for the 300 devices of {model}")
        campaign = stage.campaign(firmware[model], "--strategy", "canary", "--max-concurrent", "100", "--batch-size", "100",
                                  "--max-retries", "0", model=model, name=f"Smart Frame {model} {NEW}")
        print("   " + stage.call(f"/campaigns/{campaign}")["canary"]["text"])
        stage.ctl("campaign", "start", campaign)
        rows[model] = stage.over(campaign)
        print(f"   Verdict: {rows[model]['verdict']['text']}")
    touched = {model: 300 - row["cancelled_devices"] for model, row in rows.items()}
    print(f"\n{good}: {rows[good]['status']}, {rows[good]['completed_devices']} of 300 updated.")
    print(f"{bad}: {rows[bad]['status']} after {touched[bad]} of 300 devices; the other {300 - touched[bad]} never heard of it, "
          f"{rows[bad]['undone_devices']} that had it went back to {OLD}.")
    print(f"Versions in the field now: {good} {stage.versions(good)}, {bad} {stage.versions(bad)}")
    return (rows[good]["status"] == "completed" and rows[good]["canary"]["promoted"] and rows[bad]["status"] == "failed" and
            touched[bad] < 100 and stage.versions(bad) == {OLD: 300})


def blue_green(stage):
    """180 devices download and hold, 20 cannot; one switch lets all of them install"""
    holders, others = 180, 20
    stage.step(f"A fleet of {holders} devices that can hold an update (attribute can_hold), and {others} that cannot")
    stage.upload(OLD)
    firmware = stage.upload(NEW)
    stage.fleet(holders, "--attribute", "can_hold=true")
    stage.fleet(others, prefix="legacy-")
    stage.step("A blue_green campaign, 20 downloads at a time")
    campaign = stage.campaign(firmware, "--strategy", "blue_green", "--max-concurrent", "20")
    stage.ctl("campaign", "start", campaign)
    row = stage.watch(campaign, lambda row: row["held_devices"] == holders)
    held = row["held_devices"]
    still_old = stage.versions()
    print(f"   {held} devices hold {NEW}, verified, and take no place; the whole fleet still runs {still_old}.")
    print(f"   The others wait for the switch:")
    stage.ctl("why", "legacy-00001", shown=True)
    stage.step("The switch")
    at = time.monotonic()
    stage.ctl("campaign", "switch", campaign, "--reason", "the shops have closed")
    row = stage.over(campaign)
    print(f"\nCampaign is {row['status']}: {row['completed_devices']} devices run {NEW}, "
          f"{time.monotonic() - at:.1f} s after the switch.")
    return (still_old == {OLD: holders + others} and row["status"] == "completed" and
            stage.versions() == {NEW: holders + others})


def rollback(stage):
    """too many failures take a campaign back by themselves; then one device is taken back by hand"""
    devices = 200
    stage.step(f"A fleet of {devices} devices, {NEW} will fail on 60 of them")
    stage.upload(OLD)
    firmware = stage.upload(NEW)
    stage.fleet(devices, "--fail-devices", "60")
    stage.step("A staged campaign: more than 20 % failures are too many")
    campaign = stage.campaign(firmware, "--strategy", "staged", "--max-concurrent", "40", "--batch-size", "40",
                              "--max-retries", "0", "--threshold", "20")
    stage.ctl("campaign", "start", campaign)
    row = stage.over(campaign)
    print(f"   Verdict: {row['verdict']['text']}")
    print(f"   Every device that had {NEW} went back: {stage.versions()}")
    stage.ctl("rollback", "list", "--campaign", campaign, "--limit", "3", shown=True)
    automatic = row["status"] == "failed" and row["undone_devices"] > 0 and stage.versions() == {OLD: devices}

    stage.step("One device is updated on its own, and taken back on its own")
    healthy = stage.call(f"/rollbacks?campaign_id={campaign}&limit=1")["rollbacks"][0]["device_id"]
    update = stage.ctl("device", "update", healthy, "--firmware", firmware)["update_id"]
    wait(stage, f"/updates/{update}", "completed")
    taken = stage.ctl("device", "rollback", healthy, "--to", OLD, "--reason", "the customer wants the old menu")
    wait(stage, f"/rollbacks/{taken['rollback_id']}", "completed")
    stage.ctl("rollback", "show", taken["rollback_id"], shown=True)
    version = stage.call(f"/devices/{healthy}")["firmware_version"]
    print(f"\n{healthy} runs {version} again.")
    return automatic and version == OLD


def scheduled(stage):
    """a campaign waits for its time, starts by itself, and says so to whoever asks why"""
    devices = 200
    stage.step(f"A fleet of {devices} devices, and a campaign that is to start in ten seconds")
    stage.upload(OLD)
    firmware = stage.upload(NEW)
    stage.fleet(devices)
    start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=10)
    campaign = stage.campaign(firmware, "--strategy", "scheduled", "--start-at", start.strftime("%Y-%m-%dT%H:%M:%SZ"),
                              "--max-concurrent", "100")
    row = stage.ctl("campaign", "start", campaign)
    print(f"   It is {row['status']} until {row['scheduled_start']}; nobody is granted before that:")
    waited = row["status"] == "scheduled"
    device = stage.devices()[0]["device_id"]
    stage.ctl("why", device, shown=True)
    stage.step("Its time comes")
    row = stage.over(campaign)
    print(f"\nStarted {row['actual_start']}, ended {row['actual_end']}: {row['completed_devices']} of {devices} updated.")
    return (waited and row["status"] == "completed" and row["completed_devices"] == devices and
            row["actual_start"] >= row["scheduled_start"])


def wait(stage, path, status, seconds=60):
    deadline = time.monotonic() + seconds
    while stage.call(path)["status"] != status:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{path} is {stage.call(path)['status']} and not {status} after {seconds} s")
        time.sleep(0.2)


SCENARIOS = {story.__name__: story for story in (staged, canary, blue_green, rollback, scheduled)}
