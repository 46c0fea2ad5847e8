'use client';
import { EditorContent, useEditor, useEditorState } from '@tiptap/react';
import StarterKit from '@tiptap/starter-kit';
import { Heading2, List, ListOrdered, Redo2, Undo2 } from 'lucide-react';
import { useEffect } from 'react';
import type { PadDocument } from '#app/capture/spool.ts';
import type { PadSession } from './pad-session.ts';

/** Paragraphs, headings and lists; no marks, since the text is what counts. */
const EXTENSIONS = [
  StarterKit.configure({
    bold: false,
    italic: false,
    underline: false,
    strike: false,
    code: false,
    codeBlock: false,
    blockquote: false,
    horizontalRule: false,
    link: false,
    heading: { levels: [2, 3] },
  }),
];

export function PadEditor({
  session,
  document,
  isReadOnly,
  onWords,
}: {
  readonly session: PadSession;
  readonly document: PadDocument;
  readonly isReadOnly: boolean;
  readonly onWords: (words: number) => void;
}) {
  const editor = useEditor(
    {
      extensions: EXTENSIONS,
      content: (document.content as object | null) ?? '',
      immediatelyRender: false,
      injectCSS: false, // the policy admits no style element without a nonce
      editable: !isReadOnly,
      editorProps: {
        attributes: {
          role: 'textbox',
          'aria-multiline': 'true',
          'aria-label': 'Your text',
          spellcheck: 'true',
          class: 'lo-pad__text',
        },
        handleKeyDown: (_view, event) => {
          session.pressed(event);
          return false;
        },
      },
      onCreate: ({ editor }) => {
        session.begin(editor);
        onWords(countWords(editor.getText({ blockSeparator: '\n' })));
      },
      onTransaction: ({ editor, transaction }) => {
        session.transacted(editor, transaction);
        if (transaction.docChanged) onWords(countWords(editor.getText({ blockSeparator: '\n' })));
      },
      onSelectionUpdate: ({ transaction }) => {
        if (!transaction.docChanged) session.moved();
      },
      onFocus: () => session.focused(true),
      onBlur: () => session.focused(false),
    },
    [session],
  );
  useEffect(() => {
    editor?.setEditable(!isReadOnly, false);
  }, [editor, isReadOnly]);
  const pressed = useEditorState({
    editor,
    selector: ({ editor }) => ({
      heading: editor?.isActive('heading') ?? false,
      bullets: editor?.isActive('bulletList') ?? false,
      numbers: editor?.isActive('orderedList') ?? false,
      canUndo: editor?.can().undo() ?? false,
      canRedo: editor?.can().redo() ?? false,
    }),
  });
  const act = () => editor?.chain().focus();
  return (
    <>
      <div className="lo-pad__tools" role="toolbar" aria-label="Form of the text">
        <Tool
          label="Heading"
          isPressed={pressed?.heading}
          onPress={() => act()?.toggleHeading({ level: 2 }).run()}
          icon={<Heading2 />}
        />
        <Tool
          label="List"
          isPressed={pressed?.bullets}
          onPress={() => act()?.toggleBulletList().run()}
          icon={<List />}
        />
        <Tool
          label="Numbered list"
          isPressed={pressed?.numbers}
          onPress={() => act()?.toggleOrderedList().run()}
          icon={<ListOrdered />}
        />
        <Tool
          label="Undo"
          isDisabled={!pressed?.canUndo}
          onPress={() => act()?.undo().run()}
          icon={<Undo2 />}
        />
        <Tool
          label="Redo"
          isDisabled={!pressed?.canRedo}
          onPress={() => act()?.redo().run()}
          icon={<Redo2 />}
        />
      </div>
      <EditorContent editor={editor} className="lo-pad__paper" />
    </>
  );
}

function Tool({
  label,
  icon,
  isPressed,
  isDisabled = false,
  onPress,
}: {
  readonly label: string;
  readonly icon: React.ReactNode;
  readonly isPressed?: boolean | undefined;
  readonly isDisabled?: boolean;
  readonly onPress: () => void;
}) {
  return (
    <button
      type="button"
      className="lo-tool"
      aria-pressed={isPressed}
      disabled={isDisabled}
      onClick={onPress}
      title={label}
    >
      {icon}
      <span className="lo-pad__label">{label}</span>
    </button>
  );
}

/** Words as the teacher's card counts them: runs without white space that hold a letter or a digit. */
export function countWords(text: string): number {
  return text.match(/\S*[\p{L}\p{N}]\S*/gu)?.length ?? 0;
}
