/** Where it stands and which tab; what else an address holds (session ids, tokens, searches) is nobody's business. */
export function cutUrl(url: string): string {
  const end = url.search(/[?#]/);
  const place = (end === -1 ? url : url.slice(0, end)).replace(/^(https?:\/\/)[^/]*@/, '$1');
  const tab = end === -1 ? undefined : /[?&]tab=([\w.%-]*)/.exec(url)?.[1];
  return tab === undefined ? place : `${place}?tab=${tab}`;
}

/** A copy of any JSON whose addresses are cut. */
export function cutUrls(value: unknown): unknown {
  if (typeof value === 'string') return /^https?:\/\//i.test(value) ? cutUrl(value) : value;
  if (Array.isArray(value)) return value.map(cutUrls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, cutUrls(inner)]));
}

const LABEL_CHARACTERS = 80;

/** The text of a menu's entry: it tells a paste by the menu. What a student wrote elsewhere on the page is dropped. */
export function labelOf(className: unknown, innerText: unknown): string | undefined {
  const isEntry = typeof className === 'string' && className.includes('goog-menuitem');
  if (!isEntry || typeof innerText !== 'string' || innerText.length > LABEL_CHARACTERS) return undefined;
  return innerText;
}
