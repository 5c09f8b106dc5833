// Devices and modules with certificates: by thumbprint and by an authority that the hub knows, and who is refused.
'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { NoRetry } = require('azure-iot-common');
const { Client, Message, ModuleClient, X509AuthenticationProvider } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const { HOST_NAME, Inbox, ok, program, refused, registry, same } = require('./check');

const CA = { file: process.env.X509_CA_FILE, key: process.env.X509_CA_KEY };
const manager = registry();
const folder = fs.mkdtempSync(path.join(os.homedir(), 'x509-'));
let made = 0;

function openssl(...parts) {
  return execFileSync('openssl', parts, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

/// A certificate as the articles make it: `openssl req -x509` without an authority, else `openssl x509 -req`. With -1 days it
/// has expired, which only the latter can make.
function certificate(name, ca, days = 2) {
  made += 1;
  const base = path.join(folder, String(made));
  const [file, key] = [`${base}.pem`, `${base}.key`];
  const subject = `/CN=${name.replaceAll('/', '\\/')}`;
  const fresh = ['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-subj', subject];
  if (!ca && days > 0) {
    openssl(...fresh, '-x509', '-days', String(days), '-out', file);
  } else {
    openssl(...fresh, '-out', `${base}.csr`);
    const signer = ca ? ['-CA', ca.file, '-CAkey', ca.key, '-set_serial', String(made)] : ['-signkey', key];
    openssl('x509', '-req', '-in', `${base}.csr`, ...signer, '-days', String(days), '-out', file);
  }
  const thumbprint = (digest) =>
    openssl('x509', '-in', file, '-noout', '-fingerprint', `-${digest}`).trim().split('=')[1].replaceAll(':', '');
  return { file, key, thumbprint };
}

async function newClient(shown, deviceId, moduleId) {
  const [cert, key] = [shown.file, shown.key].map((file) => fs.readFileSync(file, 'utf8'));
  let client;
  if (moduleId) {
    // ModuleClient.fromConnectionString knows no x509=true; this is how a module gets there.
    const provider = X509AuthenticationProvider.fromX509Options(deviceId, HOST_NAME, { cert, key });
    (await provider.getDeviceCredentials()).moduleId = moduleId;
    client = ModuleClient.fromAuthenticationProvider(provider, Mqtt);
  } else {
    client = Client.fromConnectionString(`HostName=${HOST_NAME};DeviceId=${deviceId};x509=true`, Mqtt);
    await client.setOptions({ cert, key });
  }
  client.setRetryPolicy(new NoRetry());
  return client;
}

/// Connects, reports, gets a desired patch, sends telemetry.
async function checkIn(what, shown, ...ids) {
  const [read, update] = ids.length === 1 ? ['getTwin', 'updateTwin'] : ['getModuleTwin', 'updateModuleTwin'];
  const client = await newClient(shown, ...ids);
  await client.open();
  const twin = await client.getTwin();
  await new Promise((resolve, reject) =>
    twin.properties.reported.update({ by: what }, (error) => (error ? reject(error) : resolve())),
  );
  same(`${what} reports`, (await manager[read](...ids)).responseBody.properties.reported.by, what);
  const changes = new Inbox();
  twin.on('properties.desired', changes.push);
  await changes.next('the current state');
  await manager[update](...ids, { properties: { desired: { for: what } } }, '*');
  same(`${what} gets desired patches`, (await changes.next('a patch')).for, what);
  await (ids.length === 1 ? client.sendEvent(new Message(what)) : client.sendOutputEvent('out', new Message(what)));
  ok(`${what} sends`);
  await client.close();
}

async function checkOut(what, shown, ...ids) {
  await refused(what, 'UnauthorizedError', async () => (await newClient(shown, ...ids)).open());
}

function selfSigned(primary, secondary) {
  return { type: 'selfSigned', x509Thumbprint: { primaryThumbprint: primary, secondaryThumbprint: secondary } };
}

async function checkThumbprints() {
  const deviceId = 'node-x509';
  const [one, two, stranger] = [1, 2, 3].map(() => certificate('whoever'));
  const authentication = selfSigned(one.thumbprint('sha1'), two.thumbprint('sha256'));
  await manager.create({ deviceId, authentication });
  const found = (await manager.get(deviceId)).responseBody.authentication;
  same('its thumbprints are read back', { ...found.x509Thumbprint }, authentication.x509Thumbprint);
  await checkIn('a device by its primary thumbprint', one, deviceId);
  await checkIn('a device by its secondary thumbprint', two, deviceId);
  await checkOut('another certificate', stranger, deviceId);

  const ids = [deviceId, 'thumbprint'];
  const [right, wrong] = [ids.join('/'), deviceId].map((name) => certificate(name));
  const module = { deviceId, moduleId: ids[1] };
  await manager.addModule({ ...module, authentication: selfSigned(right.thumbprint('sha1'), wrong.thumbprint('sha1')) });
  await checkIn('a module by thumbprint', right, ...ids);
  await checkOut("a module whose certificate has the device's name", wrong, ...ids);

  const expired = certificate(ids.join('/'), undefined, -1);
  const thumbprint = expired.thumbprint('sha1');
  await manager.updateModule({ ...module, authentication: selfSigned(thumbprint, thumbprint) }, true);
  await checkOut('an expired certificate', expired, ...ids);
}

async function checkAuthority() {
  const deviceId = 'node-x509-ca';
  const authentication = { type: 'certificateAuthority' };
  await manager.create({ deviceId, authentication });
  const good = certificate(deviceId, CA);
  await checkIn('a device by authority', good, deviceId);
  await checkOut("another device's certificate", certificate('node-other', CA), deviceId);
  await checkOut('an expired one of the authority', certificate(deviceId, CA, -1), deviceId);
  await checkOut('a self-signed one', certificate(deviceId), deviceId);
  await checkOut('one of another authority', certificate(deviceId, certificate('Stranger')), deviceId);

  const ids = [deviceId, 'myModule'];
  await manager.addModule({ deviceId, moduleId: ids[1], authentication });
  await checkIn('a module by authority', certificate(ids.join('/'), CA), ...ids);
  await checkOut("a module with its device's certificate", good, ...ids);

  const device = (await manager.get(deviceId)).responseBody;
  await manager.update({ ...device, status: 'disabled' });
  await checkOut('a disabled device', good, deviceId);
}

program(async () => {
  await checkThumbprints();
  await checkAuthority();
});
