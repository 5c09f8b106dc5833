"""The device application again, with the asyncio IoTHubDeviceClient."""

import asyncio
import queue

from azure.iot.device.aio import IoTHubDeviceClient
from azure.iot.device.exceptions import ClientError
from azure.iot.hub.models import Twin, TwinProperties

from check import bare, device_with_module, done, fail, registry, same, taken

DEVICE_ID = "py-device-aio"

manager = registry()
CLIENT_STRING = device_with_module(manager, DEVICE_ID)


def reported():
    return bare(manager.get_twin(DEVICE_ID).properties.reported)


async def main():
    client = IoTHubDeviceClient.create_from_connection_string(CLIENT_STRING)
    states, patches = queue.Queue(), queue.Queue()

    async def on_state():
        states.put(client.connected)

    async def on_patch(patch):
        await client.patch_twin_reported_properties({"taken": patch["$version"]})
        patches.put(patch)

    client.on_connection_state_change = on_state
    client.on_twin_desired_properties_patch_received = on_patch
    await client.connect()
    same("the state handler", await asyncio.to_thread(taken, "a state", states), True)
    same("a fresh twin", await client.get_twin(), {"desired": {"$version": 1}, "reported": {"$version": 1}})
    await client.patch_twin_reported_properties({"temperature": 21.5})
    same("reported", await asyncio.to_thread(reported), {"temperature": 21.5, "$version": 2})
    change = Twin(properties=TwinProperties(desired={"interval": 30}))
    await asyncio.to_thread(manager.update_twin, DEVICE_ID, change)
    same("the desired handler", await asyncio.to_thread(taken, "a patch", patches), {"interval": 30, "$version": 2})
    same("its report", (await asyncio.to_thread(reported))["taken"], 2)
    try:
        await client.patch_twin_reported_properties({"a.b": 1})
        fail("a report with a dot in a key: was taken")
    except ClientError:
        same("a report with a dot in a key changes nothing", (await asyncio.to_thread(reported))["$version"], 3)
    await client.shutdown()
    same("the state handler again", await asyncio.to_thread(taken, "a state", states), False)


asyncio.run(main())
manager.delete_device(DEVICE_ID)
done()
