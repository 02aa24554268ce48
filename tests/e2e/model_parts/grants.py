"""The model, continued: what a device is offered when it asks (decision 9, design 4)."""
from . import versions
from .things import ANY, PRIORITIES, Update

GATES = ("known", "targeted", "in_percentage", "compatible", "beta", "not_there_yet", "not_busy", "approved",
         "campaign_running", "content", "owner", "window", "consent", "retry_time", "batch", "concurrency")

SKIPS = {"compatible": "incompatible", "not_there_yet": "already_there"}     # these do not wait, they end it


def is_closed(window, device):
    """"open" and "closed" are of UTC; "day" is open in UTC, and closed for devices that say they live far away."""
    return window == "closed" or window == "day" and device.attributes.get("timezone") == "Pacific/Auckland"


class Grants:
    def poll(self, name):
        """The links that the device is shown, or None: 404. A deleted id is not registered by its polls (22)."""
        device = self.device(name)
        if not device.alive and device.life:
            return None
        if not device.alive:
            self.come_to_life(device)
        self.make_room(device)
        if device.active() is None:
            self.choose(device)
        links = self.links(device)
        self.settle()
        return links

    def links(self, device):
        links = {"configData": device.wants_attributes, "installedBase": device.installed_action}
        active = device.active()
        if active and active.cancelling:
            links["cancelAction"] = [active.action]
        elif active and not (active.needs_proof and active.status == "rebooting"):
            links["deploymentBase"] = [active.action]
        elif not active and device.asked_for_consent():
            links["confirmationBase"] = [u.consent_action for u in device.asked_for_consent()]
        return links

    # ---- the choice --------------------------------------------------------------------------------------------

    def candidates(self, device):
        """Priority, direct before campaign, age; a closed gate lets the next one try."""
        found = [u for u in device.waiting() if u.wait != "later" and u.is_here() and self.may_be_asked_for(u)]
        for campaign in self.campaigns.values():
            if campaign.status != "rollback" or not campaign.has_place():
                continue
            for deployment in campaign.to_go_back():
                if deployment.device is device and deployment.is_here():
                    found.append(deployment)     # stands for its rollback, which begins with its grant
        return sorted(found, key=lambda u: (-self.rank(u), 0 if u.is_own() else 1, u.since))

    def rank(self, update):
        return PRIORITIES.index("critical" if update.status == "completed" else update.priority)

    def may_be_asked_for(self, update):
        """Whether its campaign has room for it; a device's own updates wait for nobody."""
        campaign = update.campaign
        if campaign is None:
            return True
        if update.rollback:
            return campaign.status == "rollback" and campaign.has_place()
        if campaign.status != "in_progress" or campaign.finished or campaign.firmware.status == "recalled":
            return False
        outside_canary = campaign.in_canary() and (update.device.name, update.life) not in campaign.cohort
        if campaign.policy["window"] == "closed" or outside_canary and not update.wait:
            return False
        if campaign.policy["requires_device_confirmation"] and not update.consent:
            return True                          # a question takes no place (decision 32)
        return campaign.has_place() and (bool(update.wait) or campaign.batch_is_open())

    def choose(self, device):
        for update in self.candidates(device):
            if update.status == "completed":
                if self.go_back(device, update):
                    return
            elif update.is_own() or update.rollback:
                if self.try_own(device, update):
                    return
            elif self.try_campaign(device, update):
                return

    def try_own(self, device, update):
        if update.rollback and update.campaign and update.firmware.status == "recalled":
            update.status, update.wait, update.error = "failed", "", ANY
            return False
        gate = self.closed_gate(device, update)
        if gate in SKIPS and not self.closed_gate(device, update, skips=False):
            self.end_cancelled(update, SKIPS[gate])          # much may have happened since it was asked for (4, 5)
        if gate:
            return False
        if update.rollback and device.version and not versions.same(device.version, update.rollback.undone_version):
            self.end_cancelled(update, "superseded")
            return False
        self.grant(device, update)
        return True

    def try_campaign(self, device, update):
        """One that is known not to fit, or is there already, is skipped: in no rate (decision 11)."""
        gate = self.closed_gate(device, update)
        if gate in SKIPS:
            self.end_cancelled(update, SKIPS[gate])
            return False
        if gate == "consent" and not update.consent:
            update.consent = "asked"
            update.consent_action = device.take_action(update, update.attempt + 1)
            return True
        if gate:
            return False
        self.grant(device, update)
        return True

    # ---- a campaign's rollbacks (decision 10) ------------------------------------------------------------------

    def way_back(self, deployment):
        """The firmware before, if it is known, another one, stored and not recalled."""
        if versions.same(deployment.from_version, deployment.to_version):
            return None
        known = self.stored(deployment.campaign.firmware.model, deployment.from_version) if deployment.from_version else None
        return known if known and known.status != "recalled" else None

    def is_hopeless(self, deployment):
        """It runs something else by now, or cannot go back."""
        runs = deployment.device.version
        other = runs and not versions.same(runs, deployment.to_version)
        return bool(other) or self.way_back(deployment) is None

    def go_back(self, device, deployment):
        if self.is_hopeless(deployment):
            self.give_up(deployment)
            return False
        back = Update.back_from(deployment, self.way_back(deployment))
        deployment.campaign.going_back()[deployment] = back
        device.updates.append(back)
        self.grant(device, back)
        return True

    def give_up(self, deployment):
        """Nothing waits for it."""
        device, rollbacks = deployment.device, deployment.campaign.going_back()
        if deployment not in rollbacks:
            rollbacks[deployment] = Update.back_from(deployment, self.way_back(deployment))
            device.updates.append(rollbacks[deployment])
        back = rollbacks[deployment]
        if device.version and not versions.same(device.version, deployment.to_version):
            self.end_cancelled(back, "superseded")
        else:
            back.status, back.wait, back.error = "failed", "", ANY

    def look_for_hopeless(self, campaign):
        """When a rollback begins, and when a device completes during it. A busy device is decided on when it asks."""
        looked_at = campaign.to_look_at if campaign.status == "rollback" else []
        for deployment in looked_at:
            waits = deployment in campaign.to_go_back() and deployment.is_here() and not deployment.device.active()
            if waits and self.is_hopeless(deployment):
                self.give_up(deployment)
        campaign.to_look_at = []

    def grant(self, device, update):
        campaign = update.deployment_campaign()
        update.is_retry = bool(update.wait)
        if update.consent == "given" and update.consent_action in device.actions and \
                device.actions[update.consent_action][1] == update.attempt + 1:
            update.action = update.consent_action            # the grant keeps the number that was agreed to (21)
        else:
            update.action = device.take_action(update, update.attempt + 1)
        update.from_version = update.from_version if update.rollback else device.version
        update.attempt, update.reopened = update.attempt + 1, False
        update.status, update.wait, update.within, update.progress = "in_progress", "", 0, 5
        update.started = update.cancelling = update.was_asked_to_cancel = update.refused_to_cancel = False
        update.hold = update.held = update.released = False
        update.counted_as = update.counted_as or device.attributes.get("device_model") or "unknown"
        device.followed = True                   # an older success is refuted no more
        if campaign is None:
            return
        if not update.is_retry and campaign.has_batches():
            update.batch = campaign.batch
            campaign.batch_granted += 1
        if campaign.in_canary():
            campaign.canary.granted(update)
        update.hold = campaign.waits_for_switch() and device.can_hold()

    # ---- an emergency ------------------------------------------------------------------------------------------

    def make_room(self, device):
        """An emergency update asks a lower one that does not install yet to cancel (decision 9): when it is asked for, or
        when the device polls."""
        active = device.active()
        if active is None or active.priority == "emergency" or active.cancelling:
            return
        if any(self.rank(u) == PRIORITIES.index("emergency") and not self.closed_gate(device, u, busy=False)
               for u in self.candidates(device)):
            self.cancel(active, reach="not_installing")

    # ---- the gates ---------------------------------------------------------------------------------------------

    def closed_gate(self, device, update, busy=True, skips=True):
        """The first closed gate before an update that waits; empty: none. Without what is under way, or those that end it."""
        gates = (g for g in GATES if (busy or g != "not_busy") and (skips or g not in SKIPS))
        return next((g for g in gates if self.gate_is_closed(g, device, update)), "")

    def gate_is_closed(self, gate, device, update):
        campaign = update.campaign
        own = update.is_own() or update.rollback
        if gate == "known":
            return not device.alive
        if gate == "targeted":
            return not update.is_here()
        if gate == "not_busy":
            return device.active() is not None
        if gate == "content":
            return update.firmware.status == "recalled"
        if gate == "owner":
            return not update.rollback and self.paused_by_owner(device)
        if gate == "window":
            return is_closed(update.window, device)
        if gate == "retry_time":
            return update.wait == "later"
        if gate == "compatible":
            return not update.rollback and not (update.is_own() and update.force) and bool(update.firmware.misfits(device))
        if gate == "not_there_yet":
            return not update.rollback and not update.force and device.there_already(update.to_version)
        if gate == "beta" and own:
            return not update.rollback and update.firmware.beta and not update.allow_beta and not self.wants_beta(device)
        if own:
            return False
        if gate == "beta":
            return campaign.firmware.beta and not campaign.policy["allow_beta"] and not self.wants_beta(device)
        if gate == "approved":
            return campaign.policy["requires_approval"] and not campaign.approved
        if gate == "campaign_running":
            return campaign.status != "in_progress" or campaign.finished or campaign.firmware.status == "recalled"
        if gate == "consent":
            return campaign.policy["requires_device_confirmation"] and update.consent != "given"
        if gate == "batch":
            if campaign.waits_for_switch():      # a retry as well: it could not hold
                return not device.can_hold()
            return not update.wait and self.batch_is_closed(campaign, device, update)
        return gate == "concurrency" and not campaign.has_place()

    def batch_is_closed(self, campaign, device, update):
        if campaign.in_canary() and (device.name, update.life) not in campaign.cohort:
            return True
        return not campaign.batch_is_open()

    def own_gate(self, device, update):
        """As closed_gate() of a device's own update, of which only the first in line is next."""
        gate = self.closed_gate(device, update)
        waiting = [u for u in device.waiting() if u.is_own() and not self.closed_gate(device, u, busy=False)]
        first = min(waiting, key=lambda u: (-self.rank(u), u.since), default=update)
        return "not_busy" if not gate and first is not update else gate
