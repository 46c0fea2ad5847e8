import { describe, expect, it } from 'vitest';
import { documentParams } from '#app/document-params.ts';
import { initialsOf } from './top-bar.tsx';

describe('initials', () => {
  it.each([
    ['Marguerite Okonjo', 'MO'],
    ['Ana Maria de la Cruz', 'AC'],
    ['  élodie  ', 'É'],
    ['𝒜da Lovelace', '𝒜L'],
    ['', ''],
  ])('of %s are %s', (name, initials) => {
    expect(initialsOf(name)).toBe(initials);
  });
});

describe('the document in the address', () => {
  it('is a param of the query; everything else in the address is not', () => {
    expect(documentParams({ doc: 'd1', tab: 't.1', largePaste: '20' })).toEqual({ doc: 'd1', tab: 't.1' });
  });

  it('named twice or empty is none', () => {
    expect(documentParams({ doc: ['d1', 'd2'], tab: '' })).toEqual({});
  });
});
