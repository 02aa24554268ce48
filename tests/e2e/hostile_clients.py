"""Clients that are slow, broken or malicious, all at once: each gets what it deserves, the others do not notice, and
nothing of it is left behind.

    hostile_clients.py           100 slow clients, 1,000 resets; OTA_TEST_LONG=1: 1,000 and 10,000
"""
import resource

from authority import Authority
from hostile_parts import crowds, manners, messages, resets
from hostile_parts.meanwhile import Meanwhile
from hostile_parts.witness import Facts, GoodClient
from support import BASE, LONG, Stage, metadata, wait_for

SLOW = 1_000 if LONG else 100
RESETS = 10_000 if LONG else 1_000
ASKERS = 40                                      # of a page of the log, more than it makes at once
STUCK_READERS = 300 if LONG else 150             # more than the service has handlers
FIRMWARE = bytes(range(256)) * 32_768            # 8 MB: more than a connection holds on its way
LISTING_MB = 4.5                                 # and an answer that none holds either
MEMORY_MAX_MB = 500                              # what all of this together may cost
THIN_LINE_S = 40                                 # a download that takes longer than one may stand still at first
SETTINGS = []                                    # of the service
GOOD, DOWNLOADER = "good-1", "downloader-1"


def ddi(device):
    return f"/DEFAULT/controller/v1/{device}"


def offered_download(service):
    """A path on which DOWNLOADER may fetch FIRMWARE."""
    firmware = service.upload(FIRMWARE, metadata("2.0.0"))
    assert firmware.status == 201, firmware.text
    service.post("/campaigns", {"name": "download", "firmware_id": firmware.json["firmware_id"],
                                "target_devices": [DOWNLOADER]}, status=201)
    campaign = service.get("/campaigns")["campaigns"][0]["campaign_id"]
    service.post(f"/campaigns/{campaign}/start")
    offer = service.call("GET", ddi(DOWNLOADER)).json["_links"]["deploymentBase"]["href"]
    deployment = service.call("GET", offer[len(service.url):]).json["deployment"]
    return deployment["chunks"][0]["artifacts"][0]["_links"]["download-http"]["href"][len(service.url):]


def large_listing(service):
    """A path whose answer has megabytes: a page of the log."""
    names = ["device_id", "device_model", *[f"attribute.name-{n}" for n in range(90)]]
    rows = [",".join([f"large-{n}", "SF-1", *["v" * 120] * 90]) for n in range(400)]
    answer = service.call("POST", BASE + "/devices/import", raw="\n".join([",".join(names), *rows]).encode(),
                          headers={"Content-Type": "text/csv"})
    assert answer.status == 200 and answer.json["registered"] == len(rows), answer.text
    path = f"{BASE}/audit/events?after=0&limit=5000"
    assert len(service.call("GET", path).text) > LISTING_MB * 1e6
    return path


def allow_files():
    """As many as may be: a slow client is one of ours, too."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main():
    allow_files()
    stage = Stage(*SETTINGS)
    stage.service.open_tls(Authority(stage.directory, "authority"))
    with stage:
        service, port, tls_port = stage.service, stage.service.port, stage.service.tls_port
        download, listing = offered_download(service), large_listing(service)
        assert service.call("PUT", messages.THING, {}).status == 201
        good = GoodClient(port, ddi(GOOD))
        good.start()
        try:
            manners.run(port, download)          # and so everything has been done once before it is counted
            facts = lambda: Facts(service.process.pid, service.data)
            before = facts()
            slow = [Meanwhile(crowds.slow_senders, port, tls_port, SLOW),
                    Meanwhile(crowds.slow_download, port, download, len(FIRMWARE), THIN_LINE_S)]
            print(crowds.many_askers(port, ASKERS, listing))
            stuck = [crowds.Readers(port, STUCK_READERS, path) for path in (listing, download)]
            polls = good.so_far()
            wait_for("polls go on beside all of these", lambda: good.so_far() > polls + 100)
            cases = messages.run(port)
            resets.run(port, tls_port, RESETS, download)
            manners.run(port, download)
            print(slow[0].result())
            assert slow[1].result() == FIRMWARE, "a slow download got other bytes"
            wait_for("who reads nothing is given up", lambda: all(r.ended() == STUCK_READERS for r in stuck), 150)
            for readers in stuck:
                readers.close()
        finally:
            polls = good.finish()
        assert service.call("GET", BASE + "/devices/smuggled").status == 404, "a request was smuggled in"
        wait_for("nothing is left open", lambda: len(facts().descriptors) <= len(before.descriptors))
        after = facts()
        print(f"{cases} messages, {SLOW} slow, {RESETS} resets, {2 * STUCK_READERS} who do not read; {polls} polls "
              f"beside them; before: {before}, after: {after}")
        assert after.threads <= before.threads, (before, after)
        assert after.memory_mb <= before.memory_mb + MEMORY_MAX_MB, (before, after)
        assert service.get("/health")["status"] == "healthy"
        assert service.get("/health/detailed")["status"] == "healthy", service.get("/health/detailed")
        service.stop()


if __name__ == "__main__":
    main()
