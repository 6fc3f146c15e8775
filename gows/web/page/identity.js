// Who the user is to the server: a name of one's own choice, or a token's.

import { rightsOf } from './rights.js';

// A private window may refuse storage: a choice then lasts as long as the page.
export function remembered(storage, key) {
  try { return window[storage].getItem(`gows.${key}`); } catch { return null; }
}

export function remember(storage, key, value) {
  try {
    if (value === null) window[storage].removeItem(`gows.${key}`);
    else window[storage].setItem(`gows.${key}`, value);
  } catch { return; }
}

export const cleanName = (text) => text.slice(0, 128).replace(/[\p{Cc}\p{Cs}]/gu, '').trim();
export const canUnzip = 'DecompressionStream' in window;

export class Identity {
  constructor() {
    // A made-up name stays with its tab, so that two tabs are two people who can talk.
    const known = remembered('sessionStorage', 'name') ?? remembered('localStorage', 'name');
    this.name = cleanName(known ?? '') || `guest-${10000 + Math.floor(Math.random() * 90000)}`;
    remember('sessionStorage', 'name', this.name);
    this.gzip = canUnzip && remembered('localStorage', 'gzip') === '1';
    this.setToken(remembered('sessionStorage', 'token'));
  }

  // Nothing but this tab knows a token, and only while it is open.
  setToken(token) {
    this.token = token;
    this.rights = rightsOf(token);
    remember('sessionStorage', 'token', token);
  }

  setName(name) {
    this.name = name;
    remember('sessionStorage', 'name', name);
    remember('localStorage', 'name', name);
  }

  setGzip(gzip) {
    this.gzip = gzip;
    remember('localStorage', 'gzip', gzip ? '1' : '0');
  }

  query(token = this.token) {
    const who = token ? {} : { specialKey: this.name };
    return `?${new URLSearchParams({ ...who, support_gzip: this.gzip ? 1 : 0 })}`;
  }

  get url() {
    const url = new URL('.', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return url.href + this.query();
  }

  get protocols() {
    return this.token ? ['gows.v1', `gows.token.${this.token}`] : ['gows.v1'];
  }
}
