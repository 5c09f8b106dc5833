"""CreateModule and the identity registry, with azure-iot-hub."""

import base64
import json

from azure.iot.hub.models import AuthenticationMechanism, ExportImportDevice, QuerySpecification, SymmetricKey
from msrest.exceptions import HttpOperationError

from check import done, fail, holds, refused, registry, same

DEVICE_ID = "py-myFirstDevice"
MODULE_ID = "py-myFirstModule"

manager = registry()


def create_identities():
    """The tutorial's program: create both, or get what is there."""
    conflicts = 0
    try:
        device = manager.create_device_with_sas(DEVICE_ID, "", "", "enabled")
    except HttpOperationError as error:
        if error.response.status_code != 409:
            fail(f"create device: {error.response.status_code}")
        conflicts += 1
        device = manager.get_device(DEVICE_ID)
    try:
        module = manager.create_module_with_sas(DEVICE_ID, MODULE_ID, "managed-by", "", "")
    except HttpOperationError as error:
        if error.response.status_code != 409:
            fail(f"create module: {error.response.status_code}")
        conflicts += 1
        module = manager.get_module(DEVICE_ID, MODULE_ID)
    print("device primary key:", keys(device)[0])
    print("module primary key:", keys(module)[0])
    return device, module, conflicts


def keys(identity):
    pair = identity.authentication.symmetric_key
    return pair.primary_key, pair.secondary_key


def check_tutorial():
    device, module, conflicts = create_identities()
    same("the first run creates device and module", conflicts, 0)
    same("ids", (device.device_id, module.device_id, module.module_id), (DEVICE_ID, DEVICE_ID, MODULE_ID))
    made = {*keys(device), *keys(module)}
    same("the hub made four different keys", len(made), 4)
    holds("each of 32 bytes", all(len(base64.b64decode(key)) == 32 for key in made))
    same("authentication type", (device.authentication.type, module.authentication.type), ("sas", "sas"))
    same("the device is enabled and offline", (device.status, device.connection_state), ("enabled", "Disconnected"))
    same("managed by", module.managed_by, "managed-by")
    holds("etags and generations", all([device.etag, module.etag, device.generation_id, module.generation_id]))

    again_device, again_module, conflicts = create_identities()
    same("the second run meets 409 for both", conflicts, 2)
    same("and finds the keys of the first", (keys(again_device), keys(again_module)), (keys(device), keys(module)))
    same("nothing else moved", again_device.as_dict(), device.as_dict())
    same("modules of the device", [m.module_id for m in manager.get_modules(DEVICE_ID)], [MODULE_ID])
    error = refused("a device that is there", 409, manager.create_device_with_sas, DEVICE_ID, "", "", "enabled")
    same("its reason phrase", error.response.reason, "Conflict")
    same("its error code", error.response.headers["iothub-errorcode"], "DeviceAlreadyExists")
    error = refused("a module that is there", 409, manager.create_module_with_sas, DEVICE_ID, MODULE_ID, "", "", "")
    same("its error code", error.response.headers["iothub-errorcode"], "ModuleAlreadyExistsOnDevice")


