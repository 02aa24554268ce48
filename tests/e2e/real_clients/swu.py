"""Packages for SWUpdate, made with the tools that its users have: openssl signs, cpio packs."""
import hashlib
import os
import subprocess
import tempfile

DESCRIPTION = """software = {{
  version = "{version}";
  description = "{name} {version}";
  hardware-compatibility: [ "1.0" ];
  files: ( {{ filename = "payload.bin"; type = "rawfile"; path = "{target}"; sha256 = "{sha256}"; }} );
}};
"""


def run(*command, directory, text=None):
    done = subprocess.run(command, cwd=directory, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0, (command, done.stderr.decode(errors="replace"))
    return done.stdout


class Maker:
    """Who signs: SWUpdate of Debian takes no package without a signature of a certificate that it was given."""

    def __init__(self, directory):
        self.directory = os.path.join(directory, "maker")
        self.certificate = os.path.join(self.directory, "cert.pem")
        os.mkdir(self.directory)
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=maker",
            "-keyout", "key.pem", "-out", "cert.pem", directory=self.directory)

    def package(self, payload, target, name="frame", version="2.0.0", sha256=None):
        """The bytes of a .swu that writes `payload` to the file `target`; `sha256` if it is to name a wrong one."""
        place = tempfile.mkdtemp(dir=self.directory)
        with open(os.path.join(place, "payload.bin"), "wb") as file:
            file.write(payload)
        with open(os.path.join(place, "sw-description"), "w", encoding="utf-8") as file:
            file.write(DESCRIPTION.format(name=name, version=version, target=target,
                                          sha256=sha256 or hashlib.sha256(payload).hexdigest()))
        run("openssl", "cms", "-sign", "-in", "sw-description", "-out", "sw-description.sig", "-signer", self.certificate,
            "-inkey", os.path.join(self.directory, "key.pem"), "-outform", "DER", "-nosmimecap", "-binary", directory=place)
        # The order counts: what describes and proves comes before what is described.
        return run("cpio", "--quiet", "-o", "-H", "crc", directory=place,
                   text=b"sw-description\nsw-description.sig\npayload.bin\n")
