// The log of one conversation: what was said, and what is on its way.

import { byId, element, face, hashOfKey } from './elements.js';

const MOST_SHOWN = 500;

const clock = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit' });
const newer = byId('newer');

export class Messages {
  #list = element('ol', 'messages');
  #fresh = [];
  #following = true;
  #lastTop = 0;
  // Own messages that the server has not echoed yet, in the order of sending.
  #awaited = [];

  constructor(label, emptyText) {
    this.root = element('div', 'log', this.#list, element('p', 'empty', ...emptyText));
    this.root.role = 'log';
    this.root.ariaLabel = label;
    this.root.tabIndex = 0;
    this.root.hidden = true;
    this.root.addEventListener('scroll', () => this.#scrolled());
    // A phone's keyboard takes half of the log away; the end is to stay in sight.
    new ResizeObserver(() => this.#settle()).observe(this.root);
    newer.before(this.root);
  }

  show() {
    this.root.hidden = false;
    if (!this.#following) this.root.scrollTop = this.#lastTop;
    this.#settle();
    newer.hidden = true;
  }

  hide() {
    this.#lastTop = this.root.scrollTop;
    this.root.hidden = true;
  }

  remove() {
    this.root.remove();
  }

  scrollToEnd() {
    this.root.scrollTop = this.root.scrollHeight;
  }

  notice(text) {
    this.#add(element('li', 'notice', text));
  }

  // Somebody else has said something; without an author it was the server.
  heard({ author, text, isText, at }) {
    const item = messageItem(author ?? '', text);
    item.classList.toggle('plain', author === undefined);
    item.classList.toggle('json', !isText);
    setTime(item, at);
    this.#add(item);
  }

  // Adds what the user says; it waits for `accepted` or `refused`.
  say(author, text, isEchoed) {
    const item = messageItem(author, text);
    item.classList.add('own');
    item.dataset.state = 'sending';
    item.said = text;
    setTime(item, Date.now());
    if (isEchoed) this.#awaited.push(item);
    this.#add(item);
    this.scrollToEnd();
    return item;
  }

  // Takes an echo for the message that it is of, which goes where the server has it.
  echoed({ author, text, isText, at }) {
    const index = this.#awaited.findIndex((item) => item.said === text);
    if (index < 0) {
      this.heard({ author, text, isText, at });
      this.#fresh.at(-1).classList.add('own');
      return;
    }
    const item = this.#awaited[index];
    this.#awaited.splice(0, index + 1);
    setTime(item, at);
    this.accepted(item);
    if (this.#comesBeforeOthers(item)) this.#add(item);
  }

  accepted(item) {
    item.dataset.state = 'sent';
  }

  // Offers to send it again: at once, or after so many milliseconds.
  refused(item, text, wait, onAgain) {
    this.#awaited = this.#awaited.filter((other) => other !== item);
    item.dataset.state = 'refused';
    const again = element('button', '', 'Send again');
    again.type = 'button';
    again.disabled = wait > 0;
    if (wait) setTimeout(() => { again.disabled = false; }, wait);
    again.addEventListener('click', () => {
      item.remove();
      onAgain();
    });
    item.append(element('p', 'problem', `${text} `, again));
    this.#settle();
  }

  // What was accepted and is not echoed any more stays where it is.
  forgetEchoes() {
    this.#awaited = [];
  }

  #comesBeforeOthers(item) {
    const isOther = (other) => other !== item && !this.#awaited.includes(other);
    const index = this.#fresh.indexOf(item);
    if (index >= 0) {
      const isOvertaken = this.#fresh.slice(index).some(isOther);
      if (isOvertaken) this.#fresh.splice(index, 1);
      return isOvertaken;
    }
    let next = item.nextElementSibling;
    while (next && !isOther(next)) next = next.nextElementSibling;
    return next !== null || this.#fresh.some(isOther);
  }

  // One layout a frame, however many messages came, and none while nobody looks.
  #add(item) {
    if (!this.#fresh.length) requestAnimationFrame(() => this.#showFresh());
    this.#fresh.push(item);
    if (this.#fresh.length > MOST_SHOWN) this.#fresh.shift();
  }

  #showFresh() {
    this.#list.append(...this.#fresh.splice(0));
    while (this.#list.childElementCount > MOST_SHOWN) this.#list.firstElementChild.remove();
    let before = null;
    for (const item of this.#list.children) {
      item.classList.toggle('same', isSameAuthor(item, before));
      before = item;
    }
    this.#settle();
    if (!this.#following && !this.root.hidden) newer.hidden = false;
  }

  #scrolled() {
    if (this.root.hidden) return;
    this.#following = this.root.scrollHeight - this.root.scrollTop - this.root.clientHeight < 40;
    if (this.#following) newer.hidden = true;
  }

  #settle() {
    if (this.#following) this.scrollToEnd();
  }
}

function messageItem(author, text) {
  const item = element('li', 'message');
  item.dataset.author = author;
  const who = element('a', 'author', element('bdi', '', author || 'server'));
  if (author) who.href = hashOfKey(author);
  // The keyboard gets to people by their panel, not past every message.
  who.tabIndex = -1;
  const words = element('p', 'said', text);
  words.dir = 'auto';
  const picture = face(author);
  item.style.setProperty('--hue', picture.style.getPropertyValue('--hue'));
  item.append(picture, who, words, element('time'));
  return item;
}

function setTime(item, at) {
  const time = item.querySelector('time');
  time.textContent = clock.format(at);
  time.dateTime = new Date(at).toISOString();
}

function isSameAuthor(item, before) {
  const { author } = item.dataset;
  return Boolean(author) && before?.dataset.author === author && before.classList.contains('own') === item.classList.contains('own');
}
