"""The evidence rule (design 4): is a canary good enough to go on, or bad enough to stop?"""
from math import ceil, log

ERROR = 0.05                                     # alpha and beta


class Canary:
    """The sequence of the canary's grants, in order, and what became of each first attempt."""

    def __init__(self, policy, fleet):
        self.p1 = policy.get("canary_p1_percent") or min(policy["failure_threshold_percent"], 50)
        self.p0 = policy.get("canary_p0_percent") or self.p1 / 5
        # ln L moves by these with a failure and with a success.
        self.failure = log(self.p1 / self.p0)
        self.success = log((100 - self.p1) / (100 - self.p0))
        quota = 3 + self.successes_to_promote(3 * self.failure)
        self.slice = max(1, ceil(fleet / 10)) if 2 * quota > fleet else 0
        self.size = self.slice or quota
        self.topped_up = 0
        self.fleet = fleet
        self.sequence = []                       # [update, None (not known), "ok" or "failed"]

    def successes_to_promote(self, score):
        return max(0, ceil((log(ERROR) - score) / self.success - 1e-9))

    def cohort_size(self):
        """How many may be asked: the lowest ranks."""
        return min(self.fleet, max(ceil(self.fleet / 20), 4 * (self.size + self.topped_up)))

    def has_room(self):
        return len(self.sequence) < self.size + (0 if self.slice else self.topped_up)

    def granted(self, update):
        if all(entry[0] is not update for entry in self.sequence):
            self.sequence.append([update, None])

    def ended(self, update, outcome):
        """The first attempt alone counts."""
        for entry in self.sequence:
            if entry[0] is update and entry[1] is None:
                entry[1] = outcome

    def left(self, update):
        self.sequence = [e for e in self.sequence if e[0] is not update or e[1] is not None]

    def refuted(self, update):
        for entry in self.sequence:
            if entry[0] is update and entry[1] == "ok":
                entry[1] = "failed"

    def score(self, outcomes):
        failed = outcomes.count("failed")
        return failed * self.failure + (len(outcomes) - failed) * self.success

    def judge(self, exhausted):
        """"promote", "abort", "undecided" or None, and how many clean devices more would promote."""
        outcomes = [outcome for _, outcome in self.sequence]
        known = len(outcomes) - outcomes.count(None)
        if self.slice:
            if "failed" in outcomes:
                return "abort", 0
            if known >= self.slice:
                return "promote", 0
            undecided = exhausted and known == len(outcomes)
            return ("undecided", self.slice - known) if undecided else (None, 0)
        if self.score(outcomes) >= -log(ERROR):
            return "abort", 0
        prefix = outcomes[:outcomes.index(None)] if None in outcomes else outcomes
        if self.score(prefix) <= log(ERROR):
            return "promote", 0
        if known == len(outcomes) and (exhausted or not self.has_room()):
            return "undecided", self.successes_to_promote(self.score(outcomes))
        return None, 0
