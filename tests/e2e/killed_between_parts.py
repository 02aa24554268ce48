"""A campaign whose explicit ids do not fit one event, and a service that dies while it writes them ahead, part by part.

What was written ahead is nothing: the campaign is not found, and no list shows it. The same request again creates it once.
"""
import urllib.error

from support import BASE, Stage, metadata, wait_for

KNOWN = 1_000_000                # a request's most; with the rest, enough that half of them are several parts
REST = 100_000
KEY = {"Idempotency-Key": "half"}


def events_of(service, kind):
    return service.get(f"/audit/events?type={kind}&limit=5000")["events"]


def main():
    with Stage() as stage:
        service = stage.service
        firmware = service.upload(b"bytes", metadata("2.0.0")).json["firmware_id"]
        body = lambda name, ids: {"name": name, "firmware_id": firmware, "target_devices": ids}
        ids = [f"d{i}" for i in range(KNOWN + REST)]
        for name, chunk in (("million", ids[:KNOWN]), ("rest", ids[KNOWN:])):
            created = service.post("/campaigns", body(name, chunk), status=201)
            assert created["total_devices"] == len(chunk), created["total_devices"]
        assert events_of(service, "campaign.target_part") == []     # neighbours among the numbers need little room
        half = body("half", ids[::2])                               # no two of them are neighbours
        service.stop()
        service.start(environment={"OTA_FAULT": "journal.after_write:4"})
        try:
            answer = service.call("POST", BASE + "/campaigns", half, KEY)
            raise AssertionError(f"answered {answer.status}, and should have died")
        except (OSError, urllib.error.URLError):
            wait_for("the service is gone", service.died)
        service.start()
        parts = events_of(service, "campaign.target_part")
        streams = {event["stream"] for event in parts}
        assert len(parts) >= 2 and len(streams) == 1, (len(parts), streams)
        unfinished = streams.pop().removeprefix("campaign:")
        unfinished = unfinished if unfinished.startswith("camp_") else "camp_" + unfinished
        for verb, path in (("GET", ""), ("POST", "/start"), ("GET", "/updates")):
            answer = service.call(verb, f"{BASE}/campaigns/{unfinished}{path}", {} if verb == "POST" else None)
            assert answer.status == 404 and unfinished in answer.json["message"], (verb, path, answer.text)
        assert {c["name"] for c in service.get("/campaigns")["campaigns"]} == {"million", "rest"}

        first = service.call("POST", BASE + "/campaigns", half, KEY)
        again = service.call("POST", BASE + "/campaigns", half, KEY)
        assert first.status == 201 and again.text == first.text, (first.text, again.text)
        assert first.json["campaign_id"] != unfinished and first.json["total_devices"] == len(half["target_devices"])
        service.kill()
        service.start()
        assert [c["campaign_id"] for c in service.get("/campaigns")["campaigns"] if c["name"] == "half"] == \
            [first.json["campaign_id"]]
        assert service.get(f"/campaigns/{first.json['campaign_id']}")["pending_devices"] == len(half["target_devices"])
        assert len(events_of(service, "campaign.created")) == 3
        whole = len(events_of(service, "campaign.target_part")) - len(parts)
        service.stop()
        print(f"died behind {len(parts)} parts of {whole}; the campaign of {len(half['target_devices'])} ids exists once")


if __name__ == "__main__":
    main()
