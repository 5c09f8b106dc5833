"""Drives the real window as a person with a screen reader would: a real X server, the real accessibility bus, real keys.

Needs Xvfb, xdotool, ImageMagick, at-spi2-core and the system's python3 with gi; runs under dbus-run-session.
"""

import os
import re
import subprocess
import tempfile
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402


class Window:
    """One program in one X server of its own."""

    def __init__(self, command, env=None, size="1280x800", shots=None):
        self.shots = shots or tempfile.mkdtemp(prefix="shots-")
        os.makedirs(self.shots, exist_ok=True)
        read, write = os.pipe()
        self.children = [
            subprocess.Popen(
                ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"],
                pass_fds=[write],
                stderr=subprocess.DEVNULL,
            )
        ]
        os.close(write)
        # Number and line end come in two writes: read up to the line end, else the server is left with a broken pipe.
        with os.fdopen(read) as pipe:
            os.environ["DISPLAY"] = ":" + pipe.readline().strip()
        launcher = next(
            p
            for p in ("/usr/libexec/at-spi-bus-launcher", "/usr/lib/at-spi2-core/at-spi-bus-launcher")
            if os.path.exists(p)
        )
        self.children.append(
            subprocess.Popen([launcher, "--launch-immediately"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )
        self.until(self.say_that_a_screen_reader_runs, "the accessibility bus")
        Atspi.init()
        runtime = tempfile.mkdtemp(prefix="run-")
        os.chmod(runtime, 0o700)
        self.log = os.path.join(self.shots, "program.log")
        self.started = time.monotonic()
        with open(self.log, "wb") as log:
            self.program = subprocess.Popen(
                command, env={**os.environ, "XDG_RUNTIME_DIR": runtime, **(env or {})}, stdout=log, stderr=log
            )
        self.children.append(self.program)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            child.terminate()
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()

    @staticmethod
    def say_that_a_screen_reader_runs():
        call = "gdbus call --session --dest org.a11y.Bus --object-path /org/a11y/bus --method".split()
        call += ["org.freedesktop.DBus.Properties.Set", "org.a11y.Status", "ScreenReaderEnabled", "<true>"]
        return subprocess.run(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0

    def until(self, condition, what, limit=20):
        """Waits for a condition; says what did not come, with a picture."""
        end = time.monotonic() + limit
        while True:
            try:
                got = condition()
            except Exception:  # A node may vanish while it is read.
                got = None
            if got:
                return got
            if time.monotonic() > end:
                self.shot("missing")
                raise AssertionError(f"not within {limit} s: {what} (see {self.shots}/missing.png)")
            time.sleep(0.05)

    def nodes(self, node=None):
        """Every accessible node below, depth first."""
        node = node or Atspi.get_desktop(0)
        for index in range(node.get_child_count()):
            child = node.get_child_at_index(index)
            if child is not None:
                yield child
                yield from self.nodes(child)

    def look(self, name, role=None):
        """The nodes with a name: equal, equal up to a comma, or fitting a compiled pattern."""
        fits = name.search if hasattr(name, "search") else lambda text: text == name or text.startswith(name + ",")
        return [
            node
            for node in self.nodes()
            if fits(node.get_name() or "") and (role is None or re.search(role, node.get_role_name()))
        ]

    def find(self, name, role=None, limit=20):
        shown = getattr(name, "pattern", name)
        return self.until(lambda: self.look(name, role), f"{role or 'anything'} named {shown!r}", limit)[0]

    def gone(self, name, role=None, limit=20):
        self.until(lambda: not self.look(name, role), f"{name!r} gone", limit)

    @staticmethod
    def text(node):
        return Atspi.Text.get_text(node, 0, Atspi.Text.get_character_count(node))

    def focus(self):
        """There is no window manager: the window gets the keyboard by hand."""
        out = self.until(
            lambda: subprocess.run(
                ["xdotool", "search", "--onlyvisible", "--name", "Twinscope"], capture_output=True, text=True, check=False
            ).stdout.split(),
            "a window",
        )
        subprocess.run(["xdotool", "windowfocus", "--sync", out[-1]], check=False)

    def key(self, *keys):
        subprocess.run(["xdotool", "key", "--delay", "30", *keys], check=True)

    def type(self, text):
        subprocess.run(["xdotool", "type", "--delay", "12", "--", text], check=True)

    def click(self, node):
        box = Atspi.Component.get_extents(node, Atspi.CoordType.SCREEN)
        x, y = box.x + box.width // 2, box.y + box.height // 2
        subprocess.run(["xdotool", "mousemove", "--sync", str(x), str(y)], check=True)
        # egui sees the pointer move in one frame and the press in a later one.
        time.sleep(0.1)
        subprocess.run(["xdotool", "click", "1"], check=True)

    def shot(self, name):
        path = os.path.join(self.shots, name + ".png")
        subprocess.run(["import", "-window", "root", path], check=False)
        return path
