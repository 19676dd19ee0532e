import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';

export interface Frame {
  readonly event: string;
  readonly id: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- rows of three shapes
  readonly data: any;
}

/** A reader of Server-Sent Events, as a browser is one. */
export class Stream {
  readonly frames: Frame[] = [];
  readonly #response: IncomingMessage;
  lastId = '';
  #rest = '';

  constructor(response: IncomingMessage) {
    this.#response = response;
    response.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    response.on('error', () => {});
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<Stream> {
    const [response] = (await once(get(url, { headers, agent: false }), 'response')) as [IncomingMessage];
    assert.equal(response.statusCode, 200);
    assert.match(response.headers['content-type']!, /^text\/event-stream/);
    const stream = new Stream(response);
    await stream.until(() => stream.lastId !== '');
    return stream;
  }

  #take(text: string): void {
    const blocks = (this.#rest + text).split('\n\n');
    this.#rest = blocks.pop()!;
    for (const block of blocks) {
      const fields = Object.fromEntries(
        block.split('\n').map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      if (fields['id'] !== undefined) this.lastId = fields['id'];
      if (fields['data'] !== undefined)
        this.frames.push({ event: fields['event'] ?? 'message', id: this.lastId, data: JSON.parse(fields['data']) });
    }
    this.#response.emit('taken');
  }

  async until(done: () => boolean): Promise<void> {
    while (!done()) await once(this.#response, 'taken', { signal: AbortSignal.timeout(5_000) });
  }

  close(): void {
    this.#response.destroy();
  }
}
