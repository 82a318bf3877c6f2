import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { oraclePath } from './oracle.ts';
import type { ServerProcess } from './server-process.ts';
import { natsd, natsServer, type Target } from './targets.ts';
import { TempDir } from './temp-dir.ts';
import { WireClient, type WireMessage } from './wire-client.ts';

/** How long nothing may come before that is called silence, ms. */
const SILENCE_MS = 400;
/** How long something may take that is known to come, ms. */
const PATIENCE_MS = 10_000;

/** A scenario's view of a server: what it does is written down, with everything that must differ masked. */
export class Transcript {
  readonly client: WireClient;
  readonly server: ServerProcess;
  readonly lines: string[] = [];
  /** For every wait in turn, whether something came. */
  readonly arrivals: boolean[] = [];
  readonly #expected: readonly boolean[] | null;

  /** @param expected the other server's `arrivals`: what came there is waited for patiently here. */
  constructor(client: WireClient, server: ServerProcess, expected: readonly boolean[] | null) {
    this.client = client;
    this.server = server;
    this.#expected = expected;
  }

  /** A wait that only ends a silence when silence is expected: a slow disk must not look like a different answer. */
  async #arrival<T>(withinMs: number, wait: (withinMs: number) => Promise<T | null>): Promise<T | null> {
    const isExpected = this.#expected?.[this.arrivals.length] === true;
    const arrived = await wait(isExpected ? Math.max(withinMs, PATIENCE_MS) : withinMs);
    this.arrivals.push(arrived !== null);
    return arrived;
  }

  /** One field of a JSON text a line, so that a difference shows where it is; the order of fields stays visible. */
  note(line: string): void {
    this.lines.push(...mask(line).replaceAll(',"', ',\n    "').split('\n'));
  }

  /** One `$JS.API` request; returns the answer's JSON for use in later steps. */
  async api(subject: string, body: unknown = '', header: string | null = null): Promise<Record<string, unknown>> {
    return this.request(`$JS.API.${subject}`, typeof body === 'string' ? body : JSON.stringify(body), header);
  }

  /** One request; the answer goes into the transcript. */
  async request(subject: string, payload = '', header: string | null = null): Promise<Record<string, unknown>> {
    const answer = await this.#arrival(SILENCE_MS, async (withinMs) => {
      const got = await this.client.request(subject, payload, header, withinMs);
      return got.kind === 'silence' ? null : got;
    });
    this.note(`> ${subject} ${payload}${header === null ? '' : ` ${JSON.stringify(header)}`}`);
    if (answer === null) {
      this.note('< silence');
      return {};
    }
    this.note(`< ${describeMessage(answer.message, false)}`);
    try {
      return JSON.parse(answer.message.payload) as Record<string, unknown>;
    } catch {
      return {};
    }
  }

  /** Takes the next `count` messages of a subscription into the transcript. */
  async take(sid: string, count: number, withinMs = 3_000): Promise<WireMessage[]> {
    const taken: WireMessage[] = [];
    for (let i = 0; i < count; i++) {
      const message = await this.#arrival(withinMs, (within) => this.client.next(sid, within));
      this.note(message === null ? '< nothing more' : `< ${describeMessage(message, true)}`);
      if (message === null) break;
      taken.push(message);
    }
    return taken;
  }

  /** Writes down that nothing (more) comes on a subscription within a moment. */
  async expectNothing(sid: string, withinMs = 150): Promise<void> {
    const message = await this.client.next(sid, withinMs);
    this.note(message === null ? '< nothing more' : `< ${describeMessage(message, true)}`);
  }
}

function describeMessage(message: WireMessage, withSubject: boolean): string {
  const parts = withSubject ? [message.subject, message.reply ?? '-'] : [];
  if (message.header !== null) parts.push(JSON.stringify(message.header));
  parts.push(message.payload);
  return parts.join(' ');
}

/** Times, ids and names that a server makes up, replaced by what they stand for. */
export function mask(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (time) => (time.startsWith('0001-') ? time : '<time>'))
    .replace(/\bN[A-Z2-7]{55}\b/g, '<server>')
    .replace(/(\$JS\.ACK\.\S+?\.\S+?\.\d+\.\d+\.\d+\.)\d{19}/g, '$1<ns>')
    .replace(/("last_active":)"<time>"/g, '$1"<time>"')
    .replace(/_INBOX\.wire\.\d+/g, '<inbox>')
    .replace(/("(?:memory|storage)_?\w*":)\d{6,}/g, '$1<bytes>');
}

/** The scenario runs on a fresh nats-server and on a fresh natsd; both transcripts must be equal. */
export function describeSameTranscript(
  title: string,
  args: readonly string[],
  scenarios: Record<string, (t: Transcript) => Promise<void>>,
): void {
  describe.runIf(oraclePath() !== null)(`${title}: as nats-server answers`, () => {
    for (const [name, scenario] of Object.entries(scenarios)) {
      it(name, async () => {
        const expected = await record(natsServer, args, scenario);
        const folder = process.env['NATS_TS_TRANSCRIPTS'];
        if (folder !== undefined)
          writeFileSync(join(folder, `${name.replace(/\W+/g, '-')}.txt`), `${expected.lines.join('\n')}\n`);
        const actual = await record(natsd, args, scenario, expected.arrivals);
        expect(actual.lines).toEqual(expected.lines);
      });
    }
  });
}

async function record(
  target: Target,
  args: readonly string[],
  scenario: (t: Transcript) => Promise<void>,
  expected: readonly boolean[] | null = null,
): Promise<Transcript> {
  using dir = new TempDir('transcript');
  await using server = await target.start({ args: [...args, ...(args.includes('-js') ? ['-sd', dir.path] : [])] });
  await using client = await WireClient.connect(server.port);
  const transcript = new Transcript(client, server, expected);
  await scenario(transcript);
  for (const error of client.errors) transcript.note(`-ERR ${error}`);
  return transcript;
}
