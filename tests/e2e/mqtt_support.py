"""Devices over MQTT for the end-to-end tests: a real nats-server with the configuration that docs/ ships, and devices made of
the real mosquitto_sub and mosquitto_pub.
"""
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from dataclasses import dataclass

from support import BIN, Stage, free_port, metadata, wait_for

SOURCE = os.environ.get("OTA_SOURCE") or os.path.join(os.path.dirname(__file__), "..", "..")
SERVICE_PASSWORD = "s3cret-of-the-service"
PATIENCE = 30
CONTENT = os.urandom(200_000)


def level(text):
    """A text as one level of a topic."""
    return "".join(c if re.fullmatch(r"[A-Za-z0-9_-]", c) else "".join(f"%{b:02X}" for b in c.encode()) for c in text)


def client_id(text):
    """nats-server 2.9 takes a client's id for a format: no percent sign may be in it (docs/devices.md)."""
    return level(text).replace("%", "=")


def user_text(device, token):
    return f"""  {{
    user: "{level(device)}"
    password: "{token}"
    allowed_connection_types: ["MQTT"]
    permissions: {{
      publish: {{
        allow: ["ota.DEFAULT.{level(device)}.up"]
      }}
      subscribe: {{
        allow: ["ota.DEFAULT.{level(device)}.down", "ota.DEFAULT.{level(device)}.reply", "$MQTT.sub.>"]
      }}
    }}
  }}
"""


@dataclass
class Tls:
    """Of a broker: its certificate and key without their endings, who the devices and who the service believe signs it."""
    file: str
    devices_trust: str
    service_trusts: str


