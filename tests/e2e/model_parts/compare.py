"""The service beside the model: what an action moved, at once. All of it: everything.py."""
import time

from .difference import Difference
from .things import ANY, UNSAID

SHOWN_COUNTERS = {"total": "total_devices", "pending": "pending_devices", "in_progress": "in_progress_devices",
                  "completed": "completed_devices", "failed": "failed_devices", "cancelled": "cancelled_devices",
                  "held": "held_devices", "undone": "undone_devices"}


def state_of_update(u):
    progress = round(u.progress, 2) if not u.is_over() or u.status == "completed" else None
    return {"status": u.shown_status(), "attempt": u.attempt, "retry_count": u.retry_count, "error_code": u.error,
            "held": u.held, "cancel_requested": u.cancelling, "progress_percentage": progress, "to_version": u.to_version}


def state_of_campaign(c):
    return {"status": c.status, **c.counters(), "open_batch": c.batch if c.was_started else None, "switched": c.switched,
            "promoted": c.promoted, "finished": c.finished, "rollbacks": len(c.rollbacks),
            "of_each": [(u.shown_status(), u.attempt, u.held, u.cancelling) for u in c.updates()],
            "going_back": [b == "ended" or (b.status, b.attempt, b.cancelling) for b in c.going_back().values()]}


def shown_campaign(row):
    canary, rollback = row["canary"], row["rollback"]
    return {"status": row["status"], **{name: row[field] for name, field in SHOWN_COUNTERS.items()},
            "open_batch": row["open_batch"], "switched": row["switched"], "promoted": bool(canary) and canary["promoted"],
            "finished": row["finished"], "rollbacks": rollback["number"] if rollback else 0}


def own_updates(world):
    return [u for d in world.devices.values() for u in d.updates if u.is_own()]


def moving_parts(world):
    parts = {label: state_of_campaign(c) for label, c in world.campaigns.items()}
    parts.update({u: state_of_update(u) for u in own_updates(world)})
    return parts


# ---- finding what differs ------------------------------------------------------------------------------------------

def first_difference(what, expected, seen):
    """(what, expected, seen) of the first field that differs, or None. ANY stands for some text."""
    for field, value in expected.items():
        found = seen.get(field)
        if value is UNSAID and field in ("progress_percentage", "error_code"):
            continue
        same = bool(found) if value == ANY else (found or "") == value if field == "error_code" else found == value
        if not same:
            return f"{what}: {field}", value, found
    return None


def differing_update(u, row, what):
    return first_difference(what, state_of_update(u), row)


def differing_campaign(driver, c):
    _, row = driver.call("GET", f"/campaigns/{c.id}", expect=200)
    expected = {k: v for k, v in state_of_campaign(c).items() if k not in ("of_each", "going_back")}
    if found := first_difference(c.label, expected, shown_campaign(row)):
        return found
    if sum(row[SHOWN_COUNTERS[name]] for name in ("pending", "in_progress", "completed", "failed", "cancelled")) != \
            row["total_devices"]:
        return f"{c.label}: total = sum of the counters", row["total_devices"], row
    rows = {r["update_id"]: r for r in driver.updates_of(c)}
    for (name, _), u in sorted(c.members.items()):
        if found := differing_update(u, rows.get(u.id, {}), f"{c.label}'s update of {name}"):
            return found
    return None


def differing_rollbacks(driver, c):
    """Those of its present rollback that were granted, or have ended."""
    backs = {d: b for d, b in c.going_back().items() if b != "ended"}
    if not backs:
        return None
    _, answer = driver.call("GET", f"/rollbacks?campaign_id={c.id}&limit=200", expect=200)
    rows = {r["rollback_id"]: r for r in answer["rollbacks"]}
    for deployment, back in sorted(backs.items(), key=lambda entry: entry[0].device.name):
        row = rows.get(present_rollback_id(c, deployment), {})
        if found := first_difference(f"{c.label}'s rollback of {deployment.device.name}", rollback_fields(back), row):
            return found
    return None


def present_rollback_id(c, deployment):
    """The id of the deployment's update, with the number of the campaign's rollback as its kind (design 3)."""
    return f"rb_{deployment.id[4:-1]}{len(c.rollbacks):x}"


def update_id_of(rollback):
    """A rollback is an update as well, under the same id with another head."""
    return "upd_" + rollback["rollback_id"][3:]


def rollback_fields(back):
    status = {"completed": "completed", "rollback": "completed", "failed": "failed", "cancelled": "failed"}.get(back.status, "in_progress")
    return {"status": status, "update_status": back.status, "attempt": back.attempt, "to_version": back.to_version or None,
            "from_version": back.from_version or None, "trigger": back.rollback.trigger, "error_code": back.error}


def differing_own(driver, u):
    if u.id is None:                             # a rollback that nobody asked for by hand: by its device
        _, answer = driver.call("GET", f"/rollbacks?device_id={u.device.name}&limit=200", expect=200)
        mine = [r for r in answer["rollbacks"] if r["trigger"] == u.rollback.trigger and
                update_id_of(r) not in {o.id for o in u.device.updates}]
        if not mine:
            return f"{u.rollback.trigger} rollback of {u.device.name}", "one", answer["rollbacks"]
        u.id = update_id_of(mine[-1])
    if u.rollback:
        _, row = driver.call("GET", f"/rollbacks/rb_{u.id[4:]}", expect=200)
        return first_difference(f"rollback of {u.device.name}", rollback_fields(u), row)
    _, row = driver.call("GET", f"/updates/{u.id}", expect=200)
    return differing_update(u, row, f"direct update of {u.device.name} to {u.to_version}")


# ---- waiting ---------------------------------------------------------------------------------------------------------

def until_same(driver, find):
    """What follows of itself takes a moment: asked again until it is there, or too late."""
    deadline = time.monotonic() + driver.patience
    pause = 0.001
    while found := find():
        if time.monotonic() > deadline:
            raise Difference(*found)
        time.sleep(pause)
        pause = min(2 * pause, 0.1)


def learn_who_gave_up(driver):
    """A device that cannot go back any more ends when it asks, or before: when, the specification leaves open."""
    world = driver.world
    for c in world.campaigns.values():
        waiting = [u for u, back in c.going_back().items() if back != "ended" and back.wait == "later"]
        idle = [u for u in c.to_go_back() + waiting if u.is_here() and not u.device.active()]
        hopeless = [u for u in idle if world.is_hopeless(u)] if c.status == "rollback" else []
        if not hopeless:
            continue
        _, answer = driver.call("GET", f"/rollbacks?campaign_id={c.id}&limit=200", expect=200)
        ended = {r["rollback_id"] for r in answer["rollbacks"] if r["status"] == "failed"}
        for u in hopeless:
            if present_rollback_id(c, u) in ended:
                world.give_up(u)
    world.settle()


def wait_for_moves(driver, before):
    world = driver.world
    learn_who_gave_up(driver)
    for part, state in moving_parts(world).items():
        if before.get(part) == state:
            continue
        if isinstance(part, str):
            c = world.campaigns[part]
            if c.id:
                until_same(driver, lambda c=c: differing_campaign(driver, c) or differing_rollbacks(driver, c))
        else:
            until_same(driver, lambda u=part: differing_own(driver, u))
