export interface SseMessage {
  readonly event: string;
  readonly id: string | null;
  readonly data: string;
}

const LONGEST_MESSAGE = 4 * 1024 * 1024;

/** The messages of a Server-Sent Events stream. Throws RangeError for one beyond 4 MiB. */
export async function* readSse(stream: AsyncIterable<Uint8Array>): AsyncGenerator<SseMessage> {
  const decoder = new TextDecoder();
  let rest = '';
  let fields = emptyFields();
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_MESSAGE) throw new RangeError('The stream sent a line that is too long.');
    for (const line of lines) {
      if (line !== '') {
        addField(fields, line);
        continue;
      }
      if (fields.data.length > 0) yield { event: fields.event, id: fields.id, data: fields.data.join('\n') };
      fields = emptyFields();
    }
  }
}

interface Fields {
  event: string;
  id: string | null;
  data: string[];
}

function emptyFields(): Fields {
  return { event: 'message', id: null, data: [] };
}

function addField(fields: Fields, line: string): void {
  const colon = line.indexOf(':');
  const name = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
  if (name === 'event') fields.event = value;
  else if (name === 'id') fields.id = value;
  else if (name === 'data') fields.data.push(value);
}
