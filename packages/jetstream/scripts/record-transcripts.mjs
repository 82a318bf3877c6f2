// Records what a nats-server answers to the requests of test/api/transcripts/*.txt and writes the answers beneath them.
// Start a nats-server 2.15.1 with JetStream on a fresh directory for each file, then:
//   node packages/jetstream/scripts/record-transcripts.mjs <port> <file>
// A line `> subject ["Header: value"] body` is a request (S. stands for $JS.API.), `< …` an answer; the latter are replaced.
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { normalize, parseRequest } from '../test/api/transcript.ts';

const ANSWER_WAIT_MS = 700;
const [port, file] = process.argv.slice(2);
const lines = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('<'));

const socket = connect(Number(port), '127.0.0.1');
let received = Buffer.alloc(0);
let answers = [];
socket.on('data', (chunk) => {
  received = Buffer.concat([received, chunk]);
  for (;;) {
    const end = received.indexOf('\r\n');
    if (end < 0) return;
    const control = received.toString('latin1', 0, end).split(' ');
    const bytes = control[0] === 'MSG' || control[0] === 'HMSG' ? Number(control.at(-1)) + 2 : 0;
    if (received.length < end + 2 + bytes) return;
    if (bytes > 0) answers.push(received.toString('utf8', end + 2, end + bytes));
    received = received.subarray(end + 2 + bytes);
  }
});
socket.write('CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\nSUB _INBOX.> 1\r\n');

const output = [];
let requests = 0;
for (const line of lines) {
  output.push(line);
  if (!line.startsWith('>')) continue;
  const { subject, header, body } = parseRequest(line);
  const reply = `_INBOX.${++requests}`;
  const size = Buffer.byteLength(header) + Buffer.byteLength(body);
  const verb =
    header === '' ? `PUB ${subject} ${reply} ${size}` : `HPUB ${subject} ${reply} ${Buffer.byteLength(header)} ${size}`;
  answers = [];
  socket.write(`${verb}\r\n${header}${body}\r\n`);
  const deadline = Date.now() + ANSWER_WAIT_MS;
  while (answers.length === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  // A batch goes on for a moment.
  await new Promise((resolve) => setTimeout(resolve, 25));
  for (const answer of answers) output.push(`< ${normalize(answer)}`);
}
socket.end();
writeFileSync(file, `${output.join('\n')}\n`);
