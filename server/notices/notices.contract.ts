import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Notices } from './notices.ts';

/** What every adapter of notices must do; `open` gives two ends that reach each other. */
export function describeNotices(name: string, open: () => Promise<readonly [Notices, Notices]>): void {
  describe(name, () => {
    let here: Notices;
    let there: Notices;
    beforeEach(async () => {
      [here, there] = await open();
    });
    afterEach(() => Promise.all([here.close(), there.close()]));

    /** Notices may be lost while a subscription is on its way: says it until it is heard. */
    async function arrival(topic: string, heard: readonly string[], message: string): Promise<void> {
      await vi.waitFor(() => {
        here.publish(topic, message);
        expect(heard).toContain(message);
      });
    }

    it('reaches every listener of the topic, and no other', async () => {
      const [one, two, other]: [string[], string[], string[]] = [[], [], []];
      there.subscribe('states', (message) => one.push(message));
      here.subscribe('states', (message) => two.push(message));
      there.subscribe('access', (message) => other.push(message));
      await arrival('states', one, 'a {"b":"ü"}');
      await arrival('states', two, 'c');
      await arrival('access', other, 'd');
      expect(new Set(other)).toEqual(new Set(['d']));
      expect(new Set([...one, ...two])).toEqual(new Set(['a {"b":"ü"}', 'c']));
    });

    it('leaves alone who has stopped listening, and reaches who still does', async () => {
      const [gone, still]: [string[], string[]] = [[], []];
      const listener = (message: string) => void gone.push(message);
      const stop = there.subscribe('states', listener);
      there.subscribe('states', (message) => still.push(message));
      await arrival('states', gone, 'a');
      stop();
      await arrival('states', still, 'b');
      expect(gone).not.toContain('b');
    });
  });
}
