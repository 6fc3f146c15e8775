// Keeps a connection: comes back when it may, and says in the status line how it is.

import { Connection, disconnected } from './connection.js';
import { byId } from './elements.js';

// After a close with one of these, only the user brings the page back.
const NO_RETURN = [4001];
const REPLACED = 4001;
const EXPIRED = 4003;
const GOING_AWAY = 1001;

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;
const STEADY_AFTER = 5_000;
const CHECK_TIMEOUT = 10_000;
// Browsers run a hidden page's timers once a minute; a longer silence means it slept.
const HEARTBEAT = 5_000;
const ASLEEP_AFTER = 90_000;

const [statusText, countdown, again] = ['status', 'countdown', 'again'].map(byId);

export class Line {
  #identity;
  #heard;
  #connection = null;
  #failures = 0;
  #countdownTimer = 0;
  #onAgain = null;

  // `heard`: as Connection's, and `phase()`, `lost({ hasGap })`, `tokenWanted(why)`.
  constructor(identity, heard) {
    this.#identity = identity;
    this.#heard = heard;
    again.addEventListener('click', () => (this.#onAgain ?? (() => this.connect()))());
    this.#watchOver();
  }

  get isOpen() {
    return document.body.dataset.phase === 'open';
  }

  get connection() {
    return this.#connection;
  }

  request(fields) {
    return this.isOpen && this.#connection ? this.#connection.request(fields) : Promise.reject(disconnected());
  }

  connect() {
    this.#leave();
    this.#setPhase('connecting', 'Connecting …');
    this.#connection = new Connection(this.#identity.url, this.#identity.protocols, {
      ...this.#heard,
      welcome: (welcome) => {
        this.#setPhase('open', `Connected as ${welcome.key}`);
        this.#heard.welcome(welcome);
      },
      ended: (how) => this.#ended(how),
    });
  }

  stop(text, button, onAgain = null) {
    this.#leave();
    this.#setPhase('stopped', text, button);
    this.#onAgain = onAgain;
  }

  // Answers what an opening would be answered, with this token.
  async check(token) {
    const response = await fetch(`check${this.#identity.query(token)}`, {
      cache: 'no-store',
      // Browsers put no Origin on a plain request; the Referer stands in for it.
      referrerPolicy: 'origin',
      signal: AbortSignal.timeout(CHECK_TIMEOUT),
      headers: token ? { Authorization: `Bearer ${token}` } : {},
    });
    const { status, headers } = response;
    const isPlain = headers.get('content-type')?.startsWith('text/plain');
    const line = isPlain ? (await response.text()).trim().slice(0, 200) : '';
    const seconds = parseInt(headers.get('retry-after'), 10) || 0;
    return { status, why: line || `the server answered ${status}`, leastWait: seconds * 1000 };
  }

  #leave() {
    const old = this.#connection;
    this.#connection = null;
    clearInterval(this.#countdownTimer);
    old?.close();
  }

  #setPhase(phase, text, button = '') {
    // Who connects anew by own choice misses next to nothing.
    if (this.isOpen && phase !== 'open') this.#heard.lost({ hasGap: phase !== 'connecting' });
    document.body.dataset.phase = phase;
    statusText.textContent = text;
    countdown.textContent = '';
    again.textContent = button;
    again.hidden = !button;
    this.#onAgain = null;
    this.#heard.phase();
  }

  #ended({ code, reason, lasted, closing }) {
    if (lasted === null) {
      this.#askWhyRefused();
      return;
    }
    if (lasted >= STEADY_AFTER) this.#failures = 0;
    if (code === REPLACED) {
      this.stop('Replaced by a newer connection of the same name', 'Use it here');
    } else if (code === EXPIRED) {
      this.#wantToken('The token has expired', '');
    } else if (NO_RETURN.includes(code) || (closing && closing.retry_after === undefined)) {
      this.stop(reason || 'The server closed the connection', 'Try again');
    } else {
      const why = reason ? `Disconnected (${reason})` : 'Disconnected';
      this.#retry(code === GOING_AWAY ? 'The server is restarting' : why, closing?.retry_after);
    }
  }

  // Scripts never learn why an opening failed; the server tells it to a plain request.
  async #askWhyRefused() {
    const asking = this.#connection;
    const answer = await this.check(this.#identity.token).catch(() => ({ status: 0 }));
    if (this.#connection !== asking) return;
    const { status, why, leastWait } = answer;
    if (status === 401) this.#wantToken('This server asks for a token', this.#identity.token ? why : '');
    else if (status === 429 || status === 503) this.#retry(why, leastWait);
    else if (status >= 400 && status < 500) this.stop(`Refused: ${why}`, 'Try again');
    else this.#retry('Disconnected');
  }

  #wantToken(text, fault) {
    this.stop(text, 'Sign in', () => this.#heard.tokenWanted(text, ''));
    this.#heard.tokenWanted(text, fault);
  }

  #retry(text, leastWait = 0) {
    const spread = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#failures);
    const due = performance.now() + leastWait + Math.random() * spread;
    this.#failures += 1;
    this.#setPhase('waiting', text + (text.endsWith('.') ? ' Trying again' : ', trying again'), 'Connect now');
    const tick = () => {
      const left = due - performance.now();
      if (left <= 0) this.connect();
      else countdown.textContent = ` in ${Math.ceil(left / 1000)} s`;
    };
    this.#countdownTimer = setInterval(tick, 250);
    tick();
  }

  // A page comes back from the background, from the history, from a tunnel.
  #watchOver() {
    let lastBeat = Date.now();
    setInterval(() => { lastBeat = Date.now(); }, HEARTBEAT);
    const reconnect = () => {
      if (document.body.dataset.phase === 'stopped') return;
      this.#setPhase('waiting', 'Disconnected');
      this.connect();
    };
    // A socket that slept may be dead and still call itself open, so a new one it is.
    const checkAlive = () => {
      const slept = Date.now() - lastBeat > ASLEEP_AFTER;
      lastBeat = Date.now();
      if (slept || !this.#connection?.isAlive) reconnect();
    };
    addEventListener('online', reconnect);
    addEventListener('pagehide', () => this.#leave());
    addEventListener('pageshow', ({ persisted }) => { if (persisted) checkAlive(); });
    document.addEventListener('visibilitychange', () => { if (!document.hidden) checkAlive(); });
  }
}
