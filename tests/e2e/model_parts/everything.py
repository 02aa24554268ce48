"""All of the service beside all of the model: campaigns, updates, devices and their gates, firmware, statistics."""
from .compare import differing_campaign, differing_own, differing_rollbacks, differing_update, first_difference, \
    learn_who_gave_up, own_updates, until_same


def compare_all(driver):
    world = driver.world
    learn_who_gave_up(driver)
    for c in world.campaigns.values():
        until_same(driver, lambda c=c: differing_campaign(driver, c) or differing_rollbacks(driver, c) or
                   differing_campaign_statistics(driver, c))
    for u in own_updates(world):
        until_same(driver, lambda u=u: differing_own(driver, u))
    for d in world.devices.values():
        until_same(driver, lambda d=d: differing_device(driver, d))
    for f in world.firmware.values():
        until_same(driver, lambda f=f: differing_firmware(driver, f))
    until_same(driver, lambda: differing_statistics(driver))


def percent(part, whole):
    """Two decimals, halves upwards; 0 of nothing is 0."""
    return (20_000 * part // whole + 1) // 2 / 100 if whole else 0.0


def rate(completed, failed):
    return percent(completed, completed + failed)


def differing_campaign_statistics(driver, c):
    _, row = driver.call("GET", f"/stats/campaigns/{c.id}", expect=200)
    counts = c.counters()
    total, done, failed = counts["total"], counts["completed"], counts["failed"]
    over = done + failed + counts["cancelled"]
    return first_difference(f"statistics of {c.label}", {
        "total_devices": total, "successful_updates": done, "failed_updates": failed,
        "pending_updates": counts["pending"], "in_progress_updates": counts["in_progress"],
        "cancelled_updates": counts["cancelled"], "success_rate": rate(done, failed), "failure_rate": rate(failed, done),
        "progress_percentage": percent(over, total)}, row)


def differing_device(driver, d):
    status, row = driver.call("GET", f"/devices/{d.name}", expect={200, 404})
    if d.life == 0:
        return None if status == 404 else (f"{d.name}, who was never here", 404, row)
    if status == 404:
        return d.name, "known", "404"
    active = d.active()
    expected = {"firmware_version": d.version or None, "attributes": d.attributes, "groups": d.groups, "user_id": d.owner,
                "status": "deleted" if not d.alive else "updating" if active else "registered"}
    return first_difference(d.name, expected, row) or differing_history(driver, d) or differing_gates(driver, d)


def differing_history(driver, d):
    """Granted updates are in a device's history for ever (BR-OTA-061)."""
    _, answer = driver.call("GET", f"/devices/{d.name}/updates?limit=200", expect=200)
    rows = {row["update_id"]: row for row in answer["updates"]}
    for u in d.updates:
        if u.attempt and u.id and (not u.rollback or u.is_own()):
            if u.id not in rows:
                return f"history of {d.name}", u.id, sorted(rows)
            if found := differing_update(u, rows[u.id], f"history of {d.name}"):
                return found
    return None


def differing_gates(driver, d):
    """Why it waits (design 4)."""
    if not d.alive:
        return None
    world = driver.world
    for c in world.campaigns.values():
        update = c.members.get((d.name, d.life))
        if update is None or not update.is_pending() or c.closed:
            continue
        _, answer = driver.call("GET", f"/devices/{d.name}/why?campaign_id={c.id}", expect=200)
        gate = world.closed_gate(d, update) or None
        if gate != answer["updates"][0]["waiting_for"]:
            return f"gate of {d.name} in {c.label}", gate, answer["updates"][0]
    waiting = {u.id: world.own_gate(d, u) or None for u in d.waiting() if u.is_own()}
    _, answer = driver.call("GET", f"/devices/{d.name}/why", expect=200)
    seen = {w["update_id"]: w["waiting_for"] for w in answer["updates"] if w["update_id"] in waiting}
    return None if seen == waiting else (f"gates of {d.name}'s own updates", waiting, answer)


def counted(world):
    """Every update that the statistics are of: a rollback has its own count."""
    yield from (u for c in world.campaigns.values() for u in c.updates())
    yield from (u for u in own_updates(world) if not u.rollback)


def differing_firmware(driver, f):
    _, row = driver.call("GET", f"/firmware/{f.id}", expect=200)
    mine = [u for u in counted(driver.world) if u.firmware is f]
    done = sum(1 for u in mine if u.status in ("completed", "rollback"))
    failed = sum(1 for u in mine if u.status == "failed")
    return first_difference(f.label, {"status": f.status, "version": f.version, "file_size": f.size,
                                      "success_rate": rate(done, failed)}, row)


def differing_statistics(driver):
    """BR-OTA-041 to 045, decision 30."""
    world = driver.world
    updates = list(counted(world))
    campaigns = world.campaigns.values()
    of = {name: [u for u in updates if u.status in words] for name, words in {
        "pending": ("scheduled",), "completed": ("completed", "rollback"), "failed": ("failed",),
        "cancelled": ("cancelled",)}.items()}
    granted = [u for u in updates if u.attempt]
    transferred = sum(u.firmware.size for u in of["completed"])
    rollbacks = sum(1 for d in world.devices.values() for u in d.updates if u.rollback and u.attempt)
    started = sum(1 for c in campaigns if c.was_started)
    known, on_latest = world.devices_on_latest()
    expected = {
        "total_campaigns": len(campaigns), "total_updates": len(updates), "pending_updates": len(of["pending"]),
        "active_campaigns": sum(1 for c in campaigns if c.status in ("in_progress", "paused", "rollback")),
        "completed_campaigns": sum(1 for c in campaigns if c.status == "completed"),
        "failed_campaigns": sum(1 for c in campaigns if c.status == "failed"),
        "in_progress_updates": sum(1 for u in updates if u.runs()), "completed_updates": len(of["completed"]),
        "failed_updates": len(of["failed"]), "cancelled_updates": len(of["cancelled"]),
        "success_rate": rate(len(of["completed"]), len(of["failed"])), "total_data_transferred": transferred,
        "last_24h_updates": len(updates), "last_24h_failures": len(of["failed"]), "last_24h_data_transferred": transferred,
        "updates_by_device_type": histogram(u.counted_as for u in granted),
        "updates_by_firmware_version": histogram(u.to_version for u in granted),
        "rollback_rate": percent(rollbacks, started),
        "devices_on_latest_firmware": percent(on_latest, known)}
    _, row = driver.call("GET", "/stats", expect=200)
    return first_difference("statistics", expected, row)


def histogram(names):
    counts = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts
