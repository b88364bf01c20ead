/** Saves documents without end and prints the number of each that was saved: for a test that kills it. */
import { ConfigStore } from '../../../firmware/config/store.ts';

const [, , folder, from] = process.argv;
const store = new ConfigStore(folder!);
for (let number = Number(from) + 1; ; number++) {
  const document = { device: { name: `Gate ${number}`, location: 'x'.repeat(number % 5000) } };
  const saved = await store.save({ revision: String(number), fetchedAt: '2026-01-01T00:00:00.000Z', document });
  if (!saved.saved) throw new Error(saved.why);
  process.stdout.write(`${number}\n`);
}
