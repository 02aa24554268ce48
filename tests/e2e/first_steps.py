"""Every command of docs/first-steps.md, in order, as a newcomer would type them."""
import os
import re
import shutil
import signal
import subprocess
import tempfile

from support import free_port, wait_for

ROOT = os.environ.get("OTA_SOURCE") or os.path.join(os.path.dirname(__file__), "..", "..")
BLOCK = re.compile(r"```bash( service)?\n(.*?)```", re.S)
# What a reader would see, beyond commands that do not fail.
EXPECTED = ['"status": "healthy"', '"content": "here"', '"total_devices": 2', '"version": "2.0.0"', '"status": "completed"', "update.attempt_ended",
            '"success_rate": 100', '"cancelled_devices": 1', '"registered": 2', '"line": 4', "Device not found: frame-9",
            '"ValidationError"', "501", "yolo"]


def main():
    with open(os.path.join(ROOT, "docs", "first-steps.md"), encoding="utf-8") as text:
        blocks = BLOCK.findall(text.read())
    services = [code for service, code in blocks if service]
    commands = [code for service, code in blocks if not service]
    assert len(services) == 1 and len(commands) > 5, "the document has lost its commands"
    place = tempfile.mkdtemp(prefix="ota-first-steps-")
    environment = {**os.environ, "OTA_PORT": str(free_port()), "FILES_PORT": str(free_port()), "OTA_DATA": os.path.join(place, "data"),
                   "no_proxy": "127.0.0.1"}
    with open(os.path.join(place, "service.log"), "wb") as log:
        service = subprocess.Popen(["bash", "-c", "exec " + services[0].strip()], cwd=ROOT, env=environment, stdout=log,
                                   stderr=log, start_new_session=True)
    try:
        def healthy():
            assert service.poll() is None, open(os.path.join(place, "service.log"), encoding="utf-8").read()[-2000:]
            return subprocess.run(["curl", "-sf", f"http://127.0.0.1:{environment['OTA_PORT']}/health"],
                                  stdout=subprocess.DEVNULL, check=False).returncode == 0
        wait_for("the service answers", healthy, 600)
        script = "set -euo pipefail\n" + "\n".join(commands)
        done = subprocess.run(["bash", "-c", script], cwd=place, env=environment, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, timeout=120)
        assert done.returncode == 0, done.stdout[-4000:]
        for wanted in EXPECTED:
            assert wanted in done.stdout, f"{wanted} is not in the output:\n{done.stdout}"
    finally:
        if service.poll() is None:
            service.send_signal(signal.SIGTERM)
            service.wait(timeout=30)
    assert service.returncode == 0, open(os.path.join(place, "service.log"), encoding="utf-8").read()[-2000:]
    shutil.rmtree(place)
    print(f"{len(commands)} blocks of commands work as written")


if __name__ == "__main__":
    main()
