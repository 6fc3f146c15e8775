// The dialog that asks for a token, and for a fresh one in time.

import { byId, complain } from './elements.js';

// What comes before the end of a token: time to fetch another one and paste it.
const LEAD = 60_000;
const LONGEST_TIMER = 2 ** 31 - 1;

const [dialog, form, why, field, fault, go, cancel] =
  ['signin', 'signin-form', 'signin-why', 'token', 'signin-fault', 'signin-go', 'signin-cancel'].map(byId);

export class SignIn {
  #onToken;
  #timer = 0;

  // `onToken(token)` resolves to what is wrong with it, empty if nothing is.
  constructor(onToken) {
    this.#onToken = onToken;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#try();
    });
    field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.isComposing) return;
      event.preventDefault();
      this.#try();
    });
    cancel.addEventListener('click', () => dialog.close());
    dialog.addEventListener('close', () => { field.value = ''; });
  }

  ask(text, wrong = '') {
    why.textContent = `${text}${/[.!?]$/.test(text) ? '' : '.'} Paste one that your app’s backend has made for you.`;
    complain(field, fault, wrong);
    if (!dialog.open) dialog.showModal();
  }

  // `left`: milliseconds until the token ends.
  warnIn(left) {
    clearTimeout(this.#timer);
    const wait = left - Math.min(LEAD, left / 4);
    if (wait < LONGEST_TIMER) {
      this.#timer = setTimeout(() => this.ask('Your token is about to expire'), wait);
    }
  }

  forget() {
    clearTimeout(this.#timer);
  }

  async #try() {
    const token = field.value.replace(/^\s*Bearer\s/i, '').replace(/\s/g, '');
    if (!/^[\w.-]+$/.test(token)) {
      complain(field, fault, token ? 'A token has letters, digits, and . _ - only.' : 'Paste a token first.');
      return;
    }
    go.disabled = true;
    const wrong = await this.#onToken(token);
    go.disabled = false;
    if (wrong) complain(field, fault, wrong);
    else dialog.close();
  }
}
