export interface Finding {
  readonly sentence: string;
  readonly fix: string;
  /** True where the signature held once this one thing was changed; false for a guess. */
  readonly certain: boolean;
}

export interface ReadDiagnosis {
  readonly detail: string | null;
  readonly findings: readonly Finding[];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

const isFinding = (value: unknown): value is Finding =>
  isRecord(value) && typeof value['sentence'] === 'string' && typeof value['fix'] === 'string';

/** A diagnosis is kept as it was written then: of one with another shape nothing is shown rather than a broken page. */
export function readDiagnosis(diagnosis: unknown): ReadDiagnosis {
  if (!isRecord(diagnosis)) return { detail: null, findings: [] };
  const { detail, findings } = diagnosis;
  return { detail: typeof detail === 'string' ? detail : null, findings: Array.isArray(findings) ? findings.filter(isFinding) : [] };
}
