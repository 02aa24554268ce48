"""Devices over TLS: certificates of our own authority, tokens, and nobody else; a renewed certificate; a fleet of them.

The certificates are made by openssl, the clients are curl and otasim.
"""
import json
import os
import signal
import subprocess

from authority import Authority
from support import BASE, BIN, Stage, metadata, wait_for

DEVICE_PATH = "/DEFAULT/controller/v1"
FLEET = 40
GATEWAY = "the-gateway-of-the-tests"


class Curl:
    def __init__(self, port, authority):
        self.base = f"https://127.0.0.1:{port}"
        self.authority = authority

    def get(self, path, *options):
        """The status; 0 if there was no answer."""
        done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", self.authority.certificate,
                               *options, self.base + path], stdout=subprocess.PIPE, check=False, timeout=60)
        return int(done.stdout)

    def as_device(self, file):
        return ("--cert", file + ".crt", "--key", file + ".key")


def serial(port):
    """Of the certificate that is shown."""
    shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}"], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, timeout=60).stdout
    return subprocess.run(["openssl", "x509", "-noout", "-serial"], input=shown, stdout=subprocess.PIPE, check=True).stdout


def who_gets_in(service, curl, ours, theirs):
    pump = ours.issue("pump-7")
    assert curl.get(f"{DEVICE_PATH}/pump-7", *curl.as_device(pump)) == 200
    assert service.get("/devices/pump-7")["status"] == "registered"
    assert curl.get(f"{DEVICE_PATH}/pump-8", *curl.as_device(pump)) == 401
    assert curl.get(f"{DEVICE_PATH}/pump-7", *curl.as_device(theirs.issue("pump-7"))) == 0
    assert curl.get(f"{DEVICE_PATH}/pump-7") == 401
    token = service.get("/devices/pump-7/token")["token"]
    assert curl.get(f"{DEVICE_PATH}/pump-7", "-H", f"Authorization: TargetToken {token}") == 200
    assert curl.get(f"{DEVICE_PATH}/pump-8", "-H", f"Authorization: TargetToken {token}") == 401
    # A header that only a proxy may set is nothing here.
    assert curl.get(f"{DEVICE_PATH}/pump-7", "-H", "X-Controller-Id: pump-7") == 401
    assert curl.get(f"{DEVICE_PATH}/pump-9", "-H", f"Authorization: GatewayToken {GATEWAY}") == 200
    for path in (f"{BASE}/devices", f"{BASE}/campaigns", "/metrics"):
        assert curl.get(path, *curl.as_device(pump)) == 404, path
    assert curl.get(f"{DEVICE_PATH}/pump-7", "--tls-max", "1.1", "--tlsv1.0", "--ciphers", "ALL:@SECLEVEL=0",
                    *curl.as_device(pump)) == 0
    assert curl.get(f"{DEVICE_PATH}/pump-7", "--tls-max", "1.2", *curl.as_device(pump)) == 200


def a_renewed_certificate(service, ours, port):
    before = serial(port)
    ours.issue("localhost", file="server")
    service.process.send_signal(signal.SIGHUP)
    wait_for("the renewed certificate is shown", lambda: serial(port) != before)


def a_fleet(stage, service, ours, port):
    certificates = os.path.join(stage.directory, "fleet")
    os.mkdir(certificates)
    for number in range(1, FLEET + 1):
        device = f"sim-{number:05}"
        os.rename(ours.issue(device) + ".pem", os.path.join(certificates, device + ".pem"))
    uploaded = service.upload(os.urandom(300_000), metadata("2.0.0"))
    assert uploaded.status == 201, uploaded.text
    summary = os.path.join(stage.directory, "summary.json")
    fleet = subprocess.Popen([os.path.join(BIN, "otasim"), "--server", f"https://127.0.0.1:{port}", "--ca", ours.certificate,
                              "--client-certificates", certificates, "--devices", str(FLEET), "--max-sleep", "0.5",
                              "--stop-when-version", "2.0.0", "--summary-json", summary],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_for("the fleet is known", lambda: service.known_devices("SF-100") == FLEET)
        campaign = service.post("/campaigns", {"name": "over TLS", "firmware_id": uploaded.json["firmware_id"],
                                               "target_filters": {"device_model": "SF-100"}, "max_concurrent_updates": FLEET,
                                               "deployment_strategy": "immediate"}, status=201)["campaign_id"]
        service.post(f"/campaigns/{campaign}/start")
        wait_for("the campaign is completed", lambda: service.get(f"/campaigns/{campaign}")["status"] == "completed")
        said, _ = fleet.communicate(timeout=60)
        assert fleet.returncode == 0, said.decode()
    finally:
        if fleet.poll() is None:
            fleet.kill()
    assert service.get(f"/campaigns/{campaign}")["completed_devices"] == FLEET
    assert service.get(f"/stats/campaigns/{campaign}")["suspicious_updates"] == 0
    with open(summary, encoding="utf-8") as text:
        return json.load(text)


def main():
    stage = Stage("--ddi.sleep", "1s", "--ddi.anonymous", "off", "--ddi.gateway_token", GATEWAY)
    ours, theirs = Authority(stage.directory, "ours"), Authority(stage.directory, "theirs")
    server = ours.issue("localhost", file="server")
    port_file = os.path.join(stage.directory, "tls-port")
    stage.service.settings += ["--tls.port", "0", "--tls.address", "127.0.0.1", "--tls.port_file", port_file,
                               "--tls.certificate", server + ".crt", "--tls.key", server + ".key",
                               "--tls.client_ca", ours.certificate]
    with stage:
        wait_for("the TLS port is told", lambda: os.path.exists(port_file))
        with open(port_file, encoding="utf-8") as text:
            port = int(text.read())
        who_gets_in(stage.service, Curl(port, ours), ours, theirs)
        a_renewed_certificate(stage.service, ours, port)
        a_fleet(stage, stage.service, ours, port)
        stage.service.stop()
        print(f"who gets in over TLS, a renewed certificate, and {FLEET} devices with certificates of their own")


if __name__ == "__main__":
    main()
