/**
 * Lowers what the filter leaves of the echo, band by band, and only where the visitor does not cover it. What is left in a
 * band is a part of the echo that was there; the part is learnt while what is left rises and falls with the echo, since
 * then nobody speaks here, and can only be found smaller while it does not. Where what is left proves that the room is another
 * one, nobody needs to wait for that.
 */
import { BandFilter } from './band-filter.ts';
import { BandPowers } from './bands.ts';
import { between } from './between.ts';
import type { KalmanFilter } from './kalman.ts';
import { Likeness } from './likeness.ts';
import { WrongRoom } from './wrong-room.ts';

/** The part of the echo that is left is at most this: the filter makes nothing worse. Power, as all that follows. */
const MOST_LEFT = 1;
/** The part learnt in a frame: more, fully at the second likeness and not at all at the first; less, always. */
const MORE = 0.15;
const MORE_FROM = 0.45;
const MORE_FULLY = 0.75;
const LESS = 0.04;
/** And in a frame that proves another room. */
const MORE_IN_WRONG_ROOM = 0.5;
/** The filter may move as it likes from the second likeness on; at the first it is a visitor who is heard. */
const TRUST_FROM = 0.3;
const TRUST_FULLY = 0.7;
/** A band has echo in it that is so much above the noise, and that has fallen to no less than this part. */
const ABOVE_NOISE = 4;
const STILL_THERE = 0.3;
/** The room rings on: an echo falls by no more than 1 dB a frame. */
const RINGS_ON = 0.8;
/**
 * Noise is the least that is left, and rises again by 1.3 dB a second where no echo is; what is left is smoothed over so
 * many frames. A card that begins with zeros has noise nevertheless: −85 dB.
 */
const NOISE_RISES = 1.003;
const LEAST_NOISE = 3e-9;
const NOISE_FRAMES = 7;
/** A visitor speaks if the bands stand out of echo and noise by so much in the mean, and surely by the second. */
const OUT_DB = 3.5;
const SURELY_OUT_DB = 6;
/** One band's part in this is so much at most. */
const MOST_OUT_DB = 15;
/** He has stopped about so many frames after his last word; and at once at the second likeness, since it was not he. */
const RELEASE_FRAMES = 8;
const ALONE_FROM = 0.35;
const ALONE = 0.65;
/**
 * Words that happen to fall on the loudspeaker's are alike too. So the likeness must be larger by so much where what is left
 * stands out by the second, as loud beside the echo as this, of a room so well known that its part is this. Decibels.
 */
const STRICTER = 0.3;
const FAR_OUT_DB = 7;
const LOUD_FROM_DB = -14;
const LOUD_DB = -8;
const UNKNOWN_PART_DB = -8;
const KNOWN_PART_DB = -14;
/** One band's part in the second is so much at least and at most. */
const LEAST_BESIDE_DB = -30;
const MOST_BESIDE_DB = 10;
/** What is thought to be left is counted so many times, and lowered by so much at most; beside the visitor once and less. */
const TIMES = 10;
const TIMES_TALK = 0.7;
const LOWEST = 10 ** (-45 / 20);
const LOWEST_TALK = 10 ** (-12 / 20);
/** But not below this part of the noise: silence in the midst of noise is heard as a hole. */
const COMFORT = 0.25;
/** A gain falls at once, and rises by so much of the way in a frame. */
const RISES = 0.7;

const decibels = (power: number) => 10 * Math.log10(power);

export class Suppressor {
  readonly #left: BandPowers;
  readonly #echo: BandPowers;
  readonly #likeness: Likeness;
  readonly #wrongRoom: WrongRoom;
  readonly #filter: BandFilter;
  /** The echo, ringing on. */
  readonly #ringing: Float64Array;
  readonly #noise: Float64Array;
  readonly #smooth: Float64Array;
  /** Which part of the echo is left. */
  readonly #part: Float64Array;
  /** Frames heard, as far as the noise is smoothed: the first ones are no rise out of silence. */
  #frames = 0;
  /** 1 for a band with echo in it. */
  readonly #loud: Uint8Array;
  /** Of the likeness, so much is taken for chance. */
  #chance = 0;
  /** Whether the visitor speaks, 0 to 1. */
  #talk = 0;

