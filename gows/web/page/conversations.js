// The list of conversations: everyone's, the rooms that one is in, and single people.

import { byId, element, face, hashOfKey, hashOfRoom } from './elements.js';
import { remember, remembered } from './identity.js';
import { Messages } from './messages.js';

export const EVERYONE = '*';

const [roomList, directList, title, leave, unreadBadge] =
  ['rooms', 'directs', 'title', 'leave', 'unread'].map(byId);

// `isHeard`: the server has us in; `isClosed`: it does not let us in; `isMute`: nor write.
class Conversation {
  constructor(kind, name) {
    Object.assign(this, { kind, name, isHeard: false, isClosed: false, isMute: false, hasGap: false, unread: 0, draft: '' });
    this.hash = kind === 'room' ? hashOfRoom(name) : hashOfKey(name);
    const where = kind === 'direct' ? `with ${name}` : `in ${this.isEveryones ? 'Everyone' : name}`;
    this.messages = new Messages(`Messages ${where}`, ['Nothing said yet.', element('br'), this.#promise]);
    this.link = this.#newLink();
    this.item = element('li', '', this.link);
    this.setUnread(0);
  }

  get isEveryones() {
    return this.kind === 'room' && this.name === EVERYONE;
  }

  get title() {
    if (this.kind === 'direct') return this.name;
    return this.isEveryones ? 'Everyone' : `#${this.name}`;
  }

  get address() {
    if (this.kind === 'direct') return { key: this.name };
    return this.isEveryones ? 'everyone' : { room: this.name };
  }

  setUnread(count) {
    this.unread = count;
    this.badge.hidden = !count;
    this.badge.replaceChildren(count > 99 ? '99+' : String(count), element('span', 'unseen', ' unread'));
  }

  get #promise() {
    if (this.kind === 'direct') return 'What you write, only this person reads.';
    return `What you write, everyone ${this.isEveryones ? 'here' : 'in this room'} reads at once.`;
  }

  #newLink() {
    const sign = element('span', 'sign', this.isEveryones ? '∗' : '#');
    sign.ariaHidden = 'true';
    const name = element('bdi', '', this.kind === 'room' ? this.title.replace(/^#/, '') : this.name);
    this.badge = element('span', 'badge');
    const link = element('a', '', this.kind === 'direct' ? face(this.name) : sign, name, this.badge);
    link.href = this.hash;
    return link;
  }
}

export class Conversations {
  #all = new Map();
  #current = null;
  #onSelect;

  constructor(onSelect, onLeave) {
    this.#onSelect = onSelect;
    this.everyone = this.open('room', EVERYONE);
    for (const room of JSON.parse(remembered('sessionStorage', 'rooms') ?? '[]')) this.open('room', room);
    leave.addEventListener('click', () => onLeave(this.#current));
    document.addEventListener('visibilitychange', () => this.#seen());
  }

  get current() {
    return this.#current;
  }

  get all() {
    return [...this.#all.values()];
  }

  get rooms() {
    return this.all.filter(({ kind }) => kind === 'room');
  }

  get(kind, name) {
    return this.#all.get(`${kind} ${name}`);
  }

  open(kind, name) {
    const known = this.get(kind, name);
    if (known) return known;
    const made = new Conversation(kind, name);
    this.#all.set(`${kind} ${name}`, made);
    (kind === 'room' ? roomList : directList).append(made.item);
    this.#keep();
    return made;
  }

  select(conversation) {
    if (this.#current === conversation) return;
    const before = this.#current;
    before?.messages.hide();
    before?.link.removeAttribute('aria-current');
    this.#current = conversation;
    conversation.link.setAttribute('aria-current', 'page');
    conversation.messages.show();
    title.replaceChildren(element('bdi', '', conversation.title));
    leave.hidden = conversation.isEveryones;
    leave.textContent = conversation.kind === 'room' ? 'Leave' : 'Close';
    this.#seen();
    this.#onSelect(conversation, before);
  }

  close(conversation) {
    this.#remove(conversation);
    if (conversation === this.#current) location.hash = this.rooms.find(({ item }) => !item.hidden).hash;
  }

  // Somebody else takes the seat: nothing of what was said stays.
  reset() {
    for (const each of this.all) this.#remove(each);
    this.everyone = this.open('room', EVERYONE);
    history.replaceState(null, '', this.everyone.hash);
    this.select(this.everyone);
  }

  // Something was said here.
  count(conversation) {
    if (conversation === this.#current && !document.hidden) return;
    conversation.setUnread(conversation.unread + 1);
    this.#count();
  }

  #seen() {
    if (document.hidden || !this.#current) return;
    this.#current.setUnread(0);
    this.#count();
  }

  #count() {
    const total = this.all.reduce((sum, { unread }) => sum + unread, 0);
    const text = total > 99 ? '99+' : String(total);
    document.title = total ? `(${text}) gows chat` : 'gows chat';
    unreadBadge.hidden = !total;
    unreadBadge.replaceChildren(text, element('span', 'unseen', ' unread'));
  }

  #remove({ kind, name, item, messages }) {
    this.#all.delete(`${kind} ${name}`);
    item.remove();
    messages.remove();
    this.#keep();
    this.#count();
  }

  #keep() {
    const names = this.rooms.map(({ name }) => name).filter((name) => name !== EVERYONE);
    remember('sessionStorage', 'rooms', JSON.stringify(names));
  }
}
