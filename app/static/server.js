// What the page asks of the server besides news: commands, and the public endpoints.

export const at = (path) => new URL(path, document.baseURI).href;

/** The answer of a command; throws an Error with the server's sentence. */
export async function command(name, ...given) {
  const answer = await posted(`command/${name}`, given);
  if ("told" in answer) return answer.told;
  throw new Error(answer.error);
}

/** Tells the server that the page of a run that waits is closing: nobody is to wait behind it. */
export function leave({ run, token }) {
  navigator.sendBeacon(at("command/leave"), new Blob([JSON.stringify([run, token])], { type: "application/json" }));
}

/** The answer of a public endpoint, likewise; a refusal is a failed request there. */
export async function call(endpoint, ...data) {
  const answer = await posted(`gradio_api/run/${endpoint}`, { data });
  if ("data" in answer) return answer.data[0];
  throw new Error(answer.error);
}

async function posted(path, body) {
  try {
    const answer = await fetch(at(path), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return await answer.json();
  } catch {
    return { error: "The command did not arrive; try again." };
  }
}
