"""Every way an edit can fail, in the real window: each text names what failed and what to do, none leaves the window.

Usage: failures.py PROGRAM SHOTS [--all] [SCENE …]: a picture of each goes to SHOTS. With --all each scene is shown in both themes
and at both sizes, else dark at 1280x800 alone.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
from driver import Atspi, GLib, Window  # noqa: E402
from hub import Hub  # noqa: E402

SCENES = {}


def scene(function):
    SCENES[function.__name__.replace("_", "-")] = function
    return function


class Stage:
    """One window at a time, with a folder and a size of its own."""

    def __init__(self, program, shots, data, theme, size):
        self.program, self.shots, self.data, self.theme, self.size = program, shots, data, theme, size
        self.passed = 0
        os.makedirs(f"{data}/window", exist_ok=True)
        with open(f"{data}/window/settings.json", "w", encoding="utf-8") as file:
            json.dump({"theme": theme.title()}, file)

    def window(self, connection=None, ca=None):
        command = [self.program, "--data", f"{self.data}/window"]
        if ca:
            command += ["--ca", ca]
        env = {"TWINSCOPE_CONNECTION_STRING": connection} if connection else {}
        return Window(command, env=env, shots=self.shots, size=self.size)

    def hub(self):
        hub = Hub(self.program, f"{self.data}/hub")
        hub.patch({"interval": 60, "mode": "auto"})
        return hub

    @contextlib.contextmanager
    def on(self, hub):
        """A window on that hub, with its one twin open and a change typed."""
        with self.window(hub.connection, hub.ca) as window:
            opened(window, "thermostat")
            change(window)
            yield window

    def say(self, window, name, *texts, limit=20):
        """The texts stand there, inside the window; a picture is taken."""
        width, height = map(int, self.size.split("x"))
        for text in texts:
            window.find(re.compile(text), limit=limit)
            box = window.until(lambda text=text: extents(window.look(re.compile(text))), f"a place for {text!r}")
            inside = box.x >= 0 and box.y >= 0 and box.x + box.width <= width and box.y + box.height <= height
            assert inside, f"{name}: {text!r} leaves the window: {box.x},{box.y} {box.width}x{box.height}"
        # Let what slides or fades come to rest.
        time.sleep(0.4)
        window.shot(f"{name}-{self.theme}-{self.size}")
        self.passed += 1
        print("ok", name, flush=True)


def extents(nodes):
    """Of the first that has a place."""
    for node in nodes:
        with contextlib.suppress(GLib.GError):
            return Atspi.Component.get_extents(node, Atspi.CoordType.SCREEN)
    return None


def opened(window, device):
    row = window.find(device, "list item")
    window.focus()
    window.click(row)
    desired = window.find("Desired JSON")
    window.until(lambda: "interval" in window.text(desired), "the desired properties")
    return desired


def change(window, value="122"):
    """The second line gets another value."""
    desired = window.find("Desired JSON")
    window.click(desired)
    window.key("ctrl+Home", "Down", "End", "Left", *["BackSpace"] * len(window.text(desired).split("\n")[1].split(": ")[1].rstrip(",")))
    window.type(value)
    window.until(lambda: value in window.text(desired), "the typed value")


def save(window):
    window.key("ctrl+s")


def command(window, words):
    window.key("ctrl+k")
    window.find("Command")
    window.type(words)
    window.key("Return")
    window.gone("Command")


# Opening a hub.


@scene
def nothing_listens(stage):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    connection = f"HostName=localhost:{port};SharedAccessKeyName=iothubowner;SharedAccessKey=QUFB"
    with stage.window(connection) as window:
        stage.say(window, "open-unreachable", r"^localhost:\d+ cannot be reached: the connection was refused", "Check that localhost")


@scene
def not_believed(stage):
    with stage.hub() as hub, stage.window(hub.connection) as window:
        stage.say(window, "open-tls", "is not trusted: no authority", "add the certificate of the CA")


@scene
def wrong_key(stage):
    with stage.hub() as hub:
        connection = re.sub("SharedAccessKey=.*", "SharedAccessKey=QUFBQQ==", hub.connection)
        with stage.window(connection, hub.ca) as window:
            stage.say(window, "open-unauthorized", "refused the key or policy", "Check the policy's name and key")


@scene
def of_a_device(stage):
    with stage.hub() as hub:
        connection = hub.connection.replace("SharedAccessKeyName=iothubowner", "DeviceId=thermostat")
        with stage.window(connection, hub.ca) as window:
            stage.say(window, "open-of-a-device", "holds the connection string of thermostat, not that of a policy")


@scene
def no_connection_string(stage):
    with stage.window("HostName=;Shared") as window:
        stage.say(window, "open-malformed", "^TWINSCOPE_CONNECTION_STRING cannot be used: HostName is empty")


@scene
def no_such_ca(stage):
    with stage.window("HostName=localhost:1;SharedAccessKeyName=a;SharedAccessKey=QUFB", "/nowhere/ca.pem") as window:
        stage.say(window, "open-no-ca", "TLS cannot be set up", "PEM")


@scene
def hub_fails(stage):
    with stage.hub() as hub:
        hub.faults("503")
        with stage.window(hub.connection, hub.ca) as window:
            stage.say(window, "open-503", r"failed \(status 503\)", "Try again later", limit=40)


# Loading and refreshing.


@scene
def load(stage):
    with stage.hub() as hub:
        hub.faults("503 on=twin-read id=thermostat")
        with stage.window(hub.connection, hub.ca) as window:
            window.click(window.find("thermostat", "list item"))
            window.focus()
            stage.say(window, "load-503", r"failed \(status 503\)", "Try again later", limit=40)
            hub.faults("429:retry-after=300s on=twin-read id=thermostat")
            window.key("F5")
            stage.say(window, "load-429", "throttling", r"It asks for \d+ s more of waiting", limit=60)
            hub.faults()
            window.key("F5")
            window.until(lambda: "interval" in window.text(window.find("Desired JSON")), "the text")
            hub.faults("503 on=twin-read id=thermostat")
            change(window)
            window.key("F5")
            stage.say(window, "refresh-503", r"failed \(status 503\)", limit=40)
            hub.faults()
            hub.ask("DELETE", "/devices/thermostat", headers={"If-Match": "*"})
            window.key("F5")
            stage.say(window, "refresh-404", "no such device", limit=40)


@scene
def gone_away(stage):
    """The hub ends while a draft is open."""
    with stage.hub() as hub, stage.on(hub) as window:
        hub.stop()
        window.key("F5")
        stage.say(window, "refresh-offline", "cannot be reached", limit=60)
        save(window)
        stage.say(window, "save-offline", "Not saved", limit=60)


# Saving.


@scene
def save_refused(stage):
    with stage.hub() as hub, stage.window(hub.connection, hub.ca) as window:
        opened(window, "thermostat")
        save(window)
        stage.say(window, "save-nothing", "[Nn]othing to save")
        change(window, "12x")
        save(window)
        stage.say(window, "save-unparsed", "Not saved: desired line 2")


@scene
def save_answered(stage):
    with stage.hub() as hub, stage.on(hub) as window:
        hub.faults("429:retry-after=300s on=twin-write")
        save(window)
        stage.say(window, "save-429", "Not saved.*throttling|throttling", r"It asks for \d+ s more of waiting", limit=60)
        hub.faults("503 on=twin-write")
        save(window)
        stage.say(window, "save-503", r"failed \(status 503\)", limit=60)
        hub.faults("drop=before on=twin-write")
        save(window)
        stage.say(window, "save-unlanded", "values are not on the hub", "save again", limit=60)
        # The twin is read before it is written: reads fail once the write is on its way.
        hub.faults("drop=after on=twin-write", "latency=3s on=twin-write")
        save(window)
        window.until(lambda: window.look(re.compile("^Sav(ing|e cancelled)|Cancel saving")), "the save under way", limit=20)
        hub.faults("drop=after on=twin-write", "503 on=twin-read id=thermostat")
        stage.say(window, "save-unknown", "is not known", "Refresh shows", limit=90)
        hub.faults()
        window.key("F5")
        stage.say(window, "save-found", "the hub has your values", limit=40)


@scene
def save_lost_answer(stage):
    with stage.hub() as hub, stage.on(hub) as window:
        hub.faults("drop=halfway on=twin-write")
        save(window)
        stage.say(window, "save-landed", "the hub has your values", limit=60)


@scene
def save_gone(stage):
    with stage.hub() as hub, stage.on(hub) as window:
        hub.ask("DELETE", "/devices/thermostat", headers={"If-Match": "*"})
        save(window)
        stage.say(window, "save-404", "no such device", limit=60)


@scene
def watch(stage):
    with stage.hub() as hub, stage.on(hub) as window:
        hub.faults("503 on=twin-read id=thermostat")
        stage.say(window, "watch-503", "^Watch: ", limit=60)


# The hub moved.


@scene
def conflict(stage):
    with stage.hub() as hub, stage.on(hub) as window:
        hub.patch({"interval": 90, "mode": "eco"})
        stage.say(window, "moved", "^The hub moved to version")
        save(window)
        stage.say(window, "conflict", "The hub has a newer version")


@scene
def replace(stage):
    with stage.hub() as hub, stage.on(hub) as window:
        window.click(window.find("More", "button"))
        window.click(window.find("Replace…", "button"))
        window.find("Replace twin", "button")
        hub.patch({"other": 1})
        stage.say(window, "replace-asks", "is written anew")
        window.click(window.find("Replace twin", "button"))
        stage.say(window, "replace-moved", "The hub moved while you were asked|The hub has a newer version", limit=40)


# The disk.


@scene
def disk(stage):
    """Files where folders should be: nothing of drafts and journal can be written."""
    with stage.hub() as hub:
        for name in ("drafts", "journal"):
            with open(f"{stage.data}/window/{name}", "w", encoding="utf-8"):
                pass
        with stage.window(hub.connection, hub.ca) as window:
            stage.say(window, "disk-folders", "Drafts cannot be kept in .* --data DIR")
            opened(window, "thermostat")
            change(window)
            stage.say(window, "disk-typed", "The journal in .* cannot be .* --data DIR")
            window.key("ctrl+q")
            stage.say(window, "disk-quit", "drafts|lost|Quit")


@scene
def disk_full(stage):
    """The folder's disk has no room left."""
    full = f"{stage.data}/window"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", full], check=False, capture_output=True).returncode:
        print("skipped: no disk of one's own can be had here", flush=True)
        return
    try:
        with open(f"{full}/settings.json", "w", encoding="utf-8") as file:
            json.dump({"theme": stage.theme.title()}, file)
        with stage.hub() as hub, stage.window(hub.connection, hub.ca) as window:
            opened(window, "thermostat")
            with contextlib.suppress(OSError), open(f"{full}/filler", "wb", buffering=0) as filler:
                while True:
                    filler.write(b"x" * 512)
            change(window)
            stage.say(window, "disk-full", "No space left on device")
    finally:
        subprocess.run(["umount", "-l", full], check=False)


