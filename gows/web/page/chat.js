// The chat page: what belongs together is brought together here.

import { Account } from './account.js';
import { Composer } from './composer.js';
import { Conversations, EVERYONE } from './conversations.js';
import { byId, hashOfRoom, pause } from './elements.js';
import { Identity, cleanName } from './identity.js';
import { JoinForm, ROOM_RULE } from './joinform.js';
import { Line } from './line.js';
import { People } from './people.js';
import { SignIn } from './signin.js';

const panels = ['places', 'people'].map(byId);

const identity = new Identity();
const line = new Line(identity, {
  welcome: opened,
  message: heard,
  joined: (news) => people.news(news),
  left: (news) => people.news(news),
  missed,
  lost,
  phase: () => updateComposer(),
  tokenWanted: (why, fault) => signIn.ask(why, fault),
});
const account = new Account(identity, { onChange: () => line.connect(), onSignOut: signOut });
const people = new People(patiently);
const composer = new Composer((text) => say(conversations.current, text));
const signIn = new SignIn(takeToken);
const conversations = new Conversations(selected, leave);
new JoinForm(joinByName);
let own = '';
let isNewHere = false;
let clockGap = 0;

// --- the connection

async function opened({ key, rooms, time, expires }) {
  if (identity.token && own && own !== key) {
    conversations.reset();
    isNewHere = true;
  }
  own = key;
  account.showName(key);
  clockGap = time - Date.now();
  warnBefore(expires);
  if (isNewHere) identity.rights.rooms.slice(0, 20).forEach((room) => conversations.open('room', room));
  isNewHere = false;
  await enter(rooms);
}

// Has the server let us in wherever we were, first where the people in sight are.
async function enter(rooms) {
  const { connection } = line;
  const inOrder = conversations.rooms.sort((a, b) => (b === people.conversation) - (a === people.conversation));
  for (const room of inOrder) room.isHeard = rooms.includes(room.name);
  for (const room of inOrder) {
    if (room.isHeard) entered(room);
    else await join(room);
    if (line.connection !== connection) return;
  }
}

async function join(room) {
  try {
    await patiently({ type: 'join', room: room.name });
    room.isHeard = true;
    room.isClosed = false;
  } catch (refused) {
    if (refused.code === 'disconnected') return;
    room.isClosed = true;
    if (!room.isEveryones) room.messages.notice(`You do not hear this room. ${refused.message}`);
  }
  entered(room);
}

function entered(room) {
  if (room.hasGap && room.isHeard) {
    room.messages.notice('Connected again. What was said in between is not shown.');
  }
  room.hasGap = false;
  room.item.hidden = room.isEveryones && !room.isHeard && !identity.rights.mayWrite(EVERYONE);
  const other = room.item.hidden && conversations.rooms.find(({ item }) => !item.hidden);
  if (other && room === conversations.current) location.replace(other.hash);
  else if (room === people.conversation) people.show(room, own);
  updateComposer();
}

function lost({ hasGap }) {
  people.forget();
  signIn.forget();
  for (const each of conversations.all) {
    each.hasGap = hasGap && (each.hasGap || each.isHeard);
    each.isHeard = false;
    each.isMute = false;
    each.messages.forgetEchoes();
  }
}

function missed({ count }) {
  for (const { messages } of conversations.all) messages.forgetEchoes();
  const what = count === 1 ? 'A message is' : `${count} messages are`;
  conversations.current.messages.notice(`${what} missing: this page read too slowly.`);
}

// Asks again when the server says that it was too fast.
async function patiently(fields) {
  for (;;) {
    try {
      return await line.request(fields);
    } catch (refused) {
      if (refused.code !== 'too_fast') throw refused;
      await pause(refused.retryAfter);
    }
  }
}

// --- what is said

function heard({ from, key, room, data, encoding, time }) {
  const isToOne = key !== undefined && from !== undefined;
  const conversation = isToOne ? conversations.open('direct', from) : conversations.get('room', room ?? EVERYONE);
  if (!conversation) return; // It was left while this was on its way.
  const entry = { author: from, at: time, ...textOf(data, encoding) };
  if (from === own) {
    conversation.messages.echoed(entry);
  } else {
    conversation.messages.heard(entry);
    conversations.count(conversation);
  }
}

