import { Field, textOf } from '../../ui/field.tsx';

/** The options of the providers that have any, as fields. */
export function OptionFields({ provider }: { readonly provider: string }) {
  if (provider === 'serixpay') {
    return (
      <label className="check">
        <input type="checkbox" name="reserialised" />
        <span>
          Accept re-serialised signatures
          <small>Only if signatures fail although the secret is right.</small>
        </span>
      </label>
    );
  }
  if (provider !== 'echezona') return null;
  return (
    <>
      <Field label="Signature header" hint="As your contact at Echezona told you.">
        {(field) => <input {...field} name="header" placeholder="x-signature" spellCheck={false} />}
      </Field>
      <div className="field-row">
        <Field label="Hash">
          {(field) => (
            <select {...field} name="hash">
              <option>sha256</option>
              <option>sha512</option>
            </select>
          )}
        </Field>
        <Field label="Encoding">
          {(field) => (
            <select {...field} name="encoding">
              <option>hex</option>
              <option>base64</option>
            </select>
          )}
        </Field>
        <Field label="Amounts are in">
          {(field) => (
            <select {...field} name="amountUnit">
              <option value="major">Naira</option>
              <option value="minor">Kobo</option>
            </select>
          )}
        </Field>
      </div>
    </>
  );
}

/** Null: nothing to say. */
export function readOptions(provider: string, form: FormData): Readonly<Record<string, unknown>> | null {
  if (provider === 'serixpay') return form.get('reserialised') === 'on' ? { reserialised: true } : null;
  if (provider !== 'echezona') return null;
  const header = textOf(form, 'header');
  const signature = header === '' ? {} : { signature: { header, hash: textOf(form, 'hash'), encoding: textOf(form, 'encoding') } };
  return { ...signature, amountUnit: textOf(form, 'amountUnit') };
}
