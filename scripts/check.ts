/** All that can be checked without running: import directions, banned globals, generated pages, format, lint, types. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { bannedGlobals, guarded, mayImport } from './architecture.ts';

const root = join(import.meta.dirname, '..');
const help = `Usage: scripts/check [--fix]

Checks import directions, banned globals, generated pages, format, lint and types.
  --fix   lets the formatter, the linter and the page generators write what they can`;

/** Every complaint as \`file:line: what\`. */
function checkSources(): string[] {
  const complaints: string[] = [];
  for (const file of globSync('{hal,firmware,provisioning,test,scripts}/**/*.ts', { cwd: root }).sort()) {
    const text = readFileSync(join(root, file), 'utf8');
    const lines = text.split('\n');
    // A test's name says what it is for.
    if (!file.endsWith('.test.ts') && !/^(\/\*\*|\/\/|#!)/.test(text))
      complaints.push(`${file}:1: the first line says what the file is for`);
    lines.forEach((line, index) => {
      const at = `${file}:${index + 1}`;
      const target = /(?:from|import|import\()\s*'(\.{1,2}\/[^']+)'/.exec(line)?.[1];
      if (target !== undefined) {
        const imported = relative(root, join(root, dirname(file), target));
        if (!existsSync(join(root, imported))) complaints.push(`${at}: there is no ${imported}`);
        const why = forbidden(file, imported);
        if (why !== undefined) complaints.push(`${at}: ${why}`);
      }
      if (!guarded.includes(file.split('/')[0]!)) return;
      const code = line.replace(/\/\/.*$|\/?\*.*$/, '').replace(/'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`/g, "''");
      for (const { pattern, say, homes } of bannedGlobals) {
        const hit = pattern.exec(code);
        if (hit !== null && !homes.some(home => file.startsWith(home))) complaints.push(`${at}: ${hit[0]}: ${say}`);
      }
    });
  }
  return complaints;
}

function roomOf(file: string): string {
  const parts = file.split('/');
  if (parts[0] !== 'firmware') return parts[0]!;
  return parts.slice(0, 2).join('/');
}

function forbidden(file: string, imported: string): string | undefined {
  const from = roomOf(file);
  const allowed = mayImport[from];
  if (allowed === undefined) return `${from} is not in the table of scripts/architecture.ts`;
  if (roomOf(imported) === from) return undefined;
  const ok = allowed.some(
    entry =>
      entry === '*' ||
      imported === entry ||
      imported.startsWith(`${entry}/`) ||
      (entry.endsWith('/*') && imported.startsWith(entry.slice(0, -1))),
  );
  return ok ? undefined : `${from} may not import ${imported} (see scripts/architecture.ts)`;
}

function run(title: string, command: string, args: string[]): boolean {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
  const good = status === 0;
  process.stdout.write(`${good ? 'ok  ' : 'FAIL'} ${title} (${((performance.now() - started) / 1000).toFixed(1)} s)\n`);
  if (!good) process.stdout.write(`${stdout}${stderr}\n`);
  return good;
}

function main(args: string[]): number {
  if (args.includes('--help')) {
    process.stdout.write(`${help}\n`);
    return 0;
  }
  const fix = args.includes('--fix');
  const unknown = args.find(argument => argument !== '--fix');
  if (unknown !== undefined) {
    process.stderr.write(`scripts/check: ${unknown} is not an option\n${help}\n`);
    return 2;
  }
  const complaints = checkSources();
  for (const complaint of complaints) process.stdout.write(`${complaint}\n`);
  process.stdout.write(`${complaints.length === 0 ? 'ok  ' : 'FAIL'} imports, globals, first lines\n`);
  const bin = join(root, 'node_modules/.bin');
  const results = [
    complaints.length === 0,
    run('configuration reference', process.execPath, ['scripts/config-reference.ts', ...(fix ? [] : ['--check'])]),
    run('table of standards', process.execPath, ['scripts/rfc-index.ts', ...(fix ? [] : ['--check'])]),
    run('format and lint', join(bin, 'biome'), [...(fix ? ['check', '--write'] : ['ci']), '--colors=off', '.']),
    run('types', join(bin, 'tsc'), ['--noEmit', '-p', '.']),
  ];
  return results.every(Boolean) ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
