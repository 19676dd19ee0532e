/** Lets everything in a store expire in steps of a few rows, and says after each how many went; to be killed in the middle. */
import { openStorage } from '../../src/storage/open.ts';
import type { Expirable } from '../../src/storage/contract.ts';

const [path = '', before = ''] = process.argv.slice(2);
const storage = await openStorage(path);
await storage.open();
for (const what of ['events', 'attempts', 'duplicates'] satisfies Expirable[]) {
  for (let more = true; more;) {
    const done = await storage.expire({ what, before: Number(before), now: Number(before) + 1, rows: 5, bytes: 1_000_000 });
    process.stdout.write(`${what} ${done.expired}\n`);
    more = done.more;
  }
}
await storage.close();
process.stdout.write('done\n');
