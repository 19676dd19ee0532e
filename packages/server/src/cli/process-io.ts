import type { Io } from './command.ts';

/** The real terminal, environment and signals. */
export function processIo(): Io {
  return {
    env: process.env,
    print: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    draw: (line) => void process.stderr.write(`\r\u001b[K${line}`),
    interactive: process.stderr.isTTY,
    async readStdin() {
      const chunks: Uint8Array[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
      return new Uint8Array(Buffer.concat(chunks));
    },
    stopped: () =>
      new Promise((resolve) => {
        let asked = false;
        const stop = (): void => {
          // The second time a person asks, nothing is waited for.
          if (asked) process.exit(1);
          asked = true;
          resolve();
        };
        process.on('SIGINT', stop);
        process.on('SIGTERM', stop);
      }),
  };
}
