import type { JsonObject, Provider } from '@paybell/sdk';
import { connect } from '../client.ts';
import type { Client } from '../client.ts';
import { Failure, UsageError } from '../command.ts';
import type { Flags, Io } from '../command.ts';

/** Where webhooks go and what signs them. */
export interface Target {
  readonly url: string;
  readonly secret: string;
  readonly options: JsonObject | null;
}

interface Wanted {
  readonly flags: Flags;
  readonly io: Io;
  readonly secret: string | undefined;
  readonly options: JsonObject | null;
}

interface SourceRow {
  readonly id: string;
  readonly name: string;
  readonly provider: string;
  readonly ingestPath: string;
  readonly options: JsonObject | null;
}

/** `--to` with `--secret`, or what a running server knows of `--source`. Throws UsageError and Failure. */
export async function targetOf(provider: Provider, { flags, io, secret, options }: Wanted): Promise<Target> {
  const to = flags.one('to');
  const wanted = flags.one('source');
  if ((to === undefined) === (wanted === undefined))
    throw new UsageError('Say where to send it: --to URL with --secret, or --source SOURCE.');
  if (to !== undefined) {
    if (!/^https?:$/.test(URL.parse(to)?.protocol ?? '')) throw new UsageError('--to must be an http:// or https:// address.');
    if (secret === undefined) throw new UsageError('--to needs --secret: what to sign with.');
    return { url: to, secret, options };
  }
  if (secret !== undefined || options !== null)
    throw new UsageError('--source brings its own secret and options: leave --secret and --options out.');
  const client = connect(flags, io);
  const source = await findSource(client, { wanted: wanted ?? '', provider });
  if (source.provider !== provider.id)
    throw new UsageError(`The source ${source.id} receives from ${source.provider}, not from ${provider.id}.`);
  const found = await client.call<{ secret: string }>('GET', `/v1/sources/${encodeURIComponent(source.id)}/secret`);
  return { url: client.url + source.ingestPath, secret: found.secret, options: source.options };
}

async function findSource(client: Client, { wanted, provider }: { wanted: string; provider: Provider }): Promise<SourceRow> {
  if (wanted.startsWith('src_')) return client.call<SourceRow>('GET', `/v1/sources/${encodeURIComponent(wanted)}`);
  const { data } = await client.call<{ data: SourceRow[] }>('GET', '/v1/sources?limit=100');
  const [only, ...others] = data.filter((source) => source.name === wanted && source.provider === provider.id);
  if (only === undefined)
    throw new Failure(
      `No source of ${provider.id} is called "${wanted}". There are: ${data.map(({ id, name }) => `${id} (${name})`).join(', ') || 'none'}.`,
    );
  if (others.length > 0)
    throw new Failure(`Several sources are called "${wanted}": ${[only, ...others].map(({ id }) => id).join(', ')}. Give an id.`);
  return only;
}
