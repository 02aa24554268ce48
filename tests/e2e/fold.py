"""An independent fold of the exported log: what the counters must be, written without a look at the service's code."""


class Fold:
    def __init__(self, events):
        self.status = {}          # update -> pending, in_progress, completed, failed, cancelled
        self.campaign_of = {}
        self.device_of = {}
        self.action_of = {}       # (device, action) -> (update, attempt)
        self.started = {}         # device -> attempts started
        self.ended = {}           # (update, attempt) -> success
        self.grants = {}          # (update, attempt) -> how often granted
        self.lapsed = set()       # (update, attempt) that no device began in time
        self.campaigns = {}
        self.held = set()
        self.undone = set()
        for event in events:
            self.take(event)

    def take(self, event):
        kind, data = event["type"], event["data"]
        entity, _, name = event["stream"].partition(":")
        if entity == "campaign":
            row = self.campaigns.setdefault(name, {"status": "created"})
            if kind == "campaign.created":
                row["total"] = data.get("picked", 0)
            elif kind == "campaign.closed":
                row["status"] = data["outcome"]
            elif kind == "campaign.cancelled":
                row["status"] = "cancelled"
                row["ended"] = True
            elif kind == "campaign.rollback_begun":
                row["status"] = "rollback"
                row["ended"] = True            # nobody is granted the firmware any more
        if kind == "device.deleted":
            # Never granted: nothing of its own says that it is cancelled. The tests target every device.
            for campaign, row in self.campaigns.items():
                known = any(d == name and self.campaign_of.get(u) == campaign for u, d in self.device_of.items())
                if not known and "total" in row and not row.get("ended") and row["status"] == "created":
                    row["deleted"] = row.get("deleted", 0) + 1
        if entity != "update":
            return
        for tag in event["tags"]:
            if tag.startswith("device:"):
                self.device_of[name] = tag[7:]
            if tag.startswith("campaign:"):
                self.campaign_of[name] = tag[9:]
        device = self.device_of.get(name)
        if kind == "update.granted":
            self.status[name] = "in_progress"
            key = (name, data["attempt"])
            self.grants[key] = self.grants.get(key, 0) + 1
            self.action_of[(device, str(data["action"]))] = key
        elif kind == "update.started":
            self.started[device] = self.started.get(device, 0) + 1
        elif kind == "update.attempt_ended":
            success = data.get("success", False)
            self.ended[(name, data["attempt"])] = success
            self.status[name] = "completed" if success else "pending" if "retry_at" in data else "failed"
        elif kind == "update.grant_lapsed":
            self.lapsed.add((name, data["attempt"]))
            self.status[name] = "pending"
        elif kind in ("update.cancelled", "update.skipped"):
            self.status[name] = "cancelled"
        elif kind == "update.retry_asked":
            self.status[name] = "pending"
        elif kind == "update.refuted":
            self.status[name] = "failed"
        elif kind == "update.held":
            self.held.add(name)
        elif kind == "update.undone":
            self.undone.add(name)          # and stays counted as completed

    def counters(self, campaign):
        """total, in_progress, completed, failed, cancelled, pending of a campaign, as its API shows them."""
        row = self.campaigns[campaign]
        mine = [s for u, s in self.status.items() if self.campaign_of.get(u) == campaign and not is_rollback(u)]
        counts = {s: mine.count(s) for s in ("in_progress", "completed", "failed", "cancelled")}
        counts["total"] = row["total"]
        counts["cancelled"] += row.get("deleted", 0)
        rest = row["total"] - sum(counts[s] for s in ("in_progress", "completed", "failed", "cancelled"))
        counts["pending"] = 0 if row.get("ended") else rest
        if row.get("ended"):
            counts["cancelled"] += rest
        return counts


def is_rollback(update):
    """An update of a campaign ends in its kind: 0 brings the firmware, 1 to f take it back; a direct one is shorter."""
    return len(update.removeprefix("upd_")) > 32 and not update.endswith("0")


def shown(row):
    """The same counters from the campaign's JSON."""
    return {"total": row["total_devices"], "pending": row["pending_devices"], "in_progress": row["in_progress_devices"],
            "completed": row["completed_devices"], "failed": row["failed_devices"],
            "cancelled": row["cancelled_devices"]}