function textOf(data, encoding) {
  if (encoding) return { text: `(${atob(data).length} bytes that are not text)`, isText: true };
  return typeof data === 'string' ? { text: data, isText: true } : { text: JSON.stringify(data), isText: false };
}

async function say(conversation, text) {
  const { messages, kind, name } = conversation;
  const isEchoed = kind === 'room' ? conversation.isHeard : name === own;
  const item = messages.say(own, text, isEchoed);
  try {
    await line.request({ type: 'publish', to: conversation.address, data: text });
    messages.accepted(item);
  } catch (refused) {
    const wasSent = refused.code === 'disconnected';
    const why = wasSent ? 'Not confirmed: the connection ended.' : refused.message;
    if (refused.code === 'forbidden') conversation.isMute = true;
    messages.refused(item, why, refused.retryAfter, () => say(conversation, text));
    updateComposer();
  }
}

// --- where one may write

function whyMute({ kind, name, isClosed, isMute }) {
  const { direct, mayWrite } = identity.rights;
  const mayTry = kind === 'room' ? mayWrite(name) : direct;
  if (mayTry && !isMute) return '';
  if (kind === 'direct') return 'No direct messages allowed';
  return isClosed ? 'This room is closed to you' : 'You may only read here';
}

function updateComposer() {
  const { current } = conversations;
  if (!current) return;
  const whom = current.isEveryones ? 'everyone' : current.title;
  composer.update(line.isOpen, `Write ${current.kind === 'room' && !current.isEveryones ? 'in' : 'to'} ${whom}`, whyMute(current));
}

function selected(conversation, before) {
  composer.change(before, conversation);
  updateComposer();
  if (conversation.kind === 'room') people.show(conversation, own);
  else if (!people.conversation) people.show(conversations.everyone, own);
  for (const panel of panels) panel.hidePopover?.();
  composer.focus();
}

function goToPlace() {
  const place = new URLSearchParams(location.hash.slice(1));
  const isFirst = !conversations.current;
  const room = place.get('room') ?? (isFirst && new URLSearchParams(location.search).get('room'));
  const key = cleanName(place.get('with') ?? '');
  if (key) {
    conversations.select(conversations.open('direct', key));
  } else if (room && (room === EVERYONE || ROOM_RULE.test(room))) {
    const isKnown = conversations.get('room', room) !== undefined;
    const conversation = conversations.open('room', room);
    conversations.select(conversation);
    if (!isKnown && line.isOpen) join(conversation);
  } else if (isFirst || !location.hash) {
    conversations.select(conversations.everyone);
  }
}

async function joinByName(room) {
  await line.request({ type: 'join', room });
  conversations.open('room', room).isHeard = true;
  location.hash = hashOfRoom(room);
}

function leave(conversation) {
  if (conversation.kind === 'room') patiently({ type: 'leave', room: conversation.name }).catch(() => {});
  conversations.close(conversation);
}

// --- who one is

async function takeToken(token) {
  if (identity.token && line.isOpen) {
    try {
      const { rooms, expires } = await patiently({ type: 'refresh', token });
      account.setToken(token);
      warnBefore(expires);
      for (const each of conversations.all) each.isMute = false;
      enter(rooms);
      return '';
    } catch (refused) {
      if (refused.code !== 'disconnected') return refused.message;
    }
  }
  const { status, why } = await line.check(token).catch(() => ({ why: 'The server cannot be reached.' }));
  if (status !== 200) return why;
  isNewHere = !identity.token;
  account.setToken(token);
  line.connect();
  return '';
}

// The server's clock counts, whatever ours says.
function warnBefore(expires) {
  if (expires !== undefined) signIn.warnIn(expires - clockGap - Date.now());
}

function signOut() {
  own = '';
  line.stop('Signed out', 'Sign in', () => signIn.ask('This server asks for a token'));
  conversations.reset();
  signIn.ask('You are signed out');
}

byId('newer').addEventListener('click', () => conversations.current.messages.scrollToEnd());
for (const panel of panels) {
  panel.addEventListener('click', (event) => { if (event.target.closest('a')) panel.hidePopover?.(); });
}
// As columns the panels are always there, and must not stay on top as drawers.
matchMedia('(min-width: 56rem)').addEventListener('change', () => panels.forEach((panel) => panel.hidePopover?.()));
addEventListener('hashchange', goToPlace);

goToPlace();
line.connect();
