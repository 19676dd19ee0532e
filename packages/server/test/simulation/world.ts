import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeVault } from '../../src/config/vault.ts';
import { createEngine } from '../../src/engine/engine.ts';
import type { Engine } from '../../src/engine/faces.ts';
import type { Storage } from '../../src/storage/contract.ts';
import { openStorage } from '../../src/storage/open.ts';
import { seededBytes, START } from '../support/world.ts';
import { Books } from './books.ts';
import { diceFrom } from './dice.ts';
import type { Dice } from './dice.ts';
import { Known } from './known.ts';
import { Life } from './life.ts';
import { createLoop } from './loop.ts';
import type { Loop } from './loop.ts';
import { Network } from './network.ts';
import type { Plan } from './plan.ts';
import { noSignal } from '../../src/signal/signal.ts';
import { storageFor } from './store.ts';
import type { StoreMood } from './store.ts';
import { Witness } from './witness.ts';

const MOST_HAPPENINGS = 60_000;
const LONGEST_TRACE = 20_000;

/** A folder in memory where there is one: a sync of it costs nothing, and no power fails in a simulation. */
const FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

let blank: Promise<string> | null = null;

/** An empty store that is migrated, made once and copied for each run. */
function blankStore(): Promise<string> {
  blank ??= (async () => {
    const folder = mkdtempSync(join(FOLDER, 'paybell-simulation-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'blank.db');
    const storage = await openStorage(path, { threads: false });
    await storage.open();
    await storage.close();
    return path;
  })();
  return blank;
}

interface Node {
  readonly name: string;
  starts: number;
  life: Life | null;
  engine: Engine | null;
}

/** The engine and everything around it, driven by one seed. */
export class World {
  readonly plan: Plan;
  readonly loop: Loop;
  readonly known = new Known();
  readonly network: Network;
  readonly witness: Witness;
  readonly mood: StoreMood = { trouble: 0, down: false };
  readonly trace: string[] = [];
  readonly wrongs: string[] = [];
  readonly nodes: readonly Node[];
  /** Steps that a crash could come at, so far. */
  steps = 0;
  /** Steps at which the process that takes it dies. */
  crashes: number[] = [];
  #storage: Storage | null = null;
  #books: Books | null = null;
  #folder = '';
  #healing = false;
  #closed = false;
  readonly #dice: Dice;

  constructor(plan: Plan) {
    this.plan = plan;
    this.#dice = diceFrom(plan.seed, 'world');
    this.loop = createLoop(START, MOST_HAPPENINGS);
    const note = (text: string): void => this.note(text);
    const wrong = (text: string): void => this.wrong(text);
    this.witness = new Witness({ now: () => this.loop.now(), books: () => this.books, known: this.known, note, wrong });
    this.network = new Network({
      loop: this.loop,
      dice: diceFrom(plan.seed, 'network'),
      note,
      sending: (call) => this.witness.sending(call),
      ended: () => undefined,
    });
    this.nodes = Array.from({ length: plan.nodes }, (_, index) => ({ name: 'ab'[index] ?? 'c', starts: 0, life: null, engine: null }));
  }

  get books(): Books {
    if (this.#books === null) throw new Error('The store is not open.');
    return this.#books;
  }

  get storage(): Storage {
    if (this.#storage === null) throw new Error('The store is not open.');
    return this.#storage;
  }

  note(text: string): void {
    if (this.trace.length < LONGEST_TRACE) this.trace.push(`${String(this.loop.now() - START).padStart(7)} ms  ${text}`);
  }

  wrong(text: string): void {
    this.wrongs.push(text);
    this.note(`WRONG: ${text}`);
  }

  /** Opens the store and starts the processes; the first one furnishes it before the others come. */
  async begin(furnish: (engine: Engine) => Promise<void>): Promise<void> {
    const made = await blankStore();
    this.#folder = mkdtempSync(join(FOLDER, 'paybell-simulation-'));
    copyFileSync(made, this.#path);
    await this.#openStore();
    this.#books = new Books(this.#path);
    for (const [index, node] of this.nodes.entries()) {
      this.start(node);
      await this.loop.until(this.loop.now() + 200);
      if (index === 0) await furnish(node.engine as Engine);
    }
  }

  get #path(): string {
    return join(this.#folder, 'paybell.db');
  }

  async #openStore(): Promise<void> {
    this.#storage = await openStorage(this.#path, { threads: false });
    await this.#storage.open();
  }

  /** A process as after a start of the program. */
  start(node: Node): void {
    if (node.life?.alive === true) return;
    node.starts += 1;
    const { loop } = this;
    const life = new Life(`${node.name}${node.starts}`, {
      loop,
      note: (text) => this.note(text),
      crashesAt: () => this.#crashesNow(),
      died: () => this.#died(node),
    });
    node.life = life;
    node.engine = this.#engineOf(life);
    this.note(`${life.name} starts`);
    node.engine.start().then(
      () => {
        if (!life.alive) return;
        life.ready = true;
        this.known.loaded(this.books.endpoints(), loop.now());
        this.note(`${life.name} is ready`);
      },
      (error: unknown) => life.die(`could not start: ${String(error)}`),
    );
  }

  #crashesNow(): boolean {
    this.steps += 1;
    const [next] = this.crashes;
    if (this.#healing || next === undefined || this.steps < next) return false;
    this.crashes.shift();
    return true;
  }

  #engineOf(life: Life): Engine {
    const { loop, plan } = this;
    const clock = { now: (): number => loop.now() };
    const seed = plan.seed + life.name.charCodeAt(0) * 1_000_003 + this.nodes.reduce((sum, { starts }) => sum + starts, 0) * 7919;
    const ids = diceFrom(seed, 'ids');
    return createEngine({
      signal: noSignal,
      node: `node_${life.name}_${this.nodes.reduce((sum, { starts }) => sum + starts, 0)}`,
      storage: storageFor(life, {
        loop,
        dice: diceFrom(seed, 'store'),
        mood: this.mood,
        note: (text) => this.note(text),
        kind: plan.nodes === 1 ? 'file' : 'server',
        real: () => this.storage,
        watch: this.witness,
        othersLive: (me) => this.nodes.some((other) => other.life !== me && other.life?.alive === true),
      }),
      send: (request) => this.network.send(life, request),
      clock,
      timers: {
        after(ms, run) {
          let gone = false;
          const cancel = loop.after(ms, () => life.reach(() => (!gone && life.step('a timer') ? run() : undefined)));
          return () => {
            gone = true;
            cancel();
          };
        },
      },
      random: (size) => ids.bytes(size),
      log: {
        info: () => undefined,
        warn: (fields, message) => this.note(`${life.name} warns: ${message} ${JSON.stringify(fields)}`),
        error: (fields, message) => this.note(`${life.name} reports: ${message} ${JSON.stringify(fields)}`),
      },
      vault: makeVault([{ name: 'test', bytes: Buffer.alloc(32, 7) }], seededBytes(9)),
      judgeUrl: () => null,
      onFatal: (error) => life.die(`ends itself: ${error.message}`),
    });
  }

  /** Where one process has the file, its death closes it; a server lives on. */
  #died(node: Node): void {
    if (this.#closed) return;
    if (this.plan.nodes === 1) {
      const before = this.#storage;
      this.#storage = null;
      this.loop.hold((before?.close() ?? Promise.resolve()).then(() => this.#openStore()));
    }
    this.loop.after(this.#healing ? 10 : this.#dice.int(5, 4_000), () => this.start(node));
  }

  /** Ends a process as SIGTERM does, and starts it again. */
  leave(node: Node, withinMs: number): void {
    const { life, engine } = node;
    if (life === null || engine === null || !life.ready || life.leaving) return;
    life.leaving = true;
    this.note(`${life.name} is asked to stop within ${withinMs} ms`);
    life.reach(() => void engine.stop(withinMs).then(() => life.die('stopped')));
  }

  /** The nodes that take a call now. */
  taking(): readonly Node[] {
    return this.nodes.filter(({ life }) => life?.ready === true && !life.leaving);
  }

  /** From now on nothing fails any more, and what stands still goes on. */
  heal(): void {
    this.note('nothing fails from now on');
    this.#healing = true;
    this.mood.trouble = 0;
    this.mood.down = false;
    this.crashes = [];
    for (const url of this.network.manners.keys()) this.network.manners.set(url, 'ok');
    for (const { life } of this.nodes) life?.resume();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { life } of this.nodes) life?.die('is no longer needed');
    this.#books?.close();
    await this.#storage?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export type { Node };
