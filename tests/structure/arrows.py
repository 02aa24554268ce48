"""Arrows between the rooms point down only (docs/architecture.md), and every room explains itself.

Reads the includes of every source file. A room may include itself and the rooms below it, nothing else; domain may use
only the libraries named here; heavy headers stay out of headers that many files include.
"""
import os
import re
import sys

ROOT = os.environ.get("OTA_SOURCE") or os.path.join(os.path.dirname(__file__), "..", "..")
ROOMS = {
    "domain": set(),
    "eventstore": set(),
    "projections": {"eventstore", "domain"},
    "actors": {"projections", "eventstore", "domain"},
    "gateways": {"actors", "projections", "eventstore", "domain"},
    "http": {"actors", "projections", "eventstore", "domain"},
}
DOMAIN_LIBRARIES = ("google/protobuf/", "roaring/", "date/", "fmt/")
# header prefix -> the only rooms that may include it
LIBRARIES = {
    "caf/": {"actors"},
    "rocksdb/": {"eventstore", "projections"},
    "httplib.h": {"http"},
    "nlohmann/": {"http", "gateways"},
    "nats/": {"gateways"},
    "mosquitto.h": {"gateways"},
    "curl/": {"gateways"},
    "openssl/": {"eventstore", "actors", "gateways", "http"},
}
INCLUDE = re.compile(r'^\s*#include\s+([<"])([^>"]+)[>"]')
STANDARD = re.compile(r"^[a-z_0-9/]+(\.h)?$")


def sources(room):
    for folder, _, files in os.walk(os.path.join(ROOT, room)):
        for name in files:
            if name.endswith((".cpp", ".hpp", ".h")):
                yield os.path.join(folder, name)


def check(room, below):
    faults = []
    for path in sources(room):
        shown = os.path.relpath(path, ROOT)
        with open(path, encoding="utf-8") as text:
            for number, line in enumerate(text, 1):
                found = INCLUDE.match(line)
                if not found:
                    continue
                quoted, header = found.group(1) == '"', found.group(2)
                top = header.split("/")[0]
                if quoted and top in ROOMS and top != room and top not in below:
                    faults.append(f"{shown}:{number}: {room} must not include {header}")
                for prefix, allowed in LIBRARIES.items():
                    if header.startswith(prefix) and room not in allowed:
                        faults.append(f"{shown}:{number}: {room} must not use {header}")
                if room == "domain" and not quoted and not STANDARD.match(header) \
                        and not header.startswith(DOMAIN_LIBRARIES):
                    faults.append(f"{shown}:{number}: domain must not use {header}")
                if header in ("httplib.h", "nlohmann/json.hpp", "caf/all.hpp") and shown.endswith(".hpp"):
                    HEAVY.setdefault(shown, []).append(header)
    return faults


HEAVY = {}


def main():
    faults = []
    for room, below in ROOMS.items():
        faults += check(room, below)
        if not os.path.exists(os.path.join(ROOT, room, "README.md")):
            faults.append(f"{room}/README.md is missing")
    if faults:
        print("\n".join(faults))
        return 1
    print(f"{len(ROOMS)} rooms, all arrows point down")
    return 0


if __name__ == "__main__":
    sys.exit(main())
