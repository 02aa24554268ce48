"""Devices over MQTT, from hello to completed: through a real nats-server with permissions and the real service.

The devices are mosquitto_sub and mosquitto_pub. The service and the broker are killed in the middle; nothing that was
acknowledged is lost, and nobody is told twice to install.
"""
import os
import shutil
import subprocess
import threading

from mqtt_support import Site, level
from support import wait_for

STRANGER = "pump 7/ü.1+#"


def a_stranger_is_updated():
    """Registered by its hello; told at once; downloads by the signed link; reports; is told of nothing any more."""
    with Site(strangers=[STRANGER]) as site:
        device = site.device(STRANGER).connect()
        device.hello(device_model="SF-100", firmware_version="1.0.0")
        shown = site.service.get(f"/devices/{level(STRANGER)}")
        assert shown["device_id"] == STRANGER and shown["attributes"]["firmware_version"] == "1.0.0", shown
        assert shown["last_seen"] is not None, shown
        campaign = site.campaign(site.firmware("2.0.0"), [STRANGER], pre_update_commands=["stop pump"])
        command = device.command("update")
        assert command["to_version"] == "2.0.0" and command["from_version"] == "1.0.0", command
        assert command["install"] == "now" and command["pre_update_commands"] == ["stop pump"], command
        go = device.accept(command)
        assert go["go"] and go["attempt"] == 1, go
        device.download(command["artifact"]["url"], command)
        device.download(go["url"], command)
        since = device.marker()
        device.report(command, "downloading", "verifying", "installing", "rebooting", "completed")
        device.nothing_to_do(since)
        assert site.update(command)["status"] == "completed"
        wait_for("the campaign is completed", lambda: site.service.get(f"/campaigns/{campaign}")["status"] == "completed")
        answer = device.accept(command)   # a stale command, perhaps from a retained message
        assert not answer["go"] and "over" in answer["message"], answer
        facts = site.health()
        assert int(facts["received"]) >= 8 and facts["malformed"] == "0", facts
        site.service.stop()


def who_may_what():
    """A device reads and writes its own topics and nothing else; what it says of another one's update is refused."""
    with Site(known=["victim", "thief"]) as site:
        victim, thief = site.device("victim").connect(), site.device("thief").connect()
        victim.hello(device_model="SF-100", firmware_version="1.0.0")
        thief.hello(device_model="SF-100", firmware_version="1.0.0")
        site.campaign(site.firmware("2.0.0"), ["victim"])
        command = victim.command("update")
        assert victim.accept(command)["go"]
        answer = thief.ask(victim.status(command, "failed"))
        assert not answer["ok"] and answer["error"] == "not_found", answer

        # Published with the thief's own user to the victim's topic: acknowledged by the broker, and dropped.
        received = 4                         # two hellos, what was accepted, what was refused: counted behind their answers
        wait_for("all that was said is counted", lambda: int(site.health()["received"]) == received)
        impostor = site.device("victim", user="thief")
        impostor.say(victim.status(command, "failed"))
        for topic in ["$JS/API/STREAM/DELETE/ota-devices", "$JS/API/STREAM/PURGE/ota-devices", "ota/DEFAULT/victim/down",
                      "ota/DEFAULT/thief/down", "$MQTT/sub/x", "$SYS/REQ/SERVER/PING"]:
            subprocess.run(["mosquitto_pub", *thief.login(), "-q", "1", "-t", topic, "-m", "{}"], check=True, timeout=30)
        assert thief.ask({"type": "health", "health": "ok"})["ok"]
        wait_for("the service has heard the thief", lambda: int(site.health()["received"]) > received)
        assert int(site.health()["received"]) == received + 1, site.health()
        assert site.update(command)["status"] != "failed", site.update(command)

        for topic in ["ota/DEFAULT/victim/down", "ota/DEFAULT/victim/reply", "ota/DEFAULT/victim/up", "ota/DEFAULT/+/down", "#",
                      "$JS/#", "$MQTT/#", "$SYS/#", "ota/#"]:
            done = subprocess.run(["mosquitto_sub", *thief.login(), "-q", "1", "-d", "-E", "-t", topic], text=True, timeout=30,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            assert "128" in done.stdout and "Subscribed" in done.stdout, (topic, done.stdout)
        # Nor is there a way around: its user is for MQTT alone, and a wrong password is for nothing.
        refused = subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(site.broker.mqtt_port), "-u", "victim", "-P", "guess",
                                  "-t", "ota/DEFAULT/victim/up", "-m", "{}"], stderr=subprocess.PIPE, check=False, timeout=30)
        assert refused.returncode != 0
        victim.report(command, "completed")
        assert site.update(command)["status"] == "completed"
        site.service.stop()


