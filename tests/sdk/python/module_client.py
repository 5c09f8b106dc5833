"""ReceiveModuleTwinDesiredPropertiesPatch, with the synchronous IoTHubModuleClient."""

import queue

from azure.iot.device import IoTHubModuleClient
from azure.iot.hub.models import Twin, TwinProperties

from check import device_with_module, done, holds, registry, same, taken

IDS = ("py-module", "myFirstModule")

manager = registry()
CLIENT_STRING = device_with_module(manager, *IDS)


def desire(tags=None, **properties):
    """Patches the desired properties; the new $version."""
    twin = manager.update_module_twin(*IDS, Twin(tags=tags, properties=TwinProperties(desired=properties)))
    return twin.properties.desired["$version"]


client = IoTHubModuleClient.create_from_connection_string(CLIENT_STRING)
patches = queue.Queue()
client.connect()
same("connected", client.connected, True)
same("the hub says so too", manager.get_module(*IDS).connection_state, "Connected")
client.on_twin_desired_properties_patch_received = patches.put

version = desire(telemetryInterval=122)
same("the handler gets exactly the patch", taken("a patch", patches), {"telemetryInterval": 122, "$version": version})
version = desire(nested={"a": [1, {"b": "ü"}], "c": 1.5}, flag=False)
same(
    "nested",
    taken("a patch", patches),
    {"nested": {"a": [1, {"b": "ü"}], "c": 1.5}, "flag": False, "$version": version},
)
version = desire(nested={"c": None}, telemetryInterval=None)
same(
    "nulls are kept", taken("a patch", patches), {"nested": {"c": None}, "telemetryInterval": None, "$version": version}
)
# Tags alone notify nobody: the next thing to come is the desired patch after them.
manager.update_module_twin(*IDS, Twin(tags={"site": "A"}))
version = desire(after="tags")
same("tags are no patch", taken("a patch", patches), {"after": "tags", "$version": version})
replaced = manager.replace_module_twin(*IDS, Twin(properties=TwinProperties(desired={"only": 1})))
patch = taken("a patch", patches)
same("a replacement reaches the module", (patch["only"], patch["$version"]), (1, version + 1))
holds("with what it removed", all(patch[key] is None for key in ("nested", "flag", "after")), patch)
same(
    "the twin as the module sees it",
    client.get_twin(),
    {"desired": {"only": 1, "$version": version + 1}, "reported": {"$version": 1}},
)

client.disconnect()
same("disconnected", client.connected, False)
version = desire(missed=1)
client.connect()
# After a reconnect the client reads the twin by itself and hands on what it missed, whole.
same("what it missed", taken("the twin", patches), {"only": 1, "missed": 1, "$version": version})
version = desire(telemetryInterval=5)
same("the subscription lives on", taken("a patch", patches), {"telemetryInterval": 5, "$version": version})
client.patch_twin_reported_properties({"telemetryInterval": 5})
same("a report after the reconnect", manager.get_module_twin(*IDS).properties.reported["telemetryInterval"], 5)
client.shutdown()
same("nothing more came", patches.qsize(), 0)
manager.delete_device(IDS[0])
done()
