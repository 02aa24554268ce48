"""Files that are gone or cut short after the service was killed: what was acknowledged is missed at the start, in words, and nothing
is changed, so that all is well once they are put back; or the loss is accepted, and is never a second history without a word."""
import glob
import os
import shutil
import signal
import subprocess
import tempfile

from support import BASE, BIN, Service, wait_for

DEVICES = 20


def otactl(*arguments, code=0):
    done = subprocess.run([os.path.join(BIN, "otactl"), *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, timeout=120)
    assert done.returncode == code, (arguments, done.returncode, done.stdout)
    return done.stdout


def put_devices(service, prefix, owner):
    for n in range(DEVICES):
        answer = service.call("PUT", f"{BASE}/devices/{prefix}-{n}", {"device_model": "SF-100", "firmware_version": "1.0.0",
                                                                      "user_id": f"{owner}-{n}"})
        assert answer.status == 201, answer.text


def noted(directory):
    """How far it says that it was acknowledged."""
    with open(os.path.join(directory, "acknowledged"), encoding="ascii") as note:
        slots = note.read().split("ota acknowledged 1\n")[1:]
    return max(int(line.split()[1]) for slot in slots for line in slot.splitlines() if line.startswith("count "))


def newest_wal(directory):
    return max(file for file in glob.glob(os.path.join(directory, "*.log")) if os.path.getsize(file) > 0)


def refused(service):
    service.start(wait=False)
    assert service.process.wait(timeout=60) == 1, service.tail()
    return service.tail().splitlines()[-1]


def whole_and_short(service, directory, what):
    """Gone, empty and cut to half: refused each time, and nothing missing once the file is back."""
    wal = newest_wal(directory)
    kept = os.path.join(service.directory, "kept")
    shutil.copy(wal, kept)
    for damage in (os.remove, lambda file: os.truncate(file, 0), lambda file: os.truncate(file, os.path.getsize(file) // 2)):
        damage(wal)
        told = refused(service)
        assert f"{directory} is not all there: it has " in told and what in told and os.path.basename(wal) in told, told
        shutil.copy(kept, wal)


def check_put_back(service):
    put_devices(service, "dev", "owner")
    log, names = (os.path.join(service.data, part) for part in ("log", "subjects"))
    wait_for("all of it is noted", lambda: noted(log) > DEVICES)
    head = service.get("/audit/events?limit=1")["head"]
    service.kill()
    assert noted(log) == head and noted(names) == DEVICES, (noted(log), noted(names))
    whole_and_short(service, log, f" of the {head} events")
    whole_and_short(service, names, f" of the {DEVICES} names")
    service.start()
    assert service.get("/audit/events?limit=1")["head"] == head
    shown = {row["device_id"]: row["user_id"] for row in service.pages("/devices", "devices")}
    assert shown == {f"dev-{n}": f"owner-{n}" for n in range(DEVICES)}, shown
    return head


def check_damaged_note(service):
    """What the refusal says to do is what helps; and a log that is sound is not set back for its names."""
    service.stop()
    with open(os.path.join(service.data, "subjects", "acknowledged"), "w", encoding="ascii") as note:
        note.write("nothing")
    told = refused(service)
    command = told.split("`")[1].split()
    assert command[:4] == ["otactl", "log", "repair", "--apply"], told
    assert "The names are repaired." in otactl(*command[1:])
    with open(os.path.join(service.data, "log", "acknowledged"), encoding="ascii") as note:
        assert "set_back" not in note.read()
    service.start()


def check_accepted(service, head):
    put_devices(service, "more", "owner")
    service.stop()
    log = os.path.join(service.data, "log")
    os.remove(newest_wal(log))
    told = refused(service)
    assert f" of the {head + DEVICES} events" in told, told
    told = otactl("audit", "verify", log, code=1)
    assert "is not all there" in told, told
    told = otactl("log", "repair", service.data, code=1)
    assert f"lost     events {head + 1} to {head + DEVICES}" in told, told
    otactl("log", "repair", "--apply", service.data)
    service.start()
    assert "the views had seen event" in service.tail() and "to which it was set back" in service.tail(), service.tail()
    assert len(service.pages("/devices", "devices")) == DEVICES
    put_devices(service, "other", "owner")
    assert service.get("/audit/events?limit=1")["head"] == head + DEVICES
    service.stop()
    assert "The log is sound." in otactl("audit", "verify", service.data)


def check_views_ahead(service):
    """An older copy of the log, with its note: what the views have seen proves what is lost."""
    older = os.path.join(service.directory, "older")
    shutil.copytree(os.path.join(service.data, "log"), older)
    service.start()
    put_devices(service, "newer", "owner")
    service.stop()
    log = os.path.join(service.data, "log")
    newer = os.path.join(service.directory, "newer")
    os.rename(log, newer)
    shutil.copytree(older, log)
    told = refused(service)
    assert "the views had seen event" in told and "events that were acknowledged are lost" in told, told
    shutil.rmtree(log)
    shutil.copytree(newer, log)
    service.start()
    service.stop()
    shutil.rmtree(log)
    shutil.copytree(older, log)
    otactl("log", "repair", "--apply", service.data)
    service.start()
    assert len(service.pages("/devices", "devices")) == 2 * DEVICES
    service.stop()


def check_no_names(service):
    """All names at once: a start says so, and health counts whom nobody knows any more."""
    shutil.rmtree(os.path.join(service.data, "subjects"))
    service.start()
    assert "whoever they speak of is an unknown user now" in service.tail(), service.tail()
    assert service.get("/health/detailed")["dependencies"]["subjects"] == {"status": "healthy", "without_name": 0}
    assert {row["user_id"] for row in service.pages("/devices", "devices")} == {"unknown user"}
    health = service.get("/health/detailed")
    assert health["status"] == "degraded" and health["dependencies"]["subjects"]["without_name"] == DEVICES, health


def check_backup_without_names(service):
    """The names of the backups are gone: none is restored as if all were well, only if somebody says so."""
    backups = os.path.join(service.directory, "backups")
    put_devices(service, "dev", "owner")
    for _ in range(2):   # names are kept once
        otactl("--server", service.url, "backup", "create")
    service.stop()
    shutil.rmtree(os.path.join(backups, "subjects", "private", "2"))
    restored = os.path.join(service.directory, "restored")
    told = otactl("backup", "restore", backups, restored, code=1)
    assert "backup 2 in " in told and "has no names that go with it" in told and not os.path.exists(restored), told
    otactl("backup", "restore", backups, restored, "--without-newer-names")
    shutil.copytree(os.path.join(service.data, "keys"), os.path.join(restored, "keys"))
    service.data = restored
    service.start()
    shown = [row["user_id"] for row in service.pages("/devices", "devices")]
    assert shown == ["unknown user"] * DEVICES, shown


def killed_restore(step, backups, data):
    os.environ["OTA_FAULT"] = f"backups.{step}:1"
    otactl("backup", "restore", backups, data, code=-signal.SIGKILL)
    del os.environ["OTA_FAULT"]


def all_in(directory):
    return sorted(os.path.join(folder, name) for folder, folders, files in os.walk(directory) for name in folders + files)


def check_half_restored(service):
    """A restore that was killed: no service begins an empty log there, nor anything else, and it is done again."""
    backups = os.path.join(service.directory, "backups")
    otactl("--server", service.url, "backup", "create")
    service.stop()
    keys = os.path.join(service.data, "keys")
    for step in ("place_taken", "log_restored", "names_restored", "names_shown"):
        service.data = os.path.join(service.directory, step)
        killed_restore(step, backups, service.data)
        for copied in (False, True):
            if copied:
                shutil.copytree(keys, os.path.join(service.data, "keys"))
            left = all_in(service.data)
            told = refused(service)
            assert f"a restore to {service.data} is not finished: there is " in told and "do it again" in told, told
            assert all_in(service.data) == left, (all_in(service.data), left)
        # The first one's lock is gone with it; the second is killed, too.
        killed_restore("log_restored", backups, service.data)
        otactl("backup", "restore", backups, service.data)
        assert sorted(os.listdir(service.data)) == ["keys", "log", "subjects"], os.listdir(service.data)
        assert "The log is sound." in otactl("audit", "verify", service.data)
    service.start()
    assert len(service.pages("/devices", "devices")) == DEVICES
    service.stop()
    service.data = os.path.join(service.directory, "log_shown")
    killed_restore("log_shown", backups, service.data)
    shutil.copytree(keys, os.path.join(service.data, "keys"))
    os.makedirs(os.path.join(service.data, "subjects.restoring"))   # of an earlier version
    service.start()
    assert not os.path.exists(os.path.join(service.data, "subjects.restoring")), os.listdir(service.data)
    assert len(service.pages("/devices", "devices")) == DEVICES


def check_restores_at_once(service):
    """One of them is done, and what it says is so; the others are refused in words."""
    backups, data = (os.path.join(service.directory, name) for name in ("backups", "at-once"))
    all_of_them = [subprocess.Popen([os.path.join(BIN, "otactl"), "backup", "restore", backups, data], text=True, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT) for _ in range(4)]
    told = [(one.communicate(timeout=120)[0], one.returncode) for one in all_of_them]
    assert sorted(code for _, code in told) == [0, 1, 1, 1], told
    for text, code in told:
        assert code == 0 or f"another restore to {data} is running" in text or f"{data}/log is there already" in text, told
    assert sorted(os.listdir(data)) == ["log", "subjects"], os.listdir(data)
    assert "The log is sound." in otactl("audit", "verify", data)


def main():
    with tempfile.TemporaryDirectory(prefix="ota-e2e-") as directory:
        service = Service(directory).start()
        try:
            head = check_put_back(service)
            check_damaged_note(service)
            check_accepted(service, head)
            check_views_ahead(service)
            check_no_names(service)
        finally:
            if not service.died():
                service.stop()
    with tempfile.TemporaryDirectory(prefix="ota-e2e-") as directory:
        service = Service(directory, "--backup.directory", os.path.join(directory, "backups")).start()
        try:
            check_backup_without_names(service)
            check_half_restored(service)
            check_restores_at_once(service)
        finally:
            if not service.died():
                service.stop()
    print("what is gone was missed, and all of it was there again once it was put back")


if __name__ == "__main__":
    main()
