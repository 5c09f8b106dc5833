"""Devices and modules with certificates: by thumbprint and by an authority that the hub knows, and who is refused."""

import os
import queue
import subprocess
import tempfile

from azure.iot.device import IoTHubDeviceClient, IoTHubModuleClient, X509
from azure.iot.device.exceptions import CredentialError
from azure.iot.hub.models import Twin, TwinProperties

from check import HOST_NAME, done, ok, raises, registry, same, taken

CA_FILE, CA_KEY = os.environ["X509_CA_FILE"], os.environ["X509_CA_KEY"]
DEVICE_ID = "py-x509"

manager = registry()
folder = tempfile.TemporaryDirectory()
made = 0


def openssl(*arguments):
    outcome = subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True)
    return outcome.stdout


class Certificate:
    """A certificate as the articles make it: `openssl req -x509` without an authority, else `openssl x509 -req`. With -1 days
    it has expired, which only the latter can make."""

    def __init__(self, name, ca=None, days=2):
        global made
        made += 1
        base = os.path.join(folder.name, str(made))
        self.file, self.key = base + ".pem", base + ".key"
        subject = "/CN=" + name.replace("/", "\\/")
        new = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-subj", subject]
        if ca is None and days > 0:
            openssl(*new, "-x509", "-days", str(days), "-out", self.file)
            return
        openssl(*new, "-out", base + ".csr")
        signer = ["-CA", ca[0], "-CAkey", ca[1], "-set_serial", str(made)] if ca else ["-signkey", self.key]
        openssl("x509", "-req", "-in", base + ".csr", *signer, "-days", str(days), "-out", self.file)

    def thumbprint(self, digest):
        line = openssl("x509", "-in", self.file, "-noout", "-fingerprint", f"-{digest}")
        return line.strip().split("=")[1].replace(":", "")


def new_client(certificate, module_id=None, device_id=DEVICE_ID):
    x509 = X509(cert_file=certificate.file, key_file=certificate.key)
    if module_id is None:
        return IoTHubDeviceClient.create_from_x509_certificate(x509, HOST_NAME, device_id, connection_retry=False)
    return IoTHubModuleClient.create_from_x509_certificate(
        x509, HOST_NAME, device_id, module_id, connection_retry=False
    )


def check_in(what, client, ids):
    """Connects, reports, gets a desired patch, sends telemetry."""
    read = manager.get_twin if len(ids) == 1 else manager.get_module_twin
    update = manager.update_twin if len(ids) == 1 else manager.update_module_twin
    client.connect()
    patches = queue.Queue()
    client.on_twin_desired_properties_patch_received = patches.put
    client.patch_twin_reported_properties({"by": what})
    same(f"{what} reports", read(*ids).properties.reported["by"], what)
    update(*ids, Twin(properties=TwinProperties(desired={"for": what})))
    same(f"{what} gets desired patches", taken("a patch", patches)["for"], what)
    client.send_message(what)
    ok(f"{what} sends")
    client.shutdown()


def check_out(what, client):
    raises(what, CredentialError, client.connect)
    client.shutdown()


def check_thumbprints():
    one, two, stranger = (Certificate("whoever") for _ in range(3))
    device = manager.create_device_with_x509(DEVICE_ID, one.thumbprint("sha1"), two.thumbprint("sha256"), "enabled")
    same("the device is selfSigned", device.authentication.type, "selfSigned")
    read = manager.get_device(DEVICE_ID).authentication.x509_thumbprint
    same("its thumbprints are read back", read.secondary_thumbprint, two.thumbprint("sha256"))
    check_in("a device by its primary thumbprint", new_client(one), [DEVICE_ID])
    check_in("a device by its secondary thumbprint", new_client(two), [DEVICE_ID])
    check_out("another certificate", new_client(stranger))

    ids = (DEVICE_ID, "thumbprint")
    right, wrong = Certificate("/".join(ids)), Certificate(DEVICE_ID)
    manager.create_module_with_x509(*ids, "", right.thumbprint("sha1"), wrong.thumbprint("sha1"))
    check_in("a module by thumbprint", new_client(right, ids[1]), ids)
    check_out("a module whose certificate has the device's name", new_client(wrong, ids[1]))

    expired = Certificate("/".join(ids), days=-1)
    manager.update_module_with_x509(*ids, "", "*", expired.thumbprint("sha1"), expired.thumbprint("sha1"))
    check_out("an expired certificate", new_client(expired, ids[1]))


def check_authority():
    ca = (CA_FILE, CA_KEY)
    device_id = "py-x509-ca"
    device = manager.create_device_with_certificate_authority(device_id, "enabled")
    same("the device is certificateAuthority", device.authentication.type, "certificateAuthority")
    good = Certificate(device_id, ca)
    check_in("a device by authority", new_client(good, device_id=device_id), [device_id])
    check_out("another device's certificate", new_client(Certificate("py-other", ca), device_id=device_id))
    check_out("an expired one of the authority", new_client(Certificate(device_id, ca, days=-1), device_id=device_id))
    check_out("a self-signed one", new_client(Certificate(device_id), device_id=device_id))
    stranger = Certificate("Stranger")
    check_out(
        "one of another authority",
        new_client(Certificate(device_id, (stranger.file, stranger.key)), device_id=device_id),
    )

    ids = (device_id, "myModule")
    manager.create_module_with_certificate_authority(*ids, "")
    check_in("a module by authority", new_client(Certificate("/".join(ids), ca), ids[1], device_id), ids)
    check_out("a module with its device's certificate", new_client(good, ids[1], device_id))

    manager.update_device_with_certificate_authority(device_id, "*", "disabled")
    check_out("a disabled device", new_client(good, device_id=device_id))


check_thumbprints()
check_authority()
done()
