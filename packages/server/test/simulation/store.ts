import type { Storage, StorageFailure } from '../../src/storage/contract.ts';
import type { Dice } from './dice.ts';
import { NEVER } from './life.ts';
import type { Life } from './life.ts';
import type { Loop } from './loop.ts';

/** How the store behaves at the time. */
export interface StoreMood {
  /** How many of a hundred calls go wrong. */
  trouble: number;
  /** Nothing is taken at all. */
  down: boolean;
}

export interface StoreParts {
  readonly loop: Loop;
  readonly dice: Dice;
  readonly mood: StoreMood;
  readonly note: (text: string) => void;
  /** `file`: one process, what dies takes its unfinished work along. `server`: several, and what was sent may still be done. */
  readonly kind: 'file' | 'server';
  /** The store itself; another one after each reopening. */
  readonly real: () => Storage;
  /** Sees every operation as it is executed. */
  readonly watch: Watch;
  readonly othersLive: (life: Life) => boolean;
}

export interface Watch {
  asked(life: Life, name: string, argument: unknown): void;
  before(life: Life, name: string, argument: unknown): void;
  after(life: Life, done: { readonly name: string; readonly argument: unknown; readonly result: unknown }): void;
  /** The process was told so: `ok` false where it was told of a failure. */
  told(life: Life, name: string, argument: unknown, ok: boolean): void;
}

class Trouble extends Error implements StorageFailure {
  readonly fatal: boolean;
  readonly unsure: boolean;
  readonly down: boolean;
  constructor(message: string, { fatal, unsure, down }: { fatal: boolean; unsure: boolean; down: boolean }) {
    super(message);
    this.name = 'StorageError';
    this.fatal = fatal;
    this.unsure = unsure;
    this.down = down;
  }
}

type Fate = 'done' | 'refused' | 'answer_lost' | 'fatal_before' | 'fatal_after';
type Method = (argument: unknown) => Promise<unknown>;

/** The store as one process sees it: late, sometimes failing, and the place where most crashes are felt. */
export function storageFor(life: Life, parts: StoreParts): Storage {
  const { loop, dice, mood, kind, watch } = parts;
  const busyUntil = new Map<string, number>();
  let answeredUntil = 0;

  function fateOf(name: string): Fate {
    if (mood.down) return 'refused';
    if (!dice.chance(mood.trouble / 100)) return 'done';
    if (kind === 'server') return dice.chance(0.3) ? 'answer_lost' : 'refused';
    // Only where the engine writes does it learn that nobody knows what is on disk.
    if (name === 'record' && dice.chance(0.2)) return dice.chance(0.5) ? 'fatal_before' : 'fatal_after';
    return 'refused';
  }

  /** A file takes one call after the other; a server those of one kind, others may overtake. */
  function startOf(name: string): number {
    const lane = kind === 'file' ? 'file' : name;
    const wait = dice.chance(mood.trouble / 400) ? dice.int(500, 20_000) : dice.int(0, 4);
    const at = Math.max(busyUntil.get(lane) ?? 0, loop.now() + wait);
    busyUntil.set(lane, at);
    return at;
  }

  async function execute(name: string, argument: unknown): Promise<unknown> {
    watch.before(life, name, argument);
    // A server knows which processes live; this store takes everyone else for dead.
    const spared = name === 'takeOver' && parts.othersLive(life);
    const result = spared ? 0 : await (parts.real() as unknown as Record<string, Method>)[name]?.(argument);
    watch.after(life, { name, argument, result });
    return result;
  }

  function call(name: string, argument: unknown): Promise<unknown> {
    if (name === 'takeOver') life.owner = (argument as { owner: string }).owner;
    if (!life.step(`asking to ${name}`)) return NEVER;
    watch.asked(life, name, argument);
    const fate = fateOf(name);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const answer = (ok: boolean, give: () => void): void => {
      const at = loop.now() + dice.int(0, 3);
      if (kind === 'file') answeredUntil = Math.max(answeredUntil, at);
      loop.after((kind === 'file' ? answeredUntil : at) - loop.now(), () => {
        life.reach(() => {
          watch.told(life, name, argument, ok);
          give();
        });
      });
    };
    const fail = (fatal: boolean): void => {
      const unsure = fate === 'answer_lost';
      const sentence = `The store failed at ${name}${fatal ? ', and nobody knows what is on disk' : ''}.`;
      answer(false, () => reject(new Trouble(sentence, { fatal, unsure, down: mood.down || unsure })));
    };
    loop.after(startOf(name) - loop.now(), () => void run());

    async function run(): Promise<void> {
      // What was on its way to a server when its sender died is done or not.
      if (!life.alive && (kind === 'file' || dice.chance(0.5))) return;
      if (fate !== 'done') parts.note(`${life.name} ${name}: ${fate}`);
      if (fate === 'refused' || fate === 'fatal_before') return fail(fate === 'fatal_before');
      if (life.alive && !life.step(`before ${name}`)) return;
      try {
        const result = await execute(name, argument);
        life.step(`after ${name}`);
        if (fate === 'done') answer(true, () => resolve(result));
        else fail(fate === 'fatal_after');
      } catch (error) {
        parts.note(`${life.name} ${name}: ${String(error)}`);
        answer(false, () => reject(error));
      }
    }
    return promise;
  }

  const methods: Record<string, unknown> = {};
  return new Proxy(methods, {
    get(made, name) {
      if (name === 'shared') return kind === 'server';
      return name === 'then' || typeof name !== 'string' ? undefined : (made[name] ??= (argument: unknown) => call(name, argument));
    },
  }) as unknown as Storage;
}
