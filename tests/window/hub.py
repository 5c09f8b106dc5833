"""A hub beside the window: the program itself without a window, asked over its own sockets."""

import json
import os
import ssl
import subprocess
import urllib.request


class Hub:
    """A hub in a process of its own, with one device: it moves while the window is away."""

    def __init__(self, program, data):
        self.program = program
        command = [program, "hub", "--https", "127.0.0.1:0", "--mqtts", "127.0.0.1:0", "--fleet", "empty", "--data", data]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        ready = json.loads(self.process.stdout.readline())
        self.connection, self.ca = ready["connectionString"], ready["caFile"]
        host = dict(part.split("=", 1) for part in self.connection.split(";"))["HostName"]
        self.url = f"https://{host}"
        self.ask("PUT", "/devices/thermostat", {"deviceId": "thermostat"})

    @classmethod
    def at(cls, program, connection, ca):
        """A hub that somebody else started and will stop."""
        hub = cls.__new__(cls)
        hub.program, hub.connection, hub.ca = program, connection, ca
        host = dict(part.split("=", 1) for part in connection.split(";"))["HostName"]
        hub.url = f"https://{host}"
        return hub

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def ask(self, method, path, body=None, headers=None):
        env = {**os.environ, "TWINSCOPE_CONNECTION_STRING": self.connection}
        token = subprocess.run([self.program, "token"], env=env, capture_output=True, text=True, check=True).stdout.strip()
        headers = {"Authorization": token, "Content-Type": "application/json", **(headers or {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}{path}?api-version=2021-04-12", data=data, headers=headers, method=method
        )
        with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=self.ca), timeout=20) as answer:
            return json.loads(answer.read() or b"null")

    def faults(self, *faults):
        """These go wrong from now on, and nothing else."""
        self.ask("PUT", "/$twinscope/faults", {"faults": list(faults)})

    def patch(self, desired):
        self.ask("PATCH", "/twins/thermostat", {"properties": {"desired": desired}})

    def interval(self):
        return self.ask("GET", "/twins/thermostat")["properties"]["desired"]["interval"]

    def version(self):
        return self.ask("GET", "/twins/thermostat")["version"]
