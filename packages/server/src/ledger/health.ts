/** How far an endpoint's backlog is counted. */
export const MOST_COUNTED = 10_000;

const MOST_SAMPLED = 200;
const LEAST_SAMPLED = 20;
const SAMPLED_IN_ALL = 5_000;

/** How many of the latest deliveries stand for an endpoint's health: fewer where many endpoints are asked for at once. */
export function healthSample(endpoints: number): number {
  return Math.max(LEAST_SAMPLED, Math.min(MOST_SAMPLED, Math.floor(SAMPLED_IN_ALL / Math.max(1, endpoints))));
}
