import { signedOut } from './session.ts';

/** An RFC 9457 problem, or what the network gave instead of an answer. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;

  constructor(status: number, title: string, detail: string) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.title = title;
  }
}

export type Query = Readonly<Record<string, string | number | undefined>>;

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly query?: Query;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export function address(path: string, query: Query = {}): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') text.set(name, String(value));
  return text.size === 0 ? path : `${path}?${text.toString()}`;
}

/** Calls the API and answers with the raw response. @throws Problem */
export async function send(path: string, options: CallOptions = {}): Promise<Response> {
  const init: RequestInit = { method: options.method ?? 'GET', credentials: 'same-origin' };
  if (options.signal) init.signal = options.signal;
  if (options.body !== undefined) {
    init.body = JSON.stringify(options.body);
    init.headers = { 'content-type': 'application/json' };
  }
  const response = await fetch(address(path, options.query), init).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem(0, 'No answer', 'The server did not answer. Check that `paybell start` is running, then try again.');
  });
  if (response.ok) return response;
  const problem = await readProblem(response);
  if (response.status === 401 && path !== '/v1/session') signedOut();
  throw problem;
}

/** Calls the API and answers with its JSON; undefined where it answers with nothing. @throws Problem */
export async function call<T>(path: string, options: CallOptions = {}): Promise<T> {
  const response = await send(path, options);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

async function readProblem(response: Response): Promise<Problem> {
  const fallback = `The server answered ${response.status}.`;
  try {
    const body = (await response.json()) as { title?: unknown; detail?: unknown };
    const title = typeof body.title === 'string' ? body.title : `Error ${response.status}`;
    return new Problem(response.status, title, typeof body.detail === 'string' ? body.detail : fallback);
  } catch {
    return new Problem(response.status, `Error ${response.status}`, fallback);
  }
}
