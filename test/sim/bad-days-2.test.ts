import { expectGoodDays } from './days/expect-days.ts';

expectGoodDays(601, 600);
