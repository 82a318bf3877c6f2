import type { GoStruct } from './go-json.ts';

/** `import` and `export` in CONNECT and INFO between servers: checked for their type, not used for clients. */
export const SUBJECT_PERMISSION: GoStruct = {
  name: 'SubjectPermission',
  fields: { allow: '[]string', deny: '[]string' },
};
