// Asks again and again, while the answer is in sight.

const EVERY = 5000;

export class Poll {
  #ask;
  #isInSight = false;
  #asking = null;
  #timer = 0;

  // `ask()` answers a promise.
  constructor(place, ask) {
    this.#ask = ask;
    new IntersectionObserver(([...seen]) => this.#see(seen.at(-1).isIntersecting)).observe(place);
    document.addEventListener('visibilitychange', () => this.#next(0));
  }

  // Asks now, whatever is on its way.
  async now() {
    const asking = {};
    this.#asking = asking;
    clearTimeout(this.#timer);
    await this.#ask(() => this.#asking === asking);
    if (this.#asking === asking) this.#next(EVERY);
  }

  #see(isInSight) {
    this.#isInSight = isInSight;
    this.#next(0);
  }

  #next(wait) {
    clearTimeout(this.#timer);
    if (!this.#isInSight || document.hidden) return;
    this.#timer = setTimeout(() => {
      if (document.body.dataset.phase === 'open') this.now();
      else this.#next(EVERY / 10);
    }, wait);
  }
}
