// Compiles the practice chain's contracts: prints {name: runtime code} as JSON, the same for the same source.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import solc from "solc";

const folder = process.argv[2];
const names = readdirSync(folder).filter((name) => name.endsWith(".sol")).sort();
const sources = Object.fromEntries(names.map((name) => [name, { content: readFileSync(join(folder, name), "utf8") }]));
const input = {
  language: "Solidity",
  sources,
  settings: {
    evmVersion: "shanghai",
    optimizer: { enabled: true, runs: 200 },
    metadata: { bytecodeHash: "none", appendCBOR: false },
    outputSelection: { "*": { "*": ["evm.deployedBytecode.object"] } },
  },
};
const answer = JSON.parse(solc.compile(JSON.stringify(input)));
const errors = (answer.errors ?? []).map((each) => each.formattedMessage);
if (errors.length > 0) {
  process.stderr.write(errors.join("\n"));
  process.exit(1);
}
const code = {};
for (const contracts of Object.values(answer.contracts)) {
  for (const [name, contract] of Object.entries(contracts)) {
    if (contract.evm.deployedBytecode.object) code[name] = "0x" + contract.evm.deployedBytecode.object;
  }
}
const sorted = Object.fromEntries(Object.keys(code).sort().map((name) => [name, code[name]]));
process.stdout.write(JSON.stringify(sorted, null, 1) + "\n");
