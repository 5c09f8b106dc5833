"""Cloud-to-device messages over HTTPS, taken by the device client; what waits, feedback, purge."""

import datetime
import json
import queue
import time

from azure.iot.device import IoTHubDeviceClient

from check import HOST_NAME, PATIENCE, device_with_module, done, fail, holds, registry, same, taken
from plain import call, token

DEVICE = "py-messages"
BOUND = f"/devices/{DEVICE}/messages/deviceBound"

manager = registry()
CLIENT_STRING = device_with_module(manager, DEVICE)


def send(body, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return call("POST", BOUND, named, body.encode())[0]


def waiting():
    return manager.get_device(DEVICE).cloud_to_device_message_count


def settled(what, count):
    """The client acknowledges before its handler has returned, the hub hears of it a moment later."""
    until = time.monotonic() + PATIENCE
    while waiting() != count and time.monotonic() < until:
        time.sleep(0.01)
    same(what, waiting(), count)


def feedback():
    """What the senders are told, taken for good."""
    status, headers, body = call("GET", "/messages/serviceBound/feedback")
    if status == 204:
        return []
    records = json.loads(body)
    lock = headers["ETag"].strip('"')
    same("a batch of feedback is taken", call("DELETE", f"/messages/serviceBound/feedback/{lock}")[0], 204)
    return [(record["originalMessageId"], record["statusCode"], record["deviceId"]) for record in records]


client = IoTHubDeviceClient.create_from_connection_string(CLIENT_STRING)
inbox = queue.Queue()
client.on_message_received = inbox.put
client.connect()

same("a message is taken", send(
    '{"delay": 5}',
    iothub_messageid="id 1", iothub_correlationid="c/1", iothub_contenttype="application/json",
    iothub_contentencoding="utf-8", iothub_ack="full", iothub_app_colour="dark & blue",
), 204)
message = taken("a message", inbox)
same("its body", message.data, b'{"delay": 5}')
same("message id", message.message_id, "id 1")
same("correlation id", message.correlation_id, "c/1")
same("content type and encoding", [message.content_type, message.content_encoding], ["application/json", "utf-8"])
same("ack", message.ack, "full")
same("its own properties", message.custom_properties, {"colour": "dark & blue"})
settled("the client's PUBACK completes it", 0)
same("feedback", feedback(), [("id 1", "Success", DEVICE)])

client.disconnect()
for n in range(3):
    same(f"message {n} is taken while the device is away", send(str(n), iothub_messageid=f"m{n}", iothub_ack="full"), 204)
same("they wait", waiting(), 3)
client.connect()
same("they come in their order", [taken("a message", inbox).data for _ in range(3)], [b"0", b"1", b"2"])
settled("and wait no more", 0)
same("feedback of each", feedback(), [(f"m{n}", "Success", DEVICE) for n in range(3)])

client.disconnect()
for n in range(50):
    status = send("x", iothub_messageid=f"p{n}", iothub_ack="negative")
    status == 204 or fail(f"message {n} of 50: {status}")
status, headers, _ = call("POST", BOUND, {}, b"one more")
same("a fifty-first", [status, headers["iothub-errorcode"]], [403, "DeviceMaximumQueueDepthExceeded"])
status, _, body = call("DELETE", f"/devices/{DEVICE}/commands")
same("a purge", [status, json.loads(body)["totalMessagesPurged"]], [200, 50])
same("none waits", waiting(), 0)
same("its feedback", feedback(), [(f"p{n}", "Purged", DEVICE) for n in range(50)])
client.connect()
same("the largest message", send("x" * 64 * 1024), 204)
same("the largest message comes whole", len(taken("a message", inbox).data), 64 * 1024)
status, headers, _ = call("POST", BOUND, {}, b"x" * (64 * 1024 + 1))
same("a byte more", [status, headers["iothub-errorcode"]], [413, "MessageTooLarge"])
client.shutdown()

# The device over HTTPS: telemetry, and a message under a lock.
key = dict(part.split("=", 1) for part in CLIENT_STRING.split(";"))["SharedAccessKey"]
device = {"authorization": token(f"{HOST_NAME}/devices/{DEVICE}", key)}
same("telemetry over HTTPS", call("POST", f"/devices/{DEVICE}/messages/events", {}, b"{}", **device)[0], 204)
same("none waits for it", call("GET", BOUND, **device)[0], 204)
send("over HTTPS", iothub_messageid="h", iothub_ack="full")
status, headers, body = call("GET", BOUND, **device)
same("a message over HTTPS", [status, headers["iothub-messageid"], body], [200, "h", b"over HTTPS"])
lock = headers["ETag"].strip('"')
same("it is given back", call("POST", f"{BOUND}/{lock}/abandon", **device)[0], 204)
status, headers, body = call("GET", BOUND, **device)
same("and comes again", [status, headers["iothub-deliverycount"], body], [200, "2", b"over HTTPS"])
lock = headers["ETag"].strip('"')
same("it is rejected", call("DELETE", f"{BOUND}/{lock}?reject", **device)[0], 204)
same("its feedback says so", feedback(), [("h", "Rejected", DEVICE)])
soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1)
same("one that lives a second", send("late", iothub_messageid="e", iothub_ack="full", iothub_expiry=soon.isoformat()), 204)
settled("has expired", 0)
same("as its feedback says", feedback(), [("e", "Expired", DEVICE)])
holds("nothing else came", inbox.empty())
done()