def odd_names():
    """A device may be called as it likes: neither the broker's configuration nor the way to it breaks for the others."""
    with Site(known=["ota_service", "...", "*", "pump"]) as site:
        assert "ota_service" not in site.broker.passwords, "the service's own user, and no device's"
        for name in ["...", "*", "pump"]:
            site.device(name).connect().hello(device_model="SF-100")


def offline_and_back():
    """A command waits on the topic for whoever is away; one that is out of date is answered: do not go."""
    with Site(known=["away", "here"]) as site:
        away, here = site.device("away"), site.device("here").connect()
        for device in (away, here):   # the one that is away has spoken once
            device.say({"type": "hello", "attributes": {"device_model": "SF-100", "firmware_version": "1.0.0"}})
        wait_for("both are known", lambda: all(site.service.get(f"/devices/{name}")["push"] for name in ("away", "here")))
        first = site.campaign(site.firmware("2.0.0"), ["away", "here"])
        here.command("update")
        wait_for("both are granted", lambda: site.service.get(f"/campaigns/{first}")["in_progress_devices"] == 2)
        away.connect()
        stale = away.command("update", retained=True)
        site.service.post(f"/campaigns/{first}/cancel", {"reason": "another one is better"})
        away.nothing_to_do(0)
        answer = away.accept(stale)
        assert not answer["go"] and "cancelled" in answer["message"], answer

        # Cancelled while it is at work: asked, and it stops; or does not.
        second = site.campaign(site.firmware("3.0.0"), ["away", "here"])
        commands = {device: device.command("update", to_version="3.0.0") for device in (away, here)}
        for device, command in commands.items():
            assert device.accept(command)["go"]
            site.service.post(f"/updates/{command['update_id']}/cancel")
            cancel = device.command("cancel")
            assert cancel["update_id"] == command["update_id"], cancel
        away.report(commands[away], "cancelled")
        site.wait_for_status(commands[away], "cancelled")
        since = here.marker()
        here.report(commands[here], "cancel_refused")
        here.command("update", since, update_id=commands[here]["update_id"])
        here.report(commands[here], "completed")
        wait_for("the campaign is over", lambda: site.service.get(f"/campaigns/{second}")["status"] == "completed")

        # Goodbye: nothing is offered until it says hello.
        here.ask({"type": "bye"})
        third = site.campaign(site.firmware("4.0.0"), ["away", "here"], force_update=True)
        since = here.marker()
        away.command("update", to_version="4.0.0")
        assert site.service.get(f"/campaigns/{third}")["in_progress_devices"] == 1
        here.hello()
        here.command("update", since, to_version="4.0.0")
        site.service.stop()


def failures_are_tried_again():
    """By itself, as another attempt; the one before counts no more."""
    with Site(known=["pump"], settings=("--retry.backoff_base", "100ms")) as site:
        pump = site.device("pump").connect()
        pump.hello(device_model="SF-100", firmware_version="1.0.0")
        site.campaign(site.firmware("2.0.0"), ["pump"])
        first = pump.command("update", attempt=1)
        assert pump.accept(first)["go"]
        assert pump.ask(pump.status(first, "failed", error_code="E7", error_message="no power"))["ok"]
        second = pump.command("update", attempt=2)
        stale = pump.accept(first)
        assert not stale["go"] and stale["attempt"] == 1, stale
        assert pump.accept(second)["go"]
        assert pump.ask(pump.status(first, "failed"))["ok"]   # late: recorded, and of no consequence
        pump.report(second, "completed")
        assert site.update(second)["status"] == "completed" and site.update(second)["attempt"] == 2
        bad = pump.ask({"type": "status", "update_id": second["update_id"], "attempt": "two", "status": "asleep"})
        assert bad["error"] == "invalid", bad
        assert {"attempt", "status"} == {fault["field"] for fault in bad["fields"]} and "asleep" in bad["message"], bad
        site.service.stop()


