/** The contracts of the drivers, kept on a real kernel: GPIO chips of its simulator, a sound card that loops back, softdog. */
import { asTests, runInGuest } from './in-guest.ts';

asTests('lines', await runInGuest('gpio', { timeTravel: true }));
asTests('sound', await runInGuest('sound', { timeTravel: true }));
asTests('the watchdog', await runInGuest('watchdog', { timeTravel: true }));
