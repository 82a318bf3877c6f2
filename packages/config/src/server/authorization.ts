import { type ConfNode, goTypeName, goValueText } from '../conf/tree.ts';
import { goQuote } from '../go/quote.ts';
import { readTimeoutSeconds } from './duration-field.ts';
import { asBoolean, asMap, asString, FieldError, type Findings } from './fields.ts';
import { readPermissions } from './permissions.ts';
import type { Permissions, UserConfig } from './server-config.ts';
import type { ServerSettings } from './settings.ts';

/** From here on nats-server warns of a timeout: an unquoted `1m` is a million seconds. */
const HIGH_TIMEOUT_SECONDS = 60;

const CONNECTION_TYPES = new Set(['STANDARD', 'WEBSOCKET', 'LEAFNODE', 'LEAFNODE_WS', 'MQTT', 'MQTT_WS', 'IN_PROCESS']);

/** What the block says. */
interface Authorization {
  username: string;
  password: string;
  token: string;
  timeoutMs: number;
  users: UserConfig[] | null;
  defaultPermissions: Permissions | null;
}

/** Reads the `authorization` block into the settings (spec/core.md 4.2, 5.3). @throws FieldError */
export function readAuthorization(node: ConfNode, settings: ServerSettings, findings: Findings): void {
  const auth: Authorization = {
    username: '',
    password: '',
    token: '',
    timeoutMs: 0,
    users: null,
    defaultPermissions: null,
  };
  for (const [key, child] of asMap(node)) readField(auth, key, child, findings);
  checkAuthorization(node, auth);
  settings.username = auth.username;
  settings.password = auth.password;
  settings.authorization = auth.token;
  settings.authTimeoutMs = auth.timeoutMs;
  // An empty list is as good as none, but for the checks.
  if (auth.users !== null && auth.users.length > 0) settings.users = withDefaults(auth.users, auth.defaultPermissions);
}

function readField(auth: Authorization, key: string, node: ConfNode, findings: Findings): void {
  switch (key.toLowerCase()) {
    case 'user':
    case 'username':
      auth.username = asString(node);
      break;
    case 'pass':
    case 'password':
      auth.password = asString(node);
      break;
    case 'token':
      auth.token = asString(node);
      break;
    case 'timeout':
      auth.timeoutMs = readAuthTimeout(key, node, findings) * 1000;
      break;
    case 'users':
      auth.users = findings.block(() => readUsers(node, findings)) ?? null;
      break;
    case 'default_permission':
    case 'default_permissions':
    case 'permissions':
      auth.defaultPermissions = findings.block(() => readPermissions(node, findings)) ?? null;
      break;
    case 'auth_callout':
    case 'auth_hook':
    case 'proxy_required':
      findings.unsupported(`authorization.${key.toLowerCase()}`, node);
      break;
    default:
      findings.unknown(key, node);
  }
}

function readAuthTimeout(key: string, node: ConfNode, findings: Findings): number {
  const seconds = readTimeoutSeconds(node, 'authorization');
  if (seconds > HIGH_TIMEOUT_SECONDS) {
    const given = `timeout of ${goValueText(node.value)} (${fixed(seconds)} seconds) is high`;
    const advice = 'consider keeping it under 60 seconds. possibly caused by unquoted duration';
    findings.warn(node.place, key, `${given}, ${advice}; use '1m' instead of 1m, for example`);
  }
  return seconds;
}

/** Go's %f. */
function fixed(value: number): string {
  return value < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}

function checkAuthorization(node: ConfNode, auth: Authorization): void {
  if ((auth.username !== '' || auth.password !== '') && auth.token !== '') {
    throw new FieldError(node.place, 'Cannot have a user/pass and token');
  }
  if (auth.users === null) return;
  if (auth.username !== '') {
    throw new FieldError(node.place, 'Can not have a single user/pass and a users array');
  }
  if (auth.token !== '') throw new FieldError(node.place, 'Can not have a token and a users array');
  const names = new Set<string>();
  for (const { username } of auth.users) {
    if (names.has(username)) throw new FieldError(node.place, `Duplicate user ${goQuote(username)} detected`);
    names.add(username);
  }
}

function withDefaults(users: readonly UserConfig[], permissions: Permissions | null): UserConfig[] {
  return users.map((user) => ({ ...user, permissions: user.permissions ?? permissions }));
}

function readUsers(node: ConfNode, findings: Findings): UserConfig[] {
  if (!Array.isArray(node.value)) {
    throw new FieldError(node.place, `Expected users field to be an array, got ${goValueText(node.value)}`);
  }
  const users: UserConfig[] = [];
  for (const entry of node.value) {
    if (entry.value instanceof Map) {
      users.push(readUser(entry, findings));
    } else {
      findings.problem(entry.place, `Expected user entry to be a map/struct, got ${goValueText(entry.value)}`);
    }
  }
  return users;
}

function readUser(entry: ConfNode, findings: Findings): UserConfig {
  let username = '';
  let password = '';
  let permissions: Permissions | null = null;
  let allowedConnectionTypes: string[] | null = null;
  let isNkey = false;
  let last = entry;
  for (const [key, child] of asMap(entry)) {
    last = child;
    switch (key.toLowerCase()) {
      case 'user':
      case 'username':
        username = asString(child);
        break;
      case 'pass':
      case 'password':
        password = asString(child);
        break;
      case 'permission':
      case 'permissions':
      case 'authorization':
        permissions = findings.block(() => readPermissions(child, findings)) ?? null;
        break;
      case 'allowed_connection_types':
      case 'connection_types':
      case 'clients':
        allowedConnectionTypes = readConnectionTypes(child, findings);
        break;
      case 'nkey':
        isNkey = asString(child) !== '';
        findings.unsupported('authorization.users.nkey', child);
        break;
      case 'proxy_required':
        if (asBoolean(child)) findings.unsupported('authorization.users.proxy_required', child);
        break;
      default:
        findings.unknown(key, child);
    }
  }
  if (username === '' && !isNkey) throw new FieldError(last.place, 'User entry requires a user');
  return { username, password, permissions, allowedConnectionTypes };
}

function readConnectionTypes(node: ConfNode, findings: Findings): string[] | null {
  const { value, place } = node;
  const failed = 'error parsing allowed connection types:';
  if (typeof value !== 'string' && !Array.isArray(value)) {
    findings.problem(place, `${failed} unsupported type ${goTypeName(value)}`);
    return null;
  }
  const names: string[] = [];
  for (const element of typeof value === 'string' ? [node] : value) {
    if (typeof element.value === 'string') names.push(element.value.toUpperCase());
    else findings.problem(element.place, `${failed} unsupported type in array ${goTypeName(element.value)}`);
  }
  const invalid = names.filter((name) => !CONNECTION_TYPES.has(name));
  if (invalid.length > 0) findings.problem(place, `invalid connection types [${invalid.map(goQuote).join(' ')}]`);
  return names;
}
