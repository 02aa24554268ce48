"""A staged campaign updates 500 devices; the counters equal an independent fold of the exported log."""
from fold import Fold, shown
from support import LONG, Stage, metadata, wait_for

DEVICES = 10_000 if LONG else 500


def main():
    with Stage("--ddi.sleep", "1s", "--retry.backoff_base", "100ms") as stage:
        service = stage.service
        uploaded = service.upload(b"new firmware " * 10_000, metadata("2.0.0"))
        assert uploaded.status == 201, uploaded.text
        firmware = uploaded.json["firmware_id"]
        stage.fleet("--devices", str(DEVICES), "--seed", "11", "--model", "SF-100", "--initial-version", "1.0.0",
                    "--install-ms", "20", "--reboot-ms", "20", "--duplicate-reports", "0.2", "--late-reports", "0.2")
        wait_for("the whole fleet has registered", lambda: service.known_devices("SF-100") == DEVICES, 300)
        campaign = service.post("/campaigns", {
            "name": "all", "firmware_id": firmware, "target_filters": {"device_model": "SF-100"},
            "max_concurrent_updates": 200, "batch_size": 250}, status=201)
        assert campaign["status"] == "created" and campaign["total_devices"] == DEVICES, campaign
        assert campaign["pending_devices"] == DEVICES, campaign
        path = f"/campaigns/{campaign['campaign_id']}"
        assert service.post(path + "/start")["status"] == "in_progress"

        def always_adds_up():
            row = service.get(path)
            counts = shown(row)
            assert counts["total"] == sum(counts.values()) - counts["total"], row
            assert counts["in_progress"] <= 200, row
            return row if row["status"] != "in_progress" else None

        row = wait_for("the campaign ends", always_adds_up, 900 if LONG else 180)
        assert row["status"] == "completed" and row["completed_devices"] == DEVICES, row
        assert row["progress_percentage"] == 100.0, row
        assert shown(row) == Fold(service.events()).counters(campaign["campaign_id"])
        devices = service.pages("/devices", "devices")
        assert len(devices) == DEVICES
        assert all(d["firmware_version"] == "2.0.0" for d in devices), [d for d in devices if d["firmware_version"] != "2.0.0"][:3]
        stats = service.get("/stats")
        assert stats["completed_updates"] == DEVICES and stats["success_rate"] == 100.0, stats
        assert stats["devices_on_latest_firmware"] == 100.0, stats
        fleet = stage.fleets[0]
        fleet.stop()
        facts = fleet.facts()
        assert not [f for f in facts if f["fact"] == "violation"], [f for f in facts if f["fact"] == "violation"][:5]
        installed = [f for f in facts if f["fact"] == "installed"]
        assert len(installed) == DEVICES and len({f["device"] for f in installed}) == DEVICES
        print(f"{DEVICES} devices updated; log of {service.get('/audit/events?limit=1')['head']} events")
        service.stop()


if __name__ == "__main__":
    main()
