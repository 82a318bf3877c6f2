/**
 * Verbs a client may send, as a table: state and byte to next state, 0 for a byte that fits nowhere. The numbers are
 * those of nats-server's parser, because its log names them in `Client parser ERROR, state=…` (spec/core.md 1.1).
 */

export const STATE_START = 0;
export const STATE_OK = 3;
export const STATE_ERR = 7;
export const STATE_CONNECT = 16;
export const STATE_HPUB = 21;
export const STATE_PUB = 31;
export const STATE_PING = 36;
export const STATE_PONG = 39;
export const STATE_MSG_END_R = 41;
export const STATE_MSG_END_N = 42;
export const STATE_SUB = 45;
export const STATE_UNSUB = 63;
export const STATE_INFO = 74;

const STATES = 75;

const VERBS: readonly (readonly [verb: string, states: readonly number[]])[] = [
  ['+OK', [1, 2, STATE_OK]],
  ['-ERR', [4, 5, 6, STATE_ERR]],
  ['CONNECT', [10, 11, 12, 13, 14, 15, STATE_CONNECT]],
  ['HPUB', [18, 19, 20, STATE_HPUB]],
  ['PUB', [29, 30, STATE_PUB]],
  ['PING', [29, 34, 35, STATE_PING]],
  ['PONG', [29, 37, 38, STATE_PONG]],
  ['SUB', [43, 44, STATE_SUB]],
  ['UNSUB', [59, 60, 61, 62, STATE_UNSUB]],
  ['INFO', [71, 72, 73, STATE_INFO]],
];

/** `NEXT_STATE[(state << 8) | byte]`. */
export const NEXT_STATE: Uint8Array = build();

function build(): Uint8Array {
  const table = new Uint8Array(STATES << 8);
  for (const [verb, states] of VERBS) {
    let state = STATE_START;
    for (let i = 0; i < verb.length; i++) {
      const next = states[i]!;
      table[(state << 8) | verb.charCodeAt(i)] = next;
      table[(state << 8) | verb.toLowerCase().charCodeAt(i)] = next;
      state = next;
    }
  }
  return table;
}
