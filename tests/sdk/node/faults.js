// Faults on demand: the hub was started with one, the others are set on the way. What the clients repeat of themselves gets
// through, the rest is an error of theirs; the hub's own counts show that it struck.
'use strict';

const { Client, Message } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const { Inbox, PATIENCE, called, deviceWithModule, holds, ok, program, refused, registry, same } = require('./check');
const { call } = require('./plain');

const deviceId = 'faults-node';
const manager = registry();

async function faults() {
  const answer = await call('GET', '/$twinscope/faults');
  if (answer.status !== 200) throw new Error(`the faults cannot be read: ${answer.status} ${answer.body}`);
  return JSON.parse(answer.body);
}

const setFaults = (...texts) => setSeeded(1, ...texts);

async function setSeeded(seed, ...texts) {
  const body = JSON.stringify({ seed, faults: texts });
  const answer = await call('PUT', '/$twinscope/faults', { 'Content-Type': 'application/json' }, body);
  if (answer.status !== 200) throw new Error(`the faults ${texts}: ${answer.status} ${answer.body}`);
}

/// The first fault has matched and struck so often.
async function struck(what, matched, times = 1) {
  const first = (await faults()).faults[0];
  same(`${what}: the hub struck`, [first.matched, first.struck], [matched, times]);
}

const twin = async () => (await manager.getTwin(deviceId)).responseBody;
const write = (desired) => manager.updateTwin(deviceId, { properties: { desired } }, '*');
const version = async () => (await twin()).properties.desired.$version;

/// The service's client repeats nothing.
async function checkService() {
  await refused("a 503 is the caller's", 'ServiceUnavailableError', twin);
  await struck('a read', 1);
  ok(`and the next gets through: ${(await twin()).deviceId}`);
  await setFaults('429:retry-after=7s on=twin-write times=1');
  const throttled = await refused('a 429', 'ThrottlingError', () => write({ a: 1 }));
  same('its Retry-After', throttled.response.headers['retry-after'], '7');
  await struck('a write', 1);
  await setFaults('latency=400ms on=twin-write times=1');
  const begun = Date.now();
  await write({ a: 1 });
  holds('a late answer is waited for', Date.now() - begun >= 400);
  await setFaults('skew=2h');
  await refused('a clock two hours ahead of the token', 'UnauthorizedError', () => write({ a: 1 }));
  await setFaults();
  await write({ a: 1 });
  ok('and put right again');
  for (const [fault, done] of [['drop=before', 0], ['drop=after', 1], ['drop=halfway', 1]]) {
    const before = await version();
    await setFaults(`${fault} on=twin-write times=1`);
    await refused(fault, 'Error', () => write({ a: fault }));
    await struck(fault, 1);
    same(`${fault}: it is done so often`, await version(), before + done);
    await write({ a: 'again' });
  }
}

/// Which of twenty writes are refused, by half a chance each.
async function refusals(seed) {
  await setSeeded(seed, '429 on=twin-write p=0.5');
  const found = [];
  for (let n = 0; n < 20; n += 1) {
    await write({ n }).catch((error) => found.push([n, error.name]));
  }
  return found;
}

async function checkSeed() {
  const first = await refusals(7);
  holds('some of twenty are refused', first.length > 0 && first.length < 20 && first.every(([, name]) => name === 'ThrottlingError'));
  same('the same by the same seed', await refusals(7), first);
  holds('others by another', JSON.stringify(await refusals(8)) !== JSON.stringify(first));
}

async function checkDevice(string) {
  await setFaults('503 on=connect first=1');
  const client = Client.fromConnectionString(string, Mqtt);
  const losses = new Inbox();
  client.on('disconnect', losses.push);
  await client.open();
  await struck('a hub that is unavailable is tried again', 2);

  await setFaults('429 on=twin-get times=1');
  await refused('a 429 in a twin response', 'Error', () => client.getTwin());
  await struck('the twin', 1);
  const own = await client.getTwin();
  // Who listens to desired changes is brought back when the connection is lost.
  const changes = new Inbox();
  own.on('properties.desired', changes.push);
  await changes.next('the current state');
  const connects = new Inbox();
  client.on('connect', connects.push);
  const report = (patch) => called((done) => own.properties.reported.update(patch, done));
  const reported = async () => (await twin()).properties.reported;

  for (const [fault, done] of [['drop=before', undefined], ['drop=after', 'drop=after']]) {
    await setFaults(`${fault} on=report times=1`);
    // This client neither sends it again nor tells: its caller waits for ever, which is what such a fault is there to show.
    let told = false;
    report({ fault }).then(() => { told = true; }, () => { told = true; });
    await connects.next('the connection after the drop');
    await struck(`${fault}: the client is back`, 1);
    same(`${fault}: the report`, [(await reported()).fault, told], [done, false]);
    await report({ fault: null });
    ok(`${fault}: the next report gets through`);
  }
  await setFaults('lose=response on=report times=1');
  let answered = false;
  report({ lost: true }).then(() => { answered = true; }, () => {});
  for (const until = Date.now() + PATIENCE; (await reported()).lost !== true; ) {
    if (Date.now() > until) throw new Error('the report whose answer is lost is not done');
  }
  await struck('a lost answer', 1);
  holds('its caller waits', !answered);
  await setFaults('evict=500ms times=1');
  await connects.next('the connection after the eviction');
  await struck('an evicted client comes back', 2);
  await report({ after: 'eviction' });
  same('and works', (await reported()).after, 'eviction');
  for (const fault of ['drop=before', 'drop=after']) {
    await setFaults(`${fault} on=telemetry times=1`);
    await client.sendEvent(new Message(fault));
    await struck(`${fault}: telemetry is sent again`, 2);
  }
  await setFaults('lose=puback on=telemetry times=1');
  const sent = client.sendEvent(new Message('without a PUBACK'));
  for (const until = Date.now() + PATIENCE; (await faults()).faults[0].struck === 0; ) {
    if (Date.now() > until) throw new Error('the PUBACK is not lost');
  }
  let acknowledged = false;
  sent.then(() => { acknowledged = true; }, () => {});
  await twin();
  holds('without a PUBACK the sender waits', !acknowledged);
  await setFaults('evict=1ms times=1');
  await sent;
  ok('telemetry without a PUBACK is sent again on the next connection');
  await setFaults('latency=400ms on=twin-get');
  const begun = Date.now();
  await client.getTwin();
  holds('a late answer is waited for', Date.now() - begun >= 400);
  await client.close();
}

program(async () => {
  const started = (await faults()).faults.map((fault) => fault.fault);
  same('the hub was started with a fault', started, ['503 on=twin-read id=faults-* first=1']);
  const string = await deviceWithModule(manager, deviceId);
  await checkService();
  await checkSeed();
  await checkDevice(string);
  // As it was found, for the next program.
  await setFaults(...started);
});
