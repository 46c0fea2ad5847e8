import { z } from 'zod';
import { defineEventSource, keyField } from '#modules/kit/index.ts';
import { KEY_CLASSES, keyClassOf } from './key-class.ts';
import { cutUrl, cutUrls, labelOf } from './minimise.ts';

/** An editing command of Google Docs; what its other fields mean is for the fold (`reducers/commands.ts`). */
export type Command = { readonly ty: string; readonly [field: string]: unknown };
type Bundle = { readonly commands: readonly Command[] };
/** A command and when (ms), by whom, as which revision and in which session it was given. */
export type Change = readonly [command: Command, ...rest: unknown[]];

type Refine = z.core.$RefinementCtx;
type Path = (string | number)[];

function refuse(ctx: Refine, message: string, ...path: Path): never[] {
  ctx.addIssue({ code: 'custom', message, path });
  return [];
}

export const isCommand = (value: unknown): value is Command =>
  typeof value === 'object' && value !== null && typeof (value as Command).ty === 'string';

/** By hand and not by nested schemas: a save comes with nearly every keystroke, and this is half its cost. */
const bundles = z.unknown().transform((value, ctx): readonly Bundle[] => {
  if (!Array.isArray(value)) return refuse(ctx, 'not a list');
  for (let i = 0; i < value.length; i += 1) {
    const commands: unknown = value[i]?.commands;
    if (!Array.isArray(commands)) return refuse(ctx, 'not a list', i, 'commands');
    const wrong = commands.findIndex((command) => !isCommand(command));
    if (wrong !== -1) return refuse(ctx, 'not a command', i, 'commands', wrong, 'ty');
  }
  return value.map(({ commands }: Bundle) => ({ commands }));
});

const changelog = z.unknown().transform((value, ctx): readonly Change[] => {
  if (!Array.isArray(value)) return refuse(ctx, 'not a list');
  const wrong = value.findIndex((change) => !Array.isArray(change) || !isCommand(change[0]));
  return wrong === -1 ? value : refuse(ctx, 'not a change', wrong, 0);
});

const word = z.string().max(300).nullish();
const url = z.string().transform(cutUrl).nullish();
const anything = z.unknown().transform(cutUrls);

const isScalar = (value: unknown): value is string | number =>
  typeof value === 'string' ? value.length <= 64 : Number.isFinite(value);
/** By hand for the same reason: a union tries its members one after the other. */
const time = z.custom<string | number>(isScalar).nullish();
const revision = z
  .custom<string | number | readonly (string | number)[]>(
    (value) => isScalar(value) || (Array.isArray(value) && value.every(isScalar)),
  )
  .nullish();

const save = {
  doc_id: z.string().min(1),
  tab_id: word,
  url,
  bundles,
  rev: revision,
  timestamp: time,
};

const about = {
  doc_id: word,
  object: z.object({ type: word, title: z.string().max(2000).nullish(), id: word, tab_id: word, url }),
};

/** A browser's event; its names may hold dots. */
const happened = { type: word, timeStamp: z.number().nullish() };

const keystroke = z.record(z.string(), z.unknown()).transform(({ type, timeStamp, ...pressed }) => ({
  type: typeof type === 'string' ? type.slice(0, 32) : null,
  timeStamp: typeof timeStamp === 'number' ? timeStamp : null,
  class: KEY_CLASSES.find((known) => known === pressed.class) ?? keyClassOf(pressed),
}));

const mouseclick = z.record(z.string(), z.unknown()).transform((click) => {
  const { type, timeStamp, 'target.className': className, 'target.innerText': innerText } = click;
  const label = labelOf(className, innerText);
  return {
    type: typeof type === 'string' ? type.slice(0, 32) : null,
    timeStamp: typeof timeStamp === 'number' ? timeStamp : null,
    ...(label === undefined ? {} : { 'target.className': 'goog-menuitem', 'target.innerText': label }),
  };
});

const open = z.object({ doc_id: word }).catchall(anything);

/** What the browser extension of Learning Observer reports about Google Docs (its names). */
export const googleDocs = defineEventSource({
  name: 'org.mitros.writing_analytics',
  events: {
    google_docs_save: z.object(save),
    google_docs_save_extra: z.object({ ...save, formdata: anything }),
    document_loaded: z.object(about),
    document_history: z.object({ ...about, history: z.object({ changelog }) }),
    google_document_history_error: z.object({ ...about, error: anything }),
    keystroke: z.object({ ...about, keystroke }),
    mouseclick: z.object({ ...about, mouseclick }),
    attention: z.object({ ...about, attention: z.object(happened) }),
    /** `visible` is a newer client's; the old one tells that it changed and not how. */
    visibility: z.object({ ...about, visibility: z.object({ ...happened, visible: z.boolean().nullish() }) }),
    extension_loaded: open,
    debug: open,
    BROWSER_INFO: open,
    metadata_finished: open,
  },
  before,
  declines: ['childList', 'characterData', 'raw_http_request'],
  maxBytes: { document_history: 32 * 1024 * 1024 },
});

export const doc = keyField('doc', (event: { doc_id?: string | null }) => event.doc_id || undefined);

const RENAMED = new Set(
  (
    'event-type wa-source user-tag teacher-tag process-server unique-id generated-id local-storage ' +
    'background-page client-page character-count total-time-on-task summary-stats student-data'
  ).split(' '),
);
const DOCUMENT = /^https:\/\/docs\.google\.com\/document\/(?:u\/\d+\/)?d\/([\w-]+)\/\w/;

/** Older clients write `-` in names, and name the document by its address alone. */
function before(_event: string, body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const renamed = Object.keys(body).some((name) => RENAMED.has(name)) ? underscored(body) : body;
  if (renamed.doc_id) return renamed;
  const found = documentOf(renamed.object);
  return found === undefined ? renamed : { ...renamed, doc_id: found };
}

function underscored(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      RENAMED.has(name) ? name.replaceAll('-', '_') : name,
      value,
    ]),
  );
}

function documentOf(object: unknown): string | undefined {
  const address = typeof object === 'object' && object !== null && 'url' in object ? object.url : undefined;
  return typeof address === 'string' ? DOCUMENT.exec(address)?.[1] : undefined;
}
