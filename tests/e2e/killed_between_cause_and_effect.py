"""The service dies between a cause and its effect, at every such place; after the restart nothing needs a nudge.

OTA_FAULT="place:n" makes the real program kill itself at the n-th passage of a place. Five stories are told at each: a
campaign that must be aborted, one that an operator cancels, devices that are deleted while they update, one that is
rolled back, and holders that wait for a switch. That a story does not pass a place is found out by the service living on, and must be known: otherwise nothing was tried.
"""
import concurrent.futures
import sys
import urllib.error

from fold import Fold, shown
from support import LONG, Stage, metadata, wait_for

PLACES = ["journal.before_write", "journal.after_write", "journal.before_tails", "journal.before_completions",
          "actors.before_delivery", "actors.before_reply", "device.before_ask", "campaign.before_grant",
          "campaign.before_grant_reply", "campaign.before_own_event", "campaign.before_cancel"]
# The first and the second passage differ: a campaign's own events are its end's cause and effect.
PASSAGES = [1, 2, 5, 17] if LONG else [1, 2]
# What a story does not pass, or only if the devices are in time for it; so are later passages than
# the second. Everything else must kill.
NEED_NOT_KILL = {("Delete", "campaign.before_cancel", 1), ("Delete", "campaign.before_cancel", 2),
                 ("Cancel", "campaign.before_own_event", 2), ("Rollback", "campaign.before_own_event", 2)}
DEVICES = 24
SIDE_BY_SIDE = 4


class Story:
    settings = {}
    fleet = []
    install_ms = 30
    slow = 0                      # so many of its devices take two seconds to install, whatever the others do

    def __init__(self, place, passage):
        self.fault = f"{place}:{passage}"
        self.died = False

    def call(self, method, path, body=None, key=None):
        """Like a careful client: asks again, with the same key, if it got no answer."""
        for _ in range(20):
            self.revive()
            try:
                answer = self.service.call(method, path, body, {"Idempotency-Key": key} if key else {})
                assert answer.status < 300, (path, answer.status, answer.text)
                return answer.json
            except (urllib.error.URLError, ConnectionError, OSError):
                wait_for("the service dies of its fault", self.service.died, 10)
        raise AssertionError(f"no answer to {path}")

    def revive(self):
        if self.service.died():
            assert not self.died, "died twice: " + self.service.tail()
            self.died = True
            self.service.start()

    def row(self):
        return self.call("GET", self.path)

    def tell(self):
        with Stage("--ddi.sleep", "1s", "--retry.backoff_base", "10ms") as stage:
            self.service = stage.service
            self.prepare(stage)
            self.service.kill()
            self.service.start(environment={"OTA_FAULT": self.fault})
            self.act()
            row = wait_for("the campaign is closed: " + self.fault,
                           lambda: (lambda r: r if r["actual_end"] else None)(self.row()), 90)
            self.revive()
            for fleet in stage.fleets:
                fleet.stop()
            fold = Fold(self.service.events())
            assert shown(row) == fold.counters(self.campaign), (self.fault, shown(row), fold.counters(self.campaign))
            assert row["in_progress_devices"] == 0 and row["pending_devices"] == 0, row
            assert all(n == 1 for n in fold.grants.values()), (self.fault, "an attempt was granted twice")
            unfinished = [u for u, s in fold.status.items() if s == "in_progress"]
            assert not unfinished, (self.fault, unfinished)
            self.check(row)
            self.service.stop()
        return self.died

    def prepare(self, stage):
        firmware = self.service.upload(b"bytes" * 1000, metadata("2.0.0")).json["firmware_id"]
        always = ("--seed", "3", "--model", "SF-100", "--initial-version", "1.0.0", "--reboot-ms", "10")
        stage.fleet("--devices", str(DEVICES - self.slow), "--install-ms", str(self.install_ms), *always, *self.fleet)
        if self.slow:
            stage.fleet("--devices", str(self.slow), "--install-ms", "2000", "--prefix", "slow-", *always, *self.fleet,
                        name="slow")
        wait_for("the fleet is known", lambda: self.service.known_devices("SF-100") == DEVICES)
        self.campaign = self.service.post("/campaigns", {
            "name": "story", "firmware_id": firmware, "target_filters": {"device_model": "SF-100"},
            "max_concurrent_updates": 6, "batch_size": 10, "max_retries": 0, **self.settings}, status=201)["campaign_id"]
        self.path = f"/api/v1/ota/campaigns/{self.campaign}"

    def act(self):
        self.call("POST", self.path + "/start", {}, key="start")

    def check(self, row):
        pass


