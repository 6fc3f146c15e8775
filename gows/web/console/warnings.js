// The last warnings of the log, the newest first.

import { byId, element, write } from './elements.js';
import { plural } from './units.js';

const [list, nothing, note] = ['warning-list', 'no-warnings', 'warnings-note'].map(byId);
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' });
const LEVELS = { warn: 'warning', error: 'error', critical: 'critical' };

export function showWarnings({ warnings }) {
  list.replaceChildren(...warnings.toReversed().map(item));
  nothing.hidden = warnings.length > 0;
  write(note, warnings.length ? `${plural(warnings.length, 'line')}, the newest first` : '');
}

function item({ time, level, text }) {
  const when = element('time', '', day.format(time));
  when.dateTime = new Date(time).toISOString();
  return element('li', '', when, element('b', level, LEVELS[level] ?? level), element('span', '', text));
}
