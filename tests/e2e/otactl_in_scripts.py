"""otactl as scripts and pipes use it: whose output is lost does not end well, whose reader goes away ends without a word, and a variable
that nobody set asks for nothing."""
import json
import os
import signal
import subprocess

from support import BIN, Stage

OTACTL = os.path.join(BIN, "otactl")
DEVICES = 3_000          # what is printed of them is more than a pipe holds


class Tool:
    def __init__(self, service):
        self.service = service
        self.environment = {**os.environ, "OTA_SERVER": service.url}

    def run(self, *arguments, **how):
        return subprocess.run([OTACTL, *arguments], env=self.environment, text=True, timeout=60, check=False,
                              **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how})

    def refused(self, *arguments):
        """What is said on stderr of a command line that is wrong."""
        done = self.run(*arguments)
        assert done.returncode == 2 and not done.stdout, (arguments, done)
        return done.stderr

    def without_reader(self, *arguments, errors_too=False, **how):
        """What becomes of it where the pipe that it prints to is closed at the other end."""
        reader, writer = os.pipe()
        os.close(reader)
        done = self.run(*arguments, stdout=writer, **({"stderr": writer} if errors_too else {}), **how)
        os.close(writer)
        return done


def everything_that_prints(tool):
    data = tool.service.data
    return [("audit", "checkpoint"), ("audit", "prove", "1"), ("audit", "verify", data), ("diff", "--from", "1"),
            ("story", "device", "dev-1"), ("stats",), ("health",), ("log", "stats", data), ("events", "--limit", "3"), ("events",),
            ("events", "--format", "csv"), ("--json", "events", "--follow", "--after", "0", "--limit", "3"), ("log", "dump", data),
            ("log", "stream", data), ("--json", "device", "list"), ("--help",)]


def output_that_is_lost(tool):
    with open("/dev/full", "w", encoding="utf-8") as full:
        for command in everything_that_prints(tool):
            done = tool.run(*command, stdout=full)
            assert done.returncode == 1, (command, done)
            lines = [line for line in done.stderr.splitlines() if "No space left on device" in line]
            assert len(lines) == 1 and lines[0].startswith("otactl: the output is not complete: "), (command, done)
            assert tool.run(*command, stdout=full, stderr=full).returncode == 1, command
        failed = tool.run("campaign", "show", "nothing", stdout=full, stderr=full)
        assert failed.returncode == 1, failed
    closed = tool.run("stats", stdout=None, preexec_fn=lambda: os.close(1))
    assert closed.returncode == 1 and closed.stderr == "otactl: the output is not complete: Bad file descriptor\n", closed


def reader_that_went_away(tool):
    for command in everything_that_prints(tool):
        for errors_too in (False, True):
            done = tool.without_reader(*command, errors_too=errors_too)
            assert done.returncode == -signal.SIGPIPE and not done.stderr, (command, errors_too, done)
    # Who ignores the signal is told.
    ignored = tool.without_reader("events", restore_signals=False)
    assert ignored.returncode == 1 and ignored.stderr.endswith("Broken pipe\n") and ignored.stderr.count("\n") == 1, ignored
    # What goes wrong has its own exit code, whether somebody reads of it or not.
    assert tool.without_reader("campaign", "show", "nothing", errors_too=True).returncode == 1
    assert tool.without_reader("events", "--limit", "0", errors_too=True).returncode == 2
    assert tool.without_reader("--server", "http://127.0.0.1:1", "stats", errors_too=True).returncode == 3


def values_that_are_empty(tool):
    for option, *command in (("--device", "events"), ("--campaign", "events"), ("--type", "events"), ("--from", "events"),
                             ("--to", "diff", "--from", "1"), ("--device", "diff", "--from", "1"), ("--status", "campaign", "list"),
                             ("--limit", "device", "list"), ("--cursor", "device", "list"), ("--model", "firmware", "list"),
                             ("--campaign", "stats"), ("--campaign", "rollback", "list"), ("--as-of", "stats"), ("--token", "stats")):
        assert tool.refused(*command, option, "").startswith(f"{option}: is empty"), (command, option)
    for command in (("campaign", "show"), ("device", "show"), ("device", "delete"), ("story", "device"), ("user", "erase")):
        assert ": is empty" in tool.refused(*command, ""), command
    # In the environment an empty one is none.
    tool.environment["OTA_TOKEN"] = ""
    assert tool.run("stats").returncode == 0
    del tool.environment["OTA_TOKEN"]


def numbers(tool):
    assert tool.refused("events", "--limit", "-1").startswith("--limit: '-1' is no whole number from 1")
    assert tool.refused("--max-time", "0", "stats").startswith("--max-time: '0' is no whole number from 1 to 86400")
    shown = tool.run("--json", "events", "--after", "0009", "--limit", "1").stdout
    assert json.loads(shown)["position"] == 10, shown
    data = tool.service.data
    head = json.loads(tool.run("--json", "log", "stats", data).stdout)["events"]
    for option, most, *command in (("--after", head, "log", "dump", data), ("--from", head + 1, "log", "stream", data),
                                   ("--after", head, "events"), ("--after", head, "events", "--format", "csv"),
                                   ("--after", head, "--json", "events"), ("--after", head, "audit", "events")):
        at_end = tool.run(*command, option, str(most))
        assert at_end.returncode == 0 and len(at_end.stdout.splitlines()) == ("csv" in command) and not at_end.stderr, (command, at_end)
        behind = tool.run(*command, option, str(most + 1))
        assert behind.returncode == 1 and not behind.stdout, (command, behind)
        assert f"{option[2:]}: must be at most {most}" in behind.stderr and f"got '{most + 1}'" in behind.stderr, (command, behind)
    behind = tool.run("events", "--follow", "--after", "99999999")
    assert behind.returncode == 1 and "--after: must be at most" in behind.stderr and "Last-Event-ID" not in behind.stderr, behind


def options_of_another_kind(tool):
    """An option that would be overlooked is refused: what was verified would be another thing than was asked for."""
    assert "--backup" in tool.refused("audit", "verify", "--backup", "3")
    said = tool.refused("audit", "verify", tool.service.data, "--backup", "3")
    assert said.startswith(f"otactl: --backup 3: {tool.service.data} is no directory of backups"), said


def main():
    os.environ["no_proxy"] = "127.0.0.1"
    with Stage() as stage:
        stage.service.register([f"dev-{i}" for i in range(DEVICES)])
        tool = Tool(stage.service)
        output_that_is_lost(tool)
        reader_that_went_away(tool)
        values_that_are_empty(tool)
        numbers(tool)
        options_of_another_kind(tool)
        whatif = tool.run("--as-of", "5", "whatif", "camp_1")
        assert whatif.returncode == 2 and "changes nothing" in whatif.stderr, whatif
        commands = len(everything_that_prints(tool))
        stage.service.stop()
    print(f"{commands} commands say when what they print is lost, and end when nobody reads it")


if __name__ == "__main__":
    main()
