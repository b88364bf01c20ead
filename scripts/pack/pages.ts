/** The documentation that a board gets: the pages for who installs and uses it, in folders as in the project. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { ROOT } from './fetch.ts';

const PAGES = [
  'package.md',
  'technician.md',
  'provisioning.md',
  ...['cli', 'configuration', 'events', 'limits', 'mqtt'].map(name => `reference/${name}.md`),
];

export function writePages(folder: string) {
  for (const page of PAGES) {
    const file = join(folder, page);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, withoutDeadLinks(page, readFileSync(join(ROOT, 'docs', page), 'utf8')));
  }
}

/** A link to what only the project has becomes its words. */
const withoutDeadLinks = (page: string, text: string) =>
  text.replaceAll(/\[([^\]]+)\]\(([^)#\s]+)(?:#[^)\s]*)?\)/g, (link, words: string, target: string) =>
    /^\w+:/.test(target) || PAGES.includes(posix.join(posix.dirname(page), target)) ? link : words,
  );
