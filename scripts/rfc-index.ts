/** Writes docs/reference/standards.md: RFC and section → file and test, from the citations in the code. */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { leftOut, namesOnly, titles } from './standards.ts';

const root = join(import.meta.dirname, '..');
const page = join(root, 'docs/reference/standards.md');
const help = `Usage: scripts/rfc-index [--check]

Writes docs/reference/standards.md from the citations in the code.
  --check   fails where the page is stale, instead`;

/** `RFC 3261 §17.1.1.2`, or a bare `§14.2`. */
const CITATION = /RFC (\d{3,5})(?: §+(\d+(?:\.\d+)*))?|§(\d+(?:\.\d+)*)/g;

/** What a bare section means in a file that names no RFC in its first line. */
const usual: Readonly<Record<string, number>> = { 'firmware/sip': 3261, 'test/unit/sip': 3261 };

interface Places {
  files: Set<string>;
  tests: Set<string>;
}

/** RFC → section ('' for the whole) → where it is cited. */
type Index = Map<number, Map<string, Places>>;

function note(found: Index, rfc: number, section: string, file: string) {
  const sections = found.get(rfc) ?? new Map<string, Places>();
  found.set(rfc, sections);
  const places = sections.get(section) ?? { files: new Set(), tests: new Set() };
  sections.set(section, places);
  (file.startsWith('test/') ? places.tests : places.files).add(file);
}

function index(): Index {
  const found: Index = new Map();
  for (const file of globSync('{hal,firmware,provisioning,test}/**/*.ts', { cwd: root }).sort()) {
    // Helpers of tests prove nothing by themselves.
    if (namesOnly.includes(file) || (file.startsWith('test/') && !file.endsWith('.test.ts'))) continue;
    const room = Object.keys(usual).find(folder => file.startsWith(`${folder}/`));
    const text = readFileSync(join(root, file), 'utf8');
    // A bare section means the RFC named last in the same comment, else that of the file's first line.
    const ofRoom = room === undefined ? undefined : usual[room];
    const inHead = [...text.slice(0, text.indexOf('*/')).matchAll(/RFC (\d{3,5})/g)].map(([, named]) => Number(named));
    const ofFile = ofRoom !== undefined && inHead.includes(ofRoom) ? ofRoom : (inHead[0] ?? ofRoom);
    let rfc = ofFile;
    for (const line of text.split('\n')) {
      for (const [, named, section, bare] of line.matchAll(CITATION)) {
        if (named !== undefined) rfc = Number(named);
        if (rfc !== undefined) note(found, rfc, section ?? bare ?? '', file);
      }
      if (!/^\s*(?:\*|\/\/|\/\*\*)(?!.*\*\/)/.test(line)) rfc = ofFile;
    }
  }
  return found;
}

/** The unit test that stands at the mirrored place. */
function mirrorOf(file: string): string | undefined {
  const test = `test/unit/${file.replace(/^firmware\//, '').replace(/\.ts$/, '.test.ts')}`;
  return existsSync(join(root, test)) ? test : undefined;
}

const byNumbers = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true });
const link = (file: string) => `[${file.replace(/^(firmware|test)\//, '')}](../../${file})`;
const links = (files: Iterable<string>) => [...files].sort().map(link).join(' · ');

function row(section: string, { files, tests }: Places): string {
  // Where no test cites the section, the test of the file that does.
  const proofs = tests.size > 0 ? tests : [...files].flatMap(file => mirrorOf(file) ?? []);
  return `| ${section === '' ? 'whole' : `§${section}`} | ${links(files)} | ${links(new Set(proofs))} |`;
}

function print(found: Index): string {
  const chapters = [...found.keys()]
    .sort((a, b) => a - b)
    .map(rfc => {
      const sections = [...found.get(rfc)!].sort(([a], [b]) => byNumbers(a, b));
      const rows = sections.map(([section, places]) => row(section, places)).join('\n');
      const head = `## [RFC ${rfc}](https://www.rfc-editor.org/rfc/rfc${rfc}) ${titles[rfc]}`;
      return `${head}\n\n| Section | Code | Tests |\n|---|---|---|\n${rows}`;
    });
  const missing = leftOut.map(
    ({ rfc, section, what, why }) => `| ${rfc} | ${section === undefined ? '' : `§${section}`} | ${what} | ${why} |`,
  );
  return `# Standards

Written by \`scripts/rfc-index\` from the citations in the code: a section stands here because a line obeys it, or departs
from it and says why. Tests are those that cite the section, else those of the file.

## Left out

| RFC | Section | What | Why |
|---|---|---|---|
${missing.join('\n')}

${chapters.join('\n\n')}
`;
}

function main(args: string[]): number {
  const unknown = args.find(argument => argument !== '--check' && argument !== '--help');
  if (args.includes('--help') || unknown !== undefined) {
    if (unknown !== undefined) process.stderr.write(`scripts/rfc-index: ${unknown} is not an option\n`);
    process.stdout.write(`${help}\n`);
    return unknown === undefined ? 0 : 2;
  }
  const found = index();
  const untitled = [...found.keys()].filter(rfc => titles[rfc] === undefined);
  if (untitled.length > 0) {
    process.stderr.write(`scripts/standards.ts has no title for RFC ${untitled.join(', ')}\n`);
    return 1;
  }
  const text = print(found);
  if (existsSync(page) && readFileSync(page, 'utf8') === text) return 0;
  if (args.includes('--check')) {
    process.stderr.write('docs/reference/standards.md is stale; run scripts/rfc-index\n');
    return 1;
  }
  writeFileSync(page, text);
  process.stdout.write('wrote docs/reference/standards.md\n');
  return 0;
}

process.exitCode = main(process.argv.slice(2));
