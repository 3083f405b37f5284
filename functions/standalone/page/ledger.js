// Which note and which message belong to which thing that was said here. No document, no network: only bookkeeping.
//
// The stream and the answer to /playground/say race each other, so what comes early is kept by its turn or message id
// until the answer tells whose it is. Notes of turns that did not begin here (real bots) are kept too, the last few.

const KEPT_TURNS = 40;
/** A note without a turn (verification comes before there is one) belongs to a message said at most this long ago. */
const CLAIM_WINDOW_MS = 5000;

/** Calls that change the bot's last message instead of adding one. */
const EDITS = ["edit", "update"];

const chatKey = ({ platform, bot, chat }) => [platform, bot, chat].join("\n");

export class Ledger {
  said = [];
  /** What bots said that answers nothing said here. */
  strays = [];
  #notes = new Map();
  #early = new Map();
  #chats = new Map();

  /** Something is about to be said: `words` as /playground/say takes them. */
  begin(words, key) {
    const entry = { ...words, key, state: "sending", notes: [], answers: [], turn: null, messageId: null, began: Date.now() };
    this.said.push(entry);
    return entry;
  }

  /** The server's answer to it. */
  settle(entry, answer) {
    if (answer.failed !== undefined) {
      entry.failed = answer.failed;
      entry.state = "failed";
      return;
    }
    entry.turn = answer.turn || null;
    entry.messageId = answer.message_id || null;
    entry.status = answer.status;
    if (answer.status >= 300) entry.state = "refused";
    // Accepted without a turn: the platform's part is done, and nobody will answer.
    else if (entry.state === "sending") entry.state = entry.turn ? "waiting" : "ignored";
    for (const note of this.#take(this.#notes, entry.turn)) this.#add(entry, note);
    for (const message of this.#take(this.#early, entry.messageId)) this.#answer(entry, message);
  }

  /** The entry that the note belongs to, or null when it was not said here. */
  note(note) {
    const entry = note.turn ? this.said.find((one) => one.turn === note.turn) : this.#unclaimed(note);
    if (entry) this.#add(entry, note);
    else if (note.turn) this.#keep(this.#notes, note.turn, note);
    return entry ?? null;
  }

  /** The entry that the message answers, or null. */
  message(message) {
    const entry = message.in_reply_to
      ? this.said.find((one) => one.messageId === message.in_reply_to)
      : this.#answeredBy(message);
    if (entry) this.#answer(entry, message);
    else if (message.in_reply_to && this.said.some((one) => one.state === "sending")) {
      this.#keep(this.#early, message.in_reply_to, message);
    } else this.strays.push(message);
    return entry ?? null;
  }

  /** The notes of the latest turn that did not begin here. */
  elsewhere() {
    const turns = [...this.#notes.values()];
    return turns[turns.length - 1] ?? [];
  }

  #add(entry, note) {
    entry.notes.push(note);
    const { step, detail } = note;
    if (step === "ignored") {
      entry.state = "ignored";
      entry.why = detail?.what;
    }
    if (step === "ended") {
      entry.state = detail?.ending === "parked" ? "parked" : "done";
      entry.why = detail?.reason;
    }
  }

  #answer(entry, message) {
    if (EDITS.includes(message.by)) entry.answers.pop();
    entry.answers.push(message);
    this.#chats.set(chatKey(message), entry.key);
    if (entry.state === "sending" || entry.state === "waiting") entry.state = "answered";
  }

  /** The oldest recent entry of that bot which has no turn's notes yet, and none of this step. */
  #unclaimed({ step, detail }) {
    const since = Date.now() - CLAIM_WINDOW_MS;
    const fits = (one) =>
      one.began >= since &&
      (!detail?.bot || one.bot === detail.bot) &&
      (!detail?.platform || one.platform === detail.platform) &&
      !one.notes.some((note) => note.turn || note.step === step || note.step === "ignored");
    return this.said.find(fits);
  }

  /**
   * Where a platform does not say what it answers. A conversation's turns run one after another, so the message belongs
   * to the turn that has its answer and has not ended; else to the oldest that waits; else to the last one.
   */
  #answeredBy({ platform, bot, chat }) {
    const key = this.#chats.get(chatKey({ platform, bot, chat }));
    const here = this.said.filter(
      (one) => one.platform === platform && one.bot === bot && (key === undefined || one.key === key),
    );
    const passed = (one, step) => one.notes.some((note) => note.step === step);
    return (
      here.find((one) => passed(one, "answered") && !passed(one, "ended")) ??
      here.find((one) => one.state === "sending" || one.state === "waiting") ??
      here[here.length - 1]
    );
  }

  #keep(map, id, value) {
    map.set(id, [...(map.get(id) ?? []), value]);
    if (map.size > KEPT_TURNS) map.delete(map.keys().next().value);
  }

  #take(map, id) {
    const kept = map.get(id) ?? [];
    map.delete(id);
    return kept;
  }
}
