/**
 * Random numbers that are the same everywhere: SplitMix32 (Steele, Lea and Flood's SplitMix with 32-bit words). Good
 * enough to feed a model; nothing depends on their secrecy.
 */
export class SeededRandom {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** A generator for something with a name: what is drawn does not depend on what else is. */
  static named(name: string): SeededRandom {
    // FNV-1a over the name's code units.
    let hash = 0x811c9dc5;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    return new SeededRandom(hash);
  }

  /** 32 random bits. */
  bits(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    let z = this.state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  }

  /** A number in [low, high), with 24 bits so that float32 holds it evenly. */
  between(low: number, high: number): number {
    return low + ((this.bits() >>> 8) / 2 ** 24) * (high - low);
  }

  /** An integer in [low, high]. */
  integer(low: number, high: number): number {
    return Math.min(high, low + Math.floor(this.between(0, 1) * (high - low + 1)));
  }
}
