// The slots of a pane that has few keys of very many: a hash table, so that its memory is that of its keys. A slot takes twice as long
// to be found as in an array by key, and an array by key would be made, paged in and given back for every such pane.

/** In place of a key: nothing stands here. */
const nobody = 0xffff_ffff;
const placesFirst = 256;
/** Spreads keys that follow each other (Knuth's multiplicative hashing). */
const spread = 0x9e37_79b1;

export class SparseSlots {
  #keys: Uint32Array<ArrayBuffer>;
  /** Slot + 1; 0 where the key has none any more. */
  #slots: Int32Array<ArrayBuffer>;
  #shift: number;
  #count = 0;

  /** With room for `count` keys. */
  constructor(count: number) {
    let places = placesFirst;
    while (places < count * 2) places *= 2;
    this.#keys = new Uint32Array(places).fill(nobody);
    this.#slots = new Int32Array(places);
    this.#shift = Math.clz32(places) + 1;
  }

  /** The key's slot; -1 when it has none. */
  find(key: number): number {
    return this.#slots[this.#place(key)]! - 1;
  }

  set(key: number, slot: number): void {
    const place = this.#place(key);
    this.#slots[place] = slot + 1;
    if (this.#keys[place] !== nobody) return;
    this.#keys[place] = key;
    this.#count++;
    // Half full at most.
    if (this.#count * 2 > this.#keys.length) this.#grow();
  }

  remove(key: number): void {
    // Its place stays its own, for those that were put behind it.
    this.#slots[this.#place(key)] = 0;
  }

  /** Where the key stands, or would. */
  #place(key: number): number {
    const keys = this.#keys;
    const last = keys.length - 1;
    let place = Math.imul(key, spread) >>> this.#shift;
    while (keys[place] !== key && keys[place] !== nobody) place = (place + 1) & last;
    return place;
  }

  #grow(): void {
    const larger = new SparseSlots(this.#keys.length);
    for (let place = 0; place < this.#keys.length; place++)
      if (this.#slots[place] !== 0) larger.set(this.#keys[place]!, this.#slots[place]! - 1);
    this.#keys = larger.#keys;
    this.#slots = larger.#slots;
    this.#shift = larger.#shift;
    this.#count = larger.#count;
  }
}
