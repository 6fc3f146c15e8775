// The server's API, as the page calls it.

const TIMEOUT = 10_000;

export class Refused extends Error {}

// Who is not signed in, or no more, has to do that first.
export function signInFirst() {
  location.assign('/signin');
}

// What a response that is not a success says.
export async function whyNot(response) {
  const answer = await response.json().catch(() => ({}));
  return answer.error?.message ?? `The server answered ${response.status}.`;
}

// Answers what the server does; rejects with Refused, which says why.
export async function call(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      signal: AbortSignal.timeout(TIMEOUT),
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body,
    });
  } catch {
    throw new Refused('The server cannot be reached.');
  }
  if (response.status === 401) signInFirst();
  if (!response.ok) throw new Refused(await whyNot(response));
  return response.json().catch(() => { throw new Refused('The answer was cut off.'); });
}
