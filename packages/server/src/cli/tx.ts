import { connect, SERVER_FLAGS } from './client.ts';
import type { Client } from './client.ts';
import { EXIT, Failure } from './command.ts';
import type { Argument, Command } from './command.ts';
import { listRows, LIST_FLAGS } from './list.ts';
import { cell, plain, printRows } from './table.ts';
import type { Row } from './table.ts';

const TRANSACTION: Argument = { name: 'TRANSACTION', help: 'Id (txn_...) or any reference of it.' };
const FILTERS = ['status', 'kind', 'provider', 'rail', 'currency', 'from', 'to', 'q'] as const;

export const txList: Command = {
  about: 'Lists transactions, newest first.',
  arguments: [],
  flags: {
    status: { value: 'STATUS', help: 'Such as pending, succeeded, failed.' },
    kind: { value: 'KIND', help: 'Such as payment, refund, payout, settlement.' },
    provider: { value: 'PROVIDER', help: 'Only of this provider.' },
    rail: { value: 'RAIL', help: 'Such as mobile_money, card, crypto.' },
    currency: { value: 'CURRENCY', help: 'Such as KES.' },
    from: { value: 'TIME', help: 'Changed since then, RFC 3339.' },
    to: { value: 'TIME', help: 'Changed before then, RFC 3339.' },
    q: { value: 'REFERENCE', help: 'Any reference, whole or its beginning.' },
    ...LIST_FLAGS,
    ...SERVER_FLAGS,
  },
  async run({ flags }, io) {
    const rows = await listRows(connect(flags, io), '/v1/transactions', { flags, filters: FILTERS });
    const columns = ['id', 'updatedAt', 'provider', 'kind', 'status', 'amount', 'reference'];
    printRows(rows, { columns, json: flags.has('json') }, io);
    return EXIT.ok.code;
  },
};

export const txGet: Command = {
  about: 'Shows one transaction with its timeline and deliveries.',
  arguments: [TRANSACTION],
  flags: { json: { help: 'One line.' }, ...SERVER_FLAGS },
  async run({ args, flags }, io) {
    const transaction = await find(connect(flags, io), args[0] ?? '');
    io.print(JSON.stringify(transaction, null, flags.has('json') ? undefined : 2));
    return EXIT.ok.code;
  },
};

export const txWhy: Command = {
  about: 'Says why a transaction has its status: every event, what it did and by which rule.',
  arguments: [TRANSACTION],
  flags: { json: { help: 'One line per event.' }, ...SERVER_FLAGS },
  async run({ args, flags }, io) {
    const transaction = await find(connect(flags, io), args[0] ?? '');
    const timeline = Array.isArray(transaction['timeline']) ? (transaction['timeline'] as Row[]) : [];
    if (flags.has('json')) {
      printRows(timeline, { columns: [], json: true }, io);
      return EXIT.ok.code;
    }
    const { id, kind, status, amount, reference } = transaction;
    io.print(`${cell(id)}: ${cell(kind)} ${cell(reference)}, ${cell(amount)}, is ${cell(status)}.`);
    for (const entry of timeline) {
      const change = entry['from'] === entry['to'] ? cell(entry['to']) : `${cell(entry['from'])} -> ${cell(entry['to'])}`;
      io.print(`  ${cell(entry['at'])}  ${cell(entry['type'])}  ${cell(entry['verdict'])}  ${change}  (${cell(entry['rule'])})`);
      if (typeof entry['why'] === 'string') io.print(`      ${plain(entry['why'])}`);
    }
    return EXIT.ok.code;
  },
};

interface Referred {
  readonly id: string;
  readonly kind: string;
  readonly reference: string | null;
  readonly providerReference: string | null;
}

async function find(client: Client, wanted: string): Promise<Row> {
  if (wanted.startsWith('txn_')) return client.call<Row>('GET', `/v1/transactions/${encodeURIComponent(wanted)}`);
  const { data } = await client.call<{ data: Referred[] }>(
    'GET',
    `/v1/transactions?${new URLSearchParams({ q: wanted, limit: '20' }).toString()}`,
  );
  const exact = data.filter(({ reference, providerReference }) => reference === wanted || providerReference === wanted);
  const found = exact.length === 0 ? data : exact;
  const [only, ...others] = found;
  if (only === undefined) throw new Failure(`No transaction has a reference that begins with "${plain(wanted)}".`);
  if (others.length > 0)
    throw new Failure(`Several transactions match: ${found.map(({ id, kind }) => `${id} (${kind})`).join(', ')}. Give one id.`);
  return client.call<Row>('GET', `/v1/transactions/${encodeURIComponent(only.id)}`);
}
