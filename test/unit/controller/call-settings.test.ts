import { expect, test } from 'vitest';
import { parseConfig } from '../../../firmware/config/parse.ts';
import { callSettingsOf } from '../../../firmware/controller/call-settings.ts';

const parsed = parseConfig({ device: { id: 'porter-1' }, media: { codecs: ['opus', 'G722', 'PCMA'] } });
if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
const { config } = parsed;

test('a codec that the machine lacks is not offered, and is once it is there', () => {
  let hasOpus = false;
  const settings = callSettingsOf(
    () => config,
    () => hasOpus,
  );
  expect(settings().capabilities.codecs).toEqual(['G722', 'PCMA']);
  hasOpus = true;
  expect(settings().capabilities.codecs).toEqual(['opus', 'G722', 'PCMA']);
});
