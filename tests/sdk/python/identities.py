"""CreateModule and the identity registry, with azure-iot-hub."""

import base64

from azure.iot.hub.models import ExportImportDevice, AuthenticationMechanism, SymmetricKey
from msrest.exceptions import HttpOperationError

from check import done, fail, holds, ok, refused, registry, same

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
    return device, module, conflicts


def keys(identity):
    pair = identity.authentication.symmetric_key
    return pair.primary_key, pair.secondary_key


def check_tutorial():
    device, module, conflicts = create_identities()
    same("the first run creates device and module", conflicts, 0)
    same("ids", (device.device_id, module.device_id, module.module_id), (DEVICE_ID, DEVICE_ID, MODULE_ID))
    print("device primary key:", keys(device)[0])
    print("module primary key:", keys(module)[0])
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
    # Every character that an id may have.
    odd = "py-Az09-.+%_#*?!(),=@$':;"
    same("an id of all characters", manager.create_device_with_sas(odd, "", "", "enabled").device_id, odd)
    same("a module id of all characters", manager.create_module_with_sas(odd, odd, "", "", "").module_id, odd)
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


def check_limits_and_delete():
    for n in range(49):
        manager.create_module_with_sas(DEVICE_ID, f"module-{n}", "", "", "")
    ok("49 modules more")
    refused("the 51st module", 413, manager.create_module_with_sas, DEVICE_ID, "module-49", "", "", "")
    manager.delete_module(DEVICE_ID, "module-0")
    refused("a deleted module", 404, manager.get_module, DEVICE_ID, "module-0")
    etag = manager.get_device(DEVICE_ID).etag
    refused("delete with a stale etag", 412, manager.delete_device, DEVICE_ID, "AAAA")
    manager.delete_device(DEVICE_ID, etag)
    refused("the deleted device", 404, manager.get_device, DEVICE_ID)
    refused("its twin", 404, manager.get_twin, DEVICE_ID)
    refused("its module's twin", 404, manager.get_module_twin, DEVICE_ID, MODULE_ID)
    refused("a module of a device that is not there", 401, manager.get_module, DEVICE_ID, MODULE_ID)
    refused("delete again", 404, manager.delete_device, DEVICE_ID)


check_tutorial()
check_updates()
check_other_kinds()
check_bulk_and_counts()
check_limits_and_delete()
done()
