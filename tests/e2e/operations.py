"""docs/operations.md, word for word: every block of shell is run, in one shell, and what is printed is compared with the text that
follows it. A line or a part of a line that is "..." stands for anything."""
import os
import re
import signal
import subprocess
import tempfile

from support import BIN, free_port

PAGE = os.path.join(os.environ.get("OTA_SOURCE") or os.path.join(os.path.dirname(__file__), "..", ".."), "docs", "operations.md")
MARK = "-- end of block --"


def blocks(text):
    """[(commands, expected output or None)], in the order of the page."""
    found = []
    for kind, body in re.findall(r"^```(sh|text)\n(.*?)^```$", text, re.M | re.S):
        if kind == "sh":
            found.append([body, None])
        else:
            assert found and found[-1][1] is None, f"a text without commands before it: {body}"
            found[-1][1] = body
    return found


def pattern(expected):
    """Lines that are "..." match any number of lines, "..." within a line anything in it."""
    lines = []
    for line in expected.splitlines():
        if line == "...":
            lines.append(r"(?:[^\n]*\n)*?")
        else:
            lines.append(r"[^\n]*".join(re.escape(part) for part in line.split("...")) + "[ ]*\n")
    return re.compile("".join(lines) + r"\Z")


def main():
    os.environ["no_proxy"] = "127.0.0.1"
    with open(PAGE, encoding="utf-8") as page:
        text = page.read()
    port = str(free_port())
    with tempfile.TemporaryDirectory(prefix="ota-e2e-") as directory:
        shell = subprocess.Popen(["bash", "-eu"], cwd=directory, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, env={**os.environ, "PATH": f"{os.path.abspath(BIN)}:{os.environ['PATH']}"},
                                 start_new_session=True)
        try:
            for commands, expected in blocks(text):
                # The page's port is everybody's: a test takes a free one.
                shell.stdin.write(commands.replace("8216", port) + f"echo '{MARK}'\n")
                shell.stdin.flush()
                output = ""
                while not output.endswith(MARK + "\n"):
                    line = shell.stdout.readline()
                    assert line, f"it ended:\n{commands}\n{output}"
                    output += line
                output = output[:-len(MARK) - 1]
                if expected is not None:
                    assert pattern(expected.replace("8216", port)).match(output), f"{commands}\nprinted\n{output}\nand not\n{expected}"
            shell.stdin.close()
            assert shell.wait(timeout=60) == 0
        finally:
            try:
                os.killpg(shell.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass                     # all of it has ended
    print(f"{len(blocks(text))} blocks of docs/operations.md do what it says")


if __name__ == "__main__":
    main()
