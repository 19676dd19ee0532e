import { spawnSync } from 'node:child_process';

/** Why no trace can be made here; null where it can. */
export function whyNoTrace(): string | null {
  const { error, status } = spawnSync('strace', ['-f', '-e', 'trace=none', '-o', '/dev/null', 'true']);
  if (error !== undefined) return 'strace is not installed';
  return status === 0 ? null : 'strace may not trace here (ptrace is not permitted)';
}

/** Puts a tracer before a command: every sync, and everything read and written, with the paths of files and sockets. */
export function traceTo(file: string): readonly string[] {
  const calls = 'fsync,fdatasync,pwrite64,pwritev,read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg';
  return ['strace', '--seccomp-bpf', '-f', '-tt', '-yy', '-s', '200', '-e', `trace=${calls}`, '-o', file];
}

interface Line {
  readonly thread: string;
  readonly text: string;
}

const SYNC = /^(fsync|fdatasync)\(\d+<[^>]*-wal>/;
const WAL_WRITE = /^pwritev?(64)?\(\d+<[^>]*-wal>/;
const ANSWER = /^(write|writev|sendto|sendmsg)\(\d+<[^"]*"HTTP\/1\.1 (\d{3})/;

/**
 * What the trace says of each request, given a text that stands in its first line alone: `synced` where the log was written after its
 * arrival, and a sync that began after the last of these writes had ended before the first byte of the answer. Requests come one by one.
 */
export function judgeTrace(trace: string, marks: readonly string[]): readonly string[] {
  const lines = trace.split('\n').map((line): Line => {
    const [, thread = '', text = ''] = /^(\d+) +\S+ (.*)$/.exec(line) ?? [];
    return { thread, text };
  });
  return marks.map((mark) => judgeOne(lines, mark));
}

function judgeOne(lines: readonly Line[], mark: string): string {
  const arrived = lines.findIndex(({ text }) => text.includes(mark));
  if (arrived < 0) return 'never arrived';
  const answered = lines.findIndex(({ text }, index) => index > arrived && ANSWER.test(text));
  if (answered < 0) return 'never answered';
  const status = ANSWER.exec(lines[answered]?.text ?? '')?.[2] ?? '';
  if (!status.startsWith('20')) return `answered ${status}`;
  const written = lines.findLastIndex(({ text }, index) => index > arrived && index < answered && WAL_WRITE.test(text));
  if (written < 0) return 'answered before the log was written';
  return lines.some((_, index) => index > written && index < answered && syncEnds(lines, index, written))
    ? 'synced'
    : 'answered before the log was synced';
}

/** Whether the line ends, with success, a sync of the log that began after the line `since`. */
function syncEnds(lines: readonly Line[], index: number, since: number): boolean {
  const { thread, text } = lines[index] as Line;
  if (SYNC.test(text)) return text.endsWith(' = 0');
  if (!/^<\.\.\. (fsync|fdatasync) resumed>.* = 0$/.test(text)) return false;
  const begun = lines.findLastIndex((line, at) => at < index && line.thread === thread);
  return begun > since && SYNC.test(lines[begun]?.text ?? '');
}
