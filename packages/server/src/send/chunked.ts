const MAX_LINE_BYTES = 1_024;
const MAX_TRAILER_BYTES = 16_384;
const LF = 10;

/** Undoes chunked transfer coding piece by piece, holding no more than one line. */
export class ChunkedReader {
  #stage: 'size' | 'data' | 'gap' | 'trailer' | 'done' | 'broken' = 'size';
  #line = '';
  #left = 0;
  #trailerBytes = 0;

  /** `broken`: not chunked coding after all. */
  get state(): 'more' | 'done' | 'broken' {
    return this.#stage === 'done' || this.#stage === 'broken' ? this.#stage : 'more';
  }

  /** Hands each piece of data to `keep` and answers how many bytes it used up. */
  feed(bytes: Buffer, keep: (data: Buffer) => void): number {
    let at = 0;
    while (at < bytes.length && this.state === 'more') {
      if (this.#stage === 'data') {
        const data = bytes.subarray(at, at + this.#left);
        keep(data);
        at += data.length;
        this.#left -= data.length;
        if (this.#left === 0) this.#stage = 'gap';
        continue;
      }
      const end = bytes.indexOf(LF, at);
      const next = end === -1 ? bytes.length : end + 1;
      this.#line += bytes.toString('latin1', at, Math.min(next, at + MAX_LINE_BYTES + 1));
      at = next;
      if (this.#line.length > MAX_LINE_BYTES) this.#stage = 'broken';
      else if (end !== -1) this.#endLine();
    }
    return at;
  }

  #endLine(): void {
    const line = this.#line;
    this.#line = '';
    if (!line.endsWith('\r\n')) this.#stage = 'broken';
    else if (this.#stage === 'gap') this.#stage = line === '\r\n' ? 'size' : 'broken';
    else if (this.#stage === 'trailer') this.#endTrailer(line);
    else this.#startChunk(line);
  }

  #startChunk(line: string): void {
    const size = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?\r\n$/i.exec(line)?.[1];
    if (size === undefined) {
      this.#stage = 'broken';
      return;
    }
    this.#left = Number.parseInt(size, 16);
    this.#stage = this.#left === 0 ? 'trailer' : 'data';
  }

  #endTrailer(line: string): void {
    this.#trailerBytes += line.length;
    if (line === '\r\n') this.#stage = 'done';
    else if (this.#trailerBytes > MAX_TRAILER_BYTES) this.#stage = 'broken';
  }
}
