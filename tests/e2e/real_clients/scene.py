"""One real device, its line to the service, and what an operator does with it."""
import os
from dataclasses import dataclass

from support import BASE, metadata, wait_for

from .bad_line import BadLine
from .swupdate import Swupdate

STORY_S = 90                             # what takes longer has come to nothing


@dataclass
class Offer:
    """What a campaign of one device offers it."""
    payload: bytes
    campaign: str
    update: str


class Scene:
    def __init__(self, service, maker, directory, device, over_tls=False, **configuration):
        self.service, self.maker, self.device = service, maker, device
        self.line = BadLine(service.port)
        if "gateway_token" not in configuration:
            service.call("PUT", f"{BASE}/devices/{device}", {})
            configuration["target_token"] = service.get(f"/devices/{device}/token")["token"]
        if over_tls:                     # past the line, which could not read it
            configuration["authority"] = service.tls_authority
        url = service.tls_url if over_tls else self.line.url
        self.swupdate = Swupdate(directory, device, url, maker.certificate, **configuration)
        self.offers = 0

    def __enter__(self):
        self.line.__enter__()
        return self

    def __exit__(self, *_):
        self.swupdate.end()
        self.line.__exit__()

    def offer(self, size=200_000, wrong_sha256=None, **policy):
        """A new version for this device alone. Its model is its own, so that stories do not meet."""
        self.offers += 1
        version, payload = f"{self.offers}.0.0", os.urandom(size)
        package = self.maker.package(payload, self.swupdate.target, self.device, version, wrong_sha256)
        uploaded = self.service.upload(package, metadata(version, model=self.device, name=self.device), f"{self.device}.swu")
        assert uploaded.status == 201, uploaded.text
        campaign = self.service.post("/campaigns", {"name": f"{self.device} {version}", "target_devices": [self.device],
                                                    "firmware_id": uploaded.json["firmware_id"], "max_retries": 0, **policy},
                                     status=201)["campaign_id"]
        update = self.service.get(f"/campaigns/{campaign}/updates")["updates"][0]["update_id"]
        self.service.post(f"/campaigns/{campaign}/start")
        return Offer(payload, campaign, update)

    def update(self, offer):
        return self.service.get(f"/updates/{offer.update}")

    def becomes(self, offer, status):
        def reached():
            row = self.update(offer)
            assert row["status"] == status or row["completed_at"] is None, row
            return row if row["status"] == status else None
        return wait_for(f"the update of {self.device} is {status}", reached, STORY_S)

    def campaign_becomes(self, offer, status):
        return wait_for(f"the campaign of {self.device} is {status}",
                        lambda: (row := self.service.get(f"/campaigns/{offer.campaign}"))["status"] == status and row, STORY_S)

    def cancel(self, offer):
        answer = self.service.call("POST", f"{BASE}/updates/{offer.update}/cancel", {})
        assert answer.status == 200, answer.text
        return answer.json

    def installs(self, offer):
        """Waits until SWUpdate has written it and said so; success it does not report by itself."""
        wait_for(f"{self.device} has installed {offer.update}", lambda: self.swupdate.installed() == offer.payload, STORY_S)
        wait_for(f"{self.device} reports it", lambda: "All Chunks Installed." in self.update(offer)["details"], STORY_S)

    def reboots(self, offer):
        """It comes up with what it has installed, and says that it succeeded."""
        self.swupdate.stop()
        self.swupdate.start(says="-c 2")
        return self.becomes(offer, "completed")

    def passes_its_check(self, offer):
        """The same without a reboot: what looks after the device tells SWUpdate, and SWUpdate tells the service."""
        # SWUpdate has one connection for this and for its polls, and no lock on it: it is told when it has just polled.
        look = f"/deploymentBase/{self.update(offer)['action_id']}?"
        looked = lambda: len([asked for asked in self.line.requests("GET", look) if asked.done])
        before = looked()
        wait_for(f"{self.device} polls", lambda: looked() > before, STORY_S)
        self.swupdate.tell_service(self.update(offer)["action_id"], "success", "check passed")
        return self.becomes(offer, "completed")

    def why(self):
        return self.service.get(f"/devices/{self.device}/why")

    def polls(self, times):
        """Waits until it has asked so many times more, and has its answers."""
        polls = lambda: [asked for asked in self.line.requests("GET", "/v1/") if asked.path.endswith(f"/{self.device}")]
        answered = lambda: len([asked for asked in polls() if asked.done])
        before = answered()
        wait_for(f"{self.device} polls {times} times", lambda: answered() >= before + times, STORY_S)

    def events(self, offer):
        return self.service.get(f"/audit/events?update_id={offer.update}&limit=1000")["events"]

    def said(self, offer):
        """Every line that the device has reported of it."""
        return [line for event in self.events(offer) for line in event["data"].get("details", [])]

    def downloads(self):
        return self.line.requests("GET", "/artifacts/")

    def tail(self):
        asked = "\n".join(f"  {a.method} {a.path} {a.headers.get('range', '')} -> {a.status}, {a.body} bytes"
                          for a in self.line.asked)
        return f"{self.swupdate.tail()}\nasked by {self.device}:\n{asked}"
