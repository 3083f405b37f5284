// What the server offers: its state, a way to say something, and the stream of what happens.

/** The bots, the endpoints and the strategy. Throws when the server cannot be reached. */
export async function state() {
  const answer = await fetch("/playground/state", { cache: "no-store" });
  if (!answer.ok) throw new Error(`state: ${answer.status}`);
  return answer.json();
}

/**
 * Says something to a demo bot, through its real webhook.
 * Gives what the webhook answered, or `{ failed }`: the HTTP status, 0 when nothing answered at all.
 */
export async function say(words) {
  try {
    const answer = await fetch("/playground/say", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(words),
    });
    if (!answer.ok) return { failed: answer.status };
    return await answer.json();
  } catch {
    return { failed: 0 };
  }
}

const RETRY_MS = 2000;

/**
 * Listens for ever. A browser reconnects a broken stream by itself, but gives up when the server answers with an error;
 * then a new stream is opened after two seconds.
 */
export function listen({ note, message, open, lost }) {
  const stream = new EventSource("/playground/events");
  stream.onopen = open;
  stream.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    if (event.kind === "note") note(event);
    if (event.kind === "message") message(event);
  };
  stream.onerror = () => {
    lost();
    if (stream.readyState !== EventSource.CLOSED) return;
    setTimeout(() => listen({ note, message, open, lost }), RETRY_MS);
  };
}
