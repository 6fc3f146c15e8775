// The console: what belongs together is brought together here.

import { call } from './calls.js';
import { Connections } from './connections.js';
import { byId, write } from './elements.js';
import { Feed } from './feed.js';
import { History } from './history.js';
import { Publish } from './publish.js';
import { Rooms } from './rooms.js';
import { Tiles } from './tiles.js';
import { age } from './units.js';
import { showWarnings } from './warnings.js';

const [statusText, facts, signOut] = ['status', 'facts', 'sign-out'].map(byId);

const history = new History();
const tiles = new Tiles(history);
const feed = new Feed({ hello, sample, warnings: showWarnings });
const publish = new Publish();
let server = null;

function hello(said) {
  // Another version has another page.
  if (server && server.version !== said.version) location.reload();
  server = { version: said.version, begin: performance.now() - said.uptime * 1000 };
  history.load(said);
  tellFacts();
  tiles.draw();
}

function sample(said) {
  history.add(said);
  document.body.toggleAttribute('data-draining', said.draining);
  write(statusText, said.draining ? 'Stopping' : 'Live');
  tellFacts();
  tiles.draw();
}

function tellFacts() {
  write(facts, `${server.version} · up ${age((performance.now() - server.begin) / 1000)}`);
}

// Where keys are asked for, one can give up one's own.
async function offerSignOut() {
  const { settings } = await call('GET', '/api/info').catch(() => ({ settings: {} }));
  signOut.hidden = !settings['api-key-file'];
}

new Connections();
new Rooms((room) => publish.address(room));
offerSignOut();
feed.connect();
