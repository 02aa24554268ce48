"""Devices over MQTT where the broker speaks TLS, and a bus that does: nothing is said in the clear, and to nobody but the server
that is meant.

The certificates are made by openssl. The service goes through a line of this test that keeps what it says.
"""
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading

from authority import Authority
from mqtt_support import CONTENT, SERVICE_PASSWORD, Site, Tls
from support import Stage, free_port, metadata, wait_for

TLS_HANDSHAKE = 0x16     # how a record of TLS begins that is a part of its handshake
SYN_SENT = "02"


class Line:
    """Between the service and its broker. One that is far away answers nobody before somebody has called in vain."""

    def __init__(self, far_away=False):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.far_away = far_away
        self.to = None                   # the broker's port
        self.said = []                   # what the service said, a text for each connection
        self.ends = []
        # It has room for one who waits, and this is it: whoever comes now is not answered.
        self.first = socket.create_connection(("127.0.0.1", self.port))

    def has_caller(self):
        """Whether somebody has asked for a connection and has none yet."""
        with open("/proc/net/tcp", encoding="ascii") as lines:
            rows = [line.split() for line in lines]
        return any(row[2].endswith(f":{self.port:04X}") and row[3] == SYN_SENT for row in rows)

    def open(self, to):
        self.to = to
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in self.ends:
            end.close()

    def _accept(self):
        if self.far_away:
            wait_for("somebody calls", self.has_caller)
        self.first.close()
        self.listener.accept()[0].close()
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:              # the broker is down
                near.close()
                continue
            self.ends += [near, far]
            self.said.append(bytearray())
            for source, target, heard in ((near, far, self.said[-1]), (far, near, bytearray())):
                threading.Thread(target=self._carry, args=(source, target, heard), daemon=True).start()

    @staticmethod
    def _carry(source, target, heard):
        try:
            while piece := source.recv(65_536):
                heard += piece
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:                  # one of the two has gone, and the other learns it
            for end in (source, target):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def is_private(self):
        """Everything was TLS from its first byte on, and the password was not to be read."""
        return all(text[0] == TLS_HANDSHAKE and SERVICE_PASSWORD.encode() not in text for text in self.said if text)


class Place:
    """The certificates, and a site where the broker shows one of them."""

    def __init__(self, directory):
        self.ours, self.theirs = Authority(directory, "ours"), Authority(directory, "theirs")
        self.trusted = os.path.join(directory, "trusted.pem")
        self.trust(self.ours)
        self.tls = Tls(self.ours.issue("broker"), self.ours.certificate, self.trusted)

    def trust(self, authority):
        """By the service, from its next attempt on."""
        shutil.copy(authority.certificate, self.trusted)

    def site(self, **more):
        return Site(known=["pump"], tls=self.tls, **more)


def restart(site):
    site.broker.kill()
    site.broker.start()


def tell(site, trouble):
    """The service is not connected, and says why: to whoever asks, and once in its log."""
    wait_for(f"the service is in trouble: {trouble}", lambda: not site.connected() and trouble in site.health()["last_error"])
    with open(site.service.log, encoding="utf-8") as text:
        said = [json.loads(line)["message"] for line in text if '"message":"mqtt: ' in line and "for commands" in line]
    assert f"mqtt: Cannot connect to the MQTT broker 127.0.0.1:{site.broker.mqtt_port}: " in said[-1] and trouble in said[-1], said
    assert all(one != next_one for one, next_one in zip(said, said[1:])), said


def a_device_is_updated(place):
    line = Line(far_away=True)
    with place.site(line=line) as site:
        pump = site.device("pump").connect()
        pump.hello(device_model="SF-100", firmware_version="1.0.0")
        site.campaign(site.firmware("2.0.0"), ["pump"])
        command = pump.command("update")
        go = pump.accept(command)
        pump.download(go["url"], command)
        pump.report(command, "installing", "completed")
        site.wait_for_status(command, "completed")
        assert line.said and line.is_private(), line.said
        # Nor are devices let in that speak in the clear, or believe somebody else.
        login = pump.login()
        for trust in ([], ["--cafile", place.theirs.certificate]):
            refused = subprocess.run(["mosquitto_pub", *login[:login.index("--cafile")], *trust, "-t", "ota/DEFAULT/pump/up", "-m", "{}"],
                                     stderr=subprocess.PIPE, check=False, timeout=30)
            assert refused.returncode != 0, trust
        site.service.stop()
        line.close()


