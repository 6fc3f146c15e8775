// What the server was like in the last minutes.

export const SPAN = 15 * 60_000;

export class History {
  #columns = new Map();
  #rows = [];
  every = 1000;

  // Takes what the feed says first; what is known of before that stays.
  load({ columns, history, every }) {
    this.every = every * 1000;
    const names = [...this.#columns.keys()];
    const isSame = columns.length === names.length && columns.every((name, at) => name === names[at]);
    this.#columns = new Map(columns.map((name, at) => [name, at]));
    const begin = history[0]?.[0] ?? Infinity;
    const before = isSame ? this.#rows.filter(([time]) => time < begin) : [];
    this.#rows = [...before, ...history];
    this.#trim();
  }

  add(sample) {
    this.#rows.push([...this.#columns.keys()].map((name) => sample[name] ?? null));
    this.#trim();
  }

  get end() {
    return this.#rows.at(-1)?.[0] ?? 0;
  }

  get last() {
    return this.#asObject(this.#rows.at(-1));
  }

  // The points of a column: [milliseconds, value], the oldest first; null: no value.
  points(name) {
    const at = this.#columns.get(name);
    return this.#rows.map((row) => [row[0], row[at] ?? null]);
  }

  // What there was at a time, or nothing.
  at(time) {
    let [low, high] = [0, this.#rows.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#rows[middle][0] < time) low = middle + 1;
      else high = middle;
    }
    const nearest = [this.#rows[low - 1], this.#rows[low]].filter(Boolean)
      .sort((a, b) => Math.abs(a[0] - time) - Math.abs(b[0] - time))[0];
    return nearest && Math.abs(nearest[0] - time) <= this.every * 1.5 ? this.#asObject(nearest) : null;
  }

  #asObject(row) {
    return row ? Object.fromEntries([...this.#columns].map(([name, at]) => [name, row[at]])) : null;
  }

  #trim() {
    const begin = this.end - SPAN;
    const first = this.#rows.findIndex(([time]) => time >= begin);
    if (first > 0) this.#rows.splice(0, first);
  }
}
