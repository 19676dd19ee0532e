import { Link } from 'wouter';
import { flatten, useList, useTransaction } from '../../api/queries.ts';
import type { TransactionDetail } from '../../api/types.ts';
import { Amount } from '../../ui/amount.tsx';
import { Chip, Flag } from '../../ui/chip.tsx';
import { Reference } from '../../ui/copy.tsx';
import { Facts, Page, Panel } from '../../ui/page.tsx';
import { Provider } from '../../ui/provider.tsx';
import { Skeleton, Trouble } from '../../ui/states.tsx';
import { capital, STATUS_LOOKS } from '../../ui/status.ts';
import { Ago, Time } from '../../ui/time.tsx';
import { Deliveries } from './deliveries.tsx';
import { Money } from './money.tsx';
import { Related } from './related.tsx';
import { Timeline } from './timeline.tsx';

function Head({ transaction }: { readonly transaction: TransactionDetail }) {
  const { reason, status, flags } = transaction;
  return (
    <div className="amount-head" data-row-id={transaction.id} data-status={status}>
      <div>
        <Amount money={transaction.amount ?? transaction.amountReceived} large />
        <Chip of="status" value={status} />
        {flags.map((flag) => (
          <Flag key={flag} name={flag} />
        ))}
      </div>
      <p className="why">
        {STATUS_LOOKS[status].means}
        {transaction.substate !== null && <> Now: {transaction.substate}.</>}
        {reason !== null && (
          <>
            {' '}
            The provider says <code>{reason.code}</code>
            {reason.message !== undefined && <>: {reason.message}</>}
          </>
        )}{' '}
        <span className="muted">
          Updated <Ago at={transaction.updatedAt} />
        </span>
      </p>
    </div>
  );
}

function Side({ transaction }: { readonly transaction: TransactionDetail }) {
  const { customer } = transaction;
  const references = [transaction.reference, transaction.providerReference, ...transaction.refs].filter(
    (text): text is string => text !== null,
  );
  const others = [...new Set(references)].filter((text) => text !== transaction.reference && text !== transaction.providerReference);
  return (
    <div className="side">
      <Money transaction={transaction} />
      <Panel title="References">
        <Facts
          rows={[
            transaction.reference === null ? null : ['Yours', <Reference text={transaction.reference} />],
            transaction.providerReference === null ? null : ['Provider', <Reference text={transaction.providerReference} />],
            ...others.map((text, index) => [`Other ${index + 1}`, <Reference text={text} />] as const),
            ['Paybell', <Reference text={transaction.id} />],
          ]}
        />
      </Panel>
      <Panel title="Details">
        <Facts
          rows={[
            ['Kind', capital(transaction.kind)],
            ['Provider', <Provider id={transaction.provider} />],
            transaction.rail === null ? null : ['Rail', capital(transaction.rail)],
            customer?.name === undefined ? null : ['Customer', customer.name],
            customer?.reference === undefined ? null : ['Customer id', <Reference text={customer.reference} />],
            customer?.email === undefined ? null : ['Email', customer.email],
            customer?.phone === undefined ? null : ['Phone', customer.phone],
            ['Status since', <Time at={transaction.occurredAt} />],
            ['Merchant', transaction.merchant],
            ['Version', String(transaction.version)],
          ]}
        />
      </Panel>
      <Related transaction={transaction} />
    </div>
  );
}

export default function Transaction({ id }: { readonly id: string }) {
  const { data: transaction, error, refetch } = useTransaction(id);
  const deliveries = flatten(useList('delivery', { transaction: id }).data);
  const title = transaction === undefined ? 'Transaction' : capital(transaction.kind);
  return (
    <Page title={title} back={{ href: '/transactions', label: 'Transactions' }}>
      {error !== null && <Trouble problem={error} again={() => void refetch()} />}
      {transaction === undefined ? (
        error === null && <Skeleton />
      ) : (
        <>
          <Head transaction={transaction} />
          <div className="detail-columns">
            <div className="main">
              <Panel title="Timeline">
                <Timeline entries={transaction.timeline} />
              </Panel>
              <Panel
                title="Deliveries"
                tools={
                  <Link href={`/deliveries?transaction=${encodeURIComponent(id)}`} className="link">
                    Show in deliveries
                  </Link>
                }
              >
                <Deliveries rows={deliveries} />
              </Panel>
            </div>
            <Side transaction={transaction} />
          </div>
        </>
      )}
    </Page>
  );
}
