import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSse } from '../../src/cli/sse-read.ts';
import type { SseMessage } from '../../src/cli/sse-read.ts';

const STREAM =
  ': hello\nretry: 1000\n\nid: 1\nevent: transaction\ndata: {"a":"é"}\n\nid: 2\r\ndata: one\r\ndata: two\r\n\r\nevent: ping\n\nid: 3\ndata: cut off';

async function read(chunks: readonly Uint8Array[]): Promise<SseMessage[]> {
  const messages: SseMessage[] = [];
  for await (const message of readSse(
    (async function* () {
      yield* chunks;
    })(),
  ))
    messages.push(message);
  return messages;
}

describe('a live stream', () => {
  it('gives the same messages however it is cut', async () => {
    const bytes = new TextEncoder().encode(STREAM);
    const whole = await read([bytes]);
    assert.deepEqual(whole, [
      { event: 'transaction', id: '1', data: '{"a":"é"}' },
      { event: 'message', id: '2', data: 'one\ntwo' },
    ]);
    for (let size = 1; size < 9; size += 1) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
      assert.deepEqual(await read(chunks), whole, `in chunks of ${size}`);
    }
  });

  it('is refused where a line never ends', async () => {
    await assert.rejects(read([new Uint8Array(5 * 1024 * 1024).fill(97)]), RangeError);
  });
});
