import type { Transaction } from '@paybell/sdk';

/** Every text by which a person may look for a transaction, each once. */
export function references(row: Transaction): string[] {
  const all = [row.reference, row.providerReference, ...row.refs, row.customer?.reference, row.customer?.phone, row.customer?.email];
  return [...new Set(all.filter((text): text is string => typeof text === 'string' && text !== ''))];
}
