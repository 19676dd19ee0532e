import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Page } from 'playwright-core';
import { ADMIN_KEY } from '../support/server.ts';
import type { Api } from '../support/server.ts';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const WITHIN_MS = 20_000;
const STORIES = 3;

/** Where a browser is; undefined where there is none. */
export const browserPath = (): string | undefined => process.env['PAYBELL_CHROMIUM'] ?? BROWSERS.find((path) => existsSync(path));

export interface Picture {
  readonly file: string;
  /** What the console should have shown and did not. */
  readonly missing: readonly string[];
}

interface Look {
  readonly api: Api;
  readonly folder: string;
  readonly random: () => number;
}

/** Opens transactions taken at random and the delivery of each that took the most tries: the console has to tell their stories. */
export async function lookAt({ api, folder, random }: Look): Promise<Picture[]> {
  const executablePath = browserPath();
  if (executablePath === undefined) throw new Error('There is no Chromium here: set PAYBELL_CHROMIUM, or leave the pictures out.');
  mkdirSync(folder, { recursive: true });
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 1900 } });
    page.setDefaultTimeout(WITHIN_MS);
    await page.goto(`${api.url}/#key=${encodeURIComponent(ADMIN_KEY)}`);
    await page.waitForSelector('[data-row-id]');
    const ids = await someTransactions(api, random);
    const pictures: Picture[] = [];
    for (const [index, id] of ids.entries()) {
      const { body: transaction } = await api.call('GET', `/v1/transactions/${id}`);
      pictures.push(await transactionPicture(page, { at: api.url, transaction, file: join(folder, `transaction-${index + 1}.png`) }));
      const [hardest] = transaction.deliveries.toSorted(
        (a: { attemptCount: number }, b: { attemptCount: number }) => b.attemptCount - a.attemptCount,
      );
      const { body: delivery } = await api.call('GET', `/v1/deliveries/${hardest.id}`);
      pictures.push(await deliveryPicture(page, { at: api.url, delivery, file: join(folder, `delivery-${index + 1}.png`) }));
    }
    return pictures;
  } finally {
    await browser.close();
  }
}

async function someTransactions(api: Api, random: () => number): Promise<string[]> {
  const all: string[] = [];
  let cursor = '';
  do {
    const { body } = await api.call('GET', `/v1/transactions?limit=200${cursor}`);
    all.push(...(body.data as { id: string }[]).map(({ id }) => id));
    cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor as string}`;
  } while (cursor !== '');
  return Array.from({ length: Math.min(STORIES, all.length) }, () => all.splice(Math.floor(random() * all.length), 1)[0] as string);
}

interface Shown {
  readonly at: string;
  readonly file: string;
}

interface TransactionShown extends Shown {
  readonly transaction: {
    readonly id: string;
    readonly reference: string | null;
    readonly status: string;
    readonly timeline: readonly { readonly type: string }[];
  };
}

async function transactionPicture(page: Page, { at, transaction, file }: TransactionShown): Promise<Picture> {
  await page.goto(`${at}/transactions/${transaction.id}`);
  await page.waitForSelector(`[data-row-id="${transaction.id}"][data-status="${transaction.status}"]`);
  const words = [transaction.id, transaction.reference, ...transaction.timeline.map(({ type }) => type)];
  return { file, missing: await pictureOf(page, file, words) };
}

interface DeliveryShown extends Shown {
  readonly delivery: {
    readonly id: string;
    readonly event: string;
    readonly status: string;
    readonly attempts: readonly { readonly n: number; readonly cause: string; readonly outcome: string }[];
  };
}

async function deliveryPicture(page: Page, { at, delivery, file }: DeliveryShown): Promise<Picture> {
  await page.goto(`${at}/deliveries/${delivery.id}`);
  await page.waitForSelector(`[data-detail="${delivery.id}"][data-status="${delivery.status}"]`);
  const tries = delivery.attempts.flatMap(({ n, cause, outcome }) => [`#${n}`, outcome === 'succeeded' ? null : cause]);
  return { file, missing: await pictureOf(page, file, [delivery.id, delivery.event, ...tries]) };
}

/** Takes the picture; answers with the words that are not on the page. */
async function pictureOf(page: Page, file: string, words: readonly (string | null)[]): Promise<string[]> {
  await page.screenshot({ path: file, fullPage: true });
  const text = await page.locator('body').innerText();
  return words.filter((word): word is string => word !== null && !text.includes(word));
}
