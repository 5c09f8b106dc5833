"""Who may be connected, and for how long: one client per identity, disabled devices, wrong keys, tokens that end."""

import base64
import hashlib
import hmac
import queue
import time
import urllib.parse

from azure.iot.device import IoTHubDeviceClient, IoTHubModuleClient
from azure.iot.device.exceptions import CredentialError
from azure.iot.hub.models import Twin, TwinProperties

from check import HOST_NAME, client_string, device_with_module, done, ok, raises, registry, same, taken

DEVICE_ID = "py-sessions"

manager = registry()
CLIENT_STRING = device_with_module(manager, DEVICE_ID)
MODULE_STRING = client_string(manager.create_module_with_sas(DEVICE_ID, "module", "", "", ""))


def watched(client):
    """The client, and the queue of its connection states."""
    states = queue.Queue()
    client.on_connection_state_change = lambda: states.put(client.connected)
    return client, states


def new_client(**options):
    """A client that stays down when it is dropped."""
    options = {"connection_retry": False, "auto_connect": False, **options}
    return watched(IoTHubDeviceClient.create_from_connection_string(CLIENT_STRING, **options))


def new_module():
    """As [new_client], for the module under the device."""
    options = {"connection_retry": False, "auto_connect": False}
    return watched(IoTHubModuleClient.create_from_connection_string(MODULE_STRING, **options))


def connected_count():
    return manager.get_service_statistics().connected_device_count


def set_status(status):
    device = manager.get_device(DEVICE_ID)
    pair = device.authentication.symmetric_key
    manager.update_device_with_sas(DEVICE_ID, device.etag, pair.primary_key, pair.secondary_key, status)


def token(seconds):
    """A token of the device's own making, as tutorials build it by hand."""
    key = manager.get_device(DEVICE_ID).authentication.symmetric_key.primary_key
    uri = urllib.parse.quote(f"{HOST_NAME}/devices/{DEVICE_ID}", safe="")
    expiry = int(time.time()) + seconds
    signature = hmac.new(base64.b64decode(key), f"{uri}\n{expiry}".encode(), hashlib.sha256).digest()
    return f"SharedAccessSignature sr={uri}&sig={urllib.parse.quote(base64.b64encode(signature), safe='')}&se={expiry}"


def check_one_client_each():
    first, first_states = new_client()
    second, second_states = new_client()
    first.connect()
    same("the first is in", taken("a state", first_states), True)
    second.connect()
    same("the second is in", taken("a state", second_states), True)
    same("the first is out", taken("a state", first_states), False)
    second.patch_twin_reported_properties({"who": "second"})
    same("the second works", manager.get_twin(DEVICE_ID).properties.reported["who"], "second")
    first.connect()
    same("the first comes back", taken("a state", first_states), True)
    same("and the second is out", taken("a state", second_states), False)
    same("one client is connected", manager.get_device(DEVICE_ID).connection_state, "Connected")
    first.shutdown()
    second.shutdown()


def check_status():
    client, states = new_client()
    client.connect()
    same("an enabled device is in", taken("a state", states), True)
    set_status("disabled")
    same("disabling it drops it", taken("a state", states), False)
    raises("a disabled device", CredentialError, client.connect)
    set_status("enabled")
    client.connect()
    same("enabled again", client.connected, True)
    client.shutdown()
    module, states = new_module()
    module.connect()
    same("a module is in", taken("a state", states), True)
    set_status("disabled")
    same("disabling its device drops it", taken("a state", states), False)
    raises("a module of a disabled device", CredentialError, module.connect)
    set_status("enabled")
    module.connect()
    same("enabled with its device", module.connected, True)
    module.shutdown()


def check_keys():
    wrong = CLIENT_STRING.rsplit("SharedAccessKey=", 1)[0] + "SharedAccessKey=" + base64.b64encode(bytes(32)).decode()
    client = IoTHubDeviceClient.create_from_connection_string(wrong, connection_retry=False)
    raises("a wrong key", CredentialError, client.connect)
    client.shutdown()
    nobody = CLIENT_STRING.replace(f"DeviceId={DEVICE_ID}", "DeviceId=py-nobody")
    client = IoTHubDeviceClient.create_from_connection_string(nobody, connection_retry=False)
    raises("a device that is not there", CredentialError, client.connect)
    client.shutdown()
    device = manager.get_device(DEVICE_ID)
    secondary = device.authentication.symmetric_key.secondary_key
    string = CLIENT_STRING.rsplit("SharedAccessKey=", 1)[0] + "SharedAccessKey=" + secondary
    client, states = watched(IoTHubDeviceClient.create_from_connection_string(string, connection_retry=False))
    client.connect()
    same("the secondary key", taken("a state", states), True)
    new = base64.b64encode(bytes(range(32))).decode()
    manager.update_device_with_sas(DEVICE_ID, device.etag, new, new, "enabled")
    same("new keys drop who holds the old", taken("a state", states), False)
    raises("the old key", CredentialError, client.connect)
    client.shutdown()
    manager.update_device_with_sas(
        DEVICE_ID, "*", device.authentication.symmetric_key.primary_key, secondary, "enabled"
    )


def check_tokens():
    client, states = watched(IoTHubDeviceClient.create_from_sastoken(token(3), connection_retry=False))
    client.connect()
    same("a token of three seconds", taken("a state", states), True)
    # The connection outlives it by ten minutes, which nobody waits for here.
    same("it reads its twin", client.get_twin()["desired"]["$version"] >= 1, True)
    client.shutdown()
    # The client renews two minutes before the end: this one after two seconds, again and again.
    client, states = new_client(sastoken_ttl=122)
    patches = queue.Queue()
    client.connect()
    client.on_twin_desired_properties_patch_received = patches.put
    same("a token to be renewed", taken("a state", states), True)
    # The handler runs a while after the change it tells of: the state it then reads may already be the next one.
    taken("the leave for the renewal", states)
    taken("the return from it", states)
    ok("the client has left and come back")
    manager.update_twin(DEVICE_ID, Twin(properties=TwinProperties(desired={"after": "renewal"})))
    # A patch in the middle of the next renewal is not sent again, but the client reads the twin after it.
    while taken("the patch after the renewal", patches).get("after") != "renewal":
        pass
    ok("patches go on after the renewal")
    client.shutdown()


def check_delete():
    before = connected_count()
    client, states = new_client()
    module, module_states = new_module()
    client.connect()
    module.connect()
    same("connected", (taken("a state", states), taken("a state", module_states)), (True, True))
    same("the statistics count the device", connected_count(), before + 1)
    manager.delete_device(DEVICE_ID)
    same("deleting the device drops it", taken("a state", states), False)
    same("and its module", taken("a state", module_states), False)
    raises("a deleted device", CredentialError, client.connect)
    raises("its module", CredentialError, module.connect)
    same("the statistics count it no more", connected_count(), before)
    client.shutdown()
    module.shutdown()


check_one_client_each()
check_status()
check_keys()
check_tokens()
check_delete()
done()
