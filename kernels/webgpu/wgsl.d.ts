// WGSL files are imported as text: `import code from "./x.wgsl" with { type: "text" }`.
declare module "*.wgsl" {
  const code: string;
  export default code;
}
