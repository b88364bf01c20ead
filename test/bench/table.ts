/** The figures for a person, in 80 columns. */
import type { Entry, Row, Spread } from './sheet.ts';

const WIDTH = 80;
const NAME = 36;
const NUMBER = 8;

export interface Report {
  machine: Record<string, unknown>;
  entries: readonly Entry[];
}

export function table({ machine, entries }: Report): string {
  const { cpu, cores, kernel, node, load } = machine as Record<string, string> & { load: Record<string, number> };
  const lines = wrapped(`${cpu}, ${cores} cores, Linux ${kernel}, Node ${node}; load ${load.before} to ${load.after}`);
  for (const entry of entries) {
    lines.push('', `${entry.name}, ${Math.round(entry.seconds)} s`, ...wrapped(entry.how, '  '));
    if (entry.figures.length > 0) {
      const head = ['median', 'min', 'p99', 'max'].map(word => word.padStart(NUMBER)).join('');
      lines.push(`  ${''.padEnd(NAME)}${head}`);
    }
    for (const row of entry.figures) lines.push(...show(row));
    if (entry.unavailable !== undefined) lines.push(...wrapped(`unavailable: ${entry.unavailable}`, '  '));
    if (entry.failed !== undefined) lines.push(...wrapped(`FAILED: ${entry.failed}`, '  '));
  }
  return `${lines.join('\n')}\n`;
}

function show(row: Row): string[] {
  if ('unavailable' in row) return wrapped(`${row.name}: unavailable: ${row.unavailable}`, '  ');
  if ('failed' in row) return wrapped(`${row.name}: FAILED: ${row.failed}`, '  ');
  const lines = [line(`${row.name} (${row.unit})`, row)];
  for (const peer of row.peers ?? []) {
    const { ratio, difference } = peer;
    const beside =
      difference !== undefined
        ? `, ours ${difference < 0 ? '' : '+'}${difference}`
        : ratio === undefined
          ? ''
          : `, ours is ${ratio} of it`;
    lines.push(line(`  ${peer.name}${beside}`, peer));
  }
  if (row.note !== undefined) lines.push(...wrapped(row.note, '    '));
  return lines;
}

/** A long name gets a line of its own. */
function line(name: string, { median, min, p99, max }: Spread): string {
  const numbers = [median, min, p99 ?? '', max].map(value => String(value).padStart(NUMBER)).join('');
  return name.length <= NAME ? `  ${name.padEnd(NAME)}${numbers}` : `  ${name}\n  ${''.padEnd(NAME)}${numbers}`;
}

function wrapped(text: string, indent = ''): string[] {
  const lines: string[] = [];
  let current = indent;
  for (const word of text.split(/\s+/)) {
    if (current.length > indent.length && current.length + 1 + word.length > WIDTH) {
      lines.push(current);
      current = indent;
    }
    current += current.length === indent.length ? word : ` ${word}`;
  }
  return [...lines, current];
}
