"""The driver, continued: what operators ask for."""
import datetime

from . import compare
from .difference import Difference

DEFAULTS = {"deployment_strategy": "staged", "priority": "normal", "rollout_percentage": 100, "max_concurrent_updates": 10,
            "batch_size": 50, "batch_settle_percent": 95, "auto_rollback": True, "failure_threshold_percent": 20,
            "min_finished_for_verdict": 20, "rollback_triggers": ["failure_rate"], "requires_approval": False,
            "allow_beta": False, "force_update": False, "max_retries": 3, "error_threshold_count": 10,
            "require_version_proof": False, "requires_device_confirmation": False, "download_only": False}


def hours(count):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=count)


def window_of(word):
    """Windows that neither open nor close during a run."""
    first, last = {"open": (-3, 3), "day": (-3, 3), "closed": (3, 5)}[word]
    zone = "device" if word == "day" else "UTC"
    return {"start": hours(first).strftime("%H:%M"), "end": hours(last).strftime("%H:%M"), "timezone": zone}


class OperatorActions:
    # ---- firmware, devices, people -----------------------------------------------------------------------------

    def do_upload(self, f, model, version, name="Frame", beta=False, security=False, content=0, lowest=None, highest=None):
        bytes_of = f"{model} {version} {content}".encode() * 40
        fields = {"name": name, "version": version, "model": model, "beta": beta, "security": security,
                  "min_hardware": lowest, "max_hardware": highest}
        metadata = {"name": name, "version": version, "device_model": model, "manufacturer": "Acme", "is_beta": beta,
                    "is_security_update": security, "min_hardware_version": lowest, "max_hardware_version": highest}
        if f in self.world.firmware:
            f = f + "'"                          # said again: a label of its own, which nobody uses
        expect = self.world.upload(f, fields, bytes_of)
        status, answer = self.wire.upload(metadata, bytes_of)
        self.say(f"upload {f}: {metadata} -> {status}")
        self.check_status(expect, status, answer)
        if status == 201 and answer["firmware_id"] != self.world.firmware[f].id:
            raise Difference("firmware_id of " + f, self.world.firmware[f].id, answer["firmware_id"])

    def do_firmware(self, f, verb):
        firmware = self.world.firmware.get(f)
        if firmware:
            method, path = ("DELETE", "") if verb == "delete" else ("POST", "/" + verb)
            expect = self.world.change_firmware(f, verb)
            self.call(method, f"/firmware/{firmware.id}{path}", {"reason": "model"}, expect=expect)

    def do_put_device(self, d, fields):
        device = self.world.device(d)
        attributes = dict(fields.get("attributes", {}))
        if self.world.grace and device.installed:
            attributes.pop("firmware_version", None)         # an operator's word within the grace is left open
        if device.alive:
            attributes.pop("timezone", None)                 # windows that open under an update want a clock
        fields = {**fields, "attributes": attributes}
        expect = self.world.put_device(d, fields)
        self.call("PUT", f"/devices/{d}", fields, expect=expect)

    def do_delete_device(self, d):
        self.call("DELETE", f"/devices/{d}", expect=self.world.delete_device(d))

    def do_prefer(self, user, beta, paused):
        body = {"beta_opt_in": beta, "paused_until": hours(9000).strftime("%Y-%m-%dT%H:%M:%SZ") if paused else None}
        self.call("PUT", f"/users/{user}/firmware-preferences", body, expect=self.world.prefer(user, beta, paused))

    # ---- campaigns ---------------------------------------------------------------------------------------------

    def do_create(self, c, f, policy, devices=(), groups=(), where=(), user="ann"):
        firmware = self.world.firmware.get(f)
        if firmware is None or c in self.world.campaigns:
            return
        asked = {**DEFAULTS, **policy}
        if asked["deployment_strategy"] == "canary":         # whose rank is learned from `why`, which knows the known
            devices = [d for d in devices if self.world.device(d).alive]
        body = {"name": c, "firmware_id": firmware.id, "target_devices": list(devices), "target_groups": list(groups), **policy}
        if where:
            body["target_filters"] = {field: {operator: value} for field, operator, value in where}
        for word in ("window", "starts_later", "ends_later"):
            body.pop(word, None)
        if asked.get("window"):
            body["maintenance_window"] = window_of(asked["window"])
        if asked.get("starts_later"):
            body["scheduled_start"] = hours(5).isoformat()
        policy = {"window": None, "starts_later": False, **asked}
        targets = {"devices": devices, "groups": groups, "filter": where}
        expect = self.world.create_campaign(c, firmware, policy, targets, user)
        status, answer = self.call("POST", "/campaigns", body, {"X-User-Id": user}, expect)
        if status == 201:
            self.learn_targets(self.world.campaigns[c], answer)

    def learn_targets(self, campaign, answer):
        campaign.id = answer["campaign_id"]
        rows = self.updates_of(campaign)
        chosen = {row["device_id"] for row in rows}
        keys = {key for key in campaign.left_out if key[0] in chosen}
        wanted = self.world.how_many_picked(campaign)
        if len(rows) != wanted or len(keys) != wanted:
            raise Difference(f"targets of {campaign.label}: {sorted(campaign.left_out)}", f"{wanted} of them", sorted(chosen))
        self.world.pick(campaign, keys)
        for row in rows:
            key = next(k for k in keys if k[0] == row["device_id"])
            campaign.members[key].id = row["update_id"]
        for field, value in (("target_device_count", campaign.targeted), ("excluded", campaign.excluded)):
            if answer[field] != value:
                raise Difference(f"{field} of {campaign.label}", value, answer[field])
        self.learn_cohort(campaign)

    def learn_cohort(self, campaign):
        """Who may be a canary is decided by a hash: asked for, and counted."""
        if not campaign.in_canary() or campaign.cohort is not None:
            return
        campaign.cohort = set()
        for (name, life), update in campaign.members.items():
            if not (update.is_here() and update.is_pending()):
                campaign.cohort.add((name, life))            # nobody is asked about those any more
                continue
            _, answer = self.call("GET", f"/devices/{name}/why?campaign_id={campaign.id}", expect=200)
            gates = {gate["gate"]: gate["open"] for gate in answer["updates"][0]["gates"]}
            if gates["batch"]:
                campaign.cohort.add((name, life))
        if campaign.status == "created" and len(campaign.cohort) != campaign.canary.cohort_size():
            raise Difference(f"how many may be canaries in {campaign.label}", campaign.canary.cohort_size(),
                             len(campaign.cohort))

    def updates_of(self, campaign, query=""):
        _, answer = self.call("GET", f"/campaigns/{campaign.id}/updates?limit=200{query}", expect=200)
        return answer["updates"]

    def do_command(self, c, verb, user="ann", approved=True, stale=False, key=None):
        campaign = self.world.campaigns.get(c)
        if campaign is None:
            return
        body = {"approved": approved} if verb == "approve" else {"reason": "model"}
        headers = {"X-User-Id": user} if user else {}
        expect = self.with_revision(stale, f"/campaigns/{campaign.id}", headers)
        before = compare.state_of_campaign(campaign)
        expect = expect or self.world.command(campaign, verb, user, approved)
        self.send_command(f"/campaigns/{campaign.id}/{verb}", body, headers, expect, key,
                          compare.state_of_campaign(campaign) != before)
        self.learn_cohort(campaign)
        self.world.settle()

    def with_revision(self, stale, path, headers):
        """If-Match of another revision: refused whatever is asked, or else as what cannot be done anyhow."""
        if not stale:
            return None
        _, shown = self.call("GET", path, expect=200)
        headers["If-Match"] = f'"{shown["revision"] + 100}"'
        return {412, 409}

    def send_command(self, path, body, headers, expect, key, has_effect):
        if key:
            headers = {**headers, "Idempotency-Key": key}
        status, answer = self.call("POST", path, body, headers, expect)
        if key and key not in self.keyed:
            self.keyed[key] = (path, body, headers, status, answer, has_effect)
        return status, answer

    def do_repeat(self, key, other=False):
        """The same key again: the same answer and nothing else; with another body 422."""
        if key not in self.keyed:
            return
        path, body, headers, status, answer, _ = self.keyed[key]
        _, seen = self.call("POST", path, {**body, "other": 1} if other else body, headers, 422 if other else status)
        if not other and answer is not None and seen != answer:
            raise Difference(f"the answer to {key}, given again", answer, seen)

    # ---- updates -----------------------------------------------------------------------------------------------

    def do_direct(self, u, d, f, priority="normal", force=False, allow_beta=False, max_retries=3, window=None, key=None):
        firmware = self.world.firmware.get(f)
        if firmware is None or u in self.world.direct:
            return
        options = {"priority": priority, "force": force, "allow_beta": allow_beta, "max_retries": max_retries,
                   "window": window}
        body = {"firmware_id": firmware.id, "priority": priority, "force_update": force, "allow_beta": allow_beta,
                "max_retries": max_retries}
        if window:
            body["maintenance_window"] = window_of(window)
        expect = self.world.request(u, self.world.device(d), firmware, options)
        status, answer = self.send_command(f"/devices/{d}/update", body, {}, expect, key, expect == 201)
        if status == 201:
            self.world.direct[u].id = answer["update_id"]

    def do_rollback_device(self, u, d, to):
        if u in self.world.direct:
            return
        expect = self.world.roll_back_device(u, self.world.device(d), to)
        status, answer = self.call("POST", f"/devices/{d}/rollback", {"to_version": to, "reason": "model"}, expect=expect)
        if status == 201:
            self.world.direct[u].id = compare.update_id_of(answer)

    def update_named(self, of, d=None, back=False):
        """A direct update by its label, or a campaign's by the campaign and the device: `back`, what takes it back."""
        if d is None:
            return self.world.direct.get(of)
        campaign = self.world.campaigns.get(of)
        found = [u for u in campaign.updates() if u.device.name == d] if campaign else []
        if not found or not back:
            return found[0] if found else None
        rollback = campaign.going_back().get(found[0])
        if rollback in (None, "ended"):
            return None
        rollback.id = f"{found[0].id[:-1]}{len(campaign.rollbacks):x}"
        return rollback

    def do_update(self, verb, of, d=None, back=False, stale=False, key=None):
        update = self.update_named(of, d, back)
        if update is None or update.id is None:
            return
        headers = {}
        expect = self.with_revision(stale, f"/updates/{update.id}", headers)
        before = compare.state_of_update(update)
        expect = expect or (self.world.cancel_by_operator if verb == "cancel" else self.world.retry)(update)
        self.send_command(f"/updates/{update.id}/{verb}", {}, headers, expect, key, compare.state_of_update(update) != before)

    def do_status(self, of, status, d=None, back=False, error_code=None, download=None):
        update = self.update_named(of, d, back)
        if update is None or update.id is None:
            return
        body = {"status": status}
        if error_code:
            body["error_code"] = error_code
        if download is not None:
            body["download_progress"] = download
        expect = self.world.status_report(update, status, error_code, download if status == "downloading" else None)
        self.call("POST", f"/updates/{update.id}/status", body, expect=expect)

    def do_health(self, of, health, d=None, back=False):
        update = self.update_named(of, d, back)
        if update is not None and update.id is not None:
            expect = self.world.health_report(update, health)
            self.call("POST", f"/updates/{update.id}/status", {"health": health}, expect=expect)
