import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventsConfigReference, loadEventsConfig } from '@nats-ts/config';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../../tests/src/index.ts';

const KNOWN = new Set(eventsConfigReference().flatMap(({ env }) => env));
/** Of the launcher, not of the service. */
const LAUNCHER = ['NATS_TS_NODE'];

/** Text files of `deploy/`, by their path in it. */
const files = readdirSync(join(repositoryRoot, 'deploy'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.endsWith('.json'))
  .map((entry) => join(entry.parentPath, entry.name));

/** Variables that a file gives the service, with their values. */
function settings(file: string): Record<string, string> {
  const text = readFileSync(join(repositoryRoot, 'deploy', file), 'utf8');
  const found = [
    ...text.matchAll(/^Environment=([A-Z_]+)=(\S+)/gm),
    ...text.matchAll(/name: ([A-Z_]+), value: ([^}\s]+) ?\}/g),
    ...[...text.matchAll(/^ENV [\s\S]*?[^\\]\n/gm)].flatMap(([block]) => [...block.matchAll(/([A-Z_]+)=(\S+)/g)]),
  ];
  return Object.fromEntries(found.map(([, name, value]) => [name, value]));
}

describe('the files in deploy/', () => {
  it('name no setting that does not exist', () => {
    expect(files.length).toBeGreaterThan(4);
    for (const file of files) {
      for (const [name] of readFileSync(file, 'utf8').matchAll(/\bNATS_[A-Z_]*[A-Z]\b/g)) {
        expect([...KNOWN, ...LAUNCHER]).toContain(name);
      }
    }
  });

  it.each([
    ['systemd/events-service.service', { 'nats.storeDir': '/var/lib/ocis/nats' }],
    [
      'docker/Dockerfile',
      { 'nats.storeDir': '/var/lib/ocis/nats', 'nats.host': '0.0.0.0', 'debug.addr': '0.0.0.0:9234' },
    ],
    ['kubernetes/events-service.yaml', { 'nats.mainQueueMaxAgeMs': 168 * 3_600_000 }],
  ])('give in %s what the service takes', (file, expected) => {
    const env = settings(file);
    expect(Object.keys(env).length).toBeGreaterThan(0);
    const notThere = (): never => {
      throw Object.assign(new Error('not there'), { code: 'ENOENT' });
    };
    const { config, warnings } = loadEventsConfig({ env, readFile: notThere, home: '', canMake: () => true });
    expect(warnings).toEqual([]);
    for (const [path, value] of Object.entries(expected)) {
      const [section, name] = path.split('.') as ['nats', 'storeDir'];
      expect(config[section][name]).toBe(value);
    }
  });
});
