const PATTERN = /^(\*|[A-Za-z0-9_:-]+(\.[A-Za-z0-9_:-]+)*(\.\*)?)$/;

/** Whether a text may stand in an endpoint's `events`: `*`, `payment.*` or `payment.completed`. */
export function isPattern(text: string): boolean {
  return text.length <= 128 && PATTERN.test(text);
}

/** Whether an event type is selected. Linear in the length of the patterns. */
export function matches(patterns: readonly string[], type: string): boolean {
  return patterns.some((pattern) => {
    if (pattern === '*' || pattern === type) return true;
    return pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1));
  });
}
