// Runs the module that `wasm-bindgen --target nodejs` made: `node run.cjs MODULE`.
const { run } = require(require("path").resolve(process.argv[2]));

run().then(
  (held) => {
    if (held < 20) throw new Error(`only ${held} behaviours ran`);
    console.log(`${held} behaviours hold in WebAssembly`);
  },
).catch((error) => {
  console.error(error);
  process.exit(1);
});
