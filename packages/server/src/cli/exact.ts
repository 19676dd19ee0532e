/** JSON whose numbers are written again as they were read: an amount beyond 2^53 or with a last zero is not a float's business. */
export function readExactly(text: string): unknown {
  return JSON.parse(text, function (this: unknown, _name: string, value: unknown, { source }: { readonly source?: string } = {}) {
    return typeof value === 'number' && source !== undefined && String(value) !== source ? rawJSON(source) : value;
  } as (this: unknown, name: string, value: unknown) => unknown);
}

// Of ES2026, and in Node.js 24; the types do not know it yet.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object };
