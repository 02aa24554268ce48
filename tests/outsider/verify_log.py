#!/usr/bin/env python3
"""A second verifier of the log, written from docs/log-format.md alone; shares no code with the service.

    otactl log dump --records DIRECTORY | verify_log.py [KEY...]   checks every event, and every checkpoint of what is dumped
    verify_log.py --proof FILE [KEY]                               checks a proof that `otactl audit prove --out FILE` kept

The first KEY is the log's first key, as `otactl audit keys` shows it; without one the log's own word is taken, and shown. Further ones
are those that took the place of a lost key: nothing vouches for them, so they must be named. Of a dump nothing is believed but the
bytes of the records, in their order, and the checkpoints. Needs openssl.
"""
import base64
import hashlib
import json
import struct
import subprocess
import sys
import tempfile


UNSIGNED_MAX = 4096 + 256                                 # between two checkpoints, and a group of events


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_of(record):
    return sha(b"\0", record[:8], sha(record[8:]))


class Tree:
    """RFC 9162, section 2.1: the roots of the complete subtrees so far, the largest first, each with its height."""

    def __init__(self):
        self.size, self.complete = 0, []

    def add(self, leaf):
        self.size, height = self.size + 1, 0
        while self.complete and self.complete[-1][0] == height:
            leaf, height = sha(b"\1", self.complete.pop()[1], leaf), height + 1
        self.complete.append((height, leaf))

    def root(self):
        if not self.complete:
            return sha()
        root = self.complete[-1][1]
        for _, left in reversed(self.complete[:-1]):
            root = sha(b"\1", left, root)
        return root


def root_by_path(leaf, index, size, path):
    """RFC 9162, section 2.1.3.2; None if the path has another length than the tree needs."""
    last, root = size - 1, leaf
    for step in path:
        if last == 0:
            return None
        if index % 2 == 1 or index == last:
            root = sha(b"\1", step, root)
            while index % 2 == 0 and index != 0:
                index, last = index // 2, last // 2
        else:
            root = sha(b"\1", root, step)
        index, last = index // 2, last // 2
    return root if last == 0 else None


def is_signed(note, key):
    """By this key ("name+id+base64"): Ed25519 over the text before the empty line."""
    text, signatures = note.rsplit("\n\n", 1)
    name, _, public = key.split("+", 2)
    public = base64.b64decode(public)[1:]
    key_id = sha(name.encode(), b"\n\x01", public)[:4]
    for line in signatures.splitlines():
        _, signer, signature = line.split(" ")
        signature = base64.b64decode(signature)
        if signer == name and signature[:4] == key_id and ed25519(public, text.encode() + b"\n", signature[4:]):
            return True
    return False


def ed25519(public, message, signature):
    with tempfile.TemporaryDirectory() as directory:
        for name, content in (("key", bytes.fromhex("302a300506032b6570032100") + public), ("message", message), ("signature", signature)):
            with open(f"{directory}/{name}", "wb") as out:
                out.write(content)
        return subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", f"{directory}/key", "-rawin",
                               "-in", f"{directory}/message", "-sigfile", f"{directory}/signature"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def read_checkpoint(note):
    origin, size, root, *more = note.split("\n\n")[0].split("\n")
    time = next((int(line[5:]) for line in more if line.startswith("time ")), None)
    return origin, int(size), base64.b64decode(root), time


def key_text(origin, public):
    return f"{origin}+{sha(origin.encode(), chr(10).encode(), bytes([1]), public)[:4].hex()}+{base64.b64encode(bytes([1]) + public).decode()}"


def varint(data, at):
    value = shift = 0
    while True:
        value, shift, at = value | (data[at] & 127) << shift, shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at


def read_record(record):
    """The time of an event, its type, its stream and its payload."""
    def counted(at):
        size, at = varint(record, at)
        return record[at:at + size], at + size

    version, flags = record[8], record[9]
    if version != 1:
        raise ValueError(f"format {version} is not known")
    kind, at = varint(record, 10)
    stream, at = counted(at)
    at += 8 * (flags & 1) + 16 * (flags >> 1 & 1)         # caller, command
    if flags & 4:
        _, at = counted(at)                               # correlation
    if flags & 8:
        _, at = varint(record, at)                        # causation
    if flags & 16:
        tags, at = varint(record, at)
        for _ in range(tags):
            _, at = counted(at)
    payload, at = counted(at)
    if at != len(record):
        raise ValueError("it does not end where its record does")
    return struct.unpack(">Q", record[:8])[0], kind, stream, payload


