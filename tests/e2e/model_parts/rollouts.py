"""The model, continued: campaigns, what operators say to them, and what follows of itself."""
from . import versions
from .campaign import CLOSED, Campaign
from .things import PRIORITIES, Update


def raised(priority, firmware):
    """Security updates are never below high (decision 6)."""
    return max(priority, "high", key=PRIORITIES.index) if firmware.security else priority


def holds(device, field, operator, value):
    if field == "group":
        return value in device.groups
    known = device.version if field == "firmware_version" else device.attributes.get(field, "")
    if operator == "lt":
        return bool(known) and versions.compare(known, value) < 0
    return known != value if operator == "ne" else known == value


class Rollouts:
    # ---- creation ----------------------------------------------------------------------------------------------

    def create_campaign(self, label, firmware, policy, targets, creator):
        policy["priority"] = raised(policy["priority"], firmware)
        made = Campaign(label, firmware, policy, creator, self.tick())
        for name in sorted(set(targets["devices"]) | self.matching(targets)):
            made.targeted += 1
            device = self.device(name)
            # A deleted or unknown id: taken when it appears (decision 13).
            life = device.life if device.alive else device.life + 1
            misfit = firmware.misfits(device) if device.alive else ""
            if not misfit and firmware.beta and not policy["allow_beta"] and not (device.alive and self.wants_beta(device)):
                misfit = "beta_not_opted_in"                 # decisions 6 and 18
            if misfit:
                made.excluded[misfit] = made.excluded.get(misfit, 0) + 1
            else:
                made.left_out.add((name, life))
        refusals = {409} if firmware.status != "available" else set()
        if firmware.beta and not policy["allow_beta"] and not made.left_out:
            refusals.add(422)
        if refusals:
            return refusals
        self.campaigns[label] = made
        return 201

    def matching(self, targets):
        """Of groups and of the filter, all of whose clauses must hold: [field, operator, value]."""
        names = set()
        for device in self.devices.values():
            fits = targets["filter"] and all(holds(device, *clause) for clause in targets["filter"])
            if device.alive and (fits or set(device.groups) & set(targets["groups"])):
                names.add(device.name)
        return names

    def how_many_picked(self, campaign):
        """Exact: ceil(x % of n) (design 4)."""
        return -(-len(campaign.left_out) * campaign.policy["rollout_percentage"] // 100)

    def pick(self, campaign, keys):
        """Which ones is the service's choice."""
        policy = campaign.policy
        for name, life in sorted(keys):
            device = self.device(name)
            update = Update(device, campaign.firmware, campaign.since, campaign,
                            priority=policy["priority"], max_retries=policy["max_retries"], force=policy["force_update"],
                            window=policy["window"], download_only=policy["download_only"],
                            needs_proof=policy["require_version_proof"])
            update.life = life
            campaign.members[name, life] = update
            if device.life == life:
                device.updates.append(update)
        campaign.left_out -= set(keys)
        campaign.make_canary()

    # ---- commands ----------------------------------------------------------------------------------------------

    def command(self, campaign, verb, user=None, approved=True):
        """An operator's word; 200 also where it is so already."""
        allowed = getattr(self, "allow_" + verb.replace("-", "_"))(campaign, user)
        if allowed is not None:
            return allowed
        getattr(self, "do_" + verb)(campaign, approved)
        self.settle()
        return 200

    def allow_start(self, c, _):
        if c.was_started or c.status == "scheduled":
            return 200 if c.status in ("scheduled", "in_progress", "paused", "completed") else 409      # said again
        lacks_approval = c.policy["requires_approval"] and not c.approved
        return 409 if c.status != "created" or lacks_approval or c.firmware.status == "recalled" else None

    def do_start(self, c, _):
        if c.policy["starts_later"]:
            c.status = "scheduled"
        else:
            c.start()

    def allow_approve(self, c, user):
        if c.status not in ("created", "scheduled"):
            return 409
        own_work = c.policy["requires_approval"] and user in (None, c.creator)      # decision 19
        return 409 if own_work else None

    def do_approve(self, c, approved):
        c.approved = approved

    def allow_pause(self, c, _):
        return {"paused": 200, "in_progress": None}.get(c.status, 409)

    def do_pause(self, c, _):
        c.status, c.paused_by = "paused", "operator"

    def allow_resume(self, c, _):
        if c.status == "paused" and c.firmware.status == "recalled":
            return 409
        return {"in_progress": 200, "paused": None}.get(c.status, 409)

    def do_resume(self, c, _):
        self.go_on(c)
        if c.paused_by == "canary" and c.in_canary():
            c.canary.topped_up += max(1, c.canary_asks_for)
            c.cohort = None                      # it grows: to be learned again

    def go_on(self, c):
        c.status = "in_progress"
        if c.paused_by != "operator":
            c.judged_failed = c.failed()

    def allow_promote(self, c, _):
        if c.canary is None:
            return 409
        if c.promoted:
            return 200
        running = c.status in ("in_progress", "paused") and c.firmware.status != "recalled"
        return None if running else 409

    def do_promote(self, c, _):
        self.promote(c)
        if c.status == "paused" and c.paused_by == "canary":
            self.go_on(c)

    def promote(self, c):
        c.promoted = True
        c.batch, c.batch_granted, c.batch_settled = 2, 0, 0

    def allow_switch(self, c, _):
        if c.policy["deployment_strategy"] != "blue_green":
            return 409
        if c.switched:
            return 200
        return None if c.status == "in_progress" and c.firmware.status != "recalled" else 409

    def do_switch(self, c, _):
        c.switched = True
        for update in c.updates():
            if update.held:
                update.held, update.released = False, True

    def allow_finish(self, c, _):
        if c.finished or c.status == "completed":
            return 200
        return None if c.status in ("scheduled", "in_progress", "paused") else 409

    def do_finish(self, c, _):
        c.finished = True
        c.cancel_pending()

    def allow_cancel(self, c, _):
        if c.status == "cancelled":
            return 200
        return 409 if c.status in CLOSED or c.status == "rollback" else None

    def do_cancel(self, c, _):
        c.status = "cancelled"
        c.cancel_pending()
        self.stop(c, "not_installing")

    def allow_rollback(self, c, _):
        if c.status == "rollback":
            return 200
        nobody = c.policy["download_only"] or c.closed and c.count("completed") == 0
        return 409 if c.status in ("created", "scheduled") or nobody or len(c.rollbacks) == 15 else None

    def do_rollback(self, c, _):
        self.roll_back(c, "manual")

    def roll_back(self, c, trigger):
        c.begin_rollback(trigger)
        self.stop(c, "not_installing" if c.firmware.status == "recalled" else "not_started")

    def stop(self, c, reach):
        """Who holds would hold for ever; who installs is left to finish."""
        for update in list(c.updates()):
            if update.runs():
                self.cancel(update, reach="not_installing" if update.held else reach)

    # ---- what follows ------------------------------------------------------------------------------------------

    def settle(self):
        """What follows of itself, until nothing does."""
        for campaign in self.campaigns.values():
            self.look_for_hopeless(campaign)
            step = campaign.next_step()
            while step:
                self.take_step(campaign, step)
                self.look_for_hopeless(campaign)
                step = campaign.next_step()

    def take_step(self, c, step):
        if step == "promote":
            self.promote(c)
        elif step == "open a batch":
            c.batch, c.batch_granted, c.batch_settled = c.batch + 1, 0, 0
        elif step == "switch":
            self.do_switch(c, None)
        elif step == "finish for the recall":
            self.do_finish(c, None)
        elif step == "close as failed":
            c.status = "failed"
        elif step.startswith("pause"):
            c.status, c.paused_by = "paused", "canary" if "canary" in step else "recalled"
        elif step.startswith("roll back"):
            self.roll_back(c, step.split()[-1])
        else:
            if c.status == "rollback":
                c.status = "cancelled" if c.rollback_trigger == "manual" else "failed"
            elif c.status not in CLOSED:
                c.status = c.outcome()
            c.closed = True
