/** Text inside an XML document of ours. */

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** For an element or an attribute in quotes. What XML cannot hold at all is left out. */
export const escaped = (text: string) =>
  text
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not pass
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replace(/[&<>"']/g, character => ENTITIES[character]!);

export const xmlHead = '<?xml version="1.0" encoding="UTF-8"?>\n';
