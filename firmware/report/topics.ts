/** Where everything stands in the broker's tree. Pure. */

export type Facet = 'call' | 'accounts' | 'doors' | 'buttons' | 'audio' | 'paging' | 'config';

export interface Topics {
  /** `online` or `offline`, retained; the broker says `offline` itself when the connection breaks. */
  availability: string;
  /** What the device is, retained. */
  info: string;
  /** How a part of it is now, retained, on change. */
  state(facet: Facet): string;
  /** What happened, never retained. */
  event(source: string): string;
  /** Takes an action. */
  command: string;
  /** What became of it. */
  result: string;
  /** Takes JSON-RPC 2.0. */
  request: string;
  /** Answers go to topics that begin so, and nowhere else. */
  answers: string;
}

/** `root` is such as `porter/v1`. */
export function topics(root: string, id: string): Topics {
  const device = `${root}/${id}`;
  return {
    availability: `${device}/availability`,
    info: `${device}/info`,
    state: facet => `${device}/state/${facet}`,
    event: source => `${device}/event/${source}`,
    command: `${device}/command`,
    result: `${device}/command/result`,
    request: `${device}/rpc/req`,
    answers: `${device}/rpc/res/`,
  };
}

/** Characters of a topic that somebody else chose. */
const TOPIC_LIMIT = 256;

/** Whether an answer may go there: a request must not make the device speak on other topics. */
export const isAnswerTopic = ({ answers }: Topics, topic: unknown): topic is string =>
  typeof topic === 'string' &&
  topic.startsWith(answers) &&
  topic.length > answers.length &&
  topic.length <= TOPIC_LIMIT &&
  // MQTT 5 §4.7: wildcards and U+0000 are for no topic name.
  !/[+#\0]/.test(topic);
