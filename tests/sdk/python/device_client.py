"""The device application: connect, read the twin, report, react to desired changes, shut down."""

import queue

from azure.iot.device import IoTHubDeviceClient, Message
from azure.iot.device.exceptions import ClientError
from azure.iot.hub.models import Twin, TwinProperties

from check import bare, device_with_module, done, ok, raises, registry, same, taken

DEVICE_ID = "py-device"

manager = registry()
CLIENT_STRING = device_with_module(manager, DEVICE_ID)


def reported():
    return bare(manager.get_twin(DEVICE_ID).properties.reported)


client = IoTHubDeviceClient.create_from_connection_string(CLIENT_STRING, product_info="twinscope test/1.0")
states, patches = queue.Queue(), queue.Queue()
client.on_connection_state_change = lambda: states.put(client.connected)
client.connect()
same("the state handler", taken("a state", states), True)
same("a fresh twin", client.get_twin(), {"desired": {"$version": 1}, "reported": {"$version": 1}})

client.patch_twin_reported_properties({"temperature": 21.5, "firmware": {"version": "1.0", "parts": [1, 2]}})
same("reported", reported(), {"temperature": 21.5, "firmware": {"version": "1.0", "parts": [1, 2]}, "$version": 2})
etag = manager.get_twin(DEVICE_ID).etag
client.patch_twin_reported_properties({"temperature": None, "firmware": {"version": "1.1"}})
same("a report does not move the etag", manager.get_twin(DEVICE_ID).etag, etag)
same("merged", reported(), {"firmware": {"version": "1.1", "parts": [1, 2]}, "$version": 3})
raises("a report with a dot in a key", ClientError, client.patch_twin_reported_properties, {"good": 1, "a.b": 1})
raises("a report with null in an array", ClientError, client.patch_twin_reported_properties, {"a": [None]})
raises(
    "a report of 40 KB", ClientError, client.patch_twin_reported_properties, {f"k{n}": "x" * 4000 for n in range(10)}
)
same("nothing of them was kept", reported(), {"firmware": {"version": "1.1", "parts": [1, 2]}, "$version": 3})
same("and the connection lives", client.connected, True)


def acknowledge(patch):
    """What a device does with a desired change: take it, and report that it did."""
    for name, value in patch.items():
        if name != "$version":
            client.patch_twin_reported_properties({name: {"value": value, "ac": 200, "av": patch["$version"]}})
    patches.put(patch)


client.on_twin_desired_properties_patch_received = acknowledge
twin = manager.update_twin(DEVICE_ID, Twin(properties=TwinProperties(desired={"interval": 30})))
same("the device twin's version", twin.properties.desired["$version"], 2)
same("the desired handler", taken("a patch", patches), {"interval": 30, "$version": 2})
same("its acknowledgement", reported()["interval"], {"value": 30, "ac": 200, "av": 2})
message = Message('{"temperature": 21.5}', content_encoding="utf-8", content_type="application/json")
message.message_id = "id 1"
message.custom_properties["a key"] = "a/value?&="
client.send_message(message)
client.send_message("plain")
ok("telemetry is acknowledged")
before = client.get_twin()
client.shutdown()
same("the state handler again", taken("a state", states), False)

# The same identity again, as after a restart of the program.
client = IoTHubDeviceClient.create_from_connection_string(CLIENT_STRING)
client.connect()
same("the twin is what it was", client.get_twin(), before)
client.shutdown()
# A connection string whose characters need care in topics, user name and token.
odd = "py-Az09-.%_:@!,()*'$"
client = IoTHubDeviceClient.create_from_connection_string(device_with_module(manager, odd))
client.connect()
client.patch_twin_reported_properties({"odd": True})
same("a device with an odd id", manager.get_twin(odd).properties.reported["odd"], True)
client.send_message("plain")
client.shutdown()
for name in (DEVICE_ID, odd):
    manager.delete_device(name)
done()
