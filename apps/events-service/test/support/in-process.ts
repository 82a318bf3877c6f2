import { join } from 'node:path';
import { loadEventsConfig } from '@nats-ts/config';
import { TestDisk } from '../../../natsd/test/support/test-disk.ts';
import { type EventsDependencies, EventsService, openLogger } from '../../src/index.ts';
import { serviceEnv } from './service.ts';

/** A service in this process, on a disk that the test can break. */
export async function inProcess(
  base: string,
  env: Record<string, string> = {},
  dependencies: EventsDependencies = {},
): Promise<{ service: EventsService; disk: TestDisk }> {
  const { config } = loadEventsConfig({
    env: serviceEnv(base, { NATS_DEBUG_ADDR: '127.0.0.1:0', NATS_LOG_FILE: join(base, 'nats.log'), ...env }),
    readFile: () => {
      throw Object.assign(new Error('not there'), { code: 'ENOENT' });
    },
    home: '',
    canMake: () => true,
  });
  const disk = new TestDisk();
  return {
    service: new EventsService(config, await openLogger(config.log), '1.2.3', { ...dependencies, fileSystem: disk }),
    disk,
  };
}
