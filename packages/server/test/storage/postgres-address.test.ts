import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Client } from 'pg';
import { serversOf } from '../../src/storage/postgres/address.ts';

/** What the library makes of each server: where it would connect to, and as whom. */
function dialled(url: string): { readonly at: string[]; readonly as: Set<string> } {
  const clients = serversOf(url).map((server) => new Client({ connectionString: server.url }));
  return {
    at: clients.map(({ host, port }) => `${host} ${port}`),
    as: new Set(
      clients.map((client) => {
        const { options } = (client as unknown as { connectionParameters: { options?: string } }).connectionParameters;
        return `${client.user} ${client.password} ${client.database} ${options ?? '-'} ${client.ssl ? 'tls' : 'plain'}`;
      }),
    ),
  };
}

describe('the address of a PostgreSQL', () => {
  for (const [url, at, as] of [
    ['postgres://u:p@a:5433/d', ['a 5433'], 'u p d - plain'],
    ['postgres://u:p@a:5433,b/d', ['a 5433', 'b 5432'], 'u p d - plain'],
    ['postgresql://u:p@a,b,c:7/d?target_session_attrs=read-write', ['a 5432', 'b 5432', 'c 7'], 'u p d - plain'],
    ['postgres://u:p%40%2C%3A@[::1]:5433,[fe80::2]/d?target_session_attrs=primary', ['::1 5433', 'fe80::2 5432'], 'u p@,: d - plain'],
    ['postgres://u:p@a,b/d?port=6000', ['a 6000', 'b 6000'], 'u p d - plain'],
    ['postgres://u:p@/d?host=a,b&port=1,2', ['a 1', 'b 2'], 'u p d - plain'],
    ['postgres://u:p@/d?host=/run/one,/run/two&port=6000', ['/run/one 6000', '/run/two 6000'], 'u p d - plain'],
    ['postgres://u:p@%2Frun%2Fone,b/d', ['/run/one 5432', 'b 5432'], 'u p d - plain'],
    ['postgres://u:p@a,b/d?options=-c%20search_path%3Dx&sslmode=verify-full', ['a 5432', 'b 5432'], 'u p d -c search_path=x tls'],
  ] as const) {
    test(`${url.replace(/^\w+:\/\/u:[^@]*@/, '')}: each server with all else that it says`, () => {
      const found = dialled(url);
      assert.deepEqual([found.at, [...found.as]], [at, [as]]);
    });
  }

  for (const [url, says] of [
    ['postgres://u:secret@a:port/d', /host or port that is none.*postgres:\/\//],
    ['postgres://u:secret@a:5432,b:99999/d', /port that is none/],
    ['postgres://u:secret@a:5432,/d', /comma too many/],
    ['postgres://u:secret@,b/d', /comma too many/],
    ['postgres://u:secret@/d?host=a,b,c&port=1,2', /not as many ports as hosts/],
    ['postgres://u:secret@a,b/d?target_session_attrs=standby', /writes.*read-write or primary/],
    ['postgres://u:secret@a,b/d?target_session_attrs=whatever', /read-write or primary/],
    ['postgres://u:secret@%zz,b/d', /host that is none/],
    ['postgres:u:secret@a', /no address of a database/],
  ] as const) {
    test(`${url.replace(/u:secret@/, '')} is refused with a sentence that says what to write, and no password`, () => {
      assert.throws(
        () => serversOf(url),
        (error: Error) => error.name === 'StorageError' && says.test(error.message) && !error.message.includes('secret'),
      );
    });
  }
});
