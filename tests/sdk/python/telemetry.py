"""Telemetry of devices and modules, as the hub's event stream shows it."""

import json

from azure.iot.device import IoTHubDeviceClient, IoTHubModuleClient, Message

from check import device_with_module, done, holds, registry, same
from plain import events

manager = registry()
DEVICE, MODULE = "py-telemetry", ("py-telemetry-of", "myFirstModule")
before = 0


def check(client, ids):
    global before
    message = Message(json.dumps({"temperature": 21.5}), content_encoding="utf-8", content_type="application/json")
    message.message_id, message.correlation_id = "id 1", "c/1"
    message.custom_properties["alert"] = "yes & no"
    client.connect()
    active = lambda: (manager.get_module(*ids) if ids[1] else manager.get_device(ids[0])).last_activity_time
    connected = active()
    client.send_message(message)
    who = "/".join(filter(None, ids))
    holds(f"{who}: telemetry is activity", active() > connected)
    client.send_message("plain")
    client.send_message("x" * 200_000)
    client.shutdown()
    of = lambda event: event["kind"] == "telemetry" and [event["deviceId"], event.get("moduleId")] == list(ids)
    left = lambda event: event["kind"] == "connection" and event["opType"].endswith("Disconnected") and event["deviceId"] == ids[0]
    seen, before = events(before, left)
    first, second, third = [event for event in seen if of(event)]
    same(f"{who}: the body", json.loads(first["body"]), {"temperature": 21.5})
    wanted = {"$.mid": "id 1", "$.cid": "c/1", "$.ct": "application/json", "$.ce": "utf-8", "alert": "yes & no"}
    same(f"{who}: the properties", {key: first["properties"].get(key) for key in wanted}, wanted)
    same(f"{who}: a plain one", second["body"], "plain")
    holds(f"{who}: a large one, cut", third["bytes"] == 200_000 and set(third["body"]) == {"x"})
    kinds = [event.get("opType") for event in seen if event["kind"] == "connection" and event["deviceId"] == ids[0]]
    noun = "module" if ids[1] else "device"
    same(f"{who}: it came and went", [kinds[0], kinds[-1]], [f"{noun}Connected", f"{noun}Disconnected"])


check(IoTHubDeviceClient.create_from_connection_string(device_with_module(manager, DEVICE)), (DEVICE, None))
check(IoTHubModuleClient.create_from_connection_string(device_with_module(manager, *MODULE)), MODULE)
done()
