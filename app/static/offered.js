// Teachers besides the shipped ones: brought or named on this page, and offered by every tab from then on.

const cards = new Map(); // by name
const hearers = [];

export function offer(card) {
  cards.set(card.name, card);
  for (const hear of hearers) hear(card);
}

/** `hear(card)` for all there are, now and whenever one is added. */
export function whenOffered(hear) {
  hearers.push(hear);
  for (const card of cards.values()) hear(card);
}
