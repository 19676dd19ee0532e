/** Processes add to sums of their own as far as these go; beyond, two of them share and wait for each other now and then. */
const PROCESSES = 1024;

/** Commits of one process under way at once that have sums of their own. */
const COMMITS = 8;

/** Gives each commit that is under way lines of its own among the sums: two that added to one line would wait for each other's disk. */
export function createShards() {
  const first = Math.floor(Math.random() * PROCESSES) * COMMITS;
  const taken = new Set<number>();
  return async function onShard<Result>(work: (shard: number) => Promise<Result>): Promise<Result> {
    let shard = first;
    while (taken.has(shard) && shard < first + COMMITS - 1) shard += 1;
    taken.add(shard);
    try {
      return await work(shard);
    } finally {
      taken.delete(shard);
    }
  };
}

export type OnShard = ReturnType<typeof createShards>;
