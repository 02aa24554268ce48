"""SWUpdate, as Debian ships it, updates itself against the service: a whole update, cancelled ones, bad lines, bad bytes,
a closed window, TLS, and one that claims a success of which nothing was downloaded.

Each story has a device, hence a SWUpdate, and a line to the service of its own; five are told at a time. SWUpdate has no
bootloader here, so what follows a reboot on a real device is said over its IPC, or at its start.
"""
import datetime
import hashlib
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

from authority import Authority
from real_clients import GATEWAY_TOKEN, GUARDED, SETTINGS
from real_clients.bad_line import END
from real_clients.scene import STORY_S, Scene
from real_clients.swu import Maker
from support import BASE, Stage, wait_for

AT_A_TIME = 5                            # at most 11 SWUpdates can run in a network namespace
BIG = 2_500_000                          # of this much a part is on its way while the rest is not
UNDOWNLOADED = "success_without_download"


def installs(scene):
    """Offered by a campaign, downloaded, written, reported; what the device says of itself is stored."""
    offer = scene.offer(size=1_000_000)
    scene.swupdate.start()
    scene.installs(offer)
    row = scene.passes_its_check(offer)
    assert row["progress_percentage"] == 100.0 and row["error_code"] is None, row
    check_suspicion(row, False)
    campaign = scene.campaign_becomes(offer, "completed")
    assert (campaign["completed_devices"], campaign["failed_devices"]) == (1, 0), campaign
    device = scene.service.get(f"/devices/{scene.device}")
    assert device["attributes"] == {"serialNo": "A17", "timezone": "Europe/Berlin", "firmware_version": "1.0.0"}, device
    assert device["firmware_version"] == "1.0.0" and device["active_update_id"] is None, device
    said = scene.said(offer)
    for words in ("Installing Update Chunk Artifacts.", "Installed Chunk.", "All Chunks Installed.", "check passed"):
        assert words in said, (words, said)
    assert [(d.status, d.answer["content-length"]) for d in scene.downloads()] == [(200, str(row["download_size"]))]
    scene.swupdate.stop()


def installs_over_tls(scene):
    """From a service that an authority of the site's own vouches for."""
    scene.swupdate.start()
    offer = scene.offer()
    scene.installs(offer)
    check_suspicion(scene.reboots(offer), False)
    assert not scene.line.asked


def cancelled_before_it_downloads(scene):
    """The poll behind the first look at the deployment is held until an operator has cancelled."""
    second_poll = scene.line.befall(path=f"/v1/{scene.device}$", skip=1, hold=True)
    offer = scene.offer()
    scene.swupdate.start()
    wait_for("the device polls again", lambda: second_poll.met, STORY_S)
    asked = scene.cancel(offer)
    assert asked["status"] == "in_progress" and asked["cancel_requested"], asked
    assert "cancellation requested" in asked["message"], asked
    second_poll.go.set()
    row = scene.becomes(offer, "cancelled")
    assert row["error_code"] == "cancelled_by_operator" and not row["cancel_refused"], row
    assert not scene.downloads() and scene.swupdate.installed() is None
    agreed = lambda: [asked.status for asked in scene.line.requests("POST", "/cancelAction/")]
    wait_for("its word is answered", lambda: agreed() == [200], STORY_S)
    assert scene.campaign_becomes(offer, "completed")["cancelled_devices"] == 1
    takes_the_next(scene)


def cancelled_while_it_downloads(scene):
    """SWUpdate looks for a cancellation while a slow line keeps it downloading, and lets go."""
    scene.line.befall(bytes_per_s=250_000)
    offer = scene.offer(size=BIG)
    scene.swupdate.start()
    wait_for("a part of it is there", lambda: any(d.body > 100_000 for d in scene.downloads()), STORY_S)
    asked = scene.cancel(offer)
    assert asked["status"] == "downloading" and asked["cancel_requested"], asked
    row = scene.becomes(offer, "cancelled")
    assert row["error_code"] == "cancelled_by_operator", row
    assert len(scene.downloads()) == 1 and scene.downloads()[0].body < BIG, scene.downloads()
    assert scene.swupdate.installed() is None
    takes_the_next(scene)


