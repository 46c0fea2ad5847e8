/**
 * One moment of a traced process: a call was entered (`isDone` false) or has returned. A tracer stops a thread at both, and no
 * thread can act on a return before the tracer has noted it: so the order of moments is an order of cause and effect.
 */
export type Moment = {
  readonly call: string;
  readonly isDone: boolean;
  /** Where its file descriptor leads, as `strace -yy` says it: a path, or `TCP:[…]`. */
  readonly target: string;
  /** The strings among its arguments, paths and what was read or written; of a read only on return. */
  readonly strings: readonly Buffer[];
  /** An `openat` that makes the file where it is not there. */
  readonly isMaking: boolean;
  /** Undefined until it has returned. */
  readonly result: number | undefined;
  readonly line: number;
};

const LINE = /^(\d+) +(.*)$/s;
const BEGUN = /^(\w+)\((.*) <unfinished \.\.\.>$/s;
const RESUMED = /^<\.\.\. (\w+) resumed>(.*)$/s;
const WHOLE = /^(\w+)\((.*)$/s;
const RESULT = /\) += (-?\d+)[^"]*$/;
const TARGET = /^(?:AT_FDCWD|\d+)<((?:->|[^>])*)>/;
const QUOTED = /"((?:[^"\\]|\\.)*)"/gs;

/** Moments in order, from the lines of `strace -f -yy -s <large>`. Throws where a string was cut short. */
export function* momentsOf(lines: Iterable<string>): Generator<Moment> {
  const begun = new Map<string, string>();
  let line = 0;
  for (const text of lines) {
    line += 1;
    const [, thread = '', rest = ''] = LINE.exec(text) ?? [];
    if (rest.includes('"...')) throw new Error(`line ${line} of the trace is cut short`);
    const resumed = RESUMED.exec(rest);
    const unfinished = BEGUN.exec(rest);
    if (resumed) {
      const before = begun.get(thread) ?? '';
      begun.delete(thread);
      yield momentOf(resumed[1] ?? '', `${before}${resumed[2]}`, line, true);
    } else if (unfinished) {
      begun.set(thread, unfinished[2] ?? '');
      yield momentOf(unfinished[1] ?? '', unfinished[2] ?? '', line, false);
    } else {
      const [, call, args = ''] = WHOLE.exec(rest) ?? [];
      if (call === undefined) continue; // a signal, or an end
      yield momentOf(call, args, line, false);
      yield momentOf(call, args, line, true);
    }
  }
}

function momentOf(call: string, args: string, line: number, isDone: boolean): Moment {
  const result = isDone ? RESULT.exec(args)?.[1] : undefined;
  return {
    call,
    isDone,
    target: TARGET.exec(args)?.[1] ?? '',
    strings: Array.from(args.matchAll(QUOTED), ([, text = '']) => unescaped(text)),
    isMaking: args.includes('|O_CREAT'),
    result: result === undefined ? undefined : Number(result),
    line,
  };
}

const NAMED: Readonly<Record<string, number>> = { n: 10, t: 9, v: 11, f: 12, r: 13, '"': 34, '\\': 92 };

/** Bytes of a string as strace prints it: C's escapes, octal ones of one to three digits. */
function unescaped(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] !== '\\') {
      bytes[length++] = text.charCodeAt(i);
      continue;
    }
    const octal = /^[0-7]{1,3}/.exec(text.slice(i + 1, i + 4))?.[0];
    bytes[length++] = octal ? Number.parseInt(octal, 8) : (NAMED[text[i + 1] ?? ''] ?? 0);
    i += octal ? octal.length : 1;
  }
  return bytes.subarray(0, length);
}
