"""The model, continued: what devices say."""
from . import versions
from .things import ANY, PHASES, UNSAID, Rollback

SAID_PHASES = {"download": "downloading", "downloaded": "verifying"}
NOTES = ("rejected", "canceled", "scheduled", "resumed")      # an entry in the log, no more


class Reports:
    # ---- how attempts end --------------------------------------------------------------------------------------

    def end_cancelled(self, update, error=""):
        campaign = update.deployment_campaign()
        if campaign and update.runs():
            campaign.first_attempt_settled(update)
        if campaign and campaign.canary:
            campaign.canary.left(update)
        update.held = update.cancelling = update.said_ill = False
        update.status, update.wait, update.consent = "cancelled", "", ""
        update.error = error or UNSAID

    def end_failed(self, update, shown, code):
        """Decision 8: with retries left it is not failed, it waits."""
        campaign = update.deployment_campaign()
        # A device that was asked to stop is not asked to try again, nor is recalled firmware.
        recalled = update.is_own() and update.firmware is not None and update.firmware.status == "recalled"
        waits = update.retry_count < update.max_retries and not update.cancelling and not recalled
        if campaign:
            campaign.first_attempt_settled(update)
            campaign.attempt_failed(update, code)
        update.held = update.cancelling = update.said_ill = False
        update.error = shown
        if not waits:
            update.status = "failed"
            return
        update.progress = 0
        update.retry_count += 1
        update.status, update.wait = "scheduled", "later"
        if campaign and campaign.takes_nobody():
            update.status, update.wait, update.error = "cancelled", "", UNSAID

    def end_well(self, update):
        campaign = update.deployment_campaign()
        if campaign:
            campaign.first_attempt_settled(update)
            if campaign.in_canary():
                campaign.canary.ended(update, "ok")
            campaign.to_look_at.append(update)
        update.held = update.cancelling = update.said_ill = False
        update.status, update.error, update.progress = "completed", "", 100
        device = update.device
        device.wants_attributes = update.download_only or not self.grace
        if not update.download_only:
            device.installed, device.installed_action, device.followed = update, update.action, False
            device.version = device.attributes["firmware_version"] = update.to_version
            device.said.discard("firmware_version")
        undone = update.rollback and update.rollback.undoes
        if undone and undone.status == "completed":
            undone.status = "rollback"           # for good, and it stays counted as completed (decision 10)

    # ---- DDI: deployments --------------------------------------------------------------------------------------

    def found(self, name, action):
        """(update, attempt) behind an action of this device."""
        return self.device(name).actions.get(action, (None, 0))

    def fetch(self, name, action):
        """GET deploymentBase: the first one starts the attempt (decision 7). The status, and whether to install."""
        update, attempt = self.found(name, action)
        if update is None or update.attempt != attempt or update.cancelling or update.status in ("cancelled", "scheduled"):
            return 404, None
        if update.runs():
            update.started = True
        if update.status == "rollback":
            return (200, 404), None              # it is over, and undone: either may be said
        waits = update.runs() and update.hold and not update.released and not update.reached("installing")
        installs = not update.download_only and not waits
        return 200, installs

    def report(self, name, action, say, progress=None, code=None):
        """POST deploymentBase/feedback: what is late changes nothing, and is answered 200 all the same."""
        update, attempt = self.found(name, action)
        if update is None or attempt > update.attempt:
            return 404
        if update.attempt != attempt or not update.runs():
            return 200
        if say in ("success", "none"):
            self.succeed(update)
        elif say == "failure":
            self.end_failed(update, ANY, f"device {code}")
        elif say in NOTES:
            update.started = True
        else:
            self.proceed(update, SAID_PHASES.get(say) or self.next_phase(update), progress)
        self.settle()
        return 200

    def next_phase(self, update):
        """What `proceeding` means is taken from where it is. One that is to hold does not install yet."""
        if update.status == "in_progress":
            return "downloading"
        may_install = not update.hold or update.released
        return "installing" if update.status == "verifying" and may_install else update.status

    def proceed(self, update, phase, progress):
        if PHASES.index(phase) < PHASES.index(update.status):
            return                               # an earlier phase: late (decision 26)
        update.started = True
        within = max(progress or 0, update.within if phase == update.status else 0)
        update.status, update.within = phase, within
        reached = {"in_progress": 5, "downloading": 5 + 0.45 * within, "verifying": 55, "installing": 60 + 0.30 * within,
                   "rebooting": 92}[phase]
        update.progress = max(update.progress, reached)
        if not update.reached("verifying"):
            return
        if update.download_only:
            self.end_well(update)                # decision 32
        elif update.reached("installing"):
            if update.held:                      # whoever let it go: it does not wait any more
                update.held, update.released = False, True
        elif update.hold and not update.held and not update.released:
            update.held, update.released = not update.campaign.switched, update.campaign.switched

    def succeed(self, update):
        seen = versions.same(update.device.version, update.to_version)
        if update.needs_proof and not update.download_only and not seen:
            self.proceed(update, "rebooting", None)
        else:
            self.end_well(update)

    # ---- gateways, on behalf of a device (POST /updates/{id}/status) -------------------------------------------

    def status_report(self, update, status, error_code=None, download=None):
        if update.attempt == 0:
            return 409
        if not update.runs():
            return 200
        if status == "completed":
            self.succeed(update)
        elif status == "failed":
            self.end_failed(update, error_code or ANY, error_code)
        elif status == "cancelled":
            self.end_cancelled(update, "" if update.cancelling else "declined")      # decision 33; or it was asked to stop
        else:
            self.proceed(update, status, download)
        self.settle()
        return 200

    # ---- DDI: cancellation and consent -------------------------------------------------------------------------

    def cancel_offered(self, name, action):
        """GET cancelAction."""
        update, attempt = self.found(name, action)
        offered = update is not None and update.attempt == attempt and (update.cancelling or update.status == "cancelled")
        return 200 if offered else 404

    def answer_cancel(self, name, action, say):
        update, attempt = self.found(name, action)
        if update is None:
            return 404
        if update.attempt != attempt:
            return 200, 404, 405                 # long over, or not granted yet
        if not update.was_asked_to_cancel and update.status != "cancelled":
            return 405
        if update.runs() and update.cancelling:
            if say in ("success", "none"):
                self.end_cancelled(update)
            elif say in ("failure", "rejected"):             # its result stands (decision 24)
                update.cancelling, update.refused_to_cancel = False, True
        self.settle()
        return 200

    def consent_offered(self, name, action):
        update, attempt = self.found(name, action)
        waits = update is not None and update.consent == "asked" and update.attempt + 1 == attempt
        return 200 if waits else 404

    def answer_consent(self, name, action, agreed):
        """Decision 32: confirmed passes the gates again, denied ends it as declined."""
        update, attempt = self.found(name, action)
        if update is None or update.rollback or not (update.campaign and update.campaign.policy["requires_device_confirmation"]):
            return 404
        if update.attempt + 1 == attempt and update.is_pending() and update.consent:
            if agreed:
                update.consent = "given"
            else:
                self.end_cancelled(update, "declined")
        elif update.attempt == attempt and not agreed and update.runs():
            if update.started:
                return 409
            self.end_cancelled(update, "declined")
        elif update.attempt != attempt:
            return 200, 404, 410                 # long over
        self.settle()
        return 200

    # ---- what a device is (decisions 12, 27) -------------------------------------------------------------------

    def note_attribute(self, device, key, value, by_device):
        """What is said already stays whose it was."""
        counts_now = key == "firmware_version" and value != device.version and not self.is_in_grace(device, value)
        if device.attributes.get(key) != value or counts_now:
            (device.said.add if by_device else device.said.discard)(key)
        device.attributes[key] = value

    def note_version(self, device, version):
        """Too soon after a success another version says nothing."""
        if not self.is_in_grace(device, version):
            device.version = version

    def is_in_grace(self, device, version):
        done = device.installed
        return bool(self.grace and done and not device.followed and not versions.same(version, done.to_version))

    def config(self, name, mode, data):
        """PUT configData."""
        device = self.device(name)
        if not device.alive:
            return 404
        given = {} if mode == "remove" else {k: v for k, v in data.items() if v is not None}
        gone = set(data) - set(given) if mode != "replace" else set(data) - set(given) | device.said - set(given)
        said = given.get("firmware_version")
        for key, value in given.items():
            self.note_attribute(device, key, value, by_device=True)
        if said is not None:
            self.note_version(device, said)
        elif "firmware_version" in gone & set(device.attributes) and not self.is_in_grace(device, ""):
            device.version = ""
        for key in gone:
            device.attributes.pop(key, None)
            device.said.discard(key)
        device.wants_attributes = False
        if mode != "remove":
            self.listen_to(device, said, data.get("health"))
        for update in device.updates:            # what waited for its version to be seen
            if update.status == "rebooting" and update.needs_proof and versions.same(device.version, update.to_version):
                self.end_well(update)
        self.settle()
        return 200

    def listen_to(self, device, version, health):
        """The device's own word against its last success."""
        done = device.installed
        if done is None or device.followed:
            return
        judges = done.campaign and not done.rollback and done.campaign.acts_on("health_check")
        if health == "failed" and judges:
            self.refute(device, done)
            done.said_ill = done.status == "failed"
            self.take_back_for_health(device, done)
        elif version and not versions.same(version, done.to_version) and not self.is_in_grace(device, version):
            self.refute(device, done)

    def refute(self, device, done):
        """Completed -> failed (decision 23): counters and verdict follow."""
        device.installed = device.installed_action = None
        if done.status != "completed":
            return
        done.status, done.error = "failed", ANY
        campaign = done.deployment_campaign()
        if campaign:
            if campaign.in_canary():
                campaign.canary.refuted(done)
            campaign.going_back().pop(done, None)

    def take_back_for_health(self, device, done):
        target = self.stored(done.firmware.model, done.from_version) if done.from_version else None
        why = Rollback("health_check", done, done.to_version)
        back = self.take_back(device, target, done.from_version, why)
        if target is None or target.status == "recalled" or versions.same(done.from_version, done.to_version):
            back.status, back.error = "failed", ANY

    def health_report(self, update, health):
        """POST /updates/{id}/status {"health"}: of the newest success of its device alone."""
        device = update.device
        if update.said_ill and health == "failed" and update.status == "failed":
            return 200                           # said again
        if device.installed is not update:
            return 409
        if not device.alive:
            return 404
        self.note_attribute(device, "health", health, by_device=True)
        device.wants_attributes = False
        self.listen_to(device, None, health)
        self.settle()
        return 200
