// gows.v1 on one WebSocket: requests and their answers, and what comes unasked.

export class Refused extends Error {
  constructor(code, text, retryAfter = 0) {
    super(text);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

export const disconnected = () => new Refused('disconnected', 'There is no connection.');

export class Connection {
  #socket;
  #heard;
  #asked = new Map();
  #lastId = 0;
  #arrivals = Promise.resolve();
  #openedAt = null;
  #closing = null;
  #limits = {};
  #isOver = false;

  // `heard` has a function for each kind of message that comes unasked, and `ended`.
  constructor(url, protocols, heard) {
    this.#heard = heard;
    this.#socket = new WebSocket(url, protocols);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.addEventListener('open', () => { this.#openedAt = performance.now(); });
    // Unpacking takes time; the chain keeps what comes after it in its place.
    this.#socket.addEventListener('message', ({ data }) => {
      this.#arrivals = this.#arrivals.then(async () => this.#receive(await textOf(data))).catch(reportError);
    });
    this.#socket.addEventListener('close', (event) => {
      const lasted = this.#openedAt === null ? null : performance.now() - this.#openedAt;
      this.#arrivals = this.#arrivals.then(() => this.#end(event, lasted));
    });
  }

  get isAlive() {
    return this.#socket.readyState <= WebSocket.OPEN;
  }

  // Resolves to the ack; rejects with Refused.
  request(fields) {
    this.#lastId += 1;
    const id = this.#lastId;
    const text = JSON.stringify({ ...fields, id });
    const most = this.#limits.message_size ?? Infinity;
    if (this.#isOver || this.#socket.readyState !== WebSocket.OPEN) return Promise.reject(disconnected());
    if (new TextEncoder().encode(text).length > most) {
      return Promise.reject(new Refused('too_big', `Too long: the server takes ${most} bytes.`));
    }
    return new Promise((done, failed) => {
      this.#asked.set(id, { done, failed });
      this.#socket.send(text);
    });
  }

  close() {
    this.#forget();
    this.#socket.close(1000);
  }

  #receive(text) {
    if (this.#isOver) return;
    const said = JSON.parse(text);
    const asked = this.#asked.get(said.id);
    if (said.type === 'welcome') this.#limits = said.limits;
    if (said.type === 'closing') {
      this.#closing = said;
    } else if (said.type === 'ack' || said.type === 'error') {
      this.#asked.delete(said.id);
      if (said.type === 'ack') asked?.done(said);
      else asked?.failed(new Refused(said.code, textFor(said), said.retry_after));
    } else {
      this.#heard[said.type]?.(said);
    }
  }

  #end({ code, reason }, lasted) {
    if (this.#isOver) return;
    this.#forget();
    this.#heard.ended({ code, reason, lasted, closing: this.#closing });
  }

  #forget() {
    this.#isOver = true;
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const { failed } of asked) failed(disconnected());
  }
}

// The server tells programs to look at a field; people want to know the seconds.
function textFor({ code, text, retry_after: wait = 0 }) {
  return code === 'too_fast' ? `Too fast: go on in ${Math.max(1, Math.ceil(wait / 1000))} s.` : text;
}

async function textOf(data) {
  if (typeof data === 'string') return data;
  const unzipped = new Blob([data]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(unzipped).text();
}