def read_message(data):
    """The fields of a protobuf message: {number: value}, of what log_key_adopted has."""
    fields, at = {}, 0
    while at < len(data):
        tag, at = varint(data, at)
        value, at = varint(data, at)
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        elif tag & 7 != 0:
            raise ValueError(f"field {tag >> 3} has the wire type {tag & 7}")
        fields[tag >> 3] = value
    return fields


def check_log(lines, first_key=None, *lost_keys):
    """Raises ValueError with what is wrong; answers events, root, the number of checkpoints, how many events these hold, and the
    first key."""
    tree, roots, times, keys, notes, newest = Tree(), {}, {}, [], [], 0
    for line in map(json.loads, lines):
        if "checkpoint" in line:
            notes.append(line["checkpoint"])
            continue
        record, position = base64.b64decode(line["record"]), tree.size + 1
        if line["position"] != position:
            raise ValueError(f"event {position} is missing")
        try:
            time, kind, stream, payload = read_record(record)
        except (IndexError, ValueError) as fault:
            raise ValueError(f"event {position}: its record is damaged: {fault}") from fault
        if time < newest:
            raise ValueError(f"event {position}: its time is before that of the event before it")
        newest = time
        tree.add(leaf_of(record))
        roots[position], times[position] = tree.root(), time
        if (kind, stream) == (80, b"S"):
            keys.append((position, adopted_key(read_message(payload), keys, lost_keys)))
    if first_key and (not keys or keys[0][1] != first_key):
        raise ValueError("the log's first key is another")
    for note in notes:
        _, size, root, time = read_checkpoint(note)
        if size > tree.size:
            raise ValueError(f"a checkpoint of {size} events is signed, but the log ends at {tree.size}")
        key = [key for since, key in keys if since <= size][-1:]
        if not key or not is_signed(note, key[0]):
            raise ValueError(f"the checkpoint of {size} events is not signed by the key of then")
        if (root, time) != (roots[size], times[size]):
            raise ValueError(f"the checkpoint of {size} events is of other events")
    if not keys:
        raise ValueError("no event tells of a key: nothing is signed")
    signed = max((read_checkpoint(note)[1] for note in notes), default=0)
    if signed < keys[-1][0]:
        raise ValueError("the newest key has signed nothing, not even its own event")
    if tree.size - signed > UNSIGNED_MAX:
        raise ValueError(f"{tree.size - signed} events are not signed: no service leaves so many")
    return tree.size, tree.root(), len(notes), signed, keys[0][1]


def adopted_key(fields, before, lost_keys):
    key = key_text(fields[1].decode(), fields[2])
    if before and not (fields.get(3) == 3 and key in lost_keys):
        name, _, public = before[-1][1].split("+", 2)
        message = f"ota-log key\n{key}\n".encode()
        if not ed25519(base64.b64decode(public)[1:], message, fields.get(4, b"")):
            raise ValueError(f"{name}: the key before {key} does not vouch for it")
    return key


def check_proof(proof, key=None):
    """Raises ValueError if it proves nothing; answers the position of the event that is proven, and the size of the tree."""
    _, size, root, _ = read_checkpoint(proof["checkpoint"])
    if not any(is_signed(proof["checkpoint"], k) for k in ([key] if key else [k["key"] for k in proof["keys"]])):
        raise ValueError("the checkpoint is not signed")
    leaf, path = leaf_of(base64.b64decode(proof["record"])), [base64.b64decode(step) for step in proof["path"]]
    if root_by_path(leaf, proof["position"] - 1, size, path) != root:
        raise ValueError("the path does not lead from the event to the checkpoint")
    return proof["position"], size


def main(arguments):
    try:
        if arguments[:1] == ["--proof"]:
            with open(arguments[1], encoding="utf-8") as text:
                print("event {} is in the log of {} events".format(*check_proof(json.load(text), *arguments[2:])))
        else:
            events, root, notes, signed, key = check_log(sys.stdin, *arguments)
            print(f"{events} events, root {base64.b64encode(root).decode()}, {notes} checkpoints hold")
            print(f"{events - signed} events behind the newest checkpoint are not signed; the first key is {key}"
                  + ("" if arguments else ", by the log's own word"))
    except ValueError as fault:
        sys.exit(f"NOT SOUND: {fault}")


if __name__ == "__main__":
    main(sys.argv[1:])
