import { useState } from 'react';
import { useLocation } from 'wouter';
import { createSource } from '../../api/actions.ts';
import { useProviders } from '../../api/queries.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Field, textOf } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { OptionFields, readOptions } from './options.tsx';

export function CreateSource({ onClose }: { readonly onClose: () => void }) {
  const providers = useProviders().data ?? [];
  const [chosen, setChosen] = useState('');
  const [, navigate] = useLocation();
  const provider = providers.find(({ id }) => id === chosen) ?? providers[0];
  const submit = async (form: FormData): Promise<void> => {
    if (provider === undefined) return;
    const name = textOf(form, 'name');
    const secret = textOf(form, 'secret');
    const options = readOptions(provider.id, form);
    const source = await createSource({
      provider: provider.id,
      ...(name === '' ? {} : { name }),
      ...(secret === '' ? {} : { secret }),
      ...(options === null ? {} : { options }),
    });
    navigate(`/sources/${source.id}`);
  };
  return (
    <Dialog title="Add a source" onClose={onClose}>
      <Form submit="Add source" onSubmit={submit}>
        <Field label="Provider" hint={provider?.about}>
          {(field) => (
            <select {...field} name="provider" value={provider?.id ?? ''} onChange={(event) => setChosen(event.target.value)} autoFocus>
              {providers.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field
          label="Secret"
          hint={provider === undefined ? undefined : `Exactly as ${provider.name} shows it. Used for: ${provider.signature}.`}
        >
          {(field) => (
            <input
              {...field}
              name="secret"
              type="password"
              autoComplete="off"
              spellCheck={false}
              required={provider?.authenticity !== 'none'}
            />
          )}
        </Field>
        <Field label="Name" hint="Yours alone; may stay empty.">
          {(field) => <input {...field} name="name" placeholder={provider?.name} />}
        </Field>
        {provider !== undefined && <OptionFields key={provider.id} provider={provider.id} />}
      </Form>
    </Dialog>
  );
}
