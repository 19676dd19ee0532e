import { fork, type ChildProcess } from 'node:child_process';

// Load, sink and baselines live in processes of their own, so that none of them shares an event loop with what is measured.

type Handlers = Record<string, (input: never) => unknown>;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** In the child: answers the parent's calls, and ends when the parent is gone. */
export function answerCalls(handlers: Handlers): void {
  process.on('disconnect', () => process.exit(0));
  // An interrupt reaches the whole process group; the parent is the one that tidies up.
  process.on('SIGINT', () => undefined);
  process.on('message', (call: Call) => {
    const send = (answer: Answer): void => void process.send?.(answer);
    const handler = handlers[call.name] as ((input: unknown) => unknown) | undefined;
    Promise.resolve()
      .then(() => {
        if (handler === undefined) throw new Error(`this process has no call named ${call.name}`);
        return handler(call.input);
      })
      .then(
        (value) => send({ id: call.id, value }),
        (error: unknown) => send({ id: call.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      );
  });
}

/** A running child; every method is one of its handlers. */
export interface Child<H extends Handlers> extends AsyncDisposable {
  readonly pid: number;
  call<N extends keyof H & string>(name: N, ...input: Parameters<H[N]>): Promise<Awaited<ReturnType<H[N]>>>;
}

/** Starts a file of `bench/load` as a process. Throws from `call` when the child throws or ends. */
export function startChild<H extends Handlers>(file: string): Child<H> {
  const process_ = fork(new URL(`load/${file}`, import.meta.url), [], {
    execArgv: ['--conditions=paybell-source', '--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
  });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let nextId = 1;
  process_.on('message', (answer: Answer) => {
    const call = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) call?.resolve(answer.value);
    else call?.reject(new Error(`${file}: ${answer.error}`));
  });
  process_.on('exit', (code, signal) => {
    for (const call of waiting.values()) call.reject(new Error(`${file} ended early (${signal ?? `exit code ${code}`})`));
    waiting.clear();
  });
  return {
    pid: process_.pid ?? 0,
    call: (name, ...[input]) =>
      new Promise((resolve, reject) => {
        const id = nextId++;
        waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
        process_.send({ id, name, input } satisfies Call, (error) => {
          if (error !== null) reject(error);
        });
      }),
    [Symbol.asyncDispose]: () => stop(process_),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
