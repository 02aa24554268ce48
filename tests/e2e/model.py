"""The real service beside a small model of it: random operators and devices, and whatever differs.

    model.py                     some seeds; OTA_TEST_LONG=1: twenty times as many, and one that nobody chose
    model.py --seed N            that one
    model.py --replay FILE       a sequence that was written to a file, one action in JSON a line

A difference is shrunk to the shortest sequence that shows it. What the rules are is in model_parts/world.py and the files
beside it; how the sequences come about in model_parts/actions.py.

Time does not pass: nothing here waits for a time-out, a back-off, a window or a deadline. What needs a clock that can be
moved is tested below the door (tests/domain, tests/property, tests/actors).
"""
import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time

from model_parts.actions import Sequence, with_restarts
from model_parts.difference import Difference
from model_parts.driver import Driver
from model_parts.shrink import shortest, simplest
from support import LONG, Service

SEEDS = range(1, 13)
LENGTH = 400
PATIENCE, PATIENCE_SHRINKING = 20.0, 2.0         # seconds for what follows of itself
SHRINK_FOR = 600                                 # seconds at most


class Run:
    """One sequence on a service of its own."""

    def __init__(self, grace, actions, patience=PATIENCE):
        self.grace, self.actions, self.patience = grace, actions, patience
        self.fault, self.story = None, []

    def play(self):
        directory = tempfile.mkdtemp(prefix="ota-model-")
        service = Service(directory, "--retry.backoff_base", "1h", "--ddi.success_grace", "15m" if self.grace else "0s")
        service.start()
        driver = Driver(service, self.grace, self.patience)
        try:
            for action in self.actions:
                self.last = action
                driver.perform(action)
        except Difference as fault:
            self.fault = fault
        finally:
            driver.wire.close()
            self.story = driver.story
            if service.died():
                self.fault = Difference("otad", "running", service.tail())
            else:
                service.kill()
            shutil.rmtree(directory)
        return self


def sequence_of(seed):
    """The sequence of a seed, and whether a device may report its old version for a while after a success."""
    source = random.Random(seed)
    actions = Sequence(source, LENGTH).actions
    return seed % 2 == 1, with_restarts(actions, source) if seed % 3 == 0 else actions


def shrunk(run):
    """The shortest run that shows the same difference, as far as the time reaches."""
    until = time.monotonic() + SHRINK_FOR
    found = [run]

    def fails(actions):
        if time.monotonic() > until:
            return False
        tried = Run(run.grace, actions + [{"do": "check"}], PATIENCE_SHRINKING).play()
        same = tried.fault is not None and tried.fault.kind == run.fault.kind
        if same:
            found.append(tried)
        return same

    def tell(length):
        print(f"  still with {length} actions", file=sys.stderr, flush=True)
    simplest(shortest(run.actions, fails, tell), fails)
    return found[-1]


def report(run, seed):
    print(f"seed {seed}: after {len(run.story)} actions the service and the model differ:\n  {run.fault}", flush=True)
    small = shrunk(run)
    handle, path = tempfile.mkstemp(prefix="ota-model-", suffix=".jsonl")
    with os.fdopen(handle, "w", encoding="utf-8") as text:
        text.write(json.dumps({"grace": small.grace}) + "\n")
        text.writelines(json.dumps(action) + "\n" for action in small.actions)
    print(f"\nseed {seed}, the shortest sequence (versions are {'' if small.grace else 'not '}in grace after a success):")
    print("\n".join(f"  {number:3} {line}" for number, line in enumerate(small.story, 1)))
    print(f"  {small.fault}\n\nreplay: python3 tests/e2e/model.py --seed {seed}, or --replay {path}")


def replay(path):
    with open(path, encoding="utf-8") as text:
        head, *actions = [json.loads(line) for line in text]
    run = Run(head["grace"], actions).play()
    print("\n".join(run.story))
    return run.fault


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int)
    options.add_argument("--replay")
    options.add_argument("--story", action="store_true", help="tell what was done")
    asked = options.parse_args()
    if asked.replay:
        fault = replay(asked.replay)
        sys.exit(f"differs: {fault}" if fault else 0)
    seeds = [asked.seed] if asked.seed is not None else list(SEEDS)
    if LONG and asked.seed is None:
        seeds = [*range(1, 20 * len(SEEDS) + 1), random.SystemRandom().randrange(1_000, 1_000_000_000)]
    print(f"seeds {seeds[0]} to {seeds[-1]}" if len(seeds) <= len(SEEDS) else f"{len(seeds)} seeds, the last is {seeds[-1]}",
          flush=True)
    done = 0
    for seed in seeds:
        run = Run(*sequence_of(seed)).play()
        done += len(run.story)
        if asked.story:
            print("\n".join(run.story))
        if run.fault:
            report(run, seed)
            sys.exit(1)
    print(f"{done} actions, and no difference")


if __name__ == "__main__":
    main()
