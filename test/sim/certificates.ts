/** Certificates for tests, made by openssl in a folder that the test throws away. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Pair {
  certificate: string;
  key: string;
}

export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), 'porter-tls-'));
  readonly ca: string;
  readonly #key: string;

  constructor() {
    this.ca = join(this.folder, 'ca.pem');
    this.#key = join(this.folder, 'ca-key.pem');
    this.#openssl(
      'req',
      '-x509',
      ...newKey,
      '-subj',
      '/CN=Test CA',
      '-days',
      '2',
      '-keyout',
      this.#key,
      '-out',
      this.ca,
    );
  }

  /** Signed by this CA. `names` as openssl writes a subjectAltName: `DNS:pbx.example,URI:sip:example`; none: no such field. */
  sign(name: string, names: string | undefined, { days = 2, commonName = name } = {}): Pair {
    const file = (suffix: string) => join(this.folder, `${name}${suffix}.pem`);
    const [request, key, certificate, extensions] = ['-csr', '-key', '', '-ext'].map(file) as [
      string,
      string,
      string,
      string,
    ];
    writeFileSync(extensions, names === undefined ? 'basicConstraints=CA:FALSE\n' : `subjectAltName=${names}\n`);
    this.#openssl('req', ...newKey, '-subj', `/CN=${commonName}`, '-keyout', key, '-out', request);
    const signing = [
      '-CA',
      this.ca,
      '-CAkey',
      this.#key,
      '-CAcreateserial',
      '-days',
      String(days),
      '-extfile',
      extensions,
    ];
    this.#openssl('x509', '-req', '-in', request, ...signing, '-out', certificate);
    return { certificate, key };
  }

  stop() {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #openssl(...args: string[]) {
    execFileSync('openssl', args, { stdio: 'pipe' });
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