def check_updates():
    device = manager.get_device(DEVICE_ID)
    primary, secondary = keys(device)
    off = manager.update_device_with_sas(
        DEVICE_ID, device.etag, primary, secondary, "disabled", status_reason="maintenance"
    )
    same("disabled, with a reason", (off.status, off.status_reason), ("disabled", "maintenance"))
    holds("and the time of it", off.status_updated_time > device.status_updated_time, off.status_updated_time)
    twin = manager.get_twin(DEVICE_ID)
    same("the twin says so too", (twin.status, twin.status_reason), ("disabled", "maintenance"))
    same("and is of the same identity", twin.device_etag, off.etag)
    holds("the etag moved", off.etag != device.etag, off.etag)
    same("the keys did not", keys(off), (primary, secondary))
    refused(
        "an update with the old etag",
        412,
        manager.update_device_with_sas,
        DEVICE_ID,
        device.etag,
        primary,
        secondary,
        "enabled",
    )
    same("it changed nothing", manager.get_device(DEVICE_ID).as_dict(), off.as_dict())
    refused("the module of a disabled device", 401, manager.get_module, DEVICE_ID, MODULE_ID)
    new = base64.b64encode(b"a new key of a caller, 32 bytes!").decode()
    on = manager.update_device_with_sas(DEVICE_ID, off.etag, new, secondary, "enabled")
    same("enabled, with a key of the caller's", (on.status, keys(on)), ("enabled", (new, secondary)))
    module = manager.get_module(DEVICE_ID, MODULE_ID)
    changed = manager.update_module_with_sas(DEVICE_ID, MODULE_ID, "someone", module.etag, new, new)
    same("module update", (changed.managed_by, keys(changed)), ("someone", (new, new)))
    refused(
        "a module update with the old etag",
        412,
        manager.update_module_with_sas,
        DEVICE_ID,
        MODULE_ID,
        "someone",
        module.etag,
        new,
        new,
    )
    refused(
        "an update of a device that is not there",
        404,
        manager.update_device_with_sas,
        "py-nobody",
        "*",
        "",
        "",
        "enabled",
    )
    refused("a key that is no base64", 400, manager.create_device_with_sas, "py-odd", "not base64", "x", "enabled")
    refused("one key of two", 400, manager.create_device_with_sas, "py-odd", new, "", "enabled")


def check_other_kinds():
    thumbprint = "0123456789ABCDEF0123456789ABCDEF01234567"
    device = manager.create_device_with_x509("py-x509", thumbprint, thumbprint, "enabled")
    found = manager.get_device("py-x509").authentication
    same(
        "an x509 device",
        (device.authentication.type, found.x509_thumbprint.primary_thumbprint),
        ("selfSigned", thumbprint),
    )
    device = manager.create_device_with_certificate_authority("py-ca", "enabled")
    same("a device of a certificate authority", device.authentication.type, "certificateAuthority")
    edge = manager.create_device_with_sas("py-edge", "", "", "enabled", iot_edge=True)
    holds("an edge device has a scope", edge.device_scope.startswith("ms-azure-iot-edge://py-edge-"), edge.device_scope)
    same(
        "and the system's modules",
        sorted(m.module_id for m in manager.get_modules("py-edge")),
        ["$edgeAgent", "$edgeHub"],
    )
    refused("which nobody deletes", 400, manager.delete_module, "py-edge", "$edgeHub")
    update = manager.update_device_with_sas
    error = refused("an update without its scope", 400, update, "py-edge", "*", *keys(edge), "enabled", iot_edge=True)
    holds("says why", "Device scope is immutable" in error.response.text, error.response.text)
    again = update("py-edge", edge.etag, *keys(edge), "enabled", iot_edge=True, device_scope=edge.device_scope)
    same("an update with it", again.device_scope, edge.device_scope)
    leaf = manager.create_device_with_sas("py-leaf", "", "", "enabled", device_scope=edge.device_scope)
    same("a leaf below it", (leaf.device_scope, leaf.parent_scopes), (edge.device_scope, [edge.device_scope]))
    manager.delete_device("py-leaf")
    # Every character that an id may have.
    odd = "py-Az09-.+%_#*?!(),=@$':;"
    same("an id of all characters", manager.create_device_with_sas(odd, "", "", "enabled").device_id, odd)
    same("a module id of all characters", manager.create_module_with_sas(odd, odd, "", "", "").module_id, odd)
    rows = manager.query_iot_hub(QuerySpecification(query=f'SELECT * FROM devices.modules WHERE deviceId = "{odd}"'))
    same("its row of a query", [(row.device_id, row.module_id) for row in rows.items], [(odd, odd)])
    same(
        "both are found again", (manager.get_device(odd).device_id, manager.get_module(odd, odd).module_id), (odd, odd)
    )
    same("with their twins", (manager.get_twin(odd).device_id, manager.get_module_twin(odd, odd).module_id), (odd, odd))
    refused("an id with a space", 400, manager.create_device_with_sas, "py a", "", "", "enabled")
    for device_id in ("py-x509", "py-ca", "py-edge", odd):
        manager.delete_device(device_id)


