import { connect, SERVER_FLAGS } from './client.ts';
import { EXIT } from './command.ts';
import type { Argument, Command } from './command.ts';
import { listRows, LIST_FLAGS } from './list.ts';
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

export const eventsResend: Command = {
  about: 'Delivers one event again: new deliveries to the endpoints that match it now.',
  arguments: [EVENT],
  flags: { endpoint: { value: 'ENDPOINT', help: 'Only to this endpoint.' }, json: { help: 'One line.' }, ...SERVER_FLAGS },
  async run({ args, flags }, io) {
    const endpoint = flags.one('endpoint');
    const path = `/v1/events/${encodeURIComponent(args[0] ?? '')}/resend`;
    const answer = await connect(flags, io).call<Row>('POST', path, endpoint === undefined ? {} : { endpoint });
    io.print(JSON.stringify(answer, null, flags.has('json') ? undefined : 2));
    return EXIT.ok.code;
  },
};
