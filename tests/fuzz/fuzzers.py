"""The fuzzers over their corpus, and on from there: what no input may do is claimed at the head of each harness.

    fuzzers.py                   all of them: 10 s each, or 10 minutes each with OTA_TEST_LONG=1
    fuzzers.py NAME...           only these
    --seconds N                  so long each
    --seed N                     as an earlier run said; without it another one in each long run, and always the same in a short one,
                                 which is to say what a change has broken

Builds them first. As many run at once as there are processors. What one of them finds is kept in build-fuzz/found, and
said with its bytes and with the command that does it again.
"""
import argparse
import base64
import concurrent.futures
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.abspath(os.environ.get("OTA_SOURCE") or os.path.join(os.path.dirname(__file__), "..", ".."))
HERE = os.path.join(SOURCE, "tests", "fuzz")
BUILD = os.path.join(SOURCE, "build-fuzz")
FOUND = os.path.join(BUILD, "found")
LONG = os.environ.get("OTA_TEST_LONG") == "1"
USUAL_SEED = 1
SECONDS_EACH = 10
SECONDS_EACH_LONG = 600

# name -> the longest input: beyond the bounds that the harness is about, so that both sides of them are reached
FUZZERS = {
    "request_head": 9_000,  # a target of 8 KB, 100 fields
    "chunked": 9_000,       # a trailer of 8 KB
    "byte_range": 5_000,    # 512 ranges
    "multipart": 9_000,     # a preamble of 4 KB, a part's headers of 8 KB
    "ddi_json": 4_096,      # 50 details, one of 512 bytes
    "ddi_cbor": 4_096,
    "mqtt_up": 4_096,
    "filter": 4_096,
    "query": 1_024,
    "csv": 2_048,
    "event_codec": 2_048,
}
SECONDS_INPUT_MAX = 5
RSS_MB_MAX = 1_024  # the sanitizer's shadow and quarantine are most of it


def build():
    began = time.monotonic()
    for command in (["cmake", "-S", HERE, "-B", BUILD, "-G", "Ninja"], ["ninja", "-C", BUILD]):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        if done.returncode != 0:
            sys.exit(f"{shlex.join(command)}\n{done.stdout}\nthe fuzzers cannot be built")
    print(f"built in {time.monotonic() - began:.0f} s", flush=True)


def golden_events(folder):
    """Every event as it was first written: the corpus of event_codec."""
    golden = os.path.join(SOURCE, "tests", "domain", "golden")
    for name in os.listdir(golden):
        with open(os.path.join(golden, name), encoding="ascii") as text:
            words = text.read().split()
        with open(os.path.join(folder, name), "wb") as out:
            out.write(int(words[1]).to_bytes(2, "little") + bytes.fromhex("".join(words[2:])))


def seeds_of(name, folder):
    """Fills the folder with the corpus of a fuzzer; returns how many inputs it has."""
    committed = os.path.join(HERE, "corpus", name)
    if os.path.isdir(committed):
        shutil.copytree(committed, folder, dirs_exist_ok=True)
    if name == "event_codec":
        golden_events(folder)
    inputs = os.listdir(folder)
    assert inputs, f"{name} has no corpus"
    for entry in inputs:
        size = os.path.getsize(os.path.join(folder, entry))
        assert size <= FUZZERS[name], f"{name}/{entry} has {size} bytes, more than the fuzzer takes"
    return len(inputs)


def environment():
    own = dict(os.environ)
    own["ASAN_OPTIONS"] = "detect_leaks=1:allow_addr2line=1:quarantine_size_mb=32:handle_abort=1"
    own["UBSAN_OPTIONS"] = "print_stacktrace=1:allow_addr2line=1"
    return own


def last_number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def report_of_fault(name, output):
    """What somebody needs who has only this text."""
    fault = re.search(r"does not hold|runtime error|==\d+==|ERROR: ", output)
    lines = [f"{name}: a claim does not hold, or worse", output[fault.start() if fault else -2_000:][:6_000]]
    kept = re.findall(r"Test unit written to (\S+)", output)
    for path in kept:
        with open(path, "rb") as found:
            lines.append(f"{name}: the input in base64: {base64.b64encode(found.read()).decode()}")
        lines.append(f"{name}: again: {os.path.join(BUILD, name)} {path}")
    if not kept:
        lines.append(f"{name}: no input was kept")
    return "\n".join(lines)


def run(name, seconds, seed):
    """Runs one; the text of what it found, or nothing."""
    with tempfile.TemporaryDirectory(prefix=f"fuzz-{name}-") as work:
        seeds, new = os.path.join(work, "seeds"), os.path.join(work, "new")
        os.makedirs(seeds)
        os.makedirs(new)
        count = seeds_of(name, seeds)
        command = [os.path.join(BUILD, name), f"-seed={seed}", f"-max_total_time={seconds}",
                   f"-max_len={FUZZERS[name]}", f"-timeout={SECONDS_INPUT_MAX}", f"-rss_limit_mb={RSS_MB_MAX}",
                   "-print_final_stats=1", f"-artifact_prefix={FOUND}/{name}-"]
        dictionary = os.path.join(HERE, "dictionaries", name + ".dict")
        if os.path.exists(dictionary):
            command.append(f"-dict={dictionary}")
        # Nobody waits for it: the tests that run meanwhile go first.
        command = ["nice", "-n", "10"] + command
        done = subprocess.run(command + [new, seeds], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", env=environment(), timeout=seconds + 300)
        output = done.stdout
    executed = last_number(r"stat::number_of_executed_units:\s+(\d+)", output)
    memory = last_number(r"stat::peak_rss_mb:\s+(\d+)", output)
    edges, features = last_number(r"cov: (\d+)", output), last_number(r"ft: (\d+)", output)
    outcome = "ok" if done.returncode == 0 else "FAILED"
    print(f"{name:13} corpus {count:3}  executed {executed:11,}  edges {edges:5}  features {features:6}  "
          f"{memory:4} MB  {outcome}", flush=True)
    if done.returncode != 0:
        return report_of_fault(name, output)
    assert executed >= count, f"{name} did not run all of its corpus:\n{output[-2_000:]}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--seed", type=int)
    asked = parser.parse_args()
    names = asked.names or list(FUZZERS)
    for name in names:
        if name not in FUZZERS:
            parser.error(f"there is no fuzzer {name}; there are {', '.join(FUZZERS)}")
    harnesses = {entry[:-4] for entry in os.listdir(HERE) if entry.endswith(".cpp")} - {"ddi_claims", "device_claims"}
    assert harnesses == set(FUZZERS), f"not in the table, or not there: {harnesses ^ set(FUZZERS)}"

    build()
    os.makedirs(FOUND, exist_ok=True)
    workers = min(os.cpu_count() or 1, len(names))
    seconds = asked.seconds or (SECONDS_EACH_LONG if LONG else SECONDS_EACH)
    seed = asked.seed or (random.randrange(1, 2**31) if LONG else USUAL_SEED)
    print(f"seed {seed}, {seconds} s each, {workers} at a time", flush=True)
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        faults = [fault for fault in pool.map(lambda name: run(name, seconds, seed), names) if fault]
    if faults:
        sys.exit("\n\n".join(faults))


if __name__ == "__main__":
    main()
