// What the server says: data of the console, the REST interface, and news as they come.

const KEY = "scaling-token";

/** Asks for a token where the server wants one; set by the application. */
export const door = { ask: async () => null };

function headers(more) {
  const token = sessionStorage.getItem(KEY);
  return { Accept: "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}), ...more };
}

/** An answer that is a refusal or a failure, in the server's own words. */
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail || body?.title || `the server answered ${status}`);
    this.status = status;
    this.type = body?.type;
  }
}

async function call(path, options) {
  for (;;) {
    const response = await fetch(path, { cache: "no-store", ...options, headers: headers(options?.headers) });
    if (response.status === 401) {
      const token = await door.ask();
      if (token) {
        sessionStorage.setItem(KEY, token);
        continue;
      }
    }
    const body = await response.json().catch(() => null);
    if (!response.ok) throw new Problem(response.status, body);
    return body;
  }
}

export const get = (path) => call(path);

export function write(method, path, body) {
  const more = { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() };
  return call(path, { method, headers: more, body: JSON.stringify(body) });
}

/** Calls `seen` with the number of each news until the page goes, and says by `state` whether the connection lives. */
export async function listen(seen, state) {
  let wait = 500;
  for (;;) {
    try {
      // Not an EventSource, which cannot carry a token.
      const response = await fetch("/console/data/news", { headers: headers({ Accept: "text/event-stream" }) });
      if (!response.ok) throw new Problem(response.status, null);
      state("live");
      wait = 500;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        // Comments only say that the connection lives.
        const numbers = [...value.matchAll(/^data: ?(\d+)/gm)];
        if (numbers.length > 0) seen(Number(numbers.at(-1)[1]));
      }
    } catch {
      // Shown by the state, and tried again.
    }
    state("lost");
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(wait * 2, 10000);
  }
}