class Broker:
    """nats-server with docs/nats-mqtt.conf, on ports and in a directory of this test; may be killed and started again."""

    def __init__(self, directory, tls=None):
        self.tls = tls
        self.directory = os.path.join(directory, "broker")
        os.makedirs(self.directory)
        self.port, self.mqtt_port = free_port(), free_port()
        self.url = f"{'tls' if tls else 'nats'}://ota_service:{SERVICE_PASSWORD}@127.0.0.1:{self.port}"
        self.passwords = {}
        self.process = None
        self.write_config(tls)

    def write_config(self, tls):
        """As docs/ has it, but for its places; with what it shows of TLS, unless `tls` is None."""
        with open(os.path.join(SOURCE, "docs", "nats-mqtt.conf"), encoding="utf-8") as text:
            config = text.read()
        if tls:
            config, found = re.subn(r" *# tls \{\n( *#   .*\n)+ *# \}\n", lambda block: block.group(0).replace("# ", ""), config)
            assert found == 2, config
            config = config.replace("/etc/nats/server.pem", tls.file + ".crt").replace("/etc/nats/server-key.pem", tls.file + ".key")
        for shipped, here in [('"/var/lib/nats/jetstream"', f'"{self.directory}/jetstream"'),
                              ('"127.0.0.1:4222"', f'"127.0.0.1:{self.port}"'),
                              ('"0.0.0.0:1883"', f'"127.0.0.1:{self.mqtt_port}"')]:
            assert config.count(shipped) == 1, shipped
            config = config.replace(shipped, here)
        with open(os.path.join(self.directory, "nats-mqtt.conf"), "w", encoding="utf-8") as out:
            out.write(config)

    def settings(self, service_url, mqtt_port):
        return ["--mqtt.host", "127.0.0.1", "--mqtt.port", str(mqtt_port), "--mqtt.user", "ota_service",
                *(["--mqtt.ca_file", self.tls.service_trusts, "--nats.ca_file", self.tls.service_trusts] if self.tls else []),
                "--mqtt.nats_url", self.url, "--ddi.public_url", service_url]

    def environment(self):
        return {"OTA_MQTT_PASSWORD": SERVICE_PASSWORD}

    def write_users(self, service, strangers=()):
        """The users of all known devices, as otactl prints them, and of others by hand."""
        done = subprocess.run([os.path.join(BIN, "otactl"), "--server", service.url, "device", "mqtt-users"],
                              text=True, stdout=subprocess.PIPE, check=True, timeout=60)
        text = done.stdout.rstrip()
        assert text.endswith("]"), text
        self.passwords = dict(re.findall(r'user: "([^"]+)"\s+password: "([^"]+)"', text))
        for device in strangers:
            self.passwords[level(device)] = token = hashlib.sha256(device.encode()).hexdigest()
            text = text[:-1] + user_text(device, token) + "]"
        with open(os.path.join(self.directory, "ota-users.conf"), "w", encoding="utf-8") as out:
            out.write(text + "\n")

    def start(self):
        with open(os.path.join(self.directory, "log"), "ab") as out:
            self.process = subprocess.Popen(["nats-server", "-c", os.path.join(self.directory, "nats-mqtt.conf")],
                                            stdout=out, stderr=out, env={**os.environ, **self.environment()})
        wait_for("the broker listens", self.listens, PATIENCE)
        return self

    def listens(self):
        assert self.process.poll() is None, self.tail()
        try:
            socket.create_connection(("127.0.0.1", self.mqtt_port), timeout=5).close()
            return True
        except OSError:
            return False

    def tail(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as text:
            return text.read()[-3000:]

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def check_log(self):
        """No password is in it, and no line in which the broker tells all that it knows."""
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as lines:
            for line in lines:
                assert len(line) < 4_000, line[:4_000]
                assert not any(password in line for password in self.passwords.values()), line


class Device:
    """What a device does with the command line tools of mosquitto."""

    def __init__(self, broker, name, user=None):
        self.broker, self.name, self.user = broker, name, user or name
        self.base = f"ota/DEFAULT/{level(name)}"
        self.listener = None
        self.heard = []          # (topic's last level, retained, message or None), in order of arrival
        self.changed = threading.Condition()

    def login(self):
        tls = self.broker.tls
        return ["-h", "127.0.0.1", "-p", str(self.broker.mqtt_port), "-u", level(self.user), "-P",
                self.broker.passwords[level(self.user)], *(["--cafile", tls.devices_trust] if tls else [])]

    def connect(self):
        """With a persistent session; returns when the subscriptions are there."""
        ready = threading.Event()
        # -d tells when the subscriptions are there, each of its lines begins with a word and no slash.
        self.listener = subprocess.Popen(
            ["stdbuf", "-oL", "mosquitto_sub", *self.login(), "-i", client_id(self.name), "-c", "-q", "1", "-d", "-F", "> %t %r %p",
             "-t", f"{self.base}/down", "-t", f"{self.base}/reply"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

        def read(listener):
            for line in listener.stdout:
                if "SUBACK" in line:
                    ready.set()
                if not line.startswith("> "):
                    continue
                _, topic, retained, body = line.rstrip("\n").split(" ", 3)
                with self.changed:
                    self.heard.append((topic.rsplit("/", 1)[1], retained == "1", json.loads(body) if body else None))
                    self.changed.notify_all()

        threading.Thread(target=read, args=(self.listener,), daemon=True).start()
        assert ready.wait(PATIENCE), f"{self.name} could not subscribe: {self.broker.tail()}"
        return self

    def disconnect(self):
        if self.listener and self.listener.poll() is None:
            self.listener.kill()
            self.listener.wait()

    def say(self, message):
        subprocess.run(["mosquitto_pub", *self.login(), "-q", "1", "-t", f"{self.base}/up", "-m", json.dumps(message)],
                       check=True, timeout=PATIENCE)

    def marker(self):
        with self.changed:
            return len(self.heard)

    def expect(self, what, fits, since=0, retained=None):
        """The first message that fits, of those that came since a marker; retained: from the broker's keeping, or not, or either."""
        deadline = time.monotonic() + PATIENCE
        with self.changed:
            while True:
                for kind, kept, message in self.heard[since:]:
                    if fits(kind, message) and retained in (None, kept):
                        return message
                left = deadline - time.monotonic()
                if left <= 0 or not self.changed.wait(left):
                    raise AssertionError(f"{self.name} waited for {what} in vain; it heard {self.heard[since:]}")

    def ask(self, message):
        """Says something with an id and returns the answer."""
        since, name = self.marker(), f"m-{self.marker()}-{time.monotonic_ns()}"
        self.say({**message, "id": name})
        return self.expect(f"the answer to {message}", lambda kind, m: kind == "reply" and m and m.get("id") == name, since)

    def hello(self, **attributes):
        answer = self.ask({"type": "hello", **({"attributes": attributes} if attributes else {})})
        assert answer["ok"], answer

    def command(self, kind, since=0, retained=None, **wanted):
        return self.expect(f"a command {kind} {wanted}", lambda topic, m: topic == "down" and m and m["type"] == kind and
                           all(m.get(k) == v for k, v in wanted.items()), since, retained)

    def nothing_to_do(self, since):
        self.expect("the empty command", lambda topic, m: topic == "down" and m is None, since)

    def status(self, command, status, **more):
        return {"type": "status", "update_id": command["update_id"], "attempt": command["attempt"], "status": status, **more}

    def accept(self, command):
        return self.ask(self.status(command, "accepted"))

    def download(self, url, command):
        with urllib.request.urlopen(url, timeout=60) as answer:
            content = answer.read()
        assert hashlib.sha256(content).hexdigest() == command["artifact"]["sha256"]
        assert len(content) == command["artifact"]["size"]
        return content

    def report(self, command, *statuses):
        for status in statuses:
            answer = self.ask(self.status(command, status))
            assert answer["ok"], answer


class Site(Stage):
    """The service and its broker; `known` are registered beforehand, `strangers` have a user there and no more. A `line` is
    what the service connects to instead of the broker."""

    def __init__(self, known=(), strangers=(), settings=(), tls=None, line=None):
        super().__init__(*settings)
        self.known, self.strangers = known, strangers
        self.broker = Broker(self.directory, tls)
        if line:
            line.open(self.broker.mqtt_port)
        self.service.settings += self.broker.settings(self.service.url, line.port if line else self.broker.mqtt_port)
        self.service.environment = self.broker.environment()
        self.devices = []

    def __enter__(self):
        super().__enter__()   # without a broker: it starts all the same
        if self.known:
            self.service.register(self.known)
        self.broker.write_users(self.service, self.strangers)
        self.broker.start()
        wait_for("the service is connected", self.connected)
        return self

    def connected(self):
        return self.health()["status"] == "healthy"

    def health(self):
        return self.service.call("GET", "/health/detailed").json["dependencies"]["mqtt"]

    def device(self, name, user=None):
        self.devices.append(Device(self.broker, name, user))
        return self.devices[-1]

    def firmware(self, version):
        answer = self.service.upload(CONTENT, metadata(version))
        assert answer.status == 201, answer.text
        return answer.json["firmware_id"]

    def campaign(self, firmware, devices, **more):
        body = {"name": "over MQTT", "firmware_id": firmware, "deployment_strategy": "immediate", "target_devices": devices, **more}
        campaign = self.service.post("/campaigns", body, status=201)["campaign_id"]
        self.service.post(f"/campaigns/{campaign}/start")
        return campaign

    def update(self, command):
        return self.service.get(f"/updates/{command['update_id']}")

    def wait_for_status(self, command, status):
        wait_for(f"{command['update_id']} is {status}", lambda: self.update(command)["status"] == status, 30)

    def __exit__(self, kind, value, trace):
        for device in self.devices:
            device.disconnect()
        self.broker.kill()
        if kind is not None:
            print(self.broker.tail())
        else:
            self.broker.check_log()
        super().__exit__(kind, value, trace)
