/** What differs between two configurations, and what each difference needs. */
import type { Needs } from './field.ts';
import type { Config } from './schema.ts';
import { type Path, printPath, type Setting, tree } from './tree.ts';

export interface Change {
  /** `sip.accounts.desk.expires`. */
  path: string;
  needs: Needs;
}

/** Every setting that differs, those of things that came or went included, in the order of declaration. */
export function changesBetween(before: Config, after: Config): Change[] {
  const changes: Change[] = [];
  const walk = (setting: Setting, old: unknown, now: unknown, path: Path): void => {
    if (setting.is === 'leaf') {
      if (JSON.stringify(old) !== JSON.stringify(now))
        changes.push({ path: printPath(path), needs: setting.about.needs });
      return;
    }
    const [oldMembers, newMembers] = [old ?? {}, now ?? {}] as Record<string, unknown>[];
    const members =
      setting.is === 'group'
        ? Object.entries(setting.members)
        : [...new Set([...Object.keys(oldMembers!), ...Object.keys(newMembers!)])].map(
            key => [key, setting.entry] as const,
          );
    for (const [key, member] of members) walk(member, oldMembers![key], newMembers![key], [...path, key]);
  };
  walk(tree, before, after, []);
  return changes;
}
