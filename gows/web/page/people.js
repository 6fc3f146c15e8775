// Who is in a room, kept up to date by the server's news.

import { byId, element, face, hashOfKey } from './elements.js';

const [panelRoom, panelCount, list, headCount] =
  ['people-room', 'people-count', 'people-keys', 'head-count'].map(byId);

export class People {
  #request;
  #conversation = null;
  #watched = '';
  #keys = null;
  #count = 0;
  #own = '';

  constructor(request) {
    this.#request = request;
  }

  get conversation() {
    return this.#conversation;
  }

  // The connection is gone, and with it what it watched.
  forget() {
    this.#watched = '';
  }

  show(conversation, own) {
    this.#own = own;
    const isOther = this.#conversation !== conversation;
    this.#conversation = conversation;
    if (isOther) {
      this.#keys = null;
      this.#count = 0;
      panelRoom.textContent = conversation.title;
      this.#draw('…');
    }
    const room = conversation.name;
    if (this.#watched && this.#watched !== room) {
      this.#request({ type: 'presence', room: this.#watched, watch: false }).catch(() => {});
    }
    this.#watched = room;
    this.#ask({ watch: true });
  }

  news({ type, room, key, count }) {
    if (room !== this.#watched) return;
    this.#count = count;
    if (key === undefined) {
      this.#keys = null;
    } else if (this.#keys === null) {
      this.#ask();
    } else {
      if (type === 'joined') this.#keys.add(key);
      else this.#keys.delete(key);
      if (this.#keys.size !== count) this.#ask();
    }
    this.#draw();
  }

  async #ask(fields = {}) {
    const room = this.#watched;
    let asked;
    try {
      asked = await this.#request({ type: 'presence', room, ...fields });
    } catch (refused) {
      if (refused.code !== 'disconnected' && room === this.#watched) this.#draw(refused.message);
      return;
    }
    if (room !== this.#watched) return;
    this.#count = asked.count;
    this.#keys = asked.keys ? new Set(asked.keys) : null;
    this.#draw();
  }

  #draw(instead = '') {
    const isKnown = !instead;
    panelCount.textContent = isKnown ? `${this.#count} ${this.#count === 1 ? 'person' : 'people'}` : instead;
    headCount.textContent = isKnown ? this.#count : '';
    list.replaceChildren(...this.#sorted().map((key) => this.#item(key)));
  }

  #sorted() {
    const rank = (key) => (key === this.#own ? 0 : 1);
    return [...this.#keys ?? []].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  }

  #item(key) {
    const name = element('bdi', '', key);
    if (key === this.#own) {
      const own = element('span', 'person', face(key), name, element('span', 'you', 'you'));
      return element('li', '', own);
    }
    const link = element('a', 'person', face(key), name);
    link.href = hashOfKey(key);
    link.title = `Write to ${key} alone`;
    return element('li', '', link);
  }
}
