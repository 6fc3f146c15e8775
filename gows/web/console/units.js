// Numbers for people: each as what to write large, and its unit.

const digits = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

const NOTHING = ['–', ''];

const brief = (number) => (number >= 1000 ? whole : digits).format(number);

function scaled(number, units, step = 1000) {
  let index = 0;
  while (index < units.length - 1 && number >= step * 0.9995) {
    number /= step;
    index += 1;
  }
  return [brief(number), units[index]];
}

const known = (format) => (number) => (number === null || number === undefined ? NOTHING : format(number));

export const count = known((number) => (number < 1e6 ? [brief(number), ''] : scaled(number / 1e6, ['M', 'G'])));
export const rate = known((number) => {
  const [value, unit] = count(number);
  return [value, `${unit}/s`];
});
export const bytes = known((number) => scaled(number, ['B', 'kB', 'MB', 'GB', 'TB']));
export const seconds = known((number) => (number === 0 ? ['0', 'ms'] : scaled(number * 1e6, ['µs', 'ms', 's'])));
export const share = known((number) => [whole.format(number * 100), '%']);

// One text of both.
export const text = ([value, unit]) => (!unit || unit.startsWith('/') ? value + unit : `${value} ${unit}`);

export const atTime = (milliseconds) => clock.format(milliseconds);

export function age(total) {
  const parts = [['d', 86_400], ['h', 3600], ['min', 60], ['s', 1]];
  const first = Math.max(0, parts.findIndex(([, size]) => total >= size));
  if (total < 1) return '0 s';
  let left = total;
  return parts.slice(first, first + 2).map(([unit, size]) => {
    const number = Math.floor(left / size);
    left -= number * size;
    return `${number} ${unit}`;
  }).join(' ');
}

export const plural = (number, one, many = `${one}s`) => `${whole.format(number)} ${number === 1 ? one : many}`;

// The end of an axis: whole or half steps of it are round.
export function roundUp(largest, least) {
  const wanted = Math.max(largest, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 4, 6, 8, 10].find((each) => each * power >= wanted * 0.999999);
  return step * power;
}
