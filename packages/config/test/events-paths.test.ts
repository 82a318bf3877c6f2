import { describe, expect, test } from 'vitest';
import { type EventsInputs, loadEventsConfig } from '../src/index.ts';
import { eventsInputs, filesOf } from './support/events-inputs.ts';

const storeDir = (changes: Partial<EventsInputs>): string =>
  loadEventsConfig(eventsInputs(changes)).config.nats.storeDir;
const nothing = (): boolean => false;

describe('the directory of the data', () => {
  test('is what NATS_NATS_STORE_DIR says, whatever else is set', () => {
    const env = { NATS_NATS_STORE_DIR: '/s', OCIS_BASE_DATA_PATH: '/b' };
    expect(storeDir({ env, readFile: filesOf({ '/etc/ocis/nats.yaml': 'nats: {store_dir: /y}' }) })).toBe('/s');
  });

  test('else what the file says', () => {
    const env = { OCIS_BASE_DATA_PATH: '/b' };
    expect(storeDir({ env, readFile: filesOf({ '/etc/ocis/nats.yaml': 'nats: {store_dir: /y}' }) })).toBe('/y');
  });

  test('else below the base data path, which is its source then', () => {
    const { config, sources } = loadEventsConfig(eventsInputs({ env: { OCIS_BASE_DATA_PATH: '/b' } }));
    expect(config.nats.storeDir).toBe('/b/nats');
    expect(config.nats.tlsCert).toBe('/b/nats/tls.crt');
    expect(sources.get('nats.tls_key')?.text).toBe('env OCIS_BASE_DATA_PATH');
  });

  test('else what the starter prefers', () => {
    const defaults = { storeDir: './.data' };
    expect(storeDir({ defaults })).toBe('./.data');
    expect(storeDir({ defaults, env: { OCIS_BASE_DATA_PATH: '/b' } })).toBe('/b/nats');
  });

  test("else the system's if it can be made", () => {
    const asked: string[] = [];
    const canMake = (dir: string): boolean => asked.push(dir) > 0;
    expect(storeDir({ canMake })).toBe('/var/lib/ocis/nats');
    expect(asked).toEqual(['/var/lib/ocis/nats']);
  });

  test("else the user's", () => {
    expect(storeDir({ canMake: nothing })).toBe('/home/anna/.ocis/nats');
  });

  test('and if there is none, that is an error that says what to set', () => {
    expect(() => storeDir({ canMake: nothing, home: '' })).toThrow(/nats\.store_dir is not set.*NATS_NATS_STORE_DIR/);
    expect(storeDir({ canMake: nothing, home: '', env: { NATS_NATS_STORE_DIR: 'd' } })).toBe('d');
  });

  test('a base data path that is empty counts as not set', () => {
    expect(storeDir({ env: { OCIS_BASE_DATA_PATH: '' } })).toBe('/var/lib/ocis/nats');
  });

  test('the certificate stays below the base data path when only the store directory moves', () => {
    const { nats } = loadEventsConfig(eventsInputs({ env: { NATS_NATS_STORE_DIR: '/s' } })).config;
    expect([nats.tlsCert, nats.tlsKey]).toEqual(['/var/lib/ocis/nats/tls.crt', '/var/lib/ocis/nats/tls.key']);
  });
});

describe('OpenCloud', () => {
  const openCloud = { OC_LOG_LEVEL: 'info' };

  test('gives paths and names when one of its variables is set and none of oCIS', () => {
    const { config } = loadEventsConfig(eventsInputs({ env: openCloud }));
    expect(config.flavour).toBe('opencloud');
    expect([config.nats.clusterId, config.nats.storeDir]).toEqual(['opencloud-cluster', '/var/lib/opencloud/nats']);
    expect(storeDir({ env: openCloud, canMake: nothing })).toBe('/home/anna/.opencloud/nats');
    expect(storeDir({ env: { OC_BASE_DATA_PATH: '/b' } })).toBe('/b/nats');
  });

  test('does not when both are set', () => {
    const env = { ...openCloud, OCIS_LOG_LEVEL: 'warn' };
    expect(loadEventsConfig(eventsInputs({ env })).config.nats.clusterId).toBe('ocis-cluster');
  });
});

describe('nats.yaml', () => {
  const yaml = (port: number): string => `nats:\n  port: ${port}\n`;
  const everywhere = filesOf({
    '/c/nats.yaml': yaml(1),
    '/etc/ocis/nats.yaml': yaml(2),
    '/home/anna/.ocis/config/nats.yaml': yaml(3),
    '/etc/opencloud/nats.yaml': yaml(4),
    '/home/anna/.opencloud/config/nats.yaml': yaml(5),
  });
  const port = (changes: Partial<EventsInputs>): number => loadEventsConfig(eventsInputs(changes)).config.nats.port;

  test('is the one in the configuration directory', () => {
    expect(port({ env: { OCIS_CONFIG_DIR: '/c' }, readFile: everywhere })).toBe(1);
    expect(port({ env: { OC_CONFIG_DIR: '/c' }, readFile: everywhere })).toBe(1);
    expect(port({ env: { OCIS_CONFIG_DIR: '/x', OC_CONFIG_DIR: '/c' }, readFile: everywhere })).toBe(1);
  });

  test('is no other when that directory has none', () => {
    expect(port({ env: { OCIS_CONFIG_DIR: '/x' }, readFile: everywhere })).toBe(9233);
  });

  test("else the system's, else the user's", () => {
    expect(port({ readFile: everywhere })).toBe(2);
    expect(port({ env: { OC_X: '' }, readFile: everywhere })).toBe(4);
    expect(port({ readFile: filesOf({ '/home/anna/.ocis/config/nats.yaml': yaml(3) }) })).toBe(3);
    expect(port({ env: { OC_X: '' }, readFile: filesOf({ '/home/anna/.opencloud/config/nats.yaml': yaml(5) }) })).toBe(
      5,
    );
  });

  test('may be missing; that it cannot be read is an error', () => {
    const readFile = (): never => {
      throw Object.assign(new Error('no'), { code: 'EACCES' });
    };
    expect(() => port({ readFile })).toThrow('open /etc/ocis/nats.yaml: permission denied');
  });
});
