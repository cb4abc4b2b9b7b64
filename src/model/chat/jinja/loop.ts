// The variable `loop` of a `for`.
import { equal, iterate, length } from "./compare.ts";
import { bind } from "./bind.ts";
import { type Meter, TemplateError } from "./meter.ts";
import { type Arguments, Callable, Iter, orElse, Thing, Tuple, Undefined, type Value } from "./values.ts";

export class LoopContext extends Thing {
  override readonly callable = true;
  #index = -1;
  #length: number | undefined;
  readonly #iterator: Iterator<Value>;
  /** Elements that were looked at before their turn. */
  #ahead: Value[] = [];
  #before: Value | undefined;
  #current: Value | undefined;
  #changed: Tuple | undefined;

  constructor(
    private readonly meter: Meter,
    iterable: Value,
    private readonly depth: number,
    private readonly recurse: ((iterable: Value, depth: number) => Value) | undefined,
  ) {
    super();
    this.#iterator = iterate(meter, iterable);
    if (!(iterable instanceof Iter)) this.#length = length(meter, iterable);
  }

  /** The next element, or undefined at the end. */
  next(): Value | undefined {
    const value = this.#take();
    if (value === undefined) return undefined;
    this.#index++;
    this.#before = this.#current;
    this.#current = value;
    return value;
  }

  #take(): Value | undefined {
    return this.#ahead.length > 0 ? this.#ahead.shift() : this.#pull();
  }

  #pull(): Value | undefined {
    const { value, done } = this.#iterator.next();
    return done ? undefined : value;
  }

  #peek(): Value | undefined {
    if (this.#ahead.length === 0) {
      const value = this.#pull();
      if (value !== undefined) this.#ahead.push(value);
    }
    return this.#ahead[0];
  }

  #count(): number {
    if (this.#length === undefined) {
      for (let value = this.#pull(); value !== undefined; value = this.#pull()) this.#ahead.push(value);
      this.meter.items(this.#ahead.length);
      this.#length = this.#index + 1 + this.#ahead.length;
    }
    return this.#length;
  }

  get shown(): string {
    return `<LoopContext ${this.#index + 1}/${this.#count()}>`;
  }

  #method(name: string): string {
    return `<bound method LoopContext.${name} of ${this.shown}>`;
  }

  attribute(name: string): Value | undefined {
    switch (name) {
      case "index":
        return BigInt(this.#index + 1);
      case "index0":
        return BigInt(this.#index);
      case "first":
        return this.#index === 0;
      case "last":
        return this.#peek() === undefined;
      case "length":
        return BigInt(this.#count());
      case "revindex":
        return BigInt(this.#count() - this.#index);
      case "revindex0":
        return BigInt(this.#count() - this.#index - 1);
      case "depth":
        return BigInt(this.depth + 1);
      case "depth0":
        return BigInt(this.depth);
      case "previtem":
        return this.#index === 0 ? new Undefined("there is no previous item") : this.#before;
      case "nextitem":
        return orElse(this.#peek(), () => new Undefined("there is no next item"));
      case "cycle":
        return new Callable(this.#method(name), ({ positional }) => {
          if (positional.length === 0) throw new TemplateError("no items for cycling given");
          return positional[this.#index % positional.length];
        });
      case "changed":
        return new Callable(this.#method(name), ({ positional }) => {
          const value = new Tuple(positional);
          if (this.#changed !== undefined && equal(this.meter, this.#changed, value)) return false;
          this.#changed = value;
          return true;
        });
    }
  }

  /** What is gone through here is not gone through by the loop. */
  override *elements(): Iterable<Value> {
    for (let value = this.next(); value !== undefined; value = this.next()) yield new Tuple([value, this]);
  }

  override size(): number {
    return this.#count();
  }

  override call(args: Arguments): Value {
    const [iterable] = bind("loop", args, ["iterable"], 1);
    if (this.recurse) return this.recurse(iterable!, this.depth + 1);
    throw new TemplateError("The loop must have the 'recursive' marker to be called recursively.");
  }
}
