// Small things that all parts of the page make and find.

export const byId = (id) => document.getElementById(id);

export function element(tag, className = '', ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

// Changes the page only where something has changed.
export function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

export function isWrong(field, wrong) {
  field.ariaInvalid = wrong ? 'true' : null;
}
