import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/** Ids of request, event and transaction, time, headers, body, type, key, reference, amount, currency, status. */
export type Row = readonly [string, string, string, number, string, string, string, string, string, number, string, string];

const db = new DatabaseSync(join(workerData as string, 'least.db'));
db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32000; PRAGMA wal_autocheckpoint = 4000;
  CREATE TABLE requests (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER, headers TEXT, body TEXT) STRICT;
  CREATE TABLE events (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, request TEXT, type TEXT, key TEXT UNIQUE, at INTEGER, txn TEXT) STRICT;
  CREATE TABLE transactions (seq INTEGER PRIMARY KEY, id TEXT, key TEXT UNIQUE, status TEXT, amount INTEGER, currency TEXT, reference TEXT, at INTEGER) STRICT;
  CREATE TABLE timeline (seq INTEGER PRIMARY KEY, txn TEXT, event TEXT, status TEXT, at INTEGER) STRICT;`);
const request = db.prepare('INSERT INTO requests (id, at, headers, body) VALUES (?, ?, ?, ?)');
const event = db.prepare('INSERT INTO events (id, request, type, key, at, txn) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
const transaction = db.prepare(
  `INSERT INTO transactions (id, key, status, amount, currency, reference, at) VALUES (?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (key) DO UPDATE SET status = excluded.status`,
);
const timeline = db.prepare('INSERT INTO timeline (txn, event, status, at) VALUES (?, ?, ?, ?)');

parentPort?.on('message', (rows: readonly Row[]) => {
  db.exec('BEGIN IMMEDIATE');
  for (const [req, evt, txn, at, headers, body, type, key, reference, amount, currency, status] of rows) {
    request.run(req, at, headers, body);
    if (event.run(evt, req, type, `${type}:${key}`, at, txn).changes === 0) continue;
    transaction.run(txn, key, status, amount, currency, reference, at);
    timeline.run(txn, evt, status, at);
  }
  db.exec('COMMIT');
  parentPort?.postMessage(null);
});