def the_broker_must_be_the_one_that_is_meant(place):
    with place.site() as site:
        site.broker.kill()
        tell(site, "nobody listens there")
        place.trust(place.theirs)
        site.broker.start()
        tell(site, f"TLS with mqtt.ca_file {place.trusted}: certificate verify failed")
        wait_for("what is heard over NATS is not believed either",
                 lambda: "SSL handshake error: 20:unable to get local issuer certificate" in site.health()["last_error"])
        place.trust(place.ours)
        wait_for("the service believes the broker again", site.connected)
        place.ours.issue("elsewhere", alt="DNS:broker.elsewhere.example", file="broker")
        restart(site)
        tell(site, f"TLS with mqtt.ca_file {place.trusted}: host name verification failed")
        os.remove(place.trusted)
        wait_for("the file is missed", lambda: f"{place.trusted} cannot be read" in site.health()["last_error"])
        place.ours.issue("broker")
        place.trust(place.ours)
        restart(site)
        wait_for("the service is connected again", site.connected)
        site.device("pump").connect().hello(device_model="SF-100")
        site.service.stop()


def nothing_is_said_in_the_clear(place):
    """To a broker that speaks no TLS, however often it is tried."""
    line = Line()
    with place.site(line=line) as site:
        site.broker.kill()
        site.broker.write_config(None)
        site.broker.start()
        tried = len(line.said)
        wait_for("the service has tried some more times", lambda: sum(1 for text in line.said[tried:] if text) >= 3)
        assert not site.connected() and "TLS" in site.health()["last_error"], site.health()
        assert line.is_private(), line.said
        site.service.stop()
        line.close()


def the_bus(place):
    """What is told to the platform, in the same way."""
    stage, port = Stage(), free_port()
    bus = None

    def start(*options):
        with open(os.path.join(stage.directory, "bus.log"), "ab") as out:
            return subprocess.Popen(["nats-server", "-a", "127.0.0.1", "-p", str(port), "-js", "-sd",
                                     os.path.join(stage.directory, "jetstream"), *options], stdout=out, stderr=out)

    def stop():
        bus.kill()
        bus.wait()

    facts = lambda: stage.service.call("GET", "/health/detailed").json["dependencies"]["nats"]
    stage.service.settings += ["--nats.url", f"tls://127.0.0.1:{port}", "--nats.ca_file", place.trusted]
    place.trust(place.theirs)
    with stage:
        try:
            assert stage.service.upload(CONTENT, metadata("2.0.0")).status == 201
            bus = start()                 # in the clear
            wait_for("nothing is said in the clear", lambda: "Secure Connection not available" in facts()["last_error"])
            stop()
            bus = start("--tls", "--tlscert", place.tls.file + ".crt", "--tlskey", place.tls.file + ".key")
            wait_for("nor to somebody else", lambda: "unable to get local issuer certificate" in facts()["last_error"])
            assert facts()["published"] == "0", facts()
            place.trust(place.ours)
            wait_for("the bus is told", lambda: int(facts()["published"]) > 0)
            stage.service.stop()
        finally:
            if bus:
                stop()


def main():
    os.environ["no_proxy"] = "127.0.0.1"
    with tempfile.TemporaryDirectory(prefix="ota-e2e-") as directory:
        place = Place(directory)
        a_device_is_updated(place)
        the_broker_must_be_the_one_that_is_meant(place)
        nothing_is_said_in_the_clear(place)
        the_bus(place)
    print("devices over MQTT with TLS are updated; the service tells nobody anything but the broker that it believes")


if __name__ == "__main__":
    main()
