"""Direct methods: services call devices and modules, whose clients answer, sync and aio."""

import asyncio
import json
import threading
import time

from azure.iot.device import IoTHubDeviceClient, MethodResponse
from azure.iot.device.aio import IoTHubModuleClient
from azure.iot.hub.models import CloudToDeviceMethod

from check import device_with_module, done, holds, refused, registry, same

DEVICE = "py-methods"
IDS = ("py-methods-of-module", "myFirstModule")
LARGEST = 128 * 1024

manager = registry()


def call(name, payload=None, **timeouts):
    named = {f"{which}_timeout_in_seconds": seconds for which, seconds in timeouts.items()}
    return CloudToDeviceMethod(method_name=name, payload=payload, **named)


def answered(result):
    return [result.status, result.payload]


def refused_with(what, number, name, call_, *arguments):
    """The status, the code in the header, and the JSON within the JSON of the body."""
    error = refused(what, number // 1000, call_, *arguments)
    inner = json.loads(error.response.json()["Message"])
    same(f"{what}: the code", [error.response.headers["iothub-errorcode"], inner["errorCode"]], [name, number])


def answer(request):
    """What the device makes of a call: status and payload."""
    if request.name == "echo":
        return 200, request.payload
    if request.name == "large":
        return 200, "x" * (request.payload - 2)
    if request.name == "nothing":
        return 204, None
    return 404, {"error": f"no method {request.name}"}


def check_answers(who, invoke):
    for payload in ({"delay": 5, "list": [1, 2.5, None, "ö"]}, [], 0, False, "text"):
        same(f"{who}: status and payload {payload!r}", answered(invoke(call("echo", payload))), [200, payload])
    # This client sends "" for no payload.
    same(f"{who}: no payload", answered(invoke(call("echo"))), [200, ""])
    same(f"{who}: no answer but a status", answered(invoke(call("nothing"))), [204, None])
    same(f"{who}: the device's own status", answered(invoke(call("reboot"))), [404, {"error": "no method reboot"}])
    same(f"{who}: a command", answered(invoke(call("part*echo", 1))), [404, {"error": "no method part*echo"}])
    same(f"{who}: a name that is encoded", answered(invoke(call("50%+#", 1))), [404, {"error": "no method 50%+#"}])
    largest = "x" * (LARGEST - 2)
    same(f"{who}: 128 KB both ways", invoke(call("echo", largest)).payload, largest)
    refused_with(f"{who}: a byte more", 413001, "MessageTooLarge", invoke, call("echo", largest + "x"))
    refused_with(f"{who}: an answer of a byte more", 502101, "InvalidResponseWhileProxying", invoke, call("large", LARGEST + 1))
    refused_with(f"{who}: 4 s for the answer", 400004, "ArgumentInvalid", invoke, call("echo", 1, response=4))
    refused_with(f"{who}: 301 s for the answer", 400004, "ArgumentInvalid", invoke, call("echo", 1, response=301))
    refused_with(
        f"{who}: longer to connect than to answer", 400004, "ArgumentInvalid", invoke, call("echo", 1, response=10, connect=11)
    )
    refused_with(f"{who}: no legal name", 400004, "ArgumentInvalid", invoke, call("a b"))


def check_offline(who, invoke):
    refused_with(f"{who}: offline", 404103, "DeviceNotOnline", invoke, call("echo"))
    started = time.monotonic()
    refused_with(f"{who}: does not come", 404103, "DeviceNotOnline", invoke, call("echo", 1, response=5, connect=2))
    holds(f"{who}: was waited for", 2 <= time.monotonic() - started < 5)


def device():
    client = IoTHubDeviceClient.create_from_connection_string(device_with_module(manager, DEVICE))

    def invoke(request):
        return manager.invoke_device_method(DEVICE, request)

    def handler(request):
        if request.name == "silence":
            return
        status, payload = answer(request)
        client.send_method_response(MethodResponse.create_from_method_request(request, status, payload))

    check_offline("device", invoke)
    client.connect()
    refused_with("device: connected and not listening", 404103, "DeviceNotOnline", invoke, call("echo"))
    client.on_method_request_received = handler
    # Setting a handler returns before the hub has its subscription.
    same("device: comes and subscribes", answered(invoke(call("echo", 1, response=30, connect=15))), [200, 1])
    check_answers("device", invoke)
    started = time.monotonic()
    refused_with("device: does not answer", 504101, "GatewayTimeout", invoke, call("silence", 1, response=5))
    holds("device: was given its time", 5 <= time.monotonic() - started < 10)
    same("device: and answers the next", answered(invoke(call("echo", 2))), [200, 2])
    client.disconnect()
    refused_with("device: disconnected", 404103, "DeviceNotOnline", invoke, call("echo"))
    # The subscription is kept: this client does not subscribe again.
    later = threading.Timer(1.0, client.connect)
    later.start()
    same("device: a call waits for its return", answered(invoke(call("echo", 3, response=30, connect=15))), [200, 3])
    later.join()
    client.shutdown()


async def module():
    client = IoTHubModuleClient.create_from_connection_string(device_with_module(manager, *IDS))

    def invoke(request):
        return manager.invoke_device_module_method(*IDS, request)

    async def handler(request):
        status, payload = answer(request)
        await client.send_method_response(MethodResponse.create_from_method_request(request, status, payload))

    await asyncio.to_thread(check_offline, "module", invoke)
    # Called first, connected afterwards.
    early = asyncio.create_task(asyncio.to_thread(invoke, call("echo", "early", response=30, connect=15)))
    await client.connect()
    client.on_method_request_received = handler
    same("module: a call that waited for it", answered(await early), [200, "early"])
    await asyncio.to_thread(check_answers, "module", invoke)
    results = await asyncio.gather(*(asyncio.to_thread(invoke, call("echo", n)) for n in range(10)))
    same("module: ten calls at once", [answered(result) for result in results], [[200, n] for n in range(10)])
    await client.shutdown()


device()
asyncio.run(module())
refused_with("an unknown device", 404001, "DeviceNotFound", manager.invoke_device_method, "nobody", call("echo"))
refused_with("an unknown module", 404001, "DeviceNotFound", manager.invoke_device_module_method, DEVICE, "nobody", call("echo"))
for name in (DEVICE, IDS[0]):
    manager.delete_device(name)
done()
