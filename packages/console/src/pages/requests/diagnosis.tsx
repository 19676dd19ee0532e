import { Link } from 'wouter';
import type { RequestRow } from '../../api/types.ts';
import { Icon } from '../../ui/icons.tsx';
import { Panel } from '../../ui/page.tsx';
import { capital } from '../../ui/status.ts';
import { readDiagnosis } from './findings.ts';

/** Why a request was rejected, and what to change so that the next one passes. */
export function Diagnosis({ request }: { readonly request: RequestRow }) {
  if (request.verdict !== 'rejected') return null;
  const { detail, findings } = readDiagnosis(request.diagnosis);
  return (
    <Panel title="Diagnosis" className="diagnosis">
      <p className="pad">{detail ?? `${capital(request.reason ?? 'signature_mismatch')}.`}</p>
      {findings.length > 0 && (
        <ul>
          {findings.map((finding) => (
            <li key={finding.sentence}>
              <Icon name={finding.certain ? 'check' : 'question'} size={14} />
              <div>
                <p>
                  {finding.certain ? 'Found: ' : 'Perhaps: '}
                  {finding.sentence}
                </p>
                <p className="muted">{finding.fix}</p>
              </div>
            </li>
          ))}
        </ul>
      )}
      <p className="hint">
        The request is kept. Once the secret is right, judge it again on its{' '}
        <Link href={`/sources/${request.source}`} className="link">
          source
        </Link>
        : it then takes its place in the ledger.
      </p>
    </Panel>
  );
}
