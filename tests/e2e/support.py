"""Shared by the end-to-end tests: the real programs on free loopback ports, in temporary directories.

Nothing here sleeps for luck: waits poll a condition and fail at a deadline.
"""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

BIN = os.environ.get("OTA_BIN") or os.path.join(os.path.dirname(__file__), "..", "..", "build")
LONG = os.environ.get("OTA_TEST_LONG") == "1"
BASE = "/api/v1/ota"


def free_port():
    """Below those that the system gives to whoever connects (from 32,768 on): while a service is down that is to come back on
    its port, one of a thousand connections would get it."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass                             # taken: another one


def wait_for(what, condition, seconds=120):
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class Answer:
    def __init__(self, status, body, headers):
        self.status, self.text, self.headers = status, body, headers

    @property
    def json(self):
        return json.loads(self.text)


class Service:
    """otad, which may be killed and started again on the same port and data."""

    def __init__(self, directory, *settings, environment=None):
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data = os.path.join(directory, "data")
        self.log = os.path.join(directory, "otad.log")
        self.settings = list(settings)
        self.environment = environment or {}
        self.process = None
        self.tls_port = self.tls_url = self.tls_authority = None

    def open_tls(self, authority):
        """A second door, for devices, which shows a certificate of this authority; on the same port after every start."""
        self.tls_port, file = free_port(), authority.issue("localhost")
        self.tls_url, self.tls_authority = f"https://127.0.0.1:{self.tls_port}", authority.certificate
        self.settings += ["--tls.port", str(self.tls_port), "--tls.address", "127.0.0.1", "--tls.certificate", file + ".crt",
                          "--tls.key", file + ".key"]

    def start(self, wait=True, environment=None):
        port_file = os.path.join(self.directory, "port")
        if os.path.exists(port_file):
            os.remove(port_file)
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                [os.path.join(BIN, "otad"), "--port", str(self.port), "--data", self.data, "--http.port_file", port_file,
                 "--ddi.anonymous", "on", "--ddi.device_rate", "0", *self.settings], stdout=out, stderr=out,
                env={**os.environ, **self.environment, **(environment or {})})
        if wait:
            wait_for("the service opens its door", lambda: os.path.exists(port_file) or self.died())
            assert self.process.poll() is None, self.tail()
        return self

    def died(self):
        return self.process.poll() is not None

    def tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as text:
            return "otad: " + text.read()[-3000:]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(timeout=60) == 0, self.tail()

    def call(self, method, path, body=None, headers=None, raw=None):
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        head = {"Content-Type": "application/json"} if data is not None else {}
        request = urllib.request.Request(self.url + path, data=data, method=method, headers={**head, **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.read().decode(), answer.headers)
        except urllib.error.HTTPError as answer:
            return Answer(answer.code, answer.read().decode(), answer.headers)

    def get(self, path):
        answer = self.call("GET", BASE + path)
        assert answer.status == 200, (path, answer.status, answer.text)
        return answer.json

    def post(self, path, body=None, status=200, headers=None):
        answer = self.call("POST", BASE + path, body if body is not None else {}, headers)
        assert answer.status == status, (path, answer.status, answer.text)
        return answer.json

    def upload(self, content, metadata, name="firmware.bin"):
        boundary = "e2eBoundary7f1c"
        body = (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
                f"Content-Type: application/octet-stream\r\n\r\n").encode() + content + (
                    f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n'
                    f"{json.dumps(metadata)}\r\n--{boundary}--\r\n").encode()
        return self.call("POST", BASE + "/firmware", raw=body,
                         headers={"Content-Type": f"multipart/form-data; boundary={boundary}"})

    def events(self):
        """The whole log, exported."""
        after, found = 0, []
        while True:
            page = self.get(f"/audit/events?after={after}&limit=5000")
            found += page["events"]
            if page["next_after"] >= page["head"] or not page["events"]:
                return found
            after = page["next_after"]

    def pages(self, path, key):
        cursor, rows = "", []
        while True:
            mark = "&" if "?" in path else "?"
            page = self.get(f"{path}{mark}limit=200" + (f"&cursor={cursor}" if cursor else ""))
            rows += page[key]
            cursor = page["next_cursor"]
            if not cursor:
                return rows

    def register(self, names):
        """Devices of which nothing is known but that they are there."""
        lines = "".join(json.dumps({"device_id": name}) + "\n" for name in names)
        answer = self.call("POST", BASE + "/devices/import", raw=lines.encode(), headers={"Content-Type": "application/x-ndjson"})
        assert answer.status == 200 and answer.json["registered"] == len(names), answer.text

    def known_devices(self, model):
        """How many devices have said that they are of this model."""
        return len(self.pages(f"/devices?device_model={model}", "devices"))


class Fleet:
    """otasim."""

    def __init__(self, directory, server, *options, name="fleet"):
        self.counted = {}
        self.journal = os.path.join(directory, name + ".jsonl")
        self.summary = os.path.join(directory, name + ".json")
        self.report = os.path.join(directory, name + ".report")
        self.log = os.path.join(directory, name + ".log")
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                [os.path.join(BIN, "otasim"), "--server", server, "--journal", self.journal,
                 "--summary-json", self.summary, "--report", self.report, *options], stdout=out, stderr=out)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def facts(self, with_text=b""):
        """Those whose line has it."""
        with open(self.journal, "rb") as lines:
            return [json.loads(line) for line in lines if with_text in line]

    def count(self, text):
        """How many facts have it by now. What was looked at once is not looked at again: journals grow large."""
        begin, found = self.counted.get(text, (0, 0))
        with open(self.journal, "rb") as journal:
            journal.seek(begin)
            new = journal.read()
        whole = new[:new.rfind(b"\n") + 1]
        self.counted[text] = begin + len(whole), found + whole.count(text)
        return self.counted[text][1]

    def accounts(self):
        """What every device did, after the end."""
        return read_lines(self.report)

    def result(self):
        with open(self.summary, encoding="utf-8") as text:
            return json.load(text)

    def tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as text:
            return "otasim: " + text.read()[-3000:]


def read_lines(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class Stage:
    """A temporary directory with a service; everything is stopped and removed at the end."""

    def __init__(self, *settings, environment=None):
        self.directory = tempfile.mkdtemp(prefix="ota-e2e-")
        self.service = Service(self.directory, *settings, environment=environment)
        self.fleets = []
        self.failed = True

    def fleet(self, *options, name="fleet", server=None):
        self.fleets.append(Fleet(self.directory, server or self.service.url, *options, name=name))
        return self.fleets[-1]

    def __enter__(self):
        self.service.start()
        return self

    def __exit__(self, kind, value, trace):
        for fleet in self.fleets:
            if fleet.process.poll() is None:
                fleet.process.kill()
                fleet.process.wait()
        if self.service.process.poll() is None:
            self.service.process.kill()
            self.service.process.wait()
        if kind is None:
            shutil.rmtree(self.directory)
        else:
            print(f"kept for a look: {self.directory}\n{self.service.tail()}")


def metadata(version, model="SF-100", name="Smart Frame"):
    return {"name": name, "version": version, "device_model": model, "manufacturer": "Acme"}
