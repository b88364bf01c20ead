import { expectGoodDays } from './days/expect-days.ts';

expectGoodDays(1, 600);
