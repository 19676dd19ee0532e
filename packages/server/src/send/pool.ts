import type { Connection } from './connection.ts';

const SWEEP_MS = 1_000;

export interface PoolLimits {
  readonly perOrigin: number;
  readonly total: number;
}

/** Idle connections, the latest used first out; how many calls run at once is the engine's business. */
export class IdlePool {
  readonly #limits: PoolLimits;
  readonly #idle = new Map<string, Connection[]>();
  #count = 0;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(limits: PoolLimits) {
    this.#limits = limits;
  }

  take(key: string): Connection | null {
    const connections = this.#idle.get(key);
    const now = performance.now();
    for (let next = connections?.pop(); next !== undefined; next = connections?.pop()) {
      this.#count -= 1;
      if (next.usable && next.idleUntil > now) return next;
      next.destroy();
    }
    return null;
  }

  put(key: string, connection: Connection): void {
    const connections = this.#idle.get(key);
    if (this.#count >= this.#limits.total || (connections?.length ?? 0) >= this.#limits.perOrigin) return connection.destroy();
    if (connections === undefined) this.#idle.set(key, [connection]);
    else connections.push(connection);
    this.#count += 1;
    this.#sweeper ??= setInterval(() => this.#sweep(performance.now()), SWEEP_MS).unref();
  }

  close(): void {
    this.#sweep(Infinity);
  }

  #sweep(now: number): void {
    for (const [key, connections] of this.#idle) {
      const kept = connections.filter((connection) => connection.usable && connection.idleUntil > now);
      for (const connection of connections) if (!kept.includes(connection)) connection.destroy();
      this.#count -= connections.length - kept.length;
      if (kept.length === 0) this.#idle.delete(key);
      else this.#idle.set(key, kept);
    }
    if (this.#idle.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}