  constructor(rate: number) {
    [this.#left, this.#echo] = [new BandPowers(rate), new BandPowers(rate)];
    this.#filter = new BandFilter(rate);
    const bands = this.#filter.gains.length;
    this.#likeness = new Likeness(bands);
    this.#wrongRoom = new WrongRoom(this.#left, this.#echo);
    this.#loud = new Uint8Array(bands);
    [this.#ringing, this.#smooth] = [new Float64Array(bands), new Float64Array(bands)];
    this.#noise = new Float64Array(bands).fill(1);
    this.#part = new Float64Array(bands).fill(MOST_LEFT);
  }

  /** How freely the filter may learn, 0 to 1: whether what is left is the echo's. */
  get trust() {
    return this.#surely(TRUST_FROM, TRUST_FULLY);
  }

  get delaySamples() {
    return this.#filter.delaySamples;
  }

  /** One frame of what the filter left, and the echo that it found. */
  process({ left, echo, refused }: Pick<KalmanFilter, 'left' | 'echo' | 'refused'>, out: Int16Array) {
    this.#left.hear(left);
    this.#echo.hear(echo);
    this.#hear();
    this.#wrongRoom.hear(this.#loud, refused);
    this.#doubt();
    this.#learn();
    this.#decide();
    this.#filter.process(left, out);
  }

  /** Whether what is left is the echo's, by the one sign or the other. */
  #surely(from: number, fully: number): number {
    return Math.max(this.#wrongRoom.value, between(from, fully, this.#likeness.value - this.#chance));
  }

  #hear() {
    const left = this.#left.powers;
    const echo = this.#echo.powers;
    let loud = 0;
    this.#frames = Math.min(NOISE_FRAMES, this.#frames + 1);
    for (let band = 0; band < left.length; band++) {
      this.#ringing[band] = Math.max(echo[band]!, this.#ringing[band]! * RINGS_ON);
      this.#smooth[band]! += (left[band]! - this.#smooth[band]!) / this.#frames;
      const noise = this.#noise[band]! * (this.#ringing[band]! > this.#noise[band]! ? 1 : NOISE_RISES);
      this.#noise[band] = Math.max(LEAST_NOISE, Math.min(noise, this.#smooth[band]!));
      this.#loud[band] = echo[band]! > ABOVE_NOISE * this.#noise[band]! ? 1 : 0;
      loud += this.#loud[band]!;
    }
    this.#likeness.hear(left, echo, loud);
  }

  #doubt() {
    const left = this.#left.powers;
    let out = 0;
    let beside = 0;
    let part = 0;
    for (let band = 0; band < left.length; band++) {
      out += this.#standsOutDb(band);
      const besideDb = decibels(left[band]! / this.#ringing[band]!);
      beside += Math.min(MOST_BESIDE_DB, Math.max(LEAST_BESIDE_DB, besideDb));
      part += decibels(this.#part[band]!);
    }
    this.#chance =
      STRICTER *
      (1 - this.#wrongRoom.value) *
      between(OUT_DB, FAR_OUT_DB, out / left.length) *
      between(LOUD_FROM_DB, LOUD_DB, beside / left.length) *
      between(UNKNOWN_PART_DB, KNOWN_PART_DB, part / left.length);
  }

  #standsOutDb(band: number): number {
    const standsOut = this.#left.powers[band]! / (this.#part[band]! * this.#ringing[band]! + this.#noise[band]!);
    return Math.min(MOST_OUT_DB, Math.max(0, decibels(standsOut)));
  }

  /** And hears whether the visitor speaks. */
  #learn() {
    const left = this.#left.powers;
    const echo = this.#echo.powers;
    const alike = between(MORE_FROM, MORE_FULLY, this.#likeness.value - this.#chance);
    const more = Math.max(MORE_IN_WRONG_ROOM * this.#wrongRoom.value, MORE * alike);
    let outDb = 0;
    for (let band = 0; band < left.length; band++) {
      const ringing = this.#ringing[band]!;
      const noise = this.#noise[band]!;
      if (ringing > ABOVE_NOISE * noise && echo[band]! > STILL_THERE * ringing) {
        const seen = Math.min(MOST_LEFT, Math.max(0, left[band]! - noise) / ringing);
        this.#part[band]! += (seen - this.#part[band]!) * (seen > this.#part[band]! ? more : LESS);
      }
      outDb += this.#standsOutDb(band);
    }
    const alone = this.#surely(ALONE_FROM, ALONE);
    const talk = (1 - alone) * between(OUT_DB, SURELY_OUT_DB, outDb / left.length);
    const release = RELEASE_FRAMES + (1 - RELEASE_FRAMES) * alone;
    this.#talk = talk > this.#talk ? talk : this.#talk + (talk - this.#talk) / release;
  }

  #decide() {
    const left = this.#left.powers;
    const gains = this.#filter.gains;
    const times = TIMES + (TIMES_TALK - TIMES) * this.#talk;
    const lowest = LOWEST * (LOWEST_TALK / LOWEST) ** this.#talk;
    for (let band = 0; band < left.length; band++) {
      const echo = times * this.#part[band]! * this.#ringing[band]!;
      const comfort = Math.min(1, Math.sqrt((COMFORT * this.#noise[band]!) / left[band]!));
      const gain = Math.max(lowest, comfort, 1 - echo / left[band]!);
      gains[band] = gain > gains[band]! ? gains[band]! + RISES * (gain - gains[band]!) : gain;
    }
  }
}
