import type { HeaderFields } from '../api/types.ts';

const isPairs = (headers: HeaderFields): headers is readonly (readonly string[])[] => Array.isArray(headers);

/** Header lines in order, one per value. */
export function headerPairs(headers: HeaderFields | null | undefined): readonly (readonly [string, string])[] {
  if (headers === null || headers === undefined) return [];
  if (isPairs(headers)) return headers.map(([name = '', value = '']) => [name, value] as const);
  return Object.entries(headers).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((each) => [name, each] as const),
  );
}
