// The device application of the articles, and the same for a module: reported at start, reported on each desired change,
// connection status.
'use strict';

const { Client, ModuleClient, Message } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const { Inbox, bare, called, deviceWithModule, holds, ok, program, refused, registry, same } = require('./check');

const manager = registry();

async function application(Kind, name, ids, getTwin, updateTwin) {
  const client = Kind.fromConnectionString(await deviceWithModule(manager, ...ids), Mqtt);
  const status = new Inbox();
  client.on('connect', () => status.push('connected'));
  client.on('disconnect', () => status.push('disconnected'));
  await client.open();
  same(`${name}: status`, await status.next('a status'), 'connected');
  const twin = await client.getTwin();
  same(`${name}: a fresh twin`, [twin.properties.desired, bare(twin.properties.reported)], [{ $version: 1 }, { $version: 1 }]);
  const report = (patch) => called((done) => twin.properties.reported.update(patch, done));
  const reported = async () => bare((await getTwin()).properties.reported);

  const changes = new Inbox();
  twin.on('properties.desired', changes.push);
  // A new handler is told what is there already.
  same(`${name}: what is there`, await changes.next('the current state'), { $version: 1 });
  const launched = new Date().toISOString();
  const { etag } = await getTwin();
  await report({ DateTimeLastAppLaunch: launched });
  same(`${name}: a report does not move the etag`, (await getTwin()).etag, etag);
  same(`${name}: DateTimeLastAppLaunch`, await reported(), { DateTimeLastAppLaunch: launched, $version: 2 });

  for (const telemetryInterval of [122, 5]) {
    const version = bare((await updateTwin({ properties: { desired: { telemetryInterval } } })).properties.desired).$version;
    const change = await changes.next('a desired change');
    same(`${name}: exactly the patch of ${telemetryInterval}`, change, { telemetryInterval, $version: version });
    const received = new Date().toISOString();
    await report({ DateTimeLastDesiredPropertyChangeReceived: received });
    same(`${name}: its report`, (await reported()).DateTimeLastDesiredPropertyChangeReceived, received);
  }
  const interval = new Inbox();
  twin.on('properties.desired.nested.interval', interval.push);
  await report({ nested: true });
  await updateTwin({ properties: { desired: { nested: { interval: 7 }, telemetryInterval: null } } });
  same(`${name}: a handler of one property`, await interval.next('a nested change'), 7);
  same(`${name}: a removed property`, await changes.next('a removal'), { nested: { interval: 7 }, telemetryInterval: null, $version: 4 });
  same(`${name}: is gone`, twin.properties.desired, { nested: { interval: 7 }, $version: 4 });

  const before = await reported();
  const error = await refused(`${name}: a report with a dot in a key`, 'Error', () => report({ 'a.b': 1, good: 1 }));
  holds(`${name}: says which`, error.message.includes('a.b'));
  same(`${name}: and changed nothing`, await reported(), before);
  const message = new Message('{"temperature":21.5}');
  message.messageId = 'id 1';
  message.properties.add('a key', 'a/value?&=');
  if (Kind === Client) await client.sendEvent(message);
  else await client.sendOutputEvent('out1', message);
  ok(`${name}: telemetry is taken`);

  await client.close();
  // A close of the client's own is no `disconnect` event; the next status is that of the new connection.
  await client.open();
  same(`${name}: status after open`, await status.next('a status'), 'connected');
  changes.things.length = 0;
  // The client does not subscribe again: the hub must have kept what it asked for.
  await updateTwin({ properties: { desired: { reopened: true } } });
  same(`${name}: the subscription lives on`, await changes.next('a change'), { reopened: true, $version: 5 });
  await client.close();
}

program(async () => {
  const device = 'node-device';
  await application(
    Client,
    'device',
    [device],
    async () => (await manager.getTwin(device)).responseBody,
    async (patch) => (await manager.updateTwin(device, patch, '*')).responseBody,
  );
  const ids = ['node-device-of-module', 'myFirstModule'];
  await application(
    ModuleClient,
    'module',
    ids,
    async () => (await manager.getModuleTwin(...ids)).responseBody,
    async (patch) => (await manager.updateModuleTwin(...ids, patch, '*')).responseBody,
  );
  await manager.delete(device);
  await manager.delete(ids[0]);
});
