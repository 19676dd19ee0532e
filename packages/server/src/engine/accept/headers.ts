/** `[[name, value], ...]` as JSON text, from the flat list that sockets give. */
export function headersText(raw: readonly string[]): string {
  let text = '[';
  for (let index = 0; index + 1 < raw.length; index += 2) {
    text += `${index === 0 ? '' : ','}[${JSON.stringify(raw[index])},${JSON.stringify(raw[index + 1])}]`;
  }
  return `${text}]`;
}

/** The kept pairs as the headers that a provider reads: lower-case names, lists for repeated ones. */
export function headersOf(pairs: readonly (readonly [string, string])[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    const known = headers[key];
    headers[key] = known === undefined ? value : Array.isArray(known) ? [...known, value] : [known, value];
  }
  return headers;
}
