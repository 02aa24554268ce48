"""Which tests have run: records beside the programs, in <build>/tests/ran.

    ran.py SCRIPT    runs a script as it would run by itself, and records that it ended well

A doctest program writes its record itself (tests/main.cpp). A record names the build that it is of: one of another
build says nothing about this one.
"""
import os
import runpy
import sys

PROGRAMS = ("otad", "otactl", "otasim")  # what scripts run


def folder(build):
    return os.path.join(build, "tests", "ran")


def stamp(path):
    return os.stat(path).st_mtime_ns if os.path.exists(path) else 0


def head_of_script(build, script):
    """The builds of all that a script's outcome depends on, in one line."""
    parts = [f"{os.path.basename(script)} {stamp(script)}"]
    parts += [f"{name} {stamp(os.path.join(build, name))}" for name in PROGRAMS]
    return ", ".join(parts)


def head_of_program(program):
    return f"program {stamp(program)}"


def read(record):
    """The lines of a record, its head first; nothing if there is none."""
    if not os.path.exists(record):
        return []
    with open(record, encoding="utf-8") as text:
        return text.read().splitlines()


def main(script):
    build = os.environ["OTA_BIN"]
    record = os.path.join(folder(build), os.path.basename(script))
    os.makedirs(folder(build), exist_ok=True)
    if os.path.exists(record):
        os.remove(record)
    head = head_of_script(build, script)
    sys.argv = [script]
    sys.path[0] = os.path.dirname(script)
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0):
            raise
    with open(record, "w", encoding="utf-8") as text:
        text.write(head + "\n")


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
