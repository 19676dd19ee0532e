import { connect, SERVER_FLAGS } from './client.ts';
import { EXIT, UsageError } from './command.ts';
import type { Argument, Command } from './command.ts';
import { listRows, LIST_FLAGS } from './list.ts';
import { resendMany } from './resends.ts';
import { printRows } from './table.ts';
import type { Row } from './table.ts';

const EVENT: Argument = { name: 'EVENT', help: 'Id of an event: evt_...' };

export const eventsList: Command = {
  about: 'Lists recorded events, newest first.',
  arguments: [],
  flags: {
    type: { value: 'TYPE', help: 'Only events of this type.' },
    source: { value: 'SOURCE', help: 'Only events that came in by this source.' },
    state: { value: 'STATE', help: 'recorded, unmapped or fold_failed.' },
    transaction: { value: 'TXN', help: 'Only events of this transaction.' },
    since: { value: 'TIME', help: 'Only events recorded since then, RFC 3339.' },
    ...LIST_FLAGS,
    ...SERVER_FLAGS,
  },
  async run({ flags }, io) {
    const filters = ['type', 'source', 'state', 'transaction', 'since'];
    const rows = await listRows(connect(flags, io), '/v1/events', { flags, filters });
    printRows(rows, { columns: ['id', 'recordedAt', 'provider', 'type', 'state', 'transaction'], json: flags.has('json') }, io);
    return EXIT.ok.code;
  },
};

export const eventsGet: Command = {
  about: 'Shows one event with its data.',
  arguments: [EVENT],
  flags: { json: { help: 'One line.' }, ...SERVER_FLAGS },
  async run({ args, flags }, io) {
    const event = await connect(flags, io).call<Row>('GET', `/v1/events/${encodeURIComponent(args[0] ?? '')}`);
    io.print(JSON.stringify(event, null, flags.has('json') ? undefined : 2));
    return EXIT.ok.code;
  },
};

const MANY = {
  since: { value: 'TIME', help: 'Instead of one EVENT all that were recorded since then, RFC 3339; counted first.' },
  until: { value: 'TIME', help: 'With --since: and up to then.' },
  status: {
    value: 'STATUS',
    help: 'With --since: only where they stand as failed, pending or succeeded with an endpoint, or missing: --endpoint never got them.',
  },
  type: { value: 'TYPE', many: true, help: 'With --since: only events of this type, such as payment.*; may be given several times.' },
  source: { value: 'SOURCE', help: 'With --since: only events that came in by this source.' },
  transaction: { value: 'TXN', help: 'With --since: only events of this transaction.' },
  'per-second': { value: 'N', help: 'With --since: deliveries made in a second at most; 200 unless told.' },
  'dry-run': { help: 'With --since: only count.' },
} as const;

export const eventsResend: Command = {
  about: 'Delivers one event, or all since a time, again: new deliveries to the endpoints that match now.',
  arguments: [{ ...EVENT, optional: true }],
  flags: { endpoint: { value: 'ENDPOINT', help: 'Only to this endpoint.' }, ...MANY, json: { help: 'One line.' }, ...SERVER_FLAGS },
  examples: ['paybell events resend --since 2026-01-31T12:00:00Z --status failed --endpoint end_... --dry-run'],
  async run({ args, flags }, io) {
    const [event] = args;
    const endpoint = flags.one('endpoint');
    if (event === undefined) {
      if (!flags.has('since')) throw new UsageError('Name an EVENT, or say with --since from when on all are to be sent again.');
      return resendMany(flags, io);
    }
    const odd = Object.keys(MANY).find((name) => flags.has(name));
    if (odd !== undefined) throw new UsageError(`--${odd} is for many events; leave EVENT or the flag out.`);
    const path = `/v1/events/${encodeURIComponent(event)}/resend`;
    const answer = await connect(flags, io).call<Row>('POST', path, endpoint === undefined ? {} : { endpoint });
    io.print(JSON.stringify(answer, null, flags.has('json') ? undefined : 2));
    return EXIT.ok.code;
  },
};
