import type { IdPrefix } from '../ids.ts';
import type { Clock, RandomBytes, Storage } from '../ports.ts';
import type { Vault } from './secrets.ts';

export interface DirectoryParts {
  readonly storage: Storage;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly newId: (prefix: IdPrefix) => string;
  /** What speaks against a URL at once; null: nothing. */
  readonly judgeUrl: (url: string) => { readonly code: string; readonly sentence: string } | null;
}
