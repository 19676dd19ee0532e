import { setTimeout as wait } from 'node:timers/promises';
import { connect, SERVER_FLAGS } from './client.ts';
import type { Client } from './client.ts';
import { EXIT, Failure, UsageError } from './command.ts';
import type { Command, Io } from './command.ts';
import { readSse } from './sse-read.ts';
import { cell } from './table.ts';
import type { Row } from './table.ts';
import { didYouMean } from '../config/nearest.ts';

const TOPICS = ['transactions', 'deliveries', 'requests'];
const RETRY_MS = [250, 500, 1000, 2000, 5000];

export const tail: Command = {
  about: 'Shows what happens, live, until it is stopped.',
  arguments: [],
  flags: {
    topics: { value: 'LIST', help: `Some of ${TOPICS.join(',')}; all unless said.` },
    filter: { value: 'FIELD=VALUE', many: true, help: 'Only rows with this value, "*" for any ending: provider=serixpay, status=fail*.' },
    count: { value: 'N', help: 'Stop after so many rows.' },
    json: { help: 'One JSON object per line.' },
    ...SERVER_FLAGS,
  },
  examples: ["paybell tail --filter provider=serixpay --filter 'status=fail*'"],
  async run({ flags }, io) {
    const topics = (flags.one('topics') ?? TOPICS.join(',')).split(',');
    const unknown = topics.find((topic) => !TOPICS.includes(topic));
    if (unknown !== undefined) throw new UsageError(`There is no topic "${unknown}".${didYouMean(unknown, TOPICS)}`);
    const filters = flags.many('filter').map(readFilter);
    const limit = flags.count('count', { from: 1, to: 1_000_000_000, fallback: Infinity });
    const client = connect(flags, io);
    const abort = new AbortController();
    void io.stopped().then(() => abort.abort());
    let shown = 0;
    for await (const { topic, row } of follow(client, { path: `/v1/live?topics=${topics.join(',')}`, signal: abort.signal, io })) {
      if (!filters.every((matches) => matches(row))) continue;
      io.print(flags.has('json') ? JSON.stringify({ topic, ...row }) : line(topic, row));
      shown += 1;
      if (shown >= limit) break;
    }
    abort.abort();
    return EXIT.ok.code;
  },
};

/** Every row of the stream; after a break it goes on where it was. Ends when the signal says so. */
async function* follow(client: Client, stream: { path: string; signal: AbortSignal; io: Io }): AsyncGenerator<{ topic: string; row: Row }> {
  let lastId: string | null = null;
  let tries = 0;
  while (!stream.signal.aborted) {
    try {
      const answer = await client.open(stream.path, lastId === null ? {} : { 'last-event-id': lastId }, stream.signal);
      if (tries > 0) stream.io.note('Connected again.');
      tries = 0;
      if (answer.body === null) throw new Failure('The stream has no content.');
      for await (const message of readSse(answer.body as AsyncIterable<Uint8Array>)) {
        lastId = message.id ?? lastId;
        if (message.event === 'reset') stream.io.note('The server no longer knows what happened meanwhile: rows are missing here.');
        else if (message.data.startsWith('{')) yield { topic: message.event, row: JSON.parse(message.data) as Row };
      }
    } catch (error) {
      if (stream.signal.aborted) return;
      // Before the first answer, and when the server says no, trying again will not help.
      if (error instanceof Failure && (lastId === null || error.code !== EXIT.unreachable.code)) throw error;
    }
    if (tries === 0) stream.io.note('The stream broke off; trying again.');
    await wait(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)] ?? 5000, undefined, { signal: stream.signal }).catch(() => undefined);
    tries += 1;
  }
}

function readFilter(text: string): (row: Row) => boolean {
  const [, field = '', pattern = ''] = /^([A-Za-z][\w.]*)=([\s\S]*)$/.exec(text) ?? [];
  if (field === '') throw new UsageError(`--filter must be FIELD=VALUE, not "${text}".`);
  const wanted = pattern.toLowerCase();
  return (row) => {
    const value = cell(
      field.split('.').reduce<unknown>((at, name) => (typeof at === 'object' && at !== null ? (at as Row)[name] : undefined), row),
    ).toLowerCase();
    return wanted.endsWith('*') ? value.startsWith(wanted.slice(0, -1)) : value === wanted;
  };
}

function line(topic: string, row: Row): string {
  const fields: Readonly<Record<string, readonly string[]>> = {
    transaction: ['updatedAt', 'provider', 'kind', 'status', 'amount', 'reference', 'id'],
    delivery: ['createdAt', 'status', 'eventType', 'endpoint', 'statusCode', 'attemptCount', 'id'],
    request: ['receivedAt', 'provider', 'verdict', 'reason', 'id'],
  };
  return [topic.padEnd(11), ...(fields[topic] ?? ['id']).map((name) => cell(row[name]))].join('  ');
}
