//! Node.js, with nothing but its own modules.

use super::quote::javascript;
use super::{Authority, CA_FILE, CONNECTION_STRING, CONTENT_TYPE, Save};

pub(super) fn program(save: &Save) -> String {
    let (ca_comment, ca) = match save.authority {
        Authority::Public => (String::new(), String::new()),
        Authority::Private => (
            format!("// {CA_FILE} names the PEM file of the authority that signed the hub's certificate\n"),
            format!("    ca: require('node:fs').readFileSync(process.env.{CA_FILE}),\n"),
        ),
    };
    let (method, url, etag, body) =
        (save.method.word(), javascript(&save.url()), javascript(&save.etag()), javascript(&save.json()));
    format!(
        r"// {CONNECTION_STRING} holds the connection string of a policy that may write twins
{ca_comment}const crypto = require('node:crypto');
const https = require('node:https');

const parts = process.env.{CONNECTION_STRING}.split(';').map((part) => part.split(/=(.*)/s));
const policy = Object.fromEntries(parts);
const resource = encodeURIComponent(policy.HostName.split(':')[0]);
const expiry = Math.floor(Date.now() / 1000) + 300;
const key = Buffer.from(policy.SharedAccessKey, 'base64');
const signature = crypto.createHmac('sha256', key).update(`${{resource}}\n${{expiry}}`).digest('base64');
const token =
  `SharedAccessSignature sr=${{resource}}&sig=${{encodeURIComponent(signature)}}` +
  `&se=${{expiry}}&skn=${{encodeURIComponent(policy.SharedAccessKeyName)}}`;

const body = {body};
const request = https.request(
  {url},
  {{
    method: '{method}',
{ca}    headers: {{
      'Authorization': token,
      'If-Match': {etag},
      'Content-Type': '{CONTENT_TYPE}',
      'Content-Length': Buffer.byteLength(body),
    }},
  }},
  (answer) => {{
    let text = '';
    answer.setEncoding('utf8');
    answer.on('data', (part) => (text += part));
    answer.on('end', () => {{
      console.log(answer.statusCode, text);
      process.exitCode = answer.statusCode < 300 ? 0 : 1;
    }});
  }},
);
request.end(body);
"
    )
}
