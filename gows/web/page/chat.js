// The chat page: one WebSocket at a time, and the list of what it brought.

// After a close with one of these, only the user brings the page back.
const NO_RETURN = [4001];
const REPLACED = 4001;
const GOING_AWAY = 1001;

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;
const STEADY_AFTER = 5_000;
const CHECK_TIMEOUT = 10_000;
// Browsers run a hidden page's timers once a minute; a longer silence means it slept.
const HEARTBEAT = 5_000;
const ASLEEP_AFTER = 90_000;
const MOST_SHOWN = 500;

const byId = (id) => document.getElementById(id);
const [log, messages, newer] = ['log', 'messages', 'newer'].map(byId);
const [nameField, gzipSwitch] = ['name', 'gzip'].map(byId);
const [statusText, countdown, again] = ['status', 'countdown', 'again'].map(byId);
const [composer, draft, send] = ['composer', 'draft', 'send'].map(byId);

// --- who we are

// A private window may refuse storage: a choice then lasts as long as the page.
function remembered(storage, key) {
  try { return window[storage].getItem(`gows.${key}`); } catch { return null; }
}

function remember(storage, key, value) {
  try { window[storage].setItem(`gows.${key}`, value); } catch { return; }
}

const cleanName = (text) => text.slice(0, 128).replace(/[\p{Cc}\p{Cs}]/gu, '').trim();

const canUnzip = 'DecompressionStream' in window;
const madeUpName = `guest-${1000 + Math.floor(Math.random() * 9000)}`;
// A made-up name stays with its tab, so that two tabs are two people who can talk.
const knownName = remembered('sessionStorage', 'name') ?? remembered('localStorage', 'name');
let name = cleanName(knownName ?? '') || madeUpName;
let gzip = canUnzip && remembered('localStorage', 'gzip') === '1';

const query = () => `?specialKey=${encodeURIComponent(name)}&support_gzip=${gzip ? 1 : 0}`;

function chatUrl() {
  const url = new URL('.', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href + query();
}

// --- the connection

let socket = null;
let failures = 0;
let missedSome = false;
let countdownTimer = 0;

function setPhase(phase, text, button = '') {
  document.body.dataset.phase = phase;
  statusText.textContent = text;
  countdown.textContent = '';
  again.textContent = button;
  again.hidden = !button;
  send.disabled = phase !== 'open';
}

function leave() {
  const old = socket;
  socket = null;
  clearInterval(countdownTimer);
  old?.close(1000);
}

function connect() {
  leave();
  setPhase('connecting', 'Connecting …');
  const mine = new WebSocket(chatUrl());
  mine.binaryType = 'arraybuffer';
  socket = mine;
  let openedAt = null;
  const on = (type, react) => mine.addEventListener(type, (event) => {
    if (socket === mine) react(event);
  });
  on('open', () => {
    openedAt = performance.now();
    opened();
  });
  on('message', ({ data }) => receive(data));
  on('close', (event) => {
    if (openedAt === null) askWhyRefused(mine);
    else closed(event, performance.now() - openedAt);
  });
}

function opened() {
  setPhase('open', `Connected as ${name}`);
  if (missedSome) show({ notice: 'Connected again. What was said in between is not shown.' });
  missedSome = false;
}

function closed({ code, reason }, lasted) {
  missedSome = true;
  if (lasted >= STEADY_AFTER) failures = 0;
  if (code === REPLACED) {
    setPhase('stopped', 'Replaced by a newer connection of the same name', 'Use it here');
  } else if (NO_RETURN.includes(code)) {
    setPhase('stopped', reason || 'The server closed the connection', 'Try again');
  } else if (code === GOING_AWAY) {
    retry('The server is restarting');
  } else {
    retry(reason ? `Disconnected (${reason})` : 'Disconnected');
  }
}

// Scripts never learn why an opening failed; the server tells it to a plain request.
async function askWhyRefused(mine) {
  const { status, why, leastWait } = await check().catch(() => ({ status: 0 }));
  if (socket !== mine) return;
  if (status === 429 || status === 503) retry(why, leastWait);
  else if (status >= 400 && status < 500) setPhase('stopped', `Refused: ${why}`, 'Try again');
  else retry('Disconnected');
}

async function check() {
  const signal = AbortSignal.timeout(CHECK_TIMEOUT);
  // Browsers put no Origin on a plain request; the Referer stands in for it.
  const options = { cache: 'no-store', referrerPolicy: 'origin', signal };
  const response = await fetch(`check${query()}`, options);
  const { status, headers } = response;
  const isPlain = headers.get('content-type')?.startsWith('text/plain');
  const line = isPlain ? (await response.text()).trim().slice(0, 200) : '';
  const seconds = parseInt(headers.get('retry-after'), 10) || 0;
  return { status, why: line || `the server answered ${status}`, leastWait: seconds * 1000 };
}

function retry(text, leastWait = 0) {
  const spread = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures);
  const due = performance.now() + leastWait + Math.random() * spread;
  failures += 1;
  setPhase('waiting', text + (text.endsWith('.') ? ' Trying again' : ', trying again'), 'Connect now');
  const tick = () => {
    const left = due - performance.now();
    if (left <= 0) connect();
    else countdown.textContent = ` in ${Math.ceil(left / 1000)} s`;
  };
  countdownTimer = setInterval(tick, 250);
  tick();
}

