import { useProviders } from '../api/queries.ts';

export function useProviderName(): (id: string) => string {
  const { data } = useProviders();
  return (id) => data?.find((provider) => provider.id === id)?.name ?? id;
}

const SHADES = 8;

export function ProviderMark({ id }: { readonly id: string }) {
  const { data } = useProviders();
  // By place in the catalogue: neighbours never look alike.
  const place = data?.findIndex((provider) => provider.id === id) ?? -1;
  return (
    <span className={`provider-mark shade-${place < 0 ? SHADES - 2 : place % SHADES}`} aria-hidden="true">
      {id.charAt(0).toUpperCase()}
    </span>
  );
}

export function Provider({ id }: { readonly id: string }) {
  const nameOf = useProviderName();
  return (
    <span className="provider">
      <ProviderMark id={id} />
      <span className="clip">{nameOf(id)}</span>
    </span>
  );
}
