import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Engine } from '../engine/faces.ts';
import type { Clock, Log, Signal } from '../engine/ports.ts';
import type { Hub } from '../live/hub.ts';
import type { Storage } from '../storage/contract.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { SessionParts } from './sessions.ts';

export interface HttpSettings {
  /** PAYBELL_PUBLIC_URL without a slash at its end, or null. */
  readonly publicUrl: string | null;
  /** Where the built console lies; the folder may be absent. */
  readonly consoleDir: string;
}

/** What the HTTP side is made of; the composition root hands it over. */
export interface HttpParts {
  readonly engine: Engine;
  readonly storage: Storage;
  readonly settings: HttpSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly signal: Signal;
  readonly vault: SessionParts['vault'];
}

export type RouteParts = HttpParts & { readonly hub: Hub };

export type Api = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>;
/** The routes of one resource. */
export type Routes = (api: Api, parts: RouteParts) => void;
