import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { consumerModule } from '../../src/consumer/module.ts';
import { MemoryStorage } from '../../src/store/memory/memory-storage.ts';
import { Harness } from '../jetstream-harness.ts';
import { turns } from '../manual-clock.ts';
import { normalize, parseRequest } from './transcript.ts';

const directory = new URL('transcripts/', import.meta.url);

/** Answers of nats-server 2.15.1, recorded with scripts/record-transcripts.mjs: ours are the same, byte for byte. */
describe('requests that nats-server 2.15.1 was asked too', () => {
  it.each(readdirSync(directory))('%s', async (file) => {
    const harness = await Harness.open({}, new MemoryStorage(), consumerModule);
    const recorded = readFileSync(new URL(file, directory), 'utf8').trimEnd().split('\n');
    const ours: string[] = [];
    let answers: string[] = [];
    harness.account.listen('_INBOX.>', ({ header, payload }) => answers.push(header + payload));
    for (const [index, line] of recorded.entries()) {
      if (line.startsWith('<')) continue;
      ours.push(line);
      if (!line.startsWith('>')) continue;
      const { subject, header, body } = parseRequest(line);
      answers = [];
      harness.host.clock.advance(20);
      const reached = harness.account.publish(subject, body, { reply: `_INBOX.${index}`, headers: header });
      if (reached === 0) answers.push(`NATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n`);
      await turns(6);
      for (const answer of answers) ours.push(`< ${normalize(answer)}`);
    }
    expect(ours).toEqual(recorded);
  });
});
