"""Every rule has a row in docs/rules.md, and a test that ran: looked at behind all other tests.

    rules.py            OTA_BIN = the build, OTA_SOURCE = the sources; prints what is wrong, and exits with 1

What must have a row is listed here, since the specification is no part of the sources. `rule/BR-OTA-041` is a business
rule, `S5` a scenario of the specification; `S5/BR-OTA-041` is a rule as that scenario means it, which differs from the
rule of the same number (decision 35). How rows are read and checked: book.py.
"""
import os
import sys

import book
import selftest

RULES = [f"BR-OTA-{n:03}" for n in (*range(1, 36), *range(41, 46))] + \
        [f"{group}-{n:03}" for group in ("BR-EVT", "BR-CON") for n in range(1, 6)]
# Scenario -> the numbers of BR-OTA that it applies.
SCENARIOS = {1: (1, 2, 3, 4), 2: (10, 11, 12, 13), 3: (20, 21, 22, 25), 4: (30, 31), 5: (40, 41, 42), 6: (43, 44),
             7: (50, 51), 8: (60, 61)}
DECISIONS = range(1, 36)
PROPERTIES = ("evolve-is-total", "deciding-twice-writes-once", "counts-add-up", "reports-in-any-order", "snapshots",
              "no-grant-behind-a-closing", "no-more-than-max-concurrent", "polls-miss-nothing", "picks-are-nested",
              "nobody-pays-for-the-loud", "progress-goes-up")


def keys():
    return ([f"rule/{rule}" for rule in RULES]
            + [f"S{n}" for n in SCENARIOS]
            + [f"S{n}/BR-OTA-{rule:03}" for n, rules in SCENARIOS.items() for rule in rules]
            + [f"decision {n}" for n in DECISIONS]
            + [f"property/{name}" for name in PROPERTIES])


def main():
    selftest.run()
    source = os.environ.get("OTA_SOURCE") or os.path.join(os.path.dirname(__file__), "..", "..")
    wrong = book.check(keys(), source, os.environ["OTA_BIN"])
    for line in wrong:
        print(line)
    if wrong:
        sys.exit(1)
    print(f"{len(keys())} rules, each with its place and a test that ran")


if __name__ == "__main__":
    main()
