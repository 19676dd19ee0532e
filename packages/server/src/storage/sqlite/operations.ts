import type { DatabaseSync } from 'node:sqlite';
import { checkOperations } from './check.ts';
import { deliveryOperations } from './deliveries.ts';
import { directoryOperations } from './directory.ts';
import { eventOperations } from './events.ts';
import { expiryOperations } from './expire.ts';
import { readOperations } from './reads.ts';
import { recordOperations } from './record.ts';
import { requestOperations } from './requests.ts';
import { resendOperations } from './resends.ts';
import { settleOperations } from './settle.ts';
import { statsOperations } from './tallies.ts';

/** Every operation of the contract as a synchronous function on one connection. */
export function operations(db: DatabaseSync) {
  return {
    ...directoryOperations(db),
    ...recordOperations(db),
    ...deliveryOperations(db),
    ...settleOperations(db),
    ...resendOperations(db),
    ...requestOperations(db),
    ...eventOperations(db),
    ...readOperations(db),
    ...statsOperations(db),
    ...checkOperations(db),
    ...expiryOperations(db),
  };
}

export type Operations = ReturnType<typeof operations>;
export type OperationName = keyof Operations;

/** Operations that only read: they go to the connection for reading, so that a long list never delays a commit. */
export const READS: ReadonlySet<OperationName> = new Set<OperationName>([
  'loadDirectory',
  'loadFailing',
  'getNote',
  'beat',
  'listRequests',
  'getRequest',
  'getRequestBody',
  'listEvents',
  'getEvent',
  'listDeliveries',
  'getDelivery',
  'findResendable',
  'listResends',
  'getResend',
  'listTransactions',
  'getTransaction',
  'endpointHealth',
  'stats',
  'check',
  'facts',
]);
