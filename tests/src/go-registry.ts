import { GoClient, type GoMessage } from './go-client.ts';

const STREAM = 'KV_service-registry';
const KEYS = '$KV.service-registry.';
// Byte for byte as nats.go sends it for the registry of oCIS services (spec/ocis.md 4).
const CREATE =
  '{"name":"KV_service-registry","description":"KeyValue storage administered by go-micro store plugin","subjects":["$KV.service-registry.\\u003e"],"retention":"limits","max_consumers":0,"max_msgs":-1,"max_bytes":-1,"discard":"new","max_age":30000000000,"max_msgs_per_subject":1,"max_msg_size":-1,"storage":"memory","num_replicas":1,"duplicate_window":30000000000,"compression":"none","deny_delete":true,"allow_rollup_hdrs":true,"allow_direct":true,"mirror_direct":false,"consumer_limits":{}}';

function consumerRequest(name: string, inbox: string, headersOnly: boolean): string {
  return `{"stream_name":"${STREAM}","config":{"name":"${name}","deliver_policy":"last_per_subject","ack_policy":"none","ack_wait":79200000000000,"max_deliver":1,"filter_subject":"$KV.service-registry.\\u003e","replay_policy":"instant","flow_control":true,"idle_heartbeat":5000000000,${headersOnly ? '"headers_only":true,' : ''}"deliver_subject":"${inbox}","num_replicas":1,"mem_storage":true}}`;
}

/** What a Go watcher is told: "create" for puts, "delete" for markers. */
export interface GoWatchEvent {
  readonly action: 'create' | 'delete';
  /** `<service>@<process id>@<version>`. */
  readonly key: string;
}

/** The registry client of a Go service: its requests in its order, with heartbeats left to the test. */
export class GoRegistry implements Disposable {
  readonly client: GoClient;
  #names = 0;

  constructor(port: number, name = 'nats-js-kv-registry') {
    this.client = new GoClient(port, name);
  }

  /** What a service does at its start and after every reconnect. */
  async init(): Promise<void> {
    await this.client.connected();
    const info = await this.client.api(`STREAM.INFO.${STREAM}`, '');
    if (info['error'] === undefined) return;
    await this.client.api('INFO', '');
    const made = await this.client.api(`STREAM.CREATE.${STREAM}`, CREATE);
    if (made['error'] !== undefined) throw new Error(JSON.stringify(made));
  }

  /** Registration and heartbeat are the same. */
  async register(key: string, serviceJson: string): Promise<void> {
    const data = Buffer.from(serviceJson).toString('base64');
    const ack = await this.client.request(subjectOf(key), `{"key":"${key}","data":"${data}","metadata":null}`);
    if (!ack.payload.includes('"seq":')) throw new Error(`not stored: ${ack.header}${ack.payload}`);
  }

  async deregister(key: string): Promise<void> {
    await this.client.request(subjectOf(key), '', 5_000, 'NATS/1.0\r\nKV-Operation: DEL\r\n\r\n');
  }

  /** ListKeys, then a direct get per key that matches: the JSON of the services. */
  async getService(name: string): Promise<string[]> {
    const found: string[] = [];
    for (const key of await this.#keys()) {
      if (!decodeKey(key).startsWith(`service-registry_${name}@`)) continue;
      const answer = await this.client.request(`$JS.API.DIRECT.GET.${STREAM}.${KEYS}${key}`, '');
      if (answer.payload === '') continue;
      const envelope = JSON.parse(answer.payload) as { data: string };
      found.push(Buffer.from(envelope.data, 'base64').toString());
    }
    return found;
  }

  /** WatchAll; stays up until the client is disposed. */
  async watch(callback: (event: GoWatchEvent) => void): Promise<void> {
    const { name, inbox } = this.#consumer();
    this.client.subscribe(inbox, null, (message) => {
      if (!message.subject.startsWith(KEYS)) return;
      const key = decodeKey(message.subject.slice(KEYS.length)).replace('service-registry_', '');
      callback({ action: isMarker(message) ? 'delete' : 'create', key });
    });
    await this.client.api(`CONSUMER.CREATE.${STREAM}.${name}.${KEYS}>`, consumerRequest(name, inbox, false));
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
  }

  async #keys(): Promise<string[]> {
    const { name, inbox } = this.#consumer();
    const received: GoMessage[] = [];
    let wake = (): void => {};
    this.client.subscribe(inbox, null, (message) => {
      if (!message.subject.startsWith(KEYS)) return;
      received.push(message);
      wake();
    });
    const made = await this.client.api(
      `CONSUMER.CREATE.${STREAM}.${name}.${KEYS}>`,
      consumerRequest(name, inbox, true),
    );
    const total = Number(made['num_pending']) + Number((made['delivered'] as { consumer_seq: number }).consumer_seq);
    while (received.length < total) await new Promise<void>((resolve) => (wake = resolve));
    await this.client.api(`CONSUMER.DELETE.${STREAM}.${name}`, '');
    // Heartbeats that came in until the consumer was gone are no keys of the list.
    const listed = received.slice(0, total).filter((message) => !isMarker(message));
    return listed.map((message) => message.subject.slice(KEYS.length));
  }

  #consumer(): { name: string; inbox: string } {
    const name = `g${(this.#names++).toString().padStart(7, '0')}`;
    return { name, inbox: `_INBOX.${name}${Math.random().toString(36).slice(2, 10)}` };
  }
}

function isMarker(message: GoMessage): boolean {
  return message.header?.includes('KV-Operation') === true;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Written apart from the code under test. */
function subjectOf(key: string): string {
  let bits = '';
  for (const byte of Buffer.from(`service-registry_${key}`)) bits += byte.toString(2).padStart(8, '0');
  let out = '';
  for (let i = 0; i < bits.length; i += 5) out += ALPHABET[Number.parseInt(bits.slice(i, i + 5).padEnd(5, '0'), 2)];
  return KEYS + out.padEnd(Math.ceil(out.length / 8) * 8, '=');
}

function decodeKey(encoded: string): string {
  let bits = '';
  for (const character of encoded.replace(/=+$/, '')) bits += ALPHABET.indexOf(character).toString(2).padStart(5, '0');
  const bytes = bits.match(/[01]{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? [];
  return Buffer.from(bytes).toString();
}
