import type { Account } from '../account.ts';
import type { Subscription } from '../delivery/subscription.ts';
import { DROPPED_PER_TURN } from '../limits.ts';
import type { Clock } from '../ports.ts';

/**
 * Ends subscriptions: none of them gets anything from now on. They are taken out of the account DROPPED_PER_TURN at a
 * time, because a client may have had a million.
 */
export function forgetAll(account: Account, subscriptions: readonly Subscription[], clock: Clock): void {
  for (const subscription of subscriptions) subscription.isClosed = true;
  let next = 0;
  const forgetSome = (): void => {
    const end = Math.min(next + DROPPED_PER_TURN, subscriptions.length);
    while (next < end) account.forget(subscriptions[next++]!);
    if (next < subscriptions.length) clock.setTimer(forgetSome, 0);
  };
  forgetSome();
}
