/*
 * Live messages between nodes. They travel only while somebody watches: a node with readers says so, and all then send what they make,
 * beginning a few seconds back, so that nothing falls between, and a reader may come back to any of them. What was lost on the way shows in the numbers, or in how far a node
 * says in the store that it has come: then readers are told to load anew.
 */

import type { Observe } from '../engine/faces.ts';
import type { Signal } from '../engine/ports.ts';
import type { Hub, News, Topic } from './hub.ts';

const TOPICS: ReadonlySet<string> = new Set<Topic>(['request', 'transaction', 'delivery', 'endpoint']);
/** Messages of one moment travel together. */
const GATHER_MS = 20;
const MOST_CHARACTERS = 256 * 1_024;
/** In beats of a second: how long a node without readers goes on listening, how long others believe that it does. */
const LISTEN_ON = 60;
const BELIEVE = 5;
/** How many beats back a node begins that is asked to send. */
const BACK = 4;
/** Beats between two resets: where messages do not come through, readers load anew, but not all the time. */
const RESET_EVERY = 5;

export interface FanOutParts {
  readonly hub: Hub;
  readonly signal: Signal;
  readonly observe: Observe;
}

/** The part of a node's name that stands in the ids of its messages. */
export const epochOf = (node: string): string => node.slice(-10);

/** Carries messages between the hub of this node and those of the others; the answer ends it. */
export function fanOut({ hub, signal, observe }: FanOutParts): () => void {
  const { ring } = hub;
  const listeners = new Map<string, number>();
  /** How far each other node said, a beat ago, that it had come. */
  const others = new Map<string, number>();
  const positions = [ring.head];
  let listening = 0;
  let sentTo: number | null = null;
  let timer: NodeJS.Timeout | null = null;
  let sinceReset = RESET_EVERY;

  const tell = (from: number, rows: readonly string[]): void =>
    signal.tell('live', [`${from} ${listening > 0 ? 'listening' : 'quiet'}`, ...rows].join('\n'));

  function send(): void {
    timer = null;
    if (sentTo === null) return;
    // What cannot travel is not even written down: the numbers tell the others.
    if (signal.state().redis === 'lost') sentTo = ring.head;
    while (sentTo < ring.head) {
      const { from, rows, at } = ring.ownBehind(sentTo, MOST_CHARACTERS);
      sentTo = at;
      if (rows.length === 0) return;
      tell(
        from,
        rows.map(({ topic, merchant, json }) => `${topic}\t${merchant}\t${json}`),
      );
    }
  }

  const gather = (): void => {
    if (sentTo !== null) timer ??= setTimeout(send, GATHER_MS);
  };

  /** Sends while somebody watches anywhere, and stops when nobody does. */
  function follow(): void {
    const wanted = (listening > 0 || listeners.size > 0) && others.size > 0;
    if (!wanted) sentTo = null;
    else if (sentTo === null) {
      sentTo = positions[0] ?? ring.head;
      gather();
    }
  }

  function listen(): void {
    if (listening > 0) return;
    listening = LISTEN_ON;
    tell(ring.made + 1, []);
    follow();
  }

  function heard(text: string, node: string): void {
    const [head = '', ...lines] = text.split('\n');
    const [, from, mood] = /^(\d{1,15}) (listening|quiet)$/.exec(head) ?? [];
    if (from === undefined) return;
    const news = lines.map(newsOf);
    if (lines.length > 0 && news.every((one) => one !== null)) hub.receive(epochOf(node), Number(from), news);
    if (mood === 'listening') listeners.set(node, BELIEVE);
    else listeners.delete(node);
    follow();
  }

  /** Once a second: who lives, and how far each has come. */
  function beat(peers: readonly { readonly node: string; readonly news: number }[]): void {
    positions.push(ring.head);
    if (positions.length > BACK) positions.shift();
    for (const [node, beats] of listeners) {
      if (beats > 1) listeners.set(node, beats - 1);
      else listeners.delete(node);
    }
    listening = hub.readers > 0 ? LISTEN_ON : Math.max(0, listening - 1);
    if (listening > 0) tell(ring.made + 1, []);
    sinceReset += 1;
    for (const { node, news } of peers) compare(node, news);
    for (const node of others.keys()) {
      if (peers.some((peer) => peer.node === node)) continue;
      others.delete(node);
      hub.lost(epochOf(node));
    }
    follow();
  }

  /** Where nobody listens, the numbers just go on. Else what a node had made a beat ago must have come by now. */
  function compare(node: string, news: number): void {
    const epoch = epochOf(node);
    const due = others.get(node) ?? (ring.heard(epoch) === null ? news : 0);
    others.set(node, news);
    if (listening === 0 && listeners.size === 0) {
      hub.missed(epoch, news);
    } else if (due > (ring.heard(epoch) ?? -1) && sinceReset >= RESET_EVERY) {
      sinceReset = 0;
      hub.missed(epoch, due);
    }
  }

  signal.hear('live', heard);
  hub.onNews = gather;
  hub.onReader = listen;
  const off = observe.on('peers', beat);
  return () => {
    off();
    if (timer !== null) clearTimeout(timer);
    hub.onNews = hub.onReader = () => undefined;
  };
}

function newsOf(line: string): News | null {
  const [topic = '', merchant, json] = line.split('\t', 3);
  if (!TOPICS.has(topic) || merchant === undefined || json === undefined || !json.startsWith('{')) return null;
  // A tab inside JSON text is written as an escape, so nothing was cut off.
  return { topic: topic as Topic, merchant, weight: json.length, json: () => json };
}
