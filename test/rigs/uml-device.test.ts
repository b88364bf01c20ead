/** The whole device on a real kernel: edges from its GPIO chips, sound through its card, the relay line read back. */
import { asTests, runInGuest } from './in-guest.ts';

asTests('the device', await runInGuest(['device', 'late'], { timeTravel: true }));
