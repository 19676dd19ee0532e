/** Runs changes one after the other: each reads a row, waits for the store and writes the row, and two at once would lose one. */
export function turns(): <Result>(change: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (change) => {
    const mine = last.then(change, change);
    last = mine.catch(() => undefined);
    return mine;
  };
}
