// What a token allows, as far as it can be read here, so that nobody writes in vain.
// The server has the last word: see docs/tokens.md.

const ALL = { rooms: [], direct: true, mayRead: () => true, mayWrite: () => true };

export function rightsOf(token) {
  const claims = claimsOf(token);
  if (!claims) return ALL;
  const { rooms, direct } = claims;
  if (!rooms || typeof rooms !== 'object') return { ...ALL, direct: direct === true };
  const has = (right) => (room) => String(rightsTo(rooms, room)).includes(right);
  return {
    rooms: Object.keys(rooms).filter((name) => !name.endsWith('*') && has('r')(name)),
    direct: direct === true,
    mayRead: has('r'),
    mayWrite: has('w'),
  };
}

// Of an encrypted token (JWE) nothing can be read: then the server's refusals teach.
function claimsOf(token) {
  const parts = token?.split('.') ?? [];
  if (parts.length !== 3) return null;
  try {
    const bytes = atob(parts[1].replaceAll('-', '+').replaceAll('_', '/'));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))));
  } catch {
    return null;
  }
}

function rightsTo(rooms, room) {
  if (Object.hasOwn(rooms, room)) return rooms[room];
  const fits = (name) => name !== '*' && name.endsWith('*') && room.startsWith(name.slice(0, -1));
  const [longest] = Object.keys(rooms).filter(fits).sort((a, b) => b.length - a.length);
  return longest === undefined ? '' : rooms[longest];
}
