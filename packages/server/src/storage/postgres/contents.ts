import type { RowOf } from './arrays.ts';
import { typedRowsOf } from './arrays.ts';
import { TAKE_PLACE } from './numbered.ts';
import { stepOver } from './steps.ts';

/** The tables of what expires. */
export type Contents = 'contents' | 'attempt_contents';

const COLUMNS = { at: 'int8', id: 'text', headers: 'text', data: 'text', body: 'bytea' } as const;

const ROWS = typedRowsOf('content_row', COLUMNS);

export type ContentRow = RowOf<typeof COLUMNS>;

/** Writes what expires, under the time and the id of the row that it belongs to. */
export const insertContents = stepOver('kept', {
  rows: ROWS,
  text: (rows) => `contents_made AS (INSERT INTO contents (${ROWS.names}) SELECT ${ROWS.names} FROM ${rows})`,
});

/** Since when the content is gone that `there` would be a column of, if it stood in `what`; null where it is there. */
export const goneSince = (what: Contents, at: string, there: string): string =>
  `CASE WHEN ${there} IS NULL THEN (SELECT x.at FROM expired x WHERE x.what = '${what}' AND x.upto > ${at} ORDER BY x.upto LIMIT 1) END`;

/** That what is of that time stands in `what`, and may be relied on as long as it is held. */
export const isKept = (what: Contents, at: string): string =>
  `NOT EXISTS (SELECT 1 FROM expired x WHERE x.what = '${what}' AND x.upto > ${at})`;

/** An event `e` with the request `q` that brought it; its content `c` is that of the one or the other. */
export const EVENT_AT = 'coalesce(q.received_at, e.recorded_at)';
export const EVENT_CONTENT = `LEFT JOIN LATERAL (SELECT * FROM contents WHERE at = ${EVENT_AT} AND id = coalesce(q.id, e.id) OFFSET 0) c ON true`;

/** What stands in the contents, without carrying it along: for who looks at all of them. */
export const CONTENT_FACTS = '(SELECT at, id, octet_length(body) AS bytes, data IS NULL AS no_data FROM contents OFFSET 0) c';
export const TOLD_FACTS = '(SELECT at, delivery, n, response_headers IS NULL AS no_answer FROM attempt_contents OFFSET 0) c';

const KEY = `hashtext('paybell contents'), hashtext(current_schema())`;

/** From here to the commit no more content is given up; what has been is seen by every later statement. It numbers what it makes. */
export const HOLD = { name: 'hold_contents', text: `SELECT pg_advisory_xact_lock_shared(${KEY}), ${TAKE_PLACE}` };

/** From here to the commit nobody makes anything that needs content; what has been made is seen by every later statement. */
export const GIVE_UP = { name: 'give_up_contents', text: `SELECT pg_advisory_xact_lock(${KEY})` };
