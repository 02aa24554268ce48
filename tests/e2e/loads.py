"""The loads of the front door in small, each beside its peer: polls beside idle connections, reports, downloads, slow downloads.

What is looked for is faults: an answer of another status, a report that wrote no event, other bytes, an idle connection that
was closed, a download that was cut off (tools/README.md). How fast it was is printed, and asked by `tools/bench --check` alone.
"""
import json
import os
import subprocess
import sys

BUILD = os.environ["OTA_BIN"]
WANTED = {
    "polls with nothing to do, 64 connections": 2,
    "polls with nothing to do, 256 connections, 1000 idle": 3,
    "polls with nothing to do, 256 connections, 1000 idle, p99": 1,
    "durable reports, 64 connections": 1,
    "durable reports, 256 connections": 1,
    "whole device updates, 64 connections": 1,
    "downloads, ranges of 1 MiB, 16 connections": 1,
    "downloads, whole, 16 connections": 1,
    "polls, 64 connections, beside 200 slow downloads": 1,
    "polls, 64 connections, beside 200 slow downloads, p99": 1,
}


def main():
    built = subprocess.run(["cmake", "--build", BUILD, "--target", "bench"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, errors="replace")
    if built.returncode != 0:
        sys.exit(built.stdout)
    done = subprocess.run([os.path.join(BUILD, "bench"), "front-door", "--quick", "--json"], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, f"exit code {done.returncode}"
    rows = json.loads(done.stdout)["rows"]
    for row in rows:
        beside = f" beside {row['peer_value']:,.0f} of {row['peer']}" if "peer" in row else ""
        print(f"{row['work']}: {row['value']:,.2f} {row['unit']}{beside}; {row['note']}", flush=True)
        assert row["value"] > 0 and row.get("peer_value", 1) > 0, row
    measured = {}
    for row in rows:
        measured[row["work"]] = measured.get(row["work"], 0) + 1
    assert measured == WANTED, measured


if __name__ == "__main__":
    main()
