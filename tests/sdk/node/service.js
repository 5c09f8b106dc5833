// Identities, twins and queries, with azure-iothub.
'use strict';

const { bare, holds, program, refused, registry, same } = require('./check');

const deviceId = 'node-myFirstDevice';
const moduleId = 'node-myFirstModule';
const manager = registry();

async function body(promise) {
  return (await promise).responseBody;
}

/// The tutorial's program: create both, or get what is there.
async function createIdentities() {
  let conflicts = 0;
  const orGet = (get) => (error) => {
    if (error.name !== 'DeviceAlreadyExistsError') throw error;
    conflicts += 1;
    return get();
  };
  const device = await manager.create({ deviceId }).catch(orGet(() => manager.get(deviceId)));
  await manager.addModule({ deviceId, moduleId, managedBy: 'me' }).catch(orGet(() => {}));
  const module = await manager.getModule(deviceId, moduleId);
  console.log('device primary key:', device.responseBody.authentication.symmetricKey.primaryKey);
  console.log('module primary key:', module.responseBody.authentication.symmetricKey.primaryKey);
  return { device: device.responseBody, module: module.responseBody, conflicts };
}

async function checkIdentities() {
  const first = await createIdentities();
  same('the first run creates device and module', first.conflicts, 0);
  same('ids', [first.device.deviceId, first.module.deviceId, first.module.moduleId], [deviceId, deviceId, moduleId]);
  const keys = [first.device, first.module].flatMap((i) => Object.values(i.authentication.symmetricKey));
  same('four different keys', new Set(keys).size, 4);
  holds('each of 32 bytes', keys.every((key) => Buffer.from(key, 'base64').length === 32));
  const second = await createIdentities();
  same('the second run meets a conflict for both', second.conflicts, 2);
  same('and finds what the first made', [second.device, second.module], [first.device, first.module]);
  same('modules of the device', (await body(manager.getModulesOnDevice(deviceId))).map((m) => m.moduleId), [moduleId]);

  const off = await body(manager.update({ ...first.device, status: 'disabled', statusReason: 'maintenance' }));
  same('disabled, with a reason', [off.status, off.statusReason], ['disabled', 'maintenance']);
  same('keys kept', off.authentication, first.device.authentication);
  holds('the etag moved', off.etag !== first.device.etag);
  const on = await body(manager.update({ ...off, status: 'enabled' }));
  same('enabled', on.status, 'enabled');
  const renewed = await body(manager.update({ deviceId, status: 'enabled' }));
  holds('an update without keys makes new ones', renewed.authentication.symmetricKey.primaryKey !== keys[0]);
  const changed = await body(manager.updateModule({ ...first.module, managedBy: 'you' }, true));
  same('module update', changed.managedBy, 'you');
  await refused('a module update with the old etag', 'InvalidEtagError', () => manager.updateModule(first.module, false));
  await refused('an update of a device that is not there', 'DeviceNotFoundError', () => manager.update({ deviceId: 'node-nobody' }));
  await refused('a device that is not there', 'DeviceNotFoundError', () => manager.get('node-nobody'));
  await refused('its twin', 'DeviceNotFoundError', () => manager.getTwin('node-nobody'));
  await refused('an id with a space', 'ArgumentError', () => manager.create({ deviceId: 'node a' }));
  holds('the list has it', (await body(manager.list())).some((d) => d.deviceId === deviceId));
  const odd = "node-Az09-.+%_#*?!(),=@$':;";
  same('an id of all characters', (await body(manager.create({ deviceId: odd }))).deviceId, odd);
  same('is found again', [(await body(manager.get(odd))).deviceId, (await body(manager.getTwin(odd))).deviceId], [odd, odd]);
  await manager.delete(odd);
}

async function checkTwin(name, get, update) {
  const before = await get();
  same(`${name}: a fresh twin`, [Buffer.from(before.etag, 'base64').length, bare(before.properties.desired)], [8, { $version: 1 }]);
  same(`${name}: reported`, bare(before.properties.reported), { $version: 1 });
  const after = await update({ tags: { site: 'A' }, properties: { desired: { telemetryInterval: 122 } } }, before.etag);
  same(`${name}: patched`, [after.tags, bare(after.properties.desired)], [{ site: 'A' }, { telemetryInterval: 122, $version: 2 }]);
  const patch = { properties: { desired: { telemetryInterval: 9 } } };
  await refused(`${name}: the etag read before`, 'InvalidEtagError', () => update(patch, before.etag));
  same(`${name}: changed nothing`, JSON.stringify(await get()), JSON.stringify(after));
  const own = await after.update({ properties: { desired: { telemetryInterval: null, n: [1, { a: 'ü' }] } } });
  same(`${name}: its own update`, bare(own.result.properties.desired), { n: [1, { a: 'ü' }], $version: 3 });
  const any = await update(patch, '*');
  same(`${name}: any etag`, any.properties.desired.telemetryInterval, 9);
  const cleared = await update({ tags: null, properties: { desired: null } }, '*');
  same(`${name}: null clears a section`, [cleared.tags ?? {}, bare(cleared.properties.desired)], [{}, { $version: 5 }]);
  await refused(`${name}: a dot in a key`, 'ArgumentError', () => update({ tags: { 'a.b': 1 } }, '*'));
}

