import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { wallOffsetMs } from './clock.ts';
import { orderPrefix, type Tag } from './webhook.ts';
import type { Paybell } from './paybell.ts';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const STREAMS_WITHIN_MS = 15_000;

// A row counts from the task after the frame that shows it: by then the browser has painted. Rows are reused by virtual lists, so id and
// text are both kept and read anew on each change.
const OBSERVER = `
  window.paybellRows = new Map();
  new MutationObserver(() => {
    if (window.paybellWaits) return;
    window.paybellWaits = true;
    requestAnimationFrame(() => {
      window.paybellWaits = false;
      const rows = [...document.querySelectorAll('[data-row-id]')].map((row) => row.dataset.rowId + ' ' + row.textContent);
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        const now = performance.timeOrigin + performance.now();
        for (const row of rows) if (!window.paybellRows.has(row)) window.paybellRows.set(row, now);
      };
      channel.port2.postMessage(null);
    });
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['data-row-id'] });
`;

/** The console in a headless browser. */
export interface Painter extends AsyncDisposable {
  /** When each payment's row was first painted on the shared clock, by sequence number. */
  painted(tag: Tag): Promise<ReadonlyMap<number, number>>;
}

/** Opens the console signed in, or says why that cannot be. */
export async function openConsole(paybell: Paybell): Promise<Painter | string> {
  const executablePath = process.env['PAYBELL_CHROMIUM'] ?? BROWSERS.find((path) => existsSync(path));
  if (executablePath === undefined) return 'no Chromium found; set PAYBELL_CHROMIUM to one';
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.addInitScript({ content: OBSERVER });
    const isStream = (url: string): boolean => new URL(url).pathname === '/v1/live';
    const streams = page.waitForResponse((answer) => isStream(answer.url()) && answer.ok(), { timeout: STREAMS_WITHIN_MS });
    await Promise.all([streams, page.goto(`${paybell.url}/#key=${paybell.key}`)]);
    return painterOf(browser, page, paybell);
  } catch (error) {
    await browser.close();
    return `the console did not open its live stream: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`;
  }
}

function painterOf(browser: Browser, page: Page, paybell: Paybell): Painter {
  return {
    async painted(tag) {
      const rows = await page.evaluate<[string, number][]>('[...window.paybellRows]');
      const byId = await sequencesById(paybell, tag);
      const reference = new RegExp(`${orderPrefix(tag)}(\\d{8})`);
      const first = new Map<number, number>();
      for (const [row, at] of rows) {
        const shown = reference.exec(row)?.[1];
        const n = shown === undefined ? byId.get(row.slice(0, row.indexOf(' '))) : Number(shown);
        if (n !== undefined) first.set(n, Math.min(first.get(n) ?? Infinity, at - wallOffsetMs()));
      }
      return first;
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

/** For rows that show something else than the reference. */
async function sequencesById(paybell: Paybell, tag: Tag): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const prefix = orderPrefix(tag);
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ q: prefix, limit: '100', ...(cursor === null ? {} : { cursor }) });
    const page: { data: { id: string; reference: string }[]; nextCursor: string | null } = await paybell.api(
      'GET',
      `/v1/transactions?${query.toString()}`,
    );
    for (const { id, reference } of page.data) if (reference.startsWith(prefix)) found.set(id, Number(reference.slice(prefix.length)));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return found;
}
