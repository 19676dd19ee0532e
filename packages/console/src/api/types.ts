/** The shapes of the API, from the server's own schemas: types only, nothing of the server is bundled. */
import type { Attempt, DeliveryDetail, DeliveryRow } from '../../../server/src/http/schema/deliveries.ts';
import type { ProviderRow } from '../../../server/src/http/schema/directory.ts';
import type { EndpointRow, EndpointSecrets, EndpointWithSecret, Rotated } from '../../../server/src/http/schema/endpoints.ts';
import type { EventRow } from '../../../server/src/http/schema/events.ts';
import type { RequestDetail, RequestRow } from '../../../server/src/http/schema/requests.ts';
import type { ResendRow, ResentMany } from '../../../server/src/http/schema/resends.ts';
import type { Reverified, SourceRow } from '../../../server/src/http/schema/sources.ts';
import type { MoneyCount, Stats } from '../../../server/src/http/schema/stats.ts';
import type { TimelineEntry, TransactionDetail, TransactionRow } from '../../../server/src/http/schema/transactions.ts';

export type {
  Attempt,
  DeliveryDetail,
  DeliveryRow,
  EndpointRow,
  EndpointSecrets,
  EndpointWithSecret,
  EventRow,
  MoneyCount,
  ProviderRow,
  RequestDetail,
  RequestRow,
  ResendRow,
  ResentMany,
  Reverified,
  Rotated,
  SourceRow,
  Stats,
  TimelineEntry,
  TransactionDetail,
  TransactionRow,
};

export interface Page<Row> {
  readonly data: readonly Row[];
  readonly nextCursor: string | null;
}

export type Money = NonNullable<TransactionRow['amount']>;
export type Kind = TransactionRow['kind'];
export type Rail = NonNullable<TransactionRow['rail']>;
export type Status = TransactionRow['status'];
export type RequestVerdict = RequestRow['verdict'];
export type DeliveryStatus = DeliveryRow['status'];
export type ProviderActivity = Stats['providers'][number];

/** Pairs in order of arrival, or one value or list per name. */
export type HeaderFields = readonly (readonly string[])[] | RequestRow['headers'];
