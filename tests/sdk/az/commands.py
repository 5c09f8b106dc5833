"""The real az with the azure-iot extension: identities, twins, queries, modules, methods, jobs, children, simulation, messages.

The commands run in one process, as starting az anew takes seconds each time. `az iot hub monitor-events` and what else needs
AMQP or Event Hubs does not apply: the hub speaks neither.
"""

import datetime
import io
import json
import os
import sys
import threading

from azure.cli.core import get_default_cli
from azure.cli.core.extension.operations import add_extension_to_path

# The extension brings the device client along, beside az's own packages.
add_extension_to_path("azure-iot")
from azure.iot.device import IoTHubDeviceClient, IoTHubModuleClient, MethodResponse  # noqa: E402

CONNECTION_STRING = os.environ["HUB_CONNECTION_STRING"]
# A hub takes start times up to seven days ahead.
SOON = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
_passed = 0


class Refused(Exception):
    """The command ended with an error."""


def ok(what):
    global _passed
    _passed += 1
    print(f"ok {what}", flush=True)


def holds(what, condition, found=None):
    if not condition:
        print(f"not ok {what}: found {found!r}", flush=True)
        os._exit(1)
    ok(what)


def same(what, found, wanted):
    holds(f"{what}", found == wanted, found)


def az(command, *more):
    """What `az iot …` answers. Words with spaces in them go into `more`."""
    cli = get_default_cli()
    arguments = ["iot", *command.split(), *more, "--login", CONNECTION_STRING, "--output", "json", "--only-show-errors"]
    said = io.StringIO()
    try:
        code = cli.invoke(arguments, out_file=said)
    except SystemExit as ended:
        code = ended.code
    if code:
        raise Refused(f"az iot {command} {' '.join(more)}: exit code {code}: {said.getvalue()}")
    text = said.getvalue()
    return json.loads(text) if text.strip() else None


def refused(what, command, *more):
    try:
        az(command, *more)
    except Refused:
        ok(what)
        return
    holds(what, False, "it was accepted")


def device_of(device, module=None):
    """A connected device or module that answers every method with its name and payload."""
    if module:
        string = az(f"hub module-identity connection-string show -d {device} -m {module}")["connectionString"]
        client = IoTHubModuleClient.create_from_connection_string(string)
    else:
        string = az(f"hub device-identity connection-string show -d {device}")["connectionString"]
        client = IoTHubDeviceClient.create_from_connection_string(string)

    def answer(request):
        payload = {"name": request.name, "payload": request.payload}
        client.send_method_response(MethodResponse.create_from_method_request(request, 200, payload))

    client.on_method_request_received = answer
    client.connect()
    return client


def identities():
    made = az("hub device-identity create -d azdev")
    holds("an identity has keys", len(made["authentication"]["symmetricKey"]["primaryKey"]) == 44)
    same("it is shown", az("hub device-identity show -d azdev")["deviceId"], "azdev")
    updated = az("hub device-identity update -d azdev --set statusReason=azupd")
    same("it is updated", updated["statusReason"], "azupd")
    disabled = az("hub device-identity update -d azdev --status disabled")
    same("it is disabled", disabled["status"], "disabled")
    az("hub device-identity update -d azdev --status enabled")
    refused("a stale etag does not update it", "hub device-identity update -d azdev --set statusReason=x --etag AAAA")
    string = az("hub device-identity connection-string show -d azdev")["connectionString"]
    holds("its connection string", f"SharedAccessKey={made['authentication']['symmetricKey']['primaryKey']}" in string, string)
    az("hub module-identity create -d azdev -m azmod")
    same("modules are listed", [row["moduleId"] for row in az("hub module-identity list -d azdev")], ["azmod"])
    same("a module is shown", az("hub module-identity show -d azdev -m azmod")["moduleId"], "azmod")
    az("hub module-identity update -d azdev -m azmod --set managedBy=az")
    holds("a token is made", "sig=" in az("hub generate-sas-token -d azdev")["sas"])
    holds("devices are listed", "azdev" in [row["deviceId"] for row in az("hub device-identity list")])


def twins():
    before = az("hub device-twin show -d azdev")
    updated = az("hub device-twin update -d azdev", "--tags", '{"site":"lab","group":{"region":"US"}}', "--desired", '{"n":1}')
    same("tags and desired are updated", (updated["tags"]["site"], updated["properties"]["desired"]["n"]), ("lab", 1))
    refused("a stale etag does not update a twin", "hub device-twin update -d azdev --etag", before["etag"], "--tags", '{"site":"x"}')
    same("nor anything of it", az("hub device-twin show -d azdev")["tags"]["site"], "lab")
    az("hub device-twin update -d azdev --etag", updated["etag"], "--tags", '{"site":"lab2"}')
    whole = az("hub device-twin show -d azdev")
    whole["tags"] = {"site": "lab", "group": {"region": "US"}}
    replaced = az("hub device-twin replace -d azdev", "-j", json.dumps(whole))
    same("a twin is replaced", replaced["tags"], whole["tags"])
    az("hub module-twin update -d azdev -m azmod", "--desired", '{"telemetryInterval":122}')
    twin = az("hub module-twin show -d azdev -m azmod")
    same("a module twin is updated", twin["properties"]["desired"]["telemetryInterval"], 122)
    replaced = az("hub module-twin replace -d azdev -m azmod", "-j", '{"properties":{"desired":{"z":1}}}')
    same("and replaced", replaced["properties"]["desired"]["z"], 1)


