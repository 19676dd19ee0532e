import type { AttemptRow, Settlement } from '../contract.ts';
import { packed, unpacked } from './wire.ts';
import type { Packed, Read, ReadBytes, Write, WriteBytes } from './wire.ts';

/** Results of attempts on their way to the writing thread. */
export function packResults(results: readonly Settlement[]): Packed {
  return packed((write, bytes) => {
    write(results.length);
    for (const { delivery, merchant, owner, attempt, next, finishedAt, ordered } of results) {
      write(delivery);
      write(merchant);
      write(owner);
      write(next.status);
      write(next.status === 'pending' ? next.at : null);
      write(finishedAt);
      write(ordered === true);
      packAttempt(attempt, write, bytes);
    }
  });
}

export function unpackResults(message: Packed): Settlement[] {
  return unpacked(message, (read, bytes) => Array.from({ length: read() as number }, () => unpackResult(read, bytes)));
}

function unpackResult(read: Read, bytes: ReadBytes): Settlement {
  const [delivery, merchant, owner] = [read() as string, read() as string, read() as string];
  const status = read() as Settlement['next']['status'];
  const at = read() as number;
  return {
    delivery,
    merchant,
    owner,
    next: status === 'pending' ? { status, at } : { status },
    finishedAt: read() as number,
    ordered: read() as boolean,
    attempt: unpackAttempt(read, bytes),
  };
}

function packAttempt(a: AttemptRow, write: Write, bytes: WriteBytes): void {
  write(a.n);
  write(a.startedAt);
  write(a.durationMs);
  write(a.outcome);
  write(a.cause);
  write(a.statusCode);
  write(a.requestHeaders);
  write(a.responseHeaders);
  write(a.truncated);
  write(a.timings);
  write(a.responseBody !== null);
  if (a.responseBody !== null) bytes(a.responseBody);
}

function unpackAttempt(read: Read, bytes: ReadBytes): AttemptRow {
  return {
    n: read() as number,
    startedAt: read() as number,
    durationMs: read() as number | null,
    outcome: read() as AttemptRow['outcome'],
    cause: read() as string,
    statusCode: read() as number | null,
    requestHeaders: read() as string | null,
    responseHeaders: read() as string | null,
    truncated: read() as boolean,
    timings: read() as string | null,
    responseBody: read() === true ? bytes() : null,
  };
}
