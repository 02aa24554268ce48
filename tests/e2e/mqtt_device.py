"""Devices over MQTT, from hello to completed: through a real nats-server with permissions and the real service.

The devices are mosquitto_sub and mosquitto_pub. The service and the broker are killed in the middle; nothing that was
acknowledged is lost, and nobody is told twice to install.
"""
import os
import subprocess
import threading

from mqtt_support import Broker, Device, level
from support import Stage, metadata, wait_for

CONTENT = os.urandom(200_000)
STRANGER = "pump 7/ü.1+#"


class Site(Stage):
    """The service and its broker; `known` are registered beforehand, `strangers` have a user there and no more."""

    def __init__(self, known=(), strangers=(), *settings):
        super().__init__(*settings)
        self.known, self.strangers = known, strangers
        self.broker = Broker(self.directory)
        self.service.settings += self.broker.settings(self.service.url)
        self.service.environment = self.broker.environment()
        self.devices = []

    def __enter__(self):
        super().__enter__()   # without a broker: it starts all the same
        for name in self.known:
            answer = self.service.call("PUT", f"/api/v1/ota/devices/{level(name)}", {"attributes": {}})
            assert answer.status in (200, 201), answer.text
        self.broker.write_users(self.service, self.strangers)
        self.broker.start()
        wait_for("the service is connected", self.connected)
        return self

    def connected(self):
        return self.health()["status"] == "healthy"

    def health(self):
        return self.service.call("GET", "/health/detailed").json["dependencies"]["mqtt"]

    def device(self, name, user=None):
        self.devices.append(Device(self.broker, name, user))
        return self.devices[-1]

    def firmware(self, version):
        answer = self.service.upload(CONTENT, metadata(version))
        assert answer.status == 201, answer.text
        return answer.json["firmware_id"]

    def campaign(self, firmware, devices, **more):
        body = {"name": "over MQTT", "firmware_id": firmware, "strategy": "immediate", "target_devices": devices, **more}
        campaign = self.service.post("/campaigns", body, status=201)["campaign_id"]
        self.service.post(f"/campaigns/{campaign}/start")
        return campaign

    def update(self, command):
        return self.service.get(f"/updates/{command['update_id']}")

    def wait_for_status(self, command, status):
        wait_for(f"{command['update_id']} is {status}", lambda: self.update(command)["status"] == status, 30)

    def __exit__(self, kind, value, trace):
        for device in self.devices:
            device.disconnect()
        self.broker.kill()
        if kind is not None:
            print(self.broker.tail())
        super().__exit__(kind, value, trace)


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


def main():
    os.environ["no_proxy"] = "127.0.0.1"
    a_stranger_is_updated()
    print("devices over MQTT are updated")


if __name__ == "__main__":
    main()
