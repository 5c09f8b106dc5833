// Direct methods: the service client calls devices and modules, whose clients answer.
'use strict';

const { Client: ServiceClient } = require('azure-iothub');
const { Client, ModuleClient } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const { called, deviceWithModule, holds, program, refused, registry, same } = require('./check');

const LARGEST = 128 * 1024;
const manager = registry();
const service = ServiceClient.fromConnectionString(process.env.HUB_CONNECTION_STRING);

/// What the service client makes of the envelope: the kind of error (404 has none, in the shape of methods) and the code within.
async function refusedWith(what, name, number, call) {
  const error = await refused(what, name, call);
  const inner = JSON.parse(JSON.parse(error.responseBody).Message);
  same(`${what}: the code`, inner.errorCode, number);
}

async function methods(Kind, who, ids) {
  const connectionString = await deviceWithModule(manager, ...ids);
  const invoke = (params) => service.invokeDeviceMethod(...ids, params);
  const result = async (params) => (await invoke(params)).result;
  await refusedWith(`${who}: offline`, 'Error', 404103, () => invoke({ methodName: 'echo' }));
  const before = Date.now();
  await refusedWith(`${who}: does not come`, 'Error', 404103, () =>
    invoke({ methodName: 'echo', responseTimeoutInSeconds: 5, connectTimeoutInSeconds: 2 }),
  );
  holds(`${who}: was waited for`, Date.now() - before >= 2000);

  const client = Kind.fromConnectionString(connectionString, Mqtt);
  const listen = (name, answer) => (Kind === Client ? client.onDeviceMethod(name, answer) : client.onMethod(name, answer));
  await client.open();
  await refusedWith(`${who}: connected and not listening`, 'Error', 404103, () => invoke({ methodName: 'echo' }));
  const early = result({ methodName: 'echo', payload: 'early', responseTimeoutInSeconds: 30, connectTimeoutInSeconds: 15 });
  const echo = (request, response) => response.send(200, request.payload);
  listen('echo', echo);
  same(`${who}: a call that waited for the subscription`, await early, { status: 200, payload: 'early' });
  // A name that this client does not decode: it stands in the topic as it is.
  listen('part*echo', echo);
  listen('reboot', (request, response) => response.send(500, { error: 'no power' }));
  listen('nothing', (request, response) => response.send(204));
  listen('large', (request, response) => response.send(200, 'x'.repeat(request.payload - 2)));
  const silent = [];
  listen('silence', (request, response) => silent.push(response));

  for (const payload of [{ delay: 5, list: [1, 2.5, null, 'ö'] }, [], 0, false, 'text', '', null]) {
    same(`${who}: status and payload ${JSON.stringify(payload)}`, await result({ methodName: 'echo', payload }), { status: 200, payload });
  }
  same(`${who}: no payload`, await result({ methodName: 'echo' }), { status: 200, payload: null });
  same(`${who}: a command`, await result({ methodName: 'part*echo', payload: 1 }), { status: 200, payload: 1 });
  same(`${who}: the device's own status`, await result({ methodName: 'reboot' }), { status: 500, payload: { error: 'no power' } });
  same(`${who}: no answer but a status`, await result({ methodName: 'nothing' }), { status: 204, payload: null });
  const payload = 'x'.repeat(LARGEST - 2);
  same(`${who}: 128 KB both ways`, (await result({ methodName: 'echo', payload })).payload.length, payload.length);
  // 413 has no kind of its own.
  await refusedWith(`${who}: a byte more`, 'Error', 413001, () => invoke({ methodName: 'echo', payload: `${payload}x` }));
  await refusedWith(`${who}: an answer of a byte more`, 'BadDeviceResponseError', 502101, () => invoke({ methodName: 'large', payload: LARGEST + 1 }));
  await refusedWith(`${who}: 4 s for the answer`, 'ArgumentError', 400004, () => invoke({ methodName: 'echo', responseTimeoutInSeconds: 4 }));
  await refusedWith(`${who}: longer to connect than to answer`, 'ArgumentError', 400004, () =>
    invoke({ methodName: 'echo', responseTimeoutInSeconds: 10, connectTimeoutInSeconds: 11 }),
  );
  const many = await Promise.all([...Array(10).keys()].map((n) => result({ methodName: 'echo', payload: n })));
  same(`${who}: ten calls at once`, many.map((one) => one.payload), [...Array(10).keys()]);

  // This client gives up after both timeouts together, so the hub's own word comes first.
  const started = Date.now();
  await refusedWith(`${who}: does not answer`, 'GatewayTimeoutError', 504101, () =>
    invoke({ methodName: 'silence', responseTimeoutInSeconds: 5, connectTimeoutInSeconds: 5 }),
  );
  holds(`${who}: was given its time`, Date.now() - started >= 5000);
  await called((done) => silent[0].send(200, 'too late', done));
  same(`${who}: a late answer changes nothing`, await result({ methodName: 'echo', payload: 1 }), { status: 200, payload: 1 });
  await client.close();
  await refusedWith(`${who}: closed`, 'Error', 404103, () => invoke({ methodName: 'echo' }));
}

program(async () => {
  await methods(Client, 'device', ['node-methods']);
  await methods(ModuleClient, 'module', ['node-methods-of-module', 'myFirstModule']);
  await refusedWith('an unknown device', 'Error', 404001, () => service.invokeDeviceMethod('nobody', { methodName: 'm' }));
  await manager.delete('node-methods');
  await manager.delete('node-methods-of-module');
});
