/** A line of a transcript: `> subject ["Header: value"] body`. `S.` stands for `$JS.API.`. */
export interface TranscriptRequest {
  readonly subject: string;
  /** A header block, '' for none. */
  readonly header: string;
  readonly body: string;
}

export function parseRequest(line: string): TranscriptRequest {
  const match = /^> (\S+)(?: (\["[^\]]*"\]))?(?: (.*))?$/.exec(line);
  if (match === null) throw new Error(`not a request: ${line}`);
  const [, subject = '', headers, body = ''] = match;
  const lines = headers === undefined ? [] : (JSON.parse(headers) as string[]);
  return {
    subject: subject.startsWith('S.') ? `$JS.API.${subject.slice(2)}` : subject,
    header: lines.length === 0 ? '' : `NATS/1.0\r\n${lines.map((one) => `${one}\r\n`).join('')}\r\n`,
    body,
  };
}

/** An answer on one line, without what differs from run to run: times and the server's name. */
export function normalize(answer: string): string {
  return answer
    .replaceAll('\r\n', '␍')
    .replaceAll(/20\d\d-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/"leader":"[^"]*"/g, '"leader":"SERVER"')
    .replaceAll(/(\$JS\.ACK\.\S+?\.\d+\.\d+\.\d+)\.\d{19}\./g, '$1.TIME.');
}

/** The same without the bytes that messages take, which only the file store counts as nats-server's does. */
export function withoutBytes(line: string): string {
  return line.replaceAll(/"bytes":\d+/g, '"bytes":0').replaceAll(/"(memory|storage)":\d+/g, '"$1":0');
}
