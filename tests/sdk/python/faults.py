"""Faults on demand: the hub was started with one, the others are set on the way. What the clients repeat of themselves gets
through, the rest is an error of theirs; the hub's own counts show that it struck."""

import json
import queue
import threading
import time

from azure.iot.device import IoTHubDeviceClient
from azure.iot.device.exceptions import ClientError, ConnectionFailedError
from azure.iot.hub.models import Twin, TwinProperties
from msrest.exceptions import ClientRequestError, HttpOperationError

from check import PATIENCE, client_string, done, fail, holds, ok, raises, refused, registry, same, taken
from plain import call

DEVICE_ID = "faults-py"
FAULTS = "/$twinscope/faults"

manager = registry()


def faults():
    status, _, body = call("GET", FAULTS)
    if status != 200:
        fail(f"the faults cannot be read: {status} {body!r}")
    return json.loads(body)


def set_faults(*texts, seed=1):
    body = json.dumps({"seed": seed, "faults": texts}).encode()
    status, _, body = call("PUT", FAULTS, {"Content-Type": "application/json"}, body)
    if status != 200:
        fail(f"the faults {texts}: {status} {body!r}")


def struck(what, matched, times=1):
    """The first fault has matched and struck so often."""
    first = faults()["faults"][0]
    same(f"{what}: the hub struck", (first["matched"], first["struck"]), (matched, times))


def desired(**properties):
    return Twin(properties=TwinProperties(desired=properties))


def version():
    return manager.get_twin(DEVICE_ID).properties.desired["$version"]


def check_statuses():
    manager.get_twin(DEVICE_ID)
    struck("a 503 of a read is repeated", 2)
    set_faults("429:retry-after=1s on=twin-read first=1")
    begun = time.monotonic()
    manager.get_twin(DEVICE_ID)
    holds("a 429 with Retry-After is slept over", time.monotonic() - begun >= 1)
    struck("and repeated", 2)
    set_faults("429 on=twin-write first=1")
    refused("a 429 without is the caller's", 429, manager.update_twin, DEVICE_ID, desired(a=1))
    struck("and not repeated", 1)
    set_faults("latency=400ms on=twin-write first=1")
    begun = time.monotonic()
    manager.update_twin(DEVICE_ID, desired(a=1))
    holds("a late answer is waited for", time.monotonic() - begun >= 0.4)
    set_faults("skew=2h")
    refused("a clock two hours ahead of the token", 401, manager.update_twin, DEVICE_ID, desired(a=1))
    set_faults()
    manager.update_twin(DEVICE_ID, desired(a=1))
    ok("and put right again")


def refusals(seed):
    """Which of twenty writes are refused, by half a chance each."""
    set_faults("429 on=twin-write p=0.5", seed=seed)
    found = []
    for n in range(20):
        try:
            manager.update_twin(DEVICE_ID, desired(n=n))
        except HttpOperationError as error:
            found.append((n, error.response.status_code))
    return found


def check_seed():
    first = refusals(7)
    holds("some of twenty are refused", 0 < len(first) < 20 and {status for _, status in first} == {429}, first)
    same("the same by the same seed", refusals(7), first)
    holds("others by another", refusals(8) != first)


def check_drops():
    for fault, repeated, alone in [("drop=before", 1, 0), ("drop=after", 2, 1)]:
        before = version()
        set_faults(f"{fault} on=twin-write first=1")
        manager.replace_twin(DEVICE_ID, desired(a=fault))
        struck(f"{fault}: a PUT is repeated", 2)
        same(f"{fault}: and is done so often", version(), before + repeated)
        before = version()
        set_faults(f"{fault} on=twin-write first=1")
        raises(f"{fault}: a PATCH is not repeated", ClientRequestError, manager.update_twin, DEVICE_ID, desired(b=1))
        struck(f"{fault}", 1)
        same(f"{fault}: it is done so often", version(), before + alone)
    before = version()
    set_faults("drop=halfway on=twin-write first=1")
    raises("half an answer", ClientRequestError, manager.update_twin, DEVICE_ID, desired(a=3))
    same("is of a write that is done", version(), before + 1)


def connected(string):
    """A client that has met a hub that is unavailable, and its states."""
    set_faults("503 on=connect first=1")
    client = IoTHubDeviceClient.create_from_connection_string(string, connection_retry_interval=1)
    raises("a hub that is unavailable", ConnectionFailedError, client.connect)
    struck("at CONNECT", 1)
    until = time.monotonic() + PATIENCE
    while not client.connected and time.monotonic() < until:
        try:
            client.connect()
        except ConnectionFailedError:
            time.sleep(0.1)
    same("the next time it is in", client.connected, True)
    struck("once", 2)
    states = queue.Queue()
    client.on_connection_state_change = lambda: states.put(client.connected)
    return client, states


def check_device(string):
    client, states = connected(string)
    set_faults("429 on=twin-get first=1")
    raises("a 429 in a twin response", ClientError, client.get_twin)
    same("the next answer is a twin", client.get_twin()["reported"]["$version"], 1)
    struck("the twin", 2)
    reported = lambda: manager.get_twin(DEVICE_ID).properties.reported
    for fault, times in [("drop=before", 1), ("drop=after", 2)]:
        before = reported()["$version"]
        set_faults(f"{fault} on=report first=1")
        client.patch_twin_reported_properties({"fault": fault})
        struck(f"{fault}: the client is back and has sent its report again", 2)
        same(f"{fault}: it went down and up", [taken("a state", states), taken("a state", states)], [False, True])
        same(f"{fault}: the report", (reported()["fault"], reported()["$version"]), (fault, before + times))
    set_faults("evict=500ms times=1")
    same("an evicted client goes", taken("a state", states), False)
    same("and comes back", taken("a state", states), True)
    struck("the connection", 2)
    client.patch_twin_reported_properties({"after": "eviction"})
    same("and works", reported()["after"], "eviction")
    set_faults("latency=400ms on=twin-get first=1")
    begun = time.monotonic()
    client.get_twin()
    holds("a late answer is waited for", time.monotonic() - begun >= 0.4)
    # This client waits for ever, which is what such a fault is there to show.
    set_faults("lose=response on=report first=1")
    thread = threading.Thread(target=client.patch_twin_reported_properties, args=({"lost": True},), daemon=True)
    thread.start()
    until = time.monotonic() + PATIENCE
    while "lost" not in reported() and time.monotonic() < until:
        time.sleep(0.01)
    same("a report whose answer is lost is done", reported()["lost"], True)
    thread.join(1)
    holds("and its caller waits", thread.is_alive())
    struck("the answer", 1)


started = [fault["fault"] for fault in faults()["faults"]]
same("the hub was started with a fault", started, ["503 on=twin-read id=faults-* first=1"])
STRING = client_string(manager.create_device_with_sas(DEVICE_ID, "", "", "enabled"))
check_statuses()
check_seed()
check_drops()
check_device(STRING)
# As it was found, for the next program.
set_faults(*started)
done()
