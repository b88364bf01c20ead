/** The table of flows and the ladders belong together. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const folder = import.meta.dirname;
const table = readFileSync(join(folder, '../../docs/reference/flows.md'), 'utf8');
const named = new Set([...table.matchAll(/test\/flows\/([\w-]+)\.flow\)/g)].map(([, name]) => name!));
const ladders = readdirSync(folder)
  .filter(name => name.endsWith('.flow'))
  .map(name => name.replace('.flow', ''));

test('every ladder of the table is there', () => {
  expect([...named].filter(name => !ladders.includes(name))).toEqual([]);
});

test('every ladder of RFC 3665 and RFC 5359 stands in the table', () => {
  const cites = (name: string) => /^# .*RFC (3665|5359)/.test(readFileSync(join(folder, `${name}.flow`), 'utf8'));
  expect(ladders.filter(name => cites(name) && !named.has(name))).toEqual([]);
});

test('every flow of both is in the table, with a ladder or with the reason why there is none', () => {
  const sections = [...table.matchAll(/^\| §([\d.]+)(?: to §([\d.]+))? .*\| (.+) \| (.*) ?\|$/gm)];
  const listed = sections.flatMap(([, from, to]) => {
    const [first, last] = [from!, to ?? from!].map(text => Number(text.split('.')[1]));
    return Array.from({ length: last! - first! + 1 }, (_, at) => `${from!.split('.')[0]}.${first! + at}`);
  });
  const basic = [...[1, 2, 3, 4, 5].map(n => `2.${n}`), ...Array.from({ length: 11 }, (_, at) => `3.${at + 1}`)];
  const services = Array.from({ length: 18 }, (_, at) => `2.${at + 1}`);
  expect(listed).toEqual([...basic, ...services]);
  for (const [row, , , part, ladder] of sections)
    expect(/no part/.test(part!) || /\.flow\)/.test(ladder!), row).toBe(true);
});
