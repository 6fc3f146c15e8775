// The connections of which something is the largest: as many as fit, never all.

import { call } from './calls.js';
import { Disconnect } from './disconnect.js';
import { byId, element, write } from './elements.js';
import { Poll } from './poll.js';
import { age, bytes, count, plural, seconds, text } from './units.js';

const LIMIT = 20;
// So long it is to be read what was done.
const TOLD = 8000;

// What the server can sort by, how it is called, and what a row shows of it.
const COLUMNS = [
  ['waiting', 'Waiting', (one) => text(bytes(one.waiting))],
  ['round_trip', 'Round trip', (one) => text(seconds(one.round_trip === null ? null : one.round_trip / 1000))],
  ['messages_in', 'Messages in', (one) => text(count(one.messages_in))],
  ['bytes_out', 'Bytes out', (one) => text(bytes(one.bytes_out))],
  ['age', 'Age', (one) => age(one.age)],
];

const [panel, select, head, body, nobody, counted, note] =
  ['connections', 'by', 'columns', 'rows', 'nobody', 'connections-count', 'connections-note'].map(byId);

export class Connections {
  #by = 'waiting';
  #rows = new Map();
  #poll;
  #toldUntil = 0;
  #disconnect = new Disconnect((words) => {
    this.#say(words);
    this.#toldUntil = performance.now() + TOLD;
    this.#poll.now();
  });

  constructor() {
    head.append(element('th', '', 'Who'), ...COLUMNS.map((column) => this.#heading(column)), element('th'));
    for (const cell of head.children) cell.scope = 'col';
    head.lastChild.append(element('span', 'unseen', 'Disconnect'));
    select.append(...COLUMNS.map(([by, name]) => new Option(name, by)));
    select.addEventListener('change', () => this.#sort(select.value));
    this.#poll = new Poll(panel, (isWanted) => this.#ask(isWanted));
    this.#mark();
  }

  #heading([by, name]) {
    const button = element('button', '', name);
    button.type = 'button';
    button.addEventListener('click', () => this.#sort(by));
    const cell = element('th', '', button);
    cell.dataset.by = by;
    return cell;
  }

  #sort(by) {
    this.#by = by;
    this.#mark();
    this.#poll.now();
  }

  #mark() {
    select.value = this.#by;
    for (const cell of head.children) {
      const isSorted = cell.dataset.by === this.#by;
      cell.ariaSort = isSorted ? 'descending' : null;
      cell.classList.toggle('sorted', isSorted);
    }
    for (const row of body.children) this.#markRow(row);
  }

  #markRow(row) {
    COLUMNS.forEach(([by], at) => row.children[at + 1].classList.toggle('sorted', by === this.#by));
  }

  async #ask(isWanted) {
    try {
      const answer = await call('GET', `/api/top?by=${this.#by}&limit=${LIMIT}`);
      if (isWanted()) this.#show(answer);
    } catch (refused) {
      if (isWanted()) this.#say(refused.message, true);
    }
  }

  #say(words, isFault = false) {
    note.className = isFault ? 'fault' : '';
    write(note, words);
  }

  // Rows stay the same elements, so that focus and selection stay where they are.
  #show({ connections, total }) {
    const { activeElement: focused } = document;
    const before = this.#rows;
    this.#rows = new Map(connections.map((one) => [one.session, before.get(one.session) ?? this.#row()]));
    const rows = [...this.#rows.values()];
    connections.forEach((one, at) => this.#fill(rows[at], one));
    if (rows.length !== body.children.length || rows.some((row, at) => row !== body.children[at])) {
      body.replaceChildren(...rows);
      if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
    }
    nobody.hidden = total > 0;
    write(counted, total ? `${connections.length} of ${plural(total, 'connection')}` : '');
    if (performance.now() > this.#toldUntil) this.#say('');
  }

  #row() {
    const button = element('button', '', 'Disconnect');
    button.type = 'button';
    const who = element('td', 'who', element('bdi'), element('small'));
    const row = element('tr', '', who, ...COLUMNS.map(() => element('td')), element('td', 'act', button));
    button.addEventListener('click', () => this.#disconnect.ask(row.connection));
    this.#markRow(row);
    return row;
  }

  #fill(row, one) {
    row.connection = one;
    const [name, where] = row.firstChild.children;
    write(name, one.key);
    write(where, [one.address, one.device, one.dialect.replace('gows.', ''), ...one.rooms].filter(Boolean).join(' · '));
    row.firstChild.title = `${one.key}\n${where.textContent}`;
    COLUMNS.forEach(([, , shown], at) => write(row.children[at + 1], shown(one)));
    row.lastChild.firstChild.ariaLabel = `Disconnect ${one.key}`;
  }
}
