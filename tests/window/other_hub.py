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
from hub import Hub  # noqa: E402

TEXT = "של 👨\u200d👩 น้ำ b\u0000c"


def nul(window, hub):
    """A text with U+0000 on the screen leaves the accessibility tree whole."""
    device = hub.ask("GET", "/devices")[0]["deviceId"]
    hub.ask("PATCH", f"/twins/{device}", {"tags": {"odd": TEXT}})
    before = len(list(window.nodes()))
    window.focus()
    window.click(window.find("Query", "tab|button"))
    window.click(window.find("Query", "text|entry"))
    window.key("ctrl+a")
    window.type("SELECT tags.odd AS odd FROM devices WHERE is_defined(tags.odd)")
    window.click(window.find("Run query"))
    row = window.find(re.compile("^odd: "), "list item")
    assert "b[U+0000]c" in row.get_name(), row.get_name()
    assert len(list(window.nodes())) > before / 2, "the accessibility tree is empty"
    window.shot("odd-query")
    # The query stands in the place of the list.
    window.click(window.find("Devices", "tab|button"))
    window.click(window.find(re.compile(f"^{device},"), "list item"))
    window.click(window.find("Tags", "tab|button"))
    tags = window.find("Tags JSON")
    window.until(lambda: "של" in window.text(tags), "the tags")
    said = window.text(tags)
    assert "b\\u0000c" in said and "👨\u200d👩 น้ำ" in said, said
    window.click(tags)
    window.key("ctrl+t")
    window.find(re.compile("odd"), "tree item")
    window.shot("odd-tree")
    window.key("ctrl+t")
    window.shot("odd-text")


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
                    nul(window, Hub.at(program, ready["connectionString"], ready["caFile"]))
                    passed += 1
                    print("ok a text with U+0000 leaves the accessibility tree whole")
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
