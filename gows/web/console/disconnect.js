// Asks whether a connection is really meant, and closes it.

import { call } from './calls.js';
import { byId, element } from './elements.js';
import { age } from './units.js';

const [dialog, form, whom, facts, fault, cancel, go] =
  ['disconnect', 'disconnect-form', 'disconnect-whom', 'disconnect-facts', 'disconnect-fault', 'disconnect-cancel', 'disconnect-go'].map(byId);

export class Disconnect {
  #onDone;
  #connection = null;

  // `onDone(words)`: told what has come of it.
  constructor(onDone) {
    this.#onDone = onDone;
    cancel.addEventListener('click', () => dialog.close());
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#go();
    });
  }

  ask(connection) {
    this.#connection = connection;
    whom.textContent = connection.key;
    fault.textContent = '';
    const { address, device, dialect, form: shape, session } = connection;
    const known = { Address: address, Device: device, Speaks: `${dialect}, ${shape}`, Connected: `for ${age(connection.age)}`, Session: session };
    facts.replaceChildren(...Object.entries(known).filter(([, value]) => value)
      .flatMap(([name, value]) => [element('dt', '', name), element('dd', '', value)]));
    dialog.showModal();
    cancel.focus();
  }

  async #go() {
    const { key, session } = this.#connection;
    go.disabled = true;
    try {
      const { connections } = await call('POST', '/api/disconnect', JSON.stringify({ session }));
      dialog.close();
      this.#onDone(connections ? `Disconnected ${key}.` : `${key} was gone already.`);
    } catch (refused) {
      fault.textContent = refused.message;
    } finally {
      go.disabled = false;
    }
  }
}
