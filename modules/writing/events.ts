import { z } from 'zod';
import { defineEventSource, keyField, type Text, text as texts } from '#modules/kit/index.ts';

/** Positions count UTF-16 units from 0. */
export type Insertion = {
  readonly kind: 'ins';
  readonly pos: number;
  readonly text: string;
  /** At most 16 characters left of `pos`, up to the nearest part not seen. */
  readonly before: string;
  /** 0 to 1, from 20 characters on: how much of it was neither in the text nor lately deleted. */
  readonly novelty?: number;
};

/** Removes `text.length + unknown` characters; `unknown` counts parts not seen, which `text` leaves out. */
export type Deletion = {
  readonly kind: 'del';
  readonly pos: number;
  readonly text: string;
  readonly unknown: number;
};
export type Op = Insertion | Deletion;

const at = { doc: z.string(), t: z.number() };
const ops = z.custom<readonly Op[]>((value) => Array.isArray(value), 'not a list of ops');
const text = z.custom<Text>(texts.isText, 'not a text');
/** The document's text after it, as the editor's module holds it: shared by reference, so that no reader folds it again. */
const after = { text, cursor: z.number(), length: z.number(), words: z.number(), unknown: z.number() };

/**
 * What every editor is read as. Derived: an editor's module emits it, nothing of it is archived. `t` is the corrected
 * time in ms (`clock.ts`) and never runs back within a document; `tab` is `t.0` where an editor knows no tabs.
 */
export const writing = defineEventSource({
  name: 'writing',
  isInternal: true,
  events: {
    /** First sight of a document or tab, or a changed title; a null title says nothing about it. */
    open: z.object({ ...at, tab: z.string(), title: z.string().nullable() }),
    edit: z.object({ ...at, tab: z.string(), ops, ...after }),
    /** The text was replaced, not produced. */
    load: z.object({ ...at, tab: z.string(), ...after, reason: z.enum(['history', 'template', 'revert']) }),
    key: z.object({
      ...at,
      tab: z.string().optional(),
      class: z.enum(['printing', 'enter', 'erase', 'move', 'other']),
    }),
    hint: z.object({ ...at, what: z.enum(['paste-key', 'paste-menu', 'undo']) }),
    attention: z.object({ ...at, tab: z.string().optional(), kind: z.enum(['click', 'focus', 'blur']) }),
    visibility: z.object({ ...at, tab: z.string().optional(), visible: z.boolean() }),
  },
});

export const doc = keyField('doc', (event: { doc: string }) => event.doc);

/** The tab of a document that has no others. */
export const MAIN_TAB = 't.0';
