import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog } from '../../src/telemetry/log.ts';

function capture(level: 'info' | 'error'): { readonly lines: Record<string, unknown>[]; readonly log: ReturnType<typeof createLog> } {
  const lines: Record<string, unknown>[] = [];
  return { lines, log: createLog({ level, write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) }) };
}

describe('the log', () => {
  it('hides bodies, secrets and personal data, wherever a field of that name stands', () => {
    const { lines, log } = capture('info');
    log.info({ source: 'src_1', secret: 'shh', body: 'shh', request: { authorization: 'shh', phone: 'shh', id: 'req_1' } }, 'seen');
    assert.doesNotMatch(JSON.stringify(lines), /shh/);
    assert.deepEqual([lines[0]!['source'], (lines[0]!['request'] as { id: string }).id, lines[0]!['msg']], ['src_1', 'req_1', 'seen']);
  });

  it('keeps to its level and writes one line for whatever is in a text', () => {
    const { lines, log } = capture('error');
    log.warn({}, 'not this');
    log.error({ error: 'a\nb\u001b[31m' }, 'this');
    assert.deepEqual(
      lines.map(({ msg, level, error }) => [msg, level, error]),
      [['this', 'error', 'a\nb\u001b[31m']],
    );
  });
});
