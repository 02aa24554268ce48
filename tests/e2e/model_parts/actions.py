"""Sequences of actions from a seed. Nothing here looks at the service or the model: a seed is always the same sequence.

What a device does next when it behaves is one action, `step`, whatever it turns out to be; so are fleets brought to
places worth being in. Beside it devices and operators say anything that the field, or a tired person, can produce.
"""
from .devices import SAYS
from .things import PHASES, PRIORITIES

STRATEGIES = ("immediate", "immediate", "staged", "staged", "canary", "blue_green", "scheduled")
VERBS = ("start", "pause", "resume", "cancel", "finish", "approve", "promote", "switch", "rollback")
TRIGGERS = ("failure_rate", "health_check", "timeout", "error_threshold")
PEOPLE = ("ann", "bob", "eve")


class Sequence:
    def __init__(self, random, length):
        self.random, self.actions = random, []
        self.devices = [f"d{i}" for i in range(1, 1 + random.choice((2, 3, 4, 5, 6, 8, 12, 24)))]
        self.firmware, self.campaigns, self.directs, self.keys = [], 0, 0, 0
        self.set_up()
        while len(self.actions) < length:
            self.something()
        self.add("check")

    # ---- helpers -----------------------------------------------------------------------------------------------

    def add(self, do, **what):
        self.actions.append({"do": do, **what})

    def one_in(self, n):
        return self.random.randrange(n) == 0

    def pick(self, of):
        return self.random.choice(of)

    def some(self, of, least=1):
        return sorted(self.random.sample(of, self.random.randint(min(least, len(of)), len(of))), key=of.index)

    def device(self):
        return self.pick(self.devices)

    def campaign(self):
        """One of those there are, the newer ones more often."""
        if self.campaigns == 0:
            return "c0"
        return f"c{self.random.randint(1 if self.one_in(3) else max(1, self.campaigns - 1), self.campaigns)}"

    def update(self):
        if self.directs and self.one_in(3):
            return {"of": f"u{self.random.randint(max(1, self.directs - 2), self.directs)}"}
        return {"of": self.campaign(), "d": self.device(), **({"back": True} if self.one_in(6) else {})}

    def key(self):
        """Now and then an Idempotency-Key."""
        if not self.one_in(4):
            return {}
        self.keys += 1
        return {"key": f"k{self.keys}"}

    # ---- actions -----------------------------------------------------------------------------------------------

    def set_up(self):
        self.new_firmware({})
        for number, d in enumerate(self.devices):
            if not self.one_in(12):
                self.add("put_device", d=d, fields=self.fields(number))

    def new_firmware(self, special):
        """The next version; devices run the first."""
        n = len(self.firmware) + 1
        version = self.pick(("", "", "", "-rc.1", "-rc.1+7", "b")) if special else ""
        self.firmware.append({"f": f"f{n}", "model": "A", "version": f"{n}.0.0{version}", **special})
        self.add("upload", **self.firmware[-1])
        return f"f{n}"

    def some_firmware(self):
        """Mostly a newer one than there was."""
        if self.one_in(4):
            return self.pick(self.firmware)["f"]
        if len(self.firmware) > 1 and self.one_in(3):
            return self.firmware[-1]["f"]
        specials = ({"beta": True}, {"security": True}, {"lowest": "1.0", "highest": "1.9"}, {"model": "B"})
        return self.new_firmware(self.pick(specials) if self.one_in(4) else {})

    def fields(self, number):
        attributes = {"device_model": "A", "firmware_version": "1.0.0"}
        if self.one_in(6):
            attributes.pop(self.pick(("device_model", "firmware_version")))
        if self.one_in(8):
            attributes[self.pick(("device_model", "hardware_version"))] = self.pick(("B", "1.5", "2.5"))
        if self.one_in(2):
            attributes["can_hold"] = "true"
        if self.one_in(4):
            attributes["timezone"] = self.pick(("Pacific/Auckland", "UTC"))
        fields = {"attributes": attributes, "groups": ["odd" if number % 2 else "even"]}
        if self.one_in(3):
            fields["user_id"] = self.pick(PEOPLE)
        return fields

    def something(self):
        choices = ((self.round, 16), (self.steps, 12), (self.create, 7), (self.command, 14), (self.direct, 6),
                   (self.change_update, 8), (self.odd_report, 8), (self.odd_poll, 2), (self.config, 6),
                   (self.change_device, 3), (self.change_firmware, 1), (self.prefer, 2), (self.repeat, 2),
                   (self.nonsense, 1), (self.gateway, 4), (self.roll_back_device, 3), (self.check, 1))
        self.random.choices([c for c, _ in choices], [w for _, w in choices])[0]()

    def round(self):
        """The fleet goes on, some of it badly, some of it all the way."""
        failing = self.pick((0, 0, 10, 40))
        far = self.pick((1, 1, 2, 5))
        for d in self.some(self.devices, (len(self.devices) + 1) // 2):
            self.step(d, self.random.randrange(100) < failing, far)

    def steps(self):
        self.step(self.device(), self.one_in(8), self.pick((1, 1, 2, 3, 5)))

    def step(self, d, fails=False, times=1):
        bad = {"fails": True, "code": self.random.randint(1, 2)} if fails else {}
        more = {"times": times} if times > 1 else {}
        self.add("step", d=d, **bad, **more)

    def policy(self):
        r = self.random
        policy = {"deployment_strategy": self.pick(STRATEGIES), "max_concurrent_updates": self.pick((1, 2, 4, 30)),
                  "batch_size": self.pick((1, 2, 3, 5)), "max_retries": self.pick((0, 0, 1, 2))}
        options = {
            "priority": lambda: self.pick(PRIORITIES), "rollout_percentage": lambda: self.pick((1, 34, 50, 80)),
            "failure_threshold_percent": lambda: self.pick((1, 10, 34, 50, 100)), "auto_rollback": lambda: False,
            "min_finished_for_verdict": lambda: self.pick((1, 2, 4)), "force_update": lambda: True,
            "requires_approval": lambda: True, "batch_settle_percent": lambda: self.pick((1, 50, 100)),
            "window": lambda: self.pick(("open", "open", "day", "day", "closed")),
        }
        for name, value in options.items():
            if self.one_in(5):
                policy[name] = value()
        if self.one_in(3):
            policy.update({"rollback_triggers": self.some(TRIGGERS, 0), "error_threshold_count": self.pick((1, 2, 3))})
        strategy = policy["deployment_strategy"]
        if self.one_in(6) and policy.get("priority") != "emergency":
            policy["requires_device_confirmation"] = True
        if self.one_in(8):
            policy["require_version_proof"] = True
        elif self.one_in(8) and strategy != "blue_green":
            policy["download_only"] = True
        if strategy == "scheduled" or self.one_in(15):
            policy["starts_later"] = True
        if strategy == "canary" and self.one_in(2):          # rates so far apart that a few devices tell them
            policy.update(r.choice(({"canary_p0_percent": 0.01, "canary_p1_percent": 99},
                                    {"canary_p0_percent": 0.05, "canary_p1_percent": 95})))
        return policy

    def create(self):
        self.campaigns += 1
        label, policy = f"c{self.campaigns}", self.policy()
        f = self.some_firmware()
        if self.firmware[int(f[1:]) - 1].get("beta") and not self.one_in(4):
            policy["allow_beta"] = True
        targets = {}
        kind = self.random.randrange(6)
        if kind < 3:
            targets["devices"] = list(self.devices)
        elif kind == 3:
            targets["devices"] = self.some(self.devices) + (["nobody"] if self.one_in(3) else [])
        elif kind == 4:
            targets["groups"] = [self.pick(("odd", "even", "none"))]
        else:
            targets["where"] = [self.pick((["device_model", "eq", "A"], ["firmware_version", "lt", "3.0.0"],
                                           ["group", "eq", "odd"], ["hardware_version", "ne", "2.5"]))]
        self.add("create", c=label, f=f, policy=policy, **targets)
        if policy.get("requires_approval") and not self.one_in(3):
            self.add("command", c=label, verb="approve", user="bob")
        if not self.one_in(6):
            self.add("command", c=label, verb="start")
            for _ in range(self.random.randint(0, 3)):
                self.round()

    def command(self):
        what = {"c": self.campaign(), "verb": self.pick(VERBS), **self.key()}
        if self.one_in(8):
            what["stale"] = True
        if what["verb"] == "approve":
            what.update({"user": self.pick(("ann", "bob", None)), "approved": not self.one_in(4)})
        self.add("command", **what)

    def direct(self):
        self.directs += 1
        what = {"u": f"u{self.directs}", "d": self.device(), "f": self.some_firmware()}
        for name, value in (("priority", self.pick(PRIORITIES)), ("force", True), ("allow_beta", True),
                            ("max_retries", self.pick((0, 1))), ("window", self.pick(("open", "day", "closed")))):
            if self.one_in(3):
                what[name] = value
        self.add("direct", **what, **self.key())

    def change_update(self):
        stale = {"stale": True} if self.one_in(8) else {}
        self.add("update", verb=self.pick(("cancel", "retry")), **self.update(), **stale, **self.key())

    def roll_back_device(self):
        self.directs += 1
        self.add("rollback_device", u=f"u{self.directs}", d=self.device(), to=self.some_version())

    def some_version(self):
        return "0.9" if self.one_in(12) else "1.0.0" if self.one_in(3) else self.pick(self.firmware)["version"]

    def odd_report(self):
        """Out of order, again, or of an attempt that is long over."""
        back = self.pick((0, 0, 0, 1, 2, 9))
        d, kind = self.device(), self.random.randrange(8)
        if kind < 5:
            say = self.pick(tuple(SAYS))
            what = {"progress": self.pick((50, 100))} if say in ("download", "proceeding") and self.one_in(2) else {}
            what.update({"code": self.random.randint(1, 2)} if say == "failure" else {})
            self.add("report", d=d, say=say, back=back, **what)
        elif kind == 5:
            self.add("fetch", d=d, back=back)
        elif kind == 6:
            self.add("answer_cancel", d=d, say=self.pick(("success", "failure", "rejected", "proceeding", "canceled")), back=back)
        else:
            self.add("consent", d=d, agreed=not self.one_in(3), back=back)

    def odd_poll(self):
        self.add("poll", d=self.pick(self.devices + ["nobody"]))

    def config(self):
        data = {}
        if self.one_in(2):
            data["firmware_version"] = self.some_version()
        if self.one_in(2):
            data["health"] = self.pick(("failed", "failed", "ok"))
        if not data or self.one_in(6):
            data[self.pick(("can_hold", "site", "hardware_version", "device_model"))] = self.pick(("true", "A", "1.5", "2.5", None))
        mode = {"mode": self.pick(("replace", "remove"))} if self.one_in(8) else {}
        self.add("config", d=self.device(), data=data, **mode)

    def change_device(self):
        d = self.device()
        if self.one_in(2):
            self.add("put_device", d=d, fields=self.fields(self.random.randrange(2)))
        else:
            self.add("delete_device", d=d)

    def change_firmware(self):
        if self.one_in(4):
            self.add("upload", **self.pick(self.firmware), content=self.random.randrange(2))
        else:
            self.add("firmware", f=self.pick(self.firmware[-4:])["f"],
                     verb=self.pick(("deprecate", "deprecate", "restore", "restore", "delete", "recall")))

    def prefer(self):
        self.add("prefer", user=self.pick(PEOPLE), beta=self.one_in(2), paused=self.one_in(2))

    def repeat(self):
        if self.keys:
            self.add("repeat", key=f"k{self.random.randint(1, self.keys)}", **({"other": True} if self.one_in(3) else {}))

    def nonsense(self):
        self.add("nonsense", number=self.random.randrange(100), c=self.campaign(), d=self.device())

    def gateway(self):
        what = self.update()
        if self.one_in(4):
            self.add("health", health=self.pick(("failed", "ok")), **what)
            return
        status = self.pick(PHASES + ("completed", "failed", "cancelled"))
        extra = {"error_code": self.pick(("E1", "E2"))} if status == "failed" and self.one_in(2) else {}
        extra.update({"download": 50} if status == "downloading" and self.one_in(2) else {})
        self.add("status", status=status, **what, **extra)

    def check(self):
        self.add("check")


def with_restarts(actions, random):
    """The same sequence, and now and then the service is killed and started again."""
    for _ in range(2):
        actions.insert(random.randrange(len(actions) // 4, len(actions)), {"do": "restart"})
    return actions
