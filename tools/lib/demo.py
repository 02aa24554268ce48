"""The demonstration behind tools/run: the service, a simulated fleet, one staged campaign, a summary.

Uses nothing but the project's own programs and the REST API. Everything is stopped by its own process id.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

DEVICES = 500
FAILING = 6
OLD, NEW = "1.0.0", "2.0.0"


def call(server, path):
    with urllib.request.urlopen(f"{server}/api/v1/ota{path}", timeout=10) as answer:
        return json.load(answer)


class Demo:
    def __init__(self, options):
        self.options = options
        self.server = f"http://127.0.0.1:{options.port}"
        self.directory = tempfile.mkdtemp(prefix="ota-demo-")
        self.data = options.data or os.path.join(self.directory, "data")
        self.children = []

    def program(self, name):
        return os.path.join(self.options.bin, name)

    def start(self, name, *arguments, log):
        with open(os.path.join(self.directory, log), "ab") as out:
            child = subprocess.Popen([self.program(name), *arguments], stdout=out, stderr=out)
        self.children.append(child)
        return child

    def ctl(self, *arguments, capture=True):
        done = subprocess.run([self.program("otactl"), "--server", self.server, "--user", "demo",
                               *(["--json"] if capture else []), *arguments],
                              stdout=subprocess.PIPE if capture else None, check=False, text=True)
        if done.returncode != 0 and capture:
            raise RuntimeError(f"otactl {' '.join(arguments)} failed")
        return json.loads(done.stdout) if capture else done.returncode

    def wait_for_service(self, service, port_file):
        """Until our own service, not whoever else may answer on the port, has opened its door."""
        for _ in range(600):
            if service.poll() is not None:
                break
            if os.path.exists(port_file):
                return call(self.server, "/health")
            time.sleep(0.1)
        with open(os.path.join(self.directory, "otad.log"), encoding="utf-8") as log:
            raise RuntimeError("the service did not start:\n" + log.read()[-2000:])

    def wait_for_fleet(self):
        """Until every device has polled and said what it is."""
        known, cursor = 0, ""
        while known < DEVICES:
            page = call(self.server, f"/devices?device_model=SF-100&limit=200&cursor={cursor}")
            known += page["count"]
            cursor = page["next_cursor"] or ""
            if not cursor and known < DEVICES:
                known = 0
                time.sleep(0.2)

    def upload(self, version):
        path = os.path.join(self.directory, f"smart-frame-{version}.bin")
        with open(path, "wb") as binary:
            binary.write((f"smart frame firmware {version}\n".encode() * 8192)[:256 * 1024])
        return self.ctl("firmware", "upload", path, "--name", "Smart Frame", "--version", version,
                        "--model", "SF-100", "--manufacturer", "Acme")["firmware_id"]

    def run(self):
        print(f"1. The service: {self.server}, data in {self.data}")
        port_file = os.path.join(self.directory, "port")
        service = self.start("otad", "--port", str(self.options.port), "--data", self.data,
                             "--http.port_file", port_file, "--ddi.sleep", "1s",
                             "--retry.backoff_base", "2s", log="otad.log")
        self.wait_for_service(service, port_file)

        print(f"2. Two firmware versions: {OLD} and {NEW}")
        self.upload(OLD)
        firmware = self.upload(NEW)

        print(f"3. A fleet of {DEVICES} simulated devices polls over hawkBit DDI, {FAILING} of them will fail to install")
        summary = os.path.join(self.directory, "fleet.json")
        fleet = self.start("otasim", "--server", self.server, "--devices", str(DEVICES), "--seed", "7",
                           "--model", "SF-100", "--initial-version", OLD, "--fail-devices", str(FAILING),
                           "--install-ms", "300", "--reboot-ms", "500", "--journal",
                           os.path.join(self.directory, "fleet.jsonl"), "--summary-json", summary, log="otasim.log")
        self.wait_for_fleet()

        print("4. A staged campaign, 50 devices at a time\n")
        campaign = self.ctl("campaign", "create", "--name", "Smart Frame 2.0", "--firmware", firmware,
                            "--filter", json.dumps({"device_model": "SF-100"}), "--strategy", "staged",
                            "--max-concurrent", "50", "--batch-size", "100", "--max-retries", "1")["campaign_id"]
        self.ctl("campaign", "start", campaign)
        self.ctl("campaign", "watch", campaign, capture=False)
        self.stop(fleet)
        return self.report(campaign, service)

    def report(self, campaign, service):
        row = call(self.server, f"/campaigns/{campaign}")
        stats = call(self.server, f"/stats/campaigns/{campaign}")
        accounted = row["completed_devices"] + row["failed_devices"] + row["cancelled_devices"]
        print(f"\nCampaign {row['name']} is {row['status']}: {row['completed_devices']} updated, "
              f"{row['failed_devices']} failed, {row['cancelled_devices']} cancelled; "
              f"{accounted} of {row['total_devices']} devices accounted for")
        print(f"Verdict: {row['verdict']['text']}")
        print(f"Success rate {stats['success_rate']} %, {stats['devices_per_hour']:.0f} devices an hour, "
              f"error codes {json.dumps(stats['error_codes'])}")
        failed = call(self.server, f"/campaigns/{campaign}/updates?status=failed&limit=1")["updates"]
        print("\nWhere to look next")
        print(f"  build/otactl campaign show {campaign}")
        print(f"  build/otactl campaign updates {campaign} --status failed")
        if failed:
            print(f"  build/otactl update show {failed[0]['update_id']}")
        print(f"  curl -s {self.server}/api/v1/ota/stats | jq")
        print("  docs/first-steps.md walks through the API")
        ok = accounted == row["total_devices"] == DEVICES and row["status"] == "completed"
        if not self.options.once:
            print("\nThe service goes on; Ctrl-C ends it.", flush=True)
            service.wait()
        return 0 if ok else 1

    @staticmethod
    def stop(child):
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(timeout=15)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def stop_all(self):
        for child in reversed(self.children):
            self.stop(child)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--data", default="")
    parser.add_argument("--once", action="store_true")
    demo = Demo(parser.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.stdout.reconfigure(line_buffering=True)
    try:
        return demo.run()
    except KeyboardInterrupt:
        print("\nstopping")
        return 0
    except (RuntimeError, OSError) as fault:
        print(f"tools/run: {fault}", file=sys.stderr)
        return 1
    finally:
        demo.stop_all()


if __name__ == "__main__":
    sys.exit(main())
