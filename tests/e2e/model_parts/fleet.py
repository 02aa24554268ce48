"""The model, continued: firmware, devices, and what people want for theirs."""
import functools
import hashlib

from . import versions
from .things import Device, Firmware


class Fleet:
    def device(self, name):
        return self.devices.setdefault(name, Device(name))

    # ---- firmware ----------------------------------------------------------------------------------------------

    def upload(self, label, fields, content):
        """BR-OTA-004, 005, decision 1: the same pair with other bytes is refused, with the same ones the one there is."""
        digest = hashlib.sha256(content).hexdigest()
        for known in self.firmware.values():
            if (known.model, known.version) == (fields["model"], fields["version"]):
                return 200 if known.digest == digest else 409
        key = f"{fields['name']}:{fields['version']}:{fields['model']}"
        made = Firmware(label, fields, hashlib.sha256(key.encode()).hexdigest()[:32], len(content))
        made.digest = digest
        self.firmware[label] = made
        return 201

    def change_firmware(self, label, verb):
        """Decision 2."""
        firmware = self.firmware[label]
        if verb == "recall":
            if firmware.status != "recalled":
                firmware.status = "recalled"
                self.stop_recalled(firmware)
            return 200
        if firmware.status == "recalled":
            return 409
        firmware.status = "available" if verb == "restore" else "deprecated"
        return 200

    def stop_recalled(self, firmware):
        """Nothing of it starts any more, and what does not install yet is stopped; campaigns that run are paused."""
        for device in self.devices.values():
            for update in device.updates:
                if update.firmware is firmware and (update.runs() or update.is_own()):
                    self.cancel(update, reach="not_installing")
        self.settle()

    def stored(self, model, version):
        return next((f for f in self.firmware.values() if (f.model, f.version) == (model, version)), None)

    # ---- devices and people ------------------------------------------------------------------------------------

    def put_device(self, name, fields):
        device = self.device(name)
        was_here = device.alive
        if not was_here:
            self.come_to_life(device)
        version = fields.get("attributes", {}).get("firmware_version")
        for key, value in fields.get("attributes", {}).items():
            self.note_attribute(device, key, value, by_device=False)
        if version is not None:
            self.note_version(device, version)
        device.groups = fields.get("groups", device.groups)
        device.owner = fields.get("user_id", device.owner)
        return 200 if was_here else 201

    def come_to_life(self, device):
        """Registered, or returned: with a new number, hence in no old campaign (decision 22)."""
        device.life += 1
        device.alive, device.wants_attributes = True, True
        # Lists that named the id before it was here have reserved this very life of it.
        for campaign in self.campaigns.values():
            update = campaign.members.get((device.name, device.life))
            if update and update not in device.updates:
                device.updates.append(update)

    def delete_device(self, name):
        device = self.device(name)
        if not device.alive:
            return 200 if device.life else 404
        device.alive = False
        for campaign in self.campaigns.values():
            update = campaign.members.get((name, device.life))
            back = campaign.going_back()
            if update in campaign.to_go_back() and campaign.status == "rollback":
                back[update] = "ended"
        for update in device.updates:
            if not update.is_over():
                self.end_cancelled(update)
        self.settle()
        return 200

    def prefer(self, user, beta, paused):
        self.people[user] = {"beta": beta, "paused": paused}
        return 200

    def wants_beta(self, device):
        return self.people.get(device.owner, {}).get("beta", False)

    def paused_by_owner(self, device):
        return self.people.get(device.owner, {}).get("paused", False)

    # ---- figures -----------------------------------------------------------------------------------------------

    def devices_on_latest(self):
        """Devices with a known version, and how many of them have their model's newest that is for everybody (30)."""
        known = latest = 0
        for device in self.devices.values():
            model = device.attributes.get("device_model")
            if not device.alive or not device.version or not model:
                continue
            known += 1
            versions_of = [f.version for f in self.firmware.values()
                           if f.model == model and f.status == "available" and not f.beta]
            newest = max(versions_of, key=functools.cmp_to_key(versions.compare), default=None)
            latest += newest == device.version
        return known, latest
