/** How much of a peer's message is ever looked at. Beyond a limit the message is Malformed. */

/** What a UDP datagram can hold. Bytes. */
export const MAX_MESSAGE_BYTES = 65_535;

/** Header fields of one message, each line of a repeated one counted. */
export const MAX_HEADER_FIELDS = 256;

/** One header field, folded lines joined. Characters. The largest seen in the wild are Identity tokens of about 2000. */
export const MAX_HEADER_FIELD_LENGTH = 8_192;

/** One URI. Characters. */
export const MAX_URI_LENGTH = 2_048;

/** Parameters of one URI, Via or name-addr. */
export const MAX_PARAMETERS = 64;

/** Values of Contact, Route or Record-Route in one request, over all its lines. */
export const MAX_LIST_ELEMENTS = 256;

/** A CSeq number is below this (RFC 3261 §8.1.1.5). */
export const CSEQ_LIMIT = 2 ** 31;
