"""A fleet over MQTT, TLS and a bad network, whose broker and service are killed: in the end both sides have the same
account.

The broker is nats-server with a user for each device, whose password is its token. Messages are lost and stall, connections
are reset or stay half open, power fails, devices are off the net while they reboot. Then every attempt that a device was
let begin is one that the service started and the other way round, every end that was answered is in its log, and nothing
was installed twice.
"""
import os
import random
import tempfile

from authority import Authority
from fleet_on_a_bad_network import check_attempts, check_ends, check_reports, check_updates, settled, started_attempts
from fold import Fold
from mqtt_support import Site, Tls
from support import LONG, wait_for

KILLS = 3 if LONG else 1                  # of each
# How many devices, and the QoS of what they say: what is acknowledged costs the broker more the more devices it knows.
FLEETS = [(2_000, 1), (10_000, 0)] if LONG else [(24, 1), (24, 0)]
PATIENCE = 600 if LONG else 120
BAD_NETWORK = ("--loss", "0.03", "--stall", "0.05", "--stall-max", "0.5", "--reset", "0.03", "--half-open", "0.03",
               "--half-open-max", "300", "--timeout", "10" if LONG else "2")


def write_tokens(site):
    path = os.path.join(site.directory, "tokens")
    with open(path, "w", encoding="utf-8") as out:
        for name in site.known:
            out.write(f"{name} {site.broker.passwords[name]}\n")
    return path


def start_fleet(site, qos, seed):
    return site.fleet("--mqtt", f"mqtts://127.0.0.1:{site.broker.mqtt_port}", "--mqtt-ca", site.broker.tls.devices_trust,
                      "--target-tokens", write_tokens(site), "--devices", str(len(site.known)), "--seed", str(seed), "--model", "SF-100",
                      "--initial-version", "1.0.0", "--mqtt-qos", str(qos), "--install-ms", "100", "--reboot", "0.1-1", "--power-cut", "0.1",
                      "--duplicate-reports", "0.1", "--late-reports", "0.1", "--failure-rate", "0.05",
                      "--ramp-up", str(len(site.known) // 100), *BAD_NETWORK)


def kill_and_start(site, broker_too):
    """The broker, or the service, without a word."""
    if broker_too:
        site.broker.kill()
        wait_for("the service notices", lambda: not site.connected())
        site.broker.start()
    else:
        site.service.kill()
        site.service.start()
    wait_for("the service is connected again", site.connected)


def play(site, fleet, dice):
    """A campaign over the fleet, with kills."""
    devices = len(site.known)
    wait_for("the whole fleet has said hello", lambda: int(site.health()["devices"]) == devices, PATIENCE)
    campaign = site.campaign(site.firmware("2.0.0"), list(site.known), max_concurrent_updates=max(10, devices // 10))
    path = f"/campaigns/{campaign}"
    kills = [broker for _ in range(KILLS) for broker in (True, False)]
    for number, broker_too in enumerate(kills):
        goal = devices * (number + dice.uniform(0.1, 0.8)) / len(kills)
        wait_for("some devices more are done", lambda g=goal: site.service.get(path)["completed_devices"] >= g, PATIENCE)
        kill_and_start(site, broker_too)
    row = wait_for("the campaign ends", lambda: settled(site.service, path), PATIENCE)
    ends = len(Fold(site.service.events()).ended)
    wait_for("the devices have heard of every end", lambda: fleet.count(b'"fact":"ended"') >= ends, PATIENCE)
    updated = b'"fact":"version","version":"2.0.0"'
    wait_for("all that is installed runs", lambda: fleet.count(updated) >= row["completed_devices"], PATIENCE)
    assert fleet.process.poll() is None and fleet.stop() == 0, (fleet.process.returncode, fleet.tail())
    return path


def play_and_compare(directory, devices, qos):
    seed = int(os.environ.get("OTA_SEED", "20263"))
    print(f"{devices} devices, QoS {qos}, seed {seed}", flush=True)
    names = [f"sim-{number:05}" for number in range(1, devices + 1)]
    authority = Authority(directory, "authority")
    tls = Tls(authority.issue("broker"), authority.certificate, authority.certificate)
    with Site(known=names, settings=("--retry.backoff_base", "100ms"), tls=tls) as site:
        fleet = start_fleet(site, qos, seed)
        path = play(site, fleet, random.Random(seed))
        accounts = {account["device"]: account for account in fleet.accounts()}
        assert len(accounts) == devices and {account["client"] for account in accounts.values()} == {"mqtt"}
        events = site.service.events()
        fold = Fold(events)
        installs = check_attempts(accounts, started_attempts(events, fold))
        reports = check_reports([fleet], events, fold)
        told = check_ends(accounts, fold)
        by_status = check_updates(site.service, path, accounts, fold)
        result = fleet.result()
        assert installs == sum(told.values()) == result["installs"], (installs, result)
        assert all(result["network_faults"].values()), result["network_faults"]
        print(f"{devices} devices over MQTT, {KILLS} kills of the broker and of the service, {reports} reports on the way, "
              f"{len(told)} attempts started and ended, {installs} installed, {by_status['completed']} devices completed, "
              f"{by_status['failed']} failed; "
              f"{result['mqtt']}; {result['network_faults']}")
        site.service.stop()


def main():
    os.environ["no_proxy"] = "127.0.0.1"
    for devices, qos in FLEETS:
        with tempfile.TemporaryDirectory(prefix="ota-e2e-") as directory:
            play_and_compare(directory, devices, qos)


if __name__ == "__main__":
    main()
