import { Icon } from './icons.tsx';

/** Label, field, help and, in their place, what is wrong and what to give instead. */
export function Field(props: {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly help?: string;
  readonly error?: string | undefined;
  readonly defaultValue?: string | undefined;
  readonly autoComplete?: string;
}) {
  const { id, error } = props;
  return (
    <div className={`lo-field${error ? ' is-wrong' : ''}`}>
      <label htmlFor={id}>{props.label}</label>
      <input
        className="input"
        id={id}
        name={props.name}
        defaultValue={props.defaultValue}
        autoComplete={props.autoComplete ?? 'off'}
        required
        aria-invalid={error ? true : undefined}
        aria-describedby={`${id}-help`}
      />
      <span id={`${id}-help`} className={error ? 'lo-field__error' : 'lo-meta'}>
        {error && <Icon name="triangle-alert" />}
        {error ?? props.help}
      </span>
    </div>
  );
}
