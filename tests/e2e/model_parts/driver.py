"""Does each action to the real service and to the model, and compares what both answer.

Actions name things by labels that they gave them themselves (c1, u3, d5), so that a sequence from which some were taken
away still means something: what names something that is not there is passed over.
"""
from . import compare, everything
from .devices import DeviceActions
from .difference import Difference
from .operators import OperatorActions
from .wire import ADMIN, Wire
from .world import World

NONSENSE = (  # method, path, body or bytes, statuses that refuse it
    ("POST", "/campaigns", {"name": ""}, {422}),
    ("POST", "/campaigns", [], {422}),
    ("POST", "/campaigns", b"{", {400}),
    ("POST", "/campaigns/{c}/rollback", {}, {422}),
    ("POST", "/campaigns/{c}/finish", {"reason": ""}, {422}),
    ("POST", "/campaigns/{c}/approve", {"approved": "perhaps"}, {422}),
    ("POST", "/campaigns/camp_0/start", {}, {404}),
    ("PUT", "/devices/{d}", {"groups": "even"}, {422}),
    ("PUT", "/devices/{d}", {"attributes": {"device_model": 7}}, {422}),
    ("POST", "/devices/{d}/update", {"firmware_id": "none"}, {404, 422}),
    ("POST", "/devices/{d}/update", {"firmware_id": "0" * 32, "max_retries": 11}, {404, 422}),
    ("POST", "/devices/{d}/rollback", {"to_version": "1.0.0"}, {404, 422}),
    ("PUT", "/users/ann/firmware-preferences", {"beta_opt_in": "yes", "paused_until": "soon"}, {422}),
    ("POST", "/updates/upd_0/cancel", {}, {404}),
)


class Driver(OperatorActions, DeviceActions):
    def __init__(self, service, grace, patience):
        self.service, self.patience = service, patience
        self.wire = Wire(service.port)
        self.world = World(grace)
        self.story = []                          # what was done, for people
        self.keyed = {}                          # label -> a command that wrote something, to be said again

    # ---- doing -------------------------------------------------------------------------------------------------

    def perform(self, action):
        self.before = compare.moving_parts(self.world)
        self.story.append("")
        getattr(self, "do_" + action["do"])(**{k: v for k, v in action.items() if k != "do"})
        if not self.story[-1]:
            self.story.pop()
            return
        self.catch_up()

    def catch_up(self):
        """Waits for what follows of itself, as a next request may."""
        compare.wait_for_moves(self, self.before)
        self.before = compare.moving_parts(self.world)

    def say(self, text):
        self.story[-1] += ("; " if self.story[-1] else "") + text

    def call(self, method, path, body=None, headers=None, expect=None):
        """An admin's request; `expect`: the statuses that the model allows."""
        raw = body if isinstance(body, bytes) else None
        status, answer = self.wire.call(method, ADMIN + path, None if raw else body, headers, raw)
        shown = "" if body is None else f" {body}"
        if method != "GET":
            self.say(f"{method} {self.readable(path)}{shown}{f' {headers}' if headers else ''} -> {status}")
        self.check_status(expect, status, answer)
        return status, answer

    def check_status(self, expect, status, answer):
        allowed = expect if isinstance(expect, (set, tuple)) else {expect}
        if expect is not None and status not in allowed:
            raise Difference("the answer's status", " or ".join(map(str, sorted(allowed))), f"{status} {answer}")

    def readable(self, path):
        for label, campaign in self.world.campaigns.items():
            if campaign.id:
                path = path.replace(campaign.id, label)
        return path

    # ---- the rest ----------------------------------------------------------------------------------------------

    def do_nonsense(self, number, c, d):
        method, path, body, refusals = NONSENSE[number % len(NONSENSE)]
        campaign = self.world.campaigns.get(c)
        if "{c}" in path and campaign is None or "{d}" in path and not self.world.device(d).alive:
            return
        path = path.format(c=campaign.id if campaign else "", d=d)
        self.call(method, path, body, expect=refusals)

    def do_restart(self):
        """kill -9, in the middle of whatever is under way: nothing that was answered may be lost."""
        self.say("kill -9 and start again")
        self.service.kill()
        self.wire.close()
        self.service.start()
        # Answers without an effect may be forgotten then; the others are made anew of what is there.
        self.keyed = {k: (*kept[:4], None, True) for k, kept in self.keyed.items() if kept[5]}

    def do_check(self):
        everything.compare_all(self)
        self.say("compare everything")
