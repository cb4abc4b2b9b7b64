// Data sets are imported as text: `import text from "./x.jsonl" with { type: "text" }`.
declare module "*.jsonl" {
  const text: string;
  export default text;
}
