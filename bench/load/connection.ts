import { connect, type Socket } from 'node:net';

// A client that costs a tenth of `node:http`: one request in flight, no objects per answer, one read buffer for all connections.

const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);
const STATUS_AT = 'HTTP/1.1 '.length;

/** One keep-alive connection with one request in flight. */
export class Connection {
  readonly #socket: Socket;
  readonly #onAnswer: (status: number, connection: Connection) => void;
  #partial: Buffer | null = null;
  #usualLength = 0;
  #closing = false;
  /** When the request in flight was sent; kept by the loop that owns this connection. */
  sentAt = 0;
  /** Which request is in flight. */
  index = -1;

  private constructor(socket: Socket, onAnswer: (status: number, connection: Connection) => void) {
    this.#socket = socket;
    this.#onAnswer = onAnswer;
  }

  /** Connects. `onBreak` gets the reason when the connection ends before `close()`. */
  static open(input: {
    readonly host: string;
    readonly port: number;
    readonly onAnswer: (status: number, connection: Connection) => void;
    readonly onBreak: (error: Error) => void;
  }): Promise<Connection> {
    return new Promise((resolve, reject) => {
      let connection: Connection | null = null;
      const onread = {
        buffer: readBuffer,
        callback: (length: number): boolean => {
          if (connection !== null) connection.#read(length);
          return true;
        },
      };
      const socket = connect({ host: input.host, port: input.port, noDelay: true, onread });
      socket.once('connect', () => {
        connection = new Connection(socket, input.onAnswer);
        resolve(connection);
      });
      const broken = (error: Error): void => {
        if (connection === null) reject(error);
        else if (!connection.#closing) input.onBreak(error);
      };
      socket.on('error', broken);
      socket.on('close', () => broken(new Error(`${input.host}:${input.port} closed a connection`)));
    });
  }

  send(request: Buffer): void {
    this.#socket.write(request);
  }

  close(): void {
    this.#closing = true;
    this.#socket.destroy();
  }

  #read(length: number): void {
    // Answers of one server are nearly always equally long: then nothing has to be searched for.
    if (this.#partial === null && length === this.#usualLength) return this.#onAnswer(statusIn(readBuffer), this);
    const seen = readBuffer.subarray(0, length);
    const bytes = this.#partial === null ? seen : Buffer.concat([this.#partial, seen]);
    const total = answerLength(bytes);
    if (total === -1 || bytes.length < total) {
      this.#partial = Buffer.from(bytes);
      return;
    }
    this.#partial = null;
    this.#usualLength = total;
    this.#onAnswer(statusIn(bytes), this);
  }
}

function statusIn(bytes: Buffer): number {
  const digit = (offset: number): number => (bytes[STATUS_AT + offset] ?? 0) - 48;
  return digit(0) * 100 + digit(1) * 10 + digit(2);
}

function answerLength(bytes: Buffer): number {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1) return -1;
  const head = bytes.toString('latin1', 0, headEnd);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`an answer without content-length cannot be measured: ${head.slice(0, 200)}`);
  return headEnd + 4 + Number(length);
}
