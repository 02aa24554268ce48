"""What the model knows of firmware, devices and their updates. Data, and what can be read from it at once."""
from . import versions

PRIORITIES = ("low", "normal", "high", "critical", "emergency")
PHASES = ("in_progress", "downloading", "verifying", "installing", "rebooting")
ENDS = ("completed", "failed", "cancelled", "rollback")
ANY = "(any)"                                   # an error code that the specification does not name
UNSAID = None                                    # whether there is one, it does not say
FIRST_ACTION = 1_000_001                         # decision 21


def next_action(last):
    """One more, but never d x 10^k: Zephyr loses the first digit (decision 21)."""
    action = FIRST_ACTION if last is None else last + 1
    while str(action)[1:].strip("0") == "":
        action += 1
    return action


class Firmware:
    def __init__(self, label, fields, identity, size):
        self.label, self.id, self.size = label, identity, size
        self.version, self.model = fields["version"], fields["model"]
        self.beta, self.security = fields["beta"], fields["security"]
        self.lowest, self.highest = fields.get("min_hardware"), fields.get("max_hardware")
        self.status = "available"

    def misfits(self, device):
        """Known and different (decision 5); what is unknown goes on."""
        model, hardware = device.attributes.get("device_model"), device.attributes.get("hardware_version")
        if model and model != self.model:
            return "incompatible_model"
        if hardware and not versions.in_range(hardware, self.lowest, self.highest):
            return "incompatible_hardware"
        return ""


class Device:
    def __init__(self, name):
        self.name = name
        self.life = 0                            # each return is a new one: in no old campaign (decision 22)
        self.alive = False
        self.attributes, self.groups, self.owner = {}, [], None
        self.said = set()                        # the attributes whose value is the device's own word
        self.version = ""                        # what it runs, as every rule reads it; "": unknown
        self.updates = []                        # all that was ever meant for it, the oldest first
        self.last_action = None
        self.actions = {}                        # number -> (update, attempt)
        self.installed = None                    # the newest update that succeeded
        self.followed = False                    # by a newer update: the older success is refuted no more
        self.installed_action = None
        self.wants_attributes = False            # the configData link

    def active(self):
        return next((u for u in self.updates if u.status in PHASES), None)

    def waiting(self):
        return [u for u in self.updates if u.status == "scheduled"]

    def asked_for_consent(self):
        return [u for u in self.waiting() if u.consent == "asked"]

    def can_hold(self):
        return self.attributes.get("can_hold") in ("true", "1")

    def there_already(self, version):
        return bool(self.version) and versions.compare(self.version, version) >= 0

    def take_action(self, update, attempt):
        self.last_action = next_action(self.last_action)
        self.actions[self.last_action] = (update, attempt)
        return self.last_action

    def history(self):
        """The versions that it is known to have run (BR-OTA-032)."""
        ran = [u.to_version for u in self.updates if u.status in ("completed", "rollback") and not u.download_only]
        return [v for v in ran + [u.from_version for u in self.updates if u.attempt > 0] if v]


class Rollback:
    """Why an update takes a device back."""

    def __init__(self, trigger, undoes, undone_version):
        self.trigger, self.undoes, self.undone_version = trigger, undoes, undone_version


class Update:
    """One firmware on its way to one device; a rollback is one of another kind."""

    def __init__(self, device, firmware, since, campaign=None, rollback=None, **plan):
        self.device, self.life, self.firmware, self.since = device, device.life, firmware, since
        self.campaign, self.rollback = campaign, rollback
        self.id = None
        self.to_version = firmware.version if firmware else ""
        self.from_version = ""
        self.priority = plan.get("priority", "normal")
        self.max_retries = plan.get("max_retries", 3)
        self.force = plan.get("force", False)
        self.allow_beta = plan.get("allow_beta", False)          # of a direct one
        self.window = plan.get("window")
        self.download_only = plan.get("download_only", False)
        self.needs_proof = plan.get("needs_proof", False)
        self.status = "scheduled"
        self.attempt, self.retry_count, self.batch = 0, 0, 0
        self.error, self.error_device = "", None     # as shown; the code that the device gave
        self.wait = ""                           # between attempts: "now" or "later"
        self.is_retry = False                    # the present attempt is one
        self.reopened = False                    # by /retry, and not granted since
        self.consent = ""                        # "asked", "given"
        self.consent_action = None
        self.hold = self.held = self.released = False
        self.said_ill = False                    # a success of it that its device's bad health refuted
        self.started = self.cancelling = self.was_asked_to_cancel = self.refused_to_cancel = False
        self.counted_as = None                   # first grant: the model of the device then
        self.action, self.progress, self.within = None, 0, 0

    @classmethod
    def back_from(cls, deployment, target):
        """The rollback of a campaign's deployment."""
        campaign = deployment.campaign
        why = Rollback(campaign.rollback_trigger, deployment, deployment.to_version)
        back = cls(deployment.device, target, campaign.since, campaign, why, priority="critical", force=True,
                   max_retries=deployment.max_retries)
        back.life = deployment.life
        back.from_version, back.to_version = deployment.to_version, deployment.from_version
        return back

    def is_pending(self):
        return self.status == "scheduled"

    def runs(self):
        return self.status in PHASES

    def is_over(self):
        return self.status in ENDS

    def is_own(self):
        """Of the device alone, not of a campaign."""
        return self.campaign is None

    def is_here(self):
        """Its device is the one that it was meant for: a returned one is in no old campaign (decision 22)."""
        return self.device.alive and (self.is_own() or self.life == self.device.life)

    def lost_its_device(self):
        """Deleted, or another life of it; an id that was reserved and never seen is not lost."""
        return self.device.life > 0 and not self.is_here()

    def deployment_campaign(self):
        """The campaign whose counters it moves: rollbacks move none (decision 10)."""
        return None if self.rollback else self.campaign

    def shown_status(self):
        if self.status == "scheduled" and self.campaign and not self.campaign.was_started:
            return "created"
        return self.status

    def reached(self, phase):
        return self.runs() and PHASES.index(self.status) >= PHASES.index(phase)
