// What the programs share: how they say what holds, and how they find the hub.
'use strict';

const assert = require('node:assert');
const { Registry } = require('azure-iothub');

// The longest that anything is waited for, in milliseconds.
const PATIENCE = 15_000;
const CONNECTION_STRING = process.env.HUB_CONNECTION_STRING;
const HOST_NAME = /HostName=([^;]+)/.exec(CONNECTION_STRING)[1];

let passed = 0;

function ok(what) {
  passed += 1;
  console.log(`ok ${what}`);
}

function same(what, found, wanted) {
  assert.deepStrictEqual(found, wanted, `${what}\n   found ${JSON.stringify(found)}\n  wanted ${JSON.stringify(wanted)}`);
  ok(what);
}

function holds(what, condition) {
  assert.ok(condition, what);
  ok(what);
}

/// The call ends with an error of this name; the error.
async function refused(what, name, call) {
  let error;
  try {
    await call();
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error, `${what}: was accepted instead of refused with ${name}`);
  assert.strictEqual(error.name, name, `${what}: ${error.name}: ${error.message}`);
  ok(`${what}: ${name}`);
  return error;
}

/// What comes, in order: `push` takes it, `next` waits for it.
class Inbox {
  constructor() {
    this.things = [];
    this.wake = () => {};
    this.push = (thing) => {
      this.things.push(thing);
      this.wake();
    };
  }

  async next(what) {
    if (this.things.length === 0) {
      let timer;
      await Promise.race([
        new Promise((resolve) => (this.wake = resolve)),
        new Promise((_, reject) => {
          timer = setTimeout(() => reject(new Error(`${what}: nothing came in ${PATIENCE} ms`)), PATIENCE);
        }),
      ]);
      clearTimeout(timer);
    }
    return this.things.shift();
  }
}

/// The promise of a call that takes a callback only.
function called(call) {
  return new Promise((resolve, reject) => call((error, result) => (error ? reject(error) : resolve(result))));
}

function registry() {
  return Registry.fromConnectionString(CONNECTION_STRING);
}

/// A new device, with a module under it when one is named; the connection string of the last of them.
async function deviceWithModule(manager, deviceId, moduleId) {
  const device = (await manager.create({ deviceId })).responseBody;
  if (!moduleId) return clientString(device);
  await manager.addModule({ deviceId, moduleId });
  return clientString((await manager.getModule(deviceId, moduleId)).responseBody);
}

/// What the portal shows as the identity's connection string.
function clientString(identity) {
  const module = identity.moduleId ? `ModuleId=${identity.moduleId};` : '';
  return `HostName=${HOST_NAME};DeviceId=${identity.deviceId};${module}SharedAccessKey=${identity.authentication.symmetricKey.primaryKey}`;
}

/// A section of a twin without what only one side sees.
function bare(section) {
  const { $metadata, update, ...rest } = section;
  return JSON.parse(JSON.stringify(rest));
}

/// Runs the program to its last line.
function program(main) {
  main().then(
    () => {
      console.log(`${passed} passed, 0 failed`);
      process.exit(0);
    },
    (error) => {
      console.log(`not ok ${error.message}`);
      console.error(error);
      process.exit(1);
    },
  );
}

module.exports = { CONNECTION_STRING, HOST_NAME, Inbox, PATIENCE, bare, called, clientString, deviceWithModule, holds, ok, program, refused, registry, same };
