import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { forgetFeed, pushToFeed } from './feed.ts';
import { mergeBatch } from './merge.ts';
import { countArrivals, forgetPulses } from './pulse.ts';
import { forgetRecent, remember } from './recent.ts';
import { LiveStream, type StreamState } from './stream.ts';

let state: StreamState = { phase: 'connecting', behindMs: null, waiting: 0 };
let stream: LiveStream | null = null;
const listeners = new Set<() => void>();

/** Statistics are asked for again while rows arrive, but no more often than this. */
const STATS_EVERY_MS = 2_000;
let statsTimer: number | null = null;

function refreshStats(client: QueryClient): void {
  statsTimer ??= window.setTimeout(() => {
    statsTimer = null;
    void client.invalidateQueries({ queryKey: ['stats'] });
  }, STATS_EVERY_MS);
}

/** A hundred breakers that open at once are one question. */
const ENDPOINTS_EVERY_MS = 500;
let endpointsTimer: number | null = null;

function refreshEndpoints(client: QueryClient): void {
  endpointsTimer ??= window.setTimeout(() => {
    endpointsTimer = null;
    void client.invalidateQueries({ queryKey: ['endpoints'] });
  }, ENDPOINTS_EVERY_MS);
}

/** Opens the stream for this tab; the answer closes it. */
export function connectLive(client: QueryClient): () => void {
  stream = new LiveStream({
    onBatch(batch) {
      remember(batch, performance.now());
      mergeBatch(client, batch);
      pushToFeed(batch);
      countArrivals(batch);
      refreshStats(client);
    },
    onEndpoint() {
      refreshEndpoints(client);
    },
    onGap() {
      void client.invalidateQueries();
    },
    onState(next) {
      state = next;
      for (const listener of listeners) listener();
    },
  });
  const opened = stream;
  opened.start();
  return () => {
    opened.stop();
    forgetFeed();
    forgetRecent();
    forgetPulses();
  };
}

export function togglePaused(): void {
  stream?.setPaused(state.phase !== 'paused');
}

export function useStreamState(): StreamState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}