@scene
def disk_broken(stage):
    """Files that cannot be read."""
    os.makedirs(f"{stage.data}/window/drafts")
    with open(f"{stage.data}/window/drafts/0123456789abcdef0123456789abcdef.0123456789ab.json", "w", encoding="utf-8") as file:
        file.write("{half")
    with open(f"{stage.data}/window/settings.json", "w", encoding="utf-8") as file:
        file.write("[]")
    with stage.hub() as hub, stage.window(hub.connection, hub.ca) as window:
        stage.say(window, "disk-unreadable", "A draft cannot be read", "The settings in .* cannot be read")


@scene
def history_damaged(stage):
    with stage.hub() as hub, stage.window(hub.connection, hub.ca) as window:
        opened(window, "thermostat")
        change(window)
        save(window)
        window.find(re.compile("^Saved,"))
        window.click(window.find("History", "tab|button"))
        window.find(re.compile("saved here"), "list item")
        for folder, _, files in os.walk(f"{stage.data}/window/journal"):
            for name in files:
                if not name.endswith((".lines", ".jsonl")) and "object" in folder:
                    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                        file.write("{}")
        window.click(window.find(re.compile("saved here"), "list item"))
        stage.say(window, "history-damaged", "is damaged, so this version")


# Connections.


@scene
def connections(stage):
    with stage.hub() as hub, stage.window(hub.connection, hub.ca) as window:
        window.find("thermostat", "list item")
        window.focus()
        command(window, "add connection")
        field = window.find("Connection string", "text|entry|password")
        window.click(field)
        window.type("HostName=x")
        stage.say(window, "connections-form", "SharedAccessKey")
        window.key("ctrl+a")
        window.type(re.sub("SharedAccessKey=.*", "SharedAccessKey=QUFBQQ==", hub.connection))
        window.click(window.find("Check", "button"))
        stage.say(window, "connections-check", "refused the key or policy", limit=60)
        window.key("ctrl+a")


