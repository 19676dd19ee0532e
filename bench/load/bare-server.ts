import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerCalls } from '../child.ts';
import { ownCpuMicros } from '../process-cost.ts';

// The baseline of `inbound`: the least that a Node server can do with a webhook.

const BODY = '{"received":true}';

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    Buffer.concat(chunks);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': BODY.length });
    response.end(BODY);
  });
});

const handlers = {
  listen: (): Promise<number> =>
    new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    }),
  cpu: ownCpuMicros,
};

export type BareServer = typeof handlers;

answerCalls(handlers);
