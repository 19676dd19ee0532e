import type { Engine, Publish, Published } from '../engine/faces.ts';
import { KeyConflict } from '../engine/refusal.ts';
import { Problem } from './problems.ts';

/**
 * Publishes a batch. Where a key was used before with another body the others are published all the same: the problem says which were
 * not, and has the answers of the others, so that nobody has to guess what is in the log.
 */
export async function publishBatch(engine: Engine, merchant: string, items: readonly Publish[]): Promise<readonly Published[]> {
  try {
    return await engine.publish(merchant, items);
  } catch (error) {
    if (error instanceof KeyConflict) throw conflictIn(error.lines);
    throw error;
  }
}

const MOST_NAMED = 5;
const MOST_ERRORS = 20;

function conflictIn(lines: readonly (Published | null)[]): Problem {
  const errors = lines.flatMap((line, index) =>
    line === null ? [{ path: `events.${index}`, message: 'has an idempotency key that was used before with another body.' }] : [],
  );
  const published = lines.length - errors.length;
  const rest =
    published === 0
      ? 'Nothing else was in the batch.'
      : `The other ${published} ${published === 1 ? 'was' : 'were'} published: see "data".`;
  const named = errors.slice(0, MOST_NAMED).map(({ path }) => path);
  return new Problem(
    'idempotency_conflict',
    `${named.join(', ')}: the key was used before with another body. Use a new key for a new event. ${rest}`,
    { errors: errors.slice(0, MOST_ERRORS), more: { data: lines.map((line) => line && { id: line.id, deliveries: line.deliveries }) } },
  );
}
