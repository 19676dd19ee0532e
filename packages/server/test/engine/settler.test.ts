import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSettler } from '../../src/engine/deliver/settler.ts';
import type { Settlement, Storage } from '../../src/storage/contract.ts';

test('results whose commit may stand are said to be given again; those that came meanwhile are not', async () => {
  const calls: (readonly [string, boolean])[][] = [];
  const settle = async (results: readonly Settlement[]): Promise<'settled'[]> => {
    calls.push(results.map(({ delivery, again }) => [delivery, again === true]));
    if (calls.length === 1) throw Object.assign(new Error('lost'), { unsure: true });
    if (calls.length === 2) throw Object.assign(new Error('down'), { unsure: false });
    return results.map(() => 'settled');
  };
  const wake: (() => void)[] = [];
  const settler = createSettler({
    storage: { settle } as unknown as Storage,
    timers: { after: (_ms, call) => (wake.push(call), () => undefined) },
    log: { error: () => undefined } as never,
  });
  const answers: string[] = [];
  const submit = (delivery: string): void => settler.submit({ delivery } as Settlement, (answer) => answers.push(`${delivery} ${answer}`));
  submit('d1');
  for (let left = 100; left > 0 && wake.length === 0; left--) await Promise.resolve();
  submit('d2');
  wake.shift()?.();
  for (let left = 100; left > 0 && wake.length === 0; left--) await Promise.resolve();
  wake.shift()?.();
  await settler.idle();
  assert.deepEqual(calls, [
    [['d1', false]],
    [
      ['d1', true],
      ['d2', false],
    ],
    [
      ['d1', true],
      ['d2', false],
    ],
  ]);
  assert.deepEqual(answers, ['d1 settled', 'd2 settled']);
});
