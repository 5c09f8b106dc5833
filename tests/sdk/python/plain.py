"""The service over plain HTTPS, for what Microsoft's Python client says over AMQP alone, or does not know."""

import base64
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.parse
import urllib.request

from check import CONNECTION_STRING, HOST_NAME, PATIENCE, fail

_PARTS = dict(part.split("=", 1) for part in CONNECTION_STRING.split(";"))


def token(resource, key, policy=None):
    resource, expiry = urllib.parse.quote(resource, safe=""), int(time.time()) + 600
    signature = hmac.new(base64.b64decode(key), f"{resource}\n{expiry}".encode(), hashlib.sha256).digest()
    signed = urllib.parse.quote(base64.b64encode(signature), safe="")
    name = f"&skn={policy}" if policy else ""
    return f"SharedAccessSignature sr={resource}&sig={signed}&se={expiry}{name}"


def call(method, path, headers=None, body=None, authorization=None):
    """Status, headers and body of the answer."""
    authorization = authorization or token(HOST_NAME, _PARTS["SharedAccessKey"], _PARTS["SharedAccessKeyName"])
    join = "&" if "?" in path else "?"
    request = urllib.request.Request(
        f"https://{HOST_NAME}{path}{join}api-version=2021-04-12",
        method=method,
        data=body,
        headers={"Authorization": authorization, **(headers or {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def events(after, wanted):
    """The events of the hub behind `after`, as soon as one of them is wanted; their end beside them."""
    seen, until = [], time.monotonic() + PATIENCE
    while time.monotonic() < until:
        status, _, body = call("GET", f"/$twinscope/events?after={after}&wait=5")
        if status != 200:
            fail(f"the event stream: {status} {body!r}")
        page = json.loads(body)
        seen += page["events"]
        after = page["events"][-1]["number"] if page["events"] else after
        if any(wanted(event) for event in page["events"]):
            return seen, after
    return fail(f"the event stream: what is wanted is not among {seen}")
