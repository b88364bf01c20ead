/** Asks the provisioning server for this device's document, time and again, and hands on what is new. */
import { createHash } from 'node:crypto';
import { canonical, type JsonObject } from '../../firmware/config/document.ts';
import type { ConfigStore, Provisioned } from '../../firmware/config/store.ts';
import { backoff } from '../../firmware/lib/backoff.ts';
import type { Log } from '../../firmware/lib/log.ts';
import type { Random } from '../../firmware/lib/random.ts';
import { type Environment as Exchange, fetchDocument, type Outcome, type Question } from './fetch-document.ts';

export interface ProvisioningSettings {
  /** Base URL, http or https, with or without a final slash. */
  url: string;
  deviceId: string;
  token?: string;
  intervalMs: number;
  timeoutMs: number;
  /** User-Agent: `porter/0.1.0 (rpi5; front-door)`. */
  userAgent: string;
}

/** What the device says to a new document. Reasons are lines for a person. */
export type Verdict = { accepted: true } | { accepted: false; reasons: string[] };

export interface Environment extends Exchange {
  random: Random;
  log: Log;
  store: ConfigStore;
  /** Takes the document into use, or refuses it whole and stays as it is. */
  onDocument(document: JsonObject, revision: string): Verdict | Promise<Verdict>;
  /** Called when `status` has changed. */
  onStatus?(status: ProvisioningStatus): void;
}

export type ProvisioningStatus =
  /** Nothing is known yet. */
  | { is: 'waiting' }
  | { is: 'unchanged'; revision: string }
  /** In use. `notKept` says why it will have to be fetched again after a restart. */
  | { is: 'applied'; revision: string; notKept?: string }
  /** The server's document is bad; what was in use before goes on. */
  | { is: 'refused'; revision: string; reasons: string[] }
  | { is: 'unreachable'; why: string };

/** `refused: mqtt.url: …`: a line for a person. */
export function printStatus(status: ProvisioningStatus): string {
  switch (status.is) {
    case 'waiting':
      return 'waiting';
    case 'unchanged':
      return 'unchanged';
    case 'applied':
      return status.notKept === undefined ? 'applied' : `applied, not kept: ${status.notKept}`;
    case 'refused':
      return `refused: ${status.reasons.join('; ')}`;
    case 'unreachable':
      return `unreachable: ${status.why}`;
  }
}

/** After a failure; never longer than the ordinary interval, unless the server says so. */
const firstRetryMs = 5000;
const retryLimitMs = 900_000;
/** A device that already has a document need not be among the first after a power cut of the whole site. */
const startSpreadMs = 30_000;
/** Ordinary intervals differ by up to this share either way. */
const intervalSpread = 0.1;

export class ProvisioningClient {
  readonly #settings: ProvisioningSettings;
  readonly #environment: Environment;
  #status: ProvisioningStatus = { is: 'waiting' };
  /** The document in use. */
  #current: Provisioned | undefined;
  /** The server's document that was refused, so that it is neither fetched nor judged twice. */
  #refused: { etag: string | undefined; status: Extract<ProvisioningStatus, { is: 'refused' }> } | undefined;
  #retries: Iterator<number, never> | undefined;
  #disarm: (() => void) | undefined;
  #stopping: AbortController | undefined;
  #running: Promise<void> | undefined;
  #again = false;

  /** `current` is the stored document that the device started with, if any. */
  constructor(settings: ProvisioningSettings, environment: Environment, current?: Provisioned) {
    this.#settings = settings;
    this.#environment = environment;
    this.#current = current;
  }

  get status(): ProvisioningStatus {
    return this.#status;
  }

  start(): void {
    const { url } = this.#settings;
    const { log, random } = this.#environment;
    if (url.startsWith('http:'))
      log.warn('provisioning in the clear: documents and token can be read on the way', { url });
    this.#stopping = new AbortController();
    this.#arm(this.#current === undefined ? 0 : Math.round(random.next() * startSpreadMs));
  }

  /** Resolves when nothing runs and nothing is armed. */
  async stop(): Promise<void> {
    this.#stopping?.abort();
    this.#disarm?.();
    this.#again = false;
    await this.#running;
  }

