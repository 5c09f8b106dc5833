"""A hub given by the environment, with a certificate of its own, in the real window; and no key where anybody can read it.

Usage: other_hub.py PROGRAM SHOTS
"""

import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from driver import Window  # noqa: E402


def main():
    program, shots = sys.argv[1:3]
    passed = 0
    with tempfile.TemporaryDirectory() as data:
        command = [program, "hub", "--https", "127.0.0.1:0", "--mqtts", "127.0.0.1:0", "--fleet", "3", "--data", f"{data}/hub"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as hub:
            try:
                ready = json.loads(hub.stdout.readline())
                key = ready["connectionString"].split("SharedAccessKey=")[1]
                env = {"TWINSCOPE_CONNECTION_STRING": ready["connectionString"]}
                options = ["--ca", ready["caFile"], "--data", f"{data}/window"]
                with Window([program, *options], env=env, shots=shots) as window:
                    window.until(lambda: len(window.look(re.compile("."), "list item")) == 3, "three devices")
                    passed += 1
                    print("ok the hub of the environment is open, believed by --ca")
                    names = [node.get_name() or "" for node in window.nodes()]
                    assert not any(key in name for name in names), "a name on the screen holds the key"
                    title = subprocess.run(
                        ["xdotool", "search", "--onlyvisible", "--name", "Twinscope", "getwindowname"],
                        capture_output=True,
                        text=True,
                        check=True,
                    ).stdout
                    with open(f"/proc/{window.program.pid}/cmdline", encoding="utf-8") as arguments:
                        assert key not in title + arguments.read(), "the title or the arguments hold the key"
                    passed += 1
                    print("ok no key on the screen, in the title or among the arguments")
                with open(window.log, encoding="utf-8", errors="replace") as log:
                    assert key not in log.read(), "the log holds the key"
                for folder, _, files in os.walk(f"{data}/window"):
                    for file in files:
                        with open(os.path.join(folder, file), "rb") as kept:
                            assert key.encode() not in kept.read(), f"{file} holds the key"
                passed += 1
                print("ok no key in the log or in a file of the window")
            finally:
                hub.terminate()
            assert hub.wait(10) == 0, "the hub did not stop cleanly"
            passed += 1
            print("ok the hub stops cleanly")
    print(f"{passed} passed, 0 failed")


main()
