import type { HintKind, Signal } from '../engine/ports.ts';

/** The keys of this many nodes are kept. */
const MOST_NODES = 64;
const LONGEST = 8 * 1_048_576;
const MESSAGE = /^v1 (node_[0-9a-z]{26}) /;

interface Sealer {
  seal(text: string, boundTo: string): string;
  /** Throws where it was sealed with another key or bound to something else. */
  open(sealed: string, boundTo: string): string;
}

export interface SignalParts {
  /** Names this node. */
  readonly node: string;
  /** Names the installation; messages of another one are strangers. */
  readonly channel: string;
  /** A sealer with keys of its own for this purpose. */
  readonly sealerFor: (purpose: string) => Sealer;
  readonly connect: (hear: (message: string) => void) => { send(message: string): boolean; connected(): boolean; close(): Promise<void> };
}

export interface RunningSignal extends Signal {
  close(): Promise<void>;
}

/**
 * Hints to the other nodes. Rows with personal data travel in them, through a Redis that others may use too: each message is sealed with
 * a key that only those with the master keys can make, and what does not open is ignored.
 */
export function createSignal({ node, channel, sealerFor, connect }: SignalParts): RunningSignal {
  const sealers = new Map<string, Sealer>();
  const receivers = new Map<string, (text: string, node: string) => void>();
  let dropped = 0;
  let ignored = 0;

  function sealerOf(other: string): Sealer {
    let sealer = sealers.get(other);
    if (sealer === undefined) {
      if (sealers.size >= MOST_NODES) sealers.delete([...sealers.keys()][0] ?? '');
      sealers.set(other, (sealer = sealerFor(`signal ${other}`)));
    }
    return sealer;
  }

  function open(message: string): void {
    const sender = message.length > LONGEST ? undefined : MESSAGE.exec(message)?.[1];
    if (sender === node) return;
    try {
      if (sender === undefined) throw new Error('This is no message.');
      const text = sealerOf(sender).open(message.slice(MESSAGE.exec(message)?.[0].length), channel);
      const at = text.indexOf('\n');
      receivers.get(text.slice(0, at))?.(text.slice(at + 1), sender);
    } catch {
      ignored += 1;
    }
  }

  const own = sealerFor(`signal ${node}`);
  const wire = connect(open);
  return {
    tell(kind: HintKind, text: string) {
      if (!wire.connected() || !wire.send(`v1 ${node} ${own.seal(`${kind}\n${text}`, channel)}`)) dropped += 1;
    },
    hear: (kind, receive) => void receivers.set(kind, receive),
    state: () => ({ redis: wire.connected() ? 'connected' : 'lost', dropped, ignored }),
    close: () => wire.close(),
  };
}

/** For one node alone, or for several that have nothing but their database. */
export const noSignal: RunningSignal = {
  tell: () => undefined,
  hear: () => undefined,
  state: () => ({ redis: 'none', dropped: 0, ignored: 0 }),
  close: () => Promise.resolve(),
};
