// The server's feed: server-sent events, for as long as the page is looked at.
//
// Not an EventSource: that does not tell why it was refused.

import { signInFirst, whyNot } from './calls.js';
import { byId } from './elements.js';

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
// With a sample a second, this long a silence is the end.
const SILENCE = 8_000;
// So long a page that nobody sees stays connected.
const PATIENCE = 60_000;

const [statusText, countdown, again] = ['status', 'countdown', 'again'].map(byId);

export class Feed {
  #heard;
  #abort = null;
  #failures = 0;
  #pause = 0; // How long the server asks to stay away: others want the place as well.
  #timer = 0;
  #hiddenTimer = 0;

  // `heard`: what to call with each event's data, by its name.
  constructor(heard) {
    this.#heard = heard;
    again.addEventListener('click', () => this.connect());
    addEventListener('online', () => { if (!this.isOpen) this.connect(); });
    addEventListener('pagehide', () => this.#leave());
    addEventListener('pageshow', ({ persisted }) => { if (persisted) this.connect(); });
    document.addEventListener('visibilitychange', () => this.#seen(!document.hidden));
  }

  get isOpen() {
    return document.body.dataset.phase === 'open';
  }

  async connect() {
    this.#leave();
    const abort = new AbortController();
    this.#abort = abort;
    const stay = () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => abort.abort(), SILENCE);
    };
    stay();
    let why = 'Connection lost';
    try {
      const response = await fetch('/feed', { cache: 'no-store', signal: abort.signal });
      if (response.status === 401) signInFirst();
      if (response.ok) await this.#read(response.body, stay);
      else why = (await whyNot(response)).replace(/\.$/, '');
    } catch {
      // It could not be reached, was cut, or was silent for too long.
    }
    if (this.#abort === abort) this.#retry(why);
  }

  async #read(body, stay) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; ;) {
      const { value, done } = await reader.read();
      if (done) return;
      stay();
      const events = (text + value).split('\n\n');
      text = events.pop();
      events.forEach((event) => this.#take(event));
    }
  }

  #take(event) {
    const [, pause] = /^retry: (\d+)$/.exec(event) ?? [];
    if (pause) this.#pause = Math.min(Number(pause), LONGEST_WAIT);
    const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? [];
    if (!name) return;
    if (!this.isOpen) {
      this.#failures = 0;
      this.#setPhase('open', 'Live');
    }
    this.#heard[name]?.(JSON.parse(data));
  }

  #retry(why) {
    const most = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#failures);
    const due = performance.now() + this.#pause + most * (0.5 + Math.random() / 2);
    this.#pause = 0;
    this.#failures += 1;
    this.#setPhase('lost', `${why}, retrying`);
    clearTimeout(this.#timer);
    this.#timer = setInterval(() => this.#count(due), 200);
    this.#count(due);
  }

  #count(due) {
    const left = due - performance.now();
    if (left <= 0) this.connect();
    else countdown.textContent = left > 1000 ? ` in ${Math.ceil(left / 1000)} s` : '';
  }

  #setPhase(phase, text) {
    document.body.dataset.phase = phase;
    document.title = phase === 'lost' ? 'Connection lost · gows console' : 'gows console';
    statusText.textContent = text;
    countdown.textContent = '';
    again.hidden = phase !== 'lost';
  }

  #leave() {
    const old = this.#abort;
    this.#abort = null;
    clearInterval(this.#timer); // Of a retry, or of a silence: it is one number space.
    old?.abort();
  }

  // A hidden page lets go of the server, and catches up when it is looked at again.
  #seen(isSeen) {
    clearTimeout(this.#hiddenTimer);
    if (!isSeen) this.#hiddenTimer = setTimeout(() => this.#leave(), PATIENCE);
    else if (this.#abort === null) this.connect();
  }
}
