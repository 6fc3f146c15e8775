// The form by which the server says something.

import { call } from './calls.js';
import { byId, isWrong } from './elements.js';
import { plural } from './units.js';

const WHOM = { everyone: 'Everyone who is connected', room: 'Name of the room', key: 'Key of the person' };

const [form, whom, label, said, result] = ['publish-form', 'whom', 'whom-label', 'said', 'published'].map(byId);
const send = form.querySelector('.primary');

// What is wrong with a field.
class Wrong extends Error {
  constructor(field, words) {
    super(words);
    this.field = field;
  }
}

export class Publish {
  constructor() {
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#publish();
    });
    form.addEventListener('change', () => this.#update());
    form.addEventListener('input', () => this.#say(''));
    said.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    this.#update(); // Browsers fill forms in again when a page is loaded again.
  }

  // Makes a message to a room ready to be written.
  address(room) {
    form.elements.to.value = 'room';
    whom.value = room;
    this.#update();
    this.#say('');
    said.focus();
  }

  #update() {
    const to = form.elements.to.value;
    whom.disabled = to === 'everyone';
    whom.placeholder = WHOM[to];
    label.textContent = WHOM[to];
    form.classList.toggle('json', form.elements.as.value === 'json');
  }

  #say(words, isFault = false) {
    result.classList.toggle('fault', isFault);
    result.textContent = words;
    isWrong(whom, false);
    isWrong(said, false);
  }

  // The message as it is sent: JSON keeps every digit of what was written.
  #written() {
    const to = form.elements.to.value;
    const name = whom.value.trim();
    if (to !== 'everyone' && !name) throw new Wrong(whom, `${WHOM[to]}, please.`);
    const isJSON = form.elements.as.value === 'json';
    if (isJSON) this.#check(said.value);
    else if (!said.value) throw new Wrong(said, 'There is nothing to say yet.');
    const audience = to === 'everyone' ? to : { [to]: name };
    return `{"to":${JSON.stringify(audience)},"data":${isJSON ? said.value : JSON.stringify(said.value)}}`;
  }

  #check(json) {
    try {
      JSON.parse(json);
    } catch (error) {
      throw new Wrong(said, `This is not JSON: ${error.message}`);
    }
  }

  async #publish() {
    this.#say('');
    send.disabled = true;
    try {
      const { readers } = await call('POST', '/api/publish', this.#written());
      this.#say(readers ? `It went to ${plural(readers, 'connection')}.` : 'There was nobody to read it.');
    } catch (wrong) {
      this.#say(wrong.message, true);
      if (wrong.field) {
        isWrong(wrong.field, true);
        wrong.field.focus();
      }
    } finally {
      send.disabled = false;
    }
  }
}
