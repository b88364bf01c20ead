/** Settings: whom to call, which button does what, which relay opens which door. */
import { field, kind, section } from '../field.ts';
import { callTarget, code, duration, line, list, name, named, oneOf } from '../types.ts';

const contact = section({
  uri: field(callTarget(), {
    help: 'Whom a call to this contact reaches; a number is one of the server of the account.',
    needs: 'live',
  }),
  account: field(name().optional(), {
    help: 'The account that calls. By default the first one that can.',
    needs: 'live',
  }),
  watch: field(oneOf(['presence', 'dialog']).optional(), {
    help: 'Asks the telephone system whether the contact is free, and shows it in the status: `presence` (the person), or `dialog` (the calls of the telephone). By default not asked.',
    needs: 'live',
  }),
});

export const contacts = field(named(contact).prefault({}), { help: 'Call targets by name.', needs: 'live' });

const action = () =>
  kind(line(256).min(1), { kind: 'action', allowed: 'such as `call desk`, `open front`', wrong: 'is not an action' });

const button = section({
  input: field(name(), { help: 'Input line of the board.', needs: 'restart lines' }),
  press: field(action(), { help: 'What a press does.', needs: 'live' }),
  longPress: field(action().optional(), { help: 'What a long press does, instead of `press`.', needs: 'live' }),
  release: field(action().optional(), {
    help: 'What letting go does: with `page hall` for `press`, `hang up hall` here pages for as long as the button is held.',
    needs: 'live',
  }),
  longAfter: field(duration(500, 30_000).prefault('3 s'), {
    help: 'Held for so long, a press is a long one.',
    needs: 'restart lines',
  }),
  debounce: field(duration(0, 1000).prefault('30 ms'), {
    help: 'A level counts once it has stayed for so long.',
    needs: 'restart lines',
  }),
  stuckAfter: field(duration(5000, 3_600_000).prefault('60 s'), {
    help: 'Held for so long, a button is reported as stuck.',
    needs: 'restart lines',
  }),
  led: field(name().optional(), { help: 'Output line of the lamp that shows the call.', needs: 'restart lines' }),
});

export const buttons = field(named(button).prefault({}), { help: 'Buttons by name.', needs: 'restart lines' });

const door = section({
  relay: field(name(), { help: 'Output line of the relay.', needs: 'restart lines' }),
  openFor: field(duration(100, 60_000).prefault('3 s'), {
    help: 'How long the relay is held for one opening.',
    needs: 'live',
  }),
  codes: field(list(code(), 64).prefault([]), {
    help: 'Keys that open this door when dialled in a call, each before the terminator.',
    secret: true,
    needs: 'live',
  }),
});

export const doors = field(named(door).prefault({}), { help: 'Doors by name.', needs: 'restart lines' });
