// MQTT over WebSocket: the device application and the same for a module, reconnects, one client per identity, tokens that end.
'use strict';

const { NoRetry, SharedAccessSignature, ConnectionString } = require('azure-iot-common');
const { Client, Message, ModuleClient, SharedAccessKeyAuthenticationProvider } = require('azure-iot-device');
const { Mqtt, MqttWs } = require('azure-iot-device-mqtt');
const { HOST_NAME, Inbox, PATIENCE, bare, called, deviceWithModule, holds, ok, program, refused, registry, same } = require('./check');

const manager = registry();

async function application(Kind, name, ids, getTwin, updateTwin) {
  const client = Kind.fromConnectionString(await deviceWithModule(manager, ...ids), MqttWs);
  const status = new Inbox();
  client.on('connect', () => status.push('connected'));
  await client.open();
  same(`${name}: status`, await status.next('a status'), 'connected');
  const twin = await client.getTwin();
  same(`${name}: a fresh twin`, [twin.properties.desired, bare(twin.properties.reported)], [{ $version: 1 }, { $version: 1 }]);
  const report = (patch) => called((done) => twin.properties.reported.update(patch, done));
  const reported = async () => bare((await getTwin()).properties.reported);

  const changes = new Inbox();
  twin.on('properties.desired', changes.push);
  same(`${name}: what is there`, await changes.next('the current state'), { $version: 1 });
  const launched = new Date().toISOString();
  await report({ DateTimeLastAppLaunch: launched });
  same(`${name}: DateTimeLastAppLaunch`, await reported(), { DateTimeLastAppLaunch: launched, $version: 2 });
  const version = bare((await updateTwin({ properties: { desired: { telemetryInterval: 122 } } })).properties.desired).$version;
  same(`${name}: exactly the patch`, await changes.next('a desired change'), { telemetryInterval: 122, $version: version });
  // Of more bytes than a WebSocket's short frame, and than its middle one.
  const large = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`k${n}`, 'x'.repeat(3000)]));
  await report(large);
  same(`${name}: a large report`, (await reported()).k8, large.k8);
  const again = await client.getTwin();
  holds(`${name}: a large twin`, again.properties.reported.k8 === large.k8);
  const error = await refused(`${name}: a report with a dot in a key`, 'Error', () => report({ 'a.b': 1 }));
  holds(`${name}: says which`, error.message.includes('a.b'));
  for (const size of [10, 500, 70_000]) {
    const message = new Message('x'.repeat(size));
    message.properties.add('a key', 'a/value?&=');
    if (Kind === Client) await client.sendEvent(message);
    else await client.sendOutputEvent('out1', message);
  }
  ok(`${name}: telemetry of any size is taken`);

  for (const round of [0, 1]) {
    await client.close();
    await client.open();
    same(`${name}: status after open ${round}`, await status.next('a status'), 'connected');
    changes.things.length = 0;
    // The client does not subscribe again: the hub must have kept what it asked for.
    const desired = (await updateTwin({ properties: { desired: { round } } })).properties.desired;
    same(`${name}: the subscription lives on ${round}`, await changes.next('a change'), { round, $version: desired.$version });
  }
  await client.close();
}

/// The client, made to stay down when it is dropped, and the inbox of its losses.
function watched(client) {
  client.setRetryPolicy(new NoRetry());
  const losses = new Inbox();
  client.on('disconnect', losses.push);
  return { client, losses };
}

async function sessions(deviceId) {
  const clientString = await deviceWithModule(manager, deviceId);
  for (const Other of [MqttWs, Mqtt]) {
    const first = watched(Client.fromConnectionString(clientString, MqttWs));
    const second = watched(Client.fromConnectionString(clientString, Other));
    await first.client.open();
    await second.client.open();
    await first.losses.next('the loss of the first');
    ok(`the first is out, for a client over ${Other.name}`);
    await second.client.getTwin();
    await second.client.close();
    await first.client.close();
  }
  const wrong = clientString.replace(/SharedAccessKey=.*/, `SharedAccessKey=${Buffer.alloc(32).toString('base64')}`);
  await refused('a wrong key', 'UnauthorizedError', () => watched(Client.fromConnectionString(wrong, MqttWs)).client.open());

  const key = ConnectionString.parse(clientString).SharedAccessKey;
  const expiry = Math.floor(Date.now() / 1000) - 330;
  const token = SharedAccessSignature.create(`${HOST_NAME}/devices/${deviceId}`, null, key, expiry).toString();
  const expired = watched(Client.fromSharedAccessSignature(token, MqttWs));
  await refused('a token that ended long ago', 'UnauthorizedError', () => expired.client.open());

  // A token of four seconds, renewed by the client after two.
  const provider = SharedAccessKeyAuthenticationProvider.fromConnectionString(clientString, 4, 2);
  const { client } = watched(Client.fromAuthenticationProvider(provider, MqttWs));
  await client.open();
  const renewals = new Inbox();
  provider.on('newTokenAvailable', renewals.push);
  const twin = await client.getTwin();
  const changes = new Inbox();
  twin.on('properties.desired', changes.push);
  await changes.next('the current state');
  await renewals.next('the first renewal');
  await renewals.next('the second renewal');
  // The client tells of a renewal before it is back, and a patch in between is not sent again: patch until one comes.
  const until = Date.now() + PATIENCE;
  for (let n = 0; changes.things.length === 0; n += 1) {
    if (Date.now() > until) throw new Error('no patch came after the renewals');
    await manager.updateTwin(deviceId, { properties: { desired: { n } } }, '*');
  }
  ok('patches go on after two renewals');
  await client.close();

  const last = watched(Client.fromConnectionString(clientString, MqttWs));
  await last.client.open();
  await manager.delete(deviceId);
  await last.losses.next('the loss of a deleted device');
  ok('deleting a device drops it');
}

program(async () => {
  const device = 'node-ws-device';
  await application(
    Client,
    'device',
    [device],
    async () => (await manager.getTwin(device)).responseBody,
    async (patch) => (await manager.updateTwin(device, patch, '*')).responseBody,
  );
  const ids = ['node-ws-device-of-module', 'myFirstModule'];
  await application(
    ModuleClient,
    'module',
    ids,
    async () => (await manager.getModuleTwin(...ids)).responseBody,
    async (patch) => (await manager.updateModuleTwin(...ids, patch, '*')).responseBody,
  );
  await manager.delete(device);
  await manager.delete(ids[0]);
  await sessions('node-ws-sessions');
});
