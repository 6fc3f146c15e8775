// The header's fields: the name, gzip, and the way out.

import { byId } from './elements.js';
import { canUnzip, cleanName } from './identity.js';

const [nameField, gzipSwitch, signOut] = ['name', 'gzip', 'sign-out'].map(byId);

export class Account {
  #identity;

  // `onChange`: the server is to know us differently.
  constructor(identity, { onChange, onSignOut }) {
    this.#identity = identity;
    nameField.addEventListener('change', () => {
      const { name } = identity;
      if (!identity.token) this.#rename();
      if (identity.name !== name) onChange();
    });
    gzipSwitch.addEventListener('change', () => {
      identity.setGzip(gzipSwitch.checked);
      onChange();
    });
    signOut.addEventListener('click', () => {
      this.setToken(null);
      onSignOut();
    });
    gzipSwitch.checked = identity.gzip;
    gzipSwitch.disabled = !canUnzip;
    if (!canUnzip) gzipSwitch.parentElement.title = 'This browser cannot unpack gzip';
    this.setToken(identity.token);
  }

  setToken(token) {
    this.#identity.setToken(token);
    nameField.readOnly = Boolean(token);
    nameField.title = token ? 'Your token says your name' : '';
    signOut.hidden = !token;
    nameField.value = token ? nameField.value : this.#identity.name;
  }

  // Who the server says that we are.
  showName(name) {
    nameField.value = name;
  }

  #rename() {
    this.#identity.setName(cleanName(nameField.value) || this.#identity.name);
    nameField.value = this.#identity.name;
  }
}
