import type { ConnectOptions } from '@nats-ts/protocol';
import { OptionsError } from '../options-error.ts';
import type { AuthorizationOptions, UserOptions } from './options.ts';
import { BcryptVerifier, isBcrypt, isSameSecret } from './passwords.ts';
import { Permissions } from './permissions.ts';

/** Somebody who may log in. */
export interface User {
  readonly name: string;
  readonly password: string;
  readonly permissions: Permissions | null;
  /** Upper case; null = any. */
  readonly connectionTypes: ReadonlySet<string> | null;
}

/** The outcome of a log-in. */
export interface Verdict {
  readonly isAllowed: boolean;
  /** The user of the list; null for the single user, the token and anonymous clients. */
  readonly user: User | null;
}

const REFUSED: Verdict = { isAllowed: false, user: null };
const ACCEPTED: Verdict = { isAllowed: true, user: null };
const CONNECTION_TYPES = new Set(['STANDARD', 'WEBSOCKET', 'LEAFNODE', 'LEAFNODE_WS', 'MQTT', 'MQTT_WS', 'INPROCESS']);
/** The type of every connection there is so far. */
const STANDARD = 'STANDARD';

/** Decides who may connect (spec/core.md 4.1, 4.2). */
export class Authenticator {
  /** Credentials are needed, unless there is a user for those who give none. */
  readonly isRequired: boolean;
  /** User of clients without credentials. */
  readonly noAuthUser: User | null;
  /** Some password, not counting the token, is not hashed. */
  readonly hasPlainPasswords: boolean;
  readonly #users: ReadonlyMap<string, User> | null;
  readonly #user: string | null;
  readonly #password: string;
  readonly #token: string | null;
  readonly #bcrypt = new BcryptVerifier();

  /** @throws OptionsError in nats-server's words. */
  constructor(options: AuthorizationOptions | null, noAuthUser: string | null) {
    this.#user = options?.user || null;
    this.#password = options?.password ?? '';
    this.#token = options?.token || null;
    this.#users = options?.users && options.users.length > 0 ? readUsers(options.users, options) : null;
    if (this.#user !== null && this.#token !== null) throw new OptionsError('Cannot have a user/pass and token');
    if (this.#users !== null && this.#user !== null) {
      throw new OptionsError('Can not have a single user/pass and a users array');
    }
    if (this.#users !== null && this.#token !== null) {
      throw new OptionsError('Can not have a token and a users array');
    }
    this.isRequired = this.#users !== null || this.#user !== null || this.#token !== null;
    this.noAuthUser = this.#findNoAuthUser(noAuthUser);
    const passwords = this.#users === null ? [this.#password] : [...this.#users.values()].map((user) => user.password);
    this.hasPlainPasswords =
      (this.#users !== null || this.#user !== null) && passwords.some((password) => !isBcrypt(password));
  }

  /** Judges a CONNECT. Only a hashed password makes it wait. */
  judge(connect: ConnectOptions): Verdict | Promise<Verdict> {
    if (!this.isRequired) return ACCEPTED;
    if (this.#users !== null) {
      if (this.noAuthUser !== null && connect.user === '' && connect.pass === '' && connect.auth_token === '') {
        return mayConnect(this.noAuthUser) ? { isAllowed: true, user: this.noAuthUser } : REFUSED;
      }
      const user = this.#users.get(connect.user);
      if (user === undefined || !mayConnect(user)) return REFUSED;
      return this.#compare(user.password, connect.pass, { isAllowed: true, user });
    }
    if (this.#token !== null) return this.#compare(this.#token, connect.auth_token, ACCEPTED);
    if (!isSameSecret(this.#user!, connect.user)) return REFUSED;
    return this.#compare(this.#password, connect.pass, ACCEPTED);
  }

  #compare(expected: string, given: string, success: Verdict): Verdict | Promise<Verdict> {
    if (!isBcrypt(expected)) return isSameSecret(expected, given) ? success : REFUSED;
    return this.#bcrypt.verify(expected, given).then((isSame) => (isSame ? success : REFUSED));
  }

  #findNoAuthUser(name: string | null): User | null {
    if (name === null) return null;
    if (this.#users === null)
      throw new OptionsError(`no_auth_user: "${name}" present, but users/nkeys are not defined`);
    const user = this.#users.get(name);
    if (user !== undefined) return user;
    throw new OptionsError(
      `no_auth_user: "${name}" not present as user or nkey in authorization block or account configuration`,
    );
  }
}

function readUsers(entries: readonly UserOptions[], options: AuthorizationOptions): Map<string, User> {
  const users = new Map<string, User>();
  for (const entry of entries) {
    if (entry.user === '') throw new OptionsError('User entry requires a user');
    if (users.has(entry.user)) throw new OptionsError(`Duplicate user "${entry.user}" detected`);
    const permissions = entry.permissions ?? options.defaultPermissions;
    users.set(entry.user, {
      name: entry.user,
      password: entry.password,
      permissions: permissions === undefined ? null : new Permissions(permissions),
      connectionTypes: readConnectionTypes(entry.allowedConnectionTypes),
    });
  }
  return users;
}

function readConnectionTypes(types: readonly string[] | undefined): ReadonlySet<string> | null {
  if (types === undefined || types.length === 0) return null;
  const upper = types.map((type) => type.toUpperCase());
  const unknown = upper.filter((type) => !CONNECTION_TYPES.has(type));
  if (unknown.length > 0) throw new OptionsError(`invalid connection types ${JSON.stringify(unknown)}`);
  return new Set(upper);
}

function mayConnect(user: User): boolean {
  return user.connectionTypes === null || user.connectionTypes.has(STANDARD);
}
