"""The main job in the real window: a live fleet, an edit against its etag, the save, the patch that lands.

Usage: first_job.py PROGRAM SHOTS [--pictures]: with --pictures the README's pictures are written to assets/.
"""

import json
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from driver import Atspi, Window  # noqa: E402

passed = 0


def ok(what):
    global passed
    passed += 1
    print("ok", what, flush=True)


def change_line(window, node, key, value):
    """Puts another value behind a key, by real keys, as one edits a line."""
    lines = window.text(node).split("\n")
    number = next(n for n, line in enumerate(lines) if f'"{key}"' in line)
    old = lines[number].split(": ")[1].rstrip(",")
    window.click(node)
    window.key("ctrl+Home", *["Down"] * number, "End")
    if lines[number].endswith(","):
        window.key("Left")
    window.key(*["BackSpace"] * len(old))
    window.type(value)


def first_job(window):
    device = window.find("myFirstDevice", "list item")
    ok("the local hub's fleet is listed")
    window.focus()
    window.find(re.compile("^myFirstDevice, connected"), "list item")
    ok("a simulated device is connected, without a reload")
    window.click(window.find("Modules of myFirstDevice"))
    window.click(window.find("myFirstDevice/myFirstModule", "list item"))
    desired = window.find("Desired JSON")
    window.until(lambda: "telemetryInterval" in window.text(desired), "the desired properties")
    ok("the twin is open")

    assert json.loads(window.text(desired))["telemetryInterval"] != 122, "the demo fleet starts with 122"
    change_line(window, desired, "telemetryInterval", "122")
    window.find("Revert telemetryInterval")
    window.find(re.compile("If-Match"))
    ok("the change and what will be sent are shown")
    window.shot("window-dark")
    window.key("ctrl+s")
    window.until(lambda: not window.look("Revert telemetryInterval"), "the save")
    ok("saved")
    window.click(window.find("Reported", "tab|button"))
    reported = window.find("Reported JSON")
    window.until(lambda: json.loads(window.text(reported)).get("telemetryInterval") == 122, "the device's answer")
    ok("the simulated module reported 122, without a refresh")
    window.click(window.find("Desired", "tab|button"))


def light(window):
    window.key("ctrl+k")
    window.find("Command")
    window.type("light")
    window.key("Return")
    window.gone("Command")
    window.find("Theme, light")
    window.shot("window-light")
    ok("the light theme")


def main():
    program, shots = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as data:
        with Window([program, "--data", data], shots=shots, size="1280x800") as window:
            first_job(window)
            light(window)
    if "--pictures" in sys.argv:
        for name in ("window-dark", "window-light"):
            shutil.copy(os.path.join(shots, name + ".png"), "assets/")
    print(f"{passed} passed, 0 failed")


assert Atspi
main()
