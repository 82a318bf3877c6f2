import { createHash } from 'node:crypto';
import { HIGHWAYHASH_WASM } from './highwayhash.generated.ts';

/** The module's memory map (highwayhash.wat). */
const RESULT = 32;
const WINDOW = 256;

/** Bytes hashed per call into the module; longer input goes through it in pieces. A multiple of 32. */
export const HASH_WINDOW_BYTES: number = 64 * 1024;

/** Bytes of a record that are not in front of its subject: length, sequence, time, subject length. */
const RECORD_HEAD = 22;
const RECORD_HASH = 8;
const HEADERS_BIT = 0x80000000;

interface HashModule {
  memory: { readonly buffer: ArrayBuffer };
  start(): void;
  update(at: number, length: number): void;
  finish(at: number, length: number): void;
  record(at: number): void;
}

/** The part of the WebAssembly API used here; the DOM library that declares it is not loaded. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: unknown };
}

const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
const module = new Instance(new Module(Buffer.from(HIGHWAYHASH_WASM, 'base64'))).exports as HashModule;
const memory = Buffer.from(module.memory.buffer);

/** The key last written to the module, by identity: keys are not changed after they were made. */
let currentKey: Uint8Array | null = null;
/** Bytes waiting in the window while a long input is fed. */
let fill = 0;

function useKey(key: Uint8Array): void {
  if (currentKey === key) return;
  if (key.length !== 32) throw new RangeError(`HighwayHash key has ${key.length} bytes, 32 are needed`);
  memory.set(key, 0);
  currentKey = key;
}

function feed(data: Uint8Array, start: number, end: number): void {
  while (start < end) {
    if (fill === HASH_WINDOW_BYTES) {
      module.update(WINDOW, fill);
      fill = 0;
    }
    const taken = Math.min(end - start, HASH_WINDOW_BYTES - fill);
    copyIn(data, start, start + taken, WINDOW + fill);
    fill += taken;
    start += taken;
  }
}

function copyIn(data: Uint8Array, start: number, end: number, at: number): void {
  if (data instanceof Buffer) data.copy(memory, at, start, end);
  else memory.set(data.subarray(start, end), at);
}

/**
 * HighwayHash-64, as nats-server checks its store files (spec/jetstream.md 7.1, 7.2).
 *
 * @param key 32 bytes. Must not be changed afterwards: it is recognised by identity.
 * @returns 8 bytes, little endian, as they stand in the files. The caller's own.
 * @throws RangeError for a key of another length.
 */
export function hh64(key: Uint8Array, data: Uint8Array): Buffer {
  useKey(key);
  module.start();
  fill = 0;
  feed(data, 0, data.length);
  module.finish(WINDOW, fill);
  return Buffer.from(memory.subarray(RESULT, RESULT + 8));
}

/** SHA-256 of a text: how nats-server makes a hash key from a stream's, consumer's or block's name. */
export function sha256key(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

/**
 * Hashes the record at `start`, all of it in place except the hash itself, into the module's result.
 * `length` is the record's whole length.
 */
function hashRecord(key: Uint8Array, block: Buffer, start: number, length: number): void {
  useKey(key);
  if (length <= HASH_WINDOW_BYTES) {
    block.copy(memory, WINDOW, start, start + length - RECORD_HASH);
    module.record(WINDOW);
    return;
  }
  module.start();
  fill = 0;
  const subjectEnd = start + RECORD_HEAD + block.readUInt16LE(start + 20);
  const hasHeaders = block.readUInt32LE(start) >= HEADERS_BIT;
  feed(block, start + 4, start + 20);
  feed(block, start + RECORD_HEAD, subjectEnd);
  feed(block, hasHeaders ? subjectEnd + 4 : subjectEnd, start + length - RECORD_HASH);
  module.finish(WINDOW, fill);
}

/** Writes the hash of the record at `start` into its last 8 bytes. Everything else of it stands already. */
export function sealRecord(key: Uint8Array, block: Buffer, start: number, length: number): void {
  hashRecord(key, block, start, length);
  const end = start + length - RECORD_HASH;
  for (let i = 0; i < RECORD_HASH; i++) block[end + i] = memory[RESULT + i]!;
}

/** True if the last 8 bytes of the record at `start` are its hash. Its lengths are checked by the caller. */
export function verifyRecord(key: Uint8Array, block: Buffer, start: number, length: number): boolean {
  hashRecord(key, block, start, length);
  const end = start + length - RECORD_HASH;
  for (let i = 0; i < RECORD_HASH; i++) if (block[end + i] !== memory[RESULT + i]) return false;
  return true;
}
