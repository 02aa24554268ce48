"""What the demonstrations behind tools/run share: the service, simulated fleets, otactl, readable progress.

Uses nothing but the project's own programs and the REST API. Everything is stopped by its own process id.
"""
import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.request

OLD, NEW = "1.0.0", "2.0.0"
OVER = ("completed", "failed", "cancelled")


class Stage:
    def __init__(self, options):
        self.options = options
        self.server = f"http://127.0.0.1:{options.port}"
        self.directory = tempfile.mkdtemp(prefix="ota-demo-")
        self.data = options.data or os.path.join(self.directory, "data")
        self.children = []
        self.service = None
        self.steps = 0
        self.shown = None

    def step(self, text):
        self.steps += 1
        print(f"\n{self.steps}. {text}")

    def call(self, path):
        with urllib.request.urlopen(f"{self.server}/api/v1/ota{path}", timeout=10) as answer:
            return json.load(answer)

    def program(self, name):
        return os.path.join(self.options.bin, name)

    def start(self, name, *arguments, log):
        with open(os.path.join(self.directory, log), "ab") as out:
            child = subprocess.Popen([self.program(name), *arguments], stdout=out, stderr=out)
        self.children.append(child)
        return child

    def ctl(self, *arguments, shown=False):
        """The answer of otactl; `shown`: what it prints for people goes to them, and the exit code comes back."""
        command = [self.program("otactl"), "--server", self.server, "--user", "demo"]
        if shown:
            print("   $ otactl " + " ".join(arguments))
            done = subprocess.run([*command, *arguments], stdout=subprocess.PIPE, check=False, text=True)
            print("".join(f"     {line}\n" for line in done.stdout.splitlines()), end="")
            return done.returncode
        done = subprocess.run([*command, "--json", *arguments], stdout=subprocess.PIPE, check=False, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"otactl {' '.join(arguments)} failed: {done.stdout.strip()}")
        return json.loads(done.stdout)

    # ---- what is on the stage ----

    def serve(self):
        self.step(f"The service: {self.server}, data in {self.data}")
        port_file = os.path.join(self.directory, "port")
        self.service = self.start("otad", "--port", str(self.options.port), "--data", self.data,
                                  "--http.port_file", port_file, "--ddi.sleep", "1s", "--ddi.anonymous", "on",
                                  "--retry.backoff_base", "2s", log="otad.log")
        # Until our own service, not whoever else may answer on the port, has opened its door.
        for _ in range(600):
            if self.service.poll() is not None:
                break
            if os.path.exists(port_file):
                return
            time.sleep(0.1)
        with open(os.path.join(self.directory, "otad.log"), encoding="utf-8") as log:
            raise RuntimeError("the service did not start:\n" + log.read()[-2000:])

    def upload(self, version, model="SF-100"):
        path = os.path.join(self.directory, f"{model}-{version}.bin")
        with open(path, "wb") as binary:
            binary.write((f"{model} firmware {version}\n".encode() * 8192)[:256 * 1024])
        return self.ctl("firmware", "upload", path, "--name", f"Smart Frame {model}", "--version", version,
                        "--model", model, "--manufacturer", "Acme")["firmware_id"]

    def fleet(self, devices, *options, model="SF-100", prefix="frame-"):
        """A simulated fleet, after every device of it has polled and said what it is."""
        name = f"fleet-{model}-{prefix}"
        child = self.start("otasim", "--server", self.server, "--devices", str(devices), "--prefix", prefix, "--seed", "7",
                           "--model", model, "--initial-version", OLD, "--install-ms", "300", "--reboot-ms", "500",
                           "--journal", os.path.join(self.directory, name + ".jsonl"),
                           "--summary-json", os.path.join(self.directory, name + ".json"), *options, log=name + ".log")
        while sum(device["device_id"].startswith(prefix) for device in self.devices(model)) < devices:
            if child.poll() is not None:
                raise RuntimeError(f"the simulated fleet ended, see {self.directory}/{name}.log")
            time.sleep(0.2)
        return child

    def devices(self, model="SF-100"):
        rows, cursor = [], ""
        while True:
            page = self.call(f"/devices?device_model={model}&limit=200&cursor={cursor}")
            rows += page["devices"]
            cursor = page["next_cursor"]
            if not cursor:
                return rows

    def campaign(self, firmware, *options, model="SF-100", name="Smart Frame 2.0"):
        return self.ctl("campaign", "create", "--name", name, "--firmware", firmware,
                        "--filter", json.dumps({"device_model": model}), *options)["campaign_id"]

    # ---- what is seen of it ----

    def watch(self, campaign, until, seconds=120):
        """A line for every change of the campaign until `until` says that it is enough."""
        deadline = time.monotonic() + seconds
        while True:
            row = self.call(f"/campaigns/{campaign}")
            self.show(row)
            if until(row):
                return row
            if time.monotonic() > deadline:
                raise RuntimeError(f"campaign {campaign} is still {row['status']} after {seconds} s")
            time.sleep(0.25)

    def show(self, row):
        parts = [("pending", row["pending_devices"]), ("in progress", row["in_progress_devices"]),
                 ("held", row["held_devices"]), ("completed", row["completed_devices"]),
                 ("taken back", row["undone_devices"]), ("failed", row["failed_devices"]),
                 ("cancelled", row["cancelled_devices"])]
        line = f"   {row['status']:<12}" + "  ".join(f"{name} {count}" for name, count in parts if count)
        if line != self.shown:
            print(line)
            self.shown = line

    def over(self, campaign, seconds=120):
        return self.watch(campaign, lambda row: row["status"] in OVER, seconds)

    def versions(self, model="SF-100"):
        counts = {}
        for device in self.devices(model):
            version = device["firmware_version"] or "unknown"
            counts[version] = counts.get(version, 0) + 1
        return counts

    # ---- the end ----

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


def accounted(row):
    return row["completed_devices"] + row["failed_devices"] + row["cancelled_devices"]
