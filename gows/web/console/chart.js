// A chart that one can point at: with a mouse, a finger, or the arrow keys.

import { element } from './elements.js';
import { SPAN } from './history.js';
import { plot, plotWidth } from './plot.js';
import { text } from './units.js';

const STEPS = { ArrowLeft: 5000, ArrowRight: -5000, PageUp: 60_000, PageDown: -60_000, Home: SPAN, End: -SPAN };

export class Chart {
  element = element('div', 'chart');
  #canvas = element('canvas');
  #history;
  #crosshair;
  #lines;
  #isDue = false;
  #readAloud;

  // `lines`: columns, each with the name of a colour; `readAloud()`: what is pointed at.
  constructor(history, crosshair, { title, lines, format, least, readAloud }) {
    this.#history = history;
    this.#crosshair = crosshair;
    this.#lines = lines;
    this.format = format;
    this.least = least;
    this.#readAloud = readAloud;
    Object.assign(this.element, {
      role: 'slider',
      tabIndex: 0,
      ariaLabel: `${title}, over the last 15 minutes`,
      ariaValueMin: String(-SPAN / 1000),
      ariaValueMax: '0',
      ariaValueNow: '0',
      ariaValueText: 'no data yet',
    });
    this.#canvas.ariaHidden = 'true';
    this.element.append(this.#canvas);
    this.#listen();
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  // Draws, with the screen's next picture.
  draw() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#draw();
    });
  }

  #draw() {
    const style = getComputedStyle(this.element);
    const colour = (name) => style.getPropertyValue(`--${name}`);
    // The colours are pairs, for light and dark; only a property that is in use is one of both.
    const used = (name) => {
      this.#canvas.style.color = colour(name);
      return getComputedStyle(this.#canvas).color;
    };
    const colours = { line: used('line'), soft: used('soft'), paper: used('paper') };
    plot(this.#canvas, {
      lines: this.#lines.map(([column, name]) => ({ points: this.#history.points(column), colour: used(name) })),
      colours,
      format: this.format,
      least: this.least,
      end: this.#history.end,
      gap: this.#history.every * 2.5,
      ago: this.#crosshair.ago,
    });
  }

  #listen() {
    const point = ({ offsetX }) => {
      const part = offsetX / plotWidth(this.element.clientWidth);
      this.#crosshair.set(Math.max(0, Math.min(1, 1 - part)) * SPAN);
    };
    this.element.addEventListener('pointerdown', point);
    this.element.addEventListener('pointermove', point);
    this.element.addEventListener('pointerleave', ({ pointerType }) => {
      if (pointerType !== 'touch') this.#crosshair.set(null);
    });
    this.element.addEventListener('keydown', (event) => this.#press(event));
    this.element.addEventListener('focus', () => this.#say());
    this.element.addEventListener('blur', () => this.#crosshair.set(null));
  }

  #press(event) {
    const step = STEPS[event.key];
    if (event.key === 'Escape') this.#crosshair.set(null);
    else if (step) this.#crosshair.set(Math.max(0, Math.min(SPAN, (this.#crosshair.ago ?? 0) + step)));
    else return;
    event.preventDefault();
    this.#say();
  }

  // What a screen reader says: not every second, but when something was chosen.
  #say() {
    this.element.ariaValueNow = String(-Math.round((this.#crosshair.ago ?? 0) / 1000));
    this.element.ariaValueText = this.#readAloud();
  }
}

export const valueText = (format, row, lines) => lines
  .map(([column, , name]) => `${name ? `${name} ` : ''}${text(format(row[column]))}`).join(', ');
