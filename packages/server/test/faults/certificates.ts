import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

interface Wanted {
  readonly name: string;
  /** `DNS:...`; absent: an authority. */
  readonly san?: string;
  /** Absent: signed by itself. */
  readonly by?: Certificate;
  /** Days from today on which it starts and ends to be valid. */
  readonly days?: readonly [number, number];
}

const CONFIG = `[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
`;

/** Makes certificates with the machine's openssl, in a folder of its own that `remove` deletes. */
export class Authority {
  readonly #folder = mkdtempSync(join(tmpdir(), 'paybell-certificates-'));
  #made = 0;

  constructor() {
    writeFileSync(join(this.#folder, 'ca.cnf'), CONFIG);
    writeFileSync(join(this.#folder, 'index.txt'), '');
  }

  issue({ name, san, by, days = [-1, 30] }: Wanted): Certificate {
    this.#made += 1;
    const file = (extension: string): string => join(this.#folder, `${this.#made}.${extension}`);
    this.#openssl([
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      file('key'),
      '-out',
      file('csr'),
    ]);
    writeFileSync(
      file('ext'),
      san === undefined ? 'basicConstraints=critical,CA:TRUE\n' : `basicConstraints=CA:FALSE\nsubjectAltName=${san}\n`,
    );
    if (by !== undefined) {
      writeFileSync(file('issuer'), by.cert);
      writeFileSync(file('issuerkey'), by.key, { mode: 0o600 });
    }
    const issuer = by === undefined ? ['-selfsign', '-keyfile', file('key')] : ['-cert', file('issuer'), '-keyfile', file('issuerkey')];
    const dates = ['-startdate', stamp(days[0]), '-enddate', stamp(days[1])];
    this.#openssl([
      'ca',
      '-batch',
      '-notext',
      '-config',
      'ca.cnf',
      '-in',
      file('csr'),
      '-out',
      file('crt'),
      '-extfile',
      file('ext'),
      ...issuer,
      ...dates,
    ]);
    return { cert: readFileSync(file('crt'), 'utf8'), key: readFileSync(file('key'), 'utf8') };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #openssl(args: readonly string[]): void {
    try {
      execFileSync('openssl', args, { cwd: this.#folder, stdio: ['ignore', 'ignore', 'pipe'] });
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT')
        throw new Error('These tests make certificates with the openssl command: install it.', { cause: error });
      throw error;
    }
  }
}

/** `YYYYMMDDHHMMSSZ`, as openssl wants it. */
function stamp(daysFromNow: number): string {
  return `${new Date(Date.now() + daysFromNow * 86_400_000).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
}