def killed_in_the_middle():
    """The broker, and the service, by SIGKILL: what was acknowledged is not lost, and nobody installs twice."""
    names = [f"pump-{i}" for i in range(6)]
    with Site(known=names) as site:
        pumps = [site.device(name).connect() for name in names]
        for pump in pumps:
            pump.hello(device_model="SF-100", firmware_version="1.0.0")
        site.broker.kill()
        wait_for("the service notices", lambda: not site.connected())
        campaign = site.campaign(site.firmware("2.0.0"), names)   # granted, and told when the broker is back
        site.broker.start()
        commands = {pump: pump.command("update") for pump in pumps}   # mosquitto_sub connects again by itself
        wait_for("the service is connected again", site.connected)
        for pump in pumps[:3]:
            assert pump.accept(commands[pump])["go"]

        site.service.kill()
        for pump in pumps[:3]:   # kept by the broker until somebody hears it
            pump.say(pump.status(commands[pump], "installing"))
            pump.say(pump.status(commands[pump], "completed"))
        said = [threading.Thread(target=pump.say, args=({**pump.status(commands[pump], "accepted"), "id": "go?"},)) for pump in pumps[3:]]
        for thread in said:
            thread.start()
        for thread in said:
            thread.join()
        site.service.start()
        for pump in pumps[:3]:
            site.wait_for_status(commands[pump], "completed")
        for pump in pumps[3:]:
            answer = pump.expect("its answer", lambda kind, m: kind == "reply" and m and m.get("id") == "go?")
            assert answer["go"], answer
            pump.report(commands[pump], "completed")
        wait_for("the campaign is completed", lambda: site.service.get(f"/campaigns/{campaign}")["status"] == "completed")
        types = [event["type"] for event in site.service.events()]
        assert types.count("update.started") == len(names), types
        assert types.count("update.attempt_ended") == len(names), types
        for pump in pumps:   # told again after a start, and never of another attempt
            told = [m for kind, _, m in pump.heard if kind == "down" and m]
            assert {(m["update_id"], m["attempt"]) for m in told} == {(commands[pump]["update_id"], 1)}, told
        site.service.stop()


def emptied_broker():
    """A broker that begins anew with nothing: what is to be done stands there again once the device has said hello."""
    with Site(known=["pump"]) as site:
        pump = site.device("pump").connect()
        pump.hello(device_model="SF-100", firmware_version="1.0.0")
        site.campaign(site.firmware("2.0.0"), ["pump"])
        command = pump.command("update")
        pump.disconnect()
        site.broker.kill()
        wait_for("the service notices", lambda: not site.connected())
        shutil.rmtree(os.path.join(site.broker.directory, "jetstream"))
        site.broker.start()
        wait_for("the service is connected again", site.connected)
        pump.connect().hello()
        pump.command("update", update_id=command["update_id"])
        pump.disconnect()
        late = site.device("pump").connect()   # what the first has not acknowledged may come once more, before it
        late.command("update", retained=True, update_id=command["update_id"])
        assert late.accept(command)["go"]
        late.report(command, "completed")
        site.wait_for_status(command, "completed")
        site.service.stop()


def main():
    os.environ["no_proxy"] = "127.0.0.1"
    a_stranger_is_updated()
    who_may_what()
    odd_names()
    offline_and_back()
    failures_are_tried_again()
    killed_in_the_middle()
    emptied_broker()
    print("devices over MQTT are updated; permissions hold; kills lose nothing and install nothing twice")


if __name__ == "__main__":
    main()
