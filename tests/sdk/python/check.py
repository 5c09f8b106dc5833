"""What the programs share: how they say what holds, and how they find the hub."""

import json
import os
import queue
import sys

from azure.iot.hub import IoTHubRegistryManager
from msrest.exceptions import HttpOperationError

# The longest that anything is waited for, in seconds.
PATIENCE = 15

CONNECTION_STRING = os.environ["HUB_CONNECTION_STRING"]
HOST_NAME = dict(part.split("=", 1) for part in CONNECTION_STRING.split(";"))["HostName"]

_passed = 0


def ok(what):
    global _passed
    _passed += 1
    print(f"ok {what}", flush=True)


def fail(what):
    print(f"not ok {what}", flush=True)
    # Not sys.exit: the clients' own threads must not keep a failed program alive.
    os._exit(1)


def same(what, found, wanted):
    if found != wanted:
        fail(f"{what}\n   found {json.dumps(found, default=str)}\n  wanted {json.dumps(wanted, default=str)}")
    ok(what)


def holds(what, condition, found=None):
    if not condition:
        fail(what if found is None else f"{what}: found {found!r}")
    ok(what)


def refused(what, status, call, *arguments, **named):
    """The service client's call ends with this HTTP status."""
    try:
        call(*arguments, **named)
    except HttpOperationError as error:
        same(f"{what}: {status}", error.response.status_code, status)
        return error
    return fail(f"{what}: was accepted instead of refused with {status}")


def raises(what, kind, call, *arguments):
    """The call ends with this exception."""
    try:
        call(*arguments)
    except kind as error:
        ok(f"{what}: {type(error).__name__}")
        return error
    except Exception as error:  # noqa: BLE001
        return fail(f"{what}: {error!r} instead of {kind.__name__}")
    return fail(f"{what}: succeeded instead of {kind.__name__}")


def taken(what, inbox):
    """The next thing in the queue."""
    try:
        return inbox.get(timeout=PATIENCE)
    except queue.Empty:
        return fail(f"{what}: nothing came in {PATIENCE} s")


def registry():
    return IoTHubRegistryManager.from_connection_string(CONNECTION_STRING)


def device_with_module(manager, device_id, module_id=None):
    """A new device, with a module under it when one is named; the connection string of the last of them."""
    device = manager.create_device_with_sas(device_id, "", "", "enabled")
    if module_id is None:
        return client_string(device)
    return client_string(manager.create_module_with_sas(device_id, module_id, "", "", ""))


def client_string(identity):
    """What the portal shows as the identity's connection string."""
    module = getattr(identity, "module_id", None)
    key = identity.authentication.symmetric_key.primary_key
    module_part = f"ModuleId={module};" if module else ""
    return f"HostName={HOST_NAME};DeviceId={identity.device_id};{module_part}SharedAccessKey={key}"


def bare(section):
    """A section of a service twin as its device sees it: without $metadata."""
    return {key: value for key, value in section.items() if key != "$metadata"}


def done():
    print(f"{_passed} passed, 0 failed", flush=True)
    sys.stdout.flush()
    # The AMQP part of the service client may hold threads that nothing here asked for.
    os._exit(0)
