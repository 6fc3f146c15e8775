// Small things that all parts of the page make and find.

export const byId = (id) => document.getElementById(id);

export function element(tag, className = '', ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

export function hueOf(name) {
  return [...name].reduce((hue, letter) => (hue * 31 + letter.codePointAt(0)) % 360, 7);
}

export function face(name) {
  const made = element('span', 'face', ([...name][0] ?? '').toUpperCase());
  made.ariaHidden = 'true';
  made.style.setProperty('--hue', hueOf(name));
  return made;
}

// The first link to somebody's conversation is the name itself.
export const hashOfRoom = (room) => `#room=${encodeURIComponent(room)}`;
export const hashOfKey = (key) => `#with=${encodeURIComponent(key)}`;

export const pause = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });
