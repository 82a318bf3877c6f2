import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** What is answered to a request. */
export interface Answer {
  readonly code: number;
  readonly type: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const TEXT = 'text/plain; charset=utf-8';

export function json(code: number, body: string): Answer {
  return { code, type: 'application/json', body, headers: { 'Access-Control-Allow-Origin': '*' } };
}

export function html(body: string): Answer {
  return { code: 200, type: 'text/html; charset=utf-8', body, headers: {} };
}

export function text(code: number, body: string): Answer {
  return { code, type: TEXT, body, headers: {} };
}

export function notFound(): Answer {
  return { code: 404, type: TEXT, body: '404 page not found\n', headers: { 'X-Content-Type-Options': 'nosniff' } };
}

/** As Go answers a path with `//`, `.` or `..` in it. */
export function movedTo(path: string, query: string): Answer {
  // Nothing of a request gets into a header but what may stand in an address.
  const url = encodeURI(path) + (query === '' ? '' : `?${query.replace(/[^!-~]/g, '')}`);
  const href = url.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
  return {
    code: 301,
    type: 'text/html; charset=utf-8',
    body: `<a href="${href}">Moved Permanently</a>.\n\n`,
    headers: { Location: url },
  };
}

/** Answers a request that Node has read. */
export function send(response: ServerResponse, answer: Answer): void {
  const bytes = Buffer.from(answer.body);
  response.writeHead(answer.code, { ...answer.headers, 'Content-Type': answer.type, 'Content-Length': bytes.length });
  response.end(bytes);
}

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  301: 'Moved Permanently',
  400: 'Bad Request',
  404: 'Not Found',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** Answers a request that Node has not read, and ends the connection. */
export function sendRaw(socket: Duplex, answer: Answer): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const bytes = Buffer.from(answer.body);
  const headers = { ...answer.headers, 'Content-Type': answer.type, 'Content-Length': `${bytes.length}` };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const line = `HTTP/1.1 ${answer.code} ${REASONS[answer.code] ?? 'Error'}\r\n`;
  // A client that does not take it, or sends on, does not keep the connection.
  socket.end(Buffer.concat([Buffer.from(`${line}${head.join('')}Connection: close\r\n\r\n`), bytes]), () =>
    socket.destroy(),
  );
}
