import { type GoStruct, parseGoStruct } from './go-json.ts';
import { GoJsonError } from './go-json-scan.ts';
import { SUBJECT_PERMISSION } from './subject-permission.ts';

/** What a client says in CONNECT. Source: spec/core.md 2.2. */
export interface ConnectOptions {
  verbose: boolean;
  pedantic: boolean;
  echo: boolean;
  tls_required: boolean;
  nkey: string;
  jwt: string;
  sig: string;
  auth_token: string;
  user: string;
  pass: string;
  name: string;
  lang: string;
  version: string;
  protocol: number;
  headers: boolean;
  no_responders: boolean;
  account: string;
  new_account: boolean;
  remote_account: string;
  proxy_sig: string;
}

/** Options of a connection that has not sent CONNECT: verbose and pedantic, with echo, without headers. */
export const DEFAULT_CONNECT_OPTIONS: Readonly<ConnectOptions> = Object.freeze({
  verbose: true,
  pedantic: true,
  echo: true,
  tls_required: false,
  nkey: '',
  jwt: '',
  sig: '',
  auth_token: '',
  user: '',
  pass: '',
  name: '',
  lang: '',
  version: '',
  protocol: 0,
  headers: false,
  no_responders: false,
  account: '',
  new_account: false,
  remote_account: '',
  proxy_sig: '',
});

const CONNECT: GoStruct = {
  name: 'ClientOpts',
  fields: {
    echo: 'bool',
    verbose: 'bool',
    pedantic: 'bool',
    tls_required: 'bool',
    nkey: 'string',
    jwt: 'string',
    sig: 'string',
    auth_token: 'string',
    user: 'string',
    pass: 'string',
    name: 'string',
    lang: 'string',
    version: 'string',
    protocol: 'int',
    account: 'string',
    new_account: 'bool',
    headers: 'bool',
    no_responders: 'bool',
    import: SUBJECT_PERMISSION,
    export: SUBJECT_PERMISSION,
    remote_account: 'string',
    proxy_sig: 'string',
  },
};

/** The options in the JSON of a CONNECT, or why it cannot be read. */
export type ConnectResult =
  | { readonly options: ConnectOptions; readonly error: null }
  | { readonly options: null; readonly error: string };

/**
 * Reads the JSON of a CONNECT the way nats-server does: key names in any case, unknown keys ignored, absent keys and null
 * keep their value from `previous`. An `error` is the text for the log; the client gets no -ERR, only a close.
 * `import` and `export` (permissions, for routes and leaf nodes only) must have the right type and mean nothing.
 *
 * @param previous what the connection has now; `DEFAULT_CONNECT_OPTIONS` before the first CONNECT.
 */
export function parseConnect(json: string, previous: Readonly<ConnectOptions>): ConnectResult {
  try {
    return { options: parseGoStruct(json, CONNECT, previous), error: null };
  } catch (error) {
    if (error instanceof GoJsonError) return { options: null, error: error.message };
    throw error;
  }
}
