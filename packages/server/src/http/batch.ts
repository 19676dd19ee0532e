import { randomUUID } from 'node:crypto';
import type { Engine, Publish, Published } from '../engine/faces.ts';
import { Refusal } from '../engine/refusal.ts';
import { Problem } from './problems.ts';

/**
 * Publishes a batch. Where a key was used before with another body the others are published all the same: the problem says which were
 * not, and has the answers of the others, so that nobody has to guess what is in the log.
 */
export async function publishBatch(engine: Engine, merchant: string, items: readonly Publish[]): Promise<readonly Published[]> {
  const keyed = items.some(({ idempotencyKey }) => idempotencyKey !== undefined) ? named(items) : items;
  try {
    return await engine.publish(merchant, keyed);
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
  // All but the conflicting ones are in the log by now: with their keys each can be asked for again, and answers with what it became.
  const data = await Promise.all(keyed.map((item) => answerOf(engine, merchant, item)));
  const errors = data.flatMap((line, index) =>
    line === null ? [{ path: `events.${index}`, message: 'has an idempotency key that was used before with another body.' }] : [],
  );
  const published = data.length - errors.length;
  const rest =
    published === 0
      ? 'Nothing else was in the batch.'
      : `The other ${published} ${published === 1 ? 'was' : 'were'} published: see "data".`;
  throw new Problem(
    'idempotency_conflict',
    `${errors
      .map(({ path }) => path)
      .slice(0, 5)
      .join(', ')}: the key was used before with another body. Use a new key for a new event. ${rest}`,
    { errors: errors.slice(0, 20), more: { data } },
  );
}

/** Those without a key get one that nobody else has, so that they too can be asked for again. */
function named(items: readonly Publish[]): readonly Publish[] {
  const batch = randomUUID();
  return items.map((item, index) => (item.idempotencyKey === undefined ? { ...item, idempotencyKey: `batch:${batch}/${index}` } : item));
}

async function answerOf(engine: Engine, merchant: string, item: Publish): Promise<Pick<Published, 'id' | 'deliveries'> | null> {
  try {
    const [line] = await engine.publish(merchant, [item]);
    return line === undefined ? null : { id: line.id, deliveries: line.deliveries };
  } catch (error) {
    if (isConflict(error)) return null;
    throw error;
  }
}

const isConflict = (error: unknown): boolean => error instanceof Refusal && error.code === 'idempotency_conflict';
