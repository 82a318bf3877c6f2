import type { Clock } from '../host.ts';
import type { Settlement } from '../observer.ts';
import type { ConsumerStream, StreamConsumer } from '../stream/consumer-port.ts';
import type { Backlog } from './backlog.ts';
import type { ConsumerConfig } from './config.ts';
import type { ConsumerEvents } from './events.ts';
import type { Progress } from './progress.ts';
import type { Settings } from './settings.ts';
import type { TimerWheel } from './timer-wheel.ts';

/** What the parts of one consumer share. Owned by `Consumer`, which alone replaces its members. */
export interface ConsumerCore {
  readonly name: string;
  readonly stream: ConsumerStream;
  /** The consumer as its stream knows it. */
  readonly self: StreamConsumer;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly events: ConsumerEvents;
  readonly progress: Progress;
  readonly backlog: Backlog;
  readonly config: ConsumerConfig;
  readonly settings: Settings;
  /** Out of service: nothing is delivered, answered or counted any more. */
  readonly isStopped: boolean;
  /** Something changed that may allow deliveries. */
  wake(): void;
  /** Tells whoever watches that a delivered message was done with. */
  settled(streamSeq: number, how: Settlement): void;
  /** The consumer was used: its inactivity begins again. */
  touch(): void;
}
