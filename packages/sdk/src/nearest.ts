/** The name that takes the fewest single-letter changes to reach, `limit` at most; null where none is near. */
export function nearestName(wanted: string, names: readonly string[], limit = Math.max(2, Math.floor(wanted.length / 2))): string | null {
  let nearest: { name: string; changes: number } | null = null;
  for (const name of names) {
    const changes = changesBetween(wanted.slice(0, 80).toLowerCase(), name.toLowerCase());
    if (changes <= limit && (nearest === null || changes < nearest.changes)) nearest = { name, changes };
  }
  return nearest?.name ?? null;
}

function changesBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1;
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
