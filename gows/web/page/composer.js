// Where one writes, if one may.

import { byId } from './elements.js';

const [form, draft, send] = ['composer', 'draft', 'send'].map(byId);
const isTyping = matchMedia('(pointer: fine)');

export class Composer {
  #onSay;
  #isOpen = false;

  constructor(onSay) {
    this.#onSay = onSay;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#say();
      draft.focus();
    });
    draft.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#say();
    });
  }

  // Drafts belong to their conversations.
  change(before, after) {
    if (before) before.draft = draft.value;
    draft.value = after.draft;
  }

  // `reason`: why one may not write here; empty: one may.
  update(isOpen, prompt, reason) {
    this.#isOpen = isOpen && !reason;
    draft.disabled = Boolean(reason);
    draft.placeholder = reason || prompt;
    send.disabled = !this.#isOpen;
  }

  // On a phone a focused field brings up the keyboard, which nobody asked for.
  focus() {
    if (isTyping.matches) draft.focus({ preventScroll: true });
  }

  #say() {
    const text = draft.value.trim();
    if (!text || !this.#isOpen) return;
    draft.value = '';
    this.#onSay(text);
  }
}
