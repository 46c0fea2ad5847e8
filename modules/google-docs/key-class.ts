/** What kind of key was pressed; which one is never kept. */
export const KEY_CLASSES = [
  'letter',
  'digit',
  'punctuation',
  'space',
  'enter',
  'erase',
  'move',
  'shortcut:c',
  'shortcut:x',
  'shortcut:v',
  'shortcut:z',
  'shortcut:y',
  'modifier',
  'other',
] as const;
export type KeyClass = (typeof KEY_CLASSES)[number];

const NAMED: { readonly [key: string]: KeyClass } = {
  Enter: 'enter',
  Backspace: 'erase',
  Delete: 'erase',
  ArrowLeft: 'move',
  ArrowRight: 'move',
  ArrowUp: 'move',
  ArrowDown: 'move',
  Home: 'move',
  End: 'move',
  PageUp: 'move',
  PageDown: 'move',
  Shift: 'modifier',
  Control: 'modifier',
  Alt: 'modifier',
  AltGraph: 'modifier',
  Meta: 'modifier',
  CapsLock: 'modifier',
  // An input method or a touch keyboard does not say which key: it is one that writes.
  Process: 'letter',
  Unidentified: 'letter',
};

type Pressed = Readonly<Record<string, unknown>>;

/** @param pressed a `KeyboardEvent`'s fields as the client sent them. */
export function keyClassOf(pressed: Pressed): KeyClass {
  const { key } = pressed;
  if (typeof key !== 'string' || key === '') return ofCode(pressed);
  if ([...key].length > 1) return Object.hasOwn(NAMED, key) ? (NAMED[key] as KeyClass) : 'other';
  if (isShortcut(pressed)) return shortcutOf(key);
  return ofCharacter(key);
}

/** Ctrl and Alt together write a character on many keyboards. */
const isShortcut = ({ ctrlKey, metaKey, altKey }: Pressed) =>
  (ctrlKey === true || metaKey === true) && altKey !== true;

function shortcutOf(key: string): KeyClass {
  const name = `shortcut:${key.toLowerCase()}`;
  return KEY_CLASSES.find((known) => known === name) ?? 'other';
}

function ofCharacter(character: string): KeyClass {
  if (/\s/.test(character)) return 'space';
  if (/\p{L}/u.test(character)) return 'letter';
  return /\p{N}/u.test(character) ? 'digit' : 'punctuation';
}

const CODES: readonly (readonly [from: number, to: number, kind: KeyClass])[] = [
  [8, 8, 'erase'],
  [13, 13, 'enter'],
  [16, 20, 'modifier'],
  [32, 32, 'space'],
  [33, 40, 'move'],
  [46, 46, 'erase'],
  [48, 57, 'digit'],
  [65, 90, 'letter'],
  [186, 222, 'punctuation'],
  [229, 229, 'letter'],
];

function ofCode(pressed: Pressed): KeyClass {
  const code = pressed.keyCode ?? pressed.which;
  if (typeof code !== 'number') return 'other';
  const kind = CODES.find(([from, to]) => code >= from && code <= to)?.[2] ?? 'other';
  return isShortcut(pressed) && kind === 'letter' ? shortcutOf(String.fromCharCode(code)) : kind;
}
