import { z } from 'zod';
import { defineEventSource, keyField } from '#modules/kit/index.ts';

const doc = z.string().min(1).max(64);
const title = z.string().max(300);
const position = z.number().int().min(0);

/** One replacement in the plain text: at `pos` (UTF-16 units, from 0) `cut` characters go and `put` comes. */
const change = z.tuple([position, position, z.string()]);

/**
 * The built-in writing page. One event per transaction of its editor, so the edits themselves are as precise as keys.
 * `length` is the text's after the change: a fold that disagrees has missed something and says so.
 */
export const writingPad = defineEventSource({
  name: 'writing-pad',
  events: {
    opened: z.object({ doc, title: title.nullable() }),
    titled: z.object({ doc, title }),
    edited: z.object({ doc, changes: z.array(change).min(1).max(64), length: position }),
    /** What the next insertion comes from. */
    hinted: z.object({ doc, what: z.enum(['paste-key', 'paste-menu', 'undo']) }),
    moved: z.object({ doc }),
    focused: z.object({ doc, focused: z.boolean() }),
    visibility: z.object({ doc, visible: z.boolean() }),
  },
});

export type Change = z.output<typeof change>;

export const padDoc = keyField('doc', (event: { doc: string }) => event.doc);
