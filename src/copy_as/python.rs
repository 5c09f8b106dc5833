//! Python 3.7 or later, with nothing but its standard library.

use super::quote::python;
use super::{Authority, CA_FILE, CONNECTION_STRING, CONTENT_TYPE, Save};

pub(super) fn program(save: &Save) -> String {
    let (ca_comment, ca) = match save.authority {
        Authority::Public => (String::new(), String::new()),
        Authority::Private => (
            format!("# {CA_FILE} names the PEM file of the authority that signed the hub's certificate\n"),
            format!("cafile=os.environ[\"{CA_FILE}\"]"),
        ),
    };
    let (method, url, etag, body) =
        (save.method.word(), python(&save.url()), python(&save.etag()), python(&save.json()));
    format!(
        r#"# {CONNECTION_STRING} holds the connection string of a policy that may write twins
{ca_comment}import base64
import hmac
import os
import ssl
import time
import urllib.error
import urllib.request
from urllib.parse import quote

policy = dict(part.split("=", 1) for part in os.environ["{CONNECTION_STRING}"].split(";") if "=" in part)
resource = quote(policy["HostName"].split(":")[0], safe="")
expiry = int(time.time()) + 300
key = base64.b64decode(policy["SharedAccessKey"])
signature = base64.b64encode(hmac.digest(key, f"{{resource}}\n{{expiry}}".encode(), "sha256"))
token = (
    f"SharedAccessSignature sr={{resource}}&sig={{quote(signature, safe='')}}"
    f"&se={{expiry}}&skn={{quote(policy['SharedAccessKeyName'], safe='')}}"
)

request = urllib.request.Request(
    {url},
    method="{method}",
    headers={{
        "Authorization": token,
        "If-Match": {etag},
        "Content-Type": "{CONTENT_TYPE}",
    }},
    data={body}.encode(),
)
try:
    with urllib.request.urlopen(request, context=ssl.create_default_context({ca})) as answer:
        print(answer.read().decode())
except urllib.error.HTTPError as error:
    raise SystemExit(f"{{error.code}}: {{error.read().decode()}}")
"#
    )
}
