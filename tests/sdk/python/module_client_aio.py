"""ReceiveModuleTwinDesiredPropertiesPatch, with the asyncio IoTHubModuleClient."""

import asyncio
import queue

from azure.iot.device.aio import IoTHubModuleClient
from azure.iot.hub.models import Twin, TwinProperties

from check import bare, device_with_module, done, registry, same, taken

IDS = ("py-module-aio", "myFirstModule")

manager = registry()
CLIENT_STRING = device_with_module(manager, *IDS)


def desire(**properties):
    """Patches the desired properties; the new $version."""
    twin = manager.update_module_twin(*IDS, Twin(properties=TwinProperties(desired=properties)))
    return twin.properties.desired["$version"]


async def main():
    # Without its own reading of the twin after a reconnect: what comes then comes by the kept subscription alone.
    client = IoTHubModuleClient.create_from_connection_string(CLIENT_STRING, ensure_desired_properties=False)
    patches = queue.Queue()

    async def handler(patch):
        patches.put(patch)

    async def change(**properties):
        version = await asyncio.to_thread(desire, **properties)
        return version, await asyncio.to_thread(taken, "a patch", patches)

    await client.connect()
    client.on_twin_desired_properties_patch_received = handler
    version, patch = await change(telemetryInterval=122)
    same("the handler gets exactly the patch", patch, {"telemetryInterval": 122, "$version": version})
    reads = await asyncio.gather(*(client.get_twin() for _ in range(5)))
    wanted = {"desired": {"telemetryInterval": 122, "$version": version}, "reported": {"$version": 1}}
    same("five reads of the twin at once", reads, [wanted] * 5)
    await asyncio.gather(*(client.patch_twin_reported_properties({f"p{n}": n}) for n in range(20)))
    twin = await asyncio.to_thread(manager.get_module_twin, *IDS)
    reported = bare(twin.properties.reported)
    same("twenty reports at once", reported, {**{f"p{n}": n for n in range(20)}, "$version": 21})
    for round_ in range(3):
        await client.disconnect()
        await client.connect()
        version, patch = await change(round=round_)
        same(f"reconnect {round_}: the subscription lives on", patch, {"round": round_, "$version": version})
    # A handler taken away and put back.
    client.on_twin_desired_properties_patch_received = None
    client.on_twin_desired_properties_patch_received = handler
    version, patch = await change(last=True)
    same("a handler put back", patch, {"last": True, "$version": version})
    await client.shutdown()
    same("nothing more came", patches.qsize(), 0)


asyncio.run(main())
manager.delete_device(IDS[0])
done()
