"""The plug is pulled while somebody types: the program is killed, started again, and the text is there.

Usage: drafts.py PROGRAM SHOTS
"""

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


def kept(folder):
    """The texts of desired that are on disk."""
    texts = []
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        if name.endswith(".json"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                texts.append(json.load(file)["desired"])
    return texts


def typed(program, shots, data):
    with Window([program, "--data", data], shots=shots) as window:
        device = window.find("myFirstDevice", "list item")
        window.focus()
        window.click(device)
        desired = window.find("Desired JSON")
        window.until(lambda: "{" in window.text(desired), "the desired properties")
        window.click(desired)
        window.key("ctrl+End", "Return")
        window.type("typed just before the plug was pulled")
        text = window.until(lambda: (t := window.text(desired)).endswith("pulled") and t, "the typed text")
        # Not a key more: it is on disk within a second.
        window.until(lambda: text in kept(f"{data}/drafts"), "the text on disk", limit=3)
        print("ok what is typed is on disk within moments", flush=True)
        window.program.send_signal(signal.SIGKILL)
        window.program.wait(10)
        return text


def back(program, shots, data, text):
    with Window([program, "--data", data], shots=shots) as window:
        desired = window.find("Desired JSON")
        window.until(lambda: window.text(desired) == text, "the typed text after the kill")
        window.find("myFirstDevice, unsaved", "tab|button")
        window.shot("draft-back")
        print("ok after kill -9 every letter is back, marked as unsaved", flush=True)


def on_hub(program, shots, data, connection, ca):
    command = [program, "--ca", ca, "--data", data]
    return Window(command, env={"TWINSCOPE_CONNECTION_STRING": connection}, shots=shots)


def typed_on_hub(program, shots, data, connection, ca):
    with on_hub(program, shots, data, connection, ca) as window:
        device = window.find("thermostat", "list item")
        window.focus()
        window.click(device)
        desired = window.find("Desired JSON")
        window.until(lambda: "60" in window.text(desired), "the desired properties")
        window.click(desired)
        window.key("ctrl+Home", "Down", "End", "BackSpace", "BackSpace")
        window.type("122")
        text = window.until(lambda: "122" in (t := window.text(desired)) and t, "the typed value")
        window.until(lambda: text in kept(f"{data}/drafts"), "the text on disk", limit=3)
        window.program.send_signal(signal.SIGKILL)
        window.program.wait(10)


def back_on_hub(program, shots, data, connection, ca):
    with on_hub(program, shots, data, connection, ca) as window:
        desired = window.find("Desired JSON")
        window.until(lambda: json.loads(window.text(desired))["interval"] == 122, "the typed value after the kill")
        window.find("thermostat, unsaved", "tab|button")
        window.find(re.compile("^The hub moved to version"))
        window.find("Line 2, interval changed on the hub: 60 → 90")
        window.shot("draft-back-moved")
        print("ok a draft whose hub moved meanwhile comes back marked, on the base it was typed on", flush=True)
        window.focus()
        window.key("ctrl+s")
        window.find("The hub has a newer version", "dialog|panel|frame")
        window.shot("draft-back-conflict")
        print("ok a save of it asks instead of writing over the hub's version", flush=True)


def again(stage, *arguments):
    # An accessibility bus of its own: a process knows only one.
    command = ["dbus-run-session", "--", sys.executable, __file__, stage, *arguments]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def main():
    stages = {"--again": back, "--typed-on-hub": typed_on_hub, "--back-on-hub": back_on_hub}
    if sys.argv[1] in stages:
        stages[sys.argv[1]](*sys.argv[2:])
        return
    program, shots = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as data:
        text = typed(program, shots, data)
        again("--again", program, shots, data, text)
    with tempfile.TemporaryDirectory() as data, Hub(program, f"{data}/hub") as hub:
        hub.patch({"interval": 60})
        window = [program, shots, f"{data}/window", hub.connection, hub.ca]
        again("--typed-on-hub", *window)
        hub.patch({"interval": 90})
        again("--back-on-hub", *window)
        assert hub.interval() == 90, "the hub's version was written over"
    print("4 passed, 0 failed")


main()
