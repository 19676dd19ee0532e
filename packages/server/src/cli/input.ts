import { readFileSync } from 'node:fs';
import { isJsonObject, parseJson, providerById, providers } from '@paybell/sdk';
import type { JsonObject, Provider } from '@paybell/sdk';
import { didYouMean } from '../config/nearest.ts';
import { UsageError } from './command.ts';
import type { Flags, Io } from './command.ts';

/** Reads what a person gave on the command line: as it stands, `@FILE`, or `@-` for standard input. Throws UsageError. */
export async function readBytes(text: string, io: Io): Promise<Uint8Array> {
  if (text === '@-') return io.readStdin();
  return text.startsWith('@') ? readFile(text.slice(1)) : new TextEncoder().encode(text);
}

/** A secret, without the line end that editors put at the end of a file. */
export function readSecret(text: string): string {
  return text.startsWith('@') ? new TextDecoder().decode(readFile(text.slice(1))).replace(/\r?\n$/, '') : text;
}

/** `--options` as an object; null where it is absent. */
export function readOptions(flags: Flags): JsonObject | null {
  const text = flags.one('options');
  if (text === undefined) return null;
  try {
    const options = parseJson(text);
    if (isJsonObject(options)) return options;
  } catch (error) {
    throw new UsageError(`--options: ${(error as Error).message}`);
  }
  throw new UsageError('--options must be a JSON object.');
}

/** The provider of that id. Throws UsageError with the nearest one. */
export function readProvider(id: string): Provider {
  const provider = providerById(id);
  if (provider !== undefined) return provider;
  const ids = providers.map((known) => known.id);
  throw new UsageError(`There is no provider "${id}".${didYouMean(id, ids)} There are: ${ids.join(', ')}.`);
}

function readFile(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    throw new UsageError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'}).`);
  }
}