  /** Asks at once, or once more after the exchange that is under way. */
  checkNow(): void {
    if (this.#stopping === undefined || this.#stopping.signal.aborted) return;
    if (this.#running !== undefined) this.#again = true;
    else this.#arm(0);
  }

  #arm(delayMs: number): void {
    this.#disarm?.();
    this.#disarm = this.#environment.clock.after(delayMs, () => this.#run(), 'provisioning');
  }

  #run(): void {
    const { signal } = this.#stopping!;
    this.#running = this.#check(signal).then(delayMs => {
      this.#running = undefined;
      if (signal.aborted) return;
      this.#arm(this.#again ? 0 : delayMs);
      this.#again = false;
    });
  }

  /** One exchange and what follows from it. Resolves with the pause until the next. Never rejects. */
  async #check(stop: AbortSignal): Promise<number> {
    const outcome = await fetchDocument(this.#question(), this.#environment, stop);
    if (stop.aborted) return 0;
    if (outcome.is === 'failed') return this.#failed(outcome);
    this.#retries = undefined;
    if (outcome.is === 'document') await this.#received(outcome);
    // 304 to the refused document's ETag: it still stands there, and so does the refusal.
    else this.#say(this.#refused?.status ?? { is: 'unchanged', revision: this.#current!.revision });
    return Math.round(this.#settings.intervalMs * (1 + intervalSpread * (2 * this.#environment.random.next() - 1)));
  }

  #question(): Question {
    const { url, deviceId, userAgent, token, timeoutMs } = this.#settings;
    const { etag } = this.#refused ?? this.#current ?? {};
    return {
      url: `${url.replace(/\/+$/, '')}/v1/devices/${deviceId}/config`,
      userAgent,
      timeoutMs,
      ...(token !== undefined && { token }),
      ...(etag !== undefined && { etag }),
      ...(this.#current && { revision: this.#current.revision }),
      ...(this.#refused && { refused: this.#refused.status.revision }),
    };
  }

  #failed({ why, retryAfterMs = 0 }: Extract<Outcome, { is: 'failed' }>): number {
    const { random } = this.#environment;
    const limitMs = Math.max(firstRetryMs, Math.min(retryLimitMs, this.#settings.intervalMs));
    this.#retries ??= backoff({ firstMs: firstRetryMs, limitMs, random });
    this.#say({ is: 'unreachable', why });
    // Added, not compared: devices that were all told the same moment still come back one by one.
    return retryAfterMs + this.#retries.next().value;
  }

  async #received({ document, etag }: Extract<Outcome, { is: 'document' }>): Promise<void> {
    const { store, wallClock, log } = this.#environment;
    const next: Provisioned = {
      revision: revisionOf(document, etag),
      ...(etag !== undefined && { etag }),
      fetchedAt: new Date(wallClock()).toISOString(),
      document,
    };
    const { revision } = next;
    const same = this.#current !== undefined && canonical(this.#current.document) === canonical(document);
    if (!same) {
      const verdict = await this.#judge(document, revision);
      if (!verdict.accepted) {
        const status = { is: 'refused', revision, reasons: verdict.reasons } as const;
        this.#refused = { etag, status };
        this.#say(status);
        return;
      }
    }
    this.#refused = undefined;
    const saved = await store.save(next);
    // Without its ETag it is fetched, and tried to be kept, again.
    const { etag: _, ...unkept } = next;
    this.#current = saved.saved ? next : unkept;
    if (!saved.saved)
      log.error('the provisioned document cannot be kept', { revision, code: saved.code, why: saved.why });
    if (same && saved.saved) this.#say({ is: 'unchanged', revision });
    else this.#say({ is: 'applied', revision, ...(!saved.saved && { notKept: saved.why }) });
  }

  /** A document on which our own code fails is refused like a bad one: else the device would fetch its death for ever. */
  async #judge(document: JsonObject, revision: string): Promise<Verdict> {
    try {
      return await this.#environment.onDocument(document, revision);
    } catch (error) {
      return { accepted: false, reasons: [`the device failed to take it over: ${(error as Error).message}`] };
    }
  }

  #say(status: ProvisioningStatus): void {
    const changed = JSON.stringify(status) !== JSON.stringify(this.#status);
    this.#status = status;
    if (!changed) return;
    const { log, onStatus } = this.#environment;
    const bad = status.is === 'refused' || status.is === 'unreachable';
    log[bad ? 'warn' : 'info']('provisioning', {
      status: printStatus(status),
      ...('revision' in status && { revision: status.revision }),
    });
    onStatus?.(status);
  }
}

/** What people compare: the server's ETag where it is plain, otherwise the start of a hash. */
function revisionOf(document: JsonObject, etag: string | undefined): string {
  const plain = /^(?:W\/)?"([\w.:+-]{1,64})"$/.exec(etag ?? '')?.[1];
  return plain ?? createHash('sha256').update(canonical(document)).digest('hex').slice(0, 16);
}
