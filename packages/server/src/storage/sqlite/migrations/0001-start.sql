-- Rows that grow with history have `seq` as their key, so that they are appended and never scattered.

CREATE TABLE notes (name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE merchants (id TEXT PRIMARY KEY, doc TEXT NOT NULL, deleted_at INTEGER, version INTEGER NOT NULL) STRICT;
CREATE TABLE sources (id TEXT PRIMARY KEY, doc TEXT NOT NULL, deleted_at INTEGER, version INTEGER NOT NULL) STRICT;
CREATE TABLE endpoints (id TEXT PRIMARY KEY, doc TEXT NOT NULL, deleted_at INTEGER, version INTEGER NOT NULL) STRICT;
CREATE TABLE keys (id TEXT PRIMARY KEY, doc TEXT NOT NULL, deleted_at INTEGER, version INTEGER NOT NULL) STRICT;
CREATE TABLE ended_sessions (id TEXT PRIMARY KEY, doc TEXT NOT NULL, deleted_at INTEGER, version INTEGER NOT NULL) STRICT;

-- Endpoints that have done nothing but fail for a while. Written when that begins and ends, never per attempt.
CREATE TABLE failing (endpoint TEXT PRIMARY KEY, since INTEGER NOT NULL, failures INTEGER NOT NULL, told INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE requests (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  merchant TEXT NOT NULL,
  source TEXT NOT NULL,
  provider TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  reason TEXT,
  diagnosis TEXT,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  duplicates INTEGER NOT NULL DEFAULT 0,
  -- How many events it brought: its bytes expire with the last of them.
  events INTEGER NOT NULL,
  expired_at INTEGER,
  headers TEXT NOT NULL,
  body BLOB
) STRICT;
CREATE INDEX requests_of_merchant ON requests (merchant);
CREATE INDEX requests_quarantined ON requests (source, seq, size) WHERE verdict = 'rejected';
CREATE INDEX requests_aside ON requests (verdict, received_at) WHERE verdict <> 'accepted' AND expired_at IS NULL;
CREATE INDEX requests_not_accepted ON requests (merchant, verdict) WHERE verdict <> 'accepted';

CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  merchant TEXT NOT NULL,
  provider TEXT NOT NULL,
  source TEXT,
  request TEXT,
  item INTEGER NOT NULL,
  type TEXT NOT NULL,
  -- The source, or the merchant for published events: within it `dedupe_key` is one fact.
  scope TEXT NOT NULL,
  dedupe_key TEXT NOT NULL,
  digest TEXT NOT NULL,
  sequence INTEGER,
  occurred_at INTEGER,
  recorded_at INTEGER NOT NULL,
  state TEXT NOT NULL,
  note TEXT,
  transaction_id TEXT,
  duplicates INTEGER NOT NULL DEFAULT 0,
  variants INTEGER NOT NULL DEFAULT 0,
  -- How many endpoints it was routed to when it was recorded: doctor compares it with the deliveries that are there.
  routed INTEGER NOT NULL,
  movement TEXT,
  data TEXT,
  expired_at INTEGER,
  -- The event of the same transaction before this one: the events of a transaction are a chain, which needs no index.
  previous INTEGER
) STRICT;
CREATE INDEX events_of_merchant ON events (merchant);

-- Keys that come in no order are kept out of the commits and written here in long sorted runs (keys.ts). `upto` is the last row indexed.
CREATE TABLE runs (name TEXT PRIMARY KEY, upto INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE event_keys (hash INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (hash, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE transaction_ids (hash INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (hash, seq)) STRICT, WITHOUT ROWID;

CREATE TABLE transactions (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  merchant TEXT NOT NULL,
  provider TEXT NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  status TEXT NOT NULL,
  rail TEXT,
  currency TEXT,
  updated_at INTEGER NOT NULL,
  parent TEXT,
  last_event INTEGER,
  -- The row as the API shows it, and what the next fold starts from (ledger/refold.ts).
  doc TEXT NOT NULL,
  fold TEXT NOT NULL
) STRICT;
CREATE INDEX transactions_of_merchant ON transactions (merchant);
CREATE INDEX transactions_by_status ON transactions (merchant, status);
CREATE INDEX transactions_of_parent ON transactions (parent) WHERE parent IS NOT NULL;

CREATE TABLE refs (
  merchant TEXT NOT NULL,
  value TEXT NOT NULL,
  transaction_seq INTEGER NOT NULL,
  PRIMARY KEY (merchant, value, transaction_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE payloads (id INTEGER PRIMARY KEY, expired_at INTEGER, body BLOB) STRICT;

CREATE TABLE deliveries (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  merchant TEXT NOT NULL,
  event TEXT NOT NULL,
  event_type TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  transaction_id TEXT,
  format TEXT NOT NULL,
  -- Null for `request`: the bytes are those of the event's request.
  payload INTEGER,
  status TEXT NOT NULL,
  attempt_count INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  owner TEXT,
  -- When it is due; for a leased one, when its lease ends; for one that waits behind another, see order.ts. Null once finished.
  due_at INTEGER,
  -- 0 no order counts, 1 it may go, 2 it waits behind another one of its transaction, 3 it was overtaken (order.ts); and how long it waits.
  ordered INTEGER NOT NULL DEFAULT 0,
  ordered_wait INTEGER,
  -- 0 first try, 1 retry, 2 bulk: each is claimed by itself, so that none stands in another's way.
  turn INTEGER NOT NULL,
  -- 1: a person asked for it, so it goes even where it was overtaken (stale.ts).
  forced INTEGER NOT NULL DEFAULT 0,
  -- The resend that made it.
  resend TEXT,
  started_at INTEGER,
  status_code INTEGER,
  cause TEXT,
  created_at INTEGER NOT NULL,
  finished_at INTEGER
) STRICT;
CREATE INDEX deliveries_due ON deliveries (endpoint, turn, due_at) WHERE status = 'pending';
CREATE INDEX deliveries_in_order ON deliveries (endpoint, transaction_id, seq) WHERE status = 'pending' AND ordered > 0;
CREATE INDEX deliveries_of_event ON deliveries (event);
CREATE INDEX deliveries_of_merchant ON deliveries (merchant);
CREATE INDEX deliveries_of_endpoint ON deliveries (endpoint);
CREATE INDEX deliveries_of_resend ON deliveries (resend, status) WHERE resend IS NOT NULL AND status <> 'succeeded';
CREATE INDEX deliveries_open ON deliveries (merchant, status) WHERE status <> 'succeeded';

-- Many events sent again: how far it has come is written with each step. `busy` while somebody has to go on with it.
CREATE TABLE resends (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  merchant TEXT NOT NULL,
  -- What does not change, as JSON.
  doc TEXT NOT NULL,
  state TEXT NOT NULL,
  note TEXT,
  step_at TEXT,
  made INTEGER NOT NULL DEFAULT 0,
  finished_at INTEGER,
  busy INTEGER NOT NULL,
  owner TEXT NOT NULL,
  lease_until INTEGER NOT NULL
) STRICT;
CREATE INDEX resends_of_merchant ON resends (merchant);
CREATE INDEX resends_busy ON resends (busy) WHERE busy = 1;

CREATE TABLE attempts (
  seq INTEGER PRIMARY KEY,
  delivery TEXT NOT NULL,
  n INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  duration_ms REAL,
  outcome TEXT NOT NULL,
  cause TEXT NOT NULL,
  status_code INTEGER,
  truncated INTEGER NOT NULL,
  timings TEXT,
  expired_at INTEGER,
  request_headers TEXT,
  response_headers TEXT,
  response_body BLOB,
  UNIQUE (delivery, n)
) STRICT;

-- What was too young, or still needed, when its turn to expire came.
CREATE TABLE kept_back (
  what TEXT NOT NULL,
  look_at INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (what, look_at, seq)
) STRICT, WITHOUT ROWID;

-- Sums by time slot and, with slot -1, as things stand now. Written once per commit, whatever its size.
CREATE TABLE tallies (
  merchant TEXT NOT NULL,
  slot INTEGER NOT NULL,
  name TEXT NOT NULL,
  provider TEXT NOT NULL,
  kind TEXT NOT NULL,
  status TEXT NOT NULL,
  rail TEXT NOT NULL,
  currency TEXT NOT NULL,
  exponent INTEGER NOT NULL,
  count INTEGER NOT NULL,
  value TEXT NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (merchant, slot, name, provider, kind, status, rail, currency, exponent)
) STRICT, WITHOUT ROWID;
