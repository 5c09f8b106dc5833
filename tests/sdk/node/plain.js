// The service over plain HTTPS, for what Microsoft's Node client says over AMQP alone, or does not know.
'use strict';

const crypto = require('node:crypto');
const https = require('node:https');
const { CONNECTION_STRING, HOST_NAME, PATIENCE } = require('./check');

const part = (name) => new RegExp(`(?:^|;)${name}=([^;]+)`).exec(CONNECTION_STRING)[1];

function token() {
  const resource = encodeURIComponent(HOST_NAME);
  const expiry = Math.floor(Date.now() / 1000) + 600;
  const key = Buffer.from(part('SharedAccessKey'), 'base64');
  const signature = crypto.createHmac('sha256', key).update(`${resource}\n${expiry}`).digest('base64');
  return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiry}&skn=${part('SharedAccessKeyName')}`;
}

/// Status, headers and body of the answer.
function call(method, path, headers = {}, body = '') {
  return new Promise((resolve, reject) => {
    const join = path.includes('?') ? '&' : '?';
    const options = {
      method,
      host: HOST_NAME,
      path: `${path}${join}api-version=2021-04-12`,
      headers: { Authorization: token(), 'Content-Length': Buffer.byteLength(body), ...headers },
      timeout: PATIENCE,
    };
    const request = https.request(options, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks).toString() }));
    });
    request.on('timeout', () => request.destroy(new Error(`${method} ${path}: no answer in ${PATIENCE} ms`)));
    request.on('error', reject);
    request.end(body);
  });
}

/// The events of the hub behind `after`, as soon as one of them is wanted.
async function events(after, wanted) {
  const seen = [];
  const until = Date.now() + PATIENCE;
  while (Date.now() < until) {
    const answer = await call('GET', `/$twinscope/events?after=${after}&wait=5`);
    if (answer.status !== 200) throw new Error(`the event stream: ${answer.status} ${answer.body}`);
    const page = JSON.parse(answer.body).events;
    seen.push(...page);
    if (page.length > 0) after = page[page.length - 1].number;
    if (page.some(wanted)) return seen;
  }
  throw new Error(`the event stream: what is wanted is not among ${JSON.stringify(seen)}`);
}

module.exports = { call, events };
