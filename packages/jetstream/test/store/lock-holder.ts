/** Run as a process of its own: opens the store directory given, says so, and keeps it until it is killed or told to close. */
import { countingIds, openStorage, testDependencies } from './dependencies.ts';

const [directory = ''] = process.argv.slice(2);
// A server's listener keeps the process alive while it waits for its turn at the lock; timers of the injected clock do not.
const listener = setInterval(() => {}, 60_000);
try {
  const storage = await openStorage(directory, testDependencies({ ids: countingIds(`P${process.pid}x`) }));
  process.stdout.write('open\n');
  process.stdin.on('data', () => {
    void storage.close().then(() => process.exit(0));
  });
} catch (error) {
  process.stdout.write(`${(error as Error).name}: ${(error as Error).message}\n`);
  process.exitCode = 1;
  clearInterval(listener);
}
