"""From a sequence that shows a difference to the shortest one that still does."""


def shortest(actions, fails, tell):
    """Takes away chunks, then smaller ones, down to single actions, as long as it still fails."""
    size = max(1, len(actions) // 2)
    while True:
        start, taken = 0, False
        while start < len(actions):
            rest = actions[:start] + actions[start + size:]
            if rest and fails(rest):
                actions, taken = rest, True
                tell(len(actions))
            else:
                start += size
        if size == 1 and not taken:
            return actions
        size = size if taken and size == 1 else max(1, size // 2)


def simplest(actions, fails):
    """And from each action whatever it can do without."""
    for number, action in enumerate(actions):
        for inside in ("policy", "fields", None):
            for name in list(action if inside is None else action.get(inside, {})):
                if inside is None and name in ("do", "policy", "fields"):
                    continue
                slim = {k: v for k, v in (action if inside is None else action[inside]).items() if k != name}
                changed = slim if inside is None else {**action, inside: slim}
                attempt = actions[:number] + [changed] + actions[number + 1:]
                try:
                    if fails(attempt):
                        actions, action = attempt, changed
                except (TypeError, KeyError):
                    continue                     # it cannot do without
    return actions
