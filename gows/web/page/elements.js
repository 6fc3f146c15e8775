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

// Where a conversation is in the page's address.
export const hashOfRoom = (room) => `#room=${encodeURIComponent(room)}`;
export const hashOfKey = (key) => `#with=${encodeURIComponent(key)}`;

// Says what is wrong with a field; an empty text: nothing is.
export function complain(field, place, text) {
  place.textContent = text;
  field.ariaInvalid = text ? 'true' : null;
}

export const pause = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });
