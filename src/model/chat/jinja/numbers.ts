// Python's arithmetic on numbers, and floats as decimal digits.
import { type Meter, TemplateError } from "./meter.ts";
import type { Arithmetic } from "./nodes.ts";

type Num = bigint | number;

function bits(value: bigint): number {
  return value.toString(16).length * 4;
}

/** An int as a float. */
export function toFloat(value: Num): number {
  const float = Number(value);
  if (typeof value === "bigint" && !Number.isFinite(float)) {
    throw new TemplateError("int too large to convert to float");
  }
  return float;
}

export function arithmetic(meter: Meter, operator: Arithmetic, a: Num, b: Num): Num {
  if (typeof a === "bigint" && typeof b === "bigint") return integers(meter, operator, a, b);
  return floats(operator, toFloat(a), toFloat(b));
}

function integers(meter: Meter, operator: Arithmetic, a: bigint, b: bigint): Num {
  if (b === 0n && (operator === "/" || operator === "//" || operator === "%")) throw division();
  switch (operator) {
    case "+":
      meter.integer(Math.max(bits(a), bits(b)) + 1);
      return a + b;
    case "-":
      meter.integer(Math.max(bits(a), bits(b)) + 1);
      return a - b;
    case "*":
      meter.integer(bits(a) + bits(b));
      return a * b;
    case "/":
      return toFloat(a) / toFloat(b);
    case "//": {
      const quotient = a / b;
      return a % b !== 0n && (a < 0n) !== (b < 0n) ? quotient - 1n : quotient;
    }
    case "%": {
      const rest = a % b;
      return rest !== 0n && (rest < 0n) !== (b < 0n) ? rest + b : rest;
    }
    case "**":
      if (b < 0n) return floats("**", toFloat(a), toFloat(b));
      if (a >= -1n && a <= 1n) return a === -1n ? (b % 2n === 0n ? 1n : -1n) : b === 0n ? 1n : a;
      meter.integer(bits(a) * Number(b));
      return a ** b;
  }
}

function floats(operator: Arithmetic, a: number, b: number): number {
  if (b === 0 && (operator === "/" || operator === "//" || operator === "%")) throw division();
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "%":
      return modulo(a, b);
    case "//": {
      const quotient = (a - modulo(a, b)) / b;
      const floor = Math.floor(quotient);
      return quotient === 0 ? (a / b < 0 || Object.is(a / b, -0) ? -0 : 0) : quotient - floor > 0.5 ? floor + 1 : floor;
    }
    case "**": {
      if (a === 0 && b < 0) throw new TemplateError("0.0 cannot be raised to a negative power");
      if (a < 0 && !Number.isInteger(b) && Number.isFinite(b)) {
        throw new TemplateError("complex numbers are not supported");
      }
      if (a === 1 || b === 0) return 1;
      const power = a ** b;
      if (!Number.isFinite(power) && Number.isFinite(a) && Number.isFinite(b)) {
        throw new TemplateError("result too large");
      }
      return power;
    }
  }
}

function modulo(a: number, b: number): number {
  const rest = a % b;
  if (rest === 0) return b < 0 ? -0 : 0;
  return (rest < 0) !== (b < 0) ? rest + b : rest;
}

function division(): TemplateError {
  return new TemplateError("division by zero");
}

/** A float as the fraction numerator / 2^shift, exactly. */
function fraction(value: number): { numerator: bigint; shift: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const exponent = (view.getUint16(0) >> 4) & 0x7ff;
  const mantissa = view.getBigUint64(0) & 0xfffffffffffffn;
  const numerator = exponent === 0 ? mantissa : mantissa | 0x10000000000000n;
  return { numerator, shift: 1075 - Math.max(1, exponent) };
}

/** numerator / denominator to the nearest integer, ties to even. */
function nearest(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = 2n * (numerator % denominator);
  return twice > denominator || (twice === denominator && quotient % 2n === 1n) ? quotient + 1n : quotient;
}

/** |value| with so many digits behind the point (negative: before it), correctly rounded. */
export function fixed(value: number, places: number): string {
  const { numerator, shift } = fraction(Math.abs(value));
  const up = 10n ** BigInt(Math.max(0, places)), down = 10n ** BigInt(Math.max(0, -places));
  const scaled = numerator * up * (shift < 0 ? 1n << BigInt(-shift) : 1n);
  const digits = (nearest(scaled, (shift > 0 ? 1n << BigInt(shift) : 1n) * down) * down).toString();
  if (places <= 0) return digits;
  const padded = digits.padStart(places + 1, "0");
  return `${padded.slice(0, -places)}.${padded.slice(-places)}`;
}

/** |value| as `digits` decimal digits and the power of ten of the first one, correctly rounded. */
export function scientific(value: number, digits: number): { digits: string; exponent: number } {
  if (value === 0) return { digits: "0".repeat(digits), exponent: 0 };
  const size = Math.abs(value);
  let exponent = Number(size.toExponential().split("e")[1]);
  let text = fixed(size, digits - 1 - exponent).replace(/^0*\.?0*|\./g, "");
  if (digits - 1 - exponent < 0) text = text.slice(0, text.length - (exponent - digits + 1));
  if (text.length > digits) {
    text = text.slice(0, digits); // 9.99 became 10.0
    exponent++;
  }
  return { digits: text, exponent };
}

/** As repr() shows a float: the shortest digits that give it back. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const [mantissa, power] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    return `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  const text = Math.abs(value) < 1e-6 ? String(value) : value.toString();
  const shown = text.includes("e") ? value.toFixed(20).replace(/0+$/, "") : text;
  return shown.includes(".") ? shown : `${shown}.0`;
}

/** As str() shows an int. */
export function intText(meter: Meter, value: bigint): string {
  const text = value.toString();
  meter.spend(text.length);
  if (text.length > 4300 + (value < 0n ? 1 : 0)) throw new TemplateError("an integer has more than 4300 digits");
  return text;
}

/** round(value, places), ties to even. */
export function round(value: number, places: number): number {
  if (!Number.isFinite(value)) return value;
  if (places > 330) return value;
  if (places < -330) return value < 0 ? -0 : 0;
  const rounded = Number(fixed(value, places));
  if (!Number.isFinite(rounded)) throw new TemplateError("rounded value too large to represent");
  return value < 0 || Object.is(value, -0) ? -rounded : rounded;
}

/** round(value, places) of an int. */
export function roundInteger(value: bigint, places: number): bigint {
  if (places >= 0) return value;
  if (places < -4300) return 0n;
  const unit = 10n ** BigInt(-places);
  const size = nearest(value < 0n ? -value : value, unit) * unit;
  return value < 0n ? -size : size;
}
