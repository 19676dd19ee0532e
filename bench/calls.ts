import { performance } from 'node:perf_hooks';
import { percentile, shown } from './figures.ts';
import type { Paybell } from './paybell.ts';

/** One kind of question to the API: what it is called in the table, and the path of its n-th call. */
export interface Question {
  readonly name: string;
  readonly path: (n: number) => string;
}

export interface Answers {
  readonly name: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Asks each question `times` times, one after the other, all questions in turn; the first answer of each is not counted. */
export async function ask(paybell: Paybell, questions: readonly Question[], times: number): Promise<Answers[]> {
  const taken = questions.map((): number[] => []);
  for (let n = 0; n <= times; n += 1) {
    for (const [index, { path }] of questions.entries()) {
      const start = performance.now();
      await paybell.api('GET', path(n));
      if (n > 0) taken[index]?.push(performance.now() - start);
    }
  }
  return questions.map(({ name }, index) => {
    const all = taken[index] ?? [];
    return { name, p50Ms: percentile(all, 0.5), p99Ms: percentile(all, 0.99) };
  });
}

/** The p99 of the slowest kind: a mean over kinds would hide it. */
export const worst = (answers: readonly Answers[]): number => Math.max(...answers.map(({ p99Ms }) => p99Ms));

export const rowsOf = (answers: readonly Answers[]): string[][] =>
  answers.map(({ name, p50Ms, p99Ms }) => [name, shown(p50Ms, 1), shown(p99Ms, 1)]);
