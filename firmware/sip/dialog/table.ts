/** Every dialog of the user agent, found by Call-ID and tags (RFC 3261 §12). */
import type { Request } from '../message/message.ts';
import { tagOf } from '../transaction/matching.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import type { DialogIdentity } from './dialog.ts';

export interface DialogOwner {
  /** A request inside the dialog: not ACK, not CANCEL. */
  onRequest(transaction: ServerTransaction): void;
  /** An ACK to a 2xx. */
  onAck(ack: Request): void;
}

export class DialogTable {
  readonly #owners = new Map<string, DialogOwner>();

  add(dialog: DialogIdentity, owner: DialogOwner) {
    this.#owners.set(key(dialog), owner);
  }

  remove(dialog: DialogIdentity) {
    this.#owners.delete(key(dialog));
  }

  /** The owner of the dialog that a request of the peer names. */
  find({ headers }: Request): DialogOwner | undefined {
    return this.#owners.get(
      key({
        callId: headers.get('Call-ID') ?? '',
        localTag: tagOf(headers.get('To')) ?? '',
        remoteTag: tagOf(headers.get('From')) ?? '',
      }),
    );
  }

  get size() {
    return this.#owners.size;
  }
}

const key = ({ callId, localTag, remoteTag }: DialogIdentity) => `${callId} ${localTag} ${remoteTag}`;
