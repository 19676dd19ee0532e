import type { Socket } from 'node:net';
import { ANSWERS, OK } from '../faults/answers.ts';
import { answer, flood } from '../faults/fault-server.ts';

/** One way to treat a webhook that was read. */
export interface Way {
  readonly name: string;
  readonly does: (socket: Socket) => void;
  /** True: it has been taken, and must not come again but for a crash. */
  readonly takes: boolean;
}

const STATUSES: readonly (readonly [status: string, headers?: readonly string[]])[] = [
  ['201 Created'],
  ['202 Accepted'],
  ['299 Odd'],
  ['300 Choices'],
  ['301 Moved', ['location: /loop']],
  ['302 Found', ['location: http://169.254.169.254/latest/meta-data']],
  ['304 Not Modified'],
  ['307 Moved', ['location: /loop']],
  ['308 Moved', ['location: /loop']],
  ['400 Bad'],
  ['401 Who'],
  ['403 No'],
  ['404 Where'],
  ['422 What'],
  ['429 Slow', ['retry-after: 1']],
  ['429 Slow', ['retry-after: -5']],
  ['429 Slow', ['retry-after: soon']],
  ['500 Oh'],
  ['501 Not'],
  ['502 Gateway'],
  ['503 Later', ['retry-after: 1']],
  ['503 Later', ['retry-after: Sun, 06 Nov 1994 08:49:37 GMT']],
  ['503 Later', ['retry-after: 1e1']],
  ['504 Gateway'],
  ['599 Oh'],
  ['600 Huh'],
];

export const TAKEN: Way = { name: '200', does: (socket) => answer(socket, '200 OK', [], '{"received":true}'), takes: true };
export const GONE: Way = { name: 'A25 410', does: (socket) => answer(socket, '410 Gone'), takes: false };
export const STORM: Way = { name: 'A29 503, all of them', does: (socket) => answer(socket, '503 Later'), takes: false };

/** In turn: what is read and answered wrongly, oddly, too late or not at all. `timeoutMs`: the endpoint's. */
export function waysOf(timeoutMs: number): readonly Way[] {
  return [
    ...ANSWERS.map(({ name, does, cause }) => ({ name, does, takes: cause === 'ok' })),
    ...STATUSES.map(([status, headers]) => ({
      name: `A19-A30 ${[status, ...(headers ?? [])].join(', ')}`,
      does: (socket: Socket) => answer(socket, status, headers),
      takes: status.startsWith('2'),
    })),
    {
      name: 'A14 a body without end',
      does(socket) {
        socket.write(`${OK}transfer-encoding: chunked\r\n\r\n`);
        flood(socket, `1000\r\n${'a'.repeat(4_096)}\r\n`);
      },
      takes: true,
    },
    {
      name: 'A52 200, after the deadline',
      does: (socket) => void setTimeout(() => socket.writable && answer(socket, '200 OK'), timeoutMs + 300),
      takes: false,
    },
  ];
}
