import { connect, SERVER_FLAGS } from './client.ts';
import { EXIT } from './command.ts';
import type { Command } from './command.ts';
import type { Row } from './table.ts';

export const keysCreate: Command = {
  about: 'Makes an API key and shows it, this once.',
  arguments: [],
  flags: {
    merchant: { value: 'MERCHANT', help: 'A key that sees only this merchant; otherwise an admin key.' },
    name: { value: 'NAME', help: 'What it is for.' },
    json: { help: 'One line with id and key.' },
    ...SERVER_FLAGS,
  },
  async run({ flags }, io) {
    const merchant = flags.one('merchant');
    const name = flags.one('name') ?? 'made by paybell keys create';
    const made = await connect(flags, io).call<Row>('POST', '/v1/api-keys', { name, ...(merchant === undefined ? {} : { merchant }) });
    if (flags.has('json')) {
      io.print(JSON.stringify(made));
    } else {
      io.note(`${String(made['id'])}, ${merchant === undefined ? 'an admin key' : `for merchant ${merchant}`}. It is not shown again:`);
      io.print(String(made['key']));
    }
    return EXIT.ok.code;
  },
};
