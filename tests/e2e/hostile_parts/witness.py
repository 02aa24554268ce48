"""The client that does everything right meanwhile, and what can be seen of the service from outside."""
import http.client
import os
import threading

POLLS_EACH = 50                                  # on one connection


class GoodClient(threading.Thread):
    """Polls for as long as it is not told to stop; every poll must be answered 200."""

    def __init__(self, port, path):
        super().__init__()
        self.port, self.path = port, path
        self.done, self.fault = 0, None
        self.stopping = threading.Event()

    def run(self):
        try:
            while not self.stopping.is_set():
                self.poll_some()
        except Exception as fault:               # told of where the test looks
            self.fault = fault

    def poll_some(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            for _ in range(POLLS_EACH):
                if self.stopping.is_set():
                    return
                connection.request("GET", self.path)
                answer = connection.getresponse()
                body = answer.read()
                assert answer.status == 200, (answer.status, body)
                self.done += 1
                self.stopping.wait(0.002)
        finally:
            connection.close()

    def so_far(self):
        """How many polls were answered; raises what went wrong."""
        if self.fault:
            raise AssertionError(f"after {self.done} polls: {self.fault!r}") from self.fault
        return self.done

    def finish(self):
        self.stopping.set()
        self.join()
        return self.so_far()


class Facts:
    """Of a process: descriptors (but for the files of its databases, which come and go), threads, memory."""

    def __init__(self, pid, data):
        databases = tuple(os.path.join(os.path.realpath(data), name) + os.sep for name in ("log", "views", "subjects"))
        self.descriptors = []
        for number in os.listdir(f"/proc/{pid}/fd"):
            try:
                target = os.readlink(f"/proc/{pid}/fd/{number}")
            except FileNotFoundError:            # closed meanwhile
                continue
            if not target.startswith(databases):
                self.descriptors.append(target)
        with open(f"/proc/{pid}/status", encoding="utf-8") as text:
            lines = dict(line.split(":", 1) for line in text if ":" in line)
        self.threads = int(lines["Threads"])
        self.memory_mb = int(lines["VmRSS"].split()[0]) / 1024

    def __repr__(self):
        return f"{len(self.descriptors)} descriptors, {self.threads} threads, {self.memory_mb:.0f} MB"
