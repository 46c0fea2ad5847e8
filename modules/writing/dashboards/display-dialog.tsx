import { Dialog } from '#app/ui/dialog.tsx';
import { KEY_LIST } from './keys.ts';

type DisplayDialogProps = {
  readonly letters: boolean;
  readonly setLetters: (on: boolean) => void;
  readonly isCompact: boolean;
  readonly setCompact: (on: boolean) => void;
  readonly onClose: () => void;
};

/** The list of keys, the switch that turns them off, and the size of the cards. */
export function DisplayDialog(props: DisplayDialogProps) {
  return (
    <Dialog title="Keys and display" closeLabel="Close" onClose={props.onClose}>
      <dl className="lo-keys">
        {KEY_LIST.map(([keys, does]) => (
          <div key={does} className="lo-keys__line">
            <dt>
              {keys.map((key) =>
                key === '…' ? (
                  key
                ) : (
                  <kbd key={key} className="lo-kbd">
                    {key}
                  </kbd>
                ),
              )}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label className="lo-check">
        <input
          type="checkbox"
          checked={props.letters}
          onChange={(event) => props.setLetters(event.target.checked)}
        />
        Single keys act in this dashboard
      </label>
      <label className="lo-check">
        <input
          type="checkbox"
          checked={props.isCompact}
          onChange={(event) => props.setCompact(event.target.checked)}
        />
        Compact cards
      </label>
    </Dialog>
  );
}
