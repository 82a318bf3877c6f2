/** Who may connect, and what they may do (spec/core.md 4.1, 4.2). */
export interface AuthorizationOptions {
  /** One user for everybody. Excludes `token` and `users`. */
  readonly user?: string;
  /** Plain or bcrypt (`$2a$…`). */
  readonly password?: string;
  /** A secret instead of user and password; plain or bcrypt. */
  readonly token?: string;
  readonly users?: readonly UserOptions[];
  /** Milliseconds for CONNECT, default 2 s, or tls timeout + 1 s with TLS. Equivalent to authorization.timeout. */
  readonly timeoutMs?: number;
  /** For users without permissions of their own. Equivalent to default_permissions. */
  readonly defaultPermissions?: PermissionsOptions;
}

/** One entry of `users`. */
export interface UserOptions {
  readonly user: string;
  /** Plain or bcrypt (`$2a$…`). */
  readonly password: string;
  readonly permissions?: PermissionsOptions;
  /** STANDARD, WEBSOCKET, …, in any case; absent = any. Equivalent to allowed_connection_types. */
  readonly allowedConnectionTypes?: readonly string[];
}

/** What a user may publish and subscribe to. Absent = anything. */
export interface PermissionsOptions {
  readonly publish?: SubjectPermission;
  /** Entries may name a queue group behind a blank: `"foo workers"`. */
  readonly subscribe?: SubjectPermission;
  /** Allow answers to delivered messages: `true` = one within two minutes. Equivalent to allow_responses. */
  readonly responses?: boolean | ResponsePermission;
}

/** Subjects, wildcards included. `allow` absent = everything that is not denied. */
export interface SubjectPermission {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/** Limits of allow_responses. */
export interface ResponsePermission {
  /** Messages per reply subject, default 1; -1 = unlimited. */
  readonly maxMsgs?: number;
  /** Milliseconds, default 2 minutes; -1 = unlimited. */
  readonly expiresMs?: number;
}