# Acting, calling, sending.


@scene
def acting(stage):
    with stage.hub() as hub:
        hub.ask("PUT", "/devices/certified", {"deviceId": "certified", "authentication": {"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": "A" * 40}}})
        with stage.window(hub.connection, hub.ca) as window:
            row = window.find("certified", "list item")
            window.focus()
            window.click(row)
            act_as(window)
            stage.say(window, "act-no-key", "has no key of its own")


def act_as(window):
    window.find("Desired JSON")
    button = window.look("Act as device…", "button")
    if not button:
        window.click(window.find("More", "button"))
        button = [window.find("Act as device…", "button")]
    window.click(button[0])
    # The port in the name of this hub is not that of MQTT.
    port = window.look("MQTT port", "text|entry")
    if port:
        window.click(port[0])
        window.type("8883")
    window.click(window.find("Connect", "button"))


@scene
def methods(stage):
    with stage.hub() as hub, stage.window(hub.connection, hub.ca) as window:
        opened(window, "thermostat")
        window.click(window.find("Methods", "tab|button"))
        window.click(window.find("Method name"))
        window.type("reboot")
        window.key("ctrl+Return")
        stage.say(window, "method-offline", "is not connected", "let it subscribe", limit=60)


@scene
def other_side(stage):
    """The other twin of a comparison cannot be read."""
    with stage.hub() as hub:
        hub.ask("PUT", "/devices/second", {"deviceId": "second"})
        hub.faults("503 on=twin-read id=second")
        with stage.window(hub.connection, hub.ca) as window:
            opened(window, "thermostat")
            window.click(window.find("More", "button"))
            window.click(window.find("Compare with…", "button"))
            window.find("Twin or version")
            window.type("second")
            window.find(re.compile("^second"))
            window.key("Return")
            stage.say(window, "compare-503", r"failed \(status 503\)", limit=60)


def play(program, shots, name, theme, size):
    with tempfile.TemporaryDirectory() as data:
        stage = Stage(program, shots, data, theme, size)
        SCENES[name](stage)
        return stage.passed


def main():
    if sys.argv[1] == "--one":
        play(*sys.argv[2:])
        return
    program, shots, *rest = sys.argv[1:]
    wanted = [name for name in rest if name != "--all"] or list(SCENES)
    looks = [("dark", "1280x800")]
    if "--all" in rest:
        looks += [("light", "1280x800"), ("dark", "900x600"), ("light", "900x600")]
    failed = []
    passed = 0
    for name in wanted:
        for theme, size in looks:
            # An accessibility bus of its own: a process knows only one.
            one = ["dbus-run-session", "--", sys.executable, __file__, "--one", program, shots, name, theme, size]
            done = subprocess.run(one, capture_output=True, text=True, check=False)
            print(done.stdout, end="", flush=True)
            passed += done.stdout.count("ok ")
            if done.returncode:
                print(f"FAILED {name} {theme} {size}: {(done.stderr.strip().splitlines() or ['?'])[-1]}", flush=True)
                failed.append(name)
    print(f"{passed} passed, {len(failed)} failed")
    sys.exit(bool(failed))


main()