async function checkQueries() {
  const ids = Array.from({ length: 250 }, (_, n) => `node-query-${String(n).padStart(3, '0')}`);
  for (let start = 0; start < 250; start += 100) {
    const batch = ids.slice(start, start + 100).map((id, n) => ({ deviceId: id, tags: { fleet: 'node', n: start + n, half: start + n < 125 ? 0 : 1 } }));
    same(`devices from ${start}`, (await body(manager.addDevices(batch))).isSuccessful, true);
  }
  for (let n = 0; n < 250; n += 5) await manager.addModule({ deviceId: ids[n], moduleId: 'part' });
  const parts = manager.createQuery("SELECT * FROM devices.modules WHERE STARTSWITH(deviceId, 'node-query-')", 20);
  const rows = [];
  while (parts.hasMoreResults && rows.length < 10) rows.push((await parts.nextAsTwin()).result.map((twin) => `${twin.deviceId}/${twin.moduleId}`));
  same('pages of modules', rows.map((page) => page.length), [20, 20, 10]);
  same('every module once', rows.flat().sort(), ids.filter((_, n) => n % 5 === 0).map((id) => `${id}/part`));
  const query = manager.createQuery("SELECT * FROM devices WHERE STARTSWITH(deviceId, 'node-query-')", 100);
  const pages = [];
  const types = new Set();
  while (query.hasMoreResults && pages.length < 10) {
    const page = await query.nextAsTwin();
    types.add(page.message.headers['x-ms-item-type']);
    pages.push(page.result.map((twin) => twin.deviceId));
  }
  same('the type of their items', [...types], ['Twin']);
  same('pages of 100', pages.map((page) => page.length), [100, 100, 50]);
  same('every device once', pages.flat().sort(), ids);
  const counted = manager.createQuery("SELECT COUNT() AS n FROM devices WHERE STARTSWITH(deviceId, 'node-query-')");
  same('COUNT', (await counted.next()).result, [{ n: 250 }]);
  same('no more of it', counted.hasMoreResults, false);
  const projected = manager.createQuery("SELECT deviceId AS name FROM devices WHERE deviceId = 'node-query-007'");
  const grouped = manager.createQuery("SELECT tags.half AS half, COUNT() AS n, SUM(tags.n) AS sum FROM devices WHERE tags.fleet = 'node' GROUP BY tags.half");
  const halves = (await grouped.next()).result.sort((a, b) => a.half - b.half);
  same('GROUP BY', halves, [{ half: 0, n: 125, sum: 7750 }, { half: 1, n: 125, sum: 23375 }]);
  same('a projection', (await projected.next()).result, [{ name: 'node-query-007' }]);
  const wrong = manager.createQuery('SELECT FROM devices');
  const error = await refused('a query that cannot be read', 'ArgumentError', () => wrong.next());
  holds('and its place', error.responseBody.includes('line 1 column 8: expected `*`, a field or an aggregate, found `FROM`'));
  const counts = async () => {
    const { totalDeviceCount, enabledDeviceCount, disabledDeviceCount } = await body(manager.getRegistryStatistics());
    return [totalDeviceCount, enabledDeviceCount, disabledDeviceCount];
  };
  const before = await counts();
  const off = (await body(manager.get(ids[0])));
  await manager.update({ ...off, status: 'disabled' });
  same('statistics', await counts(), [before[0], before[1] - 1, before[2] + 1]);
  await refused('the same devices again', 'ArgumentError', () => manager.addDevices([{ deviceId: ids[0] }]));
  for (let start = 0; start < 250; start += 100) {
    const batch = ids.slice(start, start + 100).map((id) => ({ deviceId: id }));
    same(`removed from ${start}`, (await body(manager.removeDevices(batch, true))).isSuccessful, true);
  }
}

program(async () => {
  await checkIdentities();
  await checkTwin(
    'device',
    () => body(manager.getTwin(deviceId)),
    (patch, etag) => body(manager.updateTwin(deviceId, patch, etag)),
  );
  await checkTwin(
    'module',
    () => body(manager.getModuleTwin(deviceId, moduleId)),
    (patch, etag) => body(manager.updateModuleTwin(deviceId, moduleId, patch, etag)),
  );
  await checkQueries();
  await manager.removeModule(deviceId, moduleId);
  // The client knows a name for the missing device's 404 only.
  const error = await refused('a removed module', 'Error', () => manager.getModule(deviceId, moduleId));
  same('its status', error.response.statusCode, 404);
  await manager.delete(deviceId);
  await refused('a deleted device', 'DeviceNotFoundError', () => manager.get(deviceId));
  await refused('a module of it', 'UnauthorizedError', () => manager.getModule(deviceId, moduleId));
  await manager.create({ deviceId });
  await manager.addModule({ deviceId, moduleId });
  await manager.delete(deviceId);
  await manager.create({ deviceId });
  same('a deleted device took its modules along', await body(manager.getModulesOnDevice(deviceId)), []);
  await manager.delete(deviceId);
});
