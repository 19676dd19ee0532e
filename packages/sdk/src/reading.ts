import type { JsonValue } from './json.ts';
import type { Customer, Kind, Movement, Rail, Reason, Status } from './ledger/transaction.ts';
import type { Money, MoneyReading } from './money.ts';
import type { Fact } from './provider.ts';

/** A movement as a provider file writes it down: what is undefined is left out. */
export interface MovementDraft {
  readonly kind: Kind;
  readonly key: string;
  readonly status: Status;
  readonly substate?: string | undefined;
  readonly rail?: Rail | undefined;
  readonly reference?: string | undefined;
  readonly providerReference?: string | undefined;
  readonly refs?: readonly (string | undefined)[];
  readonly amount?: MoneyReading | undefined;
  readonly amountReceived?: MoneyReading | undefined;
  readonly parent?: { readonly kind: Kind; readonly key: string | undefined } | undefined;
  readonly customer?: { readonly [Member in keyof Customer]: string | undefined } | undefined;
  readonly reason?: { readonly code: string | undefined; readonly message?: string | undefined } | undefined;
  readonly flags?: readonly (string | false | undefined)[];
  readonly reinstated?: boolean | undefined;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Makes a movement of a draft. An amount that was refused is left out and flagged `amount_unreadable`. */
export function movement(draft: MovementDraft): Movement {
  const made: Writable<Movement> = { kind: draft.kind, key: draft.key, status: draft.status };
  if (draft.substate !== undefined) made.substate = draft.substate;
  if (draft.rail !== undefined) made.rail = draft.rail;
  if (draft.reference !== undefined) made.reference = draft.reference;
  if (draft.providerReference !== undefined) made.providerReference = draft.providerReference;
  const refs = draft.refs?.filter((ref) => ref !== undefined);
  if (refs !== undefined && refs.length > 0) made.refs = refs;
  const amount = moneyOf(draft.amount);
  if (amount !== undefined) made.amount = amount;
  const amountReceived = moneyOf(draft.amountReceived);
  if (amountReceived !== undefined) made.amountReceived = amountReceived;
  if (draft.parent?.key !== undefined) made.parent = { kind: draft.parent.kind, key: draft.parent.key };
  const customer = customerOf(draft.customer);
  if (customer !== undefined) made.customer = customer;
  const reason = reasonOf(draft.reason);
  if (reason !== undefined) made.reason = reason;
  const flags = (draft.flags ?? []).filter((flag) => typeof flag === 'string');
  if (isUnreadable(draft.amount) || isUnreadable(draft.amountReceived)) flags.push('amount_unreadable');
  if (flags.length > 0) made.flags = flags;
  if (draft.reinstated === true) made.reinstated = true;
  return made;
}

export function moneyOf(reading: MoneyReading | undefined): Money | undefined {
  return reading !== undefined && 'money' in reading ? reading.money : undefined;
}

function isUnreadable(reading: MoneyReading | undefined): boolean {
  return reading !== undefined && 'refused' in reading && reading.refused !== 'missing';
}

function customerOf(draft: MovementDraft['customer']): Customer | undefined {
  if (draft === undefined) return undefined;
  const entries = Object.entries(draft).filter(([, text]) => text !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function reasonOf(draft: MovementDraft['reason']): Reason | undefined {
  const code = draft?.code ?? draft?.message;
  if (code === undefined) return undefined;
  return draft?.message === undefined ? { code } : { code, message: draft.message };
}

export interface FactDraft {
  readonly type: string;
  readonly occurredAt: number | null;
  readonly data: JsonValue;
}

/** A fact that the ledger understands; `dedupeKey` is the same on every try of it. */
export function mapped(draft: FactDraft, dedupeKey: string, what: Movement): Fact {
  return { type: draft.type, dedupeKey, sequence: null, occurredAt: draft.occurredAt, data: draft.data, movement: what };
}

/** A fact that is kept and passed on, but moves nothing; `why` is one sentence. */
export function unmapped(draft: FactDraft, dedupeKey: string, why: string): Fact {
  return { type: draft.type, dedupeKey, sequence: null, occurredAt: draft.occurredAt, data: draft.data, movement: null, unmapped: why };
}

/** A movement whose money is not to be trusted, because the body names one key twice. */
export function withoutMoney(what: Movement): Movement {
  const { amount: _amount, amountReceived: _received, ...rest } = what;
  return { ...rest, flags: [...(what.flags ?? []), 'ambiguous_json'] };
}
