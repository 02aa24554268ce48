"""The model: what the service must be after any sequence of actions, in plain data and in memory.

Written from the specification, not from the service's code. Time does not pass here: waits are waits (a retry comes when
an operator says so), and nothing times out. Every method returns the status, or the statuses, that the answer may have;
where several errors stand in the way the specification does not say which is named.
"""
from . import versions
from .fleet import Fleet
from .grants import Grants
from .reports import Reports
from .rollouts import Rollouts, raised
from .things import Rollback, Update


class World(Fleet, Rollouts, Grants, Reports):
    def __init__(self, grace):
        self.grace = grace                       # a device may report its old version for a while after a success
        self.firmware, self.devices, self.campaigns, self.direct = {}, {}, {}, {}
        self.people = {}                         # user -> preferences
        self.clock = 0

    def tick(self):
        self.clock += 1
        return self.clock

    # ---- updates -----------------------------------------------------------------------------------------------

    def request(self, label, device, firmware, options):
        """A direct update (decisions 4, 5, 6, 9)."""
        if not device.alive:
            return 404
        refusals = set()
        pending = [u for u in device.updates if u.is_own() and not u.is_over()]
        if firmware.status != "available" or any(u.firmware is firmware for u in pending):
            refusals.add(409)
        if firmware.beta and not options["allow_beta"] and not self.wants_beta(device):
            refusals.add(422)
        if not options["force"] and (firmware.misfits(device) or device.there_already(firmware.version)):
            refusals.add(409)
        if refusals:
            return refusals
        update = Update(device, firmware, self.tick(), priority=raised(options["priority"], firmware),
                        max_retries=options["max_retries"], force=options["force"], window=options["window"],
                        allow_beta=options["allow_beta"])
        update.from_version = device.version
        device.updates.append(update)
        self.direct[label] = update
        if update.priority == "emergency":
            self.make_room(device)
            self.settle()
        return 201

    def roll_back_device(self, label, device, to_version):
        """BR-OTA-032, decision 10: to a version that it had, that is stored and not recalled."""
        if not device.alive:
            return 404
        known = device.installed.firmware.model if device.installed else device.attributes.get("device_model")
        firmware = self.stored(known, to_version)
        under_way = any(u.rollback and not u.is_over() for u in device.updates)
        possible = to_version in device.history() and not versions.same(to_version, device.version) and not under_way
        if not possible or firmware is None or firmware.status == "recalled":
            return 409
        brought = device.installed if device.installed and versions.same(device.installed.to_version, device.version) else None
        self.direct[label] = self.take_back(device, firmware, to_version, Rollback("manual", brought, device.version))
        return 201

    def take_back(self, device, firmware, to_version, why):
        """A rollback of this device alone."""
        update = Update(device, firmware, self.tick(), rollback=why, priority="critical", force=True)
        update.from_version, update.to_version = device.version, to_version
        device.updates.append(update)
        return update

    def cancel_by_operator(self, update):
        """Decision 24."""
        if update.status == "cancelled":
            return 200
        if update.is_over():
            return 409
        self.cancel(update, reach="any")
        self.settle()
        return 200

    def retry(self, update):
        """Decision 23."""
        campaign = update.campaign
        open_campaign = campaign is None or campaign.status in ("in_progress", "paused") and not campaign.finished
        if update.lost_its_device() or update.firmware.status == "recalled":
            return 409                           # zero grants of it from its recall on (decision 2)
        twins = [u for u in update.device.updates if u.is_own() and not u.rollback and u.is_pending() or u.runs()]
        if update.is_own() and update.is_over() and any(u.firmware is update.firmware and u.is_own() for u in twins):
            return 409                           # another one for this firmware is pending (decision 9)
        if update.is_pending() and update.wait:
            if update.wait == "later" and not open_campaign and not self.is_going_back(update):
                return 409
            update.wait = "now"
            return 200
        if update.is_pending() and update.reopened:
            return 200                           # said again
        if update.status not in ("failed", "cancelled") or not open_campaign or update.retry_count >= update.max_retries:
            return 409
        update.retry_count += 1
        update.status, update.wait = "scheduled", "now" if update.attempt else ""
        update.consent, update.reopened, update.progress = "", True, 0
        if update.is_own():
            update.since = self.tick()
        self.settle()
        return 200

    def is_going_back(self, update):
        return update.rollback and update.campaign.status == "rollback" and update in update.campaign.going_back().values()

    def cancel(self, update, reach):
        """At once if it has not started; else the device is asked, unless it is further than `reach` allows."""
        if update.is_over():
            return
        if not update.runs() or not update.started:
            self.end_cancelled(update)
        elif reach == "not_started" or (reach == "not_installing" and update.reached("installing")):
            return
        elif not update.cancelling and (reach == "any" or not update.refused_to_cancel):
            update.cancelling, update.was_asked_to_cancel = True, True
