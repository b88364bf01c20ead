/** The reference page of the configuration, as Markdown. */
import { type Leaf, type Setting, type Table, tree } from './tree.ts';

const opening = `# Configuration

Every setting, from its declaration in \`firmware/config/\`; made by \`scripts/config-reference.ts\`.

A device's configuration is one JSON document, merged from layers: default < board < provisioned < local. Objects are
merged member by member, \`null\` takes back what a weaker layer said, lists are replaced as a whole (RFC 7396). An
unknown setting is an error. \`porter config show --origin\` says where each value comes from, \`porter config check\`
what is wrong with a document. A duration is a number and a unit: \`"500 ms"\`, \`"3 s"\`, \`"1.5 min"\`, \`"2 h"\`, \`"1 d"\`.
A name has letters, digits, \`-\` and \`_\`, at most 63.

The last column says what a change needs; the board itself is never rebooted.`;

/** Ends with a newline. */
export function configReference(): string {
  const groups = Object.entries(tree.members).map(
    ([name, setting]) => `## ${name}\n\n${introduction(setting)}${table(name, setting)}`,
  );
  return `${[opening, ...groups].join('\n\n')}\n`;
}

const introduction = (setting: Setting) => (setting.is === 'table' ? `${setting.about.help}\n\n` : '');

function table(name: string, setting: Setting): string {
  const rows = [...leaves(name, setting)].map(([path, leaf]) => row(path, leaf));
  return ['| Setting | Value | Default | Change needs |', '|---|---|---|---|', ...rows].join('\n');
}

function* leaves(path: string, setting: Setting): Generator<[path: string, leaf: Leaf | Table]> {
  if (setting.is === 'leaf') yield [path, setting];
  else if (setting.is === 'table') {
    if (path.includes('.')) yield [path, setting];
    yield* leaves(`${path}.<name>`, setting.entry);
  } else for (const [key, member] of Object.entries(setting.members)) yield* leaves(`${path}.${key}`, member);
}

function row(path: string, leaf: Leaf | Table): string {
  const { about } = leaf;
  const secret = about.secret ? ' Secret: never shown.' : '';
  return `| \`${path}\`<br>${about.help}${secret} | ${value(leaf)} | ${preset(leaf)} | ${about.needs} |`.replace(
    /\n/g,
    ' ',
  );
}

function value(leaf: Leaf | Table): string {
  if (leaf.is === 'table') return 'table';
  const { kind, entryKind, about } = leaf;
  const unit = about.unit === undefined ? '' : ` ${about.unit}`;
  const entries = entryKind && ` of ${describe(entryKind)}`;
  return describe(kind, entries) + unit;
}

const describe = ({ kind, allowed }: { kind: string; allowed?: string }, entries = '') =>
  [kind + entries, allowed].filter(Boolean).join(': ');

function preset(leaf: Leaf | Table): string {
  if (leaf.is === 'table') return 'empty';
  if (leaf.required) return '**required**';
  return leaf.preset === undefined ? '–' : `\`${JSON.stringify(leaf.preset)}\``;
}
