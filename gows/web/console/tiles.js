// The numbers of this moment, each with its chart.

import { Chart, valueText } from './chart.js';
import { Crosshair } from './crosshair.js';
import { byId, element, write } from './elements.js';
import { atTime, bytes, count, plural, rate, seconds, share, text } from './units.js';

const place = byId('tiles');

// `lines`: a column, its colour, its name if there are several; `least`: the shortest axis.
const TILES = [
  {
    title: 'Connections',
    lines: [['connections', 'accent']],
    format: count,
    least: 4,
    note: ({ people, rooms, refused }) =>
      `${plural(people, 'person', 'people')}, ${plural(rooms, 'room')}${refused ? `, ${text(rate(refused))} refused` : ''}`,
  },
  { title: 'Messages in', lines: [['messages_in', 'accent']], format: rate, least: 4, note: () => 'from clients' },
  {
    title: 'Deliveries out',
    lines: [['deliveries', 'accent']],
    format: rate,
    least: 4,
    note: ({ messages_out: sent, dropped }) => `of ${text(rate(sent))} messages${dropped ? `, ${text(rate(dropped))} dropped` : ''}`,
  },
  {
    title: 'Fan-out time',
    lines: [['fanout_p50', 'accent', 'p50'], ['fanout_p99', 'second', 'p99']],
    format: seconds,
    least: 0.0004,
    note: () => 'until a message is with all sockets',
  },
  { title: 'Reactor lag', lines: [['lag', 'accent']], format: seconds, least: 0.01, note: () => 'the longest of a second' },
  { title: 'Waiting bytes', lines: [['waiting', 'accent']], format: bytes, least: 1000, note: () => 'for slow readers' },
  { title: 'CPU', lines: [['cpu', 'accent']], format: share, least: 1, note: () => 'of one core' },
  { title: 'Memory', lines: [['memory', 'accent']], format: bytes, least: 1e6, note: () => 'resident' },
];

export class Tiles {
  #history;
  #crosshair = new Crosshair();
  #tiles;

  constructor(history) {
    this.#history = history;
    this.#tiles = TILES.map((tile) => this.#make(tile));
    place.append(...this.#tiles.map(({ element: made }) => made));
    this.#crosshair.onChange(() => this.draw());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
  }

  draw() {
    const last = this.#history.last;
    if (!last) return;
    for (const tile of this.#tiles) {
      tile.numbers.forEach(([value, unit], at) => {
        const [number, of] = tile.format(last[tile.lines[at][0]]);
        write(value, number);
        write(unit, of);
      });
      const read = this.#read(tile);
      write(tile.note, read ?? tile.words(last));
      tile.note.classList.toggle('read', read !== null);
      tile.chart.draw();
    }
  }

  // What there was at the moment that is pointed at; null: none is.
  #read({ format, lines }) {
    if (this.#crosshair.ago === null) return null;
    const time = this.#history.end - this.#crosshair.ago;
    const row = this.#history.at(time);
    return `${atTime(row ? row.time : time)} · ${row ? valueText(format, row, lines) : 'no data'}`;
  }

  #make(tile) {
    const { title, lines, format } = tile;
    const numbers = lines.map(() => [element('b', '', '–'), element('small')]);
    const now = element('p', 'now', ...lines.map(([, colour, name], at) => {
      const made = element('span', name ? 'pair' : '', ...numbers[at]);
      if (name) made.prepend(this.#key(name, colour));
      return made;
    }));
    const note = element('p', 'note');
    const readAloud = () => this.#read(tile) ?? (this.#history.last ? valueText(format, this.#history.last, lines) : 'no data yet');
    const chart = new Chart(this.#history, this.#crosshair, { ...tile, readAloud });
    const made = element('article', 'tile', element('h2', '', title), now, note, chart.element);
    return { ...tile, words: tile.note, element: made, numbers, note, chart };
  }

  #key(name, colour) {
    const key = element('i', '', name);
    key.style.setProperty('--tone', `var(--${colour})`);
    return key;
  }
}
