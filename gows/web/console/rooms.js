// The rooms in which there is somebody: the first page of them.

import { call } from './calls.js';
import { byId, element, write } from './elements.js';
import { Poll } from './poll.js';
import { count, plural, text } from './units.js';

const LIMIT = 100;

const [panel, body, nothing, note] = ['rooms', 'room-rows', 'no-rooms', 'rooms-note'].map(byId);

export class Rooms {
  #onChoice;
  #rows = new Map();

  // `onChoice(room)`: somebody wants to write there.
  constructor(onChoice) {
    this.#onChoice = onChoice;
    new Poll(panel, (isWanted) => this.#ask(isWanted));
  }

  async #ask(isWanted) {
    try {
      const answer = await call('GET', `/api/rooms?limit=${LIMIT}`);
      if (isWanted()) this.#show(answer);
    } catch (refused) {
      if (isWanted()) this.#say(refused.message, true);
    }
  }

  #say(words, isFault = false) {
    note.classList.toggle('fault', isFault);
    write(note, words);
  }

  #show({ rooms, total }) {
    const { activeElement: focused } = document;
    const before = this.#rows;
    this.#rows = new Map(rooms.map(({ room }) => [room, before.get(room) ?? this.#row(room)]));
    const rows = [...this.#rows.values()];
    rooms.forEach(({ people, connections }, at) => {
      write(rows[at].children[1], text(count(people)));
      write(rows[at].children[2], text(count(connections)));
    });
    if (rows.length !== body.children.length || rows.some((row, at) => row !== body.children[at])) {
      body.replaceChildren(...rows);
      if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
    }
    nothing.hidden = total > 0;
    const all = total ? plural(total, 'room') : '';
    this.#say(rooms.length < total ? `The first ${rooms.length} of ${all}, by name` : all);
  }

  #row(room) {
    const button = element('button', 'room', room);
    button.type = 'button';
    button.title = `Write to ${room}`;
    button.addEventListener('click', () => this.#onChoice(room));
    return element('tr', '', element('td', '', button), element('td'), element('td'));
  }
}
