"""The disk is full while somebody works: the window goes on, says it once, and what was kept is whole when there is room again.

Usage: full_disk.py PROGRAM SHOTS

The data folder is a file system of 24 MB in a mount namespace of this script's own, so it needs `unshare -m`, and without root
`unshare -rm`.
"""

import errno
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from driver import Window  # noqa: E402
from hub import Hub  # noqa: E402

SIZE = "24m"


def fill(data):
    """Not a page is left. Bytes at the end of pages are: a line that is added may end in the middle."""
    with open(f"{data}/filler", "ab", buffering=0) as filler:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    filler.write(b"\0" * size)
            except OSError as error:
                assert error.errno == errno.ENOSPC, error


def files(folder):
    return [os.path.join(path, name) for path, _, names in os.walk(folder) for name in names]


def lines(data):
    """What the journal's lines say; a line that is none is an error."""
    told = []
    for path in files(f"{data}/journal/twins"):
        assert path.endswith(".jsonl"), f"{path} is left behind"
        with open(path, encoding="utf-8") as file:
            text = file.read()
        assert text.endswith("\n"), f"{path} ends in the middle of a line"
        told += [json.loads(line) for line in text.split("\n")[:-1]]
    return told


def has(data, version):
    return any(line["twin"]["version"] == version for line in lines(data))


def kept(data):
    """The texts of desired that are on disk."""
    texts = []
    for path in files(f"{data}/drafts"):
        if path.endswith(".json"):
            with open(path, encoding="utf-8") as file:
                texts.append(json.load(file)["desired"])
    return texts


def check_whole(data):
    """Every file is what its name says, and nothing else is there."""
    for path in files(f"{data}/journal/objects"):
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        assert path.replace("/", "").endswith(digest), f"{path} is not whole"
    for path in files(data):
        assert not re.search(r"\.tmp$|\.unreadable|\.older", path), f"{path} is left behind"
    with open(f"{data}/settings.json", encoding="utf-8") as file:
        json.load(file)
    lines(data)
    kept(data)


def seen(hub, window, data, round):
    """A version whose tags are of this round, in the journal."""
    hub.ask("PATCH", "/twins/thermostat", {"tags": {"round": round}})
    version = hub.version()
    window.until(lambda: has(data, version), f"version {version} in the journal")


def change(window, desired, value):
    """The caret stands in the text."""
    window.key("ctrl+Home", "Down", "End", "shift+ctrl+Left")
    window.type(value)
    return window.until(lambda: value in (t := window.text(desired)) and t, f"{value} in the text")


def notices(window):
    """How often each thing is said that is about the disk."""
    said = [node.get_name() for node in window.look(re.compile("cannot be (kept|written)"))]
    return {text: said.count(text) for text in said}


def work(program, shots, data, connection, ca):
    hub = Hub.at(program, connection, ca)
    command = [program, "--ca", ca, "--data", data]
    with Window(command, env={"TWINSCOPE_CONNECTION_STRING": connection}, shots=shots) as window:
        device = window.find("thermostat", "list item")
        window.focus()
        window.click(device)
        desired = window.find("Desired JSON")
        window.until(lambda: "60" in window.text(desired), "the desired properties")
        window.until(lambda: lines(data), "the first version in the journal")
        seen(hub, window, data, "a")
        seen(hub, window, data, "b")
        window.click(desired)
        fill(data)
        # Of these the sections are there already: a line each, until one does not fit on what is left of its page.
        waits = re.compile("journal in .* cannot be written")
        for round in ["a", "b"] * 20:
            hub.ask("PATCH", "/twins/thermostat", {"tags": {"round": round}})
            version = hub.version()
            window.until(lambda: has(data, version) or window.look(waits), "the next version")
            if window.look(waits):
                break
        assert window.look(waits), "every line found room"
        assert not has(data, version)
        print("ok that the history waits is said, and no half of a line is left", flush=True)
        change(window, desired, "122")
        window.find(re.compile("draft of thermostat cannot be kept"))
        print("ok a draft that cannot be kept is said", flush=True)
        window.key("ctrl+s")
        window.until(lambda: hub.interval() == 122, "the save")
        window.shot("disk-full")
        print("ok the save goes to the hub all the same", flush=True)

        before = notices(window)
        for value in ("133", "134"):
            text = change(window, desired, value)
            hub.ask("PATCH", "/twins/thermostat", {"tags": {"round": value}})
            window.find(re.compile(f"^Version {hub.version()}|version {hub.version()}"))
        assert text not in kept(data), "there is room"
        assert notices(window) == before, f"said again: {before} then {notices(window)}"
        print("ok it is said once", flush=True)

        os.remove(f"{data}/filler")
        text = change(window, desired, "144")
        window.until(lambda: text in kept(data), "the draft on disk", limit=5)
        hub.ask("PATCH", "/twins/thermostat", {"tags": {"round": "last"}})
        last = hub.version()
        window.until(lambda: has(data, last), "the newest version")
        told = [(line["twin"]["version"], line["seen"]) for line in lines(data)]
        assert [version for version, _ in told] == list(range(told[0][0], last + 1)), f"versions are missing: {told}"
        assert "save" in dict(told).values(), f"the save is missing: {told}"
        print("ok with room again the draft is kept, and what waited for the journal", flush=True)
        window.program.send_signal(signal.SIGKILL)
        window.program.wait(10)
    check_whole(data)
    print("ok nothing that was written is torn", flush=True)


def back(program, shots, data, connection, ca):
    command = [program, "--ca", ca, "--data", data]
    with Window(command, env={"TWINSCOPE_CONNECTION_STRING": connection}, shots=shots) as window:
        desired = window.find("Desired JSON")
        window.until(lambda: json.loads(window.text(desired))["interval"] == 144, "the draft")
        window.focus()
        window.click(window.find("History", "tab|button"))
        window.find(re.compile("^Version .*saved here"), "list item")
        assert not window.look(re.compile("cannot be read|unreadable")), "something is damaged"
        window.shot("disk-had-been-full")
        print("ok after a kill the draft is back and the history reads on", flush=True)


def inside(program, shots, folder):
    data = f"{folder}/data"
    os.mkdir(data)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", data], check=True)
    with Hub(program, f"{folder}/hub") as hub:
        hub.patch({"interval": 60})
        for stage in ("--work", "--back"):
            # An accessibility bus of its own: a process knows only one.
            window = [program, shots, data, hub.connection, hub.ca]
            command = ["dbus-run-session", "--", sys.executable, __file__, stage, *window]
            subprocess.run(command, check=True, stderr=None if os.environ.get("VERBOSE") else subprocess.DEVNULL)
    print("7 passed, 0 failed")


def main():
    stages = {"--inside": inside, "--work": work, "--back": back}
    if sys.argv[1] in stages:
        stages[sys.argv[1]](*sys.argv[2:])
        return
    program, shots = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        command = ["unshare", "-m" if os.geteuid() == 0 else "-rm", sys.executable, __file__, "--inside", program, shots, folder]
        sys.exit(subprocess.run(command, check=False).returncode)


main()
