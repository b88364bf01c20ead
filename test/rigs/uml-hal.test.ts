/** The contracts of the drivers, kept on a real kernel: GPIO chips of its simulator, a sound card that loops back, softdog. */
import { asTests, runInGuest } from './in-guest.ts';

asTests('lines, sound, watchdog', await runInGuest(['gpio', 'sound', 'mixer', 'watchdog'], { timeTravel: true }));
