import { setTimeout as wait } from 'node:timers/promises';
import { connect, SERVER_FLAGS } from './client.ts';
import type { Client } from './client.ts';
import { EXIT } from './command.ts';
import type { Command, Flags, Io } from './command.ts';
import { listRows, LIST_FLAGS } from './list.ts';
import { printRows } from './table.ts';
import type { Row } from './table.ts';

const LOOK_MS = 500;

interface Progress extends Row {
  readonly id: string;
  readonly state: 'running' | 'done' | 'canceled' | 'failed';
  readonly note: string | null;
  readonly deliveries: number;
  readonly made: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly pending: number;
}

interface Answer extends Row {
  readonly events: number;
  readonly deliveries: number;
  readonly resend: Progress | null;
}

export const resendsList: Command = {
  about: 'Lists resends of many events and how far they are, newest first.',
  arguments: [],
  flags: { ...LIST_FLAGS, ...SERVER_FLAGS },
  async run({ flags }, io) {
    const rows = await listRows(connect(flags, io), '/v1/resends', { flags, filters: [] });
    const columns = ['id', 'createdAt', 'state', 'deliveries', 'made', 'succeeded', 'failed', 'pending'];
    printRows(rows, { columns, json: flags.has('json') }, io);
    return EXIT.ok.code;
  },
};

export const resendsCancel: Command = {
  about: 'Ends a resend: nothing more is made, and what waits is withdrawn.',
  arguments: [{ name: 'RESEND', help: 'Id of a resend: rsd_...' }],
  flags: { json: { help: 'One line.' }, ...SERVER_FLAGS },
  async run({ args, flags }, io) {
    const row = await connect(flags, io).call<Row>('POST', `/v1/resends/${encodeURIComponent(args[0] ?? '')}/cancel`, {});
    io.print(JSON.stringify(row, null, flags.has('json') ? undefined : 2));
    return EXIT.ok.code;
  },
};

/** Counts, begins the resend and tells how far it is until all deliveries are made; it goes on without us. */
export async function resendMany(flags: Flags, io: Io): Promise<number> {
  const client = connect(flags, io);
  const named = ['since', 'until', 'status', 'endpoint', 'source', 'transaction'].flatMap((name) => {
    const value = flags.one(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const types = flags.many('type');
  const answer = await client.call<Answer>('POST', '/v1/events/resend', {
    ...Object.fromEntries(named),
    ...(types.length === 0 ? {} : { types }),
    ...(flags.has('per-second') ? { perSecond: flags.count('per-second', { from: 1, to: 10_000, fallback: 0 }) } : {}),
    ...(flags.has('dry-run') ? { dryRun: true } : {}),
  });
  io.note(`${answer.events} events, ${answer.deliveries} deliveries${flags.has('dry-run') ? ' would be made' : ''}`);
  const last = answer.resend === null ? answer : await follow(client, answer.resend, io);
  io.print(JSON.stringify(last, null, flags.has('json') ? undefined : 2));
  return 'state' in last && last['state'] === 'failed' ? EXIT.failed.code : EXIT.ok.code;
}

async function follow(client: Client, begun: Progress, io: Io): Promise<Progress> {
  let row = begun;
  let left = false;
  const leaving = io.stopped().then(() => (left = true));
  for (let told = -1; ;) {
    if (row.made !== told)
      io.note(`${row.id} ${row.state}: ${row.made} of ${row.deliveries} made, ${row.succeeded} succeeded, ${row.failed} failed`);
    told = row.made;
    if (row.state !== 'running') return row;
    await Promise.race([wait(LOOK_MS), leaving]);
    if (left) {
      io.note(`It goes on without you: paybell resends list shows it, paybell resends cancel ${row.id} ends it.`);
      return row;
    }
    row = await client.call<Progress>('GET', `/v1/resends/${row.id}`);
  }
}
