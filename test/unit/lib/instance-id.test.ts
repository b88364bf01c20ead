/** The name of a device: made once, and the same ever after. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { instanceId } from '../../../firmware/lib/instance-id.ts';
import { seeded } from '../../sim/seeded.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'porter-instance-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('it is a random UUID, kept from start to start', () => {
  const file = join(folder, 'instance-id');
  const first = instanceId(file, seeded(1));
  expect(first).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(instanceId(file, seeded(2))).toBe(first);
});

test('a spoilt file is written anew', () => {
  const file = join(folder, 'instance-id');
  writeFileSync(file, 'urn:uuid:"; reg-id=9');
  const made = instanceId(file, seeded(3));
  expect(made).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
  expect(instanceId(file, seeded(4))).toBe(made);
});

test('where nothing can be kept the device has no name', () => {
  expect(instanceId(join(folder, 'no', 'such', 'folder'), seeded(1))).toBeUndefined();
});
