"""SWUpdate in suricatta mode, as Debian ships it: one process, one device."""
import os
import signal
import subprocess

CONFIGURATION = """globals : {{ verbose = true; loglevel = 5; public-key-file = "{certificate}"; bootloader = "none"; }};
{identify}suricatta : {{
  tenant = "DEFAULT"; id = "{device}"; url = "{url}";
  polldelay = 1; retry = 3; retrywait = "1";{words}
}};
"""


def configuration(device, url, certificate, attributes=None, target_token=None, gateway_token=None, authority=None):
    """`retrywait` is a text, or it is not read; `polldelay` counts until the first answer, then the server's word does."""
    identify = ", ".join(f'{{ name = "{name}"; value = "{value}"; }}' for name, value in (attributes or {}).items())
    words = (("targettoken", target_token), ("gatewaytoken", gateway_token), ("cafile", authority))
    return CONFIGURATION.format(certificate=certificate, device=device, url=url,
                                words="".join(f' {word} = "{value}";' for word, value in words if value),
                                identify=f"identify : ( {identify} );\n" if identify else "")


class Swupdate:
    """Its sockets and what it unpacks go to a directory of its own; at most 11 can run at once, whatever one does."""

    def __init__(self, directory, device, url, certificate, **more):
        self.device = device
        self.directory = os.path.join(directory, device)
        self.log = os.path.join(self.directory, "swupdate.log")
        self.target = os.path.join(self.directory, "installed.bin")
        self.environment = {**os.environ, "TMPDIR": self.directory, "no_proxy": "127.0.0.1"}
        self.process = None
        os.mkdir(self.directory)
        with open(os.path.join(self.directory, "swupdate.cfg"), "w", encoding="utf-8") as text:
            text.write(configuration(device, url, certificate, **more))

    def start(self, says=""):
        """`says`: "-c 2" for a device that comes up and claims that its update has succeeded."""
        with open(self.log, "ab") as out:
            # SIGPIPE is ignored, as systemd has it for its services: SWUpdate would now and then die of one at the end of a
            # download, when two of its own processes part.
            self.process = subprocess.Popen(["swupdate", "-f", "swupdate.cfg", "-H", "test:1.0", "-u", says], stdout=out,
                                            stderr=out, cwd=self.directory, env=self.environment, start_new_session=True,
                                            restore_signals=False)
        return self

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        assert code == 0, (code, self.tail())

    def end(self):
        """Whatever state it is in; its processes are a group of their own."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def tell_service(self, action, finished, word):
        """What a boot check says over IPC: the update has succeeded or failed."""
        done = subprocess.run(["swupdate-ipc", "sendtohawkbit", str(action), {"success": "2", "failure": "3"}[finished],
                               finished, "closed", word], env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, timeout=60)
        assert done.returncode == 0 and b"returns ACK" in done.stdout, (done.returncode, done.stdout)

    def installed(self):
        if not os.path.exists(self.target):
            return None
        with open(self.target, "rb") as file:
            return file.read()

    def said(self):
        """Its log."""
        with open(self.log, encoding="utf-8", errors="replace") as text:
            return text.read()

    def tail(self):
        if not self.process:
            return f"swupdate of {self.device} was not started"
        return f"swupdate of {self.device}: {self.said()[-4000:]}"
