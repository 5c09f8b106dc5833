// Who may be connected, and for how long: one client per identity, disabled devices, wrong keys, tokens that end.
'use strict';

const { NoRetry, SharedAccessSignature, ConnectionString } = require('azure-iot-common');
const { Client, SharedAccessKeyAuthenticationProvider } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const { HOST_NAME, Inbox, PATIENCE, deviceWithModule, ok, program, refused, registry, same } = require('./check');

const deviceId = 'node-sessions';
const manager = registry();
let clientString;

/// The client, made to stay down when it is dropped, and the inbox of its losses.
function watched(client) {
  client.setRetryPolicy(new NoRetry());
  const losses = new Inbox();
  client.on('disconnect', losses.push);
  return { client, losses };
}

function newClient(string = clientString) {
  return watched(Client.fromConnectionString(string, Mqtt));
}

async function setStatus(status) {
  const device = (await manager.get(deviceId)).responseBody;
  await manager.update({ ...device, status });
}

async function report(client, name) {
  const twin = await client.getTwin();
  await new Promise((resolve, reject) =>
    twin.properties.reported.update({ who: name }, (error) => (error ? reject(error) : resolve())),
  );
  same(`${name} works`, (await manager.getTwin(deviceId)).responseBody.properties.reported.who, name);
}

async function checkOneClientEach() {
  const first = newClient();
  const second = newClient();
  await first.client.open();
  same('the hub says that it is connected', (await manager.get(deviceId)).responseBody.connectionState, 'Connected');
  await report(first.client, 'the first');
  await second.client.open();
  await first.losses.next('the loss of the first');
  ok('the first is out');
  await report(second.client, 'the second');
  await second.client.close();
  await first.client.close();
}

async function checkStatus() {
  const { client, losses } = newClient();
  await client.open();
  await setStatus('disabled');
  await losses.next('the loss of a disabled device');
  ok('disabling a device drops it');
  await refused('a disabled device', 'UnauthorizedError', () => newClient().client.open());
  await setStatus('enabled');
  const again = newClient().client;
  await again.open();
  await report(again, 'the enabled');
  await again.close();
}

async function checkKeys() {
  const wrong = clientString.replace(/SharedAccessKey=.*/, `SharedAccessKey=${Buffer.alloc(32).toString('base64')}`);
  await refused('a wrong key', 'UnauthorizedError', () => newClient(wrong).client.open());
  const nobody = clientString.replace(`DeviceId=${deviceId}`, 'DeviceId=node-nobody');
  await refused('a device that is not there', 'UnauthorizedError', () => newClient(nobody).client.open());
  // Five minutes are allowed for clocks that differ.
  const late = watched(Client.fromSharedAccessSignature(token(-60), Mqtt));
  await late.client.open();
  ok('a token that ended a minute ago');
  await late.client.close();
  const expired = watched(Client.fromSharedAccessSignature(token(-330), Mqtt));
  await refused('a token that ended long ago', 'UnauthorizedError', () => expired.client.open());

  const device = (await manager.get(deviceId)).responseBody;
  const secondary = clientString.replace(/SharedAccessKey=.*/, `SharedAccessKey=${device.authentication.symmetricKey.secondaryKey}`);
  const { client, losses } = newClient(secondary);
  await client.open();
  ok('the secondary key');
  const key = Buffer.alloc(32, 7).toString('base64');
  await manager.update({ ...device, authentication: { type: 'sas', symmetricKey: { primaryKey: key, secondaryKey: key } } });
  await losses.next('the loss of who holds an old key');
  ok('new keys drop who holds the old');
  await refused('the old key', 'UnauthorizedError', () => newClient(secondary).client.open());
  await manager.update({ ...device, etag: '*' });
}

function token(seconds) {
  const key = ConnectionString.parse(clientString).SharedAccessKey;
  const expiry = Math.floor(Date.now() / 1000) + seconds;
  return SharedAccessSignature.create(`${HOST_NAME}/devices/${deviceId}`, null, key, expiry).toString();
}

async function checkTokens() {
  // A token of four seconds, renewed by the client after two.
  const provider = SharedAccessKeyAuthenticationProvider.fromConnectionString(clientString, 4, 2);
  const { client } = watched(Client.fromAuthenticationProvider(provider, Mqtt));
  const connects = new Inbox();
  client.on('connect', connects.push);
  await client.open();
  await connects.next('the connection');
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
}

async function checkDelete() {
  const { client, losses } = newClient();
  await client.open();
  await manager.delete(deviceId);
  await losses.next('the loss of a deleted device');
  ok('deleting a device drops it');
}

program(async () => {
  clientString = await deviceWithModule(manager, deviceId);
  await checkOneClientEach();
  await checkStatus();
  await checkKeys();
  await checkTokens();
  await checkDelete();
});
