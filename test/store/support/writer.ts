// A process that adds texts to a store, one after the other, and says when each is there.
//   writer.ts FOLDER FIRST COUNT      texts FIRST … FIRST + COUNT − 1
import process from "node:process";
import { Store } from "../../../src/store/store.ts";
import { textOf } from "./texts.ts";

const [folder, first, count] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const store = Store.open(folder, (line) => console.log(line));
for (let number = first; number < first + count; number++) {
  store.add([textOf(number)]);
  console.log(number);
}
store.close();
