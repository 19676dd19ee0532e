import { createSocket } from 'node:dgram';
import { createServer, type AddressInfo } from 'node:net';

/** What a name server says to a question for A records: addresses, an error code of RFC 1035, or nothing at all. */
export type DnsAnswer = { readonly addresses: readonly string[] } | { readonly rcode: number } | 'silence';

export const NXDOMAIN = 3;
export const SERVFAIL = 2;

export interface DnsServer {
  /** For `setServers`. */
  readonly address: string;
  /** Names asked for by A questions, in order. */
  readonly asked: readonly string[];
  readonly close: () => Promise<void>;
}

const TYPE_A = 1;
const UDP_BYTES = 512;

/** A name server on loopback, UDP and TCP on one port: answers that do not fit UDP are cut, as real ones do. */
export async function startDnsServer(answers: (name: string) => DnsAnswer): Promise<DnsServer> {
  const asked: string[] = [];
  const reply = (query: Buffer): Buffer | null => {
    const { name, type, end } = readQuestion(query);
    if (type === TYPE_A) asked.push(name);
    const answer = answers(name);
    if (answer === 'silence') return null;
    const addresses = 'addresses' in answer && type === TYPE_A ? answer.addresses : [];
    return message(query.subarray(0, end), 'rcode' in answer ? answer.rcode : 0, addresses);
  };

  const tcp = createServer((socket) => {
    socket.on('error', () => undefined);
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      if (pending.length < 2 || pending.length < 2 + pending.readUInt16BE(0)) return;
      const answer = reply(pending.subarray(2, 2 + pending.readUInt16BE(0)));
      pending = Buffer.alloc(0);
      if (answer !== null) socket.write(Buffer.concat([uint16(answer.length), answer]));
    });
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const { port } = tcp.address() as AddressInfo;

  const udp = createSocket('udp4');
  udp.on('message', (query, from) => {
    const answer = reply(query);
    if (answer === null) return;
    const cut = answer.length > UDP_BYTES ? message(query.subarray(0, readQuestion(query).end), 0, [], true) : answer;
    udp.send(cut, from.port, from.address);
  });
  await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve));

  return {
    address: `127.0.0.1:${port}`,
    asked,
    close: async () => {
      await new Promise<void>((resolve) => udp.close(resolve));
      await new Promise((resolve) => tcp.close(resolve));
    },
  };
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function message(question: Buffer, rcode: number, addresses: readonly string[], cut = false): Buffer {
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(0x8180 | (cut ? 0x0200 : 0) | rcode, 2);
  header.writeUInt16BE(addresses.length, 6);
  header.writeUInt16BE(0, 8);
  header.writeUInt16BE(0, 10);
  const records = addresses.map((address) => Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, ...address.split('.').map(Number)]));
  return Buffer.concat([header, question.subarray(12), ...records]);
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}