def counts(statistics):
    return statistics.total_device_count, statistics.enabled_device_count, statistics.disabled_device_count


def check_bulk_and_counts():
    before = manager.get_device_registry_statistics()
    new = [ExportImportDevice(id=f"py-bulk-{n}", import_mode="create", status="enabled") for n in range(5)]
    new[4].status = "disabled"
    key = base64.b64encode(bytes(range(32))).decode()
    new[0].authentication = AuthenticationMechanism(
        type="sas", symmetric_key=SymmetricKey(primary_key=key, secondary_key=key)
    )
    result = manager.bulk_create_or_update_devices(new)
    same("five devices at once", (result.is_successful, result.errors), (True, []))
    after = manager.get_device_registry_statistics()
    same("the statistics count them", [b - a for a, b in zip(counts(before), counts(after))], [5, 4, 1])
    holds("service statistics", manager.get_service_statistics().connected_device_count >= 0)
    same("a bulk create keeps the key given", keys(manager.get_device("py-bulk-0")), (key, key))
    listed = {d.device_id for d in manager.get_devices()}
    holds("the list has them", {f"py-bulk-{n}" for n in range(5)} <= listed)
    same("at most two of them", len(manager.get_devices(2)), 2)
    # A 400 whose body is the result: the client hands it on as one.
    result = manager.bulk_create_or_update_devices(new[:1])
    errors = [(error.device_id, error.error_code) for error in result.errors]
    same("a bulk with one that exists", (result.is_successful, errors), (False, [("py-bulk-0", "DeviceAlreadyExists")]))
    gone = [ExportImportDevice(id=f"py-bulk-{n}", import_mode="delete") for n in range(5)]
    same("five deleted at once", manager.bulk_create_or_update_devices(gone).is_successful, True)
    refused("a deleted one", 404, manager.get_device, "py-bulk-0")


def item(device_id, mode, **fields):
    return ExportImportDevice(id=device_id, import_mode=mode, **fields)


def bulk(*items):
    """What the hub makes of the items: errors by device, and the warnings."""
    result = manager.bulk_create_or_update_devices(list(items))
    errors = {error.device_id: error.error_code for error in result.errors}
    return result.is_successful, errors, [(warning.device_id, warning.warning_code) for warning in result.warnings]


