// Cloud-to-device messages over HTTPS, taken, rejected by and kept for the device client, over TCP and WebSocket; telemetry in
// the hub's event stream.
'use strict';

const { Client, Message } = require('azure-iot-device');
const { Mqtt, MqttWs } = require('azure-iot-device-mqtt');
const { Inbox, called, deviceWithModule, program, registry, same } = require('./check');
const { call, events } = require('./plain');

const manager = registry();

async function feedback() {
  const answer = await call('GET', '/messages/serviceBound/feedback');
  if (answer.status === 204) return [];
  const lock = answer.headers.etag.replaceAll('"', '');
  same('a batch of feedback is taken', (await call('DELETE', `/messages/serviceBound/feedback/${lock}`)).status, 204);
  return JSON.parse(answer.body).map((record) => [record.originalMessageId, record.statusCode]);
}

async function check(name, deviceId, transport) {
  const bound = `/devices/${deviceId}/messages/deviceBound`;
  const send = async (id, body) =>
    (await call('POST', bound, { 'iothub-messageid': id, 'iothub-ack': 'full', 'iothub-app-colour': 'dark & blue' }, body)).status;
  const waiting = async (what, count) => {
    let found;
    for (let round = 0; round < 500; round += 1) {
      found = (await manager.get(deviceId)).responseBody.cloudToDeviceMessageCount;
      if (found === count) break;
    }
    same(`${name}: ${what}`, found, count);
  };
  const clientString = await deviceWithModule(manager, deviceId);
  const client = Client.fromConnectionString(clientString, transport);
  const inbox = new Inbox();
  client.on('message', inbox.push);
  await client.open();

  same(`${name}: a message is taken`, await send('one', '{"delay": 5}'), 204);
  const message = await inbox.next('a message');
  same(`${name}: its body`, message.data.toString(), '{"delay": 5}');
  same(`${name}: its id and to`, [message.messageId, message.to], ['one', bound]);
  // What this client does not know as the hub's, it takes for the sender's own.
  same(`${name}: its properties`, message.properties.propertyList, [
    { key: 'iothub-ack', value: 'full' },
    { key: 'colour', value: 'dark & blue' },
  ]);
  await called((done) => client.complete(message, done));
  await waiting('completed', 0);
  same(`${name}: feedback`, await feedback(), [['one', 'Success']]);

  await client.close();
  for (const id of ['two', 'three']) same(`${name}: taken while the device is away`, await send(id, id), 204);
  await waiting('they wait', 2);
  await client.open();
  for (const id of ['two', 'three']) {
    const late = await inbox.next('a message');
    same(`${name}: it comes later`, late.data.toString(), id);
    await called((done) => client.complete(late, done));
  }
  await waiting('and wait no more', 0);
  same(`${name}: feedback of each`, await feedback(), [['two', 'Success'], ['three', 'Success']]);

  await client.close();
  for (const id of ['four', 'five']) await send(id, id);
  const purged = await call('DELETE', `/devices/${deviceId}/commands`);
  same(`${name}: a purge`, [purged.status, JSON.parse(purged.body).totalMessagesPurged], [200, 2]);
  await waiting('none is left', 0);
  same(`${name}: its feedback`, await feedback(), [['four', 'Purged'], ['five', 'Purged']]);
  await client.open();

  const telemetry = new Message(JSON.stringify({ t: 1 }));
  telemetry.messageId = `of ${deviceId}`;
  telemetry.contentType = 'application/json';
  telemetry.contentEncoding = 'utf-8';
  telemetry.properties.add('alert', 'yes & no');
  await client.sendEvent(telemetry);
  const of = (event) => event.kind === 'telemetry' && event.deviceId === deviceId;
  const seen = (await events(0, of)).find(of);
  same(`${name}: telemetry in the event stream`, [seen.body, seen.properties], [
    '{"t":1}',
    { '$.mid': `of ${deviceId}`, '$.ct': 'application/json', '$.ce': 'utf-8', alert: 'yes & no' },
  ]);
  await client.close();
}

program(async () => {
  await check('TCP', 'node-messages', Mqtt);
  await check('WebSocket', 'node-messages-ws', MqttWs);
});
