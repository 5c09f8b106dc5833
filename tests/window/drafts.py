"""The plug is pulled while somebody types: the program is killed, started again, and the text is there.

Usage: drafts.py PROGRAM SHOTS
"""

import json
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from driver import Window  # noqa: E402


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


def main():
    if sys.argv[1] == "--again":
        back(*sys.argv[2:])
        return
    program, shots = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as data:
        text = typed(program, shots, data)
        # An accessibility bus of its own: a process knows only one.
        again = ["dbus-run-session", "--", sys.executable, __file__, "--again", program, shots, data, text]
        subprocess.run(again, check=True, stderr=subprocess.DEVNULL)
    print("2 passed, 0 failed")


main()
