import { type ConfNode, goTypeName, goValueText } from '../conf/tree.ts';
import { durationMs, parseGoDuration } from '../go/duration.ts';
import { goQuote } from '../go/quote.ts';
import { readTimeoutSeconds } from './duration-field.ts';
import { asArray, asMap, asString, FieldError, type Findings, safeNumber } from './fields.ts';
import type { TlsConfig } from './server-config.ts';
import { loadTls, NO_TLS_FIELDS, type PairFiles, type TlsFields } from './tls-load.ts';
import { type ReadFile, TlsMaterialError } from './tls-material.ts';
import { CIPHER_SUITES, CURVES, TLS_VERSIONS } from './tls-names.ts';

/** How long handshake_first `auto` waits for a client's hello before INFO is sent after all. */
const AUTO_FALLBACK_MS = 50;

/** Keys that nats-server takes in `tls` and this program does not. */
const UNSUPPORTED = new Set([
  'verify_and_map',
  'cert_store',
  'cert_match_by',
  'cert_match',
  'ca_certs_match',
  'cert_match_skip_invalid',
  'ocsp_peer',
]);

/** What decides whether the cipher suites are taken. */
interface CipherChoice {
  insecure: string[];
  allowInsecure: boolean;
}

/**
 * Reads a `tls` block and loads the files it names (spec/core.md 5.4). Like nats-server's, it stops at the first error.
 *
 * @throws FieldError
 */
export function readTls(node: ConfNode, findings: Findings, readFile: ReadFile): TlsConfig {
  const fields: TlsFields = { ...NO_TLS_FIELDS };
  const choice: CipherChoice = { insecure: [], allowInsecure: false };
  for (const [key, child] of asMap(node)) readField(fields, choice, key, child, findings);
  if (fields.pairs.length > 0 && fields.certFile !== '') {
    throw new FieldError(node.place, "error parsing tls config, cannot combine 'cert_file' option with 'certs' option");
  }
  if (!choice.allowInsecure && choice.insecure.length > 0) {
    const without = "without 'allow_insecure_cipher_suites' option set";
    throw new FieldError(node.place, `insecure cipher suites configured ${without}: ${choice.insecure.join(', ')}`);
  }
  try {
    return loadTls(fields, readFile);
  } catch (error) {
    throw error instanceof TlsMaterialError ? new FieldError(node.place, error.message) : error;
  }
}

function readField(fields: TlsFields, choice: CipherChoice, key: string, node: ConfNode, findings: Findings): void {
  const name = key.toLowerCase();
  switch (name) {
    case 'cert_file':
      fields.certFile = fileName(name, node);
      break;
    case 'key_file':
      fields.keyFile = fileName(name, node);
      break;
    case 'ca_file':
      fields.caFile = fileName(name, node);
      break;
    case 'insecure':
      flag(name, node); // only counts where the server is a client
      break;
    case 'verify':
      fields.verify = flag(name, node);
      break;
    case 'verify_cert_and_check_known_urls':
      if (flag(name, node)) throw new FieldError(node.place, `${name} not supported in this context`);
      break;
    case 'allow_insecure_cipher_suites':
      choice.allowInsecure = flag(name, node);
      break;
    case 'cipher_suites':
      fields.ciphers = readCiphers(node, choice);
      break;
    case 'curve_preferences':
      nonEmpty(name, node).forEach(checkCurve);
      findings.unsupported('tls.curve_preferences', node);
      break;
    case 'timeout':
      fields.timeoutMs = readTimeoutSeconds(node, 'tls') * 1000;
      break;
    case 'connection_rate_limit':
      if (readRateLimit(node) !== 0) findings.unsupported('tls.connection_rate_limit', node);
      break;
    case 'pinned_certs':
      if (readPinnedCerts(node).length > 0) findings.unsupported('tls.pinned_certs', node);
      break;
    case 'handshake_first':
    case 'first':
    case 'immediate':
      fields.handshakeFirst = readHandshakeFirst(key, node);
      break;
    case 'certs':
    case 'certificates':
      fields.pairs = readPairs(node);
      if (fields.pairs.length > 1)
        findings.problem(node.place, 'more than one certificate is not supported yet by nats-ts');
      break;
    case 'min_version':
      fields.minVersion = readMinVersion(node);
      break;
    default:
      if (!UNSUPPORTED.has(name)) {
        throw new FieldError(node.place, `error parsing tls config, unknown field ${goQuote(key)}`);
      }
      findings.unsupported(`tls.${name}`, node);
  }
}

function fileName(key: string, node: ConfNode): string {
  if (typeof node.value === 'string') return node.value;
  throw new FieldError(node.place, `error parsing tls config, expected '${key}' to be filename`);
}

