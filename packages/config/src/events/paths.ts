import { posix } from 'node:path';
import { type Environment, lastSet } from './environment.ts';
import type { Flavour } from './events-config.ts';
import { BASE_DATA_PATH_VARIABLES, CONFIG_DIR_VARIABLES } from './settings.ts';

/** What the defaults of a product are. */
interface Product {
  readonly systemData: string;
  readonly homeData: string;
  readonly systemConfig: string;
  readonly clusterId: string;
}

const PRODUCTS: Readonly<Record<Flavour, Product>> = {
  ocis: {
    systemData: '/var/lib/ocis',
    homeData: '.ocis',
    systemConfig: '/etc/ocis',
    clusterId: 'ocis-cluster',
  },
  opencloud: {
    systemData: '/var/lib/opencloud',
    homeData: '.opencloud',
    systemConfig: '/etc/opencloud',
    clusterId: 'opencloud-cluster',
  },
};

const FILE_NAME = 'nats.yaml';
const SERVICE_DIR = 'nats';

/** OpenCloud if a variable of its is set and none of oCIS; else oCIS. */
export function flavourOf(env: Environment): Flavour {
  const names = Object.keys(env).filter((name) => env[name] !== undefined);
  const openCloud = names.some((name) => name.startsWith('OC_')) && !names.some((name) => name.startsWith('OCIS_'));
  return openCloud ? 'opencloud' : 'ocis';
}

/** The cluster's name that nobody set. */
export function defaultClusterId(flavour: Flavour): string {
  return PRODUCTS[flavour].clusterId;
}

/** Where nats.yaml may be; the first that is there counts. */
export function yamlCandidates(env: Environment, flavour: Flavour, home: string): string[] {
  const given = lastSet(env, CONFIG_DIR_VARIABLES);
  if (given !== null) return [posix.join(given.text, FILE_NAME)];
  const { systemConfig, homeData } = PRODUCTS[flavour];
  const candidates = [posix.join(systemConfig, FILE_NAME)];
  if (home !== '') candidates.push(posix.join(home, homeData, 'config', FILE_NAME));
  return candidates;
}

/** A directory for data, and who named it; `dir` is empty if there is none to be had. */
export interface DataDir {
  readonly dir: string;
  /** `default`, `env OCIS_BASE_DATA_PATH`. */
  readonly place: string;
}

/**
 * The directory for data that nobody set: below the base data path, else the system's if it can be made, else the
 * user's.
 *
 * @param preferred what to take instead of the last two
 */
export function defaultDataDir(
  env: Environment,
  flavour: Flavour,
  home: string,
  canMake: (dir: string) => boolean,
  preferred: string | undefined,
): DataDir {
  const base = lastSet(env, BASE_DATA_PATH_VARIABLES);
  if (base !== null) return { dir: posix.join(base.text, SERVICE_DIR), place: `env ${base.name}` };
  const place = 'default';
  if (preferred !== undefined) return { dir: preferred, place };
  const { systemData, homeData } = PRODUCTS[flavour];
  const system = posix.join(systemData, SERVICE_DIR);
  if (canMake(system)) return { dir: system, place };
  return { dir: home === '' ? '' : posix.join(home, homeData, SERVICE_DIR), place };
}
