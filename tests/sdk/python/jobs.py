"""Jobs: twin updates and direct methods for many devices at a time, with azure-iot-hub."""

import datetime
import queue
import time
import uuid

from azure.iot.device import IoTHubDeviceClient, MethodResponse
from azure.iot.hub import IoTHubJobManager
from azure.iot.hub.models import CloudToDeviceMethod, ExportImportDevice, QuerySpecification, Twin, TwinProperties
from azure.iot.hub.protocol.models import JobProperties, JobRequest

from check import CONNECTION_STRING, PATIENCE, bare, client_string, done, fail, holds, refused, registry, same, taken

DEVICES = [f"py-job-{n}" for n in range(6)]
ONLINE = DEVICES[:2]

manager = registry()
jobs = IoTHubJobManager.from_connection_string(CONNECTION_STRING)


def in_seconds(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat()


def new_id():
    return str(uuid.uuid4())


def update(condition, start_in=0, **twin):
    return JobRequest(
        type="scheduleUpdateTwin",
        update_twin=Twin(**{"etag": "*", **twin}),
        query_condition=condition,
        start_time=in_seconds(start_in),
        max_execution_time_in_seconds=60,
    )


def method(condition, name, payload):
    return JobRequest(
        type="scheduleDeviceMethod",
        cloud_to_device_method=CloudToDeviceMethod(
            method_name=name, payload=payload, response_timeout_in_seconds=PATIENCE
        ),
        query_condition=condition,
        start_time=in_seconds(0),
        max_execution_time_in_seconds=60,
    )


def ended(job_id):
    """The job once it has ended, as the tutorials wait for it."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        job = jobs.get_scheduled_job(job_id)
        if job.status in ("completed", "failed", "cancelled"):
            return job
        time.sleep(0.05)
    return fail(f"job {job_id} has not ended in {PATIENCE} s: {job.status}")


def counts(job):
    statistics = job.device_job_statistics
    return [statistics.device_count, statistics.succeeded_count, statistics.failed_count]


def rows(condition):
    """Rows of devices.jobs: the client keeps what it does not know of a twin beside what it knows."""
    page = manager.query_iot_hub(QuerySpecification(query=f"SELECT * FROM devices.jobs WHERE {condition}"), None, 100)
    same(f"the type of {condition}", page.type, "DeviceJob")
    return [{"deviceId": item.device_id, "status": item.status, **item.additional_properties} for item in page.items]


def seed():
    batch = [
        ExportImportDevice(id=name, import_mode="create", status="enabled", tags={"jobs": "py", "n": n})
        for n, name in enumerate(DEVICES)
    ]
    same("devices", manager.bulk_create_or_update_devices(batch).is_successful, True)


def check_update():
    job_id = new_id()
    desired = {"building": "43", "floor": 3, "old": None}
    request = update("tags.jobs = 'py' AND tags.n < 4", tags={"moved": True}, properties=TwinProperties(desired=desired))
    made = jobs.create_scheduled_job(job_id, request)
    same("created", [made.job_id, made.status, made.type], [job_id, "queued", "scheduleUpdateTwin"])
    job = ended(job_id)
    same("its end", [job.status, counts(job)], ["completed", [4, 4, 0]])
    holds("its times", job.created_time <= job.end_time and job.start_time <= job.end_time)
    for n, name in enumerate(DEVICES):
        twin = manager.get_twin(name)
        wanted = {"building": "43", "floor": 3, "$version": 2} if n < 4 else {"$version": 1}
        same(f"desired of {name}", bare(twin.properties.desired), wanted)
        same(f"tags of {name}", twin.tags.get("moved"), True if n < 4 else None)
    found = rows(f"devices.jobs.jobId = '{job_id}'")
    same("a row for each device", [row["deviceId"] for row in found], DEVICES[:4])
    same("which is done", {row["status"] for row in found}, {"completed"})
    same("of this type", {row["jobType"] for row in found}, {"scheduleUpdateTwin"})
    found = rows(f"devices.jobs.jobId = '{job_id}' AND devices.jobs.deviceId = '{DEVICES[1]}'")
    same("the row of one device", [row["deviceId"] for row in found], [DEVICES[1]])
    refused("the same id again", 409, jobs.create_scheduled_job, job_id, request)
    refused("cancelled after its end", 405, jobs.cancel_scheduled_job, job_id)
    return job_id


def check_method():
    calls = queue.Queue()
    clients = []
    for name in ONLINE:
        client = IoTHubDeviceClient.create_from_connection_string(client_string(manager.get_device(name)))

        def answer(request, client=client, name=name):
            calls.put((name, request.name, request.payload))
            client.send_method_response(MethodResponse.create_from_method_request(request, 207, {"locked": name}))

        client.connect()
        client.on_method_request_received = answer
        clients.append(client)
    job_id = new_id()
    payload = {"door": 1, "text": "ä"}
    jobs.create_scheduled_job(job_id, method(f"deviceId IN {DEVICES[:3]}", "lockDoor", payload))
    job = ended(job_id)
    same("its end, one device offline", [job.status, counts(job)], ["completed", [3, 2, 1]])
    called = sorted((taken("a call", calls) for _ in ONLINE), key=lambda call: call[0])
    same("the devices were called", called, [(name, "lockDoor", payload) for name in ONLINE])
    found = rows(f"devices.jobs.jobId = '{job_id}'")
    same("rows", [(row["deviceId"], row["status"]) for row in found], [
        (ONLINE[0], "completed"), (ONLINE[1], "completed"), (DEVICES[2], "failed"),
    ])
    for row in found[:2]:
        wanted = {"deviceMethodResponse": {"status": 207, "payload": {"locked": row["deviceId"]}}}
        same(f"the answer of {row['deviceId']}", row["outcome"], wanted)
    same("why the third failed", found[2]["error"]["code"], "404103")
    for client in clients:
        client.shutdown()
    return job_id


def check_time():
    job_id = new_id()
    desired = TwinProperties(desired={"later": True})
    jobs.create_scheduled_job(job_id, update(f"deviceId = '{DEVICES[5]}'", 2, properties=desired))
    holds("waits", jobs.get_scheduled_job(job_id).status in ("queued", "scheduled"))
    same("and runs", ended(job_id).status, "completed")
    same("at its time", manager.get_twin(DEVICES[5]).properties.desired["later"], True)
    job_id = new_id()
    jobs.create_scheduled_job(job_id, update("*", 3600, properties=desired))
    same("cancelled", jobs.cancel_scheduled_job(job_id).status, "cancelled")
    same("and stays so", jobs.get_scheduled_job(job_id).status, "cancelled")
    return job_id


def check_refusals():
    refused("an etag", 412, jobs.create_scheduled_job, new_id(), update("*", etag="AAAAAAAAAAE="))
    refused("an id with a capital", 400, jobs.create_scheduled_job, "Job", update("*"))
    refused("eight days ahead", 400, jobs.create_scheduled_job, new_id(), update("*", 8 * 24 * 3600))
    unknown = jobs.get_scheduled_job("nobody")
    same("a job that is not there", [unknown.type, unknown.status], ["unknown", "unknown"])
    job_id = new_id()
    jobs.create_scheduled_job(job_id, update("tags.site = = 'A'"))
    job = ended(job_id)
    same("a condition that cannot be read", job.status, "failed")
    holds("says why", "expected" in job.failure_reason, job.failure_reason)
    waiting = [new_id() for _ in range(10)]
    for one in waiting:
        jobs.create_scheduled_job(one, update("*", 3600))
    # 429 is sent without Retry-After, or this client would sleep inside the call.
    refused("an eleventh at once", 429, jobs.create_scheduled_job, new_id(), update("*", 3600))
    for one in waiting:
        same("makes room", jobs.cancel_scheduled_job(one).status, "cancelled")
    refused("an export", 403, jobs.create_import_export_job, JobProperties(type="export"))
    return job_id


def listed(job_type, status):
    """The hub answers an array of jobs, as other clients read it. This one's query_scheduled_jobs wants an object and cannot
    read any hub's answer, so the request goes through the layer below it."""
    client = jobs.protocol._client
    parameters = {"api-version": "2021-04-12", "jobType": job_type, "jobStatus": status}
    answer = client.send(client.get("/jobs/v2/query", {name: value for name, value in parameters.items() if value}))
    same(f"the type of {job_type} {status}", answer.headers["x-ms-item-type"], "JobResponse")
    return {job["jobId"] for job in answer.json()}


def check_lists(updated, called, cancelled, broken):
    holds("completed updates", updated in listed("scheduleUpdateTwin", "completed"))
    same("completed methods", listed("scheduleDeviceMethod", "completed") & {updated, called}, {called})
    same("cancelled", listed("scheduleUpdateTwin", "cancelled") & {updated, cancelled, broken}, {cancelled})
    same("failed", listed(None, "failed"), {broken})
    holds("all", {updated, called, cancelled, broken} <= listed(None, None))


seed()
check_lists(check_update(), check_method(), check_time(), check_refusals())
for name in DEVICES:
    manager.delete_device(name)
done()
