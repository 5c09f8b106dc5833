"""UpdateModuleTwinDesiredProperties and the other twin calls, with azure-iot-hub."""

from base64 import b64decode

from azure.iot.hub.models import Twin, TwinProperties

from check import bare, device_with_module, done, holds, refused, registry, same

DEVICE_ID = "py-twins"
MODULE_ID = "module"

manager = registry()
device_with_module(manager, DEVICE_ID, MODULE_ID)


class Face:
    """The four twin calls, of the device or of the module."""

    def __init__(self, name, ids, get, update, replace):
        self.name = name
        self.get = lambda: get(*ids)
        self.update = lambda twin, etag=None: update(*ids, twin, etag)
        self.replace = lambda twin, etag=None: replace(*ids, twin, etag)


def desired(**properties):
    return Twin(properties=TwinProperties(desired=properties))


def check_fresh(face):
    twin = face.get()
    same(f"{face.name}: a fresh etag and version", (len(b64decode(twin.etag)), twin.version), (8, 2))
    same(f"{face.name}: desired", bare(twin.properties.desired), {"$version": 1})
    same(f"{face.name}: reported", bare(twin.properties.reported), {"$version": 1})
    holds(f"{face.name}: metadata", "$lastUpdated" in twin.properties.desired["$metadata"])
    same(
        f"{face.name}: identity",
        (twin.device_id, twin.status, twin.connection_state, twin.authentication_type),
        (DEVICE_ID, "enabled", "Disconnected", "sas"),
    )
    holds(f"{face.name}: etag of the identity", bool(twin.device_etag))


def check_tutorial(face):
    before = face.get()
    print(f"{face.name}: desired before:", before.properties.desired)
    after = face.update(desired(telemetryInterval=122), before.etag)
    print(f"{face.name}: desired after:", after.properties.desired)
    same(f"{face.name}: telemetryInterval before", before.properties.desired.get("telemetryInterval"), None)
    same(f"{face.name}: and after", bare(after.properties.desired), {"telemetryInterval": 122, "$version": 2})
    same(f"{face.name}: the answer is the twin", face.get().as_dict(), after.as_dict())
    same(f"{face.name}: etag and version moved", (after.etag != before.etag, after.version), (True, 3))
    stamp = after.properties.desired["$metadata"]["telemetryInterval"]
    same(f"{face.name}: metadata of the write", stamp["$lastUpdatedVersion"], 2)
    error = refused(
        f"{face.name}: the same patch with the etag read before",
        412,
        face.update,
        desired(telemetryInterval=9),
        before.etag,
    )
    same(f"{face.name}: its error code", error.response.headers["iothub-errorcode"], "PreconditionFailed")
    same(f"{face.name}: which changed nothing", face.get().as_dict(), after.as_dict())
    later = face.update(desired(telemetryInterval=123))
    same(f"{face.name}: without an etag it is written", later.properties.desired["telemetryInterval"], 123)


def check_merge(face):
    twin = face.update(
        Twin(tags={"site": "A", "floor": 1}, properties=TwinProperties(desired={"a": {"b": 1, "c": [1, 2]}}))
    )
    same(f"{face.name}: tags", twin.tags, {"site": "A", "floor": 1})
    version = twin.properties.desired["$version"]
    twin = face.update(Twin(tags={"floor": None}, properties=TwinProperties(desired={"a": {"b": None, "d": 2.5}})))
    same(f"{face.name}: null removes a tag", twin.tags, {"site": "A"})
    same(f"{face.name}: and a nested property", twin.properties.desired["a"], {"c": [1, 2], "d": 2.5})
    same(f"{face.name}: one write, one version", twin.properties.desired["$version"], version + 1)
    twin = face.update(Twin(tags={"site": "B"}))
    same(f"{face.name}: tags alone leave desired", twin.properties.desired["$version"], version + 1)
    # What has been read may be sent back whole: the read-only parts are ignored.
    whole = face.get()
    twin = face.update(whole, whole.etag)
    same(
        f"{face.name}: a whole twin sent back",
        (twin.tags, twin.properties.desired["a"]),
        ({"site": "B"}, {"c": [1, 2], "d": 2.5}),
    )
    for name, wrong in [
        ("a dot in a key", {"a.b": 1}),
        ("null in an array", {"a": [None]}),
        ("too large a number", {"a": 2**52}),
    ]:
        error = refused(f"{face.name}: {name}", 400, face.update, desired(**wrong))
        same(f"{face.name}: {name}: its code", error.response.headers["iothub-errorcode"], "ArgumentInvalid")


def check_replace(face):
    before = face.get()
    after = face.replace(Twin(tags={"only": True}, properties=TwinProperties(desired={"new": "x"})), before.etag)
    same(f"{face.name}: replaced tags", after.tags, {"only": True})
    version = before.properties.desired["$version"] + 1
    same(f"{face.name}: replaced desired", bare(after.properties.desired), {"new": "x", "$version": version})
    same(f"{face.name}: reported untouched", bare(after.properties.reported), {"$version": 1})
    holds(f"{face.name}: metadata of the new alone", "a" not in after.properties.desired["$metadata"])
    # A null deletes in a patch only.
    for name, wrong in [("a null", {"a": None}), ("a null inside", {"a": {"b": None}})]:
        error = refused(f"{face.name}: replace with {name}", 400, face.replace, desired(**wrong), after.etag)
        same(f"{face.name}: replace with {name}: its code", error.response.headers["iothub-errorcode"], "ArgumentInvalid")
    large = {f"k{n}": "x" * 4000 for n in range(9)}
    error = refused(f"{face.name}: too large a section", 403, face.update, desired(**large))
    code = error.response.headers["iothub-errorcode"]
    same(f"{face.name}: too large a section: its code", code, "DeviceModelMaxPropertiesExceeded")
    refused(f"{face.name}: replace with the etag read before", 412, face.replace, desired(new="y"), before.etag)
    same(f"{face.name}: which changed nothing", face.get().as_dict(), after.as_dict())


faces = [
    Face("device", (DEVICE_ID,), manager.get_twin, manager.update_twin, manager.replace_twin),
    Face(
        "module",
        (DEVICE_ID, MODULE_ID),
        manager.get_module_twin,
        manager.update_module_twin,
        manager.replace_module_twin,
    ),
]
for face in faces:
    check_fresh(face)
    check_tutorial(face)
    check_merge(face)
    check_replace(face)
refused("the twin of a device that is not there", 404, manager.get_twin, "py-nobody")
refused("the twin of a module that is not there", 404, manager.get_module_twin, DEVICE_ID, "nobody")
manager.delete_device(DEVICE_ID)
done()
