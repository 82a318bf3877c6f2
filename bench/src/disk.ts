import { closeSync, fdatasyncSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The file system below a folder and what one fdatasync of 256 new bytes costs on it. */
export function describeDisk(folder: string): { fileSystem: string; p50Us: number; p99Us: number } {
  const file = join(folder, 'sync-probe');
  const fd = openSync(file, 'w');
  const micros: number[] = [];
  const record = Buffer.alloc(256, 1);
  for (let i = 0; i < 300; i++) {
    writeSync(fd, record);
    const start = performance.now();
    fdatasyncSync(fd);
    micros.push((performance.now() - start) * 1000);
  }
  closeSync(fd);
  unlinkSync(file);
  micros.sort((a, b) => a - b);
  return { fileSystem: fileSystemOf(folder), p50Us: micros[150] ?? 0, p99Us: micros[296] ?? 0 };
}

function fileSystemOf(folder: string): string {
  const path = resolve(folder);
  let best = '';
  let type = 'unknown';
  for (const line of readFileSync('/proc/mounts', 'utf8').split('\n')) {
    const [, mount = '', kind = ''] = line.split(' ');
    const inside = path === mount || path.startsWith(mount.endsWith('/') ? mount : `${mount}/`);
    if (mount && inside && mount.length >= best.length) {
      best = mount;
      type = kind;
    }
  }
  return type;
}
