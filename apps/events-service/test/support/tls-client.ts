import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { RawClient, until } from '../../../../tests/src/index.ts';

/** What a client learns. */
export interface Talk {
  readonly info: Record<string, unknown>;
  /** What the server says to a PING, or why it does not. */
  readonly said: string;
  /** Of the certificate it shows. */
  readonly subject: string;
}

/** Reads INFO in the clear, then upgrades and says PING. */
export async function talk(port: number, options: ConnectionOptions): Promise<Talk> {
  await using plain = await RawClient.connect(port, { keepInfo: true });
  const info = JSON.parse((await plain.readUntil('\r\n')).slice('INFO '.length)) as Record<string, unknown>;
  plain.socket.removeAllListeners('data');
  const secure: TLSSocket = connect({ socket: plain.socket, servername: 'localhost', ...options });
  let said = '';
  let subject = '';
  let ended = false;
  secure.on('data', (chunk: Buffer) => {
    said += chunk.toString('latin1');
  });
  secure.on('error', (error) => {
    said += error.message;
    ended = true;
  });
  secure.on('close', () => {
    ended = true;
  });
  secure.on('secureConnect', () => {
    subject = secure.getPeerX509Certificate()?.subject ?? '';
    secure.write('CONNECT {"verbose":false}\r\nPING\r\n');
  });
  await until('an answer', () => ended || said.includes('PONG'));
  secure.destroy();
  return { info, said, subject };
}
