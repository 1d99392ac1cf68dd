// Asks the server what is new: often while somebody looks, rarely while nobody does, slower when it is in trouble.

const PAUSE = 1000; // ms, until the server has said when to ask again
const HIDDEN = 30000; // ms: only says that the tab is still there
const REST = 12000; // ms after a 429
const SLOWEST = 10000; // ms between tries when nothing answers
const ENDED = new Set(["finished", "stopped", "failed", "interrupted"]);

export class Feed {
  /** The server says how often to ask. `heard(news)` for news, `gone()` when the run is unknown, `trouble(bool)` when the line drops and comes back; `seen()` says whether what it feeds is on show. */
  constructor({ address, news = "status", heard, gone, trouble, seen }) {
    Object.assign(this, { address, news, heard, gone, trouble, seen });
    this.seq = 0;
    this.failures = 0;
    this.over = false;
    this.timer = null;
    this.busy = false;
    this.look = () => this.soon();
    document.addEventListener("visibilitychange", this.look);
    this.soon();
  }

  /** Ask now, or right after the answer that is under way. */
  soon() {
    if (this.over) return;
    clearTimeout(this.timer);
    if (this.busy) this.again = true;
    else this.ask();
  }

  close() {
    this.over = true;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.look);
  }

  async ask() {
    this.busy = true;
    let wait = PAUSE;
    try {
      const answer = await fetch(`${this.address}/${this.news}?since=${this.seq}`, { cache: "no-store" });
      if (this.over) return;
      if (answer.status === 404) return this.finish(this.gone);
      wait = document.hidden || !this.seen() ? HIDDEN : 1000 * (Number(answer.headers.get("Ask-Again")) || 1);
      if (answer.status === 429) wait = REST;
      else if (!answer.ok) throw new Error(String(answer.status));
      // What nobody sees is not taken: it comes again, and pictures drawn out of sight would be fetched when they are gone.
      else if (answer.status === 200 && this.seen()) this.take(await answer.json());
      if (this.failures > 1) this.trouble(false);
      this.failures = 0;
    } catch {
      if (this.over) return;
      this.failures += 1;
      if (this.failures === 2) this.trouble(true);
      wait = Math.min(SLOWEST, PAUSE * 2 ** this.failures);
    } finally {
      this.busy = false;
    }
    if (this.over) return;
    if (this.again) wait = 0;
    this.again = false;
    this.timer = setTimeout(() => this.ask(), wait);
  }

  take(news) {
    this.seq = news.seq;
    this.heard(news);
    if (ENDED.has(news.state)) this.close();
  }

  finish(tell) {
    this.close();
    tell();
  }
}
