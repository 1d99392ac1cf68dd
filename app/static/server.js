// What the page asks of the server besides news: the public commands.

export const at = (path) => new URL(path, document.baseURI).href;

/** The answer of a command; throws an Error with the server's sentence. */
export async function call(command, ...data) {
  let told;
  try {
    const answer = await fetch(at(`gradio_api/run/${command}`), { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ data }) });
    told = await answer.json();
    if (answer.ok) return told.data[0];
  } catch {
    throw new Error("The command did not arrive; try again.");
  }
  throw new Error(told.error ?? "The command did not arrive; try again.");
}
