/** What every command is made of. */

/** Documented in docs/cli.md; scripts rely on them. */
export const EXIT = {
  ok: { code: 0, means: 'done, or the verdict is good' },
  failed: { code: 1, means: 'failed, or the verdict is bad: a signature that does not match, a finding, a refusal by the server' },
  usage: { code: 2, means: 'the command was not understood, or a setting is wrong; nothing was done' },
  unreachable: { code: 3, means: 'the server cannot be reached, or does not take the key' },
} as const;

export interface Flag {
  /** What stands after it, for people; absent: the flag stands alone. */
  readonly value?: string;
  /** May be given several times. */
  readonly many?: true;
  readonly help: string;
}
export type FlagTable = Readonly<Record<string, Flag>>;

export interface Argument {
  readonly name: string;
  readonly optional?: true;
  readonly help: string;
}

export interface Command {
  readonly about: string;
  readonly arguments: readonly Argument[];
  readonly flags: FlagTable;
  /** Lines to try, shown in the help. */
  readonly examples?: readonly string[];
  /** Answers with the exit code. Throws UsageError and Failure. */
  run(call: Call, io: Io): Promise<number>;
}

export interface Call {
  readonly args: readonly string[];
  readonly flags: Flags;
}

/** The flags that were given. */
export class Flags {
  readonly #values: ReadonlyMap<string, readonly string[]>;
  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }
  has(name: string): boolean {
    return this.#values.has(name);
  }
  one(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }
  many(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }
  /** A whole number within the bounds, `fallback` where the flag is absent. */
  count(name: string, bounds: { readonly from: number; readonly to: number; readonly fallback: number }): number {
    const text = this.one(name);
    if (text === undefined) return bounds.fallback;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < bounds.from || value > bounds.to) {
      throw new UsageError(`--${name} must be a whole number from ${bounds.from} to ${bounds.to}.`);
    }
    return value;
  }
}

/** The world of a command. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One line for programs, on stdout. */
  print(line: string): void;
  /** One line for people, on stderr. */
  note(line: string): void;
  /** In place of the line before, on stderr; only where a person looks on (`interactive`). */
  draw(line: string): void;
  readStdin(): Promise<Uint8Array>;
  /** Ends when the person wants the command to stop (Ctrl-C, SIGTERM). */
  stopped(): Promise<void>;
  /** True where a person reads what `note` says. */
  readonly interactive: boolean;
}

/** The command line is wrong; nothing was done. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command did its work, and the answer is no. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: number;
  constructor(message: string, code: number = EXIT.failed.code) {
    super(message);
    this.code = code;
  }
}