def check_bulk_modes():
    """All seven modes; each item stands or falls for itself."""
    desired = {"desired": {"interval": 1}}
    created = bulk(
        item("py-m1", "create", tags={"n": 1}, properties=desired),
        item("py-m2", "Create"),
        item("py-m1", "create", module_id="meter"),
        item("py-m3", "create", tags={"a.b": 1}),
    )
    same("create", created, (True, {}, [("py-m3", "DeviceRegisteredWithoutTwin")]))
    twin = manager.get_twin("py-m1")
    same("with a first twin", (twin.tags, twin.properties.desired["interval"], twin.version), ({"n": 1}, 1, 2))
    same("and a module", [m.module_id for m in manager.get_modules("py-m1")], ["meter"])
    same("without the twin that breaks a rule", manager.get_twin("py-m3").tags, None)
    old = manager.get_device("py-m1").etag
    wanted = {"py-m1": "DeviceAlreadyExists", "py-nobody": "DeviceNotFound"}
    same("some good, some not", bulk(item("py-m1", "create"), item("py-nobody", "update")), (False, wanted, []))
    same("update", bulk(item("py-m2", "update", status="disabled", status_reason="bulk"))[0], True)
    found = manager.get_device("py-m2")
    same("has updated", (found.status, found.status_reason), ("disabled", "bulk"))
    same("updateIfMatchETag", bulk(item("py-m1", "updateIfMatchETag", e_tag=old, status="disabled"))[0], True)
    stale = bulk(item("py-m1", "updateIfMatchETag", e_tag=old, status="enabled"))
    same("which is stale then", stale, (False, {"py-m1": "PreconditionFailed"}, []))
    same("and changed nothing", manager.get_device("py-m1").status, "disabled")
    same("updateTwin", bulk(item("py-m1", "updateTwin", tags={"n": None, "m": 2}))[0], True)
    etag = manager.get_twin("py-m1").etag
    more = {"desired": {"more": True}}
    same("updateTwinIfMatchETag", bulk(item("py-m1", "updateTwinIfMatchETag", twin_etag=etag, properties=more))[0], True)
    stale = bulk(item("py-m1", "updateTwinIfMatchETag", twin_etag=etag, properties={"desired": {"no": True}}))
    same("which is stale then", stale, (False, {"py-m1": "PreconditionFailed"}, []))
    twin = manager.get_twin("py-m1")
    kept = {key: value for key, value in twin.properties.desired.items() if not key.startswith("$")}
    same("what they wrote", (twin.tags, kept), ({"m": 2}, {"interval": 1, "more": True}))
    stale = bulk(item("py-m1", "deleteIfMatchETag", e_tag=old), item("py-m2", "delete"), item("py-m3", "delete"))
    same("deleteIfMatchETag with a stale one", stale, (False, {"py-m1": "PreconditionFailed"}, []))
    fresh = manager.get_device("py-m1").etag
    same("deleteIfMatchETag", bulk(item("py-m1", "deleteIfMatchETag", e_tag=fresh)), (True, {}, []))
    for device_id in ("py-m1", "py-m2", "py-m3"):
        refused(f"{device_id} is gone", 404, manager.get_device, device_id)
    too_many = [item(f"py-{n}", "delete") for n in range(101)]
    # The client takes any 400 of a bulk for its result, and this one says of nothing that it was done.
    result = manager.bulk_create_or_update_devices(too_many)
    same("101 at once", (result.is_successful, result.errors), (None, None))


def check_limits_and_delete():
    for n in range(49):
        manager.create_module_with_sas(DEVICE_ID, f"module-{n}", "", "", "")
    same("50 modules", len(manager.get_modules(DEVICE_ID)), 50)
    error = refused("the 51st module", 413, manager.create_module_with_sas, DEVICE_ID, "module-49", "", "", "")
    same("its error code", error.response.headers["iothub-errorcode"], "TooManyModulesOnDevice")
    same("and number", json.loads(error.response.text)["errorCode"], 413003)
    manager.delete_module(DEVICE_ID, "module-0")
    refused("a deleted module", 404, manager.get_module, DEVICE_ID, "module-0")
    etag = manager.get_device(DEVICE_ID).etag
    refused("delete with a stale etag", 412, manager.delete_device, DEVICE_ID, "AAAA")
    manager.delete_device(DEVICE_ID, etag)
    refused("the deleted device", 404, manager.get_device, DEVICE_ID)
    refused("its twin", 404, manager.get_twin, DEVICE_ID)
    refused("its module's twin", 404, manager.get_module_twin, DEVICE_ID, MODULE_ID)
    refused("a module of a device that is not there", 401, manager.get_module, DEVICE_ID, MODULE_ID)
    manager.create_device_with_sas(DEVICE_ID, "", "", "enabled")
    same("another device of that name has no modules", manager.get_modules(DEVICE_ID), [])
    manager.delete_device(DEVICE_ID)
    refused("delete again", 404, manager.delete_device, DEVICE_ID)


check_tutorial()
check_updates()
check_other_kinds()
check_bulk_and_counts()
check_bulk_modes()
check_limits_and_delete()
done()