def in_the_middle(story, done):
    def is_there():
        row = story.row()
        return row["completed_devices"] >= done and row["in_progress_devices"] >= 4
    wait_for("some are done, more are on their way", is_there, 60)


class Abort(Story):
    slow = 14                     # which are in progress when enough of the others have failed
    settings = {"min_finished_for_verdict": 4, "failure_threshold_percent": 30, "max_concurrent_updates": 24, "batch_size": 24}
    fleet = ["--failure-rate", "1.0"]

    def check(self, row):
        assert row["status"] == "failed" and row["verdict"]["decision"] == "abort", row
        # How many more were in progress then is up to the machine.
        assert row["failed_devices"] >= row["verdict"]["failed"] >= 4, row
        assert row["failed_devices"] + row["cancelled_devices"] == DEVICES, row


class Cancel(Story):
    install_ms = 500              # so that several are in progress when the cancellation comes

    def act(self):
        super().act()
        in_the_middle(self, 3)
        self.call("POST", self.path + "/cancel", {"reason": "the story says so"}, key="cancel")

    def check(self, row):
        assert row["status"] == "cancelled" and row["completed_devices"] >= 3, row


class Delete(Story):
    def act(self):
        super().act()
        wait_for("some are done", lambda: self.row()["completed_devices"] >= 3, 60)
        for device in range(1, DEVICES + 1, 3):
            self.call("DELETE", f"/api/v1/ota/devices/sim-{device:05}", key=f"delete-{device}")

    def check(self, row):
        assert row["completed_devices"] + row["cancelled_devices"] + row["failed_devices"] == DEVICES, row
        for device in range(1, DEVICES + 1, 3):
            shown_device = self.call("GET", f"/api/v1/ota/devices/sim-{device:05}")
            assert shown_device["status"] == "deleted" and shown_device["active_update_id"] is None, shown_device


class Rollback(Story):
    install_ms = 500              # as for Cancel

    def prepare(self, stage):
        old = self.service.upload(b"old bytes" * 1000, metadata("1.0.0"))
        assert old.status == 201, old.text
        super().prepare(stage)

    def act(self):
        super().act()
        in_the_middle(self, 5)
        self.call("POST", self.path + "/rollback", {"reason": "the story says so"}, key="rollback")

    def check(self, row):
        assert row["status"] == "cancelled" and row["completed_devices"] >= 5, row
        assert row["undone_devices"] == row["completed_devices"], row
        page = self.call("GET", f"/api/v1/ota/rollbacks?campaign_id={self.campaign}&limit=200")
        assert page["count"] == row["completed_devices"], page["count"]
        assert {r["status"] for r in page["rollbacks"]} == {"completed"}, page
        versions = [d["firmware_version"] for d in self.service.pages("/devices", "devices")]
        assert versions == ["1.0.0"] * DEVICES, versions


class BlueGreen(Story):
    settings = {"deployment_strategy": "blue_green", "max_concurrent_updates": 6}
    fleet = ["--attribute", "can_hold=true"]

    def check(self, row):
        assert row["status"] == "completed" and row["completed_devices"] == DEVICES, row
        assert row["switched"] and row["held_devices"] == 0, row


STORIES = (Abort, Cancel, Delete, Rollback, BlueGreen)


def main():
    only = sys.argv[1:]
    told = [(story, place, passage) for place in only or PLACES for passage in PASSAGES for story in STORIES]
    # A story mostly waits for its devices to poll: several are told side by side.
    with concurrent.futures.ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as tellers:
        endings = [tellers.submit(story(place, passage).tell) for story, place, passage in told]
        try:
            for (story, place, passage), ending in zip(told, endings):
                must_die = passage <= 2 and (story.__name__, place, passage) not in NEED_NOT_KILL
                assert ending.result() or not must_die, f"{story.__name__} does not pass {place} {passage} times"
        finally:
            tellers.shutdown(cancel_futures=True)
    print(f"{len(told)} stories, {len(only or PLACES)} places: nothing needed a nudge")


if __name__ == "__main__":
    main()
