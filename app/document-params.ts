export type Search = { readonly [name: string]: string | readonly string[] | undefined };

/** The document and tab that the address bar names, as params of a student's query; the rest of the address is not ours. */
export function documentParams(search: Search): { readonly [name: string]: string } {
  const named = ['doc', 'tab'].flatMap((name) => {
    const value = search[name];
    return typeof value === 'string' && value !== '' ? [[name, value] as const] : [];
  });
  return Object.fromEntries(named);
}
