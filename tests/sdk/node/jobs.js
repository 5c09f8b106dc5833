// Jobs: twin updates and direct methods for many devices at a time, with azure-iothub.
'use strict';

const { randomUUID } = require('node:crypto');
const { Client } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const { JobClient } = require('azure-iothub');

const { Inbox, PATIENCE, called, clientString, holds, program, refused, registry, same } = require('./check');

const DEVICES = Array.from({ length: 5 }, (_, n) => `node-job-${n}`);
const MAX_SECONDS = 60;

const manager = registry();
const jobs = JobClient.fromConnectionString(process.env.HUB_CONNECTION_STRING);

/// The job once it has ended, as the tutorials wait for it.
async function ended(jobId) {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const { jobStatus } = await jobs.getJob(jobId);
    if (['completed', 'failed', 'cancelled'].includes(jobStatus.status)) return jobStatus;
    if (Date.now() > until) throw new Error(`job ${jobId} has not ended in ${PATIENCE} ms: ${jobStatus.status}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function counts({ deviceJobStatistics: { deviceCount, succeededCount, failedCount } }) {
  return [deviceCount, succeededCount, failedCount];
}

/// Without the token this client asks for the first page again.
async function all(query) {
  const found = [];
  while (query.hasMoreResults) found.push(...(await query.next(query.continuationToken)).result);
  return found;
}

function rows(condition) {
  return all(manager.createQuery(`SELECT * FROM devices.jobs WHERE ${condition}`, 2));
}

async function checkUpdate() {
  const jobId = randomUUID();
  const patch = { etag: '*', tags: { moved: true }, properties: { desired: { building: '43', floor: 3 } } };
  const made = (await jobs.scheduleTwinUpdate(jobId, "tags.jobs = 'node' AND tags.n < 3", patch, new Date(), MAX_SECONDS)).jobStatus;
  same('created', [made.jobId, made.status, made.type], [jobId, 'queued', 'scheduleUpdateTwin']);
  const job = await ended(jobId);
  same('its end', [job.status, counts(job)], ['completed', [3, 3, 0]]);
  for (const [n, id] of DEVICES.entries()) {
    const twin = (await manager.getTwin(id)).responseBody;
    same(`desired of ${id}`, twin.properties.desired.building, n < 3 ? '43' : undefined);
    same(`tags of ${id}`, twin.tags.moved, n < 3 ? true : undefined);
  }
  const found = await rows(`devices.jobs.jobId = '${jobId}'`);
  same('a row for each device', found.map((row) => [row.deviceId, row.jobType, row.status]),
    DEVICES.slice(0, 3).map((id) => [id, 'scheduleUpdateTwin', 'completed']));
  await refused('the same id again', 'DeviceAlreadyExistsError', () => jobs.scheduleTwinUpdate(jobId, '*', patch, new Date(), MAX_SECONDS));
  return jobId;
}

async function checkMethod() {
  const calls = new Inbox();
  const identity = (await manager.get(DEVICES[0])).responseBody;
  const client = Client.fromConnectionString(clientString(identity), Mqtt);
  await client.open();
  const payload = { door: 1, text: 'ä' };
  client.onDeviceMethod('lockDoor', (request, response) => {
    calls.push(request.payload);
    response.send(200, { locked: true });
  });
  // The handler subscribes in its own time; a call that gets through says that it has.
  await called((done) => {
    const params = { methodName: 'lockDoor', payload: null, connectTimeoutInSeconds: 10, responseTimeoutInSeconds: 15 };
    require('azure-iothub').Client.fromConnectionString(process.env.HUB_CONNECTION_STRING).invokeDeviceMethod(DEVICES[0], params, done);
  });
  await calls.next('the first call');
  const jobId = randomUUID();
  const params = { methodName: 'lockDoor', payload, responseTimeoutInSeconds: 15 };
  await jobs.scheduleDeviceMethod(jobId, `deviceId IN ['${DEVICES[0]}', '${DEVICES[1]}']`, params, new Date(), MAX_SECONDS);
  const job = await ended(jobId);
  same('its end, one device offline', [job.status, counts(job)], ['completed', [2, 1, 1]]);
  same('the device was called', await calls.next('a call'), payload);
  same('the payload comes back as bytes', JSON.parse(Buffer.from(job.cloudToDeviceMethod.payload).toString()), payload);
  const [answered, offline] = await rows(`devices.jobs.jobId = '${jobId}'`);
  same('its answer', answered.outcome, { deviceMethodResponse: { status: 200, payload: { locked: true } } });
  same('the other', [offline.status, offline.error.code], ['failed', '404103']);
  await client.close();
  return jobId;
}

async function checkTime() {
  const patch = { etag: '*', properties: { desired: { later: true } } };
  const soon = randomUUID();
  await jobs.scheduleTwinUpdate(soon, `deviceId = '${DEVICES[4]}'`, patch, new Date(Date.now() + 2000), MAX_SECONDS);
  holds('waits', ['queued', 'scheduled'].includes((await jobs.getJob(soon)).jobStatus.status));
  same('and runs', (await ended(soon)).status, 'completed');
  const jobId = randomUUID();
  await jobs.scheduleTwinUpdate(jobId, '*', patch, new Date(Date.now() + 3_600_000), MAX_SECONDS);
  same('cancelled', (await jobs.cancelJob(jobId)).jobStatus.status, 'cancelled');
  const again = await refused('cancelled twice', 'Error', () => jobs.cancelJob(jobId));
  same('its status', again.response.statusCode, 405);
  return jobId;
}

async function checkRefusals() {
  const patch = { properties: { desired: {} } };
  await refused('a patch without etag', 'ArgumentError', () => jobs.scheduleTwinUpdate(randomUUID(), '*', patch, new Date(), MAX_SECONDS));
  const unknown = (await jobs.getJob('nobody')).jobStatus;
  same('a job that is not there', unknown, { jobId: 'nobody', type: 'unknown', status: 'unknown' });
  const jobId = randomUUID();
  await jobs.scheduleTwinUpdate(jobId, 'what', { etag: '*', ...patch }, new Date(), MAX_SECONDS);
  const job = await ended(jobId);
  same('a condition that cannot be read', job.status, 'failed');
  holds('says why', job.failureReason.length > 0);
  const waiting = Array.from({ length: 10 }, () => randomUUID());
  const later = (id) => jobs.scheduleTwinUpdate(id, '*', { etag: '*', ...patch }, new Date(Date.now() + 3_600_000), MAX_SECONDS);
  for (const id of waiting) await later(id);
  await refused('an eleventh at once', 'ThrottlingError', () => later(randomUUID()));
  for (const id of waiting) await jobs.cancelJob(id);
  return jobId;
}

async function checkLists(updated, method, cancelled, broken) {
  const list = async (type, status) => (await all(jobs.createQuery(type, status, 3))).map((job) => job.jobId);
  holds('completed updates', (await list('scheduleUpdateTwin', 'completed')).includes(updated));
  const methods = await list('scheduleDeviceMethod', 'completed');
  holds('completed methods', methods.includes(method) && !methods.includes(updated));
  holds('cancelled', (await list('scheduleUpdateTwin', 'cancelled')).includes(cancelled));
  holds('failed', (await list(undefined, 'failed')).includes(broken));
  const every = await list();
  holds('all, in pages', [updated, method, cancelled, broken].every((id) => every.includes(id)));
  same('each once', new Set(every).size, every.length);
}

program(async () => {
  const batch = DEVICES.map((deviceId, n) => ({ deviceId, tags: { jobs: 'node', n } }));
  same('devices', (await manager.addDevices(batch)).responseBody.isSuccessful, true);
  await checkLists(await checkUpdate(), await checkMethod(), await checkTime(), await checkRefusals());
  await manager.removeDevices(DEVICES.map((deviceId) => ({ deviceId })), true);
});
