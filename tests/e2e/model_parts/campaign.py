"""A campaign: its updates, its places and batches, its verdicts, and what follows of itself."""
from .canary import Canary
from .things import UNSAID

BATCHED = ("staged", "scheduled", "canary")
CLOSED = ("completed", "failed", "cancelled")


class Campaign:
    def __init__(self, label, firmware, policy, creator, since):
        self.label, self.firmware, self.policy, self.creator, self.since = label, firmware, policy, creator, since
        self.id = None
        self.status, self.was_started = "created", False
        self.closed = False                      # ended, and nothing of it runs any more
        self.finished = self.switched = False
        self.approved = None
        self.paused_by = ""                      # operator, recalled, canary
        self.targeted = 0                        # the resolved set
        self.excluded = {}
        self.left_out = set()                    # (device, life) that the percentage leaves out
        self.members = {}                        # (device, life) -> Update
        self.batch = self.batch_granted = self.batch_settled = 0
        self.canary, self.promoted = None, False
        self.cohort = None                       # who may be a canary: learned, since the ranks are a hash
        self.canary_asks_for = 0
        self.judged_failed = 0                   # failures that an operator has seen and gone on in spite of
        self.errors = {}                         # error code -> devices
        self.rollbacks = []                      # of each begun: {update -> its rollback, or "ended" without one}
        self.rollback_trigger = ""
        self.to_look_at = []                     # whether they can go back at all

    # ---- counting ----------------------------------------------------------------------------------------------

    def updates(self):
        return self.members.values()

    def count(self, *statuses):
        return sum(1 for u in self.updates() if u.status in statuses)

    def pending(self):
        return self.count("scheduled")

    def running(self):
        return sum(1 for u in self.updates() if u.runs())

    def completed(self):
        return self.count("completed", "rollback")   # undone, it stays counted (decision 10)

    def failed(self):
        return self.count("failed")

    def held(self):
        return sum(1 for u in self.updates() if u.held)

    def counters(self):
        return {"total": len(self.members), "pending": self.pending(), "in_progress": self.running(),
                "completed": self.completed(), "failed": self.failed(), "cancelled": self.count("cancelled"),
                "held": self.held(), "undone": self.count("rollback")}

    # ---- places and batches ------------------------------------------------------------------------------------

    def going_back(self):
        return self.rollbacks[-1] if self.rollbacks else {}

    def has_place(self):
        """Who holds, or held and was let go, takes none."""
        taken = sum(1 for u in self.updates() if u.runs() and not u.held and not u.released)
        taken += sum(1 for back in self.going_back().values() if back != "ended" and back.runs())
        return taken < self.policy["max_concurrent_updates"]

    def has_batches(self):
        return self.policy["deployment_strategy"] in BATCHED

    def in_canary(self):
        return self.canary is not None and not self.promoted

    def batch_is_open(self):
        if self.in_canary():
            return self.canary.has_room()
        return not self.has_batches() or self.batch_granted < self.policy["batch_size"]

    def waits_for_switch(self):
        return self.policy["deployment_strategy"] == "blue_green" and not self.switched

    def takes_nobody(self):
        return self.finished or self.status in CLOSED or self.status == "rollback"

    def acts_on(self, trigger):
        return self.policy["auto_rollback"] and trigger in self.policy["rollback_triggers"]

    # ---- what happens to its updates ---------------------------------------------------------------------------

    def first_attempt_settled(self, update):
        if not update.is_retry and update.batch == self.batch:
            self.batch_settled += 1

    def attempt_failed(self, update, code):
        """Kind device: whatever follows, it was an error on this device."""
        if self.acts_on("error_threshold"):
            self.errors.setdefault(code, set()).add(update.device.name)
        if self.in_canary():
            self.canary.ended(update, "failed")

    # ---- what follows ------------------------------------------------------------------------------------------

    def start(self):
        self.status, self.was_started, self.batch = "in_progress", True, 1

    def cancel_pending(self):
        for update in self.updates():
            if update.is_pending():
                update.status, update.consent, update.wait, update.error = "cancelled", "", "", UNSAID

    def too_many_failed(self):
        """The threshold rule (design 4), while it runs. All is who may finish: not who is cancelled."""
        failed, finished = self.failed(), self.failed() + self.completed()
        threshold = self.policy["failure_threshold_percent"]
        all_that_may = len(self.members) - self.count("cancelled")
        enough = 0 < finished >= min(self.policy["min_finished_for_verdict"], all_that_may)
        return (enough and failed * 100 > threshold * (finished + self.running())) or \
            failed * 100 > threshold * len(self.members)

    def outcome(self):
        """Of one that has come to its end (decision 11)."""
        finished = self.failed() + self.completed()
        return "failed" if self.failed() * 100 > self.policy["failure_threshold_percent"] * finished else "completed"

    def cohort_is_exhausted(self):
        return not any(u.is_pending() for key, u in self.members.items() if self.cohort is None or key in self.cohort)

    def is_exhausted(self):
        return self.pending() == 0 and self.running() == 0

    def begin_rollback(self, trigger):
        """Decision 10: who is not granted is cancelled, who completed goes back."""
        self.status, self.closed, self.rollback_trigger = "rollback", False, trigger
        self.cancel_pending()
        gone = {u: "ended" for u in self.updates() if u.status == "completed" and not u.is_here()}
        self.rollbacks.append(gone)
        self.to_look_at = self.to_go_back()

    def to_go_back(self):
        """Completed, and the present rollback has still to take them back."""
        if self.policy["download_only"]:         # it installed nothing
            return []
        return [u for u in self.updates() if u.status == "completed" and self.going_back().get(u) is None]

    def rollback_is_over(self):
        unfinished = [b for b in self.going_back().values() if b != "ended" and not b.is_over()]
        return not self.to_go_back() and not unfinished and self.running() == 0

    def next_step(self):
        """What is due of itself: the name of the next step, or None."""
        if self.closed:
            return self.next_after_the_end()
        if self.status == "created":
            return None
        if self.status in CLOSED:
            return "close" if self.running() == 0 else None
        if self.status == "rollback":
            return "close" if self.rollback_is_over() else None
        if self.firmware.status == "recalled" and self.status == "in_progress":
            return "pause for the recall"
        if self.firmware.status == "recalled" and not self.finished:
            return "finish for the recall"
        if self.status == "scheduled":
            return "close" if self.finished and self.is_exhausted() else None
        return self.next_verdict() or self.next_of_running()

    def next_after_the_end(self):
        """Who had completed may have failed after all: the verdict follows (decision 23)."""
        if self.status != "completed" or self.outcome() == "completed":
            return None
        goes_back = self.acts_on("failure_rate") and self.count("completed") and len(self.rollbacks) < 15
        return "roll back for failure_rate" if goes_back else "close as failed"

    def next_verdict(self):
        judged_by_canary = self.in_canary() and (not self.finished or self.firmware.status == "recalled")
        if judged_by_canary and not self.is_exhausted():
            found, self.canary_asks_for = self.canary.judge(self.cohort_is_exhausted())
            if found == "promote":
                return "promote"
            if found == "abort" and self.acts_on("failure_rate"):
                return "roll back for failure_rate"
            if found and self.status != "paused":
                return "pause the canary"
        elif self.acts_on("failure_rate") and self.failed() > self.judged_failed and self.too_many_failed():
            return "roll back for failure_rate"
        if any(len(d) >= self.policy["error_threshold_count"] for d in self.errors.values()):
            return "roll back for error_threshold"
        return None

    def next_of_running(self):
        if self.is_exhausted():
            return "close"
        if self.status != "in_progress":
            return None
        full = self.has_batches() and not self.in_canary() and self.batch_granted >= self.policy["batch_size"]
        settled = self.batch_settled * 100 >= self.batch_granted * self.policy["batch_settle_percent"]
        if full and settled and any(u.is_pending() and not u.wait for u in self.updates()):
            return "open a batch"
        if self.waits_for_switch() and self.held() > 0 and self.pending() == 0 and self.held() == self.running():
            return "switch"
        return None

    def make_canary(self):
        if self.policy["deployment_strategy"] == "canary" and self.members:
            self.canary = Canary(self.policy, len(self.members))
