"""An authority of the end-to-end tests' own: certificates made by openssl."""
import os
import subprocess


class Authority:
    """Signs certificates for servers and devices, all in one directory."""

    def __init__(self, directory, name):
        self.directory = os.path.join(directory, name)
        os.mkdir(self.directory)
        self.certificate = self.path("authority.pem")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                     "-subj", f"/CN={name}", "-keyout", self.path("authority.key"), "-out", self.certificate)

    def path(self, name):
        return os.path.join(self.directory, name)

    @staticmethod
    def openssl(*arguments):
        done = subprocess.run(["openssl", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        assert done.returncode == 0, (arguments, done.stdout.decode())

    def issue(self, name, alt="IP:127.0.0.1", file=None):
        """Certificate and key in one file, as otasim takes them; the key also by itself."""
        file = self.path(file or name)
        with open(file + ".ext", "w", encoding="utf-8") as extensions:
            extensions.write(f"basicConstraints=CA:FALSE\nsubjectAltName={alt}\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                     "-keyout", file + ".key", "-out", file + ".csr")
        self.openssl("x509", "-req", "-in", file + ".csr", "-CA", self.certificate, "-CAkey", self.path("authority.key"),
                     "-CAcreateserial", "-days", "2", "-extfile", file + ".ext", "-out", file + ".crt")
        with open(file + ".pem", "w", encoding="utf-8") as both:
            for part in (file + ".crt", file + ".key"):
                with open(part, encoding="utf-8") as text:
                    both.write(text.read())
        return file
