"""The names by which the clients may call the hub, with and without a port, and how they come to believe its certificate."""

import os

from azure.iot.device import IoTHubDeviceClient
from azure.iot.hub import IoTHubRegistryManager

from check import CONNECTION_STRING, HOST_NAME, device_with_module, done, holds, registry, same

DEVICE_ID = "py-names"

manager = registry()
client_string = device_with_module(manager, DEVICE_ID)

same("on HTTPS's own port the hub's connection string has no port", HOST_NAME, "localhost")
for name in ("localhost", "localhost:443", "127.0.0.1", "127.0.0.1:443"):
    there = IoTHubRegistryManager.from_connection_string(CONNECTION_STRING.replace("=localhost;", f"={name};"))
    same(f"service: HostName={name}", there.get_device(DEVICE_ID).device_id, DEVICE_ID)

# With a gateway the client dials the one name, and writes the other into its user name and its token.
for name in ("localhost", "127.0.0.1", "localhost:8443;GatewayHostName=localhost", "LOCALHOST"):
    client = IoTHubDeviceClient.create_from_connection_string(client_string.replace("=localhost;", f"={name};"))
    client.connect()
    same(f"device: HostName={name}", client.get_twin()["desired"], {"$version": 1})
    client.shutdown()

with open(os.environ["SSL_CERT_FILE"], encoding="ascii") as file:
    pem = file.read()
for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
    del os.environ[variable]
client = IoTHubDeviceClient.create_from_connection_string(client_string, server_verification_cert=pem)
client.connect()
holds("the certificate as text", client.connected)
client.shutdown()
manager.delete_device(DEVICE_ID)
done()
