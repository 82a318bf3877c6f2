import { BASE_DATA_PATH_VARIABLES, CONFIG_DIR_VARIABLES, SETTINGS } from './settings.ts';

/** A row of the reference of the events-service's configuration. */
export interface ReferenceRow {
  /** The key in nats.yaml; null: only the environment gives it. */
  readonly yamlKey: string | null;
  /** The name under which sources and messages list it. */
  readonly key: string;
  /** The last one that is set counts. */
  readonly env: readonly string[];
  readonly type: 'text' | 'integer' | 'true/false' | 'list' | 'duration' | 'bytes' | 'directory';
  /** In words where it is no fixed text. */
  readonly default: string;
  readonly description: string;
  readonly secret: boolean;
}

/** Every variable and YAML key of the events-service, as data: the table in the documentation is made from it. */
export function eventsConfigReference(): readonly ReferenceRow[] {
  const rows = SETTINGS.map(
    (setting): ReferenceRow => ({
      yamlKey: setting.inYaml ? setting.key : null,
      key: setting.key,
      env: setting.env,
      type: setting.kind === 'flag' ? 'true/false' : setting.kind,
      default: setting.describeDefault ?? setting.default ?? '',
      description: setting.description,
      secret: setting.secret === true,
    }),
  );
  return [...DIRECTORIES, ...rows];
}

const DIRECTORIES: readonly ReferenceRow[] = [
  {
    yamlKey: null,
    key: 'config directory',
    env: CONFIG_DIR_VARIABLES,
    type: 'directory',
    default: '/etc/ocis, then ~/.ocis/config; in OpenCloud: /etc/opencloud, then ~/.opencloud/config',
    description: 'Directory of nats.yaml.',
    secret: false,
  },
  {
    yamlKey: null,
    key: 'base data path',
    env: BASE_DATA_PATH_VARIABLES,
    type: 'directory',
    default: '/var/lib/ocis if it can be made, else ~/.ocis; in OpenCloud: /var/lib/opencloud, else ~/.opencloud',
    description: 'Directory above the data of every service.',
    secret: false,
  },
];
