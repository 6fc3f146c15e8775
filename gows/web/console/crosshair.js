// The moment that is pointed at: in one chart, and so in all of them.

export class Crosshair {
  // Milliseconds before the newest sample; null: nothing is pointed at.
  ago = null;
  #changed = [];

  constructor() {
    // What a finger has chosen stays until it touches something else.
    addEventListener('pointerdown', ({ target }) => { if (!target.closest?.('.chart')) this.set(null); });
  }

  onChange(changed) {
    this.#changed.push(changed);
  }

  set(ago) {
    if (this.ago === ago) return;
    this.ago = ago;
    this.#changed.forEach((changed) => changed());
  }
}
