import { describe, test } from 'node:test';
import type { Storage } from '../../src/storage/contract.ts';
import { checks } from './conformance/check.ts';
import { concurrency } from './conformance/concurrency.ts';
import { delivering } from './conformance/deliver.ts';
import { ordering } from './conformance/order.ts';
import { directory } from './conformance/directory.ts';
import { expiring } from './conformance/expire.ts';
import { paging } from './conformance/paging.ts';
import { rare } from './conformance/rare.ts';
import { recording } from './conformance/record.ts';
import { resending } from './conformance/resends.ts';
import { runs } from './conformance/runs.ts';
import { settling } from './conformance/settle.ts';
import { sums } from './conformance/stats.ts';

export interface Opened {
  readonly storage: Storage;
  /** The same data in a process that knows nothing of the one before. */
  reopen(): Promise<Storage>;
  /** Breaks something behind the store's back. */
  plant(sql: string): Promise<void>;
  /** Closes and throws the data away. */
  end(): Promise<void>;
}

export interface Held {
  readonly name: string;
  /** A fresh, empty store, open. */
  open(): Promise<Opened>;
}

/** A test of that name that runs `work` on a fresh store. */
export type It = (name: string, work: (opened: Opened) => Promise<void>) => void;

/** What every store is held to, by verb. */
export function conformance({ name, open }: Held): void {
  const it: It = (what, work) =>
    void test(what, async () => {
      const opened = await open();
      try {
        await work(opened);
      } finally {
        await opened.end();
      }
    });
  describe(name, () => {
    directory(it);
    recording(it);
    delivering(it);
    ordering(it);
    settling(it);
    resending(it);
    paging(it);
    rare(it);
    sums(it);
    checks(it);
    runs(it);
    expiring(it);
    concurrency(it);
  });
}