function flag(key: string, node: ConfNode): boolean {
  if (typeof node.value === 'boolean') return node.value;
  throw new FieldError(node.place, `error parsing tls config, expected '${key}' to be a boolean`);
}

function nonEmpty(key: string, node: ConfNode): ConfNode[] {
  const list = asArray(node);
  if (list.length === 0) throw new FieldError(node.place, `error parsing tls config, '${key}' cannot be empty`);
  return list;
}

/** The OpenSSL names of the suites; those that need leave are noted. */
function readCiphers(node: ConfNode, choice: CipherChoice): string[] {
  return nonEmpty('cipher_suites', node).map((element) => {
    const name = asString(element);
    const suite = CIPHER_SUITES.get(name);
    if (suite === undefined) throw new FieldError(element.place, `unrecognized cipher ${name}`);
    if (suite.openssl === null) throw new FieldError(element.place, `cipher ${name} is not supported by nats-ts`);
    if (suite.insecure) choice.insecure.push(name);
    return suite.openssl;
  });
}

function checkCurve(node: ConfNode): void {
  const name = asString(node);
  if (!CURVES.has(name)) throw new FieldError(node.place, `unrecognized curve preference ${name}`);
}

function readRateLimit(node: ConfNode): number {
  if (typeof node.value === 'bigint') return safeNumber(node.value, node.place);
  throw new FieldError(node.place, "error parsing tls config, 'connection_rate_limit' wrong type");
}

function readPinnedCerts(node: ConfNode): string[] {
  const form = 'hex-encoded sha256 of DER encoded SubjectPublicKeyInfo';
  if (!Array.isArray(node.value)) {
    throw new FieldError(node.place, `error parsing tls config, expected 'pinned_certs' to be a list of ${form}`);
  }
  return node.value.map((element) => {
    const pin = asString(element).toLowerCase();
    if (/^[a-f0-9]{64}$/.test(pin)) return pin;
    throw new FieldError(
      element.place,
      `error parsing tls config, 'pinned_certs' key ${pin} does not look like ${form}`,
    );
  });
}

function readHandshakeFirst(key: string, node: ConfNode): boolean | number {
  const { value, place } = node;
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') {
    throw new FieldError(place, `field ${goQuote(key)} should be a boolean or a string, got ${goTypeName(value)}`);
  }
  switch (value.toLowerCase()) {
    case 'true':
    case 'on':
      return true;
    case 'false':
    case 'off':
      return false;
    case 'auto':
    case 'auto_fallback':
      return AUTO_FALLBACK_MS;
    default: {
      const delay = parseGoDuration(value);
      if (!delay.ok) throw new FieldError(place, `field ${goQuote(key)}'s value ${goQuote(value)} is invalid`);
      return durationMs(delay.ns) || true;
    }
  }
}

function readPairs(node: ConfNode): PairFiles[] {
  const failed = 'error parsing certificates config:';
  // nats-server names the type of the block here, not that of the value.
  if (!Array.isArray(node.value))
    throw new FieldError(node.place, `${failed} unsupported type map[string]interface {}`);
  return node.value.map((element) => {
    const pair = { certFile: '', keyFile: '' };
    if (!(element.value instanceof Map)) {
      throw new FieldError(element.place, `${failed} unsupported type ${goTypeName(element.value)}`);
    }
    for (const [key, child] of element.value) {
      if (typeof child.value !== 'string') {
        throw new FieldError(child.place, `${failed} unsupported type ${goTypeName(child.value)}`);
      }
      if (key === 'cert_file') pair.certFile = child.value;
      else if (key === 'key_file') pair.keyFile = child.value;
      else throw new FieldError(child.place, `error parsing tls certs config, unknown field ${goQuote(key)}`);
    }
    if (pair.certFile === '' || pair.keyFile === '') {
      const last = [...element.value.values()].at(-1) ?? element;
      throw new FieldError(last.place, `${failed} both 'cert_file' and 'cert_key' options are required`);
    }
    return pair;
  });
}

function readMinVersion(node: ConfNode): TlsConfig['minVersion'] {
  const failed = 'error parsing tls config:';
  const { value, place } = node;
  if (typeof value !== 'string') {
    throw new FieldError(place, `${failed} 'min_version' wrong type: ${goValueText(value)}`);
  }
  const version = TLS_VERSIONS.get(value);
  if (version === undefined) throw new FieldError(place, `${failed} unknown version: ${value}`);
  if (version === null) throw new FieldError(place, `${failed} unsupported TLS version: TLS ${value}`);
  return version;
}
