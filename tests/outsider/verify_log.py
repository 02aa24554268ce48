#!/usr/bin/env python3
"""A second verifier of the log, written from docs/log-format.md alone; shares no code with the service.

    otactl log dump --records DIRECTORY | verify_log.py [KEY]      checks every event, and every checkpoint of what is dumped
    verify_log.py --proof FILE [KEY]                               checks a proof that `otactl audit prove --out FILE` kept

KEY is the log's first key, as `otactl audit keys` shows it; without one the log's own word is taken. Needs openssl.
"""
import base64
import hashlib
import json
import struct
import subprocess
import sys
import tempfile


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


def check_log(lines, first_key=None):
    """Raises ValueError with what is wrong; answers events, root and the number of checkpoints."""
    tree, roots, times, keys, notes, newest = Tree(), {}, {}, [], [], 0
    for line in map(json.loads, lines):
        if "checkpoint" in line:
            notes.append(line["checkpoint"])
            continue
        record, position = base64.b64decode(line["record"]), line["position"]
        if position != tree.size + 1:
            raise ValueError(f"event {tree.size + 1} is missing")
        time = struct.unpack(">Q", record[:8])[0]
        if time < newest:
            raise ValueError(f"event {position}: its time is before that of the event before it")
        newest = time
        tree.add(leaf_of(record))
        roots[position], times[position] = tree.root(), time
        if line["type"] == "service.log_key_adopted":
            keys.append((position, adopted_key(line["data"], keys)))
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
    return tree.size, tree.root(), len(notes)


def adopted_key(data, before):
    key = key_text(data["origin"], base64.b64decode(data["key"]))
    if before:
        name, _, public = before[-1][1].split("+", 2)
        message = f"ota-log key\n{key}\n".encode()
        if not ed25519(base64.b64decode(public)[1:], message, base64.b64decode(data.get("signature", ""))):
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
            events, root, notes = check_log(sys.stdin, *arguments)
            print(f"{events} events, root {base64.b64encode(root).decode()}, {notes} checkpoints hold")
    except ValueError as fault:
        sys.exit(f"NOT SOUND: {fault}")


if __name__ == "__main__":
    main(sys.argv[1:])
