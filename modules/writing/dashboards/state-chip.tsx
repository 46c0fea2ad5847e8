import { Chip } from '#app/ui/chip.tsx';
import { Elapsed } from './now.tsx';
import type { State, Word } from './state-word.ts';
import { LOOK_OF } from './words.ts';

/** A student's word with its icon; *quiet* with its timer, *no signal* as *paused* while the student paused. */
export function StateChip(props: Omit<State, 'cause'> & { readonly isWaiting?: boolean }) {
  const { word, since, note, isWaiting = false } = props;
  return (
    <Chip {...LOOK_OF[word]} isSolid={isWaiting}>
      {note === 'paused' ? 'paused' : word}
      {word === 'quiet' && since !== null && (
        <>
          {' '}
          <Elapsed since={since} />
        </>
      )}
    </Chip>
  );
}

/** A word and its icon, alone. */
export function WordChip({ word, label }: { readonly word: Word; readonly label: string }) {
  return <Chip {...LOOK_OF[word]}>{label}</Chip>;
}
