import type { IdPrefix } from '../ids.ts';
import type { Clock, Log, RandomBytes, Storage } from '../ports.ts';
import type { Vault } from './secrets.ts';
import type { Turn } from './turns.ts';

export interface DirectoryParts {
  readonly storage: Storage;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly newId: (prefix: IdPrefix) => string;
  /** What speaks against a URL at once; null: nothing. */
  readonly judgeUrl: (url: string) => { readonly code: string; readonly sentence: string } | null;
}

/** What sources, endpoints and keys share. */
export interface RoomParts extends DirectoryParts {
  readonly checkMerchant: (id: string) => void;
  readonly inTurn: Turn;
  /** The version that a save was made as; where it was not made, the change is made again on what stands now. */
  readonly saved: (version: number | null) => number;
  /** What is sealed in a stored row; null where another node sealed it with a key that this one lacks. */
  readonly opened: <Clear>(row: SealedRow, open: (row: SealedRow, vault: Vault) => Clear) => Clear | null;
}

export interface SealedRow {
  readonly id: string;
  readonly sealed: string;
}