def queries():
    def rows(text):
        return az("hub query", "-q", text)

    same("a reserved word in [[ ]]", len(rows("SELECT * FROM devices WHERE tags.[[group]].region = 'US'")), 1)
    same("id", [row["deviceId"] for row in rows("SELECT * FROM devices WHERE STARTSWITH(id, 'azd')")], ["azdev"])
    # Those of the other programs count too.
    holds("modules are counted", rows("select count() as n from devices.modules")[0]["n"] >= 1)
    same("the first row only", len(az("hub query --top 1", "-q", "SELECT * FROM devices")), 1)
    refused("a field that does not exist", "hub query", "-q", "SELECT * FROM devices WHERE propertys.x = 1")


def methods():
    device, module = device_of("azdev"), device_of("azdev", "azmod")
    answer = az("hub invoke-device-method -d azdev --mn reboot --timeout 15", "--mp", '{"a":1}')
    same("a method of a device", answer, {"payload": {"name": "reboot", "payload": {"a": 1}}, "status": 200})
    answer = az("hub invoke-module-method -d azdev -m azmod --mn ping", "--mp", '"x"')
    same("a method of a module", answer["payload"], {"name": "ping", "payload": "x"})
    jobs()
    device.shutdown()
    module.shutdown()
    refused("a method of nobody", "hub invoke-device-method -d azdev --mn reboot --timeout 10")


def jobs():
    made = az("hub job create --job-id azjob1 --job-type scheduleUpdateTwin --wait", "-q", "deviceId = 'azdev'",
              "--twin-patch", '{"tags":{"job":"done"}}')
    same("a job updates twins", (made["status"], az("hub device-twin show -d azdev")["tags"]["job"]), ("completed", "done"))
    made = az("hub job create --job-id azjob2 --job-type scheduleDeviceMethod --method-name reboot --ttl 60 --wait",
              "-q", "deviceId = 'azdev'", "--mct", "0", "--mrt", "20", "--method-payload", "{}")
    same("a job calls methods", (made["status"], made["deviceJobStatistics"]["succeededCount"]), ("completed", 1))
    az("hub job create --job-id azjob3 --job-type scheduleUpdateTwin --start-time", SOON, "-q", "*",
       "--twin-patch", '{"tags":{"never":1}}')
    same("a job waits", az("hub job show --job-id azjob3")["status"], "scheduled")
    same("a job is cancelled", az("hub job cancel --job-id azjob3")["status"], "cancelled")
    listed = {row["jobId"] for row in az("hub job list")}
    holds("jobs are listed", {"azjob1", "azjob2", "azjob3"} <= listed, listed)
    listed = {row["jobId"] for row in az("hub job list --job-status cancelled")}
    # Those of the other programs are listed too.
    holds("by their state", "azjob3" in listed and not {"azjob1", "azjob2"} & listed, listed)


def children():
    az("hub device-identity create -d azedge --ee")
    az("hub device-identity create -d azedge2 --ee")
    az("hub device-identity children add -d azedge --child-list azdev azedge2")
    same("children are listed", sorted(az("hub device-identity children list -d azedge")), ["azdev", "azedge2"])
    same("a parent is shown", az("hub device-identity parent show -d azdev")["deviceId"], "azedge")
    az("hub device-identity children remove -d azedge --child-list azedge2")
    same("a child is removed", az("hub device-identity children list -d azedge"), ["azdev"])
    az("hub device-identity parent set -d azdev --pd azedge2 --force")
    same("a parent is set", az("hub device-identity parent show -d azdev")["deviceId"], "azedge2")
    az("hub device-identity children remove -d azedge2 --remove-all")
    refused("nobody is a child any more", "hub device-identity parent show -d azdev")


def messages():
    az("device send-d2c-message -d azdev --data hello")
    ok("a message is sent over MQTT")
    az("device simulate -d azdev --msg-count 2 --msg-interval 1 --protocol mqtt")
    ok("a device is simulated over MQTT")
    az("device simulate -d azdev --msg-count 2 --msg-interval 1 --protocol http")
    ok("a device is simulated over HTTPS")


def ends():
    az("hub module-identity delete -d azdev -m azmod")
    same("modules are deleted", az("hub module-identity list -d azdev"), [])
    for device in ["azdev", "azedge", "azedge2"]:
        az(f"hub device-identity delete -d {device}")
    refused("a deleted identity is gone", "hub device-identity show -d azdev")


def main():
    only = sys.argv[1:]
    for part in [identities, twins, queries, methods, children, messages, ends]:
        if not only or part.__name__ in only:
            part()
    print(f"{_passed} passed, 0 failed", flush=True)
    # Threads of the clients must not keep the program alive.
    os._exit(0)


if __name__ == "__main__":
    threading.excepthook = lambda failure: print(f"a thread failed: {failure.exc_value!r}", file=sys.stderr)
    try:
        main()
    except Refused as refusal:
        print(f"not ok {refusal}", flush=True)
        os._exit(1)
