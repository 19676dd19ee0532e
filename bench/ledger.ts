import { performance } from 'node:perf_hooks';
import { ask, rowsOf, worst, type Question } from './calls.ts';
import { startChild } from './child.ts';
import { rounded, shown } from './figures.ts';
import { makeHome } from './home.ts';
import type { Filler } from './load/filler.ts';
import { startPaybellAt, type Paybell } from './paybell.ts';
import type { Report, RunOptions } from './run.ts';
import { makeTag, orderPrefix, transactionPrefix } from './webhook.ts';

const TRANSACTIONS = 1_000_000;
const CALLS = 100;
const LIMIT = 100;
const DAY_MS = 86_400_000;

interface Page {
  readonly data: readonly { readonly id: string }[];
  readonly nextCursor: string | null;
}

export async function run(options: RunOptions): Promise<Report> {
  const count = options.events ?? TRANSACTIONS;
  await using filler = startChild<Filler>('filler.ts');
  await using home = await makeHome(options.store);
  const tag = makeTag();
  options.log(`filling the store with ${shown(count)} transactions`);
  const filled = await filler.call('ledger', { url: home.storeUrl, tag, count });
  options.log(`filled in ${shown(filled)} s`);
  await home.settle();
  const rare = ['currency=JPY', 'provider=paybell', 'rail=other'];
  const { lists, searches, opened, walks } = await asked();
  options.log('rebuilding the ledger');
  const seconds = await filler.call('rebuild', { url: home.storeUrl });
  return {
    table: [['', 'p50 ms', 'p99 ms'], ...rowsOf([...lists, ...searches, ...opened])],
    notes: [
      `${shown(count)} transactions, pages of ${LIMIT}, ${CALLS} calls each; the fields name the slowest kind of each group`,
      ...walks,
      `every event checked and every transaction rebuilt in ${shown(seconds, 1)} s (the store was filled in ${shown(filled, 1)} s)`,
    ],
    fields: {
      listP99Ms: rounded(worst(lists), 1),
      searchP99Ms: rounded(worst(searches), 1),
      openP99Ms: rounded(worst(opened), 1),
      rebuildPerSecond: rounded(count / seconds),
      fillPerSecond: rounded(count / filled),
      transactions: count,
    },
  };

  /** With the server up. */
  async function asked() {
    await using paybell = await startPaybellAt(home);
    const ids = (await list(paybell, 'limit=100')).data.map(({ id }) => id);
    const lists = await ask(paybell, [...listQuestions(), ...rare.map(filtered)], CALLS);
    const searches = await ask(paybell, searchQuestions(tag, count), CALLS);
    const opened = await ask(paybell, [{ name: 'open one', path: (n) => `/v1/transactions/${ids[n % ids.length]}` }], CALLS);
    const walks: string[] = [];
    for (const filter of rare) walks.push(await walk(paybell, filter));
    return { lists, searches, opened, walks };
  }
}

const list = (paybell: Paybell, query: string): Promise<Page> => paybell.api('GET', `/v1/transactions?${query}`);
const filtered = (query: string): Question => ({ name: `list ${query}`, path: () => `/v1/transactions?${query}&limit=${LIMIT}` });

function listQuestions(): Question[] {
  const now = Date.now();
  const between = (fromDays: number, toDays: number): string =>
    `from=${new Date(now - fromDays * DAY_MS).toISOString()}&to=${new Date(now - toDays * DAY_MS).toISOString()}`;
  return [
    { name: 'list newest', path: () => `/v1/transactions?limit=${LIMIT}` },
    ...['status=succeeded', 'status=on_hold', 'kind=dispute', 'provider=serixpay', 'rail=wallet', 'currency=KES'].map(filtered),
    ...['status=on_hold&kind=dispute&currency=EUR', 'status=failed&provider=paybell', 'currency=XAF'].map(filtered),
    { name: 'list the last hour', path: () => `/v1/transactions?${between(1 / 24, -1)}&limit=${LIMIT}` },
    { name: 'list one day, three weeks ago', path: () => `/v1/transactions?${between(22, 21)}&limit=${LIMIT}` },
  ];
}

function searchQuestions(tag: string, count: number): Question[] {
  const key = (n: number): string => String(Math.floor((n * 7919 + 1) * 97) % count).padStart(8, '0');
  const question = (name: string, q: (n: number) => string): Question => ({
    name: `search ${name}`,
    path: (n) => `/v1/transactions?q=${encodeURIComponent(q(n))}&limit=${LIMIT}`,
  });
  return [
    question('a reference', (n) => orderPrefix(tag) + key(n)),
    question('the beginning of ten references', (n) => (orderPrefix(tag) + key(n)).slice(0, -1)),
    question('the beginning of 10,000', (n) => (transactionPrefix(tag) + key(n)).slice(0, -4)),
    question('the beginning of all', (n) => orderPrefix(tag).slice(0, 1 + (n % 6))),
    question('a phone number', (n) => `+2547${key(n)}`),
    question('what nobody has', (n) => `nothing-${n}`),
  ];
}

/** How long a filter that little matches takes to its first row and to the end of the ledger. */
async function walk(paybell: Paybell, filter: string): Promise<string> {
  const start = performance.now();
  let cursor: string | null = '';
  let [pages, rows, firstMs] = [0, 0, NaN];
  while (cursor !== null) {
    const page: Page = await list(paybell, `${filter}&limit=${LIMIT}${cursor === '' ? '' : `&cursor=${cursor}`}`);
    pages += 1;
    rows += page.data.length;
    if (rows > 0 && Number.isNaN(firstMs)) firstMs = performance.now() - start;
    cursor = page.nextCursor;
  }
  return `${filter}: ${rows} rows on ${pages} pages, the first row after ${shown(firstMs)} ms, the end after ${shown(performance.now() - start)} ms`;
}
