// For the Python tests: reads lines of JSON, each a list of updates, and writes for each the model that they make.

import { createInterface } from "node:readline";
import { applyUpdate, emptyModel } from "../../app/static/core/model.js";

for await (const line of createInterface({ input: process.stdin })) {
  const model = JSON.parse(line).reduce(applyUpdate, emptyModel());
  process.stdout.write(`${JSON.stringify(model)}\n`);
}
