"""MQTT over WebSocket: device client and module client, sync and aio, through the flows of the other programs."""

import asyncio
import queue

from azure.iot.device import IoTHubDeviceClient, IoTHubModuleClient, Message
from azure.iot.device.aio import IoTHubDeviceClient as AioDeviceClient
from azure.iot.device.aio import IoTHubModuleClient as AioModuleClient
from azure.iot.device.exceptions import ClientError, CredentialError
from azure.iot.hub.models import Twin, TwinProperties

from check import bare, device_with_module, done, ok, raises, registry, same, taken

manager = registry()


class Service:
    """The service's view of one identity."""

    def __init__(self, *ids):
        self.ids = ids
        self.client_string = device_with_module(manager, *ids)
        self.is_module = len(ids) == 2

    def desire(self, **properties):
        """Patches the desired properties; the new $version."""
        patch = Twin(properties=TwinProperties(desired=properties))
        update = manager.update_module_twin if self.is_module else manager.update_twin
        return update(*self.ids, patch).properties.desired["$version"]

    def reported(self):
        get = manager.get_module_twin if self.is_module else manager.get_twin
        return bare(get(*self.ids).properties.reported)

    def state(self):
        get = manager.get_module if self.is_module else manager.get_device
        return get(*self.ids).connection_state


def watched(client):
    """The client, and the queue of its connection states."""
    states = queue.Queue()
    client.on_connection_state_change = lambda: states.put(client.connected)
    return client, states


def check_sync(name, kind, service):
    client, states = watched(kind.create_from_connection_string(service.client_string, websockets=True))
    client.connect()
    same(f"{name}: connected", taken("a state", states), True)
    same(f"{name}: the hub says so too", service.state(), "Connected")
    same(f"{name}: a fresh twin", client.get_twin(), {"desired": {"$version": 1}, "reported": {"$version": 1}})
    client.patch_twin_reported_properties({"temperature": 21.5, "gone": None})
    same(f"{name}: reported", service.reported(), {"temperature": 21.5, "$version": 2})
    raises(f"{name}: a dot in a key", ClientError, client.patch_twin_reported_properties, {"a.b": 1})
    patches = queue.Queue()
    client.on_twin_desired_properties_patch_received = patches.put
    version = service.desire(telemetryInterval=122)
    wanted = {"telemetryInterval": 122, "$version": version}
    same(f"{name}: the handler gets exactly the patch", taken("a patch", patches), wanted)
    # Of more bytes than a WebSocket's short frame, and than its middle one.
    for size in (500, 70_000):
        client.send_message(Message("x" * size))
    ok(f"{name}: telemetry of any size is acknowledged")
    large = {f"k{n}": "x" * 3000 for n in range(9)}
    client.patch_twin_reported_properties(large)
    same(f"{name}: a large twin", client.get_twin()["reported"], {"temperature": 21.5, **large, "$version": 3})
    client.disconnect()
    same(f"{name}: disconnected", taken("a state", states), False)
    version = service.desire(missed=1)
    client.connect()
    same(f"{name}: what it missed", taken("the twin", patches)["missed"], 1)
    version = service.desire(telemetryInterval=5)
    wanted = {"telemetryInterval": 5, "$version": version}
    same(f"{name}: the subscription lives on", taken("a patch", patches), wanted)
    client.shutdown()
    same(f"{name}: nothing more came", patches.qsize(), 0)


async def check_aio(name, kind, service):
    # Without its own reading of the twin after a reconnect: what comes then comes by the kept subscription alone.
    client = kind.create_from_connection_string(
        service.client_string, websockets=True, ensure_desired_properties=False
    )
    patches = queue.Queue()

    async def handler(patch):
        patches.put(patch)

    await client.connect()
    client.on_twin_desired_properties_patch_received = handler
    reads = await asyncio.gather(*(client.get_twin() for _ in range(5)))
    same(f"{name}: five reads at once", reads, [reads[0]] * 5)
    await asyncio.gather(*(client.patch_twin_reported_properties({f"p{n}": n}) for n in range(20)))
    reported = await asyncio.to_thread(service.reported)
    same(f"{name}: twenty reports at once", {key: reported[key] for key in reported if key[0] == "p"}, {f"p{n}": n for n in range(20)})
    await asyncio.gather(*(client.send_message(f"message {n}") for n in range(20)))
    ok(f"{name}: twenty messages at once")
    for round_ in range(3):
        await client.disconnect()
        await client.connect()
        version = await asyncio.to_thread(service.desire, round=round_)
        patch = await asyncio.to_thread(taken, "a patch", patches)
        same(f"{name}: reconnect {round_}", patch, {"round": round_, "$version": version})
    await client.shutdown()
    same(f"{name}: nothing more came", patches.qsize(), 0)


def check_sessions(service):
    """One client each, over whatever; a renewed token; a wrong key; deletion."""

    def new_client(**options):
        options = {"connection_retry": False, "auto_connect": False, **options}
        return watched(IoTHubDeviceClient.create_from_connection_string(service.client_string, **options))

    first, first_states = new_client(websockets=True)
    first.connect()
    same("the first is in", taken("a state", first_states), True)
    for websockets in (True, False):
        second, second_states = new_client(websockets=websockets)
        second.connect()
        same("the second is in", taken("a state", second_states), True)
        same("the first is out", taken("a state", first_states), False)
        first.connect()
        same("the first comes back", taken("a state", first_states), True)
        same("and the second is out", taken("a state", second_states), False)
        second.shutdown()
    first.shutdown()

    wrong = service.client_string.rsplit("SharedAccessKey=", 1)[0] + "SharedAccessKey=" + "A" * 43 + "="
    client = IoTHubDeviceClient.create_from_connection_string(wrong, websockets=True, connection_retry=False)
    raises("a wrong key", CredentialError, client.connect)
    client.shutdown()

    # The client renews two minutes before the end: this one after two seconds, again and again.
    client, states = new_client(websockets=True, sastoken_ttl=122)
    patches = queue.Queue()
    client.connect()
    client.on_twin_desired_properties_patch_received = patches.put
    same("a token to be renewed", taken("a state", states), True)
    taken("the leave for the renewal", states)
    taken("the return from it", states)
    service.desire(after="renewal")
    while taken("the patch after the renewal", patches).get("after") != "renewal":
        pass
    ok("patches go on after the renewal")
    client.shutdown()

    client, states = new_client(websockets=True)
    client.connect()
    same("connected", taken("a state", states), True)
    manager.delete_device(service.ids[0])
    same("deleting the device drops it", taken("a state", states), False)
    client.shutdown()


device = Service("py-ws-device")
module = Service("py-ws-device-of-module", "myFirstModule")
check_sync("device", IoTHubDeviceClient, device)
check_sync("module", IoTHubModuleClient, module)
asyncio.run(check_aio("aio device", AioDeviceClient, device))
asyncio.run(check_aio("aio module", AioModuleClient, module))
check_sessions(device)
manager.delete_device(module.ids[0])
done()
