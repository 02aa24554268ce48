"""The driver, continued: what devices do. `step` is whatever the protocol has next for a device that behaves."""
from .difference import Difference
from .wire import DDI

SAYS = {  # execution, finished
    "download": ("download", "none"), "downloaded": ("downloaded", "none"), "proceeding": ("proceeding", "none"),
    "success": ("closed", "success"), "none": ("closed", "none"), "failure": ("closed", "failure"),
    "rejected": ("rejected", "none"), "canceled": ("canceled", "none"), "scheduled": ("scheduled", "none"),
    "resumed": ("resumed", "none"),
}


def feedback(say, progress=None, code=None):
    execution, finished = SAYS[say]
    status = {"execution": execution, "result": {"finished": finished}}
    if progress is not None:
        status["result"]["progress"] = {"cnt": progress, "of": 100}
    if code is not None:
        status["code"] = code
    return {"status": status}


def number_in(link):
    return int(link["href"].split("?")[0].rsplit("/", 1)[1])


class DeviceActions:
    def device_call(self, method, d, path, body=None, expect=None):
        status, answer = self.wire.call(method, f"{DDI}{d}{path}", body)
        said = "" if body is None else " " + " ".join(f"{v}" for v in self.words_of(body))
        self.say(f"{d}: {method} {path or 'poll'}{said} -> {status}")
        self.check_status(expect, status, answer)
        return status, answer

    def words_of(self, body):
        if "status" not in body:
            return [body]
        status = body["status"]
        return [status["execution"], status["result"]["finished"], *([f"code {status['code']}"] if "code" in status else [])]

    def do_poll(self, d):
        links = self.world.poll(d)
        _, answer = self.device_call("GET", d, "", expect=404 if links is None else 200)
        if links is not None:
            self.compare_links(d, links, answer.get("_links", {}))

    def compare_links(self, d, expected, seen):
        for kind in ("deploymentBase", "cancelAction", "confirmationBase"):
            wanted = expected.get(kind)
            number = number_in(seen[kind]) if kind in seen else None
            if (wanted is None) != (number is None) or wanted and number not in wanted:
                raise Difference(f"{kind} in {d}'s poll", wanted, number)
        installed = number_in(seen["installedBase"]) if "installedBase" in seen else None
        if installed != expected["installedBase"]:
            raise Difference(f"installedBase in {d}'s poll", expected["installedBase"], installed)
        active = self.world.device(d).active()
        if active and active.needs_proof:        # asked for once a minute until the version is seen
            return
        if expected["configData"] != ("configData" in seen):
            raise Difference(f"configData in {d}'s poll", expected["configData"], "configData" in seen)

    def do_config(self, d, data, mode="merge"):
        expect = self.world.config(d, mode, data)
        self.device_call("PUT", d, "/configData", {"mode": mode, "data": data}, expect)

    def action_of(self, d, back):
        """The action that the device is at, or its newest one; or one of those before; 0 is none that it ever had."""
        device = self.world.device(d)
        numbers = sorted(device.actions)
        at = [u.action for u in device.updates if u.runs()] or [u.consent_action for u in device.asked_for_consent()]
        if at and not back:
            return at[0]
        return numbers[-1 - back] if back < len(numbers) else 0

    def do_fetch(self, d, back=0):
        action = self.action_of(d, back)
        expect, installs = self.world.fetch(d, action)
        status, answer = self.device_call("GET", d, f"/deploymentBase/{action}", expect=expect)
        if status == 200 and installs is not None:
            wanted = "forced" if installs else "skip"
            if answer["deployment"]["update"] != wanted or answer["id"] != str(action):
                raise Difference(f"deployment {action} of {d}", wanted, answer)

    def do_report(self, d, say, back=0, progress=None, code=None):
        action = self.action_of(d, back)
        expect = self.world.report(d, action, say, progress, code)
        self.device_call("POST", d, f"/deploymentBase/{action}/feedback", feedback(say, progress, code), expect)

    def do_answer_cancel(self, d, say, back=0):
        action = self.action_of(d, back)
        self.device_call("GET", d, f"/cancelAction/{action}", expect=self.world.cancel_offered(d, action))
        expect = self.world.answer_cancel(d, action, say)
        self.device_call("POST", d, f"/cancelAction/{action}/feedback", feedback(say), expect)

    def do_consent(self, d, agreed=True, back=0):
        action = self.action_of(d, back)
        self.device_call("GET", d, f"/confirmationBase/{action}", expect=self.world.consent_offered(d, action))
        expect = self.world.answer_consent(d, action, agreed)
        body = {"confirmation": "confirmed" if agreed else "denied"}
        self.device_call("POST", d, f"/confirmationBase/{action}/feedback", body, expect)

    def do_step(self, d, fails=False, code=None, times=1):
        """What comes next for it, so many times; a device that fails does so as soon as it can."""
        device = self.world.device(d)
        for number in range(times):
            if number and not device.active() and not device.asked_for_consent():
                break                            # there is nothing for it
            self.catch_up()
            self.step_once(device, d, fails, code)

    def step_once(self, device, d, fails, code):
        active = device.active()
        if active is None and device.alive and device.asked_for_consent():
            self.do_consent(d, not fails)
        elif active is None:
            self.do_poll(d)
            self.catch_up()
            if device.active() and not fails:
                self.do_fetch(d)
        elif active.cancelling:
            self.do_poll(d)
            self.catch_up()
            self.do_answer_cancel(d, "rejected" if fails else "success")
        elif not active.started:
            self.do_fetch(d)
        elif fails:
            self.do_report(d, "failure", code=code)
        elif active.held:
            self.do_poll(d)
            self.catch_up()
            self.do_fetch(d)
        elif active.status == "rebooting" and active.needs_proof:
            self.do_config(d, {"firmware_version": active.to_version})
        else:
            say = {"in_progress": "download", "downloading": "downloaded", "verifying": "proceeding"}.get(active.status)
            self.do_report(d, say or "success")
