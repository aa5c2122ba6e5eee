/** A form that is a request about a record: its fields from the schema, its `curl` beside it, sent once it is confirmed. */
import type { JSX, TargetedEvent } from 'preact';
import { useState } from 'preact/hooks';
import { timedKey } from '@tandem-clouds/client/keys';
import { ApiError, askWhole, sitePath } from '../api.ts';
import { recordCurl } from '../entities.ts';
import {
  fieldAt,
  type FormField,
  formFields,
  type FormSchema,
  readChange,
  readForm,
  type Texts,
  textsOf,
} from '../json-form.ts';
import type { RecordValues } from '../versions.ts';
import { AsCurl } from './as-curl.tsx';
import { confirmed } from './confirm.tsx';
import { say } from './say.tsx';

export interface RequestFormProps {
  /** Names the form, and the button. */
  readonly title: string;
  readonly act: string;
  readonly schema: FormSchema;
  readonly site: string;
  readonly method: 'POST' | 'PATCH' | 'DELETE';
  /** Without a slash at its begin. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A change: of this record, in this version. */
  readonly base?: { readonly record: RecordValues; readonly etag?: string | undefined };
  /** `If-Match` of what changes nothing by itself. */
  readonly etag?: string | undefined;
  /** Sent once, however often it is pressed: not of deletions, which are the same twice. */
  readonly isKeyed: boolean;
  readonly isDangerous?: boolean;
  /** What will come of it, a sentence each. */
  readonly will: readonly string[];
  readonly done?: (record: RecordValues | undefined) => void;
}

export function RequestForm(props: RequestFormProps): JSX.Element {
  const { title, act, schema, site, method, path, base, etag, isKeyed, isDangerous = false } = props;
  const fields = formFields(schema);
  const [texts, setTexts] = useState<Texts>(() => (base === undefined ? {} : textsOf(fields, base.record)));
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({});
  const [general, setGeneral] = useState<string | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);
  const [key, setKey] = useState(() => timedKey(Date.now()));

  const read = (): ReturnType<typeof readForm> =>
    base === undefined ? readForm(fields, texts) : readChange(fields, texts, base.record);
  const version = base?.etag ?? etag;
  const headers = {
    ...props.headers,
    ...(version !== undefined && { 'if-match': version }),
    ...(isKeyed && { 'idempotency-key': key }),
  };
  const bodyOf = (body: RecordValues): { body?: RecordValues } => (method === 'DELETE' ? {} : { body });

  const send = async (event: TargetedEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    if (isBusy) return;
    const { body, problems: wrong } = read();
    setProblems(wrong);
    setGeneral(undefined);
    if (Object.keys(wrong).length > 0) return;
    if (base !== undefined && Object.keys(body).length === 0) {
      setGeneral('Nothing is changed.');
      return;
    }
    const why = await confirmed({
      title,
      will: [
        `${method} /${path} at ${site}${version === undefined ? '' : `, if it is still the version ${version}`}.`,
        ...(base === undefined ? [] : [`Changes ${Object.keys(body).join(', ')}.`]),
        ...props.will,
      ],
      act,
      isDangerous,
    });
    if (why === undefined) return;
    setBusy(true);
    try {
      const answer = await askWhole<RecordValues | undefined>(sitePath(site, path), {
        method,
        headers,
        ...bodyOf(body),
        why,
      });
      say(`${title}: done at ${site}${answer.status === 202 ? '; not yet confirmed at every peer' : ''}.`);
      setKey(timedKey(Date.now()));
      props.done?.(answer.value);
    } catch (error) {
      const { at, rest } = placed(error, fields);
      setProblems(at);
      setGeneral(rest);
      // What was refused has not happened; of what may have, the same key is the same request.
      if (error instanceof ApiError && error.status >= 400 && error.status < 500)
        setKey(timedKey(Date.now()));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form class="request" onSubmit={(event) => void send(event)} aria-label={title} noValidate>
      {fields.map((field) => (
        <Field
          key={field.name}
          field={field}
          form={title}
          text={texts[field.name] ?? ''}
          problem={problems[field.name]}
          onText={(text) => setTexts((old) => ({ ...old, [field.name]: text }))}
        />
      ))}
      {general !== undefined && (
        <p class="problem" role="alert">
          {general}
        </p>
      )}
      <div class="buttons">
        <button type="submit" class={isDangerous ? 'danger' : 'primary'} disabled={isBusy}>
          {isBusy ? 'Under way …' : act}
        </button>
      </div>
      <AsCurl of={title} text={() => recordCurl(site, { path, method, headers, ...bodyOf(read().body) })} />
    </form>
  );
}

/** What the API says, at the fields that it says it of. */
export function placed(
  error: unknown,
  fields: readonly Pick<FormField, 'name'>[],
): { readonly at: Readonly<Record<string, string>>; readonly rest: string | undefined } {
  const whole = error instanceof Error ? error.message : String(error);
  if (!(error instanceof ApiError) || error.errors.length === 0) return { at: {}, rest: whole };
  const at: Record<string, string> = {};
  for (const { pointer, detail } of error.errors) {
    const { name } = fields.find((field) => field.name === fieldAt(pointer)) ?? {};
    if (name === undefined) return { at, rest: whole };
    const inner = pointer.slice(name.length + 1);
    const text = inner === '' ? detail : `${inner} ${detail}`;
    at[name] = at[name] === undefined ? text : `${at[name]}; ${text}`;
  }
  return { at, rest: undefined };
}

function Field({
  field,
  form,
  text,
  problem,
  onText,
}: {
  field: FormField;
  form: string;
  text: string;
  problem: string | undefined;
  onText: (text: string) => void;
}): JSX.Element {
  const { name, kind, choices, isRequired, isIncrement, note } = field;
  const id = `${form}-${name}`.replaceAll(/[^A-Za-z0-9-]/g, '-');
  const hint = [isIncrement ? 'what is added to it' : kind === 'json' ? 'JSON' : '', note]
    .filter((each) => each !== '')
    .join(', ');
  const common = {
    id,
    name,
    'aria-describedby': `${id}-note`,
    ...(problem !== undefined && { 'aria-invalid': true as const }),
    ...(isRequired && { 'aria-required': true as const }),
  };
  return (
    <div class="field">
      <label for={id}>
        {name}
        {isRequired && <span aria-hidden="true"> *</span>}
      </label>
      {kind === 'choice' || kind === 'flag' ? (
        <select {...common} value={text} onChange={({ currentTarget }) => onText(currentTarget.value)}>
          <option value="">—</option>
          {(kind === 'flag' ? ['true', 'false'] : choices).map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      ) : kind === 'lines' || kind === 'json' ? (
        <textarea
          {...common}
          rows={3}
          spellcheck={false}
          value={text}
          onInput={({ currentTarget }) => onText(currentTarget.value)}
        />
      ) : (
        <input
          {...common}
          autoComplete="off"
          inputMode={kind === 'number' ? 'decimal' : 'text'}
          value={text}
          onInput={({ currentTarget }) => onText(currentTarget.value)}
        />
      )}
      <small id={`${id}-note`}>
        {hint}
        {problem !== undefined && <span class="problem"> {problem}</span>}
      </small>
    </div>
  );
}
