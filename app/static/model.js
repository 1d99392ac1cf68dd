// What the page knows of a run: the news of the feed, put together. No drawing here.

export const ENDED = new Set(["finished", "stopped", "failed", "interrupted"]);
export const ROWS = 24;

export function emptyModel() {
  return {
    state: "empty", // empty, starting, then the run's own
    facts: null,
    losses: [],
    learning: [],
    measures: [],
    diversity: [],
    redraws: [],
    changes: [],
    rows: [],
    making: null,
    outputs: [],
    samples: [],
    notes: [],
    pool: [0, 0],
    round: 0,
    rounds_done: 0,
    seconds: 0,
    left: null,
    phase: "",
    story: "",
    error: "",
    reason: "",
    failure: "",
    ahead: 0,
    wait: null, // seconds, about, while queued
    kept: "", // why the run may be lost, with the server or to others who wait
    pace: 0,
    teacher_accuracy: null,
  };
}

/** What the student is measured by: how often it is right on test images, or where there are none, how often it agrees. */
export const measureName = (model) => (model.facts?.measured_on === "held-back samples" ? "agreement" : "accuracy");

/** The model after the news, or an empty one after them where they begin anew; curves grow or are replaced. */
export function told(model, news) {
  const next = { ...(news.anew ? emptyModel() : model) };
  for (const [name, value] of Object.entries(news)) {
    if (name === "run") next.facts = value;
    else if (name === "losses" || name === "learning" || name === "measures" || name === "diversity")
      next[name] = value.anew ? value.points : [...next[name], ...value.points];
    else if (name === "rows") next.rows = merged(next.rows, value);
    else if (name === "changes") next.changes = [...next.changes, ...value];
    else if (name === "redraws") next.redraws = [...next.redraws, ...value.filter(([round]) => round > 0)]; // at 0 nothing is drawn anew
    else next[name] = value;
  }
  next.making = news.making ?? null;
  return next;
}

function merged(rows, fresh) {
  const rounds = new Set(fresh.map((row) => row.round));
  return [...rows.filter((row) => !rounds.has(row.round)), ...fresh].slice(-ROWS);
}
