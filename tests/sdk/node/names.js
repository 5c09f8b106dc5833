// The names by which the clients may call the hub, with and without a port, and how they come to believe its certificate.
'use strict';

const { Client } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const { deviceWithModule, program, registry, same } = require('./check');

const deviceId = 'node-names';
const manager = registry();

program(async () => {
  const clientString = await deviceWithModule(manager, deviceId);
  const names = [
    'localhost',
    'localhost:8883',
    '127.0.0.1',
    'localhost:8443;GatewayHostName=localhost',
    'localhost;GatewayHostName=localhost:8883',
  ];
  for (const name of names) {
    const client = Client.fromConnectionString(clientString.replace('=localhost;', `=${name};`), Mqtt);
    await client.setOptions({ ca: process.env.SSL_CERT_FILE });
    await client.open();
    same(`device: HostName=${name}`, (await client.getTwin()).properties.desired, { $version: 1 });
    await client.close();
  }
  await manager.delete(deviceId);
});