def takes_the_next(scene):
    """Behind an installation that came to nothing SWUpdate now and then takes its end for that of the next one, and says that
    this one failed when it is there: hence the retries, of which it installs none before a reboot."""
    begin = len(scene.swupdate.said())
    offer = scene.offer(max_retries=3)
    wait_for(f"{scene.device} has the next one", lambda: scene.swupdate.installed() == offer.payload, STORY_S)
    wait_for("it wants to be started anew", lambda: "pending testing" in scene.swupdate.said()[begin:], STORY_S)
    scene.reboots(offer)
    assert scene.campaign_becomes(offer, "completed")["completed_devices"] == 1


def goes_on_where_the_line_was_cut(scene):
    """Once by a farewell in the middle, once by a machine that is gone: only the rest is asked for."""
    scene.swupdate.start()
    for by_reset in (False, True):
        scene.line.befall(cut_at=BIG // 2, by_reset=by_reset)
        before = len(scene.downloads())
        offer = scene.offer(size=BIG)
        scene.installs(offer)
        scene.reboots(offer)
        asked = scene.downloads()[before:]
        begin = int(asked[1].headers["range"].removeprefix("bytes=").removesuffix("-"))
        size = scene.update(offer)["download_size"]
        assert [a.status for a in asked] == [200, 206] and "range" not in asked[0].headers, asked
        # A reset may take with it what was on its way.
        assert 0 < begin <= BIG // 2 and (by_reset or begin == BIG // 2), begin
        assert asked[1].answer["content-range"] == f"bytes {begin}-{size - 1}/{size}" and asked[1].body == size - begin, asked


def wrong_bytes(scene):
    """Of what is signed, of the payload on its way, and of the package as a whole: shown with kind and the device's words."""
    scene.swupdate.start()
    fails(scene, "HASH mismatch", wrong_sha256=hashlib.sha256(b"other bytes").hexdigest())
    # Here, too, an end may be taken for another: it says that it succeeded, and begins anew. So all that it fetches is damaged.
    line = scene.line.befall(damage_at=100_000, times=1000)
    fails(scene, "Image invalid or corrupted")
    line.end()
    assert scene.swupdate.installed() is None
    # In the padding at the end only the SHA-1 that we state can tell. SWUpdate looks at that when all is written, says that
    # it failed, and waits for a reboot: this story ends here.
    scene.line.befall(damage_at=END, times=1000)
    fails(scene, "Checksum does not match")


def fails(scene, in_its_log, **more):
    begin = len(scene.swupdate.said())
    offer = scene.offer(**more)
    row = scene.becomes(offer, "failed")
    assert row["error_code"] == "device_failure" and row["error_message"] == "No suitable .swu image found", row
    ends = [event["data"] for event in scene.events(offer) if event["type"] == "update.attempt_ended"]
    assert [end["kind"] for end in ends] == ["device"], ends         # device: no fault of the line, nor of ours
    assert scene.campaign_becomes(offer, "failed")["failed_devices"] == 1
    wait_for(f"SWUpdate's own log has \"{in_its_log}\"", lambda: in_its_log in scene.swupdate.said()[begin:], STORY_S)


def waits_for_its_window(scene):
    """Closed, open until half of it is downloaded, closed again, open: what has begun is not broken off, and ends well.

    The window is that of the device's own zone, so that it opens and closes when an operator says where the device is.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    start, end = ((now + datetime.timedelta(hours=h)).strftime("%H:%M") for h in (3, 5))
    offer = scene.offer(size=BIG, maintenance_window={"start": start, "end": end, "timezone": "device"})
    scene.swupdate.start()
    scene.polls(3)
    row, why = scene.update(offer), scene.why()
    assert row["status"] == "scheduled" and row["waiting_for"] == "window" and row["started_at"] is None, row
    assert start in why["sentence"] and end in why["sentence"] and "gate window" in why["sentence"], why
    closed = [gate for gate in why["updates"][0]["gates"] if not gate["open"]]
    assert [gate["gate"] for gate in closed] == ["window"] and closed[0]["until"], closed
    assert not scene.line.requests("GET", "/deploymentBase/"), "it was told of its deployment"
    assert not scene.line.requests("POST", "/feedback"), "it had something to say"

    download = scene.line.befall(hold_at=BIG // 2, bytes_per_s=250_000)    # polls come while it is under way
    be_in(scene, "Etc/GMT-4")                                 # four hours ahead: in the middle of the window
    wait_for("half of it is there", lambda: any(d.body == BIG // 2 for d in scene.downloads()), STORY_S)
    be_in(scene, "Etc/UTC")
    download.go.set()
    scene.polls(2)
    scene.installs(offer)
    scene.polls(2)
    assert scene.update(offer)["completed_at"] is None, scene.update(offer)
    be_in(scene, "Etc/GMT-4")
    scene.polls(1)
    scene.reboots(offer)
    assert len(scene.downloads()) == 1, scene.downloads()
    assert not [words for words in scene.said(offer) if "Skipped" in words], scene.said(offer)


def be_in(scene, zone):
    answer = scene.service.call("PUT", f"{BASE}/devices/{scene.device}", {"attributes": {"timezone": zone}})
    assert answer.status == 200, answer.text


def claims_what_it_never_fetched(scene):
    """SWUpdate that is started with "-c 2" says "succeeded" of whatever it is offered: it keeps no id of what it installed."""
    offer = scene.offer()
    scene.swupdate.start(says="-c 2")
    row = scene.becomes(offer, "completed")
    assert row["details"] == ["Update Installed."], row
    assert not scene.line.requests("GET", "/artifacts/") and not scene.line.requests("HEAD", "/artifacts/")
    check_suspicion(row, True)


def check_suspicion(row, suspicious):
    """A success for which nobody has asked for a single byte."""
    assert row[UNDOWNLOADED] is suspicious, row


STORIES = {
    # This one is nobody's before it comes; the others have tokens of their own.
    installs: {"attributes": {"serialNo": "A17", "timezone": "Europe/Berlin"}, "gateway_token": GATEWAY_TOKEN},
    installs_over_tls: {"over_tls": True},
    cancelled_before_it_downloads: {"attributes": {"serialNo": "B18"}},     # it looks, and says who it is before it begins
    cancelled_while_it_downloads: {},
    goes_on_where_the_line_was_cut: {},
    wrong_bytes: {},
    waits_for_its_window: {"attributes": {"timezone": "Etc/UTC"}},
    claims_what_it_never_fetched: {},
}


def tell(story, configuration, stage, maker):
    """Nothing, or what went wrong and what the device saw of it."""
    with Scene(stage.service, maker, stage.directory, story.__name__.replace("_", "-"), **configuration) as scene:
        try:
            story(scene)
            return None
        except Exception:
            return f"{story.__name__}: {traceback.format_exc()}\n{scene.tail()}"


def main():
    stage = Stage(*SETTINGS, *GUARDED)
    stage.service.open_tls(Authority(stage.directory, "authority"))
    with stage, ThreadPoolExecutor(AT_A_TIME) as told:
        maker = Maker(stage.directory)
        ends = [told.submit(tell, story, configuration, stage, maker) for story, configuration in STORIES.items()]
        faults = [end.result() for end in ends if end.result()]
        for fault in faults:
            print(fault, file=sys.stderr)
        assert not faults, f"{len(faults)} of {len(STORIES)} stories of SWUpdate came out wrong"
        stage.service.stop()
        print(f"{len(STORIES)} stories of SWUpdate")


if __name__ == "__main__":
    main()
