/** Text for a terminal of 80 columns. Pure. */

export const WIDTH = 80;

/** What comes from the network (a caller's name) must not drive the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
export const plain = (text: string) => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '?');

/** `2 h 13 min`, `42 s`, `3 d 4 h`: the two largest units. Seconds. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const units: [name: string, size: number][] = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ];
  const first = units.findIndex(([, size]) => whole >= size);
  if (first < 0) return '0 s';
  const [name, size] = units[first]!;
  const rest = units[first + 1];
  const restCount = rest ? Math.floor((whole % size) / rest[1]) : 0;
  return `${Math.floor(whole / size)} ${name}${restCount > 0 ? ` ${restCount} ${rest![0]}` : ''}`;
}

/** `10 MB`, `500kB`: bytes, in decimal units; undefined where the text is no size. */
export function byteSize(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?) ?(kB|MB|GB)$/i.exec(text.trim());
  if (match === null) return undefined;
  const unit = { k: 1e3, m: 1e6, g: 1e9 }[match[2]![0]!.toLowerCase()]!;
  return Math.round(Number(match[1]) * unit);
}

export const count = (number: number, one: string, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

/** Breaks at spaces so that no line exceeds `WIDTH`: after `lead`, then after `indent` spaces. A longer word stays whole. */
export function wrap(text: string, indent: number, lead = ''): string[] {
  const lines: string[] = [];
  let line = lead;
  let begun = false;
  for (const word of text.split(' ')) {
    if (begun && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = ' '.repeat(indent) + word;
    } else line += begun ? ` ${word}` : word;
    begun = true;
  }
  return [...lines, line];
}

/** Rows as columns of equal width, two spaces between; the last column is not padded. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  return rows.map(row =>
    row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index]!))).join('  '),
  );
}
