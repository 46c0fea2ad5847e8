/** A copy that a step has made for itself, and may change until it gives it away. */
export type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };
