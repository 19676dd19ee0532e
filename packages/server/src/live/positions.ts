/** How far each node's messages have come, by the node's epoch; written `EPOCH-N.EPOCH-N`, the one that writes it first. */
export type Positions = ReadonlyMap<string, number>;

const MOST_NODES = 64;
const LONGEST = 4_096;

export function formatPositions(positions: Positions): string {
  let text = '';
  for (const [epoch, n] of positions) {
    // Of the others, those that have said nothing yet need no words.
    if (text === '') text = `${epoch}-${n}`;
    else if (n > 0) text += `.${epoch}-${n}`;
  }
  return text;
}

/** Null where it is no such text. */
export function parsePositions(text: string): Positions | null {
  const parts = text.length > LONGEST ? [] : text.split('.');
  if (parts.length === 0 || parts.length > MOST_NODES) return null;
  const positions = new Map<string, number>();
  for (const part of parts) {
    const [, epoch, n] = /^([A-Za-z0-9]+)-(\d{1,15})$/.exec(part) ?? [];
    if (epoch === undefined || positions.has(epoch)) return null;
    positions.set(epoch, Number(n));
  }
  return positions;
}