// --- coming back to the page

let lastBeat = Date.now();
setInterval(() => { lastBeat = Date.now(); }, HEARTBEAT);

function reconnectUnlessStopped() {
  if (document.body.dataset.phase !== 'stopped') connect();
}

// A socket that slept may be dead and still call itself open, so a new one it is.
function checkAlive() {
  const slept = Date.now() - lastBeat > ASLEEP_AFTER;
  lastBeat = Date.now();
  if (slept || socket === null || socket.readyState > WebSocket.OPEN) reconnectUnlessStopped();
}

addEventListener('online', reconnectUnlessStopped);
addEventListener('pagehide', leave);
addEventListener('pageshow', ({ persisted }) => { if (persisted) checkAlive(); });
document.addEventListener('visibilitychange', () => { if (!document.hidden) checkAlive(); });

// --- what arrives

const clock = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit' });
const fresh = [];
let arrivals = Promise.resolve();
let following = true;
let lastAuthor = '';

// Unpacking takes time; the chain keeps what comes after it in its place.
function receive(data) {
  const at = new Date();
  arrivals = arrivals.then(async () => show({ text: await textOf(data), at }));
}

async function textOf(data) {
  if (typeof data === 'string') return data;
  try {
    const unzipped = new Blob([data]).stream().pipeThrough(new DecompressionStream('gzip'));
    return await new Response(unzipped).text();
  } catch {
    return `(${data.byteLength} bytes that are not text)`;
  }
}

// One layout a frame, however many messages came, and none while nobody looks.
function show(entry) {
  if (!fresh.length) requestAnimationFrame(showFresh);
  fresh.push(entry);
  if (fresh.length > MOST_SHOWN) fresh.shift();
}

function showFresh() {
  messages.append(...fresh.splice(0).map((entry) => (entry.notice ? noticeItem : messageItem)(entry)));
  while (messages.childElementCount > MOST_SHOWN) messages.firstElementChild.remove();
  messages.firstElementChild.classList.remove('same');
  if (following) scrollToEnd();
  else newer.hidden = false;
}

function element(tag, className, text = '') {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function noticeItem({ notice }) {
  lastAuthor = '';
  return element('li', 'notice', notice);
}

function messageItem({ text, at }) {
  const { author, said } = split(text);
  const item = element('li', 'message');
  item.classList.toggle('own', author === name);
  item.classList.toggle('plain', !author);
  item.classList.toggle('same', author !== '' && author === lastAuthor);
  lastAuthor = author;
  item.dataset.initial = ([...author][0] ?? '').toUpperCase();
  item.style.setProperty('--hue', hueOf(author));
  const words = element('p', 'said', said);
  words.dir = 'auto';
  const time = element('time', '', clock.format(at));
  time.dateTime = at.toISOString();
  item.append(element('bdi', 'author', author), words, time);
  return item;
}

// The wire names no author: "name: text" is this page's own custom.
function split(text) {
  const end = text.startsWith(`${name}: `) ? name.length : text.indexOf(': ');
  const author = text.slice(0, Math.max(end, 0));
  const isName = author !== '' && cleanName(author) === author;
  return isName ? { author, said: text.slice(end + 2) } : { author: '', said: text };
}

function hueOf(author) {
  return [...author].reduce((hue, letter) => (hue * 31 + letter.codePointAt(0)) % 360, 7);
}

const scrollToEnd = () => { log.scrollTop = log.scrollHeight; };

log.addEventListener('scroll', () => {
  following = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  if (following) newer.hidden = true;
});
// A phone's keyboard takes half of the log away; the end is to stay in sight.
new ResizeObserver(() => { if (following) scrollToEnd(); }).observe(log);
newer.addEventListener('click', scrollToEnd);

// --- what the user does

function say() {
  const text = draft.value.trim();
  if (!text || socket?.readyState !== WebSocket.OPEN) return;
  socket.send(`${name}: ${text}`);
  draft.value = '';
  scrollToEnd();
}

function rename() {
  const before = name;
  name = cleanName(nameField.value) || before;
  nameField.value = name;
  remember('sessionStorage', 'name', name);
  remember('localStorage', 'name', name);
  if (name !== before) connect();
}

composer.addEventListener('submit', (event) => {
  event.preventDefault();
  say();
  draft.focus();
});
draft.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  say();
});
nameField.addEventListener('change', rename);
gzipSwitch.addEventListener('change', () => {
  gzip = gzipSwitch.checked;
  remember('localStorage', 'gzip', gzip ? '1' : '0');
  connect();
});
again.addEventListener('click', connect);

nameField.value = name;
gzipSwitch.checked = gzip;
gzipSwitch.disabled = !canUnzip;
if (!canUnzip) gzipSwitch.parentElement.title = 'This browser cannot unpack gzip';
remember('sessionStorage', 'name', name);
connect();
