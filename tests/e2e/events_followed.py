"""Who follows the log sees every event once and in order, though the service is killed in between. A file of it has an end, though
each page that is read is an event."""
import json
import os
import subprocess

from support import BIN, Stage, wait_for


def follow(stage, name, *options):
    """otactl, which follows: what it prints, as it is by now."""
    path = os.path.join(stage.directory, name)
    with open(path, "wb") as out, open(path + ".err", "wb") as err:
        process = subprocess.Popen([os.path.join(BIN, "otactl"), "--json", "--server", stage.service.url, "events", "--follow",
                                    *options], stdout=out, stderr=err)

    def events():
        with open(path, "rb") as lines:
            return [json.loads(line) for line in lines.read().split(b"\n")[:-1]]
    return process, events


def reads_are_recorded(stage, events):
    service = stage.service
    service.settings += ["--audit.record_reads", "on"]
    service.start()
    for command, lines_beside in ((["--json", "events"], 0), (["audit", "events", "--format", "csv"], 1), (["events"], 0)):
        done = subprocess.run([os.path.join(BIN, "otactl"), "--server", service.url, *command], capture_output=True, timeout=60, check=True)
        shown = len(done.stdout.splitlines()) - lines_beside
        head = service.get("/audit/events?limit=1")["head"]
        assert events < shown < head, (command, events, shown, head)
    service.stop()


def main():
    with Stage() as stage:
        service = stage.service
        service.register([f"early-{i}" for i in range(10)])
        head = service.get("/audit/events?limit=1")["head"]
        everything, all_events = follow(stage, "all", "--after", "0")
        registered, later_events = follow(stage, "later", "--type", "device.registered,firmware.registered")
        try:
            wait_for("both follow", lambda: service.get("/service/stats")["event_streams"]["open"] == 2, 30)
            for killed in range(2):
                service.register([f"device-{killed}-{i}" for i in range(2_000)])
                service.kill()
                service.start()
            service.register(["last"])
            log = service.events()
            wait_for("all of it is printed", lambda: len(all_events()) >= len(log), 30)
            assert all_events() == log, "what was printed is not the log"
            wanted = [e for e in log if e["position"] > head and e["type"] == "device.registered"]
            wait_for("the later ones, too", lambda: len(later_events()) >= len(wanted), 30)
            assert later_events() == wanted, "what was let through is not what was asked for"
            first = subprocess.run([os.path.join(BIN, "otactl"), "--json", "--server", service.url, "events", "--follow", "--after", "0",
                                    "--limit", "3"], capture_output=True, timeout=60, check=True).stdout
            assert [json.loads(line) for line in first.splitlines()] == log[:3], "not the first three, and an end"
            refused = subprocess.run([os.path.join(BIN, "otactl"), "--as-of", "1", "log", "stats", service.data],
                                     capture_output=True, timeout=60, check=False)
            assert refused.returncode == 2 and b"--as-of: '1'" in refused.stderr, refused
            service.stop()                       # though both are still there
            reads_are_recorded(stage, len(log))
            print(f"{len(log)} events printed once each, over 2 kills")
        finally:
            for process in (everything, registered):
                process.kill()
                process.wait()


if __name__ == "__main__":
    main()
