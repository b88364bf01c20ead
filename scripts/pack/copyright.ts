/** debian/copyright: whose work is in the package, and on which terms. Written from the packages themselves. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LICENCE } from './bundle.ts';
import { ROOT } from './fetch.ts';

interface Manifest {
  name: string;
  version: string;
  license?: string;
  author?: string | { name?: string };
  homepage?: string;
}

/** Packages whose licence stands in another's folder. */
const LICENSED_BY: Record<string, string> = {
  '@koromix/koffi-linux-x64': 'koffi',
  '@koromix/koffi-linux-arm64': 'koffi',
};

/** `packages` and `node` are folders. Throws where one of them brings no licence. */
export function copyright(packages: readonly string[], node: string): string {
  const own = manifestOf(ROOT);
  const stanzas = [
    [
      'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/',
      'Upstream-Name: porter',
      'Comment: This package carries its own Node and the npm packages that it uses.',
    ],
    ['Files: *', 'Copyright: the Porter maintainers', `License: ${own.license}`],
    [`License: ${own.license}`, ' On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.'],
    [
      'Files: usr/lib/porter/bin/node',
      'Copyright: Node.js contributors, and others named in the text',
      'License: Node',
    ],
    ['License: Node', ...indented(readFileSync(join(node, 'LICENSE'), 'utf8'))],
    ...packages.flatMap(folder => ofPackage(folder)),
    ['Files: usr/lib/porter/firmware/*', `Copyright: Xiph.Org and others named in the text`, 'License: libopus'],
    ['License: libopus', ...indented(readFileSync(join(import.meta.dirname, 'licences/opus.txt'), 'utf8'))],
  ];
  return `${stanzas.map(lines => lines.join('\n')).join('\n\n')}\n`;
}

const manifestOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

/** A package of node_modules stands in it as files, or joined with the firmware. */
function ofPackage(folder: string): string[][] {
  const { name, version, author, license, homepage } = manifestOf(folder);
  if (name in LICENSED_BY) return [];
  const texts = readdirSync(folder).filter(file => LICENCE.test(file));
  if (texts.length === 0) throw new Error(`${name} has no file with its licence`);
  const text = texts.map(file => readFileSync(join(folder, file), 'utf8')).join('\n');
  const holder = typeof author === 'string' ? author : author?.name;
  const tag = `${license}-of-${name.replaceAll(/[^A-Za-z0-9.]+/g, '-').replace(/^-/, '')}`;
  return [
    [
      `Files: usr/lib/porter/node_modules/${name}/*`,
      `Copyright: ${text.match(/^\W*(copyright\b.*\d{4}.*)$/im)?.[1]?.replace(/^copyright\s*(?:\(c\)|©)?\s*/i, '') ?? (holder || 'its authors')}`,
      `License: ${tag}`,
      `Comment: ${name} ${version}${homepage ? `, ${homepage}` : ''}; as files there, or joined with the firmware`,
    ],
    [`License: ${tag}`, ...indented(text)],
  ];
}

/** As the format wants it: a space before each line, a dot for an empty one. */
const indented = (text: string) =>
  text
    .trim()
    .split('\n')
    .map(line => (line.trim() === '' ? ' .' : ` ${line.replaceAll('\r', '').trimEnd()}`));
