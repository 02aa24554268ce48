"""The order of versions (decision 3): semantic where both are, else natural order of the runs of digits and others."""
import re

SEMANTIC = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:-([^.+]+(?:\.[^.+]+)*))?(?:\+.*)?")


def part_key(part):
    """Of a pre-release: numbers below words, numbers by value."""
    return (0, int(part), "") if part.isdigit() else (1, 0, part)


def semantic_key(text):
    found = SEMANTIC.fullmatch(text)
    if not found:
        return None
    core = tuple(int(n) for n in found.group(1, 2, 3))
    pre_release = found.group(4)
    if pre_release is None:
        return core, 1, ()                       # the release is above its pre-releases
    return core, 0, tuple(part_key(part) for part in pre_release.split("."))


def natural_key(text):
    """Runs in turn: of digits by value, of others by bytes; where the kinds differ, as texts."""
    return re.findall(r"\d+|\D+", text)


def compare_naturally(a, b):
    for x, y in zip(natural_key(a), natural_key(b)):
        left, right = (int(x), int(y)) if x.isdigit() and y.isdigit() else (x, y)
        if left != right:
            return -1 if left < right else 1
    return len(natural_key(a)) - len(natural_key(b))


def compare(a, b):
    """Below, at or above 0."""
    x, y = semantic_key(a), semantic_key(b)
    if x is None or y is None:
        return compare_naturally(a, b)
    return (x > y) - (x < y)


def same(a, b):
    return bool(a and b) and compare(a, b) == 0


def in_range(hardware, lowest, highest):
    return (not lowest or compare(hardware, lowest) >= 0) and (not highest or compare(hardware, highest) <= 0)
